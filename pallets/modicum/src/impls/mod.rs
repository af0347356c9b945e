// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the calls do, one file for each part of a job's life.

mod deadlines;
mod matching;
mod mediation;
mod offers;
mod parameters;
mod registration;
mod results;
mod settlement;
#[cfg(any(feature = "try-runtime", test))]
pub(crate) mod try_state;

pub(crate) use matching::Pair;

use crate::{Config, Pallet};
use frame::traits::Time;
use modicum_primitives::Moment;

impl<T: Config> Pallet<T> {
	/// The time of this block, in milliseconds since the Unix epoch.
	pub(crate) fn now() -> Moment {
		T::Time::now()
	}
}
