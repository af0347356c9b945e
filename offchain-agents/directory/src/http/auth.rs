// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Tokens: how they are got and how a request is judged by the one it carries.

use super::{empty, Answer, Call, Shared};
use crate::{
	access::{Action, Grant, Refusal},
	account::AccountId,
	clock::now_ms,
	error::{ApiError, Code},
	login::{LoginError, SINGLE_USE_LIFE_MS},
	names::RepositoryName,
	service::Directory,
	token::{covers, parse_scopes, Access, Claims},
};
use axum::{
	extract::{Query, RawQuery, State},
	http::{header, HeaderMap, StatusCode},
	response::{IntoResponse, Response},
	Form, Json,
};
use base64::{engine::general_purpose::STANDARD, Engine as _};
use serde::{Deserialize, Serialize};
use std::time::{Duration, UNIX_EPOCH};

/// Who may do what was asked.
#[derive(Debug, Clone)]
pub(crate) struct Allowed {
	/// The account, if somebody has logged in.
	pub account: Option<AccountId>,
	/// The bounds.
	pub grant: Grant,
}

/// Judges a request: its token must be for this, and the rules are asked again each time, for a match
/// may have moved on since the token was given.
pub(crate) async fn authorize(
	call: &Call,
	name: &RepositoryName,
	action: Action,
) -> Result<Allowed, ApiError> {
	let directory = &call.directory;
	let scope = format!("repository:{name}:{}", scope_actions(action));
	let claims = match bearer(call)? {
		None => None,
		Some(token) => match directory.mint.read(token, now_ms()) {
			Ok(claims) => Some(claims),
			Err(error) => {
				return Err(unauthorized(
					directory,
					Some((&scope, "invalid_token")),
					error.to_string(),
				));
			},
		},
	};
	let account = claims.as_ref().and_then(|claims| claims.account);
	let is_in_token = claims.as_ref().is_some_and(|claims| claims.allows(name, action));
	let decided = directory.policy.decide(account.as_ref(), name, action).await;
	match decided {
		Ok(grant) if is_in_token || account.is_none() => Ok(Allowed { account, grant }),
		Ok(_) => Err(unauthorized(
			directory,
			Some((&scope, "insufficient_scope")),
			"the token is not for this; ask for one with the scope in WWW-Authenticate",
		)),
		Err(refusal @ Refusal::Unavailable(_)) => {
			// Who was let read a moment ago goes on reading while the chain cannot be asked.
			match claims.filter(|_| action == Action::Pull && is_in_token) {
				Some(_) => {
					let owner = AccountId([0; 32]);
					let grant = Grant { owner, max_repository_bytes: None };
					Ok(Allowed { account, grant })
				},
				None => Err(refusal.into()),
			}
		},
		Err(Refusal::Denied(reason)) if account.is_none() => {
			Err(unauthorized(directory, Some((&scope, "insufficient_scope")), reason))
		},
		Err(refusal) => Err(refusal.into()),
	}
}

/// Whose token a request carries, for the log; `None` without a valid one.
pub(super) fn account_of(directory: &Directory, headers: &HeaderMap) -> Option<AccountId> {
	let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
	let (scheme, token) = value.split_once(' ')?;
	let is_bearer = scheme.eq_ignore_ascii_case("bearer");
	is_bearer.then(|| directory.mint.read(token.trim(), now_ms()).ok()?.account).flatten()
}

/// What a client that may do this will want next, so that it asks for one token.
fn scope_actions(action: Action) -> &'static str {
	match action {
		Action::Pull => "pull",
		Action::Push => "pull,push",
		Action::Delete => "delete",
	}
}

fn bearer(call: &Call) -> Result<Option<&str>, ApiError> {
	let Some(value) = call.header(header::AUTHORIZATION) else { return Ok(None) };
	match value.split_once(' ') {
		Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
		_ => Err(unauthorized(&call.directory, None, "use a bearer token of the token service")),
	}
}

fn unauthorized(
	directory: &Directory,
	scope: Option<(&str, &str)>,
	message: impl Into<String>,
) -> ApiError {
	let mut challenge = format!(
		"Bearer realm=\"{}/token\",service=\"{}\"",
		directory.url,
		directory.desk.realm().directory
	);
	if let Some((scope, error)) = scope {
		challenge.push_str(&format!(",scope=\"{scope}\",error=\"{error}\""));
	}
	ApiError::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, message)
		.with_header(header::WWW_AUTHENTICATE, &challenge)
}

/// `GET /v2/`: tells a client that this is a registry and where its tokens come from.
pub(crate) fn ping(call: &Call) -> Answer {
	let valid = match bearer(call)? {
		Some(token) => call.directory.mint.read(token, now_ms()).map_err(|e| e.to_string()),
		None => Err("get a token from the token service".to_owned()),
	};
	match valid {
		Ok(_) => {
			let mut response = Json(serde_json::json!({})).into_response();
			response.headers_mut().insert(
				"docker-distribution-api-version",
				const { axum::http::HeaderValue::from_static("registry/2.0") },
			);
			Ok(response)
		},
		Err(message) => Err(unauthorized(&call.directory, None, message)),
	}
}

/// A challenge, to be answered by a login.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Challenge {
	/// The nonce to sign.
	pub nonce: String,
	/// When a single-use login with this nonce ends at the latest, milliseconds since the epoch.
	pub single_use_until: u64,
	/// When a reusable login with this nonce ends at the latest, milliseconds since the epoch.
	pub reusable_until: u64,
}

#[derive(Deserialize)]
pub(super) struct ChallengeQuery {
	account: String,
}

/// `GET /token/challenge?account=<SS58>`
pub(super) async fn challenge(
	State(directory): Shared,
	Query(query): Query<ChallengeQuery>,
) -> Result<Json<Challenge>, ApiError> {
	let account: AccountId =
		query.account.parse().map_err(|e| ApiError::bad(Code::Unauthorized, format!("{e}")))?;
	let now = now_ms();
	Ok(Json(Challenge {
		nonce: directory.desk.challenge(&account, now),
		single_use_until: now + SINGLE_USE_LIFE_MS,
		reusable_until: now + directory.desk.max_life_ms(),
	}))
}

/// What the token service answers, in the registries' form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenAnswer {
	/// The token.
	pub token: String,
	/// The same, under the name that OAuth 2 has for it.
	pub access_token: String,
	/// Seconds that it lasts.
	pub expires_in: u64,
	/// When it was made, RFC 3339.
	pub issued_at: String,
}

/// `GET /token?service=..&scope=..`, with Basic authentication or anonymous.
pub(super) async fn token_by_get(
	State(directory): Shared,
	headers: HeaderMap,
	RawQuery(query): RawQuery,
) -> Answer {
	let query: Vec<(String, String)> = match Query::try_from_uri(
		&format!("/?{}", query.unwrap_or_default())
			.parse()
			.map_err(|_| ApiError::bad(Code::Unsupported, "the query cannot be read"))?,
	) {
		Ok(Query(query)) => query,
		Err(e) => return Err(ApiError::bad(Code::Unsupported, e.to_string())),
	};
	let value = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
	let scopes: Vec<&str> =
		query.iter().filter(|(n, _)| n == "scope").map(|(_, v)| v.as_str()).collect();
	let basic = match headers.get(header::AUTHORIZATION) {
		Some(value) => Some(basic(value.to_str().unwrap_or_default()).ok_or_else(|| {
			ApiError::new(
				StatusCode::UNAUTHORIZED,
				Code::Unauthorized,
				"use Basic authentication with account and login",
			)
		})?),
		None => None,
	};
	let login = basic.as_ref().map(|(user, secret)| (user.as_str(), secret.as_str()));
	give_token(&directory, value("service"), &scopes.join(" "), login).await
}

#[derive(Deserialize)]
pub(super) struct TokenForm {
	grant_type: String,
	service: Option<String>,
	#[serde(default)]
	scope: String,
	#[serde(default)]
	username: String,
	#[serde(default)]
	password: String,
}

/// `POST /token`, OAuth 2's form of the same, which some clients try first.
pub(super) async fn token_by_post(State(directory): Shared, Form(form): Form<TokenForm>) -> Answer {
	if form.grant_type != "password" {
		return Err(ApiError::bad(
			Code::Unsupported,
			"only grant_type=password is offered: there are no refresh tokens",
		));
	}
	let login = Some((form.username.as_str(), form.password.as_str()));
	give_token(&directory, form.service.as_deref(), &form.scope, login).await
}

fn basic(header: &str) -> Option<(String, String)> {
	let (scheme, encoded) = header.split_once(' ')?;
	if !scheme.eq_ignore_ascii_case("basic") {
		return None;
	}
	let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
	let (user, secret) = text.split_once(':')?;
	Some((user.to_owned(), secret.to_owned()))
}

async fn give_token(
	directory: &Directory,
	service: Option<&str>,
	scope: &str,
	login: Option<(&str, &str)>,
) -> Result<Response, ApiError> {
	let id = &directory.desk.realm().directory;
	if service.is_some_and(|service| service != id) {
		return Err(ApiError::bad(Code::Denied, format!("this is the token service of '{id}'")));
	}
	let asked = parse_scopes(scope).map_err(|e| ApiError::bad(Code::Denied, e.to_string()))?;
	let now = now_ms();
	let (account, signed_scope) = match login {
		None => (None, "*".to_owned()),
		Some((user, secret)) => match directory.desk.verify(user, secret, now) {
			Ok((account, scope)) => (Some(account), scope),
			Err(error) => {
				directory.metrics.logins_refused.inc();
				let status = match error {
					LoginError::Busy => StatusCode::TOO_MANY_REQUESTS,
					_ => StatusCode::UNAUTHORIZED,
				};
				return Err(ApiError::new(status, Code::Unauthorized, error.to_string()));
			},
		},
	};
	let mut access = Vec::new();
	for scope in asked {
		let name: RepositoryName = scope.name.parse()?;
		let mut actions = Vec::new();
		for action in scope.actions {
			if !covers(&signed_scope, &scope.name, action) {
				continue;
			}
			match directory.policy.decide(account.as_ref(), &name, action).await {
				Ok(_) => actions.push(action),
				// The token comes without it; the request that needs it is told why.
				Err(Refusal::Denied(_)) => {},
				Err(refusal) => return Err(refusal.into()),
			}
		}
		access.push(Access { name: scope.name, actions });
	}
	let life = directory.config.times.token_secs;
	let claims = Claims { account, access, expires_at: now + life * 1_000 };
	let token = directory.mint.issue(&claims);
	let issued_at = rfc3339(now);
	let mut response =
		Json(TokenAnswer { access_token: token.clone(), token, expires_in: life, issued_at })
			.into_response();
	response
		.headers_mut()
		.extend(empty(StatusCode::OK, &[(header::CACHE_CONTROL, "no-store")]).headers().clone());
	Ok(response)
}

fn rfc3339(ms: u64) -> String {
	humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(ms)).to_string()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn basic_authentication_is_read() {
		assert_eq!(basic("Basic YTpiOmM="), Some(("a".into(), "b:c".into())));
		assert_eq!(basic("basic YTo="), Some(("a".into(), String::new())));
		for bad in ["", "Basic", "Basic !", "Bearer YTpi", "Basic YQ=="] {
			assert_eq!(basic(bad), None, "{bad}");
		}
	}
}
