// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a person types: `modicum directory run|login|verify|status|gc|export`. The binary parses these
//! arguments, supplies key, chain and rules, and calls the function of the same name.

use crate::{
	access::AccessPolicy,
	account::AccountId,
	config::Config,
	digest::Digest,
	http::{Challenge, DirectoryIdentity, Status},
	index::RepositoryContents,
	login::Login,
	receipt::Receipt,
	service::{Directory, Identity, RunError},
	upkeep::Collected,
	uptime::{self, Heartbeat, Probe, UptimeRecord, UptimeReport},
};
use clap::{Args, Subcommand};
use futures::StreamExt;
use schnorrkel::Keypair;
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{
	collections::BTreeSet,
	fs, io,
	net::{SocketAddr, TcpListener},
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// Everything below `modicum directory`.
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
	/// Serve jobs, data and results until interrupted.
	Run(RunArgs),
	/// Sign a login and print user and password for `docker login` or skopeo.
	Login(LoginArgs),
	/// Check a receipt or a record of uptime.
	#[command(subcommand)]
	Verify(VerifyCommand),
	/// Show how a running directory is.
	Status(AdminArgs),
	/// Collect what nobody needs any more, now.
	Gc(AdminArgs),
	/// Write what a directory holds to an OCI image layout.
	Export(ExportArgs),
}

/// Arguments of `run`; those given override the file.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
	/// Settings, TOML; every key has a default.
	#[arg(long, value_name = "FILE")]
	pub config: Option<PathBuf>,
	/// Folder of everything stored.
	#[arg(long, value_name = "FOLDER")]
	pub data: Option<PathBuf>,
	/// Address of the registry protocol.
	#[arg(long, value_name = "IP:PORT")]
	pub listen: Option<SocketAddr>,
	/// Address of metrics and maintenance; whoever reaches it can read everything.
	#[arg(long, value_name = "IP:PORT")]
	pub admin_listen: Option<SocketAddr>,
	/// Host, and port if it is not 443, by which clients reach the directory.
	#[arg(long, value_name = "HOST[:PORT]")]
	pub id: Option<String>,
}

/// Arguments of `login`.
#[derive(Debug, Clone, Args)]
pub struct LoginArgs {
	/// The directory's URL, like `https://directory.example`.
	pub directory: String,
	/// What the login may be used for, as registries write it: `*` or `repository:NAME:pull,push`.
	#[arg(long, default_value = "*")]
	pub scope: String,
	/// How many seconds it lasts; the directory sets the longest time.
	#[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
	pub life: u64,
	/// The id under which the chain knows the directory, if it differs from the URL's host.
	#[arg(long, value_name = "HOST[:PORT]")]
	pub id: Option<String>,
}

/// What `verify` checks.
#[derive(Debug, Clone, Subcommand)]
pub enum VerifyCommand {
	/// A receipt, as `/modicum/receipts` gives it or as base64url from the Modicum-Receipt header.
	Receipt(VerifyReceiptArgs),
	/// A record of uptime, as `/uptime` gives it.
	Uptime(VerifyUptimeArgs),
}

/// Arguments of `verify receipt`.
#[derive(Debug, Clone, Args)]
pub struct VerifyReceiptArgs {
	/// The file that holds the receipt.
	pub file: PathBuf,
	/// The directory's account on the chain, which must have signed.
	#[arg(long, value_name = "SS58")]
	pub account: AccountId,
}

/// Arguments of `verify uptime`.
#[derive(Debug, Clone, Args)]
pub struct VerifyUptimeArgs {
	/// A file that holds the record, or the directory's URL.
	pub source: String,
	/// The directory's account on the chain, which must have signed.
	#[arg(long, value_name = "SS58")]
	pub account: AccountId,
	/// Begin of the span, milliseconds since the Unix epoch.
	#[arg(long, value_name = "MS")]
	pub from: u64,
	/// End of the span, milliseconds since the Unix epoch.
	#[arg(long, value_name = "MS")]
	pub to: u64,
	/// Own probes, one JSON object {"at": MS, "up": BOOL} a line.
	#[arg(long, value_name = "FILE")]
	pub probes: Option<PathBuf>,
}

/// Arguments of `status` and `gc`.
#[derive(Debug, Clone, Args)]
pub struct AdminArgs {
	/// The directory's operator address.
	#[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:5001")]
	pub admin: SocketAddr,
}

/// Arguments of `export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
	/// The directory's operator address.
	#[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:5001")]
	pub admin: SocketAddr,
	/// Folder of the image layout; contents that are there are not fetched again.
	pub folder: PathBuf,
	/// Only this repository.
	#[arg(long, value_name = "NAME")]
	pub repository: Option<String>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
	/// The service.
	#[error(transparent)]
	Run(#[from] RunError),
	/// The directory was not reached or did not answer as expected.
	#[error("{url}: {problem}")]
	Remote {
		/// What was asked.
		url: String,
		/// What came of it.
		problem: String,
	},
	/// A file.
	#[error("{path}: {source}")]
	File {
		/// Which.
		path: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// A file or an answer that does not hold what it should.
	#[error("{what}: {problem}")]
	Content {
		/// Which.
		what: String,
		/// What is wrong.
		problem: String,
	},
	/// What was to be verified does not hold.
	#[error("NOT VALID: {0}")]
	Refuted(String),
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> CliError + '_ {
	move |source| CliError::File { path: path.to_owned(), source }
}

impl RunArgs {
	/// The file's settings with these arguments over them.
	///
	/// # Errors
	/// The file or a value is not as it should be.
	pub fn settings(&self) -> Result<Config, RunError> {
		let mut config = match &self.config {
			Some(path) => Config::read(path)?,
			None => Config::default(),
		};
		if let Some(data) = &self.data {
			config.data.clone_from(data);
		}
		config.listen = self.listen.unwrap_or(config.listen);
		config.admin_listen = self.admin_listen.unwrap_or(config.admin_listen);
		if let Some(id) = &self.id {
			config.id.clone_from(id);
		}
		config.validate()?;
		Ok(config)
	}
}

/// Runs a directory until `shutdown`.
///
/// # Errors
/// It cannot start, or a server failed.
pub async fn run(
	config: Config,
	identity: Identity,
	policy: Arc<dyn AccessPolicy>,
	shutdown: CancellationToken,
) -> Result<(), CliError> {
	let bind = |address: SocketAddr| {
		TcpListener::bind(address)
			.map_err(|source| RunError::Io { what: format!("listening on {address}"), source })
	};
	let (public, admin) = (bind(config.listen)?, bind(config.admin_listen)?);
	let local = |listener: &TcpListener| {
		listener
			.local_addr()
			.map_err(|source| RunError::Io { what: "the listener's address".into(), source })
	};
	let (address, admin_address) = (local(&public)?, local(&admin)?);
	let directory = Directory::open(config, address, identity, policy)?;
	tracing::info!(
		target: "modicum::directory",
		%address, %admin_address, url = directory.url, account = %directory.account(), "serving"
	);
	Ok(directory.serve(public, admin, shutdown).await?)
}

/// A client for a directory's HTTP.
fn client() -> Result<reqwest::Client, CliError> {
	// Whoever embeds this may have chosen a provider already; any will do.
	let _ = rustls::crypto::ring::default_provider().install_default();
	reqwest::Client::builder()
		.connect_timeout(Duration::from_secs(10))
		.read_timeout(Duration::from_secs(60))
		.build()
		.map_err(|e| CliError::Remote { url: "HTTP client".into(), problem: e.to_string() })
}

async fn send(request: reqwest::RequestBuilder, url: &str) -> Result<reqwest::Response, CliError> {
	let remote = |problem: String| CliError::Remote { url: url.to_owned(), problem };
	let response = request.send().await.map_err(|e| remote(cause(&e)))?;
	if response.status().is_success() {
		return Ok(response);
	}
	let status = response.status();
	let body = response.text().await.unwrap_or_default();
	Err(remote(format!("{status}: {}", body.chars().take(500).collect::<String>())))
}

/// The innermost cause, which says more than "error sending request".
fn cause(error: &dyn std::error::Error) -> String {
	let mut innermost = error;
	while let Some(source) = innermost.source() {
		innermost = source;
	}
	format!("{error}: {innermost}")
}

async fn get_json<T: DeserializeOwned>(client: &reqwest::Client, url: &str) -> Result<T, CliError> {
	let response = send(client.get(url), url).await?;
	response.json().await.map_err(|e| CliError::Remote { url: url.to_owned(), problem: cause(&e) })
}

/// A login to be used as user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
	/// What comes before a repository's name, for `docker login`.
	pub registry: String,
	/// The account.
	pub user: String,
	/// The signed login.
	pub password: String,
	/// When it ends, milliseconds since the Unix epoch.
	pub expires_at: u64,
}

/// Asks for a challenge and signs a reusable login. The caller says for which chain, and may say for
/// which directory: a directory that names another gets no signature.
///
/// # Errors
/// The directory is not reached, or is not the one or of the chain expected.
pub async fn login(
	args: &LoginArgs,
	keypair: &Keypair,
	genesis: &[u8; 32],
) -> Result<Credentials, CliError> {
	let url = args.directory.trim_end_matches('/');
	let host = url.split_once("://").map_or(url, |(_, host)| host);
	let client = client()?;
	let identity: DirectoryIdentity = get_json(&client, &format!("{url}/modicum/identity")).await?;
	let content = |problem: String| CliError::Content { what: url.to_owned(), problem };
	let expected = args.id.as_deref().unwrap_or(host);
	if identity.realm.directory != expected {
		return Err(content(format!(
			"calls itself '{}', expected '{expected}'; if that is right, repeat with --id",
			identity.realm.directory
		)));
	}
	if identity.realm.genesis != hex::encode(genesis) {
		return Err(content(format!("serves another chain, genesis {}", identity.realm.genesis)));
	}
	let account = crate::sign::account_of(keypair);
	let challenge: Challenge =
		get_json(&client, &format!("{url}/token/challenge?account={account}")).await?;
	let wanted = crate::clock::now_ms().saturating_add(args.life.saturating_mul(1_000));
	let expires_at = wanted.min(challenge.reusable_until);
	let login =
		Login::sign(&identity.realm, keypair, false, &args.scope, &challenge.nonce, expires_at);
	Ok(Credentials {
		registry: host.to_owned(),
		user: account.to_string(),
		password: login.to_secret(),
		expires_at,
	})
}

/// Checks a receipt: genuine, and signed by the account given.
///
/// # Errors
/// [`CliError::Refuted`] says what does not hold.
pub fn verify_receipt(args: &VerifyReceiptArgs) -> Result<Receipt, CliError> {
	use base64::{engine::general_purpose::URL_SAFE_NO_PAD, Engine as _};
	let text = fs::read_to_string(&args.file).map_err(file_error(&args.file))?;
	let text = text.trim();
	let json = match URL_SAFE_NO_PAD.decode(text) {
		Ok(json) => json,
		Err(_) => text.as_bytes().to_vec(),
	};
	let receipt: Receipt = serde_json::from_slice(&json).map_err(|e| CliError::Content {
		what: args.file.display().to_string(),
		problem: format!("is no receipt: {e}"),
	})?;
	if receipt.signer != args.account {
		return Err(CliError::Refuted(format!(
			"signed by {}, not {}",
			receipt.signer, args.account
		)));
	}
	if !receipt.is_genuine() {
		return Err(CliError::Refuted("the signature does not fit the receipt".into()));
	}
	Ok(receipt)
}

/// Checks a record of uptime against signatures, chain and probes.
///
/// # Errors
/// [`CliError::Refuted`] says what does not hold.
pub async fn verify_uptime(args: &VerifyUptimeArgs) -> Result<UptimeReport, CliError> {
	let record = if args.source.starts_with("http://") || args.source.starts_with("https://") {
		fetch_uptime(&args.source, args.from, args.to).await?
	} else {
		let path = Path::new(&args.source);
		let bytes = fs::read(path).map_err(file_error(path))?;
		serde_json::from_slice(&bytes).map_err(|e| CliError::Content {
			what: args.source.clone(),
			problem: format!("is no record of uptime: {e}"),
		})?
	};
	let probes = match &args.probes {
		Some(path) => read_probes(path)?,
		None => Vec::new(),
	};
	if record.signer != args.account {
		return Err(CliError::Refuted(format!(
			"signed by {}, not {}",
			record.signer, args.account
		)));
	}
	uptime::verify(&record, args.from, args.to, &probes)
		.map_err(|e| CliError::Refuted(e.to_string()))
}

/// Fetches a record of uptime in as many parts as it takes, with the heartbeat before and after the span
/// so that its ends are covered.
///
/// # Errors
/// The directory is not reached or does not answer with a record.
pub async fn fetch_uptime(url: &str, from: u64, to: u64) -> Result<UptimeRecord, CliError> {
	/// Twice the longest interval that a directory may have.
	const MARGIN_MS: u64 = 2 * 3_600_000;
	let client = client()?;
	let url = url.trim_end_matches('/');
	let to = to.saturating_add(MARGIN_MS);
	let mut from = from.saturating_sub(MARGIN_MS);
	let mut whole: Option<UptimeRecord> = None;
	loop {
		let part: UptimeRecord =
			get_json(&client, &format!("{url}/uptime?from={from}&to={to}")).await?;
		let next = part.next_from;
		let record = whole.get_or_insert_with(|| UptimeRecord {
			heartbeats: Vec::new(),
			next_from: None,
			..part.clone()
		});
		let last = record.heartbeats.last().map(|beat: &Heartbeat| beat.sequence);
		let new = part.heartbeats.into_iter().filter(|beat| last.is_none_or(|l| beat.sequence > l));
		let before = record.heartbeats.len();
		record.heartbeats.extend(new);
		match (next, whole) {
			// A part without anything new would repeat for ever.
			(Some(next), Some(record)) if record.heartbeats.len() > before => {
				from = next;
				whole = Some(record);
			},
			(_, Some(record)) => return Ok(record),
			(_, None) => unreachable!("set above; qed"),
		}
	}
}

fn read_probes(path: &Path) -> Result<Vec<Probe>, CliError> {
	let text = fs::read_to_string(path).map_err(file_error(path))?;
	text.lines()
		.enumerate()
		.filter(|(_, line)| !line.trim().is_empty())
		.map(|(i, line)| {
			serde_json::from_str(line).map_err(|e| CliError::Content {
				what: format!("{} line {}", path.display(), i + 1),
				problem: format!("is no probe: {e}"),
			})
		})
		.collect()
}

/// Asks a running directory how it is.
///
/// # Errors
/// It is not reached.
pub async fn status(args: &AdminArgs) -> Result<Status, CliError> {
	get_json(&client()?, &format!("http://{}/status", args.admin)).await
}

/// Makes a running directory collect now.
///
/// # Errors
/// It is not reached, or the collection failed.
pub async fn gc(args: &AdminArgs) -> Result<Collected, CliError> {
	let url = format!("http://{}/collect", args.admin);
	let request = client()?.post(&url).timeout(Duration::from_secs(3_600));
	let response = send(request, &url).await?;
	response.json().await.map_err(|e| CliError::Remote { url, problem: cause(&e) })
}

/// What an export wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
	/// Repositories.
	pub repositories: usize,
	/// Blobs and manifests fetched.
	pub fetched: usize,
	/// Blobs and manifests that were there.
	pub present: usize,
}

/// Writes what a running directory holds to an OCI image layout: each manifest is in its index, named
/// `repository:tag` or `repository@digest`. Every content is compared with its digest.
///
/// # Errors
/// The directory is not reached, content is damaged, or the folder cannot be written.
pub async fn export(args: &ExportArgs) -> Result<Exported, CliError> {
	let client = client()?;
	let blobs = args.folder.join("blobs/sha256");
	fs::create_dir_all(&blobs).map_err(file_error(&blobs))?;
	let mut exported = Exported::default();
	let mut index = Vec::new();
	let mut last = String::new();
	loop {
		let url = format!("http://{}/catalog?last={last}", args.admin);
		let page: Vec<RepositoryContents> = get_json(&client, &url).await?;
		let Some(end) = page.last() else { break };
		last.clone_from(&end.name);
		for repository in page {
			if args.repository.as_ref().is_some_and(|wanted| *wanted != repository.name) {
				continue;
			}
			exported.repositories += 1;
			let needed: BTreeSet<Digest> = repository
				.manifests
				.iter()
				.flat_map(|m| m.children.iter().copied().chain([m.descriptor.digest]))
				.collect();
			for digest in needed {
				if fetch_blob(&client, args.admin, &blobs, &digest).await? {
					exported.fetched += 1;
				} else {
					exported.present += 1;
				}
			}
			index.extend(layout_entries(&repository));
		}
	}
	let write = |name: &str, value: serde_json::Value| {
		let path = args.folder.join(name);
		fs::write(&path, value.to_string()).map_err(file_error(&path))
	};
	write("oci-layout", json!({ "imageLayoutVersion": "1.0.0" }))?;
	let media_type = crate::manifest::OCI_INDEX;
	write(
		"index.json",
		json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": index }),
	)?;
	Ok(exported)
}

fn layout_entries(repository: &RepositoryContents) -> Vec<serde_json::Value> {
	let mut entries = Vec::new();
	for manifest in &repository.manifests {
		let digest = manifest.descriptor.digest;
		let tags = repository.tags.iter().filter(|(_, named)| *named == digest);
		let mut names: Vec<String> =
			tags.map(|(tag, _)| format!("{}:{tag}", repository.name)).collect();
		if names.is_empty() {
			names.push(format!("{}@{digest}", repository.name));
		}
		for name in names {
			entries.push(json!({
				"mediaType": manifest.descriptor.media_type,
				"digest": digest,
				"size": manifest.descriptor.size,
				"annotations": { "org.opencontainers.image.ref.name": name },
			}));
		}
	}
	entries
}

/// Fetches a blob unless it is there; the result tells whether it was fetched.
async fn fetch_blob(
	client: &reqwest::Client,
	admin: SocketAddr,
	folder: &Path,
	digest: &Digest,
) -> Result<bool, CliError> {
	let path = folder.join(digest.to_hex());
	if path.exists() {
		return Ok(false);
	}
	let url = format!("http://{admin}/blobs/{digest}");
	let mut chunks = send(client.get(&url), &url).await?.bytes_stream();
	let partial = path.with_extension("partial");
	let mut file = tokio::fs::File::create(&partial).await.map_err(file_error(&partial))?;
	let mut hasher = Sha256::new();
	while let Some(chunk) = chunks.next().await {
		let chunk = chunk.map_err(|e| CliError::Remote { url: url.clone(), problem: cause(&e) })?;
		hasher.update(&chunk);
		file.write_all(&chunk).await.map_err(file_error(&partial))?;
	}
	file.sync_all().await.map_err(file_error(&partial))?;
	if hasher.finalize()[..] != digest.0 {
		return Err(CliError::Content { what: url, problem: "does not fit its digest".into() });
	}
	fs::rename(&partial, &path).map_err(file_error(&path))?;
	Ok(true)
}
