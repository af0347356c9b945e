#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# build.sh OUT: fill the folder OUT with POV-Ray from its Debian package.

# shellcheck source=docker/jobs/packages.sh
source "$(dirname "$0")/../packages.sh"

[[ $# -eq 1 ]] || die "usage: $0 OUT"
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
unpack_packages "$packages" povray
install_program "$packages" usr/bin/povray "$1" opt/povray/bin/povray
