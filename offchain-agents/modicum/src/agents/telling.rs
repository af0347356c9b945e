// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a creator is told of a job, a line each: in the same words when the best chain shows it and when it is final.

use crate::{agents::ahead::Standing, amount::Amount, commands::chain::time_of};
use modicum_chain_client::{AccountId, Phase, PostedResult};
use modicum_primitives::{Balance, JobOfferId, MatchId, Moment, Run, Usage};

/// An offer that was posted.
pub fn of_offer(job_offer: JobOfferId, block: u64, held: Balance) -> String {
	format!("offered as job offer {job_offer} in block {block}, {} held", Amount(held))
}

/// A match that was made.
pub fn of_match(id: MatchId, provider: AccountId, value: Balance, deadline: Moment) -> String {
	let (value, until) = (Amount(value), time_of(deadline));
	format!("match {id}: {provider} runs the job for at most {value}, until {until}")
}

/// A result that was posted.
pub fn of_result(run: &Run) -> String {
	let Usage { instructions, bandwidth } = run.usage;
	format!("result: {}, {instructions} instructions and {bandwidth} bytes", run.status)
}

/// A result that was rejected.
pub fn of_mediation(mediator: AccountId, deadline: Moment) -> String {
	format!("rejected: {mediator} runs the job, until {}", time_of(deadline))
}

/// What the best chain shows of a match.
pub fn of_standing(standing: &Standing) -> Vec<String> {
	let Standing::Matched(id, found) = standing else { return Vec::new() };
	let mut lines = vec![of_match(*id, found.provider, found.value, found.completion_deadline)];
	if let Some(result) = result_of(&found.phase) {
		lines.push(of_result(&result.run));
	}
	if let Phase::Mediating { mediation_deadline, .. } = found.phase {
		lines.push(of_mediation(found.mediator, mediation_deadline));
	}
	lines
}

/// The result that a match in this phase has.
pub fn result_of(phase: &Phase) -> Option<PostedResult> {
	match phase {
		Phase::Running => None,
		Phase::ResultPosted { result, .. } | Phase::Mediating { result, .. } => {
			Some(result.clone())
		},
	}
}
