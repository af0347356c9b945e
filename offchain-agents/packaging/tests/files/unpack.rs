// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Results become files, and nothing else does.

use std::{
	ffi::OsStr,
	fs::{self, File},
	io::Write,
	os::unix::{
		ffi::OsStrExt,
		fs::{symlink, PermissionsExt},
	},
	path::{Path, PathBuf},
	process::Command,
};

use modicum_packaging::{unpack_output, PackagingError};
use proptest::prelude::*;
use tempfile::TempDir;

struct Item {
	kind: u8,
	name: Vec<u8>,
	link: Vec<u8>,
	content: Vec<u8>,
	mode: u32,
}

fn item(kind: u8, name: &str, link: &str, content: &[u8]) -> Item {
	Item { kind, name: name.into(), link: link.into(), content: content.into(), mode: 0o644 }
}

/// An archive with these entries as they are, without the library's own checks of names.
fn write_archive(path: &Path, items: &[Item]) {
	let mut builder = tar::Builder::new(File::create(path).unwrap());
	for item in items {
		let mut header = tar::Header::new_gnu();
		let fields = header.as_gnu_mut().unwrap();
		let cut = item.name.len().min(100);
		fields.name[..cut].copy_from_slice(&item.name[..cut]);
		fields.linkname[..item.link.len()].copy_from_slice(&item.link);
		header.set_entry_type(tar::EntryType::new(item.kind));
		header.set_mode(item.mode);
		header.set_size(item.content.len() as u64);
		header.set_cksum();
		builder.append(&header, &item.content[..]).unwrap();
	}
	builder.finish().unwrap();
}

fn with(items: &[Item]) -> (TempDir, PathBuf) {
	let folder = tempfile::tempdir().unwrap();
	let archive = folder.path().join("result.tar");
	write_archive(&archive, items);
	(folder, archive)
}

fn listing(folder: &Path) -> Vec<String> {
	let mut names: Vec<_> = fs::read_dir(folder)
		.unwrap()
		.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
		.collect();
	names.sort();
	names
}

#[test]
fn a_result_of_gnu_tar_becomes_files() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("made");
	fs::create_dir_all(out.join("d/e")).unwrap();
	let long = "n".repeat(150);
	let not_text = OsStr::from_bytes(b"\xff\n");
	fs::write(out.join("d/e/picture"), [7; 5000]).unwrap();
	fs::write(out.join("d").join(&long), "long").unwrap();
	fs::write(out.join(not_text), "bytes").unwrap();
	fs::write(out.join("run"), "#!/bin/sh\n").unwrap();
	fs::set_permissions(out.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
	symlink("d/e/picture", out.join("link")).unwrap();
	symlink("x".repeat(150), out.join("z")).unwrap();
	// The command of docs/executor.md, with the names as it orders them.
	let archive = folder.path().join("result.tar");
	let mut tar = Command::new("tar");
	tar.args([
		"--format=gnu",
		"--no-recursion",
		"--mtime=@0",
		"--owner=0",
		"--group=0",
		"--numeric-owner",
		"-b1",
	]);
	tar.arg("-C").arg(&out).arg("-cf").arg(&archive);
	tar.args(["d", "d/e", "d/e/picture"])
		.arg(format!("d/{long}"))
		.args(["link", "run", "z"])
		.arg(not_text);
	assert!(tar.status().unwrap().success());

	let to = folder.path().join("new/result");
	let files = unpack_output(&archive, &to).unwrap();
	let expected =
		["d/e/picture", &format!("d/{long}"), "link", "run", "z"].map(|name| to.join(name));
	assert_eq!(files[..5], expected);
	assert_eq!(files[5..], [to.join(not_text)]);
	assert_eq!(fs::read(to.join("d/e/picture")).unwrap(), [7; 5000]);
	assert_eq!(fs::read(to.join("link")).unwrap(), [7; 5000]);
	assert_eq!(fs::read(to.join(not_text)).unwrap(), b"bytes");
	assert_eq!(fs::read_link(to.join("z")).unwrap().as_os_str().len(), 150);
	assert_ne!(fs::metadata(to.join("run")).unwrap().permissions().mode() & 0o100, 0);
	assert_eq!(fs::metadata(to.join("d").join(&long)).unwrap().permissions().mode() & 0o111, 0);
	assert_eq!(listing(&folder.path().join("new")), ["result"], "nothing hidden is left");
}

#[test]
fn what_is_no_result_is_refused_and_leaves_nothing() {
	let file = |name: &str| item(b'0', name, "", b"x");
	let folder = |name: &str| item(b'5', name, "", b"");
	for (items, expected) in [
		(vec![file("../escape")], "plain path"),
		(vec![file("/escape")], "plain path"),
		(vec![file("./a")], "plain path"),
		(vec![file("a//b")], "plain path"),
		(vec![file("")], "plain path"),
		(vec![folder("/")], "plain path"),
		(vec![folder("d/"), folder("d/../")], "plain path"),
		(vec![folder("d")], "without a final '/'"),
		(vec![file("d/a")], "that the archive does not have"),
		(vec![file("a"), file("a/b")], "that the archive does not have"),
		(vec![item(b'2', "a", "b", b""), file("a/b")], "that the archive does not have"),
		(vec![file("a"), file("a")], "out of order or there twice"),
		(vec![folder("a/"), file("a")], "out of order or there twice"),
		(vec![file("b"), file("a")], "out of order or there twice"),
		(vec![item(b'2', "a", "/etc/passwd", b"")], "leads out"),
		(vec![item(b'2', "a", "../x", b"")], "leads out"),
		(vec![item(b'2', "a", "", b"")], "leads out"),
		(vec![folder("d/"), item(b'2', "d/a", "../b/../../x", b"")], "leads out"),
		(vec![file("a"), item(b'1', "b", "a", b"")], "neither"),
		(vec![item(b'3', "null", "", b"")], "neither"),
		(vec![item(b'6', "fifo", "", b"")], "neither"),
		(vec![item(b'S', "sparse", "", b"")], "neither"),
		(vec![item(b'x', "pax", "", b"12 path=../a\n"), file("a")], "neither"),
		(vec![item(b'L', "././@LongLink", "", b"../../a\0"), file("a")], "plain path"),
		(vec![item(b'L', "././@LongLink", "", &[b'a'; 5000]), file("a")], "more than 4096"),
	] {
		let (folder, archive) = with(&items);
		let names: Vec<_> =
			items.iter().map(|item| String::from_utf8_lossy(&item.name).into_owned()).collect();
		let error = unpack_output(&archive, &folder.path().join("to")).unwrap_err();
		assert!(matches!(error, PackagingError::NotAResult { .. }), "{names:?}: {error}");
		assert!(error.to_string().contains(expected), "{names:?}: {error}");
		assert_eq!(listing(folder.path()), ["result.tar"], "{names:?}");
	}
}

#[test]
fn a_cut_archive_leaves_nothing() {
	let (folder, archive) =
		with(&[item(b'0', "a", "", &[1; 3000]), item(b'0', "b", "", &[2; 3000])]);
	let whole = fs::read(&archive).unwrap();
	for length in [100, 700, 2000, 3700, 5000] {
		File::create(&archive).unwrap().write_all(&whole[..length]).unwrap();
		assert!(unpack_output(&archive, &folder.path().join("to")).is_err(), "{length}");
		assert_eq!(listing(folder.path()), ["result.tar"], "{length}");
	}
}

#[test]
fn existing_files_are_kept() {
	let (folder, archive) = with(&[
		item(b'0', "a", "", b"new"),
		item(b'5', "d/", "", b""),
		item(b'0', "d/b", "", b"b"),
	]);
	let to = folder.path().join("to");
	fs::create_dir(&to).unwrap();
	fs::write(to.join("other"), "old").unwrap();
	unpack_output(&archive, &to).unwrap();
	assert_eq!(listing(&to), ["a", "d", "other"]);
	// Now `a` and `d` are there.
	fs::write(to.join("a"), "mine").unwrap();
	let error = unpack_output(&archive, &to).unwrap_err();
	assert!(matches!(error, PackagingError::Exists(_)), "{error}");
	assert_eq!(fs::read(to.join("a")).unwrap(), b"mine");
	assert_eq!(listing(&to), ["a", "d", "other"]);
	// A link to nowhere is something, too, and so is a file in the folder's place.
	fs::remove_file(to.join("a")).unwrap();
	fs::remove_dir_all(to.join("d")).unwrap();
	symlink("/nowhere", to.join("a")).unwrap();
	assert!(matches!(unpack_output(&archive, &to), Err(PackagingError::Exists(_))));
	assert!(matches!(unpack_output(&archive, &to.join("other")), Err(PackagingError::Exists(_))));
	assert_eq!(fs::read(to.join("other")).unwrap(), b"old");
	assert!(!to.join("d").exists());
}

#[test]
fn what_a_crash_left_is_cleared_and_what_others_do_is_not() {
	let (folder, archive) = with(&[item(b'0', "a", "", b"a")]);
	let to = folder.path().join("to");
	let staging = folder.path().join(".to.modicum-unpacking");
	fs::create_dir_all(staging.join("half")).unwrap();
	fs::write(staging.join("half/b"), "b").unwrap();
	let held = File::open(&staging).unwrap();
	held.lock().unwrap();
	assert!(matches!(unpack_output(&archive, &to), Err(PackagingError::Busy(_))));
	assert!(staging.join("half/b").exists());
	drop(held);
	unpack_output(&archive, &to).unwrap();
	assert_eq!(listing(&to), ["a"]);
	assert_eq!(listing(folder.path()), ["result.tar", "to"]);
	// Somebody's trap: what it leads to is left alone.
	let precious = folder.path().join("precious");
	fs::create_dir(&precious).unwrap();
	fs::write(precious.join("file"), "").unwrap();
	symlink(&precious, folder.path().join(".to2.modicum-unpacking")).unwrap();
	assert!(unpack_output(&archive, &folder.path().join("to2")).is_err());
	assert_eq!(listing(&precious), ["file"]);
}

proptest! {
	#[test]
	fn any_bytes_stay_inside(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
		let folder = tempfile::tempdir().unwrap();
		let archive = folder.path().join("result.tar");
		fs::write(&archive, &bytes).unwrap();
		let unpacked = unpack_output(&archive, &folder.path().join("to"));
		prop_assert_eq!(folder.path().join("to").exists(), unpacked.is_ok());
	}

	#[test]
	fn any_names_and_links_stay_inside(
		items in proptest::collection::vec(
			("[ab./]{1,6}", "[ab./]{0,6}", prop_oneof![Just(b'0'), Just(b'2'), Just(b'5')]),
			0..6,
		),
	) {
		let mut items: Vec<Item> =
			items.iter().map(|(name, link, kind)| item(*kind, name, link, b"")).collect();
		items.sort_by(|one, other| one.name.cmp(&other.name));
		let (folder, archive) = with(&items);
		let to = folder.path().join("to");
		let unpacked = unpack_output(&archive, &to);
		let expected: &[&str] = if unpacked.is_ok() { &["result.tar", "to"] } else { &["result.tar"] };
		prop_assert_eq!(listing(folder.path()), expected);
		for path in unpacked.into_iter().flatten() {
			prop_assert!(path.starts_with(&to));
			if let Ok(real) = fs::canonicalize(&path) {
				prop_assert!(real.starts_with(fs::canonicalize(&to).unwrap()));
			}
		}
	}
}
