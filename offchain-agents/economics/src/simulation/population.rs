// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Who takes part in a simulation, and how they behave.

use serde::{Deserialize, Serialize};

use crate::error::{probability, EconomicsError};
use crate::honesty::{least_p_a, most_p_v};
use crate::parameters::Parameters;

/// How a simulated job creator behaves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CreatorStrategy {
	/// Posts deterministic jobs, verifies with `p_v`, disputes what is wrong.
	Honest {
		/// Verification rate.
		p_v: f64,
	},
	/// Posts deterministic jobs and pays for whatever comes back.
	NeverVerifies,
	/// Posts deterministic jobs and verifies every result.
	AlwaysVerifies,
	/// Posts jobs that look abnormal with probability 1 − `p_a`, verifies with `p_v` and disputes
	/// what looks abnormal although it can use it.
	NonDeterministic {
		/// How likely a correct result is not disputed.
		p_a: f64,
		/// Verification rate.
		p_v: f64,
	},
	/// Posts deterministic jobs and disputes every result, right or wrong.
	DisputesEverything,
	/// Posts a job and is never seen again; its provider is paid after the reaction deadline.
	Vanishes,
	/// Trades only with a mediator of its own, disputes every result and shares the gain (§4.4.1).
	ColludesWithMediator,
	/// Trades only through a directory of its own, which hands the provider a broken job and the
	/// mediator the right one (§4.4.1).
	ColludesWithDirectory,
}

/// How a simulated resource provider behaves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ProviderStrategy {
	/// Executes every job.
	Honest,
	/// Makes up every result.
	AlwaysCheats,
	/// Executes with `p_e` and makes up the rest.
	Mixes {
		/// Execution rate.
		p_e: f64,
	},
	/// Takes a job and posts no result.
	Vanishes,
	/// Trades only with a mediator of its own, makes up every result and shares the gain (§4.4.1).
	ColludesWithMediator,
	/// Trades only through a directory of its own, which hands the mediator a job that yields the
	/// made-up result (§4.4.1).
	ColludesWithDirectory,
}

impl CreatorStrategy {
	/// The strategy in a few words.
	pub fn label(&self) -> String {
		match self {
			Self::Honest { p_v } => format!("honest, verifies {}", percent(*p_v)),
			Self::NeverVerifies => "never verifies".into(),
			Self::AlwaysVerifies => "always verifies".into(),
			Self::NonDeterministic { p_a, p_v } => {
				format!("non-deterministic, p_a {p_a:.4}, verifies {}", percent(*p_v))
			},
			Self::DisputesEverything => "disputes everything".into(),
			Self::Vanishes => "vanishes".into(),
			Self::ColludesWithMediator => "colludes with a mediator".into(),
			Self::ColludesWithDirectory => "colludes with a directory".into(),
		}
	}

	fn check(&self) -> Result<(), EconomicsError> {
		if let Self::Honest { p_v } | Self::NonDeterministic { p_v, .. } = self {
			probability("p_v of a creator", *p_v)?;
		}
		if let Self::NonDeterministic { p_a, .. } = self {
			probability("p_a of a creator", *p_a)?;
		}
		Ok(())
	}
}

impl ProviderStrategy {
	/// The strategy in a few words.
	pub fn label(&self) -> String {
		match self {
			Self::Honest => "honest".into(),
			Self::AlwaysCheats => "always cheats".into(),
			Self::Mixes { p_e } => format!("executes {}, else cheats", percent(*p_e)),
			Self::Vanishes => "vanishes".into(),
			Self::ColludesWithMediator => "colludes with a mediator".into(),
			Self::ColludesWithDirectory => "colludes with a directory".into(),
		}
	}

	fn check(&self) -> Result<(), EconomicsError> {
		match self {
			Self::Mixes { p_e } => probability("p_e of a provider", *p_e).map(|_| ()),
			_ => Ok(()),
		}
	}
}

fn percent(probability: f64) -> String {
	format!("{:.2} %", probability * 100.0)
}

/// So many agents of one strategy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group<S> {
	/// What they do.
	pub strategy: S,
	/// How many they are, at least 1.
	pub agents: usize,
}

/// Everybody in one simulated world. All trust all mediators and directories at first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
	/// The job creators. The first group is the one that the others are compared with.
	pub creators: Vec<Group<CreatorStrategy>>,
	/// The resource providers. The first group is the one that the others are compared with.
	pub providers: Vec<Group<ProviderStrategy>>,
	/// Honest mediators, open to everybody.
	pub mediators: usize,
	/// Mediators open to everybody that never post evidence.
	pub silent_mediators: usize,
	/// Pairs of a directory that spoils results and a mediator that then blames the creator, open
	/// to everybody (§4.4.1, Directory and Mediator).
	pub rigged_pairs: usize,
	/// Honest directories, open to everybody.
	pub directories: usize,
	/// Whether a party that knows a verdict to be false removes that mediator and directory from
	/// its trusted lists (§4.4.1), and a mediator that stayed silent.
	pub remove_from_trusted: bool,
	/// Whether the abnormal results of a non-deterministic job are all the same one. If not, no two
	/// are: the case the paper's 1 − p_a^n describes for n ≥ 2 (docs/economics.md).
	pub anomalies_repeat: bool,
}

/// The greatest number of agents, mediators or directories of one kind in a world.
pub const MAX_AGENTS: usize = 100_000;

impl Population {
	/// Creators and providers of one strategy each, with one honest mediator and directory.
	pub fn of(creator: CreatorStrategy, provider: ProviderStrategy, agents: usize) -> Self {
		Self {
			creators: vec![Group { strategy: creator, agents }],
			providers: vec![Group { strategy: provider, agents }],
			mediators: 1,
			silent_mediators: 0,
			rigged_pairs: 0,
			directories: 1,
			remove_from_trusted: true,
			anomalies_repeat: false,
		}
	}

	/// A mostly honest market with every kind of misbehaviour in it. Honest creators verify with
	/// the rate that deters every provider under the parameters' θ and n (§5.2).
	///
	/// # Errors
	/// Those of [`least_p_a`] and [`most_p_v`].
	pub fn mixed(parameters: &Parameters) -> Result<Self, EconomicsError> {
		let (theta, n) = (parameters.penalty_rate, parameters.verification_count);
		let p_a = least_p_a(theta, n)?;
		let p_v = most_p_v(theta, n, p_a)?;
		let p_e = parameters.stage(1.0)?.indifferent_p_e().unwrap_or(0.5);
		let creator = |strategy, agents| Group { strategy, agents };
		let provider = |strategy, agents| Group { strategy, agents };
		Ok(Self {
			creators: vec![
				creator(CreatorStrategy::Honest { p_v }, 40),
				creator(CreatorStrategy::NeverVerifies, 2),
				creator(CreatorStrategy::AlwaysVerifies, 2),
				creator(CreatorStrategy::NonDeterministic { p_a, p_v: 1.0 }, 1),
				creator(CreatorStrategy::NonDeterministic { p_a: 0.7, p_v: 1.0 }, 1),
				creator(CreatorStrategy::DisputesEverything, 1),
				creator(CreatorStrategy::Vanishes, 1),
				creator(CreatorStrategy::ColludesWithMediator, 1),
				creator(CreatorStrategy::ColludesWithDirectory, 1),
			],
			providers: vec![
				provider(ProviderStrategy::Honest, 40),
				provider(ProviderStrategy::AlwaysCheats, 2),
				provider(ProviderStrategy::Mixes { p_e }, 2),
				provider(ProviderStrategy::Vanishes, 2),
				provider(ProviderStrategy::ColludesWithMediator, 1),
				provider(ProviderStrategy::ColludesWithDirectory, 1),
			],
			mediators: 40,
			silent_mediators: 1,
			rigged_pairs: 1,
			directories: 40,
			remove_from_trusted: true,
			anomalies_repeat: false,
		})
	}

	/// Refuses populations that cannot trade and strategies that make no sense.
	///
	/// # Errors
	/// [`EconomicsError::BadPopulation`] or [`EconomicsError::NotAProbability`].
	pub fn check(&self) -> Result<(), EconomicsError> {
		let bad = |reason: &str| Err(EconomicsError::BadPopulation { reason: reason.into() });
		if self.creators.is_empty() || self.providers.is_empty() {
			return bad("it needs at least one group of creators and one of providers");
		}
		if self.mediators == 0 || self.directories == 0 {
			return bad("it needs at least one honest mediator and one honest directory");
		}
		let mut sizes =
			vec![self.mediators, self.silent_mediators, self.rigged_pairs, self.directories];
		for group in &self.creators {
			group.strategy.check()?;
			sizes.push(group.agents);
		}
		for group in &self.providers {
			group.strategy.check()?;
			sizes.push(group.agents);
		}
		if sizes.iter().any(|size| *size > MAX_AGENTS) {
			return bad("no group may be larger than 100,000");
		}
		if self.creators.iter().any(|group| group.agents == 0)
			|| self.providers.iter().any(|group| group.agents == 0)
		{
			return bad("every group needs at least one agent");
		}
		Ok(())
	}
}
