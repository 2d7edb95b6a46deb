/* SPDX-License-Identifier: ISC */
/*
 * digests.c - one thread that digests what another one sends or receives
 */
#include "journey/digests.h"
#include "bytes/sha256.h"
#include "journey/process.h"
#include "report/traffic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/** What is hashed at a time, some 15 us of work. */
#define PART_LEN (32u << 10)

struct psu_digests {
	const struct psu_heap_map *map;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	uint64_t ready; /* bytes that are there */
	bool over;		/* nobody wants the rest */
	bool done;		/* the thread has ended */

	/* the thread's own until it is done */
	size_t next_run;
	uint64_t at, left; /* of the run in hand */
	uint64_t digested;
	uint8_t list[]; /* a digest of each chunk, and room for a signature */
};

/** Until so many bytes are there.  False: nobody wants them any more. */
static bool await_bytes(struct psu_digests *digests, uint64_t len)
{
	bool go_on;

	pthread_mutex_lock(&digests->lock);
	while (!digests->over && digests->ready < len)
		pthread_cond_wait(&digests->changed, &digests->lock);
	go_on = !digests->over;
	pthread_mutex_unlock(&digests->lock);
	return go_on;
}

/** Take the next run that travels in hand.  There is one. */
static void take_run(struct psu_digests *digests)
{
	const struct psu_heap_run *run;

	do {
		run = &digests->map->runs[digests->next_run++];
		digests->at += (uint64_t)run->gap * PSU_HEAP_PAGE_LEN;
		digests->left = (uint64_t)run->count * PSU_HEAP_PAGE_LEN;
		if (run->kept)
			digests->at += digests->left;
	} while (run->kept);
}

static void digest_chunk(struct psu_digests *digests, uint64_t len,
						 uint8_t *digest_out)
{
	struct psu_sha256 hash;
	struct psu_digest digest;

	psu_sha256_init(&hash);
	while (len) {
		uint64_t part;

		if (!digests->left)
			take_run(digests);
		part = digests->left < len ? digests->left : len;
		part = part < PART_LEN ? part : PART_LEN;
		psu_sha256_update(&hash, (const void *)digests->at, part);
		digests->at += part;
		digests->left -= part;
		len -= part;
		psu_traffic_give_way();
	}
	psu_sha256_final(&hash, &digest);
	memcpy(digest_out, digest.bytes, sizeof(digest.bytes));
}

static void *work(void *argument)
{
	struct psu_digests *digests = argument;
	uint64_t all = psu_heap_map_len(digests->map);

	for (uint8_t *at = digests->list; digests->digested < all;
		 at += sizeof(struct psu_digest)) {
		uint64_t len = all - digests->digested;

		len = len < PSU_CHUNK_LEN ? len : PSU_CHUNK_LEN;
		if (!await_bytes(digests, digests->digested + len))
			break;
		digest_chunk(digests, len, at);
		digests->digested += len;
	}
	pthread_mutex_lock(&digests->lock);
	digests->done = true;
	pthread_cond_broadcast(&digests->changed);
	pthread_mutex_unlock(&digests->lock);
	return NULL;
}

int psu_digests_begin(const struct psu_heap_map *map, uint64_t low,
					  struct psu_digests **digests_out)
{
	uint64_t len = psu_heap_map_len(map);
	struct psu_digests *digests = calloc(1, sizeof(*digests) +
												psu_attest_len(len));
	int rc = 0;

	if (!digests)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for the digests of a heap: free some");
	digests->map = map;
	digests->at = low;
	pthread_mutex_init(&digests->lock, NULL);
	pthread_cond_init(&digests->changed, NULL);
	digests->done = !len;
	if (len)
		rc = psu_process_spawn(work, digests);
	if (rc)
		free(digests);
	else
		*digests_out = digests;
	return rc;
}

void psu_digests_advance(struct psu_digests *digests, uint64_t len)
{
	/* the thread waits for whole chunks */
	pthread_mutex_lock(&digests->lock);
	digests->ready = len;
	pthread_cond_broadcast(&digests->changed);
	pthread_mutex_unlock(&digests->lock);
}

uint8_t *psu_digests_await(struct psu_digests *digests)
{
	pthread_mutex_lock(&digests->lock);
	while (!digests->done)
		pthread_cond_wait(&digests->changed, &digests->lock);
	pthread_mutex_unlock(&digests->lock);
	return digests->list;
}

void psu_digests_free(struct psu_digests *digests)
{
	if (!digests)
		return;
	pthread_mutex_lock(&digests->lock);
	digests->over = true;
	pthread_cond_broadcast(&digests->changed);
	pthread_mutex_unlock(&digests->lock);
	psu_digests_await(digests);
	free(digests);
}
