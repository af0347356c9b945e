#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# dist.sh [ARCHITECTURE…]: what is given to users, in dist/: stripped binaries, Debian packages, checksums. For the
# agents' binary by Debian's names of architectures, this machine's first (default: this machine's, arm64 and armhf as
# far as there are cross compilers); for the node this machine's only. See docs/operating.md.
#
# MODICUM_DIST_PROFILE   release (the node's; the agents' is then edge), or dev to try the packages with the binaries of
#                        everyday work (no cross builds)
# MODICUM_DIST_PREBUILT  1: take the binaries that are there already, of an earlier run
# MODICUM_DIST           the folder (default: dist)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

native=$(dpkg --print-architecture) || die "dpkg is missing: packages are made on Debian and its kin"
profile=${MODICUM_DIST_PROFILE:-release}
dist=$(realpath -m "${MODICUM_DIST:-dist}")
case $profile in
release) agents_profile=edge node=release agents=edge ;;
dev) agents_profile=dev node=debug agents=debug ;;
*) die "MODICUM_DIST_PROFILE is '$profile': release and dev are known" ;;
esac
case $native in
amd64 | arm64 | armhf) ;;
*) die "there are no packages for the architecture $native: amd64, arm64 and armhf are known" ;;
esac
for tool in dpkg-deb dpkg-shlibdeps git gzip strip; do
	have "$tool" || die "$tool is missing: apt-get install dpkg-dev binutils git"
done

architectures=("$@")
if [[ $# -eq 0 ]]; then
	architectures=("$native")
	[[ $profile == dev || ! -x /usr/bin/aarch64-linux-gnu-gcc || $native == arm64 ]] || architectures+=(arm64)
	[[ $profile == dev || ! -x /usr/bin/arm-linux-gnueabihf-gcc || $native == armhf ]] || architectures+=(armhf)
fi

# The commit that binaries and packages carry.
commit=${MODICUM_COMMIT:-$(git rev-parse --short=11 HEAD)}
if [[ -z ${MODICUM_COMMIT:-} && -n $(git status --porcelain --untracked-files=no) ]]; then commit+=-dirty; fi
export MODICUM_COMMIT=$commit
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
number=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
# Grows with time, and lies below the next release's number.
version=$number+$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M).${commit//-/.}
git describe --exact-match --match "v$number" >/dev/null 2>&1 && version=$number

# platform ARCHITECTURE: its folder below dist/, named as image builders name platforms.
platform() {
	case $1 in
	armhf) echo linux/arm ;;
	*) echo "linux/$1" ;;
	esac
}

# tools ARCHITECTURE: the prefix of its binutils.
tools() {
	if [[ $1 == "$native" ]]; then return; fi
	case $1 in
	arm64) echo aarch64-linux-gnu- ;;
	armhf) echo arm-linux-gnueabihf- ;;
	esac
}

# take ARCHITECTURE BINARY: strip it into dist/.
take() {
	local target
	target=$dist/$(platform "$1")/$(basename "$2")
	[[ -x $2 ]] || die "$2 is missing: run this without MODICUM_DIST_PREBUILT"
	mkdir -p "$(dirname "$target")"
	"$(tools "$1")strip" --strip-all -o "$target" "$2"
}

build() {
	local architecture others=()
	for architecture in "${architectures[@]}"; do [[ $architecture == "$native" ]] || others+=("$architecture"); done
	[[ ${#others[@]} -eq 0 || $profile == release ]] ||
		die "other architectures' binaries are built with the profile release only"
	if [[ -z ${MODICUM_DIST_PREBUILT:-} ]]; then
		# First what may lack a compiler: that is said at once.
		[[ ${#others[@]} -eq 0 ]] || scripts/cross.sh "${others[@]}" >/dev/null
		say "building node and agents for $native, profiles $profile and $agents_profile"
		cargo build --locked --profile "$profile" -p modicum-node --bin modicum-node
		cargo build --locked --profile "$agents_profile" -p modicum --bin modicum
	fi
	take "$native" "$(target_dir)/$node/modicum-node"
	take "$native" "$(target_dir)/$agents/modicum"
	for architecture in "${others[@]}"; do
		take "$architecture" "$(scripts/cross.sh --path "$architecture")"
	done
}

# documentation PACKAGE ROOT FILE…: what Debian wants of every package, and FILEs.
documentation() {
	local package=$1 folder=$2/usr/share/doc/$1
	mkdir -p "$folder"
	install -m 644 packaging/debian/copyright "$folder/copyright"
	printf '%s (%s) unstable; urgency=medium\n\n  * Commit %s; see CHANGELOG.md.\n\n -- The MODiCuM developers <developers@modicum.example>  %s\n' \
		"$package" "$version" "$commit" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$folder/changelog.gz"
	install -m 644 CHANGELOG.md "${@:3}" "$folder"
}

# dependencies ARCHITECTURE BINARY: the packages of the libraries that stay shared.
dependencies() {
	local work
	work=$(mktemp -d)
	mkdir "$work/debian"
	printf 'Source: x\n\nPackage: x\nArchitecture: any\n' >"$work/debian/control"
	# Libraries of other architectures lie where Debian's cross compilers have them.
	(cd "$work" && DEB_HOST_ARCH=$1 dpkg-shlibdeps -O --ignore-missing-info -l/usr/aarch64-linux-gnu/lib \
		-l/usr/arm-linux-gnueabihf/lib "$2" 2>"$work/log") >"$work/out" ||
		die "the libraries of $2 are not known: $(cat "$work/log")"
	# What the cross compilers' packages call theirs has other names where the binary will run.
	sed -n "s/:$1//g; s/-$1-cross//g; s/^shlibs:Depends=//p" "$work/out"
	rm -rf "$work"
}

# pack PACKAGE ARCHITECTURE ROOT BINARY: the package, from its files.
pack() {
	local package=$1 architecture=$2 root=$3 binary=$4 needs size
	mkdir -p "$root/DEBIAN"
	install -m 755 "packaging/debian/$package/"{postinst,prerm,postrm} "$root/DEBIAN"
	(cd "$root" && find etc -type f -printf '/%p\n' | LC_ALL=C sort >DEBIAN/conffiles)
	needs=$(dependencies "$architecture" "$binary")
	[[ -n $needs ]] || die "$binary names no libraries: is it a binary for $architecture?"
	size=$(du -k -s --exclude=DEBIAN "$root" | cut -f1)
	sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$size/; s/@DEPENDS@/$needs/" \
		"packaging/debian/$package/control" >"$root/DEBIAN/control"
	(cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' md5sum >DEBIAN/md5sums)
	chmod -R u=rwX,go=rX "$root"
	find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$root" "$dist/${package}_${version}_$architecture.deb" >/dev/null
}

# package_node: the node's package, for this machine's architecture.
package_node() {
	local root=$work/modicum-node
	install -D -m 755 "$dist/$(platform "$native")/modicum-node" "$root/usr/bin/modicum-node"
	install -D -m 644 packaging/systemd/modicum-node.service "$root/lib/systemd/system/modicum-node.service"
	install -D -m 644 packaging/settings/node.env "$root/etc/modicum/node.env"
	mkdir -p "$root/usr/share/man/man1"
	gzip -9n <packaging/man/modicum-node.1 >"$root/usr/share/man/man1/modicum-node.1.gz"
	documentation modicum-node "$root" docs/operating.md
	pack modicum-node "$native" "$root" "$root/usr/bin/modicum-node"
}

# package_agents ARCHITECTURE: the agents' package.
package_agents() {
	local root=$work/modicum-$1 role
	# Completions, manual and settings are the same for all architectures: this machine's binary writes them.
	local modicum
	modicum=$dist/$(platform "$native")/modicum
	install -D -m 755 "$dist/$(platform "$1")/modicum" "$root/usr/bin/modicum"
	mkdir -p "$root"/{etc/modicum,lib/systemd/system} \
		"$root"/usr/share/{bash-completion/completions,fish/vendor_completions.d,man/man1,zsh/vendor-completions}
	for role in provider mediator solver directory; do
		install -m 644 "packaging/systemd/modicum-$role.service" "$root/lib/systemd/system"
		install -m 644 "packaging/settings/$role.env" "$root/etc/modicum"
	done
	install -m 644 packaging/settings/directory.toml "$root/etc/modicum"
	"$modicum" config init --out "$root/etc/modicum/modicum.toml" >/dev/null
	"$modicum" completions bash >"$root/usr/share/bash-completion/completions/modicum"
	"$modicum" completions zsh >"$root/usr/share/zsh/vendor-completions/_modicum"
	"$modicum" completions fish >"$root/usr/share/fish/vendor_completions.d/modicum.fish"
	"$modicum" man --out "$root/usr/share/man/man1"
	gzip -9n "$root"/usr/share/man/man1/*.1
	# What makes base images of Debian packages.
	mkdir -p "$root/usr/share/modicum/docker/bases" "$root/usr/share/modicum/scripts"
	install -m 755 docker/bases/{busybox,debian}.sh "$root/usr/share/modicum/docker/bases"
	install -m 644 docker/bases/archive.sh "$root/usr/share/modicum/docker/bases"
	install -m 644 scripts/common.sh "$root/usr/share/modicum/scripts"
	documentation modicum "$root" docs/{operating,provider,services,directory,executor,jobs}.md
	pack modicum "$1" "$root" "$root/usr/bin/modicum"
}

# base_image: what docker/compose.yml lets its providers run jobs on.
base_image() {
	if have busybox && ! ldd "$(command -v busybox)" >/dev/null 2>&1; then
		docker/bases/busybox.sh "$dist/base.tar" >/dev/null
	else
		say "no base image for docker/compose.yml: apt-get install busybox-static"
	fi
}

# Made aside, so that what an earlier run has made stays until all is there.
made=$dist
mkdir -p "$made"
work=$(mktemp -d)
dist=$(mktemp -d -p "$made")
chmod 755 "$dist"
trap 'rm -rf "$work" "$dist"; rmdir --ignore-fail-on-non-empty "$made"' EXIT
build
# For those who pack. If builds saw it, libraries in C and all that uses them would be compiled again with each commit.
export SOURCE_DATE_EPOCH
base_image
say "packages of version $version"
package_node
for architecture in "${architectures[@]}"; do package_agents "$architecture"; done
sums=$(cd "$dist" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum)
printf '%s\n' "$sums" >"$dist/SHA256SUMS"
rm -rf "$made"/linux "$made"/*.deb "$made"/base.tar "$made"/SHA256SUMS
mv "$dist"/* "$made"
say "made $(cd "$made" && find . -name '*.deb' -printf '%P ')in $made"
