// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every number of the paper's §5 and of its Fig. 5, and its tables in the form they are printed
//! in.
#![allow(clippy::unwrap_used)]

use modicum_economics::{
	creator_risk, least_p_a, most_p_v, platform_choices, Constraint, CreatorHistory,
	EconomicsError, Outcome, Parameters, PlatformChoice, Search, Stage,
};

fn close(found: f64, expected: f64, tolerance: f64) {
	assert!(
		(found - expected).abs() <= tolerance,
		"{found} is not within {tolerance} of {expected}"
	);
}

/// π_c = 2, g_m = 0, θ = 0, c_v = 1, b = 4: the caption of Fig. 5.
fn figure_5(n: u32) -> Parameters {
	Parameters { benefit: 4.0, verification_cost: 1.0, ..Parameters::at_price(0, n, 2.0) }
}

#[test]
fn figure_5_roots_are_the_papers() {
	close(figure_5(1).best_p_a(1.0).unwrap().p_a, 0.5, 1e-12);
	// 3p² − 2p − 1/3 = 0.
	close(figure_5(2).best_p_a(1.0).unwrap().p_a, (2.0 + 8.0_f64.sqrt()) / 6.0, 1e-12);
	close(figure_5(4).best_p_a(1.0).unwrap().p_a, 0.943, 5e-4);
	// 7p⁶ − 6p⁵ = 5/7.
	let six = figure_5(6).best_p_a(1.0).unwrap().p_a;
	close(7.0 * six.powi(6) - 6.0 * six.powi(5), 5.0 / 7.0, 1e-12);
	close(six, 0.974, 5e-4);
	for n in [1, 2, 4, 6] {
		let root = figure_5(n).best_p_a(1.0).unwrap().p_a;
		close(figure_5(n).creator_derivative(root, 1.0, 1.0).unwrap(), 0.0, 1e-9);
		assert!(figure_5(n).creator_derivative(root - 1e-3, 1.0, 1.0).unwrap() > 0.0);
		assert!(figure_5(n).creator_derivative(root + 1e-3, 1.0, 1.0).unwrap() < 0.0);
	}
}

#[test]
fn two_runs_and_a_penalty_of_50_make_creators_99_percent_honest() {
	// 3p² − 2p − 51/53 = 0.
	let exact = (2.0 + (4.0_f64 + 12.0 * 51.0 / 53.0).sqrt()) / 6.0;
	let p_a = least_p_a(50, 2).unwrap();
	close(p_a, exact, 1e-12);
	close(p_a, 0.9905, 5e-5);
	assert!(p_a >= 0.99);
}

#[test]
fn creators_verify_2_percent_and_mediate_at_most_2_in_10_000() {
	let p_v = most_p_v(50, 2, 0.99).unwrap();
	close(p_v, 1.0 / (0.99_f64.powi(3) * 53.0), 1e-15);
	close(p_v, 0.02, 1e-3);
	let stage = Parameters::at_price(50, 2, 1.0).stage(0.99).unwrap();
	let rate = stage.mediation_rate(1.0, p_v);
	close(rate, p_v * 0.01, 1e-15);
	assert!(rate <= 0.0002);
}

#[test]
fn mediation_is_rare_only_while_providers_execute() {
	// The paper leaves out that a verified deceit is mediated too. In the mixed equilibrium of its
	// own Theorem 6 with c_v = π_c / 2 nearly half of the verified results are deceits.
	let parameters = Parameters { verification_cost: 0.5, ..Parameters::at_price(50, 2, 1.0) };
	let stage = parameters.stage(0.99).unwrap();
	let (p_e, p_v) = (stage.indifferent_p_e().unwrap(), most_p_v(50, 2, 0.99).unwrap());
	close(p_e, 0.476, 1e-3);
	let rate = stage.mediation_rate(p_e, p_v);
	close(rate, 0.0103, 1e-4);
	assert!(rate > 50.0 * 0.0002);
}

#[test]
fn figure_4_is_the_papers_table() {
	let p = Parameters {
		availability_fees: 3.0,
		mediation_cost: 5.0,
		provider_cost: 7.0,
		creator_cost: 11.0,
		benefit: 1_000.0,
		verification_cost: 13.0,
		execution_cost: 60.0,
		deception_cost: 17.0,
		..Parameters::at_price(50, 2, 100.0)
	};
	let d = 5_200.0;
	assert_eq!(p.deposit(), d);
	// Eq. 2 counts π_a in; Table 1's π_m is what the runs of a dispute cost at most.
	assert_eq!(p.least_deposit(), d + 3.0);
	assert_eq!(Parameters { extra_deposit: 9.0, ..p }.least_deposit(), d + 3.0);
	assert_eq!(Parameters { price_limit: 150.0, ..p }.mediator_payout(), 300.0);
	let provider = [
		100.0 - 17.0 - 7.0 - 3.0,
		-d - 7.0 - 17.0 - 3.0,
		100.0 - 7.0 - 17.0 - 3.0,
		100.0 - 7.0 - 60.0 - 3.0,
		100.0 - 7.0 - 60.0 - 3.0,
		100.0 - 7.0 - 60.0 - 3.0,
		-d - 7.0 - 60.0 - 3.0,
	];
	let creator = [
		-11.0 - d - 5.0 - 13.0 - 3.0,
		100.0 - 11.0 - 5.0 - 13.0 - 3.0,
		-11.0 - 100.0 - 3.0,
		1_000.0 - 11.0 - 100.0 - 3.0,
		1_000.0 - 11.0 - 100.0 - 13.0 - 3.0,
		1_000.0 - 11.0 - d - 5.0 - 13.0 - 3.0,
		1_000.0 + 100.0 - 11.0 - 5.0 - 13.0 - 3.0,
	];
	for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
		close(p.provider_payoff(outcome).reward(), provider[index], 1e-9);
		close(p.creator_payoff(outcome).reward(), creator[index], 1e-9);
	}
}

/// Terms with nothing special about them, in the paper's tables' own case π̂_c = π_c.
fn ordinary(n: u32, theta: u32, pi_d: f64) -> Parameters {
	Parameters {
		availability_fees: 0.3,
		mediation_cost: 0.7,
		provider_cost: 0.2,
		creator_cost: 0.4,
		deception_payout: pi_d,
		benefit: 9.0,
		verification_cost: 0.9,
		execution_cost: 1.6,
		deception_cost: 0.1,
		..Parameters::at_price(theta, n, 2.5)
	}
}

/// The parameters' symbols as the paper writes them.
#[allow(clippy::too_many_arguments)]
fn tables_2_and_3(stage: &Stage) -> ([f64; 4], [f64; 4]) {
	let p = stage.parameters();
	let (n, theta, pi_c, pi_d) =
		(f64::from(p.verification_count), f64::from(p.penalty_rate), p.price, p.deception_payout);
	let (c_e, c_d, c_v, b) = (p.execution_cost, p.deception_cost, p.verification_cost, p.benefit);
	let (g_m, g_r, g_j, pi_a) =
		(p.mediation_cost, p.provider_cost, p.creator_cost, p.availability_fees);
	let a = stage.p_a();
	let an = a.powi(p.verification_count as i32);
	let provider = [
		-c_e - g_r - pi_a
			+ pi_c * (n * an * (a - 1.0) + a + an * theta * (a - 1.0))
			+ pi_d * (1.0 - a) * (1.0 - an),
		pi_c - c_e - g_r - pi_a,
		-c_d - g_r - pi_a + an * pi_c * (-n - theta) + pi_d * (1.0 - an),
		pi_c - c_d - g_r - pi_a,
	];
	let creator = [
		b - g_j - pi_c * (n + theta) * (1.0 - a) * (1.0 - an) + (1.0 - a) * (-g_m + an * pi_d)
			- c_v - a * pi_c
			- pi_a,
		b - g_j - pi_a - pi_c,
		-c_v - g_j - g_m + an * pi_d - pi_a - pi_c * (n - an * (n + theta) + theta),
		-g_j - pi_a - pi_c,
	];
	(provider, creator)
}

#[test]
fn tables_2_to_4_follow_from_figures_3_and_4() {
	for n in [1, 2, 5] {
		for theta in [0, 3, 50] {
			for p_a in [0.0, 0.3, 0.97, 1.0] {
				for pi_d in [2.5, 1.0] {
					let stage = ordinary(n, theta, pi_d).stage(p_a).unwrap();
					let (provider, creator) = tables_2_and_3(&stage);
					for (found, expected) in [
						(stage.provider_utilities(), provider),
						(stage.creator_utilities(), creator),
					] {
						close(found.execute_verify, expected[0], 1e-9);
						close(found.execute_pass, expected[1], 1e-9);
						close(found.deceive_verify, expected[2], 1e-9);
						close(found.deceive_pass, expected[3], 1e-9);
					}
				}
				// Table 4 is printed for π_d = π_c.
				let stage = ordinary(n, theta, 2.5).stage(p_a).unwrap();
				let an = p_a.powi(n as i32);
				let swing = 2.5 * (1.0 - an) * f64::from(n + theta + 1);
				let table = stage.creator_preferences();
				close(table.execute, -swing * (1.0 - p_a) + (1.0 - p_a) * (-0.7 + 5.0), 1e-9);
				close(table.deceive, 5.0 - 0.7 - swing, 1e-9);
			}
		}
	}
}

#[test]
fn equations_4_and_5_are_the_papers() {
	let stage = ordinary(2, 50, 2.5).stage(0.99).unwrap();
	let p = stage.parameters();
	let p_v = (p.execution_cost - p.deception_cost) / (0.99_f64.powi(3) * p.price * 53.0);
	close(stage.indifferent_p_v().unwrap(), p_v, 1e-12);
	let provider = stage.provider_utilities();
	close(provider.mean(1.0, p_v), provider.mean(0.0, p_v), 1e-9);

	let k = 2.0 * p.price - p.mediation_cost - p.price * (1.0 - 0.99_f64.powi(2)) * 53.0;
	let p_e = (k - p.verification_cost) / (0.99 * k);
	close(stage.indifferent_p_e().unwrap(), p_e, 1e-12);
	let creator = stage.creator_utilities();
	close(creator.mean(p_e, 1.0), creator.mean(p_e, 0.0), 1e-9);
}

#[test]
fn the_derivative_is_that_of_the_utility() {
	let parameters = ordinary(3, 20, 2.0);
	for p_e in [0.0, 0.4, 1.0] {
		for p_a in [0.2, 0.6, 0.95] {
			let utility = |p_a| parameters.stage(p_a).unwrap().creator_utilities().mean(p_e, 0.3);
			let step = 1e-5;
			let slope = (utility(p_a + step) - utility(p_a - step)) / (2.0 * step);
			close(parameters.creator_derivative(p_a, p_e, 0.3).unwrap(), slope, 1e-5);
		}
	}
}

#[test]
fn the_equation_of_the_protocol_holds_at_the_root() {
	let parameters = ordinary(2, 50, 2.5);
	for p_e in [1.0, 0.99] {
		let p = parameters.best_p_a(p_e).unwrap().p_a;
		let left = (2.0 * 2.5 - 0.7) / (2.5 * 53.0);
		let right = 1.0 - p.powi(2) + 2.0 * p / p_e - 2.0 * p.powi(2);
		close(left, right, 1e-9);
	}
}

#[test]
fn a_little_cheating_makes_creators_wholly_honest() {
	let parameters = Parameters::at_price(50, 2, 1.0);
	let threshold = parameters.honest_up_to_p_e().unwrap();
	close(threshold, 106.0 / 108.0, 1e-12);
	assert_eq!(parameters.best_p_a(threshold - 1e-9).unwrap().p_a, 1.0);
	assert!(parameters.best_p_a(threshold + 1e-6).unwrap().p_a < 1.0);
}

#[test]
fn the_platforms_choice_has_the_cheapest_n() {
	let choices = platform_choices(0.99, None, Search::default()).unwrap();
	// 2 / (1 + 2p − 3p²) − 3 at p = 0.99 is 47.4.
	assert_eq!((choices[0].penalty_rate, choices[0].verification_count), (48, 2));
	for choice in &choices {
		assert!(choice.least_p_a >= 0.99);
		if choice.penalty_rate > 1 {
			assert!(least_p_a(choice.penalty_rate - 1, choice.verification_count).unwrap() < 0.99);
		}
	}
	// The paper wants as few runs as possible and takes two; its own formula is content with one.
	let search = Search { min_verification_count: 1, ..Search::default() };
	let one = platform_choices(0.99, None, search).unwrap()[0];
	assert_eq!((one.penalty_rate, one.verification_count), (98, 1));
	assert!(PlatformChoice::of(50, 2).unwrap().most_gain < 0.01);
}

#[test]
fn a_choice_can_bound_the_verification_rate_too() {
	let choices = platform_choices(0.9, Some(0.01), Search::default()).unwrap();
	for choice in choices {
		assert!(choice.most_p_v <= 0.01 && choice.least_p_a >= 0.9);
		let less = PlatformChoice::of(choice.penalty_rate - 1, choice.verification_count).unwrap();
		assert!(less.most_p_v > 0.01 || less.least_p_a < 0.9);
	}
}

#[test]
fn bad_input_is_named() {
	let good = Parameters::example();
	assert_eq!(good.check_constraints(), Ok(()));
	let broken = |parameters: Parameters, constraint: Constraint| {
		let found = parameters.check_constraints();
		assert!(
			matches!(&found, Err(EconomicsError::ConstraintsBroken(list)) if list.contains(&constraint)),
			"{constraint:?}: {found:?}"
		);
		assert!(found.unwrap_err().to_string().contains(constraint.explain()));
	};
	broken(Parameters { benefit: 105.0, ..good }, Constraint::BenefitCoversPrice);
	broken(Parameters { deception_cost: 60.0, ..good }, Constraint::DeceptionSaves);
	broken(Parameters { deception_cost: 0.0, ..good }, Constraint::DeceptionCosts);
	broken(Parameters { price_limit: 99.0, ..good }, Constraint::PriceWithinLimit);
	broken(Parameters { asking_price: 101.0, ..good }, Constraint::PriceCoversAsk);
	broken(Parameters { asking_price: 60.0, ..good }, Constraint::AskCoversExecution);

	for value in [f64::NAN, f64::INFINITY, -1.0, 1e40] {
		let found = Parameters { price: value, ..good }.check_numbers();
		assert!(matches!(found, Err(EconomicsError::NotAnAmount { name: "price π_c", .. })));
	}
	for n in [0, 10_001] {
		let found = Parameters { verification_count: n, ..good }.check_numbers();
		assert!(matches!(found, Err(EconomicsError::OutOfRange { .. })));
	}
	for p in [-0.1, 1.1, f64::NAN] {
		assert!(matches!(good.stage(p), Err(EconomicsError::NotAProbability { name: "p_a", .. })));
		assert!(good.best_p_a(p).is_err());
		assert!(good.creator_derivative(0.5, 0.5, p).is_err());
		assert!(platform_choices(p, None, Search::default()).is_err());
	}
	assert!(matches!(
		platform_choices(1.0, None, Search::default()),
		Err(EconomicsError::BoundOutOfReach { .. })
	));
	let empty =
		Search { min_verification_count: 3, max_verification_count: 2, ..Search::default() };
	assert!(matches!(platform_choices(0.9, None, empty), Err(EconomicsError::OutOfRange { .. })));
	// A creator so dishonest that a verified provider loses either way deters nobody.
	assert!(matches!(
		good.stage(0.1).unwrap().indifferent_p_v(),
		Err(EconomicsError::ProviderNotDeterred { .. })
	));
}

#[test]
fn providers_judge_creators_by_their_record() {
	let parameters = Parameters::example();
	let of = |ended, mediated, faulted| {
		let history = CreatorHistory { ended, mediated, faulted };
		creator_risk(&parameters, history, 0.0002, 0.9).unwrap()
	};
	let judge = |ended, mediated| of(ended, mediated, mediated);
	// (100 − 60 − 2 − 3) / (100 + 5,200).
	close(judge(0, 0).break_even_dispute_rate, 35.0 / 5_300.0, 1e-12);
	assert!(judge(0, 0).acceptable());
	assert!(judge(1_000, 0).acceptable());
	assert!(judge(1_000, 1).acceptable());
	assert!(!judge(10, 2).acceptable());
	assert!(!judge(1_000, 30).acceptable());
	close(judge(1_000, 30).dispute_rate, 30.0002 / 1_001.0, 1e-12);
	assert!(judge(1_000, 30).utility < judge(1_000, 3).utility);
	assert!(judge(1_000, 3).utility_at_least < judge(1_000, 3).utility);
	// Who caught cheats is not judged like one who disputed correct results, nor like one who did not
	// dispute at all.
	close(of(1_000, 30, 0).dispute_rate, 10.0002 / 1_001.0, 1e-12);
	close(of(1_000, 30, 15).dispute_rate, 20.0002 / 1_001.0, 1e-12);
	assert!(of(1_000, 3, 0).acceptable());
	assert!(of(300, 1, 0).acceptable() && !of(300, 1, 1).acceptable());
	for impossible in [
		CreatorHistory { ended: 1, mediated: 2, faulted: 0 },
		CreatorHistory { ended: 2, mediated: 1, faulted: 2 },
	] {
		let found = creator_risk(&parameters, impossible, 0.0002, 0.9);
		assert!(matches!(found, Err(EconomicsError::OutOfRange { .. })));
	}
	let known = CreatorHistory::default();
	assert!(creator_risk(&parameters, known, 1.5, 0.9).is_err());
	assert!(creator_risk(&parameters, known, 0.0, f64::NAN).is_err());
}
