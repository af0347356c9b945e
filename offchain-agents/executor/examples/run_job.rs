// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Runs a folder as a job, by hand: `run_job BASE.tar FOLDER COMMAND [ARGUMENT…]`.
//!
//! The folder becomes the execution layer, so COMMAND is a path in it, from `/`. Examine the machine with
//! `run_job doctor`. State is kept in `$MODICUM_STATE`, by default in a folder below the temporary one.

use std::{
	collections::{BTreeMap, BTreeSet},
	path::{Path, PathBuf},
	time::{Duration, SystemTime},
};

use modicum_executor::{
	docker::BaseImage, DockerConfig, DockerExecutor, Executor, Job, JobDescriptor, Layer, RunId,
	RunOptions,
};
use modicum_primitives::{Meter, Resources};

type AnyError = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
	let arguments: Vec<String> = std::env::args().skip(1).collect();
	let state = std::env::var_os("MODICUM_STATE")
		.map_or_else(|| std::env::temp_dir().join("modicum-run-job"), PathBuf::from);
	let config = DockerConfig::new(&state, "byhand");
	match &arguments[..] {
		[word] if word == "doctor" => {
			print!("{}", DockerExecutor::examine(config, Some(SystemTime::now())).await);
			Ok(())
		},
		[base, folder, command @ ..] if !command.is_empty() => {
			let executor = DockerExecutor::connect(config).await?;
			executor.install_base(Path::new(base)).await?;
			// What an interrupted earlier try left.
			executor.reconcile(&BTreeSet::new(), Duration::ZERO).await?;
			let base =
				executor.bases().await?.into_iter().next().ok_or("the archive has no base")?;
			if executor.calibration()?.is_none() {
				println!("calibrating…");
			}
			let calibration = executor.calibrate().await?;
			println!("{} instructions/µs", calibration.instructions_per_us);
			let layer = state.join("execution.tar");
			pack(Path::new(folder), &layer)?;
			let job = describe(base, command, &layer)?;
			println!(
				"job {}\n{}",
				job.descriptor.digest(),
				text(&job.descriptor.to_canonical_json())
			);
			run(&executor, &job, &state).await
		},
		_ => Err("usage: run_job doctor | run_job BASE.tar FOLDER COMMAND [ARGUMENT…]".into()),
	}
}

fn pack(folder: &Path, layer: &Path) -> Result<(), AnyError> {
	let mut builder = tar::Builder::new(std::fs::File::create(layer)?);
	builder.mode(tar::HeaderMode::Deterministic);
	builder.follow_symlinks(false);
	builder.append_dir_all(".", folder)?;
	builder.finish()?;
	Ok(())
}

fn describe(base: BaseImage, command: &[String], layer: &Path) -> Result<Job, AnyError> {
	let descriptor = JobDescriptor {
		architecture: base.architecture.ok_or("the base is for no architecture of the market")?,
		base: base.chain_id,
		command: command.to_vec(),
		data_layer: None,
		environment: BTreeMap::new(),
		execution_layer: Layer::describe(layer)?,
		limits: Resources {
			instructions: 100_000_000_000,
			ram: 256 << 20,
			storage: 64 << 20,
			bandwidth: 1 << 30,
		},
		meter: Meter::CpuTime,
		version: modicum_executor::descriptor::DESCRIPTOR_VERSION,
		working_directory: "/out".into(),
	};
	Ok(Job { descriptor, execution_layer: layer.into(), data_layer: None })
}

async fn run(executor: &DockerExecutor, job: &Job, state: &Path) -> Result<(), AnyError> {
	let run: RunId = "byhand".parse()?;
	executor.prepare(&run, job).await?;
	let report = executor.run(&run, &RunOptions::default()).await?;
	println!("{report:#?}");
	if let Some(log) = &report.log {
		println!("--- log\n{}", text(&std::fs::read(log)?));
	}
	if let Some(output) = &report.output {
		let kept = state.join("output.tar");
		std::fs::copy(output, &kept)?;
		println!("--- output in {}", kept.display());
	}
	executor.clean_up(&run).await?;
	Ok(())
}

fn text(bytes: &[u8]) -> String {
	String::from_utf8_lossy(bytes).into_owned()
}
