// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Manifests: whatever is taken names a bounded number of contents and is one thing only.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modicum_directory::manifest::{Manifest, MAX_REFERENCES, OCI_INDEX, OCI_MANIFEST};

fuzz_target!(|bytes: &[u8]| {
	for content_type in [None, Some(OCI_MANIFEST), Some(OCI_INDEX)] {
		if let Ok(manifest) = Manifest::parse(bytes, content_type) {
			assert!(manifest.blobs.is_empty() || manifest.manifests.is_empty());
			assert!(manifest.blobs.len() + manifest.manifests.len() <= MAX_REFERENCES);
		}
	}
});
