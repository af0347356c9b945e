// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The part of the market that a directory goes by, and how events change it.

use modicum_chain_client::{AccountId, Event};
use modicum_directory::{
	access::{MatchView, OfferView, Phase},
	account::AccountId as DirectoryAccount,
	names::RepositoryName,
};
use modicum_primitives::{JobOfferId, MatchId, Moment, Resources};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A job offer, open or matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
	/// Whose.
	pub creator: DirectoryAccount,
	/// What it names as its job: a repository, if it is one.
	pub uri: String,
	/// The most output a run may leave, bytes.
	pub storage_limit: u64,
	/// The most that a run may move, bytes.
	pub bandwidth_limit: u64,
	/// Whether it waits for a match.
	pub is_open: bool,
}

impl Offer {
	pub(super) fn new(creator: AccountId, uri: String, limits: &Resources, is_open: bool) -> Self {
		let Resources { storage, bandwidth, .. } = *limits;
		let creator = DirectoryAccount(creator.0);
		Self { creator, uri, storage_limit: storage, bandwidth_limit: bandwidth, is_open }
	}
}

/// A match, open or closed not too long ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
	/// What the job offer names as its job.
	pub uri: String,
	/// The match.
	pub view: MatchView,
}

/// What the chain's state says of the market.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Market {
	pub creators: BTreeSet<AccountId>,
	pub offers: BTreeMap<JobOfferId, Offer>,
	/// Open matches; closed ones only as far as the directory has seen them.
	pub matches: BTreeMap<MatchId, Known>,
}

/// One entry of [`Market`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
	Creator(AccountId),
	Offer(JobOfferId),
	Match(MatchId),
}

/// The market, and which of its entries are not written down yet.
#[derive(Debug, Default)]
pub(super) struct State {
	pub market: Market,
	pub changed: BTreeSet<Entry>,
}

/// The repository that an offer's URI names: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`, where host, tag and digest
/// may be missing, and `oci://` may come before.
pub fn repository_of(uri: &str) -> Option<RepositoryName> {
	let name = uri.strip_prefix("oci://").unwrap_or(uri);
	let name = name.split_once('@').map_or(name, |(name, _)| name);
	let name = match name.split_once('/') {
		Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
		_ => name,
	};
	let name = name.split_once(':').map_or(name, |(name, _)| name);
	name.parse().ok()
}

fn account(account: AccountId) -> DirectoryAccount {
	DirectoryAccount(account.0)
}

impl Market {
	pub(super) fn open_offers(
		&self,
		creator: &DirectoryAccount,
		job: &RepositoryName,
	) -> Vec<OfferView> {
		let offers = self.offers.values().filter(|offer| {
			offer.is_open
				&& offer.creator == *creator
				&& repository_of(&offer.uri).as_ref() == Some(job)
		});
		offers.map(|offer| OfferView { bandwidth_limit: offer.bandwidth_limit }).collect()
	}

	pub(super) fn matches_of_job(&self, job: &RepositoryName) -> Vec<MatchView> {
		let matches = self.matches.values();
		let of_job = matches.filter(|known| repository_of(&known.uri).as_ref() == Some(job));
		of_job.map(|known| known.view.clone()).collect()
	}
}

impl State {
	/// Takes the market as it is `now`. Matches that are gone from it were closed, at the latest now.
	pub(super) fn replace(&mut self, market: Market, now: Moment) {
		let Market { creators, offers, matches } = market;
		let old = &mut self.market;
		self.changed
			.extend(old.creators.symmetric_difference(&creators).copied().map(Entry::Creator));
		self.changed.extend(old.offers.keys().chain(offers.keys()).copied().map(Entry::Offer));
		(old.creators, old.offers) = (creators, offers);
		for (id, known) in &mut old.matches {
			let is_closed = matches!(known.view.phase, Phase::Closed { .. });
			if !is_closed && !matches.contains_key(id) {
				known.view.phase = Phase::Closed { at: now };
				self.changed.insert(Entry::Match(*id));
			}
		}
		self.changed.extend(matches.keys().copied().map(Entry::Match));
		old.matches.extend(matches);
	}

	/// Takes what happened in a block whose time is `now`.
	pub(super) fn take(&mut self, events: Vec<Event>, now: Moment) {
		for event in events {
			self.take_event(event, now);
		}
	}

	fn take_event(&mut self, event: Event, now: Moment) {
		let Market { creators, offers, matches } = &mut self.market;
		match event {
			Event::JobCreatorRegistered { creator } => {
				creators.insert(creator);
				self.changed.insert(Entry::Creator(creator));
			},
			Event::JobCreatorDeregistered { creator } => {
				creators.remove(&creator);
				self.changed.insert(Entry::Creator(creator));
			},
			Event::JobOfferPosted { job_offer, creator, terms, uri, .. } => {
				offers.insert(job_offer, Offer::new(creator, uri, &terms.limits, true));
				self.changed.insert(Entry::Offer(job_offer));
			},
			Event::JobOfferCanceled { job_offer, .. }
			| Event::JobOfferExpired { job_offer, .. } => {
				offers.remove(&job_offer);
				self.changed.insert(Entry::Offer(job_offer));
			},
			Event::Matched { match_id, job_offer, creator, provider, mediator, .. } => {
				let Some(offer) = offers.get_mut(&job_offer) else { return };
				offer.is_open = false;
				let view = MatchView {
					id: match_id,
					creator: account(creator),
					provider: account(provider),
					mediator: account(mediator),
					phase: Phase::Running,
					storage_limit: offer.storage_limit,
					bandwidth_limit: offer.bandwidth_limit,
				};
				matches.insert(match_id, Known { uri: offer.uri.clone(), view });
				self.changed.extend([Entry::Offer(job_offer), Entry::Match(match_id)]);
			},
			Event::ResultPosted { match_id, .. } => self.set_phase(match_id, Phase::ResultPosted),
			Event::JobAssignedForMediation { match_id, .. } => {
				self.set_phase(match_id, Phase::Mediating);
			},
			Event::MatchClosed { match_id, job_offer, .. } => {
				offers.remove(&job_offer);
				self.changed.insert(Entry::Offer(job_offer));
				self.set_phase(match_id, Phase::Closed { at: now });
			},
			_ => {},
		}
	}

	fn set_phase(&mut self, id: MatchId, phase: Phase) {
		if let Some(known) = self.market.matches.get_mut(&id) {
			known.view.phase = phase;
			self.changed.insert(Entry::Match(id));
		}
	}

	/// Forgets matches that were closed before `end`.
	pub(super) fn forget(&mut self, end: Moment) {
		let changed = &mut self.changed;
		self.market.matches.retain(|id, known| {
			let is_old = matches!(known.view.phase, Phase::Closed { at } if at < end);
			if is_old {
				changed.insert(Entry::Match(*id));
			}
			!is_old
		});
	}
}

#[cfg(test)]
pub(super) mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use modicum_primitives::{Architecture, Ending, JobTerms, Meter, Prices, Settlement};

	pub(crate) fn who(byte: u8) -> AccountId {
		AccountId([byte; 32])
	}

	/// The repository of job `name` of creator 1.
	pub(crate) fn job(name: &str) -> RepositoryName {
		RepositoryName::of_job(&DirectoryAccount([1; 32]), name).unwrap()
	}

	pub(crate) fn posted(job_offer: JobOfferId, creator: AccountId, bandwidth: u64) -> Event {
		let terms = JobTerms {
			directory: who(9),
			job_hash: [0; 32],
			base_layer: [0; 32],
			architecture: Architecture::Amd64,
			limits: Resources { instructions: 1, ram: 1, storage: 7, bandwidth },
			max_prices: Prices { instruction: 1, bandwidth: 1 },
			max_availability_fee: 0,
			completion_deadline: 0,
			match_incentive: 0,
			meter: Meter::CpuTime,
		};
		let uri = format!("oci://directory.example/{}:latest", job("render"));
		Event::JobOfferPosted { job_offer, creator, terms, uri, held: 0 }
	}

	pub(crate) fn matched(match_id: MatchId, job_offer: JobOfferId) -> Event {
		Event::Matched {
			match_id,
			job_offer,
			resource_offer: 1,
			creator: who(1),
			provider: who(2),
			mediator: who(3),
			directory: who(9),
			solver: who(4),
			value: 0,
			creator_held: 0,
			provider_held: 0,
			incentives: 0,
			completion_deadline: 0,
		}
	}

	pub(crate) fn closed(match_id: MatchId, job_offer: JobOfferId) -> Event {
		Event::MatchClosed {
			match_id,
			job_offer,
			resource_offer: 1,
			creator: who(1),
			provider: who(2),
			mediator: who(3),
			directory: who(9),
			ending: Ending::Accepted,
			settlement: Settlement::default(),
		}
	}

	#[test]
	fn uris_name_repositories_with_or_without_host_tag_and_digest() {
		let name: RepositoryName = "jobs/0a/render".parse().unwrap();
		let digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
		for uri in [
			"jobs/0a/render".to_string(),
			"directory.example/jobs/0a/render".into(),
			"oci://directory.example:5000/jobs/0a/render:latest".into(),
			format!("localhost/jobs/0a/render@{digest}"),
			format!("127.0.0.1:5000/jobs/0a/render:v1@{digest}"),
		] {
			assert_eq!(repository_of(&uri), Some(name.clone()), "{uri}");
		}
		for uri in ["", "oci://", "directory.example/", "jobs/../secret", "JOBS/A"] {
			assert_eq!(repository_of(uri), None, "{uri}");
		}
	}

	#[test]
	fn an_offer_counts_for_its_own_creator_until_it_is_matched_or_gone() {
		let mut state = State::default();
		let offers = |state: &State, byte| {
			let found = state.market.open_offers(&DirectoryAccount([byte; 32]), &job("render"));
			found.iter().map(|offer| offer.bandwidth_limit).collect::<Vec<_>>()
		};
		state.take(vec![posted(1, who(1), 10), posted(2, who(1), 20), posted(3, who(5), 30)], 1);
		assert_eq!((offers(&state, 1), offers(&state, 5)), (vec![10, 20], vec![30]));
		state.take(vec![matched(8, 1)], 2);
		assert_eq!(offers(&state, 1), [20]);
		let gone = Event::JobOfferCanceled { job_offer: 2, creator: who(1), returned: 0 };
		state.take(vec![gone], 3);
		assert!(offers(&state, 1).is_empty());
		let found = state.market.matches_of_job(&job("render"));
		assert_eq!((found[0].id, found[0].bandwidth_limit, found[0].storage_limit), (8, 10, 7));
		assert!(state.market.matches_of_job(&job("other")).is_empty());
	}

	#[test]
	fn a_closed_match_is_remembered_and_then_forgotten() {
		let mut state = State::default();
		state.take(vec![posted(1, who(1), 10), matched(8, 1)], 5);
		state.take(vec![closed(8, 1)], 6);
		state.changed.clear();
		state.forget(6);
		assert_eq!(state.market.matches[&8].view.phase, Phase::Closed { at: 6 });
		assert!(state.market.offers.is_empty() && state.changed.is_empty());
		state.forget(7);
		assert!(state.market.matches.is_empty());
		assert_eq!(state.changed, [Entry::Match(8)].into());
	}

	#[test]
	fn what_is_gone_from_the_chains_state_was_closed() {
		let mut state = State::default();
		state.take(vec![posted(1, who(1), 10), matched(8, 1)], 5);
		state.take(vec![posted(2, who(1), 10), matched(9, 2), closed(9, 2)], 6);
		state.replace(Market::default(), 70);
		let phase = |id| state.market.matches[&id].view.phase;
		assert_eq!((phase(8), phase(9)), (Phase::Closed { at: 70 }, Phase::Closed { at: 6 }));
	}
}
