// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Whether what happened to a match fits the rules of docs/protocol.md: pure, from an audit's own data.

use crate::{
	amount::Amount,
	commands::audit::{Audit, Check, Step},
};
use modicum_chain_client::{Event, Reaction};
use modicum_primitives::{
	derive_verdict, match_deposit, match_value, settlement, Ending, SettlementTerms, VerdictTerms,
};

/// The steps of a match, each once.
#[derive(Default)]
struct Found<'a> {
	job: Option<&'a Step>,
	resource: Option<&'a Step>,
	matched: Option<&'a Step>,
	result: Option<&'a Step>,
	reaction: Option<&'a Step>,
	assigned: Option<&'a Step>,
	evidence: Option<&'a Step>,
	closed: Option<&'a Step>,
}

impl<'a> Found<'a> {
	/// The steps, and whether each came once and in the order of docs/protocol.md §5. A match that is awaiting
	/// something lacks the last ones.
	fn of(audit: &'a Audit) -> (Self, bool) {
		let mut found = Self::default();
		let (mut reached, mut in_order) = (0, true);
		for step in &audit.steps {
			let (place, rank) = match &step.event {
				Event::JobOfferPosted { .. } => (&mut found.job, 0),
				Event::ResourceOfferPosted { .. } => (&mut found.resource, 0),
				Event::Matched { .. } => (&mut found.matched, 1),
				Event::ResultPosted { .. } => (&mut found.result, 2),
				Event::ResultReaction { .. } => (&mut found.reaction, 3),
				Event::JobAssignedForMediation { .. } => (&mut found.assigned, 4),
				Event::MediationResultPosted { .. } => (&mut found.evidence, 5),
				Event::MatchClosed { .. } => (&mut found.closed, 6),
				// Payments that went astray.
				_ => continue,
			};
			in_order &= rank >= reached && place.is_none();
			reached = rank;
			*place = Some(step);
		}
		let needs =
			|step: Option<&Step>, earlier: Option<&Step>| step.is_none() || earlier.is_some();
		in_order &= found.job.is_some() && found.resource.is_some() && found.matched.is_some();
		in_order &= needs(found.reaction, found.result) && needs(found.assigned, found.reaction);
		in_order &= needs(found.evidence, found.assigned);
		(found, in_order)
	}
}

/// Collects checks.
#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
	fn add(&mut self, rule: &'static str, ok: bool, found: impl Into<String>) {
		self.0.push(Check { rule, ok, found: found.into() });
	}
}

/// Checks an audit against the rules of the market.
///
/// What was tampered with so that it fits in itself is not found out here: compare the blocks' hashes with a node's.
pub fn check(audit: &Audit) -> Vec<Check> {
	let mut checks = Checks::default();
	blocks(audit, &mut checks);
	let (found, in_order) = Found::of(audit);
	let reached = audit.steps.last().map_or("nothing", |step| match step.event {
		Event::MatchClosed { .. } => "the match is closed",
		_ => "the match is open",
	});
	let order = match (found.job, found.resource) {
		(Some(_), Some(_)) => format!("{} events; {reached}", audit.steps.len()),
		_ => "the offers were posted before the first block that was read: --from must be earlier"
			.into(),
	};
	checks.add("events in the protocol's order, each once", in_order, order);
	if terms(audit, &found, &mut checks).is_none() {
		let missing = "offers, match or the terms that the chain fixed are missing";
		checks.add("the terms of the match are known", false, missing);
	}
	checks.0
}

/// Blocks ascend, times with them, and none is missing.
fn blocks(audit: &Audit, checks: &mut Checks) {
	let ascend = audit.steps.windows(2).all(|pair| {
		let (one, next) = (&pair[0], &pair[1]);
		if one.block == next.block {
			one.block_hash == next.block_hash && one.time == next.time
		} else {
			one.block < next.block && one.block_hash != next.block_hash && one.time < next.time
		}
	});
	let within =
		audit.steps.iter().all(|step| (audit.first_block..=audit.last_block).contains(&step.block));
	let range = format!("{} to {}", audit.first_block, audit.last_block);
	checks.add("blocks and their times ascend", ascend && within, range);
	let missed: Vec<_> =
		audit.missed.iter().map(|(first, last)| format!("{first} to {last}")).collect();
	let found = match missed.as_slice() {
		[] => "all".into(),
		gaps => {
			format!("the node has discarded the state of {}: ask an archive node", gaps.join(", "))
		},
	};
	checks.add("all blocks were read", missed.is_empty(), found);
}

/// All that follows from the terms; `None` if they are not known.
fn terms(audit: &Audit, found: &Found<'_>, checks: &mut Checks) -> Option<()> {
	let Event::JobOfferPosted { job_offer, creator, terms: job, .. } = &found.job?.event else {
		return None;
	};
	let Event::ResourceOfferPosted { resource_offer, provider, terms: resource, .. } =
		&found.resource?.event
	else {
		return None;
	};
	let Event::Matched {
		job_offer: matched_job,
		resource_offer: matched_resource,
		creator: matched_creator,
		provider: matched_provider,
		mediator,
		directory,
		value,
		creator_held,
		provider_held,
		incentives,
		completion_deadline,
		..
	} = &found.matched?.event
	else {
		return None;
	};
	let fixed = audit.fixed.as_ref()?;

	let mut same = (job_offer, resource_offer, creator, provider)
		== (matched_job, matched_resource, matched_creator, matched_provider)
		&& *directory == job.directory;
	same &= audit.steps.iter().all(|step| match &step.event {
		Event::ResultPosted { provider: who, .. } => who == provider,
		Event::JobAssignedForMediation { mediator: who, .. }
		| Event::MediationResultPosted { mediator: who, .. } => who == mediator,
		Event::ResultReaction { by, reaction, .. } => match reaction {
			Reaction::Rejected(_) => by.as_ref() == Some(creator),
			Reaction::Accepted => by.as_ref().is_none_or(|by| by == creator || by == provider),
		},
		Event::MatchClosed {
			job_offer: j,
			resource_offer: r,
			creator: c,
			provider: p,
			mediator: m,
			directory: d,
			..
		} => {
			(j, r, c, p, m, d)
				== (job_offer, resource_offer, creator, provider, mediator, directory)
		},
		_ => true,
	});
	checks.add(
		"the same parties throughout",
		same,
		format!("creator {creator}, provider {provider}"),
	);

	let expected = match_value(&job.limits, resource.prices).ok();
	checks.add(
		"the value is the cost of the limits at the provider's prices",
		expected == Some(*value),
		Amount(*value).to_string(),
	);
	let deposit =
		match_deposit(*value, fixed.mediator_fee, fixed.directory_fee, &fixed.parameters).ok();
	let covered =
		deposit.is_some_and(|deposit| *creator_held >= deposit && *provider_held >= deposit);
	let needed = deposit.map_or("more than there is".into(), |deposit| Amount(deposit).to_string());
	checks.add("both deposits cover what is at stake", covered, format!("{needed} each"));
	let paid = job.match_incentive.checked_add(resource.match_incentive);
	let solver = Amount(*incentives).to_string();
	checks.add("the solver got both incentives", paid == Some(*incentives), solver);

	let mut reported = None;
	if let Some(Step {
		time, event: Event::ResultPosted { result, reaction_deadline, .. }, ..
	}) = found.result
	{
		let ok = time <= completion_deadline
			&& *completion_deadline <= job.completion_deadline
			&& result.usage.is_within(&job.limits);
		checks.add("the result came in time and within the limits", ok, result.status.to_string());
		reported = Some((result, *reaction_deadline));
	}
	let mut is_rejected = false;
	if let (
		Some(Step { time, event: Event::ResultReaction { by, reaction, .. }, .. }),
		Some((_, deadline)),
	) = (found.reaction, reported)
	{
		is_rejected = matches!(reaction, Reaction::Rejected(_));
		// A rejection until the deadline; after it the provider, or the chain itself, may accept.
		let ok = match (is_rejected, by.as_ref() == Some(creator)) {
			(true, _) => *time <= deadline,
			(false, true) => true,
			(false, false) => *time > deadline,
		};
		let what = if is_rejected { "rejected" } else { "accepted" };
		checks.add("the reaction was allowed at its time", ok, what);
	}
	let mut measured = None;
	let mut verdict_found = None;
	if let (
		Some(Step {
			event: Event::MediationResultPosted { evidence, verdict, faulty_party, .. },
			..
		}),
		Some((result, _)),
	) = (found.evidence, reported)
	{
		let verdict_terms = VerdictTerms {
			instruction_limit: job.limits.instructions,
			meter: job.meter,
			cost_tolerance: fixed.parameters.cost_tolerances.of(job.meter),
		};
		let derived = derive_verdict(result, evidence, &verdict_terms);
		let ok = derived == *verdict && derived.faulty_party() == *faulty_party;
		checks.add("the verdict follows from the evidence", ok, format!("derived: {derived}"));
		measured = evidence.measured();
		verdict_found = Some(*verdict);
	}

	let Some(Step { event: Event::MatchClosed { ending, settlement: settled, .. }, .. }) =
		found.closed
	else {
		return Some(());
	};
	let fits = match ending {
		Ending::Accepted => found.reaction.is_some() && !is_rejected,
		Ending::Mediated(verdict) => verdict_found == Some(*verdict) && is_rejected,
		Ending::ProviderTimedOut => found.result.is_none(),
		Ending::MediatorTimedOut => {
			is_rejected && found.assigned.is_some() && found.evidence.is_none()
		},
	};
	checks.add("the match ended as what went before says", fits, ending.to_string());
	let settlement_terms = SettlementTerms {
		value: *value,
		prices: resource.prices,
		verification_count: fixed.parameters.verification_count,
		mediator_fee: fixed.mediator_fee,
		directory_fee: fixed.directory_fee,
		reported: reported.map(|(result, _)| result.usage),
		measured,
	};
	let recomputed = settlement(*ending, &settlement_terms, *creator_held, *provider_held);
	let found_text = format!(
		"{} from creator to provider, {} from provider to creator",
		Amount(recomputed.from_creator.to_counterparty),
		Amount(recomputed.from_provider.to_counterparty)
	);
	checks.add(
		"the payments are those of the protocol's table",
		recomputed == *settled,
		found_text,
	);
	let (from_creator, from_provider) =
		(settled.from_creator.total(), settled.from_provider.total());
	let ok = from_creator == Some(*creator_held) && from_provider == Some(*provider_held);
	let sums = format!(
		"{} of the creator, {} of the provider",
		Amount(*creator_held),
		Amount(*provider_held)
	);
	checks.add("the payments add up to what was held", ok, sums);
	Some(())
}
