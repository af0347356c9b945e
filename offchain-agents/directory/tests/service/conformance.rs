// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The cases of the OCI distribution specification 1.1, section by section.

use super::common::*;
use modicum_directory::{
	digest::Digest,
	manifest::{DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST},
};
use reqwest::{header, Method, StatusCode};
use serde_json::json;

const NAME: &str = "conformance/of/many-parts";

mod pull {
	use super::*;

	#[tokio::test]
	async fn the_base_tells_where_tokens_come_from() {
		let server = public_server().await;
		let response = server.get("/v2/").await;
		let challenge = response.headers()[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
		assert_error(response, 401, "UNAUTHORIZED").await;
		let id = server.address;
		assert_eq!(challenge, format!("Bearer realm=\"http://{id}/token\",service=\"{id}\""));
		let token = json_of(server.token(None, &[]).await).await["token"].clone();
		let known = server.with_token(token.as_str().unwrap());
		assert_eq!(known.get("/v2/").await.status(), StatusCode::OK);
		assert_eq!(known.get("/v2").await.status(), StatusCode::OK);
	}

	#[tokio::test]
	async fn a_blob_is_given_as_it_was_stored() {
		let server = public_server().await;
		let content = noise(1, 700_001);
		let digest = server.push_blob(NAME, &content).await;
		let path = format!("/v2/{NAME}/blobs/{digest}");
		let response = server.head(&path).await;
		assert_eq!(response.status(), StatusCode::OK);
		assert_eq!(response.headers()[header::CONTENT_LENGTH], "700001");
		assert_eq!(response.headers()["docker-content-digest"], digest.to_string());
		let response = server.get(&path).await;
		assert_eq!(response.status(), StatusCode::OK);
		assert_eq!(response.headers()[header::CONTENT_LENGTH], "700001");
		assert_eq!(response.headers()["docker-content-digest"], digest.to_string());
		assert_eq!(response.bytes().await.unwrap(), content);
	}

	#[tokio::test]
	async fn an_empty_blob_is_a_blob() {
		let server = public_server().await;
		let digest = server.push_blob(NAME, b"").await;
		let response = server.get(&format!("/v2/{NAME}/blobs/{digest}")).await;
		assert_eq!(response.headers()[header::CONTENT_LENGTH], "0");
		assert_eq!(response.bytes().await.unwrap().len(), 0);
	}

	#[tokio::test]
	async fn parts_of_a_blob_are_given() {
		let server = public_server().await;
		let content = noise(2, 400_000);
		let digest = server.push_blob(NAME, &content).await;
		let path = format!("/v2/{NAME}/blobs/{digest}");
		for (range, part) in
			[("0-0", 0..1), ("1000-299999", 1000..300_000), ("399999-", 399_999..400_000)]
		{
			let response = server
				.request(Method::GET, &path)
				.header(header::RANGE, format!("bytes={range}"))
				.send()
				.await
				.unwrap();
			assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
			let sent = format!("bytes {}-{}/400000", part.start, part.end - 1);
			assert_eq!(response.headers()[header::CONTENT_RANGE], sent);
			assert_eq!(response.bytes().await.unwrap(), content[part]);
		}
		let outside = server.request(Method::GET, &path).header(header::RANGE, "bytes=400000-");
		let response = outside.send().await.unwrap();
		assert_eq!(response.headers()[header::CONTENT_RANGE], "bytes */400000");
		assert_error(response, 416, "RANGE_INVALID").await;
	}

	#[tokio::test]
	async fn a_blob_that_is_not_there_is_unknown() {
		let server = public_server().await;
		let path = format!("/v2/{NAME}/blobs/{}", Digest::of(b"nowhere"));
		assert_eq!(server.head(&path).await.status(), StatusCode::NOT_FOUND);
		assert_error(server.get(&path).await, 404, "BLOB_UNKNOWN").await;
		// Nor is one that only another repository holds.
		let elsewhere = server.push_blob("elsewhere", b"x").await;
		let path = format!("/v2/{NAME}/blobs/{elsewhere}");
		assert_error(server.get(&path).await, 404, "BLOB_UNKNOWN").await;
	}

	#[tokio::test]
	async fn a_manifest_is_given_by_tag_and_by_digest() {
		let server = public_server().await;
		let (manifest, digest) = server.push_image(NAME, "v1", b"layer").await;
		for reference in ["v1".to_owned(), digest.to_string()] {
			let path = format!("/v2/{NAME}/manifests/{reference}");
			let head = server.head(&path).await;
			assert_eq!(head.status(), StatusCode::OK);
			assert_eq!(head.headers()[header::CONTENT_TYPE], OCI_MANIFEST);
			let response = server.get(&path).await;
			assert_eq!(response.status(), StatusCode::OK);
			for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::ETAG] {
				assert_eq!(response.headers()[&name], head.headers()[&name]);
			}
			assert_eq!(response.headers()["docker-content-digest"], digest.to_string());
			assert_eq!(response.bytes().await.unwrap(), manifest.to_string());
		}
	}

	#[tokio::test]
	async fn a_manifest_that_is_not_there_is_unknown() {
		let server = public_server().await;
		for reference in ["v1".to_owned(), Digest::of(b"nothing").to_string()] {
			let path = format!("/v2/{NAME}/manifests/{reference}");
			assert_eq!(server.head(&path).await.status(), StatusCode::NOT_FOUND);
			assert_error(server.get(&path).await, 404, "MANIFEST_UNKNOWN").await;
		}
	}
}

mod push {
	use super::*;

	#[tokio::test]
	async fn a_blob_is_pushed_by_post_then_put() {
		let server = public_server().await;
		let location = server.begin(NAME).await;
		let digest = Digest::of(b"content");
		let response = server.finish(&location, &digest, "content").await;
		assert_eq!(response.status(), StatusCode::CREATED);
		assert_eq!(response.headers()["docker-content-digest"], digest.to_string());
		let at = super::super::common::location(&response);
		assert_eq!(server.get(&at).await.text().await.unwrap(), "content");
	}

	#[tokio::test]
	async fn a_blob_is_pushed_by_a_single_post() {
		let server = public_server().await;
		let digest = Digest::of(b"content");
		let path = format!("/v2/{NAME}/blobs/uploads/?digest={digest}");
		let response = server.request(Method::POST, &path).body("content").send().await.unwrap();
		assert_eq!(response.status(), StatusCode::CREATED);
		let at = super::super::common::location(&response);
		assert_eq!(server.get(&at).await.text().await.unwrap(), "content");
	}

	#[tokio::test]
	async fn a_blob_is_pushed_in_chunks() {
		let server = public_server().await;
		let content = noise(3, 500_000);
		let (first, second) = content.split_at(300_000);
		let location = server.begin(NAME).await;
		let response = server
			.request(Method::PATCH, &location)
			.header(header::CONTENT_RANGE, "0-299999")
			.header(header::CONTENT_TYPE, "application/octet-stream")
			.body(first.to_vec())
			.send()
			.await
			.unwrap();
		assert_eq!(response.status(), StatusCode::ACCEPTED);
		assert_eq!(response.headers()[header::RANGE], "0-299999");
		let location = super::super::common::location(&response);
		let status = server.get(&location).await;
		assert_eq!(status.status(), StatusCode::NO_CONTENT);
		assert_eq!(status.headers()[header::RANGE], "0-299999");
		let digest = Digest::of(&content);
		let response = server
			.request(Method::PUT, &format!("{location}?digest={digest}"))
			.header(header::CONTENT_RANGE, "300000-499999")
			.body(second.to_vec())
			.send()
			.await
			.unwrap();
		assert_eq!(response.status(), StatusCode::CREATED);
		let blob = server.get(&format!("/v2/{NAME}/blobs/{digest}")).await;
		assert_eq!(blob.bytes().await.unwrap(), content);
		assert_error(server.get(&location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
	}

	#[tokio::test]
	async fn chunks_out_of_order_are_refused_and_told_where_to_go_on() {
		let server = public_server().await;
		let location = server.begin(NAME).await;
		server.append(&location, "abc").await;
		for range in ["0-2", "4-6", "1-3"] {
			let chunk = server.request(Method::PATCH, &location);
			let response =
				chunk.header(header::CONTENT_RANGE, range).body("def").send().await.unwrap();
			assert_eq!(response.headers()[header::RANGE], "0-2");
			assert_eq!(super::super::common::location(&response), location);
			assert_error(response, 416, "BLOB_UPLOAD_INVALID").await;
		}
		let digest = Digest::of(b"abcdef");
		let response = server.finish(&location, &digest, "def").await;
		assert_eq!(response.status(), StatusCode::CREATED);
	}

	#[tokio::test]
	async fn an_upload_can_be_cancelled() {
		let server = public_server().await;
		let location = server.begin(NAME).await;
		assert_eq!(server.delete(&location).await.status(), StatusCode::NO_CONTENT);
		assert_error(server.get(&location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
		assert_error(server.delete(&location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
	}

	#[tokio::test]
	async fn a_blob_is_mounted_from_another_repository() {
		let server = public_server().await;
		let digest = server.push_blob("source/repository", b"shared").await;
		let path = format!("/v2/{NAME}/blobs/uploads/?mount={digest}&from=source/repository");
		let response = server.request(Method::POST, &path).send().await.unwrap();
		assert_eq!(response.status(), StatusCode::CREATED);
		let at = super::super::common::location(&response);
		assert_eq!(at, format!("/v2/{NAME}/blobs/{digest}"));
		assert_eq!(server.get(&at).await.text().await.unwrap(), "shared");
	}

	#[tokio::test]
	async fn a_mount_that_cannot_be_becomes_an_upload() {
		let server = public_server().await;
		let digest = Digest::of(b"nowhere");
		for query in [format!("mount={digest}&from=source"), format!("mount={digest}")] {
			let path = format!("/v2/{NAME}/blobs/uploads/?{query}");
			let response = server.request(Method::POST, &path).send().await.unwrap();
			assert_eq!(response.status(), StatusCode::ACCEPTED);
			let location = super::super::common::location(&response);
			let response = server.finish(&location, &digest, "nowhere").await;
			assert_eq!(response.status(), StatusCode::CREATED);
			server.delete(&format!("/v2/{NAME}/blobs/{digest}")).await;
		}
	}

	#[tokio::test]
	async fn a_manifest_is_pushed_by_tag_and_by_digest() {
		let server = public_server().await;
		server.push_blob(NAME, b"{}").await;
		let manifest = image(b"{}", &[]);
		let digest = Digest::of(manifest.to_string().as_bytes());
		for reference in ["v1".to_owned(), digest.to_string()] {
			let response = server.put_manifest(NAME, &reference, &manifest).await;
			assert_eq!(response.status(), StatusCode::CREATED);
			assert_eq!(response.headers()["docker-content-digest"], digest.to_string());
			let at = super::super::common::location(&response);
			assert_eq!(server.get(&at).await.text().await.unwrap(), manifest.to_string());
		}
	}

	#[tokio::test]
	async fn lists_and_dockers_manifests_are_taken_too() {
		let server = public_server().await;
		let (first, _) = server.push_image(NAME, "first", b"one").await;
		let (second, _) = server.push_image(NAME, "second", b"two").await;
		let response = server.put_manifest(NAME, "both", &list(&[&first, &second])).await;
		assert_eq!(response.status(), StatusCode::CREATED);
		let mut docker = first.clone();
		docker["mediaType"] = json!(DOCKER_MANIFEST);
		let response = server.put_manifest(NAME, "docker", &docker).await;
		assert_eq!(response.status(), StatusCode::CREATED);
		let head = server.head(&format!("/v2/{NAME}/manifests/docker")).await;
		assert_eq!(head.headers()[header::CONTENT_TYPE], DOCKER_MANIFEST);
	}

	#[tokio::test]
	async fn a_manifest_with_missing_content_is_refused() {
		let server = public_server().await;
		server.push_blob(NAME, b"{}").await;
		let response = server.put_manifest(NAME, "v1", &image(b"{}", &[b"missing"])).await;
		assert_error(response, 404, "MANIFEST_BLOB_UNKNOWN").await;
		let response = server.put_manifest(NAME, "v1", &list(&[&image(b"{}", &[])])).await;
		assert_error(response, 404, "MANIFEST_BLOB_UNKNOWN").await;
		let path = format!("/v2/{NAME}/manifests/v1");
		assert_error(server.get(&path).await, 404, "MANIFEST_UNKNOWN").await;
	}

	#[tokio::test]
	async fn a_subject_is_acknowledged_also_before_it_exists() {
		let server = public_server().await;
		server.push_blob(NAME, b"{}").await;
		let mut manifest = image(b"{}", &[]);
		manifest["subject"] = descriptor(OCI_MANIFEST, b"to come");
		let response = server.put_manifest(NAME, "v1", &manifest).await;
		assert_eq!(response.status(), StatusCode::CREATED);
		assert_eq!(response.headers()["oci-subject"], Digest::of(b"to come").to_string());
	}
}

mod content_discovery {
	use super::*;

	#[tokio::test]
	async fn tags_are_listed_in_order_and_in_pages() {
		let server = public_server().await;
		server.push_blob(NAME, b"{}").await;
		let manifest = image(b"{}", &[]);
		for tag in ["c", "a", "e", "B", "d"] {
			server.put_manifest(NAME, tag, &manifest).await;
		}
		let path = format!("/v2/{NAME}/tags/list");
		let all = json_of(server.get(&path).await).await;
		assert_eq!(all, json!({ "name": NAME, "tags": ["B", "a", "c", "d", "e"] }));
		let response = server.get(&format!("{path}?n=2")).await;
		let next = response.headers()[header::LINK].to_str().unwrap().to_owned();
		assert_eq!(next, format!("</v2/{NAME}/tags/list?n=2&last=a>; rel=\"next\""));
		assert_eq!(json_of(response).await["tags"], json!(["B", "a"]));
		let next = next.split(['<', '>']).nth(1).unwrap();
		let response = server.get(next).await;
		assert_eq!(json_of(response).await["tags"], json!(["c", "d"]));
		let response = server.get(&format!("{path}?n=2&last=d")).await;
		assert!(!response.headers().contains_key(header::LINK));
		assert_eq!(json_of(response).await["tags"], json!(["e"]));
		let none = json_of(server.get(&format!("{path}?n=0")).await).await;
		assert_eq!(none["tags"], json!([]));
		assert_error(server.get("/v2/nobody/tags/list").await, 404, "NAME_UNKNOWN").await;
	}

	#[tokio::test]
	async fn referrers_are_listed_and_filtered() {
		let server = public_server().await;
		let (subject, digest) = server.push_image(NAME, "subject", b"layer").await;
		let mut plain = image(b"{\"for\":\"subject\"}", &[]);
		plain["subject"] = descriptor(OCI_MANIFEST, subject.to_string().as_bytes());
		let mut typed = plain.clone();
		typed["artifactType"] = json!("application/vnd.modicum.signature");
		typed["annotations"] = json!({ "org.modicum.by": "alice" });
		let mut listed = list(&[&subject]);
		listed["subject"] = plain["subject"].clone();
		for (i, manifest) in [&plain, &typed, &listed].iter().enumerate() {
			let response = server.put_manifest(NAME, &format!("r{i}"), manifest).await;
			assert_eq!(response.headers()["oci-subject"], digest.to_string());
		}
		let path = format!("/v2/{NAME}/referrers/{digest}");
		let response = server.get(&path).await;
		assert_eq!(response.status(), StatusCode::OK);
		assert_eq!(response.headers()[header::CONTENT_TYPE], OCI_INDEX);
		assert!(!response.headers().contains_key("oci-filters-applied"));
		let all = json_of(response).await;
		assert_eq!(all["mediaType"], OCI_INDEX);
		assert_eq!(all["manifests"].as_array().unwrap().len(), 3);
		// Without a type of its own, an image counts as what its config is; a list has none.
		let config_type = "application/vnd.modicum.test.config";
		for (filter, expected) in
			[("application/vnd.modicum.signature", 1), (config_type, 1), ("other/type", 0)]
		{
			let response = server.get(&format!("{path}?artifactType={filter}")).await;
			assert_eq!(response.headers()["oci-filters-applied"], "artifactType");
			let found = json_of(response).await;
			assert_eq!(found["manifests"].as_array().unwrap().len(), expected, "{filter}");
			if filter.ends_with("signature") {
				let size = typed.to_string().len();
				assert_eq!(found["manifests"][0]["size"], size);
				assert_eq!(found["manifests"][0]["annotations"]["org.modicum.by"], "alice");
			}
		}
		let none = server.get(&format!("/v2/{NAME}/referrers/{}", Digest::of(b"?"))).await;
		assert_eq!(none.status(), StatusCode::OK);
		assert_eq!(json_of(none).await["manifests"], json!([]));
		assert_error(server.get("/v2/a/referrers/v1").await, 400, "DIGEST_INVALID").await;
		server.delete(&format!("/v2/{NAME}/manifests/r0")).await;
		let typed_digest = Digest::of(typed.to_string().as_bytes());
		server.delete(&format!("/v2/{NAME}/manifests/{typed_digest}")).await;
		let left = json_of(server.get(&path).await).await;
		assert_eq!(left["manifests"].as_array().unwrap().len(), 2, "a tag's end is no end");
	}
}

mod content_management {
	use super::*;

	#[tokio::test]
	async fn a_tag_is_deleted_alone() {
		let server = public_server().await;
		let (manifest, digest) = server.push_image(NAME, "v1", b"layer").await;
		server.put_manifest(NAME, "v2", &manifest).await;
		let path = format!("/v2/{NAME}/manifests/v1");
		assert_eq!(server.delete(&path).await.status(), StatusCode::ACCEPTED);
		assert_error(server.get(&path).await, 404, "MANIFEST_UNKNOWN").await;
		assert_error(server.delete(&path).await, 404, "MANIFEST_UNKNOWN").await;
		for left in ["v2".to_owned(), digest.to_string()] {
			let response = server.get(&format!("/v2/{NAME}/manifests/{left}")).await;
			assert_eq!(response.status(), StatusCode::OK);
		}
	}

	#[tokio::test]
	async fn a_manifest_is_deleted_with_its_tags_then_its_blobs_can_go() {
		let server = public_server().await;
		let (_, digest) = server.push_image(NAME, "v1", b"layer").await;
		let blob = format!("/v2/{NAME}/blobs/{}", Digest::of(b"layer"));
		assert_error(server.delete(&blob).await, 409, "DENIED").await;
		let path = format!("/v2/{NAME}/manifests/{digest}");
		assert_eq!(server.delete(&path).await.status(), StatusCode::ACCEPTED);
		assert_error(server.get(&path).await, 404, "MANIFEST_UNKNOWN").await;
		let tag = server.get(&format!("/v2/{NAME}/manifests/v1")).await;
		assert_error(tag, 404, "MANIFEST_UNKNOWN").await;
		let tags = json_of(server.get(&format!("/v2/{NAME}/tags/list")).await).await;
		assert_eq!(tags["tags"], json!([]));
		assert_eq!(server.delete(&blob).await.status(), StatusCode::ACCEPTED);
		assert_error(server.get(&blob).await, 404, "BLOB_UNKNOWN").await;
		assert_error(server.delete(&blob).await, 404, "BLOB_UNKNOWN").await;
		assert_error(server.delete(&path).await, 404, "MANIFEST_UNKNOWN").await;
	}

	#[tokio::test]
	async fn what_a_list_names_cannot_be_deleted() {
		let server = public_server().await;
		let (child, digest) = server.push_image(NAME, "v1", b"layer").await;
		let listed = list(&[&child]);
		server.put_manifest(NAME, "list", &listed).await;
		let path = format!("/v2/{NAME}/manifests/{digest}");
		assert_error(server.delete(&path).await, 409, "DENIED").await;
		let list_digest = Digest::of(listed.to_string().as_bytes());
		server.delete(&format!("/v2/{NAME}/manifests/{list_digest}")).await;
		assert_eq!(server.delete(&path).await.status(), StatusCode::ACCEPTED);
	}
}

mod errors {
	use super::*;

	#[tokio::test]
	async fn every_error_has_the_specifications_code() {
		let server = public_server().await;
		let digest = Digest::of(b"x");
		let post = |path: String| server.request(Method::POST, &path).send();
		let response = post("/v2/UPPER/blobs/uploads/".into()).await.unwrap();
		assert_error(response, 400, "NAME_INVALID").await;
		assert_error(server.get("/v2/a/blobs/sha256:1").await, 400, "DIGEST_INVALID").await;
		assert_error(server.get("/v2/a/manifests/a:b").await, 400, "DIGEST_INVALID").await;
		assert_error(server.get("/v2/a/manifests/-x").await, 400, "MANIFEST_INVALID").await;
		let unknown = server.finish("/v2/a/blobs/uploads/none", &digest, "x").await;
		assert_error(unknown, 404, "BLOB_UPLOAD_UNKNOWN").await;
		let location = server.begin("a").await;
		let wrong = server.finish(&location, &digest, "y").await;
		assert_error(wrong, 400, "DIGEST_INVALID").await;
		let location = server.begin("a").await;
		let no_digest = server.request(Method::PUT, &location).body("x").send().await.unwrap();
		assert_error(no_digest, 400, "DIGEST_INVALID").await;
		let bad = server.put_manifest("a", "v1", &json!({ "schemaVersion": 2 })).await;
		assert_error(bad, 400, "MANIFEST_INVALID").await;
		let patch = server.request(Method::PATCH, "/v2/a/tags/list").send().await.unwrap();
		assert_error(patch, 405, "UNSUPPORTED").await;
		assert_error(server.get("/v2/a").await, 404, "UNSUPPORTED").await;
	}
}
