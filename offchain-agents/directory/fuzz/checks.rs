// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What must hold of everything that the directory reads from strangers. The fuzz targets call these checks, and so
//! does a test that needs no fuzzer (`tests/strangers.rs`).

use modicum_directory::{
	account::AccountId,
	http::Endpoint,
	login::{Login, LoginDesk, Realm},
	manifest::{Manifest, MAX_REFERENCES, OCI_INDEX, OCI_MANIFEST},
	names::{Reference, RepositoryName, Tag},
	ranges::{parse_content_range, parse_range, Requested},
	token::{parse_scopes, TokenMint, MAX_SCOPES},
};

/// Paths, repository names and references: whatever is taken for a name has one spelling and stays within its
/// folder.
pub fn names(text: &str) {
	if let Ok(name) = text.parse::<RepositoryName>() {
		assert_eq!(name.as_str(), text);
		assert!(text.split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
		assert!(!text.contains(['\0', '\\', '%']));
		let _ = name.namespace();
	}
	if let Ok(tag) = text.parse::<Tag>() {
		assert!(!tag.as_str().contains(['/', ':']));
	}
	let _ = text.parse::<Reference>();
	if let Ok(Endpoint::Blob(name, digest)) = Endpoint::parse(text) {
		let again = Endpoint::parse(&format!("/v2/{name}/blobs/{digest}"));
		assert!(matches!(again, Ok(Endpoint::Blob(n, d)) if n == name && d == digest));
	}
}

/// Range headers: whatever is granted of `len` bytes lies within them.
pub fn ranges(text: &str, len: u64) {
	for header in [text.to_owned(), format!("bytes={text}")] {
		if let Requested::Part(part) = parse_range(&header, len) {
			assert!(part.start < part.end && part.end <= len);
		}
	}
	if let Some((first, last)) = parse_content_range(text) {
		assert!(first <= last);
	}
}

/// Manifests: whatever is taken names a bounded number of contents, is one thing only, and is an object from top to
/// bottom.
pub fn manifests(bytes: &[u8]) {
	for content_type in [None, Some(OCI_MANIFEST), Some(OCI_INDEX)] {
		let Ok(manifest) = Manifest::parse(bytes, content_type) else { continue };
		assert!(manifest.blobs.is_empty() || manifest.manifests.is_empty());
		assert!(manifest.blobs.len() + manifest.manifests.len() <= MAX_REFERENCES);
		assert!(content_type.is_none_or(|header| header == manifest.media_type));
		assert_eq!(bytes.trim_ascii_start().first(), Some(&b'{'));
	}
}

/// Tokens, scopes, logins and accounts: nothing that the directory did not sign is believed.
pub fn tokens(text: &str) {
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
}
