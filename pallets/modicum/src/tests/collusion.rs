// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every pair of colluding parties of the paper's §4.4.1, played out to the final balances. What they show is
//! how much a pair can gain, that it gains it once, and how the wronged party ends it: by shortening a list.

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{
	Evidence, JobTerms, Prices, RejectReason, ResourceTerms, ResultStatus, Run, Usage,
};

const CI: i128 = CREATOR_INCENTIVE as i128;
const PI: i128 = PROVIDER_INCENTIVE as i128;
const M: i128 = MEDIATOR_FEE as i128;
const D: i128 = DIRECTORY_FEE as i128;
const FEE: i128 = FEES as i128;
const C: i128 = COST as i128;
const N: i128 = RUNS as i128;
const STAKE: i128 = DEPOSIT as i128;

fn wrong_run() -> Run {
	Run { result_hash: OTHER_OUTPUT, ..run() }
}

/// Who has gained what when a provider is blamed for a usage that costs `cost`.
fn provider_loses(cost: i128) -> [(AccountId, i128); 6] {
	[
		(CREATOR, -CI - FEE + cost),
		(PROVIDER, -PI - STAKE),
		(MEDIATOR, 2 * M + N * cost),
		(DIRECTORY, 2 * D),
		(SOLVER, CI + PI),
		(TREASURY, STAKE - (N + 1) * cost - FEE),
	]
}

/// Who has gained what when a creator is blamed and the usage cost `cost`.
fn creator_loses(cost: i128) -> [(AccountId, i128); 6] {
	[
		(CREATOR, -CI - STAKE),
		(PROVIDER, -PI - FEE + cost),
		(MEDIATOR, 2 * M + N * cost),
		(DIRECTORY, 2 * D),
		(SOLVER, CI + PI),
		(TREASURY, STAKE - (N + 1) * cost - FEE),
	]
}

/// Asserts that the standard offers can no longer be matched under the mediator.
#[track_caller]
fn assert_mediator_is_out(error: Error<Test>) {
	let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
	assert_noop!(Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR), error);
	assert_eq!(Modicum::feasible_mediators(job, resource), Some(vec![MEDIATOR_2]));
}

/// They match the creator's job with the cheapest resource first. Nobody is paid less than it asked for.
#[test]
fn creator_and_solver() {
	in_market(|| {
		let cheap =
			ResourceTerms { prices: Prices { instruction: 4, bandwidth: 1 }, ..resource_terms() };
		post_resource(resource_terms());
		let cheapest = post_resource(cheap);
		let job = post_job(job_terms());
		let before = Ledger::now();
		// The creator is its own solver and so saves its incentive.
		assert_ok!(Modicum::post_match(signed(CREATOR), job, cheapest, MEDIATOR));
		post_and_accept(0, run());
		// 5·4 + 1·1: exactly what the provider asks for.
		before.assert_changes(&[
			(CREATOR, PI - 21 - FEE),
			(PROVIDER, -PI + 21 - FEE),
			(MEDIATOR, 2 * M),
			(DIRECTORY, 2 * D),
		]);
	});
}

/// The creator rejects a correct result and the mediator invents runs. They get damages and n times as much;
/// most of the provider's deposit goes to the fines destination, out of their reach.
#[test]
fn creator_and_mediator() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = in_mediation(run());
		mediate(match_id, runs(wrong_run()));
		before.assert_changes(&provider_loses(C));

		// Once: the provider takes the mediator off its list.
		assert_ok!(Modicum::resource_provider_remove_trusted_mediator(signed(PROVIDER), MEDIATOR));
		assert_mediator_is_out(Error::MediatorNotTrustedByProvider);
	});
}

/// The directory hands the provider a broken job and the mediator the right one.
#[test]
fn creator_and_directory() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = rejected(
			failed_run(ResultStatus::JobDescriptionError),
			RejectReason::InvalidResultStatus,
		);
		// The mediator is honest.
		mediate(match_id, runs(run()));
		before.assert_changes(&provider_loses(C));

		// The provider cannot tell who it was: it takes both off its lists.
		assert_ok!(Modicum::resource_provider_remove_trusted_mediator(signed(PROVIDER), MEDIATOR));
		assert_ok!(Modicum::resource_provider_remove_trusted_directory(
			signed(PROVIDER),
			DIRECTORY
		));
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_eq!(Modicum::feasible_mediators(job, resource), Some(vec![]));
		let elsewhere = post_job(JobTerms { directory: DIRECTORY_2, ..job_terms() });
		assert_eq!(Modicum::feasible_mediators(elsewhere, resource), Some(vec![MEDIATOR_2]));
	});
}

/// Whatever they report to each other, together they only lose fees and incentives.
#[test]
fn creator_and_provider() {
	let lose = |act: &dyn Fn(u64)| {
		in_market(|| {
			let before = free(CREATOR) + free(PROVIDER);
			let match_id = matched();
			act(match_id);
			assert_nothing_left();
			assert!(free(CREATOR) + free(PROVIDER) < before);
		});
	};
	let full = Run { usage: job_terms().limits.billable(), ..run() };
	let accept = |match_id| {
		assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
	};
	lose(&|match_id| {
		post(match_id, full);
		accept(match_id);
	});
	lose(&|match_id| {
		post(match_id, failed_run(ResultStatus::Declined));
		accept(match_id);
	});
	lose(&|match_id| {
		set_time(DEADLINE + 1);
		assert_ok!(Modicum::timeout(signed(CREATOR), match_id));
	});
	lose(&|match_id| {
		post(match_id, full);
		let reason = RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, reason));
		set_time(START + MEDIATION + 1);
		assert_ok!(Modicum::timeout_mediation(signed(CREATOR), match_id));
	});
}

/// As creator and solver, from the other side: the provider picks the job that pays it, at its own price.
#[test]
fn provider_and_solver() {
	in_market(|| {
		let generous =
			JobTerms { max_prices: Prices { instruction: 1_000, bandwidth: 1_000 }, ..job_terms() };
		post_job(job_terms());
		let job = post_job(generous);
		let resource = post_resource(resource_terms());
		let before = Ledger::now();
		assert_ok!(Modicum::post_match(signed(PROVIDER), job, resource, MEDIATOR));
		post_and_accept(0, run());
		// However generous the creator is, it pays the asking price.
		before.assert_changes(&[
			(CREATOR, -CI - C - FEE),
			(PROVIDER, CI + C - FEE),
			(MEDIATOR, 2 * M),
			(DIRECTORY, 2 * D),
		]);
	});
}

/// The provider invents a result, the creator disputes it and the mediator confirms it.
#[test]
fn provider_and_mediator() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = in_mediation(wrong_run());
		mediate(match_id, runs(wrong_run()));
		before.assert_changes(&creator_loses(C));

		// Once: the creator takes the mediator off its list.
		assert_ok!(Modicum::job_creator_remove_trusted_mediator(signed(CREATOR), MEDIATOR));
		assert_mediator_is_out(Error::MediatorNotTrustedByCreator);
	});
}

/// The directory serves the mediator the same wrong job as the provider.
#[test]
fn provider_and_directory() {
	in_market(|| {
		let before = Ledger::now();
		let missing = failed_run(ResultStatus::JobNotFound);
		let match_id = rejected(missing, RejectReason::InvalidResultStatus);
		// The mediator is honest, and finds no job either.
		mediate(match_id, runs(missing));
		// 10^9 bytes at 3 is all that the provider can claim without having run anything.
		before.assert_changes(&creator_loses(3));

		// The creator names another directory and no longer trusts the mediator.
		assert_ok!(Modicum::job_creator_remove_trusted_mediator(signed(CREATOR), MEDIATOR));
		let job = post_job(JobTerms { directory: DIRECTORY_2, ..job_terms() });
		let resource = post_resource(resource_terms());
		assert_eq!(Modicum::feasible_mediators(job, resource), Some(vec![MEDIATOR_2]));
	});
}

/// A solver that prefers a directory's matches gains what any solver gains, and so does the directory.
#[test]
fn directory_and_solver() {
	in_market(|| {
		let before = Ledger::now();
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::post_match(signed(DIRECTORY), job, resource, MEDIATOR));
		post_and_accept(0, run());
		before.assert_changes(&[
			(CREATOR, -CI - C - FEE),
			(PROVIDER, -PI + C - FEE),
			(MEDIATOR, 2 * M),
			(DIRECTORY, 2 * D + CI + PI),
		]);
	});
}

/// The directory hides a result so that there is a dispute; the mediator says that it was never there. They
/// share what mediation pays. Saying that the directory was down instead would cost the directory its fee.
#[test]
fn directory_and_mediator() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = rejected(run(), RejectReason::ResultNotFound);
		mediate(match_id, Evidence::ResultNotOnDirectory);
		before.assert_changes(&provider_loses(VALUE as i128));

		assert_ok!(Modicum::resource_provider_remove_trusted_mediator(signed(PROVIDER), MEDIATOR));
		assert_mediator_is_out(Error::MediatorNotTrustedByProvider);
	});
}

/// They cannot make disputes; and who is left out for it, matches its own offers.
#[test]
fn mediator_and_solver() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		let before = Ledger::now();
		// The mediator as solver takes what the solver and the mediator would have taken.
		assert_ok!(Modicum::post_match(signed(MEDIATOR), job, resource, MEDIATOR));
		let match_id = 0;
		post(match_id, run());
		assert_noop!(
			Modicum::post_mediation_result(signed(MEDIATOR), match_id, runs(wrong_run())),
			Error::<Test>::NotMediating
		);
		assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
		before.assert_changes(&[
			(CREATOR, -CI - C - FEE),
			(PROVIDER, -PI + C - FEE),
			(MEDIATOR, 2 * M + CI + PI),
			(DIRECTORY, 2 * D),
		]);

		// A pair that no solver matches, matches itself.
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::post_match(signed(PROVIDER), job, resource, MEDIATOR_2));
	});
}

/// Why nothing of a directory's is slashed: a mediator that blames it falsely gains nothing by it, and takes
/// only the fee of the matches that were made to use it.
#[test]
fn a_mediator_cannot_drain_a_directory() {
	in_market(|| {
		let directory = free(DIRECTORY);
		for _ in 0..3 {
			let before = Ledger::now();
			let match_id = in_mediation(run());
			mediate(match_id, Evidence::DirectoryUnavailable);
			before.assert_changes(&[
				(CREATOR, -CI - M),
				(PROVIDER, -PI - M),
				(MEDIATOR, 2 * M),
				(SOLVER, CI + PI),
			]);
		}
		assert_eq!(free(DIRECTORY), directory);
		assert_eq!(PartyRecords::<Test>::get(DIRECTORY).faulted, 3);
	});
}

/// A creator whose job prints something else each time cannot blame the provider for it.
#[test]
fn a_non_deterministic_job_is_its_creators_fault() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = in_mediation(run());
		let once = Run { result_hash: [1; 32], ..run() };
		let evidence = Evidence::Runs(vec![once, wrong_run()]);
		mediate(match_id, evidence);
		before.assert_changes(&creator_loses(C));
	});
}

/// A provider that claims more than it used loses everything, however little more it is beyond the tolerance.
#[test]
fn a_provider_that_inflates_its_usage_loses_its_deposit() {
	in_market(|| {
		let honest = run();
		let with = |instructions| Run { usage: Usage { instructions, ..honest.usage }, ..honest };
		// 2 % is tolerated, to the unit.
		let tolerated = honest.usage.instructions / 100 * 102;
		let before = free(PROVIDER);
		let match_id = in_mediation(with(tolerated));
		mediate(match_id, runs(honest));
		assert!(free(PROVIDER) > before, "tolerated usage is paid");

		let before = Ledger::now();
		let match_id = in_mediation(with(tolerated + 1));
		mediate(match_id, runs(honest));
		before.assert_changes(&provider_loses(C));
	});
}
