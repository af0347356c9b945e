// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs as they are shown: how they stand, and how they ended.

use crate::{
	agents::{
		jobs::{Closed, JobRecord, Jobs, Stage},
		solver::read_book,
	},
	amount::Amount,
	commands::chain::time_of,
	context::Context,
	failure::{Exit, Outcome},
	output::Report,
};
use modicum_chain_client::{MatchStatus, OfferState, Snapshot, WaitsFor};
use modicum_primitives::{Moment, ResultStatus};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// A job as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
	job: u64,
	name: String,
	stage: &'static str,
	/// What is known in this stage.
	details: Stage,
	since: Moment,
	line: String,
	pub(super) outputs: Vec<PathBuf>,
	attempts: usize,
	/// The job that it verifies, if that is what it is for.
	duplicate_of: Option<u64>,
}

impl Shown {
	pub(super) fn new(job: u64, record: &JobRecord, line: String) -> Self {
		Self {
			job,
			name: record.package.name.clone(),
			stage: record.stage.name(),
			details: record.stage.clone(),
			since: record.since,
			line,
			outputs: record.outputs.clone(),
			attempts: record.failed.len() + 1,
			duplicate_of: record.duplicate_of.map(|of| of.job),
		}
	}
}

impl Report for Shown {
	fn text(&self) -> String {
		format!("job {}: {}", self.job, self.line)
	}
}

#[derive(Serialize)]
#[serde(transparent)]
struct List(Vec<Shown>);

impl Report for List {
	fn text(&self) -> String {
		if self.0.is_empty() {
			return "no jobs yet: modicum job submit FOLDER".into();
		}
		let lines: Vec<_> = self
			.0
			.iter()
			.map(|job| format!("job {}  {}  {}", job.job, job.name, job.line))
			.collect();
		lines.join("\n")
	}
}

/// Lists the jobs, without asking the chain.
pub fn list(context: &Context, jobs: &Jobs) -> Outcome {
	let shown = jobs.all()?.into_iter().map(|(number, record)| {
		let line = ended(number, &record).0;
		Shown::new(number, &record, line)
	});
	context.print(&List(shown.collect()));
	Ok(Exit::Success)
}

/// How a job stands, without asking the chain.
pub(super) fn ended(number: u64, record: &JobRecord) -> (String, Exit) {
	match &record.stage {
		Stage::Done(closed) => describe(number, closed, record),
		Stage::Withdrawn { because } => (format!("withdrawn: {because}"), Exit::JobFailed),
		stage => (stage.name().into(), Exit::Success),
	}
}

fn describe(number: u64, closed: &Closed, record: &JobRecord) -> (String, Exit) {
	let paid = Amount(closed.settlement.from_creator.to_counterparty);
	if closed.has_output() {
		let what = match record.duplicate_of {
			Some(of) => format!("run to verify job {}", of.job),
			None => {
				let judged = record.judgement.as_ref().map(|judgement| judgement.because.as_str());
				format!(
					"{} in {}; {}",
					crate::output::files(record.outputs.len()),
					record.plan.out.display(),
					judged.unwrap_or("not looked at in time")
				)
			},
		};
		let line = format!(
			"done: match {} accepted, {paid} paid to the provider; {what}",
			closed.match_id
		);
		return (line, Exit::Success);
	}
	let status = closed.result.map_or("no result", |run| match run.status {
		ResultStatus::Completed => "a result that was not accepted",
		status => status.as_str(),
	});
	let back = Amount(closed.settlement.from_provider.to_counterparty);
	let logs = match closed.result.is_some_and(|run| run.status.may_have_run()) {
		true => format!("; `modicum job logs {number}` shows what it printed"),
		false => String::new(),
	};
	let line = format!(
		"failed: match {} ended as {} with {status}; {paid} paid to the provider, {back} got from it{logs}",
		closed.match_id, closed.ending
	);
	(line, Exit::JobFailed)
}

/// Says where a job stands, and why.
pub async fn status(context: &Context, jobs: &Jobs, number: u64) -> Outcome {
	let record = jobs.get(number)?;
	let line = match &record.stage {
		Stage::Offered { job_offer, completion_deadline } => {
			let snapshot = context.chain().await?.snapshot().await?;
			match snapshot.job_offer(*job_offer).await?.map(|offer| offer.state) {
				Some(OfferState::Matched(id)) => of_match(&snapshot, id).await?,
				Some(OfferState::Open) => {
					let since = time_of(record.since);
					let until = time_of(*completion_deadline);
					let why = unmatched(&snapshot, *job_offer).await?;
					format!("offered since {since}, waits for a solver until {until}; {why}")
				},
				None => "offered, and the offer is gone: `modicum job wait` finds out how".into(),
			}
		},
		Stage::Matched { match_id, .. } => {
			of_match(&context.chain().await?.snapshot().await?, *match_id).await?
		},
		_ => format!("{}, since {}", ended(number, &record).0, time_of(record.since)),
	};
	context.print(&Shown::new(number, &record, line));
	Ok(Exit::Success)
}

/// Where a match stands, in a line.
async fn of_match(snapshot: &Snapshot, id: u64) -> Outcome<String> {
	let Some(status) = snapshot.match_status(id).await? else {
		return Ok(format!("match {id} is closed: `modicum job wait` finds out how"));
	};
	let MatchStatus { record, waits_for, waits_on, until, .. } = status;
	let what = match waits_for {
		WaitsFor::Result => "the provider's result",
		WaitsFor::Reaction => "your reaction (`modicum job wait` gives it)",
		WaitsFor::MediationResult => "the mediator's evidence",
	};
	Ok(format!(
		"match {id} {}: waits for {what} from {waits_on} until {}",
		record.phase.name(),
		time_of(until)
	))
}

/// Why an offer is not matched: for each rule, how many resource offers break it whoever mediates.
async fn unmatched(snapshot: &Snapshot, job_offer: u64) -> Outcome<String> {
	let book = read_book(snapshot).await?;
	let now = snapshot.now().await?;
	let Some(job) = book.job_offers().get(&job_offer) else {
		return Ok("it is being matched".into());
	};
	let mediators = book.creator(&job.creator).unwrap_or_default();
	let mut counts: BTreeMap<String, usize> = BTreeMap::new();
	for resource_offer in book.resource_offers().keys() {
		let broken = mediators
			.iter()
			.filter_map(|mediator| book.broken_rules(job_offer, *resource_offer, mediator, now));
		let Some(fewest) = broken.min_by_key(Vec::len) else { continue };
		if fewest.is_empty() {
			return Ok(format!("resource offer {resource_offer} fits, so any solver may match it"));
		}
		for rule in fewest {
			*counts.entry(rule.to_string()).or_default() += 1;
		}
	}
	let offers = book.resource_offers().len();
	if offers == 0 {
		return Ok("no provider offers anything at the moment".into());
	}
	let rules = counts.into_iter().map(|(rule, count)| format!("{count} of {offers}: {rule}"));
	Ok(format!("no resource offer fits ({})", rules.collect::<Vec<_>>().join("; ")))
}
