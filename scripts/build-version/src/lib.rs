// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The version that the binaries say, with the commit they were built from.
//!
//! Builds of everyday work say `dev` in its place: a build script that runs again after each commit would link the
//! node anew each time, which takes minutes.

#![forbid(unsafe_code)]

use std::{env, path::Path, process::Command};

/// The environment variable that names the commit, for builds outside a checkout or of everyday's profile.
const COMMIT: &str = "MODICUM_COMMIT";

/// To be called by a build script: sets `variable` to `VERSION-COMMIT` for the crate's own code. The commit is
/// the variable `MODICUM_COMMIT`, or else git's in release builds, or else `dev`.
pub fn emit(variable: &str) {
	println!("cargo:rerun-if-changed=build.rs");
	println!("cargo:rerun-if-env-changed={COMMIT}");
	let given = env::var(COMMIT).ok().filter(|commit| !commit.trim().is_empty());
	let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
	let commit = given.or_else(|| is_release.then(head).flatten()).unwrap_or_else(|| "dev".into());
	let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it for build scripts; qed");
	println!("cargo:rustc-env={variable}={version}-{}", commit.trim());
}

/// The commit that is checked out. Asks for another run when there is a new one.
fn head() -> Option<String> {
	// One file that grows with every commit, checkout and merge.
	let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
	if Path::new(&log).exists() {
		println!("cargo:rerun-if-changed={log}");
	}
	git(&["rev-parse", "--short=11", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
	let output = Command::new("git").args(arguments).output().ok()?;
	let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
	(output.status.success() && !text.is_empty()).then_some(text)
}
