// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The pallet's errors: each says what is wrong and, where somebody can do something about it, what.

use frame::pallet_section;

/// Imported into the pallet's module.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// The account already has this role. Deregister first to change what was declared.
		AlreadyRegistered,
		/// The account is not a job creator. Call `register_job_creator` first.
		NotJobCreator,
		/// The account is not a resource provider. Call `register_resource_provider` first.
		NotResourceProvider,
		/// The account is not a mediator. Call `register_mediator` first.
		NotMediator,
		/// The account is not a directory. Call `register_directory` first.
		NotDirectory,
		/// Offers or matches still need the account in this role. Cancel the offers, wait for the matches.
		HasCommitments,
		/// No machine takes no time. Declare at least 1 millisecond per 10^9 instructions.
		ZeroInstructionTime,
		/// A directory without an endpoint cannot be reached. Give one.
		EndpointEmpty,
		/// The endpoint is longer than `MaxEndpointLen`. Shorten it.
		EndpointTooLong,
		/// The list already has this entry.
		AlreadyListed,
		/// The list does not have this entry.
		NotListed,
		/// The list is at its bound. Remove an entry first.
		ListFull,

		/// A job, or the output of a completed one, lies somewhere. Give its URI.
		UriEmpty,
		/// The URI is longer than `MaxUriLen`. Shorten it.
		UriTooLong,
		/// A limit or cap is zero, so that no job can run. Set all four.
		ZeroResource,
		/// Both prices are zero, so that nothing would be at stake. Set at least one.
		ZeroPrices,
		/// The match incentive is below the least one in force. Raise it.
		IncentiveTooSmall,
		/// The completion deadline is not in the future. Choose a later one.
		DeadlineInPast,
		/// The completion deadline is more than `MaxJobDuration` ahead. Choose an earlier one.
		DeadlineTooFar,
		/// The expiry is not in the future. Choose a later one, or none.
		ExpiryInPast,
		/// The deposit does not fit into a balance. Lower limits, prices, fees or the extra deposit.
		AmountTooLarge,
		/// There is no such job offer, or no more.
		JobOfferNotFound,
		/// There is no such resource offer, or no more.
		ResourceOfferNotFound,
		/// The offer is somebody else's.
		NotOfferOwner,
		/// The offer is matched and can no longer be cancelled.
		OfferAlreadyMatched,

		/// Rule 1. The resource offer's instruction cap is below the job's limit.
		NotEnoughInstructions,
		/// Rule 2. The resource offer's memory cap is below the job's limit.
		NotEnoughRam,
		/// Rule 3. The resource offer's disk cap is below the job's limit.
		NotEnoughStorage,
		/// Rule 4. The resource offer's bandwidth cap is below the job's limit.
		NotEnoughBandwidth,
		/// Rule 5. The provider asks more per 10^9 instructions than the creator pays.
		InstructionPriceTooHigh,
		/// Rule 6. The provider asks more per 10^9 bytes than the creator pays.
		BandwidthPriceTooHigh,
		/// Rule 7. The provider's machine is of another architecture than the job.
		ArchitectureMismatch,
		/// Rule 8. The job's directory is not on the provider's list.
		DirectoryNotTrustedByProvider,
		/// Rule 9. The mediator is not on the creator's list.
		MediatorNotTrustedByCreator,
		/// Rule 9. The mediator is not on the provider's list.
		MediatorNotTrustedByProvider,
		/// Rule 10. The mediator's machine is of another architecture than the provider's.
		MediatorArchitectureMismatch,
		/// Rule 11. The job's directory is not on the mediator's list.
		DirectoryNotTrustedByMediator,
		/// Rule 12. At its declared speed the provider cannot meet the completion deadline.
		TooSlowForDeadline,
		/// Rule 13. The provider does not have the job's base layer.
		BaseLayerNotSupportedByProvider,
		/// Rule 13. The mediator does not have the job's base layer.
		BaseLayerNotSupportedByMediator,
		/// Rule 14. Mediator and directory charge more than the creator pays.
		FeesAboveCreatorMaximum,
		/// Rule 14. Mediator and directory charge more than the provider pays.
		FeesAboveProviderMaximum,
		/// Rule 15. The two offers count instructions differently.
		MeterMismatch,
		/// Rule 16. Creator and provider are the same account.
		CreatorIsProvider,
		/// Rule 16. The mediator is the creator.
		MediatorIsCreator,
		/// Rule 16. The mediator is the provider.
		MediatorIsProvider,
		/// Rule 17. The job offer is already matched: another solver was faster.
		JobOfferNotOpen,
		/// Rule 17. The job's completion deadline has passed.
		JobOfferExpired,
		/// Rule 17. The resource offer is already matched: another solver was faster.
		ResourceOfferNotOpen,
		/// Rule 17. The resource offer has expired.
		ResourceOfferExpired,
		/// Rule 17. The job's directory is not registered.
		DirectoryNotRegistered,
		/// Rule 17. The mediator is not registered.
		MediatorNotRegistered,
		/// Rule 18. The creator's hold does not cover the match: its owner has to post anew.
		CreatorDepositTooSmall,
		/// Rule 18. The provider's hold does not cover the match: its owner has to post anew.
		ProviderDepositTooSmall,
		/// Rule 18. The creator's incentive is below the least one: its owner has to post anew.
		CreatorIncentiveTooSmall,
		/// Rule 18. The provider's incentive is below the least one: its owner has to post anew.
		ProviderIncentiveTooSmall,

		/// There is no such match, or no more: it may have been closed already.
		MatchNotFound,
		/// Only the match's job creator may do this.
		NotCreator,
		/// Only the match's resource provider may do this.
		NotProvider,
		/// Only the match's mediator may do this.
		NotMediatorOfMatch,
		/// Only the match's job creator and resource provider may do this.
		NotParty,
		/// The match already has a result.
		NotRunning,
		/// The match has no result yet, or its result is already rejected.
		NotAwaitingReaction,
		/// The match's result is not in dispute.
		NotMediating,
		/// The completion deadline has passed: too late for a result.
		CompletionDeadlinePassed,
		/// The provider still has time. Wait until the completion deadline has passed.
		CompletionDeadlineNotPassed,
		/// The reaction deadline has passed: too late to reject. Accept instead.
		ReactionDeadlinePassed,
		/// The creator still has time. Wait until the reaction deadline has passed.
		ReactionDeadlineNotPassed,
		/// The mediation deadline has passed: too late for evidence.
		MediationDeadlinePassed,
		/// The mediator still has time. Wait until the mediation deadline has passed.
		MediationDeadlineNotPassed,
		/// The usage is above the job's limits. Stop at a limit and report no more than it.
		UsageAboveLimits,
		/// A run of this status has executed nothing: report zero instructions.
		InstructionsWithoutRun,
		/// A completed run has an output: give its hash.
		ResultHashMissing,
		/// Only a completed run has an output: give a hash of zeros.
		ResultHashUnexpected,
		/// Evidence has as many runs as the match's verification count.
		WrongNumberOfRuns,
		/// The provider claims no output, so that none can be missing. Post runs instead.
		NoResultToMiss,
		/// No deadline with its grace has passed.
		NothingOverdue,

		/// The penalty rate must be 1 to `MAX_PENALTY_RATE`.
		PenaltyRateOutOfBounds,
		/// The verification count must be 2, so that runs can be compared, to `MAX_VERIFICATION_COUNT`.
		VerificationCountOutOfBounds,
		/// The reaction deadline must be 1 ms to `MAX_PERIOD`.
		ReactionDeadlineOutOfBounds,
		/// The mediation deadline must be 1 ms to `MAX_PERIOD`.
		MediationDeadlineOutOfBounds,
		/// A cost tolerance must be at most `MAX_COST_TOLERANCE`.
		CostToleranceOutOfBounds,
		/// The grace must be at most `MAX_GRACE`.
		AutoCloseGraceOutOfBounds,
	}
}
