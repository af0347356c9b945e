// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Errors as a client sees them: a status and a body in the form of the distribution specification.

use crate::{
	access::Refusal, index::IndexError, manifest::ManifestError, names::NameError,
	store::StoreError,
};
use axum::{
	http::{header, HeaderName, HeaderValue, StatusCode},
	response::{IntoResponse, Response},
};
use std::io;

/// The codes of the specification's table of errors, and two for what it leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
	/// The blob is not in this repository.
	BlobUnknown,
	/// The upload cannot go on like this.
	BlobUploadInvalid,
	/// There is no such upload.
	BlobUploadUnknown,
	/// A digest is malformed or does not fit the content.
	DigestInvalid,
	/// A manifest names content that the repository lacks.
	ManifestBlobUnknown,
	/// The manifest cannot be taken.
	ManifestInvalid,
	/// The manifest is not in this repository.
	ManifestUnknown,
	/// The repository's name is outside the grammar.
	NameInvalid,
	/// There is no such repository.
	NameUnknown,
	/// A length does not fit the content, or a limit.
	SizeInvalid,
	/// A login is needed.
	Unauthorized,
	/// The account may not do this.
	Denied,
	/// The operation is not offered.
	Unsupported,
	/// Too much at once.
	TooManyRequests,
	/// Not in the table: the service cannot do this at the moment.
	Unavailable,
	/// Not in the table: a range or a parameter outside what is possible.
	RangeInvalid,
}

impl Code {
	/// The code as it stands in the body.
	pub fn as_str(self) -> &'static str {
		match self {
			Self::BlobUnknown => "BLOB_UNKNOWN",
			Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
			Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
			Self::DigestInvalid => "DIGEST_INVALID",
			Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
			Self::ManifestInvalid => "MANIFEST_INVALID",
			Self::ManifestUnknown => "MANIFEST_UNKNOWN",
			Self::NameInvalid => "NAME_INVALID",
			Self::NameUnknown => "NAME_UNKNOWN",
			Self::SizeInvalid => "SIZE_INVALID",
			Self::Unauthorized => "UNAUTHORIZED",
			Self::Denied => "DENIED",
			Self::Unsupported => "UNSUPPORTED",
			Self::TooManyRequests => "TOOMANYREQUESTS",
			Self::Unavailable => "UNAVAILABLE",
			Self::RangeInvalid => "RANGE_INVALID",
		}
	}
}

/// An answer that refuses a request.
#[derive(Debug)]
pub struct ApiError {
	/// The HTTP status.
	pub status: StatusCode,
	/// The specification's code.
	pub code: Code,
	/// What is wrong and what to do, for a person.
	pub message: String,
	headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
	/// An error without extra headers.
	pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
		Self { status, code, message: message.into(), headers: Vec::new() }
	}

	/// The same with a header; a value that no header can carry is left out.
	pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
		if let Ok(value) = HeaderValue::from_str(value) {
			self.headers.push((name, value));
		}
		self
	}

	/// 400 with this code.
	pub fn bad(code: Code, message: impl Into<String>) -> Self {
		Self::new(StatusCode::BAD_REQUEST, code, message)
	}

	/// 404 with this code.
	pub fn missing(code: Code, message: impl Into<String>) -> Self {
		Self::new(StatusCode::NOT_FOUND, code, message)
	}

	/// 403.
	pub fn denied(message: impl Into<String>) -> Self {
		Self::new(StatusCode::FORBIDDEN, Code::Denied, message)
	}

	/// 503, to be tried again.
	pub fn unavailable(message: impl Into<String>) -> Self {
		Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
			.with_header(header::RETRY_AFTER, "5")
	}

	/// 500. The cause goes to the log, not to the client.
	pub fn internal(cause: impl std::fmt::Display) -> Self {
		tracing::error!(target: "modicum::directory", %cause, "request failed");
		Self::new(
			StatusCode::INTERNAL_SERVER_ERROR,
			Code::Unavailable,
			"the directory failed to do this; its operator finds the cause in its log",
		)
	}

	/// 507: the disk or the quota of all accounts is full.
	pub fn full() -> Self {
		Self::new(
			StatusCode::INSUFFICIENT_STORAGE,
			Code::Unavailable,
			"the directory has no room left; try another trusted directory, or later",
		)
	}
}

impl IntoResponse for ApiError {
	fn into_response(self) -> Response {
		let body = serde_json::json!({
			"errors": [{ "code": self.code.as_str(), "message": self.message, "detail": {} }]
		});
		let mut response = (self.status, axum::Json(body)).into_response();
		for (name, value) in self.headers {
			response.headers_mut().insert(name, value);
		}
		response
	}
}

impl From<NameError> for ApiError {
	fn from(error: NameError) -> Self {
		let code = match error {
			NameError::Repository => Code::NameInvalid,
			NameError::Tag => Code::ManifestInvalid,
			NameError::Digest(_) => Code::DigestInvalid,
		};
		Self::bad(code, error.to_string())
	}
}

impl From<crate::digest::DigestError> for ApiError {
	fn from(error: crate::digest::DigestError) -> Self {
		Self::bad(Code::DigestInvalid, error.to_string())
	}
}

impl From<ManifestError> for ApiError {
	fn from(error: ManifestError) -> Self {
		let status = match error {
			ManifestError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
			_ => StatusCode::BAD_REQUEST,
		};
		Self::new(status, Code::ManifestInvalid, error.to_string())
	}
}

impl From<Refusal> for ApiError {
	fn from(refusal: Refusal) -> Self {
		match refusal {
			Refusal::Denied(reason) => Self::denied(reason),
			Refusal::Unavailable(reason) => Self::unavailable(reason),
		}
	}
}

impl From<io::Error> for ApiError {
	fn from(error: io::Error) -> Self {
		match error.kind() {
			io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::full(),
			_ => Self::internal(error),
		}
	}
}

impl From<StoreError> for ApiError {
	fn from(error: StoreError) -> Self {
		match error {
			StoreError::Io(error) => error.into(),
			StoreError::Missing(digest) => {
				Self::internal(format!("the index knows {digest} and the store does not"))
			},
			StoreError::Backend(error) => {
				tracing::error!(target: "modicum::directory", %error, "the object store failed");
				Self::unavailable("the directory's object store does not answer; try again")
			},
		}
	}
}

impl From<IndexError> for ApiError {
	fn from(error: IndexError) -> Self {
		let message = error.to_string();
		match error {
			IndexError::BlobUnknown(_) => Self::missing(Code::BlobUnknown, message),
			IndexError::ManifestUnknown => Self::missing(Code::ManifestUnknown, message),
			IndexError::ManifestBlobUnknown(_) => Self::missing(Code::ManifestBlobUnknown, message),
			IndexError::SizeMismatch { .. } => Self::bad(Code::SizeInvalid, message),
			IndexError::TagTaken { .. } | IndexError::StillReferenced(_) => {
				Self::new(StatusCode::CONFLICT, Code::Denied, message)
			},
			IndexError::AccountQuota { .. }
			| IndexError::RepositoryLimit { .. }
			| IndexError::ObjectQuota { .. } => Self::denied(message),
			IndexError::TotalQuota => Self::full(),
			IndexError::Full => Self::full(),
			IndexError::Stopped => Self::unavailable(message),
			IndexError::Database(cause) => Self::internal(cause),
		}
	}
}
