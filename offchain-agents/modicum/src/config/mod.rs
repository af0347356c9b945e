// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Settings: a TOML file, then the environment, then the command line; the later wins.
//!
//! [`keys`] lists every key once, with its explanation; the commented file of `modicum config init`, the names of
//! environment variables and the checks all come from there.

mod keys;
mod read;
mod roles;

pub use keys::{template, KEYS};
pub use read::{given_file, Loaded, Source};
pub use roles::{
	AgentSection, CreatorSection, ExecutorKind, MediatorSection, ProviderSection, SolverSection,
	Verification, VerifyBy,
};

use crate::{
	amount::{tokens, Amount},
	failure::{Exit, Failure, Outcome},
};
use modicum_chain_client::{
	AccountId, ConnectionSettings, SettingsError, SubmitSettings, Way, H256,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
	/// How to reach the chain.
	pub chain: ChainSection,
	/// The account to act for.
	pub account: AccountSection,
	/// How transactions are made.
	pub transactions: TransactionSection,
	/// How jobs are run.
	pub executor: ExecutorSection,
	/// What long-running agents keep and show.
	pub agent: AgentSection,
	/// How to have jobs run.
	pub creator: CreatorSection,
	/// What this machine is offered for.
	pub provider: ProviderSection,
	/// How disputes are decided.
	pub mediator: MediatorSection,
	/// How matches are found.
	pub solver: SolverSection,
	/// What is logged.
	pub log: LogSection,
}

/// `[chain]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainSection {
	/// Nodes or light client.
	pub way: ChainWay,
	/// Nodes, in order of preference.
	pub endpoints: Vec<String>,
	/// Whether unencrypted nodes beyond this machine will do.
	pub allow_insecure: bool,
	/// The specification for the light client; empty for none.
	pub chain_spec: PathBuf,
	/// The chain that is meant, in hexadecimal; empty for any.
	pub genesis_hash: String,
	/// How long a connection may take.
	pub connect_timeout: Time,
	/// How long a request may take.
	pub request_timeout: Time,
	/// How long the chain may show no new block.
	pub stall_timeout: Time,
	/// How long a request is tried again.
	pub patience: Time,
}

/// Through whom the chain is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainWay {
	/// Nodes that are believed.
	Rpc,
	/// The embedded light client.
	Light,
}

/// `[account]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSection {
	/// The file with the secret; empty for the usual place.
	pub key_file: PathBuf,
}

/// `[transactions]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransactionSection {
	/// The most that one may cost.
	#[serde(with = "tokens")]
	pub max_fee: Amount,
	/// Its life in blocks.
	pub mortality_blocks: u64,
	/// How often it is signed.
	pub attempts: u32,
}

/// `[executor]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExecutorSection {
	/// What runs the jobs.
	pub kind: ExecutorKind,
	/// The container engine's socket; empty for the usual one.
	pub socket: PathBuf,
	/// Where runs are kept; empty for the usual place.
	pub state_folder: PathBuf,
	/// This executor's name among those of the same engine.
	pub instance: String,
	/// An engine runtime other than its default; empty for that.
	pub runtime: String,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
	/// From which gravity on.
	pub level: String,
	/// For people or programs.
	pub format: LogFormat,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
	/// Lines for people.
	Text,
	/// One JSON object a line.
	Json,
}

impl Default for ChainSection {
	fn default() -> Self {
		let usual = ConnectionSettings::rpc(["ws://127.0.0.1:9944"]);
		Self {
			way: ChainWay::Rpc,
			endpoints: vec!["ws://127.0.0.1:9944".into()],
			allow_insecure: false,
			chain_spec: PathBuf::new(),
			genesis_hash: String::new(),
			connect_timeout: Time(usual.connect_timeout),
			request_timeout: Time(usual.request_timeout),
			stall_timeout: Time(usual.stall_timeout),
			patience: Time(usual.patience),
		}
	}
}

impl Default for TransactionSection {
	fn default() -> Self {
		let usual = SubmitSettings::default();
		Self {
			max_fee: Amount(usual.max_fee),
			mortality_blocks: usual.mortality_blocks,
			attempts: usual.attempts,
		}
	}
}

impl Default for ExecutorSection {
	fn default() -> Self {
		Self {
			kind: ExecutorKind::Docker,
			socket: PathBuf::new(),
			state_folder: PathBuf::new(),
			instance: "modicum".into(),
			runtime: String::new(),
		}
	}
}

impl Default for LogSection {
	fn default() -> Self {
		Self { level: "warn".into(), format: LogFormat::Text }
	}
}

impl Config {
	/// Checks what the types do not.
	///
	/// # Errors
	/// Names the key and says what it may be.
	pub fn validate(&self) -> Outcome<()> {
		self.connection()?;
		let fail =
			|key: &str, problem: &str| Err(Failure::new(Exit::Config, format!("{key}: {problem}")));
		let mortality = self.transactions.mortality_blocks;
		if !mortality.is_power_of_two() || !(4..=4_096).contains(&mortality) {
			return fail("transactions.mortality_blocks", "must be a power of two from 4 to 4096");
		}
		if self.transactions.attempts == 0 {
			return fail("transactions.attempts", "must be at least 1");
		}
		let instance = &self.executor.instance;
		let usual = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
		if !(1..=24).contains(&instance.len()) || !instance.bytes().all(usual) {
			return fail("executor.instance", "must be 1 to 24 of the characters a-z and 0-9");
		}
		if let Err((key, problem)) = self.check_roles() {
			return fail(key, problem);
		}
		if let Err(problem) = crate::telemetry::filter(&self.log.level) {
			return fail("log.level", &problem);
		}
		Ok(())
	}

	/// How to reach the chain.
	///
	/// # Errors
	/// Names the key and says what it may be.
	pub fn connection(&self) -> Outcome<ConnectionSettings> {
		let chain = &self.chain;
		let fail = |problem: String| Failure::new(Exit::Config, format!("chain.{problem}"));
		let way = match chain.way {
			ChainWay::Light if chain.chain_spec.as_os_str().is_empty() => {
				return Err(fail(
					"chain_spec: the light client needs the chain's raw specification".into(),
				));
			},
			ChainWay::Light => Way::Light { chain_spec: chain.chain_spec.clone() },
			ChainWay::Rpc => Way::Rpc {
				endpoints: chain.endpoints.clone(),
				allow_insecure: chain.allow_insecure,
			},
		};
		let genesis_hash = match chain.genesis_hash.as_str() {
			"" => None,
			digits => Some(parse_hash(digits).ok_or_else(|| {
				fail("genesis_hash: must be 64 hexadecimal digits, with or without 0x".into())
			})?),
		};
		let settings = ConnectionSettings {
			way,
			genesis_hash,
			connect_timeout: chain.connect_timeout.0,
			request_timeout: chain.request_timeout.0,
			stall_timeout: chain.stall_timeout.0,
			patience: chain.patience.0,
		};
		settings.validate().map_err(|error: SettingsError| fail(error.to_string()))?;
		Ok(settings)
	}

	/// How transactions are made.
	pub fn submission(&self) -> SubmitSettings {
		SubmitSettings {
			max_fee: self.transactions.max_fee.0,
			mortality_blocks: self.transactions.mortality_blocks,
			attempts: self.transactions.attempts,
		}
	}

	/// The file with the account's secret.
	pub fn key_file(&self) -> PathBuf {
		or_usual(&self.account.key_file, || data_folder().join("key"))
	}

	/// Where the agent of `role` for `account` keeps what it must not forget.
	pub fn agent_folder(&self, role: &str, account: &AccountId) -> PathBuf {
		let folder = or_usual(&self.agent.state_folder, data_folder);
		folder.join(format!("{role}-{}", hex::encode(&account.0[..6])))
	}

	/// Where runs are kept.
	pub fn executor_folder(&self) -> PathBuf {
		or_usual(&self.executor.state_folder, || data_folder().join("executor"))
	}
}

fn or_usual(path: &Path, usual: impl FnOnce() -> PathBuf) -> PathBuf {
	if path.as_os_str().is_empty() {
		usual()
	} else {
		path.to_path_buf()
	}
}

fn parse_hash(digits: &str) -> Option<H256> {
	let mut hash = [0; 32];
	hex::decode_to_slice(digits.trim_start_matches("0x"), &mut hash).ok()?;
	Some(H256(hash))
}

/// A folder of the user's, by the convention of the desktop or below the home folder.
fn user_folder(variable: &str, below_home: &str) -> PathBuf {
	let base = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
	let home = || std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default().join(below_home);
	base.unwrap_or_else(home).join("modicum")
}

/// The environment variable that names the file with the settings.
pub const FILE_VARIABLE: &str = "MODICUM_CONFIG";

/// Where the file with the settings usually is.
pub fn usual_file() -> PathBuf {
	user_folder("XDG_CONFIG_HOME", ".config").join("modicum.toml")
}

/// Where keys and states usually are.
pub fn data_folder() -> PathBuf {
	user_folder("XDG_DATA_HOME", ".local/share")
}

/// A length of time, written like `30s` or `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

impl Serialize for Time {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&humantime::format_duration(self.0).to_string())
	}
}

impl<'de> Deserialize<'de> for Time {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		let time = humantime::parse_duration(&text);
		time.map(Self).map_err(|error| {
			serde::de::Error::custom(format!("`{text}` is no time such as 30s or 5m: {error}"))
		})
	}
}
