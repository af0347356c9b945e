// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The running node, put together from the client's parts: Aura authors blocks, GRANDPA finalises
//! them, litep2p carries them, ParityDB keeps them.

use crate::{chain_spec::NO_VALIDATORS, ports, rpc};
use modicum_runtime::{apis::RuntimeApi, opaque::Block, Hash};
use sc_chain_spec::{construct_genesis_block, GenesisBlockBuilder};
use sc_client_api::{blockchain::Info, Backend, BlockBackend, BlockImportOperation};
use sc_consensus_aura::{ImportQueueParams, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{FinalityProofProvider, GrandpaBlockImport, LinkHalf, SharedVoterState};
use sc_network::{config::FullNetworkConfiguration, Litep2pNetworkBackend, NetworkBackend};
use sc_service::{
	error::Error as ServiceError, Configuration, PartialComponents, TaskManager, WarpSyncConfig,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::ProvideRuntimeApi;
use sp_consensus_aura::sr25519::AuthorityPair as AuraPair;
use sp_consensus_grandpa::GrandpaApi;
use sp_core::storage::Storage;
use sp_runtime::traits::Block as _;
use std::{sync::Arc, time::Duration};

/// Executes the runtime, always from its WASM blob.
type Executor = sc_executor::WasmExecutor<sp_io::SubstrateHostFunctions>;
/// Access to the chain and its runtime.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
type SelectChain = sc_consensus::LongestChain<FullBackend, Block>;
type BlockImport = GrandpaBlockImport<FullBackend, Block, FullClient, SelectChain>;
type Pool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
type Network = Litep2pNetworkBackend;

/// A block whose justification GRANDPA keeps even if nobody asks for it, every so many blocks: what
/// a light client or a lagging node has to fetch at most to catch up on finality.
const JUSTIFICATION_PERIOD: u32 = 512;

/// How often GRANDPA gossips, which is also how long a round lasts at least.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// What [`new_partial`] makes beside the common parts.
pub struct Extras {
	block_import: BlockImport,
	grandpa_link: LinkHalf<Block, FullClient, SelectChain>,
	telemetry: Option<Telemetry>,
}

/// The parts that subcommands need as well as a running node.
pub type Parts = PartialComponents<
	FullClient,
	FullBackend,
	SelectChain,
	sc_consensus::DefaultImportQueue<Block>,
	Pool,
	Extras,
>;

/// Open the database and put together what works on it without a network.
///
/// # Errors
///
/// The database cannot be opened, or belongs to another chain; the runtime cannot be executed.
pub fn new_partial(config: &Configuration) -> Result<Parts, ServiceError> {
	let telemetry = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()?;

	let executor = sc_service::new_wasm_executor::<sp_io::SubstrateHostFunctions>(&config.executor);
	let backend = sc_service::new_db_backend(config.db_config())?;
	let genesis = config.chain_spec.as_storage_builder().build_storage();
	let genesis = genesis.map_err(sp_blockchain::Error::Storage)?;
	let builder = GenesisBlockBuilder::new_with_storage(
		genesis.clone(),
		!config.no_genesis(),
		backend.clone(),
		executor.clone(),
	)?;
	let (client, backend, keystore_container, task_manager) =
		sc_service::new_full_parts_with_genesis_builder::<Block, RuntimeApi, _, _>(
			config,
			telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
			executor,
			backend.clone(),
			builder,
			false,
		)?;
	let client = Arc::new(client);
	require_genesis(config, &client, &backend, genesis)?;
	require_validators(&client)?;

	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});

	let select_chain = sc_consensus::LongestChain::new(backend.clone());
	let transaction_pool = Arc::from(
		sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (block_import, grandpa_link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		&client,
		select_chain.clone(),
		telemetry.as_ref().map(|telemetry| telemetry.handle()),
	)?;

	let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
	let import_queue =
		sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
			block_import: block_import.clone(),
			justification_import: Some(Box::new(block_import.clone())),
			client: client.clone(),
			create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
			spawner: &task_manager.spawn_essential_handle(),
			registry: config.prometheus_registry(),
			check_for_equivocation: Default::default(),
			telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
			compatibility_mode: Default::default(),
		})?;

	Ok(PartialComponents {
		client,
		backend,
		task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Extras { block_import, grandpa_link, telemetry },
	})
}

/// Refuses data that began with another genesis than the specification's. The client goes on with whatever it finds in
/// the folder named by the chain's id: alone, since the others' chain is another.
fn require_genesis(
	config: &Configuration,
	client: &FullClient,
	backend: &FullBackend,
	specified: Storage,
) -> Result<(), ServiceError> {
	let found = client.chain_info().genesis_hash;
	// All runtimes of the chain lay out their state alike. A genesis builder would compile the one of the genesis to
	// learn it, at every start, even if the chain has long since upgraded to another.
	let layout = modicum_runtime::VERSION.state_version();
	let root = backend.begin_operation()?.set_genesis_state(specified, false, layout)?;
	let specified = construct_genesis_block::<Block>(root, layout).hash();
	if found == specified {
		return Ok(());
	}
	let (folder, id) = (config.base_path.path().display(), config.chain_spec.id());
	Err(ServiceError::Other(format!(
		"{folder} has the data of another chain called '{id}': it began with {found:?}, and the specification begins with \
		 {specified:?}. Name that chain's own specification with --chain, or another folder with --base-path; the \
		 networks that the node knows by name begin anew with each runtime. If the old chain is gone for good, \
		 `modicum-node purge-chain` with the same --chain and --base-path removes its data",
	)))
}

/// Refuses a new chain whose genesis names no validators, at which GRANDPA would panic.
fn require_validators(client: &FullClient) -> Result<(), ServiceError> {
	let Info { best_number: 0, best_hash, .. } = client.chain_info() else { return Ok(()) };
	let authorities = client.runtime_api().grandpa_authorities(best_hash);
	match authorities.map_err(sp_blockchain::Error::from)?.is_empty() {
		true => Err(ServiceError::Other(NO_VALIDATORS.into())),
		false => Ok(()),
	}
}

type Inherents =
	(sp_consensus_aura::inherents::InherentDataProvider, sp_timestamp::InherentDataProvider);

/// What an author adds to a block: the slot, and the time that it follows from.
fn inherents(slot_duration: sp_consensus_aura::SlotDuration) -> Inherents {
	let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
	let slot = sp_consensus_aura::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
		*timestamp,
		slot_duration,
	);
	(slot, timestamp)
}

/// Start a node. It runs for as long as the returned task manager lives.
///
/// # Errors
///
/// As of [`new_partial`]; a port is in use; `--network-backend libp2p` was asked for.
pub fn run(mut config: Configuration) -> Result<TaskManager, ServiceError> {
	if !matches!(config.network.network_backend, sc_network::config::NetworkBackendType::Litep2p) {
		return Err(ServiceError::Other(
			"this node speaks litep2p only: leave --network-backend out".into(),
		));
	}
	ports::claim(&mut config)?;

	let Parts {
		client,
		backend,
		mut task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Extras { block_import, grandpa_link, mut telemetry },
	} = new_partial(&config)?;

	let genesis_hash = client
		.block_hash(0)?
		.ok_or_else(|| ServiceError::Other("the database has no genesis block".into()))?;
	let registry = config.prometheus_registry().cloned();
	let metrics =
		<Network as NetworkBackend<Block, Hash>>::register_notification_metrics(registry.as_ref());
	let mut net_config =
		FullNetworkConfiguration::<Block, Hash, Network>::new(&config.network, registry.clone());

	let grandpa_protocol =
		sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
	let (grandpa_protocol_config, grandpa_notifications) =
		sc_consensus_grandpa::grandpa_peers_set_config::<Block, Network>(
			grandpa_protocol.clone(),
			metrics.clone(),
			net_config.peer_store_handle(),
		);
	net_config.add_notification_protocol(grandpa_protocol_config);

	let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
		backend.clone(),
		grandpa_link.shared_authority_set().clone(),
		Vec::new(),
	));

	let (network, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(sc_service::BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: transaction_pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	let is_authority = config.role.is_authority();
	let grandpa_config = sc_consensus_grandpa::Config {
		gossip_duration: GOSSIP_DURATION,
		justification_generation_period: JUSTIFICATION_PERIOD,
		name: Some(config.network.node_name.clone()),
		observer_enabled: false,
		keystore: is_authority.then(|| keystore_container.keystore()),
		local_role: config.role,
		telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
		protocol_name: grandpa_protocol,
	};
	let enable_grandpa = !config.disable_grandpa;
	let force_authoring = config.force_authoring;
	let voter_state = SharedVoterState::empty();

	let rpc_builder = {
		let finality = rpc::Finality {
			voter_state: voter_state.clone(),
			authority_set: grandpa_link.shared_authority_set().clone(),
			justifications: grandpa_link.justification_stream(),
			proofs: FinalityProofProvider::new_for_service(
				backend.clone(),
				Some(grandpa_link.shared_authority_set().clone()),
			),
		};
		let (client, pool) = (client.clone(), transaction_pool.clone());
		let executor = task_manager.spawn_handle();
		Box::new(move |_| {
			rpc::create(client.clone(), pool.clone(), finality.clone(), executor.clone())
				.map_err(Into::into)
		})
	};

	sc_service::spawn_tasks(sc_service::SpawnTasksParams {
		config,
		client: client.clone(),
		backend,
		task_manager: &mut task_manager,
		keystore: keystore_container.keystore(),
		transaction_pool: transaction_pool.clone(),
		rpc_builder,
		network: network.clone(),
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	if is_authority {
		let proposer = sc_basic_authorship::ProposerFactory::new(
			task_manager.spawn_handle(),
			client.clone(),
			transaction_pool.clone(),
			registry.as_ref(),
			telemetry.as_ref().map(|telemetry| telemetry.handle()),
		);
		let slot_duration = sc_consensus_aura::slot_duration(&*client)?;
		let aura = sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(
			StartAuraParams {
				slot_duration,
				client: client.clone(),
				select_chain,
				block_import,
				proposer_factory: proposer,
				sync_oracle: sync_service.clone(),
				justification_sync_link: sync_service.clone(),
				create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
				force_authoring,
				backoff_authoring_blocks: Some(
					sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging::default(),
				),
				keystore: keystore_container.keystore(),
				// The rest of the slot is for the others to receive and execute the block.
				block_proposal_slot_portion: SlotProportion::new(1f32 / 2f32),
				max_block_proposal_slot_portion: None,
				telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
				compatibility_mode: Default::default(),
			},
		)?;
		task_manager.spawn_essential_handle().spawn_blocking("aura", Some("block-authoring"), aura);
	}

	if enable_grandpa {
		let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
			config: grandpa_config,
			link: grandpa_link,
			network,
			sync: sync_service,
			notification_service: grandpa_notifications,
			voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
			prometheus_registry: registry,
			shared_voter_state: voter_state,
			telemetry: telemetry.as_ref().map(|telemetry| telemetry.handle()),
			offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
		})?;
		task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
	}

	Ok(task_manager)
}
