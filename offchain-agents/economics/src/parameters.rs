// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Table 1 of the paper: the parameters of the game and the constraints between them.

use serde::{Deserialize, Serialize};

use crate::error::EconomicsError;

/// The greatest amount of money the model accepts, above any balance of the chain (2^128).
pub const MAX_AMOUNT: f64 = 1e39;

/// The greatest verification count n the model accepts; far above what the chain permits.
pub const MAX_VERIFICATION_COUNT: u32 = 10_000;

/// Penalty rate θ the chain starts with (docs/protocol.md §1).
pub const DEFAULT_PENALTY_RATE: u32 = 50;

/// Verification count n the chain starts with (docs/protocol.md §1).
pub const DEFAULT_VERIFICATION_COUNT: u32 = 2;

/// The parameters of Table 1. Amounts may be in any unit of money, the same for all of them.
///
/// Two symbols of the paper carry two meanings each, and this crate settles them as the chain does:
/// the deposit `d` of Fig. 4 and Tables 2–3 is [`Parameters::deposit`], *without* π_a, because
/// those tables subtract π_a separately; and what a party pays the solver is part of g_j and g_r,
/// not of π_a.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
	/// θ: how many times the price a faulty party loses as penalty. The chain asks for at least 1;
	/// the model allows 0 because the paper's Fig. 5 uses it.
	pub penalty_rate: u32,
	/// n: how often the mediator runs a disputed job, 1 to [`MAX_VERIFICATION_COUNT`].
	pub verification_count: u32,
	/// π_c: what the creator pays for a completed job.
	pub price: f64,
	/// π̂_c: the most that this match can ever bill (the match value v of docs/protocol.md §1).
	/// Deposits are reckoned from it (Eq. 2). The paper's tables take it to be equal to π_c.
	pub price_limit: f64,
	/// π_r: what the provider asks for the job.
	pub asking_price: f64,
	/// Pledged by each side on top of the minimum deposit (the paper's d ≥ d_min).
	pub extra_deposit: f64,
	/// π_a: what the mediator and the directory together charge each side for being available.
	pub availability_fees: f64,
	/// g_m: what it costs a creator to ask for mediation.
	pub mediation_cost: f64,
	/// g_r: what it costs a provider to take part, the solver's incentive included.
	pub provider_cost: f64,
	/// g_j: what it costs a creator to take part, the solver's incentive included.
	pub creator_cost: f64,
	/// π_d: paid to the wronged party when deception is proved. The chain pays π_c.
	pub deception_payout: f64,
	/// b: what the finished job is worth to the creator.
	pub benefit: f64,
	/// c_v: what it costs the creator to verify a result.
	pub verification_cost: f64,
	/// c_e: what it costs the provider to execute the job.
	pub execution_cost: f64,
	/// c_d: what it costs the provider to make up a result.
	pub deception_cost: f64,
}

/// One of the system constraints of Table 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Constraint {
	/// 1: b > π_c + π_a + g_j, or an honest creator has no reason to take part.
	BenefitCoversPrice,
	/// 4: c_e > c_d, or the provider never has a reason to cheat.
	DeceptionSaves,
	/// 4: c_d > 0.
	DeceptionCosts,
	/// 5: π̂_c ≥ π_c.
	PriceWithinLimit,
	/// 5: π_c ≥ π_r, or the chain disallows the match.
	PriceCoversAsk,
	/// 5: π_r > c_e, or the provider aborts the job.
	AskCoversExecution,
}

impl Constraint {
	/// The constraint in symbols, and what its breach means.
	pub fn explain(&self) -> &'static str {
		match self {
			Self::BenefitCoversPrice => {
				"b > π_c + π_a + g_j (else an honest creator gains nothing from the job)"
			},
			Self::DeceptionSaves => "c_e > c_d (else the provider never has a reason to cheat)",
			Self::DeceptionCosts => "c_d > 0 (making up a result is not free)",
			Self::PriceWithinLimit => "π̂_c ≥ π_c (a match never bills more than its limit)",
			Self::PriceCoversAsk => "π_c ≥ π_r (else the match is not feasible)",
			Self::AskCoversExecution => "π_r > c_e (else the provider aborts the job)",
		}
	}
}

impl Parameters {
	/// A match at `price` under θ and n where nothing but the price and the four costs matters:
	/// π̂_c = π_r = π_d = π_c, no fees. The paper's figures are of this kind.
	pub fn at_price(penalty_rate: u32, verification_count: u32, price: f64) -> Self {
		Self {
			penalty_rate,
			verification_count,
			price,
			price_limit: price,
			asking_price: price,
			extra_deposit: 0.0,
			availability_fees: 0.0,
			mediation_cost: 0.0,
			provider_cost: 0.0,
			creator_cost: 0.0,
			deception_payout: price,
			benefit: 2.0 * price,
			verification_cost: price / 2.0,
			execution_cost: price / 2.0,
			deception_cost: price / 100.0,
		}
	}

	/// A worked example at the chain's default θ and n, in cents of a token: a job for one token
	/// that costs the provider 60 and is worth two tokens to the creator, who verifies by running
	/// it again.
	pub fn example() -> Self {
		Self {
			availability_fees: 3.0,
			mediation_cost: 1.0,
			provider_cost: 2.0,
			creator_cost: 2.0,
			benefit: 200.0,
			verification_cost: 60.0,
			execution_cost: 60.0,
			deception_cost: 1.0,
			..Self::at_price(DEFAULT_PENALTY_RATE, DEFAULT_VERIFICATION_COUNT, 100.0)
		}
	}

	/// Refuses numbers the model cannot reckon with, and nothing else: the paper itself takes
	/// limits (c_d = 0, c_e = π_c, θ = 0) that break the constraints of Table 1.
	///
	/// # Errors
	/// [`EconomicsError::NotAnAmount`] and [`EconomicsError::OutOfRange`], naming the parameter.
	pub fn check_numbers(&self) -> Result<(), EconomicsError> {
		let n = self.verification_count;
		if n == 0 || n > MAX_VERIFICATION_COUNT {
			return Err(EconomicsError::OutOfRange {
				name: "verification count n",
				value: n.into(),
				min: 1,
				max: MAX_VERIFICATION_COUNT.into(),
			});
		}
		let amounts = [
			("price π_c", self.price),
			("price limit π̂_c", self.price_limit),
			("asking price π_r", self.asking_price),
			("extra deposit", self.extra_deposit),
			("availability fees π_a", self.availability_fees),
			("mediation cost g_m", self.mediation_cost),
			("provider's cost of taking part g_r", self.provider_cost),
			("creator's cost of taking part g_j", self.creator_cost),
			("deception payout π_d", self.deception_payout),
			("benefit b", self.benefit),
			("verification cost c_v", self.verification_cost),
			("execution cost c_e", self.execution_cost),
			("deception cost c_d", self.deception_cost),
		];
		match amounts.into_iter().find(|(_, value)| !(0.0..=MAX_AMOUNT).contains(value)) {
			Some((name, value)) => {
				Err(EconomicsError::NotAnAmount { name, value, max: MAX_AMOUNT })
			},
			None => Ok(()),
		}
	}

	/// The constraints of Table 1 that these parameters break. Constraints 2, 3 and 6 (θ ≥ 0, n >
	/// 0, d ≥ d_min) hold by the types, by [`Self::check_numbers`] and by [`Self::deposit`].
	pub fn broken_constraints(&self) -> Vec<Constraint> {
		let costs = self.price + self.availability_fees + self.creator_cost;
		[
			(self.benefit > costs, Constraint::BenefitCoversPrice),
			(self.execution_cost > self.deception_cost, Constraint::DeceptionSaves),
			(self.deception_cost > 0.0, Constraint::DeceptionCosts),
			(self.price_limit >= self.price, Constraint::PriceWithinLimit),
			(self.price >= self.asking_price, Constraint::PriceCoversAsk),
			(self.asking_price > self.execution_cost, Constraint::AskCoversExecution),
		]
		.into_iter()
		.filter_map(|(holds, constraint)| (!holds).then_some(constraint))
		.collect()
	}

	/// Refuses numbers that are unusable and parameters that break a constraint of Table 1.
	///
	/// # Errors
	/// Those of [`Self::check_numbers`], or [`EconomicsError::ConstraintsBroken`] with all of them.
	pub fn check_constraints(&self) -> Result<(), EconomicsError> {
		self.check_numbers()?;
		match self.broken_constraints() {
			broken if broken.is_empty() => Ok(()),
			broken => Err(EconomicsError::ConstraintsBroken(broken)),
		}
	}

	/// n as a real number.
	pub(crate) fn n(&self) -> f64 {
		f64::from(self.verification_count)
	}

	/// θ as a real number.
	pub(crate) fn theta(&self) -> f64 {
		f64::from(self.penalty_rate)
	}

	/// d: what a faulty party loses, π_a apart: π̂_c·(θ + n) and what was pledged on top (Eq. 2
	/// without its π_a; docs/protocol.md §4).
	pub fn deposit(&self) -> f64 {
		self.price_limit * (self.theta() + self.n()) + self.extra_deposit
	}

	/// d_min: what each side must hold for a match, d and π_a (Eq. 2 whole).
	pub fn least_deposit(&self) -> f64 {
		self.price_limit * (self.theta() + self.n()) + self.availability_fees
	}

	/// π_m = n·π̂_c: the most that the loser of a dispute pays the mediator for its n runs (Table 1).
	/// The chain bills the usage that the runs measured, n·π_c.
	pub fn mediator_payout(&self) -> f64 {
		self.n() * self.price_limit
	}

	/// d + π_d: how far apart winning and losing a dispute are. In the paper's tables, where π_d =
	/// π_c and d = π_c(θ + n), it is π_c(n + θ + 1).
	pub fn stake(&self) -> f64 {
		self.deposit() + self.deception_payout
	}

	/// π_c + π_d − g_m: what a dispute that is surely won is worth to a creator, compared with
	/// paying. In the paper's tables it is 2π_c − g_m.
	pub fn dispute_gain(&self) -> f64 {
		self.price + self.deception_payout - self.mediation_cost
	}

	/// c_e − c_d: what a provider saves by cheating.
	pub fn saving(&self) -> f64 {
		self.execution_cost - self.deception_cost
	}
}
