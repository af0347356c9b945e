// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The binary as a user meets it, without a chain.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// The binary, in a home folder of its own and with nothing else in its environment.
fn modicum(home: &Path) -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_modicum"));
	command.env_clear().env("HOME", home);
	command
}

/// Runs it and returns exit code, standard output and error output.
fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
	let output = modicum(home).args(arguments).output().unwrap();
	let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
	(output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn json(text: &str) -> Value {
	serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_noun_and_verb_explains_itself() {
	let home = tempfile::tempdir().unwrap();
	let (code, help, _) = run(home.path(), &["--help"]);
	assert_eq!(code, 0);
	for noun in ["key", "account", "chain", "creator", "provider", "mediator", "directory", "offer"]
	{
		assert!(help.contains(noun), "{noun} in {help}");
		assert_eq!(run(home.path(), &[noun, "--help"]).0, 0);
	}
	assert_eq!(run(home.path(), &["directory", "run", "--help"]).0, 0);
	assert_eq!(run(home.path(), &["economics", "check", "--help"]).0, 0);
	assert_eq!(run(home.path(), &["--version"]).0, 0);
	assert_eq!(run(home.path(), &["no-such-noun"]).0, 2);
}

#[test]
fn a_key_is_made_once_readable_by_its_owner_alone_and_never_shown() {
	let home = tempfile::tempdir().unwrap();
	let file = home.path().join(".local/share/modicum/key");
	let (code, made, _) = run(home.path(), &["--output", "json", "key", "generate"]);
	assert_eq!(code, 0);
	let mode = fs::metadata(&file).unwrap().permissions().mode();
	assert_eq!(mode & 0o777, 0o600);
	let secret = fs::read_to_string(&file).unwrap();
	assert_eq!(secret.split_whitespace().count(), 12);
	let (code, seen, logs) =
		run(home.path(), &["--output", "json", "--log-level", "trace", "key", "inspect"]);
	assert_eq!(code, 0);
	assert_eq!(json(&made)["account"], json(&seen)["account"]);
	for text in [&made, &seen, &logs] {
		assert!(!text.contains(secret.trim()));
	}
	// A second one would take the first one's place, and its money with it.
	let (code, _, error) = run(home.path(), &["key", "generate"]);
	assert_eq!(code, 4);
	assert!(error.contains("not overwritten"), "{error}");
	assert_eq!(fs::read_to_string(&file).unwrap(), secret);
}

#[test]
fn keys_that_cannot_be_used_are_explained() {
	let home = tempfile::tempdir().unwrap();
	let (code, _, error) = run(home.path(), &["key", "inspect"]);
	assert_eq!(code, 4);
	assert!(error.contains("modicum key generate"), "{error}");
	let file = home.path().join("key");
	let path = file.to_str().unwrap();
	let (code, _, error) =
		run(home.path(), &["--key-file", home.path().to_str().unwrap(), "key", "inspect"]);
	assert_eq!(code, 4);
	assert!(error.contains("is a folder"), "{error}");
	fs::write(&file, "//Provider\n").unwrap();
	fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
	let (code, _, error) = run(home.path(), &["--key-file", path, "key", "inspect"]);
	assert_eq!(code, 4);
	assert!(error.contains("chmod 600"), "{error}");
	fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
	assert_eq!(run(home.path(), &["--key-file", path, "key", "inspect"]).0, 0);
	fs::write(&file, "twelve words that mean nothing at all").unwrap();
	let (code, _, error) = run(home.path(), &["--key-file", path, "key", "inspect"]);
	assert_eq!(code, 4);
	assert!(!error.contains("mean nothing"), "{error}");
}

#[test]
fn the_environment_holds_a_key_where_there_is_no_file() {
	let home = tempfile::tempdir().unwrap();
	let output = modicum(home.path())
		.env("MODICUM_SECRET_KEY", "//Alice")
		.args(["key", "inspect", "--output", "json"])
		.output()
		.unwrap();
	let answer = json(&String::from_utf8(output.stdout).unwrap());
	assert_eq!(answer["account"], "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
	assert_eq!(answer["file"], Value::Null);
}

#[test]
fn settings_are_written_once_and_checked() {
	let home = tempfile::tempdir().unwrap();
	assert_eq!(run(home.path(), &["config", "init"]).0, 0);
	let file = home.path().join(".config/modicum/modicum.toml");
	assert!(fs::read_to_string(&file).unwrap().contains("#endpoints = "));
	assert_eq!(run(home.path(), &["config", "init"]).0, 11);
	assert_eq!(run(home.path(), &["config", "init", "--force"]).0, 0);
	let (code, answer, _) = run(home.path(), &["config", "check", "--output", "json"]);
	assert_eq!(code, 0);
	let answer = json(&answer);
	assert_eq!(answer["settings"]["chain.way"]["value"], "rpc");
	assert_eq!(answer["settings"]["chain.way"]["source"], "default");
	fs::write(&file, "[chain]\nway = \"rpc\"\nstall_timeout = \"never\"\n").unwrap();
	let (code, _, error) = run(home.path(), &["config", "check"]);
	assert_eq!(code, 3);
	assert!(error.contains("chain.stall_timeout"), "{error}");
	// What needs no settings works nevertheless.
	assert_eq!(run(home.path(), &["completions", "bash"]).0, 0);
	let (code, answer, _) = run(home.path(), &["completions", "bash", "--output", "json"]);
	assert_eq!(code, 0);
	assert!(json(&answer)["content"].as_str().unwrap().contains("modicum"), "{answer}");
}

#[test]
fn failures_are_json_when_answers_are() {
	let home = tempfile::tempdir().unwrap();
	let arguments = ["--output", "json", "--set", "log.level=loud=very", "key", "inspect"];
	let (code, answer, error) = run(home.path(), &arguments);
	assert_eq!((code, answer.as_str()), (3, ""));
	let error = json(&error);
	assert_eq!(error["error"]["name"], "config");
	assert_eq!(error["error"]["exit_code"], 3);
	for arguments in [["--output", "json", "frobnicate"], ["frobnicate", "--output", "json"]] {
		let (code, answer, error) = run(home.path(), &arguments);
		assert_eq!((code, answer.as_str()), (2, ""));
		assert_eq!(json(&error)["error"]["name"], "usage");
	}
}

#[test]
fn a_level_that_is_none_is_refused() {
	let home = tempfile::tempdir().unwrap();
	let (code, _, error) = run(home.path(), &["--log-level", "loud", "config", "check"]);
	assert_eq!(code, 3, "{error}");
	assert!(error.contains("log.level") && error.contains("loud"), "{error}");
}

#[test]
fn what_is_no_size_and_no_address_is_named_with_what_would_be() {
	let home = tempfile::tempdir().unwrap();
	let (code, _, error) = run(home.path(), &["--set", "provider.ram=lots", "config", "check"]);
	assert_eq!(code, 3, "{error}");
	assert!(error.contains("provider.ram: `lots`") && error.contains("512 MiB"), "{error}");
	let (code, _, error) = run(home.path(), &["directory", "login", "foo"]);
	assert_eq!(code, 2, "{error}");
	assert!(error.contains("`foo`") && error.contains("https://"), "{error}");
}

#[test]
fn a_chain_that_is_not_there_is_reported_with_who_was_tried() {
	let home = tempfile::tempdir().unwrap();
	let arguments = [
		"chain",
		"status",
		"--endpoint",
		"ws://127.0.0.1:1",
		"--endpoint",
		"ws://127.0.0.1:2",
		"--set",
		"chain.patience=1s",
	];
	let (code, _, error) = run(home.path(), &arguments);
	assert_eq!(code, 5, "{error}");
	assert!(error.contains("ws://127.0.0.1:1") && error.contains("ws://127.0.0.1:2"), "{error}");
}

#[test]
fn shells_and_manual_know_every_noun() {
	let home = tempfile::tempdir().unwrap();
	for shell in ["bash", "zsh", "fish"] {
		let (code, script, _) = run(home.path(), &["completions", shell]);
		assert_eq!(code, 0);
		assert!(script.contains("mediator"), "{shell}");
	}
	let folder = home.path().join("man");
	assert_eq!(run(home.path(), &["man", "--out", folder.to_str().unwrap()]).0, 0);
	let page = fs::read_to_string(folder.join("modicum.1")).unwrap();
	assert!(page.contains("Exit codes"), "{page}");
	assert!(folder.join("modicum-provider-trust-add.1").exists());
}

#[test]
fn economics_work_without_a_chain() {
	let home = tempfile::tempdir().unwrap();
	let (code, answer, error) = run(home.path(), &["economics", "check", "--output", "json"]);
	assert_eq!(code, 0, "{error}");
	assert!(json(&answer).is_object());
	let offline = ["economics", "--offline", "check", "--output", "json"];
	let (code, answer, error) = run(home.path(), &offline);
	assert_eq!(code, 0, "{error}");
	let source = json(&answer)["source"].to_string();
	assert!(source.contains("because the chain was not asked"), "{source}");
	let (code, answer, _) =
		run(home.path(), &["economics", "check", "--verification-rate", "0.005"]);
	assert_eq!(code, 12, "{answer}");
	assert!(answer.contains("NO"), "{answer}");
	let (code, _, error) = run(home.path(), &["economics", "check", "--price", "-1"]);
	assert_eq!(code, 2, "{error}");
	assert!(error.contains("price π_c is -1"), "{error}");
}
