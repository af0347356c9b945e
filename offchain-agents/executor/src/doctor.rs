// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Whether a machine can run jobs, and what to do if not.

use std::{fmt, time::SystemTime};

use modicum_primitives::{Architecture, Meter};

/// Clocks further apart than this miss deadlines, in seconds.
const MAX_CLOCK_DIFFERENCE_SECS: u64 = 5;

/// What an examination of a machine found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoctorReport {
	/// Everything that was looked at, in order.
	pub findings: Vec<Finding>,
	/// The architectures of which a container was seen to run here.
	pub architectures: Vec<Architecture>,
	/// The meters of this machine, the best first.
	pub meters: Vec<Meter>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
	/// What was looked at, in a word or two.
	pub check: &'static str,
	/// How grave it is.
	pub severity: Severity,
	/// What was found.
	pub message: String,
	/// What to do about it; `None` if it is fine.
	pub remedy: Option<String>,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
	/// As it should be.
	Fine,
	/// Jobs run, but something could be better.
	Advice,
	/// No job may run here.
	Refusal,
}

impl DoctorReport {
	/// Whether jobs may run on this machine.
	pub fn is_usable(&self) -> bool {
		self.findings.iter().all(|finding| finding.severity < Severity::Refusal)
	}

	pub(crate) fn fine(&mut self, check: &'static str, message: impl Into<String>) {
		let message = message.into();
		self.findings.push(Finding { check, severity: Severity::Fine, message, remedy: None });
	}

	pub(crate) fn advice(
		&mut self,
		check: &'static str,
		message: impl Into<String>,
		remedy: impl Into<String>,
	) {
		self.add(check, Severity::Advice, message.into(), remedy.into());
	}

	pub(crate) fn refuse(
		&mut self,
		check: &'static str,
		message: impl Into<String>,
		remedy: impl Into<String>,
	) {
		self.add(check, Severity::Refusal, message.into(), remedy.into());
	}

	fn add(&mut self, check: &'static str, severity: Severity, message: String, remedy: String) {
		self.findings.push(Finding { check, severity, message, remedy: Some(remedy) });
	}

	/// Compare this machine's clock with someone else's. Agents judge deadlines by the chain's time; certificates and
	/// whoever reads a log go by this machine's.
	pub(crate) fn check_clock(&mut self, here: SystemTime, there: SystemTime) {
		let difference = here.duration_since(there).unwrap_or_else(|error| error.duration());
		let seconds = difference.as_secs();
		if seconds > MAX_CLOCK_DIFFERENCE_SECS {
			self.advice(
				"clock",
				format!("this machine's clock is {seconds} s off"),
				"synchronise it: apt-get install systemd-timesyncd, then timedatectl set-ntp true",
			);
		} else {
			self.fine("clock", format!("agrees within {MAX_CLOCK_DIFFERENCE_SECS} s"));
		}
	}
}

impl fmt::Display for DoctorReport {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for finding in &self.findings {
			let mark = match finding.severity {
				Severity::Fine => "ok     ",
				Severity::Advice => "advice ",
				Severity::Refusal => "REFUSED",
			};
			writeln!(f, "{mark} {}: {}", finding.check, finding.message)?;
			if let Some(remedy) = &finding.remedy {
				writeln!(f, "        {remedy}")?;
			}
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use std::time::Duration;

	use super::*;

	#[test]
	fn one_refusal_makes_a_machine_unusable_and_advice_does_not() {
		let mut report = DoctorReport::default();
		report.fine("engine", "version 20.10");
		report.advice("disk", "nearly full", "remove something");
		assert!(report.is_usable());
		report.refuse("memory", "limits are ignored", "turn on the memory cgroup");
		assert!(!report.is_usable());
		let text = report.to_string();
		assert!(
			text.contains("REFUSED memory") && text.contains("turn on the memory cgroup"),
			"{text}"
		);
	}

	#[test]
	fn a_clock_is_wrong_in_either_direction() {
		let now = SystemTime::now();
		for (there, severity) in [
			(now + Duration::from_secs(4), Severity::Fine),
			(now + Duration::from_secs(60), Severity::Advice),
			(now - Duration::from_secs(60), Severity::Advice),
		] {
			let mut report = DoctorReport::default();
			report.check_clock(now, there);
			assert_eq!(report.findings[0].severity, severity);
		}
	}
}
