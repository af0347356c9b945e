// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum provider earnings`: what closed matches have brought, from the provider's own record.

use crate::{
	agents::{
		provider::{ClosedMatch, CLOSED},
		store::Store,
	},
	amount::Amount,
	context::Context,
	failure::{Exit, Outcome},
	output::{aligned, Report},
};
use serde::Serialize;

/// Sums over all closed matches that this provider remembers.
#[derive(Serialize)]
struct Earnings {
	matches: usize,
	accepted: usize,
	earned: Amount,
	fees: Amount,
	lost: Amount,
	closed: Vec<Numbered>,
}

#[derive(Serialize)]
struct Numbered {
	match_id: u64,
	#[serde(flatten)]
	closed: ClosedMatch,
}

impl Report for Earnings {
	fn text(&self) -> String {
		aligned(&[
			("closed matches", self.matches.to_string()),
			("accepted", self.accepted.to_string()),
			("earned", self.earned.to_string()),
			("paid to mediators and directories", self.fees.to_string()),
			("lost to creators and in fines", self.lost.to_string()),
		])
	}
}

/// Shows what was earned.
pub fn show(context: &Context) -> Outcome {
	let account = context.account(None)?;
	let store = Store::open(context.config.agent_folder("provider", &account))?;
	let closed = store.all::<ClosedMatch>(CLOSED)?;
	let sum = |of: fn(&ClosedMatch) -> u128| Amount(closed.iter().map(|(_, c)| of(c)).sum());
	context.print(&Earnings {
		matches: closed.len(),
		accepted: closed
			.iter()
			.filter(|(_, c)| c.ending == modicum_primitives::Ending::Accepted)
			.count(),
		earned: sum(|c| c.earned),
		fees: sum(|c| c.fees),
		lost: sum(|c| c.lost),
		closed: closed
			.into_iter()
			.map(|(match_id, closed)| Numbered { match_id, closed })
			.collect(),
	});
	Ok(Exit::Success)
}
