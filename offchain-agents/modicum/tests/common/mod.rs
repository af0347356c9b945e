// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The whole market for tests: a real node, real directories, every role as a process of its own.
//!
//! Scenarios share a chain without meeting: each is a [`Cell`], whose creator, provider and mediator have a base
//! layer to themselves, so that no other offers fit. Jobs are taken by the executor that runs nothing, unless a test
//! asks for the container engine; what it reports goes the same way as any result.

#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod health;
pub mod table;

use modicum_chain_client::{
	AccountId, Call, Chain, ConnectionSettings, Event, FinalizedItem, Key, Snapshot, Submitter,
};
use modicum_node_testing::{free_port, Network, Role};
use modicum_primitives::{Architecture, Balance, Ending, Hash, MatchId, Settlement};
use serde_json::Value;
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicU8, Ordering},
		Arc, Mutex,
	},
	time::{Duration, Instant},
};

pub const TOKEN: Balance = 1_000_000_000_000;
/// a_M and a_D of every cell.
pub const MEDIATOR_FEE: Balance = TOKEN / 10;
pub const DIRECTORY_FEE: Balance = TOKEN / 20;
/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(400);
/// What each account of a cell starts with.
const ENDOWMENT: Balance = 1_000 * TOKEN;
/// Between two looks for what is waited for.
const POLL: Duration = Duration::from_millis(100);

/// The account of a secret such as `//Creator` or `//Creator//one`.
pub fn account(secret: &str) -> AccountId {
	Key::from_secret(secret).unwrap().account()
}

/// An agent's process, killed with the value.
pub struct Agent {
	command: Command,
	process: Child,
}

impl Agent {
	fn start(mut command: Command) -> Self {
		let process = command.spawn().unwrap();
		Self { command, process }
	}

	/// Ends it as a power cut would.
	pub fn kill(&mut self) {
		self.process.kill().unwrap();
		self.process.wait().unwrap();
	}

	/// Sends it a signal, such as TERM, and waits for its end.
	pub fn end(&mut self, signal: &str) -> std::process::ExitStatus {
		let kill =
			Command::new("kill").args([format!("-{signal}"), self.id().to_string()]).status();
		assert!(kill.unwrap().success());
		self.process.wait().unwrap()
	}

	/// Kills it and starts it again.
	pub fn restart(&mut self) {
		self.kill();
		self.process = self.command.spawn().unwrap();
	}

	/// Whether it has not ended by itself.
	pub fn is_running(&mut self) -> bool {
		self.process.try_wait().unwrap().is_none()
	}

	/// The number of its process.
	pub fn id(&self) -> u32 {
		self.process.id()
	}

	/// What it prints, if its output was piped.
	pub fn error_output(&mut self) -> Option<std::process::ChildStderr> {
		self.process.stderr.take()
	}
}

impl Drop for Agent {
	fn drop(&mut self) {
		let _ = self.process.kill();
		let _ = self.process.wait();
	}
}

/// How a market is other than usual.
#[derive(Default)]
pub struct Options {
	/// Every role runs the embedded light client.
	pub light: bool,
	/// Time to react and to mediate, so long that agents may be killed again and again.
	pub long_deadlines: bool,
	/// Jobs are run by the container engine.
	pub engine: bool,
	/// Further settings of every agent.
	pub settings: Vec<String>,
}

/// A creator, a provider and a mediator who only meet each other.
#[derive(Clone)]
pub struct Cell {
	pub name: &'static str,
	pub base: String,
	pub directory: String,
}

impl Cell {
	pub fn creator(&self) -> String {
		format!("//Creator//{}", self.name)
	}

	pub fn provider(&self) -> String {
		format!("//Provider//{}", self.name)
	}

	pub fn mediator(&self) -> String {
		format!("//Mediator//{}", self.name)
	}

	fn base_layer(&self) -> [u8; 32] {
		let mut base = [0; 32];
		hex::decode_to_slice(self.base.trim_start_matches("sha256:"), &mut base).unwrap();
		base
	}
}

/// A chain, and a home folder for each account.
pub struct Market {
	pub network: Network,
	pub chain: Chain,
	homes: tempfile::TempDir,
	options: Options,
	light: PathBuf,
	/// Every event of the market so far, with its block.
	events: Arc<Mutex<Vec<(u64, Event)>>>,
	/// How many cells there are.
	cells: AtomicU8,
	/// What is in the environment of an account's commands besides.
	environment: Mutex<BTreeMap<String, Vec<(String, String)>>>,
	follower: tokio::task::JoinHandle<()>,
}

impl Drop for Market {
	fn drop(&mut self) {
		self.follower.abort();
		if std::thread::panicking() {
			eprintln!("{}", self.logs());
		}
	}
}

/// The development chain, with deadlines of many minutes.
fn patient_chain(folder: &Path) -> String {
	let binary = modicum_node_testing::binary().unwrap();
	let export = ["export-chain-spec", "--chain", "dev"];
	let spec = modicum_node_testing::output(Command::new(binary).args(export)).unwrap();
	let mut spec: Value = serde_json::from_slice(&spec).unwrap();
	let parameters = &mut spec["genesis"]["runtimeGenesis"]["patch"]["modicum"]["parameters"];
	for deadline in ["reaction_deadline", "mediation_deadline"] {
		assert!(parameters[deadline].is_u64(), "{parameters}");
		parameters[deadline] = (15 * 60 * 1_000).into();
	}
	let file = folder.join("patient.json");
	std::fs::write(&file, spec.to_string()).unwrap();
	file.to_str().unwrap().into()
}

impl Market {
	/// A chain without anyone in the market as yet.
	pub async fn new(options: Options) -> Self {
		let homes = tempfile::tempdir().unwrap();
		let chain = if options.long_deadlines { patient_chain(homes.path()) } else { "dev".into() };
		let mut network = Network::new(&chain).unwrap();
		network.start("alice", Role::Validator).await.unwrap();
		let node = network.node("alice");
		// The specification names the node, as one of a real chain names its boot nodes.
		let spec = std::fs::read(network.spec()).unwrap();
		let mut spec: Value = serde_json::from_slice(&spec).unwrap();
		spec["bootNodes"] = serde_json::json!([node.address()]);
		let light = homes.path().join("light.json");
		std::fs::write(&light, spec.to_string()).unwrap();
		node.wait_for_finalized(1).await.unwrap();
		let chain = Chain::connect(ConnectionSettings::rpc([node.rpc_url()])).await.unwrap();
		let events = Arc::default();
		let follower = tokio::spawn(follow(chain.clone(), Arc::clone(&events)));
		Self {
			network,
			chain,
			homes,
			options,
			light,
			events,
			cells: AtomicU8::new(0),
			environment: Mutex::default(),
			follower,
		}
	}

	/// A command of the account that knows no way to the chain, with a home folder of its own and nothing else in its
	/// environment.
	fn offline_command(&self, secret: &str) -> Command {
		let home = self.home(secret);
		std::fs::create_dir_all(&home).unwrap();
		// This build's, or what `make dist` ships.
		let program = std::env::var_os("MODICUM_BINARY");
		let mut command = Command::new(program.unwrap_or(env!("CARGO_BIN_EXE_modicum").into()));
		command
			.env_clear()
			.env("HOME", &home)
			.env("PATH", std::env::var_os("PATH").unwrap_or_default())
			.env("MODICUM_SECRET_KEY", secret)
			.current_dir(&home)
			.args(["--output", "json", "--log-level", "info"])
			.args(["--set", "provider.reserve=4s", "--set", "mediator.reserve=4s"]);
		command.envs(self.environment.lock().unwrap().get(secret).cloned().unwrap_or_default());
		if let Some(engine) = std::env::var_os("DOCKER_HOST") {
			command.env("DOCKER_HOST", engine);
		}
		if !self.options.engine {
			command.args(["--set", "executor.kind=null"]);
		}
		for setting in &self.options.settings {
			command.args(["--set", setting]);
		}
		command
	}

	/// A command of the account.
	pub fn command(&self, secret: &str) -> Command {
		let mut command = self.offline_command(secret);
		if self.options.light {
			command.arg("--light").arg(&self.light);
		} else {
			command.args(["--endpoint", &self.network.node("alice").rpc_url()]);
		}
		command
	}

	/// Whether every role runs the light client.
	pub fn is_light(&self) -> bool {
		self.options.light
	}

	/// From now on, the machine on which the account's commands run has a clock that is off by this, such as `+5m`.
	pub fn set_clock(&self, secret: &str, by: &str) {
		let library = std::fs::read_dir("/usr/lib")
			.unwrap()
			.map(|folder| folder.unwrap().path().join("faketime/libfaketime.so.1"))
			.find(|file| file.exists())
			.expect("libfaketime is missing: run `make setup`");
		let set = [("LD_PRELOAD", library.to_str().unwrap()), ("FAKETIME", by)];
		let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
		self.environment.lock().unwrap().insert(secret.into(), set.to_vec());
	}

	/// What an account's agents have logged.
	pub fn log(&self, secret: &str) -> String {
		std::fs::read_to_string(self.home(secret).with_extension("log")).unwrap_or_default()
	}

	/// Waits until one of the accounts' agents has logged a text.
	pub async fn logged(&self, secrets: &[String], text: &str) {
		let started = Instant::now();
		while !secrets.iter().any(|secret| self.log(secret).contains(text)) {
			assert!(started.elapsed() < PATIENCE, "nobody of {secrets:?} says `{text}`");
			tokio::time::sleep(POLL).await;
		}
	}

	/// The account's home folder.
	pub fn home(&self, secret: &str) -> PathBuf {
		self.homes.path().join(secret.trim_start_matches('/').replace("//", "-"))
	}

	/// Runs a command to its end; exit code and answer, or its failure.
	pub async fn finish(&self, mut command: Command) -> (i32, Value) {
		let line = format!("{:?}", command.get_args().collect::<Vec<_>>());
		let run = tokio::task::spawn_blocking(move || command.output().unwrap());
		let Ok(output) = tokio::time::timeout(PATIENCE, run).await else {
			panic!("it hangs: {line}");
		};
		let output = output.unwrap();
		let error = String::from_utf8_lossy(&output.stderr).into_owned();
		// Logs and progress may come before a failure.
		let text = match output.stdout.is_empty() {
			true => error.lines().last().unwrap_or_default(),
			false => std::str::from_utf8(&output.stdout).unwrap(),
		};
		let answer = serde_json::from_str(text).unwrap_or_else(|_| Value::from(error.as_str()));
		(output.status.code().unwrap(), answer)
	}

	/// Runs the words of a command line by the account.
	pub async fn run(&self, secret: &str, line: &str) -> (i32, Value) {
		let mut command = self.command(secret);
		command.args(line.split_whitespace());
		self.finish(command).await
	}

	/// The same without a chain.
	pub async fn run_offline(&self, secret: &str, line: &str) -> (i32, Value) {
		let mut command = self.offline_command(secret);
		command.args(line.split_whitespace());
		self.finish(command).await
	}

	/// Runs what must succeed.
	pub async fn does(&self, secret: &str, line: &str) -> Value {
		let (code, answer) = self.run(secret, line).await;
		assert_eq!(code, 0, "{secret}: {line}: {answer}");
		answer
	}

	/// Starts an agent.
	pub fn start(&self, secret: &str, line: &str) -> Agent {
		let command = self.command(secret);
		self.start_logged(secret, command, line)
	}

	/// Starts an agent of an account on another machine, which knows nothing of the first.
	pub fn start_elsewhere(&self, secret: &str, line: &str) -> Agent {
		let command = self.command_elsewhere(secret, "");
		self.start_logged(&elsewhere(secret), command, line)
	}

	/// A command of an account on another machine.
	pub fn command_elsewhere(&self, secret: &str, line: &str) -> Command {
		let home = self.home(&elsewhere(secret));
		std::fs::create_dir_all(&home).unwrap();
		let mut command = self.command(secret);
		command.env("HOME", &home).current_dir(&home).args(line.split_whitespace());
		command
	}

	fn start_logged(&self, name: &str, mut command: Command, line: &str) -> Agent {
		let log = self.home(name).with_extension("log");
		let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
		command.args(line.split_whitespace()).stdout(Stdio::null()).stderr(log);
		Agent::start(command)
	}

	/// Starts a command whose error output the test reads.
	pub fn start_piped(&self, secret: &str, line: &str) -> Agent {
		let mut command = self.command(secret);
		command.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::piped());
		Agent::start(command)
	}

	/// Registers a directory and starts it.
	pub async fn directory(&self, secret: &str) -> Agent {
		self.directory_with(secret, "").await
	}

	/// The same with further arguments.
	pub async fn directory_with(&self, secret: &str, more: &str) -> Agent {
		let (port, admin) = (free_port().unwrap(), free_port().unwrap());
		let key = Key::from_secret(secret).unwrap();
		self.endow(&[key.account()]).await;
		let submitter = Submitter::start(self.chain.clone(), key, Default::default());
		let call = Call::register_directory(&format!("http://127.0.0.1:{port}"), DIRECTORY_FEE);
		submitter.submit(call).await.unwrap();
		let listen = format!("127.0.0.1:{port}");
		let line = format!(
			"directory run --listen {listen} --admin-listen 127.0.0.1:{admin} --id {listen} --data store {more}"
		);
		self.start(secret, &line)
	}

	/// The file of a blob in a directory's store.
	pub fn blob(&self, directory: &str, digest: &[u8; 32]) -> PathBuf {
		let found = self.find_blob(directory, digest);
		found.unwrap_or_else(|| panic!("{directory} has no blob {}", hex::encode(digest)))
	}

	/// Whether a directory has a blob.
	pub fn has_blob(&self, directory: &str, digest: &[u8; 32]) -> bool {
		self.find_blob(directory, digest).is_some()
	}

	fn find_blob(&self, directory: &str, digest: &[u8; 32]) -> Option<PathBuf> {
		let name = hex::encode(digest);
		let found = [self.home(directory).join("store")];
		let mut folders = found.to_vec();
		while let Some(folder) = folders.pop() {
			// The directory may be removing what is there.
			for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
				let path = entry.path();
				if path.is_dir() {
					folders.push(path);
				} else if path.file_name().is_some_and(|found| *found == *name) {
					return Some(path);
				}
			}
		}
		None
	}

	/// Sends money to accounts, all at once.
	pub async fn endow(&self, accounts: &[AccountId]) {
		static BANK: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
		let _one_at_a_time = BANK.lock().await;
		let key = Key::from_secret("//Alice").unwrap();
		let bank = Submitter::start(self.chain.clone(), key, Default::default());
		let transfers = accounts.iter().map(|to| bank.submit(Call::transfer(*to, ENDOWMENT)));
		for outcome in futures::future::join_all(transfers).await {
			outcome.unwrap();
		}
	}

	/// Registers cells that use this directory.
	pub async fn cells<const N: usize>(
		&self,
		directory: &str,
		names: [&'static str; N],
	) -> [Cell; N] {
		let cells = names.map(|name| {
			let next = self.cells.fetch_add(1, Ordering::Relaxed) + 1;
			let base = format!("sha256:{}", format!("{next:02x}").repeat(32));
			Cell { name, base, directory: directory.into() }
		});
		self.register(&cells).await;
		cells
	}

	/// Registers the accounts of cells.
	pub async fn register(&self, cells: &[Cell]) {
		let accounts: Vec<_> = cells
			.iter()
			.flat_map(|cell| [cell.creator(), cell.provider(), cell.mediator()])
			.map(|secret| account(&secret))
			.collect();
		self.endow(&accounts).await;
		let mut registrations = Vec::new();
		for cell in cells {
			let mediator = account(&cell.mediator());
			registrations.push((
				cell.creator(),
				vec![
					Call::register_job_creator(),
					Call::job_creator_add_trusted_mediator(mediator),
				],
			));
			registrations.push((cell.provider(), provider_calls(cell)));
			registrations.push((
				cell.mediator(),
				vec![
					Call::register_mediator(Architecture::Amd64, MEDIATOR_FEE),
					Call::mediator_add_trusted_directory(account(&cell.directory)),
					Call::mediator_add_supported_base_layer(cell.base_layer()),
				],
			));
		}
		let registering = registrations.into_iter().map(|(who, calls)| self.all(who, calls));
		futures::future::join_all(registering).await;
	}

	/// Registers one more provider for the jobs of a cell; its secret.
	pub async fn another_provider(&self, cell: &Cell, name: &str) -> String {
		let secret = format!("//Provider//{name}");
		self.endow(&[account(&secret)]).await;
		self.all(secret.clone(), provider_calls(cell)).await;
		secret
	}

	/// Submits calls by an account, in this order.
	async fn all(&self, secret: String, calls: Vec<Call>) {
		let key = Key::from_secret(&secret).unwrap();
		let submitter = Submitter::start(self.chain.clone(), key, Default::default());
		let calls = calls.into_iter().map(|call| submitter.submit(call));
		for outcome in futures::future::join_all(calls).await {
			outcome.unwrap();
		}
	}

	/// Starts the cell's provider.
	pub fn provider(&self, cell: &Cell, cheat: Option<&str>) -> Agent {
		self.start(&cell.provider(), &cheating("provider run", cheat))
	}

	/// Starts the cell's mediator.
	pub fn mediator(&self, cell: &Cell, cheat: Option<&str>) -> Agent {
		self.start(&cell.mediator(), &cheating("mediator run", cheat))
	}

	/// Starts what looks after the jobs of the cell's creator.
	pub fn creator(&self, cell: &Cell, cheat: Option<&str>) -> Agent {
		self.start(&cell.creator(), &cheating("creator run", cheat))
	}

	/// The line that submits a job of the cell, whose layer has something in it.
	pub fn submission(&self, cell: &Cell, more: &str) -> String {
		let folder = self.homes.path().join(format!("job-{}", cell.name));
		std::fs::create_dir_all(folder.join("root/bin")).unwrap();
		std::fs::write(folder.join("root/bin/job"), "#!/bin/sh\n").unwrap();
		let file = format!(
			"name = \"nothing\"\nbase = \"{}\"\nexecution = \"root\"\ncommand = [\"/bin/job\"]\n\
			 [limits]\ninstructions = 1000000000\nram = \"16 MiB\"\nstorage = \"1 MiB\"\nbandwidth = \"1 MiB\"\n",
			cell.base
		);
		std::fs::write(folder.join("job.toml"), file).unwrap();
		let folder = folder.display();
		format!("job submit {folder} --directory {} --yes {more}", cell.directory)
	}

	/// Submits the job and waits for its end, unless it is told to detach; exit code and answer.
	pub async fn submit(&self, cell: &Cell, more: &str) -> (i32, Value) {
		self.run(&cell.creator(), &self.submission(cell, more)).await
	}

	/// Every event of the market so far.
	pub fn events(&self) -> Vec<Event> {
		self.events.lock().unwrap().iter().map(|(_, event)| event.clone()).collect()
	}

	/// Waits for an event, or finds that it has happened.
	pub async fn event<T>(&self, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
		let started = Instant::now();
		loop {
			if let Some(found) = self.events().iter().find_map(&find) {
				return found;
			}
			assert!(started.elapsed() < PATIENCE, "{what} does not come");
			tokio::time::sleep(POLL).await;
		}
	}

	/// Waits for the end of a match.
	pub async fn closing(&self, wanted: MatchId) -> (Ending, Settlement) {
		self.event(&format!("the end of match {wanted}"), |event| match event {
			Event::MatchClosed { match_id, ending, settlement, .. } if *match_id == wanted => {
				Some((*ending, *settlement))
			},
			_ => None,
		})
		.await
	}

	/// Waits for the first offer of the cell's creator; the hash of its job.
	pub async fn offered(&self, cell: &Cell) -> Hash {
		let wanted = account(&cell.creator());
		self.event(&format!("an offer of {}", cell.name), |event| match event {
			Event::JobOfferPosted { creator, terms, .. } if *creator == wanted => {
				Some(terms.job_hash)
			},
			_ => None,
		})
		.await
	}

	/// Waits for the first match of the cell's creator.
	pub async fn matched(&self, cell: &Cell) -> MatchId {
		let wanted = account(&cell.creator());
		self.event(&format!("a match of {}", cell.name), |event| match event {
			Event::Matched { match_id, creator, .. } if *creator == wanted => Some(*match_id),
			_ => None,
		})
		.await
	}

	/// Waits for a match's result; where it says that it lies, and its hash.
	pub async fn result(&self, wanted: MatchId) -> modicum_primitives::Run {
		self.event(&format!("the result of match {wanted}"), |event| match event {
			Event::ResultPosted { match_id, result, .. } if *match_id == wanted => Some(*result),
			_ => None,
		})
		.await
	}

	pub async fn snapshot(&self) -> Snapshot {
		self.chain.snapshot().await.unwrap()
	}

	/// All that an account has, on hold or not.
	pub async fn money(&self, who: AccountId) -> Balance {
		let found = self.snapshot().await.account(&who).await.unwrap();
		found.free + found.held
	}

	/// The end of what each agent has logged, for whoever reads a failure.
	fn logs(&self) -> String {
		let mut ends = String::new();
		for entry in std::fs::read_dir(self.homes.path()).unwrap() {
			let path = entry.unwrap().path();
			if path.extension().is_some_and(|extension| extension == "log") {
				let log = std::fs::read_to_string(&path).unwrap_or_default();
				let lines: Vec<_> = log.lines().collect();
				let end = &lines[lines.len().saturating_sub(12)..];
				ends += &format!("--- {}\n{}\n", path.display(), end.join("\n"));
			}
		}
		ends
	}
}

/// What the other machine of an account is called.
pub fn elsewhere(secret: &str) -> String {
	format!("{secret}//elsewhere")
}

/// What makes an account a provider for the jobs of a cell.
fn provider_calls(cell: &Cell) -> Vec<Call> {
	vec![
		Call::register_resource_provider(Architecture::Amd64, 100),
		Call::resource_provider_add_trusted_mediator(account(&cell.mediator())),
		Call::resource_provider_add_trusted_directory(account(&cell.directory)),
		Call::resource_provider_add_supported_base_layer(cell.base_layer()),
	]
}

fn cheating(line: &str, cheat: Option<&str>) -> String {
	cheat.map_or(line.into(), |cheat| format!("{line} --scripted-cheat {cheat}"))
}

/// Collects all events from the first block on.
async fn follow(chain: Chain, events: Arc<Mutex<Vec<(u64, Event)>>>) {
	let mut blocks = chain.finalized_blocks(Some(1));
	loop {
		match blocks.next().await {
			Ok(FinalizedItem::Block(block)) => {
				let number = block.number();
				let found = block.events.into_iter().map(|event| (number, event));
				events.lock().unwrap().extend(found);
			},
			Ok(FinalizedItem::Missed { .. }) => panic!("a development node keeps its blocks"),
			// The node is being killed by a test.
			Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
		}
	}
}

/// The match in which a job ended, as its creator is told.
pub fn closed_match(answer: &Value) -> MatchId {
	answer["details"]["done"]["match_id"].as_u64().unwrap_or_else(|| panic!("{answer}"))
}
