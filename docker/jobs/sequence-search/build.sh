#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# build.sh OUT: fill the folder OUT with HMMER's programs from its Debian package, and the script that calls them.

# shellcheck source=docker/jobs/packages.sh
source "$(dirname "$0")/../packages.sh"

[[ $# -eq 1 ]] || die "usage: $0 OUT"
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
unpack_packages "$packages" hmmer
for program in hmmbuild hmmsearch; do
	install_program "$packages" "usr/bin/$program" "$1" "opt/hmmer/bin/$program"
done
install -D -m 755 "$(dirname "$0")/search.sh" "$1/opt/hmmer/bin/search"
