// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A directory that is away while a match is closed on the chain; two machines of one account.

use crate::common::{
	account, closed_match,
	table::{self, Money},
	Agent, Cell, Market, Options, PATIENCE,
};
use modicum_chain_client::Event;
use modicum_primitives::{Ending, MatchId};
use serde_json::Value;
use std::time::{Duration, Instant};

/// A directory that keeps nothing of closed matches, and looks for such every second.
const NOTHING_KEPT: &str = "[times]\ngrace_secs = 1\ncollect_secs = 1\nloose_blob_secs = 20\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_somebody_was_away_is_known() {
	let market = Market::new(Options::default()).await;
	let m = &market;
	std::fs::create_dir_all(m.home("//Directory//brief")).unwrap();
	std::fs::write(m.home("//Directory//brief").join("directory.toml"), NOTHING_KEPT).unwrap();
	let (keeping, brief, shared) = tokio::join!(
		m.directory("//Directory"),
		m.directory_with("//Directory//brief", "--settings directory.toml"),
		m.directory("//Directory//shared"),
	);
	let _solver = m.start("//Solver", "solver run");
	let [kept] = m.cells("//Directory", ["kept"]).await;
	let [collected] = m.cells("//Directory//brief", ["collected"]).await;
	let [twins] = m.cells("//Directory//shared", ["twins"]).await;
	futures::join!(
		closed_meanwhile_is_readable(m, kept, keeping),
		closed_meanwhile_is_collected(m, collected, brief),
		two_machines_of_one_creator(m, twins),
	);
	drop(shared);
}

/// A job whose match is closed on the chain while the directory is away, and nobody looks after it. Returns the match
/// and the job's hash.
async fn closes_alone(market: &Market, cell: &Cell, directory: &mut Agent) -> (MatchId, [u8; 32]) {
	let before = Money::of(market, cell).await;
	let provider = market.provider(cell, None);
	market.does(&cell.creator(), &market.submission(cell, "--detach")).await;
	let id = market.matched(cell).await;
	market.result(id).await;
	directory.kill();
	// By the provider, when the time to react has passed.
	table::check(market, cell, before, id, Ending::Accepted).await;
	drop(provider);
	let job_hash = market.offered(cell).await;
	(id, job_hash)
}

/// Its parties may read it for as long as the directory promises.
async fn closed_meanwhile_is_readable(market: &Market, cell: Cell, mut directory: Agent) {
	let (id, _) = closes_alone(market, &cell, &mut directory).await;
	directory.restart();
	let answer = retried(market, &cell.creator(), "job wait 1").await;
	assert_eq!(closed_match(&answer), id);
}

/// After that it is collected; what belongs to an open offer stays.
async fn closed_meanwhile_is_collected(market: &Market, cell: Cell, mut directory: Agent) {
	let (_, job_hash) = closes_alone(market, &cell, &mut directory).await;
	assert!(market.has_blob(&cell.directory, &job_hash), "away, it removes nothing");
	directory.restart();
	let started = Instant::now();
	while market.has_blob(&cell.directory, &job_hash) {
		assert!(started.elapsed() < PATIENCE, "the match is not known as closed");
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
	// Nobody runs this one.
	let line = market.submission(&cell, "--detach --time-limit 1h");
	market.does(&cell.creator(), &line).await;
	assert!(market.has_blob(&cell.directory, &job_hash), "an offer is open");
}

/// Runs a command again until it succeeds: who was started a moment ago may not answer yet.
async fn retried(market: &Market, secret: &str, line: &str) -> Value {
	let started = Instant::now();
	loop {
		let (code, answer) = market.run(secret, line).await;
		if code == 0 {
			return answer;
		}
		assert!(started.elapsed() < PATIENCE, "{code}: {answer}");
	}
}

/// Each machine counts its jobs from 1, and each gets what it has asked for.
async fn two_machines_of_one_creator(market: &Market, cell: Cell) {
	let _provider = market.provider(&cell, None);
	let line = market.submission(&cell, "--verify never");
	let creator = cell.creator();
	let elsewhere = market.command_elsewhere(&creator, &line);
	let (here, (code, there)) =
		tokio::join!(market.does(&creator, &line), market.finish(elsewhere));
	assert_eq!(code, 0, "{there}");
	let (here, there) = (closed_match(&here), closed_match(&there));
	assert_ne!(here, there, "one job is not taken for the other");
	for id in [here, there] {
		assert_eq!(market.closing(id).await.0, Ending::Accepted);
	}
	let creator = account(&cell.creator());
	let events = market.events();
	let posted = events.iter().filter(
		|event| matches!(event, Event::JobOfferPosted { creator: by, .. } if *by == creator),
	);
	assert_eq!(posted.count(), 2);
}
