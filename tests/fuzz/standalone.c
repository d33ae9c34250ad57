/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A main() for fuzz targets where there is no libFuzzer: gives the target the
 * empty input, every file of the directories named, every short prefix of
 * each, and a fixed number of seeded mutations. A failure is a crash.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"

#define INPUT_MAX    65536
#define PREFIX_MAX   256 /* prefixes up to this length are tried */
#define MUTATION_MAX 200 /* mutations of each file */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of its own size, so that ASan sees the first byte past it. */
static void
run_one(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
run_mutations(const uint8_t *data, size_t size, struct prng *g)
{
	static uint8_t m[INPUT_MAX];

	for (int i = 0; i < MUTATION_MAX && size > 0; i++) {
		size_t edits = prng_range(g, 1, 4);

		memcpy(m, data, size);
		while (edits-- > 0) {
			size_t at = prng_below(g, size);

			m[at] = prng_chance(g, 1, 2)
			            ? (uint8_t)prng_u32(g)
			            : m[at] ^ (uint8_t)(1u << prng_below(g, 8));
		}
		run_one(m, size);
	}
}

static int
run_file(const char *path, struct prng *g)
{
	static uint8_t data[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	run_one(data, size);
	for (size_t len = 0; len < size && len <= PREFIX_MAX; len++)
		run_one(data, len);
	run_mutations(data, size, g);
	return 0;
}

int
main(int argc, char **argv)
{
	struct prng g = prng_init(1);
	unsigned int files = 0;
	int status = 0;

	run_one(NULL, 0);
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *e;

		if (d == NULL) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		while ((e = readdir(d)) != NULL) {
			char path[4096];

			if (e->d_name[0] == '.')
				continue;
			snprintf(
			    path, sizeof(path), "%s/%s", argv[i], e->d_name);
			if (run_file(path, &g) != 0)
				status = 1;
			files++;
		}
		closedir(d);
	}
	printf("%u inputs\n", files);
	return files > 0 ? status : 1;
}
