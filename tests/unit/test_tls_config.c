/* SPDX-License-Identifier: ISC */
/*
 * test_tls_config.c - neither OpenSSL's configuration files nor the
 * environment have a say
 */
#include "test_tls.h"

static void write_hostile_conf(void)
{
	static const char text[] =
		"openssl_conf = openssl_init\n"
		"[openssl_init]\n"
		"ssl_conf = ssl_sect\n"
		"providers = provider_sect\n"
		"alg_section = evp\n"
		"[provider_sect]\n"
		"base = base_sect\n"
		"[base_sect]\n"
		"activate = 1\n"
		"[evp]\n"
		"default_properties = fips=yes\n"
		"[ssl_sect]\n"
		"system_default = hostile\n"
		"[hostile]\n"
		"MinProtocol = TLSv1.2\n"
		"MaxProtocol = TLSv1.2\n"
		"CipherString = aNULL:@SECLEVEL=0\n"
		"Ciphersuites = TLS_AES_128_GCM_SHA256\n"
		"SignatureAlgorithms = RSA+SHA1\n"
		"ClientSignatureAlgorithms = RSA+SHA1\n"
		"Groups = P-256\n"
		"VerifyMode = Request\n"
		"Options = SessionTicket,UnsafeLegacyRenegotiation\n"
		"NumTickets = 5\n";

	write_text(in_top("hostile.cnf"), text);
	setenv("OPENSSL_CONF", in_top("hostile.cnf"), 1);
	setenv("OPENSSL_MODULES", deployment_top, 1);
	setenv("OPENSSL_ENGINES", deployment_top, 1);
	setenv("SSL_CERT_FILE", in_top("bad/foreign-ca/ca.crt"), 1);
	setenv("SSL_CERT_DIR", deployment_top, 1);
}

static void expect_unimpressed(void)
{
	struct host a = host_new(in_top("work/a"));
	struct host b = host_new(in_top("work/b"));
	struct pair pair = connect_hosts(&a, &b, "b");

	expect_success(&pair);
	expect_parameters(pair.client.ssl);
	expect_parameters(pair.server.ssl);
	ck_assert_uint_eq(
		SSL_get_options(pair.server.ssl) &
			(SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_NO_TICKET),
		SSL_OP_NO_TICKET);
	ck_assert_uint_eq(SSL_get_num_tickets(pair.server.ssl), 0);
	pair_free(&pair);
	host_free(&a);
	host_free(&b);
}

START_TEST(environment_is_hostile)
{
	SSL_CTX *context;

	write_hostile_conf();
	expect_unimpressed();

	/* not even the rest of the program has read the file */
	context = SSL_CTX_new(TLS_method());
	ck_assert_ptr_nonnull(context);
	ck_assert_int_ne((int)SSL_CTX_get_max_proto_version(context),
					 TLS1_2_VERSION);
	SSL_CTX_free(context);
}
END_TEST

/** The program itself has loaded the file before. */
START_TEST(program_is_hostile)
{
	SSL_CTX *context;
	OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

	write_hostile_conf();
	ck_assert_int_eq(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL), 1);
	context = SSL_CTX_new_ex(library, NULL, TLS_method());
	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq((int)SSL_CTX_get_max_proto_version(context),
					 TLS1_2_VERSION);
	SSL_CTX_free(context);
	OSSL_LIB_CTX_free(library);
	expect_unimpressed();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls_config");
	TCase *tcase = tls_case(suite, "config");

	tcase_add_test(tcase, environment_is_hostile);
	tcase_add_test(tcase, program_is_hostile);
	return run_suite(suite);
}
