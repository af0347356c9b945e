// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The chain's runtime is upgraded under running agents.

use crate::common::{
	closed_match,
	table::{self, Money},
	Market, Options,
};
use modicum_chain_client::{Call, Compatibility, Key, SubmitSettings, Submitter};
use modicum_primitives::Ending;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn agents_go_on_over_an_upgrade_of_the_runtime() {
	let market = Market::new(Options::default()).await;
	let m = &market;
	let _directory = m.directory("//Directory").await;
	let _solver = m.start("//Solver", "solver run");
	let [cell] = m.cells("//Directory", ["upgrade"]).await;
	let (_provider, _mediator) = (m.provider(&cell, None), m.mediator(&cell, None));
	let version = m.chain.status().await.unwrap().spec_version;

	// One job is under way at the upgrade, one begins after it.
	let before = Money::of(m, &cell).await;
	let submission = m.submission(&cell, "--verify always");
	let creator = cell.creator();
	let (answer, ()) = tokio::join!(m.does(&creator, &submission), upgrade(m));
	table::check(m, &cell, before, closed_match(&answer), Ending::Accepted).await;

	let before = Money::of(m, &cell).await;
	let answer = m.does(&cell.creator(), &submission).await;
	table::check(m, &cell, before, closed_match(&answer), Ending::Accepted).await;
	let status = m.chain.status().await.unwrap();
	assert_eq!(status.spec_version, version + 1);
	assert_eq!(status.compatibility, Compatibility::Same);
}

/// Upgrades to the runtime that is built for such tests: the same, with a version one higher.
async fn upgrade(market: &Market) {
	let folder = modicum_node_testing::binary().unwrap();
	let file = folder
		.with_file_name("wbuild")
		.join("modicum-runtime-next/modicum_runtime_next.compact.compressed.wasm");
	let code = std::fs::read(&file).unwrap_or_else(|error| {
		panic!("{}: {error}; build it with the node's tests: `make test`", file.display())
	});
	let key = Key::from_secret("//Alice").unwrap();
	let settings = SubmitSettings { max_fee: u128::MAX, ..SubmitSettings::default() };
	let alice = Submitter::start(market.chain.clone(), key, settings);
	let version = market.chain.status().await.unwrap().spec_version;
	alice.submit(Call::authorize_upgrade_as_superuser(&code)).await.unwrap();
	alice.submit(Call::apply_authorized_upgrade(code)).await.unwrap();
	while market.chain.status().await.unwrap().spec_version == version {
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
}
