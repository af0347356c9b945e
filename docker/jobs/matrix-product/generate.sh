#!/bin/sh
# Copyright The MODiCuM developers
# SPDX-License-Identifier: Apache-2.0
#
# generate.sh ORDER SEED: print a matrix of numbers from 0 to 99. With order 160, seed 1 gave input/a, seed 2 input/b.

exec awk -v order="$1" -v seed="$2" 'BEGIN {
	print order
	# Park and Miller: the state stays below 2^31, so that products fit a double.
	state = seed * 7919
	for (row = 0; row < order; row++)
		for (column = 0; column < order; column++) {
			state = (state * 16807) % 2147483647
			printf "%d%s", int(state / 1000) % 100, column < order - 1 ? " " : "\n"
		}
}'
