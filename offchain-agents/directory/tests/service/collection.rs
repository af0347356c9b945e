// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Collection, while uploads go on and after the chain has closed a match; damage at rest.

use super::{
	accounts::{market, BANDWIDTH, GRACE_MS},
	common::*,
};
use modicum_directory::{access::Phase, clock::now_ms, digest::Digest, upkeep::Collected};
use reqwest::StatusCode;
use std::{
	fs,
	path::PathBuf,
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Arc,
	},
};

/// Where the local store keeps a blob.
fn file_of(server: &Server, digest: &Digest) -> PathBuf {
	let hex = digest.to_hex();
	server.directory.config.data.join("blobs").join(&hex[..2]).join(hex)
}

#[tokio::test]
async fn a_closed_matchs_contents_go_after_the_grace_period() {
	let market = market();
	let server = server(Arc::new(market.policy()), |config| {
		config.times.grace_secs = GRACE_MS / 1_000;
	})
	.await;
	let (job, result) = (market.job.to_string(), market.result.to_string());
	let scope = format!("repository:{job}:*");
	let creator = server.logged_in(&market.creator.0, &[&scope]).await;
	creator.push_image(&job, "v1", b"shared and the job's").await;
	let scope = format!("repository:{result}:pull,push");
	let provider = server.logged_in(&market.provider.0, &[&scope]).await;
	provider.push_image(&result, "v1", b"the result's").await;
	let blob = Digest::of(b"the result's");

	assert_eq!(server.directory.collect(true).await.unwrap(), Collected::default());
	market.phase(Phase::Closed { at: now_ms() + 60_000 });
	assert_eq!(server.directory.collect(true).await.unwrap(), Collected::default());
	assert!(file_of(&server, &blob).exists());

	// Closed long ago, but changed since: somebody may be about to use it anew.
	market.phase(Phase::Closed { at: 1 });
	assert_eq!(server.directory.collect(true).await.unwrap(), Collected::default());

	// Closed just now. Nothing goes while the chain cannot be asked.
	market.phase(Phase::Closed { at: now_ms() });
	market.chain.set(|chain| chain.is_down = true);
	let collected = server.directory.collect(true).await.unwrap();
	assert_eq!(collected, Collected { skipped: 2, ..Collected::default() });
	assert!(file_of(&server, &blob).exists());
	market.chain.set(|chain| chain.is_down = false);
	let collected = loop {
		let collected = server.directory.collect(true).await.unwrap();
		if collected != Collected::default() {
			break collected;
		}
		tokio::time::sleep(std::time::Duration::from_millis(20)).await;
	};
	assert_eq!((collected.expired, collected.blobs), (6, 5), "both share their config");
	assert!(!file_of(&server, &blob).exists());
}

#[tokio::test]
async fn what_nobody_claims_goes_with_its_bytes_and_charges() {
	let market = market();
	let server = server(Arc::new(market.policy()), |config| {
		config.times.grace_secs = 0;
		config.times.unclaimed_secs = 0;
	})
	.await;
	let (job, result) = (market.job.to_string(), market.result.to_string());
	let scope = format!("repository:{job}:*");
	let creator = server.logged_in(&market.creator.0, &[&scope]).await;
	creator.push_image(&job, "v1", b"both").await;
	let scope = format!("repository:{result}:pull,push");
	let provider = server.logged_in(&market.provider.0, &[&scope]).await;
	provider.push_image(&result, "v1", b"both").await;
	let blob = Digest::of(b"both");

	// The match is forgotten; the creator's job is still offered.
	market.chain.set(|chain| {
		chain.matches.clear();
		chain.open_offers.insert(market.job.clone(), BANDWIDTH);
	});
	let collected = server.directory.collect(true).await.unwrap();
	assert_eq!(collected.expired, 3);
	assert_eq!(collected.blobs, 0, "the job holds the same blob and config");
	assert!(file_of(&server, &blob).exists());
	market.chain.set(|chain| chain.open_offers.clear());
	let collected = server.directory.collect(true).await.unwrap();
	assert_eq!((collected.expired, collected.blobs, collected.strays), (3, 3, 0));
	assert!(!file_of(&server, &blob).exists());
	let left = server
		.directory
		.index
		.read(|r| Ok((r.stored()?, r.usage(&market.creator.1)?, r.usage(&market.provider.1)?)));
	assert_eq!(left.unwrap(), ((0, 0), (0, 0), (0, 0)));
	assert_eq!(server.directory.collect(true).await.unwrap(), Collected::default());
}

#[tokio::test]
async fn loose_blobs_uploads_and_strays_go() {
	let server = server(public_policy(), |config| {
		config.times.loose_blob_secs = 0;
		config.times.upload_secs = 0;
	})
	.await;
	server.push_image("a", "v1", b"kept").await;
	let loose = server.push_blob("a", b"loose").await;
	server.begin("a").await;
	let stray = Digest::of(b"stray");
	fs::write(file_of(&server, &stray), "stray").unwrap();
	// Times count in milliseconds; nothing expires in the one in which it came.
	tokio::time::sleep(std::time::Duration::from_millis(5)).await;
	let collected = server.directory.collect(true).await.unwrap();
	let expected = Collected { uploads: 1, loose: 1, blobs: 1, strays: 1, ..Collected::default() };
	assert_eq!(collected, expected);
	for gone in [loose, stray] {
		assert!(!file_of(&server, &gone).exists());
	}
	assert!(file_of(&server, &Digest::of(b"kept")).exists());
	assert_eq!(server.get("/v2/a/manifests/v1").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn collection_and_uploads_of_the_same_blobs_never_lose_one() {
	let server = Arc::new(
		server(public_policy(), |config| {
			config.times.loose_blob_secs = 0;
			config.limits.account_uploads = 10_000;
		})
		.await,
	);
	let (done, removed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
	let collector = {
		let (server, done, removed) = (server.clone(), done.clone(), removed.clone());
		tokio::spawn(async move {
			while !done.load(Ordering::Relaxed) {
				let collected = server.directory.collect(true).await.unwrap();
				removed.fetch_add(collected.blobs + collected.strays, Ordering::Relaxed);
			}
		})
	};
	// Pushing and deleting the same few blobs: what is acknowledged and linked must be readable, or
	// be honestly unknown once the collector has unlinked it, never a row without bytes. They go on until
	// the collector has had something to do.
	let workers: Vec<_> = (0..8_u64)
		.map(|worker| {
			let (server, removed) = (server.clone(), removed.clone());
			tokio::spawn(async move {
				for round in 0.. {
					if round >= 30 && removed.load(Ordering::Relaxed) > 0 {
						break;
					}
					let content = noise(round % 3, 5_000);
					let name = format!("worker{}", worker % 4);
					let digest = server.push_blob(&name, &content).await;
					let response = server.get(&format!("/v2/{name}/blobs/{digest}")).await;
					match response.status() {
						StatusCode::OK => assert_eq!(response.bytes().await.unwrap(), content),
						StatusCode::NOT_FOUND => {},
						other => panic!("{other}"),
					}
				}
			})
		})
		.collect();
	for worker in workers {
		worker.await.unwrap();
	}
	done.store(true, Ordering::Relaxed);
	collector.await.unwrap();
	// Manifests hold on to their blobs against the same collector.
	server.push_blob("kept", b"{}").await;
	let response = server.put_manifest("kept", "v1", &image(b"{}", &[])).await;
	assert!(matches!(response.status(), StatusCode::CREATED | StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn damage_at_rest_is_found_not_served_and_mended_by_a_new_upload() {
	let server = public_server().await;
	let (_, manifest) = server.push_image("a", "v1", b"precious").await;
	let (damaged, lost) = (Digest::of(b"precious"), server.push_blob("a", b"lost").await);
	fs::write(file_of(&server, &damaged), "precioux").unwrap();
	fs::remove_file(file_of(&server, &lost)).unwrap();
	let scrubbed = server.directory.scrub(0).await.unwrap();
	assert_eq!((scrubbed.whole, scrubbed.damaged), (2, 2));
	for digest in [damaged, lost] {
		let response = server.get(&format!("/v2/a/blobs/{digest}")).await;
		assert_error(response, 404, "BLOB_UNKNOWN").await;
	}
	let aside = server.directory.config.data.join("damaged").join(damaged.to_hex());
	assert_eq!(fs::read(aside).unwrap(), b"precioux");
	assert_eq!(server.directory.index.read(|r| r.damaged()).unwrap(), 2);
	server.push_blob("a", b"precious").await;
	server.push_blob("a", b"lost").await;
	assert_eq!(server.directory.index.read(|r| r.damaged()).unwrap(), 0);
	let blob = server.get(&format!("/v2/a/blobs/{damaged}")).await;
	assert_eq!(blob.text().await.unwrap(), "precious");
	let path = format!("/v2/a/manifests/{manifest}");
	assert_eq!(server.get(&path).await.status(), StatusCode::OK);
	assert_eq!(server.directory.scrub(0).await.unwrap().damaged, 0);
}
