// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! What agents say of themselves.

use std::{
	io::{Read, Write},
	net::TcpStream,
	time::Duration,
};

/// What an agent answers to GET /health: the status and the body. `None` if it does not.
pub fn health(port: u16) -> Option<(u16, String)> {
	let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
	stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
	let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	stream.write_all(request.as_bytes()).ok()?;
	let mut answer = String::new();
	stream.read_to_string(&mut answer).ok()?;
	let status = answer.split_whitespace().nth(1)?.parse().ok()?;
	Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}
