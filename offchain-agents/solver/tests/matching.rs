// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the solver promises, on random books, against the pallet's rules and independent algorithms.

#[allow(dead_code, reason = "the bench uses more of it")]
mod books;

use books::{check, Account, Books, Shape, NOW};
use modicum_primitives::{Balance, Moment};
use modicum_solver::{OrderBook, Proposal};
use pathfinding::{
	kuhn_munkres::kuhn_munkres_min,
	matrix::Matrix,
	prelude::{edmonds_karp_dense, EKFlows},
};
use proptest::prelude::*;
use rand::{seq::SliceRandom, Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

const MEDIATORS: u32 = 4;
/// Above every sum of prices in these tests.
const LEFT_OUT: i128 = 1 << 90;

fn small(steps: u64) -> Shape {
	Shape { owners: 12, mediators: MEDIATORS, directories: 2, trusted: 2, architectures: 2, steps }
}

fn books(seed: u64, steps: u64) -> Books<ChaCha8Rng> {
	Books::new(ChaCha8Rng::seed_from_u64(seed), small(steps))
}

/// Every feasible pair with the lowest price of any mediator, without a_D, by brute force over all accounts.
fn prices(book: &OrderBook<Account>, now: Moment) -> BTreeMap<(u64, u64), Balance> {
	let mut prices = BTreeMap::new();
	for (job, offer) in book.job_offers() {
		for (resource, other) in book.resource_offers() {
			let trusted = book.creator(&offer.creator).unwrap_or_default();
			let fees = trusted
				.iter()
				.filter(|who| book.broken_rules(*job, *resource, who, now) == Some(Vec::new()));
			let fees = fees.filter_map(|who| book.mediator(who)).map(|m| m.availability_fee);
			let value = modicum_primitives::match_value(&offer.terms.limits, other.terms.prices);
			if let (Some(fee), Ok(value)) = (fees.min(), value) {
				prices.insert((*job, *resource), value + fee);
			}
		}
	}
	prices
}

fn check_sound(book: &OrderBook<Account>, proposals: &[Proposal<Account>], now: Moment) {
	let mut used = (BTreeSet::new(), BTreeSet::new());
	for proposal in proposals {
		let (job, resource) = (proposal.job_offer, proposal.resource_offer);
		let broken = book.broken_rules(job, resource, &proposal.mediator, now);
		assert_eq!(broken, Some(Vec::new()));
		assert!(used.0.insert(job) && used.1.insert(resource), "used twice");
	}
}

fn most_matches(pairs: &BTreeMap<(u64, u64), Balance>) -> usize {
	let mut edges: Vec<((i64, i64), i32)> = vec![];
	let mut sides = (BTreeSet::new(), BTreeSet::new());
	for (job, resource) in pairs.keys() {
		edges.push(((*job as i64 + 1, -(*resource as i64) - 1), 1));
		sides.0.insert(*job as i64 + 1);
		sides.1.insert(-(*resource as i64) - 1);
	}
	if edges.is_empty() {
		return 0;
	}
	let (source, sink) = (i64::MAX, i64::MIN);
	let mut nodes = vec![source, sink];
	nodes.extend(sides.0.iter().chain(&sides.1));
	edges.extend(sides.0.iter().map(|job| ((source, *job), 1)));
	edges.extend(sides.1.iter().map(|resource| ((*resource, sink), 1)));
	let (_, flow, _): EKFlows<i64, i32> = edmonds_karp_dense(&nodes, &source, &sink, edges);
	flow as usize
}

/// The lowest total price of the most matches, by the Hungarian method with a place to be left out for each job.
fn lowest(book: &OrderBook<Account>, directory_fee: impl Fn(u64) -> Balance, now: Moment) -> i128 {
	let pairs = prices(book, now);
	let jobs: Vec<u64> = book.job_offers().keys().copied().collect();
	let resources: Vec<u64> = book.resource_offers().keys().copied().collect();
	let width = resources.len() + jobs.len();
	let matrix = Matrix::from_fn(jobs.len(), width, |(job, at)| {
		let pair = resources.get(at).and_then(|resource| pairs.get(&(jobs[job], *resource)));
		pair.map_or(LEFT_OUT, |price| (*price + directory_fee(jobs[job])) as i128)
	});
	let (total, assignment) = kuhn_munkres_min(&matrix);
	let left_out =
		assignment.iter().enumerate().filter(|(job, at)| matrix[(*job, **at)] == LEFT_OUT);
	total - left_out.count() as i128 * LEFT_OUT
}

fn total(proposals: &[Proposal<Account>]) -> i128 {
	proposals.iter().map(|proposal| proposal.price() as i128).sum()
}

/// One flat a_D for all directories, so that the reference needs no access to them.
const DIRECTORY_FEE: Balance = 77_777;

fn flat(book: &mut OrderBook<Account>) {
	let directories: BTreeSet<Account> =
		book.job_offers().values().map(|offer| offer.terms.directory).collect();
	for directory in directories {
		book.set_directory(&directory, Some(DIRECTORY_FEE)).expect("there is room; qed");
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(150))]

	#[test]
	fn most_matches_at_the_lowest_price(
		seed: u64, jobs in 0..40_usize, resources in 0..40_usize, few in any::<bool>(),
	) {
		let mut books = books(seed, if few { 3 } else { 10_000 });
		let mut book = books.book(jobs, resources);
		flat(&mut book);
		let proposals = book.solve(NOW);
		check_sound(&book, &proposals, NOW);
		prop_assert_eq!(proposals.len(), most_matches(&prices(&book, NOW)));
		if jobs > 0 {
			prop_assert_eq!(total(&proposals), lowest(&book, |_| DIRECTORY_FEE, NOW));
		}
		prop_assert!(book.is_cheapest());
	}

	#[test]
	fn the_order_of_the_changes_does_not_matter(seed: u64) {
		let mut books = books(seed, 3);
		let mut book = books.book(25, 25);
		let mut other = books.empty_book(1_000);
		let mut jobs: Vec<_> = book.job_offers().clone().into_iter().collect();
		let mut resources: Vec<_> = book.resource_offers().clone().into_iter().collect();
		jobs.shuffle(&mut books.random);
		resources.shuffle(&mut books.random);
		for (id, offer) in resources {
			let provider = book.provider(&offer.provider).cloned();
			other.set_provider(&offer.provider, provider).expect("there is room; qed");
			other.insert_resource_offer(id, offer).expect("there is room; qed");
		}
		for (id, offer) in jobs {
			let creator = book.creator(&offer.creator).map(<[_]>::to_vec);
			for who in creator.iter().flatten() {
				other.set_mediator(who, book.mediator(who).cloned()).expect("there is room; qed");
			}
			other.set_creator(&offer.creator, creator).expect("there is room; qed");
			other.insert_job_offer(id, offer).expect("there is room; qed");
		}
		flat(&mut book);
		flat(&mut other);
		prop_assert_eq!(book.solve(NOW), other.solve(NOW));
	}

	#[test]
	fn changes_lead_where_a_fresh_start_leads(seed: u64, few in any::<bool>()) {
		let mut books = books(seed, if few { 3 } else { 10_000 });
		let mut book = books.book(40, 40);
		let mut now = NOW;
		for round in 0..8 {
			let proposals = book.solve(now);
			check_sound(&book, &proposals, now);
			let mut fresh = book.clone();
			fresh.forget_solution();
			let anew = fresh.solve(now);
			prop_assert_eq!(proposals.len(), anew.len());
			prop_assert_eq!(total(&proposals), total(&anew));
			for at in 0..books.random.random_range(0..5_u64) {
				match books.random.random_range(0..8) {
					0 => {
						book.insert_job_offer(100 + round * 10 + at, books.job_offer()).expect("room");
					},
					1 => {
						book.insert_resource_offer(100 + round * 10 + at, books.resource_offer())
							.expect("room");
					},
					2 => { book.remove_job_offer(at * 7); },
					3 => { book.remove_resource_offer(at * 5); },
					4 => book.set_mediator(&books.mediator_account(), Some(books.mediator())).expect("room"),
					5 => book.set_provider(&books.provider_account(), Some(books.provider())).expect("room"),
					6 => book.set_creator(&books.creator_account(), Some(books.creator())).expect("room"),
					_ => now += 600_000,
				}
			}
			for proposal in proposals.iter().take(2) {
				book.remove_job_offer(proposal.job_offer);
				book.remove_resource_offer(proposal.resource_offer);
			}
		}
	}

	#[test]
	fn the_largest_numbers_do_no_harm(seed: u64) {
		let mut books = books(seed, 3);
		let mut book = books.book(12, 12);
		for id in 0..12 {
			let mut job = book.job_offers()[&id].clone();
			let mut resource = book.resource_offers()[&id].clone();
			for _ in 0..4 {
				let number: u64 = if books.random.random() { u64::MAX } else { 0 };
				let amount: u128 = [0, 1 << 64, u128::MAX][books.random.random_range(0..3)];
				match books.random.random_range(0..10) {
					0 => job.terms.limits.instructions = number,
					1 => job.terms.limits.bandwidth = number,
					2 => job.terms.max_prices.instruction = amount,
					3 => job.terms.max_availability_fee = amount,
					4 => job.held = amount,
					5 => job.terms.completion_deadline = number,
					6 => resource.terms.prices.instruction = amount,
					7 => resource.terms.caps.instructions = number,
					8 => resource.held = amount,
					_ => resource.terms.max_availability_fee = amount,
				}
			}
			book.insert_job_offer(id, job).expect("there is room; qed");
			book.insert_resource_offer(id, resource).expect("there is room; qed");
		}
		for now in [0, NOW, Moment::MAX] {
			let proposals = book.solve(now);
			check_sound(&book, &proposals, now);
			prop_assert_eq!(proposals.len(), most_matches(&prices(&book, now)));
		}
	}
}

#[test]
fn the_independent_check_knows_the_same_pairs() {
	for seed in 0..20 {
		let mut books = books(seed, if seed % 2 == 0 { 3 } else { 10_000 });
		let book = books.book(30, 30);
		let found = check::pairs(&book, &books.parameters, NOW).into_iter();
		// Offers are numbered from 0, so their places are their numbers.
		let found: BTreeSet<_> =
			found.map(|(job, resource)| (job as u64, resource as u64)).collect();
		let by_the_rules = prices(&book, NOW);
		assert_eq!(found, by_the_rules.keys().copied().collect());
		assert_eq!(
			check::most_matches(&check::pairs(&book, &books.parameters, NOW)),
			most_matches(&by_the_rules)
		);
	}
}

#[test]
fn large_books_get_the_most_matches() {
	for (shape, jobs, resources) in [
		(Shape::DENSE, 1_500, 1_300),
		(Shape::MIXED, 1_050, 1_050),
		(Shape::SPARSE, 2_000, 2_000),
		(Shape::ALIKE, 1_200, 1_400),
	] {
		large_book(Shape { owners: 100, ..shape }, jobs, resources);
	}
}

fn large_book(shape: Shape, jobs: usize, resources: usize) {
	let mut books = Books::new(ChaCha8Rng::seed_from_u64(3), shape);
	let mut book = books.book(jobs, resources);
	let proposals = book.solve(NOW);
	assert!(!book.is_cheapest());
	check_sound(&book, &proposals, NOW);
	let pairs = check::pairs(&book, &books.parameters, NOW);
	assert_eq!(proposals.len(), check::most_matches(&pairs), "{shape:?}");
	for at in 0..20 {
		book.remove_job_offer(at);
		book.insert_resource_offer(5_000 + at, books.resource_offer()).expect("there is room; qed");
	}
	let changed = book.solve(NOW);
	check_sound(&book, &changed, NOW);
	book.forget_solution();
	assert_eq!(changed.len(), book.solve(NOW).len());
}

#[test]
fn explanations_count_every_resource_offer() {
	let mut books = books(5, 3);
	let book = books.book(20, 30);
	let pairs = prices(&book, NOW);
	for job in book.job_offers().keys() {
		let explanation = book.explain(*job, NOW).expect("it is in the book; qed");
		let feasible = pairs.keys().filter(|(of, _)| of == job).count();
		assert_eq!(explanation.feasible, feasible);
		let others = book.resource_offers().len() - feasible;
		assert!(explanation.broken.values().all(|count| *count <= others));
		assert!(explanation.broken.values().sum::<usize>() >= others);
	}
	assert_eq!(book.explain(1_000, NOW), None);
}
