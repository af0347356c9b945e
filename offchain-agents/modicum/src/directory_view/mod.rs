// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a directory needs to know of the chain: kept up to date from finalised events, written down in the
//! directory's folder, and answered from memory. Matches are known as soon as the best chain has them.

mod ahead;
mod state;
mod store;

pub use self::state::repository_of;

use self::{
	ahead::Ahead,
	state::{Known, Market, Offer, State},
	store::{Batch, MarketStore},
};
use crate::{agents::clock, failure::Outcome};
use async_trait::async_trait;
use modicum_chain_client::{
	AccountId, BestBlocks, BestItem, Chain, Error, FinalizedBlocks, FinalizedItem, OfferState,
	Phase as ChainPhase, Snapshot,
};
use modicum_directory::{
	access::{ChainUnavailable, ChainView, MatchView, OfferView, Phase},
	account::AccountId as DirectoryAccount,
	names::RepositoryName,
};
use modicum_primitives::Moment;
use std::{
	collections::BTreeMap,
	path::Path,
	sync::{Arc, PoisonError, RwLock},
	time::Duration,
};
use tokio::task::AbortHandle;

/// A directory that was away for at most so many blocks reads all that happened meanwhile; one that was away for
/// longer reads how the market is now, and takes matches that are gone for closed now.
const MAX_MISSED_BLOCKS: u64 = 1_000;
/// What the directory knows is written down with each block in which something happened, and besides after so many
/// blocks, since all after the last one written are read again at the next start.
const BLOCKS_BETWEEN_WRITES: u64 = 100;

/// Pause after the best chain could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The market as a directory sees it. Follows the chain for as long as this value lives.
pub struct MarketView {
	shared: Arc<Shared>,
	followers: [AbortHandle; 2],
}

impl Drop for MarketView {
	fn drop(&mut self) {
		self.followers.iter().for_each(AbortHandle::abort);
	}
}

struct Shared {
	state: RwLock<State>,
	/// Locked after `state`.
	ahead: RwLock<Ahead>,
	/// Why the chain cannot be read at the moment, if so.
	trouble: RwLock<Option<String>>,
	store: MarketStore,
	grace_ms: Moment,
}

impl MarketView {
	/// Opens what is known in the directory's `folder`, brings it up to date and follows the market from then on.
	/// Closed matches are remembered for `grace_ms` milliseconds of the chain's time.
	///
	/// # Errors
	/// The chain cannot be read, or the folder cannot be used.
	pub async fn start(chain: Chain, folder: &Path, grace_ms: Moment) -> Outcome<Self> {
		let genesis = chain.status().await?.genesis_hash;
		let store = MarketStore::open(folder, genesis, chain.first_block().await?)?;
		let known = store.load()?;
		let snapshot = chain.snapshot().await?;
		let head = snapshot.number();
		let state = RwLock::default();
		let (ahead, trouble) = Default::default();
		let shared = Arc::new(Shared { state, ahead, trouble, store, grace_ms });
		let missed = known.as_ref().and_then(|(_, block)| head.checked_sub(*block));
		if let Some((market, _)) = known {
			shared.state.write().unwrap_or_else(PoisonError::into_inner).market = market;
		}
		let (mut written, mut blocks);
		match missed {
			Some(missed) if missed <= MAX_MISSED_BLOCKS => {
				written = head - missed;
				blocks = chain.finalized_blocks(Some(written + 1));
				let mut seen = written;
				while seen < head {
					seen = shared.apply(blocks.next().await?, &mut written).await?;
				}
			},
			_ => {
				shared.replace(&snapshot).await?;
				written = 0;
				shared.write(head, &mut written).await;
				blocks = chain.finalized_blocks(Some(head + 1));
			},
		}
		let followers = [
			tokio::spawn(follow_best(chain.best_blocks(), shared.clone())).abort_handle(),
			tokio::spawn(follow(blocks, shared.clone(), written)).abort_handle(),
		];
		Ok(Self { shared, followers })
	}

	fn read<T>(&self, look: impl FnOnce(&Market) -> T) -> Result<T, ChainUnavailable> {
		let trouble = self.shared.trouble.read().unwrap_or_else(PoisonError::into_inner);
		if let Some(trouble) = trouble.as_ref() {
			return Err(ChainUnavailable(trouble.clone()));
		}
		let state = self.shared.state.read().unwrap_or_else(PoisonError::into_inner);
		Ok(look(&state.market))
	}

	/// As [`Self::read`], of the market on the best chain.
	fn read_ahead<T>(&self, look: impl Fn(&Market) -> T) -> Result<T, ChainUnavailable> {
		self.read(|known| {
			let ahead = self.shared.ahead.read().unwrap_or_else(PoisonError::into_inner);
			look(ahead.market().unwrap_or(known))
		})
	}
}

#[async_trait]
impl ChainView for MarketView {
	async fn is_job_creator(&self, who: &DirectoryAccount) -> Result<bool, ChainUnavailable> {
		self.read(|market| market.creators.contains(&AccountId(who.0)))
	}

	async fn open_offers(
		&self,
		creator: &DirectoryAccount,
		job: &RepositoryName,
	) -> Result<Vec<OfferView>, ChainUnavailable> {
		self.read(|market| market.open_offers(creator, job))
	}

	async fn matches_of_job(
		&self,
		job: &RepositoryName,
	) -> Result<Vec<MatchView>, ChainUnavailable> {
		self.read_ahead(|market| market.matches_of_job(job))
	}

	async fn match_by_id(&self, id: u64) -> Result<Option<MatchView>, ChainUnavailable> {
		self.read_ahead(|market| market.matches.get(&id).map(|known| known.view.clone()))
	}
}

/// Keeps the state up to date. `written` is the last block whose events are in the store.
async fn follow(mut blocks: FinalizedBlocks, shared: Arc<Shared>, mut written: u64) {
	loop {
		let outcome = match blocks.next().await {
			Ok(item) => shared.apply(item, &mut written).await.map(drop),
			Err(error) => Err(error),
		};
		let trouble = outcome.err().map(|error| error.to_string());
		if let Some(trouble) = &trouble {
			tracing::warn!("the directory cannot follow the chain: {trouble}");
		}
		*shared.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
	}
}

/// Keeps what is ahead of finality up to date. What cannot be read now is read when it is final.
async fn follow_best(mut blocks: BestBlocks, shared: Arc<Shared>) {
	loop {
		let read = async {
			Ok::<_, Error>(match blocks.next().await? {
				BestItem::Block { events, snapshot } => {
					let now = snapshot.now().await?;
					clock::saw(now);
					Some((snapshot.number(), now, events))
				},
				BestItem::Turn(_) => None,
			})
		};
		let read = read.await;
		if let Err(error) = &read {
			tracing::debug!(%error, "the best chain cannot be read");
			tokio::time::sleep(PAUSE).await;
		}
		let state = shared.state.read().unwrap_or_else(PoisonError::into_inner);
		let mut ahead = shared.ahead.write().unwrap_or_else(PoisonError::into_inner);
		match read {
			Ok(Some((number, now, events))) => ahead.push(number, now, events, &state.market),
			Ok(None) | Err(_) => ahead.turn(),
		}
	}
}

impl Shared {
	/// Takes what comes next, and writes it down if there is something to write; the number of its last block.
	async fn apply(&self, item: FinalizedItem, written: &mut u64) -> Result<u64, Error> {
		let number = match item {
			FinalizedItem::Block(block) => {
				let number = block.number();
				if !block.events.is_empty() {
					let now = block.snapshot.now().await?;
					let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
					state.take(block.events, now);
					state.forget(now.saturating_sub(self.grace_ms));
				}
				number
			},
			FinalizedItem::Missed { snapshot, last, .. } => {
				self.replace(&snapshot).await?;
				last
			},
		};
		{
			let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
			let mut ahead = self.ahead.write().unwrap_or_else(PoisonError::into_inner);
			ahead.settle(number, &state.market);
		}
		self.write(number, written).await;
		Ok(number)
	}

	async fn replace(&self, snapshot: &Snapshot) -> Result<(), Error> {
		let (market, now) = (read_market(snapshot).await?, snapshot.now().await?);
		self.state.write().unwrap_or_else(PoisonError::into_inner).replace(market, now);
		Ok(())
	}

	/// Writes down what changed up to `block`. What cannot be written now is written with the next block: until
	/// then a restart begins further back.
	async fn write(&self, block: u64, written: &mut u64) {
		let (batch, changed) = {
			let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
			if state.changed.is_empty() && block.saturating_sub(*written) < BLOCKS_BETWEEN_WRITES {
				return;
			}
			let changed = std::mem::take(&mut state.changed);
			(Batch::of(&state.market, &changed), changed)
		};
		let store = self.store.clone();
		let writing = tokio::task::spawn_blocking(move || store.write(batch, block));
		match writing.await.expect("writing to the store does not panic; qed") {
			Ok(()) => *written = block,
			Err(failure) => {
				tracing::warn!(
					"what the directory knows of the market cannot be written: {failure}"
				);
				let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
				state.changed.extend(changed);
			},
		}
	}
}

/// The market as the chain's state has it.
async fn read_market(snapshot: &Snapshot) -> Result<Market, Error> {
	let creators = snapshot.job_creators().await?.into_iter().map(|(who, _)| who).collect();
	let offers: BTreeMap<_, _> = snapshot
		.job_offers()
		.await?
		.into_iter()
		.map(|(id, offer)| {
			let is_open = offer.state == OfferState::Open;
			(id, Offer::new(offer.creator, offer.uri, &offer.terms.limits, is_open))
		})
		.collect();
	let account = |account: AccountId| DirectoryAccount(account.0);
	let matches = snapshot.open_matches().await?.into_iter().map(|(id, record)| {
		let phase = match record.phase {
			ChainPhase::Running => Phase::Running,
			ChainPhase::ResultPosted { .. } => Phase::ResultPosted,
			ChainPhase::Mediating { .. } => Phase::Mediating,
		};
		let view = MatchView {
			id,
			creator: account(record.creator),
			provider: account(record.provider),
			mediator: account(record.mediator),
			phase,
			storage_limit: record.limits.storage,
			bandwidth_limit: record.limits.bandwidth,
		};
		let uri = offers.get(&record.job_offer).map(|offer| offer.uri.clone());
		(id, Known { uri: uri.unwrap_or_default(), view })
	});
	Ok(Market { creators, matches: matches.collect(), offers })
}
