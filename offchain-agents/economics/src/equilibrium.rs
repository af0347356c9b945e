// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! All equilibria of a game of two players with two actions each, found without any knowledge of
//! where the payoffs come from. The theorems of the paper are checked against it.

use serde::{Deserialize, Serialize};

use crate::error::EconomicsError;

/// The greatest magnitude of a payoff: two of them can be subtracted and the results added.
pub const MAX_PAYOFF: f64 = 1e300;

/// A closed interval of probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
	/// The least probability.
	pub low: f64,
	/// The greatest; equal to `low` in all but degenerate games.
	pub high: f64,
}

impl Interval {
	/// Every probability.
	pub const ALL: Self = Self { low: 0.0, high: 1.0 };

	/// One probability.
	pub const fn point(value: f64) -> Self {
		Self { low: value, high: value }
	}

	/// True if it holds one probability only.
	pub fn is_point(&self) -> bool {
		self.low == self.high
	}

	/// True if `value` lies in it.
	pub fn contains(&self, value: f64) -> bool {
		self.low <= value && value <= self.high
	}

	fn intersect(&self, other: &Self) -> Option<Self> {
		let (low, high) = (self.low.max(other.low), self.high.min(other.high));
		(low <= high).then_some(Self { low, high })
	}

	fn covers(&self, other: &Self) -> bool {
		self.low <= other.low && other.high <= self.high
	}
}

/// A set of equilibria: every probability of `row` together with every one of `column`. One point
/// each, unless the game is degenerate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Equilibrium {
	/// How often the row player takes its first action (the provider executes: p_e).
	pub row: Interval,
	/// How often the column player takes its first action (the creator verifies: p_v).
	pub column: Interval,
}

impl Equilibrium {
	/// A single equilibrium.
	pub const fn point(row: f64, column: f64) -> Self {
		Self { row: Interval::point(row), column: Interval::point(column) }
	}

	/// True if it is one pair of actions, played for certain.
	pub fn is_pure(&self) -> bool {
		let certain = |interval: &Interval| {
			interval.is_point() && (interval.low == 0.0 || interval.low == 1.0)
		};
		certain(&self.row) && certain(&self.column)
	}

	/// True if it is one pair of probabilities, both strictly between 0 and 1.
	pub fn is_fully_mixed(&self) -> bool {
		let mixed =
			|interval: &Interval| interval.is_point() && interval.low > 0.0 && interval.low < 1.0;
		mixed(&self.row) && mixed(&self.column)
	}

	/// True if the pair of probabilities belongs to the set.
	pub fn contains(&self, row: f64, column: f64) -> bool {
		self.row.contains(row) && self.column.contains(column)
	}

	fn covers(&self, other: &Self) -> bool {
		self.row.covers(&other.row) && self.column.covers(&other.column)
	}
}

/// Payoffs of a game of two players with two actions each, by `[row action][column action]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bimatrix {
	row: [[f64; 2]; 2],
	column: [[f64; 2]; 2],
}

/// Where a player's best reply lies: `own` is a best reply to every probability in `other`.
#[derive(Clone, Copy)]
struct Piece {
	own: Interval,
	other: Interval,
}

impl Bimatrix {
	/// A game with these payoffs of the row and of the column player.
	///
	/// # Errors
	/// [`EconomicsError::NotAPayoff`] unless every payoff is finite and at most [`MAX_PAYOFF`].
	pub fn new(row: [[f64; 2]; 2], column: [[f64; 2]; 2]) -> Result<Self, EconomicsError> {
		let mut payoffs = row.iter().chain(&column).flatten();
		match payoffs.find(|value| !(-MAX_PAYOFF..=MAX_PAYOFF).contains(*value)) {
			Some(value) => Err(EconomicsError::NotAPayoff { value: *value, max: MAX_PAYOFF }),
			None => Ok(Self { row, column }),
		}
	}

	/// The row player's advantage of its first action, if the column player takes its second (`.0`)
	/// or first (`.1`) action.
	fn row_advantage(&self) -> (f64, f64) {
		(self.row[0][1] - self.row[1][1], self.row[0][0] - self.row[1][0])
	}

	/// The column player's advantage of its first action, if the row player takes its second (`.0`)
	/// or first (`.1`) action.
	fn column_advantage(&self) -> (f64, f64) {
		(self.column[1][0] - self.column[1][1], self.column[0][0] - self.column[0][1])
	}

	/// Every equilibrium of the game, as sets none of which contains another, pure ones of the
	/// first actions first. There are one or three in all but degenerate games, and always at least
	/// one.
	///
	/// Each player's best reply is a chain of at most three line pieces in the square of
	/// probabilities; the equilibria are where the two chains meet.
	pub fn equilibria(&self) -> Vec<Equilibrium> {
		let mut found: Vec<Equilibrium> = Vec::with_capacity(3);
		let column_pieces = pieces(self.column_advantage());
		for row in pieces(self.row_advantage()).iter().flatten() {
			for column in column_pieces.iter().flatten() {
				let (Some(own), Some(other)) =
					(row.own.intersect(&column.other), row.other.intersect(&column.own))
				else {
					continue;
				};
				let meeting = Equilibrium { row: own, column: other };
				if found.iter().all(|known| !known.covers(&meeting)) {
					found.retain(|known| !meeting.covers(known));
					found.push(meeting);
				}
			}
		}
		found.sort_by(|a, b| {
			let key = |e: &Equilibrium| (!e.is_pure(), -e.row.low, -e.column.low);
			key(a).partial_cmp(&key(b)).expect("probabilities are never NaN; qed")
		});
		found
	}

	/// How much the row and the column player could gain by changing their probabilities alone;
	/// both are zero in an equilibrium, up to rounding.
	pub fn regret(&self, row: f64, column: f64) -> (f64, f64) {
		let gain = |(at_zero, at_one): (f64, f64), own: f64, other: f64| {
			let advantage = at_zero * (1.0 - other) + at_one * other;
			(advantage * (1.0 - own)).max(-advantage * own)
		};
		(gain(self.row_advantage(), row, column), gain(self.column_advantage(), column, row))
	}
}

/// The best reply of a player whose advantage of the first action runs linearly from `at_zero` to
/// `at_one` while the other player's probability runs from 0 to 1.
fn pieces((at_zero, at_one): (f64, f64)) -> [Option<Piece>; 3] {
	let reply = |advantage: f64| match advantage {
		a if a > 0.0 => Interval::point(1.0),
		a if a < 0.0 => Interval::point(0.0),
		_ => Interval::ALL,
	};
	let (first, last) = (reply(at_zero), reply(at_one));
	let piece = |own, low, high| Some(Piece { own, other: Interval { low, high } });
	if at_zero == 0.0 && at_one == 0.0 {
		[piece(Interval::ALL, 0.0, 1.0), None, None]
	} else if at_zero == 0.0 {
		[piece(Interval::ALL, 0.0, 0.0), piece(last, 0.0, 1.0), None]
	} else if at_one == 0.0 {
		[piece(first, 0.0, 1.0), piece(Interval::ALL, 1.0, 1.0), None]
	} else if first == last {
		[piece(first, 0.0, 1.0), None, None]
	} else {
		let turn = at_zero.abs() / (at_zero.abs() + at_one.abs());
		[piece(first, 0.0, turn), piece(Interval::ALL, turn, turn), piece(last, turn, 1.0)]
	}
}
