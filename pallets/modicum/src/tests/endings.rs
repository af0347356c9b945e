// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every row of the table in docs/protocol.md §8, and every scenario of the README, with the final change of
//! everybody's money. What the solver got is part of it: 6 from the creator and 5 from the provider.

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{
	Balance, Ending, Evidence, MatchId, PartyRecord, ResourceTerms, ResultStatus, Run, Settlement,
	Usage, Verdict,
};

const CI: i128 = CREATOR_INCENTIVE as i128;
const PI: i128 = PROVIDER_INCENTIVE as i128;
const M: i128 = MEDIATOR_FEE as i128;
const D: i128 = DIRECTORY_FEE as i128;
const FEE: i128 = FEES as i128;
const V: i128 = VALUE as i128;
const C: i128 = COST as i128;
const N: i128 = RUNS as i128;
const STAKE: i128 = DEPOSIT as i128;

/// The last event, which must be the closing one.
#[track_caller]
fn closing() -> (Ending, Settlement) {
	match events().pop() {
		Some(Event::MatchClosed { ending, settlement, creator, provider, .. }) => {
			assert_eq!((creator, provider), (CREATOR, PROVIDER));
			(ending, settlement)
		},
		other => panic!("not closed: {other:?}"),
	}
}

fn record(who: AccountId) -> PartyRecord {
	PartyRecords::<Test>::get(who)
}

#[docify::export]
#[test]
fn a_job_is_accepted() {
	in_market(|| {
		let before = Ledger::now();
		// 1. Both sides post their offers, and a solver matches them.
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR));
		// 2. The provider runs the job and reports: 5·10^9 instructions at 10, 10^9 bytes at 3.
		let Run { status, result_hash, usage } = run();
		let origin = signed(PROVIDER);
		assert_ok!(Modicum::post_result(origin, 0, status, uri(), result_hash, usage));
		// 3. The creator is satisfied.
		assert_ok!(Modicum::accept_result(signed(CREATOR), 0));

		before.assert_changes(&[
			(CREATOR, -6 - 53 - 7 - 4),
			(PROVIDER, -5 + 53 - 7 - 4),
			(MEDIATOR, 2 * 7),
			(DIRECTORY, 2 * 4),
			(SOLVER, 6 + 5),
		]);
		assert_nothing_left();
	});
}

#[test]
fn accepted_by_the_creator() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = with_result(run());
		assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
		before.assert_changes(&[
			(CREATOR, -CI - C - FEE),
			(PROVIDER, -PI + C - FEE),
			(MEDIATOR, 2 * M),
			(DIRECTORY, 2 * D),
			(SOLVER, CI + PI),
		]);
		let (ending, settlement) = closing();
		assert_eq!(ending, Ending::Accepted);
		assert_eq!(settlement.from_creator.to_counterparty, COST);
		assert_eq!(settlement.from_creator.total(), Some(DEPOSIT));
		assert_eq!(settlement.from_provider.total(), Some(DEPOSIT));
		for who in [CREATOR, PROVIDER, MEDIATOR, DIRECTORY] {
			assert_eq!(record(who), PartyRecord { completed: 1, ..Default::default() });
		}
	});
}

#[test]
fn accepted_by_the_provider() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = with_result(run());
		set_time(START + REACTION + 1);
		assert_ok!(Modicum::accept_result(signed(PROVIDER), match_id));
		before.assert_changes(&[
			(CREATOR, -CI - C - FEE),
			(PROVIDER, -PI + C - FEE),
			(MEDIATOR, 2 * M),
			(DIRECTORY, 2 * D),
			(SOLVER, CI + PI),
		]);
		assert_eq!(closing().0, Ending::Accepted);
	});
}

#[test]
fn the_full_limits_cost_v_and_nothing_costs_nothing() {
	in_market(|| {
		let limits = job_terms().limits;
		for (usage, cost) in [
			(Usage { instructions: limits.instructions, bandwidth: limits.bandwidth }, V),
			(Usage::default(), 0),
			// Less than one unit is not billed.
			(Usage { instructions: BILLION / 10 - 1, bandwidth: 0 }, 0),
			(Usage { instructions: BILLION / 10, bandwidth: 0 }, 1),
		] {
			let before = Ledger::now();
			let match_id = with_result(Run { usage, ..run() });
			assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
			before.assert_changes(&[
				(CREATOR, -CI - cost - FEE),
				(PROVIDER, -PI + cost - FEE),
				(MEDIATOR, 2 * M),
				(DIRECTORY, 2 * D),
				(SOLVER, CI + PI),
			]);
		}
	});
}

/// Ends a dispute over `result` by `evidence` and asserts everybody's change.
#[track_caller]
fn assert_mediated(result: Run, evidence: Evidence, verdict: Verdict, changes: &[(u64, i128)]) {
	let before = Ledger::now();
	let match_id = in_mediation(result);
	assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, evidence));
	before.assert_changes(changes);
	assert_eq!(closing().0, Ending::Mediated(verdict));
	assert_nothing_left();
}

/// What changes when the provider is at fault and the mediator measured a cost of `cost`.
fn provider_at_fault(cost: i128) -> Vec<(AccountId, i128)> {
	vec![
		(CREATOR, -CI - FEE + cost),
		(PROVIDER, -PI - STAKE),
		(MEDIATOR, 2 * M + N * cost),
		(DIRECTORY, 2 * D),
		(SOLVER, CI + PI),
		(TREASURY, STAKE - cost - N * cost - FEE),
	]
}

/// What changes when the creator is at fault and the provider reported a cost of `cost`.
fn creator_at_fault(cost: i128) -> Vec<(AccountId, i128)> {
	vec![
		(CREATOR, -CI - STAKE),
		(PROVIDER, -PI - FEE + cost),
		(MEDIATOR, 2 * M + N * cost),
		(DIRECTORY, 2 * D),
		(SOLVER, CI + PI),
		(TREASURY, STAKE - cost - N * cost - FEE),
	]
}

#[test]
fn the_provider_is_at_fault() {
	in_market(|| {
		// Billed is the largest of the mediator's runs: 6·10 + 2·3.
		let larger = |instructions, bandwidth| Run {
			result_hash: OTHER_OUTPUT,
			usage: Usage { instructions, bandwidth },
			..run()
		};
		let evidence =
			Evidence::Runs(vec![larger(6 * BILLION, BILLION), larger(4 * BILLION, 2 * BILLION)]);
		assert_mediated(run(), evidence, Verdict::WrongResults, &provider_at_fault(66));
		for who in [CREATOR, MEDIATOR, DIRECTORY] {
			assert_eq!(record(who), PartyRecord { mediated: 1, ..Default::default() });
		}
		assert_eq!(record(PROVIDER), PartyRecord { mediated: 1, faulted: 1, ..Default::default() });
	});
}

#[test]
fn the_provider_is_at_fault_without_runs() {
	in_market(|| {
		let evidence = Evidence::ResultNotOnDirectory;
		assert_mediated(run(), evidence, Verdict::ResultNotFound, &provider_at_fault(V));
	});
}

#[test]
fn a_mediators_figures_are_capped_at_v() {
	in_market(|| {
		let absurd = Run {
			result_hash: OTHER_OUTPUT,
			usage: Usage { instructions: u64::MAX, bandwidth: u64::MAX },
			..run()
		};
		assert_mediated(run(), runs(absurd), Verdict::WrongResults, &provider_at_fault(V));
	});
}

#[test]
fn the_creator_is_at_fault() {
	in_market(|| {
		assert_mediated(run(), runs(run()), Verdict::CorrectResults, &creator_at_fault(C));
		assert_eq!(record(CREATOR), PartyRecord { mediated: 1, faulted: 1, ..Default::default() });
		// Billed is what the provider reported, whatever the mediator measured.
		let more = Run { usage: Usage { instructions: u64::MAX, bandwidth: 0 }, ..run() };
		let other = Run { result_hash: OTHER_OUTPUT, ..more };
		let evidence = Evidence::Runs(vec![more, other]);
		assert_mediated(run(), evidence, Verdict::NonDeterministicJob, &creator_at_fault(C));
	});
}

#[test]
fn the_directory_is_at_fault() {
	in_market(|| {
		assert_mediated(
			run(),
			Evidence::DirectoryUnavailable,
			Verdict::DirectoryUnavailable,
			&[(CREATOR, -CI - M), (PROVIDER, -PI - M), (MEDIATOR, 2 * M), (SOLVER, CI + PI)],
		);
		assert_eq!(
			record(DIRECTORY),
			PartyRecord { mediated: 1, faulted: 1, ..Default::default() }
		);
	});
}

#[test]
fn the_provider_missed_the_completion_deadline() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = matched();
		set_time(DEADLINE + 1);
		assert_ok!(Modicum::timeout(signed(CREATOR), match_id));
		before.assert_changes(&[
			(CREATOR, -CI - FEE + V),
			(PROVIDER, -PI - FEE - V),
			(MEDIATOR, 2 * M),
			(DIRECTORY, 2 * D),
			(SOLVER, CI + PI),
		]);
		assert_eq!(closing().0, Ending::ProviderTimedOut);
		assert_eq!(record(PROVIDER), PartyRecord { timed_out: 1, ..Default::default() });
		for who in [CREATOR, MEDIATOR, DIRECTORY] {
			assert_eq!(record(who), PartyRecord::default());
		}
		assert_nothing_left();
	});
}

#[test]
fn the_mediator_missed_the_mediation_deadline() {
	in_market(|| {
		for who in [CREATOR, PROVIDER] {
			let before = Ledger::now();
			let match_id = in_mediation(run());
			set_time(Timestamp::get() + MEDIATION + 1);
			assert_ok!(Modicum::timeout_mediation(signed(who), match_id));
			before.assert_changes(&[
				(CREATOR, -CI - D - V / 2),
				(PROVIDER, -PI - D + V / 2),
				(DIRECTORY, 2 * D),
				(SOLVER, CI + PI),
			]);
			assert_eq!(closing().0, Ending::MediatorTimedOut);
			assert_nothing_left();
		}
		assert_eq!(record(MEDIATOR), PartyRecord { timed_out: 2, ..Default::default() });
		assert_eq!(record(PROVIDER), PartyRecord::default());
	});
}

#[test]
fn an_extra_deposit_is_lost_with_d() {
	in_market(|| {
		const EXTRA: Balance = 1_000;
		let before = Ledger::now();
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), EXTRA));
		post_resource(resource_terms());
		assert_ok!(Modicum::post_match(signed(SOLVER), 0, 0, MEDIATOR));
		post(0, run());
		let reason = primitives::RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), 0, reason));
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), 0, runs(run())));
		let mut changes = creator_at_fault(C);
		changes[0].1 -= EXTRA as i128;
		changes[5].1 += EXTRA as i128;
		before.assert_changes(&changes);
	});
}

#[test]
fn an_extra_deposit_comes_back_with_d() {
	in_market(|| {
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 1_000));
		assert_ok!(Modicum::post_resource_offer(signed(PROVIDER), resource_terms(), 2_000));
		assert_ok!(Modicum::post_match(signed(SOLVER), 0, 0, MEDIATOR));
		post(0, failed_run(ResultStatus::Declined));
		let before = Ledger::now();
		assert_ok!(Modicum::accept_result(signed(CREATOR), 0));
		// Only 10^9 bytes at 3 and the fees change hands.
		before.assert_changes(&[
			(CREATOR, -3 - FEE),
			(PROVIDER, 3 - FEE),
			(MEDIATOR, 2 * M),
			(DIRECTORY, 2 * D),
		]);
		assert_nothing_left();
	});
}

#[test]
fn an_offer_is_cancelled() {
	in_market(|| {
		let expiring = ResourceTerms { expires_at: Some(DEADLINE), ..resource_terms() };
		let before = Ledger::now();
		let balances = (free(CREATOR), free(PROVIDER));
		let (job, resource) = (post_job(job_terms()), post_resource(expiring));
		let lasting = post_resource(resource_terms());
		assert_eq!(held(HoldReason::JobOffer, CREATOR), JOB_HOLD);
		assert_eq!(held(HoldReason::ResourceOffer, PROVIDER), 2 * RESOURCE_HOLD);
		assert_ok!(Modicum::cancel_job_offer(signed(CREATOR), job));
		assert_ok!(Modicum::cancel_resource_offer(signed(PROVIDER), resource));
		assert_ok!(Modicum::cancel_resource_offer(signed(PROVIDER), lasting));
		// Everything is back, and free.
		before.assert_changes(&[]);
		assert_eq!((free(CREATOR), free(PROVIDER)), balances);
		assert_nothing_left();
	});
}

#[test]
fn an_offer_expires() {
	in_market(|| {
		let expiring = ResourceTerms { expires_at: Some(DEADLINE), ..resource_terms() };
		let before = Ledger::now();
		let balances = (free(CREATOR), free(PROVIDER));
		let (job, resource) = (post_job(job_terms()), post_resource(expiring));
		// After its last millisecond it can no longer be matched, after the grace the chain gives it back.
		set_time(DEADLINE + 1);
		assert_eq!(Modicum::feasible_mediators(job, resource), Some(vec![]));
		set_time(DEADLINE + GRACE + 1);
		Modicum::on_idle(1, Weight::MAX);
		before.assert_changes(&[]);
		assert_eq!((free(CREATOR), free(PROVIDER)), balances);
		assert_nothing_left();
	});
}

/// Lets a match, brought into a phase by `begin`, close itself, once in idle time and once by a stranger's call.
fn assert_closes_itself(begin: &dyn Fn() -> MatchId, ending: Ending, changes: &[(u64, i128)]) {
	for by_call in [false, true] {
		in_market(|| {
			let before = Ledger::now();
			let match_id = begin();
			set_time(Modicum::match_status(match_id).unwrap().auto_close_from);
			if by_call {
				assert_ok!(Modicum::close_overdue(signed(STRANGER), 1));
			} else {
				Modicum::on_idle(1, Weight::MAX);
			}
			before.assert_changes(changes);
			assert_eq!(closing().0, ending);
			assert_nothing_left();
		});
	}
}

#[test]
fn the_chain_acts_by_itself() {
	let fees = [(MEDIATOR, 2 * M), (DIRECTORY, 2 * D), (SOLVER, CI + PI)];
	let paid =
		|cost| [&[(CREATOR, -CI - FEE - cost), (PROVIDER, -PI - FEE + cost)], &fees[..]].concat();
	assert_closes_itself(&|| with_result(run()), Ending::Accepted, &paid(C));
	assert_closes_itself(&matched, Ending::ProviderTimedOut, &paid(-V));
	assert_closes_itself(
		&|| in_mediation(run()),
		Ending::MediatorTimedOut,
		&[
			(CREATOR, -CI - D - V / 2),
			(PROVIDER, -PI - D + V / 2),
			(DIRECTORY, 2 * D),
			(SOLVER, CI + PI),
		],
	);
}
