// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Agents and commands that are told to end: what they take back before, and what they say of the rest.

use crate::common::{account, health::health, Cell, Market, Options, PATIENCE};
use modicum_chain_client::{AccountId, Event};
use modicum_node_testing::free_port;
use serde_json::Value;
use std::{
	io::{BufRead, BufReader},
	time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_to_end_says_what_stays() {
	let market = Market::new(Options::default()).await;
	let m = &market;
	let _directory = m.directory("//Directory").await;
	let [stopped, kept, submitting, leaving] =
		m.cells("//Directory", ["stopped", "kept", "submitting", "leaving"]).await;
	futures::join!(
		a_provider_takes_its_offers_back(m, stopped),
		a_provider_leaves_its_offers(m, kept),
		a_job_goes_on(m, submitting),
		a_mediator_that_has_left_is_not_healthy(m, leaving),
	);
}

/// Waits until so many resource offers of an account were posted.
async fn offered(market: &Market, who: AccountId, count: usize) {
	let is_mine = |event: &Event| matches!(event, Event::ResourceOfferPosted { provider, .. } if *provider == who);
	let started = Instant::now();
	while market.events().iter().filter(|event| is_mine(event)).count() < count {
		assert!(started.elapsed() < PATIENCE, "{count} offers do not come");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
}

async fn a_provider_takes_its_offers_back(market: &Market, cell: Cell) {
	let who = account(&cell.provider());
	let mut provider = market.start(
		&cell.provider(),
		"provider run --set provider.jobs_at_once=2 --set provider.instructions=1000000000",
	);
	offered(market, who, 2).await;
	assert!(provider.end("TERM").success());
	let started = Instant::now();
	loop {
		let offers = market.snapshot().await.resource_offers().await.unwrap();
		if !offers.iter().any(|(_, offer)| offer.provider == who) {
			break;
		}
		assert!(started.elapsed() < PATIENCE, "offers stay: {offers:?}");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	assert!(market.log(&cell.provider()).contains("2 open offers are taken back"));
}

async fn a_provider_leaves_its_offers(market: &Market, cell: Cell) {
	let who = account(&cell.provider());
	let line = "provider run --set provider.keep_offers=true";
	let mut provider = market.start(&cell.provider(), line);
	offered(market, who, 1).await;
	assert!(provider.end("TERM").success());
	let offers = market.snapshot().await.resource_offers().await.unwrap();
	assert_eq!(offers.iter().filter(|(_, offer)| offer.provider == who).count(), 1);
	assert!(market.log(&cell.provider()).contains("offer cancel resource"));
}

/// Ctrl-C while a job waits for a match that nobody makes.
async fn a_job_goes_on(market: &Market, cell: Cell) {
	let mut submitting = market.start_piped(&cell.creator(), &market.submission(&cell, ""));
	let mut lines = BufReader::new(submitting.error_output().unwrap()).lines();
	let wait = tokio::task::spawn_blocking(move || {
		let is_offered = |line: &String| line.contains("offered as job offer");
		lines.find(|line| line.as_ref().is_ok_and(is_offered)).expect("it is offered").unwrap();
		lines
	});
	let lines = wait.await.unwrap();
	assert_eq!(submitting.end("INT").code(), Some(130));
	let last = lines.map(Result::unwrap).last().unwrap();
	let failure: Value = serde_json::from_str(&last).unwrap();
	assert_eq!(failure["error"]["name"], "interrupted", "{last}");
	for command in ["job wait 1", "job cancel 1"] {
		assert!(last.contains(&format!("`modicum {command}`")), "{last}");
	}
	market.does(&cell.creator(), "job cancel 1").await;
}

async fn a_mediator_that_has_left_is_not_healthy(market: &Market, cell: Cell) {
	let port = free_port().unwrap();
	let line = format!("mediator run --set agent.metrics_listen=127.0.0.1:{port}");
	let _mediator = market.start(&cell.mediator(), &line);
	let until = |wanted: u16, text: &'static str| async move {
		let started = Instant::now();
		loop {
			let found = health(port);
			if found.as_ref().is_some_and(|(status, body)| *status == wanted && body.contains(text))
			{
				return;
			}
			assert!(started.elapsed() < PATIENCE, "{wanted} {text}: {found:?}");
			tokio::time::sleep(Duration::from_millis(200)).await;
		}
	};
	until(200, "mediator").await;
	market.does(&cell.mediator(), "mediator deregister").await;
	until(503, "no longer registered").await;
}
