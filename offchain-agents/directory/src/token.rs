// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Scopes and bearer tokens. A token says which account may do what in which repositories until when;
//! it is authenticated by a key that only this directory has and means nothing elsewhere.

use crate::{access::Action, account::AccountId, names::RepositoryName};
use base64::{engine::general_purpose::URL_SAFE_NO_PAD, Engine as _};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The longest token that is looked at, bytes: well below what fits a header.
pub const MAX_TOKEN_LEN: usize = 16 * 1024;
/// The most repositories that one token may name.
pub const MAX_SCOPES: usize = 32;

/// Actions in one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
	/// The repository's name.
	pub name: String,
	/// What may be done there.
	pub actions: Vec<Action>,
}

/// Why a scope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
	/// Not `repository:<name>:<action>[,<action>]`.
	#[error("the scope '{0}' is not of the form repository:<name>:pull,push,delete")]
	Form(String),
	/// More than [`MAX_SCOPES`].
	#[error("a token is for at most {MAX_SCOPES} repositories; ask for several tokens")]
	TooMany,
}

/// Reads scopes separated by spaces. Scopes of other kinds than repositories are passed over: there is
/// nothing else to have access to. Unknown actions are passed over too.
///
/// # Errors
/// [`ScopeError`].
pub fn parse_scopes(text: &str) -> Result<Vec<Access>, ScopeError> {
	let mut scopes = Vec::new();
	for scope in text.split_ascii_whitespace() {
		let form = || ScopeError::Form(scope.chars().take(100).collect());
		let (kind, rest) = scope.split_once(':').ok_or_else(form)?;
		let (name, actions) = rest.rsplit_once(':').ok_or_else(form)?;
		if kind != "repository" {
			continue;
		}
		name.parse::<RepositoryName>().map_err(|_| form())?;
		let mut access = Access { name: name.to_owned(), actions: Vec::new() };
		for action in actions.split(',') {
			let wanted: &[Action] = match action {
				"pull" => &[Action::Pull],
				"push" => &[Action::Push],
				"delete" => &[Action::Delete],
				"*" => &[Action::Pull, Action::Push, Action::Delete],
				_ => &[],
			};
			for action in wanted {
				if !access.actions.contains(action) {
					access.actions.push(*action);
				}
			}
		}
		scopes.push(access);
		if scopes.len() > MAX_SCOPES {
			return Err(ScopeError::TooMany);
		}
	}
	Ok(scopes)
}

/// Whether a login's signed scope, `*` or a list of scopes, covers an action.
pub fn covers(signed: &str, name: &str, action: Action) -> bool {
	signed == "*"
		|| parse_scopes(signed).is_ok_and(|scopes| {
			scopes.iter().any(|s| s.name == name && s.actions.contains(&action))
		})
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
	/// Who holds it; `None` for somebody who has not logged in.
	pub account: Option<AccountId>,
	/// What it allows.
	pub access: Vec<Access>,
	/// When it ends, milliseconds since the Unix epoch.
	pub expires_at: u64,
}

impl Claims {
	/// Whether the token allows this.
	pub fn allows(&self, name: &RepositoryName, action: Action) -> bool {
		self.access.iter().any(|a| a.name == name.as_str() && a.actions.contains(&action))
	}
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
	/// Not a token of this directory.
	#[error("the token is not one of this directory's")]
	Foreign,
	/// Its time is over.
	#[error("the token has expired")]
	Expired,
}

/// Makes and reads tokens.
pub struct TokenMint {
	key: [u8; 32],
}

impl TokenMint {
	/// `key` is secret and the directory's own.
	pub fn new(key: [u8; 32]) -> Self {
		Self { key }
	}

	fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
		Hmac::<Sha256>::new_from_slice(&self.key)
			.expect("HMAC takes keys of any length; qed")
			.chain_update(b"token")
			.chain_update(body)
	}

	/// The token for these claims.
	pub fn issue(&self, claims: &Claims) -> String {
		let body = URL_SAFE_NO_PAD
			.encode(serde_json::to_vec(claims).expect("strings and numbers become JSON; qed"));
		let mac = self.mac(body.as_bytes()).finalize().into_bytes();
		format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac))
	}

	/// Reads a token.
	///
	/// # Errors
	/// [`TokenError`].
	pub fn read(&self, token: &str, now: u64) -> Result<Claims, TokenError> {
		if token.len() > MAX_TOKEN_LEN {
			return Err(TokenError::Foreign);
		}
		let (body, mac) = token.split_once('.').ok_or(TokenError::Foreign)?;
		let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| TokenError::Foreign)?;
		self.mac(body.as_bytes()).verify_slice(&mac).map_err(|_| TokenError::Foreign)?;
		let json = URL_SAFE_NO_PAD.decode(body).map_err(|_| TokenError::Foreign)?;
		let claims: Claims = serde_json::from_slice(&json).map_err(|_| TokenError::Foreign)?;
		if now >= claims.expires_at {
			Err(TokenError::Expired)
		} else {
			Ok(claims)
		}
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;

	fn claims() -> Claims {
		Claims {
			account: Some(AccountId([1; 32])),
			access: vec![Access { name: "a/b".into(), actions: vec![Action::Pull] }],
			expires_at: 100,
		}
	}

	#[test]
	fn a_token_says_what_was_put_in_until_it_expires() {
		let mint = TokenMint::new([3; 32]);
		let token = mint.issue(&claims());
		assert_eq!(mint.read(&token, 99), Ok(claims()));
		assert_eq!(mint.read(&token, 100), Err(TokenError::Expired));
		let (name, other) = ("a/b".parse().unwrap(), "a/c".parse().unwrap());
		assert!(claims().allows(&name, Action::Pull));
		assert!(!claims().allows(&name, Action::Push));
		assert!(!claims().allows(&other, Action::Pull));
	}

	#[test]
	fn a_foreign_or_changed_token_is_refused() {
		let token = TokenMint::new([3; 32]).issue(&claims());
		assert_eq!(TokenMint::new([4; 32]).read(&token, 0), Err(TokenError::Foreign));
		let more = Claims { account: None, ..claims() };
		let more = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&more).unwrap());
		let forged = format!("{more}.{}", token.split_once('.').unwrap().1);
		for bad in [forged.as_str(), "", ".", "a.b", &token[1..], &token[..token.len() - 2]] {
			assert_eq!(TokenMint::new([3; 32]).read(bad, 0), Err(TokenError::Foreign), "{bad}");
		}
	}

	#[test]
	fn scopes_are_read_as_the_registries_write_them() {
		let scopes =
			parse_scopes("repository:a/b:pull,push repository:c:* registry:catalog:*").unwrap();
		assert_eq!(scopes.len(), 2);
		assert_eq!(scopes[0].actions, [Action::Pull, Action::Push]);
		assert_eq!(scopes[1].actions, [Action::Pull, Action::Push, Action::Delete]);
		assert_eq!(parse_scopes("repository:a:fly,pull,pull").unwrap()[0].actions, [Action::Pull]);
		for bad in ["repository", "repository:a", "repository:../x:pull", "repository::pull"] {
			assert!(matches!(parse_scopes(bad), Err(ScopeError::Form(_))), "{bad}");
		}
		assert_eq!(parse_scopes(&"repository:a:pull ".repeat(33)), Err(ScopeError::TooMany));
		assert!(covers("*", "x", Action::Push));
		assert!(covers("repository:x:push", "x", Action::Push));
		assert!(!covers("repository:x:push", "x", Action::Pull));
		assert!(!covers("repository:xy:push", "x", Action::Push));
	}
}
