#!/usr/bin/env bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# Builds the images of docker/ on a base made of Debian packages, and lives through the life of docker/compose.yml: every
# service becomes healthy, a job is run and paid, Prometheus sees all services, everything stops cleanly, and after a
# restart all is as it was.
# Needs root, Docker's engine, docker-compose (either version) and what `make dist` has made. The engine is one of its
# own, in a network namespace of its own, so that neither the machine's network nor its engine sees anything of it.
#
# MODICUM_DIST    the folder that scripts/dist.sh has written (default: dist)
# MODICUM_BASE_ARCHIVE  a base image's archive, instead of one made by debootstrap and kept in the cache folder
# MODICUM_PROMETHEUS_ARCHIVE  the same for an image with Debian's Prometheus

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
cd "$ROOT"

# How long services may take, seconds. Generous: what is tested is that they do, not how fast.
HEALTHY_SECS=900

[[ $(id -u) -eq 0 ]] || die "an engine and a network of its own need root"
for tool in dockerd containerd runc docker ip iptables curl python3; do
	have "$tool" || die "$tool is missing: run 'make setup'"
done
dist=$(realpath -m "${MODICUM_DIST:-dist}")
[[ -x $dist/linux/amd64/modicum || -x $dist/linux/arm64/modicum ]] || die "there are no binaries in $dist: run 'make dist'"
[[ -s $dist/base.tar ]] || die "there is no $dist/base.tar: apt-get install busybox-static, then run 'make dist'"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/modicum
archive=${MODICUM_BASE_ARCHIVE:-$cache/images-base.tar}
prometheus=${MODICUM_PROMETHEUS_ARCHIVE:-$cache/images-prometheus.tar}
# make_image ARCHIVE NAME PACKAGE: an image of Debian with PACKAGE, unless it is there already.
make_image() {
	[[ ! -s $1 ]] || return 0
	say "an image of Debian with $3"
	MODICUM_BASE_NAME=$2 docker/bases/debian.sh "$1" "$3" 2>&1 | tail -n 1
}
if [[ -z ${MODICUM_TEST_IMAGES:-} ]]; then
	make_image "$archive" images ca-certificates
	make_image "$prometheus" images-prometheus prometheus
	export MODICUM_TEST_IMAGES=1
	exec unshare --net --uts "$0" "$@"
fi
ip link set lo up

work=$(mktemp -d "${TMPDIR:-/tmp}/modicum-images.XXXXXX")
engine=
# shellcheck disable=SC2317 # Called by the trap.
cleanup() {
	local status=$?
	if [[ -n $engine ]]; then
		[[ $status -eq 0 ]] || compose logs --no-color --tail 15 2>&1 | tail -n 150 || true
		down --timeout 20 2>/dev/null || true
		kill "$engine" 2>/dev/null || true
		wait "$engine" || true
		while read -r mount; do umount "$mount" || true; done < <(grep -o " ${work}[^ ]*" /proc/mounts | sort -r)
	fi
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# The sources of the images, with this dist/ and nothing else.
mkdir "$work/source"
cp -r docker .dockerignore "$work/source"
cp -r "$dist" "$work/source/dist"

dockerd --host "unix://$work/docker.sock" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
	>"$work/dockerd.log" 2>&1 &
engine=$!
export DOCKER_HOST=unix://$work/docker.sock
for ((i = 0; ; i++)); do
	[[ $(curl -s --max-time 5 --unix-socket "$work/docker.sock" http://docker/_ping) == OK ]] && break
	kill -0 "$engine" 2>/dev/null || die "dockerd did not start: $(tail -n 5 "$work/dockerd.log")"
	((i < 600)) || die "dockerd does not answer"
	sleep 0.1
done

# The first version of compose does not know the key `name`.
if docker compose version >/dev/null 2>&1; then
	compose() { docker compose -f "$work/source/docker/compose.yml" "$@"; }
elif have docker-compose; then
	grep -v '^name:' docker/compose.yml >"$work/compose.yml"
	compose() { docker-compose -f "$work/compose.yml" --project-directory "$work/source/docker" -p modicum "$@"; }
else
	die "docker compose is missing: apt-get install docker-compose"
fi
down() { compose --profile creator --profile monitoring down --volumes "$@" >/dev/null 2>&1; }

# load ARCHIVE: into the engine; prints the image's name.
load() { docker load -q -i "$1" | sed -n 's/^Loaded image: //p'; }
MODICUM_BASE=$(load "$archive")
export MODICUM_BASE MODICUM_STATE=$work/state MODICUM_SOCKET=$work/docker.sock

say "the images"
# With BuildKit, as engines of today do; without its client, with the old builder.
buildkit=0
if docker buildx version >/dev/null 2>&1; then buildkit=1; fi
export DOCKER_BUILDKIT=$buildkit COMPOSE_DOCKER_CLI_BUILD=$buildkit
compose build validator-1 solver >"$work/build.log" 2>&1 || die "the images do not build: $(tail -n 20 "$work/build.log")"
for image in modicum modicum-node; do
	[[ $(docker image inspect -f '{{.Config.User}}' "$image") =~ ^1000[12]: ]] || die "$image runs as root"
	[[ $(docker image inspect -f '{{index .Config.Labels "org.opencontainers.image.licenses"}}' "$image") == Apache-2.0 ]] ||
		die "$image has no labels"
	[[ $(docker image inspect -f '{{len .Config.Healthcheck.Test}}' "$image") -gt 1 ]] || die "$image has no health check"
	docker run --rm --network none "$image" --version
	say "$image: $(docker image inspect -f '{{.Size}}' "$image" | numfmt --to=iec) with its base of $(docker image inspect -f '{{.Size}}' "$MODICUM_BASE" | numfmt --to=iec)"
done

# Without the right to the engine's socket an agent says so, and stops.
if said=$(docker run --rm --network none -v "$work/docker.sock:/var/run/docker.sock" modicum provider doctor --offline 2>&1); then
	die "an agent that is not root uses the engine: $said"
fi
[[ $said == *'may this user open the socket'* ]] || die "not a plain message: $said"

services=(validator-1 validator-2 validator-3 validator-4 rpc directory solver mediator provider-1 provider-2)
health() { docker inspect -f '{{.State.Health.Status}}' "$(compose ps -q "$1")" 2>/dev/null || true; }
# wait_healthy: until every service is.
wait_healthy() {
	local service unhealthy start=$SECONDS
	while true; do
		unhealthy=()
		for service in "${services[@]}"; do [[ $(health "$service") == healthy ]] || unhealthy+=("$service"); done
		[[ ${#unhealthy[@]} -gt 0 ]] || return 0
		((SECONDS - start < HEALTHY_SECS)) || die "not healthy: ${unhealthy[*]}"
		sleep 2
	done
}
# The creator's commands, in a container that is gone afterwards.
creator() { compose run --rm -T -v "$work/source/docker/hello:/job:ro" creator "$@" </dev/null; }
finalised() { compose exec -T solver modicum chain status | sed -n 's/^finalised *block \([0-9]*\).*/\1/p'; }
genesis() { compose exec -T solver modicum chain status | grep '^genesis hash'; }

say "up"
compose up -d >"$work/up.log" 2>&1 || die "the market does not start: $(tail -n 20 "$work/up.log")"
wait_healthy
say "all healthy after $SECONDS s"

say "a job"
creator job submit /job --yes --out /data/result | tail -n 5
before=$(creator job list)
[[ -n $before ]] || die "the creator knows of no job"
blob_bytes() { compose exec -T directory du -sb /data/store/blobs | cut -f1; }

say "monitoring"
export MODICUM_PROMETHEUS_IMAGE=modicum-prometheus
docker build -q -t "$MODICUM_PROMETHEUS_IMAGE" - >/dev/null <<-EOF
	FROM $(load "$prometheus")
	ENTRYPOINT ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
EOF
compose --profile monitoring up -d prometheus >"$work/up.log" 2>&1 || die "Prometheus does not start: $(tail -n 20 "$work/up.log")"
scripts/check-monitoring.py http://127.0.0.1:9090 docker/grafana/modicum.json

say "resident memory, as the engine sees it"
docker stats --no-stream --format '{{.Name}}\t{{.MemUsage}}'

say "stop"
block=$(finalised)
chain=$(genesis)
stored=$(blob_bytes)
containers=$(compose ps -q)
compose stop >/dev/null 2>&1
for container in $containers; do
	said=$(docker inspect -f '{{.Name}} {{.State.ExitCode}}' "$container")
	[[ $said == *' 0' ]] || die "not stopped cleanly: $said"
done

say "start again"
compose up -d >"$work/up.log" 2>&1 || die "the market does not start again: $(tail -n 20 "$work/up.log")"
wait_healthy
[[ $(genesis) == "$chain" && $(finalised) -ge $block ]] || die "the chain was lost: it was at block $block"
[[ $(creator job list) == "$before" ]] || die "the creator's jobs were lost"
[[ $(blob_bytes) -ge $stored ]] || die "what the directory stored was lost"
creator job submit /job --yes --out /data/result-2 | tail -n 3

say "down"
down
[[ -z $(docker ps -aq) && -z $(docker volume ls -q) ]] || die "something is left: $(docker ps -a) $(docker volume ls)"
say "images and compose.yml do what they should"
