// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the kernel charged to a job.
//!
//! An engine's own cgroup of a container is gone the moment its last process ends, and with it the figures. So
//! every job gets a parent cgroup, below which the engine puts its own: its totals include all descendants
//! and stay until it is removed.

use std::{
	fs, io,
	path::{Path, PathBuf},
	time::Duration,
};

use crate::run::RunId;

/// How often an emptied cgroup is tried again: the kernel reports it as busy for a moment.
const REMOVE_ATTEMPTS: u32 = 50;
const REMOVE_PAUSE: Duration = Duration::from_millis(20);

/// The cgroup of Podman's monitor of a container, below the parent that the container was given.
const MONITOR: &str = "conmon";

/// Who creates cgroups for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
	/// The engine itself, by paths.
	Cgroupfs,
	/// systemd, by slices.
	Systemd,
}

/// Where the kernel's hierarchies are mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hierarchy {
	V1 { cpuacct: PathBuf, memory: PathBuf, cpuset: Option<PathBuf>, all: Vec<PathBuf> },
	V2 { root: PathBuf },
}

/// The cgroups of one executor instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cgroups {
	hierarchy: Hierarchy,
	driver: Driver,
	instance: String,
}

/// What the kernel charged, as far as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
	/// CPU time of the job and everything below it, in nanoseconds.
	pub cpu_ns: u64,
	/// The most memory charged at one time, in bytes. Older kernels with the unified hierarchy do not keep it.
	pub peak_memory: Option<u64>,
	/// Memory charged now, in bytes.
	pub current_memory: Option<u64>,
	/// Processes killed for want of memory. The first version counts them for the cgroup in which they were only, so
	/// what was killed is known as long as that is there.
	pub oom_kills: Option<u64>,
}

impl Cgroups {
	/// Find the hierarchies in `mounts`, the text of `/proc/self/mounts`. `unified` is what the engine says
	/// it uses: a machine may well have both mounted.
	pub(crate) fn detect(
		mounts: &str,
		unified: bool,
		driver: Driver,
		instance: &str,
	) -> Result<Self, String> {
		let mut all = Vec::new();
		let (mut cpuacct, mut memory, mut cpuset, mut root) = (None, None, None, None);
		for line in mounts.lines() {
			let mut fields = line.split(' ').skip(1);
			let (Some(point), Some(kind), Some(options)) =
				(fields.next(), fields.next(), fields.next())
			else {
				continue;
			};
			let point = PathBuf::from(point);
			match kind {
				"cgroup2" => root = root.or(Some(point)),
				"cgroup" => {
					let has = |controller| options.split(',').any(|option| option == controller);
					if has("cpuacct") {
						cpuacct = Some(point.clone());
					}
					if has("memory") {
						memory = Some(point.clone());
					}
					if has("cpuset") {
						cpuset = Some(point.clone());
					}
					all.push(point);
				},
				_ => {},
			}
		}
		let missing = |what| format!("the {what} cgroup hierarchy is not mounted");
		let hierarchy = if unified {
			Hierarchy::V2 { root: root.ok_or_else(|| missing("unified"))? }
		} else {
			// The engine makes a folder in a unified hierarchy beside the others as well.
			all.extend(root);
			Hierarchy::V1 {
				cpuacct: cpuacct.ok_or_else(|| missing("cpuacct"))?,
				memory: memory.ok_or_else(|| missing("memory"))?,
				cpuset,
				all,
			}
		};
		Ok(Self { hierarchy, driver, instance: instance.to_owned() })
	}

	/// What to tell the engine as the parent of a run's container.
	pub(crate) fn parent(&self, run: &RunId) -> String {
		let instance = &self.instance;
		match self.driver {
			Driver::Cgroupfs => format!("/modicum/{instance}/{run}"),
			Driver::Systemd => format!("modicum-{instance}-{run}.slice"),
		}
	}

	/// The run's folder below a hierarchy's mount point. A slice lies in the slices that its name begins with.
	fn folder(&self, run: &RunId) -> PathBuf {
		let instance = &self.instance;
		match self.driver {
			Driver::Cgroupfs => format!("modicum/{instance}/{run}"),
			Driver::Systemd => {
				format!("modicum.slice/modicum-{instance}.slice/modicum-{instance}-{run}.slice")
			},
		}
		.into()
	}

	/// The folder by which a counter of the processor can be attached to a run, on the unified hierarchy.
	pub(crate) fn counter_folder(&self, run: &RunId) -> Option<PathBuf> {
		match &self.hierarchy {
			Hierarchy::V2 { root } => Some(root.join(self.folder(run))),
			Hierarchy::V1 { all, .. } => all
				.iter()
				.find(|point| point.ends_with("perf_event"))
				.map(|point| point.join(self.folder(run))),
		}
	}

	/// The mount point by which counters of the processor can be tried out.
	pub(crate) fn counter_root(&self) -> Option<PathBuf> {
		match &self.hierarchy {
			Hierarchy::V2 { root } => Some(root.clone()),
			Hierarchy::V1 { all, .. } => {
				all.iter().find(|point| point.ends_with("perf_event")).cloned()
			},
		}
	}

	/// Give a run's folder the CPUs and the memory of the machine, where that is not done by itself: the first version's
	/// CPU sets begin empty, and gVisor, unlike other runtimes, fills in the container's own only.
	pub(crate) fn fill_cpu_sets(&self, run: &RunId) -> io::Result<()> {
		let Hierarchy::V1 { cpuset: Some(root), .. } = &self.hierarchy else { return Ok(()) };
		if self.driver == Driver::Systemd {
			return Ok(());
		}
		let mut above = root.clone();
		for part in &self.folder(run) {
			let folder = above.join(part);
			fs::create_dir_all(&folder)?;
			for file in ["cpuset.cpus", "cpuset.mems"] {
				let (from, to) = (above.join(file), folder.join(file));
				if text(&to)?.is_none_or(|set| set.trim().is_empty()) {
					fs::write(to, text(&from)?.unwrap_or_default())?;
				}
			}
			above = folder;
		}
		Ok(())
	}

	/// Whether Podman has put its monitor of a run's container beside it, so that both are charged to the run.
	pub(crate) fn has_monitor(&self, run: &RunId) -> bool {
		self.roots().iter().any(|root| root.join(self.folder(run)).join(MONITOR).exists())
	}

	/// What was charged to a run so far; `None` if it has no cgroup.
	pub(crate) fn read(&self, run: &RunId) -> io::Result<Option<Reading>> {
		let folder = self.folder(run);
		match &self.hierarchy {
			Hierarchy::V1 { cpuacct, memory, .. } => {
				let Some(cpu_ns) = number(&cpuacct.join(&folder).join("cpuacct.usage"))? else {
					return Ok(None);
				};
				let memory = memory.join(&folder);
				Ok(Some(Reading {
					cpu_ns,
					peak_memory: number(&memory.join("memory.max_usage_in_bytes"))?,
					current_memory: number(&memory.join("memory.usage_in_bytes"))?,
					oom_kills: kills_below(&memory)?,
				}))
			},
			Hierarchy::V2 { root } => {
				let folder = root.join(folder);
				let Some(cpu_us) = keyed(&folder.join("cpu.stat"), "usage_usec")? else {
					return Ok(None);
				};
				Ok(Some(Reading {
					cpu_ns: cpu_us.saturating_mul(1000),
					peak_memory: number(&folder.join("memory.peak"))?,
					current_memory: number(&folder.join("memory.current"))?,
					oom_kills: keyed(&folder.join("memory.events"), "oom_kill")?,
				}))
			},
		}
	}

	/// Every mount point in which a run may have a cgroup.
	fn roots(&self) -> Vec<&Path> {
		match &self.hierarchy {
			Hierarchy::V1 { all, .. } => all.iter().map(PathBuf::as_path).collect(),
			Hierarchy::V2 { root } => vec![root],
		}
	}

	/// The runs that have a cgroup.
	pub(crate) fn runs(&self) -> Vec<RunId> {
		let placeholder: RunId = "x".parse().expect("one letter is a usable name; qed");
		let parent = self.folder(&placeholder);
		let parent = parent.parent().expect("the folder has at least two parts; qed");
		let prefix = format!("modicum-{}-", self.instance);
		let mut runs: Vec<RunId> = Vec::new();
		for root in self.roots() {
			for entry in fs::read_dir(root.join(parent)).into_iter().flatten().flatten() {
				// Control files, of which the one called `tasks` could be a run's name.
				if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
					continue;
				}
				let name = entry.file_name().to_string_lossy().into_owned();
				let name = match self.driver {
					Driver::Cgroupfs => Some(name.as_str()),
					Driver::Systemd => {
						name.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".slice"))
					},
				};
				runs.extend(name.and_then(|name| name.parse().ok()));
			}
		}
		runs.sort();
		runs.dedup();
		runs
	}

	/// Remove a run's cgroups, and those of the instance once no run is left. Nothing of this fails if there are
	/// none; a cgroup with processes in it is never removed.
	pub(crate) async fn remove(&self, run: &RunId) -> io::Result<()> {
		let folder = self.folder(run);
		if self.driver == Driver::Systemd {
			// systemd would otherwise keep the unit. Without the rights for it the slice stays until a restart.
			let stopped = tokio::process::Command::new("systemctl")
				.arg("stop")
				.arg(self.parent(run))
				.output();
			if let Err(error) = stopped.await {
				tracing::debug!(%run, %error, "systemctl did not start");
			}
		}
		for root in self.roots() {
			let path = root.join(&folder);
			let mut attempt = 0;
			while let Err(error) = remove_tree(&path) {
				attempt += 1;
				if attempt == REMOVE_ATTEMPTS {
					return Err(error);
				}
				tokio::time::sleep(REMOVE_PAUSE).await;
			}
			// Refused as long as there are others' cgroups inside.
			for above in folder.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
				if fs::remove_dir(root.join(above)).is_err() {
					break;
				}
			}
		}
		Ok(())
	}
}

/// Remove a folder of cgroups with the folders in it. The files in them are the kernel's and go along.
fn remove_tree(path: &Path) -> io::Result<()> {
	let entries = match fs::read_dir(path) {
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
		entries => entries?,
	};
	for entry in entries {
		let entry = entry?;
		if entry.file_type()?.is_dir() {
			remove_tree(&entry.path())?;
		}
	}
	match fs::remove_dir(path) {
		Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
		result => result,
	}
}

/// The processes that were killed for want of memory in the cgroups right below one of the first version.
fn kills_below(folder: &Path) -> io::Result<Option<u64>> {
	let mut kills = None;
	for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
		if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
			let below = keyed(&entry.path().join("memory.oom_control"), "oom_kill")?;
			kills = below.map(|below| below + kills.unwrap_or_default()).or(kills);
		}
	}
	Ok(kills)
}

/// The text of a control file; `None` if the kernel has no such file or the cgroup is gone.
fn text(path: &Path) -> io::Result<Option<String>> {
	const ENODEV: i32 = 19;
	match fs::read_to_string(path) {
		Ok(text) => Ok(Some(text)),
		Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
		Err(error) if error.raw_os_error() == Some(ENODEV) => Ok(None),
		Err(error) => Err(error),
	}
}

fn parsed(path: &Path, digits: &str) -> io::Result<u64> {
	digits.trim().parse().map_err(|_| {
		let shown: String = digits.chars().take(40).collect();
		io::Error::new(
			io::ErrorKind::InvalidData,
			format!("{} says '{shown}', not a number", path.display()),
		)
	})
}

fn number(path: &Path) -> io::Result<Option<u64>> {
	text(path)?.map(|text| parsed(path, &text)).transpose()
}

/// The number that follows `key` in a file of lines `key number`.
fn keyed(path: &Path, key: &str) -> io::Result<Option<u64>> {
	let Some(text) = text(path)? else { return Ok(None) };
	text.lines()
		.find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
		.map(|digits| parsed(path, digits))
		.transpose()
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use tempfile::{tempdir, TempDir};

	use super::*;

	fn run() -> RunId {
		"m42".parse().unwrap()
	}

	/// A hierarchy in a plain folder, and its mount table.
	struct Tree(TempDir);

	impl Tree {
		fn new() -> Self {
			Self(tempdir().unwrap())
		}

		fn write(&self, path: &str, text: &str) {
			let path = self.0.path().join(path);
			fs::create_dir_all(path.parent().unwrap()).unwrap();
			fs::write(path, text).unwrap();
		}

		fn detect(&self, unified: bool, driver: Driver) -> Cgroups {
			let at = self.0.path().display();
			let mounts = if unified {
				format!("proc /proc proc rw 0 0\ncgroup2 {at} cgroup2 rw,nosuid 0 0\n")
			} else {
				format!(
					"cgroup {at}/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n\
					 cgroup {at}/cpuset cgroup rw,cpuset 0 0\n\
					 cgroup {at}/memory cgroup rw,memory 0 0\ncgroup2 {at}/unified cgroup2 rw 0 0\n"
				)
			};
			Cgroups::detect(&mounts, unified, driver, "p1").unwrap()
		}
	}

	/// As a 6.1 kernel with systemd and the engine's systemd driver leaves it after a run.
	const V2_SLICE: &str = "modicum.slice/modicum-p1.slice/modicum-p1-m42.slice";
	const V2_CPU_STAT: &str = "usage_usec 415641\nuser_usec 391020\nsystem_usec 24621\n\
		core_sched.force_idle_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n";
	const V2_EVENTS: &str = "low 0\nhigh 0\nmax 61\noom 2\noom_kill 2\noom_group_kill 0\n";

	#[test]
	fn v1_totals_of_the_parent_are_read() {
		let tree = Tree::new();
		let cgroups = tree.detect(false, Driver::Cgroupfs);
		assert_eq!(cgroups.parent(&run()), "/modicum/p1/m42");
		assert_eq!(cgroups.read(&run()).unwrap(), None);
		tree.write("cpu,cpuacct/modicum/p1/m42/cpuacct.usage", "314159265\n");
		tree.write("memory/modicum/p1/m42/memory.max_usage_in_bytes", "4194304\n");
		tree.write("memory/modicum/p1/m42/memory.usage_in_bytes", "0\n");
		let reading = cgroups.read(&run()).unwrap().unwrap();
		assert_eq!(reading.cpu_ns, 314_159_265);
		assert_eq!(reading.peak_memory, Some(4_194_304));
		assert_eq!(reading.oom_kills, None);
		let below = "memory/modicum/p1/m42/container/memory.oom_control";
		tree.write(below, "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
		assert_eq!(cgroups.read(&run()).unwrap().unwrap().oom_kills, Some(2));
	}

	#[test]
	fn cpu_sets_of_the_first_version_are_filled_from_above() {
		let tree = Tree::new();
		let cgroups = tree.detect(false, Driver::Cgroupfs);
		tree.write("cpuset/cpuset.cpus", "0-3\n");
		tree.write("cpuset/cpuset.mems", "0\n");
		tree.write("cpuset/modicum/cpuset.cpus", "0-1\n");
		tree.write("cpuset/modicum/p1/cpuset.cpus", "\n");
		cgroups.fill_cpu_sets(&run()).unwrap();
		let read = |path: &str| fs::read_to_string(tree.0.path().join(path)).unwrap();
		assert_eq!(read("cpuset/modicum/cpuset.cpus"), "0-1\n");
		for folder in ["modicum/p1", "modicum/p1/m42"] {
			assert_eq!(read(&format!("cpuset/{folder}/cpuset.cpus")), "0-1\n");
			assert_eq!(read(&format!("cpuset/{folder}/cpuset.mems")), "0\n");
		}
		// On the second version they are inherited.
		let unified = Tree::new();
		unified.detect(true, Driver::Cgroupfs).fill_cpu_sets(&run()).unwrap();
		assert_eq!(fs::read_dir(unified.0.path()).unwrap().count(), 0);
	}

	#[test]
	fn v2_totals_of_the_slice_are_read() {
		let tree = Tree::new();
		let cgroups = tree.detect(true, Driver::Systemd);
		assert_eq!(cgroups.parent(&run()), "modicum-p1-m42.slice");
		tree.write(&format!("{V2_SLICE}/cpu.stat"), V2_CPU_STAT);
		tree.write(&format!("{V2_SLICE}/memory.events"), V2_EVENTS);
		tree.write(&format!("{V2_SLICE}/memory.current"), "8192\n");
		let old_kernel = cgroups.read(&run()).unwrap().unwrap();
		assert_eq!(old_kernel.cpu_ns, 415_641_000);
		assert_eq!((old_kernel.peak_memory, old_kernel.current_memory), (None, Some(8192)));
		assert_eq!(old_kernel.oom_kills, Some(2));
		tree.write(&format!("{V2_SLICE}/memory.peak"), "67108864\n");
		assert_eq!(cgroups.read(&run()).unwrap().unwrap().peak_memory, Some(67_108_864));
	}

	#[test]
	fn v2_without_systemd_uses_the_path() {
		let tree = Tree::new();
		let cgroups = tree.detect(true, Driver::Cgroupfs);
		tree.write("modicum/p1/m42/cpu.stat", V2_CPU_STAT);
		let reading = cgroups.read(&run()).unwrap().unwrap();
		assert_eq!(reading.cpu_ns, 415_641_000);
		assert_eq!((reading.peak_memory, reading.oom_kills), (None, None));
	}

	#[test]
	fn what_is_no_number_is_an_error_that_names_the_file() {
		let tree = Tree::new();
		let cgroups = tree.detect(false, Driver::Cgroupfs);
		tree.write("cpu,cpuacct/modicum/p1/m42/cpuacct.usage", "many\n");
		let error = cgroups.read(&run()).unwrap_err().to_string();
		assert!(error.contains("cpuacct.usage") && error.contains("many"), "{error}");
	}

	#[test]
	fn a_missing_hierarchy_is_named() {
		let v1 = Cgroups::detect("cgroup /c cgroup rw,cpuacct 0 0", false, Driver::Cgroupfs, "a");
		assert_eq!(v1, Err("the memory cgroup hierarchy is not mounted".into()));
		let v2 = Cgroups::detect("cgroup /c cgroup rw,cpuacct 0 0", true, Driver::Cgroupfs, "a");
		assert_eq!(v2, Err("the unified cgroup hierarchy is not mounted".into()));
	}

	#[tokio::test]
	async fn removal_takes_the_run_and_then_the_instance() {
		for (unified, driver) in [(false, Driver::Cgroupfs), (true, Driver::Cgroupfs)] {
			let tree = Tree::new();
			let cgroups = tree.detect(unified, driver);
			let root = tree.0.path().join(if unified { "" } else { "memory" });
			for path in ["modicum/p1/m42/docker1", "modicum/p1/m43", "modicum/p2/m42"] {
				fs::create_dir_all(root.join(path)).unwrap();
			}
			fs::write(root.join("modicum/p1/tasks"), "").unwrap();
			assert_eq!(cgroups.runs(), ["m42".parse().unwrap(), "m43".parse().unwrap()]);
			// Unlike the kernel's, files of a plain folder would keep it from being removed.
			fs::remove_file(root.join("modicum/p1/tasks")).unwrap();
			cgroups.remove(&run()).await.unwrap();
			cgroups.remove(&run()).await.unwrap();
			assert_eq!(cgroups.runs(), ["m43".parse().unwrap()]);
			cgroups.remove(&"m43".parse().unwrap()).await.unwrap();
			assert!(!root.join("modicum/p1").exists());
			assert!(root.join("modicum/p2/m42").exists());
		}
	}

	#[test]
	fn runs_in_slices_are_found_by_name() {
		let tree = Tree::new();
		let cgroups = tree.detect(true, Driver::Systemd);
		tree.write(&format!("{V2_SLICE}/cpu.stat"), "");
		tree.write("modicum.slice/modicum-p1.slice/cpu.stat", "");
		assert_eq!(cgroups.runs(), [run()]);
	}

	/// On the kernel's own unified hierarchy, which many machines have beside the first version's. Only root may make
	/// cgroups, so for others there is nothing to see here.
	#[tokio::test]
	async fn the_kernels_unified_hierarchy_is_read_and_left_clean() {
		let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
		let instance = format!("test{}", std::process::id());
		let Ok(cgroups) = Cgroups::detect(&mounts, true, Driver::Cgroupfs, &instance) else {
			eprintln!("SKIPPED: no unified hierarchy is mounted");
			return;
		};
		let folder = cgroups.counter_folder(&run()).unwrap();
		if let Err(error) = fs::create_dir_all(folder.join("container")) {
			eprintln!("SKIPPED: cannot create {}: {error}", folder.display());
			return;
		}
		let before = cgroups.read(&run()).unwrap().unwrap();
		let script = "echo $$ >$0/container/cgroup.procs && i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
		let worked = std::process::Command::new("sh").args(["-c", script]).arg(&folder).status();
		assert!(worked.unwrap().success());
		let after = cgroups.read(&run()).unwrap().unwrap();
		// No shell counts that far in less than ten milliseconds.
		assert!(after.cpu_ns - before.cpu_ns > 10_000_000, "{before:?} {after:?}");
		assert_eq!(cgroups.runs(), [run()]);
		cgroups.remove(&run()).await.unwrap();
		assert_eq!(cgroups.read(&run()).unwrap(), None);
		assert!(!folder.parent().unwrap().exists());
	}
}
