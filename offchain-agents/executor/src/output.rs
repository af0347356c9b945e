// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The result of a job: a canonical archive of what it left in `/out`.
//!
//! Two runs that leave the same files give the same bytes, whatever the machine, the time and the order
//! in which the files were written. The format is part of the protocol: `docs/executor.md`.

use std::{
	collections::HashMap,
	fs::File,
	io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
	path::Path,
};

use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType, Header};

use crate::{digest::Digest, extension::Extensions};

/// The unit in which storage is counted, in bytes: an entry takes at least one, a file as many as it fills.
pub const BLOCK_BYTES: u64 = 4096;
/// The most entries of an output: each costs the machine an inode and the reader memory, whatever its size.
pub const MAX_OUTPUT_ENTRIES: u64 = 200_000;
/// The most bytes of all names and link targets in an output.
pub const MAX_OUTPUT_NAME_BYTES: u64 = 64 << 20;
const TAR_BLOCK: usize = 512;
const MAX_SYMLINK_BYTES: usize = 4096;

/// A job's output in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
	/// The archive's digest: the result hash.
	pub digest: Digest,
	/// The archive's length in bytes.
	pub size: u64,
	/// The storage that the output takes, in bytes: see [`BLOCK_BYTES`].
	pub storage: u64,
	/// How many entries the archive has.
	pub entries: u64,
	/// How many sockets, FIFOs and device files were left out: they have no content.
	pub left_out: u64,
}

/// Why there is no canonical archive.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputFault {
	/// The output takes more storage than the job may use, or has more entries than any job may leave.
	#[error("the output has {0}")]
	OverLimit(String),
	/// The output has something that no result may have.
	#[error("the output is refused: {0}")]
	Invalid(String),
	/// The machine failed.
	#[error(transparent)]
	Io(#[from] io::Error),
}

/// What an output may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputLimits {
	/// Storage in bytes: see [`BLOCK_BYTES`].
	pub storage: u64,
	/// Entries, those left out of the archive included.
	pub entries: u64,
	/// Bytes of names and link targets.
	pub name_bytes: u64,
}

impl OutputLimits {
	/// Those of a job that may use `storage` bytes.
	pub(crate) fn of(storage: u64) -> Self {
		Self { storage, entries: MAX_OUTPUT_ENTRIES, name_bytes: MAX_OUTPUT_NAME_BYTES }
	}
}

enum Kind {
	Directory,
	/// Where the content lies in the spool file, in bytes.
	File {
		offset: u64,
		size: u64,
		executable: bool,
	},
	Symlink(Vec<u8>),
}

struct Spooled {
	path: Vec<u8>,
	kind: Kind,
}

/// Make the canonical archive `archive` out of `engine_archive`, the engine's own archive of `/out`. `spool`
/// holds the files' content meanwhile; nothing is read that would exceed the limits.
pub(crate) fn canonicalise(
	engine_archive: impl Read,
	spool: &mut File,
	archive: &Path,
	limits: OutputLimits,
) -> Result<Output, OutputFault> {
	let writer = BufWriter::new(spool);
	let mut spooled = Spool { writer, offset: 0, storage: 0, entries: 0, name_bytes: 0, limits };
	let (mut entries, left_out) = spooled.collect(engine_archive)?;
	let storage = spooled.storage;
	let spool = spooled.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
	entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
	let mut writer = HashingWriter {
		inner: BufWriter::new(File::create(archive)?),
		hasher: Sha256::new(),
		count: 0,
	};
	for entry in &entries {
		write_entry(&mut writer, entry, spool)?;
	}
	writer.write_all(&[0; 2 * TAR_BLOCK])?;
	writer.flush()?;
	Ok(Output {
		digest: Digest(writer.hasher.finalize().into()),
		size: writer.count,
		storage,
		entries: entries.len() as u64,
		left_out,
	})
}

struct Spool<'a> {
	writer: BufWriter<&'a mut File>,
	offset: u64,
	storage: u64,
	entries: u64,
	name_bytes: u64,
	limits: OutputLimits,
}

impl Spool<'_> {
	fn charge(&mut self, size: u64) -> Result<(), OutputFault> {
		let blocks = size.div_ceil(BLOCK_BYTES).max(1);
		self.storage = self.storage.saturating_add(blocks.saturating_mul(BLOCK_BYTES));
		let limit = self.limits.storage;
		if self.storage > limit {
			let what = format!("more than the {limit} bytes of storage allowed");
			return Err(OutputFault::OverLimit(what));
		}
		Ok(())
	}

	/// Count one more entry, whatever its kind.
	fn count(&mut self, path: &[u8], link: Option<&[u8]>) -> Result<(), OutputFault> {
		let OutputLimits { entries, name_bytes, .. } = self.limits;
		self.entries += 1;
		self.name_bytes += (path.len() + link.map_or(0, <[u8]>::len)) as u64;
		if self.entries > entries {
			return Err(OutputFault::OverLimit(format!("more than {entries} entries")));
		}
		if self.name_bytes > name_bytes {
			return Err(OutputFault::OverLimit(format!("more than {name_bytes} bytes of names")));
		}
		Ok(())
	}

	/// All entries, in the engine's order, and the number of those left out.
	fn collect(&mut self, engine_archive: impl Read) -> Result<(Vec<Spooled>, u64), OutputFault> {
		let mut archive = Archive::new(BufReader::new(engine_archive));
		let mut entries: Vec<Spooled> = Vec::new();
		// Where each file is in `entries`, for the hard links to it.
		let mut files: HashMap<Vec<u8>, usize> = HashMap::new();
		let mut left_out = 0;
		let mut names = Extensions::default();
		for entry in archive.entries()?.raw(true) {
			let mut entry = entry?;
			let entry_type = entry.header().entry_type();
			if Extensions::is_one(entry_type) {
				names.read(entry_type, &mut entry)?;
				continue;
			}
			let names = std::mem::take(&mut names);
			let name = names.path.unwrap_or_else(|| entry.path_bytes().into_owned());
			let link = names.link.or_else(|| entry.link_name_bytes().map(|link| link.into_owned()));
			let Some(path) = relative(&name) else { continue };
			self.count(&path, link.as_deref())?;
			if let Some(size) = names.size {
				self.charge(size)?;
				return Err(invalid(&path, "is larger than 8 GiB"));
			}
			let executable = entry.header().mode()? & 0o100 != 0;
			let kind = match entry_type {
				EntryType::Directory => {
					self.charge(0)?;
					Kind::Directory
				},
				EntryType::Regular | EntryType::Continuous => {
					let size = entry.size();
					self.charge(size)?;
					let copied = io::copy(&mut entry, &mut self.writer)?;
					if copied != size {
						return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
					}
					let offset = self.offset;
					self.offset += size;
					files.insert(path.clone(), entries.len());
					Kind::File { offset, size, executable }
				},
				// A hard link is a file of its own in the archive: charged as one, so that no small file
				// with many names becomes a large archive.
				EntryType::Link => {
					let target = link.as_deref().and_then(relative);
					let known =
						target.and_then(|target| files.get(&target)).map(|at| &entries[*at].kind);
					let Some(&Kind::File { offset, size, executable }) = known else {
						return Err(invalid(&path, "is a hard link to no file of the output"));
					};
					self.charge(size)?;
					Kind::File { offset, size, executable }
				},
				EntryType::Symlink => {
					let target = link.unwrap_or_default();
					if !stays_within(&path, &target) {
						return Err(invalid(
							&path,
							"is a symbolic link that is absolute, leads out of /out, or has '..' after a name",
						));
					}
					self.charge(0)?;
					Kind::Symlink(target)
				},
				EntryType::Char | EntryType::Block | EntryType::Fifo => {
					left_out += 1;
					continue;
				},
				other => {
					let what = format!("has the unknown type {:?}", char::from(other.as_byte()));
					return Err(invalid(&path, &what));
				},
			};
			entries.push(Spooled { path, kind });
		}
		Ok((entries, left_out))
	}
}

fn invalid(path: &[u8], what: &str) -> OutputFault {
	OutputFault::Invalid(format!("'{}' {what}", String::from_utf8_lossy(path)))
}

/// The path below the output folder, which is the first part of every name; `None` for the folder.
fn relative(name: &[u8]) -> Option<Vec<u8>> {
	let parts: Vec<&[u8]> = name
		.split(|byte| *byte == b'/')
		.filter(|part| !matches!(*part, b"" | b"."))
		.skip(1)
		.collect();
	(!parts.is_empty()).then(|| parts.join(&b'/'))
}

/// Whether a symbolic link at `path` stays in the output, whatever other such links lie on its way: it
/// is relative and climbs with `..` only at its start, where all parts are true directories.
fn stays_within(path: &[u8], target: &[u8]) -> bool {
	if target.is_empty() || target.len() > MAX_SYMLINK_BYTES || target.starts_with(b"/") {
		return false;
	}
	let depth = path.split(|byte| *byte == b'/').count() - 1;
	let parts = || target.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
	let climbs = parts().take_while(|part| *part == b"..").count();
	climbs <= depth && parts().skip(climbs).all(|part| part != b"..")
}

fn write_entry(writer: &mut impl Write, entry: &Spooled, spool: &mut File) -> io::Result<()> {
	let mut name = entry.path.clone();
	match &entry.kind {
		Kind::Directory => {
			name.push(b'/');
			write_header(writer, EntryType::Directory, &name, b"", 0, 0o755)
		},
		Kind::Symlink(target) => write_header(writer, EntryType::Symlink, &name, target, 0, 0o777),
		Kind::File { offset, size, executable } => {
			let mode = if *executable { 0o755 } else { 0o644 };
			write_header(writer, EntryType::Regular, &name, b"", *size, mode)?;
			spool.seek(SeekFrom::Start(*offset))?;
			write_padded(writer, spool.take(*size), *size)
		},
	}
}

/// One header in the GNU format with every field that could differ between machines at zero. Names of
/// more than 100 bytes precede it in entries of their own, as GNU tar writes them.
fn write_header(
	writer: &mut impl Write,
	kind: EntryType,
	name: &[u8],
	link: &[u8],
	size: u64,
	mode: u32,
) -> io::Result<()> {
	for (extension, text) in [(EntryType::GNULongName, name), (EntryType::GNULongLink, link)] {
		if text.len() > 100 {
			let length = text.len() as u64 + 1;
			write_block(writer, extension, b"././@LongLink", b"", length, 0o644)?;
			write_padded(writer, text.chain(&[0][..]), length)?;
		}
	}
	write_block(writer, kind, name, link, size, mode)
}

fn write_block(
	writer: &mut impl Write,
	kind: EntryType,
	name: &[u8],
	link: &[u8],
	size: u64,
	mode: u32,
) -> io::Result<()> {
	let mut header = Header::new_gnu();
	let fields = header.as_gnu_mut().expect("new_gnu makes a GNU header; qed");
	let cut = |text: &[u8]| text.len().min(100);
	fields.name[..cut(name)].copy_from_slice(&name[..cut(name)]);
	fields.linkname[..cut(link)].copy_from_slice(&link[..cut(link)]);
	header.set_entry_type(kind);
	header.set_size(size);
	header.set_mode(mode);
	header.set_uid(0);
	header.set_gid(0);
	header.set_mtime(0);
	header.set_cksum();
	// As GNU tar writes this field, so that a result can be made and checked by hand.
	let checksum = format!("{:06o}\0 ", header.cksum()?);
	header.as_old_mut().cksum.copy_from_slice(checksum.as_bytes());
	writer.write_all(header.as_bytes())
}

fn write_padded(writer: &mut impl Write, mut content: impl Read, size: u64) -> io::Result<()> {
	if io::copy(&mut content, writer)? != size {
		return Err(io::ErrorKind::UnexpectedEof.into());
	}
	let padding = size.next_multiple_of(TAR_BLOCK as u64) - size;
	writer.write_all(&[0; TAR_BLOCK][..padding as usize])
}

struct HashingWriter<W> {
	inner: W,
	hasher: Sha256,
	count: u64,
}

impl<W: Write> Write for HashingWriter<W> {
	fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
		let written = self.inner.write(buffer)?;
		self.hasher.update(&buffer[..written]);
		self.count += written as u64;
		Ok(written)
	}

	fn flush(&mut self) -> io::Result<()> {
		self.inner.flush()
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use proptest::prelude::*;
	use tar::Builder;

	use super::*;

	const LIMIT: u64 = 1 << 20;

	#[derive(Clone)]
	struct Item {
		kind: u8,
		path: Vec<u8>,
		link: Vec<u8>,
		data: Vec<u8>,
		mode: u32,
		mtime: u64,
	}

	fn item(kind: u8, path: &str, link: &str, data: &[u8]) -> Item {
		Item {
			kind,
			path: format!("out/{path}").into(),
			link: link.into(),
			data: data.into(),
			mode: 0o640,
			mtime: 1_700_000_000,
		}
	}

	/// An archive as an engine writes it: with owners, times and the folder itself.
	fn engine_archive(items: &[Item]) -> Vec<u8> {
		let mut builder = Builder::new(Vec::new());
		for item in [&[self::item(b'5', "", "", b"")], items].concat() {
			for (extension, text) in [(b'L', &item.path), (b'K', &item.link)] {
				if text.len() > 100 {
					let mut header = Header::new_gnu();
					header.set_entry_type(EntryType::new(extension));
					header.set_size(text.len() as u64);
					header.set_cksum();
					builder.append(&header, &text[..]).unwrap();
				}
			}
			let mut header = Header::new_gnu();
			let fields = header.as_gnu_mut().unwrap();
			let cut = |text: &[u8]| text.len().min(100);
			fields.name[..cut(&item.path)].copy_from_slice(&item.path[..cut(&item.path)]);
			fields.linkname[..cut(&item.link)].copy_from_slice(&item.link[..cut(&item.link)]);
			header.set_entry_type(EntryType::new(item.kind));
			header.set_size(item.data.len() as u64);
			header.set_mode(item.mode);
			header.set_mtime(item.mtime);
			header.set_uid(65534);
			header.set_cksum();
			builder.append(&header, &item.data[..]).unwrap();
		}
		builder.into_inner().unwrap()
	}

	fn canonical(items: &[Item], storage: u64) -> Result<(Output, Vec<u8>), OutputFault> {
		within(items, OutputLimits::of(storage))
	}

	fn within(items: &[Item], limits: OutputLimits) -> Result<(Output, Vec<u8>), OutputFault> {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("output.tar");
		let mut spool = tempfile::tempfile().unwrap();
		let output = canonicalise(&engine_archive(items)[..], &mut spool, &path, limits)?;
		Ok((output, std::fs::read(path).unwrap()))
	}

	#[test]
	fn order_times_owners_and_modes_do_not_matter() {
		let mut items = vec![
			item(b'5', "sub", "", b""),
			item(b'0', "sub/b", "", b"two"),
			item(b'0', "a", "", &[1; 700]),
			item(b'2', "link", "sub/b", b""),
			item(b'0', &"long/".repeat(60), "", b"deep"),
		];
		let (one, bytes) = canonical(&items, LIMIT).unwrap();
		items.reverse();
		for item in &mut items {
			item.mtime += 999;
			item.mode = 0o604;
		}
		let (other, same) = canonical(&items, LIMIT).unwrap();
		assert_eq!((&one, &bytes), (&other, &same));
		assert_eq!(one.digest, Digest::of(&bytes));
		assert_eq!(one.size, bytes.len() as u64);
		assert_eq!(one.entries, 5);
		assert_eq!(one.storage, 5 * BLOCK_BYTES);

		// An archive as every tar reads it.
		let mut archive = Archive::new(&bytes[..]);
		let names: Vec<_> = archive
			.entries()
			.unwrap()
			.map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap())
			.collect();
		let long = "long/".repeat(60);
		assert_eq!(names, ["a", "link", long.trim_end_matches('/'), "sub/", "sub/b"]);
	}

	#[test]
	fn the_format_is_pinned() {
		let (output, _) = canonical(&[], LIMIT).unwrap();
		assert_eq!(output.digest, Digest::of(&[0; 1024]));
		let items =
			[item(b'5', "d", "", b""), item(b'0', "d/f", "", b"hi"), item(b'2', "l", "d/f", b"")];
		let (output, bytes) = canonical(&items, LIMIT).unwrap();
		assert_eq!(bytes.len(), 3 * 512 + 512 + 1024);
		// What GNU tar makes of the same files: tar --format=gnu --no-recursion --mtime=@0 --owner=0 --group=0
		// --numeric-owner -b1 -c d d/f l
		assert_eq!(
			output.digest.to_string(),
			"sha256:5da760a8e731894f2de69962c16644f14336e9e0c50da8f836bdfa8ca32779bf"
		);
	}

	#[test]
	fn content_names_and_the_executable_bit_matter() {
		let base = item(b'0', "a", "", b"x");
		let digest = |item: Item| canonical(&[item], LIMIT).unwrap().0.digest;
		let original = digest(base.clone());
		assert_ne!(original, digest(item(b'0', "b", "", b"x")));
		assert_ne!(original, digest(item(b'0', "a", "", b"y")));
		assert_ne!(original, digest(Item { mode: 0o700, ..base }));
	}

	#[test]
	fn names_need_not_be_text() {
		let mut odd = item(b'0', "x", "", b"1");
		odd.path = b"out/\xff\xfe\n".to_vec();
		let (_, bytes) = canonical(&[odd], LIMIT).unwrap();
		let mut archive = Archive::new(&bytes[..]);
		let entry = archive.entries().unwrap().next().unwrap().unwrap();
		assert_eq!(&*entry.path_bytes(), b"\xff\xfe\n");
	}

	#[test]
	fn special_files_are_left_out_and_counted() {
		let items = [
			item(b'3', "device", "", b""),
			item(b'4', "disk", "", b""),
			item(b'6', "fifo", "", b""),
			item(b'0', "file", "", b""),
		];
		let (output, _) = canonical(&items, LIMIT).unwrap();
		assert_eq!((output.entries, output.left_out), (1, 3));
	}

	#[test]
	fn hard_links_become_files_and_are_charged() {
		let items = [item(b'0', "a", "", &[5; 5000]), item(b'1', "b", "out/a", b"")];
		let (output, bytes) = canonical(&items, LIMIT).unwrap();
		assert_eq!(output.storage, 4 * BLOCK_BYTES);
		let two = [item(b'0', "a", "", &[5; 5000]), item(b'0', "b", "", &[5; 5000])];
		assert_eq!(bytes, canonical(&two, LIMIT).unwrap().1);
		assert!(matches!(canonical(&items, 3 * BLOCK_BYTES), Err(OutputFault::OverLimit(_))));
		let loose = [item(b'1', "b", "out/none", b"")];
		assert!(matches!(canonical(&loose, LIMIT), Err(OutputFault::Invalid(_))));
	}

	#[test]
	fn the_limit_is_exact() {
		let items = [item(b'5', "d", "", b""), item(b'0', "d/f", "", &[1; 4097])];
		assert_eq!(canonical(&items, 3 * BLOCK_BYTES).unwrap().0.storage, 3 * BLOCK_BYTES);
		assert!(matches!(canonical(&items, 3 * BLOCK_BYTES - 1), Err(OutputFault::OverLimit(_))));
	}

	#[test]
	fn entries_and_the_bytes_of_their_names_are_limited_whatever_they_are() {
		let items = [
			item(b'5', "d", "", b""),
			item(b'0', "d/f", "", b""),
			item(b'1', "g", "out/d/f", b""),
			item(b'2', "l", "d/f", b""),
			item(b'6', "fifo", "", b""),
		];
		let names = (1 + 3 + 1 + 7 + 1 + 3 + 4) as u64;
		let exact = OutputLimits { storage: LIMIT, entries: 5, name_bytes: names };
		assert_eq!(within(&items, exact).unwrap().0.entries, 4);
		for limits in
			[OutputLimits { entries: 4, ..exact }, OutputLimits { name_bytes: names - 1, ..exact }]
		{
			let refused = within(&items, limits);
			assert!(matches!(refused, Err(OutputFault::OverLimit(_))), "{limits:?}");
		}
	}

	#[test]
	fn symbolic_links_must_stay_within() {
		for (path, target, within) in [
			("l", "a", true),
			("l", "a/b/../c", false),
			("l", "..", false),
			("l", "/etc/passwd", false),
			("l", "", false),
			("d/l", "..", true),
			("d/l", "../x", true),
			("d/l", "./../x", true),
			("d/l", "../../x", false),
			("d/l", "x/../../..", false),
			("d/e/l", "../../x", true),
			("d/e/l", "../up/../../x", false),
		] {
			assert_eq!(
				stays_within(path.as_bytes(), target.as_bytes()),
				within,
				"{path} -> {target}"
			);
			let result = canonical(&[item(b'2', path, target, b"")], LIMIT);
			assert_eq!(result.is_ok(), within, "{path} -> {target}");
		}
	}

	#[test]
	fn a_cut_archive_is_an_error_of_the_machine() {
		let mut bytes = engine_archive(&[item(b'0', "a", "", &[1; 5000])]);
		bytes.truncate(2000);
		let folder = tempfile::tempdir().unwrap();
		let mut spool = tempfile::tempfile().unwrap();
		let result =
			canonicalise(&bytes[..], &mut spool, &folder.path().join("x"), OutputLimits::of(LIMIT));
		assert!(matches!(result, Err(OutputFault::Io(_))), "{result:?}");
	}

	proptest! {
		#[test]
		fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
			let folder = tempfile::tempdir().unwrap();
			let mut spool = tempfile::tempfile().unwrap();
			let _ = canonicalise(&bytes[..], &mut spool, &folder.path().join("x"), OutputLimits::of(LIMIT));
		}
	}
}
