// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From an image of the local engine to a job.

use std::{
	collections::{BTreeMap, HashMap},
	fs::File,
	io::{self, BufReader, Read, Seek, SeekFrom},
	os::unix::ffi::OsStrExt,
	path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use modicum_executor::{
	descriptor::DESCRIPTOR_VERSION,
	digest::chain_id,
	docker::{BaseImage, LocalImage, OUTPUT_PATH},
	Digest, DockerExecutor, JobDescriptor,
};
use modicum_primitives::{Architecture, Meter, Resources};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType};

use crate::{
	error::{PackagingError, Result},
	job_file::{is_name, MAX_NAME_CHARS, NAME_RULE},
	merge::{Change, Content, Node, Output, Tree},
	pack::{check_descriptor, pack_input, write_layer, Package, Progress},
	paths::parts,
};

/// The longest `manifest.json` that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// Where programs are looked for if the image does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const OPAQUE: &[u8] = b".wh..wh..opq";
const WHITEOUT: &[u8] = b".wh.";
const WHITEOUT_META: &[u8] = b".wh..wh.";

/// What an image does not say about the job that it is to be.
#[derive(Clone, Debug)]
pub struct ImageOptions {
	/// The job's name; `None` for one made of the image's.
	pub name: Option<String>,
	/// What to run; `None` for the image's ENTRYPOINT and CMD.
	pub command: Option<Vec<String>>,
	/// Variables on top of the image's.
	pub environment: BTreeMap<String, String>,
	/// The folder or file that becomes the data layer.
	pub input: Option<PathBuf>,
	/// What the job may use at most.
	pub limits: Resources,
	/// How instructions are counted.
	pub meter: Meter,
}

impl ImageOptions {
	/// A job within `limits` that is as the image says.
	pub fn new(limits: Resources) -> Self {
		Self {
			name: None,
			command: None,
			environment: BTreeMap::new(),
			input: None,
			limits,
			meter: Meter::CpuTime,
		}
	}
}

/// Make a job of the image that `image` names on the local engine. Its lowest layers must be one of the installed bases;
/// the others become one execution layer, with times, owners and modes as in one that was packed from a folder, so that
/// the same files give the same job however often the image is built. Command, variables and working directory are the
/// image's; its USER, VOLUME, EXPOSE and HEALTHCHECK have no meaning for a job. The layers are written into the folder
/// `work`, which should be this job's own.
///
/// # Errors
/// [`PackagingError::Image`] with the reason, what providers would refuse, and those of the engine and the disk.
pub async fn pack_image(
	executor: &DockerExecutor,
	image: &str,
	options: &ImageOptions,
	work: &Path,
	progress: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Package> {
	let refuse = |why: &str| PackagingError::Image { image: image.into(), why: why.into() };
	let found = executor.find_image(image).await?.ok_or_else(|| {
		refuse("the local engine does not have it: build it ('docker build'), or load it ('docker load')")
	})?;
	let bases = executor.bases().await?;
	let (base, base_layers) = base_of(&found, &bases).ok_or_else(|| refuse(&no_base(&bases)))?;
	let architecture =
		found.architecture.ok_or_else(|| refuse("it is for no architecture of the market"))?;
	std::fs::create_dir_all(work).map_err(PackagingError::io("create", work))?;
	let folder = tempfile::Builder::new()
		.prefix("image-")
		.tempdir_in(work)
		.map_err(PackagingError::io("create a folder in", work))?;
	progress(Progress::Exporting(image));
	let archive = folder.path().join("image.tar");
	executor.export_image(&found, &archive).await?;

	let packing = Packing {
		name: image.into(),
		image: found,
		architecture,
		base,
		base_layers,
		folder,
		archive,
		options: options.clone(),
		work: work.into(),
	};
	let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
	let packed = tokio::task::spawn_blocking(move || {
		packing.pack(&mut |event| {
			// Only events without borrowed parts are sent from there; nobody listens any more if this was cancelled.
			if let Some(event) = event.to_static() {
				let _ = sender.send(event);
			}
		})
	});
	while let Some(event) = receiver.recv().await {
		progress(event);
	}
	packed.await.expect("packing an image does not panic; qed")
}

/// The base that the image stands on, the one with most layers if several fit, and how many layers it has.
fn base_of(image: &LocalImage, bases: &[BaseImage]) -> Option<(Digest, usize)> {
	(1..=image.layers.len()).rev().find_map(|count| {
		let below = chain_id(&image.layers[..count])?;
		bases.iter().any(|base| base.chain_id == below).then_some((below, count))
	})
}

fn no_base(bases: &[BaseImage]) -> String {
	let tags: Vec<&str> =
		bases.iter().filter_map(|base| base.tags.first()).map(String::as_str).collect();
	match &tags[..] {
		[] => "no base is installed to tell which of its layers providers have: make and install one (docker/bases)".into(),
		tags => format!(
			"its lowest layers are none of the installed bases: begin its Dockerfile with 'FROM {}'",
			tags.join("' or 'FROM ")
		),
	}
}

/// An exported image and what is to become of it.
struct Packing {
	name: String,
	image: LocalImage,
	architecture: Architecture,
	base: Digest,
	base_layers: usize,
	folder: tempfile::TempDir,
	archive: PathBuf,
	options: ImageOptions,
	work: PathBuf,
}

impl Packing {
	fn refuse(&self, why: impl Into<String>) -> PackagingError {
		PackagingError::Image { image: self.name.clone(), why: why.into() }
	}

	fn pack(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Package> {
		let sections = self.sections()?;
		// All layers, to find the program; and those above the base.
		let (mut whole, mut upper) = (Tree::default(), Tree::default());
		for (index, section) in sections.iter().enumerate() {
			let changes = self.changes(index, section)?;
			let no_file = |name: Vec<u8>| {
				let name = String::from_utf8_lossy(&name).into_owned();
				self.refuse(format!("'{name}' is a hard link to no file of its layer"))
			};
			whole.apply(&changes).map_err(no_file)?;
			if index >= self.base_layers {
				upper.apply(&changes).map_err(no_file)?;
			}
		}
		let name = self.job_name()?;
		let mut environment = self.environment();
		environment.extend(self.options.environment.clone());
		let working_directory =
			self.image.working_directory.clone().unwrap_or_else(|| OUTPUT_PATH.into());
		let command = self.command(&whole, &environment, &working_directory)?;

		let execution_path = self.work.join("execution.tar.gz");
		let execution_layer = write_layer("execution", &execution_path, progress, |writer| {
			for output in upper.outputs() {
				match output {
					Output::Folder(path) => writer.folder(as_path(path))?,
					Output::File { path, content, executable } => {
						let section = &sections[content.layer];
						let content = section.part(content)?;
						let size = content.limit();
						writer.file(as_path(path), executable, size, content, &section.file)?;
					},
					Output::Link(path, target) => {
						writer.hard_link(as_path(path), as_path(target))?
					},
					Output::Symlink(path, target) => writer.symlink(as_path(path), target)?,
					Output::Mark(path) => {
						writer.file(as_path(&path), false, 0, io::empty(), &self.archive)?
					},
				}
			}
			Ok(())
		})?;
		let data = match &self.options.input {
			Some(input) => Some(pack_input(input, &self.work, progress)?),
			None => None,
		};
		let (data_layer, data_path) = data.unzip();
		let descriptor = JobDescriptor {
			architecture: self.architecture,
			base: self.base,
			command,
			data_layer,
			environment,
			execution_layer,
			limits: self.options.limits,
			meter: self.options.meter,
			version: DESCRIPTOR_VERSION,
			working_directory,
		};
		check_descriptor(&descriptor)?;
		Ok(Package { name, descriptor, execution_layer: execution_path, data_layer: data_path })
	}

	/// Where the layers are in the archive, lowest first.
	fn sections(&self) -> Result<Vec<Section>> {
		let io_error = PackagingError::io("read", &self.archive);
		let (members, manifest) = read_members(&self.archive).map_err(io_error)?;
		#[derive(Deserialize)]
		#[serde(rename_all = "PascalCase")]
		struct Manifest {
			layers: Vec<String>,
		}
		let manifest: Vec<Manifest> = serde_json::from_slice(&manifest).map_err(|error| {
			self.refuse(format!("the engine's manifest.json is no such: {error}"))
		})?;
		let names = manifest.into_iter().next().map(|image| image.layers).unwrap_or_default();
		if names.len() != self.image.layers.len() {
			return Err(self.refuse(format!(
				"the engine says that it has {} layers and exports {}",
				self.image.layers.len(),
				names.len()
			)));
		}
		let layers = names.iter().zip(&self.image.layers).enumerate();
		layers
			.map(|(index, (name, diff_id))| {
				let member = find(&members, name.as_bytes()).ok_or_else(|| {
					self.refuse(format!("its layer {name} is not in what the engine exports"))
				})?;
				let section =
					Section { file: self.archive.clone(), start: member.0, size: member.1 };
				let section = self.unpacked(section, index)?;
				let digest = section.digest().map_err(PackagingError::io("read", &section.file))?;
				match digest == *diff_id {
					true => Ok(section),
					false => Err(self
						.refuse(format!("its layer {name} is not {diff_id}, as the engine says"))),
				}
			})
			.collect()
	}

	/// A section without compression, which some engines export.
	fn unpacked(&self, section: Section, index: usize) -> Result<Section> {
		let failed = PackagingError::io("unpack", &section.file);
		let unpack = || {
			let mut magic = Vec::new();
			section.open()?.take(2).read_to_end(&mut magic)?;
			if magic != GZIP_MAGIC {
				return Ok(None);
			}
			let path = self.folder.path().join(format!("{index}.tar"));
			let mut file = File::create(&path)?;
			let size =
				io::copy(&mut MultiGzDecoder::new(BufReader::new(section.open()?)), &mut file)?;
			Ok(Some(Section { file: path, start: 0, size }))
		};
		let unpacked: io::Result<Option<Section>> = unpack();
		Ok(unpacked.map_err(failed)?.unwrap_or(section))
	}

	/// The changes that the layer with number `index` makes.
	fn changes(&self, index: usize, section: &Section) -> Result<Vec<Change>> {
		let failed = |error| PackagingError::io("read", &section.file)(error);
		let mut archive = Archive::new(BufReader::new(section.open().map_err(failed)?));
		let mut changes = Vec::new();
		for entry in archive.entries().map_err(failed)? {
			let entry = entry.map_err(failed)?;
			let path = path_of(&entry.path_bytes()).map_err(|why| self.refuse(why))?;
			let Some(name) =
				path.rsplit(|byte| *byte == b'/').next().filter(|name| !name.is_empty())
			else {
				// The root.
				continue;
			};
			let folder = path[..path.len() - name.len()].strip_suffix(b"/").unwrap_or_default();
			if name == OPAQUE {
				changes.push(Change::Clear(folder.to_vec()));
				continue;
			}
			if name.starts_with(WHITEOUT_META) {
				continue;
			}
			if let Some(hidden) = name.strip_prefix(WHITEOUT) {
				let slash: &[u8] = if folder.is_empty() { b"" } else { b"/" };
				changes.push(Change::Remove([folder, slash, hidden].concat()));
				continue;
			}
			let target = || entry.link_name_bytes().unwrap_or_default().into_owned();
			let node = match entry.header().entry_type() {
				EntryType::Directory => Node::Folder { opaque: false },
				EntryType::Regular | EntryType::Continuous => Node::File {
					content: Content {
						layer: index,
						offset: entry.raw_file_position(),
						size: entry.size(),
					},
					executable: entry.header().mode().map_err(failed)? & 0o100 != 0,
				},
				EntryType::Symlink => Node::Symlink(target()),
				EntryType::Link => {
					let target = path_of(&target()).map_err(|why| self.refuse(why))?;
					changes.push(Change::Link(path, target));
					continue;
				},
				// A job has a /dev of its own.
				_ if path.starts_with(b"dev/") => continue,
				_ => {
					let shown = String::from_utf8_lossy(&path);
					return Err(self.refuse(format!(
						"'/{shown}' is a device or another special file, which no job may have: remove it in the Dockerfile"
					)));
				},
			};
			changes.push(Change::Put(path, node));
		}
		Ok(changes)
	}

	fn job_name(&self) -> Result<String> {
		let name = self.options.name.clone().unwrap_or_else(|| name_from(&self.name));
		match is_name(&name) {
			true => Ok(name),
			false => Err(self.refuse(format!("'{name}' is no name for a job: {NAME_RULE}"))),
		}
	}

	fn environment(&self) -> BTreeMap<String, String> {
		let variables = self.image.environment.iter().filter_map(|text| text.split_once('='));
		variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
	}

	/// The command, with its program by absolute path, as executors want it.
	fn command(
		&self,
		tree: &Tree,
		environment: &BTreeMap<String, String>,
		working_directory: &str,
	) -> Result<Vec<String>> {
		let mut command =
			self.options.command.clone().unwrap_or_else(|| self.image.command.clone());
		let Some(program) = command.first_mut() else {
			return Err(self.refuse("it has neither ENTRYPOINT nor CMD: name a command"));
		};
		let search = environment.get("PATH").map_or(DEFAULT_PATH, String::as_str);
		let candidates: Vec<String> = if program.starts_with('/') {
			vec![program.clone()]
		} else if program.contains('/') {
			let program = program.strip_prefix("./").unwrap_or(program);
			vec![format!("{}/{program}", working_directory.trim_end_matches('/'))]
		} else {
			let folders = search.split(':').filter(|folder| folder.starts_with('/'));
			folders.map(|folder| format!("{}/{program}", folder.trim_end_matches('/'))).collect()
		};
		match candidates.into_iter().find(|path| tree.has_file(path.as_bytes())) {
			Some(found) => {
				*program = found;
				Ok(command)
			},
			None => {
				Err(self
					.refuse(format!("there is no program '{program}' in it (PATH is {search})")))
			},
		}
	}
}

/// A job's name from an image's: its last part without the tag, and '-' for what no name may have.
fn name_from(image: &str) -> String {
	let last = image.rsplit('/').next().unwrap_or(image);
	let last = last.split(['@', ':']).next().unwrap_or(last);
	let name: String = last
		.chars()
		.map(|c| c.to_ascii_lowercase())
		.map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
		.take(MAX_NAME_CHARS)
		.collect();
	name.trim_matches('-').to_owned()
}

/// A path in a layer in its one spelling; empty for the root.
fn path_of(name: &[u8]) -> std::result::Result<Vec<u8>, String> {
	let parts: Vec<&[u8]> = parts(name).collect();
	match parts.iter().any(|part| *part == b".." || part.contains(&0)) {
		true => Err(format!("'{}' lies outside the root", String::from_utf8_lossy(name))),
		false => Ok(parts.join(&b'/')),
	}
}

fn as_path(path: &[u8]) -> &Path {
	Path::new(std::ffi::OsStr::from_bytes(path))
}

/// A part of a file: the archive of a layer, without compression.
struct Section {
	file: PathBuf,
	start: u64,
	size: u64,
}

impl Section {
	fn open(&self) -> io::Result<io::Take<File>> {
		let mut file = File::open(&self.file)?;
		file.seek(SeekFrom::Start(self.start))?;
		Ok(file.take(self.size))
	}

	fn part(&self, content: Content) -> Result<io::Take<File>> {
		let open = || {
			let mut file = File::open(&self.file)?;
			file.seek(SeekFrom::Start(self.start + content.offset))?;
			Ok(file.take(content.size))
		};
		open().map_err(PackagingError::io("read", &self.file))
	}

	fn digest(&self) -> io::Result<Digest> {
		let mut hasher = Sha256::new();
		io::copy(&mut self.open()?, &mut hasher)?;
		Ok(Digest(hasher.finalize().into()))
	}
}

/// A member of an exported archive.
enum Member {
	/// Where it begins and its length, in bytes.
	File(u64, u64),
	/// A symbolic link, which older engines export for layers that an image has twice.
	Link(Vec<u8>),
}

type Members = HashMap<Vec<u8>, Member>;

/// The members of an exported archive, and the content of its `manifest.json`.
fn read_members(path: &Path) -> io::Result<(Members, Vec<u8>)> {
	let mut archive = Archive::new(File::open(path)?);
	let mut members = Members::new();
	let mut manifest = Vec::new();
	for entry in archive.entries_with_seek()? {
		let mut entry = entry?;
		let name = entry.path_bytes().into_owned();
		let member = match entry.header().entry_type() {
			EntryType::Regular => Member::File(entry.raw_file_position(), entry.size()),
			EntryType::Symlink => {
				Member::Link(entry.link_name_bytes().unwrap_or_default().into_owned())
			},
			_ => continue,
		};
		if name == b"manifest.json" {
			(&mut entry).take(MAX_MANIFEST_BYTES).read_to_end(&mut manifest)?;
		}
		members.insert(name, member);
	}
	Ok((members, manifest))
}

/// The file that a member is, if need be through one link.
fn find(members: &Members, name: &[u8]) -> Option<(u64, u64)> {
	match members.get(name)? {
		Member::File(start, size) => Some((*start, *size)),
		Member::Link(target) => {
			let folder = name.rsplitn(2, |byte| *byte == b'/').nth(1).unwrap_or_default();
			let mut path: Vec<&[u8]> = parts(folder).collect();
			for part in parts(target) {
				match part {
					b".." => drop(path.pop()),
					part => path.push(part),
				}
			}
			match members.get(&path.join(&b'/'))? {
				Member::File(start, size) => Some((*start, *size)),
				Member::Link(_) => None,
			}
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_job_is_named_after_its_image() {
		for (image, name) in [
			("povray", "povray"),
			("localhost:5000/me/Ray_Tracer:1.2", "ray-tracer"),
			("x@sha256:0123", "x"),
			("a/_b_", "b"),
		] {
			assert_eq!(name_from(image), name);
		}
	}

	#[test]
	fn layers_are_found_through_links() {
		let members = Members::from([
			(b"a/layer.tar".to_vec(), Member::File(512, 7)),
			(b"b/layer.tar".to_vec(), Member::Link(b"../a/layer.tar".to_vec())),
			(b"c".to_vec(), Member::Link(b"c".to_vec())),
		]);
		assert_eq!(find(&members, b"a/layer.tar"), Some((512, 7)));
		assert_eq!(find(&members, b"b/layer.tar"), Some((512, 7)));
		assert_eq!(find(&members, b"c"), None);
		assert_eq!(find(&members, b"d"), None);
	}
}
