// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Random order books for the tests and the bench.

pub mod check;

use modicum_primitives::{
	job_offer_deposit, resource_offer_deposit, Architecture, Balance, JobTerms, Meter, Moment,
	Parameters, Prices, ResourceTerms, Resources,
};
use modicum_solver::{JobOffer, Mediator, OrderBook, Provider, ResourceOffer};
use rand::{seq::IndexedRandom, Rng};

/// An account, as on the chain.
pub type Account = [u8; 32];

/// The time at which books are made.
pub const NOW: Moment = 1_800_000_000_000;

const HOUR: Moment = 3_600_000;
const GIB: u64 = 1 << 30;
/// 10^9 of a token with 12 decimals.
const NANO: Balance = 1_000;

/// How a random book looks.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
	/// Creators, and as many providers.
	pub owners: u32,
	/// Mediators in all.
	pub mediators: u32,
	/// Directories in all, and base layers in all.
	pub directories: u32,
	/// How many mediators, directories and base layers each owner trusts or has.
	pub trusted: usize,
	/// Architectures in use, 1 to 3.
	pub architectures: usize,
	/// How many different numbers there are of each kind: few make many offers alike.
	pub steps: u64,
}

impl Shape {
	/// Nearly every resource offer that is large and cheap enough will do.
	pub const DENSE: Self = Self {
		owners: 500,
		mediators: 5,
		directories: 3,
		trusted: 5,
		architectures: 1,
		steps: 10_000,
	};
	/// What a market of several regions may look like.
	pub const MIXED: Self = Self {
		owners: 500,
		mediators: 20,
		directories: 8,
		trusted: 6,
		architectures: 2,
		steps: 10_000,
	};
	/// Few can work for few.
	pub const SPARSE: Self = Self {
		owners: 500,
		mediators: 60,
		directories: 40,
		trusted: 8,
		architectures: 3,
		steps: 10_000,
	};
	/// A few kinds of machines and of jobs.
	pub const ALIKE: Self =
		Self { owners: 500, mediators: 5, directories: 3, trusted: 3, architectures: 2, steps: 4 };
}

fn account(kind: u8, number: u32) -> Account {
	let mut account = [0; 32];
	// Not in the order of the numbers, as on a chain.
	account[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_be_bytes());
	account[4] = kind;
	account
}

/// Makes offers of one shape.
pub struct Books<R> {
	/// Where the numbers come from.
	pub random: R,
	/// What they are like.
	pub shape: Shape,
	/// The parameters that deposits are computed for.
	pub parameters: Parameters,
}

impl<R: Rng> Books<R> {
	/// A source of offers.
	pub fn new(random: R, shape: Shape) -> Self {
		Self { random, shape, parameters: Parameters::default() }
	}

	fn number(&mut self, least: u64, most: u64) -> u64 {
		let step = self.random.random_range(0..self.shape.steps);
		least + (u128::from(most - least) * u128::from(step) / u128::from(self.shape.steps)) as u64
	}

	fn some(&mut self, kind: u8, of: u32) -> Vec<Account> {
		let all: Vec<u32> = (0..of).collect();
		let chosen: Vec<u32> =
			all.choose_multiple(&mut self.random, self.shape.trusted).copied().collect();
		chosen.into_iter().map(|number| account(kind, number)).collect()
	}

	fn architecture(&mut self) -> Architecture {
		Architecture::ALL[self.random.random_range(0..self.shape.architectures)]
	}

	/// A random mediator that exists.
	pub fn mediator_account(&mut self) -> Account {
		account(3, self.random.random_range(0..self.shape.mediators))
	}

	/// A random provider that exists.
	pub fn provider_account(&mut self) -> Account {
		account(2, self.random.random_range(0..self.shape.owners))
	}

	/// A random creator that exists. Every tenth is a provider, too.
	pub fn creator_account(&mut self) -> Account {
		let number = self.random.random_range(0..self.shape.owners);
		account(if number % 10 == 0 { 2 } else { 1 }, number)
	}

	/// A creator's list of trusted mediators.
	pub fn creator(&mut self) -> Vec<Account> {
		self.some(3, self.shape.mediators)
	}

	/// A provider.
	pub fn provider(&mut self) -> Provider<Account> {
		Provider {
			architecture: self.architecture(),
			time_per_billion_instructions: self.number(50, 500),
			trusted_mediators: self.some(3, self.shape.mediators),
			trusted_directories: self.some(4, self.shape.directories),
			base_layers: self.some(5, self.shape.directories),
		}
	}

	/// A mediator.
	pub fn mediator(&mut self) -> Mediator<Account> {
		Mediator {
			architecture: self.architecture(),
			availability_fee: u128::from(self.number(1, 1_000_000)),
			trusted_directories: self.some(4, self.shape.directories),
			base_layers: self.some(5, self.shape.directories),
		}
	}

	/// A job offer.
	pub fn job_offer(&mut self) -> JobOffer<Account> {
		let terms = JobTerms {
			directory: account(4, self.random.random_range(0..self.shape.directories)),
			job_hash: self.random.random(),
			base_layer: account(5, self.random.random_range(0..self.shape.directories)),
			architecture: self.architecture(),
			limits: Resources {
				instructions: self.number(1_000_000_000, 20_000_000_000_000),
				ram: self.number(GIB / 8, 12 * GIB),
				storage: self.number(GIB, 50 * GIB),
				bandwidth: self.number(1_000_000, 8 * GIB),
			},
			max_prices: self.prices(30 * NANO, 130 * NANO),
			max_availability_fee: u128::from(self.number(500_000, 3_000_000)),
			completion_deadline: NOW + self.number(HOUR / 2, 24 * HOUR),
			match_incentive: 5,
			meter: Meter::CpuTime,
		};
		let held = job_offer_deposit(&terms, &self.parameters).expect("moderate numbers; qed");
		JobOffer { creator: self.creator_account(), terms, held }
	}

	/// A resource offer.
	pub fn resource_offer(&mut self) -> ResourceOffer<Account> {
		let terms = ResourceTerms {
			caps: Resources {
				instructions: self.number(5_000_000_000_000, 30_000_000_000_000),
				ram: self.number(GIB, 32 * GIB),
				storage: self.number(10 * GIB, 200 * GIB),
				bandwidth: self.number(GIB, 20 * GIB),
			},
			prices: self.prices(10 * NANO, 100 * NANO),
			max_availability_fee: u128::from(self.number(500_000, 3_000_000)),
			match_incentive: 5,
			meter: Meter::CpuTime,
			expires_at: self.random.random_bool(0.5).then_some(NOW + HOUR),
		};
		let held = resource_offer_deposit(&terms, &self.parameters).expect("moderate numbers; qed");
		ResourceOffer { provider: self.provider_account(), terms, held }
	}

	fn prices(&mut self, least: Balance, most: Balance) -> Prices {
		let (least, most) = (least as u64, most as u64);
		Prices {
			instruction: u128::from(self.number(least, most)),
			bandwidth: u128::from(self.number(least, most)),
		}
	}

	/// A book with all accounts of the shape and no offers.
	pub fn empty_book(&mut self, capacity: usize) -> OrderBook<Account> {
		const FITS: &str = "the capacity is for offers and accounts; qed";
		let mut book = OrderBook::new(self.parameters, capacity);
		for number in 0..self.shape.owners {
			let creator = account(if number % 10 == 0 { 2 } else { 1 }, number);
			book.set_creator(&creator, Some(self.creator())).expect(FITS);
			book.set_provider(&account(2, number), Some(self.provider())).expect(FITS);
		}
		for number in 0..self.shape.mediators {
			book.set_mediator(&account(3, number), Some(self.mediator())).expect(FITS);
		}
		for number in 0..self.shape.directories {
			let fee = u128::from(self.number(1, 300_000));
			book.set_directory(&account(4, number), Some(fee)).expect(FITS);
		}
		book
	}

	/// A book with offers of the ids from 0.
	pub fn book(&mut self, jobs: usize, resources: usize) -> OrderBook<Account> {
		const FITS: &str = "the capacity is for offers and accounts; qed";
		let mut book = self.empty_book(jobs.max(resources) + 10_000);
		for id in 0..jobs as u64 {
			book.insert_job_offer(id, self.job_offer()).expect(FITS);
		}
		for id in 0..resources as u64 {
			book.insert_resource_offer(id, self.resource_offer()).expect(FITS);
		}
		book
	}
}
