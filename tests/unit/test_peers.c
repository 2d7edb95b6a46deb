/* SPDX-License-Identifier: ISC */
/*
 * test_peers.c - identities and peers files, as text: what is taken, what is
 * refused
 */
#include "test_trust.h"

#define SPIFFE "spiffe://d.example/psu-thread/"
#define KEY1 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define KEY2 "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define SELF "self id=" SPIFFE "a zone=0\n"
#define PEER_B "peer id=" SPIFFE "b zone=1 sign=" KEY1 " direction=both\n"
#define HEX32 "000102030405060708090a0b0c0d0e0f"

/* ---- identities */

START_TEST(identity_is_taken_apart)
{
	static const char uri[] = "spiffe://psu-thread.internal/psu-thread/b.x-1";
	struct psu_identity identity;
	struct psu_digest digest;

	ck_assert_int_eq(psu_identity_parse(uri, strlen(uri), &identity), 0);
	ck_assert_str_eq(identity.uri, uri);
	ck_assert_str_eq(identity.name, "b.x-1");
	crypto_hash_sha256(digest.bytes, (const uint8_t *)uri, strlen(uri));
	ck_assert(psu_digest_equal(&digest, &identity.digest));
}
END_TEST

static const char *const bad_identities[] = {
	"",
	"a",
	"spiffe://",
	"spiffe:///psu-thread/a",
	"SPIFFE://d/psu-thread/a",
	"https://d/psu-thread/a",
	" spiffe://d/psu-thread/a",
	"spiffe://D/psu-thread/a",
	"spiffe://d:1/psu-thread/a",
	"spiffe://u@d/psu-thread/a",
	"spiffe://.d/psu-thread/a",
	"spiffe://d/psu-thread",
	"spiffe://d/psu-thread/",
	"spiffe://d/psu-thread//a",
	"spiffe://d/psu-threads/a",
	"spiffe://d/x/psu-thread/a",
	"spiffe://d/psu-thread/a/b",
	"spiffe://d/psu-thread/.",
	"spiffe://d/psu-thread/..",
	"spiffe://d/psu-thread/*",
	"spiffe://d/psu-thread/a*",
	"spiffe://d/psu-thread/a b",
	"spiffe://d/psu-thread/a?x",
	"spiffe://d/psu-thread/a#x",
	"spiffe://d/psu-thread/%61",
	"spiffe://d/psu-thread/a\n",
	"spiffe://d/psu-thread/\xc3\xa4",
};

START_TEST(identity_is_refused)
{
	const char *uri = bad_identities[_i];
	struct psu_identity identity;

	ck_assert_int_eq(psu_identity_parse(uri, strlen(uri), &identity),
					 PSU_THREAD_E_CERT_IDENTITY);
}
END_TEST

START_TEST(identity_with_nul_is_refused)
{
	static const char after[] = SPIFFE "a\0.other";
	static const char domain[] = "spiffe://d\0/psu-thread/a";
	struct psu_identity identity;

	ck_assert(psu_identity_parse(after, sizeof(after) - 1, &identity));
	ck_assert(psu_identity_parse(after, sizeof(SPIFFE "a"), &identity));
	ck_assert(psu_identity_parse(domain, sizeof(domain) - 1, &identity));
}
END_TEST

START_TEST(identity_lengths)
{
	char uri[2 * PSU_IDENTITY_LEN] = "spiffe://";
	struct psu_identity identity;
	size_t domain_len = PSU_IDENTITY_LEN - 1 - strlen("spiffe://") -
						strlen("/psu-thread/a");

	memset(uri + strlen(uri), 'd', domain_len);
	strcat(uri, "/psu-thread/a");
	ck_assert_uint_eq(strlen(uri), PSU_IDENTITY_LEN - 1);
	ck_assert_int_eq(psu_identity_parse(uri, strlen(uri), &identity), 0);
	strcat(uri, "a");
	ck_assert(psu_identity_parse(uri, strlen(uri), &identity));

	memset(uri, 0, sizeof(uri));
	strcpy(uri, SPIFFE);
	memset(uri + strlen(uri), 'n', PSU_NAME_LEN - 1);
	ck_assert_int_eq(psu_identity_parse(uri, strlen(uri), &identity), 0);
	ck_assert_uint_eq(strlen(identity.name), PSU_NAME_LEN - 1);
	strcat(uri, "n");
	ck_assert(psu_identity_parse(uri, strlen(uri), &identity));
}
END_TEST

START_TEST(identity_domains)
{
	struct psu_identity a = identity_of("spiffe://d/psu-thread/a");
	struct psu_identity b = identity_of("spiffe://d/psu-thread/bbb");
	struct psu_identity c = identity_of("spiffe://dd/psu-thread/a");
	struct psu_identity e = identity_of("spiffe://e/psu-thread/a");

	ck_assert(psu_identity_same_domain(&a, &b));
	ck_assert(!psu_identity_same_domain(&a, &c));
	ck_assert(!psu_identity_same_domain(&a, &e));
}
END_TEST

/* ---- peers files */

START_TEST(peers_are_read)
{
	static const char text[] = "# a comment\n\n \t\n  # another\n" SELF PEER_B
							   "peer\tdirection=send zone=255  pin=" HEX32 HEX32
							   " id=" SPIFFE "c sign=" KEY1 " \n"
							   "peer id=" SPIFFE "e zone=3 sign=" KEY1
							   " direction=receive";
	struct psu_identity c = identity_of(SPIFFE "c");
	struct psu_identity unknown = identity_of(SPIFFE "f");
	const struct psu_peer *peer;
	struct psu_peers *peers;

	ck_assert_int_eq(psu_peers_parse(text, strlen(text), "p", &peers), 0);
	ck_assert_str_eq(peers->self.name, "a");
	ck_assert_uint_eq(peers->zone, 0);
	ck_assert_uint_eq(peers->count, 3);
	ck_assert(peers->list[0].may_send && peers->list[0].may_receive);
	ck_assert(!peers->list[0].pinned);
	ck_assert(!peers->list[2].may_send && peers->list[2].may_receive);

	peer = psu_peers_find(peers, &c.digest);
	ck_assert_ptr_eq(peer, &peers->list[1]);
	ck_assert_str_eq(peer->identity.uri, SPIFFE "c");
	ck_assert_uint_eq(peer->zone, 255);
	ck_assert_uint_eq(peer->sign_public[0], 0xd7);
	ck_assert_uint_eq(peer->sign_public[31], 0x1a);
	ck_assert(peer->may_send && !peer->may_receive && peer->pinned);
	ck_assert_uint_eq(peer->pin.bytes[15], 15);
	ck_assert_ptr_null(psu_peers_find(peers, &unknown.digest));
	ck_assert_ptr_null(psu_peers_find(peers, &peers->self.digest));
	psu_peers_free(peers);
}
END_TEST

/** Keys that verify only, of this host and of another, in any place of their
 * lines. */
START_TEST(retired_keys_are_read)
{
	static const char text[] = "self verify-only=" KEY2 " id=" SPIFFE
							   "a zone=0\n"
							   "peer id=" SPIFFE "b verify-only=" KEY1
							   " zone=1 sign=" KEY1
							   " direction=both verify-only=" KEY2 "\n"
							   "peer id=" SPIFFE "c zone=2 sign=" KEY1
							   " direction=both";
	struct psu_identity of[] = {identity_of(SPIFFE "a"),
								identity_of(SPIFFE "b"),
								identity_of(SPIFFE "b")};
	static const uint8_t first[] = {0x3d, 0xd7, 0x3d};
	struct psu_peers *peers;

	ck_assert_int_eq(psu_peers_parse(text, strlen(text), "p", &peers), 0);
	ck_assert_uint_eq(peers->retired_count, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert(psu_digest_equal(&peers->retired[i].identity, &of[i].digest));
		ck_assert_uint_eq(peers->retired[i].sign_public[0], first[i]);
	}
	ck_assert_uint_eq(peers->count, 2);
	ck_assert_uint_eq(peers->list[0].sign_public[0], 0xd7);
	psu_peers_free(peers);
}
END_TEST

#define P "peer id=" SPIFFE "b "

static const struct {
	const char *text;
	const char *where;
	const char *why;
} bad_peers[] = {
	{"", "p has no entry", "write self id="},
	{"# nothing\n", "p has no entry", "write self id="},
	{PEER_B, "p has no entry", "write self id="},
	{SELF SELF, "p:2:", "second time"},
	{SELF "self id=" SPIFFE "x zone=9\n", "p:2:", "second time"},
	{"self zone=0\n", "p:1:", "write self id="},
	{"self id=" SPIFFE "a\n", "p:1:", "write self id="},
	{"self id=" SPIFFE "a zone=0 direction=both\n", "p:1:", "write self"},
	{"self id=" SPIFFE "a zone=0 sign=" KEY1 "\n", "p:1:", "write self"},
	{"self id=x zone=0\n", "p:1: 'x'", "no identity"},
	{SELF "\nhost id=x\n", "p:3: 'host'", "is unknown"},
	{SELF "peers id=x\n", "p:2: 'peers'", "is unknown"},
	{SELF P "zone=1 sign=" KEY1 " direction=both color=red\n",
	 "p:2: 'color=red'", "is unknown"},
	{SELF P "zone=1 sign=" KEY1 " direction=both # x\n", "p:2: '#'",
	 "is unknown"},
	{SELF P "zone=1 sign=" KEY1 " direction=both x\n", "p:2: 'x'",
	 "is unknown"},
	{SELF P "zone=1 sign=" KEY1 " direction=both =x\n", "p:2: '=x'",
	 "is unknown"},
	{SELF P "Zone=1 sign=" KEY1 " direction=both\n", "p:2: 'Zone=1'",
	 "is unknown"},
	{SELF P "zone=1 zone=2 sign=" KEY1 " direction=both\n", "p:2: 'zone=2'",
	 "given twice"},
	{SELF P "zone=1 sign=" KEY1 "\n", "p:2:", "lacks a word"},
	{SELF P "zone=1 direction=both\n", "p:2:", "lacks a word"},
	{SELF P "sign=" KEY1 " direction=both\n", "p:2:", "lacks a word"},
	{SELF "peer zone=1 sign=" KEY1 " direction=both\n", "p:2:", "lacks a word"},
	{SELF "peer id=a zone=1 sign=" KEY1 " direction=both\n", "p:2: 'a'",
	 "no identity"},
	{SELF PEER_B "peer id=" SPIFFE "b zone=2 sign=" KEY1 " direction=both\n",
	 "p:3:", "has an entry already"},
	{SELF "peer id=" SPIFFE "a zone=2 sign=" KEY1 " direction=both\n",
	 "p:2:", "has an entry already"},
	{PEER_B "self id=" SPIFFE "b zone=0\n", "p:2:", "has an entry already"},
	{SELF P "zone=0 sign=" KEY1 " direction=both\n",
	 "p:2: zone 0 is taken by line 1", "give each host"},
	{SELF PEER_B "peer id=" SPIFFE "c zone=1 sign=" KEY1 " direction=both\n",
	 "p:3: zone 1 is taken by line 2", "give each host"},
	{SELF P "zone= sign=" KEY1 " direction=both\n", "p:2:", "no zone"},
	{SELF P "zone=256 sign=" KEY1 " direction=both\n", "'256'", "no zone"},
	{SELF P "zone=-1 sign=" KEY1 " direction=both\n", "'-1'", "no zone"},
	{SELF P "zone=01 sign=" KEY1 " direction=both\n", "'01'", "no zone"},
	{SELF P "zone=1x sign=" KEY1 " direction=both\n", "'1x'", "no zone"},
	{SELF P "zone=1.0 sign=" KEY1 " direction=both\n", "'1.0'", "no zone"},
	{SELF P "zone=4294967297 sign=" KEY1 " direction=both\n",
	 "p:2:", "no zone"},
	{SELF P "zone=1 sign= direction=both\n", "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=11qYAYKx direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=BAAH direction=both\n", "p:2:", /* and zeros: one */
	 "no Ed25519 public key"},
	{SELF P "zone=1 sign=" KEY1 "A direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo "
			"direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp= "
			"direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
			"direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=" KEY1 " direction=both max-threads=0\n", "p:2: '0'",
	 "max-threads=10"},
	{SELF P "zone=1 sign=" KEY1 " direction=both max-threads=4294967296\n",
	 "p:2: '4294967296'", "max-threads=10"},
	{SELF P "zone=1 sign=" KEY1 " direction=both max-threads=1K\n", "p:2: '1K'",
	 "max-threads=10"},
	{SELF P "zone=1 sign=" KEY1 " direction=both max-threads=\n", "p:2: ''",
	 "max-threads=10"},
	{SELF P "zone=1 sign=" KEY1 " direction=both max-bytes=4g\n", "p:2: '4g'",
	 "max-bytes=4G"},
	{SELF P "zone=1 sign=" KEY1 " direction=both max-bytes=9999T\n",
	 "p:2: '9999T'", "max-bytes=4G"},
	{"self id=" SPIFFE "a zone=0 max-bytes=4G\n", "p:1: ' id=", "self id="},
	{SELF P "zone=1 sign=" KEY1 " direction=both attest=channel\n",
	 "p:2: 'channel'", "attest=full"},
	{"self id=" SPIFFE "a zone=0 attest=full\n", "p:1: ' id=", "self id="},
	{SELF P "zone=1 sign=" KEY1 " direction=both verify-only=\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=" KEY1 " direction=both verify-only=" KEY1
			" verify-only=BAAH\n",
	 "p:2: 'BAAH'", "no Ed25519 public key"},
	{"self id=" SPIFFE "a zone=0 verify-only=x\n", "p:1: 'x'",
	 "no Ed25519 public key"},
	{SELF P "zone=1 verify-only=" KEY1 " direction=both\n",
	 "p:2:", "lacks a word"},
	{SELF P "zone=1 sign=" KEY1 " direction=\n", "p:2:", "no direction"},
	{SELF P "zone=1 sign=" KEY1 " direction=Both\n", "'Both'", "no direction"},
	{SELF P "zone=1 sign=" KEY1 " direction=send,receive\n",
	 "p:2:", "no direction"},
	{SELF P "zone=1 sign=" KEY1 " direction=both pin=\n", "p:2:", "no pin"},
	{SELF P "zone=1 sign=" KEY1 " direction=both pin=" HEX32 "\n",
	 "p:2:", "no pin"},
	{SELF P "zone=1 sign=" KEY1 " direction=both pin=" HEX32 HEX32 "00\n",
	 "p:2:", "no pin"},
	{SELF P "zone=1 sign=" KEY1 " direction=both pin=" HEX32
			"0001020304050607 8090a0b0c0d0e0f\n",
	 "p:2:", "is unknown"},
	{SELF "peer id=spiffe://e/psu-thread/b zone=1 sign=" KEY1
		  " direction=both\n",
	 "spiffe://e/psu-thread/b", "another trust domain"},
	{"self id=" SPIFFE "a zone=0\r\n", "p:1:", "Unix line ends"},
	{SELF "# \x1b[31m\r\n", "p:2:", "Unix line ends"},
};

START_TEST(peers_are_refused)
{
	const char *text = bad_peers[_i].text;
	struct psu_peers *peers = NULL;

	ck_assert_int_eq(psu_peers_parse(text, strlen(text), "p", &peers),
					 PSU_THREAD_E_PEERS_INVALID);
	ck_assert_ptr_null(peers);
	said(bad_peers[_i].where, bad_peers[_i].why);
}
END_TEST

START_TEST(peers_with_nul_or_long_line)
{
	static const char nul[] = SELF "# x\0y\n";
	struct psu_peers *peers = NULL;
	char text[2048] = SELF "#";
	size_t self_len = strlen(SELF);

	ck_assert_int_eq(psu_peers_parse(nul, sizeof(nul) - 1, "p", &peers),
					 PSU_THREAD_E_PEERS_INVALID);
	said("p:2:", "NUL");

	memset(text + self_len, '#', 1024);
	ck_assert_int_eq(psu_peers_parse(text, self_len + 1024, "p", &peers), 0);
	psu_peers_free(peers);
	text[self_len + 1024] = '#';
	ck_assert_int_eq(psu_peers_parse(text, self_len + 1025, "p", &peers),
					 PSU_THREAD_E_PEERS_INVALID);
	said("p:2:", "too long");
}
END_TEST

/** Every beginning of a good file is taken or refused, never misread: the
 * copy ends where the memory does. */
START_TEST(peers_are_cut)
{
	static const char text[] = SELF PEER_B;
	struct psu_peers *peers = NULL;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *copy = sodium_malloc(len);
		int code;

		memcpy(copy, text, len);
		code = psu_peers_parse(copy, len, "p", &peers);
		if (code == 0)
			psu_peers_free(peers);
		/* at least "self id=.../a zone=0" */
		ck_assert(code == 0 ? len >= strlen(SELF) - 1
							: code == PSU_THREAD_E_PEERS_INVALID);
		sodium_free(copy);
	}
}
END_TEST

/** 256 zones, then one line more, with and without a self. */
START_TEST(peers_are_many)
{
	static char text[300 * 160];
	struct psu_peers *peers = NULL;
	size_t len = 0;

	for (int zone = 0; zone < PSU_ZONE_COUNT; zone++)
		len += (size_t)sprintf(text + len,
							   "peer id=" SPIFFE "h%d zone=%d sign=" KEY1
							   " direction=both\n",
							   zone, zone);
	sprintf(text + len,
			"peer id=" SPIFFE "more zone=7 sign=" KEY1 " direction=both\n");
	ck_assert_int_eq(psu_peers_parse(text, strlen(text), "p", &peers),
					 PSU_THREAD_E_PEERS_INVALID);
	said("p:257:", "taken by line 8");
	memcpy(text, "self", 4);
	memcpy(strstr(text, " sign="), "\n#####", 6);
	text[len] = '\0';
	ck_assert_int_eq(psu_peers_parse(text, len, "p", &peers), 0);
	ck_assert_uint_eq(peers->count, 255);
	psu_peers_free(peers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("peers");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, identity_is_taken_apart);
	tcase_add_loop_test(tcase, identity_is_refused, 0,
						(int)COUNT(bad_identities));
	tcase_add_test(tcase, identity_with_nul_is_refused);
	tcase_add_test(tcase, identity_lengths);
	tcase_add_test(tcase, identity_domains);
	tcase_add_test(tcase, peers_are_read);
	tcase_add_test(tcase, retired_keys_are_read);
	tcase_add_loop_test(tcase, peers_are_refused, 0, (int)COUNT(bad_peers));
	tcase_add_test(tcase, peers_with_nul_or_long_line);
	tcase_add_test(tcase, peers_are_cut);
	tcase_add_test(tcase, peers_are_many);
	suite_add_tcase(suite, tcase);
	return run_trust_suite(suite);
}
