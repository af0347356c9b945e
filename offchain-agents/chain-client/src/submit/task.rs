// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Signs transactions, sends them and follows them to their end.

use super::{
	answer::{understand, Answer},
	Included, Request, SubmitSettings,
};
use crate::{
	call::{Call, Signed},
	chain::{Chain, Connection},
	error::{DispatchFailure, Error, SubmitError},
	key::Key,
	known::{Known, Outcome},
	pump::{Pump, Seen},
	snapshot::Snapshot,
	AccountId, H256,
};
use modicum_primitives::Balance;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{mpsc, Mutex};

/// Finalised blocks after which a transaction is shown to the node again.
const REPEAT_AFTER_BLOCKS: u64 = 8;
/// Calls that share a transaction, at most: a few percent of what a block holds.
const TOGETHER: usize = 16;
/// How often a nonce that somebody else has used is replaced before a call is given up.
const NONCE_ATTEMPTS: u32 = 5;

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

/// The task behind [`super::Submitter`].
pub(super) struct Task {
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
	/// As of [`super::Submitter`].
	strangers: Arc<Mutex<bool>>,
}

impl Task {
	pub(super) fn new(
		chain: Chain,
		key: Key,
		settings: SubmitSettings,
		requests: mpsc::Receiver<Request>,
		strangers: Arc<Mutex<bool>>,
	) -> Self {
		Self {
			account: key.account(),
			chain,
			key,
			settings,
			requests,
			pending: Vec::new(),
			next_nonce: None,
			last_final: None,
			fees: BTreeMap::new(),
			strangers,
		}
	}

	/// Until nobody can submit any more and nothing is pending.
	pub(super) async fn run(mut self) {
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
