// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every key of the settings, with its explanation.

use super::Config;
use toml::Value;

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
	/// Section and name, like `chain.endpoints`.
	pub name: &'static str,
	/// What it is for.
	pub help: &'static str,
}

impl Key {
	/// The environment variable that sets the key.
	pub fn variable(&self) -> String {
		format!("MODICUM_{}", self.name.replace('.', "_").to_ascii_uppercase())
	}
}

/// Every key, section by section.
pub const KEYS: &[Key] = &[
	Key {
		name: "chain.way",
		help: "\"rpc\" asks nodes and believes them; \"light\" runs the embedded light client, which believes\n\
		       nobody and needs chain.chain_spec.",
	},
	Key {
		name: "chain.endpoints",
		help: "Nodes, in order of preference. One is used at a time; when it fails or shows no new blocks, the\n\
		       next. As an environment variable or after --set: separated by commas.",
	},
	Key {
		name: "chain.allow_insecure",
		help: "Accept ws:// beyond this machine. Anyone on the way can then forge what the chain says.",
	},
	Key {
		name: "chain.chain_spec",
		help: "The chain's raw specification, for the light client. It names nodes to start from.",
	},
	Key {
		name: "chain.genesis_hash",
		help: "The chain that is meant, as `modicum chain status` shows it. Empty: whichever the first node is on.",
	},
	Key { name: "chain.connect_timeout", help: "How long a connection may take to be made." },
	Key { name: "chain.request_timeout", help: "How long one request may take." },
	Key {
		name: "chain.stall_timeout",
		help: "A node that shows no new finalised block for so long is given up.",
	},
	Key {
		name: "chain.patience",
		help: "For how long a request is tried again, node after node, before it fails.",
	},
	Key {
		name: "account.key_file",
		help: "The file with the account's secret; nobody else may read it. Empty: ~/.local/share/modicum/key.\n\
		       The environment variable MODICUM_SECRET_KEY, if set, holds the secret itself and comes first.",
	},
	Key { name: "transactions.max_fee", help: "The most that one transaction may cost, tokens." },
	Key {
		name: "transactions.mortality_blocks",
		help: "Life of a transaction in blocks, a power of two from 4 to 4096. After it, it is signed anew.",
	},
	Key {
		name: "transactions.attempts",
		help: "How often a transaction is signed before it is given up.",
	},
	Key {
		name: "executor.kind",
		help: "\"docker\" runs jobs in containers. \"null\" runs nothing and reports empty results, for load tests\n\
		       on networks without value; it says so in every report.",
	},
	Key {
		name: "executor.socket",
		help: "The container engine's socket. Empty: the one in DOCKER_HOST, or /var/run/docker.sock.",
	},
	Key {
		name: "executor.state_folder",
		help: "Where runs of jobs are kept. Empty: ~/.local/share/modicum/executor.",
	},
	Key {
		name: "executor.instance",
		help: "This executor's name among those that use the same engine: 1 to 24 of a-z and 0-9; its\n\
		       folder's digest is added.",
	},
	Key {
		name: "executor.runtime",
		help: "An engine runtime other than its default, such as \"runsc\". Empty: the default.",
	},
	Key {
		name: "agent.state_folder",
		help: "Where agents keep what they must not forget, one folder for each role and account. Empty:\n\
		       ~/.local/share/modicum.",
	},
	Key {
		name: "agent.metrics_listen",
		help: "Address and port for /metrics and /health of a running agent, such as 127.0.0.1:9616. Empty: none.",
	},
	Key { name: "creator.directory", help: "The directory for your jobs, if a job names none: an account." },
	Key { name: "creator.max_instruction_price", help: "The most you pay for 10^9 instructions, tokens." },
	Key { name: "creator.max_bandwidth_price", help: "The most you pay for 10^9 bytes transferred, tokens." },
	Key {
		name: "creator.max_availability_fee",
		help: "The most you pay mediator and directory together for being available, tokens a job.",
	},
	Key { name: "creator.match_incentive", help: "What you pay the solver that finds a provider, tokens." },
	Key { name: "creator.extra_deposit", help: "What you pledge on top of the required deposit, tokens." },
	Key { name: "creator.time_limit", help: "How long after posting a job's result is of use." },
	Key {
		name: "creator.verify",
		help: "How often results are verified: auto (so often that no provider gains by cheating: docs/economics.md,\n\
		       \"How often must results be verified?\"), always, never, or a probability from 0 to 1.",
	},
	Key {
		name: "creator.verify_by",
		help: "How results are verified: \"re-execution\" runs the job here; \"duplicate\" has other providers run it, one\n\
		       after the other until they agree, at most four, each at the price of the job.",
	},
	Key {
		name: "creator.determinism",
		help: "p_a: how likely your jobs give the same result in every run. Lower values mean more verification.",
	},
	Key {
		name: "creator.retries",
		help: "How often a job whose match failed by somebody else's fault is offered again.",
	},
	Key { name: "provider.instruction_price", help: "What you charge for 10^9 instructions, tokens." },
	Key { name: "provider.bandwidth_price", help: "What you charge for 10^9 bytes transferred, tokens." },
	Key {
		name: "provider.max_availability_fee",
		help: "The most you pay mediator and directory together for being available, tokens a job.",
	},
	Key { name: "provider.match_incentive", help: "What you pay the solver that finds a job, tokens." },
	Key { name: "provider.extra_deposit", help: "What you pledge on top of the required deposit, tokens." },
	Key { name: "provider.instructions", help: "The longest job you take, instructions." },
	Key { name: "provider.ram", help: "The most memory that a job may use." },
	Key { name: "provider.storage", help: "The largest output that a job may leave." },
	Key { name: "provider.bandwidth", help: "The most bytes that a job may make you transfer." },
	Key {
		name: "provider.meter",
		help: "How instructions are counted: \"cpu-time\", or \"hardware-instructions\" where the processor can\n\
		       (`modicum provider doctor` says).",
	},
	Key { name: "provider.jobs_at_once", help: "How many jobs run at the same time; so many offers are kept open." },
	Key { name: "provider.cpus_per_job", help: "How many processors each job has to itself." },
	Key { name: "provider.offer_life", help: "How long an offer stays before it is made anew." },
	Key {
		name: "provider.keep_offers",
		help: "Leave offers open when the agent is told to end, for those who start it again at once: what is matched\n\
		       meanwhile waits for it. Otherwise they are taken back.",
	},
	Key {
		name: "provider.reserve",
		help: "Time kept free before a deadline, for the transaction to become final.",
	},
	Key { name: "mediator.disputes_at_once", help: "How many disputes are looked into at the same time." },
	Key {
		name: "mediator.reserve",
		help: "Time kept free before a deadline, for the transaction to become final.",
	},
	Key {
		name: "mediator.probe_every",
		help: "How often the directories that you trust are asked whether they are there.",
	},
	Key { name: "solver.matches_at_once", help: "The most matches posted in one transaction." },
	Key {
		name: "solver.min_incentive",
		help: "The least that a match must bring you from both sides together, tokens.",
	},
	Key {
		name: "log.level",
		help: "off, error, warn, info, debug or trace; or a list such as \"info,modicum_chain_client=debug\".",
	},
	Key { name: "log.format", help: "\"text\" for people, \"json\" for programs. Logs go to the error output." },
];

/// The value of a key in settings that were written as TOML.
pub fn lookup<'a>(settings: &'a toml::Table, name: &str) -> Option<&'a Value> {
	let (section, key) = name.split_once('.')?;
	settings.get(section)?.as_table()?.get(key)
}

/// The settings as TOML.
pub fn table(config: &Config) -> toml::Table {
	toml::Table::try_from(config).expect("settings are strings, numbers, flags and lists; qed")
}

/// A file with every key, explained, at its default. All values are commented out, so that a later version's
/// better default is not overridden by an old one that nobody chose.
pub fn template() -> String {
	let defaults = table(&Config::default());
	let mut file = String::from(
		"# Settings of modicum. Remove the # before a key to change it.\n\
		 # An environment variable (named below) overrides this file, and --set KEY=VALUE overrides both.\n",
	);
	let mut section = "";
	for key in KEYS {
		let (of, name) = key.name.split_once('.').expect("every key has a section; qed");
		if of != section {
			file.push_str(&format!("\n[{of}]\n"));
			section = of;
		}
		file.push('\n');
		for line in key.help.lines() {
			file.push_str(&format!("# {line}\n"));
		}
		let value = lookup(&defaults, key.name).expect("tests look every key up; qed");
		file.push_str(&format!("# {}\n#{name} = {value}\n", key.variable()));
	}
	file
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn every_setting_has_its_key_and_every_key_its_setting() {
		let defaults = table(&Config::default());
		let mut settings: Vec<String> = Vec::new();
		for (section, keys) in &defaults {
			settings.extend(keys.as_table().unwrap().keys().map(|key| format!("{section}.{key}")));
		}
		let mut keys: Vec<String> = KEYS.iter().map(|key| key.name.into()).collect();
		settings.sort();
		keys.sort();
		assert_eq!(settings, keys);
	}

	#[test]
	fn the_template_is_valid_and_says_the_defaults() {
		let as_it_is: Config = toml::from_str(&template()).unwrap();
		assert_eq!(as_it_is, Config::default());
		let set: String = template()
			.lines()
			.map(|line| match line.strip_prefix('#') {
				Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
				_ => format!("{line}\n"),
			})
			.collect();
		let keys = toml::from_str::<toml::Table>(&set).unwrap();
		assert!(KEYS.iter().all(|key| lookup(&keys, key.name).is_some()), "{set}");
		assert_eq!(toml::from_str::<Config>(&set).unwrap(), Config::default());
	}
}
