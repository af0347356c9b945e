// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The jobs of docker/jobs, on a real engine: each is made twice and run twice, and gives one result. Making them
//! downloads Debian packages. Run through `scripts/with-docker.sh`, as root:
//! `scripts/with-docker.sh cargo test -p modicum-packaging --test jobs -- --ignored`

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};

use modicum_executor::{CpuSet, DockerConfig, DockerExecutor, Executor, RunId, RunOptions};
use modicum_packaging::{unpack_output, JobFile};
use modicum_primitives::{Architecture, ResultStatus};

const HERE: Architecture = if cfg!(target_arch = "x86_64") {
	Architecture::Amd64
} else if cfg!(target_arch = "aarch64") {
	Architecture::Arm64
} else {
	Architecture::Armv7
};
/// Each folder of docker/jobs, and the file that its job leaves.
const JOBS: [(&str, &str); 3] =
	[("matrix-product", "product"), ("ray-tracing", "picture.bmp"), ("sequence-search", "hits")];

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn every_example_is_in_the_list() {
	let folder = Path::new("../../docker/jobs");
	let found: BTreeSet<String> = std::fs::read_dir(folder)
		.unwrap()
		.map(|entry| entry.unwrap())
		.filter(|entry| entry.path().is_dir())
		.map(|entry| entry.file_name().into_string().unwrap())
		.collect();
	assert_eq!(found, JOBS.map(|(name, _)| name.to_owned()).into());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
async fn each_example_gives_one_result_however_often_it_is_made_and_run() {
	let root = Path::new("../..");
	let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
	let config = DockerConfig::new(folder.path().join("state"), "examples");
	let executor =
		DockerExecutor::connect(config).await.unwrap_or_else(|error| {
			panic!("these tests need a container engine; run them through scripts/with-docker.sh: {error}")
		});
	let archive = folder.path().join("base.tar");
	let made = Command::new(root.join("docker/bases/busybox.sh")).arg(&archive).output().unwrap();
	assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
	let base = String::from_utf8(made.stdout).unwrap().trim().parse().unwrap();
	executor.install_base(&archive).await.unwrap();
	// What an earlier run of the tests left when it was stopped.
	executor.reconcile(&BTreeSet::new(), Duration::ZERO).await.unwrap();
	executor.calibrate().await.unwrap();
	let last_cpu = std::thread::available_parallelism().unwrap().get() as u32 - 1;

	for (name, output) in JOBS {
		let job = JobFile::read(&root.join("docker/jobs").join(name)).unwrap();
		let mut results = Vec::new();
		for (attempt, cpu) in [(1, 0), (2, last_cpu)] {
			let work = folder.path().join(format!("{name}-{attempt}"));
			let package = job.pack(None, base, HERE, &work, &mut |_| {}).unwrap();
			let run: RunId = format!("{}{attempt}", name.replace('-', "")).parse().unwrap();
			executor.prepare(&run, &package.job()).await.unwrap();
			let options = RunOptions { cpus: CpuSet::one(cpu), wall_limit: None };
			let report = executor.run(&run, &options).await.unwrap();
			let log = report.log.as_ref().map(|log| std::fs::read_to_string(log).unwrap());
			assert_eq!(report.status, ResultStatus::Completed, "{name}: {report:#?}\n{log:?}");
			let files = tempfile::tempdir().unwrap();
			unpack_output(report.output.as_ref().unwrap(), files.path()).unwrap();
			assert!(files.path().join(output).metadata().unwrap().len() > 1_000, "{name}");
			executor.clean_up(&run).await.unwrap();
			results.push((package.descriptor.to_canonical_json(), report.result_hash.unwrap()));
		}
		assert_eq!(results[0].0, results[1].0, "{name}: made twice, two different jobs");
		assert_eq!(results[0].1, results[1].1, "{name}: run twice, two results");
	}
}
