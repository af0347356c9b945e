// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Writes layers: the same files give the same bytes.
//!
//! Names are sorted, times and owners zero, modes 0755 for folders and for files that their owner may execute, 0644
//! for other files. A hard link becomes a file, because whether two names share one depends on how a folder came to
//! its place. The gzip header says nothing of time and system.

use std::{
	fs::File,
	io::{self, BufReader, BufWriter, Read, Write},
	os::unix::{
		ffi::OsStrExt,
		fs::{FileTypeExt, MetadataExt},
	},
	path::{Path, PathBuf},
};

use flate2::{read::GzDecoder, write::GzEncoder, Compression, GzBuilder};
use modicum_executor::Layer;
use tar::{Builder, EntryType, Header};
use walkdir::WalkDir;

use crate::{
	error::{PackagingError, Result},
	paths::stays_within,
};

/// The bytes of a name that a header holds.
const NAME_BYTES: usize = 100;
/// The system in the gzip header: unknown.
const UNKNOWN_SYSTEM: u8 = 255;

/// Which symbolic links a tree may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
	/// Any: they are followed in the job's root, where `/` is the job's own.
	Any,
	/// Only those that stay in the tree: others name files that do not come along.
	Within,
}

/// A layer being written, as tar in gzip. What is not finished does not get its name.
pub(crate) struct LayerWriter {
	builder: Builder<GzEncoder<BufWriter<File>>>,
	part: PathBuf,
	path: PathBuf,
}

impl LayerWriter {
	pub(crate) fn create(path: &Path) -> Result<Self> {
		let mut part = path.as_os_str().to_owned();
		part.push(".part");
		let part = PathBuf::from(part);
		let file = File::create(&part).map_err(PackagingError::io("create", &part))?;
		let builder = Builder::new(encoder(file, Compression::default()));
		Ok(Self { builder, part, path: path.into() })
	}

	fn written(&self, result: io::Result<()>) -> Result<()> {
		result.map_err(PackagingError::io("write", &self.part))
	}

	pub(crate) fn folder(&mut self, name: &Path) -> Result<()> {
		let written = self.builder.append_data(
			&mut header(EntryType::Directory, 0o755, 0),
			name,
			io::empty(),
		);
		self.written(written)
	}

	/// A file of `size` bytes; `origin` is where they come from, for messages.
	pub(crate) fn file(
		&mut self,
		name: &Path,
		executable: bool,
		size: u64,
		content: impl Read,
		origin: &Path,
	) -> Result<()> {
		let mode = if executable { 0o755 } else { 0o644 };
		let mut content = Exactly { inner: content, left: size, failed: None };
		let mut header = header(EntryType::Regular, mode, size);
		let written = self.builder.append_data(&mut header, name, &mut content);
		match content.failed {
			Some(error) => Err(PackagingError::io("read", origin)(error)),
			None => self.written(written),
		}
	}

	pub(crate) fn symlink(&mut self, name: &Path, target: &[u8]) -> Result<()> {
		self.link(EntryType::Symlink, name, target)
	}

	/// Another name of the file `target` of this layer.
	pub(crate) fn hard_link(&mut self, name: &Path, target: &Path) -> Result<()> {
		self.link(EntryType::Link, name, target.as_os_str().as_bytes())
	}

	/// The target is written as it is: the library's own way would change its spelling.
	fn link(&mut self, kind: EntryType, name: &Path, target: &[u8]) -> Result<()> {
		let mode = if kind == EntryType::Symlink { 0o777 } else { 0o644 };
		let mut link = header(kind, mode, 0);
		let mut write = || {
			if target.len() > NAME_BYTES {
				let mut long = header(EntryType::GNULongLink, 0o644, target.len() as u64 + 1);
				long.set_path("././@LongLink")?;
				long.set_cksum();
				self.builder.append(&long, target.chain(&[0][..]))?;
			}
			link.set_link_name_literal(&target[..target.len().min(NAME_BYTES)])?;
			self.builder.append_data(&mut link, name, io::empty())
		};
		let written = write();
		self.written(written)
	}

	/// Everything in the folder `root`, under the names that it has there, below `prefix`.
	pub(crate) fn tree(&mut self, root: &Path, prefix: &Path, links: Links) -> Result<()> {
		for entry in WalkDir::new(root).min_depth(1).sort_by_file_name() {
			let entry = entry.map_err(|error| {
				let path = error.path().unwrap_or(root).to_path_buf();
				PackagingError::io("read", path)(error.into())
			})?;
			let path = entry.path();
			let inner = path.strip_prefix(root).expect("what is in a folder starts with it; qed");
			let name = prefix.join(inner);
			let kind = entry.file_type();
			if kind.is_dir() {
				self.folder(&name)?;
			} else if kind.is_file() {
				self.file_at(&name, path)?;
			} else if kind.is_symlink() {
				let target = std::fs::read_link(path).map_err(PackagingError::io("read", path))?;
				let target = target.as_os_str().as_bytes();
				if links == Links::Within && !stays_within(inner.as_os_str().as_bytes(), target) {
					return Err(PackagingError::Unfit {
						path: path.into(),
						why: format!(
							"it is a symbolic link to {}, outside the input, which will not be there when the job runs: put the file itself in its place",
							String::from_utf8_lossy(target)
						),
					});
				}
				self.symlink(&name, target)?;
			} else {
				return Err(special(path, &kind));
			}
		}
		Ok(())
	}

	/// The file at `path`, under `name`.
	pub(crate) fn file_at(&mut self, name: &Path, path: &Path) -> Result<()> {
		let file = File::open(path).map_err(PackagingError::io("open", path))?;
		let metadata = file.metadata().map_err(PackagingError::io("examine", path))?;
		if !metadata.is_file() {
			return Err(special(path, &metadata.file_type()));
		}
		self.file(name, metadata.mode() & 0o100 != 0, metadata.len(), file, path)
	}

	/// Finish the layer, give its file the name, and describe it. What compresses better than providers accept is stored
	/// as it is.
	///
	/// # Errors
	/// Also if a provider would refuse it, for too many entries for example.
	pub(crate) fn finish(self) -> Result<Layer> {
		let Self { builder, part, path } = self;
		let written =
			builder.into_inner().and_then(GzEncoder::finish).and_then(|mut writer| writer.flush());
		written.map_err(PackagingError::io("write", &part))?;
		let mut layer = Layer::describe(&part)?;
		if layer.is_compressed_too_well() {
			store(&part, &path).map_err(PackagingError::io("write", &path))?;
			layer = Layer::describe(&path)?;
		} else {
			std::fs::rename(&part, &path).map_err(PackagingError::io("write", &path))?;
		}
		Ok(layer)
	}
}

/// Replace the file `packed` by the file `stored` with the same content, in gzip's format and not made shorter.
fn store(packed: &Path, stored: &Path) -> io::Result<()> {
	let mut encoder = encoder(File::create(stored)?, Compression::none());
	io::copy(&mut GzDecoder::new(BufReader::new(File::open(packed)?)), &mut encoder)?;
	encoder.finish()?.flush()?;
	std::fs::remove_file(packed)
}

fn encoder(file: File, compression: Compression) -> GzEncoder<BufWriter<File>> {
	GzBuilder::new()
		.mtime(0)
		.operating_system(UNKNOWN_SYSTEM)
		.write(BufWriter::new(file), compression)
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
	let mut header = Header::new_gnu();
	header.set_entry_type(kind);
	header.set_mode(mode);
	header.set_size(size);
	header.set_uid(0);
	header.set_gid(0);
	header.set_mtime(0);
	header
}

fn special(path: &Path, kind: &std::fs::FileType) -> PackagingError {
	let what = if kind.is_fifo() {
		"a FIFO"
	} else if kind.is_socket() {
		"a socket"
	} else if kind.is_dir() {
		"a folder"
	} else {
		"a device"
	};
	PackagingError::Unfit {
		path: path.into(),
		why: format!("it is {what}, and only files, folders and symbolic links can: remove it"),
	}
}

/// Reads exactly so many bytes. A file that is changed meanwhile would spoil the archive.
struct Exactly<R> {
	inner: R,
	left: u64,
	failed: Option<io::Error>,
}

impl<R: Read> Read for Exactly<R> {
	fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
		let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
		if wanted == 0 {
			return Ok(0);
		}
		let read = match self.inner.read(&mut buffer[..wanted]) {
			Ok(0) => Err(io::Error::other("it became shorter while it was read: try again")),
			other => other,
		};
		match read {
			Ok(count) => {
				self.left -= count as u64;
				Ok(count)
			},
			Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
			Err(error) => {
				let kind = error.kind();
				self.failed = Some(error);
				Err(kind.into())
			},
		}
	}
}
