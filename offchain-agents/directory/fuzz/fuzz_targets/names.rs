// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Paths, repository names and references: whatever is taken for a name has one spelling and stays
//! within its folder.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modicum_directory::{
	http::Endpoint,
	names::{Reference, RepositoryName, Tag},
};

fuzz_target!(|text: &str| {
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
});
