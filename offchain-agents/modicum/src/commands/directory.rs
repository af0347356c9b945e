// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum directory`.

use crate::{
	amount::Amount,
	commands::{account::Done, chain::time_of, lists, roles::WhoArgs},
	context::Context,
	directory_view::MarketView,
	failure::{Exit, Failure, Outcome},
	keys,
	output::{aligned, print_line, Format, Report},
};
use bytesize::ByteSize;
use clap::{Args, Subcommand};
use modicum_chain_client::{AccountId, Call};
use modicum_directory::{
	access::MarketPolicy,
	cli::{self, AdminArgs, CliError, Credentials, ExportArgs, LoginArgs, VerifyCommand},
	service::Identity,
};
use serde::Serialize;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// The verbs of `directory`.
#[derive(Subcommand, Debug)]
pub enum DirectoryCommand {
	/// Become a directory; a storage deposit is held until you leave
	Register(RegisterArgs),
	/// Leave; not while a match uses you
	Deregister,
	/// Show a directory as the chain knows it
	Show(WhoArgs),
	/// List all directories, with their terms and records
	List,
	/// Serve jobs, data and results by the rules of the market, until interrupted
	Run(RunArgs),
	/// Sign a login and print user and password for `docker login` or skopeo
	Login(LoginArgs),
	/// Check a receipt or a record of uptime
	#[command(subcommand)]
	Verify(VerifyCommand),
	/// Show how a running directory is
	Status(AdminArgs),
	/// Collect what nobody needs any more, now
	Gc(AdminArgs),
	/// Write what a directory holds to an OCI image layout
	Export(ExportArgs),
}

/// Arguments of `register`.
#[derive(Args, Debug, Clone)]
pub struct RegisterArgs {
	/// Where clients reach it, like `https://directory.example`
	#[arg(long)]
	pub url: String,
	/// What each side of a match pays for its being available, tokens
	#[arg(long, value_name = "TOKENS")]
	pub availability_fee: Amount,
}

/// Arguments of `run`; those given override the file.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
	/// The service's own settings, TOML; every key has a default
	#[arg(long, value_name = "FILE")]
	pub settings: Option<PathBuf>,
	/// Folder of everything stored
	#[arg(long, value_name = "FOLDER")]
	pub data: Option<PathBuf>,
	/// Address of the registry protocol
	#[arg(long, value_name = "IP:PORT")]
	pub listen: Option<SocketAddr>,
	/// Address of metrics and maintenance; whoever reaches it can read everything
	#[arg(long, value_name = "IP:PORT")]
	pub admin_listen: Option<SocketAddr>,
	/// Host, and port if it is not 443, by which clients reach the directory
	#[arg(long, value_name = "HOST[:PORT]")]
	pub id: Option<String>,
}

/// A registered directory.
#[derive(Serialize)]
struct Registered {
	account: AccountId,
	endpoint: String,
	availability_fee: Amount,
	matches: u32,
}

impl Report for Registered {
	fn text(&self) -> String {
		aligned(&[
			("directory", self.account.to_string()),
			("endpoint", self.endpoint.clone()),
			("availability fee", self.availability_fee.to_string()),
			("matches", self.matches.to_string()),
		])
	}
}

/// An answer of the directory's, as it gives it.
#[derive(Serialize)]
#[serde(transparent)]
struct Answer(serde_json::Value);

impl Answer {
	fn new(answer: impl Serialize) -> Outcome<Self> {
		serde_json::to_value(answer).map(Self).map_err(Failure::internal)
	}
}

impl Report for Answer {
	fn text(&self) -> String {
		match &self.0 {
			serde_json::Value::Object(fields) => {
				let lines: Vec<_> =
					fields.iter().map(|(name, value)| for_people(name, value)).collect();
				let lines: Vec<_> =
					lines.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
				aligned(&lines)
			},
			other => for_people("", other).1,
		}
	}
}

/// A field's name and value. The directory's own names say the unit: bytes, milliseconds, or a moment.
fn for_people(name: &str, value: &serde_json::Value) -> (String, String) {
	let words = |name: &str| name.replace('_', " ");
	let moment = |value: &serde_json::Value| value.as_u64().map(time_of);
	let shown = match (name, value.as_u64()) {
		(_, Some(bytes))
			if name.ends_with("_bytes") || name == "size" || name == "content_size" =>
		{
			Some(ByteSize::b(bytes).to_string())
		},
		("from" | "to" | "at" | "since" | "up_since" | "expires_at" | "stored_at", Some(at)) => {
			Some(time_of(at))
		},
		(_, Some(ms)) if name.ends_with("_ms") => {
			let span = humantime::format_duration(Duration::from_millis(ms)).to_string();
			return (words(name.trim_end_matches("_ms")), span);
		},
		("gaps", _) => value.as_array().map(|gaps| {
			let gap = |gap: &serde_json::Value| {
				Some(format!("{} to {}", moment(gap.get(0)?)?, moment(gap.get(1)?)?))
			};
			some_or_none(gaps.iter().filter_map(gap))
		}),
		("contradicted_by", _) => value
			.as_array()
			.map(|probes| some_or_none(probes.iter().filter_map(|probe| moment(probe.get("at")?)))),
		_ => None,
	};
	let plain = || match value {
		serde_json::Value::String(text) => text.clone(),
		serde_json::Value::Null => "none".into(),
		other => other.to_string(),
	};
	(words(name), shown.unwrap_or_else(plain))
}

fn some_or_none(texts: impl Iterator<Item = String>) -> String {
	let texts: Vec<_> = texts.collect();
	if texts.is_empty() {
		"none".into()
	} else {
		texts.join(", ")
	}
}

fn failure(error: CliError) -> Failure {
	let exit = match &error {
		CliError::Run(_) | CliError::Remote { .. } | CliError::Content { .. } => Exit::Directory,
		CliError::File { .. } => Exit::File,
		CliError::Refuted(_) => Exit::CheckFailed,
	};
	Failure::new(exit, error)
}

/// Runs a command of `directory`.
pub async fn run(context: &Context, command: DirectoryCommand) -> Outcome {
	match command {
		DirectoryCommand::Register(args) => {
			check_url("--url", &args.url)?;
			let call = Call::register_directory(&args.url, args.availability_fee.0);
			let included = context.submit(call).await?;
			let what = format!(
				"registered as a directory at {}, {} from each side of a match",
				args.url, args.availability_fee
			);
			context.print(&Done::new(what, &included));
		},
		DirectoryCommand::Deregister => {
			let included = context.submit(Call::deregister_directory()).await?;
			context.print(&Done::new("no longer a directory", &included));
		},
		DirectoryCommand::Show(who) => show(context, who).await?,
		DirectoryCommand::List => return lists::directories(context).await,
		DirectoryCommand::Run(args) => serve(context, args).await?,
		DirectoryCommand::Login(args) => login(context, args).await?,
		DirectoryCommand::Verify(VerifyCommand::Receipt(args)) => {
			context.print(&Answer::new(cli::verify_receipt(&args).map_err(failure)?)?);
		},
		DirectoryCommand::Verify(VerifyCommand::Uptime(args)) => {
			context.print(&Answer::new(cli::verify_uptime(&args).await.map_err(failure)?)?);
		},
		DirectoryCommand::Status(args) => {
			context.print(&Answer::new(cli::status(&args).await.map_err(failure)?)?);
		},
		DirectoryCommand::Gc(args) => {
			context.print(&Answer::new(cli::gc(&args).await.map_err(failure)?)?);
		},
		DirectoryCommand::Export(args) => {
			let exported = cli::export(&args).await.map_err(failure)?;
			context.print(&Answer(json!({
				"repositories": exported.repositories,
				"fetched": exported.fetched,
				"present": exported.present,
			})));
		},
	}
	Ok(Exit::Success)
}

async fn show(context: &Context, who: WhoArgs) -> Outcome<()> {
	let account = context.account(who.account)?;
	let record = context.chain().await?.snapshot().await?.directory(account).await?;
	let record = record
		.ok_or_else(|| Failure::not_found(format!("{account} is not registered as a directory")))?;
	context.print(&Registered {
		account,
		endpoint: record.endpoint,
		availability_fee: Amount(record.availability_fee),
		matches: record.commitments,
	});
	Ok(())
}

async fn serve(context: &Context, args: RunArgs) -> Outcome<()> {
	let (key, _) = keys::load(&context.config)?;
	let args = cli::RunArgs {
		config: args.settings,
		data: args.data,
		listen: args.listen,
		admin_listen: args.admin_listen,
		id: args.id,
	};
	let settings = args.settings().map_err(|error| Failure::new(Exit::Config, error))?;
	let chain = context.chain().await?;
	let status = chain.status().await?;
	let account = key.account();
	if chain.snapshot().await?.directory(account).await?.is_none() {
		tracing::warn!("{account} is not registered as a directory, so nobody will name it: modicum directory register");
	}
	let grace_ms = settings.times.grace_secs.saturating_mul(1_000);
	crate::agents::clock::ask(&chain).await;
	let view = MarketView::start(chain, &settings.data, grace_ms).await?;
	let policy = MarketPolicy::new(view, settings.operators.iter().copied(), grace_ms)
		.with_clock(crate::agents::now);
	let identity = Identity { keypair: key.keypair().clone(), genesis: status.genesis_hash.0 };
	let shutdown = super::run::shutdown();
	tokio::spawn(crate::memory::give_program_back());
	cli::run(settings, identity, Arc::new(policy), shutdown).await.map_err(failure)
}

/// A directory is reached by HTTP.
fn check_url(argument: &str, url: &str) -> Outcome<()> {
	if ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
		return Ok(());
	}
	let message = format!(
		"{argument}: `{url}` must start with https:// or http://, as `modicum directory list` shows it"
	);
	Err(Failure::new(Exit::Usage, message))
}

async fn login(context: &Context, args: LoginArgs) -> Outcome<()> {
	check_url("the directory", &args.directory)?;
	let (key, _) = keys::load(&context.config)?;
	let genesis = context.chain().await?.status().await?.genesis_hash;
	let login = cli::login(&args, key.keypair(), &genesis.0).await.map_err(failure)?;
	let Credentials { registry, user, password, expires_at } = login;
	match context.format {
		Format::Json => context.print(&Answer(json!({
			"registry": registry,
			"user": user,
			"password": password,
			"expires_at": expires_at,
		}))),
		// The password alone on the standard output, so that it can be piped.
		Format::Text => {
			eprintln!("docker login --username {user} --password-stdin {registry}");
			print_line(&password);
		},
	}
	Ok(())
}
