// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the worlds of a simulation add up to: means, confidence intervals and who loses.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::world::SimulationConfig;

/// Which side of the market a strategy belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
	/// Job creator.
	Creator,
	/// Resource provider.
	Provider,
}

/// How one strategy fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyReport {
	/// Its side.
	pub role: Role,
	/// The strategy in a few words.
	pub strategy: String,
	/// Jobs it posted or was asked to do.
	pub offers: u64,
	/// Those that led to a match: nobody matches with a mediator it no longer trusts.
	pub matches: u64,
	/// Matches that ended in mediation.
	pub mediated: u64,
	/// Verdicts against it.
	pub faulted: u64,
	/// Mean utility per offer; an offer without a match counts 0. For colluding strategies it includes what
	/// the partner gains beyond its availability fees.
	pub mean_utility: f64,
	/// Half the width of the confidence interval of the mean; absent with offers in fewer than two
	/// worlds.
	pub margin: Option<f64>,
	/// Mean utility minus that of the first group of its side; absent if one of the two had no
	/// offers.
	pub versus_first: Option<f64>,
	/// Half the width of the confidence interval of that difference; absent unless both had offers
	/// in two worlds at least.
	pub versus_first_margin: Option<f64>,
}

impl StrategyReport {
	/// True if the strategy certainly does worse than the first group of its side.
	pub fn loses(&self) -> bool {
		self.difference().is_some_and(|(mean, margin)| mean + margin < 0.0)
	}

	/// True if the strategy certainly does better than the first group of its side.
	pub fn gains(&self) -> bool {
		self.difference().is_some_and(|(mean, margin)| mean - margin > 0.0)
	}

	/// [`Self::versus_first`] and its margin, if there are both.
	pub fn difference(&self) -> Option<(f64, f64)> {
		self.versus_first.zip(self.versus_first_margin)
	}
}

/// The outcome of a simulation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimulationReport {
	/// What was simulated.
	pub config: SimulationConfig,
	/// Every strategy: creators first, in the order of the population.
	pub strategies: Vec<StrategyReport>,
	/// Jobs posted.
	pub jobs: u64,
	/// Matches made.
	pub matches: u64,
	/// Share of the matches that ended in mediation.
	pub mediation_rate: f64,
	/// Fines per job posted.
	pub fines_per_job: f64,
	/// What all rigged pairs of directory and mediator gained per job posted, their fees apart.
	pub rigged_gain_per_job: f64,
}

/// Sums of one strategy in one world.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
	pub(super) offers: u64,
	pub(super) matches: u64,
	pub(super) mediated: u64,
	pub(super) faulted: u64,
	pub(super) utility: f64,
}

/// Sums of one world.
pub(super) struct WorldTally {
	/// Creators' strategies, then providers'.
	pub(super) strategies: Vec<Tally>,
	pub(super) fines: f64,
	pub(super) rigged_gain: f64,
}

/// Half the width of the confidence interval of the mean of what each world found; none for fewer
/// than two worlds.
fn half_width(values: &[f64], confidence: f64) -> Option<f64> {
	let count = values.len() as f64;
	if values.len() < 2 {
		return None;
	}
	let mean = values.iter().sum::<f64>() / count;
	let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
	let student =
		StudentsT::new(0.0, 1.0, count - 1.0).expect("at least one degree of freedom; qed");
	Some(student.inverse_cdf(0.5 + confidence / 2.0) * (variance / count).sqrt())
}

/// The report of all worlds.
pub(super) fn summarise(config: &SimulationConfig, worlds: &[WorldTally]) -> SimulationReport {
	let population = &config.population;
	let creators = population.creators.len();
	let labels = (population.creators.iter().map(|g| (Role::Creator, g.strategy.label())))
		.chain(population.providers.iter().map(|g| (Role::Provider, g.strategy.label())));
	let mean = |tally: &Tally| tally.utility / tally.offers.max(1) as f64;
	let total = |index: usize| {
		worlds.iter().fold(Tally::default(), |sum, world| {
			let tally = world.strategies[index];
			Tally {
				offers: sum.offers + tally.offers,
				matches: sum.matches + tally.matches,
				mediated: sum.mediated + tally.mediated,
				faulted: sum.faulted + tally.faulted,
				utility: sum.utility + tally.utility,
			}
		})
	};
	let strategies: Vec<StrategyReport> = labels
		.enumerate()
		.map(|(index, (role, strategy))| {
			let first = if role == Role::Creator { 0 } else { creators };
			let (sum, other) = (total(index), total(first));
			let compared = sum.offers > 0 && other.offers > 0;
			let own = worlds.iter().map(|world| &world.strategies[index]);
			let means: Vec<f64> = own.filter(|t| t.offers > 0).map(mean).collect();
			let differences: Vec<f64> = worlds
				.iter()
				.map(|world| (&world.strategies[index], &world.strategies[first]))
				.filter(|(own, other)| own.offers > 0 && other.offers > 0)
				.map(|(own, other)| mean(own) - mean(other))
				.collect();
			StrategyReport {
				role,
				strategy,
				offers: sum.offers,
				matches: sum.matches,
				mediated: sum.mediated,
				faulted: sum.faulted,
				mean_utility: mean(&sum),
				margin: half_width(&means, config.confidence),
				versus_first: compared.then(|| mean(&sum) - mean(&other)),
				versus_first_margin: half_width(&differences, config.confidence),
			}
		})
		.collect();
	let of_creators = || strategies.iter().take(creators);
	let matches: u64 = of_creators().map(|strategy| strategy.matches).sum();
	let mediated: u64 = of_creators().map(|strategy| strategy.mediated).sum();
	let per_job =
		|sum: fn(&WorldTally) -> f64| worlds.iter().map(sum).sum::<f64>() / config.jobs as f64;
	SimulationReport {
		config: config.clone(),
		jobs: config.jobs,
		matches,
		mediation_rate: mediated as f64 / matches.max(1) as f64,
		fines_per_job: per_job(|world| world.fines),
		rigged_gain_per_job: per_job(|world| world.rigged_gain),
		strategies,
	}
}
