// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How each pallet is configured, one file per concern.

mod accounts;
mod consensus;
mod governance;
mod market;
mod money;
mod system;

pub use accounts::ProxyType;
pub use consensus::MaxValidators;
pub use governance::{AdminOrigin, CouncilCollective};
pub use market::FinesAccount;
pub use system::{BlockLength, BlockWeights, SS58_PREFIX};
