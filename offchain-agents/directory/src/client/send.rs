// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Requests: sent with the scope's token, watched for stalls, repeated after failures that may pass.

use super::{
	error::{ClientError, Failure, Refusal},
	Client, ClientSettings,
};
use bytes::{Bytes, BytesMut};
use futures::stream;
use reqwest::{
	header::{self, HeaderMap, HeaderValue},
	Body, Method, Response, StatusCode, Url,
};
use std::{
	future::Future,
	io::{self, SeekFrom},
	ops::Range,
	path::PathBuf,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use tokio::{
	fs::File,
	io::{AsyncReadExt, AsyncSeekExt},
	sync::watch,
	time::timeout,
};

/// What is read of a file at once, bytes.
const READ_BYTES: u64 = 256 * 1024;

/// Where an upload's bytes come from.
#[derive(Clone)]
pub(super) enum Source {
	Bytes(Bytes),
	File(PathBuf),
}

/// A request that can be made more than once.
pub(super) struct Outgoing {
	pub(super) method: Method,
	pub(super) url: Url,
	pub(super) headers: HeaderMap,
	/// What of what is sent.
	pub(super) body: Option<(Source, Range<u64>)>,
	/// How long nothing may happen.
	pub(super) patience: Duration,
}

impl Outgoing {
	/// A request without a body.
	pub(super) fn new(client: &Client, method: Method, url: Url) -> Self {
		let patience = client.settings.stall_timeout;
		Self { method, url, headers: HeaderMap::new(), body: None, patience }
	}

	/// The same with a header.
	pub(super) fn header(mut self, name: header::HeaderName, value: &str) -> Self {
		let value = HeaderValue::from_str(value).expect("digits and names are ASCII; qed");
		self.headers.insert(name, value);
		self
	}
}

/// How long a request waits in all while the directory asks for fewer at once.
const HELD_UP_AT_MOST: Duration = Duration::from_secs(300);
/// The wait when it does not say for how long.
const HELD_UP_BY_DEFAULT: Duration = Duration::from_secs(1);

/// Counts failures in a row and waits after each. A directory that asks to come back later has not failed.
pub(super) struct Patience<'a> {
	settings: &'a ClientSettings,
	failures: u32,
	held_up: Duration,
}

impl<'a> Patience<'a> {
	pub(super) fn new(settings: &'a ClientSettings) -> Self {
		Self { settings, failures: 0, held_up: Duration::ZERO }
	}

	/// Something got through: the count begins anew.
	pub(super) fn renew(&mut self) {
		self.failures = 0;
	}

	/// Waits before the next attempt.
	///
	/// # Errors
	/// The failure is final, or there have been too many in a row, or the directory has been busy for too long.
	pub(super) async fn after(&mut self, what: &str, failure: Failure) -> Result<(), ClientError> {
		let (reason, after) = match failure {
			Failure::Final(error) => return Err(error),
			Failure::TooMany { reason, after } => return self.hold_up(what, reason, after).await,
			Failure::Again { reason, after } => (reason, after),
		};
		self.failures += 1;
		if self.failures >= self.settings.attempts {
			let reason = format!("{} attempts, the last: {reason}", self.failures);
			return Err(ClientError::Unavailable { what: what.to_owned(), reason });
		}
		let doubled = 2_u32.saturating_pow(self.failures - 1);
		let wait = self.settings.backoff.saturating_mul(doubled).min(self.settings.max_backoff);
		// Clients that were cut off together must not come back together.
		let wait = wait.mul_f64(rand::random_range(0.5..=1.0));
		let wait = wait.max(after.unwrap_or_default().min(self.settings.max_backoff));
		tracing::debug!(target: "modicum::directory::client", what, reason, ?wait, "trying again");
		tokio::time::sleep(wait).await;
		Ok(())
	}

	async fn hold_up(
		&mut self,
		what: &str,
		reason: String,
		after: Option<Duration>,
	) -> Result<(), ClientError> {
		if self.held_up >= HELD_UP_AT_MOST {
			return Err(ClientError::Unavailable { what: what.to_owned(), reason });
		}
		let wait = after.unwrap_or(HELD_UP_BY_DEFAULT).min(self.settings.max_backoff);
		// Not all at the same moment.
		let wait = wait.mul_f64(rand::random_range(1.0..=2.0));
		tracing::debug!(target: "modicum::directory::client", what, reason, ?wait, "held up");
		tokio::time::sleep(wait).await;
		self.held_up += wait;
		Ok(())
	}
}

impl Client {
	/// Makes attempts until one succeeds.
	pub(super) async fn retrying<T, F>(
		&self,
		what: &str,
		attempt: impl Fn() -> F,
	) -> Result<T, ClientError>
	where
		F: Future<Output = Result<T, Failure>>,
	{
		let mut patience = Patience::new(&self.settings);
		loop {
			match attempt().await {
				Ok(done) => return Ok(done),
				Err(failure) => patience.after(what, failure).await?,
			}
		}
	}

	/// Sends a request with the token of its scope, and once more with a new one if the registry asks
	/// for that. Any other status than 401 is the caller's to judge. `progress` is told the bytes sent.
	pub(super) async fn send(
		&self,
		scope: &str,
		what: &str,
		request: &Outgoing,
		progress: &(dyn Fn(u64) + Send + Sync),
	) -> Result<Response, Failure> {
		// A registry may send uploads to another host; its tokens are not for that one.
		let is_home = request.url.origin() == self.base.origin();
		let authorization = || is_home.then(|| self.auth.authorization(scope)).flatten();
		if is_home {
			self.auth.foresee(self, scope, what).await;
		}
		let response = self.send_once(request, authorization(), progress).await?;
		if response.status() != StatusCode::UNAUTHORIZED || !is_home {
			return Ok(response);
		}
		self.auth.answer(self, scope, what, response.headers()).await?;
		drop(response);
		self.send_once(request, authorization(), progress).await
	}

	async fn send_once(
		&self,
		request: &Outgoing,
		authorization: Option<HeaderValue>,
		progress: &(dyn Fn(u64) + Send + Sync),
	) -> Result<Response, Failure> {
		let mut builder = self
			.http
			.request(request.method.clone(), request.url.clone())
			.headers(request.headers.clone());
		if let Some(authorization) = authorization {
			builder = builder.header(header::AUTHORIZATION, authorization);
		}
		let stalled = || Failure::again("nothing happened for too long");
		let Some((source, range)) = &request.body else {
			return timeout(request.patience, builder.send())
				.await
				.map_err(|_| stalled())?
				.map_err(|error| Failure::broken(&error));
		};
		let (sent, mut seen) = watch::channel(0);
		let trouble = Arc::new(Mutex::new(None));
		let body = body(source.clone(), range.clone(), sent, trouble.clone());
		builder = builder.header(header::CONTENT_LENGTH, range.end - range.start).body(body);
		let mut answer = std::pin::pin!(builder.send());
		let mut is_sending = true;
		let outcome = loop {
			tokio::select! {
				biased;
				outcome = &mut answer => break outcome,
				changed = timeout(request.patience, seen.changed()), if is_sending => match changed {
					Err(_) => return Err(stalled()),
					Ok(Ok(())) => progress(*seen.borrow_and_update()),
					Ok(Err(_)) => is_sending = false,
				},
				() = tokio::time::sleep(request.patience), if !is_sending => return Err(stalled()),
			}
		};
		if let Some(source) = trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
			let path = match &request.body {
				Some((Source::File(path), _)) => path.clone(),
				_ => PathBuf::new(),
			};
			return Err(ClientError::Local { path, source }.into());
		}
		outcome.map_err(|error| Failure::broken(&error))
	}

	/// What a status that nobody expected means.
	pub(super) async fn unexpected(&self, response: Response, what: &str) -> Failure {
		Refusal::read(response, self.settings.stall_timeout).await.into_failure(what)
	}
}

/// A body that reads its source as it is sent. What has been handed over is told to `sent`; an error of
/// the source goes to `trouble` too, since the sender would only say that the body failed.
fn body(
	source: Source,
	range: Range<u64>,
	sent: watch::Sender<u64>,
	trouble: Arc<Mutex<Option<io::Error>>>,
) -> Body {
	let state = (source, None, range.start, sent, trouble);
	Body::wrap_stream(stream::try_unfold(state, move |state| {
		let range = range.clone();
		async move {
			let (source, mut file, at, sent, trouble) = state;
			if at == range.end {
				return Ok(None);
			}
			let len = READ_BYTES.min(range.end - at);
			match read(&source, &mut file, at, len).await {
				Ok(piece) => {
					let at = at + piece.len() as u64;
					sent.send_replace(at - range.start);
					Ok(Some((piece, (source, file, at, sent, trouble))))
				},
				Err(error) => {
					let kind = error.kind();
					*trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
					Err(io::Error::from(kind))
				},
			}
		}
	}))
}

/// At least one and at most `len` bytes from `at` on.
async fn read(source: &Source, file: &mut Option<File>, at: u64, len: u64) -> io::Result<Bytes> {
	let path = match source {
		Source::Bytes(bytes) => {
			let start = usize::try_from(at).map_err(io::Error::other)?;
			return Ok(bytes.slice(start..start + len as usize));
		},
		Source::File(path) => path,
	};
	let file = match file {
		Some(file) => file,
		None => {
			let mut opened = File::open(path).await?;
			opened.seek(SeekFrom::Start(at)).await?;
			file.insert(opened)
		},
	};
	let mut piece = BytesMut::with_capacity(len as usize);
	match file.take(len).read_buf(&mut piece).await? {
		0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
		_ => Ok(piece.freeze()),
	}
}

/// Reads an answer's body of at most `max` bytes.
pub(super) async fn read_bounded(
	mut response: Response,
	max: u64,
	patience: Duration,
	what: &str,
) -> Result<Bytes, Failure> {
	let too_large = || {
		let reason = format!("more than {max} bytes");
		Failure::from(ClientError::TooLarge { what: what.to_owned(), reason })
	};
	if response.content_length().is_some_and(|len| len > max) {
		return Err(too_large());
	}
	let mut body = BytesMut::new();
	while let Some(chunk) = next_chunk(&mut response, patience).await? {
		if (body.len() + chunk.len()) as u64 > max {
			return Err(too_large());
		}
		body.extend_from_slice(&chunk);
	}
	Ok(body.freeze())
}

/// The next piece of a body; `None` at its end.
pub(super) async fn next_chunk(
	response: &mut Response,
	patience: Duration,
) -> Result<Option<Bytes>, Failure> {
	timeout(patience, response.chunk())
		.await
		.map_err(|_| Failure::again("nothing came for too long"))?
		.map_err(|error| Failure::broken(&error))
}
