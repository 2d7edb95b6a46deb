/* SPDX-License-Identifier: ISC */
/*
 * test_guards.c - the guards are taken off the initial stack and nothing else
 * is touched; they and their digest are what everybody else computes
 */
#include "run_suite.h"

#include "start/start.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((visibility("hidden"))) void psu_guards_take(long *stack);

#define WORDS_MAX 64

/** An initial stack: argc, two arguments, environment, auxiliary vector. */
struct start {
	long words[WORDS_MAX];
	size_t count;
	unsigned char random[16];
};

static void put(struct start *start, const void *word)
{
	ck_assert_uint_lt(start->count, WORDS_MAX);
	start->words[start->count++] = (long)word;
}

/** @variable  put at position @at of the environment, unless it is NULL */
static void make_start(struct start *start, const char *variable, int at)
{
	static const char *const others[] = {"HOME=/", "PSU_THREAD_GUARDS_F=1",
										 "PSU_THREAD_GUARDS_FD_2=9", ""};

	memset(start, 0, sizeof(*start));
	memset(start->random, 0x55, sizeof(start->random));
	put(start, (void *)2);
	put(start, "program");
	put(start, "PSU_THREAD_GUARDS_FD=3"); /* an argument is none */
	put(start, NULL);
	for (int i = 0; i <= 4; i++) {
		if (i == at && variable)
			put(start, variable);
		if (i < 4)
			put(start, others[i]);
	}
	put(start, NULL);
	put(start, (void *)AT_PAGESZ);
	put(start, (void *)4096);
	put(start, (void *)AT_RANDOM);
	put(start, start->random);
	put(start, (void *)AT_SECURE);
	put(start, (void *)0); /* a value of 0 ends nothing */
	put(start, (void *)AT_CLKTCK);
	put(start, (void *)100);
	put(start, (void *)AT_NULL);
	put(start, NULL);
}

/** A descriptor as the restarting program leaves it, with @len bytes. */
static int hand_over(size_t len)
{
	unsigned char bytes[PSU_GUARDS_HANDED_LEN];
	int fd = memfd_create("test", 0);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i + 1);
	ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

START_TEST(guards_are_taken)
{
	struct start start, without;
	char variable[64];
	int fd = hand_over(PSU_GUARDS_HANDED_LEN);

	snprintf(variable, sizeof(variable), PSU_GUARDS_VARIABLE "=%d", fd);
	make_start(&start, variable, _i);
	make_start(&without, NULL, 0);
	psu_guards_take(start.words);

	ck_assert_int_eq(psu_guards_handed.found, 1);
	ck_assert_int_eq(psu_guards_handed.restarts, PSU_GUARDS_LEN + 1);
	for (int i = 0; i < PSU_GUARDS_LEN; i++) {
		ck_assert_int_eq(start.random[i], i + 1);
		ck_assert_int_eq(psu_guards_handed.bytes[i], i + 1);
	}
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);

	/* the stack is as if the variable had never been there */
	for (size_t i = 0; i < without.count; i++)
		if (without.words[i] == (long)without.random)
			ck_assert_int_eq(start.words[i], (long)start.random);
		else
			ck_assert_int_eq(start.words[i], without.words[i]);
}
END_TEST

/** Nothing is taken, and nothing is touched. */
static void check_untouched(struct start *start)
{
	struct start before = *start;

	psu_guards_take(start->words);
	ck_assert_int_eq(psu_guards_handed.found, 0);
	ck_assert_mem_eq(start, &before, sizeof(before));
}

START_TEST(nothing_is_taken)
{
	static const char *const variables[] = {
		NULL,
		PSU_GUARDS_VARIABLE "=x", /* 72, if it were a digit */
		PSU_GUARDS_VARIABLE "=-1",
		PSU_GUARDS_VARIABLE "=1x",
		PSU_GUARDS_VARIABLE "= 1",
		PSU_GUARDS_VARIABLE "=4294967295",
		PSU_GUARDS_VARIABLE "=4294967368", /* 2^32 + 72 */
		PSU_GUARDS_VARIABLE "=99999",
	};
	struct start start;

	/* what a careless reader would take */
	ck_assert_int_eq(dup2(hand_over(PSU_GUARDS_HANDED_LEN), 'x' - '0'), 72);
	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		make_start(&start, variables[i], 2);
		check_untouched(&start);
	}
}
END_TEST

START_TEST(too_little_is_handed_over)
{
	char variable[64];
	struct start start;

	for (size_t len = 0; len < PSU_GUARDS_HANDED_LEN; len++) {
		int fd = hand_over(len);

		snprintf(variable, sizeof(variable), PSU_GUARDS_VARIABLE "=%d", fd);
		make_start(&start, variable, 1);
		check_untouched(&start);
		close(fd);
	}
}
END_TEST

START_TEST(kernel_gives_no_random_bytes)
{
	char variable[64];
	struct start start;
	int fd = hand_over(PSU_GUARDS_HANDED_LEN);

	snprintf(variable, sizeof(variable), PSU_GUARDS_VARIABLE "=%d", fd);
	make_start(&start, variable, 0);
	for (size_t i = 0; i < start.count; i++)
		if (start.words[i] == (long)AT_RANDOM)
			start.words[i] = AT_IGNORE;
	check_untouched(&start);
}
END_TEST

/* ---- derived, and told */

/* openssl kdf -keylen 16 -kdfopt digest:SHA256 -kdfopt hexkey:000102...1f \
 *   -kdfopt hexsalt:646566...83 -kdfopt info:"psu_thread guards" HKDF */
START_TEST(guards_are_hkdf)
{
	uint8_t key[32], guards[PSU_GUARDS_LEN];
	struct psu_digest program;
	char hex[2 * PSU_GUARDS_LEN + 1];

	for (uint8_t i = 0; i < 32; i++) {
		key[i] = i;
		program.bytes[i] = (uint8_t)(100 + i);
	}
	psu_guards_derive(key, &program, guards);
	psu_bytes_hex(guards, sizeof(guards), hex);
	ck_assert_str_eq(hex, "efd7dc9ab6efd01e3a6aad73359258f5");
}
END_TEST

static uint64_t pointer_guard(void)
{
	uint64_t value;

	__asm__ volatile("mov %%fs:0x30, %0" : "=r"(value));
	return value;
}

static void digest_with(const uint8_t key[32], uint64_t canary_bits,
						uint64_t pointer_bits, struct psu_digest *digest_out)
{
	uint64_t canary, pointer = pointer_guard();

	/* nothing that was called before returns meanwhile */
	__asm__ volatile("mov %%fs:0x28, %0" : "=r"(canary));
	__asm__ volatile("mov %0, %%fs:0x28" : : "r"(canary ^ canary_bits));
	__asm__ volatile("mov %0, %%fs:0x30" : : "r"(pointer ^ pointer_bits));
	psu_guards_digest(key, digest_out);
	__asm__ volatile("mov %0, %%fs:0x28" : : "r"(canary));
	__asm__ volatile("mov %0, %%fs:0x30" : : "r"(pointer));
}

START_TEST(digest_tells_guards_apart)
{
	uint8_t key[32] = {1};
	struct psu_digest digest, other;

	digest_with(key, 0, 0, &digest);
	digest_with(key, 0, 0, &other);
	ck_assert(psu_digest_equal(&digest, &other));
	for (int bit = 0; bit < 64; bit++) {
		digest_with(key, UINT64_C(1) << bit, 0, &other);
		ck_assert(!psu_digest_equal(&digest, &other));
		digest_with(key, 0, UINT64_C(1) << bit, &other);
		ck_assert(!psu_digest_equal(&digest, &other));
	}
	for (int bit = 0; bit < 256; bit++) {
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		digest_with(key, 0, 0, &other);
		ck_assert(!psu_digest_equal(&digest, &other));
		key[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guards");
	TCase *tcase = tcase_create("guards");

	tcase_add_loop_test(tcase, guards_are_taken, 0, 5);
	tcase_add_test(tcase, nothing_is_taken);
	tcase_add_test(tcase, too_little_is_handed_over);
	tcase_add_test(tcase, kernel_gives_no_random_bytes);
	tcase_add_test(tcase, guards_are_hkdf);
	tcase_add_test(tcase, digest_tells_guards_apart);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
