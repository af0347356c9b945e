// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The agents' way to the chain. The only crate that knows subxt.
//!
//! - [`Chain`]: a connection over several RPC endpoints, of which one is in use until it fails or stalls, or
//!   over the embedded light client.
//! - [`FinalizedBlocks`]: every finalised block in order, from the last one seen on, with what the market did
//!   in it as typed [`Event`]s. Survives lost connections.
//! - [`BestBlocks`]: the best chain as it grows and turns, for what need not wait for finality.
//! - [`Snapshot`]: the market as of one block.
//! - [`Submitter`]: one task that owns an account's key and nonce, and brings [`Call`]s onto the chain.
//! - [`NamedCall`], [`Motion`]: any other call, and the council's motions, for those who run the chain.
//! - [`Key`]: the account's secret.
//!
//! Nothing here waits forever: each request has a time limit, and each error says what was tried and what to
//! do. What the chain must offer is fixed by the committed metadata, `artifacts/modicum.scale`; a call whose
//! shape differs at the node is refused with [`Error::IncompatibleRuntime`] before anything is sent.

#![forbid(unsafe_code)]

mod best;
mod blocks;
mod call;
mod chain;
mod config;
mod convert;
mod council;
mod error;
mod event;
mod heads;
mod key;
mod known;
mod named;
mod pump;
mod records;
mod runtime;
mod settings;
mod snapshot;
mod submit;

pub use best::{BestBlocks, BestItem};
pub use blocks::{FinalizedBlock, FinalizedBlocks, FinalizedItem};
pub use call::Call;
pub use chain::{Chain, Compatibility, NodeStatus};
pub use council::Motion;
pub use error::{DispatchFailure, Error, SubmitError};
pub use event::{Event, Reaction};
pub use key::{Key, KeyError};
pub use named::{NamedCall, NamedCallError};
pub use records::{
	Account, Directory, JobCreator, JobOffer, Match, MatchStatus, Mediator, OfferState, Phase,
	PostedResult, ResourceOffer, ResourceProvider, WaitsFor,
};
pub use settings::{ConnectionSettings, SettingsError, Way};
pub use snapshot::Snapshot;
pub use submit::{Finality, Included, SubmitSettings, Submitter};

/// An account: 32 bytes, shown and parsed as an SS58 address.
pub use subxt::utils::AccountId32 as AccountId;

/// Hash of a block or a transaction.
pub use subxt::utils::H256;

/// Decimals of the token.
pub const TOKEN_DECIMALS: u32 = 12;

/// Symbol of the token.
pub const TOKEN_SYMBOL: &str = "MOD";

/// The metadata that this program was built for, as the runtime encodes it.
pub fn committed_metadata() -> &'static [u8] {
	include_bytes!("../artifacts/modicum.scale")
}
