// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The long-running roles.
//!
//! Each agent follows the chain ([`follow`]), decides from its view of the best chain what is to be done, and does it
//! aside ([`errands`]); what is certain it learns from finalised blocks, and only that goes into its [`store`]. After a
//! crash or a fork it decides anew from the state of the chain: nothing is lost, and nothing done twice
//! (docs/adr/0007-finality.md).

mod ahead;
mod assigned;
pub mod calls;
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
mod telling;
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
use modicum_chain_client::{
	AccountId, Chain, Error as ChainError, Match, Snapshot, Submitter, H256,
};
use modicum_executor::RunId;
use modicum_primitives::{Hash, MatchId, Moment};
use observe::Health;
use runner::{Assignment, Runner};
use std::{
	collections::{BTreeSet, VecDeque},
	fmt,
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};
use store::{Claim, Store};
use tokio_util::sync::CancellationToken;
use transfer::Transfer;

/// Pause after the chain could not be read.
const PAUSE: Duration = Duration::from_secs(2);
/// Blocks that the best one may be ahead of the last finalised one. While it is further, agents start nothing: what
/// a fork may take back is never much.
const MOST_UNFINAL: u64 = 32;
/// How long an agent that is told to end may take for what it has to do before.
const WIND_UP: Duration = Duration::from_secs(20);
/// What stays of a run that no match asks for, before it is removed.
const LEFTOVERS_KEPT: Duration = Duration::from_secs(600);

/// The entry of the store with the genesis hash of the chain that it is about.
const GENESIS: &str = "genesis";
/// That with the hash of its first block, which tells a development chain from the one that ran before.
const FIRST_BLOCK: &str = "first-block";
/// How long the first block of a chain is waited for.
const FIRST_BLOCK_PATIENCE: Duration = Duration::from_secs(15);
/// A node may be so long behind another without a word.
const SHORTLY: Duration = Duration::from_secs(5);

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
		check_chain(&store, &chain, genesis).await?;
		clock::ask(&chain).await;
		let transfer = Arc::new(Transfer::new(&key, genesis.0)?);
		let submitter = Submitter::start(chain.clone(), key, context.config.submission());
		let health = Arc::new(Health::new(role));
		let latest = Arc::default();
		let agent = Self { account, chain, submitter, store, transfer, health, latest };
		agent.reach(follow::next_block(&agent.store)?.unwrap_or(0)).await?;
		Ok(agent)
	}

	/// Waits until the block before `next`, which was final before, is final on this chain as well.
	///
	/// # Errors
	/// The chain is still behind when [`modicum_chain_client::ConnectionSettings::patience`] is over, or cannot be
	/// read.
	pub async fn reach(&self, next: u64) -> Outcome<()> {
		let (started, patience) = (Instant::now(), self.chain.settings().patience);
		let mut said = false;
		loop {
			let (head, seen) = (self.chain.snapshot().await?.number(), next.saturating_sub(1));
			if head >= seen {
				return Ok(());
			}
			let what = format!(
				"the chain's last final block is {head}, and block {seen} has been seen before: the node is behind, or \
				 the chain was started anew"
			);
			if started.elapsed() >= patience {
				let remedy = format!(
					"If it is catching up, wait, or name another with --endpoint; if the old chain is gone for good, as \
					 a development chain is that was stopped, move {} away",
					self.store.folder().display()
				);
				return Err(Failure::new(Exit::ChainUnreachable, format!("{what}. {remedy}")));
			}
			if started.elapsed() >= SHORTLY && !std::mem::replace(&mut said, true) {
				tracing::warn!("{what}; waiting for up to {patience:?}");
			}
			tokio::time::sleep(PAUSE.min(patience)).await;
		}
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
async fn check_chain(store: &Store, chain: &Chain, genesis: H256) -> Outcome<()> {
	let other = |known: &str, what: &str, here: &str| {
		let folder = store.folder().display();
		let message = format!(
			"{folder} has the state of another chain: {what} is {known}, that of the chain reached is {here}. Check \
			 the endpoints; if that chain is gone for good, as a development chain is that was stopped, move the \
			 folder away"
		);
		Err(Failure::new(Exit::ChainMismatch, message))
	};
	let here = format!("{genesis:?}");
	match store.get::<String>(GENESIS)? {
		None => store.put(GENESIS, &here).await?,
		Some(known) if known == here => {},
		Some(known) => return other(&known, "its genesis hash", &here),
	}
	let started = Instant::now();
	while chain.snapshot().await?.number() == 0 && started.elapsed() < FIRST_BLOCK_PATIENCE {
		tokio::time::sleep(Duration::from_millis(500)).await;
	}
	let Some(here) = chain.first_block().await? else { return Ok(()) };
	let here = format!("{here:?}");
	match store.get::<String>(FIRST_BLOCK)? {
		None => store.put(FIRST_BLOCK, &here).await,
		Some(known) if known == here => Ok(()),
		Some(known) => other(&known, "its first block", &here),
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
	/// Post matches, so many times at once.
	Solve(u32),
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
			Self::Solve(_) => f.write_str("post matches"),
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

	/// Starts what is to be done before the agent ends, in the place of [`Role::act`], and says whether it is done.
	///
	/// # Errors
	/// What could not be read now; it is tried again.
	async fn wind_up(&mut self, _view: &View, _errands: &mut Errands<Errand>) -> Outcome<bool> {
		Ok(true)
	}

	/// Says what stays to be done when the agent ends.
	fn leave(&self, _view: &View) {}
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

/// Runs a role until `shutdown`, and then for at most [`WIND_UP`] what it has to do before it ends. What is under way
/// then is dropped: containers go on, and are found again.
///
/// # Errors
/// What [`Role::take`] could not go on with.
pub async fn drive(
	agent: &Agent,
	role: &mut impl Role,
	follower: Follower,
	shutdown: CancellationToken,
) -> Outcome<()> {
	let last_final = follower.first_final();
	let (errands, waiting) = (Errands::new(), VecDeque::new());
	let mut drive = Drive { agent, role, follower, errands, last: None, last_final, waiting };
	tokio::select! {
		() = shutdown.cancelled() => {},
		outcome = drive.run() => return outcome,
	}
	if let Ok(outcome) = tokio::time::timeout(WIND_UP, drive.wind_up()).await {
		outcome?;
	}
	if let Some(view) = &drive.last {
		drive.role.leave(view);
	}
	Ok(())
}

/// A role that runs.
struct Drive<'a, R> {
	agent: &'a Agent,
	role: &'a mut R,
	follower: Follower,
	errands: Errands<Errand>,
	/// On what it acts.
	last: Option<View>,
	/// Number of the last finalised block.
	last_final: u64,
	/// Finalised blocks that are not taken in.
	waiting: VecDeque<Conclusion>,
}

impl<R: Role> Drive<'_, R> {
	async fn run(&mut self) -> Outcome<()> {
		// What an earlier life of this agent has sent may still take effect.
		self.agent.submitter.settle().await?;
		loop {
			if !self.step().await? {
				continue;
			}
			// Deadlines do not wait for a disk with room: the agent goes on acting, which needs nothing written down.
			let unwritten = self.conclude().await.err();
			let (health, errands) = (&self.agent.health, &mut self.errands);
			let Some(view) = &self.last else { continue };
			let unfinal = view.snapshot.number().saturating_sub(self.last_final);
			if unfinal > MOST_UNFINAL {
				health.trouble(&format!(
					"the last {unfinal} blocks are not final: nothing is started until validators agree on them"
				));
				continue;
			}
			match self.role.act(view, errands).await {
				Ok(()) => health.working(view.matches.len(), errands.len()),
				Err(failure) => {
					health.trouble(&failure);
					tracing::warn!(%failure, "cannot act now; tried again with the next block");
				},
			}
			if let Some(failure) = unwritten {
				health.trouble(&failure);
				tracing::warn!(%failure, "cannot be written down now; tried again with the next block");
			}
		}
	}

	/// Waits for what comes next, and takes it in; whether that may lead to anything.
	async fn step(&mut self) -> Outcome<bool> {
		let step = tokio::select! {
			() = self.errands.ended() => return Ok(true),
			step = self.follower.next() => step,
		};
		match step {
			Step::View(view) => {
				if view.is_fresh_start {
					self.errands.forked();
				}
				self.errands.seen(view.snapshot.number());
				self.role.take(&view)?;
				let latest = Some(view.snapshot.clone());
				*self.agent.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
				self.last = Some(view);
			},
			Step::Final(conclusion) => {
				self.last_final = self.last_final.max(conclusion.number);
				self.agent.health.block(conclusion.number);
				self.waiting.push_back(conclusion);
			},
			// Nothing of what it knows is of that chain.
			Step::Trouble(
				error @ (ChainError::WrongChain { .. } | ChainError::StartedAnew { .. }),
			) => return Err(error.into()),
			Step::Trouble(error) => {
				self.agent.health.trouble(&error);
				tracing::warn!(%error, "the chain cannot be followed");
				return Ok(false);
			},
		}
		Ok(true)
	}

	/// Takes in the finalised blocks that wait for it.
	async fn conclude(&mut self) -> Outcome<()> {
		while let Some(conclusion) = self.waiting.front() {
			self.role.conclude(conclusion).await?;
			let written = self.follower.done(conclusion).await;
			self.waiting.pop_front();
			written?;
		}
		Ok(())
	}

	async fn wind_up(&mut self) -> Outcome<()> {
		loop {
			if let Some(view) = &self.last {
				match self.role.wind_up(view, &mut self.errands).await {
					Ok(true) => return Ok(()),
					Ok(false) => {},
					Err(failure) => tracing::warn!(%failure, "cannot wind up now"),
				}
			}
			self.step().await?;
		}
	}
}

/// An agent whose account has left its role can do nothing but end what it has begun.
fn unregistered(account: AccountId, role: &str, noun: &str) -> Failure {
	Failure::not_found(format!(
		"{account} is no longer registered as a {role}: `modicum {noun} register`, or stop this agent"
	))
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
