// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{
	Meter, Parameters, MAX_COST_TOLERANCE, MAX_GRACE, MAX_PENALTY_RATE, MAX_PERIOD,
	MAX_VERIFICATION_COUNT, MIN_VERIFICATION_COUNT,
};

fn now() -> Parameters {
	CurrentParameters::<Test>::get()
}

#[test]
fn genesis_sets_the_parameters() {
	build_and_execute(|| assert_eq!(now(), parameters()));
}

#[test]
#[should_panic(expected = "a market parameter is out of bounds")]
fn genesis_refuses_parameters_out_of_bounds() {
	let parameters = Parameters { penalty_rate: 0, ..parameters() };
	let config = GenesisConfig::<Test> { parameters, ..Default::default() };
	new_test_ext().execute_with(|| config.build());
}

#[test]
fn the_default_is_the_papers() {
	let GenesisConfig::<Test> { parameters, .. } = GenesisConfig::default();
	assert_eq!((parameters.penalty_rate, parameters.verification_count), (50, 2));
}

#[test]
fn set_penalty_rate_works_within_its_bounds() {
	build_and_execute(|| {
		for bound in [1, MAX_PENALTY_RATE] {
			assert_ok!(Modicum::set_penalty_rate(root(), bound));
			assert_eq!(now().penalty_rate, bound);
			System::assert_last_event(Event::PenaltyRateSet { penalty_rate: bound }.into());
		}
		for beyond in [0, MAX_PENALTY_RATE + 1, u32::MAX] {
			assert_noop!(
				Modicum::set_penalty_rate(root(), beyond),
				Error::<Test>::PenaltyRateOutOfBounds
			);
		}
	});
}

#[test]
fn set_verification_count_works_within_its_bounds() {
	build_and_execute(|| {
		for bound in [MIN_VERIFICATION_COUNT, MAX_VERIFICATION_COUNT] {
			assert_ok!(Modicum::set_verification_count(root(), bound));
			assert_eq!(now().verification_count, bound);
			System::assert_last_event(
				Event::VerificationCountSet { verification_count: bound }.into(),
			);
		}
		for beyond in [0, MIN_VERIFICATION_COUNT - 1, MAX_VERIFICATION_COUNT + 1, u32::MAX] {
			assert_noop!(
				Modicum::set_verification_count(root(), beyond),
				Error::<Test>::VerificationCountOutOfBounds
			);
		}
	});
}

#[test]
fn set_reaction_deadline_works_within_its_bounds() {
	build_and_execute(|| {
		for bound in [1, MAX_PERIOD] {
			assert_ok!(Modicum::set_reaction_deadline(root(), bound));
			assert_eq!(now().reaction_deadline, bound);
			System::assert_last_event(
				Event::ReactionDeadlineSet { reaction_deadline: bound }.into(),
			);
		}
		for beyond in [0, MAX_PERIOD + 1, u64::MAX] {
			assert_noop!(
				Modicum::set_reaction_deadline(root(), beyond),
				Error::<Test>::ReactionDeadlineOutOfBounds
			);
		}
	});
}

#[test]
fn set_mediation_deadline_works_within_its_bounds() {
	build_and_execute(|| {
		for bound in [1, MAX_PERIOD] {
			assert_ok!(Modicum::set_mediation_deadline(root(), bound));
			assert_eq!(now().mediation_deadline, bound);
			System::assert_last_event(
				Event::MediationDeadlineSet { mediation_deadline: bound }.into(),
			);
		}
		for beyond in [0, MAX_PERIOD + 1, u64::MAX] {
			assert_noop!(
				Modicum::set_mediation_deadline(root(), beyond),
				Error::<Test>::MediationDeadlineOutOfBounds
			);
		}
	});
}

#[test]
fn set_min_match_incentive_works() {
	build_and_execute(|| {
		assert_ok!(Modicum::set_min_match_incentive(root(), u128::MAX));
		assert_eq!(now().min_match_incentive, u128::MAX);
		System::assert_last_event(
			Event::MinMatchIncentiveSet { min_match_incentive: u128::MAX }.into(),
		);
	});
}

#[test]
fn set_cost_tolerance_works_within_its_bounds() {
	build_and_execute(|| {
		for meter in Meter::ALL {
			let parts_per_million = MAX_COST_TOLERANCE;
			assert_ok!(Modicum::set_cost_tolerance(root(), *meter, parts_per_million));
			assert_eq!(now().cost_tolerances.of(*meter), parts_per_million);
			System::assert_last_event(
				Event::CostToleranceSet { meter: *meter, parts_per_million }.into(),
			);
			assert_noop!(
				Modicum::set_cost_tolerance(root(), *meter, MAX_COST_TOLERANCE + 1),
				Error::<Test>::CostToleranceOutOfBounds
			);
		}
	});
}

#[test]
fn set_auto_close_grace_works_within_its_bounds() {
	build_and_execute(|| {
		for bound in [0, MAX_GRACE] {
			assert_ok!(Modicum::set_auto_close_grace(root(), bound));
			assert_eq!(now().auto_close_grace, bound);
			System::assert_last_event(Event::AutoCloseGraceSet { auto_close_grace: bound }.into());
		}
		assert_noop!(
			Modicum::set_auto_close_grace(root(), MAX_GRACE + 1),
			Error::<Test>::AutoCloseGraceOutOfBounds
		);
	});
}

#[test]
fn only_the_admin_sets_parameters() {
	build_and_execute(|| {
		let who = || signed(CREATOR);
		assert_noop!(Modicum::set_penalty_rate(who(), 1), BadOrigin);
		assert_noop!(Modicum::set_verification_count(who(), 1), BadOrigin);
		assert_noop!(Modicum::set_reaction_deadline(who(), 1), BadOrigin);
		assert_noop!(Modicum::set_mediation_deadline(who(), 1), BadOrigin);
		assert_noop!(Modicum::set_min_match_incentive(who(), 1), BadOrigin);
		assert_noop!(Modicum::set_cost_tolerance(who(), Meter::CpuTime, 1), BadOrigin);
		assert_noop!(Modicum::set_auto_close_grace(who(), 1), BadOrigin);
	});
}

#[test]
fn a_change_does_not_alter_a_running_match() {
	in_market(|| {
		let match_id = matched();
		assert_ok!(Modicum::set_penalty_rate(root(), 1));
		assert_ok!(Modicum::set_verification_count(root(), 3));
		assert_ok!(Modicum::set_reaction_deadline(root(), 1));
		assert_ok!(Modicum::set_mediation_deadline(root(), 1));
		assert_ok!(Modicum::set_cost_tolerance(root(), Meter::HardwareInstructions, 0));
		let record = Matches::<Test>::get(match_id).unwrap();
		assert_eq!(record.parameters, parameters());

		post(match_id, run());
		set_time(START + REACTION);
		assert_ok!(Modicum::reject_result(
			signed(CREATOR),
			match_id,
			primitives::RejectReason::WrongResults
		));
		set_time(START + REACTION + MEDIATION);
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, runs(run())));
		assert_nothing_left();
	});
}
