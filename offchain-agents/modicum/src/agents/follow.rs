// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an agent knows of the chain, in two ways (docs/adr/0007-finality.md): the view of the best chain, on which
//! it acts, and what finalised blocks did, from which it draws its conclusions.

use crate::{agents::store::Store, failure::Outcome};
use futures::future::try_join_all;
use modicum_chain_client::{
	AccountId, BestBlocks, BestItem, Chain, Error, Event, FinalizedBlocks, FinalizedItem, Match,
	Phase, PostedResult, Reaction, Snapshot,
};
use modicum_primitives::{MatchId, Moment, RejectReason};
use std::{collections::BTreeMap, sync::Arc};
use tokio::{sync::mpsc, task::JoinSet};

/// The entry of the store with the next finalised block to look at.
const NEXT_BLOCK: &str = "next-block";
/// Blocks after which the next one is written down even if nothing happened. Looking at a block twice does no harm.
const SAVE_EVERY: u64 = 30;
/// Steps that may wait for the agent.
const QUEUE: usize = 16;

/// The next finalised block that an agent has to look at, if it has looked at any.
///
/// # Errors
/// The store cannot be read.
pub fn next_block(store: &Store) -> Outcome<Option<u64>> {
	store.get(NEXT_BLOCK)
}

/// The market as of a block of the best chain. A fork may take it back.
#[derive(Clone)]
pub struct View {
	/// The market after the block.
	pub snapshot: Snapshot,
	/// The block's time, milliseconds since the Unix epoch.
	pub now: Moment,
	/// What happened since the last view, in order.
	pub events: Vec<Event>,
	/// Whether this view does not follow on the last one, so that whoever counts on events must read the market anew.
	pub is_fresh_start: bool,
	/// The agent's open matches.
	pub matches: Arc<BTreeMap<MatchId, Match>>,
}

/// A finalised block. Each comes once, those before the agent was started included, back to the last one that it
/// saw in its life before.
pub struct Conclusion {
	/// The block's number.
	pub number: u64,
	/// The block's time, milliseconds since the Unix epoch; 0 if nothing happened in it.
	pub now: Moment,
	/// What happened in it, in order.
	pub events: Vec<Event>,
}

/// What the agent learns next.
pub enum Step {
	/// On what to act.
	View(View),
	/// What is certain.
	Final(Conclusion),
	/// The chain cannot be read; it is tried again.
	Trouble(Error),
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

/// Which matches an agent takes part in.
type IsMine = Box<dyn Fn(Parties) -> bool + Send + Sync>;

/// Follows the chain for an agent.
pub struct Follower {
	steps: mpsc::Receiver<Step>,
	_tasks: JoinSet<()>,
	store: Store,
	saved: u64,
	/// Number of the last finalised block when the agent was started.
	start: u64,
}

impl Follower {
	/// Follows the matches for which `is_mine` holds, and finalised blocks from the last one in the store on.
	///
	/// # Errors
	/// The chain or the store cannot be read.
	pub async fn start(
		chain: &Chain,
		store: &Store,
		is_mine: impl Fn(Parties) -> bool + Send + Sync + 'static,
	) -> Outcome<Self> {
		let start = chain.snapshot().await?.number();
		let next = next_block(store)?.unwrap_or(start + 1).min(start + 1);
		let (to, steps) = mpsc::channel(QUEUE);
		let mut tasks = JoinSet::new();
		let (best, is_mine) = (chain.best_blocks(), Box::new(is_mine));
		tasks.spawn(follow_best(best, is_mine, to.clone()));
		tasks.spawn(follow_final(chain.finalized_blocks(Some(next)), to));
		Ok(Self { steps, _tasks: tasks, store: store.clone(), saved: next, start })
	}

	/// Number of the last finalised block when the agent was started.
	pub fn first_final(&self) -> u64 {
		self.start
	}

	/// Waits for the next step. May be dropped and called again.
	pub async fn next(&mut self) -> Step {
		let ended = || Step::Trouble(Error::Unreachable(Vec::new()));
		self.steps.recv().await.unwrap_or_else(ended)
	}

	/// The agent has written down what it wants to keep of a finalised block: it need not come again.
	///
	/// # Errors
	/// The store cannot be written.
	pub async fn done(&mut self, conclusion: &Conclusion) -> Outcome<()> {
		let next = conclusion.number + 1;
		if !conclusion.events.is_empty() || next >= self.saved + SAVE_EVERY {
			self.store.put(NEXT_BLOCK, &next).await?;
			self.saved = next;
		}
		Ok(())
	}
}

async fn follow_final(mut blocks: FinalizedBlocks, to: mpsc::Sender<Step>) {
	loop {
		let step = match blocks.next().await {
			Ok(FinalizedItem::Block(block)) => {
				let number = block.number();
				let now = match block.events.is_empty() {
					true => 0,
					// When exactly it was is of no consequence.
					false => block.snapshot.now().await.unwrap_or_else(|_| super::now()),
				};
				Step::Final(Conclusion { number, now, events: block.events })
			},
			Ok(FinalizedItem::Missed { first, last, .. }) => {
				tracing::warn!(first, last, "what happened in these blocks is not known");
				Step::Final(Conclusion { number: last, now: 0, events: Vec::new() })
			},
			Err(error) => Step::Trouble(error),
		};
		let is_trouble = matches!(step, Step::Trouble(_));
		if to.send(step).await.is_err() {
			return;
		}
		if is_trouble {
			tokio::time::sleep(super::PAUSE).await;
		}
	}
}

async fn follow_best(mut blocks: BestBlocks, is_mine: IsMine, to: mpsc::Sender<Step>) {
	let mut matches = Matches::default();
	loop {
		let step = match blocks.next().await {
			Ok(item) => matches.view(item, &is_mine).await,
			Err(error) => Err(error),
		};
		let step = step.map_or_else(Step::Trouble, Step::View);
		let is_trouble = matches!(step, Step::Trouble(_));
		if to.send(step).await.is_err() {
			return;
		}
		if is_trouble {
			tokio::time::sleep(super::PAUSE).await;
		}
	}
}

/// An agent's open matches as of the last view.
#[derive(Default)]
struct Matches {
	/// `None` if they must be read anew.
	known: Option<Arc<BTreeMap<MatchId, Match>>>,
}

impl Matches {
	/// The view of what came. If it cannot be had, the next one is a fresh start.
	async fn view(&mut self, item: BestItem, is_mine: &IsMine) -> Result<View, Error> {
		let known = self.known.take();
		let (known, snapshot, events) = match item {
			BestItem::Block { events, snapshot } => (known, snapshot, events),
			BestItem::Turn(snapshot) => (None, snapshot, Vec::new()),
		};
		let is_fresh_start = known.is_none();
		let matches = match known {
			Some(mut known) => {
				take(Arc::make_mut(&mut known), &snapshot, &events, is_mine).await?;
				known
			},
			None => {
				let open = snapshot.open_matches().await?.into_iter();
				Arc::new(open.filter(|(_, found)| is_mine(parties(found))).collect())
			},
		};
		let now = snapshot.now().await?;
		super::clock::saw(now);
		self.known = Some(matches.clone());
		Ok(View { snapshot, now, events, is_fresh_start, matches })
	}
}

/// Who takes part in a match.
pub fn parties(found: &Match) -> Parties {
	Parties { creator: found.creator, provider: found.provider, mediator: found.mediator }
}

/// Takes the events of a block in. Only a new match is not told whole by its event.
async fn take(
	matches: &mut BTreeMap<MatchId, Match>,
	snapshot: &Snapshot,
	events: &[Event],
	is_mine: &IsMine,
) -> Result<(), Error> {
	let new = events.iter().filter_map(|event| match event {
		Event::Matched { match_id, creator, provider, mediator, .. } => {
			let parties = Parties { creator: *creator, provider: *provider, mediator: *mediator };
			is_mine(parties).then_some(*match_id)
		},
		_ => None,
	});
	// All at once: one after the other, a hundred take seconds. As of the end of the block, when a match may be
	// further or closed already.
	let reading = new.map(|id| async move { Ok::<_, Error>((id, snapshot.open_match(id).await?)) });
	let mut new: BTreeMap<_, _> = try_join_all(reading).await?.into_iter().collect();
	for event in events {
		match event {
			Event::Matched { match_id, .. } => {
				let found = new.remove(match_id).flatten();
				matches.extend(found.map(|found| (*match_id, found)));
			},
			event => advance(matches, event),
		}
	}
	Ok(())
}

/// Takes in what an event says of a match that is known.
fn advance(matches: &mut BTreeMap<MatchId, Match>, event: &Event) {
	match event {
		Event::ResultPosted { match_id, result, uri, reaction_deadline, .. } => {
			let Some(found) = matches.get_mut(match_id) else { return };
			if found.phase == Phase::Running {
				let result = PostedResult { run: *result, uri: uri.clone() };
				let reaction_deadline = *reaction_deadline;
				found.phase = Phase::ResultPosted { result, reaction_deadline };
			}
		},
		// The reason; the deadline comes with the next event.
		Event::ResultReaction { match_id, reaction: Reaction::Rejected(reason), .. } => {
			mediate(matches, *match_id, Some(*reason), None);
		},
		Event::JobAssignedForMediation { match_id, mediation_deadline, .. } => {
			mediate(matches, *match_id, None, Some(*mediation_deadline));
		},
		Event::MatchClosed { match_id, .. } => drop(matches.remove(match_id)),
		_ => {},
	}
}

fn mediate(
	matches: &mut BTreeMap<MatchId, Match>,
	id: MatchId,
	why: Option<RejectReason>,
	until: Option<Moment>,
) {
	let Some(found) = matches.get_mut(&id) else { return };
	match &mut found.phase {
		Phase::ResultPosted { result, .. } => {
			found.phase = Phase::Mediating {
				result: result.clone(),
				reason: why.unwrap_or(RejectReason::WrongResults),
				mediation_deadline: until.unwrap_or(Moment::MAX),
			};
		},
		Phase::Mediating { reason, mediation_deadline, .. } => {
			*reason = why.unwrap_or(*reason);
			*mediation_deadline = until.unwrap_or(*mediation_deadline);
		},
		Phase::Running => {},
	}
}
