#!/bin/bash
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# health.sh PORT PATH: whether a GET on this machine is answered with 200. Needs nothing but bash, so that images need no
# HTTP client.

exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
read -r -t 4 _ status _ <&3
[[ $status == 200 ]]
