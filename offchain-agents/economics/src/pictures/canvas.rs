// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How pictures are drawn: pages, panels of curves, bars, and the bitmap of a drawing.

use std::sync::Arc;

use plotters::coord::types::RangedCoordf64;
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use resvg::{tiny_skia, usvg};

use super::Picture;
use crate::error::EconomicsError;

/// Colours that people with any kind of colour vision can tell apart (Okabe and Ito's set).
const COLOURS: [RGBColor; 6] = [
	RGBColor(0, 114, 178),
	RGBColor(213, 94, 0),
	RGBColor(0, 158, 115),
	RGBColor(204, 121, 167),
	RGBColor(86, 180, 233),
	RGBColor(230, 159, 0),
];

/// How many pixels of the bitmap one unit of the drawing takes.
const PNG_SCALE: f32 = 2.0;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

type BarChart<'b, 'a> =
	ChartContext<'b, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

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
pub(super) struct Curve {
	pub(super) label: String,
	pub(super) points: Vec<(f64, f64)>,
	/// Drawn as a thin dashed line: what theory predicts.
	pub(super) predicted: bool,
}

impl Curve {
	pub(super) fn new(label: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
		Self { label: label.into(), points, predicted: false }
	}
}

/// One pair of axes with curves.
pub(super) struct Panel<'a> {
	pub(super) caption: &'a str,
	/// What the axis shows, and its ends.
	pub(super) x: (&'a str, f64, f64),
	/// The same of the other axis.
	pub(super) y: (&'a str, f64, f64),
	/// The x axis shows powers of ten.
	pub(super) logarithmic: bool,
	pub(super) curves: Vec<Curve>,
	/// Points to mark.
	pub(super) dots: Vec<(f64, f64)>,
}

/// Draws with `draw` on a white page of `size`.
///
/// # Errors
/// [`EconomicsError::Picture`].
pub(super) fn page(
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

/// Widest and narrowest axis: the library needs very long to divide others.
const WIDEST: f64 = 1e12;
const NARROWEST: f64 = 1e-9;

/// Draws one panel.
///
/// # Errors
/// An axis is wider or narrower than can be drawn, or the library refuses.
pub(super) fn draw_panel(area: &Area<'_>, panel: &Panel<'_>) -> Result<(), String> {
	for (name, low, high) in [panel.x, panel.y] {
		if !(NARROWEST..=WIDEST).contains(&(high - low)) {
			return Err(format!("the axis \"{name}\" from {low:e} to {high:e} cannot be divided"));
		}
	}
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

/// One bar of a bar chart and its confidence interval.
pub(super) struct Bar {
	pub(super) label: String,
	pub(super) value: f64,
	/// Half the width of the interval.
	pub(super) margin: f64,
}

/// Where a value lies on an axis that is even up to ±10 and logarithmic beyond: 0, 10, 100 and
/// 1,000 are one step apart.
fn step(value: f64) -> f64 {
	let tens = value.abs() / 10.0;
	value.signum() * if tens <= 1.0 { tens } else { 1.0 + tens.log10() }
}

/// The value at a whole number of steps.
fn at_step(step: f64) -> f64 {
	if step.abs() < 0.5 {
		0.0
	} else {
		step.signum() * 10_f64.powf(step.abs())
	}
}

/// Draws a bar, its confidence interval and its label for each of `bars`, from the top down.
///
/// # Errors
/// What the library says.
pub(super) fn draw_bars(
	area: &Area<'_>,
	caption: &str,
	axis: &str,
	bars: &[Bar],
) -> Result<(), String> {
	let fail = |error: DrawingAreaErrorKind<std::io::Error>| error.to_string();
	let ends = |sign: f64| {
		let ends = bars.iter().map(|bar| sign * step(bar.value) + 0.2);
		sign * ends.fold(1.0, f64::max).ceil()
	};
	let (low, high) = (ends(-1.0), ends(1.0));
	let mut chart = ChartBuilder::on(area)
		.caption(caption, ("sans-serif", 18))
		.margin(12)
		.x_label_area_size(44)
		.y_label_area_size(370)
		.build_cartesian_2d(low..high, -0.6..bars.len() as f64 - 0.4)
		.map_err(fail)?;
	chart
		.configure_mesh()
		.disable_y_mesh()
		.disable_y_axis()
		.light_line_style(WHITE)
		.bold_line_style(RGBColor(225, 225, 225))
		.x_desc(axis)
		.x_labels((high - low) as usize + 1)
		.x_label_formatter(&|x| short(at_step(*x)))
		.axis_desc_style(("sans-serif", 15))
		.label_style(("sans-serif", 13))
		.draw()
		.map_err(fail)?;
	for (index, bar) in bars.iter().enumerate() {
		let y = (bars.len() - 1 - index) as f64;
		draw_bar(area, &mut chart, bar, y).map_err(fail)?;
	}
	Ok(())
}

fn draw_bar<'a, 'b>(
	area: &Area<'a>,
	chart: &mut BarChart<'b, 'a>,
	Bar { label, value, margin }: &Bar,
	y: f64,
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
	let colour = if *value < 0.0 { COLOURS[1] } else { COLOURS[0] };
	let bar = [(0.0, y - 0.3), (step(*value), y + 0.3)];
	chart.draw_series([Rectangle::new(bar, colour.filled())])?;
	let interval = [(step(value - margin), y), (step(value + margin), y)];
	chart.draw_series([PathElement::new(interval, BLACK.stroke_width(2))])?;
	let (_, pixel) = chart.backend_coord(&(chart.x_range().start, y));
	let style =
		("sans-serif", 14).into_text_style(area).pos(plotters::style::text_anchor::Pos::new(
			plotters::style::text_anchor::HPos::Right,
			plotters::style::text_anchor::VPos::Center,
		));
	area.draw_text(label, &style, (370, pixel))
}
