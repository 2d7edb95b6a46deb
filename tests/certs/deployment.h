/* SPDX-License-Identifier: ISC */
/*
 * deployment.h - a real deployment of hosts a and b for a unit test
 *
 * In: $srcdir (default "."), the top of the source tree, whose scripts make
 * it.  Out: a temporary directory with deployment/{a,b,ca}, bad/ (the
 * certificates of bad_certs.sh) and work/, a fresh copy of the hosts' for each
 * test.  The process that makes it never uses OpenSSL, so that each
 * forked test begins with an untouched one.
 */
#ifndef PSU_TEST_DEPLOYMENT_H
#define PSU_TEST_DEPLOYMENT_H

#include <check.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BAD_COUNT 23 /* variants that bad_certs.sh makes */

/** One line of bad/manifest.tsv. */
struct bad_certificate {
	char name[32];
	char error[32];
};

static char deployment_top[sizeof("/tmp/psu-test-XXXXXX")];
static struct bad_certificate manifest[BAD_COUNT];
static size_t manifest_count;

/** Run a command of the shell; it must succeed. */
__attribute__((format(printf, 1, 2))) static inline void run(const char *format,
															 ...)
{
	char command[4 * PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	ck_assert_msg(system(command) == 0, "failed: %s", command);
}

/** A path below the temporary directory.  Valid until 64 more are made. */
__attribute__((format(printf, 1, 2))) static inline const char *
in_top(const char *format, ...)
{
	static char paths[64][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 64];
	int len = snprintf(path, PATH_MAX, "%s/", deployment_top);
	va_list args;

	va_start(args, format);
	vsnprintf(path + len, PATH_MAX - (size_t)len, format, args);
	va_end(args);
	return path;
}

static inline const char *source_dir(void)
{
	const char *dir = getenv("srcdir");

	return dir ? dir : ".";
}

static inline void read_manifest(void)
{
	FILE *file = fopen(in_top("bad/manifest.tsv"), "r");
	struct bad_certificate *bad = manifest;

	manifest_count = 0;
	ck_assert_ptr_nonnull(file);
	while (manifest_count < BAD_COUNT &&
		   fscanf(file, "%31[^\t]\t%31[^\t]\t%*[^\n]\n", bad->name,
				  bad->error) == 2) {
		manifest_count++;
		bad++;
	}
	fclose(file);
	ck_assert_uint_eq(manifest_count, BAD_COUNT);
}

/** Whether the manifest wants this code for a certificate. */
static inline bool wants(const struct bad_certificate *bad, const char *error)
{
	return strcmp(bad->error, error) == 0;
}

static inline void remove_deployment(void)
{
	run("rm -rf %s", deployment_top);
}

/** For an unchecked fixture: once, before any test forks. */
static inline void make_deployment(void)
{
	char command[4 * PATH_MAX];
	const char *dir = source_dir();

	strcpy(deployment_top, "/tmp/psu-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(deployment_top));
	snprintf(command, sizeof(command),
			 "exec >%s/log 2>&1; '%s/certs/make-certs.sh' %s/deployment "
			 "a=127.0.0.1,localhost b=127.0.0.1,::1 && "
			 "'%s/tests/certs/bad_certs.sh' %s/bad %s/deployment",
			 deployment_top, dir, deployment_top, dir, deployment_top,
			 deployment_top);
	if (system(command) != 0) {
		remove_deployment(); /* no teardown follows */
		ck_abort_msg("failed, is srcdir right? %s", command);
	}
	read_manifest();
}

/** For a checked fixture: work/a and work/b as they were made. */
static inline void copy_hosts(void)
{
	run("cd %s && rm -rf work && mkdir -m 700 work && "
		"cp -a deployment/a deployment/b work",
		deployment_top);
}

/** Let the deployment's CA sign a CRL from and to two times in UTC. */
static inline void make_crl(const char *begin, const char *end,
							const char *path)
{
	run("cd %s && rm -rf ca2 && cp -a deployment/ca ca2 && cd ca2 && "
		"openssl ca -config openssl.cnf -gencrl -crl_lastupdate %s "
		"-crl_nextupdate %s -out %s 2>../log",
		deployment_top, begin, end, path);
}

static inline void write_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static inline void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

#endif
