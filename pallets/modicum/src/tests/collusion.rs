// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every pair of colluding parties of the paper's §4.4.1, played out to the final balances. What they show is
//! how much a pair can gain, that it gains it once, and how the wronged party ends it: by shortening a list, or by
//! naming another directory.

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{
	Evidence, JobTerms, MatchId, PartyRecord, Prices, RejectReason, ResourceTerms, ResultStatus,
	Run, Usage,
};

const CI: i128 = CREATOR_INCENTIVE as i128;
const PI: i128 = PROVIDER_INCENTIVE as i128;
const M: i128 = MEDIATOR_FEE as i128;
const D: i128 = DIRECTORY_FEE as i128;
const FEE: i128 = FEES as i128;
const C: i128 = COST as i128;
const V: i128 = VALUE as i128;
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

/// Who has gained what when the directory is blamed: nobody is paid for the job, and nobody is fined.
const DIRECTORY_BLAMED: [(AccountId, i128); 4] =
	[(CREATOR, -CI - M), (PROVIDER, -PI - M), (MEDIATOR, 2 * M), (SOLVER, CI + PI)];

/// Who has gained what when the creator has paid `cost`.
fn accepted(cost: i128) -> [(AccountId, i128); 5] {
	[
		(CREATOR, -CI - FEE - cost),
		(PROVIDER, -PI - FEE + cost),
		(MEDIATOR, 2 * M),
		(DIRECTORY, 2 * D),
		(SOLVER, CI + PI),
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

/// The cheapest of all: the creator takes the result and rejects it, and the directory goes offline, so that an
/// honest mediator can only blame the directory. The creator has the result for a_M and its incentive; what the
/// directory loses by it are both its fees, 2·a_D.
#[test]
fn creator_and_directory_that_goes_offline() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = rejected(run(), RejectReason::ResultNotFound);
		mediate(match_id, Evidence::DirectoryUnavailable);
		before.assert_changes(&DIRECTORY_BLAMED);
		assert_eq!(
			PartyRecords::<Test>::get(DIRECTORY),
			PartyRecord { mediated: 1, faulted: 1, ..Default::default() }
		);

		// Once: the provider takes the directory off its list. The mediator is not to blame.
		assert_ok!(Modicum::resource_provider_remove_trusted_directory(
			signed(PROVIDER),
			DIRECTORY
		));
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_noop!(
			Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR),
			Error::<Test>::DirectoryNotTrustedByProvider
		);
		let elsewhere = post_job(JobTerms { directory: DIRECTORY_2, ..job_terms() });
		assert_ok!(Modicum::post_match(signed(SOLVER), elsewhere, resource, MEDIATOR));
	});
}

/// Whatever they report to each other, together they only lose fees and incentives, and a fine if they let
/// themselves be blamed.
#[test]
fn creator_and_provider() {
	let play = |act: &dyn Fn(MatchId), changes: &[(AccountId, i128)]| {
		in_market(|| {
			let before = Ledger::now();
			act(matched());
			before.assert_changes(changes);
			assert_nothing_left();
		});
		let pair: i128 = changes
			.iter()
			.filter(|(who, _)| [CREATOR, PROVIDER].contains(who))
			.map(|(_, change)| change)
			.sum();
		assert!(pair < 0, "they gain {pair}");
	};
	let full = Run { usage: job_terms().limits.billable(), ..run() };
	let reject = |match_id| {
		let reason = RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, reason));
	};
	// The creator pays for the whole of its limits, or for next to nothing: it stays between them.
	play(&|match_id| post_and_accept(match_id, full), &accepted(V));
	play(&|match_id| post_and_accept(match_id, failed_run(ResultStatus::Declined)), &accepted(3));
	// The provider is silent, or the mediator is.
	play(
		&|match_id| {
			set_time(DEADLINE + 1);
			assert_ok!(Modicum::timeout(signed(CREATOR), match_id));
		},
		&accepted(-V),
	);
	play(
		&|match_id| {
			post(match_id, full);
			reject(match_id);
			set_time(START + MEDIATION + 1);
			assert_ok!(Modicum::timeout_mediation(signed(CREATOR), match_id));
		},
		&[
			(CREATOR, -CI - D - V / 2),
			(PROVIDER, -PI - D + V / 2),
			(DIRECTORY, 2 * D),
			(SOLVER, CI + PI),
		],
	);
	// A dispute over a correct result, or over a wrong one, costs either of them its deposit.
	let dispute = |match_id, result| {
		post(match_id, result);
		reject(match_id);
		mediate(match_id, runs(run()));
	};
	play(&|match_id| dispute(match_id, run()), &creator_loses(C));
	play(&|match_id| dispute(match_id, wrong_run()), &provider_loses(C));
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

/// Cheaper for them than a false verdict: the result is invented, and when it is disputed the directory goes
/// offline. The provider earns nothing, but its deposit is safe, whereas the same dispute with a directory that
/// answers would have cost it all.
#[test]
fn provider_and_directory_that_goes_offline() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = in_mediation(wrong_run());
		mediate(match_id, Evidence::DirectoryUnavailable);
		before.assert_changes(&DIRECTORY_BLAMED);

		// Once: the creator names another directory.
		let elsewhere = JobTerms { directory: DIRECTORY_2, ..job_terms() };
		let before = Ledger::now();
		let match_id = matched_with(elsewhere, resource_terms());
		post(match_id, wrong_run());
		let reason = RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, reason));
		mediate(match_id, runs(run()));
		before.assert_changes(&provider_loses(C).map(|(who, change)| {
			if who == DIRECTORY {
				(DIRECTORY_2, change)
			} else {
				(who, change)
			}
		}));
	});
}

/// The same by one account alone: a provider that is the directory of the job too. The creator has named it and the
/// mediator has it on its list, or there would be no match.
#[test]
fn a_provider_that_is_its_own_directory() {
	in_market(|| {
		assert_ok!(Modicum::register_directory(signed(PROVIDER), vec![b'd'], DIRECTORY_FEE));
		assert_ok!(Modicum::resource_provider_add_trusted_directory(signed(PROVIDER), PROVIDER));
		let own = JobTerms { directory: PROVIDER, ..job_terms() };
		let (job, resource) = (post_job(own.clone()), post_resource(resource_terms()));
		let post_match = || Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR);
		assert_noop!(post_match(), Error::<Test>::DirectoryNotTrustedByMediator);
		assert_ok!(Modicum::mediator_add_trusted_directory(signed(MEDIATOR), PROVIDER));

		let before = Ledger::now();
		assert_ok!(post_match());
		let match_id = 0;
		post(match_id, wrong_run());
		let reason = RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, reason));
		mediate(match_id, Evidence::DirectoryUnavailable);
		before.assert_changes(&DIRECTORY_BLAMED);
		// The fault is in its record, in either role.
		assert_eq!(
			PartyRecords::<Test>::get(PROVIDER),
			PartyRecord { mediated: 2, faulted: 1, ..Default::default() }
		);

		// Once: the mediator takes it off its list, and the creator names another.
		assert_ok!(Modicum::mediator_remove_trusted_directory(signed(MEDIATOR), PROVIDER));
		let (job, resource) = (post_job(own), post_resource(resource_terms()));
		assert_eq!(Modicum::feasible_mediators(job, resource), Some(vec![]));
		let elsewhere = post_job(job_terms());
		assert_eq!(
			Modicum::feasible_mediators(elsewhere, resource),
			Some(vec![MEDIATOR, MEDIATOR_2])
		);
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

/// The directory hides a result so that there is a dispute, and the two share what mediation pays. Saying that the
/// directory was down instead would cost the directory its fees. Who pays is the mediator's choice. Here it says
/// that the result was never there: the provider.
#[test]
fn directory_and_mediator_against_the_provider() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = rejected(run(), RejectReason::ResultNotFound);
		mediate(match_id, Evidence::ResultNotOnDirectory);
		before.assert_changes(&provider_loses(V));

		assert_ok!(Modicum::resource_provider_remove_trusted_mediator(signed(PROVIDER), MEDIATOR));
		assert_mediator_is_out(Error::MediatorNotTrustedByProvider);
	});
}

/// Here the mediator confirms the result that the directory hid from the creator: the creator pays.
#[test]
fn directory_and_mediator_against_the_creator() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = rejected(run(), RejectReason::ResultNotFound);
		mediate(match_id, runs(run()));
		before.assert_changes(&creator_loses(C));

		// Once: the creator takes the mediator off its list and names another directory.
		assert_ok!(Modicum::job_creator_remove_trusted_mediator(signed(CREATOR), MEDIATOR));
		assert_mediator_is_out(Error::MediatorNotTrustedByCreator);
		let elsewhere = post_job(JobTerms { directory: DIRECTORY_2, ..job_terms() });
		let resource = post_resource(resource_terms());
		assert_ok!(Modicum::post_match(signed(SOLVER), elsewhere, resource, MEDIATOR_2));
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
			before.assert_changes(&DIRECTORY_BLAMED);
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
		let before = Ledger::now();
		let match_id = in_mediation(with(tolerated));
		mediate(match_id, runs(honest));
		// 5.1·10 + 1·3: tolerated usage is paid.
		before.assert_changes(&creator_loses(54));

		let before = Ledger::now();
		let match_id = in_mediation(with(tolerated + 1));
		mediate(match_id, runs(honest));
		before.assert_changes(&provider_loses(C));
	});
}
