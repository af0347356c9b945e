// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{
	JobTerms, PartyRecord, Prices, RejectReason, ResourceTerms, Resources, Rule,
};

#[test]
fn a_quote_is_what_posting_holds() {
	in_market(|| {
		assert_eq!(Modicum::job_offer_deposit(job_terms(), 9), Some(JOB_HOLD + 9));
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 9));
		assert_eq!(held(HoldReason::JobOffer, CREATOR), JOB_HOLD + 9);
		assert_eq!(Modicum::resource_offer_deposit(resource_terms(), 9), Some(RESOURCE_HOLD + 9));
		assert_ok!(Modicum::post_resource_offer(signed(PROVIDER), resource_terms(), 9));
		assert_eq!(held(HoldReason::ResourceOffer, PROVIDER), RESOURCE_HOLD + 9);
	});
}

#[test]
fn a_quote_follows_the_parameters() {
	in_market(|| {
		assert_ok!(Modicum::set_penalty_rate(root(), 1));
		assert_ok!(Modicum::set_verification_count(root(), 3));
		assert_eq!(Modicum::job_offer_deposit(job_terms(), 0), Some(4 * 128 + 26));
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 0));
		assert_eq!(held(HoldReason::JobOffer, CREATOR), 4 * 128 + 26);
	});
}

#[test]
fn there_is_no_quote_for_amounts_beyond_the_balance() {
	in_market(|| {
		let most = Resources { instructions: u64::MAX, ..job_terms().limits };
		let dearest = Prices { instruction: u128::MAX, bandwidth: 0 };
		let job = JobTerms { limits: most, max_prices: dearest, ..job_terms() };
		assert_eq!(Modicum::job_offer_deposit(job, 0), None);
		assert_eq!(Modicum::job_offer_deposit(job_terms(), u128::MAX), None);
		let resource = ResourceTerms { caps: most, prices: dearest, ..resource_terms() };
		assert_eq!(Modicum::resource_offer_deposit(resource, 0), None);
		assert_eq!(Modicum::resource_offer_deposit(resource_terms(), u128::MAX), None);
	});
}

#[test]
fn broken_rules_answers_why_not() {
	in_market(|| {
		assert_eq!(Modicum::broken_rules(0, 0, MEDIATOR), None);
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_eq!(Modicum::broken_rules(job, resource, MEDIATOR), Some(vec![]));
		assert_eq!(
			Modicum::broken_rules(job, resource, STRANGER),
			Some(vec![
				Rule::MediatorNotTrustedByCreator,
				Rule::MediatorNotTrustedByProvider,
				Rule::MediatorNotRegistered,
			])
		);
	});
}

#[test]
fn feasible_mediators_are_all_and_only_those() {
	in_market(|| {
		assert_eq!(Modicum::feasible_mediators(0, 0), None);
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		let feasible = || Modicum::feasible_mediators(job, resource);
		assert_eq!(feasible(), Some(vec![MEDIATOR, MEDIATOR_2]));
		assert_ok!(Modicum::mediator_remove_supported_base_layer(signed(MEDIATOR), LAYER));
		assert_eq!(feasible(), Some(vec![MEDIATOR_2]));
		assert_ok!(Modicum::deregister_mediator(signed(MEDIATOR_2)));
		assert_eq!(feasible(), Some(vec![]));
	});
}

#[test]
fn match_status_says_what_is_waited_for() {
	in_market(|| {
		assert_eq!(Modicum::match_status(0), None);
		let match_id = matched();
		let assert_waits = |waits_for, waits_on, until| {
			let status = Modicum::match_status(match_id).unwrap();
			assert_eq!(status.record, Matches::<Test>::get(match_id).unwrap());
			assert_eq!((status.waits_for, status.waits_on), (waits_for, waits_on));
			assert_eq!((status.until, status.auto_close_from), (until, until + GRACE + 1));
		};
		assert_waits(WaitsFor::Result, PROVIDER, DEADLINE);
		post(match_id, run());
		assert_waits(WaitsFor::Reaction, CREATOR, START + REACTION);
		assert_ok!(Modicum::reject_result(signed(CREATOR), match_id, RejectReason::TooMuchCost));
		assert_waits(WaitsFor::MediationResult, MEDIATOR, START + MEDIATION);
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, runs(run())));
		assert_eq!(Modicum::match_status(match_id), None);
	});
}

#[test]
fn the_first_millisecond_of_automatic_closing_is_as_the_view_says() {
	in_market(|| {
		let match_id = matched();
		let from = Modicum::match_status(match_id).unwrap().auto_close_from;
		set_time(from - 1);
		Modicum::on_idle(1, Weight::MAX);
		assert!(Modicum::match_status(match_id).is_some());
		set_time(from);
		Modicum::on_idle(1, Weight::MAX);
		assert_eq!(Modicum::match_status(match_id), None);
	});
}

#[test]
fn parameters_are_those_in_force() {
	in_market(|| {
		assert_eq!(Modicum::parameters(), parameters());
		assert_ok!(Modicum::set_penalty_rate(root(), 9));
		assert_eq!(Modicum::parameters().penalty_rate, 9);
	});
}

#[test]
fn party_record_counts_closed_matches() {
	in_market(|| {
		assert_eq!(Modicum::party_record(CREATOR), PartyRecord::default());
		let match_id = with_result(run());
		assert_eq!(Modicum::party_record(CREATOR), PartyRecord::default());
		assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
		assert_eq!(
			Modicum::party_record(CREATOR),
			PartyRecord { completed: 1, ..Default::default() }
		);
	});
}
