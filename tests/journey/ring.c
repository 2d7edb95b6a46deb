/* SPDX-License-Identifier: ISC */
/*
 * ring.c - one thread that goes round and round
 *
 *     ring CERTS                    serves until a line "quit"
 *     ring CERTS HOPS HOST... home  the same, and starts a thread that goes
 *                                   from HOST to HOST and home, in HOPS moves
 *
 * The thread comes home at last, where its result and its itinerary are
 * looked at, each link's signature too.
 */
#include "journey/process.h"
#include "journey/traveller.h"

#include <psu_thread.h>

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 8
#define PEERS_LEN_MAX 65536

struct plan {
	unsigned long hops;
	unsigned long host_count;
	char hosts[HOSTS_MAX][64];
};

static int failed; /* in this process */
static const char *certs;

static void expect(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s: %s\n", what, psu_thread_errmsg());
	failed = 1;
}

/* ---- at home again */

static void look_at_hops(unsigned long hops)
{
	struct psu_thread_hop newest[16];
	long count = psu_thread_hops(newest, 16);

	expect(count == (long)hops, "it has moved so often");
	for (unsigned long i = 0; i < 16 && i < hops; i++)
		expect(newest[i].generation == hops - i, "each move is in its place");
	expect(strcmp(newest[0].to, psu_thread_host()) == 0, "it led home");
}

static void look_at_links(void)
{
	static char text[PEERS_LEN_MAX];
	struct psu_peers *peers = NULL;
	char path[4096];
	size_t len = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/peers", certs);
	file = fopen(path, "r");
	if (file) {
		len = fread(text, 1, sizeof(text), file);
		fclose(file);
	}
	expect(psu_peers_parse(text, len, path, &peers) == 0, "a peers file");
	if (!peers)
		return;
	expect(psu_itinerary_verify(
			   &psu_local.self->itinerary, peers,
			   psu_trust_sign_secret(psu_process_get()->trust) +
				   PSU_SIGN_SECRET_LEN - PSU_SIGN_PUBLIC_LEN) == 0,
		   "every link is signed and fits");
	psu_peers_free(peers);
}

/* ---- the thread */

static void *go_round(void *argument)
{
	struct plan plan = *(const struct plan *)argument;
	volatile unsigned long sum = 0;

	for (unsigned long i = 0; i < plan.hops; i++) {
		const char *host = plan.hosts[i % plan.host_count];

		if (psu_thread_migrate(strcmp(host, "home") == 0 ? PSU_THREAD_HOME
														 : host) != 0)
			return NULL;
		sum += i;
	}
	look_at_hops(plan.hops);
	look_at_links();
	return (void *)sum;
}

static void start_round(char **argv)
{
	struct plan plan = {.hops = strtoul(argv[2], NULL, 10)};
	struct psu_thread_outcome outcome;
	struct psu_thread_handle *thread;
	void *result = NULL;

	for (char **host = argv + 3; *host && plan.host_count < HOSTS_MAX; host++)
		snprintf(plan.hosts[plan.host_count++], sizeof(plan.hosts[0]), "%s",
				 *host);
	expect(psu_thread_start(go_round, &plan, NULL, &thread) == 0, "it starts");
	if (failed)
		return;
	expect(psu_thread_join(thread, &result, &outcome) == 0, "it is joined");
	expect(outcome.end == PSU_THREAD_ENDED_HERE, "it has ended here");
	expect(result == (void *)(plan.hops * (plan.hops - 1) / 2),
		   "its result is right");
	puts(failed ? "wrong" : "right");
}

static void *serve(void *unused)
{
	expect(psu_thread_serve(5000) == 0, "nobody stays");
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t server;
	char line[8];

	setvbuf(stdout, NULL, _IOLBF, 0);
	certs = argv[1];
	if (argc < 2 || psu_thread_setup_init(PSU_THREAD_SERVER, argv[1]) != 0 ||
		pthread_create(&server, NULL, serve, NULL) != 0)
		return EXIT_FAILURE;
	if (argc > 3)
		start_round(argv);
	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n") != 0)
		continue;
	psu_thread_stop();
	pthread_join(server, NULL);
	return failed;
}
