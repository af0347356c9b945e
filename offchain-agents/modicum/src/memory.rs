// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How the process keeps memory: little, since on a small board it belongs to the jobs.

#![allow(unsafe_code, reason = "the C library and the system are told what they may take")]

use std::{fs, ops::Range, time::Duration};

/// How often the program's pages are given back.
const PAGES_KEPT: Duration = Duration::from_secs(60);

/// One heap for all threads, whose free end goes back to the system. By default there is a heap for each thread, and
/// each keeps what the largest block's work has needed once (with the light client 59 MiB instead of 35). To be called
/// before there are threads.
pub fn keep_little() {
	#[cfg(target_env = "gnu")]
	{
		const TRIM_THRESHOLD_BYTES: i32 = 128 * 1024;
		for (parameter, value) in
			[(libc::M_ARENA_MAX, 1), (libc::M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES)]
		{
			// SAFETY: sets a number of the allocator, whatever it is. One that it refuses stays as it was.
			let _ = unsafe { libc::mallopt(parameter, value) };
		}
	}
}

/// Lets go of the program's own pages once a minute, for as long as the process lives: an agent is large by what only
/// its start and its rarer work need. What is used again is mapped again, as a rule from the system's copy of the file.
pub async fn give_program_back() {
	let Ok(program) = fs::read_link("/proc/self/exe") else { return };
	let program = program.to_string_lossy();
	let mut ticks = tokio::time::interval(PAGES_KEPT);
	ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
	ticks.tick().await;
	loop {
		ticks.tick().await;
		let Ok(mapped) = fs::read_to_string("/proc/self/smaps") else { return };
		unwritten(&mapped, &program).into_iter().for_each(|range| {
			give_back(range);
		});
	}
}

/// Lets go of pages that are equal to what a file has; whether the system took them.
fn give_back(Range { start, end }: Range<usize>) -> bool {
	// SAFETY: the caller knows that they can neither be written nor have been; so their next use reads the same.
	0 == unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) }
}

/// Where `file` is mapped and equal to what the file has, of what Linux says of a process's memory (proc(5), smaps).
fn unwritten(mapped: &str, file: &str) -> Vec<Range<usize>> {
	let mut found = Vec::new();
	// The mapping that the present lines describe, while nothing speaks against it.
	let mut candidate = None;
	for line in mapped.lines() {
		let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
		if let Some((start, end)) = name.split_once('-') {
			let address = |digits| usize::from_str_radix(digits, 16).ok();
			let is_file = rest.ends_with(file) && rest[..rest.len() - file.len()].ends_with(' ');
			let is_fixed = rest.starts_with("r-") && rest.get(3..4) == Some("p");
			candidate = address(start).zip(address(end)).filter(|_| is_file && is_fixed);
		}
		// Relocated pages are the process's own, and cannot be read again: in memory, or swapped out.
		if matches!(name, "Anonymous:" | "Swap:") && rest.trim() != "0 kB" {
			candidate = None;
		}
		if name == "VmFlags:" {
			found.extend(candidate.take().map(|(start, end)| start..end));
		}
	}
	found
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	const MAPPED: &str = "\
1000-2000 r--p 00000000 fe:00 42                         /usr/bin/modicum
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd mr mw me
2000-6000 r-xp 00001000 fe:00 42                         /usr/bin/modicum
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
6000-7000 r--p 00005000 fe:00 42                         /usr/bin/modicum
Anonymous:             4 kB
Swap:                  0 kB
VmFlags: rd mr mw me ac
7000-8000 r--p 00005000 fe:00 42                         /usr/bin/modicum
Anonymous:             0 kB
Swap:                  4 kB
VmFlags: rd mr mw me ac
8000-9000 rw-p 00006000 fe:00 42                         /usr/bin/modicum
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd wr mr mw me ac
a000-b000 r-xp 00000000 fe:00 43                         /usr/lib/other/usr/bin/modicum
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
c000-d000 rw-p 00000000 00:00 0
Anonymous:             4 kB
Swap:                  0 kB
VmFlags: rd wr mr mw me ac
";

	#[test]
	fn only_what_the_file_still_has_is_given_back() {
		assert_eq!(unwritten(MAPPED, "/usr/bin/modicum"), [0x1000..0x2000, 0x2000..0x6000]);
		assert!(unwritten("", "/usr/bin/modicum").is_empty());
	}

	#[test]
	fn what_is_given_back_can_be_used_again() {
		let program = fs::read_link("/proc/self/exe").unwrap();
		let mapped = fs::read_to_string("/proc/self/smaps").unwrap();
		let ranges = unwritten(&mapped, program.to_str().unwrap());
		let here = what_is_given_back_can_be_used_again as fn() as usize;
		let constant = MAPPED.as_ptr() as usize;
		for part in [here, constant] {
			assert!(ranges.iter().any(|range| range.contains(&part)), "{part:x} in {ranges:x?}");
		}
		assert!(ranges.into_iter().all(give_back));
		assert!(MAPPED.starts_with("1000-2000"));
	}
}
