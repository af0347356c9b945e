// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The book's offers as slots of an [`Assignment`], solved and kept solved.

use crate::{
	assignment::{Assignment, Place, LEFT_OUT, MOST_PRICE},
	book::{Changes, Records},
	index::{clear, most_by_hold, set, Bits, Column, Index},
	records::{JobOffer, Proposal},
};
use modicum_primitives::{
	match_value, Balance, JobOfferId, Moment, Prices, ResourceOfferId, Resources, BILLION,
};
use std::collections::BTreeMap;

/// Edges that a job or a resource gets at a time.
const EDGES_AT_A_TIME: usize = 16;
/// One resource in so many, at most, is checked for itself before all jobs are checked.
const COLUMNS_PER_JOB: usize = 32;
/// The highest availability fees that are told from higher ones, in base units.
const MOST_FEES: Balance = MOST_PRICE / 2;
/// The highest product of limits and prices that is told from higher ones.
const MOST_PRODUCT: u128 = MOST_PRICE / 2 * BILLION;
const SCALE: i128 = BILLION as i128;

/// Most pairs of a job offer and a resource offer in a book that is solved for the lowest price.
pub const MOST_PAIRS_FOR_LOWEST_PRICE: usize = 1 << 20;

fn is_large<AccountId>(records: &Records<AccountId>) -> bool {
	records.jobs.len() * records.resources.len() > MOST_PAIRS_FOR_LOWEST_PRICE
}

/// A job offer in its slot.
#[derive(Clone, Debug)]
struct JobSlot<AccountId> {
	id: JobOfferId,
	limits: Resources,
	/// Who may mediate, as far as creator, directory, base layer and architecture are concerned, and a_M + a_D: in
	/// ascending order of the fees, then the account.
	mediators: Vec<(Balance, AccountId)>,
	/// The most that limits · prices may be, as far as the creator's hold allows.
	most: u128,
	/// What the job costs at average prices.
	size: f64,
}

/// What of the book is solved.
#[derive(Clone, Debug)]
pub(crate) struct Market<AccountId> {
	jobs: Vec<Option<JobSlot<AccountId>>>,
	resources: Vec<Option<ResourceOfferId>>,
	job_slots: BTreeMap<JobOfferId, u32>,
	resource_slots: BTreeMap<ResourceOfferId, u32>,
	free_job_slots: Vec<u32>,
	free_resource_slots: Vec<u32>,
	index: Option<Index<AccountId>>,
	average: Prices,
	assignment: Assignment,
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

/// An edge found in the full graph: the price less w, times 10^9 and rounded up to its multiple when used.
#[derive(Clone, Copy, Debug)]
struct Found {
	key: i128,
	slot: u32,
	fees: Balance,
}

/// Rows of bits that a search in the full graph works on.
struct Scratch {
	row: Bits,
	part: Bits,
	other: Bits,
	spare: Bits,
	found: Vec<Found>,
}

impl Scratch {
	fn new(words: usize) -> Self {
		let row = vec![0; words];
		Self { part: row.clone(), other: row.clone(), spare: row.clone(), row, found: Vec::new() }
	}
}

fn product(amount: u64, price: Balance) -> u128 {
	match u64::try_from(price) {
		Ok(price) => u128::from(amount) * u128::from(price),
		Err(_) => u128::from(amount).saturating_mul(price),
	}
}

/// Instructions · price + bytes · price, saturating.
fn cost_product(limits: &Resources, column: &Column) -> u128 {
	product(limits.instructions, column.instruction)
		.saturating_add(product(limits.bandwidth, column.bandwidth))
}

/// What the assignment minimises the sum of: v + a_M + a_D, each up to its highest price.
fn edge_price(product: u128, fees: Balance) -> i128 {
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
	fn mediator(&self, index: &Index<AccountId>, slot: u32) -> Option<(Balance, &AccountId)> {
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
struct Solver<'a, AccountId> {
	market: &'a mut Market<AccountId>,
	records: &'a Records<AccountId>,
	index: &'a Index<AccountId>,
	now: Moment,
}

impl<AccountId: Ord + Clone> Solver<'_, AccountId> {
	/// Places jobs, the largest first: those find the cheapest resources free, and later ones move few of them.
	fn place_all(&mut self, mut jobs: Vec<u32>) {
		self.sort_by_size(&mut jobs);
		for job in jobs.into_iter().rev() {
			self.place(job);
		}
	}

	fn sort_by_size(&self, jobs: &mut [u32]) {
		let slots = &self.market.jobs;
		let key = |job: &u32| slots[*job as usize].as_ref().map(|slot| (slot.size, slot.id));
		jobs.sort_by(|a, b| {
			let ((a, a_id), (b, b_id)) = (key(a).unwrap_or_default(), key(b).unwrap_or_default());
			a.total_cmp(&b).then(a_id.cmp(&b_id))
		});
	}

	/// Places new jobs. Of a whole new book, first those that some matching of the most jobs has a place for; the
	/// edges of that matching make sure that the sparse graph has one as large.
	fn place_new(&mut self, mut jobs: Vec<u32>, fresh: bool) {
		self.sort_by_size(&mut jobs);
		let mut scratch = Scratch::new(self.index.words());
		let mut most = vec![None; self.market.jobs.len()];
		if fresh {
			self.match_most(&jobs, &mut most, false, &mut scratch);
		}
		let place = |job: &u32| most[*job as usize];
		let (mut first, mut last): (Vec<u32>, Vec<u32>) =
			jobs.into_iter().partition(|job| !fresh || place(job).is_some());
		first.reverse();
		first.append(&mut last);
		for job in first {
			self.find(job, LEFT_OUT, &mut scratch);
			if let Some(slot) = place(&job) {
				let record = self.market.jobs[job as usize].as_ref();
				let fees = record.and_then(|job| job.mediator(self.index, slot));
				scratch.found.extend(fees.map(|(fees, _)| Found { key: 0, slot, fees }));
			}
			let u = self.connect(job, &scratch.found).min(LEFT_OUT);
			self.market.assignment.lower_job(job, u);
			self.place(job);
		}
	}

	/// Completes `place` (by job slot) to a matching of the most jobs: each job without a resource takes, in the order
	/// given, one that is left, the cheapest or the least capable; then augmenting paths are searched breadth first,
	/// in phases that visit each resource at most once, until a phase finds none.
	fn match_most(
		&self,
		jobs: &[u32],
		place: &mut [Option<u32>],
		cheapest: bool,
		scratch: &mut Scratch,
	) {
		let mut owner = vec![u32::MAX; self.market.resources.len()];
		let mut taken = vec![0; self.index.words()];
		for job in jobs {
			if let Some(slot) = place[*job as usize] {
				owner[slot as usize] = *job;
				set(&mut taken, slot);
			}
		}
		for job in jobs {
			if place[*job as usize].is_some() {
				continue;
			}
			self.row(*job, scratch);
			scratch.row.iter_mut().zip(&taken).for_each(|(row, taken)| *row &= !taken);
			while let Some(slot) = self.choose(*job, cheapest, scratch) {
				if self.feasible(*job, slot) {
					set(&mut taken, slot);
					owner[slot as usize] = *job;
					place[*job as usize] = Some(slot);
					break;
				}
				clear(&mut scratch.row, slot);
			}
		}
		let mut parent = vec![u32::MAX; owner.len()];
		loop {
			let mut visited = vec![0; self.index.words()];
			let mut found = false;
			for source in jobs.iter().filter(|job| self.market.jobs[**job as usize].is_some()) {
				if place[*source as usize].is_some() {
					continue;
				}
				let mut queue = std::collections::VecDeque::from([*source]);
				let mut end = None;
				'search: while let Some(job) = queue.pop_front() {
					self.row(job, scratch);
					for (at, row) in scratch.row.iter().enumerate() {
						for slot in ones(at, row & !visited[at]) {
							if !self.feasible(job, slot) {
								continue;
							}
							set(&mut visited, slot);
							parent[slot as usize] = job;
							if owner[slot as usize] == u32::MAX {
								end = Some(slot);
								break 'search;
							}
							queue.push_back(owner[slot as usize]);
						}
					}
				}
				while let Some(slot) = end {
					found = true;
					let job = parent[slot as usize];
					owner[slot as usize] = job;
					end = place[job as usize].replace(slot);
				}
			}
			if !found {
				return;
			}
		}
	}

	/// The cheapest or the least capable resource of `scratch.row`.
	fn choose(&self, job: u32, cheapest: bool, scratch: &mut Scratch) -> Option<u32> {
		if cheapest {
			let slot = self.market.jobs[job as usize].as_ref()?;
			self.find_level(slot, false, i128::MAX, scratch);
			return scratch
				.found
				.iter()
				.min_by_key(|found| (found.key, found.slot))
				.map(|f| f.slot);
		}
		let row = scratch.row.iter().enumerate();
		row.flat_map(|(at, word)| ones(at, *word))
			.min_by_key(|slot| self.index.rank[*slot as usize])
	}

	/// The matching of a book that is too large for the lowest price: the most matches, and of these cheap ones.
	/// Starts from `place`, as far as it is still feasible.
	fn match_roughly(&self, place: &mut Vec<Option<u32>>, fresh: bool) {
		let mut scratch = Scratch::new(self.index.words());
		let mut jobs: Vec<u32> = self.market.job_slots.values().copied().collect();
		self.sort_by_size(&mut jobs);
		place.resize(self.market.jobs.len(), None);
		if fresh {
			// Which jobs: preferably the small ones. Then the large ones choose first.
			self.match_most(&jobs, place, false, &mut scratch);
			jobs.retain(|job| place[*job as usize].take().is_some());
		} else {
			for job in &jobs {
				let place = &mut place[*job as usize];
				*place = place.filter(|slot| self.feasible(*job, *slot));
			}
		}
		jobs.reverse();
		self.match_most(&jobs, place, true, &mut scratch);
	}

	fn place(&mut self, job: u32) {
		let Self { market, records, index, now } = self;
		let Market { jobs, resources, assignment, .. } = &mut **market;
		assignment.place(job, &mut |job, resource| {
			feasible(jobs, resources, records, index, *now, job, resource)
		});
	}

	fn settle(&mut self) {
		let Self { market, records, index, now } = self;
		let Market { jobs, resources, assignment, .. } = &mut **market;
		assignment.settle_deserted(&mut |job, resource| {
			feasible(jobs, resources, records, index, *now, job, resource)
		});
	}

	fn feasible(&self, job: u32, resource: u32) -> bool {
		let Market { jobs, resources, .. } = &*self.market;
		feasible(jobs, resources, self.records, self.index, self.now, job, resource)
	}

	/// Ends the matches that time has made infeasible. Returns their jobs.
	fn break_infeasible(&mut self) -> Vec<u32> {
		let mut broken = Vec::new();
		for job in self.market.job_slots.values().copied().collect::<Vec<_>>() {
			if let Place::At(resource) = self.market.assignment.place_of(job) {
				if !self.feasible(job, resource) {
					self.market.assignment.break_match(job);
					broken.push(job);
				}
			}
		}
		broken
	}

	/// Adds what the full graph has against the assignment, until it has nothing.
	fn optimise(&mut self, fresh: bool) {
		let mut scratch = Scratch::new(self.index.words());
		let mut all = fresh;
		loop {
			let jobs: Vec<u32> = self.market.job_slots.values().copied().collect();
			let mut checked = false;
			let columns = self.market.assignment.take_risen_resources();
			all |= columns.len() * COLUMNS_PER_JOB > jobs.len();
			let mut homeless = Vec::new();
			for job in jobs {
				if self.market.assignment.take_risen_job(job) || all {
					checked = true;
					let u = self.market.assignment.u(job);
					self.find(job, u, &mut scratch);
					if !scratch.found.is_empty() {
						let u = self.connect(job, &scratch.found);
						self.market.assignment.lower_job(job, u);
						homeless.push(job);
					}
				}
			}
			if !all {
				checked |= !columns.is_empty();
				for resource in columns {
					homeless.extend(self.lower_resource(resource));
				}
			}
			if !checked {
				return;
			}
			all = false;
			self.place_all(homeless);
			self.settle();
		}
	}

	/// Sets in `scratch.row` the resources that suit the job and whose providers trust one of its mediators.
	fn row(&self, job: u32, scratch: &mut Scratch) {
		let Scratch { row, part, other, spare, .. } = scratch;
		row.fill(0);
		let Some(slot) = &self.market.jobs[job as usize] else { return };
		let Some(offer) = self.records.jobs.get(&slot.id) else { return };
		if slot.mediators.is_empty() {
			return;
		}
		self.index.candidates(offer, self.now, row, other);
		part.fill(0);
		for (fees, mediator) in &slot.mediators {
			self.index.trusting(mediator, other);
			self.index.paying(*fees, other, spare);
			part.iter_mut().zip(&*other).for_each(|(part, other)| *part |= other);
		}
		row.iter_mut().zip(part).for_each(|(row, part)| *row &= *part);
	}

	/// Leaves in `scratch.found` the edges of `job` in the full graph whose price less w is below `limit`: the lowest
	/// few, each confirmed. Empty only if there is none.
	fn find(&self, job: u32, limit: i128, scratch: &mut Scratch) {
		scratch.found.clear();
		let Some(slot) = &self.market.jobs[job as usize] else { return };
		self.row(job, scratch);
		// A job that can have a resource that is not scarce does not want a scarce one.
		let desperate = limit > LEFT_OUT / 2;
		for scarce in [false, true] {
			let most = match (scarce, desperate) {
				(false, false) => (limit - 1) * SCALE,
				(false, true) => i128::MAX,
				(true, false) => return,
				(true, true) => (limit - LEFT_OUT - 1) * SCALE,
			};
			loop {
				self.find_level(slot, scarce, most, scratch);
				let mut failed = false;
				let row = &mut scratch.row;
				scratch.found.retain(|found| {
					let holds = self.feasible(job, found.slot);
					if !holds {
						clear(row, found.slot);
						failed = true;
					}
					holds
				});
				if !failed {
					break;
				}
			}
			if !scratch.found.is_empty() {
				return;
			}
		}
	}

	/// The lowest keys up to `most` among the resources of one level.
	fn find_level(
		&self,
		job: &JobSlot<AccountId>,
		scarce: bool,
		most: i128,
		scratch: &mut Scratch,
	) {
		let Scratch { row, part, other, found, .. } = scratch;
		found.clear();
		let mut any = 0;
		for ((part, row), bits) in part.iter_mut().zip(&*row).zip(self.market.assignment.scarce()) {
			*part = row & if scarce { *bits } else { !bits };
			any |= *part;
		}
		if any == 0 {
			return;
		}
		let levels = self.market.assignment.levels();
		for (fees, mediator) in &job.mediators {
			self.index.trusting(mediator, other);
			let charge = (*fees).min(MOST_FEES) as i128 * SCALE;
			for (at, (part, trusting)) in part.iter_mut().zip(&*other).enumerate() {
				let here = *part & trusting;
				*part &= !trusting;
				for slot in ones(at, here) {
					let column = &self.index.columns[slot as usize];
					let product = cost_product(&job.limits, column);
					let key = product.min(MOST_PRODUCT) as i128 + charge - levels[slot as usize];
					if key <= most
						&& product <= column.most.min(job.most)
						&& *fees <= column.max_availability_fee
					{
						keep_lowest(found, Found { key, slot, fees: *fees });
					}
				}
			}
		}
	}

	/// Adds edges to the sparse graph. Returns the lowest price less w among them, `i128::MAX` if there is none.
	fn connect(&mut self, job: u32, found: &[Found]) -> i128 {
		let Some(slot) = &self.market.jobs[job as usize] else { return i128::MAX };
		let limits = slot.limits;
		let mut lowest = i128::MAX;
		for Found { slot: resource, fees, .. } in found {
			let product = cost_product(&limits, &self.index.columns[*resource as usize]);
			let price = edge_price(product, *fees);
			lowest = lowest.min(price - self.market.assignment.w(*resource));
			self.market.assignment.add_edge(job, *resource, price);
		}
		lowest
	}

	/// Lowers w of a resource so far that no job could have it for less than what it has, and adds the edges that
	/// forbid more. Returns the job that had it at the higher w.
	fn lower_resource(&mut self, resource: u32) -> Option<u32> {
		let w = self.market.assignment.w(resource);
		let column = &self.index.columns[resource as usize];
		let mut found: Vec<(Found, i128)> = Vec::new();
		for slot in self.market.job_slots.values() {
			let Some(job) = &self.market.jobs[*slot as usize] else { continue };
			let u = self.market.assignment.u(*slot);
			let product = cost_product(&job.limits, column);
			if edge_price(product, 0) - u >= w || product > column.most.min(job.most) {
				continue;
			}
			let Some((fees, _)) = job.mediator(self.index, resource) else { continue };
			let price = edge_price(product, fees);
			if price - u < w && self.feasible(*slot, resource) {
				found.push((Found { key: price - u, slot: *slot, fees }, price));
			}
		}
		found.sort_unstable_by_key(|(found, _)| (found.key, found.slot));
		found.truncate(EDGES_AT_A_TIME);
		let lowest = found.first()?.0.key;
		for (Found { slot, .. }, price) in found {
			self.market.assignment.add_edge(slot, resource, price);
		}
		self.market.assignment.lower_resource(resource, lowest)
	}
}

fn feasible<AccountId: Ord + Clone>(
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

/// The slots of the bits of one word.
fn ones(at: usize, mut word: u64) -> impl Iterator<Item = u32> {
	std::iter::from_fn(move || {
		let bit = (word != 0).then(|| word.trailing_zeros())?;
		word &= word - 1;
		Some(at as u32 * 64 + bit)
	})
}

/// Keeps the lowest [`EDGES_AT_A_TIME`], the highest of them first.
fn keep_lowest(found: &mut Vec<Found>, new: Found) {
	if found.len() == EDGES_AT_A_TIME {
		if (new.key, new.slot) >= (found[0].key, found[0].slot) {
			return;
		}
		found.swap_remove(0);
	}
	found.push(new);
	if found.len() == EDGES_AT_A_TIME {
		let highest = (0..found.len()).max_by_key(|at| (found[*at].key, found[*at].slot));
		found.swap(0, highest.unwrap_or_default());
	}
}
