// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Finding what a crash left, and removing it: by label, so that nobody else's things are touched.

use std::{
	collections::{BTreeMap, BTreeSet, HashMap},
	time::{Duration, SystemTime},
};

use bollard::{
	models::ContainerSummaryStateEnum,
	query_parameters::{
		ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptionsBuilder,
		RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder,
	},
};

use super::{
	engine::{absent_is_fine, is_passing, patiently, Inner},
	Labels, INSTANCE_LABEL, RUN_LABEL,
};
use crate::{
	error::{ExecutorError, Result},
	executor::{RecoveredRun, RunPhase},
	run::RunId,
};

impl Inner {
	fn label_filter(&self) -> HashMap<&'static str, Vec<String>> {
		[("label", vec![format!("{INSTANCE_LABEL}={}", self.config.instance)])].into()
	}

	/// The runs that have a container of their own, not just one that keeps their output, and its state.
	async fn containers(&self) -> Result<BTreeMap<RunId, Option<ContainerSummaryStateEnum>>> {
		let options =
			ListContainersOptionsBuilder::default().all(true).filters(&self.label_filter()).build();
		let list = || self.docker.list_containers(Some(options.clone()));
		let containers = patiently(is_passing, list).await;
		let containers = containers.map_err(ExecutorError::engine("list containers"))?;
		let mut found = BTreeMap::new();
		for container in containers {
			let Some(run) = container.labels.as_ref().and_then(run_of) else { continue };
			let own = format!("/{}", self.object_name(&run));
			if container.names.unwrap_or_default().contains(&own) {
				found.insert(run, container.state);
			} else {
				found.entry(run).or_insert(None);
			}
		}
		Ok(found)
	}

	/// Every run of which anything exists, in the folder, on the engine or in the kernel.
	async fn all_runs(&self) -> Result<BTreeSet<RunId>> {
		let mut runs: BTreeSet<RunId> = self.state.runs()?.into_iter().collect();
		runs.extend(self.containers().await?.into_keys());
		let options = ListVolumesOptionsBuilder::default().filters(&self.label_filter()).build();
		let volumes = self.docker.list_volumes(Some(options)).await;
		let volumes = volumes.map_err(ExecutorError::engine("list volumes"))?.volumes;
		runs.extend(volumes.iter().flatten().filter_map(|volume| run_of(&volume.labels)));
		let options = ListImagesOptionsBuilder::default().filters(&self.label_filter()).build();
		let images = self.docker.list_images(Some(options)).await;
		let images = images.map_err(ExecutorError::engine("list images"))?;
		runs.extend(images.iter().filter_map(|image| run_of(&image.labels)));
		runs.extend(self.cgroups.runs());
		// Those are removed along with their run, or before the next use.
		runs.retain(|run| !run.is_reserved());
		Ok(runs)
	}

	pub(super) async fn recover(&self) -> Result<Vec<RecoveredRun>> {
		let containers = self.containers().await?;
		let mut recovered = Vec::new();
		for run in self.state.runs()? {
			let Some(record) = self.state.record(&run)? else { continue };
			let phase = if self.state.report(&run)?.is_some() {
				RunPhase::Reported
			} else if !record.prepared {
				RunPhase::Preparing
			} else {
				match containers.get(&run).copied().flatten() {
					Some(ContainerSummaryStateEnum::CREATED) | None => RunPhase::Prepared,
					Some(ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD) => {
						RunPhase::Exited
					},
					Some(_) => RunPhase::Running,
				}
			};
			recovered.push(RecoveredRun { run, phase });
		}
		recovered.sort_by(|one, other| one.run.cmp(&other.run));
		Ok(recovered)
	}

	pub(super) async fn clean_up(&self, run: &RunId) -> Result<()> {
		let force = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
		let removed = self.docker.remove_container(&self.object_name(run), Some(force)).await;
		absent_is_fine(removed).map_err(ExecutorError::engine("remove a container"))?;
		self.remove_output(run).await?;
		let force = RemoveImageOptionsBuilder::default().force(true).build();
		let removed = self.docker.remove_image(&self.image_name(run), Some(force), None).await;
		absent_is_fine(removed).map_err(ExecutorError::engine("remove an image"))?;
		for run in [run, &run.holder()] {
			if let Err(error) = self.cgroups.remove(run).await {
				// Only root may; it holds no processes and goes with the next restart.
				tracing::warn!(%run, %error, "a cgroup stays");
			}
		}
		// Last: as long as the folder is there, a crash in here is made good by the next reconciliation.
		self.state.remove(run)
	}

	pub(super) async fn reconcile(
		&self,
		keep: &BTreeSet<RunId>,
		grace: Duration,
	) -> Result<Vec<RunId>> {
		let now = SystemTime::now();
		let mut removed = Vec::new();
		for run in self.all_runs().await?.into_iter().filter(|run| !keep.contains(run)) {
			// What has no folder was not made by a preparation that is going on: that begins with it.
			let age =
				self.state.changed_at(&run).map(|at| now.duration_since(at).unwrap_or_default());
			if age.is_none_or(|age| age >= grace) {
				self.clean_up(&run).await?;
				removed.push(run);
			}
		}
		Ok(removed)
	}
}

fn run_of(labels: &Labels) -> Option<RunId> {
	labels.get(RUN_LABEL)?.parse().ok()
}
