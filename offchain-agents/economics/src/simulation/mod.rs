// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Seeded simulations of the market: which strategies gain and which lose when many agents trade
//! under the chain's rules, and where agents that learn end up.
//!
//! [`simulate`] plays a mixed population; [`fictitious_play`] and [`replicate`] let a population
//! adapt.

mod adaptive;
mod blueprint;
mod market;
mod population;
mod summary;
mod world;

pub use adaptive::{
	fictitious_play, market_equilibrium, replicate, AdaptiveConfig, MarketEquilibrium, Round,
	Trajectory,
};
pub use market::{Flows, Market};
pub use population::{CreatorStrategy, Group, Population, ProviderStrategy};
pub use summary::{Role, SimulationReport, StrategyReport};
pub use world::{simulate, SimulationConfig, MAX_JOBS};
