// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Costs and deposits: Eq. 1 and Eq. 2 of the paper, in integers.

use crate::{Balance, JobTerms, Parameters, Prices, ResourceTerms, Resources, Usage};
use core::fmt;

/// The unit that prices are for: 10^9 instructions, 10^9 bytes.
pub const BILLION: u128 = 1_000_000_000;

/// An amount that does not fit into [`Balance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl fmt::Display for Overflow {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str("the amount is too large: lower the limits, the prices or the fees")
	}
}

impl core::error::Error for Overflow {}

/// Which way a fraction of the smallest unit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
	/// For payments: nobody pays more than was used.
	Down,
	/// For deposits: what is held always covers what can be asked for.
	Up,
}

/// π_c (Eq. 1): what `usage` costs at `prices`.
///
/// # Errors
/// [`Overflow`] if instructions · price + bytes · price does not fit into 128 bits.
pub fn cost(usage: Usage, prices: Prices, rounding: Rounding) -> Result<Balance, Overflow> {
	let instructions =
		Balance::from(usage.instructions).checked_mul(prices.instruction).ok_or(Overflow)?;
	let bandwidth = Balance::from(usage.bandwidth).checked_mul(prices.bandwidth).ok_or(Overflow)?;
	let total = instructions.checked_add(bandwidth).ok_or(Overflow)?;
	Ok(match rounding {
		Rounding::Down => total / BILLION,
		Rounding::Up => total.div_ceil(BILLION),
	})
}

/// v: the most that a run within `limits` can be billed at `prices`, rounded up.
///
/// # Errors
/// [`Overflow`], as for [`cost`].
pub fn match_value(limits: &Resources, prices: Prices) -> Result<Balance, Overflow> {
	cost(limits.billable(), prices, Rounding::Up)
}

/// d_min (Eq. 2): `value · (θ + n) + fees`.
///
/// # Errors
/// [`Overflow`] if the sum does not fit into [`Balance`].
pub fn required_deposit(
	value: Balance,
	penalty_rate: u32,
	verification_count: u32,
	fees: Balance,
) -> Result<Balance, Overflow> {
	let times = Balance::from(penalty_rate) + Balance::from(verification_count);
	value.checked_mul(times).and_then(|at_stake| at_stake.checked_add(fees)).ok_or(Overflow)
}

/// What posting a job offer holds, without an extra deposit: v̂·(θ + n) + availability fees + incentive, where
/// v̂ is the cost of the limits at the maximum prices.
///
/// # Errors
/// [`Overflow`]: the offer cannot be posted.
pub fn job_offer_deposit<AccountId>(
	terms: &JobTerms<AccountId>,
	parameters: &Parameters,
) -> Result<Balance, Overflow> {
	let value = match_value(&terms.limits, terms.max_prices)?;
	offer_deposit(value, terms.max_availability_fee, terms.match_incentive, parameters)
}

/// What posting a resource offer holds, without an extra deposit: v̂·(θ + n) + availability fees + incentive,
/// where v̂ is the cost of the caps at the offer's prices.
///
/// # Errors
/// [`Overflow`]: the offer cannot be posted.
pub fn resource_offer_deposit(
	terms: &ResourceTerms,
	parameters: &Parameters,
) -> Result<Balance, Overflow> {
	let value = match_value(&terms.caps, terms.prices)?;
	offer_deposit(value, terms.max_availability_fee, terms.match_incentive, parameters)
}

/// d of a match: what each side keeps at stake, `v·(θ + n) + a_M + a_D`.
///
/// # Errors
/// [`Overflow`]: the match is not feasible.
pub fn match_deposit(
	value: Balance,
	mediator_fee: Balance,
	directory_fee: Balance,
	parameters: &Parameters,
) -> Result<Balance, Overflow> {
	let fees = mediator_fee.checked_add(directory_fee).ok_or(Overflow)?;
	required_deposit(value, parameters.penalty_rate, parameters.verification_count, fees)
}

fn offer_deposit(
	value: Balance,
	max_availability_fee: Balance,
	match_incentive: Balance,
	parameters: &Parameters,
) -> Result<Balance, Overflow> {
	let fees = max_availability_fee.checked_add(match_incentive).ok_or(Overflow)?;
	required_deposit(value, parameters.penalty_rate, parameters.verification_count, fees)
}

#[cfg(test)]
mod tests {
	use super::*;

	const PRICES: Prices = Prices { instruction: 3, bandwidth: 7 };

	#[test]
	fn cost_rounds_down_for_payments_and_up_for_deposits() {
		let usage = Usage { instructions: 500_000_000, bandwidth: 0 };
		assert_eq!(cost(usage, PRICES, Rounding::Down), Ok(1));
		assert_eq!(cost(usage, PRICES, Rounding::Up), Ok(2));
	}

	#[test]
	fn cost_of_both_figures_is_rounded_once() {
		let usage = Usage { instructions: 500_000_000, bandwidth: 500_000_000 };
		assert_eq!(cost(usage, PRICES, Rounding::Down), Ok(5));
		assert_eq!(cost(usage, PRICES, Rounding::Up), Ok(5));
	}

	#[test]
	fn amounts_beyond_the_balance_are_refused() {
		let usage = Usage { instructions: u64::MAX, bandwidth: u64::MAX };
		let prices = Prices { instruction: Balance::MAX, bandwidth: 0 };
		assert_eq!(cost(usage, prices, Rounding::Down), Err(Overflow));
		let both = Prices { instruction: 1 << 63, bandwidth: u128::from(u64::MAX) + 2 };
		assert_eq!(cost(usage, both, Rounding::Up), Err(Overflow));
		assert_eq!(required_deposit(Balance::MAX / 2, 50, 2, 0), Err(Overflow));
		assert_eq!(required_deposit(1, 1, 1, Balance::MAX), Err(Overflow));
	}

	#[test]
	fn the_deposit_is_the_papers_equation() {
		// 10 · (50 + 2) + 30.
		assert_eq!(required_deposit(10, 50, 2, 30), Ok(550));
	}
}
