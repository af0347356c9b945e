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
//!
//! A `job.toml` with every key, where those that may be missing say so:
//!
//! ```toml
//! name = "ray-tracing"             # 1 to 40 of a-z, 0-9 and '-'
//! base = "busybox"                 # a base that a script in docker/bases made, or "sha256:…", its ChainID
//! build = "build.sh"               # called with a folder to fill with the execution layer's files;
//! # execution = "root"             # or, instead, a folder that has them
//! input = "input"                  # may be missing: the folder or file that the job finds below /input
//! command = ["/opt/povray/bin/povray", "/input/scene.pov"]
//! working_directory = "/out"       # may be missing, as here
//! meter = "cpu-time"               # may be missing, as here
//!
//! [environment]                    # may be missing
//! POVINC = "/opt/povray/include"
//!
//! [limits]                         # `modicum job profile` proposes them
//! instructions = 60000000000
//! ram = "256 MiB"                  # bytes as a number, or with KB, MB, GB, KiB, MiB, GiB
//! storage = "16 MiB"
//! bandwidth = "64 MiB"             # the job's files and its output
//! ```

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
