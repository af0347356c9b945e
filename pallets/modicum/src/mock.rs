// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A small runtime with the market in it, and helpers that speak its language.
//!
//! The fuzz targets include this file too; what only they or only the tests use is therefore allowed to be dead.

#![allow(clippy::unwrap_used, dead_code, missing_docs)]

use crate::{HoldReason, *};
use frame::{
	testing_prelude::*,
	token::fungible::{HoldConsideration, Inspect as _, InspectHold as _},
	traits::LinearStoragePrice,
};
use modicum_primitives::{
	Architecture, Balance, CostTolerances, Evidence, JobOfferId, JobTerms, MatchId, Meter, Moment,
	Parameters, Prices, RejectReason, ResourceOfferId, ResourceTerms, Resources, ResultStatus, Run,
	Usage, NO_HASH,
};

pub type AccountId = u64;
type Block = MockBlock<Test>;

#[frame_construct_runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(3)]
	pub type Modicum = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {}

/// Existential deposit.
pub const ED: Balance = 10;

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
	type AccountStore = System;
}

/// What an empty registration costs, and each byte of its lists.
pub const REGISTRATION: Balance = 100;
pub const PER_BYTE: Balance = 2;

parameter_types! {
	pub const RegistrationReason: RuntimeHoldReason =
		RuntimeHoldReason::Modicum(HoldReason::Registration);
}

impl Config for Test {
	type AdminOrigin = EnsureRoot<AccountId>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		RegistrationReason,
		LinearStoragePrice<ConstU128<REGISTRATION>, ConstU128<PER_BYTE>, Balance>,
	>;
	type FinesDestination = ConstU64<TREASURY>;
	type Time = Timestamp;
	type MaxJobDuration = ConstU64<1_000_000>;
	type MaxTrustedMediators = ConstU32<4>;
	type MaxTrustedDirectories = ConstU32<4>;
	type MaxBaseLayers = ConstU32<4>;
	type MaxUriLen = ConstU32<64>;
	type MaxEndpointLen = ConstU32<32>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Clock;
}

#[cfg(feature = "runtime-benchmarks")]
pub struct Clock;
#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for Clock {
	fn set_time(now: Moment) {
		Timestamp::set_timestamp(now);
	}
}

pub const CREATOR: AccountId = 1;
pub const PROVIDER: AccountId = 2;
pub const MEDIATOR: AccountId = 3;
pub const DIRECTORY: AccountId = 4;
pub const SOLVER: AccountId = 5;
pub const STRANGER: AccountId = 6;
/// A second one of each role.
pub const CREATOR_2: AccountId = 11;
pub const PROVIDER_2: AccountId = 12;
pub const MEDIATOR_2: AccountId = 13;
pub const DIRECTORY_2: AccountId = 14;
/// Has less than any deposit.
pub const PAUPER: AccountId = 20;
/// Fines go here.
pub const TREASURY: AccountId = 99;

pub const FORTUNE: Balance = 1_000_000;
pub const START: Moment = 1_000_000;
pub const DEADLINE: Moment = START + 10_000;
pub const REACTION: Moment = 1_000;
pub const MEDIATION: Moment = 2_000;
pub const GRACE: Moment = 500;

pub const LAYER: [u8; 32] = [7; 32];
pub const OUTPUT: [u8; 32] = [9; 32];
pub const OTHER_OUTPUT: [u8; 32] = [8; 32];
pub const BILLION: u64 = 1_000_000_000;

/// θ and n.
pub const PENALTY_RATE: Balance = 50;
pub const RUNS: Balance = 2;
/// a_M and a_D.
pub const MEDIATOR_FEE: Balance = 7;
pub const DIRECTORY_FEE: Balance = 4;
pub const FEES: Balance = MEDIATOR_FEE + DIRECTORY_FEE;
/// What creator and provider pay the solver.
pub const CREATOR_INCENTIVE: Balance = 6;
pub const PROVIDER_INCENTIVE: Balance = 5;

/// v of [`job_terms`] at the prices of [`resource_terms`]: 10·10 + 2·3.
pub const VALUE: Balance = 106;
/// d of that match.
pub const DEPOSIT: Balance = VALUE * (PENALTY_RATE + RUNS) + FEES;
/// What posting [`job_terms`] holds: (10·12 + 2·4)·(θ + n) + 20 + 6.
pub const JOB_HOLD: Balance = 128 * (PENALTY_RATE + RUNS) + 20 + CREATOR_INCENTIVE;
/// What posting [`resource_terms`] holds: (20·10 + 4·3)·(θ + n) + 15 + 5.
pub const RESOURCE_HOLD: Balance = 212 * (PENALTY_RATE + RUNS) + 15 + PROVIDER_INCENTIVE;
/// π_c of [`run`]: 5·10 + 1·3.
pub const COST: Balance = 53;

pub fn parameters() -> Parameters {
	Parameters {
		penalty_rate: PENALTY_RATE as u32,
		verification_count: RUNS as u32,
		reaction_deadline: REACTION,
		mediation_deadline: MEDIATION,
		min_match_incentive: 5,
		cost_tolerances: CostTolerances::default(),
		auto_close_grace: GRACE,
	}
}

pub fn job_terms() -> JobTerms<AccountId> {
	JobTerms {
		directory: DIRECTORY,
		job_hash: [1; 32],
		base_layer: LAYER,
		architecture: Architecture::Amd64,
		limits: Resources {
			instructions: 10 * BILLION,
			ram: BILLION,
			storage: BILLION,
			bandwidth: 2 * BILLION,
		},
		max_prices: Prices { instruction: 12, bandwidth: 4 },
		max_availability_fee: 20,
		completion_deadline: DEADLINE,
		match_incentive: CREATOR_INCENTIVE,
		meter: Meter::HardwareInstructions,
	}
}

pub fn resource_terms() -> ResourceTerms {
	ResourceTerms {
		caps: Resources {
			instructions: 20 * BILLION,
			ram: 2 * BILLION,
			storage: 2 * BILLION,
			bandwidth: 4 * BILLION,
		},
		prices: Prices { instruction: 10, bandwidth: 3 },
		max_availability_fee: 15,
		match_incentive: PROVIDER_INCENTIVE,
		meter: Meter::HardwareInstructions,
		expires_at: None,
	}
}

/// A completed run that used half of everything.
pub fn run() -> Run {
	Run {
		status: ResultStatus::Completed,
		result_hash: OUTPUT,
		usage: Usage { instructions: 5 * BILLION, bandwidth: BILLION },
	}
}

/// A run of another status.
pub fn failed_run(status: ResultStatus) -> Run {
	let instructions = if status.may_have_run() { 5 * BILLION } else { 0 };
	Run { status, result_hash: NO_HASH, usage: Usage { instructions, bandwidth: BILLION } }
}

pub fn uri() -> Vec<u8> {
	b"modicum://directory/job".to_vec()
}

pub fn new_test_ext() -> TestState {
	let accounts = [
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
	];
	let mut balances: Vec<_> = accounts.iter().map(|who| (*who, FORTUNE)).collect();
	balances.extend([(TREASURY, ED), (PAUPER, 2 * ED)]);
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		modicum: GenesisConfig { parameters: parameters(), ..Default::default() },
		..Default::default()
	}
	.build_storage()
	.unwrap();
	let mut state = TestState::from(storage);
	state.execute_with(|| {
		System::set_block_number(1);
		Timestamp::set_timestamp(START);
	});
	state
}

/// Runs `test` in a fresh chain and checks every invariant and the money supply afterwards.
#[cfg(test)]
pub fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		let issuance = Balances::total_issuance();
		test();
		assert_eq!(Balances::total_issuance(), issuance, "money was created or lost");
		Modicum::do_try_state().unwrap();
	});
}

/// As [`build_and_execute`], with everybody registered and trusting each other.
#[cfg(test)]
pub fn in_market(test: impl FnOnce()) {
	build_and_execute(|| {
		open_market();
		System::reset_events();
		test();
	});
}

/// Registers all parties and makes them trust each other.
pub fn open_market() {
	for mediator in [MEDIATOR, MEDIATOR_2] {
		let origin = signed(mediator);
		assert_ok!(Modicum::register_mediator(origin, Architecture::Amd64, MEDIATOR_FEE));
	}
	for directory in [DIRECTORY, DIRECTORY_2] {
		assert_ok!(Modicum::register_directory(signed(directory), b"d".to_vec(), DIRECTORY_FEE));
	}
	for mediator in [MEDIATOR, MEDIATOR_2] {
		for directory in [DIRECTORY, DIRECTORY_2] {
			assert_ok!(Modicum::mediator_add_trusted_directory(signed(mediator), directory));
		}
		assert_ok!(Modicum::mediator_add_supported_base_layer(signed(mediator), LAYER));
	}
	for creator in [CREATOR, CREATOR_2] {
		assert_ok!(Modicum::register_job_creator(signed(creator)));
		for mediator in [MEDIATOR, MEDIATOR_2] {
			assert_ok!(Modicum::job_creator_add_trusted_mediator(signed(creator), mediator));
		}
	}
	for provider in [PROVIDER, PROVIDER_2] {
		let origin = signed(provider);
		assert_ok!(Modicum::register_resource_provider(origin, Architecture::Amd64, 10));
		for mediator in [MEDIATOR, MEDIATOR_2] {
			assert_ok!(Modicum::resource_provider_add_trusted_mediator(signed(provider), mediator));
		}
		for directory in [DIRECTORY, DIRECTORY_2] {
			let origin = signed(provider);
			assert_ok!(Modicum::resource_provider_add_trusted_directory(origin, directory));
		}
		assert_ok!(Modicum::resource_provider_add_supported_base_layer(signed(provider), LAYER));
	}
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub fn root() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

pub fn set_time(now: Moment) {
	Timestamp::set_timestamp(now);
}

pub fn post_job(terms: JobTerms<AccountId>) -> JobOfferId {
	let id = NextJobOfferId::<Test>::get();
	assert_ok!(Modicum::post_job_offer(signed(CREATOR), terms, uri(), 0));
	id
}

pub fn post_resource(terms: ResourceTerms) -> ResourceOfferId {
	let id = NextResourceOfferId::<Test>::get();
	assert_ok!(Modicum::post_resource_offer(signed(PROVIDER), terms, 0));
	id
}

/// Posts and matches the standard offers with these changes.
pub fn matched_with(job: JobTerms<AccountId>, resource: ResourceTerms) -> MatchId {
	let (job, resource) = (post_job(job), post_resource(resource));
	let id = NextMatchId::<Test>::get();
	assert_ok!(Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR));
	id
}

/// A running match of the standard offers.
pub fn matched() -> MatchId {
	matched_with(job_terms(), resource_terms())
}

/// Posts `run` as the result of a match.
pub fn post(match_id: MatchId, run: Run) {
	let Run { status, result_hash, usage } = run;
	let origin = signed(PROVIDER);
	assert_ok!(Modicum::post_result(origin, match_id, status, uri(), result_hash, usage));
}

/// A match whose provider posted `run`.
pub fn with_result(run: Run) -> MatchId {
	let match_id = matched();
	post(match_id, run);
	match_id
}

/// Posts `run` as the result of a match, and the creator accepts it.
pub fn post_and_accept(match_id: MatchId, run: Run) {
	post(match_id, run);
	assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
}

/// A match whose creator rejected `run` for `reason`.
pub fn rejected(run: Run, reason: RejectReason) -> MatchId {
	let match_id = with_result(run);
	assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, reason));
	match_id
}

/// A match whose creator rejected `run` as wrong.
pub fn in_mediation(run: Run) -> MatchId {
	rejected(run, RejectReason::WrongResults)
}

/// Posts the mediator's evidence, which closes a match.
pub fn mediate(match_id: MatchId, evidence: Evidence) {
	assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, evidence));
}

/// Two runs like `run`.
pub fn runs(run: Run) -> Evidence {
	Evidence::Runs(vec![run; RUNS as usize])
}

/// Locks all that an account has, as a vote or a vesting schedule would.
pub fn lock_everything(who: AccountId) {
	use frame::traits::LockableCurrency;
	Balances::set_lock(*b"elsewher", &who, Balance::MAX, WithdrawReasons::all());
}

pub fn free(who: AccountId) -> Balance {
	Balances::balance(&who)
}

pub fn held(reason: HoldReason, who: AccountId) -> Balance {
	Balances::balance_on_hold(&reason.into(), &who)
}

/// Everybody's money at one moment.
pub struct Ledger(Vec<(AccountId, Balance)>);

impl Ledger {
	/// Writes down what everybody owns, free and on hold.
	pub fn now() -> Self {
		let mut accounts: Vec<_> = frame_system::Account::<Test>::iter_keys().collect();
		accounts.sort_unstable();
		Self(accounts.into_iter().map(|who| (who, Balances::total_balance(&who))).collect())
	}

	/// Asserts what has changed since: exactly these accounts by exactly these amounts.
	#[track_caller]
	pub fn assert_changes(&self, expected: &[(AccountId, i128)]) {
		let Self(after) = Self::now();
		let before = |who: AccountId| {
			self.0.iter().find(|(other, _)| *other == who).map_or(0, |(_, amount)| *amount)
		};
		let mut changes: Vec<_> = after
			.iter()
			.map(|(who, amount)| (*who, *amount as i128 - before(*who) as i128))
			.filter(|(_, change)| *change != 0)
			.collect();
		changes.sort_unstable();
		let mut expected = expected.to_vec();
		expected.retain(|(_, change)| *change != 0);
		expected.sort_unstable();
		assert_eq!(changes, expected);
	}
}

/// The events of this pallet since the last reset.
pub fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Modicum(event) => Some(event),
			_ => None,
		})
		.collect()
}

/// Asserts that a match left nothing but counters behind.
#[track_caller]
pub fn assert_nothing_left() {
	assert_eq!(JobOffers::<Test>::iter().count(), 0, "a job offer was left");
	assert_eq!(ResourceOffers::<Test>::iter().count(), 0, "a resource offer was left");
	assert_eq!(Matches::<Test>::iter().count(), 0, "a match was left");
	assert_eq!(Deadlines::<Test>::iter().count(), 0, "a deadline was left");
	for who in [CREATOR, PROVIDER, MEDIATOR, DIRECTORY] {
		assert_eq!(held(HoldReason::JobOffer, who), 0, "a job deposit was left");
		assert_eq!(held(HoldReason::ResourceOffer, who), 0, "a resource deposit was left");
	}
}
