// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A cheapest assignment of jobs to resources on a sparse graph, kept optimal by shortest augmenting paths.
//!
//! Every job is to be given a resource, or be left out at the price [`LEFT_OUT`], which is above every sum of
//! prices: so the cheapest assignment has the most matches. Beside the assignment stand the dual values u of the
//! jobs and w ≤ 0 of the resources. Always
//!
//! - u ≤ `LEFT_OUT` and u + w ≤ price on each edge;
//! - equality on each edge that is used, and u = `LEFT_OUT` for each job that is left out.
//!
//! When besides no job is unplaced and w = 0 for each free resource, the assignment is the cheapest on every graph
//! whose edges all satisfy u + w ≤ price: the caller checks that on the full graph, and adds what is violated.

use modicum_primitives::BILLION;
use std::{cmp::Reverse, collections::BinaryHeap};

/// The price of a job without a match: more than 2^20 matches of the highest price.
pub(crate) const LEFT_OUT: i128 = 1 << 110;
/// The highest price that is told from higher ones, in base units.
pub(crate) const MOST_PRICE: u128 = 1 << 74;

/// No job, no resource.
const NONE: u32 = u32::MAX;

/// What is done with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
	/// Nothing yet.
	Nowhere,
	/// It is left out.
	LeftOut,
	/// It has this resource.
	At(u32),
}

#[derive(Clone, Copy, Debug)]
struct Edge {
	/// The resource in a job's list, the job in a resource's.
	to: u32,
	price: i128,
}

#[derive(Clone, Debug)]
struct Job {
	u: i128,
	place: Place,
	edges: Vec<Edge>,
	/// u has risen since it was last checked against the full graph.
	risen: bool,
}

#[derive(Clone, Debug)]
struct Resource {
	w: i128,
	job: u32,
	edges: Vec<Edge>,
	/// w has risen since it was last checked against the full graph.
	risen: bool,
}

/// The scratch space of a search.
#[derive(Clone, Debug, Default)]
struct Search {
	/// By resource forwards, by job backwards: distance, valid if `stamp` is the search's.
	distance: Vec<i128>,
	stamp: Vec<u32>,
	/// By resource the job, or by job the resource, from which it was reached.
	parent: Vec<u32>,
	now: u32,
	heap: BinaryHeap<Reverse<(i128, u32)>>,
	jobs: Vec<(u32, i128)>,
	resources: Vec<(u32, i128)>,
}

impl Search {
	fn start(&mut self, nodes: usize) {
		if self.stamp.len() < nodes {
			self.distance.resize(nodes, 0);
			self.stamp.resize(nodes, 0);
			self.parent.resize(nodes, NONE);
		}
		if self.now == u32::MAX {
			self.stamp.fill(0);
			self.now = 0;
		}
		self.now += 1;
		self.heap.clear();
		self.jobs.clear();
		self.resources.clear();
	}

	/// Notes a way to `node`; false if there is one that is as short.
	fn reach(&mut self, node: u32, distance: i128, parent: u32) -> bool {
		let at = node as usize;
		if self.stamp[at] == self.now && self.distance[at] <= distance {
			return false;
		}
		self.stamp[at] = self.now;
		self.distance[at] = distance;
		self.parent[at] = parent;
		true
	}

	/// The nearest node that is not yet final, if it is nearer than `limit`.
	fn next(&mut self, limit: i128) -> Option<(u32, i128)> {
		while let Some(Reverse((distance, node))) = self.heap.pop() {
			if distance >= limit {
				return None;
			}
			if self.distance[node as usize] == distance {
				return Some((node, distance));
			}
		}
		None
	}
}

/// The assignment and its dual values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assignment {
	jobs: Vec<Job>,
	resources: Vec<Resource>,
	/// w · 10^9 of each resource, after `LEFT_OUT` has been added if it is scarce.
	levels: Vec<i128>,
	/// One bit for each resource: w is nearer to −`LEFT_OUT` than to 0, that is, taking it leaves a job out.
	scarce: Vec<u64>,
	search: Search,
	/// Resources that lost their job and may have w < 0.
	deserted: Vec<u32>,
}

impl Assignment {
	/// Makes room for `count` jobs.
	pub fn grow_jobs(&mut self, count: usize) {
		let job = Job { u: 0, place: Place::Nowhere, edges: Vec::new(), risen: false };
		self.jobs.resize(self.jobs.len().max(count), job);
	}

	/// Makes room for `count` resources.
	pub fn grow_resources(&mut self, count: usize) {
		let count = self.resources.len().max(count);
		let resource = Resource { w: 0, job: NONE, edges: Vec::new(), risen: false };
		self.resources.resize(count, resource);
		self.levels.resize(count, 0);
		self.scarce.resize(count.div_ceil(64), 0);
	}

	pub fn place_of(&self, job: u32) -> Place {
		self.jobs[job as usize].place
	}

	pub fn u(&self, job: u32) -> i128 {
		self.jobs[job as usize].u
	}

	pub fn w(&self, resource: u32) -> i128 {
		self.resources[resource as usize].w
	}

	pub fn levels(&self) -> &[i128] {
		&self.levels
	}

	pub fn scarce(&self) -> &[u64] {
		&self.scarce
	}

	fn set_w(&mut self, resource: u32, w: i128) {
		let record = &mut self.resources[resource as usize];
		record.risen |= w > record.w;
		record.w = w;
		let scarce = w < -LEFT_OUT / 2;
		let near = if scarce { w + LEFT_OUT } else { w };
		self.levels[resource as usize] = near * BILLION as i128;
		let bit = 1_u64 << (resource % 64);
		let word = &mut self.scarce[resource as usize / 64];
		*word = if scarce { *word | bit } else { *word & !bit };
	}

	/// Whether u of this job has risen since the last call.
	pub fn take_risen_job(&mut self, job: u32) -> bool {
		std::mem::take(&mut self.jobs[job as usize].risen)
	}

	/// The resources whose w has risen since the last call.
	pub fn take_risen_resources(&mut self) -> Vec<u32> {
		let mut risen = Vec::new();
		for (slot, resource) in self.resources.iter_mut().enumerate() {
			if std::mem::take(&mut resource.risen) {
				risen.push(slot as u32);
			}
		}
		risen
	}

	/// Adds an edge, or sets its price.
	pub fn add_edge(&mut self, job: u32, resource: u32, price: i128) {
		let edges = &mut self.jobs[job as usize].edges;
		if !edges.iter().any(|edge| edge.to == resource) {
			edges.push(Edge { to: resource, price });
			self.resources[resource as usize].edges.push(Edge { to: job, price });
		}
	}

	/// Removes an edge that is not in use.
	fn remove_edge(&mut self, job: u32, resource: u32) {
		self.jobs[job as usize].edges.retain(|edge| edge.to != resource);
		self.resources[resource as usize].edges.retain(|edge| edge.to != job);
	}

	/// Takes its resource from a job.
	fn desert(&mut self, job: u32) {
		if let Place::At(resource) = self.place_of(job) {
			self.resources[resource as usize].job = NONE;
			self.deserted.push(resource);
		}
		self.jobs[job as usize].place = Place::Nowhere;
	}

	/// The edge in use of `job` can no longer be used.
	pub fn break_match(&mut self, job: u32) {
		if let Place::At(resource) = self.place_of(job) {
			self.desert(job);
			self.remove_edge(job, resource);
		}
	}

	/// Takes a job out.
	pub fn remove_job(&mut self, job: u32) {
		self.desert(job);
		for edge in std::mem::take(&mut self.jobs[job as usize].edges) {
			self.resources[edge.to as usize].edges.retain(|back| back.to != job);
		}
		self.jobs[job as usize].u = 0;
		self.jobs[job as usize].risen = false;
	}

	/// Takes a resource out, and returns the job that had it.
	pub fn remove_resource(&mut self, resource: u32) -> Option<u32> {
		let job = self.resources[resource as usize].job;
		if job != NONE {
			self.desert(job);
		}
		for edge in std::mem::take(&mut self.resources[resource as usize].edges) {
			self.jobs[edge.to as usize].edges.retain(|back| back.to != resource);
		}
		self.set_w(resource, 0);
		self.resources[resource as usize].risen = false;
		(job != NONE).then_some(job)
	}

	/// Lowers u of a job, which then has to be placed anew.
	pub fn lower_job(&mut self, job: u32, u: i128) {
		self.desert(job);
		self.jobs[job as usize].u = u;
	}

	/// Lowers w of a resource, and returns the job that has to be placed anew.
	pub fn lower_resource(&mut self, resource: u32, w: i128) -> Option<u32> {
		let job = self.resources[resource as usize].job;
		if job != NONE {
			self.desert(job);
		} else {
			self.deserted.push(resource);
		}
		self.set_w(resource, w);
		(job != NONE).then_some(job)
	}

	/// Places a job on the cheapest way: on a free resource, or by moving others, or by leaving one out. An edge is
	/// used only after `confirm(job, resource)`; those that fail are dropped.
	pub fn place(&mut self, job: u32, confirm: &mut impl FnMut(u32, u32) -> bool) {
		while let Err((job, resource)) = self.try_place(job, confirm) {
			self.remove_edge(job, resource);
		}
	}

	fn try_place(
		&mut self,
		source: u32,
		confirm: &mut impl FnMut(u32, u32) -> bool,
	) -> Result<(), (u32, u32)> {
		let Self { jobs, resources, search, .. } = self;
		search.start(resources.len());
		let mut end = (LEFT_OUT - jobs[source as usize].u, source, Place::LeftOut);
		let mut next = Some((source, 0));
		while let Some((job, here)) = next {
			search.jobs.push((job, here));
			let record = &jobs[job as usize];
			let out = here + LEFT_OUT - record.u;
			if out < end.0 {
				end = (out, job, Place::LeftOut);
			}
			for edge in &record.edges {
				let resource = &resources[edge.to as usize];
				let there = here + (edge.price - record.u - resource.w);
				if there >= end.0 || !search.reach(edge.to, there, job) {
					continue;
				}
				if resource.job == NONE {
					end = (there, job, Place::At(edge.to));
				} else {
					search.heap.push(Reverse((there, edge.to)));
				}
			}
			next = search.next(end.0).map(|(resource, distance)| {
				search.resources.push((resource, distance));
				(resources[resource as usize].job, distance)
			});
		}

		let (length, mut job, mut place) = end;
		let mut moves = vec![(job, place)];
		while job != source {
			let Place::At(left) = jobs[job as usize].place else {
				unreachable!("reached by its resource; qed")
			};
			place = Place::At(left);
			job = search.parent[left as usize];
			moves.push((job, place));
		}
		check(&moves, confirm)?;
		for (job, distance) in std::mem::take(&mut self.search.jobs) {
			let record = &mut self.jobs[job as usize];
			record.risen |= distance < length;
			record.u += length - distance;
		}
		for (resource, distance) in std::mem::take(&mut self.search.resources) {
			self.set_w(resource, self.w(resource) - (length - distance));
		}
		self.apply(&moves);
		Ok(())
	}

	/// Makes w = 0 on every resource that lost its job, on the cheapest way: some job moves to it, or nobody wants it.
	/// Every job must be placed. `confirm` is as for [`place`](Self::place).
	pub fn settle_deserted(&mut self, confirm: &mut impl FnMut(u32, u32) -> bool) {
		let mut deserted = std::mem::take(&mut self.deserted);
		deserted.sort_unstable();
		deserted.dedup();
		for resource in deserted {
			while let Err((job, resource)) = self.try_settle(resource, confirm) {
				self.remove_edge(job, resource);
			}
		}
	}

	fn try_settle(
		&mut self,
		source: u32,
		confirm: &mut impl FnMut(u32, u32) -> bool,
	) -> Result<(), (u32, u32)> {
		let Self { jobs, resources, search, .. } = self;
		if resources[source as usize].job != NONE || resources[source as usize].w == 0 {
			return Ok(());
		}
		search.start(jobs.len());
		// The way ends at a resource that becomes free, or at a job that was left out.
		let mut end = (-resources[source as usize].w, Err(source));
		let mut next = Some((source, 0));
		while let Some((resource, here)) = next {
			search.resources.push((resource, here));
			let record = &resources[resource as usize];
			if here - record.w < end.0 {
				end = (here - record.w, Err(resource));
			}
			for edge in &record.edges {
				let job = &jobs[edge.to as usize];
				let there = here + (edge.price - job.u - record.w);
				if edge.to == record.job
					|| there >= end.0
					|| !search.reach(edge.to, there, resource)
				{
					continue;
				}
				match job.place {
					Place::At(_) => search.heap.push(Reverse((there, edge.to))),
					Place::LeftOut => end = (there, Ok(edge.to)),
					Place::Nowhere => {},
				}
			}
			next = search.next(end.0).map(|(job, distance)| {
				search.jobs.push((job, distance));
				let Place::At(resource) = jobs[job as usize].place else {
					unreachable!("only placed jobs are pushed; qed")
				};
				(resource, distance)
			});
		}

		let (length, end) = end;
		let mut moves = Vec::new();
		let mut emptied = match end {
			Ok(job) => {
				let to = search.parent[job as usize];
				moves.push((job, Place::At(to)));
				to
			},
			Err(resource) => resource,
		};
		while emptied != source {
			let job = resources[emptied as usize].job;
			emptied = search.parent[job as usize];
			moves.push((job, Place::At(emptied)));
		}
		check(&moves, confirm)?;
		for (job, distance) in std::mem::take(&mut self.search.jobs) {
			self.jobs[job as usize].u -= length - distance;
		}
		for (resource, distance) in std::mem::take(&mut self.search.resources) {
			self.set_w(resource, self.w(resource) + (length - distance));
		}
		if let Err(resource) = end {
			self.resources[resource as usize].job = NONE;
		}
		self.apply(&moves);
		Ok(())
	}

	fn apply(&mut self, moves: &[(u32, Place)]) {
		for (job, place) in moves {
			self.jobs[*job as usize].place = *place;
			if let Place::At(resource) = place {
				self.resources[*resource as usize].job = *job;
			}
		}
	}
}

/// The first move that is not confirmed, as an error.
fn check(
	moves: &[(u32, Place)],
	confirm: &mut impl FnMut(u32, u32) -> bool,
) -> Result<(), (u32, u32)> {
	for (job, place) in moves {
		if let Place::At(resource) = place {
			if !confirm(*job, *resource) {
				return Err((*job, *resource));
			}
		}
	}
	Ok(())
}
