// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the chain keeps of the market (docs/protocol.md §§2, 3 and 11).

use crate::{
	convert::IntoDomain,
	runtime::runtime_types::{
		bounded_collections::bounded_vec::BoundedVec, pallet_modicum::types as raw,
	},
	AccountId,
};
use modicum_primitives::{
	hexadecimal, Architecture, Balance, BaseLayer, JobOfferId, JobTerms, MatchId, Meter, Moment,
	Parameters, Prices, RejectReason, ResourceOfferId, ResourceTerms, Resources, Run,
};
use serde::Serialize;

/// An account's money, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Account {
	/// What can be spent, down to what the account must keep to exist.
	pub free: Balance,
	/// What is on hold for offers, matches and registrations.
	pub held: Balance,
	/// What of the free part may not be spent for other reasons.
	pub frozen: Balance,
	/// Transactions of this account in finalised blocks.
	pub nonce: u32,
}

/// Declares records and how each comes from its namesake in the metadata. What is not listed is left out.
macro_rules! records {
	($($(#[$doc:meta])* $name:ident from ($($generic:ident)?) $raw:ty {
		$($(#[$field_doc:meta])* $field:ident: $type:ty,)*
	})*) => {
		$(
			$(#[$doc])*
			#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
			pub struct $name {
				$($(#[$field_doc])* pub $field: $type,)*
			}

			impl$(<$generic>)? IntoDomain<$name> for $raw {
				fn into_domain(self) -> $name {
					$name { $($field: self.$field.into_domain(),)* }
				}
			}
		)*
	};
}

type Uri = BoundedVec<u8>;
type Accounts = BoundedVec<AccountId>;
type BaseLayers = BoundedVec<BaseLayer>;

records! {
	/// A registered job creator.
	JobCreator from (Ticket) raw::JobCreatorRecord<Accounts, Ticket> {
		/// Whom it accepts as mediators.
		trusted_mediators: Vec<AccountId>,
		/// Its job offers that are open or matched.
		commitments: u32,
	}

	/// A registered resource provider.
	ResourceProvider from (Ticket) raw::ResourceProviderRecord<Accounts, Accounts, BaseLayers, Ticket> {
		/// Its machine.
		architecture: Architecture,
		/// Milliseconds that the machine takes for 10^9 instructions.
		time_per_billion_instructions: Moment,
		/// Whom it accepts as mediators.
		trusted_mediators: Vec<AccountId>,
		/// Whom it accepts as directories.
		trusted_directories: Vec<AccountId>,
		/// What it has preinstalled.
		#[serde(serialize_with = "hexadecimal::serialize_list")]
		base_layers: Vec<BaseLayer>,
		/// Its resource offers that are open or matched.
		commitments: u32,
	}

	/// A registered mediator.
	Mediator from (Ticket) raw::MediatorRecord<Accounts, BaseLayers, Ticket> {
		/// Its machine.
		architecture: Architecture,
		/// a_M.
		availability_fee: Balance,
		/// Whom it accepts as directories.
		trusted_directories: Vec<AccountId>,
		/// What it has preinstalled.
		#[serde(serialize_with = "hexadecimal::serialize_list")]
		base_layers: Vec<BaseLayer>,
		/// Open matches that name it.
		commitments: u32,
	}

	/// A registered directory.
	Directory from (Ticket) raw::DirectoryRecord<Uri, Ticket> {
		/// Where it answers.
		endpoint: String,
		/// a_D.
		availability_fee: Balance,
		/// Open matches that use it.
		commitments: u32,
	}

	/// A job offer, from posting to the end of its match.
	JobOffer from () raw::JobOfferRecord<AccountId, Uri> {
		/// Who posted it.
		creator: AccountId,
		/// What is asked for.
		terms: JobTerms<AccountId>,
		/// Where the job lies.
		uri: String,
		/// What the creator pledged on top of the required deposit.
		extra_deposit: Balance,
		/// What is on hold for it now.
		held: Balance,
		/// Whether it is matched.
		state: OfferState,
	}

	/// A resource offer, from posting to the end of its match.
	ResourceOffer from () raw::ResourceOfferRecord<AccountId> {
		/// Who posted it.
		provider: AccountId,
		/// What is offered.
		terms: ResourceTerms,
		/// What the provider pledged on top of the required deposit.
		extra_deposit: Balance,
		/// What is on hold for it now.
		held: Balance,
		/// Whether it is matched.
		state: OfferState,
	}

	/// A result as posted.
	PostedResult from () raw::PostedResult<Uri> {
		/// What the provider reports.
		run: Run,
		/// Where the output, or what a failed run left behind, lies.
		uri: String,
	}

	/// An open match.
	Match from () raw::MatchRecord<AccountId, Uri> {
		/// Its job offer.
		job_offer: JobOfferId,
		/// Its resource offer.
		resource_offer: ResourceOfferId,
		/// The job creator.
		creator: AccountId,
		/// The resource provider.
		provider: AccountId,
		/// Who decides a dispute.
		mediator: AccountId,
		/// Who stores job and result.
		directory: AccountId,
		/// v: the most that the creator can be billed.
		value: Balance,
		/// The resource offer's prices.
		prices: Prices,
		/// The job's limits.
		limits: Resources,
		/// How instructions are counted.
		meter: Meter,
		/// a_M at the time of the match.
		mediator_fee: Balance,
		/// a_D at the time of the match.
		directory_fee: Balance,
		/// The last millisecond at which a result may be posted.
		completion_deadline: Moment,
		/// The parameters at the time of the match, which rule it to its end.
		parameters: Parameters,
		/// Where the match stands.
		phase: Phase,
	}

	/// A match, and whom it waits for.
	MatchStatus from () raw::MatchStatus<AccountId, Uri> {
		/// The match.
		record: Match,
		/// What it waits for.
		waits_for: WaitsFor,
		/// Whom it waits for.
		waits_on: AccountId,
		/// The last millisecond of the wait.
		until: Moment,
		/// The millisecond from which the chain acts by itself.
		auto_close_from: Moment,
	}
}

/// What an offer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferState {
	/// For a match.
	Open,
	/// For the end of its match.
	Matched(MatchId),
}

impl IntoDomain<OfferState> for raw::OfferState {
	fn into_domain(self) -> OfferState {
		match self {
			Self::Open => OfferState::Open,
			Self::Matched(id) => OfferState::Matched(id),
		}
	}
}

/// Where a match stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Phase {
	/// The provider runs the job.
	Running,
	/// The creator looks at the result.
	ResultPosted {
		/// The result.
		result: PostedResult,
		/// The last millisecond at which it may be rejected.
		reaction_deadline: Moment,
	},
	/// The mediator runs the job.
	Mediating {
		/// The result.
		result: PostedResult,
		/// What the creator holds against it.
		reason: RejectReason,
		/// The last millisecond at which evidence may be posted.
		mediation_deadline: Moment,
	},
}

impl Phase {
	/// The phase's name.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Running => "running",
			Self::ResultPosted { .. } => "result-posted",
			Self::Mediating { .. } => "mediating",
		}
	}
}

impl IntoDomain<Phase> for raw::Phase<Uri> {
	fn into_domain(self) -> Phase {
		match self {
			Self::Running => Phase::Running,
			Self::ResultPosted { result, reaction_deadline } => {
				Phase::ResultPosted { result: result.into_domain(), reaction_deadline }
			},
			Self::Mediating { result, reason, mediation_deadline } => Phase::Mediating {
				result: result.into_domain(),
				reason: reason.0,
				mediation_deadline,
			},
		}
	}
}

/// The call that a match waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitsFor {
	/// `post_result` by the provider.
	Result,
	/// `accept_result` or `reject_result` by the creator; after the deadline `accept_result` by the provider.
	Reaction,
	/// `post_mediation_result` by the mediator.
	MediationResult,
}

impl IntoDomain<WaitsFor> for raw::WaitsFor {
	fn into_domain(self) -> WaitsFor {
		match self {
			Self::Result => WaitsFor::Result,
			Self::Reaction => WaitsFor::Reaction,
			Self::MediationResult => WaitsFor::MediationResult,
		}
	}
}
