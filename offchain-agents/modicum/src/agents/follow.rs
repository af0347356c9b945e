// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! An agent's view of its own matches: read once, then kept up to date block by block.

use crate::{agents::store::Store, failure::Outcome};
use modicum_chain_client::{
	AccountId, Chain, Error, Event, FinalizedBlock, FinalizedBlocks, FinalizedItem, Match, Snapshot,
};
use modicum_primitives::{MatchId, Moment};
use std::collections::BTreeMap;

/// The entry of the store with the next block to look at.
const NEXT_BLOCK: &str = "next-block";
/// Blocks after which the next one is written down even if nothing happened. Looking at a block twice does no harm.
const SAVE_EVERY: u64 = 30;

/// A finalised block, as far as an agent cares.
pub struct Step {
	/// The market after it.
	pub snapshot: Snapshot,
	/// Its time, milliseconds since the Unix epoch.
	pub now: Moment,
	/// What happened since the last step, in order. Also that of blocks before the agent was started, back to the
	/// last one that it saw in its life before; then `snapshot` is later than some of them.
	pub events: Vec<Event>,
	/// Whether events in between are lost, so that whoever counts on them must read the market anew.
	pub is_fresh_start: bool,
}

/// Who takes part in a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parties {
	/// The job creator.
	pub creator: AccountId,
	/// The resource provider.
	pub provider: AccountId,
	/// The mediator.
	pub mediator: AccountId,
}

impl Parties {
	fn of(found: &Match) -> Self {
		Self { creator: found.creator, provider: found.provider, mediator: found.mediator }
	}
}

/// Follows the chain for an agent.
pub struct Follower {
	blocks: FinalizedBlocks,
	/// The item that is being taken in. It stays until that is done, so that an error or a dropped future loses nothing.
	item: Option<FinalizedItem>,
	/// Number of the next block.
	next: u64,
	store: Store,
	/// Where the agent started; what came before is history that needs no reaction.
	start: Option<Snapshot>,
	history: Vec<Event>,
	saved: u64,
	is_mine: Box<dyn Fn(Parties) -> bool + Send + Sync>,
	matches: BTreeMap<MatchId, Match>,
}

impl Follower {
	/// Follows the matches for which `is_mine` holds, from the last block in the store on.
	///
	/// # Errors
	/// The chain or the store cannot be read.
	pub async fn start(
		chain: &Chain,
		store: &Store,
		is_mine: impl Fn(Parties) -> bool + Send + Sync + 'static,
	) -> Outcome<Self> {
		let snapshot = chain.snapshot().await?;
		let known: Option<u64> = store.get(NEXT_BLOCK)?;
		let next = known.unwrap_or(snapshot.number() + 1).min(snapshot.number() + 1);
		Ok(Self {
			blocks: chain.finalized_blocks(Some(next)),
			item: None,
			next,
			store: store.clone(),
			saved: next,
			start: Some(snapshot),
			history: Vec::new(),
			is_mine: Box::new(is_mine),
			matches: BTreeMap::new(),
		})
	}

	/// The agent's open matches.
	pub fn matches(&self) -> &BTreeMap<MatchId, Match> {
		&self.matches
	}

	/// Waits for the next block. May be dropped and called again.
	///
	/// # Errors
	/// The chain cannot be read; calling again goes on where it stopped.
	pub async fn next(&mut self) -> Result<Step, Error> {
		loop {
			if let Some(start) = self.start.clone().filter(|start| self.next > start.number()) {
				self.read(&start).await?;
				let now = start.now().await?;
				self.start = None;
				let events = std::mem::take(&mut self.history);
				return Ok(Step { snapshot: start, now, events, is_fresh_start: true });
			}
			if self.item.is_none() {
				self.item = Some(self.blocks.next().await?);
			}
			match &self.item {
				Some(FinalizedItem::Block(block)) if self.start.is_some() => {
					self.next = block.number() + 1;
					self.history.extend(block.events.iter().cloned());
					self.item = None;
				},
				Some(FinalizedItem::Block(block)) => {
					let block = block.clone();
					self.take(&block).await?;
					let now = block.snapshot.now().await?;
					self.item = None;
					self.next = block.number() + 1;
					let FinalizedBlock { events, snapshot } = block;
					return Ok(Step { snapshot, now, events, is_fresh_start: false });
				},
				Some(FinalizedItem::Missed { first, last, snapshot }) => {
					tracing::warn!(first, last, "what happened in these blocks is not known");
					let snapshot = snapshot.clone();
					self.read(&snapshot).await?;
					let now = snapshot.now().await?;
					self.item = None;
					self.start = None;
					self.next = snapshot.number() + 1;
					let events = std::mem::take(&mut self.history);
					return Ok(Step { snapshot, now, events, is_fresh_start: true });
				},
				None => {},
			}
		}
	}

	/// The agent has written down what it wants to keep of a step: it need not come again.
	///
	/// # Errors
	/// The store cannot be written.
	pub fn done(&mut self, step: &Step) -> Outcome<()> {
		let next = step.snapshot.number() + 1;
		if !step.events.is_empty() || next >= self.saved + SAVE_EVERY {
			self.store.put(NEXT_BLOCK, &next)?;
			self.saved = next;
		}
		Ok(())
	}

	async fn read(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
		let open = snapshot.open_matches().await?;
		self.matches =
			open.into_iter().filter(|(_, found)| (self.is_mine)(Parties::of(found))).collect();
		Ok(())
	}

	async fn take(&mut self, block: &FinalizedBlock) -> Result<(), Error> {
		for event in &block.events {
			let id = match event {
				Event::Matched { match_id, creator, provider, mediator, .. }
					if (self.is_mine)(Parties {
						creator: *creator,
						provider: *provider,
						mediator: *mediator,
					}) =>
				{
					*match_id
				},
				Event::ResultPosted { match_id, .. }
				| Event::ResultReaction { match_id, .. }
				| Event::JobAssignedForMediation { match_id, .. }
				| Event::MatchClosed { match_id, .. }
					if self.matches.contains_key(match_id) =>
				{
					*match_id
				},
				_ => continue,
			};
			match block.snapshot.open_match(id).await? {
				Some(found) => drop(self.matches.insert(id, found)),
				None => drop(self.matches.remove(&id)),
			}
		}
		Ok(())
	}
}
