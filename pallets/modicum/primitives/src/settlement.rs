// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Who is paid: every row of the table in docs/protocol.md §8, as data.

use crate::{cost, Balance, FaultyParty, Prices, Rounding, Usage, Verdict};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Every way a match can end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
	/// The creator accepted, or the reaction deadline passed without a rejection.
	#[codec(index = 0)]
	Accepted,
	/// The creator rejected and the mediator's evidence gave a verdict.
	#[codec(index = 1)]
	Mediated(Verdict),
	/// The completion deadline passed without a result.
	#[codec(index = 2)]
	ProviderTimedOut,
	/// The mediation deadline passed without evidence.
	#[codec(index = 3)]
	MediatorTimedOut,
}

impl Ending {
	/// Whom the verdict blames; `None` if there was no verdict.
	pub const fn faulty_party(self) -> Option<FaultyParty> {
		match self {
			Self::Mediated(verdict) => Some(verdict.faulty_party()),
			_ => None,
		}
	}
}

impl fmt::Display for Ending {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Accepted => f.write_str("accepted"),
			Self::Mediated(verdict) => write!(f, "mediated: {verdict}"),
			Self::ProviderTimedOut => f.write_str("provider-timed-out"),
			Self::MediatorTimedOut => f.write_str("mediator-timed-out"),
		}
	}
}

/// The terms of a match that its settlement depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementTerms {
	/// v.
	pub value: Balance,
	/// The prices of the match: the resource offer's.
	pub prices: Prices,
	/// n.
	pub verification_count: u32,
	/// a_M.
	pub mediator_fee: Balance,
	/// a_D.
	pub directory_fee: Balance,
	/// What the provider reported; `None` without a result.
	pub reported: Option<Usage>,
	/// The largest figures that the mediator measured; `None` without runs.
	pub measured: Option<Usage>,
}

/// Where one side's hold goes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct Payout {
	/// To the other side: from the creator's hold to the provider, from the provider's to the creator.
	pub to_counterparty: Balance,
	/// To the mediator.
	pub to_mediator: Balance,
	/// To the directory.
	pub to_directory: Balance,
	/// To the fines destination.
	pub to_fines: Balance,
	/// Back to its owner.
	pub returned: Balance,
}

impl Payout {
	/// All of it; `None` if the sum overflows, which no payout of [`settlement`] does.
	pub fn total(&self) -> Option<Balance> {
		self.to_counterparty
			.checked_add(self.to_mediator)?
			.checked_add(self.to_directory)?
			.checked_add(self.to_fines)?
			.checked_add(self.returned)
	}
}

/// Where both holds of a match go.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen, Serialize, Deserialize)]
pub struct Settlement {
	/// The job creator's.
	pub from_creator: Payout,
	/// The resource provider's.
	pub from_provider: Payout,
}

/// What the row of the table asks for from one hold, before it is known what the hold can pay.
#[derive(Clone, Copy, Default)]
struct Claims {
	counterparty: Balance,
	mediator: Balance,
	directory: Balance,
	/// Whether the rest is lost instead of returned.
	rest_is_fined: bool,
}

/// Splits both holds as the row of `ending` in docs/protocol.md §8 says.
///
/// Total and conserving: each payout adds up to its hold exactly. A hold of at least d covers every claim in
/// full; from a smaller one, which the chain never makes, claims are paid in the order counterparty, mediator,
/// directory as far as it goes.
pub fn settlement(
	ending: Ending,
	terms: &SettlementTerms,
	creator_hold: Balance,
	provider_hold: Balance,
) -> Settlement {
	let (creator, provider) = claims(ending, terms);
	Settlement {
		from_creator: pay_out(creator_hold, creator),
		from_provider: pay_out(provider_hold, provider),
	}
}

/// The two cells of the table's row: claims on the creator's hold and on the provider's.
fn claims(ending: Ending, terms: &SettlementTerms) -> (Claims, Claims) {
	let fees = Claims {
		mediator: terms.mediator_fee,
		directory: terms.directory_fee,
		..Claims::default()
	};
	match ending {
		Ending::Accepted => (Claims { counterparty: billed(terms.reported, terms), ..fees }, fees),
		Ending::Mediated(verdict) => match verdict.faulty_party() {
			FaultyParty::ResourceProvider => (fees, fault(billed(terms.measured, terms), terms)),
			FaultyParty::JobCreator => (fault(billed(terms.reported, terms), terms), fees),
			FaultyParty::Directory => {
				let mediator_only = Claims { directory: 0, ..fees };
				(mediator_only, mediator_only)
			},
		},
		Ending::ProviderTimedOut => (fees, Claims { counterparty: terms.value, ..fees }),
		Ending::MediatorTimedOut => {
			let directory_only = Claims { mediator: 0, ..fees };
			(Claims { counterparty: terms.value / 2, ..directory_only }, directory_only)
		},
	}
}

/// The cell of a party at fault: damages to the other, n times as much to the mediator for its runs, fees, and
/// the rest is lost.
fn fault(damages: Balance, terms: &SettlementTerms) -> Claims {
	let runs = damages.saturating_mul(terms.verification_count.into());
	Claims {
		counterparty: damages,
		mediator: runs.saturating_add(terms.mediator_fee),
		directory: terms.directory_fee,
		rest_is_fined: true,
	}
}

/// π_c of a usage, never above v; v itself where there is nothing to bill by. A cost that overflows is above v.
fn billed(usage: Option<Usage>, terms: &SettlementTerms) -> Balance {
	usage
		.and_then(|usage| cost(usage, terms.prices, Rounding::Down).ok())
		.map_or(terms.value, |cost| cost.min(terms.value))
}

fn pay_out(hold: Balance, claims: Claims) -> Payout {
	let mut left = hold;
	let mut take = |claim: Balance| {
		let paid = claim.min(left);
		left -= paid;
		paid
	};
	let to_counterparty = take(claims.counterparty);
	let to_mediator = take(claims.mediator);
	let to_directory = take(claims.directory);
	let (to_fines, returned) = if claims.rest_is_fined { (left, 0) } else { (0, left) };
	Payout { to_counterparty, to_mediator, to_directory, to_fines, returned }
}
