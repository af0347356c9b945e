// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Extended headers of tar archives: names and sizes that do not fit into an ordinary header. Read here, because
//! the tar library would load any length of them and cannot read names with line feeds.

use std::io::{self, Read};

use tar::EntryType;

/// The longest extended header that is read, in bytes: several times the longest path.
const MAX_BYTES: u64 = 64 * 1024;

/// What extended headers say of the entry that follows them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
	pub path: Option<Vec<u8>>,
	pub link: Option<Vec<u8>>,
	/// The content's length in bytes, if the header has no room for it.
	pub size: Option<u64>,
	pub sparse: bool,
}

impl Extensions {
	/// Whether an entry of this kind is an extended header and not a file.
	pub(crate) fn is_one(kind: EntryType) -> bool {
		use EntryType::*;
		matches!(kind, GNULongName | GNULongLink | XHeader | XGlobalHeader)
	}

	/// Read one extended header's `content`.
	pub(crate) fn read(&mut self, kind: EntryType, content: &mut impl Read) -> io::Result<()> {
		let mut bytes = Vec::new();
		content.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
		if bytes.len() as u64 > MAX_BYTES {
			return Err(malformed("a name or an extended header is too long"));
		}
		match kind {
			EntryType::GNULongName => self.path = Some(without_nul(bytes)),
			EntryType::GNULongLink => self.link = Some(without_nul(bytes)),
			_ => self.read_records(&bytes)?,
		}
		Ok(())
	}

	/// Records `LENGTH KEY=VALUE` and a line feed, where the length counts all of that.
	fn read_records(&mut self, mut bytes: &[u8]) -> io::Result<()> {
		const RECORD: &str = "a record of an extended header is malformed";
		while !bytes.is_empty() {
			let space = bytes.iter().position(|byte| *byte == b' ');
			let space = space.ok_or_else(|| malformed(RECORD))?;
			let length: usize = std::str::from_utf8(&bytes[..space])
				.ok()
				.and_then(|digits| digits.parse().ok())
				.filter(|length| (space + 2..=bytes.len()).contains(length))
				.ok_or_else(|| malformed(RECORD))?;
			let (record, rest) = bytes.split_at(length);
			let body = record[space + 1..].strip_suffix(b"\n").ok_or_else(|| malformed(RECORD))?;
			let equals = body.iter().position(|byte| *byte == b'=');
			let (key, value) = body.split_at(equals.ok_or_else(|| malformed(RECORD))?);
			let value = &value[1..];
			match key {
				b"path" => self.path = Some(value.to_vec()),
				b"linkpath" => self.link = Some(value.to_vec()),
				b"size" => {
					let digits = std::str::from_utf8(value).ok();
					let size = digits.and_then(|digits| digits.parse().ok());
					self.size = Some(size.ok_or_else(|| malformed(RECORD))?);
				},
				key if key.starts_with(b"GNU.sparse.") => self.sparse = true,
				_ => {},
			}
			bytes = rest;
		}
		Ok(())
	}
}

fn without_nul(mut name: Vec<u8>) -> Vec<u8> {
	if name.last() == Some(&0) {
		name.pop();
	}
	name
}

fn malformed(what: &str) -> io::Error {
	io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	fn records(text: &[u8]) -> io::Result<Extensions> {
		let mut extensions = Extensions::default();
		extensions.read(EntryType::XHeader, &mut &text[..])?;
		Ok(extensions)
	}

	#[test]
	fn names_may_have_line_feeds() {
		let read = records(b"12 path=a\nb\n17 linkpath=\xff\xfe x\n13 size=1234\n").unwrap();
		assert_eq!(read.path, Some(b"a\nb".to_vec()));
		assert_eq!(read.link, Some(b"\xff\xfe x".to_vec()));
		assert_eq!((read.size, read.sparse), (Some(1234), false));
		assert!(records(b"18 GNU.sparse.a=9\n").unwrap().sparse);
	}

	#[test]
	fn what_is_malformed_is_refused() {
		for bad in [
			&b"x"[..],
			b"9 path=a\nb\n",
			b"99 path=a\n",
			b"0 path=a\n",
			b"7 path\n",
			b"10 path=ab ",
			b"9 size=x\n",
		] {
			assert!(records(bad).is_err(), "{}", String::from_utf8_lossy(bad));
		}
		assert!(records(&vec![b'1'; 1 << 17]).is_err());
	}
}
