// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Results that are verified by having other providers run the same job.

use crate::common::{
	account, closed_match,
	table::{self, INCENTIVE, MOST_TRANSACTION_FEES},
	Agent, Cell, Market, Options, PATIENCE,
};
use modicum_chain_client::{AccountId, Event};
use modicum_primitives::{Balance, Ending, MatchId, Verdict};
use serde_json::Value;
use std::{collections::BTreeSet, time::Instant};

const BY_DUPLICATE: &str = "--verify always --verify-by duplicate";

#[tokio::test(flavor = "multi_thread")]
async fn other_providers_results_decide() {
	// Two more runs, one after the other, must fit into the time to react.
	let market = Market::new(Options { long_deadlines: true, ..Options::default() }).await;
	let m = &market;
	let _directory = m.directory("//Directory").await;
	let _solver = m.start("//Solver", "solver run");
	let [forging, lying, honest, killed] =
		m.cells("//Directory", ["forging", "lying-helper", "honest", "killed"]).await;
	let wrong = Ending::Mediated(Verdict::WrongResults);
	futures::join!(
		async {
			// One against one says nothing; the third run shows who is wrong. Only the forger is not paid.
			let _mediator = m.mediator(&forging, None);
			let helpers = [("two", None), ("three", None)];
			let cheat = Some("forges-results");
			let (code, endings) = verified(m, &forging, cheat, &helpers).await;
			assert_eq!((code, endings), (14, [wrong, Ending::Accepted, Ending::Accepted].into()));
		},
		async {
			// Nor is a forger believed who is asked about another.
			let _mediator = m.mediator(&lying, None);
			let helpers = [("liar", Some("forges-results")), ("four", None)];
			let (code, endings) = verified(m, &lying, None, &helpers).await;
			assert_eq!((code, endings), (0, [Ending::Accepted, wrong, Ending::Accepted].into()));
		},
		async {
			let (code, endings) = verified(m, &honest, None, &[("five", None)]).await;
			assert_eq!((code, endings), (0, [Ending::Accepted, Ending::Accepted].into()));
		},
		its_creator_is_killed(m, &killed),
	);
}

/// The creator dies while another provider runs its job: afterwards it knows whom it has asked.
async fn its_creator_is_killed(market: &Market, cell: &Cell) {
	let _first = market.provider(cell, None);
	let line = market.submission(cell, &format!("{BY_DUPLICATE} --detach"));
	market.does(&cell.creator(), &line).await;
	let mut creator = market.creator(cell, None);
	market.matched(cell).await;
	let other = market.another_provider(cell, "six").await;
	let _other = market.start(&other, "provider run");
	let second = |event: &Event| match event {
		Event::Matched { .. } => matches(market, cell).get(1).map(|(id, _)| *id),
		_ => None,
	};
	let second = market.event("the duplicate's match", second).await;
	creator.restart();
	for id in [matches(market, cell)[0].0, second] {
		table::check_row(market, id, Ending::Accepted).await;
	}
	let started = Instant::now();
	loop {
		let jobs = market.does(&cell.creator(), "job list").await;
		let jobs = jobs.as_array().unwrap();
		if jobs.iter().all(|job| job["stage"] == "done") {
			assert_eq!((jobs.len(), matches(market, cell).len()), (2, 2));
			let line = jobs[0]["line"].as_str().unwrap();
			assert!(line.contains("verified: another provider's result is the same"), "{line}");
			return;
		}
		assert!(started.elapsed() < PATIENCE, "{jobs:?}");
	}
}

/// Has a job run by the cell's provider and verified by others, each of whom comes once the one before has a match;
/// checks what each match paid and what that leaves the creator with. Exit code, and how the matches ended, in order.
async fn verified(
	market: &Market,
	cell: &Cell,
	cheat: Option<&str>,
	helpers: &[(&'static str, Option<&str>)],
) -> (i32, Vec<Ending>) {
	let mut secrets = Vec::new();
	for (name, cheat) in helpers {
		let line = cheat.map_or("provider run".into(), |cheat| {
			format!("provider run --scripted-cheat {cheat}")
		});
		secrets.push((market.another_provider(cell, name).await, line));
	}
	let creator = account(&cell.creator());
	let before = market.money(creator).await;
	let _first = market.provider(cell, cheat);
	let helping = async {
		let mut helping: Vec<Agent> = Vec::new();
		for (secret, line) in &secrets {
			let matched = |event: &Event| match event {
				Event::Matched { .. } => {
					(matches(market, cell).len() > helping.len()).then_some(())
				},
				_ => None,
			};
			market.event("the match before", matched).await;
			helping.push(market.start(secret, line));
		}
		helping
	};
	let ((code, answer), _helpers) = tokio::join!(market.submit(cell, BY_DUPLICATE), helping);
	let id = closed_match(&answer);
	let jobs = market.does(&cell.creator(), "job list").await;
	for job in &jobs.as_array().unwrap()[1..] {
		assert_eq!((&job["stage"], &job["duplicate_of"]), (&"done".into(), &1.into()), "{jobs}");
	}

	let matches = matches(market, cell);
	assert_eq!(matches.len(), jobs.as_array().unwrap().len(), "{answer}");
	assert_eq!(matches[0].0, id, "the job is matched before its duplicates");
	let providers: BTreeSet<_> = matches.iter().map(|(_, provider)| provider).collect();
	assert_eq!(providers.len(), matches.len(), "each ran it once");
	let (mut endings, mut due) = (Vec::new(), before);
	for (k, (id, _)) in matches.iter().enumerate() {
		let (ending, _) = market.closing(*id).await;
		let settled = table::check_row(market, *id, ending).await;
		due = due + settled.from_creator.returned + settled.from_provider.to_counterparty
			- table::deposit();
		// The solver has found the job a provider; for its duplicates the creator did that itself.
		due = if k == 0 { due - INCENTIVE } else { due + INCENTIVE };
		endings.push(ending);
	}
	let fees = due.checked_sub(market.money(creator).await);
	let most = MOST_TRANSACTION_FEES * matches.len() as Balance;
	assert!(fees.is_some_and(|fees| fees < most), "{}: {fees:?} in fees", cell.name);
	(code, endings)
}

/// Nobody else is there: the result is accepted in time, by its creator, who is told that it is not verified.
#[tokio::test(flavor = "multi_thread")]
async fn without_another_provider_a_result_is_accepted_unverified() {
	let market = Market::new(Options::default()).await;
	let m = &market;
	let _directory = m.directory("//Directory").await;
	let _solver = m.start("//Solver", "solver run");
	let [cell] = m.cells("//Directory", ["alone"]).await;
	let _provider = m.provider(&cell, None);
	let before = m.money(account(&cell.creator())).await;
	let mut command = m.command(&cell.creator());
	command.args(m.submission(&cell, BY_DUPLICATE).split_whitespace());
	let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
	let told = String::from_utf8(output.stderr).unwrap();
	assert_eq!(output.status.code(), Some(0), "{told}");
	for words in [
		"job 2: no other provider's offer fits",
		"job 1: accepting: not verified: no other provider ran the job in time",
	] {
		let (job, progress) = words.split_once(": ").unwrap();
		let is_told = |line: &str| {
			let line: Value = serde_json::from_str(line).unwrap_or_default();
			let said = line["progress"].as_str().unwrap_or_default();
			format!("job {}", line["job"]) == job && said.starts_with(progress)
		};
		assert!(told.lines().any(is_told), "{words}\n{told}");
	}

	let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
	let line = answer["line"].as_str().unwrap();
	assert!(line.contains("not verified: no other provider ran the job in time"), "{line}");
	let id = closed_match(&answer);
	let settled = table::check_row(m, id, Ending::Accepted).await;
	let creator = account(&cell.creator());
	let reactions = m.events().into_iter().filter_map(|event| match event {
		Event::ResultReaction { match_id, by, .. } if match_id == id => Some(by),
		_ => None,
	});
	assert_eq!(reactions.collect::<Vec<_>>(), [Some(creator)], "before the provider may");

	// Of the duplicate nothing was ever on the chain.
	let jobs = m.does(&cell.creator(), "job list").await;
	assert_eq!((&jobs[1]["stage"], jobs.as_array().unwrap().len()), (&"withdrawn".into(), 2));
	assert_eq!(matches(m, &cell).len(), 1);
	let offers = m.events().into_iter().filter(|event| event.name() == "JobOfferPosted").count();
	assert_eq!(offers, 1);
	let due = before + settled.from_creator.returned - table::deposit() - INCENTIVE;
	let fees = due.checked_sub(m.money(creator).await);
	assert!(fees.is_some_and(|fees| fees < MOST_TRANSACTION_FEES), "{fees:?} in fees");
}

/// The matches of the cell's creator in order, each with its provider.
fn matches(market: &Market, cell: &Cell) -> Vec<(MatchId, AccountId)> {
	let wanted = account(&cell.creator());
	let found = market.events().into_iter().filter_map(|event| match event {
		Event::Matched { match_id, creator, provider, .. } if creator == wanted => {
			Some((match_id, provider))
		},
		_ => None,
	});
	found.collect()
}
