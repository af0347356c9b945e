// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Posting and withdrawing offers. Source: docs/protocol.md §3.

use crate::{
	types::{Due, OfferState},
	Config, CurrentParameters, Error, Event, HoldReason, JobCreatorRecordOf, JobOfferRecord,
	JobOfferRecordOf, JobOffers, JobTermsOf, NextJobOfferId, NextResourceOfferId, Pallet,
	ResourceOfferRecord, ResourceOfferRecordOf, ResourceOffers, ResourceProviderRecordOf, UriOf,
};
use alloc::vec::Vec;
use frame::prelude::*;
use modicum_primitives::{
	job_offer_deposit, resource_offer_deposit, Balance, JobOfferId, Overflow, Parameters, Prices,
	ResourceOfferId, ResourceTerms, Resources,
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_job_offer(
		creator: T::AccountId,
		terms: JobTermsOf<T>,
		uri: Vec<u8>,
		extra_deposit: Balance,
	) -> DispatchResult {
		let now = Self::now();
		let parameters = CurrentParameters::<T>::get();
		ensure!(!uri.is_empty(), Error::<T>::UriEmpty);
		let uri = Self::bounded_uri(uri)?;
		Self::check_terms(&terms.limits, terms.max_prices, terms.match_incentive, &parameters)?;
		ensure!(terms.completion_deadline > now, Error::<T>::DeadlineInPast);
		let latest = now.saturating_add(T::MaxJobDuration::get());
		ensure!(terms.completion_deadline <= latest, Error::<T>::DeadlineTooFar);

		Self::commit::<JobCreatorRecordOf<T>>(&creator)?;
		let held = Self::job_offer_quote(&terms, extra_deposit, &parameters)
			.map_err(|Overflow| Error::<T>::AmountTooLarge)?;
		Self::hold(HoldReason::JobOffer, &creator, held)?;
		let job_offer = Self::next_id::<NextJobOfferId<T>>()?;
		Self::set_deadline(terms.completion_deadline, Due::JobOffer(job_offer));
		JobOffers::<T>::insert(
			job_offer,
			JobOfferRecord {
				creator: creator.clone(),
				terms: terms.clone(),
				uri: uri.clone(),
				extra_deposit,
				held,
				state: OfferState::Open,
			},
		);
		Self::deposit_event(Event::JobOfferPosted { job_offer, creator, terms, uri, held });
		Ok(())
	}

	pub(crate) fn do_post_resource_offer(
		provider: T::AccountId,
		terms: ResourceTerms,
		extra_deposit: Balance,
	) -> DispatchResult {
		let parameters = CurrentParameters::<T>::get();
		Self::check_terms(&terms.caps, terms.prices, terms.match_incentive, &parameters)?;
		let now = Self::now();
		ensure!(terms.expires_at.is_none_or(|end| end > now), Error::<T>::ExpiryInPast);

		Self::commit::<ResourceProviderRecordOf<T>>(&provider)?;
		let held = Self::resource_offer_quote(&terms, extra_deposit, &parameters)
			.map_err(|Overflow| Error::<T>::AmountTooLarge)?;
		Self::hold(HoldReason::ResourceOffer, &provider, held)?;
		let resource_offer = Self::next_id::<NextResourceOfferId<T>>()?;
		if let Some(end) = terms.expires_at {
			Self::set_deadline(end, Due::ResourceOffer(resource_offer));
		}
		ResourceOffers::<T>::insert(
			resource_offer,
			ResourceOfferRecord {
				provider: provider.clone(),
				terms,
				extra_deposit,
				held,
				state: OfferState::Open,
			},
		);
		Self::deposit_event(Event::ResourceOfferPosted { resource_offer, provider, terms, held });
		Ok(())
	}

	pub(crate) fn do_cancel_job_offer(who: T::AccountId, job_offer: JobOfferId) -> DispatchResult {
		let offer = JobOffers::<T>::get(job_offer).ok_or(Error::<T>::JobOfferNotFound)?;
		ensure!(offer.creator == who, Error::<T>::NotOfferOwner);
		ensure!(offer.state == OfferState::Open, Error::<T>::OfferAlreadyMatched);
		let (creator, returned) = Self::withdraw_job_offer(job_offer, offer);
		Self::deposit_event(Event::JobOfferCanceled { job_offer, creator, returned });
		Ok(())
	}

	pub(crate) fn do_cancel_resource_offer(
		who: T::AccountId,
		resource_offer: ResourceOfferId,
	) -> DispatchResult {
		let offer =
			ResourceOffers::<T>::get(resource_offer).ok_or(Error::<T>::ResourceOfferNotFound)?;
		ensure!(offer.provider == who, Error::<T>::NotOfferOwner);
		ensure!(offer.state == OfferState::Open, Error::<T>::OfferAlreadyMatched);
		let (provider, returned) = Self::withdraw_resource_offer(resource_offer, offer);
		Self::deposit_event(Event::ResourceOfferCanceled { resource_offer, provider, returned });
		Ok(())
	}

	/// Removes an open job offer and gives back everything; returns to whom and how much.
	pub(crate) fn withdraw_job_offer(
		job_offer: JobOfferId,
		offer: JobOfferRecordOf<T>,
	) -> (T::AccountId, Balance) {
		JobOffers::<T>::remove(job_offer);
		Self::clear_deadline(offer.terms.completion_deadline, Due::JobOffer(job_offer));
		Self::uncommit::<JobCreatorRecordOf<T>>(&offer.creator);
		Self::give_back(HoldReason::JobOffer, &offer.creator, offer.held);
		(offer.creator, offer.held)
	}

	/// Removes an open resource offer and gives back everything; returns to whom and how much.
	pub(crate) fn withdraw_resource_offer(
		resource_offer: ResourceOfferId,
		offer: ResourceOfferRecordOf<T>,
	) -> (T::AccountId, Balance) {
		ResourceOffers::<T>::remove(resource_offer);
		if let Some(end) = offer.terms.expires_at {
			Self::clear_deadline(end, Due::ResourceOffer(resource_offer));
		}
		Self::uncommit::<ResourceProviderRecordOf<T>>(&offer.provider);
		Self::give_back(HoldReason::ResourceOffer, &offer.provider, offer.held);
		(offer.provider, offer.held)
	}

	/// Checks the length of a URI.
	pub(crate) fn bounded_uri(uri: Vec<u8>) -> Result<UriOf<T>, DispatchError> {
		Ok(uri.try_into().map_err(|_| Error::<T>::UriTooLong)?)
	}

	/// What posting holds: the required deposit and the extra one.
	pub(crate) fn job_offer_quote(
		terms: &JobTermsOf<T>,
		extra_deposit: Balance,
		parameters: &Parameters,
	) -> Result<Balance, Overflow> {
		job_offer_deposit(terms, parameters)?.checked_add(extra_deposit).ok_or(Overflow)
	}

	/// What posting holds: the required deposit and the extra one.
	pub(crate) fn resource_offer_quote(
		terms: &ResourceTerms,
		extra_deposit: Balance,
		parameters: &Parameters,
	) -> Result<Balance, Overflow> {
		resource_offer_deposit(terms, parameters)?.checked_add(extra_deposit).ok_or(Overflow)
	}

	/// Hands out the present number and moves the counter on.
	pub(crate) fn next_id<
		Counter: frame::deps::frame_support::storage::StorageValue<u64, Query = u64>,
	>() -> Result<u64, DispatchError> {
		Counter::try_mutate(|next| {
			let id = *next;
			*next = id.checked_add(1).ok_or(ArithmeticError::Overflow)?;
			Ok(id)
		})
	}

	/// The rules that both kinds of offers share.
	fn check_terms(
		resources: &Resources,
		prices: Prices,
		match_incentive: Balance,
		parameters: &Parameters,
	) -> DispatchResult {
		ensure!(!resources.has_zero(), Error::<T>::ZeroResource);
		ensure!(!prices.is_free(), Error::<T>::ZeroPrices);
		ensure!(match_incentive >= parameters.min_match_incentive, Error::<T>::IncentiveTooSmall);
		Ok(())
	}
}
