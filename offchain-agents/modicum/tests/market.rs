// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The whole market as its users meet it: a real node, a real directory, every role as a process of its own. Jobs
//! are taken by the executor that runs nothing, so that this needs no container engine; what it reports goes the
//! same way as any result.

#![allow(clippy::unwrap_used)]

use modicum_chain_client::{
	AccountId, Chain, ConnectionSettings, Event, FinalizedItem, Key, Snapshot,
};
use modicum_node_testing::{free_port, Network};
use modicum_primitives::{
	cost, match_value, settlement, Balance, Ending, Prices, Rounding, Settlement, SettlementTerms,
	Usage, Verdict,
};
use serde_json::Value;
use std::{
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	time::Duration,
};

const TOKEN: Balance = 1_000_000_000_000;
const BASE: &str = "sha256:0707070707070707070707070707070707070707070707070707070707070707";
/// a_M and a_D as registered below.
const MEDIATOR_FEE: Balance = TOKEN / 10;
const DIRECTORY_FEE: Balance = TOKEN / 20;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// An agent's process, killed with the value.
struct Agent(Child);

impl Agent {
	/// As a power cut would.
	fn kill(mut self) {
		self.0.kill().unwrap();
		self.0.wait().unwrap();
	}
}

impl Drop for Agent {
	fn drop(&mut self) {
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

/// A chain, a directory, a solver, and everyone registered.
struct Market {
	network: Network,
	chain: Chain,
	homes: tempfile::TempDir,
	directory_port: u16,
	_solver: Agent,
	directory: Option<Agent>,
}

fn account(name: &str) -> AccountId {
	Key::from_secret(&format!("//{name}")).unwrap().account()
}

impl Market {
	fn command(network: &Network, homes: &Path, name: &str) -> Command {
		let home = homes.join(name);
		std::fs::create_dir_all(&home).unwrap();
		let mut command = Command::new(env!("CARGO_BIN_EXE_modicum"));
		command
			.env_clear()
			.env("HOME", &home)
			.env("PATH", std::env::var_os("PATH").unwrap_or_default())
			.env("MODICUM_SECRET_KEY", format!("//{name}"))
			.current_dir(&home)
			.args(["--output", "json", "--log-level", "info"])
			.args(["--endpoint", &network.node("alice").rpc_url()])
			.args(["--set", "executor.kind=null", "--set", "provider.reserve=4s"])
			.args(["--set", "mediator.reserve=4s"]);
		command
	}

	async fn new() -> Self {
		let network = Network::development().await.unwrap();
		let homes = tempfile::tempdir().unwrap();
		let port = free_port().unwrap();
		let url = format!("http://127.0.0.1:{port}");
		let lists = format!("--trust-directory //Directory --base-layer {BASE}");
		let setups = [
			("Directory", format!("directory register --url {url} --availability-fee 0.05")),
			(
				"Mediator",
				format!("mediator register --architecture amd64 --availability-fee 0.1 {lists}"),
			),
			(
				"Provider",
				format!(
					"provider register --architecture amd64 --time-per-billion-instructions 100 \
					 --trust-mediator //Mediator {lists}"
				),
			),
			("Creator", "creator register --trust-mediator //Mediator".into()),
		];
		let threads: Vec<_> = setups
			.into_iter()
			.map(|(name, line)| {
				let mut command = Self::command(&network, homes.path(), name);
				command.args(line.split_whitespace());
				std::thread::spawn(move || {
					let done = command.output().unwrap();
					let error = String::from_utf8_lossy(&done.stderr).into_owned();
					assert!(done.status.success(), "{command:?}: {error}");
				})
			})
			.collect();
		tokio::task::spawn_blocking(move || threads.into_iter().for_each(|t| t.join().unwrap()))
			.await
			.unwrap();
		let settings = ConnectionSettings::rpc([network.node("alice").rpc_url()]);
		let chain = Chain::connect(settings).await.unwrap();
		let solver = Self::start(&network, homes.path(), "Solver", &["solver", "run"]);
		let mut market =
			Self { network, chain, homes, directory_port: port, _solver: solver, directory: None };
		market.start_directory();
		market
	}

	fn start(network: &Network, homes: &Path, name: &str, arguments: &[&str]) -> Agent {
		let log = homes.join(format!("{name}.log"));
		let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
		let mut command = Self::command(network, homes, name);
		command.args(arguments).stdout(Stdio::null()).stderr(log);
		Agent(command.spawn().unwrap())
	}

	fn start_directory(&mut self) {
		let listen = format!("127.0.0.1:{}", self.directory_port);
		let admin = format!("127.0.0.1:{}", free_port().unwrap());
		let arguments =
			["directory", "run", "--listen", &listen, "--admin-listen", &admin, "--id", &listen];
		let agent = self.agent("Directory", &[&arguments[..], &["--data", "store"]].concat());
		self.directory = Some(agent);
	}

	fn agent(&self, name: &str, arguments: &[&str]) -> Agent {
		Self::start(&self.network, self.homes.path(), name, arguments)
	}

	fn provider(&self, cheat: Option<&str>) -> Agent {
		let cheating = cheat.map(|cheat| vec!["--scripted-cheat", cheat]).unwrap_or_default();
		self.agent("Provider", &[&["provider", "run"][..], &cheating].concat())
	}

	fn mediator(&self) -> Agent {
		self.agent("Mediator", &["mediator", "run"])
	}

	/// A job whose layer has something in it.
	fn job_folder(&self) -> PathBuf {
		let folder = self.homes.path().join("job");
		std::fs::create_dir_all(folder.join("root/bin")).unwrap();
		std::fs::write(folder.join("root/bin/job"), "#!/bin/sh\n").unwrap();
		let file = format!(
			"name = \"nothing\"\nbase = \"{BASE}\"\nexecution = \"root\"\ncommand = [\"/bin/job\"]\n\
			 [limits]\ninstructions = 1000000000\nram = \"16 MiB\"\nstorage = \"1 MiB\"\nbandwidth = \"1 MiB\"\n"
		);
		std::fs::write(folder.join("job.toml"), file).unwrap();
		folder
	}

	/// Submits the job and waits for its end; exit code and answer.
	async fn submit(&self, more: &[&str]) -> (i32, Value) {
		let mut command = Self::command(&self.network, self.homes.path(), "Creator");
		command.args(["job", "submit"]).arg(self.job_folder());
		command.args(["--directory", "//Directory", "--yes"]).args(more);
		self.finish(command).await
	}

	async fn creator(&self, arguments: &[&str]) -> (i32, Value) {
		let mut command = Self::command(&self.network, self.homes.path(), "Creator");
		command.args(arguments);
		self.finish(command).await
	}

	async fn finish(&self, mut command: Command) -> (i32, Value) {
		let run = tokio::task::spawn_blocking(move || command.output().unwrap());
		let output = tokio::time::timeout(PATIENCE, run).await.expect("it hangs").unwrap();
		let error = String::from_utf8_lossy(&output.stderr).into_owned();
		let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| Value::from(error));
		(output.status.code().unwrap(), answer)
	}

	/// The end of what each agent has logged, for whoever reads a failure.
	fn logs(&self) -> String {
		let mut ends = String::new();
		for entry in std::fs::read_dir(self.homes.path()).unwrap() {
			let path = entry.unwrap().path();
			if path.extension().is_some_and(|extension| extension == "log") {
				let log = std::fs::read_to_string(&path).unwrap_or_default();
				let lines: Vec<_> = log.lines().rev().take(15).collect();
				let lines: Vec<_> = lines.into_iter().rev().collect();
				ends += &format!("--- {}\n{}\n", path.display(), lines.join("\n"));
			}
		}
		ends
	}

	async fn snapshot(&self) -> Snapshot {
		self.chain.snapshot().await.unwrap()
	}

	/// All that accounts have, on hold or not.
	async fn money(&self, names: &[&str]) -> Vec<Balance> {
		let snapshot = self.snapshot().await;
		let mut money = Vec::new();
		for name in names {
			let found = snapshot.account(&account(name)).await.unwrap();
			money.push(found.free + found.held);
		}
		money
	}

	/// Waits for the end of a match.
	async fn closing(&self, wanted: u64) -> (Ending, Settlement) {
		let mut blocks = self.chain.finalized_blocks(Some(1));
		let search = async {
			loop {
				let FinalizedItem::Block(block) = blocks.next().await.unwrap() else {
					panic!("a development node keeps its blocks");
				};
				for event in block.events {
					if let Event::MatchClosed { match_id, ending, settlement, .. } = event {
						if match_id == wanted {
							return (ending, settlement);
						}
					}
				}
			}
		};
		tokio::time::timeout(PATIENCE, search).await.expect("the match is not closed")
	}
}

/// The terms of a match of the job above at the default prices, in which the provider reported `reported`.
fn terms(reported: Option<Usage>, measured: Option<Usage>) -> SettlementTerms {
	let limits = modicum_primitives::Resources {
		instructions: 1_000_000_000,
		ram: 16 << 20,
		storage: 1 << 20,
		bandwidth: 1 << 20,
	};
	let prices = Prices { instruction: TOKEN / 100, bandwidth: TOKEN / 20 };
	SettlementTerms {
		value: match_value(&limits, prices).unwrap(),
		prices,
		verification_count: 2,
		mediator_fee: MEDIATOR_FEE,
		directory_fee: DIRECTORY_FEE,
		reported,
		measured,
	}
}

/// d of such a match, at θ = 50 and n = 2.
fn deposit() -> Balance {
	terms(None, None).value * 52 + MEDIATOR_FEE + DIRECTORY_FEE
}

/// What the row of the table in docs/protocol.md §8 says, for both holds.
fn by_the_table(ending: Ending, terms: &SettlementTerms) -> Settlement {
	settlement(ending, terms, deposit(), deposit())
}

fn closed_match(answer: &Value) -> u64 {
	answer["details"]["done"]["match_id"].as_u64().unwrap_or_else(|| panic!("{answer}"))
}

fn reported(answer: &Value) -> Usage {
	serde_json::from_value(answer["details"]["done"]["result"]["usage"].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_offered_matched_run_accepted_and_paid() {
	let market = Market::new().await;
	let provider = market.provider(None);
	let before = market.money(&["Directory", "Mediator", "Creator", "Provider"]).await;
	let (code, answer) = market.submit(&["--verify", "always"]).await;
	assert_eq!(code, 0, "{answer}");
	assert_eq!(answer["stage"], "done");
	let id = closed_match(&answer);
	let usage = reported(&answer);
	let (ending, paid) = market.closing(id).await;
	assert_eq!(ending, Ending::Accepted);
	let terms = terms(Some(usage), None);
	assert_eq!(paid, by_the_table(ending, &terms));
	let price = cost(usage, terms.prices, Rounding::Down).unwrap();
	assert!(price > 0);
	let after = market.money(&["Directory", "Mediator", "Creator", "Provider"]).await;
	// Neither has sent anything meanwhile, so there are no fees in between.
	assert_eq!(after[0] - before[0], 2 * DIRECTORY_FEE);
	assert_eq!(after[1] - before[1], 2 * MEDIATOR_FEE);
	assert!(before[2] - after[2] > price + DIRECTORY_FEE + MEDIATOR_FEE);

	// A provider that is killed goes on where it was, and offers again by itself.
	provider.kill();
	let submitted = market.submit(&["--detach"]).await;
	assert_eq!(submitted.0, 0, "{}", submitted.1);
	let job = submitted.1["job"].as_u64().unwrap().to_string();
	let status = market.creator(&["job", "status", &job]).await;
	assert_eq!(status.0, 0);
	let restarted = market.provider(None);
	let (code, answer) = market.creator(&["job", "wait", &job]).await;
	assert_eq!(code, 0, "{answer}");
	let earned = {
		let mut command = Market::command(&market.network, market.homes.path(), "Provider");
		command.args(["provider", "earnings"]);
		market.finish(command).await
	};
	assert_eq!(earned.1["accepted"], 2, "{}", earned.1);
	restarted.kill();

	// What nobody takes can be taken back, and its money is free again.
	let offers = market.snapshot().await.resource_offers().await.unwrap();
	for (id, _) in offers {
		let mut command = Market::command(&market.network, market.homes.path(), "Provider");
		command.args(["offer", "cancel", "resource", &id.to_string()]);
		assert_eq!(market.finish(command).await.0, 0);
	}
	let (_, answer) = market.submit(&["--detach"]).await;
	let job = answer["job"].as_u64().unwrap().to_string();
	let (_, status) = market.creator(&["job", "status", &job]).await;
	assert!(status["line"].as_str().unwrap().contains("no provider offers"), "{status}");
	let (code, answer) = market.creator(&["job", "cancel", &job]).await;
	assert_eq!((code, &answer["stage"]), (0, &Value::from("withdrawn")), "{answer}");
	let creator = market.snapshot().await.job_creator(account("Creator")).await.unwrap().unwrap();
	assert_eq!(creator.commitments, 0);
	let (code, list) = market.creator(&["job", "list"]).await;
	assert_eq!((code, list.as_array().unwrap().len()), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn cheaters_are_caught_and_pay_by_the_table() {
	let market = Market::new().await;
	let mediator = market.mediator();
	for (cheat, verdict) in [
		("forges-results", Verdict::WrongResults),
		("overcharges", Verdict::TooMuchCost),
		("claims-false-status", Verdict::InvalidResultStatus),
	] {
		let provider = market.provider(Some(cheat));
		let before = market.money(&["Directory", "Provider"]).await;
		let (code, answer) = market.submit(&["--verify", "always"]).await;
		assert_eq!(code, 14, "{cheat}: {answer}");
		let (ending, paid) = market.closing(closed_match(&answer)).await;
		assert_eq!(ending, Ending::Mediated(verdict), "{cheat}");
		// The mediator's runs moved as much as an honest provider's.
		let measured = Usage { instructions: 0, bandwidth: honest_bandwidth(&market) };
		let terms = terms(Some(reported(&answer)), Some(measured));
		assert_eq!(paid, by_the_table(ending, &terms), "{cheat}");
		// θ + n times v, less what one run costs the creator and n runs the mediator.
		assert!(paid.from_provider.to_fines >= terms.value * 49, "{cheat}: the rest of d is lost");
		let after = market.money(&["Directory", "Provider"]).await;
		assert_eq!(after[0] - before[0], 2 * DIRECTORY_FEE);
		let lost = before[1] - after[1];
		assert!(lost >= deposit() - paid.from_provider.returned, "{cheat}: {lost}");
		provider.kill();
	}
	mediator.kill();
}

/// What any run of the job moves: descriptor, layer and the empty output.
fn honest_bandwidth(market: &Market) -> u64 {
	let packed = market.homes.path().join("Creator/.local/share/modicum");
	let creator = std::fs::read_dir(packed).unwrap().map(|entry| entry.unwrap().path());
	let creator = creator.into_iter().find(|path| path.join("packed").exists()).unwrap();
	let job = std::fs::read_dir(creator.join("packed")).unwrap().next().unwrap().unwrap().path();
	let layer = std::fs::metadata(job.join("execution.tar.gz")).unwrap().len();
	layer + descriptor_length(&job.join("execution.tar.gz")) + 1024
}

fn descriptor_length(layer: &Path) -> u64 {
	let descriptor = modicum_executor::JobDescriptor {
		architecture: "amd64".parse().unwrap(),
		base: BASE.parse().unwrap(),
		command: vec!["/bin/job".into()],
		data_layer: None,
		environment: Default::default(),
		execution_layer: modicum_executor::Layer::describe(layer).unwrap(),
		limits: modicum_primitives::Resources {
			instructions: 1_000_000_000,
			ram: 16 << 20,
			storage: 1 << 20,
			bandwidth: 1 << 20,
		},
		meter: modicum_primitives::Meter::CpuTime,
		version: 1,
		working_directory: "/out".into(),
	};
	descriptor.to_canonical_json().len() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_costs_whoever_is_silent() {
	let market = Market::new().await;

	// A provider that never answers: v goes to the creator.
	let provider = market.provider(Some("never-answers"));
	let (code, answer) = market.submit(&["--time-limit", "40s"]).await;
	assert_eq!(code, 14, "{answer}");
	let (ending, paid) = market.closing(closed_match(&answer)).await;
	assert_eq!(ending, Ending::ProviderTimedOut);
	assert_eq!(paid, by_the_table(ending, &terms(None, None)));
	provider.kill();

	// A creator that vanishes: the provider accepts in its place.
	let provider = market.provider(None);
	let (code, answer) = market.submit(&["--detach"]).await;
	assert_eq!(code, 0, "{answer}");
	let (ending, paid) = market.closing(1).await;
	assert_eq!(ending, Ending::Accepted);
	assert!(paid.from_creator.to_counterparty > 0);
	provider.kill();

	// A mediator that is silent, after a forged result: half of v for the provider, no fee for the mediator.
	let provider = market.provider(Some("forges-results"));
	let mediator =
		market.agent("Mediator", &["mediator", "run", "--scripted-cheat", "stays-silent"]);
	let (code, answer) = market.submit(&["--verify", "always"]).await;
	assert_eq!(code, 14, "{answer}");
	let (ending, paid) = market.closing(closed_match(&answer)).await;
	assert_eq!(ending, Ending::MediatorTimedOut);
	assert_eq!(paid, by_the_table(ending, &terms(Some(reported(&answer)), None)));
	assert_eq!(paid.from_creator.to_mediator, 0);
	drop((provider, mediator));
}

/// Every few seconds one of the roles is killed as by a power cut and started again, in whatever phase it is. All jobs
/// must end as if nothing had happened: offered once, run, verified, accepted and paid once.
#[tokio::test(flavor = "multi_thread")]
async fn roles_that_are_killed_again_and_again_lose_nothing_and_do_nothing_twice() {
	const JOBS: usize = 3;
	let mut market = Market::new().await;
	let roles: [(&str, &[&str]); 3] = [
		("Provider", &["provider", "run"]),
		("Creator", &["creator", "run"]),
		("Mediator", &["mediator", "run"]),
	];
	let start = |market: &Market, role: usize| market.agent(roles[role].0, roles[role].1);
	let mut agents: Vec<Option<Agent>> =
		(0..roles.len()).map(|r| Some(start(&market, r))).collect();
	for _ in 0..JOBS {
		let (code, answer) = market.submit(&["--detach", "--verify", "always"]).await;
		assert_eq!(code, 0, "{answer}");
	}
	let deadline = tokio::time::Instant::now() + PATIENCE;
	let mut kills = 0;
	loop {
		let (_, jobs) = market.creator(&["job", "list"]).await;
		let done = jobs.as_array().unwrap().iter().filter(|job| job["stage"] == "done").count();
		if done == JOBS && kills >= 4 {
			break;
		}
		let is_late = tokio::time::Instant::now() > deadline;
		assert!(!is_late, "after {kills} kills: {jobs}\n{}", market.logs());
		// Long enough for a role to have begun something.
		tokio::time::sleep(Duration::from_secs(6)).await;
		let role = kills % (roles.len() + 1);
		match agents.get_mut(role) {
			Some(agent) => {
				agent.take().unwrap().kill();
				*agent = Some(start(&market, role));
			},
			None => {
				market.directory.take().unwrap().kill();
				market.start_directory();
			},
		}
		kills += 1;
	}
	drop(agents);
	let mut counts = std::collections::BTreeMap::new();
	let snapshot = market.snapshot().await;
	let mut blocks = market.chain.finalized_blocks(Some(1));
	while let FinalizedItem::Block(block) = blocks.next().await.unwrap() {
		for event in &block.events {
			*counts.entry(event.name()).or_insert(0) += 1;
			if let Event::MatchClosed { ending, .. } = event {
				assert_eq!(*ending, Ending::Accepted);
			}
		}
		if block.number() >= snapshot.number() {
			break;
		}
	}
	for event in ["JobOfferPosted", "Matched", "ResultPosted", "MatchClosed"] {
		assert_eq!(counts.get(event), Some(&JOBS), "{event}: {counts:?}");
	}
	let creator = snapshot.job_creator(account("Creator")).await.unwrap().unwrap();
	assert_eq!(creator.commitments, 0);
}
