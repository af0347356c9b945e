// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! TLS by certificate files, and their renewal while the directory serves.

use super::common::*;
use modicum_directory::{
	client::{Client, ClientSettings},
	config::{Config, TlsConfig},
	digest::Digest,
	names::RepositoryName,
	service::{Directory, Identity, RunError},
};
use reqwest::{Certificate, StatusCode};
use std::{fs, net::TcpListener, path::Path, sync::atomic::Ordering, time::Duration};
use tokio_util::sync::CancellationToken;

/// Where a test's certificate and key lie.
fn files(folder: &Path) -> TlsConfig {
	TlsConfig { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

/// Replaces certificate and key by fresh ones for this machine; the certificate, PEM.
fn renew(files: &TlsConfig) -> String {
	let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
	let certificate = made.cert.pem();
	fs::write(&files.certificate, &certificate).unwrap();
	fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
	certificate
}

/// A client that trusts this certificate and no other, on connections of its own.
fn trusting(certificate: &str) -> reqwest::Client {
	let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
	let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
	builder.tls_certs_only([certificate]).build().unwrap()
}

async fn is_healthy(client: &reqwest::Client, server: &Server) -> bool {
	let answer = client.get(format!("{}/healthz", server.url)).send().await;
	answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

#[tokio::test]
async fn renewed_certificates_are_taken_up_and_bad_ones_are_not() {
	let folder = tempfile::tempdir().unwrap();
	let files = files(folder.path());
	let first = renew(&files);
	let server = server(public_policy(), |config| {
		config.tls = Some(files.clone());
		config.times.tls_secs = 1;
	})
	.await;
	assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
	let (by_first, plain) = (trusting(&first), client());
	assert!(is_healthy(&by_first, &server).await);
	let unencrypted = plain.get(server.url.replace("https", "http")).send().await;
	assert!(unencrypted.is_err(), "{unencrypted:?}");

	// The agents' client, by a file of certificates.
	let name: RepositoryName = "tls".parse().unwrap();
	let trusted = ClientSettings { ca_file: Some(files.certificate.clone()), ..Default::default() };
	let agent = Client::new(&server.url, trusted).unwrap();
	let digest = agent.upload_bytes(&name, b"over TLS".to_vec()).await.unwrap();
	assert_eq!(digest, Digest::of(b"over TLS"));
	assert_eq!(agent.blob(&name, &digest, 100).await.unwrap(), &b"over TLS"[..]);

	// A transfer that is under way ends on the connection it has.
	let location = {
		let path = format!("{}/v2/tls/blobs/uploads/", server.url);
		location(&by_first.post(path).send().await.unwrap())
	};
	let (sender, receiver) = futures::channel::mpsc::unbounded::<Result<Vec<u8>, std::io::Error>>();
	let patch = by_first.patch(format!("{}{location}", server.url));
	let patch = tokio::spawn(patch.body(reqwest::Body::wrap_stream(receiver)).send());
	sender.unbounded_send(Ok(vec![1; 1_000])).unwrap();
	while server.directory.in_flight.load(Ordering::Relaxed) == 0 {
		tokio::time::sleep(Duration::from_millis(5)).await;
	}

	let second = renew(&files);
	let by_second = trusting(&second);
	while !is_healthy(&by_second, &server).await {
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	assert!(!is_healthy(&by_first, &server).await, "the old certificate is shown no more");
	sender.unbounded_send(Ok(vec![2; 1_000])).unwrap();
	drop(sender);
	assert_eq!(patch.await.unwrap().unwrap().status(), StatusCode::ACCEPTED);

	// Neither garbage nor a key that does not belong to the certificate ends the service; each such pair
	// is the reloading's failure, or two if it is looked at when only one file is there.
	let failures = &server.directory.metrics.tls_failures;
	let good_key = fs::read(&files.key).unwrap();
	for bad in ["garbage", &first] {
		let before = failures.get();
		fs::write(&files.certificate, bad).unwrap();
		while failures.get() == before {
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
		assert!(is_healthy(&by_second, &server).await);
	}
	assert_eq!(fs::read(&files.key).unwrap(), good_key);
	let third = trusting(&renew(&files));
	while !is_healthy(&third, &server).await {
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	server.shut_down().await;
}

#[tokio::test]
async fn without_usable_files_nothing_is_served_and_the_files_are_named() {
	let folder = tempfile::tempdir().unwrap();
	let files = files(folder.path());
	for content in [None, Some("garbage")] {
		if let Some(content) = content {
			fs::write(&files.certificate, content).unwrap();
			fs::write(&files.key, content).unwrap();
		}
		let config = Config {
			data: folder.path().join("data"),
			tls: Some(files.clone()),
			..Config::default()
		};
		let (public, admin) =
			(TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
		let address = public.local_addr().unwrap();
		let identity = Identity { keypair: key(1).0, genesis: GENESIS };
		let directory = Directory::open(config, address, identity, public_policy()).unwrap();
		let refused = directory.serve(public, admin, CancellationToken::new()).await.unwrap_err();
		assert!(matches!(refused, RunError::Io { .. }), "{refused}");
		assert!(refused.to_string().contains("certificate.pem"), "{refused}");
	}
}
