// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the order book is made of: the chain's records, without what matching does not look at.

use modicum_primitives::{
	Architecture, Balance, BaseLayer, JobOfferId, JobTerms, MediatorProfile, Moment,
	ResourceOfferId, ResourceTerms,
};

/// A job offer that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobOffer<AccountId> {
	/// Who posted it.
	pub creator: AccountId,
	/// What is asked for.
	pub terms: JobTerms<AccountId>,
	/// All that is on hold for it, an extra deposit included, in base units.
	pub held: Balance,
}

/// A resource offer that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceOffer<AccountId> {
	/// Who posted it.
	pub provider: AccountId,
	/// What is offered.
	pub terms: ResourceTerms,
	/// All that is on hold for it, an extra deposit included, in base units.
	pub held: Balance,
}

/// A registered resource provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider<AccountId> {
	/// Its machine.
	pub architecture: Architecture,
	/// Milliseconds that the machine takes for 10^9 instructions.
	pub time_per_billion_instructions: Moment,
	/// Whom it accepts as mediators.
	pub trusted_mediators: Vec<AccountId>,
	/// Whom it accepts as directories.
	pub trusted_directories: Vec<AccountId>,
	/// What it has preinstalled.
	pub base_layers: Vec<BaseLayer>,
}

/// A registered mediator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mediator<AccountId> {
	/// Its machine.
	pub architecture: Architecture,
	/// a_M, in base units.
	pub availability_fee: Balance,
	/// Whom it accepts as directories.
	pub trusted_directories: Vec<AccountId>,
	/// What it has preinstalled.
	pub base_layers: Vec<BaseLayer>,
}

impl<AccountId> Mediator<AccountId> {
	pub(crate) fn profile(&self) -> MediatorProfile<'_, AccountId> {
		MediatorProfile {
			architecture: self.architecture,
			availability_fee: self.availability_fee,
			trusted_directories: &self.trusted_directories,
			base_layers: &self.base_layers,
		}
	}
}

/// A match that the chain would accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal<AccountId> {
	/// The job offer.
	pub job_offer: JobOfferId,
	/// The resource offer.
	pub resource_offer: ResourceOfferId,
	/// The cheapest mediator with whom the two can be matched; of several, the lowest account.
	pub mediator: AccountId,
	/// v: the most that the match can be billed, in base units.
	pub value: Balance,
	/// a_M + a_D, in base units.
	pub fees: Balance,
}

impl<AccountId> Proposal<AccountId> {
	/// v + a_M + a_D, which the solver minimises the sum of, in base units; saturating.
	pub fn price(&self) -> Balance {
		self.value.saturating_add(self.fees)
	}
}
