// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

// product A B REPEAT OUT: the matrix A·B·B·…·B with REPEAT factors B, every element modulo the prime 2^31 - 1.
//
// A file holds the order n, then n·n elements row by row, all unsigned decimal numbers with white space between.
// Whole numbers, so that every machine finds the same.

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRIME UINT64_C(2147483647)
#define MAX_ORDER 4096

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static uint32_t *allocate(uint64_t order)
{
	uint32_t *matrix = malloc(order * order * sizeof *matrix);
	if (!matrix)
		fail("product", "out of memory");
	return matrix;
}

static uint64_t number(FILE *file, const char *path)
{
	uint64_t value;
	if (fscanf(file, "%" SCNu64, &value) != 1)
		fail(path, "a number is missing");
	return value;
}

static uint32_t *load(const char *path, uint64_t *order)
{
	FILE *file = fopen(path, "r");
	if (!file)
		fail(path, strerror(errno));
	*order = number(file, path);
	if (*order == 0 || *order > MAX_ORDER)
		fail(path, "the order is 0 or too large");
	uint32_t *matrix = allocate(*order);
	for (uint64_t i = 0; i < *order * *order; i++)
		matrix[i] = number(file, path) % PRIME;
	fclose(file);
	return matrix;
}

// c = a·b. The inner loop goes along rows of both, which suits caches.
static void multiply(const uint32_t *a, const uint32_t *b, uint32_t *c, uint64_t n)
{
	uint64_t *row = malloc(n * sizeof *row);
	if (!row)
		fail("product", "out of memory");
	for (uint64_t i = 0; i < n; i++) {
		memset(row, 0, n * sizeof *row);
		for (uint64_t k = 0; k < n; k++) {
			uint64_t factor = a[i * n + k];
			for (uint64_t j = 0; j < n; j++)
				row[j] = (row[j] + factor * b[k * n + j]) % PRIME;
		}
		for (uint64_t j = 0; j < n; j++)
			c[i * n + j] = row[j];
	}
	free(row);
}

int main(int count, char **arguments)
{
	if (count != 5)
		fail("usage", "product A B REPEAT OUT");
	uint64_t n, other;
	uint32_t *a = load(arguments[1], &n), *b = load(arguments[2], &other);
	if (n != other)
		fail("product", "the orders differ");
	uint32_t *c = allocate(n);
	for (unsigned long repeat = strtoul(arguments[3], NULL, 10); repeat > 0; repeat--) {
		multiply(a, b, c, n);
		uint32_t *swap = a;
		a = c;
		c = swap;
	}
	FILE *out = fopen(arguments[4], "w");
	if (!out)
		fail(arguments[4], strerror(errno));
	fprintf(out, "%" PRIu64 "\n", n);
	for (uint64_t i = 0; i < n * n; i++)
		fprintf(out, "%" PRIu32 "%c", a[i], (i + 1) % n ? ' ' : '\n');
	if (fclose(out))
		fail(arguments[4], strerror(errno));
	return 0;
}
