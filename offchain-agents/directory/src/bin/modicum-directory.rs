// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The directory alone, without a chain: for trying it by hand and for the tests. In production the
//! binary `modicum` runs it with the rules of the market.

use clap::{Parser, Subcommand};
use modicum_directory::{
	access::StandalonePolicy,
	account::AccountId,
	cli::{self, DirectoryCommand, RunArgs, VerifyCommand},
	service::Identity,
	sign,
};
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use tokio_util::sync::CancellationToken;

/// A directory that serves a fixed set of accounts, of no chain.
#[derive(Parser)]
#[command(version)]
struct Arguments {
	/// File with the seed of the account to act as; made if it is not there.
	#[arg(long, global = true, default_value = "directory-seed")]
	key: PathBuf,
	#[command(subcommand)]
	command: Command,
}

#[derive(Subcommand)]
enum Command {
	/// Serve without a chain: everybody may read, the accounts named may write.
	RunAlone {
		#[command(flatten)]
		run: RunArgs,
		/// An account that may write; several times for several.
		#[arg(long, value_name = "SS58")]
		writer: Vec<AccountId>,
		/// Let everybody write without a login.
		#[arg(long)]
		public_write: bool,
		/// Let nobody read without a login.
		#[arg(long)]
		private: bool,
	},
	#[command(flatten)]
	Directory(DirectoryCommand),
}

/// The genesis hash of no chain.
const NO_CHAIN: [u8; 32] = [0; 32];

#[tokio::main]
async fn main() -> ExitCode {
	let filter = tracing_subscriber::EnvFilter::try_from_default_env()
		.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
	tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
	match execute(Arguments::parse()).await {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("error: {error}");
			ExitCode::FAILURE
		},
	}
}

type Failure = Box<dyn std::error::Error>;

async fn execute(arguments: Arguments) -> Result<(), Failure> {
	let keypair = || sign::read_or_make_seed_file(&arguments.key);
	match arguments.command {
		Command::RunAlone { run, writer, public_write, private } => {
			let policy = StandalonePolicy {
				writers: writer.into_iter().collect(),
				public_read: !private,
				public_write,
			};
			let identity = Identity { keypair: keypair()?, genesis: NO_CHAIN };
			let shutdown = CancellationToken::new();
			tokio::spawn(stop_on_signal(shutdown.clone()));
			cli::run(run.settings()?, identity, Arc::new(policy), shutdown).await?;
		},
		Command::Directory(DirectoryCommand::Run(_)) => {
			return Err("without a chain use run-alone".into());
		},
		Command::Directory(DirectoryCommand::Login(args)) => {
			let login = cli::login(&args, &keypair()?, &NO_CHAIN).await?;
			println!("docker login --username {} --password-stdin {}", login.user, login.registry);
			println!("{}", login.password);
		},
		Command::Directory(DirectoryCommand::Verify(VerifyCommand::Receipt(args))) => {
			println!("{}", serde_json::to_string_pretty(&cli::verify_receipt(&args)?)?);
		},
		Command::Directory(DirectoryCommand::Verify(VerifyCommand::Uptime(args))) => {
			let report = cli::verify_uptime(&args).await?;
			println!("{}", serde_json::to_string_pretty(&report)?);
		},
		Command::Directory(DirectoryCommand::Status(args)) => {
			println!("{}", serde_json::to_string_pretty(&cli::status(&args).await?)?);
		},
		Command::Directory(DirectoryCommand::Gc(args)) => {
			println!("{}", serde_json::to_string_pretty(&cli::gc(&args).await?)?);
		},
		Command::Directory(DirectoryCommand::Export(args)) => {
			println!("{:?}", cli::export(&args).await?);
		},
	}
	Ok(())
}

async fn stop_on_signal(shutdown: CancellationToken) {
	use tokio::signal::unix::{signal, SignalKind};
	match signal(SignalKind::terminate()) {
		Ok(mut terminate) => tokio::select! {
			_ = terminate.recv() => {},
			_ = tokio::signal::ctrl_c() => {},
		},
		Err(_) => drop(tokio::signal::ctrl_c().await),
	}
	shutdown.cancel();
}
