// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The council, and how it reaches what only root may do.
//!
//! Two thirds of the council are the admin origin: they set the market's parameters and manage the
//! validator set directly. For the rest (a runtime upgrade, spending the fines) they whitelist a
//! call and dispatch it as root, in one motion: `utility.batch_all([whitelist.whitelist_call,
//! whitelist.dispatch_whitelisted_call_with_preimage])`. An upgrade is authorised by its hash and
//! its code is then supplied by anybody (`system.apply_authorized_upgrade`).
//!
//! `Sudo` has a key in the development presets only; without one its calls fail.

use crate::{
	configs::BlockWeights,
	constants::{storage_deposit, DAYS, MICRO_UNIT},
	*,
};
use frame_support::{
	parameter_types,
	traits::{
		fungible::HoldConsideration, ConstU32, EitherOfDiverse, EqualPrivilegeOnly,
		LinearStoragePrice,
	},
	weights::Weight,
};
use frame_system::EnsureRoot;
use sp_runtime::Perbill;

/// The instance of the collective pallet that is the council.
pub type CouncilCollective = pallet_collective::Instance1;

/// Two thirds of the council, or root.
pub type AdminOrigin = EitherOfDiverse<
	EnsureRoot<AccountId>,
	pallet_collective::EnsureProportionAtLeast<AccountId, CouncilCollective, 2, 3>,
>;

parameter_types! {
	pub MaxProposalWeight: Weight = Perbill::from_percent(50) * BlockWeights::get().max_block;
	pub MaxScheduledWeight: Weight = Perbill::from_percent(50) * BlockWeights::get().max_block;
	pub const MotionDuration: BlockNumber = 7 * DAYS;
	pub const DispatchExpiration: BlockNumber = 7 * DAYS;
	pub const PreimageHoldReason: RuntimeHoldReason =
		RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
	pub const PreimageBaseDeposit: Balance = storage_deposit(2, 64);
	pub const PreimageByteDeposit: Balance = 100 * MICRO_UNIT;
}

impl pallet_collective::Config<CouncilCollective> for Runtime {
	type Consideration = ();
	type DefaultVote = pallet_collective::PrimeDefaultVote;
	type DisapproveOrigin = AdminOrigin;
	type KillOrigin = EnsureRoot<AccountId>;
	type MaxMembers = ConstU32<100>;
	type MaxProposalWeight = MaxProposalWeight;
	type MaxProposals = ConstU32<100>;
	type MotionDuration = MotionDuration;
	type Proposal = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type SetMembersOrigin = AdminOrigin;
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
}

impl pallet_preimage::Config for Runtime {
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		PreimageHoldReason,
		LinearStoragePrice<PreimageBaseDeposit, PreimageByteDeposit, Balance>,
	>;
	type Currency = Balances;
	type ManagerOrigin = AdminOrigin;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
}

impl pallet_scheduler::Config for Runtime {
	type BlockNumberProvider = System;
	type MaxScheduledPerBlock = ConstU32<50>;
	type MaximumWeight = MaxScheduledWeight;
	type OriginPrivilegeCmp = EqualPrivilegeOnly;
	type PalletsOrigin = OriginCaller;
	type Preimages = Preimage;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type ScheduleOrigin = AdminOrigin;
	type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
}

impl pallet_whitelist::Config for Runtime {
	type BlockNumberProvider = System;
	type DeferredDispatchExpiration = DispatchExpiration;
	type DispatchWhitelistedOrigin = AdminOrigin;
	type Preimages = Preimage;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_whitelist::weights::SubstrateWeight<Runtime>;
	type WhitelistOrigin = AdminOrigin;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
