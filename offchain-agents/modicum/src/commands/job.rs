// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum job`: from a folder to a verified, paid result.

use crate::{
	agents::{
		creator::{Driver, Tell},
		jobs::{Closed, JobRecord, Jobs, Plan, Stage},
		provider::settled,
		runner::Runner,
		solver::read_book,
		Agent,
	},
	amount::Amount,
	cli::parse_account,
	commands::{
		chain::time_of,
		executor,
		job_tools::{self, ImageArgs, LintArgs, ProfileArgs},
	},
	config::{ExecutorKind, Verification},
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Format, Report},
};
use clap::{Args, Subcommand};
use modicum_chain_client::{AccountId, Call, MatchStatus, OfferState, Snapshot, WaitsFor};
use modicum_directory::{account::AccountId as DirectoryAccount, names::RepositoryName};
use modicum_packaging::{resolve_base, unpack_output, JobFile, Package, PackagingError, Progress};
use modicum_primitives::{match_value, Balance, JobTerms, Moment, Prices, ResultStatus};
use serde::Serialize;
use std::{
	collections::BTreeMap,
	io::{IsTerminal, Write},
	path::PathBuf,
	sync::Arc,
	time::Duration,
};

/// The verbs of `job`.
#[derive(Subcommand, Debug, Clone)]
pub enum JobCommand {
	/// Have a job run: pack, upload, offer, wait, verify, pay, and write its output
	Submit(Box<SubmitArgs>),
	/// Run a job here and propose limits from what it used
	Profile(ProfileArgs),
	/// Run a job here twice, under different conditions, and say whether it gives the same result
	Lint(LintArgs),
	/// List your jobs
	List,
	/// Say in a line where a job stands, since when, on whom it waits and until when
	Status(NumberArgs),
	/// Wait until a job is over, and do what is to be done meanwhile
	Wait(NumberArgs),
	/// Write a job's output once more, somewhere else
	Result(ResultArgs),
	/// Show what a job printed
	Logs(NumberArgs),
	/// Take a job back that nobody runs yet
	Cancel(NumberArgs),
	/// Offer a job again that is over
	Resubmit(ResubmitArgs),
}

/// Which job is meant.
#[derive(Args, Debug, Clone)]
pub struct NumberArgs {
	/// The job's number
	pub job: u64,
}

/// Arguments of `job result`.
#[derive(Args, Debug, Clone)]
pub struct ResultArgs {
	/// The job's number
	pub job: u64,
	/// The folder to write to
	#[arg(long, value_name = "FOLDER")]
	pub out: PathBuf,
}

/// Arguments of `job resubmit`.
#[derive(Args, Debug, Clone)]
pub struct ResubmitArgs {
	/// The job's number
	pub job: u64,
	/// Where the output goes [default: FOLDER of the first time, with the new number]
	#[arg(long, value_name = "FOLDER")]
	pub out: Option<PathBuf>,
	/// Only offer it; `job wait` or `creator run` goes on
	#[arg(long)]
	pub detach: bool,
}

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
	/// All of these.
	at_most: Amount,
	/// On hold until the end.
	held: Amount,
}

impl Quote {
	async fn ask(
		snapshot: &Snapshot,
		terms: &JobTerms<AccountId>,
		extra: Balance,
	) -> Outcome<Self> {
		let too_much = || {
			let message = "the limits at these prices are more money than there can be: lower them";
			Failure::new(Exit::Usage, message)
		};
		let held = snapshot.job_offer_deposit(terms.clone(), extra).await?.ok_or_else(too_much)?;
		let run = match_value(&terms.limits, terms.max_prices).map_err(|_| too_much())?;
		let (fees, incentive) = (terms.max_availability_fee, terms.match_incentive);
		let at_most = run.saturating_add(fees).saturating_add(incentive);
		Ok(Self {
			run: Amount(run),
			fees: Amount(fees),
			incentive: Amount(incentive),
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
			at_most: times(self.at_most),
			held: times(self.held),
		}
	}
}

/// A job as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
	job: u64,
	name: String,
	stage: &'static str,
	/// What is known in this stage.
	details: Stage,
	since: Moment,
	line: String,
	outputs: Vec<PathBuf>,
	attempts: usize,
}

impl Shown {
	pub(super) fn new(job: u64, record: &JobRecord, line: String) -> Self {
		Self {
			job,
			name: record.package.name.clone(),
			stage: record.stage.name(),
			details: record.stage.clone(),
			since: record.since,
			line,
			outputs: record.outputs.clone(),
			attempts: record.failed.len() + 1,
		}
	}
}

impl Report for Shown {
	fn text(&self) -> String {
		format!("job {}: {}", self.job, self.line)
	}
}

#[derive(Serialize)]
#[serde(transparent)]
struct List(Vec<Shown>);

impl Report for List {
	fn text(&self) -> String {
		if self.0.is_empty() {
			return "no jobs yet: modicum job submit FOLDER".into();
		}
		let lines: Vec<_> = self
			.0
			.iter()
			.map(|job| format!("job {}  {}  {}", job.job, job.name, job.line))
			.collect();
		lines.join("\n")
	}
}

/// Runs a command of `job`.
pub async fn run(context: &Context, command: JobCommand) -> Outcome {
	match command {
		JobCommand::Submit(args) => submit(context, *args).await,
		JobCommand::Profile(args) => job_tools::run_profile(context, args).await,
		JobCommand::Lint(args) => job_tools::run_lint(context, args).await,
		JobCommand::List => list(context),
		JobCommand::Status(args) => status(context, args.job).await,
		JobCommand::Wait(args) => {
			let agent = Agent::new(context, "creator").await?;
			drive(context, &agent, args.job, false).await
		},
		JobCommand::Result(args) => result(context, args),
		JobCommand::Logs(args) => logs(context, args.job).await,
		JobCommand::Cancel(args) => cancel(context, args.job).await,
		JobCommand::Resubmit(args) => resubmit(context, args).await,
	}
}

/// The creator's jobs, without a chain.
fn jobs(context: &Context) -> Outcome<Jobs> {
	let account = context.account(None)?;
	let folder = context.config.agent_folder("creator", &account);
	Ok(Jobs::new(&crate::agents::store::Store::open(folder)?))
}

/// A line of progress, on the error output so that the answer stays alone on the standard output.
pub(super) fn tell(format: Format) -> Tell {
	Arc::new(move |job, text| {
		let now = time_of(crate::agents::now());
		let line = match format {
			Format::Text => format!("{now}  job {job}: {text}"),
			Format::Json => {
				serde_json::json!({ "time": now, "job": job, "progress": text }).to_string()
			},
		};
		let _ = writeln!(std::io::stderr(), "{line}");
	})
}

async fn submit(context: &Context, args: SubmitArgs) -> Outcome {
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
	let file = args.folder.as_deref().map(JobFile::read).transpose()?;
	let sweep = match (&file, &args.sweep) {
		(Some(file), Some(sweep)) => Some(job_tools::read_sweep(file, sweep)?),
		_ => None,
	};
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
		time_limit: u64::try_from(time_limit.as_millis()).unwrap_or(u64::MAX),
		verify: args.verify.unwrap_or(settings.verify),
		determinism: settings.determinism,
		check_command: args.check,
		out: PathBuf::new(),
		retries: args.retries.unwrap_or(settings.retries),
	};
	agree(context, &agent, &snapshot, &packages, &plan, args.max_cost, args.yes).await?;
	let here = std::env::current_dir().map_err(Failure::internal)?;
	let jobs = Jobs::new(&agent.store);
	let mut numbers = Vec::new();
	for package in packages {
		numbers.push(jobs.add(|number| {
			let own = PathBuf::from(format!("{}-{number}", package.name));
			let out = match &args.out {
				Some(out) if is_sweep => out.join(own),
				Some(out) => out.clone(),
				None => own,
			};
			new_record(package, Plan { out: here.join(out), ..plan.clone() })
		})?);
	}
	match numbers.as_slice() {
		[number] if !is_sweep => drive(context, &agent, *number, args.detach).await,
		_ => {
			let runner = match args.detach {
				true => None,
				false => verifier(context, &agent, plan.verify).await,
			};
			job_tools::drive_all(context, &agent, numbers, runner, args.detach).await
		},
	}
}

fn new_record(package: Package, plan: Plan) -> JobRecord {
	JobRecord {
		package,
		plan,
		stage: Stage::Packed,
		since: crate::agents::now(),
		next_block: 0,
		judgement: None,
		failed: Vec::new(),
		cancelled: false,
		outputs: Vec::new(),
	}
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
	let terms = crate::agents::creator::terms(package, plan, deadline);
	let quote = Quote::ask(snapshot, &terms, plan.extra_deposit).await?.times(packages.len());
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
	let shown = aligned(&[
		("the run, at most", quote.run.to_string()),
		("mediator and directory, at most", quote.fees.to_string()),
		("solver", quote.incentive.to_string()),
		("in all, at most", quote.at_most.to_string()),
		("held until the end", quote.held.to_string()),
	]);
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

/// What verifies results by running jobs, if that may be wanted and can be done here.
async fn verifier(context: &Context, agent: &Agent, verify: Verification) -> Option<Arc<Runner>> {
	if verify == Verification::Probability(0.0) {
		return None;
	}
	match super::run::runner(context, agent, "creator").await {
		Ok(runner) => Some(Arc::new(runner)),
		Err(failure) => {
			tracing::warn!(%failure, "results can be looked at, but not verified by running the job");
			None
		},
	}
}

/// Drives a job in this process, and shows how it ended.
async fn drive(context: &Context, agent: &Agent, number: u64, detach: bool) -> Outcome {
	let jobs = Jobs::new(&agent.store);
	let record = jobs.get(number)?;
	let runner = match detach || record.stage.is_over() {
		true => None,
		false => verifier(context, agent, record.plan.verify).await,
	};
	let driver = Driver {
		agent: agent.clone(),
		jobs,
		number,
		runner,
		tell: tell(context.format),
		cheat: None,
	};
	let record = if detach { driver.post_only().await? } else { driver.drive().await? };
	let (line, exit) = ended(&record);
	context.print(&Shown::new(number, &record, line));
	Ok(exit)
}

/// How a job stands, without asking the chain.
pub(super) fn ended(record: &JobRecord) -> (String, Exit) {
	match &record.stage {
		Stage::Done(closed) => describe(closed, record),
		Stage::Withdrawn { because } => (format!("withdrawn: {because}"), Exit::JobFailed),
		stage => (stage.name().into(), Exit::Success),
	}
}

fn describe(closed: &Closed, record: &JobRecord) -> (String, Exit) {
	let paid = Amount(closed.settlement.from_creator.to_counterparty);
	if closed.has_output() {
		let line = format!(
			"done: match {} accepted, {paid} paid to the provider; {} files in {}",
			closed.match_id,
			record.outputs.len(),
			record.plan.out.display()
		);
		return (line, Exit::Success);
	}
	let status = closed.result.map_or("no result", |run| match run.status {
		ResultStatus::Completed => "a result that was not accepted",
		status => status.as_str(),
	});
	let back = Amount(closed.settlement.from_provider.to_counterparty);
	let line = format!(
		"failed: match {} ended as {} with {status}; {paid} paid to the provider, {back} got from it",
		closed.match_id, closed.ending
	);
	(line, Exit::JobFailed)
}

fn list(context: &Context) -> Outcome {
	let shown = jobs(context)?.all()?.into_iter().map(|(number, record)| {
		let line = ended(&record).0;
		Shown::new(number, &record, line)
	});
	context.print(&List(shown.collect()));
	Ok(Exit::Success)
}

async fn status(context: &Context, number: u64) -> Outcome {
	let record = jobs(context)?.get(number)?;
	let line = match &record.stage {
		Stage::Offered { job_offer, completion_deadline } => {
			let snapshot = context.chain().await?.snapshot().await?;
			match snapshot.job_offer(*job_offer).await?.map(|offer| offer.state) {
				Some(OfferState::Matched(id)) => of_match(&snapshot, id).await?,
				Some(OfferState::Open) => {
					let since = time_of(record.since);
					let until = time_of(*completion_deadline);
					let why = unmatched(&snapshot, *job_offer).await?;
					format!("offered since {since}, waits for a solver until {until}; {why}")
				},
				None => "offered, and the offer is gone: `modicum job wait` finds out how".into(),
			}
		},
		Stage::Matched { match_id, .. } => {
			of_match(&context.chain().await?.snapshot().await?, *match_id).await?
		},
		_ => format!("{}, since {}", ended(&record).0, time_of(record.since)),
	};
	context.print(&Shown::new(number, &record, line));
	Ok(Exit::Success)
}

/// Where a match stands, in a line.
async fn of_match(snapshot: &Snapshot, id: u64) -> Outcome<String> {
	let Some(status) = snapshot.match_status(id).await? else {
		return Ok(format!("match {id} is closed: `modicum job wait` finds out how"));
	};
	let MatchStatus { record, waits_for, waits_on, until, .. } = status;
	let what = match waits_for {
		WaitsFor::Result => "the provider's result",
		WaitsFor::Reaction => "your reaction (`modicum job wait` gives it)",
		WaitsFor::MediationResult => "the mediator's evidence",
	};
	Ok(format!(
		"match {id} {}: waits for {what} from {waits_on} until {}",
		record.phase.name(),
		time_of(until)
	))
}

/// Why an offer is not matched: for each rule, how many resource offers break it whoever mediates.
async fn unmatched(snapshot: &Snapshot, job_offer: u64) -> Outcome<String> {
	let book = read_book(snapshot).await?;
	let now = snapshot.now().await?;
	let Some(job) = book.job_offers().get(&job_offer) else {
		return Ok("it is being matched".into());
	};
	let mediators = book.creator(&job.creator).unwrap_or_default();
	let mut counts: BTreeMap<String, usize> = BTreeMap::new();
	for resource_offer in book.resource_offers().keys() {
		let broken = mediators
			.iter()
			.filter_map(|mediator| book.broken_rules(job_offer, *resource_offer, mediator, now));
		let Some(fewest) = broken.min_by_key(Vec::len) else { continue };
		if fewest.is_empty() {
			return Ok(format!("resource offer {resource_offer} fits, so any solver may match it"));
		}
		for rule in fewest {
			*counts.entry(rule.to_string()).or_default() += 1;
		}
	}
	let offers = book.resource_offers().len();
	if offers == 0 {
		return Ok("no provider offers anything at the moment".into());
	}
	let rules = counts.into_iter().map(|(rule, count)| format!("{count} of {offers}: {rule}"));
	Ok(format!("no resource offer fits ({})", rules.collect::<Vec<_>>().join("; ")))
}

fn result(context: &Context, args: ResultArgs) -> Outcome {
	let jobs = jobs(context)?;
	let record = jobs.get(args.job)?;
	let archive = jobs.folder(args.job)?.join(crate::agents::creator::OUTPUT_FILE);
	let is_good = matches!(&record.stage, Stage::Done(closed) if closed.has_output());
	if !is_good || !archive.exists() {
		return Err(Failure::not_found(format!(
			"job {} has no output here: {}",
			args.job,
			ended(&record).0
		)));
	}
	let files = unpack_output(&archive, &args.out)?;
	let line = format!("{} files in {}", files.len(), args.out.display());
	context.print(&Shown { outputs: files, ..Shown::new(args.job, &record, line) });
	Ok(Exit::Success)
}

async fn logs(context: &Context, number: u64) -> Outcome {
	let agent = Agent::new(context, "creator").await?;
	let record = Jobs::new(&agent.store).get(number)?;
	let found = match &record.stage {
		Stage::Done(closed) => {
			closed.provider.map(|provider| (closed.match_id, provider, closed.result))
		},
		Stage::Matched { match_id, provider, .. } => Some((*match_id, *provider, None)),
		_ => None,
	};
	let Some((match_id, provider, result)) = found else {
		return Err(Failure::not_found(format!(
			"job {number} has not been run: {}",
			ended(&record).0
		)));
	};
	let snapshot = agent.chain.snapshot().await?;
	let directory = snapshot.directory(record.plan.directory).await?;
	let endpoint = directory.ok_or_else(|| Failure::not_found("the directory has left"))?.endpoint;
	let repository = RepositoryName::of_result(&DirectoryAccount(provider.0), match_id);
	let hash = result.map_or([0; 32], |run| run.result_hash);
	let stored = agent.transfer.stored_result(&endpoint, &repository, &hash).await?;
	let Some((digest, size)) = stored.log else {
		return Err(Failure::not_found(format!(
			"match {match_id} has left no log in the directory"
		)));
	};
	let log = agent.transfer.read(&endpoint, &repository, &digest.0, size).await?;
	match context.format {
		Format::Text => drop(std::io::stdout().write_all(&log)),
		Format::Json => {
			let text = String::from_utf8_lossy(&log);
			crate::output::print_line(
				&serde_json::json!({ "job": number, "log": text }).to_string(),
			);
		},
	}
	Ok(Exit::Success)
}

async fn cancel(context: &Context, number: u64) -> Outcome {
	let agent = Agent::new(context, "creator").await?;
	let jobs = Jobs::new(&agent.store);
	let mut record = jobs.get(number)?;
	if record.stage.is_over() {
		return Err(Failure::new(
			Exit::Refused,
			format!("job {number} is over: {}", ended(&record).0),
		));
	}
	if let Stage::Matched { match_id, .. } = record.stage {
		let message = format!(
			"job {number} is being run as match {match_id}, and can no longer be taken back"
		);
		return Err(Failure::new(Exit::Refused, message));
	}
	record.cancelled = true;
	jobs.put(number, &record)?;
	if let Stage::Offered { job_offer, .. } = record.stage {
		let done = agent.submitter.submit(Call::cancel_job_offer(job_offer)).await;
		if settled(done.map(|included| included.block))?.is_none() {
			let message =
				format!("job {number} has just been matched, and can no longer be taken back");
			return Err(Failure::new(Exit::Refused, message));
		}
	}
	// Nobody else drives it: write down how it ended.
	drive(context, &agent, number, false).await.map(|_| Exit::Success)
}

async fn resubmit(context: &Context, args: ResubmitArgs) -> Outcome {
	let agent = Agent::new(context, "creator").await?;
	let jobs = Jobs::new(&agent.store);
	let old = jobs.get(args.job)?;
	if !old.stage.is_over() {
		let message = format!("job {} is not over yet: cancel it first, or wait", args.job);
		return Err(Failure::new(Exit::Usage, message));
	}
	let here = std::env::current_dir().map_err(Failure::internal)?;
	let number = jobs.add(|number| {
		let usual = || format!("{}-{number}", old.package.name).into();
		let out = here.join(args.out.clone().unwrap_or_else(usual));
		new_record(old.package.clone(), Plan { out, ..old.plan.clone() })
	})?;
	drive(context, &agent, number, args.detach).await
}
