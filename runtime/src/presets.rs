// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Genesis states: a chain of one validator for development, a local network of four, and the
//! frame of a production network that its founders fill in.

use crate::{
	configs::FinesAccount,
	constants::{EXISTENTIAL_DEPOSIT, HOURS, MILLI_UNIT, UNIT},
	AccountId, Balance, BalancesConfig, BlockNumber, CouncilConfig, ModicumConfig,
	RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig, ValidatorSetConfig,
};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use hex_literal::hex;
use modicum_primitives::Parameters;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// The frame of a production network: no accounts, no validators, no sudo; long sessions and
/// deadlines of hours.
pub const PRODUCTION_RUNTIME_PRESET: &str = "production";

/// The accounts of the roles on development chains, by the secret that derives each.
pub const ROLE_ACCOUNTS: [(&str, [u8; 32]); 7] = [
	("//Creator", hex!("0ccd1a8dca9aebea3ef92527511605640cf10c851c627ba1c661ea854ccb3536")),
	("//Provider", hex!("ea3801477a2f2e35ac843d34bcc01a20e8cf72eab1ee8f016c189a3ebdb68b36")),
	("//Provider2", hex!("cad679560341a4d8b0138365e87ebdecb88a0277b4260b0dfcef8e732a93ee56")),
	("//Mediator", hex!("f883f9545b1a07c2a7aa21bff7a5b5cd920d1547f833b923202c85e25dbbf464")),
	("//Solver", hex!("ec3672e23dd9b3fad420173ac6e3c1f4c84ab5a8c2c9c29382e4ff24dc441a60")),
	("//Solver2", hex!("8e3bc6d21bcf95dee23e0d4d2a089a2e84857f522d8ecd5d21ad75bc1dba4334")),
	("//Directory", hex!("86b27f9b2d3e1c13b5e18cfd63c110ce7ce5fab5c51292f3f5808086bbdac146")),
];

/// What each funded account of a development chain starts with.
const ENDOWMENT: Balance = 1_000_000 * UNIT;

/// Sessions of development chains are short, so that a change of validators is seen within a
/// minute.
const DEVELOPMENT_SESSION: BlockNumber = 10;

/// The paper's θ and n with deadlines that a developer can wait for: half a minute to react, a minute
/// to mediate, ten seconds until the chain acts by itself.
fn development_parameters() -> Parameters {
	const SECOND: u64 = 1_000;
	Parameters {
		reaction_deadline: 30 * SECOND,
		mediation_deadline: 60 * SECOND,
		min_match_incentive: MILLI_UNIT,
		auto_close_grace: 10 * SECOND,
		..Parameters::default()
	}
}

/// A validator of a development chain: `//Name//stash` is its account, `//Name` makes its keys.
/// Tools that write `session.keys` for a local network use the same accounts.
fn validator(
	stash: Sr25519Keyring,
	aura: Sr25519Keyring,
	grandpa: Ed25519Keyring,
) -> (AccountId, AccountId, SessionKeys) {
	let account = stash.to_account_id();
	let keys = SessionKeys { aura: aura.public().into(), grandpa: grandpa.public().into() };
	(account.clone(), account, keys)
}

fn development_genesis(validators: Vec<(AccountId, AccountId, SessionKeys)>) -> Value {
	let well_known = Sr25519Keyring::well_known().map(|key| key.to_account_id());
	let roles = ROLE_ACCOUNTS.iter().map(|(_, public)| AccountId::new(*public));
	let council = [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie];
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: well_known
				.chain(roles)
				.map(|account| (account, ENDOWMENT))
				.chain([(FinesAccount::get(), EXISTENTIAL_DEPOSIT)])
				.collect::<Vec<_>>(),
		},
		session: SessionConfig { keys: validators },
		validator_set: ValidatorSetConfig { session_length: DEVELOPMENT_SESSION },
		council: CouncilConfig { members: council.map(|key| key.to_account_id()).to_vec() },
		sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
		modicum: ModicumConfig { parameters: development_parameters() },
	})
}

fn development() -> Value {
	use Ed25519Keyring as Ed;
	use Sr25519Keyring as Sr;
	development_genesis(vec![validator(Sr::AliceStash, Sr::Alice, Ed::Alice)])
}

fn local_testnet() -> Value {
	use Ed25519Keyring as Ed;
	use Sr25519Keyring as Sr;
	development_genesis(vec![
		validator(Sr::AliceStash, Sr::Alice, Ed::Alice),
		validator(Sr::BobStash, Sr::Bob, Ed::Bob),
		validator(Sr::CharlieStash, Sr::Charlie, Ed::Charlie),
		validator(Sr::DaveStash, Sr::Dave, Ed::Dave),
	])
}

fn production() -> Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig { balances: vec![(FinesAccount::get(), EXISTENTIAL_DEPOSIT)] },
		session: SessionConfig { keys: vec![] },
		validator_set: ValidatorSetConfig { session_length: HOURS },
		council: CouncilConfig { members: vec![] },
		modicum: ModicumConfig {
			parameters: Parameters {
				min_match_incentive: 10 * MILLI_UNIT,
				..Parameters::default()
			},
		},
	})
}

/// The genesis patch of the preset called `id`.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(),
		LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
		PRODUCTION_RUNTIME_PRESET => production(),
		_ => return None,
	};
	Some(serde_json::to_vec(&patch).expect("a JSON value serialises; qed"))
}

/// The presets there are.
pub fn preset_names() -> Vec<PresetId> {
	[DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET, PRODUCTION_RUNTIME_PRESET]
		.map(PresetId::from)
		.to_vec()
}
