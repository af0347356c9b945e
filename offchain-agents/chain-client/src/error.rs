// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What can go wrong on the way to the chain.

use crate::{SettingsError, H256};
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};
use subxt::error::{DispatchError, ModuleError};

/// Why the chain could not be asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
	/// The settings cannot be.
	#[error(transparent)]
	Settings(#[from] SettingsError),
	/// Nobody answers.
	#[error("the chain cannot be reached: {}; check that a node runs there", tried(.0))]
	Unreachable(
		/// Who was asked, and what happened.
		Vec<(String, String)>,
	),
	/// A request took too long.
	#[error("{what} took longer than {limit:?}: the node or the way to it is too slow")]
	Timeout {
		/// What was asked.
		what: &'static str,
		/// How long it was waited for.
		limit: Duration,
	},
	/// The node answers, but its chain does not go on.
	#[error(
		"no {} for {limit:?}: {}",
		if *.is_final { "block has become final" } else { "new block" },
		if *.is_final {
			"more than a third of the validators are away or cut off, or the node has lost its peers; nothing is lost, \
			 and goes on when they are back"
		} else {
			"the node has lost its peers or is still catching up, or no validator is running"
		}
	)]
	Stalled {
		/// Whether a final block is missing, and not any block.
		is_final: bool,
		/// How long it was waited for.
		limit: Duration,
	},
	/// The node is on another chain.
	#[error(
		"{endpoint} is on another chain: its genesis hash is {found:?}, not {expected:?}; check the endpoint and \
		 the genesis hash"
	)]
	WrongChain {
		/// Who was asked.
		endpoint: String,
		/// The chain that was meant.
		expected: H256,
		/// The chain that it is on.
		found: H256,
	},
	/// The node's chain has the same genesis as the one before, and is another: a development chain that was started
	/// again.
	#[error(
		"{endpoint} is on a chain that was started anew: its first block is {found:?}, and was {expected:?}; what was \
		 done on the old one is gone. Start this program again"
	)]
	StartedAnew {
		/// Who was asked.
		endpoint: String,
		/// The first block that was seen before.
		expected: H256,
		/// The first block now.
		found: H256,
	},
	/// The chain's runtime has changed in what is needed here.
	#[error(
		"the chain's runtime no longer fits this program in what {what} needs: update the program"
	)]
	IncompatibleRuntime {
		/// What was asked.
		what: &'static str,
	},
	/// The chain's specification cannot be read.
	#[error("{path}: {source}")]
	ChainSpec {
		/// Which file.
		path: PathBuf,
		/// Why.
		source: Arc<std::io::Error>,
	},
	/// The light client does not start.
	#[error("the light client does not start: {0}; check the chain's specification")]
	LightClient(String),
	/// The node answers, but not what was asked.
	#[error("{what}: {}", plain(.source))]
	Request {
		/// What was asked.
		what: &'static str,
		/// What subxt says.
		source: Arc<subxt::Error>,
	},
}

fn tried(tried: &[(String, String)]) -> String {
	let tried: Vec<_> =
		tried.iter().map(|(endpoint, failure)| format!("{endpoint}: {failure}")).collect();
	tried.join("; ")
}

/// What subxt says, without the layers that it passed through.
fn plain(error: &subxt::Error) -> String {
	let text = error.to_string();
	text.rsplit("client error: ").next().unwrap_or(&text).to_string()
}

impl Error {
	/// The error of a request called `what`.
	pub(crate) fn request(what: &'static str, source: impl Into<subxt::Error>) -> Self {
		let source = source.into();
		if is_incompatible(&source) {
			Self::IncompatibleRuntime { what }
		} else {
			Self::Request { what, source: Arc::new(source) }
		}
	}

	/// Whether the same request may succeed later, or through another endpoint.
	pub fn is_transient(&self) -> bool {
		matches!(
			self,
			Self::Unreachable(_)
				| Self::Timeout { .. }
				| Self::Stalled { .. }
				| Self::Request { .. }
		)
	}
}

/// Whether the node's metadata does not have what the committed metadata has.
fn is_incompatible(error: &subxt::Error) -> bool {
	use subxt::error::{ConstantError, ExtrinsicError, StorageError, ViewFunctionError};
	match error {
		subxt::Error::ExtrinsicError(error) => matches!(
			error,
			ExtrinsicError::IncompatibleCodegen
				| ExtrinsicError::PalletNameNotFound(_)
				| ExtrinsicError::CallNameNotFound { .. }
		),
		subxt::Error::StorageError(error) => matches!(
			error,
			StorageError::IncompatibleCodegen
				| StorageError::PalletNameNotFound(_)
				| StorageError::StorageEntryNotFound { .. }
		),
		subxt::Error::ViewFunctionError(error) => matches!(
			error,
			ViewFunctionError::IncompatibleCodegen
				| ViewFunctionError::PalletNotFound(_)
				| ViewFunctionError::ViewFunctionNotFound { .. }
		),
		subxt::Error::ConstantError(error) => matches!(error, ConstantError::IncompatibleCodegen),
		_ => false,
	}
}

/// Why the chain refused a call that was included in a block: the transaction's fee is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchFailure {
	/// The pallet whose rule is broken; `None` for a rule of the chain as a whole.
	pub pallet: Option<String>,
	/// The error's name.
	pub name: String,
	/// Cause and remedy.
	pub explanation: String,
}

impl DispatchFailure {
	pub(crate) fn new(error: &DispatchError) -> Self {
		match error {
			DispatchError::Module(error) => Self::of_module(error),
			other => {
				let shown = format!("{other:?}");
				let name = shown.split(['(', ' ']).next().unwrap_or(&shown).to_string();
				let mut explanation = other.to_string();
				if shown.contains("FundsUnavailable") || shown.contains("Underflow") {
					explanation += " The account has less than this needs: look at its balance.";
				}
				Self { pallet: None, name, explanation }
			},
		}
	}

	fn of_module(error: &ModuleError) -> Self {
		match error.details() {
			Ok(details) => Self {
				pallet: Some(details.pallet.name().to_string()),
				name: details.variant.name.clone(),
				explanation: details.variant.docs.join(" ").trim().to_string(),
			},
			Err(_) => {
				Self { pallet: None, name: "Module".into(), explanation: error.details_string() }
			},
		}
	}

	/// Whether this is the market's error of that name.
	pub fn is_market(&self, name: &str) -> bool {
		self.pallet.as_deref() == Some("Modicum") && self.name == name
	}
}

impl fmt::Display for DispatchFailure {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		if let Some(pallet) = &self.pallet {
			write!(f, "{pallet}.")?;
		}
		f.write_str(&self.name)?;
		if !self.explanation.is_empty() {
			write!(f, ": {}", self.explanation)?;
		}
		Ok(())
	}
}

/// Why a call did not take effect.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
	/// The chain could not be asked.
	#[error(transparent)]
	Chain(#[from] Error),
	/// The call is in a finalised block and was refused there.
	#[error("{call} was refused by the chain: {failure}")]
	Refused {
		/// The call.
		call: String,
		/// Why.
		failure: DispatchFailure,
	},
	/// The fee would be above the limit; nothing was sent.
	#[error(
		"the fee of {call} would be {fee} base units, above the limit of {limit}; raise the limit or wait until \
		 blocks are less full"
	)]
	FeeAboveLimit {
		/// The call.
		call: String,
		/// What it would cost.
		fee: u128,
		/// The limit.
		limit: u128,
	},
	/// The account cannot pay the fee.
	#[error("{account} cannot pay the fee of {call}: send money to it first")]
	CannotPay {
		/// The account.
		account: crate::AccountId,
		/// The call.
		call: String,
	},
	/// The node does not take the transaction.
	#[error("the node does not take {call}: {reason}")]
	NotTaken {
		/// The call.
		call: String,
		/// What the node says.
		reason: String,
	},
	/// The transaction was sent, ran out and was signed again, too often.
	#[error(
		"{call} was not included in a block in {attempts} attempts: the chain makes no blocks, or its pool \
		 prefers others"
	)]
	Expired {
		/// The call.
		call: String,
		/// How often it was signed.
		attempts: u32,
	},
	/// A fork took back the block on which the call was decided: it can have no effect, and is to be decided anew.
	#[error("{call} was decided on a block that is no longer part of the chain")]
	Forked {
		/// The call.
		call: String,
	},
	/// The transaction was sent, and then nobody could say what became of it.
	#[error(
		"{call} was sent, but nobody can say whether it took effect: {reason}; look at the chain before you repeat \
		 it"
	)]
	OutcomeUnknown {
		/// The call.
		call: String,
		/// Why.
		reason: String,
	},
	/// The task that submits has ended.
	#[error("the task that submits transactions has ended")]
	Stopped,
}

impl SubmitError {
	/// Whether nothing came of the call, and nothing stands against it but the moment at which it was decided.
	pub fn is_passing(&self) -> bool {
		match self {
			Self::Forked { .. } | Self::Expired { .. } => true,
			Self::Chain(error) => error.is_transient(),
			_ => false,
		}
	}

	/// The chain's refusal, if it is one.
	pub fn failure(&self) -> Option<&DispatchFailure> {
		match self {
			Self::Refused { failure, .. } => Some(failure),
			_ => None,
		}
	}
}
