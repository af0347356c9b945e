// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Downloads and deletion of blobs.

use super::{auth::authorize, empty, Answer, Call, CONTENT_DIGEST};
use crate::{
	access::Action,
	digest::Digest,
	error::{ApiError, Code},
	names::RepositoryName,
	ranges::{parse_range, Requested},
};
use axum::{
	body::Body,
	http::{header, StatusCode},
};

/// `GET` and `HEAD /v2/<name>/blobs/<digest>`
pub(super) async fn get(call: Call, name: RepositoryName, digest: Digest) -> Answer {
	authorize(&call, &name, Action::Pull).await?;
	let directory = &call.directory;
	let size = directory.index.read(|reader| reader.blob_in(&name, &digest))?;
	let asked = match call.header(header::RANGE) {
		Some(range) if !call.is_head() => parse_range(range, size),
		_ => Requested::Whole,
	};
	let (status, range) = match asked {
		Requested::Whole => (StatusCode::OK, 0..size),
		Requested::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
		Requested::Unsatisfiable => {
			return Err(ApiError::new(
				StatusCode::RANGE_NOT_SATISFIABLE,
				Code::RangeInvalid,
				format!("the blob has {size} bytes"),
			)
			.with_header(header::CONTENT_RANGE, &format!("bytes */{size}")));
		},
	};
	let mut response = empty(
		status,
		&[
			(header::CONTENT_TYPE, "application/octet-stream"),
			(header::CONTENT_LENGTH, &(range.end - range.start).to_string()),
			(header::ACCEPT_RANGES, "bytes"),
			(header::ETAG, &format!("\"{digest}\"")),
			(header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
			(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
			(CONTENT_DIGEST, &digest.to_string()),
		],
	);
	if status == StatusCode::PARTIAL_CONTENT {
		let value = format!("bytes {}-{}/{size}", range.start, range.end - 1);
		let value = value.parse().map_err(ApiError::internal)?;
		response.headers_mut().insert(header::CONTENT_RANGE, value);
	}
	if !call.is_head() {
		directory.metrics.bytes_out.inc_by(range.end - range.start);
		*response.body_mut() = Body::from_stream(directory.store.read(&digest, range).await?);
	}
	Ok(response)
}

/// `DELETE /v2/<name>/blobs/<digest>`
pub(super) async fn delete(call: Call, name: RepositoryName, digest: Digest) -> Answer {
	authorize(&call, &name, Action::Delete).await?;
	call.directory.index.write(move |changes| changes.unlink_blob(&name, &digest)).await?;
	Ok(empty(StatusCode::ACCEPTED, &[]))
}
