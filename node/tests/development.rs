// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A development node of one validator, and the node's subcommands.

mod common;

use modicum_node_testing::{binary, free_port, output, Error, Network};
use std::{collections::BTreeMap, net::TcpListener, path::Path, process::Command};

#[tokio::test(flavor = "multi_thread")]
async fn a_development_node_authors_and_finalises() -> Result<(), Error> {
	let network = Network::development().await?;
	let node = network.node("alice");
	node.wait_for_best(1).await?;
	node.wait_for_finalized(2).await?;
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_offers_the_methods_that_clients_need() -> Result<(), Error> {
	let network = Network::development().await?;
	let methods: serde_json::Value = network.node("alice").call("rpc_methods", params![]).await?;
	let methods: Vec<_> = methods["methods"]
		.as_array()
		.expect("a list of methods")
		.iter()
		.filter_map(|method| method.as_str())
		.collect();
	for method in [
		"system_accountNextIndex",
		"author_submitExtrinsic",
		"author_rotateKeysWithOwner",
		"chain_getFinalizedHead",
		"state_getStorage",
		"payment_queryInfo",
		"grandpa_proveFinality",
		"chainHead_v1_follow",
		"archive_v1_body",
		"transaction_v1_broadcast",
		"chainSpec_v1_genesisHash",
	] {
		assert!(methods.contains(&method), "{method} is missing");
	}
	Ok(())
}

#[test]
fn a_chain_without_validators_is_refused_in_words() -> Result<(), Error> {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let spec = folder.path().join("plain.json");
	let plain = output(Command::new(binary()?).args(["build-spec", "--chain", "production"]))?;
	std::fs::write(&spec, plain).expect("the folder can be written");
	let spec = spec.to_str().expect("the path is text");
	for chain in ["production", spec] {
		let node = Command::new(binary()?)
			.args(["--chain", chain, "--base-path"])
			.arg(folder.path().join("data"))
			.output()
			.expect("the node runs");
		let said = String::from_utf8_lossy(&node.stderr);
		assert_eq!(node.status.code(), Some(1), "{said}");
		assert!(said.contains("names no validator") && !said.contains("panicked"), "{said}");
	}
	Ok(())
}

#[test]
fn a_port_in_use_is_named_before_anything_is_written() -> Result<(), Error> {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let data = folder.path().join("data");
	let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
	let taken = taken.local_addr().expect("it is bound").port().to_string();
	for option in ["--port", "--rpc-port", "--prometheus-port"] {
		let mut ports = BTreeMap::new();
		for each in ["--port", "--rpc-port", "--prometheus-port"] {
			ports.insert(each, free_port()?.to_string());
		}
		ports.insert(option, taken.clone());
		let node = Command::new(binary()?)
			.args(["--dev", "--base-path"])
			.arg(&data)
			.args(ports.iter().flat_map(|(option, port)| [option, port.as_str()]))
			.output()
			.expect("the node runs");
		let said = String::from_utf8_lossy(&node.stderr);
		assert_eq!(node.status.code(), Some(1), "{said}");
		assert!(said.contains(&format!("port {taken} is in use")), "{said}");
		assert!(said.contains(&format!("({option})")), "{said}");
		assert!(!data.join("chains/dev/paritydb").exists());
	}
	Ok(())
}

/// Another chain of the same name has the same folder.
#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_chain_are_refused_and_kept() -> Result<(), Error> {
	let mut network = Network::development().await?;
	network.node("alice").wait_for_best(2).await?;
	network.node_mut("alice").kill().await?;

	let plain = output(Command::new(binary()?).args(["build-spec", "--chain", "dev"]))?;
	let mut other: serde_json::Value = serde_json::from_slice(&plain).expect("it is JSON");
	let patch = &mut other["genesis"]["runtimeGenesis"]["patch"];
	let balances = patch["balances"]["balances"].as_array_mut().expect("accounts are funded");
	balances.pop().expect("there is one at least");
	let spec = network.folder().join("other.json");
	std::fs::write(&spec, other.to_string()).expect("the folder can be written");
	let node = Command::new(binary()?)
		.args(["--rpc-port", &free_port()?.to_string(), "--port", &free_port()?.to_string()])
		.args(["--no-prometheus", "--base-path"])
		.arg(network.node("alice").base_path())
		.arg("--chain")
		.arg(&spec)
		.output()
		.expect("the node runs");
	let said = String::from_utf8_lossy(&node.stderr);
	assert_eq!(node.status.code(), Some(1), "{said}");
	assert!(said.contains("data of another chain called 'dev'"), "{said}");

	network.node_mut("alice").start().await?;
	network.node("alice").wait_for_best(3).await?;
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_exported_checked_imported_and_reverted() -> Result<(), Error> {
	let mut network = Network::development().await?;
	network.node("alice").wait_for_best(4).await?;
	network.node_mut("alice").kill().await?;

	let node = network.node("alice");
	let run = |arguments: &[&str], base: &std::path::Path| {
		output(
			Command::new(binary()?)
				.args(arguments)
				.arg("--chain")
				.arg(network.spec())
				.arg("--base-path")
				.arg(base),
		)
	};
	let base = node.base_path();
	let blocks = network.folder().join("blocks");
	let blocks_path = blocks.to_str().expect("a temporary folder has a plain name");
	// Execution of pruned states is not wanted here: the harness runs archive nodes.
	run(&["export-blocks", "--state-pruning", "archive", blocks_path], &base)?;
	run(&["check-block", "--state-pruning", "archive", "1"], &base)?;
	let copy = network.folder().join("copy");
	run(&["import-blocks", "--state-pruning", "archive", blocks_path], &copy)?;
	let info = run(&["chain-info", "--state-pruning", "archive"], &copy)?;
	let info: serde_json::Value = serde_json::from_slice(&info).expect("chain-info prints JSON");
	assert!(info["best_number"].as_u64() >= Some(3), "{info}");
	run(&["revert", "--state-pruning", "archive", "1"], &copy)?;
	run(&["purge-chain", "-y"], &copy)?;
	Ok(())
}

/// The node builds the genesis of the networks that it knows by name with its own code, for a raw specification too;
/// of a plain one the WASM runtime builds it.
#[test]
fn a_named_network_starts_as_its_specifications_say() -> Result<(), Error> {
	// The third, production, has no founders as yet and so does not start.
	for name in ["dev", "local"] {
		let network = Network::new(name)?;
		let plain = network.folder().join("plain.json");
		let json = output(Command::new(binary()?).args(["export-chain-spec", "--chain", name]))?;
		std::fs::write(&plain, json).expect("the folder can be written");
		let genesis = |chain: &Path, base: &str| {
			let base = network.folder().join(base);
			let run = |subcommand: &[&str]| {
				output(Command::new(binary()?).args(subcommand).args([
					Path::new("--chain"),
					chain,
					Path::new("--base-path"),
					&base,
				]))
			};
			// With nothing to revert, this makes the database and no more.
			run(&["revert", "1"])?;
			let info = run(&["chain-info"])?;
			let info: serde_json::Value =
				serde_json::from_slice(&info).expect("chain-info prints JSON");
			assert_eq!(info["best_number"], 0);
			Ok::<_, Error>(info["best_hash"].to_string())
		};
		let built_by_wasm = genesis(&plain, "plain")?;
		assert_eq!(genesis(Path::new(name), "named")?, built_by_wasm, "{name}");
		assert_eq!(genesis(network.spec(), "raw")?, built_by_wasm, "{name}");
	}
	Ok(())
}

#[test]
fn an_unknown_network_is_named_in_the_error() {
	let error = Network::new("no-such-network").map(|_| ()).expect_err("there is no such network");
	assert!(error.to_string().contains("'no-such-network' is neither"), "{error}");
}
