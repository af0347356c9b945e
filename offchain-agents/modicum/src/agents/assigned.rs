// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A provider's match from its beginning to its posted result (docs/protocol.md §6).

use crate::{
	agents::{
		calls::answered,
		cheat::{self, ProviderCheat},
		errands::Done,
		risk::{self, Stakes},
		runner::{run_name, Assignment, Executed, Runner, Trouble},
		say_not_alone, time_left,
		transfer::{Publication, TransferError},
		Agent,
	},
	failure::Outcome,
};
use modicum_chain_client::{Call, Error, Match, Phase, Snapshot};
use modicum_directory::{account::AccountId as DirectoryAccount, names::RepositoryName};
use modicum_executor::{RunId, RunReport};
use modicum_primitives::{Hash, MatchId, ResultStatus, Run, Usage, NO_HASH};
use std::{sync::Arc, time::Duration};

/// The run of a provider's match.
pub fn run_id(id: MatchId, job_hash: &Hash) -> RunId {
	run_name(id, job_hash).parse().expect("numbers make a short name; qed")
}

/// A match that waits for its result.
pub struct Assigned {
	pub agent: Agent,
	pub runner: Arc<Runner>,
	/// How long before the deadline the result is to be posted.
	pub reserve: Duration,
	pub cheat: Option<ProviderCheat>,
	pub id: MatchId,
	/// The match as it was when the job began.
	pub record: Match,
	pub assignment: Assignment,
}

impl Assigned {
	/// Runs the job, uploads its output, and posts the result; in that order, and each again if it must be.
	pub async fn run(self) -> Outcome<Done> {
		let Self { id, .. } = self;
		if self.cheat == Some(ProviderCheat::NeverAnswers) {
			std::future::pending::<()>().await;
		}
		tracing::info!(match_id = id, "job begins");
		let executed = match self.cheat {
			// What is made up needs no run.
			Some(ProviderCheat::ForgesResults) => {
				cheat::forged(&self.assignment.terms, self.runner.work())?
			},
			Some(cheat) => cheat.apply(self.execute().await, &self.assignment.terms),
			None => self.execute().await,
		};
		let repository = RepositoryName::of_result(&DirectoryAccount(self.agent.account.0), id);
		let run = match &executed.report {
			Some(report) => self.publish(&repository, &executed, report).await?,
			None => executed.run,
		};
		// Good only on a chain on which the match is this one: a fork may give its number to another job.
		let at = self.agent.latest().await?;
		let found = at.open_match(id).await?;
		let is_answered = found.as_ref().is_some_and(|found| {
			found.job_offer == self.record.job_offer && found.phase != Phase::Running
		});
		if is_answered {
			say_not_alone(id);
			return Ok(None);
		}
		let is_same = found.as_ref() == Some(&self.record)
			&& Assignment::read(&at, self.record.job_offer).await? == self.assignment;
		if !is_same {
			tracing::warn!(match_id = id, "the match is another now, or closed");
			return Ok(None);
		}
		let Executed { reason, .. } = &executed;
		tracing::info!(match_id = id, status = %run.status, reason, "result");
		let call = Call::post_result(id, run, repository.as_str());
		answered(id, "NotRunning", self.agent.submitter.submit_early(call, Some(&at)).await)
	}

	async fn execute(&self) -> Executed {
		let run = run_id(self.id, &self.assignment.terms.job_hash);
		let executed = self
			.runner
			.execute(&run, &self.assignment, self.record.completion_deadline, self.reserve)
			.await;
		executed.unwrap_or_else(|trouble| {
			tracing::warn!(match_id = self.id, %trouble, "given up");
			declined(&trouble)
		})
	}

	/// Uploads output and log. If the directory does not take them in time, that is the result.
	async fn publish(
		&self,
		repository: &RepositoryName,
		executed: &Executed,
		report: &RunReport,
	) -> Outcome<Run> {
		let publication = Publication::of_run(report)?;
		let mut pause = Duration::from_secs(1);
		loop {
			let endpoint = &self.assignment.endpoint;
			let published =
				self.agent.transfer.publish(endpoint, repository, &publication, |_| ()).await;
			let error = match published {
				Ok(_) => return Ok(executed.run),
				Err(TransferError::Local(failure)) => return Err(failure),
				Err(error) => error,
			};
			if time_left(self.record.completion_deadline, self.reserve) <= pause {
				tracing::warn!(match_id = self.id, %error, "the result cannot be uploaded");
				return Ok(declined(&Trouble::Directory(error)).run);
			}
			tracing::warn!(match_id = self.id, %error, "the upload is tried again in {pause:?}");
			tokio::time::sleep(pause).await;
			pause = (pause * 2).min(Duration::from_secs(30));
		}
	}
}

/// What is posted for a job that could not be run.
fn declined(trouble: &Trouble) -> Executed {
	let status = match trouble {
		Trouble::Directory(_) => ResultStatus::DirectoryUnavailable,
		Trouble::Machine(_) => ResultStatus::Declined,
	};
	let run = Run { status, result_hash: NO_HASH, usage: Usage::default() };
	Executed { run, reason: trouble.to_string(), report: None }
}

/// Says what is to be expected of a match's creator. The match binds the provider: who minds, trusts fewer mediators or
/// asks for more.
pub async fn log_risk(
	snapshot: &Snapshot,
	id: MatchId,
	found: &Match,
	stakes: Stakes,
) -> Result<(), Error> {
	let creator = found.creator;
	let record = snapshot.party_record(creator).await?;
	match risk::estimate(&found.parameters, stakes, &record) {
		Ok(risk) => {
			let (expected, at_most) = (risk.dispute_rate, risk.dispute_rate_at_most);
			let break_even = risk.break_even_dispute_rate;
			if risk.acceptable() {
				tracing::info!(match_id = id, %creator, expected, at_most, break_even, "risk of disputes");
			} else {
				tracing::warn!(
					match_id = id, %creator, expected, at_most, break_even,
					"this creator's jobs may cost more than they bring: modicum provider risk"
				);
			}
		},
		Err(error) => {
			tracing::info!(match_id = id, %creator, %error, "no estimate of the risk")
		},
	}
	Ok(())
}
