// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every call in its worst case: lists at their bound with the entry looked for at the end, offers that expire,
//! URIs of full length, as many runs as a mediator can be asked for, four parties who are all different.

#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use alloc::{vec, vec::Vec};
use frame::benchmarking::prelude::*;
use frame::token::fungible::{Inspect, Mutate};
use modicum_primitives::{
	Architecture, Balance, Evidence, JobOfferId, MatchId, Meter, Moment, Parameters, PartyRecord,
	Prices, RejectReason, ResourceOfferId, ResourceTerms, Resources, ResultStatus, Run, Usage,
	MAX_VERIFICATION_COUNT, MIN_VERIFICATION_COUNT,
};

const SEED: u32 = 0;
const START: Moment = 1_000_000;
const LAYER: [u8; 32] = [7; 32];
const OUTPUT: [u8; 32] = [9; 32];

/// What the benchmarks need from the runtime.
pub trait BenchmarkHelper {
	/// Sets the clock that [`Config::Time`] reads, in milliseconds.
	fn set_time(now: Moment);
}

/// The parties of one match.
struct Cast<AccountId> {
	creator: AccountId,
	provider: AccountId,
	mediator: AccountId,
	directory: AccountId,
}

fn party<T: Config>(name: &'static str, index: u32) -> T::AccountId
where
	T::Currency: Mutate<T::AccountId>,
{
	let who: T::AccountId = account(name, index, SEED);
	let fortune = T::Currency::minimum_balance().saturating_mul(1_000_000).saturating_add(1 << 90);
	T::Currency::set_balance(&who, fortune);
	who
}

/// Fills a list up to its bound, with `last` at the end.
fn fill<T: Config, Item: PartialEq, Bound: Get<u32>>(
	list: &mut BoundedVec<Item, Bound>,
	filler: impl Fn(u32) -> Item,
	last: Option<Item>,
) -> DispatchResult {
	let room = Bound::get().saturating_sub(1);
	(0..room).try_for_each(|index| Pallet::<T>::add_to(list, filler(index)))?;
	last.map_or(Ok(()), |last| Pallet::<T>::add_to(list, last))
}

fn stranger<T: Config>(index: u32) -> T::AccountId {
	account("stranger", index, SEED)
}

fn layer(index: u32) -> [u8; 32] {
	let mut layer = [0; 32];
	layer[..4].copy_from_slice(&index.to_le_bytes());
	layer
}

/// Registers everybody; with `full`, lists are at their bound.
fn cast<T: Config>(index: u32, full: bool) -> Cast<T::AccountId>
where
	T::Currency: Mutate<T::AccountId>,
{
	let cast = Cast {
		creator: party::<T>("creator", index),
		provider: party::<T>("provider", index),
		mediator: party::<T>("mediator", index),
		directory: party::<T>("directory", index),
	};
	let Cast { creator, provider, mediator, directory } = &cast;
	let endpoint = vec![b'e'; T::MaxEndpointLen::get() as usize].try_into().unwrap();
	Pallet::<T>::do_register_job_creator(creator).unwrap();
	Pallet::<T>::do_register_resource_provider(provider, Architecture::Amd64, 1).unwrap();
	Pallet::<T>::do_register_mediator(mediator, Architecture::Amd64, fee::<T>()).unwrap();
	Pallet::<T>::do_register_directory(directory, endpoint, fee::<T>()).unwrap();
	for who in [creator, provider, mediator, directory] {
		PartyRecords::<T>::insert(who, PartyRecord::default());
	}
	let last = |item: &T::AccountId| full.then(|| item.clone());
	Pallet::<T>::edit::<JobCreatorRecordOf<T>>(creator, |record| {
		fill::<T, _, _>(&mut record.trusted_mediators, stranger::<T>, last(mediator))
	})
	.unwrap();
	Pallet::<T>::edit::<ResourceProviderRecordOf<T>>(provider, |record| {
		fill::<T, _, _>(&mut record.trusted_mediators, stranger::<T>, last(mediator))?;
		fill::<T, _, _>(&mut record.trusted_directories, stranger::<T>, last(directory))?;
		fill::<T, _, _>(&mut record.base_layers, layer, full.then_some(LAYER))
	})
	.unwrap();
	Pallet::<T>::edit::<MediatorRecordOf<T>>(mediator, |record| {
		fill::<T, _, _>(&mut record.trusted_directories, stranger::<T>, last(directory))?;
		fill::<T, _, _>(&mut record.base_layers, layer, full.then_some(LAYER))
	})
	.unwrap();
	cast
}

/// Large enough for any account to exist on.
fn fee<T: Config>() -> Balance {
	T::Currency::minimum_balance().saturating_add(1)
}

fn begin<T: Config>() {
	T::BenchmarkHelper::set_time(START);
	CurrentParameters::<T>::put(Parameters {
		verification_count: MAX_VERIFICATION_COUNT,
		min_match_incentive: 0,
		..Parameters::default()
	});
}

fn deadline<T: Config>() -> Moment {
	START.saturating_add(T::MaxJobDuration::get().min(3_600_000))
}

fn job_terms<T: Config>(directory: &T::AccountId) -> JobTermsOf<T> {
	JobTermsOf::<T> {
		directory: directory.clone(),
		job_hash: OUTPUT,
		base_layer: LAYER,
		architecture: Architecture::Amd64,
		limits: RESOURCES,
		max_prices: PRICES,
		max_availability_fee: fee::<T>().saturating_mul(2),
		completion_deadline: deadline::<T>(),
		match_incentive: fee::<T>(),
		meter: Meter::HardwareInstructions,
	}
}

const RESOURCES: Resources =
	Resources { instructions: 1 << 40, ram: 1 << 30, storage: 1 << 30, bandwidth: 1 << 30 };
const PRICES: Prices = Prices { instruction: 1 << 20, bandwidth: 1 << 20 };

fn resource_terms<T: Config>() -> ResourceTerms {
	ResourceTerms {
		caps: RESOURCES,
		prices: PRICES,
		max_availability_fee: fee::<T>().saturating_mul(2),
		match_incentive: fee::<T>(),
		meter: Meter::HardwareInstructions,
		expires_at: Some(deadline::<T>()),
	}
}

fn uri<T: Config>() -> Vec<u8> {
	vec![b'u'; T::MaxUriLen::get() as usize]
}

fn offers<T: Config>(cast: &Cast<T::AccountId>) -> (JobOfferId, ResourceOfferId) {
	offers_paying::<T>(cast, fee::<T>())
}

fn offers_paying<T: Config>(
	cast: &Cast<T::AccountId>,
	match_incentive: Balance,
) -> (JobOfferId, ResourceOfferId) {
	let ids = (NextJobOfferId::<T>::get(), NextResourceOfferId::<T>::get());
	let job = JobTermsOf::<T> { match_incentive, ..job_terms::<T>(&cast.directory) };
	let resource = ResourceTerms { match_incentive, ..resource_terms::<T>() };
	Pallet::<T>::do_post_job_offer(cast.creator.clone(), job, uri::<T>(), 1).unwrap();
	Pallet::<T>::do_post_resource_offer(cast.provider.clone(), resource, 1).unwrap();
	ids
}

fn running<T: Config>(cast: &Cast<T::AccountId>) -> MatchId
where
	T::Currency: Mutate<T::AccountId>,
{
	let (job, resource) = offers::<T>(cast);
	let match_id = NextMatchId::<T>::get();
	let solver = party::<T>("solver", 0);
	Pallet::<T>::do_post_match(solver, job, resource, cast.mediator.clone()).unwrap();
	match_id
}

fn run() -> Run {
	Run {
		status: ResultStatus::Completed,
		result_hash: OUTPUT,
		usage: Usage { instructions: 1 << 39, bandwidth: 1 << 29 },
	}
}

fn with_result<T: Config>(cast: &Cast<T::AccountId>) -> MatchId
where
	T::Currency: Mutate<T::AccountId>,
{
	let match_id = running::<T>(cast);
	Pallet::<T>::do_post_result(cast.provider.clone(), match_id, run(), uri::<T>()).unwrap();
	match_id
}

fn in_mediation<T: Config>(cast: &Cast<T::AccountId>) -> MatchId
where
	T::Currency: Mutate<T::AccountId>,
{
	let match_id = with_result::<T>(cast);
	let creator = cast.creator.clone();
	Pallet::<T>::do_reject_result(creator, match_id, RejectReason::WrongResults).unwrap();
	match_id
}

fn after_everything<T: Config>() {
	T::BenchmarkHelper::set_time(deadline::<T>().saturating_add(90 * 24 * 3_600_000));
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
	use super::*;

	fn admin<T: Config>() -> T::RuntimeOrigin {
		T::AdminOrigin::try_successful_origin().unwrap()
	}

	#[benchmark]
	fn set_penalty_rate() {
		#[extrinsic_call]
		_(admin::<T>() as T::RuntimeOrigin, 7);
		assert_eq!(CurrentParameters::<T>::get().penalty_rate, 7);
	}

	#[benchmark]
	fn set_verification_count() {
		#[extrinsic_call]
		_(admin::<T>() as T::RuntimeOrigin, 7);
		assert_eq!(CurrentParameters::<T>::get().verification_count, 7);
	}

	#[benchmark]
	fn set_reaction_deadline() {
		#[extrinsic_call]
		_(admin::<T>() as T::RuntimeOrigin, 7);
		assert_eq!(CurrentParameters::<T>::get().reaction_deadline, 7);
	}

	#[benchmark]
	fn set_mediation_deadline() {
		#[extrinsic_call]
		_(admin::<T>() as T::RuntimeOrigin, 7);
		assert_eq!(CurrentParameters::<T>::get().mediation_deadline, 7);
	}

	#[benchmark]
	fn set_min_match_incentive() {
		#[extrinsic_call]
		_(admin::<T>() as T::RuntimeOrigin, 7);
		assert_eq!(CurrentParameters::<T>::get().min_match_incentive, 7);
	}

	#[benchmark]
	fn set_cost_tolerance() {
		#[extrinsic_call]
		_(admin::<T>() as T::RuntimeOrigin, Meter::CpuTime, 7);
		assert_eq!(CurrentParameters::<T>::get().cost_tolerances.cpu_time, 7);
	}

	#[benchmark]
	fn set_auto_close_grace() {
		#[extrinsic_call]
		_(admin::<T>() as T::RuntimeOrigin, 7);
		assert_eq!(CurrentParameters::<T>::get().auto_close_grace, 7);
	}

	#[benchmark]
	fn register_job_creator() {
		let who = party::<T>("creator", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(JobCreators::<T>::contains_key(who));
	}

	#[benchmark]
	fn deregister_job_creator() {
		let Cast { creator: who, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(!JobCreators::<T>::contains_key(who));
	}

	#[benchmark]
	fn job_creator_add_trusted_mediator() {
		let Cast { creator: who, mediator, .. } = cast::<T>(0, false);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), mediator.clone());
		assert!(JobCreators::<T>::get(who).unwrap().trusted_mediators.contains(&mediator));
	}

	#[benchmark]
	fn job_creator_remove_trusted_mediator() {
		let Cast { creator: who, mediator, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), mediator.clone());
		assert!(!JobCreators::<T>::get(who).unwrap().trusted_mediators.contains(&mediator));
	}

	#[benchmark]
	fn register_resource_provider() {
		let who = party::<T>("provider", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), Architecture::Armv7, 1_000);
		assert!(ResourceProviders::<T>::contains_key(who));
	}

	#[benchmark]
	fn deregister_resource_provider() {
		let Cast { provider: who, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(!ResourceProviders::<T>::contains_key(who));
	}

	#[benchmark]
	fn resource_provider_add_trusted_mediator() {
		let Cast { provider: who, mediator, .. } = cast::<T>(0, false);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), mediator.clone());
		assert!(ResourceProviders::<T>::get(who).unwrap().trusted_mediators.contains(&mediator));
	}

	#[benchmark]
	fn resource_provider_remove_trusted_mediator() {
		let Cast { provider: who, mediator, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), mediator.clone());
		assert!(!ResourceProviders::<T>::get(who).unwrap().trusted_mediators.contains(&mediator));
	}

	#[benchmark]
	fn resource_provider_add_trusted_directory() {
		let Cast { provider: who, directory, .. } = cast::<T>(0, false);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), directory.clone());
		assert!(ResourceProviders::<T>::get(who).unwrap().trusted_directories.contains(&directory));
	}

	#[benchmark]
	fn resource_provider_remove_trusted_directory() {
		let Cast { provider: who, directory, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), directory.clone());
		assert!(!ResourceProviders::<T>::get(who)
			.unwrap()
			.trusted_directories
			.contains(&directory));
	}

	#[benchmark]
	fn resource_provider_add_supported_base_layer() {
		let Cast { provider: who, .. } = cast::<T>(0, false);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), LAYER);
		assert!(ResourceProviders::<T>::get(who).unwrap().base_layers.contains(&LAYER));
	}

	#[benchmark]
	fn resource_provider_remove_supported_base_layer() {
		let Cast { provider: who, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), LAYER);
		assert!(!ResourceProviders::<T>::get(who).unwrap().base_layers.contains(&LAYER));
	}

	#[benchmark]
	fn register_mediator() {
		let who = party::<T>("mediator", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), Architecture::Armv7, 1_000);
		assert!(Mediators::<T>::contains_key(who));
	}

	#[benchmark]
	fn deregister_mediator() {
		let Cast { mediator: who, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(!Mediators::<T>::contains_key(who));
	}

	#[benchmark]
	fn mediator_add_trusted_directory() {
		let Cast { mediator: who, directory, .. } = cast::<T>(0, false);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), directory.clone());
		assert!(Mediators::<T>::get(who).unwrap().trusted_directories.contains(&directory));
	}

	#[benchmark]
	fn mediator_remove_trusted_directory() {
		let Cast { mediator: who, directory, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), directory.clone());
		assert!(!Mediators::<T>::get(who).unwrap().trusted_directories.contains(&directory));
	}

	#[benchmark]
	fn mediator_add_supported_base_layer() {
		let Cast { mediator: who, .. } = cast::<T>(0, false);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), LAYER);
		assert!(Mediators::<T>::get(who).unwrap().base_layers.contains(&LAYER));
	}

	#[benchmark]
	fn mediator_remove_supported_base_layer() {
		let Cast { mediator: who, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), LAYER);
		assert!(!Mediators::<T>::get(who).unwrap().base_layers.contains(&LAYER));
	}

	#[benchmark]
	fn register_directory() {
		let who = party::<T>("directory", 0);
		let endpoint = vec![b'e'; T::MaxEndpointLen::get() as usize];
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), endpoint, 1_000);
		assert!(Directories::<T>::contains_key(who));
	}

	#[benchmark]
	fn deregister_directory() {
		let Cast { directory: who, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(!Directories::<T>::contains_key(who));
	}

	#[benchmark]
	fn post_job_offer() {
		begin::<T>();
		let Cast { creator, directory, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(creator), job_terms::<T>(&directory), uri::<T>(), 1);
		assert!(JobOffers::<T>::contains_key(0));
	}

	#[benchmark]
	fn cancel_job_offer() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		let (job_offer, _) = offers::<T>(&cast);
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.creator), job_offer);
		assert!(!JobOffers::<T>::contains_key(job_offer));
	}

	#[benchmark]
	fn post_resource_offer() {
		begin::<T>();
		let Cast { provider, .. } = cast::<T>(0, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(provider), resource_terms::<T>(), 1);
		assert!(ResourceOffers::<T>::contains_key(0));
	}

	#[benchmark]
	fn cancel_resource_offer() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		let (_, resource_offer) = offers::<T>(&cast);
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.provider), resource_offer);
		assert!(!ResourceOffers::<T>::contains_key(resource_offer));
	}

	#[benchmark]
	fn post_match() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		// What costs most: incentives too small to create the solver's account, which go to the fines instead.
		let (job_offer, resource_offer) = offers_paying::<T>(&cast, 1);
		let solver: T::AccountId = account("solver", 0, SEED);
		#[extrinsic_call]
		_(RawOrigin::Signed(solver), job_offer, resource_offer, cast.mediator);
		assert!(Matches::<T>::contains_key(0));
	}

	#[benchmark]
	fn post_result() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		let match_id = running::<T>(&cast);
		let Run { status, result_hash, usage } = run();
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.provider), match_id, status, uri::<T>(), result_hash, usage);
		assert!(Matches::<T>::get(match_id).unwrap().result().is_some());
	}

	#[benchmark]
	fn accept_result() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		let match_id = with_result::<T>(&cast);
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.creator), match_id);
		assert!(!Matches::<T>::contains_key(match_id));
	}

	#[benchmark]
	fn reject_result() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		let match_id = with_result::<T>(&cast);
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.creator), match_id, RejectReason::WrongResults);
		assert!(matches!(Matches::<T>::get(match_id).unwrap().phase, Phase::Mediating { .. }));
	}

	#[benchmark]
	fn post_mediation_result(r: Linear<MIN_VERIFICATION_COUNT, MAX_VERIFICATION_COUNT>) {
		begin::<T>();
		CurrentParameters::<T>::mutate(|parameters| parameters.verification_count = r);
		let cast = cast::<T>(0, true);
		let match_id = in_mediation::<T>(&cast);
		// All runs agree with the provider: every pair is compared and the creator is fined.
		let evidence = Evidence::Runs(vec![run(); r as usize]);
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.mediator), match_id, evidence);
		assert!(!Matches::<T>::contains_key(match_id));
	}

	#[benchmark]
	fn timeout() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		let match_id = running::<T>(&cast);
		after_everything::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.creator), match_id);
		assert!(!Matches::<T>::contains_key(match_id));
	}

	#[benchmark]
	fn timeout_mediation() {
		begin::<T>();
		let cast = cast::<T>(0, true);
		let match_id = in_mediation::<T>(&cast);
		after_everything::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(cast.creator), match_id);
		assert!(!Matches::<T>::contains_key(match_id));
	}

	/// The dearest entry is a result that nobody reacted to: all four parties are paid and counted.
	#[benchmark]
	fn close_overdue(n: Linear<0, 10>) {
		begin::<T>();
		for index in 0..n {
			let cast = cast::<T>(index, true);
			with_result::<T>(&cast);
		}
		after_everything::<T>();
		#[block]
		{
			let _ = Pallet::<T>::do_close_overdue(n);
		}
		assert_eq!(Matches::<T>::iter().count(), 0);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
