// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A server for a test, and the requests that most tests make.

use modicum_directory::{
	access::{AccessPolicy, StandalonePolicy},
	account::AccountId,
	config::Config,
	digest::Digest,
	login::Login,
	manifest::{OCI_INDEX, OCI_MANIFEST},
	service::{Directory, Identity},
	sign::{account_of, keypair_of_seed},
};
use reqwest::{header, Body, Client, Method, RequestBuilder, Response, StatusCode};
use schnorrkel::Keypair;
use serde_json::{json, Value};
use std::{
	net::{SocketAddr, TcpListener},
	sync::Arc,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const GENESIS: [u8; 32] = [0xee; 32];
/// The media type of the tests' layers.
pub const LAYER: &str = "application/vnd.modicum.test.layer";

/// A directory that runs within the test.
pub struct Server {
	pub directory: Arc<Directory>,
	pub url: String,
	pub address: SocketAddr,
	pub admin: SocketAddr,
	pub client: Client,
	pub stop: CancellationToken,
	pub running: JoinHandle<()>,
	/// What the server stores; `None` for one that the test keeps itself.
	_data: Option<TempDir>,
}

pub fn client() -> Client {
	let _ = rustls::crypto::ring::default_provider().install_default();
	Client::builder().no_proxy().build().unwrap()
}

pub fn public_policy() -> Arc<dyn AccessPolicy> {
	Arc::new(StandalonePolicy { public_read: true, public_write: true, ..Default::default() })
}

/// Everybody may do everything.
pub async fn public_server() -> Server {
	server(public_policy(), |_| ()).await
}

/// A server with these rules and changed settings.
pub async fn server(policy: Arc<dyn AccessPolicy>, change: impl FnOnce(&mut Config)) -> Server {
	let data = tempfile::tempdir().unwrap();
	let mut config = Config { data: data.path().join("data"), ..Config::default() };
	change(&mut config);
	let mut server = server_on(config, policy).await;
	server._data = Some(data);
	server
}

/// A server with exactly these settings, but for addresses and request rate.
pub async fn server_on(mut config: Config, policy: Arc<dyn AccessPolicy>) -> Server {
	config.limits.requests_per_second = 0;
	let public = TcpListener::bind("127.0.0.1:0").unwrap();
	let admin = TcpListener::bind("127.0.0.1:0").unwrap();
	let (address, admin_address) = (public.local_addr().unwrap(), admin.local_addr().unwrap());
	let identity = Identity { keypair: keypair_of_seed(&[0xdd; 32]), genesis: GENESIS };
	let directory = Directory::open(config, address, identity, policy).unwrap();
	let stop = CancellationToken::new();
	let running = {
		let (directory, stop) = (directory.clone(), stop.clone());
		tokio::spawn(async move { directory.serve(public, admin, stop).await.unwrap() })
	};
	Server {
		url: directory.url.clone(),
		directory,
		address,
		admin: admin_address,
		client: client(),
		stop,
		running,
		_data: None,
	}
}

impl Server {
	/// Stops the server and waits for its end.
	pub async fn shut_down(self) {
		self.stop.cancel();
		self.running.await.unwrap();
	}

	/// A request to a path, or to a `Location` as the server gave it.
	pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
		self.client.request(method, format!("{}{path}", self.url))
	}

	pub async fn get(&self, path: &str) -> Response {
		self.request(Method::GET, path).send().await.unwrap()
	}

	pub async fn head(&self, path: &str) -> Response {
		self.request(Method::HEAD, path).send().await.unwrap()
	}

	pub async fn delete(&self, path: &str) -> Response {
		self.request(Method::DELETE, path).send().await.unwrap()
	}

	/// Begins an upload; the result is its location.
	pub async fn begin(&self, name: &str) -> String {
		let path = format!("/v2/{name}/blobs/uploads/");
		let response = self.request(Method::POST, &path).send().await.unwrap();
		assert_eq!(response.status(), StatusCode::ACCEPTED);
		location(&response)
	}

	/// Adds to an upload.
	pub async fn append(&self, location: &str, body: impl Into<Body>) -> Response {
		self.request(Method::PATCH, location).body(body).send().await.unwrap()
	}

	/// Ends an upload.
	pub async fn finish(&self, location: &str, digest: &Digest, body: impl Into<Body>) -> Response {
		let path = format!("{location}?digest={digest}");
		self.request(Method::PUT, &path).body(body).send().await.unwrap()
	}

	/// Pushes a blob.
	pub async fn push_blob(&self, name: &str, bytes: &[u8]) -> Digest {
		let digest = Digest::of(bytes);
		let location = self.begin(name).await;
		let response = self.finish(&location, &digest, bytes.to_vec()).await;
		assert_eq!(response.status(), StatusCode::CREATED);
		digest
	}

	/// Sends a manifest.
	pub async fn put_manifest(&self, name: &str, reference: &str, manifest: &Value) -> Response {
		let kind = manifest["mediaType"].as_str().unwrap_or(OCI_MANIFEST).to_owned();
		self.request(Method::PUT, &format!("/v2/{name}/manifests/{reference}"))
			.header(header::CONTENT_TYPE, kind)
			.body(manifest.to_string())
			.send()
			.await
			.unwrap()
	}

	/// Pushes config, layer and manifest; the result is the manifest and its digest.
	pub async fn push_image(&self, name: &str, tag: &str, content: &[u8]) -> (Value, Digest) {
		let config = format!("{{\"for\":\"{tag}\"}}").into_bytes();
		self.push_blob(name, &config).await;
		self.push_blob(name, content).await;
		let manifest = image(&config, &[content]);
		let response = self.put_manifest(name, tag, &manifest).await;
		assert_eq!(response.status(), StatusCode::CREATED);
		let digest = Digest::of(manifest.to_string().as_bytes());
		assert_eq!(response.headers()["docker-content-digest"], digest.to_string());
		(manifest, digest)
	}

	/// A token for these scopes, by a single-use login if there is a key.
	pub async fn token(&self, keypair: Option<&Keypair>, scopes: &[&str]) -> Response {
		let mut path = format!("/token?service={}", self.directory.desk.realm().directory);
		for scope in scopes {
			path.push_str(&format!("&scope={}", scope.replace(' ', "+")));
		}
		let mut request = self.request(Method::GET, &path);
		if let Some(keypair) = keypair {
			let login = self.login(keypair, true, "*").await;
			request = request.basic_auth(account_of(keypair).to_string(), Some(login.to_secret()));
		}
		request.send().await.unwrap()
	}

	/// A login that answers a fresh challenge.
	pub async fn login(&self, keypair: &Keypair, single_use: bool, scope: &str) -> Login {
		let path = format!("/token/challenge?account={}", account_of(keypair));
		let challenge: Value = json_of(self.get(&path).await).await;
		let end = if single_use { "single_use_until" } else { "reusable_until" };
		Login::sign(
			self.directory.desk.realm(),
			keypair,
			single_use,
			scope,
			challenge["nonce"].as_str().unwrap(),
			challenge[end].as_u64().unwrap(),
		)
	}

	/// A client that holds a token for these scopes.
	pub async fn logged_in(&self, keypair: &Keypair, scopes: &[&str]) -> Server {
		let answer = self.token(Some(keypair), scopes).await;
		assert_eq!(answer.status(), StatusCode::OK);
		let token = json_of(answer).await["token"].as_str().unwrap().to_owned();
		self.with_token(&token)
	}

	/// The same server seen with this token.
	pub fn with_token(&self, token: &str) -> Server {
		let mut headers = header::HeaderMap::new();
		headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
		let client = Client::builder().no_proxy().default_headers(headers).build().unwrap();
		Server {
			directory: self.directory.clone(),
			url: self.url.clone(),
			address: self.address,
			admin: self.admin,
			client,
			stop: self.stop.clone(),
			running: tokio::spawn(async {}),
			_data: None,
		}
	}
}

pub fn location(response: &Response) -> String {
	response.headers()[header::LOCATION].to_str().unwrap().to_owned()
}

pub async fn json_of(response: Response) -> Value {
	serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// Asserts status and code of an error, and that its body has the specification's form.
pub async fn assert_error(response: Response, status: u16, code: &str) -> String {
	let actual = response.status().as_u16();
	let body = json_of(response).await;
	let error = &body["errors"][0];
	assert_eq!((actual, error["code"].as_str()), (status, Some(code)), "{body}");
	let message = error["message"].as_str().unwrap();
	assert!(!message.is_empty());
	message.to_owned()
}

pub fn descriptor(kind: &str, bytes: &[u8]) -> Value {
	json!({ "mediaType": kind, "digest": Digest::of(bytes), "size": bytes.len() })
}

pub fn image(config: &[u8], layers: &[&[u8]]) -> Value {
	let layers: Vec<Value> = layers.iter().map(|layer| descriptor(LAYER, layer)).collect();
	json!({
		"schemaVersion": 2, "mediaType": OCI_MANIFEST,
		"config": descriptor("application/vnd.modicum.test.config", config), "layers": layers,
	})
}

pub fn list(manifests: &[&Value]) -> Value {
	let manifests: Vec<Value> = manifests
		.iter()
		.map(|m| descriptor(m["mediaType"].as_str().unwrap(), m.to_string().as_bytes()))
		.collect();
	json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests })
}

pub fn key(seed: u8) -> (Keypair, AccountId) {
	let keypair = keypair_of_seed(&[seed; 32]);
	let account = account_of(&keypair);
	(keypair, account)
}

/// Bytes that differ from seed to seed and do not repeat soon.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
	use rand::{rngs::StdRng, RngCore, SeedableRng};
	let mut bytes = vec![0; len];
	StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
	bytes
}
