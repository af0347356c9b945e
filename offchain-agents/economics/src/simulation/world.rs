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
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::market::{Flows, Market};
use super::population::{CreatorStrategy, Population, ProviderStrategy, MAX_AGENTS};
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

/// Most trusted-list entries kept in one world, to bound its memory.
const MAX_TRUST_ENTRIES: usize = 200_000_000;

/// What to simulate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimulationConfig {
	/// The terms of every match.
	pub parameters: Parameters,
	/// Who takes part, in every world.
	pub population: Population,
	/// Jobs posted, over all worlds; at least one per world.
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
		if self.jobs < u64::from(self.worlds) {
			return Err(EconomicsError::OutOfRange {
				name: "jobs",
				value: self.jobs,
				min: self.worlds.into(),
				max: u64::MAX,
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
	/// Mean utility per offer, 0 where no match was made. For colluding strategies it includes what
	/// the partner gains beyond its availability fees.
	pub mean_utility: f64,
	/// Half the width of the confidence interval of the mean.
	pub margin: f64,
	/// Mean utility minus that of the first group of its side.
	pub versus_first: f64,
	/// Half the width of the confidence interval of that difference.
	pub versus_first_margin: f64,
}

impl StrategyReport {
	/// True if the strategy certainly does worse than the first group of its side.
	pub fn loses(&self) -> bool {
		self.versus_first + self.versus_first_margin < 0.0
	}

	/// True if the strategy certainly does better than the first group of its side.
	pub fn gains(&self) -> bool {
		self.versus_first - self.versus_first_margin > 0.0
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

/// What all worlds have in common.
struct Blueprint {
	/// Strategy index of each creator, then of each provider.
	creators: Vec<usize>,
	providers: Vec<usize>,
	mediators: Vec<MediatorKind>,
	directories: usize,
	/// Mediator or directory of a colluding agent, by agent (creators first).
	partners: Vec<Option<usize>>,
	public_mediators: usize,
	public_directories: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum MediatorKind {
	Honest,
	Silent,
	/// Works with the directory of this number.
	Rigged(usize),
	/// Belongs to one agent and rules as that agent wishes.
	Bought,
}

impl Blueprint {
	fn new(config: &SimulationConfig) -> Result<Self, EconomicsError> {
		let population = &config.population;
		let spread = |sizes: Vec<usize>| -> Vec<usize> {
			let groups = sizes.into_iter().enumerate();
			groups.flat_map(|(index, agents)| std::iter::repeat_n(index, agents)).collect()
		};
		let creators = spread(population.creators.iter().map(|group| group.agents).collect());
		let providers = spread(population.providers.iter().map(|group| group.agents).collect());
		let public_directories = population.directories + population.rigged_pairs;
		let mut mediators = vec![MediatorKind::Honest; population.mediators];
		mediators.extend(std::iter::repeat_n(MediatorKind::Silent, population.silent_mediators));
		mediators.extend((population.directories..public_directories).map(MediatorKind::Rigged));
		let public_mediators = mediators.len();
		let mut directories = public_directories;
		let mut partner = |with_mediator: bool, with_directory: bool| {
			if with_mediator {
				mediators.push(MediatorKind::Bought);
				Some(mediators.len() - 1)
			} else if with_directory {
				directories += 1;
				Some(directories - 1)
			} else {
				None
			}
		};
		let mut partners = Vec::with_capacity(creators.len() + providers.len());
		for index in &creators {
			let strategy = population.creators[*index].strategy;
			partners.push(partner(
				strategy == CreatorStrategy::ColludesWithMediator,
				strategy == CreatorStrategy::ColludesWithDirectory,
			));
		}
		for index in &providers {
			let strategy = population.providers[*index].strategy;
			partners.push(partner(
				strategy == ProviderStrategy::ColludesWithMediator,
				strategy == ProviderStrategy::ColludesWithDirectory,
			));
		}
		let agents = creators.len() + providers.len();
		let entries = agents.saturating_mul(mediators.len() + directories);
		if agents > 2 * MAX_AGENTS || entries > MAX_TRUST_ENTRIES {
			return Err(EconomicsError::BadPopulation {
				reason: "the trusted lists of so many agents do not fit: take fewer".into(),
			});
		}
		Ok(Self {
			creators,
			providers,
			mediators,
			directories,
			partners,
			public_mediators,
			public_directories,
		})
	}
}

/// Sums of one strategy in one world.
#[derive(Clone, Copy, Default)]
struct Tally {
	offers: u64,
	matches: u64,
	mediated: u64,
	faulted: u64,
	utility: f64,
}

/// Sums of one world.
struct WorldTally {
	/// Creators' strategies, then providers'.
	strategies: Vec<Tally>,
	fines: f64,
	rigged_gain: f64,
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
		let (verified, rejects) = self.react(creator, output, meeting);
		let useful = executes && !broken_job && creator != CreatorStrategy::Vanishes;
		let story = Story { useful, verified, disputed: rejects, effort, ..Story::quiet() };
		if rejects {
			self.mediate(creator, provider, output, &result, meeting, story)
		} else {
			Story { flows: self.market.accept(&result), ..story }
		}
	}

	/// Whether the creator verifies, and whether it rejects the result.
	fn react(
		&mut self,
		creator: CreatorStrategy,
		output: Option<u64>,
		meeting: Meeting,
	) -> (bool, bool) {
		// What a rigged directory delivers is never what the provider stored.
		let spoilt = matches!(
			self.blueprint.mediators[meeting.mediator],
			MediatorKind::Rigged(rigged)
				if meeting.directory == self.blueprint.mediators.len() + rigged
		);
		let looks_wrong = spoilt || output != Some(CORRECT);
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
		let deterministic = !matches!(creator, CreatorStrategy::NonDeterministic { .. });
		let creator_honest = deterministic
			&& !matches!(
				creator,
				CreatorStrategy::DisputesEverything
					| CreatorStrategy::ColludesWithMediator
					| CreatorStrategy::ColludesWithDirectory
			);
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

/// Mean and half width of the confidence interval of what each world found; worlds that found
/// nothing are left out. With fewer than two the half width is 0 and says nothing.
fn interval(values: &[f64], confidence: f64) -> f64 {
	let count = values.len() as f64;
	if values.len() < 2 {
		return 0.0;
	}
	let mean = values.iter().sum::<f64>() / count;
	let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
	let student =
		StudentsT::new(0.0, 1.0, count - 1.0).expect("at least one degree of freedom; qed");
	student.inverse_cdf(0.5 + confidence / 2.0) * (variance / count).sqrt()
}

fn summarise(config: &SimulationConfig, worlds: &[WorldTally]) -> SimulationReport {
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
			let sum = total(index);
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
				margin: interval(&means, config.confidence),
				versus_first: mean(&sum) - mean(&total(first)),
				versus_first_margin: interval(&differences, config.confidence),
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
