// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A guess at why two runs left different bytes, from the bytes alone.

use std::fmt;

use serde::Serialize;

/// How far around a difference is looked for what surrounds it, in bytes.
const WINDOW: usize = 200;
/// Numbers that differ by less than this part of them differ by rounding.
const ROUNDING: f64 = 1e-6;
/// Seconds since 1970 that are taken for a time: from July 2017 to 2065.
const EPOCH_SECONDS: std::ops::Range<u64> = 1_500_000_000..3_000_000_000;

/// Where a difference may come from, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hint {
	/// A time or a date, or how long something took.
	Dates,
	/// The same lines in another order.
	Unordered,
	/// Numbers that differ in their last digits.
	Threads,
	/// Random numbers, identifiers, addresses.
	Randomness,
	/// Names of files.
	Names,
	/// Nothing that is recognised.
	Unknown,
}

impl fmt::Display for Hint {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Dates => "this looks like a date or a duration: keep times out of the result (SOURCE_DATE_EPOCH is set to 0 for programs that heed it; gzip has -n)",
			Self::Unordered => "the lines are the same in another order: sort what is listed, and write in one thread or to one file for each",
			Self::Threads => "the numbers differ in their last digits: threads add in another order every time; use one thread, or fix the order of the sum",
			Self::Randomness => "this looks random: seed random numbers with a fixed value, and keep identifiers, process numbers and addresses out of the result",
			Self::Names => "names of files must be the same in every run: no dates, process numbers or random parts in them",
			Self::Unknown => "look for times, random numbers, unordered listings, threads, and what depends on the number of CPUs",
		})
	}
}

/// Guess why `one` and `other` differ from `at` on. `whole`: they are whole files.
pub(crate) fn hint(one: &[u8], other: &[u8], at: usize, whole: bool) -> Hint {
	if whole && same_lines(one, other) {
		return Hint::Unordered;
	}
	if is_file_time(one, at) && is_file_time(other, at) {
		return Hint::Dates;
	}
	let lines = [line_around(one, at), line_around(other, at)];
	let words = [word_around(one, at), word_around(other, at)];
	if lines.iter().all(|line| !line.is_empty()) && lines.iter().all(|line| tells_time(line))
		|| words.iter().all(|word| is_epoch(word))
	{
		return Hint::Dates;
	}
	if differ_by_rounding(&words[0], &words[1]) {
		return Hint::Threads;
	}
	if words.iter().all(|word| looks_random(word)) {
		return Hint::Randomness;
	}
	Hint::Unknown
}

fn same_lines(one: &[u8], other: &[u8]) -> bool {
	let sorted = |bytes: &[u8]| {
		let mut lines: Vec<Vec<u8>> =
			bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
		lines.sort_unstable();
		lines
	};
	one.len() == other.len() && sorted(one) == sorted(other)
}

/// Whether formats that hold a time have one at `at`: the headers of gzip, of a file in a zip archive, and of PNG's
/// chunk tIME.
fn is_file_time(bytes: &[u8], at: usize) -> bool {
	let begins = |magic: &[u8], offsets: std::ops::Range<usize>| {
		offsets.into_iter().any(|offset| {
			at.checked_sub(offset).is_some_and(|start| bytes[start..].starts_with(magic))
		})
	};
	(4..8).contains(&at) && bytes.starts_with(&[0x1f, 0x8b])
		|| begins(b"PK\x03\x04", 10..14)
		|| begins(b"tIME", 4..11)
}

/// The line in which `at` lies, as far as the window goes, in lower case.
fn line_around(bytes: &[u8], at: usize) -> String {
	around(bytes, at, |byte| byte == b'\n').to_lowercase()
}

/// The word in which `at` lies: what is between white space, quotes, commas and the like.
fn word_around(bytes: &[u8], at: usize) -> String {
	around(bytes, at, |byte| byte.is_ascii_whitespace() || b",;\"'()[]{}<>=|\0".contains(&byte))
}

fn around(bytes: &[u8], at: usize, ends: impl Fn(u8) -> bool) -> String {
	let first = at.saturating_sub(WINDOW);
	let last = bytes.len().min(at + WINDOW);
	let start =
		bytes[first..at].iter().rposition(|byte| ends(*byte)).map_or(first, |end| first + end + 1);
	let end = bytes[at..last].iter().position(|byte| ends(*byte)).map_or(last, |end| at + end);
	String::from_utf8_lossy(&bytes[start..end]).into_owned()
}

fn tells_time(line: &str) -> bool {
	let word = |word: &str| line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word);
	let shapes: Vec<u8> =
		line.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }).collect();
	let has = |shape: &[u8]| shapes.windows(shape.len()).any(|window| window == shape);
	has(b"00:00")
		|| has(b"0000-00-00")
		|| has(b"0000/00/00")
		|| [
			"time",
			"date",
			"elapsed",
			"duration",
			"seconds",
			"secs",
			"ms",
			"milliseconds",
			"creationdate",
			"started",
			"finished",
			"took",
		]
		.iter()
		.any(|known| word(known))
}

fn is_epoch(word: &str) -> bool {
	let seconds = word.split('.').next().unwrap_or(word);
	let unit = match seconds.len() {
		10 => 1,
		13 => 1_000,
		16 => 1_000_000,
		19 => 1_000_000_000,
		_ => return false,
	};
	seconds.parse::<u64>().is_ok_and(|number| EPOCH_SECONDS.contains(&(number / unit)))
}

fn differ_by_rounding(one: &str, other: &str) -> bool {
	let fraction = |word: &str| word.contains(['.', 'e', 'E']);
	match (one.parse::<f64>(), other.parse::<f64>()) {
		(Ok(a), Ok(b)) if fraction(one) && fraction(other) => {
			(a - b).abs() <= ROUNDING * a.abs().max(b.abs())
		},
		_ => false,
	}
}

/// Whether a word is a number, an address or an identifier: letters and digits mixed, or digits only.
fn looks_random(word: &str) -> bool {
	let digits = word.chars().filter(char::is_ascii_digit).count();
	let hexadecimal = word.chars().filter(|c| c.is_ascii_hexdigit() || *c == '-').count();
	digits > 0
		&& (word.starts_with("0x")
			|| word.parse::<f64>().is_ok()
			|| word.len() >= 8 && hexadecimal == word.len())
}

#[cfg(test)]
mod tests {
	use proptest::prelude::*;

	use super::*;

	fn guess(one: &[u8], other: &[u8]) -> Hint {
		let at = one.iter().zip(other).take_while(|(one, other)| one == other).count();
		hint(one, other, at, true)
	}

	#[test]
	fn usual_causes_are_recognised() {
		for (one, other, expected) in [
			("run at 2026-11-22 20:31:07\n", "run at 2026-11-22 20:31:09\n", Hint::Dates),
			("Sun Nov 22 20:31:07 UTC", "Sun Nov 22 20:31:08 UTC", Hint::Dates),
			("t=1795379467", "t=1795379468", Hint::Dates),
			("1795379467.25", "1795379467.5", Hint::Dates),
			("elapsed 0.25", "elapsed 0.31", Hint::Dates),
			("/CreationDate (D:1)", "/CreationDate (D:2)", Hint::Dates),
			("b\na\nc\n", "a\nb\nc\n", Hint::Unordered),
			("sum 0.12345678901", "sum 0.12345678902", Hint::Threads),
			("mean,1.00000001e-5", "mean,1.00000002e-5", Hint::Threads),
			("pick 17", "pick 4211", Hint::Randomness),
			("at 0x7ffd12aa", "at 0x7ffc99b0", Hint::Randomness),
			("id 6fa459ea-ee8a-3ca4", "id 16fd2706-8baf-433b", Hint::Randomness),
			("left", "right", Hint::Unknown),
			("", "x", Hint::Unknown),
		] {
			assert_eq!(guess(one.as_bytes(), other.as_bytes()), expected, "{one} | {other}");
		}
	}

	#[test]
	fn times_in_headers_are_recognised() {
		let gzip = |time: u8| [0x1f, 0x8b, 8, 0, time, 2, 3, 4, 0, 3, 1, 1];
		assert_eq!(guess(&gzip(1), &gzip(2)), Hint::Dates);
		let zip = |time: u8| [b"xxPK\x03\x04\x14\0\0\0\x08\0", &[time, 0, 0, 0][..]].concat();
		assert_eq!(guess(&zip(1), &zip(2)), Hint::Dates);
		let png =
			|second: u8| [b"\x89PNG\0\0\0\x07tIME\x07\xea\x0b\x16\x14\x1f", &[second][..]].concat();
		assert_eq!(guess(&png(1), &png(2)), Hint::Dates);
	}

	proptest! {
		#[test]
		fn any_bytes_have_a_hint(
			one in proptest::collection::vec(any::<u8>(), 0..600),
			other in proptest::collection::vec(any::<u8>(), 0..600),
		) {
			guess(&one, &other);
		}
	}
}
