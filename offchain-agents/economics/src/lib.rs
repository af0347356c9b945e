// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The game between job creator and resource provider: deterrence computed and simulated.
