// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum completions` and `modicum man`.

use crate::{
	cli,
	failure::{Exit, Failure, Outcome},
};
use clap::Args;
use clap_complete::Shell;
use std::{io::Write, path::PathBuf};

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

/// Prints a shell's completions.
pub fn completions(args: &CompletionsArgs) -> Outcome {
	let mut script = Vec::new();
	clap_complete::generate(args.shell, &mut cli::command(), "modicum", &mut script);
	let _ = std::io::stdout().write_all(&script);
	Ok(Exit::Success)
}

/// Writes the manual.
pub fn man(args: &ManArgs) -> Outcome {
	match &args.out {
		Some(folder) => {
			std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
			clap_mangen::generate_to(cli::command(), folder)
				.map_err(|error| Failure::file(folder, error))?;
		},
		None => {
			let mut page = Vec::new();
			clap_mangen::Man::new(cli::command())
				.render(&mut page)
				.map_err(|error| Failure::internal(format!("the manual: {error}")))?;
			let _ = std::io::stdout().write_all(&page);
		},
	}
	Ok(Exit::Success)
}
