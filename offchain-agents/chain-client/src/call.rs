// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What an account can do on the chain (docs/protocol.md §12). Errors come from the chain when the call is
//! submitted: see [`crate::SubmitError`].

use crate::{
	config::{ChainConfig, ClientAtBlock},
	convert::IntoChain,
	key::Key,
	runtime::{self, runtime_types::pallet_modicum::pallet::Call as MarketCall},
	AccountId, Error, H256,
};
use modicum_primitives::{
	Architecture, Balance, BaseLayer, Evidence, JobOfferId, JobTerms, MatchId, Moment,
	RejectReason, ResourceOfferId, ResourceTerms, Run,
};
use std::{fmt, sync::Arc};
use subxt::{
	config::{substrate::BlakeTwo256, DefaultExtrinsicParamsBuilder, Hasher},
	utils::{MultiAddress, Static},
};

/// A call that can be submitted.
#[derive(Clone)]
pub struct Call {
	name: String,
	payload: Arc<dyn Payload>,
	/// The same once more, if it is one call of the market: such calls can share a transaction.
	market: Option<Arc<MarketCall>>,
}

/// A signed transaction.
pub(crate) struct Signed {
	pub(crate) bytes: Vec<u8>,
	pub(crate) hash: H256,
	/// Number and hash of the block that it was signed at: it is valid only on chains with that block.
	pub(crate) at: u64,
	pub(crate) at_hash: H256,
}

/// A call of any shape.
trait Payload: Send + Sync {
	fn sign(
		&self,
		at: &ClientAtBlock,
		key: &Key,
		nonce: u64,
		mortality: u64,
	) -> Result<Signed, Error>;
}

impl<P: subxt::transactions::Payload + Send + Sync> Payload for P {
	fn sign(
		&self,
		at: &ClientAtBlock,
		key: &Key,
		nonce: u64,
		mortality: u64,
	) -> Result<Signed, Error> {
		let (number, hash) = (at.block_number(), at.block_hash());
		let params = DefaultExtrinsicParamsBuilder::<ChainConfig>::new()
			.nonce(nonce)
			.mortal_from_unchecked(mortality, number, hash)
			.build();
		let failed = |error| Error::request("signing a transaction", error);
		let mut signable = at.tx().create_signable_offline(self, params).map_err(failed)?;
		let signed = signable.sign(key).map_err(failed)?;
		Ok(Signed { hash: signed.hash(), bytes: signed.into_encoded(), at: number, at_hash: hash })
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
	pub(crate) fn new<P>(name: &str, payload: P) -> Self
	where
		P: subxt::transactions::Payload + Send + Sync + 'static,
	{
		Self { name: name.into(), payload: Arc::new(payload), market: None }
	}

	fn of_market<P>(name: &str, payload: P, call: MarketCall) -> Self
	where
		P: subxt::transactions::Payload + Send + Sync + 'static,
	{
		Self { market: Some(Arc::new(call)), ..Self::new(name, payload) }
	}

	/// Whether [`Self::together`] takes it.
	pub(crate) fn can_share(&self) -> bool {
		self.market.is_some()
	}

	/// Calls of the market in one transaction, in which each takes effect or fails by itself. Others are left out.
	pub(crate) fn together<'a>(calls: impl Iterator<Item = &'a Self>) -> Self {
		let (names, calls): (Vec<_>, Vec<_>) = calls
			.filter_map(|call| Some((call.name.as_str(), call.market.as_deref()?.clone())))
			.map(|(name, call)| (name, runtime::Call::Modicum(call)))
			.unzip();
		Self::new(&names.join(", "), runtime::tx().utility().force_batch(calls))
	}

	pub(crate) fn sign(
		&self,
		at: &ClientAtBlock,
		key: &Key,
		nonce: u64,
		mortality: u64,
	) -> Result<Signed, Error> {
		self.payload.sign(at, key, nonce, mortality)
	}

	/// Does nothing.
	pub(crate) fn remark() -> Self {
		Self::new("remark", runtime::tx().system().remark(Vec::new()))
	}

	/// Sends money, in base units, but never so much that the sender's account ends.
	pub fn transfer(to: AccountId, amount: Balance) -> Self {
		let payload = runtime::tx().balances().transfer_keep_alive(MultiAddress::Id(to), amount);
		Self::new("transfer", payload)
	}

	/// Authorises the upgrade of the chain's runtime to this code, as its superuser: a development chain has one.
	pub fn authorize_upgrade_as_superuser(code: &[u8]) -> Self {
		let code_hash = BlakeTwo256.hash(code);
		let call =
			runtime::runtime_types::frame_system::pallet::Call::authorize_upgrade { code_hash };
		Self::new("authorize_upgrade", runtime::tx().sudo().sudo(runtime::Call::System(call)))
	}

	/// Upgrades the chain's runtime to this code, which must have been authorised. Anybody may.
	pub fn apply_authorized_upgrade(code: Vec<u8>) -> Self {
		let payload = runtime::tx().system().apply_authorized_upgrade(code);
		Self::new("apply_authorized_upgrade", payload)
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

	/// Posts a job offer and matches it with a resource offer and a mediator: both, or neither. So nobody else can
	/// match it. If another job offer gets the number `job_offer` first, that one would be matched, or, if it does not
	/// fit, all fails.
	pub fn post_matched_job_offer(
		terms: JobTerms<AccountId>,
		uri: &str,
		extra_deposit: Balance,
		job_offer: JobOfferId,
		(resource_offer, mediator): (ResourceOfferId, AccountId),
	) -> Self {
		let (terms, uri) = (terms.into(), uri.as_bytes().to_vec());
		let calls = vec![
			runtime::Call::Modicum(MarketCall::post_job_offer { terms, uri, extra_deposit }),
			runtime::Call::Modicum(MarketCall::post_match { job_offer, resource_offer, mediator }),
		];
		Self::new("post_matched_job_offer", runtime::tx().utility().batch_all(calls))
	}

	/// Posts a match's result, whose output or logs lie at `uri`.
	pub fn post_result(match_id: MatchId, result: Run, uri: &str) -> Self {
		let Run { status, result_hash, usage } = result;
		let (status, usage, uri) = (Static(status), Static(usage), uri.as_bytes().to_vec());
		let payload =
			market().post_result(match_id, status.clone(), uri.clone(), result_hash, usage.clone());
		let call = MarketCall::post_result { match_id, status, uri, result_hash, usage };
		Self::of_market("post_result", payload, call)
	}
}

/// Declares calls of the market that take their arguments as the pallet does, by the names that they have there.
macro_rules! calls {
	($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*);)*) => {
		impl Call {
			$(
				$(#[$doc])*
				pub fn $name($($argument: $type),*) -> Self {
					let call = MarketCall::$name { $($argument: $argument.clone().into_chain()),* };
					let payload = market().$name($($argument.into_chain()),*);
					Self::of_market(stringify!($name), payload, call)
				}
			)*
		}
	};
}

calls! {
	/// Registers the account as a job creator.
	register_job_creator();

	/// Ends it.
	deregister_job_creator();

	/// The job creator trusts a mediator.
	job_creator_add_trusted_mediator(mediator: AccountId);

	/// The job creator no longer trusts a mediator.
	job_creator_remove_trusted_mediator(mediator: AccountId);

	/// Registers the account as a resource provider, whose machine takes so many milliseconds for 10^9
	/// instructions.
	register_resource_provider(architecture: Architecture, time_per_billion_instructions: Moment);

	/// Ends it.
	deregister_resource_provider();

	/// The resource provider trusts a mediator.
	resource_provider_add_trusted_mediator(mediator: AccountId);

	/// The resource provider no longer trusts a mediator.
	resource_provider_remove_trusted_mediator(mediator: AccountId);

	/// The resource provider trusts a directory.
	resource_provider_add_trusted_directory(directory: AccountId);

	/// The resource provider no longer trusts a directory.
	resource_provider_remove_trusted_directory(directory: AccountId);

	/// The resource provider has a base layer preinstalled.
	resource_provider_add_supported_base_layer(base_layer: BaseLayer);

	/// The resource provider no longer has it.
	resource_provider_remove_supported_base_layer(base_layer: BaseLayer);

	/// Registers the account as a mediator, who charges each side of a match `availability_fee` base units.
	register_mediator(architecture: Architecture, availability_fee: Balance);

	/// Ends it.
	deregister_mediator();

	/// The mediator trusts a directory.
	mediator_add_trusted_directory(directory: AccountId);

	/// The mediator no longer trusts a directory.
	mediator_remove_trusted_directory(directory: AccountId);

	/// The mediator has a base layer preinstalled.
	mediator_add_supported_base_layer(base_layer: BaseLayer);

	/// The mediator no longer has it.
	mediator_remove_supported_base_layer(base_layer: BaseLayer);

	/// Registers the account as a directory, which answers at `endpoint` and charges each side of a match
	/// `availability_fee` base units.
	register_directory(endpoint: &str, availability_fee: Balance);

	/// Ends it.
	deregister_directory();

	/// Posts a job offer for the job at `uri`, with `extra_deposit` base units beyond what is required.
	post_job_offer(terms: JobTerms<AccountId>, uri: &str, extra_deposit: Balance);

	/// Takes a job offer back that is not matched.
	cancel_job_offer(job_offer: JobOfferId);

	/// Posts a resource offer, with `extra_deposit` base units beyond what is required.
	post_resource_offer(terms: ResourceTerms, extra_deposit: Balance);

	/// Takes a resource offer back that is not matched.
	cancel_resource_offer(resource_offer: ResourceOfferId);

	/// Matches two offers.
	post_match(job_offer: JobOfferId, resource_offer: ResourceOfferId, mediator: AccountId);

	/// Accepts a match's result; the provider may, once the reaction deadline has passed.
	accept_result(match_id: MatchId);

	/// Rejects a match's result.
	reject_result(match_id: MatchId, reason: RejectReason);

	/// Posts what a mediator found.
	post_mediation_result(match_id: MatchId, evidence: Evidence);

	/// Ends a match whose provider has missed the completion deadline.
	timeout(match_id: MatchId);

	/// Ends a match whose mediator has missed the mediation deadline.
	timeout_mediation(match_id: MatchId);
}
