// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The service's settings: a TOML file, every key of which has a default, checked as a whole.

use crate::account::AccountId;
use serde::{Deserialize, Serialize};
use std::{fs, net::SocketAddr, path::PathBuf};

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// Settings of one directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
	/// Where the registry protocol is served.
	pub listen: SocketAddr,
	/// Where metrics, status and maintenance are served. Whoever reaches it can read everything, so
	/// it should be a loopback address.
	pub admin_listen: SocketAddr,
	/// What clients put before a repository's name: host, and port if it is not 443. Logins and
	/// receipts are bound to it. Empty: the address of `listen`.
	pub id: String,
	/// The URL under which clients reach the service, without a path. Empty: `https://` or `http://`
	/// and the id, by whether TLS is configured.
	pub url: String,
	/// Folder of everything stored.
	pub data: PathBuf,
	/// TLS by files; without it the service speaks plain HTTP, for loopback or behind a proxy.
	pub tls: Option<TlsConfig>,
	/// Blobs in an S3-compatible bucket instead of `data`.
	pub s3: Option<S3Config>,
	/// Accounts that may write base images.
	pub operators: Vec<AccountId>,
	/// Whether a tag can be moved to another manifest.
	pub mutable_tags: bool,
	/// What accounts and requests may take.
	pub limits: Limits,
	/// Times of everything that ends by itself.
	pub times: Times,
}

/// Where certificate and key lie. The files are read again when they change; see
/// [`Times::tls_secs`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
	/// The certificate chain, PEM.
	pub certificate: PathBuf,
	/// The private key, PEM.
	pub key: PathBuf,
}

/// An S3-compatible bucket. The secret comes from the environment, `AWS_SECRET_ACCESS_KEY`, as the
/// key's id from `AWS_ACCESS_KEY_ID`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
	/// The bucket.
	pub bucket: String,
	/// The region.
	pub region: String,
	/// The service's URL, if it is not Amazon's.
	pub endpoint: Option<String>,
	/// What object names begin with.
	#[serde(default)]
	pub prefix: String,
}

/// Bounds on what accounts and requests may take.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
	/// Bytes that one account's repositories may hold.
	pub account_bytes: u64,
	/// Blobs and manifests that one account's repositories may hold.
	pub account_objects: u64,
	/// Bytes stored in all.
	pub total_bytes: u64,
	/// Bytes of one blob.
	pub blob_bytes: u64,
	/// Free bytes left on the disk of `data`, for the index and other services.
	pub min_free_bytes: u64,
	/// Open uploads of one account.
	pub account_uploads: usize,
	/// Open uploads in all.
	pub uploads: usize,
	/// Requests answered at once; more are answered with 503.
	pub requests: usize,
	/// Requests per second and network address, 0 for no bound. Bursts of ten times as many pass.
	pub requests_per_second: u32,
	/// Memory for the index's cache, bytes.
	pub index_cache_bytes: usize,
}

/// Times, in seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
	/// Life of a bearer token.
	pub token_secs: u64,
	/// Longest life of a reusable login.
	pub login_secs: u64,
	/// An upload that nothing was added to for so long is dropped.
	pub upload_secs: u64,
	/// A blob that no manifest refers to stays so long after its upload.
	pub loose_blob_secs: u64,
	/// What nothing on the chain refers to stays so long after its last change.
	pub unclaimed_secs: u64,
	/// Contents of a closed match stay so long.
	pub grace_secs: u64,
	/// Between two collections.
	pub collect_secs: u64,
	/// Between two heartbeats.
	pub heartbeat_secs: u64,
	/// Heartbeats are kept so long.
	pub heartbeat_kept_secs: u64,
	/// All blobs are read again and compared with their digests once in so long.
	pub scrub_secs: u64,
	/// The TLS files are looked at for a change once in so long.
	pub tls_secs: u64,
	/// A client that sends or takes nothing for so long is disconnected.
	pub idle_secs: u64,
	/// A request's header must arrive in so long.
	pub header_secs: u64,
	/// Transfers may go on for so long after the signal to stop.
	pub shutdown_secs: u64,
}

impl Default for Config {
	fn default() -> Self {
		Self {
			listen: ([127, 0, 0, 1], 5000).into(),
			admin_listen: ([127, 0, 0, 1], 5001).into(),
			id: String::new(),
			url: String::new(),
			data: "modicum-directory".into(),
			tls: None,
			s3: None,
			operators: Vec::new(),
			mutable_tags: false,
			limits: Limits::default(),
			times: Times::default(),
		}
	}
}

impl Default for Limits {
	fn default() -> Self {
		Self {
			account_bytes: 20 * GIB,
			account_objects: 100_000,
			total_bytes: 1024 * GIB,
			blob_bytes: 10 * GIB,
			min_free_bytes: 256 * MIB,
			account_uploads: 1_000,
			uploads: 10_000,
			requests: 4_096,
			requests_per_second: 1_000,
			index_cache_bytes: 8 * 1024 * 1024,
		}
	}
}

impl Default for Times {
	fn default() -> Self {
		const HOUR: u64 = 3_600;
		const DAY: u64 = 24 * HOUR;
		Self {
			token_secs: 300,
			login_secs: 12 * HOUR,
			upload_secs: HOUR,
			loose_blob_secs: HOUR,
			unclaimed_secs: 7 * DAY,
			grace_secs: 7 * DAY,
			collect_secs: 600,
			heartbeat_secs: 60,
			heartbeat_kept_secs: 90 * DAY,
			scrub_secs: 7 * DAY,
			tls_secs: 60,
			idle_secs: 30,
			header_secs: 30,
			shutdown_secs: 60,
		}
	}
}

/// Why settings are refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
	/// The file cannot be read.
	#[error("{path}: {source}")]
	Read {
		/// Which file.
		path: PathBuf,
		/// Why.
		source: std::io::Error,
	},
	/// The file is no TOML of this shape.
	#[error("{path}: {source}")]
	Parse {
		/// Which file.
		path: PathBuf,
		/// Where and why.
		source: Box<toml::de::Error>,
	},
	/// A value out of bounds, or two that contradict each other.
	#[error("{key}: {problem}")]
	Value {
		/// Which key.
		key: &'static str,
		/// What is wrong.
		problem: &'static str,
	},
}

impl Config {
	/// Reads a TOML file.
	///
	/// # Errors
	/// [`ConfigError`], naming file, place and remedy.
	pub fn read(path: &std::path::Path) -> Result<Self, ConfigError> {
		let text = fs::read_to_string(path)
			.map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
		let config: Self = toml::from_str(&text).map_err(|source| ConfigError::Parse {
			path: path.to_owned(),
			source: Box::new(source),
		})?;
		config.validate()?;
		Ok(config)
	}

	/// Checks what the types do not.
	///
	/// # Errors
	/// [`ConfigError::Value`] for the first value that cannot be.
	pub fn validate(&self) -> Result<(), ConfigError> {
		let fail = |key, problem| Err(ConfigError::Value { key, problem });
		let id_ok =
			|b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
		if !self.id.bytes().all(id_ok) {
			return fail(
				"id",
				"is a host name and perhaps a port, as clients write it before a name",
			);
		}
		let is_url = self.url.is_empty()
			|| ["http://", "https://"].iter().any(|scheme| {
				self.url
					.strip_prefix(scheme)
					.is_some_and(|rest| !rest.is_empty() && !rest.contains(['/', '"', ' ']))
			});
		if !is_url {
			return fail("url", "is http:// or https:// and a host, without a path");
		}
		if self.times.heartbeat_secs == 0 || self.times.heartbeat_secs > 3_600 {
			return fail("times.heartbeat_secs", "must be from 1 to 3600");
		}
		if self.times.token_secs == 0 || self.times.token_secs > 3_600 {
			return fail(
				"times.token_secs",
				"must be from 1 to 3600: a token cannot be taken back",
			);
		}
		if self.times.login_secs == 0 {
			return fail("times.login_secs", "must be at least 1");
		}
		if self.times.idle_secs == 0 || self.times.header_secs == 0 {
			return fail("times", "idle_secs and header_secs must be at least 1");
		}
		if self.times.collect_secs == 0 || self.times.scrub_secs == 0 {
			return fail("times", "collect_secs and scrub_secs must be at least 1");
		}
		if self.times.tls_secs == 0 {
			return fail("times.tls_secs", "must be at least 1");
		}
		if self.limits.uploads == 0 || self.limits.account_uploads == 0 {
			return fail("limits", "uploads and account_uploads must be at least 1");
		}
		if self.limits.requests == 0 {
			return fail("limits.requests", "must be at least 1");
		}
		Ok(())
	}

	/// The id, with its default filled in for a listener at `address`.
	pub fn id_at(&self, address: SocketAddr) -> String {
		if self.id.is_empty() {
			address.to_string()
		} else {
			self.id.clone()
		}
	}

	/// The URL, with its default filled in for a listener at `address`.
	pub fn url_at(&self, address: SocketAddr) -> String {
		if !self.url.is_empty() {
			return self.url.clone();
		}
		let scheme = if self.tls.is_some() { "https" } else { "http" };
		format!("{scheme}://{}", self.id_at(address))
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn the_defaults_are_valid_and_survive_toml() {
		let config = Config::default();
		config.validate().unwrap();
		let again: Config = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
		assert_eq!(again.limits.account_bytes, config.limits.account_bytes);
	}

	#[test]
	fn a_misspelt_key_is_named() {
		let error = toml::from_str::<Config>("[limits]\nacount_bytes = 1").unwrap_err();
		assert!(error.to_string().contains("acount_bytes"), "{error}");
	}

	#[test]
	fn values_that_cannot_be_are_refused() {
		let with = |change: fn(&mut Config)| {
			let mut config = Config::default();
			change(&mut config);
			config.validate()
		};
		assert!(with(|c| c.id = "a/b".into()).is_err());
		assert!(with(|c| c.url = "ftp://x".into()).is_err());
		assert!(with(|c| c.url = "https://x/y".into()).is_err());
		assert!(with(|c| c.times.heartbeat_secs = 0).is_err());
		assert!(with(|c| c.times.token_secs = 86_400).is_err());
		assert!(with(|c| c.limits.uploads = 0).is_err());
	}
}
