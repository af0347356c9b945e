// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What trying a job out on this machine shares.

use std::{
	fs::File,
	io::{Read, Seek, SeekFrom},
	path::Path,
	time::{SystemTime, UNIX_EPOCH},
};

use modicum_executor::{Executor, RunId};

/// How much of the end of a log is shown, in bytes.
const TAIL_BYTES: u64 = 2048;

/// A name for a run that no other has: `word` of at most 10 letters, the time, and `index`.
pub(crate) fn run_id(word: &str, index: u8) -> RunId {
	let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
	let name = format!("{word}{now:x}n{index}");
	name.parse().expect("a short word, 16 hexadecimal digits and a number are a name; qed")
}

/// Remove a run. That it cannot be is no reason to lose what was found out.
pub(crate) async fn clean_up(executor: &dyn Executor, run: &RunId) {
	if let Err(error) = executor.clean_up(run).await {
		tracing::warn!(%run, %error, "cannot remove a run; it goes when runs are reconciled");
	}
}

/// The end of what a run printed; nothing if that cannot be read.
pub(crate) fn log_tail(log: Option<&Path>) -> String {
	let read = |path: &Path| {
		let mut file = File::open(path)?;
		let length = file.metadata()?.len();
		file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
		let mut tail = Vec::new();
		file.read_to_end(&mut tail)?;
		Ok::<_, std::io::Error>(String::from_utf8_lossy(&tail).into_owned())
	};
	log.and_then(|path| read(path).ok()).unwrap_or_default()
}
