// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What commands share: settings, and what the settings lead to.

use crate::{
	config::Config,
	failure::Outcome,
	keys,
	output::{self, Format, Report},
};
use modicum_chain_client::{AccountId, Call, Chain, Included, Submitter};

/// What every command gets.
pub struct Context {
	/// The settings in force.
	pub config: Config,
	/// How answers are printed.
	pub format: Format,
}

impl Context {
	/// A connection to the chain.
	pub async fn chain(&self) -> Outcome<Chain> {
		Ok(Chain::connect(self.config.connection()?).await?)
	}

	/// Prints a command's answer.
	pub fn print(&self, report: &impl Report) {
		output::print(self.format, report);
	}

	/// The account that commands are about: the one given, or the key's.
	pub fn account(&self, given: Option<AccountId>) -> Outcome<AccountId> {
		match given {
			Some(account) => Ok(account),
			None => Ok(keys::load(&self.config)?.0.account()),
		}
	}

	/// Submits calls by the key's account in this order, and waits until all are final.
	///
	/// # Errors
	/// The first that failed; those after it may have taken effect.
	pub async fn submit_all(&self, calls: Vec<Call>) -> Outcome<Vec<Included>> {
		let (key, _) = keys::load(&self.config)?;
		let submitter = Submitter::start(self.chain().await?, key, self.config.submission());
		// Polled in this order, so they are queued in this order.
		let outcomes = calls.into_iter().map(|call| submitter.submit(call));
		let outcomes = futures::future::join_all(outcomes).await;
		Ok(outcomes.into_iter().collect::<Result<_, _>>()?)
	}

	/// Submits one call by the key's account, and waits until it is final.
	pub async fn submit(&self, call: Call) -> Outcome<Included> {
		let (key, _) = keys::load(&self.config)?;
		let chain = self.chain().await?;
		let submitter = Submitter::start(chain, key, self.config.submission());
		Ok(submitter.submit(call).await?)
	}
}
