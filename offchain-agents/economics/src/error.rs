// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What can be wrong with a question put to the model.

use crate::parameters::Constraint;

/// Why the model refuses to answer. No function of this crate returns NaN or infinity instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EconomicsError {
	/// A probability is NaN or outside [0, 1].
	#[error("{name} is {value}, but a probability lies in [0, 1]")]
	NotAProbability {
		/// Which probability.
		name: &'static str,
		/// What was given.
		value: f64,
	},
	/// An amount of money is NaN, infinite, negative or absurdly large.
	#[error("{name} is {value}, but an amount is a number between 0 and {max:e}")]
	NotAnAmount {
		/// Which amount.
		name: &'static str,
		/// What was given.
		value: f64,
		/// The largest amount accepted.
		max: f64,
	},
	/// An integer parameter is out of its range.
	#[error("{name} is {value}, but must lie between {min} and {max}")]
	OutOfRange {
		/// Which parameter.
		name: &'static str,
		/// What was given.
		value: u64,
		/// The least value accepted.
		min: u64,
		/// The greatest value accepted.
		max: u64,
	},
	/// Constraints of the paper's Table 1 are broken.
	#[error("these parameters break the constraints of the game: {}", list(.0))]
	ConstraintsBroken(Vec<Constraint>),
	/// Executing does not pay for the provider even if every result is verified.
	#[error(
		"a provider gains {saving} by cheating and risks only {risk} when caught, so no \
		 verification rate deters it: raise the penalty rate, or pick a creator with a higher p_a"
	)]
	ProviderNotDeterred {
		/// c_e − c_d: what cheating saves.
		saving: f64,
		/// What a certain verification costs a cheating provider, compared with executing.
		risk: f64,
	},
	/// The creator does not mix: it has a dominant action, or is indifferent.
	#[error("there is no equilibrium in mixed strategies: {reason}")]
	NoMixedEquilibrium {
		/// Why not, in terms of the creator's verification cost.
		reason: &'static str,
	},
	/// No equilibrium in which the provider executes for certain.
	#[error(
		"there is no equilibrium in which the provider executes for certain: a creator of type \
		 {creator_type} mixes or never verifies"
	)]
	NoPureExecution {
		/// The paper's number of the creator's type.
		creator_type: u8,
	},
	/// The creator's verification cost equals one of its thresholds, so it has no type.
	#[error(
		"the creator has no type: its verification cost {verification_cost} equals a threshold at \
		 which it is indifferent between verifying and passing"
	)]
	NoCreatorType {
		/// c_v.
		verification_cost: f64,
	},
	/// If nothing is verified, p_a does not change the creator's utility.
	#[error(
		"every p_a is equally good for a creator that never verifies; give a verification rate \
		 above 0"
	)]
	NoUniqueOptimum,
	/// No penalty rate and verification count in the allowed ranges reach the wanted bound.
	#[error(
		"no penalty rate up to {max_penalty_rate} and verification count up to \
		 {max_verification_count} make p_a at least {wanted}: allow more, or ask for less"
	)]
	BoundOutOfReach {
		/// The wanted bound on p_a.
		wanted: f64,
		/// The greatest penalty rate that was allowed.
		max_penalty_rate: u32,
		/// The greatest verification count that was allowed.
		max_verification_count: u32,
	},
	/// A payoff of a game is NaN, infinite or too large to subtract from another.
	#[error("payoff {value} of a game is not a finite number of magnitude at most {max:e}")]
	NotAPayoff {
		/// What was given.
		value: f64,
		/// The greatest magnitude accepted.
		max: f64,
	},
	/// The rules of the market refused a match of the simulation.
	#[error("the market's rules refuse the simulated match: {reason}")]
	MarketRefuses {
		/// What the rules said.
		reason: String,
	},
	/// The population of a simulation makes no sense.
	#[error("the simulated population is unusable: {reason}")]
	BadPopulation {
		/// What is wrong with it.
		reason: String,
	},
	/// A picture could not be drawn.
	#[error("the picture {picture} could not be drawn: {reason}")]
	Picture {
		/// Name of the picture.
		picture: &'static str,
		/// What the drawing library said.
		reason: String,
	},
}

/// The broken constraints as one sentence.
fn list(constraints: &[Constraint]) -> String {
	constraints.iter().map(|constraint| constraint.explain()).collect::<Vec<_>>().join("; ")
}

/// Refuses what is not a probability.
pub(crate) fn probability(name: &'static str, value: f64) -> Result<f64, EconomicsError> {
	if (0.0..=1.0).contains(&value) {
		Ok(value)
	} else {
		Err(EconomicsError::NotAProbability { name, value })
	}
}
