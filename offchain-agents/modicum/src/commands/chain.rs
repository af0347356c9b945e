// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum chain`.

use crate::{
	amount::Amount,
	context::Context,
	failure::{Exit, Outcome},
	output::{aligned, Report},
};
use clap::Subcommand;
use modicum_chain_client::{Compatibility, NodeStatus};
use modicum_primitives::Parameters;
use serde::Serialize;
use std::time::{Duration, UNIX_EPOCH};

/// The verbs of `chain`.
#[derive(Subcommand, Debug, Clone)]
pub enum ChainCommand {
	/// Show which chain is reached through whom, and whether this program fits it
	Status,
	/// Show the market's parameters
	Parameters,
}

#[derive(Serialize)]
struct Status(NodeStatus);

impl Report for Status {
	fn text(&self) -> String {
		let node = &self.0;
		let syncing = if node.is_syncing { ", still catching up" } else { "" };
		let fits = match node.compatibility {
			Compatibility::Same => "yes",
			Compatibility::SameMarket => "yes: the market is as expected, other parts have changed",
			Compatibility::Different => "NO: the market has changed; update this program",
		};
		aligned(&[
			("reached by", node.endpoint.clone()),
			("chain", node.chain.clone()),
			("genesis hash", format!("{:?}", node.genesis_hash)),
			("runtime", node.spec_version.to_string()),
			("fits", fits.into()),
			("finalised", format!("block {} of {}", node.finalized, time_of(node.finalized_at))),
			("best", format!("block {}", node.best)),
			("peers", format!("{}{syncing}", node.peers)),
		])
	}
}

#[derive(Serialize)]
struct InForce(Parameters);

impl Report for InForce {
	fn text(&self) -> String {
		let p = &self.0;
		let span = |ms: u64| humantime::format_duration(Duration::from_millis(ms)).to_string();
		let share = |ppm: u32| format!("{} %", f64::from(ppm) / 10_000.0);
		aligned(&[
			("penalty rate", p.penalty_rate.to_string()),
			("verification count", p.verification_count.to_string()),
			("reaction deadline", span(p.reaction_deadline)),
			("mediation deadline", span(p.mediation_deadline)),
			("least match incentive", Amount(p.min_match_incentive).to_string()),
			("tolerance of cpu-time", share(p.cost_tolerances.cpu_time)),
			("tolerance of hardware-instructions", share(p.cost_tolerances.hardware_instructions)),
			("tolerance of wasm-fuel", share(p.cost_tolerances.wasm_fuel)),
			("grace before the chain acts", span(p.auto_close_grace)),
		])
	}
}

/// A time of the chain for people, in UTC.
pub fn time_of(moment: u64) -> String {
	let time = UNIX_EPOCH.checked_add(Duration::from_millis(moment));
	// The last moment that the format can express is the end of the year 9999.
	let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
	time.filter(|time| *time <= last).map_or_else(
		|| format!("{moment} ms"),
		|t| humantime::format_rfc3339_seconds(t).to_string(),
	)
}

/// Runs a command of `chain`.
pub async fn run(context: &Context, command: ChainCommand) -> Outcome {
	let chain = context.chain().await?;
	match command {
		ChainCommand::Status => {
			let status = chain.status().await?;
			let fits = status.compatibility != Compatibility::Different;
			context.print(&Status(status));
			return Ok(if fits { Exit::Success } else { Exit::ChainMismatch });
		},
		ChainCommand::Parameters => {
			context.print(&InForce(chain.snapshot().await?.parameters().await?));
		},
	}
	Ok(Exit::Success)
}
