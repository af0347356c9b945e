// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs packed and tried out on a real engine. Run through `scripts/with-docker.sh`, as root:
//! `scripts/with-docker.sh cargo test -p modicum-packaging --test docker -- --ignored`

#![allow(clippy::unwrap_used)]

use std::{
	collections::BTreeSet,
	fs::{self, File},
	future::Future,
	os::unix::fs::PermissionsExt,
	path::Path,
	process::Command,
	sync::LazyLock,
	time::Duration,
};

use modicum_executor::{
	Digest, DockerConfig, DockerExecutor, Executor, RunId, RunOptions, RunReport,
};
use modicum_packaging::{
	lint, pack_image, profile, resolve_base, unpack_output, Finding, Hint, ImageOptions, JobFile,
	Package, PackagingError, ProfileOptions, GENEROUS_LIMITS,
};
use modicum_primitives::{Resources, ResultStatus};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const MIB: u64 = 1 << 20;
const LIMITS: Resources = Resources {
	instructions: 50_000_000_000,
	ram: 64 * MIB,
	storage: 8 * MIB,
	bandwidth: 100 * MIB,
};

/// The executor outlives every test, so its connections need a runtime that does too.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static MACHINE: LazyLock<Machine> = LazyLock::new(|| RUNTIME.block_on(Machine::new()));

struct Machine {
	executor: DockerExecutor,
	base: Digest,
	folder: TempDir,
}

impl Machine {
	async fn new() -> Self {
		let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
		let config = DockerConfig::new(folder.path().join("state"), "packaging");
		let executor = DockerExecutor::connect(config).await.unwrap_or_else(|error| {
			panic!("these tests need a container engine; run them through scripts/with-docker.sh: {error}")
		});
		let archive = folder.path().join("base.tar");
		let script = Path::new("../../docker/bases/busybox.sh");
		let output = Command::new(script).arg(&archive).output().unwrap();
		assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
		let base = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
		executor.install_base(&archive).await.unwrap();
		// What an earlier run of the tests left when it was stopped.
		executor.reconcile(&BTreeSet::new(), Duration::ZERO).await.unwrap();
		executor.calibrate().await.unwrap();
		Self { executor, base, folder }
	}

	/// A job of a folder whose program is this shell script.
	async fn job(&self, name: &str, script: &str, limits: Resources) -> Package {
		let folder = self.folder.path().join(name);
		let program = folder.join("root/opt/bin/run");
		fs::create_dir_all(program.parent().unwrap()).unwrap();
		fs::create_dir_all(folder.join("input")).unwrap();
		fs::write(folder.join("input/words"), "one\ntwo\n").unwrap();
		fs::write(&program, format!("#!/bin/sh\nset -e\n{script}\n")).unwrap();
		fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
		let job_toml = format!(
			"name = \"{name}\"\nbase = \"busybox\"\nexecution = \"root\"\ninput = \"input\"\ncommand = [\"/opt/bin/run\"]\n"
		);
		fs::write(folder.join("job.toml"), job_toml).unwrap();
		let bases = self.executor.bases().await.unwrap();
		let base = resolve_base(&bases, "busybox").unwrap();
		assert_eq!(base, self.base);
		let installed = bases.iter().find(|installed| installed.chain_id == base).unwrap();
		let mut job = JobFile::read(&folder).unwrap();
		job.limits = Some(limits);
		let architecture = installed.architecture.unwrap();
		job.pack(None, base, architecture, &folder.join("work"), &mut |_| {}).unwrap()
	}

	/// Run a package; the report, and the files of its output in a folder.
	async fn run(&self, package: &Package) -> (RunReport, TempDir) {
		let run: RunId = package.name.replace('-', "").parse().unwrap();
		self.executor.prepare(&run, &package.job()).await.unwrap();
		let report = self.executor.run(&run, &RunOptions::default()).await.unwrap();
		let files = tempfile::tempdir().unwrap();
		if let Some(output) = &report.output {
			unpack_output(output, files.path()).unwrap();
		}
		self.executor.clean_up(&run).await.unwrap();
		(report, files)
	}
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
	LazyLock::force(&MACHINE);
	RUNTIME.block_on(test)
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_folder_runs_as_a_job_and_its_result_becomes_files() {
	block_on(async {
		let script = "mkdir found; wc -l < /input/words > found/count; ln -s count found/link";
		let package = MACHINE.job("folder", script, LIMITS).await;
		let (report, files) = MACHINE.run(&package).await;
		assert_eq!(report.status, ResultStatus::Completed, "{}", report.reason);
		assert_eq!(fs::read(files.path().join("found/link")).unwrap(), b"2\n");
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_profile_proposes_limits_under_which_the_job_completes() {
	block_on(async {
		// Some hundred milliseconds of CPU time, 20 MiB of memory, 1 MiB of output.
		let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done\n\
			dd if=/dev/zero of=/tmp/memory bs=1M count=20 2>/dev/null\n\
			dd if=/dev/zero of=result bs=1M count=1 2>/dev/null";
		let mut package = MACHINE.job("profiled", script, GENEROUS_LIMITS).await;
		let options = ProfileOptions { margin: 3.0, ..Default::default() };
		let profile = profile(&MACHINE.executor, &package, &options).await.unwrap();
		assert!(profile.figures.instructions > 0);
		assert!(profile.figures.storage >= MIB, "{:?}", profile.figures);
		assert!(profile.limits.ram >= 80 * MIB, "{:?}", profile.figures);
		assert!(profile.limits.storage >= 4 * MIB && profile.limits.storage <= 8 * MIB);
		assert!(profile.limits.instructions < GENEROUS_LIMITS.instructions);
		package.descriptor.limits = profile.limits;
		let (report, _) = MACHINE.run(&package).await;
		assert_eq!(report.status, ResultStatus::Completed, "{}", report.reason);

		let failing = MACHINE.job("failing", "echo no such scene >&2; exit 4", LIMITS).await;
		let error =
			modicum_packaging::profile(&MACHINE.executor, &failing, &options).await.unwrap_err();
		assert!(matches!(error, PackagingError::NotCompleted { .. }), "{error}");
		assert!(error.to_string().contains("no such scene"), "{error}");
		let bad = ProfileOptions { margin: f64::NAN, ..Default::default() };
		let error =
			modicum_packaging::profile(&MACHINE.executor, &failing, &bad).await.unwrap_err();
		assert!(matches!(error, PackagingError::BadMargin(_)), "{error}");
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn lint_tells_deterministic_jobs_from_others() {
	block_on(async {
		let steady = MACHINE.job("steady", "sort -r /input/words > sorted; date >&2", LIMITS).await;
		let report = lint(&MACHINE.executor, &steady).await.unwrap();
		assert!(report.is_deterministic(), "{report}");
		assert!(report.runs[0].result_hash.is_some());
		assert_ne!(report.runs[0].log, report.runs[1].log, "logs may differ");

		let cases = [
			("dates", "echo a > a; date > written", "written", Hint::Dates),
			(
				"random",
				"head -c 8 /dev/urandom | od -An -tu8 | tr -d ' ' > number",
				"number",
				Hint::Randomness,
			),
			(
				"names",
				"echo x > part.$(head -c 4 /dev/urandom | od -An -tx4 | tr -d ' ')",
				"part.",
				Hint::Names,
			),
		];
		for (name, script, path, hint) in cases {
			let package = MACHINE.job(name, script, LIMITS).await;
			let report = lint(&MACHINE.executor, &package).await.unwrap();
			let Finding::ResultDiffers(difference) = &report.finding else { panic!("{report}") };
			assert!(difference.path.starts_with(path), "{report}");
			assert_eq!(difference.hint, hint, "{report}");
			assert!(!report.is_deterministic());
		}

		let failing = MACHINE.job("fails", "exit 7", LIMITS).await;
		let report = lint(&MACHINE.executor, &failing).await.unwrap();
		assert!(report.is_deterministic(), "{report}");
		assert_eq!(report.runs[0].status, ResultStatus::ExceptionOccurred);

		// Nothing to spare: the job's files, and an archive of one small file.
		let mut tight = steady.clone();
		// The limit is part of the descriptor: as long as the one that it will be.
		tight.descriptor.limits.bandwidth = 1000;
		tight.descriptor.limits.bandwidth = tight.descriptor.download_bytes() + 2048;
		let report = lint(&MACHINE.executor, &tight).await.unwrap();
		assert_eq!(report.runs[0].status, ResultStatus::Completed, "{report}");
		assert!(report.close_to_limits.contains(&"bandwidth"), "{report}");
		assert!(report.to_string().contains("other machines may need more: "), "{report}");
		let left = MACHINE.executor.recover().await.unwrap();
		assert!(left.iter().all(|found| !found.run.as_str().starts_with("lint")), "{left:?}");
	});
}

/// A layer with these entries: path, mode, content; a path that ends in '/' is a folder.
fn layer(entries: &[(&str, u32, &str)]) -> Vec<u8> {
	let mut builder = tar::Builder::new(Vec::new());
	for (path, mode, content) in entries {
		let mut header = tar::Header::new_gnu();
		header.set_mode(*mode);
		header.set_mtime(1_700_000_000);
		header.set_uid(1000);
		if path.ends_with('/') {
			header.set_entry_type(tar::EntryType::Directory);
		}
		header.set_size(content.len() as u64);
		builder.append_data(&mut header, path, content.as_bytes()).unwrap();
	}
	builder.into_inner().unwrap()
}

/// An image archive as `docker save` writes it, on a base that the engine has.
fn image_archive(
	path: &Path,
	tag: &str,
	base: &[Digest],
	layers: &[Vec<u8>],
	config: serde_json::Value,
) {
	let architecture = match std::env::consts::ARCH {
		"x86_64" => "amd64",
		"aarch64" => "arm64",
		other => other,
	};
	let diff_ids: Vec<Digest> =
		base.iter().copied().chain(layers.iter().map(|layer| Digest::of(layer))).collect();
	let config = json!({
		"architecture": architecture, "os": "linux", "config": config,
		"rootfs": { "type": "layers", "diff_ids": diff_ids },
	})
	.to_string();
	let names: Vec<String> = diff_ids.iter().map(|id| format!("{}.tar", id.to_hex())).collect();
	let manifest =
		json!([{ "Config": "config.json", "RepoTags": [tag], "Layers": names }]).to_string();
	let mut builder = tar::Builder::new(File::create(path).unwrap());
	let above =
		names[base.len()..].iter().map(String::as_str).zip(layers.iter().map(Vec::as_slice));
	let texts = [("config.json", config.as_bytes()), ("manifest.json", manifest.as_bytes())];
	for (name, content) in texts.into_iter().chain(above) {
		let mut header = tar::Header::new_gnu();
		header.set_mode(0o644);
		header.set_size(content.len() as u64);
		builder.append_data(&mut header, name, content).unwrap();
	}
	builder.finish().unwrap();
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn an_image_runs_as_a_job() {
	block_on(async {
		let program = "#!/bin/sh\necho \"$1 $WORD $(cat data)\" > /out/said; ls -d /opt/gone /etc/passwd /opt/kept >> /out/said 2>/dev/null; id -u >> /out/said\n";
		let layers = [
			layer(&[
				("app/", 0o700, ""),
				("app/data", 0o600, "old"),
				("opt/", 0o755, ""),
				("opt/bin/", 0o755, ""),
				("opt/bin/say", 0o755, program),
				("opt/gone", 0o644, "x"),
				("opt/kept", 0o644, "x"),
			]),
			// A file replaced, one of the layer below and one of the base removed.
			layer(&[
				("app/data", 0o600, "new"),
				("opt/.wh.gone", 0o644, ""),
				("etc/", 0o755, ""),
				("etc/.wh.passwd", 0o644, ""),
			]),
		];
		let config = json!({
			"Entrypoint": ["say"], "Cmd": ["hello"], "WorkingDir": "/app",
			"Env": ["PATH=/usr/bin:/opt/bin:/bin", "WORD=good"],
		});
		let archive = MACHINE.folder.path().join("image.tar");
		let tag = "localhost/modicum-test/say:1";
		image_archive(&archive, tag, &[MACHINE.base], &layers, config.clone());
		MACHINE.executor.install_base(&archive).await.unwrap();
		let work = MACHINE.folder.path().join("image-work");
		let mut options = ImageOptions::new(LIMITS);
		let package =
			pack_image(&MACHINE.executor, tag, &options, &work, &mut |_| {}).await.unwrap();
		assert_eq!(package.name, "say");
		assert_eq!(package.descriptor.base, MACHINE.base);
		assert_eq!(package.descriptor.command, ["/opt/bin/say", "hello"]);
		let (report, files) = MACHINE.run(&package).await;
		assert_eq!(report.status, ResultStatus::Completed, "{}", report.reason);
		let said = fs::read_to_string(files.path().join("said")).unwrap();
		assert_eq!(said, "hello good new\n/opt/kept\n65534\n");

		// Another command, by path from the working directory; the same files give the same layer.
		options.command = Some(vec!["../opt/bin/say".into()]);
		let error =
			pack_image(&MACHINE.executor, tag, &options, &work, &mut |_| {}).await.unwrap_err();
		assert!(matches!(error, PackagingError::Executor(_)), "{error}");
		options.command = Some(vec!["/opt/bin/say".into(), "again".into()]);
		options.name = Some("again".into());
		let again = pack_image(&MACHINE.executor, tag, &options, &work, &mut |_| {}).await.unwrap();
		assert_eq!(again.descriptor.execution_layer, package.descriptor.execution_layer);
		assert_eq!(again.descriptor.command[1], "again");

		let refusal = |image: &'static str, options: ImageOptions| {
			let work = work.clone();
			async move {
				let packed =
					pack_image(&MACHINE.executor, image, &options, &work, &mut |_| {}).await;
				packed.unwrap_err().to_string()
			}
		};
		options.command = Some(vec!["missing".into()]);
		assert!(refusal(tag, options).await.contains("no program 'missing'"));
		let plain = ImageOptions::new(LIMITS);
		assert!(refusal("localhost/modicum-test/none:1", plain.clone())
			.await
			.contains("docker build"));
		let foreign = "localhost/modicum-test/foreign:1";
		image_archive(&archive, foreign, &[], &layers[..1], config);
		MACHINE.executor.install_base(&archive).await.unwrap();
		let why = refusal(foreign, plain).await;
		assert!(why.contains("FROM localhost/modicum-base/busybox:latest"), "{why}");
	});
}
