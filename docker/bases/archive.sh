# shellcheck shell=bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# What the base image scripts share: a root folder becomes an image archive for `docker load`, the same bytes every time.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"

# engine_architecture: this machine's architecture as image configurations spell it.
engine_architecture() {
	case $(dpkg --print-architecture) in
	amd64) echo amd64 ;;
	arm64) echo arm64 ;;
	armhf) echo arm ;;
	*) die "no base image for the architecture $(dpkg --print-architecture): amd64, arm64 and armhf are known" ;;
	esac
}

# common_files ROOTFS: what every base has. Jobs run as user 65534, write to /out and have /tmp as scratch space.
common_files() {
	local rootfs=$1
	mkdir -p "$rootfs"/{dev,etc,out,proc,sys,tmp}
	chmod 1777 "$rootfs/tmp"
	: >"$rootfs/etc/hosts"
	: >"$rootfs/etc/hostname"
	: >"$rootfs/etc/resolv.conf"
}

# pack_image ROOTFS NAME OUT: write the image archive OUT, tagged localhost/modicum-base/NAME, and print its ChainID.
# Names sorted, times zero, owners by number: the same files always give the same bytes. With one layer the ChainID is
# the layer's digest.
pack_image() {
	local rootfs=$1 name=$2 out=$3 work layer config variant=
	work=$(mktemp -d)
	tar -C "$rootfs" --sort=name --mtime=@0 --numeric-owner --format=gnu -cf "$work/layer.tar" .
	layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
	mkdir "$work/image"
	mv "$work/layer.tar" "$work/image/$layer.tar"
	[[ $(engine_architecture) == arm ]] && variant='"variant":"v7",'
	printf '{"architecture":"%s",%s"os":"linux","created":"1970-01-01T00:00:00Z","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Labels":{"modicum.base":"%s"}},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z","created_by":"modicum base %s"}]}' \
		"$(engine_architecture)" "$variant" "$name" "$layer" "$name" >"$work/config.json"
	config=$(sha256sum "$work/config.json" | cut -d' ' -f1)
	mv "$work/config.json" "$work/image/$config.json"
	printf '[{"Config":"%s.json","RepoTags":["localhost/modicum-base/%s:latest"],"Layers":["%s.tar"]}]' \
		"$config" "$name" "$layer" >"$work/image/manifest.json"
	mkdir -p "$(dirname "$out")"
	tar -C "$work/image" --sort=name --mtime=@0 --owner=0 --group=0 --mode=u=rwX,go=rX \
		--numeric-owner --format=gnu -cf "$out.part" .
	mv "$out.part" "$out"
	rm -rf "$work"
	printf 'sha256:%s\n' "$layer"
}
