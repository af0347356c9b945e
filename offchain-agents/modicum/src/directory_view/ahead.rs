// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The matches as the best chain shows them, ahead of what is final: who is matched now begins at once
//! (docs/adr/0007-finality.md). A fork may take that back; whoever was let in meanwhile has seen a job that its creator
//! offered to everybody.

use super::state::{Market, State};
use modicum_chain_client::Event;
use modicum_primitives::Moment;
use std::collections::VecDeque;

/// What blocks did that are not final.
#[derive(Debug, Default)]
pub(super) struct Ahead {
	/// The last finalised block.
	last_final: u64,
	/// Number, time and events of the blocks of the best chain after it, as far as they are known.
	blocks: VecDeque<(u64, Moment, Vec<Event>)>,
	/// The market after them; `None` if they changed nothing.
	market: Option<Market>,
}

impl Ahead {
	/// The market after the blocks, if they changed it.
	pub fn market(&self) -> Option<&Market> {
		self.market.as_ref()
	}

	/// Takes the next block of the best chain.
	pub fn push(&mut self, number: u64, now: Moment, events: Vec<Event>, known: &Market) {
		if number > self.last_final && !events.is_empty() {
			self.blocks.push_back((number, now, events));
			self.look(known);
		}
	}

	/// The best chain is another: what finality brings is known, and no more.
	pub fn turn(&mut self) {
		self.blocks.clear();
		self.market = None;
	}

	/// The block of this number is final, and `known` the market after it.
	pub fn settle(&mut self, number: u64, known: &Market) {
		self.last_final = number;
		let before = self.blocks.len();
		self.blocks.retain(|(block, ..)| *block > number);
		if before > 0 {
			self.look(known);
		}
	}

	fn look(&mut self, known: &Market) {
		self.market = (!self.blocks.is_empty()).then(|| {
			let mut state = State { market: known.clone(), ..State::default() };
			for (_, now, events) in &self.blocks {
				state.take(events.clone(), *now);
			}
			state.market
		});
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::{
		super::state::tests::{closed, job, matched, posted, who},
		*,
	};

	#[test]
	fn matches_show_before_they_are_final_and_go_with_their_fork() {
		let mut state = State::default();
		state.take(vec![posted(1, who(1), 100)], 10);
		let known = state.market.clone();
		let mut ahead = Ahead::default();
		ahead.settle(5, &known);
		assert!(ahead.market().is_none());
		ahead.push(6, 20, vec![matched(1, 1)], &known);
		assert_eq!(ahead.market().unwrap().matches_of_job(&job("render")).len(), 1);
		assert!(known.matches_of_job(&job("render")).is_empty());
		ahead.turn();
		assert!(ahead.market().is_none());

		ahead.push(6, 20, vec![matched(1, 1)], &known);
		ahead.push(7, 30, vec![closed(1, 1)], &known);
		state.take(vec![matched(1, 1)], 20);
		ahead.settle(6, &state.market);
		let phase = ahead.market().unwrap().matches[&1].view.phase;
		assert_eq!(phase, modicum_directory::access::Phase::Closed { at: 30 });
		state.take(vec![closed(1, 1)], 30);
		ahead.settle(7, &state.market);
		assert!(ahead.market().is_none());
		// What is final already does not count twice.
		ahead.push(7, 30, vec![closed(1, 1)], &state.market);
		assert!(ahead.market().is_none());
	}
}
