// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `list` of each role: who takes part in the market, on which terms, and how they did so far. Whom to trust.

use crate::{
	agents::solver::read_book,
	amount::Amount,
	commands::account::of_record,
	context::Context,
	failure::{Exit, Outcome},
	output::{aligned, counted, Report},
};
use futures::future::try_join_all;
use modicum_chain_client::{
	AccountId, Directory, Error, JobCreator, Mediator, ResourceProvider, Snapshot,
};
use modicum_primitives::PartyRecord;
use serde::Serialize;

/// What a register says of an account, in a line.
trait Terms {
	/// What its accounts are.
	const SEVERAL: &'static str;

	fn terms(&self) -> String;
}

impl Terms for JobCreator {
	const SEVERAL: &'static str = "job creators";

	fn terms(&self) -> String {
		let mediators = counted(self.trusted_mediators.len(), ["mediator", "mediators"]);
		let open = counted(self.commitments as usize, ["job", "jobs"]);
		format!("trusts {mediators}; {open} open")
	}
}

impl Terms for ResourceProvider {
	const SEVERAL: &'static str = "resource providers";

	fn terms(&self) -> String {
		let mediators = counted(self.trusted_mediators.len(), ["mediator", "mediators"]);
		let directories = counted(self.trusted_directories.len(), ["directory", "directories"]);
		let layers = counted(self.base_layers.len(), ["base layer", "base layers"]);
		let open = counted(self.commitments as usize, ["offer or match", "offers and matches"]);
		format!(
			"{}, {} ms for 10^9 instructions, {layers}; trusts {mediators} and {directories}; {open}",
			self.architecture, self.time_per_billion_instructions
		)
	}
}

impl Terms for Mediator {
	const SEVERAL: &'static str = "mediators";

	fn terms(&self) -> String {
		let directories = counted(self.trusted_directories.len(), ["directory", "directories"]);
		let layers = counted(self.base_layers.len(), ["base layer", "base layers"]);
		let open = counted(self.commitments as usize, ["match", "matches"]);
		format!(
			"{}, {} from each side, {layers}; trusts {directories}; {open} open",
			self.architecture,
			Amount(self.availability_fee)
		)
	}
}

impl Terms for Directory {
	const SEVERAL: &'static str = "directories";

	fn terms(&self) -> String {
		let open = counted(self.commitments as usize, ["match", "matches"]);
		format!("{}, {} from each side; {open} open", self.endpoint, Amount(self.availability_fee))
	}
}

#[derive(Serialize)]
struct Entry<T> {
	account: AccountId,
	#[serde(flatten)]
	registered: T,
	/// What it has done in closed matches, in all its roles.
	record: PartyRecord,
}

#[derive(Serialize)]
struct List<T> {
	registered: Vec<Entry<T>>,
	/// The block that this is as of.
	block: u64,
}

impl<T: Terms + Serialize> Report for List<T> {
	fn text(&self) -> String {
		if self.registered.is_empty() {
			return format!("no {} as of block {}", T::SEVERAL, self.block);
		}
		let lines = self.registered.iter().map(|Entry { account, registered, record }| {
			format!("{account}  {}; {}", registered.terms(), of_record(record))
		});
		lines.collect::<Vec<_>>().join("\n")
	}
}

async fn list<T: Terms + Serialize>(
	context: &Context,
	read: impl AsyncFnOnce(&Snapshot) -> Result<Vec<(AccountId, T)>, Error>,
) -> Outcome {
	let snapshot = context.chain().await?.snapshot().await?;
	let snapshot = &snapshot;
	let entries = read(snapshot).await?.into_iter().map(|(account, registered)| async move {
		let record = snapshot.party_record(account).await?;
		Ok::<_, Error>(Entry { account, registered, record })
	});
	let registered = try_join_all(entries).await?;
	context.print(&List { registered, block: snapshot.number() });
	Ok(Exit::Success)
}

/// Lists job creators.
pub async fn creators(context: &Context) -> Outcome {
	list(context, async |snapshot| snapshot.job_creators().await).await
}

/// Lists resource providers.
pub async fn providers(context: &Context) -> Outcome {
	list(context, async |snapshot| snapshot.resource_providers().await).await
}

/// Lists mediators.
pub async fn mediators(context: &Context) -> Outcome {
	list(context, async |snapshot| snapshot.mediators().await).await
}

/// Lists directories.
pub async fn directories(context: &Context) -> Outcome {
	list(context, async |snapshot| snapshot.directories().await).await
}

/// A solver, which the chain has no register of, and what there is for it to do.
#[derive(Serialize)]
struct SolverStatus {
	account: AccountId,
	/// What is there for fees.
	free: Amount,
	job_offers: usize,
	resource_offers: usize,
	/// Matches that could be made now.
	feasible: usize,
	block: u64,
}

impl Report for SolverStatus {
	fn text(&self) -> String {
		aligned(&[
			("solver", self.account.to_string()),
			("free, for fees", self.free.to_string()),
			("open job offers", self.job_offers.to_string()),
			("open resource offers", self.resource_offers.to_string()),
			("matches that could be made", self.feasible.to_string()),
			("as of block", self.block.to_string()),
		])
	}
}

/// Shows what a solver has and could do.
pub async fn solver_status(context: &Context, account: Option<AccountId>) -> Outcome {
	let account = context.account(account)?;
	let snapshot = context.chain().await?.snapshot().await?;
	let mut book = read_book(&snapshot).await?;
	context.print(&SolverStatus {
		account,
		free: Amount(snapshot.account(&account).await?.free),
		job_offers: book.job_offers().len(),
		resource_offers: book.resource_offers().len(),
		feasible: book.solve(snapshot.now().await?).len(),
		block: snapshot.number(),
	});
	Ok(Exit::Success)
}
