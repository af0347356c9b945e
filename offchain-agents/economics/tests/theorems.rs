// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Theorems 1 to 6 of the paper over random admissible parameters, against a solver that knows
//! nothing of them; and that solver against the definition of an equilibrium, in exact arithmetic.
#![allow(clippy::unwrap_used)]

use modicum_economics::{
	creator_risk, least_p_a, simulation::market_equilibrium, Bimatrix, CreatorHistory, CreatorType,
	EconomicsError, Equilibrium, Parameters, Stage,
};
use proptest::prelude::*;

prop_compose! {
	/// Parameters that keep all constraints of Table 1, with verification costs of every magnitude.
	fn admissible()(
		theta in 1_u32..200,
		n in 1_u32..8,
		price in 0.01_f64..1_000.0,
		limit in 1.0_f64..3.0,
		execution in 0.02_f64..0.97,
		deception in 0.01_f64..0.99,
		ask in 0.01_f64..1.0,
		fees in 0.0_f64..0.5,
		mediation in 0.0_f64..1.5,
		benefit in 1.01_f64..10.0,
		verification in -4.0_f64..0.5,
		extra in prop_oneof![Just(0.0_f64), 0.0_f64..20.0],
	) -> Parameters {
		let execution_cost = execution * price;
		Parameters {
			price_limit: limit * price,
			asking_price: execution_cost + ask * (price - execution_cost),
			extra_deposit: extra * price,
			availability_fees: fees * price,
			mediation_cost: mediation * price,
			provider_cost: fees / 3.0 * price,
			creator_cost: fees / 2.0 * price,
			benefit: benefit * (1.0 + 1.5 * fees) * price,
			verification_cost: 10_f64.powf(verification) * price,
			execution_cost,
			deception_cost: deception * execution_cost,
			..Parameters::at_price(theta, n, price)
		}
	}
}

/// p_a near 1 as often as anywhere.
fn p_a() -> impl Strategy<Value = f64> {
	prop_oneof![0.0_f64..=1.0, 0.9_f64..=1.0, Just(1.0)]
}

fn close(one: f64, other: f64) -> bool {
	(one - other).abs() <= 1e-6 * (1.0 + one.abs().max(other.abs()))
}

fn same(one: &[Equilibrium], other: &[Equilibrium]) -> bool {
	one.len() == other.len()
		&& one.iter().zip(other).all(|(a, b)| {
			close(a.row.low, b.row.low)
				&& close(a.row.high, b.row.high)
				&& close(a.column.low, b.column.low)
				&& close(a.column.high, b.column.high)
		})
}

/// True if the creator's cost is so near a threshold that rounding decides its type.
fn on_threshold(stage: &Stage) -> bool {
	let preferences = stage.creator_preferences();
	let cost = stage.parameters().verification_cost;
	close(preferences.execute, cost) || close(preferences.deceive, cost)
}

proptest! {
	#[test]
	fn theorem_1_a_creator_that_never_verifies_is_always_deceived(
		parameters in admissible(), p_a in p_a(),
	) {
		let stage = parameters.stage(p_a).unwrap();
		let provider = stage.provider_utilities();
		prop_assert!(provider.mean(0.0, 0.0) > provider.mean(1.0, 0.0));
		prop_assert!(stage.creator_utilities().deceive_pass < 0.0);
	}

	#[test]
	fn theorem_2_verified_providers_prefer_to_execute(
		parameters in admissible(), p_a in p_a(), above in 0.0_f64..1.0,
	) {
		let stage = parameters.stage(p_a).unwrap();
		prop_assume!(p_a * stage.p_unnoticed() > 0.5);
		let provider = stage.provider_utilities();
		prop_assert!(provider.deceive_verify < provider.execute_verify);
		// Not for every p_v > 0, as the paper has it, but for every p_v above the rate of Eq. 4.
		let needed = stage.indifferent_p_v().unwrap();
		prop_assert!(needed > 0.0 && needed < 1.0);
		let more = needed + (1.0 - needed) * above.max(1e-3);
		prop_assert!(provider.mean(1.0, more) > provider.mean(0.0, more));
		prop_assert!(provider.mean(1.0, needed * 0.99) < provider.mean(0.0, needed * 0.99));
		// And so in every equilibrium in which the creator verifies at all.
		prop_assume!(!on_threshold(&stage));
		for equilibrium in stage.game().equilibria() {
			prop_assert!(equilibrium.column.high == 0.0 || equilibrium.row.low > 0.0);
		}
	}

	#[test]
	fn theorem_3_theta_and_n_bound_dishonesty(
		parameters in admissible(), p_e in 0.0_f64..=1.0, q_e in 0.0_f64..=1.0,
		more_theta in 0_u32..50, more_n in 0_u32..4, more_g in 0.0_f64..1.0, more_price in 1.0_f64..3.0,
	) {
		let bound = least_p_a(parameters.penalty_rate, parameters.verification_count).unwrap();
		let best = parameters.best_p_a(p_e).unwrap();
		prop_assert!(best.p_a >= bound - 1e-12);
		prop_assert!(best.gain.is_finite() && best.gain >= 0.0);
		// It is the best: no other p_a does better.
		let utility = |p_a: f64| parameters.stage(p_a).unwrap().creator_utilities().mean(p_e, 1.0);
		let scale = parameters.stake();
		for other in 0..=100 {
			prop_assert!(utility(f64::from(other) / 100.0) <= utility(best.p_a) + 1e-9 * scale);
		}
		// The trends of §5.2: n, θ and g_m raise it, p_e lowers it.
		let (low, high) = (p_e.min(q_e), p_e.max(q_e));
		let at = |parameters: &Parameters, p_e| parameters.best_p_a(p_e).unwrap().p_a;
		prop_assert!(at(&parameters, low) >= at(&parameters, high) - 1e-12);
		let stricter = Parameters {
			penalty_rate: parameters.penalty_rate + more_theta,
			mediation_cost: parameters.mediation_cost + more_g * parameters.price,
			..parameters
		};
		prop_assert!(at(&stricter, p_e) >= best.p_a - 1e-12);
		let thorough = Parameters {
			verification_count: parameters.verification_count + more_n,
			..parameters
		};
		prop_assert!(at(&thorough, p_e) >= best.p_a - 1e-12);
		// π_c lowers it, through the constant g_m.
		let dearer = Parameters {
			price: parameters.price * more_price,
			price_limit: parameters.price_limit * more_price,
			deception_payout: parameters.deception_payout * more_price,
			extra_deposit: parameters.extra_deposit * more_price,
			..parameters
		};
		prop_assert!(at(&dearer, p_e) <= best.p_a + 1e-12);
	}

	#[test]
	fn theorems_4_and_6_agree_with_the_general_solver(
		parameters in admissible(), p_a in p_a(),
	) {
		let stage = parameters.stage(p_a).unwrap();
		prop_assume!(!on_threshold(&stage));
		match stage.predict() {
			Ok(prediction) => {
				let found = stage.game().equilibria();
				prop_assert!(same(&found, &prediction.equilibria), "{found:?} {prediction:?}");
				prop_assert_eq!(prediction.mixed().is_ok(), prediction.theorem >= 5);
				prop_assert_eq!(prediction.pure_execution().is_ok(), prediction.theorem == 4);
			},
			// The theorems presuppose that a verified provider is deterred.
			Err(EconomicsError::ProviderNotDeterred { .. }) => {
				let provider = stage.provider_utilities();
				prop_assert!(provider.deceive_verify >= provider.execute_verify - 1e-9 * parameters.stake());
			},
			Err(error) => prop_assert!(false, "{error}"),
		}
	}

	#[test]
	fn type_2_cannot_occur(parameters in admissible(), p_a in p_a(), pi_d in 0.0_f64..5.0) {
		// P_EV = (1 − p_a)·P_DV: verifying an honest provider is never worth more than verifying a
		// deceiving one unless both are worth less than nothing.
		let parameters = Parameters { deception_payout: pi_d * parameters.price, ..parameters };
		let stage = parameters.stage(p_a).unwrap();
		let preferences = stage.creator_preferences();
		prop_assert!(close(preferences.execute, (1.0 - p_a) * preferences.deceive));
		prop_assert!(stage.creator_type() != Ok(CreatorType::VerifiesExecution));
	}

	#[test]
	fn theorem_5_holds_for_any_payoffs_of_type_2(
		parameters in admissible(), p_a in p_a(), gain in 0.01_f64..10.0, loss in 0.01_f64..10.0,
	) {
		let stage = parameters.stage(p_a).unwrap();
		prop_assume!(stage.indifferent_p_v().is_ok_and(|p_v| p_v < 0.999));
		let u = stage.provider_utilities();
		let provider = [[u.execute_verify, u.execute_pass], [u.deceive_verify, u.deceive_pass]];
		// Verifying gains the creator `gain` against an executing provider and loses it `loss`
		// against a deceiving one.
		let game = Bimatrix::new(provider, [[gain, 0.0], [-loss, 0.0]]).unwrap();
		let expected = [
			Equilibrium::point(1.0, 1.0),
			Equilibrium::point(0.0, 0.0),
			Equilibrium::point(loss / (gain + loss), stage.indifferent_p_v().unwrap()),
		];
		prop_assert!(same(&game.equilibria(), &expected));
	}

	#[test]
	fn the_market_equilibrium_leaves_nobody_a_better_choice(parameters in admissible()) {
		match market_equilibrium(&parameters) {
			Ok(market) => {
				let stage = parameters.stage(market.p_a).unwrap();
				let (provider, creator) = stage.game().regret(market.p_e, market.p_v);
				let tolerance = 1e-6 * parameters.stake();
				prop_assert!(provider <= tolerance && creator <= tolerance, "{market:?}");
				let best = parameters.best_p_a(market.p_e).unwrap().p_a;
				prop_assert!(close(best, market.p_a), "{best} {market:?}");
			},
			Err(EconomicsError::NoMixedEquilibrium { .. }) => {
				prop_assert!(parameters.verification_cost >= parameters.dispute_gain());
			},
			Err(EconomicsError::ProviderNotDeterred { .. }) => {
				let p_a = parameters.best_p_a(1.0).unwrap().p_a;
				let stage = parameters.stage(p_a).unwrap();
				prop_assert!(stage.deterrence() <= parameters.saving());
			},
			Err(error) => prop_assert!(false, "{error}"),
		}
	}

	#[test]
	fn nothing_is_ever_nan(
		parameters in admissible(), p_a in p_a(), p_e in 0.0_f64..=1.0, scale in -30_i32..30,
		theta in prop_oneof![Just(u32::MAX), Just(0_u32), any::<u32>()], n in 1_u32..10_000,
		ended in 0_u32..1_000, mediated in 0_u32..1_000,
	) {
		let factor = 10_f64.powi(scale);
		let parameters = Parameters {
			penalty_rate: theta,
			verification_count: n,
			price: parameters.price * factor,
			price_limit: parameters.price_limit * factor,
			asking_price: parameters.asking_price * factor,
			extra_deposit: parameters.extra_deposit * factor,
			availability_fees: parameters.availability_fees * factor,
			mediation_cost: parameters.mediation_cost * factor,
			provider_cost: parameters.provider_cost * factor,
			creator_cost: parameters.creator_cost * factor,
			deception_payout: parameters.deception_payout * factor,
			benefit: parameters.benefit * factor,
			verification_cost: parameters.verification_cost * factor,
			execution_cost: parameters.execution_cost * factor,
			deception_cost: parameters.deception_cost * factor,
		};
		let stage = parameters.stage(p_a).unwrap();
		let mut numbers = vec![
			stage.provider_utilities().mean(p_e, 0.5),
			stage.creator_utilities().mean(p_e, 0.5),
			stage.deterrence(),
			parameters.creator_derivative(p_a, p_e, 0.5).unwrap(),
			parameters.most_dishonest_gain().unwrap(),
			parameters.honest_up_to_p_e().unwrap(),
		];
		let mut probabilities = vec![parameters.best_p_a(p_e).unwrap().p_a];
		probabilities.extend(stage.indifferent_p_v());
		probabilities.extend(stage.indifferent_p_e());
		for equilibrium in stage.game().equilibria() {
			probabilities.extend([
				equilibrium.row.low, equilibrium.row.high, equilibrium.column.low, equilibrium.column.high,
			]);
		}
		if let Ok(market) = market_equilibrium(&parameters) {
			probabilities.extend([market.p_a, market.p_e, market.p_v]);
		}
		let history = CreatorHistory { ended: ended.max(mediated), mediated };
		let risk = creator_risk(&parameters, history, 0.0002, 0.95).unwrap();
		numbers.extend([risk.utility, risk.utility_at_least]);
		probabilities.extend([
			risk.dispute_rate, risk.dispute_rate_at_most, risk.break_even_dispute_rate,
		]);
		prop_assert!(numbers.iter().all(|number| number.is_finite()), "{numbers:?}");
		prop_assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{probabilities:?}");
	}
}

#[test]
fn theorem_2_as_printed_has_a_counterexample() {
	// p_v = 0.005 > 0 and p_a = 1, yet deceiving is the provider's better choice.
	let stage = Parameters::example().stage(1.0).unwrap();
	let provider = stage.provider_utilities();
	assert!(provider.mean(0.0, 0.005) > provider.mean(1.0, 0.005));
}

#[test]
fn every_type_but_the_second_occurs() {
	let with_cost = |verification_cost: f64| {
		let parameters = Parameters { verification_cost, ..Parameters::example() };
		parameters.stage(parameters.best_p_a(1.0).unwrap().p_a).unwrap().creator_type().unwrap()
	};
	assert_eq!(with_cost(0.5), CreatorType::AlwaysVerifies);
	assert_eq!(with_cost(60.0), CreatorType::VerifiesDeception);
	assert_eq!(with_cost(150.0), CreatorType::AlwaysPasses);
}

#[test]
fn a_threshold_has_no_type_and_says_so() {
	// p_a = 1: P_DV = 2π_c − g_m = 199.
	let parameters = Parameters { verification_cost: 199.0, ..Parameters::example() };
	let stage = parameters.stage(1.0).unwrap();
	assert!(matches!(stage.creator_type(), Err(EconomicsError::NoCreatorType { .. })));
	assert!(matches!(stage.predict(), Err(EconomicsError::NoCreatorType { .. })));
	assert!(matches!(stage.indifferent_p_e(), Err(EconomicsError::NoMixedEquilibrium { .. })));
}

#[test]
fn payoffs_that_are_no_numbers_are_refused() {
	for value in [f64::NAN, f64::INFINITY, -1e301] {
		let found = Bimatrix::new([[value, 0.0], [0.0, 0.0]], [[0.0; 2]; 2]);
		assert!(matches!(found, Err(EconomicsError::NotAPayoff { .. })));
	}
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
