// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a creator makes of a result: it looks at every one, and verifies a random few (docs/protocol.md §13).

use crate::{
	agents::{
		creator::{Driver, OUTPUT_FILE},
		jobs::{JobRecord, Judgement},
		runner::{Assignment, Runner},
		time_left,
		transfer::TransferError,
	},
	config::{Verification, VerifyBy},
	failure::{Failure, Outcome},
};
use modicum_chain_client::{Match, PostedResult, Snapshot};
use modicum_directory::{account::AccountId as DirectoryAccount, names::RepositoryName};
use modicum_economics::Parameters as Game;
use modicum_executor::RunId;
use modicum_primitives::{
	derive_verdict, Balance, Evidence, Hash, MatchId, Moment, Parameters, RejectReason,
	ResultStatus, Run, Usage, Verdict, VerdictTerms,
};
use rand::Rng;
use std::{path::PathBuf, time::Duration};

/// Time kept free before the reaction deadline, for the transaction to become final.
pub(super) const RESERVE: Duration = Duration::from_secs(10);

/// What came of fetching an output.
enum Fetched {
	/// It is here, and has the hash that was posted.
	Here(PathBuf),
	/// The directory answers and does not have it.
	NotThere,
	/// The directory did not answer until shortly before the deadline.
	Unavailable(String),
}

/// How likely a result of this match is verified: the fixed probability, or p_v of docs/protocol.md §13 for jobs that
/// are as deterministic as `determinism` says (p_a). Where no p_v deters, or there is none, every result is.
pub fn probability(verify: Verification, record: &Match, determinism: f64) -> f64 {
	rate(verify, &record.parameters, record.value, determinism)
}

/// The same from the match's parameters and value v.
fn rate(verify: Verification, parameters: &Parameters, value: Balance, determinism: f64) -> f64 {
	let Verification::Probability(fixed) = verify else {
		let (rate, count) = (parameters.penalty_rate, parameters.verification_count);
		let stage = Game::at_price(rate, count, value as f64).stage(determinism);
		// Where even certain verification would not deter, less of it deters even less.
		return stage.and_then(|stage| stage.cautious_p_v()).unwrap_or(1.0);
	};
	fixed
}

/// What a verdict on a result of this match depends on.
pub(super) fn verdict_terms(found: &Match) -> VerdictTerms {
	VerdictTerms {
		instruction_limit: found.limits.instructions,
		meter: found.meter,
		cost_tolerance: found.parameters.cost_tolerances.of(found.meter),
	}
}

/// Whether a result is drawn for verification: with probability `p`.
fn draw(p: f64, random: &mut impl Rng) -> bool {
	random.random::<f64>() < p
}

/// How long two runs of this usage take on a machine that needs `time` milliseconds for 10^9 instructions.
fn two_runs(usage: Usage, time: Moment) -> Duration {
	let millis = u128::from(usage.instructions) * u128::from(time) / 500_000_000;
	Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

impl Driver {
	/// Judges a result before `deadline`.
	///
	/// # Errors
	/// The chain or this machine; not the directory, which is judged as well.
	pub(super) async fn judge(
		&self,
		record: &mut JobRecord,
		snapshot: &Snapshot,
		match_id: MatchId,
		found: &Match,
		result: &PostedResult,
		deadline: Moment,
	) -> Outcome<Judgement> {
		let accept = |because: &str| Judgement::unverified(because);
		if time_left(deadline, Duration::ZERO).is_zero() {
			return Ok(accept("the time to reject has passed"));
		}
		let endpoint = self.endpoint(record, snapshot).await?;
		let mut output = None;
		if result.run.status == ResultStatus::Completed {
			let hash = &result.run.result_hash;
			match self.fetch_until(&endpoint, found, match_id, hash, deadline).await? {
				Fetched::Here(path) => output = Some(path),
				Fetched::NotThere => {
					return Ok(Judgement {
						reject: Some(RejectReason::ResultNotFound),
						..accept("the directory does not have the result")
					});
				},
				Fetched::Unavailable(why) => {
					return Ok(Judgement {
						reject: Some(RejectReason::DirectoryUnavailable),
						..accept(&why)
					});
				},
			}
		}
		let p = probability(record.plan.verify, found, record.plan.determinism);
		let drawn = draw(p, &mut rand::rng());
		if !drawn {
			return Ok(accept(&format!(
				"not drawn for verification (one in {:.0})",
				1.0 / p.max(1e-9)
			)));
		}
		if let ([program, arguments @ ..], Some(output)) = (&record.plan.check_command[..], &output)
		{
			return self.check(program, arguments, output, deadline).await;
		}
		if record.plan.verify_by == VerifyBy::Duplicate {
			return self.compare(record, found, match_id, result, deadline).await;
		}
		match &self.runner {
			Some(runner) => {
				self.foresee(snapshot, found, result, deadline).await?;
				self.re_execute(runner, snapshot, found, match_id, result, deadline).await
			},
			None => {
				tracing::warn!(job = self.number, match_id, "accepted unverified: no executor");
				Ok(accept("drawn for verification, but no executor is configured to do it"))
			},
		}
	}

	/// Warns if the two runs that a rejection takes will hardly fit before the deadline, on a machine like the
	/// provider's: then the result will be accepted unverified.
	async fn foresee(
		&self,
		snapshot: &Snapshot,
		found: &Match,
		result: &PostedResult,
		deadline: Moment,
	) -> Outcome<()> {
		let Some(provider) = snapshot.resource_provider(found.provider).await? else {
			return Ok(());
		};
		let needed = two_runs(result.run.usage, provider.time_per_billion_instructions);
		let left = time_left(deadline, RESERVE);
		if needed > left {
			tracing::warn!(
				job = self.number, ?needed, ?left,
				"hardly enough time to verify: use a checking command, or a market with longer reaction deadlines"
			);
		}
		Ok(())
	}

	/// Fetches an output, again and again until shortly before the deadline.
	async fn fetch_until(
		&self,
		endpoint: &str,
		found: &Match,
		match_id: MatchId,
		hash: &Hash,
		deadline: Moment,
	) -> Outcome<Fetched> {
		let mut pause = Duration::from_millis(250);
		loop {
			let error = match self.fetch_output(endpoint, found.provider, match_id, hash).await {
				Ok(Some(path)) => return Ok(Fetched::Here(path)),
				Ok(None) | Err(TransferError::NotFound(_)) => return Ok(Fetched::NotThere),
				Err(TransferError::Local(failure)) => return Err(failure),
				Err(error) => error,
			};
			if time_left(deadline, RESERVE) <= pause {
				return Ok(Fetched::Unavailable(error.to_string()));
			}
			self.say(format!("the output cannot be fetched yet: {error}"));
			tokio::time::sleep(pause).await;
			pause = (pause * 2).min(Duration::from_secs(20));
		}
	}

	/// Fetches an output whose hash is `hash` into the job's folder; `None` if there is none.
	///
	/// # Errors
	/// [`TransferError`].
	pub(super) async fn fetch_output(
		&self,
		endpoint: &str,
		provider: modicum_chain_client::AccountId,
		match_id: MatchId,
		hash: &Hash,
	) -> Result<Option<PathBuf>, TransferError> {
		let to = self.jobs.folder(self.number).map_err(TransferError::Local)?.join(OUTPUT_FILE);
		let repository = RepositoryName::of_result(&DirectoryAccount(provider.0), match_id);
		let stored = self.agent.transfer.stored_result(endpoint, &repository, hash).await?;
		let Some(size) = stored.output else { return Ok(None) };
		self.say(format!("fetching the output, {size} bytes"));
		self.agent.transfer.fetch(endpoint, &repository, hash, size, &to, |_| ()).await?;
		Ok(Some(to))
	}

	/// Asks the user's own program.
	async fn check(
		&self,
		program: &str,
		arguments: &[String],
		output: &std::path::Path,
		deadline: Moment,
	) -> Outcome<Judgement> {
		let folder = self.jobs.folder(self.number)?.join("check");
		super::runner::remove(&folder);
		let (archive, to) = (output.to_path_buf(), folder.clone());
		let unpack = move || modicum_packaging::unpack_output(&archive, &to);
		let unpacked = tokio::task::spawn_blocking(unpack).await.map_err(Failure::internal)?;
		unpacked.map_err(|error| Failure::new(crate::failure::Exit::File, error))?;
		self.say(format!("verifying by {program}"));
		let mut command = tokio::process::Command::new(program);
		command.args(arguments).arg(&folder).stdout(std::process::Stdio::null()).kill_on_drop(true);
		let judgement = |reject, because: String| Judgement {
			verified: true,
			reject,
			because,
			own: None,
			of: None,
		};
		let ran = tokio::time::timeout(time_left(deadline, RESERVE), command.status()).await;
		super::runner::remove(&folder);
		Ok(match ran {
			Ok(Ok(status)) if status.success() => {
				judgement(None, format!("{program} says that the output is right"))
			},
			Ok(Ok(status)) => judgement(
				Some(RejectReason::WrongResults),
				format!("{program} says that the output is wrong ({status})"),
			),
			Ok(Err(error)) => {
				Judgement { verified: false, ..judgement(None, format!("{program}: {error}")) }
			},
			Err(_) => Judgement {
				verified: false,
				..judgement(None, format!("{program} did not end in time"))
			},
		})
	}

	/// Runs the job here and compares. A result is rejected only if two runs of one's own agree against it: a job
	/// that gives something else every time is its creator's fault.
	async fn re_execute(
		&self,
		runner: &Runner,
		snapshot: &Snapshot,
		found: &Match,
		match_id: MatchId,
		result: &PostedResult,
		deadline: Moment,
	) -> Outcome<Judgement> {
		let assignment = Assignment::read(snapshot, found.job_offer).await?;
		self.say("verifying by running the job here");
		let terms = verdict_terms(found);
		let mut runs: Vec<Run> = Vec::new();
		let judgement = loop {
			let name = format!("job{}match{match_id}run{}", self.number, runs.len() + 1);
			let run: RunId = name.parse().map_err(Failure::internal)?;
			let executed = runner.execute(&run, &assignment, deadline, RESERVE).await;
			if let Err(error) = runner.executor().clean_up(&run).await {
				tracing::warn!(%run, %error, "cannot be cleaned up");
			}
			let own = match executed {
				Ok(executed) => executed.run,
				Err(trouble) => {
					break Judgement::unverified(format!("it could not be verified: {trouble}"));
				},
			};
			runs.push(own);
			let verdict = derive_verdict(&result.run, &Evidence::Runs(runs.clone()), &terms);
			let (reject, because) = match verdict {
				Verdict::NonDeterministicJob => (
					None,
					"two runs of this job here differ: the job is not deterministic (`modicum job lint`), \
					 and rejecting its result would cost the deposit",
				),
				Verdict::WrongResults => (Some(RejectReason::WrongResults), "its output differs from two runs here"),
				Verdict::InvalidResultStatus => {
					(Some(RejectReason::InvalidResultStatus), "the job ends otherwise here, twice")
				},
				Verdict::TooMuchCost => {
					(Some(RejectReason::TooMuchCost), "it claims more usage than two runs here need")
				},
				Verdict::CorrectResults | Verdict::ResultNotFound | Verdict::DirectoryUnavailable => {
					(None, "verified: it is what the job gives here")
				},
			};
			if reject.is_none() || runs.len() == 2 {
				break Judgement {
					verified: true,
					reject,
					because: because.into(),
					own: Some(own),
					of: None,
				};
			}
		};
		Ok(judgement)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use rand::{rngs::StdRng, SeedableRng};

	const VALUE: Balance = 1_000_000_000_000;

	fn parameters(penalty_rate: u32, verification_count: u32) -> Parameters {
		Parameters { penalty_rate, verification_count, ..Parameters::default() }
	}

	fn auto(penalty_rate: u32, verification_count: u32, p_a: f64) -> f64 {
		rate(Verification::Auto, &parameters(penalty_rate, verification_count), VALUE, p_a)
	}

	#[test]
	fn the_rate_is_that_of_the_protocol() {
		// 1 / (p_a^(n+1)·(θ + n + 1)).
		assert!((auto(50, 2, 0.99) - 0.019_445).abs() < 1e-6);
		assert!((auto(50, 2, 1.0) - 1.0 / 53.0).abs() < 1e-12);
		assert!((auto(10, 4, 0.9) - 1.0 / (0.9_f64.powi(5) * 15.0)).abs() < 1e-12);
		// It does not depend on the price.
		let cheap = rate(Verification::Auto, &parameters(50, 2), 1_000, 0.99);
		assert!((cheap - auto(50, 2, 0.99)).abs() < 1e-12);
	}

	#[test]
	fn what_no_rate_deters_is_always_verified() {
		// 0.2^3·53 < 1.
		assert_eq!(auto(50, 2, 0.2), 1.0);
		assert_eq!(auto(50, 2, 0.0), 1.0);
		assert_eq!(auto(50, 2, f64::NAN), 1.0);
		assert_eq!(rate(Verification::Auto, &parameters(50, 2), 0, 0.99), 1.0);
	}

	#[test]
	fn a_fixed_rate_stays_as_it_is() {
		for fixed in [0.0, 0.25, 1.0] {
			let found = rate(Verification::Probability(fixed), &parameters(50, 2), VALUE, 0.99);
			assert_eq!(found, fixed);
		}
	}

	#[test]
	fn two_runs_take_twice_the_providers_time() {
		let usage = |instructions| Usage { instructions, bandwidth: 0 };
		assert_eq!(two_runs(usage(90_000_000_000), 400), Duration::from_secs(72));
		assert_eq!(two_runs(usage(u64::MAX), Moment::MAX), Duration::from_millis(u64::MAX));
	}

	#[test]
	fn draws_come_as_often_as_they_should() {
		let mut random = StdRng::seed_from_u64(7);
		let mut share = |p: f64| {
			let drawn = (0..1_000_000).filter(|_| draw(p, &mut random)).count();
			drawn as f64 / 1e6
		};
		assert_eq!(share(0.0), 0.0);
		assert_eq!(share(1.0), 1.0);
		for p in [0.019_445_f64, 0.5] {
			// Five standard deviations.
			let margin = 5.0 * (p * (1.0 - p) / 1e6).sqrt();
			assert!((share(p) - p).abs() < margin);
		}
	}
}
