// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The operator's listener: metrics, status, collection, and reading everything for an export. It asks
//! for no login, so it listens on a loopback address unless the operator decides otherwise.

use super::{empty, Answer, Shared};
use crate::{
	account::AccountId,
	digest::Digest,
	error::{ApiError, Code},
	index::RepositoryContents,
	service::Directory,
	upkeep::{Collected, Scrubbed},
};
use axum::{
	body::Body,
	extract::{Path, Query, State},
	http::{header, StatusCode},
	response::IntoResponse,
	routing::{get, post},
	Json, Router,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Repositories of one page of the catalogue.
const PAGE: usize = 100;

/// How a directory is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
	/// Its id.
	pub directory: String,
	/// Its account.
	pub account: AccountId,
	/// Since when the process is up, milliseconds since the Unix epoch.
	pub up_since: u64,
	/// Bytes of all different blobs.
	pub stored_bytes: u64,
	/// Number of different blobs, manifests included.
	pub stored_blobs: u64,
	/// Bytes that may be stored in all.
	pub total_bytes: u64,
	/// Blobs found damaged and not mended.
	pub damaged_blobs: u64,
	/// Uploads on their way.
	pub open_uploads: u64,
	/// The last heartbeat's number.
	pub last_heartbeat: Option<u64>,
}

pub(super) fn router(directory: Arc<Directory>) -> Router {
	Router::new()
		.route("/healthz", get(super::health))
		.route("/metrics", get(metrics))
		.route("/status", get(status))
		.route("/collect", post(collect))
		.route("/scrub", post(scrub))
		.route("/catalog", get(catalog))
		.route("/blobs/{digest}", get(blob))
		.with_state(directory)
}

fn read_status(directory: &Directory) -> Result<Status, ApiError> {
	Ok(directory.index.read(|reader| {
		let (stored_bytes, stored_blobs) = reader.stored()?;
		Ok(Status {
			directory: directory.desk.realm().directory.clone(),
			account: directory.account(),
			up_since: directory.up_since,
			stored_bytes,
			stored_blobs,
			total_bytes: directory.config.limits.total_bytes,
			damaged_blobs: reader.damaged()?,
			open_uploads: directory.uploads.count() as u64,
			last_heartbeat: reader.heartbeat_bounds()?.map(|(_, last)| last),
		})
	})?)
}

async fn status(State(directory): Shared) -> Result<Json<Status>, ApiError> {
	read_status(&directory).map(Json)
}

async fn metrics(State(directory): Shared) -> Answer {
	let status = read_status(&directory)?;
	let figures = &directory.metrics;
	let gauge = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
	figures.stored_bytes.set(gauge(status.stored_bytes));
	figures.stored_blobs.set(gauge(status.stored_blobs));
	figures.damaged_blobs.set(gauge(status.damaged_blobs));
	figures.uploads.set(gauge(status.open_uploads));
	let text = figures.render();
	Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}

async fn collect(State(directory): Shared) -> Result<Json<Collected>, ApiError> {
	directory.collect(true).await.map(Json).map_err(ApiError::internal)
}

async fn scrub(State(directory): Shared) -> Result<Json<Scrubbed>, ApiError> {
	directory.scrub(0).await.map(Json).map_err(ApiError::internal)
}

#[derive(Deserialize)]
struct CatalogQuery {
	#[serde(default)]
	last: String,
}

async fn catalog(
	State(directory): Shared,
	Query(query): Query<CatalogQuery>,
) -> Result<Json<Vec<RepositoryContents>>, ApiError> {
	Ok(Json(directory.index.read(|reader| {
		reader
			.repositories(&query.last, PAGE)?
			.into_iter()
			.map(|(name, record)| reader.contents(&name, record))
			.collect()
	})?))
}

async fn blob(State(directory): Shared, Path(digest): Path<String>) -> Answer {
	let digest: Digest = digest.parse()?;
	let Some(size) = directory.index.read(|reader| reader.blob_size(&digest))? else {
		return Err(ApiError::missing(Code::BlobUnknown, "there is no such blob"));
	};
	let mut response = empty(StatusCode::OK, &[(header::CONTENT_LENGTH, &size.to_string())]);
	*response.body_mut() = Body::from_stream(directory.store.read(&digest, 0..size).await?);
	Ok(response)
}
