// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The measured weights: few storage items for the calls of every job, and a table in the README that is current.

/// What was measured. The first implementation has the comments and the runtime's database weights.
fn measured() -> &'static str {
	let weights = include_str!("../weights.rs");
	let begin = weights.find("WeightInfo for SubstrateWeight").expect("the template writes it");
	let end = weights.find("impl WeightInfo for ()").expect("the template writes it");
	&weights[begin..end]
}

/// One call's figures: a constant, and a slope if the weight depends on the size of an argument.
#[derive(Default)]
struct Figures {
	name: String,
	/// What there can be several of.
	unit: &'static str,
	/// Picoseconds, without the database.
	time: [u64; 2],
	/// Bytes.
	proof: [u64; 2],
	reads: [u64; 2],
	writes: [u64; 2],
	/// Storage items that are read or written; one that is both counts once.
	items: u64,
}

/// The number that `text` starts with.
fn number(text: &str) -> u64 {
	let digits: String = text
		.chars()
		.take_while(|char| char.is_ascii_digit() || *char == '_')
		.filter(char::is_ascii_digit)
		.collect();
	digits.parse().unwrap()
}

/// The number after `prefix` in `text`.
fn after(text: &str, prefix: &str) -> Option<u64> {
	text.split_once(prefix).map(|(_, rest)| number(rest))
}

/// The figures of all calls, in the file's order.
fn figures() -> Vec<Figures> {
	let mut all = Vec::new();
	let mut items = 0;
	for line in measured().lines().map(str::trim) {
		if let Some(rest) = line.strip_prefix("fn ") {
			let (name, parameters) = rest.split_once('(').unwrap();
			let unit = match parameters.trim_start_matches('_') {
				parameters if parameters.starts_with("r:") => "run",
				parameters if parameters.starts_with("n:") => "entry",
				_ => "",
			};
			let name = name.into();
			all.push(Figures {
				name,
				unit,
				items: std::mem::take(&mut items),
				..Default::default()
			});
		} else if line.starts_with("/// Storage: ") {
			items += after(line, "(r:").unwrap().max(after(line, " w:").unwrap());
		} else if let Some(call) = all.last_mut().filter(|_| !line.starts_with("//")) {
			let slope = usize::from(line.contains(".saturating_mul("));
			if let Some((_, parts)) = line.split_once("Weight::from_parts(") {
				call.time[slope] += number(parts);
				call.proof[slope] += after(parts, ", ").unwrap();
			} else if let Some((_, reads)) = line.split_once(".reads(") {
				call.reads[slope] += number(reads.trim_start_matches('('));
			} else if let Some((_, writes)) = line.split_once(".writes(") {
				call.writes[slope] += number(writes.trim_start_matches('('));
			}
		}
	}
	all
}

/// A column's figure: `constant + slope per unit`.
fn cell([constant, slope]: [u64; 2], unit: &str, show: impl Fn(u64) -> String) -> String {
	match slope {
		0 => show(constant),
		_ => format!("{} + {} per {unit}", show(constant), show(slope)),
	}
}

fn table() -> String {
	let micros = |picoseconds: u64| format!("{:.1} µs", picoseconds as f64 / 1e6);
	let plain = |number: u64| number.to_string();
	let mut table =
		String::from("| call | time | proof, bytes | reads | writes |\n|---|---|---|---|---|\n");
	for call in figures() {
		table += &format!(
			"| `{}` | {} | {} | {} | {} |\n",
			call.name,
			cell(call.time, call.unit, micros),
			cell(call.proof, call.unit, plain),
			cell(call.reads, call.unit, plain),
			cell(call.writes, call.unit, plain),
		);
	}
	table
}

/// `MODICUM_WRITE_WEIGHTS=1` writes the table instead; `make weights` does.
#[test]
fn the_readme_has_the_measured_weights() {
	let path = "README.md";
	let readme = std::fs::read_to_string(path).unwrap();
	let begin = readme.find("| call | time |").expect("the README has the table");
	let end = begin + readme[begin..].find("\n\n").expect("text follows the table") + 1;
	if std::env::var_os("MODICUM_WRITE_WEIGHTS").is_some() {
		std::fs::write(path, [&readme[..begin], &table(), &readme[end..]].concat()).unwrap();
	} else {
		assert_eq!(readme[begin..end], table(), "run `make weights`");
	}
}

#[test]
fn the_calls_of_every_job_touch_few_items() {
	let figures = figures();
	for name in ["post_match", "post_result", "accept_result"] {
		let call = figures.iter().find(|call| call.name == name).unwrap();
		assert!((1..20).contains(&call.items), "{name} touches {} items", call.items);
	}
}
