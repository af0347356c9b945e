// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! The directory as a whole: what the routes and the background tasks share, and how it is opened and
//! run.

use crate::{
	access::{AccessPolicy, Grant},
	account::AccountId,
	clock::now_ms,
	config::Config,
	digest::Digest,
	http,
	index::{Index, IndexError, Quota},
	login::{LoginDesk, Realm},
	metrics::Metrics,
	store::{BlobStore, LocalStore, ObjectBlobStore, StoreError},
	token::TokenMint,
	uploads::Uploads,
};
use governor::{DefaultKeyedRateLimiter, Quota as Rate, RateLimiter};
use schnorrkel::Keypair;
use std::{
	fs, io,
	io::Write,
	net::{IpAddr, SocketAddr, TcpListener},
	num::NonZeroU32,
	os::unix::fs::OpenOptionsExt,
	path::Path,
	sync::{
		atomic::{AtomicU64, AtomicUsize},
		Arc,
	},
	time::Duration,
};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Why a directory does not start, or ends.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
	/// The settings.
	#[error("configuration: {0}")]
	Config(#[from] crate::config::ConfigError),
	/// A file, a folder or an address.
	#[error("{what}: {source}")]
	Io {
		/// What failed.
		what: String,
		/// Why.
		source: io::Error,
	},
	/// The index.
	#[error("index: {0}; is another directory running on the same folder?")]
	Index(#[from] IndexError),
	/// The store.
	#[error("store: {0}")]
	Store(#[from] StoreError),
	/// The folder is another account's.
	#[error(
		"{folder} is the directory of {owner}, and the key in use is that of {account}: receipts and the record of \
		 uptime would not fit any more. Use its key, or an empty folder"
	)]
	OtherAccount {
		/// The folder of everything stored.
		folder: String,
		/// Whose it is.
		owner: String,
		/// Whose key was given.
		account: AccountId,
	},
}

fn io_error(what: impl std::fmt::Display) -> impl FnOnce(io::Error) -> RunError {
	let what = what.to_string();
	move |source| RunError::Io { what, source }
}

/// Locks for blobs by the first byte of their digests. Who stores a blob holds it shared from the
/// moment its bytes are in the store until its row is committed; who removes one holds it alone.
pub struct BlobLocks(Vec<RwLock<()>>);

impl BlobLocks {
	fn new() -> Self {
		Self((0..=0xff_u8).map(|_| RwLock::new(())).collect())
	}

	/// For storing the blob.
	pub async fn storing(&self, digest: &Digest) -> RwLockReadGuard<'_, ()> {
		self.0[usize::from(digest.0[0])].read().await
	}

	/// For removing the blob.
	pub async fn removing(&self, digest: &Digest) -> RwLockWriteGuard<'_, ()> {
		self.0[usize::from(digest.0[0])].write().await
	}
}

/// What routes and background tasks share.
pub struct Directory {
	/// The settings.
	pub config: Config,
	/// The URL under which clients reach it, without a path.
	pub url: String,
	/// Whose key signs receipts and heartbeats.
	pub keypair: Keypair,
	/// The rules.
	pub policy: Arc<dyn AccessPolicy>,
	/// What is stored where.
	pub index: Index,
	/// The bytes.
	pub store: Arc<dyn BlobStore>,
	/// Locks between storing and removing.
	pub locks: BlobLocks,
	/// Uploads on their way.
	pub uploads: Arc<Uploads>,
	/// Challenges and logins.
	pub desk: LoginDesk,
	/// Tokens.
	pub mint: TokenMint,
	/// Figures.
	pub metrics: Metrics,
	/// Requests per network address.
	pub limiter: Option<DefaultKeyedRateLimiter<IpAddr>>,
	/// Requests being answered now.
	pub in_flight: AtomicUsize,
	/// When the store was last listed for strays, milliseconds since the Unix epoch.
	pub swept_at: AtomicU64,
	/// Since when the process is up, milliseconds since the Unix epoch.
	pub up_since: u64,
}

/// Whose signature, on which chain.
#[derive(Clone)]
pub struct Identity {
	/// The directory's account.
	pub keypair: Keypair,
	/// The genesis hash of its chain.
	pub genesis: [u8; 32],
}

impl Directory {
	/// Opens the folder of a directory that will be reached at `address`.
	///
	/// # Errors
	/// [`RunError`].
	pub fn open(
		config: Config,
		address: SocketAddr,
		identity: Identity,
		policy: Arc<dyn AccessPolicy>,
	) -> Result<Arc<Self>, RunError> {
		config.validate()?;
		let data = &config.data;
		fs::create_dir_all(data).map_err(io_error(data.display()))?;
		check_owner(data, crate::sign::account_of(&identity.keypair))?;
		let index = Index::open(&data.join("index.redb"), config.limits.index_cache_bytes)?;
		let store: Arc<dyn BlobStore> = match &config.s3 {
			Some(s3) => Arc::new(ObjectBlobStore::s3(s3)?),
			None => Arc::new(LocalStore::open(data).map_err(io_error(data.display()))?),
		};
		let limits = &config.limits;
		let uploads = Uploads::open(
			&data.join("uploads"),
			limits.min_free_bytes,
			limits.uploads,
			limits.account_uploads,
		)
		.map_err(io_error("uploads"))?;
		let key = read_or_make_key(&data.join("token-key")).map_err(io_error("token-key"))?;
		let realm =
			Realm { directory: config.id_at(address), genesis: hex::encode(identity.genesis) };
		let up_since = now_ms();
		let limiter = NonZeroU32::new(limits.requests_per_second).map(|rate| {
			RateLimiter::keyed(Rate::per_second(rate).allow_burst(rate.saturating_mul(BURST)))
		});
		Ok(Arc::new(Self {
			url: config.url_at(address),
			keypair: identity.keypair,
			policy,
			index,
			store,
			locks: BlobLocks::new(),
			uploads: Arc::new(uploads),
			desk: LoginDesk::new(realm, key, up_since, config.times.login_secs * 1_000),
			mint: TokenMint::new(key),
			metrics: Metrics::new(),
			limiter,
			in_flight: AtomicUsize::new(0),
			swept_at: AtomicU64::new(0),
			up_since,
			config,
		}))
	}

	/// The directory's own account.
	pub fn account(&self) -> AccountId {
		crate::sign::account_of(&self.keypair)
	}

	/// The bounds for what is stored under this grant.
	pub fn quota(&self, grant: &Grant) -> Quota {
		let limits = &self.config.limits;
		Quota {
			owner: grant.owner,
			account_bytes: limits.account_bytes,
			account_objects: limits.account_objects,
			repository_bytes: grant.max_repository_bytes,
			total_bytes: limits.total_bytes,
		}
	}

	/// Removes a blob's bytes if no row knows them: after a refusal between store and index.
	///
	/// # Errors
	/// The bytes may still be there; the next collection removes them.
	pub async fn discard_unknown(&self, digest: &Digest) -> Result<bool, StoreError> {
		let _alone = self.locks.removing(digest).await;
		match self.index.read(|reader| reader.blob_size(digest)) {
			Ok(None) => self.store.remove(digest).await.map(|()| true),
			_ => Ok(false),
		}
	}

	/// Serves on these listeners until `shutdown`, then lets transfers end within the time that the
	/// settings give.
	///
	/// # Errors
	/// A listener or the TLS files cannot be used, or a server failed.
	pub async fn serve(
		self: Arc<Self>,
		public: TcpListener,
		admin: TcpListener,
		shutdown: CancellationToken,
	) -> Result<(), RunError> {
		let tasks = TaskTracker::new();
		let stop = shutdown.child_token();
		for task in crate::upkeep::tasks(&self, &stop) {
			tasks.spawn(task);
		}
		tasks.close();
		let served = http::serve(self.clone(), public, admin, shutdown).await;
		stop.cancel();
		tasks.wait().await;
		served.map_err(io_error("server"))
	}
}

/// Bursts may have as many times the requests of a second.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// Writes down whose folder it is, and refuses anybody else.
fn check_owner(folder: &Path, account: AccountId) -> Result<(), RunError> {
	let path = folder.join("account");
	match fs::read_to_string(&path) {
		Ok(owner) if owner.trim() == account.to_string() => Ok(()),
		Ok(owner) => Err(RunError::OtherAccount {
			folder: folder.display().to_string(),
			owner: owner.trim().into(),
			account,
		}),
		Err(error) if error.kind() == io::ErrorKind::NotFound => {
			let written = fs::File::create(&path).and_then(|mut file| {
				writeln!(file, "{account}")?;
				file.sync_all()
			});
			written.map_err(io_error(path.display()))
		},
		Err(error) => Err(io_error(path.display())(error)),
	}
}

fn read_or_make_key(path: &Path) -> io::Result<[u8; 32]> {
	match fs::read(path) {
		Ok(bytes) => bytes.try_into().map_err(|_| {
			io::Error::new(
				io::ErrorKind::InvalidData,
				"must hold 32 bytes; remove it for a new one",
			)
		}),
		Err(e) if e.kind() == io::ErrorKind::NotFound => {
			let key: [u8; 32] = rand::random();
			let mut file =
				fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
			file.write_all(&key)?;
			file.sync_all()?;
			Ok(key)
		},
		Err(e) => Err(e),
	}
}

/// How long a client may send or take nothing.
pub fn idle_time(config: &Config) -> Duration {
	Duration::from_secs(config.times.idle_secs)
}
