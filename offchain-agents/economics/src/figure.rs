// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Numbers in reports for people.

/// A number with six significant digits; as a power of ten below 1e-6 and from 1e15 on.
pub(crate) fn figure(value: f64) -> String {
	const DIGITS: i32 = 6;
	let magnitude = value.abs();
	if magnitude == 0.0 {
		return "0".into();
	}
	if !(1e-6..1e15).contains(&magnitude) {
		return format!("{value:.5e}");
	}
	let whole = magnitude.log10().floor() as i32 + 1;
	let text = format!("{value:.*}", usize::try_from(DIGITS - whole).unwrap_or(0));
	if text.contains('.') {
		text.trim_end_matches('0').trim_end_matches('.').into()
	} else {
		text
	}
}

#[cfg(test)]
mod tests {
	use super::figure;

	#[test]
	fn figures_are_short_and_never_rounded_to_nothing() {
		for (value, text) in [
			(0.0, "0"),
			(100.0, "100"),
			(67.5, "67.5"),
			(-4_594.912_345, "-4594.91"),
			(1_234_567.8, "1234568"),
			(0.000_1, "0.0001"),
			(0.000_035_123_456_7, "0.0000351235"),
			(1e-300, "1.00000e-300"),
			(2.5e17, "2.50000e17"),
			(999_999.999, "1000000"),
		] {
			assert_eq!(figure(value), text);
		}
	}
}
