// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From a folder with a `job.toml` to a job's descriptor and layers.

use std::{
	collections::VecDeque,
	fs,
	io::{self, BufRead, BufReader},
	path::{Path, PathBuf},
	process::Command,
};

use modicum_executor::{
	descriptor::MAX_DESCRIPTOR_BYTES, Digest, ExecutorError, Job, JobDescriptor, JobFault, Layer,
};
use modicum_primitives::{Architecture, Resources};
use serde::{Deserialize, Serialize};

use crate::{
	error::{PackagingError, Result},
	job_file::{ExecutionSource, JobFile},
	layer::{LayerWriter, Links},
};

/// Where the input lies for the job, without the `/` before it.
const INPUT_FOLDER: &str = "input";
/// How many of the last lines of a failed build are shown.
const TAIL_LINES: usize = 20;
/// How much of one line of a build's output is shown, in bytes.
const MAX_LINE_BYTES: u64 = 4096;

/// A job ready for upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
	/// The job's name.
	pub name: String,
	/// What the job is.
	pub descriptor: JobDescriptor,
	/// The execution layer's file: tar compressed with gzip.
	pub execution_layer: PathBuf,
	/// The data layer's file, if there is one.
	pub data_layer: Option<PathBuf>,
}

impl Package {
	/// The job as executors take it.
	pub fn job(&self) -> Job {
		Job {
			descriptor: self.descriptor.clone(),
			execution_layer: self.execution_layer.clone(),
			data_layer: self.data_layer.clone(),
		}
	}
}

/// What packing is doing, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
	/// The build script was started.
	Building(&'a Path),
	/// The build script printed a line.
	BuildLine(&'a str),
	/// An image is read from the engine.
	Exporting(&'a str),
	/// A layer, `execution` or `data`, is written.
	Packing(&'static str),
	/// A layer is finished.
	Packed {
		/// Which: `execution` or `data`.
		layer: &'static str,
		/// Its length as it is stored and moved, in bytes.
		size: u64,
		/// Its length unpacked, in bytes.
		unpacked_size: u64,
	},
}

impl Progress<'_> {
	/// The event on its own, unless it borrows text.
	pub(crate) fn to_static(self) -> Option<Progress<'static>> {
		match self {
			Self::Packing(layer) => Some(Progress::Packing(layer)),
			Self::Packed { layer, size, unpacked_size } => {
				Some(Progress::Packed { layer, size, unpacked_size })
			},
			Self::Building(_) | Self::BuildLine(_) | Self::Exporting(_) => None,
		}
	}
}

impl JobFile {
	/// Pack the job for `architecture` on the base with the ChainID `base` (see [`crate::resolve_base`]). `input`, a
	/// folder or a file, takes the place of the input that `job.toml` names. The layers are written into the folder
	/// `work`, which should be this job's own.
	///
	/// The same files give the same descriptor. A build script is called with the folder to fill as its argument, in
	/// the job's folder, with `MODICUM_ARCHITECTURE` naming the architecture and `SOURCE_DATE_EPOCH`, `TZ` and
	/// `LC_ALL` set so that compilers and archivers do not write the time down.
	///
	/// This blocks: in asynchronous code, call it where that is allowed.
	///
	/// # Errors
	/// Those of the disk and of the build; what providers would refuse; and [`PackagingError::NoLimits`].
	pub fn pack(
		&self,
		input: Option<&Path>,
		base: Digest,
		architecture: Architecture,
		work: &Path,
		progress: &mut dyn FnMut(Progress<'_>),
	) -> Result<Package> {
		let limits = self.limits.ok_or_else(|| PackagingError::NoLimits(self.path()))?;
		fs::create_dir_all(work).map_err(PackagingError::io("create", work))?;
		let execution_path = work.join("execution.tar.gz");
		let write_tree = |root: &Path, progress: &mut dyn FnMut(Progress<'_>)| {
			write_layer("execution", &execution_path, progress, |writer| {
				writer.tree(root, Path::new(""), Links::Any)
			})
		};
		let execution_layer = match &self.execution {
			ExecutionSource::Folder(folder) => write_tree(&self.folder.join(folder), progress)?,
			ExecutionSource::Build(script) => {
				let out = self.build(script, architecture, work, progress)?;
				write_tree(out.path(), progress)?
			},
		};
		let own_input = self.input.as_ref().map(|input| self.folder.join(input));
		let data = match input.or(own_input.as_deref()) {
			Some(input) => Some(pack_input(input, work, progress)?),
			None => None,
		};
		let (data_layer, data_path) = data.unzip();
		let descriptor = self.descriptor(base, architecture, limits, execution_layer, data_layer);
		check_descriptor(&descriptor)?;
		Ok(Package {
			name: self.name.clone(),
			descriptor,
			execution_layer: execution_path,
			data_layer: data_path,
		})
	}

	/// Run the build script; the folder that it filled, which goes when the value does.
	fn build(
		&self,
		script: &Path,
		architecture: Architecture,
		work: &Path,
		progress: &mut dyn FnMut(Progress<'_>),
	) -> Result<tempfile::TempDir> {
		let absolute =
			|path: &Path| fs::canonicalize(path).map_err(PackagingError::io("find", path));
		let script = absolute(&self.folder.join(script))?;
		let failed =
			|why: String, tail: String| PackagingError::Build { script: script.clone(), why, tail };
		let out = tempfile::Builder::new()
			.prefix("build-")
			.tempdir_in(absolute(work)?)
			.map_err(PackagingError::io("create a folder in", work))?;
		progress(Progress::Building(&script));
		let (reader, writer) = io::pipe().map_err(PackagingError::io("make a pipe to", &script))?;
		let writer_too =
			writer.try_clone().map_err(PackagingError::io("make a pipe to", &script))?;
		let mut command = Command::new(&script);
		command
			.arg(out.path())
			.current_dir(absolute(&self.folder)?)
			.env("MODICUM_ARCHITECTURE", architecture.to_string())
			.envs([("SOURCE_DATE_EPOCH", "0"), ("TZ", "UTC"), ("LC_ALL", "C")])
			.stdin(std::process::Stdio::null())
			.stdout(writer)
			.stderr(writer_too);
		let mut child = command.spawn().map_err(|error| {
			failed(format!("cannot be started: {error}; is its first line right?"), String::new())
		})?;
		// It holds the ends that are written to: without this, the end of the output would never come.
		drop(command);
		let tail = follow(reader, progress).map_err(PackagingError::io("read from", &script))?;
		let status = child.wait().map_err(PackagingError::io("wait for", &script))?;
		if !status.success() {
			return Err(failed(format!("failed ({status})"), tail));
		}
		let mut entries =
			fs::read_dir(out.path()).map_err(PackagingError::io("read", out.path()))?;
		if entries.next().is_none() {
			let why = "left its folder empty: it gets the folder to fill as its first argument";
			return Err(failed(why.into(), tail));
		}
		Ok(out)
	}
}

/// Pass on what a build prints, to its end; the last lines of it.
fn follow(reader: impl io::Read, progress: &mut dyn FnMut(Progress<'_>)) -> io::Result<String> {
	let mut reader = BufReader::new(reader);
	let mut tail = VecDeque::new();
	loop {
		let mut line = Vec::new();
		if io::Read::take(&mut reader, MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
			return Ok(tail.into_iter().collect::<Vec<_>>().join("\n"));
		}
		let line = String::from_utf8_lossy(&line).trim_end().to_owned();
		progress(Progress::BuildLine(&line));
		if tail.len() == TAIL_LINES {
			tail.pop_front();
		}
		tail.push_back(line);
	}
}

/// The data layer of `input`, a folder or a file: its description and its path in `work`.
pub(crate) fn pack_input(
	input: &Path,
	work: &Path,
	progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Layer, PathBuf)> {
	let metadata = fs::metadata(input).map_err(PackagingError::io("read the input", input))?;
	let path = work.join("data.tar.gz");
	let layer = write_layer("data", &path, progress, |writer| {
		let below = Path::new(INPUT_FOLDER);
		writer.folder(below)?;
		if metadata.is_dir() {
			return writer.tree(input, below, Links::Within);
		}
		let name = input.file_name().ok_or_else(|| PackagingError::Unfit {
			path: input.into(),
			why: "it has no name of its own: give its path without '..' at the end".into(),
		})?;
		writer.file_at(&below.join(name), input)
	})?;
	Ok((layer, path))
}

/// Write the layer `layer` to `path` by means of `fill`.
pub(crate) fn write_layer(
	layer: &'static str,
	path: &Path,
	progress: &mut dyn FnMut(Progress<'_>),
	fill: impl FnOnce(&mut LayerWriter) -> Result<()>,
) -> Result<Layer> {
	progress(Progress::Packing(layer));
	let mut writer = LayerWriter::create(path)?;
	fill(&mut writer)?;
	let described = writer.finish()?;
	let &Layer { size, unpacked_size, .. } = &described;
	progress(Progress::Packed { layer, size, unpacked_size });
	Ok(described)
}

/// What every provider would find wrong, before anybody is paid for finding it.
pub(crate) fn check_descriptor(descriptor: &JobDescriptor) -> Result<()> {
	descriptor.validate().map_err(ExecutorError::Job)?;
	let found = descriptor.to_canonical_json().len();
	if found > MAX_DESCRIPTOR_BYTES {
		let fault = JobFault::DescriptorTooLong { found, allowed: MAX_DESCRIPTOR_BYTES };
		return Err(ExecutorError::Job(fault).into());
	}
	let Resources { bandwidth: limit, .. } = descriptor.limits;
	let needed = descriptor.download_bytes();
	if needed > limit {
		return Err(PackagingError::BandwidthTooSmall { needed, limit });
	}
	Ok(())
}
