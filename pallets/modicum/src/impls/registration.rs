// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Roles, trust lists and what keeps an account from leaving. Source: docs/protocol.md §2.

use crate::{
	types::{AccountIdOf, Role},
	Config, DirectoryRecordOf, Error, JobCreatorRecordOf, MediatorRecordOf, Pallet,
	ResourceProviderRecordOf,
};
use alloc::vec::Vec;
use frame::{deps::frame_support::storage::StorageMap, prelude::*};
use modicum_primitives::{Architecture, Balance, BaseLayer, Moment};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register_job_creator(who: &T::AccountId) -> DispatchResult {
		Self::register(who, 0, |ticket| JobCreatorRecordOf::<T> {
			trusted_mediators: BoundedVec::new(),
			commitments: 0,
			ticket,
		})
	}

	pub(crate) fn do_register_resource_provider(
		who: &T::AccountId,
		architecture: Architecture,
		time_per_billion_instructions: Moment,
	) -> DispatchResult {
		ensure!(time_per_billion_instructions > 0, Error::<T>::ZeroInstructionTime);
		Self::register(who, 0, |ticket| ResourceProviderRecordOf::<T> {
			architecture,
			time_per_billion_instructions,
			trusted_mediators: BoundedVec::new(),
			trusted_directories: BoundedVec::new(),
			base_layers: BoundedVec::new(),
			commitments: 0,
			ticket,
		})
	}

	pub(crate) fn do_register_mediator(
		who: &T::AccountId,
		architecture: Architecture,
		availability_fee: Balance,
	) -> DispatchResult {
		Self::register(who, 0, |ticket| MediatorRecordOf::<T> {
			architecture,
			availability_fee,
			trusted_directories: BoundedVec::new(),
			base_layers: BoundedVec::new(),
			commitments: 0,
			ticket,
		})
	}

	pub(crate) fn do_register_directory(
		who: &T::AccountId,
		endpoint: crate::EndpointOf<T>,
		availability_fee: Balance,
	) -> DispatchResult {
		Self::register(who, endpoint.len(), |ticket| DirectoryRecordOf::<T> {
			endpoint,
			availability_fee,
			commitments: 0,
			ticket,
		})
	}

	/// Checks the length of a directory's endpoint.
	pub(crate) fn bounded_endpoint(
		endpoint: Vec<u8>,
	) -> Result<crate::EndpointOf<T>, DispatchError> {
		ensure!(!endpoint.is_empty(), Error::<T>::EndpointEmpty);
		Ok(endpoint.try_into().map_err(|_| Error::<T>::EndpointTooLong)?)
	}

	/// Takes the account out of its role and gives its storage deposit back.
	pub(crate) fn deregister<R: Role<T>>(who: &T::AccountId) -> DispatchResult {
		let mut record = R::Records::take(who).ok_or_else(R::not_registered)?;
		ensure!(*record.commitments() == 0, Error::<T>::HasCommitments);
		Self::return_storage_deposit(record.ticket().clone(), who)
	}

	/// Changes a list of the account's record and adjusts its storage deposit.
	pub(crate) fn edit<R: Role<T>>(
		who: &T::AccountId,
		change: impl FnOnce(&mut R) -> DispatchResult,
	) -> DispatchResult {
		R::Records::try_mutate(who, |slot| {
			let record = slot.as_mut().ok_or_else(R::not_registered)?;
			change(record)?;
			let bytes = record.variable_bytes();
			let ticket = record.ticket();
			*ticket = Self::adjust_storage_deposit(ticket.clone(), who, bytes)?;
			Ok(())
		})
	}

	/// Appends `item`, which must be new and find room.
	pub(crate) fn add_to<Item: PartialEq, Bound: Get<u32>>(
		list: &mut BoundedVec<Item, Bound>,
		item: Item,
	) -> DispatchResult {
		ensure!(!list.contains(&item), Error::<T>::AlreadyListed);
		Ok(list.try_push(item).map_err(|_| Error::<T>::ListFull)?)
	}

	/// Takes `item` out, keeping the order of the others.
	pub(crate) fn remove_from<Item: PartialEq, Bound: Get<u32>>(
		list: &mut BoundedVec<Item, Bound>,
		item: &Item,
	) -> DispatchResult {
		let index = list.iter().position(|other| other == item).ok_or(Error::<T>::NotListed)?;
		list.remove(index);
		Ok(())
	}

	/// Bytes that lists of so many accounts and base layers take.
	pub(crate) fn list_bytes(accounts: usize, base_layers: usize) -> usize {
		let account = AccountIdOf::<T>::max_encoded_len();
		let base_layer = BaseLayer::max_encoded_len();
		accounts.saturating_mul(account).saturating_add(base_layers.saturating_mul(base_layer))
	}

	/// Counts one more offer or match that the account is needed for.
	pub(crate) fn commit<R: Role<T>>(who: &T::AccountId) -> DispatchResult {
		R::Records::try_mutate(who, |slot| {
			let commitments = slot.as_mut().ok_or_else(R::not_registered)?.commitments();
			*commitments = commitments.checked_add(1).ok_or(ArithmeticError::Overflow)?;
			Ok(())
		})
	}

	/// Counts one less. The record is there: it cannot leave before the count is zero.
	pub(crate) fn uncommit<R: Role<T>>(who: &T::AccountId) {
		R::Records::mutate(who, |slot| {
			if let Some(record) = slot.as_mut().defensive() {
				record.commitments().defensive_saturating_dec();
			}
		});
	}

	fn register<R: Role<T>>(
		who: &T::AccountId,
		bytes: usize,
		record: impl FnOnce(T::Consideration) -> R,
	) -> DispatchResult {
		ensure!(!R::Records::contains_key(who), Error::<T>::AlreadyRegistered);
		let ticket = Self::take_storage_deposit(who, bytes)?;
		R::Records::insert(who, record(ticket));
		Ok(())
	}
}
