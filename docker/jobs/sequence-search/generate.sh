#!/bin/sh
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# generate.sh COUNT ALIGNMENT: print a database of COUNT protein sequences in the FASTA format: random ones, and among
# them, every 25th, mutated copies of the ALIGNMENT's sequences, the later the more. With 900 it gave input/database.fa.

exec awk -v count="$1" '
# Park and Miller: the state stays below 2^31, so that products fit a double.
function random(bound) {
	state = (state * 16807) % 2147483647
	return int(state / 1000) % bound
}
# Amino acids as often as nature has them, roughly.
function acid() { return substr(acids, 1 + random(length(acids)), 1) }
/^>/ { families++; next }
{ gsub("-", ""); family[families] = family[families] $0 }
END {
	state = 20261122
	acids = "AAAAAAAARRRRRNNNNDDDDDCQQQQEEEEEEGGGGGGGHHIIIIIILLLLLLLLLLKKKKKKMMFFFFPPPPPSSSSSSTTTTTWYYYVVVVVVV"
	for (number = 1; number <= count; number++) {
		sequence = ""
		for (rest = 60 + random(160); rest > 0; rest--) sequence = sequence acid()
		if (number % 25 == 0) {
			member = family[1 + random(families)]
			mutated = ""
			for (at = 1; at <= length(member); at++)
				mutated = mutated (random(100) < 80 * number / count ? acid() : substr(member, at, 1))
			sequence = sequence mutated
			name = "related"
		} else name = "random"
		printf ">%s%04d\n", name, number
		for (; sequence != ""; sequence = substr(sequence, 61)) print substr(sequence, 1, 60)
	}
}' "$2"
