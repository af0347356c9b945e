// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every role is killed, as by a power cut, in every phase of a match, and started again. Whatever it was doing, the
//! match goes on: nothing is lost, posted twice or paid twice.

use crate::common::{
	account,
	table::{self, mediated, Money},
	Agent, Cell, Market, Options,
};
use modicum_chain_client::{AccountId, Event};
use modicum_primitives::Verdict;
use std::{
	io::{BufRead, BufReader},
	sync::{Arc, Mutex},
};

/// The events with which the phases of a match begin.
const PHASES: [&str; 4] = ["JobOfferPosted", "Matched", "ResultPosted", "JobAssignedForMediation"];
/// What a match has once each, from offer to end.
const ONCE: [&str; 6] = [
	"JobOfferPosted",
	"Matched",
	"ResultPosted",
	"JobAssignedForMediation",
	"MediationResultPosted",
	"MatchClosed",
];

type Shared = Arc<Mutex<Agent>>;

#[tokio::test(flavor = "multi_thread")]
async fn any_role_may_be_killed_in_any_phase() {
	let market = Market::new(Options { long_deadlines: true, ..Options::default() }).await;
	let m = &market;
	let directory = Arc::new(Mutex::new(m.directory("//Directory").await));
	let solver = Arc::new(Mutex::new(m.start("//Solver", "solver run")));
	let [creator, provider, mediator, by_solver, by_directory] =
		m.cells("//Directory", ["creator", "provider", "mediator", "solver", "directory"]).await;
	// Those that all share stay when the match in which they are killed is over.
	let (by_all, solves_all) = (Victim::Shared(directory.clone()), Victim::Shared(solver.clone()));
	futures::join!(
		a_match_with_kills(m, creator, Victim::Creator),
		a_match_with_kills(m, provider, Victim::Provider),
		a_match_with_kills(m, mediator, Victim::Mediator),
		a_match_with_kills(m, by_solver, solves_all),
		a_match_with_kills(m, by_directory, by_all),
	);
}

/// Who is killed.
enum Victim {
	Creator,
	Provider,
	Mediator,
	Shared(Shared),
}

/// A job whose good result is rejected, so that its match passes through every phase there is.
async fn a_match_with_kills(market: &Market, cell: Cell, victim: Victim) {
	let before = Money::of(market, &cell).await;
	submit_and_die(market, &cell).await;
	let mut creator = market.creator(&cell, Some("rejects-good-results"));
	let mut provider = market.provider(&cell, None);
	let mut mediator = market.mediator(&cell, None);
	if matches!(victim, Victim::Creator) {
		// While it uploads or posts.
		creator.restart();
	}
	for phase in PHASES {
		begun(market, &cell, phase).await;
		match &victim {
			Victim::Creator => creator.restart(),
			Victim::Provider => provider.restart(),
			Victim::Mediator => mediator.restart(),
			Victim::Shared(agent) => agent.lock().unwrap().restart(),
		}
	}
	let id = market.matched(&cell).await;
	let ending = mediated(Verdict::CorrectResults);
	table::check(market, &cell, before, id, ending).await;
	let events = market.events();
	for name in ONCE {
		let count =
			events.iter().filter(|event| event.name() == name && is_of(event, &cell)).count();
		assert_eq!(count, 1, "{}: {name}", cell.name);
	}
}

/// Submits a job and is killed as soon as it begins to upload; its files and its plan are written down by then.
async fn submit_and_die(market: &Market, cell: &Cell) {
	let mut submitting = market.start_piped(&cell.creator(), &market.submission(cell, ""));
	let progress = BufReader::new(submitting.error_output().unwrap());
	tokio::task::spawn_blocking(move || {
		let mut lines = progress.lines();
		let is_upload = |line: &String| line.contains("uploading");
		lines.find(|line| line.as_ref().is_ok_and(is_upload)).expect("it uploads").unwrap();
	})
	.await
	.unwrap();
	submitting.kill();
}

/// Waits until a phase of the cell's match begins.
async fn begun(market: &Market, cell: &Cell, phase: &str) {
	market
		.event(&format!("{}: {phase}", cell.name), |event| {
			(event.name() == phase && is_of(event, cell)).then_some(())
		})
		.await;
}

/// Whether an event belongs to the cell's match.
fn is_of(event: &Event, cell: &Cell) -> bool {
	let is = |who: &AccountId, secret: String| *who == account(&secret);
	match event {
		Event::JobOfferPosted { creator, .. }
		| Event::Matched { creator, .. }
		| Event::MatchClosed { creator, .. } => is(creator, cell.creator()),
		Event::ResultPosted { provider, .. } => is(provider, cell.provider()),
		Event::JobAssignedForMediation { mediator, .. }
		| Event::MediationResultPosted { mediator, .. } => is(mediator, cell.mediator()),
		_ => false,
	}
}
