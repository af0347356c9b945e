// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the pallet keeps in storage and what its view functions return.

use crate::{Config, Pallet};
use codec::DecodeWithMemTracking;
use frame::prelude::*;
use modicum_primitives::{
	Architecture, Balance, BaseLayer, JobOfferId, JobTerms, MatchId, Meter, Moment, Parameters,
	Prices, RejectReason, ResourceOfferId, ResourceTerms, Resources, Run, SettlementTerms, Usage,
	VerdictTerms,
};

/// The account type of the runtime.
pub type AccountIdOf<T> = <T as frame_system::Config>::AccountId;
/// A list of trusted mediators.
pub type TrustedMediatorsOf<T> = BoundedVec<AccountIdOf<T>, <T as Config>::MaxTrustedMediators>;
/// A list of trusted directories.
pub type TrustedDirectoriesOf<T> = BoundedVec<AccountIdOf<T>, <T as Config>::MaxTrustedDirectories>;
/// A list of supported base layers.
pub type BaseLayersOf<T> = BoundedVec<BaseLayer, <T as Config>::MaxBaseLayers>;
/// Where a job or a result lies.
pub type UriOf<T> = BoundedVec<u8, <T as Config>::MaxUriLen>;
/// Where a directory answers.
pub type EndpointOf<T> = BoundedVec<u8, <T as Config>::MaxEndpointLen>;
/// The terms of a job offer.
pub type JobTermsOf<T> = JobTerms<AccountIdOf<T>>;
/// See [`JobCreatorRecord`].
pub type JobCreatorRecordOf<T> =
	JobCreatorRecord<TrustedMediatorsOf<T>, <T as Config>::Consideration>;
/// See [`ResourceProviderRecord`].
pub type ResourceProviderRecordOf<T> = ResourceProviderRecord<
	TrustedMediatorsOf<T>,
	TrustedDirectoriesOf<T>,
	BaseLayersOf<T>,
	<T as Config>::Consideration,
>;
/// See [`MediatorRecord`].
pub type MediatorRecordOf<T> =
	MediatorRecord<TrustedDirectoriesOf<T>, BaseLayersOf<T>, <T as Config>::Consideration>;
/// See [`DirectoryRecord`].
pub type DirectoryRecordOf<T> = DirectoryRecord<EndpointOf<T>, <T as Config>::Consideration>;
/// See [`JobOfferRecord`].
pub type JobOfferRecordOf<T> = JobOfferRecord<AccountIdOf<T>, UriOf<T>>;
/// See [`ResourceOfferRecord`].
pub type ResourceOfferRecordOf<T> = ResourceOfferRecord<AccountIdOf<T>>;
/// See [`MatchRecord`].
pub type MatchRecordOf<T> = MatchRecord<AccountIdOf<T>, UriOf<T>>;
/// See [`MatchStatus`].
pub type MatchStatusOf<T> = MatchStatus<AccountIdOf<T>, UriOf<T>>;

/// A storage deposit that knows how much it holds, so that the books can be checked.
pub trait StorageDeposit<AccountId>:
	frame::traits::Consideration<AccountId, frame::traits::Footprint>
{
	/// What this ticket keeps on hold.
	fn amount(&self) -> Balance;
}

impl<A, F, R, D> StorageDeposit<A> for fungible::HoldConsideration<A, F, R, D>
where
	F: fungible::MutateHold<A, Balance = Balance>,
	Self: frame::traits::Consideration<A, frame::traits::Footprint>,
{
	fn amount(&self) -> Balance {
		// The ticket's only content is its amount, which it shows in no other way.
		self.using_encoded(|mut ticket| Balance::decode(&mut ticket)).unwrap_or_default()
	}
}

/// A registered job creator.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct JobCreatorRecord<Mediators, Ticket> {
	/// Whom the creator accepts as mediators.
	pub trusted_mediators: Mediators,
	/// Job offers that are open or matched.
	pub commitments: u32,
	/// The storage deposit.
	pub ticket: Ticket,
}

/// A registered resource provider.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct ResourceProviderRecord<Mediators, Directories, BaseLayers, Ticket> {
	/// The provider's machine.
	pub architecture: Architecture,
	/// Milliseconds that the machine takes for 10^9 instructions.
	pub time_per_billion_instructions: Moment,
	/// Whom the provider accepts as mediators.
	pub trusted_mediators: Mediators,
	/// Whom the provider accepts as directories.
	pub trusted_directories: Directories,
	/// What the provider has preinstalled.
	pub base_layers: BaseLayers,
	/// Resource offers that are open or matched.
	pub commitments: u32,
	/// The storage deposit.
	pub ticket: Ticket,
}

/// A registered mediator.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct MediatorRecord<Directories, BaseLayers, Ticket> {
	/// The mediator's machine.
	pub architecture: Architecture,
	/// a_M: what each side of a match pays the mediator for being available.
	pub availability_fee: Balance,
	/// Whom the mediator accepts as directories.
	pub trusted_directories: Directories,
	/// What the mediator has preinstalled.
	pub base_layers: BaseLayers,
	/// Open matches that name this mediator.
	pub commitments: u32,
	/// The storage deposit.
	pub ticket: Ticket,
}

/// A registered directory.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct DirectoryRecord<Endpoint, Ticket> {
	/// Where the directory answers.
	pub endpoint: Endpoint,
	/// a_D: what each side of a match pays the directory for being available.
	pub availability_fee: Balance,
	/// Open matches that use this directory.
	pub commitments: u32,
	/// The storage deposit.
	pub ticket: Ticket,
}

/// What an offer waits for.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfferState {
	/// For a match. Left by `post_match`, `cancel_job_offer`, `cancel_resource_offer` or expiry.
	#[codec(index = 0)]
	Open,
	/// For the end of its match, with which it leaves storage.
	#[codec(index = 1)]
	Matched(MatchId),
}

/// A job offer, from posting to the end of its match.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct JobOfferRecord<AccountId, Uri> {
	/// Who posted it.
	pub creator: AccountId,
	/// What is asked for.
	pub terms: JobTerms<AccountId>,
	/// Where the job lies.
	pub uri: Uri,
	/// What the creator pledged on top of the required deposit.
	pub extra_deposit: Balance,
	/// What is on hold for it now, the extra deposit included.
	pub held: Balance,
	/// Whether it is matched.
	pub state: OfferState,
}

/// A resource offer, from posting to the end of its match.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct ResourceOfferRecord<AccountId> {
	/// Who posted it.
	pub provider: AccountId,
	/// What is offered.
	pub terms: ResourceTerms,
	/// What the provider pledged on top of the required deposit.
	pub extra_deposit: Balance,
	/// What is on hold for it now, the extra deposit included.
	pub held: Balance,
	/// Whether it is matched.
	pub state: OfferState,
}

/// A result as posted.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct PostedResult<Uri> {
	/// What the provider reports.
	pub run: Run,
	/// Where the output, or what a failed run left behind, lies.
	pub uri: Uri,
}

/// Where a match stands. A match that has ended is no longer in storage.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub enum Phase<Uri> {
	/// The provider runs the job. Left by `post_result` or `timeout`.
	#[codec(index = 0)]
	Running,
	/// The creator looks at the result. Left by `accept_result` or `reject_result`.
	#[codec(index = 1)]
	ResultPosted {
		/// The result.
		result: PostedResult<Uri>,
		/// The last millisecond at which it may be rejected.
		reaction_deadline: Moment,
	},
	/// The mediator runs the job. Left by `post_mediation_result` or `timeout_mediation`.
	#[codec(index = 2)]
	Mediating {
		/// The result.
		result: PostedResult<Uri>,
		/// What the creator holds against it.
		reason: RejectReason,
		/// The last millisecond at which evidence may be posted.
		mediation_deadline: Moment,
	},
}

/// An open match: who takes part, on which terms, and where it stands. The money is in its two offers.
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen, Clone, PartialEq, Eq, Debug)]
pub struct MatchRecord<AccountId, Uri> {
	/// The job offer.
	pub job_offer: JobOfferId,
	/// The resource offer.
	pub resource_offer: ResourceOfferId,
	/// The job creator.
	pub creator: AccountId,
	/// The resource provider.
	pub provider: AccountId,
	/// Who decides a dispute.
	pub mediator: AccountId,
	/// Who stores job and result.
	pub directory: AccountId,
	/// v: the most that the creator can be billed.
	pub value: Balance,
	/// The resource offer's prices.
	pub prices: Prices,
	/// The job's limits.
	pub limits: Resources,
	/// How instructions are counted.
	pub meter: Meter,
	/// a_M at the time of the match.
	pub mediator_fee: Balance,
	/// a_D at the time of the match.
	pub directory_fee: Balance,
	/// The last millisecond at which a result may be posted.
	pub completion_deadline: Moment,
	/// The parameters at the time of the match, which rule it to its end.
	pub parameters: Parameters,
	/// Where the match stands.
	pub phase: Phase<Uri>,
}

impl<AccountId, Uri> MatchRecord<AccountId, Uri> {
	/// The deadline of the present phase: its last millisecond.
	pub fn deadline(&self) -> Moment {
		match &self.phase {
			Phase::Running => self.completion_deadline,
			Phase::ResultPosted { reaction_deadline, .. } => *reaction_deadline,
			Phase::Mediating { mediation_deadline, .. } => *mediation_deadline,
		}
	}

	/// The result, once there is one.
	pub fn result(&self) -> Option<&PostedResult<Uri>> {
		match &self.phase {
			Phase::Running => None,
			Phase::ResultPosted { result, .. } | Phase::Mediating { result, .. } => Some(result),
		}
	}

	/// What the settlement of this match depends on, given what the mediator measured.
	pub fn settlement_terms(&self, measured: Option<Usage>) -> SettlementTerms {
		SettlementTerms {
			value: self.value,
			prices: self.prices,
			verification_count: self.parameters.verification_count,
			mediator_fee: self.mediator_fee,
			directory_fee: self.directory_fee,
			reported: self.result().map(|result| result.run.usage),
			measured,
		}
	}

	/// What the verdict on this match depends on.
	pub fn verdict_terms(&self) -> VerdictTerms {
		VerdictTerms {
			instruction_limit: self.limits.instructions,
			meter: self.meter,
			cost_tolerance: self.parameters.cost_tolerances.of(self.meter),
		}
	}
}

/// What was done with a result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Reaction {
	/// It was accepted.
	#[codec(index = 0)]
	Accepted,
	/// It was rejected, and why.
	#[codec(index = 1)]
	Rejected(RejectReason),
}

/// Something that a deadline is set for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Due {
	/// The expiry of an open job offer.
	#[codec(index = 0)]
	JobOffer(JobOfferId),
	/// The expiry of an open resource offer.
	#[codec(index = 1)]
	ResourceOffer(ResourceOfferId),
	/// The deadline of a match's present phase.
	#[codec(index = 2)]
	Match(MatchId),
}

/// Key of the deadline queue. It starts with the time in big-endian bytes, so that the order of the keys in
/// storage is the order of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct DeadlineKey {
	at: [u8; 8],
	/// What is due.
	pub due: Due,
}

impl DeadlineKey {
	/// `due` at the millisecond `at`.
	pub fn new(at: Moment, due: Due) -> Self {
		Self { at: at.to_be_bytes(), due }
	}

	/// The deadline's last millisecond.
	pub fn at(&self) -> Moment {
		Moment::from_be_bytes(self.at)
	}
}

/// The call that a match waits for.
#[derive(Encode, Decode, TypeInfo, Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitsFor {
	/// `post_result` by the provider.
	Result,
	/// `accept_result` or `reject_result` by the creator; after the deadline `accept_result` by the provider.
	Reaction,
	/// `post_mediation_result` by the mediator.
	MediationResult,
}

/// A match as clients see it.
#[derive(Encode, Decode, TypeInfo, Clone, PartialEq, Eq, Debug)]
pub struct MatchStatus<AccountId, Uri> {
	/// The match.
	pub record: MatchRecord<AccountId, Uri>,
	/// What it waits for.
	pub waits_for: WaitsFor,
	/// Whom it waits for.
	pub waits_on: AccountId,
	/// The last millisecond of the wait.
	pub until: Moment,
	/// The millisecond from which the chain acts by itself.
	pub auto_close_from: Moment,
}

impl<AccountId: Clone, Uri> MatchStatus<AccountId, Uri> {
	/// The view of `record`, under the grace now in force.
	pub fn new(record: MatchRecord<AccountId, Uri>, grace: Moment) -> Self {
		let (waits_for, waits_on) = match &record.phase {
			Phase::Running => (WaitsFor::Result, record.provider.clone()),
			Phase::ResultPosted { .. } => (WaitsFor::Reaction, record.creator.clone()),
			Phase::Mediating { .. } => (WaitsFor::MediationResult, record.mediator.clone()),
		};
		let until = record.deadline();
		let auto_close_from = until.saturating_add(grace).saturating_add(1);
		Self { record, waits_for, waits_on, until, auto_close_from }
	}
}

/// A role that accounts register for.
pub(crate) trait Role<T: Config>: codec::FullCodec {
	/// Where the role's records are.
	type Records: frame::deps::frame_support::storage::StorageMap<
		AccountIdOf<T>,
		Self,
		Query = Option<Self>,
	>;

	/// The error for an account without the role.
	fn not_registered() -> crate::Error<T>;
	/// The bytes of the record that its owner chooses the number of.
	fn variable_bytes(&self) -> usize;
	/// What keeps the account from leaving.
	fn commitments(&mut self) -> &mut u32;
	/// The storage deposit.
	fn ticket(&mut self) -> &mut T::Consideration;
}

macro_rules! role {
	($record:ident, $map:ident, $error:ident, |$this:ident| $bytes:expr) => {
		impl<T: Config> Role<T> for $record<T> {
			type Records = crate::$map<T>;

			fn not_registered() -> crate::Error<T> {
				crate::Error::$error
			}
			fn variable_bytes(&self) -> usize {
				let $this = self;
				$bytes
			}
			fn commitments(&mut self) -> &mut u32 {
				&mut self.commitments
			}
			fn ticket(&mut self) -> &mut T::Consideration {
				&mut self.ticket
			}
		}
	};
}

role!(JobCreatorRecordOf, JobCreators, NotJobCreator, |record| {
	Pallet::<T>::list_bytes(record.trusted_mediators.len(), 0)
});
role!(ResourceProviderRecordOf, ResourceProviders, NotResourceProvider, |record| {
	let accounts = record.trusted_mediators.len() + record.trusted_directories.len();
	Pallet::<T>::list_bytes(accounts, record.base_layers.len())
});
role!(MediatorRecordOf, Mediators, NotMediator, |record| {
	Pallet::<T>::list_bytes(record.trusted_directories.len(), record.base_layers.len())
});
role!(DirectoryRecordOf, Directories, NotDirectory, |record| record.endpoint.len());
