// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The one task that owns an account's key and nonce.
//!
//! A transaction lives for some blocks. Until it is in a finalised block or its life is over, it is shown to
//! the node again and again; then it is signed anew. So a lost connection, a restarted node or a full pool cost
//! time, but never a second payment: a nonce is used once.
//!
//! A transaction names the block it was signed at, and is valid only on chains with that block. One that was decided
//! on what a block of the best chain did is signed at that block: when a fork takes the block back, the transaction
//! goes with it, and whoever decided decides again (docs/adr/0007-finality.md). A nonce that a fork has freed in the
//! midst of others is used up by a remark.
//!
//! Calls of the market that wait for the task at the same time, and were decided at the same block, share a
//! transaction: it costs the chain less, and each has its own outcome all the same.

mod answer;
mod task;

use crate::{
	call::Call,
	chain::Chain,
	error::{Error, SubmitError},
	event::Event,
	key::Key,
	snapshot::Snapshot,
	AccountId, H256,
};
use modicum_primitives::Balance;
use std::{sync::Arc, time::Duration};
use task::Task;
use tokio::sync::{mpsc, oneshot, Mutex};

/// Requests that may wait for the task.
const QUEUE: usize = 256;
/// Between two looks at what is pending.
const SETTLE_PAUSE: Duration = Duration::from_millis(500);

/// How transactions are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubmitSettings {
	/// The most that one transaction may cost, base units.
	pub max_fee: Balance,
	/// Life of a transaction, blocks; a power of two from 4 to 4,096.
	pub mortality_blocks: u64,
	/// How often a transaction whose life is over is signed anew, plus one.
	pub attempts: u32,
}

impl Default for SubmitSettings {
	/// One token, 64 blocks, three attempts.
	fn default() -> Self {
		Self { max_fee: 1_000_000_000_000, mortality_blocks: 64, attempts: 3 }
	}
}

/// A call that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
	/// Number of the block.
	pub block: u64,
	/// Hash of the block.
	pub block_hash: H256,
	/// Hash of the transaction, which other calls of the account may share.
	pub transaction: H256,
	/// The fee that was paid, base units; of a shared transaction the call's part.
	pub fee: Balance,
	/// What the call did in the market.
	pub events: Vec<Event>,
}

/// Where calls are submitted. Clones lead to the same task, which ends when the last is dropped and everything
/// submitted has an outcome.
#[derive(Clone)]
pub struct Submitter {
	requests: mpsc::Sender<Request>,
	account: AccountId,
	chain: Chain,
	mortality_blocks: u64,
	/// Whether there may be transactions that the task does not know. Locked while that is found out.
	strangers: Arc<Mutex<bool>>,
}

/// The end of a call that has taken effect on the best chain.
#[derive(Debug)]
pub struct Finality(oneshot::Receiver<Result<Included, SubmitError>>);

impl Finality {
	/// What is decided by whoever holds the sender.
	pub fn new() -> (oneshot::Sender<Result<Included, SubmitError>>, Self) {
		let (sender, receiver) = oneshot::channel();
		(sender, Self(receiver))
	}

	/// Waits until a finalised block contains the call, or nothing can come of it any more.
	///
	/// # Errors
	/// As of [`Submitter::submit`]: a fork took it back, and it did not come about on the other chain.
	pub async fn wait(self) -> Result<Included, SubmitError> {
		self.0.await.map_err(|_| SubmitError::Stopped)?
	}
}

struct Request {
	call: Call,
	/// What it was decided on; without it, it is good on every fork.
	decided_at: Option<Snapshot>,
	/// Told once a block of the best chain contains it.
	early: Option<oneshot::Sender<Included>>,
	reply: oneshot::Sender<Result<Included, SubmitError>>,
}

impl Request {
	/// Whether both may be in one transaction, which is signed at one block.
	fn can_share_with(&self, other: &Self) -> bool {
		let block = |request: &Self| request.decided_at.as_ref().map(Snapshot::hash);
		self.call.can_share() && other.call.can_share() && block(self) == block(other)
	}
}

impl Submitter {
	/// Starts the task for the account of `key`. There must be no second one for the same account in this
	/// process; one in another process is survived, at the cost of some repetitions.
	pub fn start(chain: Chain, key: Key, settings: SubmitSettings) -> Self {
		let (requests, receiver) = mpsc::channel(QUEUE);
		let account = key.account();
		let strangers = Arc::new(Mutex::new(true));
		let submitter = Self {
			requests,
			account,
			chain: chain.clone(),
			mortality_blocks: settings.mortality_blocks,
			strangers: strangers.clone(),
		};
		let task = Task::new(chain, key, settings, receiver, strangers);
		tokio::spawn(task.run());
		submitter
	}

	/// The account that calls are made by.
	pub fn account(&self) -> AccountId {
		self.account
	}

	/// Waits until nothing can still take effect that earlier processes of the account have sent, or that this one
	/// has lost sight of: every transaction that the pool knows is in a finalised block, or the life of the others is
	/// over. After this the state of the chain says what was done.
	///
	/// # Errors
	/// The chain cannot be reached.
	pub async fn settle(&self) -> Result<(), Error> {
		let mut strangers = self.strangers.lock().await;
		if !*strangers {
			return Ok(());
		}
		let start = self.chain.snapshot().await?.number();
		loop {
			let snapshot = self.chain.snapshot().await?;
			let connection = self.chain.connection().await?;
			let request = connection.methods.system_account_next_index(&self.account);
			let in_pool = self.chain.limited("the account's nonce", request).await?;
			let is_settled = u64::from(snapshot.account(&self.account).await?.nonce) >= in_pool;
			if is_settled || snapshot.number() > start + self.mortality_blocks {
				*strangers = false;
				return Ok(());
			}
			tokio::time::sleep(SETTLE_PAUSE).await;
		}
	}

	/// Submits a call and waits until a finalised block contains it.
	///
	/// # Errors
	/// [`SubmitError`]. After [`SubmitError::OutcomeUnknown`] the state of the chain says whether the call took
	/// effect; after any other error it did not.
	pub async fn submit(&self, call: Call) -> Result<Included, SubmitError> {
		let (reply, outcome) = oneshot::channel();
		let request = Request { call, decided_at: None, early: None, reply };
		self.requests.send(request).await.map_err(|_| SubmitError::Stopped)?;
		outcome.await.map_err(|_| SubmitError::Stopped)?
	}

	/// Submits a call and waits until a block of the best chain contains it. If it was `decided_at` a block, it can
	/// take effect only on a chain with that block.
	///
	/// # Errors
	/// As of [`Self::submit`]; also [`SubmitError::Forked`]. A refusal is reported once it is final.
	pub async fn submit_early(
		&self,
		call: Call,
		decided_at: Option<&Snapshot>,
	) -> Result<(Included, Finality), SubmitError> {
		let (reply, finality) = Finality::new();
		let (early, included) = oneshot::channel();
		let request = Request { call, decided_at: decided_at.cloned(), early: Some(early), reply };
		self.requests.send(request).await.map_err(|_| SubmitError::Stopped)?;
		if let Ok(included) = included.await {
			return Ok((included, finality));
		}
		// Final, or failed, before it was seen on the best chain.
		let included = finality.wait().await?;
		let (reply, finality) = Finality::new();
		let _ = reply.send(Ok(included.clone()));
		Ok((included, finality))
	}
}
