// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The command line.

use sc_cli::{
	ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd, ImportBlocksCmd,
	KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd,
};

/// The node's arguments: those of a running node, or a subcommand.
#[derive(Debug, clap::Parser)]
pub struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// How to run the node.
	#[clap(flatten)]
	pub run: RunCmd,
}

/// What the node's binary can do beside running a node.
#[derive(Debug, clap::Subcommand)]
#[allow(deprecated, reason = "network tools still call build-spec")]
#[allow(clippy::large_enum_variant, reason = "parsed once")]
pub enum Subcommand {
	/// Make, look at and insert keys.
	#[command(subcommand)]
	Key(KeySubcommand),

	/// Write a chain specification (export-chain-spec is its successor).
	BuildSpec(sc_cli::BuildSpecCmd),

	/// Write a chain specification.
	ExportChainSpec(ExportChainSpecCmd),

	/// Execute a block once more and check it.
	CheckBlock(CheckBlockCmd),

	/// Write blocks to a file.
	ExportBlocks(ExportBlocksCmd),

	/// Read blocks from a file.
	ImportBlocks(ImportBlocksCmd),

	/// Remove the whole chain from this machine.
	PurgeChain(PurgeChainCmd),

	/// Take back the newest blocks, down to the last finalised one.
	Revert(RevertCmd),

	/// Print what the database holds.
	ChainInfo(ChainInfoCmd),
}
