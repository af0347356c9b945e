// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum key`.

use crate::{
	context::Context,
	failure::{Exit, Outcome},
	keys::{self, Source},
	output::{aligned, Report},
};
use clap::{Args, Subcommand};
use modicum_chain_client::AccountId;
use serde::Serialize;
use std::path::PathBuf;

/// The verbs of `key`.
#[derive(Subcommand, Debug, Clone)]
pub enum KeyCommand {
	/// Make a new key, in a file that only you can read
	Generate(GenerateArgs),
	/// Show the account of the key in use; never the secret
	Inspect,
}

/// Arguments of `generate`.
#[derive(Args, Debug, Clone)]
pub struct GenerateArgs {
	/// The file to write; it must not be there [default: the one of account.key_file]
	#[arg(long, value_name = "FILE")]
	pub out: Option<PathBuf>,
}

/// A key, without its secret.
#[derive(Serialize)]
struct PublicKey {
	account: AccountId,
	public_key: String,
	/// `None`: from the environment.
	file: Option<PathBuf>,
}

impl Report for PublicKey {
	fn text(&self) -> String {
		let secret = match &self.file {
			Some(file) => file.display().to_string(),
			None => format!("environment variable {}", keys::SECRET_VARIABLE),
		};
		aligned(&[
			("account", self.account.to_string()),
			("public key", self.public_key.clone()),
			("secret in", secret),
		])
	}
}

/// Runs a command of `key`.
pub fn run(context: &Context, command: KeyCommand) -> Outcome {
	let (key, file) = match command {
		KeyCommand::Generate(args) => {
			let file = args.out.unwrap_or_else(|| context.config.key_file());
			(keys::generate(&file)?, Some(file))
		},
		KeyCommand::Inspect => match keys::load(&context.config)? {
			(key, Source::File(file)) => (key, Some(file)),
			(key, Source::Environment) => (key, None),
		},
	};
	let account = key.account();
	context.print(&PublicKey {
		account,
		public_key: format!("0x{}", hex::encode(account.0)),
		file,
	});
	Ok(Exit::Success)
}
