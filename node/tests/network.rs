// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Four validators as four processes: finality, one of them killed and returned, a fifth one
//! joining, and a runtime upgrade by the council while the chain runs.

mod common;

use codec::{Decode, Encode};
use common::{
	apply_upgrade, assert_agreement, exists, four_validators, hex, spec_version, storage, submit,
	submit_at, unhex, validators, NAMES,
};
use frame_support::{dispatch::GetDispatchInfo, storage::storage_prefix};
use modicum_node_testing::{Error, Node, Role};
use modicum_runtime::{Runtime, RuntimeCall, SessionKeys, VERSION};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Eve};
use sp_runtime::traits::{BlakeTwo256, Hash};

#[tokio::test(flavor = "multi_thread")]
async fn finality_survives_a_killed_validator_which_catches_up_when_it_returns() -> Result<(), Error>
{
	let mut network = four_validators().await?;
	assert_agreement(&network, &NAMES, 3).await?;

	network.node_mut("dave").kill().await?;
	let finalized = network.node("alice").finalized().await?;
	let goal = finalized + 5;
	assert_agreement(&network, &NAMES[..3], goal).await?;

	network.node_mut("dave").start().await?;
	assert_agreement(&network, &NAMES, goal + 2).await
}

/// Makes the node's own session keys for `owner` and registers them, as its operator would.
async fn register_keys(node: &Node, owner: Sr25519Keyring) -> Result<SessionKeys, Error> {
	let generated: serde_json::Value = node
		.call("author_rotateKeysWithOwner", params![hex(owner.to_account_id().encode())])
		.await?;
	let field = |name: &str| unhex(generated[name].as_str().expect("keys and a proof"));
	let keys = SessionKeys::decode(&mut &field("keys")[..]).expect("keys of this runtime");
	let call =
		pallet_session::Call::<Runtime>::set_keys { keys: keys.clone(), proof: field("proof") };
	submit(node, owner, RuntimeCall::Session(call)).await?;
	Ok(keys)
}

async fn registered_keys(node: &Node, owner: Sr25519Keyring) -> Result<Option<SessionKeys>, Error> {
	let key = pallet_session::NextKeys::<Runtime>::hashed_key_for(owner.to_account_id());
	storage(node, &key).await
}

/// The best block, if the holder of `keys` authored it: the author of a slot is the authority whose
/// turn it is, and nobody else can sign for it.
async fn authored_best(node: &Node, keys: &SessionKeys) -> Result<Option<u32>, Error> {
	let header: serde_json::Value = node.call("chain_getHeader", params![]).await?;
	let parent = header["parentHash"].as_str().unwrap_or_default().to_string();
	let authorities: String =
		node.call("state_call", params!["AuraApi_authorities", "0x", parent]).await?;
	type Authorities = Vec<sp_consensus_aura::sr25519::AuthorityId>;
	let authorities = Authorities::decode(&mut &unhex(&authorities)[..]).expect("authorities");
	let slot = header["digest"]["logs"]
		.as_array()
		.into_iter()
		.flatten()
		.filter_map(|log| sp_runtime::DigestItem::decode(&mut &unhex(log.as_str()?)[..]).ok())
		.find_map(|log| {
			log.pre_runtime_try_to::<sp_consensus_aura::Slot>(&sp_consensus_aura::AURA_ENGINE_ID)
		});
	let number = header["number"].as_str().unwrap_or_default().trim_start_matches("0x");
	let number = u32::from_str_radix(number, 16).expect("a header's number is hexadecimal");
	Ok(slot.and_then(|slot| {
		let turn = usize::try_from(*slot).expect("64 bits") % authorities.len();
		(authorities[turn] == keys.aura).then_some(number)
	}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_validator_joins_rotates_its_keys_and_authors_blocks() -> Result<(), Error> {
	let mut network = four_validators().await?;
	network.start("eve", Role::KeylessValidator).await?;
	let (alice, eve) = (network.node("alice"), network.node("eve"));
	alice.wait_for_finalized(1).await?;
	eve.wait_for_best(1).await?;

	let first = register_keys(eve, Eve).await?;
	eve.wait_until("the first keys on chain", || async {
		Ok((registered_keys(eve, Eve).await? == Some(first.clone())).then_some(()))
	})
	.await?;
	let add =
		pallet_validator_set::Call::<Runtime>::add_validator { who: Eve.to_account_id().into() };
	let sudo =
		pallet_sudo::Call::<Runtime>::sudo { call: Box::new(RuntimeCall::ValidatorSet(add)) };
	submit(alice, Alice, RuntimeCall::Sudo(sudo)).await?;
	alice
		.wait_until("Eve among the validators", || async {
			Ok(validators(alice).await?.contains(&Eve.to_account_id()).then_some(()))
		})
		.await?;
	eve.wait_until("a block by Eve", || authored_best(eve, &first)).await?;

	let second = register_keys(eve, Eve).await?;
	assert_ne!(first, second);
	let by_new_keys =
		eve.wait_until("a block by Eve's new keys", || authored_best(eve, &second)).await?;
	let all = ["alice", "bob", "charlie", "dave", "eve"];
	assert_agreement(&network, &all, by_new_keys).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_council_upgrades_the_runtime_of_a_running_chain() -> Result<(), Error> {
	let network = four_validators().await?;
	let alice = network.node("alice");
	alice.wait_for_finalized(1).await?;
	assert_eq!(spec_version(alice).await?, VERSION.spec_version);

	let code = modicum_runtime_next::WASM_BINARY.expect("built with its WASM");
	let authorize = RuntimeCall::System(frame_system::Call::authorize_upgrade {
		code_hash: BlakeTwo256::hash(code),
	});
	let as_root = RuntimeCall::Utility(pallet_utility::Call::batch_all {
		calls: vec![
			RuntimeCall::Whitelist(pallet_whitelist::Call::whitelist_call {
				call_hash: BlakeTwo256::hash_of(&authorize),
			}),
			RuntimeCall::Whitelist(
				pallet_whitelist::Call::dispatch_whitelisted_call_with_preimage {
					call: Box::new(authorize),
				},
			),
		],
	});
	carry_motion(alice, as_root).await?;

	let next = apply_upgrade(alice, code).await?;

	// The chain goes on, and takes transactions for the new version only.
	let best = alice.best().await?;
	assert_agreement(&network, &NAMES, best + 3).await?;
	let remark = || RuntimeCall::System(frame_system::Call::remark { remark: vec![1] });
	assert!(submit(alice, Bob, remark()).await.is_err());
	submit_at(alice, Bob, remark(), next).await
}

/// Two of the three members of the council propose, vote and close.
async fn carry_motion(node: &Node, call: RuntimeCall) -> Result<(), Error> {
	type Council = pallet_collective::Call<Runtime, modicum_runtime::configs::CouncilCollective>;
	let length_bound = call.encoded_size() as u32;
	let proposal_hash: H256 = BlakeTwo256::hash_of(&call);
	let propose = Council::propose { threshold: 2, proposal: Box::new(call.clone()), length_bound };
	submit(node, Alice, RuntimeCall::Council(propose)).await?;

	type Voting = pallet_collective::Voting<Runtime, modicum_runtime::configs::CouncilCollective>;
	let motion = Voting::hashed_key_for(proposal_hash);
	node.wait_until("the motion", || exists(node, &motion)).await?;
	for member in [Alice, Bob] {
		let vote = Council::vote { proposal: proposal_hash, index: 0, approve: true };
		submit(node, member, RuntimeCall::Council(vote)).await?;
	}
	let close = Council::close {
		proposal_hash,
		index: 0,
		proposal_weight_bound: call.get_dispatch_info().call_weight,
		length_bound,
	};
	submit(node, Charlie, RuntimeCall::Council(close)).await?;
	let authorized = storage_prefix(b"System", b"AuthorizedUpgrade");
	node.wait_until("the authorised upgrade", || exists(node, &authorized)).await
}
