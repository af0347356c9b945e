// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The agents' client against the real service, through a proxy that cuts and stalls connections, and
//! against Debian's docker-registry.

use super::{common::*, crash::Process};
use futures::future::join_all;
use modicum_directory::{
	access::StandalonePolicy,
	client::{AccountLogin, Client, ClientError, ClientSettings},
	digest::Digest,
	manifest::OCI_MANIFEST,
	names::{Reference, RepositoryName},
};
use std::{
	fs,
	io::Write,
	net::SocketAddr,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicU64, AtomicUsize, Ordering},
		Arc, Mutex,
	},
	time::Duration,
};
use tempfile::TempDir;
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
};

const MIB: u64 = 1024 * 1024;

/// A client that does not wait long between attempts.
fn quick() -> ClientSettings {
	ClientSettings {
		backoff: Duration::from_millis(10),
		max_backoff: Duration::from_millis(200),
		chunk_bytes: 4 * MIB,
		..ClientSettings::default()
	}
}

fn client_of(url: &str) -> Client {
	Client::new(url, quick()).unwrap()
}

fn name(text: &str) -> RepositoryName {
	text.parse().unwrap()
}

/// A login for the tests' chain at a directory with this id.
fn login_as(seed: u8, id: Option<&str>) -> AccountLogin {
	AccountLogin {
		signer: Arc::new(key(seed).0),
		genesis: GENESIS,
		directory_id: id.map(str::to_owned),
	}
}

/// A file of noise, written in pieces.
struct Blob {
	folder: TempDir,
	digest: Digest,
	size: u64,
}

impl Blob {
	fn new(size: u64) -> Self {
		use sha2::Digest as _;
		let folder = tempfile::tempdir().unwrap();
		let mut file = fs::File::create(folder.path().join("source")).unwrap();
		let mut hasher = sha2::Sha256::new();
		let mut written = 0;
		while written < size {
			let piece = noise(written, MIB.min(size - written) as usize);
			file.write_all(&piece).unwrap();
			hasher.update(&piece);
			written += piece.len() as u64;
		}
		Self { folder, digest: Digest(hasher.finalize().into()), size }
	}

	fn source(&self) -> PathBuf {
		self.folder.path().join("source")
	}

	fn copy(&self) -> PathBuf {
		self.folder.path().join("copy")
	}

	async fn upload(&self, client: &Client) -> Result<(), ClientError> {
		client.upload_blob(&name("a"), &self.source(), &self.digest, self.size, |_| ()).await
	}

	async fn download(&self, client: &Client) -> Result<(), ClientError> {
		client.download_blob(&name("a"), &self.digest, self.size, &self.copy(), |_| ()).await
	}

	/// The copy is the blob, and nothing else was left.
	fn assert_copied(&self) {
		assert!(fs::read(self.source()).unwrap() == fs::read(self.copy()).unwrap());
		assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 2);
	}

	/// Nothing is there but the source.
	fn assert_nothing_kept(&self) {
		assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
	}
}

/// What the proxy does with a connection after so many bytes in a direction.
#[derive(Clone, Copy)]
enum Fault {
	Cut,
	Stall,
}

/// A proxy whose first connections fail.
struct Proxy {
	address: SocketAddr,
	connections: Arc<AtomicUsize>,
}

impl Proxy {
	/// The first `faulty` connections that carry more than `after` bytes one way fail.
	async fn new(target: SocketAddr, fault: Fault, after: u64, faulty: usize) -> Self {
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let address = listener.local_addr().unwrap();
		let connections = Arc::new(AtomicUsize::new(0));
		let failures = Arc::new(AtomicUsize::new(0));
		let count = connections.clone();
		tokio::spawn(async move {
			while let Ok((near, _)) = listener.accept().await {
				count.fetch_add(1, Ordering::SeqCst);
				let failures = failures.clone();
				tokio::spawn(async move {
					let far = TcpStream::connect(target).await.unwrap();
					let (near_in, near_out) = near.into_split();
					let (far_in, far_out) = far.into_split();
					let pipe = |from, to| pipe(from, to, after, &failures, faulty);
					let broke = tokio::select! {
						broke = pipe(near_in, far_out) => broke,
						broke = pipe(far_in, near_out) => broke,
					};
					if broke && matches!(fault, Fault::Stall) {
						std::future::pending::<()>().await;
					}
				});
			}
		});
		Self { address, connections }
	}

	fn url(&self) -> String {
		format!("http://{}", self.address)
	}
}

/// Copies until the end, or until a fault is due: then true.
async fn pipe(
	mut from: tokio::net::tcp::OwnedReadHalf,
	mut to: tokio::net::tcp::OwnedWriteHalf,
	after: u64,
	failures: &AtomicUsize,
	faulty: usize,
) -> bool {
	let (mut carried, mut buffer) = (0, vec![0; 64 * 1024]);
	loop {
		let n = match from.read(&mut buffer).await {
			Ok(n) if n > 0 => n,
			_ => return false,
		};
		carried += n as u64;
		if carried > after && failures.fetch_add(1, Ordering::SeqCst) < faulty {
			return true;
		}
		if to.write_all(&buffer[..n]).await.is_err() {
			return false;
		}
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_goes_there_and_back_in_chunks() {
	let server = public_server().await;
	let client = client_of(&server.url);
	client.health().await.unwrap();
	let blob = Blob::new(64 * MIB + 17);
	let (sent, got) = (AtomicU64::new(0), AtomicU64::new(0));
	let a = name("a");
	assert!(!client.blob_exists(&a, &blob.digest).await.unwrap());
	let report = |n| sent.store(n, Ordering::SeqCst);
	client.upload_blob(&a, &blob.source(), &blob.digest, blob.size, report).await.unwrap();
	assert!(client.blob_exists(&a, &blob.digest).await.unwrap());
	let report = |n| got.store(n, Ordering::SeqCst);
	client.download_blob(&a, &blob.digest, blob.size, &blob.copy(), report).await.unwrap();
	assert_eq!((sent.into_inner(), got.into_inner()), (blob.size, blob.size));
	blob.assert_copied();
	// What is there is not sent again.
	let before = server.directory.metrics.bytes_in.get();
	blob.upload(&client).await.unwrap();
	assert_eq!(server.directory.metrics.bytes_in.get(), before);
	// A second download replaces the first.
	fs::write(blob.copy(), "old").unwrap();
	blob.download(&client).await.unwrap();
	blob.assert_copied();
}

#[tokio::test]
async fn sizes_at_the_edges_of_chunks_come_through() {
	let server = public_server().await;
	let client =
		Client::new(&server.url, ClientSettings { chunk_bytes: 1_000, ..quick() }).unwrap();
	for size in [0, 1, 2, 999, 1_000, 1_001, 2_000, 2_001] {
		let blob = Blob::new(size);
		blob.upload(&client).await.unwrap();
		blob.download(&client).await.unwrap();
		blob.assert_copied();
		let bytes = client.blob(&name("a"), &blob.digest, size).await.unwrap();
		assert_eq!(Digest::of(&bytes), blob.digest);
	}
}

#[tokio::test]
async fn manifests_come_back_as_they_were_with_a_receipt() {
	let server = public_server().await;
	let client = client_of(&server.url);
	let (a, config) = (name("a"), b"{}".as_slice());
	let tag: Reference = "v1".parse().unwrap();
	let manifest = image(config, &[b"layer"]).to_string();
	let put = || client.upload_manifest(&a, &tag, OCI_MANIFEST, manifest.clone());
	assert!(matches!(put().await, Err(ClientError::NotFound { .. })), "its blobs are missing");
	client.upload_bytes(&a, config).await.unwrap();
	client.upload_bytes(&a, b"layer".as_slice()).await.unwrap();
	let stored = put().await.unwrap();
	assert_eq!(stored.digest, Digest::of(manifest.as_bytes()));
	let receipt = stored.receipt.unwrap();
	assert_eq!((receipt.signer, receipt.digest), (server.directory.account(), stored.digest));
	for reference in [tag, stored.digest.into()] {
		let fetched = client.manifest(&a, &reference, 10_000).await.unwrap();
		assert_eq!(fetched.media_type, OCI_MANIFEST);
		assert_eq!((fetched.digest, fetched.bytes), (stored.digest, manifest.clone().into()));
	}
	let by_digest = Reference::Digest(stored.digest);
	let small = client.manifest(&a, &by_digest, 10).await;
	assert!(matches!(small, Err(ClientError::TooLarge { .. })), "{small:?}");
	let broken = client.upload_manifest(&a, &by_digest, OCI_MANIFEST, "[]").await;
	assert!(matches!(broken, Err(ClientError::Refused { .. })), "{broken:?}");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
	let server = public_server().await;
	let client = client_of(&server.url);
	let blob = Blob::new(10);
	let missing = blob.download(&client).await;
	assert!(matches!(missing, Err(ClientError::NotFound { .. })), "{missing:?}");
	let text = missing.unwrap_err().to_string();
	assert!(text.contains(&server.address.to_string()), "{text}");
	let reference = "v1".parse().unwrap();
	let missing = client.manifest(&name("a"), &reference, 100).await;
	assert!(matches!(missing, Err(ClientError::NotFound { .. })), "{missing:?}");
	let missing = client.blob(&name("a"), &blob.digest, 100).await;
	assert!(matches!(missing, Err(ClientError::NotFound { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_file_that_is_not_what_was_said_is_a_local_error() {
	let server = public_server().await;
	let client = client_of(&server.url);
	let blob = Blob::new(3_000);
	let wrong = Digest::of(b"something else");
	for (digest, size) in [(wrong, blob.size), (blob.digest, blob.size + 1)] {
		let sent = client.upload_blob(&name("a"), &blob.source(), &digest, size, |_| ()).await;
		assert!(matches!(sent, Err(ClientError::Local { .. })), "{sent:?}");
	}
	let absent = Path::new("/nonexistent/file");
	let sent = client.upload_blob(&name("a"), absent, &wrong, 1, |_| ()).await;
	assert!(matches!(sent, Err(ClientError::Local { .. })), "{sent:?}");
	blob.upload(&client).await.unwrap();
	let to = Path::new("/nonexistent/copy");
	let got = client.download_blob(&name("a"), &blob.digest, blob.size, to, |_| ()).await;
	assert!(matches!(got, Err(ClientError::Local { .. })), "{got:?}");
}

#[tokio::test]
async fn an_upload_larger_than_the_directory_takes_is_too_large() {
	let server = server(public_policy(), |config| config.limits.blob_bytes = 9_000).await;
	let settings = ClientSettings { chunk_bytes: 4_000, ..quick() };
	let client = Client::new(&server.url, settings).unwrap();
	let sent = Blob::new(10_000).upload(&client).await;
	assert!(matches!(sent, Err(ClientError::TooLarge { .. })), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_are_continued_in_both_directions() {
	let server = public_server().await;
	let blob = Blob::new(20 * MIB);
	let proxy = Proxy::new(server.address, Fault::Cut, 3 * MIB, 4).await;
	blob.upload(&client_of(&proxy.url())).await.unwrap();
	let sent = server.directory.metrics.bytes_in.get();
	assert!(sent < 2 * blob.size, "chunks that were acknowledged are not sent again: {sent}");
	let proxy = Proxy::new(server.address, Fault::Cut, 3 * MIB, 4).await;
	blob.download(&client_of(&proxy.url())).await.unwrap();
	assert_eq!(proxy.connections.load(Ordering::SeqCst), 5, "each time from where it broke off");
	blob.assert_copied();
}

#[tokio::test(flavor = "multi_thread")]
async fn stalls_are_noticed_in_both_directions() {
	let server = public_server().await;
	let settings = ClientSettings { stall_timeout: Duration::from_millis(300), ..quick() };
	let blob = Blob::new(12 * MIB);
	let proxy = Proxy::new(server.address, Fault::Stall, 3 * MIB, 2).await;
	blob.upload(&Client::new(&proxy.url(), settings.clone()).unwrap()).await.unwrap();
	let proxy = Proxy::new(server.address, Fault::Stall, 3 * MIB, 2).await;
	blob.download(&Client::new(&proxy.url(), settings.clone()).unwrap()).await.unwrap();
	blob.assert_copied();
	// One that never goes on is given up.
	let proxy = Proxy::new(server.address, Fault::Stall, 10, usize::MAX).await;
	let client = Client::new(&proxy.url(), ClientSettings { attempts: 2, ..settings }).unwrap();
	let got = blob.download(&client).await;
	assert!(got.as_ref().is_err_and(ClientError::is_unavailable), "{got:?}");
	assert!(client.health().await.is_err_and(|e| e.is_unavailable()));
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_unavailable() {
	let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
	let address = listener.local_addr().unwrap();
	drop(listener);
	let client = client_of(&format!("http://{address}"));
	let blob = Blob::new(10);
	for outcome in [
		blob.upload(&client).await,
		blob.download(&client).await,
		client.health().await,
		client.manifest(&name("a"), &blob.digest.into(), 10).await.map(drop),
	] {
		let error = outcome.unwrap_err();
		assert!(error.is_unavailable(), "{error}");
		assert!(error.to_string().contains("another trusted directory"), "{error}");
	}
}

/// The service is killed from within the report of progress, so that the transfer cannot have ended.
#[tokio::test]
async fn a_server_killed_in_mid_transfer_and_started_again_harms_nothing() {
	let folder = tempfile::tempdir().unwrap();
	let process = Process::start(folder.path());
	let (address, client) = (process.address(), client_of(&process.url));
	let running = Mutex::new(Some(process));
	let restart = || {
		let mut running = running.lock().unwrap();
		running.take().unwrap().kill();
		*running = Some(Process::start_at(folder.path(), &address));
	};
	let blob = Blob::new(64 * MIB);

	let (was_killed, lowest) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
	let report = |there| {
		if was_killed.load(Ordering::SeqCst) > 0 {
			lowest.fetch_min(there, Ordering::SeqCst);
		} else if there > 20 * MIB && there < 60 * MIB {
			was_killed.store(there, Ordering::SeqCst);
			restart();
		}
	};
	let a = name("a");
	client.upload_blob(&a, &blob.source(), &blob.digest, blob.size, report).await.unwrap();
	assert!(was_killed.into_inner() > 0);
	assert!(lowest.into_inner() >= 16 * MIB, "what was acknowledged was not sent again");

	let (was_killed, lowest) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
	let report = |here| {
		if was_killed.load(Ordering::SeqCst) > 0 {
			lowest.fetch_min(here, Ordering::SeqCst);
		} else if here > 20 * MIB {
			was_killed.store(here, Ordering::SeqCst);
			restart();
		}
	};
	client.download_blob(&a, &blob.digest, blob.size, &blob.copy(), report).await.unwrap();
	assert!(was_killed.into_inner() > 0);
	assert!(lowest.into_inner() > 20 * MIB, "what was here was not fetched again");
	blob.assert_copied();
	running.into_inner().unwrap().unwrap().kill();
}

#[tokio::test]
async fn what_an_earlier_process_left_is_continued() {
	let server = public_server().await;
	let client = client_of(&server.url);
	let blob = Blob::new(3 * MIB);
	blob.upload(&client).await.unwrap();
	let partial = format!("copy.{}.partial", &blob.digest.to_hex()[..16]);
	let partial = blob.folder.path().join(partial);
	let before = server.directory.metrics.bytes_out.get();
	fs::write(&partial, &fs::read(blob.source()).unwrap()[..2 * MIB as usize]).unwrap();
	blob.download(&client).await.unwrap();
	blob.assert_copied();
	assert_eq!(server.directory.metrics.bytes_out.get() - before, MIB);
	// Rubbish in it costs time and nothing else; so does one that is too long.
	for len in [100, blob.size, blob.size + 1] {
		fs::write(&partial, noise(5, len as usize)).unwrap();
		blob.download(&client).await.unwrap();
		blob.assert_copied();
	}
	// Another process at the same file.
	let other = fs::File::create(&partial).unwrap();
	other.lock().unwrap();
	let got = blob.download(&client).await;
	assert!(matches!(got, Err(ClientError::Local { .. })), "{got:?}");
}

#[tokio::test]
async fn wrong_bytes_are_noticed_and_not_kept() {
	let folder = tempfile::tempdir().unwrap();
	let process = Process::start(folder.path());
	let client = client_of(&process.url);
	let (blob, a) = (Blob::new(100_000), name("a"));
	blob.upload(&client).await.unwrap();
	let config = client.upload_bytes(&a, b"{}".as_slice()).await.unwrap();
	let manifest = image(b"{}", &[]).to_string();
	let reference = "v1".parse().unwrap();
	let manifest = client.upload_manifest(&a, &reference, OCI_MANIFEST, manifest).await.unwrap();
	// The directory's disk lies: same length, another content.
	for digest in [blob.digest, config, manifest.digest] {
		let hex = digest.to_hex();
		let stored = folder.path().join("data/blobs").join(&hex[..2]).join(&hex);
		let mut bytes = fs::read(&stored).unwrap();
		bytes[0] ^= 1;
		fs::remove_file(&stored).unwrap();
		fs::write(&stored, bytes).unwrap();
	}
	for outcome in [
		blob.download(&client).await,
		client.blob(&a, &config, 100).await.map(drop),
		client.manifest(&a, &manifest.digest.into(), 10_000).await.map(drop),
	] {
		let Err(ClientError::WrongContent { expected, found, .. }) = outcome else {
			panic!("{outcome:?}");
		};
		assert_ne!(expected, found);
	}
	blob.assert_nothing_kept();
	process.kill();
}

#[tokio::test]
async fn a_blob_of_another_length_than_said_is_refused() {
	let server = public_server().await;
	let client = client_of(&server.url);
	let blob = Blob::new(100_000);
	blob.upload(&client).await.unwrap();
	for size in [blob.size - 1, blob.size + 1, 0] {
		let got = client.download_blob(&name("a"), &blob.digest, size, &blob.copy(), |_| ()).await;
		assert!(matches!(got, Err(ClientError::WrongContent { .. })), "{got:?}");
		blob.assert_nothing_kept();
	}
	let small = client.blob(&name("a"), &blob.digest, blob.size - 1).await;
	assert!(matches!(small, Err(ClientError::TooLarge { .. })), "{small:?}");
}

/// What a server sends that announces no length, or the wrong one, on a connection each.
async fn raw_server(answers: Vec<Vec<u8>>) -> String {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let url = format!("http://{}", listener.local_addr().unwrap());
	tokio::spawn(async move {
		for answer in answers {
			let (mut stream, _) = listener.accept().await.unwrap();
			let mut request = Vec::new();
			while !request.ends_with(b"\r\n\r\n") {
				request.push(stream.read_u8().await.unwrap());
			}
			let _ = stream.write_all(&answer).await;
			let _ = stream.shutdown().await;
		}
	});
	url
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
	[format!("HTTP/1.1 {head}\r\nconnection: close\r\n\r\n").as_bytes(), body].concat()
}

#[tokio::test]
async fn bodies_that_end_early_or_late_are_noticed_without_a_length_too() {
	let blob = Blob::new(1_000);
	let bytes = fs::read(blob.source()).unwrap();
	// Too long, without a word of it before.
	let long = answer("200 OK", &[bytes.as_slice(), b"!"].concat());
	let got = blob.download(&client_of(&raw_server(vec![long]).await)).await;
	assert!(matches!(got, Err(ClientError::WrongContent { .. })), "{got:?}");
	blob.assert_nothing_kept();
	// Broken off; the range asked for; a range that was not asked for; a server without ranges.
	let url = raw_server(vec![
		answer("200 OK", &bytes[..300]),
		answer("206 Partial Content\r\ncontent-range: bytes 300-999/1000", &bytes[300..500]),
		answer("206 Partial Content\r\ncontent-range: bytes 400-999/1000", &bytes[400..]),
		answer("200 OK\r\ncontent-length: 1000", &bytes),
	])
	.await;
	blob.download(&client_of(&url)).await.unwrap();
	blob.assert_copied();
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_full_one_is_not() {
	let blob = Blob::new(10);
	let bytes = fs::read(blob.source()).unwrap();
	let url = raw_server(vec![
		answer("503 Service Unavailable\r\nretry-after: 1000", b""),
		answer("429 Too Many Requests", b""),
		answer("500 Internal Server Error", b"{"),
		answer("200 OK", &bytes),
	])
	.await;
	blob.download(&client_of(&url)).await.unwrap();
	// Being asked to slow down is no failure, however often.
	let slower = vec![answer("429 Too Many Requests\r\nretry-after: 0", b""); 30];
	let answers = slower.into_iter().chain([answer("200 OK", &bytes)]).collect();
	blob.download(&client_of(&raw_server(answers).await)).await.unwrap();
	let full =
		answer("507 Insufficient Storage", b"{\"errors\":[{\"message\":\"no\x1b[2Jroom\"}]}");
	let error = blob.upload(&client_of(&raw_server(vec![full]).await)).await.unwrap_err();
	assert!(error.is_unavailable() && !error.to_string().contains('\x1b'), "{error:?}");
}

/// Reading is everybody's, writing needs one of these accounts.
async fn server_with_writers(seeds: &[u8], token_secs: u64) -> Server {
	let writers = seeds.iter().map(|seed| key(*seed).1).collect();
	let policy = StandalonePolicy { public_read: true, writers, ..Default::default() };
	server(Arc::new(policy), |config| config.times.token_secs = token_secs).await
}

#[tokio::test]
async fn the_client_logs_in_by_itself_and_renews_its_tokens() {
	let server = server_with_writers(&[1], 1).await;
	let client = client_of(&server.url).with_login(login_as(1, None));
	for seed in 0..3 {
		client.upload_bytes(&name("a"), noise(seed, 100)).await.unwrap();
		tokio::time::sleep(Duration::from_millis(1_100)).await;
	}
	// Somebody else is told why not; so is somebody without a login.
	for client in [client_of(&server.url).with_login(login_as(2, None)), client_of(&server.url)] {
		let refused = client.upload_bytes(&name("a"), noise(9, 100)).await;
		assert!(matches!(refused, Err(ClientError::Denied { .. })), "{refused:?}");
		client.blob(&name("a"), &Digest::of(&noise(0, 100)), 100).await.unwrap();
	}
}

#[tokio::test]
async fn many_uploads_at_once_share_a_token() {
	let server = server_with_writers(&[1], 300).await;
	let client = client_of(&server.url).with_login(login_as(1, None));
	let a = name("a");
	client.upload_bytes(&a, b"first".as_slice()).await.unwrap();
	let uploads = (0..50).map(|seed| client.upload_bytes(&a, noise(seed, 5_000)));
	for uploaded in join_all(uploads).await {
		assert!(client.blob_exists(&a, &uploaded.unwrap()).await.unwrap());
	}
}

#[tokio::test]
async fn tokens_of_a_former_directory_are_replaced() {
	let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
	let process = Process::start_with(folders[0].path(), "127.0.0.1:0", &writer_args(1));
	let address = process.address();
	let mut login = login_as(1, None);
	login.genesis = [0; 32];
	let client = client_of(&process.url).with_login(login);
	client.upload_bytes(&name("a"), b"one".as_slice()).await.unwrap();
	process.kill();
	// Another folder: another key, to which the token that the client holds is foreign.
	let process = Process::start_with(folders[1].path(), &address, &writer_args(1));
	client.upload_bytes(&name("a"), b"two".as_slice()).await.unwrap();
	process.kill();
}

fn writer_args(seed: u8) -> [String; 2] {
	["--writer".into(), key(seed).1.to_string()]
}

#[tokio::test]
async fn no_directory_gets_a_signature_meant_for_another() {
	let server = server_with_writers(&[1], 300).await;
	let mut foreign_chain = login_as(1, None);
	foreign_chain.genesis = [1; 32];
	for login in [login_as(1, Some("other.example")), foreign_chain] {
		let client = client_of(&server.url).with_login(login);
		let refused = client.upload_bytes(&name("a"), b"x".as_slice()).await;
		assert!(matches!(refused, Err(ClientError::Denied { .. })), "{refused:?}");
	}
}

/// Debian's docker-registry, killed at the end.
struct Registry {
	child: Child,
	url: String,
	_folder: TempDir,
}

impl Registry {
	/// `None` where it is not installed.
	fn start(extra: &str) -> Option<Self> {
		let folder = tempfile::tempdir().unwrap();
		let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
		let address = listener.local_addr().unwrap();
		drop(listener);
		let settings = format!(
			"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n{extra}",
			folder.path().join("data").display()
		);
		let file = folder.path().join("config.yml");
		fs::write(&file, settings).unwrap();
		let mut command = Command::new("docker-registry");
		command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
		let mut child = match command.spawn() {
			Ok(child) => child,
			Err(error) => {
				eprintln!("SKIPPED: docker-registry cannot be run ({error})");
				return None;
			},
		};
		while std::net::TcpStream::connect(address).is_err() {
			assert!(child.try_wait().unwrap().is_none(), "docker-registry does not start");
			std::thread::sleep(Duration::from_millis(20));
		}
		Some(Self { child, url: format!("http://{address}"), _folder: folder })
	}
}

impl Drop for Registry {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// What an agent does with a directory.
async fn use_registry(client: &Client, blob: &Blob) {
	let a = name("a");
	client.health().await.unwrap();
	blob.upload(client).await.unwrap();
	blob.download(client).await.unwrap();
	blob.assert_copied();
	let config = client.upload_bytes(&a, b"{}".as_slice()).await.unwrap();
	assert_eq!(client.blob(&a, &config, 2).await.unwrap(), b"{}".as_slice());
	let manifest = image(b"{}", &[]).to_string();
	let reference = "v1".parse().unwrap();
	let stored =
		client.upload_manifest(&a, &reference, OCI_MANIFEST, manifest.clone()).await.unwrap();
	let fetched = client.manifest(&a, &stored.digest.into(), 10_000).await.unwrap();
	assert_eq!(fetched.bytes, manifest);
	let missing = client.manifest(&a, &Digest::of(b"none").into(), 10_000).await;
	assert!(matches!(missing, Err(ClientError::NotFound { .. })), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_registry_can_stand_in_its_place() {
	let Some(registry) = Registry::start("") else { return };
	// The account's login is for directories; a registry without accounts just does not ask for it.
	let client = client_of(&registry.url).with_login(login_as(1, None));
	use_registry(&client, &Blob::new(10 * MIB)).await;
	// Cut connections: this registry drops an upload that broke off, and so it is begun anew.
	let address = registry.url.trim_start_matches("http://").parse().unwrap();
	let proxy = Proxy::new(address, Fault::Cut, 3 * MIB, 2).await;
	let blob = Blob::new(11 * MIB);
	blob.upload(&client_of(&proxy.url())).await.unwrap();
	let proxy = Proxy::new(address, Fault::Cut, 3 * MIB, 2).await;
	blob.download(&client_of(&proxy.url())).await.unwrap();
	blob.assert_copied();
}

#[tokio::test]
async fn a_registry_with_passwords_takes_ours() {
	let folder = tempfile::tempdir().unwrap();
	let file = folder.path().join("htpasswd");
	// bcrypt of "secret" for the user "agent".
	fs::write(&file, "agent:$2y$05$8Jg4XOdB2sHJtTR1vFQk0ubHjVxj99BJFjzmikyKKAxi3k1YWMff.\n")
		.unwrap();
	let auth = format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display());
	let Some(registry) = Registry::start(&auth) else { return };
	let client = client_of(&registry.url);
	use_registry(&client.clone().with_password("agent", "secret"), &Blob::new(5_000_000)).await;
	for refused in [client.clone(), client.with_password("agent", "wrong")] {
		let sent = refused.upload_bytes(&name("b"), b"x".as_slice()).await;
		assert!(matches!(sent, Err(ClientError::Denied { .. })), "{sent:?}");
	}
}
