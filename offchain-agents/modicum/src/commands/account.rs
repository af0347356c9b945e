// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum account`.

use crate::{
	amount::Amount,
	cli::parse_account,
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Report},
};
use clap::{Args, Subcommand};
use modicum_chain_client::{AccountId, Call, Included};
use modicum_primitives::PartyRecord;
use serde::Serialize;

/// The verbs of `account`.
#[derive(Subcommand, Debug, Clone)]
pub enum AccountCommand {
	/// Show an account's money and its record in the market
	Balance(BalanceArgs),
	/// Send money
	Transfer(TransferArgs),
}

/// Arguments of `balance`.
#[derive(Args, Debug, Clone)]
pub struct BalanceArgs {
	/// The account [default: the key's]
	#[arg(value_parser = parse_account)]
	pub account: Option<AccountId>,
}

/// Arguments of `transfer`.
#[derive(Args, Debug, Clone)]
pub struct TransferArgs {
	/// Who gets it
	#[arg(value_parser = parse_account)]
	pub to: AccountId,
	/// How much, tokens
	pub amount: Amount,
}

#[derive(Serialize)]
struct Balance {
	account: AccountId,
	free: Amount,
	held: Amount,
	frozen: Amount,
	record: PartyRecord,
	/// The block that this is as of.
	block: u64,
}

impl Report for Balance {
	fn text(&self) -> String {
		aligned(&[
			("account", self.account.to_string()),
			("free", self.free.to_string()),
			("held", format!("{}  (deposits of offers, matches and registrations)", self.held)),
			("frozen", self.frozen.to_string()),
			("matches", of_record(&self.record)),
			("as of block", self.block.to_string()),
		])
	}
}

/// What an account has done in closed matches, for people.
pub(super) fn of_record(record: &PartyRecord) -> String {
	let PartyRecord { completed, mediated, faulted, timed_out } = record;
	format!("{completed} completed, {mediated} mediated, {faulted} faults, {timed_out} timed out")
}

/// A transaction that took effect.
#[derive(Serialize)]
pub struct Done {
	/// What was done.
	what: String,
	block: u64,
	block_hash: String,
	transaction: String,
	fee: Amount,
}

impl Done {
	/// `what` was done by a transaction.
	pub fn new(what: impl Into<String>, included: &Included) -> Self {
		Self {
			what: what.into(),
			block: included.block,
			block_hash: format!("{:?}", included.block_hash),
			transaction: format!("{:?}", included.transaction),
			fee: Amount(included.fee),
		}
	}

	/// `what` was done by several transactions, of which the last is named.
	pub fn of_all(what: impl Into<String>, included: &[Included]) -> Self {
		let last = included.last().expect("whoever does something submits a call; qed");
		let fees = included.iter().map(|included| included.fee).sum();
		Self { fee: Amount(fees), ..Self::new(what, last) }
	}
}

impl Report for Done {
	fn text(&self) -> String {
		format!("{}\nin block {}, for a fee of {}", self.what, self.block, self.fee)
	}
}

/// What the chain would refuse, with no more to say than that it is too much.
async fn check_funds(context: &Context, amount: Amount) -> Outcome<()> {
	let account = context.account(None)?;
	let snapshot = context.chain().await?.snapshot().await?;
	let money = snapshot.account(&account).await?;
	let stays = snapshot.existential_deposit()?;
	let free = money.free.saturating_sub(stays.max(money.frozen));
	if amount.0 <= free {
		return Ok(());
	}
	let message = format!(
		"{account} can send {} and the fee for it, not {amount}: {} are free, of which {} must stay; {} are held",
		Amount(free),
		Amount(money.free),
		Amount(money.free - free),
		Amount(money.held)
	);
	Err(Failure::new(Exit::Refused, message))
}

/// Runs a command of `account`.
pub async fn run(context: &Context, command: AccountCommand) -> Outcome {
	match command {
		AccountCommand::Balance(args) => {
			let account = context.account(args.account)?;
			let snapshot = context.chain().await?.snapshot().await?;
			let money = snapshot.account(&account).await?;
			context.print(&Balance {
				account,
				free: Amount(money.free),
				held: Amount(money.held),
				frozen: Amount(money.frozen),
				record: snapshot.party_record(account).await?,
				block: snapshot.number(),
			});
		},
		AccountCommand::Transfer(args) => {
			let call = Call::transfer(args.to, args.amount.0);
			check_funds(context, args.amount).await?;
			let included = context.submit(call).await?;
			let what = format!("{} sent to {}", args.amount, args.to);
			context.print(&Done::new(what, &included));
		},
	}
	Ok(Exit::Success)
}
