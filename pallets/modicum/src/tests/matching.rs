// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{Architecture, JobTerms, Meter, Prices, ResourceTerms, Resources, Rule};

/// Posts the two offers and asserts that matching them breaks exactly `rules`, the first of which is the error.
#[track_caller]
fn assert_breaks(
	job: JobTerms<AccountId>,
	resource: ResourceTerms,
	mediator: AccountId,
	rules: &[Rule],
) {
	let (job, resource) = (post_job(job), post_resource(resource));
	assert_triple_breaks(job, resource, mediator, rules);
}

#[track_caller]
fn assert_triple_breaks(job: u64, resource: u64, mediator: AccountId, rules: &[Rule]) {
	assert_eq!(Modicum::broken_rules(job, resource, mediator).unwrap(), rules);
	assert_noop!(
		Modicum::post_match(signed(SOLVER), job, resource, mediator),
		Error::<Test>::from(rules[0])
	);
}

#[docify::export]
#[test]
fn post_match_works() {
	in_market(|| {
		let before = Ledger::now();
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR));

		// Each side has paid its incentive and keeps d at stake; everything else is free again.
		before.assert_changes(&[(CREATOR, -6), (PROVIDER, -5), (SOLVER, 11)]);
		assert_eq!(held(HoldReason::JobOffer, CREATOR), DEPOSIT);
		assert_eq!(held(HoldReason::ResourceOffer, PROVIDER), DEPOSIT);
	});
}

#[test]
fn post_match_records_everything_that_rules_the_match() {
	in_market(|| {
		let match_id = matched();
		System::assert_last_event(
			Event::Matched {
				match_id,
				job_offer: 0,
				resource_offer: 0,
				creator: CREATOR,
				provider: PROVIDER,
				mediator: MEDIATOR,
				directory: DIRECTORY,
				solver: SOLVER,
				value: VALUE,
				creator_held: DEPOSIT,
				provider_held: DEPOSIT,
				incentives: CREATOR_INCENTIVE + PROVIDER_INCENTIVE,
				completion_deadline: DEADLINE,
			}
			.into(),
		);
		assert_eq!(
			Matches::<Test>::get(match_id).unwrap(),
			MatchRecord {
				job_offer: 0,
				resource_offer: 0,
				creator: CREATOR,
				provider: PROVIDER,
				mediator: MEDIATOR,
				directory: DIRECTORY,
				value: VALUE,
				prices: resource_terms().prices,
				limits: job_terms().limits,
				meter: Meter::HardwareInstructions,
				mediator_fee: MEDIATOR_FEE,
				directory_fee: DIRECTORY_FEE,
				completion_deadline: DEADLINE,
				parameters: parameters(),
				phase: Phase::Running,
			}
		);
	});
}

#[test]
fn an_extra_deposit_stays_at_stake() {
	in_market(|| {
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 1_000));
		assert_ok!(Modicum::post_resource_offer(signed(PROVIDER), resource_terms(), 2_000));
		assert_ok!(Modicum::post_match(signed(SOLVER), 0, 0, MEDIATOR));
		assert_eq!(held(HoldReason::JobOffer, CREATOR), DEPOSIT + 1_000);
		assert_eq!(held(HoldReason::ResourceOffer, PROVIDER), DEPOSIT + 2_000);
	});
}

#[test]
fn anybody_may_solve_even_a_party() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		let before = Ledger::now();
		assert_ok!(Modicum::post_match(signed(CREATOR), job, resource, MEDIATOR));
		// The creator gets its own incentive back and the provider's.
		before.assert_changes(&[(CREATOR, 5), (PROVIDER, -5)]);
	});
}

#[test]
fn post_match_fails_for_unknown_offers() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_noop!(
			Modicum::post_match(signed(SOLVER), job + 1, resource, MEDIATOR),
			Error::<Test>::JobOfferNotFound
		);
		assert_noop!(
			Modicum::post_match(signed(SOLVER), job, resource + 1, MEDIATOR),
			Error::<Test>::ResourceOfferNotFound
		);
		assert_noop!(Modicum::post_match(root(), job, resource, MEDIATOR), BadOrigin);
	});
}

#[test]
fn rules_1_to_4_caps_cover_limits() {
	in_market(|| {
		let limits = job_terms().limits;
		let offer = |caps| ResourceTerms { caps, ..resource_terms() };
		// Caps equal to the limits are enough.
		let (job, resource) = (post_job(job_terms()), post_resource(offer(limits)));
		assert_eq!(Modicum::broken_rules(job, resource, MEDIATOR), Some(vec![]));

		for (caps, rule) in [
			(
				Resources { instructions: limits.instructions - 1, ..limits },
				Rule::NotEnoughInstructions,
			),
			(Resources { ram: limits.ram - 1, ..limits }, Rule::NotEnoughRam),
			(Resources { storage: limits.storage - 1, ..limits }, Rule::NotEnoughStorage),
			(Resources { bandwidth: limits.bandwidth - 1, ..limits }, Rule::NotEnoughBandwidth),
		] {
			assert_breaks(job_terms(), offer(caps), MEDIATOR, &[rule]);
		}
	});
}

#[test]
fn rules_5_and_6_prices_meet() {
	in_market(|| {
		let bid = job_terms().max_prices;
		let offer = |prices| ResourceTerms { prices, ..resource_terms() };
		let (job, resource) = (post_job(job_terms()), post_resource(offer(bid)));
		assert_eq!(Modicum::broken_rules(job, resource, MEDIATOR), Some(vec![]));
		let dear = Prices { instruction: bid.instruction + 1, bandwidth: 0 };
		// The creator's hold does not cover the dearer match either.
		assert_breaks(
			job_terms(),
			offer(dear),
			MEDIATOR,
			&[Rule::InstructionPriceTooHigh, Rule::CreatorDepositTooSmall],
		);
		let dear = Prices { instruction: 0, bandwidth: bid.bandwidth + 1 };
		assert_breaks(job_terms(), offer(dear), MEDIATOR, &[Rule::BandwidthPriceTooHigh]);
	});
}

#[test]
fn rule_7_architectures_are_the_same() {
	in_market(|| {
		let job = JobTerms { architecture: Architecture::Armv7, ..job_terms() };
		assert_breaks(job, resource_terms(), MEDIATOR, &[Rule::ArchitectureMismatch]);
	});
}

#[test]
fn rule_8_the_provider_trusts_the_directory() {
	in_market(|| {
		assert_ok!(Modicum::resource_provider_remove_trusted_directory(
			signed(PROVIDER),
			DIRECTORY
		));
		assert_breaks(
			job_terms(),
			resource_terms(),
			MEDIATOR,
			&[Rule::DirectoryNotTrustedByProvider],
		);
	});
}

#[test]
fn rule_9_both_sides_trust_the_mediator() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::job_creator_remove_trusted_mediator(signed(CREATOR), MEDIATOR));
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::MediatorNotTrustedByCreator]);
		assert_ok!(Modicum::resource_provider_remove_trusted_mediator(signed(PROVIDER), MEDIATOR));
		assert_triple_breaks(
			job,
			resource,
			MEDIATOR,
			&[Rule::MediatorNotTrustedByCreator, Rule::MediatorNotTrustedByProvider],
		);
		assert_ok!(Modicum::job_creator_add_trusted_mediator(signed(CREATOR), MEDIATOR));
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::MediatorNotTrustedByProvider]);
	});
}

#[test]
fn rule_10_the_mediator_can_run_what_the_provider_runs() {
	in_market(|| {
		assert_ok!(Modicum::deregister_mediator(signed(MEDIATOR)));
		assert_ok!(Modicum::register_mediator(signed(MEDIATOR), Architecture::Arm64, 0));
		assert_ok!(Modicum::mediator_add_trusted_directory(signed(MEDIATOR), DIRECTORY));
		assert_ok!(Modicum::mediator_add_supported_base_layer(signed(MEDIATOR), LAYER));
		assert_breaks(
			job_terms(),
			resource_terms(),
			MEDIATOR,
			&[Rule::MediatorArchitectureMismatch],
		);
	});
}

#[test]
fn rule_11_the_mediator_trusts_the_directory() {
	in_market(|| {
		assert_ok!(Modicum::mediator_remove_trusted_directory(signed(MEDIATOR), DIRECTORY));
		assert_breaks(
			job_terms(),
			resource_terms(),
			MEDIATOR,
			&[Rule::DirectoryNotTrustedByMediator],
		);
	});
}

#[test]
fn rule_12_the_provider_can_finish_in_time() {
	in_market(|| {
		// 10 ms for each of 10 times 10^9 instructions.
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		set_time(DEADLINE - 100);
		assert_eq!(Modicum::broken_rules(job, resource, MEDIATOR), Some(vec![]));
		set_time(DEADLINE - 99);
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::TooSlowForDeadline]);
		set_time(DEADLINE - 100);
		assert_ok!(Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR));
	});
}

#[test]
fn rule_13_provider_and_mediator_support_the_base_layer() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::mediator_remove_supported_base_layer(signed(MEDIATOR), LAYER));
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::BaseLayerNotSupportedByMediator]);
		assert_ok!(Modicum::resource_provider_remove_supported_base_layer(signed(PROVIDER), LAYER));
		assert_triple_breaks(
			job,
			resource,
			MEDIATOR,
			&[Rule::BaseLayerNotSupportedByProvider, Rule::BaseLayerNotSupportedByMediator],
		);
	});
}

#[test]
fn rule_14_both_sides_pay_the_availability_fees() {
	in_market(|| {
		let job = |max_availability_fee| JobTerms { max_availability_fee, ..job_terms() };
		let resource =
			|max_availability_fee| ResourceTerms { max_availability_fee, ..resource_terms() };
		let (exact_job, exact_resource) = (post_job(job(FEES)), post_resource(resource(FEES)));
		assert_eq!(Modicum::broken_rules(exact_job, exact_resource, MEDIATOR), Some(vec![]));
		assert_breaks(job(FEES - 1), resource(FEES), MEDIATOR, &[Rule::FeesAboveCreatorMaximum]);
		assert_breaks(job(FEES), resource(FEES - 1), MEDIATOR, &[Rule::FeesAboveProviderMaximum]);
	});
}

#[test]
fn rule_14_holds_for_fees_that_overflow() {
	in_market(|| {
		assert_ok!(Modicum::deregister_mediator(signed(MEDIATOR)));
		assert_ok!(Modicum::register_mediator(signed(MEDIATOR), Architecture::Amd64, u128::MAX));
		assert_ok!(Modicum::mediator_add_trusted_directory(signed(MEDIATOR), DIRECTORY));
		assert_ok!(Modicum::mediator_add_supported_base_layer(signed(MEDIATOR), LAYER));
		assert_breaks(
			job_terms(),
			resource_terms(),
			MEDIATOR,
			&[
				Rule::FeesAboveCreatorMaximum,
				Rule::FeesAboveProviderMaximum,
				Rule::CreatorDepositTooSmall,
				Rule::ProviderDepositTooSmall,
			],
		);
	});
}

#[test]
fn rule_15_meters_are_the_same() {
	in_market(|| {
		let job = JobTerms { meter: Meter::WasmFuel, ..job_terms() };
		assert_breaks(job, resource_terms(), MEDIATOR, &[Rule::MeterMismatch]);
	});
}

#[test]
fn rule_16_the_three_are_different() {
	in_market(|| {
		// The creator as its own provider.
		assert_ok!(Modicum::register_resource_provider(signed(CREATOR), Architecture::Amd64, 10));
		let who = signed(CREATOR);
		assert_ok!(Modicum::resource_provider_add_trusted_mediator(who.clone(), MEDIATOR));
		assert_ok!(Modicum::resource_provider_add_trusted_directory(who.clone(), DIRECTORY));
		assert_ok!(Modicum::resource_provider_add_supported_base_layer(who.clone(), LAYER));
		let job = post_job(job_terms());
		assert_ok!(Modicum::post_resource_offer(who, resource_terms(), 0));
		assert_triple_breaks(job, 0, MEDIATOR, &[Rule::CreatorIsProvider]);

		// The creator and the provider as mediators.
		let resource = post_resource(resource_terms());
		for (mediator, rule) in
			[(CREATOR, Rule::MediatorIsCreator), (PROVIDER, Rule::MediatorIsProvider)]
		{
			let who = signed(mediator);
			assert_ok!(Modicum::register_mediator(who.clone(), Architecture::Amd64, 0));
			assert_ok!(Modicum::mediator_add_trusted_directory(who.clone(), DIRECTORY));
			assert_ok!(Modicum::mediator_add_supported_base_layer(who, LAYER));
			assert_ok!(Modicum::job_creator_add_trusted_mediator(signed(CREATOR), mediator));
			let who = signed(PROVIDER);
			assert_ok!(Modicum::resource_provider_add_trusted_mediator(who, mediator));
			assert_triple_breaks(job, resource, mediator, &[rule]);
		}
	});
}

#[test]
fn rule_17_offers_are_open() {
	in_market(|| {
		matched();
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		// What is on hold for a matched offer has been trimmed to its match.
		assert_triple_breaks(
			0,
			resource,
			MEDIATOR,
			&[Rule::JobOfferNotOpen, Rule::CreatorDepositTooSmall],
		);
		assert_triple_breaks(
			job,
			0,
			MEDIATOR,
			&[Rule::ResourceOfferNotOpen, Rule::ProviderDepositTooSmall],
		);
	});
}

#[test]
fn rule_17_offers_have_not_expired() {
	in_market(|| {
		let expiring = ResourceTerms { expires_at: Some(START + 50), ..resource_terms() };
		let (job, resource) = (post_job(job_terms()), post_resource(expiring));
		set_time(START + 50);
		assert_eq!(Modicum::broken_rules(job, resource, MEDIATOR), Some(vec![]));
		set_time(START + 51);
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::ResourceOfferExpired]);

		let resource = post_resource(resource_terms());
		set_time(DEADLINE + 1);
		// Not rule 12: it is not the provider that is too slow.
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::JobOfferExpired]);
	});
}

#[test]
fn rule_17_directory_and_mediator_are_registered() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::deregister_directory(signed(DIRECTORY)));
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::DirectoryNotRegistered]);
		assert_ok!(Modicum::deregister_mediator(signed(MEDIATOR)));
		assert_triple_breaks(
			job,
			resource,
			MEDIATOR,
			&[Rule::DirectoryNotRegistered, Rule::MediatorNotRegistered],
		);
		assert_ok!(Modicum::register_directory(signed(DIRECTORY), vec![1], 0));
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::MediatorNotRegistered]);
	});
}

#[test]
fn rule_18_holds_cover_the_parameters_in_force() {
	in_market(|| {
		// The cheapest holds that can meet: limits equal to caps, prices equal to maximum prices.
		let job = post_job(JobTerms {
			max_prices: resource_terms().prices,
			max_availability_fee: FEES,
			..job_terms()
		});
		let small = post_resource(ResourceTerms {
			caps: job_terms().limits,
			max_availability_fee: FEES,
			..resource_terms()
		});
		let large = post_resource(resource_terms());
		assert_eq!(Modicum::broken_rules(job, small, MEDIATOR), Some(vec![]));
		assert_ok!(Modicum::set_penalty_rate(root(), 51));
		assert_triple_breaks(job, large, MEDIATOR, &[Rule::CreatorDepositTooSmall]);
		let job = post_job(job_terms());
		assert_triple_breaks(job, small, MEDIATOR, &[Rule::ProviderDepositTooSmall]);
		assert_ok!(Modicum::post_match(signed(SOLVER), job, large, MEDIATOR));
	});
}

#[test]
fn rule_18_an_extra_deposit_may_cover_a_rise() {
	in_market(|| {
		let terms = JobTerms {
			max_prices: resource_terms().prices,
			max_availability_fee: FEES,
			..job_terms()
		};
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), terms, uri(), VALUE + 1));
		post_resource(resource_terms());
		assert_ok!(Modicum::set_penalty_rate(root(), 51));
		assert_ok!(Modicum::post_match(signed(SOLVER), 0, 0, MEDIATOR));
		// The rise has used up all of it but one unit.
		assert_eq!(held(HoldReason::JobOffer, CREATOR), DEPOSIT + VALUE + 1);
	});
}

#[test]
fn rule_18_incentives_reach_the_least_one_in_force() {
	in_market(|| {
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_ok!(Modicum::set_min_match_incentive(root(), CREATOR_INCENTIVE));
		assert_triple_breaks(job, resource, MEDIATOR, &[Rule::ProviderIncentiveTooSmall]);
		assert_ok!(Modicum::set_min_match_incentive(root(), CREATOR_INCENTIVE + 1));
		assert_triple_breaks(
			job,
			resource,
			MEDIATOR,
			&[Rule::CreatorIncentiveTooSmall, Rule::ProviderIncentiveTooSmall],
		);
	});
}

#[test]
fn all_broken_rules_are_named_at_once() {
	in_market(|| {
		let job = JobTerms {
			architecture: Architecture::Arm64,
			base_layer: [0; 32],
			meter: Meter::CpuTime,
			..job_terms()
		};
		assert_breaks(
			job,
			resource_terms(),
			STRANGER,
			&[
				Rule::ArchitectureMismatch,
				Rule::MediatorNotTrustedByCreator,
				Rule::MediatorNotTrustedByProvider,
				Rule::BaseLayerNotSupportedByProvider,
				Rule::MeterMismatch,
				Rule::MediatorNotRegistered,
			],
		);
	});
}

#[test]
fn every_rule_has_the_error_of_its_name() {
	for rule in Rule::ALL {
		assert_eq!(format!("{:?}", Error::<Test>::from(*rule)), format!("{rule:?}"));
	}
}

#[test]
fn lists_at_their_bound_are_searched_to_the_end() {
	in_market(|| {
		assert_ok!(Modicum::job_creator_remove_trusted_mediator(signed(CREATOR), MEDIATOR));
		for other in [101, 102] {
			assert_ok!(Modicum::job_creator_add_trusted_mediator(signed(CREATOR), other));
		}
		assert_ok!(Modicum::job_creator_add_trusted_mediator(signed(CREATOR), MEDIATOR));
		let list = JobCreators::<Test>::get(CREATOR).unwrap().trusted_mediators;
		assert_eq!((list.len(), list.last()), (4, Some(&MEDIATOR)));
		matched();
	});
}
