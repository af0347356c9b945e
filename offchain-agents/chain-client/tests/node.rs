// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Against a real development node.

#![allow(clippy::unwrap_used)]

use modicum_chain_client::{
	AccountId, BestItem, Call, Chain, Compatibility, ConnectionSettings, Error, Event,
	FinalizedItem, Key, SubmitError, SubmitSettings, Submitter, H256,
};
use modicum_node_testing::{Network, Role};
use modicum_primitives::{
	Architecture, JobTerms, Meter, Prices, ResourceTerms, Resources, Rule, Usage,
};
use std::{collections::BTreeSet, time::Duration};

const TOKEN: u128 = 1_000_000_000_000;

fn key(name: &str) -> Key {
	Key::from_secret(&format!("//{name}")).unwrap()
}

fn account(name: &str) -> AccountId {
	key(name).account()
}

fn settings(endpoints: &[String]) -> ConnectionSettings {
	ConnectionSettings {
		patience: Duration::from_secs(20),
		..ConnectionSettings::rpc(endpoints.to_vec())
	}
}

async fn development() -> (Network, Chain) {
	let network = Network::development().await.unwrap();
	let chain = Chain::connect(settings(&[network.node("alice").rpc_url()])).await.unwrap();
	(network, chain)
}

fn submitter(chain: &Chain, name: &str) -> Submitter {
	Submitter::start(chain.clone(), key(name), SubmitSettings::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_metadata_fits_the_nodes_runtime() {
	let (network, chain) = development().await;
	let status = chain.status().await.unwrap();
	assert_eq!(
		status.compatibility,
		Compatibility::Same,
		"the runtime has changed: run scripts/metadata.sh and commit what it writes"
	);
	assert_eq!(status.endpoint, network.node("alice").rpc_url());
	assert!(status.best >= status.finalized);
	assert_eq!(chain.snapshot().await.unwrap().existential_deposit().unwrap(), TOKEN / 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_of_one_account_at_once_all_take_effect() {
	let (_network, chain) = development().await;
	let solver = submitter(&chain, "Solver");
	let target = Key::from_secret("//Target").unwrap().account();
	let transfers = (1..=10_u128).map(|tokens| {
		let solver = solver.clone();
		tokio::spawn(async move { solver.submit(Call::transfer(target, tokens * TOKEN)).await })
	});
	let transfers: Vec<_> = transfers.collect();
	let mut fees = 0;
	for transfer in transfers {
		fees += transfer.await.unwrap().unwrap().fee;
	}
	let snapshot = chain.snapshot().await.unwrap();
	assert_eq!(snapshot.account(&target).await.unwrap().free, 55 * TOKEN);
	let solver = snapshot.account(&account("Solver")).await.unwrap();
	assert_eq!(solver.free, 1_000_000 * TOKEN - 55 * TOKEN - fees);
	assert_eq!(solver.nonce, 10);
	assert!(chain.best_time().await.unwrap() >= snapshot.now().await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_wait_together_share_a_transaction_and_nothing_else() {
	let (_network, chain) = development().await;
	let creator = submitter(&chain, "Creator");
	let calls = [
		Call::register_job_creator(),
		Call::cancel_job_offer(7),
		Call::deregister_job_creator(),
		Call::register_job_creator(),
		Call::register_job_creator(),
		Call::deregister_job_creator(),
	];
	let names = [
		Ok("JobCreatorRegistered"),
		Err("JobOfferNotFound"),
		Ok("JobCreatorDeregistered"),
		Ok("JobCreatorRegistered"),
		Err("AlreadyRegistered"),
		Ok("JobCreatorDeregistered"),
	];
	// Polled in this order, so that they are queued in this order, all before the first is sent.
	let waiting = calls.into_iter().map(|call| creator.submit_early(call, None));
	let mut transactions = BTreeSet::new();
	let mut fees = 0;
	for (outcome, expected) in futures::future::join_all(waiting).await.into_iter().zip(names) {
		match (outcome, expected) {
			(Ok((included, finality)), Ok(name)) => {
				let events: Vec<_> = included.events.iter().map(Event::name).collect();
				assert_eq!(events, [name]);
				assert_eq!(finality.wait().await.unwrap(), included);
				fees += included.fee;
				transactions.insert(included.transaction);
			},
			(Err(error), Err(name)) => {
				let failure = error.failure().unwrap();
				assert!(failure.is_market(name), "{failure}");
			},
			other => panic!("{other:?}"),
		}
	}
	let snapshot = chain.snapshot().await.unwrap();
	let account = snapshot.account(&creator.account()).await.unwrap();
	// The task may have begun with the first before the others were there.
	assert!(account.nonce <= 2, "{}", account.nonce);
	assert!(transactions.len() <= 2, "{transactions:?}");
	let spent = 1_000_000 * TOKEN - account.free;
	assert!(fees < spent && spent < 2 * fees, "{fees} {spent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_submitters_of_one_account_do_each_others_calls_no_harm() {
	let (_network, chain) = development().await;
	let target = Key::from_secret("//Target").unwrap().account();
	let (one, other) = (submitter(&chain, "Solver"), submitter(&chain, "Solver"));
	let transfer = |submitter: &Submitter, tokens: u128| {
		let submitter = submitter.clone();
		tokio::spawn(async move { submitter.submit(Call::transfer(target, tokens * TOKEN)).await })
	};
	let mut sent = 0;
	for round in 1..=3 {
		let both = [(transfer(&one, round), round), (transfer(&other, 10 * round), 10 * round)];
		for (transfer, tokens) in both {
			transfer.await.unwrap().unwrap();
			sent += tokens;
		}
	}
	let snapshot = chain.snapshot().await.unwrap();
	assert_eq!(snapshot.account(&target).await.unwrap().free, sent * TOKEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_names_and_remedies_of_the_pallet() {
	let (_network, chain) = development().await;
	let solver = submitter(&chain, "Solver");
	let refused = solver.submit(Call::cancel_job_offer(7)).await.unwrap_err();
	let failure = refused.failure().unwrap();
	assert!(failure.is_market("JobOfferNotFound"), "{failure}");
	assert!(failure.explanation.contains("no such job offer"), "{failure}");
	let poor = submitter(&chain, "Nobody");
	let refused = poor.submit(Call::register_job_creator()).await.unwrap_err();
	assert!(matches!(refused, SubmitError::CannotPay { .. }), "{refused}");
	let stingy = SubmitSettings { max_fee: 1, ..SubmitSettings::default() };
	let stingy = Submitter::start(chain, key("Solver2"), stingy);
	let refused = stingy.submit(Call::register_job_creator()).await.unwrap_err();
	assert!(matches!(refused, SubmitError::FeeAboveLimit { limit: 1, .. }), "{refused}");
}

/// Registers everyone who takes part in a match, and returns who they are.
async fn register_all(chain: &Chain) -> [Submitter; 4] {
	let submitters @ [creator, provider, mediator, directory] =
		&["Creator", "Provider", "Mediator", "Directory"].map(|name| submitter(chain, name));
	let (m, d) = (mediator.account(), directory.account());
	let base = [7; 32];
	let calls = [
		(creator, Call::register_job_creator()),
		(creator, Call::job_creator_add_trusted_mediator(m)),
		(provider, Call::register_resource_provider(Architecture::Amd64, 400)),
		(provider, Call::resource_provider_add_trusted_mediator(m)),
		(provider, Call::resource_provider_add_trusted_directory(d)),
		(provider, Call::resource_provider_add_supported_base_layer(base)),
		(mediator, Call::register_mediator(Architecture::Amd64, TOKEN / 10)),
		(mediator, Call::mediator_add_trusted_directory(d)),
		(mediator, Call::mediator_add_supported_base_layer(base)),
		(directory, Call::register_directory("https://directory.example", TOKEN / 20)),
	];
	// Polled in this order, so that each account's calls are queued in this order.
	let calls = calls.into_iter().map(|(submitter, call)| submitter.submit(call));
	for outcome in futures::future::join_all(calls).await {
		outcome.unwrap();
	}
	submitters.clone()
}

fn job_terms(deadline: u64) -> JobTerms<AccountId> {
	JobTerms {
		directory: account("Directory"),
		job_hash: [1; 32],
		base_layer: [7; 32],
		architecture: Architecture::Amd64,
		limits: Resources {
			instructions: 1_000_000_000,
			ram: 1 << 20,
			storage: 1 << 20,
			bandwidth: 1 << 20,
		},
		max_prices: Prices { instruction: TOKEN / 100, bandwidth: TOKEN / 100 },
		max_availability_fee: TOKEN,
		completion_deadline: deadline,
		match_incentive: TOKEN / 100,
		meter: Meter::CpuTime,
	}
}

fn resource_terms() -> ResourceTerms {
	ResourceTerms {
		caps: Resources {
			instructions: 2_000_000_000,
			ram: 1 << 30,
			storage: 1 << 30,
			bandwidth: 1 << 30,
		},
		prices: Prices { instruction: TOKEN / 200, bandwidth: TOKEN / 200 },
		max_availability_fee: TOKEN,
		match_incentive: TOKEN / 100,
		meter: Meter::CpuTime,
		expires_at: None,
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_match_from_offers_to_acceptance_is_read_submitted_and_followed() {
	let (_network, chain) = development().await;
	let [creator, provider, mediator, directory] = register_all(&chain).await;
	let snapshot = chain.snapshot().await.unwrap();
	let first = snapshot.number() + 1;
	let registered = snapshot.resource_provider(provider.account()).await.unwrap().unwrap();
	assert_eq!(registered.trusted_mediators, [mediator.account()]);
	assert_eq!(registered.base_layers, [[7; 32]]);
	assert_eq!(snapshot.mediators().await.unwrap().len(), 1);
	let endpoint = snapshot.directory(directory.account()).await.unwrap().unwrap().endpoint;
	assert_eq!(endpoint, "https://directory.example");

	let terms = job_terms(snapshot.now().await.unwrap() + 600_000);
	let deposit = snapshot.job_offer_deposit(terms.clone(), 5).await.unwrap().unwrap();
	let parameters = snapshot.parameters().await.unwrap();
	let reckoned = modicum_primitives::job_offer_deposit(&terms, &parameters).unwrap();
	assert_eq!(deposit, reckoned + 5);
	let uri = "directory.example/jobs/0a/render";
	let posted = creator.submit(Call::post_job_offer(terms.clone(), uri, 5)).await.unwrap();
	assert!(
		matches!(&posted.events[..], [Event::JobOfferPosted { job_offer: 0, held, uri: at, .. }]
			if *held == deposit && at == uri),
		"{posted:?}"
	);
	provider.submit(Call::post_resource_offer(resource_terms(), 0)).await.unwrap();

	let solver = submitter(&chain, "Solver");
	let snapshot = chain.snapshot().await.unwrap();
	let m = mediator.account();
	assert_eq!(snapshot.feasible_mediators(0, 0).await.unwrap(), Some(vec![m]));
	assert_eq!(snapshot.broken_rules(0, 0, m).await.unwrap(), Some(vec![]));
	let rules = snapshot.broken_rules(0, 0, solver.account()).await.unwrap().unwrap();
	assert!(rules.contains(&Rule::MediatorNotTrustedByCreator), "{rules:?}");
	assert_eq!(snapshot.broken_rules(0, 9, m).await.unwrap(), None);

	// The second match cannot be made, and leaves the first as it is.
	let matched = solver.submit(Call::post_matches([(0, 0, m), (0, 0, m)])).await.unwrap();
	assert!(matches!(&matched.events[..], [Event::Matched { match_id: 0, .. }]), "{matched:?}");
	let snapshot = chain.snapshot().await.unwrap();
	let status = snapshot.match_status(0).await.unwrap().unwrap();
	assert_eq!((status.waits_on, status.record.phase.name()), (provider.account(), "running"));

	let result = modicum_primitives::Run {
		status: modicum_primitives::ResultStatus::Completed,
		result_hash: [9; 32],
		usage: Usage { instructions: 500_000_000, bandwidth: 1_000 },
	};
	provider.submit(Call::post_result(0, result, "directory.example/results/0")).await.unwrap();
	let accepted = creator.submit(Call::accept_result(0)).await.unwrap();
	assert_eq!(accepted.events.last().unwrap().name(), "MatchClosed");
	let snapshot = chain.snapshot().await.unwrap();
	assert_eq!(snapshot.match_status(0).await.unwrap(), None);
	assert_eq!(snapshot.party_record(provider.account()).await.unwrap().completed, 1);

	// Whoever comes later sees the same, from the block it names on.
	let mut seen = Vec::new();
	let mut blocks = chain.finalized_blocks(Some(first));
	let mut expected = first;
	while !seen.contains(&"MatchClosed") {
		let FinalizedItem::Block(block) = blocks.next().await.unwrap() else {
			panic!("the node keeps all blocks");
		};
		assert_eq!(block.number(), expected);
		expected += 1;
		seen.extend(block.events.iter().map(Event::name));
	}
	assert_eq!(
		seen,
		[
			"JobOfferPosted",
			"ResourceOfferPosted",
			"Matched",
			"ResultPosted",
			"ResultReaction",
			"MatchClosed"
		]
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_endpoint_takes_over_and_no_block_is_missed_or_seen_twice() {
	let mut network = Network::new("dev").unwrap();
	network.start("alice", Role::Validator).await.unwrap();
	network.start("helper", Role::Full).await.unwrap();
	let endpoints = ["helper", "alice"].map(|name| network.node(name).rpc_url());
	network.node("helper").wait_for_finalized(2).await.unwrap();
	let chain = Chain::connect(settings(&endpoints)).await.unwrap();
	assert_eq!(chain.endpoint().await.as_ref(), Some(&endpoints[0]));
	let mut blocks = chain.finalized_blocks(Some(1));
	let mut next = 1;
	let mut follow = async |count: u64| {
		for _ in 0..count {
			let FinalizedItem::Block(block) = blocks.next().await.unwrap() else {
				panic!("the nodes keep all blocks");
			};
			assert_eq!(block.number(), next);
			next += 1;
		}
	};
	follow(3).await;
	network.node_mut("helper").kill().await.unwrap();
	follow(3).await;
	assert_eq!(chain.endpoint().await.as_ref(), Some(&endpoints[1]));
	// Transactions go on as well.
	let transfer = Call::transfer(account("Creator"), TOKEN);
	submitter(&chain, "Solver").submit(transfer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_restarts_loses_no_transaction() {
	let (mut network, chain) = development().await;
	let solver = submitter(&chain, "Solver");
	solver.submit(Call::transfer(account("Creator"), TOKEN)).await.unwrap();
	let nonce = chain.snapshot().await.unwrap().account(&solver.account()).await.unwrap().nonce;
	assert_eq!(nonce, 1);
	network.node_mut("alice").kill().await.unwrap();
	let waiting = {
		let solver = solver.clone();
		tokio::spawn(async move { solver.submit(Call::transfer(account("Creator"), TOKEN)).await })
	};
	network.node_mut("alice").start().await.unwrap();
	waiting.await.unwrap().unwrap();
	let nonce = chain.snapshot().await.unwrap().account(&solver.account()).await.unwrap().nonce;
	assert_eq!(nonce, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_is_refused_by_its_genesis_hash() {
	let network = Network::development().await.unwrap();
	let settings = ConnectionSettings {
		genesis_hash: Some(H256([1; 32])),
		..settings(&[network.node("alice").rpc_url()])
	};
	let refused = Chain::connect(settings).await.err().unwrap();
	assert!(matches!(refused, Error::WrongChain { expected, .. } if expected == H256([1; 32])));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_light_client_reads_follows_and_submits() {
	let network = Network::development().await.unwrap();
	// The specification names the node, as one of a real chain names its boot nodes.
	let spec = std::fs::read(network.spec()).unwrap();
	let mut spec: serde_json::Value = serde_json::from_slice(&spec).unwrap();
	spec["bootNodes"] = serde_json::json!([network.node("alice").address()]);
	let file = network.folder().join("light.json");
	std::fs::write(&file, spec.to_string()).unwrap();
	network.node("alice").wait_for_finalized(1).await.unwrap();

	let chain = Chain::connect(ConnectionSettings::light(file)).await.unwrap();
	assert_eq!(chain.status().await.unwrap().compatibility, Compatibility::Same);
	assert!(chain.best_time().await.unwrap() > 0);
	let creator = submitter(&chain, "Creator");
	let registered = creator.submit(Call::register_job_creator()).await.unwrap();
	assert_eq!(registered.events, [Event::JobCreatorRegistered { creator: creator.account() }]);
	let mut blocks = chain.finalized_blocks(None);
	let mut next = None;
	for _ in 0..3 {
		let FinalizedItem::Block(block) = blocks.next().await.unwrap() else {
			panic!("new blocks are not missed");
		};
		assert_eq!(block.number(), next.unwrap_or(block.number()));
		next = Some(block.number() + 1);
	}
}

/// A validator that is cut off from the other three goes on with a chain of its own, of which nothing becomes final;
/// when they meet again, its chain loses.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_on_a_fork_goes_with_it_and_everything_else_comes_again() {
	let mut alone = Network::new("local").unwrap();
	alone.start("alice", Role::Validator).await.unwrap();
	let alice = alone.node_mut("alice");
	alice.kill().await.unwrap();
	// Else it waits for others.
	alice.set_extra_arguments(&["--force-authoring"]);
	alice.start().await.unwrap();
	let mut others = Network::new(alone.spec().to_str().unwrap()).unwrap();
	for name in ["bob", "charlie", "dave"] {
		others.start(name, Role::Validator).await.unwrap();
	}

	let chain = Chain::connect(settings(&[alone.node("alice").rpc_url()])).await.unwrap();
	let solver = submitter(&chain, "Solver");
	let targets = ["Bound", "Free"].map(account);
	let mut best = chain.best_blocks();
	let decided_at = loop {
		let (BestItem::Turn(snapshot) | BestItem::Block { snapshot, .. }) =
			best.next().await.unwrap();
		if snapshot.number() > 0 {
			break snapshot;
		}
	};
	let send = |target, at| solver.submit_early(Call::transfer(target, TOKEN), at);
	let (bound, bounds_fate) = send(targets[0], Some(&decided_at)).await.unwrap();
	let (free, frees_fate) = send(targets[1], None).await.unwrap();
	assert!(bound.block > decided_at.number() && free.block > decided_at.number());
	let fork = loop {
		match best.next().await.unwrap() {
			BestItem::Block { snapshot, .. } if snapshot.number() >= free.block => break snapshot,
			BestItem::Block { .. } => {},
			BestItem::Turn(_) => panic!("nobody else is there"),
		}
	};
	for target in &targets {
		assert_eq!(fork.account(target).await.unwrap().free, TOKEN);
	}

	others.node("bob").wait_for_best(fork.number() as u32 + 3).await.unwrap();
	let peer = jsonrpsee::rpc_params![others.node("bob").address()];
	alone.node("alice").call::<()>("system_addReservedPeer", peer).await.unwrap();
	while !matches!(best.next().await.unwrap(), BestItem::Turn(_)) {}
	let lost = bounds_fate.wait().await.unwrap_err();
	assert!(matches!(lost, SubmitError::Forked { .. }), "{lost}");
	let included = frees_fate.wait().await.unwrap();
	assert_ne!(included.block_hash, free.block_hash);
	let snapshot = chain.snapshot_at(included.block).await.unwrap();
	let [lost, came] = targets;
	assert_eq!(snapshot.account(&lost).await.unwrap().free, 0);
	assert_eq!(snapshot.account(&came).await.unwrap().free, TOKEN);
	// The lost transaction's nonce did not hold up the one after it, and the next goes on from there.
	assert_eq!(snapshot.account(&solver.account()).await.unwrap().nonce, 2);
	solver.submit(Call::transfer(lost, TOKEN)).await.unwrap();
	// A block of the lost fork is nothing to decide on any more.
	let refused = solver.submit_early(Call::transfer(lost, TOKEN), Some(&fork)).await.unwrap_err();
	assert!(matches!(refused, SubmitError::Forked { .. } | SubmitError::Chain(_)), "{refused}");
}
