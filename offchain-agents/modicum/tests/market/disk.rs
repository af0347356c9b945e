// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Disks that are really full: small file systems in memory, which only root can mount.

use crate::common::{
	account, closed_match,
	table::{self, Money},
	Cell, Market, Options, PATIENCE,
};
use modicum_chain_client::Event;
use modicum_primitives::Ending;
use std::{
	fs,
	io::Write,
	os::unix::fs::MetadataExt,
	path::{Path, PathBuf},
	process::Command,
	time::{Duration, Instant},
};

/// What the system says.
const FULL: &str = "No space left on device";

/// A small disk as the home folder of an account; unmounted with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
	/// For an account whose commands have not been run.
	fn new(home: &Path) -> Self {
		fs::create_dir_all(home).unwrap();
		let mount = ["-t", "tmpfs", "-o", "size=24m", "tmpfs"];
		let status = Command::new("mount").args(mount).arg(home).status().unwrap();
		assert!(status.success(), "mounting a file system failed");
		Self(home.into())
	}

	fn ballast(&self) -> PathBuf {
		self.0.join("ballast")
	}

	/// Leaves no byte. Databases give some back when they are closed, which the next call takes.
	fn fill(&self) {
		let mut options = fs::File::options();
		let mut ballast = options.create(true).append(true).open(self.ballast()).unwrap();
		while ballast.write_all(&[1; 4096]).is_ok() {}
	}

	fn make_room(&self) {
		fs::remove_file(self.ballast()).unwrap();
	}
}

impl Drop for SmallDisk {
	fn drop(&mut self) {
		let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disks_are_named_and_cost_nothing() {
	if fs::metadata("/proc/self").unwrap().uid() != 0 {
		println!("SKIPPED: mounting a file system needs root");
		return;
	}
	let market = Market::new(Options::default()).await;
	let m = &market;
	let small = SmallDisk::new(&m.home("//Directory//small"));
	fs::write(small.0.join("directory.toml"), "[limits]\nmin_free_bytes = 1000000\n").unwrap();
	let (_directory, _small_directory) = tokio::join!(
		m.directory("//Directory"),
		m.directory_with("//Directory//small", "--settings directory.toml"),
	);
	let _solver = m.start("//Solver", "solver run");
	let [creator, provider] = m.cells("//Directory", ["full-creator", "full-provider"]).await;
	let [stored] = m.cells("//Directory//small", ["full-directory"]).await;
	futures::join!(
		a_creators_disk_is_full(m, creator),
		a_providers_disk_is_full(m, provider),
		a_directorys_disk_is_full(m, stored, &small),
	);
}

/// Nothing is posted that could not be written down.
async fn a_creators_disk_is_full(market: &Market, cell: Cell) {
	let disk = SmallDisk::new(&market.home(&cell.creator()));
	// Its folder exists.
	market.does(&cell.creator(), "job list").await;
	disk.fill();
	let before = Money::of(market, &cell).await;
	let (code, refused) = market.submit(&cell, "--detach").await;
	assert_eq!(code, 11, "{refused}");
	assert!(refused.to_string().contains(FULL), "{refused}");
	disk.make_room();
	let _provider = market.provider(&cell, None);
	let (code, answer) = market.submit(&cell, "").await;
	assert_eq!(code, 0, "{answer}");
	table::check(market, &cell, before, closed_match(&answer), Ending::Accepted).await;
	let posted = market.events();
	let creator = account(&cell.creator());
	let posted = posted.iter().filter(
		|event| matches!(event, Event::JobOfferPosted { creator: by, .. } if *by == creator),
	);
	assert_eq!(posted.count(), 1, "of the first try nothing came onto the chain");
}

/// The agent stays, says what is wrong, and does the job when there is room again.
async fn a_providers_disk_is_full(market: &Market, cell: Cell) {
	let before = Money::of(market, &cell).await;
	let disk = SmallDisk::new(&market.home(&cell.provider()));
	let mut provider = market.provider(&cell, None);
	let me = account(&cell.provider());
	market
		.event("the offer", |event| {
			matches!(event, Event::ResourceOfferPosted { provider, .. } if *provider == me)
				.then_some(())
		})
		.await;
	disk.fill();
	let submitted = market.does(&cell.creator(), &market.submission(&cell, "--detach")).await;
	market.matched(&cell).await;
	let started = Instant::now();
	while !market.log(&cell.provider()).contains(FULL) {
		disk.fill();
		assert!(started.elapsed() < PATIENCE, "nothing is said");
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	market.logged(&[cell.provider()], "tried again").await;
	assert!(provider.is_running(), "{}", market.log(&cell.provider()));
	disk.make_room();
	let wait = format!("job wait {}", submitted["job"]);
	let answer = market.does(&cell.creator(), &wait).await;
	let id = closed_match(&answer);
	table::check(market, &cell, before, id, Ending::Accepted).await;
	// What it could not write down it has by now, or writes with the next block.
	let started = Instant::now();
	loop {
		let earnings = market.does(&cell.provider(), "provider earnings").await;
		if earnings["accepted"] == 1 {
			return;
		}
		assert!(started.elapsed() < PATIENCE, "{earnings}");
		tokio::time::sleep(Duration::from_secs(1)).await;
	}
}

/// The creator is told whose disk it is; the job is not lost.
async fn a_directorys_disk_is_full(market: &Market, cell: Cell, disk: &SmallDisk) {
	disk.fill();
	let before = Money::of(market, &cell).await;
	let (code, refused) = market.submit(&cell, "--detach").await;
	assert_eq!(code, 9, "{refused}");
	assert!(refused.to_string().contains("another trusted directory"), "{refused}");
	disk.make_room();
	let _provider = market.provider(&cell, None);
	let answer = market.does(&cell.creator(), "job wait 1").await;
	table::check(market, &cell, before, closed_match(&answer), Ending::Accepted).await;
}
