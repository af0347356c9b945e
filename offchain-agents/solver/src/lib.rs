// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Finds a maximum set of feasible matches of lowest total price.

#![forbid(unsafe_code)]

mod assignment;
mod book;
mod index;
mod market;
mod records;

pub use book::{BookFull, OrderBook, MAX_ENTRIES};
pub use market::MOST_PAIRS_FOR_LOWEST_PRICE;
pub use records::{JobOffer, Mediator, Proposal, Provider, ResourceOffer};
