// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_modicum`, measured.
//!
//! DATE: 2026-11-23, STEPS: `20`, REPEAT: `10`, LOW RANGE: `[]`, HIGH RANGE: `[]`
//! WORST CASE MAP SIZE: `1000000`
//! HOSTNAME: `vm`, CPU: `AMD EPYC`
//! WASM-EXECUTION: `Compiled`, CHAIN: `None`, DB CACHE: `1024`
//!
//! Measured on two idle cores by the pallet command of frame-omni-bencher 0.28.0, cut down to what is needed here and
//! built with the everyday profile.
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
		// Minimum execution time: 17_532_000 picoseconds.
		Weight::from_parts(18_775_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_verification_count() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_462_000 picoseconds.
		Weight::from_parts(18_675_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_reaction_deadline() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_432_000 picoseconds.
		Weight::from_parts(18_695_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_mediation_deadline() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_343_000 picoseconds.
		Weight::from_parts(18_705_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_min_match_incentive() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_332_000 picoseconds.
		Weight::from_parts(18_635_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_cost_tolerance() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_402_000 picoseconds.
		Weight::from_parts(18_735_000, 1545)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Modicum::CurrentParameters` (r:1 w:1)
	/// Proof: `Modicum::CurrentParameters` (`max_values`: Some(1), `max_size`: Some(60), added: 555, mode: `MaxEncodedLen`)
	fn set_auto_close_grace() -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `91`
		//  Estimated: `1545`
		// Minimum execution time: 17_293_000 picoseconds.
		Weight::from_parts(18_735_000, 1545)
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
		// Minimum execution time: 84_338_000 picoseconds.
		Weight::from_parts(87_815_000, 4558)
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
		// Minimum execution time: 80_821_000 picoseconds.
		Weight::from_parts(84_748_000, 4558)
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
		// Minimum execution time: 93_906_000 picoseconds.
		Weight::from_parts(99_175_000, 4558)
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
		// Minimum execution time: 84_177_000 picoseconds.
		Weight::from_parts(109_044_000, 4558)
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
		// Minimum execution time: 85_570_000 picoseconds.
		Weight::from_parts(133_208_000, 7642)
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
		// Minimum execution time: 83_566_000 picoseconds.
		Weight::from_parts(89_828_000, 7642)
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
		// Minimum execution time: 97_462_000 picoseconds.
		Weight::from_parts(107_731_000, 7642)
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
		// Minimum execution time: 87_904_000 picoseconds.
		Weight::from_parts(131_225_000, 7642)
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
		// Minimum execution time: 98_013_000 picoseconds.
		Weight::from_parts(108_022_000, 7642)
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
		// Minimum execution time: 87_333_000 picoseconds.
		Weight::from_parts(93_083_000, 7642)
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
		// Minimum execution time: 97_753_000 picoseconds.
		Weight::from_parts(102_352_000, 7642)
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
		// Minimum execution time: 86_772_000 picoseconds.
		Weight::from_parts(93_815_000, 7642)
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
		// Minimum execution time: 82_775_000 picoseconds.
		Weight::from_parts(87_243_000, 6625)
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
		// Minimum execution time: 80_901_000 picoseconds.
		Weight::from_parts(85_950_000, 6625)
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
		// Minimum execution time: 94_165_000 picoseconds.
		Weight::from_parts(100_007_000, 6625)
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
		// Minimum execution time: 83_967_000 picoseconds.
		Weight::from_parts(89_468_000, 6625)
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
		// Minimum execution time: 93_876_000 picoseconds.
		Weight::from_parts(98_774_000, 6625)
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
		// Minimum execution time: 84_217_000 picoseconds.
		Weight::from_parts(91_261_000, 6625)
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
		// Minimum execution time: 84_849_000 picoseconds.
		Weight::from_parts(98_103_000, 3679)
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
		// Minimum execution time: 78_406_000 picoseconds.
		Weight::from_parts(83_887_000, 3679)
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
		// Minimum execution time: 116_027_000 picoseconds.
		Weight::from_parts(121_386_000, 4558)
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
		// Minimum execution time: 102_732_000 picoseconds.
		Weight::from_parts(106_849_000, 4558)
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
		// Minimum execution time: 119_273_000 picoseconds.
		Weight::from_parts(128_159_000, 7642)
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
		// Minimum execution time: 103_523_000 picoseconds.
		Weight::from_parts(109_855_000, 7642)
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
		// Minimum execution time: 265_186_000 picoseconds.
		Weight::from_parts(279_392_000, 11402)
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
		// Minimum execution time: 34_945_000 picoseconds.
		Weight::from_parts(38_362_000, 4123)
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
		// Minimum execution time: 521_103_000 picoseconds.
		Weight::from_parts(534_488_000, 11402)
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
		// Minimum execution time: 38_301_000 picoseconds.
		Weight::from_parts(43_742_000, 4123)
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
	fn post_mediation_result(_r: u32, ) -> Weight {
		// Proof Size summary in bytes:
		//  Measured:  `11638`
		//  Estimated: `14005`
		// Minimum execution time: 538_395_000 picoseconds.
		Weight::from_parts(595_484_840, 14005)
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
		// Minimum execution time: 492_981_000 picoseconds.
		Weight::from_parts(507_067_000, 11402)
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
		// Minimum execution time: 386_592_000 picoseconds.
		Weight::from_parts(400_529_000, 8799)
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
		// Minimum execution time: 14_397_000 picoseconds.
		Weight::from_parts(17_212_683, 3482)
			// Standard Error: 631_883
			.saturating_add(Weight::from_parts(541_321_336, 0).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().reads((18_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes((18_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 10412).saturating_mul(n.into()))
	}
}

/// For tests.
impl WeightInfo for () {
	fn set_penalty_rate() -> Weight {
		Weight::from_parts(18_775_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_verification_count() -> Weight {
		Weight::from_parts(18_675_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_reaction_deadline() -> Weight {
		Weight::from_parts(18_695_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_mediation_deadline() -> Weight {
		Weight::from_parts(18_705_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_min_match_incentive() -> Weight {
		Weight::from_parts(18_635_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_cost_tolerance() -> Weight {
		Weight::from_parts(18_735_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn set_auto_close_grace() -> Weight {
		Weight::from_parts(18_735_000, 1545)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	fn register_job_creator() -> Weight {
		Weight::from_parts(87_815_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_job_creator() -> Weight {
		Weight::from_parts(84_748_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn job_creator_add_trusted_mediator() -> Weight {
		Weight::from_parts(99_175_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn job_creator_remove_trusted_mediator() -> Weight {
		Weight::from_parts(109_044_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_resource_provider() -> Weight {
		Weight::from_parts(133_208_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_resource_provider() -> Weight {
		Weight::from_parts(89_828_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_add_trusted_mediator() -> Weight {
		Weight::from_parts(107_731_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_remove_trusted_mediator() -> Weight {
		Weight::from_parts(131_225_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_add_trusted_directory() -> Weight {
		Weight::from_parts(108_022_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_remove_trusted_directory() -> Weight {
		Weight::from_parts(93_083_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_add_supported_base_layer() -> Weight {
		Weight::from_parts(102_352_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn resource_provider_remove_supported_base_layer() -> Weight {
		Weight::from_parts(93_815_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_mediator() -> Weight {
		Weight::from_parts(87_243_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_mediator() -> Weight {
		Weight::from_parts(85_950_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_add_trusted_directory() -> Weight {
		Weight::from_parts(100_007_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_remove_trusted_directory() -> Weight {
		Weight::from_parts(89_468_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_add_supported_base_layer() -> Weight {
		Weight::from_parts(98_774_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn mediator_remove_supported_base_layer() -> Weight {
		Weight::from_parts(91_261_000, 6625)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn register_directory() -> Weight {
		Weight::from_parts(98_103_000, 3679)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn deregister_directory() -> Weight {
		Weight::from_parts(83_887_000, 3679)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn post_job_offer() -> Weight {
		Weight::from_parts(121_386_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn cancel_job_offer() -> Weight {
		Weight::from_parts(106_849_000, 4558)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn post_resource_offer() -> Weight {
		Weight::from_parts(128_159_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	fn cancel_resource_offer() -> Weight {
		Weight::from_parts(109_855_000, 7642)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	fn post_match() -> Weight {
		Weight::from_parts(279_392_000, 11402)
			.saturating_add(RocksDbWeight::get().reads(15_u64))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
	}
	fn post_result() -> Weight {
		Weight::from_parts(38_362_000, 4123)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn accept_result() -> Weight {
		Weight::from_parts(534_488_000, 11402)
			.saturating_add(RocksDbWeight::get().reads(18_u64))
			.saturating_add(RocksDbWeight::get().writes(18_u64))
	}
	fn reject_result() -> Weight {
		Weight::from_parts(43_742_000, 4123)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	fn post_mediation_result(_r: u32, ) -> Weight {
		Weight::from_parts(595_484_840, 14005)
			.saturating_add(RocksDbWeight::get().reads(19_u64))
			.saturating_add(RocksDbWeight::get().writes(19_u64))
	}
	fn timeout() -> Weight {
		Weight::from_parts(507_067_000, 11402)
			.saturating_add(RocksDbWeight::get().reads(15_u64))
			.saturating_add(RocksDbWeight::get().writes(15_u64))
	}
	fn timeout_mediation() -> Weight {
		Weight::from_parts(400_529_000, 8799)
			.saturating_add(RocksDbWeight::get().reads(14_u64))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
	}
	fn close_overdue(n: u32, ) -> Weight {
		Weight::from_parts(17_212_683, 3482)
			.saturating_add(Weight::from_parts(541_321_336, 0).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().reads((18_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes((18_u64).saturating_mul(n.into())))
			.saturating_add(Weight::from_parts(0, 10412).saturating_mul(n.into()))
	}
}
