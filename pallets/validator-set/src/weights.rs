// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls. Estimated from the storage items that each call touches, not measured:
//! the calls are rare and made by the admin origin or by validators.

use frame::weights_prelude::*;

/// What each call costs at most.
pub trait WeightInfo {
	/// Weight of `add_validator`.
	fn add_validator() -> Weight;
	/// Weight of `remove_validator`.
	fn remove_validator() -> Weight;
	/// Weight of `resign`.
	fn resign() -> Weight;
	/// Weight of `purge_keys`.
	fn purge_keys() -> Weight;
	/// Weight of `set_session_length`.
	fn set_session_length() -> Weight;
}

/// The weights for a runtime, by its own database weights.
pub struct EstimatedWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> EstimatedWeight<T> {
	/// Computation and proof size allowed for, with `reads` and `writes` on top.
	fn touching(reads: u64, writes: u64) -> Weight {
		Weight::from_parts(30_000_000, 20_000)
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}
}

impl<T: frame_system::Config> WeightInfo for EstimatedWeight<T> {
	fn add_validator() -> Weight {
		Self::touching(2, 1)
	}
	fn remove_validator() -> Weight {
		Self::touching(1, 1)
	}
	fn resign() -> Weight {
		Self::touching(1, 1)
	}
	// The set, two lists of sessions, then the keys: one entry and its owner for each key type,
	// the account and its hold.
	fn purge_keys() -> Weight {
		Self::touching(10, 7)
	}
	fn set_session_length() -> Weight {
		Self::touching(0, 1)
	}
}

impl WeightInfo for () {
	fn add_validator() -> Weight {
		Weight::zero()
	}
	fn remove_validator() -> Weight {
		Weight::zero()
	}
	fn resign() -> Weight {
		Weight::zero()
	}
	fn purge_keys() -> Weight {
		Weight::zero()
	}
	fn set_session_length() -> Weight {
		Weight::zero()
	}
}
