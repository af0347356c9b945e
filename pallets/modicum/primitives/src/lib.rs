// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The market's vocabulary and its pure rules.
//!
//! The chain (`pallet-modicum`) and every off-chain agent call the functions of this crate, so that what an
//! agent expects and what the chain does cannot drift apart. Nothing here reads storage, the clock or the
//! network; nothing allocates but the list of broken rules and the runs of a mediator's evidence.
//!
//! | question | function |
//! |---|---|
//! | what does a run cost? | [`cost`] |
//! | what is the most a match can be billed? | [`match_value`] |
//! | what is held when an offer is posted, and after it is matched? | [`job_offer_deposit`], [`resource_offer_deposit`], [`match_deposit`] |
//! | may these two offers and this mediator be matched, and if not, why? | [`feasibility`] |
//! | who is at fault? | [`derive_verdict`] |
//! | who gets what? | [`settlement()`] |
//!
//! Times are milliseconds, amounts are the smallest unit of the token. Arithmetic is checked or saturating in
//! a direction that the documentation of the function names; no function of this crate panics.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod feasibility;
pub mod hexadecimal;
mod money;
mod parameters;
mod settlement;
mod text;
mod types;
mod verdict;

pub use feasibility::{
	feasibility, JobSide, MediatorProfile, MediatorSide, ResourceSide, Rule, Triple,
};
pub use money::{
	cost, job_offer_deposit, match_deposit, match_value, required_deposit, resource_offer_deposit,
	Overflow, Rounding, BILLION,
};
pub use parameters::{
	CostTolerances, ParameterError, Parameters, MAX_COST_TOLERANCE, MAX_GRACE, MAX_PENALTY_RATE,
	MAX_PERIOD, MAX_VERIFICATION_COUNT, MIN_VERIFICATION_COUNT, PARTS_PER_MILLION,
};
pub use settlement::{settlement, Ending, Payout, Settlement, SettlementTerms};
pub use text::UnknownName;
pub use types::{
	Architecture, Balance, BaseLayer, Evidence, FaultyParty, Hash, JobOfferId, JobTerms, MatchId,
	Meter, Moment, PartyRecord, Prices, RejectReason, ResourceOfferId, ResourceTerms, Resources,
	ResultStatus, Run, Usage, NO_HASH,
};
pub use verdict::{derive_verdict, Verdict, VerdictTerms};
