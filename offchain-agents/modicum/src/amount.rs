// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Amounts of money as people write them: tokens with up to twelve decimals.

use modicum_chain_client::{TOKEN_DECIMALS, TOKEN_SYMBOL};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Base units of one token.
const UNIT: u128 = 10_u128.pow(TOKEN_DECIMALS);

/// An amount in base units, written in tokens. In JSON it is a string of base units, because numbers there lose
/// digits; in settings a string of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Amount(pub u128);

/// A text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
	"`{0}` is no amount: write tokens such as 2 or 0.5, with at most {TOKEN_DECIMALS} decimals"
)]
pub struct NoAmount(String);

impl Amount {
	/// The amount without the token's symbol.
	fn number(self) -> String {
		let (whole, rest) = (self.0 / UNIT, self.0 % UNIT);
		let decimals = format!("{rest:0width$}", width = TOKEN_DECIMALS as usize);
		match decimals.trim_end_matches('0') {
			"" => whole.to_string(),
			decimals => format!("{whole}.{decimals}"),
		}
	}
}

impl fmt::Display for Amount {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} {TOKEN_SYMBOL}", self.number())
	}
}

impl FromStr for Amount {
	type Err = NoAmount;

	fn from_str(text: &str) -> Result<Self, NoAmount> {
		let refused = || NoAmount(text.into());
		let number = text.trim().trim_end_matches(TOKEN_SYMBOL).trim_end();
		let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
		let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
		if !digits(whole) || !digits(decimals) || decimals.len() > TOKEN_DECIMALS as usize {
			return Err(refused());
		}
		let padded = format!("{decimals:0<width$}", width = TOKEN_DECIMALS as usize);
		let whole: u128 = whole.parse().map_err(|_| refused())?;
		let rest: u128 = padded.parse().map_err(|_| refused())?;
		let amount = whole.checked_mul(UNIT).and_then(|whole| whole.checked_add(rest));
		amount.map(Self).ok_or_else(refused)
	}
}

impl Serialize for Amount {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&self.0.to_string())
	}
}

/// For settings: reads and writes tokens.
pub mod tokens {
	use super::{Amount, Deserialize, Deserializer, Serializer};

	/// Writes tokens.
	pub fn serialize<S: Serializer>(amount: &Amount, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&amount.number())
	}

	/// Reads tokens.
	pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
		let text = String::deserialize(deserializer)?;
		text.parse().map_err(serde::de::Error::custom)
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	#[test]
	fn amounts_are_written_and_read_in_tokens() {
		for (text, base) in [
			("0", 0),
			("1", UNIT),
			("0.5", UNIT / 2),
			("12.000000000001", 12 * UNIT + 1),
			("340282366920938463463374607.431768211455", u128::MAX),
		] {
			assert_eq!(text.parse(), Ok(Amount(base)));
			assert_eq!(Amount(base).to_string(), format!("{text} MOD"));
		}
		assert_eq!("3 MOD".parse(), Ok(Amount(3 * UNIT)));
		assert_eq!("2.50".parse(), Ok(Amount(5 * UNIT / 2)));
	}

	#[test]
	fn what_is_no_amount_is_refused() {
		for text in ["", ".", "1.", ".5", "-1", "1e3", "1,5", "0.0000000000001", "1 2", "+1"] {
			assert!(text.parse::<Amount>().is_err(), "{text}");
		}
		assert!("340282366920938463463374608".parse::<Amount>().is_err());
	}
}
