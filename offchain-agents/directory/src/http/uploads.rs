// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Uploads of blobs: at once, in chunks, resumed, or mounted from another repository.

use super::{
	auth::{authorize, Allowed},
	empty, Answer, Call, CONTENT_DIGEST,
};
use crate::{
	access::{Action, Grant},
	clock::now_ms,
	digest::Digest,
	error::{ApiError, Code},
	names::RepositoryName,
	ranges::parse_content_range,
	service::{idle_time, Directory},
	uploads::{discard, Bounds, ReceiveError, StartError, Upload},
};
use axum::{
	body::Body,
	http::{header, HeaderName, StatusCode},
	response::Response,
};
use serde::Deserialize;
use std::sync::Arc;

/// The header in which older clients look for an upload's id.
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

#[derive(Deserialize)]
struct StartQuery {
	digest: Option<String>,
	mount: Option<String>,
	from: Option<String>,
}

#[derive(Deserialize)]
struct FinishQuery {
	digest: Option<String>,
}

impl From<ReceiveError> for ApiError {
	fn from(error: ReceiveError) -> Self {
		let message = error.to_string();
		match error {
			ReceiveError::Busy => Self::new(StatusCode::CONFLICT, Code::BlobUploadInvalid, message),
			ReceiveError::TooLarge(_) => {
				Self::new(StatusCode::PAYLOAD_TOO_LARGE, Code::SizeInvalid, message)
			},
			ReceiveError::Length { .. } => Self::bad(Code::SizeInvalid, message),
			ReceiveError::Broken(_) => {
				Self::new(StatusCode::REQUEST_TIMEOUT, Code::BlobUploadInvalid, message)
			},
			ReceiveError::Io(error) => error.into(),
		}
	}
}

impl From<StartError> for ApiError {
	fn from(error: StartError) -> Self {
		let message = error.to_string();
		match error {
			StartError::TooMany => {
				Self::new(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests, message)
					.with_header(header::RETRY_AFTER, "10")
			},
			StartError::Io(error) => error.into(),
		}
	}
}

/// `POST /v2/<name>/blobs/uploads/`, with `?digest=` for a whole blob at once, with `?mount=&from=` to
/// take one from another repository.
pub(super) async fn start(call: Call, body: Body, name: RepositoryName) -> Answer {
	let query: StartQuery = call.query()?;
	let allowed = authorize(&call, &name, Action::Push).await?;
	if let Some(mount) = &query.mount {
		let digest: Digest = mount.parse()?;
		if let Some(from) = &query.from {
			if let Some(answer) = mount_blob(&call, &allowed, from, &name, digest).await? {
				return Ok(answer);
			}
		}
	}
	let digest = query.digest.as_deref().map(str::parse::<Digest>).transpose()?;
	let directory = call.directory.clone();
	let Allowed { account, grant } = allowed;
	let uploads = &directory.uploads;
	let upload = uploads.start(&name, account, &grant, digest.is_none()).await?;
	directory.metrics.uploads.set(uploads.count() as i64);
	let Some(digest) = digest else { return Ok(progress(StatusCode::ACCEPTED, &upload)) };
	// A task of its own: when the client goes away, this request is dropped with it, and nobody knows of
	// the upload to continue or cancel it.
	let task = async move {
		let received = receive(&directory, &upload, &grant, body, None).await;
		if let Err(error) = received {
			directory.uploads.cancel(&upload).await;
			directory.metrics.uploads.set(directory.uploads.count() as i64);
			return Err(error);
		}
		complete(&directory, &upload, &grant, digest).await
	};
	tokio::spawn(task).await.map_err(ApiError::internal)?
}

/// Mounts if the client may read the source and it holds the blob; else an upload is begun, as the
/// specification has it, so that nobody learns what others hold.
async fn mount_blob(
	call: &Call,
	allowed: &Allowed,
	from: &str,
	name: &RepositoryName,
	digest: Digest,
) -> Result<Option<Response>, ApiError> {
	let from: RepositoryName = from.parse()?;
	if authorize(call, &from, Action::Pull).await.is_err() {
		return Ok(None);
	}
	let quota = call.directory.quota(&allowed.grant);
	let to = name.clone();
	let mounted = call
		.directory
		.index
		.write(move |changes| changes.mount_blob(&from, &to, &digest, &quota, now_ms()))
		.await?;
	Ok(mounted.map(|_| created(name, &digest)))
}

/// `GET /v2/<name>/blobs/uploads/<id>`
pub(super) async fn status(call: Call, name: RepositoryName, id: &str) -> Answer {
	let (upload, _) = find(&call, &name, id).await?;
	Ok(progress(StatusCode::NO_CONTENT, &upload))
}

/// `PATCH /v2/<name>/blobs/uploads/<id>`
pub(super) async fn append(call: Call, body: Body, name: RepositoryName, id: &str) -> Answer {
	let (upload, allowed) = find(&call, &name, id).await?;
	let announced = announced(&call, &upload)?;
	receive(&call.directory, &upload, &allowed.grant, body, announced).await?;
	Ok(progress(StatusCode::ACCEPTED, &upload))
}

/// `PUT /v2/<name>/blobs/uploads/<id>?digest=`, with the whole blob, its last chunk or nothing.
pub(super) async fn finish(call: Call, body: Body, name: RepositoryName, id: &str) -> Answer {
	let query: FinishQuery = call.query()?;
	let (upload, allowed) = find(&call, &name, id).await?;
	let digest: Digest = query
		.digest
		.ok_or_else(|| ApiError::bad(Code::DigestInvalid, "end an upload with ?digest="))?
		.parse()?;
	let announced = announced(&call, &upload)?;
	receive(&call.directory, &upload, &allowed.grant, body, announced).await?;
	complete(&call.directory, &upload, &allowed.grant, digest).await
}

/// `DELETE /v2/<name>/blobs/uploads/<id>`
pub(super) async fn cancel(call: Call, name: RepositoryName, id: &str) -> Answer {
	let (upload, _) = find(&call, &name, id).await?;
	call.directory.uploads.cancel(&upload).await;
	call.directory.metrics.uploads.set(call.directory.uploads.count() as i64);
	Ok(empty(StatusCode::NO_CONTENT, &[]))
}

async fn find(
	call: &Call,
	name: &RepositoryName,
	id: &str,
) -> Result<(Arc<Upload>, Allowed), ApiError> {
	let allowed = authorize(call, name, Action::Push).await?;
	let upload = call.directory.uploads.get(name, id);
	// Another account's upload is as unknown as none.
	match upload.filter(|upload| upload.account == allowed.account) {
		Some(upload) => Ok((upload, allowed)),
		None => Err(ApiError::missing(
			Code::BlobUploadUnknown,
			"there is no such upload; it may have ended or expired; begin again",
		)),
	}
}

/// How many bytes the headers say that the body has. A chunk must begin where the upload stands.
fn announced(call: &Call, upload: &Upload) -> Result<Option<u64>, ApiError> {
	let length = call.header(header::CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
	let Some(range) = call.header(header::CONTENT_RANGE) else { return Ok(length) };
	let (first, last) = parse_content_range(range).ok_or_else(|| {
		ApiError::bad(Code::BlobUploadInvalid, "Content-Range is <first byte>-<last byte>")
	})?;
	if first != upload.offset() {
		let mut error = ApiError::new(
			StatusCode::RANGE_NOT_SATISFIABLE,
			Code::BlobUploadInvalid,
			format!("the next chunk begins at byte {}", upload.offset()),
		);
		for (name, value) in progress_headers(upload) {
			error = error.with_header(name, &value);
		}
		return Err(error);
	}
	// An inclusive range of all 64-bit numbers has one byte more than fits.
	let chunk = (last - first).saturating_add(1);
	match length {
		Some(length) if length != chunk => Err(ApiError::bad(
			Code::SizeInvalid,
			format!("Content-Range spans {chunk} bytes and Content-Length says {length}"),
		)),
		_ => Ok(Some(chunk)),
	}
}

async fn receive(
	directory: &Arc<Directory>,
	upload: &Arc<Upload>,
	grant: &Grant,
	body: Body,
	announced: Option<u64>,
) -> Result<(), ApiError> {
	let before = upload.offset();
	let room = room(directory, upload, grant)?;
	let max_bytes = directory.config.limits.blob_bytes.min(room);
	if announced.is_some_and(|n| before.saturating_add(n) > max_bytes) {
		discard(body.into_data_stream()).await;
		return Err(ReceiveError::TooLarge(max_bytes).into());
	}
	let bounds = Bounds { max_bytes, announced, idle: idle_time(&directory.config) };
	let received = directory.uploads.receive(upload, body, bounds).await;
	directory.metrics.bytes_in.inc_by(upload.offset().saturating_sub(before));
	Ok(received?)
}

/// How large the upload can become before a quota is passed, what else is on its way included. The
/// quotas are checked again, exactly, when the blob is recorded.
fn room(directory: &Directory, upload: &Upload, grant: &Grant) -> Result<u64, ApiError> {
	let limits = &directory.config.limits;
	let (used, stored, held) = directory.index.read(|reader| {
		let repository = reader.repository(&upload.repository)?;
		let owner = repository.as_ref().map_or(grant.owner, |r| r.owner);
		let held = repository.map_or(0, |r| r.bytes);
		Ok((reader.usage(&owner)?.0, reader.stored()?.0, held))
	})?;
	let staged = directory.uploads.staged_bytes(&upload.owner).saturating_sub(upload.offset());
	let account = limits.account_bytes.saturating_sub(used).saturating_sub(staged);
	let total = limits.total_bytes.saturating_sub(stored);
	let repository = grant.max_repository_bytes.map_or(u64::MAX, |max| max.saturating_sub(held));
	Ok(account.min(total).min(repository))
}

/// Ends an upload: the content must be what the digest says, then it is stored and recorded.
async fn complete(
	directory: &Arc<Directory>,
	upload: &Arc<Upload>,
	grant: &Grant,
	digest: Digest,
) -> Answer {
	let actual = directory.uploads.digest(upload).await?;
	if actual != digest {
		directory.uploads.cancel(upload).await;
		return Err(ApiError::bad(
			Code::DigestInvalid,
			format!("the content's digest is {actual}, not {digest}; the upload is dropped"),
		));
	}
	// A task of its own: a client that goes away must not stop it between store and index.
	let task = record(directory.clone(), upload.clone(), directory.quota(grant), digest);
	tokio::spawn(task).await.map_err(ApiError::internal)??;
	Ok(created(&upload.repository, &digest))
}

async fn record(
	directory: Arc<Directory>,
	upload: Arc<Upload>,
	quota: crate::index::Quota,
	digest: Digest,
) -> Result<(), ApiError> {
	let size = upload.offset();
	let recorded = {
		let _storing = directory.locks.storing(&digest).await;
		directory.store.publish(upload.path(), &digest, size).await?;
		let name = upload.repository.clone();
		directory
			.index
			.write(move |changes| changes.link_blob(&name, &digest, size, &quota, now_ms()))
			.await
	};
	directory.uploads.finish(&upload).await;
	directory.metrics.uploads.set(directory.uploads.count() as i64);
	if let Err(refused) = recorded {
		directory.discard_unknown(&digest).await?;
		return Err(refused.into());
	}
	Ok(())
}

fn progress(status: StatusCode, upload: &Upload) -> Response {
	let headers = progress_headers(upload);
	let headers: Vec<_> = headers.iter().map(|(n, v)| (n.clone(), v.as_str())).collect();
	empty(status, &headers)
}

fn progress_headers(upload: &Upload) -> [(HeaderName, String); 3] {
	let location = format!("/v2/{}/blobs/uploads/{}", upload.repository, upload.id);
	// The last byte that is there; nothing has no last byte, and clients expect 0-0 then.
	let range = format!("0-{}", upload.offset().saturating_sub(1));
	[(header::LOCATION, location), (header::RANGE, range), (UPLOAD_ID, upload.id.clone())]
}

fn created(name: &RepositoryName, digest: &Digest) -> Response {
	empty(
		StatusCode::CREATED,
		&[
			(header::LOCATION, &format!("/v2/{name}/blobs/{digest}")),
			(CONTENT_DIGEST, &digest.to_string()),
		],
	)
}
