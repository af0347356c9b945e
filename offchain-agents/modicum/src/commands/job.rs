// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum job`: from a folder to a verified, paid result.

use crate::{
	agents::{
		calls::settled,
		creator::{Driver, Tell},
		jobs::{JobRecord, Jobs, Plan, Stage},
		runner::Runner,
		Agent,
	},
	commands::{
		chain::time_of,
		job_show::{ended, list, status, Shown},
		job_submit::{submit, SubmitArgs},
		job_tools::{self, LintArgs, ProfileArgs},
	},
	config::{Verification, VerifyBy},
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::Format,
};
use clap::{Args, Subcommand};
use modicum_chain_client::Call;
use modicum_directory::{account::AccountId as DirectoryAccount, names::RepositoryName};
use modicum_packaging::unpack_output;
use std::{io::Write, path::PathBuf, sync::Arc};

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

/// Runs a command of `job`.
pub async fn run(context: &Context, command: JobCommand) -> Outcome {
	match command {
		JobCommand::Submit(args) => submit(context, *args).await,
		JobCommand::Profile(args) => job_tools::run_profile(context, args).await,
		JobCommand::Lint(args) => job_tools::run_lint(context, args).await,
		JobCommand::List => list(context, &jobs(context)?),
		JobCommand::Status(args) => status(context, &jobs(context)?, args.job).await,
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

/// What verifies results by running jobs, if that may be wanted and can be done here.
pub(super) async fn verifier(context: &Context, agent: &Agent, plan: &Plan) -> Option<Arc<Runner>> {
	let never = plan.verify == Verification::Probability(0.0);
	if never || plan.verify_by == VerifyBy::Duplicate {
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

/// What drives a job in this process.
fn driver(context: &Context, agent: &Agent, number: u64, runner: Option<Arc<Runner>>) -> Driver {
	Driver {
		agent: agent.clone(),
		jobs: Jobs::new(&agent.store),
		number,
		runner,
		tell: tell(context.format),
		cheat: None,
	}
}

/// Drives a job in this process, and shows how it ended.
pub(super) async fn drive(context: &Context, agent: &Agent, number: u64, detach: bool) -> Outcome {
	let jobs = Jobs::new(&agent.store);
	let record = jobs.get(number)?;
	let runner = match detach || record.stage.is_over() {
		true => None,
		false => verifier(context, agent, &record.plan).await,
	};
	let driver = driver(context, agent, number, runner);
	let driving = async {
		if detach {
			driver.post_only().await
		} else {
			driver.drive().await
		}
	};
	let record = tokio::select! {
		driven = driving => driven?,
		() = super::run::shutdown().cancelled_owned() => {
			return Err(interrupted(number, &driver.jobs.get(number)?.stage));
		},
	};
	let (line, exit) = ended(number, &record);
	context.print(&Shown::new(number, &record, line));
	Ok(exit)
}

/// What becomes of a job whose driver is told to end.
fn interrupted(number: u64, stage: &Stage) -> Failure {
	let goes_on = match stage {
		Stage::Packed | Stage::Uploaded => "is not offered yet".into(),
		Stage::Posting { .. } => "may be offered already".into(),
		Stage::Offered { job_offer, .. } => format!("goes on, as job offer {job_offer}"),
		Stage::Matched { match_id, .. } => format!("goes on, as match {match_id}"),
		Stage::Done(_) | Stage::Withdrawn { .. } => "is over".into(),
	};
	let cancel = match stage {
		Stage::Packed | Stage::Uploaded | Stage::Posting { .. } | Stage::Offered { .. } => {
			format!(", `modicum job cancel {number}` takes it back")
		},
		_ => String::new(),
	};
	let message = format!(
		"job {number} {goes_on}: `modicum job wait {number}` looks after it and fetches its output{cancel}"
	);
	Failure::new(Exit::Interrupted, message)
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
			ended(args.job, &record).0
		)));
	}
	let files = unpack_output(&archive, &args.out)?;
	let line = format!("{} in {}", crate::output::files(files.len()), args.out.display());
	let mut shown = Shown::new(args.job, &record, line);
	shown.outputs = files;
	context.print(&shown);
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
			ended(number, &record).0
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
	let record = jobs.get(number)?;
	if record.stage.is_over() {
		return Err(Failure::new(
			Exit::Refused,
			format!("job {number} is over: {}", ended(number, &record).0),
		));
	}
	if let Stage::Matched { match_id, .. } = record.stage {
		let message = format!(
			"job {number} is being run as match {match_id}, and can no longer be taken back"
		);
		return Err(Failure::new(Exit::Refused, message));
	}
	jobs.cancel(number).await?;
	let record = match record.stage {
		// It may be on the chain or not.
		Stage::Posting { .. } => driver(context, &agent, number, None).post_only().await?,
		_ => record,
	};
	if let Stage::Posting { .. } = record.stage {
		let message =
			format!("job {number} is just being offered by another process, which takes it back");
		return Err(Failure::new(Exit::Refused, message));
	}
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
	let (detach, out) = (args.detach, args.out);
	let make = move |number| {
		let usual = || format!("{}-{number}", old.package.name).into();
		let out = here.join(out.unwrap_or_else(usual));
		JobRecord::new(old.package, Plan { out, ..old.plan })
	};
	let number = jobs.add(make).await?;
	drive(context, &agent, number, detach).await
}
