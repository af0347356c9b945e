// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Compares the directory with Debian's docker-registry on this machine, in one run: pushes and pulls many
//! small blobs and large ones, with 1 and with 64 clients, and prints throughput and the most memory
//! that either process took.
//!
//! ```text
//! cargo run --example directory-bench -- [--small 1000] [--large-mib 1024] [--folder FOLDER]
//! ```
//!
//! A large push with 64 clients sends the same amount in 64 different blobs; a large pull with 64
//! clients has each of them read the whole large blob. The folder needs a few times the large size.

#![allow(clippy::unwrap_used)]

use clap::Parser;
use futures::StreamExt;
use modicum_directory::digest::Digest;
use reqwest::{Body, Client};
use std::{
	fs,
	net::{TcpListener, TcpStream},
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};

const MIB: usize = 1024 * 1024;
const SMALL_BYTES: usize = 4 * 1024;

#[derive(Parser)]
struct Arguments {
	/// Number of blobs of 4 KiB.
	#[arg(long, default_value_t = 1000)]
	small: usize,
	/// MiB of the large blob.
	#[arg(long, default_value_t = 1024)]
	large_mib: usize,
	/// Where both services store.
	#[arg(long, default_value = "/var/tmp")]
	folder: PathBuf,
	/// The service to measure, built beside this program if not given.
	#[arg(long)]
	directory: Option<PathBuf>,
}

/// A service under measurement.
struct Service {
	child: Child,
	url: String,
	_data: tempfile::TempDir,
}

impl Service {
	fn directory(program: &Path, folder: &Path) -> Self {
		let data = tempfile::tempdir_in(folder).unwrap();
		let settings = "[limits]\nrequests_per_second = 0\naccount_uploads = 100000\n\
			account_bytes = 1099511627776\naccount_objects = 100000000\n";
		let config = data.path().join("config.toml");
		fs::write(&config, settings).unwrap();
		let (port, admin) = (free_port(), free_port());
		let mut command = Command::new(program);
		command
			.args(["run-alone", "--public-write", "--config"])
			.arg(&config)
			.arg("--data")
			.arg(data.path().join("data"))
			.arg("--key")
			.arg(data.path().join("seed"))
			.args(["--listen", &format!("127.0.0.1:{port}")])
			.args(["--admin-listen", &format!("127.0.0.1:{admin}")]);
		Self::start("modicum", command, port, data)
	}

	fn docker_registry(folder: &Path) -> Self {
		let data = tempfile::tempdir_in(folder).unwrap();
		let port = free_port();
		let config = data.path().join("config.yml");
		let settings = format!(
			"version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n",
			data.path().join("data").display()
		);
		fs::write(&config, settings).unwrap();
		let mut command = Command::new("docker-registry");
		command.arg("serve").arg(&config);
		Self::start("docker-registry", command, port, data)
	}

	fn start(name: &'static str, mut command: Command, port: u16, data: tempfile::TempDir) -> Self {
		// Both write their access logs, to files.
		let log = fs::File::create(data.path().join("log")).unwrap();
		command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null());
		let mut child = command.spawn().unwrap_or_else(|e| panic!("{name} cannot be run: {e}"));
		while TcpStream::connect(("127.0.0.1", port)).is_err() {
			assert!(child.try_wait().unwrap().is_none(), "{name} does not start");
			std::thread::sleep(Duration::from_millis(20));
		}
		Self { child, url: format!("http://127.0.0.1:{port}"), _data: data }
	}

	/// The most resident memory since [`Self::reset_peak`], MiB.
	fn peak_mib(&self) -> f64 {
		let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
		let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
		line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
	}

	fn reset_peak(&self) {
		fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
	}
}

impl Drop for Service {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

fn free_port() -> u16 {
	TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Bytes that cost nothing to make and differ by seed.
fn content(seed: usize, len: usize) -> bytes::Bytes {
	let mut bytes = vec![0x5a_u8; len];
	bytes[..8].copy_from_slice(&seed.to_le_bytes());
	bytes.into()
}

/// Pushes as clients do: begin, then send and end.
async fn push(client: &Client, url: &str, digest: &Digest, body: Body) {
	let begun = client.post(format!("{url}/v2/bench/blobs/uploads/")).send().await.unwrap();
	assert_eq!(begun.status(), 202);
	let location = begun.headers()["location"].to_str().unwrap();
	let location =
		if location.starts_with('/') { format!("{url}{location}") } else { location.to_owned() };
	let joint = if location.contains('?') { '&' } else { '?' };
	let request = client.put(format!("{location}{joint}digest={digest}"));
	let request = request.header("content-type", "application/octet-stream").body(body);
	assert_eq!(request.send().await.unwrap().status(), 201);
}

async fn pull(client: &Client, url: &str, digest: &Digest) -> usize {
	let response = client.get(format!("{url}/v2/bench/blobs/{digest}")).send().await.unwrap();
	assert_eq!(response.status(), 200);
	let mut chunks = response.bytes_stream();
	let mut len = 0;
	while let Some(chunk) = chunks.next().await {
		len += chunk.unwrap().len();
	}
	len
}

/// What is moved: the blobs and whether they are pushed.
#[derive(Clone)]
struct Work {
	blobs: Arc<Vec<(Digest, bytes::Bytes)>>,
	is_push: bool,
	/// How often each blob is moved.
	times: usize,
}

/// Moves everything with so many clients; the result is seconds.
async fn measure(service: &Service, work: &Work, clients: usize) -> f64 {
	let client = Client::builder().no_proxy().build().unwrap();
	let next = Arc::new(AtomicUsize::new(0));
	let started = Instant::now();
	let workers: Vec<_> = (0..clients)
		.map(|_| {
			let (client, work, next) = (client.clone(), work.clone(), next.clone());
			let url = service.url.clone();
			tokio::spawn(async move {
				loop {
					let i = next.fetch_add(1, Ordering::Relaxed);
					if i >= work.blobs.len() * work.times {
						break;
					}
					let (digest, bytes) = &work.blobs[i % work.blobs.len()];
					if work.is_push {
						push(&client, &url, digest, bytes.clone().into()).await;
					} else {
						assert_eq!(pull(&client, &url, digest).await, bytes.len());
					}
				}
			})
		})
		.collect();
	for worker in workers {
		worker.await.unwrap();
	}
	started.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
	let _ = rustls::crypto::ring::default_provider().install_default();
	let arguments = Arguments::parse();
	let program = arguments.directory.clone().unwrap_or_else(|| {
		let here = std::env::current_exe().unwrap();
		here.parent().unwrap().parent().unwrap().join("modicum-directory")
	});
	let digested = |blobs: Vec<bytes::Bytes>| {
		Arc::new(blobs.into_iter().map(|b| (Digest::of(&b), b)).collect::<Vec<_>>())
	};
	let large = arguments.large_mib * MIB;
	println!(
		"{:<34}{:>8}{:>18}{:>18}{:>16}{:>16}",
		"", "clients", "modicum", "docker-registry", "modicum MiB", "registry MiB"
	);
	let folder = &arguments.folder;
	for clients in [1, 64] {
		let services = [Service::directory(&program, folder), Service::docker_registry(folder)];
		let small = digested((0..arguments.small).map(|i| content(i, SMALL_BYTES)).collect());
		let parts = digested((0..clients).map(|i| content(i, large / clients)).collect());
		let small_work = |is_push| Work { blobs: small.clone(), is_push, times: 1 };
		row(&format!("push {} x 4 KiB", arguments.small), &services, &small_work(true), clients)
			.await;
		row(&format!("pull {} x 4 KiB", arguments.small), &services, &small_work(false), clients)
			.await;
		let pushed = Work { blobs: parts.clone(), is_push: true, times: 1 };
		let name = format!("push {clients} x {} MiB", arguments.large_mib / clients);
		row(&name, &services, &pushed, clients).await;
		drop((parts, pushed));
		let whole = digested(vec![content(usize::MAX, large)]);
		let mut pulled = Work { blobs: whole, is_push: true, times: 1 };
		if clients > 1 {
			for service in &services {
				measure(service, &pulled, 1).await;
			}
		} else {
			let whole = digested(vec![content(0, large)]);
			pulled.blobs = whole;
		}
		pulled.is_push = false;
		pulled.times = clients;
		let name = format!("pull {clients} x {} MiB", arguments.large_mib);
		row(&name, &services, &pulled, clients).await;
	}
}

/// How often a pull is measured, in turn with the other service. A push is measured once, since the blob is there then.
const ROUNDS: usize = 3;

/// Measures both services and prints a line: MiB per second for large blobs, blobs per second for small, each the
/// median of its rounds.
async fn row(name: &str, services: &[Service; 2], work: &Work, clients: usize) {
	let mut seconds = [const { Vec::new() }; 2];
	services.iter().for_each(Service::reset_peak);
	for _ in 0..if work.is_push { 1 } else { ROUNDS } {
		for (service, seconds) in services.iter().zip(&mut seconds) {
			seconds.push(measure(service, work, clients).await);
		}
	}
	let mut cells = Vec::new();
	for (service, mut seconds) in services.iter().zip(seconds) {
		seconds.sort_by(f64::total_cmp);
		let seconds = seconds[seconds.len() / 2];
		let bytes: usize = work.blobs.iter().map(|(_, b)| b.len()).sum::<usize>() * work.times;
		let (amount, unit) = if work.blobs[0].1.len() <= SMALL_BYTES {
			((work.blobs.len() * work.times) as f64, "blobs/s")
		} else {
			(bytes as f64 / MIB as f64, "MiB/s")
		};
		cells.push((format!("{:.0} {unit}", amount / seconds), service.peak_mib()));
	}
	println!(
		"{name:<34}{clients:>8}{:>18}{:>18}{:>16.1}{:>16.1}",
		cells[0].0, cells[1].0, cells[0].1, cells[1].1
	);
}
