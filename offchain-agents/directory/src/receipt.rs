// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Receipts: the directory's signed word that it stored a manifest. A provider keeps the one for its
//! result, which settles later whether the result was there.

use crate::{
	account::AccountId,
	digest::Digest,
	login::Realm,
	sign::{SignatureBytes, Statement},
};
use schnorrkel::Keypair;
use serde::{Deserialize, Serialize};

/// A receipt, with everything needed to check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
	/// Which directory of which chain.
	#[serde(flatten)]
	pub realm: Realm,
	/// The directory's account, whose signature this carries.
	pub signer: AccountId,
	/// Where the manifest was stored.
	pub repository: String,
	/// The manifest's digest.
	pub digest: Digest,
	/// Bytes of the manifest.
	pub size: u64,
	/// Bytes of the contents that it names itself; all of them were stored.
	pub content_size: u64,
	/// Who stored it; `None` where writing needs no login.
	pub account: Option<AccountId>,
	/// When, milliseconds since the Unix epoch.
	pub stored_at: u64,
	/// The directory's signature over all of this.
	pub signature: SignatureBytes,
}

/// What a receipt is about.
#[derive(Debug, Clone)]
pub struct Stored {
	/// Where the manifest was stored.
	pub repository: String,
	/// The manifest's digest.
	pub digest: Digest,
	/// Bytes of the manifest.
	pub size: u64,
	/// Bytes of the contents that it names itself.
	pub content_size: u64,
	/// Who stored it.
	pub account: Option<AccountId>,
	/// When, milliseconds since the Unix epoch.
	pub stored_at: u64,
}

impl Receipt {
	/// Signs a receipt.
	pub fn sign(realm: &Realm, keypair: &Keypair, stored: Stored) -> Self {
		let mut receipt = Self {
			realm: realm.clone(),
			signer: crate::sign::account_of(keypair),
			repository: stored.repository,
			digest: stored.digest,
			size: stored.size,
			content_size: stored.content_size,
			account: stored.account,
			stored_at: stored.stored_at,
			signature: SignatureBytes([0; 64]),
		};
		receipt.signature = receipt.statement().sign(keypair);
		receipt
	}

	fn statement(&self) -> Statement {
		let account = self.account.map_or_else(|| "nobody".to_owned(), |a| a.to_string());
		Statement::new("MODiCuM directory receipt v1")
			.field("directory", &self.realm.directory)
			.field("genesis", &self.realm.genesis)
			.field("signer", self.signer)
			.field("repository", &self.repository)
			.field("digest", self.digest)
			.field("size", self.size)
			.field("content size", self.content_size)
			.field("account", account)
			.field("stored at", self.stored_at)
	}

	/// Whether the signature is the signer's. Whether the signer is the directory's account on the
	/// chain is for the caller to compare.
	pub fn is_genuine(&self) -> bool {
		self.statement().verify(&self.signer, &self.signature)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::sign::keypair_of_seed;

	#[test]
	fn a_receipt_holds_as_signed_and_not_otherwise() {
		let realm = Realm { directory: "d".into(), genesis: "g".into() };
		let stored = Stored {
			repository: "a".into(),
			digest: Digest::of(b"x"),
			size: 1,
			content_size: 2,
			account: Some(AccountId([1; 32])),
			stored_at: 3,
		};
		let receipt = Receipt::sign(&realm, &keypair_of_seed(&[1; 32]), stored);
		assert!(receipt.is_genuine());
		let changes: [fn(&mut Receipt); 8] = [
			|r| r.realm.directory = "e".into(),
			|r| r.repository = "b".into(),
			|r| r.digest = Digest::of(b"y"),
			|r| r.size = 2,
			|r| r.content_size = 3,
			|r| r.account = None,
			|r| r.stored_at = 4,
			|r| r.signer = AccountId([2; 32]),
		];
		for change in changes {
			let mut changed = receipt.clone();
			change(&mut changed);
			assert!(!changed.is_genuine(), "{changed:?}");
		}
	}
}
