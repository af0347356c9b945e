// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Who may do what: the rules behind a trait, the market's rules over the state of the chain, and rules
//! for a directory that stands alone.

use crate::{
	account::AccountId,
	names::{Namespace, RepositoryName},
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, sync::Arc};

/// What can be done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
	/// Read blobs, manifests, tags and referrers.
	Pull,
	/// Upload blobs and manifests, set tags.
	Push,
	/// Delete blobs, manifests and tags.
	Delete,
}

impl Action {
	/// The action as scopes spell it.
	pub fn as_str(self) -> &'static str {
		match self {
			Self::Pull => "pull",
			Self::Push => "push",
			Self::Delete => "delete",
		}
	}
}

/// A yes, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
	/// Whose quota pays for what is stored in the repository.
	pub owner: AccountId,
	/// The most bytes that the repository may hold in all, if something but the quota bounds it.
	pub max_repository_bytes: Option<u64>,
}

/// A no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// The rules forbid it; the text names the rule.
	#[error("{0}")]
	Denied(String),
	/// The rules cannot be asked at the moment.
	#[error("{0}")]
	Unavailable(String),
}

/// How long a repository's contents stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
	/// As long as nobody deletes them.
	Keep,
	/// Until this moment, milliseconds since the Unix epoch.
	Until(u64),
	/// Nothing refers to the repository (yet): so long after its last change as the configuration says.
	Unclaimed,
}

/// The rules of access.
#[async_trait]
pub trait AccessPolicy: Send + Sync + 'static {
	/// Whether `account`, or somebody who has not logged in, may do `action` in `repository`.
	///
	/// # Errors
	/// [`Refusal::Denied`] if not, [`Refusal::Unavailable`] if that cannot be said now.
	async fn decide(
		&self,
		account: Option<&AccountId>,
		repository: &RepositoryName,
		action: Action,
	) -> Result<Grant, Refusal>;

	/// How long what `repository` holds must stay.
	///
	/// # Errors
	/// [`Refusal::Unavailable`]: then nothing is collected.
	async fn retention(&self, repository: &RepositoryName) -> Result<Retention, Refusal>;
}

/// Where a match stands, as far as a directory cares (docs/protocol.md §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
	/// The provider may still post its result.
	Running,
	/// The result is posted; the creator may react.
	ResultPosted,
	/// The mediator is at work.
	Mediating,
	/// Over, since this moment in milliseconds since the Unix epoch.
	Closed {
		/// When the match was closed.
		at: u64,
	},
}

/// A match as the directory needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchView {
	/// The match's id.
	pub id: u64,
	/// The job creator.
	pub creator: AccountId,
	/// The resource provider.
	pub provider: AccountId,
	/// The mediator.
	pub mediator: AccountId,
	/// Where it stands.
	pub phase: Phase,
	/// The job offer's storage limit, bytes: the most output a run may leave.
	pub storage_limit: u64,
	/// The job offer's bandwidth limit, bytes: a job that is larger is not run.
	pub bandwidth_limit: u64,
}

/// An open job offer as the directory needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferView {
	/// Its bandwidth limit, bytes: a job that is larger is not run.
	pub bandwidth_limit: u64,
}

/// The chain could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the chain cannot be read at the moment: {0}")]
pub struct ChainUnavailable(pub String);

/// The little that the rules need to know of the chain. Its implementer follows the chain's events and
/// answers from memory; closed matches must be remembered for as long as the grace period.
#[async_trait]
pub trait ChainView: Send + Sync + 'static {
	/// Whether the account is registered as a job creator.
	async fn is_job_creator(&self, account: &AccountId) -> Result<bool, ChainUnavailable>;

	/// Every job offer of `creator` whose URI names this repository and that is open: posted, not
	/// matched, not gone. Others' offers must not count, or anybody could keep a creator from deleting
	/// a job.
	async fn open_offers(
		&self,
		creator: &AccountId,
		job: &RepositoryName,
	) -> Result<Vec<OfferView>, ChainUnavailable>;

	/// Every match whose job offer's URI names this repository, whoever made the offer; closed ones that
	/// are still remembered included.
	async fn matches_of_job(
		&self,
		job: &RepositoryName,
	) -> Result<Vec<MatchView>, ChainUnavailable>;

	/// A match by its id, if there is one or a closed one is still remembered.
	async fn match_by_id(&self, id: u64) -> Result<Option<MatchView>, ChainUnavailable>;
}

impl From<ChainUnavailable> for Refusal {
	fn from(error: ChainUnavailable) -> Self {
		Self::Unavailable(error.to_string())
	}
}

/// The market's rules: docs/directory.md, Access.
pub struct MarketPolicy<C> {
	chain: C,
	operators: HashSet<AccountId>,
	grace_ms: u64,
	now: fn() -> u64,
}

impl<C: ChainView> MarketPolicy<C> {
	/// Rules over `chain`. `operators` may write base images; `grace_ms` is how long contents of a
	/// closed match stay.
	pub fn new(chain: C, operators: impl IntoIterator<Item = AccountId>, grace_ms: u64) -> Self {
		Self {
			chain,
			operators: operators.into_iter().collect(),
			grace_ms,
			now: crate::clock::now_ms,
		}
	}

	/// The same rules with another clock, in milliseconds since the Unix epoch.
	pub fn with_clock(mut self, now: fn() -> u64) -> Self {
		self.now = now;
		self
	}

	/// Whether the parties of a match may still read.
	fn is_readable(&self, phase: Phase) -> bool {
		match phase {
			Phase::Closed { at } => (self.now)() < at.saturating_add(self.grace_ms),
			Phase::Running | Phase::ResultPosted | Phase::Mediating => true,
		}
	}

	async fn job(
		&self,
		account: &AccountId,
		creator: AccountId,
		repository: &RepositoryName,
		action: Action,
	) -> Result<Grant, Refusal> {
		let grant = Ok(Grant { owner: creator, max_repository_bytes: None });
		let is_creator = *account == creator;
		match action {
			Action::Pull if is_creator => grant,
			Action::Pull => {
				let is_party = self
					.matches_of(creator, repository)
					.await?
					.iter()
					.filter(|m| self.is_readable(m.phase))
					.any(|m| m.provider == *account || m.mediator == *account);
				if is_party {
					grant
				} else {
					denied("only its creator, and provider and mediator of its match, read a job")
				}
			},
			Action::Push | Action::Delete if !is_creator => {
				denied("a job is written under its creator's own account: jobs/<account>/<name>")
			},
			Action::Push => {
				if !self.chain.is_job_creator(account).await? {
					return denied("register as a job creator on the chain before uploading a job");
				}
				let limits = self.bandwidth_limits(creator, repository).await?;
				let largest = limits.into_iter().max();
				Ok(Grant { owner: creator, max_repository_bytes: largest.map(job_allowance) })
			},
			Action::Delete => match self.bandwidth_limits(creator, repository).await?.is_empty() {
				true => grant,
				false => denied("an offer or a match that is not closed refers to this job"),
			},
		}
	}

	/// The bandwidth limits of the creator's open offers of this job and of its matches that are not
	/// closed.
	async fn bandwidth_limits(
		&self,
		creator: AccountId,
		job: &RepositoryName,
	) -> Result<Vec<u64>, Refusal> {
		let offers = self.chain.open_offers(&creator, job).await?;
		let mut matches = self.matches_of(creator, job).await?;
		matches.retain(|m| !matches!(m.phase, Phase::Closed { .. }));
		let matched = matches.iter().map(|m| m.bandwidth_limit);
		Ok(offers.iter().map(|offer| offer.bandwidth_limit).chain(matched).collect())
	}

	/// The matches of the creator's own offers of this job.
	async fn matches_of(
		&self,
		creator: AccountId,
		job: &RepositoryName,
	) -> Result<Vec<MatchView>, Refusal> {
		let mut matches = self.chain.matches_of_job(job).await?;
		matches.retain(|m| m.creator == creator);
		Ok(matches)
	}

	async fn match_named(&self, id: u64) -> Result<MatchView, Refusal> {
		match self.chain.match_by_id(id).await? {
			Some(found) => Ok(found),
			None => Err(Refusal::Denied(format!("the chain knows no match {id}"))),
		}
	}

	/// Results and mediations: one party writes in one phase, all parties read.
	async fn output(
		&self,
		account: &AccountId,
		writer: AccountId,
		found: MatchView,
		role: &str,
		action: Action,
	) -> Result<Grant, Refusal> {
		let is_mediation = role == "mediator";
		let appointed = if is_mediation { found.mediator } else { found.provider };
		if appointed != writer {
			return denied(format!(
				"the account in this name is not the {role} of match {}",
				found.id
			));
		}
		let parties = [found.creator, found.provider, found.mediator];
		let writing = if is_mediation { Phase::Mediating } else { Phase::Running };
		let may = match action {
			Action::Pull => parties.contains(account) && self.is_readable(found.phase),
			Action::Push => *account == writer && found.phase == writing,
			Action::Delete => false,
		};
		match (may, action) {
			(true, _) => Ok(Grant {
				owner: writer,
				max_repository_bytes: Some(output_allowance(found.storage_limit)),
			}),
			(false, Action::Pull) => denied(format!(
				"only the parties of match {} read this, until some time after its end",
				found.id
			)),
			(false, Action::Push) => denied(format!(
				"only the {role} of match {} writes this, and only while {}",
				found.id,
				if is_mediation { "it is mediated" } else { "it runs" }
			)),
			(false, Action::Delete) => denied(
				"evidence is not deleted by hand; it goes some time after the match is closed",
			),
		}
	}
}

fn denied<T>(reason: impl Into<String>) -> Result<T, Refusal> {
	Err(Refusal::Denied(reason.into()))
}

/// Room for what is beside the contents proper: manifest, report, log. Bytes.
const BESIDES_BYTES: u64 = 1024 * 1024;

/// How many bytes a repository may hold for an output of `limit` bytes: the storage limit counts
/// files in steps of 4 KiB, the archive adds 512 bytes per file, so an eighth; and 1 MiB for manifest,
/// report and log.
pub fn output_allowance(limit: u64) -> u64 {
	limit.saturating_add(limit / 8).saturating_add(BESIDES_BYTES)
}

/// How many bytes a job's repository may hold while an offer with this bandwidth limit names it: a
/// larger job would not be run; and 1 MiB for the manifest.
pub fn job_allowance(bandwidth_limit: u64) -> u64 {
	bandwidth_limit.saturating_add(BESIDES_BYTES)
}

#[async_trait]
impl<C: ChainView> AccessPolicy for MarketPolicy<C> {
	async fn decide(
		&self,
		account: Option<&AccountId>,
		repository: &RepositoryName,
		action: Action,
	) -> Result<Grant, Refusal> {
		let namespace = repository.namespace();
		if namespace == Namespace::Bases && action == Action::Pull {
			return Ok(Grant { owner: AccountId([0; 32]), max_repository_bytes: None });
		}
		let Some(account) = account else {
			return denied("log in with an account of the chain: see `modicum directory login`");
		};
		match namespace {
			Namespace::Bases if self.operators.contains(account) => {
				Ok(Grant { owner: *account, max_repository_bytes: None })
			},
			Namespace::Bases => denied("only the operators of this directory write base images"),
			Namespace::Job { creator } => self.job(account, creator, repository, action).await,
			Namespace::Result { provider, match_id } => {
				let found = self.match_named(match_id).await?;
				self.output(account, provider, found, "provider", action).await
			},
			Namespace::Mediation { mediator, match_id } => {
				let found = self.match_named(match_id).await?;
				self.output(account, mediator, found, "mediator", action).await
			},
			Namespace::Other => denied(
				"repositories here are named bases/<chain id>, jobs/<account>/<name>, \
				 results/<account>/<match> and mediations/<account>/<match>, accounts in hexadecimal",
			),
		}
	}

	async fn retention(&self, repository: &RepositoryName) -> Result<Retention, Refusal> {
		let of = |found: &MatchView| match found.phase {
			Phase::Closed { at } => Retention::Until(at.saturating_add(self.grace_ms)),
			_ => Retention::Keep,
		};
		match repository.namespace() {
			Namespace::Bases => Ok(Retention::Keep),
			Namespace::Job { creator } => {
				if !self.chain.open_offers(&creator, repository).await?.is_empty() {
					return Ok(Retention::Keep);
				}
				let matches = self.matches_of(creator, repository).await?;
				// The longest claim counts: `Keep` if any match is not closed.
				let longest = matches.iter().map(of).reduce(|a, b| match (a, b) {
					(Retention::Until(a), Retention::Until(b)) => Retention::Until(a.max(b)),
					_ => Retention::Keep,
				});
				Ok(longest.unwrap_or(Retention::Unclaimed))
			},
			Namespace::Result { match_id, .. } | Namespace::Mediation { match_id, .. } => {
				let found = self.chain.match_by_id(match_id).await?;
				Ok(found.as_ref().map_or(Retention::Unclaimed, of))
			},
			Namespace::Other => Ok(Retention::Unclaimed),
		}
	}
}

/// Rules for a directory without a chain: one's own bench, a private network, a test.
#[derive(Debug, Clone, Default)]
pub struct StandalonePolicy {
	/// Accounts that may do everything.
	pub writers: HashSet<AccountId>,
	/// Whether everybody may read without a login.
	pub public_read: bool,
	/// Whether everybody may write without a login. Only for a listener that nobody else reaches.
	pub public_write: bool,
}

#[async_trait]
impl AccessPolicy for StandalonePolicy {
	async fn decide(
		&self,
		account: Option<&AccountId>,
		_repository: &RepositoryName,
		action: Action,
	) -> Result<Grant, Refusal> {
		let is_public = match action {
			Action::Pull => self.public_read,
			Action::Push | Action::Delete => self.public_write,
		};
		let writer = account.filter(|account| self.writers.contains(*account));
		if !is_public && writer.is_none() {
			return denied("this account is not among those that this directory serves");
		}
		let owner = writer.or(account).copied().unwrap_or(AccountId([0; 32]));
		Ok(Grant { owner, max_repository_bytes: None })
	}

	async fn retention(&self, _repository: &RepositoryName) -> Result<Retention, Refusal> {
		Ok(Retention::Keep)
	}
}

#[async_trait]
impl<P: AccessPolicy + ?Sized> AccessPolicy for Arc<P> {
	async fn decide(
		&self,
		account: Option<&AccountId>,
		repository: &RepositoryName,
		action: Action,
	) -> Result<Grant, Refusal> {
		(**self).decide(account, repository, action).await
	}

	async fn retention(&self, repository: &RepositoryName) -> Result<Retention, Refusal> {
		(**self).retention(repository).await
	}
}

#[async_trait]
impl<C: ChainView + ?Sized> ChainView for Arc<C> {
	async fn is_job_creator(&self, account: &AccountId) -> Result<bool, ChainUnavailable> {
		(**self).is_job_creator(account).await
	}

	async fn open_offers(
		&self,
		creator: &AccountId,
		job: &RepositoryName,
	) -> Result<Vec<OfferView>, ChainUnavailable> {
		(**self).open_offers(creator, job).await
	}

	async fn matches_of_job(
		&self,
		job: &RepositoryName,
	) -> Result<Vec<MatchView>, ChainUnavailable> {
		(**self).matches_of_job(job).await
	}

	async fn match_by_id(&self, id: u64) -> Result<Option<MatchView>, ChainUnavailable> {
		(**self).match_by_id(id).await
	}
}
