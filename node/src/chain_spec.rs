// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The networks that the node knows by name. Everything in their genesis comes from the runtime's
//! presets.

use modicum_runtime::{
	configs::SS58_PREFIX,
	constants::{TOKEN_DECIMALS, TOKEN_SYMBOL},
	presets::PRODUCTION_RUNTIME_PRESET,
	WASM_BINARY,
};
use sc_chain_spec::{ChainType, GenericChainSpec, Properties};

/// A chain specification without extensions, so that every tool can read and write it.
pub type ChainSpec = GenericChainSpec;

/// The specification called `id`, or the one in the file `id`.
///
/// # Errors
///
/// `id` is neither a network's name nor a readable specification, or this binary was built without
/// a runtime.
pub fn load(id: &str) -> Result<Box<dyn sc_chain_spec::ChainSpec>, String> {
	let spec = match id {
		"dev" => named("MODiCuM Development", "dev", ChainType::Development, "development")?,
		"" | "local" => named("MODiCuM Local Testnet", "local", ChainType::Local, "local_testnet")?,
		"production" => named("MODiCuM", "modicum", ChainType::Live, PRODUCTION_RUNTIME_PRESET)?,
		path => {
			ChainSpec::from_json_file(path.into()).map_err(|e| {
				format!("'{path}' is neither 'dev', 'local' or 'production' nor a chain specification: {e}")
			})?
		},
	};
	Ok(Box::new(spec))
}

fn named(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let wasm = WASM_BINARY.ok_or(
		"this binary was built with SKIP_WASM_BUILD and has no runtime: \
		 build it again without, or give a chain specification's path with --chain",
	)?;
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), TOKEN_SYMBOL.into());
	properties.insert("tokenDecimals".into(), TOKEN_DECIMALS.into());
	properties.insert("ss58Format".into(), SS58_PREFIX.into());
	Ok(ChainSpec::builder(wasm, None)
		.with_name(name)
		.with_id(id)
		.with_chain_type(kind)
		.with_protocol_id("modicum")
		.with_properties(properties)
		.with_genesis_config_preset_name(preset)
		.build())
}
