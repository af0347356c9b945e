// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a node says to a transaction.

use subxt::rpcs::UserError;

/// What a node says to a transaction that it is sent.
pub(super) enum Answer {
	Taken,
	/// Its nonce is used: by a transaction in a block, or by another in the pool.
	NonceUsed,
	CannotPay,
	BadSignature(String),
	NotTaken(String),
}

/// The codes are those of the `author` methods of Substrate nodes.
pub(super) fn understand(no: &UserError) -> Answer {
	const INVALID: i32 = 1010;
	const ALREADY_THERE: i32 = 1013;
	const PRIORITY_TOO_LOW: i32 = 1014;
	let data = no.data.as_ref().map(|data| data.get().trim_matches('"')).unwrap_or_default();
	match no.code {
		ALREADY_THERE => Answer::Taken,
		PRIORITY_TOO_LOW => Answer::NonceUsed,
		INVALID if data.contains("outdated") => Answer::NonceUsed,
		INVALID if data.contains("pay some fees") => Answer::CannotPay,
		INVALID if data.contains("bad signature") => Answer::BadSignature(data.into()),
		_ if data.is_empty() => Answer::NotTaken(no.message.clone()),
		_ => Answer::NotTaken(format!("{}: {data}", no.message)),
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	fn answer(json: &str) -> Answer {
		understand(&serde_json::from_str(json).unwrap())
	}

	#[test]
	fn the_nodes_noes_are_understood() {
		let invalid = |data: &str| {
			answer(&format!(
				r#"{{"code": 1010, "message": "Invalid Transaction", "data": "{data}"}}"#
			))
		};
		assert!(matches!(invalid("Transaction is outdated"), Answer::NonceUsed));
		let poor = "Inability to pay some fees (e.g. account balance too low)";
		assert!(matches!(invalid(poor), Answer::CannotPay));
		let no = invalid("Transaction has a bad signature");
		assert!(matches!(no, Answer::BadSignature(why) if why.contains("bad signature")));
		let low = r#"{"code": 1014, "message": "Priority is too low: (1 vs 2)"}"#;
		assert!(matches!(answer(low), Answer::NonceUsed));
		let known = r#"{"code": 1013, "message": "Transaction Already Imported"}"#;
		assert!(matches!(answer(known), Answer::Taken));
		let other = r#"{"code": -32000, "message": "stop"}"#;
		assert!(matches!(answer(other), Answer::NotTaken(why) if why == "stop"));
	}
}
