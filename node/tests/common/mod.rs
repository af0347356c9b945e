// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Transactions and storage of a running node, in the runtime's own types.

#![allow(dead_code, reason = "each test file uses a part")]

use codec::{Decode, Encode};
use modicum_node_testing::{Error, Network, Node};
use modicum_runtime::{
	AccountId, Address, Hash, Runtime, RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic,
	VERSION,
};
use sp_keyring::Sr25519Keyring;
use sp_runtime::generic::Era;
use sp_storage::StorageKey;

/// The validators of the local network.
pub const NAMES: [&str; 4] = ["alice", "bob", "charlie", "dave"];

/// The local network, all validators answering.
pub async fn four_validators() -> Result<Network, Error> {
	let mut network = Network::new("local")?;
	network.start_validators(NAMES).await?;
	Ok(network)
}

/// All nodes of these names have finalised `number`, and agree on what it is.
pub async fn assert_agreement(network: &Network, names: &[&str], number: u32) -> Result<(), Error> {
	let mut hashes = Vec::new();
	for name in names {
		network.node(name).wait_for_finalized(number).await?;
		hashes.push(network.node(name).block_hash(number).await?);
	}
	assert!(hashes.iter().all(|hash| hash.is_some() && *hash == hashes[0]), "{hashes:?}");
	Ok(())
}

/// Parameters of a JSON-RPC call.
#[macro_export]
macro_rules! params {
	($($value:expr),* $(,)?) => {{
		#[allow(unused_mut)]
		let mut params = jsonrpsee::core::params::ArrayParams::new();
		$(params.insert($value).expect("the value serialises");)*
		params
	}};
}

/// Bytes as JSON-RPC writes them.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

/// Bytes from the hexadecimal of JSON-RPC.
pub fn unhex(text: &str) -> Vec<u8> {
	hex::decode(text.trim_start_matches("0x")).expect("the node writes hexadecimal")
}

/// Sign `call` as `signer` for the runtime version `spec_version` and send it to the node's pool.
pub async fn submit_at(
	node: &Node,
	signer: Sr25519Keyring,
	call: RuntimeCall,
	spec_version: u32,
) -> Result<(), Error> {
	let genesis: Hash = node.call("chain_getBlockHash", params![0]).await?;
	let account = signer.to_account_id();
	let nonce: u32 = node.call("system_accountNextIndex", params![account]).await?;
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckEra::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_transaction_payment::ChargeTransactionPayment::from(0),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let implicit =
		((), (), spec_version, VERSION.transaction_version, genesis, genesis, (), (), (), None, ());
	let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
	let signature = payload.using_encoded(|bytes| signer.sign(bytes));
	let transaction = UncheckedExtrinsic::new_signed(
		call,
		Address::Id(signer.to_account_id()),
		signature.into(),
		extension,
	);
	let _: Hash = node.call("author_submitExtrinsic", params![hex(transaction.encode())]).await?;
	Ok(())
}

/// As [`submit_at`], for the runtime that this test was built with.
pub async fn submit(node: &Node, signer: Sr25519Keyring, call: RuntimeCall) -> Result<(), Error> {
	submit_at(node, signer, call, VERSION.spec_version).await
}

/// The bytes under `key` in the best block.
async fn raw_storage(node: &Node, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
	let value: Option<String> =
		node.call("state_getStorage", params![StorageKey(key.to_vec())]).await?;
	Ok(value.as_deref().map(unhex))
}

/// The value under `key` in the best block.
pub async fn storage<T: Decode>(node: &Node, key: &[u8]) -> Result<Option<T>, Error> {
	let value = raw_storage(node, key).await?;
	Ok(value.map(|value| T::decode(&mut &value[..]).expect("the storage is of this runtime")))
}

/// `Some` if there is a value under `key` in the best block.
pub async fn exists(node: &Node, key: &[u8]) -> Result<Option<()>, Error> {
	Ok(raw_storage(node, key).await?.map(|_| ()))
}

/// The accounts that validate in the best block's session.
pub async fn validators(node: &Node) -> Result<Vec<AccountId>, Error> {
	let key = pallet_session::Validators::<Runtime>::hashed_key();
	Ok(storage(node, &key).await?.unwrap_or_default())
}

/// Spec version of the runtime that the best block runs.
pub async fn spec_version(node: &Node) -> Result<u32, Error> {
	let version: serde_json::Value = node.call("state_getRuntimeVersion", params![]).await?;
	Ok(version["specVersion"].as_u64().expect("a version has a number") as u32)
}

/// Apply the upgrade to `code` that was authorised, which anybody may, and wait until it is in force; its version.
pub async fn apply_upgrade(node: &Node, code: &[u8]) -> Result<u32, Error> {
	let apply = frame_system::Call::apply_authorized_upgrade { code: code.to_vec() };
	submit(node, Sr25519Keyring::Charlie, RuntimeCall::System(apply)).await?;
	let next = VERSION.spec_version + 1;
	node.wait_until("the next runtime", || async {
		Ok((spec_version(node).await? == next).then_some(()))
	})
	.await?;
	Ok(next)
}
