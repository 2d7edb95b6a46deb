/* SPDX-License-Identifier: ISC */
/*
 * test_trust.c - the certificate directory as a whole: what is loaded, and
 * which files do not belong together
 */
#include "test_trust.h"

#include <openssl/pem.h>
#include <unistd.h>

/* ---- a good directory */

START_TEST(directory_is_loaded)
{
	struct psu_trust *a = load(in_top("work/a"));
	struct psu_trust *b = load(in_top("work/b"));
	struct psu_peer b_entry = peer_of(a, "b");
	uint8_t public[PSU_SIGN_PUBLIC_LEN];
	uint8_t key[PSU_DEPLOYMENT_KEY_LEN];
	char hex[2 * PSU_DEPLOYMENT_KEY_LEN + 1];

	ck_assert_str_eq(psu_trust_dir(a), in_top("work/a"));
	ck_assert_str_eq(psu_trust_self(a)->name, "a");
	ck_assert_uint_eq(psu_trust_zone(a), 0);
	ck_assert_uint_eq(psu_trust_zone(b), 1);
	ck_assert_uint_eq(b_entry.zone, 1);
	crypto_sign_ed25519_sk_to_pk(public, psu_trust_sign_secret(b));
	ck_assert_mem_eq(public, b_entry.sign_public, sizeof(public));

	ck_assert_int_eq(psu_trust_load_deployment_key(in_top("work/a"), key), 0);
	ck_assert_mem_eq(key, psu_trust_deployment_key(a), sizeof(key));
	ck_assert_mem_eq(key, psu_trust_deployment_key(b), sizeof(key));
	psu_bytes_hex(key, sizeof(key), hex);
	run("echo %s | cmp -s - %s", hex, in_top("work/b/deployment.key"));
	psu_trust_free(a);
	psu_trust_free(b);
}
END_TEST

START_TEST(directory_is_relative)
{
	struct psu_peer peer;
	struct psu_trust *trust;

	ck_assert_int_eq(chdir(in_top("work")), 0);
	trust = load("a");
	ck_assert_int_eq(chdir("/"), 0);
	peer = peer_of(trust, "b");
	ck_assert_str_eq(peer.identity.name, "b");
	psu_trust_free(trust);
}
END_TEST

/** VmFlags of the mapping that holds an address. */
static bool is_in_core_dumps(const void *address)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long begin;
	unsigned long end;
	char line[512];
	bool here = false;
	bool dumped = true;

	ck_assert_ptr_nonnull(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = (unsigned long)address >= begin &&
				   (unsigned long)address < end;
		else if (here && strncmp(line, "VmFlags:", 8) == 0)
			dumped = strstr(line, " dd") == NULL;
	}
	fclose(maps);
	return dumped;
}

START_TEST(secrets_are_guarded_and_wiped)
{
	static const uint8_t zeros[PSU_SIGN_SECRET_LEN];
	struct psu_trust *trust = load(in_top("work/a"));
	const uint8_t *sign = psu_trust_sign_secret(trust);
	const uint8_t *deployment = psu_trust_deployment_key(trust);

	ck_assert(!is_in_core_dumps(sign));
	ck_assert(!is_in_core_dumps(deployment));
	ck_assert(is_in_core_dumps(trust));
	ck_assert_mem_ne(sign, zeros, PSU_SIGN_SECRET_LEN);
	ck_assert_mem_ne(deployment, zeros, PSU_DEPLOYMENT_KEY_LEN);
	psu_trust_wipe(trust);
	ck_assert_mem_eq(sign, zeros, PSU_SIGN_SECRET_LEN);
	ck_assert_mem_eq(deployment, zeros, PSU_DEPLOYMENT_KEY_LEN);
	psu_trust_free(trust);
}
END_TEST

/* ---- other faults of a directory */

START_TEST(directory_is_missing)
{
	struct psu_trust *trust = NULL;
	uint8_t key[PSU_DEPLOYMENT_KEY_LEN];

	ck_assert_int_eq(psu_trust_load(in_top("none"), &trust),
					 PSU_THREAD_E_CERTS_MISSING);
	said(in_top("none"), "make-certs.sh");
	ck_assert_int_eq(psu_trust_load_deployment_key(in_top("none"), key),
					 PSU_THREAD_E_CERTS_MISSING);
	ck_assert_int_eq(psu_trust_load(in_top("work/a/peers"), &trust),
					 PSU_THREAD_E_CERTS_MISSING);
	ck_assert_int_eq(psu_trust_load("", &trust), PSU_THREAD_E_CERTS_MISSING);
}
END_TEST

START_TEST(directory_is_writable)
{
	ck_assert_int_eq(chmod(in_top("work/a"), 0770), 0);
	load_fails(PSU_THREAD_E_KEY_EXPOSED, in_top("work/a"), "chmod go-w");
	ck_assert_int_eq(chmod(in_top("work/a"), 0777), 0);
	load_fails(PSU_THREAD_E_KEY_EXPOSED, in_top("work/a"), "chmod go-w");
	ck_assert_int_eq(chmod(in_top("work/a"), 0755), 0);
	psu_trust_free(load(in_top("work/a")));
}
END_TEST

static const struct {
	const char *command; /* run in work/a */
	int code;
	const char *first;
	const char *second;
} faults[] = {
	{"cp ../b/host.key .", PSU_THREAD_E_CERTS_INVALID, "host.key",
	 "not the key of host.crt"},
	{"cp ../b/host.crt ../b/host.key .", PSU_THREAD_E_CERTS_INVALID,
	 "psu-thread/b", "files of one host"},
	{"cp ../b/peers .", PSU_THREAD_E_CERTS_INVALID, "psu-thread/a",
	 "files of one host"},
	{"cat ../b/host.crt >>host.crt", PSU_THREAD_E_CERTS_INVALID, "host.crt",
	 "more than one certificate"},
	{"cat ../b/sign.key >>sign.key", PSU_THREAD_E_CERTS_INVALID, "sign.key",
	 "more than one key"},
	{"cat ../b/crl.pem >>crl.pem", PSU_THREAD_E_CERTS_INVALID, "crl.pem",
	 "more than one CRL"},
	{"printf '\\0x' >>host.crt", PSU_THREAD_E_CERTS_INVALID, "host.crt",
	 "NUL byte"},
	{"cp host.crt ca.crt", PSU_THREAD_E_CERTS_INVALID, "crl.pem",
	 "not signed by ca.crt"},
	{"openssl pkey -in ../b/sign.key -aes256 -passout pass:x -out sign.key",
	 PSU_THREAD_E_CERTS_INVALID, "sign.key", "no unencrypted private key"},
	{"openssl genpkey -algorithm X25519 -out sign.key",
	 PSU_THREAD_E_CERTS_INVALID, "sign.key", "not Ed25519"},
	{"openssl pkey -in sign.key -pubout -out public && mv public sign.key",
	 PSU_THREAD_E_CERTS_INVALID, "sign.key", "no unencrypted private key"},
	{"sed -i 's/.$//' deployment.key", PSU_THREAD_E_CERTS_INVALID,
	 "deployment.key", "64 hexadecimal"},
	{"sed -i 's/^./g/' deployment.key", PSU_THREAD_E_CERTS_INVALID,
	 "deployment.key", "64 hexadecimal"},
	{"echo >>deployment.key", PSU_THREAD_E_CERTS_INVALID, "deployment.key",
	 "64 hexadecimal"},
	{"sed -i 's/$/\\r/' deployment.key", PSU_THREAD_E_CERTS_INVALID,
	 "deployment.key", "64 hexadecimal"},
	{"sed -i 's/$/\\r/' peers", PSU_THREAD_E_PEERS_INVALID,
	 "a/peers:1:", "Unix line ends"},
	{"sed -i '/^self/d' peers", PSU_THREAD_E_PEERS_INVALID, "a/peers",
	 "no entry of this host"},
};

START_TEST(directory_has_a_fault)
{
	run("umask 077 && cd %s && (%s) 2>../../log", in_top("work/a"),
		faults[_i].command);
	load_fails(faults[_i].code, faults[_i].first, faults[_i].second);
}
END_TEST

START_TEST(crl_is_not_good)
{
	make_crl("20200101000000Z", "20200201000000Z", in_top("work/a/crl.pem"));
	load_fails(PSU_THREAD_E_CERTS_INVALID, "crl.pem has expired", "issue");
	make_crl("20450101000000Z", "20450201000000Z", in_top("work/a/crl.pem"));
	load_fails(PSU_THREAD_E_CERTS_INVALID, "crl.pem is not valid yet", "clock");
	run("cp %s %s", in_top("bad/crl-revoked.pem"), in_top("work/a/crl.pem"));
	psu_trust_free(load(in_top("work/a")));
}
END_TEST

/** A CRL that never expires could be kept from this host for ever. */
START_TEST(crl_has_no_end)
{
	FILE *file = fopen(in_top("deployment/ca/ca.key"), "r");
	EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	ASN1_TIME *yesterday = X509_gmtime_adj(NULL, -24 * 60 * 60);
	X509_CRL *old, *crl = X509_CRL_new();

	fclose(file);
	file = fopen(in_top("work/a/crl.pem"), "r+");
	old = PEM_read_X509_CRL(file, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(old);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_CRL_get_issuer(old));
	X509_CRL_set1_lastUpdate(crl, yesterday);
	ck_assert_int_gt(X509_CRL_sign(crl, key, NULL), 0);
	rewind(file);
	ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
	ck_assert_int_eq(PEM_write_X509_CRL(file, crl), 1);
	fclose(file);
	X509_CRL_free(old);
	X509_CRL_free(crl);
	ASN1_TIME_free(yesterday);
	EVP_PKEY_free(key);
	load_fails(PSU_THREAD_E_CERTS_INVALID, "crl.pem has expired", "issue");
}
END_TEST

/** A host does not start with a certificate that others would refuse. */
START_TEST(own_certificate_is_bad)
{
	for (size_t i = 0; i < manifest_count; i++) {
		const struct bad_certificate *bad = &manifest[i];
		struct psu_trust *trust = NULL;
		int code = psu_trust_load(in_top("bad/%s", bad->name), &trust);

		if (wants(bad, "CERT_REVOKED") || wants(bad, "PEER_NOT_LISTED")) {
			ck_assert_msg(code == 0, "%s: %s", bad->name, psu_error_sentence());
			psu_trust_free(trust);
		} else if (wants(bad, "CERT_EXPIRED") ||
				   wants(bad, "CERT_NOT_YET_VALID")) {
			ck_assert_str_eq(psu_error_name(code), bad->error);
		} else {
			ck_assert_msg(code == PSU_THREAD_E_CERTS_INVALID, "%s: %s",
						  bad->name, psu_error_name(code));
			said(in_top("bad/%s/host.", bad->name), ": ");
		}
	}
}
END_TEST

START_TEST(own_certificate_is_revoked)
{
	run("cp %s %s/host.* %s", in_top("bad/crl-revoked.pem"),
		in_top("bad/revoked"), in_top("work/a"));
	run("cd %s && mv crl-revoked.pem crl.pem", in_top("work/a"));
	load_fails(PSU_THREAD_E_CERTS_INVALID, "host.crt", "revoked");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trust");
	TCase *tcase = directory_case(suite, "directory");

	tcase_add_test(tcase, directory_is_loaded);
	tcase_add_test(tcase, directory_is_relative);
	tcase_add_test(tcase, secrets_are_guarded_and_wiped);
	tcase_add_test(tcase, directory_is_missing);
	tcase_add_test(tcase, directory_is_writable);
	tcase_add_loop_test(tcase, directory_has_a_fault, 0, (int)COUNT(faults));
	tcase_add_test(tcase, crl_is_not_good);
	tcase_add_test(tcase, crl_has_no_end);
	tcase_add_test(tcase, own_certificate_is_bad);
	tcase_add_test(tcase, own_certificate_is_revoked);
	return run_trust_suite(suite);
}
