// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! A connection on which a client that takes nothing for too long is given up. (A client that sends
//! nothing is noticed where a body or a header is read.)

use axum_server::accept::Accept;
use std::{
	future::{ready, Future, Ready},
	io,
	pin::Pin,
	task::{Context, Poll},
	time::Duration,
};
use tokio::{
	io::{AsyncRead, AsyncWrite, ReadBuf},
	net::TcpStream,
	time::{sleep, Sleep},
};

/// Wraps accepted connections.
#[derive(Clone)]
pub(super) struct IdleAcceptor {
	idle: Duration,
}

impl IdleAcceptor {
	/// Connections end when nothing can be written for `idle`.
	pub(super) fn new(idle: Duration) -> Self {
		Self { idle }
	}
}

impl<S> Accept<TcpStream, S> for IdleAcceptor {
	type Stream = IdleStream<TcpStream>;
	type Service = S;
	type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

	fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
		let stream = stream.set_nodelay(true).map(|()| IdleStream {
			inner: stream,
			idle: self.idle,
			waiting: None,
		});
		ready(stream.map(|stream| (stream, service)))
	}
}

/// A connection with a deadline for every wait to write.
pub(super) struct IdleStream<I> {
	inner: I,
	idle: Duration,
	waiting: Option<Pin<Box<Sleep>>>,
}

impl<I> IdleStream<I> {
	/// Starts the deadline when a write has to wait, drops it when one got through.
	fn judge<T>(
		&mut self,
		cx: &mut Context<'_>,
		outcome: Poll<io::Result<T>>,
	) -> Poll<io::Result<T>> {
		if outcome.is_ready() {
			self.waiting = None;
			return outcome;
		}
		let idle = self.idle;
		let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(idle)));
		match waiting.as_mut().poll(cx) {
			Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
			Poll::Pending => Poll::Pending,
		}
	}
}

impl<I: AsyncRead + Unpin> AsyncRead for IdleStream<I> {
	fn poll_read(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		buffer: &mut ReadBuf<'_>,
	) -> Poll<io::Result<()>> {
		Pin::new(&mut self.inner).poll_read(cx, buffer)
	}
}

impl<I: AsyncWrite + Unpin> AsyncWrite for IdleStream<I> {
	fn poll_write(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		bytes: &[u8],
	) -> Poll<io::Result<usize>> {
		let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
		self.judge(cx, outcome)
	}

	fn poll_write_vectored(
		mut self: Pin<&mut Self>,
		cx: &mut Context<'_>,
		slices: &[io::IoSlice<'_>],
	) -> Poll<io::Result<usize>> {
		let outcome = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
		self.judge(cx, outcome)
	}

	fn is_write_vectored(&self) -> bool {
		self.inner.is_write_vectored()
	}

	fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		let outcome = Pin::new(&mut self.inner).poll_flush(cx);
		self.judge(cx, outcome)
	}

	fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
		Pin::new(&mut self.inner).poll_shutdown(cx)
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]
	use super::*;
	use tokio::io::AsyncWriteExt;

	#[tokio::test]
	async fn a_reader_that_takes_nothing_is_given_up() {
		let (here, _there) = tokio::io::duplex(16);
		let mut stream = IdleStream { inner: here, idle: Duration::from_millis(20), waiting: None };
		stream.write_all(&[0; 16]).await.unwrap();
		let error = stream.write_all(&[0; 1]).await.unwrap_err();
		assert_eq!(error.kind(), io::ErrorKind::TimedOut);
	}
}
