// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The cheapest of the largest matchings: an [`Assignment`](crate::assignment::Assignment) on a sparse graph, to which
//! the full graph adds what it has against it.

use crate::{
	assignment::{Place, LEFT_OUT},
	market::{cost_product, edge_price, feasible, Market, Solver},
	most::Rows,
	search::{Found, Scratch, EDGES_AT_A_TIME},
};

/// One resource in so many, at most, is checked for itself before all jobs are checked.
const COLUMNS_PER_JOB: usize = 32;

impl<AccountId: Ord + Clone> Solver<'_, AccountId> {
	/// Places jobs, the largest first: those find the cheapest resources free, and later ones move few of them.
	pub(crate) fn place_all(&mut self, mut jobs: Vec<u32>) {
		self.sort_by_size(&mut jobs);
		for job in jobs.into_iter().rev() {
			self.place(job);
		}
	}

	/// Places new jobs. Of a whole new book, first those that some matching of the most jobs has a place for; the
	/// edges of that matching make sure that the sparse graph has one as large.
	pub(crate) fn place_new(&mut self, mut jobs: Vec<u32>, fresh: bool) {
		self.sort_by_size(&mut jobs);
		let mut scratch = Scratch::new(self.index.words());
		let mut most = vec![None; self.market.jobs.len()];
		if fresh {
			let mut rows = Rows::new(self.market.jobs.len(), self.index.words());
			self.match_most(&jobs, &mut most, false, &mut rows, &mut scratch);
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

	fn place(&mut self, job: u32) {
		let Self { market, records, index, now } = self;
		let Market { jobs, resources, assignment, .. } = &mut **market;
		assignment.place(job, &mut |job, resource| {
			feasible(jobs, resources, records, index, *now, job, resource)
		});
	}

	pub(crate) fn settle(&mut self) {
		let Self { market, records, index, now } = self;
		let Market { jobs, resources, assignment, .. } = &mut **market;
		assignment.settle_deserted(&mut |job, resource| {
			feasible(jobs, resources, records, index, *now, job, resource)
		});
	}

	/// Ends the matches that time has made infeasible. Returns their jobs.
	pub(crate) fn break_infeasible(&mut self) -> Vec<u32> {
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
	pub(crate) fn optimise(&mut self, fresh: bool) {
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
	pub(crate) fn lower_resource(&mut self, resource: u32) -> Option<u32> {
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
