// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Which resource offers can a job have? Sets of bits, one bit for each resource offer, one set for each
//! property, so that the candidates of a job are a few sets ANDed.
//!
//! The index only narrows: what comes out is confirmed by [`modicum_primitives::feasibility`] before it is used.

use crate::{
	book::Records,
	records::{JobOffer, Provider, ResourceOffer},
};
use modicum_primitives::{
	Architecture, Balance, BaseLayer, Meter, Moment, Parameters, ResourceOfferId, BILLION,
};
use std::collections::BTreeMap;

/// A row of bits, one for each slot of a resource offer.
pub(crate) type Bits = Vec<u64>;

pub(crate) fn set(bits: &mut [u64], slot: u32) {
	bits[slot as usize / 64] |= 1 << (slot % 64);
}

pub(crate) fn clear(bits: &mut [u64], slot: u32) {
	bits[slot as usize / 64] &= !(1 << (slot % 64));
}

fn and(row: &mut [u64], other: &[u64]) {
	for (word, other) in row.iter_mut().zip(other) {
		*word &= other;
	}
}

/// A set of slots, as a list while that is smaller than a row of bits.
#[derive(Clone, Debug)]
enum Slots {
	Few(Vec<u32>),
	Many(Bits),
}

impl Slots {
	fn contains(&self, slot: u32) -> bool {
		match self {
			Self::Few(list) => list.binary_search(&slot).is_ok(),
			Self::Many(bits) => bits[slot as usize / 64] >> (slot % 64) & 1 == 1,
		}
	}

	/// Adds this set to `row`.
	fn join(&self, row: &mut [u64]) {
		match self {
			Self::Few(list) => list.iter().for_each(|slot| set(row, *slot)),
			Self::Many(bits) => row.iter_mut().zip(bits).for_each(|(word, other)| *word |= other),
		}
	}
}

/// Slots collected by key, in ascending order.
struct Groups<K>(BTreeMap<K, Vec<u32>>);

impl<K: Ord> Groups<K> {
	fn add(&mut self, key: K, slot: u32) {
		let list = self.0.entry(key).or_default();
		if list.last() != Some(&slot) {
			list.push(slot);
		}
	}

	fn finish(self, words: usize) -> BTreeMap<K, Slots> {
		let pack = |list: Vec<u32>| {
			if list.len() < 2 * words {
				return Slots::Few(list);
			}
			let mut bits = vec![0; words];
			list.iter().for_each(|slot| set(&mut bits, *slot));
			Slots::Many(bits)
		};
		self.0.into_iter().map(|(key, list)| (key, pack(list))).collect()
	}
}

/// One number of every resource offer, for the question who has at least so much.
#[derive(Clone, Debug)]
struct Threshold {
	/// Ascending, with the slots that have them.
	sorted: Vec<(u128, u32)>,
	/// Ranks from one kept set to the next.
	block: usize,
	/// Row b: the slots of rank b · block and above.
	at_least: Vec<u64>,
}

/// Most sets kept for one threshold: bounds its memory to that many bits for each resource offer.
const KEPT_SETS: usize = 256;

impl Threshold {
	fn new(mut sorted: Vec<(u128, u32)>, words: usize) -> Self {
		sorted.sort_unstable();
		let block = sorted.len().div_ceil(KEPT_SETS).max(16);
		let blocks = sorted.len().div_ceil(block);
		let mut at_least = vec![0; (blocks + 1) * words];
		for b in (0..blocks).rev() {
			let (row, next) = at_least[b * words..].split_at_mut(words);
			row.copy_from_slice(&next[..words]);
			let end = sorted.len().min((b + 1) * block);
			sorted[b * block..end].iter().for_each(|(_, slot)| set(row, *slot));
		}
		Self { sorted, block, at_least }
	}

	/// Takes from `row` all that has less than `least`.
	fn narrow(&self, least: u128, row: &mut [u64], scratch: &mut [u64]) {
		let rank = self.sorted.partition_point(|(value, _)| *value < least);
		if rank == 0 {
			return;
		}
		let b = rank.div_ceil(self.block);
		scratch.copy_from_slice(&self.at_least[b * row.len()..][..row.len()]);
		let end = self.sorted.len().min(b * self.block);
		self.sorted[rank..end].iter().for_each(|(_, slot)| set(scratch, *slot));
		and(row, scratch);
	}
}

/// What the price of a match depends on, side by side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Column {
	pub instruction: Balance,
	pub bandwidth: Balance,
	pub max_availability_fee: Balance,
	/// The most that limits · prices may be, as far as the provider's hold allows.
	pub most: u128,
}

/// The resource offers by their properties.
#[derive(Clone, Debug)]
pub(crate) struct Index<AccountId> {
	words: usize,
	pub columns: Vec<Column>,
	thresholds: [Threshold; 9],
	kinds: BTreeMap<(Architecture, Meter), Slots>,
	base_layers: BTreeMap<BaseLayer, Slots>,
	directories: BTreeMap<AccountId, Slots>,
	mediators: BTreeMap<AccountId, Slots>,
	providers: BTreeMap<AccountId, Slots>,
	/// Slots from the least to the most capable.
	pub rank: Vec<u32>,
}

/// How far limits · prices may go for a hold of `held`, of which `incentive` is the solver's.
pub(crate) fn most_by_hold(held: Balance, incentive: Balance, parameters: &Parameters) -> u128 {
	let times = u128::from(parameters.penalty_rate) + u128::from(parameters.verification_count);
	(held.saturating_sub(incentive) / times.max(1)).saturating_mul(BILLION)
}

impl<AccountId: Ord + Clone> Index<AccountId> {
	/// The index of `slots`; offers of unregistered providers are in no set.
	pub fn new(records: &Records<AccountId>, slots: &[Option<ResourceOfferId>]) -> Self {
		let words = slots.len().div_ceil(64);
		let mut columns = vec![Column::default(); slots.len()];
		let mut sorted: [Vec<(u128, u32)>; 9] = Default::default();
		let mut kinds = Groups(BTreeMap::new());
		let mut base_layers = Groups(BTreeMap::new());
		let mut directories = Groups(BTreeMap::new());
		let mut mediators = Groups(BTreeMap::new());
		let mut providers = Groups(BTreeMap::new());
		for (slot, id) in slots.iter().enumerate() {
			let Some(offer) = id.and_then(|id| records.resources.get(&id)) else { continue };
			let Some(provider) = records.providers.get(&offer.provider) else { continue };
			if offer.terms.match_incentive < records.parameters.min_match_incentive {
				continue;
			}
			let at = slot as u32;
			columns[slot] = Column {
				instruction: offer.terms.prices.instruction,
				bandwidth: offer.terms.prices.bandwidth,
				max_availability_fee: offer.terms.max_availability_fee,
				most: most_by_hold(offer.held, offer.terms.match_incentive, &records.parameters),
			};
			for (list, value) in sorted.iter_mut().zip(numbers(offer, provider)) {
				list.push((value, at));
			}
			kinds.add((provider.architecture, offer.terms.meter), at);
			provider.base_layers.iter().for_each(|layer| base_layers.add(*layer, at));
			provider.trusted_directories.iter().for_each(|who| directories.add(who.clone(), at));
			let others = provider.trusted_mediators.iter().filter(|who| **who != offer.provider);
			others.for_each(|who| mediators.add(who.clone(), at));
			providers.add(offer.provider.clone(), at);
		}
		let thresholds = sorted.map(|list| Threshold::new(list, words));
		let mut rank = vec![0_u32; slots.len()];
		for threshold in &thresholds[..4] {
			for (place, (_, slot)) in threshold.sorted.iter().enumerate() {
				rank[*slot as usize] += place as u32;
			}
		}
		Self {
			words,
			columns,
			thresholds,
			kinds: kinds.finish(words),
			base_layers: base_layers.finish(words),
			directories: directories.finish(words),
			mediators: mediators.finish(words),
			providers: providers.finish(words),
			rank,
		}
	}

	pub fn words(&self) -> usize {
		self.words
	}

	/// Whether the provider of `slot` trusts `mediator` and is another account.
	pub fn trusts(&self, slot: u32, mediator: &AccountId) -> bool {
		self.mediators.get(mediator).is_some_and(|slots| slots.contains(slot))
	}

	/// Sets in `row` exactly the slots whose providers trust `mediator`.
	pub fn trusting(&self, mediator: &AccountId, row: &mut [u64]) {
		row.fill(0);
		if let Some(slots) = self.mediators.get(mediator) {
			slots.join(row);
		}
	}

	/// Takes from `row` those that do not pay availability fees of `fees`.
	pub fn paying(&self, fees: Balance, row: &mut [u64], scratch: &mut [u64]) {
		self.thresholds[8].narrow(fees, row, scratch);
	}

	/// Sets in `row` the resource offers that suit `job` at `now`, whoever the mediator is.
	pub fn candidates(
		&self,
		job: &JobOffer<AccountId>,
		now: Moment,
		row: &mut [u64],
		scratch: &mut [u64],
	) {
		row.fill(0);
		let terms = &job.terms;
		let Some(left) = terms.completion_deadline.checked_sub(now) else { return };
		let Some(kind) = self.kinds.get(&(terms.architecture, terms.meter)) else { return };
		let Some(base_layer) = self.base_layers.get(&terms.base_layer) else { return };
		let Some(directory) = self.directories.get(&terms.directory) else { return };
		kind.join(row);
		for slots in [base_layer, directory] {
			if let Slots::Many(bits) = slots {
				and(row, bits);
			} else {
				scratch.fill(0);
				slots.join(scratch);
				and(row, scratch);
			}
		}
		// time · instructions / 10^9, rounded up, is at most what is left.
		let slowest = (u128::from(left) * BILLION)
			.checked_div(u128::from(terms.limits.instructions))
			.unwrap_or(u128::MAX);
		let least = [
			u128::from(terms.limits.instructions),
			u128::from(terms.limits.ram),
			u128::from(terms.limits.storage),
			u128::from(terms.limits.bandwidth),
			u128::MAX - terms.max_prices.instruction,
			u128::MAX - terms.max_prices.bandwidth,
			u128::MAX - slowest,
			u128::from(now),
		];
		for (threshold, least) in self.thresholds.iter().zip(least) {
			threshold.narrow(least, row, scratch);
		}
		if let Some(own) = self.providers.get(&job.creator) {
			scratch.fill(0);
			own.join(scratch);
			row.iter_mut().zip(scratch).for_each(|(word, own)| *word &= !*own);
		}
	}
}

/// What the thresholds are about, each turned so that more suits more jobs.
fn numbers<AccountId>(
	offer: &ResourceOffer<AccountId>,
	provider: &Provider<AccountId>,
) -> [u128; 9] {
	let (caps, prices) = (&offer.terms.caps, &offer.terms.prices);
	[
		u128::from(caps.instructions),
		u128::from(caps.ram),
		u128::from(caps.storage),
		u128::from(caps.bandwidth),
		u128::MAX - prices.instruction,
		u128::MAX - prices.bandwidth,
		u128::MAX - u128::from(provider.time_per_billion_instructions),
		u128::from(offer.terms.expires_at.unwrap_or(Moment::MAX)),
		offer.terms.max_availability_fee,
	]
}
