// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What only the whole runtime can show: presets, filters, fees, offences, metadata.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use crate::{
	configs::ProxyType,
	constants::*,
	presets::{self, PRODUCTION_RUNTIME_PRESET, ROLE_ACCOUNTS},
	*,
};
use codec::{Decode, Encode};
use frame_metadata::{v16::PalletViewFunctionMetadata, RuntimeMetadata, RuntimeMetadataPrefixed};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::GetDispatchInfo,
	genesis_builder_helper::build_state,
	traits::{Contains, InstanceFilter, OnFinalize, OnInitialize},
	view_functions::ViewFunctionId,
};
use modicum_primitives::{Parameters, PartyRecord};
use scale_info::form::PortableForm;
use sp_consensus_grandpa::{EquivocationProof, KEY_TYPE};
use sp_core::{sr25519, Pair};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{traits::Dispatchable, Digest, DigestItem};

fn preset(id: &str) -> serde_json::Value {
	let patch = presets::get_preset(&PresetId::from(id)).unwrap();
	serde_json::from_slice(&patch).unwrap()
}

/// A chain in the genesis state of `patch`.
fn genesis(patch: &serde_json::Value) -> sp_io::TestExternalities {
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
	merge(&mut config, patch);
	let mut ext = sp_io::TestExternalities::new_empty();
	ext.execute_with(|| {
		build_state::<RuntimeGenesisConfig>(config.to_string().into_bytes()).unwrap()
	});
	ext
}

fn merge(into: &mut serde_json::Value, patch: &serde_json::Value) {
	match (into, patch) {
		(serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
			for (key, value) in patch {
				merge(into.entry(key).or_insert(serde_json::Value::Null), value);
			}
		},
		(into, value) => *into = value.clone(),
	}
}

/// Begins block `number`, authored by the first authority whose turn it can be.
fn begin_block(number: BlockNumber) {
	let slot = sp_consensus_aura::Slot::from(u64::from(number));
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode())],
	};
	System::reset_events();
	System::initialize(&number, &Default::default(), &digest);
	AllPalletsWithSystem::on_initialize(number);
	Timestamp::set_timestamp(u64::from(number) * BLOCK_TIME_MILLIS);
}

fn end_block(number: BlockNumber) {
	AllPalletsWithSystem::on_finalize(number);
}

fn run_to_block(from: BlockNumber, to: BlockNumber) {
	for number in from..=to {
		begin_block(number);
		end_block(number);
	}
}

#[test]
fn every_preset_is_listed_and_known() {
	let names = presets::preset_names();
	assert_eq!(names.len(), 3);
	assert!(names.iter().all(|name| presets::get_preset(name).is_some()));
	assert!(presets::get_preset(&PresetId::from("unknown")).is_none());
}

#[test]
fn development_presets_build_with_validators_council_and_sudo() {
	for (id, validators) in [(DEV_RUNTIME_PRESET, 1), (LOCAL_TESTNET_RUNTIME_PRESET, 4)] {
		genesis(&preset(id)).execute_with(|| {
			assert_eq!(pallet_session::Validators::<Runtime>::get().len(), validators);
			assert_eq!(pallet_validator_set::Validators::<Runtime>::get().len(), validators);
			assert_eq!(pallet_aura::Authorities::<Runtime>::get().len(), validators);
			assert_eq!(Grandpa::grandpa_authorities().len(), validators);
			assert_eq!(
				pallet_collective::Members::<Runtime, configs::CouncilCollective>::get().len(),
				3
			);
			assert_eq!(
				pallet_sudo::Key::<Runtime>::get(),
				Some(Sr25519Keyring::Alice.to_account_id())
			);
			for (_, public) in ROLE_ACCOUNTS {
				assert!(Balances::free_balance(AccountId::new(public)) >= UNIT);
			}
		});
	}
}

#[test]
fn the_production_preset_gives_nobody_anything() {
	let patch = preset(PRODUCTION_RUNTIME_PRESET);
	// The fines account exists from the start; nobody has a key to it.
	let fines = configs::FinesAccount::get();
	let balances = serde_json::json!([[fines, EXISTENTIAL_DEPOSIT as u64]]);
	assert_eq!(patch["balances"]["balances"], balances);
	assert_eq!(patch["session"]["keys"], serde_json::json!([]));
	assert_eq!(patch["sudo"]["key"], serde_json::Value::Null);
	// With its validators filled in it starts.
	let mut filled = patch;
	let example = preset(DEV_RUNTIME_PRESET);
	filled["session"] = example["session"].clone();
	filled["balances"] = example["balances"].clone();
	genesis(&filled).execute_with(|| {
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
		assert_eq!(pallet_validator_set::SessionLength::<Runtime>::get(), HOURS);
	});
}

/// The market's parameters that the preset called `id` sets.
fn market_parameters(id: &str) -> Parameters {
	serde_json::from_str(&preset(id)["modicum"]["parameters"].to_string()).unwrap()
}

#[test]
fn every_preset_has_the_papers_theta_and_n() {
	for id in [DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET, PRODUCTION_RUNTIME_PRESET] {
		let parameters = market_parameters(id);
		assert_eq!((parameters.penalty_rate, parameters.verification_count), (50, 2), "{id}");
		assert_eq!(parameters.validate(), Ok(()), "{id}");
	}
}

#[test]
fn deadlines_are_minutes_at_most_in_development_and_hours_in_production() {
	const MINUTE_MILLIS: Moment = 60_000;
	const HOUR_MILLIS: Moment = 60 * MINUTE_MILLIS;
	let deadlines = |parameters: Parameters| {
		[parameters.reaction_deadline, parameters.mediation_deadline, parameters.auto_close_grace]
	};
	for id in [DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET] {
		let parameters = market_parameters(id);
		for deadline in deadlines(parameters) {
			// A deadline is of several blocks at least, or no reaction could be in time.
			let range = 2 * BLOCK_TIME_MILLIS..=5 * MINUTE_MILLIS;
			assert!(range.contains(&deadline), "{id}: {deadline} ms");
		}
		// What the preset says is in force from the first block.
		genesis(&preset(id)).execute_with(|| {
			assert_eq!(pallet_modicum::CurrentParameters::<Runtime>::get(), parameters);
		});
	}
	for deadline in deadlines(market_parameters(PRODUCTION_RUNTIME_PRESET)) {
		assert!(deadline >= HOUR_MILLIS, "{deadline} ms");
	}
}

#[test]
fn the_least_incentive_creates_its_solver() {
	// Less than the existential deposit could not be paid to an account that has nothing yet.
	for id in [DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET, PRODUCTION_RUNTIME_PRESET] {
		assert!(market_parameters(id).min_match_incentive >= EXISTENTIAL_DEPOSIT, "{id}");
	}
}

#[test]
fn any_names_of_validators_work() {
	// What a network tool writes: `//Name//stash` accounts with keys of its own making.
	let mut patch = preset(LOCAL_TESTNET_RUNTIME_PRESET);
	let account = Sr25519Keyring::Eve.to_account_id();
	let keys = SessionKeys {
		aura: Sr25519Keyring::Ferdie.public().into(),
		grandpa: Ed25519Keyring::Ferdie.public().into(),
	};
	patch["session"]["keys"] = serde_json::json!([[account.clone(), account.clone(), keys]]);
	genesis(&patch).execute_with(|| {
		assert_eq!(pallet_validator_set::Validators::<Runtime>::get().into_inner(), [account]);
	});
}

#[test]
fn role_accounts_are_those_of_their_secrets() {
	for (secret, public) in ROLE_ACCOUNTS {
		let pair = sr25519::Pair::from_string(secret, None).unwrap();
		assert_eq!(pair.public().0, public, "{secret} is {}", hex_of(&pair.public().0));
	}
}

fn hex_of(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn amounts_are_as_documented() {
	assert_eq!(UNIT, 10u128.pow(u32::from(TOKEN_DECIMALS)));
	// Network tools endow accounts with 2 * 10^12 base units by default.
	const { assert!(EXISTENTIAL_DEPOSIT < 2_000_000_000_000) };
}

#[test]
fn calls_stay_small() {
	// Every call travels by value through the dispatch of batches, proxies and multisigs.
	assert!(core::mem::size_of::<RuntimeCall>() <= 512, "{}", core::mem::size_of::<RuntimeCall>());
}

#[test]
fn a_runtime_upgrade_fits_into_a_block() {
	let length = configs::BlockLength::get();
	let normal = *length.max.get(frame_support::dispatch::DispatchClass::Normal);
	assert!(normal > 3 * 1024 * 1024);
	let apply = RuntimeCall::System(frame_system::Call::apply_authorized_upgrade { code: vec![] });
	let weight = apply.get_dispatch_info().call_weight;
	let limits: frame_system::limits::BlockWeights = configs::BlockWeights::get();
	let class = limits.get(frame_support::dispatch::DispatchClass::Normal);
	assert!(weight.all_lt(class.max_extrinsic.unwrap_or(limits.max_block)), "{weight:?}");
}

#[test]
fn validators_cannot_purge_their_keys_behind_the_sets_back() {
	genesis(&preset(DEV_RUNTIME_PRESET)).execute_with(|| {
		let purge = RuntimeCall::Session(pallet_session::Call::purge_keys {});
		assert!(!<Runtime as frame_system::Config>::BaseCallFilter::contains(&purge));
		let validator = RuntimeOrigin::signed(Sr25519Keyring::AliceStash.to_account_id());
		assert_noop!(
			purge.dispatch(validator.clone()).map_err(|e| e.error),
			frame_system::Error::<Runtime>::CallFiltered
		);
		assert_noop!(
			ValidatorSet::purge_keys(validator),
			pallet_validator_set::Error::<Runtime>::StillValidating
		);
	});
}

#[test]
fn a_market_proxy_can_trade_but_not_pay() {
	let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_all {
		dest: Sr25519Keyring::Bob.to_account_id().into(),
		keep_alive: false,
	});
	let sudo = RuntimeCall::Sudo(pallet_sudo::Call::remove_key {});
	let proxy = RuntimeCall::Proxy(pallet_proxy::Call::remove_proxies {});
	for call in [&transfer, &sudo, &proxy] {
		assert!(ProxyType::Any.filter(call));
		assert!(!ProxyType::Market.filter(call), "{call:?}");
		assert!(!ProxyType::NonTransfer.filter(call), "{call:?}");
		assert!(!ProxyType::Governance.filter(call), "{call:?}");
	}
	let register = RuntimeCall::Modicum(pallet_modicum::Call::register_job_creator {});
	assert!(ProxyType::Market.filter(&register));
	// It holds money, and offers spend it.
	assert!(!ProxyType::NonTransfer.filter(&register));
	assert!(!ProxyType::Governance.filter(&register));
	assert!(ProxyType::Any.is_superset(&ProxyType::Market));
	assert!(!ProxyType::NonTransfer.is_superset(&ProxyType::Market));
	assert!(ProxyType::NonTransfer.is_superset(&ProxyType::Governance));
	assert!(!ProxyType::Market.is_superset(&ProxyType::NonTransfer));

	// A batch does not carry through what the proxy may not do alone.
	genesis(&preset(DEV_RUNTIME_PRESET)).execute_with(|| {
		let (owner, device) =
			(Sr25519Keyring::Alice.to_account_id(), Sr25519Keyring::Bob.to_account_id());
		assert_ok!(Proxy::add_proxy(
			RuntimeOrigin::signed(owner.clone()),
			device.clone().into(),
			ProxyType::Market,
			0
		));
		let before = Balances::free_balance(&owner);
		let batch = RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![transfer] });
		assert_ok!(Proxy::proxy(
			RuntimeOrigin::signed(device.clone()),
			owner.clone().into(),
			Some(ProxyType::Market),
			Box::new(batch)
		));
		assert_eq!(Balances::free_balance(&owner), before);
		assert_ok!(Proxy::proxy(
			RuntimeOrigin::signed(device),
			owner.into(),
			Some(ProxyType::Market),
			Box::new(register)
		));
	});
}

#[test]
fn a_proven_grandpa_equivocation_removes_the_offender() {
	genesis(&preset(LOCAL_TESTNET_RUNTIME_PRESET)).execute_with(|| {
		run_to_block(1, 1);
		begin_block(2);
		let offender = Sr25519Keyring::DaveStash.to_account_id();
		assert!(pallet_validator_set::Validators::<Runtime>::get().contains(&offender));

		let proof = equivocation(Ed25519Keyring::Dave);
		let key = sp_consensus_grandpa::AuthorityId::from(Ed25519Keyring::Dave.public());
		let owner = {
			use frame_support::traits::KeyOwnerProofSystem;
			Historical::prove((KEY_TYPE, key)).unwrap()
		};
		assert_ok!(Grandpa::report_equivocation(
			RuntimeOrigin::signed(Sr25519Keyring::Alice.to_account_id()),
			Box::new(proof),
			owner
		));
		assert!(!pallet_validator_set::Validators::<Runtime>::get().contains(&offender));
		end_block(2);

		run_to_block(3, 20);
		assert!(!pallet_session::Validators::<Runtime>::get().contains(&offender));
		assert_eq!(Grandpa::grandpa_authorities().len(), 3);
	});
}

/// Two votes of one key for different blocks in the same round.
fn equivocation(key: Ed25519Keyring) -> EquivocationProof<Hash, BlockNumber> {
	let (round, set_id) = (1, pallet_grandpa::CurrentSetId::<Runtime>::get());
	let vote = |target: u8| {
		let prevote =
			finality_grandpa::Prevote { target_hash: Hash::repeat_byte(target), target_number: 1 };
		let message = finality_grandpa::Message::Prevote(prevote.clone());
		let payload = sp_consensus_grandpa::localized_payload(round, set_id, &message);
		(prevote, key.sign(&payload).into())
	};
	EquivocationProof::new(
		set_id,
		sp_consensus_grandpa::Equivocation::Prevote(finality_grandpa::Equivocation {
			round_number: round,
			identity: key.public().into(),
			first: vote(1),
			second: vote(2),
		}),
	)
}

/// The market's view functions, as a client reads them from the metadata.
fn view_functions_of_the_market() -> Vec<PalletViewFunctionMetadata<PortableForm>> {
	assert!(Runtime::metadata_versions().contains(&16));
	let encoded = Runtime::metadata_at_version(16).unwrap();
	let RuntimeMetadataPrefixed(_, metadata) =
		RuntimeMetadataPrefixed::decode(&mut &encoded[..]).unwrap();
	let RuntimeMetadata::V16(metadata) = metadata else { panic!("not of version 16") };
	let market = metadata.pallets.into_iter().find(|pallet| pallet.name == "Modicum").unwrap();
	market.view_functions
}

#[test]
fn metadata_names_the_view_functions_of_the_market() {
	let functions = view_functions_of_the_market();
	let mut names: Vec<_> = functions.iter().map(|function| function.name.as_str()).collect();
	names.sort_unstable();
	assert_eq!(
		names,
		[
			"broken_rules",
			"feasible_mediators",
			"job_offer_deposit",
			"match_status",
			"parameters",
			"party_record",
			"resource_offer_deposit",
		]
	);
}

#[test]
fn view_functions_are_called_by_the_ids_of_the_metadata() {
	genesis(&preset(DEV_RUNTIME_PRESET)).execute_with(|| {
		let functions = view_functions_of_the_market();
		let call = |name: &str, input: Vec<u8>| {
			let function = functions.iter().find(|function| function.name == name).unwrap();
			let id = ViewFunctionId::decode(&mut &function.id[..]).unwrap();
			Runtime::execute_view_function(id, input)
		};
		let parameters = call("parameters", vec![]).unwrap();
		assert_eq!(
			Parameters::decode(&mut &parameters[..]),
			Ok(pallet_modicum::CurrentParameters::<Runtime>::get())
		);
		let creator = Sr25519Keyring::Alice.to_account_id();
		let record = PartyRecord { completed: 3, ..PartyRecord::default() };
		pallet_modicum::PartyRecords::<Runtime>::insert(&creator, record);
		let answer = call("party_record", creator.encode()).unwrap();
		assert_eq!(PartyRecord::decode(&mut &answer[..]), Ok(record));
		// What is no account is refused, not read as one.
		assert!(call("party_record", vec![1]).is_err());
	});
}
