// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The agents' client, for this directory and for any other registry that speaks the OCI distribution
//! protocol.
//!
//! It gets tokens by itself, goes on after broken connections, checks every byte that it receives, and
//! keeps memory constant whatever the size of a blob. It fails in the kinds of [`ClientError`] that an
//! agent acts on.

mod auth;
mod download;
mod error;
mod send;
mod upload;

pub use auth::AccountLogin;
pub use error::ClientError;

use crate::{
	digest::Digest,
	http::RECEIPT_HEADER,
	manifest::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST},
	names::{Reference, RepositoryName},
	receipt::Receipt,
};
use auth::{Auth, Credentials};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD, Engine as _};
use bytes::Bytes;
use error::Failure;
use reqwest::{header, Certificate, Method, Response, StatusCode, Url};
use send::{read_bounded, Outgoing, Source};
use sha2::{Digest as _, Sha256};
use std::{
	fs::File,
	io::{self, Read},
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use tokio::task::spawn_blocking;

/// How patient the client is, and in what pieces it sends.
#[derive(Debug, Clone)]
pub struct ClientSettings {
	/// How long a connection may take to be made.
	pub connect_timeout: Duration,
	/// How long the other side may send and take nothing.
	pub stall_timeout: Duration,
	/// Failures in a row, without a byte getting through between them, after which it gives up.
	pub attempts: u32,
	/// The wait after the first failure; each further one doubles it.
	pub backoff: Duration,
	/// The longest wait.
	pub max_backoff: Duration,
	/// Bytes of an upload that are acknowledged together, so the most that a break costs. Larger ones are
	/// a little faster.
	pub chunk_bytes: u64,
	/// A PEM file of certificates that are trusted besides the system's, for a directory whose
	/// certificate is signed by nobody that the system knows.
	pub ca_file: Option<PathBuf>,
}

impl Default for ClientSettings {
	/// Gives up after 45 to 90 seconds without success, in which a directory can be started again.
	fn default() -> Self {
		Self {
			connect_timeout: Duration::from_secs(10),
			stall_timeout: Duration::from_secs(60),
			attempts: 9,
			backoff: Duration::from_millis(500),
			max_backoff: Duration::from_secs(20),
			chunk_bytes: 32 * 1024 * 1024,
			ca_file: None,
		}
	}
}

/// A client of one directory or registry. Clones share connections and tokens.
#[derive(Clone)]
pub struct Client {
	http: reqwest::Client,
	/// Scheme, host and port; the path is `/`.
	base: Url,
	settings: Arc<ClientSettings>,
	auth: Arc<Auth>,
}

/// A manifest as it was served; its bytes have the digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedManifest {
	/// Its media type, as the registry gave it.
	pub media_type: String,
	/// The digest of its bytes.
	pub digest: Digest,
	/// Its bytes.
	pub bytes: Bytes,
}

/// A manifest that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
	/// The digest of its bytes: the hash that the chain carries.
	pub digest: Digest,
	/// The directory's signed receipt, `None` from a registry that gives none. Its signature was checked
	/// and it is about this manifest; whether its signer is the directory's account on the chain is
	/// the caller's to compare.
	pub receipt: Option<Receipt>,
}

impl Client {
	/// A client for the registry at `endpoint`: `https://HOST[:PORT]` or `http://HOST[:PORT]`, as the chain
	/// has it. A bare host means `https`, on a loopback address `http`, as docker has it. Anonymous
	/// until [`Self::with_login`] or [`Self::with_password`]. Nothing is sent yet.
	///
	/// # Errors
	/// [`ClientError::Endpoint`], or [`ClientError::Local`] for the file of certificates.
	pub fn new(endpoint: &str, settings: ClientSettings) -> Result<Self, ClientError> {
		let fail = |reason: String| ClientError::Endpoint { endpoint: endpoint.to_owned(), reason };
		let base = parse_endpoint(endpoint).map_err(fail)?;
		// Whoever embeds this may have chosen a provider already; any will do.
		let _ = rustls::crypto::ring::default_provider().install_default();
		let mut builder = reqwest::Client::builder()
			.connect_timeout(settings.connect_timeout)
			.user_agent(concat!("modicum/", env!("CARGO_PKG_VERSION")));
		if is_loopback(&base) {
			builder = builder.no_proxy();
		}
		if let Some(path) = &settings.ca_file {
			let local = |source| ClientError::Local { path: path.clone(), source };
			let pem = std::fs::read(path).map_err(local)?;
			let certificates = Certificate::from_pem_bundle(&pem)
				.map_err(|e| local(io::Error::new(io::ErrorKind::InvalidData, e)))?;
			builder = builder.tls_certs_merge(certificates);
		}
		let http = builder.build().map_err(|e| fail(e.to_string()))?;
		let auth = Arc::new(Auth::new(Credentials::Anonymous));
		Ok(Self { http, base, settings: Arc::new(settings), auth })
	}

	/// The same, logging in with an account of the chain where the registry is a MODiCuM directory, and
	/// anonymous where it is not.
	pub fn with_login(self, login: AccountLogin) -> Self {
		Self { auth: Arc::new(Auth::new(Credentials::Account(login))), ..self }
	}

	/// The same, logging in with user and password.
	pub fn with_password(self, user: impl Into<String>, password: impl Into<String>) -> Self {
		let credentials = Credentials::Password { user: user.into(), password: password.into() };
		Self { auth: Arc::new(Auth::new(credentials)), ..self }
	}

	/// Host, and port if it is not the scheme's own: what stands before a repository's name, and a
	/// directory's id unless it has another.
	pub fn host_and_port(&self) -> String {
		let host = self.base.host_str().unwrap_or_default();
		match self.base.port() {
			Some(port) => format!("{host}:{port}"),
			None => host.to_owned(),
		}
	}

	/// Whether the registry answers, by one request without retries: a probe.
	///
	/// # Errors
	/// [`ClientError::Unavailable`].
	pub async fn health(&self) -> Result<(), ClientError> {
		let what = self.what("probing");
		let unavailable = |reason| ClientError::Unavailable { what: what.clone(), reason };
		let patience = self.settings.stall_timeout;
		let sent = tokio::time::timeout(patience, self.http.get(self.url("/v2/")).send()).await;
		let response = match sent {
			Err(_) => return Err(unavailable("no answer in time".into())),
			Ok(Err(error)) => {
				return match Failure::broken(&error) {
					Failure::Again { reason, .. } | Failure::TooMany { reason, .. } => {
						Err(unavailable(reason))
					},
					Failure::Final(error) => Err(error),
				};
			},
			Ok(Ok(response)) => response,
		};
		match response.status() {
			status if status.is_success() => Ok(()),
			StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(()),
			// It is there, and has much to do.
			StatusCode::TOO_MANY_REQUESTS => Ok(()),
			status => Err(unavailable(format!("it answers {status}, not as a registry does"))),
		}
	}

	/// Whether the repository has a blob.
	///
	/// # Errors
	/// As [`ClientError`] says; a repository that does not exist has no blobs.
	pub async fn blob_exists(
		&self,
		repository: &RepositoryName,
		digest: &Digest,
	) -> Result<bool, ClientError> {
		let what = self.what(&format!("looking for blob {digest} in {repository}"));
		let (scope, _) = self.blob_request(repository, digest);
		self.retrying(&what, || self.blob_exists_once(repository, digest, &scope)).await
	}

	/// As [`Self::blob_exists`], once, with a token for `scope`.
	async fn blob_exists_once(
		&self,
		repository: &RepositoryName,
		digest: &Digest,
		scope: &str,
	) -> Result<bool, Failure> {
		let what = self.what(&format!("looking for blob {digest} in {repository}"));
		let (_, url) = self.blob_request(repository, digest);
		let request = Outgoing::new(self, Method::HEAD, url);
		let response = self.send(scope, &what, &request, &|_| ()).await?;
		match response.status() {
			StatusCode::OK => Ok(true),
			StatusCode::NOT_FOUND => Ok(false),
			_ => Err(self.unexpected(response, &what).await),
		}
	}

	/// Stores a manifest, whose contents must be in the repository. `reference` is its own digest or a tag.
	///
	/// # Errors
	/// [`ClientError::NotFound`] if a content is missing; others as their descriptions say.
	pub async fn upload_manifest(
		&self,
		repository: &RepositoryName,
		reference: &Reference,
		media_type: &str,
		bytes: impl Into<Bytes>,
	) -> Result<StoredManifest, ClientError> {
		let (bytes, what) =
			(bytes.into(), self.what(&format!("manifest {repository} {reference}")));
		let digest = Digest::of(&bytes);
		let media_type = header::HeaderValue::from_str(media_type).map_err(|_| {
			let reason = "the media type is not text".to_owned();
			ClientError::Refused { what: what.clone(), reason }
		})?;
		let mut request =
			Outgoing::new(self, Method::PUT, self.manifest_url(repository, reference));
		request.headers.insert(header::CONTENT_TYPE, media_type);
		request.body = Some((Source::Bytes(bytes.clone()), 0..bytes.len() as u64));
		let scope = format!("repository:{repository}:pull,push");
		let (what, scope, request) = (&what, &scope, &request);
		let response = self
			.retrying(what, || async move {
				let response = self.send(scope, what, request, &|_| ()).await?;
				match response.status() {
					StatusCode::CREATED => Ok(response),
					_ => Err(self.unexpected(response, what).await),
				}
			})
			.await?;
		check_digest_header(&response, &digest, what)?;
		let receipt = receipt_of(&response).filter(|receipt| {
			let is_for_this = receipt.digest == digest && receipt.repository == repository.as_str();
			let is_true = is_for_this && receipt.is_genuine();
			if !is_true {
				tracing::warn!(target: "modicum::directory::client", what, "the receipt is false");
			}
			is_true
		});
		Ok(StoredManifest { digest, receipt })
	}

	/// Fetches a manifest of at most `max_bytes`.
	///
	/// # Errors
	/// [`ClientError::WrongContent`] if it is not the one that the digest names.
	pub async fn manifest(
		&self,
		repository: &RepositoryName,
		reference: &Reference,
		max_bytes: u64,
	) -> Result<FetchedManifest, ClientError> {
		let what = self.what(&format!("manifest {repository} {reference}"));
		let accept =
			[OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST, "*/*;q=0.1"].join(", ");
		let request = Outgoing::new(self, Method::GET, self.manifest_url(repository, reference))
			.header(header::ACCEPT, &accept);
		let scope = format!("repository:{repository}:pull");
		let (what, scope, request) = (&what, &scope, &request);
		self.retrying(what, || async move {
			let response = self.send(scope, what, request, &|_| ()).await?;
			if response.status() != StatusCode::OK {
				return Err(self.unexpected(response, what).await);
			}
			let kind = response.headers().get(header::CONTENT_TYPE);
			let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
			let media_type = kind.split(';').next().unwrap_or_default().trim().to_owned();
			let bytes =
				read_bounded(response, max_bytes, self.settings.stall_timeout, what).await?;
			let digest = Digest::of(&bytes);
			match reference {
				Reference::Digest(named) if *named != digest => {
					Err(wrong_digest(what, named, &digest).into())
				},
				_ => Ok(FetchedManifest { media_type, digest, bytes }),
			}
		})
		.await
	}

	/// A path, perhaps with a query, at the registry.
	fn url(&self, path: &str) -> Url {
		self.base.join(path).expect("names, digests and addresses are within a URL's grammar; qed")
	}

	fn manifest_url(&self, repository: &RepositoryName, reference: &Reference) -> Url {
		self.url(&format!("/v2/{repository}/manifests/{reference}"))
	}

	/// Scope and URL for reading a blob.
	fn blob_request(&self, repository: &RepositoryName, digest: &Digest) -> (String, Url) {
		let url = self.url(&format!("/v2/{repository}/blobs/{digest}"));
		(format!("repository:{repository}:pull"), url)
	}

	/// What is done, and where, for an error.
	fn what(&self, doing: &str) -> String {
		format!("{} at {}", doing, self.base.origin().ascii_serialization())
	}
}

fn wrong_digest(what: &str, expected: &Digest, found: &Digest) -> ClientError {
	let (expected, found) = (expected.to_string(), found.to_string());
	ClientError::WrongContent { what: what.to_owned(), expected, found }
}

/// A registry that names another digest than the manifest's stored something else.
fn check_digest_header(
	response: &Response,
	digest: &Digest,
	what: &str,
) -> Result<(), ClientError> {
	let named = response.headers().get(crate::http::CONTENT_DIGEST);
	match named.and_then(|named| named.to_str().ok()?.parse::<Digest>().ok()) {
		Some(named) if named != *digest => Err(wrong_digest(what, digest, &named)),
		_ => Ok(()),
	}
}

fn receipt_of(response: &Response) -> Option<Receipt> {
	let encoded = response.headers().get(RECEIPT_HEADER)?;
	serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

fn parse_endpoint(endpoint: &str) -> Result<Url, String> {
	let text = endpoint.trim();
	let parse = |text: &str| Url::parse(text).map_err(|e| e.to_string());
	let url = if text.contains("://") {
		parse(text)?
	} else {
		let plain = parse(&format!("http://{text}"))?;
		if is_loopback(&plain) {
			plain
		} else {
			parse(&format!("https://{text}"))?
		}
	};
	if !matches!(url.scheme(), "http" | "https") {
		return Err(format!("'{}' is not spoken", url.scheme()));
	}
	let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
	if !is_bare || !url.username().is_empty() || url.password().is_some() {
		return Err("it has more than scheme, host and port".into());
	}
	Ok(url)
}

fn is_loopback(url: &Url) -> bool {
	let host = url.host_str().unwrap_or_default();
	let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
	host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A hash that is not finished.
#[derive(Clone)]
struct Hasher(Sha256);

impl Hasher {
	fn new() -> Self {
		Self(Sha256::new())
	}

	fn update(&mut self, bytes: &[u8]) {
		self.0.update(bytes);
	}

	fn finish(self) -> Digest {
		Digest(self.0.finalize().into())
	}
}

/// Hashes the first bytes of a file, at most `max`; the result is the hash and how many.
async fn hash_file(path: &Path, max: u64) -> io::Result<(Hasher, u64)> {
	let path = path.to_owned();
	let hashed = spawn_blocking(move || {
		let mut file = File::open(path)?.take(max);
		let (mut hasher, mut len) = (Hasher::new(), 0);
		let mut piece = vec![0; 256 * 1024];
		loop {
			match file.read(&mut piece)? {
				0 => return Ok((hasher, len)),
				n => {
					hasher.update(&piece[..n]);
					len += n as u64;
				},
			}
		}
	});
	hashed.await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn endpoints_are_read_as_the_chain_and_docker_write_them() {
		for (endpoint, url) in [
			("https://directory.example", "https://directory.example/"),
			("https://directory.example/", "https://directory.example/"),
			("directory.example:8443", "https://directory.example:8443/"),
			("127.0.0.1:5000", "http://127.0.0.1:5000/"),
			("localhost:5000", "http://localhost:5000/"),
			("[::1]:5000", "http://[::1]:5000/"),
			("http://10.0.0.1:5000", "http://10.0.0.1:5000/"),
		] {
			assert_eq!(parse_endpoint(endpoint).unwrap().as_str(), url);
		}
		for bad in ["", "ftp://a", "https://", "https://a/v2", "https://u:p@a", "http://a?b", "a b"]
		{
			assert!(parse_endpoint(bad).is_err(), "{bad}");
		}
	}

	#[test]
	fn the_id_of_a_directory_is_its_host_and_port() {
		for (endpoint, id) in [
			("https://directory.example", "directory.example"),
			("https://directory.example:443", "directory.example"),
			("http://127.0.0.1:5000", "127.0.0.1:5000"),
		] {
			let client = Client::new(endpoint, ClientSettings::default()).unwrap();
			assert_eq!(client.host_and_port(), id);
		}
	}
}
