// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the view functions answer. Source: docs/protocol.md §11.

use crate::{
	impls::Pair, Config, CurrentParameters, JobTermsOf, MatchStatus, MatchStatusOf, Matches,
	Mediators, Pallet,
};
use alloc::vec::Vec;
use modicum_primitives::{Balance, JobOfferId, MatchId, ResourceOfferId, ResourceTerms, Rule};

impl<T: Config> Pallet<T> {
	pub(crate) fn view_job_offer_deposit(
		terms: &JobTermsOf<T>,
		extra_deposit: Balance,
	) -> Option<Balance> {
		Self::job_offer_quote(terms, extra_deposit, &CurrentParameters::<T>::get()).ok()
	}

	pub(crate) fn view_resource_offer_deposit(
		terms: &ResourceTerms,
		extra_deposit: Balance,
	) -> Option<Balance> {
		Self::resource_offer_quote(terms, extra_deposit, &CurrentParameters::<T>::get()).ok()
	}

	pub(crate) fn view_broken_rules(
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
		mediator: &T::AccountId,
	) -> Option<Vec<Rule>> {
		let pair = Pair::<T>::load(job_offer, resource_offer).ok()?;
		let profile = Mediators::<T>::get(mediator);
		let parameters = CurrentParameters::<T>::get();
		Some(pair.broken_rules(mediator, profile.as_ref(), &parameters, Self::now()))
	}

	pub(crate) fn view_feasible_mediators(
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
	) -> Option<Vec<T::AccountId>> {
		let pair = Pair::<T>::load(job_offer, resource_offer).ok()?;
		let parameters = CurrentParameters::<T>::get();
		let now = Self::now();
		// The creator's list bounds the work; a mediator outside it is not feasible anyway.
		let feasible = |mediator: &&T::AccountId| {
			let profile = Mediators::<T>::get(mediator);
			pair.broken_rules(mediator, profile.as_ref(), &parameters, now).is_empty()
		};
		Some(pair.creator.trusted_mediators.iter().filter(feasible).cloned().collect())
	}

	pub(crate) fn view_match_status(match_id: MatchId) -> Option<MatchStatusOf<T>> {
		let grace = CurrentParameters::<T>::get().auto_close_grace;
		Matches::<T>::get(match_id).map(|record| MatchStatus::new(record, grace))
	}
}
