// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The system calls that a job may make: computing, its own files, its own processes, and sockets within its
//! empty network. A list of our own, so that a job meets the same rules under every version of every engine.

use modicum_primitives::Architecture;
use serde_json::{json, Value};

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;
/// Flags of `clone` that ask for new namespaces.
const CLONE_NAMESPACES: u64 = 0x7e02_0000;

/// Memory, time and the process itself.
const PROCESS: &str = "arch_prctl brk capget capset clock_getres clock_getres_time64 clock_gettime \
	clock_gettime64 clock_nanosleep clock_nanosleep_time64 exit exit_group getcpu getpriority getrandom \
	getresgid getresgid32 getresuid getresuid32 getrlimit getrusage get_robust_list get_thread_area \
	gettimeofday madvise membarrier mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap msync munlock \
	munlockall munmap nanosleep pkey_alloc pkey_free pkey_mprotect prctl prlimit64 restart_syscall rseq \
	sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min \
	sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr \
	sched_setparam sched_setscheduler sched_yield setpriority setrlimit set_robust_list set_thread_area \
	set_tid_address sysinfo time times ugetrlimit umask uname set_tls breakpoint cacheflush";

/// Other processes of the job, users and signals.
const PROCESSES: &str = "execve execveat fork vfork wait4 waitid waitpid getpid getppid gettid getpgid getpgrp \
	getsid setpgid setsid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups \
	getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 \
	setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 kill tkill tgkill \
	rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait \
	rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack sigprocmask sigreturn sigsuspend signalfd \
	signalfd4 pause alarm getitimer setitimer timer_create timer_delete timer_getoverrun timer_gettime \
	timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 \
	timerfd_settime timerfd_settime64 futex futex_time64 futex_waitv pidfd_open pidfd_send_signal";

/// Files.
const FILES: &str = "access faccessat faccessat2 chdir fchdir chmod fchmod fchmodat chown chown32 fchown fchown32 \
	fchownat lchown lchown32 close close_range copy_file_range creat dup dup2 dup3 fadvise64 fadvise64_64 \
	arm_fadvise64_64 fallocate fcntl fcntl64 fdatasync flock fsync fstat fstat64 fstatat64 fstatfs fstatfs64 \
	ftruncate ftruncate64 getcwd getdents getdents64 getxattr fgetxattr lgetxattr listxattr flistxattr \
	llistxattr setxattr fsetxattr lsetxattr removexattr fremovexattr lremovexattr inotify_add_watch \
	inotify_init inotify_init1 inotify_rm_watch ioctl link linkat lseek _llseek lstat lstat64 memfd_create \
	mkdir mkdirat mknod mknodat newfstatat oldfstat oldstat oldlstat open openat openat2 pread64 preadv preadv2 \
	pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv rename renameat renameat2 rmdir \
	sendfile sendfile64 splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range \
	arm_sync_file_range sync_file_range2 syncfs tee truncate truncate64 unlink unlinkat utime utimensat \
	utimensat_time64 utimes futimesat vmsplice write writev";

/// Waiting and talking to each other. The network namespace has nothing but its own loopback.
const COMMUNICATION: &str = "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom \
	recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketpair epoll_create \
	epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 \
	pipe pipe2 poll ppoll ppoll_time64 select pselect6 pselect6_time64 _newselect semctl semget semop semtimedop \
	semtimedop_time64 shmat shmctl shmdt shmget msgctl msgget msgrcv msgsnd";

/// Socket families: Unix, IPv4, IPv6.
const SOCKET_FAMILIES: [u64; 3] = [1, 2, 10];
/// What `personality` may be asked for: to say what is set, Linux as it is, and no address randomisation, which
/// makes a job more repeatable.
const PERSONALITIES: [u64; 3] = [0xffff_ffff, 0, 0x0004_0000];

/// The profile in the engine's JSON format.
pub(crate) fn profile(architecture: Architecture) -> String {
	// Only the native calling convention: the others would be a way round the list.
	let native = match architecture {
		Architecture::Amd64 => "SCMP_ARCH_X86_64",
		Architecture::Arm64 => "SCMP_ARCH_AARCH64",
		Architecture::Armv7 => "SCMP_ARCH_ARM",
	};
	let names: Vec<&str> = [PROCESS, PROCESSES, FILES, COMMUNICATION]
		.iter()
		.flat_map(|group| group.split_whitespace())
		.collect();
	let mut rules = vec![
		json!({ "names": names, "action": "SCMP_ACT_ALLOW" }),
		json!({
			"names": ["clone"],
			"action": "SCMP_ACT_ALLOW",
			"args": [argument(CLONE_NAMESPACES, 0, "SCMP_CMP_MASKED_EQ")],
		}),
		// Its flags lie in memory, where no filter sees them: with this answer C libraries use clone instead.
		json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS }),
	];
	let one_of = |name: &str, values: &[u64]| -> Vec<Value> {
		let rule = |value: &u64| {
			json!({
				"names": [name],
				"action": "SCMP_ACT_ALLOW",
				"args": [argument(*value, 0, "SCMP_CMP_EQ")],
			})
		};
		values.iter().map(rule).collect()
	};
	rules.extend(one_of("socket", &SOCKET_FAMILIES));
	rules.extend(one_of("personality", &PERSONALITIES));
	json!({
		"defaultAction": "SCMP_ACT_ERRNO",
		"defaultErrnoRet": EPERM,
		"architectures": [native],
		"syscalls": rules,
	})
	.to_string()
}

fn argument(value: u64, value_two: u64, op: &str) -> Value {
	json!({ "index": 0, "value": value, "valueTwo": value_two, "op": op })
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn no_call_is_listed_twice_or_dangerous() {
		let profile: Value = serde_json::from_str(&profile(Architecture::Amd64)).unwrap();
		let rules = profile["syscalls"].as_array().unwrap();
		let names: Vec<&str> = rules[0]["names"]
			.as_array()
			.unwrap()
			.iter()
			.map(|name| name.as_str().unwrap())
			.collect();
		let mut unique = names.clone();
		unique.sort_unstable();
		unique.dedup();
		assert_eq!(unique.len(), names.len());
		for dangerous in [
			"mount",
			"umount2",
			"pivot_root",
			"chroot",
			"unshare",
			"setns",
			"ptrace",
			"bpf",
			"keyctl",
			"add_key",
			"request_key",
			"perf_event_open",
			"userfaultfd",
			"io_uring_setup",
			"init_module",
			"kexec_load",
			"open_by_handle_at",
			"reboot",
			"swapon",
			"settimeofday",
			"clock_settime",
			"socket",
			"clone",
			"personality",
			"syslog",
			"process_vm_readv",
			"mq_open",
			"iopl",
		] {
			assert!(!names.contains(&dangerous), "{dangerous}");
		}
		assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
	}
}
