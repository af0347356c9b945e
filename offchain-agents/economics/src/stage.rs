// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Figs. 3 and 4 and Tables 2 to 4 of the paper: what every course of a job is worth to both sides,
//! once the creator has chosen p_a.

use serde::{Deserialize, Serialize};

use crate::equilibrium::Bimatrix;
use crate::error::{probability, EconomicsError};
use crate::parameters::Parameters;

/// The seven ends of a job in Fig. 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
	/// o1: the provider cheats, the creator verifies, the mediator faults the creator.
	CheatedButCreatorFaulted,
	/// o2: the provider cheats, the creator verifies, the mediator faults the provider.
	CheatedAndProviderFaulted,
	/// o3: the provider cheats and the creator pays unseen.
	CheatedAndPaid,
	/// o4: the provider executes and the creator pays unseen.
	ExecutedAndPaid,
	/// o5: the provider executes, the creator verifies and pays.
	ExecutedVerifiedAndPaid,
	/// o6: the provider executes, the creator disputes, the mediator faults the creator.
	ExecutedAndCreatorFaulted,
	/// o7: the provider executes, the creator disputes, the mediator faults the provider.
	ExecutedButProviderFaulted,
}

impl Outcome {
	/// o1 to o7 in the paper's order.
	pub const ALL: [Self; 7] = [
		Self::CheatedButCreatorFaulted,
		Self::CheatedAndProviderFaulted,
		Self::CheatedAndPaid,
		Self::ExecutedAndPaid,
		Self::ExecutedVerifiedAndPaid,
		Self::ExecutedAndCreatorFaulted,
		Self::ExecutedButProviderFaulted,
	];

	/// True if the provider executed the job.
	pub fn executed(&self) -> bool {
		!matches!(
			self,
			Self::CheatedButCreatorFaulted | Self::CheatedAndProviderFaulted | Self::CheatedAndPaid
		)
	}

	/// True if the creator verified the result.
	pub fn verified(&self) -> bool {
		!matches!(self, Self::CheatedAndPaid | Self::ExecutedAndPaid)
	}
}

/// What one outcome is worth to one party (a row of Fig. 4).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payoff {
	/// What the contract moves: payments, fees and lost deposits.
	pub contract: f64,
	/// What happens outside it: the benefit of the job and the costs of computing.
	pub own: f64,
}

impl Payoff {
	/// The reward r of Fig. 4.
	pub fn reward(&self) -> f64 {
		self.contract + self.own
	}
}

impl Parameters {
	/// The provider's row of Fig. 4.
	pub fn provider_payoff(&self, outcome: Outcome) -> Payoff {
		let contract = match outcome {
			Outcome::CheatedButCreatorFaulted | Outcome::ExecutedAndCreatorFaulted => {
				self.deception_payout
			},
			Outcome::CheatedAndProviderFaulted | Outcome::ExecutedButProviderFaulted => {
				-self.deposit()
			},
			Outcome::CheatedAndPaid
			| Outcome::ExecutedAndPaid
			| Outcome::ExecutedVerifiedAndPaid => self.price,
		};
		let own = if outcome.executed() { self.execution_cost } else { self.deception_cost };
		Payoff { contract: contract - self.provider_cost - self.availability_fees, own: -own }
	}

	/// The creator's row of Fig. 4.
	pub fn creator_payoff(&self, outcome: Outcome) -> Payoff {
		let contract = match outcome {
			Outcome::CheatedButCreatorFaulted | Outcome::ExecutedAndCreatorFaulted => {
				-self.deposit() - self.mediation_cost
			},
			Outcome::CheatedAndProviderFaulted | Outcome::ExecutedButProviderFaulted => {
				self.deception_payout - self.mediation_cost
			},
			Outcome::CheatedAndPaid
			| Outcome::ExecutedAndPaid
			| Outcome::ExecutedVerifiedAndPaid => -self.price,
		};
		let benefit = if outcome.executed() { self.benefit } else { 0.0 };
		let verification = if outcome.verified() { self.verification_cost } else { 0.0 };
		Payoff {
			contract: contract - self.creator_cost - self.availability_fees,
			own: benefit - verification,
		}
	}

	/// The game that remains once the creator has chosen p_a.
	///
	/// # Errors
	/// [`EconomicsError::NotAProbability`] for p_a, and those of [`Parameters::check_numbers`].
	pub fn stage(&self, p_a: f64) -> Result<Stage, EconomicsError> {
		self.check_numbers()?;
		Ok(Stage { parameters: *self, p_a: probability("p_a", p_a)? })
	}
}

/// One party's utility for each of the four pairs of actions (Tables 2 and 3).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Utilities {
	/// Provider executes, creator verifies (EV).
	pub execute_verify: f64,
	/// Provider executes, creator passes (EP).
	pub execute_pass: f64,
	/// Provider deceives, creator verifies (DV).
	pub deceive_verify: f64,
	/// Provider deceives, creator passes (DP).
	pub deceive_pass: f64,
}

impl Utilities {
	/// The mean if the provider executes with `p_e` and the creator verifies with `p_v`.
	pub fn mean(&self, p_e: f64, p_v: f64) -> f64 {
		p_v * (p_e * self.execute_verify + (1.0 - p_e) * self.deceive_verify)
			+ (1.0 - p_v) * (p_e * self.execute_pass + (1.0 - p_e) * self.deceive_pass)
	}
}

/// Table 4: what verifying is worth to the creator before its own cost c_v. It prefers to verify
/// where the value exceeds c_v.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preferences {
	/// P_EV: against a provider that executes.
	pub execute: f64,
	/// P_DV: against a provider that deceives.
	pub deceive: f64,
}

impl Preferences {
	/// p_e: the execution rate that leaves a creator with this verification cost indifferent (Eq.
	/// 5), (P_DV − c_v) / (P_DV − P_EV); in the paper's terms (K − c_v) / (p_a·K). It lies between 0
	/// and 1 for types 2 and 3 only.
	pub(crate) fn indifferent_p_e(&self, verification_cost: f64) -> f64 {
		(self.deceive - verification_cost) / (self.deceive - self.execute)
	}
}

/// The four types of creator (§5.2, Table 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreatorType {
	/// Type 1: verifies whatever the provider does.
	AlwaysVerifies,
	/// Type 2: verifies against an executing provider, passes against a deceiving one. Cannot occur
	/// with the payoffs of Table 4 (docs/economics.md).
	VerifiesExecution,
	/// Type 3: passes against an executing provider, verifies against a deceiving one.
	VerifiesDeception,
	/// Type 4: passes whatever the provider does.
	AlwaysPasses,
}

impl CreatorType {
	/// The paper's number of the type.
	pub fn number(&self) -> u8 {
		match self {
			Self::AlwaysVerifies => 1,
			Self::VerifiesExecution => 2,
			Self::VerifiesDeception => 3,
			Self::AlwaysPasses => 4,
		}
	}

	/// The type of a creator with these preferences and this verification cost.
	///
	/// # Errors
	/// [`EconomicsError::NoCreatorType`] if it is indifferent somewhere.
	pub fn of(preferences: Preferences, verification_cost: f64) -> Result<Self, EconomicsError> {
		let Preferences { execute, deceive } = preferences;
		if execute == verification_cost || deceive == verification_cost {
			return Err(EconomicsError::NoCreatorType { verification_cost });
		}
		Ok(match (execute > verification_cost, deceive > verification_cost) {
			(true, true) => Self::AlwaysVerifies,
			(true, false) => Self::VerifiesExecution,
			(false, true) => Self::VerifiesDeception,
			(false, false) => Self::AlwaysPasses,
		})
	}
}

/// The simultaneous game of provider and creator after the creator has chosen p_a.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stage {
	parameters: Parameters,
	p_a: f64,
}

impl Stage {
	/// The parameters the game is played under.
	pub fn parameters(&self) -> &Parameters {
		&self.parameters
	}

	/// p_a: how likely a correct execution gives a result that the creator does not dispute.
	pub fn p_a(&self) -> f64 {
		self.p_a
	}

	/// p_a^n: how likely all n runs of the mediator look normal, so that the mediator believes the
	/// creator.
	pub fn p_unnoticed(&self) -> f64 {
		self.p_a.powf(self.parameters.n())
	}

	/// How likely each outcome is, in the order of [`Outcome::ALL`], for a pair of actions (Fig.
	/// 3).
	pub fn outcome_probabilities(&self, executes: bool, verifies: bool) -> [f64; 7] {
		let believed = self.p_unnoticed();
		let disputed = 1.0 - self.p_a;
		match (executes, verifies) {
			(false, true) => [1.0 - believed, believed, 0.0, 0.0, 0.0, 0.0, 0.0],
			(false, false) => [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
			(true, false) => [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
			(true, true) => {
				[0.0, 0.0, 0.0, 0.0, self.p_a, disputed * (1.0 - believed), disputed * believed]
			},
		}
	}

	/// The mean of `payoff` over the outcomes of each pair of actions (Eq. 3).
	fn expect(&self, payoff: impl Fn(Outcome) -> Payoff) -> Utilities {
		let mean = |executes, verifies| {
			let probabilities = self.outcome_probabilities(executes, verifies);
			let terms = Outcome::ALL.iter().zip(probabilities);
			terms.map(|(outcome, probability)| probability * payoff(*outcome).reward()).sum()
		};
		Utilities {
			execute_verify: mean(true, true),
			execute_pass: mean(true, false),
			deceive_verify: mean(false, true),
			deceive_pass: mean(false, false),
		}
	}

	/// Table 2, reckoned as Eq. 3 does: the mean of Fig. 4 over Fig. 3.
	pub fn provider_utilities(&self) -> Utilities {
		self.expect(|outcome| self.parameters.provider_payoff(outcome))
	}

	/// Table 3, reckoned as Eq. 3 does: the mean of Fig. 4 over Fig. 3.
	pub fn creator_utilities(&self) -> Utilities {
		self.expect(|outcome| self.parameters.creator_payoff(outcome))
	}

	/// Table 4. With K = π_c + π_d − g_m − (1 − p_a^n)(d + π_d), P_DV = K and P_EV = (1 − p_a)·K.
	pub fn creator_preferences(&self) -> Preferences {
		let parameters = &self.parameters;
		let deceive = parameters.dispute_gain() - (1.0 - self.p_unnoticed()) * parameters.stake();
		Preferences { execute: (1.0 - self.p_a) * deceive, deceive }
	}

	/// The creator's type under these parameters.
	///
	/// # Errors
	/// [`EconomicsError::NoCreatorType`] if it is indifferent somewhere.
	pub fn creator_type(&self) -> Result<CreatorType, EconomicsError> {
		CreatorType::of(self.creator_preferences(), self.parameters.verification_cost)
	}

	/// What a provider that deceives loses against one that executes if the creator verifies for
	/// certain, the saved cost aside: p_a·(π_c − π_d) + p_a^(n+1)·(d + π_d). With π_d = π_c and
	/// d = π_c(θ + n) it is p_a^(n+1)·π_c·(θ + n + 1).
	pub fn deterrence(&self) -> f64 {
		let parameters = &self.parameters;
		self.p_a * (parameters.price - parameters.deception_payout)
			+ self.p_a * self.p_unnoticed() * parameters.stake()
	}

	/// p_v: the verification rate that leaves the provider indifferent (Eq. 4), (c_e − c_d) divided
	/// by
	/// [`Self::deterrence`]. A creator that verifies more often makes executing the better choice.
	///
	/// # Errors
	/// [`EconomicsError::ProviderNotDeterred`] if even p_v = 1 would not make executing better.
	pub fn indifferent_p_v(&self) -> Result<f64, EconomicsError> {
		let saving = self.parameters.saving().max(0.0);
		let risk = self.deterrence();
		if risk > saving {
			Ok(saving / risk)
		} else {
			Err(EconomicsError::ProviderNotDeterred { saving, risk })
		}
	}

	/// The verification rate of a creator that does not know the provider's costs: Eq. 4 with
	/// c_e = π_c and c_d = 0, above which no provider gains by cheating (docs/protocol.md §13).
	/// Creators draw with it.
	///
	/// # Errors
	/// [`EconomicsError::ProviderNotDeterred`] if even p_v = 1 would not deter every provider.
	pub fn cautious_p_v(&self) -> Result<f64, EconomicsError> {
		let (saving, risk) = (self.parameters.price, self.deterrence());
		if risk > saving {
			Ok(saving / risk)
		} else {
			Err(EconomicsError::ProviderNotDeterred { saving, risk })
		}
	}

	/// p_e: the execution rate that leaves the creator indifferent (Eq. 5), (K − c_v) / (p_a·K).
	///
	/// # Errors
	/// [`EconomicsError::NoMixedEquilibrium`] unless the creator is of type 2 or 3.
	pub fn indifferent_p_e(&self) -> Result<f64, EconomicsError> {
		let reason = match self.creator_type() {
			Ok(CreatorType::VerifiesDeception | CreatorType::VerifiesExecution) => {
				let cost = self.parameters.verification_cost;
				return Ok(self.creator_preferences().indifferent_p_e(cost));
			},
			Ok(CreatorType::AlwaysVerifies) => {
				"verifying is so cheap that the creator always verifies (type 1)"
			},
			Ok(CreatorType::AlwaysPasses) => {
				"verifying costs the creator more than it can gain, so it never verifies (type 4)"
			},
			Err(_) => "the creator is indifferent at its threshold, so it has no type",
		};
		Err(EconomicsError::NoMixedEquilibrium { reason })
	}

	/// The same game without what no choice of provider or creator changes: the fees, the costs of
	/// taking part, and the benefit, which only the other side decides about. Its best replies are
	/// the same, and no digits are lost to a benefit that is large beside the price.
	pub(crate) fn without_constants(&self) -> Self {
		let parameters = Parameters {
			availability_fees: 0.0,
			provider_cost: 0.0,
			creator_cost: 0.0,
			benefit: 0.0,
			..self.parameters
		};
		Self { parameters, ..*self }
	}

	/// The 2×2 game: rows are the provider's execute and deceive, columns the creator's verify and
	/// pass. What no choice changes (fees, costs of taking part, the benefit) is left out of its
	/// payoffs.
	pub fn game(&self) -> Bimatrix {
		let game = self.without_constants();
		let table = |utilities: Utilities| {
			[
				[utilities.execute_verify, utilities.execute_pass],
				[utilities.deceive_verify, utilities.deceive_pass],
			]
		};
		Bimatrix::new(table(game.provider_utilities()), table(game.creator_utilities()))
			.expect("payoffs are sums of a few products of at most MAX_AMOUNT and 2^33; qed")
	}

	/// How often a job ends in mediation: the creator verifies, and either the provider deceived or
	/// the result of an honest run looked abnormal. The paper gives p_v·(1 − p_a), which is the
	/// case p_e = 1.
	pub fn mediation_rate(&self, p_e: f64, p_v: f64) -> f64 {
		p_v * (p_e * (1.0 - self.p_a) + (1.0 - p_e))
	}
}
