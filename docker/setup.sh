#!/bin/bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# The one-shot service `setup` of compose.yml: makes each role's key, gives it money from the chain's development
# accounts, installs the base image and registers the roles. A second run does what the first has not done.
#
# BASE_ARCHIVE        the base image's archive
# DIRECTORY_URL       where clients reach the directory
# TIME_PER_BILLION    what the providers promise, ms for 10^9 instructions

set -euo pipefail

accounts=/accounts
# How much each role gets, tokens.
MONEY=100000

say() { printf '==> %s\n' "$*"; }
# as ROLE ARGUMENT…: modicum, by the role's key.
as() {
	local role=$1
	shift
	MODICUM_ACCOUNT_KEY_FILE=$accounts/$role/key modicum "$@"
}
# address ROLE
address() { as "$1" key inspect --output json | sed -n 's/.*"account": *"\([^"]*\)".*/\1/p'; }

# fund ROLE FROM: money, if it has none.
fund() {
	local balance
	balance=$(as "$1" account balance --output json)
	grep -q '"free": *"0"' <<<"$balance" || return 0
	say "money for $1"
	MODICUM_SECRET_KEY=//$2 modicum account transfer "$(address "$1")" "$MONEY" >/dev/null
}

# register KIND ROLE ARGUMENT…: as what, unless it is one already.
register() {
	local kind=$1 role=$2 show=status
	shift 2
	[[ $kind != directory ]] || show=show
	if as "$role" "$kind" "$show" >/dev/null 2>&1; then return; fi
	say "registers $role"
	as "$role" "$kind" register "$@" >/dev/null
}

# all CMD…: waits for background tasks; any failure is one.
all() {
	local task
	for task in "$@"; do wait "$task"; done
}

# The layer's digest, which with one layer is the base's ChainID.
base=sha256:$(tar -tf "$BASE_ARCHIVE" | sed -n 's|^\./\([0-9a-f]\{64\}\)\.tar$|\1|p')
[[ ${#base} -eq 71 ]] || { echo "error: $BASE_ARCHIVE is no base image's archive: make it with docker/bases/busybox.sh" >&2; exit 1; }

for role in directory solver mediator provider-1 provider-2 creator; do
	mkdir -p "$accounts/$role"
	[[ -s $accounts/$role/key ]] || as "$role" key generate >/dev/null
	# Who works with the engine is root in its container, the others are not.
	case $role in
	mediator | provider-*) chown 0:0 "$accounts/$role" "$accounts/$role/key" ;;
	*) chown 10002:10002 "$accounts/$role" "$accounts/$role/key" ;;
	esac
done

say "the base image $base"
as provider-1 provider base-layer install "$BASE_ARCHIVE" >/dev/null

# Each from another of the chain's rich accounts, so that nobody waits for anybody.
tasks=()
fund directory Alice & tasks+=($!)
fund solver Bob & tasks+=($!)
fund mediator Charlie & tasks+=($!)
fund provider-1 Dave & tasks+=($!)
fund provider-2 Eve & tasks+=($!)
fund creator Ferdie & tasks+=($!)
all "${tasks[@]}"

directory=$(address directory)
printf '%s\n' "$directory" >"$accounts/directory/address"
mediator=$(address mediator)
tasks=()
register directory directory --url "$DIRECTORY_URL" --availability-fee 0.05 & tasks+=($!)
register mediator mediator --availability-fee 0.1 --trust-directory "$directory" --base-layer "$base" & tasks+=($!)
register creator creator --trust-mediator "$mediator" & tasks+=($!)
for provider in provider-1 provider-2; do
	register provider "$provider" --time-per-billion-instructions "$TIME_PER_BILLION" \
		--trust-mediator "$mediator" --trust-directory "$directory" --base-layer "$base" & tasks+=($!)
done
all "${tasks[@]}"
say "the market is set up; its directory is $directory"
