// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Starts real nodes on loopback for tests.
//!
//! Each node has its own ports and its own base folder, and ends with the value that stands for it.
//! When a test fails, the folders stay and their path is printed: each holds the node's log.
//!
//! ```no_run
//! # async fn example() -> Result<(), modicum_node_testing::Error> {
//! use modicum_node_testing::Network;
//!
//! let mut network = Network::new("local")?;
//! network.start_validators(["alice", "bob", "charlie", "dave"]).await?;
//! network.node("alice").wait_for_finalized(3).await?;
//! network.node_mut("bob").kill().await?;
//! # Ok(())
//! # }
//! ```

mod namespace;
mod node;

pub use namespace::PRIVATE_NETWORK_VARIABLE;
pub use node::{Node, Role};

use namespace::Namespace;
use std::{
	collections::hash_map::RandomState,
	hash::{BuildHasher, Hasher},
	net::TcpListener,
	os::{
		linux::net::SocketAddrExt,
		unix::net::{SocketAddr, UnixDatagram},
	},
	path::{Path, PathBuf},
	process::Command,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc, Mutex, PoisonError,
	},
	time::Duration,
};
use tempfile::TempDir;

/// How long a node may take for anything that the harness waits for. Generous: a loaded machine is
/// slow, and a test that waits for what never comes fails anyway.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// What can go wrong with nodes under test.
#[derive(Debug, thiserror::Error)]
pub enum Error {
	/// The node's binary is not where it should be.
	#[error("no node at {0}: build it with `cargo build -p modicum-node`, or set MODICUM_NODE")]
	NoBinary(PathBuf),
	/// The node could not be started or stopped, or its folder not be written.
	#[error("{what}: {source}")]
	Io {
		/// What was tried.
		what: String,
		/// Why it failed.
		source: std::io::Error,
	},
	/// The node's binary refused its arguments.
	#[error("{command} failed: {stderr}")]
	Command {
		/// The command.
		command: String,
		/// What it wrote to its error output.
		stderr: String,
	},
	/// The node ended although nobody asked it to.
	#[error("node {name} ended by itself; the end of its log:\n{log}")]
	Ended {
		/// The node's name.
		name: String,
		/// Its last lines.
		log: String,
	},
	/// Nodes in network namespaces would change the machine's own network.
	#[error(
		"this needs a network namespace of its own: run it by scripts/test-network.sh, or by \
		 `unshare --net` with {PRIVATE_NETWORK_VARIABLE}=1"
	)]
	NotPrivate,
	/// What was waited for did not come.
	#[error("node {name}: {what} did not come within {PATIENCE:?}; the end of its log:\n{log}")]
	Timeout {
		/// The node's name.
		name: String,
		/// What was waited for.
		what: String,
		/// Its last lines.
		log: String,
	},
	/// The node refused a request.
	#[error("node {name}: {method}: {source}")]
	Rpc {
		/// The node's name.
		name: String,
		/// The method that was called.
		method: String,
		/// What the node said.
		source: jsonrpsee::core::ClientError,
	},
}

impl Error {
	fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
		|source| Self::Io { what: what.into(), source }
	}
}

/// A handful of nodes of one chain.
pub struct Network {
	// Dropped first: a folder is removed only after the node that writes to it has ended.
	nodes: Vec<Node>,
	folder: Option<TempDir>,
	binary: PathBuf,
	spec: PathBuf,
	/// Whether each node has a network namespace of its own.
	is_apart: bool,
	failed: Arc<AtomicBool>,
}

impl Network {
	/// A network without nodes as yet, of the chain that the node's binary knows as `chain` (or
	/// that the file `chain` specifies).
	///
	/// # Errors
	///
	/// There is no node's binary, or it does not know the chain.
	pub fn new(chain: &str) -> Result<Self, Error> {
		let binary = binary()?;
		let folder = tempfile::Builder::new()
			.prefix("modicum-network-")
			.tempdir()
			.map_err(Error::io("could not make a folder for the network"))?;
		let spec = folder.path().join("chain-spec.json");
		let json =
			output(Command::new(&binary).args(["export-chain-spec", "--raw", "--chain", chain]))?;
		std::fs::write(&spec, json).map_err(Error::io("could not write the specification"))?;
		let failed = Arc::default();
		Ok(Self { nodes: Vec::new(), folder: Some(folder), binary, spec, is_apart: false, failed })
	}

	/// As [`Network::new`], with each node in a network namespace of its own, so that the network can be
	/// [split](Network::split).
	///
	/// # Errors
	///
	/// As of [`Network::new`]; this process is not in a private network namespace, or may not configure it.
	pub fn in_namespaces(chain: &str) -> Result<Self, Error> {
		Namespace::prepare()?;
		let mut network = Self::new(chain)?;
		network.is_apart = true;
		Ok(network)
	}

	/// A network of one development validator that has authored a block.
	///
	/// # Errors
	///
	/// As of [`Network::new`] and [`Network::start`].
	pub async fn development() -> Result<Self, Error> {
		let mut network = Self::new("dev")?;
		network.start("alice", Role::Validator).await?;
		Ok(network)
	}

	/// Start a node called `name` and wait until it answers. A validator has the development keys
	/// of its name (`//Alice` for `alice`) unless it is told otherwise. Later nodes find the
	/// network by the first one.
	///
	/// # Errors
	///
	/// The node does not start or does not answer.
	pub async fn start(&mut self, name: &str, role: Role) -> Result<&mut Node, Error> {
		let mut node = self.node_to_be(name, role)?;
		node.start().await?;
		self.nodes.push(node);
		Ok(self.nodes.last_mut().expect("a node was just pushed; qed"))
	}

	/// Start validators at once, and wait until all answer.
	///
	/// # Errors
	///
	/// As of [`Network::start`].
	pub async fn start_validators<const N: usize>(
		&mut self,
		names: [&str; N],
	) -> Result<(), Error> {
		let first = self.nodes.len();
		for name in names {
			let mut node = self.node_to_be(name, Role::Validator)?;
			node.spawn()?;
			self.nodes.push(node);
		}
		for node in &self.nodes[first..] {
			node.wait_for_answer().await?;
		}
		Ok(())
	}

	fn node_to_be(&self, name: &str, role: Role) -> Result<Node, Error> {
		let bootnode = self.nodes.first().map(Node::address);
		let number = u8::try_from(self.nodes.len() + 1).expect("a handful of nodes; qed");
		let namespace = self.is_apart.then(|| Namespace::new(number));
		let (folder, failed) = (self.folder().join(name), self.failed.clone());
		let mut node = Node::new(name, role, &self.binary, &self.spec, folder, failed)?;
		node.place(bootnode, namespace);
		Ok(node)
	}

	/// Let no packet pass between the running nodes of these names and the others.
	///
	/// # Errors
	///
	/// The network is split already, or not in namespaces.
	pub fn split(&self, names: &[&str]) -> Result<(), Error> {
		self.across(names, Namespace::cut)
	}

	/// Take [`Network::split`] with the same names back.
	///
	/// # Errors
	///
	/// The network is not split, or a node has ended since.
	pub fn heal(&self, names: &[&str]) -> Result<(), Error> {
		self.across(names, Namespace::mend)
	}

	/// Do something between each node of these names and each other one, in both directions.
	fn across(
		&self,
		names: &[&str],
		action: impl Fn(&Namespace, u32, &Namespace) -> Result<(), Error>,
	) -> Result<(), Error> {
		if !self.is_apart {
			return Err(Error::NotPrivate);
		}
		let (these, others): (Vec<_>, Vec<_>) =
			self.nodes.iter().partition(|node| names.contains(&node.name()));
		for (this, process) in these.iter().filter_map(|node| node.namespace()) {
			for (other, other_process) in others.iter().filter_map(|node| node.namespace()) {
				action(this, process, other)?;
				action(other, other_process, this)?;
			}
		}
		Ok(())
	}

	/// The node called `name`.
	///
	/// # Panics
	///
	/// No node of that name was started.
	pub fn node(&self, name: &str) -> &Node {
		self.nodes
			.iter()
			.find(|node| node.name() == name)
			.unwrap_or_else(|| panic!("no node is called {name}"))
	}

	/// The node called `name`, to kill or restart it.
	///
	/// # Panics
	///
	/// No node of that name was started.
	pub fn node_mut(&mut self, name: &str) -> &mut Node {
		self.nodes
			.iter_mut()
			.find(|node| node.name() == name)
			.unwrap_or_else(|| panic!("no node is called {name}"))
	}

	/// Where the nodes keep their data and logs.
	pub fn folder(&self) -> &Path {
		self.folder.as_ref().expect("taken only by drop; qed").path()
	}

	/// The raw chain specification that the nodes run.
	pub fn spec(&self) -> &Path {
		&self.spec
	}
}

impl Drop for Network {
	fn drop(&mut self) {
		self.nodes.clear();
		if let Some(folder) = self.folder.take() {
			if std::thread::panicking() || self.failed.load(Ordering::Relaxed) {
				eprintln!("the nodes' data and logs are kept in {}", folder.keep().display());
			}
		}
	}
}

/// The node's binary: `MODICUM_NODE`, or the one in the folder that this test was built into.
///
/// # Errors
///
/// There is none.
pub fn binary() -> Result<PathBuf, Error> {
	let path = match std::env::var_os("MODICUM_NODE") {
		Some(path) => PathBuf::from(path),
		None => {
			let test = std::env::current_exe().map_err(Error::io("could not find this test"))?;
			// A test lies in target/<profile>/deps, an example in target/<profile>/examples, and the
			// binary one folder above.
			let folder = test.parent().unwrap_or(Path::new("."));
			folder.parent().unwrap_or(folder).join("modicum-node")
		},
	};
	if path.is_file() {
		Ok(path)
	} else {
		Err(Error::NoBinary(path))
	}
}

/// What `command` prints.
///
/// # Errors
///
/// It does not start, or fails.
pub fn output(command: &mut Command) -> Result<Vec<u8>, Error> {
	let shown = format!("{command:?}");
	let output = command.output().map_err(Error::io(format!("could not start {shown}")))?;
	if !output.status.success() {
		let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
		return Err(Error::Command { command: shown, stderr });
	}
	Ok(output.stdout)
}

/// A port on loopback that nobody listens on, drawn at random. Until this process ends no other test is given it, even
/// while nobody listens on it as yet, or no more. It is not one of those that the system gives to outgoing connections
/// (from 32768 on): such a one may be taken before it is used.
///
/// # Errors
///
/// The machine has no free port.
pub fn free_port() -> Result<u16, Error> {
	const FIRST: u64 = 10_000;
	const COUNT: u64 = 20_000;
	const TRIES: u32 = 100;
	let mut last = std::io::ErrorKind::AddrInUse.into();
	for _ in 0..TRIES {
		// Each state of the hash function is random.
		let drawn = FIRST + RandomState::new().build_hasher().finish() % COUNT;
		let port = u16::try_from(drawn).expect("below 30000; qed");
		match claim(port).and_then(|()| TcpListener::bind(("127.0.0.1", port))) {
			Ok(_) => return Ok(port),
			Err(error) => last = error,
		}
	}
	Err(Error::io("could not find a free port")(last))
}

/// Keep a port from other tests while this process lives: of the sockets with its name there is only one.
fn claim(port: u16) -> std::io::Result<()> {
	static CLAIMS: Mutex<Vec<UnixDatagram>> = Mutex::new(Vec::new());
	let name = SocketAddr::from_abstract_name(format!("modicum-port-{port}"))?;
	let claim = UnixDatagram::bind_addr(&name)?;
	CLAIMS.lock().unwrap_or_else(PoisonError::into_inner).push(claim);
	Ok(())
}
