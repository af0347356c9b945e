// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum economics` from its arguments to what it prints.
#![allow(clippy::unwrap_used)]

use clap::Parser;
use modicum_economics::cli::{run, ChainParameters, CliError, EconomicsArgs};
use modicum_economics::EconomicsError;
use modicum_primitives::Parameters;
use serde_json::Value;

#[derive(Parser)]
struct Wrapper {
	#[command(flatten)]
	economics: EconomicsArgs,
}

fn try_run(line: &str, json: bool, chain: &ChainParameters) -> Result<String, CliError> {
	let words = std::iter::once("economics").chain(line.split_whitespace());
	run(&Wrapper::try_parse_from(words).unwrap().economics, json, chain)
}

fn text(line: &str) -> String {
	try_run(line, false, &ChainParameters::NotAsked).unwrap()
}

fn json(line: &str) -> Value {
	serde_json::from_str(&try_run(line, true, &ChainParameters::NotAsked).unwrap()).unwrap()
}

#[test]
fn check_says_whether_honesty_pays() {
	let report = json("check");
	assert_eq!(report["honest"], true);
	assert_eq!(report["parameters"]["penalty_rate"], 50);
	assert!(report["source"].as_str().unwrap().contains("defaults"));
	let words = text("check");
	assert!(words.contains("Honesty is the best reply of both sides: yes"), "{words}");
	assert!(words.contains("the protocol's defaults"), "{words}");
}

#[test]
fn check_uses_the_chains_parameters_if_there_are_any() {
	let chain = ChainParameters::Present(Parameters {
		penalty_rate: 7,
		verification_count: 3,
		..Parameters::default()
	});
	let report = try_run("check", true, &chain).unwrap();
	let report: Value = serde_json::from_str(&report).unwrap();
	assert_eq!(report["parameters"]["penalty_rate"], 7);
	assert_eq!(report["parameters"]["verification_count"], 3);
	assert_eq!(report["source"], "the chain's present parameters");
	let report = try_run("check --penalty-rate 9", true, &chain).unwrap();
	assert!(report.contains("θ: the command line"));
	let report = try_run("check", false, &ChainParameters::Unreachable).unwrap();
	assert!(report.contains("because the chain could not be reached"), "{report}");
}

#[test]
fn the_chain_is_asked_for_what_the_command_line_leaves_open() {
	let asks = |line: &str| {
		let words = std::iter::once("economics").chain(line.split_whitespace());
		Wrapper::try_parse_from(words).unwrap().economics.asks_the_chain()
	};
	for line in ["check", "check --penalty-rate 9", "simulate --verification-count 3", "advise"] {
		assert!(asks(line), "{line}");
	}
	assert!(!asks("plot --penalty-rate 9 --verification-count 3"));
}

#[test]
fn check_names_what_would_help_and_the_remedy_works() {
	let report = json("check --verification-rate 0.005");
	assert_eq!(report["honest"], false);
	assert_eq!(report["provider"]["honest"], false);
	let remedies = report["remedies"].as_array().unwrap();
	assert_eq!(remedies.len(), 2, "{remedies:?}");
	let needed = report["provider"]["needed_p_v"].as_f64().unwrap() + 1e-9;
	assert_eq!(json(&format!("check --verification-rate {needed}"))["honest"], true);
	let remedy = remedies[1].as_str().unwrap();
	let theta: u32 =
		remedy.split_whitespace().find_map(|w| w.trim_end_matches(',').parse().ok()).unwrap();
	// At that θ the rate is enough for the same p_a; the worst p_a is even better there.
	let line = format!("check --verification-rate 0.005 --penalty-rate {theta}");
	assert_eq!(json(&line)["provider"]["honest"], true);
	let p_a = report["p_a"].as_f64().unwrap();
	let line =
		format!("check --verification-rate 0.005 --normal-rate {p_a} --penalty-rate {}", theta - 1);
	assert_eq!(json(&line)["provider"]["honest"], false);
}

#[test]
fn check_finds_creators_that_gain_by_non_determinism() {
	// A creator that spots an abnormal result for next to nothing.
	let report = json("check --verification-cost 0.3");
	assert_eq!(report["creator"]["honest"], false);
	assert_eq!(report["creator_type"], "always-verifies");
	let remedy = report["remedies"][0].as_str().unwrap();
	let theta: u32 =
		remedy.split_whitespace().find_map(|w| w.trim_end_matches(',').parse().ok()).unwrap();
	let line = |theta: u32| format!("check --verification-cost 0.3 --penalty-rate {theta}");
	assert_eq!(json(&line(theta))["creator"]["honest"], true);
	assert_eq!(json(&line(theta - 1))["creator"]["honest"], false);
	assert!(!json("check --verification-count 1")["warnings"].as_array().unwrap().is_empty());
}

#[test]
fn advise_proposes_the_cheapest_n() {
	let advice = json("advise");
	assert_eq!(advice["proposed"]["penalty_rate"], 48);
	assert_eq!(advice["proposed"]["verification_count"], 2);
	assert_eq!(advice["present_suffices"], true);
	let advice = json("advise --normal-rate 0.999");
	assert_eq!(advice["present_suffices"], false);
	assert!(advice["proposed"]["least_p_a"].as_f64().unwrap() >= 0.999);
	assert!(text("advise").contains("proposed"));
}

#[test]
fn simulate_prints_every_strategy() {
	let words = text("simulate --jobs 20000");
	for strategy in ["always cheats", "colludes with a mediator", "disputes everything"] {
		assert!(words.contains(strategy), "{words}");
	}
	let report = json("simulate --jobs 20000");
	assert_eq!(report["jobs"], 20_000);
	// A population out of a report can be played again.
	let folder = std::env::temp_dir().join(format!("modicum-economics-{}", std::process::id()));
	std::fs::create_dir_all(&folder).unwrap();
	let file = folder.join("population.json");
	std::fs::write(&file, report["config"]["population"].to_string()).unwrap();
	let line = format!("simulate --jobs 20000 --population-file {}", file.display());
	// JSON rounds the last digit of a rate, which moves no job.
	assert_eq!(json(&line)["strategies"], report["strategies"]);
	std::fs::write(&file, "{}").unwrap();
	assert!(matches!(
		try_run(&line, true, &ChainParameters::NotAsked),
		Err(CliError::Population { .. })
	));
	std::fs::remove_dir_all(&folder).unwrap();
	assert!(matches!(try_run(&line, true, &ChainParameters::NotAsked), Err(CliError::File { .. })));
	let words = text("simulate --population learning --rounds 200");
	assert!(words.contains("predicted"), "{words}");
}

#[test]
fn plot_writes_every_picture_twice() {
	let folder = std::env::temp_dir().join(format!("modicum-pictures-{}", std::process::id()));
	let line = format!("plot --jobs 2000 --rounds 50 --out {}", folder.display());
	let files = json(&line)["files"].as_array().unwrap().clone();
	assert_eq!(files.len(), 12);
	for file in files {
		let path = std::path::PathBuf::from(file.as_str().unwrap());
		let bytes = std::fs::read(&path).unwrap();
		if path.extension().unwrap() == "png" {
			assert_eq!(&bytes[1..4], b"PNG");
		} else {
			let svg = String::from_utf8(bytes).unwrap();
			assert!(svg.starts_with("<svg") && svg.contains("<text"));
			assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", path.display());
		}
	}
	std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn bad_input_is_named() {
	let refused = |line: &str| match try_run(line, false, &ChainParameters::NotAsked) {
		Err(CliError::Economics(error)) => error,
		other => panic!("{line}: {other:?}"),
	};
	assert!(matches!(refused("check --benefit 1"), EconomicsError::ConstraintsBroken(_)));
	assert!(matches!(refused("check --price NaN"), EconomicsError::NotAnAmount { .. }));
	assert!(matches!(refused("check --price 0"), EconomicsError::ConstraintsBroken(_)));
	assert!(matches!(refused("check --verification-count 0"), EconomicsError::OutOfRange { .. }));
	assert!(matches!(
		refused("check --verification-rate 2"),
		EconomicsError::NotAProbability { .. }
	));
	assert!(matches!(refused("check --normal-rate 0"), EconomicsError::ProviderNotDeterred { .. }));
	assert!(matches!(refused("advise --normal-rate 1"), EconomicsError::BoundOutOfReach { .. }));
	assert!(matches!(refused("simulate --jobs 3"), EconomicsError::OutOfRange { .. }));
	assert!(matches!(refused("simulate --penalty-rate 0"), EconomicsError::MarketRefuses { .. }));
}
