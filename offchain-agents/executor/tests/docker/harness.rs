// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! One executor on the real engine for all tests, and jobs made on the spot.

use std::{
	collections::{BTreeMap, BTreeSet, HashMap},
	future::Future,
	io::Read,
	path::{Path, PathBuf},
	process::Command,
	sync::{
		atomic::{AtomicU32, Ordering},
		LazyLock,
	},
	time::Duration,
};

use bollard::{
	query_parameters::{
		ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptionsBuilder,
	},
	Docker,
};
use modicum_executor::{
	docker::{StorageKind, INSTANCE_LABEL, RUN_LABEL},
	CpuSet, Digest, DockerConfig, DockerExecutor, Executor, Job, JobDescriptor, Layer, RunId,
	RunOptions, RunReport,
};
use modicum_primitives::{Architecture, Meter, Resources, ResultStatus};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub const MIB: u64 = 1 << 20;
/// What jobs of this machine are made for.
pub const HERE: Architecture = if cfg!(target_arch = "x86_64") {
	Architecture::Amd64
} else if cfg!(target_arch = "aarch64") {
	Architecture::Arm64
} else {
	Architecture::Armv7
};

const SHARED_INSTANCE: &str = "tests";

/// The executor outlives every test, so its connections need a runtime that does too.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SHARED: LazyLock<Machine> =
	LazyLock::new(|| RUNTIME.block_on(Machine::new(SHARED_INSTANCE, None)));
static NEXT_RUN: AtomicU32 = AtomicU32::new(0);

/// Runs a test on the shared runtime. The machine comes first: it cannot be made from within.
pub fn block_on<T>(test: impl Future<Output = T>) -> T {
	LazyLock::force(&SHARED);
	RUNTIME.block_on(test)
}

/// An executor and its folder.
pub struct Machine {
	pub executor: DockerExecutor,
	pub config: DockerConfig,
	pub base: Digest,
	pub folder: TempDir,
}

impl Machine {
	/// The one that tests share, calibrated.
	pub fn shared() -> &'static Self {
		&SHARED
	}

	/// One for a test that restarts it or lists what it has.
	pub async fn new(instance: &str, storage: Option<StorageKind>) -> Self {
		let machine = Self::connect(instance, |config| config.storage = storage).await;
		// What an earlier run of the tests left when it was stopped.
		machine.executor.reconcile(&BTreeSet::new(), Duration::ZERO).await.unwrap();
		match instance {
			SHARED_INSTANCE => drop(machine.executor.calibrate().await.unwrap()),
			_ => machine.take_calibration(),
		}
		machine
	}

	/// One with a base, perhaps on another engine or runtime, that is not calibrated.
	pub async fn connect(instance: &str, edit: impl FnOnce(&mut DockerConfig)) -> Self {
		let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
		let mut config = DockerConfig::new(folder.path().join("state"), instance);
		edit(&mut config);
		let executor = DockerExecutor::connect(config.clone()).await.unwrap_or_else(|error| {
			panic!("these tests need a container engine; run them through scripts/with-docker.sh: {error}")
		});
		let archive = folder.path().join("base.tar");
		let base = build_busybox(&archive);
		executor.install_base(&archive).await.unwrap();
		Self { executor, config, base, folder }
	}

	/// Takes over what the shared one measured: the hardware is the same, and measuring it again takes time.
	pub fn take_calibration(&self) {
		let file = |machine: &Self| machine.config.state_folder.join("calibration.json");
		std::fs::copy(file(&SHARED), file(self)).unwrap();
	}

	/// Run a job on the shared machine and on this one, of another engine or runtime: it must end as `expected` on both,
	/// with the same result. The reports are in this order.
	pub async fn compare(
		&self,
		name: &str,
		job: &TestJob,
		expected: ResultStatus,
	) -> (RunReport, RunReport) {
		let shared = Self::shared().run(job).await.report;
		let run = next_run();
		let own = self.run_as(&run, job).await.report;
		assert_eq!((shared.status, own.status), (expected, expected), "{name}: {own:#?}");
		assert_eq!(own.result_hash, shared.result_hash, "{name}");
		println!(
			"{name}: {} and {} µs of CPU time, {:?} and {:?} bytes of memory, there and here",
			shared.figures.cpu_ns / 1000,
			own.figures.cpu_ns / 1000,
			shared.figures.peak_memory,
			own.figures.peak_memory,
		);
		self.executor.clean_up(&run).await.unwrap();
		(shared, own)
	}

	/// Run a job to its end, look at what it left, and check that nothing of it stays.
	pub async fn run(&self, job: &TestJob) -> Ended {
		let run = next_run();
		let ended = self.run_as(&run, job).await;
		self.executor.clean_up(&run).await.unwrap();
		self.assert_nothing_left(&run).await;
		ended
	}

	pub async fn run_as(&self, run: &RunId, job: &TestJob) -> Ended {
		let files = tempfile::tempdir().unwrap();
		let prepared = job.write(self.base, files.path());
		self.executor.prepare(run, &prepared).await.unwrap();
		let report = self.executor.run(run, &job.options).await.unwrap();
		Ended::new(report)
	}

	pub async fn assert_nothing_left(&self, run: &RunId) {
		let docker = Docker::connect_with_defaults().unwrap();
		let instance = &self.config.instance;
		// Of several labels Podman finds what has any one.
		let filter = [("label", vec![format!("{INSTANCE_LABEL}={instance}")])].into();
		let is_of_run = |labels: &HashMap<String, String>| {
			labels.get(RUN_LABEL).is_some_and(|label| label == run.as_str())
		};
		let containers = ListContainersOptionsBuilder::default().all(true).filters(&filter).build();
		let containers = loop {
			match docker.list_containers(Some(containers.clone())).await {
				// Another one's container under Podman, which has just ended.
				Err(bollard::errors::Error::JsonDataError { message, .. })
					if message.contains("`stopped`") => {},
				listed => break listed.unwrap(),
			}
		};
		let labels = containers.iter().filter_map(|container| container.labels.as_ref());
		assert!(!labels.into_iter().any(is_of_run), "{run}: container");
		let images = ListImagesOptionsBuilder::default().all(true).filters(&filter).build();
		let images = docker.list_images(Some(images)).await.unwrap();
		assert!(!images.iter().any(|image| is_of_run(&image.labels)), "{run}: image");
		let volumes = ListVolumesOptionsBuilder::default().filters(&filter).build();
		let volumes = docker.list_volumes(Some(volumes)).await.unwrap().volumes.unwrap_or_default();
		assert!(!volumes.iter().any(|volume| is_of_run(&volume.labels)), "{run}: volume");
		assert!(
			!self.config.state_folder.join("runs").join(run.as_str()).exists(),
			"{run}: folder"
		);
		self.assert_no_device(run).await;
		for line in std::fs::read_to_string("/proc/self/mounts").unwrap().lines() {
			let mut fields = line.split(' ').skip(1);
			let (point, kind) = (fields.next().unwrap(), fields.next().unwrap());
			if kind.starts_with("cgroup") {
				let folder = Path::new(point).join(format!("modicum/{instance}/{run}"));
				assert!(!folder.exists(), "{}", folder.display());
			}
		}
	}
}

impl Machine {
	/// A device goes with its last mount, of which a container that is just starting may have a copy for a moment; Podman
	/// lets the kernel finish an unmount in its own time.
	async fn assert_no_device(&self, run: &RunId) {
		let folder =
			self.config.state_folder.canonicalize().unwrap().join("runs").join(run.as_str());
		for _ in 0..600 {
			let used = std::fs::read_dir("/sys/block").unwrap().any(|entry| {
				let file = std::fs::read_to_string(entry.unwrap().path().join("loop/backing_file"));
				file.is_ok_and(|file| Path::new(&file).starts_with(&folder))
			});
			if !used {
				return;
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
		panic!("{run}: a loop device stays");
	}
}

pub fn next_run() -> RunId {
	format!("run{}", NEXT_RUN.fetch_add(1, Ordering::Relaxed)).parse().unwrap()
}

/// Make the base image with its own script; what that says is the ChainID.
pub fn build_busybox(archive: &Path) -> Digest {
	let script = Path::new("../../docker/bases/busybox.sh");
	let output = Command::new(script).arg(archive).output().unwrap();
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// A job to be written to disk.
#[derive(Clone)]
pub struct TestJob {
	pub command: Vec<String>,
	pub environment: BTreeMap<String, String>,
	pub working_directory: String,
	/// Files of the execution layer: path, mode, content.
	pub files: Vec<(String, u32, Vec<u8>)>,
	pub data: Option<Vec<(String, u32, Vec<u8>)>>,
	pub limits: Resources,
	pub architecture: Architecture,
	pub options: RunOptions,
}

/// A job that runs a shell script, with limits that harmless scripts keep.
pub fn shell(script: &str) -> TestJob {
	// Alternate, so that tests in parallel do not wait for each other.
	let cpu = NEXT_RUN.load(Ordering::Relaxed) % 2;
	TestJob {
		command: vec!["/job/run".into()],
		environment: BTreeMap::new(),
		working_directory: "/out".into(),
		files: vec![("job/run".into(), 0o755, format!("#!/bin/sh\n{script}\n").into_bytes())],
		data: None,
		limits: Resources {
			instructions: 50_000_000_000,
			ram: 32 * MIB,
			storage: 8 * MIB,
			bandwidth: 100 * MIB,
		},
		architecture: HERE,
		options: RunOptions {
			cpus: CpuSet::one(cpu.min(last_cpu())),
			wall_limit: Some(Duration::from_secs(120)),
		},
	}
}

pub fn last_cpu() -> u32 {
	std::thread::available_parallelism().unwrap().get() as u32 - 1
}

impl TestJob {
	pub fn with_limits(mut self, edit: impl FnOnce(&mut Resources)) -> Self {
		edit(&mut self.limits);
		self
	}

	pub fn with_wall_limit(mut self, limit: Duration) -> Self {
		self.options.wall_limit = Some(limit);
		self
	}

	pub fn with_cpus(mut self, cpus: CpuSet) -> Self {
		self.options.cpus = cpus;
		self
	}

	pub fn with_file(mut self, path: &str, mode: u32, content: &[u8]) -> Self {
		self.files.push((path.into(), mode, content.into()));
		self
	}

	/// Write the job's files to `folder`.
	pub fn write(&self, base: Digest, folder: &Path) -> Job {
		let write_layer = |name: &str, files: &[(String, u32, Vec<u8>)]| {
			let path = folder.join(name);
			std::fs::write(&path, archive(files)).unwrap();
			(Layer::describe(&path).unwrap(), path)
		};
		let (execution_layer, execution_path) = write_layer("execution.tar", &self.files);
		let data = self.data.as_ref().map(|files| write_layer("data.tar", files));
		let (data_layer, data_path) = data.unzip();
		let descriptor = JobDescriptor {
			architecture: self.architecture,
			base,
			command: self.command.clone(),
			data_layer,
			environment: self.environment.clone(),
			execution_layer,
			limits: self.limits,
			meter: Meter::CpuTime,
			version: 1,
			working_directory: self.working_directory.clone(),
		};
		Job { descriptor, execution_layer: execution_path, data_layer: data_path }
	}
}

/// A tar archive of files with their parent folders.
pub fn archive(files: &[(String, u32, Vec<u8>)]) -> Vec<u8> {
	let mut builder = tar::Builder::new(Vec::new());
	for (path, mode, content) in files {
		let mut header = tar::Header::new_gnu();
		header.set_mode(*mode);
		header.set_size(content.len() as u64);
		builder.append_data(&mut header, path, &content[..]).unwrap();
	}
	builder.into_inner().unwrap()
}

/// How a job ended and what it left.
#[derive(Debug)]
pub struct Ended {
	pub report: RunReport,
	pub log: String,
	/// The output's entries: content of files, target of links.
	pub output: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Ended {
	fn new(report: RunReport) -> Self {
		let log = report.log.as_ref().map(|path| std::fs::read(path).unwrap()).unwrap_or_default();
		let output = report.output.as_ref().map(|path| {
			let bytes = std::fs::read(path).unwrap();
			assert_eq!(report.result_hash, Some(Digest::of(&bytes)));
			read_archive(&bytes)
		});
		let log = String::from_utf8_lossy(&log).into_owned();
		Self { report, log, output: output.unwrap_or_default() }
	}
}

fn read_archive(bytes: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
	let mut archive = tar::Archive::new(bytes);
	let entries = archive.entries().unwrap().map(|entry| {
		let mut entry = entry.unwrap();
		let mut content = entry.link_name_bytes().map(|name| name.into_owned()).unwrap_or_default();
		entry.read_to_end(&mut content).unwrap();
		(entry.path_bytes().into_owned(), content)
	});
	entries.collect()
}

/// Files that tests leave on the host, for jobs to look for.
pub fn host_socket() -> PathBuf {
	std::env::var("DOCKER_HOST")
		.ok()
		.and_then(|host| host.strip_prefix("unix://").map(PathBuf::from))
		.unwrap_or_else(|| "/var/run/docker.sock".into())
}
