// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The most matches of a book, found without the solver and without the rules it asks: the rules of docs/protocol.md
//! §4 once more in plain code, and a maximum flow by somebody else's implementation of Dinic's algorithm, which on
//! graphs like these is the method of Hopcroft and Karp.

use super::Account;
use modicum_primitives::{Balance, Moment, Parameters, BILLION};
use modicum_solver::{JobOffer, Mediator, OrderBook, ResourceOffer};
use petgraph::{algo::dinics, graph::DiGraph};

/// All pairs of a job and a resource offer that can be matched at `now`, by their places in the book.
pub fn pairs(
	book: &OrderBook<Account>,
	parameters: &Parameters,
	now: Moment,
) -> Vec<(usize, usize)> {
	let mut pairs = Vec::new();
	for (at, job) in book.job_offers().values().enumerate() {
		let mediators = mediators(book, job);
		if mediators.is_empty() {
			continue;
		}
		for (other, resource) in book.resource_offers().values().enumerate() {
			if suits(book, job, resource, &mediators, parameters, now) {
				pairs.push((at, other));
			}
		}
	}
	pairs
}

/// Who may mediate for a job, as far as its side is concerned, and a_M + a_D.
fn mediators<'a>(
	book: &'a OrderBook<Account>,
	job: &JobOffer<Account>,
) -> Vec<(Account, &'a Mediator<Account>, Balance)> {
	let Some(a_d) = book.directory_fee(&job.terms.directory) else { return Vec::new() };
	let trusted = book.creator(&job.creator).unwrap_or_default().iter();
	let registered = trusted.filter_map(|who| Some((*who, book.mediator(who)?)));
	registered
		.filter(|(who, mediator)| {
			*who != job.creator
				&& mediator.trusted_directories.contains(&job.terms.directory)
				&& mediator.base_layers.contains(&job.terms.base_layer)
				&& mediator.availability_fee + a_d <= job.terms.max_availability_fee
		})
		.map(|(who, mediator)| (who, mediator, mediator.availability_fee + a_d))
		.collect()
}

fn suits(
	book: &OrderBook<Account>,
	job: &JobOffer<Account>,
	resource: &ResourceOffer<Account>,
	mediators: &[(Account, &Mediator<Account>, Balance)],
	parameters: &Parameters,
	now: Moment,
) -> bool {
	let (wanted, caps) = (&job.terms.limits, &resource.terms.caps);
	let (most, prices) = (&job.terms.max_prices, &resource.terms.prices);
	if caps.instructions < wanted.instructions
		|| caps.ram < wanted.ram
		|| caps.storage < wanted.storage
		|| caps.bandwidth < wanted.bandwidth
		|| prices.instruction > most.instruction
		|| prices.bandwidth > most.bandwidth
		|| job.terms.meter != resource.terms.meter
		|| resource.terms.expires_at.is_some_and(|end| end < now)
		|| job.creator == resource.provider
	{
		return false;
	}
	let Some(provider) = book.provider(&resource.provider) else { return false };
	let time = u128::from(provider.time_per_billion_instructions) * u128::from(wanted.instructions);
	if provider.architecture != job.terms.architecture
		|| u128::from(now) + time.div_ceil(BILLION) > u128::from(job.terms.completion_deadline)
		|| !provider.trusted_directories.contains(&job.terms.directory)
		|| !provider.base_layers.contains(&job.terms.base_layer)
	{
		return false;
	}
	let value = u128::from(wanted.instructions) * prices.instruction
		+ u128::from(wanted.bandwidth) * prices.bandwidth;
	let stake = value.div_ceil(BILLION)
		* u128::from(parameters.penalty_rate + parameters.verification_count);
	mediators.iter().any(|(who, mediator, fees)| {
		mediator.architecture == provider.architecture
			&& *who != resource.provider
			&& provider.trusted_mediators.contains(who)
			&& *fees <= resource.terms.max_availability_fee
			&& job.held >= stake + fees + job.terms.match_incentive
			&& resource.held >= stake + fees + resource.terms.match_incentive
	})
}

/// The size of a largest matching of these pairs.
pub fn most_matches(pairs: &[(usize, usize)]) -> usize {
	let jobs = pairs.iter().map(|(job, _)| job + 1).max().unwrap_or(0);
	let resources = pairs.iter().map(|(_, resource)| resource + 1).max().unwrap_or(0);
	let mut graph: DiGraph<(), u32> =
		DiGraph::with_capacity(jobs + resources + 2, pairs.len() + jobs + resources);
	let [source, sink] = [graph.add_node(()), graph.add_node(())];
	let jobs: Vec<_> = (0..jobs).map(|_| graph.add_node(())).collect();
	let resources: Vec<_> = (0..resources).map(|_| graph.add_node(())).collect();
	for job in &jobs {
		graph.add_edge(source, *job, 1);
	}
	for resource in &resources {
		graph.add_edge(*resource, sink, 1);
	}
	for (job, resource) in pairs {
		graph.add_edge(jobs[*job], resources[*resource], 1);
	}
	dinics(&graph, source, sink).0 as usize
}
