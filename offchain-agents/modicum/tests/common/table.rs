// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The table of docs/protocol.md §8, written down once more: not by the rules that the chain itself uses.

use super::{account, Cell, Market, DIRECTORY_FEE, MEDIATOR_FEE, TOKEN};
use modicum_chain_client::{AccountId, Event};
use modicum_primitives::{
	Balance, Ending, Evidence, FaultyParty, MatchId, Payout, Settlement, Usage, Verdict,
};

/// The prices of the default settings, tokens for 10^9.
const INSTRUCTION_PRICE: Balance = TOKEN / 100;
const BANDWIDTH_PRICE: Balance = TOKEN / 20;
/// What each side pays the solver, by the default settings.
pub const INCENTIVE: Balance = TOKEN / 100;
/// θ and n of the development chain.
const PENALTY_RATE: Balance = 50;
const VERIFICATION_COUNT: Balance = 2;
/// The limits of the job that cells submit.
pub const LIMITS: Usage = Usage { instructions: 1_000_000_000, bandwidth: 1 << 20 };
/// More than all transactions of one account in one match cost together.
pub const MOST_TRANSACTION_FEES: Balance = TOKEN / 20;

/// π_c, rounded down.
pub fn price(usage: Usage) -> Balance {
	let instructions = Balance::from(usage.instructions) * INSTRUCTION_PRICE;
	(instructions + Balance::from(usage.bandwidth) * BANDWIDTH_PRICE) / 1_000_000_000
}

/// v: the most that the match can be billed, rounded up.
pub fn value() -> Balance {
	let exact = Balance::from(LIMITS.instructions) * INSTRUCTION_PRICE
		+ Balance::from(LIMITS.bandwidth) * BANDWIDTH_PRICE;
	exact.div_ceil(1_000_000_000)
}

/// d of either side.
pub fn deposit() -> Balance {
	value() * (PENALTY_RATE + VERIFICATION_COUNT) + MEDIATOR_FEE + DIRECTORY_FEE
}

/// The row of an ending, with what the provider reported and what the mediator measured.
pub fn row(ending: Ending, reported: Option<Usage>, measured: Option<Usage>) -> Settlement {
	let both =
		Payout { to_mediator: MEDIATOR_FEE, to_directory: DIRECTORY_FEE, ..Payout::default() };
	let paid = |to_counterparty| Payout { to_counterparty, ..both };
	let fined = |price: Balance| {
		let runs = VERIFICATION_COUNT * price;
		let rest = deposit() - price - runs - MEDIATOR_FEE - DIRECTORY_FEE;
		Payout { to_mediator: runs + MEDIATOR_FEE, to_fines: rest, ..paid(price) }
	};
	let (creator, provider) = match ending {
		Ending::Accepted => (paid(price(reported.unwrap())), both),
		Ending::ProviderTimedOut => (both, paid(value())),
		Ending::MediatorTimedOut => (
			Payout { to_counterparty: value() / 2, to_mediator: 0, ..both },
			Payout { to_mediator: 0, ..both },
		),
		Ending::Mediated(verdict) => match verdict.faulty_party() {
			FaultyParty::ResourceProvider => {
				(both, fined(measured.map_or(value(), |usage| price(usage).min(value()))))
			},
			FaultyParty::JobCreator => (fined(price(reported.unwrap())), both),
			FaultyParty::Directory => {
				let only = Payout { to_directory: 0, ..both };
				(only, only)
			},
		},
	};
	Settlement { from_creator: returned(creator), from_provider: returned(provider) }
}

/// What is left of d goes back.
fn returned(payout: Payout) -> Payout {
	Payout { returned: deposit() - payout.total().unwrap(), ..payout }
}

/// Where fines go: the account of the pallet id `modicum/`.
pub fn fines() -> AccountId {
	let mut bytes = [0; 32];
	bytes[..12].copy_from_slice(b"modlmodicum/");
	AccountId(bytes)
}

/// What the parties of a cell have.
#[derive(Debug, Clone, Copy)]
pub struct Money {
	creator: Balance,
	provider: Balance,
	mediator: Balance,
}

impl Money {
	pub async fn of(market: &Market, cell: &Cell) -> Self {
		Self {
			creator: market.money(account(&cell.creator())).await,
			provider: market.money(account(&cell.provider())).await,
			mediator: market.money(account(&cell.mediator())).await,
		}
	}
}

/// Checks that a match has ended so, and that it was settled by the table. Returns what was settled.
pub async fn check_row(market: &Market, match_id: MatchId, wanted: Ending) -> Settlement {
	let (ending, settled) = market.closing(match_id).await;
	assert_eq!(ending, wanted, "match {match_id}");
	let events = market.events();
	let reported = events.iter().find_map(|event| match event {
		Event::ResultPosted { match_id: of, result, .. } if *of == match_id => Some(result.usage),
		_ => None,
	});
	let measured = events.iter().find_map(|event| match event {
		Event::MediationResultPosted { match_id: of, evidence, .. } if *of == match_id => {
			evidence_of(evidence)
		},
		_ => None,
	});
	assert_eq!(settled, row(ending, reported, measured), "match {match_id}: {ending}");
	settled
}

/// The same, and that this is what the parties now have more and less than `before`; up to the fees of their own
/// transactions.
pub async fn check(
	market: &Market,
	cell: &Cell,
	before: Money,
	match_id: MatchId,
	wanted: Ending,
) -> Settlement {
	let settled = check_row(market, match_id, wanted).await;
	let after = Money::of(market, cell).await;
	let Settlement { from_creator, from_provider } = settled;
	let held = deposit() + INCENTIVE;
	let creator = before.creator - held + from_creator.returned + from_provider.to_counterparty;
	let provider = before.provider - held + from_provider.returned + from_creator.to_counterparty;
	let mediator = before.mediator + from_creator.to_mediator + from_provider.to_mediator;
	for (who, is, should) in [
		("creator", after.creator, creator),
		("provider", after.provider, provider),
		("mediator", after.mediator, mediator),
	] {
		let fees = should.checked_sub(is);
		assert!(
			fees.is_some_and(|fees| fees < MOST_TRANSACTION_FEES),
			"{}: the {who} has {is} instead of {should} less fees",
			cell.name
		);
	}
	settled
}

fn evidence_of(evidence: &Evidence) -> Option<Usage> {
	let Evidence::Runs(runs) = evidence else { return None };
	assert_eq!(runs.len() as Balance, VERIFICATION_COUNT);
	Some(Usage {
		instructions: runs.iter().map(|run| run.usage.instructions).max()?,
		bandwidth: runs.iter().map(|run| run.usage.bandwidth).max()?,
	})
}

/// A verdict's ending.
pub fn mediated(verdict: Verdict) -> Ending {
	Ending::Mediated(verdict)
}
