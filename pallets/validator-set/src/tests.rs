// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Joining, leaving, offending, and what keeps the chain alive.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use crate::{mock::*, Error, Event, RemovalCause, SessionLength, Validators};
use frame::{deps::sp_runtime::Perbill, testing_prelude::*, traits::EstimateNextSessionRotation};
use pallet_session::historical::{self, HistoricalSessions};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

fn root() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

fn members() -> Vec<u64> {
	let mut members = Validators::<Test>::get().into_inner();
	members.sort();
	members
}

fn active() -> Vec<u64> {
	let mut active = Session::validators();
	active.sort();
	active
}

fn report_offence(who: u64) {
	let details = OffenceDetails { offender: (who, ()), reporters: Vec::<u64>::new() };
	<ValidatorSet as OnOffenceHandler<u64, (u64, ()), Weight>>::on_offence(
		&[details],
		&[Perbill::from_percent(100)],
		Session::current_index(),
	);
}

#[test]
fn genesis_takes_the_members_from_the_session_keys() {
	build_and_execute(|| {
		assert_eq!(members(), GENESIS_VALIDATORS);
		assert_eq!(active(), GENESIS_VALIDATORS);
	});
}

#[test]
fn add_validator_works_from_the_session_after_next_on() {
	build_and_execute(|| {
		assert_ok!(ValidatorSet::add_validator(root(), CANDIDATE));
		System::assert_last_event(Event::ValidatorAdded { who: CANDIDATE }.into());
		pass_sessions(1);
		assert_eq!(active(), [1, 2, 3]);
		pass_sessions(1);
		assert_eq!(active(), [1, 2, 3, CANDIDATE]);
	});
}

#[test]
fn add_validator_refuses_what_cannot_validate() {
	build_and_execute(|| {
		assert_noop!(ValidatorSet::add_validator(signed(1), CANDIDATE), DispatchError::BadOrigin);
		assert_noop!(ValidatorSet::add_validator(root(), KEYLESS), Error::<Test>::NoSessionKeys);
		assert_noop!(ValidatorSet::add_validator(root(), 1), Error::<Test>::AlreadyValidator);
		assert_ok!(ValidatorSet::add_validator(root(), CANDIDATE));
		set_keys(KEYLESS);
		assert_noop!(
			ValidatorSet::add_validator(root(), KEYLESS),
			Error::<Test>::TooManyValidators
		);
	});
}

#[test]
fn remove_validator_and_resign_work() {
	build_and_execute(|| {
		assert_noop!(ValidatorSet::remove_validator(signed(1), 2), DispatchError::BadOrigin);
		assert_noop!(
			ValidatorSet::remove_validator(root(), CANDIDATE),
			Error::<Test>::NotValidator
		);
		assert_ok!(ValidatorSet::remove_validator(root(), 1));
		System::assert_last_event(
			Event::ValidatorRemoved { who: 1, cause: RemovalCause::Admin }.into(),
		);
		assert_ok!(ValidatorSet::resign(signed(2)));
		System::assert_last_event(
			Event::ValidatorRemoved { who: 2, cause: RemovalCause::Resigned }.into(),
		);
		pass_sessions(2);
		assert_eq!(active(), [3]);
	});
}

#[test]
fn the_last_validator_stays_whatever_happens() {
	build_and_execute(|| {
		assert_ok!(ValidatorSet::resign(signed(1)));
		assert_ok!(ValidatorSet::resign(signed(2)));
		assert_noop!(ValidatorSet::resign(signed(3)), Error::<Test>::LastValidator);
		assert_noop!(ValidatorSet::remove_validator(root(), 3), Error::<Test>::LastValidator);
		report_offence(3);
		System::assert_last_event(Event::LastValidatorKept { who: 3 }.into());
		assert_eq!(members(), [3]);
		pass_sessions(4);
		assert_eq!(active(), [3]);
	});
}

#[test]
fn a_set_without_keys_leaves_the_present_validators() {
	build_and_execute(|| {
		// No call can bring this about: the storage is written directly.
		Validators::<Test>::put(BoundedVec::truncate_from(vec![KEYLESS]));
		pass_sessions(4);
		assert_eq!(active(), GENESIS_VALIDATORS);
		Validators::<Test>::kill();
		pass_sessions(4);
		assert_eq!(active(), GENESIS_VALIDATORS);
		Validators::<Test>::put(BoundedVec::truncate_from(vec![1]));
	});
}

#[test]
fn a_proven_offence_removes_the_offender_once() {
	build_and_execute(|| {
		report_offence(2);
		System::assert_last_event(
			Event::ValidatorRemoved { who: 2, cause: RemovalCause::Offence }.into(),
		);
		assert_eq!(members(), [1, 3]);
		report_offence(2);
		assert_eq!(members(), [1, 3]);
		pass_sessions(2);
		assert_eq!(active(), [1, 3]);
	});
}

#[test]
fn keys_are_purged_only_by_those_who_validate_nothing() {
	build_and_execute(|| {
		assert_noop!(ValidatorSet::purge_keys(signed(1)), Error::<Test>::StillValidating);
		assert_ok!(ValidatorSet::add_validator(root(), CANDIDATE));
		pass_sessions(2);
		assert_ok!(ValidatorSet::resign(signed(CANDIDATE)));
		// Still in the running session, then in the queue.
		assert_noop!(ValidatorSet::purge_keys(signed(CANDIDATE)), Error::<Test>::StillValidating);
		pass_sessions(1);
		assert_noop!(ValidatorSet::purge_keys(signed(CANDIDATE)), Error::<Test>::StillValidating);
		pass_sessions(1);
		let before = Balances::free_balance(CANDIDATE);
		assert_ok!(ValidatorSet::purge_keys(signed(CANDIDATE)));
		assert_eq!(Balances::free_balance(CANDIDATE), before + 10);
		assert_noop!(
			ValidatorSet::purge_keys(signed(KEYLESS)),
			pallet_session::Error::<Test>::NoKeys
		);
	});
}

#[test]
fn set_session_length_works() {
	build_and_execute(|| {
		assert_noop!(ValidatorSet::set_session_length(signed(1), 7), DispatchError::BadOrigin);
		assert_noop!(ValidatorSet::set_session_length(root(), 0), Error::<Test>::ZeroSessionLength);
		assert_ok!(ValidatorSet::set_session_length(root(), 7));
		System::assert_last_event(Event::SessionLengthSet { blocks: 7 }.into());
		assert_eq!(SessionLength::<Test>::get(), 7);
		pass_sessions(1);
		assert_eq!(System::block_number(), 7);
		pass_sessions(1);
		assert_eq!(System::block_number(), 14);
	});
}

#[test]
fn the_next_rotation_is_estimated_exactly() {
	build_and_execute(|| {
		assert_eq!(<ValidatorSet as EstimateNextSessionRotation<u64>>::average_session_length(), 5);
		for now in 1..20 {
			let estimate = ValidatorSet::estimate_next_session_rotation(now).0.unwrap();
			assert!(estimate > now && estimate <= now + 5 && estimate % 5 == 0);
			let progress = ValidatorSet::estimate_current_session_progress(now).0.unwrap();
			assert!(progress > Permill::zero() && progress <= Permill::one());
		}
	});
}

#[test]
fn offences_stay_provable_for_some_sessions_only() {
	build_and_execute(|| {
		pass_sessions(2);
		assert!(HistoricalSessions::<Test>::contains_key(0));
		pass_sessions(8);
		let (first, end) = historical::StoredRange::<Test>::get().unwrap();
		// The session that ended last was 9: up to session 6 all is pruned.
		assert_eq!((first, end), (6, 12));
		assert!((0..first).all(|index| !HistoricalSessions::<Test>::contains_key(index)));
		assert!((first..end).all(HistoricalSessions::<Test>::contains_key));
	});
}

#[test]
fn try_state_finds_an_empty_set() {
	build_and_execute(|| {
		let members = Validators::<Test>::take();
		assert!(ValidatorSet::do_try_state().is_err());
		Validators::<Test>::put(members);
	});
}

#[test]
fn try_state_finds_a_member_twice() {
	build_and_execute(|| {
		let members = Validators::<Test>::get();
		Validators::<Test>::put(BoundedVec::truncate_from(vec![1, 1]));
		assert!(ValidatorSet::do_try_state().is_err());
		Validators::<Test>::put(members);
	});
}

#[test]
fn try_state_finds_a_member_without_keys() {
	build_and_execute(|| {
		let members = Validators::<Test>::get();
		Validators::<Test>::put(BoundedVec::truncate_from(vec![1, KEYLESS]));
		assert!(ValidatorSet::do_try_state().is_err());
		Validators::<Test>::put(members);
	});
}
