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
	let parsed = Wrapper::try_parse_from(words).unwrap();
	run(&parsed.economics, json, chain).map(|answer| answer.text)
}

/// What is wrong with a command line, in words: the parser's or the model's.
fn complaint(line: &str) -> String {
	let words = std::iter::once("economics").chain(line.split_whitespace());
	match Wrapper::try_parse_from(words) {
		Err(error) => error.to_string(),
		Ok(parsed) => {
			run(&parsed.economics, false, &ChainParameters::NotAsked).unwrap_err().to_string()
		},
	}
}

/// The first number in a remedy that begins with these words.
fn remedy(report: &Value, start: &str) -> f64 {
	let remedies = report["remedies"].as_array().unwrap();
	let found = remedies.iter().find_map(|remedy| remedy.as_str().unwrap().strip_prefix(start));
	let found = found.unwrap_or_else(|| panic!("no remedy begins with {start}: {remedies:?}"));
	found.split_whitespace().next().unwrap().trim_end_matches(',').parse().unwrap()
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
	for (line, is_good) in [("check", true), ("check --verification-rate 0.005", false)] {
		let parsed = Wrapper::try_parse_from(std::iter::once("economics").chain(line.split(' ')));
		let answer = run(&parsed.unwrap().economics, false, &ChainParameters::NotAsked).unwrap();
		assert_eq!(answer.is_good, is_good, "{}", answer.text);
	}
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
	let needed = report["provider"]["needed_p_v"].as_f64().unwrap() + 1e-9;
	assert_eq!(json(&format!("check --verification-rate {needed}"))["honest"], true);
	let theta = remedy(&report, "provider: the council raises the penalty rate to ");
	// At that θ the rate is enough for the same p_a; the worst p_a is even better there.
	let line = format!("check --verification-rate 0.005 --penalty-rate {theta}");
	assert_eq!(json(&line)["provider"]["honest"], true);
	let p_a = report["p_a"].as_f64().unwrap();
	let line = format!(
		"check --verification-rate 0.005 --normal-rate {p_a} --penalty-rate {}",
		theta - 1.0
	);
	assert_eq!(json(&line)["provider"]["honest"], false);
}

#[test]
fn check_says_no_where_verifying_does_not_pay() {
	// A dispute brings the creator 2π_c − g_m = 199 at most.
	let report = json("check --verification-cost 1000");
	assert_eq!(report["honest"], false);
	assert_eq!(report["creator"]["verifying_pays"], false);
	assert_eq!(report["provider"]["p_v"], 0.0);
	assert_eq!(report["provider"]["honest"], false);
	assert_eq!(report["creator_type"], "always-passes");
	assert!(text("check --verification-cost 1000").contains("best reply of both sides: NO"));
	let cost = remedy(&report, "verifying: it costs the creator less than ");
	assert_eq!(cost, 199.0);
	assert_eq!(json("check --verification-cost 199")["honest"], false);
	assert_eq!(json("check --verification-cost 198")["honest"], true);
	let price = remedy(&report, "verifying: the price is above ");
	let at = |price: f64| {
		json(&format!(
			"check --verification-cost 1000 --mediation-cost 1 --benefit 2000 --price {price}"
		))
	};
	assert_eq!(at(price)["honest"], false);
	assert_eq!(at(price + 1.0)["honest"], true);

	// A rate that the creator is said to verify with deters the provider, but it will not keep it.
	let report = json("check --verification-cost 1000 --verification-rate 0.02");
	assert_eq!(report["provider"]["honest"], true);
	assert_eq!(report["honest"], false);

	// At a given p_a it is K that verifying is worth.
	let line = "check --verification-cost 150 --normal-rate";
	let report = json(&format!("{line} 0.99"));
	assert_eq!(report["creator"]["verifying_pays"], false);
	let p_a = remedy(&report, "verifying: the creator's p_a is above ");
	let pays = |p_a: f64| json(&format!("{line} {p_a}"))["creator"]["verifying_pays"].clone();
	assert_eq!(pays(p_a - 1e-5), false);
	assert_eq!(pays(p_a + 1e-5), true);
}

#[test]
fn check_answers_where_no_verification_rate_deters() {
	for (line, theta) in [
		("check --normal-rate 0.1", true),
		("check --penalty-rate 0 --verification-count 1", true),
		("check --execution-cost 99 --penalty-rate 1 --normal-rate 0.6", true),
		("check --normal-rate 0", false),
	] {
		let report = json(line);
		assert_eq!(report["honest"], false, "{line}");
		assert!(report["provider"]["needed_p_v"].is_null(), "{line}");
		assert!(text(line).contains("executing pays from         never"), "{line}");
		if theta {
			let found = remedy(&report, "provider: the council raises the penalty rate to ");
			let p_a = report["p_a"].as_f64().unwrap();
			// What is given last counts.
			let words = line.replace("--penalty-rate 0", "").replace("--penalty-rate 1", "");
			let words = words.replace("--normal-rate 0.1", "").replace("--normal-rate 0.6", "");
			let with = |theta: f64| {
				json(&format!(
					"{words} --normal-rate {p_a} --penalty-rate {theta} --verification-rate 1"
				))
			};
			assert_eq!(with(found)["provider"]["honest"], true, "{line}");
			assert_eq!(with(found - 1.0)["provider"]["honest"], false, "{line}");
		} else {
			let remedies = report["remedies"].to_string();
			assert!(remedies.contains("no penalty rate up to 10000"), "{remedies}");
		}
	}
	let report = json("check --normal-rate 0.1");
	let p_a = remedy(&report, "provider: the creator's p_a is at least ");
	let with = |p_a: f64| {
		json(&format!("check --normal-rate {p_a} --verification-rate 1"))["provider"]["honest"]
			.clone()
	};
	assert_eq!(with(p_a + 1e-6), true);
	assert_eq!(with(p_a - 1e-6), false);
}

#[test]
fn check_finds_creators_that_gain_by_non_determinism() {
	// A creator that spots an abnormal result for next to nothing.
	let report = json("check --verification-cost 0.3");
	assert_eq!(report["creator"]["honest"], false);
	assert_eq!(report["creator_type"], "always-verifies");
	let with = |option: &str, value: f64| {
		let line = format!("check --verification-cost 0.3 --{option} {value}");
		json(&line)["creator"]["honest"].clone()
	};
	let theta = remedy(&report, "creator: the council raises the penalty rate to ");
	assert_eq!(with("penalty-rate", theta), true);
	assert_eq!(with("penalty-rate", theta - 1.0), false);
	let n = remedy(&report, "creator: the council sets the verification count to ");
	assert_eq!(with("verification-count", n), true);
	assert_eq!(with("verification-count", n - 1.0), false);
}

#[test]
fn check_warns_of_what_the_chain_does_not_accept() {
	for line in [
		"check --penalty-rate 0",
		"check --penalty-rate 10001",
		"check --verification-count 1",
		"check --verification-count 17",
	] {
		let warnings = json(line)["warnings"].to_string();
		assert!(warnings.contains("the chain does not accept"), "{line}: {warnings}");
	}
	let warnings = json("check")["warnings"].to_string();
	assert!(!warnings.contains("does not accept"), "{warnings}");
}

#[test]
fn figures_keep_their_digits_in_any_unit() {
	let words = text("check --price 0.0001");
	assert!(words.contains("price 0.0001, deposit of each side 0.0052"), "{words}");
	let words = text("check --price 1e-300");
	assert!(words.contains("price 1.00000e-300, deposit of each side 5.20000e-299"), "{words}");
}

#[test]
fn negative_amounts_and_rates_are_named() {
	for (line, name) in [
		("check --price -1", "price π_c is -1"),
		("check --price=-1", "price π_c is -1"),
		("check --verification-cost -0.5", "verification cost c_v is -0.5"),
		("check --verification-rate -0.5", "p_v is -0.5"),
		("check --penalty-rate -1", "--penalty-rate"),
		("advise --normal-rate -0.5", "wanted p_a is -0.5"),
		("simulate --price -1", "price π_c is -1"),
		("plot --price -1", "price π_c is -1"),
	] {
		let found = complaint(line);
		assert!(found.contains(name), "{line}: {found}");
	}
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
	// Nothing that the chain would refuse.
	for line in [
		"advise --min-verification-count 1",
		"advise --max-verification-count 17",
		"advise --max-penalty-rate 4000000000",
		"advise --max-penalty-rate 0",
	] {
		assert!(complaint(line).contains("of the search is"), "{line}: {}", complaint(line));
	}
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
	let mut misspelt = report["config"]["population"].clone();
	misspelt["silent_mediator"] = 5.into();
	let mut in_a_group = report["config"]["population"].clone();
	in_a_group["creators"][0]["agent"] = 5.into();
	for unusable in ["{}".to_string(), misspelt.to_string(), in_a_group.to_string()] {
		std::fs::write(&file, unusable).unwrap();
		assert!(matches!(
			try_run(&line, true, &ChainParameters::NotAsked),
			Err(CliError::Population { .. })
		));
	}
	std::fs::remove_dir_all(&folder).unwrap();
	assert!(matches!(try_run(&line, true, &ChainParameters::NotAsked), Err(CliError::File { .. })));
	let words = text("simulate --population learning --rounds 200");
	assert!(words.contains("predicted"), "{words}");
	assert_eq!(json("simulate --population learning")["arrived"], true);
	// The greater θ, the longer it takes.
	let line = "simulate --population learning --penalty-rate 10000";
	assert_eq!(json(line)["arrived"], false);
	assert!(text(line).contains("not there yet"), "{}", text(line));
	let words = text("simulate --population learning --verification-cost 1000 --rounds 2000");
	assert!(!words.contains("not there yet"), "{words}");
	for line in [
		"simulate --population learning --jobs 1000",
		"simulate --population learning --worlds 4",
		"simulate --population learning --keep-trusting",
		"simulate --rounds 100",
	] {
		assert!(complaint(line).contains("has no meaning for a"), "{line}: {}", complaint(line));
	}
}

#[test]
fn strategies_without_jobs_lose_nothing() {
	// Sixteen jobs for fourteen strategies in sixteen worlds.
	let report = json("simulate --jobs 16");
	let strategies = report["strategies"].as_array().unwrap();
	assert!(strategies.iter().any(|strategy| strategy["offers"] == 0));
	for strategy in strategies {
		let offers = strategy["offers"].as_u64().unwrap();
		assert!(offers > 0 || strategy["versus_first"].is_null(), "{strategy}");
		assert!(offers > 1 || strategy["margin"].is_null(), "{strategy}");
		assert!(offers > 1 || strategy["versus_first_margin"].is_null(), "{strategy}");
	}
	for line in text("simulate --jobs 16").lines() {
		assert!(!line.contains("– ± –") || !line.contains("loses"), "{line}");
	}
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
fn plot_leaves_out_what_does_not_exist() {
	let folder = std::env::temp_dir().join(format!("modicum-left-out-{}", std::process::id()));
	let out = folder.display();
	// A creator that verifies for nothing, and one that never does, mix with nobody.
	for cost in [0, 1_000] {
		let line = format!("plot --verification-cost {cost} --jobs 2000 --rounds 50 --out {out}");
		let report = json(&line);
		assert_eq!(report["files"].as_array().unwrap().len(), 10, "{report}");
		assert_eq!(report["left_out"][0]["picture"], "circling");
		assert!(text(&line).contains("circling is left out: there is no equilibrium"));
	}
	// An axis that nobody could read, but not for ever.
	let report = json(&format!("plot --extra-deposit 1e20 --jobs 2000 --rounds 50 --out {out}"));
	let left_out = report["left_out"].to_string();
	assert!(left_out.contains("cannot be divided"), "{left_out}");
	std::fs::remove_dir_all(&folder).unwrap();
	assert!(complaint("plot --price 1e-300 --price-limit 1e12").contains("price limit"));
	assert!(complaint("simulate --jobs 10000000001").contains("jobs is"));
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
	assert!(matches!(refused("advise --normal-rate 1"), EconomicsError::BoundOutOfReach { .. }));
	assert!(matches!(refused("simulate --jobs 3"), EconomicsError::OutOfRange { .. }));
	assert!(matches!(refused("simulate --penalty-rate 0"), EconomicsError::MarketRefuses { .. }));
}
