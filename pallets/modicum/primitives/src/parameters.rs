// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What governance can set, and within which bounds. Source: docs/protocol.md §10.

use crate::{Balance, Meter, Moment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Largest penalty rate. Beyond it deposits are out of all proportion to what a job is worth.
pub const MAX_PENALTY_RATE: u32 = 10_000;
/// Least verification count: of a single run nothing can differ, so a job that is not deterministic would win every
/// dispute. See docs/adr/0104-two-runs-at-least.md.
pub const MIN_VERIFICATION_COUNT: u32 = 2;
/// Largest verification count; bounds the size of a mediator's evidence.
pub const MAX_VERIFICATION_COUNT: u32 = 16;
/// Longest reaction and mediation deadline: 30 days, in milliseconds. Bounds how long money can be kept.
pub const MAX_PERIOD: Moment = 30 * 24 * 60 * 60 * 1_000;
/// Longest grace before the chain acts by itself: 7 days, in milliseconds.
pub const MAX_GRACE: Moment = 7 * 24 * 60 * 60 * 1_000;
/// The unit of a cost tolerance.
pub const PARTS_PER_MILLION: u32 = 1_000_000;
/// Largest cost tolerance: the provider may claim twice what the mediator measured.
pub const MAX_COST_TOLERANCE: u32 = PARTS_PER_MILLION;

/// How far a provider's figures may lie above the mediator's largest, in parts per million, for each meter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostTolerances {
	/// For [`Meter::CpuTime`].
	pub cpu_time: u32,
	/// For [`Meter::HardwareInstructions`].
	pub hardware_instructions: u32,
	/// For [`Meter::WasmFuel`].
	pub wasm_fuel: u32,
}

impl Default for CostTolerances {
	/// 50 %, 2 % and none.
	fn default() -> Self {
		Self { cpu_time: 500_000, hardware_instructions: 20_000, wasm_fuel: 0 }
	}
}

impl CostTolerances {
	/// The tolerance of one meter, in parts per million.
	pub const fn of(&self, meter: Meter) -> u32 {
		match meter {
			Meter::CpuTime => self.cpu_time,
			Meter::HardwareInstructions => self.hardware_instructions,
			Meter::WasmFuel => self.wasm_fuel,
		}
	}

	/// Replaces the tolerance of one meter.
	pub fn set(&mut self, meter: Meter, parts_per_million: u32) {
		match meter {
			Meter::CpuTime => self.cpu_time = parts_per_million,
			Meter::HardwareInstructions => self.hardware_instructions = parts_per_million,
			Meter::WasmFuel => self.wasm_fuel = parts_per_million,
		}
	}
}

/// The parameters of the platform. A copy is kept in every match, so that a change never alters a running one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
	/// θ: how many times the value of a match each side has at stake.
	pub penalty_rate: u32,
	/// n: how often a mediator runs a disputed job.
	pub verification_count: u32,
	/// How long after a result it may be rejected, in milliseconds.
	pub reaction_deadline: Moment,
	/// How long a mediator has after the rejection, in milliseconds.
	pub mediation_deadline: Moment,
	/// The least that each side pays the solver.
	pub min_match_incentive: Balance,
	/// How far the provider's figures may lie above the mediator's.
	pub cost_tolerances: CostTolerances,
	/// How long after a deadline the chain acts by itself, in milliseconds.
	pub auto_close_grace: Moment,
}

impl Default for Parameters {
	/// The paper's θ = 50 and n = 2; 6 hours to react, 24 hours to mediate, 1 hour of grace; no least incentive.
	fn default() -> Self {
		const HOUR: Moment = 60 * 60 * 1_000;
		Self {
			penalty_rate: 50,
			verification_count: 2,
			reaction_deadline: 6 * HOUR,
			mediation_deadline: 24 * HOUR,
			min_match_incentive: 0,
			cost_tolerances: CostTolerances::default(),
			auto_close_grace: HOUR,
		}
	}
}

impl Parameters {
	/// Checks every bound of this module.
	///
	/// # Errors
	/// The first bound that is broken.
	pub fn validate(&self) -> Result<(), ParameterError> {
		check(1..=MAX_PENALTY_RATE, self.penalty_rate, ParameterError::PenaltyRate)?;
		check(
			MIN_VERIFICATION_COUNT..=MAX_VERIFICATION_COUNT,
			self.verification_count,
			ParameterError::VerificationCount,
		)?;
		check(1..=MAX_PERIOD, self.reaction_deadline, ParameterError::ReactionDeadline)?;
		check(1..=MAX_PERIOD, self.mediation_deadline, ParameterError::MediationDeadline)?;
		for meter in Meter::ALL {
			let tolerance = self.cost_tolerances.of(*meter);
			check(0..=MAX_COST_TOLERANCE, tolerance, ParameterError::CostTolerance)?;
		}
		check(0..=MAX_GRACE, self.auto_close_grace, ParameterError::AutoCloseGrace)
	}
}

fn check<N: PartialOrd>(
	allowed: core::ops::RangeInclusive<N>,
	value: N,
	error: ParameterError,
) -> Result<(), ParameterError> {
	if allowed.contains(&value) {
		Ok(())
	} else {
		Err(error)
	}
}

/// A parameter outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterError {
	/// θ is not between 1 and [`MAX_PENALTY_RATE`].
	PenaltyRate,
	/// n is not between [`MIN_VERIFICATION_COUNT`] and [`MAX_VERIFICATION_COUNT`].
	VerificationCount,
	/// Not between 1 ms and [`MAX_PERIOD`].
	ReactionDeadline,
	/// Not between 1 ms and [`MAX_PERIOD`].
	MediationDeadline,
	/// Above [`MAX_COST_TOLERANCE`].
	CostTolerance,
	/// Above [`MAX_GRACE`].
	AutoCloseGrace,
}

impl fmt::Display for ParameterError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::PenaltyRate => write!(f, "the penalty rate must be 1 to {MAX_PENALTY_RATE}"),
			Self::VerificationCount => {
				write!(
					f,
					"the verification count must be {MIN_VERIFICATION_COUNT} to {MAX_VERIFICATION_COUNT}"
				)
			},
			Self::ReactionDeadline => {
				write!(f, "the reaction deadline must be 1 to {MAX_PERIOD} milliseconds")
			},
			Self::MediationDeadline => {
				write!(f, "the mediation deadline must be 1 to {MAX_PERIOD} milliseconds")
			},
			Self::CostTolerance => {
				write!(f, "a cost tolerance must be at most {MAX_COST_TOLERANCE} parts per million")
			},
			Self::AutoCloseGrace => {
				write!(
					f,
					"the grace before automatic closing must be at most {MAX_GRACE} milliseconds"
				)
			},
		}
	}
}

impl core::error::Error for ParameterError {}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn defaults_are_the_papers_and_valid() {
		let parameters = Parameters::default();
		assert_eq!((parameters.penalty_rate, parameters.verification_count), (50, 2));
		assert_eq!(parameters.validate(), Ok(()));
	}

	#[test]
	fn each_bound_has_its_error() {
		let good = Parameters::default();
		let tolerance =
			CostTolerances { wasm_fuel: MAX_COST_TOLERANCE + 1, ..CostTolerances::default() };
		let cases = [
			(Parameters { penalty_rate: 0, ..good }, ParameterError::PenaltyRate),
			(
				Parameters { penalty_rate: MAX_PENALTY_RATE + 1, ..good },
				ParameterError::PenaltyRate,
			),
			(
				Parameters { verification_count: MIN_VERIFICATION_COUNT - 1, ..good },
				ParameterError::VerificationCount,
			),
			(
				Parameters { verification_count: MAX_VERIFICATION_COUNT + 1, ..good },
				ParameterError::VerificationCount,
			),
			(Parameters { reaction_deadline: 0, ..good }, ParameterError::ReactionDeadline),
			(
				Parameters { reaction_deadline: MAX_PERIOD + 1, ..good },
				ParameterError::ReactionDeadline,
			),
			(Parameters { mediation_deadline: 0, ..good }, ParameterError::MediationDeadline),
			(Parameters { cost_tolerances: tolerance, ..good }, ParameterError::CostTolerance),
			(
				Parameters { auto_close_grace: MAX_GRACE + 1, ..good },
				ParameterError::AutoCloseGrace,
			),
		];
		for (parameters, error) in cases {
			assert_eq!(parameters.validate(), Err(error));
		}
	}

	#[test]
	fn each_meter_has_its_own_tolerance() {
		let mut tolerances = CostTolerances::default();
		for (index, meter) in Meter::ALL.iter().enumerate() {
			tolerances.set(*meter, index as u32 + 7);
		}
		assert_eq!(
			tolerances,
			CostTolerances { cpu_time: 7, hardware_instructions: 8, wasm_fuel: 9 }
		);
		assert_eq!(tolerances.of(Meter::HardwareInstructions), 8);
	}
}
