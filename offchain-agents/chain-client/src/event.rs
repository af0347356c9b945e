// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What happens in the market (docs/protocol.md §12).

use crate::{
	convert::IntoDomain,
	runtime::runtime_types::pallet_modicum::{
		pallet::Event as RawEvent, types::Reaction as RawReaction,
	},
	AccountId, Error,
};
use modicum_primitives::{
	hexadecimal, Architecture, Balance, BaseLayer, Ending, Evidence, FaultyParty, JobOfferId,
	JobTerms, MatchId, Meter, Moment, RejectReason, ResourceOfferId, ResourceTerms, Run,
	Settlement, Verdict,
};
use serde::{Deserialize, Serialize};
use subxt::{ext::scale_decode::DecodeAsType, Metadata};

/// The market's pallet in the runtime.
const PALLET: &str = "Modicum";

/// What was done with a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reaction {
	/// It was accepted.
	Accepted,
	/// It was rejected, and why.
	Rejected(RejectReason),
}

impl IntoDomain<Reaction> for RawReaction {
	fn into_domain(self) -> Reaction {
		match self {
			Self::Accepted => Reaction::Accepted,
			Self::Rejected(reason) => Reaction::Rejected(reason.0),
		}
	}
}

/// Declares the events and how each comes from its namesake in the metadata: a name or a type that no longer
/// fits does not compile.
macro_rules! events {
	($($(#[$doc:meta])* $name:ident {
		$($(#[$meta:meta])* $field:ident: $type:ty),* $(,)?
	}),* $(,)?) => {
		/// An event of the market. Its fields have the names and units of the pallet's.
		#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
		#[serde(rename_all = "kebab-case", deny_unknown_fields)]
		#[allow(missing_docs, reason = "the fields' names are the terms of docs/glossary.md")]
		pub enum Event {
			$($(#[$doc])* $name { $($(#[$meta])* $field: $type),* }),*
		}

		impl Event {
			/// The event's name, as in the pallet.
			pub fn name(&self) -> &'static str {
				match self {
					$(Self::$name { .. } => stringify!($name)),*
				}
			}
		}

		impl From<RawEvent> for Event {
			fn from(raw: RawEvent) -> Self {
				match raw {
					$(RawEvent::$name { $($field),* } => {
						Self::$name { $($field: $field.into_domain()),* }
					}),*
				}
			}
		}
	};
}

events! {
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
	/// A meter's tolerance was set.
	CostToleranceSet { meter: Meter, parts_per_million: u32 },
	/// The grace before automatic closing was set, in milliseconds.
	AutoCloseGraceSet { auto_close_grace: Moment },
	/// An account became a job creator.
	JobCreatorRegistered { creator: AccountId },
	/// An account is no longer a job creator.
	JobCreatorDeregistered { creator: AccountId },
	/// A job creator trusts a mediator.
	JobCreatorAddedTrustedMediator { creator: AccountId, mediator: AccountId },
	/// A job creator no longer trusts a mediator.
	JobCreatorRemovedTrustedMediator { creator: AccountId, mediator: AccountId },
	/// An account became a resource provider.
	ResourceProviderRegistered {
		provider: AccountId,
		architecture: Architecture,
		time_per_billion_instructions: Moment,
	},
	/// An account is no longer a resource provider.
	ResourceProviderDeregistered { provider: AccountId },
	/// A resource provider trusts a mediator.
	ResourceProviderAddedTrustedMediator { provider: AccountId, mediator: AccountId },
	/// A resource provider no longer trusts a mediator.
	ResourceProviderRemovedTrustedMediator { provider: AccountId, mediator: AccountId },
	/// A resource provider trusts a directory.
	ResourceProviderAddedTrustedDirectory { provider: AccountId, directory: AccountId },
	/// A resource provider no longer trusts a directory.
	ResourceProviderRemovedTrustedDirectory { provider: AccountId, directory: AccountId },
	/// A resource provider supports a base layer.
	ResourceProviderAddedSupportedBaseLayer {
		provider: AccountId,
		#[serde(with = "hexadecimal")]
		base_layer: BaseLayer,
	},
	/// A resource provider no longer supports a base layer.
	ResourceProviderRemovedSupportedBaseLayer {
		provider: AccountId,
		#[serde(with = "hexadecimal")]
		base_layer: BaseLayer,
	},
	/// An account became a mediator.
	MediatorRegistered { mediator: AccountId, architecture: Architecture, availability_fee: Balance },
	/// An account is no longer a mediator.
	MediatorDeregistered { mediator: AccountId },
	/// A mediator trusts a directory.
	MediatorAddedTrustedDirectory { mediator: AccountId, directory: AccountId },
	/// A mediator no longer trusts a directory.
	MediatorRemovedTrustedDirectory { mediator: AccountId, directory: AccountId },
	/// A mediator supports a base layer.
	MediatorAddedSupportedBaseLayer {
		mediator: AccountId,
		#[serde(with = "hexadecimal")]
		base_layer: BaseLayer,
	},
	/// A mediator no longer supports a base layer.
	MediatorRemovedSupportedBaseLayer {
		mediator: AccountId,
		#[serde(with = "hexadecimal")]
		base_layer: BaseLayer,
	},
	/// An account became a directory.
	DirectoryRegistered { directory: AccountId, endpoint: String, availability_fee: Balance },
	/// An account is no longer a directory.
	DirectoryDeregistered { directory: AccountId },
	/// A job offer is open.
	JobOfferPosted {
		job_offer: JobOfferId,
		creator: AccountId,
		terms: JobTerms<AccountId>,
		uri: String,
		held: Balance,
	},
	/// Its owner took a job offer back.
	JobOfferCanceled { job_offer: JobOfferId, creator: AccountId, returned: Balance },
	/// The chain took an expired job offer back.
	JobOfferExpired { job_offer: JobOfferId, creator: AccountId, returned: Balance },
	/// A resource offer is open.
	ResourceOfferPosted {
		resource_offer: ResourceOfferId,
		provider: AccountId,
		terms: ResourceTerms,
		held: Balance,
	},
	/// Its owner took a resource offer back.
	ResourceOfferCanceled {
		resource_offer: ResourceOfferId,
		provider: AccountId,
		returned: Balance,
	},
	/// The chain took an expired resource offer back.
	ResourceOfferExpired {
		resource_offer: ResourceOfferId,
		provider: AccountId,
		returned: Balance,
	},
	/// Two offers are matched.
	Matched {
		match_id: MatchId,
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
		creator: AccountId,
		provider: AccountId,
		mediator: AccountId,
		directory: AccountId,
		solver: AccountId,
		value: Balance,
		creator_held: Balance,
		provider_held: Balance,
		incentives: Balance,
		completion_deadline: Moment,
	},
	/// The provider posted a result.
	ResultPosted {
		match_id: MatchId,
		provider: AccountId,
		result: Run,
		uri: String,
		reaction_deadline: Moment,
	},
	/// A result was accepted or rejected; by the chain itself if by nobody.
	ResultReaction { match_id: MatchId, by: Option<AccountId>, reaction: Reaction },
	/// A mediator is to look at a rejected result.
	JobAssignedForMediation { match_id: MatchId, mediator: AccountId, mediation_deadline: Moment },
	/// A mediator posted its evidence, and the chain derived a verdict from it.
	MediationResultPosted {
		match_id: MatchId,
		mediator: AccountId,
		evidence: Evidence,
		verdict: Verdict,
		faulty_party: FaultyParty,
	},
	/// A match has ended.
	MatchClosed {
		match_id: MatchId,
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
		creator: AccountId,
		provider: AccountId,
		mediator: AccountId,
		directory: AccountId,
		ending: Ending,
		settlement: Settlement,
	},
	/// A payment went to another account than it should.
	PaymentRedirected { payee: AccountId, recipient: AccountId, amount: Balance },
	/// A payment that no account could receive was burnt.
	PaymentBurnt { payee: AccountId, amount: Balance },
}

/// An event of the market; `None` if it is another pallet's.
pub(crate) fn market_event<T: subxt::Config>(
	metadata: &Metadata,
	event: &subxt::events::Event<'_, T>,
) -> Result<Option<Event>, Error> {
	if event.pallet_name() != PALLET {
		return Ok(None);
	}
	let bytes = [&[event.event_index()][..], event.field_bytes()].concat();
	let raw = decode(metadata, &bytes);
	let raw = raw.ok_or(Error::IncompatibleRuntime { what: "the market's events" })?;
	Ok(Some(raw.into()))
}

/// An event that is understood to its last byte.
fn decode(metadata: &Metadata, bytes: &[u8]) -> Option<RawEvent> {
	let type_id = metadata.pallet_by_name(PALLET)?.event_ty_id()?;
	let mut rest = bytes;
	let event = RawEvent::decode_as_type(&mut rest, type_id, metadata.types()).ok()?;
	rest.is_empty().then_some(event)
}
