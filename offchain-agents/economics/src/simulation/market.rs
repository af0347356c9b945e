// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! One simulated match under the chain's own rules: costs, verdicts and settlement come from
//! `modicum-primitives`, the same code that the chain runs.

use modicum_primitives::{
	cost, derive_verdict, match_deposit, match_value, settlement, Balance, CostTolerances, Ending,
	Evidence, Meter, Parameters as ChainParameters, Prices, Resources, ResultStatus, Rounding, Run,
	Settlement, SettlementTerms, Usage, Verdict, VerdictTerms, MIN_VERIFICATION_COUNT,
};

use crate::error::EconomicsError;
use crate::parameters::Parameters;

/// Smallest units of the token that the price π_c is simulated as.
const PRICE_UNITS: f64 = 1e12;

/// Instructions a simulated job takes.
const INSTRUCTIONS: u64 = 1_000_000_000_000;

/// Price per 10^9 instructions, so that a job costs [`PRICE_UNITS`].
const INSTRUCTION_PRICE: Balance = 1_000_000_000;

/// What a match moved, seen from each party, in the unit of [`Parameters`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flows {
	/// Net for the job creator; usually negative.
	pub creator: f64,
	/// Net for the resource provider.
	pub provider: f64,
	/// To the mediator.
	pub mediator: f64,
	/// To the directory.
	pub directory: f64,
	/// To the fines destination.
	pub fines: f64,
}

/// A match on the terms of the model's parameters.
#[derive(Clone, Debug)]
pub struct Market {
	unit: f64,
	terms: SettlementTerms,
	verdict_terms: VerdictTerms,
	deposit: Balance,
}

impl Market {
	/// The match whose price, limit, fees and deposit are those of `parameters`, the availability
	/// fees split evenly between mediator and directory.
	///
	/// # Errors
	/// [`EconomicsError::MarketRefuses`] if the chain would not allow these terms or they do not
	/// fit into its balances, [`EconomicsError::ConstraintsBroken`] and the like if the game does
	/// not.
	pub fn new(parameters: &Parameters) -> Result<Self, EconomicsError> {
		parameters.check_constraints()?;
		let chain = ChainParameters {
			penalty_rate: parameters.penalty_rate,
			verification_count: parameters.verification_count,
			..ChainParameters::default()
		};
		let refuse = |reason: String| EconomicsError::MarketRefuses { reason };
		// The chain refuses n = 1; the simulation shows what it would lead to.
		let verification_count = chain.verification_count.max(MIN_VERIFICATION_COUNT);
		ChainParameters { verification_count, ..chain }
			.validate()
			.map_err(|error| refuse(error.to_string()))?;
		if parameters.deception_payout != parameters.price {
			return Err(refuse("the chain pays the wronged party exactly π_c".into()));
		}
		let unit = parameters.price / PRICE_UNITS;
		let limit = INSTRUCTIONS as f64 * (parameters.price_limit / parameters.price);
		if limit > u64::MAX as f64 {
			return Err(refuse("the price limit is too far above the price".into()));
		}
		let prices = Prices { instruction: INSTRUCTION_PRICE, bandwidth: 0 };
		let limits = Resources { instructions: limit as u64, ram: 0, storage: 0, bandwidth: 0 };
		let overflow = |_| refuse("amounts do not fit into the chain's balances".into());
		let value = match_value(&limits, prices).map_err(overflow)?;
		let units = |amount: f64| -> Result<Balance, EconomicsError> {
			let units = (amount / unit).round();
			if units < Balance::MAX as f64 {
				Ok(units as Balance)
			} else {
				Err(refuse("amounts do not fit into the chain's balances".into()))
			}
		};
		let fees = units(parameters.availability_fees)?;
		let mediator_fee = fees / 2;
		let directory_fee = fees - mediator_fee;
		let deposit = match_deposit(value, mediator_fee, directory_fee, &chain)
			.map_err(overflow)?
			.checked_add(units(parameters.extra_deposit)?)
			.ok_or_else(|| refuse("amounts do not fit into the chain's balances".into()))?;
		// Flows add up to two holds; keep them well inside the signed range.
		if deposit > Balance::MAX / 16 {
			return Err(refuse("deposits do not fit into the chain's balances".into()));
		}
		Ok(Self {
			unit,
			terms: SettlementTerms {
				value,
				prices,
				verification_count: parameters.verification_count,
				mediator_fee,
				directory_fee,
				reported: None,
				measured: None,
			},
			verdict_terms: VerdictTerms {
				instruction_limit: limits.instructions,
				meter: Meter::WasmFuel,
				cost_tolerance: CostTolerances::default().of(Meter::WasmFuel),
			},
			deposit,
		})
	}

	/// What a run of the simulated job uses.
	pub fn usage(&self) -> Usage {
		Usage { instructions: INSTRUCTIONS, bandwidth: 0 }
	}

	/// A completed run with this output.
	pub fn completed(&self, output: u64) -> Run {
		let mut result_hash = modicum_primitives::NO_HASH;
		result_hash[..8].copy_from_slice(&output.to_le_bytes());
		// The zero hash is reserved for runs without output.
		result_hash[8] = 1;
		Run { status: ResultStatus::Completed, result_hash, usage: self.usage() }
	}

	/// A run that ended because the job's description could not be used.
	pub fn description_error(&self) -> Run {
		Run {
			status: ResultStatus::JobDescriptionError,
			result_hash: modicum_primitives::NO_HASH,
			usage: Usage { instructions: 0, bandwidth: 0 },
		}
	}

	/// n, as the market has it.
	pub fn verification_count(&self) -> u32 {
		self.terms.verification_count
	}

	/// Closes a match after the creator accepted `result`.
	pub fn accept(&self, result: &Run) -> Flows {
		self.close(Ending::Accepted, Some(result.usage), None)
	}

	/// Closes a match on the mediator's evidence.
	pub fn mediate(&self, result: &Run, evidence: &Evidence) -> (Verdict, Flows) {
		let verdict = derive_verdict(result, evidence, &self.verdict_terms);
		let ending = Ending::Mediated(verdict);
		(verdict, self.close(ending, Some(result.usage), evidence.measured()))
	}

	/// Closes a match whose provider never posted a result.
	pub fn provider_timed_out(&self) -> Flows {
		self.close(Ending::ProviderTimedOut, None, None)
	}

	/// Closes a match whose mediator never posted evidence.
	pub fn mediator_timed_out(&self, result: &Run) -> Flows {
		self.close(Ending::MediatorTimedOut, Some(result.usage), None)
	}

	/// a_M, in the unit of the parameters: the mediator receives it from each side.
	pub fn mediator_fee(&self) -> f64 {
		self.terms.mediator_fee as f64 * self.unit
	}

	/// a_D, in the unit of the parameters: the directory receives it from each side.
	pub fn directory_fee(&self) -> f64 {
		self.terms.directory_fee as f64 * self.unit
	}

	/// π_c as the chain bills a run, in the unit of the parameters.
	pub fn billed(&self) -> f64 {
		let billed = cost(self.usage(), self.terms.prices, Rounding::Down)
			.expect("10^12 instructions at 10^9 fit into 128 bits; qed");
		billed as f64 * self.unit
	}

	fn close(&self, ending: Ending, reported: Option<Usage>, measured: Option<Usage>) -> Flows {
		let terms = SettlementTerms { reported, measured, ..self.terms };
		let Settlement { from_creator, from_provider } =
			settlement(ending, &terms, self.deposit, self.deposit);
		let amount = |units: Balance| units as f64 * self.unit;
		let lost = |returned: Balance| amount(self.deposit - returned);
		Flows {
			creator: amount(from_provider.to_counterparty) - lost(from_creator.returned),
			provider: amount(from_creator.to_counterparty) - lost(from_provider.returned),
			mediator: amount(from_creator.to_mediator) + amount(from_provider.to_mediator),
			directory: amount(from_creator.to_directory) + amount(from_provider.to_directory),
			fines: amount(from_creator.to_fines) + amount(from_provider.to_fines),
		}
	}
}
