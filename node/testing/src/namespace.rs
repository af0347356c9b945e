// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Network namespaces: each node in one of its own, all joined by the one that the test runs in, which must be private
//! too. Nothing outlives the processes, and the machine's own network is not touched.

use crate::{output, Error, PATIENCE};
use std::{
	fs,
	path::Path,
	process::{Child, Command},
	time::{Duration, Instant},
};

/// Set by whoever started the test in a network namespace of its own.
pub const PRIVATE_NETWORK_VARIABLE: &str = "MODICUM_PRIVATE_NETWORK";

/// The network namespace of one node. A virtual cable leads from it to the test's, which forwards between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Namespace {
	number: u8,
}

impl Namespace {
	/// Prepare the test's own namespace to join others.
	///
	/// # Errors
	///
	/// It is not private, or may not be configured.
	pub fn prepare() -> Result<(), Error> {
		if std::env::var_os(PRIVATE_NETWORK_VARIABLE).is_none() {
			return Err(Error::NotPrivate);
		}
		ip("link set lo up")?;
		let failed = Error::io("could not forward between network namespaces");
		fs::write("/proc/sys/net/ipv4/ip_forward", "1").map_err(failed)
	}

	/// The namespace of the node with this number, below 255.
	pub fn new(number: u8) -> Self {
		Self { number }
	}

	/// The node's address.
	pub fn address(&self) -> String {
		format!("10.77.{}.2", self.number)
	}

	/// A command that waits in a new network namespace until [`Namespace::admit`], then becomes `binary`. Its standard
	/// input must be a pipe.
	pub fn command(binary: &Path) -> Command {
		let mut command = Command::new("unshare");
		command.args(["--net", "sh", "-c", "read -r _ && exec \"$@\"", "sh"]).arg(binary);
		command
	}

	/// Join the process's namespace with the test's and let it go on.
	///
	/// # Errors
	///
	/// There is no namespace, or it may not be configured.
	pub fn admit(&self, process: &mut Child) -> Result<(), Error> {
		let (id, number) = (process.id(), self.number);
		wait_for_namespace(id)?;
		// That of an earlier process goes with its namespace, but not at once.
		let _ = ip(&format!("link del cable{number}"));
		ip(&format!("link add name cable{number} type veth peer name node netns {id}"))?;
		ip(&format!("addr add 10.77.{number}.1/24 dev cable{number}"))?;
		ip(&format!("link set cable{number} up"))?;
		inside(id, "link set lo up")?;
		inside(id, &format!("addr add 10.77.{number}.2/24 dev node"))?;
		inside(id, "link set node up")?;
		inside(id, &format!("route add default via 10.77.{number}.1"))?;
		let mut input = process.stdin.take().expect("its input is a pipe; qed");
		std::io::Write::write_all(&mut input, b"\n").map_err(Error::io("could not let it go on"))
	}

	/// Cut this namespace, that of `process`, off from another.
	///
	/// # Errors
	///
	/// They are cut off already, or the process has ended.
	pub fn cut(&self, process: u32, other: &Self) -> Result<(), Error> {
		inside(process, &format!("route add blackhole 10.77.{}.0/24", other.number))
	}

	/// Take [`Namespace::cut`] back.
	///
	/// # Errors
	///
	/// They are not cut off from each other, or the process has ended.
	pub fn mend(&self, process: u32, other: &Self) -> Result<(), Error> {
		inside(process, &format!("route del blackhole 10.77.{}.0/24", other.number))
	}
}

fn ip(line: &str) -> Result<(), Error> {
	output(Command::new("ip").args(line.split_whitespace())).map(drop)
}

/// The same in the network namespace of a process.
fn inside(process: u32, line: &str) -> Result<(), Error> {
	let target = process.to_string();
	let mut command = Command::new("nsenter");
	command.args(["--target", &target, "--net", "ip"]).args(line.split_whitespace());
	output(&mut command).map(drop)
}

/// Wait until the process has left the test's namespace for its own.
fn wait_for_namespace(process: u32) -> Result<(), Error> {
	let failed = |source| Error::Io { what: "could not read a network namespace".into(), source };
	let own = fs::read_link("/proc/self/ns/net").map_err(failed)?;
	let start = Instant::now();
	while fs::read_link(format!("/proc/{process}/ns/net")).map_err(failed)? == own {
		if start.elapsed() > PATIENCE {
			return Err(failed(std::io::ErrorKind::TimedOut.into()));
		}
		std::thread::sleep(Duration::from_millis(10));
	}
	Ok(())
}
