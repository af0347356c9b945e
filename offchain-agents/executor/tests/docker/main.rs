// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The executor on a real engine. Run through `scripts/with-docker.sh`, as root:
//! `scripts/with-docker.sh cargo test -p modicum-executor --test docker -- --ignored`

#![allow(clippy::unwrap_used)]

mod gvisor;
mod harness;
mod hostile;
mod isolation;
mod lifecycle;
mod podman;
#[cfg(target_arch = "x86_64")]
mod program;
mod restart;
