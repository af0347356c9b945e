// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Why something was not done, in the kinds that an agent acts on differently.

use reqwest::{header, Response, StatusCode};
use std::{fmt, io, path::PathBuf, time::Duration};

/// The longest of what a registry says that is repeated to a person, characters.
const MAX_REASON: usize = 500;
/// The most of an error's body that is read, bytes.
const MAX_ERROR_BODY: usize = 16 * 1024;

/// Why a request to a directory was not done. `what` says what was asked of whom.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
	/// The endpoint is no URL of a registry, or the client cannot be set up for it.
	#[error("'{endpoint}' cannot be used as a directory: {reason}; give http:// or https://, host and port")]
	Endpoint {
		/// What was given.
		endpoint: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The directory answers and does not have it.
	#[error("{what}: not there ({reason}); it was never uploaded, is under another name, or was removed")]
	NotFound {
		/// What was asked of whom.
		what: String,
		/// What the directory says.
		reason: String,
	},
	/// The account may not do this, is over its quota, or the login is not accepted.
	#[error("{what}: refused ({reason}); use an account that may do this, or ask the directory's operator")]
	Denied {
		/// What was asked of whom.
		what: String,
		/// What the directory says.
		reason: String,
	},
	/// The directory served something else than what the digest names. It was not kept.
	#[error(
		"{what}: expected {expected}, the directory served {found}; do not use it, \
		 fetch it from elsewhere and do not trust this directory with more"
	)]
	WrongContent {
		/// What was asked of whom.
		what: String,
		/// The digest or length asked for.
		expected: String,
		/// The digest or length served.
		found: String,
	},
	/// More than the directory takes, or more than the caller would take.
	#[error("{what}: too large ({reason}); make it smaller, or raise the limit that was passed")]
	TooLarge {
		/// What was asked of whom.
		what: String,
		/// Which limit.
		reason: String,
	},
	/// The directory understood the request and does not take it: malformed, or in conflict with what
	/// is there. The same request would be refused again.
	#[error("{what}: not accepted ({reason}); change the request, repeating it does not help")]
	Refused {
		/// What was asked of whom.
		what: String,
		/// What the directory says.
		reason: String,
	},
	/// The directory was not reached, did not answer, broke off or has no room, after every attempt.
	#[error("{what}: unavailable ({reason}); use another trusted directory, or try again later")]
	Unavailable {
		/// What was asked of whom.
		what: String,
		/// What came of the last attempt.
		reason: String,
	},
	/// A file of this machine.
	#[error("{path}: {source}; look at the file, its folder's permissions and the free space")]
	Local {
		/// Which file.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
}

impl ClientError {
	/// Whether the directory is at fault for not answering, so that another one, or later, is worth a try.
	pub fn is_unavailable(&self) -> bool {
		matches!(self, Self::Unavailable { .. })
	}
}

/// How one attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
	/// For good.
	Final(ClientError),
	/// It may go better next time, not before `after` if the directory said so.
	Again {
		/// What happened.
		reason: String,
		/// The directory's `Retry-After`.
		after: Option<Duration>,
	},
	/// The directory is there, and asks to come back later because there are too many requests.
	TooMany {
		/// What it says.
		reason: String,
		/// Its `Retry-After`.
		after: Option<Duration>,
	},
}

impl From<ClientError> for Failure {
	fn from(error: ClientError) -> Self {
		Self::Final(error)
	}
}

impl Failure {
	/// A failure that may pass.
	pub(super) fn again(reason: impl fmt::Display) -> Self {
		Self::Again { reason: reason.to_string(), after: None }
	}

	/// A connection that failed or broke off.
	pub(super) fn broken(error: &reqwest::Error) -> Self {
		// The innermost cause says more than "error sending request".
		let mut innermost: &dyn std::error::Error = error;
		while let Some(source) = innermost.source() {
			innermost = source;
		}
		Self::again(innermost)
	}
}

/// What a registry says about a request that it does not do.
#[derive(Debug)]
pub(super) struct Refusal {
	pub(super) status: StatusCode,
	/// The specification's code, empty if the body has none.
	pub(super) code: String,
	message: String,
	after: Option<Duration>,
}

impl Refusal {
	/// Reads status and body.
	pub(super) async fn read(response: Response, patience: Duration) -> Self {
		let status = response.status();
		let after = response
			.headers()
			.get(header::RETRY_AFTER)
			.and_then(|text| text.to_str().ok()?.parse().ok())
			.map(Duration::from_secs);
		let body = tokio::time::timeout(patience, read_some(response)).await.unwrap_or_default();
		let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
		let text = |key: &str| json["errors"][0][key].as_str().unwrap_or_default().to_owned();
		Self { status, code: text("code"), message: text("message"), after }
	}

	/// What it says, for a person.
	pub(super) fn reason(&self) -> String {
		let status = self.status;
		// What a stranger sends must not move the cursor of a terminal.
		let said: String =
			self.message.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
		if said.is_empty() {
			status.to_string()
		} else {
			format!("{}: {said}", status.as_u16())
		}
	}

	/// What it means for the request, where the status alone decides.
	pub(super) fn into_failure(self, what: &str) -> Failure {
		let (what, reason) = (what.to_owned(), self.reason());
		Failure::Final(match self.status {
			StatusCode::NOT_FOUND => ClientError::NotFound { what, reason },
			StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
				ClientError::Denied { what, reason }
			},
			StatusCode::PAYLOAD_TOO_LARGE => ClientError::TooLarge { what, reason },
			StatusCode::INSUFFICIENT_STORAGE => ClientError::Unavailable { what, reason },
			StatusCode::TOO_MANY_REQUESTS => {
				return Failure::TooMany { reason, after: self.after };
			},
			StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
				return Failure::Again { reason, after: self.after };
			},
			status if status.is_server_error() => {
				return Failure::Again { reason, after: self.after };
			},
			_ => ClientError::Refused { what, reason },
		})
	}
}

async fn read_some(mut response: Response) -> Vec<u8> {
	let mut body = Vec::new();
	while let Ok(Some(chunk)) = response.chunk().await {
		let room = MAX_ERROR_BODY - body.len();
		body.extend_from_slice(&chunk[..chunk.len().min(room)]);
		if chunk.len() >= room {
			break;
		}
	}
	body
}
