// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The long-running roles.
//!
//! Each agent follows the chain ([`follow`]), decides from its view of the best chain what is to be done, and does it
//! aside ([`errands`]); what is certain it learns from finalised blocks, and only that goes into its [`store`]. After a
//! crash or a fork it decides anew from the state of the chain: nothing is lost, and nothing done twice
//! (docs/adr/0007-finality.md).

mod ahead;
pub mod cheat;
pub mod clock;
pub mod creator;
pub mod duplicate;
pub mod errands;
pub mod follow;
pub mod jobs;
pub mod mediator;
pub mod observe;
pub mod posting;
pub mod provider;
pub mod risk;
pub mod runner;
pub mod solver;
pub mod store;
pub mod transfer;
pub mod verify;

use crate::{
	context::Context,
	failure::{Exit, Failure, Outcome},
	keys,
};
pub use clock::now;
use errands::Errands;
use follow::{Conclusion, Follower, Parties, Step, View};
use modicum_chain_client::{AccountId, Chain, Match, Snapshot, Submitter, H256};
use modicum_executor::RunId;
use modicum_primitives::{Hash, MatchId, Moment};
use observe::Health;
use runner::{Assignment, Runner};
use std::{
	collections::{BTreeSet, VecDeque},
	fmt,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use store::{Claim, Store};
use tokio_util::sync::CancellationToken;
use transfer::Transfer;

/// Pause after the chain could not be read.
const PAUSE: Duration = Duration::from_secs(2);
/// Blocks that the best one may be ahead of the last finalised one. While it is further, agents start nothing: what
/// a fork may take back is never much.
const MOST_UNFINAL: u64 = 32;
/// What stays of a run that no match asks for, before it is removed.
const LEFTOVERS_KEPT: Duration = Duration::from_secs(600);

/// The entry of the store with the genesis hash of the chain that it is about.
const GENESIS: &str = "genesis";

/// What agents share. Cheap to clone.
#[derive(Clone)]
pub struct Agent {
	/// The account that acts.
	pub account: AccountId,
	/// The chain.
	pub chain: Chain,
	/// Where the account's calls are submitted.
	pub submitter: Submitter,
	/// What must not be forgotten.
	pub store: Store,
	/// The way to directories.
	pub transfer: Arc<Transfer>,
	/// What it shows of itself.
	pub health: Arc<Health>,
	/// The last view.
	latest: Arc<Mutex<Option<Snapshot>>>,
}

impl Agent {
	/// The agent of `role` for the key's account.
	///
	/// # Errors
	/// No key, no chain, or no folder to write to.
	pub async fn new(context: &Context, role: &'static str) -> Outcome<Self> {
		let (key, _) = keys::load(&context.config)?;
		let account = key.account();
		let store = Store::open(context.config.agent_folder(role, &account))?;
		let chain = context.chain().await?;
		let genesis = chain.status().await?.genesis_hash;
		check_chain(&store, genesis).await?;
		clock::ask(&chain).await;
		let transfer = Arc::new(Transfer::new(&key, genesis.0)?);
		let submitter = Submitter::start(chain.clone(), key, context.config.submission());
		let health = Arc::new(Health::new(role));
		Ok(Self { account, chain, submitter, store, transfer, health, latest: Arc::default() })
	}

	/// The market as the agent sees it now: the block to decide on at the end of a long errand.
	///
	/// # Errors
	/// The chain cannot be read.
	pub async fn latest(&self) -> Outcome<Snapshot> {
		let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone();
		match latest {
			Some(latest) => Ok(latest),
			None => Ok(self.chain.snapshot().await?),
		}
	}

	/// Makes this the one process that runs the role for the account.
	///
	/// # Errors
	/// There is one already.
	pub fn claim(&self) -> Outcome<Claim> {
		self.store.claim("run")?.ok_or_else(|| {
			let folder = self.store.folder().display();
			let message = format!(
				"another process runs this role for {}; its state is in {folder}. Stop it first",
				self.account
			);
			Failure::new(Exit::Usage, message)
		})
	}
}

/// An agent's folder is of one chain: on another, its jobs and matches are somebody else's.
async fn check_chain(store: &Store, genesis: H256) -> Outcome<()> {
	let here = format!("{genesis:?}");
	match store.get::<String>(GENESIS)? {
		None => store.put(GENESIS, &here).await,
		Some(known) if known == here => Ok(()),
		Some(known) => {
			let folder = store.folder().display();
			let message = format!(
				"{folder} has the state of another chain: its genesis hash is {known}, that of the chain reached \
				 is {here}. Check the endpoints; if that chain is gone for good, move the folder away"
			);
			Err(Failure::new(Exit::ChainMismatch, message))
		},
	}
}

/// What an agent is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Errand {
	/// Post an offer, so many at once.
	Offer(u32),
	/// Take an offer back.
	Withdraw(u64),
	/// Run a match's job and post the result.
	Run(MatchId),
	/// Accept in the creator's place.
	Accept(MatchId),
	/// Look into a dispute and post evidence.
	Mediate(MatchId),
	/// End a match whose mediator is late.
	TimeoutMediation(MatchId),
	/// Remove what a match has left on this machine.
	CleanUp(MatchId),
	/// No longer trust a mediator whose verdict was false.
	Distrust(AccountId),
	/// No longer trust a directory that has lost a result.
	DistrustDirectory(AccountId),
	/// Post matches.
	Solve,
}

impl fmt::Display for Errand {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Offer(_) => f.write_str("post a resource offer"),
			Self::Withdraw(id) => write!(f, "take resource offer {id} back"),
			Self::Run(id) => write!(f, "run the job of match {id}"),
			Self::Accept(id) => write!(f, "accept match {id} in the creator's place"),
			Self::Mediate(id) => write!(f, "mediate match {id}"),
			Self::TimeoutMediation(id) => write!(f, "end match {id}, whose mediator is late"),
			Self::CleanUp(id) => write!(f, "clean up after match {id}"),
			Self::Distrust(who) | Self::DistrustDirectory(who) => {
				write!(f, "no longer trust {who}")
			},
			Self::Solve => f.write_str("post matches"),
		}
	}
}

/// A long-running role.
#[async_trait::async_trait]
pub trait Role: Send {
	/// Takes a view in. Called once for each.
	///
	/// # Errors
	/// Only what the agent cannot go on with.
	fn take(&mut self, view: &View) -> Outcome<()>;

	/// Takes in what is certain. Called for each finalised block, in order; again with the same one if it failed.
	///
	/// # Errors
	/// What could not be written down now, as on a full disk; then nothing of the block counts as taken in.
	async fn conclude(&mut self, _conclusion: &Conclusion) -> Outcome<()> {
		Ok(())
	}

	/// Starts what is to be done as of a view. Called again and again: what is under way already, `errands` does not
	/// start twice.
	///
	/// # Errors
	/// What could not be read now; it is tried again.
	async fn act(&mut self, view: &View, errands: &mut Errands<Errand>) -> Outcome<()>;
}

/// How provider and mediator begin: nothing stays of earlier runs but `runs` of the open matches in which the agent is
/// `who`.
///
/// # Errors
/// The chain or the store cannot be read.
pub async fn begin(
	agent: &Agent,
	runner: &Runner,
	who: fn(Parties) -> AccountId,
	runs: impl Fn(MatchId, &Match, &Hash) -> Vec<RunId>,
) -> Outcome<Follower> {
	let account = agent.account;
	let is_mine = move |parties| who(parties) == account;
	let follower = Follower::start(&agent.chain, &agent.store, is_mine).await?;
	let snapshot = agent.chain.snapshot().await?;
	let mut keep = BTreeSet::new();
	for (id, found) in snapshot.open_matches().await? {
		if is_mine(follow::parties(&found)) {
			let assignment = Assignment::read(&snapshot, found.job_offer).await?;
			keep.extend(runs(id, &found, &assignment.terms.job_hash));
		}
	}
	if let Err(error) = runner.executor().reconcile(&keep, LEFTOVERS_KEPT).await {
		tracing::warn!(%error, "what earlier runs left cannot be removed");
	}
	Ok(follower)
}

/// Runs a role until `shutdown`. What is under way then is dropped: containers go on, and are found again.
///
/// # Errors
/// What [`Role::take`] could not go on with.
pub async fn drive(
	agent: &Agent,
	role: &mut impl Role,
	follower: Follower,
	shutdown: CancellationToken,
) -> Outcome<()> {
	tokio::select! {
		() = shutdown.cancelled() => Ok(()),
		outcome = drive_on(agent, role, follower) => outcome,
	}
}

async fn drive_on(agent: &Agent, role: &mut impl Role, mut follower: Follower) -> Outcome<()> {
	// What an earlier life of this agent has sent may still take effect.
	agent.submitter.settle().await?;
	let mut errands = Errands::new();
	let mut last: Option<View> = None;
	let mut last_final = follower.first_final();
	let mut waiting = VecDeque::new();
	loop {
		tokio::select! {
			() = errands.ended() => {},
			step = follower.next() => match step {
				Step::View(view) => {
					if view.is_fresh_start {
						errands.forked();
					}
					errands.seen(view.snapshot.number());
					role.take(&view)?;
					let latest = Some(view.snapshot.clone());
					*agent.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
					last = Some(view);
				},
				Step::Final(conclusion) => {
					last_final = last_final.max(conclusion.number);
					agent.health.block(conclusion.number);
					waiting.push_back(conclusion);
				},
				Step::Trouble(error) => {
					agent.health.trouble(&error);
					tracing::warn!(%error, "the chain cannot be followed");
					continue;
				},
			},
		}
		// Deadlines do not wait for a disk with room: the agent goes on acting, which needs nothing written down.
		let unwritten = conclude(role, &mut follower, &mut waiting).await.err();
		let Some(view) = &last else { continue };
		let unfinal = view.snapshot.number().saturating_sub(last_final);
		if unfinal > MOST_UNFINAL {
			agent.health.trouble(&format!(
				"the last {unfinal} blocks are not final: nothing is started until validators agree on them"
			));
			continue;
		}
		match role.act(view, &mut errands).await {
			Ok(()) => agent.health.working(view.matches.len(), errands.len()),
			Err(failure) => {
				agent.health.trouble(&failure);
				tracing::warn!(%failure, "cannot act now; tried again with the next block");
			},
		}
		if let Some(failure) = unwritten {
			agent.health.trouble(&failure);
			tracing::warn!(%failure, "cannot be written down now; tried again with the next block");
		}
	}
}

/// Takes in the finalised blocks that wait for it.
async fn conclude(
	role: &mut impl Role,
	follower: &mut Follower,
	waiting: &mut VecDeque<Conclusion>,
) -> Outcome<()> {
	while let Some(conclusion) = waiting.front() {
		role.conclude(conclusion).await?;
		let written = follower.done(conclusion).await;
		waiting.pop_front();
		written?;
	}
	Ok(())
}

/// Somebody else has answered for this account. That does no harm, but both have worked for one pay.
fn say_not_alone(match_id: MatchId) {
	tracing::warn!(
		match_id,
		"another agent of this account was faster: run one agent for each account, and give each machine an account \
		 of its own"
	);
}

/// What is left of the time until `deadline`, less a reserve, by the chain's clock.
pub fn time_left(deadline: Moment, reserve: Duration) -> Duration {
	Duration::from_millis(deadline.saturating_sub(now())).saturating_sub(reserve)
}
