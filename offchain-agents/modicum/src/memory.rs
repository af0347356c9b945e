// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How the process keeps memory: little, since on a small board it belongs to the jobs.

#![allow(unsafe_code, reason = "the C library and the system are told what they may take")]

use std::{
	ffi::{c_int, c_void},
	ops::Range,
	slice,
	time::Duration,
};

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
	let mut ticks = tokio::time::interval(PAGES_KEPT);
	ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
	ticks.tick().await;
	loop {
		ticks.tick().await;
		for segment in fixed_segments() {
			give_back(segment);
		}
	}
}

/// The parts of the program that nobody can write to: code and constants.
fn fixed_segments() -> Vec<Range<usize>> {
	extern "C" fn visit(
		object: *mut libc::dl_phdr_info,
		_size: usize,
		found: *mut c_void,
	) -> c_int {
		// SAFETY: the C library describes an object by a table that is there during the call; `found` is what it was
		// given below.
		let (object, found) = unsafe { (&*object, &mut *found.cast::<Vec<Range<usize>>>()) };
		// SAFETY: as above.
		let headers =
			unsafe { slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
		for header in headers {
			if header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0 {
				let start = object.dlpi_addr.wrapping_add(header.p_vaddr) as usize;
				found.push(start..start + header.p_memsz as usize);
			}
		}
		// The program itself comes first; its libraries are not asked for.
		1
	}
	let mut found = Vec::new();
	// SAFETY: `visit` is called before this returns, with `found` as it is declared there.
	unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
	found
}

/// Lets go of a segment's pages; whether the system took them.
fn give_back(Range { start, end }: Range<usize>) -> bool {
	// SAFETY: only asks.
	let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
	let Ok(page) = usize::try_from(page) else { return false };
	let start = start - start % page;
	// SAFETY: these pages are the file's and cannot have been written to, so their next use reads the same from it.
	0 == unsafe { libc::madvise(start as *mut c_void, end - start, libc::MADV_DONTNEED) }
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::atomic::{AtomicU8, Ordering};

	static CONSTANT: [u8; 3] = *b"abc";
	static VARIABLE: AtomicU8 = AtomicU8::new(0);

	#[test]
	fn code_and_constants_are_given_back_and_can_be_used_again() {
		VARIABLE.store(7, Ordering::SeqCst);
		let segments = fixed_segments();
		let has = |address: usize| segments.iter().any(|segment| segment.contains(&address));
		assert!(has(fixed_segments as fn() -> Vec<Range<usize>> as usize), "{segments:x?}");
		assert!(has((&raw const CONSTANT) as usize), "{segments:x?}");
		assert!(!has((&raw const VARIABLE) as usize), "{segments:x?}");
		assert!(segments.into_iter().all(give_back));
		assert_eq!((&CONSTANT, VARIABLE.load(Ordering::SeqCst)), (b"abc", 7));
	}
}
