// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Rules for paths that come from somebody else.

/// The parts of a path, without empty ones and `.`.
pub(crate) fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
	path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."))
}

/// Whether `path` is relative and has one spelling only: no empty, `.` or `..` parts.
pub(crate) fn is_plain_relative(path: &[u8]) -> bool {
	!path.contains(&0)
		&& path.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
}

/// Whether a symbolic link at `path` stays in the tree that `path` is relative to, whatever other such links lie on
/// its way: it is relative and climbs with `..` only at its start, where all parts are true folders.
pub(crate) fn stays_within(path: &[u8], target: &[u8]) -> bool {
	if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
		return false;
	}
	let depth = parts(path).count().saturating_sub(1);
	let climbs = parts(target).take_while(|part| *part == b"..").count();
	climbs <= depth && parts(target).skip(climbs).all(|part| part != b"..")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn links_within_are_told_from_links_out() {
		for (path, target, within) in [
			("a", "b", true),
			("a", "./b//c", true),
			("d/a", "../b", true),
			("d/e/a", "../../b", true),
			("a", "..", false),
			("d/a", "../../b", false),
			("d/a", "x/../../../b", false),
			("d/a", "x/../b", false),
			("a", "/etc/passwd", false),
			("a", "", false),
		] {
			assert_eq!(
				stays_within(path.as_bytes(), target.as_bytes()),
				within,
				"{path} -> {target}"
			);
		}
	}

	#[test]
	fn plain_relative_paths_have_one_spelling() {
		for good in ["a", "a/b", "...", "a b", "-"] {
			assert!(is_plain_relative(good.as_bytes()), "{good}");
		}
		for bad in ["", "/", "/a", "a/", "a//b", "./a", "a/..", "..", "a\0b"] {
			assert!(!is_plain_relative(bad.as_bytes()), "{bad}");
		}
	}
}
