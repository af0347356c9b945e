// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a provider should think of a creator before it takes a job: how often that creator may
//! dispute a correct result, judged from its record on chain, and what a job is then worth.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF};

use crate::error::{probability, EconomicsError};
use crate::parameters::Parameters;

/// How a dispute counts that the creator was not blamed for: it caught a cheat, which is its right
/// and duty, or won against a correct result.
///
/// Where providers cheat in 2 % of the jobs, the rate up to which a p_a of 0.99 pays
/// ([`Parameters::honest_up_to_p_e`]), a creator of that p_a disputes 0.98·0.01 correct results for
/// every 0.02 made-up ones: a third of what it wins.
pub const UNBLAMED_WEIGHT: f64 = 1.0 / 3.0;

/// What is known of a creator from the chain's record of it (docs/protocol.md §11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatorHistory {
	/// Matches that have ended, however they ended.
	pub ended: u32,
	/// Those of them that went to mediation.
	pub mediated: u32,
	/// Those of the mediated ones that the creator was blamed for.
	pub faulted: u32,
}

/// A provider's judgement of a creator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreatorRisk {
	/// The expected rate of disputes: the mean of the belief.
	pub dispute_rate: f64,
	/// The rate of disputes that is not exceeded with the wanted confidence.
	pub dispute_rate_at_most: f64,
	/// The provider's expected utility of executing a job at the expected rate.
	pub utility: f64,
	/// The same at the greater rate: what a careful provider decides by.
	pub utility_at_least: f64,
	/// The dispute rate at which executing for this creator is worth nothing.
	pub break_even_dispute_rate: f64,
}

impl CreatorRisk {
	/// True if a careful provider executes jobs of this creator.
	pub fn acceptable(&self) -> bool {
		self.utility_at_least >= 0.0
	}
}

/// Judges a creator from its history. The belief starts with `prior`, the rate of disputes the game
/// predicts (p_v·(1 − p_a), about 0.0002), weighed as one observed match, and is updated by the
/// history (Beta–Bernoulli), in which disputes without blame count [`UNBLAMED_WEIGHT`]. A dispute of a correct result is lost with probability p_a^n; as the
/// provider does not know p_a, it is taken to be lost for certain.
///
/// # Errors
/// [`EconomicsError::NotAProbability`] for the prior or confidence, [`EconomicsError::OutOfRange`]
/// if more matches were mediated than ended or blamed than mediated, and those of [`Parameters::check_constraints`].
pub fn creator_risk(
	parameters: &Parameters,
	history: CreatorHistory,
	prior: f64,
	confidence: f64,
) -> Result<CreatorRisk, EconomicsError> {
	parameters.check_constraints()?;
	let prior = probability("prior dispute rate", prior)?.clamp(1e-6, 1.0 - 1e-6);
	let confidence = probability("confidence", confidence)?;
	let CreatorHistory { ended, mediated, faulted } = history;
	for (name, part, whole) in
		[("mediated matches", mediated, ended), ("matches blamed for", faulted, mediated)]
	{
		if part > whole {
			let (value, max) = (part.into(), whole.into());
			return Err(EconomicsError::OutOfRange { name, value, min: 0, max });
		}
	}
	let counted = f64::from(faulted) + UNBLAMED_WEIGHT * f64::from(mediated - faulted);
	let disputed = prior + counted;
	let undisputed = 1.0 - prior + (f64::from(ended) - counted);
	let belief = Beta::new(disputed, undisputed).expect("both shapes are positive; qed");
	let dispute_rate = disputed / (disputed + undisputed);
	// The belief is so skewed that its quantile can lie below its mean; nobody is better than expected.
	let dispute_rate_at_most = match confidence {
		c if c >= 1.0 => 1.0,
		c if c <= 0.0 => dispute_rate,
		c => belief.inverse_cdf(c).clamp(dispute_rate, 1.0),
	};
	let paid = parameters.price
		- parameters.execution_cost
		- parameters.provider_cost
		- parameters.availability_fees;
	let loss = parameters.price + parameters.deposit();
	Ok(CreatorRisk {
		dispute_rate,
		dispute_rate_at_most,
		utility: paid - dispute_rate * loss,
		utility_at_least: paid - dispute_rate_at_most * loss,
		break_even_dispute_rate: (paid / loss).clamp(0.0, 1.0),
	})
}
