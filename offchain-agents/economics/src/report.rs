// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What people and agents ask of the model: does honesty pay under these terms, what would make it
//! pay, and which parameters should the council choose?

use serde::{Deserialize, Serialize};

use crate::equilibrium::Equilibrium;
use crate::error::{probability, EconomicsError};
use crate::honesty::{platform_choices, PlatformChoice, Search};
use crate::parameters::Parameters;
use crate::simulation::{market_equilibrium, MarketEquilibrium};
use crate::stage::{CreatorType, Stage};

/// The greatest θ that a remedy proposes; the chain accepts no more.
const MAX_PENALTY_RATE: u32 = modicum_primitives::MAX_PENALTY_RATE;

/// What to check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckRequest {
	/// Prices, costs, θ and n.
	pub parameters: Parameters,
	/// Where θ and n come from, for the reader of the report.
	pub source: String,
	/// How often the creator verifies. If absent, [`Stage::cautious_p_v`].
	pub p_v: Option<f64>,
	/// How honest the creator's jobs are. If absent, the worst a rational creator chooses.
	pub p_a: Option<f64>,
}

/// The provider's side of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderCheck {
	/// p_v assumed.
	pub p_v: f64,
	/// p_v above which executing is the better choice.
	pub needed_p_v: f64,
	/// Expected utility of executing.
	pub executing: f64,
	/// Expected utility of cheating.
	pub cheating: f64,
	/// True if executing is at least as good as cheating.
	pub honest: bool,
}

/// The creator's side of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreatorCheck {
	/// p_a a rational creator chooses if providers always execute.
	pub best_p_a: f64,
	/// The most a non-deterministic job can gain it per job, if spotting an abnormal result were
	/// free.
	pub most_gain: f64,
	/// `most_gain` as a share of the price.
	pub most_gain_share: f64,
	/// What is left of it after the creator's own verification cost: 0 means honesty is its best
	/// reply.
	pub gain: f64,
	/// Execution rate up to which p_a = 1 is the creator's best choice whatever verifying costs.
	pub honest_up_to_p_e: f64,
	/// True if nothing is gained by a p_a below 1.
	pub honest: bool,
}

/// Whether honesty is the best reply on both sides, and what would make it so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
	/// What was checked.
	pub parameters: Parameters,
	/// Where θ and n come from.
	pub source: String,
	/// p_a the provider's side and the equilibria are reckoned with.
	pub p_a: f64,
	/// The provider's side.
	pub provider: ProviderCheck,
	/// The creator's side.
	pub creator: CreatorCheck,
	/// The creator's type at `p_a`; absent exactly on a threshold between types.
	pub creator_type: Option<CreatorType>,
	/// All equilibria of provider and creator at `p_a`.
	pub equilibria: Vec<Equilibrium>,
	/// The equilibrium in which p_a, too, is a best reply; absent if creators never verify.
	pub market: Option<MarketEquilibrium>,
	/// How often jobs end in mediation in that equilibrium.
	pub mediation_rate: Option<f64>,
	/// True if honesty is the best reply on both sides.
	pub honest: bool,
	/// What deserves attention although it is not a fault of the question.
	pub warnings: Vec<String>,
	/// What would make honesty the best reply, where it is not.
	pub remedies: Vec<String>,
}

/// Checks whether honesty is the best reply of both sides.
///
/// # Errors
/// [`EconomicsError::ConstraintsBroken`] and the other errors of [`Parameters::check_constraints`],
/// [`EconomicsError::NotAProbability`], and [`EconomicsError::ProviderNotDeterred`] if the stake
/// cannot deter this provider at any verification rate.
pub fn check(request: &CheckRequest) -> Result<CheckReport, EconomicsError> {
	let parameters = request.parameters;
	parameters.check_constraints()?;
	let best = parameters.best_p_a(1.0)?;
	let p_a = request.p_a.map_or(Ok(best.p_a), |p_a| probability("p_a", p_a))?;
	let stage = parameters.stage(p_a)?;
	let provider = check_provider(&stage, request.p_v)?;
	let creator = check_creator(&parameters, best.p_a)?;
	let market = match market_equilibrium(&parameters) {
		Ok(market) => Some(market),
		Err(EconomicsError::NoMixedEquilibrium { .. }) => None,
		Err(error) => return Err(error),
	};
	let mediation_rate = match market {
		Some(MarketEquilibrium { p_a, p_e, p_v, .. }) => {
			Some(parameters.stage(p_a)?.mediation_rate(p_e, p_v))
		},
		None => None,
	};
	Ok(CheckReport {
		p_a,
		creator_type: stage.creator_type().ok(),
		equilibria: stage.game().equilibria(),
		honest: provider.honest && creator.honest,
		warnings: warnings(&parameters, market),
		remedies: remedies(&stage, &provider, &creator)?,
		provider,
		creator,
		market,
		mediation_rate,
		parameters,
		source: request.source.clone(),
	})
}

fn check_provider(stage: &Stage, p_v: Option<f64>) -> Result<ProviderCheck, EconomicsError> {
	let needed_p_v = stage.indifferent_p_v()?;
	let p_v = match p_v {
		Some(p_v) => probability("p_v", p_v)?,
		// Not every provider can be deterred, but this one can: verify everything.
		None => stage.cautious_p_v().unwrap_or(1.0),
	};
	let utilities = stage.provider_utilities();
	let (executing, cheating) = (utilities.mean(1.0, p_v), utilities.mean(0.0, p_v));
	Ok(ProviderCheck { p_v, needed_p_v, executing, cheating, honest: p_v >= needed_p_v })
}

fn check_creator(parameters: &Parameters, best_p_a: f64) -> Result<CreatorCheck, EconomicsError> {
	let most_gain = parameters.most_dishonest_gain()?;
	let gain = (most_gain - parameters.verification_cost).max(0.0);
	Ok(CreatorCheck {
		best_p_a,
		most_gain,
		most_gain_share: most_gain / parameters.price,
		gain,
		honest_up_to_p_e: parameters.honest_up_to_p_e()?,
		honest: gain == 0.0,
	})
}

fn warnings(parameters: &Parameters, market: Option<MarketEquilibrium>) -> Vec<String> {
	let mut warnings = Vec::new();
	if parameters.verification_count == 1 {
		warnings.push(
			"with n = 1 the mediator has no second run to compare with: a creator whose abnormal \
			 results never repeat wins every dispute, and the figures above do not hold; take n ≥ 2"
				.into(),
		);
	}
	let costs = parameters.price + parameters.availability_fees + parameters.creator_cost;
	match market {
		None => warnings.push(
			"verifying costs the creator more than a won dispute is worth, so it never verifies, \
			 providers have no reason to execute, and no trade is worth while"
				.into(),
		),
		Some(market) if market.p_e * parameters.benefit < costs => warnings.push(format!(
			"in the equilibrium providers execute {:.2} % of the jobs, and the creator would need a \
			 benefit of {:.4} to gain from taking part; it has {:.4}",
			market.p_e * 100.0,
			costs / market.p_e,
			parameters.benefit,
		)),
		Some(_) => {},
	}
	warnings
}

fn remedies(
	stage: &Stage,
	provider: &ProviderCheck,
	creator: &CreatorCheck,
) -> Result<Vec<String>, EconomicsError> {
	let parameters = stage.parameters();
	let mut remedies = Vec::new();
	if !provider.honest {
		remedies.push(format!(
			"the creator verifies at least {:.4} % of the results instead of {:.4} %",
			provider.needed_p_v * 100.0,
			provider.p_v * 100.0,
		));
		let deters = |parameters: Parameters| -> Result<bool, EconomicsError> {
			match parameters.stage(stage.p_a())?.indifferent_p_v() {
				Ok(needed) => Ok(needed <= provider.p_v),
				Err(EconomicsError::ProviderNotDeterred { .. }) => Ok(false),
				Err(error) => Err(error),
			}
		};
		remedies.push(match least_penalty_rate(parameters, deters)? {
			Some(theta) => format!(
				"the council raises the penalty rate to {theta}, at which verifying {:.4} % is enough",
				provider.p_v * 100.0,
			),
			None => format!(
				"no penalty rate up to {MAX_PENALTY_RATE} deters the provider at a verification rate \
				 of {:.4} %",
				provider.p_v * 100.0,
			),
		});
	}
	if !creator.honest {
		let cost = parameters.verification_cost;
		let honest = |parameters: Parameters| -> Result<bool, EconomicsError> {
			Ok(parameters.most_dishonest_gain()? <= cost)
		};
		remedies.push(match least_penalty_rate(parameters, honest)? {
			Some(theta) => format!(
				"the council raises the penalty rate to {theta}, at which a non-deterministic job gains \
				 its creator less than finding the abnormal results costs it"
			),
			None => format!(
				"no penalty rate up to {MAX_PENALTY_RATE} makes a non-deterministic job worthless for a \
				 creator that verifies at a cost of {cost}; more runs by the mediator (n) would help"
			),
		});
	}
	Ok(remedies)
}

/// The least θ from the present one up to [`MAX_PENALTY_RATE`] with `suits`, which greater θ keep.
fn least_penalty_rate(
	parameters: &Parameters,
	suits: impl Fn(Parameters) -> Result<bool, EconomicsError>,
) -> Result<Option<u32>, EconomicsError> {
	let with = |penalty_rate| suits(Parameters { penalty_rate, ..*parameters });
	let (mut low, mut high) = (parameters.penalty_rate, MAX_PENALTY_RATE);
	if low > high || !with(high)? {
		return Ok(None);
	}
	while low < high {
		let middle = low + (high - low) / 2;
		if with(middle)? {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	Ok(Some(high))
}

/// What the council wants of θ and n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdviceRequest {
	/// The least p_a a rational creator may choose.
	pub least_p_a: f64,
	/// The greatest verification rate that honest creators should need, if it matters.
	pub most_p_v: Option<f64>,
	/// Where to look.
	pub search: Search,
	/// θ and n in force.
	pub present: (u32, u32),
	/// Where they come from, for the reader of the report.
	pub source: String,
}

/// A proposal of θ and n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
	/// What was asked.
	pub request: AdviceRequest,
	/// What θ and n in force achieve; absent if they deter nobody.
	pub present: Option<PlatformChoice>,
	/// True if the present ones do what is wanted.
	pub present_suffices: bool,
	/// The choice with the cheapest n.
	pub proposed: PlatformChoice,
	/// Other n with their least θ: dearer disputes, smaller deposits.
	pub alternatives: Vec<PlatformChoice>,
}

/// Proposes θ and n.
///
/// # Errors
/// Those of [`platform_choices`], and [`EconomicsError::OutOfRange`] for the present n.
pub fn advise(request: &AdviceRequest) -> Result<Advice, EconomicsError> {
	let choices = platform_choices(request.least_p_a, request.most_p_v, request.search)?;
	let present = match PlatformChoice::of(request.present.0, request.present.1) {
		Ok(choice) => Some(choice),
		Err(EconomicsError::ProviderNotDeterred { .. }) => None,
		Err(error) => return Err(error),
	};
	let present_suffices = present.is_some_and(|choice| {
		choice.verification_count >= request.search.min_verification_count
			&& choice.least_p_a >= request.least_p_a
			&& request.most_p_v.is_none_or(|p_v| choice.most_p_v <= p_v)
	});
	let (proposed, alternatives) =
		choices.split_first().expect("platform_choices never returns an empty list; qed");
	Ok(Advice {
		request: request.clone(),
		present,
		present_suffices,
		proposed: *proposed,
		alternatives: alternatives.to_vec(),
	})
}
