// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The things that offers, results and evidence are made of. Source: docs/protocol.md §§1, 3, 5 and 7.

use crate::{hexadecimal, text::names};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// An amount in the smallest unit of the token (12 decimals).
pub type Balance = u128;
/// Milliseconds: a point in time since the Unix epoch, or a length of time where the name says so.
pub type Moment = u64;
/// Number of a job offer, counted up from 0.
pub type JobOfferId = u64;
/// Number of a resource offer, counted up from 0.
pub type ResourceOfferId = u64;
/// Number of a match, counted up from 0.
pub type MatchId = u64;
/// SHA-256.
pub type Hash = [u8; 32];
/// A preinstalled bottom image, identified by its OCI ChainID.
pub type BaseLayer = [u8; 32];

/// The hash that stands for "there is no output to compare".
pub const NO_HASH: Hash = [0; 32];

/// Processor architecture that a job is built for and a machine runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
	/// 64-bit x86.
	#[codec(index = 0)]
	Amd64,
	/// 64-bit ARM.
	#[codec(index = 1)]
	Arm64,
	/// 32-bit ARM with hardware floating point.
	#[codec(index = 2)]
	Armv7,
}
names!(Architecture, "architecture", { Amd64 => "amd64", Arm64 => "arm64", Armv7 => "armv7" });

/// How instructions are counted. Figures of two meters cannot be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meter {
	/// Processor time multiplied by a declared rate. Works everywhere, varies from run to run.
	#[codec(index = 0)]
	CpuTime,
	/// The processor's counter of retired instructions. Varies by a few per cent.
	#[codec(index = 1)]
	HardwareInstructions,
	/// Fuel of a WebAssembly machine. The same in every run on every machine.
	#[codec(index = 2)]
	WasmFuel,
}
names!(Meter, "meter", {
	CpuTime => "cpu-time",
	HardwareInstructions => "hardware-instructions",
	WasmFuel => "wasm-fuel",
});

impl Meter {
	/// Whether two honest runs of one job always give the same figure.
	pub const fn is_exact(self) -> bool {
		matches!(self, Self::WasmFuel)
	}

	/// Instructions by which two honest runs of a job may differ, however short the job is (docs/adr/0105). By
	/// processor time a tenth of a second's worth: on a busy machine, a start alone may take that much more.
	pub const fn noise(self) -> u64 {
		match self {
			Self::CpuTime => 200_000_000,
			Self::HardwareInstructions | Self::WasmFuel => 0,
		}
	}
}

/// What one run used, and what it is billed by (Eq. 1).
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct Usage {
	/// Instructions, as counted by the offer's meter.
	pub instructions: u64,
	/// Bytes transferred to fetch the job and to store its result.
	pub bandwidth: u64,
}

impl Usage {
	/// The larger of each figure.
	pub fn max(self, other: Self) -> Self {
		Self {
			instructions: self.instructions.max(other.instructions),
			bandwidth: self.bandwidth.max(other.bandwidth),
		}
	}

	/// Whether both figures are within the limits.
	pub fn is_within(&self, limits: &Resources) -> bool {
		self.instructions <= limits.instructions && self.bandwidth <= limits.bandwidth
	}
}

/// Prices, in balance **per 10^9** instructions and per 10^9 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct Prices {
	/// Balance per 10^9 instructions.
	pub instruction: Balance,
	/// Balance per 10^9 bytes.
	pub bandwidth: Balance,
}

impl Prices {
	/// Whether nothing at all would be charged.
	pub const fn is_free(&self) -> bool {
		self.instruction == 0 && self.bandwidth == 0
	}
}

/// The limits of a job, or the caps of a resource offer.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct Resources {
	/// Instructions.
	pub instructions: u64,
	/// Bytes of memory.
	pub ram: u64,
	/// Bytes of disk.
	pub storage: u64,
	/// Bytes transferred.
	pub bandwidth: u64,
}

impl Resources {
	/// The most that a run within these limits can be billed for.
	pub const fn billable(&self) -> Usage {
		Usage { instructions: self.instructions, bandwidth: self.bandwidth }
	}

	/// Whether any of the four is zero: no job can run on it.
	pub const fn has_zero(&self) -> bool {
		self.instructions == 0 || self.ram == 0 || self.storage == 0 || self.bandwidth == 0
	}
}

/// What a job creator asks for. The place of the job (its URI) is kept beside the terms.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct JobTerms<AccountId> {
	/// The directory that holds the job and will hold its result.
	pub directory: AccountId,
	/// SHA-256 of the job as uploaded.
	#[serde(with = "hexadecimal")]
	pub job_hash: Hash,
	/// The preinstalled image that the job stands on.
	#[serde(with = "hexadecimal")]
	pub base_layer: BaseLayer,
	/// What the job is built for.
	pub architecture: Architecture,
	/// The most that one run may use.
	pub limits: Resources,
	/// The most that the creator pays.
	pub max_prices: Prices,
	/// The most that the creator pays the mediator and the directory together for being available.
	pub max_availability_fee: Balance,
	/// The last millisecond at which a result may be posted; also the last at which the offer is matched.
	pub completion_deadline: Moment,
	/// What the creator pays the solver.
	pub match_incentive: Balance,
	/// How instructions are counted.
	pub meter: Meter,
}

/// What a resource provider offers. One offer serves one match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct ResourceTerms {
	/// The most that a job may use.
	pub caps: Resources,
	/// What the provider charges.
	pub prices: Prices,
	/// The most that the provider pays the mediator and the directory together for being available.
	pub max_availability_fee: Balance,
	/// What the provider pays the solver.
	pub match_incentive: Balance,
	/// How instructions are counted.
	pub meter: Meter,
	/// The last millisecond at which the offer can be matched; `None` until it is cancelled.
	pub expires_at: Option<Moment>,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultStatus {
	/// The job ran to its end.
	#[codec(index = 0)]
	Completed,
	/// The provider does not run this job.
	#[codec(index = 1)]
	Declined,
	/// The job's description cannot be understood.
	#[codec(index = 2)]
	JobDescriptionError,
	/// The directory answers, but does not have the job.
	#[codec(index = 3)]
	JobNotFound,
	/// The job wanted more memory than its limit.
	#[codec(index = 4)]
	MemoryExceeded,
	/// The job wanted more disk than its limit.
	#[codec(index = 5)]
	StorageExceeded,
	/// The job wanted more instructions than its limit.
	#[codec(index = 6)]
	InstructionsExceeded,
	/// The job wanted more bandwidth than its limit.
	#[codec(index = 7)]
	BandwidthExceeded,
	/// The job ended itself with an error.
	#[codec(index = 8)]
	ExceptionOccurred,
	/// The directory does not answer.
	#[codec(index = 9)]
	DirectoryUnavailable,
}
names!(ResultStatus, "result status", {
	Completed => "completed",
	Declined => "declined",
	JobDescriptionError => "job-description-error",
	JobNotFound => "job-not-found",
	MemoryExceeded => "memory-exceeded",
	StorageExceeded => "storage-exceeded",
	InstructionsExceeded => "instructions-exceeded",
	BandwidthExceeded => "bandwidth-exceeded",
	ExceptionOccurred => "exception-occurred",
	DirectoryUnavailable => "directory-unavailable",
});

impl ResultStatus {
	/// Whether a run of this status has an output whose hash can be compared.
	pub const fn has_output(self) -> bool {
		matches!(self, Self::Completed)
	}

	/// Whether a run of this status can have executed anything (docs/protocol.md §5).
	pub const fn may_have_run(self) -> bool {
		!matches!(self, Self::Declined | Self::JobNotFound | Self::DirectoryUnavailable)
	}
}

/// Why a job creator rejects a result. It opens mediation; the verdict comes from evidence, not from it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectReason {
	/// The output is wrong.
	#[codec(index = 0)]
	WrongResults,
	/// The output is not on the directory.
	#[codec(index = 1)]
	ResultNotFound,
	/// The usage claimed is too high.
	#[codec(index = 2)]
	TooMuchCost,
	/// The status claimed is wrong.
	#[codec(index = 3)]
	InvalidResultStatus,
	/// The directory does not answer.
	#[codec(index = 4)]
	DirectoryUnavailable,
}
names!(RejectReason, "reason", {
	WrongResults => "wrong-results",
	ResultNotFound => "result-not-found",
	TooMuchCost => "too-much-cost",
	InvalidResultStatus => "invalid-result-status",
	DirectoryUnavailable => "directory-unavailable",
});

/// One execution of a job, as its executor reports it: the provider's result, or one run of the mediator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct Run {
	/// How it ended.
	pub status: ResultStatus,
	/// Hash of the output for `Completed`, [`NO_HASH`] for every other status.
	#[serde(with = "hexadecimal")]
	pub result_hash: Hash,
	/// What it used.
	pub usage: Usage,
}

/// What a mediator found. The chain derives the verdict from it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
	/// The job was run; as many runs as the match's verification count.
	#[codec(index = 0)]
	Runs(Vec<Run>),
	/// The directory answers, but does not have the result that the provider claims to have stored.
	#[codec(index = 1)]
	ResultNotOnDirectory,
	/// The directory did not answer, or its uptime record has a hole where the parties needed it.
	#[codec(index = 2)]
	DirectoryUnavailable,
}

impl Evidence {
	/// The largest figures of all runs; `None` without runs.
	pub fn measured(&self) -> Option<Usage> {
		match self {
			Self::Runs(runs) => runs.iter().map(|run| run.usage).reduce(Usage::max),
			_ => None,
		}
	}
}

/// Who a verdict blames.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultyParty {
	/// The job creator.
	#[codec(index = 0)]
	JobCreator,
	/// The resource provider.
	#[codec(index = 1)]
	ResourceProvider,
	/// The directory.
	#[codec(index = 2)]
	Directory,
}
names!(FaultyParty, "faulty party", {
	JobCreator => "job-creator",
	ResourceProvider => "resource-provider",
	Directory => "directory",
});

/// What an account has done in closed matches: all that stays on chain of them.
///
/// An account that takes part in a match in two roles (say, mediator and directory) is counted once for each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct PartyRecord {
	/// Matches that ended in acceptance.
	pub completed: u32,
	/// Verdicts against this account.
	pub faulted: u32,
	/// Completion or mediation deadlines that this account missed.
	pub timed_out: u32,
	/// Matches that ended in a verdict.
	pub mediated: u32,
}
