// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What happens when a deadline has passed: by a party's call, by anybody's, or by itself.
//! Source: docs/protocol.md §9.
//!
//! The queue is a map whose keys begin with the time, so the first key is the earliest deadline. Every open
//! phase has exactly one entry, put there and taken away together with the phase. An entry is therefore never
//! stale, and an entry that could not be closed stays where it is: nothing is lost by trying.

use crate::{
	types::{DeadlineKey, Due, Phase},
	Config, CurrentParameters, Deadlines, Error, Event, JobOffers, MatchRecordOf, Matches, Pallet,
	Reaction, ResourceOffers, WeightInfo,
};
use frame::{
	deps::{frame_support::storage::with_storage_layer, frame_support::weights::WeightMeter},
	prelude::*,
};
use modicum_primitives::{Ending, MatchId, Moment};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_timeout(who: T::AccountId, match_id: MatchId) -> DispatchResult {
		let record = Matches::<T>::get(match_id).ok_or(Error::<T>::MatchNotFound)?;
		ensure!(record.creator == who, Error::<T>::NotCreator);
		ensure!(record.phase == Phase::Running, Error::<T>::NotRunning);
		ensure!(Self::now() > record.completion_deadline, Error::<T>::CompletionDeadlineNotPassed);
		Self::close_match(match_id, record, Ending::ProviderTimedOut, None)
	}

	pub(crate) fn do_timeout_mediation(who: T::AccountId, match_id: MatchId) -> DispatchResult {
		let record = Matches::<T>::get(match_id).ok_or(Error::<T>::MatchNotFound)?;
		ensure!(who == record.creator || who == record.provider, Error::<T>::NotParty);
		let Phase::Mediating { mediation_deadline, .. } = &record.phase else {
			return Err(Error::<T>::NotMediating.into());
		};
		ensure!(Self::now() > *mediation_deadline, Error::<T>::MediationDeadlineNotPassed);
		Self::close_match(match_id, record, Ending::MediatorTimedOut, None)
	}

	/// Closes up to `limit` of the earliest entries whose grace has passed; returns how many.
	pub(crate) fn do_close_overdue(limit: u32) -> Result<u32, DispatchError> {
		let mut left = limit;
		let closed = Self::close_overdue_while(|_| {
			let more = left > 0;
			left = left.saturating_sub(1);
			more
		});
		ensure!(closed > 0, Error::<T>::NothingOverdue);
		Ok(closed)
	}

	/// Closes overdue entries as far as the weight goes.
	pub(crate) fn close_overdue_within(meter: &mut WeightMeter) {
		// Looking at the clock, the grace and the first key.
		if meter.try_consume(T::WeightInfo::close_overdue(0)).is_err() {
			return;
		}
		Self::close_overdue_while(|due| meter.try_consume(Self::closing_weight(due)).is_ok());
	}

	/// What closing one entry takes, with the look at the next key.
	pub(crate) fn closing_weight(due: Due) -> Weight {
		let look = T::WeightInfo::close_overdue(0);
		match due {
			Due::JobOffer(_) => T::WeightInfo::cancel_job_offer().saturating_add(look),
			Due::ResourceOffer(_) => T::WeightInfo::cancel_resource_offer().saturating_add(look),
			Due::Match(_) => T::WeightInfo::close_overdue(1),
		}
	}

	/// Puts `due` into the queue.
	pub(crate) fn set_deadline(at: Moment, due: Due) {
		Deadlines::<T>::insert(DeadlineKey::new(at, due), ());
	}

	/// Takes `due` out of the queue.
	pub(crate) fn clear_deadline(at: Moment, due: Due) {
		Deadlines::<T>::remove(DeadlineKey::new(at, due));
	}

	/// Puts a match into the queue at the deadline of its phase.
	pub(crate) fn set_match_deadline(match_id: MatchId, record: &MatchRecordOf<T>) {
		Self::set_deadline(record.deadline(), Due::Match(match_id));
	}

	/// Takes a match out of the queue.
	pub(crate) fn clear_match_deadline(match_id: MatchId, record: &MatchRecordOf<T>) {
		Self::clear_deadline(record.deadline(), Due::Match(match_id));
	}

	/// Closes overdue entries, earliest first, as long as `may_close` allows the next; returns how many.
	fn close_overdue_while(mut may_close: impl FnMut(Due) -> bool) -> u32 {
		let now = Self::now();
		let grace = CurrentParameters::<T>::get().auto_close_grace;
		let mut closed: u32 = 0;
		let mut next = Deadlines::<T>::iter_keys().next();
		while let Some(key) = next {
			if key.at().saturating_add(grace) >= now || !may_close(key.due) {
				break;
			}
			// All or nothing, so that a failure, which the checks of every call exclude, keeps its entry.
			let outcome = with_storage_layer(|| Self::close_overdue_entry(key.due));
			if outcome.defensive_proof("an overdue entry can always be closed; qed").is_ok() {
				closed = closed.saturating_add(1);
			}
			// From the key on, not from the start: a removed key is as good a place to continue from, and an
			// entry that stayed is not tried twice.
			next = Deadlines::<T>::iter_keys_from(Deadlines::<T>::hashed_key_for(key)).next();
		}
		closed
	}

	/// Does what a party could have done since the deadline.
	fn close_overdue_entry(due: Due) -> DispatchResult {
		match due {
			Due::JobOffer(job_offer) => {
				let offer = JobOffers::<T>::get(job_offer).ok_or(Error::<T>::JobOfferNotFound)?;
				let (creator, returned) = Self::withdraw_job_offer(job_offer, offer);
				Self::deposit_event(Event::JobOfferExpired { job_offer, creator, returned });
				Ok(())
			},
			Due::ResourceOffer(resource_offer) => {
				let offer = ResourceOffers::<T>::get(resource_offer)
					.ok_or(Error::<T>::ResourceOfferNotFound)?;
				let (provider, returned) = Self::withdraw_resource_offer(resource_offer, offer);
				Self::deposit_event(Event::ResourceOfferExpired {
					resource_offer,
					provider,
					returned,
				});
				Ok(())
			},
			Due::Match(match_id) => {
				let record = Matches::<T>::get(match_id).ok_or(Error::<T>::MatchNotFound)?;
				let ending = match record.phase {
					Phase::Running => Ending::ProviderTimedOut,
					Phase::ResultPosted { .. } => {
						Self::deposit_event(Event::ResultReaction {
							match_id,
							by: None,
							reaction: Reaction::Accepted,
						});
						Ending::Accepted
					},
					Phase::Mediating { .. } => Ending::MediatorTimedOut,
				};
				Self::close_match(match_id, record, ending, None)
			},
		}
	}
}
