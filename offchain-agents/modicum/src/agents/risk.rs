// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a provider thinks of a creator, from the creator's record on the chain (docs/economics.md).

use modicum_economics::{
	creator_risk, least_p_a, most_p_v, CreatorHistory, CreatorRisk, EconomicsError,
	Parameters as Game,
};
use modicum_primitives::{Balance, Parameters, PartyRecord};

/// What executing is taken to cost, as a share of the most that the match can be billed: nobody but the provider's
/// owner knows, and a half leaves a margin that a careful owner would want.
pub const ASSUMED_EXECUTION_COST: f64 = 0.5;
/// How sure the provider wants to be that disputes are not more frequent.
pub const CONFIDENCE: f64 = 0.95;

/// What a match is about for its provider. Amounts are base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stakes {
	/// The most that it can be billed, v; it is taken to be billed.
	pub value: Balance,
	/// What goes to mediator and directory, a_M + a_D.
	pub fees: Balance,
	/// What goes to the solver.
	pub incentive: Balance,
	/// Pledged on top of the least deposit.
	pub extra_deposit: Balance,
}

/// Matches that ended, those that were disputed, and those of them that the account was blamed for. The chain keeps one
/// record for all roles of an account, so of an account that is more than a creator they are upper bounds.
pub fn history(record: &PartyRecord) -> CreatorHistory {
	CreatorHistory {
		ended: record.completed.saturating_add(record.mediated),
		mediated: record.mediated,
		// A directory is blamed in matches that are not its own.
		faulted: record.faulted.min(record.mediated),
	}
}

/// Judges a creator. It is taken to dispute p_v·(1 − p_a) of correct results until its record says otherwise, and
/// executing to cost [`ASSUMED_EXECUTION_COST`] of the price. Utilities are base units per job.
///
/// # Errors
/// The game is undefined on these terms, as for a match worth nothing.
pub fn estimate(
	parameters: &Parameters,
	stakes: Stakes,
	record: &PartyRecord,
) -> Result<CreatorRisk, EconomicsError> {
	let (rate, count) = (parameters.penalty_rate, parameters.verification_count);
	let p_a = least_p_a(rate, count)?;
	// Where no verification deters, every result is verified.
	let p_v = most_p_v(rate, count, p_a).unwrap_or(1.0);
	let value = stakes.value as f64;
	let (fees, incentive) = (stakes.fees as f64, stakes.incentive as f64);
	let game = Game {
		extra_deposit: stakes.extra_deposit as f64,
		availability_fees: fees,
		provider_cost: incentive,
		creator_cost: incentive,
		execution_cost: value * ASSUMED_EXECUTION_COST,
		// Nothing of the provider's depends on it, but the game wants a creator that gains.
		benefit: 2.0 * (value + fees + incentive),
		..Game::at_price(rate, count, value)
	};
	creator_risk(&game, history(record), p_v * (1.0 - p_a), CONFIDENCE)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	const STAKES: Stakes =
		Stakes { value: 1_000_000, fees: 50_000, incentive: 10_000, extra_deposit: 0 };

	fn of(record: PartyRecord) -> CreatorRisk {
		estimate(&Parameters::default(), STAKES, &record).unwrap()
	}

	#[test]
	fn strangers_are_served_and_quarrellers_are_not() {
		let stranger = of(PartyRecord::default());
		assert!(stranger.acceptable());
		let reliable = of(PartyRecord { completed: 1_000, ..PartyRecord::default() });
		assert!(reliable.acceptable());
		assert!(reliable.utility > stranger.utility);
		let quarreller = of(PartyRecord { completed: 20, mediated: 2, ..PartyRecord::default() });
		assert!(!quarreller.acceptable());
		assert!(quarreller.dispute_rate > quarreller.break_even_dispute_rate);
		// The same disputes, all lost, are worse; catching cheats now and then is no reason to refuse.
		let blamed =
			of(PartyRecord { completed: 20, mediated: 2, faulted: 2, ..PartyRecord::default() });
		assert!(blamed.dispute_rate > quarreller.dispute_rate);
		let careful = of(PartyRecord { completed: 999, mediated: 6, ..PartyRecord::default() });
		assert!(careful.acceptable());
		let wrong =
			of(PartyRecord { completed: 999, mediated: 6, faulted: 6, ..PartyRecord::default() });
		assert!(!wrong.acceptable());
		// π_c − c_e − g_r − π_a over π_c + d, at θ = 50 and n = 2.
		let break_even = (1_000_000.0 - 500_000.0 - 60_000.0) / 53_000_000.0;
		assert!((quarreller.break_even_dispute_rate - break_even).abs() < 1e-12);
	}

	#[test]
	fn a_match_whose_fees_eat_the_margin_is_not_worth_while() {
		let stakes = Stakes { fees: 600_000, ..STAKES };
		let record = PartyRecord { completed: 1_000, ..PartyRecord::default() };
		assert!(!estimate(&Parameters::default(), stakes, &record).unwrap().acceptable());
	}

	#[test]
	fn a_match_worth_nothing_has_no_estimate() {
		let stakes = Stakes { value: 0, ..STAKES };
		assert!(estimate(&Parameters::default(), stakes, &PartyRecord::default()).is_err());
	}
}
