// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The command `modicum economics` on its own, without the other agents and without a chain.
//!
//! `cargo run -p modicum-economics --example economics -- check --verification-rate 0.01`

use std::process::ExitCode;

use clap::Parser;
use modicum_economics::cli::{run, ChainParameters, EconomicsArgs};

#[derive(Parser)]
#[command(name = "economics")]
struct Arguments {
	/// Print JSON
	#[arg(long, global = true)]
	json: bool,
	#[command(flatten)]
	economics: EconomicsArgs,
}

fn main() -> ExitCode {
	let arguments = Arguments::parse();
	match run(&arguments.economics, arguments.json, &ChainParameters::NotAsked) {
		Ok(answer) => {
			println!("{}", answer.text);
			if answer.is_good {
				ExitCode::SUCCESS
			} else {
				ExitCode::FAILURE
			}
		},
		Err(error) => {
			eprintln!("error: {error}");
			ExitCode::FAILURE
		},
	}
}
