// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! One node: its process, its folder, and what it says over JSON-RPC.

use crate::{free_port, namespace::Namespace, output, Error, PATIENCE};
use jsonrpsee::{
	core::{client::ClientT, params::ArrayParams, ClientError},
	ws_client::{WsClient, WsClientBuilder},
};
use nix::{
	sys::signal::{kill, Signal},
	unistd::Pid,
};
use serde_json::Value;
use std::{
	fs::{File, OpenOptions},
	future::Future,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};

/// How often the harness looks whether what it waits for has come.
const POLL: Duration = Duration::from_millis(200);

/// What a node does in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
	/// Authors and votes with the development keys of its name.
	Validator,
	/// May author and vote, but has to be given keys.
	KeylessValidator,
	/// Follows the chain.
	Full,
}

/// A node process on loopback, or in a network namespace of its own. It ends with this value.
pub struct Node {
	name: String,
	role: Role,
	binary: PathBuf,
	spec: PathBuf,
	folder: PathBuf,
	bootnode: Option<String>,
	namespace: Option<Namespace>,
	rpc_port: u16,
	p2p_port: u16,
	prometheus_port: u16,
	peer_id: String,
	extra_arguments: Vec<String>,
	process: Option<Child>,
	/// Set when this node or another of its network failed, so that their folders are kept.
	failed: Arc<AtomicBool>,
}

impl Node {
	pub(crate) fn new(
		name: &str,
		role: Role,
		binary: &Path,
		spec: &Path,
		folder: PathBuf,
		failed: Arc<AtomicBool>,
	) -> Result<Self, Error> {
		std::fs::create_dir_all(&folder).map_err(Error::io("could not make the node's folder"))?;
		let key = folder.join("node-key");
		output(Command::new(binary).args(["key", "generate-node-key", "--file"]).arg(&key))?;
		let peer_id =
			output(Command::new(binary).args(["key", "inspect-node-key", "--file"]).arg(&key))?;
		Ok(Self {
			name: name.into(),
			role,
			binary: binary.into(),
			spec: spec.into(),
			folder,
			bootnode: None,
			namespace: None,
			rpc_port: free_port()?,
			p2p_port: free_port()?,
			prometheus_port: free_port()?,
			peer_id: String::from_utf8_lossy(&peer_id).trim().into(),
			extra_arguments: Vec::new(),
			process: None,
			failed,
		})
	}

	/// Give the node a place in its network before its first start.
	pub(crate) fn place(&mut self, bootnode: Option<String>, namespace: Option<Namespace>) {
		self.bootnode = bootnode;
		self.namespace = namespace;
	}

	/// The node's name.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// Where other nodes and light clients find this one.
	pub fn address(&self) -> String {
		format!("/ip4/{}/tcp/{}/ws/p2p/{}", self.host(), self.p2p_port, self.peer_id)
	}

	/// Where clients find it.
	pub fn rpc_url(&self) -> String {
		format!("ws://{}:{}", self.host(), self.rpc_port)
	}

	/// Where its metrics are.
	pub fn metrics_url(&self) -> String {
		format!("http://{}:{}/metrics", self.host(), self.prometheus_port)
	}

	fn host(&self) -> String {
		self.namespace.as_ref().map_or_else(|| "127.0.0.1".into(), Namespace::address)
	}

	/// The namespace that the running process is in, and the process.
	pub(crate) fn namespace(&self) -> Option<(&Namespace, u32)> {
		self.namespace.as_ref().zip(self.process_id())
	}

	/// The running process's id.
	pub fn process_id(&self) -> Option<u32> {
		self.process.as_ref().map(Child::id)
	}

	/// Where it writes its log.
	pub fn log_path(&self) -> PathBuf {
		self.folder.join("node.log")
	}

	/// Where it keeps its database and keys.
	pub fn base_path(&self) -> PathBuf {
		self.folder.join("data")
	}

	/// Arguments for the next start, beside those that the harness gives.
	pub fn set_extra_arguments(&mut self, arguments: &[&str]) {
		self.extra_arguments = arguments.iter().map(|a| a.to_string()).collect();
	}

	/// Start the process, with the data of its last run if there was one, and wait until it
	/// answers.
	///
	/// # Errors
	///
	/// It does not start, ends at once, or does not answer.
	pub async fn start(&mut self) -> Result<(), Error> {
		self.spawn()?;
		self.wait_for_answer().await
	}

	/// Wait until the process answers.
	pub(crate) async fn wait_for_answer(&self) -> Result<(), Error> {
		self.wait_until("an answer", || async { Ok(self.client().await.is_ok().then_some(())) })
			.await
	}

	/// Start the process.
	pub(crate) fn spawn(&mut self) -> Result<(), Error> {
		let log = OpenOptions::new()
			.create(true)
			.append(true)
			.open(self.log_path())
			.map_err(Error::io("could not open the node's log"))?;
		let mut command = match &self.namespace {
			None => Command::new(&self.binary),
			Some(_) => Namespace::command(&self.binary),
		};
		command
			.arg("--chain")
			.arg(&self.spec)
			.arg("--base-path")
			.arg(self.base_path())
			.arg("--node-key-file")
			.arg(self.folder.join("node-key"))
			.args(["--name", &self.name])
			.args(["--listen-addr", &format!("/ip4/{}/tcp/{}/ws", self.host(), self.p2p_port)])
			.args(["--rpc-port", &self.rpc_port.to_string()])
			.args(["--prometheus-port", &self.prometheus_port.to_string()])
			.args(["--rpc-methods", "unsafe", "--no-mdns", "--no-telemetry", "--allow-private-ip"])
			.args(["--state-pruning", "archive"])
			.args(&self.extra_arguments)
			.stdin(Stdio::null())
			.stdout(clone(&log)?)
			.stderr(log);
		match self.role {
			// `--alice` and the like: the development keys of that name, and authority.
			Role::Validator => {
				command.arg(format!("--{}", self.name)).arg("--validator");
			},
			Role::KeylessValidator => {
				command.arg("--validator");
			},
			Role::Full => {},
		}
		if let Some(bootnode) = &self.bootnode {
			command.args(["--bootnodes", bootnode]);
		}
		if self.namespace.is_some() {
			// Without `--rpc-cors all` it answers only who calls it localhost.
			command.args(["--unsafe-rpc-external", "--rpc-cors", "all", "--prometheus-external"]);
			command.stdin(Stdio::piped());
		}
		let process =
			command.spawn().map_err(Error::io(format!("could not start {}", self.name)))?;
		let process = self.process.insert(process);
		if let Some(namespace) = &self.namespace {
			namespace.admit(process)?;
		}
		Ok(())
	}

	/// Stop the process's clock, as on a machine that sleeps, until [`Node::resume`].
	///
	/// # Errors
	///
	/// It runs no more.
	pub fn pause(&self) -> Result<(), Error> {
		self.signal(Signal::SIGSTOP)
	}

	/// Let a process that was paused go on.
	///
	/// # Errors
	///
	/// It runs no more.
	pub fn resume(&self) -> Result<(), Error> {
		self.signal(Signal::SIGCONT)
	}

	fn signal(&self, signal: Signal) -> Result<(), Error> {
		let name = &self.name;
		let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
		let id = self.process_id().and_then(|id| i32::try_from(id).ok());
		id.ok_or_else(gone)
			.and_then(|id| Ok(kill(Pid::from_raw(id), signal)?))
			.map_err(Error::io(format!("could not send {signal} to {name}")))
	}

	/// Kill the process as a power failure would, leaving its data.
	///
	/// # Errors
	///
	/// It runs no more.
	pub async fn kill(&mut self) -> Result<(), Error> {
		if let Some(mut process) = self.process.take() {
			process.kill().map_err(Error::io(format!("could not kill {}", self.name)))?;
			process.wait().map_err(Error::io(format!("could not wait for {}", self.name)))?;
		}
		Ok(())
	}

	/// Call a JSON-RPC method.
	///
	/// # Errors
	///
	/// The node does not answer, or refuses.
	pub async fn call<T: serde::de::DeserializeOwned>(
		&self,
		method: &str,
		params: ArrayParams,
	) -> Result<T, Error> {
		let failed = |source| Error::Rpc { name: self.name.clone(), method: method.into(), source };
		self.client().await.map_err(failed)?.request(method, params).await.map_err(failed)
	}

	/// Number of the best block.
	///
	/// # Errors
	///
	/// The node does not answer.
	pub async fn best(&self) -> Result<u32, Error> {
		let header = self.call("chain_getHeader", ArrayParams::new()).await?;
		Ok(number(&header))
	}

	/// Number of the last finalised block.
	///
	/// # Errors
	///
	/// The node does not answer.
	pub async fn finalized(&self) -> Result<u32, Error> {
		let hash: String = self.call("chain_getFinalizedHead", ArrayParams::new()).await?;
		let mut params = ArrayParams::new();
		params.insert(hash).expect("a string serialises; qed");
		let header = self.call("chain_getHeader", params).await?;
		Ok(number(&header))
	}

	/// Hash of the block with this number, if there is one.
	///
	/// # Errors
	///
	/// The node does not answer.
	pub async fn block_hash(&self, number: u32) -> Result<Option<String>, Error> {
		let mut params = ArrayParams::new();
		params.insert(number).expect("a number serialises; qed");
		self.call("chain_getBlockHash", params).await
	}

	/// Wait until the best block has at least this number.
	///
	/// # Errors
	///
	/// It does not come, or the node ends.
	pub async fn wait_for_best(&self, number: u32) -> Result<u32, Error> {
		self.wait_until(&format!("block {number}"), || async {
			let best = self.best().await?;
			Ok((best >= number).then_some(best))
		})
		.await
	}

	/// Wait until the last finalised block has at least this number.
	///
	/// # Errors
	///
	/// It does not come, or the node ends.
	pub async fn wait_for_finalized(&self, number: u32) -> Result<u32, Error> {
		self.wait_until(&format!("finality of block {number}"), || async {
			let finalized = self.finalized().await?;
			Ok((finalized >= number).then_some(finalized))
		})
		.await
	}

	/// Ask `condition` again and again until it returns something.
	///
	/// # Errors
	///
	/// It never does (or keeps failing) for [`PATIENCE`], or the node ends.
	pub async fn wait_until<T, F: Future<Output = Result<Option<T>, Error>>>(
		&self,
		what: &str,
		condition: impl Fn() -> F,
	) -> Result<T, Error> {
		let start = Instant::now();
		loop {
			let answer = condition().await;
			if let Ok(Some(value)) = answer {
				return Ok(value);
			}
			self.check_running()?;
			if start.elapsed() > PATIENCE {
				self.failed.store(true, Ordering::Relaxed);
				answer?;
				let (name, log) = (self.name.clone(), self.log_end());
				return Err(Error::Timeout { name, what: what.into(), log });
			}
			tokio::time::sleep(POLL).await;
		}
	}

	/// Fail if the process has ended by itself. The kernel is asked by the process's id, since
	/// only its owner may wait for it.
	fn check_running(&self) -> Result<(), Error> {
		let Some(process) = &self.process else { return Ok(()) };
		let status = std::fs::read_to_string(format!("/proc/{}/stat", process.id()));
		// The state follows the name in parentheses: Z is a process that has ended.
		let ended = status.map_or(true, |stat| {
			stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
		});
		if ended {
			self.failed.store(true, Ordering::Relaxed);
			return Err(Error::Ended { name: self.name.clone(), log: self.log_end() });
		}
		Ok(())
	}

	async fn client(&self) -> Result<WsClient, ClientError> {
		WsClientBuilder::default()
			.max_request_size(64 * 1024 * 1024)
			.max_response_size(64 * 1024 * 1024)
			.request_timeout(PATIENCE)
			.build(self.rpc_url())
			.await
	}

	fn log_end(&self) -> String {
		let log = std::fs::read(self.log_path()).unwrap_or_default();
		let log = String::from_utf8_lossy(&log);
		let lines: Vec<_> = log.lines().collect();
		lines[lines.len().saturating_sub(20)..].join("\n")
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		if let Some(mut process) = self.process.take() {
			let _ = process.kill();
			let _ = process.wait();
		}
	}
}

fn clone(file: &File) -> Result<File, Error> {
	file.try_clone().map_err(Error::io("could not open the node's log twice"))
}

/// The number in a header as JSON-RPC gives it: hexadecimal.
fn number(header: &Value) -> u32 {
	let hex = header["number"].as_str().unwrap_or_default();
	u32::from_str_radix(hex.trim_start_matches("0x"), 16)
		.expect("a header's number is hexadecimal; qed")
}
