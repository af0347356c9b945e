// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The layers of a job: described when the job is made, checked before the engine sees them.

use std::{
	fs::File,
	io::{self, BufReader, Read, Seek},
	path::Path,
};

use flate2::read::MultiGzDecoder;
use modicum_primitives::Architecture;
use serde::{Deserialize, Serialize};
use tar::{Archive, EntryType};

use crate::{
	digest::{Digest, HashingReader},
	error::{ExecutorError, JobFault, Result},
	extension::Extensions,
};

/// How many times as long as stored a layer may be unpacked.
const MAX_UNPACKING: u64 = 100;
/// What any layer may unpack to, in bytes: archives of little are mostly zeros.
const MAX_SMALL_LAYER_BYTES: u64 = 1 << 20;
/// The most entries in one layer: each costs the machine an inode, whatever its size.
pub const MAX_LAYER_ENTRIES: u64 = 200_000;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A layer: an archive of files that is laid over the layers below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
	/// The digest of the archive without compression: the layer's identity in an image.
	pub diff_id: Digest,
	/// The digest of the file as it is stored.
	pub digest: Digest,
	/// The length of the file as it is stored, in bytes.
	pub size: u64,
	/// The length of the archive without compression, in bytes.
	pub unpacked_size: u64,
}

impl Layer {
	/// Whether the layer is refused because it unpacks to so much more than is stored of it: what fills the disks of those
	/// who run a job must have been moved to them, within the bandwidth limit.
	pub fn is_compressed_too_well(&self) -> bool {
		let most = self.size.saturating_mul(MAX_UNPACKING).saturating_add(MAX_SMALL_LAYER_BYTES);
		self.unpacked_size > most
	}

	/// Describe the layer in the file `path`, tar or tar compressed with gzip, for a descriptor. It is
	/// checked as a provider will check it, so that a refusal comes before the job is posted.
	pub fn describe(path: &Path) -> Result<Self> {
		let mut file = File::open(path).map_err(ExecutorError::io("open", path))?;
		let io_error = |error| ExecutorError::io("read", path)(error);
		let (digest, size) = HashingReader::new(&mut file).finish().map_err(io_error)?;
		let scan = Scan { layer: "execution", unpacked_limit: u64::MAX, binary: None };
		let (diff_id, unpacked_size) = scan.run(&mut file).map_err(|stop| stop.at(path))?;
		Ok(Self { diff_id, digest, size, unpacked_size })
	}

	/// Check that the file `path` is this layer and may become one. `layer` names it in errors. The
	/// program that the job starts, `(path, architecture)`, must be made for the architecture if it is
	/// in this layer: an engine only finds out at the start, and some hide it even then.
	pub(crate) fn check(
		&self,
		path: &Path,
		layer: &'static str,
		program: (&str, Architecture),
	) -> Result<()> {
		let mut file = File::open(path).map_err(ExecutorError::io("open", path))?;
		let mismatch = |what, expected: String, found: String| {
			Err(JobFault::LayerMismatch { layer, what, expected, found }.into())
		};
		let length = file.metadata().map_err(ExecutorError::io("read", path))?.len();
		if length != self.size {
			return mismatch("size", self.size.to_string(), length.to_string());
		}
		let (digest, _) =
			HashingReader::new(&mut file).finish().map_err(ExecutorError::io("read", path))?;
		if digest != self.digest {
			return mismatch("digest", self.digest.to_string(), digest.to_string());
		}
		let scan = Scan { layer, unpacked_limit: self.unpacked_size, binary: Some(program) };
		let (diff_id, unpacked_size) = scan.run(&mut file).map_err(|stop| stop.at(path))?;
		if unpacked_size != self.unpacked_size {
			return mismatch(
				"unpacked size",
				self.unpacked_size.to_string(),
				unpacked_size.to_string(),
			);
		}
		if diff_id != self.diff_id {
			return mismatch("diff id", self.diff_id.to_string(), diff_id.to_string());
		}
		Ok(())
	}
}

/// Why a scan ended early: the layer's fault, or the disk's.
enum Stop {
	Fault(JobFault),
	Io(io::Error),
}

impl Stop {
	fn at(self, path: &Path) -> ExecutorError {
		match self {
			Self::Fault(fault) => fault.into(),
			Self::Io(source) => ExecutorError::io("read", path)(source),
		}
	}
}

/// One pass over a layer's archive.
struct Scan<'a> {
	layer: &'static str,
	/// The unpacked length at which a bomb is recognised.
	unpacked_limit: u64,
	/// The program to look for, and the architecture that it must be made for.
	binary: Option<(&'a str, Architecture)>,
}

impl Scan<'_> {
	/// The digest and the length of the unpacked archive.
	fn run(&self, file: &mut File) -> std::result::Result<(Digest, u64), Stop> {
		let mut magic = [0; 2];
		file.rewind().map_err(Stop::Io)?;
		let compressed = match file.read_exact(&mut magic) {
			Ok(()) => magic == GZIP_MAGIC,
			Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
			Err(error) => return Err(Stop::Io(error)),
		};
		file.rewind().map_err(Stop::Io)?;
		let stored = BufReader::new(file);
		if compressed {
			self.entries(MultiGzDecoder::new(stored))
		} else {
			self.entries(stored)
		}
	}

	fn entries(&self, unpacked: impl Read) -> std::result::Result<(Digest, u64), Stop> {
		// One byte more than allowed tells a bomb from an honest layer.
		let limited = unpacked.take(self.unpacked_limit.saturating_add(1));
		let mut reader = HashingReader::new(limited);
		let result = self.check_entries(&mut reader);
		// A limit that was hit looks like a truncated archive: name the cause, not the symptom.
		if reader.count() > self.unpacked_limit {
			return Err(self.refuse(format!(
				"it unpacks to more than the {} bytes that the descriptor says",
				self.unpacked_limit
			)));
		}
		result?;
		let (diff_id, count) = reader.finish().map_err(|error| self.refuse(error.to_string()))?;
		if count > self.unpacked_limit {
			return Err(self.refuse(format!(
				"it unpacks to more than the {} bytes that the descriptor says",
				self.unpacked_limit
			)));
		}
		Ok((diff_id, count))
	}

	fn check_entries(&self, reader: impl Read) -> std::result::Result<(), Stop> {
		let malformed = |error: io::Error| self.refuse(error.to_string());
		let mut archive = Archive::new(reader);
		let mut names = Extensions::default();
		let mut count = 0u64;
		// Raw: extended headers are read here, because the library would load any length of them.
		for entry in archive.entries().map_err(malformed)?.raw(true) {
			let mut entry = entry.map_err(malformed)?;
			count += 1;
			if count > MAX_LAYER_ENTRIES {
				return Err(self.refuse(format!("it has more than {MAX_LAYER_ENTRIES} entries")));
			}
			let kind = entry.header().entry_type();
			if Extensions::is_one(kind) {
				names.read(kind, &mut entry).map_err(malformed)?;
				// A few bytes that unpack to gigabytes, or that two readers cut differently.
				if names.size.is_some() || names.sparse {
					return Err(self.refuse("an entry is sparse or has its size elsewhere".into()));
				}
				continue;
			}
			let names = std::mem::take(&mut names);
			let path = names.path.unwrap_or_else(|| entry.path_bytes().into_owned());
			let shown = String::from_utf8_lossy(&path).into_owned();
			if leaves_root(&path) {
				return Err(self.refuse(format!("'{shown}' lies outside the root")));
			}
			match kind {
				EntryType::Regular | EntryType::Directory | EntryType::Symlink => {},
				EntryType::Link => {
					let target = names
						.link
						.or_else(|| entry.link_name_bytes().map(|name| name.into_owned()))
						.unwrap_or_default();
					if leaves_root(&target) {
						return Err(self.refuse(format!("'{shown}' links to outside the root")));
					}
				},
				other => {
					return Err(self.refuse(format!(
						"'{shown}' is neither a file, a directory nor a link but of type {:?}",
						char::from(other.as_byte())
					)))
				},
			}
			if kind == EntryType::Regular {
				self.check_binary(&path, &mut entry).map_err(|stop| match stop {
					Stop::Io(error) => malformed(error),
					fault => fault,
				})?;
			}
		}
		Ok(())
	}

	/// If `path` is the program that the job starts: that it is made for the right machine.
	fn check_binary(&self, path: &[u8], entry: &mut impl Read) -> std::result::Result<(), Stop> {
		let Some((program, architecture)) = self.binary else { return Ok(()) };
		if !components(path).eq(components(program.as_bytes())) {
			return Ok(());
		}
		let mut start = Vec::new();
		entry.take(20).read_to_end(&mut start).map_err(Stop::Io)?;
		match elf_machine(&start) {
			Some(machine) if machine != machine_of(architecture) => Err(self.refuse(format!(
				"the program {program} is an ELF binary for machine type {machine}, not for {architecture}"
			))),
			_ => Ok(()),
		}
	}

	fn refuse(&self, why: String) -> Stop {
		Stop::Fault(JobFault::LayerRefused { layer: self.layer, why })
	}
}

/// The parts of a path; a leading `/` or `./` makes no difference.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
	path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."))
}

/// Whether unpacking `path` could end outside the folder unpacked to.
fn leaves_root(path: &[u8]) -> bool {
	components(path).any(|part| part == b"..") || path.contains(&0)
}

/// `e_machine` of an ELF header, `None` if `start` is not one.
fn elf_machine(start: &[u8]) -> Option<u16> {
	let header = start.get(..20)?;
	if !header.starts_with(b"\x7fELF") {
		return None;
	}
	let field = [header[18], header[19]];
	// The sixth byte is the byte order: 2 means big-endian.
	Some(if header[5] == 2 { u16::from_be_bytes(field) } else { u16::from_le_bytes(field) })
}

/// The ELF machine type of an architecture (`EM_X86_64`, `EM_AARCH64`, `EM_ARM`).
fn machine_of(architecture: Architecture) -> u16 {
	match architecture {
		Architecture::Amd64 => 62,
		Architecture::Arm64 => 183,
		Architecture::Armv7 => 40,
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use std::io::Write;

	use flate2::{write::GzEncoder, Compression};
	use tar::{Builder, Header};
	use tempfile::NamedTempFile;

	use super::*;

	const PROGRAM: (&str, Architecture) = ("/bin/job", Architecture::Amd64);

	fn archive(fill: impl FnOnce(&mut Builder<Vec<u8>>)) -> Vec<u8> {
		let mut builder = Builder::new(Vec::new());
		fill(&mut builder);
		builder.into_inner().unwrap()
	}

	/// Appends an entry whose name the library would refuse to write.
	fn raw_entry(builder: &mut Builder<Vec<u8>>, kind: u8, name: &str, link: &str, data: &[u8]) {
		let mut header = Header::new_gnu();
		header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
		header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
		header.set_entry_type(EntryType::new(kind));
		header.set_size(data.len() as u64);
		header.set_mode(0o755);
		header.set_cksum();
		builder.append(&header, data).unwrap();
	}

	fn file_with(bytes: &[u8]) -> NamedTempFile {
		let mut file = NamedTempFile::new().unwrap();
		file.write_all(bytes).unwrap();
		file
	}

	fn gzip(bytes: &[u8]) -> Vec<u8> {
		let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
		encoder.write_all(bytes).unwrap();
		encoder.finish().unwrap()
	}

	fn refusal(bytes: &[u8]) -> String {
		match Layer::describe(file_with(bytes).path()) {
			Err(ExecutorError::Job(JobFault::LayerRefused { why, .. })) => why,
			other => panic!("{other:?}"),
		}
	}

	#[test]
	fn a_layer_is_described_and_recognised_with_and_without_compression() {
		let tar = archive(|builder| {
			raw_entry(builder, b'5', "bin/", "", b"");
			raw_entry(builder, b'0', "bin/job", "", b"#!/bin/sh\n");
			raw_entry(builder, b'2', "bin/link", "/anywhere", b"");
			raw_entry(builder, b'1', "bin/hard", "bin/job", b"");
		});
		for bytes in [tar.clone(), gzip(&tar)] {
			let file = file_with(&bytes);
			let layer = Layer::describe(file.path()).unwrap();
			assert_eq!(layer.diff_id, Digest::of(&tar));
			assert_eq!(layer.digest, Digest::of(&bytes));
			assert_eq!((layer.size, layer.unpacked_size), (bytes.len() as u64, tar.len() as u64));
			layer.check(file.path(), "execution", PROGRAM).unwrap();
		}
	}

	#[test]
	fn every_mismatch_is_named() {
		let file = file_with(&gzip(&archive(|builder| raw_entry(builder, b'0', "a", "", b"x"))));
		let layer = Layer::describe(file.path()).unwrap();
		type Edit = fn(&mut Layer);
		let edits: [(&str, Edit); 4] = [
			("size", |layer| layer.size += 1),
			("digest", |layer| layer.digest.0[0] ^= 1),
			("unpacked size", |layer| layer.unpacked_size += 512),
			("diff id", |layer| layer.diff_id.0[0] ^= 1),
		];
		for (expected, edit) in edits {
			let mut other = layer.clone();
			edit(&mut other);
			match other.check(file.path(), "data", PROGRAM) {
				Err(ExecutorError::Job(JobFault::LayerMismatch {
					layer: "data", what, ..
				})) => {
					assert_eq!(what, expected)
				},
				other => panic!("{expected}: {other:?}"),
			}
		}
	}

	#[test]
	fn a_bomb_is_cut_off() {
		let tar = archive(|builder| raw_entry(builder, b'0', "zeros", "", &vec![0; 1 << 24]));
		let file = file_with(&gzip(&tar));
		let mut layer = Layer::describe(file.path()).unwrap();
		assert!(layer.size < 1 << 16);
		layer.unpacked_size = 4096;
		let refused = layer.check(file.path(), "data", PROGRAM).unwrap_err().to_string();
		assert!(refused.contains("more than the 4096 bytes"), "{refused}");
	}

	#[test]
	fn what_could_write_outside_or_is_no_file_is_refused() {
		for (kind, name, link, expected) in [
			(b'0', "../escape", "", "outside the root"),
			(b'0', "a/../../escape", "", "outside the root"),
			(b'1', "hard", "../../etc/shadow", "links to outside"),
			(b'3', "null", "", "neither a file"),
			(b'4', "disk", "", "neither a file"),
			(b'6', "fifo", "", "neither a file"),
			(b'S', "sparse", "", "neither a file"),
		] {
			let why = refusal(&archive(|builder| raw_entry(builder, kind, name, link, b"")));
			assert!(why.contains(expected), "{name}: {why}");
		}
	}

	#[test]
	fn names_in_extended_headers_are_checked_too() {
		let record = |key: &str, value: &str| {
			let body = format!(" {key}={value}\n");
			let length = body.len() + 2;
			format!("{length}{body}").into_bytes()
		};
		for (kind, data, expected) in [
			(b'L', b"../../etc/passwd\0".to_vec(), "outside the root"),
			(b'x', record("path", "../../passwd"), "outside the root"),
			(b'x', record("GNU.sparse.a", "9"), "sparse"),
			(b'x', record("size", "999999999"), "sparse"),
			(b'L', vec![b'a'; 1 << 17], "too long"),
		] {
			let why = refusal(&archive(|builder| {
				raw_entry(builder, kind, "extension", "", &data);
				raw_entry(builder, b'0', "harmless", "", b"");
			}));
			assert!(why.contains(expected), "{why}");
		}
	}

	#[test]
	fn a_program_for_another_machine_is_refused() {
		let mut elf = [0; 64];
		elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
		elf[18] = 183;
		for (name, refused) in [("bin/job", true), ("./bin//job", true), ("bin/other", false)] {
			let file = file_with(&archive(|builder| raw_entry(builder, b'0', name, "", &elf)));
			let layer = Layer::describe(file.path()).unwrap();
			let result = layer.check(file.path(), "execution", PROGRAM);
			assert_eq!(result.is_err(), refused, "{name}: {result:?}");
			layer.check(file.path(), "execution", ("/bin/job", Architecture::Arm64)).unwrap();
		}
	}

	#[test]
	fn garbage_is_refused() {
		assert!(!refusal(&[7; 2000]).is_empty());
		assert!(!refusal(&[0x1f, 0x8b, 8, 0, 1, 2, 3]).is_empty());
		let mut cut = gzip(&archive(|builder| raw_entry(builder, b'0', "a", "", &[9; 9000])));
		cut.truncate(cut.len() - 6);
		assert!(!refusal(&cut).is_empty());
	}
}
