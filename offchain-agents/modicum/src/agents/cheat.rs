// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Scripted cheaters, for tests and the demonstration: they show that cheating loses. Never on by default, and each
//! says loudly what it does.

use crate::{
	agents::runner::Executed,
	failure::{Failure, Outcome},
};
use clap::ValueEnum;
use modicum_chain_client::AccountId;
use modicum_executor::{Digest, Figures, RunReport};
use modicum_primitives::{JobTerms, ResultStatus, Run, Usage, NO_HASH};
use std::path::Path;

/// How a provider cheats.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderCheat {
	/// Makes up an output instead of running the job.
	ForgesResults,
	/// Runs the job and charges for all that its limits allow.
	Overcharges,
	/// Takes jobs and never posts a result.
	NeverAnswers,
	/// Claims that a job which ran well has failed.
	ClaimsFalseStatus,
}

/// How a creator cheats.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreatorCheat {
	/// Rejects results that are right.
	RejectsGoodResults,
	/// Posts a job and never looks after it.
	Vanishes,
}

/// How a mediator cheats.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediatorCheat {
	/// Never posts evidence.
	StaysSilent,
}

impl ProviderCheat {
	/// What the cheater posts instead of what came of the job.
	pub fn apply(self, honest: Executed, terms: &JobTerms<AccountId>) -> Executed {
		tracing::warn!(cheat = ?self, "this provider cheats, as it was told to");
		match self {
			Self::NeverAnswers | Self::ForgesResults => honest,
			Self::Overcharges => {
				let usage = Usage { instructions: terms.limits.instructions, ..honest.run.usage };
				Executed { run: Run { usage, ..honest.run }, ..honest }
			},
			Self::ClaimsFalseStatus => {
				let (status, result_hash) = (ResultStatus::ExceptionOccurred, NO_HASH);
				let report = honest.report.map(|report| RunReport { output: None, ..report });
				Executed { run: Run { status, result_hash, ..honest.run }, report, ..honest }
			},
		}
	}
}

/// A made-up result: an empty archive as output, and half of what the limits allow as usage.
///
/// # Errors
/// The output cannot be written.
pub fn forged(terms: &JobTerms<AccountId>, work: &Path) -> Outcome<Executed> {
	let archive = [0_u8; 10_240];
	let path = work.join("forged.tar");
	std::fs::create_dir_all(work).map_err(|error| Failure::file(work, error))?;
	std::fs::write(&path, archive).map_err(|error| Failure::file(&path, error))?;
	let hash = Digest::of(&archive);
	let usage = Usage {
		instructions: terms.limits.instructions / 2,
		bandwidth: terms.limits.bandwidth / 2,
	};
	let run = Run { status: ResultStatus::Completed, result_hash: hash.0, usage };
	let report = RunReport {
		run: "forged".parse().map_err(Failure::internal)?,
		executor: "docker".into(),
		status: run.status,
		reason: "the program ended with exit code 0".into(),
		result_hash: Some(hash),
		usage,
		meter: terms.meter,
		figures: Figures::default(),
		log: None,
		output: Some(path),
	};
	let reason = report.reason.clone();
	Ok(Executed { run, reason, report: Some(report) })
}
