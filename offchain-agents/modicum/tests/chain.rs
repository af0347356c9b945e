// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The binary as a user meets it, with a real development node.

#![allow(clippy::unwrap_used)]

use modicum_node_testing::Network;
use serde_json::Value;
use std::{path::PathBuf, process::Command};

/// A user with a development account, a home folder of its own, and a node.
struct User {
	home: tempfile::TempDir,
	secret: &'static str,
	endpoint: String,
}

impl User {
	fn new(network: &Network, secret: &'static str) -> Self {
		let home = tempfile::tempdir().unwrap();
		Self { home, secret, endpoint: network.node("alice").rpc_url() }
	}

	/// Runs a command; returns its exit code and its answer, or its failure.
	async fn run(&self, arguments: &'static str) -> (i32, Value) {
		let mut command = Command::new(env!("CARGO_BIN_EXE_modicum"));
		command
			.env_clear()
			.env("HOME", self.home.path())
			.env("MODICUM_SECRET_KEY", self.secret)
			.args(["--output", "json", "--endpoint", &self.endpoint])
			.args(arguments.split_whitespace());
		let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
		let code = output.status.code().unwrap();
		let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
		let text = String::from_utf8(text).unwrap();
		// Logs may come before a failure.
		let json = text.lines().last().filter(|_| code != 0).unwrap_or(&text).to_string();
		let answer = serde_json::from_str(&json);
		(code, answer.unwrap_or_else(|error| panic!("{arguments}: {error}: {text}")))
	}

	/// Runs a command that must succeed.
	async fn does(&self, arguments: &'static str) -> Value {
		let (code, answer) = self.run(arguments).await;
		assert_eq!(code, 0, "{arguments}: {answer}");
		answer
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_taken_trusted_and_left() {
	let network = Network::development().await.unwrap();
	let status = User::new(&network, "//Creator").does("chain status").await;
	assert_eq!(status["compatibility"], "same");
	let creator = User::new(&network, "//Creator");
	let provider = User::new(&network, "//Provider");

	let registered = creator.does("creator register").await;
	assert!(registered["fee"].as_str().unwrap().parse::<u128>().unwrap() > 0);
	let (code, refused) = creator.run("creator register").await;
	assert_eq!((code, &refused["error"]["name"]), (7, &Value::from("refused")));
	assert!(refused["error"]["message"].as_str().unwrap().contains("AlreadyRegistered"));
	creator.does("creator trust add mediator //Mediator").await;
	let trusted = creator.does("creator trust list").await;
	assert_eq!(trusted["mediators"].as_array().unwrap().len(), 1);
	assert_eq!(trusted["directories"], Value::Null, "a job names its directory");
	creator.does("creator trust remove mediator //Mediator").await;
	let left = creator.does("creator status").await;
	assert_eq!(left["trusted_mediators"], Value::Array(vec![]));

	assert_eq!(provider.run("provider status").await.0, 8);
	provider.does("provider register --time-per-billion-instructions 400").await;
	let status = provider.does("provider status").await;
	assert_eq!(status["time_per_billion_instructions"], 400);
	let listed = creator.does("provider list").await;
	assert_eq!(listed["registered"][0]["account"], status["account"], "{listed}");
	assert_eq!(listed["registered"][0]["record"]["completed"], 0);
	assert_eq!(creator.does("creator list").await["registered"].as_array().unwrap().len(), 1);
	assert_eq!(creator.does("mediator list").await["registered"], Value::Array(vec![]));
	assert_eq!(creator.does("directory list").await["registered"], Value::Array(vec![]));
	assert_eq!(creator.does("solver status").await["feasible"], 0);
	provider.does("provider deregister").await;
	assert_eq!(provider.run("provider status").await.0, 8);
	// Nobody has lost anything but fees.
	assert_eq!(provider.does("account balance").await["held"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_sent_and_what_cannot_be_paid_is_refused() {
	let network = Network::development().await.unwrap();
	let (rich, poor) = (User::new(&network, "//Creator"), User::new(&network, "//Poor"));
	let (code, refused) = poor.run("account transfer //Creator 1").await;
	assert_eq!(code, 7, "{refused}");
	rich.does("account transfer //Poor 2.5").await;
	assert_eq!(poor.does("account balance").await["free"], "2500000000000");
	let (code, refused) = poor.run("account transfer //Creator 3").await;
	assert_eq!(code, 7, "{refused}");
	let message = refused["error"]["message"].as_str().unwrap();
	assert!(message.contains("not 3 MOD") && message.contains("2.5 MOD are free"), "{message}");
	let (code, refused) = rich.run("account transfer //Poor 1 --set transactions.max_fee=0").await;
	assert_eq!(code, 7, "{refused}");
	let (code, wrong) = rich.run("chain status --set chain.genesis_hash=00").await;
	assert_eq!((code, &wrong["error"]["name"]), (3, &Value::from("config")));
	let elsewhere = "chain status --set chain.genesis_hash=\
		0101010101010101010101010101010101010101010101010101010101010101";
	let (code, wrong) = rich.run(elsewhere).await;
	assert_eq!((code, &wrong["error"]["name"]), (6, &Value::from("chain-mismatch")));
	assert_eq!(rich.does("offer list").await["job_offers"], Value::Array(vec![]));
	assert_eq!(rich.run("match show 0").await.0, 8);
	assert_eq!(rich.does("chain parameters").await["penalty_rate"], 50);
	let check = rich.does("economics check").await;
	assert!(check.to_string().contains("the chain's present parameters"), "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_council_decides_what_only_root_may_do() {
	/// Takes three tokens from Ferdie, for an account that is all ones.
	macro_rules! pay {
		($($more:literal)?) => {
			concat!(
				"chain call balances.force_transfer source=5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL ",
				"dest=0x0101010101010101010101010101010101010101010101010101010101010101 value=3000000000000",
				$($more)?
			)
		};
	}
	let network = Network::development().await.unwrap();
	let user = |secret| User::new(&network, secret);
	let (alice, bob, dave) = (user("//Alice"), user("//Bob"), user("//Dave"));
	for (wrong, why) in [
		("chain call nothing", "PALLET.CALL"),
		("chain call nothing.such", "it has System, Timestamp"),
		("chain call session.such", "it has set_keys, purge_keys"),
		("chain call session.set_keys keys=0x00", "takes keys, proof, not keys"),
		("chain call session.set_keys keys=0x00 proof=0x", "keys: these bytes are no such value"),
		("chain call validator_set.add_validator who=true", "do not fit"),
		("chain call system.remark remark=0x0g", "remark: not hexadecimal"),
		("chain call system.remark remark=1,2", "`,2` is too much"),
	] {
		let (code, refused) = alice.run(wrong).await;
		let message = refused["error"]["message"].as_str().unwrap();
		assert!(code == 2 && message.contains(why), "{wrong}: {message}");
	}
	assert_eq!(bob.run("council vote 0 yes").await.0, 8, "there is no motion");

	assert_eq!(alice.run(pay!()).await.0, 7, "only root may");
	assert_eq!(dave.run(pay!(" --as root")).await.0, 7, "no member of the council");
	alice.does(pay!(" --as root")).await;
	let status = bob.does("council status").await;
	let call = status["motions"][0]["call"].as_str().unwrap();
	assert!(call.contains("force_transfer") && call.contains("0x01010101"), "{call}");
	assert_eq!(status["motions"][0]["threshold"], 2);
	assert_eq!(dave.run("council close 0").await.0, 7, "nobody has voted");
	alice.does("council vote 0 yes").await;
	bob.does("council vote 0 yes").await;
	dave.does("council close 0").await;
	assert_eq!(bob.does("council status").await["motions"], Value::Array(vec![]));
	let poor = "account balance 5C62Ck4UrFPiBtoCmeSrgF7x9yv9mn38446dhCpsi2mLHiFT";
	assert_eq!(alice.does(poor).await["free"], "3000000000000");
	// What fails in another's name has failed.
	let (code, refused) = alice.run(pay!("000000000000000 --as superuser")).await;
	let message = refused["error"]["message"].as_str().unwrap();
	assert!(code == 7 && message.contains("Sudo.sudo was refused"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_serves_by_the_rules_of_the_chain() {
	let network = Network::development().await.unwrap();
	let directory = User::new(&network, "//Directory");
	directory
		.does("directory register --url https://directory.example --availability-fee 0.05")
		.await;
	assert_eq!(directory.does("directory show").await["endpoint"], "https://directory.example");
	let data: PathBuf = directory.home.path().join("data");
	let port = modicum_node_testing::free_port().unwrap();
	let admin = modicum_node_testing::free_port().unwrap();
	let mut service = Command::new(env!("CARGO_BIN_EXE_modicum"))
		.env_clear()
		.env("HOME", directory.home.path())
		.env("MODICUM_SECRET_KEY", directory.secret)
		.args(["--endpoint", &directory.endpoint, "directory", "run", "--data"])
		.arg(&data)
		.args(["--listen", &format!("127.0.0.1:{port}")])
		.args(["--admin-listen", &format!("127.0.0.1:{admin}")])
		.spawn()
		.unwrap();
	let status = Box::leak(format!("directory status --admin 127.0.0.1:{admin}").into_boxed_str());
	let node = network.node("alice");
	let answer = node
		.wait_until("the directory", || async {
			let (code, answer) = directory.run(status).await;
			Ok((code == 0).then_some(answer))
		})
		.await;
	service.kill().unwrap();
	service.wait().unwrap();
	assert_eq!(answer.unwrap()["stored_blobs"], 0);
}
