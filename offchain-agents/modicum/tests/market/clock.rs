// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Machines whose clocks are minutes off. The chain judges by its own time, and so do the agents; whoever owns such a
//! machine is told.

use crate::common::{
	closed_match,
	health::health,
	table::{self, mediated, Money},
	Cell, Market, Options,
};
use modicum_node_testing::free_port;
use modicum_primitives::{Ending, Verdict};

/// Less than the clocks are off, so that whoever went by them would be late before it began.
const TIME_LIMIT: &str = "--time-limit 3m";

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_are_judged_by_the_chains_clock() {
	let market = Market::new(Options::default()).await;
	let m = &market;
	let _directory = m.directory("//Directory").await;
	let _solver = m.start("//Solver", "solver run");
	let [ahead, behind, cheated] =
		m.cells("//Directory", ["clock-ahead", "clock-behind", "clock-cheated"]).await;
	futures::join!(
		a_job_is_run(m, ahead, "+5m", "ahead of the chain's"),
		a_job_is_run(m, behind, "-5m", "behind the chain's"),
		a_forged_result_is_found_in_time(m, cheated),
	);
}

/// Nobody's clock is right, and everyone says so.
async fn a_job_is_run(market: &Market, cell: Cell, off: &str, said: &str) {
	for secret in [cell.creator(), cell.provider()] {
		market.set_clock(&secret, off);
	}
	let before = Money::of(market, &cell).await;
	let port = free_port().unwrap();
	let line = format!("--set agent.metrics_listen=127.0.0.1:{port} provider run");
	let _provider = market.start(&cell.provider(), &line);
	let submission = market.submission(&cell, &format!("{TIME_LIMIT} --verify always"));
	let answer = market.does(&cell.creator(), &submission).await;
	table::check(market, &cell, before, closed_match(&answer), Ending::Accepted).await;
	// The agent works, so it is healthy.
	let (status, body) = health(port).unwrap();
	assert!(status == 200 && body.contains(said), "{status}: {body}");
	assert!(market.log(&cell.provider()).contains(said), "{}", market.log(&cell.provider()));
}

/// By their own clocks, the creator would have no time to reject, and the mediator none to run the job.
async fn a_forged_result_is_found_in_time(market: &Market, cell: Cell) {
	for secret in [cell.creator(), cell.mediator()] {
		market.set_clock(&secret, "+20m");
	}
	let before = Money::of(market, &cell).await;
	let _mediator = market.mediator(&cell, None);
	let _provider = market.provider(&cell, Some("forges-results"));
	let (code, answer) = market.submit(&cell, "--verify always").await;
	assert_eq!(code, 14, "{answer}");
	let ending = mediated(Verdict::WrongResults);
	table::check(market, &cell, before, closed_match(&answer), ending).await;
}
