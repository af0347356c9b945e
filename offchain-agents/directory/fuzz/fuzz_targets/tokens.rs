// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Tokens, scopes, logins and accounts: nothing that the directory did not sign is believed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modicum_directory::{
	account::AccountId,
	login::{Login, LoginDesk, Realm},
	token::{parse_scopes, TokenMint, MAX_SCOPES},
};

fuzz_target!(|text: &str| {
	assert!(TokenMint::new([7; 32]).read(text, 0).is_err());
	if let Ok(scopes) = parse_scopes(text) {
		assert!(scopes.len() <= MAX_SCOPES);
	}
	if let Ok(account) = text.parse::<AccountId>() {
		assert_eq!(account.to_string().parse(), Ok(account));
	}
	let realm = Realm { directory: "d".into(), genesis: "g".into() };
	let desk = LoginDesk::new(realm, [7; 32], 0, 1_000);
	let account = AccountId([1; 32]).to_string();
	assert!(desk.verify(&account, text, 0).is_err());
	let _ = Login::from_secret(text);
});
