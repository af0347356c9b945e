// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The seven faults of the first implementation, each played out: docs/protocol.md §15.

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{RejectReason, ResultStatus, Run, Usage, MAX_VERIFICATION_COUNT};

#[test]
fn settlement_is_paid_from_the_right_deposit() {
	in_market(|| {
		// Deposits of different size make a mix-up visible.
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 111));
		assert_ok!(Modicum::post_resource_offer(signed(PROVIDER), resource_terms(), 2_222));
		assert_ok!(Modicum::post_match(signed(SOLVER), 0, 0, MEDIATOR));
		post(0, run());
		assert_ok!(Modicum::reject_result(signed(CREATOR), 0, RejectReason::WrongResults));
		let wrong = Run { result_hash: OTHER_OUTPUT, ..run() };
		let (creator, provider) = (free(CREATOR), free(PROVIDER));
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), 0, runs(wrong)));
		// The provider is at fault: it loses all of its own deposit, and the creator gets all of its own back.
		assert_eq!(free(PROVIDER), provider);
		assert_eq!(free(CREATOR), creator + DEPOSIT + 111 - FEES + COST);
		let fine = DEPOSIT + 2_222 - COST - RUNS * COST - FEES;
		assert_eq!(free(TREASURY), ED + fine);
	});
}

#[test]
fn deposits_are_cleared_after_use() {
	in_market(|| {
		let match_id = with_result(run());
		assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
		assert_nothing_left();
		// Nothing is left that a second closing, cancelling or matching could pay out again.
		let after = Ledger::now();
		assert_noop!(
			Modicum::accept_result(signed(CREATOR), match_id),
			Error::<Test>::MatchNotFound
		);
		assert_noop!(
			Modicum::cancel_job_offer(signed(CREATOR), 0),
			Error::<Test>::JobOfferNotFound
		);
		assert_noop!(
			Modicum::cancel_resource_offer(signed(PROVIDER), 0),
			Error::<Test>::ResourceOfferNotFound
		);
		assert_noop!(
			Modicum::post_match(signed(SOLVER), 0, 0, MEDIATOR),
			Error::<Test>::JobOfferNotFound
		);
		set_time(DEADLINE + GRACE + 1);
		Modicum::on_idle(1, Weight::MAX);
		after.assert_changes(&[]);
	});
}

#[test]
fn the_reaction_deadline_is_compared_the_right_way_round() {
	in_market(|| {
		let match_id = with_result(run());
		// Before: the creator may reject, the provider may not accept.
		assert_noop!(
			Modicum::accept_result(signed(PROVIDER), match_id),
			Error::<Test>::ReactionDeadlineNotPassed
		);
		// After: the provider may accept, the creator may not reject.
		set_time(START + REACTION + 1);
		assert_noop!(
			Modicum::reject_result(signed(CREATOR), match_id, RejectReason::WrongResults),
			Error::<Test>::ReactionDeadlinePassed
		);
		assert_ok!(Modicum::accept_result(signed(PROVIDER), match_id));
	});
}

#[test]
fn a_creator_cannot_time_out_a_provider_who_posted_in_time() {
	in_market(|| {
		let match_id = matched();
		set_time(DEADLINE);
		post(match_id, run());
		set_time(DEADLINE + 1);
		assert_noop!(Modicum::timeout(signed(CREATOR), match_id), Error::<Test>::NotRunning);
		assert_ok!(Modicum::reject_result(
			signed(CREATOR),
			match_id,
			RejectReason::InvalidResultStatus
		));
		assert_noop!(Modicum::timeout(signed(CREATOR), match_id), Error::<Test>::NotRunning);
	});
}

#[test]
fn a_silent_mediator_does_not_freeze_the_money() {
	in_market(|| {
		// By call, and without any.
		for by_call in [true, false] {
			let match_id = in_mediation(run());
			set_time(Timestamp::get() + MEDIATION + GRACE + 1);
			if by_call {
				assert_ok!(Modicum::timeout_mediation(signed(CREATOR), match_id));
			} else {
				Modicum::on_idle(1, Weight::MAX);
			}
			assert_nothing_left();
		}
	});
}

#[test]
fn a_result_is_posted_once_and_in_time() {
	in_market(|| {
		let post_again = |match_id| {
			let Run { status, result_hash, usage } = run();
			Modicum::post_result(signed(PROVIDER), match_id, status, uri(), result_hash, usage)
		};
		let late = matched();
		let twice = with_result(run());
		assert_noop!(post_again(twice), Error::<Test>::NotRunning);
		assert_ok!(Modicum::reject_result(signed(CREATOR), twice, RejectReason::TooMuchCost));
		assert_noop!(post_again(twice), Error::<Test>::NotRunning);
		set_time(DEADLINE + 1);
		assert_noop!(post_again(late), Error::<Test>::CompletionDeadlinePassed);
	});
}

#[test]
fn the_cost_of_mediation_is_bounded() {
	in_market(|| {
		// The most runs there can be, at the most usage that can be written down.
		assert_ok!(Modicum::set_verification_count(root(), MAX_VERIFICATION_COUNT));
		let match_id = in_mediation(run());
		let n = u128::from(MAX_VERIFICATION_COUNT);
		let deposit = VALUE * (PENALTY_RATE + n) + FEES;
		let before = Ledger::now();
		let absurd = Run {
			status: ResultStatus::InstructionsExceeded,
			result_hash: primitives::NO_HASH,
			usage: Usage { instructions: u64::MAX, bandwidth: u64::MAX },
		};
		let evidence = primitives::Evidence::Runs(vec![absurd; n as usize]);
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, evidence));
		before.assert_changes(&[
			(CREATOR, VALUE as i128 - FEES as i128),
			(PROVIDER, -(deposit as i128)),
			(MEDIATOR, (n * VALUE + 2 * MEDIATOR_FEE) as i128),
			(DIRECTORY, 2 * DIRECTORY_FEE as i128),
			(TREASURY, (deposit - (n + 1) * VALUE - FEES) as i128),
		]);
	});
}
