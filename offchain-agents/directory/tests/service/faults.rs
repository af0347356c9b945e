// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Bad input and failing clients: the right answer, nothing lost, nobody else harmed.

use super::common::*;
use modicum_directory::{
	access::StandalonePolicy,
	digest::Digest,
	manifest::{MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST},
};
use reqwest::{header, Method, StatusCode};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
};

const NAME: &str = "faults";

#[tokio::test]
async fn a_wrong_digest_drops_the_upload_and_stores_nothing() {
	let server = public_server().await;
	let location = server.begin(NAME).await;
	let claimed = Digest::of(b"claimed");
	let response = server.finish(&location, &claimed, "actual").await;
	let message = assert_error(response, 400, "DIGEST_INVALID").await;
	assert!(message.contains(&Digest::of(b"actual").to_string()), "{message}");
	for digest in [claimed, Digest::of(b"actual")] {
		let response = server.get(&format!("/v2/{NAME}/blobs/{digest}")).await;
		assert_error(response, 404, "BLOB_UNKNOWN").await;
	}
	assert_error(server.get(&location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
	let post = format!("/v2/{NAME}/blobs/uploads/?digest={claimed}");
	let response = server.request(Method::POST, &post).body("actual").send().await.unwrap();
	assert_error(response, 400, "DIGEST_INVALID").await;
	assert_eq!(server.directory.uploads.count(), 0);
}

#[tokio::test]
async fn a_chunk_of_another_length_than_announced_is_taken_back() {
	let server = public_server().await;
	let location = server.begin(NAME).await;
	server.append(&location, "abc").await;
	for range in ["3-9", "3-4"] {
		let chunk = server.request(Method::PATCH, &location).header(header::CONTENT_RANGE, range);
		let response = chunk.body("def").send().await.unwrap();
		assert_error(response, 400, "SIZE_INVALID").await;
		// Without Content-Length only the end tells.
		let stream = futures::stream::iter([Ok::<_, std::io::Error>("def")]);
		let response = server
			.request(Method::PATCH, &location)
			.header(header::CONTENT_RANGE, range)
			.body(reqwest::Body::wrap_stream(stream))
			.send()
			.await
			.unwrap();
		assert_error(response, 400, "SIZE_INVALID").await;
	}
	let bad = server.request(Method::PATCH, &location).header(header::CONTENT_RANGE, "three");
	assert_error(bad.body("x").send().await.unwrap(), 400, "BLOB_UPLOAD_INVALID").await;
	assert_eq!(server.get(&location).await.headers()[header::RANGE], "0-2");
}

/// Sends the head and a part of a request's body and hangs up.
async fn hang_up(server: &Server, location: &str, method: &str, announced: usize, sent: &[u8]) {
	let mut stream = TcpStream::connect(server.address).await.unwrap();
	let head = format!(
		"{method} {location} HTTP/1.1\r\nHost: {}\r\nContent-Length: {announced}\r\n\r\n",
		server.address
	);
	stream.write_all(head.as_bytes()).await.unwrap();
	stream.write_all(sent).await.unwrap();
	stream.shutdown().await.unwrap();
	// Until the server has closed too, it may not have seen the end.
	let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn a_transfer_that_breaks_off_is_continued_where_it_stood() {
	let server = public_server().await;
	let content = noise(1, 600_000);
	let location = server.begin(NAME).await;
	hang_up(&server, &location, "PATCH", content.len(), &content[..400_000]).await;
	let digest = Digest::of(&content);
	// The server notices the end in its own time; a client asks until it can go on.
	let response = loop {
		let status = server.get(&location).await;
		let range = status.headers()[header::RANGE].to_str().unwrap().to_owned();
		let there = range[2..].parse::<usize>().unwrap() + 1;
		let chunk = server.request(Method::PUT, &format!("{location}?digest={digest}"));
		let chunk = chunk
			.header(header::CONTENT_RANGE, format!("{there}-599999"))
			.body(content[there..].to_vec());
		let response = chunk.send().await.unwrap();
		if there > 1 && response.status() != StatusCode::CONFLICT {
			break response;
		}
	};
	assert_eq!(response.status(), StatusCode::CREATED);
	let blob = server.get(&format!("/v2/{NAME}/blobs/{digest}")).await;
	assert_eq!(blob.bytes().await.unwrap(), content);
}

/// Waits until no upload is open: the server notices that a client went away in its own time.
async fn no_upload_stays(server: &Server) {
	while server.directory.uploads.count() > 0 {
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
	let files = std::fs::read_dir(server.directory.config.data.join("uploads")).unwrap();
	assert_eq!(files.count(), 0);
}

#[tokio::test]
async fn a_single_post_that_breaks_off_leaves_nothing_and_blocks_nobody() {
	// With one upload at a time whatever stayed would be in the next one's way.
	let server = server(public_policy(), |config| config.limits.account_uploads = 1).await;
	let content = noise(1, 600_000);
	let digest = Digest::of(&content);
	let path = format!("/v2/{NAME}/blobs/uploads/?digest={digest}");
	for sent in [0, 3, 400_000] {
		hang_up(&server, &path, "POST", content.len(), &content[..sent]).await;
		no_upload_stays(&server).await;
	}
	assert_eq!(server.directory.index.read(|r| r.stored()).unwrap(), (0, 0));
	let request = server.request(Method::POST, &path).body(content.clone());
	assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
	no_upload_stays(&server).await;
	let blob = server.get(&format!("/v2/{NAME}/blobs/{digest}")).await;
	assert_eq!(blob.bytes().await.unwrap(), content);
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_given_up() {
	let change = |config: &mut modicum_directory::config::Config| config.times.idle_secs = 1;
	let server = server(public_policy(), change).await;
	let location = server.begin(NAME).await;
	let mut stream = TcpStream::connect(server.address).await.unwrap();
	let head = format!("PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
	stream.write_all(head.as_bytes()).await.unwrap();
	let mut answer = String::new();
	stream.read_to_string(&mut answer).await.unwrap();
	assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
	assert!(answer.contains("BLOB_UPLOAD_INVALID"), "{answer}");
	assert_eq!(server.get(&location).await.headers()[header::RANGE], "0-2");
}

#[tokio::test]
async fn a_client_that_dribbles_its_header_is_given_up() {
	let change = |config: &mut modicum_directory::config::Config| config.times.header_secs = 1;
	let server = server(public_policy(), change).await;
	let mut stream = TcpStream::connect(server.address).await.unwrap();
	stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost").await.unwrap();
	let mut answer = Vec::new();
	let _ = stream.read_to_end(&mut answer).await;
	assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
}

#[tokio::test]
async fn huge_headers_and_manifests_are_refused() {
	let server = public_server().await;
	let response =
		server.request(Method::GET, "/v2/").header("x-large", "x".repeat(200_000)).send().await;
	// The connection may be closed before the client has sent it all.
	assert!(response.is_err() || response.unwrap().status() == 431);
	let mut manifest = image(b"{}", &[]);
	manifest["annotations"] = json!({ "x": "x".repeat(MAX_MANIFEST_BYTES) });
	let response = server
		.request(Method::PUT, "/v2/a/manifests/v1")
		.header(header::CONTENT_TYPE, OCI_MANIFEST)
		.body(manifest.to_string())
		.send()
		.await;
	if let Ok(response) = response {
		assert_error(response, 413, "MANIFEST_INVALID").await;
	}
	assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn manifests_that_could_be_two_things_are_refused() {
	let server = public_server().await;
	server.push_blob(NAME, b"{}").await;
	let put = |kind: &str, body: String| {
		let request = server.request(Method::PUT, &format!("/v2/{NAME}/manifests/v1"));
		request.header(header::CONTENT_TYPE, kind).body(body).send()
	};
	let good = image(b"{}", &[]).to_string();
	let mut both = image(b"{}", &[]);
	both["manifests"] = json!([]);
	for (kind, body) in [
		(OCI_INDEX, good.clone()),
		("application/json", good.clone()),
		("text/html", good.clone()),
		(OCI_MANIFEST, both.to_string()),
		(OCI_MANIFEST, good.replacen('{', "{\"config\":{},", 1)),
		(OCI_MANIFEST, "not json".into()),
		(OCI_MANIFEST, String::new()),
	] {
		let response = put(kind, body.clone()).await.unwrap();
		assert_error(response, 400, "MANIFEST_INVALID").await;
	}
	let mut lying = image(b"{}", &[]);
	lying["config"]["size"] = json!(3);
	let response = put(OCI_MANIFEST, lying.to_string()).await.unwrap();
	assert_error(response, 400, "SIZE_INVALID").await;
	let other = Digest::of(b"other");
	let response = server.put_manifest(NAME, &other.to_string(), &image(b"{}", &[])).await;
	assert_error(response, 400, "DIGEST_INVALID").await;
	// None of the refused bytes stayed in the store.
	let collected = server.directory.collect(true).await.unwrap();
	assert_eq!(collected.strays, 0);
}

#[tokio::test]
async fn a_manifest_about_itself_or_about_each_other_ends_nowhere() {
	let server = public_server().await;
	server.push_blob(NAME, b"{}").await;
	// The closest to a cycle that digests allow: two manifests, each a referrer of a list of both.
	let mut first = image(b"{}", &[]);
	first["subject"] = descriptor(OCI_INDEX, b"to come");
	server.put_manifest(NAME, "first", &first).await;
	let mut listed = list(&[&first]);
	listed["subject"] = descriptor(OCI_MANIFEST, first.to_string().as_bytes());
	let response = server.put_manifest(NAME, "list", &listed).await;
	assert_eq!(response.status(), StatusCode::CREATED);
	server.directory.collect(true).await.unwrap();
	assert_eq!(server.get(&format!("/v2/{NAME}/manifests/list")).await.status(), 200);
}

#[tokio::test]
async fn paths_with_tricks_lead_nowhere() {
	let server = public_server().await;
	for path in [
		"/v2/../../etc/passwd",
		"/v2/a/%2e%2e/%2e%2e/blobs/uploads/",
		"/v2/a/blobs/sha256:../../../../index.redb",
		"/v2/a/blobs/uploads/..%2f..%2findex.redb",
		"/v2/a//b/tags/list",
		"/v2/a/manifests/..",
	] {
		let mut stream = TcpStream::connect(server.address).await.unwrap();
		let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
		stream.write_all(head.as_bytes()).await.unwrap();
		let mut answer = String::new();
		stream.read_to_string(&mut answer).await.unwrap();
		let status: u16 = answer[9..12].parse().unwrap();
		assert!((400..500).contains(&status), "{path}: {answer}");
	}
}

#[tokio::test]
async fn a_tag_is_not_taken_from_its_manifest() {
	let server = public_server().await;
	let (first, digest) = server.push_image(NAME, "v1", b"one").await;
	server.push_blob(NAME, b"{}").await;
	let response = server.put_manifest(NAME, "v1", &image(b"{}", &[])).await;
	let message = assert_error(response, 409, "DENIED").await;
	assert!(message.contains(&digest.to_string()), "{message}");
	assert_eq!(server.put_manifest(NAME, "v1", &first).await.status(), StatusCode::CREATED);
	let change = |config: &mut modicum_directory::config::Config| config.mutable_tags = true;
	let server = super::common::server(public_policy(), change).await;
	server.push_image(NAME, "v1", b"one").await;
	server.push_image(NAME, "v1", b"two").await;
}

#[tokio::test]
async fn many_uploads_of_the_same_blob_at_once_store_it_once() {
	let server = Arc::new(public_server().await);
	let content = noise(1, 200_000);
	let digest = Digest::of(&content);
	let uploads = (0..200).map(|i| {
		let (server, content) = (server.clone(), content.clone());
		tokio::spawn(async move {
			let name = format!("repository{}", i % 10);
			let location = server.begin(&name).await;
			server.append(&location, content).await;
			let response = server.finish(&location, &digest, "").await;
			assert_eq!(response.status(), StatusCode::CREATED);
		})
	});
	for upload in uploads.collect::<Vec<_>>() {
		upload.await.unwrap();
	}
	assert_eq!(server.directory.index.read(|r| r.stored()).unwrap(), (200_000, 1));
	let owner = modicum_directory::account::AccountId([0; 32]);
	assert_eq!(server.directory.index.read(|r| r.usage(&owner)).unwrap(), (2_000_000, 10));
	assert_eq!(server.directory.uploads.count(), 0);
	let blob = server.get(&format!("/v2/repository3/blobs/{digest}")).await;
	assert_eq!(blob.bytes().await.unwrap(), content);
}

#[tokio::test]
async fn quotas_hold_and_say_so() {
	let (alice, account) = key(1);
	let policy = StandalonePolicy { writers: [account].into(), ..Default::default() };
	let server = server(Arc::new(policy), |config| {
		config.limits.account_bytes = 1_000;
		config.limits.account_objects = 3;
		config.limits.blob_bytes = 900;
		config.limits.account_uploads = 2;
	})
	.await;
	let alice = server.logged_in(&alice, &["repository:a:*", "repository:b:*"]).await;
	let location = alice.begin("a").await;
	assert_error(alice.append(&location, vec![0; 901]).await, 413, "SIZE_INVALID").await;
	assert_eq!(alice.append(&location, vec![0; 400]).await.status(), StatusCode::ACCEPTED);
	// What is on its way counts, in all repositories of the account.
	let second = alice.begin("b").await;
	assert_error(alice.append(&second, vec![1; 601]).await, 413, "SIZE_INVALID").await;
	let path = "/v2/b/blobs/uploads/";
	let third = alice.request(Method::POST, path).send().await.unwrap();
	assert_error(third, 429, "TOOMANYREQUESTS").await;
	let done = alice.finish(&second, &Digest::of(&[1; 600]), vec![1; 600]).await;
	assert_eq!(done.status(), StatusCode::CREATED);
	alice.delete(&location).await;
	alice.push_blob("a", b"x").await;
	alice.push_blob("a", b"{}").await;
	let response = alice.put_manifest("a", "v1", &image(b"{}", &[])).await;
	assert!(assert_error(response, 403, "DENIED").await.contains("3 blobs"));
	// Deleting makes room.
	alice.delete(&format!("/v2/a/blobs/{}", Digest::of(b"x"))).await;
	let response = alice.put_manifest("a", "v1", &image(b"{}", &[])).await;
	assert_eq!(response.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_full_directory_refuses_and_goes_on_serving() {
	let change = |config: &mut modicum_directory::config::Config| config.limits.total_bytes = 10;
	let server = server(public_policy(), change).await;
	let digest = server.push_blob("a", b"123456").await;
	let location = server.begin("b").await;
	assert_error(server.append(&location, "abcdef").await, 413, "SIZE_INVALID").await;
	// What is stored already costs the directory nothing.
	let path = format!("/v2/b/blobs/uploads/?mount={digest}&from=a");
	let mounted = server.request(Method::POST, &path).send().await.unwrap();
	assert_eq!(mounted.status(), StatusCode::CREATED);
	let blob = server.get(&format!("/v2/a/blobs/{digest}")).await;
	assert_eq!(blob.text().await.unwrap(), "123456");
}

#[tokio::test]
async fn too_many_requests_from_one_address_are_slowed_down() {
	let data = tempfile::tempdir().unwrap();
	let mut config =
		modicum_directory::config::Config { data: data.path().to_owned(), ..Default::default() };
	config.limits.requests_per_second = 1;
	let identity = modicum_directory::service::Identity { keypair: key(1).0, genesis: GENESIS };
	let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
	let admin = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
	let address = listener.local_addr().unwrap();
	let directory =
		modicum_directory::service::Directory::open(config, address, identity, public_policy())
			.unwrap();
	let stop = tokio_util::sync::CancellationToken::new();
	let running = tokio::spawn(directory.serve(listener, admin, stop.clone()));
	let client = client();
	let mut throttled = None;
	for _ in 0..1_000 {
		let response = client.get(format!("http://{address}/healthz")).send().await.unwrap();
		if response.status() == StatusCode::TOO_MANY_REQUESTS {
			throttled = Some(response);
			break;
		}
	}
	let response = throttled.unwrap();
	assert_eq!(response.headers()[header::RETRY_AFTER], "1");
	assert_error(response, 429, "TOOMANYREQUESTS").await;
	stop.cancel();
	running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_running_transfer_is_finished_before_the_end() {
	let server = public_server().await;
	let location = server.begin(NAME).await;
	let (sender, receiver) = futures::channel::mpsc::unbounded::<Result<Vec<u8>, std::io::Error>>();
	sender.unbounded_send(Ok(noise(1, 1_000))).unwrap();
	let request =
		server.request(Method::PATCH, &location).body(reqwest::Body::wrap_stream(receiver)).send();
	let transfer = tokio::spawn(request);
	// The transfer is under way when its request is being answered.
	while server.directory.in_flight.load(std::sync::atomic::Ordering::Relaxed) == 0 {
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
	server.stop.cancel();
	tokio::time::sleep(Duration::from_millis(50)).await;
	assert!(!server.running.is_finished());
	sender.unbounded_send(Ok(noise(2, 1_000))).unwrap();
	drop(sender);
	let response = transfer.await.unwrap().unwrap();
	assert_eq!(response.status(), StatusCode::ACCEPTED);
	assert_eq!(response.headers()[header::RANGE], "0-1999");
	server.running.await.unwrap();
}
