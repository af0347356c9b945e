// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Logins, tokens and the market's rules of access, over a chain that the test writes.

use super::common::*;
use async_trait::async_trait;
use modicum_directory::{
	access::{
		job_allowance, output_allowance, AccessPolicy, ChainUnavailable, ChainView, MarketPolicy,
		MatchView, OfferView, Phase, Retention, StandalonePolicy,
	},
	account::AccountId,
	digest::Digest,
	names::RepositoryName,
};
use reqwest::{Method, StatusCode};
use schnorrkel::Keypair;
use std::{
	collections::{HashMap, HashSet},
	sync::{Arc, Mutex},
};

/// A chain of which the test decides everything.
#[derive(Default)]
pub struct Chain {
	pub job_creators: HashSet<AccountId>,
	/// Open offers of the creator in the name, with their bandwidth limits.
	pub open_offers: HashMap<RepositoryName, u64>,
	/// Matches and the repositories of their jobs.
	pub matches: HashMap<u64, (RepositoryName, MatchView)>,
	pub is_down: bool,
}

#[derive(Clone, Default)]
pub struct FakeChain(pub Arc<Mutex<Chain>>);

impl FakeChain {
	pub fn set<T>(&self, change: impl FnOnce(&mut Chain) -> T) -> T {
		change(&mut self.0.lock().unwrap())
	}

	fn ask<T>(&self, question: impl FnOnce(&Chain) -> T) -> Result<T, ChainUnavailable> {
		let chain = self.0.lock().unwrap();
		if chain.is_down {
			Err(ChainUnavailable("no node".into()))
		} else {
			Ok(question(&chain))
		}
	}
}

#[async_trait]
impl ChainView for FakeChain {
	async fn is_job_creator(&self, account: &AccountId) -> Result<bool, ChainUnavailable> {
		self.ask(|chain| chain.job_creators.contains(account))
	}

	async fn open_offers(
		&self,
		_creator: &AccountId,
		job: &RepositoryName,
	) -> Result<Vec<OfferView>, ChainUnavailable> {
		self.ask(|chain| {
			let limit = chain.open_offers.get(job);
			limit.map(|&bandwidth_limit| OfferView { bandwidth_limit }).into_iter().collect()
		})
	}

	async fn matches_of_job(
		&self,
		job: &RepositoryName,
	) -> Result<Vec<MatchView>, ChainUnavailable> {
		self.ask(|chain| {
			let of_job = chain.matches.values().filter(|(name, _)| name == job);
			of_job.map(|(_, found)| found.clone()).collect()
		})
	}

	async fn match_by_id(&self, id: u64) -> Result<Option<MatchView>, ChainUnavailable> {
		self.ask(|chain| chain.matches.get(&id).map(|(_, found)| found.clone()))
	}
}

pub const GRACE_MS: u64 = 1_000;
const MATCH: u64 = 7;
/// The bandwidth limit of the match's job, bytes.
pub const BANDWIDTH: u64 = 2_000_000;
/// The moment at which the tests of rules take place.
const NOW: u64 = 1_000_000;

/// Creator, provider, mediator and a stranger; a match of the creator's job `render`.
pub struct Market {
	pub chain: FakeChain,
	pub creator: (Keypair, AccountId),
	pub provider: (Keypair, AccountId),
	pub mediator: (Keypair, AccountId),
	pub stranger: (Keypair, AccountId),
	pub job: RepositoryName,
	pub result: RepositoryName,
	pub mediation: RepositoryName,
}

pub fn market() -> Market {
	let (creator, provider, mediator, stranger) = (key(1), key(2), key(3), key(4));
	let job = RepositoryName::of_job(&creator.1, "render").unwrap();
	let chain = FakeChain::default();
	chain.set(|chain| {
		chain.job_creators.insert(creator.1);
		let found = MatchView {
			id: MATCH,
			creator: creator.1,
			provider: provider.1,
			mediator: mediator.1,
			phase: Phase::Running,
			storage_limit: 1_000_000,
			bandwidth_limit: BANDWIDTH,
		};
		chain.matches.insert(MATCH, (job.clone(), found));
	});
	Market {
		chain,
		job,
		result: RepositoryName::of_result(&provider.1, MATCH),
		mediation: RepositoryName::of_mediation(&mediator.1, MATCH),
		creator,
		provider,
		mediator,
		stranger,
	}
}

impl Market {
	pub fn policy(&self) -> MarketPolicy<FakeChain> {
		MarketPolicy::new(self.chain.clone(), [key(9).1], GRACE_MS)
	}

	pub fn phase(&self, phase: Phase) {
		self.chain.set(|chain| chain.matches.get_mut(&MATCH).unwrap().1.phase = phase);
	}

	/// Who of creator, provider, mediator, stranger and nobody may do what, as letters: `r`ead,
	/// `w`rite, `d`elete.
	async fn rights(&self, name: &RepositoryName) -> [String; 5] {
		use modicum_directory::access::Action::{Delete, Pull, Push};
		let policy = self.policy().with_clock(|| NOW);
		let parties = [&self.creator, &self.provider, &self.mediator, &self.stranger];
		let mut rights: [String; 5] = Default::default();
		for (i, right) in rights.iter_mut().enumerate() {
			let account = parties.get(i).map(|party| &party.1);
			for (action, letter) in [(Pull, 'r'), (Push, 'w'), (Delete, 'd')] {
				if policy.decide(account, name, action).await.is_ok() {
					right.push(letter);
				}
			}
		}
		rights
	}
}

mod rules {
	use super::*;

	#[tokio::test]
	async fn a_job_is_its_creators_and_read_by_the_parties_of_its_match() {
		let market = market();
		assert_eq!(market.rights(&market.job).await, ["rw", "r", "r", "", ""]);
		let other = RepositoryName::of_job(&market.creator.1, "other").unwrap();
		assert_eq!(market.rights(&other).await, ["rwd", "", "", "", ""]);
		let strangers = RepositoryName::of_job(&market.stranger.1, "render").unwrap();
		assert_eq!(market.rights(&strangers).await, ["", "", "", "rd", ""], "not registered");
		market.chain.set(|chain| chain.open_offers.insert(other.clone(), BANDWIDTH));
		assert_eq!(market.rights(&other).await, ["rw", "", "", "", ""], "an offer needs it");
	}

	#[tokio::test]
	async fn after_the_match_the_parties_read_for_the_grace_period() {
		let market = market();
		market.phase(Phase::Closed { at: NOW - GRACE_MS + 1 });
		assert_eq!(market.rights(&market.job).await, ["rwd", "r", "r", "", ""]);
		assert_eq!(market.rights(&market.result).await, ["r", "r", "r", "", ""]);
		market.phase(Phase::Closed { at: NOW - GRACE_MS });
		assert_eq!(market.rights(&market.job).await, ["rwd", "", "", "", ""]);
		assert_eq!(market.rights(&market.result).await, ["", "", "", "", ""]);
	}

	#[tokio::test]
	async fn a_match_for_anothers_job_of_the_same_name_opens_nothing() {
		let market = market();
		let strangers = RepositoryName::of_job(&market.stranger.1, "render").unwrap();
		// An offer of the creator that names the stranger's repository in its URI.
		market.chain.set(|chain| chain.matches.get_mut(&MATCH).unwrap().0 = strangers.clone());
		assert_eq!(market.rights(&strangers).await, ["", "", "", "rd", ""]);
	}

	#[tokio::test]
	async fn results_are_written_while_the_match_runs_mediations_while_it_is_mediated() {
		let market = market();
		assert_eq!(market.rights(&market.result).await, ["r", "rw", "r", "", ""]);
		assert_eq!(market.rights(&market.mediation).await, ["r", "r", "r", "", ""]);
		market.phase(Phase::ResultPosted);
		assert_eq!(market.rights(&market.result).await, ["r", "r", "r", "", ""]);
		market.phase(Phase::Mediating);
		assert_eq!(market.rights(&market.result).await, ["r", "r", "r", "", ""]);
		assert_eq!(market.rights(&market.mediation).await, ["r", "r", "rw", "", ""]);
	}

	#[tokio::test]
	async fn a_name_with_the_wrong_account_or_match_is_nobodys() {
		let market = market();
		let nobodys = [
			RepositoryName::of_result(&market.stranger.1, MATCH),
			RepositoryName::of_result(&market.mediator.1, MATCH),
			RepositoryName::of_result(&market.provider.1, MATCH + 1),
			RepositoryName::of_mediation(&market.provider.1, MATCH),
			"anything/else".parse().unwrap(),
		];
		for name in nobodys {
			assert_eq!(market.rights(&name).await, ["", "", "", "", ""], "{name}");
		}
	}

	#[tokio::test]
	async fn base_images_are_public_and_the_operators() {
		use modicum_directory::access::Action;
		let market = market();
		let base = RepositoryName::of_base(&[1; 32]);
		assert_eq!(market.rights(&base).await, ["r", "r", "r", "r", "r"]);
		let policy = market.policy();
		assert!(policy.decide(Some(&key(9).1), &base, Action::Push).await.is_ok());
	}

	#[tokio::test]
	async fn contents_stay_as_long_as_somebody_may_need_them() {
		let market = market();
		let policy = market.policy();
		let retention = |name: &RepositoryName| {
			let (policy, name) = (market.policy(), name.clone());
			async move { policy.retention(&name).await.unwrap() }
		};
		assert_eq!(retention(&market.job).await, Retention::Keep);
		market.phase(Phase::Closed { at: 5 });
		assert_eq!(retention(&market.job).await, Retention::Until(5 + GRACE_MS));
		assert_eq!(retention(&market.result).await, Retention::Until(5 + GRACE_MS));
		market.chain.set(|chain| {
			let mut second = chain.matches[&MATCH].clone();
			second.1.phase = Phase::Closed { at: 9 };
			chain.matches.insert(8, second);
		});
		assert_eq!(retention(&market.job).await, Retention::Until(9 + GRACE_MS));
		market.chain.set(|chain| chain.open_offers.insert(market.job.clone(), BANDWIDTH));
		assert_eq!(retention(&market.job).await, Retention::Keep);
		let unused = RepositoryName::of_job(&market.creator.1, "unused").unwrap();
		assert_eq!(retention(&unused).await, Retention::Unclaimed);
		market.chain.set(|chain| chain.is_down = true);
		assert!(policy.retention(&market.job).await.is_err());
	}
}

mod service {
	use super::*;

	#[tokio::test]
	async fn a_job_travels_from_creator_to_provider_and_its_result_back() {
		let market = market();
		let server = server(Arc::new(market.policy()), |_| ()).await;
		let scope = |name: &RepositoryName, actions: &str| format!("repository:{name}:{actions}");

		let write_job = scope(&market.job, "pull,push");
		let creator = server.logged_in(&market.creator.0, &[&write_job]).await;
		let (_, job) = creator.push_image(market.job.as_str(), "v1", b"job").await;
		let path = format!("/v2/{}/manifests/{job}", market.job);
		let provider = server.logged_in(&market.provider.0, &[&write_job]).await;
		assert_eq!(provider.get(&path).await.status(), StatusCode::OK);
		let post = format!("/v2/{}/blobs/uploads/", market.job);
		let response = provider.request(Method::POST, &post).send().await.unwrap();
		assert!(assert_error(response, 403, "DENIED").await.contains("creator"));

		let write_result = scope(&market.result, "pull,push");
		let provider = server.logged_in(&market.provider.0, &[&write_result]).await;
		let (_, result) = provider.push_image(market.result.as_str(), "v1", b"result").await;
		let path = format!("/v2/{}/manifests/{result}", market.result);
		for party in [&market.creator, &market.mediator] {
			let party = server.logged_in(&party.0, &[&write_result]).await;
			assert_eq!(party.get(&path).await.status(), StatusCode::OK);
		}
		let stranger = server.logged_in(&market.stranger.0, &[&write_result]).await;
		assert_error(stranger.get(&path).await, 403, "DENIED").await;
		assert_error(server.get(&path).await, 401, "UNAUTHORIZED").await;

		// The result is posted: what the provider writes now could not be the result any more, and
		// its token of before is of no use.
		market.phase(Phase::ResultPosted);
		let path = format!("/v2/{}/blobs/uploads/", market.result);
		let response = provider.request(Method::POST, &path).send().await.unwrap();
		assert!(assert_error(response, 403, "DENIED").await.contains("while it runs"));
	}

	#[tokio::test]
	async fn a_result_is_bounded_by_the_offer() {
		let market = market();
		let server = server(Arc::new(market.policy()), |_| ()).await;
		let name = market.result.as_str();
		let scope = format!("repository:{name}:pull,push");
		let provider = server.logged_in(&market.provider.0, &[&scope]).await;
		let allowance = output_allowance(1_000_000) as usize;
		let location = provider.begin(name).await;
		let large = noise(1, allowance + 1);
		let response = provider.finish(&location, &Digest::of(&large), large).await;
		assert_error(response, 413, "SIZE_INVALID").await;
		provider.delete(&location).await;
		provider.push_blob(name, &noise(2, allowance)).await;
		let location = provider.begin(name).await;
		let response = provider.finish(&location, &Digest::of(b"xy"), "xy").await;
		assert_error(response, 413, "SIZE_INVALID").await;
	}

	#[tokio::test]
	async fn a_job_is_bounded_by_its_offers_once_there_are_any() {
		let market = market();
		let server = server(Arc::new(market.policy()), |_| ()).await;
		let scope = |name: &RepositoryName| format!("repository:{name}:*");
		let other = RepositoryName::of_job(&market.creator.1, "other").unwrap();
		let scopes = [scope(&market.job), scope(&other)];
		let scopes = [scopes[0].as_str(), scopes[1].as_str()];
		let creator = server.logged_in(&market.creator.0, &scopes).await;
		let allowance = job_allowance(BANDWIDTH) as usize;
		let (large, rest) = (noise(1, allowance + 1), noise(2, allowance));

		// No offer yet: the account's quota alone counts.
		creator.push_blob(other.as_str(), &large).await;
		// From the offer on nothing that would not be run is taken; what was there stays.
		market.chain.set(|chain| chain.open_offers.insert(other.clone(), BANDWIDTH));
		let location = creator.begin(other.as_str()).await;
		let response = creator.finish(&location, &Digest::of(b"more"), "more").await;
		assert_error(response, 413, "SIZE_INVALID").await;
		let blob = format!("/v2/{other}/blobs/{}", Digest::of(&large));
		assert_eq!(creator.get(&blob).await.status(), StatusCode::OK);
		market.chain.set(|chain| chain.open_offers.clear());
		creator.push_blob(other.as_str(), b"more").await;

		// A match counts as its offer did, and of several the largest, in every way of uploading.
		let location = creator.begin(market.job.as_str()).await;
		let response = creator.finish(&location, &Digest::of(&large), large.clone()).await;
		assert_error(response, 413, "SIZE_INVALID").await;
		let post = |query: &str| format!("/v2/{}/blobs/uploads/?{query}", market.job);
		let whole = post(&format!("digest={}", Digest::of(&large)));
		let request = creator.request(Method::POST, &whole).body(large.clone());
		assert_error(request.send().await.unwrap(), 413, "SIZE_INVALID").await;
		let mount = post(&format!("mount={}&from={other}", Digest::of(&large)));
		let response = creator.request(Method::POST, &mount).send().await.unwrap();
		assert!(assert_error(response, 403, "DENIED").await.contains("the offer allows"));
		creator.push_blob(market.job.as_str(), &rest).await;
		market.chain.set(|chain| chain.open_offers.insert(market.job.clone(), 2 * BANDWIDTH));
		creator.push_blob(market.job.as_str(), b"one more").await;
		market.chain.set(|chain| chain.open_offers.clear());
		market.phase(Phase::Closed { at: 1 });
		creator.push_blob(market.job.as_str(), b"nothing bounds it any more").await;
	}

	#[tokio::test]
	async fn while_the_chain_is_away_readers_read_on_and_nobody_writes() {
		let market = market();
		let server = server(Arc::new(market.policy()), |_| ()).await;
		let scope = format!("repository:{}:pull,push", market.job);
		let creator = server.logged_in(&market.creator.0, &[&scope]).await;
		let digest = creator.push_blob(market.job.as_str(), b"x").await;
		market.chain.set(|chain| chain.is_down = true);
		let blob = format!("/v2/{}/blobs/{digest}", market.job);
		let path = format!("/v2/{}/blobs/uploads/", market.job);
		assert_eq!(creator.get(&blob).await.status(), StatusCode::OK);
		let response = creator.request(Method::POST, &path).send().await.unwrap();
		assert_error(response, 503, "UNAVAILABLE").await;
		let scope = format!("repository:{}:pull", market.result);
		let response = server.token(Some(&market.provider.0), &[&scope]).await;
		assert_error(response, 503, "UNAVAILABLE").await;
	}

	fn private(writers: &[AccountId]) -> Arc<dyn AccessPolicy> {
		Arc::new(StandalonePolicy {
			writers: writers.iter().copied().collect(),
			..StandalonePolicy::default()
		})
	}

	#[tokio::test]
	async fn logins_are_good_once_or_until_they_expire_and_nowhere_else() {
		let (alice, account) = key(1);
		let (here, there) = (server(private(&[account]), |_| ()).await, public_server().await);
		let user = account.to_string();
		let path = "/token?scope=repository:a:push,pull";
		let try_login = |server: &Server, secret: String| {
			server.request(Method::GET, path).basic_auth(&user, Some(secret)).send()
		};
		let single = here.login(&alice, true, "*").await.to_secret();
		assert_eq!(try_login(&here, single.clone()).await.unwrap().status(), 200);
		let again = try_login(&here, single).await.unwrap();
		assert!(assert_error(again, 401, "UNAUTHORIZED").await.contains("used already"));
		let reusable = here.login(&alice, false, "*").await.to_secret();
		for _ in 0..2 {
			assert_eq!(try_login(&here, reusable.clone()).await.unwrap().status(), 200);
		}
		let foreign = try_login(&there, reusable).await.unwrap();
		assert_error(foreign, 401, "UNAUTHORIZED").await;
		let garbage = try_login(&here, "password".into()).await.unwrap();
		assert_error(garbage, 401, "UNAUTHORIZED").await;
		assert_eq!(here.directory.metrics.logins_refused.get(), 2);
	}

	#[tokio::test]
	async fn a_login_signed_for_less_gives_less() {
		let (alice, account) = key(1);
		let server = server(private(&[account]), |_| ()).await;
		let login = server.login(&alice, false, "repository:a:pull").await;
		let path = "/token?scope=repository:a:pull,push&scope=repository:b:pull";
		let request = server.request(Method::GET, path);
		let request = request.basic_auth(account.to_string(), Some(login.to_secret()));
		let answer = json_of(request.send().await.unwrap()).await;
		let limited = server.with_token(answer["token"].as_str().unwrap());
		let unknown = limited.get("/v2/a/tags/list").await;
		assert_error(unknown, 404, "NAME_UNKNOWN").await;
		let path = "/v2/a/blobs/uploads/";
		let response = limited.request(Method::POST, path).send().await.unwrap();
		let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
		assert!(challenge.contains("scope=\"repository:a:pull,push\""), "{challenge}");
		assert!(challenge.contains("insufficient_scope"), "{challenge}");
		assert_error(response, 401, "UNAUTHORIZED").await;
		assert_error(limited.get("/v2/b/tags/list").await, 401, "UNAUTHORIZED").await;
	}

	#[tokio::test]
	async fn tokens_of_another_time_or_place_are_refused() {
		let (alice, account) = key(1);
		let here = server(private(&[account]), |_| ()).await;
		let there = server(private(&[account]), |_| ()).await;
		let answer = json_of(there.token(Some(&alice), &["repository:a:pull"]).await).await;
		let foreign = here.with_token(answer["token"].as_str().unwrap());
		let response = foreign.get("/v2/a/tags/list").await;
		let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
		assert!(challenge.contains("invalid_token"), "{challenge}");
		assert_error(response, 401, "UNAUTHORIZED").await;
		use modicum_directory::token::{Access, Claims};
		let expired = here.directory.mint.issue(&Claims {
			account: Some(account),
			access: vec![Access {
				name: "a".into(),
				actions: vec![modicum_directory::access::Action::Pull],
			}],
			expires_at: modicum_directory::clock::now_ms() - 1,
		});
		let response = here.with_token(&expired).get("/v2/a/tags/list").await;
		assert!(assert_error(response, 401, "UNAUTHORIZED").await.contains("expired"));
	}

	#[tokio::test]
	async fn the_token_service_takes_oauths_form_too_and_refuses_what_it_must() {
		let (alice, account) = key(1);
		let server = server(private(&[account]), |_| ()).await;
		let secret = server.login(&alice, false, "*").await.to_secret();
		let post = |grant: &str| {
			let form = format!(
				"grant_type={grant}&scope=repository:a:pull&username={account}&password={secret}"
			);
			server
				.request(Method::POST, "/token")
				.header("content-type", "application/x-www-form-urlencoded")
				.body(form)
				.send()
		};
		let answer = json_of(post("password").await.unwrap()).await;
		assert_eq!(answer["token"], answer["access_token"]);
		assert_error(post("refresh_token").await.unwrap(), 400, "UNSUPPORTED").await;
		let other = server.get("/token?service=other").await;
		assert_error(other, 400, "DENIED").await;
		assert_error(server.get("/token?scope=repository:..:pull").await, 400, "DENIED").await;
		let many = "scope=repository:a:pull&".repeat(40);
		assert_error(server.get(&format!("/token?{many}")).await, 400, "DENIED").await;
		assert_error(server.get("/token/challenge?account=x").await, 400, "UNAUTHORIZED").await;
	}

	#[tokio::test]
	async fn an_upload_is_nobody_elses() {
		let ((alice, a), (bob, b)) = (key(1), key(2));
		let server = server(private(&[a, b]), |_| ()).await;
		let scope = "repository:a:pull,push";
		let alice = server.logged_in(&alice, &[scope]).await;
		let bob = server.logged_in(&bob, &[scope]).await;
		let location = alice.begin("a").await;
		assert_error(bob.get(&location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
		let response = bob.append(&location, "x").await;
		assert_error(response, 404, "BLOB_UPLOAD_UNKNOWN").await;
		assert_error(bob.delete(&location).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
		assert_eq!(alice.get(&location).await.status(), StatusCode::NO_CONTENT);
	}

	#[tokio::test]
	async fn nobody_mounts_what_they_may_not_read() {
		let market = market();
		let server = server(Arc::new(market.policy()), |_| ()).await;
		market.chain.set(|chain| chain.job_creators.insert(market.stranger.1));
		let scope = format!("repository:{}:pull,push", market.job);
		let creator = server.logged_in(&market.creator.0, &[&scope]).await;
		let digest = creator.push_blob(market.job.as_str(), b"secret").await;
		let own = RepositoryName::of_job(&market.stranger.1, "mine").unwrap();
		let own_scope = format!("repository:{own}:pull,push");
		let stranger = server.logged_in(&market.stranger.0, &[&own_scope, &scope]).await;
		let path = format!("/v2/{own}/blobs/uploads/?mount={digest}&from={}", market.job);
		let response = stranger.request(Method::POST, &path).send().await.unwrap();
		assert_eq!(response.status(), StatusCode::ACCEPTED, "an upload, as if it did not exist");
		let blob = stranger.get(&format!("/v2/{own}/blobs/{digest}")).await;
		assert_error(blob, 404, "BLOB_UNKNOWN").await;
	}
}
