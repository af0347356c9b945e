// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a creator remembers of each of its jobs.

use crate::{
	agents::{
		duplicate::{Answer, DuplicateOf},
		store::{key, Store},
	},
	config::{Verification, VerifyBy},
	failure::{Failure, Outcome},
};
use modicum_chain_client::AccountId;
use modicum_packaging::Package;
use modicum_primitives::{
	Balance, Ending, JobOfferId, MatchId, Moment, Prices, RejectReason, ResultStatus, Run,
	Settlement,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The store's entries of jobs.
const JOB: &str = "job";

/// What the creator is ready to pay, and until when. Amounts are base units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
	/// The directory for job and result.
	pub directory: AccountId,
	/// The most paid for 10^9 instructions and 10^9 bytes.
	pub max_prices: Prices,
	/// The most paid to mediator and directory together.
	pub max_availability_fee: Balance,
	/// Paid to the solver.
	pub match_incentive: Balance,
	/// Pledged on top of what is required.
	pub extra_deposit: Balance,
	/// How long after posting a result is of use, milliseconds.
	pub time_limit: Moment,
	/// How often the result is verified.
	pub verify: Verification,
	/// How, without a checking command.
	#[serde(default)]
	pub verify_by: VerifyBy,
	/// p_a of the job.
	pub determinism: f64,
	/// A program that says by its exit code whether the output, whose folder is its last argument, is right.
	pub check_command: Vec<String>,
	/// Where the output goes.
	pub out: PathBuf,
	/// How often the job is offered again when others failed it.
	pub retries: u32,
}

/// What the creator makes of a result, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
	/// Whether it was verified, and not only looked at.
	pub verified: bool,
	/// The reason for rejecting it; `None` to accept.
	pub reject: Option<RejectReason>,
	/// For people.
	pub because: String,
	/// The creator's own run, if it made one.
	pub own: Option<Run>,
	/// The match and the result that were judged.
	pub of: Option<(MatchId, Run)>,
}

impl Judgement {
	/// Acceptance of a result that was not verified.
	pub fn unverified(because: impl Into<String>) -> Self {
		Self { verified: false, reject: None, because: because.into(), own: None, of: None }
	}
}

/// How a match ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
	/// The match.
	pub match_id: MatchId,
	/// Who ran the job.
	pub provider: Option<AccountId>,
	/// How.
	pub ending: Ending,
	/// Who got what.
	pub settlement: Settlement,
	/// The result, if there was one.
	pub result: Option<Run>,
}

impl Closed {
	/// Whether there is an output that was paid for.
	pub fn has_output(&self) -> bool {
		let is_complete = self.result.is_some_and(|run| run.status == ResultStatus::Completed);
		self.ending == Ending::Accepted && is_complete
	}
}

/// How far a job got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
	/// Its files are on this machine.
	Packed,
	/// Its files are in the directory.
	Uploaded,
	/// Its offer is being posted; after a crash it may be on the chain or not.
	Posting {
		/// The offer's deadline, milliseconds since the Unix epoch.
		completion_deadline: Moment,
	},
	/// Its offer is open.
	Offered {
		/// The offer.
		job_offer: JobOfferId,
		/// Its deadline, milliseconds since the Unix epoch.
		completion_deadline: Moment,
	},
	/// It is matched.
	Matched {
		/// The match.
		match_id: MatchId,
		/// Its offer.
		job_offer: JobOfferId,
		/// Who runs it.
		provider: AccountId,
		/// Who would decide a dispute.
		mediator: AccountId,
		/// The last millisecond for the result.
		completion_deadline: Moment,
	},
	/// It is over.
	Done(Closed),
	/// It was taken back, or nobody took it in time.
	Withdrawn {
		/// Why.
		because: String,
	},
}

impl Stage {
	/// Whether nothing more will happen.
	pub fn is_over(&self) -> bool {
		matches!(self, Self::Done(_) | Self::Withdrawn { .. })
	}

	/// The job's offer, once it is on the chain.
	pub fn job_offer(&self) -> Option<JobOfferId> {
		match self {
			Self::Offered { job_offer, .. } | Self::Matched { job_offer, .. } => Some(*job_offer),
			_ => None,
		}
	}

	/// Who runs the job, or did.
	pub fn provider(&self) -> Option<AccountId> {
		match self {
			Self::Matched { provider, .. } => Some(*provider),
			Self::Done(closed) => closed.provider,
			_ => None,
		}
	}

	/// The stage in a word.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Packed => "packed",
			Self::Uploaded => "uploaded",
			Self::Posting { .. } => "posting",
			Self::Offered { .. } => "offered",
			Self::Matched { .. } => "matched",
			Self::Done(_) => "done",
			Self::Withdrawn { .. } => "withdrawn",
		}
	}
}

/// A job of this creator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
	/// Its files and descriptor.
	pub package: Package,
	/// What was asked for.
	pub plan: Plan,
	/// How far it got.
	pub stage: Stage,
	/// When it got there, milliseconds since the Unix epoch.
	pub since: Moment,
	/// The next finalised block to look at.
	pub next_block: u64,
	/// What was made of the result of the present match, once that is decided.
	pub judgement: Option<Judgement>,
	/// Matches before the present one, which others failed.
	pub failed: Vec<Closed>,
	/// Whether its owner wants it back.
	pub cancelled: bool,
	/// Files of the output, once it is written.
	pub outputs: Vec<PathBuf>,
	/// Tells the job from those of other machines of this account, which count from 1 as well.
	#[serde(default)]
	pub tag: String,
	/// The job that this one is to verify, by another provider's result.
	#[serde(default)]
	pub duplicate_of: Option<DuplicateOf>,
	/// The jobs that are to verify this one.
	#[serde(default)]
	pub duplicates: Vec<u64>,
	/// The present match's result, where it is compared with those of other providers.
	#[serde(default)]
	pub answer: Option<Answer>,
}

impl JobRecord {
	/// A job that is packed, and no more.
	pub fn new(package: Package, plan: Plan) -> Self {
		Self {
			package,
			plan,
			stage: Stage::Packed,
			since: super::now(),
			next_block: 0,
			judgement: None,
			failed: Vec::new(),
			cancelled: false,
			outputs: Vec::new(),
			tag: format!("{:08x}", rand::random::<u32>()),
			duplicate_of: None,
			duplicates: Vec::new(),
			answer: None,
		}
	}

	/// Whether there is an output that is not where its owner wants it yet.
	pub fn wants_delivery(&self) -> bool {
		let has_output = matches!(&self.stage, Stage::Done(closed) if closed.has_output());
		has_output && self.outputs.is_empty() && self.duplicate_of.is_none()
	}

	/// The repository's last part: the job's name, its number and its tag, so that no two jobs share one.
	pub fn repository_name(&self, number: u64) -> String {
		let separator = if self.tag.is_empty() { "" } else { "-" };
		format!("{}-{number}{separator}{}", self.package.name, self.tag)
	}
}

/// The creator's jobs, by number.
#[derive(Clone)]
pub struct Jobs(Store);

impl Jobs {
	/// Those in a store.
	pub fn new(store: &Store) -> Self {
		Self(store.clone())
	}

	/// Adds a job and returns its number.
	///
	/// # Errors
	/// The store cannot be written.
	pub async fn add(&self, make: impl FnOnce(u64) -> JobRecord + Send + 'static) -> Outcome<u64> {
		self.0.add(JOB, make).await
	}

	/// A job.
	///
	/// # Errors
	/// There is none of this number.
	pub fn get(&self, number: u64) -> Outcome<JobRecord> {
		self.0.get(&key(JOB, number))?.ok_or_else(|| {
			Failure::not_found(format!("there is no job {number}: `modicum job list` shows them"))
		})
	}

	/// Writes a job down, but for whether its owner, perhaps by another process, wants it back: that is returned.
	///
	/// # Errors
	/// The store cannot be written.
	pub async fn put(&self, number: u64, record: &JobRecord) -> Outcome<bool> {
		let record = record.clone();
		let revise = move |old: &mut JobRecord| {
			*old = JobRecord { cancelled: old.cancelled, ..record };
			u64::from(old.cancelled)
		};
		Ok(self.0.revise(&key(JOB, number), revise).await? == 1)
	}

	/// Writes down that a job's owner wants it back.
	///
	/// # Errors
	/// The store cannot be written.
	pub async fn cancel(&self, number: u64) -> Outcome<()> {
		let revise = |old: &mut JobRecord| {
			old.cancelled = true;
			1
		};
		self.0.revise(&key(JOB, number), revise).await.map(|_| ())
	}

	/// All jobs.
	///
	/// # Errors
	/// The store cannot be read.
	pub fn all(&self) -> Outcome<Vec<(u64, JobRecord)>> {
		self.0.all(JOB)
	}

	/// The folder of a job's files.
	///
	/// # Errors
	/// It cannot be made.
	pub fn folder(&self, number: u64) -> Outcome<PathBuf> {
		self.0.work(&format!("jobs/{number}"))
	}

	/// Claims a job for this process; `None` if another drives it.
	///
	/// # Errors
	/// The lock cannot be written.
	pub fn claim(&self, number: u64) -> Outcome<Option<super::store::Claim>> {
		self.0.claim(&format!("job{number}"))
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use modicum_primitives::{Payout, Verdict};

	#[test]
	fn every_stage_is_read_as_it_was_written() {
		let (who, amount) = (AccountId([7; 32]), u128::MAX - 1);
		let payout = Payout { to_counterparty: amount, ..Payout::default() };
		let closed = Closed {
			match_id: 3,
			provider: Some(who),
			ending: Ending::Mediated(Verdict::WrongResults),
			settlement: Settlement { from_creator: payout, from_provider: payout },
			result: None,
		};
		for stage in [
			Stage::Packed,
			Stage::Uploaded,
			Stage::Posting { completion_deadline: 5 },
			Stage::Offered { job_offer: 1, completion_deadline: 5 },
			Stage::Matched {
				match_id: 3,
				job_offer: 1,
				provider: who,
				mediator: who,
				completion_deadline: 5,
			},
			Stage::Done(closed),
			Stage::Withdrawn { because: "cancelled".into() },
		] {
			let json = serde_json::to_vec(&stage).unwrap();
			assert_eq!(serde_json::from_slice::<Stage>(&json).unwrap(), stage);
		}
	}
}
