// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How the process keeps memory.

#![allow(unsafe_code, reason = "the allocator of the C library is set up by a call of C")]

/// One heap for all threads, whose free end goes back to the system: an agent is to leave the memory of a small board to
/// the jobs. By default there is a heap for each thread, and each keeps what the largest block's work has needed once
/// (with the light client 59 MiB instead of 35). To be called before there are threads.
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
