// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The heads of the chain as the node in use announces them, whatever happens to connections.

use crate::{
	chain::{Chain, Connection},
	config::ChainConfig,
	Error,
};
use futures::FutureExt;
use std::{
	sync::{Mutex, PoisonError},
	time::Instant,
};
use subxt::client::{Block, Blocks};
use tokio::time::timeout;

/// Which heads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
	/// Every finalised block.
	Final,
	/// Whatever block is the best.
	Best,
}

/// A subscription that is made anew, with another endpoint, when it fails or stalls.
pub(crate) struct Heads {
	chain: Chain,
	kind: Kind,
	/// The best block's number when the subscription began. It begins with older ones, which are no news.
	floor: u64,
	/// Never locked: the mutex only makes it known that one task at a time uses the stream.
	subscription: Option<(Connection, Mutex<Blocks<ChainConfig>>)>,
	/// When a block last came.
	last_seen: Instant,
}

impl Heads {
	pub fn new(chain: Chain, kind: Kind) -> Self {
		Self { chain, kind, floor: 0, subscription: None, last_seen: Instant::now() }
	}

	/// The next head; `None` if the connection was lost, and another is to be tried. May be dropped and called again.
	///
	/// # Errors
	/// As of [`Chain::connect`], and [`Error::Stalled`] once no endpoint has shown a head for too long.
	pub async fn next(&mut self) -> Result<Option<Block<ChainConfig>>, Error> {
		let stall_timeout = self.chain.settings().stall_timeout;
		if self.subscription.is_none() {
			let connection = self.chain.connection().await?;
			match self.subscribe(&connection).await {
				Ok((stream, floor)) => {
					self.floor = floor;
					self.subscription = Some((connection, Mutex::new(stream)));
				},
				Err(error) => return self.lost(&connection, error).await.map(|()| None),
			}
		}
		let Some((connection, stream)) = &mut self.subscription else { return Ok(None) };
		let stream = stream.get_mut().unwrap_or_else(PoisonError::into_inner);
		let failure = loop {
			match timeout(stall_timeout, stream.next()).await {
				Ok(Some(Ok(block))) => {
					self.last_seen = Instant::now();
					if block.number() >= self.floor {
						return Ok(Some(block));
					}
				},
				Ok(Some(Err(error))) => break Error::request("new blocks", error),
				Ok(None) => {
					let reason = "it ended the subscription to new blocks".into();
					break Error::Unreachable(vec![(connection.endpoint.clone(), reason)]);
				},
				Err(_) => {
					let is_final = self.kind == Kind::Final;
					break Error::Stalled { is_final, limit: stall_timeout };
				},
			}
		};
		let connection = connection.clone();
		self.lost(&connection, failure).await.map(|()| None)
	}

	/// A new subscription, and the number from which on its blocks are news.
	async fn subscribe(
		&self,
		connection: &Connection,
	) -> Result<(Blocks<ChainConfig>, u64), Error> {
		let (chain, what) = (&self.chain, "new blocks");
		match self.kind {
			Kind::Final => Ok((chain.limited(what, connection.client.stream_blocks()).await?, 0)),
			Kind::Best => {
				let stream = chain.limited(what, connection.client.stream_best_blocks()).await?;
				let best = chain.limited(what, connection.methods.chain_get_header(None)).await?;
				Ok((stream, best.map_or(0, |header| header.number)))
			},
		}
	}

	/// A head that has come already, if there is one.
	pub fn ready(&mut self) -> Option<Block<ChainConfig>> {
		let (_, stream) = self.subscription.as_mut()?;
		let stream = stream.get_mut().unwrap_or_else(PoisonError::into_inner);
		// An error, or the end, comes up again at the next call.
		stream.next().now_or_never()??.ok()
	}

	/// Gives a connection up. Its failure is silent while another endpoint may still make up for it.
	///
	/// # Errors
	/// The failure, once there was no block for too long, or if it will not pass.
	pub async fn lost(&mut self, connection: &Connection, failure: Error) -> Result<(), Error> {
		self.chain.give_up(connection, &failure).await;
		self.subscription = None;
		let settings = self.chain.settings();
		let is_late = self.last_seen.elapsed() > settings.stall_timeout.max(settings.patience);
		if is_late || !failure.is_transient() {
			return Err(failure);
		}
		Ok(())
	}
}
