// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What a running agent shows: `/metrics` for Prometheus, `/health` for service managers.

use crate::{
	agents::clock,
	failure::{Exit, Failure, Outcome},
};
use axum::{extract::State, http::StatusCode, response::IntoResponse, routing::get, Json, Router};
use modicum_primitives::{Balance, Ending};
use prometheus::{
	Encoder, Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use serde_json::json;
use std::{
	fmt::Display,
	net::SocketAddr,
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// An agent that has seen no block for so long is not healthy.
const STALE: Duration = Duration::from_secs(120);

/// What an agent shows of itself.
pub struct Health {
	role: &'static str,
	registry: Registry,
	block: IntGauge,
	matches: IntGauge,
	errands: IntGauge,
	closed: IntCounterVec,
	earned: Gauge,
	troubles: IntCounter,
	directories: IntGaugeVec,
	clock_ahead: Gauge,
	state: Mutex<HealthState>,
}

struct HealthState {
	last_block: Instant,
	trouble: Option<String>,
}

impl Health {
	/// Nothing seen yet.
	pub fn new(role: &'static str) -> Self {
		let registry = Registry::new_custom(Some("modicum_agent".into()), None)
			.expect("the prefix is a valid name; qed");
		let gauge = |name: &str, help: &str| IntGauge::new(name, help);
		let made = "names and labels are valid; qed";
		let health = Self {
			role,
			block: gauge("block_number", "last finalised block seen").expect(made),
			matches: gauge("matches_open", "open matches of this account in this role")
				.expect(made),
			errands: gauge("errands", "what is under way").expect(made),
			closed: IntCounterVec::new(
				Opts::new("matches_closed_total", "since the start"),
				&["ending"],
			)
			.expect(made),
			earned: Gauge::new("earned_tokens", "paid for runs since the start").expect(made),
			troubles: IntCounter::new("troubles_total", "what could not be done at once")
				.expect(made),
			directories: IntGaugeVec::new(
				Opts::new("directory_up", "whether a trusted directory answered the last probe"),
				&["directory"],
			)
			.expect(made),
			clock_ahead: Gauge::new(
				"clock_ahead_seconds",
				"how far this machine's clock is ahead of the chain's",
			)
			.expect(made),
			registry,
			state: Mutex::new(HealthState { last_block: Instant::now(), trouble: None }),
		};
		let metrics: [Box<dyn prometheus::core::Collector>; 8] = [
			Box::new(health.block.clone()),
			Box::new(health.matches.clone()),
			Box::new(health.errands.clone()),
			Box::new(health.closed.clone()),
			Box::new(health.earned.clone()),
			Box::new(health.troubles.clone()),
			Box::new(health.directories.clone()),
			Box::new(health.clock_ahead.clone()),
		];
		for metric in metrics {
			health.registry.register(metric).expect("each name is registered once; qed");
		}
		health
	}

	/// A finalised block was seen.
	pub fn block(&self, number: u64) {
		self.block.set(i64::try_from(number).unwrap_or(i64::MAX));
		self.state.lock().unwrap_or_else(PoisonError::into_inner).last_block = Instant::now();
	}

	/// The agent acted on the last block without trouble.
	pub fn working(&self, matches: usize, errands: usize) {
		self.matches.set(matches as i64);
		self.errands.set(errands as i64);
		self.state.lock().unwrap_or_else(PoisonError::into_inner).trouble = None;
	}

	/// Something could not be done.
	pub fn trouble(&self, trouble: &dyn Display) {
		self.troubles.inc();
		let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
		state.trouble = Some(trouble.to_string());
	}

	/// A match ended.
	pub fn closed(&self, ending: &Ending, earned: Balance) {
		self.closed.with_label_values(&[&ending.to_string()]).inc();
		self.earned.add(earned as f64 / 10_f64.powi(modicum_chain_client::TOKEN_DECIMALS as i32));
	}

	/// A directory was probed.
	pub fn probed(&self, directory: &str, is_up: bool) {
		self.directories.with_label_values(&[directory]).set(i64::from(is_up));
	}

	fn problem(&self) -> Option<String> {
		let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
		let age = state.last_block.elapsed();
		let stale = format!("no finalised block for {} s: look at the node", age.as_secs());
		state.trouble.clone().or_else(|| (age > STALE).then_some(stale))
	}
}

async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
	health.clock_ahead.set(clock::ahead() as f64 / 1_000.0);
	let mut text = Vec::new();
	match TextEncoder::new().encode(&health.registry.gather(), &mut text) {
		Ok(()) => (StatusCode::OK, text),
		Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string().into_bytes()),
	}
}

async fn health(State(health): State<Arc<Health>>) -> impl IntoResponse {
	let problem = health.problem();
	let status = if problem.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
	// Nothing that starting the agent again would mend.
	let clock = clock::warning();
	let block = health.block.get();
	let shown = json!({ "role": health.role, "block": block, "problem": problem, "clock": clock });
	(status, Json(shown))
}

/// Serves metrics and health at `listen`; nowhere if that is empty.
///
/// # Errors
/// The address is no address, or is taken.
pub async fn serve(health: Arc<Health>, listen: &str, shutdown: CancellationToken) -> Outcome<()> {
	if listen.is_empty() {
		return Ok(());
	}
	let fail = |error: &dyn Display| {
		Failure::new(Exit::Config, format!("agent.metrics_listen: {listen}: {error}"))
	};
	let address: SocketAddr = listen.parse().map_err(|error| fail(&error))?;
	let listener = TcpListener::bind(address).await.map_err(|error| fail(&error))?;
	let router = Router::new()
		.route("/metrics", get(metrics))
		.route("/health", get(self::health))
		.with_state(health);
	tokio::spawn(async move {
		let served =
			axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned());
		if let Err(error) = served.await {
			tracing::warn!(%error, "metrics are served no more");
		}
	});
	Ok(())
}
