// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Nothing that the pallet declares is forgotten by its tests: every error is returned by a call, every call is
//! made, and every call keeps its number.

use crate::{mock::*, *};
use frame::{deps::sp_runtime::ModuleError, testing_prelude::*};
use modicum_primitives::{
	Architecture, Balance, Evidence, JobOfferId, JobTerms, MatchId, Meter, Moment, Prices,
	RejectReason, ResourceOfferId, ResourceTerms, Resources, ResultStatus, Run, Usage, NO_HASH,
};
use std::collections::BTreeSet;

/// The variants of an enum with their indices.
fn variants<Enum: TypeInfo>() -> Vec<(String, u8)> {
	match Enum::type_info().type_def {
		scale_info::TypeDef::Variant(def) => def
			.variants
			.into_iter()
			.filter(|variant| !variant.name.starts_with("__"))
			.map(|variant| (variant.name.to_string(), variant.index))
			.collect(),
		_ => Vec::new(),
	}
}

/// Offers and results that differ from the standard ones, tried.
mod tries {
	use super::*;

	pub fn job(terms: JobTerms<AccountId>) -> DispatchResult {
		Modicum::post_job_offer(signed(CREATOR), terms, uri(), 0)
	}

	pub fn resource(terms: ResourceTerms) -> DispatchResult {
		Modicum::post_resource_offer(signed(PROVIDER), terms, 0)
	}

	pub fn matching(job: JobOfferId, resource: ResourceOfferId) -> DispatchResult {
		Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR)
	}

	/// Matches these offers.
	pub fn pair(job: JobTerms<AccountId>, resource: ResourceTerms) -> DispatchResult {
		matching(post_job(job), post_resource(resource))
	}

	/// Matches the standard resource with a job of these limits.
	pub fn limits(change: fn(&mut Resources)) -> DispatchResult {
		let mut job = job_terms();
		change(&mut job.limits);
		pair(job, resource_terms())
	}

	/// Matches the standard offers.
	pub fn standard() -> DispatchResult {
		pair(job_terms(), resource_terms())
	}

	/// Matches the standard offers, posted before a parameter rose.
	pub fn after(change: impl FnOnce() -> DispatchResult) -> DispatchResult {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(change());
		matching(job, resource)
	}

	pub fn result(match_id: MatchId, run: Run) -> DispatchResult {
		let Run { status, result_hash, usage } = run;
		Modicum::post_result(signed(PROVIDER), match_id, status, uri(), result_hash, usage)
	}

	pub fn reject(match_id: MatchId) -> DispatchResult {
		Modicum::reject_result(signed(CREATOR), match_id, RejectReason::WrongResults)
	}

	pub fn evidence(match_id: MatchId, evidence: Evidence) -> DispatchResult {
		Modicum::post_mediation_result(signed(MEDIATOR), match_id, evidence)
	}
}

/// An error's name and a call that returns it.
type Failure = (&'static str, fn() -> DispatchResult);

/// For every error a call that returns it, in a market where everybody is registered and trusts the others.
fn calls_that_fail() -> Vec<Failure> {
	use tries::*;
	vec![
		("AlreadyRegistered", || Modicum::register_job_creator(signed(CREATOR))),
		("NotJobCreator", || Modicum::deregister_job_creator(signed(STRANGER))),
		("NotResourceProvider", || Modicum::deregister_resource_provider(signed(STRANGER))),
		("NotMediator", || Modicum::deregister_mediator(signed(STRANGER))),
		("NotDirectory", || Modicum::deregister_directory(signed(STRANGER))),
		("HasCommitments", || {
			post_job(job_terms());
			Modicum::deregister_job_creator(signed(CREATOR))
		}),
		("ZeroInstructionTime", || {
			Modicum::register_resource_provider(signed(STRANGER), Architecture::Amd64, 0)
		}),
		("EndpointEmpty", || Modicum::register_directory(signed(STRANGER), vec![], 0)),
		("EndpointTooLong", || Modicum::register_directory(signed(STRANGER), vec![b'd'; 33], 0)),
		("AlreadyListed", || Modicum::job_creator_add_trusted_mediator(signed(CREATOR), MEDIATOR)),
		("NotListed", || Modicum::job_creator_remove_trusted_mediator(signed(CREATOR), STRANGER)),
		("ListFull", || {
			(100..103)
				.try_for_each(|who| Modicum::job_creator_add_trusted_mediator(signed(CREATOR), who))
		}),
		("UriEmpty", || Modicum::post_job_offer(signed(CREATOR), job_terms(), vec![], 0)),
		("UriTooLong", || Modicum::post_job_offer(signed(CREATOR), job_terms(), vec![b'u'; 65], 0)),
		("ZeroResource", || {
			job(JobTerms { limits: Resources { ram: 0, ..job_terms().limits }, ..job_terms() })
		}),
		("ZeroPrices", || job(JobTerms { max_prices: Prices::default(), ..job_terms() })),
		("IncentiveTooSmall", || job(JobTerms { match_incentive: 4, ..job_terms() })),
		("DeadlineInPast", || job(JobTerms { completion_deadline: START, ..job_terms() })),
		("DeadlineTooFar", || job(JobTerms { completion_deadline: Moment::MAX, ..job_terms() })),
		("ExpiryInPast", || {
			resource(ResourceTerms { expires_at: Some(START), ..resource_terms() })
		}),
		("AmountTooLarge", || job(JobTerms { match_incentive: Balance::MAX, ..job_terms() })),
		("JobOfferNotFound", || Modicum::cancel_job_offer(signed(CREATOR), 0)),
		("ResourceOfferNotFound", || Modicum::cancel_resource_offer(signed(PROVIDER), 0)),
		("NotOfferOwner", || Modicum::cancel_job_offer(signed(STRANGER), post_job(job_terms()))),
		("OfferAlreadyMatched", || {
			matched();
			Modicum::cancel_job_offer(signed(CREATOR), 0)
		}),
		// The rules of matching.
		("NotEnoughInstructions", || limits(|limits| limits.instructions = 21 * BILLION)),
		("NotEnoughRam", || limits(|limits| limits.ram = 3 * BILLION)),
		("NotEnoughStorage", || limits(|limits| limits.storage = 3 * BILLION)),
		("NotEnoughBandwidth", || limits(|limits| limits.bandwidth = 5 * BILLION)),
		("InstructionPriceTooHigh", || {
			let max_prices = Prices { instruction: 9, bandwidth: 4 };
			pair(JobTerms { max_prices, ..job_terms() }, resource_terms())
		}),
		("BandwidthPriceTooHigh", || {
			let max_prices = Prices { instruction: 12, bandwidth: 2 };
			pair(JobTerms { max_prices, ..job_terms() }, resource_terms())
		}),
		("ArchitectureMismatch", || {
			pair(JobTerms { architecture: Architecture::Arm64, ..job_terms() }, resource_terms())
		}),
		("DirectoryNotTrustedByProvider", || {
			Modicum::resource_provider_remove_trusted_directory(signed(PROVIDER), DIRECTORY)?;
			standard()
		}),
		("MediatorNotTrustedByCreator", || {
			Modicum::job_creator_remove_trusted_mediator(signed(CREATOR), MEDIATOR)?;
			standard()
		}),
		("MediatorNotTrustedByProvider", || {
			Modicum::resource_provider_remove_trusted_mediator(signed(PROVIDER), MEDIATOR)?;
			standard()
		}),
		("MediatorArchitectureMismatch", || {
			Modicum::deregister_mediator(signed(MEDIATOR))?;
			Modicum::register_mediator(signed(MEDIATOR), Architecture::Armv7, MEDIATOR_FEE)?;
			standard()
		}),
		("DirectoryNotTrustedByMediator", || {
			Modicum::mediator_remove_trusted_directory(signed(MEDIATOR), DIRECTORY)?;
			standard()
		}),
		("TooSlowForDeadline", || {
			pair(JobTerms { completion_deadline: START + 1, ..job_terms() }, resource_terms())
		}),
		("BaseLayerNotSupportedByProvider", || {
			pair(JobTerms { base_layer: [1; 32], ..job_terms() }, resource_terms())
		}),
		("BaseLayerNotSupportedByMediator", || {
			Modicum::mediator_remove_supported_base_layer(signed(MEDIATOR), LAYER)?;
			standard()
		}),
		("FeesAboveCreatorMaximum", || {
			pair(JobTerms { max_availability_fee: FEES - 1, ..job_terms() }, resource_terms())
		}),
		("FeesAboveProviderMaximum", || {
			let resource = ResourceTerms { max_availability_fee: FEES - 1, ..resource_terms() };
			pair(job_terms(), resource)
		}),
		("MeterMismatch", || {
			pair(JobTerms { meter: Meter::WasmFuel, ..job_terms() }, resource_terms())
		}),
		("CreatorIsProvider", || {
			let both = || signed(PROVIDER);
			Modicum::register_job_creator(both())?;
			Modicum::job_creator_add_trusted_mediator(both(), MEDIATOR)?;
			Modicum::post_job_offer(both(), job_terms(), uri(), 0)?;
			matching(0, post_resource(resource_terms()))
		}),
		("MediatorIsCreator", || {
			let both = || signed(MEDIATOR);
			Modicum::register_job_creator(both())?;
			Modicum::job_creator_add_trusted_mediator(both(), MEDIATOR)?;
			Modicum::post_job_offer(both(), job_terms(), uri(), 0)?;
			matching(0, post_resource(resource_terms()))
		}),
		("MediatorIsProvider", || {
			let both = || signed(MEDIATOR);
			Modicum::register_resource_provider(both(), Architecture::Amd64, 1)?;
			Modicum::resource_provider_add_trusted_mediator(both(), MEDIATOR)?;
			Modicum::resource_provider_add_trusted_directory(both(), DIRECTORY)?;
			Modicum::resource_provider_add_supported_base_layer(both(), LAYER)?;
			Modicum::post_resource_offer(both(), resource_terms(), 0)?;
			matching(post_job(job_terms()), 0)
		}),
		("JobOfferNotOpen", || {
			matched();
			matching(0, post_resource(resource_terms()))
		}),
		("JobOfferExpired", || {
			let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
			set_time(DEADLINE + 1);
			matching(job, resource)
		}),
		("ResourceOfferNotOpen", || {
			matched();
			matching(post_job(job_terms()), 0)
		}),
		("ResourceOfferExpired", || {
			let expiring = ResourceTerms { expires_at: Some(START + 1), ..resource_terms() };
			let (job, resource) = (post_job(job_terms()), post_resource(expiring));
			set_time(START + 2);
			matching(job, resource)
		}),
		("DirectoryNotRegistered", || {
			Modicum::deregister_directory(signed(DIRECTORY))?;
			standard()
		}),
		("MediatorNotRegistered", || {
			Modicum::deregister_mediator(signed(MEDIATOR))?;
			standard()
		}),
		("CreatorDepositTooSmall", || after(|| Modicum::set_penalty_rate(root(), 100))),
		("ProviderDepositTooSmall", || {
			Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 100_000)?;
			let resource = post_resource(resource_terms());
			Modicum::set_penalty_rate(root(), 200)?;
			matching(0, resource)
		}),
		("CreatorIncentiveTooSmall", || {
			after(|| Modicum::set_min_match_incentive(root(), CREATOR_INCENTIVE + 1))
		}),
		("ProviderIncentiveTooSmall", || {
			after(|| Modicum::set_min_match_incentive(root(), PROVIDER_INCENTIVE + 1))
		}),
		// From the match to its end.
		("MatchNotFound", || Modicum::timeout(signed(CREATOR), 0)),
		("NotCreator", || Modicum::timeout(signed(STRANGER), matched())),
		("NotProvider", || {
			let (match_id, Run { status, result_hash, usage }) = (matched(), run());
			Modicum::post_result(signed(STRANGER), match_id, status, uri(), result_hash, usage)
		}),
		("NotMediatorOfMatch", || {
			Modicum::post_mediation_result(signed(STRANGER), in_mediation(run()), runs(run()))
		}),
		("NotParty", || Modicum::accept_result(signed(STRANGER), with_result(run()))),
		("NotRunning", || result(with_result(run()), run())),
		("NotAwaitingReaction", || reject(matched())),
		("NotMediating", || evidence(with_result(run()), runs(run()))),
		("CompletionDeadlinePassed", || {
			let match_id = matched();
			set_time(DEADLINE + 1);
			result(match_id, run())
		}),
		("CompletionDeadlineNotPassed", || Modicum::timeout(signed(CREATOR), matched())),
		("ReactionDeadlinePassed", || {
			let match_id = with_result(run());
			set_time(START + REACTION + 1);
			reject(match_id)
		}),
		("ReactionDeadlineNotPassed", || {
			Modicum::accept_result(signed(PROVIDER), with_result(run()))
		}),
		("MediationDeadlinePassed", || {
			let match_id = in_mediation(run());
			set_time(START + MEDIATION + 1);
			evidence(match_id, runs(run()))
		}),
		("MediationDeadlineNotPassed", || {
			Modicum::timeout_mediation(signed(CREATOR), in_mediation(run()))
		}),
		("UsageAboveLimits", || {
			let usage = Usage { instructions: u64::MAX, bandwidth: 0 };
			result(matched(), Run { usage, ..run() })
		}),
		("InstructionsWithoutRun", || {
			let status = ResultStatus::Declined;
			result(matched(), Run { status, result_hash: NO_HASH, ..run() })
		}),
		("ResultHashMissing", || result(matched(), Run { result_hash: NO_HASH, ..run() })),
		("ResultHashUnexpected", || {
			result(matched(), Run { status: ResultStatus::MemoryExceeded, ..run() })
		}),
		("WrongNumberOfRuns", || evidence(in_mediation(run()), Evidence::Runs(vec![run()]))),
		("NoResultToMiss", || {
			let match_id = in_mediation(failed_run(ResultStatus::Declined));
			evidence(match_id, Evidence::ResultNotOnDirectory)
		}),
		("NothingOverdue", || {
			let outcome = Modicum::close_overdue(signed(STRANGER), 1);
			outcome.map(|_| ()).map_err(|failure| failure.error)
		}),
		// The parameters.
		("PenaltyRateOutOfBounds", || Modicum::set_penalty_rate(root(), 0)),
		("VerificationCountOutOfBounds", || Modicum::set_verification_count(root(), 0)),
		("ReactionDeadlineOutOfBounds", || Modicum::set_reaction_deadline(root(), 0)),
		("MediationDeadlineOutOfBounds", || Modicum::set_mediation_deadline(root(), 0)),
		("CostToleranceOutOfBounds", || {
			Modicum::set_cost_tolerance(root(), Meter::CpuTime, u32::MAX)
		}),
		("AutoCloseGraceOutOfBounds", || Modicum::set_auto_close_grace(root(), u64::MAX)),
	]
}

#[test]
fn every_error_is_returned() {
	let mut returned = BTreeSet::new();
	for (name, call) in calls_that_fail() {
		in_market(|| match call() {
			Err(DispatchError::Module(ModuleError { message, .. })) => {
				assert_eq!(message, Some(name));
			},
			other => panic!("{other:?} instead of {name}"),
		});
		assert!(returned.insert(name.to_string()), "{name} is listed twice");
	}
	let declared: BTreeSet<_> =
		variants::<Error<Test>>().into_iter().map(|(name, _)| name).collect();
	assert_eq!(returned, declared);
}

/// The files whose tests are about single calls.
const TESTS: &[&str] = &[
	include_str!("deadlines.rs"),
	include_str!("matching.rs"),
	include_str!("mediation.rs"),
	include_str!("offers.rs"),
	include_str!("parameters.rs"),
	include_str!("registration.rs"),
	include_str!("results.rs"),
];

#[test]
fn every_call_has_a_test() {
	let tests = TESTS.concat();
	for (name, _) in variants::<Call<Test>>() {
		let direct = tests.contains(&format!("Modicum::{name}("));
		let by_macro = tests.contains(&format!("\t{name},\n"));
		assert!(direct || by_macro, "no test calls {name}");
	}
}

#[test]
fn calls_keep_their_numbers() {
	let expected = [
		("set_penalty_rate", 0),
		("set_verification_count", 1),
		("set_reaction_deadline", 2),
		("set_mediation_deadline", 3),
		("set_min_match_incentive", 4),
		("set_cost_tolerance", 5),
		("set_auto_close_grace", 6),
		("register_job_creator", 10),
		("deregister_job_creator", 11),
		("job_creator_add_trusted_mediator", 12),
		("job_creator_remove_trusted_mediator", 13),
		("register_resource_provider", 20),
		("deregister_resource_provider", 21),
		("resource_provider_add_trusted_mediator", 22),
		("resource_provider_remove_trusted_mediator", 23),
		("resource_provider_add_trusted_directory", 24),
		("resource_provider_remove_trusted_directory", 25),
		("resource_provider_add_supported_base_layer", 26),
		("resource_provider_remove_supported_base_layer", 27),
		("register_mediator", 30),
		("deregister_mediator", 31),
		("mediator_add_trusted_directory", 32),
		("mediator_remove_trusted_directory", 33),
		("mediator_add_supported_base_layer", 34),
		("mediator_remove_supported_base_layer", 35),
		("register_directory", 40),
		("deregister_directory", 41),
		("post_job_offer", 50),
		("cancel_job_offer", 51),
		("post_resource_offer", 52),
		("cancel_resource_offer", 53),
		("post_match", 60),
		("post_result", 61),
		("accept_result", 62),
		("reject_result", 63),
		("post_mediation_result", 64),
		("timeout", 65),
		("timeout_mediation", 66),
		("close_overdue", 67),
	];
	let calls = variants::<Call<Test>>();
	let numbers: Vec<_> = calls.iter().map(|(name, index)| (name.as_str(), *index)).collect();
	assert_eq!(numbers, expected);
}
