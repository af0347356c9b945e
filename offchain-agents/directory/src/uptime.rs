// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The record of uptime: signed heartbeats, each holding the hash of the one before, so that none can be
//! changed or left out afterwards without breaking the chain. A directory could still make up a chain
//! for time that it was down: so whoever cares probes it, and fetches the record from time to time.
//! Two different heartbeats of one number, or a probe that failed at a time for which the record shows
//! heartbeats, are a contradiction that [`verify`] finds.

use crate::{
	account::AccountId,
	login::Realm,
	sign::{SignatureBytes, Statement},
};
use schnorrkel::Keypair;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
	/// Counts from 0 over all restarts.
	pub sequence: u64,
	/// When, milliseconds since the Unix epoch.
	pub at: u64,
	/// Since when the process is up, milliseconds since the Unix epoch.
	pub up_since: u64,
	/// [`Heartbeat::hash`] of the heartbeat before, hexadecimal; zeros for the first.
	pub previous: String,
	/// The directory's signature.
	pub signature: SignatureBytes,
}

/// A part of the record, as `GET /uptime` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UptimeRecord {
	/// Which directory of which chain.
	#[serde(flatten)]
	pub realm: Realm,
	/// The directory's account.
	pub signer: AccountId,
	/// Milliseconds between two heartbeats while it is up.
	pub interval_ms: u64,
	/// Heartbeats in order.
	pub heartbeats: Vec<Heartbeat>,
	/// If the answer was cut: ask again with this `from`.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub next_from: Option<u64>,
}

impl Heartbeat {
	/// The heartbeat that follows `last`.
	pub fn next(
		realm: &Realm,
		keypair: &Keypair,
		last: Option<&Self>,
		at: u64,
		up_since: u64,
	) -> Self {
		let signer = crate::sign::account_of(keypair);
		let mut heartbeat = Self {
			sequence: last.map_or(0, |last| last.sequence + 1),
			at,
			up_since,
			previous: last.map_or_else(|| "0".repeat(64), |last| last.hash(realm, &signer)),
			signature: SignatureBytes([0; 64]),
		};
		heartbeat.signature = heartbeat.statement(realm, &signer).sign(keypair);
		heartbeat
	}

	fn statement(&self, realm: &Realm, signer: &AccountId) -> Statement {
		Statement::new("MODiCuM directory heartbeat v1")
			.field("directory", &realm.directory)
			.field("genesis", &realm.genesis)
			.field("signer", signer)
			.field("sequence", self.sequence)
			.field("at", self.at)
			.field("up since", self.up_since)
			.field("previous", &self.previous)
	}

	/// The SHA-256 over statement and signature, hexadecimal: what the next one carries.
	pub fn hash(&self, realm: &Realm, signer: &AccountId) -> String {
		let hash = Sha256::new()
			.chain_update(self.statement(realm, signer).as_str())
			.chain_update(self.signature.0)
			.finalize();
		hex::encode(hash)
	}
}

/// What a prober saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
	/// When, milliseconds since the Unix epoch.
	pub at: u64,
	/// Whether the directory answered.
	pub up: bool,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UptimeError {
	/// The record's interval cannot be.
	#[error("an interval of 0 ms makes no record")]
	Interval,
	/// A signature is not the signer's.
	#[error("heartbeat {0} does not carry the directory's signature")]
	Signature(u64),
	/// A heartbeat does not follow the one before it.
	#[error("heartbeat {0} does not follow the one before: one was changed, left out or forked")]
	Chain(u64),
	/// Time does not go forward.
	#[error("heartbeat {0} is not later than the one before, or before its own process's start")]
	Time(u64),
}

/// What a genuine record says about a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UptimeReport {
	/// The span asked for, milliseconds since the Unix epoch.
	pub from: u64,
	/// Its end.
	pub to: u64,
	/// Milliseconds of the span for which the record shows the directory up.
	pub up_ms: u64,
	/// Times within the span without heartbeats, as first and last millisecond.
	pub gaps: Vec<(u64, u64)>,
	/// Probes that failed although the record shows the directory up.
	pub contradicted_by: Vec<Probe>,
}

impl UptimeReport {
	/// The share of the span that the directory was up, from 0 to 1.
	pub fn share(&self) -> f64 {
		let span = self.to.saturating_sub(self.from);
		if span == 0 {
			return 0.0;
		}
		self.up_ms as f64 / span as f64
	}
}

/// Checks a record's signatures and chain and says what it shows for the time from `from` to `to`,
/// and which of `probes` it contradicts. Between two heartbeats at most two intervals apart the
/// directory counts as up, if it was the same process.
///
/// # Errors
/// The first heartbeat that is not what it should be.
pub fn verify(
	record: &UptimeRecord,
	from: u64,
	to: u64,
	probes: &[Probe],
) -> Result<UptimeReport, UptimeError> {
	if record.interval_ms == 0 {
		return Err(UptimeError::Interval);
	}
	let beats = &record.heartbeats;
	for (i, beat) in beats.iter().enumerate() {
		let statement = beat.statement(&record.realm, &record.signer);
		if !statement.verify(&record.signer, &beat.signature) {
			return Err(UptimeError::Signature(beat.sequence));
		}
		let Some(last) = i.checked_sub(1).map(|i| &beats[i]) else { continue };
		let follows = Some(beat.sequence) == last.sequence.checked_add(1)
			&& beat.previous == last.hash(&record.realm, &record.signer);
		if !follows {
			return Err(UptimeError::Chain(beat.sequence));
		}
		if beat.at < last.at || beat.up_since > beat.at {
			return Err(UptimeError::Time(beat.sequence));
		}
	}
	let up = up_spans(beats, record.interval_ms.saturating_mul(2));
	let clipped: Vec<(u64, u64)> = up
		.iter()
		.map(|(start, end)| ((*start).max(from), (*end).min(to)))
		.filter(|(start, end)| start < end)
		.collect();
	let mut gaps = Vec::new();
	let mut reached = from;
	for (start, end) in &clipped {
		if *start > reached {
			gaps.push((reached, *start));
		}
		reached = *end;
	}
	if reached < to {
		gaps.push((reached, to));
	}
	let contradicted_by = probes
		.iter()
		.filter(|p| !p.up && up.iter().any(|(start, end)| *start < p.at && p.at < *end))
		.copied()
		.collect();
	let up_ms = clipped.iter().map(|(start, end)| end - start).sum();
	Ok(UptimeReport { from, to, up_ms, gaps, contradicted_by })
}

/// Joins heartbeats of one process that are at most `reach` apart, in order and without overlap.
fn up_spans(beats: &[Heartbeat], reach: u64) -> Vec<(u64, u64)> {
	let mut spans: Vec<(u64, u64)> = Vec::new();
	for pair in beats.windows(2) {
		let [a, b] = pair else { continue };
		if a.up_since != b.up_since || b.at - a.at > reach {
			continue;
		}
		match spans.last_mut() {
			Some(last) if last.1 == a.at => last.1 = b.at,
			_ => spans.push((a.at, b.at)),
		}
	}
	spans
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use crate::sign::{account_of, keypair_of_seed};

	const MINUTE: u64 = 60_000;

	/// Heartbeats at these minutes; a new process starts wherever one is missing.
	fn record(minutes: &[u64]) -> UptimeRecord {
		let realm = Realm { directory: "d".into(), genesis: "g".into() };
		let keypair = keypair_of_seed(&[1; 32]);
		let mut heartbeats: Vec<Heartbeat> = Vec::new();
		let mut up_since = 0;
		for minute in minutes {
			let at = minute * MINUTE;
			if heartbeats.last().is_none_or(|last| at - last.at > MINUTE) {
				up_since = at;
			}
			let next = Heartbeat::next(&realm, &keypair, heartbeats.last(), at, up_since);
			heartbeats.push(next);
		}
		UptimeRecord {
			realm,
			signer: account_of(&keypair),
			interval_ms: MINUTE,
			heartbeats,
			next_from: None,
		}
	}

	#[test]
	fn a_record_without_gaps_shows_the_whole_span() {
		let report = verify(&record(&[0, 1, 2, 3, 4]), 0, 4 * MINUTE, &[]).unwrap();
		assert_eq!((report.up_ms, report.gaps.len()), (4 * MINUTE, 0));
		assert_eq!(report.share(), 1.0);
	}

	#[test]
	fn a_restart_is_a_gap_even_if_it_was_quick() {
		let report = verify(&record(&[0, 1, 2, 10, 11]), 0, 12 * MINUTE, &[]).unwrap();
		assert_eq!(report.up_ms, 3 * MINUTE);
		assert_eq!(report.gaps, [(2 * MINUTE, 10 * MINUTE), (11 * MINUTE, 12 * MINUTE)]);
	}

	#[test]
	fn nothing_recorded_is_nothing_up() {
		let report = verify(&record(&[]), 0, MINUTE, &[]).unwrap();
		assert_eq!((report.up_ms, report.gaps), (0, vec![(0, MINUTE)]));
	}

	#[test]
	fn probes_contradict_a_record_made_up_afterwards() {
		let failed = Probe { at: 90_000, up: false };
		let probes = [Probe { at: 30_000, up: true }, failed, Probe { at: 5 * MINUTE, up: false }];
		let report = verify(&record(&[0, 1, 2]), 0, 6 * MINUTE, &probes).unwrap();
		assert_eq!(report.contradicted_by, [failed]);
	}

	#[test]
	fn whatever_is_changed_breaks_the_record() {
		let good = record(&[0, 1, 2, 3]);
		let broken = |change: fn(&mut UptimeRecord)| {
			let mut record = good.clone();
			change(&mut record);
			verify(&record, 0, MINUTE, &[]).unwrap_err()
		};
		assert_eq!(broken(|r| r.heartbeats[1].at += 1), UptimeError::Signature(1));
		assert_eq!(broken(|r| drop(r.heartbeats.remove(1))), UptimeError::Chain(2));
		assert_eq!(broken(|r| r.heartbeats.swap(1, 2)), UptimeError::Chain(2));
		assert_eq!(broken(|r| r.realm.directory = "e".into()), UptimeError::Signature(0));
		assert_eq!(broken(|r| r.interval_ms = 0), UptimeError::Interval);
		// A fork: the same number signed anew with another time.
		assert_eq!(
			broken(|r| {
				let keypair = keypair_of_seed(&[1; 32]);
				let last = r.heartbeats[0].clone();
				r.heartbeats[1] = Heartbeat::next(&r.realm, &keypair, Some(&last), MINUTE + 1, 0);
			}),
			UptimeError::Chain(2)
		);
		assert_eq!(
			broken(|r| {
				let keypair = keypair_of_seed(&[1; 32]);
				let last = r.heartbeats[2].clone();
				r.heartbeats[3] = Heartbeat::next(&r.realm, &keypair, Some(&last), MINUTE, 0);
			}),
			UptimeError::Time(3)
		);
	}
}
