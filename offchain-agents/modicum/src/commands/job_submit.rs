// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum job submit`: what is offered, at which price.

use crate::{
	agents::{
		clock::millis,
		duplicate,
		jobs::{JobRecord, Jobs, Plan},
		Agent,
	},
	amount::Amount,
	cli::parse_account,
	commands::{
		executor,
		job::{drive, verifier},
		job_tools::{self, ImageArgs},
	},
	config::{ExecutorKind, Verification, VerifyBy},
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Format},
};
use clap::Args;
use modicum_chain_client::{AccountId, Snapshot};
use modicum_packaging::{resolve_base, JobFile, Package, PackagingError, Progress};
use modicum_primitives::{match_value, JobTerms, Prices};
use serde::Serialize;
use std::{
	io::{IsTerminal, Write},
	path::{Path, PathBuf},
	time::Duration,
};

/// Arguments of `job submit`.
#[derive(Args, Debug, Clone)]
pub struct SubmitArgs {
	/// A folder with a job.toml
	#[arg(required_unless_present = "image")]
	pub folder: Option<PathBuf>,
	/// An image instead.
	#[command(flatten)]
	pub image: ImageArgs,
	/// Many jobs at once: a file with a JSON object a line, with name, input, environment or command that take the
	/// place of those in job.toml
	#[arg(long, value_name = "FILE")]
	pub sweep: Option<PathBuf>,
	/// A file or folder that takes the place of the job's input
	#[arg(long, value_name = "FILE|FOLDER")]
	pub input: Option<PathBuf>,
	/// Where the output goes, for a sweep the folder above [default: ./NAME-NUMBER]
	#[arg(long, value_name = "FOLDER")]
	pub out: Option<PathBuf>,
	/// The directory for job and result [default: setting creator.directory]
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub directory: Option<AccountId>,
	/// Do not ask whether the price is right
	#[arg(long)]
	pub yes: bool,
	/// Refuse to offer the job if it could cost more
	#[arg(long, value_name = "TOKENS")]
	pub max_cost: Option<Amount>,
	/// How long the result is of use [default: setting creator.time_limit]
	#[arg(long, value_name = "TIME", value_parser = parse_time)]
	pub time_limit: Option<Duration>,
	/// How often to verify: auto, always, never or a probability [default: setting creator.verify]
	#[arg(long, value_name = "HOW")]
	pub verify: Option<Verification>,
	/// How to verify: by a run here, or by runs of other providers [default: setting creator.verify_by]
	#[arg(long, value_name = "BY", conflicts_with = "check")]
	pub verify_by: Option<VerifyBy>,
	/// A program that verifies instead of a run of one's own: called with the folder of the output, it ends with
	/// code 0 if that is right
	#[arg(long, value_name = "PROGRAM", num_args = 1)]
	pub check: Vec<String>,
	/// How often to offer the job again when others failed it [default: setting creator.retries]
	#[arg(long, value_name = "COUNT")]
	pub retries: Option<u32>,
	/// Only offer it; `job wait` or `creator run` goes on
	#[arg(long)]
	pub detach: bool,
}

fn parse_time(text: &str) -> Result<Duration, String> {
	humantime::parse_duration(text)
		.map_err(|error| format!("is no time such as 30m or 2h: {error}"))
}

impl From<PackagingError> for Failure {
	fn from(error: PackagingError) -> Self {
		Self::new(Exit::File, error)
	}
}

/// What an offer can cost, base units.
#[derive(Debug, Clone, Copy, Serialize)]
struct Quote {
	/// The most that the run can be billed.
	run: Amount,
	/// To mediator and directory, at most.
	fees: Amount,
	/// To the solver.
	incentive: Amount,
	/// For other providers' runs of the job, should its result be verified by them.
	duplicates: Amount,
	/// All of these.
	at_most: Amount,
	/// On hold until the end.
	held: Amount,
}

impl Quote {
	async fn ask(snapshot: &Snapshot, terms: &JobTerms<AccountId>, plan: &Plan) -> Outcome<Self> {
		let too_much = || {
			let message = "the limits at these prices are more money than there can be: lower them";
			Failure::new(Exit::Usage, message)
		};
		let held = snapshot.job_offer_deposit(terms.clone(), plan.extra_deposit).await?;
		let held = held.ok_or_else(too_much)?;
		let run = match_value(&terms.limits, terms.max_prices).map_err(|_| too_much())?;
		let (fees, incentive) = (terms.max_availability_fee, terms.match_incentive);
		let once = run.saturating_add(fees).saturating_add(incentive);
		let duplicates = once.saturating_mul(duplicate::most(plan) as u128);
		let at_most = once.saturating_add(duplicates);
		Ok(Self {
			run: Amount(run),
			fees: Amount(fees),
			incentive: Amount(incentive),
			duplicates: Amount(duplicates),
			at_most: Amount(at_most),
			held: Amount(held),
		})
	}

	/// For so many jobs.
	fn times(self, count: usize) -> Self {
		let times = |amount: Amount| Amount(amount.0.saturating_mul(count as u128));
		Self {
			run: times(self.run),
			fees: times(self.fees),
			incentive: times(self.incentive),
			duplicates: times(self.duplicates),
			at_most: times(self.at_most),
			held: times(self.held),
		}
	}
}

/// Runs `job submit`.
pub async fn submit(context: &Context, args: SubmitArgs) -> Outcome {
	let settings = &context.config.creator;
	let directory = match (args.directory, settings.directory.as_str()) {
		(Some(directory), _) => directory,
		(None, "") => {
			let message = "which directory? Name one with --directory, or in creator.directory";
			return Err(Failure::new(Exit::Usage, message));
		},
		(None, text) => parse_account(text)
			.map_err(|e| Failure::new(Exit::Config, format!("creator.directory: {e}")))?,
	};
	// What is wrong with the files is said first.
	if let Some(out) = args.out.as_deref() {
		check_out(out, args.sweep.is_some())?;
	}
	let file = args.folder.as_deref().map(JobFile::read).transpose()?;
	let sweep = match (&file, &args.sweep) {
		(Some(file), Some(sweep)) => Some(job_tools::read_sweep(file, sweep)?),
		_ => None,
	};
	// A name without a slash is looked for in PATH, when it is called.
	if let Some(program) = args.check.first().filter(|program| program.contains('/')) {
		let program = std::path::Path::new(program);
		std::fs::metadata(program).map_err(|error| Failure::file(program, error))?;
	}
	let agent = Agent::new(context, "creator").await?;
	let snapshot = agent.chain.snapshot().await?;
	check_role(&agent, &snapshot, directory).await?;
	let work =
		agent.store.work(&format!("packed/{}-{}", crate::agents::now(), std::process::id()))?;
	let is_sweep = sweep.is_some();
	let packages = match (sweep, file) {
		(Some(sweep), _) => {
			job_tools::pack_sweep(context, sweep, args.input.as_ref(), &work).await?
		},
		(None, Some(file)) => vec![pack(context, file, args.input.clone(), work).await?],
		(None, None) => {
			vec![job_tools::from_image(context, &args.image, args.input.clone(), &work).await?]
		},
	};
	let time_limit = args.time_limit.unwrap_or(settings.time_limit.0);
	let plan = Plan {
		directory,
		max_prices: Prices {
			instruction: settings.max_instruction_price.0,
			bandwidth: settings.max_bandwidth_price.0,
		},
		max_availability_fee: settings.max_availability_fee.0,
		match_incentive: settings.match_incentive.0,
		extra_deposit: settings.extra_deposit.0,
		time_limit: millis(time_limit),
		verify: args.verify.unwrap_or(settings.verify),
		determinism: settings.determinism,
		// A program that cannot say anything, for want of an output, gives way to a run here.
		verify_by: match args.check.is_empty() {
			true => args.verify_by.unwrap_or(settings.verify_by),
			false => VerifyBy::ReExecution,
		},
		check_command: args.check,
		out: PathBuf::new(),
		retries: args.retries.unwrap_or(settings.retries),
	};
	agree(context, &agent, &snapshot, &packages, &plan, args.max_cost, args.yes).await?;
	let here = std::env::current_dir().map_err(Failure::internal)?;
	let jobs = Jobs::new(&agent.store);
	let adding = packages.into_iter().map(|package| {
		let (plan, out, here) = (plan.clone(), args.out.clone(), here.clone());
		jobs.add(move |number| {
			let own = PathBuf::from(format!("{}-{number}", package.name));
			let out = match out {
				Some(out) if is_sweep => out.join(own),
				Some(out) => out,
				None => own,
			};
			JobRecord::new(package, Plan { out: here.join(out), ..plan })
		})
	});
	let numbers = futures::future::try_join_all(adding).await?;
	match numbers.as_slice() {
		[number] if !is_sweep => drive(context, &agent, *number, args.detach).await,
		_ => {
			let runner = match args.detach {
				true => None,
				false => verifier(context, &agent, &plan).await,
			};
			job_tools::drive_all(context, &agent, numbers, runner, args.detach).await
		},
	}
}

/// Whether the output can go to `out`, asked before anything is paid.
fn check_out(out: &Path, is_sweep: bool) -> Outcome<()> {
	let has_files = match std::fs::read_dir(out) {
		Ok(mut entries) => entries.next().is_some(),
		Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
		Err(error) => return Err(Failure::file(out, error)),
	};
	// Each job of a sweep has a new folder in it.
	if has_files && !is_sweep {
		let message = "it has files already: name a new or empty folder with --out";
		return Err(Failure::file(out, message));
	}
	Ok(())
}

/// What is missing is said before anything is packed.
async fn check_role(agent: &Agent, snapshot: &Snapshot, directory: AccountId) -> Outcome<()> {
	let fail = |message: String| Err(Failure::new(Exit::NotFound, message));
	match snapshot.job_creator(agent.account).await? {
		None => return fail("register first: modicum creator register".into()),
		Some(creator) if creator.trusted_mediators.is_empty() => {
			let message = "trust a mediator first: modicum creator trust add mediator ACCOUNT";
			return fail(message.into());
		},
		Some(_) => {},
	}
	match snapshot.directory(directory).await? {
		None => fail(format!("{directory} is not registered as a directory")),
		Some(_) => Ok(()),
	}
}

/// Tells people what packing does.
pub(super) fn say_progress(format: Format) -> impl FnMut(Progress<'_>) + Send {
	let say = move |text: String| {
		if format == Format::Text {
			let _ = writeln!(std::io::stderr(), "{text}");
		}
	};
	move |step| match step {
		Progress::Building(script) => say(format!("building: {}", script.display())),
		Progress::BuildLine(line) => tracing::info!("{line}"),
		Progress::Exporting(image) => say(format!("exporting {image}")),
		Progress::Packing(layer) => say(format!("packing the {layer} layer")),
		Progress::Packed { layer, size, unpacked_size } => {
			say(format!("{layer} layer: {size} bytes, {unpacked_size} unpacked"));
		},
	}
}

/// Packs a job into the folder `work`.
pub(super) async fn pack(
	context: &Context,
	file: JobFile,
	input: Option<PathBuf>,
	work: PathBuf,
) -> Outcome<Package> {
	let (bases, architecture) = if context.config.executor.kind == ExecutorKind::Docker {
		let engine = executor::connect(context, "creator").await?;
		let bases = engine.bases().await.map_err(|error| Failure::new(Exit::Engine, error))?;
		let of_base = bases.iter().find(|base| {
			base.chain_id.to_string() == file.base
				|| base.tags.iter().any(|tag| tag.contains(&file.base))
		});
		let architecture = of_base.and_then(|base| base.architecture);
		(bases, architecture)
	} else {
		(Vec::new(), None)
	};
	let base = resolve_base(&bases, &file.base)?;
	let architecture = match architecture {
		Some(architecture) => architecture,
		None => super::roles::architecture(None)?,
	};
	let mut progress = say_progress(context.format);
	let packing = move || file.pack(input.as_deref(), base, architecture, &work, &mut progress);
	Ok(tokio::task::spawn_blocking(packing).await.map_err(Failure::internal)??)
}

/// Shows what jobs with the same limits can cost together, and asks.
async fn agree(
	context: &Context,
	agent: &Agent,
	snapshot: &Snapshot,
	packages: &[Package],
	plan: &Plan,
	max_cost: Option<Amount>,
	yes: bool,
) -> Outcome<()> {
	let deadline = crate::agents::now().saturating_add(plan.time_limit);
	let package = packages.first().ok_or_else(|| Failure::internal("there is no job"))?;
	let terms = crate::agents::posting::terms(package, plan, deadline);
	let quote = Quote::ask(snapshot, &terms, plan).await?.times(packages.len());
	if max_cost.is_some_and(|max| quote.at_most > max) {
		let message = format!(
			"the job could cost {}, more than --max-cost: lower its limits (modicum job profile) or your prices",
			quote.at_most
		);
		return Err(Failure::new(Exit::Refused, message));
	}
	let money = snapshot.account(&agent.account).await?;
	let free = money.free.saturating_sub(snapshot.existential_deposit()?);
	if free < quote.held.0 {
		let message = format!(
			"{} would be held for this job and you have {}: lower its limits or your prices, or get more",
			quote.held,
			Amount(free)
		);
		return Err(Failure::new(Exit::Refused, message));
	}
	let mut rows = vec![
		("the run, at most", quote.run.to_string()),
		("mediator and directory, at most", quote.fees.to_string()),
		("solver", quote.incentive.to_string()),
	];
	if quote.duplicates.0 > 0 {
		rows.push(("if other providers verify it, at most", quote.duplicates.to_string()));
	}
	rows.push(("in all, at most", quote.at_most.to_string()));
	rows.push(("held until the end", quote.held.to_string()));
	let shown = aligned(&rows);
	match context.format {
		Format::Text => drop(writeln!(std::io::stderr(), "{shown}")),
		Format::Json => {
			drop(writeln!(std::io::stderr(), "{}", serde_json::json!({ "quote": quote })));
		},
	}
	if yes {
		return Ok(());
	}
	if !std::io::stdin().is_terminal() {
		let message = "nobody is there to agree to the price: add --yes";
		return Err(Failure::new(Exit::Usage, message));
	}
	let _ = write!(std::io::stderr(), "Offer the job? [y/N] ");
	let mut answer = String::new();
	std::io::stdin().read_line(&mut answer).map_err(Failure::internal)?;
	match answer.trim() {
		"y" | "Y" | "yes" => Ok(()),
		_ => Err(Failure::new(Exit::Usage, "not offered")),
	}
}
