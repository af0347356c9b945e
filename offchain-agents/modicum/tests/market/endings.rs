// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Every way a match can end, with those who cheat, vanish and lose things. Each scenario is a cell of its own, and
//! all run at the same time.

use crate::common::{
	account, closed_match, elsewhere,
	table::{self, mediated, Money},
	Agent, Cell, Market, Options, PATIENCE,
};
use modicum_chain_client::Event;
use modicum_primitives::{Balance, Ending, MatchId, Payout, ResultStatus, Settlement, Verdict};
use serde_json::{json, Value};
use std::{path::Path, time::Instant};

/// Whoever is at fault is found out and pays; whoever is not does not.
#[tokio::test(flavor = "multi_thread")]
async fn every_verdict_pays_by_the_table() {
	let market = Market::new(Options { long_deadlines: true, ..Options::default() }).await;
	let m = &market;
	let (_shared, losing) =
		tokio::join!(m.directory("//Directory"), m.directory("//Directory//losing"));
	let _solver = m.start("//Solver", "solver run");
	let [honest, twins, rejecting] = m.cells("//Directory", ["honest", "twins", "rejecting"]).await;
	let [forging, overcharging, claiming] =
		m.cells("//Directory", ["forging", "overcharging", "claiming"]).await;
	let [lost] = m.cells("//Directory//losing", ["lost"]).await;
	let funds = Funds::of(m, ["//Directory", "//Directory//losing"]).await;
	let (mut shared, cheaters, twins, rejecting, lost) = futures::join!(
		a_user_has_a_job_run(m, honest),
		futures::future::join_all([
			a_provider_cheats(m, forging, "forges-results", Verdict::WrongResults),
			a_provider_cheats(m, overcharging, "overcharges", Verdict::TooMuchCost),
			a_provider_cheats(m, claiming, "claims-false-status", Verdict::InvalidResultStatus),
		]),
		two_machines_of_one_account(m, twins),
		a_creator_rejects_good_results(m, rejecting),
		a_directory_loses_a_result(m, lost, losing),
	);
	shared.extend(cheaters);
	shared.extend([twins, rejecting]);
	funds.check(m, [&shared, &[lost]]).await;
}

/// Deadlines pass: nobody's money waits for somebody who has left.
#[tokio::test(flavor = "multi_thread")]
async fn silence_pays_by_the_table() {
	let market = Market::new(Options::default()).await;
	let m = &market;
	let (_shared, _altering) =
		tokio::join!(m.directory("//Directory"), m.directory("//Directory//altering"));
	let _solver = m.start("//Solver", "solver run");
	let [late, vanishing, silent] = m.cells("//Directory", ["late", "vanishing", "silent"]).await;
	let [altered_job, altered_output] =
		m.cells("//Directory//altering", ["altered-job", "altered-output"]).await;
	let funds = Funds::of(m, ["//Directory", "//Directory//altering"]).await;
	let (late, vanishing, silent, altered_job, altered_output) = futures::join!(
		a_provider_never_answers(m, late),
		a_creator_vanishes(m, vanishing),
		a_mediator_is_silent(m, silent),
		a_directory_alters_a_job(m, altered_job),
		a_directory_alters_an_output(m, altered_output),
	);
	funds.check(m, [&[late, vanishing, silent], &[altered_job, altered_output]]).await;
}

/// What those have who send no transactions: so it is known down to the last base unit.
struct Funds {
	directories: [&'static str; 2],
	earned: [Balance; 2],
	fines: Balance,
}

impl Funds {
	async fn of(market: &Market, directories: [&'static str; 2]) -> Self {
		let [one, other] = directories.map(account);
		let earned = [market.money(one).await, market.money(other).await];
		Self { directories, earned, fines: market.money(table::fines()).await }
	}

	/// Checks that they got what these settlements say, which are those of either directory.
	async fn check(self, market: &Market, settlements: [&[Settlement]; 2]) {
		let after = Self::of(market, self.directories).await;
		for (k, settlements) in settlements.iter().enumerate() {
			let due = total(settlements, |payout| payout.to_directory);
			assert_eq!(after.earned[k] - self.earned[k], due, "{}", self.directories[k]);
		}
		let fines = total(&settlements.concat(), |payout| payout.to_fines);
		assert_eq!(after.fines - self.fines, fines);
	}
}

fn total(settlements: &[Settlement], part: fn(&Payout) -> Balance) -> Balance {
	settlements.iter().map(|s| part(&s.from_creator) + part(&s.from_provider)).sum()
}

/// A job from the command line to its result; another while the provider is killed; one that nobody takes.
async fn a_user_has_a_job_run(market: &Market, cell: Cell) -> Vec<Settlement> {
	let mut provider = market.provider(&cell, None);
	let before = Money::of(market, &cell).await;
	let (code, answer) = market.submit(&cell, "--verify always").await;
	assert_eq!((code, &answer["stage"]), (0, &Value::from("done")), "{answer}");
	let id = closed_match(&answer);
	let first = table::check(market, &cell, before, id, Ending::Accepted).await;
	assert!(first.from_creator.to_counterparty > 0);
	audit(market, &cell, id).await;

	// A second process of the role is refused, and says why.
	let (code, refused) = market.run(&cell.provider(), "provider run").await;
	assert_eq!(code, 2, "{refused}");
	assert!(refused.to_string().contains("another process"), "{refused}");

	// A provider that is killed goes on where it was, and offers again by itself.
	provider.kill();
	let answer = market.does(&cell.creator(), &market.submission(&cell, "--detach")).await;
	let job = answer["job"].as_u64().unwrap();
	market.does(&cell.creator(), &format!("job status {job}")).await;
	provider.restart();
	let answer = market.does(&cell.creator(), &format!("job wait {job}")).await;
	let (_, second) = market.closing(closed_match(&answer)).await;
	let started = Instant::now();
	while market.does(&cell.provider(), "provider earnings").await["accepted"] != 2 {
		assert!(started.elapsed() < PATIENCE);
	}
	provider.kill();

	// What nobody takes can be taken back, and its money is free again.
	let offers = market.snapshot().await.resource_offers().await.unwrap();
	let mine = offers.iter().filter(|(_, offer)| offer.provider == account(&cell.provider()));
	for (id, _) in mine {
		market.does(&cell.provider(), &format!("offer cancel resource {id}")).await;
	}
	let answer = market.does(&cell.creator(), &market.submission(&cell, "--detach")).await;
	let job = answer["job"].as_u64().unwrap();
	let status = market.does(&cell.creator(), &format!("job status {job}")).await;
	assert!(status["line"].as_str().unwrap().contains("no "), "{status}");
	let answer = market.does(&cell.creator(), &format!("job cancel {job}")).await;
	assert_eq!(answer["stage"], "withdrawn", "{answer}");
	let snapshot = market.snapshot().await;
	let creator = snapshot.job_creator(account(&cell.creator())).await.unwrap().unwrap();
	assert_eq!(creator.commitments, 0);
	let list = market.does(&cell.creator(), "job list").await;
	assert_eq!(list.as_array().unwrap().len(), 3);
	vec![first, second]
}

pub async fn a_provider_cheats(
	market: &Market,
	cell: Cell,
	cheat: &str,
	verdict: Verdict,
) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _agents = (market.provider(&cell, Some(cheat)), market.mediator(&cell, None));
	let (code, answer) = market.submit(&cell, "--verify always").await;
	assert_eq!(code, 14, "{cheat}: {answer}");
	let id = closed_match(&answer);
	let settled = table::check(market, &cell, before, id, mediated(verdict)).await;
	// θ + n times v, less what one run costs the creator and n runs the mediator.
	assert!(settled.from_provider.to_fines >= table::value() * 49, "{cheat}: d is lost");
	audit(market, &cell, id).await;
	settled
}

async fn a_provider_never_answers(market: &Market, cell: Cell) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _provider = market.provider(&cell, Some("never-answers"));
	let (code, answer) = market.submit(&cell, "--time-limit 30s").await;
	assert_eq!(code, 14, "{answer}");
	table::check(market, &cell, before, closed_match(&answer), Ending::ProviderTimedOut).await
}

/// The provider accepts in its place.
async fn a_creator_vanishes(market: &Market, cell: Cell) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _provider = market.provider(&cell, None);
	market.does(&cell.creator(), &market.submission(&cell, "--detach")).await;
	let _creator = market.creator(&cell, Some("vanishes"));
	let id = market.matched(&cell).await;
	let settled = table::check(market, &cell, before, id, Ending::Accepted).await;
	assert!(settled.from_creator.to_counterparty > 0);
	settled
}

async fn a_creator_rejects_good_results(market: &Market, cell: Cell) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _agents = (market.provider(&cell, None), market.mediator(&cell, None));
	market.does(&cell.creator(), &market.submission(&cell, "--detach")).await;
	let _creator = market.creator(&cell, Some("rejects-good-results"));
	let id = market.matched(&cell).await;
	let ending = mediated(Verdict::CorrectResults);
	let settled = table::check(market, &cell, before, id, ending).await;
	assert!(settled.from_creator.to_fines >= table::value() * 49, "d is lost");
	settled
}

/// Half of v for the provider, though it forged its result, and no fee for the mediator.
async fn a_mediator_is_silent(market: &Market, cell: Cell) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _provider = market.provider(&cell, Some("forges-results"));
	let _mediator = market.mediator(&cell, Some("stays-silent"));
	let (code, answer) = market.submit(&cell, "--verify always").await;
	assert_eq!(code, 14, "{answer}");
	let id = closed_match(&answer);
	table::check(market, &cell, before, id, Ending::MediatorTimedOut).await
}

/// Both run the job; one result is posted.
async fn two_machines_of_one_account(market: &Market, cell: Cell) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _one = market.provider(&cell, None);
	let _other = market.start_elsewhere(&cell.provider(), "provider run");
	let (code, answer) = market.submit(&cell, "--verify never").await;
	assert_eq!(code, 0, "{answer}");
	let settled =
		table::check(market, &cell, before, closed_match(&answer), Ending::Accepted).await;
	let both = [cell.provider(), elsewhere(&cell.provider())];
	market.logged(&both, "another agent of this account").await;
	settled
}

/// Nobody can run what does not have the offered hash; the provider says so and is not to blame.
async fn a_directory_alters_a_job(market: &Market, cell: Cell) -> Settlement {
	let before = Money::of(market, &cell).await;
	let submission = market.submission(&cell, "--detach --time-limit 60s");
	let answer = market.does(&cell.creator(), &submission).await;
	let job_hash = market.offered(&cell).await;
	alter(&market.blob(&cell.directory, &job_hash));
	let _provider = market.provider(&cell, None);
	let job = answer["job"].as_u64().unwrap();
	let (code, answer) = market.run(&cell.creator(), &format!("job wait {job}")).await;
	assert_eq!(code, 14, "{answer}");
	let id = closed_match(&answer);
	assert_eq!(market.result(id).await.status, ResultStatus::DirectoryUnavailable);
	table::check(market, &cell, before, id, Ending::Accepted).await
}

/// The creator cannot have what it should pay for, and the mediator finds the same.
async fn a_directory_alters_an_output(market: &Market, cell: Cell) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _agents = (market.provider(&cell, None), market.mediator(&cell, None));
	let answer = market.does(&cell.creator(), &market.submission(&cell, "--detach")).await;
	let id = market.matched(&cell).await;
	let result = market.result(id).await;
	alter(&market.blob(&cell.directory, &result.result_hash));
	let job = answer["job"].as_u64().unwrap();
	let (code, answer) = market.run(&cell.creator(), &format!("job wait {job}")).await;
	assert_eq!(code, 14, "{answer}");
	table::check(market, &cell, before, id, mediated(Verdict::DirectoryUnavailable)).await
}

/// Nobody can tell it from a provider that never uploaded, so the provider pays; once, for it trusts neither the
/// directory nor the mediator any more.
async fn a_directory_loses_a_result(
	market: &Market,
	cell: Cell,
	mut directory: Agent,
) -> Settlement {
	let before = Money::of(market, &cell).await;
	let _agents = (market.provider(&cell, None), market.mediator(&cell, None));
	let answer = market.does(&cell.creator(), &market.submission(&cell, "--detach")).await;
	let id = market.matched(&cell).await;
	market.result(id).await;
	directory.kill();
	std::fs::remove_dir_all(market.home(&cell.directory).join("store")).unwrap();
	directory.restart();
	let job = answer["job"].as_u64().unwrap();
	let (code, answer) = market.run(&cell.creator(), &format!("job wait {job}")).await;
	assert_eq!(code, 14, "{answer}");
	let ending = mediated(Verdict::ResultNotFound);
	let settled = table::check(market, &cell, before, id, ending).await;
	let provider = account(&cell.provider());
	market
		.event("the provider to trust the directory no more", |event| match event {
			Event::ResourceProviderRemovedTrustedDirectory { provider: by, .. } => {
				(*by == provider).then_some(())
			},
			_ => None,
		})
		.await;
	settled
}

/// Changes the first byte of a file.
fn alter(file: &Path) {
	let mut bytes = std::fs::read(file).unwrap();
	bytes[0] ^= 1;
	std::fs::write(file, bytes).unwrap();
}

/// Audits a closed match by somebody who has nothing to do with it; then again from the file, without a chain; then
/// what somebody has changed in the file.
async fn audit(market: &Market, cell: &Cell, id: MatchId) {
	if market.is_light() {
		// The light client sees no history: an auditor asks a node that keeps it.
		return;
	}
	let auditor = format!("//Auditor//{}", cell.name);
	let found = market.does(&auditor, &format!("match audit {id} --out match.json")).await;
	assert_eq!(found["ok"], true, "{found}");
	let file = market.home(&auditor).join("match.json");
	let (code, again) = market.run_offline(&auditor, "match audit --check match.json").await;
	assert_eq!(code, 0, "{again}");
	assert_eq!((&again["ok"], &again["audit"]), (&found["ok"], &found["audit"]));

	let text = std::fs::read_to_string(file).unwrap();
	let true_audit: Value = serde_json::from_str(&text).unwrap();
	let steps = true_audit["steps"].as_array().unwrap().len();
	let forgeries: [&dyn Fn(&mut Value); 5] = [
		&|audit| {
			let payout = &mut step(audit, "match-closed")["settlement"]["from_creator"];
			payout["to_counterparty"] = json!(payout["to_counterparty"].as_u64().unwrap() + 1);
		},
		&|audit| {
			let payout = &mut step(audit, "match-closed")["settlement"]["from_provider"];
			payout["to_directory"] = json!(payout["to_directory"].as_u64().unwrap() - 1);
			payout["returned"] = json!(payout["returned"].as_u64().unwrap() + 1);
		},
		&|audit| step(audit, "match-closed")["ending"] = json!("provider-timed-out"),
		&|audit| audit["steps"][steps - 1]["time"] = json!(1),
		&|audit| drop(audit["steps"].as_array_mut().unwrap().remove(steps / 2)),
	];
	for (k, forge) in forgeries.into_iter().enumerate() {
		let mut forged = true_audit.clone();
		forge(&mut forged);
		assert_ne!(forged, true_audit);
		std::fs::write(market.home(&auditor).join("forged.json"), forged.to_string()).unwrap();
		let (code, answer) = market.run_offline(&auditor, "match audit --check forged.json").await;
		assert_eq!((code, &answer["ok"]), (12, &Value::from(false)), "forgery {k}: {answer}");
	}
}

/// The event of this name in an audit.
fn step<'a>(audit: &'a mut Value, name: &str) -> &'a mut Value {
	let steps = audit["steps"].as_array_mut().unwrap().iter_mut();
	steps
		.map(|step| &mut step["event"])
		.find(|event| event.get(name).is_some())
		.unwrap()
		.get_mut(name)
		.unwrap()
}
