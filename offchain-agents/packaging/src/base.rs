// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From the name of a base image to what offers name it by.

use modicum_executor::{docker::BaseImage, Digest};

use crate::error::{PackagingError, Result};

/// What the scripts in docker/bases tag their images with, before the name.
const TAG_PREFIX: &str = "localhost/modicum-base/";

/// The ChainID of the base that `base` names: one of `bases` by the name that its script gave it, or any by
/// `sha256:` and its ChainID, which need not be installed here.
///
/// # Errors
/// [`PackagingError::BaseMissing`], with the command that makes the base.
pub fn resolve_base(bases: &[BaseImage], base: &str) -> Result<Digest> {
	resolve(bases.iter().map(|image| (&image.tags[..], image.chain_id)), base)
}

fn resolve<'a>(bases: impl Iterator<Item = (&'a [String], Digest)>, base: &str) -> Result<Digest> {
	if let Ok(chain_id) = base.parse() {
		return Ok(chain_id);
	}
	let mut installed = Vec::new();
	for (tags, chain_id) in bases {
		for name in tags.iter().filter_map(|tag| base_name(tag)) {
			if name == base {
				return Ok(chain_id);
			}
			installed.push(name.to_owned());
		}
	}
	installed.sort();
	Err(PackagingError::BaseMissing { name: base.into(), remedy: remedy(base), installed })
}

/// The base's name in an image's tag.
fn base_name(tag: &str) -> Option<&str> {
	tag.strip_prefix(TAG_PREFIX)?.strip_suffix(":latest")
}

/// The command that makes and installs the base called `name`.
fn remedy(name: &str) -> String {
	let make = match name {
		"busybox" => "docker/bases/busybox.sh base.tar".into(),
		"debian" => "sudo docker/bases/debian.sh base.tar".into(),
		other => format!("sudo MODICUM_BASE_NAME={other} docker/bases/debian.sh base.tar PACKAGE…"),
	};
	format!("{make} && docker load -i base.tar")
}

/// Whether `text` can name a base: the name of an image, or `sha256:` and a ChainID.
pub(crate) fn is_base(text: &str) -> bool {
	let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
	let is_name = text.len() <= 100
		&& text.bytes().all(|byte| plain(byte) || b"-._".contains(&byte))
		&& text.bytes().next().is_some_and(plain)
		&& text.bytes().last().is_some_and(plain);
	is_name || text.parse::<Digest>().is_ok()
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn a_base_is_found_by_its_name_or_its_chain_id() {
		let tags = |name: &str| vec![format!("localhost/modicum-base/{name}:latest")];
		let installed = [(tags("debian"), Digest([1; 32])), (tags("busybox"), Digest([2; 32]))];
		let bases = || installed.iter().map(|(tags, id)| (&tags[..], *id));
		assert_eq!(resolve(bases(), "busybox").unwrap(), Digest([2; 32]));
		let other = Digest([3; 32]);
		assert_eq!(resolve(bases(), &other.to_string()).unwrap(), other);
		let missing = resolve(bases(), "python").unwrap_err().to_string();
		assert!(missing.contains("MODICUM_BASE_NAME=python docker/bases/debian.sh"), "{missing}");
		assert!(missing.contains("installed are: busybox, debian"), "{missing}");
		let missing = resolve([].into_iter(), "busybox").unwrap_err().to_string();
		assert!(missing.contains("docker/bases/busybox.sh base.tar && docker load"), "{missing}");
	}

	#[test]
	fn names_of_bases_are_harmless() {
		for good in ["busybox", "debian-12", "a.b_c", &Digest([7; 32]).to_string()] {
			assert!(is_base(good), "{good}");
		}
		for bad in ["", "-a", "a-", "A", "a/b", "a b", "a;b", "sha256:abc"] {
			assert!(!is_base(bad), "{bad}");
		}
	}
}
