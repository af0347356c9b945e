// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The only file that moves money. Source: docs/protocol.md §§3, 4 and 8.
//!
//! A hold is taken in full or not at all. What leaves a hold later always arrives somewhere: no payee, however
//! poor or dead its account is, can make a match impossible to close. An amount that its payee cannot receive
//! (less than the existential deposit, to an account that does not exist) goes to the fines destination, or if
//! that cannot receive it either, to the owner of the hold. Only if all three accounts are dead is it burnt.
//!
//! Payments out of holds are forced: locks and freezes that the owner has put on its balance elsewhere overlap
//! with holds and do not protect them.

use crate::{
	Config, DirectoryRecordOf, Error, Event, HoldReason, JobCreatorRecordOf, JobOffers,
	MatchRecordOf, Matches, MediatorRecordOf, Pallet, PartyRecords, ResourceOffers,
	ResourceProviderRecordOf,
};
use frame::{
	deps::frame_support::storage::with_storage_layer,
	prelude::*,
	token::{
		fungible::{Inspect, MutateHold},
		tokens::Restriction,
	},
	traits::{Consideration, Footprint},
};
use modicum_primitives::{
	settlement, Balance, Ending, FaultyParty, MatchId, PartyRecord, Payout, Settlement, Usage,
};

impl<T: Config> Pallet<T> {
	/// Holds `amount` of the free balance of `who`.
	///
	/// # Errors
	/// `Token(FundsUnavailable)` if the free balance, less the existential deposit, is smaller.
	pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
		// The currency would let an account that something else keeps alive hold its last unit, and then refuse
		// to take back less than the existential deposit.
		let free = T::Currency::reducible_balance(who, Preservation::Preserve, Fortitude::Force);
		ensure!(free >= amount, TokenError::FundsUnavailable);
		T::Currency::hold(&reason.into(), who, amount)
	}

	/// Pays `amount` out of the hold of `owner`. Always succeeds; see the top of this file.
	pub(crate) fn pay(
		reason: HoldReason,
		owner: &T::AccountId,
		payee: &T::AccountId,
		amount: Balance,
	) {
		if amount.is_zero() {
			return;
		}
		let fines = T::FinesDestination::get();
		let arrived = [payee, &fines, owner]
			.into_iter()
			.find(|recipient| Self::transfer(reason, owner, recipient, amount).is_ok());
		match arrived {
			Some(recipient) if recipient == payee => {},
			Some(recipient) => Self::deposit_event(Event::PaymentRedirected {
				payee: payee.clone(),
				recipient: recipient.clone(),
				amount,
			}),
			None => Self::burn(reason, owner, payee, amount),
		}
	}

	/// Gives `amount` of a hold back to its owner. Always succeeds.
	pub(crate) fn give_back(reason: HoldReason, owner: &T::AccountId, amount: Balance) {
		Self::pay(reason, owner, owner, amount);
	}

	/// Gives back what a hold of `held` has above `target`; returns what stays on hold.
	pub(crate) fn trim(
		reason: HoldReason,
		owner: &T::AccountId,
		held: Balance,
		target: Balance,
	) -> Balance {
		Self::give_back(reason, owner, held.saturating_sub(target));
		held.min(target)
	}

	/// Takes the storage deposit for a registration with so many bytes of lists.
	pub(crate) fn take_storage_deposit(
		who: &T::AccountId,
		bytes: usize,
	) -> Result<T::Consideration, DispatchError> {
		T::Consideration::new(who, Footprint::from_parts(1, bytes))
	}

	/// Takes more of it or gives some back after the lists have changed.
	pub(crate) fn adjust_storage_deposit(
		ticket: T::Consideration,
		who: &T::AccountId,
		bytes: usize,
	) -> Result<T::Consideration, DispatchError> {
		ticket.update(who, Footprint::from_parts(1, bytes))
	}

	/// Gives it back.
	pub(crate) fn return_storage_deposit(
		ticket: T::Consideration,
		who: &T::AccountId,
	) -> DispatchResult {
		ticket.drop(who)
	}

	/// Ends a match: pays both holds out as the row of `ending` says and removes everything but the parties'
	/// counters.
	pub(crate) fn close_match(
		match_id: MatchId,
		record: MatchRecordOf<T>,
		ending: Ending,
		measured: Option<Usage>,
	) -> DispatchResult {
		let job = JobOffers::<T>::take(record.job_offer).ok_or(Error::<T>::JobOfferNotFound)?;
		let resource = ResourceOffers::<T>::take(record.resource_offer)
			.ok_or(Error::<T>::ResourceOfferNotFound)?;
		Matches::<T>::remove(match_id);
		Self::clear_match_deadline(match_id, &record);

		let terms = record.settlement_terms(measured);
		let settlement = settlement(ending, &terms, job.held, resource.held);
		let Settlement { from_creator, from_provider } = settlement;
		let (creator, provider) = (&record.creator, &record.provider);
		Self::pay_out(HoldReason::JobOffer, creator, provider, &record, from_creator);
		Self::pay_out(HoldReason::ResourceOffer, provider, creator, &record, from_provider);

		Self::uncommit::<JobCreatorRecordOf<T>>(creator);
		Self::uncommit::<ResourceProviderRecordOf<T>>(provider);
		Self::uncommit::<MediatorRecordOf<T>>(&record.mediator);
		Self::uncommit::<DirectoryRecordOf<T>>(&record.directory);
		Self::note_ending(&record, ending);
		Self::deposit_event(Event::MatchClosed {
			match_id,
			job_offer: record.job_offer,
			resource_offer: record.resource_offer,
			creator: record.creator,
			provider: record.provider,
			mediator: record.mediator,
			directory: record.directory,
			ending,
			settlement,
		});
		Ok(())
	}

	/// Pays one side's hold out.
	fn pay_out(
		reason: HoldReason,
		owner: &T::AccountId,
		counterparty: &T::AccountId,
		record: &MatchRecordOf<T>,
		payout: Payout,
	) {
		Self::pay(reason, owner, counterparty, payout.to_counterparty);
		Self::pay(reason, owner, &record.mediator, payout.to_mediator);
		Self::pay(reason, owner, &record.directory, payout.to_directory);
		Self::pay(reason, owner, &T::FinesDestination::get(), payout.to_fines);
		Self::give_back(reason, owner, payout.returned);
	}

	/// Counts the ending in the records of all who took part.
	fn note_ending(record: &MatchRecordOf<T>, ending: Ending) {
		let MatchRecordOf::<T> { creator, provider, mediator, directory, .. } = record;
		let note = |who: &T::AccountId, counter: fn(&mut PartyRecord) -> &mut u32| {
			PartyRecords::<T>::mutate(who, |record| counter(record).saturating_inc());
		};
		match ending {
			Ending::Accepted => {
				for who in [creator, provider, mediator, directory] {
					note(who, |record| &mut record.completed);
				}
			},
			Ending::Mediated(verdict) => {
				for who in [creator, provider, mediator, directory] {
					note(who, |record| &mut record.mediated);
				}
				let faulty = match verdict.faulty_party() {
					FaultyParty::JobCreator => creator,
					FaultyParty::ResourceProvider => provider,
					FaultyParty::Directory => directory,
				};
				note(faulty, |record| &mut record.faulted);
			},
			Ending::ProviderTimedOut => note(provider, |record| &mut record.timed_out),
			Ending::MediatorTimedOut => note(mediator, |record| &mut record.timed_out),
		}
	}

	/// Moves `amount` from the hold of `owner` to the free balance of `recipient`, or changes nothing.
	fn transfer(
		reason: HoldReason,
		owner: &T::AccountId,
		recipient: &T::AccountId,
		amount: Balance,
	) -> DispatchResult {
		let reason = reason.into();
		with_storage_layer(|| {
			if owner == recipient {
				T::Currency::release(&reason, owner, amount, Precision::Exact)?;
			} else {
				T::Currency::transfer_on_hold(
					&reason,
					owner,
					recipient,
					amount,
					Precision::Exact,
					Restriction::Free,
					Fortitude::Force,
				)?;
			}
			Ok(())
		})
	}

	/// The last resort for an amount that no account can receive.
	fn burn(reason: HoldReason, owner: &T::AccountId, payee: &T::AccountId, amount: Balance) {
		let burnt = with_storage_layer(|| {
			T::Currency::burn_held(
				&reason.into(),
				owner,
				amount,
				Precision::BestEffort,
				Fortitude::Force,
			)
		});
		if let Ok(amount) = burnt.defensive_proof("the recorded amount is on hold; qed") {
			Self::deposit_event(Event::PaymentBurnt { payee: payee.clone(), amount });
		}
	}
}
