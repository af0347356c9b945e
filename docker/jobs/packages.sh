# shellcheck shell=bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# What the build scripts of the example jobs share: programs of Debian packages, with the shared libraries that they
# load, as the files of an execution layer. Needs apt's package lists, neither root nor an engine nor a registry.

set -euo pipefail

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# unpack_packages FOLDER PACKAGE…: download the packages and all that they depend on, and unpack them to FOLDER.
unpack_packages() {
	local folder=$1 downloads closure
	shift
	downloads=$(mktemp -d)
	# As if nothing were installed yet: what the layer holds must not depend on this machine.
	closure=$(apt-get install --simulate -o Dir::State::status=/dev/null --no-install-recommends "$@" |
		sed -n 's/^Inst \([^ ]*\).*/\1/p')
	[[ -n $closure ]] || die "apt-get knows no package $*: run 'apt-get update'"
	# shellcheck disable=SC2086 # One word for each package.
	(cd "$downloads" && apt-get -qq -o APT::Sandbox::User=root download $closure >&2) || die "cannot download $*: see the messages above"
	for package in "$downloads"/*.deb; do dpkg-deb --extract "$package" "$folder"; done
	rm -rf "$downloads"
}

# install_program FOLDER PROGRAM OUT TARGET: copy PROGRAM of the unpacked packages in FOLDER to OUT/TARGET, its
# libraries to OUT/usr/lib, which every loader searches, and the loader to where the program looks for it.
install_program() {
	local folder=$1 program=$2 out=$3 target=$4 loader interpreter paths
	loader=$(find "$folder"/lib "$folder"/usr/lib -type f -name 'ld-linux*.so.*' | head -n 1)
	interpreter=$(cd "$folder" && find . -type l -name "${loader##*/}" | head -n 1)
	[[ -n $loader && -n $interpreter ]] || die "the packages have no loader"
	paths=$(find "$folder"/lib "$folder"/usr/lib -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
	install -D -m 755 "$folder/$program" "$out/$target"
	install -D -m 755 "$loader" "$out/$interpreter"
	# Lines of the list: NAME => PATH (ADDRESS).
	"$loader" --list --library-path "$paths" "$folder/$program" |
		sed -n 's/^\t\([^ /]*\) => \([^ ]*\) (.*/\1 \2/p' | while read -r name library; do
		install -D -m 755 "$(realpath "$library")" "$out/usr/lib/$name"
	done
}
