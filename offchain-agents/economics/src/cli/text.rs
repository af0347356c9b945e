// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The reports of `modicum economics` as text for people.

use std::fmt::Write;

use super::Plotted;
use crate::equilibrium::{Equilibrium, Interval};
use crate::figure::figure;
use crate::honesty::PlatformChoice;
use crate::pictures::LeftOut;
use crate::report::{Advice, CheckReport};
use crate::simulation::{AdaptiveConfig, Role, SimulationReport, Trajectory};

/// Writing into a String cannot fail, so the result of `writeln!` is dropped here once for all.
macro_rules! line {
	($out:expr) => { $out.push('\n') };
	($out:expr, $($arg:tt)*) => {{ let _ = writeln!($out, $($arg)*); }};
}

fn percent(probability: f64) -> String {
	format!("{:.4} %", probability * 100.0)
}

fn yes(holds: bool) -> &'static str {
	if holds {
		"yes"
	} else {
		"NO"
	}
}

fn probability(interval: &Interval) -> String {
	if interval.is_point() {
		percent(interval.low)
	} else {
		format!("{} to {}", percent(interval.low), percent(interval.high))
	}
}

fn equilibrium(equilibrium: &Equilibrium) -> String {
	format!(
		"provider executes {}, creator verifies {}",
		probability(&equilibrium.row),
		probability(&equilibrium.column)
	)
}

/// The report of `check`.
pub(super) fn check(report: &CheckReport) -> String {
	let mut out = String::new();
	let parameters = &report.parameters;
	line!(
		out,
		"penalty rate θ = {}, verification count n = {} ({})",
		parameters.penalty_rate,
		parameters.verification_count,
		report.source
	);
	line!(
		out,
		"price {}, deposit of each side {} and availability fees {}",
		figure(parameters.price),
		figure(parameters.deposit()),
		figure(parameters.availability_fees)
	);
	line!(out);
	line!(out, "Honesty is the best reply of both sides: {}", yes(report.honest));
	line!(out);
	let provider = &report.provider;
	line!(out, "Provider: executing is its best reply: {}", yes(provider.honest));
	line!(out, "  creator verifies            {}", percent(provider.p_v));
	let needed = provider.needed_p_v.map_or("never".into(), percent);
	line!(out, "  executing pays from         {needed}");
	line!(out, "  utility of executing        {}", figure(provider.executing));
	line!(out, "  utility of cheating         {}", figure(provider.cheating));
	line!(out);
	let creator = &report.creator;
	line!(out, "Creator: verifying pays: {}", yes(creator.verifying_pays));
	line!(out, "  it is worth at most         {}", figure(creator.verifying_worth));
	line!(out, "  and costs                   {}", figure(parameters.verification_cost));
	line!(out);
	line!(out, "Creator: deterministic jobs are its best reply: {}", yes(creator.honest));
	line!(out, "  best p_a, if all providers execute   {:.6}", creator.best_p_a);
	line!(
		out,
		"  most it could gain per job           {} ({} of the price)",
		figure(creator.most_gain),
		percent(creator.most_gain_share)
	);
	line!(out, "  of which verifying leaves it         {}", figure(creator.gain));
	line!(
		out,
		"  p_a = 1 is best anyway while providers execute at most {}",
		percent(creator.honest_up_to_p_e)
	);
	line!(out);
	let kind = report.creator_type.map_or("on a threshold between types".to_string(), |kind| {
		format!("of type {}", kind.number())
	});
	line!(out, "At p_a = {:.6} the creator is {kind}; equilibria:", report.p_a);
	for found in &report.equilibria {
		line!(out, "  {}", equilibrium(found));
	}
	if let Some(market) = &report.market {
		line!(
			out,
			"With p_a chosen freely: p_a = {:.6}, provider executes {}, creator verifies {}",
			market.p_a,
			percent(market.p_e),
			percent(market.p_v)
		);
	}
	if let Some(rate) = report.mediation_rate {
		line!(out, "  and {} of the jobs end in mediation", percent(rate));
	}
	list(&mut out, "Warnings:", &report.warnings);
	list(
		&mut out,
		"One of these for each side would make honesty the best reply:",
		&report.remedies,
	);
	out
}

fn list(out: &mut String, title: &str, items: &[String]) {
	if !items.is_empty() {
		line!(out);
		line!(out, "{title}");
		for item in items {
			line!(out, "- {item}");
		}
	}
}

/// The report of `advise`.
pub(super) fn advice(advice: &Advice) -> String {
	let mut out = String::new();
	let request = &advice.request;
	line!(
		out,
		"Wanted: a rational creator chooses p_a ≥ {}{}.",
		request.least_p_a,
		request.most_p_v.map_or(String::new(), |p_v| {
			format!(", and verifying {} of the results deters every provider", percent(p_v))
		})
	);
	line!(
		out,
		"In force: θ = {}, n = {} ({}): {}.",
		request.present.0,
		request.present.1,
		request.source,
		if advice.present_suffices { "this suffices" } else { "this does not suffice" }
	);
	line!(out);
	let row = |choice: &PlatformChoice| {
		format!(
			"{:>6} {:>5} {:>10.6} {:>12} {:>16} {:>14}",
			choice.penalty_rate,
			choice.verification_count,
			choice.least_p_a,
			percent(choice.most_p_v),
			percent(choice.most_gain),
			format!("{} × price", choice.deposit),
		)
	};
	line!(
		out,
		"{:10} {:>6} {:>5} {:>10} {:>12} {:>16} {:>14}",
		"",
		"θ",
		"n",
		"least p_a",
		"most p_v",
		"creator's gain",
		"deposit"
	);
	if let Some(present) = &advice.present {
		line!(out, "{:10} {}", "in force", row(present));
	}
	line!(out, "{:10} {}", "proposed", row(&advice.proposed));
	for choice in &advice.alternatives {
		line!(out, "{:10} {}", "or", row(choice));
	}
	line!(out);
	line!(
		out,
		"A greater n makes a dispute dearer ({} times the price is what the loser pays the mediator), \
		 a greater θ the deposit.",
		"n"
	);
	out
}

/// A mean and its margin, with dashes for what there is not.
fn estimate(mean: Option<f64>, margin: Option<f64>) -> String {
	let text = |value: Option<f64>| value.map_or("–".into(), figure);
	format!("{} ± {}", text(mean), text(margin))
}

/// The report of a mixed population.
pub(super) fn simulation(report: &SimulationReport, source: &str) -> String {
	let mut out = String::new();
	let parameters = &report.config.parameters;
	line!(
		out,
		"{} jobs, {} matches, seed {}; θ = {}, n = {} ({source}); price {}",
		report.jobs,
		report.matches,
		report.config.seed,
		parameters.penalty_rate,
		parameters.verification_count,
		figure(parameters.price)
	);
	line!(
		out,
		"{} of the matches ended in mediation; fines per job {}",
		percent(report.mediation_rate),
		figure(report.fines_per_job)
	);
	if report.config.population.rigged_pairs > 0 {
		line!(
			out,
			"rigged pairs of directory and mediator gained {} per job",
			figure(report.rigged_gain_per_job)
		);
	}
	line!(out);
	line!(
		out,
		"{:50} {:>9} {:>9} {:>8} {:>21} {:>23}",
		"utility per job",
		"offers",
		"matches",
		"faulted",
		"mean",
		"compared with the first"
	);
	let mut side = None;
	for strategy in &report.strategies {
		if side != Some(strategy.role) {
			side = Some(strategy.role);
			let title = match strategy.role {
				Role::Creator => "job creators",
				Role::Provider => "resource providers",
			};
			line!(out, "{title}");
		}
		let verdict = match (strategy.loses(), strategy.gains()) {
			(true, _) => "loses",
			(_, true) => "GAINS",
			_ => "",
		};
		line!(
			out,
			"  {:48} {:>9} {:>9} {:>8} {:>21} {:>23} {verdict}",
			strategy.strategy,
			strategy.offers,
			strategy.matches,
			strategy.faulted,
			estimate((strategy.offers > 0).then_some(strategy.mean_utility), strategy.margin),
			estimate(strategy.versus_first, strategy.versus_first_margin),
		);
	}
	out
}

/// What was drawn, a path per line.
pub(super) fn plotted(plotted: &Plotted) -> String {
	let mut out = String::new();
	for path in &plotted.files {
		line!(out, "{}", path.display());
	}
	for LeftOut { picture, reason } in &plotted.left_out {
		line!(out, "{picture} is left out: {reason}");
	}
	out
}

/// The report of a learning population.
pub(super) fn trajectory(trajectory: &Trajectory, config: &AdaptiveConfig, source: &str) -> String {
	let mut out = String::new();
	let parameters = &config.parameters;
	line!(
		out,
		"{} creators and {} providers, {} rounds, seed {}; θ = {}, n = {} ({source})",
		config.agents,
		config.agents,
		config.rounds,
		config.seed,
		parameters.penalty_rate,
		parameters.verification_count
	);
	line!(out);
	line!(out, "{:>12} {:>12} {:>14} {:>14}", "round", "p_a", "executed", "verified");
	let rounds = &trajectory.rounds;
	let mut next = 1.0;
	for (index, round) in rounds.iter().enumerate() {
		if round.round >= next || index + 1 == rounds.len() {
			next = round.round * 2.0;
			line!(
				out,
				"{:>12} {:>12.6} {:>14} {:>14}",
				round.round,
				round.p_a,
				percent(round.p_e),
				percent(round.p_v)
			);
		}
	}
	let predicted = trajectory.predicted;
	line!(
		out,
		"{:>12} {:>12.6} {:>14} {:>14}",
		"predicted",
		predicted.p_a,
		percent(predicted.p_e),
		percent(predicted.p_v)
	);
	let (of_p_e, of_p_v) = trajectory.distance();
	line!(out, "{:>12} {:>12} {:>14} {:>14}", "distance", "", percent(of_p_e), percent(of_p_v));
	if !trajectory.arrived() {
		line!(out, "It is not there yet: take more --rounds.");
	}
	line!(out);
	line!(out, "mean utility of a creator per job   {}", figure(trajectory.creator_utility));
	line!(out, "mean utility of a provider per job  {}", figure(trajectory.provider_utility));
	out
}
