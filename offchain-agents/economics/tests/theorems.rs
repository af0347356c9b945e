// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Theorems 1 to 6 of the paper over random admissible parameters, against a solver that knows
//! nothing of them; (tests/solver.rs).
#![allow(clippy::unwrap_used)]

use modicum_economics::{
	advise, check, creator_risk, least_p_a, simulation, simulation::market_equilibrium,
	AdviceRequest, Bimatrix, CheckRequest, CreatorHistory, CreatorType, EconomicsError,
	Equilibrium, Parameters, Prediction, Preferences, Search, Stage,
};
use proptest::prelude::*;

prop_compose! {
	/// Parameters that keep all constraints of Table 1, with verification costs of every magnitude.
	fn admissible()(
		// Table 1 has θ ≥ 0; the chain accepts 1 to 10,000, and n up to 16.
		theta in prop_oneof![Just(0_u32), 1_u32..200, 200_u32..=10_000],
		n in 1_u32..=16,
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
		// The chain pays π_d = π_c; the paper leaves it open.
		payout in prop_oneof![3 => Just(1.0_f64), 1 => 0.5_f64..2.0],
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
			deception_payout: payout * price,
			execution_cost,
			deception_cost: deception * execution_cost,
			..Parameters::at_price(theta, n, price)
		}
	}
}

/// The same with π_d = π_c.
fn as_the_chain_pays(parameters: Parameters) -> Parameters {
	Parameters { deception_payout: parameters.price, ..parameters }
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

/// No number of a report is NaN or infinite.
fn assert_numbers<T: std::fmt::Debug>(
	report: &Result<T, EconomicsError>,
) -> Result<(), TestCaseError> {
	if let Ok(report) = report {
		let text = format!("{report:?}");
		let mut words = text.split(|c: char| !c.is_alphanumeric());
		prop_assert!(!words.any(|word| word == "NaN" || word == "inf"), "{text}");
	}
	Ok(())
}

/// The game at `p_a`, with costs of the provider that the deposit deters it from saving.
fn deterring(parameters: Parameters, p_a: f64) -> Stage {
	let risk = parameters.stage(p_a).unwrap().deterrence();
	assert!(risk > 0.0);
	// A provider that saves less is deterred by less: c_e stays, c_d comes up to it.
	let saving = parameters.saving().min(0.9 * risk);
	let deception_cost = parameters.execution_cost - saving;
	Parameters { deception_cost, ..parameters }.stage(p_a).unwrap()
}

/// The closed forms are what the general solver finds, and of the `wanted` theorem and type.
fn assert_predicted(stage: &Stage, wanted: Option<(u8, CreatorType)>) -> Result<(), TestCaseError> {
	let prediction = stage.predict().unwrap();
	let found = stage.game().equilibria();
	prop_assert!(same(&found, &prediction.equilibria), "{found:?} {prediction:?}");
	prop_assert_eq!(prediction.mixed().is_ok(), prediction.theorem >= 5);
	prop_assert_eq!(prediction.pure_execution().is_ok(), prediction.theorem == 4);
	if let Some(wanted) = wanted {
		prop_assert_eq!((prediction.theorem, prediction.creator_type), wanted);
	}
	Ok(())
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
		// The theorem presupposes π_d = π_c.
		let stage = as_the_chain_pays(parameters).stage(p_a).unwrap();
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
		let parameters = as_the_chain_pays(parameters);
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
	fn the_theorems_agree_with_the_general_solver(parameters in admissible(), p_a in p_a()) {
		let stage = parameters.stage(p_a).unwrap();
		prop_assume!(!on_threshold(&stage));
		match stage.predict() {
			Ok(_) => assert_predicted(&stage, None)?,
			// Theorems 4 to 6 presuppose that a verified provider is deterred.
			Err(EconomicsError::ProviderNotDeterred { .. }) => {
				let provider = stage.provider_utilities();
				prop_assert!(provider.deceive_verify >= provider.execute_verify - 1e-9 * parameters.stake());
			},
			Err(error) => prop_assert!(false, "{error}"),
		}
	}

	#[test]
	fn theorem_4_creators_that_always_verify_are_always_served(
		parameters in admissible(), position in 0.05_f64..0.95, share in 0.01_f64..0.95,
	) {
		// Between the best p_a and 1, K is positive, and P_EV = (1 − p_a)·K with it.
		let best = parameters.best_p_a(1.0).unwrap().p_a;
		prop_assume!(best < 1.0);
		let p_a = best + (1.0 - best) * position;
		let worth = parameters.stage(p_a).unwrap().creator_preferences().execute;
		prop_assert!(worth > 0.0);
		let stage = deterring(Parameters { verification_cost: share * worth, ..parameters }, p_a);
		prop_assume!(!on_threshold(&stage));
		assert_predicted(&stage, Some((4, CreatorType::AlwaysVerifies)))?;
	}

	#[test]
	fn theorem_6_creators_between_the_thresholds_mix(
		parameters in admissible(), position in 0.05_f64..=1.0, share in 0.01_f64..0.99,
	) {
		let best = parameters.best_p_a(1.0).unwrap().p_a;
		let p_a = best + (1.0 - best) * position;
		let preferences = parameters.stage(p_a).unwrap().creator_preferences();
		prop_assume!(preferences.deceive > 0.0);
		let verification_cost =
			preferences.execute + share * (preferences.deceive - preferences.execute);
		let stage = deterring(Parameters { verification_cost, ..parameters }, p_a);
		prop_assume!(!on_threshold(&stage));
		assert_predicted(&stage, Some((6, CreatorType::VerifiesDeception)))?;
	}

	#[test]
	fn theorem_1_is_the_end_of_creators_above_the_thresholds(
		parameters in admissible(), p_a in p_a(), above in 0.01_f64..10.0,
	) {
		let worth = parameters.stage(p_a).unwrap().creator_preferences().deceive.max(0.0);
		let verification_cost = worth + above * parameters.price;
		// Deterred or not.
		let stage = Parameters { verification_cost, ..parameters }.stage(p_a).unwrap();
		prop_assume!(!on_threshold(&stage));
		assert_predicted(&stage, Some((1, CreatorType::AlwaysPasses)))?;
	}

	#[test]
	fn type_2_cannot_occur(parameters in admissible(), p_a in p_a(), pi_d in 0.0_f64..5.0) {
		// Table 4 from Table 3: what verifying is worth before its cost. P_EV = (1 − p_a)·P_DV, so
		// verifying an honest provider is never worth more than verifying a deceiving one unless
		// both are worth less than nothing.
		let parameters = Parameters { deception_payout: pi_d * parameters.price, ..parameters };
		let stage = parameters.stage(p_a).unwrap();
		let preferences = stage.creator_preferences();
		let (u, cost) = (stage.creator_utilities(), parameters.verification_cost);
		let tolerance = 1e-9 * (parameters.stake() + parameters.benefit);
		let near = |one: f64, other: f64| (one - other).abs() <= tolerance;
		prop_assert!(near(preferences.execute, u.execute_verify - u.execute_pass + cost));
		prop_assert!(near(preferences.deceive, u.deceive_verify - u.deceive_pass + cost));
		prop_assert!(
			near(u.execute_verify - u.execute_pass + cost,
				(1.0 - p_a) * (u.deceive_verify - u.deceive_pass + cost))
		);
		prop_assert!(stage.creator_type() != Ok(CreatorType::VerifiesExecution));
	}

	#[test]
	fn theorem_5_holds_for_any_payoffs_of_type_2(
		parameters in admissible(), p_a in 0.9_f64..=1.0, cost in 0.001_f64..10.0,
		gain in 0.01_f64..10.0, loss in 0.01_f64..10.0,
	) {
		let stage = deterring(parameters, p_a);
		let p_v = stage.indifferent_p_v().unwrap();
		let u = stage.provider_utilities();
		let provider = [[u.execute_verify, u.execute_pass], [u.deceive_verify, u.deceive_pass]];
		// Verifying gains the creator `gain` against an executing provider and loses it `loss`
		// against a deceiving one.
		let preferences = Preferences { execute: cost + gain, deceive: cost - loss };
		let prediction = Prediction::of(preferences, cost, p_v).unwrap();
		prop_assert_eq!(prediction.creator_type, CreatorType::VerifiesExecution);
		prop_assert_eq!(prediction.theorem, 5);
		prop_assert_eq!(prediction.pure_execution(), Ok(Equilibrium::point(1.0, 1.0)));
		prop_assert!(prediction.mixed().is_ok());
		let game = Bimatrix::new(provider, [[gain, 0.0], [-loss, 0.0]]).unwrap();
		prop_assert!(same(&game.equilibria(), &prediction.equilibria), "{prediction:?}");
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
		let faulted = mediated / 2;
		let history = CreatorHistory { ended: ended.max(mediated), mediated, faulted };
		let risk = creator_risk(&parameters, history, 0.0002, 0.95).unwrap();
		numbers.extend([risk.utility, risk.utility_at_least]);
		probabilities.extend([
			risk.dispute_rate, risk.dispute_rate_at_most, risk.break_even_dispute_rate,
		]);
		prop_assert!(numbers.iter().all(|number| number.is_finite()), "{numbers:?}");
		let request = CheckRequest { parameters, source: String::new(), p_v: None, p_a: Some(p_a) };
		for request in [request.clone(), CheckRequest { p_a: None, p_v: Some(p_e), ..request }] {
			assert_numbers(&check(&request))?;
		}
		let present = (theta, n);
		let request = AdviceRequest {
			least_p_a: p_a, most_p_v: None, search: Search::default(), present, source: String::new(),
		};
		assert_numbers(&advise(&request))?;
		let config = simulation::AdaptiveConfig {
			agents: 2, rounds: 3, ..simulation::AdaptiveConfig::new(parameters, 1)
		};
		assert_numbers(&simulation::fictitious_play(&config))?;
		assert_numbers(&simulation::replicate(&config, p_a, 0.02))?;
		if let Ok(population) = simulation::Population::mixed(&parameters) {
			let config = simulation::SimulationConfig::new(parameters, population, 20, 1);
			assert_numbers(&simulation::simulate(&config))?;
		}
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
fn a_large_benefit_costs_no_digits() {
	let example = Parameters::example();
	let rich = Parameters { benefit: 1e17, ..example };
	for p_a in [1.0, 0.99] {
		let equilibria =
			|parameters: Parameters| parameters.stage(p_a).unwrap().game().equilibria();
		assert!(same(&equilibria(rich), &equilibria(example)));
	}
	assert_eq!(rich.best_p_a(1.0), example.best_p_a(1.0));
}

#[test]
fn absurd_limits_are_refused_by_name() {
	let parameters = Parameters { price_limit: 1e39, ..Parameters::at_price(50, 2, 1e-300) };
	let config = simulation::AdaptiveConfig::new(
		Parameters { verification_cost: 1e-301, deception_payout: 1e-300, ..parameters },
		1,
	);
	let found = simulation::replicate(&config, 1.0, 0.02);
	assert!(matches!(found, Err(EconomicsError::NotAPayoff { .. })), "{found:?}");
}
