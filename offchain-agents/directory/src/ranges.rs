// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The two range headers: `Content-Range` of an upload's chunk and `Range` of a download.

use std::ops::Range;

/// Reads the `Content-Range` of a chunk, `<first byte>-<last byte>`, both counted from zero and both
/// within the chunk; `None` for anything else. Also takes the form of RFC 9110 with the unit
/// `bytes ` and a `/total`, which some clients send.
pub fn parse_content_range(text: &str) -> Option<(u64, u64)> {
	let text = text.strip_prefix("bytes ").unwrap_or(text);
	let text = text.split_once('/').map_or(text, |(range, _)| range);
	let (first, last) = text.split_once('-')?;
	let (first, last) = (number(first)?, number(last)?);
	(first <= last).then_some((first, last))
}

/// Decimal digits only: `u64::from_str` would take a plus sign.
fn number(text: &str) -> Option<u64> {
	text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// What a `Range` header asks of content of a known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
	/// Everything: there is no usable range, and RFC 9110 has such a header ignored.
	Whole,
	/// These bytes, never empty and within the content.
	Part(Range<u64>),
	/// A well-formed range that lies outside the content.
	Unsatisfiable,
}

/// Reads the `Range` header of a download of `len` bytes. Several ranges at once are answered with
/// everything, as RFC 9110 allows.
pub fn parse_range(header: &str, len: u64) -> Requested {
	let Some(spec) = header.strip_prefix("bytes=") else { return Requested::Whole };
	let Some((first, last)) = spec.trim().split_once('-') else { return Requested::Whole };
	match (first, last) {
		("", suffix) => match number(suffix).filter(|_| !suffix.is_empty()) {
			None => Requested::Whole,
			Some(0) => Requested::Unsatisfiable,
			Some(_) if len == 0 => Requested::Unsatisfiable,
			Some(suffix) => Requested::Part(len.saturating_sub(suffix)..len),
		},
		(first, last) => {
			let Some(first) = number(first) else { return Requested::Whole };
			let last = match last {
				"" => u64::MAX,
				last => match number(last) {
					Some(last) if last >= first => last,
					_ => return Requested::Whole,
				},
			};
			if first >= len {
				return Requested::Unsatisfiable;
			}
			Requested::Part(first..last.saturating_add(1).min(len))
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn a_chunk_names_its_first_and_last_byte() {
		assert_eq!(parse_content_range("0-1023"), Some((0, 1023)));
		assert_eq!(parse_content_range("bytes 5-5/*"), Some((5, 5)));
		for bad in
			["", "-", "5", "5-", "-5", "5-4", "+1-2", "1-2-3", "a-b", "0-99999999999999999999"]
		{
			assert_eq!(parse_content_range(bad), None, "{bad}");
		}
	}

	#[test]
	fn a_download_can_ask_for_parts() {
		use Requested::{Part, Unsatisfiable, Whole};
		for (header, answer) in [
			("bytes=0-3", Part(0..4)),
			("bytes=0-", Part(0..10)),
			("bytes=9-9", Part(9..10)),
			("bytes=5-100", Part(5..10)),
			("bytes=-3", Part(7..10)),
			("bytes=-30", Part(0..10)),
			("bytes=10-", Unsatisfiable),
			("bytes=-0", Unsatisfiable),
			("bytes=3-2", Whole),
			("bytes=0-1,3-4", Whole),
			("bytes=-", Whole),
			("bytes=", Whole),
			("lines=0-1", Whole),
			("bytes=0-18446744073709551615", Part(0..10)),
		] {
			assert_eq!(parse_range(header, 10), answer, "{header}");
		}
		assert_eq!(parse_range("bytes=-1", 0), Unsatisfiable);
	}

	proptest! {
		#[test]
		fn a_part_lies_within_the_content(header in "bytes=[0-9]{0,20}-[0-9]{0,20}", len in any::<u64>()) {
			if let Requested::Part(part) = parse_range(&header, len) {
				prop_assert!(part.start < part.end && part.end <= len);
			}
		}
	}
}
