// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! One file for each part of a job's life, then what cuts across: scenarios, invariants, random calls.

#![allow(clippy::unwrap_used)]

mod actions;
mod collusion;
mod coverage;
mod deadlines;
mod endings;
mod matching;
mod mediation;
mod offers;
mod parameters;
mod properties;
mod registration;
mod regressions;
mod results;
mod settlement;
mod try_state;
mod view;
mod weights;
