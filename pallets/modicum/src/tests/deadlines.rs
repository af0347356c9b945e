// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, *};
use frame::{deps::frame_support::dispatch::WithPostDispatchInfo, testing_prelude::*};
use modicum_primitives::{Ending, Moment, RejectReason, ResourceTerms};

/// Lets the chain act with all the weight in the world.
fn idle() -> Weight {
	Modicum::on_idle(1, Weight::MAX)
}

fn queue() -> Vec<(Moment, Due)> {
	Deadlines::<Test>::iter_keys().map(|key| (key.at(), key.due)).collect()
}

#[test]
fn timeout_works_from_the_first_millisecond_after_the_deadline() {
	in_market(|| {
		let match_id = matched();
		let timeout = || Modicum::timeout(signed(CREATOR), match_id);
		assert_noop!(timeout(), Error::<Test>::CompletionDeadlineNotPassed);
		set_time(DEADLINE);
		assert_noop!(timeout(), Error::<Test>::CompletionDeadlineNotPassed);
		set_time(DEADLINE + 1);
		assert_ok!(timeout());
		assert_nothing_left();
		assert_noop!(timeout(), Error::<Test>::MatchNotFound);
	});
}

#[test]
fn timeout_fails_for_others_and_in_other_phases() {
	in_market(|| {
		let match_id = matched();
		set_time(DEADLINE + 1);
		for who in [PROVIDER, MEDIATOR, STRANGER] {
			assert_noop!(Modicum::timeout(signed(who), match_id), Error::<Test>::NotCreator);
		}
		assert_noop!(Modicum::timeout(signed(CREATOR), match_id + 1), Error::<Test>::MatchNotFound);
		assert_noop!(Modicum::timeout(root(), match_id), BadOrigin);
	});
}

#[test]
fn timeout_mediation_works_from_the_first_millisecond_after_the_deadline() {
	in_market(|| {
		let match_id = in_mediation(run());
		let timeout = || Modicum::timeout_mediation(signed(PROVIDER), match_id);
		assert_noop!(timeout(), Error::<Test>::MediationDeadlineNotPassed);
		set_time(START + MEDIATION);
		assert_noop!(timeout(), Error::<Test>::MediationDeadlineNotPassed);
		set_time(START + MEDIATION + 1);
		assert_ok!(timeout());
		assert_nothing_left();
	});
}

#[test]
fn timeout_mediation_fails_for_others_and_in_other_phases() {
	in_market(|| {
		let match_id = matched();
		let timeout = |who| Modicum::timeout_mediation(signed(who), match_id);
		assert_noop!(timeout(CREATOR), Error::<Test>::NotMediating);
		post(match_id, run());
		assert_noop!(timeout(CREATOR), Error::<Test>::NotMediating);
		assert_noop!(
			Modicum::timeout_mediation(signed(CREATOR), match_id + 1),
			Error::<Test>::MatchNotFound
		);
		let reason = RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, reason));
		set_time(START + MEDIATION + 1);
		for who in [MEDIATOR, DIRECTORY, CREATOR_2, STRANGER] {
			assert_noop!(timeout(who), Error::<Test>::NotParty);
		}
	});
}

#[test]
fn every_open_phase_is_in_the_queue_once() {
	in_market(|| {
		assert_eq!(queue(), []);
		let job = post_job(job_terms());
		assert_eq!(queue(), [(DEADLINE, Due::JobOffer(job))]);
		let expiring = ResourceTerms { expires_at: Some(START + 700), ..resource_terms() };
		let resource = post_resource(expiring);
		assert_eq!(
			queue(),
			[(START + 700, Due::ResourceOffer(resource)), (DEADLINE, Due::JobOffer(job))]
		);
		post_resource(resource_terms());
		assert_eq!(queue().len(), 2);
		assert_ok!(Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR));
		assert_eq!(queue(), [(DEADLINE, Due::Match(0))]);
		post(0, run());
		assert_eq!(queue(), [(START + REACTION, Due::Match(0))]);
		assert_ok!(Modicum::reject_result(signed(CREATOR), 0, RejectReason::TooMuchCost));
		assert_eq!(queue(), [(START + MEDIATION, Due::Match(0))]);
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), 0, runs(run())));
		assert_eq!(queue(), []);
	});
}

#[test]
fn the_queue_is_ordered_by_time_not_by_bytes() {
	in_market(|| {
		let ends = [1, 255, 256, 257, 65_535, 65_536, 1_000_000];
		for end in ends.iter().rev() {
			let expires_at = Some(START + end);
			post_resource(ResourceTerms { expires_at, ..resource_terms() });
		}
		let order: Vec<_> = queue().into_iter().map(|(at, _)| at - START).collect();
		assert_eq!(order, ends);
	});
}

#[test]
fn the_chain_acts_after_the_grace_and_not_before() {
	in_market(|| {
		matched();
		set_time(DEADLINE + GRACE);
		idle();
		assert_eq!(Matches::<Test>::iter().count(), 1);
		set_time(DEADLINE + GRACE + 1);
		idle();
		assert_nothing_left();
	});
}

#[test]
fn the_chain_does_what_the_parties_could_have_done() {
	in_market(|| {
		// One of each: an open job offer, an open resource offer, and a match in each phase.
		let expiring = ResourceTerms { expires_at: Some(START + 700), ..resource_terms() };
		let running = matched();
		let posted = with_result(run());
		let disputed = in_mediation(run());
		let (job, resource) = (post_job(job_terms()), post_resource(expiring));
		System::reset_events();
		set_time(DEADLINE + GRACE + 1);
		idle();
		assert_nothing_left();

		let events = events();
		let ending = |id| {
			events.iter().find_map(|event| match event {
				Event::MatchClosed { match_id, ending, .. } if *match_id == id => Some(*ending),
				_ => None,
			})
		};
		assert_eq!(ending(running), Some(Ending::ProviderTimedOut));
		assert_eq!(ending(posted), Some(Ending::Accepted));
		assert_eq!(ending(disputed), Some(Ending::MediatorTimedOut));
		assert!(events.contains(&Event::JobOfferExpired {
			job_offer: job,
			creator: CREATOR,
			returned: JOB_HOLD
		}));
		assert!(events.contains(&Event::ResourceOfferExpired {
			resource_offer: resource,
			provider: PROVIDER,
			returned: RESOURCE_HOLD
		}));
		assert!(events.contains(&Event::ResultReaction {
			match_id: posted,
			by: None,
			reaction: Reaction::Accepted
		}));
	});
}

#[test]
fn the_chain_pays_the_same_as_the_parties_call() {
	let change = |act: &dyn Fn(u64)| {
		let mut ledger = Vec::new();
		in_market(|| {
			let match_id = matched();
			set_time(DEADLINE + GRACE + 1);
			act(match_id);
			ledger = [CREATOR, PROVIDER, MEDIATOR, DIRECTORY, TREASURY].map(free).to_vec();
		});
		ledger
	};
	let called = change(&|match_id| {
		assert_ok!(Modicum::timeout(signed(CREATOR), match_id));
	});
	let idle = change(&|_| {
		idle();
	});
	assert_eq!(called, idle);
}

#[test]
fn on_idle_never_takes_more_than_it_is_given_and_loses_nothing() {
	in_market(|| {
		for _ in 0..5 {
			post_job(job_terms());
		}
		set_time(DEADLINE + GRACE + 1);
		let base = <Test as Config>::WeightInfo::close_overdue(0);
		let each = Modicum::closing_weight(Due::JobOffer(0));
		for (given, left) in [
			(Weight::zero(), 5),
			(base.saturating_sub(Weight::from_parts(1, 0)), 5),
			(base, 5),
			(base.saturating_add(each).saturating_sub(Weight::from_parts(0, 1)), 5),
			(base.saturating_add(each), 4),
			(base.saturating_add(each).saturating_add(each), 2),
			(Weight::MAX, 0),
		] {
			let taken = Modicum::on_idle(1, given);
			assert!(taken.all_lte(given));
			assert_eq!(JobOffers::<Test>::iter().count(), left);
			Modicum::do_try_state().unwrap();
		}
		assert_nothing_left();
	});
}

#[test]
fn on_idle_closes_the_earliest_first() {
	in_market(|| {
		for end in [400, 200, 300, 100] {
			let expires_at = Some(START + end);
			post_resource(ResourceTerms { expires_at, ..resource_terms() });
		}
		set_time(START + 300 + GRACE + 1);
		let base = <Test as Config>::WeightInfo::close_overdue(0);
		let each = Modicum::closing_weight(Due::ResourceOffer(0));
		Modicum::on_idle(1, base.saturating_add(each).saturating_add(each));
		let left: Vec<_> = queue().into_iter().map(|(at, _)| at - START).collect();
		assert_eq!(left, [300, 400]);
		idle();
		let left: Vec<_> = queue().into_iter().map(|(at, _)| at - START).collect();
		assert_eq!(left, [400]);
	});
}

#[test]
fn close_overdue_works_for_anybody() {
	in_market(|| {
		let close = |limit| Modicum::close_overdue(signed(STRANGER), limit);
		for _ in 0..3 {
			post_job(job_terms());
		}
		set_time(DEADLINE + GRACE);
		// Whoever comes second pays for a look only.
		let look = <Test as Config>::WeightInfo::close_overdue(0);
		let nothing = || Error::<Test>::NothingOverdue.with_weight(look);
		assert_noop!(close(10), nothing());
		set_time(DEADLINE + GRACE + 1);
		assert_noop!(close(0), nothing());
		assert_ok!(close(2));
		assert_eq!(JobOffers::<Test>::iter().count(), 1);
		let info = close(u32::MAX).unwrap();
		assert_eq!(info.actual_weight, Some(<Test as Config>::WeightInfo::close_overdue(1)));
		assert_nothing_left();
		assert_noop!(Modicum::close_overdue(RuntimeOrigin::none(), 1), BadOrigin);
	});
}

#[test]
fn a_longer_grace_applies_to_deadlines_already_set() {
	in_market(|| {
		matched();
		assert_ok!(Modicum::set_auto_close_grace(root(), GRACE + 100));
		set_time(DEADLINE + GRACE + 100);
		idle();
		assert_eq!(Matches::<Test>::iter().count(), 1);
		// The party need not wait for the grace.
		assert_ok!(Modicum::timeout(signed(CREATOR), 0));
	});
}
