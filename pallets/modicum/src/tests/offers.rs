// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, *};
use frame::{testing_prelude::*, token::fungible::Mutate, traits::ReservableCurrency};
use modicum_primitives::{
	Architecture, Balance, JobTerms, Moment, Prices, ResourceTerms, Resources, Rule,
};

fn job(terms: JobTerms<AccountId>) -> DispatchResult {
	Modicum::post_job_offer(signed(CREATOR), terms, uri(), 0)
}

fn resource(terms: ResourceTerms) -> DispatchResult {
	Modicum::post_resource_offer(signed(PROVIDER), terms, 0)
}

#[test]
fn post_job_offer_works() {
	in_market(|| {
		assert_ok!(Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), 17));
		let uri: UriOf<Test> = uri().try_into().unwrap();
		System::assert_last_event(
			Event::JobOfferPosted {
				job_offer: 0,
				creator: CREATOR,
				terms: job_terms(),
				uri: uri.clone(),
				held: JOB_HOLD + 17,
			}
			.into(),
		);
		assert_eq!(held(HoldReason::JobOffer, CREATOR), JOB_HOLD + 17);
		assert_eq!(
			JobOffers::<Test>::get(0).unwrap(),
			JobOfferRecord {
				creator: CREATOR,
				terms: job_terms(),
				uri,
				extra_deposit: 17,
				held: JOB_HOLD + 17,
				state: OfferState::Open,
			}
		);
		assert_eq!(post_job(job_terms()), 1);
	});
}

#[test]
fn post_resource_offer_works() {
	in_market(|| {
		assert_ok!(Modicum::post_resource_offer(signed(PROVIDER), resource_terms(), 17));
		System::assert_last_event(
			Event::ResourceOfferPosted {
				resource_offer: 0,
				provider: PROVIDER,
				terms: resource_terms(),
				held: RESOURCE_HOLD + 17,
			}
			.into(),
		);
		assert_eq!(held(HoldReason::ResourceOffer, PROVIDER), RESOURCE_HOLD + 17);
		assert_eq!(post_resource(resource_terms()), 1);
	});
}

#[test]
fn posting_fails_without_the_role() {
	in_market(|| {
		assert_noop!(
			Modicum::post_job_offer(signed(PROVIDER), job_terms(), uri(), 0),
			Error::<Test>::NotJobCreator
		);
		assert_noop!(
			Modicum::post_resource_offer(signed(CREATOR), resource_terms(), 0),
			Error::<Test>::NotResourceProvider
		);
		assert_noop!(Modicum::post_job_offer(root(), job_terms(), uri(), 0), BadOrigin);
		assert_noop!(Modicum::post_resource_offer(root(), resource_terms(), 0), BadOrigin);
	});
}

#[test]
fn the_uri_of_a_job_has_bounds() {
	in_market(|| {
		let post =
			|len: usize| Modicum::post_job_offer(signed(CREATOR), job_terms(), vec![b'u'; len], 0);
		assert_noop!(post(0), Error::<Test>::UriEmpty);
		assert_noop!(post(65), Error::<Test>::UriTooLong);
		assert_ok!(post(1));
		assert_ok!(post(64));
	});
}

#[test]
fn zero_limits_and_caps_are_refused() {
	in_market(|| {
		let full = job_terms().limits;
		for zero in [
			Resources { instructions: 0, ..full },
			Resources { ram: 0, ..full },
			Resources { storage: 0, ..full },
			Resources { bandwidth: 0, ..full },
		] {
			assert_noop!(
				job(JobTerms { limits: zero, ..job_terms() }),
				Error::<Test>::ZeroResource
			);
			assert_noop!(
				resource(ResourceTerms { caps: zero, ..resource_terms() }),
				Error::<Test>::ZeroResource
			);
		}
	});
}

#[test]
fn an_offer_without_any_price_is_refused() {
	in_market(|| {
		let free = Prices::default();
		assert_noop!(job(JobTerms { max_prices: free, ..job_terms() }), Error::<Test>::ZeroPrices);
		assert_noop!(
			resource(ResourceTerms { prices: free, ..resource_terms() }),
			Error::<Test>::ZeroPrices
		);
		let one = Prices { instruction: 0, bandwidth: 1 };
		assert_ok!(job(JobTerms { max_prices: one, ..job_terms() }));
		assert_ok!(resource(ResourceTerms { prices: one, ..resource_terms() }));
	});
}

#[test]
fn the_incentive_has_a_least_value() {
	in_market(|| {
		assert_noop!(
			job(JobTerms { match_incentive: 4, ..job_terms() }),
			Error::<Test>::IncentiveTooSmall
		);
		assert_noop!(
			resource(ResourceTerms { match_incentive: 4, ..resource_terms() }),
			Error::<Test>::IncentiveTooSmall
		);
		assert_ok!(job(JobTerms { match_incentive: 5, ..job_terms() }));
		assert_ok!(resource(ResourceTerms { match_incentive: 5, ..resource_terms() }));
	});
}

#[test]
fn the_completion_deadline_has_bounds() {
	in_market(|| {
		let post = |completion_deadline| job(JobTerms { completion_deadline, ..job_terms() });
		assert_noop!(post(START), Error::<Test>::DeadlineInPast);
		assert_noop!(post(0), Error::<Test>::DeadlineInPast);
		assert_noop!(post(START + 1_000_001), Error::<Test>::DeadlineTooFar);
		assert_noop!(post(u64::MAX), Error::<Test>::DeadlineTooFar);
		assert_ok!(post(START + 1));
		assert_ok!(post(START + 1_000_000));
	});
}

#[test]
fn the_expiry_must_lie_ahead() {
	in_market(|| {
		let post = |expires_at| resource(ResourceTerms { expires_at, ..resource_terms() });
		assert_noop!(post(Some(START)), Error::<Test>::ExpiryInPast);
		assert_noop!(post(Some(0)), Error::<Test>::ExpiryInPast);
		assert_ok!(post(Some(START + 1)));
		assert_ok!(post(Some(u64::MAX)));
		assert_ok!(post(None));
	});
}

#[test]
fn amounts_beyond_the_balance_are_refused() {
	in_market(|| {
		let most = Resources {
			instructions: u64::MAX,
			ram: u64::MAX,
			storage: u64::MAX,
			bandwidth: u64::MAX,
		};
		let dearest = Prices { instruction: Balance::MAX, bandwidth: Balance::MAX };
		let error = Error::<Test>::AmountTooLarge;
		assert_noop!(job(JobTerms { limits: most, max_prices: dearest, ..job_terms() }), error);
		let error = Error::<Test>::AmountTooLarge;
		assert_noop!(job(JobTerms { max_availability_fee: Balance::MAX, ..job_terms() }), error);
		let error = Error::<Test>::AmountTooLarge;
		assert_noop!(job(JobTerms { match_incentive: Balance::MAX, ..job_terms() }), error);
		let error = Error::<Test>::AmountTooLarge;
		assert_noop!(
			Modicum::post_job_offer(signed(CREATOR), job_terms(), uri(), Balance::MAX),
			error
		);
		let error = Error::<Test>::AmountTooLarge;
		assert_noop!(
			resource(ResourceTerms { caps: most, prices: dearest, ..resource_terms() }),
			error
		);
		let error = Error::<Test>::AmountTooLarge;
		assert_noop!(
			Modicum::post_resource_offer(signed(PROVIDER), resource_terms(), Balance::MAX),
			error
		);
		// Large, but within a balance: nobody has that much.
		assert_noop!(job(JobTerms { limits: most, ..job_terms() }), TokenError::FundsUnavailable);
	});
}

/// Rule 12 multiplies the two: neither may overflow, however much they exceed any deadline.
#[test]
fn the_largest_job_on_the_slowest_machine_is_too_slow() {
	in_market(|| {
		let largest = Resources { instructions: u64::MAX, ..job_terms().limits };
		let cheap = Prices { instruction: 0, bandwidth: 3 };
		let job = post_job(JobTerms { limits: largest, max_prices: cheap, ..job_terms() });
		for (index, time) in [1, Moment::MAX].into_iter().enumerate() {
			let who = [STRANGER, SOLVER][index];
			let origin = || signed(who);
			let architecture = Architecture::Amd64;
			assert_ok!(Modicum::register_resource_provider(origin(), architecture, time));
			assert_ok!(Modicum::resource_provider_add_trusted_mediator(origin(), MEDIATOR));
			assert_ok!(Modicum::resource_provider_add_trusted_directory(origin(), DIRECTORY));
			assert_ok!(Modicum::resource_provider_add_supported_base_layer(origin(), LAYER));
			let resource = NextResourceOfferId::<Test>::get();
			let caps = Resources { instructions: u64::MAX, ..resource_terms().caps };
			let terms = ResourceTerms { caps, prices: cheap, ..resource_terms() };
			assert_ok!(Modicum::post_resource_offer(origin(), terms, 0));
			assert_eq!(
				Modicum::broken_rules(job, resource, MEDIATOR),
				Some(vec![Rule::TooSlowForDeadline])
			);
			assert_noop!(
				Modicum::post_match(signed(MEDIATOR), job, resource, MEDIATOR),
				Error::<Test>::TooSlowForDeadline
			);
		}
	});
}

#[test]
fn posting_fails_for_an_account_that_cannot_pay() {
	in_market(|| {
		let rest = free(CREATOR) - JOB_HOLD - ED;
		assert_ok!(Balances::transfer_allow_death(signed(CREATOR), STRANGER, rest + 1));
		assert_noop!(job(job_terms()), TokenError::FundsUnavailable);
		assert_ok!(Balances::mint_into(&CREATOR, 1));
		assert_ok!(job(job_terms()));
		assert_ok!(Balances::burn_from(
			&STRANGER,
			1,
			Preservation::Expendable,
			Precision::Exact,
			Fortitude::Polite
		));
	});
}

#[test]
fn posting_fails_when_the_money_is_held_for_other_offers() {
	in_market(|| {
		let rest = free(CREATOR) - JOB_HOLD - ED;
		assert_ok!(Modicum::post_job_offer(
			signed(CREATOR),
			job_terms(),
			uri(),
			rest - JOB_HOLD + 1
		));
		assert_noop!(job(job_terms()), TokenError::FundsUnavailable);
	});
}

#[test]
fn posting_fails_when_another_pallet_has_the_money() {
	in_market(|| {
		// As the deposit of a proxy or a multisig operation.
		let reserve = |who, needed| {
			Balances::reserve(&who, free(who) - needed - ED + 1).unwrap();
		};
		reserve(CREATOR, JOB_HOLD);
		assert_noop!(job(job_terms()), TokenError::FundsUnavailable);
		Balances::unreserve(&CREATOR, 1);
		assert_ok!(job(job_terms()));
		reserve(PROVIDER, RESOURCE_HOLD);
		assert_noop!(resource(resource_terms()), TokenError::FundsUnavailable);
		Balances::unreserve(&PROVIDER, 1);
		assert_ok!(resource(resource_terms()));

		// What the other pallet keeps is not touched, even by the loss of the whole deposit.
		let kept = [CREATOR, PROVIDER].map(Balances::reserved_balance);
		assert_ok!(Modicum::post_match(signed(SOLVER), 0, 0, MEDIATOR));
		post(0, run());
		let reason = primitives::RejectReason::WrongResults;
		assert_ok!(Modicum::reject_result(signed(CREATOR), 0, reason));
		mediate(0, runs(run()));
		assert_nothing_left();
		let reserved = [CREATOR, PROVIDER].map(Balances::reserved_balance);
		assert_eq!(reserved, [kept[0] - JOB_HOLD, kept[1] - RESOURCE_HOLD]);
	});
}

#[test]
fn money_locked_elsewhere_can_be_held() {
	in_market(|| {
		lock_everything(CREATOR);
		assert_ok!(job(job_terms()));
		assert_eq!(held(HoldReason::JobOffer, CREATOR), JOB_HOLD);
	});
}

#[test]
fn cancel_job_offer_works() {
	in_market(|| {
		let before = Ledger::now();
		let id = post_job(job_terms());
		assert_noop!(Modicum::cancel_job_offer(signed(STRANGER), id), Error::<Test>::NotOfferOwner);
		assert_noop!(
			Modicum::cancel_job_offer(signed(CREATOR), id + 1),
			Error::<Test>::JobOfferNotFound
		);
		assert_ok!(Modicum::cancel_job_offer(signed(CREATOR), id));
		System::assert_last_event(
			Event::JobOfferCanceled { job_offer: id, creator: CREATOR, returned: JOB_HOLD }.into(),
		);
		before.assert_changes(&[]);
		assert_nothing_left();
		assert_noop!(
			Modicum::cancel_job_offer(signed(CREATOR), id),
			Error::<Test>::JobOfferNotFound
		);
	});
}

#[test]
fn cancel_resource_offer_works() {
	in_market(|| {
		let before = Ledger::now();
		let id = post_resource(ResourceTerms { expires_at: Some(DEADLINE), ..resource_terms() });
		assert_noop!(
			Modicum::cancel_resource_offer(signed(STRANGER), id),
			Error::<Test>::NotOfferOwner
		);
		assert_noop!(
			Modicum::cancel_resource_offer(signed(PROVIDER), id + 1),
			Error::<Test>::ResourceOfferNotFound
		);
		assert_ok!(Modicum::cancel_resource_offer(signed(PROVIDER), id));
		System::assert_last_event(
			Event::ResourceOfferCanceled {
				resource_offer: id,
				provider: PROVIDER,
				returned: RESOURCE_HOLD,
			}
			.into(),
		);
		before.assert_changes(&[]);
		assert_nothing_left();
		assert_noop!(
			Modicum::cancel_resource_offer(signed(PROVIDER), id),
			Error::<Test>::ResourceOfferNotFound
		);
	});
}

#[test]
fn an_expired_offer_can_still_be_cancelled() {
	in_market(|| {
		let id = post_job(job_terms());
		set_time(DEADLINE + 1);
		assert_ok!(Modicum::cancel_job_offer(signed(CREATOR), id));
		assert_nothing_left();
	});
}

#[test]
fn cancel_fails_after_the_match() {
	in_market(|| {
		matched();
		assert_noop!(
			Modicum::cancel_job_offer(signed(CREATOR), 0),
			Error::<Test>::OfferAlreadyMatched
		);
		assert_noop!(
			Modicum::cancel_resource_offer(signed(PROVIDER), 0),
			Error::<Test>::OfferAlreadyMatched
		);
	});
}
