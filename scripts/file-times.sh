#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Gives the files of a fresh clone the times that the same contents had when this checkout's folder was last built, so
# that only what has changed since is compiled again: cargo goes by a file's time, and in a fresh clone that is now.
#
# usage: scripts/file-times.sh
#
# The times are kept in the target folder, for each folder of a checkout. A file that has changed in between keeps the
# time of now, whatever it contains.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"
export LC_ALL=C

if ! git diff --quiet HEAD 2>/dev/null; then
	say "not a clean checkout: whatever cargo thinks new is compiled again"
	exit
fi

kept=$(target_dir)/file-times/$(sha256sum <<<"$ROOT" | cut -c1-16)
mkdir -p "$(dirname "$kept")"
touch "$kept"

declare -A before
while read -r blob time path; do
	before[$path]="$blob $time"
done <"$kept"

git ls-files --stage | while IFS=$' \t' read -r _mode blob _stage path; do
	read -r old_blob old_time <<<"${before[$path]:-}"
	if [[ $old_blob == "$blob" ]]; then
		touch --no-dereference --date "@$old_time" "$path"
	fi
	printf '%s %s %s\n' "$blob" "$(stat --format %.Y "$path")" "$path"
done >"$kept.new"
mv "$kept.new" "$kept"
