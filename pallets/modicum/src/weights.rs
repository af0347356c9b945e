// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_modicum`, measured.
//!
//! DATE: 2026-11-23, STEPS: `20`, REPEAT: `10`, LOW RANGE: `[]`, HIGH RANGE: `[]`
//! WORST CASE MAP SIZE: `1000000`
//! HOSTNAME: `vm`, CPU: `AMD EPYC`
//! WASM-EXECUTION: `Compiled`, CHAIN: `None`, DB CACHE: `1024`
//!
//! Measured on two cores that others used as well (one call again at high priority, because its first figure was
//! noise), by the pallet command of frame-omni-bencher 0.28.0 cut down to what is needed here and built with the
//! everyday profile. The weights are on the safe side.
//!
//! Command:
//! ```text
//! frame-omni-bencher
//! v1
//! benchmark
//! pallet
//! --runtime
//! runtime.wasm
//! --pallet
//! pallet_modicum
//! --extrinsic
//! *
//! --genesis-builder
//! runtime
//! --genesis-builder-preset
//! development
//! --steps
//! 20
//! --repeat
//! 10
//! --header
//! scripts/weights-header.txt
//! --template
//! scripts/weights-template.hbs
//! --output
//! weights.rs
//! ```

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens, unused_imports, missing_docs, clippy::unnecessary_cast)]

use frame::weights_prelude::*;

/// Weight functions needed for `pallet_modicum`.
pub trait WeightInfo {
	fn set_penalty_rate() -> Weight;
	fn set_verification_count() -> Weight;
	fn set_reaction_deadline() -> Weight;
	fn set_mediation_deadline() -> Weight;
	fn set_min_match_incentive() -> Weight;
	fn set_cost_tolerance() -> Weight;
	fn set_auto_close_grace() -> Weight;
	fn register_job_creator() -> Weight;
	fn deregister_job_creator() -> Weight;
	fn job_creator_add_trusted_mediator() -> Weight;
	fn job_creator_remove_trusted_mediator() -> Weight;
	fn register_resource_provider() -> Weight;
	fn deregister_resource_provider() -> Weight;
	fn resource_provider_add_trusted_mediator() -> Weight;
	fn resource_provider_remove_trusted_mediator() -> Weight;
	fn resource_provider_add_trusted_directory() -> Weight;
	fn resource_provider_remove_trusted_directory() -> Weight;
	fn resource_provider_add_supported_base_layer() -> Weight;
	fn resource_provider_remove_supported_base_layer() -> Weight;
	fn register_mediator() -> Weight;
	fn deregister_mediator() -> Weight;
	fn mediator_add_trusted_directory() -> Weight;
	fn mediator_remove_trusted_directory() -> Weight;
	fn mediator_add_supported_base_layer() -> Weight;
	fn mediator_remove_supported_base_layer() -> Weight;
	fn register_directory() -> Weight;
	fn deregister_directory() -> Weight;
	fn post_job_offer() -> Weight;
	fn cancel_job_offer() -> Weight;
	fn post_resource_offer() -> Weight;
	fn cancel_resource_offer() -> Weight;
	fn post_match() -> Weight;
	fn post_result() -> Weight;
	fn accept_result() -> Weight;
	fn reject_result() -> Weight;
	fn post_mediation_result(r: u32, ) -> Weight;
	fn timeout() -> Weight;
	fn timeout_mediation() -> Weight;
	fn close_overdue(n: u32, ) -> Weight;
}

/// Weights with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_penalty_rate() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_433_000 picoseconds.
		Weight::from_parts(31_619_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_verification_count() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_473_000 picoseconds.
		Weight::from_parts(24_065_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_reaction_deadline() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_282_000 picoseconds.
		Weight::from_parts(39_895_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_mediation_deadline() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_202_000 picoseconds.
		Weight::from_parts(30_898_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_min_match_incentive() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_012_000 picoseconds.
		Weight::from_parts(20_198_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_cost_tolerance() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_182_000 picoseconds.
		Weight::from_parts(20_117_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_auto_close_grace() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_102_000 picoseconds.
		Weight::from_parts(20_679_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn register_job_creator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `183`
		//  Estimated: `4558`
		// Minimum execution time: 85_450_000 picoseconds.
		Weight::from_parts(95_238_000, 4558)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn deregister_job_creator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `1560`
		//  Estimated: `4558`
		// Minimum execution time: 83_246_000 picoseconds.
		Weight::from_parts(116_137_000, 4558)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn job_creator_add_trusted_mediator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `1528`
		//  Estimated: `4558`
		// Minimum execution time: 95_849_000 picoseconds.
		Weight::from_parts(146_243_000, 4558)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn job_creator_remove_trusted_mediator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `1560`
		//  Estimated: `4558`
		// Minimum execution time: 86_552_000 picoseconds.
		Weight::from_parts(157_424_000, 4558)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn register_resource_provider() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `235`
		//  Estimated: `7642`
		// Minimum execution time: 87_865_000 picoseconds.
		Weight::from_parts(153_367_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn deregister_resource_provider() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4715`
		//  Estimated: `7642`
		// Minimum execution time: 87_303_000 picoseconds.
		Weight::from_parts(164_016_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn resource_provider_add_trusted_mediator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4618`
		//  Estimated: `7642`
		// Minimum execution time: 99_997_000 picoseconds.
		Weight::from_parts(203_119_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn resource_provider_remove_trusted_mediator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4715`
		//  Estimated: `7642`
		// Minimum execution time: 89_728_000 picoseconds.
		Weight::from_parts(119_403_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn resource_provider_add_trusted_directory() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4618`
		//  Estimated: `7642`
		// Minimum execution time: 100_397_000 picoseconds.
		Weight::from_parts(136_555_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn resource_provider_remove_trusted_directory() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4715`
		//  Estimated: `7642`
		// Minimum execution time: 90_108_000 picoseconds.
		Weight::from_parts(115_425_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn resource_provider_add_supported_base_layer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4618`
		//  Estimated: `7642`
		// Minimum execution time: 99_516_000 picoseconds.
		Weight::from_parts(128_280_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn resource_provider_remove_supported_base_layer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4715`
		//  Estimated: `7642`
		// Minimum execution time: 89_637_000 picoseconds.
		Weight::from_parts(140_583_000, 7642)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn register_mediator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `146`
		//  Estimated: `6625`
		// Minimum execution time: 85_079_000 picoseconds.
		Weight::from_parts(134_421_000, 6625)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn deregister_mediator() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `3590`
		//  Estimated: `6625`
		// Minimum execution time: 83_376_000 picoseconds.
		Weight::from_parts(115_015_000, 6625)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn mediator_add_trusted_directory() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `3525`
		//  Estimated: `6625`
		// Minimum execution time: 95_148_000 picoseconds.
		Weight::from_parts(155_170_000, 6625)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn mediator_remove_trusted_directory() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `3590`
		//  Estimated: `6625`
		// Minimum execution time: 86_191_000 picoseconds.
		Weight::from_parts(151_683_000, 6625)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn mediator_add_supported_base_layer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `3525`
		//  Estimated: `6625`
		// Minimum execution time: 97_022_000 picoseconds.
		Weight::from_parts(139_270_000, 6625)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn mediator_remove_supported_base_layer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `3590`
		//  Estimated: `6625`
		// Minimum execution time: 85_038_000 picoseconds.
		Weight::from_parts(125_896_000, 6625)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Directories` (r:1 w:1)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn register_directory() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `146`
		//  Estimated: `3679`
		// Minimum execution time: 86_691_000 picoseconds.
		Weight::from_parts(146_885_000, 3679)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Directories` (r:1 w:1)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	fn deregister_directory() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `644`
		//  Estimated: `3679`
		// Minimum execution time: 81_352_000 picoseconds.
		Weight::from_parts(141_144_000, 3679)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::CurrentParameters` (r:1 w:0)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::NextJobOfferId` (r:1 w:1)
	/// Proof: `Modicum::NextJobOfferId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobOffers` (r:0 w:1)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	fn post_job_offer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `1683`
		//  Estimated: `4558`
		// Minimum execution time: 120_145_000 picoseconds.
		Weight::from_parts(204_933_000, 4558)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Modicum::JobOffers` (r:1 w:1)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	fn cancel_job_offer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `2238`
		//  Estimated: `4558`
		// Minimum execution time: 106_309_000 picoseconds.
		Weight::from_parts(194_152_000, 4558)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:0)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::NextResourceOfferId` (r:1 w:1)
	/// Proof: `Modicum::NextResourceOfferId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceOffers` (r:0 w:1)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	fn post_resource_offer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4868`
		//  Estimated: `7642`
		// Minimum execution time: 121_547_000 picoseconds.
		Weight::from_parts(147_886_000, 7642)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Modicum::ResourceOffers` (r:1 w:1)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	fn cancel_resource_offer() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `4978`
		//  Estimated: `7642`
		// Minimum execution time: 105_898_000 picoseconds.
		Weight::from_parts(178_915_000, 7642)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Modicum::JobOffers` (r:1 w:1)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceOffers` (r:1 w:1)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:1 w:0)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:1 w:0)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Directories` (r:1 w:1)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::CurrentParameters` (r:1 w:0)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::NextMatchId` (r:1 w:1)
	/// Proof: `Modicum::NextMatchId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:4 w:3)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:3)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Matches` (r:0 w:1)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	fn post_match() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `10468`
		//  Estimated: `11402`
		// Minimum execution time: 272_910_000 picoseconds.
		Weight::from_parts(382_795_000, 11402)
			.saturating_add(T::DbWeight::get().reads(15_u64))
			.saturating_add(T::DbWeight::get().writes(14_u64))
	}
	/// Storage: `Modicum::Matches` (r:1 w:1)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:2)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	fn post_result() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `656`
		//  Estimated: `4123`
		// Minimum execution time: 36_769_000 picoseconds.
		Weight::from_parts(64_440_000, 4123)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Matches` (r:1 w:1)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobOffers` (r:1 w:1)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceOffers` (r:1 w:1)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:4 w:4)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Directories` (r:1 w:1)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::PartyRecords` (r:4 w:4)
	/// Proof: `Modicum::PartyRecords` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	fn accept_result() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `11497`
		//  Estimated: `11402`
		// Minimum execution time: 544_778_000 picoseconds.
		Weight::from_parts(951_127_000, 11402)
			.saturating_add(T::DbWeight::get().reads(18_u64))
			.saturating_add(T::DbWeight::get().writes(18_u64))
	}
	/// Storage: `Modicum::Matches` (r:1 w:1)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:2)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	fn reject_result() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `971`
		//  Estimated: `4123`
		// Minimum execution time: 40_626_000 picoseconds.
		Weight::from_parts(85_600_000, 4123)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Modicum::Matches` (r:1 w:1)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobOffers` (r:1 w:1)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceOffers` (r:1 w:1)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:5 w:5)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Directories` (r:1 w:1)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::PartyRecords` (r:4 w:4)
	/// Proof: `Modicum::PartyRecords` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	/// The range of component `r` is `[2, 16]`.
	fn post_mediation_result(r: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `11638`
		//  Estimated: `14005`
		// Minimum execution time: 549_116_000 picoseconds.
		Weight::from_parts(662_499_345, 14005)
			// Standard Error: 563_317
			.saturating_add(Weight::from_parts(2_413_072, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(19_u64))
			.saturating_add(T::DbWeight::get().writes(19_u64))
	}
	/// Storage: `Modicum::Matches` (r:1 w:1)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobOffers` (r:1 w:1)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceOffers` (r:1 w:1)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:4 w:4)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Directories` (r:1 w:1)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::PartyRecords` (r:1 w:1)
	/// Proof: `Modicum::PartyRecords` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	fn timeout() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `11072`
		//  Estimated: `11402`
		// Minimum execution time: 508_810_000 picoseconds.
		Weight::from_parts(822_546_000, 11402)
			.saturating_add(T::DbWeight::get().reads(15_u64))
			.saturating_add(T::DbWeight::get().writes(15_u64))
	}
	/// Storage: `Modicum::Matches` (r:1 w:1)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobOffers` (r:1 w:1)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceOffers` (r:1 w:1)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:3 w:3)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:1 w:1)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:1 w:1)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Mediators` (r:1 w:1)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Directories` (r:1 w:1)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::PartyRecords` (r:1 w:1)
	/// Proof: `Modicum::PartyRecords` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:0 w:1)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	fn timeout_mediation() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `11285`
		//  Estimated: `8799`
		// Minimum execution time: 397_483_000 picoseconds.
		Weight::from_parts(741_305_000, 8799)
			.saturating_add(T::DbWeight::get().reads(14_u64))
			.saturating_add(T::DbWeight::get().writes(14_u64))
	}
	/// Storage: `Timestamp::Now` (r:1 w:0)
	/// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::CurrentParameters` (r:1 w:0)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Deadlines` (r:11 w:10)
	/// Proof: `Modicum::Deadlines` (`max_values`: None, `max_size`: Some(17), added: 2492, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Matches` (r:10 w:10)
	/// Proof: `Modicum::Matches` (`max_values`: None, `max_size`: Some(658), added: 3133, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobOffers` (r:10 w:10)
	/// Proof: `Modicum::JobOffers` (`max_values`: None, `max_size`: Some(549), added: 3024, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceOffers` (r:10 w:10)
	/// Proof: `Modicum::ResourceOffers` (`max_values`: None, `max_size`: Some(195), added: 2670, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:20 w:20)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(175), added: 2650, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:40 w:40)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::JobCreators` (r:10 w:10)
	/// Proof: `Modicum::JobCreators` (`max_values`: None, `max_size`: Some(1093), added: 3568, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::ResourceProviders` (r:10 w:10)
	/// Proof: `Modicum::ResourceProviders` (`max_values`: None, `max_size`: Some(4177), added: 6652, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Mediators` (r:10 w:10)
	/// Proof: `Modicum::Mediators` (`max_values`: None, `max_size`: Some(3160), added: 5635, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::Directories` (r:10 w:10)
	/// Proof: `Modicum::Directories` (`max_values`: None, `max_size`: Some(214), added: 2689, mode: `MaxEncodedLen`)
	/// Storage: `Modicum::PartyRecords` (r:40 w:40)
	/// Proof: `Modicum::PartyRecords` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// The range of component `n` is `[0, 10]`.
	fn close_overdue(n: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `740 + n * (10846 ±0)`
		//  Estimated: `3482 + n * (10412 ±0)`
		// Minimum execution time: 14_658_000 picoseconds.
		Weight::from_parts(15_128_000, 3482)
			// Standard Error: 63_090_818
			.saturating_add(Weight::from_parts(2_689_031_047, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((18_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((18_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 10412).saturating_mul(n.into()))
	}
}

/// For tests.
impl WeightInfo for () {
	fn set_penalty_rate() -> Weight {
		Weight::from_parts(31_619_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_verification_count() -> Weight {
		Weight::from_parts(24_065_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_reaction_deadline() -> Weight {
		Weight::from_parts(39_895_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_mediation_deadline() -> Weight {
		Weight::from_parts(30_898_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_min_match_incentive() -> Weight {
		Weight::from_parts(20_198_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_cost_tolerance() -> Weight {
		Weight::from_parts(20_117_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_auto_close_grace() -> Weight {
		Weight::from_parts(20_679_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn register_job_creator() -> Weight {
		Weight::from_parts(95_238_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_job_creator() -> Weight {
		Weight::from_parts(116_137_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn job_creator_add_trusted_mediator() -> Weight {
		Weight::from_parts(146_243_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn job_creator_remove_trusted_mediator() -> Weight {
		Weight::from_parts(157_424_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_resource_provider() -> Weight {
		Weight::from_parts(153_367_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_resource_provider() -> Weight {
		Weight::from_parts(164_016_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_add_trusted_mediator() -> Weight {
		Weight::from_parts(203_119_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_remove_trusted_mediator() -> Weight {
		Weight::from_parts(119_403_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_add_trusted_directory() -> Weight {
		Weight::from_parts(136_555_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_remove_trusted_directory() -> Weight {
		Weight::from_parts(115_425_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_add_supported_base_layer() -> Weight {
		Weight::from_parts(128_280_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_remove_supported_base_layer() -> Weight {
		Weight::from_parts(140_583_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_mediator() -> Weight {
		Weight::from_parts(134_421_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_mediator() -> Weight {
		Weight::from_parts(115_015_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_add_trusted_directory() -> Weight {
		Weight::from_parts(155_170_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_remove_trusted_directory() -> Weight {
		Weight::from_parts(151_683_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_add_supported_base_layer() -> Weight {
		Weight::from_parts(139_270_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_remove_supported_base_layer() -> Weight {
		Weight::from_parts(125_896_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_directory() -> Weight {
		Weight::from_parts(146_885_000, 3679)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_directory() -> Weight {
		Weight::from_parts(141_144_000, 3679)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn post_job_offer() -> Weight {
		Weight::from_parts(204_933_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn cancel_job_offer() -> Weight {
		Weight::from_parts(194_152_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn post_resource_offer() -> Weight {
		Weight::from_parts(147_886_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn cancel_resource_offer() -> Weight {
		Weight::from_parts(178_915_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn post_match() -> Weight {
		Weight::from_parts(382_795_000, 11402)
			.saturating_add(RocksDbWeight::get().reads(15_u64))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
	}
	fn post_result() -> Weight {
		Weight::from_parts(64_440_000, 4123)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn accept_result() -> Weight {
		Weight::from_parts(951_127_000, 11402)
			.saturating_add(RocksDbWeight::get().reads(18_u64))
			.saturating_add(RocksDbWeight::get().writes(18_u64))
	}
	fn reject_result() -> Weight {
		Weight::from_parts(85_600_000, 4123)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn post_mediation_result(r: u32, ) -> Weight {
		Weight::from_parts(662_499_345, 14005)
			.saturating_add(Weight::from_parts(2_413_072, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(19_u64))
			.saturating_add(RocksDbWeight::get().writes(19_u64))
	}
	fn timeout() -> Weight {
		Weight::from_parts(822_546_000, 11402)
			.saturating_add(RocksDbWeight::get().reads(15_u64))
			.saturating_add(RocksDbWeight::get().writes(15_u64))
	}
	fn timeout_mediation() -> Weight {
		Weight::from_parts(741_305_000, 8799)
			.saturating_add(RocksDbWeight::get().reads(14_u64))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
	}
	fn close_overdue(n: u32, ) -> Weight {
		Weight::from_parts(15_128_000, 3482)
			.saturating_add(Weight::from_parts(2_689_031_047, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((18_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes((18_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 10412).saturating_mul(n.into()))
	}
}
