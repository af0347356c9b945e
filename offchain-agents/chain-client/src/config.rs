// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How subxt is to talk to a MODiCuM chain.

use subxt::{
	config::{
		substrate::{AccountId32, MultiAddress, MultiSignature, SubstrateHeader},
		Config, DefaultTransactionExtensions, HashFor, SubstrateConfig,
	},
	ArcMetadata,
};

/// An ordinary Substrate chain whose addresses have no account index.
///
/// A clone shares the cache of metadata: use clones for connections to one chain, and a new value for another.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChainConfig(SubstrateConfig);

impl Config for ChainConfig {
	type AccountId = AccountId32;
	type Address = MultiAddress<AccountId32, ()>;
	type AssetId = <SubstrateConfig as Config>::AssetId;
	type Hasher = <SubstrateConfig as Config>::Hasher;
	type Header = SubstrateHeader<HashFor<SubstrateConfig>>;
	type Signature = MultiSignature;
	type TransactionExtensions = DefaultTransactionExtensions<Self>;

	fn genesis_hash(&self) -> Option<HashFor<Self>> {
		self.0.genesis_hash()
	}

	fn metadata_for_spec_version(&self, spec_version: u32) -> Option<ArcMetadata> {
		self.0.metadata_for_spec_version(spec_version)
	}

	fn set_metadata_for_spec_version(&self, spec_version: u32, metadata: ArcMetadata) {
		self.0.set_metadata_for_spec_version(spec_version, metadata);
	}

	fn spec_and_transaction_version_for_block_number(&self, number: u64) -> Option<(u32, u32)> {
		self.0.spec_and_transaction_version_for_block_number(number)
	}
}

/// The client of one connection.
pub(crate) type Client = subxt::OnlineClient<ChainConfig>;

/// The client at one block.
pub(crate) type ClientAtBlock =
	subxt::client::ClientAtBlock<ChainConfig, subxt::client::OnlineClientAtBlockImpl<ChainConfig>>;

/// JSON-RPC methods that subxt's clients do not offer.
pub(crate) type LegacyMethods =
	subxt::rpcs::LegacyRpcMethods<subxt::config::RpcConfigFor<ChainConfig>>;
