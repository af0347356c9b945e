// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! One spelling for every enum that people read and type.

use core::fmt;

/// A word that names no variant of the enum asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName {
	/// What kind of thing was asked for, such as `architecture`.
	pub kind: &'static str,
	/// The words that would have been understood.
	pub expected: &'static [&'static str],
}

impl fmt::Display for UnknownName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "unknown {}: use one of ", self.kind)?;
		for (index, name) in self.expected.iter().enumerate() {
			if index > 0 {
				f.write_str(", ")?;
			}
			f.write_str(name)?;
		}
		Ok(())
	}
}

impl core::error::Error for UnknownName {}

/// Whether `typed` spells `name`; upper case and underscores are accepted, because people type them.
pub(crate) fn spells(typed: &str, name: &str) -> bool {
	typed.len() == name.len()
		&& typed.bytes().zip(name.bytes()).all(|(typed, name)| {
			let typed = if typed == b'_' { b'-' } else { typed.to_ascii_lowercase() };
			typed == name
		})
}

/// Gives a field-less enum its names: `ALL`, `NAMES`, `as_str`, `Display` and `FromStr`.
macro_rules! names {
	($type:ident, $kind:literal, { $($variant:ident => $name:literal),+ $(,)? }) => {
		impl $type {
			/// Every variant, in the order of its encoding.
			pub const ALL: &'static [Self] = &[$(Self::$variant),+];
			/// The spelling of every variant, in the order of [`Self::ALL`].
			pub const NAMES: &'static [&'static str] = &[$($name),+];

			/// The spelling used by the command line, configuration files and logs.
			pub const fn as_str(self) -> &'static str {
				match self { $(Self::$variant => $name),+ }
			}
		}

		impl core::fmt::Display for $type {
			fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
				f.pad(self.as_str())
			}
		}

		impl core::str::FromStr for $type {
			type Err = $crate::text::UnknownName;

			fn from_str(typed: &str) -> Result<Self, Self::Err> {
				Self::ALL
					.iter()
					.copied()
					.find(|variant| $crate::text::spells(typed, variant.as_str()))
					.ok_or($crate::text::UnknownName { kind: $kind, expected: Self::NAMES })
			}
		}
	};
}

pub(crate) use names;
