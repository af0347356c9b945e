// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a job is: a base that every machine has installed, the layers on top of it, and the command
//! to run within limits.

use std::{collections::BTreeMap, path::PathBuf};

use modicum_primitives::{Architecture, Meter, Resources};
use serde::{Deserialize, Serialize};

use crate::{digest::Digest, error::JobFault, layer::Layer, output::BLOCK_BYTES};

/// The only version of the descriptor so far.
pub const DESCRIPTOR_VERSION: u32 = 1;
/// The longest descriptor that is read, in bytes.
pub const MAX_DESCRIPTOR_BYTES: usize = 64 * 1024;
/// The least memory that a job may ask for, in bytes: starting a container takes several MiB.
pub const MIN_RAM_BYTES: u64 = 16 * 1024 * 1024;
/// The most memory or storage that a job may ask for, in bytes.
pub const MAX_LIMIT_BYTES: u64 = 1 << 44;
/// The most entries in a job's command.
pub const MAX_ARGUMENTS: usize = 256;
/// The most variables in a job's environment.
pub const MAX_VARIABLES: usize = 256;

/// What a job is, without its files: the JSON document whose digest a job offer commits to.
///
/// The canonical form has its keys in alphabetical order, no white space, and no key left out but
/// `data_layer`. Fields of these structs are declared in that order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobDescriptor {
	/// The architecture that the job's programs are made for.
	pub architecture: Architecture,
	/// The ChainID of the base image, which every machine that takes the job has installed.
	pub base: Digest,
	/// The program, by absolute path, and its arguments. No shell interprets them.
	pub command: Vec<String>,
	/// The layer with the job's input, if it is kept apart from the programs.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub data_layer: Option<Layer>,
	/// Environment variables, on top of the fixed ones (`docs/executor.md`).
	pub environment: BTreeMap<String, String>,
	/// The layer with the job's programs.
	pub execution_layer: Layer,
	/// What the job may use at most: instructions, RAM, storage and bandwidth in bytes.
	#[serde(with = "limits_object")]
	pub limits: Resources,
	/// How instructions are counted.
	pub meter: Meter,
	/// The descriptor's version: [`DESCRIPTOR_VERSION`].
	pub version: u32,
	/// Where the command starts, by absolute path.
	pub working_directory: String,
}

impl JobDescriptor {
	/// Read a descriptor strictly: bounded, of a known version, without unknown keys, canonical and
	/// valid. Whatever is accepted comes out of [`Self::to_canonical_json`] byte by byte.
	pub fn parse(json: &[u8]) -> Result<Self, JobFault> {
		if json.len() > MAX_DESCRIPTOR_BYTES {
			return Err(JobFault::DescriptorTooLong {
				found: json.len(),
				allowed: MAX_DESCRIPTOR_BYTES,
			});
		}
		let malformed = |error: serde_json::Error| JobFault::DescriptorMalformed(error.to_string());
		// The version first: a later one may well have other fields.
		#[derive(Deserialize)]
		struct Version {
			version: u32,
		}
		let Version { version } = serde_json::from_slice(json).map_err(malformed)?;
		if version != DESCRIPTOR_VERSION {
			return Err(JobFault::UnsupportedVersion(version));
		}
		let descriptor: Self = serde_json::from_slice(json).map_err(malformed)?;
		descriptor.validate()?;
		if descriptor.to_canonical_json() != json {
			return Err(JobFault::DescriptorNotCanonical);
		}
		Ok(descriptor)
	}

	/// The one JSON text of this descriptor.
	pub fn to_canonical_json(&self) -> Vec<u8> {
		serde_json::to_vec(self).expect("all keys are strings and no field can fail; qed")
	}

	/// The digest of the canonical JSON: two descriptors are the same job iff it is equal.
	pub fn digest(&self) -> Digest {
		Digest::of(&self.to_canonical_json())
	}

	/// Check every rule that needs neither the job's files nor a machine.
	pub fn validate(&self) -> Result<(), JobFault> {
		let require = |holds: bool, field: &'static str, rule: &str| {
			holds.then_some(()).ok_or_else(|| JobFault::InvalidField { field, rule: rule.into() })
		};
		if self.version != DESCRIPTOR_VERSION {
			return Err(JobFault::UnsupportedVersion(self.version));
		}
		require(
			(1..=MAX_ARGUMENTS).contains(&self.command.len()),
			"command",
			"a program and at most 255 arguments",
		)?;
		require(
			self.command.iter().all(|argument| !argument.contains('\0')),
			"command",
			"no NUL characters",
		)?;
		require(
			is_plain_absolute(&self.command[0]),
			"command",
			"the program by absolute path, without '.', '..' or empty parts",
		)?;
		require(
			is_plain_absolute(&self.working_directory),
			"working_directory",
			"an absolute path, without '.', '..' or empty parts",
		)?;
		require(
			!is_below_a_mount(&self.working_directory),
			"working_directory",
			"/out or /tmp but no folder in them, since they are empty when the job starts, and nothing in /dev, /proc or /sys",
		)?;
		require(self.environment.len() <= MAX_VARIABLES, "environment", "at most 256 variables")?;
		require(
			self.environment
				.iter()
				.all(|(name, value)| is_variable_name(name) && !value.contains('\0')),
			"environment",
			"names of letters, digits and '_', not starting with a digit, and no NUL characters",
		)?;
		let limits = &self.limits;
		require(limits.instructions > 0, "limits", "at least one instruction")?;
		require(
			(MIN_RAM_BYTES..=MAX_LIMIT_BYTES).contains(&limits.ram),
			"limits",
			"RAM of at least 16 MiB and at most 16 TiB",
		)?;
		require(
			(BLOCK_BYTES..=MAX_LIMIT_BYTES).contains(&limits.storage),
			"limits",
			"storage of at least 4096 bytes and at most 16 TiB",
		)?;
		for layer in self.layers() {
			require(layer.size > 0, "layers", "no empty layer files")?;
			require(
				!layer.is_compressed_too_well(),
				"layers",
				"an unpacked size of at most 100 times the stored one and a mebibyte: store the layer without compression",
			)?;
			require(
				layer.unpacked_size <= MAX_LIMIT_BYTES,
				"layers",
				"an unpacked size of at most 16 TiB",
			)?;
		}
		Ok(())
	}

	/// The layers above the base, lowest first.
	pub fn layers(&self) -> impl Iterator<Item = &Layer> {
		std::iter::once(&self.execution_layer).chain(&self.data_layer)
	}

	/// What fetching this job moves, in bytes: its descriptor and its layers as they are stored. The
	/// base is not part of it. To compare with `limits.bandwidth` before anything is fetched.
	pub fn download_bytes(&self) -> u64 {
		self.layers().fold(self.to_canonical_json().len() as u64, |sum, layer| {
			sum.saturating_add(layer.size)
		})
	}
}

/// A job with its files on this machine, as fetched from a directory.
#[derive(Clone, Debug)]
pub struct Job {
	/// What the job is.
	pub descriptor: JobDescriptor,
	/// The execution layer's file: tar, or tar compressed with gzip.
	pub execution_layer: PathBuf,
	/// The data layer's file, if the descriptor has one.
	pub data_layer: Option<PathBuf>,
}

/// Whether `path` is absolute and has one spelling only: no empty, `.` or `..` parts.
fn is_plain_absolute(path: &str) -> bool {
	match path.strip_prefix('/') {
		Some("") => true,
		Some(rest) => {
			!path.contains('\0') && rest.split('/').all(|part| !matches!(part, "" | "." | ".."))
		},
		None => false,
	}
}

/// Whether something else than the job's layers and its base is at `path`, which is plain, when the job starts: so that
/// it is no place to start in.
fn is_below_a_mount(path: &str) -> bool {
	let below = |mount: &str| path.strip_prefix(mount).is_some_and(|rest| rest.starts_with('/'));
	["/out", "/tmp"].into_iter().any(below)
		|| ["/dev", "/proc", "/sys"].into_iter().any(|mount| path == mount || below(mount))
}

fn is_variable_name(name: &str) -> bool {
	name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
		&& name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// The JSON of limits: keys in alphabetical order, bytes for RAM, storage and bandwidth.
mod limits_object {
	use super::*;

	#[derive(Serialize, Deserialize)]
	#[serde(deny_unknown_fields)]
	struct Object {
		bandwidth: u64,
		instructions: u64,
		ram: u64,
		storage: u64,
	}

	pub(super) fn serialize<S: serde::Serializer>(
		limits: &Resources,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		let &Resources { instructions, ram, storage, bandwidth } = limits;
		Object { bandwidth, instructions, ram, storage }.serialize(serializer)
	}

	pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
		deserializer: D,
	) -> Result<Resources, D::Error> {
		let Object { bandwidth, instructions, ram, storage } = Object::deserialize(deserializer)?;
		Ok(Resources { instructions, ram, storage, bandwidth })
	}
}

#[cfg(test)]
pub(crate) mod tests {
	#![allow(clippy::unwrap_used)]

	use proptest::prelude::*;

	use super::*;

	pub(crate) fn example() -> JobDescriptor {
		let layer = |byte: u8| Layer {
			diff_id: Digest([byte; 32]),
			digest: Digest([byte + 1; 32]),
			size: 1024,
			unpacked_size: 4096,
		};
		JobDescriptor {
			architecture: Architecture::Amd64,
			base: Digest([9; 32]),
			command: vec!["/bin/job".into(), "--fast".into()],
			data_layer: Some(layer(3)),
			environment: [("KEY".into(), "value".into())].into(),
			execution_layer: layer(1),
			limits: Resources {
				instructions: 1_000_000_000,
				ram: 64 << 20,
				storage: 1 << 20,
				bandwidth: 1 << 20,
			},
			meter: Meter::CpuTime,
			version: 1,
			working_directory: "/out".into(),
		}
	}

	fn edited(edit: impl FnOnce(&mut JobDescriptor)) -> JobDescriptor {
		let mut descriptor = example();
		edit(&mut descriptor);
		descriptor
	}

	#[test]
	fn the_canonical_form_is_the_only_one_accepted() {
		let json = String::from_utf8(example().to_canonical_json()).unwrap();
		assert_eq!(JobDescriptor::parse(json.as_bytes()), Ok(example()));
		let keys: Vec<_> = [
			"architecture",
			"base",
			"command",
			"data_layer",
			"environment",
			"execution_layer",
			"limits",
			"meter",
			"version",
			"working_directory",
		]
		.iter()
		.map(|key| json.find(&format!("\"{key}\":")).unwrap())
		.collect();
		assert!(keys.is_sorted(), "{json}");

		for (change, other) in [
			("white space", json.replace("\"version\":1", "\"version\": 1")),
			("an end of line", format!("{json}\n")),
			("another order", {
				let moved = json.replace("\"version\":1,", "");
				moved.replacen('{', "{\"version\":1,", 1)
			}),
			("an escape", json.replace("--fast", "--f\\u0061st")),
		] {
			let refused = JobDescriptor::parse(other.as_bytes());
			assert_eq!(refused, Err(JobFault::DescriptorNotCanonical), "{change}");
		}
		for (change, other) in [
			("an unknown key", json.replacen('{', "{\"aa\":1,", 1)),
			("an unknown key inside", json.replace("\"ram\":", "\"disk\":1,\"ram\":")),
			("a key twice", json.replacen('{', "{\"version\":1,", 1)),
			("a missing key", json.replace("\"meter\":\"cpu-time\",", "")),
			("an unknown meter", json.replace("cpu-time", "stopwatch")),
			("an unknown architecture", json.replace("amd64", "riscv64")),
			("a negative number", json.replace("\"storage\":1048576", "\"storage\":-1")),
			("text after it", format!("{json}x")),
			("nothing", String::new()),
		] {
			let refused = JobDescriptor::parse(other.as_bytes());
			assert!(
				matches!(refused, Err(JobFault::DescriptorMalformed(_))),
				"{change}: {refused:?}"
			);
		}
	}

	#[test]
	fn an_environment_variable_twice_is_refused() {
		let json = String::from_utf8(example().to_canonical_json()).unwrap();
		let twice = json.replace("\"KEY\":\"value\"", "\"KEY\":\"other\",\"KEY\":\"value\"");
		assert_eq!(JobDescriptor::parse(twice.as_bytes()), Err(JobFault::DescriptorNotCanonical));
	}

	#[test]
	fn other_versions_and_long_descriptors_are_named() {
		let later = br#"{"version":2,"shape":"unknown"}"#;
		assert_eq!(JobDescriptor::parse(later), Err(JobFault::UnsupportedVersion(2)));
		let long = edited(|job| job.command.push("x".repeat(MAX_DESCRIPTOR_BYTES)));
		assert!(matches!(
			JobDescriptor::parse(&long.to_canonical_json()),
			Err(JobFault::DescriptorTooLong { .. })
		));
	}

	#[test]
	fn every_rule_is_checked() {
		type Edit = fn(&mut JobDescriptor);
		let broken: [(&str, Edit); 20] = [
			("command", |job| job.command.clear()),
			("command", |job| job.command = vec!["/x".into(); MAX_ARGUMENTS + 1]),
			("command", |job| job.command[0] = "job".into()),
			("command", |job| job.command[0] = "/bin/../job".into()),
			("command", |job| job.command[1] = "a\0b".into()),
			("working_directory", |job| job.working_directory = "out".into()),
			("working_directory", |job| job.working_directory = "/out/".into()),
			("working_directory", |job| job.working_directory = "/out/sub".into()),
			("working_directory", |job| job.working_directory = "/tmp/sub".into()),
			("working_directory", |job| job.working_directory = "/proc".into()),
			("environment", |job| drop(job.environment.insert("A=B".into(), String::new()))),
			("environment", |job| drop(job.environment.insert("1A".into(), String::new()))),
			("environment", |job| drop(job.environment.insert(String::new(), String::new()))),
			("limits", |job| job.limits.instructions = 0),
			("limits", |job| job.limits.ram = MIN_RAM_BYTES - 1),
			("limits", |job| job.limits.ram = u64::MAX),
			("limits", |job| job.limits.storage = 0),
			("layers", |job| job.execution_layer.size = 0),
			("layers", |job| job.execution_layer.unpacked_size = u64::MAX),
			("layers", |job| job.execution_layer.unpacked_size = 1024 * 100 + (1 << 20) + 1),
		];
		for (index, (expected, edit)) in broken.into_iter().enumerate() {
			let json = edited(edit).to_canonical_json();
			match JobDescriptor::parse(&json) {
				Err(JobFault::InvalidField { field, .. }) => assert_eq!(field, expected),
				other => panic!("case {index}: {other:?}"),
			}
		}
	}

	#[test]
	fn the_download_is_the_descriptor_and_its_layers() {
		let length = example().to_canonical_json().len() as u64;
		assert_eq!(example().download_bytes(), length + 2 * 1024);
		let greedy = edited(|job| job.data_layer.as_mut().unwrap().size = u64::MAX);
		assert_eq!(greedy.download_bytes(), u64::MAX);
	}

	proptest! {
		#[test]
		fn nothing_panics_on_input(json in proptest::collection::vec(any::<u8>(), 0..400)) {
			let _ = JobDescriptor::parse(&json);
		}

		#[test]
		fn what_is_written_is_read_back(
			arguments in proptest::collection::vec("[^\0]{0,20}", 0..5),
			variables in proptest::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,9}", "[^\0]{0,20}", 0..5),
			instructions in 1..=u64::MAX,
			with_data in any::<bool>(),
		) {
			let descriptor = edited(|job| {
				job.command.extend(arguments);
				job.environment = variables;
				job.limits.instructions = instructions;
				if !with_data {
					job.data_layer = None;
				}
			});
			prop_assert_eq!(JobDescriptor::parse(&descriptor.to_canonical_json()), Ok(descriptor));
		}
	}
}
