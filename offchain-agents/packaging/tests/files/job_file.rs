// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Good and bad `job.toml` files.

use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};

use modicum_packaging::{ExecutionSource, JobFile, PackagingError};
use modicum_primitives::{Meter, Resources};
use proptest::prelude::*;
use tempfile::TempDir;

/// A `job.toml` that is right.
pub const GOOD: &str = r#"
name = "ray-tracing"
base = "busybox"
execution = "root"
command = ["/opt/bin/job", "an argument"]

[limits]
instructions = 60000000000
ram = "256 MiB"
storage = 16777216
bandwidth = "64MB"
"#;

/// A job's folder with this `job.toml`, an execution layer, an input and two scripts.
pub fn folder(job_toml: &str) -> TempDir {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path();
	fs::write(path.join("job.toml"), job_toml).unwrap();
	fs::create_dir_all(path.join("root/opt/bin")).unwrap();
	fs::create_dir(path.join("input")).unwrap();
	for (name, mode) in [("root/opt/bin/job", 0o755), ("build.sh", 0o755), ("notes.sh", 0o644)] {
		write(&path.join(name), "#!/bin/sh\n", mode);
	}
	fs::write(path.join("input/scene"), "sphere\n").unwrap();
	folder
}

pub fn write(path: &Path, content: &str, mode: u32) {
	fs::write(path, content).unwrap();
	fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn read(job_toml: &str) -> Result<JobFile, PackagingError> {
	JobFile::read(folder(job_toml).path())
}

#[test]
fn a_job_file_is_read() {
	let job = read(GOOD).unwrap();
	assert_eq!(job.name, "ray-tracing");
	assert_eq!(job.base, "busybox");
	assert_eq!(job.execution, ExecutionSource::Folder("root".into()));
	assert_eq!(job.input, None);
	assert_eq!(job.command, ["/opt/bin/job", "an argument"]);
	assert_eq!(job.working_directory, "/out");
	assert_eq!(job.meter, Meter::CpuTime);
	assert!(job.environment.is_empty());
	let limits = Resources {
		instructions: 60_000_000_000,
		ram: 256 << 20,
		storage: 16 << 20,
		bandwidth: 64_000_000,
	};
	assert_eq!(job.limits, Some(limits));
}

#[test]
fn every_key_is_read() {
	let job = read(
		r#"
name = "x"
base = "sha256:0101010101010101010101010101010101010101010101010101010101010101"
build = "./build.sh"
input = "input/"
command = ["/bin/sh"]
working_directory = "/tmp"
meter = "hardware-instructions"
[environment]
KEY = "value"
"#,
	)
	.unwrap();
	assert_eq!(job.execution, ExecutionSource::Build("build.sh".into()));
	assert_eq!(job.input, Some(PathBuf::from("input")));
	assert_eq!(job.working_directory, "/tmp");
	assert_eq!(job.meter, Meter::HardwareInstructions);
	assert_eq!(job.environment["KEY"], "value");
	assert_eq!(job.limits, None);
}

#[test]
fn the_example_jobs_are_read() {
	let jobs = Path::new("../../docker/jobs");
	let mut count = 0;
	for entry in fs::read_dir(jobs).unwrap() {
		let path = entry.unwrap().path();
		if path.join("job.toml").exists() {
			JobFile::read(&path).unwrap_or_else(|error| panic!("{error}"));
			count += 1;
		}
	}
	assert!(count > 0);
}

#[test]
fn every_fault_names_file_key_and_what_is_wanted() {
	for (old, new, key, wanted) in [
		// Keys that are unknown, missing, twice, or of the wrong kind.
		("name =", "colour = 1\nname =", "colour", "unknown field"),
		("ram =", "rom = 1\nram =", "limits.rom", "unknown field"),
		("name = \"ray-tracing\"\n", "", "", "missing field `name`"),
		("ram = \"256 MiB\"\n", "", "limits", "missing field `ram`"),
		("base =", "base = 1\nbase =", "", "duplicate key"),
		("\"ray-tracing\"", "5", "name", "expected a string"),
		(
			"[\"/opt/bin/job\", \"an argument\"]",
			"\"/opt/bin/job\"",
			"command",
			"expected a sequence",
		),
		("\"an argument\"", "5", "command[1]", "expected a string"),
		("60000000000", "-1", "limits.instructions", "expected u64"),
		("60000000000", "1.5", "limits.instructions", "expected u64"),
		("\"256 MiB\"", "\"much\"", "limits.ram", "such as \"256 MiB\""),
		("\"256 MiB\"", "\"-1 MiB\"", "limits.ram", "such as \"256 MiB\""),
		("\"256 MiB\"", "-5", "limits.ram", "such as \"256 MiB\""),
		("\"256 MiB\"", "true", "limits.ram", "such as \"256 MiB\""),
		("[limits]", "meter = \"watts\"\n[limits]", "meter", "cpu-time"),
		("[limits]", "[environment]\nA = 1\n[limits]", "environment.A", "expected a string"),
		("[limits]", "[limits", "", "line"),
		// Values that break rules.
		("ray-tracing", "Ray", "name", "a-z, 0-9"),
		("ray-tracing", "-ray", "name", "a-z, 0-9"),
		("ray-tracing", "a123456789a123456789a123456789a123456789b", "name", "1 to 40"),
		("ray-tracing", "", "name", "1 to 40"),
		("\"busybox\"", "\"Busy box\"", "base", "name of a base image"),
		("\"busybox\"", "\"sha256:12\"", "base", "sha256:"),
		("/opt/bin/job", "job", "command", "absolute path"),
		("/opt/bin/job", "/opt/../job", "command", "absolute path"),
		("[\"/opt/bin/job\", \"an argument\"]", "[]", "command", "a program"),
		("\"an argument\"", "\"a\\u0000b\"", "command", "NUL"),
		("[limits]", "working_directory = \"out\"\n[limits]", "working_directory", "absolute"),
		("[limits]", "[environment]\n\"A-B\" = \"\"\n[limits]", "environment", "letters"),
		("60000000000", "0", "limits", "at least one instruction"),
		("\"256 MiB\"", "\"1 MiB\"", "limits", "at least 16 MiB"),
		("\"256 MiB\"", "\"99 PiB\"", "limits", "at most 16 TiB"),
		("16777216", "0", "limits", "4096"),
		// Files.
		("\"root\"", "\"nowhere\"", "execution", "not there"),
		("\"root\"", "\"../root\"", "execution", "below"),
		("\"root\"", "\"/etc\"", "execution", "relative"),
		("\"root\"", "\"build.sh\"", "execution", "a folder"),
		("execution = \"root\"\n", "", "build", "either 'build'"),
		("execution", "build = \"build.sh\"\nexecution", "build", "not both"),
		("execution = \"root\"", "build = \"root\"", "build", "a script"),
		("execution = \"root\"", "build = \"notes.sh\"", "build", "chmod +x"),
		("execution", "input = \"nothing\"\nexecution", "input", "not there"),
	] {
		let job_toml = GOOD.replacen(old, new, 1);
		assert_ne!(job_toml, GOOD, "{old}");
		let error = read(&job_toml).unwrap_err();
		let text = error.to_string();
		assert!(text.contains("/job.toml: ") && text.contains(wanted), "{old} -> {new}: {text}");
		match &error {
			PackagingError::Key { key: found, .. } => assert_eq!(found, key, "{text}"),
			PackagingError::NotToml { .. } => assert_eq!(key, "", "{text}"),
			other => panic!("{other:?}"),
		}
	}
}

#[test]
fn what_is_no_job_file_is_refused() {
	let empty = tempfile::tempdir().unwrap();
	let error = JobFile::read(empty.path()).unwrap_err();
	assert!(matches!(error, PackagingError::NoJobFile(_)), "{error}");
	let error = read(&format!("{GOOD}#{}", "x".repeat(70_000))).unwrap_err().to_string();
	assert!(error.contains("more than the 65536"), "{error}");
	let latin = folder(GOOD);
	fs::write(latin.path().join("job.toml"), b"name = \"\xe9t\xe9\"").unwrap();
	let error = JobFile::read(latin.path()).unwrap_err().to_string();
	assert!(error.contains("UTF-8"), "{error}");
}

proptest! {
	// Each case makes folders.
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn sizes_are_read_in_every_unit(number in 16u64..1000) {
		for (unit, factor) in [
			("", 1), ("B", 1), ("KB", 1000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20), (" GB", 1_000_000_000),
			(" GiB", 1 << 30),
		] {
			let bytes = number * factor;
			let text = GOOD.replacen("64MB", &format!("{number}{unit}"), 1);
			prop_assert_eq!(read(&text).unwrap().limits.unwrap().bandwidth, bytes);
		}
	}

	#[test]
	fn any_text_is_read_or_refused(text in ".{0,200}") {
		prop_assert!(read(&text).is_err());
		let _ = read(&format!("{GOOD}{text}"));
	}
}
