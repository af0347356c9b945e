// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What there is to a job beside submitting one folder: limits from a trial, a test of its determinism, jobs from
//! images, and many jobs from one folder.

use crate::{
	agents::{creator::Driver, jobs::Jobs, runner::Runner, Agent},
	commands::{
		executor,
		job::tell,
		job_show::{ended, Shown},
		job_submit::{pack, say_progress},
	},
	config::ExecutorKind,
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::Report,
};
use clap::Args;
use modicum_executor::{descriptor::DESCRIPTOR_VERSION, Digest, JobDescriptor, Layer};
use modicum_packaging::{
	lint, pack_image, profile, ImageOptions, JobFile, LintReport, Package, Profile, ProfileOptions,
	GENEROUS_LIMITS, JOB_FILE_NAME, MAX_NAME_CHARS,
};
use modicum_primitives::{Architecture, Resources};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
};

/// Arguments of `job profile`.
#[derive(Args, Debug, Clone)]
pub struct ProfileArgs {
	/// A folder with a job.toml
	pub folder: PathBuf,
	/// What to add to what was measured, as a part of it, from 0 to 100
	#[arg(long, default_value_t = 1.0, value_name = "PART")]
	pub margin: f64,
	/// Write the limits to job.toml
	#[arg(long)]
	pub write: bool,
}

/// Arguments of `job lint`.
#[derive(Args, Debug, Clone)]
pub struct LintArgs {
	/// A folder with a job.toml
	pub folder: PathBuf,
}

/// What an image does not say.
#[derive(Args, Debug, Clone, Default)]
pub struct ImageArgs {
	/// Make the job of this image of the local engine, with the four limits
	#[arg(long, conflicts_with_all = ["folder", "sweep"], requires_all = ["instructions", "ram", "storage", "bandwidth"])]
	pub image: Option<String>,
	/// The job's name [default: one made of the image's]
	#[arg(long, requires = "image")]
	pub name: Option<String>,
	/// The program and then each argument, one --command for each [default: the image's]
	#[arg(long, value_name = "WORD", num_args = 1, allow_hyphen_values = true, requires = "image")]
	pub command: Vec<String>,
	/// Limit of instructions
	#[arg(long, value_name = "COUNT", requires = "image")]
	pub instructions: Option<u64>,
	/// Limit of memory, such as 256MiB
	#[arg(long, value_name = "SIZE", requires = "image")]
	pub ram: Option<bytesize::ByteSize>,
	/// Limit of the output's size
	#[arg(long, value_name = "SIZE", requires = "image")]
	pub storage: Option<bytesize::ByteSize>,
	/// Limit of what is transferred: the job's files and its output
	#[arg(long, value_name = "SIZE", requires = "image")]
	pub bandwidth: Option<bytesize::ByteSize>,
}

impl ImageArgs {
	fn limits(&self) -> Option<Resources> {
		Some(Resources {
			instructions: self.instructions?,
			ram: self.ram?.0,
			storage: self.storage?.0,
			bandwidth: self.bandwidth?.0,
		})
	}
}

/// A folder for the files of a trial, gone with it.
struct Scratch(PathBuf);

impl Scratch {
	fn new(context: &Context) -> Self {
		let name = format!("trial-{}-{}", crate::agents::now(), std::process::id());
		Self(context.config.executor_folder().join("trials").join(name))
	}
}

impl Drop for Scratch {
	fn drop(&mut self) {
		let _ = std::fs::remove_dir_all(&self.0);
	}
}

#[derive(Serialize)]
struct Profiled {
	#[serde(flatten)]
	profile: Profile,
	/// Where the limits were written to.
	written: Option<PathBuf>,
}

impl Report for Profiled {
	fn text(&self) -> String {
		let mut text = self.profile.to_string();
		if let Some(file) = &self.written {
			text.push_str(&format!("\nwritten to {}", file.display()));
		}
		text.trim_end().into()
	}
}

/// Runs `job profile`.
///
/// # Errors
/// The job cannot be packed or does not complete, or the engine or a file fails.
pub async fn run_profile(context: &Context, args: ProfileArgs) -> Outcome {
	let mut file = JobFile::read(&args.folder)?;
	file.limits = Some(GENEROUS_LIMITS);
	let scratch = Scratch::new(context);
	let package = pack(context, file, None, scratch.0.clone()).await?;
	let executor = executor::executor(context, "creator").await?;
	let options = ProfileOptions { margin: args.margin, ..ProfileOptions::default() };
	let profile = profile(executor.as_ref(), &package, &options).await?;
	let written = args.write.then(|| args.folder.join(JOB_FILE_NAME));
	if let Some(file) = &written {
		let old = std::fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
		let new = with_limits(&old, &profile.to_string()).ok_or_else(|| {
			let message =
				format!("its section [limits] cannot be replaced; do it by hand:\n{profile}");
			Failure::file(file, message)
		})?;
		let fresh = file.with_extension("toml.new");
		let written = std::fs::write(&fresh, new).and_then(|()| std::fs::rename(&fresh, file));
		written.map_err(|error| Failure::file(file, error))?;
	}
	context.print(&Profiled { profile, written });
	Ok(Exit::Success)
}

/// A job.toml with other limits and nothing else changed; `None` if its section of limits is written in a way that
/// is not understood.
fn with_limits(old: &str, limits: &str) -> Option<String> {
	let is_header = |line: &str| line.trim_start().starts_with('[');
	let (mut before, mut after) = (String::new(), String::new());
	let (mut is_found, mut is_over) = (false, false);
	for line in old.split_inclusive('\n') {
		if !is_found && line.split('#').next().unwrap_or_default().trim() == "[limits]" {
			is_found = true;
		} else if !is_found {
			before.push_str(line);
		} else {
			is_over |= is_header(line);
			if is_over {
				after.push_str(line);
			}
		}
	}
	if !before.is_empty() && !before.ends_with('\n') {
		before.push('\n');
	}
	if !is_found && !before.is_empty() {
		before.push('\n');
	}
	if !after.is_empty() {
		after.insert(0, '\n');
	}
	let new = format!("{before}{limits}{after}");
	// Whatever the lines were, the keys must be the same.
	let (mut was, mut is) = (old.parse::<toml::Table>().ok()?, new.parse::<toml::Table>().ok()?);
	let wanted = limits.parse::<toml::Table>().ok()?;
	was.remove("limits");
	(is.remove("limits").as_ref() == wanted.get("limits") && was == is).then_some(new)
}

#[derive(Serialize)]
struct Linted {
	deterministic: bool,
	#[serde(flatten)]
	report: LintReport,
}

impl Report for Linted {
	fn text(&self) -> String {
		self.report.to_string().trim_end().into()
	}
}

/// Runs `job lint`.
///
/// # Errors
/// The job cannot be packed, or the engine fails.
pub async fn run_lint(context: &Context, args: LintArgs) -> Outcome {
	let mut file = JobFile::read(&args.folder)?;
	file.limits.get_or_insert(GENEROUS_LIMITS);
	let scratch = Scratch::new(context);
	let package = pack(context, file, None, scratch.0.clone()).await?;
	let executor = executor::executor(context, "creator").await?;
	let report = lint(executor.as_ref(), &package).await?;
	let deterministic = report.is_deterministic();
	context.print(&Linted { deterministic, report });
	Ok(if deterministic { Exit::Success } else { Exit::CheckFailed })
}

/// Packs an image of the local engine into the folder `work`.
///
/// # Errors
/// There is no engine or no such image, or it cannot become a job.
pub async fn from_image(
	context: &Context,
	args: &ImageArgs,
	input: Option<PathBuf>,
	work: &Path,
) -> Outcome<Package> {
	if context.config.executor.kind != ExecutorKind::Docker {
		let message = "images are on a container engine: set executor.kind to \"docker\"";
		return Err(Failure::new(Exit::Config, message));
	}
	let (Some(image), Some(limits)) = (&args.image, args.limits()) else {
		return Err(Failure::new(Exit::Usage, "an image needs all four limits"));
	};
	let options = ImageOptions {
		name: args.name.clone(),
		command: Some(args.command.clone()).filter(|command| !command.is_empty()),
		input,
		..ImageOptions::new(limits)
	};
	let engine = executor::connect(context, "creator").await?;
	let mut progress = say_progress(context.format);
	Ok(pack_image(&engine, image, &options, work, &mut progress).await?)
}

/// One line of a sweep: what is other than in job.toml.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
	name: Option<String>,
	/// Below the folder of the sweep's file, or absolute.
	input: Option<PathBuf>,
	#[serde(default)]
	environment: BTreeMap<String, String>,
	command: Option<Vec<String>>,
}

/// The jobs that a sweep's file makes of a job, each with its input if that is another.
///
/// # Errors
/// The file cannot be read, or has bad lines, all of which are named.
pub fn read_sweep(file: &JobFile, sweep: &Path) -> Outcome<Vec<(JobFile, Option<PathBuf>)>> {
	let text = std::fs::read_to_string(sweep).map_err(|error| Failure::file(sweep, error))?;
	let folder = sweep.parent().unwrap_or(Path::new("."));
	let (mut jobs, mut faults) = (Vec::new(), Vec::new());
	for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
		match read_line(file, folder, line) {
			Ok(job) => jobs.push(job),
			Err(fault) => faults.push(format!("line {}: {fault}", index + 1)),
		}
	}
	if jobs.is_empty() && faults.is_empty() {
		faults.push("it has no lines: one JSON object for each job".into());
	}
	if faults.is_empty() {
		return Ok(jobs);
	}
	Err(Failure::new(Exit::Usage, format!("{}:\n{}", sweep.display(), faults.join("\n"))))
}

fn read_line(
	file: &JobFile,
	folder: &Path,
	line: &str,
) -> Result<(JobFile, Option<PathBuf>), String> {
	let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
	let mut job = file.clone();
	if let Some(name) = line.name {
		let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
		let bytes = name.as_bytes();
		let ends = bytes.first().zip(bytes.last());
		if bytes.len() > MAX_NAME_CHARS
			|| !ends.is_some_and(|(first, last)| is_inner(*first) && is_inner(*last))
			|| !bytes.iter().all(|byte| is_inner(*byte) || *byte == b'-')
		{
			return Err(format!(
				"name: must be 1 to {MAX_NAME_CHARS} of a-z, 0-9 and '-', with a letter or digit at either end"
			));
		}
		job.name = name;
	}
	job.environment.extend(line.environment);
	if let Some(command) = line.command {
		job.command = command;
	}
	let input = line.input.map(|input| folder.join(input));
	if let Some(input) = &input {
		std::fs::metadata(input).map_err(|error| format!("input: {}: {error}", input.display()))?;
	}
	// By the executor's own rules, with something harmless for what is not known before packing.
	let digest = Digest([0; 32]);
	let descriptor = JobDescriptor {
		architecture: Architecture::Amd64,
		base: digest,
		command: job.command.clone(),
		data_layer: None,
		environment: job.environment.clone(),
		execution_layer: Layer { diff_id: digest, digest, size: 1, unpacked_size: 1 },
		limits: job.limits.unwrap_or(GENEROUS_LIMITS),
		meter: job.meter,
		version: DESCRIPTOR_VERSION,
		working_directory: job.working_directory.clone(),
	};
	descriptor.validate().map_err(|fault| fault.to_string())?;
	Ok((job, input))
}

/// Packs the jobs of a sweep; those with the same input share their files.
///
/// # Errors
/// One of them cannot be packed.
pub async fn pack_sweep(
	context: &Context,
	jobs: Vec<(JobFile, Option<PathBuf>)>,
	input: Option<&PathBuf>,
	work: &Path,
) -> Outcome<Vec<Package>> {
	let mut packed: BTreeMap<Option<PathBuf>, Package> = BTreeMap::new();
	let mut packages = Vec::new();
	for (job, own_input) in jobs {
		let input = own_input.or_else(|| input.cloned());
		let package = match packed.get(&input) {
			Some(package) => package.clone(),
			None => {
				let folder = work.join(packed.len().to_string());
				let package = pack(context, job.clone(), input.clone(), folder).await?;
				packed.insert(input, package.clone());
				package
			},
		};
		let JobFile { name, command, environment, .. } = job;
		let descriptor = JobDescriptor { command, environment, ..package.descriptor };
		packages.push(Package { name, descriptor, ..package });
	}
	Ok(packages)
}

/// How the jobs of a sweep ended.
#[derive(Serialize)]
struct Swept {
	/// Jobs whose output is here, or that are offered if no more was asked for.
	succeeded: usize,
	failed: usize,
	jobs: Vec<Shown>,
}

impl Report for Swept {
	fn text(&self) -> String {
		let mut lines: Vec<_> = self.jobs.iter().map(Report::text).collect();
		lines.push(format!("{} succeeded, {} failed", self.succeeded, self.failed));
		lines.join("\n")
	}
}

/// Drives all jobs of a sweep at once, and shows how each ended.
///
/// # Errors
/// The creator's store cannot be read. A job that fails is shown as such, and the others go on.
pub async fn drive_all(
	context: &Context,
	agent: &Agent,
	numbers: Vec<u64>,
	runner: Option<Arc<Runner>>,
	detach: bool,
) -> Outcome {
	let (jobs, tell) = (Jobs::new(&agent.store), tell(context.format));
	let (over, count) = (AtomicUsize::new(0), numbers.len());
	let driving = numbers.into_iter().map(|number| {
		let driver = Driver {
			agent: agent.clone(),
			jobs: jobs.clone(),
			number,
			runner: runner.clone(),
			tell: tell.clone(),
			cheat: None,
		};
		let (tell, over) = (&tell, &over);
		async move {
			let driven = if detach { driver.post_only().await } else { driver.drive().await };
			let driven = driven.as_ref().map(|record| ended(number, record));
			let ended = driven.unwrap_or_else(|failure| {
				(format!("{failure}; `modicum job wait {number}` goes on"), failure.exit)
			});
			let over = over.fetch_add(1, Ordering::Relaxed) + 1;
			tell(number, &format!("{}  ({over} of {count})", ended.0));
			(number, ended)
		}
	});
	let mut swept = Swept { succeeded: 0, failed: 0, jobs: Vec::new() };
	let driven = tokio::select! {
		driven = futures::future::join_all(driving) => driven,
		() = super::run::shutdown().cancelled_owned() => {
			let over = over.load(Ordering::Relaxed);
			let message = format!(
				"{over} of {count} jobs are over, the others go on: `modicum creator run` looks after all of them, \
				 `modicum job wait NUMBER` after one, `modicum job list` shows them"
			);
			return Err(Failure::new(Exit::Interrupted, message));
		},
	};
	for (number, (line, exit)) in driven {
		match exit {
			Exit::Success => swept.succeeded += 1,
			_ => swept.failed += 1,
		}
		swept.jobs.push(Shown::new(number, &jobs.get(number)?, line));
	}
	let exit = if swept.failed == 0 { Exit::Success } else { Exit::JobFailed };
	context.print(&swept);
	Ok(exit)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	const LIMITS: &str = "[limits]\ninstructions = 7\nram = \"1 MiB\"\n";

	#[test]
	fn limits_are_replaced_and_the_rest_stays() {
		let old = "name = \"a\"\n# why\n[limits] # old\ninstructions = 1\n\n[environment]\nX = \"[limits]\"\n";
		let new = "name = \"a\"\n# why\n[limits]\ninstructions = 7\nram = \"1 MiB\"\n\n[environment]\nX = \"[limits]\"\n";
		assert_eq!(with_limits(old, LIMITS).unwrap(), new);
		assert_eq!(with_limits(new, LIMITS).unwrap(), new);
		assert_eq!(
			with_limits("name = \"a\"", LIMITS).unwrap(),
			format!("name = \"a\"\n\n{LIMITS}")
		);
		// Written in another way.
		assert_eq!(with_limits("limits = { ram = 3 }\n", LIMITS), None);
		assert_eq!(with_limits("limits.ram = 3\n", LIMITS), None);
	}

	#[test]
	fn every_bad_line_of_a_sweep_is_named_and_good_ones_override() {
		let folder = tempfile::tempdir().unwrap();
		let sweep = folder.path().join("sweep");
		let job = JobFile::read(Path::new("../../docker/jobs/matrix-product")).unwrap();
		std::fs::write(
			&sweep,
			"{\"name\": \"Bad\"}\n\n{\"nmae\": \"x\"}\n{\"input\": \"none\"}\n{\"command\": [\"relative\"]}\n{\n{}\n",
		)
		.unwrap();
		let refused = read_sweep(&job, &sweep).unwrap_err();
		assert_eq!(refused.exit, Exit::Usage);
		for line in [1, 3, 4, 5, 6] {
			assert!(refused.message.contains(&format!("line {line}: ")), "{refused}");
		}
		assert!(!refused.message.contains("line 7"), "{refused}");
		std::fs::write(&sweep, "{}\n{\"name\": \"b\", \"environment\": {\"X\": \"1\"}, \"command\": [\"/b\"], \"input\": \"sweep\"}").unwrap();
		let jobs = read_sweep(&job, &sweep).unwrap();
		assert_eq!(jobs[0], (job, None));
		let (other, input) = &jobs[1];
		assert_eq!((other.name.as_str(), other.command.as_slice()), ("b", &["/b".to_string()][..]));
		assert_eq!(other.environment["X"], "1");
		assert_eq!(input.as_deref(), Some(sweep.as_path()));
	}
}
