// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The HTTP side: listeners, routes, and what every request passes through.

mod admin;
mod auth;
mod blobs;
mod idle;
mod manifests;
mod route;
mod uploads;

pub use admin::Status;
pub use auth::{Challenge, TokenAnswer};
pub use route::Endpoint;

use crate::{
	clock::now_ms,
	config::TlsConfig,
	error::{ApiError, Code},
	login::Realm,
	names::{Reference, RepositoryName},
	service::{idle_time, Directory},
	uptime::UptimeRecord,
};
use axum::{
	body::HttpBody,
	extract::{ConnectInfo, Query, Request, State},
	http::{header, HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
	middleware::{self, Next},
	response::{IntoResponse, Response},
	routing::get,
	Json, Router,
};
use axum_server::{
	tls_rustls::{RustlsAcceptor, RustlsConfig},
	Handle,
};
use hyper_util::rt::TokioTimer;
use idle::IdleAcceptor;
use serde::{Deserialize, Serialize};
use std::{
	io,
	net::{SocketAddr, TcpListener},
	sync::{atomic::Ordering, Arc},
	time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// What a request's header may have in all, and what is read at once of a body, bytes.
const CONNECTION_BUFFER: usize = 64 * 1024;
/// The most heartbeats of one answer.
const MAX_HEARTBEATS: usize = 10_000;
/// The digest of what is answered.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// The receipt for a manifest, base64url of its JSON.
pub const RECEIPT_HEADER: HeaderName = HeaderName::from_static("modicum-receipt");

type Shared = State<Arc<Directory>>;
type Answer = Result<Response, ApiError>;

/// Serves both listeners until `shutdown`, then lets transfers end.
pub(crate) async fn serve(
	directory: Arc<Directory>,
	public: TcpListener,
	admin: TcpListener,
	shutdown: CancellationToken,
) -> io::Result<()> {
	let (handle, admin_handle) = (Handle::new(), Handle::new());
	let grace = Duration::from_secs(directory.config.times.shutdown_secs);
	let stopper = {
		let (handle, admin_handle) = (handle.clone(), admin_handle.clone());
		async move {
			shutdown.cancelled().await;
			handle.graceful_shutdown(Some(grace));
			admin_handle.graceful_shutdown(Some(grace));
		}
	};
	let admin_app = admin::router(directory.clone()).into_make_service();
	let admin_server = axum_server::from_tcp(admin)?.handle(admin_handle).serve(admin_app);
	let public_server = serve_public(directory, public, handle);
	let servers = async { tokio::try_join!(admin_server, public_server).map(drop) };
	tokio::pin!(servers);
	tokio::select! {
		ended = &mut servers => ended,
		() = stopper => servers.await,
	}
}

async fn serve_public(
	directory: Arc<Directory>,
	listener: TcpListener,
	handle: Handle<SocketAddr>,
) -> io::Result<()> {
	let idle = idle_time(&directory.config);
	let header = Duration::from_secs(directory.config.times.header_secs);
	let app = router(directory.clone()).into_make_service_with_connect_info::<SocketAddr>();
	let Some(tls) = &directory.config.tls else {
		let mut server =
			axum_server::from_tcp(listener)?.handle(handle).acceptor(IdleAcceptor::new(idle));
		bound(server.http_builder(), header);
		return server.serve(app).await;
	};
	// Whoever embeds this may have chosen a provider already; any will do.
	let _ = rustls::crypto::ring::default_provider().install_default();
	let config =
		RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await.map_err(|error| {
			let files = format!("{} and {}", tls.certificate.display(), tls.key.display());
			io::Error::new(error.kind(), format!("TLS files {files}: {error}"))
		})?;
	let reload = reload_tls(config.clone(), tls, &directory);
	let acceptor =
		RustlsAcceptor::new(config).handshake_timeout(header).acceptor(IdleAcceptor::new(idle));
	let mut server = axum_server::from_tcp(listener)?.handle(handle).acceptor(acceptor);
	bound(server.http_builder(), header);
	tokio::select! {
		ended = server.serve(app) => ended,
		() = reload => Ok(()),
	}
}

fn bound(
	builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>,
	header: Duration,
) {
	builder
		.http1()
		.timer(TokioTimer::new())
		.header_read_timeout(header)
		.max_buf_size(CONNECTION_BUFFER);
}

/// Takes up renewed certificates without a restart. What cannot be used leaves the old ones in use, and is
/// tried again when it changes: the two files are seldom replaced at one moment.
async fn reload_tls(config: RustlsConfig, tls: &TlsConfig, directory: &Directory) {
	let every = Duration::from_secs(directory.config.times.tls_secs);
	let changed = || {
		let time = |path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
		(time(&tls.certificate), time(&tls.key))
	};
	let mut seen = changed();
	loop {
		tokio::time::sleep(every).await;
		let now = changed();
		if now == seen {
			continue;
		}
		seen = now;
		match config.reload_from_pem_file(&tls.certificate, &tls.key).await {
			Ok(()) => tracing::info!(target: "modicum::directory", "TLS files read again"),
			Err(error) => {
				directory.metrics.tls_failures.inc();
				tracing::error!(target: "modicum::directory", %error, "new TLS files cannot be used");
			},
		}
	}
}

/// The public routes.
pub fn router(directory: Arc<Directory>) -> Router {
	Router::new()
		.route("/healthz", get(health))
		.route("/uptime", get(uptime))
		.route("/token", get(auth::token_by_get).post(auth::token_by_post))
		.route("/token/challenge", get(auth::challenge))
		.route("/modicum/identity", get(identity))
		.route("/modicum/receipts", get(receipt))
		.fallback(registry)
		.layer(middleware::from_fn_with_state(directory.clone(), observe))
		.with_state(directory)
}

/// Bounds, counts and logs every request.
async fn observe(State(directory): Shared, request: Request, next: Next) -> Response {
	let started = Instant::now();
	let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0);
	let (method, path) = (request.method().clone(), request.uri().path().to_owned());
	let account = auth::account_of(&directory, request.headers());
	let bytes_in = announced_length(request.headers());
	let guard = InFlight::new(directory.clone());
	let too_many = guard.count > directory.config.limits.requests;
	let throttled = match (&directory.limiter, peer) {
		(Some(limiter), Some(peer)) => limiter.check_key(&peer.ip()).is_err(),
		_ => false,
	};
	let response = if too_many {
		ApiError::unavailable("too many requests are being answered; try again").into_response()
	} else if throttled {
		directory.metrics.throttled.inc();
		ApiError::new(
			StatusCode::TOO_MANY_REQUESTS,
			Code::TooManyRequests,
			"too many requests from this address; slow down",
		)
		.with_header(header::RETRY_AFTER, "1")
		.into_response()
	} else {
		next.run(request).await
	};
	let status = response.status().as_u16();
	let elapsed = started.elapsed();
	directory.metrics.count_request(method.as_str(), status, elapsed.as_secs_f64());
	tracing::info!(
		target: "modicum::directory::access",
		peer = %peer.map_or_else(|| "-".to_owned(), |p| p.to_string()),
		account = %account.map_or_else(|| "-".to_owned(), |account| account.to_string()),
		%method, %path, status, bytes_in, bytes_out = answer_length(&response),
		micros = elapsed.as_micros() as u64,
	);
	response
}

/// What `Content-Length` says, 0 without it.
fn announced_length(headers: &HeaderMap) -> u64 {
	let length = headers.get(header::CONTENT_LENGTH);
	length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

/// How many bytes an answer has: what it announces, or what its body is known to have.
fn answer_length(response: &Response) -> u64 {
	match response.headers().contains_key(header::CONTENT_LENGTH) {
		true => announced_length(response.headers()),
		false => response.body().size_hint().exact().unwrap_or(0),
	}
}

/// Counts a request for as long as it is answered.
struct InFlight {
	directory: Arc<Directory>,
	count: usize,
}

impl InFlight {
	fn new(directory: Arc<Directory>) -> Self {
		let count = directory.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
		Self { directory, count }
	}
}

impl Drop for InFlight {
	fn drop(&mut self) {
		self.directory.in_flight.fetch_sub(1, Ordering::Relaxed);
	}
}

/// Everything below `/v2/`, whose paths no router's patterns can describe.
async fn registry(State(directory): Shared, request: Request) -> Answer {
	let (parts, body) = request.into_parts();
	let endpoint = Endpoint::parse(parts.uri.path())?;
	let request = Call { directory, parts };
	let method = request.parts.method.clone();
	match (endpoint, method.as_str()) {
		(Endpoint::Base, "GET" | "HEAD") => auth::ping(&request),
		(Endpoint::Blob(name, digest), "GET" | "HEAD") => blobs::get(request, name, digest).await,
		(Endpoint::Blob(name, digest), "DELETE") => blobs::delete(request, name, digest).await,
		(Endpoint::Uploads(name), "POST") => uploads::start(request, body, name).await,
		(Endpoint::Upload(name, id), "GET" | "HEAD") => uploads::status(request, name, &id).await,
		(Endpoint::Upload(name, id), "PATCH") => uploads::append(request, body, name, &id).await,
		(Endpoint::Upload(name, id), "PUT") => uploads::finish(request, body, name, &id).await,
		(Endpoint::Upload(name, id), "DELETE") => uploads::cancel(request, name, &id).await,
		(Endpoint::Manifest(name, reference), "GET" | "HEAD") => {
			manifests::get(request, name, reference).await
		},
		(Endpoint::Manifest(name, reference), "PUT") => {
			manifests::put(request, body, name, reference).await
		},
		(Endpoint::Manifest(name, reference), "DELETE") => {
			manifests::delete(request, name, reference).await
		},
		(Endpoint::Tags(name), "GET") => manifests::tags(request, name).await,
		(Endpoint::Referrers(name, digest), "GET") => {
			manifests::referrers(request, name, digest).await
		},
		_ => Err(ApiError::new(
			StatusCode::METHOD_NOT_ALLOWED,
			Code::Unsupported,
			"this method does nothing here",
		)),
	}
}

/// A request to the registry, without its body: that is not shared between threads.
pub(crate) struct Call {
	directory: Arc<Directory>,
	parts: axum::http::request::Parts,
}

impl Call {
	fn is_head(&self) -> bool {
		self.parts.method == Method::HEAD
	}

	/// A header's text; one that is not text is as good as none.
	fn header(&self, name: HeaderName) -> Option<&str> {
		self.parts.headers.get(name)?.to_str().ok()
	}

	/// The parameters after the question mark.
	fn query<T: serde::de::DeserializeOwned>(&self) -> Result<T, ApiError> {
		Query::try_from_uri(&self.parts.uri)
			.map(|Query(query)| query)
			.map_err(|e| ApiError::bad(Code::Unsupported, e.to_string()))
	}
}

/// An empty answer with headers; a value that no header can carry is left out.
fn empty(status: StatusCode, headers: &[(HeaderName, &str)]) -> Response {
	let mut response = status.into_response();
	for (name, value) in headers {
		if let Ok(value) = HeaderValue::from_str(value) {
			response.headers_mut().insert(name.clone(), value);
		}
	}
	response
}

async fn health(State(directory): Shared) -> Answer {
	directory.index.read(|reader| reader.stored())?;
	Ok("ok\n".into_response())
}

/// Who this directory is, for a login.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DirectoryIdentity {
	/// Its id and chain.
	#[serde(flatten)]
	pub realm: Realm,
	/// Its account, which signs receipts and heartbeats.
	pub account: crate::account::AccountId,
	/// The longest life of a reusable login, milliseconds.
	pub max_login_ms: u64,
	/// Its version.
	pub version: String,
}

async fn identity(State(directory): Shared) -> Json<DirectoryIdentity> {
	Json(DirectoryIdentity {
		realm: directory.desk.realm().clone(),
		account: directory.account(),
		max_login_ms: directory.desk.max_life_ms(),
		version: env!("CARGO_PKG_VERSION").to_owned(),
	})
}

#[derive(Deserialize)]
struct Span {
	from: Option<u64>,
	to: Option<u64>,
}

async fn uptime(State(directory): Shared, Query(span): Query<Span>) -> Answer {
	let to = span.to.unwrap_or_else(now_ms);
	let from = span.from.unwrap_or(0);
	let mut heartbeats: Vec<crate::uptime::Heartbeat> = Vec::new();
	let mut next_from = None;
	if let Some(first) = directory.first_heartbeat_since(from)? {
		let found = directory
			.index
			.read(|reader| reader.heartbeats(first..=u64::MAX, MAX_HEARTBEATS + 1))?;
		for bytes in found {
			let beat: crate::uptime::Heartbeat =
				serde_json::from_slice(&bytes).map_err(ApiError::internal)?;
			if beat.at > to {
				break;
			}
			heartbeats.push(beat);
		}
		if heartbeats.len() > MAX_HEARTBEATS {
			next_from = heartbeats.pop().map(|beat| beat.at);
		}
	}
	Ok(Json(UptimeRecord {
		realm: directory.desk.realm().clone(),
		signer: directory.account(),
		interval_ms: directory.config.times.heartbeat_secs * 1_000,
		heartbeats,
		next_from,
	})
	.into_response())
}

#[derive(Deserialize)]
struct ReceiptQuery {
	repository: String,
	digest: String,
}

async fn receipt(State(directory): Shared, request: Request) -> Answer {
	let (parts, _) = request.into_parts();
	let call = Call { directory, parts };
	let query: ReceiptQuery = call.query()?;
	let name: RepositoryName = query.repository.parse()?;
	let reference = Reference::Digest(query.digest.parse()?);
	auth::authorize(&call, &name, crate::access::Action::Pull).await?;
	let (_, record) = call.directory.index.read(|reader| reader.manifest(&name, &reference))?;
	Ok(Json(record.receipt).into_response())
}
