// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs with gVisor's kernel between them and the host's.

use std::{os::unix::fs::PermissionsExt, path::Path};

use modicum_executor::Executor;
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
		let machine = Machine::connect("gvisor", |config| {
			config.socket = Some(engine.socket());
			config.runtime = Some("runsc".into());
		})
		.await;
		machine.executor.calibrate().await.unwrap();
		let report = machine.executor.doctor(None).await.unwrap();
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
			machine.compare(script, &roomy(script), expected).await;
		}
		let run = next_run();
		let log = machine.run_as(&run, &roomy("uname -r; dmesg 2>/dev/null | head -n 1")).await.log;
		let host = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
		assert!(!log.is_empty() && !log.starts_with(host.trim()), "{log}");
		machine.executor.clean_up(&run).await.unwrap();
	});
}

/// A job with room for the memory of gVisor's kernel, which is charged to it.
fn roomy(script: &str) -> TestJob {
	shell(script).with_limits(|limits| limits.ram = 128 * MIB)
}
