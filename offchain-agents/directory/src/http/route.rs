// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Paths of the registry protocol. A repository's name has any number of parts, so a path is read from
//! its end.

use crate::{
	digest::Digest,
	error::{ApiError, Code},
	names::{Reference, RepositoryName},
};

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
	/// `/v2/`
	Base,
	/// `/v2/<name>/blobs/<digest>`
	Blob(RepositoryName, Digest),
	/// `/v2/<name>/blobs/uploads/`
	Uploads(RepositoryName),
	/// `/v2/<name>/blobs/uploads/<id>`
	Upload(RepositoryName, String),
	/// `/v2/<name>/manifests/<tag or digest>`
	Manifest(RepositoryName, Reference),
	/// `/v2/<name>/tags/list`
	Tags(RepositoryName),
	/// `/v2/<name>/referrers/<digest>`
	Referrers(RepositoryName, Digest),
}

impl Endpoint {
	/// Reads a path.
	///
	/// # Errors
	/// 404 for a path of no such form, 400 for a name, tag or digest outside its grammar.
	pub fn parse(path: &str) -> Result<Self, ApiError> {
		let unknown = || ApiError::missing(Code::Unsupported, "there is nothing at this path");
		let rest = path.strip_prefix("/v2").ok_or_else(unknown)?;
		let rest = match rest {
			"" | "/" => return Ok(Self::Base),
			rest => rest.strip_prefix('/').ok_or_else(unknown)?,
		};
		let (front, last) = rest.rsplit_once('/').ok_or_else(unknown)?;
		// Clients may escape the colon of a digest; nothing else in a path needs escaping.
		let last = last.replace("%3A", ":").replace("%3a", ":");
		if let Some(name) = front.strip_suffix("/blobs/uploads") {
			return match last.as_str() {
				"" => Ok(Self::Uploads(name.parse()?)),
				id => Ok(Self::Upload(name.parse()?, id.to_owned())),
			};
		}
		let (name, kind) = front.rsplit_once('/').ok_or_else(unknown)?;
		match (kind, last.as_str()) {
			("blobs", "uploads") => Ok(Self::Uploads(name.parse()?)),
			("blobs", digest) => Ok(Self::Blob(name.parse()?, digest.parse()?)),
			("manifests", reference) => Ok(Self::Manifest(name.parse()?, reference.parse()?)),
			("tags", "list") => Ok(Self::Tags(name.parse()?)),
			("referrers", digest) => Ok(Self::Referrers(name.parse()?, digest.parse()?)),
			_ => Err(unknown()),
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn names_of_any_length_are_told_from_what_follows() {
		let digest = Digest::of(b"x");
		let name = |text: &str| text.parse::<RepositoryName>().unwrap();
		let cases = [
			("/v2".to_owned(), Endpoint::Base),
			("/v2/".to_owned(), Endpoint::Base),
			(format!("/v2/a/blobs/{digest}"), Endpoint::Blob(name("a"), digest)),
			(
				format!("/v2/a/b/c/blobs/{}", digest.to_string().replace(':', "%3A")),
				Endpoint::Blob(name("a/b/c"), digest),
			),
			("/v2/a/blobs/uploads/".to_owned(), Endpoint::Uploads(name("a"))),
			("/v2/a/blobs/uploads".to_owned(), Endpoint::Uploads(name("a"))),
			("/v2/a/b/blobs/uploads/id".to_owned(), Endpoint::Upload(name("a/b"), "id".into())),
			("/v2/blobs/blobs/uploads/".to_owned(), Endpoint::Uploads(name("blobs"))),
			("/v2/tags/list/tags/list".to_owned(), Endpoint::Tags(name("tags/list"))),
			(
				"/v2/a/manifests/v1".to_owned(),
				Endpoint::Manifest(name("a"), Reference::Tag("v1".parse().unwrap())),
			),
			(format!("/v2/a/referrers/{digest}"), Endpoint::Referrers(name("a"), digest)),
		];
		for (path, endpoint) in cases {
			assert_eq!(Endpoint::parse(&path).unwrap(), endpoint, "{path}");
		}
	}

	#[test]
	fn tricks_with_paths_lead_nowhere() {
		for (path, status) in [
			("/v1/", 404),
			("/v2x", 404),
			("/v2/a", 404),
			("/v2/a/b", 404),
			("/v2/a/tags/other", 404),
			("/v2//blobs/uploads/", 400),
			("/v2/../x/blobs/uploads/", 400),
			("/v2/a/%2e%2e/blobs/uploads/", 400),
			("/v2/A/tags/list", 400),
			("/v2/a/manifests/..", 400),
			("/v2/a/blobs/sha256:..", 400),
		] {
			assert_eq!(Endpoint::parse(path).unwrap_err().status.as_u16(), status, "{path}");
		}
	}
}
