// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The general solver of 2×2 games against the definition of an equilibrium, in exact arithmetic,
//! and against support enumeration.
#![allow(clippy::unwrap_used)]

use modicum_economics::{Bimatrix, EconomicsError, Equilibrium};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[test]
fn payoffs_that_are_no_numbers_are_refused() {
	for value in [f64::NAN, f64::INFINITY, -1e301] {
		let found = Bimatrix::new([[value, 0.0], [0.0, 0.0]], [[0.0; 2]; 2]);
		assert!(matches!(found, Err(EconomicsError::NotAPayoff { .. })));
	}
}

/// All equilibria of a game without ties, by support enumeration: every pair of actions that are
/// best replies to each other, and the one pair of lotteries that leaves both players indifferent.
fn by_supports(row: [[f64; 2]; 2], column: [[f64; 2]; 2]) -> Vec<(f64, f64)> {
	let mut found = Vec::new();
	for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
		if row[i][j] > row[1 - i][j] && column[i][j] > column[i][1 - j] {
			found.push(((1 - i) as f64, (1 - j) as f64));
		}
	}
	// p·a + (1 − p)·c = p·b + (1 − p)·d, solved for p.
	let indifferent = |a: f64, b: f64, c: f64, d: f64| (d - c) / (a - b + d - c);
	let p = indifferent(column[0][0], column[0][1], column[1][0], column[1][1]);
	let q = indifferent(row[0][0], row[1][0], row[0][1], row[1][1]);
	if p > 0.0 && p < 1.0 && q > 0.0 && q < 1.0 {
		found.push((p, q));
	}
	found.sort_by(|one, other| one.partial_cmp(other).unwrap());
	found
}

#[test]
fn a_hundred_thousand_random_games_have_the_equilibria_of_their_supports() {
	let mut random = ChaCha8Rng::seed_from_u64(1);
	let mut mixed = 0;
	for _ in 0..100_000 {
		let scale = 10_f64.powi(random.random_range(-9..9));
		let mut table =
			|| [(); 2].map(|()| [(); 2].map(|()| scale * random.random_range(-1.0..1.0)));
		let (row, column) = (table(), table());
		let expected = by_supports(row, column);
		let point = |set: &Equilibrium| {
			assert!(set.row.is_point() && set.column.is_point(), "{row:?} {column:?}");
			(set.row.low, set.column.low)
		};
		let equilibria = Bimatrix::new(row, column).unwrap().equilibria();
		let mut found: Vec<(f64, f64)> = equilibria.iter().map(point).collect();
		found.sort_by(|one, other| one.partial_cmp(other).unwrap());
		assert_eq!(found.len(), expected.len(), "{row:?} {column:?}");
		for ((p, q), (expected_p, expected_q)) in found.iter().zip(&expected) {
			assert!((p - expected_p).abs() < 1e-9 && (q - expected_q).abs() < 1e-9);
		}
		mixed += usize::from(equilibria.iter().any(Equilibrium::is_fully_mixed));
	}
	// One game in four has an equilibrium in lotteries.
	assert!((20_000..30_000).contains(&mixed), "{mixed}");
}

/// A probability as a fraction.
type Fraction = (i64, i64);

/// By definition: no player gains by moving, in integers.
fn is_equilibrium(row: [[i64; 2]; 2], column: [[i64; 2]; 2], p: Fraction, q: Fraction) -> bool {
	let best = |first: i64, (part, whole): Fraction| {
		(first <= 0 || part == whole) && (first >= 0 || part == 0)
	};
	let row_first = q.0 * (row[0][0] - row[1][0]) + (q.1 - q.0) * (row[0][1] - row[1][1]);
	let column_first =
		p.0 * (column[0][0] - column[0][1]) + (p.1 - p.0) * (column[1][0] - column[1][1]);
	best(row_first, p) && best(column_first, q)
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(300))]

	#[test]
	fn the_general_solver_finds_exactly_the_equilibria(
		row in prop::array::uniform2(prop::array::uniform2(-3_i64..=3)),
		column in prop::array::uniform2(prop::array::uniform2(-3_i64..=3)),
	) {
		// Advantages are integers of at most 6, so every turning point is a fraction with a
		// denominator of at most 12. Try all of those and a point between every two neighbours.
		let mut fractions: Vec<Fraction> = (1..=12)
			.flat_map(|whole| (0..=whole).map(move |part| (part, whole)))
			.collect();
		fractions.sort_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)));
		fractions.dedup_by(|a, b| a.0 * b.1 == b.0 * a.1);
		let between: Vec<Fraction> = fractions
			.windows(2)
			.map(|pair| (pair[0].0 * pair[1].1 + pair[1].0 * pair[0].1, 2 * pair[0].1 * pair[1].1))
			.collect();
		fractions.extend(between);

		let real = |table: [[i64; 2]; 2]| table.map(|line| line.map(|value| value as f64));
		let found = Bimatrix::new(real(row), real(column)).unwrap().equilibria();
		prop_assert!(!found.is_empty());
		for p in &fractions {
			for q in &fractions {
				let (x, y) = (p.0 as f64 / p.1 as f64, q.0 as f64 / q.1 as f64);
				prop_assert_eq!(
					found.iter().any(|set| set.contains(x, y)),
					is_equilibrium(row, column, *p, *q),
					"p = {:?}, q = {:?}, found {:?}", p, q, found
				);
			}
		}
	}

	#[test]
	fn equilibria_of_any_game_leave_no_regret(
		row in prop::array::uniform2(prop::array::uniform2(-1e9_f64..1e9)),
		column in prop::array::uniform2(prop::array::uniform2(-1e-9_f64..1e-9)),
	) {
		let game = Bimatrix::new(row, column).unwrap();
		let found = game.equilibria();
		prop_assert!(found.len() == 1 || found.len() == 3);
		for set in found {
			let (of_row, of_column) = game.regret(set.row.low, set.column.low);
			prop_assert!(of_row <= 1e-6 && of_column <= 1e-24);
		}
	}
}
