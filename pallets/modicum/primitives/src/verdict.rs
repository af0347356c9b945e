// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From evidence to verdict. Source: docs/protocol.md §7.

use crate::{
	text::names, Evidence, FaultyParty, Meter, ResultStatus, Run, Usage, PARTS_PER_MILLION,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What the evidence says. Each verdict blames exactly one party.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
	/// The directory was not available.
	#[codec(index = 0)]
	DirectoryUnavailable,
	/// The provider's result is not on the directory.
	#[codec(index = 1)]
	ResultNotFound,
	/// The mediator's own runs contradict each other.
	#[codec(index = 2)]
	NonDeterministicJob,
	/// The job ends otherwise than the provider says.
	#[codec(index = 3)]
	InvalidResultStatus,
	/// The job's output is another than the provider's.
	#[codec(index = 4)]
	WrongResults,
	/// The provider claims more usage than the tolerance allows.
	#[codec(index = 5)]
	TooMuchCost,
	/// The rejection was unfounded.
	#[codec(index = 6)]
	CorrectResults,
}
names!(Verdict, "verdict", {
	DirectoryUnavailable => "directory-unavailable",
	ResultNotFound => "result-not-found",
	NonDeterministicJob => "non-deterministic-job",
	InvalidResultStatus => "invalid-result-status",
	WrongResults => "wrong-results",
	TooMuchCost => "too-much-cost",
	CorrectResults => "correct-results",
});

impl Verdict {
	/// Whom the verdict blames.
	pub const fn faulty_party(self) -> FaultyParty {
		match self {
			Self::DirectoryUnavailable => FaultyParty::Directory,
			Self::ResultNotFound
			| Self::InvalidResultStatus
			| Self::WrongResults
			| Self::TooMuchCost => FaultyParty::ResourceProvider,
			Self::NonDeterministicJob | Self::CorrectResults => FaultyParty::JobCreator,
		}
	}
}

/// The terms of a match that a verdict depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictTerms {
	/// The job's instruction limit.
	pub instruction_limit: u64,
	/// How instructions were counted.
	pub meter: Meter,
	/// How far the provider's figures may lie above the mediator's largest, in parts per million, besides the meter's
	/// [`noise`](Meter::noise).
	pub cost_tolerance: u32,
}

/// How two executions of one job compare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
	Agree,
	StatusDiffers,
	HashDiffers,
}

/// The verdict on the provider's `result`, given what the mediator found.
///
/// Total: every pair of result and evidence has exactly one verdict. The rows of docs/protocol.md §7 are tried
/// from the top; the first that applies decides. Runs are compared with each other before they are compared
/// with the provider's result, so that a job that cannot be repeated is never held against the provider. Evidence
/// of no runs at all, which the chain refuses, contradicts nothing.
pub fn derive_verdict(result: &Run, evidence: &Evidence, terms: &VerdictTerms) -> Verdict {
	let runs = match evidence {
		Evidence::DirectoryUnavailable => return Verdict::DirectoryUnavailable,
		Evidence::ResultNotOnDirectory => return Verdict::ResultNotFound,
		Evidence::Runs(runs) => runs,
	};
	let contradictory = runs.iter().enumerate().any(|(index, run)| {
		runs.iter().skip(index + 1).any(|other| compare(run, other, terms) != Comparison::Agree)
	});
	if contradictory {
		return Verdict::NonDeterministicJob;
	}
	let differs_in = |kind: Comparison| runs.iter().any(|run| compare(result, run, terms) == kind);
	if differs_in(Comparison::StatusDiffers) {
		return Verdict::InvalidResultStatus;
	}
	if differs_in(Comparison::HashDiffers) {
		return Verdict::WrongResults;
	}
	match evidence.measured() {
		Some(measured) if exceeds(&result.usage, &measured, terms) => Verdict::TooMuchCost,
		_ => Verdict::CorrectResults,
	}
}

fn compare(one: &Run, other: &Run, terms: &VerdictTerms) -> Comparison {
	if one.status != other.status {
		return if at_the_limit(one, other, terms) {
			Comparison::Agree
		} else {
			Comparison::StatusDiffers
		};
	}
	if one.status.has_output() && one.result_hash != other.result_hash {
		Comparison::HashDiffers
	} else {
		Comparison::Agree
	}
}

/// Whether one run just finished where the other was just stopped: no contradiction if the meter varies.
fn at_the_limit(one: &Run, other: &Run, terms: &VerdictTerms) -> bool {
	let finished = match (one.status, other.status) {
		(ResultStatus::Completed, ResultStatus::InstructionsExceeded) => one,
		(ResultStatus::InstructionsExceeded, ResultStatus::Completed) => other,
		_ => return false,
	};
	let is_too_far = terms.are_too_many(terms.instruction_limit, finished.usage.instructions);
	!terms.meter.is_exact() && !is_too_far
}

fn exceeds(claimed: &Usage, measured: &Usage, terms: &VerdictTerms) -> bool {
	terms.are_too_many(claimed.instructions, measured.instructions)
		|| is_above(claimed.bandwidth, measured.bandwidth, terms.cost_tolerance, 0)
}

impl VerdictTerms {
	/// Whether so many instructions are more than a run that was measured at `measured` explains.
	fn are_too_many(&self, instructions: u64, measured: u64) -> bool {
		is_above(instructions, measured, self.cost_tolerance, self.meter.noise())
	}
}

/// `figure > base · (1 + tolerance) + noise`, exactly.
fn is_above(figure: u64, base: u64, tolerance: u32, noise: u64) -> bool {
	// 64 bits times 33 bits cannot overflow 128, nor can the sum of two such.
	let unit = u128::from(PARTS_PER_MILLION);
	let most = u128::from(base) * (unit + u128::from(tolerance)) + u128::from(noise) * unit;
	u128::from(figure) * unit > most
}
