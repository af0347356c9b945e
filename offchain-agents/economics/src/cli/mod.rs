// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum economics`: the model on the command line. The `modicum` binary parses
//! [`EconomicsArgs`] and calls [`run`] with the chain's present parameters.

mod text;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::error::EconomicsError;
use crate::honesty::Search;
use crate::parameters::{Parameters, DEFAULT_PENALTY_RATE, DEFAULT_VERIFICATION_COUNT};
use crate::pictures::{draw_all, render_png, Drawn, Effort, LeftOut};
use crate::report::{advise, check, AdviceRequest, CheckRequest};
use crate::simulation::{
	fictitious_play, simulate, AdaptiveConfig, Population, SimulationConfig, Trajectory,
};

/// Arguments of `modicum economics`.
#[derive(Args, Clone, Debug)]
pub struct EconomicsArgs {
	/// What to do.
	#[command(subcommand)]
	pub command: EconomicsCommand,
}

impl EconomicsArgs {
	/// Whether the answer depends on the chain's parameters: not if both θ and n are given.
	pub fn asks_the_chain(&self) -> bool {
		let terms = match &self.command {
			EconomicsCommand::Check(args) => &args.terms,
			EconomicsCommand::Simulate(args) => &args.terms,
			EconomicsCommand::Plot(args) => &args.terms,
			EconomicsCommand::Advise(_) => return true,
		};
		terms.penalty_rate.is_none() || terms.verification_count.is_none()
	}
}

/// The chain's parameters, as far as they are known.
#[derive(Clone, Debug)]
pub enum ChainParameters {
	/// The chain's present ones.
	Present(modicum_primitives::Parameters),
	/// The chain could not be reached: those it starts with are used.
	Unreachable,
	/// The chain was not asked: those it starts with are used.
	NotAsked,
}

/// The commands of `modicum economics`.
#[derive(Subcommand, Clone, Debug)]
pub enum EconomicsCommand {
	/// Say whether honesty is the best reply of both sides under given terms, and what would make
	/// it so
	#[command(allow_negative_numbers = true)]
	Check(CheckArgs),
	/// Propose a penalty rate and a verification count to the council
	#[command(allow_negative_numbers = true)]
	Advise(AdviseArgs),
	/// Play a mixed or a learning population under the market's rules
	#[command(allow_negative_numbers = true)]
	Simulate(SimulateArgs),
	/// Draw the pictures of docs/economics.md as SVG and PNG
	#[command(allow_negative_numbers = true)]
	Plot(PlotArgs),
}

/// The terms of a match. Amounts are in any one unit of money.
#[derive(Args, Clone, Debug, Default)]
pub struct TermsArgs {
	/// What the creator pays for the job, π_c [default: 100]
	#[arg(long, value_name = "AMOUNT")]
	pub price: Option<f64>,
	/// The most the match can bill, from which deposits are reckoned, π̂_c [default: the price]
	#[arg(long, value_name = "AMOUNT")]
	pub price_limit: Option<f64>,
	/// What the provider asks, π_r [default: the price]
	#[arg(long, value_name = "AMOUNT")]
	pub asking_price: Option<f64>,
	/// What the result is worth to the creator, b [default: twice the price]
	#[arg(long, value_name = "AMOUNT")]
	pub benefit: Option<f64>,
	/// What executing costs the provider, c_e [default: 60 % of the price]
	#[arg(long, value_name = "AMOUNT")]
	pub execution_cost: Option<f64>,
	/// What making up a result costs the provider, c_d [default: 1 % of the price]
	#[arg(long, value_name = "AMOUNT")]
	pub deception_cost: Option<f64>,
	/// What verifying costs the creator, c_v [default: 60 % of the price]
	#[arg(long, value_name = "AMOUNT")]
	pub verification_cost: Option<f64>,
	/// What mediator and directory charge each side, π_a [default: 3 % of the price]
	#[arg(long, value_name = "AMOUNT")]
	pub availability_fees: Option<f64>,
	/// What asking for mediation costs the creator, g_m [default: 1 % of the price]
	#[arg(long, value_name = "AMOUNT")]
	pub mediation_cost: Option<f64>,
	/// What taking part costs the provider, g_r [default: 2 % of the price]
	#[arg(long, value_name = "AMOUNT")]
	pub provider_cost: Option<f64>,
	/// What taking part costs the creator, g_j [default: 2 % of the price]
	#[arg(long, value_name = "AMOUNT")]
	pub creator_cost: Option<f64>,
	/// What each side pledges on top of the deposit [default: 0]
	#[arg(long, value_name = "AMOUNT")]
	pub extra_deposit: Option<f64>,
	/// θ [default: the chain's]
	#[arg(long, value_name = "THETA")]
	pub penalty_rate: Option<u32>,
	/// n [default: the chain's]
	#[arg(long, value_name = "N")]
	pub verification_count: Option<u32>,
}

/// Arguments of `check`.
#[derive(Args, Clone, Debug, Default)]
pub struct CheckArgs {
	/// The terms.
	#[command(flatten)]
	pub terms: TermsArgs,
	/// How often the creator verifies, 0 to 1 [default: the rate that deters a provider of any
	/// costs; never where verifying costs more than a dispute can bring]
	#[arg(long, value_name = "P_V")]
	pub verification_rate: Option<f64>,
	/// How often the creator does not dispute a correct result, 0 to 1 [default: the worst a
	/// rational creator chooses]
	#[arg(long, value_name = "P_A")]
	pub normal_rate: Option<f64>,
}

/// Arguments of `advise`.
#[derive(Args, Clone, Debug)]
pub struct AdviseArgs {
	/// The least p_a that a rational creator may choose, 0 to 1
	#[arg(long, value_name = "P_A", default_value_t = 0.99)]
	pub normal_rate: f64,
	/// The greatest verification rate that honest creators should need, 0 to 1
	#[arg(long, value_name = "P_V")]
	pub max_verification_rate: Option<f64>,
	/// The greatest penalty rate to consider; the chain accepts up to 10000
	#[arg(long, value_name = "THETA", default_value_t = 1_000)]
	pub max_penalty_rate: u32,
	/// The least verification count to consider; the chain accepts 2 to 16
	#[arg(long, value_name = "N", default_value_t = 2)]
	pub min_verification_count: u32,
	/// The greatest verification count to consider
	#[arg(long, value_name = "N", default_value_t = 8)]
	pub max_verification_count: u32,
}

/// Which population to simulate.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Kind {
	/// Honest, cheating, vanishing and colluding agents side by side.
	#[default]
	Mixed,
	/// Agents that reply to what the others have done so far.
	Learning,
}

impl Kind {
	fn name(self) -> &'static str {
		match self {
			Self::Mixed => "mixed",
			Self::Learning => "learning",
		}
	}
}

/// Arguments of `simulate`.
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
	/// The terms.
	#[command(flatten)]
	pub terms: TermsArgs,
	/// The population
	#[arg(long, value_enum, default_value_t = Kind::Mixed)]
	pub population: Kind,
	/// A JSON file with another mixed population; the JSON report contains one to start from
	#[arg(long, value_name = "FILE", conflicts_with = "population")]
	pub population_file: Option<PathBuf>,
	/// Jobs to post (mixed population only) [default: 200000]
	#[arg(long)]
	pub jobs: Option<u64>,
	/// Independent worlds the jobs are split over (mixed population only) [default: 16]
	#[arg(long)]
	pub worlds: Option<u32>,
	/// Nobody removes a mediator or directory from its trusted lists (mixed population only)
	#[arg(long)]
	pub keep_trusting: bool,
	/// Rounds (learning population only) [default: 20000]
	#[arg(long)]
	pub rounds: Option<u32>,
	/// The same seed gives the same report
	#[arg(long, default_value_t = 1)]
	pub seed: u64,
}

impl SimulateArgs {
	/// Refuses options that the population has no use for.
	fn check(&self) -> Result<(), CliError> {
		let unused = match self.population {
			Kind::Learning if self.jobs.is_some() => "--jobs",
			Kind::Learning if self.worlds.is_some() => "--worlds",
			Kind::Learning if self.keep_trusting => "--keep-trusting",
			Kind::Mixed if self.rounds.is_some() => "--rounds",
			_ => return Ok(()),
		};
		Err(CliError::OptionUnused { option: unused, population: self.population })
	}
}

/// Arguments of `plot`.
#[derive(Args, Clone, Debug)]
pub struct PlotArgs {
	/// The terms.
	#[command(flatten)]
	pub terms: TermsArgs,
	/// Folder to write the pictures to; it is created if it does not exist
	#[arg(long, value_name = "FOLDER", default_value = "economics")]
	pub out: PathBuf,
	/// Jobs of the simulated mixed population
	#[arg(long, default_value_t = Effort::default().jobs)]
	pub jobs: u64,
	/// Rounds of the learning population
	#[arg(long, default_value_t = Effort::default().rounds)]
	pub rounds: u32,
	/// The same seed gives the same pictures
	#[arg(long, default_value_t = Effort::default().seed)]
	pub seed: u64,
}

/// Why a command of `modicum economics` failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
	/// The model refused.
	#[error(transparent)]
	Economics(#[from] EconomicsError),
	/// A file could not be read or written.
	#[error("{}: {source}", path.display())]
	File {
		/// Which file.
		path: PathBuf,
		/// What the system said.
		source: std::io::Error,
	},
	/// A population file is not what it should be.
	#[error("{} does not describe a population: {source}", path.display())]
	Population {
		/// Which file.
		path: PathBuf,
		/// What is wrong and where.
		source: serde_json::Error,
	},
	/// An option says something about another kind of population.
	#[error("{option} has no meaning for a {} population", population.name())]
	OptionUnused {
		/// The option.
		option: &'static str,
		/// The population asked for.
		population: Kind,
	},
	/// A report could not be written as JSON.
	#[error("the report could not be written as JSON: {0}")]
	Json(#[source] serde_json::Error),
}

/// What a command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
	/// A text, or JSON; without a newline at the end.
	pub text: String,
	/// Whether it is what one would wish for: false only if `check` finds that honesty is not the best
	/// reply of both sides.
	pub is_good: bool,
}

/// Runs a command and returns what it says, in JSON with `output_json`. Every report says where θ
/// and n come from.
///
/// # Errors
/// [`CliError`].
pub fn run(
	args: &EconomicsArgs,
	output_json: bool,
	chain: &ChainParameters,
) -> Result<Answer, CliError> {
	let platform = Platform::new(chain);
	let mut is_good = true;
	let text = match &args.command {
		EconomicsCommand::Check(args) => {
			let request = CheckRequest {
				parameters: platform.terms(&args.terms),
				source: platform.source(&args.terms),
				p_v: args.verification_rate,
				p_a: args.normal_rate,
			};
			let report = check(&request)?;
			is_good = report.honest;
			print(&report, output_json, text::check)
		},
		EconomicsCommand::Advise(args) => {
			let request = AdviceRequest {
				least_p_a: args.normal_rate,
				most_p_v: args.max_verification_rate,
				search: Search {
					max_penalty_rate: args.max_penalty_rate,
					min_verification_count: args.min_verification_count,
					max_verification_count: args.max_verification_count,
					..Search::default()
				},
				present: (platform.penalty_rate, platform.verification_count),
				source: platform.source(&TermsArgs::default()),
			};
			print(&advise(&request)?, output_json, text::advice)
		},
		EconomicsCommand::Simulate(args) => run_simulation(args, output_json, &platform),
		EconomicsCommand::Plot(args) => run_plot(args, output_json, &platform),
	};
	Ok(Answer { text: text?, is_good })
}

/// θ and n, and where they come from.
struct Platform {
	penalty_rate: u32,
	verification_count: u32,
	source: &'static str,
}

impl Platform {
	fn new(chain: &ChainParameters) -> Self {
		let initial = |source| Self {
			penalty_rate: DEFAULT_PENALTY_RATE,
			verification_count: DEFAULT_VERIFICATION_COUNT,
			source,
		};
		match chain {
			ChainParameters::Present(chain) => Self {
				penalty_rate: chain.penalty_rate,
				verification_count: chain.verification_count,
				source: "the chain's present parameters",
			},
			ChainParameters::Unreachable => {
				initial("the protocol's defaults, because the chain could not be reached")
			},
			ChainParameters::NotAsked => {
				initial("the protocol's defaults, because the chain was not asked")
			},
		}
	}

	fn source(&self, terms: &TermsArgs) -> String {
		match (terms.penalty_rate, terms.verification_count) {
			(None, None) => self.source.into(),
			(Some(_), Some(_)) => "the command line".into(),
			(Some(_), None) => format!("θ: the command line; n: {}", self.source),
			(None, Some(_)) => format!("θ: {}; n: the command line", self.source),
		}
	}

	fn terms(&self, args: &TermsArgs) -> Parameters {
		let example = Parameters::example();
		let price = args.price.unwrap_or(example.price);
		// The example's proportions, at this price.
		let share =
			|given: Option<f64>, amount: f64| given.unwrap_or(amount * (price / example.price));
		Parameters {
			penalty_rate: args.penalty_rate.unwrap_or(self.penalty_rate),
			verification_count: args.verification_count.unwrap_or(self.verification_count),
			price,
			price_limit: args.price_limit.unwrap_or(price),
			asking_price: args.asking_price.unwrap_or(price),
			extra_deposit: args.extra_deposit.unwrap_or(0.0),
			availability_fees: share(args.availability_fees, example.availability_fees),
			mediation_cost: share(args.mediation_cost, example.mediation_cost),
			provider_cost: share(args.provider_cost, example.provider_cost),
			creator_cost: share(args.creator_cost, example.creator_cost),
			deception_payout: price,
			benefit: share(args.benefit, example.benefit),
			verification_cost: share(args.verification_cost, example.verification_cost),
			execution_cost: share(args.execution_cost, example.execution_cost),
			deception_cost: share(args.deception_cost, example.deception_cost),
		}
	}
}

fn print<T: Serialize>(
	report: &T,
	output_json: bool,
	text: impl Fn(&T) -> String,
) -> Result<String, CliError> {
	if output_json {
		serde_json::to_string_pretty(report).map_err(CliError::Json)
	} else {
		Ok(text(report).trim_end().to_string())
	}
}

/// A report that does not say itself where θ and n come from.
#[derive(Serialize)]
struct Sourced<'a, T> {
	source: &'a str,
	#[serde(flatten)]
	report: T,
}

/// The course of a population that learns, and whether it is where the theory says.
#[derive(Serialize)]
struct Learned {
	arrived: bool,
	#[serde(flatten)]
	trajectory: Trajectory,
}

fn run_simulation(
	args: &SimulateArgs,
	output_json: bool,
	platform: &Platform,
) -> Result<String, CliError> {
	args.check()?;
	let parameters = platform.terms(&args.terms);
	let source = platform.source(&args.terms);
	if args.population == Kind::Learning {
		let default = AdaptiveConfig::new(parameters, args.seed);
		let config = AdaptiveConfig { rounds: args.rounds.unwrap_or(default.rounds), ..default };
		let trajectory = fictitious_play(&config)?;
		let report = Learned { arrived: trajectory.arrived(), trajectory };
		let sourced = Sourced { source: &source, report };
		return print(&sourced, output_json, |t| {
			text::trajectory(&t.report.trajectory, &config, t.source)
		});
	}
	let mut population = match &args.population_file {
		Some(path) => read_population(path)?,
		None => Population::mixed(&parameters)?,
	};
	if args.keep_trusting {
		population.remove_from_trusted = false;
	}
	let jobs = args.jobs.unwrap_or(200_000);
	let default = SimulationConfig::new(parameters, population, jobs, args.seed);
	let config = SimulationConfig { worlds: args.worlds.unwrap_or(default.worlds), ..default };
	let sourced = Sourced { source: &source, report: simulate(&config)? };
	print(&sourced, output_json, |s| text::simulation(&s.report, s.source))
}

fn read_population(path: &Path) -> Result<Population, CliError> {
	let file = |source| CliError::File { path: path.into(), source };
	let json = std::fs::read_to_string(path).map_err(file)?;
	serde_json::from_str(&json).map_err(|source| CliError::Population { path: path.into(), source })
}

/// What `plot` wrote.
#[derive(Serialize)]
struct Plotted {
	source: String,
	files: Vec<PathBuf>,
	/// Pictures that cannot be drawn on these terms, and why.
	left_out: Vec<LeftOut>,
}

fn run_plot(args: &PlotArgs, output_json: bool, platform: &Platform) -> Result<String, CliError> {
	let parameters = platform.terms(&args.terms);
	let effort = Effort { jobs: args.jobs, rounds: args.rounds, seed: args.seed };
	let Drawn { pictures, left_out } = draw_all(&parameters, effort)?;
	let file = |path: &Path, source| CliError::File { path: path.into(), source };
	std::fs::create_dir_all(&args.out).map_err(|source| file(&args.out, source))?;
	let mut files = Vec::new();
	for picture in &pictures {
		let bitmap = render_png(picture)?;
		for (ending, bytes) in [("svg", picture.svg.as_bytes()), ("png", bitmap.as_slice())] {
			let path = args.out.join(picture.name).with_extension(ending);
			std::fs::write(&path, bytes).map_err(|source| file(&path, source))?;
			files.push(path);
		}
	}
	let source = platform.source(&args.terms);
	print(&Plotted { source, files, left_out }, output_json, text::plotted)
}
