// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! kill -9 in the middle of uploads: what was acknowledged is there, nothing half-written is served,
//! and what was on its way can be continued.

use super::common::*;
use modicum_directory::digest::Digest;
use reqwest::{header, Client, Method, StatusCode};
use std::{
	io::{BufRead, BufReader, Write},
	net::TcpStream,
	path::Path,
	process::{Child, Command, Stdio},
	time::Duration,
};

/// The service as a process of its own.
pub(super) struct Process {
	child: Child,
	pub(super) url: String,
	client: Client,
}

impl Process {
	/// At any free port, writable by everybody.
	pub(super) fn start(folder: &Path) -> Self {
		Self::start_at(folder, "127.0.0.1:0")
	}

	/// At this address, writable by everybody.
	pub(super) fn start_at(folder: &Path, address: &str) -> Self {
		let arguments = ["--public-write", "--id", "crash.example"];
		Self::start_with(folder, address, &arguments.map(str::to_owned))
	}

	/// At this address, with these arguments about who may write.
	pub(super) fn start_with(folder: &Path, address: &str, writers: &[String]) -> Self {
		let mut child = Command::new(env!("CARGO_BIN_EXE_modicum-directory"))
			.arg("run-alone")
			.args(writers)
			.args(["--listen", address, "--admin-listen", "127.0.0.1:0"])
			.arg("--data")
			.arg(folder.join("data"))
			.arg("--key")
			.arg(folder.join("seed"))
			.env("RUST_LOG", "info,modicum::directory::access=off")
			.env("NO_COLOR", "1")
			.stdout(Stdio::null())
			.stderr(Stdio::piped())
			.spawn()
			.unwrap();
		let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
		let line = loop {
			let line = lines.next().expect("the service says where it serves").unwrap();
			if line.contains(" address=") {
				break line;
			}
		};
		// Whatever else it says must not fill the pipe.
		std::thread::spawn(move || for _ in lines {});
		let address = line.split(" address=").nth(1).unwrap().split(' ').next().unwrap();
		Self { child, url: format!("http://{address}"), client: client() }
	}

	/// Host and port.
	pub(super) fn address(&self) -> String {
		self.url.trim_start_matches("http://").to_owned()
	}

	/// SIGKILL: nothing can be tidied up.
	pub(super) fn kill(self) {
		drop(self);
	}

	async fn begin(&self) -> String {
		let path = format!("{}/v2/a/blobs/uploads/", self.url);
		location(&self.client.request(Method::POST, path).send().await.unwrap())
	}

	async fn push(&self, content: Vec<u8>) -> reqwest::Result<StatusCode> {
		let digest = Digest::of(&content);
		let path = format!("{}/v2/a/blobs/uploads/?digest={digest}", self.url);
		Ok(self.client.post(path).body(content).send().await?.status())
	}
}

impl Drop for Process {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
	let folder = tempfile::tempdir().unwrap();
	let process = Process::start(folder.path());
	let location = process.begin().await;
	let content = noise(99, 900_000);
	let url = format!("{}{location}", process.url);
	let patched = process.client.patch(&url).body(content[..500_000].to_vec()).send().await;
	assert_eq!(patched.unwrap().status(), StatusCode::ACCEPTED);

	// Uploads without end until the kill; each notes what was acknowledged.
	let workers: Vec<_> = (0..4_u64)
		.map(|worker| {
			let (client, url) = (process.client.clone(), process.url.clone());
			tokio::spawn(async move {
				let mut acknowledged = Vec::new();
				for round in 0.. {
					let content = noise(worker * 1_000_000 + round, 50_000);
					let digest = Digest::of(&content);
					let path = format!("{url}/v2/a/blobs/uploads/?digest={digest}");
					match client.post(path).body(content).send().await {
						Ok(r) if r.status() == StatusCode::CREATED => acknowledged.push(digest),
						Ok(other) => panic!("{other:?}"),
						Err(_) => break,
					}
					if acknowledged.len() == 200 {
						break;
					}
				}
				acknowledged
			})
		})
		.collect();
	// Let some come through first, whatever the machine's pace.
	for seed in 0..20 {
		process.push(noise(5_000_000 + seed, 50_000)).await.unwrap();
	}
	process.kill();
	let mut acknowledged = Vec::new();
	for worker in workers {
		acknowledged.extend(worker.await.unwrap());
	}
	assert!(!acknowledged.is_empty());

	let process = Process::start(folder.path());
	for digest in acknowledged {
		let url = format!("{}/v2/a/blobs/{digest}", process.url);
		let response = process.client.get(url).send().await.unwrap();
		assert_eq!(response.status(), StatusCode::OK);
		assert_eq!(Digest::of(&response.bytes().await.unwrap()), digest);
	}
	let url = format!("{}{location}", process.url);
	let status = process.client.get(&url).send().await.unwrap();
	assert_eq!(status.headers()[header::RANGE], "0-499999");
	let end = format!("{url}?digest={}", Digest::of(&content));
	let response = process.client.put(end).body(content[500_000..].to_vec()).send().await.unwrap();
	assert_eq!(response.status(), StatusCode::CREATED);
	process.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_post_in_whose_middle_it_is_killed_leaves_nothing() {
	let folder = tempfile::tempdir().unwrap();
	let uploads = folder.path().join("data/uploads");
	let process = Process::start(folder.path());
	let path = format!("/v2/a/blobs/uploads/?digest={}", Digest::of(b"never"));
	let mut stream = TcpStream::connect(process.address()).unwrap();
	write!(stream, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nne").unwrap();
	while std::fs::read_dir(&uploads).unwrap().count() == 0 {
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
	process.kill();
	assert_eq!(std::fs::read_dir(&uploads).unwrap().count(), 1);
	let process = Process::start(folder.path());
	assert_eq!(std::fs::read_dir(&uploads).unwrap().count(), 0);
	process.kill();
}
