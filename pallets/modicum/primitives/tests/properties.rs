// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What holds for all costs, deposits, verdicts and settlements.

#![allow(clippy::unwrap_used)]

use modicum_primitives::*;
use proptest::prelude::*;

const LIMIT: u64 = 1_000_000_000_000;

fn usage() -> impl Strategy<Value = Usage> {
	(any::<u64>(), any::<u64>())
		.prop_map(|(instructions, bandwidth)| Usage { instructions, bandwidth })
}

fn small_usage() -> impl Strategy<Value = Usage> {
	(0..=LIMIT, 0..=LIMIT).prop_map(|(instructions, bandwidth)| Usage { instructions, bandwidth })
}

fn prices() -> impl Strategy<Value = Prices> {
	(any::<u64>(), any::<u64>()).prop_map(|(instruction, bandwidth)| Prices {
		// Below 2^63 each, so that the cost of the largest usage fits: the accepted range.
		instruction: (instruction >> 1).into(),
		bandwidth: (bandwidth >> 1).into(),
	})
}

fn any_prices() -> impl Strategy<Value = Prices> {
	(any::<u128>(), any::<u128>())
		.prop_map(|(instruction, bandwidth)| Prices { instruction, bandwidth })
}

fn resources() -> impl Strategy<Value = Resources> {
	(usage(), any::<u64>(), any::<u64>()).prop_map(|(usage, ram, storage)| Resources {
		instructions: usage.instructions,
		ram,
		storage,
		bandwidth: usage.bandwidth,
	})
}

fn pick<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
	proptest::sample::select(all)
}

fn run() -> impl Strategy<Value = Run> {
	(pick(ResultStatus::ALL), 1u8..4, small_usage()).prop_map(|(status, hash, usage)| Run {
		status,
		result_hash: if status.has_output() { [hash; 32] } else { NO_HASH },
		usage,
	})
}

/// Runs that often resemble `result`.
fn evidence(result: Run) -> impl Strategy<Value = Evidence> {
	let similar = (0u64..3).prop_map(move |more| Run {
		usage: Usage { instructions: result.usage.instructions / (1 + more), ..result.usage },
		..result
	});
	let any_run = prop_oneof![3 => similar, 1 => run()];
	prop_oneof![
		8 => prop::collection::vec(any_run, 0..4).prop_map(Evidence::Runs),
		1 => Just(Evidence::ResultNotOnDirectory),
		1 => Just(Evidence::DirectoryUnavailable),
	]
}

fn dispute() -> impl Strategy<Value = (Run, Evidence, VerdictTerms)> {
	let terms = (pick(Meter::ALL), 0..=MAX_COST_TOLERANCE, 0..=LIMIT).prop_map(
		|(meter, cost_tolerance, instruction_limit)| VerdictTerms {
			instruction_limit,
			meter,
			cost_tolerance,
		},
	);
	(run(), terms).prop_flat_map(|(result, terms)| (Just(result), evidence(result), Just(terms)))
}

fn ending() -> impl Strategy<Value = Ending> {
	prop_oneof![
		Just(Ending::Accepted),
		pick(Verdict::ALL).prop_map(Ending::Mediated),
		Just(Ending::ProviderTimedOut),
		Just(Ending::MediatorTimedOut),
	]
}

/// A match that the chain would make: limits, terms, and a usage within the limits.
fn settled() -> impl Strategy<Value = (SettlementTerms, Parameters)> {
	let fees = (0u128..1 << 60, 0u128..1 << 60);
	let counts = (1..=MAX_PENALTY_RATE, MIN_VERIFICATION_COUNT..=MAX_VERIFICATION_COUNT);
	(resources(), prices(), fees, counts, prop::option::of(usage()), usage()).prop_map(
		|(limits, prices, fees, counts, measured, reported)| {
			let parameters = Parameters {
				penalty_rate: counts.0,
				verification_count: counts.1,
				..Parameters::default()
			};
			let reported = Usage {
				instructions: reported.instructions.min(limits.instructions),
				bandwidth: reported.bandwidth.min(limits.bandwidth),
			};
			let terms = SettlementTerms {
				value: match_value(&limits, prices).unwrap(),
				prices,
				verification_count: parameters.verification_count,
				mediator_fee: fees.0,
				directory_fee: fees.1,
				reported: Some(reported),
				measured,
			};
			(terms, parameters)
		},
	)
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

	#[test]
	fn cost_never_overflows_within_the_accepted_range(usage in usage(), prices in prices()) {
		prop_assert!(cost(usage, prices, Rounding::Up).is_ok());
	}

	#[test]
	fn cost_never_panics(usage in usage(), prices in any_prices()) {
		let down = cost(usage, prices, Rounding::Down);
		let up = cost(usage, prices, Rounding::Up);
		match (down, up) {
			(Ok(down), Ok(up)) => prop_assert!(up == down || up == down + 1),
			(down, up) => prop_assert_eq!(down, up),
		}
	}

	#[test]
	fn cost_is_monotone_in_usage_and_prices(
		usage in usage(), more in usage(), prices in prices(), dearer in prices(),
	) {
		let larger = usage.max(more);
		let higher = Prices {
			instruction: prices.instruction.max(dearer.instruction),
			bandwidth: prices.bandwidth.max(dearer.bandwidth),
		};
		for rounding in [Rounding::Down, Rounding::Up] {
			let base = cost(usage, prices, rounding).unwrap();
			prop_assert!(base <= cost(larger, prices, rounding).unwrap());
			prop_assert!(base <= cost(usage, higher, rounding).unwrap());
		}
	}

	#[test]
	fn what_is_within_the_limits_costs_at_most_v(
		limits in resources(), usage in usage(), prices in prices(),
	) {
		let within = Usage {
			instructions: usage.instructions.min(limits.instructions),
			bandwidth: usage.bandwidth.min(limits.bandwidth),
		};
		let value = match_value(&limits, prices).unwrap();
		prop_assert!(cost(within, prices, Rounding::Down).unwrap() <= value);
	}

	#[test]
	fn a_deposit_grows_with_everything_it_is_made_of(
		value in 0u128..1 << 90, rate in 1u32..10_000, count in 1u32..16, fees in 0u128..1 << 90,
	) {
		let base = required_deposit(value, rate, count, fees).unwrap();
		prop_assert!(base <= required_deposit(value + 1, rate, count, fees).unwrap());
		prop_assert!(base <= required_deposit(value, rate + 1, count, fees).unwrap());
		prop_assert!(base <= required_deposit(value, rate, count + 1, fees).unwrap());
		prop_assert!(base < required_deposit(value, rate, count, fees + 1).unwrap());
	}

	#[test]
	fn a_feasible_match_needs_no_more_than_what_its_offers_hold(
		limits in resources(), more in resources(), ask in prices(), bid in prices(),
		fees in (0u128..1 << 60, 0u128..1 << 60), incentive in 0u128..1 << 60,
	) {
		let parameters = Parameters::default();
		let caps = Resources {
			instructions: limits.instructions.max(more.instructions),
			bandwidth: limits.bandwidth.max(more.bandwidth),
			..limits
		};
		let max_prices = Prices {
			instruction: ask.instruction.max(bid.instruction),
			bandwidth: ask.bandwidth.max(bid.bandwidth),
		};
		let job = JobTerms {
			directory: 0u8,
			job_hash: NO_HASH,
			base_layer: NO_HASH,
			architecture: Architecture::Amd64,
			limits,
			max_prices,
			max_availability_fee: fees.0 + fees.1,
			completion_deadline: 0,
			match_incentive: incentive,
			meter: Meter::CpuTime,
		};
		let resource = ResourceTerms {
			caps,
			prices: ask,
			max_availability_fee: fees.0 + fees.1,
			match_incentive: incentive,
			meter: Meter::CpuTime,
			expires_at: None,
		};
		let value = match_value(&limits, ask).unwrap();
		let needed = match_deposit(value, fees.0, fees.1, &parameters).unwrap() + incentive;
		prop_assert!(needed <= job_offer_deposit(&job, &parameters).unwrap());
		prop_assert!(needed <= resource_offer_deposit(&resource, &parameters).unwrap());
	}

	#[test]
	fn settlement_conserves_every_hold(
		(terms, _) in settled(), ending in ending(), creator in any::<u128>(),
		provider in any::<u128>(),
	) {
		let Settlement { from_creator, from_provider } =
			settlement(ending, &terms, creator, provider);
		prop_assert_eq!(from_creator.total(), Some(creator));
		prop_assert_eq!(from_provider.total(), Some(provider));
	}

	#[test]
	fn a_deposit_covers_whatever_its_row_asks_for(
		(terms, parameters) in settled(), ending in ending(), extra in 0u128..1 << 60,
	) {
		let deposit =
			match_deposit(terms.value, terms.mediator_fee, terms.directory_fee, &parameters).unwrap();
		// From a hold without bounds every claim is paid in full: the deposit must pay the same.
		let exact = settlement(ending, &terms, deposit, deposit);
		let rich = settlement(ending, &terms, u128::MAX, u128::MAX);
		let claims = |payout: Payout| (
			payout.to_counterparty, payout.to_mediator, payout.to_directory,
		);
		prop_assert_eq!(claims(exact.from_creator), claims(rich.from_creator));
		prop_assert_eq!(claims(exact.from_provider), claims(rich.from_provider));
		// An extra deposit changes only what is lost or returned.
		let more = settlement(ending, &terms, deposit + extra, deposit + extra);
		prop_assert_eq!(claims(more.from_creator), claims(exact.from_creator));
		prop_assert_eq!(
			more.from_creator.to_fines + more.from_creator.returned,
			exact.from_creator.to_fines + exact.from_creator.returned + extra
		);
	}

	#[test]
	fn only_a_verdict_fines_and_only_the_party_it_blames(
		(terms, parameters) in settled(), ending in ending(),
	) {
		let deposit =
			match_deposit(terms.value, terms.mediator_fee, terms.directory_fee, &parameters).unwrap();
		let Settlement { from_creator, from_provider } =
			settlement(ending, &terms, deposit, deposit);
		let blamed = ending.faulty_party();
		if blamed != Some(FaultyParty::JobCreator) {
			prop_assert_eq!(from_creator.to_fines, 0);
		}
		if blamed != Some(FaultyParty::ResourceProvider) {
			prop_assert_eq!(from_provider.to_fines, 0);
		}
		// Nobody who is not blamed and did not miss a deadline pays the other side more than v.
		prop_assert!(from_creator.to_counterparty <= terms.value);
		prop_assert!(from_provider.to_counterparty <= terms.value);
	}

	#[test]
	fn a_verdict_is_total_and_the_same_each_time((result, evidence, terms) in dispute()) {
		let verdict = derive_verdict(&result, &evidence, &terms);
		prop_assert_eq!(verdict, derive_verdict(&result, &evidence, &terms));
		match evidence {
			Evidence::DirectoryUnavailable => {
				prop_assert_eq!(verdict, Verdict::DirectoryUnavailable);
			},
			Evidence::ResultNotOnDirectory => prop_assert_eq!(verdict, Verdict::ResultNotFound),
			Evidence::Runs(_) => prop_assert!(!matches!(
				verdict,
				Verdict::DirectoryUnavailable | Verdict::ResultNotFound
			)),
		}
	}

	#[test]
	fn the_order_of_runs_does_not_matter((result, evidence, terms) in dispute()) {
		if let Evidence::Runs(mut runs) = evidence.clone() {
			runs.reverse();
			let reversed = derive_verdict(&result, &Evidence::Runs(runs), &terms);
			prop_assert_eq!(reversed, derive_verdict(&result, &evidence, &terms));
		}
	}

	#[test]
	fn an_honest_provider_of_a_deterministic_job_is_never_blamed(
		result in run(), count in 1usize..5, meter in pick(Meter::ALL),
		cost_tolerance in 0..=MAX_COST_TOLERANCE, instruction_limit in any::<u64>(),
	) {
		let terms = VerdictTerms { instruction_limit, meter, cost_tolerance };
		let verdict = derive_verdict(&result, &Evidence::Runs(vec![result; count]), &terms);
		prop_assert_eq!(verdict, Verdict::CorrectResults);
	}

	#[test]
	fn an_invented_output_is_always_found(
		hash in 1u8..4, usage in small_usage(), count in 1usize..5, meter in pick(Meter::ALL),
	) {
		let honest = Run { status: ResultStatus::Completed, result_hash: [hash; 32], usage };
		let invented = Run { result_hash: [hash + 1; 32], ..honest };
		let terms = VerdictTerms { instruction_limit: LIMIT, meter, cost_tolerance: 20_000 };
		let verdict = derive_verdict(&invented, &Evidence::Runs(vec![honest; count]), &terms);
		prop_assert_eq!(verdict, Verdict::WrongResults);
	}

	#[test]
	fn more_usage_than_tolerated_is_always_found(
		measured in 1..LIMIT, cost_tolerance in 0..=MAX_COST_TOLERANCE, count in 1usize..5,
		meter in pick(Meter::ALL),
	) {
		let terms = VerdictTerms { instruction_limit: u64::MAX, meter, cost_tolerance };
		let usage = |instructions| Usage { instructions, bandwidth: 0 };
		let run = Run { status: ResultStatus::Completed, result_hash: [1; 32], usage: usage(measured) };
		let unit = u128::from(PARTS_PER_MILLION);
		let most = (u128::from(measured) * (unit + u128::from(cost_tolerance)) / unit) as u64
			+ meter.noise();
		let evidence = Evidence::Runs(vec![run; count]);
		let claim = |instructions| {
			derive_verdict(&Run { usage: usage(instructions), ..run }, &evidence, &terms)
		};
		prop_assert_eq!(claim(most), Verdict::CorrectResults);
		prop_assert_eq!(claim(most + 1), Verdict::TooMuchCost);
	}

	#[test]
	fn names_are_read_back(typed in "[a-z-]{1,30}") {
		for status in ResultStatus::ALL {
			prop_assert_eq!(status.to_string().parse(), Ok(*status));
			prop_assert_eq!(status.to_string().to_uppercase().replace('-', "_").parse(), Ok(*status));
		}
		if let Ok(meter) = typed.parse::<Meter>() {
			prop_assert_eq!(meter.to_string(), typed);
		}
	}
}

mod at_the_limit {
	//! Completed against InstructionsExceeded: docs/protocol.md §7, last paragraph.

	use super::*;

	fn completed(instructions: u64) -> Run {
		Run {
			status: ResultStatus::Completed,
			result_hash: [1; 32],
			usage: Usage { instructions, bandwidth: 0 },
		}
	}

	fn stopped(instructions: u64) -> Run {
		Run {
			status: ResultStatus::InstructionsExceeded,
			result_hash: NO_HASH,
			usage: Usage { instructions, bandwidth: 0 },
		}
	}

	fn verdict(meter: Meter, result: Run, runs: &[Run]) -> Verdict {
		let terms = VerdictTerms { instruction_limit: 1_020, meter, cost_tolerance: 20_000 };
		derive_verdict(&result, &Evidence::Runs(runs.to_vec()), &terms)
	}

	#[test]
	fn is_no_contradiction_within_the_tolerance() {
		let meter = Meter::HardwareInstructions;
		let correct = Verdict::CorrectResults;
		assert_eq!(verdict(meter, stopped(1_020), &[completed(1_000), completed(1_000)]), correct);
		assert_eq!(verdict(meter, completed(1_010), &[stopped(1_020), completed(1_000)]), correct);
	}

	#[test]
	fn is_one_outside_the_tolerance() {
		let meter = Meter::HardwareInstructions;
		let runs = [completed(999), completed(999)];
		assert_eq!(verdict(meter, stopped(1_020), &runs), Verdict::InvalidResultStatus);
		let runs = [completed(999), stopped(1_020)];
		assert_eq!(verdict(meter, completed(999), &runs), Verdict::NonDeterministicJob);
	}

	#[test]
	fn is_one_for_an_exact_meter() {
		let runs = [completed(1_020), completed(1_020)];
		assert_eq!(verdict(Meter::WasmFuel, stopped(1_020), &runs), Verdict::InvalidResultStatus);
	}

	/// The known limit of docs/protocol.md §14: a provider that has run nothing may say that the job was stopped at its
	/// limit, where the meter could have stopped an honest one. A higher limit takes that away from it.
	#[test]
	fn a_claim_without_a_run_passes_up_to_the_tolerance_and_no_further() {
		let cost_tolerance = CostTolerances::default().of(Meter::CpuTime);
		assert_eq!(cost_tolerance, 500_000);
		let need = 1_000;
		let noise = Meter::CpuTime.noise();
		let claimed_with_limit = |instruction_limit| {
			let terms = VerdictTerms { instruction_limit, meter: Meter::CpuTime, cost_tolerance };
			let evidence = Evidence::Runs(vec![completed(need); 2]);
			derive_verdict(&stopped(instruction_limit), &evidence, &terms)
		};
		for limit in [need, 1_500, 1_500 + noise] {
			assert_eq!(claimed_with_limit(limit), Verdict::CorrectResults);
		}
		for limit in [1_501 + noise, 2 * (need + noise), u64::MAX] {
			assert_eq!(claimed_with_limit(limit), Verdict::InvalidResultStatus);
		}
	}

	#[test]
	fn does_not_hide_a_wrong_output() {
		let meter = Meter::HardwareInstructions;
		let other = Run { result_hash: [2; 32], ..completed(1_010) };
		let runs = [stopped(1_020), completed(1_010)];
		assert_eq!(verdict(meter, other, &runs), Verdict::WrongResults);
	}
}

mod endings {
	//! The numbers of one example in every row of the table: docs/protocol.md §8.

	use super::*;

	const TERMS: SettlementTerms = SettlementTerms {
		value: 100,
		prices: Prices { instruction: 1_000_000_000, bandwidth: 0 },
		verification_count: 2,
		mediator_fee: 7,
		directory_fee: 4,
		reported: Some(Usage { instructions: 60, bandwidth: 0 }),
		measured: Some(Usage { instructions: 50, bandwidth: 0 }),
	};

	fn payout(
		to_counterparty: u128,
		to_mediator: u128,
		to_directory: u128,
		to_fines: u128,
		returned: u128,
	) -> Payout {
		Payout { to_counterparty, to_mediator, to_directory, to_fines, returned }
	}

	fn assert_row(ending: Ending, terms: &SettlementTerms, creator: Payout, provider: Payout) {
		assert_eq!(
			settlement(ending, terms, 1_000, 2_000),
			Settlement { from_creator: creator, from_provider: provider }
		);
	}

	#[test]
	fn pay_what_the_table_says() {
		let fees_of_creator = payout(0, 7, 4, 0, 989);
		let fees_of_provider = payout(0, 7, 4, 0, 1_989);
		assert_row(Ending::Accepted, &TERMS, payout(60, 7, 4, 0, 929), fees_of_provider);
		for verdict in Verdict::ALL {
			let ending = Ending::Mediated(*verdict);
			match verdict.faulty_party() {
				FaultyParty::ResourceProvider => {
					let lost = payout(50, 107, 4, 1_839, 0);
					assert_row(ending, &TERMS, fees_of_creator, lost);
				},
				FaultyParty::JobCreator => {
					let lost = payout(60, 127, 4, 809, 0);
					assert_row(ending, &TERMS, lost, fees_of_provider);
				},
				FaultyParty::Directory => {
					assert_row(ending, &TERMS, payout(0, 7, 0, 0, 993), payout(0, 7, 0, 0, 1_993));
				},
			}
		}
		let terms = SettlementTerms { reported: None, measured: None, ..TERMS };
		let paid = payout(100, 7, 4, 0, 1_889);
		assert_row(Ending::ProviderTimedOut, &terms, fees_of_creator, paid);
		let terms = SettlementTerms { measured: None, ..TERMS };
		assert_row(
			Ending::MediatorTimedOut,
			&terms,
			payout(50, 0, 4, 0, 946),
			payout(0, 0, 4, 0, 1_996),
		);
	}

	#[test]
	fn without_runs_a_faulty_provider_pays_v() {
		let terms = SettlementTerms { measured: None, ..TERMS };
		assert_row(
			Ending::Mediated(Verdict::ResultNotFound),
			&terms,
			payout(0, 7, 4, 0, 989),
			payout(100, 207, 4, 1_689, 0),
		);
	}
}

#[test]
fn terms_are_read_from_json_by_their_names() {
	let terms = ResourceTerms {
		caps: Resources { instructions: 1, ram: 2, storage: 3, bandwidth: 4 },
		prices: Prices { instruction: 5, bandwidth: 6 },
		max_availability_fee: 7,
		match_incentive: 8,
		meter: Meter::CpuTime,
		expires_at: None,
	};
	let json = serde_json::to_string(&terms).unwrap();
	assert!(json.contains("\"max_availability_fee\":7") && json.contains("\"meter\":\"cpu-time\""));
	assert_eq!(serde_json::from_str::<ResourceTerms>(&json).unwrap(), terms);
	assert!(serde_json::from_str::<Parameters>("{\"penalty_rat\": 1}").is_err());
}

#[test]
fn every_rule_has_a_number_of_its_page_and_an_explanation() {
	let mut numbers: Vec<_> = Rule::ALL.iter().map(|rule| rule.number()).collect();
	assert!(numbers.is_sorted(), "rules are listed in the order of their numbers");
	numbers.dedup();
	assert_eq!(numbers, (1..=18).collect::<Vec<u8>>());
	let mut explanations: Vec<_> = Rule::ALL.iter().map(|rule| rule.explanation()).collect();
	explanations.sort_unstable();
	explanations.dedup();
	assert_eq!(explanations.len(), Rule::ALL.len());
}
