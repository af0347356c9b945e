// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What the market costs on this machine, as tables, for scripts/bench.sh: the time it adds to a job, the jobs it
//! settles in a second, what an idle agent needs. Nothing is executed (the null executor). `FIGURES_JOBS` jobs in
//! sequence; `FIGURES_CREATORS` creators with `FIGURES_SWEEP` jobs each at once.

#![allow(clippy::unwrap_used)]

mod common;

use common::{account, Agent, Cell, Market, Options};
use modicum_chain_client::{Event, FinalizedItem};
use modicum_primitives::{JobOfferId, MatchId, Moment};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

/// What the paper measured for a job, seconds.
const PAPER_SECONDS: f64 = 52.0;
/// How long idle agents are watched.
const IDLE: Duration = Duration::from_secs(90);
/// Jobs that all providers together have room for, where many are settled.
const JOBS_AT_ONCE: usize = 1_024;
/// Clock ticks of a second in /proc, which Linux fixes for programs.
const TICKS: f64 = 100.0;

fn number(name: &str, default: usize) -> usize {
	std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// Number and time of the block in which something happened.
#[derive(Debug, Clone, Copy)]
struct At {
	block: u64,
	time: Moment,
}

/// When a job's offer, match, result and end came.
#[derive(Debug, Default, Clone, Copy)]
struct Times {
	offered: Option<At>,
	matched: Option<At>,
	result: Option<At>,
	closed: Option<At>,
}

/// The jobs that are closed by now, in the order of their offers, and how many resource offers each block took.
async fn jobs(market: &Market) -> (Vec<Times>, BTreeMap<u64, usize>) {
	let head = market.snapshot().await.number();
	let mut offers: BTreeMap<JobOfferId, Times> = BTreeMap::new();
	let mut matches: BTreeMap<MatchId, JobOfferId> = BTreeMap::new();
	let mut resources = BTreeMap::new();
	let mut blocks = market.chain.finalized_blocks(Some(1));
	loop {
		let FinalizedItem::Block(block) = blocks.next().await.unwrap() else {
			panic!("a development node keeps its blocks");
		};
		if !block.events.is_empty() {
			let at = At { block: block.number(), time: block.snapshot.now().await.unwrap() };
			for event in &block.events {
				match event {
					Event::JobOfferPosted { job_offer, .. } => {
						offers.entry(*job_offer).or_default().offered = Some(at);
					},
					Event::ResourceOfferPosted { .. } => {
						*resources.entry(at.block).or_default() += 1;
					},
					Event::Matched { job_offer, match_id, .. } => {
						offers.entry(*job_offer).or_default().matched = Some(at);
						matches.insert(*match_id, *job_offer);
					},
					Event::ResultPosted { match_id, .. } => {
						offers.entry(matches[match_id]).or_default().result = Some(at);
					},
					Event::MatchClosed { job_offer, .. } => {
						offers.entry(*job_offer).or_default().closed = Some(at);
					},
					_ => {},
				}
			}
		}
		if block.number() >= head {
			let closed = offers.into_values().filter(|times| times.closed.is_some());
			return (closed.collect(), resources);
		}
	}
}

/// Mean, median and most of what passes between two points of each job.
fn row(label: &str, jobs: &[Times], from: fn(&Times) -> Option<At>, to: fn(&Times) -> Option<At>) {
	let mut passed: Vec<(u64, f64)> = jobs
		.iter()
		.filter_map(|times| {
			let (from, to) = (from(times)?, to(times)?);
			Some((to.block - from.block, (to.time - from.time) as f64 / 1_000.0))
		})
		.collect();
	passed.sort_by_key(|(blocks, _)| *blocks);
	let count = passed.len() as f64;
	let blocks = passed.iter().map(|(blocks, _)| *blocks as f64).sum::<f64>() / count;
	let seconds = passed.iter().map(|(_, seconds)| seconds).sum::<f64>() / count;
	let (median, _) = passed[passed.len() / 2];
	let (most, _) = passed[passed.len() - 1];
	println!("| {label} | {seconds:.1} | {blocks:.1} | {median} | {most} |");
}

async fn start(settings: &[&str]) -> (Market, Vec<Agent>) {
	let settings = settings.iter().map(|setting| (*setting).into()).collect();
	let market = Market::new(Options { settings, ..Options::default() }).await;
	// All agents have the same network address here, for which a directory would answer so many requests only.
	let unbounded = market.home("//Directory").join("unbounded.toml");
	std::fs::create_dir_all(unbounded.parent().unwrap()).unwrap();
	std::fs::write(&unbounded, "[limits]\nrequests_per_second = 0\n").unwrap();
	let more = format!("--settings {}", unbounded.display());
	let directory = market.directory_with("//Directory", &more).await;
	let solver = market.start("//Solver", "solver run");
	(market, vec![directory, solver])
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and prints figures: part of scripts/bench.sh"]
async fn time_that_the_market_adds() {
	let (market, _agents) = start(&[]).await;
	let [cell] = market.cells("//Directory", ["latency"]).await;
	let _provider = market.provider(&cell, None);
	wait_for_offers(&market, std::slice::from_ref(&cell)).await;
	let wanted = number("FIGURES_JOBS", 100);
	for _ in 0..wanted {
		let (code, answer) = market.submit(&cell, "--verify never").await;
		assert_eq!(code, 0, "{answer}");
	}
	let (jobs, _) = jobs(&market).await;
	assert_eq!(jobs.len(), wanted);
	println!("{wanted} jobs in sequence; the paper: {PAPER_SECONDS:.0} s from offer to end\n");
	println!("| | mean, s | mean, blocks | median, blocks | most, blocks |\n|---|---|---|---|---|");
	row("offer to match", &jobs, |job| job.offered, |job| job.matched);
	row("match to result", &jobs, |job| job.matched, |job| job.result);
	row("result to end", &jobs, |job| job.result, |job| job.closed);
	row("**offer to end**", &jobs, |job| job.offered, |job| job.closed);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and prints figures: part of scripts/bench.sh"]
async fn jobs_settled_in_a_second() {
	const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
	let creators = number("FIGURES_CREATORS", 4).clamp(1, NAMES.len());
	// Room for many jobs, each of which binds little money.
	let (market, _agents) = start(&[
		&format!("provider.jobs_at_once={}", (JOBS_AT_ONCE / creators).min(256)),
		"provider.instructions=1000000000",
		"provider.bandwidth=1MiB",
	])
	.await;
	let cells = market.cells("//Directory", NAMES).await;
	let cells = &cells[..creators];
	let each = number("FIGURES_SWEEP", 100);
	let _providers: Vec<_> = cells.iter().map(|cell| market.provider(cell, None)).collect();
	wait_for_offers(&market, cells).await;
	let sweeping = cells.iter().map(|cell| sweep(&market, cell, each));
	futures::future::join_all(sweeping).await;

	let (jobs, mut resources) = jobs(&market).await;
	assert_eq!(jobs.len(), cells.len() * each);
	let first = jobs.iter().filter_map(|job| job.offered).map(|at| at.time).min().unwrap();
	let mut closed: Vec<_> = jobs.iter().filter_map(|job| job.closed).map(|at| at.time).collect();
	closed.sort_unstable();
	let seconds = |from: Moment, to: Moment| (to - from) as f64 / 1_000.0;
	let all = seconds(first, closed[closed.len() - 1]);
	let settling = closed.len() as f64 / seconds(closed[0], closed[closed.len() - 1]).max(0.001);
	// The middle half, when neither the beginning nor the end of the sweeps slows it down.
	let quarter = closed.len() / 4;
	let (from, to) = (closed[quarter], closed[3 * quarter]);
	let middle = (2 * quarter) as f64 / seconds(from, to).max(0.001);
	println!("{} creators with {each} jobs each, as many providers\n", cells.len());
	println!("| jobs | seconds from the first offer | jobs a second | from the first end | of the middle half |");
	println!("|---|---|---|---|---|");
	let a_second = jobs.len() as f64 / all;
	println!("| {} | {all:.0} | {a_second:.1} | {settling:.1} | {middle:.1} |", jobs.len());
	println!("\nwhat each block did\n");
	println!("| block | resource offers | job offers | matches | results | ends |");
	println!("|---|---|---|---|---|---|");
	let stages: [fn(&Times) -> Option<At>; 4] =
		[|job| job.offered, |job| job.matched, |job| job.result, |job| job.closed];
	let mut blocks: BTreeMap<u64, [usize; 4]> = BTreeMap::new();
	for (stage, of) in stages.into_iter().enumerate() {
		for at in jobs.iter().filter_map(of) {
			blocks.entry(at.block).or_default()[stage] += 1;
		}
	}
	for block in resources.keys() {
		blocks.entry(*block).or_default();
	}
	for (block, [offers, matches, results, ends]) in blocks {
		let resources = resources.remove(&block).unwrap_or_default();
		println!("| {block} | {resources} | {offers} | {matches} | {results} | {ends} |");
	}
}

/// Waits until every provider has an offer open.
async fn wait_for_offers(market: &Market, cells: &[Cell]) {
	for cell in cells {
		let wanted = account(&cell.provider());
		market
			.event("a resource offer", |event| match event {
				Event::ResourceOfferPosted { provider, .. } if *provider == wanted => Some(()),
				_ => None,
			})
			.await;
	}
}

async fn sweep(market: &Market, cell: &Cell, jobs: usize) {
	let lines: String = (0..jobs).map(|_| "{}\n").collect();
	let file = market.home(&cell.creator()).join("sweep.jsonl");
	std::fs::create_dir_all(file.parent().unwrap()).unwrap();
	std::fs::write(&file, lines).unwrap();
	let more = format!("--verify never --sweep {} --out out", file.display());
	let (code, answer) = market.submit(cell, &more).await;
	assert_eq!(code, 0, "{answer}");
}

/// What a process takes.
#[derive(Clone)]
struct Usage {
	/// Resident memory, MiB.
	resident: f64,
	/// The part of it that is the process's own; the rest is the program's file, which the system may drop at any time.
	own: f64,
	/// Processor time so far, seconds.
	processor: f64,
}

fn usage(process: u32) -> Usage {
	let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
	let mib = |name: &str| {
		let line = status.lines().find(|line| line.starts_with(name)).unwrap();
		let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
		kib / 1024.0
	};
	let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
	// What follows the name, which is in brackets, counts from the third field on.
	let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
	let ticks: f64 = fields[11..=12].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
	Usage { resident: mib("VmRSS:"), own: mib("RssAnon:"), processor: ticks / TICKS }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and prints figures: part of scripts/bench.sh"]
async fn what_idle_agents_need() {
	println!("idle for {} s\n", IDLE.as_secs());
	println!("| role | way to the chain | resident at most, MiB | of that its own | % of a core |");
	println!("|---|---|---|---|---|");
	for light in [false, true] {
		let market = Market::new(Options { light, ..Options::default() }).await;
		let directory = market.directory("//Directory").await;
		let [cell] = market.cells("//Directory", ["idle"]).await;
		let agents = [
			("directory", directory),
			("solver", market.start("//Solver", "solver run")),
			("mediator", market.mediator(&cell, None)),
			("provider", market.provider(&cell, None)),
			("creator", market.creator(&cell, None)),
		];
		wait_for_offers(&market, &[cell]).await;
		// Until each has let go of what only its start needed.
		tokio::time::sleep(IDLE).await;
		let started = Instant::now();
		let before: Vec<_> = agents.iter().map(|(_, agent)| usage(agent.id())).collect();
		let mut most = before.clone();
		while started.elapsed() < IDLE {
			tokio::time::sleep(Duration::from_secs(1)).await;
			for ((_, agent), most) in agents.iter().zip(&mut most) {
				let now = usage(agent.id());
				most.processor = now.processor;
				if now.resident > most.resident {
					*most = now;
				}
			}
		}
		let passed = started.elapsed().as_secs_f64();
		let way = if light { "light client" } else { "RPC" };
		for (((role, _), before), most) in agents.iter().zip(before).zip(most) {
			let share = 100.0 * (most.processor - before.processor) / passed;
			println!("| {role} | {way} | {:.1} | {:.1} | {share:.1} |", most.resident, most.own);
		}
	}
}
