/* SPDX-License-Identifier: ISC */
/*
 * test_arrive.c - a server refuses every thread that is not exactly what a
 * peer may send, each with its code; and takes in the one that is
 *
 * The server is this very process, host b's, with the library as it is; host
 * a is played by the tests, which make a real thread's image, spoil one thing
 * in it, sign it and send it.  The program restarts itself, as all that move.
 */
#include "test_arrive_offer.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define E(name) PSU_THREAD_E_##name

static const char *top; /* certificates, a runtime directory, the port */

__attribute__((format(printf, 1, 2))) static int shell(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

/* ---- what is spoilt: in the image, before it is encoded */

static void nothing(void)
{
}
static void rsp(void)
{
	thread.image.registers.rsp += 16;
}
static void mxcsr(void)
{
	thread.image.registers.mxcsr |= UINT32_C(1) << 31;
}
static void x87(void)
{
	thread.image.registers.x87[8] = 0;
}
static void frame_len(void)
{
	thread.image.chain.frames[0].frame_len -= 8;
	thread.image.chain.frames[1].frame_len += 8;
}
static void frame_offset(void)
{
	thread.image.chain.frames[1].return_offset ^= 1;
}
static void return_address(void)
{
	memset(thread.stack, 0, 8);
}
static void thread_pointer(void)
{
	thread.image.thread_pointer += 64;
}
static void locals(void)
{
	thread.image.locals.len++;
}
static struct psu_exit destructor;
static __thread char travelling[16];
static void with_exit(void)
{
	destructor.function_addr = (uint64_t)with_exit;
	destructor.object_addr = thread.image.thread_pointer -
							 (uint64_t)(psu_state_thread_pointer() -
										travelling);
	thread.image.exits = (struct psu_exits){1, &destructor};
}
static void exit_function(void)
{
	with_exit();
	destructor.function_addr++;
}
static void exit_object(void)
{
	with_exit();
	destructor.object_addr = thread.image.thread_pointer;
}
static void cleanup_head(void)
{
	thread.image.cleanup_head = thread.image.registers.rsp - 8;
}
static void cancel_flag(void)
{
	thread.image.cancel_disabled = 2;
}

#define ELSEWHERE (UINT64_C(1) << 44) /* below the window of slots */

static void rsp_elsewhere(void)
{
	thread.image.registers.rsp -= ELSEWHERE;
}

/* ---- in the statement, before it is signed */

static void slot_elsewhere(void)
{
	offer.statement.slot_addr -= ELSEWHERE;
}
static void no_slot(void)
{
	offer.statement.slot_addr += 4096;
}
static void slot_in_use(void)
{
	mmap((void *)offer.statement.slot_addr, 4096, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}
static void sequence(void)
{
	offer.statement.sequence++;
}
static void ended(void)
{
	offer.statement.kind = PSU_KIND_END;
	offer.statement.stack_len = 0;
	offer.first.payload_len = offer.statement.head_len;
}
static void room_odd(void)
{
	offer.statement.stack_room += 8;
}
static void room_other(void)
{
	offer.statement.stack_room = PSU_SLOT_STACK_LEN_MIN;
}
static void stream(void)
{
	offer.stream++;
}
static void long_flight(void)
{
	offer.statement.stack_len += PSU_ONE_FLIGHT_LEN_MAX;
}
static void source(void)
{
	offer.statement.source.bytes[0] ^= 1;
}
static void destination(void)
{
	offer.statement.destination = offer.statement.source;
}
static void incarnation(void)
{
	offer.statement.incarnation.bytes[0] ^= 1;
}
static void program(void)
{
	offer.statement.program.bytes[0] ^= 1;
}
static void exporter(void)
{
	offer.statement.exporter.bytes[0] ^= 1;
}
static void body_digest(void)
{
	offer.statement.body.bytes[0] ^= 1;
}
static void two_frames(void)
{
	offer.first.payload_len = 100;
}
static void body_stream(void)
{
	offer.first.stream++;
}
static void body_type(void)
{
	offer.first.type = PSU_FRAME_OFFER;
	offer.first.payload_len = PSU_SEALED_LEN;
}
static void body_len(void)
{
	offer.first.payload_len++;
}

/* ---- on host b's disk, while the session is open */

static void direction(void)
{
	shell("sed -i s/direction=both/direction=receive/ %s/b/peers", top);
}
static void listed(void)
{
	shell("sed -i /^peer/d %s/b/peers", top);
}
static void sign_key(void)
{
	shell("sed -i 's,sign=[^ ]*,sign=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPc"
		  "HURo=,' %s/b/peers",
		  top);
}

/* ---- the table */

static const struct {
	offer_change *image, *statement;
	int code;
} offers[] = {
	{nothing, nothing, 0},
	{nothing, two_frames, 0},
	{rsp, nothing, E(STATE_INVALID)},
	{mxcsr, nothing, E(STATE_INVALID)},
	{x87, nothing, E(STATE_INVALID)},
	{frame_len, nothing, E(CHAIN_MISMATCH)},
	{frame_offset, nothing, E(CHAIN_MISMATCH)},
	{return_address, nothing, E(FRAME_FOREIGN)},
	{thread_pointer, nothing, E(LAYOUT_MISMATCH)},
	{locals, nothing, E(IMAGE_INVALID)},
	{with_exit, nothing, 0},
	{exit_function, nothing, E(STATE_INVALID)},
	{exit_object, nothing, E(STATE_INVALID)},
	{cleanup_head, nothing, E(STATE_INVALID)},
	{cancel_flag, nothing, E(IMAGE_INVALID)},
	{rsp_elsewhere, slot_elsewhere, E(STATE_INVALID)},
	{nothing, no_slot, E(STATE_INVALID)},
	{nothing, slot_in_use, E(ADDRESS_IN_USE)},
	{nothing, sequence, E(REPLAYED)},
	{nothing, long_flight, E(STATEMENT_INVALID)},
	{nothing, stream, E(STATEMENT_INVALID)},
	{nothing, ended, E(REPLAYED)},
	{nothing, room_odd, E(STATEMENT_INVALID)},
	{nothing, room_other, 0},
	{nothing, source, E(WRONG_ADDRESSEE)},
	{nothing, destination, E(WRONG_ADDRESSEE)},
	{nothing, incarnation, E(WRONG_ADDRESSEE)},
	{nothing, program, E(BINARY_MISMATCH)},
	{nothing, exporter, E(WRONG_ADDRESSEE)},
	{nothing, body_digest, E(DIGEST_MISMATCH)},
	{nothing, body_stream, E(CONNECTION_LOST)},
	{nothing, body_type, E(CONNECTION_LOST)},
	{nothing, body_len, E(CONNECTION_LOST)},
	{nothing, direction, E(DIRECTION_DENIED)},
	{nothing, listed, E(PEER_NOT_LISTED)},
	{nothing, sign_key, E(SIGNATURE_INVALID)},
};

START_TEST(one_thing_is_spoilt)
{
	struct psu_session *session = offer_dial();
	int code = offer_try(session, offers[_i].image, offers[_i].statement);

	ck_assert_msg(code == offers[_i].code, "%s instead of %s: %s",
				  psu_error_name(code), psu_error_name(offers[_i].code),
				  psu_error_sentence());
	psu_session_close(session);

	/* and nothing is spoilt by it */
	shell("cp %s/peers %s/b/peers", top, top);
	session = offer_dial();
	ck_assert_int_eq(offer_try(session, nothing, nothing), 0);
	psu_session_close(session);
}
END_TEST

START_TEST(sequence_goes_on)
{
	struct psu_session *session = offer_dial();

	ck_assert_int_eq(offer_try(session, nothing, nothing), 0);
	ck_assert_int_eq(offer_try(session, nothing, nothing), 0);
	session->offers = 0;
	ck_assert_int_eq(offer_try(session, nothing, nothing), E(REPLAYED));
	psu_session_close(session);
}
END_TEST

/* ---- the program */

static void *take_in(void *unused)
{
	while (psu_thread_create(NULL, NULL) == 0)
		continue;
	return unused;
}

/** Certificates and directories, made once, by the first of two runs. */
static void prepare(void)
{
	const char *srcdir = getenv("srcdir"), *tmpdir = getenv("TMPDIR");
	char directory[256], path[300];

	snprintf(directory, sizeof(directory), "%s/test_arrive.XXXXXX",
			 tmpdir ? tmpdir : "/tmp");
	if (!getenv("TEST_ARRIVE")) {
		if (!mkdtemp(directory) ||
			shell("exec >%s/log 2>&1; mkdir -m 700 %s/run && '%s/certs/"
				  "make-certs.sh' %s/certs a=127.0.0.1 b=127.0.0.1 && "
				  "mv %s/certs/[ab] %s && cp %s/b/peers %s",
				  directory, directory, srcdir ? srcdir : ".", directory,
				  directory, directory, directory, directory) != 0)
			fprintf(stderr, "no certificates: is srcdir right?\n");
		setenv("TEST_ARRIVE", directory, 1);
	}
	top = getenv("TEST_ARRIVE");
	snprintf(path, sizeof(path), "%s/run", top);
	setenv("PSU_THREAD_RUNTIME", path, 1);
	snprintf(path, sizeof(path), "%s/port", top);
	setenv("PSU_THREAD_PORT_FILE", path, 1);
	setenv("PSU_THREAD_LISTEN", "127.0.0.1:0", 1);
}

/** Host b serves, and host a is known to the tests. */
static bool set_up(void)
{
	pthread_t taker;
	char path[300];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/b", top);
	if (psu_thread_setup_init(PSU_THREAD_SERVER, path) != 0)
		return false;
	host_a = psu_process_get()->context;
	host_a.hello.zone = 0;
	host_a.hello.incarnation.bytes[0] ^= 1;
	snprintf(path, sizeof(path), "%s/a", top);
	file = fopen(getenv("PSU_THREAD_PORT_FILE"), "re");
	good = file && fscanf(file, "%5s", server.port) == 1 &&
		   psu_trust_load(path, &host_a.trust) == 0 &&
		   psu_tls_new(host_a.trust, &host_a.tls) == 0 &&
		   pthread_create(&taker, NULL, take_in, NULL) == 0;
	if (file)
		fclose(file);
	return good;
}

static SRunner *runner_new(void)
{
	Suite *suite = suite_create("arrive");
	TCase *tcase = tcase_create("offers");
	SRunner *runner = srunner_create(suite);

	/* a forked child is no host */
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_test(tcase, sequence_goes_on);
	tcase_add_loop_test(tcase, one_thing_is_spoilt, 0, (int)COUNT(offers));
	suite_add_tcase(suite, tcase);
	return runner;
}

int main(void)
{
	SRunner *runner;
	int failed = 1;

	prepare();
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (set_up()) {
		runner = runner_new();
		srunner_run_all(runner, CK_NORMAL);
		failed = srunner_ntests_failed(runner);
		srunner_free(runner);
	} else {
		fprintf(stderr, "%s\n", psu_error_sentence());
	}
	shell("rm -rf %s", top);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
