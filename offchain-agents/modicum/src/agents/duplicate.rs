// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Verification by others: the same job is offered again, and its creator itself matches it with a provider that has
//! not run it yet (docs/jobs.md). For creators that cannot run their jobs themselves.
//!
//! As with runs of one's own, a result is rejected only if two others agree against it: one against one says nothing
//! about who is wrong, and a rejection of what is right costs the deposit.

use crate::{
	agents::{
		clock::millis,
		creator::Driver,
		jobs::{JobRecord, Judgement, Plan, Stage},
		solver::read_book,
		time_left,
		verify::{verdict_terms, RESERVE},
	},
	commands::chain::time_of,
	config::{Verification, VerifyBy},
	failure::{Exit, Failure, Outcome},
};
use futures::future::BoxFuture;
use modicum_chain_client::{AccountId, BestItem, Call, Match, PostedResult, Snapshot};
use modicum_primitives::{
	derive_verdict, match_value, Balance, Evidence, JobOfferId, JobTerms, MatchId, Moment,
	RejectReason, ResourceOfferId, ResultStatus, Run, Verdict, VerdictTerms,
};
use modicum_solver::{JobOffer, OrderBook};
use rand::{seq::IteratorRandom, Rng};
use serde::{Deserialize, Serialize};
use std::{
	collections::{BTreeMap, BTreeSet},
	time::{Duration, Instant},
};

/// So many other providers' results decide.
const ENOUGH: usize = 2;
/// So often the job is offered for that: some providers fail.
const MOST: usize = 4;
/// For so long an offer of another provider is waited for, but for no more than half the time: the rest is for its run.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// An older block is not decided on: it shows neither the offers of now nor their numbers.
const VIEW_AGE: Duration = Duration::from_secs(5);
/// What a provider has besides the time that it declares for the longest run: to be matched, to transfer and to post.
const ALLOWANCE: Duration = Duration::from_secs(60);
/// Between two looks for their results, and at first between two looks for their offers and between attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// What that grows to.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// How often a job may be offered again to verify its result.
pub fn most(plan: &Plan) -> usize {
	let never = plan.verify == Verification::Probability(0.0);
	if never || plan.verify_by != VerifyBy::Duplicate {
		return 0;
	}
	MOST
}

/// A provider's result, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
	/// Whose.
	pub provider: AccountId,
	/// The match.
	pub match_id: MatchId,
	/// What it posted.
	pub run: Run,
}

/// What a job verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateOf {
	/// The job.
	pub job: u64,
	/// When its result is judged at the latest, milliseconds since the Unix epoch.
	pub until: Moment,
}

/// Whether a result of this status says anything about the job.
fn tells(status: ResultStatus) -> bool {
	use ResultStatus::{Declined, DirectoryUnavailable, JobNotFound};
	!matches!(status, Declined | DirectoryUnavailable | JobNotFound)
}

/// Whether a duplicate's result may still come.
fn is_awaited(duplicate: &JobRecord) -> bool {
	duplicate.answer.is_none() && duplicate.judgement.is_none() && !duplicate.stage.is_over()
}

impl Driver {
	/// The driver of another job of the same creator.
	fn of(&self, number: u64) -> Self {
		Self {
			agent: self.agent.clone(),
			jobs: self.jobs.clone(),
			number,
			runner: None,
			tell: self.tell.clone(),
			cheat: None,
		}
	}

	/// A job, or the one that it verifies, with all jobs that verify that one.
	fn family(&self, record: &JobRecord) -> Outcome<(JobRecord, Vec<JobRecord>)> {
		let original = match record.duplicate_of {
			Some(original) => self.jobs.get(original.job)?,
			None => record.clone(),
		};
		let duplicates = original.duplicates.iter().map(|number| self.jobs.get(*number));
		let duplicates = duplicates.collect::<Outcome<_>>()?;
		Ok((original, duplicates))
	}

	/// Judges a result by those of other providers, which are asked for one after the other if this is the original.
	///
	/// # Errors
	/// The store cannot be read or written.
	pub(super) async fn compare(
		&self,
		record: &mut JobRecord,
		found: &Match,
		match_id: MatchId,
		result: &PostedResult,
		deadline: Moment,
	) -> Outcome<Judgement> {
		let terms = verdict_terms(found);
		if !tells(result.run.status) {
			return Ok(Judgement::unverified("it was not run, so there is nothing to compare"));
		}
		record.answer = Some(Answer { provider: found.provider, match_id, run: result.run });
		// What was made of a result that a fork took back.
		record.judgement = None;
		self.save(record, record.stage.clone()).await?;
		let is_original = record.duplicate_of.is_none();
		for number in &record.duplicates {
			tokio::spawn(see_through(self.of(*number)));
		}
		// A provider that is not twice as fast as the last one would come too late.
		let mut asked: Option<Instant> = None;
		loop {
			let (original, duplicates) = self.family(record)?;
			let answers =
				duplicates.iter().chain([&original]).filter_map(|job| job.answer.as_ref());
			let others: BTreeMap<AccountId, Run> = answers
				.filter(|answer| answer.provider != found.provider && tells(answer.run.status))
				.map(|answer| (answer.provider, answer.run))
				.collect();
			let others: Vec<Run> = others.into_values().collect();
			if let Some(judgement) = by_others(&result.run, &others, &terms) {
				return Ok(judgement);
			}
			let left = time_left(deadline, RESERVE);
			let is_any_awaited = duplicates.iter().any(is_awaited);
			// Whoever was taken back found no other provider, or its owner does not want one.
			let may_ask = duplicates.len() < MOST
				&& !duplicates.iter().any(|job| matches!(job.stage, Stage::Withdrawn { .. }))
				&& asked.is_none_or(|asked| asked.elapsed() / 2 < left);
			let may_come = is_any_awaited
				|| match record.duplicate_of {
					None => may_ask,
					Some(_) => original.judgement.is_none(),
				};
			if left.is_zero() || !may_come {
				return Ok(Judgement::unverified(match others.is_empty() {
					true => "not verified: no other provider ran the job in time",
					false => {
						"not verified: another provider's result differs, and no third one ran the job in time"
					},
				}));
			}
			if is_original && !is_any_awaited {
				self.order(record, deadline).await?;
				asked = Some(Instant::now());
			}
			tokio::time::sleep(PAUSE).await;
		}
	}

	/// Adds a duplicate and has it driven like any other job.
	async fn order(&self, record: &mut JobRecord, deadline: Moment) -> Outcome<()> {
		let verify = Verification::Probability(1.0);
		let plan = Plan { verify, retries: 0, ..record.plan.clone() };
		let until = deadline.saturating_sub(millis(RESERVE));
		let duplicate = JobRecord {
			duplicate_of: Some(DuplicateOf { job: self.number, until }),
			..JobRecord::new(record.package.clone(), plan)
		};
		let number = self.jobs.add(|_| duplicate).await?;
		record.duplicates.push(number);
		self.save(record, record.stage.clone()).await?;
		let until = time_of(until);
		self.say(format!(
			"to verify it, another provider is to run it as job {number}, until {until}"
		));
		tokio::spawn(see_through(self.of(number)));
		Ok(())
	}

	/// Why this duplicate of `original` is not needed, if so.
	///
	/// # Errors
	/// The store cannot be read.
	pub(super) fn unneeded(&self, original: u64) -> Outcome<Option<String>> {
		let record = self.jobs.get(original)?;
		let is_needed = record.judgement.is_none() && record.duplicates.contains(&self.number);
		Ok((!is_needed).then(|| format!("no longer needed to verify job {original}")))
	}

	/// Waits until the offer of a provider fits that has not run the job yet; a call that posts a duplicate's offer and
	/// matches it in the same breath, so that no solver can match it with one that has; and the block that it was
	/// decided on. Or why it is to be withdrawn. The provider has as long as it needs, whatever the `terms` say.
	///
	/// # Errors
	/// The chain or the store cannot be read.
	pub(super) async fn matched_offer(
		&self,
		record: &JobRecord,
		of: DuplicateOf,
		mut terms: JobTerms<AccountId>,
		uri: &str,
	) -> Outcome<Result<(Call, Snapshot), String>> {
		let (original, duplicates) = self.family(record)?;
		let asked: BTreeSet<_> = duplicates
			.iter()
			.chain([&original])
			.flat_map(|job| {
				let answered = job.answer.as_ref().map(|answer| answer.provider);
				let closed = job.failed.iter().filter_map(|closed| closed.provider);
				answered.into_iter().chain(job.stage.provider()).chain(closed)
			})
			.collect();
		let extra = record.plan.extra_deposit;
		let patience = PATIENCE.min(time_left(of.until, Duration::ZERO) / 2);
		let until = super::now().saturating_add(millis(patience));
		let (mut is_told, mut pause) = (false, PAUSE);
		let mut best = self.agent.chain.best_blocks();
		loop {
			let (BestItem::Turn(snapshot) | BestItem::Block { snapshot, .. }) = best.next().await?;
			if let Some(because) = self.unwanted(&self.jobs.get(self.number)?)? {
				return Ok(Err(because));
			}
			let now = super::now();
			if now >= until {
				return Ok(Err("no other provider's offer fitted in time".into()));
			}
			if snapshot.now().await?.saturating_add(millis(VIEW_AGE)) < now {
				continue;
			}
			let mut book = read_book(&snapshot).await?;
			let number = snapshot.next_job_offer().await?;
			let held = snapshot.job_offer_deposit(terms.clone(), extra).await?.unwrap_or_default();
			terms.completion_deadline = Moment::MAX;
			let offer = JobOffer { creator: self.agent.account, terms: terms.clone(), held };
			book.insert_job_offer(number, offer).map_err(Failure::internal)?;
			let chosen = choose(&book, number, &asked, now, &mut rand::rng());
			if let Some((resource_offer, mediator)) = chosen {
				let time = time_for(&book, resource_offer, &terms);
				terms.completion_deadline = now.saturating_add(time);
				let with = (resource_offer, mediator);
				let call = Call::post_matched_job_offer(terms, uri, extra, number, with);
				return Ok(Ok((call, snapshot)));
			}
			if !is_told {
				let until = time_of(until);
				self.say(format!("no other provider's offer fits: waiting for one, until {until}"));
				is_told = true;
			}
			// The whole market was read: in a large one that is not done with every block.
			tokio::time::sleep(pause).await;
			pause = (pause * 2).min(LONGEST_PAUSE);
		}
	}

	/// Sees to it that the jobs that have verified this one are settled as well.
	pub(super) async fn finish_duplicates(&self, record: &JobRecord) {
		let is_over = |number: &u64| self.jobs.get(*number).is_ok_and(|job| job.stage.is_over());
		if !record.duplicates.iter().all(is_over) {
			self.say("waiting until the jobs that were to verify it are settled as well");
		}
		let finishing = record.duplicates.iter().map(|number| async move {
			if let Err(failure) = see_through(self.of(*number)).await {
				self.say(format!(
					"job {number}, which was to verify it, is not over: {failure}; `modicum job wait {number}` goes on"
				));
			}
		});
		futures::future::join_all(finishing).await;
	}
}

/// Drives a duplicate to its end. As long as it is needed, what fails is tried again. By the name of its type, since
/// the driver of a job drives its duplicates by the same code.
fn see_through(driver: Driver) -> BoxFuture<'static, Outcome<()>> {
	Box::pin(async move {
		let mut pause = PAUSE;
		loop {
			let record = driver.jobs.get(driver.number)?;
			let is_needed = driver.unwanted(&record)?.is_none();
			match driver.drive().await {
				Ok(_) => return Ok(()),
				// Somebody else drives it: this process, or `modicum creator run`.
				Err(failure) if failure.exit == Exit::Usage => pause = PAUSE,
				Err(failure) if !is_needed => return Err(failure),
				Err(failure) => driver.say(format!("tried again: {failure}")),
			}
			tokio::time::sleep(pause).await;
			pause = (pause * 2).min(LONGEST_PAUSE);
		}
	})
}

/// A resource offer and a mediator with whom a job offer can be matched: of a provider that is drawn from those who
/// were not asked yet, so that none can count on being the one who confirms, the cheapest.
fn choose(
	book: &OrderBook<AccountId>,
	job_offer: JobOfferId,
	asked: &BTreeSet<AccountId>,
	now: Moment,
	random: &mut impl Rng,
) -> Option<(ResourceOfferId, AccountId)> {
	let job = book.job_offers().get(&job_offer)?;
	let mut cheapest: BTreeMap<AccountId, (Balance, ResourceOfferId, AccountId)> = BTreeMap::new();
	for (id, offer) in book.resource_offers() {
		if asked.contains(&offer.provider) {
			continue;
		}
		for mediator in book.creator(&job.creator).unwrap_or_default() {
			let broken = book.broken_rules(job_offer, *id, mediator, now);
			if broken.is_none_or(|rules| !rules.is_empty()) {
				continue;
			}
			let value = match_value(&job.terms.limits, offer.terms.prices).unwrap_or(Balance::MAX);
			let fee = book.mediator(mediator).map_or(0, |mediator| mediator.availability_fee);
			let this = (value.saturating_add(fee), *id, *mediator);
			cheapest
				.entry(offer.provider)
				.and_modify(|best| *best = (*best).min(this))
				.or_insert(this);
		}
	}
	let (_, resource_offer, mediator) = cheapest.into_values().choose(random)?;
	Some((resource_offer, mediator))
}

/// How long the provider of a resource offer may take, milliseconds: its own figure for a run up to the job's limits,
/// and [`ALLOWANCE`].
fn time_for(
	book: &OrderBook<AccountId>,
	resource_offer: ResourceOfferId,
	terms: &JobTerms<AccountId>,
) -> Moment {
	let offer = book.resource_offers().get(&resource_offer);
	let provider = offer.and_then(|offer| book.provider(&offer.provider));
	let speed = provider.map_or(0, |provider| provider.time_per_billion_instructions);
	let run = u128::from(speed) * u128::from(terms.limits.instructions) / 1_000_000_000;
	Moment::try_from(run).unwrap_or(Moment::MAX).saturating_add(millis(ALLOWANCE))
}

/// What other providers' results say of one; `None` if they do not say it yet.
fn by_others(result: &Run, others: &[Run], terms: &VerdictTerms) -> Option<Judgement> {
	let verified = |reject, because: &str| {
		let because = because.into();
		Some(Judgement { verified: true, reject, because, own: None, of: None })
	};
	if others.iter().any(|other| against(result, &[*other], terms).is_none()) {
		return verified(None, "verified: another provider's result is the same");
	}
	let mut pairs = others
		.iter()
		.enumerate()
		.flat_map(|(k, one)| others[k + 1..].iter().map(move |other| [*one, *other]));
	if let Some(reason) = pairs.find_map(|pair| against(result, &pair, terms)) {
		return verified(Some(reason), "two other providers agree against it");
	}
	if others.len() < ENOUGH {
		return None;
	}
	verified(
		None,
		"every provider gives another result: the job is not deterministic (`modicum job lint`), \
		 and rejecting one would cost the deposit",
	)
}

/// Why a result would be rejected if a mediator's runs gave this; `None` if it would not.
fn against(result: &Run, runs: &[Run], terms: &VerdictTerms) -> Option<RejectReason> {
	match derive_verdict(result, &Evidence::Runs(runs.to_vec()), terms) {
		Verdict::WrongResults => Some(RejectReason::WrongResults),
		Verdict::InvalidResultStatus => Some(RejectReason::InvalidResultStatus),
		Verdict::TooMuchCost => Some(RejectReason::TooMuchCost),
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use modicum_primitives::{
		Architecture, Meter, Parameters, Prices, ResourceTerms, Resources, Usage,
	};
	use modicum_solver::{Mediator, Provider, ResourceOffer};
	use rand::{rngs::StdRng, SeedableRng};

	const CREATOR: AccountId = AccountId([1; 32]);
	const MEDIATOR: AccountId = AccountId([2; 32]);
	const DIRECTORY: AccountId = AccountId([3; 32]);
	const BASE: [u8; 32] = [4; 32];

	fn run(output: u8) -> Run {
		let usage = Usage { instructions: 0, bandwidth: 10 };
		Run { status: ResultStatus::Completed, result_hash: [output; 32], usage }
	}

	#[test]
	fn a_result_is_rejected_only_if_two_agree_against_it() {
		let terms =
			VerdictTerms { instruction_limit: 10, meter: Meter::CpuTime, cost_tolerance: 0 };
		let says = |others: &[Run]| by_others(&run(1), others, &terms).map(|j| j.reject);
		assert_eq!(says(&[]), None);
		assert_eq!(says(&[run(2)]), None, "one against one says nothing");
		assert_eq!(says(&[run(1)]), Some(None));
		assert_eq!(says(&[run(2), run(1)]), Some(None));
		assert_eq!(says(&[run(2), run(2), run(1)]), Some(None));
		assert_eq!(says(&[run(2), run(3)]), Some(None), "not deterministic");
		assert_eq!(says(&[run(2), run(2)]), Some(Some(RejectReason::WrongResults)));
		assert_eq!(says(&[run(2), run(3), run(2)]), Some(Some(RejectReason::WrongResults)));
		let failed =
			Run { status: ResultStatus::ExceptionOccurred, result_hash: [0; 32], ..run(1) };
		assert_eq!(says(&[failed, failed]), Some(Some(RejectReason::InvalidResultStatus)));
		let cheap = Run { usage: Usage { instructions: 0, bandwidth: 5 }, ..run(1) };
		assert_eq!(says(&[cheap]), None);
		assert_eq!(says(&[cheap, cheap]), Some(Some(RejectReason::TooMuchCost)));
	}

	#[test]
	fn who_could_not_run_the_job_says_nothing_about_it() {
		assert!(tells(ResultStatus::Completed) && tells(ResultStatus::ExceptionOccurred));
		assert!(!tells(ResultStatus::Declined) && !tells(ResultStatus::JobNotFound));
	}

	/// A job offer numbered 9, and resource offers of these providers at these prices.
	fn book(offers: &[(u8, Balance)]) -> OrderBook<AccountId> {
		let mut book = OrderBook::new(Parameters::default(), 100);
		let limits = Resources { instructions: 1_000_000_000, ram: 1, storage: 1, bandwidth: 1 };
		let free = Prices { instruction: 1_000, bandwidth: 0 };
		book.set_creator(&CREATOR, Some(vec![MEDIATOR])).unwrap();
		book.set_directory(&DIRECTORY, Some(0)).unwrap();
		let mediator = Mediator {
			architecture: Architecture::Amd64,
			availability_fee: 0,
			trusted_directories: vec![DIRECTORY],
			base_layers: vec![BASE],
		};
		book.set_mediator(&MEDIATOR, Some(mediator)).unwrap();
		let terms = JobTerms {
			directory: DIRECTORY,
			job_hash: [0; 32],
			base_layer: BASE,
			architecture: Architecture::Amd64,
			limits,
			max_prices: free,
			max_availability_fee: 0,
			completion_deadline: 1_000,
			match_incentive: Balance::MAX / 4,
			meter: Meter::CpuTime,
		};
		let held = Balance::MAX / 2;
		book.insert_job_offer(9, JobOffer { creator: CREATOR, terms, held }).unwrap();
		for (id, (who, price)) in offers.iter().enumerate() {
			let provider = AccountId([*who; 32]);
			let profile = Provider {
				architecture: Architecture::Amd64,
				time_per_billion_instructions: 1,
				trusted_mediators: vec![MEDIATOR],
				trusted_directories: vec![DIRECTORY],
				base_layers: vec![BASE],
			};
			book.set_provider(&provider, Some(profile)).unwrap();
			let terms = ResourceTerms {
				caps: limits,
				prices: Prices { instruction: *price, bandwidth: 0 },
				max_availability_fee: 0,
				match_incentive: Balance::MAX / 4,
				meter: Meter::CpuTime,
				expires_at: None,
			};
			book.insert_resource_offer(id as u64, ResourceOffer { provider, terms, held }).unwrap();
		}
		book
	}

	#[test]
	fn whoever_has_not_run_the_job_may_be_drawn() {
		let book = book(&[(5, 1), (6, 300), (6, 200), (7, 100), (8, 2_000)]);
		let asked = BTreeSet::from([AccountId([5; 32])]);
		let mut random = StdRng::seed_from_u64(7);
		let mut draw = |asked| choose(&book, 9, asked, 0, &mut random);
		let drawn: BTreeSet<_> = (0..100).map(|_| draw(&asked).unwrap()).collect();
		// The cheaper offer of the two; the last provider asks for more than the job may cost.
		assert_eq!(drawn, BTreeSet::from([(2, MEDIATOR), (3, MEDIATOR)]));
		// A millisecond for the run.
		let terms = &book.job_offers()[&9].terms;
		assert_eq!(time_for(&book, 2, terms), 1 + millis(ALLOWANCE));
		let all = (5..9).map(|who| AccountId([who; 32])).collect();
		assert_eq!(draw(&all), None);
	}

	#[test]
	fn what_verification_may_add_is_known_before() {
		let plan = |verify, verify_by| Plan {
			directory: DIRECTORY,
			max_prices: Prices { instruction: 0, bandwidth: 0 },
			max_availability_fee: 0,
			match_incentive: 0,
			extra_deposit: 0,
			time_limit: 0,
			verify,
			verify_by,
			determinism: 1.0,
			check_command: Vec::new(),
			out: "out".into(),
			retries: 0,
		};
		assert_eq!(most(&plan(Verification::Auto, VerifyBy::Duplicate)), MOST);
		assert_eq!(most(&plan(Verification::Probability(0.0), VerifyBy::Duplicate)), 0);
		assert_eq!(most(&plan(Verification::Auto, VerifyBy::ReExecution)), 0);
	}
}
