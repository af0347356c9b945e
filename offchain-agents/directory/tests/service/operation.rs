// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What operators and mediators use: metrics, status, access log, export, receipts, the record of uptime.

use super::common::*;
use base64::{engine::general_purpose::URL_SAFE_NO_PAD, Engine as _};
use modicum_directory::{
	access::StandalonePolicy,
	cli::{self, AdminArgs, ExportArgs, LoginArgs, VerifyReceiptArgs, VerifyUptimeArgs},
	clock::now_ms,
	config::Config,
	digest::Digest,
	http::RECEIPT_HEADER,
	receipt::Receipt,
	service::{Directory, Identity, RunError},
};
use reqwest::StatusCode;
use std::{
	fs, io,
	sync::{Arc, Mutex},
	time::Duration,
};

#[tokio::test]
async fn a_receipt_is_given_and_verified() {
	let server = public_server().await;
	let (manifest, digest) = server.push_image("a", "v1", b"content").await;
	let response = server.put_manifest("a", "v2", &manifest).await;
	let header = response.headers()[RECEIPT_HEADER].to_str().unwrap().to_owned();
	let path = format!("/modicum/receipts?repository=a&digest={digest}");
	let asked = server.get(&path).await.text().await.unwrap();
	let again: Receipt = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&header).unwrap()).unwrap();
	assert_eq!(again, serde_json::from_str(&asked).unwrap(), "one manifest, one receipt");
	let dir = tempfile::tempdir().unwrap();
	let file = dir.path().join("receipt");
	let account = server.directory.account();
	for text in [&header, &asked] {
		fs::write(&file, text).unwrap();
		let receipt =
			cli::verify_receipt(&VerifyReceiptArgs { file: file.clone(), account }).unwrap();
		assert_eq!(receipt.digest, digest);
		assert_eq!(receipt.size, manifest.to_string().len() as u64);
		assert_eq!(receipt.content_size, 7 + "{\"for\":\"v1\"}".len() as u64);
	}
	let other = VerifyReceiptArgs { file: file.clone(), account: key(1).1 };
	assert!(matches!(cli::verify_receipt(&other), Err(cli::CliError::Refuted(_))));
	fs::write(&file, asked.replace("\"size\":", "\"size\":1")).unwrap();
	let forged = cli::verify_receipt(&VerifyReceiptArgs { file: file.clone(), account });
	assert!(matches!(forged, Err(cli::CliError::Refuted(_))));
	fs::write(&file, "nonsense").unwrap();
	let nonsense = cli::verify_receipt(&VerifyReceiptArgs { file, account });
	assert!(matches!(nonsense, Err(cli::CliError::Content { .. })));
	let unknown = format!("/modicum/receipts?repository=a&digest={}", Digest::of(b"?"));
	assert_error(server.get(&unknown).await, 404, "MANIFEST_UNKNOWN").await;
}

#[tokio::test]
async fn the_record_of_uptime_is_served_and_verified_over_restarts() {
	let data = tempfile::tempdir().unwrap();
	let mut config = modicum_directory::config::Config {
		data: data.path().to_owned(),
		id: "directory.example".into(),
		..Default::default()
	};
	config.times.heartbeat_secs = 1;
	let first = server_on(config.clone(), public_policy()).await;
	// A time to come, so that the heartbeats of the background do not come between.
	let begin = now_ms() + 1_000_000;
	for minute in 1..=50 {
		first.directory.beat(begin + minute).await.unwrap();
	}
	first.shut_down().await;
	let second = server_on(config, public_policy()).await;
	second.directory.beat(begin + 5_000).await.unwrap();
	second.directory.beat(begin + 6_000).await.unwrap();
	let args = |from, to, probes| VerifyUptimeArgs {
		source: second.url.replace("directory.example", &second.address.to_string()),
		account: second.directory.account(),
		from,
		to,
		probes,
	};
	let report = cli::verify_uptime(&args(begin, begin + 6_000, None)).await.unwrap();
	assert!(report.up_ms >= 1_000 && report.up_ms < 6_000, "{report:?}");
	assert!(!report.gaps.is_empty(), "the restart shows");
	let probes = data.path().join("probes");
	fs::write(&probes, format!("{{\"at\":{},\"up\":false}}\n", begin + 5_500)).unwrap();
	let report = cli::verify_uptime(&args(begin, begin + 6_000, Some(probes.clone()))).await;
	assert_eq!(report.unwrap().contradicted_by.len(), 1);
	fs::write(&probes, "nonsense\n").unwrap();
	assert!(cli::verify_uptime(&args(begin, begin + 1, Some(probes))).await.is_err());
	let mut other = args(begin, begin + 1, None);
	other.account = key(1).1;
	assert!(matches!(cli::verify_uptime(&other).await, Err(cli::CliError::Refuted(_))));
}

#[tokio::test]
async fn old_heartbeats_are_dropped_and_the_rest_still_verifies() {
	let server = server(public_policy(), |config| {
		config.times.heartbeat_kept_secs = 100;
	})
	.await;
	let begin = now_ms() + 1_000_000;
	for i in 0..20 {
		server.directory.beat(begin + i * 10_000).await.unwrap();
	}
	let (first, last) = server.directory.index.read(|r| r.heartbeat_bounds()).unwrap().unwrap();
	assert!(last - first <= 11, "{first} {last}");
	let args = VerifyUptimeArgs {
		source: server.url.clone(),
		account: server.directory.account(),
		from: begin + 100_000,
		to: begin + 190_000,
		probes: None,
	};
	let report = cli::verify_uptime(&args).await.unwrap();
	assert_eq!((report.up_ms, report.gaps.len()), (90_000, 0));
}

#[tokio::test]
async fn status_metrics_and_collection_are_served_to_the_operator() {
	let server = public_server().await;
	server.push_image("a", "v1", b"content").await;
	let args = AdminArgs { admin: server.admin };
	let status = cli::status(&args).await.unwrap();
	assert_eq!((status.stored_blobs, status.damaged_blobs, status.open_uploads), (3, 0, 0));
	assert_eq!(status.account, server.directory.account());
	assert_eq!(cli::gc(&args).await.unwrap(), Default::default());
	let metrics = server.client.get(format!("http://{}/metrics", server.admin));
	let metrics = metrics.send().await.unwrap().text().await.unwrap();
	for line in [
		"modicum_directory_stored_blobs 3",
		"modicum_directory_requests_total{class=\"2xx\",method=\"PUT\"} 3",
		"modicum_directory_requests_total{class=\"5xx\",method=\"DELETE\"} 0",
		"modicum_directory_logins_refused_total 0",
	] {
		assert!(metrics.contains(line), "{line}\n{metrics}");
	}
	let public = server.get("/metrics").await;
	assert_eq!(public.status(), StatusCode::NOT_FOUND, "figures are the operator's");
	assert_eq!(server.get("/healthz").await.text().await.unwrap(), "ok\n");
}

/// What the service logs in this process, as JSON lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		self.0.lock().unwrap().extend_from_slice(bytes);
		Ok(bytes.len())
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}

impl Log {
	/// The access log's lines about this path, as soon as there are so many: an answer may arrive before
	/// its line is written.
	async fn about(&self, path: &str, count: usize) -> Vec<serde_json::Value> {
		loop {
			let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
			let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
			let found: Vec<serde_json::Value> =
				lines.filter(|line: &serde_json::Value| line["fields"]["path"] == path).collect();
			if found.len() >= count {
				return found;
			}
			tokio::time::sleep(Duration::from_millis(5)).await;
		}
	}
}

#[tokio::test]
async fn every_request_is_a_line_of_the_access_log() {
	let log = Log::default();
	let writer = log.clone();
	// The only subscriber of this process; other tests' requests are in the log too.
	tracing_subscriber::fmt()
		.json()
		.with_env_filter("modicum::directory::access=info")
		.with_writer(move || writer.clone())
		.init();
	let (alice, account) = key(1);
	let policy =
		StandalonePolicy { writers: [account].into(), public_read: true, ..Default::default() };
	let server = server(Arc::new(policy), |_| ()).await;
	let user = server.logged_in(&alice, &["repository:logged:*"]).await;
	let digest = user.push_blob("logged", b"content").await;

	let path = format!("/v2/logged/blobs/{digest}");
	user.get(&path).await;
	server.get(&path).await;
	server.with_token("forged").get(&path).await;
	server.delete(&path).await;
	let lines = log.about(&path, 4).await;
	assert_eq!(lines.len(), 4);
	for line in &lines {
		assert_eq!(line["target"], "modicum::directory::access");
		assert_eq!(line["level"], "INFO");
		let fields = &line["fields"];
		let peer: std::net::SocketAddr = fields["peer"].as_str().unwrap().parse().unwrap();
		assert!(peer.ip().is_loopback());
		assert!(fields["micros"].is_u64(), "{line}");
		assert!(line["timestamp"].is_string(), "{line}");
	}
	let told = |line: &serde_json::Value| {
		let fields = &line["fields"];
		let text = |name: &str| fields[name].as_str().unwrap().to_owned();
		let number = |name: &str| fields[name].as_u64().unwrap();
		let account = text("account");
		(text("method"), account, number("status"), number("bytes_in"), number("bytes_out"))
	};
	let told: Vec<_> = lines.iter().map(told).collect();
	let (name, nobody) = (account.to_string(), "-".to_owned());
	assert_eq!(told[0], ("GET".into(), name.clone(), 200, 0, 7));
	assert_eq!(told[1], ("GET".into(), nobody.clone(), 200, 0, 7));
	// Refused requests are logged as well, with the length of what the client is told.
	assert_eq!((&told[2].1, told[2].2, told[3].2), (&nobody, 401, 401));
	assert_eq!((told[3].0.as_str(), told[3].3), ("DELETE", 0));
	assert!(told[2].4 > 0 && told[3].4 > 0);

	// The upload's bytes are those of the body; what a request carries of secrets is not in the log.
	let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
	let uploads: Vec<serde_json::Value> = text
		.lines()
		.map(|line| serde_json::from_str(line).unwrap())
		.filter(|line: &serde_json::Value| {
			let path = line["fields"]["path"].as_str().unwrap();
			path.starts_with("/v2/logged/blobs/uploads/") && line["fields"]["method"] == "PUT"
		})
		.collect();
	assert_eq!(uploads.len(), 1, "{text}");
	let fields = &uploads[0]["fields"];
	assert_eq!(fields["bytes_in"], 7);
	assert_eq!((&fields["status"], &fields["account"]), (&201.into(), &name.into()));
	assert!(!text.contains("forged") && !text.contains("Bearer") && !text.contains("digest="));
}

#[tokio::test]
async fn an_export_is_an_image_layout_and_is_continued() {
	let server = public_server().await;
	let (_, digest) = server.push_image("a/b", "v1", b"one").await;
	server.push_image("c", "v1", b"two").await;
	let dir = tempfile::tempdir().unwrap();
	let folder = dir.path().join("layout");
	let mut args =
		ExportArgs { admin: server.admin, folder: folder.clone(), repository: Some("a/b".into()) };
	let exported = cli::export(&args).await.unwrap();
	assert_eq!((exported.repositories, exported.fetched, exported.present), (1, 3, 0));
	args.repository = None;
	let exported = cli::export(&args).await.unwrap();
	assert_eq!((exported.repositories, exported.fetched, exported.present), (2, 2, 4));
	let manifest = fs::read(folder.join("blobs/sha256").join(digest.to_hex())).unwrap();
	assert_eq!(Digest::of(&manifest), digest);
	let index: serde_json::Value =
		serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
	let names: Vec<_> = index["manifests"]
		.as_array()
		.unwrap()
		.iter()
		.map(|m| m["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap())
		.collect();
	assert_eq!(names, ["a/b:v1", "c:v1"]);
	assert!(folder.join("oci-layout").exists());
}

#[tokio::test]
async fn login_prints_what_the_token_service_takes() {
	let server = public_server().await;
	let (alice, account) = key(1);
	let mut args =
		LoginArgs { directory: server.url.clone(), scope: "*".into(), life: 600, id: None };
	let login = cli::login(&args, &alice, &GENESIS).await.unwrap();
	assert_eq!(
		(login.registry.clone(), login.user.clone()),
		(server.address.to_string(), account.to_string())
	);
	let request = server.request(reqwest::Method::GET, "/token");
	let answer = request.basic_auth(login.user, Some(login.password)).send().await.unwrap();
	assert_eq!(answer.status(), StatusCode::OK);
	// Nothing is signed for another chain or a directory that calls itself otherwise.
	assert!(cli::login(&args, &alice, &[0; 32]).await.is_err());
	args.id = Some("other.example".into());
	assert!(cli::login(&args, &alice, &GENESIS).await.is_err());
}

#[tokio::test]
async fn a_folder_stays_that_of_one_account() {
	let data = tempfile::tempdir().unwrap();
	let config = || Config { data: data.path().into(), ..Config::default() };
	let open = |seed: u8| {
		let identity = Identity { keypair: key(seed).0, genesis: GENESIS };
		let address = "127.0.0.1:1".parse().unwrap();
		Directory::open(config(), address, identity, public_policy()).map(drop)
	};
	open(1).unwrap();
	let refused = open(2).unwrap_err();
	assert!(matches!(refused, RunError::OtherAccount { .. }), "{refused}");
	assert!(refused.to_string().contains(&key(1).1.to_string()), "{refused}");
	open(1).unwrap();
}

#[tokio::test]
async fn oci_client_pushes_and_pulls() {
	use oci_client::{
		client::{ClientConfig, ClientProtocol, Config, ImageLayer},
		secrets::RegistryAuth,
		Client, Reference,
	};
	let server = public_server().await;
	let config = ClientConfig { protocol: ClientProtocol::Http, ..Default::default() };
	let client = Client::new(config);
	let reference: Reference = format!("{}/a/b/c:v1", server.address).parse().unwrap();
	let content = noise(1, 3_000_000);
	let layer = ImageLayer::new(content.clone(), LAYER.into(), None);
	let image_config = Config::new(b"{}".to_vec(), "application/vnd.test+json".into(), None);
	client.push(&reference, &[layer], image_config, &RegistryAuth::Anonymous, None).await.unwrap();
	let pulled = client.pull(&reference, &RegistryAuth::Anonymous, vec![LAYER]).await.unwrap();
	assert_eq!(pulled.layers[0].data, content);
}
