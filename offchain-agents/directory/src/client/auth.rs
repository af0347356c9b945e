// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! How the client gets into a registry: it follows the `WWW-Authenticate` header to the token service,
//! logs in there by the chain's account, by user and password or not at all, and keeps each scope's
//! token until shortly before it ends.

use super::{
	error::{ClientError, Failure, Refusal},
	send::read_bounded,
	Client,
};
use crate::{
	http::{Challenge, DirectoryIdentity},
	login::Login,
	sign::Signer,
};
use base64::{engine::general_purpose::STANDARD, Engine as _};
use reqwest::{
	header::{self, HeaderMap, HeaderValue},
	RequestBuilder, StatusCode, Url,
};
use serde::Deserialize;
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};

/// The most that a token service's answer may have, bytes.
const MAX_ANSWER: u64 = 64 * 1024;
/// How long a token lasts that does not say so, seconds: what the registries' protocol has for it.
const DEFAULT_TOKEN_LIFE: u64 = 60;
/// The longest that a token is kept, seconds, whatever it says.
const MAX_TOKEN_LIFE: u64 = 86_400;

/// A login by an account of the chain.
#[derive(Clone)]
pub struct AccountLogin {
	/// Who signs the directory's challenges.
	pub signer: Arc<dyn Signer>,
	/// The genesis hash of the chain that the directory must serve.
	pub genesis: [u8; 32],
	/// The id that the directory must have, host and port as the chain knows it; `None` for those of
	/// the endpoint. A directory that calls itself otherwise gets no signature, or it could log in
	/// elsewhere with it.
	pub directory_id: Option<String>,
}

/// What the client can show.
#[derive(Clone)]
pub(super) enum Credentials {
	Anonymous,
	Password { user: String, password: String },
	Account(AccountLogin),
}

/// What is sent with the requests of a scope, and until when.
struct Held {
	authorization: HeaderValue,
	until: Instant,
}

/// Credentials, the tokens that they gave, and what was learnt on the way.
pub(super) struct Auth {
	credentials: Credentials,
	held: Mutex<HashMap<String, Held>>,
	/// The token service that the registry named last, once it has asked for a login.
	service: Mutex<Option<(Url, Option<String>)>>,
	/// Who the directory is, until it refuses a login.
	identity: Mutex<Option<DirectoryIdentity>>,
}

#[derive(Deserialize)]
struct TokenReply {
	token: Option<String>,
	access_token: Option<String>,
	expires_in: Option<u64>,
}

impl Auth {
	pub(super) fn new(credentials: Credentials) -> Self {
		let (held, service, identity) = Default::default();
		Self { credentials, held, service, identity }
	}

	fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
		locked(&self.held)
	}

	/// Gets a token before a request that would be answered with 401, as those before were. Without one the request
	/// tells what is wrong.
	pub(super) async fn foresee(&self, client: &Client, scope: &str, what: &str) {
		let known = locked(&self.service).clone();
		if let Some((realm, service)) = known.filter(|_| self.authorization(scope).is_none()) {
			let _ = self.fetch(client, scope, what, realm, service).await;
		}
	}

	/// What to send for this scope, if it is known.
	pub(super) fn authorization(&self, scope: &str) -> Option<HeaderValue> {
		let held = self.held();
		let found = held.get(scope).filter(|held| held.until > Instant::now())?;
		Some(found.authorization.clone())
	}

	/// Keeps what to send for this scope; what has ended goes.
	fn hold(&self, scope: &str, authorization: HeaderValue, life: Duration) {
		let now = Instant::now();
		let mut held = self.held();
		held.retain(|_, held| held.until > now);
		held.insert(scope.to_owned(), Held { authorization, until: now + life });
	}

	/// Answers a 401: afterwards [`Self::authorization`] has something new for the scope.
	pub(super) async fn answer(
		&self,
		client: &Client,
		scope: &str,
		what: &str,
		headers: &HeaderMap,
	) -> Result<(), Failure> {
		let denied = |reason: &str| {
			Failure::from(ClientError::Denied { what: what.to_owned(), reason: reason.to_owned() })
		};
		let challenge = headers
			.get_all(header::WWW_AUTHENTICATE)
			.iter()
			.filter_map(|value| AuthChallenge::parse(value.to_str().ok()?))
			.next()
			.ok_or_else(|| denied("it asks for a login and does not say for which"))?;
		match (challenge, &self.credentials) {
			(AuthChallenge::Bearer { realm, service }, _) => {
				let realm =
					Url::parse(&realm).map_err(|_| denied("its token service has no URL"))?;
				if client.base.scheme() == "https" && realm.scheme() != "https" {
					return Err(denied("its token service would have the login in plain text"));
				}
				*locked(&self.service) = Some((realm.clone(), service.clone()));
				self.fetch(client, scope, what, realm, service).await
			},
			(AuthChallenge::Basic, Credentials::Password { user, password }) => {
				let mut value = HeaderValue::from_str(&format!("Basic {}", basic(user, password)))
					.expect("base64 is within what a header takes; qed");
				value.set_sensitive(true);
				self.hold(scope, value, Duration::from_secs(MAX_TOKEN_LIFE));
				Ok(())
			},
			(AuthChallenge::Basic, _) => Err(denied("it asks for user and password")),
		}
	}

	async fn fetch(
		&self,
		client: &Client,
		scope: &str,
		what: &str,
		mut realm: Url,
		service: Option<String>,
	) -> Result<(), Failure> {
		{
			let mut query = realm.query_pairs_mut();
			if let Some(service) = &service {
				query.append_pair("service", service);
			}
			query.append_pair("scope", scope);
		}
		let mut request = client.http.get(realm);
		match &self.credentials {
			Credentials::Anonymous => {},
			Credentials::Password { user, password } => {
				request = request.basic_auth(user, Some(password));
			},
			Credentials::Account(login) => {
				if let Some((user, secret)) = sign_in(client, login, scope, what).await? {
					request = request.basic_auth(user, Some(secret));
				}
			},
		}
		let what = format!("{what}: a token");
		let reply: TokenReply = get_json(client, request, &what).await?.map_err(|refusal| {
			*locked(&self.identity) = None;
			// A login is single-use: another attempt makes a new one.
			refusal.into_failure(&what)
		})?;
		let token = reply.token.or(reply.access_token).filter(|token| !token.is_empty());
		let value = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
		let mut value = value.ok_or_else(|| Failure::again("the token service gave no token"))?;
		value.set_sensitive(true);
		let life = reply.expires_in.unwrap_or(DEFAULT_TOKEN_LIFE).min(MAX_TOKEN_LIFE);
		// A new one in time, so that no transfer begins with a token about to end.
		self.hold(scope, value, Duration::from_secs(life) * 4 / 5);
		Ok(())
	}
}

/// User and password for a MODiCuM directory; `None` for a registry that is none, which knows no
/// accounts of the chain.
async fn sign_in(
	client: &Client,
	login: &AccountLogin,
	scope: &str,
	what: &str,
) -> Result<Option<(String, String)>, Failure> {
	let what = format!("{what}: a login");
	let known = locked(&client.auth.identity).clone();
	let identity = match known {
		Some(identity) => identity,
		None => {
			let url = client.url("/modicum/identity");
			match get_json::<DirectoryIdentity>(client, client.http.get(url), &what).await? {
				Ok(identity) => identity,
				Err(refusal) if refusal.status == StatusCode::NOT_FOUND => return Ok(None),
				Err(refusal) => return Err(refusal.into_failure(&what)),
			}
		},
	};
	let denied = |reason| Failure::from(ClientError::Denied { what: what.clone(), reason });
	let expected = login.directory_id.clone().unwrap_or_else(|| client.host_and_port());
	if identity.realm.directory != expected {
		let found = identity.realm.directory;
		return Err(denied(format!("it calls itself '{found}', expected '{expected}'")));
	}
	if identity.realm.genesis != hex::encode(login.genesis) {
		return Err(denied(format!("it serves another chain, genesis {}", identity.realm.genesis)));
	}
	*locked(&client.auth.identity) = Some(identity.clone());
	let account = login.signer.account();
	let url = client.url(&format!("/token/challenge?account={account}"));
	let challenge: Challenge = get_json(client, client.http.get(url), &what)
		.await?
		.map_err(|refusal| refusal.into_failure(&what))?;
	let login = Login::sign(
		&identity.realm,
		login.signer.as_ref(),
		true,
		scope,
		&challenge.nonce,
		challenge.single_use_until,
	);
	Ok(Some((account.to_string(), login.to_secret())))
}

/// The JSON of an answer, or what was answered in its place.
async fn get_json<T: serde::de::DeserializeOwned>(
	client: &Client,
	request: RequestBuilder,
	what: &str,
) -> Result<Result<T, Refusal>, Failure> {
	let patience = client.settings.stall_timeout;
	let response = tokio::time::timeout(patience, request.send())
		.await
		.map_err(|_| Failure::again("no answer in time"))?
		.map_err(|error| Failure::broken(&error))?;
	if !response.status().is_success() {
		return Ok(Err(Refusal::read(response, patience).await));
	}
	let body = read_bounded(response, MAX_ANSWER, patience, what).await?;
	let parsed = serde_json::from_slice(&body)
		.map_err(|_| Failure::again("the answer is not what a token service says"))?;
	Ok(Ok(parsed))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn basic(user: &str, password: &str) -> String {
	STANDARD.encode(format!("{user}:{password}"))
}

/// What a `WWW-Authenticate` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum AuthChallenge {
	Basic,
	Bearer { realm: String, service: Option<String> },
}

impl AuthChallenge {
	/// Reads one challenge (RFC 9110 §11.6.1); `None` for a scheme that registries do not use.
	fn parse(text: &str) -> Option<Self> {
		let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
		if scheme.eq_ignore_ascii_case("basic") {
			return Some(Self::Basic);
		}
		if !scheme.eq_ignore_ascii_case("bearer") {
			return None;
		}
		let mut values = parameters(rest);
		Some(Self::Bearer { realm: values.remove("realm")?, service: values.remove("service") })
	}
}

/// Reads `name=value` and `name="value"` separated by commas, as far as they are well-formed.
fn parameters(mut text: &str) -> HashMap<String, String> {
	let mut values = HashMap::new();
	while let Some((name, rest)) = text.split_once('=') {
		let name = name.trim_matches([' ', ',']).to_ascii_lowercase();
		let mut value = String::new();
		let mut chars = rest.char_indices();
		let is_quoted = rest.starts_with('"');
		if is_quoted {
			chars.next();
		}
		let mut end = rest.len();
		while let Some((at, c)) = chars.next() {
			match c {
				'\\' if is_quoted => value.extend(chars.next().map(|(_, c)| c)),
				'"' if is_quoted => {
					end = at + 1;
					break;
				},
				',' if !is_quoted => {
					end = at;
					break;
				},
				c => value.push(c),
			}
		}
		values.insert(name, value);
		text = &rest[end..];
	}
	values
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn challenges_of_registries_are_read() {
		let bearer = |realm: &str, service: Option<&str>| {
			Some(AuthChallenge::Bearer { realm: realm.into(), service: service.map(Into::into) })
		};
		for (text, expected) in [
			("Basic realm=\"x\"", Some(AuthChallenge::Basic)),
			("basic", Some(AuthChallenge::Basic)),
			("Bearer realm=\"https://a/token\"", bearer("https://a/token", None)),
			(
				"Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a:pull,push\"",
				bearer("https://a/t", Some("s")),
			),
			("bearer service=s, realm=\"https://a/\\\"t\"", bearer("https://a/\"t", Some("s"))),
			("Bearer scope=\"a=b,c\", Realm=\"r\"", bearer("r", None)),
			("Bearer service=\"s\"", None),
			("Bearer realm", None),
			("Negotiate abc", None),
			("", None),
		] {
			assert_eq!(AuthChallenge::parse(text), expected, "{text}");
		}
	}
}
