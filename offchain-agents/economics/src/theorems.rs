// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Theorems 1 and 4 to 6 of the paper: the equilibria of each type of creator in closed form.

use serde::{Deserialize, Serialize};

use crate::equilibrium::Equilibrium;
use crate::error::{probability, EconomicsError};
use crate::parameters::Constraint;
use crate::stage::{CreatorType, Preferences, Stage};

/// What the paper's theorems say of a game.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
	/// The creator's type.
	pub creator_type: CreatorType,
	/// The number of the theorem that applies.
	pub theorem: u8,
	/// The equilibria it states: pure ones first.
	pub equilibria: Vec<Equilibrium>,
}

impl Prediction {
	/// The equilibrium in which both sides mix.
	///
	/// # Errors
	/// [`EconomicsError::NoMixedEquilibrium`] for types 1 and 4.
	pub fn mixed(&self) -> Result<Equilibrium, EconomicsError> {
		self.equilibria.iter().copied().find(Equilibrium::is_fully_mixed).ok_or(
			EconomicsError::NoMixedEquilibrium {
				reason: "a creator of type 1 or 4 does the same whatever the provider does",
			},
		)
	}

	/// The equilibrium in which nobody draws lots and the provider executes.
	///
	/// # Errors
	/// [`EconomicsError::NoPureExecution`] for types 3 and 4.
	pub fn pure_execution(&self) -> Result<Equilibrium, EconomicsError> {
		let executes = |e: &Equilibrium| e.is_pure() && e.row.low == 1.0;
		self.equilibria
			.iter()
			.copied()
			.find(executes)
			.ok_or(EconomicsError::NoPureExecution { creator_type: self.creator_type.number() })
	}
}

impl Prediction {
	/// The equilibria by the theorems of §5.2, of a creator that prefers to verify as
	/// `preferences` and its cost c_v say, and of a provider that `p_v` (Eq. 4) leaves indifferent.
	/// They presuppose that a provider whose result is verified for certain prefers to execute, and
	/// that deceiving is the cheaper action.
	///
	/// - Theorem 4 (type 1): ⟨execute, verify⟩.
	/// - Theorem 5 (type 2): ⟨execute, verify⟩, ⟨deceive, pass⟩ and a mixed one.
	/// - Theorem 6 (type 3): a mixed one.
	/// - Theorem 1 (type 4): ⟨deceive, pass⟩, whatever `p_v`; such a creator does not take part.
	///
	/// # Errors
	/// [`EconomicsError::NoCreatorType`] on a threshold, [`EconomicsError::NotAProbability`] for
	/// p_v.
	pub fn of(
		preferences: Preferences,
		verification_cost: f64,
		p_v: f64,
	) -> Result<Self, EconomicsError> {
		let p_v = probability("p_v", p_v)?;
		let creator_type = CreatorType::of(preferences, verification_cost)?;
		let both_execute = Equilibrium::point(1.0, 1.0);
		let both_idle = Equilibrium::point(0.0, 0.0);
		let mixed = || Equilibrium::point(preferences.indifferent_p_e(verification_cost), p_v);
		let (theorem, equilibria) = match creator_type {
			CreatorType::AlwaysVerifies => (4, vec![both_execute]),
			CreatorType::VerifiesExecution => (5, vec![both_execute, both_idle, mixed()]),
			CreatorType::VerifiesDeception => (6, vec![mixed()]),
			CreatorType::AlwaysPasses => (1, vec![both_idle]),
		};
		Ok(Self { creator_type, theorem, equilibria })
	}
}

impl Stage {
	/// [`Prediction::of`] this game.
	///
	/// # Errors
	/// [`EconomicsError::ConstraintsBroken`] if cheating saves nothing,
	/// [`EconomicsError::NoCreatorType`] on a threshold, and
	/// [`EconomicsError::ProviderNotDeterred`] for types 1 to 3: Theorem 1 needs no deterrence.
	pub fn predict(&self) -> Result<Prediction, EconomicsError> {
		if self.parameters().saving() <= 0.0 {
			return Err(EconomicsError::ConstraintsBroken(vec![Constraint::DeceptionSaves]));
		}
		let p_v = match self.creator_type()? {
			CreatorType::AlwaysPasses => 1.0,
			_ => self.indifferent_p_v()?,
		};
		Prediction::of(self.creator_preferences(), self.parameters().verification_cost, p_v)
	}
}
