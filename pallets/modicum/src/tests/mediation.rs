// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Who may say what, and when. The verdicts themselves are tested in `modicum-primitives`; here each is reached
//! once through the chain.

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{
	Ending, Evidence, FaultyParty, RejectReason, ResultStatus, Run, Usage, Verdict, NO_HASH,
};

fn mediate(match_id: u64, evidence: Evidence) -> DispatchResult {
	Modicum::post_mediation_result(signed(MEDIATOR), match_id, evidence)
}

/// Disputes `result`, answers with `evidence` and asserts the verdict.
#[track_caller]
fn assert_verdict(result: Run, evidence: Evidence, verdict: Verdict, faulty_party: FaultyParty) {
	let match_id = in_mediation(result);
	System::reset_events();
	assert_ok!(mediate(match_id, evidence.clone()));
	let events = events();
	assert_eq!(
		events[0],
		Event::MediationResultPosted {
			match_id,
			mediator: MEDIATOR,
			evidence,
			verdict,
			faulty_party,
		}
	);
	assert!(matches!(
		events.last(),
		Some(Event::MatchClosed { ending: Ending::Mediated(reached), .. }) if *reached == verdict
	));
	assert_nothing_left();
}

#[test]
fn each_verdict_is_reached() {
	in_market(|| {
		use FaultyParty::*;
		use Verdict::*;
		let other = Run { result_hash: OTHER_OUTPUT, ..run() };
		let half = Run { usage: Usage { instructions: 1, bandwidth: 1 }, ..run() };
		let failed = failed_run(ResultStatus::ExceptionOccurred);
		let evidence = Evidence::DirectoryUnavailable;
		assert_verdict(run(), evidence, DirectoryUnavailable, Directory);
		let evidence = Evidence::ResultNotOnDirectory;
		assert_verdict(run(), evidence, ResultNotFound, ResourceProvider);
		let evidence = Evidence::Runs(vec![run(), other]);
		assert_verdict(run(), evidence, NonDeterministicJob, JobCreator);
		assert_verdict(run(), runs(failed), InvalidResultStatus, ResourceProvider);
		assert_verdict(run(), runs(other), WrongResults, ResourceProvider);
		assert_verdict(run(), runs(half), TooMuchCost, ResourceProvider);
		assert_verdict(run(), runs(run()), CorrectResults, JobCreator);
	});
}

#[test]
fn evidence_has_exactly_n_runs() {
	in_market(|| {
		let match_id = in_mediation(run());
		for count in [0, 1, 3, 17, 1_000] {
			assert_noop!(
				mediate(match_id, Evidence::Runs(vec![run(); count])),
				Error::<Test>::WrongNumberOfRuns
			);
		}
		assert_ok!(mediate(match_id, Evidence::Runs(vec![run(); 2])));
	});
}

#[test]
fn the_runs_of_evidence_are_as_runs_must_be() {
	in_market(|| {
		let match_id = in_mediation(run());
		let declined = failed_run(ResultStatus::Declined);
		assert_noop!(
			mediate(match_id, runs(Run { usage: run().usage, ..declined })),
			Error::<Test>::InstructionsWithoutRun
		);
		assert_noop!(
			mediate(match_id, runs(Run { result_hash: NO_HASH, ..run() })),
			Error::<Test>::ResultHashMissing
		);
		assert_noop!(
			mediate(match_id, runs(Run { result_hash: OUTPUT, ..declined })),
			Error::<Test>::ResultHashUnexpected
		);
	});
}

#[test]
fn a_result_that_was_never_claimed_cannot_be_missing() {
	in_market(|| {
		let match_id = in_mediation(failed_run(ResultStatus::MemoryExceeded));
		assert_noop!(
			mediate(match_id, Evidence::ResultNotOnDirectory),
			Error::<Test>::NoResultToMiss
		);
	});
}

#[test]
fn post_mediation_result_works_in_the_deadlines_last_millisecond() {
	in_market(|| {
		let match_id = in_mediation(run());
		set_time(START + MEDIATION + 1);
		assert_noop!(mediate(match_id, runs(run())), Error::<Test>::MediationDeadlinePassed);
		set_time(START + MEDIATION);
		assert_ok!(mediate(match_id, runs(run())));
	});
}

#[test]
fn post_mediation_result_fails_for_others_and_in_other_phases() {
	in_market(|| {
		let match_id = matched();
		assert_noop!(mediate(match_id, runs(run())), Error::<Test>::NotMediating);
		post(match_id, run());
		assert_noop!(mediate(match_id, runs(run())), Error::<Test>::NotMediating);
		let reason = RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, reason));
		for who in [CREATOR, PROVIDER, DIRECTORY, MEDIATOR_2, STRANGER] {
			assert_noop!(
				Modicum::post_mediation_result(signed(who), match_id, runs(run())),
				Error::<Test>::NotMediatorOfMatch
			);
		}
		assert_noop!(mediate(match_id + 1, runs(run())), Error::<Test>::MatchNotFound);
		assert_noop!(Modicum::post_mediation_result(root(), match_id, runs(run())), BadOrigin);
		assert_ok!(mediate(match_id, runs(run())));
		assert_noop!(mediate(match_id, runs(run())), Error::<Test>::MatchNotFound);
	});
}
