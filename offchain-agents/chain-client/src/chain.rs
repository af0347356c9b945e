// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The connection: one of several endpoints at a time, replaced when it fails.

use crate::{
	best::BestBlocks,
	blocks::FinalizedBlocks,
	config::{ChainConfig, Client, LegacyMethods},
	known::KnownBlocks,
	runtime,
	settings::{ConnectionSettings, Way},
	snapshot::Snapshot,
	Error, H256,
};
use serde::Serialize;
use std::{
	future::Future,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc, Mutex as SyncMutex, PoisonError,
	},
	time::{Duration, Instant},
};
use subxt::{
	backend::{ChainHeadBackend, CombinedBackend},
	lightclient::LightClient,
	rpcs::RpcClient,
};
use tokio::{sync::Mutex, time::timeout};

/// A block stays available for so many blocks after it was finalised, so that the node never holds more for us
/// than it is willing to.
const MAX_BLOCK_LIFE: usize = 64;
/// The first pause after all endpoints failed; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// A connection to the chain. Clones share it.
#[derive(Clone)]
pub struct Chain(Arc<Inner>);

struct Inner {
	settings: ConnectionSettings,
	config: ChainConfig,
	state: Mutex<State>,
	/// Hash of the block after genesis, once it is known.
	first_block: SyncMutex<Option<H256>>,
	known: KnownBlocks,
}

/// Locked while a connection is made, so that only one task makes it.
struct State {
	connection: Option<Connection>,
	/// The endpoint to try first.
	next_endpoint: usize,
	generation: u64,
	/// The chain that we are on: the settings', or that of the first connection.
	genesis: Option<H256>,
}

/// One connection to one endpoint.
#[derive(Clone)]
pub(crate) struct Connection {
	/// Tells this connection from those before and after.
	pub(crate) generation: u64,
	pub(crate) endpoint: String,
	pub(crate) client: Client,
	pub(crate) methods: LegacyMethods,
	/// Whether the chain's first block was compared.
	first_block_known: Arc<AtomicBool>,
}

/// What a node says of itself and of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeStatus {
	/// Who was asked: an endpoint, or the light client.
	pub endpoint: String,
	/// The chain's name.
	pub chain: String,
	/// The chain's genesis hash.
	pub genesis_hash: H256,
	/// Version of the chain's runtime.
	pub spec_version: u32,
	/// Number of the last finalised block.
	pub finalized: u64,
	/// Hash of the last finalised block.
	pub finalized_hash: H256,
	/// Time of the last finalised block, milliseconds since the Unix epoch.
	pub finalized_at: u64,
	/// Number of the best block.
	pub best: u64,
	/// Nodes that the node is connected with.
	pub peers: usize,
	/// Whether the node is still catching up.
	pub is_syncing: bool,
	/// Whether the runtime is the one that this program was built for.
	pub compatibility: Compatibility,
}

/// How the node's runtime compares to the committed metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compatibility {
	/// The same in everything.
	Same,
	/// The market is the same, something else has changed. Everything works.
	SameMarket,
	/// The market has changed: what changed cannot be used until the program is updated.
	Different,
}

impl Chain {
	/// Connects to the chain: to the first endpoint that answers and is on the right chain.
	///
	/// # Errors
	/// [`Error::Settings`]; [`Error::Unreachable`] once all endpoints were tried for as long as
	/// [`ConnectionSettings::patience`] says; [`Error::WrongChain`]; what the light client needs.
	pub async fn connect(settings: ConnectionSettings) -> Result<Self, Error> {
		settings.validate()?;
		let state = State {
			connection: None,
			next_endpoint: 0,
			generation: 0,
			genesis: settings.genesis_hash,
		};
		let chain = Self(Arc::new(Inner {
			settings,
			config: ChainConfig::default(),
			state: Mutex::new(state),
			first_block: SyncMutex::default(),
			known: KnownBlocks::default(),
		}));
		chain.connection().await?;
		Ok(chain)
	}

	/// The settings in use.
	pub fn settings(&self) -> &ConnectionSettings {
		&self.0.settings
	}

	/// The market as of the last finalised block.
	///
	/// # Errors
	/// As of [`Chain::connect`], and of a node that answers wrongly.
	pub async fn snapshot(&self) -> Result<Snapshot, Error> {
		self.retry(|connection| async move {
			let at = self.limited("the last block", connection.client.at_current_block()).await?;
			Ok(Snapshot::new(at, self.0.settings.request_timeout))
		})
		.await
	}

	/// The market as of the finalised block of this number.
	///
	/// # Errors
	/// As of [`Chain::snapshot`]; also if the nodes no longer have the block.
	pub async fn snapshot_at(&self, number: u64) -> Result<Snapshot, Error> {
		self.retry(|connection| async move {
			let at = self.limited("a block", connection.client.at_block(number)).await?;
			Ok(Snapshot::new(at, self.0.settings.request_timeout))
		})
		.await
	}

	/// Every finalised block from `next` on; without it, from the last one on.
	pub fn finalized_blocks(&self, next: Option<u64>) -> FinalizedBlocks {
		FinalizedBlocks::new(self.clone(), next)
	}

	/// The best chain from now on. What it shows may be taken back.
	pub fn best_blocks(&self) -> BestBlocks {
		BestBlocks::new(self.clone())
	}

	/// What the node in use says of itself and of the chain.
	///
	/// # Errors
	/// As of [`Chain::snapshot`].
	pub async fn status(&self) -> Result<NodeStatus, Error> {
		self.retry(|connection| async move {
			let methods = &connection.methods;
			let at = self.limited("the last block", connection.client.at_current_block()).await?;
			let compatibility = compatibility(at.metadata_ref());
			let snapshot = Snapshot::new(at, self.0.settings.request_timeout);
			let health = self.limited("the node's health", methods.system_health()).await?;
			let best = self.limited("the best block", methods.chain_get_header(None)).await?;
			Ok(NodeStatus {
				endpoint: connection.endpoint.clone(),
				chain: self.limited("the chain's name", methods.system_chain()).await?,
				genesis_hash: connection.client.genesis_hash(),
				spec_version: snapshot.spec_version(),
				finalized: snapshot.number(),
				finalized_hash: snapshot.hash(),
				finalized_at: snapshot.now().await?,
				best: best.map_or(snapshot.number(), |header| header.number),
				peers: health.peers,
				is_syncing: health.is_syncing,
				compatibility,
			})
		})
		.await
	}

	/// The time of the best block, milliseconds since the Unix epoch, or 0 before the first block: the chain's clock,
	/// for nothing that has to be final.
	///
	/// # Errors
	/// As of [`Chain::snapshot`].
	pub async fn best_time(&self) -> Result<u64, Error> {
		let what = "the best block's time";
		let found = self.retry(|connection| async move {
			let at = self.limited(what, connection.client.at_current_block()).await?;
			let failed = |error: subxt::error::StorageError| Error::request(what, error);
			let storage = at.storage();
			let entry = storage.entry(runtime::storage().timestamp().now()).map_err(failed)?;
			let key = entry.fetch_key(()).map_err(failed)?;
			// That block is final, and some blocks older than the best.
			self.limited(what, connection.methods.state_get_storage(&key, None)).await
		});
		let bytes = found.await?.unwrap_or_default();
		Ok(bytes.try_into().map_or(0, u64::from_le_bytes))
	}

	/// Hash of the block after genesis: what tells a chain that was started anew, as development chains are, from the
	/// one before, whose genesis is the same. `None` if that block is not final yet, or with the light client, which
	/// does not know it.
	///
	/// # Errors
	/// As of [`Chain::snapshot`].
	pub async fn first_block(&self) -> Result<Option<H256>, Error> {
		self.retry(|connection| async move {
			let at = self.limited("the last block", connection.client.at_current_block()).await?;
			self.check_first_block(&connection, at.block_number()).await
		})
		.await?;
		Ok(*self.0.first_block.lock().unwrap_or_else(PoisonError::into_inner))
	}

	/// Compares the chain's first block, once for each connection, with the one known from earlier connections.
	///
	/// # Errors
	/// [`Error::StartedAnew`], or the node does not answer.
	pub(crate) async fn check_first_block(
		&self,
		connection: &Connection,
		finalized: u64,
	) -> Result<(), Error> {
		if finalized == 0 || connection.first_block_known.load(Ordering::Relaxed) {
			return Ok(());
		}
		let request = connection.methods.chain_get_block_hash(Some(1_u64.into()));
		let found = self.limited("the first block", request).await?;
		connection.first_block_known.store(true, Ordering::Relaxed);
		// A node that has begun in the midst of the chain may not have it.
		let Some(found) = found else { return Ok(()) };
		let mut known = self.0.first_block.lock().unwrap_or_else(PoisonError::into_inner);
		match *known.get_or_insert(found) {
			expected if expected != found => {
				connection.first_block_known.store(false, Ordering::Relaxed);
				Err(Error::StartedAnew { endpoint: connection.endpoint.clone(), expected, found })
			},
			_ => Ok(()),
		}
	}

	pub(crate) fn known_blocks(&self) -> &KnownBlocks {
		&self.0.known
	}

	/// The endpoint in use, if there is one at the moment.
	pub async fn endpoint(&self) -> Option<String> {
		self.0.state.lock().await.connection.as_ref().map(|c| c.endpoint.clone())
	}

	/// The connection in use, or a new one.
	pub(crate) async fn connection(&self) -> Result<Connection, Error> {
		let mut state = self.0.state.lock().await;
		if let Some(connection) = &state.connection {
			return Ok(connection.clone());
		}
		let start = Instant::now();
		let mut pause = FIRST_PAUSE;
		loop {
			let failures = match self.try_endpoints(&mut state).await {
				Ok(connection) => return Ok(connection),
				Err(failures) => failures,
			};
			// Another try will not put an endpoint on another chain, or mend a file.
			if !failures.iter().any(|(_, error)| error.is_transient()) {
				return Err(first_error(failures));
			}
			if start.elapsed() + pause > self.0.settings.patience {
				let failures = failures.into_iter().map(|(who, error)| (who, error.to_string()));
				return Err(Error::Unreachable(failures.collect()));
			}
			tracing::warn!(?pause, "no endpoint of the chain answers; trying again");
			tokio::time::sleep(pause).await;
			pause = (pause * 2).min(LONGEST_PAUSE);
		}
	}

	/// Gives up a connection, unless another task has done so; the next request makes one with the next
	/// endpoint.
	pub(crate) async fn give_up(&self, connection: &Connection, why: &Error) {
		let mut state = self.0.state.lock().await;
		let current = state.connection.as_ref().map(|current| current.generation);
		if current == Some(connection.generation) {
			tracing::warn!(endpoint = connection.endpoint, "connection given up: {why}");
			state.connection = None;
			state.next_endpoint = state.next_endpoint.wrapping_add(1);
		}
	}

	/// Runs `request` and, if it fails in a way that may pass, runs it again on another connection.
	pub(crate) async fn retry<T, F>(&self, request: impl Fn(Connection) -> F) -> Result<T, Error>
	where
		F: Future<Output = Result<T, Error>>,
	{
		let start = Instant::now();
		loop {
			let connection = self.connection().await?;
			match request(connection.clone()).await {
				Err(error)
					if error.is_transient() && start.elapsed() < self.0.settings.patience =>
				{
					self.give_up(&connection, &error).await;
					tokio::time::sleep(FIRST_PAUSE).await;
				},
				outcome => return outcome,
			}
		}
	}

	/// One request within its time limit.
	pub(crate) async fn limited<T, E: Into<subxt::Error>>(
		&self,
		what: &'static str,
		request: impl Future<Output = Result<T, E>>,
	) -> Result<T, Error> {
		limited(self.0.settings.request_timeout, what, request).await
	}

	/// Tries each endpoint once.
	async fn try_endpoints(&self, state: &mut State) -> Result<Connection, Vec<(String, Error)>> {
		let count = match &self.0.settings.way {
			Way::Rpc { endpoints, .. } => endpoints.len(),
			Way::Light { .. } => 1,
		};
		let mut failures = Vec::new();
		for turn in 0..count {
			let index = state.next_endpoint.wrapping_add(turn) % count;
			let endpoint = match &self.0.settings.way {
				Way::Rpc { endpoints, .. } => endpoints[index].clone(),
				Way::Light { .. } => "light client".into(),
			};
			match self.open(&endpoint, state.genesis, state.generation + 1).await {
				Ok(connection) => {
					tracing::info!(endpoint, "connected to the chain");
					state.next_endpoint = index;
					state.generation += 1;
					state.genesis = Some(connection.client.genesis_hash());
					state.connection = Some(connection.clone());
					return Ok(connection);
				},
				Err(error) => {
					tracing::debug!(endpoint, %error, "no connection");
					failures.push((endpoint, error));
				},
			}
		}
		Err(failures)
	}

	async fn open(
		&self,
		endpoint: &str,
		genesis: Option<H256>,
		generation: u64,
	) -> Result<Connection, Error> {
		let limit = self.0.settings.connect_timeout;
		let rpc = match &self.0.settings.way {
			Way::Rpc { .. } => {
				limited(limit, "connecting", RpcClient::from_insecure_url(endpoint)).await?
			},
			Way::Light { chain_spec } => {
				let spec = tokio::fs::read_to_string(chain_spec).await.map_err(|source| {
					Error::ChainSpec { path: chain_spec.clone(), source: source.into() }
				})?;
				let (_, rpc) = LightClient::relay_chain(spec.as_str())
					.map_err(|error| Error::LightClient(error.to_string()))?;
				rpc.into()
			},
		};
		let head = ChainHeadBackend::builder()
			.max_block_life(MAX_BLOCK_LIFE)
			.build_with_background_driver(rpc.clone());
		let backend = CombinedBackend::builder()
			.with_chainhead_backend(head)
			.build_with_background_driver(rpc.clone());
		let backend = limited(limit, "connecting", backend).await?;
		let client = Client::from_backend_with_config(self.0.config.clone(), Arc::new(backend));
		let client = limited(limit, "the genesis hash", client).await?;
		let found = client.genesis_hash();
		if let Some(expected) = genesis.filter(|expected| *expected != found) {
			return Err(Error::WrongChain { endpoint: endpoint.into(), expected, found });
		}
		// Only a connection that shows a block is one.
		let at = limited(limit, "the last block", client.at_current_block()).await?;
		let methods = LegacyMethods::new(rpc);
		let first_block_known =
			Arc::new(AtomicBool::new(matches!(self.0.settings.way, Way::Light { .. })));
		let connection = Connection {
			generation,
			endpoint: endpoint.into(),
			client,
			methods,
			first_block_known,
		};
		self.check_first_block(&connection, at.block_number()).await?;
		Ok(connection)
	}
}

/// One request within a time limit.
pub(crate) async fn limited<T, E: Into<subxt::Error>>(
	limit: Duration,
	what: &'static str,
	request: impl Future<Output = Result<T, E>>,
) -> Result<T, Error> {
	match timeout(limit, request).await {
		Ok(outcome) => outcome.map_err(|error| Error::request(what, error)),
		Err(_) => Err(Error::Timeout { what, limit }),
	}
}

fn first_error(failures: Vec<(String, Error)>) -> Error {
	let first = failures.into_iter().next();
	first.map_or_else(|| Error::Unreachable(Vec::new()), |(_, error)| error)
}

/// How a node's metadata compares to the committed metadata.
fn compatibility(metadata: &subxt::Metadata) -> Compatibility {
	if runtime::is_codegen_valid_for(metadata) {
		return Compatibility::Same;
	}
	let market =
		|metadata: &subxt::Metadata| metadata.pallet_by_name("Modicum").map(|pallet| pallet.hash());
	let committed = subxt::Metadata::decode_from(crate::committed_metadata());
	match committed {
		Ok(committed) if market(&committed) == market(metadata) => Compatibility::SameMarket,
		_ => Compatibility::Different,
	}
}
