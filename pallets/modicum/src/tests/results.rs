// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{Hash, RejectReason, ResultStatus, Run, Usage, NO_HASH};

fn try_post(who: AccountId, match_id: u64, run: Run, uri: Vec<u8>) -> DispatchResult {
	let Run { status, result_hash, usage } = run;
	Modicum::post_result(signed(who), match_id, status, uri, result_hash, usage)
}

fn by_provider(match_id: u64, run: Run) -> DispatchResult {
	try_post(PROVIDER, match_id, run, uri())
}

#[test]
fn post_result_works() {
	in_market(|| {
		let match_id = matched();
		set_time(START + 5);
		post(match_id, run());
		System::assert_last_event(
			Event::ResultPosted {
				match_id,
				provider: PROVIDER,
				result: run(),
				uri: uri().try_into().unwrap(),
				reaction_deadline: START + 5 + REACTION,
			}
			.into(),
		);
		assert_eq!(
			Matches::<Test>::get(match_id).unwrap().phase,
			Phase::ResultPosted {
				result: PostedResult { run: run(), uri: uri().try_into().unwrap() },
				reaction_deadline: START + 5 + REACTION,
			}
		);
	});
}

#[test]
fn every_status_can_be_posted() {
	in_market(|| {
		for status in ResultStatus::ALL {
			let match_id = matched();
			let run = if status.has_output() { run() } else { failed_run(*status) };
			assert_ok!(by_provider(match_id, run));
		}
	});
}

#[test]
fn post_result_fails_for_others() {
	in_market(|| {
		let match_id = matched();
		for who in [CREATOR, MEDIATOR, DIRECTORY, PROVIDER_2, STRANGER] {
			assert_noop!(try_post(who, match_id, run(), uri()), Error::<Test>::NotProvider);
		}
		assert_noop!(by_provider(match_id + 1, run()), Error::<Test>::MatchNotFound);
		let Run { status, result_hash, usage } = run();
		assert_noop!(
			Modicum::post_result(root(), match_id, status, uri(), result_hash, usage),
			BadOrigin
		);
	});
}

#[test]
fn post_result_works_in_the_deadlines_last_millisecond() {
	in_market(|| {
		let match_id = matched();
		set_time(DEADLINE + 1);
		assert_noop!(by_provider(match_id, run()), Error::<Test>::CompletionDeadlinePassed);
		set_time(DEADLINE);
		assert_ok!(by_provider(match_id, run()));
	});
}

#[test]
fn usage_is_at_most_the_limits() {
	in_market(|| {
		let limits = job_terms().limits;
		let with =
			|instructions, bandwidth| Run { usage: Usage { instructions, bandwidth }, ..run() };
		let match_id = matched();
		for run in [
			with(limits.instructions + 1, 0),
			with(0, limits.bandwidth + 1),
			with(u64::MAX, u64::MAX),
		] {
			assert_noop!(by_provider(match_id, run), Error::<Test>::UsageAboveLimits);
		}
		assert_ok!(by_provider(match_id, with(limits.instructions, limits.bandwidth)));
	});
}

#[test]
fn what_did_not_run_used_no_instructions() {
	in_market(|| {
		for status in
			[ResultStatus::Declined, ResultStatus::JobNotFound, ResultStatus::DirectoryUnavailable]
		{
			let match_id = matched();
			let usage = Usage { instructions: 1, bandwidth: 0 };
			assert_noop!(
				by_provider(match_id, Run { status, result_hash: NO_HASH, usage }),
				Error::<Test>::InstructionsWithoutRun
			);
			assert_ok!(by_provider(match_id, failed_run(status)));
		}
	});
}

#[test]
fn only_a_completed_run_has_a_hash() {
	in_market(|| {
		let match_id = matched();
		let with = |status: ResultStatus, result_hash: Hash| Run {
			status,
			result_hash,
			usage: Usage::default(),
		};
		assert_noop!(
			by_provider(match_id, with(ResultStatus::Completed, NO_HASH)),
			Error::<Test>::ResultHashMissing
		);
		for status in ResultStatus::ALL.iter().filter(|status| !status.has_output()) {
			assert_noop!(
				by_provider(match_id, with(*status, OUTPUT)),
				Error::<Test>::ResultHashUnexpected
			);
		}
	});
}

#[test]
fn the_uri_of_a_result_has_bounds() {
	in_market(|| {
		let match_id = matched();
		let post = |run: Run, len: usize| try_post(PROVIDER, match_id, run, vec![b'u'; len]);
		assert_noop!(post(run(), 0), Error::<Test>::UriEmpty);
		assert_noop!(post(run(), 65), Error::<Test>::UriTooLong);
		assert_ok!(post(run(), 64));

		// What a failed run leaves behind need not be anywhere.
		let match_id = matched();
		let failed = failed_run(ResultStatus::ExceptionOccurred);
		assert_ok!(try_post(PROVIDER, match_id, failed, vec![]));
	});
}

#[test]
fn accept_result_by_the_creator_works() {
	in_market(|| {
		let match_id = with_result(run());
		System::reset_events();
		assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
		assert_eq!(
			events()[0],
			Event::ResultReaction { match_id, by: Some(CREATOR), reaction: Reaction::Accepted }
		);
		assert_nothing_left();
	});
}

#[test]
fn the_creator_may_accept_late_too() {
	in_market(|| {
		let match_id = with_result(run());
		set_time(START + REACTION + 1);
		assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
		assert_nothing_left();
	});
}

#[test]
fn the_provider_accepts_once_the_reaction_deadline_has_passed() {
	in_market(|| {
		let match_id = with_result(run());
		let accept = || Modicum::accept_result(signed(PROVIDER), match_id);
		assert_noop!(accept(), Error::<Test>::ReactionDeadlineNotPassed);
		set_time(START + REACTION);
		assert_noop!(accept(), Error::<Test>::ReactionDeadlineNotPassed);
		set_time(START + REACTION + 1);
		assert_ok!(accept());
		assert_nothing_left();
	});
}

#[test]
fn accept_result_fails_for_others_and_in_other_phases() {
	in_market(|| {
		let match_id = matched();
		for who in [CREATOR, PROVIDER] {
			assert_noop!(
				Modicum::accept_result(signed(who), match_id),
				Error::<Test>::NotAwaitingReaction
			);
		}
		post(match_id, run());
		for who in [MEDIATOR, DIRECTORY, CREATOR_2, PROVIDER_2, SOLVER, STRANGER] {
			assert_noop!(Modicum::accept_result(signed(who), match_id), Error::<Test>::NotParty);
		}
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, RejectReason::TooMuchCost));
		assert_noop!(
			Modicum::accept_result(signed(CREATOR), match_id),
			Error::<Test>::NotAwaitingReaction
		);
		assert_noop!(
			Modicum::accept_result(signed(CREATOR), match_id + 1),
			Error::<Test>::MatchNotFound
		);
		assert_noop!(Modicum::accept_result(root(), match_id), BadOrigin);
	});
}

#[test]
fn reject_result_works() {
	in_market(|| {
		for reason in RejectReason::ALL {
			let match_id = with_result(run());
			System::reset_events();
			assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, *reason));
			assert_eq!(
				events(),
				[
					Event::ResultReaction {
						match_id,
						by: Some(CREATOR),
						reaction: Reaction::Rejected(*reason),
					},
					Event::JobAssignedForMediation {
						match_id,
						mediator: MEDIATOR,
						mediation_deadline: START + MEDIATION,
					},
				]
			);
			assert_eq!(
				Matches::<Test>::get(match_id).unwrap().phase,
				Phase::Mediating {
					result: PostedResult { run: run(), uri: uri().try_into().unwrap() },
					reason: *reason,
					mediation_deadline: START + MEDIATION,
				}
			);
		}
	});
}

#[test]
fn reject_result_works_in_the_deadlines_last_millisecond() {
	in_market(|| {
		let match_id = with_result(run());
		let reject =
			|| Modicum::reject_result(signed(CREATOR), match_id, RejectReason::ResultNotFound);
		set_time(START + REACTION + 1);
		assert_noop!(reject(), Error::<Test>::ReactionDeadlinePassed);
		set_time(START + REACTION);
		assert_ok!(reject());
	});
}

#[test]
fn reject_result_fails_for_others_and_in_other_phases() {
	in_market(|| {
		let reject = |who, id| Modicum::reject_result(signed(who), id, RejectReason::WrongResults);
		let match_id = matched();
		assert_noop!(reject(CREATOR, match_id), Error::<Test>::NotAwaitingReaction);
		post(match_id, run());
		for who in [PROVIDER, MEDIATOR, DIRECTORY, CREATOR_2, STRANGER] {
			assert_noop!(reject(who, match_id), Error::<Test>::NotCreator);
		}
		assert_noop!(reject(CREATOR, match_id + 1), Error::<Test>::MatchNotFound);
		assert_ok!(reject(CREATOR, match_id));
		assert_noop!(reject(CREATOR, match_id), Error::<Test>::NotAwaitingReaction);
	});
}
