// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The ports that a node listens on. Left to itself it would answer RPC at some other port when its own is taken, share
//! the network's port with the process that has it, and give no metrics: it is refused before anything is written.

use sc_network::multiaddr::{Multiaddr, Protocol};
use sc_service::{error::Error, Configuration};
use std::{
	io::ErrorKind,
	net::{IpAddr, SocketAddr, TcpListener},
};

/// Make sure that the node will listen where it is told to, and nowhere else.
///
/// # Errors
///
/// A port is taken; the text names it and the option that chooses another.
pub fn claim(config: &mut Configuration) -> Result<(), Error> {
	for address in config.network.listen_addresses.iter().filter_map(tcp) {
		refuse_taken(address, "other nodes (--port)")?;
	}
	for endpoint in config.rpc.addr.iter_mut().flatten() {
		endpoint.retry_random_port = false;
		refuse_taken(endpoint.listen_addr, "RPC (--rpc-port)")?;
	}
	if let Some(metrics) = &config.prometheus_config {
		refuse_taken(metrics.port, "metrics (--prometheus-port)")?;
	}
	Ok(())
}

/// The address of a TCP socket, if that is what `address` begins with.
fn tcp(address: &Multiaddr) -> Option<SocketAddr> {
	let mut parts = address.iter();
	let ip = match parts.next()? {
		Protocol::Ip4(ip) => IpAddr::V4(ip),
		Protocol::Ip6(ip) => IpAddr::V6(ip),
		_ => return None,
	};
	match parts.next()? {
		Protocol::Tcp(port) => Some((ip, port).into()),
		_ => None,
	}
}

fn refuse_taken(address: SocketAddr, purpose: &str) -> Result<(), Error> {
	match TcpListener::bind(address) {
		// Whatever else is wrong, an address family that the machine lacks for one, shows when the node listens.
		Err(error) if error.kind() == ErrorKind::AddrInUse => Err(Error::Other(format!(
			"port {port} is in use and wanted for {purpose}: stop what listens there ('ss -ltnp sport = {port}' names \
			 it), or choose another",
			port = address.port(),
		))),
		_ => Ok(()),
	}
}
