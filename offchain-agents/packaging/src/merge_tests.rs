// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn file(id: u64) -> Node {
	Node::File { content: Content { layer: 0, offset: id, size: 1 }, executable: false }
}

fn folder() -> Node {
	Node::Folder { opaque: false }
}

fn put(path: &str, node: Node) -> Change {
	Change::Put(path.into(), node)
}

fn merged(layers: &[Vec<Change>]) -> Tree {
	let mut tree = Tree::default();
	for layer in layers {
		tree.apply(layer).unwrap();
	}
	tree
}

fn written(layers: &[Vec<Change>]) -> Vec<String> {
	let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
	let tree = merged(layers);
	let outputs = tree.outputs().into_iter().map(|output| match output {
		Output::Folder(path) => format!("{}/", text(path)),
		Output::File { path, content, .. } => format!("{}={}", text(path), content.offset),
		Output::Link(path, target) => format!("{}=>{}", text(path), text(target)),
		Output::Symlink(path, target) => format!("{}->{}", text(path), text(target)),
		Output::Mark(path) => text(&path),
	});
	outputs.collect()
}

#[test]
fn upper_layers_replace_and_remove() {
	let remove = |path: &str| Change::Remove(path.into());
	let clear = |path: &str| Change::Clear(path.into());
	for (layers, expected) in [
		// A file of a lower layer is replaced; one of the base is hidden.
		(vec![vec![put("a", file(1))], vec![put("a", file(2))]], vec!["a=2"]),
		(
			vec![vec![put("d", folder()), put("d/a", file(1))], vec![remove("d/a")]],
			vec!["d/", "d/.wh.a"],
		),
		(vec![vec![remove("a")]], vec![".wh.a"]),
		// A folder that was removed and came back hides what the base has in it.
		(
			vec![vec![remove("d")], vec![put("d", folder()), put("d/a", file(1))]],
			vec!["d/", "d/.wh..wh..opq", "d/a=1"],
		),
		(vec![vec![remove("d")], vec![put("d/a", file(1))]], vec!["d/", "d/.wh..wh..opq", "d/a=1"]),
		// In one layer, the whiteout is of what lies below, in whatever order they stand.
		(
			vec![vec![put("d", folder()), put("d/a", file(1)), clear("d")]],
			vec!["d/", "d/.wh..wh..opq", "d/a=1"],
		),
		(
			vec![
				vec![put("d", folder()), put("d/a", file(1))],
				vec![put("d/b", file(2)), clear("d")],
			],
			vec!["d/", "d/.wh..wh..opq", "d/b=2"],
		),
		(vec![vec![put("a", file(1))], vec![put("a", file(2)), remove("a")]], vec!["a=2"]),
		// A file takes a folder's place, and the other way round.
		(vec![vec![put("d", folder()), put("d/a", file(1))], vec![put("d", file(2))]], vec!["d=2"]),
		(
			vec![vec![put("d", file(1))], vec![put("d", folder()), put("d/a", file(2))]],
			vec!["d/", "d/.wh..wh..opq", "d/a=2"],
		),
		// Names that only begin alike are not touched.
		(
			vec![
				vec![put("d/a", file(1)), put("d.b", file(2)), put("d0", file(3))],
				vec![remove("d")],
			],
			vec![".wh.d", "d.b=2", "d0=3"],
		),
		(
			vec![
				vec![put("a", Node::Symlink(b"b".to_vec()))],
				vec![remove("a")],
				vec![put("a", file(1))],
			],
			vec!["a=1"],
		),
	] {
		assert_eq!(written(&layers), expected, "{layers:?}");
	}
}

#[test]
fn hard_links_keep_their_content() {
	let link = |path: &str, target: &str| Change::Link(path.into(), target.into());
	let first = vec![put("b", file(7)), link("a", "b"), link("c", "b")];
	assert_eq!(written(std::slice::from_ref(&first)), ["a=7", "b=>a", "c=>a"]);
	let replaced = [first, vec![put("a", file(8)), Change::Remove(b"b".to_vec())]];
	assert_eq!(written(&replaced), ["a=8", ".wh.b", "c=7"]);
	let dangling = [put("d", folder()), link("a", "d")];
	assert_eq!(Tree::default().apply(&dangling), Err(b"a".to_vec()));
}

#[test]
fn files_are_found_through_links() {
	let link = |target: &str| Node::Symlink(target.into());
	let tree = merged(&[vec![
		put("bin", link("usr/bin")),
		put("usr/bin/busybox", file(1)),
		put("usr/bin/sh", link("busybox")),
		put("usr/bin/up", link("../bin/./sh")),
		put("usr/bin/root", link("/bin/sh")),
		put("loop", link("loop")),
		put("above", link("../../../bin/sh")),
		Change::Remove(b"gone".to_vec()),
	]]);
	for there in ["/bin/sh", "usr/bin/busybox", "/bin/up", "/bin/root", "/above"] {
		assert!(tree.has_file(there.as_bytes()), "{there}");
	}
	for missing in ["/bin", "/bin/ls", "/loop", "/gone", "/", "", "/bin/sh/x"] {
		assert!(!tree.has_file(missing.as_bytes()), "{missing}");
	}
}

/// What a person sees of layers laid over one another: the obvious model, one file system after the other.
type Seen = BTreeMap<Vec<u8>, Option<u64>>;

fn see(mut lower: Seen, layer: &[Change]) -> Seen {
	let is_below = |name: &[u8], path: &[u8]| {
		path.is_empty() || name.strip_prefix(path).is_some_and(|rest| rest.starts_with(b"/"))
	};
	for change in layer {
		match change {
			Change::Remove(path) => lower.retain(|name, _| name != path && !is_below(name, path)),
			Change::Clear(path) => lower.retain(|name, _| !is_below(name, path)),
			_ => {},
		}
	}
	for change in layer {
		let Change::Put(path, node) = change else { continue };
		for end in (0..path.len()).filter(|at| path[*at] == b'/') {
			lower.insert(path[..end].to_vec(), None);
		}
		match node {
			Node::File { content, .. } => {
				lower.retain(|name, _| !is_below(name, path));
				lower.insert(path.clone(), Some(content.offset));
			},
			_ => {
				lower.insert(path.clone(), None);
			},
		}
	}
	lower
}

/// The merged layer as the engine reads it.
fn as_layer(tree: &Tree) -> Vec<Change> {
	let mut contents: BTreeMap<&[u8], u64> = BTreeMap::new();
	let mut changes = Vec::new();
	for output in tree.outputs() {
		changes.push(match output {
			Output::Folder(path) => Change::Put(path.to_vec(), folder()),
			Output::File { path, content, .. } => {
				contents.insert(path, content.offset);
				Change::Put(path.to_vec(), file(content.offset))
			},
			Output::Link(path, target) => Change::Put(path.to_vec(), file(contents[target])),
			Output::Symlink(..) => unreachable!("no strategy makes links; qed"),
			Output::Mark(path) => match path.strip_suffix(b"/.wh..wh..opq") {
				Some(path) => Change::Clear(path.to_vec()),
				None => {
					let at = path.windows(4).rposition(|window| window == b".wh.").unwrap();
					Change::Remove([&path[..at], &path[at + 4..]].concat())
				},
			},
		});
	}
	changes
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
	let path = proptest::collection::vec(prop_oneof!["a", "b", "a.b"], 1..4)
		.prop_map(|parts| parts.join("/").into_bytes());
	let change = (path, 0..5u8, 0..1000u64).prop_map(|(path, kind, id)| match kind {
		0 => Change::Remove(path),
		1 => Change::Clear(path),
		2 => Change::Put(path, folder()),
		_ => Change::Put(path, file(id)),
	});
	proptest::collection::vec(change, 0..6).prop_map(consistent)
}

/// As layers are: a path once, files in no other file, folders listed, and a folder that is cleared is there.
fn consistent(changes: Vec<Change>) -> Vec<Change> {
	let mut nodes: BTreeMap<Vec<u8>, Node> = BTreeMap::new();
	let mut marks = Vec::new();
	for change in changes {
		let path = match &change {
			Change::Put(path, _) | Change::Remove(path) | Change::Clear(path) => path.clone(),
			Change::Link(..) => continue,
		};
		let above: Vec<&[u8]> =
			(0..path.len()).filter(|at| path[*at] == b'/').map(|end| &path[..end]).collect();
		let hits_file =
			above.iter().any(|path| matches!(nodes.get(*path), Some(Node::File { .. })));
		let has_below = nodes
			.keys()
			.any(|name| name.strip_prefix(&path[..]).is_some_and(|rest| rest.starts_with(b"/")));
		let is_file = matches!(change, Change::Put(_, Node::File { .. }));
		if hits_file || nodes.contains_key(&path) || is_file && has_below {
			continue;
		}
		for above in above {
			nodes.insert(above.to_vec(), folder());
		}
		match change {
			Change::Put(path, node) => drop(nodes.insert(path, node)),
			Change::Clear(path) => {
				nodes.insert(path.clone(), folder());
				marks.push(Change::Clear(path));
			},
			remove => marks.push(remove),
		}
	}
	marks.into_iter().chain(nodes.into_iter().map(|(path, node)| Change::Put(path, node))).collect()
}

proptest! {
	#[test]
	fn one_merged_layer_shows_what_all_layers_show(
		base in changes(),
		layers in proptest::collection::vec(changes(), 0..5),
	) {
		let base = see(Seen::new(), &base);
		let one_by_one = layers.iter().fold(base.clone(), |lower, layer| see(lower, layer));
		let at_once = see(base, &as_layer(&merged(&layers)));
		prop_assert_eq!(at_once, one_by_one);
	}
}
