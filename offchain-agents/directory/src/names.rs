// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Names of repositories and tags, as the OCI distribution specification spells them, and what a
//! repository's name says about who it belongs to.

use crate::{account::AccountId, digest::Digest};
use std::{fmt, str::FromStr};

/// The longest repository name taken: what clients leave of 255 characters after a host name is less.
pub const MAX_NAME_LEN: usize = 255;
/// The longest tag of the specification.
pub const MAX_TAG_LEN: usize = 128;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
	/// A repository name outside the grammar.
	#[error(
		"a repository name has at most {MAX_NAME_LEN} characters in parts separated by '/', each of \
		 lower-case letters and digits, joined by '.', '_', '__' or dashes"
	)]
	Repository,
	/// A tag outside the grammar.
	#[error(
		"a tag has at most {MAX_TAG_LEN} letters, digits, '_', '.' and '-', and starts with none of \
		 the last two"
	)]
	Tag,
	/// Meant as a digest, but none.
	#[error("{0}")]
	Digest(#[from] crate::digest::DigestError),
}

/// A repository's name, within the grammar of the specification: one or more parts, so that it can
/// hold no `..`, no empty part and nothing that a file system or a URL would read otherwise.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(String);

/// What a repository holds and whose it is, read from its name (docs/directory.md, Names).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespace {
	/// `bases/<chain id>`: a base image, readable by everyone.
	Bases,
	/// `jobs/<job creator>/<name>`: a job. It exists before its offer does, so the name is free.
	Job {
		/// The account whose namespace this is.
		creator: AccountId,
	},
	/// `results/<resource provider>/<match>`: what the provider's run gave.
	Result {
		/// The account whose namespace this is.
		provider: AccountId,
		/// The match's id on the chain.
		match_id: u64,
	},
	/// `mediations/<mediator>/<match>`: what the mediator's runs gave.
	Mediation {
		/// The account whose namespace this is.
		mediator: AccountId,
		/// The match's id on the chain.
		match_id: u64,
	},
	/// None of the market's names.
	Other,
}

impl RepositoryName {
	/// The name as text.
	pub fn as_str(&self) -> &str {
		&self.0
	}

	/// The repository for a creator's job.
	///
	/// # Errors
	/// [`NameError::Repository`] if `job` is not one part of a name.
	pub fn of_job(creator: &AccountId, job: &str) -> Result<Self, NameError> {
		if job.contains('/') {
			return Err(NameError::Repository);
		}
		format!("jobs/{}/{job}", creator.to_hex()).parse()
	}

	/// The repository for a provider's result of a match.
	pub fn of_result(provider: &AccountId, match_id: u64) -> Self {
		Self(format!("results/{}/{match_id}", provider.to_hex()))
	}

	/// The repository for a mediator's runs of a match.
	pub fn of_mediation(mediator: &AccountId, match_id: u64) -> Self {
		Self(format!("mediations/{}/{match_id}", mediator.to_hex()))
	}

	/// The repository for a base image, by its OCI ChainID.
	pub fn of_base(chain_id: &[u8; 32]) -> Self {
		Self(format!("bases/{}", hex::encode(chain_id)))
	}

	/// What the name says about content and owner.
	pub fn namespace(&self) -> Namespace {
		let parts: Vec<&str> = self.0.split('/').collect();
		// A second spelling of a number would be a second repository for the same match.
		let number = |text: &str| text.parse::<u64>().ok().filter(|n| n.to_string() == text);
		match parts[..] {
			["bases", _] => Namespace::Bases,
			["jobs", creator, _] => match AccountId::from_hex(creator) {
				Ok(creator) => Namespace::Job { creator },
				Err(_) => Namespace::Other,
			},
			["results", provider, id] => match (AccountId::from_hex(provider), number(id)) {
				(Ok(provider), Some(match_id)) => Namespace::Result { provider, match_id },
				_ => Namespace::Other,
			},
			["mediations", mediator, id] => match (AccountId::from_hex(mediator), number(id)) {
				(Ok(mediator), Some(match_id)) => Namespace::Mediation { mediator, match_id },
				_ => Namespace::Other,
			},
			_ => Namespace::Other,
		}
	}
}

/// One part: `[a-z0-9]+` joined by `.`, `_`, `__` or any number of dashes.
fn is_part(part: &str) -> bool {
	let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
	let bytes = part.as_bytes();
	let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
	if !alphanumeric(*first) || !alphanumeric(*last) {
		return false;
	}
	bytes
		.split(|b| alphanumeric(*b))
		.all(|joint| matches!(joint, b"" | b"." | b"_" | b"__") || joint.iter().all(|b| *b == b'-'))
}

impl FromStr for RepositoryName {
	type Err = NameError;

	fn from_str(text: &str) -> Result<Self, NameError> {
		let fits = text.len() <= MAX_NAME_LEN && text.split('/').all(is_part);
		if fits {
			Ok(Self(text.to_owned()))
		} else {
			Err(NameError::Repository)
		}
	}
}

impl fmt::Display for RepositoryName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.0)
	}
}

impl fmt::Debug for RepositoryName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.0)
	}
}

/// A tag: a name that people give to a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
	/// The tag as text.
	pub fn as_str(&self) -> &str {
		&self.0
	}
}

impl FromStr for Tag {
	type Err = NameError;

	fn from_str(text: &str) -> Result<Self, NameError> {
		let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
		let fits = text.len() <= MAX_TAG_LEN
			&& text.bytes().next().is_some_and(word)
			&& text.bytes().all(|b| word(b) || b == b'.' || b == b'-');
		if fits {
			Ok(Self(text.to_owned()))
		} else {
			Err(NameError::Tag)
		}
	}
}

/// How a request names a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
	/// By the digest of its bytes.
	Digest(Digest),
	/// By a tag.
	Tag(Tag),
}

impl From<Digest> for Reference {
	fn from(digest: Digest) -> Self {
		Self::Digest(digest)
	}
}

impl fmt::Display for Reference {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Digest(digest) => digest.fmt(f),
			Self::Tag(tag) => f.write_str(tag.as_str()),
		}
	}
}

impl FromStr for Reference {
	type Err = NameError;

	/// No tag has a colon and every digest has one, so a reference is never both.
	fn from_str(text: &str) -> Result<Self, NameError> {
		if text.contains(':') {
			Ok(Self::Digest(text.parse()?))
		} else {
			Ok(Self::Tag(text.parse()?))
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn names_of_one_to_many_parts_are_read() {
		for good in ["a", "0", "a/b", "a/b/c/d/e/f", "a.b", "a_b", "a__b", "a---b", "x1/y-2.z_3"] {
			assert_eq!(good.parse::<RepositoryName>().unwrap().as_str(), good);
		}
	}

	#[test]
	fn what_the_grammar_does_not_allow_is_refused() {
		let long = "a".repeat(256);
		for bad in [
			"", "/", "a/", "/a", "a//b", "..", "a/..", "a/../b", ".", "A", "aB", "a_", "_a",
			"a..b", "a___b", "a._b", "a b", "a%2fb", "a\\b", "a\0b", "ä", "-a", "a-/b", &long,
		] {
			assert_eq!(bad.parse::<RepositoryName>(), Err(NameError::Repository), "{bad}");
		}
	}

	#[test]
	fn tags_follow_their_own_grammar() {
		for good in ["latest", "_", "V1.0", "a-b", &"t".repeat(128)] {
			assert!(good.parse::<Tag>().is_ok(), "{good}");
		}
		for bad in ["", ".a", "-a", "a/b", "a:b", "a b", &"t".repeat(129)] {
			assert!(bad.parse::<Tag>().is_err(), "{bad}");
		}
	}

	#[test]
	fn a_name_tells_whose_it_is() {
		let account = AccountId([7; 32]);
		assert_eq!(
			RepositoryName::of_job(&account, "render-1").unwrap().namespace(),
			Namespace::Job { creator: account }
		);
		assert_eq!(
			RepositoryName::of_result(&account, 12).namespace(),
			Namespace::Result { provider: account, match_id: 12 }
		);
		assert_eq!(
			RepositoryName::of_mediation(&account, 12).namespace(),
			Namespace::Mediation { mediator: account, match_id: 12 }
		);
		assert_eq!(RepositoryName::of_base(&[1; 32]).namespace(), Namespace::Bases);
		let second_spelling = format!("results/{}/012", account.to_hex());
		for other in ["jobs/x/y", "jobs", "results/a/b", second_spelling.as_str()] {
			assert_eq!(other.parse::<RepositoryName>().unwrap().namespace(), Namespace::Other);
		}
		assert!(RepositoryName::of_job(&account, "a/b").is_err());
		assert!(RepositoryName::of_job(&account, "..").is_err());
	}

	proptest! {
		/// Whatever is taken for a name can be put into a path without leaving its folder.
		#[test]
		fn no_name_climbs_out_of_its_folder(text in "[a-z./_A-Z-]{0,40}") {
			if let Ok(name) = text.parse::<RepositoryName>() {
				prop_assert!(name.as_str().split('/').all(|p| !p.is_empty() && !p.starts_with('.')));
			}
		}
	}
}
