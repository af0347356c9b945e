// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_modicum`.
//!
//! **ESTIMATES, not measured.** Reads and writes are counted from the code for the worst case of each call
//! (see the table in the README); execution time and proof size are generous guesses. `make weights` replaces
//! this file by measured figures.

use frame::weights_prelude::*;

/// What each call may cost.
pub trait WeightInfo {
	/// Weight of `set_penalty_rate`.
	fn set_penalty_rate() -> Weight;
	/// Weight of `set_verification_count`.
	fn set_verification_count() -> Weight;
	/// Weight of `set_reaction_deadline`.
	fn set_reaction_deadline() -> Weight;
	/// Weight of `set_mediation_deadline`.
	fn set_mediation_deadline() -> Weight;
	/// Weight of `set_min_match_incentive`.
	fn set_min_match_incentive() -> Weight;
	/// Weight of `set_cost_tolerance`.
	fn set_cost_tolerance() -> Weight;
	/// Weight of `set_auto_close_grace`.
	fn set_auto_close_grace() -> Weight;
	/// Weight of `register_job_creator`.
	fn register_job_creator() -> Weight;
	/// Weight of `deregister_job_creator`.
	fn deregister_job_creator() -> Weight;
	/// Weight of `job_creator_add_trusted_mediator`.
	fn job_creator_add_trusted_mediator() -> Weight;
	/// Weight of `job_creator_remove_trusted_mediator`.
	fn job_creator_remove_trusted_mediator() -> Weight;
	/// Weight of `register_resource_provider`.
	fn register_resource_provider() -> Weight;
	/// Weight of `deregister_resource_provider`.
	fn deregister_resource_provider() -> Weight;
	/// Weight of `resource_provider_add_trusted_mediator`.
	fn resource_provider_add_trusted_mediator() -> Weight;
	/// Weight of `resource_provider_remove_trusted_mediator`.
	fn resource_provider_remove_trusted_mediator() -> Weight;
	/// Weight of `resource_provider_add_trusted_directory`.
	fn resource_provider_add_trusted_directory() -> Weight;
	/// Weight of `resource_provider_remove_trusted_directory`.
	fn resource_provider_remove_trusted_directory() -> Weight;
	/// Weight of `resource_provider_add_supported_base_layer`.
	fn resource_provider_add_supported_base_layer() -> Weight;
	/// Weight of `resource_provider_remove_supported_base_layer`.
	fn resource_provider_remove_supported_base_layer() -> Weight;
	/// Weight of `register_mediator`.
	fn register_mediator() -> Weight;
	/// Weight of `deregister_mediator`.
	fn deregister_mediator() -> Weight;
	/// Weight of `mediator_add_trusted_directory`.
	fn mediator_add_trusted_directory() -> Weight;
	/// Weight of `mediator_remove_trusted_directory`.
	fn mediator_remove_trusted_directory() -> Weight;
	/// Weight of `mediator_add_supported_base_layer`.
	fn mediator_add_supported_base_layer() -> Weight;
	/// Weight of `mediator_remove_supported_base_layer`.
	fn mediator_remove_supported_base_layer() -> Weight;
	/// Weight of `register_directory`.
	fn register_directory() -> Weight;
	/// Weight of `deregister_directory`.
	fn deregister_directory() -> Weight;
	/// Weight of `post_job_offer`.
	fn post_job_offer() -> Weight;
	/// Weight of `cancel_job_offer`.
	fn cancel_job_offer() -> Weight;
	/// Weight of `post_resource_offer`.
	fn post_resource_offer() -> Weight;
	/// Weight of `cancel_resource_offer`.
	fn cancel_resource_offer() -> Weight;
	/// Weight of `post_match`.
	fn post_match() -> Weight;
	/// Weight of `post_result`.
	fn post_result() -> Weight;
	/// Weight of `accept_result`.
	fn accept_result() -> Weight;
	/// Weight of `reject_result`.
	fn reject_result() -> Weight;
	/// Weight of `post_mediation_result`, as a function of the number of runs.
	fn post_mediation_result(runs: u32) -> Weight;
	/// Weight of `timeout`.
	fn timeout() -> Weight;
	/// Weight of `timeout_mediation`.
	fn timeout_mediation() -> Weight;
	/// Weight of `close_overdue`, as a function of the number of entries.
	fn close_overdue(entries: u32) -> Weight;
}

/// Largest proof of one storage item of this pallet: a provider's record with full lists.
const ITEM_PROOF: u64 = 10_000;
/// Execution time of a call without its storage accesses, in picoseconds.
const CALL_TIME: u64 = 60_000_000;

fn estimate<D: Get<frame::deps::frame_support::weights::RuntimeDbWeight>>(
	reads: u64,
	writes: u64,
) -> Weight {
	Weight::from_parts(CALL_TIME, reads.saturating_mul(ITEM_PROOF))
		.saturating_add(D::get().reads_writes(reads, writes))
}

/// Weights with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);

macro_rules! weights {
	($db:ty) => {
		fn set_penalty_rate() -> Weight {
			estimate::<$db>(1, 1)
		}
		fn set_verification_count() -> Weight {
			estimate::<$db>(1, 1)
		}
		fn set_reaction_deadline() -> Weight {
			estimate::<$db>(1, 1)
		}
		fn set_mediation_deadline() -> Weight {
			estimate::<$db>(1, 1)
		}
		fn set_min_match_incentive() -> Weight {
			estimate::<$db>(1, 1)
		}
		fn set_cost_tolerance() -> Weight {
			estimate::<$db>(1, 1)
		}
		fn set_auto_close_grace() -> Weight {
			estimate::<$db>(1, 1)
		}
		fn register_job_creator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn deregister_job_creator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn job_creator_add_trusted_mediator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn job_creator_remove_trusted_mediator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn register_resource_provider() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn deregister_resource_provider() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn resource_provider_add_trusted_mediator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn resource_provider_remove_trusted_mediator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn resource_provider_add_trusted_directory() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn resource_provider_remove_trusted_directory() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn resource_provider_add_supported_base_layer() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn resource_provider_remove_supported_base_layer() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn register_mediator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn deregister_mediator() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn mediator_add_trusted_directory() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn mediator_remove_trusted_directory() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn mediator_add_supported_base_layer() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn mediator_remove_supported_base_layer() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn register_directory() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn deregister_directory() -> Weight {
			estimate::<$db>(3, 3)
		}
		fn post_job_offer() -> Weight {
			estimate::<$db>(6, 6)
		}
		fn cancel_job_offer() -> Weight {
			estimate::<$db>(4, 5)
		}
		fn post_resource_offer() -> Weight {
			estimate::<$db>(6, 6)
		}
		fn cancel_resource_offer() -> Weight {
			estimate::<$db>(4, 5)
		}
		fn post_match() -> Weight {
			estimate::<$db>(14, 14)
		}
		fn post_result() -> Weight {
			estimate::<$db>(2, 3)
		}
		fn accept_result() -> Weight {
			estimate::<$db>(18, 18)
		}
		fn reject_result() -> Weight {
			estimate::<$db>(2, 3)
		}
		fn post_mediation_result(runs: u32) -> Weight {
			estimate::<$db>(19, 19)
				.saturating_add(Weight::from_parts(1_000_000, 0).saturating_mul(runs.into()))
		}
		fn timeout() -> Weight {
			estimate::<$db>(15, 15)
		}
		fn timeout_mediation() -> Weight {
			estimate::<$db>(14, 14)
		}
		fn close_overdue(entries: u32) -> Weight {
			estimate::<$db>(3, 0)
				.saturating_add(estimate::<$db>(18, 18).saturating_mul(entries.into()))
		}
	};
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	weights!(T::DbWeight);
}

/// For tests and for runtimes without a configuration of their own.
impl WeightInfo for () {
	weights!(RocksDbWeight);
}
