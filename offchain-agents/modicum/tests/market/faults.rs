// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What is missing, full or gone is named, with what to do; nothing hangs, and what was begun goes on afterwards.

use crate::common::{
	account, closed_match,
	table::{self, Money},
	Cell, Market, Options,
};
use modicum_primitives::Ending;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_named_and_work_goes_on_after_them() {
	let mut market = Market::new(Options::default()).await;
	let mut directory = market.directory("//Directory").await;
	let _solver = market.start("//Solver", "solver run");
	let [cell, poor] = market.cells("//Directory", ["faults", "poor"]).await;
	no_engine(&market, &cell).await;
	no_money(&market, &poor).await;

	// The directory is away: the job is not lost, and is offered once it is back.
	directory.kill();
	let before = Money::of(&market, &cell).await;
	let (code, refused) = market.submit(&cell, "--detach").await;
	assert_eq!(code, 9, "{refused}");
	assert!(refused.to_string().contains("another trusted directory"), "{refused}");
	directory.restart();
	let provider = market.provider(&cell, None);
	let answer = market.does(&cell.creator(), "job wait 1").await;
	let id = closed_match(&answer);
	table::check(&market, &cell, before, id, Ending::Accepted).await;

	// The chain's only node is away while a job is under way.
	let before = Money::of(&market, &cell).await;
	market.does(&cell.creator(), &market.submission(&cell, "--detach --verify always")).await;
	market.network.node_mut("alice").kill().await.unwrap();
	let line = "job wait 2 --set chain.patience=1s";
	let (code, refused) = market.run(&cell.creator(), line).await;
	assert_eq!(code, 5, "{refused}");
	market.network.node_mut("alice").start().await.unwrap();
	let answer = market.does(&cell.creator(), "job wait 2").await;
	let id = closed_match(&answer);
	table::check(&market, &cell, before, id, Ending::Accepted).await;
	drop(provider);
}

/// Who would run jobs is told what is missing before anything is offered.
async fn no_engine(market: &Market, cell: &Cell) {
	let none = "--set executor.kind=docker --set executor.socket=/nowhere/docker.sock";
	let job = market.submission(cell, "");
	let folder = job.split_whitespace().nth(2).unwrap();
	for line in [format!("provider run {none}"), format!("job lint {folder} {none}")] {
		let (code, refused) = market.run(&cell.provider(), &line).await;
		assert_eq!(code, 10, "{line}: {refused}");
		assert!(refused.to_string().contains("/nowhere/docker.sock"), "{refused}");
	}
	assert!(market.snapshot().await.resource_offers().await.unwrap().is_empty());
}

/// An account that has nothing, and one that cannot pay what must be held.
async fn no_money(market: &Market, cell: &Cell) {
	let (code, refused) = market.run("//Pauper", "creator register").await;
	assert_eq!((code, &refused["error"]["name"]), (7, &Value::from("refused")), "{refused}");
	let snapshot = market.snapshot().await;
	let free = snapshot.account(&account(&cell.creator())).await.unwrap().free;
	let tokens = free / super::common::TOKEN - 1;
	market.does(&cell.creator(), &format!("account transfer //Pauper {tokens}")).await;
	let (code, refused) = market.submit(cell, "--set creator.extra_deposit=5").await;
	assert_eq!(code, 7, "{refused}");
	assert!(refused.to_string().contains("would be held"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_another_chain_is_not_used() {
	let long_deadlines = Options { long_deadlines: true, ..Options::default() };
	// The last is the first one again, started anew: its genesis is the same.
	let (one, other, anew) = tokio::join!(
		Market::new(Options::default()),
		Market::new(long_deadlines),
		Market::new(Options::default())
	);
	let (code, answer) = one.run("//Creator", "job wait 1").await;
	assert_eq!(code, 8, "there is no such job: {answer}");
	for (market, what) in [(&other, "genesis hash"), (&anew, "first block")] {
		let mut command = market.command("//Creator");
		command.env("HOME", one.home("//Creator")).args(["job", "wait", "1"]);
		let (code, refused) = market.finish(command).await;
		assert_eq!(code, 6, "{refused}");
		let refused = refused.to_string();
		assert!(refused.contains("another chain") && refused.contains(what), "{refused}");
	}
	let (code, answer) = one.run("//Creator", "job wait 1").await;
	assert_eq!(code, 8, "the folder is as it was: {answer}");
}
