// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The council's motions (docs/adr/0005-governance.md).

use crate::{
	named::{NamedCall, NamedCallError},
	runtime,
	snapshot::Snapshot,
	AccountId, Error, H256,
};
use subxt::ext::scale_value::{
	stringify::{custom_formatters::format_hex, to_writer_custom},
	Value,
};

/// A call that the council votes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Motion {
	/// Its number, by which members vote.
	pub index: u32,
	/// The call's hash.
	pub hash: H256,
	/// The call.
	pub call: String,
	/// Length of the encoded call, bytes.
	length: u32,
	/// Votes that carry it.
	pub threshold: u32,
	/// Who is for it.
	pub ayes: Vec<AccountId>,
	/// Who is against it.
	pub nays: Vec<AccountId>,
	/// The block at which it can be closed without the votes that are missing.
	pub end: u64,
}

/// The name of the pallet.
const COUNCIL: &str = "Council";

/// A value for people, bytes in hexadecimal.
fn shown(value: &Value) -> String {
	let mut text = String::new();
	to_writer_custom()
		.add_custom_formatter(|value, text| format_hex(value, text))
		.write(value, &mut text)
		.expect("a string takes everything; qed");
	text
}

fn hash_value(hash: H256) -> Value {
	Value::from_bytes(hash)
}

impl Snapshot {
	/// The members of the council.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn council(&self) -> Result<Vec<AccountId>, Error> {
		let what = "the council's members";
		let storage = self.client().storage();
		let members = storage.fetch(runtime::storage().council().members(), ());
		let members = self.limited(what, members).await?;
		members.decode().map_err(|error| Error::request(what, error))
	}

	/// All open motions, the oldest first.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn motions(&self) -> Result<Vec<Motion>, Error> {
		let what = "the council's motions";
		let failed = |error| Error::request(what, error);
		let storage = self.client().storage();
		let hashes = storage.fetch(runtime::storage().council().proposals(), ());
		let hashes = self.limited(what, hashes).await?.decode().map_err(failed)?.0;
		let mut motions = Vec::new();
		for hash in hashes {
			let votes = storage.try_fetch(runtime::storage().council().voting(), (hash,));
			let Some(votes) = self.limited(what, votes).await? else { continue };
			let votes = votes.decode().map_err(failed)?;
			let address = subxt::dynamic::storage::<Vec<Value>, Value>(COUNCIL, "ProposalOf");
			let call = storage.try_fetch(address, vec![hash_value(hash)]);
			let Some(call) = self.limited(what, call).await? else { continue };
			motions.push(Motion {
				index: votes.index,
				hash,
				length: call.bytes().len() as u32,
				call: shown(&call.decode().map_err(failed)?),
				threshold: votes.threshold,
				ayes: votes.ayes,
				nays: votes.nays,
				end: votes.end.into(),
			});
		}
		motions.sort_by_key(|motion| motion.index);
		Ok(motions)
	}

	/// Proposes a call to the council, which is carried by `threshold` votes, none of which is cast by proposing. With
	/// a threshold of one it is made at once.
	///
	/// # Errors
	/// The runtime does not fit.
	pub fn propose(&self, call: &NamedCall, threshold: u32) -> Result<NamedCall, NamedCallError> {
		let arguments = vec![
			("threshold".into(), Value::u128(threshold.into())),
			("proposal".into(), call.value()),
			("length_bound".into(), Value::u128(call.encoded().len() as u128)),
		];
		self.made_call(COUNCIL, "propose", arguments)
	}

	/// Votes on a motion.
	///
	/// # Errors
	/// The runtime does not fit.
	pub fn vote(&self, motion: &Motion, approve: bool) -> Result<NamedCall, NamedCallError> {
		let arguments = vec![
			("proposal".into(), hash_value(motion.hash)),
			("index".into(), Value::u128(motion.index.into())),
			("approve".into(), Value::bool(approve)),
		];
		self.made_call(COUNCIL, "vote", arguments)
	}

	/// Closes a motion: its call is made if enough votes carry it, and it is gone.
	///
	/// # Errors
	/// The node does not answer, or its runtime does not fit.
	pub async fn close(&self, motion: &Motion) -> Result<NamedCall, Error> {
		let what = "closing a motion";
		let bound = runtime::constants().council().max_proposal_weight();
		let bound = self.client().constants().entry(bound);
		let bound = bound.map_err(|error| Error::request(what, error))?;
		let weight = Value::named_composite([
			("ref_time", Value::u128(bound.ref_time.into())),
			("proof_size", Value::u128(bound.proof_size.into())),
		]);
		let arguments = vec![
			("proposal_hash".into(), hash_value(motion.hash)),
			("index".into(), Value::u128(motion.index.into())),
			("proposal_weight_bound".into(), weight),
			("length_bound".into(), Value::u128(motion.length.into())),
		];
		let call = self.made_call(COUNCIL, "close", arguments);
		call.map_err(|_| Error::IncompatibleRuntime { what })
	}

	/// The call that makes `call` as root, if two thirds of the council make it: through the whitelist.
	///
	/// # Errors
	/// The runtime does not fit.
	pub fn as_root(&self, call: &NamedCall) -> Result<NamedCall, NamedCallError> {
		let hash = vec![("call_hash".into(), hash_value(call.hash()))];
		let allow = self.made_call("Whitelist", "whitelist_call", hash)?;
		let inner = vec![("call".into(), call.value())];
		let dispatch =
			self.made_call("Whitelist", "dispatch_whitelisted_call_with_preimage", inner)?;
		let calls = Value::unnamed_composite([allow.value(), dispatch.value()]);
		self.made_call("Utility", "batch_all", vec![("calls".into(), calls)])
	}

	/// The call that makes `call` as root, if the chain's superuser makes it.
	///
	/// # Errors
	/// The runtime does not fit.
	pub fn as_superuser(&self, call: &NamedCall) -> Result<NamedCall, NamedCallError> {
		self.made_call("Sudo", "sudo", vec![("call".into(), call.value())])
	}
}
