// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The pictures of docs/economics.md, drawn from the model and from simulations.
//!
//! Each is drawn as SVG; [`render_png`] turns that into a bitmap with a font that travels inside
//! the program, so that it looks the same on a machine without any fonts.

use std::sync::Arc;

use plotters::coord::types::RangedCoordf64;
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use resvg::{tiny_skia, usvg};

use crate::error::EconomicsError;
use crate::honesty::most_p_v;
use crate::parameters::Parameters;
use crate::simulation::{
	fictitious_play, replicate, simulate, AdaptiveConfig, Population, Role, SimulationConfig,
};

/// Colours that people with any kind of colour vision can tell apart (Okabe and Ito's set).
const COLOURS: [RGBColor; 6] = [
	RGBColor(0, 114, 178),
	RGBColor(213, 94, 0),
	RGBColor(0, 158, 115),
	RGBColor(204, 121, 167),
	RGBColor(86, 180, 233),
	RGBColor(230, 159, 0),
];

/// Points on a curve.
const POINTS: u32 = 400;

/// Upper end of the creator's panel in "value-of-cheating", in % of the price.
const MOST_GAIN_SHOWN: f64 = 12.0;

/// How many pixels of the bitmap one unit of the drawing takes.
const PNG_SCALE: f32 = 2.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

type BarChart<'b, 'a> =
	ChartContext<'b, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

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

/// Draws all pictures for matches on the terms of `parameters`.
///
/// # Errors
/// Those of the model and of the simulations, and [`EconomicsError::Picture`].
pub fn draw_all(parameters: &Parameters, effort: Effort) -> Result<Vec<Picture>, EconomicsError> {
	parameters.check_constraints()?;
	Ok(vec![
		creator_honesty()?,
		value_of_cheating(parameters)?,
		verification_rate(parameters)?,
		convergence(parameters, effort)?,
		circling(parameters)?,
		strategies(parameters, effort)?,
	])
}

/// Turns a drawing into a PNG file's bytes.
///
/// # Errors
/// [`EconomicsError::Picture`] if the drawing cannot be read or is too large.
pub fn render_png(picture: &Picture) -> Result<Vec<u8>, EconomicsError> {
	let failed = |reason: String| EconomicsError::Picture { picture: picture.name, reason };
	let mut fonts = usvg::fontdb::Database::new();
	fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
	let family = fonts.faces().next().and_then(|face| face.families.first().cloned());
	let (family, _) = family.ok_or_else(|| failed("the built-in font has no name".into()))?;
	fonts.set_sans_serif_family(family);
	let options = usvg::Options { fontdb: Arc::new(fonts), ..usvg::Options::default() };
	let tree = usvg::Tree::from_str(&picture.svg, &options).map_err(|e| failed(e.to_string()))?;
	let size = tree.size().to_int_size().scale_by(PNG_SCALE);
	let size = size.ok_or_else(|| failed("it is empty".into()))?;
	let mut bitmap = tiny_skia::Pixmap::new(size.width(), size.height())
		.ok_or_else(|| failed("it is too large".into()))?;
	let scale = tiny_skia::Transform::from_scale(PNG_SCALE, PNG_SCALE);
	resvg::render(&tree, scale, &mut bitmap.as_mut());
	bitmap.encode_png().map_err(|e| failed(e.to_string()))
}

/// One curve of a panel.
struct Curve {
	label: String,
	points: Vec<(f64, f64)>,
	/// Drawn as a thin dashed line: what theory predicts.
	predicted: bool,
}

impl Curve {
	fn new(label: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
		Self { label: label.into(), points, predicted: false }
	}
}

/// One pair of axes with curves.
struct Panel<'a> {
	caption: &'a str,
	x: (&'a str, f64, f64),
	y: (&'a str, f64, f64),
	/// The x axis shows powers of ten.
	logarithmic: bool,
	curves: Vec<Curve>,
	/// Points to mark.
	dots: Vec<(f64, f64)>,
}

/// Draws with `draw` on a white page of `size`.
fn page(
	name: &'static str,
	size: (u32, u32),
	draw: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<Picture, EconomicsError> {
	let mut svg = String::new();
	let drawn = {
		let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
		area.fill(&WHITE)
			.map_err(|error| error.to_string())
			.and_then(|()| draw(&area))
			.and_then(|()| area.present().map_err(|error| error.to_string()))
	};
	drawn.map_err(|reason| EconomicsError::Picture { picture: name, reason })?;
	Ok(Picture { name, svg })
}

/// Draws one panel.
fn draw_panel(area: &Area<'_>, panel: &Panel<'_>) -> Result<(), String> {
	let fail = |error: DrawingAreaErrorKind<std::io::Error>| error.to_string();
	let mut chart = ChartBuilder::on(area)
		.caption(panel.caption, ("sans-serif", 18))
		.margin(12)
		.x_label_area_size(44)
		.y_label_area_size(60)
		.build_cartesian_2d(panel.x.1..panel.x.2, panel.y.1..panel.y.2)
		.map_err(fail)?;
	let tick = |x: &f64| {
		if panel.logarithmic {
			format!("{:.0}", 10_f64.powf(*x))
		} else {
			short(*x)
		}
	};
	chart
		.configure_mesh()
		.light_line_style(WHITE)
		.bold_line_style(RGBColor(225, 225, 225))
		.x_desc(panel.x.0)
		.y_desc(panel.y.0)
		.x_labels(if panel.logarithmic { 5 } else { 8 })
		.x_label_formatter(&tick)
		.y_label_formatter(&|y| short(*y))
		.axis_desc_style(("sans-serif", 15))
		.label_style(("sans-serif", 13))
		.draw()
		.map_err(fail)?;
	for (index, curve) in panel.curves.iter().enumerate() {
		let colour = COLOURS[index % COLOURS.len()];
		let points = curve.points.iter().copied();
		let legend = move |(x, y): (i32, i32)| {
			PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2))
		};
		if curve.predicted {
			chart
				.draw_series(DashedLineSeries::new(points, 6, 5, BLACK.stroke_width(1)))
				.map_err(fail)?
				.label(&curve.label)
				.legend(|(x, y)| {
					DashedPathElement::new([(x, y), (x + 20, y)], 5, 4, BLACK.stroke_width(1))
				});
		} else {
			chart
				.draw_series(LineSeries::new(points, colour.stroke_width(2)))
				.map_err(fail)?
				.label(&curve.label)
				.legend(legend);
		}
	}
	chart
		.draw_series(panel.dots.iter().map(|point| Circle::new(*point, 4, BLACK.filled())))
		.map_err(fail)?;
	chart
		.configure_series_labels()
		.position(SeriesLabelPosition::UpperRight)
		.background_style(WHITE.mix(0.85))
		.border_style(RGBColor(200, 200, 200))
		.label_font(("sans-serif", 14))
		.draw()
		.map_err(fail)?;
	Ok(())
}

/// A number as short as it can be without lying.
fn short(value: f64) -> String {
	let text = format!("{value:.4}");
	let text = text.trim_end_matches('0').trim_end_matches('.');
	if text == "-0" {
		"0".into()
	} else {
		text.to_string()
	}
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
	let bars: Vec<(String, f64, f64)> = report
		.strategies
		.iter()
		.filter(|strategy| strategy.versus_first != 0.0)
		.map(|strategy| {
			let side = if strategy.role == Role::Creator { "creator" } else { "provider" };
			let share = 100.0 / parameters.price;
			let value = share * strategy.versus_first;
			(
				format!("{side}: {}  {value:+.0}", strategy.strategy),
				value,
				share * strategy.versus_first_margin,
			)
		})
		.collect();
	let count = bars.len() as i32;
	let edge = |sign: f64| {
		let ends = bars.iter().map(|(_, value, margin)| sign * value + margin);
		sign * ends.fold(10.0, f64::max) * 1.1
	};
	let (low, high) = (edge(-1.0), edge(1.0));
	page("strategies", (1040, 90 + 34 * count as u32), |area| {
		let fail = |error: DrawingAreaErrorKind<std::io::Error>| error.to_string();
		let mut chart = ChartBuilder::on(area)
			.caption(
				"Utility per job, compared with the honest of the same side",
				("sans-serif", 18),
			)
			.margin(12)
			.x_label_area_size(44)
			.y_label_area_size(370)
			.build_cartesian_2d(low..high, -0.6..f64::from(count) - 0.4)
			.map_err(fail)?;
		chart
			.configure_mesh()
			.disable_y_mesh()
			.disable_y_axis()
			.light_line_style(WHITE)
			.bold_line_style(RGBColor(225, 225, 225))
			.x_desc("% of the price, with 95 % confidence interval")
			.x_label_formatter(&|x| short(*x))
			.axis_desc_style(("sans-serif", 15))
			.label_style(("sans-serif", 13))
			.draw()
			.map_err(fail)?;
		draw_bars(area, &mut chart, &bars).map_err(fail)
	})
}

/// A bar, its confidence interval and its label for every strategy, from the top down.
fn draw_bars<'a, 'b>(
	area: &Area<'a>,
	chart: &mut BarChart<'b, 'a>,
	bars: &[(String, f64, f64)],
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
	let low = chart.x_range().start;
	for (index, (label, value, margin)) in bars.iter().enumerate() {
		let y = (bars.len() - 1 - index) as f64;
		let colour = if *value < 0.0 { COLOURS[1] } else { COLOURS[0] };
		chart
			.draw_series([Rectangle::new([(0.0, y - 0.3), (*value, y + 0.3)], colour.filled())])?;
		chart.draw_series([PathElement::new(
			[(value - margin, y), (value + margin, y)],
			BLACK.stroke_width(2),
		)])?;
		let (_, pixel) = chart.backend_coord(&(low, y));
		let style =
			("sans-serif", 14).into_text_style(area).pos(plotters::style::text_anchor::Pos::new(
				plotters::style::text_anchor::HPos::Right,
				plotters::style::text_anchor::VPos::Center,
			));
		area.draw_text(label, &style, (370, pixel))?;
	}
	Ok(())
}
