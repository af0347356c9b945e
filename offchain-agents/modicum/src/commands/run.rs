// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `run` of each role: starts the agent and ends it when it is asked to.

use crate::{
	agents::{
		cheat::{CreatorCheat, MediatorCheat, ProviderCheat},
		creator::Driver,
		jobs::Jobs,
		mediator, observe, provider,
		runner::Runner,
		solver, Agent,
	},
	commands::executor,
	context::Context,
	failure::{Exit, Outcome},
	memory,
};
use clap::Args;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Between two looks for jobs that nobody drives.
const LOOK_FOR_JOBS: Duration = Duration::from_secs(2);

/// Arguments of `provider run`.
#[derive(Args, Debug, Clone, Default)]
pub struct ProviderRunArgs {
	/// For tests and demonstrations only: cheat in this way, and lose money
	#[arg(long, value_enum, value_name = "HOW")]
	pub scripted_cheat: Option<ProviderCheat>,
}

/// Arguments of `mediator run`.
#[derive(Args, Debug, Clone, Default)]
pub struct MediatorRunArgs {
	/// For tests and demonstrations only: cheat in this way, and lose what it would have earned
	#[arg(long, value_enum, value_name = "HOW")]
	pub scripted_cheat: Option<MediatorCheat>,
}

/// Arguments of `creator run`.
#[derive(Args, Debug, Clone, Default)]
pub struct CreatorRunArgs {
	/// For tests and demonstrations only: cheat in this way, and lose money
	#[arg(long, value_enum, value_name = "HOW")]
	pub scripted_cheat: Option<CreatorCheat>,
}

/// Ends on Ctrl-C and on what service managers send. The second time the process ends at once.
pub fn shutdown() -> CancellationToken {
	let shutdown = CancellationToken::new();
	let token = shutdown.clone();
	tokio::spawn(async move {
		asked_to_end().await;
		token.cancel();
		asked_to_end().await;
		std::process::exit(Exit::Interrupted.code().into());
	});
	shutdown
}

async fn asked_to_end() {
	use tokio::signal::unix::{signal, SignalKind};
	match signal(SignalKind::terminate()) {
		Ok(mut terminate) => tokio::select! {
			_ = terminate.recv() => {},
			_ = tokio::signal::ctrl_c() => {},
		},
		Err(_) => drop(tokio::signal::ctrl_c().await),
	}
}

/// An agent that serves its metrics, and what ends it.
async fn start(context: &Context, role: &'static str) -> Outcome<(Agent, CancellationToken)> {
	let agent = Agent::new(context, role).await?;
	let shutdown = shutdown();
	let listen = &context.config.agent.metrics_listen;
	observe::serve(agent.health.clone(), listen, shutdown.clone()).await?;
	tokio::spawn(memory::give_program_back());
	tracing::info!(role, account = %agent.account, "started");
	Ok((agent, shutdown))
}

/// Something that runs jobs for a role.
pub async fn runner(context: &Context, agent: &Agent, role: &str) -> Outcome<Runner> {
	let executor = executor::executor(context, role).await?;
	let work = agent.store.work("fetched")?;
	let cpus = context.config.provider.cpus_per_job;
	Ok(Runner::new(executor, agent.transfer.clone(), work, cpus))
}

/// Runs the provider.
pub async fn provider(context: &Context, args: ProviderRunArgs) -> Outcome {
	let (agent, shutdown) = start(context, "provider").await?;
	let _claim = agent.claim()?;
	let runner = runner(context, &agent, "provider").await?;
	let settings = context.config.provider.clone();
	provider::run(agent, settings, runner, args.scripted_cheat, shutdown).await?;
	Ok(Exit::Success)
}

/// Runs the mediator.
pub async fn mediator(context: &Context, args: MediatorRunArgs) -> Outcome {
	let (agent, shutdown) = start(context, "mediator").await?;
	let _claim = agent.claim()?;
	let runner = runner(context, &agent, "mediator").await?;
	let settings = context.config.mediator.clone();
	mediator::run(agent, settings, runner, args.scripted_cheat, shutdown).await?;
	Ok(Exit::Success)
}

/// Runs the solver.
pub async fn solver(context: &Context) -> Outcome {
	let (agent, shutdown) = start(context, "solver").await?;
	let _claim = agent.claim()?;
	solver::run(agent, context.config.solver.clone(), shutdown).await?;
	Ok(Exit::Success)
}

/// Drives every job of the creator that is not over.
pub async fn creator(context: &Context, args: CreatorRunArgs) -> Outcome {
	let (agent, shutdown) = start(context, "creator").await?;
	let _claim = agent.claim()?;
	let runner = Arc::new(runner(context, &agent, "creator").await?);
	let jobs = Jobs::new(&agent.store);
	let mut driven: BTreeMap<u64, tokio::task::JoinHandle<()>> = BTreeMap::new();
	let mut ticks = tokio::time::interval(LOOK_FOR_JOBS);
	loop {
		tokio::select! {
			() = shutdown.cancelled() => return Ok(Exit::Success),
			_ = ticks.tick() => {},
		}
		driven.retain(|_, task| !task.is_finished());
		for (number, record) in jobs.all()? {
			if record.stage.is_over() && !record.wants_delivery() || driven.contains_key(&number) {
				continue;
			}
			// Driven by `job submit` or `job wait`.
			if jobs.claim(number)?.is_none() {
				continue;
			}
			let driver = Driver {
				agent: agent.clone(),
				jobs: jobs.clone(),
				number,
				runner: Some(runner.clone()),
				tell: Arc::new(|job, text| tracing::info!(job, "{text}")),
				cheat: args.scripted_cheat,
			};
			driven.insert(
				number,
				tokio::spawn(async move {
					if let Err(failure) = driver.drive().await {
						driver.agent.health.trouble(&failure);
						tracing::warn!(job = number, %failure, "tried again later");
						tokio::time::sleep(Duration::from_secs(10)).await;
					}
				}),
			);
		}
		agent.health.block(agent.chain.snapshot().await?.number());
		agent.health.working(driven.len(), 0);
	}
}
