// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The provider's result and the creator's reaction to it. Source: docs/protocol.md §§5 and 6.

use crate::{
	types::{Phase, PostedResult},
	Config, Error, Event, MatchRecordOf, Matches, Pallet, Reaction,
};
use alloc::vec::Vec;
use frame::prelude::*;
use modicum_primitives::{Ending, MatchId, RejectReason, Run, NO_HASH};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_result(
		who: T::AccountId,
		match_id: MatchId,
		run: Run,
		uri: Vec<u8>,
	) -> DispatchResult {
		let mut record = Matches::<T>::get(match_id).ok_or(Error::<T>::MatchNotFound)?;
		ensure!(record.provider == who, Error::<T>::NotProvider);
		ensure!(record.phase == Phase::Running, Error::<T>::NotRunning);
		let now = Self::now();
		ensure!(now <= record.completion_deadline, Error::<T>::CompletionDeadlinePassed);
		ensure!(run.usage.is_within(&record.limits), Error::<T>::UsageAboveLimits);
		Self::check_run(&run)?;
		ensure!(!(run.status.has_output() && uri.is_empty()), Error::<T>::UriEmpty);
		let uri = Self::bounded_uri(uri)?;

		let reaction_deadline = now.saturating_add(record.parameters.reaction_deadline);
		let result = PostedResult { run, uri: uri.clone() };
		Self::enter(match_id, &mut record, Phase::ResultPosted { result, reaction_deadline });
		Self::deposit_event(Event::ResultPosted {
			match_id,
			provider: who,
			result: run,
			uri,
			reaction_deadline,
		});
		Matches::<T>::insert(match_id, record);
		Ok(())
	}

	pub(crate) fn do_accept_result(who: T::AccountId, match_id: MatchId) -> DispatchResult {
		let record = Matches::<T>::get(match_id).ok_or(Error::<T>::MatchNotFound)?;
		ensure!(who == record.creator || who == record.provider, Error::<T>::NotParty);
		let Phase::ResultPosted { reaction_deadline, .. } = &record.phase else {
			return Err(Error::<T>::NotAwaitingReaction.into());
		};
		let in_time = Self::now() <= *reaction_deadline;
		ensure!(who == record.creator || !in_time, Error::<T>::ReactionDeadlineNotPassed);

		Self::deposit_event(Event::ResultReaction {
			match_id,
			by: Some(who),
			reaction: Reaction::Accepted,
		});
		Self::close_match(match_id, record, Ending::Accepted, None)
	}

	pub(crate) fn do_reject_result(
		who: T::AccountId,
		match_id: MatchId,
		reason: RejectReason,
	) -> DispatchResult {
		let mut record = Matches::<T>::get(match_id).ok_or(Error::<T>::MatchNotFound)?;
		ensure!(record.creator == who, Error::<T>::NotCreator);
		let Phase::ResultPosted { result, reaction_deadline } = record.phase.clone() else {
			return Err(Error::<T>::NotAwaitingReaction.into());
		};
		let now = Self::now();
		ensure!(now <= reaction_deadline, Error::<T>::ReactionDeadlinePassed);

		let mediation_deadline = now.saturating_add(record.parameters.mediation_deadline);
		let phase = Phase::Mediating { result, reason, mediation_deadline };
		Self::enter(match_id, &mut record, phase);
		Self::deposit_event(Event::ResultReaction {
			match_id,
			by: Some(who),
			reaction: Reaction::Rejected(reason),
		});
		Self::deposit_event(Event::JobAssignedForMediation {
			match_id,
			mediator: record.mediator.clone(),
			mediation_deadline,
		});
		Matches::<T>::insert(match_id, record);
		Ok(())
	}

	/// What every report of a run, a provider's or a mediator's, must be like.
	pub(crate) fn check_run(run: &Run) -> DispatchResult {
		ensure!(
			run.status.may_have_run() || run.usage.instructions == 0,
			Error::<T>::InstructionsWithoutRun
		);
		if run.status.has_output() {
			ensure!(run.result_hash != NO_HASH, Error::<T>::ResultHashMissing);
		} else {
			ensure!(run.result_hash == NO_HASH, Error::<T>::ResultHashUnexpected);
		}
		Ok(())
	}

	/// Moves a match to its next phase and its entry in the deadline queue along with it.
	fn enter(match_id: MatchId, record: &mut MatchRecordOf<T>, phase: Phase<crate::UriOf<T>>) {
		Self::clear_match_deadline(match_id, record);
		record.phase = phase;
		Self::set_match_deadline(match_id, record);
	}
}
