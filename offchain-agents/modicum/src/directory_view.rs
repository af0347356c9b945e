// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a directory needs to know of the chain: read once from the state, then kept up to date from finalised
//! events, and answered from memory.

use crate::failure::Outcome;
use async_trait::async_trait;
use modicum_chain_client::{
	AccountId, Chain, Error, Event, FinalizedBlock, FinalizedBlocks, FinalizedItem, OfferState,
	Phase as ChainPhase, Snapshot,
};
use modicum_directory::{
	access::{ChainUnavailable, ChainView, MatchView, Phase},
	account::AccountId as DirectoryAccount,
	names::RepositoryName,
};
use modicum_primitives::{JobOfferId, MatchId, Moment};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::{Arc, PoisonError, RwLock},
};
use tokio::task::AbortHandle;

/// The market as a directory sees it. Follows the chain for as long as this value lives.
pub struct MarketView {
	state: Arc<RwLock<State>>,
	follower: AbortHandle,
}

impl Drop for MarketView {
	fn drop(&mut self) {
		self.follower.abort();
	}
}

#[derive(Default)]
struct State {
	creators: BTreeSet<AccountId>,
	offers: BTreeMap<JobOfferId, Offer>,
	matches: BTreeMap<MatchId, Known>,
	/// Why the chain cannot be read at the moment, if so.
	trouble: Option<String>,
}

/// A job offer, open or matched.
struct Offer {
	/// What its URI names; `None` if that is no repository.
	repository: Option<RepositoryName>,
	storage_limit: u64,
	is_open: bool,
}

/// A match, open or closed not too long ago.
struct Known {
	job: Option<RepositoryName>,
	view: MatchView,
}

/// The repository that an offer's URI names: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, where host, tag and digest
/// may be missing, and `oci://` may come before.
pub fn repository_of(uri: &str) -> Option<RepositoryName> {
	let name = uri.strip_prefix("oci://").unwrap_or(uri);
	let name = name.split_once('@').map_or(name, |(name, _)| name);
	let name = match name.split_once('/') {
		Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
		_ => name,
	};
	let name = name.split_once(':').map_or(name, |(name, _)| name);
	name.parse().ok()
}

fn account(account: AccountId) -> DirectoryAccount {
	DirectoryAccount(account.0)
}

impl MarketView {
	/// Reads the market and follows it. Closed matches are remembered for `grace_ms` milliseconds of the
	/// chain's time.
	///
	/// # Errors
	/// The chain cannot be read.
	pub async fn start(chain: Chain, grace_ms: Moment) -> Outcome<Self> {
		let snapshot = chain.snapshot().await?;
		let mut state = State::default();
		state.replace(Market::read(&snapshot).await?, snapshot.now().await?);
		let state = Arc::new(RwLock::new(state));
		let blocks = chain.finalized_blocks(Some(snapshot.number() + 1));
		let follower = tokio::spawn(follow(blocks, state.clone(), grace_ms)).abort_handle();
		Ok(Self { state, follower })
	}

	fn read<T>(&self, look: impl FnOnce(&State) -> T) -> Result<T, ChainUnavailable> {
		let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
		match &state.trouble {
			Some(trouble) => Err(ChainUnavailable(trouble.clone())),
			None => Ok(look(&state)),
		}
	}
}

#[async_trait]
impl ChainView for MarketView {
	async fn is_job_creator(&self, who: &DirectoryAccount) -> Result<bool, ChainUnavailable> {
		self.read(|state| state.creators.contains(&AccountId(who.0)))
	}

	async fn has_open_offer(&self, job: &RepositoryName) -> Result<bool, ChainUnavailable> {
		self.read(|state| {
			state
				.offers
				.values()
				.any(|offer| offer.is_open && offer.repository.as_ref() == Some(job))
		})
	}

	async fn matches_of_job(
		&self,
		job: &RepositoryName,
	) -> Result<Vec<MatchView>, ChainUnavailable> {
		self.read(|state| {
			let of_job = state.matches.values().filter(|known| known.job.as_ref() == Some(job));
			of_job.map(|known| known.view.clone()).collect()
		})
	}

	async fn match_by_id(&self, id: u64) -> Result<Option<MatchView>, ChainUnavailable> {
		self.read(|state| state.matches.get(&id).map(|known| known.view.clone()))
	}
}

/// Keeps the state up to date.
async fn follow(mut blocks: FinalizedBlocks, state: Arc<RwLock<State>>, grace_ms: Moment) {
	loop {
		let outcome = match blocks.next().await {
			Ok(item) => apply(&state, item, grace_ms).await,
			Err(error) => Err(error),
		};
		let trouble = outcome.err().map(|error| error.to_string());
		if let Some(trouble) = &trouble {
			tracing::warn!("the directory cannot follow the chain: {trouble}");
		}
		state.write().unwrap_or_else(PoisonError::into_inner).trouble = trouble;
	}
}

async fn apply(state: &RwLock<State>, item: FinalizedItem, grace_ms: Moment) -> Result<(), Error> {
	match item {
		FinalizedItem::Block(block) if block.events.is_empty() => {},
		FinalizedItem::Block(block) => {
			let now = block.snapshot.now().await?;
			let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
			state.take(block, now);
			state.forget(now.saturating_sub(grace_ms));
		},
		FinalizedItem::Missed { snapshot, .. } => {
			let (market, now) = (Market::read(&snapshot).await?, snapshot.now().await?);
			let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
			state.replace(market, now);
		},
	}
	Ok(())
}

/// The market as the chain's state has it.
struct Market {
	creators: BTreeSet<AccountId>,
	offers: BTreeMap<JobOfferId, Offer>,
	matches: BTreeMap<MatchId, Known>,
}

impl Market {
	async fn read(snapshot: &Snapshot) -> Result<Self, Error> {
		let creators = snapshot.job_creators().await?.into_iter().map(|(who, _)| who).collect();
		let offers: BTreeMap<_, _> = snapshot
			.job_offers()
			.await?
			.into_iter()
			.map(|(id, offer)| {
				let known = Offer {
					repository: repository_of(&offer.uri),
					storage_limit: offer.terms.limits.storage,
					is_open: offer.state == OfferState::Open,
				};
				(id, known)
			})
			.collect();
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
			};
			let job = offers.get(&record.job_offer).and_then(|offer| offer.repository.clone());
			(id, Known { job, view })
		});
		Ok(Self { creators, matches: matches.collect(), offers })
	}
}

impl State {
	/// Takes the market as it is `now`. Matches that are gone from it were closed, at the latest now.
	fn replace(&mut self, market: Market, now: Moment) {
		self.creators = market.creators;
		self.offers = market.offers;
		for (id, known) in &mut self.matches {
			let is_closed = matches!(known.view.phase, Phase::Closed { .. });
			if !is_closed && !market.matches.contains_key(id) {
				known.view.phase = Phase::Closed { at: now };
			}
		}
		self.matches.extend(market.matches);
	}

	/// Takes what happened in a block whose time is `now`.
	fn take(&mut self, block: FinalizedBlock, now: Moment) {
		for event in block.events {
			self.take_event(event, now);
		}
	}

	fn take_event(&mut self, event: Event, now: Moment) {
		match event {
			Event::JobCreatorRegistered { creator } => {
				self.creators.insert(creator);
			},
			Event::JobCreatorDeregistered { creator } => {
				self.creators.remove(&creator);
			},
			Event::JobOfferPosted { job_offer, terms, uri, .. } => {
				let repository = repository_of(&uri);
				let storage_limit = terms.limits.storage;
				self.offers.insert(job_offer, Offer { repository, storage_limit, is_open: true });
			},
			Event::JobOfferCanceled { job_offer, .. }
			| Event::JobOfferExpired { job_offer, .. } => {
				self.offers.remove(&job_offer);
			},
			Event::Matched { match_id, job_offer, creator, provider, mediator, .. } => {
				let Some(offer) = self.offers.get_mut(&job_offer) else { return };
				offer.is_open = false;
				let view = MatchView {
					id: match_id,
					creator: account(creator),
					provider: account(provider),
					mediator: account(mediator),
					phase: Phase::Running,
					storage_limit: offer.storage_limit,
				};
				let job = offer.repository.clone();
				self.matches.insert(match_id, Known { job, view });
			},
			Event::ResultPosted { match_id, .. } => self.set_phase(match_id, Phase::ResultPosted),
			Event::JobAssignedForMediation { match_id, .. } => {
				self.set_phase(match_id, Phase::Mediating);
			},
			Event::MatchClosed { match_id, job_offer, .. } => {
				self.offers.remove(&job_offer);
				self.set_phase(match_id, Phase::Closed { at: now });
			},
			_ => {},
		}
	}

	fn set_phase(&mut self, id: MatchId, phase: Phase) {
		if let Some(known) = self.matches.get_mut(&id) {
			known.view.phase = phase;
		}
	}

	/// Forgets matches that were closed before `end`.
	fn forget(&mut self, end: Moment) {
		self.matches
			.retain(|_, known| !matches!(known.view.phase, Phase::Closed { at } if at < end));
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn uris_name_repositories_with_or_without_host_tag_and_digest() {
		let name: RepositoryName = "jobs/0a/render".parse().unwrap();
		let digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
		for uri in [
			"jobs/0a/render".to_string(),
			"directory.example/jobs/0a/render".into(),
			"oci://directory.example:5000/jobs/0a/render:latest".into(),
			format!("localhost/jobs/0a/render@{digest}"),
			format!("127.0.0.1:5000/jobs/0a/render:v1@{digest}"),
		] {
			assert_eq!(repository_of(&uri), Some(name.clone()), "{uri}");
		}
		for uri in ["", "oci://", "directory.example/", "jobs/../secret", "JOBS/A"] {
			assert_eq!(repository_of(uri), None, "{uri}");
		}
	}
}
