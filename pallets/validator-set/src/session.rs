// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What `pallet_session` and `pallet_offences` ask of this pallet.

use super::*;
use alloc::vec::Vec;
use frame::{deps::sp_runtime::traits::One, traits::Get};
use pallet_session::historical;
use sp_staking::{
	offence::{OffenceDetails, OnOffenceHandler},
	SessionIndex,
};

impl<T: Config> pallet_session::SessionManager<T::AccountId> for Pallet<T> {
	/// The members that have keys, or `None` (the present validators go on) if none has.
	fn new_session(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		let validators: Vec<_> =
			Validators::<T>::get().into_iter().filter(Self::has_keys).collect();
		if validators.is_empty() {
			log::error!(target: LOG_TARGET, "no member has session keys: the validators stay");
			return None;
		}
		Some(validators)
	}

	/// At genesis the set is made of the accounts that have keys.
	fn new_session_genesis(index: SessionIndex) -> Option<Vec<T::AccountId>> {
		if Validators::<T>::get().is_empty() {
			let members: Vec<_> = pallet_session::NextKeys::<T>::iter_keys().collect();
			let bounded = BoundedVec::try_from(members)
				.expect("the genesis names at most `MaxValidators` validators");
			Validators::<T>::put(bounded);
		}
		<Self as pallet_session::SessionManager<_>>::new_session(index)
	}

	fn start_session(_: SessionIndex) {}

	fn end_session(index: SessionIndex) {
		if let Some(up_to) = index.checked_sub(T::ProvableSessions::get()) {
			historical::Pallet::<T>::prune_up_to(up_to);
		}
	}
}

/// A validator is its account: there is nothing more to identify, whoever it is.
pub struct Unidentified;

impl<A> Convert<A, Option<()>> for Unidentified {
	fn convert(_: A) -> Option<()> {
		Some(())
	}
}

fn identified<A>(validators: Vec<A>) -> Vec<(A, ())> {
	validators.into_iter().map(|validator| (validator, ())).collect()
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
	fn new_session(index: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		<Self as pallet_session::SessionManager<_>>::new_session(index).map(identified)
	}

	fn new_session_genesis(index: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		<Self as pallet_session::SessionManager<_>>::new_session_genesis(index).map(identified)
	}

	fn start_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(index)
	}

	fn end_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(index)
	}
}

impl<T: Config> pallet_session::ShouldEndSession<BlockNumberFor<T>> for Pallet<T> {
	fn should_end_session(now: BlockNumberFor<T>) -> bool {
		(now % SessionLength::<T>::get()).is_zero()
	}
}

impl<T: Config> EstimateNextSessionRotation<BlockNumberFor<T>> for Pallet<T> {
	fn average_session_length() -> BlockNumberFor<T> {
		SessionLength::<T>::get()
	}

	fn estimate_current_session_progress(now: BlockNumberFor<T>) -> (Option<Permill>, Weight) {
		let length = SessionLength::<T>::get();
		let elapsed = now % length + One::one();
		(Some(Permill::from_rational(elapsed, length)), T::DbWeight::get().reads(1))
	}

	fn estimate_next_session_rotation(
		now: BlockNumberFor<T>,
	) -> (Option<BlockNumberFor<T>>, Weight) {
		let length = SessionLength::<T>::get();
		(Some(now - now % length + length), T::DbWeight::get().reads(1))
	}
}

impl<T, R> OnOffenceHandler<R, (T::AccountId, ()), Weight> for Pallet<T>
where
	T: Config,
{
	/// A proven offence removes its author from the set; the last member stays.
	fn on_offence(
		offenders: &[OffenceDetails<R, (T::AccountId, ())>],
		_slash_fraction: &[Perbill],
		_session: SessionIndex,
	) -> Weight {
		for OffenceDetails { offender: (who, ()), .. } in offenders {
			match Self::do_remove(who, RemovalCause::Offence) {
				Ok(()) => log::warn!(target: LOG_TARGET, "{who:?} removed for an offence"),
				Err(e) if e == Error::<T>::LastValidator.into() => {
					log::error!(target: LOG_TARGET, "{who:?} offended but is the last validator");
					Self::deposit_event(Event::LastValidatorKept { who: who.clone() });
				},
				// It has left already: the offence was committed before.
				Err(_) => {},
			}
		}
		T::DbWeight::get().reads_writes(offenders.len() as u64, offenders.len() as u64)
	}
}
