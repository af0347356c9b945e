// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The most matches: greedy, then shortest augmenting paths in phases (Hopcroft and Karp), on rows of bits that are
//! made when they are first needed.

use crate::{
	index::{clear, set, Bits},
	market::Solver,
	search::{ones, Scratch},
};
use std::collections::{BTreeMap, VecDeque};

/// Rows of candidates are kept while they take no more memory than this, bytes; else each is made again and again.
const MOST_MEMORY: usize = 256 << 20;
/// No job, no level.
const NONE: u32 = u32::MAX;

/// The candidates of each job, less those that proved infeasible.
pub(crate) struct Rows {
	words: usize,
	bits: Bits,
	/// By job slot; empty if rows are not kept.
	known: Vec<bool>,
	/// Of rows that are not kept, by job slot, what proved infeasible.
	refuted: BTreeMap<u32, Vec<u32>>,
}

impl Rows {
	/// Rows for so many job slots of so many words.
	pub fn new(jobs: usize, words: usize) -> Self {
		let is_kept = jobs.saturating_mul(words).saturating_mul(8) <= MOST_MEMORY;
		let kept = if is_kept { jobs } else { 0 };
		let bits = vec![0; kept.max(1) * words];
		Self { words, bits, known: vec![false; kept], refuted: BTreeMap::new() }
	}

	fn of<AccountId: Ord + Clone>(
		&mut self,
		job: u32,
		solver: &Solver<'_, AccountId>,
		scratch: &mut Scratch,
	) -> &mut [u64] {
		let at = if self.known.is_empty() { 0 } else { job as usize };
		let row = &mut self.bits[at * self.words..][..self.words];
		if !self.known.get(at).copied().unwrap_or(false) {
			solver.row(job, scratch);
			row.copy_from_slice(&scratch.row);
			self.refuted.get(&job).into_iter().flatten().for_each(|slot| clear(row, *slot));
			if let Some(known) = self.known.get_mut(at) {
				*known = true;
			}
		}
		row
	}

	fn refute(&mut self, job: u32, slot: u32) {
		if self.known.is_empty() {
			self.refuted.entry(job).or_default().push(slot);
		} else {
			clear(&mut self.bits[job as usize * self.words..][..self.words], slot);
		}
	}
}

/// A matching that grows.
struct Growing<'a, 'b, AccountId> {
	solver: &'a Solver<'b, AccountId>,
	rows: &'a mut Rows,
	scratch: &'a mut Scratch,
	/// By job slot, the resource.
	place: &'a mut [Option<u32>],
	/// By resource slot, the job.
	owner: Vec<u32>,
	/// Resources without a job.
	free: Bits,
	/// By job slot, how many jobs have to move before it on the shortest way from a job without a resource.
	level: Vec<u32>,
	/// Resources that were tried in this phase.
	tried: Bits,
	/// Whether a candidate proved infeasible in this phase.
	is_narrowed: bool,
}

/// A job on a path, and how far its row was looked through.
struct Stop {
	job: u32,
	word: usize,
	/// The resource over which the path goes on.
	over: u32,
}

impl<AccountId: Ord + Clone> Solver<'_, AccountId> {
	/// Completes `place` (by job slot) to a matching of the most of `jobs`: each job without a resource takes, in the
	/// order given, one that is left, the cheapest or the least capable; then shortest augmenting paths are searched,
	/// in phases, until there are none.
	pub(crate) fn match_most(
		&self,
		jobs: &[u32],
		place: &mut [Option<u32>],
		cheapest: bool,
		rows: &mut Rows,
		scratch: &mut Scratch,
	) {
		let words = self.index.words();
		let mut owner = vec![NONE; self.market.resources.len()];
		let mut free = vec![u64::MAX; words];
		for job in jobs {
			if let Some(slot) = place[*job as usize] {
				owner[slot as usize] = *job;
				clear(&mut free, slot);
			}
		}
		let level = vec![NONE; place.len()];
		let tried = vec![0; words];
		let mut growing = Growing {
			solver: self,
			rows,
			scratch,
			place,
			owner,
			free,
			level,
			tried,
			is_narrowed: false,
		};
		growing.grow_greedily(jobs, cheapest);
		while growing.grow_by_paths(jobs) {}
	}

	/// The matching of a book that is too large for the lowest price: the most matches, and of these cheap ones.
	/// Starts from `place`, as far as it is still feasible.
	pub(crate) fn match_roughly(&self, place: &mut Vec<Option<u32>>, fresh: bool) {
		let words = self.index.words();
		let mut scratch = Scratch::new(words);
		let mut rows = Rows::new(self.market.jobs.len(), words);
		let mut jobs: Vec<u32> = self.market.job_slots.values().copied().collect();
		self.sort_by_size(&mut jobs);
		place.resize(self.market.jobs.len(), None);
		if fresh {
			// Which jobs: preferably the small ones. Then the large ones choose first.
			self.match_most(&jobs, place, false, &mut rows, &mut scratch);
			jobs.retain(|job| place[*job as usize].take().is_some());
		} else {
			for job in &jobs {
				let place = &mut place[*job as usize];
				*place = place.filter(|slot| self.feasible(*job, *slot));
			}
		}
		jobs.reverse();
		self.match_most(&jobs, place, true, &mut rows, &mut scratch);
	}
}

impl<AccountId: Ord + Clone> Growing<'_, '_, AccountId> {
	fn grow_greedily(&mut self, jobs: &[u32], cheapest: bool) {
		for job in jobs {
			if self.place[*job as usize].is_some() {
				continue;
			}
			let row = self.rows.of(*job, self.solver, self.scratch);
			for ((mine, row), free) in self.scratch.row.iter_mut().zip(row).zip(&self.free) {
				*mine = *row & free;
			}
			while let Some(slot) = self.solver.choose(*job, cheapest, self.scratch) {
				if self.is_feasible(*job, slot) {
					self.take(*job, slot);
					break;
				}
				clear(&mut self.scratch.row, slot);
			}
		}
	}

	fn take(&mut self, job: u32, slot: u32) {
		clear(&mut self.free, slot);
		self.owner[slot as usize] = job;
		self.place[job as usize] = Some(slot);
	}

	/// Whether a candidate is what it seems. If not, it is none from now on.
	fn is_feasible(&mut self, job: u32, slot: u32) -> bool {
		let is_feasible = self.solver.feasible(job, slot);
		if !is_feasible {
			self.rows.refute(job, slot);
			self.is_narrowed = true;
		}
		is_feasible
	}

	/// One phase: as many shortest augmenting paths as do not cross. False if there can be none at all.
	fn grow_by_paths(&mut self, jobs: &[u32]) -> bool {
		let Some(last) = self.set_levels(jobs) else { return false };
		self.tried.fill(0);
		self.is_narrowed = false;
		let mut has_grown = false;
		for job in jobs {
			if self.level[*job as usize] == 0 {
				has_grown |= self.augment(*job, last);
			}
		}
		// Candidates that are none may have hidden the paths that there are.
		has_grown || self.is_narrowed
	}

	/// Sets the levels of jobs, breadth first, down to that on which a free resource is a candidate. Returns that
	/// level; `None` if no free resource can be reached, so that the matching has the most jobs.
	fn set_levels(&mut self, jobs: &[u32]) -> Option<u32> {
		self.level.fill(NONE);
		let mut queue = VecDeque::new();
		for job in jobs.iter().filter(|job| self.solver.market.jobs[**job as usize].is_some()) {
			if self.place[*job as usize].is_none() {
				self.level[*job as usize] = 0;
				queue.push_back(*job);
			}
		}
		let mut seen = vec![0; self.rows.words];
		let mut last = None;
		while let Some(job) = queue.pop_front() {
			let level = self.level[job as usize];
			if last.is_some_and(|last| level > last) {
				break;
			}
			let row = self.rows.of(job, self.solver, self.scratch);
			if row.iter().zip(&self.free).any(|(row, free)| row & free != 0) {
				last = Some(level);
			}
			if last.is_some() {
				continue;
			}
			for (at, (row, seen)) in row.iter().zip(&mut seen).enumerate() {
				let new = row & !*seen;
				*seen |= new;
				for slot in ones(at, new) {
					let owner = self.owner[slot as usize];
					self.level[owner as usize] = level + 1;
					queue.push_back(owner);
				}
			}
		}
		last
	}

	/// Searches a path from `source` down the levels to a free resource, depth first, and moves the jobs along it.
	fn augment(&mut self, source: u32, last: u32) -> bool {
		let mut path = vec![Stop { job: source, word: 0, over: NONE }];
		while let Some(Stop { job, word, .. }) = path.last() {
			let (job, word) = (*job, *word);
			let level = self.level[job as usize];
			if level == last {
				if let Some(slot) = self.free_candidate(job) {
					self.take(job, slot);
					path.pop();
					for Stop { job, over, .. } in path {
						self.owner[over as usize] = job;
						self.place[job as usize] = Some(over);
					}
					return true;
				}
				path.pop();
				continue;
			}
			let (word, next) = self.next_stop(job, word, level + 1);
			let Some(stop) = path.last_mut() else { break };
			stop.word = word;
			match next {
				Some(slot) => {
					stop.over = slot;
					path.push(Stop { job: self.owner[slot as usize], word: 0, over: NONE });
				},
				None => drop(path.pop()),
			}
		}
		false
	}

	fn free_candidate(&mut self, job: u32) -> Option<u32> {
		for at in 0..self.rows.words {
			let row = self.rows.of(job, self.solver, self.scratch);
			for slot in ones(at, row[at] & self.free[at]) {
				if self.is_feasible(job, slot) {
					return Some(slot);
				}
			}
		}
		None
	}

	/// A resource that `job` may have instead, whose job is one level further; from `word` of the row on.
	fn next_stop(&mut self, job: u32, word: usize, level: u32) -> (usize, Option<u32>) {
		for at in word..self.rows.words {
			let row = self.rows.of(job, self.solver, self.scratch);
			for slot in ones(at, row[at] & !self.tried[at] & !self.free[at]) {
				let owner = self.owner[slot as usize];
				if owner == NONE || self.level[owner as usize] != level {
					continue;
				}
				if self.is_feasible(job, slot) {
					set(&mut self.tried, slot);
					return (at, Some(slot));
				}
			}
		}
		(self.rows.words, None)
	}
}
