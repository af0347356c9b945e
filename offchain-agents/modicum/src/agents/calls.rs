// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What came of a call: others may have been faster, which is no failure.

use crate::{
	agents::{errands::Done, say_not_alone},
	failure::Outcome,
};
use modicum_chain_client::{DispatchFailure, Finality, Included, SubmitError};
use modicum_primitives::MatchId;

/// A call whose refusal by the market means that somebody else was faster: the state it should bring about is there.
pub fn settled<T>(outcome: Result<T, SubmitError>) -> Outcome<Option<T>> {
	match outcome {
		Ok(included) => Ok(Some(included)),
		Err(error) => match error.failure() {
			Some(failure) if is_overtaken(failure) => Ok(None),
			_ => Err(error.into()),
		},
	}
}

/// The end of an errand that submitted a call.
pub fn done(outcome: Result<(Included, Finality), SubmitError>) -> Outcome<Done> {
	let included = settled(outcome)?;
	Ok(included.map(|(included, finality)| (included.block, finality)))
}

/// The same of a call that only this account may make for a match; refused as `overtaken`, another agent has made it.
pub fn answered(
	id: MatchId,
	overtaken: &str,
	outcome: Result<(Included, Finality), SubmitError>,
) -> Outcome<Done> {
	let failure = outcome.as_ref().err().and_then(SubmitError::failure);
	if failure.is_some_and(|failure| failure.is_market(overtaken)) {
		say_not_alone(id);
	}
	done(outcome)
}

fn is_overtaken(failure: &DispatchFailure) -> bool {
	[
		"MatchNotFound",
		"ResourceOfferNotFound",
		"JobOfferNotFound",
		"OfferAlreadyMatched",
		"NotRunning",
		"NotAwaitingReaction",
		"NotMediating",
	]
	.iter()
	.any(|name| failure.is_market(name))
}
