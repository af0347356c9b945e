// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum config`.

use crate::{
	cli::GlobalArgs,
	config::{given_file, template, usual_file, Loaded, Source, KEYS},
	failure::{Exit, Failure, Outcome},
	output::{self, Report},
};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::{
	collections::BTreeMap,
	fs::OpenOptions,
	io::{ErrorKind, Write},
	path::PathBuf,
};

/// The verbs of `config`.
#[derive(Subcommand, Debug, Clone)]
pub enum ConfigCommand {
	/// Write a file with every setting, explained
	Init(InitArgs),
	/// Check all settings, and show each and where it comes from
	Check,
}

/// Arguments of `init`.
#[derive(Args, Debug, Clone)]
pub struct InitArgs {
	/// The file to write [default: the one that --config names, or ~/.config/modicum/modicum.toml]
	#[arg(long, value_name = "FILE")]
	pub out: Option<PathBuf>,
	/// Overwrite a file that is there
	#[arg(long)]
	pub force: bool,
}

/// A file that was written.
#[derive(Serialize)]
struct Written {
	file: PathBuf,
}

impl Report for Written {
	fn text(&self) -> String {
		format!("written to {}", self.file.display())
	}
}

/// Settings that are in order.
#[derive(Serialize)]
struct Checked {
	file: Option<PathBuf>,
	settings: BTreeMap<&'static str, Setting>,
}

#[derive(Serialize)]
struct Setting {
	value: serde_json::Value,
	source: Source,
}

impl Report for Checked {
	fn text(&self) -> String {
		let file = match &self.file {
			Some(file) => file.display().to_string(),
			None => "none; `modicum config init` writes one".into(),
		};
		let mut lines = vec![("file", file)];
		for (key, setting) in &self.settings {
			lines.push((key, format!("{}  ({})", setting.value, setting.source.text())));
		}
		output::aligned(&lines)
	}
}

/// Runs a command of `config`.
pub fn run(command: ConfigCommand, global: &GlobalArgs) -> Outcome {
	let given = given_file(global.config.as_deref());
	match command {
		ConfigCommand::Init(args) => {
			let file = args.out.or(given).unwrap_or_else(usual_file);
			init(&file, args.force)?;
			output::print(global.output, &Written { file });
		},
		ConfigCommand::Check => {
			let environment = |name: &str| std::env::var(name).ok();
			let settings = global.settings();
			let loaded = Loaded::read(given.as_deref(), &environment, &settings)?;
			output::print(global.output, &checked(&loaded)?);
		},
	}
	Ok(Exit::Success)
}

fn init(file: &PathBuf, force: bool) -> Outcome<()> {
	if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
		std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
	}
	let mut options = OpenOptions::new();
	options.write(true).create_new(!force).create(force).truncate(force);
	let written = options.open(file).and_then(|mut f| f.write_all(template().as_bytes()));
	written.map_err(|error| match error.kind() {
		ErrorKind::AlreadyExists => {
			Failure::file(file, "there is a file already; --force overwrites it")
		},
		_ => Failure::file(file, error),
	})
}

fn checked(loaded: &Loaded) -> Outcome<Checked> {
	let values = serde_json::to_value(&loaded.config).map_err(Failure::internal)?;
	let setting = |name: &'static str| {
		let value = name.split('.').fold(&values, |value, part| &value[part]).clone();
		let source = loaded.sources.get(name).cloned().unwrap_or(Source::Default);
		(name, Setting { value, source })
	};
	let settings = KEYS.iter().map(|key| setting(key.name)).collect();
	Ok(Checked { file: loaded.file.clone(), settings })
}
