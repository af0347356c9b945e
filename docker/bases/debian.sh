#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# debian.sh OUT [PACKAGE…]: make the base image 'debian' with debootstrap, as an archive for `docker load`, with the
# PACKAGEs in it if any are named. Needs root, and a Debian mirror. Prints the image's ChainID.
#
# The image is a function of the packages' versions: the same mirror state always gives the same ChainID. For one that
# can be made again later, name a dated mirror:
#   MODICUM_DEBIAN_MIRROR=https://snapshot.debian.org/archive/debian/20261101T000000Z
# MODICUM_DEBIAN_SUITE   the release (default: bookworm)
# MODICUM_BASE_NAME      the image's name (default: debian)

# shellcheck source=docker/bases/archive.sh
source "$(dirname "$0")/archive.sh"

[[ $# -ge 1 ]] || die "usage: $0 OUT.tar [PACKAGE…]"
out=$1
shift
[[ $(id -u) -eq 0 ]] || die "debootstrap needs root: run 'sudo $0 $out $*'"
have debootstrap || die "debootstrap is missing: apt-get install debootstrap"
suite=${MODICUM_DEBIAN_SUITE:-bookworm}
mirror=${MODICUM_DEBIAN_MIRROR:-}

rootfs=$(mktemp -d)
trap 'rm -rf --one-file-system "$rootfs"' EXIT
packages=$(
	IFS=,
	echo "$*"
)
# A fixed date for what packages' scripts write down (for example the day on which an account was made).
export SOURCE_DATE_EPOCH=0
debootstrap --variant=minbase ${packages:+--include="$packages"} "$suite" "$rootfs" ${mirror:+"$mirror"} >&2 ||
	die "debootstrap failed: see $rootfs/debootstrap/debootstrap.log, or name another mirror in MODICUM_DEBIAN_MIRROR"

# What differs from build to build, and what a job has no use for.
rm -rf "$rootfs"/var/{log,cache,tmp,lib/apt/lists,lib/systemd}/* "${rootfs:?}"/{tmp,run,dev,debootstrap}/* \
	"$rootfs"/var/lib/dpkg/*-old "$rootfs"/etc/*- "$rootfs"/etc/.pwd.lock
rm -f "$rootfs"/etc/{machine-id,mtab}
sed -i 's/^\([^:]*:[^:]*\):[^:]*:/\1:0:/' "$rootfs/etc/shadow"
find "$rootfs" -name __pycache__ -prune -exec rm -rf {} +
common_files "$rootfs"
pack_image "$rootfs" "${MODICUM_BASE_NAME:-debian}" "$out"
