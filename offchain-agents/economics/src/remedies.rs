// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What would make honesty the best reply where it is not.

use modicum_primitives::{MAX_PENALTY_RATE, MAX_VERIFICATION_COUNT, MIN_VERIFICATION_COUNT};

use crate::error::EconomicsError;
use crate::figure::figure;
use crate::numeric::last_that;
use crate::parameters::Parameters;
use crate::report::{CheckRequest, CreatorCheck, ProviderCheck};
use crate::stage::Stage;

/// One remedy a line, each beginning with the side it is for.
pub(crate) fn remedies(
	stage: &Stage,
	request: &CheckRequest,
	provider: &ProviderCheck,
	creator: &CreatorCheck,
) -> Result<Vec<String>, EconomicsError> {
	let mut remedies = Vec::new();
	if !creator.verifying_pays {
		remedies.extend(for_verifying(stage, creator).map(|text| format!("verifying: {text}")));
	}
	// A creator to whom verifying begins to pay will verify often enough, if that is possible.
	let follows = !creator.verifying_pays && request.p_v.is_none() && provider.needed_p_v.is_some();
	if !provider.honest && !follows {
		let texts = for_provider(stage, provider)?;
		remedies.extend(texts.into_iter().map(|text| format!("provider: {text}")));
	}
	if !creator.honest {
		let texts = for_creator(stage.parameters())?;
		remedies.extend(texts.into_iter().map(|text| format!("creator: {text}")));
	}
	Ok(remedies)
}

/// What would make verifying worth its cost.
fn for_verifying(stage: &Stage, creator: &CreatorCheck) -> impl Iterator<Item = String> {
	let parameters = stage.parameters();
	let (cost, gain) = (parameters.verification_cost, parameters.dispute_gain());
	let worth = creator.verifying_worth;
	let cheaper = (worth > 0.0).then(|| {
		format!("it costs the creator less than {} instead of {}", figure(worth), figure(cost))
	});
	let otherwise = if cost < gain {
		// Only this creator's p_a stands in the way: K = G − (1 − p_a^n)·S grows with it.
		let p_a = (1.0 - (gain - cost) / parameters.stake()).max(0.0).powf(1.0 / parameters.n());
		format!("the creator's p_a is above {p_a:.6} instead of {:.6}", stage.p_a())
	} else {
		// G = π_c + π_d − g_m, and the chain pays π_d = π_c.
		let sum = cost + parameters.mediation_cost;
		let price = if parameters.deception_payout == parameters.price {
			sum / 2.0
		} else {
			sum - parameters.deception_payout
		};
		format!("the price is above {} instead of {}", figure(price), figure(parameters.price))
	};
	cheaper.into_iter().chain([otherwise])
}

/// What would make executing the provider's best reply.
fn for_provider(stage: &Stage, provider: &ProviderCheck) -> Result<Vec<String>, EconomicsError> {
	let mut remedies = Vec::new();
	let percent = |p_v: f64| format!("{:.4} %", p_v * 100.0);
	if let Some(needed) = provider.needed_p_v {
		remedies.push(format!(
			"the creator verifies at least {} of the results instead of {}",
			percent(needed),
			percent(provider.p_v),
		));
	}
	let deters = |stage: Stage, p_v: f64| stage.indifferent_p_v().is_ok_and(|needed| needed <= p_v);
	let mut rates = vec![provider.p_v];
	if provider.needed_p_v.is_none() {
		rates.push(1.0);
	}
	rates.retain(|rate| *rate > 0.0);
	rates.dedup();
	for p_v in rates {
		let suits = |parameters: Parameters| Ok(deters(parameters.stage(stage.p_a())?, p_v));
		let enough = format!("verifying {} is enough", percent(p_v));
		remedies.extend(by_the_council(stage.parameters(), suits, &enough)?);
		let at = |dishonesty: f64| {
			Ok::<_, EconomicsError>(deters(stage.parameters().stage(1.0 - dishonesty)?, p_v))
		};
		if at(0.0)? && stage.p_a() < 1.0 {
			remedies.push(format!(
				"the creator's p_a is at least {:.6} instead of {:.6}, at which {enough}",
				1.0 - last_that(0.0, 1.0, at)?,
				stage.p_a(),
			));
		}
	}
	Ok(remedies)
}

/// What would make deterministic jobs the creator's best reply.
fn for_creator(parameters: &Parameters) -> Result<Vec<String>, EconomicsError> {
	let cost = parameters.verification_cost;
	let honest = |parameters: Parameters| Ok(parameters.most_dishonest_gain()? <= cost);
	let effect =
		"a non-deterministic job gains its creator less than finding the abnormal results \
	              costs it";
	by_the_council(parameters, honest, effect)
}

/// The least θ and the least n that the chain accepts and that have `effect`, each with the other
/// one as it is; or that there are none. `suits` must stay true when θ grows.
fn by_the_council(
	parameters: &Parameters,
	suits: impl Fn(Parameters) -> Result<bool, EconomicsError>,
	effect: &str,
) -> Result<Vec<String>, EconomicsError> {
	let mut remedies = Vec::new();
	let theta = least_penalty_rate(parameters, &suits)?;
	if let Some(theta) = theta {
		remedies.push(format!("the council raises the penalty rate to {theta}, at which {effect}"));
	}
	for n in MIN_VERIFICATION_COUNT..=MAX_VERIFICATION_COUNT {
		if suits(Parameters { verification_count: n, ..*parameters })? {
			remedies
				.push(format!("the council sets the verification count to {n}, at which {effect}"));
			break;
		}
	}
	if remedies.is_empty() {
		remedies.push(format!(
			"no penalty rate up to {MAX_PENALTY_RATE} and no verification count of \
			 {MIN_VERIFICATION_COUNT} to {MAX_VERIFICATION_COUNT} alone is such that {effect}"
		));
	}
	Ok(remedies)
}

/// The least θ up to [`MAX_PENALTY_RATE`] with `suits`, which greater θ keep.
fn least_penalty_rate(
	parameters: &Parameters,
	suits: impl Fn(Parameters) -> Result<bool, EconomicsError>,
) -> Result<Option<u32>, EconomicsError> {
	let with = |penalty_rate| suits(Parameters { penalty_rate, ..*parameters });
	let (mut low, mut high) = (1, MAX_PENALTY_RATE);
	if !with(high)? {
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
