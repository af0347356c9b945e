// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! JSON-RPC methods beyond those that every node of this family has (system, author, chain,
//! state, chainHead, archive, transaction): account nonces, fees, and the state of finality.

use crate::service::{FullBackend, FullClient};
use jsonrpsee::RpcModule;
use modicum_runtime::{opaque::Block, BlockNumber, Hash};
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_service::SpawnTaskHandle;
use sc_transaction_pool_api::TransactionPool;
use std::{error::Error, sync::Arc};
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the finality methods read.
#[derive(Clone)]
pub struct Finality {
	/// State of the voter, once it runs.
	pub voter_state: SharedVoterState,
	/// Present authorities.
	pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	/// Justifications as they come.
	pub justifications: GrandpaJustificationStream<Block>,
	/// Proofs of finality of past blocks.
	pub proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// All methods of this module.
///
/// # Errors
///
/// Two methods have the same name.
pub fn create<P>(
	client: Arc<FullClient>,
	pool: Arc<P>,
	finality: Finality,
	executor: SpawnTaskHandle,
) -> Result<RpcModule<()>, Box<dyn Error + Send + Sync>>
where
	P: TransactionPool<Block = Block> + 'static,
{
	let mut module = RpcModule::new(());
	module.merge(System::new(client.clone(), pool).into_rpc())?;
	module.merge(TransactionPayment::new(client).into_rpc())?;
	module.merge(
		Grandpa::new(
			Arc::new(executor),
			finality.authority_set,
			finality.voter_state,
			finality.justifications,
			finality.proofs,
		)
		.into_rpc(),
	)?;
	Ok(module)
}
