// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Range headers: whatever is granted lies within the content.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modicum_directory::ranges::{parse_content_range, parse_range, Requested};

fuzz_target!(|input: (&str, u64)| {
	let (text, len) = input;
	if let Requested::Part(part) = parse_range(text, len) {
		assert!(part.start < part.end && part.end <= len);
	}
	if let Requested::Part(part) = parse_range(&format!("bytes={text}"), len) {
		assert!(part.start < part.end && part.end <= len);
	}
	if let Some((first, last)) = parse_content_range(text) {
		assert!(first <= last);
	}
});
