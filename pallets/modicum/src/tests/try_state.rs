// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A negative test for each invariant: what breaks it is noticed, and by its number.

use crate::{mock::*, *};
use frame::{testing_prelude::*, token::fungible::MutateHold};
use modicum_primitives::MatchId;

/// Breaks something in a market with an open offer of each kind and a match, and expects the invariant's name.
#[track_caller]
fn assert_broken(invariant: &str, breaking: impl FnOnce(MatchId)) {
	new_test_ext().execute_with(|| {
		open_market();
		let match_id = matched();
		post_job(job_terms());
		post_resource(resource_terms());
		Modicum::do_try_state().unwrap();
		breaking(match_id);
		match Modicum::do_try_state() {
			Err(frame::deps::sp_runtime::TryRuntimeError::Other(message)) => {
				assert!(message.starts_with(invariant), "{message}")
			},
			other => panic!("not noticed: {other:?}"),
		}
	});
}

#[test]
fn invariant_1_holds_are_recorded() {
	assert_broken("1:", |_| {
		let reason = HoldReason::JobOffer.into();
		Balances::hold(&reason, &CREATOR, 1).unwrap();
	});
	assert_broken("1:", |_| {
		let reason = HoldReason::ResourceOffer.into();
		Balances::release(&reason, &PROVIDER, 1, Precision::Exact).unwrap();
	});
	assert_broken("1:", |_| {
		let reason = HoldReason::Registration.into();
		Balances::hold(&reason, &MEDIATOR, 1).unwrap();
	});
	assert_broken("1:", |_| {
		JobOffers::<Test>::mutate(1, |offer| offer.as_mut().unwrap().creator = 7_777);
	});
}

#[test]
fn invariant_2_matches_and_offers_refer_to_each_other() {
	assert_broken("2:", |match_id| {
		Matches::<Test>::mutate(match_id, |record| record.as_mut().unwrap().job_offer = 1);
	});
	assert_broken("2:", |match_id| {
		Matches::<Test>::mutate(match_id, |record| record.as_mut().unwrap().resource_offer = 1);
	});
	assert_broken("2:", |match_id| {
		Matches::<Test>::mutate(match_id, |record| record.as_mut().unwrap().creator = CREATOR_2);
	});
	assert_broken("2:", |match_id| {
		Matches::<Test>::mutate(match_id, |record| record.as_mut().unwrap().provider = PROVIDER_2);
	});
	assert_broken("2:", Matches::<Test>::remove);
	assert_broken("2:", |match_id| {
		ResourceOffers::<Test>::mutate(1, |offer| {
			offer.as_mut().unwrap().state = OfferState::Matched(match_id);
		});
	});
}

#[test]
fn invariant_3_holds_cover_the_match() {
	assert_broken("3:", |match_id| {
		Matches::<Test>::mutate(match_id, |record| record.as_mut().unwrap().value += 1);
	});
	assert_broken("3:", |match_id| {
		Matches::<Test>::mutate(match_id, |record| record.as_mut().unwrap().value = u128::MAX);
	});
}

#[test]
fn invariant_4_the_queue_has_every_open_phase_once() {
	assert_broken("4:", |match_id| {
		Deadlines::<Test>::remove(DeadlineKey::new(DEADLINE, Due::Match(match_id)));
	});
	assert_broken("4:", |match_id| {
		Deadlines::<Test>::insert(DeadlineKey::new(DEADLINE + 1, Due::Match(match_id)), ());
	});
	assert_broken("4:", |_| {
		Deadlines::<Test>::insert(DeadlineKey::new(DEADLINE, Due::ResourceOffer(1)), ());
	});
}

#[test]
fn invariant_5_commitments_are_counted() {
	assert_broken("5:", |_| {
		Mediators::<Test>::mutate(MEDIATOR, |record| record.as_mut().unwrap().commitments += 1);
	});
	assert_broken("5:", |_| {
		JobCreators::<Test>::mutate(CREATOR, |record| record.as_mut().unwrap().commitments -= 1);
	});
	assert_broken("5:", |_| {
		ResourceProviders::<Test>::mutate(PROVIDER, |record| {
			record.as_mut().unwrap().commitments -= 1;
		});
	});
	assert_broken("5:", |_| {
		Directories::<Test>::mutate(DIRECTORY_2, |record| record.as_mut().unwrap().commitments = 1);
	});
	assert_broken("5:", |_| {
		let record = Directories::<Test>::take(DIRECTORY).unwrap();
		let ticket = record.ticket;
		frame::traits::Consideration::drop(ticket, &DIRECTORY).unwrap();
	});
}

#[test]
fn invariant_6_numbers_are_given_out_once() {
	assert_broken("6:", |_| NextJobOfferId::<Test>::put(1));
	assert_broken("6:", |_| NextResourceOfferId::<Test>::put(0));
	assert_broken("6:", |_| NextMatchId::<Test>::put(0));
}

#[test]
fn invariant_7_parameters_are_within_their_bounds() {
	assert_broken("7:", |_| {
		CurrentParameters::<Test>::mutate(|parameters| parameters.penalty_rate = 0);
	});
	assert_broken("7:", |match_id| {
		Matches::<Test>::mutate(match_id, |record| {
			record.as_mut().unwrap().parameters.mediation_deadline = 0;
		});
	});
}

#[test]
fn invariant_8_lists_name_nothing_twice() {
	assert_broken("8:", |_| {
		JobCreators::<Test>::mutate(CREATOR, |record| {
			record.as_mut().unwrap().trusted_mediators.try_push(MEDIATOR).unwrap();
		});
	});
	let provider = |change: fn(&mut ResourceProviderRecordOf<Test>)| {
		assert_broken("8:", |_| {
			ResourceProviders::<Test>::mutate(PROVIDER, |record| change(record.as_mut().unwrap()));
		});
	};
	provider(|record| record.trusted_mediators.try_push(MEDIATOR).unwrap());
	provider(|record| record.trusted_directories.try_push(DIRECTORY).unwrap());
	provider(|record| record.base_layers.try_push(LAYER).unwrap());
	let mediator = |change: fn(&mut MediatorRecordOf<Test>)| {
		assert_broken("8:", |_| {
			Mediators::<Test>::mutate(MEDIATOR, |record| change(record.as_mut().unwrap()));
		});
	};
	mediator(|record| record.trusted_directories.try_push(DIRECTORY).unwrap());
	mediator(|record| record.base_layers.try_push(LAYER).unwrap());
}

#[test]
fn the_numbers_of_offers_and_matches_do_not_wrap() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		NextJobOfferId::<Test>::put(u64::MAX);
		assert_noop!(
			Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 0),
			ArithmeticError::Overflow
		);
		NextResourceOfferId::<Test>::put(u64::MAX);
		assert_noop!(
			Modicum::post_resource_offer(signed(PROVIDER), resource_terms(), 0),
			ArithmeticError::Overflow
		);
		NextMatchId::<Test>::put(u64::MAX);
		assert_noop!(
			Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR),
			ArithmeticError::Overflow
		);
	});
}

#[test]
fn counts_of_commitments_do_not_wrap() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		let set = |count| {
			JobCreators::<Test>::mutate(CREATOR_2, |record| {
				record.as_mut().unwrap().commitments = count;
			});
			Directories::<Test>::mutate(DIRECTORY, |record| {
				record.as_mut().unwrap().commitments = count;
			});
		};
		set(u32::MAX);
		assert_noop!(
			Modicum::post_job_offer(signed(CREATOR_2), job_terms(), uri(), 0),
			ArithmeticError::Overflow
		);
		assert_noop!(
			Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR),
			ArithmeticError::Overflow
		);
		set(0);
	});
}
