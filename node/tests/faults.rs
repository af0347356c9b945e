// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What four validators bear: two of them gone, one behind the others, the network split in two, the runtime upgraded
//! while transactions stream in.

mod common;

use codec::Decode;
use common::{
	apply_upgrade, assert_agreement, four_validators, spec_version, storage, submit, submit_at,
	NAMES,
};
use frame_system::AccountInfo;
use modicum_node_testing::{Error, Network, Node, Role};
use modicum_runtime::{constants::UNIT, AccountId, Balance, Runtime, RuntimeCall, VERSION};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Eve, Ferdie, One};
use sp_runtime::traits::{BlakeTwo256, Hash};
use std::{
	sync::atomic::{AtomicBool, Ordering},
	time::Duration,
};

/// An account that nobody has a key of.
const SINK: AccountId = AccountId::new([9; 32]);

type Account = AccountInfo<u32, pallet_balances::AccountData<Balance>>;

async fn account(node: &Node, who: &AccountId) -> Result<Account, Error> {
	let key = frame_system::Account::<Runtime>::hashed_key_for(who);
	Ok(storage(node, &key).await?.unwrap_or_default())
}

/// What the sink has as of the last finalised block.
async fn finally_in_the_sink(node: &Node) -> Result<Balance, Error> {
	let head: String = node.call("chain_getFinalizedHead", params![]).await?;
	let key = frame_system::Account::<Runtime>::hashed_key_for(SINK);
	let value: Option<String> =
		node.call("state_getStorage", params![common::hex(key), head]).await?;
	let account = value.map(|value| {
		Account::decode(&mut &common::unhex(&value)[..]).expect("the storage is of this runtime")
	});
	Ok(account.unwrap_or_default().data.free)
}

fn pay_the_sink() -> RuntimeCall {
	RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
		dest: SINK.into(),
		value: UNIT,
	})
}

/// Finality stands still at `node` while `blocks` more are made; where it stands.
async fn finality_stands_still(node: &Node, blocks: u32) -> Result<u32, Error> {
	// Votes that were under way may still finalise a block or two.
	node.wait_for_best(node.best().await? + 3).await?;
	let finalized = node.finalized().await?;
	node.wait_for_best(node.best().await? + blocks).await?;
	assert_eq!(node.finalized().await?, finalized, "{} finalises alone", node.name());
	Ok(finalized)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_two_of_four_nothing_is_final_and_nothing_lost() -> Result<(), Error> {
	let mut network = four_validators().await?;
	assert_agreement(&network, &NAMES, 2).await?;
	for name in ["charlie", "dave"] {
		network.node_mut(name).kill().await?;
	}
	let alice = network.node("alice");
	finality_stands_still(alice, 2).await?;

	// Transactions still get into blocks, but are not final.
	submit(alice, Bob, pay_the_sink()).await?;
	network
		.node("bob")
		.wait_until("the payment", || async {
			let sink = account(network.node("bob"), &SINK).await?;
			Ok((sink.data.free == UNIT).then_some(()))
		})
		.await?;
	finality_stands_still(alice, 1).await?;
	assert_eq!(finally_in_the_sink(alice).await?, 0);

	let best = alice.best().await?;
	for name in ["charlie", "dave"] {
		network.node_mut(name).start().await?;
	}
	assert_agreement(&network, &NAMES, best + 1).await?;
	for name in NAMES {
		assert_eq!(finally_in_the_sink(network.node(name)).await?, UNIT, "{name}");
	}
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_lag_behind_catch_up() -> Result<(), Error> {
	let mut network = four_validators().await?;
	assert_agreement(&network, &NAMES, 2).await?;

	// One sleeps while the others go on; another comes when they are far.
	network.node("dave").pause()?;
	let goal = network.node("alice").finalized().await? + 12;
	assert_agreement(&network, &NAMES[..3], goal).await?;
	network.start("late", Role::Full).await?;
	network.node("dave").resume()?;
	assert_agreement(&network, &["alice", "dave", "late"], goal + 2).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a network namespace of its own: scripts/test-network.sh"]
async fn halves_of_a_split_network_finalise_nothing_and_agree_when_it_is_healed(
) -> Result<(), Error> {
	let mut network = Network::in_namespaces("local")?;
	network.start_validators(NAMES).await?;
	assert_agreement(&network, &NAMES, 2).await?;
	let half = ["alice", "bob"];
	network.split(&half)?;
	let (alice, charlie) = (network.node("alice"), network.node("charlie"));
	let (stands, other) =
		tokio::join!(finality_stands_still(alice, 2), finality_stands_still(charlie, 2));
	let stands = stands?.max(other?);

	// Each half has gone its own way, and each has taken a payment by the same account.
	let fork = alice.best().await?.min(charlie.best().await?);
	assert_ne!(alice.block_hash(fork).await?, charlie.block_hash(fork).await?);
	for node in [alice, charlie] {
		submit(node, Bob, pay_the_sink()).await?;
		node.wait_until("the payment", || async {
			Ok((account(node, &SINK).await?.data.free == UNIT).then_some(()))
		})
		.await?;
	}
	let best = alice.best().await?.max(charlie.best().await?);
	assert!(best > stands);

	network.heal(&half)?;
	assert_agreement(&network, &NAMES, best + 2).await?;
	for name in NAMES {
		// Paid in both halves, it counts once.
		assert_eq!(finally_in_the_sink(network.node(name)).await?, UNIT, "{name}");
	}
	Ok(())
}

/// Pays the sink again and again until told to stop. What the pool refuses or forgets is sent anew: the nonce sees to
/// it that no payment is made twice.
async fn stream(node: &Node, from: Sr25519Keyring, stop: &AtomicBool) -> Result<(), Error> {
	while !stop.load(Ordering::Relaxed) {
		let version = spec_version(node).await?;
		// Refused if the runtime is upgraded right now.
		let _ = submit_at(node, from, pay_the_sink(), version).await;
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	Ok(())
}

/// How many transactions of the payers the best chain has taken.
async fn taken(node: &Node, payers: &[Sr25519Keyring]) -> Result<u32, Error> {
	let mut sum = 0;
	for payer in payers {
		sum += account(node, &payer.to_account_id()).await?.nonce;
	}
	Ok(sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_is_upgraded_while_transactions_stream_in() -> Result<(), Error> {
	let network = four_validators().await?;
	let alice = network.node("alice");
	alice.wait_for_finalized(1).await?;
	// Each payer speaks to a node of its own.
	let payers = [Bob, Eve, Ferdie, One];
	let stop = AtomicBool::new(false);
	let load = futures::future::try_join_all(
		NAMES.iter().zip(payers).map(|(name, payer)| stream(network.node(name), payer, &stop)),
	);
	let upgrade = async {
		alice
			.wait_until("payments", || async {
				Ok((taken(alice, &payers).await? >= 20).then_some(()))
			})
			.await?;
		let code = modicum_runtime_next::WASM_BINARY.expect("built with its WASM");
		let authorize =
			frame_system::Call::authorize_upgrade { code_hash: BlakeTwo256::hash(code) };
		let call = Box::new(RuntimeCall::System(authorize));
		submit(alice, Alice, RuntimeCall::Sudo(pallet_sudo::Call::sudo { call })).await?;
		let authorized = frame_support::storage::storage_prefix(b"System", b"AuthorizedUpgrade");
		alice.wait_until("the authorised upgrade", || common::exists(alice, &authorized)).await?;
		apply_upgrade(alice, code).await?;
		let before = taken(alice, &payers).await?;
		alice
			.wait_until("payments by the next runtime", || async {
				Ok((taken(alice, &payers).await? >= before + 20).then_some(()))
			})
			.await?;
		stop.store(true, Ordering::Relaxed);
		Ok::<_, Error>(())
	};
	tokio::try_join!(load, upgrade)?;

	// What the pools still hold gets into blocks, or is forgotten as of the earlier runtime.
	for name in NAMES {
		let node = network.node(name);
		node.wait_until("an empty pool", || async {
			let pending: Vec<String> = node.call("author_pendingExtrinsics", params![]).await?;
			Ok(pending.is_empty().then_some(()))
		})
		.await?;
	}
	let best = alice.best().await?;
	assert_agreement(&network, &NAMES, best + 2).await?;
	let paid = Balance::from(taken(alice, &payers).await?);
	assert_eq!(account(alice, &SINK).await?.data.free, paid * UNIT);
	for name in NAMES {
		assert_eq!(finally_in_the_sink(network.node(name)).await?, paid * UNIT, "{name}");
		assert_eq!(spec_version(network.node(name)).await?, VERSION.spec_version + 1, "{name}");
	}
	Ok(())
}
