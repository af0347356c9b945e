// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Folders become packages: the same files the same one.

use std::{
	collections::BTreeMap,
	ffi::OsStr,
	fs::{self, File, FileTimes, Permissions},
	io::Read,
	os::unix::{
		ffi::OsStrExt,
		fs::{symlink, PermissionsExt},
		net::UnixListener,
	},
	path::Path,
	time::{Duration, SystemTime},
};

use flate2::read::GzDecoder;
use modicum_executor::{Digest, Layer};
use modicum_packaging::{JobFile, Package, PackagingError, Progress};
use modicum_primitives::Architecture;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::job_file::{folder, write, GOOD};

const BASE: Digest = Digest([7; 32]);

fn with_input(source: &str) -> String {
	GOOD.replacen("execution = \"root\"", source, 1)
}

fn pack_into(folder: &Path, input: Option<&Path>, work: &Path) -> Result<Package, PackagingError> {
	JobFile::read(folder)?.pack(input, BASE, Architecture::Amd64, work, &mut |_| {})
}

/// What packing a folder gives, with the folder that the layers are in.
fn pack(folder: &TempDir, input: Option<&Path>) -> Result<(Package, TempDir), PackagingError> {
	let work = tempfile::tempdir().unwrap();
	pack_into(folder.path(), input, work.path()).map(|package| (package, work))
}

/// The entries of a layer: type, mode and content or target. Owners and times must be zero.
fn entries(layer: &Path) -> BTreeMap<Vec<u8>, (u8, u32, Vec<u8>)> {
	let mut archive = tar::Archive::new(GzDecoder::new(File::open(layer).unwrap()));
	let entries = archive.entries().unwrap().map(|entry| {
		let mut entry = entry.unwrap();
		let header = entry.header();
		assert_eq!(
			(header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()),
			(0, 0, 0)
		);
		let (kind, mode) = (header.entry_type().as_byte(), header.mode().unwrap());
		let mut content = entry.link_name_bytes().map(|link| link.into_owned()).unwrap_or_default();
		entry.read_to_end(&mut content).unwrap();
		(entry.path_bytes().into_owned(), (kind, mode, content))
	});
	entries.collect()
}

fn names(layer: &Path) -> Vec<String> {
	entries(layer).into_keys().map(|name| String::from_utf8(name).unwrap()).collect()
}

#[test]
fn a_folder_becomes_a_package() {
	let job = folder(&with_input("execution = \"root\"\ninput = \"input\""));
	let (package, work) = pack(&job, None).unwrap();
	let descriptor = &package.descriptor;
	assert_eq!((package.name.as_str(), descriptor.base), ("ray-tracing", BASE));
	assert_eq!(Layer::describe(&package.execution_layer).unwrap(), descriptor.execution_layer);
	let data = package.data_layer.clone().unwrap();
	assert_eq!(Some(Layer::describe(&data).unwrap()), descriptor.data_layer);
	assert_eq!(names(&package.execution_layer), ["opt", "opt/bin", "opt/bin/job"]);
	let data = entries(&data);
	assert_eq!(data[&b"input/scene"[..]], (b'0', 0o644, b"sphere\n".to_vec()));
	assert_eq!(package.job().descriptor.digest(), descriptor.digest());
	// Nothing else stays.
	assert_eq!(fs::read_dir(work.path()).unwrap().count(), 2);
	let text = serde_json::to_string(&package).unwrap();
	assert_eq!(serde_json::from_str::<Package>(&text).unwrap(), package);
}

#[test]
fn input_on_the_command_line_takes_the_place_of_the_job_files() {
	let job = folder(&with_input("execution = \"root\"\ninput = \"input\""));
	let other = tempfile::tempdir().unwrap();
	fs::write(other.path().join("b"), "b").unwrap();
	for input in [&other.path().join("b"), other.path()] {
		let (package, _work) = pack(&job, Some(input)).unwrap();
		assert_eq!(names(&package.data_layer.unwrap()), ["input", "input/b"]);
	}
	assert!(matches!(pack(&job, Some(Path::new("/nowhere"))), Err(PackagingError::Io { .. })));
}

#[test]
fn neither_time_nor_mode_nor_place_nor_order_change_the_package() {
	let make = |order: [&str; 3], mode: u32, age: u64| {
		let job = folder(GOOD);
		let root = job.path().join("root");
		for name in order {
			let path = root.join(name);
			write(&path, name, mode);
			let time = SystemTime::UNIX_EPOCH + Duration::from_secs(age);
			File::options()
				.append(true)
				.open(&path)
				.unwrap()
				.set_times(FileTimes::new().set_modified(time))
				.unwrap();
		}
		job
	};
	let one = make(["a", "b", "c"], 0o644, 1);
	let other = make(["c", "a", "b"], 0o600, 1_000_000_000);
	fs::set_permissions(other.path().join("root"), Permissions::from_mode(0o700)).unwrap();
	fs::remove_file(other.path().join("root/c")).unwrap();
	let elsewhere = tempfile::NamedTempFile::new_in(other.path()).unwrap();
	fs::write(elsewhere.path(), "c").unwrap();
	fs::hard_link(elsewhere.path(), other.path().join("root/c")).unwrap();
	let digest = |job: &TempDir| pack(job, None).unwrap().0.descriptor.digest();
	assert_eq!(digest(&one), digest(&other));
	write(&other.path().join("root/a"), "a", 0o755);
	assert_ne!(digest(&one), digest(&other), "whether a file is executable counts");
	write(&other.path().join("root/a"), "A", 0o644);
	assert_ne!(digest(&one), digest(&other), "content counts");
}

#[test]
fn names_and_targets_of_any_kind_are_kept() {
	let job = folder(GOOD);
	let root = job.path().join("root");
	let long = "n".repeat(200);
	let not_text = OsStr::from_bytes(b"\xff\xfe\n");
	let (long_target, odd_target) = ("../".repeat(60) + "x", ".//a/../b/");
	fs::write(root.join(&long), "long").unwrap();
	fs::write(root.join(not_text), "bytes").unwrap();
	symlink(&long_target, root.join("long-target")).unwrap();
	symlink(odd_target, root.join("odd-target")).unwrap();
	symlink(&long_target, root.join(format!("{long}2"))).unwrap();
	let (package, _work) = pack(&job, None).unwrap();
	let found = entries(&package.execution_layer);
	assert_eq!(found[long.as_bytes()].2, b"long");
	assert_eq!(found[not_text.as_bytes()].2, b"bytes");
	assert_eq!(found[&b"long-target"[..]], (b'2', 0o777, long_target.clone().into_bytes()));
	assert_eq!(found[&b"odd-target"[..]].2, odd_target.as_bytes());
	assert_eq!(found[format!("{long}2").as_bytes()].2, long_target.into_bytes());
}

#[test]
fn what_cannot_come_along_is_refused() {
	let job = folder(&with_input("execution = \"root\"\ninput = \"input\""));
	let input = job.path().join("input");
	let refusal = |job: &TempDir| match pack(job, None) {
		Err(error @ PackagingError::Unfit { .. }) => error.to_string(),
		other => panic!("{other:?}"),
	};
	symlink("/home/me/data.csv", input.join("data")).unwrap();
	assert!(refusal(&job).contains("link to /home/me/data.csv"));
	fs::remove_file(input.join("data")).unwrap();
	symlink("../root", input.join("data")).unwrap();
	assert!(refusal(&job).contains("outside the input"));
	fs::remove_file(input.join("data")).unwrap();
	symlink("scene", input.join("data")).unwrap();
	pack(&job, None).unwrap();
	let _listener = UnixListener::bind(job.path().join("root/socket")).unwrap();
	assert!(refusal(&job).contains("a socket"));
}

#[test]
fn what_compresses_too_well_for_providers_is_stored_as_it_is() {
	let job = folder(&with_input("execution = \"root\"\ninput = \"input\""));
	fs::write(job.path().join("input/zeros"), vec![0; 4 << 20]).unwrap();
	let (package, work) = pack(&job, None).unwrap();
	let data = package.data_layer.unwrap();
	let layer = package.descriptor.data_layer.unwrap();
	assert_eq!(Layer::describe(&data).unwrap(), layer);
	assert!(layer.size > 4 << 20 && !layer.is_compressed_too_well());
	assert_eq!(entries(&data)[&b"input/zeros"[..]].2.len(), 4 << 20);
	assert_eq!(fs::read_dir(work.path()).unwrap().count(), 2);
}

#[test]
fn a_job_without_limits_or_with_too_small_ones_is_refused() {
	let job = folder(&GOOD[..GOOD.find("[limits]").unwrap()]);
	let error = pack(&job, None).unwrap_err();
	assert!(error.to_string().contains("job profile"), "{error}");
	let job = folder(&GOOD.replacen("64MB", "100", 1));
	match pack(&job, None) {
		Err(PackagingError::BandwidthTooSmall { needed, limit: 100 }) => assert!(needed > 100),
		other => panic!("{other:?}"),
	}
}

#[test]
fn a_build_script_fills_the_layer() {
	let job = folder(&with_input("build = \"build.sh\""));
	let script = job.path().join("build.sh");
	let body = "#!/bin/sh\nset -e\necho to stdout; echo to stderr >&2\ncp job.toml \"$1/copied\"\n\
		echo \"$MODICUM_ARCHITECTURE $SOURCE_DATE_EPOCH\" > \"$1/variables\"\n";
	write(&script, body, 0o755);
	let work = tempfile::tempdir().unwrap();
	let mut lines = Vec::new();
	let package = JobFile::read(job.path())
		.unwrap()
		.pack(None, BASE, Architecture::Armv7, work.path(), &mut |event| {
			if let Progress::BuildLine(line) = event {
				lines.push(line.to_owned());
			}
		})
		.unwrap();
	assert_eq!(lines, ["to stdout", "to stderr"]);
	let found = entries(&package.execution_layer);
	assert_eq!(found[&b"variables"[..]].2, b"armv7 0\n");
	assert!(found.contains_key(&b"copied"[..]));
	let (again, _work) = pack(&job, None).unwrap();
	assert_ne!(again.descriptor.digest(), package.descriptor.digest(), "another architecture");
	assert_eq!(pack(&job, None).unwrap().0.descriptor, again.descriptor);
}

#[test]
fn a_build_that_fails_says_why() {
	let job = folder(&with_input("build = \"build.sh\""));
	let script = job.path().join("build.sh");
	for (body, expected) in [
		(
			"#!/bin/sh\necho the compiler is missing >&2\nexit 3\n",
			&["exit status: 3", "the compiler is missing"][..],
		),
		("#!/bin/sh\nseq 1 100; kill -9 $$\n", &["signal: 9", "\n100"]),
		("#!/bin/sh\ntrue\n", &["first argument"]),
		("#!/no/such/shell\n", &["cannot be started", "first line"]),
	] {
		write(&script, body, 0o755);
		let work = tempfile::tempdir().unwrap();
		let error = pack_into(job.path(), None, work.path()).unwrap_err();
		assert!(matches!(error, PackagingError::Build { .. }), "{error}");
		let text = error.to_string();
		assert!(expected.iter().all(|part| text.contains(part)), "{text}");
		assert!(!text.contains("\n80\n"), "only the last lines: {text}");
		assert_eq!(fs::read_dir(work.path()).unwrap().count(), 0, "nothing is left");
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(32))]

	#[test]
	fn any_files_come_out_as_they_went_in(
		files in proptest::collection::btree_map(
			proptest::collection::vec("[a-c.]{1,3}", 1..4)
				.prop_filter("names", |parts| parts.iter().all(|part| part != "." && part != "..")),
			proptest::collection::vec(any::<u8>(), 0..2000),
			1..8,
		),
	) {
		let input = tempfile::tempdir().unwrap();
		let mut expected = BTreeMap::new();
		for (parts, content) in files {
			let path = input.path().join(parts.join("/"));
			// Some names are files in one path and folders in another: the first one wins.
			if path.exists() || fs::create_dir_all(path.parent().unwrap()).is_err() {
				continue;
			}
			fs::write(&path, &content).unwrap();
			expected.insert(format!("input/{}", parts.join("/")).into_bytes(), content);
		}
		let job = folder(GOOD);
		let (package, _work) = pack(&job, Some(input.path())).unwrap();
		let found = entries(&package.data_layer.unwrap());
		let found: BTreeMap<_, _> = found
			.into_iter()
			.filter(|(_, (kind, ..))| *kind == b'0')
			.map(|(name, (_, _, content))| (name, content))
			.collect();
		prop_assert_eq!(found, expected);
	}
}
