// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A provider with Podman and a mediator with Docker must agree: what jobs give, under both engines at once.

use std::{
	io::{BufRead, BufReader},
	path::{Path, PathBuf},
	process::{Child, ChildStdin, Command, Stdio},
};

use modicum_executor::{Executor, Severity};
use modicum_primitives::ResultStatus::{self, *};

use super::harness::*;

/// Podman's service, ended with the value.
struct Podman {
	process: Child,
	/// It ends when this does.
	until: Option<ChildStdin>,
	socket: PathBuf,
}

impl Podman {
	fn start() -> Self {
		let script = Path::new("../../scripts/with-podman.sh");
		let mut process = Command::new(script)
			.args(["sh", "-c", "echo $DOCKER_HOST; cat"])
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.spawn()
			.unwrap();
		let mut line = String::new();
		BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
		let socket = line.trim_end().strip_prefix("unix://");
		let socket = socket.expect("Podman does not start: see the message above").into();
		Self { until: process.stdin.take(), process, socket }
	}
}

impl Drop for Podman {
	fn drop(&mut self) {
		drop(self.until.take());
		let ended = self.process.wait().unwrap();
		let folder = self.socket.parent().unwrap();
		if !std::thread::panicking() {
			assert!(ended.success() && !folder.exists(), "{ended}: {} stays", folder.display());
		}
	}
}

#[test]
#[ignore = "needs a container engine and Podman: scripts/test-docker.sh"]
fn jobs_end_alike_under_docker_and_podman() {
	block_on(async {
		let podman = Podman::start();
		let socket = podman.socket.clone();
		let machine = Machine::connect("podman", |config| config.socket = Some(socket)).await;
		machine.executor.calibrate().await.unwrap();
		let report = machine.executor.doctor(None).await.unwrap();
		assert!(report.is_usable(), "{report}");
		let found = report.findings.iter().find(|finding| finding.check == "podman").unwrap();
		assert!(found.severity == Severity::Advice && found.message.contains("experimental"));

		let work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo $i > /out/count";
		let jobs: [(&str, TestJob, ResultStatus); 8] = [
			("work", shell(work), Completed),
			("files", shell("mkdir -p /out/d/e; ln -s ../../a /out/d/e/l; echo x > /out/a; ln /out/a /out/b"), Completed),
			("exit code", shell("exit 3"), ExceptionOccurred),
			("no command", unstartable(), JobDescriptionError),
			("memory", shell("tail /dev/zero; exit 0"), MemoryExceeded),
			("disk", shell("dd if=/dev/zero of=/out/x bs=64k; exit 0"), StorageExceeded),
			("bandwidth", shell("dd if=/dev/zero of=/out/x bs=1k count=100").with_limits(|limits| limits.bandwidth = 50_000), BandwidthExceeded),
			("endless", shell("while :; do :; done").with_limits(|limits| limits.instructions = 1_000_000_000), InstructionsExceeded),
		];
		for (name, job, expected) in jobs {
			let (docker, podman) = machine.compare(name, &job, expected).await;
			assert_eq!(podman.usage.bandwidth, docker.usage.bandwidth, "{name}");
			assert_eq!(podman.figures.storage, docker.figures.storage, "{name}");
			if expected == InstructionsExceeded {
				assert_eq!(podman.usage, docker.usage);
			}
		}
		assert!(machine.executor.recover().await.unwrap().is_empty());
	});
}

fn unstartable() -> TestJob {
	let mut job = shell("");
	job.command = vec!["/job/missing".into()];
	job
}
