// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum chain`.

use super::{account::Done, council};
use crate::{
	amount::Amount,
	context::Context,
	failure::{Exit, Outcome},
	output::{aligned, Report},
};
use clap::{Args, Subcommand, ValueEnum};
use modicum_chain_client::{Compatibility, NodeStatus};
use modicum_primitives::Parameters;
use serde::Serialize;
use std::{
	fs,
	time::{Duration, UNIX_EPOCH},
};

/// The verbs of `chain`.
#[derive(Subcommand, Debug, Clone)]
pub enum ChainCommand {
	/// Show which chain is reached through whom, and whether this program fits it
	Status,
	/// Show the market's parameters
	Parameters,
	/// Make any call of the chain, such as session.set_keys
	Call(CallArgs),
}

/// Arguments of `call`.
#[derive(Args, Debug, Clone)]
pub struct CallArgs {
	/// PALLET.CALL, such as session.set_keys
	pub call: String,
	/// The call's arguments: a number, an address, 0x and hexadecimal digits (bytes, or what is to be there as SCALE
	/// encodes it), @FILE for the bytes of a file, or a value such as { name: 1 }, (1, 2) or Variant(1)
	#[arg(value_name = "NAME=VALUE", value_parser = parse_argument)]
	pub arguments: Vec<(String, String)>,
	/// In whose name
	#[arg(long = "as", value_name = "WHOM", default_value = "account")]
	pub made_by: MadeBy,
	/// Only say how the call is encoded, and its hash
	#[arg(long)]
	pub dry_run: bool,
}

/// In whose name a call is made.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeBy {
	/// The key's own account
	Account,
	/// The council: a motion of this call, which the key's account proposes as one of its members
	Council,
	/// The superuser of the chain, as a motion of the council
	Root,
	/// The superuser of a development chain, whose key it is
	Superuser,
}

fn parse_argument(text: &str) -> Result<(String, String), String> {
	let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
	let value = match value.strip_prefix('@') {
		Some(file) => {
			let bytes = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
			format!("0x{}", hex::encode(bytes))
		},
		None => value.into(),
	};
	Ok((name.into(), value))
}

#[derive(Serialize)]
struct Encoded {
	call: String,
	encoded: String,
	hash: String,
}

impl Report for Encoded {
	fn text(&self) -> String {
		aligned(&[
			("call", self.call.clone()),
			("encoded", self.encoded.clone()),
			("hash", self.hash.clone()),
		])
	}
}

/// Makes a call of any pallet, or proposes it.
async fn call(context: &Context, args: CallArgs) -> Outcome {
	let snapshot = context.chain().await?.snapshot().await?;
	let call = snapshot.named_call(&args.call, &args.arguments)?;
	let made = match args.made_by {
		MadeBy::Account | MadeBy::Council => call,
		MadeBy::Root => snapshot.as_root(&call)?,
		MadeBy::Superuser => snapshot.as_superuser(&call)?,
	};
	if args.dry_run {
		let encoded = format!("0x{}", hex::encode(made.encoded()));
		context.print(&Encoded { call: args.call, encoded, hash: format!("{:?}", made.hash()) });
	} else if matches!(args.made_by, MadeBy::Council | MadeBy::Root) {
		council::propose(context, &snapshot, &made).await?;
	} else {
		let included = context.submit(made.into()).await?;
		context.print(&Done::new(args.call, &included));
	}
	Ok(Exit::Success)
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
		ChainCommand::Call(args) => return call(context, args).await,
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
