// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The one task that owns an account's key and nonce.
//!
//! A transaction lives for some blocks. Until it is in a finalised block or its life is over, it is shown to
//! the node again and again; then it is signed anew. So a lost connection, a restarted node or a full pool cost
//! time, but never a second payment: a nonce is used once.

use crate::{
	blocks::{FinalizedBlock, FinalizedBlocks, FinalizedItem},
	call::{Call, Signed},
	chain::{Chain, Connection},
	error::{DispatchFailure, Error, SubmitError},
	event::Event,
	key::Key,
	runtime,
	snapshot::Snapshot,
	AccountId, H256,
};
use modicum_primitives::Balance;
use std::time::Duration;
use subxt::{error::DispatchError, events::Phase, rpcs::UserError};
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for the task.
const QUEUE: usize = 256;
/// Finalised blocks after which a transaction is shown to the node again.
const REPEAT_AFTER_BLOCKS: u64 = 8;
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
	/// Number of the finalised block.
	pub block: u64,
	/// Hash of the finalised block.
	pub block_hash: H256,
	/// Hash of the transaction.
	pub transaction: H256,
	/// The fee that was paid, base units.
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
}

struct Request {
	call: Call,
	reply: oneshot::Sender<Result<Included, SubmitError>>,
}

impl Submitter {
	/// Starts the task for the account of `key`. There must be no second one for the same account in this
	/// process; one in another process is survived, at the cost of some repetitions.
	pub fn start(chain: Chain, key: Key, settings: SubmitSettings) -> Self {
		let (requests, receiver) = mpsc::channel(QUEUE);
		let account = key.account();
		let blocks = chain.finalized_blocks(None);
		let submitter = Self {
			requests,
			account,
			chain: chain.clone(),
			mortality_blocks: settings.mortality_blocks,
		};
		let task = Task {
			chain,
			key,
			account,
			settings,
			requests: receiver,
			blocks,
			pending: Vec::new(),
			next_nonce: None,
		};
		tokio::spawn(task.run());
		submitter
	}

	/// The account that calls are made by.
	pub fn account(&self) -> AccountId {
		self.account
	}

	/// Waits until nothing that the account has sent before can still take effect: every transaction that the
	/// pool knows is in a finalised block, or the life of those that an earlier process has signed is over. After
	/// this the state of the chain says what was done.
	///
	/// # Errors
	/// The chain cannot be reached.
	pub async fn settle(&self) -> Result<(), Error> {
		let start = self.chain.snapshot().await?.number();
		loop {
			let snapshot = self.chain.snapshot().await?;
			let connection = self.chain.connection().await?;
			let request = connection.methods.system_account_next_index(&self.account);
			let in_pool = self.chain.limited("the account's nonce", request).await?;
			let is_settled = u64::from(snapshot.account(&self.account).await?.nonce) >= in_pool;
			if is_settled || snapshot.number() > start + self.mortality_blocks {
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
		let request = Request { call, reply };
		self.requests.send(request).await.map_err(|_| SubmitError::Stopped)?;
		outcome.await.map_err(|_| SubmitError::Stopped)?
	}
}

/// A transaction that was sent and is not in a finalised block.
struct Pending {
	request: Request,
	nonce: u64,
	signed: Signed,
	/// Number of the last block that may contain it.
	valid_until: u64,
	/// Number of the last finalised block when it was last sent.
	sent_at: u64,
	attempts: u32,
}

/// What a node says to a transaction.
enum Answer {
	Taken,
	/// Its nonce is used: by a transaction in a block, or by another in the pool.
	NonceUsed,
	CannotPay,
	NotTaken(String),
}

struct Task {
	chain: Chain,
	key: Key,
	account: AccountId,
	settings: SubmitSettings,
	requests: mpsc::Receiver<Request>,
	blocks: FinalizedBlocks,
	pending: Vec<Pending>,
	/// The nonce after the last pending one; asked for when nothing is pending.
	next_nonce: Option<u64>,
}

impl Task {
	async fn run(mut self) {
		loop {
			if self.pending.is_empty() {
				// While nothing is pending nothing is read, so that nothing may be subscribed to either.
				self.next_nonce = None;
				self.blocks = self.chain.finalized_blocks(None);
				let Some(request) = self.requests.recv().await else { return };
				// Before the transaction is sent, so that no block between can be missed.
				match self.blocks.start().await {
					Ok(()) => self.begin(request).await,
					Err(error) => reply(request, Err(error.into())),
				}
				continue;
			}
			tokio::select! {
				Some(request) = self.requests.recv() => self.begin(request).await,
				item = self.blocks.next() => match item {
					Ok(FinalizedItem::Block(block)) => self.follow(block).await,
					Ok(FinalizedItem::Missed { last, .. }) => self.give_up(&format!(
						"the blocks up to {last}, one of which may contain it, can no longer be read"
					)),
					Err(error) => self.give_up(&error.to_string()),
				},
			}
		}
	}

	/// Nobody can say what became of the pending transactions.
	fn give_up(&mut self, reason: &str) {
		for pending in self.pending.drain(..) {
			let call = pending.request.call.to_string();
			let error = SubmitError::OutcomeUnknown { call, reason: reason.into() };
			reply(pending.request, Err(error));
		}
	}

	/// Signs and sends a new call.
	async fn begin(&mut self, request: Request) {
		match self.sign_and_send(&request.call).await {
			Ok((nonce, signed, at)) => {
				tracing::debug!(call = %request.call, nonce, hash = ?signed.hash, "sent");
				self.next_nonce = Some(nonce + 1);
				self.pending.push(Pending {
					request,
					nonce,
					signed,
					valid_until: at + self.settings.mortality_blocks,
					sent_at: at,
					attempts: 1,
				});
			},
			Err(error) => reply(request, Err(error)),
		}
	}

	/// Signs a call with the next nonce and sends it. Returns nonce, transaction and the block it was signed at.
	async fn sign_and_send(&mut self, call: &Call) -> Result<(u64, Signed, u64), SubmitError> {
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
			let (signed, at) = match self.sign(call, &connection, nonce).await {
				Err(SubmitError::Chain(error)) if error.is_transient() => {
					self.chain.give_up(&connection, &error).await;
					reason = error.to_string();
					continue;
				},
				outcome => outcome?,
			};
			match self.send(&connection, &signed.bytes).await {
				Ok(Answer::Taken) => return Ok((nonce, signed, at)),
				Ok(Answer::NonceUsed) => self.next_nonce = None,
				Ok(Answer::CannotPay) => {
					let (account, call) = (self.account, call.to_string());
					return Err(SubmitError::CannotPay { account, call });
				},
				Ok(Answer::NotTaken(reason)) => {
					return Err(SubmitError::NotTaken { call: call.to_string(), reason });
				},
				// The node may have taken it. Then its nonce is used, and the next attempt would make a second
				// transaction of the same call: so this one is followed.
				Err(error) => {
					self.chain.give_up(&connection, &error).await;
					return Ok((nonce, signed, at));
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
		&self,
		call: &Call,
		connection: &Connection,
		nonce: u64,
	) -> Result<(Signed, u64), SubmitError> {
		let at = self.chain.limited("the last block", connection.client.at_current_block()).await?;
		let mortality = self.settings.mortality_blocks;
		let signing = call.sign(&at, &self.key, nonce, mortality);
		let signed = self.chain.limited("signing a transaction", signing).await?;
		let (fee, limit) = (signed.fee, self.settings.max_fee);
		if fee > limit {
			return Err(SubmitError::FeeAboveLimit { call: call.to_string(), fee, limit });
		}
		Ok((signed, at.block_number()))
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

	/// Looks for pending transactions in a finalised block, and after those that are not in it.
	async fn follow(&mut self, block: FinalizedBlock) {
		let snapshot = &block.snapshot;
		let mut settled = self.settle(snapshot).await;
		if settled.as_ref().is_err_and(Error::is_transient) {
			// Another connection may have the block.
			settled = match self.chain.snapshot_at(block.number()).await {
				Ok(snapshot) => self.settle(&snapshot).await,
				Err(error) => Err(error),
			};
		}
		if let Err(error) = settled {
			return self.give_up(&error.to_string());
		}
		for mut pending in std::mem::take(&mut self.pending) {
			if block.number() > pending.valid_until {
				self.renew(pending, snapshot).await;
				continue;
			}
			if block.number() >= pending.sent_at + REPEAT_AFTER_BLOCKS {
				self.repeat(&pending).await;
				pending.sent_at = block.number();
			}
			self.pending.push(pending);
		}
	}

	/// Replies to the requests whose transactions are in this block.
	async fn settle(&mut self, block: &Snapshot) -> Result<(), Error> {
		let at = block.client();
		let body = self.chain.limited("a block's transactions", at.extrinsics().fetch()).await?;
		let hashes: Vec<_> = body
			.iter()
			.filter_map(Result::ok)
			.map(|extrinsic| (extrinsic.hash(), extrinsic.index()))
			.collect();
		for (hash, index) in hashes {
			let Some(position) = self.pending.iter().position(|p| p.signed.hash == hash) else {
				continue;
			};
			let index = u32::try_from(index).unwrap_or(u32::MAX);
			let outcome = self.outcome(block, index, hash, &self.pending[position].request.call);
			let outcome = outcome.await?;
			let pending = self.pending.remove(position);
			tracing::debug!(call = %pending.request.call, block = block.number(), "final");
			reply(pending.request, outcome);
		}
		Ok(())
	}

	/// What the transaction at `index` of a block did.
	async fn outcome(
		&self,
		block: &Snapshot,
		index: u32,
		transaction: H256,
		call: &Call,
	) -> Result<Result<Included, SubmitError>, Error> {
		let at = block.client();
		let events = self.chain.limited("a block's events", at.events().fetch()).await?;
		let mut own = Vec::new();
		let mut fee = 0;
		for event in events.iter() {
			let event = event.map_err(|error| Error::request("a block's events", error))?;
			if event.phase() != Phase::ApplyExtrinsic(index) {
				continue;
			}
			if let Some(paid) =
				event.decode_fields_as::<runtime::transaction_payment::events::TransactionFeePaid>()
			{
				fee = paid.map_err(|error| Error::request("the fee paid", error))?.actual_fee;
			}
			if (event.pallet_name(), event.event_name()) == ("System", "ExtrinsicFailed") {
				let failure = DispatchError::decode_from(event.field_bytes(), at.metadata())
					.map_err(|error| Error::request("the chain's refusal", error))?;
				let failure = DispatchFailure::new(&failure);
				return Ok(Err(SubmitError::Refused { call: call.to_string(), failure }));
			}
			own.push(Ok(event));
		}
		let events = crate::event::market_events(at.metadata_ref(), own.into_iter())?;
		let (number, block_hash) = (block.number(), block.hash());
		Ok(Ok(Included { block: number, block_hash, transaction, fee, events }))
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
		let call = pending.request.call.to_string();
		if pending.attempts >= self.settings.attempts {
			let error = SubmitError::Expired { call, attempts: pending.attempts };
			return reply(pending.request, Err(error));
		}
		tracing::warn!(call, nonce = pending.nonce, "not included in its life; signed anew");
		let used = match block.account(&self.account).await {
			Ok(account) => u64::from(account.nonce) > pending.nonce,
			Err(error) => return reply(pending.request, Err(error.into())),
		};
		// The same nonce, unless somebody else has used it: others of ours may wait for it.
		let following = self.next_nonce;
		if !used {
			self.next_nonce = Some(pending.nonce);
		}
		match self.sign_and_send(&pending.request.call).await {
			Ok((nonce, signed, at)) => {
				self.next_nonce = following.max(Some(nonce + 1));
				pending.attempts += 1;
				pending.nonce = nonce;
				pending.signed = signed;
				pending.valid_until = at + self.settings.mortality_blocks;
				pending.sent_at = at;
				self.pending.push(pending);
			},
			Err(error) => {
				self.next_nonce = following;
				reply(pending.request, Err(error));
			},
		}
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
		assert!(matches!(no, Answer::NotTaken(why) if why.contains("bad signature")));
		let low = r#"{"code": 1014, "message": "Priority is too low: (1 vs 2)"}"#;
		assert!(matches!(answer(low), Answer::NonceUsed));
		let known = r#"{"code": 1013, "message": "Transaction Already Imported"}"#;
		assert!(matches!(answer(known), Answer::Taken));
		let other = r#"{"code": -32000, "message": "stop"}"#;
		assert!(matches!(answer(other), Answer::NotTaken(why) if why == "stop"));
	}
}
