// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How to reach the chain.

use crate::H256;
use std::{path::PathBuf, time::Duration};

/// Through whom the chain is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
	/// Nodes, which are believed. One is used at a time; the next when it fails.
	Rpc {
		/// Their addresses, `wss://host:port`, in order of preference.
		endpoints: Vec<String>,
		/// Whether `ws://` is accepted beyond this machine. Anyone on the path can then forge answers.
		allow_insecure: bool,
	},
	/// The embedded light client, which believes nobody: it checks what it is told by the chain's finality.
	Light {
		/// The chain's raw specification with at least one boot node that listens for WebSocket.
		chain_spec: PathBuf,
	},
}

/// How to reach the chain, and how long to be patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
	/// Through whom.
	pub way: Way,
	/// The chain that is meant; any is accepted without it.
	pub genesis_hash: Option<H256>,
	/// How long a connection may take to be made.
	pub connect_timeout: Duration,
	/// How long one request may take.
	pub request_timeout: Duration,
	/// A connection that shows no new finalised block for so long is given up.
	pub stall_timeout: Duration,
	/// For how long endpoints are tried again, one after the other, before a request fails.
	pub patience: Duration,
}

/// Settings that cannot be.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
	/// There is nobody to ask.
	#[error("endpoints: name at least one, such as ws://127.0.0.1:9944")]
	NoEndpoint,
	/// An endpoint is not a WebSocket address.
	#[error("endpoints: `{0}` must start with ws:// or wss:// and name a host")]
	NotWebSocket(String),
	/// An endpoint beyond this machine is not encrypted.
	#[error(
		"endpoints: `{0}` is not encrypted, so anyone on the way could forge what the chain says; use wss://, \
		 or set allow_insecure if the network between is your own"
	)]
	Insecure(String),
	/// A time limit is zero.
	#[error("{0}: must be longer than nothing")]
	NoTime(&'static str),
}

impl ConnectionSettings {
	/// Settings for the nodes at `endpoints`, with the default time limits.
	pub fn rpc(endpoints: impl IntoIterator<Item = impl Into<String>>) -> Self {
		let endpoints = endpoints.into_iter().map(Into::into).collect();
		Self::new(Way::Rpc { endpoints, allow_insecure: false })
	}

	/// Settings for the light client with a chain specification, with the default time limits.
	pub fn light(chain_spec: impl Into<PathBuf>) -> Self {
		Self::new(Way::Light { chain_spec: chain_spec.into() })
	}

	fn new(way: Way) -> Self {
		Self {
			way,
			genesis_hash: None,
			connect_timeout: Duration::from_secs(15),
			request_timeout: Duration::from_secs(30),
			stall_timeout: Duration::from_secs(60),
			patience: Duration::from_secs(60),
		}
	}

	/// Checks the settings against each other.
	///
	/// # Errors
	/// The first that cannot be.
	pub fn validate(&self) -> Result<(), SettingsError> {
		if let Way::Rpc { endpoints, allow_insecure } = &self.way {
			if endpoints.is_empty() {
				return Err(SettingsError::NoEndpoint);
			}
			for endpoint in endpoints {
				check_endpoint(endpoint, *allow_insecure)?;
			}
		}
		for (name, time) in [
			("connect_timeout", self.connect_timeout),
			("request_timeout", self.request_timeout),
			("stall_timeout", self.stall_timeout),
		] {
			if time.is_zero() {
				return Err(SettingsError::NoTime(name));
			}
		}
		Ok(())
	}
}

fn check_endpoint(endpoint: &str, allow_insecure: bool) -> Result<(), SettingsError> {
	let not_web_socket = || SettingsError::NotWebSocket(endpoint.into());
	let is_web_socket = ["ws://", "wss://"]
		.iter()
		.any(|scheme| endpoint.strip_prefix(scheme).is_some_and(|host| !host.is_empty()));
	if !is_web_socket {
		return Err(not_web_socket());
	}
	let secure = subxt::rpcs::utils::url_is_secure(endpoint).map_err(|_| not_web_socket())?;
	if secure || allow_insecure {
		Ok(())
	} else {
		Err(SettingsError::Insecure(endpoint.into()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn error(endpoint: &str) -> Option<SettingsError> {
		ConnectionSettings::rpc([endpoint]).validate().err()
	}

	#[test]
	fn encrypted_and_local_endpoints_are_accepted() {
		assert_eq!(error("ws://127.0.0.1:9944"), None);
		assert_eq!(error("ws://localhost:9944"), None);
		assert_eq!(error("ws://[::1]:9944"), None);
		assert_eq!(error("wss://chain.example:443"), None);
	}

	#[test]
	fn endpoints_that_cannot_be_are_named() {
		for endpoint in ["http://127.0.0.1:9944", "127.0.0.1:9944", "ws://", "ws://a b"] {
			assert_eq!(error(endpoint), Some(SettingsError::NotWebSocket(endpoint.into())));
		}
		let none: [&str; 0] = [];
		assert_eq!(ConnectionSettings::rpc(none).validate(), Err(SettingsError::NoEndpoint));
	}

	#[test]
	fn plain_text_beyond_this_machine_has_to_be_wanted() {
		let endpoint = "ws://192.0.2.1:9944";
		assert_eq!(error(endpoint), Some(SettingsError::Insecure(endpoint.into())));
		let wanted = Way::Rpc { endpoints: vec![endpoint.into()], allow_insecure: true };
		assert_eq!(ConnectionSettings::new(wanted).validate(), Ok(()));
	}

	#[test]
	fn a_time_limit_of_zero_is_named() {
		let settings = ConnectionSettings {
			stall_timeout: Duration::ZERO,
			..ConnectionSettings::rpc(["ws://127.0.0.1:9944"])
		};
		assert_eq!(settings.validate(), Err(SettingsError::NoTime("stall_timeout")));
	}
}
