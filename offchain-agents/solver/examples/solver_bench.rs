// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How fast books of several sizes and shapes are solved on this machine: prints a table. The number of matches is
//! compared with that of an independent implementation, except where every job or every resource is matched.
//!
//! `cargo run -p modicum-solver --example solver_bench`

#[path = "../tests/books/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod books;

use books::{check, Account, Books, Shape, NOW};
use modicum_solver::{OrderBook, Proposal};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

/// Offers that change on either side before each incremental solution.
const CHANGES: usize = 10;
/// Incremental solutions, of which the mean is shown.
const ROUNDS: u32 = 10;

fn main() -> Result<(), modicum_solver::BookFull> {
	let shapes = [
		("dense", Shape::DENSE),
		("mixed", Shape::MIXED),
		("sparse", Shape::SPARSE),
		("alike", Shape::ALIKE),
	];
	println!(
		"{:8} {:>7} {:>9} {:>8} {:>8} {:>10} {:>12} {:>22}",
		"shape",
		"jobs",
		"resources",
		"matches",
		"most",
		"fresh (s)",
		"no change",
		"10 + 10 changes (s)"
	);
	for (name, shape) in shapes {
		for size in [100, 1_000, 3_200, 10_000] {
			measure(name, shape, size, size)?;
		}
	}
	measure("dense", Shape::DENSE, 10_000, 5_000)?;
	measure("dense", Shape::DENSE, 5_000, 10_000)?;
	measure("mixed", Shape::MIXED, 10_000, 5_000)
}

fn measure(
	name: &str,
	shape: Shape,
	jobs: usize,
	resources: usize,
) -> Result<(), modicum_solver::BookFull> {
	let mut books = Books::new(ChaCha8Rng::seed_from_u64(7), shape);
	let mut book = books.book(jobs, resources);
	let (fresh, matches) = timed(&mut book);
	let most = match matches.len() == jobs.min(resources) {
		true => matches.len(),
		false => check::most_matches(&check::pairs(&book, &books.parameters, NOW)),
	};
	assert_eq!(matches.len(), most);
	let (unchanged, _) = timed(&mut book);
	let mut changed = 0.0;
	for round in 0..ROUNDS as usize {
		for change in 0..CHANGES {
			let at = round * CHANGES + change;
			book.remove_job_offer(at as u64);
			book.insert_job_offer((jobs + at) as u64, books.job_offer())?;
			book.remove_resource_offer(at as u64);
			book.insert_resource_offer((resources + at) as u64, books.resource_offer())?;
		}
		changed += timed(&mut book).0;
	}
	println!(
		"{name:8} {jobs:>7} {resources:>9} {:>8} {most:>8} {fresh:>10.3} {unchanged:>12.4} {:>22.4}",
		matches.len(),
		changed / f64::from(ROUNDS)
	);
	Ok(())
}

fn timed(book: &mut OrderBook<Account>) -> (f64, Vec<Proposal<Account>>) {
	let start = Instant::now();
	let proposals = book.solve(NOW);
	(start.elapsed().as_secs_f64(), proposals)
}
