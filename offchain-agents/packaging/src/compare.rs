// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The first difference between two outputs of one job, and a guess at where it comes from.

use std::{
	cmp::Ordering,
	fmt,
	fs::File,
	io::{self, BufReader, Read},
	path::Path,
};

use serde::Serialize;
use tar::{Archive, Entry};

use crate::hint::{hint, Hint};

/// How much of two files is compared at once, in bytes. Files that are longer are not recognised as the same lines in
/// another order.
const PIECE_BYTES: u64 = 8 << 20;
/// How much is shown of each side, in bytes.
const EXCERPT_BYTES: usize = 48;

/// The first entry, in the order of names, in which two outputs differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
	/// The entry's path in the output; what is no text in it is replaced.
	pub path: String,
	/// What differs.
	pub what: String,
	/// Where that may come from.
	pub hint: Hint,
}

impl fmt::Display for Difference {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "'{}' {}\n  {}", self.path, self.what, self.hint)
	}
}

/// The first difference between the archives `one` and `other`, which differ.
pub(crate) fn first_difference(one: &Path, other: &Path) -> io::Result<Difference> {
	let open = |path| File::open(path).map(|file| Archive::new(BufReader::new(file)));
	let (mut one, mut other) = (open(one)?, open(other)?);
	let (mut left, mut right) = (one.entries()?, other.entries()?);
	loop {
		match (left.next().transpose()?, right.next().transpose()?) {
			(Some(mut one), Some(mut other)) => match name(&one).cmp(&name(&other)) {
				Ordering::Equal => {
					if let Some((what, hint)) = compare(&mut one, &mut other)? {
						return Ok(Difference { path: shown(&name(&one)), what, hint });
					}
				},
				Ordering::Less => return Ok(only_in("first", &name(&one))),
				Ordering::Greater => return Ok(only_in("second", &name(&other))),
			},
			(Some(one), None) => return Ok(only_in("first", &name(&one))),
			(None, Some(other)) => return Ok(only_in("second", &name(&other))),
			(None, None) => {
				return Err(io::Error::other(
					"the outputs have different digests and the same entries",
				))
			},
		}
	}
}

fn only_in(run: &str, name: &[u8]) -> Difference {
	Difference {
		path: shown(name),
		what: format!("was left by the {run} run only"),
		hint: Hint::Names,
	}
}

/// The name as entries are sorted by it.
fn name<R: Read>(entry: &Entry<'_, R>) -> Vec<u8> {
	let mut name = entry.path_bytes().into_owned();
	name.pop_if(|last| *last == b'/');
	name
}

fn shown(bytes: &[u8]) -> String {
	String::from_utf8_lossy(bytes).into_owned()
}

fn compare<R: Read>(
	one: &mut Entry<'_, R>,
	other: &mut Entry<'_, R>,
) -> io::Result<Option<(String, Hint)>> {
	let same = |what: &str| Ok(Some((what.to_owned(), Hint::Unknown)));
	if one.header().entry_type() != other.header().entry_type() {
		return same(
			"is a file, a folder or a symbolic link in one run and another of these in the other",
		);
	}
	if one.header().mode()? != other.header().mode()? {
		return same("is executable in one run only");
	}
	let links = (one.link_name_bytes(), other.link_name_bytes());
	if links.0 != links.1 {
		let [one, other] = [links.0, links.1].map(|link| shown(&link.unwrap_or_default()));
		return Ok(Some((format!("links to '{one}' and to '{other}'"), Hint::Names)));
	}
	let whole = one.size().max(other.size()) <= PIECE_BYTES;
	let mut before = 0u64;
	loop {
		let (mut left, mut right) = (Vec::new(), Vec::new());
		one.take(PIECE_BYTES).read_to_end(&mut left)?;
		other.take(PIECE_BYTES).read_to_end(&mut right)?;
		if left != right {
			let at = left.iter().zip(&right).take_while(|(one, other)| one == other).count();
			let what = format!(
				"differs from byte {} on: {} and {}",
				before + at as u64,
				excerpt(&left, at),
				excerpt(&right, at)
			);
			let hint = hint(&left, &right, at, whole);
			return Ok(Some((what, hint)));
		}
		if left.is_empty() {
			return Ok(None);
		}
		before += left.len() as u64;
	}
}

/// What stands at `at`, for people: in quotes, with what cannot be printed escaped.
fn excerpt(bytes: &[u8], at: usize) -> String {
	match &bytes[at..] {
		[] => "the end".into(),
		rest => format!("\"{}\"", rest[..rest.len().min(EXCERPT_BYTES)].escape_ascii()),
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use tar::{Builder, EntryType, Header};

	use super::*;

	fn archive(
		folder: &Path,
		name: &str,
		entries: &[(&str, EntryType, u32, &[u8])],
	) -> std::path::PathBuf {
		let path = folder.join(name);
		let mut builder = Builder::new(File::create(&path).unwrap());
		for (name, kind, mode, content) in entries {
			let mut header = Header::new_gnu();
			header.set_entry_type(*kind);
			header.set_mode(*mode);
			let content = if *kind == EntryType::Symlink {
				header.set_link_name_literal(content).unwrap();
				&[]
			} else {
				*content
			};
			header.set_size(content.len() as u64);
			builder.append_data(&mut header, name, content).unwrap();
		}
		builder.finish().unwrap();
		path
	}

	#[test]
	fn the_first_difference_is_named() {
		use EntryType::{Directory, Regular, Symlink};
		let folder = tempfile::tempdir().unwrap();
		let long = vec![b'x'; 9 << 20];
		let mut changed = long.clone();
		changed[(8 << 20) + 5] = b'y';
		type Entries<'a> = Vec<(&'a str, EntryType, u32, &'a [u8])>;
		let cases: Vec<(Entries<'_>, Entries<'_>, &str, &str)> = vec![
			(
				vec![("a", Regular, 0o644, b"1"), ("b", Regular, 0o644, b"12 x")],
				vec![("a", Regular, 0o644, b"1"), ("b", Regular, 0o644, b"12 y")],
				"b",
				"differs from byte 3 on: \"x\" and \"y\"",
			),
			(
				vec![("a", Regular, 0o644, b"1")],
				vec![("a", Regular, 0o644, b"12")],
				"a",
				"differs from byte 1 on: the end and \"2\"",
			),
			(
				vec![("d/", Directory, 0o755, b""), ("d/t", Regular, 0o644, b"")],
				vec![("d/", Directory, 0o755, b""), ("d/s", Regular, 0o644, b"")],
				"d/s",
				"was left by the second run only",
			),
			(vec![("z", Regular, 0o644, b"")], vec![], "z", "was left by the first run only"),
			(
				vec![("a", Regular, 0o644, b"")],
				vec![("a", Regular, 0o755, b"")],
				"a",
				"is executable in one run only",
			),
			(
				vec![("a", Symlink, 0o777, b"x")],
				vec![("a", Symlink, 0o777, b"y")],
				"a",
				"links to 'x' and to 'y'",
			),
			(
				vec![("a/", Directory, 0o755, b"")],
				vec![("a", Regular, 0o755, b"")],
				"a",
				"is a file, a folder or a symbolic link in one run and another of these in the other",
			),
			(
				vec![("a", Regular, 0o644, &long)],
				vec![("a", Regular, 0o644, &changed)],
				"a",
				"differs from byte 8388613 on: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" and \"yxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
			),
		];
		for (one, other, path, what) in cases {
			let one = archive(folder.path(), "one", &one);
			let other = archive(folder.path(), "other", &other);
			let found = first_difference(&one, &other).unwrap();
			assert_eq!((found.path.as_str(), found.what.as_str()), (path, what));
		}
	}
}
