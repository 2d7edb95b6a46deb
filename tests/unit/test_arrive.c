/* SPDX-License-Identifier: ISC */
/*
 * test_arrive.c - a server refuses every thread that is not exactly what a
 * peer may send, each with its code; and takes in the one that is
 *
 * The server is this very process, host b's, with the library as it is; host
 * a is played by the tests, which make a real thread's image, spoil one thing
 * in it, sign it and send it.  The program restarts itself, as all that move.
 */
#include "test_arrive_spoil.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void nothing(void)
{
}

START_TEST(one_thing_is_spoilt)
{
	struct psu_session *session = offer_dial();
	const struct spoilt_offer *spoilt = &spoilt_offers[_i];
	int code = offer_try(session, spoilt->image, spoilt->statement);

	ck_assert_msg(code == spoilt->code, "%s instead of %s: %s",
				  psu_error_name(code), psu_error_name(spoilt->code),
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
	ck_assert_int_eq(offer_try(session, nothing, nothing),
					 PSU_THREAD_E_REPLAYED);
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
	tcase_add_loop_test(tcase, one_thing_is_spoilt, 0, spoilt_offers_count);
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
