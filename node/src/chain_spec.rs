// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The networks that the node knows by name. Everything in their genesis comes from the runtime's
//! presets.

use modicum_runtime::{
	configs::SS58_PREFIX,
	constants::{TOKEN_DECIMALS, TOKEN_SYMBOL},
	presets::{get_preset, PRODUCTION_RUNTIME_PRESET},
	RuntimeGenesisConfig, WASM_BINARY,
};
use sc_chain_spec::{json_merge, ChainSpec, ChainType, GenericChainSpec, GetExtension, Properties};
use sc_network::config::MultiaddrWithPeerId;
use sc_telemetry::TelemetryEndpoints;
use sp_core::storage::{well_known_keys, Storage};
use sp_runtime::BuildStorage;
use std::collections::BTreeMap;

/// The network of a preset, with a genesis built by this binary's own runtime.
///
/// A [`GenericChainSpec`] asks the WASM runtime for its genesis at every start, for which it is compiled
/// twice; this one takes milliseconds and gives the same (see docs/adr/0002-one-profile.md).
#[derive(Clone)]
struct PresetSpec {
	spec: GenericChainSpec,
	/// The preset, until another genesis is set.
	preset: Option<&'static str>,
}

/// The specification called `id`, or the one in the file `id`.
///
/// # Errors
///
/// `id` is neither a network's name nor a readable specification, or this binary was built without
/// a runtime.
pub fn load(id: &str) -> Result<Box<dyn ChainSpec>, String> {
	match id {
		"dev" => named("MODiCuM Development", "dev", ChainType::Development, "development"),
		"" | "local" => named("MODiCuM Local Testnet", "local", ChainType::Local, "local_testnet"),
		"production" => named("MODiCuM", "modicum", ChainType::Live, PRODUCTION_RUNTIME_PRESET),
		path => {
			// Without extensions, so that every tool can read and write it.
			let spec: GenericChainSpec =
				GenericChainSpec::from_json_file(path.into()).map_err(|e| {
					format!("'{path}' is neither 'dev', 'local' or 'production' nor a chain specification: {e}")
				})?;
			Ok(Box::new(spec))
		},
	}
}

/// Why a genesis without session keys is refused: GRANDPA cannot begin without an authority.
pub const NO_VALIDATORS: &str =
	"the genesis of this chain names no validator. Write its specification first \
	(modicum-node build-spec --chain production > plain.json), enter the founders under session.keys, \
	and start the node with --chain and the file's path: see docs/operating.md";

fn wasm() -> Result<&'static [u8], String> {
	let missing = "this binary was built with SKIP_WASM_BUILD and has no runtime: \
		 build it again without, or give a chain specification's path with --chain";
	WASM_BINARY.ok_or_else(|| missing.into())
}

fn named(
	name: &str,
	id: &str,
	kind: ChainType,
	preset: &'static str,
) -> Result<Box<dyn ChainSpec>, String> {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), TOKEN_SYMBOL.into());
	properties.insert("tokenDecimals".into(), TOKEN_DECIMALS.into());
	properties.insert("ss58Format".into(), SS58_PREFIX.into());
	let spec = GenericChainSpec::builder(wasm()?, None)
		.with_name(name)
		.with_id(id)
		.with_chain_type(kind)
		.with_protocol_id("modicum")
		.with_properties(properties)
		.with_genesis_config_preset_name(preset)
		.build();
	Ok(Box::new(PresetSpec { spec, preset: Some(preset) }))
}

/// The genesis of the preset called `id`: its patch of the default configuration, as the WASM runtime would
/// build it.
fn genesis(id: &str) -> Result<Storage, String> {
	let patch =
		get_preset(&id.into()).ok_or_else(|| format!("the runtime has no preset '{id}'"))?;
	let invalid = |error: serde_json::Error| format!("the preset '{id}' is invalid: {error}");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).map_err(invalid)?;
	json_merge(&mut config, serde_json::from_slice(&patch).map_err(invalid)?);
	let config: RuntimeGenesisConfig = serde_json::from_value(config).map_err(invalid)?;
	if config.session.keys.is_empty() {
		return Err(NO_VALIDATORS.into());
	}
	let mut storage = config.build_storage()?;
	storage.top.insert(well_known_keys::CODE.to_vec(), wasm()?.to_vec());
	Ok(storage)
}

impl BuildStorage for PresetSpec {
	fn assimilate_storage(&self, storage: &mut Storage) -> Result<(), String> {
		match self.preset {
			Some(preset) => genesis(preset)?.assimilate_storage(storage),
			None => self.spec.assimilate_storage(storage),
		}
	}
}

impl ChainSpec for PresetSpec {
	fn name(&self) -> &str {
		self.spec.name()
	}

	fn id(&self) -> &str {
		self.spec.id()
	}

	fn chain_type(&self) -> ChainType {
		self.spec.chain_type()
	}

	fn boot_nodes(&self) -> &[MultiaddrWithPeerId] {
		self.spec.boot_nodes()
	}

	fn telemetry_endpoints(&self) -> &Option<TelemetryEndpoints> {
		self.spec.telemetry_endpoints()
	}

	fn protocol_id(&self) -> Option<&str> {
		self.spec.protocol_id()
	}

	fn fork_id(&self) -> Option<&str> {
		self.spec.fork_id()
	}

	fn properties(&self) -> Properties {
		self.spec.properties()
	}

	fn extensions(&self) -> &dyn GetExtension {
		ChainSpec::extensions(&self.spec)
	}

	fn extensions_mut(&mut self) -> &mut dyn GetExtension {
		ChainSpec::extensions_mut(&mut self.spec)
	}

	fn add_boot_node(&mut self, address: MultiaddrWithPeerId) {
		self.spec.add_boot_node(address)
	}

	fn as_json(&self, raw: bool) -> Result<String, String> {
		let mut spec = self.spec.clone();
		if let (Some(preset), true) = (self.preset, raw) {
			ChainSpec::set_storage(&mut spec, genesis(preset)?);
		}
		spec.as_json(raw)
	}

	fn as_storage_builder(&self) -> &dyn BuildStorage {
		self
	}

	fn cloned_box(&self) -> Box<dyn ChainSpec> {
		Box::new(self.clone())
	}

	fn set_storage(&mut self, storage: Storage) {
		self.preset = None;
		self.spec.set_storage(storage);
	}

	fn code_substitutes(&self) -> BTreeMap<String, Vec<u8>> {
		self.spec.code_substitutes()
	}
}
