// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the executor adds to a container, what it meters and how far a job overshoots its limit:
//! `scripts/with-docker.sh cargo run -p modicum-executor --example executor_bench -- BASE.tar [RUNS]`
//!
//! Runs alternate between `docker run` and the executor, so that whatever else the machine does disturbs both alike.

use std::{
	collections::BTreeMap,
	path::Path,
	process::Command,
	time::{Duration, Instant},
};

use modicum_executor::{
	docker::BaseImage, CpuSet, DockerConfig, DockerExecutor, Executor, Job, JobDescriptor, Layer,
	RunId, RunOptions, RunReport,
};
use modicum_primitives::{Meter, Resources};

type AnyError = Box<dyn std::error::Error>;

/// About a second of work that ends by itself and prints the time that the kernel charged to its processes.
const WORK: &str =
	"i=0; while [ $i -lt 600000 ]; do i=$((i + 1)); done; echo $i > /out/result; times";
const ENDLESS: &str = "while :; do :; done";
const LIMIT_RUNS: usize = 10;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
	let mut arguments = std::env::args().skip(1);
	let archive = arguments.next().ok_or("usage: bench BASE.tar [RUNS]")?;
	let runs: usize = arguments.next().map_or(Ok(100), |text| text.parse())?;
	let folder = tempfile::tempdir()?;
	let executor =
		DockerExecutor::connect(DockerConfig::new(folder.path().join("state"), "bench")).await?;
	executor.install_base(Path::new(&archive)).await?;
	let base = executor.bases().await?.into_iter().next().ok_or("the archive has no base")?;
	let calibration = executor.calibrate().await?;
	println!(
		"calibration: {} instructions/µs, {:.1} ms CPU to start a container\n",
		calibration.instructions_per_us,
		calibration.overhead_cpu_ns as f64 / 1e6
	);
	compare(&executor, &base, folder.path(), runs).await?;
	limits(&executor, &base, folder.path(), calibration.cpu_ns(1_000_000_000)).await?;
	Ok(())
}

/// The same work by `docker run` and by the executor.
async fn compare(
	executor: &DockerExecutor,
	base: &BaseImage,
	folder: &Path,
	runs: usize,
) -> Result<(), AnyError> {
	let job = job(base, folder, WORK, 1 << 50)?;
	let memory_before = resident_bytes()?;
	let (mut plain, mut ours, mut prepared, mut differences) = (vec![], vec![], vec![], vec![]);
	let mut memory_after_first = 0;
	for index in 0..runs {
		let begun = Instant::now();
		let ran = Command::new("docker")
			.args([
				"run",
				"--rm",
				"--network=none",
				"--cpuset-cpus=0",
				"--user=65534:65534",
				"--read-only",
			])
			.args([
				"--tmpfs=/out:uid=65534",
				"--tmpfs=/tmp",
				"--memory=64m",
				"--memory-swap=64m",
				"--cap-drop=ALL",
			])
			.args(["--pids-limit=512", &base.image, "/bin/sh", "-c", WORK])
			.output()?;
		if !ran.status.success() {
			return Err(
				format!("docker run failed: {}", String::from_utf8_lossy(&ran.stderr)).into()
			);
		}
		plain.push(begun.elapsed());

		let run: RunId = format!("run{index}").parse()?;
		let begun = Instant::now();
		executor.prepare(&run, &job).await?;
		prepared.push(begun.elapsed());
		let begun = Instant::now();
		let running = {
			let (executor, run) = (executor.clone(), run.clone());
			let options = RunOptions { cpus: CpuSet::one(0), wall_limit: None };
			tokio::spawn(async move { executor.run(&run, &options).await })
		};
		let report = running.await??;
		ours.push(begun.elapsed());
		differences.push(difference(&report)?);
		executor.clean_up(&run).await?;
		if index == 0 {
			memory_after_first = resident_bytes()?;
		}
	}
	let memory = resident_bytes()?;
	let (plain, ours) = (median(&mut plain), median(&mut ours));
	let added = ours.as_secs_f64() - plain.as_secs_f64();
	println!("{runs} runs                        median");
	println!("docker run                      {:8.3} s", plain.as_secs_f64());
	println!("executor, run                   {:8.3} s", ours.as_secs_f64());
	println!(
		"added wall time                 {added:8.3} s  ({:.1} %; allowed 0.3 s or 1 %)",
		100.0 * added / plain.as_secs_f64()
	);
	println!("executor, prepare (once a job)  {:8.3} s", median(&mut prepared).as_secs_f64());
	println!("agent's memory: before          {:8.1} MB", memory_before as f64 / 1e6);
	println!("  after the first run           {:8.1} MB", memory_after_first as f64 / 1e6);
	println!(
		"  after the last run            {:8.1} MB  (added {:.1} MB; allowed 5 MB)",
		memory as f64 / 1e6,
		(memory as f64 - memory_before as f64) / 1e6
	);
	differences.sort_by(f64::total_cmp);
	println!(
		"metered CPU time, overhead subtracted, against the kernel's own account of the job's processes: \
		 from {:+.2} % to {:+.2} %, median {:+.2} % (allowed 2 %)\n",
		differences[0],
		differences[differences.len() - 1],
		differences[differences.len() / 2]
	);
	Ok(())
}

/// In percent: metered CPU time without the overhead, against the sum that the job's shell printed at its end.
fn difference(report: &RunReport) -> Result<f64, AnyError> {
	let log = std::fs::read_to_string(report.log.as_ref().ok_or("no log")?)?;
	let mut charged = 0.0;
	for time in log.split_whitespace() {
		let (minutes, seconds) = time.trim_end_matches('s').split_once('m').ok_or("no times")?;
		charged += minutes.parse::<f64>()? * 60.0 + seconds.parse::<f64>()?;
	}
	let figures = &report.figures;
	let metered = figures.cpu_ns.saturating_sub(figures.cpu_overhead_ns) as f64 / 1e9;
	Ok(100.0 * (metered - charged) / charged)
}

/// How far endless jobs get beyond their limit.
async fn limits(
	executor: &DockerExecutor,
	base: &BaseImage,
	folder: &Path,
	limit_ns: u64,
) -> Result<(), AnyError> {
	let job = job(base, folder, ENDLESS, 1_000_000_000)?;
	let mut overshoots = Vec::new();
	for index in 0..LIMIT_RUNS {
		let run: RunId = format!("limit{index}").parse()?;
		executor.prepare(&run, &job).await?;
		let report = executor.run(&run, &RunOptions::default()).await?;
		overshoots.push(report.figures.cpu_ns.saturating_sub(limit_ns) as f64 / 1e6);
		executor.clean_up(&run).await?;
	}
	overshoots.sort_by(f64::total_cmp);
	println!(
		"overshoot of an instruction limit, {LIMIT_RUNS} runs on one CPU: median {:.1} ms, worst {:.1} ms (allowed 50 ms)",
		overshoots[overshoots.len() / 2],
		overshoots[overshoots.len() - 1]
	);
	Ok(())
}

fn job(base: &BaseImage, folder: &Path, script: &str, instructions: u64) -> Result<Job, AnyError> {
	let path = folder.join("execution.tar");
	let mut builder = tar::Builder::new(std::fs::File::create(&path)?);
	let text = format!("#!/bin/sh\n{script}\n");
	let mut header = tar::Header::new_gnu();
	header.set_mode(0o755);
	header.set_size(text.len() as u64);
	builder.append_data(&mut header, "job/run", text.as_bytes())?;
	builder.finish()?;
	let descriptor = JobDescriptor {
		architecture: base.architecture.ok_or("the base is for no architecture of the market")?,
		base: base.chain_id,
		command: vec!["/bin/sh".into(), "/job/run".into()],
		data_layer: None,
		environment: BTreeMap::new(),
		execution_layer: Layer::describe(&path)?,
		limits: Resources { instructions, ram: 64 << 20, storage: 8 << 20, bandwidth: 1 << 30 },
		meter: Meter::CpuTime,
		version: modicum_executor::descriptor::DESCRIPTOR_VERSION,
		working_directory: "/out".into(),
	};
	Ok(Job { descriptor, execution_layer: path, data_layer: None })
}

fn median(times: &mut [Duration]) -> Duration {
	times.sort();
	times[times.len() / 2]
}

/// Memory of this process that is in RAM, in bytes.
fn resident_bytes() -> Result<u64, AnyError> {
	let status = std::fs::read_to_string("/proc/self/status")?;
	let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
	let kib: u64 = line.split_whitespace().nth(1).ok_or("no VmRSS")?.parse()?;
	Ok(kib * 1024)
}
