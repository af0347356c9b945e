// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! May these two offers and this mediator be matched? Every rule of docs/protocol.md §4, and one name for each
//! way of breaking it.

use crate::{
	match_deposit, match_value, text::names, Architecture, Balance, BaseLayer, JobTerms, Moment,
	Parameters, ResourceTerms, BILLION,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A broken rule. Several may belong to one numbered rule of docs/protocol.md §4 (see [`Rule::number`]): each
/// names one cause and so one remedy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
	/// 1. The resource offer's instruction cap is below the job's limit.
	#[codec(index = 0)]
	NotEnoughInstructions,
	/// 2. The resource offer's memory cap is below the job's limit.
	#[codec(index = 1)]
	NotEnoughRam,
	/// 3. The resource offer's disk cap is below the job's limit.
	#[codec(index = 2)]
	NotEnoughStorage,
	/// 4. The resource offer's bandwidth cap is below the job's limit.
	#[codec(index = 3)]
	NotEnoughBandwidth,
	/// 5. The provider asks more for instructions than the creator pays.
	#[codec(index = 4)]
	InstructionPriceTooHigh,
	/// 6. The provider asks more for bandwidth than the creator pays.
	#[codec(index = 5)]
	BandwidthPriceTooHigh,
	/// 7. The provider's machine is of another architecture than the job.
	#[codec(index = 6)]
	ArchitectureMismatch,
	/// 8. The job's directory is not on the provider's list.
	#[codec(index = 7)]
	DirectoryNotTrustedByProvider,
	/// 9. The mediator is not on the creator's list.
	#[codec(index = 8)]
	MediatorNotTrustedByCreator,
	/// 9. The mediator is not on the provider's list.
	#[codec(index = 9)]
	MediatorNotTrustedByProvider,
	/// 10. The mediator's machine is of another architecture than the provider's.
	#[codec(index = 10)]
	MediatorArchitectureMismatch,
	/// 11. The job's directory is not on the mediator's list.
	#[codec(index = 11)]
	DirectoryNotTrustedByMediator,
	/// 12. The provider's machine could not finish the job before its completion deadline.
	#[codec(index = 12)]
	TooSlowForDeadline,
	/// 13. The provider does not have the job's base layer.
	#[codec(index = 13)]
	BaseLayerNotSupportedByProvider,
	/// 13. The mediator does not have the job's base layer.
	#[codec(index = 14)]
	BaseLayerNotSupportedByMediator,
	/// 14. Mediator and directory together cost more than the creator pays.
	#[codec(index = 15)]
	FeesAboveCreatorMaximum,
	/// 14. Mediator and directory together cost more than the provider pays.
	#[codec(index = 16)]
	FeesAboveProviderMaximum,
	/// 15. The two offers count instructions differently.
	#[codec(index = 17)]
	MeterMismatch,
	/// 16. Creator and provider are the same account.
	#[codec(index = 18)]
	CreatorIsProvider,
	/// 16. The mediator is the creator.
	#[codec(index = 19)]
	MediatorIsCreator,
	/// 16. The mediator is the provider.
	#[codec(index = 20)]
	MediatorIsProvider,
	/// 17. The job offer is already matched.
	#[codec(index = 21)]
	JobOfferNotOpen,
	/// 17. The job's completion deadline has passed. Rule 12 is not judged then.
	#[codec(index = 22)]
	JobOfferExpired,
	/// 17. The resource offer is already matched.
	#[codec(index = 23)]
	ResourceOfferNotOpen,
	/// 17. The resource offer's expiry has passed.
	#[codec(index = 24)]
	ResourceOfferExpired,
	/// 17. The job's directory is not registered (any more).
	#[codec(index = 25)]
	DirectoryNotRegistered,
	/// 17. The mediator is not registered (any more).
	#[codec(index = 26)]
	MediatorNotRegistered,
	/// 18. The creator's hold does not cover the match under the parameters now in force.
	#[codec(index = 27)]
	CreatorDepositTooSmall,
	/// 18. The provider's hold does not cover the match under the parameters now in force.
	#[codec(index = 28)]
	ProviderDepositTooSmall,
	/// 18. The creator's incentive is below the least one now in force.
	#[codec(index = 29)]
	CreatorIncentiveTooSmall,
	/// 18. The provider's incentive is below the least one now in force.
	#[codec(index = 30)]
	ProviderIncentiveTooSmall,
}
names!(Rule, "rule", {
	NotEnoughInstructions => "not-enough-instructions",
	NotEnoughRam => "not-enough-ram",
	NotEnoughStorage => "not-enough-storage",
	NotEnoughBandwidth => "not-enough-bandwidth",
	InstructionPriceTooHigh => "instruction-price-too-high",
	BandwidthPriceTooHigh => "bandwidth-price-too-high",
	ArchitectureMismatch => "architecture-mismatch",
	DirectoryNotTrustedByProvider => "directory-not-trusted-by-provider",
	MediatorNotTrustedByCreator => "mediator-not-trusted-by-creator",
	MediatorNotTrustedByProvider => "mediator-not-trusted-by-provider",
	MediatorArchitectureMismatch => "mediator-architecture-mismatch",
	DirectoryNotTrustedByMediator => "directory-not-trusted-by-mediator",
	TooSlowForDeadline => "too-slow-for-deadline",
	BaseLayerNotSupportedByProvider => "base-layer-not-supported-by-provider",
	BaseLayerNotSupportedByMediator => "base-layer-not-supported-by-mediator",
	FeesAboveCreatorMaximum => "fees-above-creator-maximum",
	FeesAboveProviderMaximum => "fees-above-provider-maximum",
	MeterMismatch => "meter-mismatch",
	CreatorIsProvider => "creator-is-provider",
	MediatorIsCreator => "mediator-is-creator",
	MediatorIsProvider => "mediator-is-provider",
	JobOfferNotOpen => "job-offer-not-open",
	JobOfferExpired => "job-offer-expired",
	ResourceOfferNotOpen => "resource-offer-not-open",
	ResourceOfferExpired => "resource-offer-expired",
	DirectoryNotRegistered => "directory-not-registered",
	MediatorNotRegistered => "mediator-not-registered",
	CreatorDepositTooSmall => "creator-deposit-too-small",
	ProviderDepositTooSmall => "provider-deposit-too-small",
	CreatorIncentiveTooSmall => "creator-incentive-too-small",
	ProviderIncentiveTooSmall => "provider-incentive-too-small",
});

impl Rule {
	/// The number of the rule in docs/protocol.md §4.
	pub const fn number(self) -> u8 {
		match self {
			Self::NotEnoughInstructions => 1,
			Self::NotEnoughRam => 2,
			Self::NotEnoughStorage => 3,
			Self::NotEnoughBandwidth => 4,
			Self::InstructionPriceTooHigh => 5,
			Self::BandwidthPriceTooHigh => 6,
			Self::ArchitectureMismatch => 7,
			Self::DirectoryNotTrustedByProvider => 8,
			Self::MediatorNotTrustedByCreator | Self::MediatorNotTrustedByProvider => 9,
			Self::MediatorArchitectureMismatch => 10,
			Self::DirectoryNotTrustedByMediator => 11,
			Self::TooSlowForDeadline => 12,
			Self::BaseLayerNotSupportedByProvider | Self::BaseLayerNotSupportedByMediator => 13,
			Self::FeesAboveCreatorMaximum | Self::FeesAboveProviderMaximum => 14,
			Self::MeterMismatch => 15,
			Self::CreatorIsProvider | Self::MediatorIsCreator | Self::MediatorIsProvider => 16,
			Self::JobOfferNotOpen
			| Self::JobOfferExpired
			| Self::ResourceOfferNotOpen
			| Self::ResourceOfferExpired
			| Self::DirectoryNotRegistered
			| Self::MediatorNotRegistered => 17,
			Self::CreatorDepositTooSmall
			| Self::ProviderDepositTooSmall
			| Self::CreatorIncentiveTooSmall
			| Self::ProviderIncentiveTooSmall => 18,
		}
	}

	/// What is wrong and who can change it, as a sentence for people.
	pub const fn explanation(self) -> &'static str {
		match self {
			Self::NotEnoughInstructions => "the provider offers fewer instructions than the job's limit",
			Self::NotEnoughRam => "the provider offers less memory than the job's limit",
			Self::NotEnoughStorage => "the provider offers less disk than the job's limit",
			Self::NotEnoughBandwidth => "the provider offers less bandwidth than the job's limit",
			Self::InstructionPriceTooHigh =>
				"the provider asks more per 10^9 instructions than the creator's maximum",
			Self::BandwidthPriceTooHigh =>
				"the provider asks more per 10^9 bytes than the creator's maximum",
			Self::ArchitectureMismatch =>
				"the job is built for another architecture than the provider's machine",
			Self::DirectoryNotTrustedByProvider =>
				"the job's directory is not among the provider's trusted directories",
			Self::MediatorNotTrustedByCreator =>
				"the mediator is not among the creator's trusted mediators",
			Self::MediatorNotTrustedByProvider =>
				"the mediator is not among the provider's trusted mediators",
			Self::MediatorArchitectureMismatch =>
				"the mediator's machine has another architecture than the provider's",
			Self::DirectoryNotTrustedByMediator =>
				"the job's directory is not among the mediator's trusted directories",
			Self::TooSlowForDeadline =>
				"at its declared speed the provider cannot finish before the completion deadline",
			Self::BaseLayerNotSupportedByProvider =>
				"the provider does not support the job's base layer",
			Self::BaseLayerNotSupportedByMediator =>
				"the mediator does not support the job's base layer",
			Self::FeesAboveCreatorMaximum =>
				"mediator and directory charge more than the creator's maximum availability fee",
			Self::FeesAboveProviderMaximum =>
				"mediator and directory charge more than the provider's maximum availability fee",
			Self::MeterMismatch => "the two offers count instructions with different meters",
			Self::CreatorIsProvider => "creator and provider are the same account",
			Self::MediatorIsCreator => "the mediator is the creator of the job",
			Self::MediatorIsProvider => "the mediator is the provider of the resource",
			Self::JobOfferNotOpen => "the job offer is already matched",
			Self::JobOfferExpired => "the job's completion deadline has passed",
			Self::ResourceOfferNotOpen => "the resource offer is already matched",
			Self::ResourceOfferExpired => "the resource offer has expired",
			Self::DirectoryNotRegistered => "the job's directory is not registered",
			Self::MediatorNotRegistered => "the mediator is not registered",
			Self::CreatorDepositTooSmall =>
				"the creator's deposit does not cover the match at today's parameters: cancel and post again",
			Self::ProviderDepositTooSmall =>
				"the provider's deposit does not cover the match at today's parameters: cancel and post again",
			Self::CreatorIncentiveTooSmall =>
				"the creator's match incentive is below today's minimum: cancel and post again",
			Self::ProviderIncentiveTooSmall =>
				"the provider's match incentive is below today's minimum: cancel and post again",
		}
	}
}

/// The job creator's side of a triple.
#[derive(Clone, Copy, Debug)]
pub struct JobSide<'a, AccountId> {
	/// Who posted the offer.
	pub creator: &'a AccountId,
	/// The offer.
	pub terms: &'a JobTerms<AccountId>,
	/// Whether it is unmatched.
	pub open: bool,
	/// All that is held for it, an extra deposit included.
	pub held: Balance,
	/// Whom the creator trusts.
	pub trusted_mediators: &'a [AccountId],
}

/// The resource provider's side of a triple.
#[derive(Clone, Copy, Debug)]
pub struct ResourceSide<'a, AccountId> {
	/// Who posted the offer.
	pub provider: &'a AccountId,
	/// The offer.
	pub terms: &'a ResourceTerms,
	/// Whether it is unmatched.
	pub open: bool,
	/// All that is held for it, an extra deposit included.
	pub held: Balance,
	/// The provider's machine.
	pub architecture: Architecture,
	/// Milliseconds that the provider's machine takes for 10^9 instructions.
	pub time_per_billion_instructions: Moment,
	/// Whom the provider trusts to mediate.
	pub trusted_mediators: &'a [AccountId],
	/// Whom the provider trusts to store.
	pub trusted_directories: &'a [AccountId],
	/// What the provider has preinstalled.
	pub base_layers: &'a [BaseLayer],
}

/// What a registered mediator declares.
#[derive(Clone, Copy, Debug)]
pub struct MediatorProfile<'a, AccountId> {
	/// The mediator's machine.
	pub architecture: Architecture,
	/// a_M.
	pub availability_fee: Balance,
	/// Whom the mediator trusts to store.
	pub trusted_directories: &'a [AccountId],
	/// What the mediator has preinstalled.
	pub base_layers: &'a [BaseLayer],
}

/// The mediator of a triple.
#[derive(Clone, Copy, Debug)]
pub struct MediatorSide<'a, AccountId> {
	/// Who would mediate.
	pub mediator: &'a AccountId,
	/// `None` if the account is not registered as a mediator.
	pub profile: Option<MediatorProfile<'a, AccountId>>,
}

/// All that decides whether a match may be made.
#[derive(Clone, Copy, Debug)]
pub struct Triple<'a, AccountId> {
	/// The job offer and its owner.
	pub job: JobSide<'a, AccountId>,
	/// The resource offer and its owner.
	pub resource: ResourceSide<'a, AccountId>,
	/// The mediator proposed.
	pub mediator: MediatorSide<'a, AccountId>,
	/// a_D of the job's directory; `None` if it is not registered as a directory.
	pub directory_fee: Option<Balance>,
}

/// All rules of docs/protocol.md §4 that `triple` breaks at time `now`, in the order of their numbers. Empty:
/// the match is feasible.
///
/// What a mediator or directory that is not registered declares and charges cannot be judged: for rules 10, 11, 13
/// (the mediator's part), 14 and 18 (the deposits), [`Rule::MediatorNotRegistered`] or
/// [`Rule::DirectoryNotRegistered`] speaks then.
pub fn feasibility<AccountId: PartialEq>(
	triple: &Triple<'_, AccountId>,
	parameters: &Parameters,
	now: Moment,
) -> Vec<Rule> {
	let mut broken = Vec::new();
	let mut require = |holds: bool, rule: Rule| {
		if !holds {
			broken.push(rule);
		}
	};
	capacity_rules(triple, now, &mut require);
	trust_rules(triple, &mut require);
	state_rules(triple, now, &mut require);
	money_rules(triple, parameters, &mut require);
	broken.sort_unstable();
	broken
}

/// Rules 1 to 7, 10, 12, 13 and 15: can the machines do it?
fn capacity_rules<AccountId>(
	triple: &Triple<'_, AccountId>,
	now: Moment,
	require: &mut impl FnMut(bool, Rule),
) {
	let (job, resource) = (triple.job.terms, &triple.resource);
	let (limits, caps) = (&job.limits, &resource.terms.caps);
	require(caps.instructions >= limits.instructions, Rule::NotEnoughInstructions);
	require(caps.ram >= limits.ram, Rule::NotEnoughRam);
	require(caps.storage >= limits.storage, Rule::NotEnoughStorage);
	require(caps.bandwidth >= limits.bandwidth, Rule::NotEnoughBandwidth);
	require(job.architecture == resource.architecture, Rule::ArchitectureMismatch);
	require(job.meter == resource.terms.meter, Rule::MeterMismatch);
	require(resource.base_layers.contains(&job.base_layer), Rule::BaseLayerNotSupportedByProvider);

	// Two factors of 64 bits and a sum with a third number cannot overflow 128 bits after the division.
	let run_time = (u128::from(resource.time_per_billion_instructions)
		* u128::from(limits.instructions))
	.div_ceil(BILLION);
	let earliest_end = u128::from(now) + run_time;
	// Of a deadline that has passed, rule 17 says all there is to say: no provider would be faster.
	let expired = now > job.completion_deadline;
	require(
		expired || earliest_end <= u128::from(job.completion_deadline),
		Rule::TooSlowForDeadline,
	);

	if let Some(profile) = &triple.mediator.profile {
		require(profile.architecture == resource.architecture, Rule::MediatorArchitectureMismatch);
		require(
			profile.base_layers.contains(&job.base_layer),
			Rule::BaseLayerNotSupportedByMediator,
		);
	}
}

/// Rules 8, 9, 11 and 16: does everybody trust whom it must, and is the mediator a third party?
fn trust_rules<AccountId: PartialEq>(
	triple: &Triple<'_, AccountId>,
	require: &mut impl FnMut(bool, Rule),
) {
	let Triple { job, resource, mediator, .. } = triple;
	let directory = &job.terms.directory;
	require(resource.trusted_directories.contains(directory), Rule::DirectoryNotTrustedByProvider);
	require(job.trusted_mediators.contains(mediator.mediator), Rule::MediatorNotTrustedByCreator);
	require(
		resource.trusted_mediators.contains(mediator.mediator),
		Rule::MediatorNotTrustedByProvider,
	);
	if let Some(profile) = &mediator.profile {
		require(
			profile.trusted_directories.contains(directory),
			Rule::DirectoryNotTrustedByMediator,
		);
	}
	require(job.creator != resource.provider, Rule::CreatorIsProvider);
	require(mediator.mediator != job.creator, Rule::MediatorIsCreator);
	require(mediator.mediator != resource.provider, Rule::MediatorIsProvider);
}

/// Rule 17: is everything still there?
fn state_rules<AccountId>(
	triple: &Triple<'_, AccountId>,
	now: Moment,
	require: &mut impl FnMut(bool, Rule),
) {
	let Triple { job, resource, mediator, directory_fee } = triple;
	require(job.open, Rule::JobOfferNotOpen);
	require(now <= job.terms.completion_deadline, Rule::JobOfferExpired);
	require(resource.open, Rule::ResourceOfferNotOpen);
	require(resource.terms.expires_at.is_none_or(|end| now <= end), Rule::ResourceOfferExpired);
	require(directory_fee.is_some(), Rule::DirectoryNotRegistered);
	require(mediator.profile.is_some(), Rule::MediatorNotRegistered);
}

/// Rules 5, 6, 14 and 18: do the prices meet, and is there enough at stake?
fn money_rules<AccountId>(
	triple: &Triple<'_, AccountId>,
	parameters: &Parameters,
	require: &mut impl FnMut(bool, Rule),
) {
	let Triple { job, resource, mediator, directory_fee } = triple;
	let (bid, ask) = (&job.terms.max_prices, &resource.terms.prices);
	require(ask.instruction <= bid.instruction, Rule::InstructionPriceTooHigh);
	require(ask.bandwidth <= bid.bandwidth, Rule::BandwidthPriceTooHigh);

	let least = parameters.min_match_incentive;
	require(job.terms.match_incentive >= least, Rule::CreatorIncentiveTooSmall);
	require(resource.terms.match_incentive >= least, Rule::ProviderIncentiveTooSmall);

	let (Some(profile), Some(directory_fee)) = (&mediator.profile, *directory_fee) else { return };
	// Fees that overflow are above every maximum.
	let fees = profile.availability_fee.checked_add(directory_fee);
	let within = |maximum: Balance| fees.is_some_and(|fees| fees <= maximum);
	require(within(job.terms.max_availability_fee), Rule::FeesAboveCreatorMaximum);
	require(within(resource.terms.max_availability_fee), Rule::FeesAboveProviderMaximum);

	// A deposit that overflows is covered by nothing.
	let deposit = match_value(&job.terms.limits, *ask).and_then(|value| {
		match_deposit(value, profile.availability_fee, directory_fee, parameters)
	});
	let covered = |held: Balance, incentive: Balance| {
		deposit
			.ok()
			.and_then(|deposit| deposit.checked_add(incentive))
			.is_some_and(|needed| held >= needed)
	};
	require(covered(job.held, job.terms.match_incentive), Rule::CreatorDepositTooSmall);
	require(covered(resource.held, resource.terms.match_incentive), Rule::ProviderDepositTooSmall);
}
