// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Runs four validators for a while and prints what they cost and how they keep step:
//! `network_figures [SECONDS [CHAIN]]`, by default for 120 seconds on the local network.

use modicum_node_testing::{Error, Network, Role};
use std::time::{Duration, Instant};

const NAMES: [&str; 4] = ["alice", "bob", "charlie", "dave"];
/// Kernel clock ticks in a second, in /proc/<pid>/stat; fixed by the kernel's interface.
const TICKS_PER_SECOND: f64 = 100.0;
const KIB_PER_PAGE: u64 = 4;

#[tokio::main]
async fn main() -> Result<(), Error> {
	let mut arguments = std::env::args().skip(1);
	let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(120);
	let chain = arguments.next().unwrap_or_else(|| "local".into());

	let mut network = Network::new(&chain)?;
	let start = Instant::now();
	for name in NAMES {
		network.start(name, Role::Validator).await?;
	}
	let alice = network.node("alice");
	alice.wait_for_best(1).await?;
	println!(
		"first block            {:6.1} s after the first start",
		start.elapsed().as_secs_f64()
	);
	alice.wait_for_finalized(1).await?;
	println!(
		"first finalised block  {:6.1} s after the first start",
		start.elapsed().as_secs_f64()
	);

	let (from, measured) = (alice.best().await?, Instant::now());
	let ticks: Vec<_> =
		NAMES.iter().map(|name| cpu_ticks(network.node(name).process_id())).collect();
	let mut lags = Vec::new();
	while measured.elapsed() < Duration::from_secs(seconds) {
		let (best, finalized) = (alice.best().await?, alice.finalized().await?);
		lags.push(f64::from(best.saturating_sub(finalized)));
		tokio::time::sleep(Duration::from_millis(250)).await;
	}
	let elapsed = measured.elapsed().as_secs_f64();
	let blocks = alice.best().await? - from;
	println!("blocks                 {blocks:6} in {elapsed:.0} s");
	println!("mean time of a block   {:6.2} s", elapsed / f64::from(blocks.max(1)));
	let mean_lag = lags.iter().sum::<f64>() / lags.len().max(1) as f64;
	let worst_lag = lags.iter().copied().fold(0.0, f64::max);
	println!("finality behind best   {mean_lag:6.1} blocks on average, {worst_lag:.0} at worst");
	for (name, before) in NAMES.iter().zip(ticks) {
		let id = network.node(name).process_id();
		let cpu = (cpu_ticks(id) - before) / TICKS_PER_SECOND / elapsed * 100.0;
		println!("{name:10} {cpu:6.1} % of a core, {:4} MiB resident", resident_mib(id));
	}
	Ok(())
}

/// User and system time of a process in ticks; 0 if it has ended.
fn cpu_ticks(process: Option<u32>) -> f64 {
	let stat = process
		.and_then(|id| std::fs::read_to_string(format!("/proc/{id}/stat")).ok())
		.unwrap_or_default();
	// After the name in parentheses, user time is the 12th field and system time the 13th.
	let fields: Vec<_> =
		stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split_whitespace().collect();
	[11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<f64>().ok()).sum()
}

/// Resident memory of a process; 0 if it has ended.
fn resident_mib(process: Option<u32>) -> u64 {
	let statm = process
		.and_then(|id| std::fs::read_to_string(format!("/proc/{id}/statm")).ok())
		.unwrap_or_default();
	let pages: u64 = statm.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
	pages * KIB_PER_PAGE / 1024
}
