// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the best chain shows of a job, ahead of what is final. A fork may take it back, so nothing of it is written
//! down.

use modicum_chain_client::{AccountId, BestItem, Error, Event, Match, OfferState, Snapshot};
use modicum_primitives::{JobOfferId, MatchId, Moment};

/// Where a job stands on the best chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
	/// It is not there, or no longer.
	Gone,
	/// Its offer is open.
	Open {
		/// The offer.
		job_offer: JobOfferId,
		/// Its deadline, milliseconds since the Unix epoch.
		completion_deadline: Moment,
	},
	/// It is matched.
	Matched(MatchId, Box<Match>),
}

/// A job on the best chain.
pub struct Ahead {
	creator: AccountId,
	/// What tells the job's offer from any other: no two of a creator share it.
	uri: String,
	job_offer: Option<JobOfferId>,
	/// As of the last block that concerned the job.
	pub standing: Standing,
	/// Whether the next block's state has to be looked at.
	is_stale: bool,
	/// Nothing is to be done up to this block: what was done shows in it.
	pub quiet_until: u64,
}

impl Ahead {
	/// The job at `uri`, whose offer is known if it is on the chain already.
	pub fn new(creator: AccountId, uri: String, job_offer: Option<JobOfferId>) -> Self {
		let standing = Standing::Gone;
		Self { creator, uri, job_offer, standing, is_stale: true, quiet_until: 0 }
	}

	/// The offer's number is certain.
	pub fn offered(&mut self, job_offer: JobOfferId) {
		if self.job_offer != Some(job_offer) {
			self.job_offer = Some(job_offer);
			self.is_stale = true;
		}
	}

	/// Takes in what came on the best chain, and returns the state to act on and its time, milliseconds since the
	/// Unix epoch.
	///
	/// # Errors
	/// The chain cannot be read; then the next block is looked at.
	pub async fn take(&mut self, item: BestItem) -> Result<(Snapshot, Moment), Error> {
		let snapshot = match item {
			BestItem::Turn(snapshot) => {
				self.is_stale = true;
				snapshot
			},
			BestItem::Block { events, snapshot } => {
				self.is_stale |= self.is_concerned(&events);
				snapshot
			},
		};
		if self.is_stale {
			self.standing = self.read(&snapshot).await?;
			self.is_stale = false;
		}
		let now = snapshot.now().await?;
		super::clock::saw(now);
		Ok((snapshot, now))
	}

	/// Whether any of the events may change where the job stands. Learns the offer's number on the way.
	fn is_concerned(&mut self, events: &[Event]) -> bool {
		let mut is_concerned = false;
		for event in events {
			if let Event::JobOfferPosted { job_offer, creator, uri, .. } = event {
				if *creator == self.creator && *uri == self.uri {
					self.job_offer = Some(*job_offer);
					is_concerned = true;
				}
			}
			is_concerned |= match (&self.standing, event) {
				(
					_,
					Event::Matched { job_offer, .. }
					| Event::JobOfferCanceled { job_offer, .. }
					| Event::JobOfferExpired { job_offer, .. }
					| Event::MatchClosed { job_offer, .. },
				) => self.job_offer == Some(*job_offer),
				(
					Standing::Matched(id, _),
					Event::ResultPosted { match_id, .. }
					| Event::JobAssignedForMediation { match_id, .. },
				) => id == match_id,
				_ => false,
			};
		}
		is_concerned
	}

	async fn read(&self, snapshot: &Snapshot) -> Result<Standing, Error> {
		let Some(id) = self.job_offer else { return Ok(Standing::Gone) };
		let offer = snapshot.job_offer(id).await?;
		// On another fork the number may be another offer's.
		let mine = offer.filter(|offer| offer.creator == self.creator && offer.uri == self.uri);
		let Some(offer) = mine else { return Ok(Standing::Gone) };
		Ok(match offer.state {
			OfferState::Open => {
				let completion_deadline = offer.terms.completion_deadline;
				Standing::Open { job_offer: id, completion_deadline }
			},
			OfferState::Matched(id) => {
				let found = snapshot.open_match(id).await?;
				found.map_or(Standing::Gone, |found| Standing::Matched(id, Box::new(found)))
			},
		})
	}
}
