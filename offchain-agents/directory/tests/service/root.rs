// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A disk that is really full: a small tmpfs, which only root can mount.

use super::common::*;
use modicum_directory::{config::Config, digest::Digest};
use reqwest::{Method, StatusCode};
use std::{fs, path::Path, process::Command};

/// A mounted tmpfs; unmounted at the end.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
	fn new(megabytes: u32) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let status = Command::new("mount")
			.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
			.arg(folder.path())
			.status()
			.unwrap();
		assert!(status.success(), "mounting a tmpfs needs root");
		Self(folder)
	}

	fn path(&self) -> &Path {
		self.0.path()
	}
}

impl Drop for SmallDisk {
	fn drop(&mut self) {
		let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
	}
}

#[tokio::test]
#[ignore = "needs root: scripts/test-docker.sh"]
async fn a_disk_that_fills_up_in_mid_write_loses_nothing() {
	let disk = SmallDisk::new(16);
	let mut config = Config { data: disk.path().join("data"), ..Config::default() };
	config.limits.min_free_bytes = 0;
	let server = server_on(config, public_policy()).await;
	let (manifest, _) = server.push_image("a", "v1", b"safe").await;
	let location = server.begin("a").await;
	assert_eq!(server.append(&location, noise(1, 4_000_000)).await.status(), 202);
	let response = server.append(&location, noise(2, 20_000_000)).await;
	assert_error(response, 507, "UNAVAILABLE").await;
	// Nobody else is harmed: reading goes on, and so does health.
	let read = server.get("/v2/a/manifests/v1").await;
	assert_eq!(read.text().await.unwrap(), manifest.to_string());
	// The upload stands at a byte that is really there; with room again it goes on.
	let status = server.get(&location).await;
	let range = status.headers()["range"].to_str().unwrap().to_owned();
	let there = range[2..].parse::<usize>().unwrap() + 1;
	assert!(there >= 4_000_000);
	assert_eq!(server.delete(&location).await.status(), StatusCode::NO_CONTENT);
	server.push_blob("a", &noise(3, 4_000_000)).await;
}

#[tokio::test]
#[ignore = "needs root: scripts/test-docker.sh"]
async fn an_index_that_could_not_be_written_works_again_when_there_is_room() {
	let disk = SmallDisk::new(16);
	let mut config = Config { data: disk.path().join("data"), ..Config::default() };
	config.limits.min_free_bytes = 0;
	let server = server_on(config, public_policy()).await;
	server.push_blob("a", b"before").await;
	let ballast = disk.path().join("ballast");
	// All but nothing is left: neither a blob nor a row fits any more.
	let _ = fs::write(&ballast, noise(1, 32_000_000));
	let mut refused = 0;
	for i in 0..200_u32 {
		let content = noise(u64::from(i), 3_000);
		let path = format!("/v2/b/blobs/uploads/?digest={}", Digest::of(&content));
		let response = server.request(Method::POST, &path).body(content).send().await.unwrap();
		match response.status().as_u16() {
			201 => {},
			507 => refused += 1,
			other => panic!("{other}: {}", response.text().await.unwrap()),
		}
	}
	assert!(refused > 0);
	fs::remove_file(&ballast).unwrap();
	server.push_blob("a", b"after").await;
	for content in [b"before".as_slice(), b"after"] {
		let path = format!("/v2/a/blobs/{}", Digest::of(content));
		assert_eq!(server.get(&path).await.bytes().await.unwrap(), content);
	}
	assert_eq!(server.directory.scrub(0).await.unwrap().damaged, 0);
}

#[tokio::test]
#[ignore = "needs root: scripts/test-docker.sh"]
async fn the_reserve_is_kept_free() {
	let disk = SmallDisk::new(16);
	let mut config = Config { data: disk.path().join("data"), ..Config::default() };
	config.limits.min_free_bytes = 8 * 1024 * 1024;
	let server = server_on(config, public_policy()).await;
	let location = server.begin("a").await;
	let response = server.append(&location, noise(2, 12_000_000)).await;
	assert_error(response, 507, "UNAVAILABLE").await;
	let free = rustix::fs::statvfs(disk.path()).unwrap();
	assert!(free.f_bavail * free.f_frsize > 7 * 1024 * 1024);
}
