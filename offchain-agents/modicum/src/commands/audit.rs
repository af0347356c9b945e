// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum match audit`: everything that happened to a match, rebuilt from the chain's finalised events, and
//! whether it fits the rules of the market. What was rebuilt can be kept as a file and checked again without a chain.

use crate::{
	amount::Amount,
	commands::{audit_rules::check, chain::time_of},
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{Format, Report},
};
use clap::Args;
use modicum_chain_client::{AccountId, Chain, Event, FinalizedBlock, FinalizedItem, Reaction};
use modicum_primitives::{
	Balance, Evidence, JobOfferId, MatchId, Moment, Parameters, ResourceOfferId, Run,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Write, path::PathBuf};

/// Blocks between two lines of progress.
const SAY_EVERY: u64 = 500;

/// Blocks back whose states a node has that is no archive: 256 by default, less those that come meanwhile.
const KEPT: u64 = 250;

/// Arguments of `match audit`.
#[derive(Args, Debug, Clone)]
pub struct AuditArgs {
	/// The match's number
	#[arg(required_unless_present = "check")]
	pub match_id: Option<MatchId>,
	/// The first block to read; it must not be later than the match's two offers
	#[arg(long, value_name = "BLOCK", default_value_t = 1)]
	pub from: u64,
	/// Also write what was found to a file, for --check
	#[arg(long, value_name = "FILE")]
	pub out: Option<PathBuf>,
	/// Check such a file again instead, without a chain
	#[arg(long, value_name = "FILE", conflicts_with_all = ["match_id", "from", "out"])]
	pub check: Option<PathBuf>,
}

/// All that the chain's events say of one match. Amounts are base units, times milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
	/// The chain, by the hash of its first block.
	pub genesis_hash: String,
	/// The match.
	pub match_id: MatchId,
	/// The first block that was read.
	pub first_block: u64,
	/// The last block that was read.
	pub last_block: u64,
	/// Blocks that the node no longer had, first and last of each gap.
	pub missed: Vec<(u64, u64)>,
	/// What the chain fixed for the match when it was made.
	pub fixed: Option<Fixed>,
	/// What happened, in the chain's order.
	pub steps: Vec<Step>,
}

/// What the chain copies into a match, as its state after the match's block says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
	/// a_M.
	pub mediator_fee: Balance,
	/// a_D.
	pub directory_fee: Balance,
	/// The parameters in force.
	pub parameters: Parameters,
}

/// Something that happened, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
	/// The block's number.
	pub block: u64,
	/// The block's hash.
	pub block_hash: String,
	/// The block's time.
	pub time: Moment,
	/// What happened.
	pub event: Event,
}

/// The match that an event is about. An offer is about none yet, and what goes astray is not said to belong to one.
fn match_of(event: &Event) -> Option<MatchId> {
	match event {
		Event::Matched { match_id, .. }
		| Event::ResultPosted { match_id, .. }
		| Event::ResultReaction { match_id, .. }
		| Event::JobAssignedForMediation { match_id, .. }
		| Event::MediationResultPosted { match_id, .. }
		| Event::MatchClosed { match_id, .. } => Some(*match_id),
		_ => None,
	}
}

/// An event that may concern a match, for people.
fn text(event: &Event) -> String {
	match event {
		Event::JobOfferPosted { job_offer, creator, held, uri, .. } => {
			format!("job offer {job_offer} posted by {creator}: {uri}, {} held", Amount(*held))
		},
		Event::ResourceOfferPosted { resource_offer, provider, held, .. } => {
			format!("resource offer {resource_offer} posted by {provider}, {} held", Amount(*held))
		},
		Event::Matched {
			mediator,
			directory,
			solver,
			value,
			creator_held,
			provider_held,
			incentives,
			..
		} => {
			format!(
				"matched by {solver}, who got {}; mediator {mediator}, directory {directory}; at most {} to bill; {} of the creator and {} of the provider held",
				Amount(*incentives),
				Amount(*value),
				Amount(*creator_held),
				Amount(*provider_held)
			)
		},
		Event::ResultPosted { result, uri, .. } => {
			format!("result posted: {} at {uri}", run(result))
		},
		Event::ResultReaction { by, reaction, .. } => {
			let by = by.map_or_else(|| "the chain itself".into(), |by| by.to_string());
			match reaction {
				Reaction::Accepted => format!("accepted by {by}"),
				Reaction::Rejected(reason) => format!("rejected by {by} for {reason}"),
			}
		},
		Event::JobAssignedForMediation { mediator, mediation_deadline, .. } => {
			format!("given to {mediator} to mediate until {}", time_of(*mediation_deadline))
		},
		Event::MediationResultPosted { evidence, verdict, faulty_party, .. } => {
			let evidence = match evidence {
				Evidence::Runs(runs) => runs.iter().map(run).collect::<Vec<_>>().join("; "),
				Evidence::ResultNotOnDirectory => "the result is not on the directory".into(),
				Evidence::DirectoryUnavailable => "the directory does not answer".into(),
			};
			format!("evidence: {evidence}; verdict: {verdict}, at fault: {faulty_party}")
		},
		Event::PaymentRedirected { payee, recipient, amount } => {
			format!("{} for {payee} went to {recipient}", Amount(*amount))
		},
		Event::PaymentBurnt { payee, amount } => {
			format!("{} for {payee} was burnt", Amount(*amount))
		},
		Event::MatchClosed { ending, settlement, .. } => {
			let side = |who: &str, other: &str, payout: &modicum_primitives::Payout| {
				format!(
					"of the {who}'s: {} to the {other}, {} to the mediator, {} to the directory, {} fined, {} back",
					Amount(payout.to_counterparty),
					Amount(payout.to_mediator),
					Amount(payout.to_directory),
					Amount(payout.to_fines),
					Amount(payout.returned)
				)
			};
			format!(
				"closed: {ending}; {}; {}",
				side("creator", "provider", &settlement.from_creator),
				side("provider", "creator", &settlement.from_provider)
			)
		},
		other => other.name().into(),
	}
}

fn run(run: &Run) -> String {
	let Run { status, result_hash, usage } = run;
	let hash = if status.has_output() {
		format!(" sha256:{}", hex::encode(result_hash))
	} else {
		String::new()
	};
	format!("{status}{hash}, {} instructions and {} bytes", usage.instructions, usage.bandwidth)
}

/// One rule, and whether what happened fits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
	/// The rule.
	pub rule: &'static str,
	/// Whether it fits.
	pub ok: bool,
	/// What was found.
	pub found: String,
}

/// What is shown.
#[derive(Serialize)]
struct Shown {
	audit: Audit,
	ok: bool,
	checks: Vec<Check>,
}

impl Report for Shown {
	fn text(&self) -> String {
		let Audit { genesis_hash, match_id, first_block, last_block, .. } = &self.audit;
		let mut lines = vec![format!(
			"match {match_id} of the chain {genesis_hash}, blocks {first_block} to {last_block}"
		)];
		for step in &self.audit.steps {
			lines.push(format!(
				"block {} {}  {}  {}",
				step.block,
				step.block_hash,
				time_of(step.time),
				text(&step.event)
			));
		}
		for Check { rule, ok, found } in &self.checks {
			let mark = if *ok { "ok    " } else { "NOT OK" };
			lines.push(format!("{mark}  {rule}: {found}"));
		}
		lines.join("\n")
	}
}

/// Runs `match audit`.
///
/// # Errors
/// The chain or a file cannot be read, or there was no such match.
pub async fn run_audit(context: &Context, args: AuditArgs) -> Outcome {
	let audit = match (args.check, args.match_id) {
		(Some(file), _) => {
			let text =
				std::fs::read_to_string(&file).map_err(|error| Failure::file(&file, error))?;
			serde_json::from_str(&text).map_err(|error| {
				Failure::file(&file, format!("is nothing that `match audit --out` wrote: {error}"))
			})?
		},
		(None, Some(match_id)) => {
			let chain = context.chain().await?;
			let audit = read(&chain, match_id, args.from.max(1), context.format).await?;
			match audit.steps.is_empty() {
				false => audit,
				// The first block was gone, and nothing was read: the match may be in what is left.
				true => {
					let from = audit.last_block.saturating_sub(KEPT).max(args.from).max(1);
					read(&chain, match_id, from, context.format).await.map_err(|failure| {
						Failure {
							message: format!(
								"{failure}, and the node has no older ones: ask an archive node"
							),
							..failure
						}
					})?
				},
			}
		},
		(None, None) => return Err(Failure::new(Exit::Usage, "which match?")),
	};
	if let Some(file) = args.out {
		let text = serde_json::to_string_pretty(&audit).map_err(Failure::internal)?;
		std::fs::write(&file, text).map_err(|error| Failure::file(&file, error))?;
	}
	let checks = check(&audit);
	let ok = checks.iter().all(|check| check.ok);
	context.print(&Shown { audit, ok, checks });
	Ok(if ok { Exit::Success } else { Exit::CheckFailed })
}

/// Reads the chain from block `from` on until the match is closed or there are no more finalised blocks.
async fn read(chain: &Chain, match_id: MatchId, from: u64, format: Format) -> Outcome<Audit> {
	let status = chain.status().await?;
	let head = status.finalized;
	if from > head {
		let message = format!("block {from} is not final yet: the last that is has number {head}");
		return Err(Failure::new(Exit::Usage, message));
	}
	let mut reading = Reading {
		audit: Audit {
			genesis_hash: format!("{:?}", status.genesis_hash),
			match_id,
			first_block: from,
			last_block: from,
			missed: Vec::new(),
			fixed: None,
			steps: Vec::new(),
		},
		job_offers: BTreeMap::new(),
		resource_offers: BTreeMap::new(),
	};
	let mut blocks = chain.finalized_blocks(Some(from));
	loop {
		let (last, is_closed) = match blocks.next().await? {
			FinalizedItem::Block(block) => (block.number(), reading.take(block).await?),
			FinalizedItem::Missed { first, last, .. } => {
				reading.audit.missed.push((first, last));
				(last, false)
			},
		};
		reading.audit.last_block = last;
		if is_closed || last >= head {
			break;
		}
		if last % SAY_EVERY == 0 {
			let line = match format {
				Format::Text => format!("block {last} of {head}"),
				Format::Json => serde_json::json!({ "block": last, "of": head }).to_string(),
			};
			let _ = writeln!(std::io::stderr(), "{line}");
		}
	}
	let audit = reading.audit;
	if audit.steps.is_empty() && audit.missed.is_empty() {
		let message =
			format!("nothing happened to match {match_id} in the blocks {from} to {head}");
		return Err(Failure::not_found(message));
	}
	Ok(audit)
}

/// An audit on its way.
struct Reading {
	audit: Audit,
	/// Offers seen, until it is known which two were matched.
	job_offers: BTreeMap<JobOfferId, Step>,
	resource_offers: BTreeMap<ResourceOfferId, Step>,
}

impl Reading {
	/// Takes a block's events in; whether the match is closed now.
	async fn take(&mut self, block: FinalizedBlock) -> Outcome<bool> {
		if block.events.is_empty() {
			return Ok(false);
		}
		let snapshot = block.snapshot;
		let (number, hash) = (snapshot.number(), format!("{:?}", snapshot.hash()));
		let time = snapshot.now().await?;
		// Payments that went astray come before the event of the match that they belong to.
		let mut astray = Vec::new();
		for event in block.events {
			let match_id = match_of(&event);
			let step = Step { block: number, block_hash: hash.clone(), time, event };
			match &step.event {
				Event::JobOfferPosted { job_offer, .. } => {
					self.job_offers.insert(*job_offer, step);
					continue;
				},
				Event::ResourceOfferPosted { resource_offer, .. } => {
					self.resource_offers.insert(*resource_offer, step);
					continue;
				},
				Event::PaymentRedirected { .. } | Event::PaymentBurnt { .. } => {
					astray.push(step);
					continue;
				},
				Event::Matched { job_offer, resource_offer, mediator, directory, .. } => {
					let job = self.job_offers.remove(job_offer);
					let resource = self.resource_offers.remove(resource_offer);
					if match_id == Some(self.audit.match_id) {
						let mut offers: Vec<_> = job.into_iter().chain(resource).collect();
						offers.sort_by_key(|offer| offer.block);
						self.audit.steps.extend(offers);
						self.audit.fixed =
							fixed(&snapshot, self.audit.match_id, mediator, directory).await?;
					}
				},
				_ if match_id.is_none() => continue,
				_ => {},
			}
			if match_id == Some(self.audit.match_id) {
				let is_closed = matches!(step.event, Event::MatchClosed { .. });
				self.audit.steps.append(&mut astray);
				self.audit.steps.push(step);
				if is_closed {
					return Ok(true);
				}
			} else {
				astray.clear();
			}
		}
		Ok(false)
	}
}

/// What the chain fixed for a match; for one that is closed within its first block, what it would fix now.
async fn fixed(
	snapshot: &modicum_chain_client::Snapshot,
	match_id: MatchId,
	mediator: &AccountId,
	directory: &AccountId,
) -> Outcome<Option<Fixed>> {
	if let Some(record) = snapshot.open_match(match_id).await? {
		let (mediator_fee, directory_fee) = (record.mediator_fee, record.directory_fee);
		return Ok(Some(Fixed { mediator_fee, directory_fee, parameters: record.parameters }));
	}
	let mediator = snapshot.mediator(*mediator).await?;
	let directory = snapshot.directory(*directory).await?;
	let (Some(mediator), Some(directory)) = (mediator, directory) else { return Ok(None) };
	let parameters = snapshot.parameters().await?;
	let (mediator_fee, directory_fee) = (mediator.availability_fee, directory.availability_fee);
	Ok(Some(Fixed { mediator_fee, directory_fee, parameters }))
}
