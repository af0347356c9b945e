// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Numbers that the whole chain agrees on.

use crate::{Balance, BlockNumber, Moment};

/// Time between two blocks in milliseconds; docs/adr/0004-block-time.md says why. It cannot change on a running chain: the number of a
/// slot is the time divided by it.
pub const BLOCK_TIME_MILLIS: Moment = 2_000;

/// Blocks in a minute.
pub const MINUTES: BlockNumber = 60_000 / (BLOCK_TIME_MILLIS as BlockNumber);
/// Blocks in an hour.
pub const HOURS: BlockNumber = MINUTES * 60;
/// Blocks in a day.
pub const DAYS: BlockNumber = HOURS * 24;

/// Decimals of the token.
pub const TOKEN_DECIMALS: u8 = 12;
/// Symbol of the token.
pub const TOKEN_SYMBOL: &str = "MOD";
/// One token in base units.
pub const UNIT: Balance = 1_000_000_000_000;
/// A thousandth of a token.
pub const MILLI_UNIT: Balance = UNIT / 1_000;
/// A millionth of a token.
pub const MICRO_UNIT: Balance = UNIT / 1_000_000;

/// What an account must hold to exist.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;

/// What is held for keeping `items` entries of `bytes` in all in the state.
pub const fn storage_deposit(items: u32, bytes: u32) -> Balance {
	items as Balance * 10 * MILLI_UNIT + bytes as Balance * 100 * MICRO_UNIT
}
