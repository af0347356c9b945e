// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A mixed population trading under the chain's rules.
//!
//! The jobs are split over independent worlds with the same population, each with a random stream
//! of its own; so the outcome depends on the seed alone, not on the number of processors, and the
//! spread between worlds gives honest confidence intervals even where one job influences the next
//! through trusted lists.

use modicum_primitives::{Evidence, FaultyParty, Run};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, MediatorKind};
use super::market::{Flows, Market};
use super::population::{CreatorStrategy, Population, ProviderStrategy};
use super::summary::{summarise, SimulationReport, Tally, WorldTally};
use crate::error::EconomicsError;
use crate::parameters::Parameters;

/// The output of a correct, normal execution.
const CORRECT: u64 = 1;
/// A made-up output.
const FORGED: u64 = 2;
/// The abnormal output of a non-deterministic job whose anomalies repeat.
const ABNORMAL: u64 = 3;
/// Abnormal outputs that do not repeat are counted up from here.
const FIRST_UNIQUE: u64 = 4;

/// The most jobs of one simulation; they take about an hour.
pub const MAX_JOBS: u64 = 10_000_000_000;

/// What to simulate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimulationConfig {
	/// The terms of every match.
	pub parameters: Parameters,
	/// Who takes part, in every world.
	pub population: Population,
	/// Jobs posted, over all worlds; at least one per world, at most [`MAX_JOBS`].
	pub jobs: u64,
	/// Independent worlds, 2 to 10,000.
	pub worlds: u32,
	/// The same seed gives the same report.
	pub seed: u64,
	/// Confidence of the intervals, above 0 and below 1.
	pub confidence: f64,
}

impl SimulationConfig {
	/// A simulation of `jobs` jobs in 16 worlds with intervals of 95 %.
	pub fn new(parameters: Parameters, population: Population, jobs: u64, seed: u64) -> Self {
		Self { parameters, population, jobs, worlds: 16, seed, confidence: 0.95 }
	}

	fn check(&self) -> Result<(), EconomicsError> {
		self.population.check()?;
		if !(2..=10_000).contains(&self.worlds) {
			return Err(EconomicsError::OutOfRange {
				name: "worlds",
				value: self.worlds.into(),
				min: 2,
				max: 10_000,
			});
		}
		if !(u64::from(self.worlds)..=MAX_JOBS).contains(&self.jobs) {
			return Err(EconomicsError::OutOfRange {
				name: "jobs",
				value: self.jobs,
				min: self.worlds.into(),
				max: MAX_JOBS,
			});
		}
		crate::error::probability("confidence", self.confidence)?;
		if self.confidence == 0.0 || self.confidence == 1.0 {
			return Err(EconomicsError::NotAProbability {
				name: "confidence (exclusive of 0 and 1)",
				value: self.confidence,
			});
		}
		Ok(())
	}
}

/// Plays the population.
///
/// # Errors
/// [`EconomicsError::BadPopulation`], [`EconomicsError::OutOfRange`],
/// [`EconomicsError::NotAProbability`] and those of [`Market::new`].
pub fn simulate(config: &SimulationConfig) -> Result<SimulationReport, EconomicsError> {
	config.check()?;
	let market = Market::new(&config.parameters)?;
	let blueprint = Blueprint::new(config)?;
	let (share, rest) =
		(config.jobs / u64::from(config.worlds), config.jobs % u64::from(config.worlds));
	let tallies: Vec<WorldTally> = (0..config.worlds)
		.into_par_iter()
		.map(|world| {
			let jobs = share + u64::from(u64::from(world) < rest);
			World::new(config, &market, &blueprint, world).run(jobs)
		})
		.collect();
	Ok(summarise(config, &tallies))
}

/// How a match went, beyond its flows.
struct Story {
	flows: Flows,
	faulty: Option<FaultyParty>,
	mediated: bool,
	/// Whether the creator has a result it can use.
	useful: bool,
	verified: bool,
	/// Whether the creator rejected the result.
	disputed: bool,
	/// What the provider spent on computing.
	effort: f64,
	/// Whether the creator or the provider knows the ending to be wrong.
	creator_wronged: bool,
	provider_wronged: bool,
	/// Gain of a colluding mediator or directory beyond its availability fees.
	partner_gain: f64,
	/// Gain of a rigged pair beyond its availability fees.
	rigged_gain: f64,
}

struct World<'a> {
	config: &'a SimulationConfig,
	market: &'a Market,
	blueprint: &'a Blueprint,
	random: ChaCha8Rng,
	/// One bit for each agent (creators first) and each mediator, then each directory.
	distrusted: Vec<u64>,
	next_unique: u64,
	tally: WorldTally,
}

/// Who meets in a match: indices of the agents, the mediator and the directory.
#[derive(Clone, Copy)]
struct Meeting {
	creator: usize,
	provider: usize,
	mediator: usize,
	directory: usize,
}

impl<'a> World<'a> {
	fn new(
		config: &'a SimulationConfig,
		market: &'a Market,
		blueprint: &'a Blueprint,
		world: u32,
	) -> Self {
		let mut random = ChaCha8Rng::seed_from_u64(config.seed);
		random.set_stream(world.into());
		let services = blueprint.mediators.len() + blueprint.directories;
		let bits = blueprint.partners.len() * services;
		let strategies = config.population.creators.len() + config.population.providers.len();
		Self {
			config,
			market,
			blueprint,
			random,
			distrusted: vec![0; bits.div_ceil(64)],
			next_unique: FIRST_UNIQUE,
			tally: WorldTally {
				strategies: vec![Tally::default(); strategies],
				fines: 0.0,
				rigged_gain: 0.0,
			},
		}
	}

	fn run(mut self, jobs: u64) -> WorldTally {
		for _ in 0..jobs {
			self.play_job();
		}
		self.tally
	}

	fn play_job(&mut self) {
		let creator = self.random.random_range(0..self.blueprint.creators.len());
		let provider = self.random.random_range(0..self.blueprint.providers.len());
		let creators = self.config.population.creators.len();
		let creator_tally = self.blueprint.creators[creator];
		let provider_tally = creators + self.blueprint.providers[provider];
		self.tally.strategies[creator_tally].offers += 1;
		self.tally.strategies[provider_tally].offers += 1;
		let Some(meeting) = self.meet(creator, provider) else {
			return;
		};
		let creator_strategy = self.config.population.creators[creator_tally].strategy;
		let provider_strategy =
			self.config.population.providers[provider_tally - creators].strategy;
		let story = self.play_match(creator_strategy, provider_strategy, meeting);
		if self.config.population.remove_from_trusted {
			self.remove_from_trusted(meeting, &story);
		}
		self.record(creator_tally, provider_tally, &story);
	}

	/// Finds a mediator and a directory that both sides trust; those that collude insist on their
	/// own.
	fn meet(&mut self, creator: usize, provider: usize) -> Option<Meeting> {
		let blueprint = self.blueprint;
		let creators = blueprint.creators.len();
		let population = &self.config.population;
		let creator_strategy = population.creators[blueprint.creators[creator]].strategy;
		let provider_strategy = population.providers[blueprint.providers[provider]].strategy;
		let provider_agent = creators + provider;
		let (of_creator, of_provider) =
			(blueprint.partners[creator], blueprint.partners[provider_agent]);
		let mediator = self.choose(
			(creator, provider_agent),
			0..blueprint.public_mediators,
			of_creator.filter(|_| creator_strategy == CreatorStrategy::ColludesWithMediator),
			of_provider.filter(|_| provider_strategy == ProviderStrategy::ColludesWithMediator),
		)?;
		let first_directory = blueprint.mediators.len();
		let directory = self.choose(
			(creator, provider_agent),
			first_directory..first_directory + blueprint.public_directories,
			of_creator
				.filter(|_| creator_strategy == CreatorStrategy::ColludesWithDirectory)
				.map(|own| first_directory + own),
			of_provider
				.filter(|_| provider_strategy == ProviderStrategy::ColludesWithDirectory)
				.map(|own| first_directory + own),
		)?;
		// A rigged mediator only mediates what its directory has spoilt.
		let directory = match blueprint.mediators[mediator] {
			MediatorKind::Rigged(rigged)
				if directory < first_directory + blueprint.public_directories =>
			{
				first_directory + rigged
			},
			_ => directory,
		};
		if self.distrusts(creator, directory) || self.distrusts(provider_agent, directory) {
			return None;
		}
		Some(Meeting { creator, provider: provider_agent, mediator, directory })
	}

	/// A service out of `public` that both trust, or the one that one of them insists on.
	fn choose(
		&mut self,
		(creator, provider): (usize, usize),
		public: std::ops::Range<usize>,
		creators_own: Option<usize>,
		providers_own: Option<usize>,
	) -> Option<usize> {
		match (creators_own, providers_own) {
			(Some(_), Some(_)) => None,
			(Some(own), None) => (!self.distrusts(provider, own)).then_some(own),
			(None, Some(own)) => (!self.distrusts(creator, own)).then_some(own),
			(None, None) => {
				let count = public.len();
				let start = self.random.random_range(0..count);
				(0..count).map(|step| public.start + (start + step) % count).find(|service| {
					!self.distrusts(creator, *service) && !self.distrusts(provider, *service)
				})
			},
		}
	}

	fn bit(&self, agent: usize, service: usize) -> (usize, u64) {
		let services = self.blueprint.mediators.len() + self.blueprint.directories;
		let bit = agent * services + service;
		(bit / 64, 1 << (bit % 64))
	}

	fn distrusts(&self, agent: usize, service: usize) -> bool {
		let (word, mask) = self.bit(agent, service);
		self.distrusted[word] & mask != 0
	}

	fn distrust(&mut self, agent: usize, service: usize) {
		let (word, mask) = self.bit(agent, service);
		self.distrusted[word] |= mask;
	}

	fn remove_from_trusted(&mut self, meeting: Meeting, story: &Story) {
		for (wronged, agent) in
			[(story.creator_wronged, meeting.creator), (story.provider_wronged, meeting.provider)]
		{
			if wronged {
				self.distrust(agent, meeting.mediator);
				// It cannot tell which of the two lied; but silence is the mediator's alone.
				if story.mediated {
					self.distrust(agent, meeting.directory);
				}
			}
		}
	}

	/// The output of one execution of the creator's job.
	fn execute(&mut self, creator: CreatorStrategy) -> u64 {
		match creator {
			CreatorStrategy::NonDeterministic { p_a, .. } if !self.random.random_bool(p_a) => {
				if self.config.population.anomalies_repeat {
					ABNORMAL
				} else {
					self.next_unique += 1;
					self.next_unique
				}
			},
			_ => CORRECT,
		}
	}

	/// One match from the provider's work to its settlement.
	fn play_match(
		&mut self,
		creator: CreatorStrategy,
		provider: ProviderStrategy,
		meeting: Meeting,
	) -> Story {
		let parameters = &self.config.parameters;
		let (execution_cost, deception_cost) =
			(parameters.execution_cost, parameters.deception_cost);
		let broken_job = creator == CreatorStrategy::ColludesWithDirectory;
		let executes = match provider {
			ProviderStrategy::Vanishes => {
				return Story { flows: self.market.provider_timed_out(), ..Story::quiet() };
			},
			ProviderStrategy::Honest => true,
			ProviderStrategy::Mixes { p_e } => self.random.random_bool(p_e),
			ProviderStrategy::AlwaysCheats
			| ProviderStrategy::ColludesWithMediator
			| ProviderStrategy::ColludesWithDirectory => false,
		};
		let (output, effort) = match (executes, broken_job) {
			(true, true) => (None, 0.0),
			(true, false) => (Some(self.execute(creator)), execution_cost),
			(false, _) => (Some(FORGED), deception_cost),
		};
		let result = match output {
			Some(output) => self.market.completed(output),
			None => self.market.description_error(),
		};
		let spoilt = self.spoils(meeting);
		let (verified, rejects) = self.react(creator, output, spoilt);
		let useful = executes && !broken_job && !spoilt && creator != CreatorStrategy::Vanishes;
		let story = Story { useful, verified, disputed: rejects, effort, ..Story::quiet() };
		if rejects {
			self.mediate(creator, provider, output, &result, meeting, story)
		} else {
			Story { flows: self.market.accept(&result), ..story }
		}
	}

	/// Whether the directory of the match spoils its results: it is rigged, with this mediator.
	fn spoils(&self, meeting: Meeting) -> bool {
		matches!(
			self.blueprint.mediators[meeting.mediator],
			MediatorKind::Rigged(rigged)
				if meeting.directory == self.blueprint.mediators.len() + rigged
		)
	}

	/// Whether the creator verifies, and whether it rejects the result. Everybody who looks at
	/// results notices a spoilt one, whose hash is not the posted one, without verifying it; agents
	/// do the same.
	fn react(
		&mut self,
		creator: CreatorStrategy,
		output: Option<u64>,
		spoilt: bool,
	) -> (bool, bool) {
		if creator == CreatorStrategy::Vanishes {
			return (false, false);
		}
		if spoilt {
			return (false, true);
		}
		let looks_wrong = output != Some(CORRECT);
		match creator {
			CreatorStrategy::Vanishes | CreatorStrategy::NeverVerifies => (false, false),
			CreatorStrategy::Honest { p_v } | CreatorStrategy::NonDeterministic { p_v, .. } => {
				let verifies = self.random.random_bool(p_v);
				(verifies, verifies && looks_wrong)
			},
			CreatorStrategy::AlwaysVerifies => (true, looks_wrong),
			CreatorStrategy::DisputesEverything
			| CreatorStrategy::ColludesWithMediator
			| CreatorStrategy::ColludesWithDirectory => (false, true),
		}
	}

	/// The mediator's evidence and what the chain makes of it.
	fn mediate(
		&mut self,
		creator: CreatorStrategy,
		provider: ProviderStrategy,
		output: Option<u64>,
		result: &Run,
		meeting: Meeting,
		story: Story,
	) -> Story {
		let n = self.market.verification_count() as usize;
		let echo = |run: Run| Evidence::Runs(vec![run; n]);
		let kind = self.blueprint.mediators[meeting.mediator];
		let job_is_swapped = provider == ProviderStrategy::ColludesWithDirectory;
		let evidence = match kind {
			MediatorKind::Silent => {
				return Story {
					flows: self.market.mediator_timed_out(result),
					creator_wronged: true,
					provider_wronged: true,
					..story
				};
			},
			MediatorKind::Bought if creator == CreatorStrategy::ColludesWithMediator => {
				echo(self.market.completed(FORGED + FIRST_UNIQUE))
			},
			// It rules that the provider was right, without running anything.
			MediatorKind::Bought | MediatorKind::Rigged(_) => echo(*result),
			MediatorKind::Honest if job_is_swapped => echo(*result),
			MediatorKind::Honest => {
				let runs = (0..n).map(|_| {
					let output = self.execute(creator);
					self.market.completed(output)
				});
				Evidence::Runs(runs.collect())
			},
		};
		let (verdict, flows) = self.market.mediate(result, &evidence);
		let faulty = verdict.faulty_party();
		// Whoever was blamed for a result that the directory spoilt knows it; of other verdicts, only
		// who posts deterministic jobs and disputes nothing but wrong results.
		let creator_honest = self.spoils(meeting)
			|| matches!(creator, CreatorStrategy::Honest { .. } | CreatorStrategy::AlwaysVerifies);
		// A provider that is blamed for an abnormal result runs the job again, sees another result
		// and knows the job for what it is; for any other result of its own it knows the verdict to
		// be false.
		let provider_honest = output.is_none_or(|output| output == CORRECT);
		let earned = flows.mediator - 2.0 * self.market.mediator_fee();
		let (partner_gain, rigged_gain) = match kind {
			MediatorKind::Bought => (earned, 0.0),
			MediatorKind::Rigged(_) => (0.0, earned),
			MediatorKind::Honest | MediatorKind::Silent => (0.0, 0.0),
		};
		Story {
			creator_wronged: creator_honest && faulty == FaultyParty::JobCreator,
			provider_wronged: provider_honest && faulty == FaultyParty::ResourceProvider,
			flows,
			faulty: Some(faulty),
			mediated: true,
			partner_gain,
			rigged_gain,
			..story
		}
	}

	fn record(&mut self, creator_tally: usize, provider_tally: usize, story: &Story) {
		let parameters = &self.config.parameters;
		let benefit = if story.useful { parameters.benefit } else { 0.0 };
		let verification = if story.verified { parameters.verification_cost } else { 0.0 };
		let mediation = if story.disputed { parameters.mediation_cost } else { 0.0 };
		let colludes = self.config.population.creators[creator_tally].strategy
			== CreatorStrategy::ColludesWithMediator;
		let (creators_partner, providers_partner) =
			if colludes { (story.partner_gain, 0.0) } else { (0.0, story.partner_gain) };
		let creator_utility =
			story.flows.creator - parameters.creator_cost + benefit - verification - mediation
				+ creators_partner;
		let provider_utility =
			story.flows.provider - parameters.provider_cost - story.effort + providers_partner;
		let mut add = |index: usize, utility: f64, party: FaultyParty| {
			let tally = &mut self.tally.strategies[index];
			tally.matches += 1;
			tally.mediated += u64::from(story.mediated);
			tally.faulted += u64::from(story.faulty == Some(party));
			tally.utility += utility;
		};
		add(creator_tally, creator_utility, FaultyParty::JobCreator);
		add(provider_tally, provider_utility, FaultyParty::ResourceProvider);
		self.tally.fines += story.flows.fines;
		self.tally.rigged_gain += story.rigged_gain;
	}
}

impl Story {
	/// Nothing has happened yet.
	fn quiet() -> Self {
		Self {
			flows: Flows::default(),
			faulty: None,
			mediated: false,
			useful: false,
			verified: false,
			disputed: false,
			effort: 0.0,
			creator_wronged: false,
			provider_wronged: false,
			partner_gain: 0.0,
			rigged_gain: 0.0,
		}
	}
}
