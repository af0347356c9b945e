// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The job creator: one driver for each job, from its files to its paid result (docs/protocol.md §13).
//!
//! The driver is a loop over finalised blocks, starting with the one that the job's record names: only what they did
//! goes into the record, and only what is final is the user's. It reacts to what the best chain shows ([`Ahead`]), with
//! transactions that are good only on that chain (docs/adr/0007-finality.md). What must not be decided twice (the
//! offer, the draw, the judgement) it writes down before it acts.

use crate::{
	agents::{
		ahead::{Ahead, Standing},
		calls::settled,
		cheat::CreatorCheat,
		jobs::{Closed, JobRecord, Jobs, Judgement, Stage},
		posting::Posted,
		runner::Runner,
		telling::{self, result_of},
		time_left, Agent, MOST_UNFINAL,
	},
	amount::Amount,
	failure::{Exit, Failure, Outcome},
	output::files,
};
use modicum_chain_client::{
	AccountId, Call, Event, FinalizedItem, Match, OfferState, Phase, PostedResult, Snapshot,
};
use modicum_directory::{account::AccountId as DirectoryAccount, names::RepositoryName};
use modicum_primitives::{Ending, FaultyParty, MatchId, Moment, RejectReason, ResultStatus};
use std::{
	collections::BTreeSet,
	sync::Arc,
	time::{Duration, Instant},
};

/// The output's archive in a job's folder.
pub const OUTPUT_FILE: &str = "output.tar";
/// Blocks after which it is written down how far the job was followed, even if nothing happened.
const SAVE_EVERY: u64 = 50;

/// A block that is older is not decided on: its state may be gone from the node.
const VIEW_AGE: Duration = Duration::from_secs(20);

/// What happens to a job, for whoever waits.
pub type Tell = Arc<dyn Fn(u64, &str) + Send + Sync>;

/// What is known of an offer and its match while it is followed.
#[derive(Default)]
struct Pursuit {
	/// The result of the present match, as far as it is final.
	result: Option<PostedResult>,
	/// What was said. It is said again only if a fork has made something else of it.
	told: BTreeSet<String>,
}

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

impl Driver {
	pub(super) fn say(&self, text: impl AsRef<str>) {
		(self.tell)(self.number, text.as_ref());
	}

	/// Says what the best chain shows and finality shows again.
	fn say_once(&self, pursuit: &mut Pursuit, text: String) {
		if !pursuit.told.contains(&text) {
			self.say(&text);
			pursuit.told.insert(text);
		}
	}

	pub(super) async fn save(&self, record: &mut JobRecord, stage: Stage) -> Outcome<()> {
		if record.stage != stage {
			record.since = super::now();
		}
		record.stage = stage;
		record.cancelled = self.jobs.put(self.number, record).await?;
		Ok(())
	}

	pub(super) fn repository(&self, record: &JobRecord) -> Outcome<RepositoryName> {
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
		if !record.stage.is_over() {
			self.agent.reach(record.next_block).await?;
		}
		loop {
			let posted = self.offer(&mut record).await?;
			if self.cheat == Some(CreatorCheat::Vanishes) {
				std::future::pending::<()>().await;
			}
			match record.stage.clone() {
				Stage::Done(closed) => {
					self.deliver(&mut record, &closed).await?;
					self.finish_duplicates(&record).await;
					return Ok(record);
				},
				Stage::Withdrawn { .. } => return Ok(record),
				_ => self.follow(&mut record, posted).await?,
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
			self.agent.reach(record.next_block).await?;
			if let Some(Posted { finality, line, .. }) = self.offer(&mut record).await? {
				let included = self.posted(&mut record, finality.wait().await).await?;
				record.next_block = included.block;
				let mut pursuit = Pursuit { told: BTreeSet::from([line]), result: None };
				for event in included.events {
					self.take(&mut record, &mut pursuit, event).await?;
				}
			}
		}
		Ok(record)
	}

	/// Follows an offer and its match block by block.
	async fn follow(&self, record: &mut JobRecord, posted: Option<Posted>) -> Outcome<()> {
		let mut pursuit = Pursuit::default();
		let mut from = record.next_block;
		match &record.stage {
			Stage::Offered { job_offer, .. } => {
				self.say(format!("job offer {job_offer} waits for a match"));
			},
			Stage::Matched { match_id, .. } => {
				// What it did since then shows in its state, unless it is closed: then the events say how.
				let snapshot = self.agent.chain.snapshot().await?;
				if let Some(found) = snapshot.open_match(*match_id).await? {
					pursuit.result = result_of(&found.phase);
					from = snapshot.number() + 1;
				}
			},
			_ => {},
		}
		let uri = self.repository(record)?.to_string();
		let (tentative, finality) = match posted {
			Some(Posted { job_offer, finality, line }) => {
				pursuit.told.insert(line);
				(Some(job_offer), Some(finality))
			},
			None => (record.stage.job_offer(), None),
		};
		let mut ahead = Ahead::new(self.agent.account, uri, tentative);
		let mut finality = Box::pin(async move {
			match finality {
				Some(finality) => finality.wait().await,
				None => std::future::pending().await,
			}
		});
		let mut is_posted = false;
		let mut blocks = self.agent.chain.finalized_blocks(Some(from));
		let mut best = self.agent.chain.best_blocks();
		loop {
			tokio::select! {
				item = blocks.next() => {
					self.conclude(record, &mut pursuit, item?).await?;
					match &record.stage {
						Stage::Offered { job_offer, .. } => ahead.offered(*job_offer),
						Stage::Matched { .. } | Stage::Posting { .. } => {},
						_ => return Ok(()),
					}
				},
				item = best.next() => {
					let seen = match item {
						Ok(item) => ahead.take(item).await,
						Err(error) => Err(error),
					};
					if seen.is_ok() {
						// Told as soon as it is acted on, so that all lines are in one order.
						for line in telling::of_standing(&ahead.standing) {
							self.say_once(&mut pursuit, line);
						}
					}
					match seen {
						// An old block is none to decide on: what it shows may be done long since.
						Ok(_) if best.has_more() => {},
						Ok((snapshot, now)) if snapshot.number() <= record.next_block + MOST_UNFINAL => {
							self.act(record, &mut ahead, &snapshot, now).await?;
						},
						Ok(_) => {},
						// The next block may be readable; finalised ones say if the chain is not.
						Err(error) => tracing::warn!(%error, "the best block cannot be read"),
					}
				},
				outcome = &mut finality, if !is_posted => {
					self.posted(record, outcome).await?;
					is_posted = true;
				},
			}
		}
	}

	/// Takes in what is final.
	async fn conclude(
		&self,
		record: &mut JobRecord,
		pursuit: &mut Pursuit,
		item: FinalizedItem,
	) -> Outcome<()> {
		let number = match item {
			FinalizedItem::Block(block) => {
				record.next_block = block.number();
				for event in block.events {
					self.take(record, pursuit, event).await?;
				}
				block.snapshot.number()
			},
			FinalizedItem::Missed { snapshot, .. } => {
				record.next_block = snapshot.number();
				self.read_again(record, pursuit, &snapshot).await?;
				snapshot.number()
			},
		};
		if record.stage.is_over() || record.stage == Stage::Uploaded {
			return Ok(());
		}
		record.next_block = number + 1;
		if number % SAVE_EVERY == 0 {
			self.save(record, record.stage.clone()).await?;
		}
		Ok(())
	}

	/// Events were lost: what became of the offer and the match shows in the state.
	async fn read_again(
		&self,
		record: &mut JobRecord,
		pursuit: &mut Pursuit,
		snapshot: &Snapshot,
	) -> Outcome<()> {
		let lost = "what became of it happened while nobody looked, and the node no longer has those blocks";
		match record.stage.clone() {
			Stage::Posting { completion_deadline } => {
				let uri = self.repository(record)?.to_string();
				let posted = self.offer_in(snapshot, &uri).await?;
				let Some(job_offer) = posted else { return Ok(()) };
				self.save(record, Stage::Offered { job_offer, completion_deadline }).await
			},
			Stage::Offered { job_offer, completion_deadline } => {
				let offer = snapshot.job_offer(job_offer).await?;
				let Some(offer) = offer else {
					return self.save(record, Stage::Withdrawn { because: lost.into() }).await;
				};
				let OfferState::Matched(match_id) = offer.state else { return Ok(()) };
				let Some(found) = snapshot.open_match(match_id).await? else { return Ok(()) };
				pursuit.result = result_of(&found.phase);
				let (provider, mediator) = (found.provider, found.mediator);
				let stage =
					Stage::Matched { match_id, job_offer, provider, mediator, completion_deadline };
				self.save(record, stage).await
			},
			Stage::Matched { match_id, .. } => match snapshot.open_match(match_id).await? {
				Some(found) => {
					pursuit.result = result_of(&found.phase);
					Ok(())
				},
				None => {
					let because =
						format!("match {match_id} was closed: {lost}; see `modicum match audit`");
					self.save(record, Stage::Withdrawn { because }).await
				},
			},
			_ => Ok(()),
		}
	}

	/// Takes in what happened to the offer or the match.
	async fn take(
		&self,
		record: &mut JobRecord,
		pursuit: &mut Pursuit,
		event: Event,
	) -> Outcome<()> {
		match (&record.stage, event) {
			(
				Stage::Posting { completion_deadline },
				Event::JobOfferPosted { job_offer, creator, uri, held, .. },
			) if creator == self.agent.account && uri == self.repository(record)?.to_string() => {
				self.say_once(pursuit, telling::of_offer(job_offer, record.next_block, held));
				let completion_deadline = *completion_deadline;
				self.save(record, Stage::Offered { job_offer, completion_deadline }).await
			},
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
				self.say_once(
					pursuit,
					telling::of_match(match_id, provider, value, completion_deadline),
				);
				pursuit.result = None;
				let stage =
					Stage::Matched { match_id, job_offer, provider, mediator, completion_deadline };
				self.save(record, stage).await
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
				self.save(record, Stage::Withdrawn { because }).await
			},
			(Stage::Offered { job_offer, .. }, Event::JobOfferExpired { job_offer: of, .. })
				if of == *job_offer =>
			{
				let because = "nobody took it in time".into();
				self.save(record, Stage::Withdrawn { because }).await
			},
			(
				Stage::Matched { match_id, .. },
				Event::ResultPosted { match_id: of, result, uri, .. },
			) if of == *match_id => {
				self.say_once(pursuit, telling::of_result(&result));
				pursuit.result = Some(PostedResult { run: result, uri });
				Ok(())
			},
			(
				Stage::Matched { match_id, .. },
				Event::JobAssignedForMediation { match_id: of, mediator, mediation_deadline },
			) if of == *match_id => {
				self.say_once(pursuit, telling::of_mediation(mediator, mediation_deadline));
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
				let result = pursuit.result.take().map(|result| result.run);
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
				self.close(record, Closed { match_id, provider, ending, settlement, result }).await
			},
			_ => Ok(()),
		}
	}

	/// The match is over: so is the job, unless others failed it and it may be offered again.
	async fn close(&self, record: &mut JobRecord, closed: Closed) -> Outcome<()> {
		let retries = record.plan.retries as usize;
		if was_failed_by_others(&closed) && record.failed.len() < retries && !record.cancelled {
			record.failed.push(closed);
			(record.judgement, record.answer) = (None, None);
			self.say(format!("offered again, {} of {retries}", record.failed.len()));
			return self.save(record, Stage::Uploaded).await;
		}
		self.save(record, Stage::Done(closed)).await
	}

	async fn distrust(&self, mediator: AccountId) {
		self.say(format!("the verdict is false: {mediator} is no longer trusted"));
		let call = Call::job_creator_remove_trusted_mediator(mediator);
		if let Err(error) = self.agent.submitter.submit(call).await {
			tracing::warn!(%mediator, %error, "still trusted");
		}
	}

	/// Does what the deadlines and the result ask for, as the best chain shows them.
	async fn act(
		&self,
		record: &mut JobRecord,
		ahead: &mut Ahead,
		snapshot: &Snapshot,
		now: Moment,
	) -> Outcome<()> {
		if snapshot.number() <= ahead.quiet_until {
			return Ok(());
		}
		let call = match &ahead.standing {
			Standing::Open { job_offer, completion_deadline }
				if record.cancelled || now > *completion_deadline =>
			{
				Call::cancel_job_offer(*job_offer)
			},
			Standing::Matched(id, found) => match &found.phase {
				Phase::Running if now > found.completion_deadline => {
					self.say("the provider is late: its deposit pays for it");
					Call::timeout(*id)
				},
				Phase::ResultPosted { result, reaction_deadline } => {
					let (id, found, result) = (*id, found.clone(), result.clone());
					let (deadline, started) = (*reaction_deadline, Instant::now());
					let call = self.react(record, snapshot, id, &found, &result, deadline).await?;
					if started.elapsed() > VIEW_AGE {
						// The judgement is written down; what to do about it is decided on a newer block.
						return Ok(());
					}
					call
				},
				Phase::Mediating { mediation_deadline, .. } if now > *mediation_deadline => {
					self.say("the mediator is late");
					Call::timeout_mediation(*id)
				},
				_ => return Ok(()),
			},
			_ => return Ok(()),
		};
		let done = self.agent.submitter.submit_early(call, Some(snapshot)).await;
		ahead.quiet_until = match done {
			// Decided again on the chain as it is then.
			Err(error) if error.is_passing() => {
				tracing::warn!(%error, "decided again with the next block");
				snapshot.number()
			},
			done => settled(done)?.map_or(snapshot.number(), |(included, _)| included.block),
		};
		Ok(())
	}

	/// Judges a result, once, and says what to do about it.
	async fn react(
		&self,
		record: &mut JobRecord,
		snapshot: &Snapshot,
		match_id: MatchId,
		found: &Match,
		result: &PostedResult,
		deadline: Moment,
	) -> Outcome<Call> {
		// A fork may have put another result in the place of the one that was judged.
		let of = Some((match_id, result.run));
		let judgement = match record.judgement.clone().filter(|judgement| judgement.of == of) {
			Some(judgement) => judgement,
			None => {
				let judgement = match self.cheat {
					Some(CreatorCheat::RejectsGoodResults) => Judgement {
						verified: false,
						reject: Some(RejectReason::WrongResults),
						because: "this creator cheats, as it was told to".into(),
						own: None,
						of,
					},
					_ => {
						let judged =
							self.judge(record, snapshot, match_id, found, result, deadline);
						Judgement { of, ..judged.await? }
					},
				};
				self.say(format!(
					"{}: {}",
					if judgement.reject.is_some() { "rejecting" } else { "accepting" },
					judgement.because
				));
				record.judgement = Some(judgement.clone());
				self.save(record, record.stage.clone()).await?;
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
		self.say(format!("{} in {}", files(record.outputs.len()), record.plan.out.display()));
		self.save(record, record.stage.clone()).await
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
