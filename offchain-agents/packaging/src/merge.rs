// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! Several layers of an image become one, by the rules of the OCI image specification for whiteouts.

use std::collections::{BTreeMap, HashMap};

/// How many symbolic links are followed on the way to one file, as in the kernel.
const MAX_LINKS: usize = 40;

/// A change that a layer makes. Paths are without `/` at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
	/// Put something at a path.
	Put(Vec<u8>, Node),
	/// Give a file another name: name and file.
	Link(Vec<u8>, Vec<u8>),
	/// Remove what lower layers have at a path.
	Remove(Vec<u8>),
	/// Remove everything that lower layers have in a folder.
	Clear(Vec<u8>),
}

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
	/// A folder.
	Folder {
		/// Whether what lies below in other layers is hidden.
		opaque: bool,
	},
	/// A file.
	File {
		/// Where its content is.
		content: Content,
		/// Whether its owner may execute it.
		executable: bool,
	},
	/// A symbolic link.
	Symlink(Vec<u8>),
	/// Nothing, whatever lies below.
	Whiteout,
}

/// Where the content of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Content {
	/// Number of the layer.
	pub layer: usize,
	/// Where it begins in the layer's file, in bytes.
	pub offset: u64,
	/// Its length in bytes.
	pub size: u64,
}

/// Layers laid over one another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
	nodes: BTreeMap<Vec<u8>, Node>,
}

/// What is to be written for a tree, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output<'a> {
	Folder(&'a [u8]),
	File {
		path: &'a [u8],
		content: Content,
		executable: bool,
	},
	/// Another name of a file that was before: name and file.
	Link(&'a [u8], &'a [u8]),
	Symlink(&'a [u8], &'a [u8]),
	/// A whiteout: an empty file of this name.
	Mark(Vec<u8>),
}

impl Tree {
	/// Lay a layer on top.
	///
	/// # Errors
	/// The name of a hard link without a file.
	pub(crate) fn apply(&mut self, changes: &[Change]) -> Result<(), Vec<u8>> {
		// A layer's whiteouts hide what is in lower layers, wherever they stand in it.
		for change in changes {
			match change {
				Change::Remove(path) => {
					self.put(path, Node::Whiteout);
				},
				Change::Clear(path) => {
					self.remove_below(path);
					// The root itself is not replaced by anything.
					if !path.is_empty() {
						self.put(path, Node::Folder { opaque: true });
					}
				},
				Change::Put(..) | Change::Link(..) => {},
			}
		}
		for change in changes {
			match change {
				Change::Put(path, node) => self.put(path, node.clone()),
				Change::Link(path, target) => match self.nodes.get(target) {
					Some(file @ Node::File { .. }) => self.put(path, file.clone()),
					_ => return Err(path.clone()),
				},
				Change::Remove(_) | Change::Clear(_) => {},
			}
		}
		Ok(())
	}

	fn put(&mut self, path: &[u8], node: Node) {
		for end in (0..path.len()).filter(|at| path[*at] == b'/') {
			if let Some(above) = self.nodes.get_mut(&path[..end]) {
				if !matches!(above, Node::Folder { .. }) {
					*above = Node::Folder { opaque: true };
				}
			}
		}
		let node = match (node, self.nodes.get(path)) {
			(Node::Folder { opaque }, Some(Node::Folder { opaque: before })) => {
				Node::Folder { opaque: opaque || *before }
			},
			// What it replaces hid what lies below.
			(Node::Folder { .. }, Some(_)) => Node::Folder { opaque: true },
			(folder @ Node::Folder { .. }, None) => folder,
			(other, _) => {
				self.remove_below(path);
				other
			},
		};
		self.nodes.insert(path.to_vec(), node);
	}

	fn remove_below(&mut self, path: &[u8]) {
		if path.is_empty() {
			return self.nodes.clear();
		}
		let mut first = path.to_vec();
		first.push(b'/');
		let below: Vec<Vec<u8>> = self
			.nodes
			.range(first.clone()..)
			.take_while(|(name, _)| name.starts_with(&first))
			.map(|(name, _)| name.clone())
			.collect();
		for name in below {
			self.nodes.remove(&name);
		}
	}

	/// What to write, so that the layer does what all of its parts did. Files that share their content become hard
	/// links.
	pub(crate) fn outputs(&self) -> Vec<Output<'_>> {
		let mut outputs = Vec::new();
		let mut written: HashMap<(Content, bool), &[u8]> = HashMap::new();
		for (path, node) in &self.nodes {
			match node {
				Node::Folder { opaque } => {
					outputs.push(Output::Folder(path));
					if *opaque {
						outputs.push(Output::Mark([&path[..], b"/.wh..wh..opq"].concat()));
					}
				},
				Node::File { content, executable } => {
					let key = (*content, *executable);
					match written.get(&key) {
						Some(first) if content.size > 0 => outputs.push(Output::Link(path, first)),
						_ => {
							written.insert(key, path);
							outputs.push(Output::File {
								path,
								content: *content,
								executable: *executable,
							});
						},
					}
				},
				Node::Symlink(target) => outputs.push(Output::Symlink(path, target)),
				Node::Whiteout => {
					let name = path.iter().rposition(|byte| *byte == b'/').map_or(0, |end| end + 1);
					let (folder, name) = path.split_at(name);
					outputs.push(Output::Mark([folder, b".wh.", name].concat()));
				},
			}
		}
		outputs
	}

	/// Whether there is a file at `path`, after all symbolic links on the way.
	pub(crate) fn has_file(&self, path: &[u8]) -> bool {
		let parts = |path: &[u8]| -> Vec<Vec<u8>> {
			let parts = path.split(|byte| *byte == b'/');
			parts.filter(|part| !matches!(*part, b"" | b".")).map(<[u8]>::to_vec).rev().collect()
		};
		// What is still to be walked, last part first.
		let mut ahead = parts(path);
		let mut here: Vec<Vec<u8>> = Vec::new();
		let mut links = 0;
		while let Some(part) = ahead.pop() {
			if part == b".." {
				here.pop();
				continue;
			}
			here.push(part);
			match self.nodes.get(&here.join(&b'/')) {
				Some(Node::Symlink(target)) => {
					links += 1;
					if links > MAX_LINKS {
						return false;
					}
					here.pop();
					if target.starts_with(b"/") {
						here.clear();
					}
					ahead.extend(parts(target));
				},
				Some(Node::File { .. }) => return ahead.is_empty(),
				Some(Node::Whiteout) => return false,
				// A folder may be missing in a layer that has something in it.
				Some(Node::Folder { .. }) | None => {},
			}
		}
		false
	}
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
