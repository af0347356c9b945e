// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! `modicum provider risk`: how likely a creator disputes correct results, and what its jobs are then worth.

use crate::{
	agents::risk::{estimate, history, Stakes, ASSUMED_EXECUTION_COST, CONFIDENCE},
	amount::Amount,
	cli::parse_account,
	context::Context,
	failure::{Exit, Failure, Outcome},
	output::{aligned, Report},
};
use clap::Args;
use modicum_chain_client::{AccountId, TOKEN_DECIMALS, TOKEN_SYMBOL};
use modicum_economics::{CreatorHistory, CreatorRisk};
use modicum_primitives::match_value;
use serde::Serialize;

/// Arguments of `provider risk`.
#[derive(Args, Debug, Clone)]
pub struct RiskArgs {
	/// The job creator
	#[arg(value_parser = parse_account)]
	pub account: AccountId,
}

/// What a provider should think of a creator; utilities are base units per job.
#[derive(Serialize)]
struct Risk {
	creator: AccountId,
	#[serde(flatten)]
	history: CreatorHistory,
	/// A job that uses all that this provider offers, at its prices.
	price: Amount,
	assumed_execution_cost: f64,
	confidence: f64,
	#[serde(flatten)]
	risk: CreatorRisk,
	acceptable: bool,
}

fn tokens(base_units: f64) -> String {
	let decimals = i32::try_from(TOKEN_DECIMALS).expect("a token has twelve decimals; qed");
	format!("{:.6} {TOKEN_SYMBOL}", base_units / 10_f64.powi(decimals))
}

impl Report for Risk {
	fn text(&self) -> String {
		let Self { history, risk, confidence, .. } = self;
		let percent = |rate: f64| format!("{:.4} %", rate * 100.0);
		let sure = format!("with {:.0} % confidence", confidence * 100.0);
		let assumed = format!("{:.0} % of it, as assumed", self.assumed_execution_cost * 100.0);
		aligned(&[
			("job creator", self.creator.to_string()),
			(
				"matches that ended",
				format!(
					"{}, {} of them disputed; {} of those were its fault, the others count a third",
					history.ended, history.mediated, history.faulted
				),
			),
			("price of a job", format!("{}: all that you offer, at your prices", self.price)),
			("cost of executing it", assumed),
			("disputes, expected", percent(risk.dispute_rate)),
			("disputes, at most", format!("{}, {sure}", percent(risk.dispute_rate_at_most))),
			("disputes, at break-even", percent(risk.break_even_dispute_rate)),
			("a job is worth", format!("{} to you, expected", tokens(risk.utility))),
			("", format!("{} at least, {sure}", tokens(risk.utility_at_least))),
			("take its jobs", if self.acceptable { "yes" } else { "no" }.into()),
		])
	}
}

/// Shows the estimate for the provider's prices under the chain's present parameters.
///
/// # Errors
/// The chain cannot be read, or the game is undefined for such prices.
pub async fn show(context: &Context, args: &RiskArgs) -> Outcome {
	let settings = &context.config.provider;
	let price = match_value(&settings.caps(), settings.prices()).map_err(|_| {
		Failure::new(Exit::Usage, "your offer at your prices is more money than there can be")
	})?;
	let snapshot = context.chain().await?.snapshot().await?;
	let record = snapshot.party_record(args.account).await?;
	let stakes = Stakes {
		value: price,
		fees: settings.max_availability_fee.0,
		incentive: settings.match_incentive.0,
		extra_deposit: settings.extra_deposit.0,
	};
	let risk = estimate(&snapshot.parameters().await?, stakes, &record)
		.map_err(|error| Failure::new(Exit::Usage, error))?;
	context.print(&Risk {
		creator: args.account,
		history: history(&record),
		price: Amount(price),
		assumed_execution_cost: ASSUMED_EXECUTION_COST,
		confidence: CONFIDENCE,
		risk,
		acceptable: risk.acceptable(),
	});
	Ok(Exit::Success)
}
