// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs with gVisor's kernel between them and the host's.

use std::{os::unix::fs::PermissionsExt, path::Path};

use modicum_executor::{DockerConfig, DockerExecutor, Executor};
use modicum_primitives::ResultStatus::{self, *};

use super::{harness::*, restart::Engine};

#[test]
#[ignore = "needs a container engine and gVisor: scripts/test-docker.sh"]
fn jobs_end_alike_with_and_without_gvisor() {
	let runsc = ["/usr/bin/runsc", "/usr/local/bin/runsc"]
		.into_iter()
		.find(|path| Path::new(path).exists());
	let runsc = runsc.expect("runsc is missing: apt-get install runsc");
	block_on(async {
		let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
		// As docs/executor.md registers it; the engine's command line has no place for arguments.
		let program = folder.path().join("runsc");
		std::fs::write(&program, format!("#!/bin/sh\nexec {runsc} --network=none \"$@\"\n"))
			.unwrap();
		std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
		let engine = Engine::start(Some(("runsc", &program))).await;
		let mut config = DockerConfig::new(folder.path().join("state"), "gvisor");
		config.socket = Some(engine.socket());
		config.runtime = Some("runsc".into());
		let executor = DockerExecutor::connect(config).await.unwrap();
		let archive = folder.path().join("base.tar");
		let base = build_busybox(&archive);
		executor.install_base(&archive).await.unwrap();
		executor.calibrate().await.unwrap();
		let report = executor.doctor(None).await.unwrap();
		assert!(report.is_usable() && report.architectures == [HERE], "{report}");

		let work = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i > /out/count";
		let jobs: [(&str, ResultStatus); 5] = [
			(work, Completed),
			(
				"mkdir -p /out/d/e; ln -s ../../a /out/d/e/l; echo x > /out/a; ln /out/a /out/b",
				Completed,
			),
			("exit 3", ExceptionOccurred),
			("exec tail /dev/zero", MemoryExceeded),
			("dd if=/dev/zero of=/out/x bs=64k; exit 0", StorageExceeded),
		];
		for (script, expected) in jobs {
			// Its kernel's own memory is charged to the job.
			let job = shell(script).with_limits(|limits| limits.ram = 128 * MIB);
			let without = Machine::shared().run(&job).await.report;
			let run = next_run();
			let files = tempfile::tempdir().unwrap();
			executor.prepare(&run, &job.write(base, files.path())).await.unwrap();
			let with = executor.run(&run, &job.options).await.unwrap();
			assert_eq!((without.status, with.status), (expected, expected), "{script}: {with:#?}");
			assert_eq!(with.result_hash, without.result_hash, "{script}");
			println!(
				"{script}: {} and {} µs of CPU time, {:?} and {:?} bytes of memory without and with gVisor",
				without.figures.cpu_ns / 1000,
				with.figures.cpu_ns / 1000,
				without.figures.peak_memory,
				with.figures.peak_memory,
			);
			executor.clean_up(&run).await.unwrap();
		}
		let other = shell("uname -r; dmesg 2>/dev/null | head -n 1");
		let run = next_run();
		let files = tempfile::tempdir().unwrap();
		let other = other.with_limits(|limits| limits.ram = 128 * MIB);
		executor.prepare(&run, &other.write(base, files.path())).await.unwrap();
		let report = executor.run(&run, &other.options).await.unwrap();
		let log = std::fs::read_to_string(report.log.unwrap()).unwrap();
		let host = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
		assert!(!log.is_empty() && !log.starts_with(host.trim()), "{log}");
		executor.clean_up(&run).await.unwrap();
	});
}
