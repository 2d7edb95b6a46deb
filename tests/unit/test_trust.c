/* SPDX-License-Identifier: ISC */
/*
 * test_trust.c - the certificate directory: what is taken, what is refused
 *
 * Identities and peers files are checked as text; directories are real ones,
 * each test spoiling its own copy.
 */
#include "../certs/deployment.h"

#include "trust/credentials.h"
#include "trust/files.h"
#include "trust/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define SPIFFE "spiffe://d.example/psu-thread/"
#define KEY1 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define SELF "self id=" SPIFFE "a zone=0\n"
#define PEER_B                                                                \
	"peer id=" SPIFFE "b zone=1 sign=" KEY1 " direction=both\n"
#define HEX32 "000102030405060708090a0b0c0d0e0f"

/** The last failure's sentence must name all of these. */
static void said(const char *first, const char *second)
{
	const char *sentence = psu_error_sentence();

	ck_assert_msg(strstr(sentence, first) && strstr(sentence, second),
				  "'%s' and '%s' are not in: %s", first, second, sentence);
}

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

static struct psu_identity identity_of(const char *uri)
{
	struct psu_identity identity = {0};

	ck_assert_int_eq(psu_identity_parse(uri, strlen(uri), &identity), 0);
	return identity;
}

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
	static const char text[] =
		"# a comment\n\n \t\n  # another\n" SELF PEER_B
		"peer\tdirection=send zone=255  pin=" HEX32 HEX32
		" id=" SPIFFE "c sign=" KEY1 " \n"
		"peer id=" SPIFFE "e zone=3 sign=" KEY1 " direction=receive";
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
	{SELF "peer zone=1 sign=" KEY1 " direction=both\n", "p:2:",
	 "lacks a word"},
	{SELF "peer id=a zone=1 sign=" KEY1 " direction=both\n", "p:2: 'a'",
	 "no identity"},
	{SELF PEER_B "peer id=" SPIFFE "b zone=2 sign=" KEY1
				 " direction=both\n",
	 "p:3:", "has an entry already"},
	{SELF "peer id=" SPIFFE "a zone=2 sign=" KEY1 " direction=both\n",
	 "p:2:", "has an entry already"},
	{PEER_B "self id=" SPIFFE "b zone=0\n", "p:2:", "has an entry already"},
	{SELF P "zone=0 sign=" KEY1 " direction=both\n",
	 "p:2: zone 0 is taken by line 1", "give each host"},
	{SELF PEER_B "peer id=" SPIFFE "c zone=1 sign=" KEY1
				 " direction=both\n",
	 "p:3: zone 1 is taken by line 2", "give each host"},
	{SELF P "zone= sign=" KEY1 " direction=both\n", "p:2:", "no zone"},
	{SELF P "zone=256 sign=" KEY1 " direction=both\n", "'256'", "no zone"},
	{SELF P "zone=-1 sign=" KEY1 " direction=both\n", "'-1'", "no zone"},
	{SELF P "zone=01 sign=" KEY1 " direction=both\n", "'01'", "no zone"},
	{SELF P "zone=1x sign=" KEY1 " direction=both\n", "'1x'", "no zone"},
	{SELF P "zone=1.0 sign=" KEY1 " direction=both\n", "'1.0'", "no zone"},
	{SELF P "zone=4294967297 sign=" KEY1 " direction=both\n", "p:2:",
	 "no zone"},
	{SELF P "zone=1 sign= direction=both\n", "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=11qYAYKx direction=both\n", "p:2:",
	 "no Ed25519 public key"},
	{SELF P "zone=1 sign=BAAH direction=both\n", "p:2:", /* and zeros: one */
	 "no Ed25519 public key"},
	{SELF P "zone=1 sign=" KEY1 "A direction=both\n", "p:2:",
	 "no Ed25519 public key"},
	{SELF P "zone=1 sign=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo "
	   "direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURp= "
	   "direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= "
	   "direction=both\n",
	 "p:2:", "no Ed25519 public key"},
	{SELF P "zone=1 sign=" KEY1 " direction=\n", "p:2:", "no direction"},
	{SELF P "zone=1 sign=" KEY1 " direction=Both\n", "'Both'", "no direction"},
	{SELF P "zone=1 sign=" KEY1 " direction=send,receive\n", "p:2:",
	 "no direction"},
	{SELF P "zone=1 sign=" KEY1 " direction=both pin=\n", "p:2:", "no pin"},
	{SELF P "zone=1 sign=" KEY1 " direction=both pin=" HEX32 "\n", "p:2:",
	 "no pin"},
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
	sprintf(text + len, "peer id=" SPIFFE "more zone=7 sign=" KEY1
						" direction=both\n");
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

/* ---- a good directory */

static struct psu_trust *load(const char *dir)
{
	struct psu_trust *trust = NULL;
	int code = psu_trust_load(dir, &trust);

	ck_assert_msg(code == 0, "%s", psu_error_sentence());
	return trust;
}

/** Loading work/a must fail, and the sentence must name these. */
static void load_fails(int expected, const char *first, const char *second)
{
	struct psu_trust *trust = NULL;
	int code = psu_trust_load(in_top("work/a"), &trust);

	ck_assert_msg(code == expected, "%s instead of %s: %s",
				  psu_error_name(code), psu_error_name(expected),
				  psu_error_sentence());
	ck_assert_ptr_null(trust);
	said(first, second);
}

static struct psu_peer peer_of(struct psu_trust *trust, const char *name)
{
	char uri[PSU_IDENTITY_LEN];
	struct psu_identity identity;
	struct psu_peer peer = {0};

	snprintf(uri, sizeof(uri), "spiffe://psu-thread.internal/psu-thread/%s",
			 name);
	identity = identity_of(uri);
	ck_assert_msg(psu_trust_peer(trust, &identity, &peer) == 0, "%s",
				  psu_error_sentence());
	return peer;
}

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

/* ---- directories with a fault in one file */

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
	load_fails(PSU_THREAD_E_CERTS_INCOMPLETE, path, "copy the host's");
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
	{"sed -i 's/$/\\r/' peers", PSU_THREAD_E_PEERS_INVALID, "a/peers:1:",
	 "Unix line ends"},
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
	load_fails(PSU_THREAD_E_CERTS_INVALID, "crl.pem is not valid yet",
			   "clock");
	run("cp %s %s", in_top("bad/crl-revoked.pem"), in_top("work/a/crl.pem"));
	psu_trust_free(load(in_top("work/a")));
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
			ck_assert_msg(code == 0, "%s: %s", bad->name,
						  psu_error_sentence());
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

/* ---- what changes on disk */

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
	struct psu_identity b =
		identity_of("spiffe://psu-thread.internal/psu-thread/b");
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

/* ---- the suite */

static TCase *text_case(void)
{
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, identity_is_taken_apart);
	tcase_add_loop_test(tcase, identity_is_refused, 0,
						(int)COUNT(bad_identities));
	tcase_add_test(tcase, identity_with_nul_is_refused);
	tcase_add_test(tcase, identity_lengths);
	tcase_add_test(tcase, identity_domains);
	tcase_add_test(tcase, peers_are_read);
	tcase_add_loop_test(tcase, peers_are_refused, 0, (int)COUNT(bad_peers));
	tcase_add_test(tcase, peers_with_nul_or_long_line);
	tcase_add_test(tcase, peers_are_cut);
	tcase_add_test(tcase, peers_are_many);
	return tcase;
}

static void add_file_tests(TCase *tcase)
{
	const int count = (int)COUNT(files);

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
}

static TCase *directory_case(void)
{
	TCase *tcase = tcase_create("directory");

	tcase_add_unchecked_fixture(tcase, make_deployment, remove_deployment);
	tcase_add_checked_fixture(tcase, copy_hosts, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, directory_is_loaded);
	tcase_add_test(tcase, directory_is_relative);
	tcase_add_test(tcase, secrets_are_guarded_and_wiped);
	add_file_tests(tcase);
	tcase_add_test(tcase, directory_is_missing);
	tcase_add_test(tcase, directory_is_writable);
	tcase_add_loop_test(tcase, directory_has_a_fault, 0, (int)COUNT(faults));
	tcase_add_test(tcase, crl_is_not_good);
	tcase_add_test(tcase, own_certificate_is_bad);
	tcase_add_test(tcase, own_certificate_is_revoked);
	tcase_add_test(tcase, changes_are_noticed);
	tcase_add_test(tcase, new_peers_are_read);
	tcase_add_test(tcase, self_stays);
	tcase_add_test(tcase, many_threads_ask);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("trust");
	SRunner *runner = srunner_create(suite);
	int failed;

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	suite_add_tcase(suite, text_case());
	suite_add_tcase(suite, directory_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
