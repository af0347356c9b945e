// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Agents that learn, and the equilibrium they drift to.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::market::Market;
use crate::equilibrium::MAX_PAYOFF;
use crate::error::{probability, EconomicsError};
use crate::numeric::last_that;
use crate::parameters::Parameters;
use crate::stage::{CreatorType, Stage};

/// The equilibrium of the whole game: p_a, p_e and p_v, none of which anybody would change alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarketEquilibrium {
	/// The creator's honesty, best against `p_e`.
	pub p_a: f64,
	/// The provider's execution rate.
	pub p_e: f64,
	/// The creator's verification rate.
	pub p_v: f64,
	/// The creator's type at that p_a.
	pub creator_type: CreatorType,
}

/// The equilibrium in which p_a, too, is the creator's best choice. The paper fixes p_a first, for
/// the worst case p_e = 1; here p_a answers the p_e that providers really play.
///
/// Where verifying costs more than a sliver of the price, a creator of type 3 makes providers cheat
/// now and then, and that alone makes p_a = 1 its best choice.
///
/// Where verifying costs more than a won dispute is worth (type 4), nobody verifies or executes
/// (Theorem 1), and every p_a is as good as another; 1 is returned.
///
/// # Errors
/// Those of [`Parameters::check_constraints`], and [`EconomicsError::ProviderNotDeterred`].
pub fn market_equilibrium(parameters: &Parameters) -> Result<MarketEquilibrium, EconomicsError> {
	parameters.check_constraints()?;
	let cost = parameters.verification_cost;
	if cost >= parameters.dispute_gain() {
		return Ok(MarketEquilibrium {
			p_a: 1.0,
			p_e: 0.0,
			p_v: 0.0,
			creator_type: CreatorType::AlwaysPasses,
		});
	}
	let worst = parameters.stage(parameters.best_p_a(1.0)?.p_a)?;
	if worst.creator_preferences().execute > cost {
		worst.indifferent_p_v()?;
		return Ok(MarketEquilibrium {
			p_a: worst.p_a(),
			p_e: 1.0,
			p_v: 1.0,
			creator_type: CreatorType::AlwaysVerifies,
		});
	}
	// Indifferent at the p_a that is best against p_e; falls below p_e somewhere in the interval.
	let indifferent = |p_e: f64| -> Result<(Stage, f64), EconomicsError> {
		let stage = parameters.stage(parameters.best_p_a(p_e)?.p_a)?;
		let preferences = stage.creator_preferences();
		Ok((stage, preferences.indifferent_p_e(cost)))
	};
	let low = last_that(0.0, 1.0, |p_e| Ok::<_, EconomicsError>(indifferent(p_e)?.1 > p_e))?;
	let (stage, p_e) = indifferent(low)?;
	Ok(MarketEquilibrium {
		p_a: stage.p_a(),
		p_e: p_e.clamp(0.0, 1.0),
		p_v: stage.indifferent_p_v()?,
		creator_type: CreatorType::VerifiesDeception,
	})
}

/// How a population learns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveConfig {
	/// The terms of every match, and the mean costs of the agents.
	pub parameters: Parameters,
	/// Creators, and as many providers: 1 to 100,000.
	pub agents: usize,
	/// Rounds; every agent trades once in each: 1 to 10,000,000.
	pub rounds: u32,
	/// How far an agent's own costs (c_e, c_v) lie from the mean at most, as a share of it, 0 to 1.
	pub cost_spread: f64,
	/// What everybody believes before the first round: p_e and p_v.
	pub first_belief: (f64, f64),
	/// The same seed gives the same trajectory.
	pub seed: u64,
}

impl AdaptiveConfig {
	/// 100 creators and 100 providers over 20,000 rounds that at first believe that half of the
	/// others are honest.
	pub fn new(parameters: Parameters, seed: u64) -> Self {
		Self {
			parameters,
			agents: 100,
			rounds: 20_000,
			cost_spread: 0.02,
			first_belief: (0.5, 0.5),
			seed,
		}
	}

	fn check(&self) -> Result<(), EconomicsError> {
		self.parameters.check_constraints()?;
		probability("cost spread", self.cost_spread)?;
		probability("first belief of p_e", self.first_belief.0)?;
		probability("first belief of p_v", self.first_belief.1)?;
		let range = |name, value: u64, max| match value {
			0 => Err(EconomicsError::OutOfRange { name, value, min: 1, max }),
			value if value > max => Err(EconomicsError::OutOfRange { name, value, min: 1, max }),
			_ => Ok(()),
		};
		range("agents", self.agents as u64, 100_000)?;
		range("rounds", self.rounds.into(), 10_000_000)
	}
}

/// The state of a population after a round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
	/// Number of the round, from 1; the time, for [`replicate`].
	pub round: f64,
	/// The creators' p_a in it.
	pub p_a: f64,
	/// Mean execution rate of all rounds so far.
	pub p_e: f64,
	/// Mean verification rate of all rounds so far.
	pub p_v: f64,
	/// Execution rate of this round.
	pub p_e_now: f64,
	/// Verification rate of this round.
	pub p_v_now: f64,
}

/// The course of a population that learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
	/// At most about a thousand rounds, evenly spread, the last one included.
	pub rounds: Vec<Round>,
	/// Where the theory says it goes.
	pub predicted: MarketEquilibrium,
	/// Mean utility of a creator per job, settled by the chain's rules; 0 for [`replicate`].
	pub creator_utility: f64,
	/// Mean utility of a provider per job, settled by the chain's rules; 0 for [`replicate`].
	pub provider_utility: f64,
}

/// How far the last round may be from the prediction to count as being there: p_e by so much, p_v
/// by this share of the prediction or by so much, whichever is more.
const THERE: (f64, f64, f64) = (0.03, 0.15, 0.002);

impl Trajectory {
	/// The last round.
	pub fn last(&self) -> Round {
		*self.rounds.last().expect("a trajectory has at least one round; qed")
	}

	/// How far the mean p_e and p_v of all rounds are from the prediction.
	pub fn distance(&self) -> (f64, f64) {
		let last = self.last();
		((last.p_e - self.predicted.p_e).abs(), (last.p_v - self.predicted.p_v).abs())
	}

	/// True if the population is about where the theory says it goes: p_e within 3 percentage
	/// points, p_v within 15 % of the prediction or 0.2 percentage points. If not, it needs more
	/// rounds: the greater θ, the longer a mean forgets the first rounds.
	pub fn arrived(&self) -> bool {
		let (of_p_e, of_p_v) = self.distance();
		of_p_e <= THERE.0 && of_p_v <= (THERE.1 * self.predicted.p_v).max(THERE.2)
	}
}

/// Rounds kept in a trajectory.
const KEPT: u32 = 1_000;

/// Agents that, round after round, give the best reply to what the others have done so far
/// (fictitious play). Each has slightly different costs, so that not all change their mind at once.
/// Creators also choose the p_a that is best against the execution rate seen so far. Every match is
/// settled by the chain's rules.
///
/// # Errors
/// Those of [`market_equilibrium`] and [`Market::new`], [`EconomicsError::OutOfRange`].
pub fn fictitious_play(config: &AdaptiveConfig) -> Result<Trajectory, EconomicsError> {
	config.check()?;
	let parameters = &config.parameters;
	let predicted = market_equilibrium(parameters)?;
	let market = Market::new(parameters)?;
	let mut random = ChaCha8Rng::seed_from_u64(config.seed);
	let mut costs = |mean: f64| -> Vec<f64> {
		let factor = |random: &mut ChaCha8Rng| {
			1.0 + config.cost_spread * (2.0 * random.random::<f64>() - 1.0)
		};
		(0..config.agents).map(|_| mean * factor(&mut random)).collect()
	};
	let execution_costs = costs(parameters.execution_cost);
	let verification_costs = costs(parameters.verification_cost);

	let (mut p_e, mut p_v) = config.first_belief;
	let mut order: Vec<usize> = (0..config.agents).collect();
	let (mut creator_sum, mut provider_sum) = (0.0, 0.0);
	let mut rounds = Vec::new();
	let step = config.rounds.div_ceil(KEPT);
	for round in 1..=config.rounds {
		let stage = parameters.stage(parameters.best_p_a(p_e)?.p_a)?;
		let preferences = stage.creator_preferences();
		let worth = p_e * preferences.execute + (1.0 - p_e) * preferences.deceive;
		let risk = p_v * stage.deterrence();
		let verifies = |agent: usize| worth > verification_costs[agent];
		let executes = |agent: usize| risk > execution_costs[agent] - parameters.deception_cost;
		order.shuffle(&mut random);
		let (mut executed, mut verified) = (0_u32, 0_u32);
		for (creator, provider) in order.iter().copied().enumerate() {
			let (execute, verify) = (executes(provider), verifies(creator));
			executed += u32::from(execute);
			verified += u32::from(verify);
			let (for_creator, for_provider) =
				settle(parameters, &market, &stage, (execute, verify), &mut random);
			creator_sum += for_creator - if verify { verification_costs[creator] } else { 0.0 };
			let effort =
				if execute { execution_costs[provider] } else { parameters.deception_cost };
			provider_sum += for_provider - effort;
		}
		let share = |count: u32| f64::from(count) / config.agents as f64;
		let (p_e_now, p_v_now) = (share(executed), share(verified));
		// The first belief counts as one round.
		let weight = 1.0 / (f64::from(round) + 1.0);
		p_e += (p_e_now - p_e) * weight;
		p_v += (p_v_now - p_v) * weight;
		if round % step == 0 || round == config.rounds {
			let p_a = stage.p_a();
			rounds.push(Round { round: round.into(), p_a, p_e, p_v, p_e_now, p_v_now });
		}
	}
	let jobs = f64::from(config.rounds) * config.agents as f64;
	Ok(Trajectory {
		rounds,
		predicted,
		creator_utility: creator_sum / jobs,
		provider_utility: provider_sum / jobs,
	})
}

/// One match by the chain's rules: what it brings the creator and the provider, their efforts
/// apart.
fn settle(
	parameters: &Parameters,
	market: &Market,
	stage: &Stage,
	(executes, verifies): (bool, bool),
	random: &mut ChaCha8Rng,
) -> (f64, f64) {
	const CORRECT: u64 = 1;
	const FORGED: u64 = 2;
	let mut unique = FORGED;
	let mut execute = || {
		if random.random_bool(stage.p_a()) {
			CORRECT
		} else {
			unique += 1;
			unique
		}
	};
	let output = if executes { execute() } else { FORGED };
	let result = market.completed(output);
	let disputes = verifies && output != CORRECT;
	let flows = if disputes {
		let runs = (0..market.verification_count()).map(|_| market.completed(execute()));
		let evidence = modicum_primitives::Evidence::Runs(runs.collect());
		market.mediate(&result, &evidence).1
	} else {
		market.accept(&result)
	};
	let benefit = if executes { parameters.benefit } else { 0.0 };
	let mediation = if disputes { parameters.mediation_cost } else { 0.0 };
	let creator = flows.creator - parameters.creator_cost + benefit - mediation;
	(creator, flows.provider - parameters.provider_cost)
}

/// Two populations under replicator dynamics at a fixed p_a: a strategy grows in proportion to its
/// advantage. They circle around the mixed equilibrium of a creator of type 3 without coming
/// nearer; it is their mean over time that goes there.
///
/// The state is the pair of log-odds (ln p/(1 − p)), whose rates of change are the advantages of
/// executing and of verifying, divided by the price; solved by the classical Runge–Kutta method.
///
/// # Errors
/// [`EconomicsError::NoMixedEquilibrium`] unless the creator is of type 3 at `p_a`; those of
/// [`AdaptiveConfig`] for its numbers; [`EconomicsError::NotAProbability`] for a first belief of 0
/// or 1; [`EconomicsError::NotAPayoff`] if an advantage is out of all proportion to the price.
pub fn replicate(
	config: &AdaptiveConfig,
	p_a: f64,
	step: f64,
) -> Result<Trajectory, EconomicsError> {
	config.check()?;
	let step = probability("step", step)?;
	let stage = config.parameters.stage(p_a)?;
	let predicted = MarketEquilibrium {
		p_a,
		p_e: stage.indifferent_p_e()?,
		p_v: stage.indifferent_p_v()?,
		creator_type: stage.creator_type()?,
	};
	for (name, value) in [
		("first p_e (exclusive)", config.first_belief.0),
		("first p_v (exclusive)", config.first_belief.1),
	] {
		if value == 0.0 || value == 1.0 {
			return Err(EconomicsError::NotAProbability { name, value });
		}
	}
	let price = config.parameters.price;
	let saving = config.parameters.saving() / price;
	let risk = stage.deterrence() / price;
	let preferences = stage.creator_preferences();
	let (execute, deceive) = (preferences.execute / price, preferences.deceive / price);
	let cost = config.parameters.verification_cost / price;
	let advantages = [saving, risk, execute, deceive, cost];
	if let Some(&value) = advantages.iter().find(|value| value.abs() > MAX_PAYOFF) {
		return Err(EconomicsError::NotAPayoff { value, max: MAX_PAYOFF });
	}
	let logistic = |u: f64| 1.0 / (1.0 + (-u).exp());
	let slope = |(u, v): (f64, f64)| {
		let p_e = logistic(u);
		(logistic(v) * risk - saving, p_e * execute + (1.0 - p_e) * deceive - cost)
	};
	let odds = |p: f64| (p / (1.0 - p)).ln();
	let mut state = (odds(config.first_belief.0), odds(config.first_belief.1));
	let (mut sum_e, mut sum_v) = (0.0, 0.0);
	let mut rounds = Vec::new();
	let keep = config.rounds.div_ceil(KEPT);
	for round in 1..=config.rounds {
		let at = |(du, dv): (f64, f64), h: f64| (state.0 + h * du, state.1 + h * dv);
		let k1 = slope(state);
		let k2 = slope(at(k1, step / 2.0));
		let k3 = slope(at(k2, step / 2.0));
		let k4 = slope(at(k3, step));
		let mix = |a: f64, b: f64, c: f64, d: f64| step / 6.0 * (a + 2.0 * b + 2.0 * c + d);
		state = (state.0 + mix(k1.0, k2.0, k3.0, k4.0), state.1 + mix(k1.1, k2.1, k3.1, k4.1));
		let (p_e_now, p_v_now) = (logistic(state.0), logistic(state.1));
		sum_e += p_e_now;
		sum_v += p_v_now;
		if round % keep == 0 || round == config.rounds {
			let count = f64::from(round);
			let (p_e, p_v) = (sum_e / count, sum_v / count);
			rounds.push(Round { round: count * step, p_a, p_e, p_v, p_e_now, p_v_now });
		}
	}
	Ok(Trajectory { rounds, predicted, creator_utility: 0.0, provider_utility: 0.0 })
}
