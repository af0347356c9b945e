// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What is always true. Each invariant has a number, which its message starts with; the README lists them.

use crate::{
	types::{DeadlineKey, Due, OfferState, Role, StorageDeposit},
	Config, CurrentParameters, Deadlines, Directories, DirectoryRecordOf, HoldReason,
	JobCreatorRecordOf, JobCreators, JobOffers, Matches, MediatorRecordOf, Mediators,
	NextJobOfferId, NextMatchId, NextResourceOfferId, Pallet, ResourceOffers,
	ResourceProviderRecordOf, ResourceProviders,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use frame::{deps::sp_runtime::TryRuntimeError, prelude::*, token::fungible::InspectHold};
use modicum_primitives::{match_deposit, Balance};

type Checked = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
	/// What a storage deposit keeps on hold.
	fn storage_deposit(ticket: &T::Consideration) -> Balance {
		ticket.amount()
	}

	/// What `who` has on hold for `reason`.
	fn held(reason: HoldReason, who: &T::AccountId) -> Balance {
		T::Currency::balance_on_hold(&reason.into(), who)
	}

	/// Checks every invariant.
	pub(crate) fn do_try_state() -> Checked {
		Self::check_holds()?;
		Self::check_matches()?;
		Self::check_deposits()?;
		Self::check_queue()?;
		Self::check_commitments()?;
		Self::check_ids()?;
		Self::check_parameters()?;
		Self::check_lists()
	}

	/// 1. What accounts have on hold for a reason of this pallet is the sum of what offers (job offers for
	///    `JobOffer`, resource offers for `ResourceOffer`) and storage deposits (for `Registration`) record.
	fn check_holds() -> Checked {
		let mut jobs = BTreeMap::<Vec<u8>, Balance>::new();
		let mut resources = BTreeMap::<Vec<u8>, Balance>::new();
		let mut deposits = BTreeMap::<Vec<u8>, Balance>::new();
		let add = |sums: &mut BTreeMap<Vec<u8>, Balance>, who: &T::AccountId, amount: Balance| {
			sums.entry(who.encode()).or_default().saturating_accrue(amount);
		};
		JobOffers::<T>::iter_values().for_each(|offer| add(&mut jobs, &offer.creator, offer.held));
		ResourceOffers::<T>::iter_values()
			.for_each(|offer| add(&mut resources, &offer.provider, offer.held));
		JobCreators::<T>::iter().for_each(|(who, record)| {
			add(&mut deposits, &who, Self::storage_deposit(&record.ticket))
		});
		ResourceProviders::<T>::iter().for_each(|(who, record)| {
			add(&mut deposits, &who, Self::storage_deposit(&record.ticket))
		});
		Mediators::<T>::iter().for_each(|(who, record)| {
			add(&mut deposits, &who, Self::storage_deposit(&record.ticket))
		});
		Directories::<T>::iter().for_each(|(who, record)| {
			add(&mut deposits, &who, Self::storage_deposit(&record.ticket))
		});

		for (sums, reason) in [
			(jobs, HoldReason::JobOffer),
			(resources, HoldReason::ResourceOffer),
			(deposits, HoldReason::Registration),
		] {
			let mut expected = sums;
			for who in frame_system::Account::<T>::iter_keys() {
				let recorded = expected.remove(&who.encode()).unwrap_or_default();
				ensure!(
					Self::held(reason, &who) == recorded,
					"1: an account's hold differs from what is recorded"
				);
			}
			ensure!(
				expected.values().all(Balance::is_zero),
				"1: something is recorded as held by an account that does not exist"
			);
		}
		Ok(())
	}

	/// 2. Every match refers to two offers that say they are matched by it and belong to its parties; every
	///    matched offer refers to such a match.
	fn check_matches() -> Checked {
		for (match_id, record) in Matches::<T>::iter() {
			let job = JobOffers::<T>::get(record.job_offer);
			let resource = ResourceOffers::<T>::get(record.resource_offer);
			ensure!(
				job.is_some_and(|offer| offer.state == OfferState::Matched(match_id)
					&& offer.creator == record.creator),
				"2: a match refers to a job offer that is missing or not its own"
			);
			ensure!(
				resource.is_some_and(|offer| offer.state == OfferState::Matched(match_id)
					&& offer.provider == record.provider),
				"2: a match refers to a resource offer that is missing or not its own"
			);
		}
		let matched = |state: OfferState| match state {
			OfferState::Open => None,
			OfferState::Matched(match_id) => Some(match_id),
		};
		for (id, offer) in JobOffers::<T>::iter() {
			let Some(match_id) = matched(offer.state) else { continue };
			ensure!(
				Matches::<T>::get(match_id).is_some_and(|record| record.job_offer == id),
				"2: a job offer refers to a match that is missing or not its own"
			);
		}
		for (id, offer) in ResourceOffers::<T>::iter() {
			let Some(match_id) = matched(offer.state) else { continue };
			ensure!(
				Matches::<T>::get(match_id).is_some_and(|record| record.resource_offer == id),
				"2: a resource offer refers to a match that is missing or not its own"
			);
		}
		Ok(())
	}

	/// 3. Both holds of a match cover d under the parameters of the match.
	fn check_deposits() -> Checked {
		for record in Matches::<T>::iter_values() {
			let deposit = match_deposit(
				record.value,
				record.mediator_fee,
				record.directory_fee,
				&record.parameters,
			)
			.map_err(|_| "3: the deposit of a match overflows")?;
			let job = JobOffers::<T>::get(record.job_offer).map(|offer| offer.held);
			let resource = ResourceOffers::<T>::get(record.resource_offer).map(|offer| offer.held);
			ensure!(
				job.is_some_and(|held| held >= deposit)
					&& resource.is_some_and(|held| held >= deposit),
				"3: a hold does not cover the deposit of its match"
			);
		}
		Ok(())
	}

	/// 4. The deadline queue has exactly one entry, at the right time, for each match and for each open offer
	///    that can expire, and no other.
	fn check_queue() -> Checked {
		let mut expected = BTreeSet::new();
		for (id, offer) in JobOffers::<T>::iter() {
			if offer.state == OfferState::Open {
				expected
					.insert(DeadlineKey::new(offer.terms.completion_deadline, Due::JobOffer(id)));
			}
		}
		for (id, offer) in ResourceOffers::<T>::iter() {
			if let (OfferState::Open, Some(end)) = (offer.state, offer.terms.expires_at) {
				expected.insert(DeadlineKey::new(end, Due::ResourceOffer(id)));
			}
		}
		for (id, record) in Matches::<T>::iter() {
			expected.insert(DeadlineKey::new(record.deadline(), Due::Match(id)));
		}
		let queue: BTreeSet<_> = Deadlines::<T>::iter_keys().collect();
		ensure!(queue == expected, "4: the deadline queue is not what the open phases need");
		Ok(())
	}

	/// 5. Every role that an offer or match needs is registered, and its count of commitments is the number of
	///    them.
	fn check_commitments() -> Checked {
		let mut creators = BTreeMap::<Vec<u8>, u32>::new();
		let mut providers = BTreeMap::<Vec<u8>, u32>::new();
		let mut mediators = BTreeMap::<Vec<u8>, u32>::new();
		let mut directories = BTreeMap::<Vec<u8>, u32>::new();
		let count = |counts: &mut BTreeMap<Vec<u8>, u32>, who: &T::AccountId| {
			counts.entry(who.encode()).or_default().saturating_inc();
		};
		JobOffers::<T>::iter_values().for_each(|offer| count(&mut creators, &offer.creator));
		ResourceOffers::<T>::iter_values().for_each(|offer| count(&mut providers, &offer.provider));
		for record in Matches::<T>::iter_values() {
			count(&mut mediators, &record.mediator);
			count(&mut directories, &record.directory);
		}
		Self::check_counts::<JobCreatorRecordOf<T>>(JobCreators::<T>::iter(), creators)?;
		Self::check_counts::<ResourceProviderRecordOf<T>>(
			ResourceProviders::<T>::iter(),
			providers,
		)?;
		Self::check_counts::<MediatorRecordOf<T>>(Mediators::<T>::iter(), mediators)?;
		Self::check_counts::<DirectoryRecordOf<T>>(Directories::<T>::iter(), directories)
	}

	fn check_counts<R: Role<T>>(
		records: impl Iterator<Item = (T::AccountId, R)>,
		mut expected: BTreeMap<Vec<u8>, u32>,
	) -> Checked {
		for (who, mut record) in records {
			let count = expected.remove(&who.encode()).unwrap_or_default();
			ensure!(
				*record.commitments() == count,
				"5: a count of commitments differs from the offers and matches"
			);
		}
		ensure!(
			expected.is_empty(),
			"5: an offer or match needs an account that is not registered"
		);
		Ok(())
	}

	/// 6. Every number in use is below the next one.
	fn check_ids() -> Checked {
		let in_use = JobOffers::<T>::iter_keys().all(|id| id < NextJobOfferId::<T>::get())
			&& ResourceOffers::<T>::iter_keys().all(|id| id < NextResourceOfferId::<T>::get())
			&& Matches::<T>::iter_keys().all(|id| id < NextMatchId::<T>::get());
		ensure!(in_use, "6: a number would be given out twice");
		Ok(())
	}

	/// 7. The parameters are within their bounds, those in force and those that matches keep.
	fn check_parameters() -> Checked {
		let valid = CurrentParameters::<T>::get().validate().is_ok()
			&& Matches::<T>::iter_values().all(|record| record.parameters.validate().is_ok());
		ensure!(valid, "7: a parameter is out of bounds");
		Ok(())
	}

	/// 8. No list names anything twice.
	fn check_lists() -> Checked {
		fn unique<Item: Encode>(list: &[Item]) -> bool {
			let set: BTreeSet<_> = list.iter().map(Encode::encode).collect();
			set.len() == list.len()
		}
		let lists = JobCreators::<T>::iter_values().all(|record| unique(&record.trusted_mediators))
			&& ResourceProviders::<T>::iter_values().all(|record| {
				unique(&record.trusted_mediators)
					&& unique(&record.trusted_directories)
					&& unique(&record.base_layers)
			}) && Mediators::<T>::iter_values()
			.all(|record| unique(&record.trusted_directories) && unique(&record.base_layers));
		ensure!(lists, "8: a list names something twice");
		Ok(())
	}
}
