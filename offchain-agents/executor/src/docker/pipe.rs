// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Between blocking code that reads and writes archives and the engine's asynchronous streams.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use tokio::sync::mpsc::{Receiver, Sender};

/// Pieces in flight: enough to keep both sides busy, little enough to bound memory.
pub(super) const PIECES: usize = 8;
const PIECE_BYTES: usize = 256 * 1024;

/// Writes into a channel. To be used where blocking is allowed, and flushed at the end.
pub(super) struct ChannelWriter {
	sender: Sender<io::Result<Bytes>>,
	buffer: Vec<u8>,
}

impl ChannelWriter {
	pub(super) fn new(sender: Sender<io::Result<Bytes>>) -> Self {
		Self { sender, buffer: Vec::new() }
	}
}

impl Write for ChannelWriter {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		self.buffer.extend_from_slice(bytes);
		if self.buffer.len() >= PIECE_BYTES {
			self.flush()?;
		}
		Ok(bytes.len())
	}

	fn flush(&mut self) -> io::Result<()> {
		if self.buffer.is_empty() {
			return Ok(());
		}
		let piece = Bytes::from(std::mem::take(&mut self.buffer));
		self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
	}
}

/// Reads from a channel. To be used where blocking is allowed.
pub(super) struct ChannelReader {
	receiver: Receiver<io::Result<Bytes>>,
	piece: Bytes,
}

impl ChannelReader {
	pub(super) fn new(receiver: Receiver<io::Result<Bytes>>) -> Self {
		Self { receiver, piece: Bytes::new() }
	}
}

impl Read for ChannelReader {
	fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
		while self.piece.is_empty() {
			match self.receiver.blocking_recv() {
				Some(piece) => self.piece = piece?,
				None => return Ok(0),
			}
		}
		let count = self.piece.len().min(buffer.len());
		self.piece.copy_to_slice(&mut buffer[..count]);
		Ok(count)
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn what_is_written_is_read() {
		let (sender, receiver) = tokio::sync::mpsc::channel(PIECES);
		let sent: Vec<u8> = (0..3 * PIECE_BYTES + 7).map(|index| index as u8).collect();
		let expected = sent.clone();
		let writing = std::thread::spawn(move || {
			let mut writer = ChannelWriter::new(sender);
			sent.chunks(1000).for_each(|chunk| writer.write_all(chunk).unwrap());
			writer.flush().unwrap();
		});
		let mut received = Vec::new();
		ChannelReader::new(receiver).read_to_end(&mut received).unwrap();
		writing.join().unwrap();
		assert_eq!(received, expected);
	}

	#[test]
	fn an_error_in_the_stream_reaches_the_reader() {
		let (sender, receiver) = tokio::sync::mpsc::channel(PIECES);
		sender.blocking_send(Ok(Bytes::from_static(b"ab"))).unwrap();
		sender.blocking_send(Err(io::ErrorKind::ConnectionReset.into())).unwrap();
		drop(sender);
		let mut received = Vec::new();
		let error = ChannelReader::new(receiver).read_to_end(&mut received).unwrap_err();
		assert_eq!((error.kind(), &received[..]), (io::ErrorKind::ConnectionReset, &b"ab"[..]));
	}

	#[test]
	fn a_writer_whose_reader_left_stops() {
		let (sender, receiver) = tokio::sync::mpsc::channel(PIECES);
		drop(receiver);
		let mut writer = ChannelWriter::new(sender);
		writer.write_all(b"x").unwrap();
		assert_eq!(writer.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
	}
}
