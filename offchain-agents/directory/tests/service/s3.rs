// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Blobs in an S3-compatible bucket: the whole service over an emulator, which `tests/with-s3.sh`
//! starts and names in `MODICUM_TEST_S3`.

use super::common::*;
use futures::TryStreamExt;
use modicum_directory::{
	config::{Config, S3Config},
	digest::Digest,
	store::{BlobStore, ObjectBlobStore},
};
use object_store::{aws::AmazonS3Builder, ObjectStoreExt};
use reqwest::{header, Method, StatusCode};

/// A bucket of its own for each test.
async fn bucket(name: &str) -> S3Config {
	let endpoint = std::env::var("MODICUM_TEST_S3").expect("run by tests/with-s3.sh");
	let made = client().put(format!("{endpoint}/{name}")).send().await.unwrap();
	assert!(made.status().is_success(), "{made:?}");
	S3Config {
		bucket: name.into(),
		region: "us-east-1".into(),
		endpoint: Some(endpoint),
		prefix: "some/prefix".into(),
	}
}

#[tokio::test]
#[ignore = "needs an S3 emulator: scripts/test.sh runs it by tests/with-s3.sh"]
async fn the_service_keeps_its_blobs_in_a_bucket() {
	let data = tempfile::tempdir().unwrap();
	let s3 = bucket("service").await;
	let mut config = Config { data: data.path().into(), s3: Some(s3.clone()), ..Config::default() };
	config.times.loose_blob_secs = 0;
	let server = server_on(config, public_policy()).await;
	// More than one part of a multipart upload.
	let content = noise(1, 20_000_000);
	let (manifest, digest) = server.push_image("a", "v1", &content).await;
	let path = format!("/v2/a/blobs/{}", Digest::of(&content));
	assert_eq!(server.get(&path).await.bytes().await.unwrap(), content);
	let part = server.request(Method::GET, &path).header(header::RANGE, "bytes=9000000-9000009");
	let part = part.send().await.unwrap();
	assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
	assert_eq!(part.bytes().await.unwrap(), content[9_000_000..9_000_010]);
	let stored = server.get("/v2/a/manifests/v1").await.text().await.unwrap();
	assert_eq!(stored, manifest.to_string());
	let empty = server.push_blob("a", b"").await;
	let response = server.get(&format!("/v2/a/blobs/{empty}")).await;
	assert_eq!(response.bytes().await.unwrap().len(), 0);
	assert!(!data.path().join("blobs").exists(), "nothing of it lies on the local disk");

	server.delete(&format!("/v2/a/manifests/{digest}")).await;
	tokio::time::sleep(std::time::Duration::from_millis(5)).await;
	let collected = server.directory.collect(true).await.unwrap();
	assert_eq!(collected.blobs, 4);
	let store = ObjectBlobStore::s3(&s3).unwrap();
	let left: Vec<_> = store.list().try_collect().await.unwrap();
	assert_eq!(left, []);
}

#[tokio::test]
#[ignore = "needs an S3 emulator: scripts/test.sh runs it by tests/with-s3.sh"]
async fn damage_in_a_bucket_is_found() {
	let data = tempfile::tempdir().unwrap();
	let s3 = bucket("damage").await;
	let config = Config { data: data.path().into(), s3: Some(s3.clone()), ..Config::default() };
	let server = server_on(config, public_policy()).await;
	let digest = server.push_blob("a", b"precious").await;
	let hex = digest.to_hex();
	let bucket = AmazonS3Builder::from_env()
		.with_bucket_name(&s3.bucket)
		.with_region(&s3.region)
		.with_endpoint(s3.endpoint.unwrap())
		.with_allow_http(true)
		.build()
		.unwrap();
	let object = format!("some/prefix/blobs/{}/{hex}", &hex[..2]).into();
	bucket.put(&object, "precioux".into()).await.unwrap();
	assert_eq!(server.directory.scrub(0).await.unwrap().damaged, 1);
	let response = server.get(&format!("/v2/a/blobs/{digest}")).await;
	assert_error(response, 404, "BLOB_UNKNOWN").await;
}
