/* SPDX-License-Identifier: ISC */
/*
 * bench_raw.c - what a move cannot do without, measured alone
 *
 * One warm TLS connection, opened as the library opens its own, between the
 * two processes.  A request is one byte, and what it needs; each is answered.
 */
#include "bench.h"
#include "journey/line.h"
#include "journey/process.h"
#include "journey/traveller.h"
#include "line.h"
#include "seal/seal.h"

#include <sodium.h>
#include <string.h>

#define DEADLINE_MS 10000
#define PUSH_LEN_MAX (2u << 20)
#define STACK_LEN (64u << 10)

enum word {
	WORD_ECHO = 'e',
	WORD_PUSH = 'p', /* and a length, and so many bytes less those */
	WORD_PARTS = 'v',
	WORD_SETTLE = 's',
	WORD_SETTLE_COLD = 'c',
	WORD_PHASES = 't'
};

/** A push: the word, its length, and the rest of it. */
struct push {
	uint8_t word;
	uint8_t zero[3];
	uint32_t len;
};

struct parts {
	double verify_us;
	double create_us;
};

static SSL *line; /* here */
static unsigned raw_port;
static uint8_t memory[PUSH_LEN_MAX];

/* ---- there */

static void *note_birth(void *born_ns)
{
	*(uint64_t *)born_ns = bench_now_ns();
	return NULL;
}

static double create_one(void)
{
	static uint8_t stack[STACK_LEN] __attribute__((aligned(4096)));
	pthread_attr_t attributes;
	pthread_t thread;
	uint64_t begun, born;

	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, stack, sizeof(stack));
	begun = bench_now_ns();
	if (pthread_create(&thread, &attributes, note_birth, &born) != 0)
		bench_fail("cannot start a thread");
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
	return (double)(born - begun) / 1e3;
}

/** @public_out: to verify with; NULL: only time it. */
static double sign_one(uint8_t *signature_out, uint8_t *public_out)
{
	static uint8_t public[32], secret[64];
	static const uint8_t statement[PSU_STATEMENT_LEN];
	uint64_t begun;

	if (!secret[0])
		crypto_sign_keypair(public, secret);
	begun = bench_now_ns();
	crypto_sign_detached(signature_out, NULL, statement, sizeof(statement),
						 secret);
	if (public_out)
		memcpy(public_out, public, sizeof(public));
	return (double)(bench_now_ns() - begun) / 1e3;
}

static double verify_one(void)
{
	static const uint8_t statement[PSU_STATEMENT_LEN];
	uint8_t signature[64], public[32];
	uint64_t begun;

	sign_one(signature, public);
	begun = bench_now_ns();
	if (crypto_sign_verify_detached(signature, statement, sizeof(statement),
									public) != 0)
		bench_fail("a signature does not verify");
	return (double)(bench_now_ns() - begun) / 1e3;
}

static void answer_push(SSL *ssl)
{
	struct push push;

	if (!bench_line_recv(ssl, (uint8_t *)&push + 1, sizeof(push) - 1) ||
		push.len > sizeof(memory) ||
		!bench_line_recv(ssl, memory, push.len - sizeof(push)))
		bench_fail("a push was cut short");
	bench_line_send(ssl, "", 1);
}

/** Lock held. */
static bool is_settled(const struct psu_process *process, bool cold)
{
	return process->serving && !process->threads && !process->arrivals &&
		   (!cold || !process->callers);
}

static void answer_settle(SSL *ssl, bool cold)
{
	int64_t deadline = psu_clock_deadline(DEADLINE_MS);
	struct psu_process *process = psu_process_get();
	bool settled;

	psu_process_lock();
	/* not all of it is announced */
	while (!(settled = is_settled(process, cold)) &&
		   psu_clock_now_ms() < deadline)
		psu_process_wait(psu_process_about(&process->threads),
						 psu_clock_deadline(1));
	psu_process_unlock();
	if (!settled)
		bench_fail("the move before does not end");
	memset(psu_phase_began_ns, 0, sizeof(psu_phase_began_ns));
	bench_line_send(ssl, "", 1);
}

static void *serve_line(void *ssl)
{
	uint8_t word;

	while (bench_line_recv(ssl, &word, 1)) {
		if (word == WORD_ECHO) {
			bench_line_send(ssl, "", 1);
		} else if (word == WORD_PUSH) {
			answer_push(ssl);
		} else if (word == WORD_PARTS) {
			struct parts parts = {verify_one(), create_one()};

			bench_line_send(ssl, &parts, sizeof(parts));
		} else if (word == WORD_PHASES) {
			bench_line_send(ssl, psu_phase_began_ns,
							sizeof(psu_phase_began_ns));
		} else {
			answer_settle(ssl, word == WORD_SETTLE_COLD);
		}
	}
	return NULL;
}

/** The first connection is the line; the others are handshakes. */
static void *serve(void *argument)
{
	int listen_fd = *(int *)argument;
	SSL *ssl = bench_line_accept(listen_fd);

	if (psu_process_spawn(serve_line, ssl) != 0)
		bench_fail("cannot serve");
	while ((ssl = bench_line_accept(listen_fd))) {
		bench_line_send(ssl, "", 1);
		bench_line_close(ssl);
	}
	return NULL;
}

unsigned bench_raw_serve(void)
{
	memset(memory, 1, sizeof(memory)); /* touched: "ready" memory */
	psu_phase_watched = true;
	return bench_line_listen(serve);
}

/* ---- here */

void bench_raw_connect(unsigned port)
{
	raw_port = port;
	line = bench_line_dial(port);
	memset(memory, 1, sizeof(memory));
}

/** It is over when both sides know that the server has taken the client. */
static void handshake_one(void)
{
	SSL *ssl = bench_line_dial(raw_port);
	uint8_t byte;

	if (!bench_line_recv(ssl, &byte, 1))
		bench_fail("the server does not accept the handshake");
	bench_line_close(ssl);
}

static void push_one(size_t len)
{
	const struct push push = {.word = WORD_PUSH, .len = (uint32_t)len};
	uint8_t byte;

	memcpy(memory, &push, sizeof(push));
	bench_line_send(line, memory, len);
	if (!bench_line_recv(line, &byte, 1))
		bench_fail("a push was not answered");
}

static void digest_one(void)
{
	struct psu_digest digest;

	psu_seal_digest(memory, 0, memory, 1u << 20, &digest);
}

double bench_raw_sample(enum bench_contender contender)
{
	uint64_t begun = bench_now_ns();
	struct parts parts;
	uint8_t answer[64];

	switch (contender) {
	case BENCH_PUSH_8K:
	case BENCH_PUSH_64K:
	case BENCH_PUSH_1M:
		push_one(bench_results.moves[contender - BENCH_PUSH_8K].sent_len);
		break;
	case BENCH_ECHO:
		bench_line_ask(line, WORD_ECHO, answer, 1);
		break;
	case BENCH_SIGN:
		return sign_one(answer, NULL);
	case BENCH_DIGEST_1M:
		digest_one();
		break;
	case BENCH_HANDSHAKE:
		handshake_one();
		break;
	default:
		bench_line_ask(line, WORD_PARTS, &parts, sizeof(parts));
		return contender == BENCH_VERIFY ? parts.verify_us : parts.create_us;
	}
	return (double)(bench_now_ns() - begun) / 1e3;
}

/** The thread's coming home has been acknowledged here. */
static void settle_here(void)
{
	bool known;

	psu_process_lock();
	known = psu_traveller_await_known(&psu_local.self->arrived_by,
									  psu_clock_deadline(DEADLINE_MS));
	psu_process_unlock();
	if (!known)
		bench_fail("the move before does not end");
}

void bench_raw_settle(bool cold)
{
	uint8_t answer;

	settle_here();
	if (cold)
		psu_line_close_idle();
	memset(psu_phase_began_ns, 0, sizeof(psu_phase_began_ns));
	bench_line_ask(line, cold ? WORD_SETTLE_COLD : WORD_SETTLE, &answer, 1);
}

void bench_raw_phases(uint64_t began_ns_out[PSU_PHASE_COUNT])
{
	bench_line_ask(line, WORD_PHASES, began_ns_out,
				   PSU_PHASE_COUNT * sizeof(*began_ns_out));
}
