// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Uploads of blobs: in chunks, each acknowledged, so that a broken connection costs one chunk.

use super::{
	error::{ClientError, Failure, Refusal},
	hash_file,
	send::{Outgoing, Patience, Source},
	Client,
};
use crate::{digest::Digest, names::RepositoryName};
use bytes::Bytes;
use reqwest::{
	header::{self, HeaderMap},
	Method, Response, StatusCode, Url,
};
use std::{io, ops::Range, path::Path, time::Duration};

/// What a registry is granted to store in a second when an upload ends, bytes.
const STORED_PER_SECOND: u64 = 8 * 1024 * 1024;

/// Where an upload stands.
struct Session {
	location: Url,
	/// The bytes that the registry has.
	offset: u64,
	/// Whether a request failed on the way, so that the registry must be asked for the offset.
	is_uncertain: bool,
}

/// An upload on its way.
struct Upload<'a> {
	client: &'a Client,
	repository: &'a RepositoryName,
	what: String,
	scope: String,
	source: Source,
	digest: Digest,
	size: u64,
	progress: &'a (dyn Fn(u64) + Send + Sync),
	session: Option<Session>,
	/// Whether a session was lost: its end may have come through unheard.
	has_lost_session: bool,
}

impl Client {
	/// Uploads a file as a blob, unless the repository has it. The file is read piece by piece, so memory
	/// does not grow with its size. A connection that breaks is made anew and the upload goes on from
	/// the last byte acknowledged; only `attempts` failures in a row without any progress end it.
	///
	/// `progress` is told how many bytes are on the other side, at the end `size`; it goes back when a
	/// connection broke. It is called often and must return soon. Dropping the future leaves nothing
	/// here, and there an upload that expires.
	///
	/// # Errors
	/// [`ClientError::Local`] also if the file is not of this size and digest; others as their
	/// descriptions say.
	pub async fn upload_blob(
		&self,
		repository: &RepositoryName,
		path: &Path,
		digest: &Digest,
		size: u64,
		progress: impl Fn(u64) + Send + Sync,
	) -> Result<(), ClientError> {
		let local = |source| ClientError::Local { path: path.to_owned(), source };
		let len = tokio::fs::metadata(path).await.map_err(local)?.len();
		if len != size {
			let problem = format!("has {len} bytes, not {size}");
			return Err(local(io::Error::new(io::ErrorKind::InvalidData, problem)));
		}
		self.upload(repository, Source::File(path.to_owned()), digest, size, &progress).await
	}

	/// Uploads what is in memory as a blob, unless the repository has it: configurations, reports.
	///
	/// # Errors
	/// As [`Self::upload_blob`].
	pub async fn upload_bytes(
		&self,
		repository: &RepositoryName,
		bytes: impl Into<Bytes>,
	) -> Result<Digest, ClientError> {
		let bytes = bytes.into();
		let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
		self.upload(repository, Source::Bytes(bytes), &digest, size, &|_| ()).await?;
		Ok(digest)
	}

	async fn upload(
		&self,
		repository: &RepositoryName,
		source: Source,
		digest: &Digest,
		size: u64,
		progress: &(dyn Fn(u64) + Send + Sync),
	) -> Result<(), ClientError> {
		// One token for all that an upload asks.
		let scope = format!("repository:{repository}:pull,push");
		let looking = self.what(&format!("looking for blob {digest} in {repository}"));
		let look = || self.blob_exists_once(repository, digest, &scope);
		if self.retrying(&looking, look).await? {
			progress(size);
			return Ok(());
		}
		let mut upload = Upload {
			client: self,
			repository,
			what: self.what(&format!("uploading blob {digest} to {repository}")),
			scope,
			source,
			digest: *digest,
			size,
			progress,
			session: None,
			has_lost_session: false,
		};
		let mut patience = Patience::new(&self.settings);
		let mut furthest = 0;
		loop {
			match upload.step().await {
				Ok(true) => {
					progress(size);
					return Ok(());
				},
				Ok(false) => {
					let offset = upload.session.as_ref().map_or(0, |session| session.offset);
					if offset > furthest {
						furthest = offset;
						patience.renew();
					}
				},
				Err(failure) => patience.after(&upload.what, failure).await?,
			}
		}
	}
}

impl Upload<'_> {
	/// One request further; true when the blob is there.
	async fn step(&mut self) -> Result<bool, Failure> {
		let Some(session) = &self.session else {
			if self.has_lost_session
				&& self.client.blob_exists_once(self.repository, &self.digest, &self.scope).await?
			{
				return Ok(true);
			}
			self.session = Some(self.begin().await?);
			return Ok(false);
		};
		if session.is_uncertain {
			let location = session.location.clone();
			self.session = self.ask(location).await?;
			self.has_lost_session |= self.session.is_none();
			return Ok(false);
		}
		let chunk = self.client.settings.chunk_bytes.max(1);
		if self.size - session.offset <= chunk {
			self.finish().await
		} else {
			self.append(chunk).await.map(|()| false)
		}
	}

	async fn begin(&self) -> Result<Session, Failure> {
		let url = self.client.url(&format!("/v2/{}/blobs/uploads/", self.repository));
		let request =
			Outgoing::new(self.client, Method::POST, url).header(header::CONTENT_LENGTH, "0");
		let response = self.client.send(&self.scope, &self.what, &request, &|_| ()).await?;
		if response.status() != StatusCode::ACCEPTED {
			return Err(self.client.unexpected(response, &self.what).await);
		}
		let location = self
			.location(&response)
			.ok_or_else(|| Failure::again("the registry began an upload and did not say where"))?;
		Ok(Session { location, offset: 0, is_uncertain: false })
	}

	/// Asks where the upload stands; `None` if it must begin anew.
	async fn ask(&self, location: Url) -> Result<Option<Session>, Failure> {
		let request = Outgoing::new(self.client, Method::GET, location.clone());
		let response = self.client.send(&self.scope, &self.what, &request, &|_| ()).await?;
		let status = response.status();
		if status.is_success() {
			let location = self.location(&response).unwrap_or(location);
			// 0-0 is what both nothing and a single byte look like.
			let offset = acknowledged(response.headers()).filter(|n| *n > 1 && *n <= self.size);
			return Ok(offset.map(|offset| Session { location, offset, is_uncertain: false }));
		}
		match self.client.unexpected(response, &self.what).await {
			// Gone, or unknown to a registry that was started again: 404, 400 or 416.
			Failure::Final(ClientError::NotFound { .. } | ClientError::Refused { .. }) => Ok(None),
			failure => Err(failure),
		}
	}

	/// Sends a chunk in the middle.
	async fn append(&mut self, chunk: u64) -> Result<(), Failure> {
		let offset = self.session_mut().offset;
		let end = offset + chunk;
		let location = self.session_mut().location.clone();
		let response = self.transfer(Method::PATCH, location, offset..end).await?;
		if response.status() != StatusCode::ACCEPTED {
			return Err(self.broken_session(response).await);
		}
		if acknowledged(response.headers()).is_some_and(|there| there != end) {
			return Err(Failure::again("the registry did not take the whole chunk"));
		}
		let location = self.location(&response);
		let session = self.session_mut();
		session.location = location.unwrap_or_else(|| session.location.clone());
		session.offset = end;
		session.is_uncertain = false;
		Ok(())
	}

	/// Sends the last chunk and ends the upload.
	async fn finish(&mut self) -> Result<bool, Failure> {
		let session = self.session_mut();
		let (offset, mut location) = (session.offset, session.location.clone());
		location.query_pairs_mut().append_pair("digest", &self.digest.to_string());
		let response = self.transfer(Method::PUT, location, offset..self.size).await?;
		if response.status() == StatusCode::CREATED {
			return Ok(true);
		}
		Err(self.broken_session(response).await)
	}

	/// Sends bytes; until the answer has been understood it is uncertain what of them arrived.
	async fn transfer(
		&mut self,
		method: Method,
		location: Url,
		range: Range<u64>,
	) -> Result<Response, Failure> {
		self.session_mut().is_uncertain = true;
		let mut request = Outgoing::new(self.client, method, location)
			.header(header::CONTENT_TYPE, "application/octet-stream");
		if range.is_empty() {
			request = request.header(header::CONTENT_LENGTH, "0");
		} else {
			let content_range = format!("{}-{}", range.start, range.end - 1);
			request = request.header(header::CONTENT_RANGE, &content_range);
			request.body = Some((self.source.clone(), range.clone()));
		}
		if request.method == Method::PUT {
			request.patience += Duration::from_secs(self.size / STORED_PER_SECOND);
		}
		let progress = |sent| (self.progress)(range.start + sent);
		self.client.send(&self.scope, &self.what, &request, &progress).await
	}

	/// What a refused chunk means. A registry that lost the upload is asked, or given it anew.
	async fn broken_session(&self, response: Response) -> Failure {
		let refusal = Refusal::read(response, self.client.settings.stall_timeout).await;
		match (refusal.status, refusal.code.as_str()) {
			(
				StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::CONFLICT,
				_,
			)
			| (_, "BLOB_UPLOAD_UNKNOWN" | "BLOB_UPLOAD_INVALID" | "RANGE_INVALID") => {
				Failure::again(refusal.reason())
			},
			(_, "DIGEST_INVALID") => self.judge_source(refusal.reason()).await,
			_ => refusal.into_failure(&self.what),
		}
	}

	/// The registry got other bytes than those of the digest: by the file's fault, or on the way.
	async fn judge_source(&self, reason: String) -> Failure {
		let Source::File(path) = &self.source else { return Failure::again(reason) };
		let source = match hash_file(path, self.size).await {
			Ok((hasher, _)) if hasher.clone().finish() == self.digest => {
				return Failure::again(reason);
			},
			Ok((hasher, _)) => io::Error::new(
				io::ErrorKind::InvalidData,
				format!("has the digest {}, not {}", hasher.finish(), self.digest),
			),
			Err(error) => error,
		};
		ClientError::Local { path: path.clone(), source }.into()
	}

	fn session_mut(&mut self) -> &mut Session {
		self.session.as_mut().expect("steps that need it run with a session; qed")
	}

	fn location(&self, response: &Response) -> Option<Url> {
		let text = response.headers().get(header::LOCATION)?.to_str().ok()?;
		self.client.base.join(text).ok()
	}
}

/// How many bytes a `Range` header says are there.
fn acknowledged(headers: &HeaderMap) -> Option<u64> {
	let text = headers.get(header::RANGE)?.to_str().ok()?;
	let (first, last) = crate::ranges::parse_content_range(text)?;
	(first == 0).then(|| last.saturating_add(1))
}
