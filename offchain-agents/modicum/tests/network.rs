// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The market on a chain of four validators, each role speaking to another of them. Jobs are taken by the executor that
//! runs nothing, so that this needs no container engine.

#![allow(clippy::unwrap_used)]

#[path = "common/health.rs"]
mod health;

use futures::future::join_all;
use health::health;
use modicum_chain_client::{
	AccountId, Chain, ConnectionSettings, Event, FinalizedItem, Key, Snapshot,
};
use modicum_node_testing::{free_port, Network};
use modicum_primitives::{Ending, MatchId, Verdict};
use serde_json::Value;
use std::{
	collections::BTreeMap,
	fs::{create_dir_all, File},
	path::PathBuf,
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};
use tempfile::TempDir;

const VALIDATORS: [&str; 4] = ["alice", "bob", "charlie", "dave"];
const BASE: &str = "sha256:0707070707070707070707070707070707070707070707070707070707070707";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(400);
/// Between two looks for what is waited for.
const POLL: Duration = Duration::from_millis(500);

/// An agent's process, killed with the value.
struct Agent(Child);

impl Drop for Agent {
	fn drop(&mut self) {
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

/// Four validators, and everyone registered.
struct Market {
	network: Network,
	homes: TempDir,
	directory_port: u16,
}

impl Drop for Market {
	fn drop(&mut self) {
		if !std::thread::panicking() {
			return;
		}
		for entry in std::fs::read_dir(self.homes.path()).unwrap() {
			let path = entry.unwrap().path();
			if path.extension().is_some_and(|extension| extension == "log") {
				let log = std::fs::read_to_string(&path).unwrap_or_default();
				let lines: Vec<_> = log.lines().collect();
				let end = &lines[lines.len().saturating_sub(15)..];
				eprintln!("--- {}\n{}", path.display(), end.join("\n"));
			}
		}
	}
}

impl Market {
	async fn new() -> Self {
		let mut network = Network::new("local").unwrap();
		network.start_validators(VALIDATORS).await.unwrap();
		network.node("alice").wait_for_finalized(1).await.unwrap();
		let homes = tempfile::tempdir().unwrap();
		let directory_port = free_port().unwrap();
		let market = Self { network, homes, directory_port };
		let url = format!("http://127.0.0.1:{directory_port}");
		let lists = format!("--trust-directory //Directory --base-layer {BASE}");
		let directory = format!("directory register --url {url} --availability-fee 0.05");
		let mediator =
			format!("mediator register --architecture amd64 --availability-fee 0.1 {lists}");
		let provider = format!(
			"provider register --architecture amd64 --time-per-billion-instructions 100 \
			 --trust-mediator //Mediator {lists}"
		);
		tokio::join!(
			market.does("Directory", &["alice"], &directory),
			market.does("Mediator", &["bob"], &mediator),
			market.does("Provider", &["charlie"], &provider),
			market.does("Creator", &["dave"], "creator register --trust-mediator //Mediator"),
		);
		market
	}

	/// A command of the account //name, with a home folder of its own, by the nodes of these names.
	fn command(&self, name: &str, nodes: &[&str], line: &str) -> Command {
		let home = self.homes.path().join(name);
		create_dir_all(&home).unwrap();
		let mut command = Command::new(env!("CARGO_BIN_EXE_modicum"));
		command
			.env_clear()
			.env("HOME", &home)
			.env("PATH", std::env::var_os("PATH").unwrap_or_default())
			.env("MODICUM_SECRET_KEY", format!("//{name}"))
			.current_dir(&home)
			.args(["--output", "json", "--log-level", "info"])
			.args(["--set", "executor.kind=null", "--set", "provider.reserve=4s"])
			.args(["--set", "mediator.reserve=4s"]);
		for node in nodes {
			command.args(["--endpoint", &self.network.node(node).rpc_url()]);
		}
		command.args(line.split_whitespace());
		command
	}

	/// Runs a command to its end; exit code and answer, or what it wrote to its error output.
	async fn run(&self, name: &str, nodes: &[&str], line: &str) -> (i32, Value) {
		let mut command = tokio::process::Command::from(self.command(name, nodes, line));
		let run = command.kill_on_drop(true).output();
		let Ok(output) = tokio::time::timeout(PATIENCE, run).await else {
			panic!("{name} hangs: {line}");
		};
		let output = output.unwrap();
		let error = String::from_utf8_lossy(&output.stderr).into_owned();
		let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| Value::from(error));
		(output.status.code().unwrap(), answer)
	}

	/// Runs what must succeed.
	async fn does(&self, name: &str, nodes: &[&str], line: &str) -> Value {
		let (code, answer) = self.run(name, nodes, line).await;
		assert_eq!(code, 0, "{name}: {line}: {answer}");
		answer
	}

	fn start(&self, name: &str, nodes: &[&str], line: &str) -> Agent {
		let log = self.homes.path().join(format!("{name}.log"));
		let log = File::options().create(true).append(true).open(log).unwrap();
		let mut command = self.command(name, nodes, line);
		Agent(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
	}

	fn start_directory(&self, node: &str) -> Agent {
		let (port, admin) = (self.directory_port, free_port().unwrap());
		let line = format!(
			"directory run --listen 127.0.0.1:{port} --admin-listen 127.0.0.1:{admin} \
			 --id 127.0.0.1:{port} --data store"
		);
		self.start("Directory", &[node], &line)
	}

	/// The line that submits a job whose layer has something in it.
	fn submission(&self, more: &str) -> String {
		let folder: PathBuf = self.homes.path().join("job");
		create_dir_all(folder.join("root/bin")).unwrap();
		std::fs::write(folder.join("root/bin/job"), "#!/bin/sh\n").unwrap();
		let file = format!(
			"name = \"nothing\"\nbase = \"{BASE}\"\nexecution = \"root\"\ncommand = [\"/bin/job\"]\n\
			 [limits]\ninstructions = 1000000000\nram = \"16 MiB\"\nstorage = \"1 MiB\"\nbandwidth = \"1 MiB\"\n"
		);
		std::fs::write(folder.join("job.toml"), file).unwrap();
		format!("job submit {} --directory //Directory --yes {more}", folder.display())
	}

	async fn chain(&self, node: &str) -> Chain {
		let url = self.network.node(node).rpc_url();
		Chain::connect(ConnectionSettings::rpc([url])).await.unwrap()
	}

	/// What happened in all blocks up to the best one of now, once they are final for this node.
	async fn history(&self, node: &str) -> (u64, Vec<Event>) {
		let last = self.network.node("alice").best().await.unwrap();
		self.network.node(node).wait_for_finalized(last).await.unwrap();
		let mut blocks = self.chain(node).await.finalized_blocks(Some(1));
		let mut events = Vec::new();
		loop {
			let FinalizedItem::Block(block) = blocks.next().await.unwrap() else {
				panic!("the nodes of tests keep their blocks");
			};
			let number = block.number();
			events.extend(block.events);
			if number >= last.into() {
				return (number, events);
			}
		}
	}
}

/// How a match ended.
fn ending(history: &[Event], wanted: MatchId) -> Option<Ending> {
	history.iter().find_map(|event| match event {
		Event::MatchClosed { match_id, ending, .. } if *match_id == wanted => Some(*ending),
		_ => None,
	})
}

fn account(name: &str) -> AccountId {
	Key::from_secret(&format!("//{name}")).unwrap().account()
}

fn closed_match(answer: &Value) -> MatchId {
	answer["details"]["done"]["match_id"].as_u64().unwrap_or_else(|| panic!("{answer}"))
}

/// What accounts have as of a block, on hold or not.
async fn money(snapshot: &Snapshot) -> Vec<u128> {
	let mut money = Vec::new();
	for name in ["Directory", "Mediator", "Provider", "Creator", "Solver"] {
		let found = snapshot.account(&account(name)).await.unwrap();
		money.push(found.free + found.held);
	}
	money
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_on_different_nodes_meet_quarrel_and_outlive_a_validator() {
	let mut market = Market::new().await;
	let solver = market.start("Solver", &["alice"], "solver run");
	let directory = market.start_directory("alice");
	let mediator = market.start("Mediator", &["bob"], "mediator run");

	let provider = market.start("Provider", &["charlie", "bob"], "provider run");
	let submission = market.submission("--verify always");
	let answer = market.does("Creator", &["dave"], &submission).await;
	let accepted = closed_match(&answer);

	// The provider's first node goes, and it finds the next; the creator's first is gone already.
	let detached = market.submission("--detach");
	let submitted = market.does("Creator", &["dave"], &detached).await;
	let job = submitted["job"].as_u64().unwrap();
	market.network.node_mut("charlie").kill().await.unwrap();
	let wait = format!("job wait {job}");
	let answer = market.does("Creator", &["charlie", "dave"], &wait).await;
	let outlived = closed_match(&answer);
	market.network.node_mut("charlie").start().await.unwrap();
	drop(provider);

	let cheating = "provider run --scripted-cheat forges-results";
	let provider = market.start("Provider", &["charlie"], cheating);
	let (code, answer) = market.run("Creator", &["dave"], &submission).await;
	assert_eq!(code, 14, "{answer}");
	let mediated = closed_match(&answer);
	drop((provider, mediator, directory, solver));

	// All nodes tell the same story, the one that was away too.
	let histories = join_all(VALIDATORS.map(|node| market.history(node))).await;
	let number = histories.iter().map(|(number, _)| *number).min().unwrap();
	let mut told = Vec::new();
	for (node, (_, history)) in VALIDATORS.iter().zip(&histories) {
		assert_eq!(ending(history, accepted), Some(Ending::Accepted), "{node}");
		assert_eq!(ending(history, outlived), Some(Ending::Accepted), "{node}");
		let quarrel = Some(Ending::Mediated(Verdict::WrongResults));
		assert_eq!(ending(history, mediated), quarrel, "{node}");
		let snapshot = market.chain(node).await.snapshot_at(number).await.unwrap();
		told.push((snapshot.hash(), money(&snapshot).await));
	}
	assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

/// Waits until an agent's health is as wanted.
async fn wait_for_health(port: u16, what: &str, is_wanted: impl Fn(u16, &str) -> bool) {
	let started = Instant::now();
	loop {
		let found = health(port);
		if found.as_ref().is_some_and(|(status, body)| is_wanted(*status, body)) {
			return;
		}
		assert!(started.elapsed() < PATIENCE, "{what} does not come: {found:?}");
		tokio::time::sleep(POLL).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: scripts/test-network.sh"]
async fn agents_say_that_finality_stands_still_and_lose_nothing_by_it() {
	let mut market = Market::new().await;
	let port = free_port().unwrap();
	let _solver = market.start("Solver", &["alice"], "solver run");
	let _directory = market.start_directory("alice");
	let line = format!("--set agent.metrics_listen=127.0.0.1:{port} provider run");
	let _provider = market.start("Provider", &["bob"], &line);
	wait_for_health(port, "a healthy provider", |status, _| status == 200).await;

	let submission = market.submission("--detach");
	let submitted = market.does("Creator", &["alice"], &submission).await;
	for name in ["charlie", "dave"] {
		market.network.node_mut(name).kill().await.unwrap();
	}
	wait_for_health(port, "word that nothing is final", |status, body| {
		status == 503 && body.contains("final")
	})
	.await;

	for name in ["charlie", "dave"] {
		market.network.node_mut(name).start().await.unwrap();
	}
	wait_for_health(port, "a provider healthy again", |status, _| status == 200).await;
	let wait = format!("job wait {}", submitted["job"].as_u64().unwrap());
	let answer = market.does("Creator", &["alice"], &wait).await;
	let (_, history) = market.history("dave").await;
	assert_eq!(ending(&history, closed_match(&answer)), Some(Ending::Accepted));
	let mut counts = BTreeMap::new();
	for event in &history {
		*counts.entry(event.name()).or_insert(0) += 1;
	}
	for event in ["JobOfferPosted", "Matched", "ResultPosted", "MatchClosed"] {
		assert_eq!(counts.get(event), Some(&1), "{event}: {counts:?}");
	}
}
