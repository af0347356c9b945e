// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Runs untrusted jobs in containers: isolated, limited and metered.
