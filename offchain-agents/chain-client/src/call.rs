// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an account can do on the chain (docs/protocol.md §12). Errors come from the chain when the call is
//! submitted: see [`crate::SubmitError`].

use crate::{
	config::{ChainConfig, ClientAtBlock},
	key::Key,
	runtime::{self, runtime_types::pallet_modicum::pallet::Call as MarketCall},
	AccountId, H256,
};
use async_trait::async_trait;
use modicum_primitives::{
	Architecture, Balance, BaseLayer, Evidence, JobOfferId, JobTerms, MatchId, Moment,
	RejectReason, ResourceOfferId, ResourceTerms, Run,
};
use std::{fmt, sync::Arc};
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	utils::{MultiAddress, Static},
};

/// A call that can be submitted.
#[derive(Clone)]
pub struct Call {
	name: String,
	payload: Arc<dyn Payload>,
}

/// A signed transaction.
pub(crate) struct Signed {
	pub(crate) bytes: Vec<u8>,
	pub(crate) hash: H256,
	/// What it will cost, base units.
	pub(crate) fee: Balance,
}

/// A call of any shape.
#[async_trait]
trait Payload: Send + Sync {
	async fn sign(
		&self,
		at: &ClientAtBlock,
		key: &Key,
		nonce: u64,
		mortality: u64,
	) -> Result<Signed, subxt::Error>;
}

#[async_trait]
impl<P: subxt::transactions::Payload + Send + Sync> Payload for P {
	async fn sign(
		&self,
		at: &ClientAtBlock,
		key: &Key,
		nonce: u64,
		mortality: u64,
	) -> Result<Signed, subxt::Error> {
		let params = DefaultExtrinsicParamsBuilder::<ChainConfig>::new()
			.nonce(nonce)
			.mortal(mortality)
			.build();
		let signed = at.tx().create_signed(self, key, params).await?;
		let fee = signed.partial_fee_estimate().await?;
		Ok(Signed { hash: signed.hash(), fee, bytes: signed.into_encoded() })
	}
}

impl fmt::Display for Call {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.name)
	}
}

impl fmt::Debug for Call {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "Call({})", self.name)
	}
}

/// The market's calls.
fn market() -> runtime::modicum::calls::api::TransactionApi {
	runtime::tx().modicum()
}

impl Call {
	fn new<P>(name: &str, payload: P) -> Self
	where
		P: subxt::transactions::Payload + Send + Sync + 'static,
	{
		Self { name: name.into(), payload: Arc::new(payload) }
	}

	pub(crate) async fn sign(
		&self,
		at: &ClientAtBlock,
		key: &Key,
		nonce: u64,
		mortality: u64,
	) -> Result<Signed, subxt::Error> {
		self.payload.sign(at, key, nonce, mortality).await
	}

	/// Sends money, in base units, but never so much that the sender's account ends.
	pub fn transfer(to: AccountId, amount: Balance) -> Self {
		let payload = runtime::tx().balances().transfer_keep_alive(MultiAddress::Id(to), amount);
		Self::new("transfer", payload)
	}

	/// Registers the account as a job creator.
	pub fn register_job_creator() -> Self {
		Self::new("register_job_creator", market().register_job_creator())
	}

	/// Ends it.
	pub fn deregister_job_creator() -> Self {
		Self::new("deregister_job_creator", market().deregister_job_creator())
	}

	/// The job creator trusts a mediator.
	pub fn job_creator_add_trusted_mediator(mediator: AccountId) -> Self {
		let payload = market().job_creator_add_trusted_mediator(mediator);
		Self::new("job_creator_add_trusted_mediator", payload)
	}

	/// The job creator no longer trusts a mediator.
	pub fn job_creator_remove_trusted_mediator(mediator: AccountId) -> Self {
		let payload = market().job_creator_remove_trusted_mediator(mediator);
		Self::new("job_creator_remove_trusted_mediator", payload)
	}

	/// Registers the account as a resource provider, whose machine takes so many milliseconds for 10^9
	/// instructions.
	pub fn register_resource_provider(
		architecture: Architecture,
		time_per_billion_instructions: Moment,
	) -> Self {
		let payload = market()
			.register_resource_provider(Static(architecture), time_per_billion_instructions);
		Self::new("register_resource_provider", payload)
	}

	/// Ends it.
	pub fn deregister_resource_provider() -> Self {
		Self::new("deregister_resource_provider", market().deregister_resource_provider())
	}

	/// The resource provider trusts a mediator.
	pub fn resource_provider_add_trusted_mediator(mediator: AccountId) -> Self {
		let payload = market().resource_provider_add_trusted_mediator(mediator);
		Self::new("resource_provider_add_trusted_mediator", payload)
	}

	/// The resource provider no longer trusts a mediator.
	pub fn resource_provider_remove_trusted_mediator(mediator: AccountId) -> Self {
		let payload = market().resource_provider_remove_trusted_mediator(mediator);
		Self::new("resource_provider_remove_trusted_mediator", payload)
	}

	/// The resource provider trusts a directory.
	pub fn resource_provider_add_trusted_directory(directory: AccountId) -> Self {
		let payload = market().resource_provider_add_trusted_directory(directory);
		Self::new("resource_provider_add_trusted_directory", payload)
	}

	/// The resource provider no longer trusts a directory.
	pub fn resource_provider_remove_trusted_directory(directory: AccountId) -> Self {
		let payload = market().resource_provider_remove_trusted_directory(directory);
		Self::new("resource_provider_remove_trusted_directory", payload)
	}

	/// The resource provider has a base layer preinstalled.
	pub fn resource_provider_add_supported_base_layer(base_layer: BaseLayer) -> Self {
		let payload = market().resource_provider_add_supported_base_layer(base_layer);
		Self::new("resource_provider_add_supported_base_layer", payload)
	}

	/// The resource provider no longer has it.
	pub fn resource_provider_remove_supported_base_layer(base_layer: BaseLayer) -> Self {
		let payload = market().resource_provider_remove_supported_base_layer(base_layer);
		Self::new("resource_provider_remove_supported_base_layer", payload)
	}

	/// Registers the account as a mediator, who charges each side of a match `availability_fee` base units.
	pub fn register_mediator(architecture: Architecture, availability_fee: Balance) -> Self {
		let payload = market().register_mediator(Static(architecture), availability_fee);
		Self::new("register_mediator", payload)
	}

	/// Ends it.
	pub fn deregister_mediator() -> Self {
		Self::new("deregister_mediator", market().deregister_mediator())
	}

	/// The mediator trusts a directory.
	pub fn mediator_add_trusted_directory(directory: AccountId) -> Self {
		let payload = market().mediator_add_trusted_directory(directory);
		Self::new("mediator_add_trusted_directory", payload)
	}

	/// The mediator no longer trusts a directory.
	pub fn mediator_remove_trusted_directory(directory: AccountId) -> Self {
		let payload = market().mediator_remove_trusted_directory(directory);
		Self::new("mediator_remove_trusted_directory", payload)
	}

	/// The mediator has a base layer preinstalled.
	pub fn mediator_add_supported_base_layer(base_layer: BaseLayer) -> Self {
		let payload = market().mediator_add_supported_base_layer(base_layer);
		Self::new("mediator_add_supported_base_layer", payload)
	}

	/// The mediator no longer has it.
	pub fn mediator_remove_supported_base_layer(base_layer: BaseLayer) -> Self {
		let payload = market().mediator_remove_supported_base_layer(base_layer);
		Self::new("mediator_remove_supported_base_layer", payload)
	}

	/// Registers the account as a directory, which answers at `endpoint` and charges each side of a match
	/// `availability_fee` base units.
	pub fn register_directory(endpoint: &str, availability_fee: Balance) -> Self {
		let payload = market().register_directory(endpoint.as_bytes().to_vec(), availability_fee);
		Self::new("register_directory", payload)
	}

	/// Ends it.
	pub fn deregister_directory() -> Self {
		Self::new("deregister_directory", market().deregister_directory())
	}

	/// Posts a job offer for the job at `uri`, with `extra_deposit` base units beyond what is required.
	pub fn post_job_offer(terms: JobTerms<AccountId>, uri: &str, extra_deposit: Balance) -> Self {
		let uri = uri.as_bytes().to_vec();
		Self::new("post_job_offer", market().post_job_offer(terms.into(), uri, extra_deposit))
	}

	/// Takes a job offer back that is not matched.
	pub fn cancel_job_offer(job_offer: JobOfferId) -> Self {
		Self::new("cancel_job_offer", market().cancel_job_offer(job_offer))
	}

	/// Posts a resource offer, with `extra_deposit` base units beyond what is required.
	pub fn post_resource_offer(terms: ResourceTerms, extra_deposit: Balance) -> Self {
		let payload = market().post_resource_offer(Static(terms), extra_deposit);
		Self::new("post_resource_offer", payload)
	}

	/// Takes a resource offer back that is not matched.
	pub fn cancel_resource_offer(resource_offer: ResourceOfferId) -> Self {
		Self::new("cancel_resource_offer", market().cancel_resource_offer(resource_offer))
	}

	/// Matches two offers.
	pub fn post_match(
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
		mediator: AccountId,
	) -> Self {
		Self::new("post_match", market().post_match(job_offer, resource_offer, mediator))
	}

	/// Makes several matches in one transaction. One that fails, because another solver was faster, leaves the
	/// others as they are: [`crate::Event::Matched`] says which were made.
	pub fn post_matches(
		matches: impl IntoIterator<Item = (JobOfferId, ResourceOfferId, AccountId)>,
	) -> Self {
		let call = |(job_offer, resource_offer, mediator)| {
			runtime::Call::Modicum(MarketCall::post_match { job_offer, resource_offer, mediator })
		};
		let calls = matches.into_iter().map(call).collect();
		Self::new("post_matches", runtime::tx().utility().force_batch(calls))
	}

	/// Posts a match's result, whose output or logs lie at `uri`.
	pub fn post_result(match_id: MatchId, result: Run, uri: &str) -> Self {
		let payload = market().post_result(
			match_id,
			Static(result.status),
			uri.as_bytes().to_vec(),
			result.result_hash,
			Static(result.usage),
		);
		Self::new("post_result", payload)
	}

	/// Accepts a match's result; the provider may, once the reaction deadline has passed.
	pub fn accept_result(match_id: MatchId) -> Self {
		Self::new("accept_result", market().accept_result(match_id))
	}

	/// Rejects a match's result.
	pub fn reject_result(match_id: MatchId, reason: RejectReason) -> Self {
		Self::new("reject_result", market().reject_result(match_id, Static(reason)))
	}

	/// Posts what a mediator found.
	pub fn post_mediation_result(match_id: MatchId, evidence: Evidence) -> Self {
		let payload = market().post_mediation_result(match_id, Static(evidence));
		Self::new("post_mediation_result", payload)
	}

	/// Ends a match whose provider has missed the completion deadline.
	pub fn timeout(match_id: MatchId) -> Self {
		Self::new("timeout", market().timeout(match_id))
	}

	/// Ends a match whose mediator has missed the mediation deadline.
	pub fn timeout_mediation(match_id: MatchId) -> Self {
		Self::new("timeout_mediation", market().timeout_mediation(match_id))
	}
}
