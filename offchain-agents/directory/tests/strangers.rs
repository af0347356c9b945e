// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The checks of the fuzz targets, without a fuzzer: over random bytes, and over good inputs that were cut, repeated,
//! mixed and changed. In a fixed order, so that every run is the same.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../fuzz/checks.rs"]
mod checks;

use modicum_directory::{
	account::AccountId,
	digest::Digest,
	login::{Login, Realm},
	manifest::{OCI_INDEX, OCI_MANIFEST},
	sign::keypair_of_seed,
	token::{Access, Claims, TokenMint},
};
use rand::{rngs::StdRng, seq::IndexedRandom, Rng, SeedableRng};
use serde_json::json;

const ROUNDS: usize = 20_000;
/// What is put in between: what parsers look for.
const WORDS: [&str; 24] = [
	"/",
	"..",
	"%2e",
	":",
	"@",
	"-",
	",",
	"=",
	"\"",
	"{",
	"}",
	"[",
	"]",
	"null",
	"0",
	"18446744073709551615",
	"-1",
	"\0",
	"\u{17f}",
	"sha256:",
	"bytes ",
	"blobs/uploads/",
	"manifests/",
	" ",
];

/// Calls `check` with `ROUNDS` inputs made of these good ones.
fn mutate(good: &[Vec<u8>], check: impl Fn(&[u8])) {
	let mut random = StdRng::seed_from_u64(7);
	good.iter().for_each(|input| check(input));
	for _ in 0..ROUNDS {
		let mut input = good.choose(&mut random).unwrap().clone();
		for _ in 0..random.random_range(1..6) {
			let at = random.random_range(0..=input.len());
			let end = random.random_range(at..=input.len().min(at + 40));
			match random.random_range(0..6) {
				0 => drop(input.drain(at..end)),
				1 => {
					let piece = input[at..end].to_vec();
					input.splice(at..at, piece);
				},
				2 => {
					let other = good.choose(&mut random).unwrap();
					let from = random.random_range(0..=other.len());
					let to = random.random_range(from..=other.len());
					input.splice(at..end, other[from..to].iter().copied());
				},
				3 => drop(input.splice(at..end, WORDS.choose(&mut random).unwrap().bytes())),
				4 => input[at..end].iter_mut().for_each(|byte| *byte = random.random()),
				_ => input[at..end].make_ascii_uppercase(),
			}
		}
		check(&input);
	}
}

fn texts(good: &[String], check: impl Fn(&str)) {
	let good: Vec<_> = good.iter().map(|text| text.clone().into_bytes()).collect();
	mutate(&good, |bytes| check(&String::from_utf8_lossy(bytes)));
}

#[test]
fn names() {
	let (digest, account) = (Digest::of(b"x"), AccountId([0xab; 32]).to_hex());
	let good = [
		format!("jobs/{account}/render-1"),
		format!("results/{account}/7"),
		format!("/v2/a/b-c/d__e/blobs/{digest}"),
		format!("/v2/jobs/{account}/x/manifests/{digest}"),
		"/v2/a/manifests/Latest_1.0".into(),
		"/v2/a/blobs/uploads/0123456789abcdef".into(),
		"/v2/a/tags/list".into(),
		digest.to_string(),
	];
	texts(&good, checks::names);
}

#[test]
fn ranges() {
	let good = ["bytes=0-99", "bytes=5-", "bytes=-7", "0-99", "bytes 0-9/10", "bytes=0-1,5-6"];
	for len in [0, 1, 100, u64::MAX] {
		texts(&good.map(str::to_owned), |text| checks::ranges(text, len));
	}
}

#[test]
fn manifests() {
	let descriptor = json!({"mediaType": "a/b", "digest": Digest::of(b"x"), "size": 1});
	let image = json!({
		"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "c/d", "config": descriptor,
		"layers": [descriptor, descriptor], "subject": descriptor, "annotations": {"key": "value"},
	});
	let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [descriptor]});
	mutate(&[image, list].map(|it| it.to_string().into_bytes()), checks::manifests);
}

#[test]
fn tokens() {
	let account = AccountId([1; 32]);
	let access =
		Access { name: "a".into(), actions: vec![modicum_directory::access::Action::Pull] };
	// Good ones of another directory, which this one must not believe.
	let claims = Claims { account: Some(account), access: vec![access], expires_at: u64::MAX };
	let realm = Realm { directory: "other".into(), genesis: "g".into() };
	let login = Login::sign(&realm, &keypair_of_seed(&[1; 32]), true, "*", "nonce", 500);
	let good = [
		TokenMint::new([8; 32]).issue(&claims),
		login.to_secret(),
		account.to_string(),
		"repository:a/b:pull,push repository:c:*".into(),
	];
	texts(&good, checks::tokens);
}
