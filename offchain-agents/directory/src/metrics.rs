// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Figures for Prometheus. Every series exists from the start, at zero.

use prometheus::{
	Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
	TextEncoder,
};

/// All figures of one directory.
pub struct Metrics {
	registry: Registry,
	/// Requests by method and class of status.
	pub requests: IntCounterVec,
	/// Seconds from a request's header to the answer's header.
	pub seconds: Histogram,
	/// Bytes of blobs and manifests taken in.
	pub bytes_in: IntCounter,
	/// Bytes of blobs and manifests begun to be given out.
	pub bytes_out: IntCounter,
	/// Logins refused.
	pub logins_refused: IntCounter,
	/// Requests refused because there were too many.
	pub throttled: IntCounter,
	/// Uploads open now.
	pub uploads: IntGauge,
	/// Bytes of all different blobs.
	pub stored_bytes: IntGauge,
	/// Number of different blobs.
	pub stored_blobs: IntGauge,
	/// Blobs found damaged and not mended yet.
	pub damaged_blobs: IntGauge,
	/// Blobs read again and found whole.
	pub scrubbed_blobs: IntCounter,
	/// Blobs that the collector removed.
	pub collected_blobs: IntCounter,
	/// Heartbeats signed.
	pub heartbeats: IntCounter,
	/// Changed TLS files that could not be used.
	pub tls_failures: IntCounter,
}

/// The methods that are counted by name; others count as `other`.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "other"];
const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

impl Metrics {
	/// Makes and registers all figures.
	pub fn new() -> Self {
		const UNIQUE: &str = "names are valid and different; qed";
		let registry = Registry::new();
		let counter = |name: &str, help: &str| {
			let counter = IntCounter::new(format!("modicum_directory_{name}"), help).expect(UNIQUE);
			registry.register(Box::new(counter.clone())).expect(UNIQUE);
			counter
		};
		let gauge = |name: &str, help: &str| {
			let gauge = IntGauge::new(format!("modicum_directory_{name}"), help).expect(UNIQUE);
			registry.register(Box::new(gauge.clone())).expect(UNIQUE);
			gauge
		};
		let requests = IntCounterVec::new(
			Opts::new(
				"modicum_directory_requests_total",
				"Requests by method and class of status.",
			),
			&["method", "class"],
		)
		.expect(UNIQUE);
		for method in METHODS {
			for class in CLASSES {
				requests.with_label_values(&[method, class]);
			}
		}
		registry.register(Box::new(requests.clone())).expect(UNIQUE);
		let seconds = Histogram::with_opts(HistogramOpts::new(
			"modicum_directory_request_seconds",
			"Seconds from a request's header to the answer's header.",
		))
		.expect(UNIQUE);
		registry.register(Box::new(seconds.clone())).expect(UNIQUE);
		Self {
			requests,
			seconds,
			bytes_in: counter("received_bytes_total", "Bytes of blobs and manifests taken in."),
			bytes_out: counter("sent_bytes_total", "Bytes of blobs and manifests given out."),
			logins_refused: counter("logins_refused_total", "Logins refused."),
			throttled: counter("throttled_total", "Requests refused because there were too many."),
			uploads: gauge("open_uploads", "Uploads open now."),
			stored_bytes: gauge("stored_bytes", "Bytes of all different blobs."),
			stored_blobs: gauge("stored_blobs", "Number of different blobs."),
			damaged_blobs: gauge("damaged_blobs", "Blobs found damaged and not mended yet."),
			scrubbed_blobs: counter("scrubbed_blobs_total", "Blobs read again and found whole."),
			collected_blobs: counter("collected_blobs_total", "Blobs that the collector removed."),
			heartbeats: counter("heartbeats_total", "Heartbeats signed."),
			tls_failures: counter(
				"tls_failures_total",
				"Changed TLS files that could not be used.",
			),
			registry,
		}
	}

	/// Counts a request.
	pub fn count_request(&self, method: &str, status: u16, seconds: f64) {
		let method = METHODS.iter().find(|m| **m == method).unwrap_or(&"other");
		let class = match status {
			..=299 => "2xx",
			300..=399 => "3xx",
			400..=499 => "4xx",
			500.. => "5xx",
		};
		self.requests.with_label_values(&[method, class]).inc();
		self.seconds.observe(seconds);
	}

	/// The figures in Prometheus' text format.
	pub fn render(&self) -> String {
		let mut text = Vec::new();
		if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
			tracing::error!(target: "modicum::directory", %error, "metrics cannot be written");
		}
		String::from_utf8_lossy(&text).into_owned()
	}
}

impl Default for Metrics {
	fn default() -> Self {
		Self::new()
	}
}
