// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Hashes in JSON: `0x` and 64 digits. For fields, as `#[serde(with = "hexadecimal")]`.

use crate::types::Hash;
use impl_serde::serialize::{deserialize_check_len, ExpectedLen};
use serde::{Deserializer, Serialize, Serializer};

/// Writes a hash.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
	impl_serde::serialize::serialize(hash, serializer)
}

/// Reads a hash.
///
/// # Errors
/// It is no string of `0x` and 64 digits.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
	let mut hash = Hash::default();
	deserialize_check_len(deserializer, ExpectedLen::Exact(&mut hash))?;
	Ok(hash)
}

/// Writes a list of hashes.
///
/// # Errors
/// Those of the serializer.
pub fn serialize_list<S: Serializer>(hashes: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
	struct Hexadecimal<'a>(&'a Hash);
	impl Serialize for Hexadecimal<'_> {
		fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
			serialize(self.0, serializer)
		}
	}
	serializer.collect_seq(hashes.iter().map(Hexadecimal))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use crate::{ResultStatus, Run, Usage};

	#[test]
	fn a_hash_is_hexadecimal_and_is_read_again() {
		let usage = Usage { instructions: 1, bandwidth: 2 };
		let run = Run { status: ResultStatus::Completed, result_hash: [0xab; 32], usage };
		let text = serde_json::to_string(&run).unwrap();
		assert!(text.contains(&format!("\"result_hash\":\"0x{}\"", "ab".repeat(32))), "{text}");
		assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
		let short = text.replace("0xabab", "0xab");
		assert!(serde_json::from_str::<Run>(&short).is_err(), "{short}");
	}
}
