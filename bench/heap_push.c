/* SPDX-License-Identifier: ISC */
/*
 * heap_push.c - as many bytes without the library, and what memory they take
 */
#include "heap.h"
#include "line.h"

#include <string.h>
#include <sys/mman.h>

static SSL *line;	  /* here */
static size_t before; /* memory in use, here or there */

/* ---- memory of this process, bytes */

static size_t read_status(const char *format)
{
	FILE *file = fopen("/proc/self/status", "re");
	char text[128];
	size_t kib = 0;

	while (file && fgets(text, sizeof(text), file) &&
		   sscanf(text, format, &kib) != 1)
		continue;
	if (!file || !kib)
		bench_fail("cannot read /proc/self/status");
	fclose(file);
	return kib << 10;
}

/** Forget the peak.  Returns what is in use. */
static size_t reset_peak(void)
{
	FILE *file = fopen("/proc/self/clear_refs", "we");

	if (!file || fputs("5", file) < 0 || fclose(file) != 0)
		bench_fail("cannot write to /proc/self/clear_refs");
	return read_status("VmRSS: %zu kB");
}

static size_t peak(void)
{
	return read_status("VmHWM: %zu kB");
}

/* ---- there: one word at a time */

static void *map(size_t len)
{
	void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
						MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		bench_fail("no memory");
	return memory;
}

/** A virtual machine may have given free memory back to its host, which takes
 * longer to get again than all that is measured here: have so much of it. */
static void warm(size_t len)
{
	uint8_t *memory = map(len);

	madvise(memory, len, MADV_HUGEPAGE);
	memset(memory, 1, len);
	munmap(memory, len);
}

static size_t recv_len(SSL *caller)
{
	uint16_t mib;

	if (!bench_line_recv(caller, &mib, sizeof(mib)))
		bench_fail("a push was cut short");
	return (size_t)mib * MIB;
}

static void take_push(SSL *caller, uint8_t *used, bool is_new)
{
	size_t len = recv_len(caller);
	uint8_t *memory = is_new ? map(len) : used;

	if (!bench_line_recv(caller, memory, len))
		bench_fail("a push was cut short");
	bench_line_send(caller, "", 1);
	if (is_new)
		munmap(memory, len);
}

static void *serve(void *listen_fd)
{
	SSL *caller = bench_line_accept(*(int *)listen_fd);
	uint8_t word, *used = NULL;
	size_t grown;

	while (bench_line_recv(caller, &word, 1)) {
		if (word == WORD_PUSH_USED && !used) {
			used = map(LEN_MAX * (size_t)MIB);
			memset(used, 1, LEN_MAX * (size_t)MIB);
		}
		if (word == WORD_RESET) {
			if (used)
				munmap(used, LEN_MAX * (size_t)MIB);
			used = NULL;
			before = reset_peak();
			bench_line_send(caller, "", 1);
		} else if (word == WORD_PEAK) {
			grown = peak() - before;
			bench_line_send(caller, &grown, sizeof(grown));
		} else if (word == WORD_WARM) {
			warm(recv_len(caller));
			bench_line_send(caller, "", 1);
		} else {
			take_push(caller, used, word == WORD_PUSH_NEW);
		}
	}
	return NULL;
}

unsigned heap_push_serve(void)
{
	return bench_line_listen(serve);
}

/* ---- here */

void heap_push_connect(unsigned port)
{
	line = bench_line_dial(port);
}

double heap_push(enum heap_word word, size_t mib, const uint8_t *block)
{
	struct {
		uint8_t zero, word;
		uint16_t mib;
	} head = {.word = (uint8_t)word, .mib = (uint16_t)mib};
	uint64_t begun = bench_now_ns();
	uint8_t answer;

	bench_line_send(line, &head.word, 3);
	if (block)
		bench_line_send(line, block, mib * MIB);
	if (!bench_line_recv(line, &answer, 1))
		bench_fail("a push was not answered");
	return (double)(bench_now_ns() - begun) / 1e6;
}

void heap_push_reset_peak(void)
{
	uint8_t answer;

	bench_line_ask(line, WORD_RESET, &answer, 1);
	before = reset_peak();
}

void heap_push_peak(size_t grown_out[2])
{
	grown_out[0] = peak() - before;
	bench_line_ask(line, WORD_PEAK, &grown_out[1], sizeof(grown_out[1]));
}
