// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How fast the model and the simulation are on this machine: prints a table, decides nothing.
//!
//! `cargo run -p modicum-economics --example economics_bench`

use std::hint::black_box;
use std::time::Instant;

use modicum_economics::simulation::{simulate, Population, SimulationConfig};
use modicum_economics::{Bimatrix, EconomicsError, Parameters};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const JOBS: u64 = 1_000_000;
const GAMES: usize = 1_000_000;

fn main() -> Result<(), EconomicsError> {
	println!("{:44} {:>10} {:>10} {:>14}", "what", "count", "seconds", "per second");
	let parameters = Parameters::example();
	let population = Population::mixed(&parameters)?;
	let config = SimulationConfig::new(parameters, population, JOBS, 1);
	let jobs = JOBS as usize;
	measure("jobs of a mixed population, all processors", jobs, || simulate(&config).map(|_| ()))?;

	let mut random = ChaCha8Rng::seed_from_u64(1);
	let mut table = || [[random.random(), random.random()], [random.random(), random.random()]];
	let games: Vec<Bimatrix> =
		(0..GAMES).map(|_| Bimatrix::new(table(), table())).collect::<Result<_, _>>()?;
	measure("equilibria of random 2×2 games, one processor", GAMES, || {
		for game in &games {
			black_box(game.equilibria());
		}
		Ok(())
	})?;
	measure("equilibria by the theorems, one processor", GAMES, || {
		for index in 0..GAMES {
			let stage = parameters.stage(1.0 - index as f64 / GAMES as f64 / 100.0)?;
			black_box(stage.predict().ok());
		}
		Ok(())
	})
}

fn measure(
	what: &str,
	count: usize,
	work: impl FnOnce() -> Result<(), EconomicsError>,
) -> Result<(), EconomicsError> {
	let start = Instant::now();
	work()?;
	let seconds = start.elapsed().as_secs_f64();
	println!("{what:44} {count:>10} {seconds:>10.3} {:>14.0}", count as f64 / seconds);
	Ok(())
}
