// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Block authoring, finality, sessions and the set of validators.

use crate::{
	configs::AdminOrigin,
	constants::{storage_deposit, BLOCK_TIME_MILLIS},
	*,
};
use frame_support::{
	parameter_types,
	traits::{ConstBool, ConstU32, ConstU64},
};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::traits::{ConvertInto, OpaqueKeys};

/// How many sessions back an equivocation can still be proven.
const PROVABLE_SESSIONS: u32 = 168;

parameter_types! {
	/// Upper bound of the validator set. GRANDPA's votes grow with it.
	pub const MaxValidators: u32 = 100;
	/// Held for the keys of a validator: one entry, and one for the owner of each key.
	pub const KeyDeposit: Balance = storage_deposit(3, 192);
	/// How long an equivocation report stays in the pool, in blocks.
	pub const ReportLongevity: u64 = constants::DAYS as u64;
}

impl pallet_authorship::Config for Runtime {
	type EventHandler = ();
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
}

impl pallet_aura::Config for Runtime {
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type AuthorityId = AuraId;
	type DisabledValidators = Session;
	type MaxAuthorities = MaxValidators;
	type SlotDuration = ConstU64<BLOCK_TIME_MILLIS>;
}

impl pallet_grandpa::Config for Runtime {
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type MaxAuthorities = MaxValidators;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<{ PROVABLE_SESSIONS as u64 }>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
}

impl pallet_session::Config for Runtime {
	type Currency = Balances;
	type DisablingStrategy = ();
	type KeyDeposit = KeyDeposit;
	type Keys = SessionKeys;
	type NextSessionRotation = ValidatorSet;
	type RuntimeEvent = RuntimeEvent;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, ValidatorSet>;
	type ShouldEndSession = ValidatorSet;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl pallet_session::historical::Config for Runtime {
	type FullIdentification = ();
	type FullIdentificationOf = pallet_validator_set::Unidentified;
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_offences::Config for Runtime {
	type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
	type OnOffenceHandler = ValidatorSet;
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_validator_set::Config for Runtime {
	type AdminOrigin = AdminOrigin;
	type MaxValidators = MaxValidators;
	type ProvableSessions = ConstU32<PROVABLE_SESSIONS>;
	type WeightInfo = pallet_validator_set::weights::EstimatedWeight<Runtime>;
}
