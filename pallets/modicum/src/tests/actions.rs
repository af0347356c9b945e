// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Steps that a crowd of accounts may take, and what must be true after each. The property test draws them at
//! random; the fuzz target decodes them from bytes.

#![allow(dead_code)]

use crate::{mock::*, *};
use codec::{Decode, Encode};
use frame::testing_prelude::*;
use modicum_primitives::{
	Balance, Evidence, Meter, Prices, RejectReason, Resources, ResultStatus, Run, Usage, NO_HASH,
};

/// Who acts.
pub const CROWD: [AccountId; 12] = [
	CREATOR,
	PROVIDER,
	MEDIATOR,
	DIRECTORY,
	SOLVER,
	STRANGER,
	CREATOR_2,
	PROVIDER_2,
	MEDIATOR_2,
	DIRECTORY_2,
	PAUPER,
	TREASURY,
];
/// Index of the admin among the origins.
pub const ADMIN: u8 = u8::MAX;

/// One step: time passes, then somebody calls.
#[derive(Encode, Decode, Clone, Debug, PartialEq)]
pub struct Step {
	/// How many milliseconds pass before the call.
	pub jump: u32,
	/// Whether the chain has idle time before the call, for this many entries of the queue.
	pub idle: Option<u8>,
	/// Who calls: an index into [`CROWD`], or [`ADMIN`].
	pub who: u8,
	/// What is called.
	pub call: Call<Test>,
}

impl Step {
	fn origin(&self) -> RuntimeOrigin {
		match self.who {
			ADMIN => root(),
			index => signed(CROWD[usize::from(index) % CROWD.len()]),
		}
	}

	/// Takes the step. Panics if the chain does what it must never do; returns whether the call succeeded.
	pub fn take(self) -> bool {
		let issuance = Balances::total_issuance();
		set_time(Timestamp::get().saturating_add(self.jump.into()));
		if let Some(entries) = self.idle {
			let base = <Test as Config>::WeightInfo::close_overdue(0);
			let each = <Test as Config>::WeightInfo::close_overdue(1);
			let given = base.saturating_add(each.saturating_mul(entries.into()));
			assert!(Modicum::on_idle(1, given).all_lte(given), "idle work took too much");
		}
		let quote = self.quote();
		let origin = self.origin();
		let outcome = RuntimeCall::Modicum(self.call).dispatch(origin);
		if let (Ok(_), Some((reason, who, before, quote))) = (&outcome, quote) {
			assert_eq!(Some(held(reason, who)), quote.map(|quote| before + quote), "wrong quote");
		}
		assert_eq!(Balances::total_issuance(), issuance, "money was created or lost");
		outcome.is_ok()
	}

	/// For a posting: who pays, what is on hold already, and what the view function says it will hold.
	fn quote(&self) -> Option<(HoldReason, AccountId, Balance, Option<Balance>)> {
		let who = CROWD[usize::from(self.who) % CROWD.len()];
		match &self.call {
			Call::post_job_offer { terms, extra_deposit, .. } => {
				let quote = Modicum::job_offer_deposit(terms.clone(), *extra_deposit);
				Some((HoldReason::JobOffer, who, held(HoldReason::JobOffer, who), quote))
			},
			Call::post_resource_offer { terms, extra_deposit } => {
				let quote = Modicum::resource_offer_deposit(*terms, *extra_deposit);
				Some((HoldReason::ResourceOffer, who, held(HoldReason::ResourceOffer, who), quote))
			},
			_ => None,
		}
	}
}

/// A small generator of random numbers whose whole state is its seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
	pub fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
		let mut mixed = self.0;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
		mixed ^ (mixed >> 31)
	}

	pub fn below(&mut self, bound: u64) -> u64 {
		self.next() % bound.max(1)
	}

	pub fn one_in(&mut self, chances: u64) -> bool {
		self.below(chances) == 0
	}

	pub fn pick<Item: Clone>(&mut self, items: &[Item]) -> Item {
		items[self.below(items.len() as u64) as usize].clone()
	}

	/// Mostly one of the numbers in use; sometimes one of the latest, in use or not or not yet.
	fn number(&mut self, in_use: impl Iterator<Item = u64>, next: u64) -> u64 {
		let in_use: Vec<_> = in_use.collect();
		if in_use.is_empty() || self.one_in(12) {
			(next + 1).saturating_sub(1 + self.below(8))
		} else {
			self.pick(&in_use)
		}
	}

	fn job_offer_number(&mut self) -> u64 {
		let open = JobOffers::<Test>::iter()
			.filter(|(_, offer)| offer.state == OfferState::Open)
			.map(|(id, _)| id);
		self.number(open, NextJobOfferId::<Test>::get())
	}

	fn resource_offer_number(&mut self) -> u64 {
		let open = ResourceOffers::<Test>::iter()
			.filter(|(_, offer)| offer.state == OfferState::Open)
			.map(|(id, _)| id);
		self.number(open, NextResourceOfferId::<Test>::get())
	}

	/// A step that often makes sense in the present state.
	pub fn step(&mut self) -> Step {
		let (who, call) = match self.below(100) {
			0..=11 => self.job_offer(),
			12..=23 => self.resource_offer(),
			24..=43 => self.post_match(),
			44..=82 => self.match_call(),
			83..=86 => self.cancel(),
			87..=88 => (STRANGER, Call::close_overdue { limit: self.below(4) as u32 }),
			89..=94 => self.trust(),
			95..=97 => self.register(),
			_ => return self.admin(),
		};
		// Sometimes somebody else tries.
		let who = if self.one_in(10) { self.pick(&CROWD) } else { who };
		let who = CROWD.iter().position(|other| *other == who).unwrap_or(0) as u8;
		Step { jump: self.jump(), idle: self.idle(), who, call }
	}

	fn jump(&mut self) -> u32 {
		let bound = self.pick(&[1, 1, 1, 1, 20, 100, 100, 1_500]);
		self.below(bound) as u32
	}

	fn idle(&mut self) -> Option<u8> {
		self.one_in(10).then(|| self.below(8) as u8)
	}

	fn job_offer(&mut self) -> (AccountId, Call<Test>) {
		let mut terms = job_terms();
		let ahead = self.pick(&[0, 150, 1_000, 5_000, 5_000, 5_000, 20_000, 2_000_000]);
		terms.completion_deadline = Timestamp::get() + ahead;
		terms.directory = self.pick(&[DIRECTORY, DIRECTORY, DIRECTORY_2]);
		match self.below(30) {
			0 => terms.limits = self.extreme_resources(),
			1 => terms.max_prices = self.extreme_prices(),
			2 => terms.match_incentive = self.extreme_balance(),
			3 => terms.max_availability_fee = self.extreme_balance(),
			4 => terms.meter = self.pick(Meter::ALL),
			5 => terms.limits.instructions = 1 + self.below(20) * BILLION,
			_ => {},
		}
		let uri_len = self.pick(&[24, 24, 24, 24, 0, 64, 65]);
		let extra_deposit = if self.one_in(4) { self.below(3_000).into() } else { 0 };
		let who = self.pick(&[CREATOR, CREATOR_2]);
		(who, Call::post_job_offer { terms, uri: vec![b'u'; uri_len], extra_deposit })
	}

	fn resource_offer(&mut self) -> (AccountId, Call<Test>) {
		let mut terms = resource_terms();
		if self.one_in(3) {
			let ahead = self.pick(&[0, 200, 2_000, 2_000, u64::MAX / 2]);
			terms.expires_at = Some(Timestamp::get() + ahead);
		}
		match self.below(30) {
			0 => terms.caps = self.extreme_resources(),
			1 => terms.prices = self.extreme_prices(),
			2 => terms.match_incentive = self.extreme_balance(),
			3 => terms.max_availability_fee = self.extreme_balance(),
			4 => terms.meter = self.pick(Meter::ALL),
			5 => terms.prices.instruction = self.below(12).into(),
			_ => {},
		}
		let extra_deposit = if self.one_in(4) { self.below(3_000).into() } else { 0 };
		(self.pick(&[PROVIDER, PROVIDER_2]), Call::post_resource_offer { terms, extra_deposit })
	}

	fn post_match(&mut self) -> (AccountId, Call<Test>) {
		let call = Call::post_match {
			job_offer: self.job_offer_number(),
			resource_offer: self.resource_offer_number(),
			mediator: self.pick(&[MEDIATOR, MEDIATOR, MEDIATOR_2, CREATOR]),
		};
		(self.pick(&[SOLVER, SOLVER, CREATOR, PROVIDER, MEDIATOR]), call)
	}

	/// Mostly what the match waits for.
	fn match_call(&mut self) -> (AccountId, Call<Test>) {
		let match_id = self.number(Matches::<Test>::iter_keys(), NextMatchId::<Test>::get());
		let Some(record) = Matches::<Test>::get(match_id) else {
			return (CREATOR, Call::accept_result { match_id });
		};
		let kind = if self.one_in(12) {
			self.below(3)
		} else {
			match record.phase {
				Phase::Running => 0,
				Phase::ResultPosted { .. } => 1,
				Phase::Mediating { .. } => 2,
			}
		};
		match (kind, self.below(10)) {
			(0, 0) => (record.creator, Call::timeout { match_id }),
			(0, _) => {
				let Run { status, result_hash, usage } = self.run();
				let call = Call::post_result { match_id, status, uri: uri(), result_hash, usage };
				(record.provider, call)
			},
			(1, 0..=2) => (record.creator, Call::accept_result { match_id }),
			(1, 3) => (record.provider, Call::accept_result { match_id }),
			(1, _) => {
				let reason = self.pick(RejectReason::ALL);
				(record.creator, Call::reject_result { match_id, reason })
			},
			(_, 0) => (record.creator, Call::timeout_mediation { match_id }),
			(_, 1) => (record.provider, Call::timeout_mediation { match_id }),
			_ => {
				let count = record.parameters.verification_count.into();
				let evidence = self.evidence(count, record.result().map(|result| result.run));
				(record.mediator, Call::post_mediation_result { match_id, evidence })
			},
		}
	}

	fn evidence(&mut self, count: u64, reported: Option<Run>) -> Evidence {
		let first = if self.one_in(2) { reported.unwrap_or_else(run) } else { self.run() };
		match self.below(12) {
			0 => Evidence::ResultNotOnDirectory,
			1 => Evidence::DirectoryUnavailable,
			2 => Evidence::Runs((0..count).map(|_| self.run()).collect()),
			3 => Evidence::Runs(vec![first; self.below(20) as usize]),
			4 => {
				let usage = Usage { instructions: 1, bandwidth: 0 };
				let less = if first.status.may_have_run() { usage } else { Usage::default() };
				Evidence::Runs(vec![Run { usage: less, ..first }; count as usize])
			},
			_ => Evidence::Runs(vec![first; count as usize]),
		}
	}

	fn run(&mut self) -> Run {
		let status =
			if self.one_in(3) { self.pick(ResultStatus::ALL) } else { ResultStatus::Completed };
		let instructions = if status.may_have_run() || self.one_in(10) {
			self.pick(&[0, 1, 5, 5, 9, 10, 11]) * BILLION
		} else {
			0
		};
		let result_hash = if status.has_output() {
			self.pick(&[OUTPUT, OUTPUT, OUTPUT, OTHER_OUTPUT])
		} else {
			NO_HASH
		};
		let bandwidth = self.pick(&[0, 1, 2]) * BILLION;
		Run { status, result_hash, usage: Usage { instructions, bandwidth } }
	}

	fn cancel(&mut self) -> (AccountId, Call<Test>) {
		if self.one_in(2) {
			let job_offer = self.job_offer_number();
			let owner = JobOffers::<Test>::get(job_offer).map(|offer| offer.creator);
			(owner.unwrap_or(CREATOR), Call::cancel_job_offer { job_offer })
		} else {
			let resource_offer = self.resource_offer_number();
			let owner = ResourceOffers::<Test>::get(resource_offer).map(|offer| offer.provider);
			(owner.unwrap_or(PROVIDER), Call::cancel_resource_offer { resource_offer })
		}
	}

	/// Takes something off a list, or puts it there; mostly the latter, or nothing could be matched for long.
	fn trust(&mut self) -> (AccountId, Call<Test>) {
		let add = !self.one_in(8);
		let mediator = self.pick(&[MEDIATOR, MEDIATOR_2, STRANGER]);
		let directory = self.pick(&[DIRECTORY, DIRECTORY_2, STRANGER]);
		let base_layer = self.pick(&[LAYER, LAYER, [1; 32]]);
		let creator = self.pick(&[CREATOR, CREATOR_2]);
		let provider = self.pick(&[PROVIDER, PROVIDER_2]);
		let actor = self.pick(&[MEDIATOR, MEDIATOR_2]);
		match (self.below(6), add) {
			(0, true) => (creator, Call::job_creator_add_trusted_mediator { mediator }),
			(0, false) => (creator, Call::job_creator_remove_trusted_mediator { mediator }),
			(1, true) => (provider, Call::resource_provider_add_trusted_mediator { mediator }),
			(1, false) => (provider, Call::resource_provider_remove_trusted_mediator { mediator }),
			(2, true) => (provider, Call::resource_provider_add_trusted_directory { directory }),
			(2, false) => {
				(provider, Call::resource_provider_remove_trusted_directory { directory })
			},
			(3, true) => {
				(provider, Call::resource_provider_add_supported_base_layer { base_layer })
			},
			(3, false) => {
				(provider, Call::resource_provider_remove_supported_base_layer { base_layer })
			},
			(4, true) => (actor, Call::mediator_add_trusted_directory { directory }),
			(4, false) => (actor, Call::mediator_remove_trusted_directory { directory }),
			(_, true) => (actor, Call::mediator_add_supported_base_layer { base_layer }),
			(_, false) => (actor, Call::mediator_remove_supported_base_layer { base_layer }),
		}
	}

	fn register(&mut self) -> (AccountId, Call<Test>) {
		let architecture = primitives::Architecture::Amd64;
		let availability_fee = self.below(12).into();
		let leave = self.one_in(8);
		match (self.below(4), leave) {
			(0, false) => (self.pick(&CROWD), Call::register_job_creator {}),
			(0, true) => {
				(self.pick(&[CREATOR, CREATOR_2, SOLVER]), Call::deregister_job_creator {})
			},
			(1, false) => {
				let time_per_billion_instructions = self.below(50);
				let call = Call::register_resource_provider {
					architecture,
					time_per_billion_instructions,
				};
				(self.pick(&CROWD), call)
			},
			(1, true) => (self.pick(&CROWD), Call::deregister_resource_provider {}),
			(2, false) => {
				(self.pick(&CROWD), Call::register_mediator { architecture, availability_fee })
			},
			(2, true) => (self.pick(&CROWD), Call::deregister_mediator {}),
			(_, false) => {
				let endpoint = vec![b'e'; self.below(34) as usize];
				(self.pick(&CROWD), Call::register_directory { endpoint, availability_fee })
			},
			(_, true) => (self.pick(&CROWD), Call::deregister_directory {}),
		}
	}

	fn admin(&mut self) -> Step {
		let call = match self.below(7) {
			0 => Call::set_penalty_rate { penalty_rate: self.below(60) as u32 },
			1 => Call::set_verification_count { verification_count: self.below(5) as u32 },
			2 => Call::set_reaction_deadline { reaction_deadline: self.below(2_000) },
			3 => Call::set_mediation_deadline { mediation_deadline: self.below(4_000) },
			4 => Call::set_min_match_incentive { min_match_incentive: self.below(7).into() },
			5 => Call::set_cost_tolerance {
				meter: self.pick(Meter::ALL),
				parts_per_million: self.below(1_100_000) as u32,
			},
			_ => Call::set_auto_close_grace { auto_close_grace: self.below(1_000) },
		};
		Step { jump: 0, idle: None, who: ADMIN, call }
	}

	fn extreme_balance(&mut self) -> Balance {
		let small = self.below(30).into();
		self.pick(&[0, 1, small, Balance::MAX, Balance::MAX / 2, u64::MAX.into()])
	}

	fn extreme(&mut self) -> u64 {
		self.pick(&[0, 1, BILLION, u64::MAX])
	}

	fn extreme_resources(&mut self) -> Resources {
		Resources {
			instructions: self.extreme(),
			ram: self.extreme(),
			storage: self.extreme(),
			bandwidth: self.extreme(),
		}
	}

	fn extreme_prices(&mut self) -> Prices {
		Prices { instruction: self.extreme_balance(), bandwidth: self.extreme_balance() }
	}
}
