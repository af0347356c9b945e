// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Decodes a sequence of steps from bytes and takes them in a fresh chain with everybody registered. After each,
//! no money may have been made or lost and a successful posting must have held what was quoted; in the end every
//! invariant must hold.

#![no_main]

use codec::Decode;
use frame::testing_prelude::Hooks;
use libfuzzer_sys::fuzz_target;

// The mock and the steps are written as parts of the pallet: to them, this crate is the pallet.
pub use pallet_modicum::*;

#[path = "../../src/mock.rs"]
mod mock;
#[path = "../../src/tests/actions.rs"]
mod actions;

/// More steps than this find nothing new, only later.
const MOST_STEPS: usize = 64;

fuzz_target!(|input: &[u8]| {
	let mut input = input;
	mock::new_test_ext().execute_with(|| {
		mock::open_market();
		for _ in 0..MOST_STEPS {
			let Ok(step) = actions::Step::decode(&mut input) else { break };
			step.take();
		}
		mock::Modicum::try_state(1).expect("an invariant is broken");
	});
});
