// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Money that meets locks, dead accounts and existential deposits.

use crate::{mock::*, *};
use frame::{
	testing_prelude::*,
	token::fungible::Mutate,
	traits::{Consideration, Footprint},
};
use modicum_primitives::{Balance, JobTerms, ResourceTerms};

/// A match with fees of less than the existential deposit.
fn close_to_pay(match_id: u64) {
	assert_ok!(Modicum::accept_result(signed(CREATOR), match_id));
}

/// An account of this number does not exist.
const GHOST: AccountId = 77;

#[test]
fn locks_elsewhere_do_not_protect_a_deposit() {
	in_market(|| {
		let match_id = in_mediation(run());
		lock_everything(CREATOR);
		let before = Ledger::now();
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, runs(run())));
		let fine = DEPOSIT - COST - RUNS * COST - FEES;
		before.assert_changes(&[
			(CREATOR, -(DEPOSIT as i128)),
			(PROVIDER, (COST - FEES) as i128),
			(MEDIATOR, (2 * MEDIATOR_FEE + RUNS * COST) as i128),
			(DIRECTORY, 2 * DIRECTORY_FEE as i128),
			(TREASURY, fine as i128),
		]);
	});
}

#[test]
fn a_solver_who_does_not_exist_is_created_by_its_incentive() {
	in_market(|| {
		let job = JobTerms { match_incentive: ED, ..job_terms() };
		let resource = ResourceTerms { match_incentive: ED, ..resource_terms() };
		let (job, resource) = (post_job(job), post_resource(resource));
		assert_ok!(Modicum::post_match(signed(GHOST), job, resource, MEDIATOR));
		assert_eq!(free(GHOST), 2 * ED);
	});
}

#[test]
fn an_incentive_too_small_to_create_its_solver_goes_to_the_fines() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		let before = Ledger::now();
		System::reset_events();
		assert_ok!(Modicum::post_match(signed(GHOST), job, resource, MEDIATOR));
		before.assert_changes(&[(CREATOR, -6), (PROVIDER, -5), (TREASURY, 11)]);
		let redirected =
			|amount| Event::PaymentRedirected { payee: GHOST, recipient: TREASURY, amount };
		assert_eq!(events()[..2], [redirected(6), redirected(5)]);
	});
}

/// Takes everything from an account that nothing is on hold for.
fn kill(who: AccountId) {
	let everything = free(who);
	assert_ok!(Balances::transfer_allow_death(signed(who), STRANGER, everything));
	assert!(!System::account_exists(&who));
}

#[test]
fn without_a_fines_account_small_payments_go_back_to_their_payer() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		kill(TREASURY);
		let before = Ledger::now();
		System::reset_events();
		assert_ok!(Modicum::post_match(signed(GHOST), job, resource, MEDIATOR));
		before.assert_changes(&[]);
		let redirected =
			|recipient, amount| Event::PaymentRedirected { payee: GHOST, recipient, amount };
		assert_eq!(events()[..2], [redirected(CREATOR, 6), redirected(PROVIDER, 5)]);
	});
}

#[test]
fn a_fine_creates_its_destination() {
	in_market(|| {
		let match_id = in_mediation(run());
		kill(TREASURY);
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, runs(run())));
		assert_eq!(free(TREASURY), DEPOSIT - COST - RUNS * COST - FEES);
	});
}

#[test]
fn what_nobody_can_receive_is_burnt() {
	// Not `in_market`: money is burnt.
	new_test_ext().execute_with(|| {
		open_market();
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		kill(TREASURY);
		// Another pallet keeps the creator's account alive, so that it can be emptied below the deposit.
		System::inc_providers(&CREATOR);
		let rest = free(CREATOR);
		assert_ok!(Balances::transfer(&CREATOR, &STRANGER, rest, Preservation::Expendable));
		assert_eq!(free(CREATOR), 0);
		let issuance = Balances::total_issuance();
		System::reset_events();
		assert_ok!(Modicum::post_match(signed(GHOST), job, resource, MEDIATOR));
		assert_eq!(events()[0], Event::PaymentBurnt { payee: GHOST, amount: CREATOR_INCENTIVE });
		assert_eq!(Balances::total_issuance(), issuance - CREATOR_INCENTIVE);
		assert_eq!(held(HoldReason::JobOffer, CREATOR), DEPOSIT);
		Modicum::do_try_state().unwrap();
	});
}

#[test]
fn a_mediator_and_directory_reduced_to_their_deposits_are_paid() {
	in_market(|| {
		let match_id = with_result(run());
		for who in [MEDIATOR, DIRECTORY] {
			let rest = free(who) - ED;
			assert_ok!(Balances::transfer_allow_death(signed(who), STRANGER, rest));
		}
		let before = Ledger::now();
		close_to_pay(match_id);
		before.assert_changes(&[
			(CREATOR, -((COST + FEES) as i128)),
			(PROVIDER, (COST as i128) - (FEES as i128)),
			(MEDIATOR, 2 * MEDIATOR_FEE as i128),
			(DIRECTORY, 2 * DIRECTORY_FEE as i128),
		]);
	});
}

#[test]
fn one_account_in_two_roles_is_paid_for_both() {
	in_market(|| {
		// The mediator is the directory too.
		assert_ok!(Modicum::register_directory(signed(MEDIATOR), vec![1], DIRECTORY_FEE));
		assert_ok!(Modicum::mediator_add_trusted_directory(signed(MEDIATOR), MEDIATOR));
		assert_ok!(Modicum::resource_provider_add_trusted_directory(signed(PROVIDER), MEDIATOR));
		let job = JobTerms { directory: MEDIATOR, ..job_terms() };
		let match_id = matched_with(job, resource_terms());
		post(match_id, run());
		let before = Ledger::now();
		close_to_pay(match_id);
		before.assert_changes(&[
			(CREATOR, -((COST + FEES) as i128)),
			(PROVIDER, (COST as i128) - (FEES as i128)),
			(MEDIATOR, 2 * FEES as i128),
		]);
	});
}

#[test]
fn a_party_that_is_its_own_directory_pays_itself() {
	in_market(|| {
		assert_ok!(Modicum::register_directory(signed(PROVIDER), vec![1], DIRECTORY_FEE));
		assert_ok!(Modicum::mediator_add_trusted_directory(signed(MEDIATOR), PROVIDER));
		assert_ok!(Modicum::resource_provider_add_trusted_directory(signed(PROVIDER), PROVIDER));
		let job = JobTerms { directory: PROVIDER, ..job_terms() };
		let match_id = matched_with(job, resource_terms());
		post(match_id, run());
		let before = Ledger::now();
		close_to_pay(match_id);
		before.assert_changes(&[
			(CREATOR, -((COST + FEES) as i128)),
			(PROVIDER, (COST + DIRECTORY_FEE - MEDIATOR_FEE) as i128),
			(MEDIATOR, 2 * MEDIATOR_FEE as i128),
		]);
		assert_nothing_left();
	});
}

#[test]
fn several_offers_and_matches_of_one_account_do_not_mix() {
	in_market(|| {
		let first = matched();
		let open = post_job(job_terms());
		let second = matched();
		assert_eq!(held(HoldReason::JobOffer, CREATOR), 2 * DEPOSIT + JOB_HOLD);
		post(second, run());
		close_to_pay(second);
		assert_eq!(held(HoldReason::JobOffer, CREATOR), DEPOSIT + JOB_HOLD);
		assert_ok!(Modicum::cancel_job_offer(signed(CREATOR), open));
		assert_eq!(held(HoldReason::JobOffer, CREATOR), DEPOSIT);
		post(first, run());
		close_to_pay(first);
		assert_nothing_left();
	});
}

#[test]
fn a_storage_deposit_knows_its_amount() {
	build_and_execute(|| {
		type Ticket = <Test as Config>::Consideration;
		let ticket = Ticket::new(&CREATOR, Footprint::from_parts(1, 17)).unwrap();
		let amount: Balance = StorageDeposit::<AccountId>::amount(&ticket);
		assert_eq!(amount, REGISTRATION + 17 * PER_BYTE);
		assert_eq!(amount, held(HoldReason::Registration, CREATOR));
		ticket.drop(&CREATOR).unwrap();
	});
}

#[test]
fn an_account_kept_alive_by_something_else_keeps_the_existential_deposit_too() {
	in_market(|| {
		// As the account of a validator, which the session pallet keeps alive without money.
		frame_system::Pallet::<Test>::inc_providers(&CREATOR);
		let excess = free(CREATOR) - JOB_HOLD - ED;
		assert_ok!(Balances::transfer_keep_alive(signed(CREATOR), STRANGER, excess + 1));
		let post = || Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 0);
		assert_noop!(post(), TokenError::FundsUnavailable);
		assert_ok!(Balances::mint_into(&CREATOR, 1));
		assert_ok!(post());
		// So the least excess can be given back to it.
		assert_ok!(Modicum::cancel_job_offer(signed(CREATOR), 0));
		assert_eq!(free(CREATOR), JOB_HOLD + ED);
		assert_ok!(Balances::burn_from(
			&STRANGER,
			1,
			Preservation::Expendable,
			Precision::Exact,
			Fortitude::Polite
		));
	});
}
