// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The market.

use crate::{
	configs::AdminOrigin,
	constants::{storage_deposit, MICRO_UNIT},
	*,
};
use frame_support::{
	parameter_types,
	traits::{fungible::HoldConsideration, ConstU32, ConstU64, LinearStoragePrice},
	PalletId,
};
use sp_runtime::traits::AccountIdConversion;

/// A day in milliseconds.
const DAY_MILLIS: Moment = 24 * 60 * 60 * 1_000;

parameter_types! {
	/// Where fines go: an account without a key. The council spends from it as root.
	pub FinesAccount: AccountId = PalletId(*b"modicum/").into_account_truncating();
	pub const RegistrationReason: RuntimeHoldReason =
		RuntimeHoldReason::Modicum(pallet_modicum::HoldReason::Registration);
	/// One entry in a map, with its key and the fixed part of the record.
	pub const RegistrationDeposit: Balance = storage_deposit(1, 120);
	pub const RegistrationByteDeposit: Balance = 100 * MICRO_UNIT;
}

impl pallet_modicum::Config for Runtime {
	type AdminOrigin = AdminOrigin;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Clock;
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		RegistrationReason,
		LinearStoragePrice<RegistrationDeposit, RegistrationByteDeposit, Balance>,
	>;
	type Currency = Balances;
	type FinesDestination = FinesAccount;
	type MaxBaseLayers = ConstU32<64>;
	type MaxEndpointLen = ConstU32<128>;
	type MaxJobDuration = ConstU64<{ 30 * DAY_MILLIS }>;
	type MaxTrustedDirectories = ConstU32<32>;
	type MaxTrustedMediators = ConstU32<32>;
	type MaxUriLen = ConstU32<256>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Time = Timestamp;
	type WeightInfo = pallet_modicum::weights::SubstrateWeight<Runtime>;
}

/// Sets the chain's clock for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct Clock;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_modicum::BenchmarkHelper for Clock {
	fn set_time(now: Moment) {
		pallet_timestamp::Now::<Runtime>::put(now);
	}
}
