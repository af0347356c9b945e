// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

