// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The agents' way to the chain: connection, domain events and transactions.
