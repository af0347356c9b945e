// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The engine is killed, stopped and started again, at each step of a run. Machine's trouble is never the job's: what
//! was interrupted is run again, and gives what it would have given.

use std::{
	os::unix::{fs::MetadataExt, net::UnixStream},
	path::Path,
	process::{Child, Command, Stdio},
	time::Duration,
};

use modicum_executor::{DockerExecutor, Executor, ExecutorError, Job, RunId, RunOptions};
use modicum_primitives::ResultStatus;
use tempfile::TempDir;

use super::harness::*;

/// How long an engine may take to answer or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// A job that, asked to come to an end, would leave something else.
const JOB: &str = "trap 'echo interrupted > /out/x; exit 0' TERM; echo here; \
	i=0; while [ $i -lt 40 ]; do sleep 0.1; i=$((i+1)); done; echo complete > /out/x";

/// An engine of the test's own, ended with the value.
pub struct Engine {
	folder: TempDir,
	process: Child,
}

impl Engine {
	/// With a runtime besides the usual one, if there is to be any: its name and its program.
	pub async fn start(runtime: Option<(&str, &Path)>) -> Self {
		let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
		let runtime =
			runtime.map(|(name, path)| format!("--add-runtime={name}={}", path.display()));
		let process = spawn(folder.path(), runtime);
		let engine = Self { folder, process };
		engine.answers().await;
		engine
	}

	pub fn socket(&self) -> std::path::PathBuf {
		self.folder.path().join("docker.sock")
	}

	async fn answers(&self) {
		for _ in 0..PATIENCE.as_millis() / 100 {
			if UnixStream::connect(self.socket()).is_ok() {
				return;
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
		let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
		panic!("the engine does not start:\n{log}");
	}

	fn end(&mut self, signal: &str) {
		let id = self.process.id().to_string();
		assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
		self.process.wait().unwrap();
		let _ = std::fs::remove_file(self.socket());
		// Its helper dies with it, at once but not before; a service manager waits for that as well.
		let helper = self.folder.path().join("exec/containerd/containerd.pid");
		if let Ok(id) = std::fs::read_to_string(&helper) {
			let stat = format!("/proc/{}/stat", id.trim());
			while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
				std::thread::sleep(Duration::from_millis(10));
			}
			let _ = std::fs::remove_file(&helper);
		}
	}

	async fn start_again(&mut self) {
		self.process = spawn(self.folder.path(), None);
		self.answers().await;
	}
}

impl Drop for Engine {
	fn drop(&mut self) {
		self.end("-TERM");
		// What it leaves mounted below its own folder.
		let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
		let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
		let mut own: Vec<_> =
			points.filter(|point| Path::new(point).starts_with(self.folder.path())).collect();
		own.sort_unstable();
		for point in own.iter().rev() {
			let _ = Command::new("umount").arg("--lazy").arg(point).status();
		}
	}
}

fn spawn(folder: &Path, more: Option<String>) -> Child {
	let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
	Command::new("dockerd")
		.arg(format!("--host=unix://{}/docker.sock", folder.display()))
		.arg("--data-root")
		.arg(folder.join("data"))
		.arg("--exec-root")
		.arg(folder.join("exec"))
		.arg("--pidfile")
		.arg(folder.join("docker.pid"))
		.args(["--bridge", "none", "--iptables=false", "--ip6tables=false"])
		.args(["--ip-forward=false", "--ip-masq=false"])
		.args(more)
		.stdin(Stdio::null())
		.stdout(log.try_clone().unwrap())
		.stderr(log)
		.spawn()
		.expect("dockerd is missing: run `make setup`")
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn an_engine_that_goes_and_comes_back_costs_time_and_nothing_else() {
	if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
		println!("SKIPPED: starting an engine needs root");
		return;
	}
	block_on(async {
		let mut engine = Engine::start(None).await;
		let socket = engine.socket();
		let machine = Machine::connect("restart", |config| config.socket = Some(socket)).await;
		machine.take_calibration();
		let executor = machine.executor.clone();
		let files = tempfile::tempdir().unwrap();
		let job = shell(JOB).write(machine.base, files.path());
		let undisturbed = finished(&executor, &next_run(), &job).await;

		// Away before the job is loaded.
		let run = next_run();
		engine.end("-KILL");
		let refused = executor.prepare(&run, &job).await.unwrap_err();
		assert!(!matches!(refused, ExecutorError::Job(_)), "{refused}");
		assert!(refused.to_string().contains("engine"), "{refused}");
		engine.start_again().await;

		for signal in ["-KILL", "-TERM"] {
			let run = next_run();
			// Away between loading and running.
			prepared(&executor, &run, &job).await;
			engine.end(signal);
			let refused = executor.run(&run, &RunOptions::default()).await.unwrap_err();
			assert!(!matches!(refused, ExecutorError::Job(_)), "{refused}");
			engine.start_again().await;

			// Away while it runs.
			let running = {
				let (executor, run) = (executor.clone(), run.clone());
				tokio::spawn(async move { executor.run(&run, &RunOptions::default()).await })
			};
			printed(&executor, &run).await;
			engine.end(signal);
			let lost = tokio::time::timeout(PATIENCE, running).await.expect("no hang").unwrap();
			assert!(lost.is_err(), "{signal}: {lost:#?}");
			engine.start_again().await;
			loop {
				match executor.run(&run, &RunOptions::default()).await {
					Err(ExecutorError::Interrupted(_)) => break,
					// Connections to the engine of before break once each.
					Err(ExecutorError::Engine { .. }) => {},
					other => panic!("{signal}: {other:#?}"),
				}
			}
			executor.clean_up(&run).await.unwrap();
			assert_eq!(finished(&executor, &run, &job).await, undisturbed, "{signal}");
		}
		assert!(executor.recover().await.unwrap().is_empty());
	});
}

/// Runs a job to its end, and returns the hash of its result.
async fn finished(
	executor: &DockerExecutor,
	run: &RunId,
	job: &Job,
) -> Option<modicum_executor::Digest> {
	prepared(executor, run, job).await;
	let report = executor.run(run, &RunOptions::default()).await.unwrap();
	assert_eq!(report.status, ResultStatus::Completed, "{report:#?}");
	executor.clean_up(run).await.unwrap();
	report.result_hash
}

/// Loads a job. What is the machine's trouble is tried again, as agents do.
async fn prepared(executor: &DockerExecutor, run: &RunId, job: &Job) {
	let mut attempts = 0;
	while let Err(error) = executor.prepare(run, job).await {
		attempts += 1;
		assert!(attempts < 20 && matches!(error, ExecutorError::Engine { .. }), "{error}");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
}

/// Waits until a job has begun.
async fn printed(executor: &DockerExecutor, run: &RunId) {
	use futures::TryStreamExt;
	for _ in 0..PATIENCE.as_millis() / 100 {
		if let Ok(log) = executor.logs(run, false).await {
			let log: Vec<_> = log.try_collect().await.unwrap_or_default();
			if !log.is_empty() {
				return;
			}
		}
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	panic!("{run} does not begin");
}
