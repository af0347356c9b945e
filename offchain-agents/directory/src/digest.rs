// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Digests: the names of contents. Only `sha256` is spoken, since the chain's hashes are 32 bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// The SHA-256 of a blob's bytes, written `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
	/// Not of the form `algorithm:encoded`.
	#[error("a digest has the form sha256:<64 lower-case hexadecimal digits>")]
	Form,
	/// A form that the specification knows and this directory does not keep.
	#[error("only sha256 digests are kept here: the hash that an offer carries is a sha256")]
	Algorithm,
}

impl Digest {
	/// The digest of `bytes`.
	pub fn of(bytes: &[u8]) -> Self {
		Self(Sha256::digest(bytes).into())
	}

	/// The 64 hexadecimal digits without the algorithm.
	pub fn to_hex(&self) -> String {
		hex::encode(self.0)
	}

	/// Reads what [`Self::to_hex`] writes; `None` for anything else.
	pub fn from_hex(text: &str) -> Option<Self> {
		let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
		let mut bytes = [0; 32];
		(lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(Self(bytes))
	}
}

impl FromStr for Digest {
	type Err = DigestError;

	fn from_str(text: &str) -> Result<Self, DigestError> {
		let (algorithm, encoded) = text.split_once(':').ok_or(DigestError::Form)?;
		if algorithm == "sha256" {
			return Self::from_hex(encoded).ok_or(DigestError::Form);
		}
		let known_form = !algorithm.is_empty()
			&& !encoded.is_empty()
			&& algorithm
				.bytes()
				.all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'_' | b'-'))
			&& encoded
				.bytes()
				.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'));
		Err(if known_form { DigestError::Algorithm } else { DigestError::Form })
	}
}

impl fmt::Display for Digest {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "sha256:{}", self.to_hex())
	}
}

impl fmt::Debug for Digest {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl Serialize for Digest {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Digest {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn the_digest_of_nothing_is_the_known_one() {
		let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
		assert_eq!(Digest::of(b"").to_string(), empty);
		assert_eq!(empty.parse::<Digest>().unwrap(), Digest::of(b""));
	}

	#[test]
	fn only_one_spelling_is_read() {
		let good = Digest::of(b"x").to_string();
		for bad in [
			good.to_uppercase(),
			format!("{good}0"),
			good[..70].to_owned(),
			good.replace("sha256:", ""),
			"sha256:".to_owned(),
			format!("sha256:../{}", &good[10..]),
		] {
			assert_eq!(bad.parse::<Digest>(), Err(DigestError::Form), "{bad}");
		}
		assert_eq!(
			format!("sha512:{}", "0".repeat(128)).parse::<Digest>(),
			Err(DigestError::Algorithm)
		);
	}
}
