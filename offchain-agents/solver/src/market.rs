// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The book's offers as slots of an [`Assignment`], solved and kept solved.

use crate::{
	assignment::{Assignment, Place, MOST_PRICE},
	book::{Changes, Records},
	index::{most_by_hold, Column, Index},
	records::{JobOffer, Proposal},
};
use modicum_primitives::{
	match_value, Balance, JobOfferId, Moment, Prices, ResourceOfferId, Resources, BILLION,
};
use std::collections::BTreeMap;

/// The highest availability fees that are told from higher ones, in base units.
pub(crate) const MOST_FEES: Balance = MOST_PRICE / 2;
/// The highest product of limits and prices that is told from higher ones.
pub(crate) const MOST_PRODUCT: u128 = MOST_PRICE / 2 * BILLION;

/// Most pairs of a job offer and a resource offer in a book that is solved for the lowest price.
pub const MOST_PAIRS_FOR_LOWEST_PRICE: usize = 1 << 20;

fn is_large<AccountId>(records: &Records<AccountId>) -> bool {
	records.jobs.len() * records.resources.len() > MOST_PAIRS_FOR_LOWEST_PRICE
}

/// A job offer in its slot.
#[derive(Clone, Debug)]
pub(crate) struct JobSlot<AccountId> {
	pub id: JobOfferId,
	pub limits: Resources,
	/// Who may mediate, as far as creator, directory, base layer and architecture are concerned, and a_M + a_D: in
	/// ascending order of the fees, then the account.
	pub mediators: Vec<(Balance, AccountId)>,
	/// The most that limits · prices may be, as far as the creator's hold allows.
	pub most: u128,
	/// What the job costs at average prices.
	size: f64,
}

/// What of the book is solved.
#[derive(Clone, Debug)]
pub(crate) struct Market<AccountId> {
	pub jobs: Vec<Option<JobSlot<AccountId>>>,
	pub resources: Vec<Option<ResourceOfferId>>,
	pub job_slots: BTreeMap<JobOfferId, u32>,
	resource_slots: BTreeMap<ResourceOfferId, u32>,
	free_job_slots: Vec<u32>,
	free_resource_slots: Vec<u32>,
	index: Option<Index<AccountId>>,
	average: Prices,
	pub assignment: Assignment,
	/// Of a book that is too large for the lowest price, the resource of each job.
	rough: Option<Vec<Option<u32>>>,
	solved_at: Moment,
}

impl<AccountId> Default for Market<AccountId> {
	fn default() -> Self {
		Self {
			jobs: Vec::new(),
			resources: Vec::new(),
			job_slots: BTreeMap::new(),
			resource_slots: BTreeMap::new(),
			free_job_slots: Vec::new(),
			free_resource_slots: Vec::new(),
			index: None,
			average: Prices::default(),
			assignment: Assignment::default(),
			rough: None,
			solved_at: 0,
		}
	}
}

fn product(amount: u64, price: Balance) -> u128 {
	match u64::try_from(price) {
		Ok(price) => u128::from(amount) * u128::from(price),
		Err(_) => u128::from(amount).saturating_mul(price),
	}
}

/// Instructions · price + bytes · price, saturating.
pub(crate) fn cost_product(limits: &Resources, column: &Column) -> u128 {
	product(limits.instructions, column.instruction)
		.saturating_add(product(limits.bandwidth, column.bandwidth))
}

/// What the assignment minimises the sum of: v + a_M + a_D, each up to its highest price.
pub(crate) fn edge_price(product: u128, fees: Balance) -> i128 {
	(product.min(MOST_PRODUCT).div_ceil(BILLION) + fees.min(MOST_FEES)) as i128
}

impl<AccountId: Ord + Clone> Market<AccountId> {
	/// Whether this solution is a place to start from: offers expire, but never come back, as time goes on; and
	/// slots that are no longer used are worth keeping only while they are few.
	pub fn can_go_on(&self, records: &Records<AccountId>, now: Moment) -> bool {
		now >= self.solved_at
			&& self.rough.is_some() == is_large(records)
			&& self.jobs.len() <= 2 * records.jobs.len() + 64
			&& self.resources.len() <= 2 * records.resources.len() + 64
	}

	/// Whether the last solution has the lowest price.
	pub fn is_cheapest(&self) -> bool {
		self.rough.is_none()
	}

	/// Takes the changes in and solves what is then in the book.
	pub fn update(&mut self, records: &Records<AccountId>, changes: &Changes, now: Moment) {
		let fresh = self.index.is_none();
		self.solved_at = now;
		let mut homeless = self.remove(changes);
		let new_resources = self.insert_resources(records, changes);
		if fresh || !changes.resources.is_empty() {
			self.index = Some(Index::new(records, &self.resources));
		}
		if fresh {
			self.average = average_prices(records);
		}
		let new_jobs = self.insert_jobs(records, changes);

		let Some(index) = self.index.take() else { return };
		if is_large(records) {
			let mut place = self.rough.take().unwrap_or_default();
			let solver = Solver { market: self, records, index: &index, now };
			solver.match_roughly(&mut place, fresh);
			self.rough = Some(place);
			self.index = Some(index);
			return;
		}
		let mut solver = Solver { market: self, records, index: &index, now };
		homeless.extend(solver.break_infeasible());
		if !fresh {
			for resource in new_resources {
				homeless.extend(solver.lower_resource(resource));
			}
		}
		solver.place_new(new_jobs, fresh);
		homeless.retain(|job| solver.market.jobs[*job as usize].is_some());
		solver.place_all(homeless);
		solver.settle();
		solver.optimise(fresh);
		self.index = Some(index);
	}

	/// Takes out what is gone or changed. Returns jobs that lost their resource.
	fn remove(&mut self, changes: &Changes) -> Vec<u32> {
		for id in &changes.jobs {
			if let Some(slot) = self.job_slots.remove(id) {
				self.assignment.remove_job(slot);
				if let Some(place) = &mut self.rough {
					place[slot as usize] = None;
				}
				self.jobs[slot as usize] = None;
				self.free_job_slots.push(slot);
			}
		}
		let mut homeless = Vec::new();
		for id in &changes.resources {
			if let Some(slot) = self.resource_slots.remove(id) {
				homeless.extend(self.assignment.remove_resource(slot));
				let places = self.rough.iter_mut().flatten();
				places.filter(|place| **place == Some(slot)).for_each(|place| *place = None);
				self.resources[slot as usize] = None;
				self.free_resource_slots.push(slot);
			}
		}
		homeless
	}

	fn insert_resources(&mut self, records: &Records<AccountId>, changes: &Changes) -> Vec<u32> {
		let mut inserted = Vec::new();
		for id in changes.resources.iter().filter(|id| records.resources.contains_key(id)) {
			let slot = self.free_resource_slots.pop().unwrap_or_else(|| {
				self.resources.push(None);
				self.resources.len() as u32 - 1
			});
			self.resources[slot as usize] = Some(*id);
			self.resource_slots.insert(*id, slot);
			inserted.push(slot);
		}
		self.assignment.grow_resources(self.resources.len());
		inserted
	}

	fn insert_jobs(&mut self, records: &Records<AccountId>, changes: &Changes) -> Vec<u32> {
		let mut inserted = Vec::new();
		for id in &changes.jobs {
			let Some(offer) = records.jobs.get(id) else { continue };
			let (limits, terms) = (offer.terms.limits, &offer.terms);
			let prices = Column {
				instruction: self.average.instruction,
				bandwidth: self.average.bandwidth,
				..Column::default()
			};
			let slot = self.free_job_slots.pop().unwrap_or_else(|| {
				self.jobs.push(None);
				self.jobs.len() as u32 - 1
			});
			self.jobs[slot as usize] = Some(JobSlot {
				id: *id,
				limits,
				mediators: eligible_mediators(records, offer),
				most: most_by_hold(offer.held, terms.match_incentive, &records.parameters),
				size: cost_product(&limits, &prices) as f64,
			});
			self.job_slots.insert(*id, slot);
			inserted.push(slot);
		}
		self.assignment.grow_jobs(self.jobs.len());
		inserted
	}

	fn resource_of(&self, job: u32) -> Option<u32> {
		match (&self.rough, self.assignment.place_of(job)) {
			(Some(places), _) => places[job as usize],
			(None, Place::At(resource)) => Some(resource),
			_ => None,
		}
	}

	/// The matches of the assignment, in the order of the job offers.
	pub fn proposals(&self, records: &Records<AccountId>) -> Vec<Proposal<AccountId>> {
		let Some(index) = &self.index else { return Vec::new() };
		let mut proposals = Vec::new();
		for (id, slot) in &self.job_slots {
			let Some(resource) = self.resource_of(*slot) else { continue };
			let Some(job) = &self.jobs[*slot as usize] else { continue };
			let Some(resource_offer) = self.resources[resource as usize] else { continue };
			let Some((fees, mediator)) = job.mediator(index, resource) else { continue };
			let offer = records.resources.get(&resource_offer);
			let value = offer.and_then(|offer| match_value(&job.limits, offer.terms.prices).ok());
			let Some(value) = value else { continue };
			let mediator = mediator.clone();
			proposals.push(Proposal { job_offer: *id, resource_offer, mediator, value, fees });
		}
		proposals
	}
}

impl<AccountId: Ord + Clone> JobSlot<AccountId> {
	/// The cheapest mediator that also the provider in `slot` trusts. If the fees or deposits do not allow it, they
	/// allow no other.
	pub fn mediator(&self, index: &Index<AccountId>, slot: u32) -> Option<(Balance, &AccountId)> {
		let (fees, mediator) = self.mediators.iter().find(|(_, who)| index.trusts(slot, who))?;
		Some((*fees, mediator))
	}
}

fn average_prices<AccountId>(records: &Records<AccountId>) -> Prices {
	let count = (records.resources.len() as u128).max(1);
	let mut sum = Prices::default();
	for offer in records.resources.values() {
		sum.instruction = sum.instruction.saturating_add(offer.terms.prices.instruction);
		sum.bandwidth = sum.bandwidth.saturating_add(offer.terms.prices.bandwidth);
	}
	Prices { instruction: sum.instruction / count, bandwidth: sum.bandwidth / count }
}

fn eligible_mediators<AccountId: Ord + Clone>(
	records: &Records<AccountId>,
	offer: &JobOffer<AccountId>,
) -> Vec<(Balance, AccountId)> {
	let terms = &offer.terms;
	let Some(directory_fee) = records.directories.get(&terms.directory) else { return Vec::new() };
	let trusted = records.creators.get(&offer.creator).map_or(&[][..], Vec::as_slice);
	let mut eligible = Vec::new();
	for who in trusted.iter().filter(|who| **who != offer.creator) {
		let Some(mediator) = records.mediators.get(who) else { continue };
		let suits = mediator.architecture == terms.architecture
			&& mediator.trusted_directories.contains(&terms.directory)
			&& mediator.base_layers.contains(&terms.base_layer);
		let fees = mediator.availability_fee.checked_add(*directory_fee);
		let fees = fees.filter(|fees| suits && *fees <= terms.max_availability_fee);
		eligible.extend(fees.map(|fees| (fees, who.clone())));
	}
	eligible.sort_unstable();
	eligible.dedup();
	eligible
}

/// A market while it is being solved.
pub(crate) struct Solver<'a, AccountId> {
	pub market: &'a mut Market<AccountId>,
	pub records: &'a Records<AccountId>,
	pub index: &'a Index<AccountId>,
	pub now: Moment,
}

impl<AccountId: Ord + Clone> Solver<'_, AccountId> {
	pub(crate) fn sort_by_size(&self, jobs: &mut [u32]) {
		let slots = &self.market.jobs;
		let key = |job: &u32| slots[*job as usize].as_ref().map(|slot| (slot.size, slot.id));
		jobs.sort_by(|a, b| {
			let ((a, a_id), (b, b_id)) = (key(a).unwrap_or_default(), key(b).unwrap_or_default());
			a.total_cmp(&b).then(a_id.cmp(&b_id))
		});
	}

	pub(crate) fn feasible(&self, job: u32, resource: u32) -> bool {
		let Market { jobs, resources, .. } = &*self.market;
		feasible(jobs, resources, self.records, self.index, self.now, job, resource)
	}
}

pub(crate) fn feasible<AccountId: Ord + Clone>(
	jobs: &[Option<JobSlot<AccountId>>],
	resources: &[Option<ResourceOfferId>],
	records: &Records<AccountId>,
	index: &Index<AccountId>,
	now: Moment,
	job: u32,
	resource: u32,
) -> bool {
	let Some(slot) = &jobs[job as usize] else { return false };
	let Some((_, mediator)) = slot.mediator(index, resource) else { return false };
	let job = records.jobs.get(&slot.id);
	let resource = resources[resource as usize].and_then(|id| records.resources.get(&id));
	let (Some(job), Some(resource)) = (job, resource) else { return false };
	records.broken_rules(job, resource, mediator, now).is_some_and(|rules| rules.is_empty())
}
