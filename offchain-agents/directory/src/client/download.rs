// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Downloads of blobs: to a file beside the wanted one, continued after breaks and restarts, checked,
//! synced, renamed.

use super::{
	error::{ClientError, Failure},
	hash_file,
	send::{next_chunk, read_bounded, Outgoing, Patience},
	Client, Hasher,
};
use crate::{digest::Digest, names::RepositoryName};
use bytes::Bytes;
use reqwest::{header, Method, Response, StatusCode};
use std::{
	fs::{self, File, OpenOptions, TryLockError},
	io::{self, SeekFrom},
	path::{Path, PathBuf},
};
use tokio::{
	io::{AsyncSeekExt, AsyncWriteExt},
	task::spawn_blocking,
};

/// A download on its way.
struct Download<'a> {
	client: &'a Client,
	url: reqwest::Url,
	what: String,
	scope: String,
	digest: Digest,
	size: u64,
	progress: &'a (dyn Fn(u64) + Send + Sync),
	path: PathBuf,
	file: tokio::fs::File,
	/// The hash of the first `offset` bytes.
	hasher: Hasher,
	offset: u64,
	/// Whether the bytes are from more than one answer.
	is_patched: bool,
	/// Whether that gave the wrong content once, and all was fetched anew.
	has_started_over: bool,
}

impl Client {
	/// Downloads a blob of exactly `size` bytes to the file `to`, which appears whole and checked or not at
	/// all; one that is there is replaced. Meanwhile the bytes are in a file beside it, `.partial` after
	/// its name: what a broken connection or an earlier process left there is continued. Memory does
	/// not grow with the size, and never more than `size` bytes are written.
	///
	/// `progress` is told how many bytes are here. It is called often and must return soon. A directory
	/// that sends slowly but steadily is not given up: whoever has a deadline drops the future then,
	/// which leaves the partial file for the next time.
	///
	/// # Errors
	/// [`ClientError::WrongContent`] if digest or length differ, and the partial file is removed;
	/// [`ClientError::Local`] also if another download to the same file is under way.
	pub async fn download_blob(
		&self,
		repository: &RepositoryName,
		digest: &Digest,
		size: u64,
		to: &Path,
		progress: impl Fn(u64) + Send + Sync,
	) -> Result<(), ClientError> {
		let mut download = Download::open(self, repository, digest, size, to, &progress).await?;
		let mut patience = Patience::new(&self.settings);
		progress(download.offset);
		loop {
			let before = download.offset;
			match download.attempt().await {
				Ok(true) => break,
				Ok(false) => {},
				Err(failure) => {
					if download.offset > before {
						patience.renew();
					}
					patience.after(&download.what, failure).await?;
				},
			}
		}
		download.keep(to).await
	}

	/// Downloads a blob of at most `max_bytes` into memory: configurations, reports.
	///
	/// # Errors
	/// [`ClientError::TooLarge`] for a larger one, [`ClientError::WrongContent`] if the digest differs.
	pub async fn blob(
		&self,
		repository: &RepositoryName,
		digest: &Digest,
		max_bytes: u64,
	) -> Result<Bytes, ClientError> {
		let what = self.what(&format!("blob {digest} of {repository}"));
		let (scope, url) = self.blob_request(repository, digest);
		let (what, scope, url) = (&what, &scope, &url);
		let bytes = self
			.retrying(what, || async move {
				let request = Outgoing::new(self, Method::GET, url.clone());
				let response = self.send(scope, what, &request, &|_| ()).await?;
				if response.status() != StatusCode::OK {
					return Err(self.unexpected(response, what).await);
				}
				read_bounded(response, max_bytes, self.settings.stall_timeout, what).await
			})
			.await?;
		let found = Digest::of(&bytes);
		if found != *digest {
			return Err(wrong(what, digest.to_string(), found.to_string()));
		}
		Ok(bytes)
	}
}

fn wrong(what: &str, expected: String, found: String) -> ClientError {
	ClientError::WrongContent { what: what.to_owned(), expected, found }
}

impl<'a> Download<'a> {
	async fn open(
		client: &'a Client,
		repository: &RepositoryName,
		digest: &Digest,
		size: u64,
		to: &Path,
		progress: &'a (dyn Fn(u64) + Send + Sync),
	) -> Result<Self, ClientError> {
		let mut name = to.file_name().unwrap_or_default().to_owned();
		name.push(format!(".{}.partial", &digest.to_hex()[..16]));
		let path = to.with_file_name(name);
		let local = |source| ClientError::Local { path: path.clone(), source };
		let opened = {
			let path = path.clone();
			spawn_blocking(move || open_partial(&path, size)).await.map_err(io::Error::other)
		};
		let file = opened.and_then(|opened| opened).map_err(local)?;
		let (hasher, offset) = hash_file(&path, size).await.map_err(local)?;
		let mut file = tokio::fs::File::from_std(file);
		file.seek(SeekFrom::Start(offset)).await.map_err(local)?;
		let (scope, url) = client.blob_request(repository, digest);
		Ok(Self {
			client,
			url,
			what: client.what(&format!("downloading blob {digest} of {repository}")),
			scope,
			digest: *digest,
			size,
			progress,
			path,
			file,
			hasher,
			offset,
			is_patched: offset > 0,
			has_started_over: false,
		})
	}

	fn local(&self) -> impl FnOnce(io::Error) -> ClientError + use<> {
		let path = self.path.clone();
		move |source| ClientError::Local { path, source }
	}

	async fn start_over(&mut self) -> Result<(), ClientError> {
		let local = self.local();
		let reset = async {
			self.file.set_len(0).await?;
			self.file.seek(SeekFrom::Start(0)).await.map(drop)
		};
		reset.await.map_err(local)?;
		(self.hasher, self.offset, self.is_patched) = (Hasher::new(), 0, false);
		Ok(())
	}

	/// Gets what is missing; true when all is there and right, false when it must come again from the start.
	async fn attempt(&mut self) -> Result<bool, Failure> {
		if self.offset < self.size || self.size == 0 {
			let outcome = self.fetch_rest().await;
			// What the runtime still holds back of the last writes must be in the file before it counts.
			self.file.flush().await.map_err(self.local())?;
			outcome?;
		}
		let found = self.hasher.clone().finish();
		if found == self.digest {
			return Ok(true);
		}
		if self.is_patched && !self.has_started_over {
			// The parts may not belong together.
			self.start_over().await?;
			self.has_started_over = true;
			return Ok(false);
		}
		Err(self.refute(self.digest.to_string(), found.to_string()).await)
	}

	/// What came is something else: nothing of it is kept.
	async fn refute(&mut self, expected: String, found: String) -> Failure {
		match self.start_over().await {
			Ok(()) => {
				let _ = fs::remove_file(&self.path);
				wrong(&self.what, expected, found).into()
			},
			Err(error) => error.into(),
		}
	}

	async fn fetch_rest(&mut self) -> Result<(), Failure> {
		let mut request = Outgoing::new(self.client, Method::GET, self.url.clone());
		if self.offset > 0 {
			request = request.header(header::RANGE, &format!("bytes={}-", self.offset));
			self.is_patched = true;
		}
		let mut response = self.client.send(&self.scope, &self.what, &request, &|_| ()).await?;
		let len = match response.status() {
			StatusCode::OK => {
				// It knows no ranges, or this is the first request.
				if self.offset > 0 {
					self.start_over().await?;
				}
				response.content_length()
			},
			StatusCode::PARTIAL_CONTENT => {
				let part = content_range(&response).filter(|(first, _)| *first == self.offset);
				let (_, len) =
					part.ok_or_else(|| Failure::again("not the range asked for came"))?;
				len
			},
			// Less is there than has come already.
			StatusCode::RANGE_NOT_SATISFIABLE => {
				let found = format!("at most {} bytes", self.offset);
				return Err(self.refute(format!("{} bytes", self.size), found).await);
			},
			_ => return Err(self.client.unexpected(response, &self.what).await),
		};
		if let Some(len) = len.filter(|len| *len != self.size) {
			return Err(self.refute(format!("{} bytes", self.size), format!("{len} bytes")).await);
		}
		while let Some(chunk) =
			next_chunk(&mut response, self.client.settings.stall_timeout).await?
		{
			if chunk.len() as u64 > self.size - self.offset {
				let (expected, found) = (self.size, "more".to_owned());
				return Err(self.refute(format!("{expected} bytes"), found).await);
			}
			self.file.write_all(&chunk).await.map_err(self.local())?;
			self.hasher.update(&chunk);
			self.offset += chunk.len() as u64;
			(self.progress)(self.offset);
		}
		if self.offset < self.size {
			return Err(Failure::again(format!("it ended after {} bytes", self.offset)));
		}
		Ok(())
	}

	/// Syncs the file and gives it its name.
	async fn keep(self, to: &Path) -> Result<(), ClientError> {
		let local = self.local();
		let (from, to) = (self.path, to.to_owned());
		let file = self.file.into_std().await;
		let kept = spawn_blocking(move || {
			file.sync_all()?;
			fs::rename(&from, &to)?;
			let folder = match to.parent() {
				Some(folder) if !folder.as_os_str().is_empty() => folder,
				_ => Path::new("."),
			};
			File::open(folder)?.sync_all()
		});
		kept.await.map_err(io::Error::other).and_then(|kept| kept).map_err(local)
	}
}

/// Opens the file of a download for itself alone; one that is too long is emptied.
fn open_partial(path: &Path, size: u64) -> io::Result<File> {
	let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
	file.try_lock().map_err(|error| match error {
		TryLockError::WouldBlock => {
			io::Error::new(io::ErrorKind::WouldBlock, "another download to this file is under way")
		},
		TryLockError::Error(error) => error,
	})?;
	if file.metadata()?.len() > size {
		file.set_len(0)?;
	}
	Ok(file)
}

/// Reads `Content-Range: bytes <first>-<last>/<length>`: the first byte, and the length if it is known.
fn content_range(response: &Response) -> Option<(u64, Option<u64>)> {
	let text = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
	let (range, len) = text.strip_prefix("bytes ")?.split_once('/')?;
	let (first, _) = crate::ranges::parse_content_range(range)?;
	Some((first, len.parse().ok()))
}
