// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What blocks did, read once for everybody in this process: each block is asked about as the best and as a
//! finalised one, by followers and by the submitter.

use crate::{
	chain::{Chain, Connection},
	config::{ChainConfig, ClientAtBlock},
	error::DispatchFailure,
	event::{market_event, Event},
	runtime,
	snapshot::Snapshot,
	Error, H256,
};
use modicum_primitives::Balance;
use std::{
	collections::{BTreeMap, VecDeque},
	sync::{Arc, Mutex, PoisonError},
};
use subxt::{
	client::Block,
	error::DispatchError,
	events::Phase,
	ext::scale_value::{scale::encode_as_type, At, Composite, Value, ValueDef},
};
use tokio::sync::OnceCell;

/// Blocks remembered: those that may still be asked about, with finality some blocks behind the best.
const REMEMBERED: usize = 12;

/// A block that was read.
pub(crate) struct Known {
	/// The market after it.
	pub snapshot: Snapshot,
	/// The market's events, each with what caused it, if a transaction did.
	events: Vec<(Option<Cause>, Event)>,
	outcomes: BTreeMap<u32, Outcome>,
	transactions: OnceCell<Vec<H256>>,
}

/// What caused an event.
#[derive(Clone, Copy)]
struct Cause {
	/// The index of the transaction.
	transaction: u32,
	/// Which of the transaction's calls, if it shares it with others.
	item: usize,
}

/// What became of a transaction in a block.
#[derive(Default, Clone)]
pub(crate) struct Outcome {
	/// What was paid, base units.
	pub fee: Balance,
	/// Why it had no effect, if so; or why the call had none that it was to make in another's name.
	pub failure: Option<DispatchFailure>,
	/// The same of each call, if several share the transaction.
	pub items: Vec<Option<DispatchFailure>>,
}

impl Known {
	/// The market's events, in order.
	pub fn events(&self) -> Vec<Event> {
		self.events.iter().map(|(_, event)| event.clone()).collect()
	}

	/// The events of one transaction.
	pub fn events_of(&self, index: u32) -> Vec<Event> {
		self.caused(|cause| cause.transaction == index)
	}

	/// The events of one of the calls that share a transaction.
	pub fn events_of_item(&self, index: u32, item: usize) -> Vec<Event> {
		self.caused(|cause| cause.transaction == index && cause.item == item)
	}

	fn caused(&self, by: impl Fn(Cause) -> bool) -> Vec<Event> {
		let own = self.events.iter().filter(|(cause, _)| cause.is_some_and(&by));
		own.map(|(_, event)| event.clone()).collect()
	}

	/// What became of one transaction.
	pub fn outcome_of(&self, index: u32) -> Outcome {
		self.outcomes.get(&index).cloned().unwrap_or_default()
	}

	/// The hashes of the transactions, in order.
	///
	/// # Errors
	/// The node does not answer.
	pub async fn transactions(&self, chain: &Chain) -> Result<&[H256], Error> {
		let read = || async {
			let extrinsics = self.snapshot.client().extrinsics();
			let body = chain.limited("a block's transactions", extrinsics.fetch()).await?;
			let failed = |error| Error::request("a block's transactions", error);
			body.iter().map(|found| Ok(found.map_err(failed)?.hash())).collect()
		};
		self.transactions.get_or_try_init(read).await.map(Vec::as_slice)
	}
}

/// Connection, block, and what is known of it once somebody has read it.
type Entry = (u64, H256, Arc<OnceCell<Arc<Known>>>);

/// The last blocks that were asked about.
#[derive(Default)]
pub(crate) struct KnownBlocks(Mutex<VecDeque<Entry>>);

impl KnownBlocks {
	fn cell(&self, connection: &Connection, hash: H256) -> Arc<OnceCell<Arc<Known>>> {
		let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let found = known.iter().find(|(by, of, _)| (*by, *of) == (connection.generation, hash));
		if let Some((_, _, cell)) = found {
			return cell.clone();
		}
		if known.len() == REMEMBERED {
			known.pop_front();
		}
		let cell = Arc::default();
		known.push_back((connection.generation, hash, Arc::clone(&cell)));
		cell
	}
}

impl Chain {
	/// What a block of this connection did.
	pub(crate) async fn known(
		&self,
		connection: &Connection,
		block: &Block<ChainConfig>,
	) -> Result<Arc<Known>, Error> {
		let cell = self.known_blocks().cell(connection, block.hash());
		let read = || async { self.read(self.limited("a block", block.at()).await?).await };
		cell.get_or_try_init(read).await.cloned()
	}

	/// What a block that the connection's node has did.
	pub(crate) async fn known_at(
		&self,
		connection: &Connection,
		at: ClientAtBlock,
	) -> Result<Arc<Known>, Error> {
		let cell = self.known_blocks().cell(connection, at.block_hash());
		cell.get_or_try_init(|| self.read(at)).await.cloned()
	}

	async fn read(&self, at: ClientAtBlock) -> Result<Arc<Known>, Error> {
		let what = "a block's events";
		let found = self.limited(what, at.events().fetch()).await?;
		let mut events = Vec::new();
		let mut outcomes: BTreeMap<u32, Outcome> = BTreeMap::new();
		for event in found.iter() {
			let event = event.map_err(|error| Error::request(what, error))?;
			let index = match event.phase() {
				Phase::ApplyExtrinsic(index) => Some(index),
				_ => None,
			};
			if let Some(event) = market_event(at.metadata_ref(), &event)? {
				let cause = index.map(|transaction| Cause {
					transaction,
					item: outcomes.get(&transaction).map_or(0, |outcome| outcome.items.len()),
				});
				events.push((cause, event));
				continue;
			}
			let Some(index) = index else { continue };
			// Events of failure begin with it.
			let refusal = || {
				DispatchError::decode_from(event.field_bytes(), at.metadata())
					.map(|failure| DispatchFailure::new(&failure))
					.map_err(|error| Error::request("the chain's refusal", error))
			};
			match (event.pallet_name(), event.event_name()) {
				("TransactionPayment", "TransactionFeePaid") => {
					type Paid = runtime::transaction_payment::events::TransactionFeePaid;
					let Some(paid) = event.decode_fields_as::<Paid>() else { continue };
					let paid = paid.map_err(|error| Error::request("the fee paid", error))?;
					outcomes.entry(index).or_default().fee = paid.actual_fee;
				},
				("System", "ExtrinsicFailed") => {
					outcomes.entry(index).or_default().failure = Some(refusal()?);
				},
				("Utility", "ItemCompleted") => {
					outcomes.entry(index).or_default().items.push(None);
				},
				("Utility", "ItemFailed") => {
					outcomes.entry(index).or_default().items.push(Some(refusal()?));
				},
				("Sudo", "Sudid")
				| ("Council", "Executed" | "MemberExecuted")
				| ("Whitelist", "WhitelistedCallDispatched") => {
					let fields = event.decode_fields_unchecked_as::<Composite<()>>();
					let fields =
						fields.map_err(|error| Error::request("the outcome of a call", error))?;
					if let Some(failure) = inner_failure(fields, &at) {
						outcomes.entry(index).or_default().failure = Some(failure);
					}
				},
				_ => {},
			}
		}
		let snapshot = Snapshot::new(at, self.settings().request_timeout);
		Ok(Arc::new(Known { snapshot, events, outcomes, transactions: OnceCell::new() }))
	}
}

/// Why a call failed that was made in another's name, from the fields of the event that tells of it.
fn inner_failure(fields: Composite<()>, at: &ClientAtBlock) -> Option<DispatchFailure> {
	let is_error = |value: &Value| matches!(&value.value, ValueDef::Variant(v) if v.name == "Err");
	let outcome = fields.into_values().find(is_error)?;
	let error = outcome.at(0)?;
	// Some calls say beside their error what they have cost.
	let error = error.at("error").unwrap_or(error);
	let (metadata, mut bytes) = (at.metadata(), Vec::new());
	encode_as_type(error, metadata.dispatch_error_ty()?, metadata.types(), &mut bytes).ok()?;
	Some(DispatchFailure::new(&DispatchError::decode_from(&bytes, metadata).ok()?))
}
