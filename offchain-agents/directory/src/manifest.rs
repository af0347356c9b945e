// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Manifests: what they must look like to be taken, and what they refer to.

use crate::digest::Digest;
use serde::{
	de::{
		value::MapAccessDeserializer, DeserializeSeed, Error as _, IntoDeserializer, MapAccess,
		Visitor,
	},
	Deserialize, Deserializer, Serialize,
};
use std::{collections::BTreeMap, fmt, marker::PhantomData};

/// The largest manifest taken, bytes: what the specification asks a registry to take at least.
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;
/// The most contents that one manifest may name.
pub const MAX_REFERENCES: usize = 4096;

/// An image or artifact of the OCI.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of manifests of the OCI.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's image, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's list of images.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
	/// Larger than [`MAX_MANIFEST_BYTES`].
	#[error("a manifest has at most {MAX_MANIFEST_BYTES} bytes; put data into layers")]
	TooLarge,
	/// No JSON of the expected shape.
	#[error("the manifest cannot be read: {0}")]
	Malformed(String),
	/// `schemaVersion` is not 2.
	#[error("only schemaVersion 2 is taken; push with a current client")]
	SchemaVersion,
	/// Neither header nor document tells the kind, or it is a kind not kept here.
	#[error(
		"the media type '{0}' is none of the OCI's or Docker's manifests and lists of manifests"
	)]
	MediaType(String),
	/// Header and document tell different kinds.
	#[error("Content-Type says '{header}' and the manifest's mediaType says '{document}': make them equal")]
	MediaTypesDiffer {
		/// The request's `Content-Type`.
		header: String,
		/// The document's `mediaType`.
		document: String,
	},
	/// Fields of the other kind are present: two readers could take it for two different things.
	#[error(
		"the manifest has the fields of an image and of a list of images, or misses its own: {0}"
	)]
	Confused(&'static str),
	/// More than [`MAX_REFERENCES`] contents named.
	#[error("a manifest names at most {MAX_REFERENCES} contents")]
	TooManyReferences,
}

/// How a manifest refers to content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
	/// The kind of content.
	pub media_type: String,
	/// Its digest.
	pub digest: Digest,
	/// Its length, bytes.
	pub size: u64,
	/// For a manifest that is an artifact: which kind.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub artifact_type: Option<String>,
	/// Free text.
	#[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
	pub annotations: BTreeMap<String, String>,
}

/// The document as it comes. A field given twice is an error of the parser, so that no two readers
/// can differ about it; fields that do not matter here are let through, as the specification asks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
	schema_version: u64,
	#[serde(default)]
	media_type: Option<String>,
	#[serde(default)]
	artifact_type: Option<String>,
	#[serde(default)]
	config: Option<Object<Descriptor>>,
	#[serde(default)]
	layers: Option<Vec<Object<Descriptor>>>,
	#[serde(default)]
	manifests: Option<Vec<Object<Descriptor>>>,
	#[serde(default)]
	fs_layers: Option<serde_json::Value>,
	#[serde(default)]
	subject: Option<Object<Descriptor>>,
	#[serde(default)]
	annotations: Option<BTreeMap<String, String>>,
}

/// The fields of a document and of a descriptor that a reader goes by.
const FIELDS: [&str; 12] = [
	"schemaVersion",
	"mediaType",
	"artifactType",
	"config",
	"layers",
	"manifests",
	"fsLayers",
	"subject",
	"annotations",
	"digest",
	"size",
	"data",
];

/// A JSON object with fields by their exact names. The derived parsers would also read an array, as the
/// fields in their order; and other readers, among them all of Docker's, take `Digest` for `digest`. What
/// two readers could take for two different things is refused.
#[derive(Debug)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		struct Fields<T>(PhantomData<T>);

		impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
			type Value = Object<T>;

			fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
				f.write_str("a JSON object")
			}

			fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
				T::deserialize(MapAccessDeserializer::new(ExactNames(fields))).map(Object)
			}
		}

		deserializer.deserialize_map(Fields(PhantomData))
	}
}

/// The fields of an object, none of which has the name of one of [`FIELDS`] in other letters.
struct ExactNames<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ExactNames<A> {
	type Error = A::Error;

	fn next_key_seed<K: DeserializeSeed<'de>>(
		&mut self,
		seed: K,
	) -> Result<Option<K::Value>, A::Error> {
		let Some(name) = self.0.next_key::<String>()? else { return Ok(None) };
		// The letters that Go folds into ASCII ones besides: U+017F and U+212A.
		let plain = name.replace('\u{17f}', "s").replace('\u{212a}', "k");
		match FIELDS.iter().find(|field| field.eq_ignore_ascii_case(&plain) && **field != name) {
			Some(field) => {
				Err(A::Error::custom(format!("a field is named '{field}' in other letters")))
			},
			None => seed.deserialize(name.into_deserializer()).map(Some),
		}
	}

	fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
		self.0.next_value_seed(seed)
	}
}

/// A manifest that may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
	/// What it is served as: one of the four constants of this module.
	pub media_type: String,
	/// Its artifact type; for an image without one the media type of its config, as the
	/// specification has it for referrers.
	pub artifact_type: Option<String>,
	/// Blobs it needs: config and layers.
	pub blobs: Vec<Descriptor>,
	/// Manifests it lists.
	pub manifests: Vec<Descriptor>,
	/// The manifest it is about, which need not exist.
	pub subject: Option<Descriptor>,
	/// Its annotations, which a list of referrers repeats.
	pub annotations: BTreeMap<String, String>,
}

impl Manifest {
	/// Reads a manifest that comes with the header `Content-Type: content_type`.
	///
	/// # Errors
	/// Whatever of [`ManifestError`] applies first.
	pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, ManifestError> {
		if bytes.len() > MAX_MANIFEST_BYTES {
			return Err(ManifestError::TooLarge);
		}
		let Object(document) = serde_json::from_slice::<Object<Document>>(bytes)
			.map_err(|e| ManifestError::Malformed(e.to_string().chars().take(200).collect()))?;
		if document.schema_version != 2 {
			return Err(ManifestError::SchemaVersion);
		}
		let header = content_type.map(|t| t.split(';').next().unwrap_or_default().trim());
		let media_type = match (header.filter(|h| !h.is_empty()), document.media_type.as_deref()) {
			(Some(header), Some(inner)) if header != inner => {
				return Err(ManifestError::MediaTypesDiffer {
					header: header.to_owned(),
					document: inner.to_owned(),
				});
			},
			(Some(kind), _) | (None, Some(kind)) => kind.to_owned(),
			(None, None) => String::new(),
		};
		Self::classify(document, media_type)
	}

	fn classify(document: Document, media_type: String) -> Result<Self, ManifestError> {
		if document.fs_layers.is_some() {
			return Err(ManifestError::Confused("fsLayers belongs to schema 1"));
		}
		let contents = |objects: Vec<Object<Descriptor>>| objects.into_iter().map(|Object(it)| it);
		let (blobs, manifests, default_artifact_type): (Vec<_>, Vec<_>, _) = match media_type
			.as_str()
		{
			OCI_MANIFEST | DOCKER_MANIFEST => {
				if document.manifests.is_some() {
					return Err(ManifestError::Confused("an image has no field 'manifests'"));
				}
				let Object(config) =
					document.config.ok_or(ManifestError::Confused("an image needs a config"))?;
				let config_type = config.media_type.clone();
				let layers =
					document.layers.ok_or(ManifestError::Confused("an image needs layers"))?;
				let blobs = std::iter::once(config).chain(contents(layers)).collect();
				(blobs, Vec::new(), Some(config_type))
			},
			OCI_INDEX | DOCKER_LIST => {
				if document.config.is_some() || document.layers.is_some() {
					return Err(ManifestError::Confused("a list has neither config nor layers"));
				}
				let manifests =
					document.manifests.ok_or(ManifestError::Confused("a list needs manifests"))?;
				(Vec::new(), contents(manifests).collect(), None)
			},
			_ => return Err(ManifestError::MediaType(media_type.chars().take(100).collect())),
		};
		if blobs.len() + manifests.len() > MAX_REFERENCES {
			return Err(ManifestError::TooManyReferences);
		}
		Ok(Self {
			media_type,
			artifact_type: document
				.artifact_type
				.filter(|t| !t.is_empty())
				.or(default_artifact_type),
			blobs,
			manifests,
			subject: document.subject.map(|Object(subject)| subject),
			annotations: document.annotations.unwrap_or_default(),
		})
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use serde_json::json;

	fn descriptor(kind: &str) -> serde_json::Value {
		json!({"mediaType": kind, "digest": Digest::of(b"x"), "size": 1})
	}

	fn image() -> serde_json::Value {
		json!({
			"schemaVersion": 2, "mediaType": OCI_MANIFEST,
			"config": descriptor("application/vnd.example+json"), "layers": [descriptor("a/b")],
		})
	}

	fn parse(
		document: &serde_json::Value,
		header: Option<&str>,
	) -> Result<Manifest, ManifestError> {
		Manifest::parse(document.to_string().as_bytes(), header)
	}

	#[test]
	fn an_image_names_its_blobs() {
		let manifest = parse(&image(), Some(OCI_MANIFEST)).unwrap();
		assert_eq!(manifest.blobs.len(), 2);
		assert_eq!(manifest.artifact_type.as_deref(), Some("application/vnd.example+json"));
		// The header's parameters say nothing, and either place alone is enough.
		assert!(parse(&image(), Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"))
			.is_ok());
		assert!(parse(&image(), None).is_ok());
		let mut bare = image();
		bare.as_object_mut().unwrap().remove("mediaType");
		assert!(parse(&bare, Some(OCI_MANIFEST)).is_ok());
		assert_eq!(parse(&bare, None), Err(ManifestError::MediaType(String::new())));
	}

	#[test]
	fn a_manifest_cannot_be_two_things() {
		let both = Err(ManifestError::MediaTypesDiffer {
			header: OCI_INDEX.into(),
			document: OCI_MANIFEST.into(),
		});
		assert_eq!(parse(&image(), Some(OCI_INDEX)), both);
		let mut confused = image();
		confused["manifests"] = json!([]);
		assert!(matches!(parse(&confused, None), Err(ManifestError::Confused(_))));
		let list =
			json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "layers": []});
		assert!(matches!(parse(&list, None), Err(ManifestError::Confused(_))));
		let mut schema1 = image();
		schema1["fsLayers"] = json!([]);
		assert!(matches!(parse(&schema1, None), Err(ManifestError::Confused(_))));
		let twice = image().to_string().replacen('{', "{\"layers\":[],", 1);
		assert!(matches!(
			Manifest::parse(twice.as_bytes(), None),
			Err(ManifestError::Malformed(_))
		));
	}

	#[test]
	fn what_readers_could_read_otherwise_is_refused() {
		let refused = |document: &serde_json::Value| {
			matches!(parse(document, Some(OCI_MANIFEST)), Err(ManifestError::Malformed(_)))
		};
		// An array of a descriptor's fields in their order.
		let listed = json!(["a/b", Digest::of(b"x"), 1, null, {}]);
		let (mut config, mut layer, mut subject) = (image(), image(), image());
		config["config"] = listed.clone();
		layer["layers"] = json!([listed]);
		subject["subject"] = listed.clone();
		assert!(refused(&config) && refused(&layer) && refused(&subject));
		let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [listed]});
		assert!(matches!(parse(&list, None), Err(ManifestError::Malformed(_))));
		// A field in other letters, at both levels.
		for name in ["Layers", "MANIFESTS", "mediatype", "artifactTYPE", "layer\u{17f}"] {
			let mut document = image();
			document[name] = json!([]);
			assert!(refused(&document), "{name}");
		}
		for name in ["Digest", "SIZE", "mediatype", "Data"] {
			let mut document = image();
			document["layers"][0][name] = json!(1);
			assert!(refused(&document), "{name}");
		}
		// Fields that nobody knows are let through.
		let mut extended = image();
		extended["Extension"] = json!(["anything"]);
		extended["layers"][0]["urls"] = json!(["https://example.org/"]);
		assert!(parse(&extended, None).is_ok());
	}

	#[test]
	fn bad_documents_are_named() {
		let mut old = image();
		old["schemaVersion"] = json!(1);
		assert_eq!(parse(&old, None), Err(ManifestError::SchemaVersion));
		let mut negative = image();
		negative["config"]["size"] = json!(-1);
		assert!(matches!(parse(&negative, None), Err(ManifestError::Malformed(_))));
		let mut many = image();
		many["layers"] = json!(vec![descriptor("a/b"); MAX_REFERENCES]);
		assert_eq!(parse(&many, None), Err(ManifestError::TooManyReferences));
		assert_eq!(
			Manifest::parse(&vec![b' '; MAX_MANIFEST_BYTES + 1], None),
			Err(ManifestError::TooLarge)
		);
		assert!(matches!(Manifest::parse(b"[1]", None), Err(ManifestError::Malformed(_))));
		// Deep nesting ends in the parser's own limit, not in the stack.
		let deep = "[".repeat(1_000_000);
		let nested = format!("{{\"schemaVersion\":2,\"x\":{deep}");
		assert!(matches!(
			Manifest::parse(nested.as_bytes(), None),
			Err(ManifestError::Malformed(_))
		));
	}
}
