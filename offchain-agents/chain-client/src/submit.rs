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

use crate::{
	call::{Call, Signed},
	chain::{Chain, Connection},
	error::{DispatchFailure, Error, SubmitError},
	event::Event,
	key::Key,
	known::{Known, Outcome},
	pump::{Pump, Seen},
	snapshot::Snapshot,
	AccountId, H256,
};
use modicum_primitives::Balance;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use subxt::rpcs::UserError;
use tokio::sync::{mpsc, oneshot, Mutex};

/// Requests that may wait for the task.
const QUEUE: usize = 256;
/// Finalised blocks after which a transaction is shown to the node again.
const REPEAT_AFTER_BLOCKS: u64 = 8;
/// Calls that share a transaction, at most: a few percent of what a block holds.
const TOGETHER: usize = 16;
/// How often a nonce that somebody else has used is replaced before a call is given up.
const NONCE_ATTEMPTS: u32 = 5;

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
		let task = Task {
			chain,
			key,
			account,
			settings,
			requests: receiver,
			pending: Vec::new(),
			next_nonce: None,
			last_final: None,
			fees: BTreeMap::new(),
			strangers,
		};
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

/// A transaction that was sent and is not in a finalised block.
struct Pending {
	/// What it does: one call, or several together.
	call: Call,
	/// Who asked for it. More than one share it, in the order of their calls.
	requests: Vec<Request>,
	nonce: u64,
	signed: Signed,
	/// Number of the last finalised block when it was last sent.
	sent_at: u64,
	attempts: u32,
}

impl Pending {
	/// What it was decided on.
	fn decided_at(&self) -> Option<&Snapshot> {
		self.requests.first()?.decided_at.as_ref()
	}
}

/// What a node says to a transaction.
enum Answer {
	Taken,
	/// Its nonce is used: by a transaction in a block, or by another in the pool.
	NonceUsed,
	CannotPay,
	BadSignature(String),
	NotTaken(String),
}

struct Task {
	chain: Chain,
	key: Key,
	account: AccountId,
	settings: SubmitSettings,
	requests: mpsc::Receiver<Request>,
	pending: Vec<Pending>,
	/// The nonce after the last pending one; asked for when nothing is pending.
	next_nonce: Option<u64>,
	/// The last finalised block that was seen while something is pending.
	last_final: Option<Snapshot>,
	/// What calls of a name and a length cost since the last finalised block.
	fees: BTreeMap<(String, usize), Balance>,
	/// As of [`Submitter`].
	strangers: Arc<Mutex<bool>>,
}

impl Task {
	async fn run(mut self) {
		loop {
			// While nothing is pending nothing is read, so that nothing may be subscribed to either.
			let Some(request) = self.requests.recv().await else { return };
			// Before the transaction is sent, so that no block between can be missed.
			match Pump::start(&self.chain).await {
				Ok(pump) => {
					self.begin(request).await;
					self.pursue(pump).await;
				},
				Err(error) => reply(request, Err(error.into())),
			}
			self.next_nonce = None;
			self.last_final = None;
			self.fees.clear();
		}
	}

	/// Takes requests and follows the chain until nothing is pending.
	async fn pursue(&mut self, mut pump: Pump) {
		while !self.pending.is_empty() {
			tokio::select! {
				Some(request) = self.requests.recv() => self.begin(request).await,
				seen = pump.next() => match seen {
					Seen::Best(block) => self.announce(&block).await,
					Seen::Final(block) => self.follow(&block).await,
					Seen::Lost(reason) => self.give_up(&reason).await,
				},
			}
		}
	}

	/// Nobody can say what became of the pending transactions.
	async fn give_up(&mut self, reason: &str) {
		*self.strangers.lock().await = true;
		for pending in self.pending.drain(..) {
			let unknown = |call| SubmitError::OutcomeUnknown { call, reason: reason.into() };
			fail(pending.requests, unknown);
		}
	}

	/// Signs and sends a new call, together with those that wait behind it as far as they can share a transaction.
	async fn begin(&mut self, first: Request) {
		let mut next = Some(first);
		while let Some(first) = next.take() {
			let mut requests = vec![first];
			while requests.len() < TOGETHER {
				let Ok(other) = self.requests.try_recv() else { break };
				if !requests[0].can_share_with(&other) {
					next = Some(other);
					break;
				}
				requests.push(other);
			}
			let Err((requests, error)) = self.begin_together(requests).await else { continue };
			if requests.len() == 1 {
				fail(requests, |_| error.clone());
				continue;
			}
			// One that cannot be sent must not keep the others from it.
			tracing::debug!(%error, calls = requests.len(), "not together: each by itself");
			for request in requests {
				if let Err((requests, error)) = self.begin_together(vec![request]).await {
					fail(requests, |_| error.clone());
				}
			}
		}
	}

	/// Signs and sends the calls of these requests in one transaction. Gives them back if that cannot be done.
	async fn begin_together(
		&mut self,
		requests: Vec<Request>,
	) -> Result<(), (Vec<Request>, SubmitError)> {
		let call = match &requests[..] {
			[request] => request.call.clone(),
			requests => Call::together(requests.iter().map(|request| &request.call)),
		};
		let decided_at = requests.first().and_then(|request| request.decided_at.clone());
		match self.sign_and_send(&call, decided_at.as_ref()).await {
			Ok((nonce, signed)) => {
				tracing::debug!(%call, nonce, hash = ?signed.hash, "sent");
				self.next_nonce = Some(nonce + 1);
				let sent_at = self.last_final.as_ref().map_or(signed.at, Snapshot::number);
				self.pending.push(Pending { call, requests, nonce, signed, sent_at, attempts: 1 });
				Ok(())
			},
			Err(error) => Err((requests, error)),
		}
	}

	/// Signs a call with the next nonce, at the block it was decided at, and sends it. Returns nonce and
	/// transaction.
	async fn sign_and_send(
		&mut self,
		call: &Call,
		decided_at: Option<&Snapshot>,
	) -> Result<(u64, Signed), SubmitError> {
		let mut reason =
			String::from("its nonce is used again and again: who else uses this account?");
		for _ in 0..NONCE_ATTEMPTS {
			let connection = self.chain.connection().await?;
			let nonce = match self.next_nonce {
				Some(nonce) => nonce,
				None => match self.account_nonce(&connection).await {
					Ok(nonce) => nonce,
					Err(error) => {
						self.chain.give_up(&connection, &error).await;
						reason = error.to_string();
						continue;
					},
				},
			};
			let signed = match self.sign(call, decided_at, nonce).await {
				Err(SubmitError::Chain(error)) if error.is_transient() => {
					if decided_at.is_some() {
						// Its block can no longer be asked about.
						return Err(error.into());
					}
					self.last_final = None;
					self.chain.give_up(&connection, &error).await;
					reason = error.to_string();
					continue;
				},
				outcome => outcome?,
			};
			match self.send(&connection, &signed.bytes).await {
				Ok(Answer::Taken) => return Ok((nonce, signed)),
				Ok(Answer::NonceUsed) => self.next_nonce = None,
				Ok(Answer::CannotPay) => {
					let (account, call) = (self.account, call.to_string());
					return Err(SubmitError::CannotPay { account, call });
				},
				// So it looks when the block that it was signed at is not on the node's chain.
				Ok(Answer::BadSignature(_)) if decided_at.is_some() => {
					return Err(SubmitError::Forked { call: call.to_string() });
				},
				Ok(Answer::BadSignature(reason) | Answer::NotTaken(reason)) => {
					return Err(SubmitError::NotTaken { call: call.to_string(), reason });
				},
				// The node may have taken it. Then its nonce is used, and the next attempt would make a second
				// transaction of the same call: so this one is followed.
				Err(error) => {
					self.chain.give_up(&connection, &error).await;
					return Ok((nonce, signed));
				},
			}
		}
		Err(SubmitError::NotTaken { call: call.to_string(), reason })
	}

	/// The next nonce, the pool's transactions included.
	async fn account_nonce(&self, connection: &Connection) -> Result<u64, Error> {
		let request = connection.methods.system_account_next_index(&self.account);
		self.chain.limited("the account's nonce", request).await
	}

	async fn sign(
		&mut self,
		call: &Call,
		decided_at: Option<&Snapshot>,
		nonce: u64,
	) -> Result<Signed, SubmitError> {
		let at = match (decided_at, &self.last_final) {
			(Some(at), _) | (None, Some(at)) => at.clone(),
			(None, None) => self.chain.snapshot().await?,
		};
		let signed = call.sign(at.client(), &self.key, nonce, self.settings.mortality_blocks)?;
		let kind = (call.to_string(), signed.bytes.len());
		let fee = match self.fees.get(&kind) {
			Some(fee) => *fee,
			None => {
				let fee = at.fee(&signed.bytes).await?;
				self.fees.insert(kind, fee);
				fee
			},
		};
		let limit = self.settings.max_fee;
		if fee > limit {
			return Err(SubmitError::FeeAboveLimit { call: call.to_string(), fee, limit });
		}
		Ok(signed)
	}

	async fn send(&self, connection: &Connection, transaction: &[u8]) -> Result<Answer, Error> {
		let request = async {
			// The node's no is an answer, not a failure.
			match connection.methods.author_submit_extrinsic(transaction).await {
				Ok(_) => Ok(Answer::Taken),
				Err(subxt::rpcs::Error::User(no)) => Ok(understand(&no)),
				Err(error) => Err(error),
			}
		};
		self.chain.limited("sending a transaction", request).await
	}

	/// Tells those whose transactions took effect in a block of the best chain. Refusals wait for finality.
	async fn announce(&mut self, block: &Known) {
		let Ok(transactions) = block.transactions(&self.chain).await else { return };
		for (index, hash) in (0..).zip(transactions) {
			let mut pending = self.pending.iter_mut();
			let Some(pending) = pending.find(|p| p.signed.hash == *hash) else { continue };
			let outcomes = outcomes(block, index, *hash, pending.requests.len());
			for (request, outcome) in pending.requests.iter_mut().zip(outcomes) {
				let Ok(included) = outcome else { continue };
				if let Some(early) = request.early.take() {
					let _ = early.send(included);
				}
			}
		}
	}

	/// Looks for pending transactions in a finalised block, and after those that are not in it.
	async fn follow(&mut self, block: &Known) {
		let (snapshot, number) = (&block.snapshot, block.snapshot.number());
		self.last_final = Some(snapshot.clone());
		self.fees.clear();
		let transactions = match block.transactions(&self.chain).await {
			Ok(transactions) => transactions,
			Err(error) => return self.give_up(&error.to_string()).await,
		};
		for (index, hash) in (0..).zip(transactions) {
			let position = self.pending.iter().position(|p| p.signed.hash == *hash);
			let Some(position) = position else { continue };
			let pending = self.pending.remove(position);
			tracing::debug!(call = %pending.call, block = number, "final");
			let outcomes = outcomes(block, index, *hash, pending.requests.len());
			for (request, outcome) in pending.requests.into_iter().zip(outcomes) {
				let call = request.call.to_string();
				let outcome = outcome.map_err(|failure| SubmitError::Refused { call, failure });
				reply(request, outcome);
			}
		}
		self.bury(snapshot).await;
		for mut pending in std::mem::take(&mut self.pending) {
			if number > pending.signed.at + self.settings.mortality_blocks {
				self.renew(pending, snapshot).await;
				continue;
			}
			if number >= pending.sent_at + REPEAT_AFTER_BLOCKS {
				self.repeat(&pending).await;
				pending.sent_at = number;
			}
			self.pending.push(pending);
		}
	}

	/// Takes leave of transactions that were signed at another block than the one that is final now: they are not
	/// valid on this chain. Nonces that others wait for are used up.
	async fn bury(&mut self, block: &Snapshot) {
		let is_dead = |pending: &Pending| {
			pending.signed.at == block.number() && pending.signed.at_hash != block.hash()
		};
		let pending = std::mem::take(&mut self.pending).into_iter();
		let (dead, alive): (Vec<_>, Vec<_>) = pending.partition(is_dead);
		self.pending = alive;
		if dead.is_empty() {
			return;
		}
		let last = self.pending.iter().map(|pending| pending.nonce).max();
		self.next_nonce = last.map(|last| last + 1);
		for pending in dead {
			let (call, nonce) = (&pending.call, pending.nonce);
			tracing::warn!(%call, nonce, "decided on a block that a fork took back");
			fail(pending.requests, |call| SubmitError::Forked { call });
			if last.is_some_and(|last| nonce < last) {
				self.use_up(nonce, block).await;
			}
		}
	}

	async fn use_up(&mut self, nonce: u64, block: &Snapshot) {
		let call = Call::remark();
		let mortality = self.settings.mortality_blocks;
		let Ok(signed) = call.sign(block.client(), &self.key, nonce, mortality) else { return };
		let (requests, sent_at) = (Vec::new(), block.number());
		let pending = Pending { call, requests, nonce, signed, sent_at, attempts: 1 };
		self.repeat(&pending).await;
		self.pending.push(pending);
	}

	/// Shows a transaction to the node again, in case it has lost it.
	async fn repeat(&self, pending: &Pending) {
		let Ok(connection) = self.chain.connection().await else { return };
		match self.send(&connection, &pending.signed.bytes).await {
			Ok(_) => {},
			Err(error) => self.chain.give_up(&connection, &error).await,
		}
	}

	/// A transaction's life is over: signs it anew. It was in no finalised block up to now, and can be in none
	/// from now on.
	async fn renew(&mut self, mut pending: Pending, block: &Snapshot) {
		// What was decided long ago is not to be done now.
		if pending.decided_at().is_some() || pending.attempts >= self.settings.attempts {
			let attempts = pending.attempts;
			return fail(pending.requests, |call| SubmitError::Expired { call, attempts });
		}
		let call = pending.call.clone();
		tracing::warn!(%call, nonce = pending.nonce, "not included in its life; signed anew");
		let used = match block.account(&self.account).await {
			Ok(account) => u64::from(account.nonce) > pending.nonce,
			Err(error) => return fail(pending.requests, |_| error.clone().into()),
		};
		// The same nonce, unless somebody else has used it: others of ours may wait for it.
		let following = self.next_nonce;
		if !used {
			self.next_nonce = Some(pending.nonce);
		}
		match self.sign_and_send(&call, None).await {
			Ok((nonce, signed)) => {
				self.next_nonce = following.max(Some(nonce + 1));
				pending.attempts += 1;
				pending.nonce = nonce;
				pending.signed = signed;
				pending.sent_at = block.number();
				self.pending.push(pending);
			},
			Err(error) => {
				self.next_nonce = following;
				fail(pending.requests, |_| error.clone());
			},
		}
	}
}

/// What the transaction at `index` of a block did for each of the calls that share it.
fn outcomes(
	block: &Known,
	index: u32,
	transaction: H256,
	calls: usize,
) -> Vec<Result<Included, DispatchFailure>> {
	let Outcome { fee, failure, items } = block.outcome_of(index);
	let outcome = |item: usize| {
		let of_item = items.get(item).filter(|_| calls > 1).cloned().flatten();
		if let Some(failure) = failure.clone().or(of_item) {
			return Err(failure);
		}
		Ok(Included {
			block: block.snapshot.number(),
			block_hash: block.snapshot.hash(),
			transaction,
			fee: fee / calls as Balance,
			events: match calls {
				1 => block.events_of(index),
				_ => block.events_of_item(index, item),
			},
		})
	};
	(0..calls).map(outcome).collect()
}

/// Tells all who asked that it came to nothing; `error` is given the name of each one's call.
fn fail(requests: Vec<Request>, error: impl Fn(String) -> SubmitError) {
	for request in requests {
		let error = error(request.call.to_string());
		reply(request, Err(error));
	}
}

/// Whoever asked may have stopped waiting; the outcome is then nobody's.
fn reply(request: Request, outcome: Result<Included, SubmitError>) {
	if let Err(error) = &outcome {
		tracing::debug!(call = %request.call, %error, "not submitted");
	}
	let _ = request.reply.send(outcome);
}

/// The codes are those of the `author` methods of Substrate nodes.
fn understand(no: &UserError) -> Answer {
	const INVALID: i32 = 1010;
	const ALREADY_THERE: i32 = 1013;
	const PRIORITY_TOO_LOW: i32 = 1014;
	let data = no.data.as_ref().map(|data| data.get().trim_matches('"')).unwrap_or_default();
	match no.code {
		ALREADY_THERE => Answer::Taken,
		PRIORITY_TOO_LOW => Answer::NonceUsed,
		INVALID if data.contains("outdated") => Answer::NonceUsed,
		INVALID if data.contains("pay some fees") => Answer::CannotPay,
		INVALID if data.contains("bad signature") => Answer::BadSignature(data.into()),
		_ if data.is_empty() => Answer::NotTaken(no.message.clone()),
		_ => Answer::NotTaken(format!("{}: {data}", no.message)),
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	fn answer(json: &str) -> Answer {
		understand(&serde_json::from_str(json).unwrap())
	}

	#[test]
	fn the_nodes_noes_are_understood() {
		let invalid = |data: &str| {
			answer(&format!(
				r#"{{"code": 1010, "message": "Invalid Transaction", "data": "{data}"}}"#
			))
		};
		assert!(matches!(invalid("Transaction is outdated"), Answer::NonceUsed));
		let poor = "Inability to pay some fees (e.g. account balance too low)";
		assert!(matches!(invalid(poor), Answer::CannotPay));
		let no = invalid("Transaction has a bad signature");
		assert!(matches!(no, Answer::BadSignature(why) if why.contains("bad signature")));
		let low = r#"{"code": 1014, "message": "Priority is too low: (1 vs 2)"}"#;
		assert!(matches!(answer(low), Answer::NonceUsed));
		let known = r#"{"code": 1013, "message": "Transaction Already Imported"}"#;
		assert!(matches!(answer(known), Answer::Taken));
		let other = r#"{"code": -32000, "message": "stop"}"#;
		assert!(matches!(answer(other), Answer::NotTaken(why) if why == "stop"));
	}
}
