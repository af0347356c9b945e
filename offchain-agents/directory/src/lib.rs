// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Content-addressed storage that both sides trust, over the OCI distribution protocol.
