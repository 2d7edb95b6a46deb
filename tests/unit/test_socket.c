/* SPDX-License-Identifier: ISC */
/*
 * test_socket.c - what a user may write for a host, and waits that end
 */
#include "run_suite.h"

#include "net/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A255 A63 A63 A63 A63 "aaa"

/* ---- hosts and ports */

static const struct {
	const char *text;
	const char *host; /* NULL: refused */
	const char *port;
} texts[] = {
	{"hostB", "hostB", "7310"},
	{"hostB:1", "hostB", "1"},
	{"hostB:65535", "hostB", "65535"},
	{"hostB:0", "hostB", "0"},
	{"127.0.0.1", "127.0.0.1", "7310"},
	{"127.0.0.1:80", "127.0.0.1", "80"},
	{"::1", "::1", "7310"},
	{"fe80::1:2", "fe80::1:2", "7310"},
	{"[::1]", "::1", "7310"},
	{"[::1]:80", "::1", "80"},
	{"[hostB]:80", "hostB", "80"},
	{":80", "", "80"},
	{"[]:80", "", "80"},
	{"::ffff:192.0.2.1", "::ffff:192.0.2.1", "7310"},
	{A255, A255, "7310"},
	{A255 ":80", A255, "80"},
	{A255 "a", NULL, NULL},
	{"[" A255 "a]:1", NULL, NULL},
	{"hostB:", NULL, NULL},
	{"hostB:x", NULL, NULL},
	{"hostB:80x", NULL, NULL},
	{"hostB:-1", NULL, NULL},
	{"hostB:+1", NULL, NULL},
	{"hostB: 1", NULL, NULL},
	{"hostB:65536", NULL, NULL},
	{"hostB:000080", NULL, NULL},
	{"hostB:18446744073709551617", NULL, NULL},
	{"[::1", NULL, NULL},
	{"[::1]80", NULL, NULL},
	{"[::1]:", NULL, NULL},
	{"[::1]:x", NULL, NULL},
	{"[::1]:70000", NULL, NULL},
	{"[[::1]]:80", NULL, NULL},
	{"fe80::1%lo", NULL, NULL},
	{"[fe80::1%lo]:80", NULL, NULL},
};

START_TEST(host_is_taken_apart)
{
	struct psu_endpoint endpoint = {.host = "before"};
	int rc = psu_socket_parse(texts[_i].text, 7310, &endpoint);

	if (texts[_i].host) {
		ck_assert_int_eq(rc, 0);
		ck_assert_str_eq(endpoint.host, texts[_i].host);
		ck_assert_str_eq(endpoint.port, texts[_i].port);
	} else {
		ck_assert_int_eq(rc, PSU_THREAD_E_INVALID_ARGUMENT);
		ck_assert_str_eq(endpoint.host, "before");
		ck_assert_ptr_nonnull(strstr(psu_error_sentence(), texts[_i].text));
		ck_assert_ptr_nonnull(strstr(psu_error_sentence(), ": write "));
	}
}
END_TEST

/* ---- waits */

START_TEST(wait_ends)
{
	int64_t begin = psu_clock_now_ms();
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert(!psu_socket_wait(fds[0], false, begin + 50));
	ck_assert_int_ge(psu_clock_now_ms() - begin, 50);
	ck_assert(psu_socket_wait(fds[0], true, psu_clock_deadline(1000)));

	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert(psu_socket_wait(fds[0], false, psu_clock_deadline(1000)));
	ck_assert(psu_socket_wait(fds[0], false, PSU_NEVER));

	/* a deadline that has passed is one, whatever there is to read */
	ck_assert(!psu_socket_wait(fds[0], false, psu_clock_now_ms()));
	ck_assert(!psu_socket_wait(fds[0], false, begin));
	ck_assert(!psu_socket_wait(fds[0], true, begin));
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* ---- connections */

static struct psu_endpoint loopback(unsigned port)
{
	struct psu_endpoint endpoint = {.host = "127.0.0.1"};

	snprintf(endpoint.port, sizeof(endpoint.port), "%u", port);
	return endpoint;
}

static void check_flags(int fd)
{
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

START_TEST(dial_and_accept)
{
	struct psu_endpoint any = loopback(0), endpoint;
	int listening, dialled, accepted;
	unsigned port = 0;
	char peer[80];

	ck_assert_int_eq(psu_socket_listen(&any, &listening, &port), 0);
	ck_assert_uint_ne(port, 0);
	ck_assert(fcntl(listening, F_GETFD) & FD_CLOEXEC);
	endpoint = loopback(port);
	ck_assert_int_eq(psu_socket_dial(&endpoint, &dialled), 0);
	ck_assert_int_eq(
		psu_socket_accept(listening, &accepted, peer, sizeof(peer)), 0);
	ck_assert_ptr_nonnull(strstr(peer, "127.0.0.1:"));
	check_flags(dialled);
	check_flags(accepted);

	/* another cannot have the port; nobody is behind it once it is closed */
	ck_assert_int_eq(psu_socket_listen(&endpoint, &accepted, &port),
					 PSU_THREAD_E_LISTEN_FAILED);
	shutdown(listening, SHUT_RDWR);
	ck_assert_int_eq(
		psu_socket_accept(listening, &accepted, peer, sizeof(peer)),
		PSU_THREAD_E_SYSTEM);
	close(listening);
	ck_assert_int_eq(psu_socket_dial(&endpoint, &dialled),
					 PSU_THREAD_E_HOST_UNREACHABLE);
}
END_TEST

START_TEST(ipv6)
{
	struct psu_endpoint any = {.host = "::1", .port = "0"}, endpoint;
	int listening, dialled, accepted;
	char text[16], peer[80];
	unsigned port = 0;

	if (psu_socket_listen(&any, &listening, &port) != 0)
		return; /* no IPv6 here */
	snprintf(text, sizeof(text), "[::1]:%u", port);
	ck_assert_int_eq(psu_socket_parse(text, 7310, &endpoint), 0);
	ck_assert_int_eq(psu_socket_dial(&endpoint, &dialled), 0);
	ck_assert_int_eq(
		psu_socket_accept(listening, &accepted, peer, sizeof(peer)), 0);
	ck_assert_ptr_eq(strstr(peer, "[::1]:"), peer);
	close(dialled);
	close(accepted);
	close(listening);
}
END_TEST

/** What is good to listen on and cannot be dialled. */
static const struct psu_endpoint nowhere[] = {
	{.host = "", .port = "7310"},
	{.host = "127.0.0.1", .port = "0"},
	{.host = "127.0.0.1", .port = "000"},
};

START_TEST(nobody_is_dialled)
{
	int fd;

	ck_assert_int_eq(psu_socket_dial(&nowhere[_i], &fd),
					 PSU_THREAD_E_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "65535"));
}
END_TEST

/** Without another descriptor nothing is the host's fault. */
static const char *const hosts[] = {"127.0.0.1", "localhost", "name.invalid"};

START_TEST(descriptors_run_out)
{
	struct psu_endpoint endpoint = {.port = "1"}, any = loopback(0);
	int next = dup(STDERR_FILENO), fd;
	struct rlimit before, limit;
	unsigned port;

	close(next);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = (struct rlimit){(rlim_t)next, before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	snprintf(endpoint.host, sizeof(endpoint.host), "%s", hosts[_i]);
	ck_assert_int_eq(psu_socket_dial(&endpoint, &fd), PSU_THREAD_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "ulimit -n"));
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), hosts[_i]));
	ck_assert_int_eq(psu_socket_listen(&any, &fd, &port), PSU_THREAD_E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "ulimit -n"));

	/* a sanitizer opens files when the process ends */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(name_is_unknown)
{
	struct psu_endpoint endpoint = {.host = "no name", .port = "1"};
	int fd;

	ck_assert_int_eq(psu_socket_dial(&endpoint, &fd),
					 PSU_THREAD_E_HOST_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "'no name'"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("socket");
	TCase *tcase = tcase_create("socket");

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, host_is_taken_apart, 0, (int)COUNT(texts));
	tcase_add_test(tcase, wait_ends);
	tcase_add_test(tcase, dial_and_accept);
	tcase_add_test(tcase, ipv6);
	tcase_add_loop_test(tcase, nobody_is_dialled, 0, (int)COUNT(nowhere));
	tcase_add_loop_test(tcase, descriptors_run_out, 0, (int)COUNT(hosts));
	tcase_add_test(tcase, name_is_unknown);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
