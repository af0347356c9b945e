// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Setting parameters.

use crate::{Config, CurrentParameters, Error, Pallet};
use frame::prelude::*;
use modicum_primitives::{ParameterError, Parameters};

impl<T: Config> Pallet<T> {
	/// Changes the parameters if the result is within its bounds. Running matches keep their copy.
	pub(crate) fn change_parameters(change: impl FnOnce(&mut Parameters)) -> DispatchResult {
		CurrentParameters::<T>::try_mutate(|parameters| {
			change(parameters);
			Ok(parameters.validate().map_err(Error::<T>::from)?)
		})
	}
}

impl<T> From<ParameterError> for Error<T> {
	fn from(error: ParameterError) -> Self {
		match error {
			ParameterError::PenaltyRate => Self::PenaltyRateOutOfBounds,
			ParameterError::VerificationCount => Self::VerificationCountOutOfBounds,
			ParameterError::ReactionDeadline => Self::ReactionDeadlineOutOfBounds,
			ParameterError::MediationDeadline => Self::MediationDeadlineOutOfBounds,
			ParameterError::CostTolerance => Self::CostToleranceOutOfBounds,
			ParameterError::AutoCloseGrace => Self::AutoCloseGraceOutOfBounds,
		}
	}
}
