// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs that mean harm. Each ends with its right status, leaves nothing behind (the harness looks), and a harmless
//! job runs as ever afterwards.

use std::{io::Write, time::Duration};

use modicum_executor::{
	docker::{LOG_BYTES, MAX_PROCESSES},
	output::{BLOCK_BYTES, MAX_OUTPUT_ENTRIES},
	CpuSet, Digest, Executor, ExecutorError, Job, Layer, RunOptions,
};
use modicum_primitives::ResultStatus::{self, *};

use crate::{
	harness::{
		archive, block_on, host_socket, last_cpu, next_run, shell, Ended, Machine, TestJob, MIB,
	},
	program,
};

/// Run `job`, check its status, then check that a harmless job is not affected.
fn ends(job: TestJob, expected: ResultStatus) -> Ended {
	block_on(async {
		let machine = Machine::shared();
		let ended = machine.run(&job).await;
		assert_eq!(ended.report.status, expected, "{ended:#?}");
		let harmless = machine.run(&shell("echo fine > /out/result")).await;
		assert_eq!(harmless.report.status, Completed, "{harmless:#?}");
		assert_eq!(harmless.output[&b"result"[..]], b"fine\n");
		ended
	})
}

/// Enough for a second or so of CPU time on any machine.
fn brief(job: TestJob) -> TestJob {
	job.with_limits(|limits| limits.instructions = 1_000_000_000)
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_fork_bomb_is_stopped() {
	let script =
		"bomb() { bomb & bomb & }; (while :; do bomb; done) 2>/dev/null & while :; do :; done";
	// Memory for as many processes as there may be, so that it is not what stops them.
	let job = brief(shell(script)).with_limits(|limits| limits.ram = 512 * MIB);
	let ended = ends(job, InstructionsExceeded);
	assert_eq!(ended.report.usage.instructions, 1_000_000_000);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn endless_work_in_many_processes_is_stopped() {
	let script = "for i in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait";
	let job = brief(shell(script)).with_cpus((0..=last_cpu()).collect::<CpuSet>());
	let ended = ends(job, InstructionsExceeded);
	assert!(ended.report.figures.instructions >= 1_000_000_000);
	assert_eq!(ended.report.usage.instructions, 1_000_000_000);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn endless_sleep_is_stopped_by_the_clock() {
	let job = shell("sleep 100000").with_wall_limit(Duration::from_secs(1));
	let ended = ends(job, ExceptionOccurred);
	assert!(ended.report.reason.contains("clock"), "{}", ended.report.reason);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn endless_printing_is_cut_and_stopped() {
	let ended = ends(brief(shell("yes this line again and again")), InstructionsExceeded);
	assert!(ended.log.contains("this line again") && ended.log.len() as u64 <= LOG_BYTES);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn memory_beyond_the_limit_by_the_first_process() {
	let ended = ends(shell("exec tail /dev/zero"), MemoryExceeded);
	assert_eq!(ended.report.figures.exit_code, Some(137));
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn memory_beyond_the_limit_by_a_child_that_nobody_minds() {
	let ended = ends(shell("tail /dev/zero; exit 0"), MemoryExceeded);
	assert_eq!(ended.report.figures.exit_code, Some(0));
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn memory_beyond_the_limit_in_scratch_files() {
	ends(shell("dd if=/dev/zero of=/tmp/x bs=1M"), MemoryExceeded);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn memory_within_the_limit() {
	let ended = ends(shell("dd if=/dev/zero of=/tmp/x bs=1M count=20"), Completed);
	let peak = ended.report.figures.peak_memory.unwrap();
	assert!((20 * MIB..=32 * MIB).contains(&peak), "{peak}");
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_full_disk() {
	ends(shell("dd if=/dev/zero of=/out/x bs=64k; exit 0"), StorageExceeded);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn storage_is_counted_in_blocks_and_the_limit_is_exact() {
	let job = |bytes: u64| {
		shell(&format!("truncate -s {bytes} /out/x")).with_limits(|limits| limits.storage = MIB)
	};
	let ended = ends(job(MIB), Completed);
	assert_eq!(ended.report.figures.storage, MIB);
	ends(job(MIB + 1), StorageExceeded);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn more_files_than_there_is_room_for() {
	let script = "i=0; while true > /out/$i; do i=$((i + 1)); done; exit 0";
	ends(shell(script).with_limits(|limits| limits.storage = 16 * MIB), StorageExceeded);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_million_files() {
	// Room for more than may be: a file of its own takes a block.
	let script =
		"i=0; while [ $i -lt 1000000 ]; do true > /out/$i; i=$((i + 1)); done 2>/dev/null; exit 0";
	let job = shell(script).with_limits(|limits| {
		limits.storage = 2 * MAX_OUTPUT_ENTRIES * BLOCK_BYTES;
		limits.instructions = 1 << 40;
		// The kernel charges a job for the inodes that it keeps in memory.
		limits.ram = 1024 * MIB;
	});
	let ended = ends(job.with_wall_limit(Duration::from_secs(600)), StorageExceeded);
	assert!(ended.report.reason.contains("200000 entries"), "{}", ended.report.reason);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_sparse_giant() {
	ends(shell("truncate -s 1024G /out/giant"), StorageExceeded);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn many_names_of_one_file_count_each() {
	let script = "dd if=/dev/zero of=/out/0 bs=1M count=1; i=1; while [ $i -lt 20 ]; do ln /out/0 /out/$i; i=$((i + 1)); done";
	ends(shell(script), StorageExceeded);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn hard_links_and_odd_names_are_results() {
	let script = "echo x > /out/a; ln /out/a /out/b; echo y > \"/out/$(printf '\\377\\n\\376')\"; mkdir -p /out/d/e; ln -s ../../a /out/d/e/l";
	let ended = ends(shell(script), Completed);
	assert_eq!(ended.output[&b"a"[..]], ended.output[&b"b"[..]]);
	assert_eq!(ended.output[&b"\xff\n\xfe"[..]], b"y\n");
	assert_eq!(ended.output[&b"d/e/l"[..]], b"../../a");
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn links_that_lead_outside_are_no_results() {
	for target in ["/etc/passwd", "../../../etc/passwd", ".."] {
		let ended = ends(shell(&format!("ln -s {target} /out/link")), ExceptionOccurred);
		assert!(ended.report.reason.contains("symbolic link"), "{}", ended.report.reason);
		assert_eq!(ended.report.result_hash, None);
	}
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn special_files_are_left_out() {
	let script = "mkfifo /out/fifo; mknod /out/device c 1 3; mknod /out/disk b 7 0; echo x > /out/file; true";
	let ended = ends(shell(script), Completed);
	assert_eq!(ended.output.keys().collect::<Vec<_>>(), [&b"file"[..]]);
	assert!(ended.log.contains("Operation not permitted"), "{}", ended.log);
	assert_eq!(ended.report.figures.left_out, 1);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
#[cfg(target_arch = "x86_64")]
fn a_socket_file_is_left_out() {
	let job = shell("/job/socket && ls -l /out/socket && echo x > /out/file");
	let ended =
		ends(job.with_file("job/socket", 0o755, &program::make_socket("/out/socket")), Completed);
	assert!(ended.log.starts_with('s'), "{}", ended.log);
	assert_eq!(ended.output.keys().collect::<Vec<_>>(), [&b"file"[..]]);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn folders_deeper_than_any_path() {
	let script = "n=$(printf '%0200d' 0); i=0; while [ $i -lt 30 ]; do mkdir $n && cd $n || exit 3; i=$((i + 1)); done";
	let ended = block_on(Machine::shared().run(&shell(script)));
	assert!(
		matches!(ended.report.status, Completed | ExceptionOccurred | StorageExceeded),
		"{ended:#?}"
	);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn exit_codes_have_their_statuses() {
	for (code, expected) in [
		(0, Completed),
		(1, ExceptionOccurred),
		(126, ExceptionOccurred),
		(127, ExceptionOccurred),
		(137, ExceptionOccurred),
	] {
		let ended = block_on(Machine::shared().run(&shell(&format!("exit {code}"))));
		assert_eq!(ended.report.status, expected, "{ended:#?}");
		assert_eq!(ended.report.figures.exit_code, Some(code));
	}
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
#[cfg(target_arch = "x86_64")]
fn a_first_process_that_dies_of_a_signal() {
	const SIGILL: i64 = 4;
	let mut job = shell("").with_file("job/crash", 0o755, &program::illegal_instruction());
	job.command = vec!["/job/crash".into()];
	let ended = ends(job, ExceptionOccurred);
	assert_eq!(ended.report.figures.exit_code, Some(128 + SIGILL));
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn commands_that_cannot_be_started_are_the_descriptions_fault() {
	let job = |program: &str| {
		let mut job = shell("").with_file("job/plain", 0o644, b"#!/bin/sh\n");
		job.command = vec![program.into()];
		job
	};
	for program in ["/job/missing", "/job/plain", "/job"] {
		let ended = ends(job(program), JobDescriptionError);
		assert_eq!(ended.report.result_hash, None);
	}
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_working_directory_that_is_none_is_the_descriptions_fault() {
	let job = |folder: &str| {
		let mut job = shell("pwd > /out/where").with_file("job/sub/file", 0o644, b"x");
		job.working_directory = folder.into();
		job
	};
	for (folder, expected) in [
		("/job/missing", "does not exist"),
		("/missing/folder", "does not exist"),
		("/job/run", "is not a directory"),
		("/job/run/below", "is not a directory"),
		("/bin/sh", "is not a directory"),
		("/out/made/later", "no folder in them"),
		("/proc/1", "nothing in /dev, /proc or /sys"),
	] {
		let refused = refusal(&job(folder), |_| ());
		assert!(refused.contains(expected), "{folder}: {refused}");
	}
	for folder in ["/job/sub", "/etc", "/", "/tmp"] {
		let ended = ends(job(folder), Completed);
		assert_eq!(ended.output[&b"where"[..]], format!("{folder}\n").into_bytes());
	}
}

/// What `prepare` says of a job that it must refuse, without leaving anything.
fn refusal(job: &TestJob, edit: impl FnOnce(&mut Job)) -> String {
	block_on(async {
		let machine = Machine::shared();
		let files = tempfile::tempdir().unwrap();
		let mut prepared = job.write(machine.base, files.path());
		edit(&mut prepared);
		let run = next_run();
		let error = machine.executor.prepare(&run, &prepared).await.unwrap_err();
		assert_eq!(error.result_status(), Some(JobDescriptionError), "{error}");
		machine.assert_nothing_left(&run).await;
		error.to_string()
	})
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn jobs_for_other_machines_are_refused() {
	let mut job = shell("");
	job.architecture = match job.architecture {
		modicum_primitives::Architecture::Amd64 => modicum_primitives::Architecture::Arm64,
		_ => modicum_primitives::Architecture::Amd64,
	};
	assert!(refusal(&job, |_| ()).contains("made for"));
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
#[cfg(target_arch = "x86_64")]
fn programs_for_other_machines_are_refused() {
	let mut job = shell("").with_file("job/foreign", 0o755, &program::foreign_machine());
	job.command = vec!["/job/foreign".into()];
	assert!(refusal(&job, |_| ()).contains("machine type 183"));
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_base_that_is_not_installed_is_named() {
	block_on(async {
		let machine = Machine::shared();
		let files = tempfile::tempdir().unwrap();
		let mut prepared = shell("").write(machine.base, files.path());
		prepared.descriptor.base = modicum_executor::Digest([7; 32]);
		let error = machine.executor.prepare(&next_run(), &prepared).await.unwrap_err();
		assert!(error.to_string().contains("is not on this machine"), "{error}");
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn files_that_are_not_the_described_ones_are_refused() {
	let same_length = |job: &mut Job| {
		let mut bytes = std::fs::read(&job.execution_layer).unwrap();
		bytes[700] ^= 1;
		std::fs::write(&job.execution_layer, bytes).unwrap();
	};
	assert!(refusal(&shell("echo"), same_length).contains("digest"));
	let longer = |job: &mut Job| {
		let more = archive(&[("x".into(), 0o644, vec![1; 5000])]);
		std::fs::write(&job.execution_layer, more).unwrap();
	};
	assert!(refusal(&shell("echo"), longer).contains("size"));
}

/// What `prepare` says of a job with this execution layer, of which the descriptor says that it unpacks to `unpacked_size`.
fn layer_refusal(stored: &[u8], diff_id: Digest, unpacked_size: u64) -> String {
	refusal(&shell(""), |job| {
		std::fs::write(&job.execution_layer, stored).unwrap();
		job.descriptor.execution_layer =
			Layer { diff_id, digest: Digest::of(stored), size: stored.len() as u64, unpacked_size };
	})
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn layers_that_are_decompression_bombs_are_refused() {
	let zeros = archive(&[("job/zeros".into(), 0o644, vec![0; 64 << 20])]);
	let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
	encoder.write_all(&zeros).unwrap();
	let bomb = encoder.finish().unwrap();
	assert!(bomb.len() < 1 << 20);
	let diff_id = Digest::of(&zeros);
	// One that hides what it is is cut off, one that says it is not read.
	let hidden = layer_refusal(&bomb, diff_id, 1 << 20);
	assert!(hidden.contains("unpacks to more"), "{hidden}");
	let honest = layer_refusal(&bomb, diff_id, zeros.len() as u64);
	assert!(honest.contains("100 times"), "{honest}");
	assert_eq!(block_on(Machine::shared().run(&shell("true"))).report.status, Completed);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn layers_that_write_outside_the_root_are_refused() {
	let outside = tempfile::tempdir().unwrap();
	let victim = outside.path().join("written");
	// More steps up than any folder of the engine's is deep.
	let up = "../".repeat(15);
	let target = format!("{up}{}", victim.strip_prefix("/").unwrap().display());
	let entry = |kind: tar::EntryType, name: &str, link: &str, content: &[u8]| {
		let mut header = tar::Header::new_gnu();
		// The library refuses to write such names.
		let raw = header.as_gnu_mut().unwrap();
		raw.name[..name.len()].copy_from_slice(name.as_bytes());
		raw.linkname[..link.len()].copy_from_slice(link.as_bytes());
		header.set_entry_type(kind);
		header.set_mode(0o755);
		header.set_size(content.len() as u64);
		header.set_cksum();
		let mut builder = tar::Builder::new(Vec::new());
		builder.append(&header, content).unwrap();
		builder.into_inner().unwrap()
	};
	for (layer, expected) in [
		(entry(tar::EntryType::Regular, &target, "", b"x"), "outside the root"),
		(entry(tar::EntryType::Link, "job/run", &target, b""), "links to outside the root"),
		(entry(tar::EntryType::Char, "job/device", "", b""), "neither a file"),
		(entry(tar::EntryType::Fifo, "job/fifo", "", b""), "neither a file"),
	] {
		let refused = layer_refusal(&layer, Digest::of(&layer), layer.len() as u64);
		assert!(refused.contains(expected), "{refused}");
	}
	assert!(!victim.exists());
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn layers_that_write_through_a_link_stay_in_the_root() {
	let outside = tempfile::tempdir().unwrap();
	let mut builder = tar::Builder::new(Vec::new());
	let mut link = tar::Header::new_gnu();
	link.set_entry_type(tar::EntryType::Symlink);
	link.set_size(0);
	builder.append_link(&mut link, "escape", outside.path()).unwrap();
	for (name, content) in [("escape/written", "x"), ("job/run", "#!/bin/sh\nexit 0\n")] {
		let mut header = tar::Header::new_gnu();
		header.set_mode(0o755);
		header.set_size(content.len() as u64);
		builder.append_data(&mut header, name, content.as_bytes()).unwrap();
	}
	let layer = builder.into_inner().unwrap();
	block_on(async {
		let machine = Machine::shared();
		let files = tempfile::tempdir().unwrap();
		let mut prepared = shell("").write(machine.base, files.path());
		std::fs::write(&prepared.execution_layer, &layer).unwrap();
		prepared.descriptor.execution_layer = Layer::describe(&prepared.execution_layer).unwrap();
		let run = next_run();
		// Engines differ in whether they take such a layer. None may follow the link on the host.
		if machine.executor.prepare(&run, &prepared).await.is_ok() {
			machine.executor.run(&run, &RunOptions::default()).await.unwrap();
		}
		machine.executor.clean_up(&run).await.unwrap();
		machine.assert_nothing_left(&run).await;
	});
	assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_job_has_no_more_processes_than_allowed() {
	// The inner shell gives up when it cannot make another process.
	let script =
		"(for i in $(seq 600); do sleep 30 & echo $i > /out/count; done) 2>/dev/null; true";
	let job = shell(script).with_limits(|limits| limits.ram = 512 * MIB);
	let ended = ends(job, Completed);
	let count =
		String::from_utf8_lossy(&ended.output[&b"count"[..]]).trim().parse::<i64>().unwrap();
	// Besides the two shells.
	assert!((MAX_PROCESSES - 8..MAX_PROCESSES).contains(&count), "{count}");
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_job_whose_files_exceed_its_bandwidth_does_not_run() {
	let job = shell("echo ran").with_limits(|limits| limits.bandwidth = 100);
	let ended = ends(job, BandwidthExceeded);
	assert_eq!((ended.report.usage.instructions, ended.report.figures.cpu_ns), (0, 0));
	assert_eq!(ended.log, "");
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_result_that_exceeds_the_bandwidth_is_not_delivered() {
	let job = shell("dd if=/dev/zero of=/out/x bs=1k count=100");
	let ended = ends(job.with_limits(|limits| limits.bandwidth = 50_000), BandwidthExceeded);
	assert_eq!((ended.report.output, ended.report.usage.bandwidth), (None, 50_000));
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn there_is_no_network() {
	let script = "
		[ \"$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')\" = lo ] || echo REACHED
		[ -z \"$(tail -n +2 /proc/net/route)\" ] || echo REACHED
		wget -T 2 -O - http://1.1.1.1/ && echo REACHED
		wget -T 2 -O - http://172.17.0.1/ && echo REACHED
		nc -w 2 169.254.169.254 80 </dev/null && echo REACHED
		nslookup example.org && echo REACHED
		ip link add dummy0 type dummy && echo REACHED
		echo tried";
	let ended = ends(shell(script), Completed);
	assert!(ended.log.contains("tried") && !ended.log.contains("REACHED"), "{}", ended.log);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn the_host_cannot_be_reached_through_files() {
	let socket = host_socket();
	let script = format!(
		"
		[ -z \"$(ls -A /sys)\" ] || echo FOUND sys
		for f in cpuinfo meminfo stat uptime version cmdline loadavg partitions interrupts kcore keys sysrq-trigger; do
			[ -z \"$(cat /proc/$f 2>/dev/null | head -c 1)\" ] || echo FOUND $f
		done
		[ -z \"$(ls -A /proc/sys)\" ] || echo FOUND proc/sys
		echo b 2>/dev/null > /proc/sysrq-trigger && [ -s /proc/sysrq-trigger ] && echo FOUND trigger
		ls {socket} /var/run/docker.sock /run/docker.sock 2>/dev/null && echo FOUND socket
		[ -z \"$(find / -xdev -type s 2>/dev/null)\" ] || echo FOUND sockets
		ls /dev
		for d in mem kmem port sda vda loop0 kvm fuse net/tun; do [ -e /dev/$d ] && echo FOUND $d; done
		true",
		socket = socket.display(),
	);
	let ended = ends(shell(&script), Completed);
	assert!(!ended.log.contains("FOUND"), "{}", ended.log);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn nothing_but_the_output_and_the_scratch_space_is_writable() {
	let script = "
		for d in / /bin /etc /dev /dev/mqueue /dev/shm /job /proc /sys /run /var /root; do
			touch $d/x 2>/dev/null && echo WRITABLE $d
		done
		for f in /etc/hosts /etc/resolv.conf /etc/hostname /job/run; do
			(echo x >> $f) 2>/dev/null && echo WRITABLE $f
		done
		mount -t tmpfs none /mnt 2>/dev/null && echo MOUNTED
		mount -o remount,rw / 2>/dev/null && echo MOUNTED
		umount /out 2>/dev/null && echo MOUNTED
		umount /proc/uptime 2>/dev/null && echo MOUNTED
		unshare -U true 2>/dev/null && echo MOUNTED
		unshare -m true 2>/dev/null && echo MOUNTED
		chroot / true 2>/dev/null && echo MOUNTED
		touch /out/x /tmp/x && echo as it should be";
	let ended = ends(shell(script), Completed);
	assert_eq!(ended.log, "as it should be\n");
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn set_user_id_gives_nothing() {
	let busybox = std::fs::read(which_busybox()).unwrap();
	// One stream, since the order of lines of two is the engine's.
	let script = "
		exec 2>&1
		id -u
		/job/id -u
		/job/su -c id
		grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status
		true";
	let job =
		shell(script).with_file("job/id", 0o6755, &busybox).with_file("job/su", 0o6755, &busybox);
	let ended = ends(job, Completed);
	assert!(ended.log.starts_with("65534\n65534\n"), "{}", ended.log);
	assert!(!ended.log.contains("uid=0"), "{}", ended.log);
	let line = |name: &str| {
		let line = ended.log.lines().find(|line| line.starts_with(name)).unwrap();
		line.split_whitespace().last().unwrap().to_owned()
	};
	for capabilities in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
		assert_eq!(line(capabilities), "0000000000000000", "{capabilities}");
	}
	assert_eq!((line("NoNewPrivs"), line("Seccomp")), ("1".into(), "2".into()));
}

fn which_busybox() -> String {
	let paths = ["/bin/busybox", "/usr/bin/busybox"];
	paths.into_iter().find(|path| std::path::Path::new(path).exists()).unwrap().into()
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
#[cfg(target_arch = "x86_64")]
fn dangerous_system_calls_are_refused() {
	const EPERM: u32 = 1;
	const ENOSYS: u32 = 38;
	let calls: [(&str, u32, [u64; 4], u32); 26] = [
		("add_key", 248, [0; 4], EPERM),
		("request_key", 249, [0; 4], EPERM),
		("keyctl", 250, [0, 0xffff_fffc, 0, 0], EPERM),
		("mount", 165, [0; 4], EPERM),
		("umount2", 166, [0; 4], EPERM),
		("pivot_root", 155, [0; 4], EPERM),
		("chroot", 161, [0; 4], EPERM),
		("unshare", 272, [0x1000_0000, 0, 0, 0], EPERM),
		("setns", 308, [0; 4], EPERM),
		("clone for a user namespace", 56, [0x1000_0000, 0, 0, 0], EPERM),
		("clone3", 435, [0; 4], ENOSYS),
		("ptrace", 101, [0; 4], EPERM),
		("process_vm_readv", 310, [1, 0, 0, 0], EPERM),
		("bpf", 321, [0; 4], EPERM),
		("perf_event_open", 298, [0; 4], EPERM),
		("userfaultfd", 323, [0; 4], EPERM),
		("io_uring_setup", 425, [1, 0, 0, 0], EPERM),
		("init_module", 175, [0; 4], EPERM),
		("kexec_load", 246, [0; 4], EPERM),
		("reboot", 169, [0; 4], EPERM),
		("settimeofday", 164, [0; 4], EPERM),
		("syslog", 103, [3, 0, 0, 0], EPERM),
		("open_by_handle_at", 304, [0; 4], EPERM),
		("a packet socket", 41, [17, 3, 0, 0], EPERM),
		("a socket to the hypervisor", 41, [40, 1, 0, 0], EPERM),
		("a socket for kernel cryptography", 41, [38, 5, 0, 0], EPERM),
	];
	let mut job = shell("for p in /job/call*; do $p; echo ${p#/job/call} $?; done; /job/foreign; echo foreign $?; /job/good; echo good $?");
	for (index, (_, number, arguments, _)) in calls.iter().enumerate() {
		let program = program::system_call(*number, *arguments);
		job = job.with_file(&format!("job/call{index:02}"), 0o755, &program);
	}
	job = job.with_file("job/foreign", 0o755, &program::foreign_convention());
	// getuid: that the programs work at all.
	job = job.with_file("job/good", 0o755, &program::system_call(102, [0; 4]));
	let ended = ends(job, Completed);
	for (index, (name, _, _, expected)) in calls.iter().enumerate() {
		let line = format!("{index:02} {expected}\n");
		assert!(ended.log.contains(&line), "{name}: expected {line:?} in\n{}", ended.log);
	}
	assert!(ended.log.contains("good 0\n"), "{}", ended.log);
	assert!(!ended.log.contains("foreign 0\n"), "{}", ended.log);
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_run_that_was_never_prepared_is_named() {
	let nobody = "nobody".parse().unwrap();
	let unknown = block_on(Machine::shared().executor.run(&nobody, &RunOptions::default()));
	assert!(matches!(unknown, Err(ExecutorError::UnknownRun(_))), "{unknown:?}");
}
