// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Runs untrusted jobs in containers: isolated, limited and metered.
//!
//! Provider, mediator and job creator use the same executor, so that a job ends the same way for all of them:
//! [`Executor::prepare`] checks a job's files and loads them, [`Executor::run`] runs it and reports, and
//! [`Executor::clean_up`] leaves nothing behind. [`DockerExecutor`] is the real one. What owners of machines should
//! know is in `docs/executor.md`.

pub mod descriptor;
pub mod digest;
pub mod docker;
pub mod doctor;
pub mod layer;
pub mod output;
pub mod status;

mod cgroup;
mod counter;
mod error;
mod executor;
mod extension;
mod meter;
mod null;
mod run;

pub use self::{
	descriptor::{Job, JobDescriptor},
	digest::Digest,
	docker::{DockerConfig, DockerExecutor},
	doctor::{DoctorReport, Finding, Severity},
	error::{ExecutorError, JobFault, Result},
	executor::{Executor, LogChunk, RecoveredRun, RunPhase},
	layer::Layer,
	meter::Calibration,
	null::NullExecutor,
	run::{CpuSet, Figures, RunId, RunOptions, RunReport},
	status::Ending,
};
