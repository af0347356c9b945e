// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! An account's secret.

use crate::{config::ChainConfig, AccountId};
use hmac::{Hmac, Mac};
use rand::RngCore;
use schnorrkel::{
	derive::{ChainCode, Derivation},
	ExpansionMode, Keypair, MiniSecretKey,
};
use sha2::Sha512;
use std::{fmt, str::FromStr};
use subxt::{transactions::Signer, utils::MultiSignature};
use subxt_signer::{bip39::Mnemonic, DeriveJunction, ExposeSecret, SecretUri};
use zeroize::Zeroizing;

/// The context that signatures of Substrate chains are made in.
const SIGNING_CONTEXT: &[u8] = b"substrate";
/// Rounds that make guessing a password slow: fixed by the standard of secret words.
const PASSWORD_ROUNDS: usize = 2_048;

/// An sr25519 key pair. Its secret is neither shown nor written anywhere.
#[derive(Clone)]
pub struct Key(Keypair);

/// A secret that is none. The text does not repeat it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
	/// It has not the form of a secret.
	#[error(
		"this is no secret key: give 12 to 24 words, or 0x and 64 hexadecimal digits, with or without a \
		 derivation path such as //name"
	)]
	Malformed,
	/// It has the form, but the words or digits are wrong.
	#[error(
		"the words or digits of this secret key are wrong: look for a misspelt or missing word"
	)]
	Invalid,
}

impl Key {
	/// The key that a secret stands for: 12 to 24 words or 0x and 64 hexadecimal digits, then perhaps a
	/// derivation path, then perhaps `///` and a password. A path alone, such as `//Alice`, is a development key
	/// that everyone knows.
	///
	/// # Errors
	/// [`KeyError`].
	pub fn from_secret(secret: &str) -> Result<Self, KeyError> {
		let secret = secret.trim();
		if secret.is_empty() {
			return Err(KeyError::Malformed);
		}
		let uri = SecretUri::from_str(secret).map_err(|_| KeyError::Malformed)?;
		let password = uri.password.as_ref().map_or("", |password| password.expose_secret());
		let seed = match uri.phrase.expose_secret().strip_prefix("0x") {
			Some(digits) => seed_of_digits(digits)?,
			None => seed_of_words(uri.phrase.expose_secret(), password)?,
		};
		let root = MiniSecretKey::from_bytes(&*seed).map_err(|_| KeyError::Invalid)?;
		let root = root.expand(ExpansionMode::Ed25519);
		let secret = uri.junctions.iter().fold(root, |secret, junction| match junction {
			DeriveJunction::Soft(code) => secret.derived_key_simple(ChainCode(*code), []).0,
			DeriveJunction::Hard(code) => {
				let child = secret.hard_derive_mini_secret_key(Some(ChainCode(*code)), b"").0;
				child.expand(ExpansionMode::Ed25519)
			},
		});
		Ok(Self(secret.to_keypair()))
	}

	/// Twelve new words from the system's randomness: the secret of an account that nobody has yet.
	pub fn generate_secret() -> Zeroizing<String> {
		let mut entropy = Zeroizing::new([0; 16]);
		rand::rng().fill_bytes(&mut *entropy);
		let words =
			Mnemonic::from_entropy(&*entropy).expect("16 bytes are a valid length of entropy; qed");
		Zeroizing::new(words.to_string())
	}

	/// The account that the key signs for.
	pub fn account(&self) -> AccountId {
		AccountId(self.0.public.to_bytes())
	}

	/// The key pair itself, for what signs other things than transactions.
	pub fn keypair(&self) -> &Keypair {
		&self.0
	}
}

impl Signer<ChainConfig> for Key {
	fn account_id(&self) -> AccountId {
		self.account()
	}

	fn sign(&self, payload: &[u8]) -> MultiSignature {
		MultiSignature::Sr25519(self.0.sign_simple(SIGNING_CONTEXT, payload).to_bytes())
	}
}

fn seed_of_digits(digits: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
	let mut seed = Zeroizing::new([0; 32]);
	hex::decode_to_slice(digits, &mut *seed).map_err(|_| KeyError::Invalid)?;
	Ok(seed)
}

/// The first half of PBKDF2 over the words' entropy, as Substrate's tools derive it.
fn seed_of_words(words: &str, password: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
	let words = Mnemonic::from_str(words).map_err(|_| KeyError::Invalid)?;
	let (entropy, length) = words.to_entropy_array();
	let entropy = Zeroizing::new(entropy);
	let keyed = Hmac::<Sha512>::new_from_slice(&entropy[..length])
		.expect("HMAC takes keys of any length; qed");
	let first = keyed.clone().chain_update(b"mnemonic").chain_update(password);
	let mut last = Zeroizing::new(<[u8; 64]>::from(
		first.chain_update(1_u32.to_be_bytes()).finalize().into_bytes(),
	));
	let mut sum = last.clone();
	for _ in 1..PASSWORD_ROUNDS {
		*last = keyed.clone().chain_update(*last).finalize().into_bytes().into();
		sum.iter_mut().zip(last.iter()).for_each(|(sum, byte)| *sum ^= byte);
	}
	let mut seed = Zeroizing::new([0; 32]);
	seed.copy_from_slice(&sum[..32]);
	Ok(seed)
}

impl fmt::Debug for Key {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "Key of {}", self.account())
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

	#[test]
	fn secrets_have_the_accounts_that_other_tools_give_them() {
		assert_eq!(Key::from_secret("//Alice").unwrap().account().to_string(), ALICE);
		let words = "bottom drive obey lake curtain smoke basket hold race lonely fit walk//Alice";
		assert_eq!(Key::from_secret(words).unwrap().account().to_string(), ALICE);
		let digits = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a\n";
		assert_eq!(Key::from_secret(digits).unwrap().account().to_string(), ALICE);
	}

	#[test]
	fn paths_and_passwords_count() {
		let account = |secret: &str| Key::from_secret(secret).unwrap().account();
		// The same by the other implementation that is at hand.
		for secret in ["//Alice/soft", "//Alice//stash", "//Provider2", "//Alice///password"] {
			let uri = SecretUri::from_str(secret).unwrap();
			let other = subxt_signer::sr25519::Keypair::from_uri(&uri).unwrap();
			assert_eq!(account(secret), other.public_key().to_account_id(), "{secret}");
		}
		assert_ne!(account("//Alice///password"), account("//Alice"));
	}

	#[test]
	fn what_is_no_secret_is_refused_without_repeating_it() {
		assert_eq!(Key::from_secret(" ").unwrap_err(), KeyError::Malformed);
		assert_eq!(Key::from_secret("0x1234").unwrap_err(), KeyError::Invalid);
		let misspelt = Key::from_secret("bottom drive obey lake curtain smoke").unwrap_err();
		assert!(!misspelt.to_string().contains("bottom"), "{misspelt}");
	}

	#[test]
	fn new_secrets_differ_and_can_be_read_back() {
		let (one, other) = (Key::generate_secret(), Key::generate_secret());
		assert_ne!(*one, *other);
		assert_eq!(one.split(' ').count(), 12);
		Key::from_secret(&one).unwrap();
	}

	#[test]
	fn neither_secret_nor_signature_shows_in_debug() {
		let key = Key::from_secret("//Alice").unwrap();
		assert_eq!(format!("{key:?}"), format!("Key of {ALICE}"));
	}
}
