// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Manifests, tags and referrers.

use super::{auth::authorize, empty, Answer, Call, CONTENT_DIGEST, RECEIPT_HEADER};
use crate::{
	access::Action,
	clock::now_ms,
	digest::Digest,
	error::{ApiError, Code},
	index::{ManifestRecord, NewManifest, Quota},
	manifest::{Manifest, ManifestError, MAX_MANIFEST_BYTES, OCI_INDEX},
	names::{Reference, RepositoryName, Tag},
	receipt::{Receipt, Stored},
	service::{idle_time, Directory},
	uploads::discard,
};
use axum::{
	body::Body,
	http::{header, HeaderName, StatusCode},
	response::{IntoResponse, Response},
	Json,
};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD, Engine as _};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::Deserialize;
use std::sync::Arc;

/// Tells a client that the directory understood the manifest's subject.
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// Tells a client by what a list of referrers was filtered.
const OCI_FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");
/// The most tags of one answer.
const MAX_TAGS: usize = 1_000;

/// `GET` and `HEAD /v2/<name>/manifests/<reference>`
pub(super) async fn get(call: Call, name: RepositoryName, reference: Reference) -> Answer {
	authorize(&call, &name, Action::Pull).await?;
	let directory = &call.directory;
	let (digest, record) = directory.index.read(|reader| reader.manifest(&name, &reference))?;
	let mut response = empty(
		StatusCode::OK,
		&[
			(header::CONTENT_TYPE, record.media_type.as_str()),
			(header::CONTENT_LENGTH, &record.size.to_string()),
			(header::ETAG, &format!("\"{digest}\"")),
			(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
			(CONTENT_DIGEST, &digest.to_string()),
		],
	);
	if !call.is_head() {
		directory.metrics.bytes_out.inc_by(record.size);
		let bytes = directory.store.read(&digest, 0..record.size).await?;
		*response.body_mut() = Body::from_stream(bytes);
	}
	Ok(response)
}

/// `PUT /v2/<name>/manifests/<reference>`
pub(super) async fn put(
	call: Call,
	body: Body,
	name: RepositoryName,
	reference: Reference,
) -> Answer {
	let allowed = authorize(&call, &name, Action::Push).await?;
	let content_type = call.header(header::CONTENT_TYPE).map(str::to_owned);
	let directory = call.directory.clone();
	let bytes = collect(body, &directory).await?;
	let manifest = Manifest::parse(&bytes, content_type.as_deref())?;
	let digest = Digest::of(&bytes);
	let tag = match reference {
		Reference::Tag(tag) => Some(tag),
		Reference::Digest(named) if named == digest => None,
		Reference::Digest(named) => {
			return Err(ApiError::bad(
				Code::DigestInvalid,
				format!("the manifest's digest is {digest}, not {named}"),
			));
		},
	};
	let subject = manifest.subject.as_ref().map(|s| s.digest);
	let now = now_ms();
	let content = manifest.blobs.iter().chain(&manifest.manifests);
	let stored = Stored {
		repository: name.to_string(),
		digest,
		size: bytes.len() as u64,
		content_size: content.fold(0, |sum: u64, d| sum.saturating_add(d.size)),
		account: allowed.account,
		stored_at: now,
	};
	let receipt = Receipt::sign(directory.desk.realm(), &directory.keypair, stored);
	let new = describe(manifest, digest, tag, bytes.len() as u64, receipt, &directory);
	let quota = directory.quota(&allowed.grant);
	// A task of its own: a client that goes away must not stop it between store and index.
	let task = store(directory.clone(), name.clone(), bytes, new, quota, now);
	let record = tokio::spawn(task).await.map_err(ApiError::internal)??;
	Ok(stored_answer(&name, &digest, subject, &record))
}

fn describe(
	manifest: Manifest,
	digest: Digest,
	tag: Option<Tag>,
	size: u64,
	receipt: Receipt,
	directory: &Directory,
) -> NewManifest {
	let mut children: Vec<Digest> =
		manifest.blobs.iter().chain(&manifest.manifests).map(|d| d.digest).collect();
	children.sort_unstable();
	children.dedup();
	NewManifest {
		digest,
		tag,
		may_move_tag: directory.config.mutable_tags,
		record: ManifestRecord {
			media_type: manifest.media_type,
			artifact_type: manifest.artifact_type,
			size,
			children,
			subject: manifest.subject.map(|s| s.digest),
			annotations: manifest.annotations,
			receipt,
		},
		blobs: manifest.blobs,
		manifests: manifest.manifests,
	}
}

async fn store(
	directory: Arc<Directory>,
	name: RepositoryName,
	bytes: Bytes,
	new: NewManifest,
	quota: Quota,
	now: u64,
) -> Result<ManifestRecord, ApiError> {
	let (digest, size) = (new.digest, bytes.len() as u64);
	let recorded = {
		let _storing = directory.locks.storing(&digest).await;
		let staged = directory.uploads.stage(bytes).await?;
		directory.store.publish(&staged, &digest, size).await?;
		directory.index.write(move |changes| changes.put_manifest(&name, new, &quota, now)).await
	};
	directory.metrics.bytes_in.inc_by(size);
	match recorded {
		Ok(record) => Ok(record),
		Err(refused) => {
			directory.discard_unknown(&digest).await?;
			Err(refused.into())
		},
	}
}

fn stored_answer(
	name: &RepositoryName,
	digest: &Digest,
	subject: Option<Digest>,
	record: &ManifestRecord,
) -> Response {
	let receipt =
		serde_json::to_vec(&record.receipt).expect("strings and numbers become JSON; qed");
	let (location, text) = (format!("/v2/{name}/manifests/{digest}"), digest.to_string());
	let receipt = URL_SAFE_NO_PAD.encode(receipt);
	let subject = subject.map(|s| s.to_string());
	let mut headers = vec![
		(header::LOCATION, location.as_str()),
		(CONTENT_DIGEST, text.as_str()),
		(RECEIPT_HEADER, receipt.as_str()),
	];
	if let Some(subject) = &subject {
		headers.push((OCI_SUBJECT, subject));
	}
	empty(StatusCode::CREATED, &headers)
}

/// Reads a manifest's body, as much of it as a manifest may have.
async fn collect(body: Body, directory: &Directory) -> Result<Bytes, ApiError> {
	let idle = idle_time(&directory.config);
	let mut frames = body.into_data_stream();
	let mut bytes = BytesMut::new();
	loop {
		let broken = |why: String| {
			ApiError::new(
				StatusCode::REQUEST_TIMEOUT,
				Code::ManifestInvalid,
				format!("the manifest broke off: {why}"),
			)
		};
		match tokio::time::timeout(idle, frames.next()).await {
			Err(_) => return Err(broken("nothing came for too long".into())),
			Ok(None) => return Ok(bytes.freeze()),
			Ok(Some(Err(error))) => return Err(broken(error.to_string())),
			Ok(Some(Ok(frame))) if bytes.len() + frame.len() > MAX_MANIFEST_BYTES => {
				discard(frames).await;
				return Err(ManifestError::TooLarge.into());
			},
			Ok(Some(Ok(frame))) => bytes.extend_from_slice(&frame),
		}
	}
}

/// `DELETE /v2/<name>/manifests/<reference>`: a digest deletes the manifest with its tags, a tag only
/// itself.
pub(super) async fn delete(call: Call, name: RepositoryName, reference: Reference) -> Answer {
	authorize(&call, &name, Action::Delete).await?;
	call.directory
		.index
		.write(move |changes| match reference {
			Reference::Digest(digest) => changes.delete_manifest(&name, &digest),
			Reference::Tag(tag) => changes.delete_tag(&name, &tag),
		})
		.await?;
	Ok(empty(StatusCode::ACCEPTED, &[]))
}

#[derive(Deserialize)]
struct TagsQuery {
	n: Option<usize>,
	last: Option<String>,
}

/// `GET /v2/<name>/tags/list`
pub(super) async fn tags(call: Call, name: RepositoryName) -> Answer {
	authorize(&call, &name, Action::Pull).await?;
	let query: TagsQuery = call.query()?;
	let n = query.n.unwrap_or(MAX_TAGS).min(MAX_TAGS);
	let (is_known, mut tags) = call.directory.index.read(|reader| {
		let tags = reader.tags(&name, query.last.as_deref(), n + 1)?;
		Ok((reader.repository(&name)?.is_some(), tags))
	})?;
	if !is_known {
		return Err(ApiError::missing(Code::NameUnknown, "there is no such repository"));
	}
	let more = tags.len() > n;
	tags.truncate(n);
	let link = tags
		.last()
		.filter(|_| more)
		.map(|(last, _)| format!("</v2/{name}/tags/list?n={n}&last={last}>; rel=\"next\""));
	let tags: Vec<String> = tags.into_iter().map(|(tag, _)| tag).collect();
	let mut response =
		Json(serde_json::json!({ "name": name.as_str(), "tags": tags })).into_response();
	if let Some(link) = link {
		let link = link.parse().map_err(ApiError::internal)?;
		response.headers_mut().insert(header::LINK, link);
	}
	Ok(response)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReferrersQuery {
	artifact_type: Option<String>,
}

/// `GET /v2/<name>/referrers/<digest>`
pub(super) async fn referrers(call: Call, name: RepositoryName, digest: Digest) -> Answer {
	authorize(&call, &name, Action::Pull).await?;
	let query: ReferrersQuery = call.query()?;
	let mut found = call.directory.index.read(|reader| reader.referrers(&name, &digest))?;
	let wanted = query.artifact_type.filter(|wanted| !wanted.is_empty());
	if let Some(wanted) = &wanted {
		found.retain(|descriptor| descriptor.artifact_type.as_ref() == Some(wanted));
	}
	let index = serde_json::json!({
		"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found,
	});
	let mut response = index.to_string().into_response();
	let headers = response.headers_mut();
	headers.extend(empty(StatusCode::OK, &[(header::CONTENT_TYPE, OCI_INDEX)]).headers().clone());
	if wanted.is_some() {
		headers.extend(empty(StatusCode::OK, &[(OCI_FILTERS, "artifactType")]).headers().clone());
	}
	Ok(response)
}
