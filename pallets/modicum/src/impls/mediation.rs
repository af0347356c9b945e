// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From the mediator's evidence to the end of the match. Source: docs/protocol.md §7.

use crate::{types::Phase, Config, Error, Event, Matches, Pallet};
use frame::prelude::*;
use modicum_primitives::{derive_verdict, Ending, Evidence, MatchId};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_mediation_result(
		who: T::AccountId,
		match_id: MatchId,
		evidence: Evidence,
	) -> DispatchResult {
		let record = Matches::<T>::get(match_id).ok_or(Error::<T>::MatchNotFound)?;
		ensure!(record.mediator == who, Error::<T>::NotMediatorOfMatch);
		let Phase::Mediating { result, mediation_deadline, .. } = &record.phase else {
			return Err(Error::<T>::NotMediating.into());
		};
		ensure!(Self::now() <= *mediation_deadline, Error::<T>::MediationDeadlinePassed);
		match &evidence {
			Evidence::Runs(runs) => {
				let expected = record.parameters.verification_count;
				ensure!(runs.len() as u64 == u64::from(expected), Error::<T>::WrongNumberOfRuns);
				runs.iter().try_for_each(Self::check_run)?;
			},
			// A run that gave no output left nothing that could be missing.
			Evidence::ResultNotOnDirectory => {
				ensure!(result.run.status.has_output(), Error::<T>::NoResultToMiss);
			},
			Evidence::DirectoryUnavailable => {},
		}

		let verdict = derive_verdict(&result.run, &evidence, &record.verdict_terms());
		let measured = evidence.measured();
		Self::deposit_event(Event::MediationResultPosted {
			match_id,
			mediator: who,
			evidence,
			verdict,
			faulty_party: verdict.faulty_party(),
		});
		Self::close_match(match_id, record, Ending::Mediated(verdict), measured)
	}
}
