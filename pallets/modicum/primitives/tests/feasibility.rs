// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Feasibility of any triple, however absurd its figures.

use modicum_primitives::*;
use proptest::prelude::*;

const LAYERS: [BaseLayer; 2] = [[1; 32], [2; 32]];

/// Often an end of the range, where overflows are.
fn figure() -> impl Strategy<Value = u64> {
	prop_oneof![Just(0), Just(1), Just(u64::MAX - 1), Just(u64::MAX), any::<u64>(), 0u64..1_000]
}

fn balance() -> impl Strategy<Value = Balance> {
	prop_oneof![
		Just(0),
		Just(Balance::MAX),
		any::<Balance>(),
		(0u64..1_000).prop_map(Balance::from)
	]
}

fn prices() -> impl Strategy<Value = Prices> {
	(balance(), balance()).prop_map(|(instruction, bandwidth)| Prices { instruction, bandwidth })
}

fn resources() -> impl Strategy<Value = Resources> {
	(figure(), figure(), figure(), figure()).prop_map(|(instructions, ram, storage, bandwidth)| {
		Resources { instructions, ram, storage, bandwidth }
	})
}

fn account() -> impl Strategy<Value = u8> {
	0u8..4
}

fn accounts() -> impl Strategy<Value = Vec<u8>> {
	prop::collection::vec(account(), 0..4)
}

fn architecture() -> impl Strategy<Value = Architecture> {
	prop::sample::select(Architecture::ALL)
}

fn meter() -> impl Strategy<Value = Meter> {
	prop::sample::select(Meter::ALL)
}

fn layers() -> impl Strategy<Value = Vec<BaseLayer>> {
	prop::sample::subsequence(LAYERS.to_vec(), 0..=2)
}

fn job_terms() -> impl Strategy<Value = JobTerms<u8>> {
	let money = (prices(), balance(), balance());
	(
		account(),
		prop::sample::select(&LAYERS),
		architecture(),
		resources(),
		money,
		figure(),
		meter(),
	)
		.prop_map(
			|(directory, base_layer, architecture, limits, money, completion_deadline, meter)| {
				JobTerms {
					directory,
					job_hash: NO_HASH,
					base_layer,
					architecture,
					limits,
					max_prices: money.0,
					max_availability_fee: money.1,
					completion_deadline,
					match_incentive: money.2,
					meter,
				}
			},
		)
}

fn resource_terms() -> impl Strategy<Value = ResourceTerms> {
	(resources(), prices(), balance(), balance(), meter(), prop::option::of(figure())).prop_map(
		|(caps, prices, max_availability_fee, match_incentive, meter, expires_at)| ResourceTerms {
			caps,
			prices,
			max_availability_fee,
			match_incentive,
			meter,
			expires_at,
		},
	)
}

fn parameters() -> impl Strategy<Value = Parameters> {
	let counts = (1..=MAX_PENALTY_RATE, MIN_VERIFICATION_COUNT..=MAX_VERIFICATION_COUNT);
	(counts, balance()).prop_map(|(counts, min_match_incentive)| Parameters {
		penalty_rate: counts.0,
		verification_count: counts.1,
		min_match_incentive,
		..Parameters::default()
	})
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

	#[test]
	fn every_triple_has_an_answer_in_order_and_without_repetition(
		offers in (job_terms(), resource_terms()),
		owners in (account(), account(), account()),
		open in any::<(bool, bool)>(),
		held in (balance(), balance()),
		time in (figure(), figure()),
		machines in (architecture(), architecture()),
		trust in (accounts(), accounts(), accounts(), accounts()),
		base_layers in (layers(), layers()),
		fees in (prop::option::of(balance()), prop::option::of(balance())),
		parameters in parameters(),
	) {
		let profile = fees.0.map(|availability_fee| MediatorProfile {
			architecture: machines.1,
			availability_fee,
			trusted_directories: &trust.3,
			base_layers: &base_layers.1,
		});
		let triple = Triple {
			job: JobSide {
				creator: &owners.0,
				terms: &offers.0,
				open: open.0,
				held: held.0,
				trusted_mediators: &trust.0,
			},
			resource: ResourceSide {
				provider: &owners.1,
				terms: &offers.1,
				open: open.1,
				held: held.1,
				architecture: machines.0,
				time_per_billion_instructions: time.0,
				trusted_mediators: &trust.1,
				trusted_directories: &trust.2,
				base_layers: &base_layers.0,
			},
			mediator: MediatorSide { mediator: &owners.2, profile },
			directory_fee: fees.1,
		};
		let broken = feasibility(&triple, &parameters, time.1);
		let mut expected = broken.clone();
		expected.sort_unstable();
		expected.dedup();
		prop_assert_eq!(&broken, &expected);

		// Some rules follow from single figures, whatever else there is.
		let says = |rule| broken.contains(&rule);
		prop_assert_eq!(says(Rule::MediatorNotRegistered), fees.0.is_none());
		prop_assert_eq!(says(Rule::DirectoryNotRegistered), fees.1.is_none());
		prop_assert_eq!(says(Rule::CreatorIsProvider), owners.0 == owners.1);
		let deadline = offers.0.completion_deadline;
		prop_assert_eq!(says(Rule::JobOfferExpired), time.1 > deadline);
		// In time is who needs no more than what is left, compared here without a division.
		let left = u128::from(deadline.saturating_sub(time.1));
		let (speed, work) = (u128::from(time.0), u128::from(offers.0.limits.instructions));
		let too_slow = time.1 <= deadline && speed * work > left * BILLION;
		prop_assert_eq!(says(Rule::TooSlowForDeadline), too_slow);
	}
}
