// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Making a match. Source: docs/protocol.md §4; the rules themselves are in `modicum-primitives`.

use crate::{
	types::{Due, OfferState, Phase},
	Config, CurrentParameters, Directories, DirectoryRecordOf, Error, Event, HoldReason,
	JobCreatorRecordOf, JobCreators, JobOfferRecordOf, JobOffers, MatchRecord, MatchRecordOf,
	Matches, MediatorRecordOf, Mediators, NextMatchId, Pallet, ResourceOfferRecordOf,
	ResourceOffers, ResourceProviderRecordOf, ResourceProviders,
};
use alloc::vec::Vec;
use frame::prelude::*;
use modicum_primitives::{
	feasibility, match_deposit, match_value, Balance, JobOfferId, JobSide, MediatorProfile,
	MediatorSide, Moment, Overflow, Parameters, ResourceOfferId, ResourceSide, Rule, Triple,
};

/// The two offers of a triple with their owners' records.
pub(crate) struct Pair<T: Config> {
	pub job: JobOfferRecordOf<T>,
	pub creator: JobCreatorRecordOf<T>,
	pub resource: ResourceOfferRecordOf<T>,
	pub provider: ResourceProviderRecordOf<T>,
	pub directory: Option<DirectoryRecordOf<T>>,
}

impl<T: Config> Pair<T> {
	/// Reads all five records.
	pub fn load(
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
	) -> Result<Self, DispatchError> {
		let job = JobOffers::<T>::get(job_offer).ok_or(Error::<T>::JobOfferNotFound)?;
		let resource =
			ResourceOffers::<T>::get(resource_offer).ok_or(Error::<T>::ResourceOfferNotFound)?;
		// Owners of offers are registered: leaving is refused while an offer is there.
		let creator = JobCreators::<T>::get(&job.creator).ok_or(Error::<T>::NotJobCreator)?;
		let provider = ResourceProviders::<T>::get(&resource.provider)
			.ok_or(Error::<T>::NotResourceProvider)?;
		let directory = Directories::<T>::get(&job.terms.directory);
		Ok(Self { job, creator, resource, provider, directory })
	}

	/// All rules that this pair breaks with this mediator.
	pub fn broken_rules(
		&self,
		mediator: &T::AccountId,
		profile: Option<&MediatorRecordOf<T>>,
		parameters: &Parameters,
		now: Moment,
	) -> Vec<Rule> {
		let triple = Triple {
			job: JobSide {
				creator: &self.job.creator,
				terms: &self.job.terms,
				open: self.job.state == OfferState::Open,
				held: self.job.held,
				trusted_mediators: &self.creator.trusted_mediators,
			},
			resource: ResourceSide {
				provider: &self.resource.provider,
				terms: &self.resource.terms,
				open: self.resource.state == OfferState::Open,
				held: self.resource.held,
				architecture: self.provider.architecture,
				time_per_billion_instructions: self.provider.time_per_billion_instructions,
				trusted_mediators: &self.provider.trusted_mediators,
				trusted_directories: &self.provider.trusted_directories,
				base_layers: &self.provider.base_layers,
			},
			mediator: MediatorSide {
				mediator,
				profile: profile.map(|record| MediatorProfile {
					architecture: record.architecture,
					availability_fee: record.availability_fee,
					trusted_directories: &record.trusted_directories,
					base_layers: &record.base_layers,
				}),
			},
			directory_fee: self.directory.as_ref().map(|record| record.availability_fee),
		};
		feasibility(&triple, parameters, now)
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_match(
		solver: T::AccountId,
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
		mediator: T::AccountId,
	) -> DispatchResult {
		let pair = Pair::<T>::load(job_offer, resource_offer)?;
		let profile = Mediators::<T>::get(&mediator);
		let parameters = CurrentParameters::<T>::get();
		let broken = pair.broken_rules(&mediator, profile.as_ref(), &parameters, Self::now());
		if let Some(rule) = broken.first() {
			return Err(Error::<T>::from(*rule).into());
		}
		let mediator_fee = profile.ok_or(Error::<T>::MediatorNotRegistered)?.availability_fee;
		let record = Self::new_match(
			&pair,
			(job_offer, resource_offer),
			mediator,
			mediator_fee,
			parameters,
		)?;
		let deposit = match_deposit(
			record.value,
			record.mediator_fee,
			record.directory_fee,
			&record.parameters,
		)
		.map_err(|Overflow| Error::<T>::AmountTooLarge)?;

		let match_id = Self::next_id::<NextMatchId<T>>()?;
		Self::commit::<MediatorRecordOf<T>>(&record.mediator)?;
		Self::commit::<DirectoryRecordOf<T>>(&record.directory)?;
		let Pair { mut job, mut resource, .. } = pair;
		Self::clear_deadline(job.terms.completion_deadline, Due::JobOffer(job_offer));
		if let Some(end) = resource.terms.expires_at {
			Self::clear_deadline(end, Due::ResourceOffer(resource_offer));
		}
		Self::set_deadline(record.completion_deadline, Due::Match(match_id));

		let incentives = job.terms.match_incentive.saturating_add(resource.terms.match_incentive);
		Self::pay(HoldReason::JobOffer, &job.creator, &solver, job.terms.match_incentive);
		Self::pay(
			HoldReason::ResourceOffer,
			&resource.provider,
			&solver,
			resource.terms.match_incentive,
		);
		job.held = Self::trim(
			HoldReason::JobOffer,
			&job.creator,
			job.held.saturating_sub(job.terms.match_incentive),
			deposit.saturating_add(job.extra_deposit),
		);
		resource.held = Self::trim(
			HoldReason::ResourceOffer,
			&resource.provider,
			resource.held.saturating_sub(resource.terms.match_incentive),
			deposit.saturating_add(resource.extra_deposit),
		);
		job.state = OfferState::Matched(match_id);
		resource.state = OfferState::Matched(match_id);
		Self::deposit_event(Event::Matched {
			match_id,
			job_offer,
			resource_offer,
			creator: record.creator.clone(),
			provider: record.provider.clone(),
			mediator: record.mediator.clone(),
			directory: record.directory.clone(),
			solver,
			value: record.value,
			creator_held: job.held,
			provider_held: resource.held,
			incentives,
			completion_deadline: record.completion_deadline,
		});
		JobOffers::<T>::insert(job_offer, job);
		ResourceOffers::<T>::insert(resource_offer, resource);
		Matches::<T>::insert(match_id, record);
		Ok(())
	}

	/// The record of a feasible match, which takes a copy of everything that rules it.
	fn new_match(
		pair: &Pair<T>,
		(job_offer, resource_offer): (JobOfferId, ResourceOfferId),
		mediator: T::AccountId,
		mediator_fee: Balance,
		parameters: Parameters,
	) -> Result<MatchRecordOf<T>, DispatchError> {
		let Pair { job, resource, directory, .. } = pair;
		let directory = directory.as_ref().ok_or(Error::<T>::DirectoryNotRegistered)?;
		Ok(MatchRecord {
			job_offer,
			resource_offer,
			creator: job.creator.clone(),
			provider: resource.provider.clone(),
			mediator,
			directory: job.terms.directory.clone(),
			value: match_value(&job.terms.limits, resource.terms.prices)
				.map_err(|Overflow| Error::<T>::AmountTooLarge)?,
			prices: resource.terms.prices,
			limits: job.terms.limits,
			meter: job.terms.meter,
			mediator_fee,
			directory_fee: directory.availability_fee,
			completion_deadline: job.terms.completion_deadline,
			parameters,
			phase: Phase::Running,
		})
	}
}

impl<T> From<Rule> for Error<T> {
	fn from(rule: Rule) -> Self {
		match rule {
			Rule::NotEnoughInstructions => Self::NotEnoughInstructions,
			Rule::NotEnoughRam => Self::NotEnoughRam,
			Rule::NotEnoughStorage => Self::NotEnoughStorage,
			Rule::NotEnoughBandwidth => Self::NotEnoughBandwidth,
			Rule::InstructionPriceTooHigh => Self::InstructionPriceTooHigh,
			Rule::BandwidthPriceTooHigh => Self::BandwidthPriceTooHigh,
			Rule::ArchitectureMismatch => Self::ArchitectureMismatch,
			Rule::DirectoryNotTrustedByProvider => Self::DirectoryNotTrustedByProvider,
			Rule::MediatorNotTrustedByCreator => Self::MediatorNotTrustedByCreator,
			Rule::MediatorNotTrustedByProvider => Self::MediatorNotTrustedByProvider,
			Rule::MediatorArchitectureMismatch => Self::MediatorArchitectureMismatch,
			Rule::DirectoryNotTrustedByMediator => Self::DirectoryNotTrustedByMediator,
			Rule::TooSlowForDeadline => Self::TooSlowForDeadline,
			Rule::BaseLayerNotSupportedByProvider => Self::BaseLayerNotSupportedByProvider,
			Rule::BaseLayerNotSupportedByMediator => Self::BaseLayerNotSupportedByMediator,
			Rule::FeesAboveCreatorMaximum => Self::FeesAboveCreatorMaximum,
			Rule::FeesAboveProviderMaximum => Self::FeesAboveProviderMaximum,
			Rule::MeterMismatch => Self::MeterMismatch,
			Rule::CreatorIsProvider => Self::CreatorIsProvider,
			Rule::MediatorIsCreator => Self::MediatorIsCreator,
			Rule::MediatorIsProvider => Self::MediatorIsProvider,
			Rule::JobOfferNotOpen => Self::JobOfferNotOpen,
			Rule::JobOfferExpired => Self::JobOfferExpired,
			Rule::ResourceOfferNotOpen => Self::ResourceOfferNotOpen,
			Rule::ResourceOfferExpired => Self::ResourceOfferExpired,
			Rule::DirectoryNotRegistered => Self::DirectoryNotRegistered,
			Rule::MediatorNotRegistered => Self::MediatorNotRegistered,
			Rule::CreatorDepositTooSmall => Self::CreatorDepositTooSmall,
			Rule::ProviderDepositTooSmall => Self::ProviderDepositTooSmall,
			Rule::CreatorIncentiveTooSmall => Self::CreatorIncentiveTooSmall,
			Rule::ProviderIncentiveTooSmall => Self::ProviderIncentiveTooSmall,
		}
	}
}
