#!/bin/sh
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
set -e
tr -cs 'a-zA-Z' '\n' </input/text | tr '[:upper:]' '[:lower:]' | sort | uniq -c | sort -k1,1nr -k2 >/out/words
