// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The pictures of docs/economics.md, drawn from the model and from simulations.
//!
//! Each is drawn as SVG; [`render_png`] turns that into a bitmap with a font that travels inside
//! the program, so that it looks the same on a machine without any fonts.

mod canvas;

use serde::Serialize;

use crate::error::EconomicsError;
use crate::honesty::most_p_v;
use crate::parameters::Parameters;
use crate::simulation::{
	fictitious_play, replicate, simulate, AdaptiveConfig, Market, Population, Role,
	SimulationConfig,
};
pub use canvas::render_png;
use canvas::{draw_bars, draw_panel, page, Bar, Curve, Panel};

/// Points on a curve.
const POINTS: u32 = 400;

/// Upper end of the creator's panel in "value-of-cheating", in % of the price.
const MOST_GAIN_SHOWN: f64 = 12.0;

/// A finished picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
	/// File name without its ending.
	pub name: &'static str,
	/// The drawing.
	pub svg: String,
}

/// How much work goes into the pictures that show simulations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
	/// Jobs of the mixed population.
	pub jobs: u64,
	/// Rounds of the population that learns.
	pub rounds: u32,
	/// The same seed gives the same pictures.
	pub seed: u64,
}

impl Default for Effort {
	/// A million jobs and 20,000 rounds: about a second.
	fn default() -> Self {
		Self { jobs: 1_000_000, rounds: 20_000, seed: 1 }
	}
}

/// A picture that cannot be drawn on given terms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeftOut {
	/// Its name.
	pub picture: &'static str,
	/// What the model says.
	pub reason: String,
}

/// What [`draw_all`] drew, and what it could not.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
	/// The pictures.
	pub pictures: Vec<Picture>,
	/// Pictures of what does not exist on these terms, such as a mixed equilibrium, or whose axes
	/// would have no sensible divisions.
	pub left_out: Vec<LeftOut>,
}

/// Draws all pictures for matches on the terms of `parameters`.
///
/// # Errors
/// Those of [`Market::new`] and of the simulations; not that of a picture that is left out.
pub fn draw_all(parameters: &Parameters, effort: Effort) -> Result<Drawn, EconomicsError> {
	Market::new(parameters)?;
	let attempts = [
		("creator-honesty", creator_honesty()),
		("value-of-cheating", value_of_cheating(parameters)),
		("verification-rate", verification_rate(parameters)),
		("convergence", convergence(parameters, effort)),
		("circling", circling(parameters)),
		("strategies", strategies(parameters, effort)),
	];
	let mut drawn = Drawn { pictures: Vec::new(), left_out: Vec::new() };
	for (name, attempt) in attempts {
		match attempt {
			Ok(picture) => drawn.pictures.push(picture),
			Err(
				error @ (EconomicsError::NoMixedEquilibrium { .. }
				| EconomicsError::ProviderNotDeterred { .. }
				| EconomicsError::NotAPayoff { .. }
				| EconomicsError::Picture { .. }),
			) => drawn.left_out.push(LeftOut { picture: name, reason: error.to_string() }),
			Err(error) => return Err(error),
		}
	}
	Ok(drawn)
}

/// Values of `f` at evenly spread points.
fn curve(
	(from, to): (f64, f64),
	f: impl Fn(f64) -> Result<f64, EconomicsError>,
) -> Result<Vec<(f64, f64)>, EconomicsError> {
	(0..=POINTS)
		.map(|step| {
			let x = from + (to - from) * f64::from(step) / f64::from(POINTS);
			Ok((x, f(x)?))
		})
		.collect()
}

/// The parameters of the paper's Fig. 5: π_c = 2, g_m = 0, θ = 0, c_v = 1, b = 4.
fn figure_5(verification_count: u32) -> Parameters {
	Parameters {
		benefit: 4.0,
		verification_cost: 1.0,
		..Parameters::at_price(0, verification_count, 2.0)
	}
}

/// Fig. 5 of the paper: the derivative of the creator's utility by p_a for several n, and its
/// roots.
fn creator_honesty() -> Result<Picture, EconomicsError> {
	let mut curves = Vec::new();
	let mut dots = Vec::new();
	for n in [1, 2, 4, 6] {
		let parameters = figure_5(n);
		let root = parameters.best_p_a(1.0)?.p_a;
		let points = curve((0.0, 1.0), |p_a| parameters.creator_derivative(p_a, 1.0, 1.0))?;
		curves.push(Curve::new(format!("n = {n}: best p_a = {root:.3}"), points));
		dots.push((root, 0.0));
	}
	page("creator-honesty", (820, 500), |area| {
		draw_panel(
			area,
			&Panel {
				caption: "How honest a creator chooses to be: where its curve crosses zero",
				x: ("p_a (1 = fully honest)", 0.0, 1.0),
				y: ("∂U/∂p_a", -5.0, 18.0),
				logarithmic: false,
				curves,
				dots,
			},
		)
	})
}

/// What cheating is worth to a provider and to a creator against θ, for several n.
fn value_of_cheating(parameters: &Parameters) -> Result<Picture, EconomicsError> {
	let worst = |theta: f64, n| Parameters {
		penalty_rate: theta as u32,
		verification_count: n,
		..*parameters
	};
	let p_v = most_p_v(50, 2, 0.99)?;
	let thetas = || (0..=100).map(f64::from);
	let (mut of_provider, mut of_creator) = (Vec::new(), Vec::new());
	for n in [1, 2, 4, 6] {
		let mut points = Vec::new();
		let mut gains = Vec::new();
		for theta in thetas() {
			let terms = worst(theta, n);
			let utilities = terms.stage(terms.best_p_a(1.0)?.p_a)?.provider_utilities();
			let advantage = utilities.mean(0.0, p_v) - utilities.mean(1.0, p_v);
			points.push((theta, 100.0 * advantage / terms.price));
			let gain = 100.0 * terms.most_dishonest_gain()? / terms.price;
			// What lies above the panel would be drawn along its edge.
			if gain <= MOST_GAIN_SHOWN {
				gains.push((theta, gain));
			}
		}
		of_provider.push(Curve::new(format!("n = {n}"), points));
		of_creator.push(Curve::new(format!("n = {n}"), gains));
	}
	let low = lowest(&of_provider).min(-10.0);
	let high = highest(&of_provider).max(10.0);
	let provider_caption =
		format!("Provider: gain from cheating, creator verifies {:.2} %", p_v * 100.0);
	page("value-of-cheating", (1100, 460), |area| {
		let halves = area.split_evenly((1, 2));
		draw_panel(
			&halves[0],
			&Panel {
				caption: &provider_caption,
				x: ("penalty rate θ", 0.0, 100.0),
				y: ("% of the price, per job", low, high),
				logarithmic: false,
				curves: of_provider,
				dots: Vec::new(),
			},
		)?;
		draw_panel(
			&halves[1],
			&Panel {
				caption: "Creator: most it gains by a non-deterministic job",
				x: ("penalty rate θ", 0.0, 100.0),
				y: ("% of the price, per job", 0.0, MOST_GAIN_SHOWN),
				logarithmic: false,
				curves: of_creator,
				dots: Vec::new(),
			},
		)
	})
}

fn lowest(curves: &[Curve]) -> f64 {
	curves.iter().flat_map(|c| &c.points).map(|(_, y)| *y).fold(f64::INFINITY, f64::min)
}

fn highest(curves: &[Curve]) -> f64 {
	curves.iter().flat_map(|c| &c.points).map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max)
}

/// The verification rate against the provider's saving and against θ.
fn verification_rate(parameters: &Parameters) -> Result<Picture, EconomicsError> {
	let mut curves = Vec::new();
	for theta in [10, 25, 50, 100] {
		let terms = Parameters::at_price(theta, parameters.verification_count, 1.0);
		let p_a = terms.best_p_a(1.0)?.p_a;
		let points = curve((0.0, 1.0), |saving| {
			let costs = Parameters { execution_cost: saving, deception_cost: 0.0, ..terms };
			Ok(100.0 * costs.stage(p_a)?.indifferent_p_v()?)
		})?;
		curves.push(Curve::new(format!("θ = {theta}"), points));
	}
	let high = highest(&curves) * 1.4;
	page("verification-rate", (820, 460), |area| {
		draw_panel(
			area,
			&Panel {
				caption: "How many results a creator must verify to keep providers honest",
				x: ("what cheating saves the provider, as a share of the price", 0.0, 1.0),
				y: ("p_v in %", 0.0, high),
				logarithmic: false,
				curves,
				dots: Vec::new(),
			},
		)
	})
}

/// A population that learns, and the equilibrium it drifts to.
fn convergence(parameters: &Parameters, effort: Effort) -> Result<Picture, EconomicsError> {
	let config =
		AdaptiveConfig { rounds: effort.rounds, ..AdaptiveConfig::new(*parameters, effort.seed) };
	let trajectory = fictitious_play(&config)?;
	let end = f64::from(effort.rounds).log10().max(1.0);
	let predicted = |value: f64| Curve {
		label: format!("predicted: {:.2} %", value * 100.0),
		points: vec![(0.0, value * 100.0), (end, value * 100.0)],
		predicted: true,
	};
	let points = |of: fn(&crate::simulation::Round) -> f64| -> Vec<(f64, f64)> {
		trajectory.rounds.iter().map(|r| (r.round.log10(), 100.0 * of(r))).collect()
	};
	let executing = points(|round| round.p_e);
	let verifying = points(|round| round.p_v);
	let most = verifying.iter().map(|(_, y)| *y).fold(0.0, f64::max) * 1.1 + 1e-6;
	page("convergence", (1100, 460), |area| {
		let halves = area.split_evenly((1, 2));
		draw_panel(
			&halves[0],
			&Panel {
				caption: "Providers that learn: jobs executed so far",
				x: ("round", 0.0, end),
				y: ("%", 0.0, 119.0),
				logarithmic: true,
				curves: vec![
					Curve::new("executed", executing),
					predicted(trajectory.predicted.p_e),
				],
				dots: Vec::new(),
			},
		)?;
		draw_panel(
			&halves[1],
			&Panel {
				caption: "Creators that learn: results verified so far",
				x: ("round", 0.0, end),
				y: ("%", 0.0, most),
				logarithmic: true,
				curves: vec![
					Curve::new("verified", verifying),
					predicted(trajectory.predicted.p_v),
				],
				dots: Vec::new(),
			},
		)
	})
}

/// Replicator dynamics: the populations circle around the equilibrium.
fn circling(parameters: &Parameters) -> Result<Picture, EconomicsError> {
	let stage = parameters.stage(1.0)?;
	let (p_e, p_v) = (stage.indifferent_p_e()?, stage.indifferent_p_v()?);
	let mut curves = Vec::new();
	let mut highest_p_v: f64 = p_v;
	for (label, factor) in [("start: p_v × 1.5", 1.5), ("start: p_v × 3", 3.0)] {
		let config = AdaptiveConfig {
			rounds: 20_000,
			first_belief: (p_e, (p_v * factor).min(0.99)),
			..AdaptiveConfig::new(*parameters, 0)
		};
		let trajectory = replicate(&config, 1.0, 0.02)?;
		let orbit: Vec<(f64, f64)> =
			trajectory.rounds.iter().map(|r| (100.0 * r.p_e_now, 100.0 * r.p_v_now)).collect();
		highest_p_v = trajectory.rounds.iter().map(|r| r.p_v_now).fold(highest_p_v, f64::max);
		curves.push(Curve::new(label, orbit));
	}
	page("circling", (820, 460), |area| {
		draw_panel(
			area,
			&Panel {
				caption: "Imitators circle around the equilibrium (dot)",
				x: ("jobs executed, %", 0.0, 100.0),
				y: ("results verified, %", 0.0, 130.0 * highest_p_v),
				logarithmic: false,
				curves,
				dots: vec![(100.0 * p_e, 100.0 * p_v)],
			},
		)
	})
}

/// What each strategy of a mixed population gains or loses against honesty.
fn strategies(parameters: &Parameters, effort: Effort) -> Result<Picture, EconomicsError> {
	let population = Population::mixed(parameters)?;
	let config = SimulationConfig::new(*parameters, population, effort.jobs, effort.seed);
	let report = simulate(&config)?;
	let share = 100.0 / parameters.price;
	let bars = report.strategies.iter().filter_map(|strategy| {
		let side = if strategy.role == Role::Creator { "creator" } else { "provider" };
		let (difference, margin) = strategy.difference()?;
		let value = share * difference;
		let label = format!("{side}: {}  {value:+.0}", strategy.strategy);
		// The first of each side is what the others are compared with.
		(difference != 0.0).then_some(Bar { label, value, margin: share * margin })
	});
	let bars: Vec<Bar> = bars.collect();
	page("strategies", (1040, 90 + 34 * bars.len() as u32), |area| {
		draw_bars(
			area,
			"Utility per job, compared with the honest of the same side",
			"% of the price, with 95 % confidence interval; from ±10 on, every step is tenfold",
			&bars,
		)
	})
}
