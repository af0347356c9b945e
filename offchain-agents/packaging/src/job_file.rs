// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `job.toml`: what a person writes about a job.

use std::{
	collections::BTreeMap,
	fmt, io,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};

use bytesize::ByteSize;
use modicum_executor::{
	descriptor::{DESCRIPTOR_VERSION, MAX_LIMIT_BYTES},
	docker::OUTPUT_PATH,
	Digest, ExecutorError, JobDescriptor, JobFault, Layer,
};
use modicum_primitives::{Architecture, Meter, Resources};
use serde::{de, Deserialize, Deserializer};

use crate::{
	base::is_base,
	error::{PackagingError, Result},
	paths::is_plain_relative,
};

/// The file's name in the job's folder.
pub const JOB_FILE_NAME: &str = "job.toml";
/// The longest name of a job, in characters.
pub const MAX_NAME_CHARS: usize = 40;
/// The longest `job.toml` that is read, in bytes.
const MAX_JOB_FILE_BYTES: usize = 64 * 1024;

/// A job as its `job.toml` describes it, checked as far as that goes without packing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFile {
	/// The job's folder.
	pub folder: PathBuf,
	/// The job's name: 1 to 40 of a-z, 0-9 and '-', with a letter or digit at either end.
	pub name: String,
	/// The base: a name, or `sha256:` and a ChainID. See [`crate::resolve_base`].
	pub base: String,
	/// Where the execution layer comes from.
	pub execution: ExecutionSource,
	/// The folder or file that becomes the data layer, below the job's folder.
	pub input: Option<PathBuf>,
	/// The program by absolute path, and its arguments.
	pub command: Vec<String>,
	/// Where the command starts, by absolute path.
	pub working_directory: String,
	/// How instructions are counted.
	pub meter: Meter,
	/// Environment variables.
	pub environment: BTreeMap<String, String>,
	/// What the job may use at most. `None` if `job.toml` has no `[limits]`: [`Self::pack`] then refuses, until
	/// somebody sets them, as one does to have limits proposed ([`crate::GENEROUS_LIMITS`]).
	pub limits: Option<Resources>,
}

/// Where the execution layer comes from. Paths are below the job's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecutionSource {
	/// A script that fills the folder that it gets as its argument.
	Build(PathBuf),
	/// A folder with the layer's files.
	Folder(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
	name: String,
	base: String,
	build: Option<String>,
	execution: Option<String>,
	input: Option<String>,
	command: Vec<String>,
	#[serde(default = "default_working_directory")]
	working_directory: String,
	#[serde(default = "default_meter")]
	meter: Meter,
	#[serde(default)]
	environment: BTreeMap<String, String>,
	limits: Option<Limits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
	instructions: u64,
	#[serde(deserialize_with = "bytes")]
	ram: u64,
	#[serde(deserialize_with = "bytes")]
	storage: u64,
	#[serde(deserialize_with = "bytes")]
	bandwidth: u64,
}

fn default_working_directory() -> String {
	OUTPUT_PATH.into()
}

fn default_meter() -> Meter {
	Meter::CpuTime
}

/// A number of bytes, as an integer or as text with a unit.
fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<u64, D::Error> {
	struct Visitor;
	impl de::Visitor<'_> for Visitor {
		type Value = u64;

		fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
			f.write_str("a number of bytes, or text such as \"256 MiB\"")
		}

		fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<u64, E> {
			u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
		}

		fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<u64, E> {
			Ok(value)
		}

		fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<u64, E> {
			let size: std::result::Result<ByteSize, _> = text.parse();
			size.map(|size| size.0).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
		}
	}
	deserializer.deserialize_any(Visitor)
}

impl JobFile {
	/// Read `job.toml` in `folder`. Strict: unknown keys are refused, files that are named must be there.
	///
	/// # Errors
	/// One that names the file, the key, and what is wanted.
	pub fn read(folder: &Path) -> Result<Self> {
		let file = folder.join(JOB_FILE_NAME);
		let text = match std::fs::read(&file) {
			Ok(text) => text,
			Err(error) if error.kind() == io::ErrorKind::NotFound => {
				return Err(PackagingError::NoJobFile(folder.into()))
			},
			Err(error) => return Err(PackagingError::io("read", file)(error)),
		};
		let keys = parse(&file, &text)?;
		let read = Reading { folder, file: &file };
		let execution = match (keys.build, keys.execution) {
			(Some(build), None) => ExecutionSource::Build(read.script(&build)?),
			(None, Some(execution)) => {
				let path = read.path("execution", &execution)?;
				let is_folder = folder.join(&path).is_dir();
				read.require(is_folder, "execution", "a folder, below the job's folder")?;
				ExecutionSource::Folder(path)
			},
			(None, None) => {
				return Err(read.refuse("build", "either 'build', a script, or 'execution', a folder, must say where the job's programs come from"))
			},
			(Some(_), Some(_)) => {
				return Err(read.refuse("build", "either 'build' or 'execution', not both: remove one"))
			},
		};
		let input = keys.input.map(|input| read.path("input", &input)).transpose()?;
		let job_file = Self {
			folder: folder.into(),
			name: keys.name,
			base: keys.base,
			execution,
			input,
			command: keys.command,
			working_directory: keys.working_directory,
			meter: keys.meter,
			environment: keys.environment,
			limits: keys.limits.map(|limits| Resources {
				instructions: limits.instructions,
				ram: limits.ram,
				storage: limits.storage,
				bandwidth: limits.bandwidth,
			}),
		};
		read.require(is_name(&job_file.name), "name", NAME_RULE)?;
		read.require(
			is_base(&job_file.base),
			"base",
			"the name of a base image (of a-z, 0-9, '-', '.' and '_'), or 'sha256:' and its ChainID",
		)?;
		job_file.check_descriptor(&file)?;
		Ok(job_file)
	}

	/// The path of `job.toml`, for messages.
	pub(crate) fn path(&self) -> PathBuf {
		self.folder.join(JOB_FILE_NAME)
	}

	/// Check what the descriptor will say by the executor's own rules, with something harmless for what is not known
	/// yet.
	fn check_descriptor(&self, file: &Path) -> Result<()> {
		let layer =
			Layer { diff_id: Digest([0; 32]), digest: Digest([0; 32]), size: 1, unpacked_size: 1 };
		let limits = self.limits.unwrap_or(Resources {
			instructions: u64::MAX,
			ram: MAX_LIMIT_BYTES,
			storage: MAX_LIMIT_BYTES,
			bandwidth: u64::MAX,
		});
		let descriptor = self.descriptor(Digest([0; 32]), Architecture::Amd64, limits, layer, None);
		let field_error = |fault| match fault {
			JobFault::InvalidField { field, rule } => {
				PackagingError::Key { file: file.into(), key: field.into(), rule }
			},
			other => ExecutorError::Job(other).into(),
		};
		descriptor.validate().map_err(field_error)
	}

	/// The descriptor of this job.
	pub(crate) fn descriptor(
		&self,
		base: Digest,
		architecture: Architecture,
		limits: Resources,
		execution_layer: Layer,
		data_layer: Option<Layer>,
	) -> JobDescriptor {
		JobDescriptor {
			architecture,
			base,
			command: self.command.clone(),
			data_layer,
			environment: self.environment.clone(),
			execution_layer,
			limits,
			meter: self.meter,
			version: DESCRIPTOR_VERSION,
			working_directory: self.working_directory.clone(),
		}
	}
}

/// What a job's name must be.
pub(crate) const NAME_RULE: &str =
	"1 to 40 of the characters a-z, 0-9 and '-', with a letter or digit at either end";

/// Whether `name` can name a job. It then is a valid part of an OCI repository's name.
pub(crate) fn is_name(name: &str) -> bool {
	let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
	let bytes = name.as_bytes();
	bytes.len() <= MAX_NAME_CHARS
		&& bytes.iter().all(|byte| plain(byte) || *byte == b'-')
		&& bytes.first().is_some_and(plain)
		&& bytes.last().is_some_and(plain)
}

fn parse(file: &Path, text: &[u8]) -> Result<Keys> {
	let not_toml = |why: String| PackagingError::NotToml { file: file.into(), why };
	if text.len() > MAX_JOB_FILE_BYTES {
		return Err(not_toml(format!(
			"it has {} bytes, more than the {MAX_JOB_FILE_BYTES} that a job.toml may have: put data in files of the job's folder",
			text.len()
		)));
	}
	let text = std::str::from_utf8(text)
		.map_err(|error| not_toml(format!("it is not UTF-8 text: {error}; save it as UTF-8")))?;
	serde_path_to_error::deserialize(toml::Deserializer::new(text)).map_err(|error| {
		let path = error.path().to_string();
		let error = error.into_inner();
		let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
		let message = error.message().trim().replace('\n', ", ");
		// The path of the whole document is a dot; it also stands for what is no TOML at all.
		match (path.as_str(), line) {
			(".", Some(line)) => not_toml(format!("line {line}: {message}")),
			(".", None) => not_toml(message),
			(key, Some(line)) => PackagingError::Key {
				file: file.into(),
				key: key.into(),
				rule: format!("line {line}: {message}"),
			},
			(key, None) => {
				PackagingError::Key { file: file.into(), key: key.into(), rule: message }
			},
		}
	})
}

/// What the checks of single keys share.
struct Reading<'a> {
	folder: &'a Path,
	file: &'a Path,
}

impl Reading<'_> {
	fn refuse(&self, key: &str, rule: impl Into<String>) -> PackagingError {
		PackagingError::Key { file: self.file.into(), key: key.into(), rule: rule.into() }
	}

	fn require(&self, holds: bool, key: &str, rule: &str) -> Result<()> {
		holds.then_some(()).ok_or_else(|| self.refuse(key, rule))
	}

	/// A path below the job's folder, to something that is there.
	fn path(&self, key: &str, path: &str) -> Result<PathBuf> {
		let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
		self.require(
			is_plain_relative(path.as_bytes()),
			key,
			"a path relative to the job's folder and below it, without '..'",
		)?;
		let full = self.folder.join(path);
		std::fs::metadata(&full).map_err(|error| {
			self.refuse(key, format!("{} is not there: {error}", full.display()))
		})?;
		Ok(path.into())
	}

	fn script(&self, path: &str) -> Result<PathBuf> {
		let path = self.path("build", path)?;
		let full = self.folder.join(&path);
		let metadata = std::fs::metadata(&full).map_err(PackagingError::io("examine", &full))?;
		self.require(metadata.is_file(), "build", "a script, not a folder")?;
		self.require(
			metadata.permissions().mode() & 0o111 != 0,
			"build",
			&format!("a script that may be executed: chmod +x {}", full.display()),
		)?;
		Ok(path)
	}
}
