// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! SHA-256 digests as the OCI image specification writes them.

use std::{
	fmt,
	io::{self, Read},
	str::FromStr,
};

use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

const PREFIX: &str = "sha256:";

/// A SHA-256 digest, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
	/// The digest of `bytes`.
	pub fn of(bytes: &[u8]) -> Self {
		Self(Sha256::digest(bytes).into())
	}

	/// The 64 hexadecimal digits without the prefix.
	pub fn to_hex(&self) -> String {
		hex::encode(self.0)
	}
}

impl fmt::Display for Digest {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{PREFIX}{}", self.to_hex())
	}
}

impl fmt::Debug for Digest {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

/// The text is not `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a digest: expected sha256: and 64 lower-case hexadecimal digits")]
pub struct ParseDigestError(String);

impl FromStr for Digest {
	type Err = ParseDigestError;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		let refused = || ParseDigestError(text.chars().take(80).collect());
		let digits = text.strip_prefix(PREFIX).ok_or_else(refused)?;
		if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
			return Err(refused());
		}
		let mut bytes = [0; 32];
		hex::decode_to_slice(digits, &mut bytes).map_err(|_| refused())?;
		Ok(Self(bytes))
	}
}

impl Serialize for Digest {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Digest {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
	}
}

/// The ChainID of a stack of layers, bottom first, after the OCI image specification: it identifies
/// what is mounted, whatever the layers' compression or the image's name. `None` without layers.
pub fn chain_id(diff_ids: &[Digest]) -> Option<Digest> {
	let (bottom, above) = diff_ids.split_first()?;
	Some(
		above
			.iter()
			.fold(*bottom, |below, diff_id| Digest::of(format!("{below} {diff_id}").as_bytes())),
	)
}

/// Passes on what it reads, and hashes and counts it.
pub(crate) struct HashingReader<R> {
	inner: R,
	hasher: Sha256,
	count: u64,
}

impl<R: Read> HashingReader<R> {
	pub(crate) fn new(inner: R) -> Self {
		Self { inner, hasher: Sha256::new(), count: 0 }
	}

	/// Bytes read so far.
	pub(crate) fn count(&self) -> u64 {
		self.count
	}

	/// Read what is left; the digest and the length of the whole.
	pub(crate) fn finish(mut self) -> io::Result<(Digest, u64)> {
		io::copy(&mut self, &mut io::sink())?;
		Ok((Digest(self.hasher.finalize().into()), self.count))
	}
}

impl<R: Read> Read for HashingReader<R> {
	fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
		let read = self.inner.read(buffer)?;
		self.hasher.update(&buffer[..read]);
		self.count += read as u64;
		Ok(read)
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn chain_id_follows_the_specification() {
		let layer = |byte: u8| Digest([byte; 32]);
		assert_eq!(chain_id(&[]), None);
		assert_eq!(chain_id(&[layer(1)]), Some(layer(1)));
		let two =
			Digest::of(format!("sha256:{} sha256:{}", "01".repeat(32), "02".repeat(32)).as_bytes());
		assert_eq!(chain_id(&[layer(1), layer(2)]), Some(two));
		let three = Digest::of(format!("{two} {}", layer(3)).as_bytes());
		assert_eq!(chain_id(&[layer(1), layer(2), layer(3)]), Some(three));
	}

	#[test]
	fn only_the_one_spelling_of_a_digest_is_read() {
		let digest = Digest::of(b"");
		assert_eq!(digest.to_string().parse(), Ok(digest));
		for bad in [
			"",
			"sha256:",
			&digest.to_hex(),
			&digest.to_string().to_uppercase(),
			&digest.to_string().replace('e', "E"),
			&digest.to_string()[..70],
			&format!("{digest}0"),
			&digest.to_string().replace("sha256", "sha512"),
		] {
			assert!(bad.parse::<Digest>().is_err(), "{bad}");
		}
	}

	#[test]
	fn a_hashing_reader_covers_what_was_not_read() {
		let mut reader = HashingReader::new(&b"hello world"[..]);
		let mut start = [0; 5];
		reader.read_exact(&mut start).unwrap();
		assert_eq!(reader.count(), 5);
		assert_eq!(reader.finish().unwrap(), (Digest::of(b"hello world"), 11));
	}
}
