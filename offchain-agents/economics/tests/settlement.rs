// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The payoffs of Fig. 4 are what the chain's settlement pays.
#![allow(clippy::unwrap_used)]

use modicum_economics::simulation::{Flows, Market};
use modicum_economics::{EconomicsError, Outcome, Parameters};
use modicum_primitives::{
	cost, match_deposit, match_value, settlement, Ending, Evidence, Parameters as ChainParameters,
	Prices, Resources, Rounding, SettlementTerms, Usage, Verdict,
};
use proptest::prelude::*;

const CORRECT: u64 = 1;
const FORGED: u64 = 2;
const ABNORMAL: u64 = 3;

/// The course of events that leads to `outcome`, settled by the chain's rules.
fn settle(market: &Market, outcome: Outcome) -> Flows {
	let n = market.verification_count() as usize;
	let runs = |output: u64| vec![market.completed(output); n];
	let mut contradictory = runs(CORRECT);
	contradictory[0] = market.completed(ABNORMAL);
	let mediate = |result: u64, runs, expected: Verdict| {
		let (verdict, flows) = market.mediate(&market.completed(result), &Evidence::Runs(runs));
		assert_eq!(verdict, expected);
		flows
	};
	match outcome {
		Outcome::CheatedButCreatorFaulted => {
			mediate(FORGED, contradictory, Verdict::NonDeterministicJob)
		},
		Outcome::CheatedAndProviderFaulted => mediate(FORGED, runs(CORRECT), Verdict::WrongResults),
		Outcome::CheatedAndPaid => market.accept(&market.completed(FORGED)),
		Outcome::ExecutedAndPaid | Outcome::ExecutedVerifiedAndPaid => {
			market.accept(&market.completed(CORRECT))
		},
		Outcome::ExecutedAndCreatorFaulted => {
			mediate(ABNORMAL, contradictory, Verdict::NonDeterministicJob)
		},
		Outcome::ExecutedButProviderFaulted => {
			mediate(ABNORMAL, runs(CORRECT), Verdict::WrongResults)
		},
	}
}

proptest! {
	#[test]
	fn figure_4_is_what_the_chain_pays(
		theta in 1_u32..1_000, n in 2_u32..=16, price in 0.001_f64..1e6,
		limit in 1.0_f64..50.0, fees in 0.0_f64..2.0, extra in 0.0_f64..100.0,
	) {
		let parameters = Parameters {
			price_limit: limit * price,
			availability_fees: fees * price,
			extra_deposit: extra * price,
			benefit: 10.0 * price,
			..Parameters::at_price(theta, n, price)
		};
		let market = Market::new(&parameters).unwrap();
		let tolerance = 1e-9 * parameters.stake();
		for outcome in Outcome::ALL {
			let flows = settle(&market, outcome);
			let mediation = if flows.mediator > 2.0 * market.mediator_fee() + tolerance {
				parameters.mediation_cost
			} else {
				0.0
			};
			// What the contract moves, less what Fig. 4 counts as the cost of taking part.
			let creator = flows.creator - parameters.creator_cost - mediation;
			let provider = flows.provider - parameters.provider_cost;
			prop_assert!((creator - parameters.creator_payoff(outcome).contract).abs() <= tolerance);
			prop_assert!((provider - parameters.provider_payoff(outcome).contract).abs() <= tolerance);
			// Nothing is created or lost, and the mediator is paid n times the price for its runs.
			let sum = flows.creator + flows.provider + flows.mediator + flows.directory + flows.fines;
			prop_assert!(sum.abs() <= tolerance);
			let runs = flows.mediator - 2.0 * market.mediator_fee();
			let disputed = outcome.verified() && outcome != Outcome::ExecutedVerifiedAndPaid;
			let expected = if disputed { f64::from(n) * price } else { 0.0 };
			prop_assert!((runs - expected).abs() <= tolerance);
		}
	}
}

#[test]
fn a_worked_example_in_the_chains_own_integers() {
	// 10^12 instructions at 10^11 per 10^9 cost 10^14; θ = 50, n = 2; fees 10^12 and 2·10^12.
	let chain = ChainParameters::default();
	let usage = Usage { instructions: 1_000_000_000_000, bandwidth: 0 };
	let prices = Prices { instruction: 100_000_000_000, bandwidth: 0 };
	let limits = Resources { instructions: usage.instructions, ram: 0, storage: 0, bandwidth: 0 };
	let value = match_value(&limits, prices).unwrap();
	assert_eq!(value, cost(usage, prices, Rounding::Down).unwrap());
	let (mediator_fee, directory_fee) = (1_000_000_000_000, 2_000_000_000_000);
	let deposit = match_deposit(value, mediator_fee, directory_fee, &chain).unwrap();
	let terms = SettlementTerms {
		value,
		prices,
		verification_count: chain.verification_count,
		mediator_fee,
		directory_fee,
		reported: Some(usage),
		measured: Some(usage),
	};
	let ending = Ending::Mediated(Verdict::WrongResults);
	let settled = settlement(ending, &terms, deposit, deposit);

	let parameters =
		Parameters { availability_fees: 3e12, ..Parameters::at_price(50, 2, value as f64) };
	// Eq. 2 and Table 1's π_m.
	assert_eq!(deposit as f64, parameters.least_deposit());
	let runs = settled.from_provider.to_mediator - mediator_fee;
	assert_eq!(runs as f64, parameters.mediator_payout());
	let lost = (deposit - settled.from_provider.returned) as f64;
	let loss = -parameters.provider_payoff(Outcome::CheatedAndProviderFaulted).contract;
	assert_eq!(lost, loss);
	let won = settled.from_provider.to_counterparty as f64
		- (deposit - settled.from_creator.returned) as f64;
	assert_eq!(won, parameters.creator_payoff(Outcome::CheatedAndProviderFaulted).contract);
}

#[test]
fn terms_the_chain_would_not_allow_are_refused() {
	let good = Parameters::example();
	assert!(Market::new(&good).is_ok());
	for bad in [
		Parameters { penalty_rate: 0, ..good },
		Parameters { penalty_rate: 10_001, ..good },
		Parameters { verification_count: 17, ..good },
		Parameters { deception_payout: 50.0, ..good },
		Parameters { price_limit: 1e30, ..good },
		Parameters { extra_deposit: 1e39, ..good },
	] {
		let found = Market::new(&bad);
		assert!(matches!(found, Err(EconomicsError::MarketRefuses { .. })), "{found:?}");
	}
	let broken = Parameters { benefit: 0.0, ..good };
	assert!(matches!(Market::new(&broken), Err(EconomicsError::ConstraintsBroken(_))));
}
