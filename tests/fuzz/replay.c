/* SPDX-License-Identifier: ISC */
/*
 * replay.c - run a fuzz target without a fuzzer
 *
 * usage: fuzz_TARGET [FILE|DIRECTORY]...
 *
 * Replays the given inputs through the linked target, then MUTATIONS seeded
 * changes of them.  Without arguments: those of $srcdir/tests/fuzz/corpus/
 * TARGET.  The seed is printed before it is used; PSU_FUZZ_SEED sets it.
 * Fails by the target's abort, a signal or a sanitizer.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define MUTATIONS 5000
#define INPUTS_MAX 4096
#define INPUT_LEN_MAX (1 << 20)
#define GROWTH_MAX 64

struct input {
	uint8_t *bytes;
	size_t len;
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;
static uint64_t random_state;

static void fail(const char *what, const char *path)
{
	fprintf(stderr, "replay: %s %s: %s\n", what, path, strerror(errno));
	exit(EXIT_FAILURE);
}

/** SplitMix64: small, and the same everywhere. */
static uint64_t random_number(uint64_t bound)
{
	uint64_t mixed = random_state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
	return (mixed ^ mixed >> 31) % bound;
}

static void load_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(INPUT_LEN_MAX);
	size_t len;

	if (!file || !bytes || input_count == INPUTS_MAX)
		fail("cannot load", path);
	len = fread(bytes, 1, INPUT_LEN_MAX, file);
	if (ferror(file))
		fail("cannot read", path);
	fclose(file);
	inputs[input_count++] = (struct input){bytes, len};
}

static void load_directory(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	char name[4096];

	if (count < 0)
		fail("cannot list", path);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			load_file(name);
		free(entries[i]);
	}
	free(entries);
}

static void load(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		fail("cannot find", path);
	if (S_ISDIR(status.st_mode))
		load_directory(path);
	else
		load_file(path);
}

/** The committed corpus of the target that this program is named after. */
static void load_own_corpus(const char *program)
{
	const char *srcdir = getenv("srcdir");
	const char *target = strrchr(program, '_');
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
			 srcdir ? srcdir : ".", target ? target + 1 : program);
	load(path);
}

/** Run the target on a block of exactly @len bytes, so that a tool that
 * watches memory sees one byte too far. */
static void run(const uint8_t *bytes, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	if (!exact)
		fail("no memory for", "an input");
	if (len)
		memcpy(exact, bytes, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

/** One change to bytes that have room for GROWTH_MAX more. */
static size_t mutate(uint8_t *bytes, size_t len)
{
	static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff};
	size_t at = len ? random_number(len) : 0;
	size_t run_len = 1 + random_number(GROWTH_MAX);

	switch (len ? random_number(6) : 5) {
	case 0:
		bytes[at] ^= (uint8_t)(1u << random_number(8));
		return len;
	case 1:
		bytes[at] = telling[random_number(sizeof(telling))];
		return len;
	case 2: /* cut */
		return at;
	case 3: /* take out */
		run_len = run_len < len - at ? run_len : len - at;
		memmove(bytes + at, bytes + at + run_len, len - at - run_len);
		return len - run_len;
	case 4: /* copy within */
		run_len = run_len < len - at ? run_len : len - at;
		memmove(bytes + random_number(len - run_len + 1), bytes + at, run_len);
		return len;
	default: /* put in */
		memmove(bytes + at + run_len, bytes + at, len - at);
		for (size_t i = 0; i < run_len; i++)
			bytes[at + i] = (uint8_t)random_number(256);
		return len + run_len;
	}
}

static void run_mutations(void)
{
	uint8_t *bytes = malloc(INPUT_LEN_MAX + 4 * GROWTH_MAX);

	if (!bytes)
		fail("no memory for", "mutations");
	for (size_t i = 0; i < MUTATIONS; i++) {
		const struct input *input = &inputs[random_number(input_count)];
		size_t len = input->len;

		memcpy(bytes, input->bytes, len);
		for (uint64_t count = 1 + random_number(4); count > 0; count--)
			len = mutate(bytes, len);
		run(bytes, len);
	}
	free(bytes);
}

static void choose_seed(void)
{
	const char *given = getenv("PSU_FUZZ_SEED");

	if (given)
		random_state = strtoull(given, NULL, 0);
	else if (getrandom(&random_state, sizeof(random_state), 0) < 0)
		fail("cannot get", "a seed");
	printf("%zu inputs, then %d mutations, PSU_FUZZ_SEED=0x%llx\n", input_count,
		   MUTATIONS, (unsigned long long)random_state);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		load(argv[i]);
	if (argc < 2)
		load_own_corpus(argv[0]);
	if (input_count == 0) {
		fprintf(stderr, "replay: no inputs\n");
		return EXIT_FAILURE;
	}
	choose_seed();
	for (size_t i = 0; i < input_count; i++)
		run(inputs[i].bytes, inputs[i].len);
	run_mutations();
	for (size_t i = 0; i < input_count; i++)
		free(inputs[i].bytes);
	return EXIT_SUCCESS;
}
