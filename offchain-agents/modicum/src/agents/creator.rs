// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The job creator: one driver for each job, from its files to its paid result (docs/protocol.md §13).
//!
//! The driver is a loop over finalised blocks, starting with the one that the job's record names. Everything it
//! decides it writes down first: what must not be decided twice (the offer, the draw, the judgement) is in the record.

use crate::{
	agents::{
		cheat::CreatorCheat,
		jobs::{Closed, JobRecord, Jobs, Judgement, Plan, Stage},
		provider::settled,
		runner::Runner,
		time_left,
		transfer::Publication,
		Agent,
	},
	amount::Amount,
	commands::chain::time_of,
	failure::{Exit, Failure, Outcome},
};
use modicum_chain_client::{
	AccountId, Call, Event, FinalizedItem, OfferState, Phase, PostedResult, Snapshot,
};
use modicum_directory::{account::AccountId as DirectoryAccount, names::RepositoryName};
use modicum_packaging::Package;
use modicum_primitives::{
	Ending, FaultyParty, JobOfferId, JobTerms, MatchId, Moment, RejectReason, ResultStatus,
};
use std::{sync::Arc, time::Duration};

/// The output's archive in a job's folder.
pub const OUTPUT_FILE: &str = "output.tar";
/// Blocks after which it is written down how far the job was followed, even if nothing happened.
const SAVE_EVERY: u64 = 50;

/// What happens to a job, for whoever waits.
pub type Tell = Arc<dyn Fn(u64, &str) + Send + Sync>;

/// Drives one job.
pub struct Driver {
	/// The creator.
	pub agent: Agent,
	/// Where the job is written down.
	pub jobs: Jobs,
	/// The job's number.
	pub number: u64,
	/// For verifying by execution; without it results are only looked at.
	pub runner: Option<Arc<Runner>>,
	/// Told of each phase.
	pub tell: Tell,
	/// For tests and the demonstration.
	pub cheat: Option<CreatorCheat>,
}

/// The present match, as followed from events.
#[derive(Default)]
struct Current {
	/// Where it stands; `None` before the match.
	phase: Option<Phase>,
	/// Nothing is to be done up to this block: what was done shows in it.
	quiet_until: u64,
}

impl Driver {
	pub(super) fn say(&self, text: impl AsRef<str>) {
		(self.tell)(self.number, text.as_ref());
	}

	fn save(&self, record: &mut JobRecord, stage: Stage) -> Outcome<()> {
		if record.stage != stage {
			record.since = super::now();
		}
		record.stage = stage;
		// Another process may have cancelled it meanwhile.
		record.cancelled |= self.jobs.get(self.number)?.cancelled;
		self.jobs.put(self.number, record)
	}

	fn repository(&self, record: &JobRecord) -> Outcome<RepositoryName> {
		let me = DirectoryAccount(self.agent.account.0);
		RepositoryName::of_job(&me, &record.repository_name(self.number)).map_err(Failure::internal)
	}

	/// Drives the job until it is over. May be dropped, or end with an error, at any time: the next driver goes on.
	///
	/// # Errors
	/// What the driver cannot wait out: the chain's refusal, a full disk, a wrong setting.
	pub async fn drive(&self) -> Outcome<JobRecord> {
		let _claim = self.jobs.claim(self.number)?.ok_or_else(|| {
			let message = format!("job {} is driven by another process already", self.number);
			Failure::new(Exit::Usage, message)
		})?;
		let mut record = self.jobs.get(self.number)?;
		loop {
			self.offer(&mut record).await?;
			match record.stage.clone() {
				Stage::Done(closed) => {
					self.deliver(&mut record, &closed).await?;
					return Ok(record);
				},
				Stage::Withdrawn { .. } => return Ok(record),
				_ => self.follow(&mut record).await?,
			}
		}
	}

	/// As [`Self::drive`], but only until the offer is on the chain. Whoever drives the job already does that as well.
	///
	/// # Errors
	/// As [`Self::drive`].
	pub async fn post_only(&self) -> Outcome<JobRecord> {
		let claim = self.jobs.claim(self.number)?;
		let mut record = self.jobs.get(self.number)?;
		if claim.is_some() {
			self.offer(&mut record).await?;
		}
		Ok(record)
	}

	/// Brings a job that is not offered yet onto the chain.
	async fn offer(&self, record: &mut JobRecord) -> Outcome<()> {
		loop {
			match record.stage.clone() {
				Stage::Packed => self.upload(record).await?,
				Stage::Uploaded => self.begin_posting(record).await?,
				Stage::Posting { completion_deadline } => {
					self.post(record, completion_deadline).await?;
				},
				_ => return Ok(()),
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

	async fn upload(&self, record: &mut JobRecord) -> Outcome<()> {
		if record.cancelled {
			return self.save(record, Stage::Withdrawn { because: "cancelled".into() });
		}
		let snapshot = self.agent.chain.snapshot().await?;
		let endpoint = self.endpoint(record, &snapshot).await?;
		let publication = Publication::of_job(&record.package.job());
		self.say(format!("uploading {} bytes to {endpoint}", publication.bytes()));
		let repository = self.repository(record)?;
		self.agent.transfer.publish(&endpoint, &repository, &publication, |_| ()).await?;
		self.save(record, Stage::Uploaded)
	}

	/// Fixes the offer before anything is sent, so that after a crash it can be recognised.
	async fn begin_posting(&self, record: &mut JobRecord) -> Outcome<()> {
		if record.cancelled {
			return self.save(record, Stage::Withdrawn { because: "cancelled".into() });
		}
		self.agent.submitter.settle().await?;
		let snapshot = self.agent.chain.snapshot().await?;
		record.next_block = snapshot.number() + 1;
		let completion_deadline = super::now().saturating_add(record.plan.time_limit);
		self.save(record, Stage::Posting { completion_deadline })
	}

	async fn post(&self, record: &mut JobRecord, completion_deadline: Moment) -> Outcome<()> {
		// An earlier life may have sent the offer. If so, it is on the chain now or never will be.
		self.agent.submitter.settle().await?;
		let uri = self.repository(record)?.to_string();
		if let Some((job_offer, block)) = self.find_offer(record, &uri).await? {
			record.next_block = block;
			return self.save(record, Stage::Offered { job_offer, completion_deadline });
		}
		let terms = terms(&record.package, &record.plan, completion_deadline);
		let call = Call::post_job_offer(terms, &uri, record.plan.extra_deposit);
		let included = match self.agent.submitter.submit(call).await {
			Ok(included) => included,
			Err(error) => {
				// The files are there; whoever mends what was refused goes on from here.
				self.save(record, Stage::Uploaded)?;
				return Err(error.into());
			},
		};
		let posted = included.events.iter().find_map(|event| match event {
			Event::JobOfferPosted { job_offer, held, .. } => Some((*job_offer, *held)),
			_ => None,
		});
		let (job_offer, held) = posted
			.ok_or_else(|| Failure::internal("the chain posted the offer and did not say so"))?;
		self.say(format!(
			"offered as job offer {job_offer} in block {}, {} held",
			included.block,
			Amount(held)
		));
		record.next_block = included.block;
		self.save(record, Stage::Offered { job_offer, completion_deadline })
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
					let offers = snapshot.job_offers().await?.into_iter();
					let mut mine = offers.filter(|(_, offer)| {
						offer.creator == self.agent.account && offer.uri == wanted
					});
					if let Some((id, _)) = mine.next() {
						return Ok(Some((id, last)));
					}
					if last >= head {
						return Ok(None);
					}
				},
			}
		}
	}

	/// Follows an offer and its match block by block.
	async fn follow(&self, record: &mut JobRecord) -> Outcome<()> {
		let mut current = Current::default();
		let mut from = record.next_block;
		match &record.stage {
			Stage::Offered { job_offer, .. } => {
				self.say(format!("job offer {job_offer} waits for a match"));
			},
			Stage::Matched { match_id, .. } => {
				// What it did since then shows in its state, unless it is closed: then the events say how.
				let snapshot = self.agent.chain.snapshot().await?;
				if let Some(found) = snapshot.open_match(*match_id).await? {
					current.phase = Some(found.phase);
					from = snapshot.number() + 1;
				}
			},
			_ => {},
		}
		let mut blocks = self.agent.chain.finalized_blocks(Some(from));
		loop {
			let snapshot = match blocks.next().await? {
				FinalizedItem::Block(block) => {
					record.next_block = block.number();
					for event in block.events {
						self.take(record, &mut current, event).await?;
					}
					block.snapshot
				},
				FinalizedItem::Missed { snapshot, .. } => {
					record.next_block = snapshot.number();
					self.read_again(record, &mut current, &snapshot).await?;
					snapshot
				},
			};
			if !matches!(record.stage, Stage::Offered { .. } | Stage::Matched { .. }) {
				return Ok(());
			}
			record.next_block = snapshot.number() + 1;
			if snapshot.number() > current.quiet_until {
				self.act(record, &mut current, &snapshot).await?;
			}
			if snapshot.number() % SAVE_EVERY == 0 {
				self.save(record, record.stage.clone())?;
			}
		}
	}

	/// Events were lost: what became of the offer and the match shows in the state.
	async fn read_again(
		&self,
		record: &mut JobRecord,
		current: &mut Current,
		snapshot: &Snapshot,
	) -> Outcome<()> {
		let lost = "what became of it happened while nobody looked, and the node no longer has those blocks";
		match record.stage.clone() {
			Stage::Offered { job_offer, completion_deadline } => {
				let offer = snapshot.job_offer(job_offer).await?;
				let Some(offer) = offer else {
					return self.save(record, Stage::Withdrawn { because: lost.into() });
				};
				let OfferState::Matched(match_id) = offer.state else { return Ok(()) };
				let Some(found) = snapshot.open_match(match_id).await? else { return Ok(()) };
				current.phase = Some(found.phase);
				let (provider, mediator) = (found.provider, found.mediator);
				let stage =
					Stage::Matched { match_id, job_offer, provider, mediator, completion_deadline };
				self.save(record, stage)
			},
			Stage::Matched { match_id, .. } => match snapshot.open_match(match_id).await? {
				Some(found) => {
					current.phase = Some(found.phase);
					Ok(())
				},
				None => {
					let because =
						format!("match {match_id} was closed: {lost}; see `modicum match audit`");
					self.save(record, Stage::Withdrawn { because })
				},
			},
			_ => Ok(()),
		}
	}

	/// Takes in what happened to the offer or the match.
	async fn take(
		&self,
		record: &mut JobRecord,
		current: &mut Current,
		event: Event,
	) -> Outcome<()> {
		match (&record.stage, event) {
			(
				Stage::Offered { job_offer, .. },
				Event::Matched {
					match_id,
					job_offer: of,
					provider,
					mediator,
					value,
					completion_deadline,
					..
				},
			) if of == *job_offer => {
				let job_offer = *job_offer;
				self.say(format!(
					"match {match_id}: {provider} runs the job for at most {}, until {}",
					Amount(value),
					time_of(completion_deadline)
				));
				current.phase = Some(Phase::Running);
				let stage =
					Stage::Matched { match_id, job_offer, provider, mediator, completion_deadline };
				self.save(record, stage)
			},
			(Stage::Offered { job_offer, .. }, Event::JobOfferCanceled { job_offer: of, .. })
				if of == *job_offer =>
			{
				let because = match record.cancelled {
					true => "cancelled".into(),
					false => {
						"nobody took it in time: `modicum job status` says why not".to_string()
					},
				};
				self.save(record, Stage::Withdrawn { because })
			},
			(Stage::Offered { job_offer, .. }, Event::JobOfferExpired { job_offer: of, .. })
				if of == *job_offer =>
			{
				let because = "nobody took it in time".into();
				self.save(record, Stage::Withdrawn { because })
			},
			(
				Stage::Matched { match_id, .. },
				Event::ResultPosted { match_id: of, result, uri, reaction_deadline, .. },
			) if of == *match_id => {
				self.say(format!(
					"result: {}, {} instructions and {} bytes",
					result.status, result.usage.instructions, result.usage.bandwidth
				));
				let result = PostedResult { run: result, uri };
				current.phase = Some(Phase::ResultPosted { result, reaction_deadline });
				Ok(())
			},
			(
				Stage::Matched { match_id, .. },
				Event::JobAssignedForMediation { match_id: of, mediator, mediation_deadline },
			) if of == *match_id => {
				self.say(format!(
					"rejected: {mediator} runs the job, until {}",
					time_of(mediation_deadline)
				));
				if let Some(Phase::ResultPosted { result, .. }) = current.phase.take() {
					let reason = record.judgement.as_ref().and_then(|judgement| judgement.reject);
					let reason = reason.unwrap_or(RejectReason::WrongResults);
					current.phase = Some(Phase::Mediating { result, reason, mediation_deadline });
				}
				Ok(())
			},
			(
				Stage::Matched { match_id, .. },
				Event::MediationResultPosted { match_id: of, verdict, faulty_party, .. },
			) if of == *match_id => {
				self.say(format!("verdict: {verdict}, at fault: {faulty_party}"));
				Ok(())
			},
			(
				Stage::Matched { match_id, mediator, provider, .. },
				Event::MatchClosed { match_id: of, ending, settlement, .. },
			) if of == *match_id => {
				let (match_id, mediator, provider) = (*match_id, *mediator, Some(*provider));
				let result = match current.phase.take() {
					Some(Phase::ResultPosted { result, .. } | Phase::Mediating { result, .. }) => {
						Some(result.run)
					},
					_ => None,
				};
				self.say(format!(
					"match {match_id} closed: {ending}; paid {} to the provider, {} in fees, {} in fines; {} returned",
					Amount(settlement.from_creator.to_counterparty),
					Amount(settlement.from_creator.to_mediator + settlement.from_creator.to_directory),
					Amount(settlement.from_creator.to_fines),
					Amount(settlement.from_creator.returned),
				));
				if is_false_verdict(record.judgement.as_ref(), &ending) {
					self.distrust(mediator).await;
				}
				self.close(record, Closed { match_id, provider, ending, settlement, result })
			},
			_ => Ok(()),
		}
	}

	/// The match is over: so is the job, unless others failed it and it may be offered again.
	fn close(&self, record: &mut JobRecord, closed: Closed) -> Outcome<()> {
		let retries = record.plan.retries as usize;
		if was_failed_by_others(&closed) && record.failed.len() < retries && !record.cancelled {
			record.failed.push(closed);
			record.judgement = None;
			self.say(format!("offered again, {} of {retries}", record.failed.len()));
			return self.save(record, Stage::Uploaded);
		}
		self.save(record, Stage::Done(closed))
	}

	async fn distrust(&self, mediator: AccountId) {
		self.say(format!("the verdict is false: {mediator} is no longer trusted"));
		let call = Call::job_creator_remove_trusted_mediator(mediator);
		if let Err(error) = self.agent.submitter.submit(call).await {
			tracing::warn!(%mediator, %error, "still trusted");
		}
	}

	/// Does what the deadlines and the result ask for.
	async fn act(
		&self,
		record: &mut JobRecord,
		current: &mut Current,
		snapshot: &Snapshot,
	) -> Outcome<()> {
		let now = snapshot.now().await?;
		let call = match (&record.stage, &current.phase) {
			(Stage::Offered { job_offer, completion_deadline }, _)
				if now > *completion_deadline =>
			{
				Call::cancel_job_offer(*job_offer)
			},
			(Stage::Matched { match_id, completion_deadline, .. }, None | Some(Phase::Running))
				if now > *completion_deadline =>
			{
				self.say("the provider is late: its deposit pays for it");
				Call::timeout(*match_id)
			},
			(
				Stage::Matched { match_id, .. },
				Some(Phase::ResultPosted { result, reaction_deadline }),
			) => {
				let (id, result, deadline) = (*match_id, result.clone(), *reaction_deadline);
				self.react(record, snapshot, id, &result, deadline).await?
			},
			(
				Stage::Matched { match_id, .. },
				Some(Phase::Mediating { mediation_deadline, .. }),
			) if now > *mediation_deadline => {
				self.say("the mediator is late");
				Call::timeout_mediation(*match_id)
			},
			_ => return Ok(()),
		};
		let done = self.agent.submitter.submit(call).await.map(|included| included.block);
		current.quiet_until = settled(done)?.unwrap_or(snapshot.number());
		Ok(())
	}

	/// Judges a result, once, and says what to do about it.
	async fn react(
		&self,
		record: &mut JobRecord,
		snapshot: &Snapshot,
		match_id: MatchId,
		result: &PostedResult,
		deadline: Moment,
	) -> Outcome<Call> {
		let judgement = match record.judgement.clone() {
			Some(judgement) => judgement,
			None => {
				let judgement = match self.cheat {
					Some(CreatorCheat::RejectsGoodResults) => Judgement {
						verified: false,
						reject: Some(RejectReason::WrongResults),
						because: "this creator cheats, as it was told to".into(),
						own: None,
					},
					_ => self.judge(record, snapshot, match_id, result, deadline).await?,
				};
				self.say(format!(
					"{}: {}",
					if judgement.reject.is_some() { "rejecting" } else { "accepting" },
					judgement.because
				));
				record.judgement = Some(judgement.clone());
				self.save(record, record.stage.clone())?;
				judgement
			},
		};
		Ok(match judgement.reject {
			// A rejection that is too late would be refused, and the money kept waiting.
			Some(reason) if !time_left(deadline, Duration::ZERO).is_zero() => {
				Call::reject_result(match_id, reason)
			},
			_ => Call::accept_result(match_id),
		})
	}

	/// Writes the output where its owner wants it.
	async fn deliver(&self, record: &mut JobRecord, closed: &Closed) -> Outcome<()> {
		if !record.wants_delivery() {
			return Ok(());
		}
		let archive = self.jobs.folder(self.number)?.join(OUTPUT_FILE);
		if !archive.exists() {
			// Accepted without a look, after the deadline.
			let snapshot = self.agent.chain.snapshot().await?;
			let endpoint = self.endpoint(record, &snapshot).await?;
			let (Some(run), Some(provider)) = (closed.result, closed.provider) else {
				return Ok(());
			};
			self.fetch_output(&endpoint, provider, closed.match_id, &run.result_hash).await?;
		}
		let out = record.plan.out.clone();
		let unpack = move || modicum_packaging::unpack_output(&archive, &out);
		let unpacked = tokio::task::spawn_blocking(unpack).await.map_err(Failure::internal)?;
		record.outputs = unpacked.map_err(|error| Failure::new(Exit::File, error))?;
		self.say(format!("{} files in {}", record.outputs.len(), record.plan.out.display()));
		self.save(record, record.stage.clone())
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

/// Whether a match failed by somebody else's doing, so that another provider may do better.
fn was_failed_by_others(closed: &Closed) -> bool {
	match closed.ending {
		Ending::Accepted => closed.result.is_some_and(|run| {
			matches!(run.status, ResultStatus::Declined | ResultStatus::DirectoryUnavailable)
		}),
		Ending::ProviderTimedOut | Ending::MediatorTimedOut => true,
		Ending::Mediated(verdict) => verdict.faulty_party() != FaultyParty::JobCreator,
	}
}

/// Whether the creator's own run, made before it rejected, contradicts a verdict that blames it.
fn is_false_verdict(judgement: Option<&Judgement>, ending: &Ending) -> bool {
	let proved = judgement.is_some_and(|j| j.verified && j.reject.is_some() && j.own.is_some());
	proved && ending.faulty_party() == Some(FaultyParty::JobCreator)
}
