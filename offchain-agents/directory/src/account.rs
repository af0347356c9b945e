// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Accounts of the chain as the directory names them: SS58 for people, hex inside repository names.

use blake2::{Blake2b512, Digest as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The SS58 prefix of a chain that has registered none: what this project's chain uses.
const GENERIC_PREFIX: u8 = 42;
/// What SS58 puts before the bytes that its checksum covers.
const CHECKSUM_CONTEXT: &[u8] = b"SS58PRE";

/// The public sr25519 key of an account of the chain, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub [u8; 32]);

/// Why a text is not an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
	/// Not base58, or not of the length that an SS58 address of 32 bytes has.
	#[error("'{0}' is not an SS58 address: give the account as the wallet shows it")]
	NotSs58(String),
	/// The checksum does not match: a typing error.
	#[error("the checksum of '{0}' does not match: check the address for a typing error")]
	Checksum(String),
	/// Not 64 lower-case hexadecimal digits.
	#[error("'{0}' is not an account in 64 lower-case hexadecimal digits")]
	NotHex(String),
}

impl AccountId {
	/// The account in 64 lower-case hexadecimal digits, as repository names carry it: those allow no
	/// upper-case letters, which SS58 has.
	pub fn to_hex(&self) -> String {
		hex::encode(self.0)
	}

	/// Reads what [`Self::to_hex`] writes.
	///
	/// # Errors
	/// [`AccountError::NotHex`] for anything else, upper case included: one account has one name.
	pub fn from_hex(text: &str) -> Result<Self, AccountError> {
		let error = || AccountError::NotHex(shorten(text));
		if text.bytes().any(|b| b.is_ascii_uppercase()) {
			return Err(error());
		}
		let mut bytes = [0; 32];
		hex::decode_to_slice(text, &mut bytes).map_err(|_| error())?;
		Ok(Self(bytes))
	}
}

fn shorten(text: &str) -> String {
	text.chars().take(80).collect()
}

fn checksum(prefixed: &[u8]) -> [u8; 2] {
	let hash = Blake2b512::new().chain_update(CHECKSUM_CONTEXT).chain_update(prefixed).finalize();
	[hash[0], hash[1]]
}

impl fmt::Display for AccountId {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut bytes = Vec::with_capacity(35);
		bytes.push(GENERIC_PREFIX);
		bytes.extend_from_slice(&self.0);
		let sum = checksum(&bytes);
		bytes.extend_from_slice(&sum);
		f.write_str(&bs58::encode(bytes).into_string())
	}
}

impl fmt::Debug for AccountId {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl FromStr for AccountId {
	type Err = AccountError;

	/// Reads an SS58 address of any network prefix: the key is what counts.
	fn from_str(text: &str) -> Result<Self, AccountError> {
		let not_ss58 = || AccountError::NotSs58(shorten(text));
		if text.len() > 64 {
			return Err(not_ss58());
		}
		let bytes = bs58::decode(text).into_vec().map_err(|_| not_ss58())?;
		let prefix_len = match (bytes.first(), bytes.len()) {
			(Some(0..=63), 35) => 1,
			(Some(64..=127), 36) => 2,
			_ => return Err(not_ss58()),
		};
		let (prefixed, sum) = bytes.split_at(prefix_len + 32);
		if checksum(prefixed) != sum {
			return Err(AccountError::Checksum(shorten(text)));
		}
		let mut account = [0; 32];
		account.copy_from_slice(&prefixed[prefix_len..]);
		Ok(Self(account))
	}
}

impl Serialize for AccountId {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for AccountId {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	/// The well-known development account Alice, as every Substrate tool prints it.
	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
	const ALICE_HEX: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";

	#[test]
	fn an_account_is_written_as_every_substrate_tool_writes_it() {
		let alice: AccountId = ALICE.parse().unwrap();
		assert_eq!(alice.to_hex(), ALICE_HEX);
		assert_eq!(AccountId::from_hex(ALICE_HEX).unwrap().to_string(), ALICE);
	}

	#[test]
	fn another_network_prefix_names_the_same_account() {
		// Alice on Polkadot (prefix 0).
		let alice: AccountId = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5".parse().unwrap();
		assert_eq!(alice.to_hex(), ALICE_HEX);
	}

	#[test]
	fn a_wrong_letter_is_a_wrong_checksum() {
		let wrong = ALICE.replace("5Grw", "5Grx");
		assert!(matches!(wrong.parse::<AccountId>(), Err(AccountError::Checksum(_))));
		assert!(matches!("".parse::<AccountId>(), Err(AccountError::NotSs58(_))));
		assert!(matches!("0OIl".parse::<AccountId>(), Err(AccountError::NotSs58(_))));
	}

	#[test]
	fn upper_case_hex_is_refused_for_one_account_has_one_name() {
		assert!(AccountId::from_hex(&ALICE_HEX.to_uppercase()).is_err());
		assert!(AccountId::from_hex("d435").is_err());
	}
}
