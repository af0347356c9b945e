// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The chain's clock. Deadlines are judged by the times of blocks, so that is the time that agents go by: this
//! machine's clock may be minutes off. Between blocks the chain's time goes on as fast as this machine's monotonic
//! clock, which nobody sets.
//!
//! There is one for the whole process, which is on one chain.

use modicum_chain_client::Chain;
use modicum_primitives::Moment;
use std::{
	collections::VecDeque,
	sync::{LazyLock, Mutex, PoisonError},
	time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Blocks whose times count. Each is seen a little after its time; the one that came fastest is the closest.
const READINGS: usize = 16;
/// A clock that is further off than that, in milliseconds, is called wrong: blocks and what validators' clocks differ
/// by take some seconds.
const MOST_OFF_MS: i64 = 30_000;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static CLOCK: Mutex<ChainClock> = Mutex::new(ChainClock::new());

/// What the times of blocks say of the time.
struct ChainClock {
	/// How far the chain's time was ahead of the time since [`START`], milliseconds.
	readings: VecDeque<i64>,
	/// Whether this machine's clock was called wrong.
	is_wrong: bool,
}

impl ChainClock {
	const fn new() -> Self {
		Self { readings: VecDeque::new(), is_wrong: false }
	}

	/// A block of this time was seen when the process was `elapsed` milliseconds old.
	fn see(&mut self, block: Moment, elapsed: u64) {
		// The first block of a chain has no time.
		if block == 0 {
			return;
		}
		if self.readings.len() == READINGS {
			self.readings.pop_front();
		}
		self.readings.push_back(signed(block).saturating_sub(signed(elapsed)));
	}

	/// The chain's time when the process is `elapsed` milliseconds old; `None` if no block was seen.
	fn now(&self, elapsed: u64) -> Option<Moment> {
		let ahead = self.readings.iter().max()?;
		Some(u64::try_from(ahead.saturating_add(signed(elapsed))).unwrap_or(0))
	}

	/// By how many milliseconds a clock that shows `machine` is ahead of the chain's.
	fn ahead(&self, machine: Moment, elapsed: u64) -> i64 {
		self.now(elapsed).map_or(0, |now| signed(machine).saturating_sub(signed(now)))
	}
}

fn signed(moment: u64) -> i64 {
	i64::try_from(moment).unwrap_or(i64::MAX)
}

/// A length of time in milliseconds, as the chain counts; the longest that it can count for what is longer.
pub fn millis(time: Duration) -> Moment {
	Moment::try_from(time.as_millis()).unwrap_or(Moment::MAX)
}

/// How old the process is, milliseconds.
fn elapsed() -> u64 {
	millis(START.elapsed())
}

/// This machine's clock, milliseconds since the Unix epoch.
fn machine() -> Moment {
	millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn with<T>(look: impl FnOnce(&mut ChainClock) -> T) -> T {
	look(&mut CLOCK.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Asks the chain for its time: who begins to follow it is shown older blocks first.
pub async fn ask(chain: &Chain) {
	match chain.best_time().await {
		Ok(time) => saw(time),
		Err(error) => tracing::warn!(%error, "the chain's time cannot be read"),
	}
}

/// The newest block of the best chain has this time. Says so when this machine's clock turns out wrong, or right
/// again.
pub fn saw(block: Moment) {
	let news = with(|clock| {
		clock.see(block, elapsed());
		let warning = warning_of(clock.ahead(machine(), elapsed()));
		let was_wrong = std::mem::replace(&mut clock.is_wrong, warning.is_some());
		(was_wrong != warning.is_some()).then_some(warning)
	});
	match news {
		Some(Some(warning)) => tracing::warn!("{warning}"),
		Some(None) => tracing::info!("this machine's clock agrees with the chain's"),
		None => {},
	}
}

/// The chain's time, milliseconds since the Unix epoch; until a block was seen, this machine's.
pub fn now() -> Moment {
	with(|clock| clock.now(elapsed())).unwrap_or_else(machine)
}

/// By how many milliseconds this machine's clock is ahead of the chain's.
pub fn ahead() -> i64 {
	with(|clock| clock.ahead(machine(), elapsed()))
}

/// What is wrong with this machine's clock, and what to do.
pub fn warning() -> Option<String> {
	warning_of(ahead())
}

fn warning_of(ahead: i64) -> Option<String> {
	let seconds = ahead.unsigned_abs() / 1_000;
	let remedy = "set it: `timedatectl set-ntp true`";
	let meanwhile = "Deadlines are judged by the chain's time all the same";
	if ahead < -MOST_OFF_MS {
		Some(format!(
			"this machine's clock is {seconds} s behind the chain's: {remedy}. {meanwhile}"
		))
	} else if ahead > MOST_OFF_MS {
		Some(format!(
			"this machine's clock is {seconds} s ahead of the chain's: {remedy}, unless the chain stands still or \
			 the node is catching up. {meanwhile}"
		))
	} else {
		None
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn time_goes_on_from_the_block_that_came_fastest() {
		let mut clock = ChainClock::new();
		assert_eq!(clock.now(5), None);
		// Seen late, then at once, then late again.
		clock.see(100_000, 4_000);
		assert_eq!(clock.now(5_000), Some(101_000));
		clock.see(106_000, 6_100);
		clock.see(112_000, 15_000);
		assert_eq!(clock.now(15_000), Some(114_900));
		assert_eq!(clock.ahead(414_900, 15_000), 300_000);
		assert_eq!(clock.ahead(0, 15_000), -114_900);
		// What came fast long ago no longer counts: the validator's clock may have been wrong.
		for block in 0..READINGS as u64 {
			clock.see(118_000 + 6_000 * block, 22_000 + 6_000 * block);
		}
		assert_eq!(clock.now(22_000), Some(118_000));
	}

	#[test]
	fn a_clock_is_wrong_in_either_direction_and_the_remedy_is_said() {
		assert_eq!(warning_of(MOST_OFF_MS), None);
		assert_eq!(warning_of(-MOST_OFF_MS), None);
		assert!(warning_of(300_000).unwrap().contains("300 s ahead"));
		let behind = warning_of(-61_000).unwrap();
		assert!(behind.contains("61 s behind") && behind.contains("timedatectl"), "{behind}");
		assert!(warning_of(i64::MIN).is_some());
	}

	#[test]
	fn times_that_cannot_be_do_not_break_it() {
		let mut clock = ChainClock::new();
		clock.see(u64::MAX, 0);
		assert!(clock.now(u64::MAX).is_some());
		clock.see(1, u64::MAX);
		assert!(clock.ahead(0, 0) < 0);
		let mut young = ChainClock::new();
		young.see(0, 7);
		assert_eq!(young.now(8), None);
	}
}
