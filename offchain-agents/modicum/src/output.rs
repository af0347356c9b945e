// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What commands print: a text for people or JSON for programs, on the standard output; failures on the error
//! output.

use crate::failure::{Exit, Failure};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;
use std::io::Write;

/// How answers are printed.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
	/// For people.
	#[default]
	Text,
	/// For programs.
	Json,
}

/// What a command has to say.
pub trait Report: Serialize {
	/// For people; without a newline at the end.
	fn text(&self) -> String;
}

/// Prints a command's answer.
pub fn print(format: Format, report: &impl Report) {
	let answer = match format {
		Format::Text => report.text(),
		Format::Json => serde_json::to_string_pretty(report)
			.expect("reports have string keys and numbers that JSON has; qed"),
	};
	print_line(&answer);
}

/// Prints a text. A reader that has gone, such as `head`, is no failure.
pub fn print_line(text: &str) {
	let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints why a command failed.
pub fn print_failure(format: Format, failure: &Failure) {
	let text = match format {
		Format::Text if failure.exit == Exit::Interrupted => failure.to_string(),
		Format::Text => format!("error: {failure}"),
		Format::Json => json!({
			"error": {
				"name": failure.exit.name(),
				"exit_code": failure.exit.code(),
				"message": failure.message,
			}
		})
		.to_string(),
	};
	let _ = writeln!(std::io::stderr(), "{text}");
}

/// So many files.
pub fn files(count: usize) -> String {
	counted(count, ["file", "files"])
}

/// So many of what has this name for one and for several.
pub fn counted(count: usize, [one, several]: [&str; 2]) -> String {
	format!("{count} {}", if count == 1 { one } else { several })
}

/// Lines of a name and a value each, the values one below the other.
pub fn aligned(lines: &[(&str, String)]) -> String {
	let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 2;
	let lines: Vec<_> = lines
		.iter()
		.map(|(name, value)| format!("{name:<width$}{value}").trim_end().to_string())
		.collect();
	lines.join("\n")
}
