// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What all worlds of a simulation have in common: who is there and who belongs to whom.

use super::population::{CreatorStrategy, ProviderStrategy, MAX_AGENTS};
use super::world::SimulationConfig;
use crate::error::EconomicsError;

/// Most trusted-list entries kept in one world, to bound its memory.
const MAX_TRUST_ENTRIES: usize = 200_000_000;

/// What all worlds have in common.
pub(super) struct Blueprint {
	/// Strategy index of each creator.
	pub(super) creators: Vec<usize>,
	/// The same of each provider.
	pub(super) providers: Vec<usize>,
	/// Every mediator, rigged and bought ones included.
	pub(super) mediators: Vec<MediatorKind>,
	/// How many directories there are.
	pub(super) directories: usize,
	/// Mediator or directory of a colluding agent, by agent (creators first).
	pub(super) partners: Vec<Option<usize>>,
	/// Mediators open to everybody come first.
	pub(super) public_mediators: usize,
	/// Directories open to everybody come first.
	pub(super) public_directories: usize,
}

/// How a mediator works.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum MediatorKind {
	Honest,
	Silent,
	/// Works with the directory of this number.
	Rigged(usize),
	/// Belongs to one agent and rules as that agent wishes.
	Bought,
}

impl Blueprint {
	/// # Errors
	/// [`EconomicsError::BadPopulation`] if the trusted lists would not fit into memory.
	pub(super) fn new(config: &SimulationConfig) -> Result<Self, EconomicsError> {
		let population = &config.population;
		let spread = |sizes: Vec<usize>| -> Vec<usize> {
			let groups = sizes.into_iter().enumerate();
			groups.flat_map(|(index, agents)| std::iter::repeat_n(index, agents)).collect()
		};
		let creators = spread(population.creators.iter().map(|group| group.agents).collect());
		let providers = spread(population.providers.iter().map(|group| group.agents).collect());
		let public_directories = population.directories + population.rigged_pairs;
		let mut mediators = vec![MediatorKind::Honest; population.mediators];
		mediators.extend(std::iter::repeat_n(MediatorKind::Silent, population.silent_mediators));
		mediators.extend((population.directories..public_directories).map(MediatorKind::Rigged));
		let public_mediators = mediators.len();
		let mut directories = public_directories;
		let mut partner = |with_mediator: bool, with_directory: bool| {
			if with_mediator {
				mediators.push(MediatorKind::Bought);
				Some(mediators.len() - 1)
			} else if with_directory {
				directories += 1;
				Some(directories - 1)
			} else {
				None
			}
		};
		let mut partners = Vec::with_capacity(creators.len() + providers.len());
		for index in &creators {
			let strategy = population.creators[*index].strategy;
			partners.push(partner(
				strategy == CreatorStrategy::ColludesWithMediator,
				strategy == CreatorStrategy::ColludesWithDirectory,
			));
		}
		for index in &providers {
			let strategy = population.providers[*index].strategy;
			partners.push(partner(
				strategy == ProviderStrategy::ColludesWithMediator,
				strategy == ProviderStrategy::ColludesWithDirectory,
			));
		}
		let agents = creators.len() + providers.len();
		let entries = agents.saturating_mul(mediators.len() + directories);
		if agents > 2 * MAX_AGENTS || entries > MAX_TRUST_ENTRIES {
			return Err(EconomicsError::BadPopulation {
				reason: "the trusted lists of so many agents do not fit: take fewer".into(),
			});
		}
		Ok(Self {
			creators,
			providers,
			mediators,
			directories,
			partners,
			public_mediators,
			public_directories,
		})
	}
}
