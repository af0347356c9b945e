// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a job can learn about the machine it runs on.

use std::{collections::BTreeMap, process::Command};

use modicum_executor::CpuSet;
use modicum_primitives::ResultStatus;

use crate::harness::{block_on, last_cpu, shell, Machine};

/// What a job can see of the run or the machine in spite of all, as `docs/executor.md` lists it.
const STILL_VISIBLE: [&str; 6] = ["affinity", "clock", "disk", "mounts", "numbers", "usage"];

/// Prints everything that a job can learn, each thing under a heading.
const FINGERPRINT: &str = r#"
show() { echo "== $1"; shift; "$@" 2>&1; }
show environment env
show user id
show names sh -c 'hostname; hostname -f; dnsdomainname; cat /etc/hostname'
show kernel uname -a
show clock sh -c 'date; date +%s; stat -c %y / /dev /etc/hosts'
show zone date +%Z
show affinity sh -c 'nproc; grep _allowed /proc/self/status'
show processors sh -c 'cat /proc/cpuinfo; ls /sys/devices/system/cpu'
show memory sh -c 'cat /proc/meminfo; cat /proc/vmstat'
show load sh -c 'cat /proc/loadavg /proc/uptime /proc/stat /proc/interrupts'
show kernelfiles sh -c 'cat /proc/version /proc/cmdline /proc/modules /proc/filesystems /proc/partitions'
show identifiers sh -c 'cat /proc/sys/kernel/random/boot_id /etc/machine-id; ls -R /proc/sys'
show cgroup cat /proc/self/cgroup
show mounts cat /proc/self/mountinfo
show disk df -k /
show output sh -c 'df -k /out | tail -n 1 | tr -s " " | cut -d" " -f2'
show network sh -c 'cat /proc/net/dev /proc/net/route /proc/net/tcp; ip address'
show resolver sh -c 'cat /etc/resolv.conf; cat /etc/hosts'
show devices ls /dev
show processes ps -o user,args
show numbers ps -o pid
show limits sh -c 'ulimit -a'
show status sh -c 'grep -E "^(Uid|Gid|Groups|Cap|NoNew|Seccomp|Speculation|Name|State|Threads|Sig[^Q])" /proc/self/status'
show usage sh -c 'grep SigQ /proc/self/status; cat /proc/self/stat /proc/self/sched /proc/self/io /proc/self/statm; cat /proc/self/maps'
show priority cat /proc/self/oom_score_adj
show root stat -c '%A %U %G %n' / /.dockerenv /*
show tree sh -c 'find / -xdev | sort'
exit 0
"#;

fn sections(log: &str) -> BTreeMap<String, String> {
	let parts = log.split("== ").skip(1).map(|part| {
		let (name, text) = part.split_once('\n').unwrap();
		(name.to_owned(), text.to_owned())
	});
	parts.collect()
}

async fn fingerprint(cpu: u32) -> BTreeMap<String, String> {
	let job = shell(FINGERPRINT).with_cpus(CpuSet::one(cpu));
	let ended = Machine::shared().run(&job).await;
	assert_eq!(ended.report.status, ResultStatus::Completed, "{ended:#?}");
	sections(&ended.log)
}

/// Give the private engine's host another name; somebody else's engine is left alone.
fn rename_host(name: &str) {
	if std::env::var_os("MODICUM_PRIVATE_ENGINE").is_some() {
		assert!(Command::new("hostname").arg(name).status().unwrap().success());
	}
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn a_job_sees_the_same_wherever_and_whenever_it_runs() {
	block_on(async {
		rename_host("first-host");
		let one = fingerprint(0).await;
		rename_host("second-host");
		// The clock's seconds must have moved on.
		tokio::time::sleep(std::time::Duration::from_secs(1)).await;
		let other = fingerprint(last_cpu()).await;
		assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
		assert!(one.len() > 20, "{one:#?}");
		// Without a cgroup namespace, which Podman makes on the second version only, a job knows the name of its run.
		let podman = one["cgroup"].contains("libpod").then_some("cgroup");
		let visible: Vec<&str> = STILL_VISIBLE.into_iter().chain(podman).collect();
		for (name, text) in &one {
			if !visible.contains(&name.as_str()) {
				assert_eq!(text, &other[name], "{name}");
			}
		}
		for (seen, cpu) in [(&one, 0), (&other, last_cpu())] {
			assert!(
				seen["affinity"].contains(&format!("Cpus_allowed_list:\t{cpu}\n")),
				"{seen:#?}"
			);
		}
		// The clock cannot be hidden. Should that ever change, the documentation must change too.
		assert_ne!(one["clock"], other["clock"]);
	});
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn the_documentation_lists_what_is_still_visible() {
	let docs = include_str!("../../../../docs/executor.md");
	for name in STILL_VISIBLE {
		assert!(docs.contains(&format!("| `{name}` |")), "docs/executor.md does not list {name}");
	}
}

#[test]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
fn what_a_job_starts_with_is_fixed() {
	block_on(async {
		let seen = fingerprint(0).await;
		let mut environment: Vec<&str> = seen["environment"].lines().collect();
		environment.sort_unstable();
		// Podman's marks on all that it runs.
		if environment.contains(&"container=podman") {
			environment.retain(|variable| !["container=podman", "TERM=xterm"].contains(variable));
		}
		assert_eq!(
			environment,
			[
				"HOME=/tmp",
				"HOSTNAME=job",
				"LANG=C",
				"LC_ALL=C",
				"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"PWD=/out",
				"PYTHONHASHSEED=0",
				"SHLVL=1",
				"SOURCE_DATE_EPOCH=0",
				"TZ=UTC",
			]
		);
		assert_eq!(seen["names"], "job\njob.modicum\nmodicum\njob\n");
		assert_eq!(seen["zone"], "UTC\n");
		// The first to go should the host run out of memory.
		assert_eq!(seen["priority"], "1000\n");
		assert_eq!(
			seen["resolver"],
			"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 job.modicum job\n"
		);
		assert!(seen["user"].starts_with("uid=65534"), "{}", seen["user"]);
	});
}
