// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Halving an interval until no number is left between its ends.

/// The greatest number of `[low, high]` with `holds`, up to rounding, if `holds` is true from `low`
/// up to some point and false from there on. Returns `low` where it holds nowhere.
pub(crate) fn last_that<E>(
	mut low: f64,
	mut high: f64,
	mut holds: impl FnMut(f64) -> Result<bool, E>,
) -> Result<f64, E> {
	loop {
		let middle = low + (high - low) / 2.0;
		if middle <= low || middle >= high {
			return Ok(low);
		}
		if holds(middle)? {
			low = middle;
		} else {
			high = middle;
		}
	}
}
