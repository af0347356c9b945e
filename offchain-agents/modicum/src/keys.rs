// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Where an account's secret comes from: the environment or a file that only its owner can read.

use crate::{
	config::Config,
	failure::{Exit, Failure, Outcome},
};
use modicum_chain_client::Key;
use std::{
	fs,
	io::{ErrorKind, Write},
	os::unix::fs::{OpenOptionsExt, PermissionsExt},
	path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The environment variable that holds a secret. It comes before the file.
pub const SECRET_VARIABLE: &str = "MODICUM_SECRET_KEY";

/// Where a key was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
	/// In [`SECRET_VARIABLE`].
	Environment,
	/// In this file.
	File(PathBuf),
}

/// Reads the key that the settings name.
pub fn load(config: &Config) -> Outcome<(Key, Source)> {
	if let Some(secret) = std::env::var_os(SECRET_VARIABLE) {
		let secret = Zeroizing::new(secret.into_string().unwrap_or_default());
		let key = Key::from_secret(&secret)
			.map_err(|error| Failure::new(Exit::Key, format!("{SECRET_VARIABLE}: {error}")))?;
		return Ok((key, Source::Environment));
	}
	let path = config.key_file();
	let key = read(&path)?;
	Ok((key, Source::File(path)))
}

/// Reads the key in a file that nobody else can read.
pub fn read(path: &Path) -> Outcome<Key> {
	let fail = |problem: String| Failure::new(Exit::Key, format!("{}: {problem}", path.display()));
	let metadata = fs::metadata(path).map_err(|error| match error.kind() {
		ErrorKind::NotFound => fail(format!(
			"there is no key; make one with `modicum key generate`, name another with account.key_file, or \
			 set {SECRET_VARIABLE}"
		)),
		_ => fail(error.to_string()),
	})?;
	if metadata.is_dir() {
		return Err(fail(
			"is a folder: name the file with the key in it, in account.key_file".into(),
		));
	}
	let mode = metadata.permissions().mode();
	if mode & 0o077 != 0 {
		return Err(fail(format!(
			"others can read this secret (mode {:o}): run chmod 600 {}",
			mode & 0o777,
			path.display()
		)));
	}
	let secret = fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
	let secret = Zeroizing::new(secret);
	Key::from_secret(&secret).map_err(|error| fail(error.to_string()))
}

/// Writes a new secret to a file that is not there yet, and that only its owner can read.
pub fn generate(path: &Path) -> Outcome<Key> {
	let secret = Key::generate_secret();
	let key = Key::from_secret(&secret).map_err(Failure::internal)?;
	if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
		fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
	}
	let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
	let mut file = file.map_err(|error| match error.kind() {
		ErrorKind::AlreadyExists => Failure::new(
			Exit::Key,
			format!(
				"{}: there is a file already, which is not overwritten: whatever its account owns would be \
				 lost; name another with --out",
				path.display()
			),
		),
		_ => Failure::file(path, error),
	})?;
	let written = writeln!(file, "{}", *secret).and_then(|()| file.sync_all());
	if let Err(error) = written {
		// Half a secret is worse than none.
		let _ = fs::remove_file(path);
		return Err(Failure::file(path, error));
	}
	Ok(key)
}
