// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `zombienet/market.toml` as zombienet-sdk starts it: all nodes finalise, and the market takes a call by the full
//! node's RPC. `modicum-node` and `modicum` must be on PATH.

use anyhow::{ensure, Context};
use std::process::Command;
use zombienet_sdk::{NetworkConfig, NetworkConfigExt};

/// How long anything may take on a busy machine, in seconds.
const PATIENCE_SECS: u64 = 300;

/// Runs `modicum` by the account //Creator, with a home of its own.
fn modicum(endpoint: &str, words: &[&str]) -> anyhow::Result<String> {
	let home = tempfile::tempdir()?;
	let output = Command::new("modicum")
		.env("HOME", home.path())
		.env("MODICUM_SECRET_KEY", "//Creator")
		.args(["--output", "json", "--endpoint", endpoint])
		.args(words)
		.output()
		.context("modicum is not on PATH: build it with `make build`")?;
	let error = String::from_utf8_lossy(&output.stderr);
	ensure!(output.status.success(), "modicum {}: {error}", words.join(" "));
	Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_market_takes_a_call_by_the_full_node() -> anyhow::Result<()> {
	let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../market.toml");
	let network = NetworkConfig::load_from_toml(file)?.spawn_native().await?;
	for name in ["alice", "bob", "charlie", "dave", "rpc"] {
		network
			.get_node(name)?
			.wait_metric_with_timeout(
				"block_height{status=\"finalized\"}",
				|height| height >= 3.0,
				PATIENCE_SECS,
			)
			.await
			.with_context(|| format!("{name} does not finalise"))?;
	}
	let endpoint = network.get_node("rpc")?.ws_uri();
	modicum(endpoint, &["creator", "register"])?;
	// The others know of it.
	let endpoint = network.get_node("dave")?.ws_uri();
	let again = modicum(endpoint, &["creator", "status"])?;
	ensure!(again.contains("trusted_mediators"), "{again}");
	network.destroy().await?;
	Ok(())
}
