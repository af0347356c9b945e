// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The mediator: runs disputed jobs n times and reports what it found (docs/protocol.md §7). The chain derives the
//! verdict.

use crate::{
	agents::{
		calls::answered,
		cheat::MediatorCheat,
		errands::{Done, Errands},
		follow::{Conclusion, View},
		runner::{run_name, Assignment, Runner, Trouble},
		time_left,
		transfer::{Publication, TransferError},
		Agent, Errand, Role,
	},
	config::MediatorSection,
	failure::{Failure, Outcome},
};
use modicum_chain_client::{AccountId, Call, Event, Match, Phase, PostedResult};
use modicum_directory::{account::AccountId as DirectoryAccount, names::RepositoryName};
use modicum_executor::RunId;
use modicum_primitives::{Evidence, Hash, MatchId, Moment, RejectReason, ResultStatus};
use std::{
	collections::{BTreeMap, BTreeSet, VecDeque},
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Probes remembered for each directory.
const PROBES: usize = 4_096;
/// How long a directory may take to answer a probe.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);

/// When a directory was asked, milliseconds since the Unix epoch, and whether it answered.
type Probes = VecDeque<(Moment, bool)>;

/// The mediator's own record of the directories it trusts.
#[derive(Debug, Default)]
pub struct ProbeRecord(Mutex<BTreeMap<AccountId, Probes>>);

impl ProbeRecord {
	fn add(&self, directory: AccountId, at: Moment, is_up: bool) {
		let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let probes = record.entry(directory).or_default();
		probes.push_back((at, is_up));
		if probes.len() > PROBES {
			probes.pop_front();
		}
	}

	/// Whether the directory answered none of the probes from `from` to `to`, of which there must be at least two:
	/// one lost packet is no outage.
	fn was_down(&self, directory: &AccountId, from: Moment, to: Moment) -> bool {
		let record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		let Some(probes) = record.get(directory) else { return false };
		let mut within = probes.iter().filter(|(at, _)| (from..=to).contains(at)).peekable();
		within.peek().is_some() && within.clone().count() >= 2 && within.all(|(_, is_up)| !is_up)
	}
}

/// A mediator's run of a match's job, counted from 1.
fn run_id(id: MatchId, job_hash: &Hash, run: u32) -> RunId {
	let name = format!("{}run{run}", run_name(id, job_hash));
	name.parse().expect("numbers make a short name; qed")
}

struct Mediator {
	agent: Agent,
	settings: MediatorSection,
	runner: Arc<Runner>,
	cheat: Option<MediatorCheat>,
	probes: Arc<ProbeRecord>,
	closed: BTreeSet<MatchId>,
	/// Whether the account is a mediator; `None` if that must be read anew.
	is_registered: Option<bool>,
}

/// Runs the mediator until `shutdown`.
///
/// # Errors
/// What keeps it from starting, or from going on.
pub async fn run(
	agent: Agent,
	settings: MediatorSection,
	runner: Runner,
	cheat: Option<MediatorCheat>,
	shutdown: CancellationToken,
) -> Outcome<()> {
	let account = agent.account;
	if agent.chain.snapshot().await?.mediator(account).await?.is_none() {
		return Err(Failure::not_found(format!(
			"{account} is not registered as a mediator: run `modicum mediator register` first"
		)));
	}
	let runs = |id, found: &Match, job_hash: &Hash| {
		(1..=found.parameters.verification_count).map(|run| run_id(id, job_hash, run)).collect()
	};
	let follower = super::begin(&agent, &runner, |parties| parties.mediator, runs).await?;
	let probes = Arc::new(ProbeRecord::default());
	let prober = tokio::spawn(probe(agent.clone(), probes.clone(), settings.probe_every.0));
	let mut mediator = Mediator {
		agent: agent.clone(),
		settings,
		runner: Arc::new(runner),
		cheat,
		probes,
		closed: BTreeSet::new(),
		is_registered: None,
	};
	let outcome = super::drive(&agent, &mut mediator, follower, shutdown).await;
	prober.abort();
	outcome
}

/// Asks every trusted directory whether it is there, again and again.
async fn probe(agent: Agent, record: Arc<ProbeRecord>, every: Duration) {
	let mut ticks = tokio::time::interval(every);
	ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
	loop {
		ticks.tick().await;
		let trusted = async {
			let snapshot = agent.chain.snapshot().await?;
			let me = snapshot.mediator(agent.account).await?;
			let mut endpoints = Vec::new();
			for directory in me.map(|me| me.trusted_directories).unwrap_or_default() {
				if let Some(found) = snapshot.directory(directory).await? {
					endpoints.push((directory, found.endpoint));
				}
			}
			Ok::<_, modicum_chain_client::Error>(endpoints)
		};
		let Ok(endpoints) = trusted.await else { continue };
		for (directory, endpoint) in endpoints {
			let is_up = agent.transfer.is_there(&endpoint, PROBE_PATIENCE).await;
			if !is_up {
				tracing::warn!(%directory, endpoint, "the directory does not answer");
			}
			agent.health.probed(&directory.to_string(), is_up);
			record.add(directory, super::now(), is_up);
		}
	}
}

#[async_trait::async_trait]
impl Role for Mediator {
	fn take(&mut self, view: &View) -> Outcome<()> {
		let is_mine = |event: &Event| match event {
			Event::MediatorRegistered { mediator, .. }
			| Event::MediatorDeregistered { mediator } => *mediator == self.agent.account,
			_ => false,
		};
		if view.is_fresh_start || view.events.iter().any(is_mine) {
			self.is_registered = None;
		}
		Ok(())
	}

	async fn conclude(&mut self, conclusion: &Conclusion) -> Outcome<()> {
		for event in &conclusion.events {
			if let Event::MatchClosed { match_id, mediator, ending, .. } = event {
				if *mediator == self.agent.account {
					self.agent.health.closed(ending, 0);
					self.closed.insert(*match_id);
				}
			}
		}
		Ok(())
	}

	async fn act(&mut self, view: &View, errands: &mut Errands<Errand>) -> Outcome<()> {
		let mut room = self.settings.disputes_at_once as usize;
		for (&id, found) in view.matches.iter() {
			let Phase::Mediating { result, reason, mediation_deadline } = &found.phase else {
				continue;
			};
			if view.now > *mediation_deadline || room == 0 {
				continue;
			}
			room -= 1;
			if self.cheat.is_some() || errands.is_under_way(&Errand::Mediate(id)) {
				continue;
			}
			let assignment = Assignment::read(&view.snapshot, found.job_offer).await?;
			let dispute = Dispute {
				agent: self.agent.clone(),
				runner: self.runner.clone(),
				probes: self.probes.clone(),
				reserve: self.settings.reserve.0,
				id,
				record: found.clone(),
				result: result.clone(),
				reason: *reason,
				deadline: *mediation_deadline,
				assignment,
			};
			errands.start(Errand::Mediate(id), dispute.mediate());
		}
		for id in std::mem::take(&mut self.closed) {
			let runner = self.runner.clone();
			errands.start(Errand::CleanUp(id), async move {
				runner.clean_up(id).await?;
				Ok(None)
			});
		}
		let account = self.agent.account;
		if self.is_registered.is_none() {
			self.is_registered = Some(view.snapshot.mediator(account).await?.is_some());
		}
		if self.is_registered == Some(false) {
			return Err(super::unregistered(account, "mediator", "mediator"));
		}
		// Known before there is a dispute, so that there is time to mend it.
		self.runner.ready(view.snapshot.number()).await
	}
}

/// A rejected result.
struct Dispute {
	agent: Agent,
	runner: Arc<Runner>,
	probes: Arc<ProbeRecord>,
	reserve: Duration,
	id: MatchId,
	record: Match,
	result: PostedResult,
	reason: RejectReason,
	deadline: Moment,
	assignment: Assignment,
}

impl Dispute {
	async fn mediate(self) -> Outcome<Done> {
		let id = self.id;
		tracing::info!(match_id = id, reason = %self.reason, "dispute begins");
		let evidence = match self.evidence().await {
			Ok(evidence) => evidence,
			Err(Trouble::Directory(error)) => {
				tracing::warn!(match_id = id, %error, "the directory failed all the time");
				Evidence::DirectoryUnavailable
			},
			Err(Trouble::Machine(failure)) => return Err(failure),
		};
		tracing::info!(match_id = id, ?evidence, "dispute decided");
		// Good only on a chain on which the dispute is this one.
		let at = self.agent.latest().await?;
		let is_same = at.open_match(id).await?.as_ref() == Some(&self.record)
			&& Assignment::read(&at, self.record.job_offer).await? == self.assignment;
		if !is_same {
			tracing::warn!(match_id = id, "the dispute is another now");
			return Ok(None);
		}
		let call = Call::post_mediation_result(id, evidence);
		answered(id, "NotMediating", self.agent.submitter.submit_early(call, Some(&at)).await)
	}

	async fn evidence(&self) -> Result<Evidence, Trouble> {
		let parameters = &self.record.parameters;
		// The parties needed the directory from the match to the rejection; what the mediator saw itself counts.
		if self.reason == RejectReason::DirectoryUnavailable {
			let rejected = self.deadline.saturating_sub(parameters.mediation_deadline);
			let from = rejected.saturating_sub(parameters.reaction_deadline);
			if self.probes.was_down(&self.record.directory, from, rejected) {
				return Ok(Evidence::DirectoryUnavailable);
			}
		}
		if self.result.run.status == ResultStatus::Completed && !self.has_result().await? {
			return Ok(Evidence::ResultNotOnDirectory);
		}
		let mut runs = Vec::new();
		for number in 1..=parameters.verification_count {
			let run = run_id(self.id, &self.assignment.terms.job_hash, number);
			let executed =
				self.runner.execute(&run, &self.assignment, self.deadline, self.reserve).await?;
			let Some(report) = &executed.report else {
				// The job cannot be run as it lies in the directory: it cannot in any further run either.
				runs.resize(parameters.verification_count as usize, executed.run);
				break;
			};
			tracing::info!(match_id = self.id, number, status = %report.status, "run");
			runs.push(executed.run);
			// Only the first is kept for the parties to look at.
			if number == 1 {
				self.publish(&Publication::of_run(report).map_err(Trouble::Machine)?).await;
			}
		}
		Ok(Evidence::Runs(runs))
	}

	/// Whether the result that the provider claims lies in the directory. Asked until it is answered.
	async fn has_result(&self) -> Result<bool, Trouble> {
		let mut pause = Duration::from_secs(1);
		// Half of the time is left for the runs, in case the directory comes back.
		let half = Duration::from_millis(self.record.parameters.mediation_deadline / 2);
		loop {
			match self.look_for_result().await {
				Ok(found) => return Ok(found),
				Err(TransferError::Local(failure)) => return Err(Trouble::Machine(failure)),
				Err(error) if time_left(self.deadline, half) <= pause => {
					return Err(Trouble::Directory(error));
				},
				Err(_) => tokio::time::sleep(pause).await,
			}
			pause = (pause * 2).min(Duration::from_secs(30));
		}
	}

	/// Looks for the result; one that its creator says cannot be fetched is fetched, for a directory may list what
	/// it has lost or altered.
	async fn look_for_result(&self) -> Result<bool, TransferError> {
		let repository =
			RepositoryName::of_result(&DirectoryAccount(self.record.provider.0), self.id);
		let (transfer, endpoint) = (&self.agent.transfer, &self.assignment.endpoint);
		let hash = &self.result.run.result_hash;
		let stored = transfer.stored_result(endpoint, &repository, hash).await?;
		let Some(size) = stored.output else { return Ok(false) };
		if self.reason == RejectReason::DirectoryUnavailable {
			let to = self.runner.work().join(format!("match{}result", self.id));
			transfer.fetch(endpoint, &repository, hash, size, &to, |_| ()).await?;
			if let Err(error) = std::fs::remove_file(&to) {
				tracing::warn!(file = %to.display(), %error, "cannot be removed");
			}
		}
		Ok(true)
	}

	/// Uploads a run. Evidence counts without it.
	async fn publish(&self, publication: &Publication) {
		let me = DirectoryAccount(self.agent.account.0);
		let repository = RepositoryName::of_mediation(&me, self.id);
		let endpoint = &self.assignment.endpoint;
		if let Err(error) =
			self.agent.transfer.publish(endpoint, &repository, publication, |_| ()).await
		{
			tracing::warn!(match_id = self.id, %error, "the run cannot be uploaded");
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn only_lasting_silence_counts_as_an_outage() {
		let record = ProbeRecord::default();
		let directory = AccountId([7; 32]);
		assert!(!record.was_down(&directory, 0, 100));
		record.add(directory, 10, false);
		assert!(!record.was_down(&directory, 0, 100), "one probe proves nothing");
		record.add(directory, 20, false);
		assert!(record.was_down(&directory, 0, 100));
		record.add(directory, 30, true);
		assert!(!record.was_down(&directory, 0, 100));
		assert!(record.was_down(&directory, 0, 25));
	}
}
