// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From what a person has, a folder with a `job.toml` or an image of the local engine, to a job that can be
//! uploaded, and from a result back to files. Neither the chain nor a directory is needed here.
//!
//! - [`JobFile::read`] and [`JobFile::pack`]: a folder becomes a [`Package`].
//! - [`pack_image`]: an image of the local engine does.
//! - [`profile`]: limits for a job, proposed from a run on this machine.
//! - [`lint`]: whether a job gives the same result twice.
//! - [`unpack_output`]: a result becomes files.

mod base;
mod compare;
mod error;
mod hint;
mod image;
mod job_file;
mod layer;
mod lint;
mod merge;
mod pack;
mod paths;
mod profile;
mod trial;
mod unpack;

pub use self::{
	base::resolve_base,
	compare::Difference,
	error::{PackagingError, Result},
	hint::Hint,
	image::{pack_image, ImageOptions},
	job_file::{ExecutionSource, JobFile, JOB_FILE_NAME, MAX_NAME_CHARS},
	lint::{lint, Finding, LintReport, LintRun},
	pack::{Package, Progress},
	profile::{profile, Profile, ProfileOptions, GENEROUS_LIMITS},
	unpack::unpack_output,
};
