// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Nothing that the pallet declares is forgotten by its tests.

use crate::{mock::*, *};
use frame::testing_prelude::*;
use modicum_primitives::Rule;

const TESTS: &[&str] = &[
	include_str!("deadlines.rs"),
	include_str!("endings.rs"),
	include_str!("matching.rs"),
	include_str!("mediation.rs"),
	include_str!("offers.rs"),
	include_str!("parameters.rs"),
	include_str!("registration.rs"),
	include_str!("regressions.rs"),
	include_str!("results.rs"),
	include_str!("settlement.rs"),
];

fn variants<Enum: TypeInfo>() -> Vec<String> {
	match Enum::type_info().type_def {
		scale_info::TypeDef::Variant(def) => {
			def.variants.into_iter().map(|variant| variant.name.to_string()).collect()
		},
		_ => Vec::new(),
	}
}

#[test]
fn every_error_is_reached() {
	let rules: Vec<_> = Rule::ALL.iter().map(|rule| format!("{rule:?}")).collect();
	let names: Vec<_> =
		variants::<Error<Test>>().into_iter().filter(|name| !name.starts_with("__")).collect();
	assert!(names.len() > 60);
	for name in names {
		// The error of a rule is asserted under the name of the rule.
		let prefix = if rules.contains(&name) { "Rule" } else { "Error::<Test>" };
		let reached = TESTS.iter().any(|test| {
			test.match_indices(&format!("{prefix}::{name}")).any(|(index, found)| {
				let next = test[index + found.len()..].chars().next();
				!next.is_some_and(|next| next.is_alphanumeric())
			})
		});
		// The macro of the lists in `registration.rs` takes the error of an unregistered account as a parameter.
		let listed =
			["NotJobCreator", "NotResourceProvider", "NotMediator"].contains(&name.as_str());
		assert!(reached || listed, "no test reaches {name}");
	}
}

#[test]
fn every_call_is_tested() {
	let tests = TESTS.concat();
	for name in variants::<Call<Test>>().into_iter().filter(|name| !name.starts_with("__")) {
		let direct = tests.contains(&format!("Modicum::{name}("));
		let by_macro = tests.contains(&format!("\t{name},\n"));
		assert!(direct || by_macro, "no test calls {name}");
	}
}

#[test]
fn calls_keep_their_numbers() {
	use codec::Encode;
	let index = |call: Call<Test>| call.encode()[0];
	assert_eq!(index(Call::set_penalty_rate { penalty_rate: 1 }), 0);
	assert_eq!(index(Call::register_job_creator {}), 10);
	assert_eq!(index(Call::cancel_job_offer { job_offer: 0 }), 51);
	assert_eq!(index(Call::accept_result { match_id: 0 }), 62);
	assert_eq!(index(Call::timeout { match_id: 0 }), 65);
}
