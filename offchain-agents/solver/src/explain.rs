// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Why is a job offer not matched?

use crate::book::OrderBook;
use modicum_primitives::{JobOfferId, Moment, Rule};
use std::collections::BTreeMap;

/// What stands between a job offer and the resource offers in the book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
	/// Resource offers with which a match is feasible now: if the job is still unmatched, others have them.
	pub feasible: usize,
	/// For each rule, how many of the other resource offers break it, each with the mediator of the creator's list
	/// with whom it breaks the fewest (of several, the lowest account).
	pub broken: BTreeMap<Rule, usize>,
	/// Resource offers whose provider is not registered, as far as the book knows.
	pub unknown_providers: usize,
}

impl<AccountId: Ord + Clone> OrderBook<AccountId> {
	/// Why `job_offer` is not matched at `now`: judges every resource offer by the chain's own rules. `None` if it is
	/// not in the book.
	pub fn explain(&self, job_offer: JobOfferId, now: Moment) -> Option<Explanation> {
		let job = self.job_offers().get(&job_offer)?;
		let trusted = self.creator(&job.creator).unwrap_or_default();
		let mut explanation = Explanation::default();
		for resource in self.resource_offers().keys() {
			let judge = |who| self.broken_rules(job_offer, *resource, who, now);
			let fewest = trusted.iter().filter_map(|who| Some((judge(who)?, who)));
			let fewest = fewest.min_by_key(|(rules, who)| (rules.len(), *who));
			let rules = match fewest {
				Some((rules, _)) => Some(rules),
				// Without a mediator the creator stands in, and what is wrong with it as one is left out.
				None => judge(&job.creator).map(|mut rules| {
					rules.retain(|rule| !about_mediator(*rule));
					rules.push(Rule::MediatorNotTrustedByCreator);
					rules
				}),
			};
			match rules {
				None => explanation.unknown_providers += 1,
				Some(rules) if rules.is_empty() => explanation.feasible += 1,
				Some(rules) => {
					rules
						.iter()
						.for_each(|rule| *explanation.broken.entry(*rule).or_default() += 1);
				},
			}
		}
		Some(explanation)
	}
}

fn about_mediator(rule: Rule) -> bool {
	matches!(
		rule,
		Rule::MediatorNotTrustedByCreator
			| Rule::MediatorNotTrustedByProvider
			| Rule::MediatorArchitectureMismatch
			| Rule::DirectoryNotTrustedByMediator
			| Rule::BaseLayerNotSupportedByMediator
			| Rule::MediatorIsCreator
			| Rule::MediatorIsProvider
			| Rule::MediatorNotRegistered
	)
}
