// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum offer` and `modicum match`: the market as the chain has it.

use crate::{
	amount::Amount,
	cli::parse_account,
	commands::{
		account::Done,
		audit::{self, AuditArgs},
		chain::time_of,
	},
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Report},
};
use clap::{Args, Subcommand, ValueEnum};
use modicum_chain_client::{
	AccountId, Call, JobOffer, Match, MatchStatus, OfferState, Phase, ResourceOffer, WaitsFor,
};
use modicum_primitives::{JobOfferId, MatchId, Moment, ResourceOfferId, Rule};
use serde::Serialize;

/// The verbs of `offer`.
#[derive(Subcommand, Debug, Clone)]
pub enum OfferCommand {
	/// List job offers and resource offers
	List(ListArgs),
	/// Say why two offers are not matched, or with whom they could be
	Explain(ExplainArgs),
	/// Take an offer of yours back that is not matched
	Cancel(CancelArgs),
}

/// Arguments of `offer cancel`.
#[derive(Args, Debug, Clone)]
pub struct CancelArgs {
	/// Which kind
	pub kind: OfferKind,
	/// The offer's number
	pub number: u64,
}

/// The two kinds of offers.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferKind {
	/// A job creator's.
	Job,
	/// A resource provider's.
	Resource,
}

/// The verbs of `match`.
#[derive(Subcommand, Debug, Clone)]
pub enum MatchCommand {
	/// List open matches
	List(ListArgs),
	/// Show an open match: its phase, whom it waits for and until when
	Show(ShowArgs),
	/// Tell everything that happened to a match, from the chain's events, and check it against the rules
	Audit(AuditArgs),
}

/// Arguments of the lists.
#[derive(Args, Debug, Clone)]
pub struct ListArgs {
	/// Only those of this account
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub of: Option<AccountId>,
}

/// Arguments of `offer explain`.
#[derive(Args, Debug, Clone)]
pub struct ExplainArgs {
	/// The job offer's number
	pub job_offer: JobOfferId,
	/// The resource offer's number
	pub resource_offer: ResourceOfferId,
	/// Only this mediator [default: all whom the job creator trusts]
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub mediator: Option<AccountId>,
}

/// Arguments of `match show`.
#[derive(Args, Debug, Clone)]
pub struct ShowArgs {
	/// The match's number
	pub match_id: MatchId,
}

#[derive(Serialize)]
struct Numbered<T> {
	id: u64,
	#[serde(flatten)]
	record: T,
}

fn numbered<T>(entries: Vec<(u64, T)>, keep: impl Fn(&T) -> bool) -> Vec<Numbered<T>> {
	let kept = entries.into_iter().filter(|(_, record)| keep(record));
	kept.map(|(id, record)| Numbered { id, record }).collect()
}

fn state(state: OfferState) -> String {
	match state {
		OfferState::Open => "open".into(),
		OfferState::Matched(id) => format!("in match {id}"),
	}
}

#[derive(Serialize)]
struct Offers {
	job_offers: Vec<Numbered<JobOffer>>,
	resource_offers: Vec<Numbered<ResourceOffer>>,
	block: u64,
}

impl Report for Offers {
	fn text(&self) -> String {
		let mut lines = Vec::new();
		for Numbered { id, record } in &self.job_offers {
			let terms = &record.terms;
			lines.push(format!(
				"job offer {id}  {}  by {}  {} {}  up to {} instructions at {} per 10^9  until {}",
				state(record.state),
				record.creator,
				terms.architecture,
				terms.meter,
				terms.limits.instructions,
				Amount(terms.max_prices.instruction),
				time_of(terms.completion_deadline),
			));
		}
		for Numbered { id, record } in &self.resource_offers {
			let terms = &record.terms;
			let until = terms.expires_at.map_or_else(|| "cancelled".into(), time_of);
			lines.push(format!(
				"resource offer {id}  {}  by {}  {}  up to {} instructions at {} per 10^9  until {until}",
				state(record.state),
				record.provider,
				terms.meter,
				terms.caps.instructions,
				Amount(terms.prices.instruction),
			));
		}
		if lines.is_empty() {
			lines.push(format!("no offers as of block {}", self.block));
		}
		lines.join("\n")
	}
}

#[derive(Serialize)]
struct Explanation {
	/// For each mediator the rules that forbid the match; none if it is feasible.
	mediators: Vec<Explained>,
}

#[derive(Serialize)]
struct Explained {
	mediator: AccountId,
	broken_rules: Vec<Rule>,
}

impl Report for Explanation {
	fn text(&self) -> String {
		if self.mediators.is_empty() {
			return "the job creator trusts no mediator, so that no match is possible".into();
		}
		let lines = self.mediators.iter().map(|explained| {
			let rules: Vec<_> = explained.broken_rules.iter().map(Rule::to_string).collect();
			match rules.as_slice() {
				[] => format!("{}: feasible; any solver may post it", explained.mediator),
				rules => format!("{}: {}", explained.mediator, rules.join(", ")),
			}
		});
		lines.collect::<Vec<_>>().join("\n")
	}
}

#[derive(Serialize)]
struct Matches {
	matches: Vec<Numbered<Match>>,
	block: u64,
}

impl Report for Matches {
	fn text(&self) -> String {
		if self.matches.is_empty() {
			return format!("no open matches as of block {}", self.block);
		}
		let lines = self.matches.iter().map(|Numbered { id, record }| {
			format!(
				"match {id}  {}  job offer {} of {}  resource offer {} of {}  up to {}",
				record.phase.name(),
				record.job_offer,
				record.creator,
				record.resource_offer,
				record.provider,
				Amount(record.value),
			)
		});
		lines.collect::<Vec<_>>().join("\n")
	}
}

#[derive(Serialize)]
struct Shown {
	id: MatchId,
	now: Moment,
	#[serde(flatten)]
	status: MatchStatus,
}

impl Report for Shown {
	fn text(&self) -> String {
		let (status, record) = (&self.status, &self.status.record);
		let waits_for = match status.waits_for {
			WaitsFor::Result => "the provider's result",
			WaitsFor::Reaction => "the creator's reaction",
			WaitsFor::MediationResult => "the mediator's evidence",
		};
		let overdue = if self.now > status.until { ", which has passed" } else { "" };
		let mut lines = vec![
			("match", self.id.to_string()),
			("phase", record.phase.name().into()),
			("waits for", waits_for.into()),
			("from", status.waits_on.to_string()),
			("until", format!("{}{overdue}", time_of(status.until))),
			("then by itself", time_of(status.auto_close_from)),
			("creator", format!("{}  (job offer {})", record.creator, record.job_offer)),
			(
				"provider",
				format!("{}  (resource offer {})", record.provider, record.resource_offer),
			),
			("mediator", format!("{}  for {}", record.mediator, Amount(record.mediator_fee))),
			("directory", format!("{}  for {}", record.directory, Amount(record.directory_fee))),
			("value", format!("at most {}", Amount(record.value))),
		];
		if let Phase::ResultPosted { result, .. } | Phase::Mediating { result, .. } = &record.phase
		{
			let run = &result.run;
			lines.push(("result", format!("{}  at {}", run.status, result.uri)));
			lines.push((
				"usage",
				format!(
					"{} instructions, {} bytes transferred",
					run.usage.instructions, run.usage.bandwidth
				),
			));
		}
		if let Phase::Mediating { reason, .. } = &record.phase {
			lines.push(("rejected for", reason.to_string()));
		}
		aligned(&lines)
	}
}

/// Runs a command of `offer`.
pub async fn offer(context: &Context, command: OfferCommand) -> Outcome {
	if let OfferCommand::Cancel(CancelArgs { kind, number }) = command {
		let (call, what) = match kind {
			OfferKind::Job => (Call::cancel_job_offer(number), "job"),
			OfferKind::Resource => (Call::cancel_resource_offer(number), "resource"),
		};
		let included = context.submit(call).await?;
		context.print(&Done::new(format!("{what} offer {number} taken back"), &included));
		return Ok(Exit::Success);
	}
	let snapshot = context.chain().await?.snapshot().await?;
	match command {
		OfferCommand::List(args) => {
			let of = |owner: AccountId| args.of.is_none_or(|of| of == owner);
			context.print(&Offers {
				job_offers: numbered(snapshot.job_offers().await?, |offer| of(offer.creator)),
				resource_offers: numbered(snapshot.resource_offers().await?, |offer| {
					of(offer.provider)
				}),
				block: snapshot.number(),
			});
		},
		OfferCommand::Explain(args) => {
			let (job_offer, resource_offer) = (args.job_offer, args.resource_offer);
			let job = snapshot.job_offer(job_offer).await?.ok_or_else(|| {
				Failure::not_found(format!("there is no job offer {job_offer}, or no more"))
			})?;
			let trusted = snapshot.job_creator(job.creator).await?;
			let mediators = match args.mediator {
				Some(mediator) => vec![mediator],
				None => trusted.map(|creator| creator.trusted_mediators).unwrap_or_default(),
			};
			let mut explained = Vec::new();
			for mediator in mediators {
				let rules = snapshot.broken_rules(job_offer, resource_offer, mediator).await?;
				let broken_rules = rules.ok_or_else(|| {
					let gone = format!("there is no resource offer {resource_offer}, or no more");
					Failure::not_found(gone)
				})?;
				explained.push(Explained { mediator, broken_rules });
			}
			context.print(&Explanation { mediators: explained });
		},
		// Done above, without the market's state.
		OfferCommand::Cancel(_) => {},
	}
	Ok(Exit::Success)
}

/// Runs a command of `match`.
pub async fn matches(context: &Context, command: MatchCommand) -> Outcome {
	// A file is checked without a chain.
	if let MatchCommand::Audit(args) = command {
		return audit::run_audit(context, args).await;
	}
	let snapshot = context.chain().await?.snapshot().await?;
	match command {
		MatchCommand::List(args) => {
			let of = |record: &Match| {
				let parties = [record.creator, record.provider, record.mediator, record.directory];
				args.of.is_none_or(|of| parties.contains(&of))
			};
			let matches = numbered(snapshot.open_matches().await?, of);
			context.print(&Matches { matches, block: snapshot.number() });
		},
		MatchCommand::Show(args) => {
			let id = args.match_id;
			let status = snapshot.match_status(id).await?.ok_or_else(|| {
				Failure::not_found(format!("there is no match {id}, or it has ended"))
			})?;
			context.print(&Shown { id, now: snapshot.now().await?, status });
		},
		// Done above.
		MatchCommand::Audit(_) => {},
	}
	Ok(Exit::Success)
}
