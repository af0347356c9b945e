// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Finds a maximum set of feasible matches of lowest total price.
