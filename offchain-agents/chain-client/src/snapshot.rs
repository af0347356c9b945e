// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The market as of one block.

use crate::{
	chain::limited,
	config::ClientAtBlock,
	convert::IntoDomain,
	records::{
		Account, Directory, JobCreator, JobOffer, Match, MatchStatus, Mediator, ResourceOffer,
		ResourceProvider,
	},
	runtime, AccountId, Error, H256,
};
use modicum_primitives::{
	Balance, JobOfferId, JobTerms, MatchId, Moment, Parameters, PartyRecord, ResourceOfferId,
	ResourceTerms, Rule,
};
use std::{
	collections::BTreeMap,
	future::Future,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use subxt::{
	ext::{
		codec::{Compact, Decode, Encode},
		scale_decode::DecodeAsType,
	},
	utils::Static,
};
use tokio::sync::OnceCell;

/// Length of what a view function is known by.
const VIEW_FUNCTION_ID_BYTES: usize = 32;

/// The market as of one block, final or not. Its answers do not change; how long it can be asked depends on how long the node
/// keeps the block's state, which is some minutes at least.
#[derive(Clone)]
pub struct Snapshot {
	at: ClientAtBlock,
	limit: Duration,
	/// The block's time, once it was asked for.
	now: Arc<OnceCell<Moment>>,
	/// What many ask for at once: with a hundred matches in a block, each of their parties.
	directories: Memory<Option<Directory>>,
	party_records: Memory<PartyRecord>,
}

/// What was read of accounts.
type Memory<T> = Arc<Mutex<BTreeMap<AccountId, Arc<OnceCell<T>>>>>;

/// What `memory` has of an account, or what `read` brings.
async fn remembered<T: Clone>(
	memory: &Memory<T>,
	who: AccountId,
	read: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
	let cell = {
		let mut known = memory.lock().unwrap_or_else(PoisonError::into_inner);
		known.entry(who).or_default().clone()
	};
	cell.get_or_try_init(|| read).await.cloned()
}

/// One of the four role registers, or an offer or a match by number.
macro_rules! readers {
	($($(#[$doc:meta])* $one:ident, $(#[$all_doc:meta])* $all:ident:
		$entry:ident($key:ty) -> $value:ty;)*) => {
		$(
			$(#[$doc])*
			///
			/// # Errors
			/// The node does not answer, or its runtime does not fit.
			pub async fn $one(&self, key: $key) -> Result<Option<$value>, Error> {
				let what = stringify!($one);
				let storage = self.at.storage();
				let address = runtime::storage().modicum().$entry();
				let found = self.limited(what, storage.try_fetch(address, (key,))).await?;
				let found = found.map(|value| value.decode()).transpose();
				Ok(found.map_err(|error| Error::request(what, error))?.into_domain())
			}

			$(#[$all_doc])*
			///
			/// # Errors
			/// The node does not answer, or its runtime does not fit.
			pub async fn $all(&self) -> Result<Vec<($key, $value)>, Error> {
				let what = stringify!($all);
				let storage = self.at.storage();
				let address = runtime::storage().modicum().$entry();
				let mut entries = self.limited(what, storage.iter(address, ())).await?;
				let mut found = Vec::new();
				loop {
					let next = async { entries.next().await.transpose() };
					let Some(entry) = self.limited(what, next).await? else { break };
					let failed = |error: subxt::Error| Error::request(what, error);
					let key = entry.key().map_err(|error| failed(error.into()))?;
					let (key,) = key.decode().map_err(|error| failed(error.into()))?;
					let value = entry.value().decode().map_err(|error| failed(error.into()))?;
					found.push((key, value.into_domain()));
				}
				found.sort_by(|(one, _), (other, _)| one.cmp(other));
				Ok(found)
			}
		)*
	};
}

impl Snapshot {
	pub(crate) fn new(at: ClientAtBlock, limit: Duration) -> Self {
		let (now, directories, party_records) = Default::default();
		Self { at, limit, now, directories, party_records }
	}

	/// The block's number.
	pub fn number(&self) -> u64 {
		self.at.block_number()
	}

	/// The block's hash.
	pub fn hash(&self) -> H256 {
		self.at.block_hash()
	}

	/// Version of the runtime at this block.
	pub fn spec_version(&self) -> u32 {
		self.at.spec_version()
	}

	pub(crate) fn client(&self) -> &ClientAtBlock {
		&self.at
	}

	/// Waits for an answer no longer than is allowed.
	pub(crate) async fn limited<T, E: Into<subxt::Error>>(
		&self,
		what: &'static str,
		request: impl Future<Output = Result<T, E>>,
	) -> Result<T, Error> {
		limited(self.limit, what, request).await
	}

	/// The block's time, milliseconds since the Unix epoch.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn now(&self) -> Result<Moment, Error> {
		let read = || async {
			let what = "the block's time";
			let storage = self.at.storage();
			let address = runtime::storage().timestamp().now();
			let value = self.limited(what, storage.fetch(address, ())).await?;
			value.decode().map_err(|error| Error::request(what, error))
		};
		self.now.get_or_try_init(read).await.copied()
	}

	/// An account's money; nothing for an account that does not exist.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn account(&self, who: &AccountId) -> Result<Account, Error> {
		let what = "an account";
		let storage = self.at.storage();
		let address = runtime::storage().system().account();
		let value = self.limited(what, storage.fetch(address, (*who,))).await?;
		let info = value.decode().map_err(|error| Error::request(what, error))?;
		Ok(Account {
			free: info.data.free,
			held: info.data.reserved,
			frozen: info.data.frozen,
			nonce: info.nonce,
		})
	}

	/// What a signed transaction costs, base units.
	pub(crate) async fn fee(&self, transaction: &[u8]) -> Result<Balance, Error> {
		let what = "a transaction's fee";
		let length = (transaction.len() as u32).to_le_bytes();
		let input = [transaction, &length].concat();
		let api = self.at.runtime_apis();
		let answer = api.call_raw("TransactionPaymentApi_query_info", Some(&input));
		let answer = self.limited(what, answer).await?;
		// Both dimensions of the weight, the class, the fee.
		type Info = (Compact<u64>, Compact<u64>, u8, Balance);
		let info = Info::decode(&mut answer.as_slice());
		let (_, _, _, fee) = info.map_err(|_| Error::IncompatibleRuntime { what })?;
		Ok(fee)
	}

	/// What an account must keep to exist, base units.
	///
	/// # Errors
	/// The runtime does not fit.
	pub fn existential_deposit(&self) -> Result<Balance, Error> {
		let address = runtime::constants().balances().existential_deposit();
		let failed = |error| Error::request("the existential deposit", error);
		self.at.constants().entry(address).map_err(failed)
	}

	readers! {
		/// A registered job creator.
		job_creator,
		/// All registered job creators.
		job_creators: job_creators(AccountId) -> JobCreator;
		/// A registered resource provider.
		resource_provider,
		/// All registered resource providers.
		resource_providers: resource_providers(AccountId) -> ResourceProvider;
		/// A registered mediator.
		mediator,
		/// All registered mediators.
		mediators: mediators(AccountId) -> Mediator;
		/// A registered directory, as it is read.
		directory_read,
		/// All registered directories.
		directories: directories(AccountId) -> Directory;
		/// A job offer, open or matched.
		job_offer,
		/// All job offers, open and matched.
		job_offers: job_offers(JobOfferId) -> JobOffer;
		/// A resource offer, open or matched.
		resource_offer,
		/// All resource offers, open and matched.
		resource_offers: resource_offers(ResourceOfferId) -> ResourceOffer;
		/// An open match.
		open_match,
		/// All open matches.
		open_matches: matches(MatchId) -> Match;
	}

	/// A registered directory.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn directory(&self, who: AccountId) -> Result<Option<Directory>, Error> {
		remembered(&self.directories, who, self.directory_read(who)).await
	}

	/// The number that the next job offer gets.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn next_job_offer(&self) -> Result<JobOfferId, Error> {
		let what = "the next job offer's number";
		let storage = self.at.storage();
		let address = runtime::storage().modicum().next_job_offer_id();
		let value = self.limited(what, storage.fetch(address, ())).await?;
		value.decode().map_err(|error| Error::request(what, error))
	}

	/// The parameters in force.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn parameters(&self) -> Result<Parameters, Error> {
		self.view("the parameters", runtime::view_functions().modicum().parameters()).await
	}

	/// What an account has done in closed matches.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn party_record(&self, who: AccountId) -> Result<PartyRecord, Error> {
		let call = runtime::view_functions().modicum().party_record(who);
		remembered(&self.party_records, who, self.view("a party's record", call)).await
	}

	/// A match and whom it waits for; `None` if it has ended or never was.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn match_status(&self, id: MatchId) -> Result<Option<MatchStatus>, Error> {
		self.view("a match", runtime::view_functions().modicum().match_status(id)).await
	}

	/// All rules that forbid a match now; none if it is feasible, `None` if an offer is gone.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn broken_rules(
		&self,
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
		mediator: AccountId,
	) -> Result<Option<Vec<Rule>>, Error> {
		let view = runtime::view_functions().modicum();
		let rules = view.broken_rules(job_offer, resource_offer, mediator);
		let rules: Option<Vec<Static<Rule>>> = self.view_raw("the broken rules", rules).await?;
		Ok(rules.map(|rules| rules.into_iter().map(|rule| rule.0).collect()))
	}

	/// All mediators with whom two offers can be matched now; `None` if an offer is gone.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn feasible_mediators(
		&self,
		job_offer: JobOfferId,
		resource_offer: ResourceOfferId,
	) -> Result<Option<Vec<AccountId>>, Error> {
		let view = runtime::view_functions().modicum();
		self.view_raw("the feasible mediators", view.feasible_mediators(job_offer, resource_offer))
			.await
	}

	/// What posting a job offer of these terms holds; `None` if that is no balance.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn job_offer_deposit(
		&self,
		terms: JobTerms<AccountId>,
		extra_deposit: Balance,
	) -> Result<Option<Balance>, Error> {
		let view = runtime::view_functions().modicum();
		self.view_raw("a job offer's deposit", view.job_offer_deposit(terms.into(), extra_deposit))
			.await
	}

	/// What posting a resource offer of these terms holds; `None` if that is no balance.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn resource_offer_deposit(
		&self,
		terms: ResourceTerms,
		extra_deposit: Balance,
	) -> Result<Option<Balance>, Error> {
		let view = runtime::view_functions().modicum();
		let deposit = view.resource_offer_deposit(Static(terms), extra_deposit);
		self.view_raw("a resource offer's deposit", deposit).await
	}

	async fn view<P, T>(&self, what: &'static str, call: P) -> Result<T, Error>
	where
		P: subxt::view_functions::Payload,
		P::ReturnType: IntoDomain<T>,
	{
		Ok(self.view_raw(what, call).await?.into_domain())
	}

	/// Calls a view function. Not by subxt's own call, which (in 0.51) leaves out the length that goes before the
	/// arguments and the result that the answer is wrapped in.
	async fn view_raw<P: subxt::view_functions::Payload>(
		&self,
		what: &'static str,
		call: P,
	) -> Result<P::ReturnType, Error> {
		let views = self.at.view_functions();
		views.validate(&call).map_err(|error| Error::request(what, error))?;
		let encoded = views.encode_args(&call).map_err(|error| Error::request(what, error))?;
		let (id, arguments) = encoded.split_at(VIEW_FUNCTION_ID_BYTES.min(encoded.len()));
		let input = [id, &arguments.encode()].concat();
		let api = self.at.runtime_apis();
		let answer = api.call_raw("RuntimeViewFunction_execute_view_function", Some(&input));
		let answer = self.limited(what, answer).await?;
		self.view_answer(&call, &answer).ok_or(Error::IncompatibleRuntime { what })
	}

	fn view_answer<P: subxt::view_functions::Payload>(
		&self,
		call: &P,
		answer: &[u8],
	) -> Option<P::ReturnType> {
		let (outcome, mut answer) = answer.split_first()?;
		let value = (*outcome == 0).then(|| Vec::<u8>::decode(&mut answer).ok()).flatten()?;
		let metadata = self.at.metadata_ref();
		let pallet = metadata.pallet_by_name(call.pallet_name())?;
		let output = pallet.view_function_by_name(call.function_name())?.output_ty();
		P::ReturnType::decode_as_type(&mut value.as_slice(), output, metadata.types()).ok()
	}
}
