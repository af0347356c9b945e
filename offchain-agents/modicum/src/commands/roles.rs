// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum creator`, `modicum provider` and `modicum mediator`: registration and trust (docs/protocol.md §2).

use crate::{
	amount::Amount,
	cli::{parse_account, parse_digest},
	commands::{
		account::Done,
		executor::{self, CalibrateArgs, DoctorArgs},
		lists,
		risk::RiskArgs,
		run::{self, CreatorRunArgs, MediatorRunArgs, ProviderRunArgs},
	},
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Report},
};
use clap::{Args, Subcommand, ValueEnum};
use modicum_chain_client::{AccountId, Call, JobCreator, Mediator, ResourceProvider, Snapshot};
use modicum_primitives::{Architecture, BaseLayer};
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// The verbs of `creator`.
#[derive(Subcommand, Debug, Clone)]
pub enum CreatorCommand {
	/// Become a job creator; a storage deposit is held until you leave
	Register(RegisterCreatorArgs),
	/// Leave; not while an offer or match of yours is open
	Deregister,
	/// Show a job creator as the chain knows it
	Status(WhoArgs),
	/// List all job creators, with their terms and records
	List,
	/// Whom you accept as mediators
	#[command(subcommand)]
	Trust(TrustCommand),
	/// Look after your jobs until stopped: what `job submit --detach` has offered
	Run(CreatorRunArgs),
}

/// The verbs of `provider`.
#[derive(Subcommand, Debug, Clone)]
pub enum ProviderCommand {
	/// Say whether this machine can run jobs, and what to do if not
	Doctor(DoctorArgs),
	/// Measure what this machine's processor is worth; takes some seconds
	Calibrate(CalibrateArgs),
	/// Become a resource provider; a storage deposit is held until you leave
	Register(RegisterProviderArgs),
	/// Leave; not while an offer or match of yours is open
	Deregister,
	/// Show a resource provider as the chain knows it
	Status(WhoArgs),
	/// List all resource providers, with their terms and records
	List,
	/// Offer this machine and run what is matched, until stopped
	Run(ProviderRunArgs),
	/// What closed matches have brought
	Earnings,
	/// How likely a job creator disputes correct results, and what its jobs are then worth to you
	Risk(RiskArgs),
	/// Whom you accept as mediators and directories
	#[command(subcommand)]
	Trust(TrustCommand),
	/// Which base layers you have preinstalled
	#[command(subcommand)]
	BaseLayer(BaseLayerCommand),
}

/// The verbs of `mediator`.
#[derive(Subcommand, Debug, Clone)]
pub enum MediatorCommand {
	/// Become a mediator; a storage deposit is held until you leave
	Register(RegisterMediatorArgs),
	/// Leave; not while a match names you
	Deregister,
	/// Show a mediator as the chain knows it
	Status(WhoArgs),
	/// List all mediators, with their terms and records
	List,
	/// Decide disputes until stopped
	Run(MediatorRunArgs),
	/// Whom you accept as directories
	#[command(subcommand)]
	Trust(TrustCommand),
	/// Which base layers you have preinstalled
	#[command(subcommand)]
	BaseLayer(BaseLayerCommand),
}

/// Which account is meant.
#[derive(Args, Debug, Clone)]
pub struct WhoArgs {
	/// The account [default: the key's]
	#[arg(value_parser = parse_account)]
	pub account: Option<AccountId>,
}

/// Arguments of `creator register`.
#[derive(Args, Debug, Clone)]
pub struct RegisterCreatorArgs {
	/// Accept this mediator; may be repeated
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub trust_mediator: Vec<AccountId>,
}

/// Arguments of `provider register`.
#[derive(Args, Debug, Clone)]
pub struct RegisterProviderArgs {
	/// Accept this mediator; may be repeated
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub trust_mediator: Vec<AccountId>,
	/// Accept this directory; may be repeated
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub trust_directory: Vec<AccountId>,
	/// Declare this base layer; may be repeated
	#[arg(long, value_name = "CHAIN_ID", value_parser = parse_digest)]
	pub base_layer: Vec<BaseLayer>,
	/// The machine's architecture [default: this machine's]
	#[arg(long, value_parser = parse_architecture)]
	pub architecture: Option<Architecture>,
	/// Milliseconds that the machine takes for 10^9 instructions; `modicum provider calibrate` measures it
	#[arg(long, value_name = "MS")]
	pub time_per_billion_instructions: u64,
}

/// Arguments of `mediator register`.
#[derive(Args, Debug, Clone)]
pub struct RegisterMediatorArgs {
	/// Accept this directory; may be repeated
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub trust_directory: Vec<AccountId>,
	/// Declare this base layer; may be repeated
	#[arg(long, value_name = "CHAIN_ID", value_parser = parse_digest)]
	pub base_layer: Vec<BaseLayer>,
	/// The machine's architecture [default: this machine's]
	#[arg(long, value_parser = parse_architecture)]
	pub architecture: Option<Architecture>,
	/// What each side of a match pays for your being available, tokens
	#[arg(long, value_name = "TOKENS")]
	pub availability_fee: Amount,
}

/// The verbs of `trust`.
#[derive(Subcommand, Debug, Clone)]
pub enum TrustCommand {
	/// Accept an account in a role
	Add(TrustArgs),
	/// No longer accept it; running matches stay as they are
	Remove(TrustArgs),
	/// Show who is accepted
	List(WhoArgs),
}

/// Arguments of `trust add` and `trust remove`.
#[derive(Args, Debug, Clone)]
pub struct TrustArgs {
	/// The role
	pub role: TrustedRole,
	/// The account
	#[arg(value_parser = parse_account)]
	pub account: AccountId,
}

/// A role that others have to be trusted in.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedRole {
	/// Decides disputes.
	Mediator,
	/// Stores jobs and results.
	Directory,
}

/// The verbs of `base-layer`.
#[derive(Subcommand, Debug, Clone)]
pub enum BaseLayerCommand {
	/// Declare one
	Add(BaseLayerArgs),
	/// No longer declare it
	Remove(BaseLayerArgs),
	/// Show those declared
	List(WhoArgs),
	/// Load one into this machine's engine, from the archive that docker/bases makes
	Install(InstallArgs),
}

/// Arguments of `base-layer install`.
#[derive(Args, Debug, Clone)]
pub struct InstallArgs {
	/// The archive
	pub archive: PathBuf,
}

/// Arguments of `base-layer add` and `base-layer remove`.
#[derive(Args, Debug, Clone)]
pub struct BaseLayerArgs {
	/// The base layer's ChainID
	#[arg(value_parser = parse_digest)]
	pub chain_id: BaseLayer,
}

/// Who trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Party {
	Creator,
	Provider,
	Mediator,
}

impl fmt::Display for Party {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Creator => "job creator",
			Self::Provider => "resource provider",
			Self::Mediator => "mediator",
		})
	}
}

fn parse_architecture(text: &str) -> Result<Architecture, String> {
	text.parse().map_err(|error: modicum_primitives::UnknownName| error.to_string())
}

/// This machine's architecture, or the one given.
pub fn architecture(given: Option<Architecture>) -> Outcome<Architecture> {
	let here = match std::env::consts::ARCH {
		"x86_64" => Some(Architecture::Amd64),
		"aarch64" => Some(Architecture::Arm64),
		"arm" => Some(Architecture::Armv7),
		_ => None,
	};
	given.or(here).ok_or_else(|| {
		let message =
			"this machine is of no architecture of the market; name one with --architecture";
		Failure::new(Exit::Usage, message)
	})
}

/// What a register says of an account.
#[derive(Serialize)]
struct Status<T> {
	account: AccountId,
	#[serde(flatten)]
	record: T,
}

fn list<T: ToString>(entries: &[T]) -> String {
	match entries {
		[] => "none".into(),
		entries => entries.iter().map(T::to_string).collect::<Vec<_>>().join(", "),
	}
}

fn layers(layers: &[BaseLayer]) -> String {
	list(&layers.iter().map(|layer| format!("sha256:{}", hex::encode(layer))).collect::<Vec<_>>())
}

impl Report for Status<JobCreator> {
	fn text(&self) -> String {
		let record = &self.record;
		aligned(&[
			("job creator", self.account.to_string()),
			("trusted mediators", list(&record.trusted_mediators)),
			("offers and matches", record.commitments.to_string()),
		])
	}
}

impl Report for Status<ResourceProvider> {
	fn text(&self) -> String {
		let record = &self.record;
		aligned(&[
			("resource provider", self.account.to_string()),
			("architecture", record.architecture.to_string()),
			("10^9 instructions", format!("{} ms", record.time_per_billion_instructions)),
			("trusted mediators", list(&record.trusted_mediators)),
			("trusted directories", list(&record.trusted_directories)),
			("base layers", layers(&record.base_layers)),
			("offers and matches", record.commitments.to_string()),
		])
	}
}

impl Report for Status<Mediator> {
	fn text(&self) -> String {
		let record = &self.record;
		aligned(&[
			("mediator", self.account.to_string()),
			("architecture", record.architecture.to_string()),
			("availability fee", Amount(record.availability_fee).to_string()),
			("trusted directories", list(&record.trusted_directories)),
			("base layers", layers(&record.base_layers)),
			("matches", record.commitments.to_string()),
		])
	}
}

/// Who is accepted, in the roles that a party accepts others in.
#[derive(Serialize)]
struct Trusted {
	#[serde(skip_serializing_if = "Option::is_none")]
	mediators: Option<Vec<AccountId>>,
	#[serde(skip_serializing_if = "Option::is_none")]
	directories: Option<Vec<AccountId>>,
}

impl Report for Trusted {
	fn text(&self) -> String {
		let rows = [("mediators", &self.mediators), ("directories", &self.directories)];
		let rows = rows.into_iter().filter_map(|(role, who)| Some((role, list(who.as_deref()?))));
		aligned(&rows.collect::<Vec<_>>())
	}
}

/// Base layers that are declared.
#[derive(Serialize)]
struct BaseLayers {
	base_layers: Vec<String>,
}

impl Report for BaseLayers {
	fn text(&self) -> String {
		match self.base_layers.as_slice() {
			[] => "none".into(),
			layers => layers.join("\n"),
		}
	}
}

fn unregistered(party: Party, account: &AccountId) -> Failure {
	Failure::not_found(format!("{account} is not registered as a {party}"))
}

/// What a party's register says of `account`, as a [`Trusted`] and its base layers.
async fn lists(
	snapshot: &Snapshot,
	party: Party,
	account: AccountId,
) -> Outcome<(Trusted, Vec<BaseLayer>)> {
	let found = match party {
		Party::Creator => snapshot.job_creator(account).await?.map(|record| {
			let mediators = Some(record.trusted_mediators);
			(Trusted { mediators, directories: None }, Vec::new())
		}),
		Party::Provider => snapshot.resource_provider(account).await?.map(|record| {
			let (mediators, directories) = (record.trusted_mediators, record.trusted_directories);
			let (mediators, directories) = (Some(mediators), Some(directories));
			(Trusted { mediators, directories }, record.base_layers)
		}),
		Party::Mediator => snapshot.mediator(account).await?.map(|record| {
			let directories = Some(record.trusted_directories);
			(Trusted { mediators: None, directories }, record.base_layers)
		}),
	};
	found.ok_or_else(|| unregistered(party, &account))
}

async fn submit(context: &Context, call: Call, what: String) -> Outcome {
	let included = context.submit(call).await?;
	context.print(&Done::new(what, &included));
	Ok(Exit::Success)
}

/// Registers, and fills the lists in the same breath.
async fn register(context: &Context, calls: Vec<Call>, what: String) -> Outcome {
	let lists = calls.len() - 1;
	let included = context.submit_all(calls).await?;
	let what = if lists == 0 { what } else { format!("{what}; {lists} list entries") };
	context.print(&Done::of_all(what, &included));
	Ok(Exit::Success)
}

async fn trust(context: &Context, party: Party, command: TrustCommand) -> Outcome {
	let (args, add) = match command {
		TrustCommand::Add(args) => (args, true),
		TrustCommand::Remove(args) => (args, false),
		TrustCommand::List(who) => {
			let account = context.account(who.account)?;
			let snapshot = context.chain().await?.snapshot().await?;
			context.print(&lists(&snapshot, party, account).await?.0);
			return Ok(Exit::Success);
		},
	};
	let who = args.account;
	let call = match (party, args.role, add) {
		(Party::Creator, TrustedRole::Mediator, true) => {
			Call::job_creator_add_trusted_mediator(who)
		},
		(Party::Creator, TrustedRole::Mediator, false) => {
			Call::job_creator_remove_trusted_mediator(who)
		},
		(Party::Provider, TrustedRole::Mediator, true) => {
			Call::resource_provider_add_trusted_mediator(who)
		},
		(Party::Provider, TrustedRole::Mediator, false) => {
			Call::resource_provider_remove_trusted_mediator(who)
		},
		(Party::Provider, TrustedRole::Directory, true) => {
			Call::resource_provider_add_trusted_directory(who)
		},
		(Party::Provider, TrustedRole::Directory, false) => {
			Call::resource_provider_remove_trusted_directory(who)
		},
		(Party::Mediator, TrustedRole::Directory, true) => {
			Call::mediator_add_trusted_directory(who)
		},
		(Party::Mediator, TrustedRole::Directory, false) => {
			Call::mediator_remove_trusted_directory(who)
		},
		(Party::Creator, TrustedRole::Directory, _) => {
			let message = "a job creator names a directory in each job, and has no list of them";
			return Err(Failure::new(Exit::Usage, message));
		},
		(Party::Mediator, TrustedRole::Mediator, _) => {
			return Err(Failure::new(Exit::Usage, "a mediator has no list of mediators"));
		},
	};
	let verb = if add { "trusts" } else { "no longer trusts" };
	submit(context, call, format!("the {party} {verb} {who}")).await
}

async fn base_layer(context: &Context, party: Party, command: BaseLayerCommand) -> Outcome {
	let (layer, add) = match command {
		BaseLayerCommand::Install(args) => {
			let base_layers = executor::install_base(context, &args.archive).await?;
			context.print(&BaseLayers { base_layers });
			return Ok(Exit::Success);
		},
		BaseLayerCommand::Add(args) => (args.chain_id, true),
		BaseLayerCommand::Remove(args) => (args.chain_id, false),
		BaseLayerCommand::List(who) => {
			let account = context.account(who.account)?;
			let snapshot = context.chain().await?.snapshot().await?;
			let (_, layers) = lists(&snapshot, party, account).await?;
			let shown = layers.iter().map(|layer| format!("sha256:{}", hex::encode(layer)));
			context.print(&BaseLayers { base_layers: shown.collect() });
			return Ok(Exit::Success);
		},
	};
	let call = match (party, add) {
		(Party::Provider, true) => Call::resource_provider_add_supported_base_layer(layer),
		(Party::Provider, false) => Call::resource_provider_remove_supported_base_layer(layer),
		(_, true) => Call::mediator_add_supported_base_layer(layer),
		(_, false) => Call::mediator_remove_supported_base_layer(layer),
	};
	let verb = if add { "has" } else { "no longer has" };
	submit(context, call, format!("the {party} {verb} sha256:{}", hex::encode(layer))).await
}

/// Prints what a register says, or fails because it says nothing.
fn show<T>(context: &Context, party: Party, account: AccountId, record: Option<T>) -> Outcome
where
	Status<T>: Report,
{
	let record = record.ok_or_else(|| unregistered(party, &account))?;
	context.print(&Status { account, record });
	Ok(Exit::Success)
}

/// Runs a command of `creator`.
pub async fn creator(context: &Context, command: CreatorCommand) -> Outcome {
	match command {
		CreatorCommand::Register(args) => {
			let mut calls = vec![Call::register_job_creator()];
			calls.extend(
				args.trust_mediator.into_iter().map(Call::job_creator_add_trusted_mediator),
			);
			register(context, calls, "registered as a job creator".into()).await
		},
		CreatorCommand::Deregister => {
			submit(context, Call::deregister_job_creator(), "no longer a job creator".into()).await
		},
		CreatorCommand::Status(who) => {
			let account = context.account(who.account)?;
			let record = context.chain().await?.snapshot().await?.job_creator(account).await?;
			show(context, Party::Creator, account, record)
		},
		CreatorCommand::List => lists::creators(context).await,
		CreatorCommand::Run(args) => run::creator(context, args).await,
		CreatorCommand::Trust(command) => trust(context, Party::Creator, command).await,
	}
}

/// Runs a command of `provider`.
pub async fn provider(context: &Context, command: ProviderCommand) -> Outcome {
	match command {
		ProviderCommand::Doctor(args) => executor::doctor(context, &args).await,
		ProviderCommand::Calibrate(args) => executor::calibrate(context, &args).await,
		ProviderCommand::Register(args) => {
			let architecture = architecture(args.architecture)?;
			let time = args.time_per_billion_instructions;
			let mut calls = vec![Call::register_resource_provider(architecture, time)];
			let (mediators, directories) = (args.trust_mediator, args.trust_directory);
			calls.extend(mediators.into_iter().map(Call::resource_provider_add_trusted_mediator));
			calls
				.extend(directories.into_iter().map(Call::resource_provider_add_trusted_directory));
			let layers = args.base_layer.into_iter();
			calls.extend(layers.map(Call::resource_provider_add_supported_base_layer));
			let what = format!(
				"registered as a resource provider: {architecture}, {time} ms for 10^9 instructions"
			);
			register(context, calls, what).await
		},
		ProviderCommand::Deregister => {
			let call = Call::deregister_resource_provider();
			submit(context, call, "no longer a resource provider".into()).await
		},
		ProviderCommand::Status(who) => {
			let account = context.account(who.account)?;
			let snapshot = context.chain().await?.snapshot().await?;
			show(context, Party::Provider, account, snapshot.resource_provider(account).await?)
		},
		ProviderCommand::List => lists::providers(context).await,
		ProviderCommand::Run(args) => run::provider(context, args).await,
		ProviderCommand::Earnings => super::earnings::show(context),
		ProviderCommand::Risk(args) => super::risk::show(context, &args).await,
		ProviderCommand::Trust(command) => trust(context, Party::Provider, command).await,
		ProviderCommand::BaseLayer(command) => base_layer(context, Party::Provider, command).await,
	}
}

/// Runs a command of `mediator`.
pub async fn mediator(context: &Context, command: MediatorCommand) -> Outcome {
	match command {
		MediatorCommand::Register(args) => {
			let architecture = architecture(args.architecture)?;
			let mut calls = vec![Call::register_mediator(architecture, args.availability_fee.0)];
			let directories = args.trust_directory.into_iter();
			calls.extend(directories.map(Call::mediator_add_trusted_directory));
			calls.extend(args.base_layer.into_iter().map(Call::mediator_add_supported_base_layer));
			let what = format!(
				"registered as a mediator: {architecture}, {} from each side of a match",
				args.availability_fee
			);
			register(context, calls, what).await
		},
		MediatorCommand::Deregister => {
			submit(context, Call::deregister_mediator(), "no longer a mediator".into()).await
		},
		MediatorCommand::Status(who) => {
			let account = context.account(who.account)?;
			let record = context.chain().await?.snapshot().await?.mediator(account).await?;
			show(context, Party::Mediator, account, record)
		},
		MediatorCommand::List => lists::mediators(context).await,
		MediatorCommand::Run(args) => run::mediator(context, args).await,
		MediatorCommand::Trust(command) => trust(context, Party::Mediator, command).await,
		MediatorCommand::BaseLayer(command) => base_layer(context, Party::Mediator, command).await,
	}
}
