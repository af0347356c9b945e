// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The pallet's events.

use frame::pallet_section;

/// Imported into the pallet's module.
#[pallet_section]
mod events {
	/// What happened: enough to rebuild the market's whole history from events alone.
	// Fields bear the names of the README's terms; explaining each again would only hide those that need it.
	#[allow(missing_docs)]
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// θ was set.
		PenaltyRateSet { penalty_rate: u32 },
		/// n was set.
		VerificationCountSet { verification_count: u32 },
		/// The time to react was set, in milliseconds.
		ReactionDeadlineSet { reaction_deadline: Moment },
		/// The time to mediate was set, in milliseconds.
		MediationDeadlineSet { mediation_deadline: Moment },
		/// The least match incentive was set.
		MinMatchIncentiveSet { min_match_incentive: Balance },
		/// A meter's tolerance was set, in parts per million.
		CostToleranceSet { meter: Meter, parts_per_million: u32 },
		/// The grace before automatic closing was set, in milliseconds.
		AutoCloseGraceSet { auto_close_grace: Moment },

		/// An account became a job creator.
		JobCreatorRegistered { creator: T::AccountId },
		/// An account is no longer a job creator.
		JobCreatorDeregistered { creator: T::AccountId },
		/// A job creator trusts a mediator.
		JobCreatorAddedTrustedMediator { creator: T::AccountId, mediator: T::AccountId },
		/// A job creator no longer trusts a mediator.
		JobCreatorRemovedTrustedMediator { creator: T::AccountId, mediator: T::AccountId },
		/// An account became a resource provider.
		ResourceProviderRegistered {
			provider: T::AccountId,
			architecture: Architecture,
			time_per_billion_instructions: Moment,
		},
		/// An account is no longer a resource provider.
		ResourceProviderDeregistered { provider: T::AccountId },
		/// A resource provider trusts a mediator.
		ResourceProviderAddedTrustedMediator { provider: T::AccountId, mediator: T::AccountId },
		/// A resource provider no longer trusts a mediator.
		ResourceProviderRemovedTrustedMediator { provider: T::AccountId, mediator: T::AccountId },
		/// A resource provider trusts a directory.
		ResourceProviderAddedTrustedDirectory { provider: T::AccountId, directory: T::AccountId },
		/// A resource provider no longer trusts a directory.
		ResourceProviderRemovedTrustedDirectory { provider: T::AccountId, directory: T::AccountId },
		/// A resource provider supports a base layer.
		ResourceProviderAddedSupportedBaseLayer { provider: T::AccountId, base_layer: BaseLayer },
		/// A resource provider no longer supports a base layer.
		ResourceProviderRemovedSupportedBaseLayer { provider: T::AccountId, base_layer: BaseLayer },
		/// An account became a mediator.
		MediatorRegistered {
			mediator: T::AccountId,
			architecture: Architecture,
			availability_fee: Balance,
		},
		/// An account is no longer a mediator.
		MediatorDeregistered { mediator: T::AccountId },
		/// A mediator trusts a directory.
		MediatorAddedTrustedDirectory { mediator: T::AccountId, directory: T::AccountId },
		/// A mediator no longer trusts a directory.
		MediatorRemovedTrustedDirectory { mediator: T::AccountId, directory: T::AccountId },
		/// A mediator supports a base layer.
		MediatorAddedSupportedBaseLayer { mediator: T::AccountId, base_layer: BaseLayer },
		/// A mediator no longer supports a base layer.
		MediatorRemovedSupportedBaseLayer { mediator: T::AccountId, base_layer: BaseLayer },
		/// An account became a directory.
		DirectoryRegistered {
			directory: T::AccountId,
			endpoint: EndpointOf<T>,
			availability_fee: Balance,
		},
		/// An account is no longer a directory.
		DirectoryDeregistered { directory: T::AccountId },

		/// A job offer is open; `held` is on hold for it.
		JobOfferPosted {
			job_offer: JobOfferId,
			creator: T::AccountId,
			terms: JobTermsOf<T>,
			uri: UriOf<T>,
			held: Balance,
		},
		/// Its owner took a job offer back; `returned` is free again.
		JobOfferCanceled { job_offer: JobOfferId, creator: T::AccountId, returned: Balance },
		/// The chain took an expired job offer back; `returned` is free again.
		JobOfferExpired { job_offer: JobOfferId, creator: T::AccountId, returned: Balance },
		/// A resource offer is open; `held` is on hold for it.
		ResourceOfferPosted {
			resource_offer: ResourceOfferId,
			provider: T::AccountId,
			terms: ResourceTerms,
			held: Balance,
		},
		/// Its owner took a resource offer back; `returned` is free again.
		ResourceOfferCanceled {
			resource_offer: ResourceOfferId,
			provider: T::AccountId,
			returned: Balance,
		},
		/// The chain took an expired resource offer back; `returned` is free again.
		ResourceOfferExpired {
			resource_offer: ResourceOfferId,
			provider: T::AccountId,
			returned: Balance,
		},

		/// Two offers are matched. The provider has until `completion_deadline` to post a result.
		Matched {
			match_id: MatchId,
			job_offer: JobOfferId,
			resource_offer: ResourceOfferId,
			creator: T::AccountId,
			provider: T::AccountId,
			mediator: T::AccountId,
			directory: T::AccountId,
			solver: T::AccountId,
			/// v.
			value: Balance,
			/// What stays on hold of the creator's deposit.
			creator_held: Balance,
			/// What stays on hold of the provider's deposit.
			provider_held: Balance,
			/// What the solver was paid by both sides together.
			incentives: Balance,
			completion_deadline: Moment,
		},
		/// The provider posted a result, which can be rejected until `reaction_deadline`.
		ResultPosted {
			match_id: MatchId,
			provider: T::AccountId,
			result: Run,
			uri: UriOf<T>,
			reaction_deadline: Moment,
		},
		/// A result was accepted or rejected; by the chain itself if by nobody.
		ResultReaction { match_id: MatchId, by: Option<T::AccountId>, reaction: Reaction },
		/// A mediator is to look at a rejected result until `mediation_deadline`.
		JobAssignedForMediation {
			match_id: MatchId,
			mediator: T::AccountId,
			mediation_deadline: Moment,
		},
		/// A mediator posted its evidence, and the chain derived a verdict from it.
		MediationResultPosted {
			match_id: MatchId,
			mediator: T::AccountId,
			evidence: Evidence,
			verdict: Verdict,
			faulty_party: FaultyParty,
		},
		/// A match has ended. `settlement` says where both holds went, to the last unit.
		MatchClosed {
			match_id: MatchId,
			job_offer: JobOfferId,
			resource_offer: ResourceOfferId,
			creator: T::AccountId,
			provider: T::AccountId,
			mediator: T::AccountId,
			directory: T::AccountId,
			ending: Ending,
			settlement: Settlement,
		},
		/// `payee` could not receive a payment, which went to `recipient` instead.
		PaymentRedirected { payee: T::AccountId, recipient: T::AccountId, amount: Balance },
		/// Neither `payee` nor any other account could receive a payment, which was burnt.
		PaymentBurnt { payee: T::AccountId, amount: Balance },
	}
}
