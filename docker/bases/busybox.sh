#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# busybox.sh OUT: make the base image 'busybox' from the package busybox-static and nothing else, as an archive for
# `docker load`. Needs neither root nor an engine nor a registry. Prints the image's ChainID, which jobs name as their base.

# shellcheck source=docker/bases/archive.sh
source "$(dirname "$0")/archive.sh"

[[ $# -eq 1 ]] || die "usage: $0 OUT.tar"
busybox=$(command -v busybox) || die "busybox is missing: apt-get install busybox-static"
# A busybox that needs shared libraries would not start in an image that has none.
if ldd "$busybox" >/dev/null 2>&1; then
	die "$busybox is not statically linked: apt-get install busybox-static"
fi

rootfs=$(mktemp -d)
trap 'rm -rf "$rootfs"' EXIT
common_files "$rootfs"
mkdir "$rootfs/bin"
install -m 755 "$busybox" "$rootfs/bin/busybox"
"$busybox" --list | while read -r applet; do
	[[ $applet == busybox ]] || ln -s busybox "$rootfs/bin/$applet"
done
printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n' >"$rootfs/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$rootfs/etc/group"
# Modes are set, not inherited from the umask; owners are set by tar where this does not run as root.
chmod -R u=rwX,go=rX "$rootfs"
chmod 1777 "$rootfs/tmp"
TAR_OPTIONS='--owner=0 --group=0' pack_image "$rootfs" busybox "$1"
