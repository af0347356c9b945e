// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Statements: what is signed, and how. A statement is text that a person can read in a wallet before
//! signing: a first line that names the purpose, then one `name: value` line per field, always in
//! the same order. It holds the directory's id and the chain's genesis hash, so that no signature made
//! for one directory or chain means anything to another.

use crate::account::AccountId;
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, PublicKey, Signature};
use std::{fs, io, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// The signing context of every Substrate chain and wallet.
const SIGNING_CONTEXT: &[u8] = b"substrate";

/// A text to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement(String);

impl Statement {
	/// Begins a statement for one purpose.
	pub fn new(purpose: &'static str) -> Self {
		Self(purpose.to_owned())
	}

	/// Adds a field. Line breaks in the value become spaces, so that no value can pose as a field.
	pub fn field(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
		let value = value.to_string().replace(['\n', '\r'], " ");
		self.0.push_str(&format!("\n{name}: {value}"));
		self
	}

	/// The text.
	pub fn as_str(&self) -> &str {
		&self.0
	}

	/// Signs the text with sr25519 in Substrate's context.
	pub fn sign(&self, keypair: &Keypair) -> SignatureBytes {
		SignatureBytes(keypair.sign_simple(SIGNING_CONTEXT, self.0.as_bytes()).to_bytes())
	}

	/// Whether `signature` is `account`'s over this text. Browser wallets put `<Bytes>` around what
	/// they sign; a signature over that form counts too.
	pub fn verify(&self, account: &AccountId, signature: &SignatureBytes) -> bool {
		let Ok(key) = PublicKey::from_bytes(&account.0) else { return false };
		let Ok(signature) = Signature::from_bytes(&signature.0) else { return false };
		let signed =
			|text: &str| key.verify_simple(SIGNING_CONTEXT, text.as_bytes(), &signature).is_ok();
		signed(&self.0) || signed(&format!("<Bytes>{}</Bytes>", self.0))
	}
}

/// Who can sign for an account: a key pair, or whatever has one.
pub trait Signer: Send + Sync {
	/// The account signed for.
	fn account(&self) -> AccountId;
	/// The account's signature over a statement.
	fn sign(&self, statement: &Statement) -> SignatureBytes;
}

impl Signer for Keypair {
	fn account(&self) -> AccountId {
		account_of(self)
	}

	fn sign(&self, statement: &Statement) -> SignatureBytes {
		statement.sign(self)
	}
}

/// An sr25519 signature, 64 bytes, written in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignatureBytes(pub [u8; 64]);

impl std::fmt::Debug for SignatureBytes {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(&hex::encode(self.0))
	}
}

impl serde::Serialize for SignatureBytes {
	fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&hex::encode(self.0))
	}
}

impl<'de> serde::Deserialize<'de> for SignatureBytes {
	fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = <String as serde::Deserialize>::deserialize(deserializer)?;
		let mut bytes = [0; 64];
		hex::decode_to_slice(text, &mut bytes).map_err(serde::de::Error::custom)?;
		Ok(Self(bytes))
	}
}

/// The account of a key pair.
pub fn account_of(keypair: &Keypair) -> AccountId {
	AccountId(keypair.public.to_bytes())
}

/// The key pair of a 32-byte seed, as Substrate derives it.
pub fn keypair_of_seed(seed: &[u8; 32]) -> Keypair {
	MiniSecretKey::from_bytes(seed)
		.expect("any 32 bytes are a mini secret key; qed")
		.expand_to_keypair(ExpansionMode::Ed25519)
}

/// Reads a seed of 64 hexadecimal digits from a file, with or without `0x`.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn read_seed_file(path: &Path) -> io::Result<Keypair> {
	let text = fs::read_to_string(path)?;
	let text = text.trim();
	let mut seed = [0; 32];
	hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut seed).map_err(|_| {
		io::Error::new(
			io::ErrorKind::InvalidData,
			format!("{} does not hold a seed of 64 hexadecimal digits", path.display()),
		)
	})?;
	Ok(keypair_of_seed(&seed))
}

/// Reads the seed file, or makes one with a fresh seed that only its owner can read.
///
/// # Errors
/// As [`read_seed_file`], or the file cannot be written.
pub fn read_or_make_seed_file(path: &Path) -> io::Result<Keypair> {
	match read_seed_file(path) {
		Err(e) if e.kind() == io::ErrorKind::NotFound => {},
		other => return other,
	}
	let seed: [u8; 32] = rand::random();
	let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
	writeln!(file, "{}", hex::encode(seed))?;
	file.sync_all()?;
	Ok(keypair_of_seed(&seed))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn a_signature_holds_for_its_text_and_account_only() {
		let (alice, bob) = (keypair_of_seed(&[1; 32]), keypair_of_seed(&[2; 32]));
		let statement = Statement::new("test").field("a", 1).field("b", "two");
		assert_eq!(statement.as_str(), "test\na: 1\nb: two");
		let signature = statement.sign(&alice);
		assert!(statement.verify(&account_of(&alice), &signature));
		assert!(!statement.verify(&account_of(&bob), &signature));
		assert!(!Statement::new("test").verify(&account_of(&alice), &signature));
		assert!(!statement.verify(&account_of(&alice), &SignatureBytes([0; 64])));
		assert!(!statement.verify(&AccountId([0xff; 32]), &signature));
	}

	#[test]
	fn a_wallets_wrapping_is_accepted() {
		let alice = keypair_of_seed(&[1; 32]);
		let statement = Statement::new("test");
		let wrapped = alice.sign_simple(SIGNING_CONTEXT, b"<Bytes>test</Bytes>").to_bytes();
		assert!(statement.verify(&account_of(&alice), &SignatureBytes(wrapped)));
	}

	#[test]
	fn no_value_can_pose_as_a_field() {
		let honest = Statement::new("t").field("a", "x").field("b", "y");
		assert_ne!(Statement::new("t").field("a", "x\nb: y"), honest);
	}

	#[test]
	fn the_development_seed_gives_its_known_account() {
		// Alice's mini secret, as `subkey inspect //Alice` prints it.
		let mut seed = [0; 32];
		hex::decode_to_slice(
			"e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a",
			&mut seed,
		)
		.unwrap();
		assert_eq!(
			account_of(&keypair_of_seed(&seed)).to_string(),
			"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
		);
	}

	#[test]
	fn a_seed_file_is_made_once_and_read_again() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("seed");
		let made = account_of(&read_or_make_seed_file(&path).unwrap());
		assert_eq!(account_of(&read_or_make_seed_file(&path).unwrap()), made);
		fs::write(&path, "not a seed").unwrap();
		assert_eq!(read_seed_file(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
	}
}
