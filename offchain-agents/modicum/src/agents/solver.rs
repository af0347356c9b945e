// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The solver: keeps the order book and posts the matches that it finds. Losing a race costs a fee and nothing
//! else: the chain makes the other matches of the same transaction all the same.

use crate::{
	agents::{
		errands::Errands,
		follow::{Follower, View},
		Agent, Errand, Role,
	},
	config::SolverSection,
	failure::{Exit, Failure, Outcome},
};
use modicum_chain_client::{AccountId, Call, Error, Event, OfferState, Snapshot};
use modicum_primitives::{JobOfferId, ResourceOfferId};
use modicum_solver::{
	BookFull, JobOffer, Mediator, OrderBook, Proposal, Provider, ResourceOffer, MAX_ENTRIES,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio_util::sync::CancellationToken;

/// Times that matches are on their way at once: while some wait for a block with room, others are found.
const AT_ONCE: u32 = 4;

/// Offers that were taken out of the book because matches of theirs are on the way.
#[derive(Default)]
struct Posted {
	jobs: BTreeMap<JobOfferId, JobOffer<AccountId>>,
	resources: BTreeMap<ResourceOfferId, ResourceOffer<AccountId>>,
}

struct Solver {
	agent: Agent,
	settings: SolverSection,
	/// `None` until the market is read, or read anew.
	book: Option<OrderBook<AccountId>>,
	/// By the number of the errand that posts them.
	posted: BTreeMap<u32, Posted>,
	/// Accounts whose registers have changed.
	changed: BTreeSet<AccountId>,
	parameters_changed: bool,
	/// Whether anything that matters has changed since the last search.
	is_stale: bool,
}

/// Runs the solver until `shutdown`.
///
/// # Errors
/// What keeps it from starting, or from going on.
pub async fn run(
	agent: Agent,
	settings: SolverSection,
	shutdown: CancellationToken,
) -> Outcome<()> {
	let follower = Follower::start(&agent.chain, &agent.store, |_| false).await?;
	let mut solver = Solver {
		agent: agent.clone(),
		settings,
		book: None,
		posted: BTreeMap::new(),
		changed: BTreeSet::new(),
		parameters_changed: false,
		is_stale: true,
	};
	super::drive(&agent, &mut solver, follower, shutdown).await
}

fn full(error: BookFull) -> Failure {
	Failure::new(Exit::Internal, error)
}

/// The order book of the market as of a block.
///
/// # Errors
/// The chain cannot be read, or the market is larger than a book may be.
pub async fn read_book(snapshot: &Snapshot) -> Outcome<OrderBook<AccountId>> {
	let mut book = OrderBook::new(snapshot.parameters().await?, MAX_ENTRIES);
	for (who, creator) in snapshot.job_creators().await? {
		book.set_creator(&who, Some(creator.trusted_mediators)).map_err(full)?;
	}
	for (who, found) in snapshot.resource_providers().await? {
		book.set_provider(&who, Some(provider(found))).map_err(full)?;
	}
	for (who, found) in snapshot.mediators().await? {
		book.set_mediator(&who, Some(mediator(found))).map_err(full)?;
	}
	for (who, found) in snapshot.directories().await? {
		book.set_directory(&who, Some(found.availability_fee)).map_err(full)?;
	}
	for (id, offer) in snapshot.job_offers().await? {
		if offer.state == OfferState::Open {
			let offer = JobOffer { creator: offer.creator, terms: offer.terms, held: offer.held };
			book.insert_job_offer(id, offer).map_err(full)?;
		}
	}
	for (id, offer) in snapshot.resource_offers().await? {
		if offer.state == OfferState::Open {
			let offer =
				ResourceOffer { provider: offer.provider, terms: offer.terms, held: offer.held };
			book.insert_resource_offer(id, offer).map_err(full)?;
		}
	}
	Ok(book)
}

fn provider(found: modicum_chain_client::ResourceProvider) -> Provider<AccountId> {
	Provider {
		architecture: found.architecture,
		time_per_billion_instructions: found.time_per_billion_instructions,
		trusted_mediators: found.trusted_mediators,
		trusted_directories: found.trusted_directories,
		base_layers: found.base_layers,
	}
}

fn mediator(found: modicum_chain_client::Mediator) -> Mediator<AccountId> {
	Mediator {
		architecture: found.architecture,
		availability_fee: found.availability_fee,
		trusted_directories: found.trusted_directories,
		base_layers: found.base_layers,
	}
}

impl Solver {
	/// Takes one event into the book; what it does not carry whole is read again before the next search.
	fn take_event(&mut self, event: &Event) -> Outcome<()> {
		match event {
			Event::JobOfferCanceled { job_offer, .. }
			| Event::JobOfferExpired { job_offer, .. } => self.gone(Some(job_offer), None),
			Event::ResourceOfferCanceled { resource_offer, .. }
			| Event::ResourceOfferExpired { resource_offer, .. } => {
				self.gone(None, Some(resource_offer));
			},
			Event::Matched { match_id, job_offer, resource_offer, solver, value, .. } => {
				self.gone(Some(job_offer), Some(resource_offer));
				if *solver == self.agent.account {
					tracing::info!(match_id, job_offer, resource_offer, value, "matched");
				}
			},
			_ => return self.take_change(event),
		}
		self.is_stale = true;
		Ok(())
	}

	/// Takes an event that ends no offer into a book that was read.
	fn take_change(&mut self, event: &Event) -> Outcome<()> {
		let Some(book) = &mut self.book else { return Ok(()) };
		match event {
			Event::JobOfferPosted { job_offer, creator, terms, held, .. } => {
				let offer = JobOffer { creator: *creator, terms: terms.clone(), held: *held };
				book.insert_job_offer(*job_offer, offer).map_err(full)?;
			},
			Event::ResourceOfferPosted { resource_offer, provider, terms, held } => {
				let offer = ResourceOffer { provider: *provider, terms: *terms, held: *held };
				book.insert_resource_offer(*resource_offer, offer).map_err(full)?;
			},
			Event::PenaltyRateSet { .. }
			| Event::VerificationCountSet { .. }
			| Event::MinMatchIncentiveSet { .. } => self.parameters_changed = true,
			Event::JobCreatorRegistered { creator: who }
			| Event::JobCreatorDeregistered { creator: who }
			| Event::JobCreatorAddedTrustedMediator { creator: who, .. }
			| Event::JobCreatorRemovedTrustedMediator { creator: who, .. }
			| Event::ResourceProviderRegistered { provider: who, .. }
			| Event::ResourceProviderDeregistered { provider: who }
			| Event::ResourceProviderAddedTrustedMediator { provider: who, .. }
			| Event::ResourceProviderRemovedTrustedMediator { provider: who, .. }
			| Event::ResourceProviderAddedTrustedDirectory { provider: who, .. }
			| Event::ResourceProviderRemovedTrustedDirectory { provider: who, .. }
			| Event::ResourceProviderAddedSupportedBaseLayer { provider: who, .. }
			| Event::ResourceProviderRemovedSupportedBaseLayer { provider: who, .. }
			| Event::MediatorRegistered { mediator: who, .. }
			| Event::MediatorDeregistered { mediator: who }
			| Event::MediatorAddedTrustedDirectory { mediator: who, .. }
			| Event::MediatorRemovedTrustedDirectory { mediator: who, .. }
			| Event::MediatorAddedSupportedBaseLayer { mediator: who, .. }
			| Event::MediatorRemovedSupportedBaseLayer { mediator: who, .. }
			| Event::DirectoryRegistered { directory: who, .. }
			| Event::DirectoryDeregistered { directory: who } => drop(self.changed.insert(*who)),
			_ => return Ok(()),
		}
		self.is_stale = true;
		Ok(())
	}

	/// Offers that are open no more.
	fn gone(&mut self, job: Option<&JobOfferId>, resource: Option<&ResourceOfferId>) {
		for posted in self.posted.values_mut() {
			job.and_then(|id| posted.jobs.remove(id));
			resource.and_then(|id| posted.resources.remove(id));
		}
		if let Some(book) = &mut self.book {
			job.and_then(|id| book.remove_job_offer(*id));
			resource.and_then(|id| book.remove_resource_offer(*id));
		}
	}

	/// Takes the offers of these matches, which are on the way, out of the book.
	fn take_out(&mut self, errand: u32, proposals: &[Proposal<AccountId>]) {
		let Some(book) = &mut self.book else { return };
		let posted = self.posted.entry(errand).or_default();
		for Proposal { job_offer, resource_offer, .. } in proposals {
			let job = book.remove_job_offer(*job_offer);
			posted.jobs.extend(job.map(|offer| (*job_offer, offer)));
			let resource = book.remove_resource_offer(*resource_offer);
			posted.resources.extend(resource.map(|offer| (*resource_offer, offer)));
		}
	}

	/// What was on the way is seen: offers that are open all the same go back into the book.
	fn put_back(&mut self, errand: u32) -> Outcome<()> {
		let Some(posted) = self.posted.remove(&errand) else { return Ok(()) };
		let Some(book) = &mut self.book else { return Ok(()) };
		for (id, offer) in posted.jobs {
			book.insert_job_offer(id, offer).map_err(full)?;
			self.is_stale = true;
		}
		for (id, offer) in posted.resources {
			book.insert_resource_offer(id, offer).map_err(full)?;
			self.is_stale = true;
		}
		Ok(())
	}

	/// Reads what events did not carry.
	async fn refresh(&mut self, snapshot: &Snapshot) -> Outcome<()> {
		let Some(book) = &mut self.book else {
			self.book = Some(read_book(snapshot).await?);
			self.changed.clear();
			self.parameters_changed = false;
			return Ok(());
		};
		if self.parameters_changed {
			book.set_parameters(snapshot.parameters().await?);
			self.parameters_changed = false;
		}
		while let Some(who) = self.changed.first().copied() {
			let read = async {
				Ok::<_, Error>((
					snapshot.job_creator(who).await?,
					snapshot.resource_provider(who).await?,
					snapshot.mediator(who).await?,
					snapshot.directory(who).await?,
				))
			};
			let (as_creator, as_provider, as_mediator, as_directory) = read.await?;
			let trusted = as_creator.map(|creator| creator.trusted_mediators);
			book.set_creator(&who, trusted).map_err(full)?;
			book.set_provider(&who, as_provider.map(provider)).map_err(full)?;
			book.set_mediator(&who, as_mediator.map(mediator)).map_err(full)?;
			let fee = as_directory.map(|directory| directory.availability_fee);
			book.set_directory(&who, fee).map_err(full)?;
			self.changed.remove(&who);
		}
		Ok(())
	}

	/// What is worth posting.
	fn proposals(&mut self, now: u64) -> Vec<Proposal<AccountId>> {
		let Some(book) = &mut self.book else { return Vec::new() };
		let found = book.solve(now);
		let incentives = |proposal: &Proposal<AccountId>| {
			let job = book.job_offers().get(&proposal.job_offer)?.terms.match_incentive;
			let resource = book.resource_offers().get(&proposal.resource_offer)?;
			Some(job.saturating_add(resource.terms.match_incentive))
		};
		let least = self.settings.min_incentive.0;
		let worth =
			found.iter().filter(|proposal| incentives(proposal).is_some_and(|i| i >= least));
		worth.cloned().collect()
	}
}

#[async_trait::async_trait]
impl Role for Solver {
	fn take(&mut self, view: &View) -> Outcome<()> {
		if view.is_fresh_start {
			self.book = None;
			self.posted.clear();
			self.is_stale = true;
		}
		view.events.iter().try_for_each(|event| self.take_event(event))
	}

	async fn act(&mut self, view: &View, errands: &mut Errands<Errand>) -> Outcome<()> {
		let (busy, free): (Vec<_>, Vec<_>) =
			(0..AT_ONCE).partition(|errand| errands.is_under_way(&Errand::Solve(*errand)));
		// A book that is read anew must not have the offers of what is on the way.
		let Some(&errand) = free.first().filter(|_| self.book.is_some() || busy.is_empty()) else {
			return Ok(());
		};
		for errand in free {
			self.put_back(errand)?;
		}
		self.refresh(&view.snapshot).await?;
		if !self.is_stale {
			return Ok(());
		}
		let proposals = self.proposals(view.now);
		if proposals.is_empty() {
			self.is_stale = false;
			return Ok(());
		}
		tracing::debug!(matches = proposals.len(), "found");
		let (submitter, at) = (self.agent.submitter.clone(), view.snapshot.clone());
		let matches: Vec<_> = proposals
			.iter()
			.map(|found| (found.job_offer, found.resource_offer, found.mediator))
			.collect();
		let at_once = self.settings.matches_at_once as usize;
		errands.start(Errand::Solve(errand), async move {
			let batches = matches.chunks(at_once).map(|batch| {
				let call = Call::post_matches(batch.iter().copied());
				submitter.submit_early(call, Some(&at))
			});
			let (mut last, mut made) = (None, 0);
			for outcome in futures::future::join_all(batches).await {
				let (included, finality) = outcome?;
				made +=
					included.events.iter().filter(|e| matches!(e, Event::Matched { .. })).count();
				// Batches are in the order of their nonces: the last is final after the others.
				last = Some((included.block, finality));
			}
			let block = last.as_ref().map(|(block, _)| *block);
			tracing::info!(wanted = matches.len(), made, block, "matches posted");
			Ok(last)
		});
		// It does not start shortly after a failure.
		if errands.is_under_way(&Errand::Solve(errand)) {
			self.take_out(errand, &proposals);
		}
		Ok(())
	}
}
