// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum completions` and `modicum man`.

use crate::{
	cli,
	failure::{Exit, Failure, Outcome},
	output::{self, Format, Report},
};
use clap::Args;
use clap_complete::Shell;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `completions`.
#[derive(Args, Debug, Clone)]
pub struct CompletionsArgs {
	/// The shell
	pub shell: Shell,
}

/// Arguments of `man`.
#[derive(Args, Debug, Clone)]
pub struct ManArgs {
	/// A folder to write one page for each command to; without it, the first page is printed
	#[arg(long, value_name = "FOLDER")]
	pub out: Option<PathBuf>,
}

/// A text that was made.
#[derive(Serialize)]
struct Made {
	content: String,
}

impl Made {
	fn new(bytes: Vec<u8>) -> Outcome<Self> {
		String::from_utf8(bytes).map(|content| Self { content }).map_err(Failure::internal)
	}
}

impl Report for Made {
	fn text(&self) -> String {
		self.content.trim_end().into()
	}
}

/// Where the manual's pages are.
#[derive(Serialize)]
struct Written {
	folder: PathBuf,
}

impl Report for Written {
	fn text(&self) -> String {
		format!("written to {}", self.folder.display())
	}
}

/// Prints a shell's completions.
pub fn completions(format: Format, args: &CompletionsArgs) -> Outcome {
	let mut script = Vec::new();
	clap_complete::generate(args.shell, &mut cli::command(), "modicum", &mut script);
	output::print(format, &Made::new(script)?);
	Ok(Exit::Success)
}

/// Writes the manual.
pub fn man(format: Format, args: &ManArgs) -> Outcome {
	match &args.out {
		Some(folder) => {
			std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
			clap_mangen::generate_to(cli::command(), folder)
				.map_err(|error| Failure::file(folder, error))?;
			output::print(format, &Written { folder: folder.clone() });
		},
		None => {
			let mut page = Vec::new();
			clap_mangen::Man::new(cli::command())
				.render(&mut page)
				.map_err(|error| Failure::internal(format!("the manual: {error}")))?;
			output::print(format, &Made::new(page)?);
		},
	}
	Ok(Exit::Success)
}
