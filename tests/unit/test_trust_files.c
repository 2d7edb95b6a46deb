/* SPDX-License-Identifier: ISC */
/*
 * test_trust_files.c - each file of the certificate directory with each fault
 * that a file can have
 */
#include "test_trust.h"

#include <fcntl.h>
#include <unistd.h>

static const struct {
	const char *name;
	int invalid;
	bool secret;
} files[] = {
	{"ca.crt", PSU_THREAD_E_CERTS_INVALID, false},
	{"crl.pem", PSU_THREAD_E_CERTS_INVALID, false},
	{"host.crt", PSU_THREAD_E_CERTS_INVALID, false},
	{"host.key", PSU_THREAD_E_CERTS_INVALID, true},
	{"sign.key", PSU_THREAD_E_CERTS_INVALID, true},
	{"deployment.key", PSU_THREAD_E_CERTS_INVALID, true},
	{"peers", PSU_THREAD_E_PEERS_INVALID, false},
};

static const char *file_path(int index)
{
	return in_top("work/a/%s", files[index].name);
}

START_TEST(file_is_missing)
{
	const char *path = file_path(_i);

	ck_assert_int_eq(unlink(path), 0);
	load_fails(PSU_THREAD_E_CERTS_INCOMPLETE, path, "pass one host's");
}
END_TEST

START_TEST(file_is_a_link)
{
	const char *path = file_path(_i);

	run("mv %s %s.real && ln -s %s.real %s", path, path, path, path);
	load_fails(files[_i].invalid, path, "symbolic link");
}
END_TEST

START_TEST(file_is_a_fifo)
{
	const char *path = file_path(_i);

	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	load_fails(files[_i].invalid, path, "no regular file");
}
END_TEST

START_TEST(file_is_writable_by_others)
{
	const char *path = file_path(_i);

	ck_assert_int_eq(chmod(path, 0620), 0);
	load_fails(PSU_THREAD_E_KEY_EXPOSED, path, "run: chmod ");
	ck_assert_int_eq(chmod(path, 0602), 0);
	load_fails(PSU_THREAD_E_KEY_EXPOSED, path, "run: chmod ");
}
END_TEST

START_TEST(file_is_readable_by_others)
{
	const char *path = file_path(_i);
	char remedy[PATH_MAX + 16];

	ck_assert_int_eq(chmod(path, 0640), 0);
	if (files[_i].secret) {
		snprintf(remedy, sizeof(remedy), "run: chmod 600 %s", path);
		load_fails(PSU_THREAD_E_KEY_EXPOSED, "mode 0640", remedy);
	} else {
		psu_trust_free(load(in_top("work/a")));
	}
}
END_TEST

START_TEST(file_is_unreadable)
{
	const char *path = file_path(_i);
	uid_t user = geteuid();

	/* root may read everything: become somebody else */
	if (user == 0) {
		run("chmod 755 %s && chown -R 65534 %s", deployment_top,
			in_top("work"));
		ck_assert_int_eq(seteuid(65534), 0);
	}
	ck_assert_int_eq(chmod(path, 0), 0);
	load_fails(files[_i].invalid, path, "Permission denied");
	ck_assert_int_eq(seteuid(user), 0);
}
END_TEST

START_TEST(file_is_somebody_elses)
{
	const char *path = file_path(_i);

	if (geteuid() != 0)
		return; /* only root can give a file away */
	ck_assert_int_eq(chown(path, 12345, (gid_t)-1), 0);
	load_fails(PSU_THREAD_E_KEY_EXPOSED, "belongs to user 12345",
			   "run: chown ");
}
END_TEST

START_TEST(file_is_garbage)
{
	static const char *const garbage[] = {
		"", "x", "\n", "-----BEGIN CERTIFICATE-----\nAAAA\n",
		"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"};
	const char *path = file_path(_i);

	for (size_t i = 0; i < COUNT(garbage); i++) {
		write_text(path, garbage[i]);
		load_fails(files[_i].invalid, path, ": ");
	}
	write_bytes(path, "\0\0\0\0", 4);
	load_fails(files[_i].invalid, path, ": ");
}
END_TEST

/** Every beginning of the file: refused unless only the last newline, or in
 * the peers file a peer, is missing. */
START_TEST(file_is_cut)
{
	const char *path = file_path(_i);
	const char *dir = in_top("work/a");
	struct psu_trust *trust = NULL;
	struct stat status;

	ck_assert_int_eq(stat(path, &status), 0);
	for (off_t len = status.st_size - 2; len >= 0; len -= 13) {
		ck_assert_int_eq(truncate(path, len), 0);
		if (psu_trust_load(dir, &trust) == 0) {
			ck_assert_str_eq(files[_i].name, "peers");
			psu_trust_free(trust);
		}
	}
}
END_TEST

START_TEST(file_is_too_long)
{
	const char *path = file_path(_i);

	ck_assert_int_eq(truncate(path, 16 << 20), 0);
	load_fails(files[_i].invalid, path, "more than");
}
END_TEST

/* ---- cert-manager's names */

static const char *const cert_manager[][2] = {
	{"host.crt", "tls.crt"},
	{"host.key", "tls.key"},
};

START_TEST(file_has_other_name)
{
	const char *name = cert_manager[_i][0], *other = cert_manager[_i][1];
	const char *path = in_top("work/a/%s", other);

	run("mv %s %s", in_top("work/a/%s", name), path);
	psu_trust_free(load(in_top("work/a")));

	/* what is wrong with it is said under that name, and as strictly */
	ck_assert_int_eq(chmod(path, 0622), 0);
	load_fails(PSU_THREAD_E_KEY_EXPOSED, path, "run: chmod ");
	ck_assert_int_eq(chmod(path, 0600), 0);
	write_text(path, "x");
	load_fails(PSU_THREAD_E_CERTS_INVALID, path, ": ");
	run("cp %s %s", in_top("work/b/%s", name), path);
	load_fails(PSU_THREAD_E_CERTS_INVALID, other, "use files of one host");
	run("rm %s && ln -s ../b/%s %s", path, name, path);
	load_fails(PSU_THREAD_E_CERTS_INVALID, path, "symbolic link");
}
END_TEST

START_TEST(file_has_both_names)
{
	const char *name = cert_manager[_i][0], *other = cert_manager[_i][1];
	const char *path = in_top("work/a/%s", other);

	run("cp -p %s %s", in_top("work/a/%s", name), path);
	load_fails(PSU_THREAD_E_CERTS_INVALID, name, other);
	run("rm %s && ln -s nowhere %s", path, path);
	load_fails(PSU_THREAD_E_CERTS_INVALID, name, other);
}
END_TEST

int main(void)
{
	const int count = (int)COUNT(files);
	Suite *suite = suite_create("trust_files");
	TCase *tcase = directory_case(suite, "files");

	tcase_add_loop_test(tcase, file_is_missing, 0, count);
	tcase_add_loop_test(tcase, file_is_a_link, 0, count);
	tcase_add_loop_test(tcase, file_is_a_fifo, 0, count);
	tcase_add_loop_test(tcase, file_is_writable_by_others, 0, count);
	tcase_add_loop_test(tcase, file_is_readable_by_others, 0, count);
	tcase_add_loop_test(tcase, file_is_unreadable, 0, count);
	tcase_add_loop_test(tcase, file_is_somebody_elses, 0, count);
	tcase_add_loop_test(tcase, file_is_garbage, 0, count);
	tcase_add_loop_test(tcase, file_is_cut, 0, count);
	tcase_add_loop_test(tcase, file_is_too_long, 0, count);
	tcase_add_loop_test(tcase, file_has_other_name, 0, 2);
	tcase_add_loop_test(tcase, file_has_both_names, 0, 2);
	return run_trust_suite(suite);
}
