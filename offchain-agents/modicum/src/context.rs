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

	/// Submits one call by the key's account, and waits until it is final.
	pub async fn submit(&self, call: Call) -> Outcome<Included> {
		let (key, _) = keys::load(&self.config)?;
		let chain = self.chain().await?;
		let submitter = Submitter::start(chain, key, self.config.submission());
		Ok(submitter.submit(call).await?)
	}
}
