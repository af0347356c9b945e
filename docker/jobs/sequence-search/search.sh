#!/bin/sh
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# search.sh ALIGNMENT DATABASE OUT: make a profile of the aligned sequences, search the database with it and write the
# hits to OUT, best first: name, E-value, score, bias. HMMER's own reports carry dates and times, so only their lines
# without a '#' are taken.

set -eu
alignment=$1 database=$2 out=$3
bin=$(dirname "$0")

"$bin/hmmbuild" --cpu 0 --seed 1 --amino -n family -o /dev/null /tmp/family.hmm "$alignment"
"$bin/hmmsearch" --cpu 0 --seed 1 --max -o /dev/null --tblout /tmp/hits /tmp/family.hmm "$database"
awk '!/^#/ { print $1, $5, $6, $7 }' /tmp/hits >"$out"
