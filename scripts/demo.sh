#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# The market at work, on this machine: a picture is ray-traced and a protein's relatives are searched by somebody else's
# computer, and paid for; then a provider makes a result up, is caught, and pays. Everything that is started is stopped at the end.
#
# usage: scripts/demo.sh [FOLDER]      where the picture goes (default: ./modicum-demo)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"
out=$(realpath -m "${1:-modicum-demo}")
# What an earlier demonstration has left, and nothing else.
rm -rf "$out/family" "$out/picture" "$out/matrix"

[[ -n ${MODICUM_DEMO_BUILT:-} ]] || "$ROOT/scripts/build.sh"
# Everything below runs with an engine, a private one if none answers.
[[ -n ${MODICUM_DEMO_ENGINE:-} ]] || MODICUM_DEMO_ENGINE=1 exec "$ROOT/scripts/with-docker.sh" "$0" "$out"

# shellcheck source=scripts/market.sh
source "$ROOT/scripts/market.sh"
trap market_stop EXIT
trap 'exit 130' INT TERM

balances() {
	local name
	for name in "$@"; do
		printf '  %-10s %s\n' "$name" \
			"$(as "$name" account balance | sed -n 's/^\(free\|held\) *\([^(]*[^( ]\).*/\1 \2/p' | paste -sd, - | sed 's/,/, /')"
	done
}

say "starting a chain, a directory, a solver, a mediator; registering two providers and a job creator"
market_start
background Provider provider provider run --set provider.jobs_at_once=2
say "before"
balances Creator Provider Provider2 Mediator Directory Solver

say "submitting docker/jobs/sequence-search, which needs no watching: modicum job submit --detach"
as Creator job submit docker/jobs/sequence-search --directory //Directory --yes --out "$out/family" --detach
say "submitting docker/jobs/ray-tracing, as a user would: modicum job submit docker/jobs/ray-tracing"
as Creator job submit docker/jobs/ray-tracing --directory //Directory --yes --out "$out/picture"
say "the other job meanwhile: modicum job wait 1"
as Creator job wait 1
say "the picture: $(find "$out/picture" -type f); the relatives of a protein: $(find "$out/family" -type f)"
balances Creator Provider Mediator Directory Solver

say "now provider 2 takes the next job and makes the result up; the creator verifies this one for certain"
# It takes its offers back before it ends.
stop_provider=${MARKET_PIDS[0]}
kill "$stop_provider"
wait "$stop_provider" || true
background Provider2 cheater provider run --scripted-cheat forges-results
# The job fails, by the provider's fault: that is the point.
as Creator job submit docker/jobs/matrix-product --directory //Directory --yes --verify always --out "$out/matrix" && die "the cheater was not caught"
say "caught, mediated and fined"
balances Creator Provider2 Mediator Directory Solver
say "what the market knows of provider 2 from now on"
as Provider2 account balance
