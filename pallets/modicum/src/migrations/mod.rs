// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Storage migrations, one file for each version. There is none yet: version 1 is the first release.
