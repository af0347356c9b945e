// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From a result archive to files. The archive comes from a stranger: it is read by the letter of `docs/executor.md`
//! ("The result"), and what that does not allow is refused.

use std::{
	collections::HashSet,
	ffi::{OsStr, OsString},
	fs::{self, File, OpenOptions},
	io::{self, BufReader, Read},
	os::unix::{
		ffi::OsStringExt,
		fs::{symlink, OpenOptionsExt},
	},
	path::{Path, PathBuf},
};

use rustix::fs::{flock, renameat_with, FlockOperation, OFlags, RenameFlags, CWD};
use tar::{Archive, EntryType};

use crate::{
	error::{PackagingError, Result},
	paths::{is_plain_relative, stays_within},
};

/// The longest name or link target, in bytes: what Linux takes.
const MAX_PATH_BYTES: u64 = 4096;

/// Unpack the result archive `archive` into the folder `to`, which need not exist. The paths of the files and symbolic
/// links, sorted.
///
/// Nothing is written outside `to` and nothing in it is overwritten. Everything is written into a hidden folder
/// beside first and then gets its name: a new `to` appears whole or not at all, even if this process is killed; into a
/// folder that exists already the top-level entries are moved one by one, each whole. What a killed process left is
/// removed the next time.
///
/// The caller has compared the archive's digest with the result hash; this does not. It blocks.
///
/// # Errors
/// [`PackagingError::NotAResult`], [`PackagingError::Exists`], [`PackagingError::Busy`], or the disk's.
pub fn unpack_output(archive: &Path, to: &Path) -> Result<Vec<PathBuf>> {
	let existed = match fs::symlink_metadata(to) {
		Ok(_) if to.is_dir() => true,
		Ok(_) => return Err(PackagingError::Exists(to.into())),
		Err(error) if error.kind() == io::ErrorKind::NotFound => false,
		Err(error) => return Err(PackagingError::io("examine", to)(error)),
	};
	let staging = Staging::create(to, existed)?;
	let mut unpacking = Unpacking { root: &staging.path, names: Vec::new(), links: Vec::new() };
	unpacking.read(archive)?;
	let names = unpacking.names;
	if existed {
		move_entries(&staging.path, to)?;
	} else {
		rename_new(&staging.path, to)?;
	}
	Ok(names.into_iter().map(|name| to.join(name)).collect())
}

/// A hidden folder on the same file system, locked, and removed when the value goes.
struct Staging {
	path: PathBuf,
	_lock: File,
}

impl Staging {
	fn create(to: &Path, existed: bool) -> Result<Self> {
		let path = if existed {
			to.join(".modicum-unpacking")
		} else {
			let mut name = OsString::from(".");
			name.push(to.file_name().unwrap_or(OsStr::new("output")));
			name.push(".modicum-unpacking");
			let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
			let parent = parent.unwrap_or(Path::new("."));
			fs::create_dir_all(parent).map_err(PackagingError::io("create", parent))?;
			parent.join(name)
		};
		if let Err(error) = fs::create_dir(&path) {
			if error.kind() != io::ErrorKind::AlreadyExists {
				return Err(PackagingError::io("create", path)(error));
			}
		}
		// Not through a symbolic link: what it names is cleared.
		let flags = OFlags::NOFOLLOW | OFlags::DIRECTORY;
		let mut options = OpenOptions::new();
		options.read(true).custom_flags(flags.bits() as i32);
		let lock = options.open(&path).map_err(PackagingError::io("open", &path))?;
		flock(&lock, FlockOperation::NonBlockingLockExclusive)
			.map_err(|_| PackagingError::Busy(to.into()))?;
		// What a crash left of an earlier attempt.
		let cleared = fs::read_dir(&path).and_then(|entries| {
			entries.into_iter().try_for_each(|entry| {
				let entry = entry?;
				match entry.file_type()?.is_dir() {
					true => fs::remove_dir_all(entry.path()),
					false => fs::remove_file(entry.path()),
				}
			})
		});
		cleared.map_err(PackagingError::io("clear", &path))?;
		Ok(Self { path, _lock: lock })
	}
}

impl Drop for Staging {
	fn drop(&mut self) {
		match fs::remove_dir_all(&self.path) {
			// Renamed to its place.
			Err(error) if error.kind() == io::ErrorKind::NotFound => {},
			Err(error) => {
				tracing::warn!(path = %self.path.display(), %error, "cannot remove a temporary folder")
			},
			Ok(()) => {},
		}
	}
}

fn rename_new(from: &Path, to: &Path) -> Result<()> {
	match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
		Ok(()) => Ok(()),
		Err(rustix::io::Errno::EXIST) => Err(PackagingError::Exists(to.into())),
		// File systems without this: there is a gap in which somebody else could come first.
		Err(rustix::io::Errno::INVAL) if fs::symlink_metadata(to).is_err() => {
			fs::rename(from, to).map_err(PackagingError::io("write", to))
		},
		Err(rustix::io::Errno::INVAL) => Err(PackagingError::Exists(to.into())),
		Err(error) => Err(PackagingError::io("write", to)(error.into())),
	}
}

fn move_entries(from: &Path, to: &Path) -> Result<()> {
	let mut moves = Vec::new();
	for entry in fs::read_dir(from).map_err(PackagingError::io("read", from))? {
		let entry = entry.map_err(PackagingError::io("read", from))?;
		let place = to.join(entry.file_name());
		if fs::symlink_metadata(&place).is_ok() {
			return Err(PackagingError::Exists(place));
		}
		moves.push((entry.path(), place));
	}
	moves.into_iter().try_for_each(|(from, to)| rename_new(&from, &to))
}

/// One pass over an archive.
struct Unpacking<'a> {
	root: &'a Path,
	/// Files and links so far.
	names: Vec<PathBuf>,
	/// Links to be made when all files are there: so nothing is ever written through one.
	links: Vec<(PathBuf, OsString)>,
}

impl Unpacking<'_> {
	fn read(&mut self, archive: &Path) -> Result<()> {
		let refuse = |why: String| PackagingError::NotAResult { archive: archive.into(), why };
		let file = File::open(archive).map_err(PackagingError::io("open", archive))?;
		let mut entries = Archive::new(BufReader::new(file));
		let mut folders: HashSet<Vec<u8>> = HashSet::new();
		let mut last: Vec<u8> = Vec::new();
		let (mut long_name, mut long_link) = (None, None);
		let malformed = |error: io::Error| refuse(error.to_string());
		for entry in entries.entries().map_err(malformed)?.raw(true) {
			let mut entry = entry.map_err(malformed)?;
			let kind = entry.header().entry_type();
			if matches!(kind, EntryType::GNULongName | EntryType::GNULongLink) {
				let text = long_text(&mut entry).map_err(malformed)?;
				match kind {
					EntryType::GNULongName => long_name = Some(text),
					_ => long_link = Some(text),
				}
				continue;
			}
			let mut name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
			let shown = String::from_utf8_lossy(&name).into_owned();
			let long_link = long_link.take();
			let refuse = |what: &str| refuse(format!("'{shown}' {what}"));
			if kind == EntryType::Directory && name.pop_if(|last| *last == b'/').is_none() {
				return Err(refuse("is a folder without a final '/'"));
			}
			if !is_plain_relative(&name) {
				return Err(refuse("is not a plain path below the output"));
			}
			if name <= last {
				return Err(refuse("is out of order or there twice"));
			}
			let parent = name.iter().rposition(|byte| *byte == b'/').map(|end| &name[..end]);
			if parent.is_some_and(|parent| !folders.contains(parent)) {
				return Err(refuse("is in a folder that the archive does not have"));
			}
			let path = PathBuf::from(OsString::from_vec(name.clone()));
			let place = self.root.join(&path);
			match kind {
				EntryType::Directory => {
					fs::create_dir(&place).map_err(PackagingError::io("create", &place))?;
					folders.insert(name.clone());
				},
				EntryType::Regular => {
					let executable = entry.header().mode().map_err(malformed)? & 0o100 != 0;
					write_file(&mut entry, &place, executable)?;
					self.names.push(path);
				},
				EntryType::Symlink => {
					let target = long_link
						.or_else(|| entry.link_name_bytes().map(|target| target.into_owned()));
					let target = target.unwrap_or_default();
					if !stays_within(&name, &target) {
						return Err(refuse("is a symbolic link that leads out of the output"));
					}
					self.links.push((place, OsString::from_vec(target)));
					self.names.push(path);
				},
				_ => return Err(refuse("is neither a file, a folder nor a symbolic link")),
			}
			last = name;
		}
		for (place, target) in &self.links {
			symlink(target, place).map_err(PackagingError::io("create", place))?;
		}
		Ok(())
	}
}

/// The name or target in an entry of its own before the one that it belongs to.
fn long_text(entry: &mut impl Read) -> io::Result<Vec<u8>> {
	let mut text = Vec::new();
	entry.take(MAX_PATH_BYTES + 1).read_to_end(&mut text)?;
	if text.len() as u64 > MAX_PATH_BYTES {
		return Err(io::Error::other("it has a name of more than 4096 bytes"));
	}
	text.pop_if(|last| *last == 0);
	Ok(text)
}

fn write_file(
	content: &mut tar::Entry<'_, impl Read>,
	place: &Path,
	executable: bool,
) -> Result<()> {
	let mut options = OpenOptions::new();
	let mode = if executable { 0o755 } else { 0o644 };
	let mut file = options
		.write(true)
		.create_new(true)
		.mode(mode)
		.open(place)
		.map_err(PackagingError::io("create", place))?;
	let size = content.size();
	let copied = io::copy(content, &mut file).map_err(PackagingError::io("write", place))?;
	match copied == size {
		true => Ok(()),
		false => Err(PackagingError::io("write", place)(io::ErrorKind::UnexpectedEof.into())),
	}
}
