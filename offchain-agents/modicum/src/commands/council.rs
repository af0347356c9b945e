// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum council`: what the admin origin decides (docs/adr/0005-governance.md).

use super::account::Done;
use crate::{
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{counted, Report},
};
use clap::{Args, Subcommand, ValueEnum};
use modicum_chain_client::{AccountId, Motion, NamedCall, Snapshot};
use serde::Serialize;

/// The verbs of `council`.
#[derive(Subcommand, Debug, Clone)]
pub enum CouncilCommand {
	/// Show the council's members and its open motions
	Status,
	/// Vote on a motion, as a member of the council
	Vote(VoteArgs),
	/// Close a motion, so that what it says is done if the votes carry it; anybody may
	Close(CloseArgs),
}

/// Arguments of `vote`.
#[derive(Args, Debug, Clone)]
pub struct VoteArgs {
	/// The motion's number
	pub motion: u32,
	/// For it or against it
	pub vote: Vote,
}

/// Arguments of `close`.
#[derive(Args, Debug, Clone)]
pub struct CloseArgs {
	/// The motion's number
	pub motion: u32,
}

/// A member's vote.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vote {
	/// For it
	Yes,
	/// Against it
	No,
}

#[derive(Serialize)]
struct Status {
	members: Vec<AccountId>,
	motions: Vec<Open>,
}

#[derive(Serialize)]
struct Open {
	index: u32,
	hash: String,
	call: String,
	threshold: u32,
	ayes: Vec<AccountId>,
	nays: Vec<AccountId>,
	end: u64,
}

impl From<Motion> for Open {
	fn from(motion: Motion) -> Self {
		let Motion { index, hash, call, threshold, ayes, nays, end, .. } = motion;
		Self { index, hash: format!("{hash:?}"), call, threshold, ayes, nays, end }
	}
}

impl Report for Status {
	fn text(&self) -> String {
		let mut lines: Vec<_> = self.members.iter().map(|who| format!("member {who}")).collect();
		if self.motions.is_empty() {
			lines.push("no open motion".into());
		}
		for Open { index, call, threshold, ayes, nays, end, .. } in &self.motions {
			lines.push(format!(
				"motion {index}  {call}  {} yes of {threshold}, {} no, until block {end}",
				ayes.len(),
				nays.len()
			));
		}
		lines.join("\n")
	}
}

/// Two thirds of so many members.
fn two_thirds(members: usize) -> u32 {
	(members * 2).div_ceil(3) as u32
}

/// Proposes a call to the council, of which two thirds can carry it, and says how it goes on.
pub(super) async fn propose(
	context: &Context,
	snapshot: &Snapshot,
	call: &NamedCall,
) -> Outcome<()> {
	let threshold = two_thirds(snapshot.council().await?.len());
	let included = context.submit(snapshot.propose(call, threshold)?.into()).await?;
	let motions = context.chain().await?.snapshot().await?.motions().await?;
	let what = match motions.into_iter().find(|motion| motion.hash == call.hash()) {
		Some(Motion { index, .. }) => format!(
			"proposed as motion {index}, which needs {}\nmembers, the proposer too, vote with `modicum council vote \
			 {index} yes`, then anybody makes it so with `modicum council close {index}`",
			counted(threshold as usize, ["vote", "votes"]),
		),
		None => "done: one vote is enough".into(),
	};
	context.print(&Done::new(what, &included));
	Ok(())
}

/// The open motion of this number.
async fn motion(snapshot: &Snapshot, index: u32) -> Outcome<Motion> {
	let found = snapshot.motions().await?.into_iter().find(|motion| motion.index == index);
	found.ok_or_else(|| {
		Failure::not_found(format!(
			"the council has no open motion {index}: see `modicum council status`"
		))
	})
}

/// Runs a command of `council`.
pub async fn run(context: &Context, command: CouncilCommand) -> Outcome {
	let snapshot = context.chain().await?.snapshot().await?;
	match command {
		CouncilCommand::Status => {
			let members = snapshot.council().await?;
			let motions = snapshot.motions().await?.into_iter().map(Open::from).collect();
			context.print(&Status { members, motions });
		},
		CouncilCommand::Vote(VoteArgs { motion: index, vote }) => {
			let motion = motion(&snapshot, index).await?;
			let call = snapshot.vote(&motion, vote == Vote::Yes)?;
			let included = context.submit(call.into()).await?;
			let vote = if vote == Vote::Yes { "yes" } else { "no" };
			context.print(&Done::new(format!("voted {vote} on motion {index}"), &included));
		},
		CouncilCommand::Close(CloseArgs { motion: index }) => {
			let motion = motion(&snapshot, index).await?;
			let included = context.submit(snapshot.close(&motion).await?.into()).await?;
			let Motion { ayes, threshold, .. } = motion;
			let what = format!("motion {index} is closed with {} yes of {threshold}", ayes.len());
			context.print(&Done::new(what, &included));
		},
	}
	Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn two_thirds_are_never_less() {
		for members in 0..100 {
			assert!(two_thirds(members) as usize * 3 >= members * 2);
		}
		assert_eq!([1, 2, 3, 4, 6].map(two_thirds), [1, 2, 2, 3, 4]);
	}
}
