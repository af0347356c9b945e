// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The settings of the roles. What each key means is in [`super::keys`], once.
#![allow(missing_docs, reason = "each key is explained in keys.rs")]

use super::{Config, Time};
use crate::amount::{tokens, Amount};
use bytesize::ByteSize;
use modicum_chain_client::TOKEN_DECIMALS;
use modicum_primitives::{Meter, Prices, Resources};
use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// A thousandth of a token.
const MILLI: u128 = 10_u128.pow(TOKEN_DECIMALS - 3);
const MINUTE: Duration = Duration::from_secs(60);

/// What runs jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutorKind {
	/// A container engine.
	Docker,
	/// Nothing runs them.
	Null,
}

/// `[agent]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentSection {
	pub state_folder: PathBuf,
	pub metrics_listen: String,
}

/// `[creator]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreatorSection {
	pub directory: String,
	#[serde(with = "tokens")]
	pub max_instruction_price: Amount,
	#[serde(with = "tokens")]
	pub max_bandwidth_price: Amount,
	#[serde(with = "tokens")]
	pub max_availability_fee: Amount,
	#[serde(with = "tokens")]
	pub match_incentive: Amount,
	#[serde(with = "tokens")]
	pub extra_deposit: Amount,
	pub time_limit: Time,
	pub verify: Verification,
	pub verify_by: VerifyBy,
	pub determinism: f64,
	pub retries: u32,
}

/// `[provider]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSection {
	#[serde(with = "tokens")]
	pub instruction_price: Amount,
	#[serde(with = "tokens")]
	pub bandwidth_price: Amount,
	#[serde(with = "tokens")]
	pub max_availability_fee: Amount,
	#[serde(with = "tokens")]
	pub match_incentive: Amount,
	#[serde(with = "tokens")]
	pub extra_deposit: Amount,
	pub instructions: u64,
	#[serde(deserialize_with = "size")]
	pub ram: ByteSize,
	#[serde(deserialize_with = "size")]
	pub storage: ByteSize,
	#[serde(deserialize_with = "size")]
	pub bandwidth: ByteSize,
	pub meter: Meter,
	pub jobs_at_once: u32,
	pub cpus_per_job: u32,
	pub offer_life: Time,
	pub keep_offers: bool,
	pub reserve: Time,
}

/// `[mediator]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediatorSection {
	pub disputes_at_once: u32,
	pub reserve: Time,
	pub probe_every: Time,
}

/// `[solver]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SolverSection {
	pub matches_at_once: u32,
	#[serde(with = "tokens")]
	pub min_incentive: Amount,
}

/// A size in bytes, as a number or written like `512 MiB`.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
	#[derive(Deserialize)]
	#[serde(untagged)]
	enum Written {
		Number(u64),
		Text(String),
		Other(toml::Value),
	}
	let refused = |text: &dyn std::fmt::Display| {
		D::Error::custom(format!(
			"`{text}` is no size: write bytes such as 1000000, 512 MiB or 2 GB"
		))
	};
	match Written::deserialize(deserializer)? {
		Written::Number(bytes) => Ok(ByteSize::b(bytes)),
		Written::Text(text) => text.parse().map_err(|_| refused(&text)),
		Written::Other(value) => Err(refused(&value)),
	}
}

impl Default for CreatorSection {
	fn default() -> Self {
		Self {
			directory: String::new(),
			max_instruction_price: Amount(20 * MILLI),
			max_bandwidth_price: Amount(100 * MILLI),
			max_availability_fee: Amount(1_000 * MILLI),
			match_incentive: Amount(10 * MILLI),
			extra_deposit: Amount(0),
			time_limit: Time(60 * MINUTE),
			verify: Verification::Auto,
			verify_by: VerifyBy::ReExecution,
			determinism: 0.99,
			retries: 0,
		}
	}
}

impl Default for ProviderSection {
	fn default() -> Self {
		Self {
			instruction_price: Amount(10 * MILLI),
			bandwidth_price: Amount(50 * MILLI),
			max_availability_fee: Amount(1_000 * MILLI),
			match_incentive: Amount(10 * MILLI),
			extra_deposit: Amount(0),
			instructions: 1_000_000_000_000,
			ram: ByteSize::gib(1),
			storage: ByteSize::gib(1),
			bandwidth: ByteSize::gib(1),
			meter: Meter::CpuTime,
			jobs_at_once: 1,
			cpus_per_job: 1,
			offer_life: Time(24 * 60 * MINUTE),
			keep_offers: false,
			reserve: Time(Duration::from_secs(10)),
		}
	}
}

impl ProviderSection {
	/// The most that a job may use.
	pub fn caps(&self) -> Resources {
		Resources {
			instructions: self.instructions,
			ram: self.ram.as_u64(),
			storage: self.storage.as_u64(),
			bandwidth: self.bandwidth.as_u64(),
		}
	}

	/// What is charged.
	pub fn prices(&self) -> Prices {
		Prices { instruction: self.instruction_price.0, bandwidth: self.bandwidth_price.0 }
	}
}

impl Default for MediatorSection {
	fn default() -> Self {
		Self {
			disputes_at_once: 1,
			reserve: Time(Duration::from_secs(10)),
			probe_every: Time(MINUTE),
		}
	}
}

impl Default for SolverSection {
	fn default() -> Self {
		Self { matches_at_once: 16, min_incentive: Amount(0) }
	}
}

impl Config {
	/// Checks the roles' settings: the key that is wrong, and what it may be.
	pub(super) fn check_roles(&self) -> Result<(), (&'static str, &'static str)> {
		let (creator, provider) = (&self.creator, &self.provider);
		let rules = [
			(
				"agent.metrics_listen",
				self.agent.metrics_listen.is_empty()
					|| self.agent.metrics_listen.parse::<SocketAddr>().is_ok(),
				"must be empty or an address and a port, such as 127.0.0.1:9615",
			),
			(
				"creator.directory",
				creator.directory.is_empty()
					|| crate::cli::parse_account(&creator.directory).is_ok(),
				"must be empty or an account, as its address or 0x and 64 hexadecimal digits",
			),
			(
				"creator.determinism",
				creator.determinism > 0.0 && creator.determinism <= 1.0,
				"must be above 0 and at most 1",
			),
			("creator.retries", creator.retries <= 100, "must be at most 100"),
			(
				"creator.time_limit",
				!creator.time_limit.0.is_zero(),
				"must be longer than nothing, such as 1h",
			),
			(
				"provider.instructions",
				!provider.caps().has_zero(),
				"and provider.ram, .storage and .bandwidth must all be above 0",
			),
			(
				"provider.jobs_at_once",
				(1..=256).contains(&provider.jobs_at_once),
				"must be 1 to 256",
			),
			("provider.cpus_per_job", (1..=64).contains(&provider.cpus_per_job), "must be 1 to 64"),
			(
				"provider.offer_life",
				provider.offer_life.0 >= MINUTE,
				"must be at least a minute, such as 1d",
			),
			(
				"mediator.disputes_at_once",
				(1..=256).contains(&self.mediator.disputes_at_once),
				"must be 1 to 256",
			),
			(
				"mediator.probe_every",
				self.mediator.probe_every.0 >= Duration::from_secs(1),
				"must be at least a second, such as 1m",
			),
			(
				"solver.matches_at_once",
				(1..=100).contains(&self.solver.matches_at_once),
				"must be 1 to 100",
			),
		];
		match rules.into_iter().find(|(_, holds, _)| !holds) {
			Some((key, _, rule)) => Err((key, rule)),
			None => Ok(()),
		}
	}
}

/// How a creator verifies results, unless a job has a checking command of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyBy {
	/// By running the job here.
	#[default]
	ReExecution,
	/// By having other providers run it.
	Duplicate,
}

/// How often a creator verifies results: `auto`, `always`, `never`, or a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verification {
	/// With the probability p_v of docs/protocol.md §13.
	Auto,
	/// With this probability.
	Probability(f64),
}

impl std::str::FromStr for Verification {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text {
			"auto" => Ok(Self::Auto),
			"always" => Ok(Self::Probability(1.0)),
			"never" => Ok(Self::Probability(0.0)),
			number => match number.parse::<f64>() {
				Ok(p) if (0.0..=1.0).contains(&p) => Ok(Self::Probability(p)),
				_ => Err(format!(
					"`{number}` is none of auto, always, never, or a number from 0 to 1"
				)),
			},
		}
	}
}

impl std::fmt::Display for Verification {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Auto => f.write_str("auto"),
			Self::Probability(p) if *p >= 1.0 => f.write_str("always"),
			Self::Probability(p) if *p <= 0.0 => f.write_str("never"),
			Self::Probability(p) => write!(f, "{p}"),
		}
	}
}

impl Serialize for Verification {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Verification {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
	}
}
