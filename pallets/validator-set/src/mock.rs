// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A runtime of sessions and this pallet, with accounts that have keys by the dozen.

use crate as pallet_validator_set;
use frame::{
	deps::sp_runtime::{
		impl_opaque_keys, testing::UintAuthorityId, traits::ConvertInto, BuildStorage,
	},
	testing_prelude::*,
};

/// Accounts 1 to 3 validate from genesis on.
pub const GENESIS_VALIDATORS: [u64; 3] = [1, 2, 3];
/// An account with keys that is not a member.
pub const CANDIDATE: u64 = 4;
/// An account without keys.
pub const KEYLESS: u64 = 5;

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
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(3)]
	pub type ValidatorSet = pallet_validator_set;
	#[runtime::pallet_index(4)]
	pub type Session = pallet_session;
}

impl_opaque_keys! {
	pub struct MockSessionKeys {
		pub dummy: UintAuthorityId,
	}
}

impl From<UintAuthorityId> for MockSessionKeys {
	fn from(dummy: UintAuthorityId) -> Self {
		Self { dummy }
	}
}

/// Takes note of nothing: the session pallet keeps the lists that the tests look at.
pub struct MockSessionHandler;

impl pallet_session::SessionHandler<u64> for MockSessionHandler {
	const KEY_TYPE_IDS: &'static [frame::deps::sp_runtime::KeyTypeId] =
		&[frame::deps::sp_runtime::key_types::DUMMY];
	fn on_genesis_session<K: frame::deps::sp_runtime::traits::OpaqueKeys>(_: &[(u64, K)]) {}
	fn on_new_session<K: frame::deps::sp_runtime::traits::OpaqueKeys>(
		_: bool,
		_: &[(u64, K)],
		_: &[(u64, K)],
	) {
	}
	fn on_disabled(_: u32) {}
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountData = pallet_balances::AccountData<u64>;
	type Block = MockBlock<Test>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

impl pallet_session::Config for Test {
	type Currency = Balances;
	type DisablingStrategy = ();
	type KeyDeposit = ConstU64<10>;
	type Keys = MockSessionKeys;
	type NextSessionRotation = ValidatorSet;
	type RuntimeEvent = RuntimeEvent;
	type SessionHandler = MockSessionHandler;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Test, ValidatorSet>;
	type ShouldEndSession = ValidatorSet;
	type ValidatorId = u64;
	type ValidatorIdOf = ConvertInto;
	type WeightInfo = ();
}

impl pallet_session::historical::Config for Test {
	type FullIdentification = ();
	type FullIdentificationOf = pallet_validator_set::Unidentified;
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_validator_set::Config for Test {
	type AdminOrigin = frame_system::EnsureRoot<u64>;
	type MaxValidators = ConstU32<4>;
	type ProvableSessions = ConstU32<3>;
	type WeightInfo = ();
}

/// Runs `test` on a chain with three validators, then checks every invariant.
pub fn build_and_execute(test: impl FnOnce()) {
	let keys = |account: u64| (account, account, UintAuthorityId(account).into());
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: (1..=5).map(|account| (account, 1_000)).collect(),
			..Default::default()
		},
		session: pallet_session::GenesisConfig {
			keys: GENESIS_VALIDATORS.map(keys).to_vec(),
			non_authority_keys: Vec::new(),
		},
		validator_set: pallet_validator_set::GenesisConfig { session_length: 5 },
		..Default::default()
	}
	.build_storage()
	.expect("the genesis is consistent");
	let mut ext = TestState::new(storage);
	ext.execute_with(|| {
		System::set_block_number(1);
		set_keys(CANDIDATE);
		test();
		ValidatorSet::do_try_state().expect("every invariant holds after a test");
	});
}

/// Registers session keys for `account`, as its operator would.
pub fn set_keys(account: u64) {
	let keys = UintAuthorityId(account).into();
	assert_ok!(Session::set_keys(RuntimeOrigin::signed(account), keys, proof(account)));
}

/// The proof that `account` owns its keys.
fn proof(account: u64) -> Vec<u8> {
	MockSessionKeys::from(UintAuthorityId(account))
		.create_ownership_proof(&account.encode())
		.expect("a dummy key signs anything")
		.encode()
}

/// Runs blocks until `sessions` more sessions have begun.
pub fn pass_sessions(sessions: u32) {
	let end = Session::current_index() + sessions;
	while Session::current_index() < end {
		let next = System::block_number() + 1;
		System::run_to_block::<AllPalletsWithSystem>(next);
	}
}
