// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The market without a node that anyone believes.

use crate::{
	common::{
		closed_match,
		table::{self, Money},
		Market, Options,
	},
	endings::a_provider_cheats,
};
use modicum_primitives::{Ending, Verdict};

/// As owners of devices do who believe no node.
#[tokio::test(flavor = "multi_thread")]
async fn every_role_runs_on_the_embedded_light_client() {
	let market = Market::new(Options { light: true, ..Options::default() }).await;
	let m = &market;
	let _directory = m.directory("//Directory").await;
	let _solver = m.start("//Solver", "solver run");
	let [honest, forging] = m.cells("//Directory", ["honest", "forging"]).await;
	let honest_job = async {
		let before = Money::of(m, &honest).await;
		let _provider = m.provider(&honest, None);
		let (code, answer) = m.submit(&honest, "--verify always").await;
		assert_eq!(code, 0, "{answer}");
		table::check(m, &honest, before, closed_match(&answer), Ending::Accepted).await
	};
	let forged = a_provider_cheats(m, forging, "forges-results", Verdict::WrongResults);
	futures::join!(honest_job, forged);
}
