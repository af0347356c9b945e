// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Random sequences of calls by many accounts, with time jumping: no panic, no money made or lost, every
//! invariant kept, every quote met, and everything closed in the end without anybody's help.

use super::actions::{Random, Step, CROWD};
use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::{Ending, Verdict};
use std::collections::BTreeMap;

/// Calls in each fresh chain.
const CALLS_PER_CHAIN: u64 = 1_000;
/// How often the invariants are checked, which takes longer than a call.
const CHECK_EVERY: u64 = 50;

/// How many calls: 10^5, or what `MODICUM_CALLS` says.
fn calls() -> u64 {
	match std::env::var("MODICUM_CALLS") {
		Ok(calls) => calls.parse().expect("MODICUM_CALLS is a number"),
		Err(_) => 100_000,
	}
}

/// Where to begin: 0, or what `MODICUM_SEED` says, to repeat a chain that failed.
fn first_seed() -> u64 {
	match std::env::var("MODICUM_SEED") {
		Ok(seed) => seed.parse().expect("MODICUM_SEED is a number"),
		Err(_) => 0,
	}
}

/// Says which chain failed.
struct Seed(u64);

impl Drop for Seed {
	fn drop(&mut self) {
		if std::thread::panicking() {
			eprintln!("repeat with MODICUM_SEED={} MODICUM_CALLS={CALLS_PER_CHAIN}", self.0);
		}
	}
}

type Counts = BTreeMap<&'static str, u64>;

fn count(counts: &mut Counts) {
	for event in events() {
		let name = match event {
			Event::MatchClosed { ending, .. } => match ending {
				Ending::Accepted => "accepted",
				Ending::Mediated(verdict) => verdict.as_str(),
				Ending::ProviderTimedOut => "provider timed out",
				Ending::MediatorTimedOut => "mediator timed out",
			},
			Event::JobOfferExpired { .. } | Event::ResourceOfferExpired { .. } => "expired",
			Event::Matched { .. } => "matched",
			Event::PaymentBurnt { .. } => "burnt",
			_ => continue,
		};
		*counts.entry(name).or_default() += 1;
	}
	System::reset_events();
}

/// One chain from its first call to the end of everything in it.
fn run_chain(seed: u64, counts: &mut Counts) {
	let seed = Seed(seed);
	new_test_ext().execute_with(|| {
		open_market();
		let mut random = Random(seed.0);
		for index in 0..CALLS_PER_CHAIN {
			let step: Step = random.step();
			let succeeded = step.take();
			*counts.entry(if succeeded { "succeeded" } else { "failed" }).or_default() += 1;
			count(counts);
			if index % CHECK_EVERY == 0 {
				Modicum::do_try_state().unwrap();
			}
		}
		// Everybody leaves. What has a deadline closes itself; only offers without an expiry stay.
		set_time(Timestamp::get() + 10_000_000);
		Modicum::on_idle(1, Weight::MAX);
		count(counts);
		Modicum::do_try_state().unwrap();
		assert_eq!(Matches::<Test>::iter().count(), 0);
		assert_eq!(JobOffers::<Test>::iter().count(), 0);
		for who in CROWD {
			assert_eq!(held(HoldReason::JobOffer, who), 0);
		}
	});
}

#[test]
fn random_calls_keep_every_invariant() {
	let mut counts = Counts::new();
	for chain in 0..calls().div_ceil(CALLS_PER_CHAIN) {
		run_chain(first_seed().wrapping_add(chain), &mut counts);
	}
	println!("{counts:?}");
	if calls() < 100_000 {
		return;
	}
	// The calls reach every part of the market, or this test would show nothing.
	for name in Verdict::NAMES.iter().chain(&[
		"accepted",
		"provider timed out",
		"mediator timed out",
		"expired",
		"matched",
		"succeeded",
		"failed",
	]) {
		assert!(counts.get(name).is_some_and(|count| *count >= 10), "too few {name}: {counts:?}");
	}
	assert!(!counts.contains_key("burnt"));
}

#[test]
fn a_failed_call_changes_nothing() {
	in_market(|| {
		let mut random = Random(7);
		let mut failures = 0;
		for _ in 0..1_000 {
			let step = Step { jump: 0, idle: None, ..random.step() };
			let before = frame::deps::sp_io::storage::root(StateVersion::V1);
			let events = System::event_count();
			if !step.take() {
				failures += 1;
				assert_eq!(System::event_count(), events);
				assert_eq!(frame::deps::sp_io::storage::root(StateVersion::V1), before);
			}
		}
		assert!(failures > 100);
	});
}

#[test]
fn steps_survive_encoding() {
	use codec::{Decode, Encode};
	in_market(|| {
		let mut random = Random(1);
		for _ in 0..100 {
			let step = random.step();
			assert_eq!(Step::decode(&mut &step.encode()[..]), Ok(step.clone()));
			// So that the next one is of another state.
			step.take();
		}
	});
}

/// Seeds for the fuzz target of decoded calls: the first steps of some chains, as bytes.
#[test]
#[ignore = "writes files; scripts/fuzz-pallet.sh runs it"]
fn write_fuzz_seeds() {
	use codec::Encode;
	let folder = std::env::var("MODICUM_SEEDS").expect("MODICUM_SEEDS names a folder");
	for seed in 0..200 {
		new_test_ext().execute_with(|| {
			open_market();
			let mut random = Random(seed);
			let mut bytes = Vec::new();
			for _ in 0..64 {
				let step = random.step();
				step.encode_to(&mut bytes);
				step.take();
			}
			std::fs::write(format!("{folder}/{seed}"), bytes).unwrap();
		});
	}
}
