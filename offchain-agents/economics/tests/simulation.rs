// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Simulated populations behave as the model says.
#![allow(clippy::unwrap_used)]

use modicum_economics::simulation::{
	fictitious_play, replicate, simulate, AdaptiveConfig, CreatorStrategy, Group, Population,
	ProviderStrategy, Role, SimulationConfig, SimulationReport, StrategyReport, MAX_JOBS,
};
use modicum_economics::{EconomicsError, Parameters};

fn run(parameters: Parameters, population: Population, jobs: u64) -> SimulationReport {
	simulate(&SimulationConfig::new(parameters, population, jobs, 7)).unwrap()
}

fn find<'a>(report: &'a SimulationReport, role: Role, start: &str) -> &'a StrategyReport {
	report
		.strategies
		.iter()
		.find(|strategy| strategy.role == role && strategy.strategy.starts_with(start))
		.unwrap()
}

#[test]
fn one_seed_gives_one_report_on_any_number_of_processors() {
	let parameters = Parameters::example();
	let config =
		SimulationConfig::new(parameters, Population::mixed(&parameters).unwrap(), 20_000, 3);
	let on = |threads: usize| {
		let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
		pool.install(|| simulate(&config).unwrap())
	};
	let report = on(1);
	assert_eq!(report, on(3));
	assert_ne!(report, simulate(&SimulationConfig { seed: 4, ..config }).unwrap());
}

#[test]
fn mean_utilities_are_those_of_tables_2_and_3() {
	for n in [2, 3] {
		let parameters = Parameters { verification_count: n, ..Parameters::example() };
		for (p_a, p_v, p_e) in
			[(1.0, 0.02, 1.0), (0.9, 0.5, 0.6), (0.6, 1.0, 0.5), (0.99, 1.0, 0.0)]
		{
			let population = Population::of(
				CreatorStrategy::NonDeterministic { p_a, p_v },
				ProviderStrategy::Mixes { p_e },
				20,
			);
			let report = run(parameters, population, 200_000);
			let stage = parameters.stage(p_a).unwrap();
			let expected = [
				stage.creator_utilities().mean(p_e, p_v),
				stage.provider_utilities().mean(p_e, p_v),
			];
			for (found, expected) in report.strategies.iter().zip(expected) {
				// 99.9 % and more of such intervals, three times as wide, hold the true mean.
				let tolerance = 3.0 * found.margin.unwrap() + 1e-9 * parameters.stake();
				assert!(
					(found.mean_utility - expected).abs() <= tolerance,
					"n {n} p_a {p_a} p_v {p_v} p_e {p_e}: {found:?} should be {expected}"
				);
			}
			let rate = stage.mediation_rate(p_e, p_v);
			assert!((report.mediation_rate - rate).abs() <= 0.005, "{rate} {report:?}");
		}
	}
}

#[test]
fn misbehaviour_loses_in_a_mixed_market() {
	let parameters = Parameters::example();
	let population = Population::mixed(&parameters).unwrap();
	let report = run(parameters, population.clone(), 800_000);
	let loses = |report: &SimulationReport, role, strategy| {
		let found = find(report, role, strategy);
		assert!(found.loses(), "{found:?}");
	};
	for strategy in [
		"always verifies",
		"non-deterministic, p_a 0.9",
		"non-deterministic, p_a 0.7",
		"disputes everything",
		"vanishes",
		"colludes with a mediator",
		"colludes with a directory",
	] {
		loses(&report, Role::Creator, strategy);
	}
	for strategy in ["always cheats", "executes 69.85 %", "vanishes"] {
		loses(&report, Role::Provider, strategy);
	}
	assert!(find(&report, Role::Creator, "honest").mean_utility > 0.0);
	assert!(find(&report, Role::Provider, "honest").mean_utility > 0.0);
	assert!(report.fines_per_job > 0.0);

	// Who does not verify is not cheated less for it, and does not pay for it either, as long as
	// providers do not tell creators apart.
	assert!(find(&report, Role::Creator, "never verifies").gains());
	// A provider with a mediator of its own is found out only by those who verify; with a directory
	// it meets honest mediators too.
	assert!(find(&report, Role::Provider, "colludes with a mediator").gains());
	loses(&report, Role::Provider, "colludes with a directory");
}

#[test]
fn spoilt_results_are_of_no_use_and_everybody_rejects_them() {
	let parameters = Parameters::example();
	for creator in [
		CreatorStrategy::NeverVerifies,
		CreatorStrategy::Honest { p_v: 0.0 },
		CreatorStrategy::NonDeterministic { p_a: 1.0, p_v: 0.0 },
	] {
		let mut population = Population::of(creator, ProviderStrategy::Honest, 5);
		population.rigged_pairs = 1;
		// Everybody removes the pair after the first time.
		let report = run(parameters, population.clone(), 10_000);
		let creators = &report.strategies[0];
		assert_eq!(creators.mediated, 5 * u64::from(report.config.worlds), "{creator:?}");
		assert_eq!(creators.faulted, creators.mediated);
		// The other matches bring the benefit, these neither that nor the price back.
		let good = parameters.benefit - parameters.price - parameters.availability_fees;
		let bad = -parameters.deposit() - parameters.mediation_cost - parameters.availability_fees;
		let share = creators.mediated as f64 / creators.matches as f64;
		let expected = (1.0 - share) * good + share * bad - parameters.creator_cost;
		assert!((creators.mean_utility - expected).abs() < 1e-6, "{expected} {creators:?}");
	}
}

/// Two honest groups and one pair that colludes, trading often enough that everybody meets
/// everybody.
fn with_collusion(remove_from_trusted: bool, creator_side: bool) -> Population {
	let mut population =
		Population::of(CreatorStrategy::AlwaysVerifies, ProviderStrategy::Honest, 10);
	population.remove_from_trusted = remove_from_trusted;
	population.mediators = 3;
	population.directories = 3;
	if creator_side {
		let strategy = CreatorStrategy::ColludesWithMediator;
		population.creators.push(Group { strategy, agents: 1 });
	} else {
		let strategy = ProviderStrategy::ColludesWithMediator;
		population.providers.push(Group { strategy, agents: 1 });
	}
	population
}

#[test]
fn a_colluding_pair_cheats_each_victim_once() {
	let parameters = Parameters::example();
	for (creator_side, role) in [(true, Role::Creator), (false, Role::Provider)] {
		let removing = run(parameters, with_collusion(true, creator_side), 200_000);
		let trusting = run(parameters, with_collusion(false, creator_side), 200_000);
		let worlds = u64::from(removing.config.worlds);
		let pair = |report| find(report, role, "colludes").clone();
		// Ten victims in each world.
		assert_eq!(pair(&removing).mediated, 10 * worlds);
		assert!(pair(&trusting).mediated > 50 * worlds);
		// While it is trusted it gains; removed from the lists it loses.
		assert!(pair(&trusting).gains(), "{:?}", pair(&trusting));
		assert!(pair(&removing).loses(), "{:?}", pair(&removing));
	}
}

#[test]
fn directories_that_collude_are_removed_too() {
	let parameters = Parameters::example();
	let mut population = with_collusion(true, true);
	population.creators[1].strategy = CreatorStrategy::ColludesWithDirectory;
	// The victim cannot tell the directory from the mediator and gives up both, so it needs many.
	population.mediators = 100;
	let report = run(parameters, population, 200_000);
	let pair = find(&report, Role::Creator, "colludes");
	assert_eq!(pair.mediated, 10 * u64::from(report.config.worlds));
	assert_eq!(pair.faulted, 0);
	assert!(pair.loses());
}

#[test]
fn rigged_pairs_of_directory_and_mediator_are_removed() {
	let parameters = Parameters::example();
	let mut population =
		Population::of(CreatorStrategy::AlwaysVerifies, ProviderStrategy::Honest, 10);
	population.rigged_pairs = 1;
	let gain = |remove_from_trusted: bool| {
		let population = Population { remove_from_trusted, ..population.clone() };
		run(parameters, population, 100_000).rigged_gain_per_job
	};
	// Each of ten creators is cheated once, at n·π_c, in each of 16 worlds.
	assert!((gain(true) - 200.0 * 160.0 / 100_000.0).abs() < 1e-9);
	assert!(gain(false) > 20.0);
}

#[test]
fn silent_mediators_are_removed() {
	let parameters = Parameters::example();
	let mut population =
		Population::of(CreatorStrategy::DisputesEverything, ProviderStrategy::Honest, 5);
	population.silent_mediators = 1;
	let report = run(parameters, population, 50_000);
	let creators = &report.strategies[0];
	// Once removed, the honest mediator judges: nearly every match ends in a verdict.
	assert!(creators.mediated > creators.matches - 5 * 2 * 16);
	assert!(creators.mediated < creators.matches);
}

#[test]
fn a_single_run_cannot_prove_a_job_non_deterministic() {
	// With n = 1 the rules have nothing to compare: a creator whose abnormal results never repeat
	// wins every dispute, whatever the paper's 1 − p_a^n says.
	let parameters = Parameters { verification_count: 1, ..Parameters::example() };
	let population = Population::of(
		CreatorStrategy::NonDeterministic { p_a: 0.3, p_v: 1.0 },
		ProviderStrategy::Honest,
		5,
	);
	let one = run(parameters, population.clone(), 20_000);
	assert!(one.strategies[0].mediated > 10_000);
	assert_eq!(one.strategies[0].faulted, 0);
	// With n = 2 it loses nearly all.
	let two = run(Parameters { verification_count: 2, ..parameters }, population, 20_000);
	assert!(two.strategies[0].faulted as f64 > 0.85 * two.strategies[0].mediated as f64);
}

#[test]
fn learning_agents_drift_to_the_predicted_equilibrium() {
	for parameters in [
		Parameters::example(),
		Parameters { verification_cost: 20.0, execution_cost: 90.0, ..Parameters::example() },
		Parameters { penalty_rate: 20, verification_count: 4, ..Parameters::example() },
		// Type 1: everybody executes and verifies. Type 4: nobody does.
		Parameters { verification_cost: 0.3, ..Parameters::example() },
		Parameters { verification_cost: 250.0, ..Parameters::example() },
	] {
		for first_belief in [(0.5, 0.5), (1.0, 0.0), (0.05, 0.9)] {
			let config = AdaptiveConfig {
				first_belief,
				agents: 25,
				rounds: 40_000,
				..AdaptiveConfig::new(parameters, 5)
			};
			let trajectory = fictitious_play(&config).unwrap();
			let (last, predicted) = (trajectory.last(), trajectory.predicted);
			assert!((last.p_e - predicted.p_e).abs() < 0.03, "{last:?} {predicted:?}");
			assert!(
				(last.p_v - predicted.p_v).abs() < (0.15 * predicted.p_v).max(1e-4),
				"{last:?} {predicted:?}"
			);
			assert!(trajectory.arrived());
			assert!((last.p_a - predicted.p_a).abs() < 1e-3, "{last:?} {predicted:?}");
		}
	}
}

#[test]
fn imitators_circle_and_their_mean_is_the_equilibrium() {
	let parameters = Parameters::example();
	let stage = parameters.stage(1.0).unwrap();
	let p_v = stage.indifferent_p_v().unwrap();
	let config = AdaptiveConfig {
		rounds: 200_000,
		first_belief: (0.7, 2.0 * p_v),
		..AdaptiveConfig::new(parameters, 0)
	};
	let trajectory = replicate(&config, 1.0, 0.02).unwrap();
	let (last, predicted) = (trajectory.last(), trajectory.predicted);
	assert!((last.p_e - predicted.p_e).abs() < 0.02, "{last:?} {predicted:?}");
	assert!((last.p_v - predicted.p_v).abs() < 0.1 * p_v, "{last:?} {predicted:?}");
	// They do not come nearer: the last quarter swings as far as the first.
	let swing = |rounds: &[modicum_economics::simulation::Round]| {
		let highest = rounds.iter().map(|round| round.p_v_now).fold(0.0, f64::max);
		let lowest = rounds.iter().map(|round| round.p_v_now).fold(1.0, f64::min);
		highest - lowest
	};
	let (first, last) = (&trajectory.rounds[..250], &trajectory.rounds[750..]);
	assert!((swing(first) / swing(last) - 1.0).abs() < 0.1);
}

#[test]
fn unusable_simulations_are_refused() {
	let parameters = Parameters::example();
	let good = SimulationConfig::new(
		parameters,
		Population::of(CreatorStrategy::NeverVerifies, ProviderStrategy::Honest, 1),
		1_000,
		1,
	);
	assert!(simulate(&good).is_ok());
	let population = |change: fn(&mut Population)| {
		let mut config = good.clone();
		change(&mut config.population);
		simulate(&config)
	};
	for refused in [
		population(|p| p.creators.clear()),
		population(|p| p.providers.clear()),
		population(|p| p.mediators = 0),
		population(|p| p.directories = 0),
		population(|p| p.creators[0].agents = 0),
		population(|p| p.providers[0].agents = 100_001),
		population(|p| {
			p.providers[0].agents = 100_000;
			p.mediators = 100_000;
		}),
	] {
		assert!(matches!(refused, Err(EconomicsError::BadPopulation { .. })), "{refused:?}");
	}
	let refused = population(|p| p.creators[0].strategy = CreatorStrategy::Honest { p_v: 1.5 });
	assert!(matches!(refused, Err(EconomicsError::NotAProbability { .. })));
	for refused in [
		SimulationConfig { worlds: 1, ..good.clone() },
		SimulationConfig { jobs: 15, ..good.clone() },
		SimulationConfig { jobs: MAX_JOBS + 1, ..good.clone() },
		SimulationConfig { confidence: 1.0, ..good.clone() },
		SimulationConfig { confidence: f64::NAN, ..good.clone() },
	] {
		assert!(simulate(&refused).is_err());
	}
	let learning = AdaptiveConfig::new(parameters, 1);
	assert!(fictitious_play(&AdaptiveConfig { agents: 0, ..learning }).is_err());
	assert!(fictitious_play(&AdaptiveConfig { rounds: 0, ..learning }).is_err());
	assert!(replicate(&AdaptiveConfig { first_belief: (1.0, 0.5), ..learning }, 1.0, 0.1).is_err());
	// A creator of type 4 has no mixed equilibrium to circle around.
	let idle = Parameters { verification_cost: 500.0, ..parameters };
	assert!(matches!(
		replicate(&AdaptiveConfig::new(idle, 1), 1.0, 0.1),
		Err(EconomicsError::NoMixedEquilibrium { .. })
	));
}
