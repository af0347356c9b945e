// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How honest a rational creator is: the derivative of its utility by p_a, the root of it, and the
//! platform's choice of θ and n that keeps the root near 1 (Theorem 3, Fig. 5).

use serde::{Deserialize, Serialize};

use crate::error::{probability, EconomicsError};
use crate::numeric::last_that;
use crate::parameters::{Parameters, MAX_VERIFICATION_COUNT};

/// The p_a a rational creator chooses, and what it gains over honesty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BestHonesty {
	/// The p_a that maximises the creator's utility.
	pub p_a: f64,
	/// What a verified job is worth to this creator beyond what p_a = 1 would give it; 0 if p_a is
	/// 1.
	pub gain: f64,
}

/// (1 − p^n) + n·p^(n−1)·(1 − p), without cancellation near p = 1. It falls from 1 (2 for n = 1) to
/// 0 or first rises and then falls to 0, and is what the stake d + π_d is multiplied with in the
/// derivative.
fn resistance(p_a: f64, n: f64) -> f64 {
	let believed = if p_a > 0.0 { (n * p_a.ln()).exp_m1() } else { -1.0 };
	-believed + n * p_a.powf(n - 1.0) * (1.0 - p_a)
}

impl Parameters {
	/// ∂U^JC/∂p_a of a creator that verifies with `p_v` against a provider that executes with
	/// `p_e`:
	///
	/// p_v·( p_e·[ S·((1 − p_a^n) + n·p_a^(n−1)·(1 − p_a)) − G ] + (1 − p_e)·S·n·p_a^(n−1) )
	///
	/// with the stake S = d + π_d and the gain of a won dispute G = π_c + π_d − g_m. Divided by
	/// p_v·p_e·S and set to zero it is the equation of docs/economics.md, "How honest is a creator?".
	///
	/// # Errors
	/// [`EconomicsError::NotAProbability`] and those of [`Parameters::check_numbers`].
	pub fn creator_derivative(&self, p_a: f64, p_e: f64, p_v: f64) -> Result<f64, EconomicsError> {
		self.check_numbers()?;
		let p_a = probability("p_a", p_a)?;
		let p_e = probability("p_e", p_e)?;
		Ok(probability("p_v", p_v)? * self.derivative(p_a, p_e))
	}

	/// The derivative of a verified job, with numbers already checked.
	fn derivative(&self, p_a: f64, p_e: f64) -> f64 {
		let n = self.n();
		let executing = self.stake() * resistance(p_a, n) - self.dispute_gain();
		let deceiving = self.stake() * n * p_a.powf(n - 1.0);
		p_e * executing + (1.0 - p_e) * deceiving
	}

	/// The p_a a rational creator chooses against a provider that executes with `p_e`: the root of
	/// the derivative, or 1 where the derivative is nowhere negative.
	///
	/// The derivative is not negative at 0 (the constraint π̂_c ≥ π_c sees to that), rises up to
	/// p = (n − 1) / ((n + 1)·p_e) and falls from there on; so it has one root at most, a maximum,
	/// and it lies above that point.
	///
	/// # Errors
	/// [`EconomicsError::NotAProbability`], those of [`Parameters::check_numbers`], and
	/// [`EconomicsError::ConstraintsBroken`] if π̂_c < π_c.
	pub fn best_p_a(&self, p_e: f64) -> Result<BestHonesty, EconomicsError> {
		self.check_numbers()?;
		let p_e = probability("p_e", p_e)?;
		if self.price_limit < self.price {
			let broken = vec![crate::parameters::Constraint::PriceWithinLimit];
			return Err(EconomicsError::ConstraintsBroken(broken));
		}
		if self.derivative(1.0, p_e) >= 0.0 {
			return Ok(BestHonesty { p_a: 1.0, gain: 0.0 });
		}
		let n = self.n();
		let peak = (n - 1.0) / ((n + 1.0) * p_e);
		let p_a =
			last_that(peak, 1.0, |p_a| Ok::<_, EconomicsError>(self.derivative(p_a, p_e) > 0.0))?;
		let utility = |p_a| -> Result<f64, EconomicsError> {
			Ok(self.stage(p_a)?.without_constants().creator_utilities().mean(p_e, 1.0))
		};
		let gain = utility(p_a)? - utility(1.0)?;
		Ok(BestHonesty { p_a, gain: gain.max(0.0) })
	}

	/// The most a creator can gain per job by making it non-deterministic, against a provider that
	/// always executes and at no cost of verification: max over p_a of (1 − p_a)·K. If its real c_v
	/// is at least this, honesty is its best reply.
	///
	/// # Errors
	/// Those of [`Self::best_p_a`].
	pub fn most_dishonest_gain(&self) -> Result<f64, EconomicsError> {
		let best = self.best_p_a(1.0)?;
		Ok(self.stage(best.p_a)?.creator_preferences().execute.max(0.0))
	}

	/// The execution rate up to which p_a = 1 is the creator's best choice: n·S / (n·S + G). A
	/// provider that cheats a little makes honesty pay for the creator, because a non-deterministic
	/// job would lose it the disputes it ought to win.
	///
	/// # Errors
	/// Those of [`Parameters::check_numbers`].
	pub fn honest_up_to_p_e(&self) -> Result<f64, EconomicsError> {
		self.check_numbers()?;
		let caught = self.n() * self.stake();
		let gain = self.dispute_gain().max(0.0);
		Ok(if gain > 0.0 { caught / (caught + gain) } else { 1.0 })
	}
}

/// The least p_a a rational creator chooses under θ and n, whatever the other parameters: the worst
/// case of Theorem 3 (p_e = 1, g_m = 0, π_d = π_c = π̂_c).
///
/// # Errors
/// [`EconomicsError::OutOfRange`] for n.
pub fn least_p_a(penalty_rate: u32, verification_count: u32) -> Result<f64, EconomicsError> {
	Ok(Parameters::at_price(penalty_rate, verification_count, 1.0).best_p_a(1.0)?.p_a)
}

/// The verification rate that deters every provider under θ and n if creators are at least as
/// honest as `p_a`: the worst case c_e = π_c, c_d = 0 of §5.2, 1 / (p_a^(n+1)·(θ + n + 1)).
///
/// # Errors
/// [`EconomicsError::NotAProbability`], [`EconomicsError::OutOfRange`], and
/// [`EconomicsError::ProviderNotDeterred`] if it would exceed 1.
pub fn most_p_v(
	penalty_rate: u32,
	verification_count: u32,
	p_a: f64,
) -> Result<f64, EconomicsError> {
	Parameters::at_price(penalty_rate, verification_count, 1.0).stage(p_a)?.cautious_p_v()
}

/// Between which bounds the platform may look for θ and n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
	/// The least θ; the chain refuses 0.
	pub min_penalty_rate: u32,
	/// The greatest θ: deposits are θ + n times the price.
	pub max_penalty_rate: u32,
	/// The least n. With n = 1 the mediator has nothing to compare its run with and cannot prove a
	/// job non-deterministic (docs/economics.md), so the default is 2.
	pub min_verification_count: u32,
	/// The greatest n: a dispute costs n times the price.
	pub max_verification_count: u32,
}

impl Default for Search {
	fn default() -> Self {
		Self {
			min_penalty_rate: 1,
			max_penalty_rate: 1_000,
			min_verification_count: 2,
			max_verification_count: 16,
		}
	}
}

impl Search {
	fn check(&self) -> Result<(), EconomicsError> {
		let n_range = self.min_verification_count..=self.max_verification_count;
		if n_range.is_empty() || !(1..=MAX_VERIFICATION_COUNT).contains(n_range.start()) {
			return Err(EconomicsError::OutOfRange {
				name: "least verification count of the search",
				value: self.min_verification_count.into(),
				min: 1,
				max: self.max_verification_count.min(MAX_VERIFICATION_COUNT).into(),
			});
		}
		if *n_range.end() > MAX_VERIFICATION_COUNT {
			return Err(EconomicsError::OutOfRange {
				name: "greatest verification count of the search",
				value: self.max_verification_count.into(),
				min: self.min_verification_count.into(),
				max: MAX_VERIFICATION_COUNT.into(),
			});
		}
		if self.min_penalty_rate > self.max_penalty_rate {
			return Err(EconomicsError::OutOfRange {
				name: "least penalty rate of the search",
				value: self.min_penalty_rate.into(),
				min: 0,
				max: self.max_penalty_rate.into(),
			});
		}
		Ok(())
	}
}

/// A choice of θ and n, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlatformChoice {
	/// θ.
	pub penalty_rate: u32,
	/// n: also how many times the price a dispute costs the loser for the mediator's work.
	pub verification_count: u32,
	/// The least p_a of a rational creator ([`least_p_a`]).
	pub least_p_a: f64,
	/// The verification rate that deters every provider at that p_a ([`most_p_v`]).
	pub most_p_v: f64,
	/// The most a dishonest creator can gain per job, as a share of the price
	/// ([`Parameters::most_dishonest_gain`]).
	pub most_gain: f64,
	/// θ + n: how many times the price each side must deposit.
	pub deposit: u64,
}

impl PlatformChoice {
	/// What follows from θ and n.
	///
	/// # Errors
	/// Those of [`least_p_a`] and [`most_p_v`].
	pub fn of(penalty_rate: u32, verification_count: u32) -> Result<Self, EconomicsError> {
		let worst = Parameters::at_price(penalty_rate, verification_count, 1.0);
		let least_p_a = least_p_a(penalty_rate, verification_count)?;
		Ok(Self {
			penalty_rate,
			verification_count,
			least_p_a,
			most_p_v: most_p_v(penalty_rate, verification_count, least_p_a)?,
			most_gain: worst.most_dishonest_gain()?,
			deposit: u64::from(penalty_rate) + u64::from(verification_count),
		})
	}
}

/// For every n of the search the least θ with which a rational creator's p_a is at least `wanted`
/// and, if `max_p_v` is given, the worst-case verification rate at most that. The first is the
/// cheapest n.
///
/// # Errors
/// [`EconomicsError::NotAProbability`], [`EconomicsError::OutOfRange`] for an empty search, and
/// [`EconomicsError::BoundOutOfReach`] if no n of the search will do.
pub fn platform_choices(
	wanted: f64,
	max_p_v: Option<f64>,
	search: Search,
) -> Result<Vec<PlatformChoice>, EconomicsError> {
	let wanted = probability("wanted p_a", wanted)?;
	let max_p_v = max_p_v.map(|p_v| probability("greatest p_v", p_v)).transpose()?;
	search.check()?;
	let suits = |choice: &PlatformChoice| {
		choice.least_p_a >= wanted && max_p_v.is_none_or(|p_v| choice.most_p_v <= p_v)
	};
	let mut choices = Vec::new();
	for n in search.min_verification_count..=search.max_verification_count {
		// Both the bound on p_a and, with it, the verification rate improve with θ; so halve.
		let (mut low, mut high) = (search.min_penalty_rate, search.max_penalty_rate);
		let attempt = |theta| match PlatformChoice::of(theta, n) {
			// So small a stake deters nobody; a greater θ may.
			Err(EconomicsError::ProviderNotDeterred { .. }) => Ok(None),
			other => other.map(|choice| suits(&choice).then_some(choice)),
		};
		let Some(mut choice) = attempt(high)? else {
			continue;
		};
		while low < high {
			let middle = low + (high - low) / 2;
			match attempt(middle)? {
				Some(found) => {
					choice = found;
					high = middle;
				},
				None => low = middle + 1,
			}
		}
		choices.push(choice);
	}
	if choices.is_empty() {
		return Err(EconomicsError::BoundOutOfReach {
			wanted,
			max_penalty_rate: search.max_penalty_rate,
			max_verification_count: search.max_verification_count,
		});
	}
	Ok(choices)
}
