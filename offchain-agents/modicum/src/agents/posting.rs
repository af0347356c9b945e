// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From a packed job to its offer on the chain. The offer is fixed and written down before anything is sent: after a
//! crash it is recognised, and not posted twice.

use crate::{
	agents::{
		creator::Driver,
		jobs::{JobRecord, Plan, Stage},
		telling,
		transfer::Publication,
	},
	failure::{Failure, Outcome},
};
use modicum_chain_client::{
	AccountId, Call, Event, Finality, FinalizedItem, Included, Snapshot, SubmitError,
};
use modicum_packaging::Package;
use modicum_primitives::{JobOfferId, JobTerms, Moment};

/// An offer on its way into a finalised block.
pub(super) struct Posted {
	/// The offer.
	pub job_offer: JobOfferId,
	/// Comes to know when it is in one.
	pub finality: Finality,
	/// What was said of it.
	pub line: String,
}

impl Driver {
	/// Brings a job that is not offered yet onto the chain; if it is not final yet, returns what was posted.
	pub(super) async fn offer(&self, record: &mut JobRecord) -> Outcome<Option<Posted>> {
		loop {
			match record.stage.clone() {
				Stage::Packed => self.upload(record).await?,
				Stage::Uploaded => self.begin_posting(record).await?,
				Stage::Posting { completion_deadline } => {
					let posted = self.post(record, completion_deadline).await?;
					if posted.is_some() {
						return Ok(posted);
					}
				},
				_ => return Ok(None),
			}
		}
	}

	/// Where the job's directory answers.
	pub(super) async fn endpoint(
		&self,
		record: &JobRecord,
		snapshot: &Snapshot,
	) -> Outcome<String> {
		let directory = record.plan.directory;
		let found = snapshot.directory(directory).await?;
		Ok(found
			.ok_or_else(|| {
				Failure::not_found(format!("{directory} is not registered as a directory"))
			})?
			.endpoint)
	}

	/// Why a job is not to be offered after all, if so.
	pub(super) fn unwanted(&self, record: &JobRecord) -> Outcome<Option<String>> {
		match record.duplicate_of {
			_ if record.cancelled => Ok(Some("cancelled".into())),
			Some(original) => self.unneeded(original.job),
			None => Ok(None),
		}
	}

	async fn upload(&self, record: &mut JobRecord) -> Outcome<()> {
		if let Some(because) = self.unwanted(record)? {
			return self.save(record, Stage::Withdrawn { because }).await;
		}
		let snapshot = self.agent.chain.snapshot().await?;
		let endpoint = self.endpoint(record, &snapshot).await?;
		let publication = Publication::of_job(&record.package.job());
		self.say(format!("uploading {} bytes to {endpoint}", publication.bytes()));
		let repository = self.repository(record)?;
		self.agent.transfer.publish(&endpoint, &repository, &publication, |_| ()).await?;
		self.save(record, Stage::Uploaded).await
	}

	/// Fixes the offer before anything is sent, so that after a crash it can be recognised.
	async fn begin_posting(&self, record: &mut JobRecord) -> Outcome<()> {
		if let Some(because) = self.unwanted(record)? {
			return self.save(record, Stage::Withdrawn { because }).await;
		}
		self.agent.submitter.settle().await?;
		let snapshot = self.agent.chain.snapshot().await?;
		record.next_block = snapshot.number() + 1;
		let completion_deadline = super::now().saturating_add(record.plan.time_limit);
		self.save(record, Stage::Posting { completion_deadline }).await
	}

	async fn post(
		&self,
		record: &mut JobRecord,
		completion_deadline: Moment,
	) -> Outcome<Option<Posted>> {
		// An earlier life may have sent the offer. If so, it is on the chain now or never will be.
		self.agent.submitter.settle().await?;
		let uri = self.repository(record)?.to_string();
		if let Some((job_offer, block)) = self.find_offer(record, &uri).await? {
			record.next_block = block;
			self.save(record, Stage::Offered { job_offer, completion_deadline }).await?;
			return Ok(None);
		}
		// Its owner may have changed his mind since.
		if let Some(because) = self.unwanted(record)? {
			self.save(record, Stage::Withdrawn { because }).await?;
			return Ok(None);
		}
		let terms = terms(&record.package, &record.plan, completion_deadline);
		let (call, decided_at) = match record.duplicate_of {
			// Decided on nothing that a fork could take back: it is good on every chain.
			None => (Call::post_job_offer(terms, &uri, record.plan.extra_deposit), None),
			Some(original) => match self.matched_offer(record, original, terms, &uri).await? {
				Ok((call, snapshot)) => (call, Some(snapshot)),
				Err(because) => {
					self.save(record, Stage::Withdrawn { because }).await?;
					return Ok(None);
				},
			},
		};
		let submitted = self.agent.submitter.submit_early(call, decided_at.as_ref()).await;
		let (included, finality) = match submitted {
			Ok(included) => included,
			Err(error) => return self.posted(record, Err(error)).await.map(|_| None),
		};
		let posted = included.events.iter().find_map(|event| match event {
			Event::JobOfferPosted { job_offer, held, .. } => Some((*job_offer, *held)),
			_ => None,
		});
		let (job_offer, held) = posted
			.ok_or_else(|| Failure::internal("the chain posted the offer and did not say so"))?;
		let line = telling::of_offer(job_offer, included.block, held);
		self.say(&line);
		Ok(Some(Posted { job_offer, finality, line }))
	}

	/// What came of posting. The files are there; whoever mends what was refused goes on from here, unless the offer
	/// may be on the chain after all.
	pub(super) async fn posted(
		&self,
		record: &mut JobRecord,
		outcome: Result<Included, SubmitError>,
	) -> Outcome<Included> {
		let is_unknown = matches!(outcome, Err(SubmitError::OutcomeUnknown { .. }));
		if outcome.is_err() && !is_unknown {
			self.save(record, Stage::Uploaded).await?;
		}
		Ok(outcome?)
	}

	/// The offer that an earlier life has posted, and its block.
	async fn find_offer(
		&self,
		record: &JobRecord,
		wanted: &str,
	) -> Outcome<Option<(JobOfferId, u64)>> {
		let head = self.agent.chain.snapshot().await?.number();
		if record.next_block > head {
			return Ok(None);
		}
		let mut blocks = self.agent.chain.finalized_blocks(Some(record.next_block));
		loop {
			match blocks.next().await? {
				FinalizedItem::Block(block) => {
					for event in &block.events {
						if let Event::JobOfferPosted { job_offer, creator, uri, .. } = event {
							if *creator == self.agent.account && uri == wanted {
								return Ok(Some((*job_offer, block.number())));
							}
						}
					}
					if block.number() >= head {
						return Ok(None);
					}
				},
				FinalizedItem::Missed { last, snapshot, .. } => {
					if let Some(id) = self.offer_in(&snapshot, wanted).await? {
						return Ok(Some((id, last)));
					}
					if last >= head {
						return Ok(None);
					}
				},
			}
		}
	}

	/// The offer of the job at `uri`, if the chain has it.
	pub(super) async fn offer_in(
		&self,
		snapshot: &Snapshot,
		uri: &str,
	) -> Outcome<Option<JobOfferId>> {
		let mut offers = snapshot.job_offers().await?.into_iter();
		let mine =
			offers.find(|(_, offer)| offer.creator == self.agent.account && offer.uri == uri);
		Ok(mine.map(|(id, _)| id))
	}
}

/// The terms of a job's offer.
pub fn terms(package: &Package, plan: &Plan, completion_deadline: Moment) -> JobTerms<AccountId> {
	let descriptor = &package.descriptor;
	JobTerms {
		directory: plan.directory,
		job_hash: descriptor.digest().0,
		base_layer: descriptor.base.0,
		architecture: descriptor.architecture,
		limits: descriptor.limits,
		max_prices: plan.max_prices,
		max_availability_fee: plan.max_availability_fee,
		completion_deadline,
		match_incentive: plan.match_incentive,
		meter: descriptor.meter,
	}
}
