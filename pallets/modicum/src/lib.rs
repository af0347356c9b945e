// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
//!
//! ## Examples
//!
//! From the pallet's tests. Making a match:
#![doc = docify::embed!("src/tests/matching.rs", post_match_works)]
//! A job from its offers to its payment:
#![doc = docify::embed!("src/tests/endings.rs", a_job_is_accepted)]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub use modicum_primitives as primitives;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
mod errors;
mod events;
mod impls;
pub mod migrations;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
mod types;
mod view;
pub mod weights;

use errors::*;
use events::*;
use frame::{import_section, prelude::*};

#[import_section(errors)]
#[import_section(events)]
#[frame::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame::deps::frame_support::{dispatch::WithPostDispatchInfo, weights::WeightMeter};
	use modicum_primitives::{
		Architecture, Balance, BaseLayer, Ending, Evidence, FaultyParty, Hash, JobOfferId, MatchId,
		Meter, Moment, Parameters, PartyRecord, RejectReason, ResourceOfferId, ResourceTerms,
		ResultStatus, Rule, Run, Settlement, Usage, Verdict, MAX_VERIFICATION_COUNT,
	};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// Who sets the parameters: governance.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The overarching hold reason.
		type RuntimeHoldReason: Parameter
			+ Member
			+ MaxEncodedLen
			+ Copy
			+ VariantCount
			+ From<HoldReason>;

		/// The token that everything is paid in.
		type Currency: fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The storage deposit of registrations and their lists. The footprint is one item of as many bytes as
		/// the owner's lists take: the price of the empty record belongs into the price's constant part.
		type Consideration: StorageDeposit<Self::AccountId>;

		/// The account that fines go to, such as the treasury's. Also receives payments of less than the
		/// existential deposit to accounts that do not exist.
		#[pallet::constant]
		type FinesDestination: Get<Self::AccountId>;

		/// The clock, in milliseconds since the Unix epoch.
		type Time: frame::traits::Time<Moment = Moment>;

		/// How far ahead a job's completion deadline may lie, in milliseconds. Bounds how long a match can bind
		/// its mediator, its directory and both deposits.
		#[pallet::constant]
		type MaxJobDuration: Get<Moment>;

		/// DO NOT REDUCE THIS VALUE. Most mediators that a creator or provider can trust.
		#[pallet::constant]
		type MaxTrustedMediators: Get<u32>;

		/// DO NOT REDUCE THIS VALUE. Most directories that a provider or mediator can trust.
		#[pallet::constant]
		type MaxTrustedDirectories: Get<u32>;

		/// DO NOT REDUCE THIS VALUE. Most base layers that a provider or mediator can support.
		#[pallet::constant]
		type MaxBaseLayers: Get<u32>;

		/// DO NOT REDUCE THIS VALUE. Longest URI of a job or a result, in bytes.
		#[pallet::constant]
		type MaxUriLen: Get<u32>;

		/// DO NOT REDUCE THIS VALUE. Longest endpoint of a directory, in bytes.
		#[pallet::constant]
		type MaxEndpointLen: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;

		/// Sets the clock for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper;
	}

	#[pallet::extra_constants]
	impl<T: Config> Pallet<T> {
		/// Largest verification count; so also the most runs that evidence can have.
		#[pallet::constant_name(MaxVerificationCount)]
		fn max_verification_count() -> u32 {
			MAX_VERIFICATION_COUNT
		}
	}

	/// Why money is on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposit of a job offer and its match.
		#[codec(index = 0)]
		JobOffer,
		/// Deposit of a resource offer and its match.
		#[codec(index = 1)]
		ResourceOffer,
		/// Storage deposit of a registration and its lists.
		#[codec(index = 2)]
		Registration,
	}

	// Accounts and offers are chosen by users, numbers by the pallet: the former are hashed cryptographically.

	/// The parameters in force.
	#[pallet::storage]
	pub type CurrentParameters<T: Config> = StorageValue<_, Parameters, ValueQuery>;

	/// Registered job creators.
	#[pallet::storage]
	pub type JobCreators<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, JobCreatorRecordOf<T>>;

	/// Registered resource providers.
	#[pallet::storage]
	pub type ResourceProviders<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, ResourceProviderRecordOf<T>>;

	/// Registered mediators.
	#[pallet::storage]
	pub type Mediators<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, MediatorRecordOf<T>>;

	/// Registered directories.
	#[pallet::storage]
	pub type Directories<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, DirectoryRecordOf<T>>;

	/// Number of the next job offer.
	#[pallet::storage]
	pub type NextJobOfferId<T: Config> = StorageValue<_, JobOfferId, ValueQuery>;

	/// Number of the next resource offer.
	#[pallet::storage]
	pub type NextResourceOfferId<T: Config> = StorageValue<_, ResourceOfferId, ValueQuery>;

	/// Number of the next match.
	#[pallet::storage]
	pub type NextMatchId<T: Config> = StorageValue<_, MatchId, ValueQuery>;

	/// Job offers, open and matched.
	#[pallet::storage]
	pub type JobOffers<T: Config> = StorageMap<_, Twox64Concat, JobOfferId, JobOfferRecordOf<T>>;

	/// Resource offers, open and matched.
	#[pallet::storage]
	pub type ResourceOffers<T: Config> =
		StorageMap<_, Twox64Concat, ResourceOfferId, ResourceOfferRecordOf<T>>;

	/// Matches that have not ended.
	#[pallet::storage]
	pub type Matches<T: Config> = StorageMap<_, Twox64Concat, MatchId, MatchRecordOf<T>>;

	/// The deadline of every open phase, earliest first.
	// Not hashed, so that the order of keys is the order of time. Users choose deadlines, but a key has only
	// 17 bytes, which bounds how deep a branch of the trie they can grow.
	#[pallet::storage]
	pub type Deadlines<T: Config> = StorageMap<_, Identity, DeadlineKey, ()>;

	/// What accounts have done in closed matches.
	#[pallet::storage]
	pub type PartyRecords<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, PartyRecord, ValueQuery>;

	#[pallet::genesis_config]
	#[derive(DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The parameters at the start. The default is the paper's.
		pub parameters: Parameters,
		/// Unused.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert_eq!(self.parameters.validate(), Ok(()), "a market parameter is out of bounds");
			CurrentParameters::<T>::put(self.parameters);
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// Does what the parties could have done since their deadlines, within the weight left over.
		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			let mut meter = WeightMeter::with_limit(remaining);
			Self::close_overdue_within(&mut meter);
			meter.consumed()
		}

		fn integrity_test() {
			assert!(T::MaxJobDuration::get() > 0, "no job could have a deadline");
			assert!(
				T::MaxTrustedMediators::get() > 0,
				"nobody could be matched without a mediator"
			);
			assert!(
				T::MaxTrustedDirectories::get() > 0,
				"nobody could be matched without a directory"
			);
			assert!(T::MaxBaseLayers::get() > 0, "nobody could be matched without a base layer");
			assert!(T::MaxUriLen::get() > 0, "no job could say where it lies");
			assert!(T::MaxEndpointLen::get() > 0, "no directory could say where it answers");
			assert!(
				Self::closing_weight(Due::Match(0)).all_lte(T::BlockWeights::get().max_block),
				"no block could close an overdue match"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), frame::deps::sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What posting a job offer of these terms holds; `None` if that does not fit into a balance.
		pub fn job_offer_deposit(terms: JobTermsOf<T>, extra_deposit: Balance) -> Option<Balance> {
			Self::view_job_offer_deposit(&terms, extra_deposit)
		}

		/// What posting a resource offer of these terms holds; `None` if that does not fit into a balance.
		pub fn resource_offer_deposit(
			terms: ResourceTerms,
			extra_deposit: Balance,
		) -> Option<Balance> {
			Self::view_resource_offer_deposit(&terms, extra_deposit)
		}

		/// All rules that forbid this match now; empty if it is feasible, `None` if an offer is gone.
		pub fn broken_rules(
			job_offer: JobOfferId,
			resource_offer: ResourceOfferId,
			mediator: T::AccountId,
		) -> Option<Vec<Rule>> {
			Self::view_broken_rules(job_offer, resource_offer, &mediator)
		}

		/// All mediators with whom these offers can be matched now; `None` if an offer is gone.
		pub fn feasible_mediators(
			job_offer: JobOfferId,
			resource_offer: ResourceOfferId,
		) -> Option<Vec<T::AccountId>> {
			Self::view_feasible_mediators(job_offer, resource_offer)
		}

		/// An open match: its phase, what it waits for, on whom and until when; `None` once it has ended.
		pub fn match_status(match_id: MatchId) -> Option<MatchStatusOf<T>> {
			Self::view_match_status(match_id)
		}

		/// The parameters in force.
		pub fn parameters() -> Parameters {
			CurrentParameters::<T>::get()
		}

		/// What an account has done in closed matches.
		pub fn party_record(who: T::AccountId) -> PartyRecord {
			PartyRecords::<T>::get(who)
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Sets θ, the penalty rate. Running matches keep theirs.
		///
		/// Origin: `AdminOrigin`. Emits `PenaltyRateSet`. Errors: `PenaltyRateOutOfBounds`.
		#[pallet::call_index(0)]
		pub fn set_penalty_rate(origin: OriginFor<T>, penalty_rate: u32) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::change_parameters(|parameters| parameters.penalty_rate = penalty_rate)?;
			Self::deposit_event(Event::PenaltyRateSet { penalty_rate });
			Ok(())
		}

		/// Sets n, the verification count, 2 or more. Running matches keep theirs.
		///
		/// Origin: `AdminOrigin`. Emits `VerificationCountSet`. Errors: `VerificationCountOutOfBounds`.
		#[pallet::call_index(1)]
		pub fn set_verification_count(
			origin: OriginFor<T>,
			verification_count: u32,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::change_parameters(|parameters| {
				parameters.verification_count = verification_count
			})?;
			Self::deposit_event(Event::VerificationCountSet { verification_count });
			Ok(())
		}

		/// Sets how long a result may be rejected, in milliseconds. Running matches keep theirs.
		///
		/// Origin: `AdminOrigin`. Emits `ReactionDeadlineSet`. Errors: `ReactionDeadlineOutOfBounds`.
		#[pallet::call_index(2)]
		pub fn set_reaction_deadline(
			origin: OriginFor<T>,
			reaction_deadline: Moment,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::change_parameters(|parameters| parameters.reaction_deadline = reaction_deadline)?;
			Self::deposit_event(Event::ReactionDeadlineSet { reaction_deadline });
			Ok(())
		}

		/// Sets how long a mediator has, in milliseconds. Running matches keep theirs.
		///
		/// Origin: `AdminOrigin`. Emits `MediationDeadlineSet`. Errors: `MediationDeadlineOutOfBounds`.
		#[pallet::call_index(3)]
		pub fn set_mediation_deadline(
			origin: OriginFor<T>,
			mediation_deadline: Moment,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::change_parameters(|parameters| {
				parameters.mediation_deadline = mediation_deadline
			})?;
			Self::deposit_event(Event::MediationDeadlineSet { mediation_deadline });
			Ok(())
		}

		/// Sets the least match incentive. Running matches keep theirs.
		///
		/// Origin: `AdminOrigin`. Emits `MinMatchIncentiveSet`. Errors: none.
		#[pallet::call_index(4)]
		pub fn set_min_match_incentive(
			origin: OriginFor<T>,
			min_match_incentive: Balance,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::change_parameters(|parameters| {
				parameters.min_match_incentive = min_match_incentive
			})?;
			Self::deposit_event(Event::MinMatchIncentiveSet { min_match_incentive });
			Ok(())
		}

		/// Sets how far a provider's figures may lie above the mediator's. Running matches keep theirs.
		///
		/// Origin: `AdminOrigin`. Emits `CostToleranceSet`. Errors: `CostToleranceOutOfBounds`.
		#[pallet::call_index(5)]
		pub fn set_cost_tolerance(
			origin: OriginFor<T>,
			meter: Meter,
			parts_per_million: u32,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::change_parameters(|parameters| {
				parameters.cost_tolerances.set(meter, parts_per_million);
			})?;
			Self::deposit_event(Event::CostToleranceSet { meter, parts_per_million });
			Ok(())
		}

		/// Sets how long after a deadline the chain acts by itself, in milliseconds. Applies to all deadlines at once:
		/// who is paid does not depend on it.
		///
		/// Origin: `AdminOrigin`. Emits `AutoCloseGraceSet`. Errors: `AutoCloseGraceOutOfBounds`.
		#[pallet::call_index(6)]
		pub fn set_auto_close_grace(
			origin: OriginFor<T>,
			auto_close_grace: Moment,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::change_parameters(|parameters| parameters.auto_close_grace = auto_close_grace)?;
			Self::deposit_event(Event::AutoCloseGraceSet { auto_close_grace });
			Ok(())
		}

		/// Registers the caller as a job creator.
		///
		/// Origin: signed. Holds a storage deposit. Emits `JobCreatorRegistered`.
		/// Errors: `AlreadyRegistered`, `Token(FundsUnavailable)`.
		#[pallet::call_index(10)]
		pub fn register_job_creator(origin: OriginFor<T>) -> DispatchResult {
			let creator = ensure_signed(origin)?;
			Self::do_register_job_creator(&creator)?;
			Self::deposit_event(Event::JobCreatorRegistered { creator });
			Ok(())
		}

		/// Ends the caller's role as a job creator and returns its storage deposit.
		///
		/// Origin: signed. Emits `JobCreatorDeregistered`. Errors: `NotJobCreator`, `HasCommitments`.
		#[pallet::call_index(11)]
		pub fn deregister_job_creator(origin: OriginFor<T>) -> DispatchResult {
			let creator = ensure_signed(origin)?;
			Self::deregister::<JobCreatorRecordOf<T>>(&creator)?;
			Self::deposit_event(Event::JobCreatorDeregistered { creator });
			Ok(())
		}

		/// The calling job creator trusts `mediator`.
		///
		/// Origin: signed. Raises the storage deposit. Emits `JobCreatorAddedTrustedMediator`.
		/// Errors: `NotJobCreator`, `AlreadyListed`, `ListFull`, `Token(FundsUnavailable)`.
		#[pallet::call_index(12)]
		pub fn job_creator_add_trusted_mediator(
			origin: OriginFor<T>,
			mediator: T::AccountId,
		) -> DispatchResult {
			let creator = ensure_signed(origin)?;
			Self::edit::<JobCreatorRecordOf<T>>(&creator, |record| {
				Self::add_to(&mut record.trusted_mediators, mediator.clone())
			})?;
			Self::deposit_event(Event::JobCreatorAddedTrustedMediator { creator, mediator });
			Ok(())
		}

		/// The calling job creator no longer trusts `mediator`. Running matches are not affected.
		///
		/// Origin: signed. Lowers the storage deposit. Emits `JobCreatorRemovedTrustedMediator`.
		/// Errors: `NotJobCreator`, `NotListed`.
		#[pallet::call_index(13)]
		pub fn job_creator_remove_trusted_mediator(
			origin: OriginFor<T>,
			mediator: T::AccountId,
		) -> DispatchResult {
			let creator = ensure_signed(origin)?;
			Self::edit::<JobCreatorRecordOf<T>>(&creator, |record| {
				Self::remove_from(&mut record.trusted_mediators, &mediator)
			})?;
			Self::deposit_event(Event::JobCreatorRemovedTrustedMediator { creator, mediator });
			Ok(())
		}

		/// Registers the caller as a resource provider whose machine takes so many milliseconds for 10^9 instructions.
		///
		/// Origin: signed. Holds a storage deposit. Emits `ResourceProviderRegistered`.
		/// Errors: `ZeroInstructionTime`, `AlreadyRegistered`, `Token(FundsUnavailable)`.
		#[pallet::call_index(20)]
		pub fn register_resource_provider(
			origin: OriginFor<T>,
			architecture: Architecture,
			time_per_billion_instructions: Moment,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			let time = time_per_billion_instructions;
			Self::do_register_resource_provider(&provider, architecture, time)?;
			Self::deposit_event(Event::ResourceProviderRegistered {
				provider,
				architecture,
				time_per_billion_instructions,
			});
			Ok(())
		}

		/// Ends the caller's role as a resource provider and returns its storage deposit.
		///
		/// Origin: signed. Emits `ResourceProviderDeregistered`. Errors: `NotResourceProvider`, `HasCommitments`.
		#[pallet::call_index(21)]
		pub fn deregister_resource_provider(origin: OriginFor<T>) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::deregister::<ResourceProviderRecordOf<T>>(&provider)?;
			Self::deposit_event(Event::ResourceProviderDeregistered { provider });
			Ok(())
		}

		/// The calling resource provider trusts `mediator`.
		///
		/// Origin: signed. Raises the storage deposit. Emits `ResourceProviderAddedTrustedMediator`.
		/// Errors: `NotResourceProvider`, `AlreadyListed`, `ListFull`, `Token(FundsUnavailable)`.
		#[pallet::call_index(22)]
		pub fn resource_provider_add_trusted_mediator(
			origin: OriginFor<T>,
			mediator: T::AccountId,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::edit::<ResourceProviderRecordOf<T>>(&provider, |record| {
				Self::add_to(&mut record.trusted_mediators, mediator.clone())
			})?;
			Self::deposit_event(Event::ResourceProviderAddedTrustedMediator { provider, mediator });
			Ok(())
		}

		/// The calling resource provider no longer trusts `mediator`. Running matches are not affected.
		///
		/// Origin: signed. Lowers the storage deposit. Emits `ResourceProviderRemovedTrustedMediator`.
		/// Errors: `NotResourceProvider`, `NotListed`.
		#[pallet::call_index(23)]
		pub fn resource_provider_remove_trusted_mediator(
			origin: OriginFor<T>,
			mediator: T::AccountId,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::edit::<ResourceProviderRecordOf<T>>(&provider, |record| {
				Self::remove_from(&mut record.trusted_mediators, &mediator)
			})?;
			Self::deposit_event(Event::ResourceProviderRemovedTrustedMediator {
				provider,
				mediator,
			});
			Ok(())
		}

		/// The calling resource provider trusts `directory`.
		///
		/// Origin: signed. Raises the storage deposit. Emits `ResourceProviderAddedTrustedDirectory`.
		/// Errors: `NotResourceProvider`, `AlreadyListed`, `ListFull`, `Token(FundsUnavailable)`.
		#[pallet::call_index(24)]
		pub fn resource_provider_add_trusted_directory(
			origin: OriginFor<T>,
			directory: T::AccountId,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::edit::<ResourceProviderRecordOf<T>>(&provider, |record| {
				Self::add_to(&mut record.trusted_directories, directory.clone())
			})?;
			Self::deposit_event(Event::ResourceProviderAddedTrustedDirectory {
				provider,
				directory,
			});
			Ok(())
		}

		/// The calling resource provider no longer trusts `directory`. Running matches are not affected.
		///
		/// Origin: signed. Lowers the storage deposit. Emits `ResourceProviderRemovedTrustedDirectory`.
		/// Errors: `NotResourceProvider`, `NotListed`.
		#[pallet::call_index(25)]
		pub fn resource_provider_remove_trusted_directory(
			origin: OriginFor<T>,
			directory: T::AccountId,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::edit::<ResourceProviderRecordOf<T>>(&provider, |record| {
				Self::remove_from(&mut record.trusted_directories, &directory)
			})?;
			Self::deposit_event(Event::ResourceProviderRemovedTrustedDirectory {
				provider,
				directory,
			});
			Ok(())
		}

		/// The calling resource provider supports `base_layer`.
		///
		/// Origin: signed. Raises the storage deposit. Emits `ResourceProviderAddedSupportedBaseLayer`.
		/// Errors: `NotResourceProvider`, `AlreadyListed`, `ListFull`, `Token(FundsUnavailable)`.
		#[pallet::call_index(26)]
		pub fn resource_provider_add_supported_base_layer(
			origin: OriginFor<T>,
			base_layer: BaseLayer,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::edit::<ResourceProviderRecordOf<T>>(&provider, |record| {
				Self::add_to(&mut record.base_layers, base_layer)
			})?;
			Self::deposit_event(Event::ResourceProviderAddedSupportedBaseLayer {
				provider,
				base_layer,
			});
			Ok(())
		}

		/// The calling resource provider no longer supports `base_layer`. Running matches are not affected.
		///
		/// Origin: signed. Lowers the storage deposit. Emits `ResourceProviderRemovedSupportedBaseLayer`.
		/// Errors: `NotResourceProvider`, `NotListed`.
		#[pallet::call_index(27)]
		pub fn resource_provider_remove_supported_base_layer(
			origin: OriginFor<T>,
			base_layer: BaseLayer,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::edit::<ResourceProviderRecordOf<T>>(&provider, |record| {
				Self::remove_from(&mut record.base_layers, &base_layer)
			})?;
			Self::deposit_event(Event::ResourceProviderRemovedSupportedBaseLayer {
				provider,
				base_layer,
			});
			Ok(())
		}

		/// Registers the caller as a mediator who charges each side of a match `availability_fee`.
		///
		/// Origin: signed. Holds a storage deposit. Emits `MediatorRegistered`.
		/// Errors: `AlreadyRegistered`, `Token(FundsUnavailable)`.
		#[pallet::call_index(30)]
		pub fn register_mediator(
			origin: OriginFor<T>,
			architecture: Architecture,
			availability_fee: Balance,
		) -> DispatchResult {
			let mediator = ensure_signed(origin)?;
			Self::do_register_mediator(&mediator, architecture, availability_fee)?;
			Self::deposit_event(Event::MediatorRegistered {
				mediator,
				architecture,
				availability_fee,
			});
			Ok(())
		}

		/// Ends the caller's role as a mediator and returns its storage deposit. To leave in spite of a stream of new
		/// matches, remove all trusted directories first: then there are no new ones.
		///
		/// Origin: signed. Emits `MediatorDeregistered`. Errors: `NotMediator`, `HasCommitments`.
		#[pallet::call_index(31)]
		pub fn deregister_mediator(origin: OriginFor<T>) -> DispatchResult {
			let mediator = ensure_signed(origin)?;
			Self::deregister::<MediatorRecordOf<T>>(&mediator)?;
			Self::deposit_event(Event::MediatorDeregistered { mediator });
			Ok(())
		}

		/// The calling mediator trusts `directory`.
		///
		/// Origin: signed. Raises the storage deposit. Emits `MediatorAddedTrustedDirectory`.
		/// Errors: `NotMediator`, `AlreadyListed`, `ListFull`, `Token(FundsUnavailable)`.
		#[pallet::call_index(32)]
		pub fn mediator_add_trusted_directory(
			origin: OriginFor<T>,
			directory: T::AccountId,
		) -> DispatchResult {
			let mediator = ensure_signed(origin)?;
			Self::edit::<MediatorRecordOf<T>>(&mediator, |record| {
				Self::add_to(&mut record.trusted_directories, directory.clone())
			})?;
			Self::deposit_event(Event::MediatorAddedTrustedDirectory { mediator, directory });
			Ok(())
		}

		/// The calling mediator no longer trusts `directory`. Running matches are not affected.
		///
		/// Origin: signed. Lowers the storage deposit. Emits `MediatorRemovedTrustedDirectory`.
		/// Errors: `NotMediator`, `NotListed`.
		#[pallet::call_index(33)]
		pub fn mediator_remove_trusted_directory(
			origin: OriginFor<T>,
			directory: T::AccountId,
		) -> DispatchResult {
			let mediator = ensure_signed(origin)?;
			Self::edit::<MediatorRecordOf<T>>(&mediator, |record| {
				Self::remove_from(&mut record.trusted_directories, &directory)
			})?;
			Self::deposit_event(Event::MediatorRemovedTrustedDirectory { mediator, directory });
			Ok(())
		}

		/// The calling mediator supports `base_layer`.
		///
		/// Origin: signed. Raises the storage deposit. Emits `MediatorAddedSupportedBaseLayer`.
		/// Errors: `NotMediator`, `AlreadyListed`, `ListFull`, `Token(FundsUnavailable)`.
		#[pallet::call_index(34)]
		pub fn mediator_add_supported_base_layer(
			origin: OriginFor<T>,
			base_layer: BaseLayer,
		) -> DispatchResult {
			let mediator = ensure_signed(origin)?;
			Self::edit::<MediatorRecordOf<T>>(&mediator, |record| {
				Self::add_to(&mut record.base_layers, base_layer)
			})?;
			Self::deposit_event(Event::MediatorAddedSupportedBaseLayer { mediator, base_layer });
			Ok(())
		}

		/// The calling mediator no longer supports `base_layer`. Running matches are not affected.
		///
		/// Origin: signed. Lowers the storage deposit. Emits `MediatorRemovedSupportedBaseLayer`.
		/// Errors: `NotMediator`, `NotListed`.
		#[pallet::call_index(35)]
		pub fn mediator_remove_supported_base_layer(
			origin: OriginFor<T>,
			base_layer: BaseLayer,
		) -> DispatchResult {
			let mediator = ensure_signed(origin)?;
			Self::edit::<MediatorRecordOf<T>>(&mediator, |record| {
				Self::remove_from(&mut record.base_layers, &base_layer)
			})?;
			Self::deposit_event(Event::MediatorRemovedSupportedBaseLayer { mediator, base_layer });
			Ok(())
		}

		/// Registers the caller as a directory that answers at `endpoint` and charges each side of a match
		/// `availability_fee`.
		///
		/// Origin: signed. Holds a storage deposit. Emits `DirectoryRegistered`.
		/// Errors: `EndpointEmpty`, `EndpointTooLong`, `AlreadyRegistered`, `Token(FundsUnavailable)`.
		#[pallet::call_index(40)]
		pub fn register_directory(
			origin: OriginFor<T>,
			endpoint: Vec<u8>,
			availability_fee: Balance,
		) -> DispatchResult {
			let directory = ensure_signed(origin)?;
			let endpoint = Self::bounded_endpoint(endpoint)?;
			Self::do_register_directory(&directory, endpoint.clone(), availability_fee)?;
			Self::deposit_event(Event::DirectoryRegistered {
				directory,
				endpoint,
				availability_fee,
			});
			Ok(())
		}

		/// Ends the caller's role as a directory and returns its storage deposit.
		///
		/// Origin: signed. Emits `DirectoryDeregistered`. Errors: `NotDirectory`, `HasCommitments`.
		#[pallet::call_index(41)]
		pub fn deregister_directory(origin: OriginFor<T>) -> DispatchResult {
			let directory = ensure_signed(origin)?;
			Self::deregister::<DirectoryRecordOf<T>>(&directory)?;
			Self::deposit_event(Event::DirectoryDeregistered { directory });
			Ok(())
		}

		/// Offers a job that lies at `uri`.
		///
		/// Origin: a signed job creator. Holds v̂·(θ + n) + fees + incentive + `extra_deposit` under
		/// `HoldReason::JobOffer`. Emits `JobOfferPosted`.
		/// Errors: `NotJobCreator`, `UriEmpty`, `UriTooLong`, `ZeroResource`, `ZeroPrices`, `IncentiveTooSmall`,
		/// `DeadlineInPast`, `DeadlineTooFar`, `AmountTooLarge`, `Token(FundsUnavailable)`.
		#[pallet::call_index(50)]
		pub fn post_job_offer(
			origin: OriginFor<T>,
			terms: JobTermsOf<T>,
			uri: Vec<u8>,
			extra_deposit: Balance,
		) -> DispatchResult {
			let creator = ensure_signed(origin)?;
			Self::do_post_job_offer(creator, terms, uri, extra_deposit)
		}

		/// Takes an unmatched job offer back and frees its deposit.
		///
		/// Origin: its signed owner. Emits `JobOfferCanceled`.
		/// Errors: `JobOfferNotFound`, `NotOfferOwner`, `OfferAlreadyMatched`.
		#[pallet::call_index(51)]
		pub fn cancel_job_offer(origin: OriginFor<T>, job_offer: JobOfferId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_cancel_job_offer(who, job_offer)
		}

		/// Offers a resource for one match.
		///
		/// Origin: a signed resource provider. Holds v̂·(θ + n) + fees + incentive + `extra_deposit` under
		/// `HoldReason::ResourceOffer`. Emits `ResourceOfferPosted`.
		/// Errors: `NotResourceProvider`, `ZeroResource`, `ZeroPrices`, `IncentiveTooSmall`, `ExpiryInPast`,
		/// `AmountTooLarge`, `Token(FundsUnavailable)`.
		#[pallet::call_index(52)]
		pub fn post_resource_offer(
			origin: OriginFor<T>,
			terms: ResourceTerms,
			extra_deposit: Balance,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_post_resource_offer(provider, terms, extra_deposit)
		}

		/// Takes an unmatched resource offer back and frees its deposit.
		///
		/// Origin: its signed owner. Emits `ResourceOfferCanceled`.
		/// Errors: `ResourceOfferNotFound`, `NotOfferOwner`, `OfferAlreadyMatched`.
		#[pallet::call_index(53)]
		pub fn cancel_resource_offer(
			origin: OriginFor<T>,
			resource_offer: ResourceOfferId,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_cancel_resource_offer(who, resource_offer)
		}

		/// Matches two offers under a mediator. Both sides' incentives go to the caller, both holds are trimmed to
		/// v·(θ + n) + a_M + a_D + extra deposit, and the parameters in force are copied into the match.
		///
		/// Origin: anybody signed. Emits `Matched`.
		/// Errors: `JobOfferNotFound`, `ResourceOfferNotFound`, and one for each rule of docs/protocol.md §4: the
		/// first that is broken. The view function `broken_rules` gives all.
		#[pallet::call_index(60)]
		pub fn post_match(
			origin: OriginFor<T>,
			job_offer: JobOfferId,
			resource_offer: ResourceOfferId,
			mediator: T::AccountId,
		) -> DispatchResult {
			let solver = ensure_signed(origin)?;
			Self::do_post_match(solver, job_offer, resource_offer, mediator)
		}

		/// Reports how the job ended, not after the completion deadline. `uri` may be empty unless the job completed.
		///
		/// Origin: the match's signed provider. Emits `ResultPosted`.
		/// Errors: `MatchNotFound`, `NotProvider`, `NotRunning`, `CompletionDeadlinePassed`, `UsageAboveLimits`,
		/// `InstructionsWithoutRun`, `ResultHashMissing`, `ResultHashUnexpected`, `UriEmpty`, `UriTooLong`.
		#[pallet::call_index(61)]
		pub fn post_result(
			origin: OriginFor<T>,
			match_id: MatchId,
			status: ResultStatus,
			uri: Vec<u8>,
			result_hash: Hash,
			usage: Usage,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_post_result(who, match_id, Run { status, result_hash, usage }, uri)
		}

		/// Accepts the result, which ends the match: the provider is paid for its usage.
		///
		/// Origin: the match's signed creator, or its provider once the reaction deadline has passed.
		/// Emits `ResultReaction` and `MatchClosed`.
		/// Errors: `MatchNotFound`, `NotParty`, `NotAwaitingReaction`, `ReactionDeadlineNotPassed`.
		#[pallet::call_index(62)]
		pub fn accept_result(origin: OriginFor<T>, match_id: MatchId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_accept_result(who, match_id)
		}

		/// Rejects the result, not after the reaction deadline, which starts mediation.
		///
		/// Origin: the match's signed creator. Emits `ResultReaction` and `JobAssignedForMediation`.
		/// Errors: `MatchNotFound`, `NotCreator`, `NotAwaitingReaction`, `ReactionDeadlinePassed`.
		#[pallet::call_index(63)]
		pub fn reject_result(
			origin: OriginFor<T>,
			match_id: MatchId,
			reason: RejectReason,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_reject_result(who, match_id, reason)
		}

		/// Reports what the mediator found, not after the mediation deadline. The chain derives the verdict from it,
		/// which ends the match.
		///
		/// Origin: the match's signed mediator. Emits `MediationResultPosted` and `MatchClosed`.
		/// Errors: `MatchNotFound`, `NotMediatorOfMatch`, `NotMediating`, `MediationDeadlinePassed`,
		/// `WrongNumberOfRuns`, `InstructionsWithoutRun`, `ResultHashMissing`, `ResultHashUnexpected`,
		/// `NoResultToMiss`.
		#[pallet::call_index(64)]
		#[pallet::weight(T::WeightInfo::post_mediation_result(match evidence {
			Evidence::Runs(runs) => runs.len() as u32,
			_ => 0,
		}))]
		pub fn post_mediation_result(
			origin: OriginFor<T>,
			match_id: MatchId,
			evidence: Evidence,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_post_mediation_result(who, match_id, evidence)
		}

		/// Ends a match whose provider posted nothing until its completion deadline.
		///
		/// Origin: the match's signed creator. Emits `MatchClosed`.
		/// Errors: `MatchNotFound`, `NotCreator`, `NotRunning`, `CompletionDeadlineNotPassed`.
		#[pallet::call_index(65)]
		pub fn timeout(origin: OriginFor<T>, match_id: MatchId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_timeout(who, match_id)
		}

		/// Ends a match whose mediator posted nothing until its mediation deadline.
		///
		/// Origin: the match's signed creator or provider. Emits `MatchClosed`.
		/// Errors: `MatchNotFound`, `NotParty`, `NotMediating`, `MediationDeadlineNotPassed`.
		#[pallet::call_index(66)]
		pub fn timeout_mediation(origin: OriginFor<T>, match_id: MatchId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_timeout_mediation(who, match_id)
		}

		/// Does at once what the chain would do by itself when it has time: closes up to `limit` of the earliest
		/// deadlines whose grace has passed. For blocks that are always full.
		///
		/// Origin: anybody signed. Emits `JobOfferExpired`, `ResourceOfferExpired`, `ResultReaction`, `MatchClosed`.
		/// Errors: `NothingOverdue`, which costs no more than the look. A `limit` that no block has room for is refused
		/// before that, like every call that is too heavy.
		#[pallet::call_index(67)]
		#[pallet::weight(T::WeightInfo::close_overdue(*limit))]
		pub fn close_overdue(origin: OriginFor<T>, limit: u32) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let closed = Self::do_close_overdue(limit)
				.map_err(|error| error.with_weight(T::WeightInfo::close_overdue(0)))?;
			Ok(Some(T::WeightInfo::close_overdue(closed)).into())
		}
	}
}
