// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The resource provider: offers what the machine has, runs what is matched, and takes what it is owed.

use crate::{
	agents::{
		assigned::{log_risk, run_id, Assigned},
		calls::done,
		cheat::ProviderCheat,
		clock::millis,
		errands::Errands,
		follow::{Conclusion, View},
		risk::Stakes,
		runner::{Assignment, Runner},
		store::key,
		Agent, Errand, Role,
	},
	amount::Amount,
	commands::chain::time_of,
	config::ProviderSection,
	failure::{Exit, Failure, Outcome},
};
use futures::future::try_join_all;
use modicum_chain_client::{AccountId, Call, Event, Match, OfferState, Phase, Snapshot, H256};
use modicum_primitives::{
	Balance, Ending, Hash, MatchId, Moment, ResourceOfferId, ResourceTerms, Verdict,
};
use serde::{Deserialize, Serialize};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// The store's entries of closed matches.
pub const CLOSED: &str = "closed";

/// A closed match, as the provider remembers it. Amounts are base units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedMatch {
	/// How it ended.
	pub ending: Ending,
	/// The job creator.
	pub creator: AccountId,
	/// What the creator paid for the run.
	pub earned: Balance,
	/// What went to mediator and directory.
	pub fees: Balance,
	/// What was lost to the creator and in fines.
	pub lost: Balance,
	/// When, milliseconds since the Unix epoch, at the latest.
	pub at: Moment,
}

struct Provider {
	agent: Agent,
	settings: ProviderSection,
	runner: Arc<Runner>,
	cheat: Option<ProviderCheat>,
	/// Own open offers; `None` if they must be read anew.
	offers: Option<BTreeMap<ResourceOfferId, ResourceTerms>>,
	closed: BTreeSet<MatchId>,
	/// Errands to no longer trust somebody.
	to_distrust: BTreeSet<Errand>,
	/// As of a block: for how many more offers there is money.
	affordable: Option<(H256, usize)>,
	/// Whether the account is a resource provider; `None` if that must be read anew.
	is_registered: Option<bool>,
	/// Whether it was said that the agent is about to end.
	is_leaving: bool,
}

/// Runs the provider until `shutdown`.
///
/// # Errors
/// What keeps it from starting, or from going on.
pub async fn run(
	agent: Agent,
	settings: ProviderSection,
	runner: Runner,
	cheat: Option<ProviderCheat>,
	shutdown: CancellationToken,
) -> Outcome<()> {
	let account = agent.account;
	let snapshot = agent.chain.snapshot().await?;
	let registered = snapshot.resource_provider(account).await?.ok_or_else(|| {
		Failure::not_found(format!(
			"{account} is not registered as a resource provider: run `modicum provider register` first"
		))
	})?;
	for (list, is_empty) in [
		("mediator", registered.trusted_mediators.is_empty()),
		("directory", registered.trusted_directories.is_empty()),
	] {
		if is_empty {
			tracing::warn!(
				"no {list} is trusted, so nothing can be matched: modicum provider trust add"
			);
		}
	}
	if registered.base_layers.is_empty() {
		tracing::warn!(
			"no base layer is declared, so nothing can be matched: modicum provider base-layer add"
		);
	}
	let runs = |id, _: &Match, job_hash: &Hash| vec![run_id(id, job_hash)];
	let follower = super::begin(&agent, &runner, |parties| parties.provider, runs).await?;
	let mut provider = Provider {
		agent: agent.clone(),
		settings,
		runner: Arc::new(runner),
		cheat,
		offers: None,
		closed: BTreeSet::new(),
		to_distrust: BTreeSet::new(),
		affordable: None,
		is_registered: None,
		is_leaving: false,
	};
	super::drive(&agent, &mut provider, follower, shutdown).await
}

impl Provider {
	/// What is to be remembered of an event.
	fn closed_match(&self, event: &Event, at: Moment) -> Option<(MatchId, ClosedMatch)> {
		let Event::MatchClosed { match_id, creator, provider, ending, settlement, .. } = event
		else {
			return None;
		};
		if *provider != self.agent.account {
			return None;
		}
		let payout = settlement.from_provider;
		let closed = ClosedMatch {
			ending: *ending,
			creator: *creator,
			earned: settlement.from_creator.to_counterparty,
			fees: payout.to_mediator.saturating_add(payout.to_directory),
			lost: payout.to_counterparty.saturating_add(payout.to_fines),
			at,
		};
		Some((*match_id, closed))
	}

	/// What follows from the end of an own match.
	fn take_closed(&mut self, match_id: MatchId, closed: &ClosedMatch, event: &Event) {
		let Event::MatchClosed { mediator, directory, ending, .. } = event else { return };
		tracing::info!(match_id, %ending, earned = closed.earned, lost = closed.lost, "closed");
		self.agent.health.closed(ending, closed.earned);
		self.closed.insert(match_id);
		// This provider knows that it did as it should; so who finds it at fault is not to be trusted again.
		let verdict_is_false = matches!(
			ending,
			Ending::Mediated(
				Verdict::WrongResults | Verdict::InvalidResultStatus | Verdict::ResultNotFound
			)
		);
		if verdict_is_false && self.cheat.is_none() {
			self.to_distrust.insert(Errand::Distrust(*mediator));
		}
		// It was uploaded, or the result would not have been posted.
		let is_lost = *ending == Ending::Mediated(Verdict::ResultNotFound);
		if is_lost && self.cheat.is_none() {
			self.to_distrust.insert(Errand::DistrustDirectory(*directory));
		}
	}

	async fn read_offers(&mut self, snapshot: &Snapshot) -> Outcome<()> {
		let offers = snapshot.resource_offers().await?.into_iter();
		let mine = offers.filter(|(_, offer)| {
			offer.provider == self.agent.account && offer.state == OfferState::Open
		});
		self.offers = Some(mine.map(|(id, offer)| (id, offer.terms)).collect());
		Ok(())
	}

	fn terms(&self, now: Moment) -> ResourceTerms {
		let settings = &self.settings;
		ResourceTerms {
			caps: settings.caps(),
			prices: settings.prices(),
			max_availability_fee: settings.max_availability_fee.0,
			match_incentive: settings.match_incentive.0,
			meter: settings.meter,
			expires_at: Some(now.saturating_add(millis(settings.offer_life.0))),
		}
	}

	/// Starts a match's job.
	fn run(&self, view: &View, id: MatchId, found: &Match, errands: &mut Errands<Errand>) {
		let stakes = Stakes {
			value: found.value,
			fees: found.mediator_fee.saturating_add(found.directory_fee),
			incentive: self.settings.match_incentive.0,
			extra_deposit: self.settings.extra_deposit.0,
		};
		let (agent, runner) = (self.agent.clone(), self.runner.clone());
		let (reserve, cheat) = (self.settings.reserve.0, self.cheat);
		let (record, snapshot) = (found.clone(), view.snapshot.clone());
		errands.start(Errand::Run(id), async move {
			let assignment = Assignment::read(&snapshot, record.job_offer).await?;
			log_risk(&snapshot, id, &record, stakes).await?;
			Assigned { agent, runner, reserve, cheat, id, record, assignment }.run().await
		});
	}

	/// Keeps as many offers open as there is room for jobs. A job that has been run needs no room any more. While no
	/// job can be run, none is offered room.
	async fn offer(
		&mut self,
		view: &View,
		running: u32,
		can_run: bool,
		errands: &mut Errands<Errand>,
	) -> Outcome<()> {
		let Some(offers) = &self.offers else { return Ok(()) };
		if !can_run {
			offers.keys().for_each(|id| self.withdraw(view, *id, errands));
			return Ok(());
		}
		// Not by the view's time: the first view may be an old one.
		let wanted = self.terms(super::now());
		let mut open = 0;
		for (id, terms) in offers {
			if terms.expires_at.is_some_and(|end| end < view.now) {
				continue;
			}
			if (ResourceTerms { expires_at: None, ..*terms })
				!= (ResourceTerms { expires_at: None, ..wanted })
			{
				// The settings have changed since.
				self.withdraw(view, *id, errands);
			}
			open += 1;
		}
		let slots = (0..self.settings.jobs_at_once).map(Errand::Offer);
		let (under_way, free): (Vec<_>, Vec<_>) =
			slots.partition(|slot| errands.is_under_way(slot));
		let room = self.settings.jobs_at_once.saturating_sub(running + open);
		let missing = (room as usize).saturating_sub(under_way.len());
		if missing == 0 {
			return Ok(());
		}
		let affordable = self.affordable(view, wanted).await?.saturating_sub(under_way.len());
		for slot in free.into_iter().take(missing.min(affordable)) {
			let call = Call::post_resource_offer(wanted, self.settings.extra_deposit.0);
			self.call_at(view, slot, call, errands);
		}
		Ok(())
	}

	/// How many offers of these terms the account can still put down a deposit for. The chain would refuse more, and
	/// be paid for it each time.
	async fn affordable(&mut self, view: &View, wanted: ResourceTerms) -> Outcome<usize> {
		let snapshot = &view.snapshot;
		if let Some((_, affordable)) = self.affordable.filter(|(at, _)| *at == snapshot.hash()) {
			return Ok(affordable);
		}
		let was_poor = self.affordable.is_some_and(|(_, affordable)| affordable == 0);
		let extra = self.settings.extra_deposit.0;
		let Some(deposit) = snapshot.resource_offer_deposit(wanted, extra).await? else {
			let message =
				"the deposit for these caps and prices is more than there can be: lower them";
			return Err(Failure::new(Exit::Config, message));
		};
		let money = snapshot.account(&self.agent.account).await?;
		let free = money.free.saturating_sub(snapshot.existential_deposit()?);
		let affordable = usize::try_from(free / deposit.max(1)).unwrap_or(usize::MAX);
		if affordable == 0 && !was_poor {
			let (deposit, free) = (Amount(deposit), Amount(free));
			tracing::warn!(
				"an offer needs {deposit} on hold and {free} are free: get more, or lower what an offer promises \
				 (provider.instructions, provider.bandwidth, the prices) or jobs_at_once"
			);
		}
		self.affordable = Some((snapshot.hash(), affordable));
		Ok(affordable)
	}

	fn withdraw(&self, view: &View, id: ResourceOfferId, errands: &mut Errands<Errand>) {
		self.call_at(view, Errand::Withdraw(id), Call::cancel_resource_offer(id), errands);
	}

	/// Submits what was decided on a view, as an errand.
	fn call_at(&self, view: &View, errand: Errand, call: Call, errands: &mut Errands<Errand>) {
		let (submitter, at) = (self.agent.submitter.clone(), view.snapshot.clone());
		errands.start(errand, async move {
			let outcome = submitter.submit_early(call, Some(&at)).await;
			if let Ok((included, _)) = &outcome {
				tracing::info!(block = included.block, "done: {errand}");
			}
			done(outcome)
		});
	}
}

#[async_trait::async_trait]
impl Role for Provider {
	fn take(&mut self, view: &View) -> Outcome<()> {
		if view.is_fresh_start {
			self.offers = None;
			self.is_registered = None;
		}
		for event in &view.events {
			match event {
				Event::ResourceProviderRegistered { provider, .. }
				| Event::ResourceProviderDeregistered { provider }
					if *provider == self.agent.account =>
				{
					self.is_registered = None;
				},
				_ => {},
			}
			let Some(offers) = &mut self.offers else { continue };
			match event {
				Event::ResourceOfferPosted { resource_offer, provider, terms, .. }
					if *provider == self.agent.account =>
				{
					offers.insert(*resource_offer, *terms);
				},
				Event::ResourceOfferCanceled { resource_offer, .. }
				| Event::ResourceOfferExpired { resource_offer, .. }
				| Event::Matched { resource_offer, .. } => {
					offers.remove(resource_offer);
				},
				_ => {},
			}
		}
		Ok(())
	}

	async fn conclude(&mut self, conclusion: &Conclusion) -> Outcome<()> {
		let closed: Vec<_> = (conclusion.events.iter())
			.filter_map(|event| Some((self.closed_match(event, conclusion.now)?, event)))
			.collect();
		let store = &self.agent.store;
		let writing = closed
			.iter()
			.map(|((id, closed), _)| async move { store.put(&key(CLOSED, *id), closed).await });
		try_join_all(writing).await?;
		for ((id, closed), event) in closed {
			self.take_closed(id, &closed, event);
		}
		Ok(())
	}

	async fn act(&mut self, view: &View, errands: &mut Errands<Errand>) -> Outcome<()> {
		if self.offers.is_none() {
			self.read_offers(&view.snapshot).await?;
		}
		let mut running = 0;
		for (&id, found) in view.matches.iter() {
			match &found.phase {
				Phase::Running => {
					running += 1;
					if view.now <= found.completion_deadline
						&& !errands.is_under_way(&Errand::Run(id))
					{
						self.run(view, id, found, errands);
					}
				},
				Phase::ResultPosted { reaction_deadline, .. } if view.now > *reaction_deadline => {
					self.call_at(view, Errand::Accept(id), Call::accept_result(id), errands);
				},
				Phase::Mediating { mediation_deadline, .. } if view.now > *mediation_deadline => {
					let call = Call::timeout_mediation(id);
					self.call_at(view, Errand::TimeoutMediation(id), call, errands);
				},
				Phase::ResultPosted { .. } | Phase::Mediating { .. } => {},
			}
		}
		for id in std::mem::take(&mut self.closed) {
			let runner = self.runner.clone();
			errands.start(Errand::CleanUp(id), async move {
				runner.clean_up(id).await?;
				Ok(None)
			});
		}
		for errand in std::mem::take(&mut self.to_distrust) {
			let (who, call): (_, fn(AccountId) -> Call) = match errand {
				Errand::Distrust(who) => (who, Call::resource_provider_remove_trusted_mediator),
				Errand::DistrustDirectory(who) => {
					(who, Call::resource_provider_remove_trusted_directory)
				},
				_ => continue,
			};
			let submitter = self.agent.submitter.clone();
			errands.start(errand, async move {
				tracing::warn!(%who, "the verdict is false; no longer trusted");
				let (included, finality) = submitter.submit_early(call(who), None).await?;
				Ok(Some((included.block, finality)))
			});
		}
		let account = self.agent.account;
		if self.is_registered.is_none() {
			let found = view.snapshot.resource_provider(account).await?;
			self.is_registered = Some(found.is_some());
		}
		if self.is_registered == Some(false) {
			return Err(super::unregistered(account, "resource provider", "provider"));
		}
		let ready = self.runner.ready(view.snapshot.number()).await;
		self.offer(view, running, ready.is_ok(), errands).await?;
		ready
	}

	/// Takes open offers back, those included that are being posted: nobody would run what is matched from now on.
	async fn wind_up(&mut self, view: &View, errands: &mut Errands<Errand>) -> Outcome<bool> {
		if self.settings.keep_offers {
			return Ok(true);
		}
		if self.offers.is_none() {
			self.read_offers(&view.snapshot).await?;
		}
		let Some(offers) = &self.offers else { return Ok(false) };
		let slots = 0..self.settings.jobs_at_once;
		let is_posting = slots.clone().any(|slot| errands.is_under_way(&Errand::Offer(slot)));
		if offers.is_empty() && !is_posting {
			return Ok(true);
		}
		if !std::mem::replace(&mut self.is_leaving, true) {
			let count = offers.len();
			tracing::warn!(
				"before it ends, {count} open offers are taken back; asked again, it ends at once"
			);
		}
		offers.keys().for_each(|id| self.withdraw(view, *id, errands));
		Ok(false)
	}

	fn leave(&self, view: &View) {
		for (id, found) in view.matches.iter() {
			if found.phase == Phase::Running {
				let until = time_of(found.completion_deadline);
				tracing::warn!(
					"match {id} waits for its result: start the provider again before {until}"
				);
			}
		}
		let left: Vec<_> = self.offers.iter().flatten().map(|(id, _)| id.to_string()).collect();
		if left.is_empty() {
			tracing::info!("no offer is open");
		} else {
			let left = left.join(", ");
			tracing::warn!(
				"these offers stay open, and what is matched with them waits for this provider: {left}; `modicum \
				 offer cancel resource NUMBER` takes one back"
			);
		}
	}
}
