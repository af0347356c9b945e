// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From what a person has, a folder with a `job.toml` or an image of the local engine, to a job that can be
//! uploaded, and from a result back to files. Neither the chain nor a directory is needed here.
//!
//! - [`JobFile::read`] and [`JobFile::pack`]: a folder becomes a [`Package`].
//! - [`unpack_output`]: a result becomes files.

mod base;
mod error;
mod job_file;
mod layer;
mod pack;
mod paths;
mod unpack;

pub use self::{
	base::resolve_base,
	error::{PackagingError, Result},
	job_file::{ExecutionSource, JobFile, JOB_FILE_NAME, MAX_NAME_CHARS},
	pack::{Package, Progress},
	unpack::unpack_output,
};
