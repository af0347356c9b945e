// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The game of docs/economics.md on a real chain: honest, cheating and mixing providers meet creators that verify
//! always, never and now and then, as processes of their own, and what each strategy got is read from the
//! settlements on the chain. Nothing is executed (the null executor), so a run's cost is assumed, as a share of its
//! price; everything else is paid as in any match.

#![allow(clippy::unwrap_used)]

mod common;

use common::{account, Market, Options, TOKEN};
use modicum_chain_client::Event;
use modicum_economics::{
	simulation::{simulate, CreatorStrategy, Population, ProviderStrategy, SimulationConfig},
	Parameters as Game,
};
use modicum_primitives::{match_value, Balance, Ending, Prices, Resources, Settlement, Verdict};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::time::Instant;

/// What mediator and directory charge each side, as registered below, tokens.
const FEES: f64 = 0.15;
/// What each side pays the solver, by the default settings, tokens.
const INCENTIVE: f64 = 0.01;
/// What executing a job costs, and verifying one, as a share of π_c.
const EXECUTION: f64 = 0.6;
/// What making a result up costs, as a share of π_c.
const DECEPTION: f64 = 0.01;
/// What a right result is worth, as a share of π_c.
const BENEFIT: f64 = 2.0;
/// The mixing provider executes so often.
const P_E: f64 = 0.5;
/// Bytes of a job that do not compress: nearly all that a run moves.
const PAYLOAD: usize = 100_000;
/// A run moves about half as much as it may, so that a made-up usage looks like any other.
const BANDWIDTH: u64 = 204_000;
const INSTRUCTIONS: u64 = 1_000;
/// Tokens for 10^9 bytes, so that π_c is about a token.
const BANDWIDTH_PRICE: &str = "10000";

/// Accounts and strategies of creators, with the `--verify` of each.
const CREATORS: [(&str, &str); 3] =
	[("//Creator", "auto"), ("//Charlie", "always"), ("//Bob", "never")];
/// Accounts of providers and what they do. Which of its two accounts the mixing provider uses is drawn for each job.
const PROVIDERS: [(&str, Strategy, bool); 4] = [
	("//Provider", Strategy::Honest, false),
	("//Provider2", Strategy::Cheats, true),
	("//Dave", Strategy::Mixes, false),
	("//Eve", Strategy::Mixes, true),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
	Honest,
	Cheats,
	Mixes,
}

/// A closed match of one creator's and one provider's strategy.
struct Closed {
	verify: &'static str,
	strategy: Strategy,
	cheated: bool,
	ending: Ending,
	settlement: Settlement,
}

/// Only this provider has the base layer, and only its jobs name it: so every pair meets equally often.
fn base(provider: usize) -> String {
	format!("sha256:{}", format!("{:02x}", provider + 1).repeat(32))
}

/// What agents are told beside the usual.
fn settings() -> Vec<String> {
	vec![
		"provider.jobs_at_once=6".into(),
		format!("provider.instructions={INSTRUCTIONS}"),
		format!("provider.bandwidth={BANDWIDTH}B"),
		format!("provider.bandwidth_price={BANDWIDTH_PRICE}"),
		"mediator.disputes_at_once=8".into(),
		format!("creator.max_bandwidth_price={BANDWIDTH_PRICE}"),
	]
}

/// Runs commands of several accounts, those of one account in turn.
async fn all(market: &Market, todo: Vec<(&str, Vec<String>)>) {
	let running = todo.into_iter().map(|(name, lines)| async move {
		for line in lines {
			market.does(name, &line).await;
		}
	});
	futures::future::join_all(running).await;
}

/// Registers everyone, by the commands that users have for it.
async fn register(market: &Market) {
	let bases = |of: std::ops::Range<usize>| {
		of.map(|k| format!(" --base-layer {}", base(k))).collect::<String>()
	};
	let mut todo = vec![(
		"//Mediator",
		vec![format!(
			"mediator register --architecture amd64 --availability-fee 0.1 --trust-directory //Directory{}",
			bases(0..PROVIDERS.len())
		)],
	)];
	for (k, (name, ..)) in PROVIDERS.iter().enumerate() {
		let line = format!(
			"provider register --architecture amd64 --time-per-billion-instructions 100 \
			 --trust-directory //Directory --trust-mediator //Mediator{}",
			bases(k..k + 1)
		);
		todo.push((name, vec![line]));
	}
	for (name, _) in CREATORS {
		todo.push((name, vec!["creator register --trust-mediator //Mediator".into()]));
	}
	all(market, todo).await;
}

/// A job that only the provider of this number can take.
fn job_folder(market: &Market, provider: usize) -> String {
	let folder = market.home(&format!("job{provider}"));
	std::fs::create_dir_all(folder.join("root")).unwrap();
	let payload: Vec<u8> = std::iter::repeat_with(rand::random).take(PAYLOAD).collect();
	std::fs::write(folder.join("root/payload"), payload).unwrap();
	let file = format!(
		"name = \"game\"\nbase = \"{}\"\nexecution = \"root\"\ncommand = [\"/payload\"]\n[limits]\n\
		 instructions = {INSTRUCTIONS}\nram = \"16 MiB\"\nstorage = \"1 MiB\"\nbandwidth = {BANDWIDTH}\n",
		base(provider)
	);
	std::fs::write(folder.join("job.toml"), file).unwrap();
	folder.to_str().unwrap().into()
}

/// Plays `rounds` jobs for each creator and each of the strategies.
async fn play(rounds: usize, strategies: &[Strategy]) -> Vec<Closed> {
	let market = Market::new(Options { settings: settings(), ..Options::default() }).await;
	let (_directory, ()) = tokio::join!(market.directory("//Directory"), register(&market));
	let mut agents =
		vec![market.start("//Solver", "solver run"), market.start("//Mediator", "mediator run")];
	// All jobs are posted before anyone takes one, since a creator's two processes would share its account.
	let folders: Vec<_> = (0..PROVIDERS.len()).map(|k| job_folder(&market, k)).collect();
	let provider_of = |strategy: Strategy| {
		let cheats = strategy == Strategy::Cheats
			|| strategy == Strategy::Mixes && rand::random::<f64>() >= P_E;
		PROVIDERS.iter().position(|(_, s, c)| *s == strategy && *c == cheats).unwrap()
	};
	let todo = CREATORS.map(|(name, verify)| {
		let turns = (0..rounds).flat_map(|_| strategies);
		let lines = turns.map(|strategy| {
			let folder = &folders[provider_of(*strategy)];
			format!("job submit {folder} --directory //Directory --yes --detach --verify {verify}")
		});
		(name, lines.collect::<Vec<_>>())
	});
	all(&market, todo.into()).await;
	agents.extend(CREATORS.map(|(name, _)| market.start(name, "creator run")));
	for (name, strategy, cheats) in PROVIDERS {
		if strategies.contains(&strategy) {
			let cheat = if cheats { " --scripted-cheat forges-results" } else { "" };
			agents.push(market.start(name, &format!("provider run{cheat}")));
		}
	}
	let wanted = CREATORS.len() * strategies.len() * rounds;
	let mut closed = Vec::new();
	for match_id in 0..wanted {
		closed.push(closing(&market, match_id as u64).await);
	}
	closed
}

/// Waits for the end of a match; by whom it was, and how it ended.
async fn closing(market: &Market, wanted: u64) -> Closed {
	market
		.event(&format!("the end of match {wanted}"), |event| match event {
			Event::MatchClosed { match_id, creator, provider, ending, settlement, .. }
				if *match_id == wanted =>
			{
				let creator = CREATORS.iter().find(|(name, _)| account(name) == *creator);
				let provider = PROVIDERS.iter().find(|(name, ..)| account(name) == *provider);
				let ((_, verify), (_, strategy, cheated)) = (creator.unwrap(), provider.unwrap());
				Some(Closed {
					verify,
					strategy: *strategy,
					cheated: *cheated,
					ending: *ending,
					settlement: *settlement,
				})
			},
			_ => None,
		})
		.await
}

fn tokens(amount: Balance) -> f64 {
	amount as f64 / TOKEN as f64
}

/// The game's parameters, in tokens, with π_c as honest providers were paid it.
fn game(closed: &[Closed]) -> Game {
	let honest = closed.iter().filter(|c| !c.cheated && c.ending == Ending::Accepted);
	let paid: Vec<f64> =
		honest.map(|c| tokens(c.settlement.from_creator.to_counterparty)).collect();
	let price = paid.iter().sum::<f64>() / paid.len() as f64;
	let limits = Resources {
		instructions: INSTRUCTIONS,
		ram: 16 << 20,
		storage: 1 << 20,
		bandwidth: BANDWIDTH,
	};
	let bandwidth = BANDWIDTH_PRICE.parse::<Balance>().unwrap() * TOKEN;
	let value = match_value(&limits, Prices { instruction: TOKEN / 100, bandwidth }).unwrap();
	Game {
		price_limit: tokens(value),
		availability_fees: FEES,
		provider_cost: INCENTIVE,
		creator_cost: INCENTIVE,
		benefit: BENEFIT * price,
		verification_cost: EXECUTION * price,
		execution_cost: EXECUTION * price,
		deception_cost: DECEPTION * price,
		..Game::at_price(50, 2, price)
	}
}

/// How often a creator verifies: as `--verify` says.
fn p_v(verify: &str, game: &Game) -> f64 {
	match verify {
		"always" => 1.0,
		"never" => 0.0,
		_ => {
			let stage = Game::at_price(50, 2, game.price_limit).stage(0.99).unwrap();
			stage.cautious_p_v().unwrap()
		},
	}
}

/// What creator and provider gained from a match, in tokens. Verifying is charged with what it costs on average:
/// whether a creator that draws lots has verified a result that it accepted, it keeps to itself.
fn utilities(closed: &Closed, game: &Game) -> [f64; 2] {
	let Settlement { from_creator, from_provider } = closed.settlement;
	let lost = |payout: modicum_primitives::Payout| {
		tokens(payout.to_counterparty + payout.to_mediator + payout.to_directory + payout.to_fines)
	};
	let useful = !closed.cheated && closed.ending == Ending::Accepted;
	let benefit = if useful { game.benefit } else { 0.0 };
	let verifying = p_v(closed.verify, game) * game.verification_cost;
	let effort = if closed.cheated { game.deception_cost } else { game.execution_cost };
	[
		tokens(from_provider.to_counterparty) - lost(from_creator) - INCENTIVE + benefit
			- verifying,
		tokens(from_creator.to_counterparty) - lost(from_provider) - INCENTIVE - effort,
	]
}

/// What the simulation predicts for creator and provider, in tokens per job.
fn predicted(verify: &str, strategy: Strategy, game: &Game) -> [f64; 2] {
	let creator = match verify {
		"always" => CreatorStrategy::AlwaysVerifies,
		"never" => CreatorStrategy::NeverVerifies,
		_ => CreatorStrategy::Honest { p_v: p_v(verify, game) },
	};
	let provider = match strategy {
		Strategy::Honest => ProviderStrategy::Honest,
		Strategy::Cheats => ProviderStrategy::AlwaysCheats,
		Strategy::Mixes => ProviderStrategy::Mixes { p_e: P_E },
	};
	let population = Population::of(creator, provider, 4);
	let report = simulate(&SimulationConfig::new(*game, population, 160_000, 1)).unwrap();
	[report.strategies[0].mean_utility, report.strategies[1].mean_utility]
}

/// Mean and half width of its 95 % confidence interval.
fn mean(values: &[f64]) -> (f64, f64) {
	let count = values.len() as f64;
	let mean = values.iter().sum::<f64>() / count;
	if values.len() < 2 {
		return (mean, f64::NAN);
	}
	let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
	let student = StudentsT::new(0.0, 1.0, count - 1.0).unwrap();
	(mean, student.inverse_cdf(0.975) * (variance / count).sqrt())
}

/// What one pair of strategies got.
struct Pair {
	verify: &'static str,
	strategy: Strategy,
	utilities: Vec<[f64; 2]>,
	predicted: [f64; 2],
}

impl Pair {
	/// Mean of the creator (0) or the provider (1).
	fn mean(&self, side: usize) -> (f64, f64) {
		mean(&self.utilities.iter().map(|u| u[side]).collect::<Vec<_>>())
	}
}

fn pairs(closed: &[Closed], strategies: &[Strategy], game: &Game) -> Vec<Pair> {
	let mut pairs = Vec::new();
	for &strategy in strategies {
		for (_, verify) in CREATORS {
			let own = closed.iter().filter(|c| c.verify == verify && c.strategy == strategy);
			pairs.push(Pair {
				verify,
				strategy,
				utilities: own.map(|c| utilities(c, game)).collect(),
				predicted: predicted(verify, strategy, game),
			});
		}
	}
	pairs
}

/// A line of the table for some pairs of the same strategy.
fn line(label: &str, side: usize, own: &[&Pair]) {
	let values: Vec<f64> =
		own.iter().flat_map(|pair| pair.utilities.iter().map(|u| u[side])).collect();
	let (mean, margin) = mean(&values);
	let predicted = own.iter().map(|pair| pair.predicted[side]).sum::<f64>() / own.len() as f64;
	// One job alone has no interval.
	let margin = if margin.is_nan() { String::new() } else { format!(" ± {margin:.2}") };
	println!("| {label} | {} | {mean:.2}{margin} | {predicted:.2} |", values.len());
}

fn print(pairs: &[Pair], strategies: &[Strategy], game: &Game) {
	println!(
		"\nπ_c = {:.3} tokens, v = {:.3}; assumed: c_e = c_v = {EXECUTION} π_c, c_d = {DECEPTION} π_c, b = {BENEFIT} π_c",
		game.price, game.price_limit
	);
	println!("\n| strategy | jobs | tokens per job | predicted |\n|---|---|---|---|");
	for strategy in strategies {
		let own: Vec<_> = pairs.iter().filter(|pair| pair.strategy == *strategy).collect();
		line(&format!("provider {strategy:?}, any creator"), 1, &own);
		for pair in own {
			line(&format!("provider {strategy:?}, creator verifies {}", pair.verify), 1, &[pair]);
		}
	}
	for (_, verify) in CREATORS {
		let own: Vec<_> = pairs.iter().filter(|pair| pair.verify == verify).collect();
		line(&format!("creator verifies {verify}, any provider"), 0, &own);
	}
}

/// What must hold in any run: chance has no part in these pairs.
fn check(closed: &[Closed], pairs: &[Pair], game: &Game) {
	let of = |verify, strategy| {
		pairs.iter().find(|pair| pair.verify == verify && pair.strategy == strategy).unwrap()
	};
	for pair in pairs {
		if pair.verify == "auto" || pair.strategy == Strategy::Mixes {
			continue;
		}
		for side in [0, 1] {
			let (measured, predicted) = (pair.mean(side).0, pair.predicted[side]);
			let label = (pair.verify, pair.strategy, side);
			assert!(
				(measured - predicted).abs() < 0.05 * game.price,
				"{label:?}: {measured}, {predicted}"
			);
		}
	}
	for verify in ["always", "never"] {
		assert!(of(verify, Strategy::Honest).mean(1).0 > 0.0, "honesty pays");
	}
	assert!(
		of("always", Strategy::Cheats).mean(1).0 < -50.0 * game.price,
		"cheating costs the deposit"
	);
	let (honest, cheating) = (of("never", Strategy::Honest), of("never", Strategy::Cheats));
	assert!(
		cheating.mean(1).0 > honest.mean(1).0,
		"where nobody verifies, cheating pays (Theorem 1)"
	);
	assert!(
		of("always", Strategy::Cheats).mean(0).0 > cheating.mean(0).0,
		"verifying pays against cheats"
	);
	for closed in closed {
		let caught = closed.ending == Ending::Mediated(Verdict::WrongResults);
		match (closed.cheated, closed.verify) {
			(true, "always") => assert!(caught),
			(false, _) | (true, "never") => assert_eq!(closed.ending, Ending::Accepted),
			_ => assert!(caught || closed.ending == Ending::Accepted),
		}
	}
}

async fn report(rounds: usize, strategies: &[Strategy]) {
	let started = Instant::now();
	let closed = play(rounds, strategies).await;
	let game = game(&closed);
	let pairs = pairs(&closed, strategies, &game);
	print(&pairs, strategies, &game);
	println!("\n{} jobs in {} s", closed.len(), started.elapsed().as_secs());
	check(&closed, &pairs, &game);
}

#[tokio::test(flavor = "multi_thread")]
async fn cheating_loses_where_results_are_verified() {
	report(1, &[Strategy::Honest, Strategy::Cheats]).await;
}

/// The figures of docs/economics.md; `GAME_ROUNDS` jobs for each pair of strategies.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and prints figures: part of scripts/bench.sh"]
async fn the_game_on_a_chain() {
	let rounds = std::env::var("GAME_ROUNDS").map_or(6, |rounds| rounds.parse().unwrap());
	report(rounds, &[Strategy::Honest, Strategy::Cheats, Strategy::Mixes]).await;
}
