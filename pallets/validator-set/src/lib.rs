// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub use pallet::*;
pub use session::Unidentified;
pub use weights::WeightInfo;

#[cfg(test)]
mod mock;
mod session;
#[cfg(test)]
mod tests;
pub mod weights;

#[cfg(any(feature = "try-runtime", test))]
use frame::deps::sp_runtime::TryRuntimeError;
use frame::prelude::*;

type AccountIdLookupOf<T> = <<T as frame_system::Config>::Lookup as StaticLookup>::Source;

const LOG_TARGET: &str = "runtime::validator-set";

#[frame::pallet]
pub mod pallet {
	use super::*;

	/// The storage version that this code reads and writes.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides. A validator is identified by its account.
	#[pallet::config]
	pub trait Config:
		frame_system::Config
		+ pallet_session::Config<ValidatorId = <Self as frame_system::Config>::AccountId>
		+ pallet_session::historical::Config<FullIdentification = ()>
	{
		/// Who may change the set and the length of a session.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// How many validators there can be at most.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// How many sessions back an offence can still be proven. Older proofs are pruned.
		#[pallet::constant]
		type ProvableSessions: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// The accounts that validate from the session after next on. Never empty after genesis.
	#[pallet::storage]
	pub type Validators<T: Config> =
		StorageValue<_, BoundedVec<T::AccountId, T::MaxValidators>, ValueQuery>;

	/// Length of a session in blocks, at least 1.
	#[pallet::storage]
	pub type SessionLength<T: Config> =
		StorageValue<_, BlockNumberFor<T>, ValueQuery, DefaultSessionLength<T>>;

	/// The session length of a chain whose genesis names none: 10 blocks.
	#[pallet::type_value]
	pub fn DefaultSessionLength<T: Config>() -> BlockNumberFor<T> {
		10u32.into()
	}

	/// What genesis sets. The first validators come from the genesis of `pallet_session`.
	#[pallet::genesis_config]
	#[derive(DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Length of a session in blocks; 0 leaves the default of 10.
		pub session_length: BlockNumberFor<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			if !self.session_length.is_zero() {
				SessionLength::<T>::put(self.session_length);
			}
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account joined the set and validates from the session after next on.
		ValidatorAdded {
			/// The new member.
			who: T::AccountId,
		},
		/// An account left the set and validates until the session after next.
		ValidatorRemoved {
			/// The former member.
			who: T::AccountId,
			/// Why it left.
			cause: RemovalCause,
		},
		/// An offence was proven, but its author is the last validator and stays.
		LastValidatorKept {
			/// The offender.
			who: T::AccountId,
		},
		/// Sessions have another length from now on.
		SessionLengthSet {
			/// Length in blocks.
			blocks: BlockNumberFor<T>,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is a member already. Nothing is to be done.
		AlreadyValidator,
		/// The account is not a member. Check the address.
		NotValidator,
		/// The account has no session keys. Its operator calls `session.set_keys` first.
		NoSessionKeys,
		/// The set is full. Remove a member first.
		TooManyValidators,
		/// The account is the last member, and the chain needs one. Add another first.
		LastValidator,
		/// The account still validates, or will in the next session. Resign, then wait two
		/// session changes.
		StillValidating,
		/// A session has at least one block.
		ZeroSessionLength,
	}

	/// Why an account left the set.
	#[derive(Clone, Copy, PartialEq, Eq, Debug)]
	#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
	pub enum RemovalCause {
		/// The admin origin removed it.
		#[codec(index = 0)]
		Admin,
		/// It resigned.
		#[codec(index = 1)]
		Resigned,
		/// It was proven to have equivocated.
		#[codec(index = 2)]
		Offence,
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Add an account to the set.
		///
		/// Origin: admin. Effect: the account validates from the session after next on. Event:
		/// `ValidatorAdded`. Errors: `AlreadyValidator`, `NoSessionKeys`, `TooManyValidators`.
		#[pallet::call_index(0)]
		pub fn add_validator(origin: OriginFor<T>, who: AccountIdLookupOf<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_add(T::Lookup::lookup(who)?)
		}

		/// Remove an account from the set.
		///
		/// Origin: admin. Effect: the account validates until the session after next. Event:
		/// `ValidatorRemoved`. Errors: `NotValidator`, `LastValidator`.
		#[pallet::call_index(1)]
		pub fn remove_validator(origin: OriginFor<T>, who: AccountIdLookupOf<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_remove(&T::Lookup::lookup(who)?, RemovalCause::Admin)
		}

		/// Leave the set.
		///
		/// Origin: a member. Effect, event and errors as of `remove_validator`.
		#[pallet::call_index(2)]
		pub fn resign(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_remove(&who, RemovalCause::Resigned)
		}

		/// Give up one's session keys and get their deposit back.
		///
		/// Origin: an account that validates nothing, now and in the next session. Errors:
		/// `StillValidating`, and those of `session.purge_keys`.
		#[pallet::call_index(3)]
		pub fn purge_keys(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin.clone())?;
			ensure!(!Self::is_needed(&who), Error::<T>::StillValidating);
			pallet_session::Pallet::<T>::purge_keys(origin)
		}

		/// Set the length of a session in blocks.
		///
		/// Origin: admin. Effect: the running session ends at the next block whose number the new
		/// length divides. Event: `SessionLengthSet`. Error: `ZeroSessionLength`.
		#[pallet::call_index(4)]
		pub fn set_session_length(
			origin: OriginFor<T>,
			blocks: BlockNumberFor<T>,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			ensure!(!blocks.is_zero(), Error::<T>::ZeroSessionLength);
			SessionLength::<T>::put(blocks);
			Self::deposit_event(Event::SessionLengthSet { blocks });
			Ok(())
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
			Self::do_try_state()
		}
	}
}

impl<T: Config> Pallet<T> {
	fn do_add(who: T::AccountId) -> DispatchResult {
		ensure!(Self::has_keys(&who), Error::<T>::NoSessionKeys);
		Validators::<T>::try_mutate(|validators| {
			ensure!(!validators.contains(&who), Error::<T>::AlreadyValidator);
			validators.try_push(who.clone()).map_err(|_| Error::<T>::TooManyValidators)
		})?;
		Self::deposit_event(Event::ValidatorAdded { who });
		Ok(())
	}

	fn do_remove(who: &T::AccountId, cause: RemovalCause) -> DispatchResult {
		Validators::<T>::try_mutate(|validators| {
			let position =
				validators.iter().position(|v| v == who).ok_or(Error::<T>::NotValidator)?;
			ensure!(validators.len() > 1, Error::<T>::LastValidator);
			validators.remove(position);
			Ok::<_, DispatchError>(())
		})?;
		Self::deposit_event(Event::ValidatorRemoved { who: who.clone(), cause });
		Ok(())
	}

	/// Whether the account has registered session keys.
	fn has_keys(who: &T::AccountId) -> bool {
		pallet_session::NextKeys::<T>::contains_key(who)
	}

	/// Whether the chain counts on the account's keys: as a member, or in a session that runs or
	/// is queued.
	fn is_needed(who: &T::AccountId) -> bool {
		Validators::<T>::get().contains(who)
			|| pallet_session::Validators::<T>::get().contains(who)
			|| pallet_session::QueuedKeys::<T>::get().iter().any(|(v, _)| v == who)
	}

	/// Invariants:
	///
	/// 1. The set is not empty.
	/// 2. No account is in it twice.
	/// 3. Every member has session keys.
	#[cfg(any(feature = "try-runtime", test))]
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let validators = Validators::<T>::get();
		ensure!(!validators.is_empty(), "1: the validator set is empty");
		let distinct: alloc::collections::BTreeSet<_> = validators.iter().collect();
		ensure!(distinct.len() == validators.len(), "2: an account is in the set twice");
		ensure!(validators.iter().all(Self::has_keys), "3: a member has no session keys");
		Ok(())
	}
}
