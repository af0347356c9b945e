// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The game between job creator and resource provider: deterrence computed and simulated.
//!
//! | question | where |
//! |---|---|
//! | what are the parameters, and do they make sense? | [`Parameters`], Table 1 |
//! | what is each course of a job worth to whom? | [`Outcome`], Fig. 4; [`Stage`], Tables 2 to 4 |
//! | how honest is a rational creator? | [`Parameters::best_p_a`], [`least_p_a`], Theorem 3 |
//! | how often must a creator verify? | [`Stage::indifferent_p_v`], [`most_p_v`], Eq. 4 |
//! | what are the equilibria? | [`Stage::predict`], Theorems 1 and 4–6; [`Bimatrix::equilibria`], any game |
//! | is honesty the best reply under given terms? | [`check`] |
//! | which θ and n should the platform take? | [`advise`], [`platform_choices`] |
//! | may a provider trust a creator? | [`creator_risk`] |
//! | who gains and who loses in a mixed population? | [`simulation`] |
//!
//! The symbols are those of the paper's Table 1; docs/economics.md explains them to readers without
//! game theory and notes where the paper contradicts itself. Nothing here does I/O but
//! [`cli::run`] when it is asked to write pictures. No result is ever NaN.

#![forbid(unsafe_code)]

pub mod cli;
mod equilibrium;
mod error;
mod figure;
mod honesty;
mod numeric;
mod parameters;
pub mod pictures;
mod remedies;
mod report;
mod risk;
pub mod simulation;
mod stage;
mod theorems;

pub use equilibrium::{Bimatrix, Equilibrium, Interval, MAX_PAYOFF};
pub use error::EconomicsError;
pub use honesty::{least_p_a, most_p_v, platform_choices, BestHonesty, PlatformChoice, Search};
pub use parameters::{
	Constraint, Parameters, DEFAULT_PENALTY_RATE, DEFAULT_VERIFICATION_COUNT, MAX_AMOUNT,
	MAX_VERIFICATION_COUNT,
};
pub use report::{
	advise, check, Advice, AdviceRequest, CheckReport, CheckRequest, CreatorCheck, ProviderCheck,
};
pub use risk::{creator_risk, CreatorHistory, CreatorRisk, UNBLAMED_WEIGHT};
pub use stage::{CreatorType, Outcome, Payoff, Preferences, Stage, Utilities};
pub use theorems::Prediction;
