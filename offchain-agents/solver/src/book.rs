// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The order book: plain data, kept in step with the chain change by change.

use crate::{
	market::Market,
	records::{JobOffer, Mediator, Proposal, Provider, ResourceOffer},
};
use modicum_primitives::{
	feasibility, Balance, JobOfferId, JobSide, MediatorSide, Moment, Parameters, ResourceOfferId,
	ResourceSide, Rule, Triple,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most entries of each kind (job offers, resource offers, accounts of a role) that a book can be made for.
pub const MAX_ENTRIES: usize = 1 << 20;

/// The book has as many entries of this kind as it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the order book is full: it was made for {0} entries of each kind")]
pub struct BookFull(pub usize);

/// All open offers and what the chain knows about their owners, mediators and directories.
///
/// Feed it every change in the chain's order, then [`solve`](Self::solve). See the crate's documentation for what
/// is computed and how.
#[derive(Clone, Debug)]
pub struct OrderBook<AccountId> {
	records: Records<AccountId>,
	capacity: usize,
	changes: Changes,
	market: Option<Market<AccountId>>,
}

/// The records themselves.
#[derive(Clone, Debug)]
pub(crate) struct Records<AccountId> {
	pub parameters: Parameters,
	pub jobs: BTreeMap<JobOfferId, JobOffer<AccountId>>,
	pub resources: BTreeMap<ResourceOfferId, ResourceOffer<AccountId>>,
	/// The trusted mediators of each creator.
	pub creators: BTreeMap<AccountId, Vec<AccountId>>,
	pub providers: BTreeMap<AccountId, Provider<AccountId>>,
	pub mediators: BTreeMap<AccountId, Mediator<AccountId>>,
	/// a_D of each directory.
	pub directories: BTreeMap<AccountId, Balance>,
}

impl<AccountId: Ord> Records<AccountId> {
	/// All rules that a triple breaks; `None` if its provider is not registered.
	pub fn broken_rules(
		&self,
		job: &JobOffer<AccountId>,
		resource: &ResourceOffer<AccountId>,
		mediator: &AccountId,
		now: Moment,
	) -> Option<Vec<Rule>> {
		let provider = self.providers.get(&resource.provider)?;
		let triple = Triple {
			job: JobSide {
				creator: &job.creator,
				terms: &job.terms,
				open: true,
				held: job.held,
				trusted_mediators: self.creators.get(&job.creator).map_or(&[], Vec::as_slice),
			},
			resource: ResourceSide {
				provider: &resource.provider,
				terms: &resource.terms,
				open: true,
				held: resource.held,
				architecture: provider.architecture,
				time_per_billion_instructions: provider.time_per_billion_instructions,
				trusted_mediators: &provider.trusted_mediators,
				trusted_directories: &provider.trusted_directories,
				base_layers: &provider.base_layers,
			},
			mediator: MediatorSide {
				mediator,
				profile: self.mediators.get(mediator).map(Mediator::profile),
			},
			directory_fee: self.directories.get(&job.terms.directory).copied(),
		};
		Some(feasibility(&triple, &self.parameters, now))
	}
}

/// What has changed since the last solution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
	pub jobs: BTreeSet<JobOfferId>,
	pub resources: BTreeSet<ResourceOfferId>,
	/// The parameters: every offer.
	pub all: bool,
}

impl<AccountId: Ord + Clone> OrderBook<AccountId> {
	/// An empty book for at most `capacity` entries of each kind, itself at most [`MAX_ENTRIES`].
	///
	/// Memory grows with what is in the book, about 2 kB for a pair of offers.
	pub fn new(parameters: Parameters, capacity: usize) -> Self {
		Self {
			records: Records {
				parameters,
				jobs: BTreeMap::new(),
				resources: BTreeMap::new(),
				creators: BTreeMap::new(),
				providers: BTreeMap::new(),
				mediators: BTreeMap::new(),
				directories: BTreeMap::new(),
			},
			capacity: capacity.min(MAX_ENTRIES),
			changes: Changes::default(),
			market: None,
		}
	}

	/// The parameters in force have changed.
	pub fn set_parameters(&mut self, parameters: Parameters) {
		self.records.parameters = parameters;
		self.changes.all = true;
	}

	/// A job offer was posted, or what is known of it has changed.
	///
	/// # Errors
	/// [`BookFull`]; the book is as before.
	pub fn insert_job_offer(
		&mut self,
		id: JobOfferId,
		offer: JobOffer<AccountId>,
	) -> Result<(), BookFull> {
		put(&mut self.records.jobs, self.capacity, id, offer)?;
		self.changes.jobs.insert(id);
		Ok(())
	}

	/// A job offer is matched, cancelled or expired. Returns it if it was in the book.
	pub fn remove_job_offer(&mut self, id: JobOfferId) -> Option<JobOffer<AccountId>> {
		let offer = self.records.jobs.remove(&id)?;
		self.changes.jobs.insert(id);
		Some(offer)
	}

	/// A resource offer was posted, or what is known of it has changed.
	///
	/// # Errors
	/// [`BookFull`]; the book is as before.
	pub fn insert_resource_offer(
		&mut self,
		id: ResourceOfferId,
		offer: ResourceOffer<AccountId>,
	) -> Result<(), BookFull> {
		put(&mut self.records.resources, self.capacity, id, offer)?;
		self.changes.resources.insert(id);
		Ok(())
	}

	/// A resource offer is matched, cancelled or expired. Returns it if it was in the book.
	pub fn remove_resource_offer(
		&mut self,
		id: ResourceOfferId,
	) -> Option<ResourceOffer<AccountId>> {
		let offer = self.records.resources.remove(&id)?;
		self.changes.resources.insert(id);
		Some(offer)
	}

	/// A job creator registered, or its list of trusted mediators changed; `None`: it left.
	///
	/// # Errors
	/// [`BookFull`]; the book is as before.
	pub fn set_creator(
		&mut self,
		creator: &AccountId,
		trusted_mediators: Option<Vec<AccountId>>,
	) -> Result<(), BookFull> {
		set(&mut self.records.creators, self.capacity, creator, trusted_mediators)?;
		self.touch_jobs(|job| job.creator == *creator);
		Ok(())
	}

	/// A resource provider registered, or one of its lists changed; `None`: it left.
	///
	/// # Errors
	/// [`BookFull`]; the book is as before.
	pub fn set_provider(
		&mut self,
		provider: &AccountId,
		record: Option<Provider<AccountId>>,
	) -> Result<(), BookFull> {
		set(&mut self.records.providers, self.capacity, provider, record)?;
		let theirs = self.records.resources.iter().filter(|(_, offer)| offer.provider == *provider);
		self.changes.resources.extend(theirs.map(|(id, _)| *id));
		Ok(())
	}

	/// A mediator registered, or one of its lists changed; `None`: it left.
	///
	/// # Errors
	/// [`BookFull`]; the book is as before.
	pub fn set_mediator(
		&mut self,
		mediator: &AccountId,
		record: Option<Mediator<AccountId>>,
	) -> Result<(), BookFull> {
		set(&mut self.records.mediators, self.capacity, mediator, record)?;
		let creators = &self.records.creators;
		let trusting: BTreeSet<AccountId> = creators
			.iter()
			.filter(|(_, trusted)| trusted.contains(mediator))
			.map(|(creator, _)| creator.clone())
			.collect();
		self.touch_jobs(|job| trusting.contains(&job.creator));
		Ok(())
	}

	/// A directory registered with this availability fee (base units); `None`: it left.
	///
	/// # Errors
	/// [`BookFull`]; the book is as before.
	pub fn set_directory(
		&mut self,
		directory: &AccountId,
		availability_fee: Option<Balance>,
	) -> Result<(), BookFull> {
		set(&mut self.records.directories, self.capacity, directory, availability_fee)?;
		self.touch_jobs(|job| job.terms.directory == *directory);
		Ok(())
	}

	fn touch_jobs(&mut self, affected: impl Fn(&JobOffer<AccountId>) -> bool) {
		let jobs = self.records.jobs.iter().filter(|(_, job)| affected(job));
		self.changes.jobs.extend(jobs.map(|(id, _)| *id));
	}

	/// The job offers in the book.
	pub fn job_offers(&self) -> &BTreeMap<JobOfferId, JobOffer<AccountId>> {
		&self.records.jobs
	}

	/// The resource offers in the book.
	pub fn resource_offers(&self) -> &BTreeMap<ResourceOfferId, ResourceOffer<AccountId>> {
		&self.records.resources
	}

	/// What is known of a provider.
	pub fn provider(&self, provider: &AccountId) -> Option<&Provider<AccountId>> {
		self.records.providers.get(provider)
	}

	/// What is known of a mediator.
	pub fn mediator(&self, mediator: &AccountId) -> Option<&Mediator<AccountId>> {
		self.records.mediators.get(mediator)
	}

	/// What a directory charges each side of a match, base units; `None` if it is not registered.
	pub fn directory_fee(&self, directory: &AccountId) -> Option<Balance> {
		self.records.directories.get(directory).copied()
	}

	/// Whom a creator trusts to mediate.
	pub fn creator(&self, creator: &AccountId) -> Option<&[AccountId]> {
		self.records.creators.get(creator).map(Vec::as_slice)
	}

	/// As many matches as can be made at `now` (milliseconds), at the lowest total price, in the order of the job
	/// offers' ids. Starts from the last solution and repairs it where the book has changed.
	pub fn solve(&mut self, now: Moment) -> Vec<Proposal<AccountId>> {
		let mut changes = std::mem::take(&mut self.changes);
		let known = self.market.take().filter(|market| {
			let offers = self.records.jobs.len() + self.records.resources.len();
			let changed = changes.jobs.len() + changes.resources.len();
			!changes.all && market.can_go_on(&self.records, now) && changed <= offers / 4
		});
		let mut market = known.unwrap_or_else(|| {
			changes.jobs = self.records.jobs.keys().copied().collect();
			changes.resources = self.records.resources.keys().copied().collect();
			Market::default()
		});
		market.update(&self.records, &changes, now);
		let proposals = market.proposals(&self.records);
		self.market = Some(market);
		proposals
	}

	/// The first `most` matches of [`solve`](Self::solve): those of the oldest job offers. For transactions that
	/// carry a limited number.
	pub fn solve_limited(&mut self, now: Moment, most: usize) -> Vec<Proposal<AccountId>> {
		let mut proposals = self.solve(now);
		proposals.truncate(most);
		proposals
	}

	/// Whether the last solution is known to have the lowest total price of all with as many matches: true up to
	/// [`MOST_PAIRS_FOR_LOWEST_PRICE`](crate::MOST_PAIRS_FOR_LOWEST_PRICE). False if there is none.
	pub fn is_cheapest(&self) -> bool {
		self.market.as_ref().is_some_and(Market::is_cheapest)
	}

	/// Forgets the last solution, so that the next one is computed from the records alone and depends on nothing
	/// else.
	pub fn forget_solution(&mut self) {
		self.market = None;
	}

	/// All rules that a triple breaks at `now`; `None` if an offer is not in the book or its provider is not
	/// registered.
	pub fn broken_rules(
		&self,
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
		mediator: &AccountId,
		now: Moment,
	) -> Option<Vec<Rule>> {
		let job = self.records.jobs.get(&job_offer)?;
		let resource = self.records.resources.get(&resource_offer)?;
		self.records.broken_rules(job, resource, mediator, now)
	}
}

fn put<K: Ord, V>(
	map: &mut BTreeMap<K, V>,
	capacity: usize,
	key: K,
	value: V,
) -> Result<(), BookFull> {
	if map.len() >= capacity && !map.contains_key(&key) {
		return Err(BookFull(capacity));
	}
	map.insert(key, value);
	Ok(())
}

fn set<K: Ord + Clone, V>(
	map: &mut BTreeMap<K, V>,
	capacity: usize,
	key: &K,
	value: Option<V>,
) -> Result<(), BookFull> {
	match value {
		Some(value) => put(map, capacity, key.clone(), value),
		None => {
			map.remove(key);
			Ok(())
		},
	}
}
