/* SPDX-License-Identifier: ISC */
/*
 * test_preflight.c - what is mapped, and what of libc's heap is in use?
 *
 * Chunks are laid out here as glibc does it, and glibc's own are asked for.
 */
#include "run_suite.h"

#include "preflight/preflight.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* ---- mappings */

static const char maps[] =
	"00400000-00401000 r--p 00000000 fe:00 1234       /usr/bin/a program\n"
	"00500000-00580000 rw-p 00000000 00:00 0          [heap]\n"
	"00580000-00600000 rw-p 00000000 00:00 0          [heap]\n"
	"7f0000000000-7f0000001000 ---p 00000000 00:00 0 \n"
	"7f0000001000-7f0000003000 rw-p 00000000 00:00 0 \n"
	"7f0000003000-7f0000004000 rw-s 00000000 00:01 99 /dev/zero (deleted)\n"
	"7f0000005000-7f0000006000 rw-p 00000000 00:00 0  [anon:name]\n"
	"7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0  [stack]\n"
	"7ffe00030000-7ffe00034000 r--p 00000000 00:00 0  [vvar]\n"
	"7ffe00034000-7ffe00036000 r-xp 00000000 00:00 0  [vdso]\n"
	"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";

static struct psu_mappings mappings;

static void parse(size_t room)
{
	memcpy(mappings.text, maps, sizeof(maps));
	mappings.count = psu_mappings_parse(mappings.text, mappings.list, room);
}

static void expect_mapping(size_t number, uint64_t start, uint64_t end,
						   enum psu_mapping_kind kind, const char *path)
{
	const struct psu_mapping *mapping = &mappings.list[number];

	ck_assert_uint_eq(mapping->start, start);
	ck_assert_uint_eq(mapping->end, end);
	ck_assert_int_eq(mapping->kind, kind);
	ck_assert_str_eq(mapping->path, path);
}

START_TEST(parsed)
{
	parse(100);
	ck_assert_uint_eq(mappings.count, 6);
	expect_mapping(0, 0x400000, 0x401000, PSU_MAPPING_FILE,
				   "/usr/bin/a program");
	expect_mapping(1, 0x500000, 0x600000, PSU_MAPPING_BREAK, "");
	expect_mapping(2, 0x7f0000001000, 0x7f0000003000, PSU_MAPPING_ANONYMOUS,
				   "");
	expect_mapping(3, 0x7f0000003000, 0x7f0000004000, PSU_MAPPING_FILE,
				   "/dev/zero (deleted)");
	expect_mapping(4, 0x7f0000005000, 0x7f0000006000, PSU_MAPPING_ANONYMOUS,
				   "");
	expect_mapping(5, 0x7ffe00000000, 0x7ffe00021000, PSU_MAPPING_STACK, "");
	parse(3);
	ck_assert_uint_eq(mappings.count, 3);
	ck_assert_uint_eq(psu_mappings_parse(strcpy(mappings.text, "nonsense\n-"),
										 mappings.list, 3),
					  0);
}
END_TEST

START_TEST(found)
{
	parse(100);
	for (size_t i = 0; i < mappings.count; i++) {
		const struct psu_mapping *mapping = &mappings.list[i];

		ck_assert_ptr_eq(psu_mappings_find(&mappings, mapping->start), mapping);
		ck_assert_ptr_eq(psu_mappings_find(&mappings, mapping->end - 1),
						 mapping);
	}
	ck_assert_ptr_null(psu_mappings_find(&mappings, 0));
	ck_assert_ptr_null(psu_mappings_find(&mappings, 0x3fffff));
	ck_assert_ptr_null(psu_mappings_find(&mappings, 0x401000));
	ck_assert_ptr_null(psu_mappings_find(&mappings, 0x7f0000004000));
	ck_assert_ptr_null(psu_mappings_find(&mappings, UINT64_MAX));
}
END_TEST

START_TEST(own_ones)
{
	static int global;
	int local;

	ck_assert_int_eq(psu_mappings_read(&mappings), 0);
	ck_assert_int_eq(psu_mappings_find(&mappings, (uint64_t)&local)->kind,
					 PSU_MAPPING_STACK);
	ck_assert_ptr_nonnull(psu_mappings_find(&mappings, (uint64_t)&global));
	for (size_t i = 1; i < mappings.count; i++)
		ck_assert_uint_ge(mappings.list[i].start, mappings.list[i - 1].end);
}
END_TEST

/* ---- chunks, laid out by hand where the break might be */

#define ARENA_LEN (1u << 20)
#define IN_USE 1u

static struct psu_chunks chunks;
static uint8_t *arena;
static uint64_t arena_end; /* of the chunks so far */

static void setup(void)
{
	/* what lies behind it looks like a chunk whose neighbour is in use */
	arena = psu_memory_take(ARENA_LEN + 4096);
	memset(arena + ARENA_LEN, 0x21, 4096);
	arena_end = (uint64_t)arena;
	mappings.count = 1;
	mappings.list[0] = (struct psu_mapping){
		.start = (uint64_t)arena,
		.end = (uint64_t)arena + ARENA_LEN,
		.kind = PSU_MAPPING_BREAK,
		.path = "",
	};
	memset(&chunks, 0, sizeof(chunks));
}

static void teardown(void)
{
	psu_chunks_free(&chunks);
	munmap(arena, ARENA_LEN + 4096);
}

/** Returns its block.  @bits  0 or IN_USE, which is about the one before */
static uint64_t *add_chunk(uint64_t len, unsigned bits)
{
	uint64_t *head = (uint64_t *)arena_end;

	head[1] = len | bits;
	head[2] = 0x1111;
	arena_end += len;
	return head + 2;
}

static uint64_t *add_last(unsigned bits)
{
	return add_chunk((uint64_t)arena + ARENA_LEN - arena_end, bits);
}

static enum psu_chunk find(const void *pointer, struct psu_block *block_out)
{
	*block_out = (struct psu_block){0};
	return psu_chunks_find(&chunks, &mappings, mappings.list, (uint64_t)pointer,
						   block_out);
}

static void expect(const void *pointer, enum psu_chunk verdict)
{
	struct psu_block block;

	ck_assert_int_eq(find(pointer, &block), verdict);
}

static void expect_block(const void *pointer, const uint64_t *begin,
						 uint64_t len)
{
	struct psu_block block;

	ck_assert_int_eq(find(pointer, &block), PSU_CHUNK_USED);
	ck_assert_uint_eq(block.addr, (uint64_t)begin);
	ck_assert_uint_eq(block.len, len);
}

START_TEST(used_and_free)
{
	uint64_t *used, *freed, *behind, *last;

	arena_end += 4096; /* as a program's thread-locals */
	used = add_chunk(0x70, IN_USE);
	freed = add_chunk(0x500, IN_USE);
	behind = add_chunk(0x20, 0);
	last = add_last(IN_USE);
	expect_block(used, used, 0x68);
	expect_block(used + 1, used, 0x68);
	expect_block((char *)used + 0x67, used, 0x68);
	expect(used - 1, PSU_CHUNK_FREE);
	expect(used - 2, PSU_CHUNK_FREE);
	expect(arena, PSU_CHUNK_FREE);
	expect(freed, PSU_CHUNK_FREE);
	expect(freed + 20, PSU_CHUNK_FREE);
	expect_block(behind, behind, 0x18);
	expect(last, PSU_CHUNK_FREE);
	expect(arena + ARENA_LEN - 1, PSU_CHUNK_FREE);
}
END_TEST

/** In tcache links lead to blocks, in fast bins to chunks. */
START_TEST(linked_small_ones)
{
	uint64_t *list[7];

	for (int i = 0; i < 7; i++)
		list[i] = add_chunk(0x40, IN_USE);
	add_last(IN_USE);
	*list[0] = (uint64_t)list[0] >> 12;
	*list[1] = (uint64_t)list[0] ^ (uint64_t)list[1] >> 12;
	*list[2] = (uint64_t)(list[1] - 2) ^ (uint64_t)list[2] >> 12;
	for (int i = 0; i < 3; i++)
		expect(list[i], PSU_CHUNK_FREE);
	/* nearly so */
	*list[3] = (uint64_t)list[1];
	*list[4] = ((uint64_t)list[1] + 8) ^ (uint64_t)list[4] >> 12;
	*list[5] = UINT64_C(0x10) ^ (uint64_t)list[5] >> 12;
	*list[6] = (uint64_t)(list[1] + 2) ^ (uint64_t)list[6] >> 12;
	for (int i = 3; i < 7; i++)
		expect(list[i], PSU_CHUNK_USED);
}
END_TEST

/** Where chunks begin is not known: but for begins of blocks nothing is. */
START_TEST(broken_chain)
{
	uint64_t *used = add_chunk(0x70, IN_USE);

	add_chunk(0x50, IN_USE);
	arena_end += 32;
	expect_block(used, used, 0x68);
	expect(used + 2, PSU_CHUNK_FREE);
	expect((char *)used + 1, PSU_CHUNK_FREE);
	expect(arena, PSU_CHUNK_FREE);
	expect(arena + ARENA_LEN - 8, PSU_CHUNK_FREE);
}
END_TEST

/* ---- and glibc's own */

/** AddressSanitizer has another malloc(). */
void asan_init(void) __asm__("__asan_init") __attribute__((weak));

static enum psu_chunk ask(const void *pointer)
{
	struct psu_block block;
	const struct psu_mapping *mapping;

	memset(&chunks, 0, sizeof(chunks));
	ck_assert_int_eq(psu_mappings_read(&mappings), 0);
	mapping = psu_mappings_find(&mappings, (uint64_t)pointer);
	if (!mapping)
		return PSU_CHUNK_NONE;
	return psu_chunks_find(&chunks, &mappings, mapping, (uint64_t)pointer,
						   &block);
}

START_TEST(of_every_len)
{
	for (size_t len = 1; len < 5000000; len = len * 3 / 2 + 1) {
		char *before = malloc(len), *block = malloc(len);
		char *behind = malloc(len), *const volatile stale = block;

		memset(block, 1, len);
		ck_assert_int_eq(ask(block), PSU_CHUNK_USED);
		ck_assert_int_eq(ask(block + len - 1), PSU_CHUNK_USED);
		free(block);
		ck_assert_int_ne(ask(stale), PSU_CHUNK_USED);
		free(before);
		free(behind);
	}
}
END_TEST

/** More than tcache takes. */
START_TEST(of_every_bin)
{
	void *blocks[40];

	for (size_t len = 24; len < 3000; len += 160) {
		for (int i = 0; i < 40; i++)
			blocks[i] = malloc(len);
		for (int i = 0; i < 40; i += 2)
			free(blocks[i]);
		for (int i = 0; i < 40; i++)
			ck_assert_int_eq(ask(blocks[i]),
							 i % 2 ? PSU_CHUNK_USED : PSU_CHUNK_FREE);
		for (int i = 1; i < 40; i += 2)
			free(blocks[i]);
		for (int i = 0; i < 40; i++)
			ck_assert_int_ne(ask(blocks[i]), PSU_CHUNK_USED);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("preflight");
	TCase *tests = tcase_create("mappings");
	TCase *by_hand = tcase_create("chunks");
	TCase *of_libc = asan_init ? NULL : tcase_create("libc");

	tcase_add_test(tests, parsed);
	tcase_add_test(tests, found);
	tcase_add_test(tests, own_ones);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(by_hand, setup, teardown);
	tcase_add_test(by_hand, used_and_free);
	tcase_add_test(by_hand, linked_small_ones);
	tcase_add_test(by_hand, broken_chain);
	suite_add_tcase(suite, by_hand);
	if (of_libc) {
		tcase_set_timeout(of_libc, 60);
		tcase_add_test(of_libc, of_every_len);
		tcase_add_test(of_libc, of_every_bin);
		suite_add_tcase(suite, of_libc);
	}
	return run_suite(suite);
}
