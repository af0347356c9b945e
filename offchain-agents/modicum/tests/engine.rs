// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Jobs that are really run, by the container engine: those of folders, of images and of sweeps, and one that gives
//! something else every time. Run through `scripts/test-docker.sh`, or
//! `scripts/with-docker.sh cargo test -p modicum --test engine -- --ignored`

#![allow(clippy::unwrap_used)]

mod common;

use common::{
	account, closed_match,
	health::health,
	table::{self, mediated, Money, LIMITS},
	Cell, Market, Options,
};
use modicum_chain_client::Event;
use modicum_executor::Digest;
use modicum_node_testing::free_port;
use modicum_primitives::{Ending, Verdict};
use serde_json::{json, Value};
use std::{
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::Command,
};
use tokio::{
	net::{UnixListener, UnixStream},
	task::{JoinHandle, JoinSet},
};

/// A program that takes its word from the environment.
const SAY: &str = "#!/bin/sh\necho \"$WORD $(cat /input/* 2>/dev/null)\" > /out/said\n";
const NOISE: &str = "#!/bin/sh\nhead -c 16 /dev/urandom > /out/noise\n";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
async fn jobs_are_tried_out_run_verified_and_disputed() {
	let market = Market::new(Options { engine: true, ..Options::default() }).await;
	let m = &market;
	let archive = m.home("base.tar");
	let base = made_base(&archive);
	let cell = Cell { name: "engine", base, directory: "//Directory".into() };
	let install = format!("provider base-layer install {}", archive.display());
	let (_directory, installed) =
		tokio::join!(m.directory("//Directory"), m.does("//Provider//engine", &install));
	assert!(installed.to_string().contains(&cell.base), "{installed}");
	m.register(std::slice::from_ref(&cell)).await;
	let _solver = m.start("//Solver", "solver run");
	let (_provider, _mediator) = (m.provider(&cell, None), m.mediator(&cell, None));

	let folder = job_folder(m, &cell, "say", SAY);
	limits_are_proposed_and_enough(m, &cell, &folder).await;
	a_sweep_gives_as_many_outputs(m, &cell, &folder).await;
	an_image_is_run(m, &cell, &archive).await;
	noise_is_found_out(m, &cell).await;
}

/// The way from a provider to the engine, which can be cut.
struct Cable {
	socket: PathBuf,
	carrying: Option<JoinHandle<()>>,
}

impl Cable {
	fn join(&mut self) {
		let engine = std::env::var("DOCKER_HOST").unwrap_or("unix:///var/run/docker.sock".into());
		let engine = engine.trim_start_matches("unix://").to_owned();
		let listener = UnixListener::bind(&self.socket).unwrap();
		self.carrying = Some(tokio::spawn(async move {
			let mut pipes = JoinSet::new();
			loop {
				let (mut near, _) = listener.accept().await.unwrap();
				let engine = engine.clone();
				pipes.spawn(async move {
					let mut far = UnixStream::connect(engine).await.unwrap();
					let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
				});
			}
		}));
	}

	async fn cut(&mut self) {
		let carrying = self.carrying.take().unwrap();
		carrying.abort();
		assert!(carrying.await.unwrap_err().is_cancelled());
		fs::remove_file(&self.socket).unwrap();
	}
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine: scripts/test-docker.sh"]
async fn without_an_engine_nothing_is_offered_and_nothing_is_lost() {
	let market = Market::new(Options { engine: true, ..Options::default() }).await;
	let m = &market;
	let archive = m.home("base.tar");
	let cell = Cell { name: "cut", base: made_base(&archive), directory: "//Directory".into() };
	let install = format!("provider base-layer install {}", archive.display());
	let provider = cell.provider();
	let (_directory, _) = tokio::join!(m.directory("//Directory"), m.does(&provider, &install));
	m.register(std::slice::from_ref(&cell)).await;
	let _solver = m.start("//Solver", "solver run");
	let mut cable = Cable { socket: m.home("cable.sock"), carrying: None };
	cable.join();
	let port = free_port().unwrap();
	let line = format!(
		"--set executor.socket={} --set agent.metrics_listen=127.0.0.1:{port} provider run",
		cable.socket.display()
	);
	let _provider = m.start(&provider, &line);
	let me = account(&provider);
	let posted = |after: Option<u64>| {
		m.event("an offer", move |event| match event {
			Event::ResourceOfferPosted { resource_offer, provider, .. }
				if *provider == me && after.is_none_or(|after| *resource_offer > after) =>
			{
				Some(*resource_offer)
			},
			_ => None,
		})
	};
	let first = posted(None).await;
	cable.cut().await;
	m.event("the offer's end", |event| {
		matches!(event, Event::ResourceOfferCanceled { resource_offer, .. } if *resource_offer == first)
			.then_some(())
	})
	.await;
	let (status, body) = health(port).unwrap();
	assert!(status == 503 && body.contains("engine"), "{status}: {body}");
	cable.join();
	posted(Some(first)).await;

	// Away while a job is loaded or runs.
	let folder = job_folder(m, &cell, "slow", "#!/bin/sh\nsleep 5\necho late > /out/said\n");
	let (shown, creator) = (folder.display(), cell.creator());
	let line = format!(
		"job submit {shown} --directory //Directory --yes --verify never --detach --out {shown}/result"
	);
	m.does(&creator, &line).await;
	m.logged(std::slice::from_ref(&provider), "job begins").await;
	cable.cut().await;
	m.logged(std::slice::from_ref(&provider), "tried again in").await;
	cable.join();
	let answer = m.does(&creator, "job wait 1").await;
	assert_eq!(m.closing(closed_match(&answer)).await.0, Ending::Accepted);
	assert_eq!(said(&folder.join("result")), "late\n");
}

/// Makes the base image; its ChainID.
fn made_base(archive: &Path) -> String {
	let script = Path::new("../../docker/bases/busybox.sh");
	let output = Command::new(script).arg(archive).output().unwrap();
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	String::from_utf8(output.stdout).unwrap().trim().into()
}

/// A job of one program with the limits of [`table::LIMITS`].
fn job_folder(market: &Market, cell: &Cell, name: &str, program: &str) -> PathBuf {
	let folder = market.home(&format!("jobs-{name}"));
	let file = folder.join("root/opt/run");
	fs::create_dir_all(file.parent().unwrap()).unwrap();
	fs::write(&file, program).unwrap();
	fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
	let text = format!(
		"name = \"{name}\"\nbase = \"{}\"\nexecution = \"root\"\ncommand = [\"/opt/run\"]\n\n[limits]\n\
		 instructions = {}\nram = \"64 MiB\"\nstorage = \"1 MiB\"\nbandwidth = {}\n\n[environment]\nWORD = \"one\"\n",
		cell.base, LIMITS.instructions, LIMITS.bandwidth
	);
	fs::write(folder.join("job.toml"), text).unwrap();
	folder
}

/// What a job says in its output.
fn said(folder: &Path) -> String {
	fs::read_to_string(folder.join("said")).unwrap()
}

async fn limits_are_proposed_and_enough(market: &Market, cell: &Cell, folder: &Path) {
	let creator = cell.creator();
	let shown = folder.display();
	let linted = market.does(&creator, &format!("job lint {shown}")).await;
	assert_eq!(linted["deterministic"], true, "{linted}");
	market.does(&creator, &format!("job profile {shown} --write")).await;
	let written = fs::read_to_string(folder.join("job.toml")).unwrap();
	let written: toml::Table = written.parse().unwrap();
	let limits = written["limits"].as_table().unwrap();
	assert_ne!(limits["ram"].as_str(), Some("64 MiB"), "{written}");
	assert_eq!(written["environment"]["WORD"].as_str(), Some("one"));
	let line = format!(
		"job submit {shown} --directory //Directory --yes --verify always --out {shown}/result"
	);
	let answer = market.does(&creator, &line).await;
	assert_eq!(market.closing(closed_match(&answer)).await.0, Ending::Accepted);
	assert_eq!(said(&folder.join("result")), "one \n");
}

async fn a_sweep_gives_as_many_outputs(market: &Market, cell: &Cell, folder: &Path) {
	fs::write(folder.join("data"), "of data").unwrap();
	let lines = [
		json!({ "name": "first", "environment": { "WORD": "two" } }),
		json!({ "name": "second", "input": "data" }),
	];
	fs::write(folder.join("sweep"), lines.map(|line| line.to_string()).join("\n")).unwrap();
	let shown = folder.display();
	let line = format!(
		"job submit {shown} --sweep {shown}/sweep --directory //Directory --yes --out {shown}/results"
	);
	let answer = market.does(&cell.creator(), &line).await;
	assert_eq!((&answer["succeeded"], &answer["failed"]), (&json!(2), &json!(0)), "{answer}");
	let outputs = |name: &str| {
		let jobs = answer["jobs"].as_array().unwrap();
		let number = &jobs.iter().find(|job| job["name"] == name).unwrap()["job"];
		said(&folder.join(format!("results/{name}-{number}")))
	};
	assert_eq!((outputs("first"), outputs("second")), ("two \n".into(), "one of data\n".into()));
}

/// An image on the base, as `docker build` makes one, is in the engine; its job names a word of its own.
async fn an_image_is_run(market: &Market, cell: &Cell, archive: &Path) {
	let tag = "localhost/modicum-test/market:1";
	image_archive(archive, tag, cell.base.parse().unwrap());
	let line = format!("provider base-layer install {}", archive.display());
	market.does("//Creator//engine", &line).await;
	let out = market.home("image-result");
	let line = format!(
		"job submit --image {tag} --instructions {} --ram 64MiB --storage 1MiB --bandwidth 1MiB \
		 --directory //Directory --yes --verify always --out {}",
		LIMITS.instructions,
		out.display()
	);
	let answer = market.does(&cell.creator(), &line).await;
	assert_eq!(answer["name"], "market", "{answer}");
	assert_eq!(said(&out), "image \n");
}

/// An image archive as `docker save` writes it: the base and a layer with [`SAY`].
fn image_archive(path: &Path, tag: &str, base: Digest) {
	let append = |archive: &mut tar::Builder<Vec<u8>>, name: &str, mode, content: &[u8]| {
		let mut header = tar::Header::new_gnu();
		header.set_mode(mode);
		header.set_size(content.len() as u64);
		archive.append_data(&mut header, name, content).unwrap();
	};
	let mut layer = tar::Builder::new(Vec::new());
	append(&mut layer, "opt/say", 0o755, SAY.as_bytes());
	let layer = layer.into_inner().unwrap();
	let diff_ids = [base, Digest::of(&layer)];
	let config = json!({
		"architecture": "amd64", "os": "linux",
		"config": { "Cmd": ["/opt/say"], "Env": ["WORD=image"] },
		"rootfs": { "type": "layers", "diff_ids": diff_ids },
	});
	let names = diff_ids.map(|id| format!("{}.tar", id.to_hex()));
	let manifest = json!([{ "Config": "config.json", "RepoTags": [tag], "Layers": names }]);
	let mut archive = tar::Builder::new(Vec::new());
	append(&mut archive, "config.json", 0o644, config.to_string().as_bytes());
	append(&mut archive, "manifest.json", 0o644, manifest.to_string().as_bytes());
	append(&mut archive, &names[1], 0o644, &layer);
	fs::write(path, archive.into_inner().unwrap()).unwrap();
}

/// A job that gives something else every time: lint says so; a verifying creator sees it and pays; one that rejects
/// all the same pays for everything.
async fn noise_is_found_out(market: &Market, cell: &Cell) {
	let creator = cell.creator();
	let folder = job_folder(market, cell, "noise", NOISE);
	let (code, linted) = market.run(&creator, &format!("job lint {}", folder.display())).await;
	assert_eq!((code, &linted["deterministic"]), (12, &Value::from(false)), "{linted}");
	let submission =
		format!("job submit {} --directory //Directory --yes --verify always", folder.display());
	let answer = market.does(&creator, &submission).await;
	assert_eq!(market.closing(closed_match(&answer)).await.0, Ending::Accepted);

	let before = Money::of(market, cell).await;
	let answer = market.does(&creator, &format!("{submission} --detach")).await;
	let job = answer["job"].as_u64().unwrap();
	let _cheat = market.creator(cell, Some("rejects-good-results"));
	let status = format!("job status {job}");
	let id = loop {
		let answer = market.does(&creator, &status).await;
		if let Some(id) = answer["details"]["matched"]["match_id"].as_u64() {
			break id;
		}
	};
	let ending = mediated(Verdict::NonDeterministicJob);
	let settled = table::check(market, cell, before, id, ending).await;
	assert!(settled.from_creator.to_fines > 0, "d is lost");
	let snapshot = market.snapshot().await;
	let record = snapshot.party_record(account(&creator)).await.unwrap();
	assert_eq!(record.faulted, 1);
}
