// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The edges of a job in the full graph, found by sets of bits.

use crate::{
	assignment::LEFT_OUT,
	index::{clear, Bits},
	market::{cost_product, JobSlot, Solver, MOST_FEES, MOST_PRODUCT},
};
use modicum_primitives::{Balance, BILLION};

/// Edges that a job or a resource gets at a time.
pub(crate) const EDGES_AT_A_TIME: usize = 16;
const SCALE: i128 = BILLION as i128;

/// An edge found in the full graph: the price less w, times 10^9 and rounded up to its multiple when used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
	pub key: i128,
	pub slot: u32,
	pub fees: Balance,
}

/// Rows of bits that a search in the full graph works on.
pub(crate) struct Scratch {
	pub row: Bits,
	part: Bits,
	other: Bits,
	spare: Bits,
	pub found: Vec<Found>,
}

impl Scratch {
	pub fn new(words: usize) -> Self {
		let row = vec![0; words];
		Self { part: row.clone(), other: row.clone(), spare: row.clone(), row, found: Vec::new() }
	}
}

impl<AccountId: Ord + Clone> Solver<'_, AccountId> {
	/// The cheapest or the least capable resource of `scratch.row`.
	pub(crate) fn choose(&self, job: u32, cheapest: bool, scratch: &mut Scratch) -> Option<u32> {
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

	/// Sets in `scratch.row` the resources that suit the job and whose providers trust one of its mediators.
	pub(crate) fn row(&self, job: u32, scratch: &mut Scratch) {
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
	pub(crate) fn find(&self, job: u32, limit: i128, scratch: &mut Scratch) {
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
}

/// The slots of the bits of one word.
pub(crate) fn ones(at: usize, mut word: u64) -> impl Iterator<Item = u32> {
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
