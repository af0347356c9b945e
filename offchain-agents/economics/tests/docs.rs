// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The figures, tables and pictures of docs/economics.md are what the program computes today.
#![allow(clippy::unwrap_used)]

use modicum_economics::pictures::{draw_all, Effort};
use modicum_economics::simulation::{
	market_equilibrium, simulate, Population, Role, SimulationConfig,
};
use modicum_economics::{
	advise, least_p_a, most_p_v, AdviceRequest, Parameters, PlatformChoice, Search,
};

fn read(name: &str) -> String {
	let path = format!("../../docs/{name}");
	std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All of `rows` are in docs/economics.md.
fn assert_documented(rows: &[String]) {
	let page = read("economics.md").split_whitespace().collect::<Vec<_>>().join(" ");
	let missing: Vec<&String> = rows.iter().filter(|row| !page.contains(row.as_str())).collect();
	assert!(missing.is_empty(), "not in docs/economics.md: {missing:#?}\nall: {}", rows.join("\n"));
}

/// With one digit after the point, a sign, and commas between thousands.
fn signed(value: f64) -> String {
	let digits = format!("{:.1}", value.abs());
	let point = digits.len() - 2;
	let mut text = String::from(if value < 0.0 { "−" } else { "+" });
	for (index, digit) in digits.chars().enumerate() {
		if index > 0 && index < point && (point - index) % 3 == 0 {
			text.push(',');
		}
		text.push(digit);
	}
	text
}

#[test]
fn the_market_with_everybody_in_it() {
	let parameters = Parameters::example();
	let population = Population::mixed(&parameters).unwrap();
	let config = SimulationConfig::new(parameters, population, 1_000_000, 1);
	let report = simulate(&config).unwrap();
	let rows = report.strategies.iter().filter_map(|strategy| {
		let (difference, margin) = strategy.difference()?;
		let side = if strategy.role == Role::Creator { "creator" } else { "provider" };
		let label = &strategy.strategy;
		let row = format!("| {side}: {label} | {} ± {margin:.1} |", signed(difference));
		(difference != 0.0).then_some(row)
	});
	assert_documented(&rows.collect::<Vec<_>>());
}

#[test]
fn what_the_council_should_choose() {
	let advice = advise(&AdviceRequest {
		least_p_a: 0.99,
		most_p_v: None,
		search: Search::default(),
		present: (50, 2),
		source: String::new(),
	})
	.unwrap();
	let row = |name: &str, choice: &PlatformChoice| {
		format!(
			"| {name} | {} | {} | {:.6} | {:.2} % | {:.2} % | {} × price |",
			choice.penalty_rate,
			choice.verification_count,
			choice.least_p_a,
			100.0 * choice.most_p_v,
			100.0 * choice.most_gain,
			choice.deposit
		)
	};
	let mut rows =
		vec![row("in force", &advice.present.unwrap()), row("proposed", &advice.proposed)];
	let shown = advice.alternatives.iter().filter(|c| [3, 4, 6].contains(&c.verification_count));
	rows.extend(shown.map(|choice| row("or", choice)));
	assert_eq!(rows.len(), 5);
	assert_documented(&rows);
}

#[test]
fn the_figures_in_the_text() {
	let parameters = Parameters::example();
	let market = market_equilibrium(&parameters).unwrap();
	let cheap = market_equilibrium(&Parameters { verification_cost: 5.0, ..parameters }).unwrap();
	let threshold = Parameters::at_price(50, 2, 1.0).honest_up_to_p_e().unwrap();
	assert_documented(&[
		format!("p_a = 1, p_e = {:.1} %, p_v = {:.2} %", 100.0 * market.p_e, 100.0 * market.p_v),
		format!("{:.1} % if checking a result costs 5", 100.0 * cheap.p_e),
		format!("the best p_a is {:.4}", least_p_a(50, 2).unwrap()),
		format!("which is {:.1} % at θ = 50", 100.0 * threshold),
		format!("that is {:.2} % at θ = 50", 100.0 * most_p_v(50, 2, 0.99).unwrap()),
	]);
}

/// Drawings are the same if their texts are and no number is further off than this: another
/// machine's mathematical functions may differ in the last digit, and so by a pixel.
const PIXELS: f64 = 2.0;

fn same_drawing(one: &str, other: &str) -> bool {
	let split = |text: &str| -> Vec<String> {
		text.split(|c: char| c.is_whitespace() || ",\"<>".contains(c)).map(String::from).collect()
	};
	let (one, other) = (split(one), split(other));
	one.len() == other.len()
		&& one.iter().zip(&other).all(|(a, b)| match (a.parse::<f64>(), b.parse::<f64>()) {
			(Ok(a), Ok(b)) => (a - b).abs() <= PIXELS,
			_ => a == b,
		})
}

#[test]
fn the_pictures() {
	let drawn = draw_all(&Parameters::example(), Effort::default()).unwrap();
	assert_eq!(drawn.pictures.len(), 6);
	assert!(drawn.left_out.is_empty(), "{:?}", drawn.left_out);
	for picture in drawn.pictures {
		let stored = read(&format!("economics/{}.svg", picture.name));
		assert!(
			same_drawing(&stored, &picture.svg),
			"docs/economics/{}.svg is not what `modicum economics plot` draws",
			picture.name
		);
	}
}
