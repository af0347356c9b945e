// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Brings the submitter the blocks in which its transactions may be.

use crate::{
	best::{self, BestBlocks},
	blocks::{self, FinalizedBlocks},
	chain::Chain,
	known::Known,
	Error,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinSet};

/// Blocks that may wait for the submitter.
const QUEUE: usize = 16;
/// Pause after the best chain could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// What was seen. The transactions of each block are read by then.
pub(crate) enum Seen {
	/// A block of the best chain.
	Best(Arc<Known>),
	/// The next finalised block.
	Final(Arc<Known>),
	/// From here on nobody can say what was in a block, and why.
	Lost(String),
}

/// Two tasks, one for each kind of block, which end with this value. They read whole blocks, and are never
/// interrupted by the requests that keep the submitter busy.
pub(crate) struct Pump {
	seen: mpsc::Receiver<Seen>,
	_tasks: JoinSet<()>,
}

impl Pump {
	/// Begins with the last finalised block: nothing that is sent after this returns can be missed.
	///
	/// # Errors
	/// As of [`Chain::connect`].
	pub async fn start(chain: &Chain) -> Result<Self, Error> {
		let mut finalized = chain.finalized_blocks(None);
		finalized.start().await?;
		let mut best = chain.best_blocks();
		best.start().await?;
		let (to, seen) = mpsc::channel(QUEUE);
		let mut tasks = JoinSet::new();
		tasks.spawn(pump_best(chain.clone(), best, to.clone()));
		tasks.spawn(pump_final(chain.clone(), finalized, to));
		Ok(Self { seen, _tasks: tasks })
	}

	/// The next block. May be dropped and called again.
	pub async fn next(&mut self) -> Seen {
		let ended = || Seen::Lost("the task that reads blocks has ended".into());
		self.seen.recv().await.unwrap_or_else(ended)
	}
}

async fn pump_final(chain: Chain, mut blocks: FinalizedBlocks, to: mpsc::Sender<Seen>) {
	loop {
		let seen = match blocks.next_known().await {
			Ok(blocks::Item::Block(known)) => match with_transactions(&chain, known).await {
				Ok(known) => Seen::Final(known),
				Err(error) => Seen::Lost(error.to_string()),
			},
			Ok(blocks::Item::Missed { last, .. }) => Seen::Lost(format!(
				"the blocks up to {last}, one of which may contain it, can no longer be read"
			)),
			Err(error) => Seen::Lost(error.to_string()),
		};
		if to.send(seen).await.is_err() {
			return;
		}
	}
}

async fn with_transactions(chain: &Chain, known: Arc<Known>) -> Result<Arc<Known>, Error> {
	match known.transactions(chain).await {
		Ok(_) => return Ok(known),
		Err(error) if !error.is_transient() => return Err(error),
		Err(_) => {},
	}
	// Another connection may have the block.
	let number = known.snapshot.number();
	let again = |connection: crate::chain::Connection| async move {
		let at = chain.limited("a block", connection.client.at_block(number)).await?;
		let known = chain.known_at(&connection, at).await?;
		known.transactions(chain).await?;
		Ok(known)
	};
	chain.retry(again).await
}

/// What this misses, finality brings.
async fn pump_best(chain: Chain, mut blocks: BestBlocks, to: mpsc::Sender<Seen>) {
	loop {
		let outcome = match blocks.next_known().await {
			Ok(best::Item::Block(known) | best::Item::Turn(known)) => {
				known.transactions(&chain).await.map(|_| ()).map(|()| known)
			},
			Err(error) => Err(error),
		};
		let sent = match outcome {
			Ok(known) => to.send(Seen::Best(known)).await,
			Err(error) => {
				tracing::debug!(%error, "the best chain cannot be read");
				tokio::time::sleep(PAUSE).await;
				continue;
			},
		};
		if sent.is_err() {
			return;
		}
	}
}
