// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Logins: a challenge of the directory, signed by an account of the chain.
//!
//! A login covers directory id, genesis hash, account, scope, nonce and expiry. The nonce is made and
//! authenticated by the directory, so that it needs to remember only which single-use nonces were
//! used. Two kinds: single-use, for programs, good for a minute and for one token; and reusable until
//! it expires, for `docker login`, which sends the same password again for every token.

use crate::{
	account::AccountId,
	sign::{SignatureBytes, Signer, Statement},
};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD, Engine as _};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{collections::HashMap, sync::Mutex};

/// Which directory of which chain a signature is meant for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realm {
	/// The directory's id: the host and port that clients reach it by.
	pub directory: String,
	/// The chain's genesis hash, hexadecimal.
	pub genesis: String,
}

/// How long a single-use login is good, milliseconds.
pub const SINGLE_USE_LIFE_MS: u64 = 60_000;
/// The longest secret that is looked at, bytes.
pub const MAX_SECRET_LEN: usize = 8 * 1024;
/// The most single-use nonces remembered at once; past that, single-use logins wait.
const MAX_USED_NONCES: usize = 100_000;
const NONCE_LEN: usize = 8 + 16 + 16;

/// What a login says, and its signature. As a password: base64url of its JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Login {
	/// Good for one token only.
	pub single_use: bool,
	/// Scopes in the registries' form, separated by spaces, or `*` for all that the account may do.
	pub scope: String,
	/// The directory's nonce.
	pub nonce: String,
	/// When it ends, milliseconds since the Unix epoch.
	pub expires_at: u64,
	/// The account's signature over the statement.
	pub signature: SignatureBytes,
}

/// Why a login is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
	/// The user is no SS58 address.
	#[error("the user name must be the account's SS58 address")]
	User,
	/// The password is none that `modicum directory login` prints.
	#[error("the password is not a login made by `modicum directory login`")]
	Malformed,
	/// Its time is over, or was longer than the directory allows.
	#[error("the login has expired or lasts longer than this directory allows; log in again")]
	Expired,
	/// The nonce is not one that this directory gave this account.
	#[error("the login answers no challenge of this directory for this account; log in again")]
	ForeignNonce,
	/// A single-use login came a second time.
	#[error("this login was used already; ask for a new challenge")]
	Replayed,
	/// The signature is not the account's over this login.
	#[error("the signature is not this account's for this directory and chain")]
	Signature,
	/// Too many logins in the last minute.
	#[error("too many logins at once; try again in a minute")]
	Busy,
}

fn statement(
	realm: &Realm,
	account: &AccountId,
	single_use: bool,
	scope: &str,
	nonce: &str,
	expires_at: u64,
) -> Statement {
	Statement::new("MODiCuM directory login v1")
		.field("directory", &realm.directory)
		.field("genesis", &realm.genesis)
		.field("account", account)
		.field("single use", single_use)
		.field("scope", scope)
		.field("nonce", nonce)
		.field("expires at", expires_at)
}

impl Login {
	/// Answers a challenge.
	pub fn sign(
		realm: &Realm,
		signer: &dyn Signer,
		single_use: bool,
		scope: &str,
		nonce: &str,
		expires_at: u64,
	) -> Self {
		let account = signer.account();
		let signature =
			signer.sign(&statement(realm, &account, single_use, scope, nonce, expires_at));
		Self { single_use, scope: scope.to_owned(), nonce: nonce.to_owned(), expires_at, signature }
	}

	/// The login as a password.
	pub fn to_secret(&self) -> String {
		URL_SAFE_NO_PAD
			.encode(serde_json::to_vec(self).expect("strings and numbers become JSON; qed"))
	}

	/// Reads a password.
	///
	/// # Errors
	/// [`LoginError::Malformed`].
	pub fn from_secret(secret: &str) -> Result<Self, LoginError> {
		if secret.len() > MAX_SECRET_LEN {
			return Err(LoginError::Malformed);
		}
		let json = URL_SAFE_NO_PAD.decode(secret).map_err(|_| LoginError::Malformed)?;
		serde_json::from_slice(&json).map_err(|_| LoginError::Malformed)
	}
}

/// Gives challenges and judges logins.
pub struct LoginDesk {
	realm: Realm,
	key: [u8; 32],
	/// Single-use challenges older than this process are refused, for their use may be forgotten.
	started_at: u64,
	max_life_ms: u64,
	used: Mutex<HashMap<String, u64>>,
}

impl LoginDesk {
	/// `key` authenticates nonces; `max_life_ms` bounds reusable logins.
	pub fn new(realm: Realm, key: [u8; 32], started_at: u64, max_life_ms: u64) -> Self {
		Self { realm, key, started_at, max_life_ms, used: Mutex::new(HashMap::new()) }
	}

	/// The directory and chain that logins must be made for.
	pub fn realm(&self) -> &Realm {
		&self.realm
	}

	/// The longest life of a reusable login, milliseconds.
	pub fn max_life_ms(&self) -> u64 {
		self.max_life_ms
	}

	/// A fresh nonce for `account`.
	pub fn challenge(&self, account: &AccountId, now: u64) -> String {
		let random: [u8; 16] = rand::random();
		let mut nonce = Vec::with_capacity(NONCE_LEN);
		nonce.extend_from_slice(&now.to_be_bytes());
		nonce.extend_from_slice(&random);
		let mac = self.mac(account, &nonce).finalize().into_bytes();
		nonce.extend_from_slice(&mac[..16]);
		URL_SAFE_NO_PAD.encode(nonce)
	}

	fn mac(&self, account: &AccountId, body: &[u8]) -> Hmac<Sha256> {
		Hmac::<Sha256>::new_from_slice(&self.key)
			.expect("HMAC takes keys of any length; qed")
			.chain_update(b"nonce")
			.chain_update(account.0)
			.chain_update(body)
	}

	/// When a nonce of this directory for this account was given.
	fn issued_at(&self, account: &AccountId, nonce: &str) -> Option<u64> {
		let bytes = URL_SAFE_NO_PAD.decode(nonce).ok().filter(|b| b.len() == NONCE_LEN)?;
		let (body, mac) = bytes.split_at(24);
		self.mac(account, body).verify_truncated_left(mac).ok()?;
		Some(u64::from_be_bytes(body[..8].try_into().ok()?))
	}

	/// Judges a user name and password; the result is the account and the scope it signed for.
	///
	/// # Errors
	/// Whatever of [`LoginError`] applies first.
	pub fn verify(
		&self,
		user: &str,
		secret: &str,
		now: u64,
	) -> Result<(AccountId, String), LoginError> {
		let account: AccountId = user.parse().map_err(|_| LoginError::User)?;
		let login = Login::from_secret(secret)?;
		let issued_at = self.issued_at(&account, &login.nonce).ok_or(LoginError::ForeignNonce)?;
		let life = if login.single_use { SINGLE_USE_LIFE_MS } else { self.max_life_ms };
		if now >= login.expires_at || login.expires_at > issued_at.saturating_add(life) {
			return Err(LoginError::Expired);
		}
		let statement = statement(
			&self.realm,
			&account,
			login.single_use,
			&login.scope,
			&login.nonce,
			login.expires_at,
		);
		if !statement.verify(&account, &login.signature) {
			return Err(LoginError::Signature);
		}
		if login.single_use {
			self.use_up(login.nonce, issued_at, now)?;
		}
		Ok((account, login.scope))
	}

	fn use_up(&self, nonce: String, issued_at: u64, now: u64) -> Result<(), LoginError> {
		if issued_at < self.started_at {
			return Err(LoginError::Replayed);
		}
		let mut used = self.used.lock().unwrap_or_else(|e| e.into_inner());
		if used.len() >= MAX_USED_NONCES {
			used.retain(|_, end| *end > now);
			if used.len() >= MAX_USED_NONCES {
				return Err(LoginError::Busy);
			}
		}
		match used.insert(nonce, issued_at + SINGLE_USE_LIFE_MS) {
			Some(_) => Err(LoginError::Replayed),
			None => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use crate::sign::{account_of, keypair_of_seed};
	use schnorrkel::Keypair;

	const NOW: u64 = 1_000_000;

	fn realm(directory: &str) -> Realm {
		Realm { directory: directory.into(), genesis: "00".repeat(32) }
	}

	fn desk(directory: &str) -> LoginDesk {
		LoginDesk::new(realm(directory), [9; 32], NOW, 3_600_000)
	}

	fn login(desk: &LoginDesk, keypair: &Keypair, single_use: bool, life: u64) -> Login {
		let nonce = desk.challenge(&account_of(keypair), NOW);
		Login::sign(&desk.realm, keypair, single_use, "*", &nonce, NOW + life)
	}

	#[test]
	fn a_single_use_login_works_once() {
		let (desk, alice) = (desk("d"), keypair_of_seed(&[1; 32]));
		let user = account_of(&alice).to_string();
		let secret = login(&desk, &alice, true, 60_000).to_secret();
		assert_eq!(desk.verify(&user, &secret, NOW), Ok((account_of(&alice), "*".into())));
		assert_eq!(desk.verify(&user, &secret, NOW), Err(LoginError::Replayed));
	}

	#[test]
	fn a_reusable_login_works_until_it_expires() {
		let (desk, alice) = (desk("d"), keypair_of_seed(&[1; 32]));
		let user = account_of(&alice).to_string();
		let secret = login(&desk, &alice, false, 100_000).to_secret();
		assert!(desk.verify(&user, &secret, NOW).is_ok());
		assert!(desk.verify(&user, &secret, NOW + 99_999).is_ok());
		assert_eq!(desk.verify(&user, &secret, NOW + 100_000), Err(LoginError::Expired));
		let eternal = login(&desk, &alice, false, u64::MAX - NOW).to_secret();
		assert_eq!(desk.verify(&user, &eternal, NOW), Err(LoginError::Expired));
	}

	#[test]
	fn a_login_is_worth_nothing_elsewhere() {
		let (here, alice, bob) = (desk("d"), keypair_of_seed(&[1; 32]), keypair_of_seed(&[2; 32]));
		let user = account_of(&alice).to_string();
		let good = login(&here, &alice, false, 100_000);
		// Another directory, even one that shares the key; another chain; another account.
		assert_eq!(desk("e").verify(&user, &good.to_secret(), NOW), Err(LoginError::Signature));
		let mut chain = desk("d");
		chain.realm.genesis = "11".repeat(32);
		assert_eq!(chain.verify(&user, &good.to_secret(), NOW), Err(LoginError::Signature));
		assert_eq!(
			here.verify(&account_of(&bob).to_string(), &good.to_secret(), NOW),
			Err(LoginError::ForeignNonce)
		);
		// A nonce that the directory did not give.
		let mut desk2 = desk("d");
		desk2.key = [8; 32];
		assert_eq!(desk2.verify(&user, &good.to_secret(), NOW), Err(LoginError::ForeignNonce));
	}

	#[test]
	fn no_signed_field_can_be_changed() {
		let (desk, alice) = (desk("d"), keypair_of_seed(&[1; 32]));
		let user = account_of(&alice).to_string();
		let good = login(&desk, &alice, false, 50_000);
		let changed = [
			Login { scope: "repository:x:push".into(), ..good.clone() },
			Login { single_use: true, ..good.clone() },
			Login { expires_at: good.expires_at - 1, ..good.clone() },
			Login { nonce: desk.challenge(&account_of(&alice), NOW), ..good },
		];
		for login in changed {
			assert_eq!(
				desk.verify(&user, &login.to_secret(), NOW),
				Err(LoginError::Signature),
				"{login:?}"
			);
		}
	}

	#[test]
	fn a_single_use_login_from_before_the_start_is_refused() {
		let alice = keypair_of_seed(&[1; 32]);
		let before = desk("d");
		let secret = login(&before, &alice, true, 60_000).to_secret();
		let after = LoginDesk::new(realm("d"), [9; 32], NOW + 1, 3_600_000);
		assert_eq!(
			after.verify(&account_of(&alice).to_string(), &secret, NOW + 2),
			Err(LoginError::Replayed)
		);
	}

	#[test]
	fn garbage_is_named() {
		let desk = desk("d");
		let user = AccountId([1; 32]).to_string();
		assert_eq!(desk.verify("bob", "x", NOW), Err(LoginError::User));
		for secret in ["", "password", "e30", &"A".repeat(MAX_SECRET_LEN + 1)] {
			assert_eq!(desk.verify(&user, secret, NOW), Err(LoginError::Malformed), "{secret:.20}");
		}
	}
}
