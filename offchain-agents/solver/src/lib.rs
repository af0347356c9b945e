// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Finds a maximum set of feasible matches of lowest total price.
//!
//! [`OrderBook`] is plain data without a clock, a network or a chain: feed it what the chain's events say and ask it
//! for [`Proposal`]s, or [`explain`](OrderBook::explain) why a job offer has none.
//!
//! # Guarantees
//!
//! - Every proposal passes [`modicum_primitives::feasibility`] at the time given; no offer is used twice.
//! - There are as many proposals as can be made at all.
//! - Up to [`MOST_PAIRS_FOR_LOWEST_PRICE`] pairs of offers, no set of as many matches has a lower sum of v + a_M + a_D.
//!   Amounts above 2^73 base units count as 2^73 in this. In larger books the price is low, but not the lowest, and
//!   there is no bound on how far it is from it: [`OrderBook::is_cheapest`] says which it was.
//! - A book solved for the first time gives the same proposals in whatever order it was filled. After changes the
//!   number of matches, and up to that size the price, is that of a fresh start; among equals, others may be chosen.
//!
//! # How
//!
//! 1. *Candidates.* Resource offers are bits; sorted thresholds and sets of bits for each property are ANDed to the
//!    candidates of a job, in time in proportion to the resource offers over 64. The index only narrows: each edge is
//!    confirmed by the rules before it is used. Rules 14 and 18 get easier with lower fees, so only the cheapest
//!    mediator whom both trust has to be looked at.
//! 2. *Most matches.* Greedy, then shortest augmenting paths in phases (Hopcroft and Karp) on the rows of bits.
//! 3. *Lowest price.* Dual values for all offers and a sparse graph with the few best edges of each job: shortest
//!    augmenting paths make the assignment optimal there; then every job whose dual value rose is compared with the
//!    full graph, the violated edges are added, and what they contradict is repaired, until nothing is violated. That
//!    the dual values are feasible on the full graph proves the price. See `assignment.rs`.
//! 4. *Changes.* Step 3 starts from the last dual values and checks only what they moved; larger books start step 2
//!    from the last matching. If a quarter of the offers has changed, all is computed anew.
//!
//! `examples/solver_bench.rs` measures it, and compares the number of matches with an independent implementation.

#![forbid(unsafe_code)]

mod assignment;
mod book;
mod explain;
mod index;
mod lowest;
mod market;
mod most;
mod records;
mod search;

pub use book::{BookFull, OrderBook, MAX_ENTRIES};
pub use explain::Explanation;
pub use market::MOST_PAIRS_FOR_LOWEST_PRICE;
pub use records::{JobOffer, Mediator, Proposal, Provider, ResourceOffer};
