// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Runs from preparation to removal, with crashes in between.

use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};

use bollard::{
	models::VolumeCreateRequest,
	query_parameters::{KillContainerOptions, RemoveVolumeOptions},
	Docker,
};
use futures::StreamExt;
use modicum_executor::{
	docker::StorageKind, CpuSet, DockerExecutor, Executor, ExecutorError, RunId, RunOptions,
	RunPhase, Severity,
};
use modicum_primitives::{Meter, ResultStatus};

use crate::harness::{block_on, build_busybox, next_run, shell, Machine, HERE, MIB};

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_base_is_the_same_every_time_and_what_the_engine_calls_it() {
	block_on(async {
		let machine = Machine::shared();
		let folder = tempfile::tempdir().unwrap();
		assert_eq!(build_busybox(&folder.path().join("again.tar")), machine.base);
		let bases = machine.executor.bases().await.unwrap();
		let base = bases.iter().find(|base| base.chain_id == machine.base).unwrap();
		assert_eq!(base.architecture, Some(HERE));
		assert_eq!(base.tags, ["localhost/modicum-base/busybox:latest"]);
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_job_gets_its_layers_arguments_and_environment() {
	block_on(async {
		let mut job =
			shell("echo $2 $KEY > /out/said; cat /data/input > /out/copy; pwd > /out/where");
		job.command.extend(["one".into(), "two words".into()]);
		job.environment = BTreeMap::from([("KEY".into(), "value".into())]);
		job.data = Some(vec![("data/input".into(), 0o644, b"from the data layer".to_vec())]);
		let ended = Machine::shared().run(&job).await;
		assert_eq!(ended.report.status, ResultStatus::Completed, "{ended:#?}");
		assert_eq!(ended.output[&b"said"[..]], b"two words value\n");
		assert_eq!(ended.output[&b"copy"[..]], b"from the data layer");
		assert_eq!(ended.output[&b"where"[..]], b"/out\n");
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn two_runs_of_one_job_give_one_hash() {
	block_on(async {
		let machine = Machine::shared();
		let job = shell("for i in 3 1 2; do mkdir /out/$i; echo $i > /out/$i/file; done; date >&2");
		let one = machine.run(&job).await.report;
		tokio::time::sleep(Duration::from_secs(1)).await;
		let other = machine.run(&job.with_cpus(CpuSet::one(0))).await.report;
		assert!(one.result_hash.is_some());
		assert_eq!(one.result_hash, other.result_hash);
		assert_eq!(one.usage.bandwidth, other.usage.bandwidth);
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn output_in_memory_gives_the_same_result_as_on_disk() {
	block_on(async {
		let job = shell("echo x > /out/a; mkdir /out/d; ln /out/a /out/d/b; exit 0");
		let full = shell("dd if=/dev/zero of=/out/x bs=64k; exit 0");
		let memory = Machine::new("memory", Some(StorageKind::Memory)).await;
		let on_disk = Machine::shared().run(&job).await.report;
		let in_memory = memory.run(&job).await.report;
		assert_eq!(in_memory.status, ResultStatus::Completed, "{in_memory:#?}");
		assert_eq!(in_memory.result_hash, on_disk.result_hash);
		assert_eq!(memory.run(&full).await.report.status, ResultStatus::StorageExceeded);
		let greedy = shell("exec tail /dev/zero");
		assert_eq!(memory.run(&greedy).await.report.status, ResultStatus::MemoryExceeded);
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_run_survives_a_crash_of_the_executor() {
	block_on(async {
		let machine = Machine::new("crash", None).await;
		let run = next_run();
		let files = tempfile::tempdir().unwrap();
		let job = shell("sleep 15; echo survived > /out/x").write(machine.base, files.path());
		// Kept to the end: it holds the state that outlives the executors.
		let Machine { executor, config, base: _, folder: _folder } = machine;
		executor.prepare(&run, &job).await.unwrap();
		assert_eq!(executor.recover().await.unwrap()[0].phase, RunPhase::Prepared);
		// The executor goes while the job runs: a dropped future does no more than a killed process.
		let options = RunOptions::default();
		let started = tokio::time::timeout(Duration::from_secs(2), executor.run(&run, &options));
		assert!(started.await.is_err());
		drop(executor);

		let executor = DockerExecutor::connect(config.clone()).await.unwrap();
		assert_eq!(executor.recover().await.unwrap()[0].phase, RunPhase::Running);
		executor.prepare(&run, &job).await.unwrap();
		let report = executor.run(&run, &RunOptions::default()).await.unwrap();
		assert_eq!(report.status, ResultStatus::Completed, "{report:#?}");
		drop(executor);

		let executor = DockerExecutor::connect(config).await.unwrap();
		assert_eq!(executor.recover().await.unwrap()[0].phase, RunPhase::Reported);
		assert_eq!(executor.run(&run, &RunOptions::default()).await.unwrap(), report);
		executor.clean_up(&run).await.unwrap();
		assert!(executor.recover().await.unwrap().is_empty());
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn what_ended_while_the_executor_was_away_is_evaluated() {
	block_on(async {
		let machine = Machine::new("away", None).await;
		let run = next_run();
		let files = tempfile::tempdir().unwrap();
		let job = shell("sleep 1; while :; do :; done")
			.with_limits(|limits| limits.instructions = 1_000_000_000)
			.write(machine.base, files.path());
		machine.executor.prepare(&run, &job).await.unwrap();
		let options = RunOptions::default();
		let run_it = machine.executor.run(&run, &options);
		assert!(tokio::time::timeout(Duration::from_millis(700), run_it).await.is_err());
		// Nobody looks while the job passes its limit.
		tokio::time::sleep(Duration::from_secs(3)).await;
		let report = machine.executor.run(&run, &RunOptions::default()).await.unwrap();
		assert_eq!(report.status, ResultStatus::InstructionsExceeded, "{report:#?}");
		assert_eq!(report.usage.instructions, 1_000_000_000);
		machine.executor.clean_up(&run).await.unwrap();
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_run_can_be_cancelled_before_and_while_it_runs() {
	block_on(async {
		let machine = Machine::shared();
		let files = tempfile::tempdir().unwrap();
		let job = shell("echo here; sleep 1000").write(machine.base, files.path());
		for started in [false, true] {
			let run = next_run();
			machine.executor.prepare(&run, &job).await.unwrap();
			let running = started.then(|| {
				let (executor, run) = (machine.executor.clone(), run.clone());
				tokio::spawn(async move { executor.run(&run, &RunOptions::default()).await })
			});
			if started {
				wait_for_log(machine, &run, "here").await;
			}
			machine.executor.cancel(&run).await.unwrap();
			let result = match running {
				Some(running) => running.await.unwrap(),
				None => machine.executor.run(&run, &RunOptions::default()).await,
			};
			assert!(matches!(result, Err(ExecutorError::Cancelled(_))), "{result:?}");
			machine.executor.clean_up(&run).await.unwrap();
			machine.assert_nothing_left(&run).await;
		}
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_job_that_somebody_else_kills_is_not_blamed() {
	block_on(async {
		let machine = Machine::shared();
		let run = next_run();
		let files = tempfile::tempdir().unwrap();
		let job = shell("echo here; sleep 1000").write(machine.base, files.path());
		machine.executor.prepare(&run, &job).await.unwrap();
		let running = {
			let (executor, run) = (machine.executor.clone(), run.clone());
			tokio::spawn(async move { executor.run(&run, &RunOptions::default()).await })
		};
		wait_for_log(machine, &run, "here").await;
		let docker = Docker::connect_with_defaults().unwrap();
		let name = format!("modicum-{}-{run}", machine.config.instance);
		docker.kill_container(&name, None::<KillContainerOptions>).await.unwrap();
		let result = running.await.unwrap();
		assert!(matches!(result, Err(ExecutorError::Interrupted(_))), "{result:?}");
		machine.executor.clean_up(&run).await.unwrap();
		machine.assert_nothing_left(&run).await;
	});
}

async fn wait_for_log(machine: &Machine, run: &RunId, text: &str) {
	for _ in 0..200 {
		if let Ok(mut chunks) = machine.executor.logs(run, true).await {
			while let Some(Ok(chunk)) = chunks.next().await {
				if String::from_utf8_lossy(&chunk.bytes).contains(text) {
					return;
				}
			}
		}
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
	panic!("'{text}' never appeared");
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn logs_are_streamed_and_kept() {
	block_on(async {
		let machine = Machine::shared();
		let run = next_run();
		let files = tempfile::tempdir().unwrap();
		let job = shell("echo early; echo trouble >&2; sleep 2; echo late")
			.write(machine.base, files.path());
		machine.executor.prepare(&run, &job).await.unwrap();
		let running = {
			let (executor, run) = (machine.executor.clone(), run.clone());
			tokio::spawn(async move { executor.run(&run, &RunOptions::default()).await })
		};
		// It appears before the job is over.
		wait_for_log(machine, &run, "early").await;
		assert!(!running.is_finished());
		let chunks: Vec<_> = machine.executor.logs(&run, true).await.unwrap().collect().await;
		let chunks: Vec<_> = chunks.into_iter().map(Result::unwrap).collect();
		let of = |error: bool| -> Vec<u8> {
			chunks
				.iter()
				.filter(|chunk| chunk.error == error)
				.flat_map(|chunk| chunk.bytes.to_vec())
				.collect()
		};
		assert_eq!(of(false), b"early\nlate\n");
		assert_eq!(of(true), b"trouble\n");
		let report = running.await.unwrap().unwrap();
		let kept = std::fs::read_to_string(report.log.unwrap()).unwrap();
		assert!(
			kept.contains("early") && kept.contains("trouble") && kept.contains("late"),
			"{kept}"
		);
		machine.executor.clean_up(&run).await.unwrap();
		assert!(matches!(
			machine.executor.logs(&run, false).await.map(drop),
			Err(ExecutorError::UnknownRun(_))
		));
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn reconciliation_removes_its_own_and_nothing_else() {
	block_on(async {
		let machine = Machine::new("orphans", None).await;
		let docker = Docker::connect_with_defaults().unwrap();
		let foreign = "modicum-test-foreign-volume";
		let request = VolumeCreateRequest { name: Some(foreign.into()), ..Default::default() };
		docker.create_volume(request).await.unwrap();
		let files = tempfile::tempdir().unwrap();
		let job = shell("echo x").write(machine.base, files.path());
		let (kept, orphan, others) = (next_run(), next_run(), next_run());
		for run in [&kept, &orphan] {
			machine.executor.prepare(run, &job).await.unwrap();
			machine.executor.run(run, &RunOptions::default()).await.unwrap();
		}
		let shared = Machine::shared();
		shared
			.executor
			.prepare(&others, &shell("echo x").write(shared.base, files.path()))
			.await
			.unwrap();
		// A crash that lost even the folder.
		std::fs::rename(
			machine.config.state_folder.join("runs").join(orphan.as_str()).join("run.json"),
			files.path().join("gone"),
		)
		.unwrap();
		let keep = BTreeSet::from([kept.clone()]);
		let hour = Duration::from_secs(3600);
		assert_eq!(machine.executor.reconcile(&keep, hour).await.unwrap(), []);
		assert_eq!(
			machine.executor.reconcile(&keep, Duration::ZERO).await.unwrap(),
			std::slice::from_ref(&orphan)
		);
		machine.assert_nothing_left(&orphan).await;
		assert!(docker.inspect_volume(foreign).await.is_ok());
		let report = shared.executor.run(&others, &RunOptions::default()).await.unwrap();
		assert_eq!(report.status, ResultStatus::Completed);
		shared.executor.clean_up(&others).await.unwrap();
		docker.remove_volume(foreign, None::<RemoveVolumeOptions>).await.unwrap();
		machine.executor.clean_up(&kept).await.unwrap();
		machine.assert_nothing_left(&kept).await;
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn preparing_again_is_harmless_and_another_job_needs_another_name() {
	block_on(async {
		let machine = Machine::shared();
		let run = next_run();
		let (files, more) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
		let job = shell("echo x").write(machine.base, files.path());
		machine.executor.prepare(&run, &job).await.unwrap();
		machine.executor.prepare(&run, &job).await.unwrap();
		let other = shell("echo y").write(machine.base, more.path());
		let refused = machine.executor.prepare(&run, &other).await;
		assert!(matches!(refused, Err(ExecutorError::RunInUse(_))), "{refused:?}");
		machine.executor.clean_up(&run).await.unwrap();
		machine.executor.clean_up(&run).await.unwrap();
		machine.assert_nothing_left(&run).await;
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn what_the_machine_cannot_do_is_an_error_and_no_status() {
	block_on(async {
		let machine = Machine::shared();
		let run = next_run();
		let files = tempfile::tempdir().unwrap();
		let mut job = shell("echo x").write(machine.base, files.path());
		job.descriptor.meter = Meter::WasmFuel;
		let refused = machine.executor.prepare(&run, &job).await.unwrap_err();
		assert!(matches!(refused, ExecutorError::MeterUnavailable(Meter::WasmFuel)), "{refused}");
		assert_eq!(refused.result_status(), None);
		job.descriptor.meter = Meter::CpuTime;
		machine.executor.prepare(&run, &job).await.unwrap();
		for cpus in [CpuSet::from_iter([]), CpuSet::one(4096)] {
			let options = RunOptions { cpus, wall_limit: None };
			let refused = machine.executor.run(&run, &options).await;
			assert!(matches!(refused, Err(ExecutorError::BadCpuSet { .. })), "{refused:?}");
		}
		machine.executor.clean_up(&run).await.unwrap();
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn the_doctor_finds_this_machine_usable_and_says_why_one_is_not() {
	block_on(async {
		let machine = Machine::shared();
		let report = machine.executor.doctor(Some(std::time::SystemTime::now())).await.unwrap();
		assert!(report.is_usable(), "{report}");
		assert_eq!(report.architectures, [HERE]);
		assert!(report.meters.contains(&Meter::CpuTime));
		assert_eq!(report.meters, machine.executor.meters());
		let beyond_advice =
			|finding: &&modicum_executor::Finding| finding.severity > Severity::Fine;
		assert!(report
			.findings
			.iter()
			.filter(beyond_advice)
			.all(|finding| finding.remedy.is_some()));

		let mut absent = machine.config.clone();
		absent.socket = Some("/nonexistent.sock".into());
		let report = DockerExecutor::examine(absent, None).await;
		assert!(!report.is_usable());
		let mut strange = machine.config.clone();
		strange.state_folder.push("other");
		strange.runtime = Some("no-such-runtime".into());
		let report = DockerExecutor::examine(strange, None).await;
		assert!(report.to_string().contains("no-such-runtime"), "{report}");
		assert!(!report.is_usable());
		// Whether the kernel has AppArmor in use is its own to say.
		let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
		let expected = match enabled.is_ok_and(|enabled| enabled.starts_with('Y')) {
			true => Severity::Fine,
			false => Severity::Advice,
		};
		let apparmor = report.findings.iter().find(|finding| finding.check == "apparmor").unwrap();
		assert_eq!(apparmor.severity, expected, "{report}");
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_runtime_that_the_engine_lacks_is_named_before_anything_is_loaded() {
	block_on(async {
		let machine = Machine::shared();
		let mut config = machine.config.clone();
		let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
		config.state_folder = folder.path().join("state");
		config.instance = "sandboxed".into();
		config.runtime = Some("no-such-runtime".into());
		let executor = DockerExecutor::connect(config.clone()).await.unwrap();
		let expected = |error: ExecutorError| {
			assert!(error.to_string().contains("no runtime 'no-such-runtime'"), "{error}");
			// The machine is at fault, not the job.
			assert_eq!(error.result_status(), None);
		};
		expected(executor.calibrate().await.map(drop).unwrap_err());
		let files = tempfile::tempdir().unwrap();
		let job = shell("echo x").write(machine.base, files.path());
		let run = next_run();
		expected(executor.prepare(&run, &job).await.unwrap_err());
		assert!(executor.recover().await.unwrap().is_empty());
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn the_figures_are_those_of_the_kernel() {
	block_on(async {
		// Two processes' worth of work, of which the shell's own accounting knows as well.
		let script = "i=0; while [ $i -lt 400000 ]; do i=$((i + 1)); done; times";
		let ended = Machine::shared().run(&shell(script)).await;
		let figures = &ended.report.figures;
		let seconds: f64 = ended.log.lines().next().unwrap().split_whitespace().map(minutes).sum();
		let metered = figures.cpu_ns as f64 / 1e9;
		// The shell knows nothing of what starting it cost, and counts in ticks.
		assert!(metered > seconds - 0.05, "{metered} s metered, {seconds} s by the shell");
		assert!(metered < seconds + 0.5, "{metered} s metered, {seconds} s by the shell");
		let net = figures.cpu_ns.saturating_sub(figures.cpu_overhead_ns);
		assert_eq!(figures.instructions, net * figures.instructions_per_us.unwrap() / 1000);
		assert_eq!(ended.report.usage.instructions, figures.instructions);
		assert!(figures.wall_ns >= figures.cpu_ns / 2);
		assert!(figures.peak_memory.unwrap() > MIB / 2);
	});
}

/// Seconds of a time written `0m1.230s`.
fn minutes(text: &str) -> f64 {
	let (minutes, seconds) = text.trim_end_matches('s').split_once('m').unwrap();
	minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
}
