/* SPDX-License-Identifier: ISC */
/*
 * test_trust_reload.c - what changes on disk is noticed, and what is broken
 * lets nobody in
 */
#include "test_trust.h"

#include "trust/credentials.h"
#include "trust/files.h"

#include <pthread.h>
#include <unistd.h>

START_TEST(changes_are_noticed)
{
	const char *dir = in_top("work/a");
	struct psu_file_stamp none = {0};
	struct psu_file file = {0};

	ck_assert(psu_files_changed(dir, PSU_FILE_PEERS, &none));
	ck_assert_int_eq(psu_files_load(dir, PSU_FILE_PEERS, &file), 0);

	/* a young file's times may hide a change; this one is not young */
	ck_assert(psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));
	file.stamp.settled = true;
	ck_assert(!psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));

	run("touch -d 2001-01-01 %s/peers", dir);
	ck_assert(psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));
	ck_assert_int_eq(stat(in_top("work/a/peers"), &file.stamp.status), 0);
	ck_assert(!psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));

	run("cp -p %s/peers %s/new && mv %s/new %s/peers", dir, dir, dir, dir);
	ck_assert(psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));
	ck_assert_int_eq(stat(in_top("work/a/peers"), &file.stamp.status), 0);
	file.stamp.status.st_size++;
	ck_assert(psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));
	file.stamp.status.st_size--;
	file.stamp.status.st_ino++;
	ck_assert(psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));
	ck_assert_int_eq(unlink(in_top("work/a/peers")), 0);
	ck_assert(psu_files_changed(dir, PSU_FILE_PEERS, &file.stamp));
	psu_files_free(&file);
}
END_TEST

START_TEST(new_peers_are_read)
{
	struct psu_trust *trust = load(in_top("work/a"));
	struct psu_peer peer = peer_of(trust, "b");
	struct psu_identity b = peer.identity;

	ck_assert(peer.may_send && peer.may_receive);
	run("sed -i s/direction=both/direction=send/ %s", in_top("work/a/peers"));
	peer = peer_of(trust, "b");
	ck_assert(peer.may_send && !peer.may_receive);

	/* a broken file lists nobody, each time, until it is mended */
	run("cd %s && cp peers good && echo x >>peers", in_top("work/a"));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(psu_trust_peer(trust, &b, &peer),
						 PSU_THREAD_E_PEERS_INVALID);
		said("peers:", "'x' is unknown");
	}
	ck_assert_int_eq(chmod(in_top("work/a/peers"), 0666), 0);
	ck_assert_int_eq(psu_trust_peer(trust, &b, &peer),
					 PSU_THREAD_E_KEY_EXPOSED);
	ck_assert_int_eq(unlink(in_top("work/a/peers")), 0);
	ck_assert_int_eq(psu_trust_peer(trust, &b, &peer),
					 PSU_THREAD_E_CERTS_INCOMPLETE);
	run("cd %s && mv good peers", in_top("work/a"));
	peer = peer_of(trust, "b");

	run("sed -i /^peer/d %s", in_top("work/a/peers"));
	ck_assert_int_eq(psu_trust_peer(trust, &b, &peer),
					 PSU_THREAD_E_PEER_NOT_LISTED);
	said(b.uri, "add its line");
	psu_trust_free(trust);
}
END_TEST

/** As far as the file was last read, and whatever it is worth now. */
START_TEST(hosts_have_names)
{
	struct psu_trust *trust = load(in_top("work/a"));
	struct psu_digest self = psu_trust_self(trust)->digest;
	struct psu_peer b = peer_of(trust, "b");
	struct psu_identity unknown = b.identity;
	char name[PSU_NAME_LEN], hex[PSU_NAME_LEN];

	psu_trust_name(trust, &self, name);
	ck_assert_str_eq(name, "a");
	psu_trust_name(trust, &b.identity.digest, name);
	ck_assert_str_eq(name, "b");
	unknown.digest.bytes[0] ^= 1;
	psu_bytes_hex(unknown.digest.bytes, 32, hex);
	psu_trust_name(trust, &unknown.digest, name);
	ck_assert_str_eq(name, hex);

	run("echo x >>%s", in_top("work/a/peers"));
	psu_trust_name(trust, &b.identity.digest, name);
	ck_assert_str_eq(name, "b");
	ck_assert_int_eq(psu_trust_peer(trust, &unknown, &b),
					 PSU_THREAD_E_PEERS_INVALID);
	psu_trust_name(trust, &self, name);
	ck_assert_str_eq(name, "a");
	psu_bytes_hex(b.identity.digest.bytes, 32, hex);
	psu_trust_name(trust, &b.identity.digest, name);
	ck_assert_str_eq(name, hex);
	psu_trust_free(trust);
}
END_TEST

START_TEST(self_stays)
{
	struct psu_trust *trust = load(in_top("work/a"));
	struct psu_identity b = peer_of(trust, "b").identity;
	struct psu_peer peer;

	run("sed -i 's/^self.*/self id=spiffe:..psu-thread.internal.psu-thread.z "
		"zone=0/; s/:[.][.]/:\\/\\//; s/[.]psu-thread[.]z/\\/psu-thread\\/z/' "
		"%s",
		in_top("work/a/peers"));
	ck_assert_int_eq(psu_trust_peer(trust, &b, &peer),
					 PSU_THREAD_E_PEERS_INVALID);
	said("psu-thread/z", "restart it");
	run("cd %s && cp ../../deployment/a/peers peers && "
		"sed -i '/^self/s/zone=0/zone=9/' peers",
		in_top("work/a"));
	ck_assert_int_eq(psu_trust_peer(trust, &b, &peer),
					 PSU_THREAD_E_PEERS_INVALID);
	said("zone 9", "restart it");
	ck_assert_str_eq(psu_trust_self(trust)->name, "a");
	ck_assert_uint_eq(psu_trust_zone(trust), 0);
	psu_trust_free(trust);
}
END_TEST

static void *ask(void *argument)
{
	struct psu_trust *trust = argument;
	struct psu_identity b = identity_of(
		"spiffe://psu-thread.internal/psu-thread/b");
	struct psu_peer peer;
	X509_STORE *store;

	for (int i = 0; i < 100; i++) {
		if (psu_trust_peer(trust, &b, &peer) == 0 &&
			strcmp(peer.identity.name, "b") != 0)
			return trust;
		if (psu_trust_store(trust, &store) == 0)
			X509_STORE_free(store);
	}
	return NULL;
}

/** Readers of files that are replaced meanwhile: never half of one. */
START_TEST(many_threads_ask)
{
	struct psu_trust *trust = load(in_top("work/a"));
	pthread_t threads[4];
	void *wrong;

	for (size_t i = 0; i < COUNT(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, trust), 0);
	for (int i = 0; i < 20; i++)
		run("cd %s && cp -a %s new && mv new %s", in_top("work/a"),
			i % 2 ? "peers" : "crl.pem", i % 2 ? "peers" : "crl.pem");
	for (size_t i = 0; i < COUNT(threads); i++) {
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	psu_trust_free(trust);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trust_reload");
	TCase *tcase = directory_case(suite, "reload");

	tcase_add_test(tcase, changes_are_noticed);
	tcase_add_test(tcase, new_peers_are_read);
	tcase_add_test(tcase, hosts_have_names);
	tcase_add_test(tcase, self_stays);
	tcase_add_test(tcase, many_threads_ask);
	return run_trust_suite(suite);
}
