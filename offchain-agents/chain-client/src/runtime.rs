// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the committed metadata says, as code. Refreshed by `scripts/metadata.sh`.
//!
//! The market's own types are replaced by those of `modicum-primitives`, so that agents and chain speak of the
//! same things.

#[subxt::subxt(
	runtime_metadata_path = "artifacts/modicum.scale",
	derive_for_all_types = "Clone",
	substitute_type(
		path = "modicum_primitives::types::Architecture",
		with = "::subxt::utils::Static<::modicum_primitives::Architecture>"
	),
	substitute_type(
		path = "modicum_primitives::types::Meter",
		with = "::subxt::utils::Static<::modicum_primitives::Meter>"
	),
	substitute_type(
		path = "modicum_primitives::types::Usage",
		with = "::subxt::utils::Static<::modicum_primitives::Usage>"
	),
	substitute_type(
		path = "modicum_primitives::types::Prices",
		with = "::subxt::utils::Static<::modicum_primitives::Prices>"
	),
	substitute_type(
		path = "modicum_primitives::types::Resources",
		with = "::subxt::utils::Static<::modicum_primitives::Resources>"
	),
	substitute_type(
		path = "modicum_primitives::types::ResourceTerms",
		with = "::subxt::utils::Static<::modicum_primitives::ResourceTerms>"
	),
	substitute_type(
		path = "modicum_primitives::types::ResultStatus",
		with = "::subxt::utils::Static<::modicum_primitives::ResultStatus>"
	),
	substitute_type(
		path = "modicum_primitives::types::RejectReason",
		with = "::subxt::utils::Static<::modicum_primitives::RejectReason>"
	),
	substitute_type(
		path = "modicum_primitives::types::Run",
		with = "::subxt::utils::Static<::modicum_primitives::Run>"
	),
	substitute_type(
		path = "modicum_primitives::types::Evidence",
		with = "::subxt::utils::Static<::modicum_primitives::Evidence>"
	),
	substitute_type(
		path = "modicum_primitives::types::FaultyParty",
		with = "::subxt::utils::Static<::modicum_primitives::FaultyParty>"
	),
	substitute_type(
		path = "modicum_primitives::types::PartyRecord",
		with = "::subxt::utils::Static<::modicum_primitives::PartyRecord>"
	),
	substitute_type(
		path = "modicum_primitives::parameters::Parameters",
		with = "::subxt::utils::Static<::modicum_primitives::Parameters>"
	),
	substitute_type(
		path = "modicum_primitives::feasibility::Rule",
		with = "::subxt::utils::Static<::modicum_primitives::Rule>"
	),
	substitute_type(
		path = "modicum_primitives::settlement::Ending",
		with = "::subxt::utils::Static<::modicum_primitives::Ending>"
	),
	substitute_type(
		path = "modicum_primitives::settlement::Settlement",
		with = "::subxt::utils::Static<::modicum_primitives::Settlement>"
	),
	substitute_type(
		path = "modicum_primitives::verdict::Verdict",
		with = "::subxt::utils::Static<::modicum_primitives::Verdict>"
	)
)]
mod generated {}

pub(crate) use generated::*;
