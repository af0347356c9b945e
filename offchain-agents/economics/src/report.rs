// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What people and agents ask of the model: does honesty pay under these terms, what would make it
//! pay, and which parameters should the council choose?

use serde::{Deserialize, Serialize};

use crate::equilibrium::Equilibrium;
use crate::error::{probability, EconomicsError};
use crate::figure::figure;
use crate::honesty::{platform_choices, PlatformChoice, Search};
use crate::parameters::Parameters;
use crate::remedies::remedies;
use crate::simulation::{market_equilibrium, MarketEquilibrium};
use crate::stage::{CreatorType, Stage};
use modicum_primitives::{MAX_PENALTY_RATE, MAX_VERIFICATION_COUNT, MIN_VERIFICATION_COUNT};

/// What to check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckRequest {
	/// Prices, costs, θ and n.
	pub parameters: Parameters,
	/// Where θ and n come from, for the reader of the report.
	pub source: String,
	/// How often the creator verifies. If absent, [`Stage::cautious_p_v`], or never where verifying
	/// does not pay.
	pub p_v: Option<f64>,
	/// How honest the creator's jobs are. If absent, the worst a rational creator chooses.
	pub p_a: Option<f64>,
}

/// The provider's side of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderCheck {
	/// p_v assumed.
	pub p_v: f64,
	/// p_v above which executing is the better choice; absent if none deters this provider.
	pub needed_p_v: Option<f64>,
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
	/// The most that verifying is worth to it: K (Table 4) at the given p_a, or G = π_c + π_d − g_m
	/// if p_a is its own choice.
	pub verifying_worth: f64,
	/// True if verifying is worth more than its cost c_v, so that the creator ever does it.
	pub verifying_pays: bool,
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
	/// The equilibrium in which p_a, too, is a best reply; absent if no verification rate deters
	/// the provider.
	pub market: Option<MarketEquilibrium>,
	/// How often jobs end in mediation in that equilibrium.
	pub mediation_rate: Option<f64>,
	/// True if honesty is the best reply on both sides and verifying pays.
	pub honest: bool,
	/// What deserves attention although it is not a fault of the question.
	pub warnings: Vec<String>,
	/// What would make honesty the best reply where it is not, beginning with the side it is for:
	/// one of each side's is enough.
	pub remedies: Vec<String>,
}

/// Checks whether honesty is the best reply of both sides.
///
/// # Errors
/// [`EconomicsError::ConstraintsBroken`] and the other errors of [`Parameters::check_constraints`],
/// and [`EconomicsError::NotAProbability`].
pub fn check(request: &CheckRequest) -> Result<CheckReport, EconomicsError> {
	let parameters = request.parameters;
	parameters.check_constraints()?;
	let best = parameters.best_p_a(1.0)?;
	let p_a = request.p_a.map_or(Ok(best.p_a), |p_a| probability("p_a", p_a))?;
	let stage = parameters.stage(p_a)?;
	let worth = match request.p_a {
		Some(_) => stage.creator_preferences().deceive,
		None => parameters.dispute_gain(),
	};
	let creator = check_creator(&parameters, best.p_a, worth)?;
	let provider = check_provider(&stage, request.p_v, creator.verifying_pays)?;
	let market = match market_equilibrium(&parameters) {
		Err(EconomicsError::ProviderNotDeterred { .. }) => None,
		other => Some(other?),
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
		honest: provider.honest && creator.honest && creator.verifying_pays,
		warnings: warnings(&parameters, &creator, market),
		remedies: remedies(&stage, request, &provider, &creator)?,
		provider,
		creator,
		market,
		mediation_rate,
		parameters,
		source: request.source.clone(),
	})
}

fn check_provider(
	stage: &Stage,
	p_v: Option<f64>,
	verifying_pays: bool,
) -> Result<ProviderCheck, EconomicsError> {
	let needed_p_v = stage.indifferent_p_v().ok();
	let p_v = match p_v {
		Some(p_v) => probability("p_v", p_v)?,
		None if !verifying_pays => 0.0,
		// Where not every provider can be deterred, this one may be: verify everything.
		None => stage.cautious_p_v().unwrap_or(1.0),
	};
	let utilities = stage.provider_utilities();
	let (executing, cheating) = (utilities.mean(1.0, p_v), utilities.mean(0.0, p_v));
	let honest = needed_p_v.is_some_and(|needed| p_v >= needed);
	Ok(ProviderCheck { p_v, needed_p_v, executing, cheating, honest })
}

fn check_creator(
	parameters: &Parameters,
	best_p_a: f64,
	verifying_worth: f64,
) -> Result<CreatorCheck, EconomicsError> {
	let most_gain = parameters.most_dishonest_gain()?;
	let gain = (most_gain - parameters.verification_cost).max(0.0);
	Ok(CreatorCheck {
		best_p_a,
		most_gain,
		most_gain_share: most_gain / parameters.price,
		gain,
		honest_up_to_p_e: parameters.honest_up_to_p_e()?,
		verifying_worth,
		verifying_pays: parameters.verification_cost < verifying_worth,
		honest: gain == 0.0,
	})
}

fn warnings(
	parameters: &Parameters,
	creator: &CreatorCheck,
	market: Option<MarketEquilibrium>,
) -> Vec<String> {
	let mut warnings = Vec::new();
	let (theta, n) = (parameters.penalty_rate, parameters.verification_count);
	if !(1..=MAX_PENALTY_RATE).contains(&theta) {
		warnings.push(format!(
			"the chain does not accept a penalty rate of {theta}, only 1 to {MAX_PENALTY_RATE}"
		));
	}
	if !(MIN_VERIFICATION_COUNT..=MAX_VERIFICATION_COUNT).contains(&n) {
		warnings.push(format!(
			"the chain does not accept a verification count of {n}, only \
			 {MIN_VERIFICATION_COUNT} to {MAX_VERIFICATION_COUNT}"
		));
	}
	if n == 1 {
		warnings.push(
			"with n = 1 the mediator has no second run to compare with: a creator whose abnormal \
			 results never repeat wins every dispute, and the figures above do not hold; take n ≥ 2"
				.into(),
		);
	}
	if !creator.verifying_pays {
		warnings.push(
			"verifying costs the creator more than a won dispute is worth, so it never verifies, \
			 providers have no reason to execute, and no trade is worth while"
				.into(),
		);
	}
	let costs = parameters.price + parameters.availability_fees + parameters.creator_cost;
	match market {
		None => warnings.push(format!(
			"at p_a = {:.6}, which a calculating creator chooses, no verification rate deters this \
			 provider",
			creator.best_p_a
		)),
		Some(market) if market.p_e > 0.0 && market.p_e * parameters.benefit < costs => {
			warnings.push(format!(
				"in the equilibrium providers execute {:.2} % of the jobs, and the creator would need \
				 a benefit of {} to gain from taking part; it has {}",
				market.p_e * 100.0,
				figure(costs / market.p_e),
				figure(parameters.benefit),
			));
		},
		Some(_) => {},
	}
	warnings
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

/// Proposes θ and n that the chain accepts.
///
/// # Errors
/// Those of [`platform_choices`], and [`EconomicsError::OutOfRange`] for the present n and for a
/// search beyond what the chain accepts.
pub fn advise(request: &AdviceRequest) -> Result<Advice, EconomicsError> {
	let Search { min_penalty_rate, max_penalty_rate, .. } = request.search;
	let theta = 1..=MAX_PENALTY_RATE;
	let n = MIN_VERIFICATION_COUNT..=MAX_VERIFICATION_COUNT;
	for (name, value, accepted) in [
		("least penalty rate of the search", min_penalty_rate, &theta),
		("greatest penalty rate of the search", max_penalty_rate, &theta),
		("least verification count of the search", request.search.min_verification_count, &n),
		("greatest verification count of the search", request.search.max_verification_count, &n),
	] {
		if !accepted.contains(&value) {
			let (min, max) = ((*accepted.start()).into(), (*accepted.end()).into());
			return Err(EconomicsError::OutOfRange { name, value: value.into(), min, max });
		}
	}
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
