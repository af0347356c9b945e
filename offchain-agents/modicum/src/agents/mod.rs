// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The long-running roles.
//!
//! Each agent follows finalised blocks ([`follow`]), decides from the state of the chain what is to be done, and does
//! it aside ([`errands`]). What it must not forget is in its [`store`]. After a crash it decides anew from the same
//! state: nothing is lost, and nothing done twice.

pub mod cheat;
pub mod creator;
pub mod errands;
pub mod follow;
pub mod jobs;
pub mod mediator;
pub mod observe;
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
use errands::Errands;
use follow::{Follower, Step};
use modicum_chain_client::{AccountId, Chain, Match, Submitter};
use modicum_primitives::{MatchId, Moment};
use observe::Health;
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};
use store::{Claim, Store};
use tokio_util::sync::CancellationToken;
use transfer::Transfer;

/// Pause after the chain could not be read.
const PAUSE: Duration = Duration::from_secs(2);

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
		let transfer = Arc::new(Transfer::new(&key, genesis.0)?);
		let submitter = Submitter::start(chain.clone(), key, context.config.submission());
		Ok(Self { account, chain, submitter, store, transfer, health: Arc::new(Health::new(role)) })
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
			Self::Distrust(who) => write!(f, "no longer trust {who}"),
			Self::Solve => f.write_str("post matches"),
		}
	}
}

/// A long-running role.
#[async_trait::async_trait]
pub trait Role: Send {
	/// Takes in what happened. Called once for each step.
	///
	/// # Errors
	/// Only what the agent cannot go on with, such as a full disk.
	fn take(&mut self, step: &Step) -> Outcome<()>;

	/// Starts what is to be done as of a step. Called again and again: what is under way already, `errands` does not
	/// start twice.
	///
	/// # Errors
	/// What could not be read now; it is tried again.
	async fn act(
		&mut self,
		step: &Step,
		matches: &BTreeMap<MatchId, Match>,
		errands: &mut Errands<Errand>,
	) -> Outcome<()>;
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
	let mut last: Option<Step> = None;
	loop {
		tokio::select! {
			() = errands.ended() => {},
			next = follower.next() => match next {
				Ok(step) => {
					errands.seen(step.snapshot.number());
					role.take(&step)?;
					follower.done(&step)?;
					agent.health.block(step.snapshot.number());
					last = Some(step);
				},
				Err(error) => {
					agent.health.trouble(&error);
					tracing::warn!(%error, "the chain cannot be followed");
					tokio::time::sleep(PAUSE).await;
					continue;
				},
			},
		}
		let Some(step) = &last else { continue };
		match role.act(step, follower.matches(), &mut errands).await {
			Ok(()) => agent.health.working(follower.matches().len(), errands.len()),
			Err(failure) => {
				agent.health.trouble(&failure);
				tracing::warn!(%failure, "cannot act now; tried again with the next block");
			},
		}
	}
}

/// This machine's clock, milliseconds since the Unix epoch.
pub fn now() -> Moment {
	let since =
		std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What is left of the time until `deadline`, less a reserve, by this machine's clock.
pub fn time_left(deadline: Moment, reserve: Duration) -> Duration {
	Duration::from_millis(deadline.saturating_sub(now())).saturating_sub(reserve)
}
