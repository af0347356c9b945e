// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The clients that people use: a Docker Engine and skopeo, against a directory that asks for logins.
//! The engine comes through `DOCKER_HOST` and must run on this machine, for the directory is on
//! loopback.

use super::common::*;
use modicum_directory::{
	access::StandalonePolicy,
	cli::{self, Credentials, LoginArgs},
	digest::Digest,
};
use reqwest::StatusCode;
use std::{
	io::Write,
	path::Path,
	process::{Command, Stdio},
	sync::Arc,
};

/// Runs a program with its input; it must end well. The result is what it printed.
fn run(mut command: Command, input: &[u8]) -> String {
	let spawned =
		command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
	let mut child = spawned.unwrap_or_else(|e| panic!("{command:?} cannot be run: {e}"));
	child.stdin.take().unwrap().write_all(input).unwrap();
	let output = child.wait_with_output().unwrap();
	let text = String::from_utf8_lossy(&output.stdout).into_owned();
	assert!(
		output.status.success(),
		"{command:?}\n{text}\n{}",
		String::from_utf8_lossy(&output.stderr)
	);
	text
}

/// Runs a program off the test's runtime, on which the server lives.
async fn run_beside(command: Command, input: Vec<u8>) -> String {
	tokio::task::spawn_blocking(move || run(command, &input)).await.unwrap()
}

async fn docker(config: &Path, args: &[&str], input: &[u8]) -> String {
	let mut command = Command::new("docker");
	command.arg("--config").arg(config).args(args);
	run_beside(command, input.to_vec()).await
}

async fn skopeo(args: &[&str]) -> String {
	let mut command = Command::new("skopeo");
	// Debian's skopeo asks for a policy file, which not every machine has.
	command.arg("--insecure-policy").args(args);
	run_beside(command, Vec::new()).await
}

/// A directory that only `key(1)` may write to, and that account's login.
async fn private_server(public_read: bool) -> (Server, Credentials) {
	let (alice, account) = key(1);
	let policy = StandalonePolicy { writers: [account].into(), public_read, public_write: false };
	let server = server(Arc::new(policy), |_| ()).await;
	let args = LoginArgs { directory: server.url.clone(), scope: "*".into(), life: 600, id: None };
	let login = cli::login(&args, &alice, &GENESIS).await.unwrap();
	(server, login)
}

/// A tar archive of one file.
fn archive(content: &[u8]) -> Vec<u8> {
	let mut header = [0_u8; 512];
	let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
	put(0, b"content");
	put(100, b"0000644\0");
	put(108, b"0000000\0");
	put(116, b"0000000\0");
	put(124, format!("{:011o}\0", content.len()).as_bytes());
	put(136, b"00000000000\0");
	put(148, b"        ");
	put(156, b"0");
	put(257, b"ustar\x0000");
	let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
	header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
	let mut tar = header.to_vec();
	tar.extend_from_slice(content);
	tar.resize(tar.len().div_ceil(512) * 512 + 1024, 0);
	tar
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
async fn docker_logs_in_pushes_and_pulls() {
	let (server, login) = private_server(false).await;
	let config = tempfile::tempdir().unwrap();
	let config = config.path();
	let image = format!("{}/team/project/image:v1", server.address);
	let image = image.as_str();
	docker(config, &["import", "-", image], &archive(&noise(1, 3_000_000))).await;
	let id = docker(config, &["image", "inspect", "--format", "{{.Id}}", image], b"").await;

	let registry = login.registry.as_str();
	let args = ["login", "--username", &login.user, "--password-stdin", registry];
	let said = docker(config, &args, login.password.as_bytes()).await;
	assert!(said.contains("Login Succeeded"), "{said}");
	let pushed = docker(config, &["push", image], b"").await;
	let digest = pushed.split("digest: ").nth(1).unwrap().split(' ').next().unwrap();
	let digest: Digest = digest.parse().unwrap();

	docker(config, &["image", "rm", image], b"").await;
	let by_digest = format!("{}/team/project/image@{digest}", server.address);
	for reference in [image, by_digest.as_str()] {
		docker(config, &["pull", reference], b"").await;
		let args = ["image", "inspect", "--format", "{{.Id}}", reference];
		assert_eq!(docker(config, &args, b"").await, id);
		docker(config, &["image", "rm", reference], b"").await;
	}
	// Pushing what is there again is nothing new, also under another name.
	docker(config, &["pull", image], b"").await;
	let other = format!("{}/other:v1", server.address);
	docker(config, &["tag", image, &other], b"").await;
	docker(config, &["push", image], b"").await;
	docker(config, &["push", &other], b"").await;
	docker(config, &["image", "rm", image, &other], b"").await;
	let response = server.get("/v2/other/manifests/v1").await;
	assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "nothing of this was public");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
async fn docker_is_refused_what_the_account_may_not_do() {
	let (server, _) = private_server(true).await;
	let config = tempfile::tempdir().unwrap();
	let image = format!("{}/refused:v1", server.address);
	docker(config.path(), &["import", "-", &image], &archive(b"refused")).await;
	let mut push = Command::new("docker");
	push.arg("--config").arg(config.path()).args(["push", &image]);
	let output = tokio::task::spawn_blocking(move || push.output()).await.unwrap().unwrap();
	assert!(!output.status.success());
	docker(config.path(), &["image", "rm", &image], b"").await;
	let mut login = Command::new("docker");
	login.arg("--config").arg(config.path());
	login.args(["login", "--username", &key(1).1.to_string(), "--password", "guess"]);
	login.arg(server.address.to_string());
	let output = tokio::task::spawn_blocking(move || login.output()).await.unwrap().unwrap();
	assert!(!output.status.success());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
async fn skopeo_copies_inspects_lists_and_deletes() {
	let (server, login) = private_server(false).await;
	let config = tempfile::tempdir().unwrap();
	let auth_file = config.path().join("auth.json");
	let image = format!("docker://{}/skopeo/image:v1", server.address);
	let folder = config.path().join("layout");
	// The layout that an export writes is what skopeo reads.
	let source = public_server().await;
	source.push_image("made", "v1", &archive(b"skopeo")).await;
	cli::export(&cli::ExportArgs { admin: source.admin, folder: folder.clone(), repository: None })
		.await
		.unwrap();
	let mut command = Command::new("skopeo");
	command.args(["login", "--tls-verify=false", "--authfile"]).arg(&auth_file);
	command.args(["--username", &login.user, "--password-stdin", &login.registry]);
	run_beside(command, login.password.clone().into_bytes()).await;

	let auth = auth_file.to_str().unwrap();
	let layout = format!("oci:{}:made:v1", folder.display());
	let insecure = ["--authfile", auth, "--dest-tls-verify=false"];
	skopeo(&[&["copy"], &insecure[..], &[&layout, &image]].concat()).await;
	let tls = ["--authfile", auth, "--tls-verify=false"];
	let raw = skopeo(&[&["inspect", "--raw"], &tls[..], &[&image]].concat()).await;
	let written = folder.join("blobs/sha256").join(Digest::of(raw.as_bytes()).to_hex());
	assert!(written.exists(), "the manifest came through as it was");
	let tags = skopeo(&[&["list-tags"], &tls[..], &[image.trim_end_matches(":v1")]].concat()).await;
	assert!(tags.contains("\"v1\""), "{tags}");
	let back = format!("oci:{}:back", config.path().join("back").display());
	let from = ["--authfile", auth, "--src-tls-verify=false"];
	skopeo(&[&["copy"], &from[..], &[&image, &back]].concat()).await;
	skopeo(&[&["delete"], &tls[..], &[&image]].concat()).await;
	let (alice, _) = key(1);
	let alice = server.logged_in(&alice, &["repository:skopeo/image:pull"]).await;
	let gone = alice.get("/v2/skopeo/image/manifests/v1").await;
	assert_error(gone, 404, "MANIFEST_UNKNOWN").await;
}

/// Any standard registry can stand in a directory's place: what the directory's users do works with
/// Debian's docker-registry too, told apart by the URL alone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
async fn a_standard_registry_can_stand_in_its_place() {
	use oci_client::{
		client::{ClientConfig, ClientProtocol, Config, ImageLayer},
		secrets::RegistryAuth,
		Client, Reference,
	};
	let folder = tempfile::tempdir().unwrap();
	let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
	let settings = format!(
		"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
		folder.path().join("data").display()
	);
	let file = folder.path().join("config.yml");
	std::fs::write(&file, settings).unwrap();
	let spawned = Command::new("docker-registry")
		.arg("serve")
		.arg(&file)
		.stdout(Stdio::null())
		.stderr(Stdio::null())
		.spawn();
	let mut registry = spawned.expect("Debian's docker-registry is installed");
	while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
		assert!(registry.try_wait().unwrap().is_none(), "docker-registry does not start");
		tokio::time::sleep(std::time::Duration::from_millis(50)).await;
	}
	let directory = public_server().await;
	let client = Client::new(ClientConfig { protocol: ClientProtocol::Http, ..Default::default() });
	let mut digests = Vec::new();
	for host in [format!("127.0.0.1:{port}"), directory.address.to_string()] {
		let reference: Reference = format!("{host}/jobs/one:v1").parse().unwrap();
		let layer = ImageLayer::new(b"content".to_vec(), LAYER.into(), None);
		let config = Config::new(b"{}".to_vec(), "application/vnd.test+json".into(), None);
		let auth = RegistryAuth::Anonymous;
		client.push(&reference, &[layer], config, &auth, None).await.unwrap();
		let pulled = client.pull(&reference, &auth, vec![LAYER]).await.unwrap();
		assert_eq!(pulled.layers[0].data, b"content"[..]);
		digests.push(pulled.digest.unwrap());
	}
	assert_eq!(digests[0], digests[1], "the hash on the chain is the same wherever it lies");
	registry.kill().unwrap();
	registry.wait().unwrap();
}
