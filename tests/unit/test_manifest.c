/* SPDX-License-Identifier: ISC */
/*
 * test_manifest.c - the list of the program's objects: made, on the wire,
 * compared; and which instructions it needs
 *
 * A static program by default, as those are that move.
 */
#include "run_suite.h"

#include "start/isa.h"
#include "start/manifest.h"
#include "state/state.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/auxv.h>

static struct psu_manifest manifest; /* too large for a stack */
static struct psu_manifest other;
static uint8_t encoded[PSU_MANIFEST_LEN_MAX + 1];
static const char constant[] = "lies in a segment that is not writable";
static char variable[] = "lies in one that is";

static void make(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	ck_assert_int_eq(psu_manifest_make(&manifest), 0);
}

/** The object that this file is linked into. */
static const struct psu_object *own_object(void)
{
	for (size_t i = 0; i < manifest.count; i++)
		if (psu_manifest_holds(&manifest.objects[i], constant))
			return &manifest.objects[i];
	ck_abort_msg("this file's object is not listed");
}

/** The segment of it that holds an address, or NULL. */
static const struct psu_segment *segment_of(const void *address)
{
	const struct psu_object *object = own_object();
	uint64_t addr = (uint64_t)address;

	for (size_t i = 0; i < object->segment_count; i++)
		if (object->segments[i].start <= addr && addr < object->segments[i].end)
			return &object->segments[i];
	return NULL;
}

START_TEST(this_program)
{
	const struct psu_object *object = own_object();
	static const uint8_t no_id[PSU_BUILD_ID_LEN];
	struct psu_digest digest;

	ck_assert_str_eq(manifest.objects[0].name, "test_manifest");
	if (psu_manifest_is_static()) {
		ck_assert_uint_eq(manifest.count, 1); /* no vDSO */
		ck_assert_uint_eq(object->load_addr, 0);
		ck_assert_uint_eq(object->choices, 0);
	}
	ck_assert_uint_ne(object->tls_len, 0);
	ck_assert_mem_ne(object->build_id, no_id, sizeof(no_id));
	ck_assert_ptr_nonnull(segment_of((void *)object->unwind_table_addr));
	ck_assert(segment_of((void *)(uint64_t)make)->executable);
	ck_assert(!segment_of(constant)->executable);
	ck_assert_ptr_null(segment_of(variable));
	ck_assert_uint_le(object->first_addr, (uint64_t)constant);
	ck_assert_uint_gt(object->end_addr, (uint64_t)variable);

	ck_assert_int_eq(psu_manifest_program_digest(&digest), 0);
	ck_assert(psu_digest_equal(&digest, &manifest.objects[0].digest));
}
END_TEST

START_TEST(libraries)
{
	const struct psu_object *libc = NULL;
	uint64_t below;

	for (size_t i = 1; i < manifest.count; i++)
		if (psu_manifest_holds(&manifest.objects[i],
							   (const void *)getauxval(AT_SYSINFO_EHDR)))
			ck_abort_msg("the vDSO is listed");
		else if (strcmp(manifest.objects[i].name, "libc.so.6") == 0)
			libc = &manifest.objects[i];
	ck_assert_int_eq(!libc, psu_manifest_is_static());
	if (!libc)
		return;
	ck_assert_uint_ne(libc->choices, 0);
	below = (uint64_t)(psu_state_thread_pointer() - (char *)&errno);
	ck_assert_uint_le(below, libc->tls_offset);
	ck_assert_uint_gt(below, libc->tls_offset - libc->tls_len);
}
END_TEST

START_TEST(own_code)
{
	const struct psu_object *object = manifest.objects;
	uint64_t foreign_addr;

	while (!psu_manifest_holds(object, (const void *)(uint64_t)make))
		object++;
	foreign_addr = object->foreign_addr;
	ck_assert_uint_gt(foreign_addr, (uint64_t)make);
	ck_assert_uint_le(foreign_addr, (uint64_t)psu_state_enter);
	if (!psu_manifest_is_static())
		return;
	ck_assert_uint_le(foreign_addr, (uint64_t)psu_manifest_make);
	ck_assert_uint_le(foreign_addr, (uint64_t)EVP_MD_CTX_new);
	ck_assert_uint_le(foreign_addr, (uint64_t)free);
}
END_TEST

START_TEST(system_objects)
{
	static const char *const systems[] = {
		"libc.so.6",	  "ld-linux-x86-64.so.2",
		"libstdc++.so.6", "libnss_files.so.2",
		"libunwind.so.8", "libunwind-x86_64.so.8",
		"libasan.so.8",	  "libclang_rt.asan-x86_64.so",
		"libssl.so.3",	  "libpsu_thread.so.0",
		"libz.so.1",	  "libpsu_thread_malloc.so.0"};
	static const char *const own[] = {"libcurve.so",
									  "libc",
									  "app3",
									  "liblua5.4.so.0",
									  "libldap.so.2",
									  "",
									  "libc-client.so.2007e",
									  "libcryptopp.so.8",
									  "my-libc.so.6"};

	for (size_t i = 0; i < sizeof(systems) / sizeof(*systems); i++)
		ck_assert_msg(psu_manifest_is_system(systems[i]), "%s", systems[i]);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		ck_assert_msg(!psu_manifest_is_system(own[i]), "%s", own[i]);
}
END_TEST

START_TEST(memory_of_the_process)
{
	static const char *const keepers[] = {
		"libc.so.6",	"ld-linux-x86-64.so.2", "libpsu_thread_malloc.so.0",
		"libcrypto.so", "libgcc_s.so.1",		"libasan.so.8"};
	static const char *const others[] = {"libstdc++.so.6", "libc++.so.1",
										 "libz.so.1", "liblua5.4.so.0", "app3"};

	for (size_t i = 0; i < sizeof(keepers) / sizeof(*keepers); i++)
		ck_assert_msg(psu_manifest_keeps_memory(keepers[i]), "%s", keepers[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		ck_assert_msg(!psu_manifest_keeps_memory(others[i]), "%s", others[i]);
}
END_TEST

START_TEST(digests)
{
	const struct psu_object *object = &manifest.objects[0];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct psu_digest digest;
	size_t len;

	/* what is hashed is what is not writable, all of it */
	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	for (size_t i = 0; i < object->segment_count; i++)
		EVP_DigestUpdate(md, (const void *)object->segments[i].start,
						 object->segments[i].end - object->segments[i].start);
	EVP_DigestFinal_ex(md, digest.bytes, NULL);
	EVP_MD_CTX_free(md);
	ck_assert(psu_digest_equal(&digest, &object->digest));

	/* the list's is of it as sent, but for the executable's name */
	len = psu_manifest_encode(&manifest, encoded);
	memset(encoded + 4, 0, PSU_OBJECT_NAME_LEN);
	EVP_Digest(encoded, len, digest.bytes, NULL, EVP_sha256(), NULL);
	ck_assert(psu_digest_equal(&digest, &manifest.digest));

	/* variables have no part in it */
	variable[0]++;
	ck_assert_int_eq(psu_manifest_make(&other), 0);
	ck_assert(psu_digest_equal(&other.digest, &manifest.digest));
}
END_TEST

/* ---- on the wire */

static void fill(size_t count)
{
	manifest.count = count;
	for (size_t i = 0; i < count; i++) {
		manifest.objects[i] = manifest.objects[0];
		manifest.objects[i].load_addr = i << 32;
	}
}

START_TEST(round_trip)
{
	static const size_t counts[] = {1, 2, PSU_OBJECTS_MAX};
	uint8_t again[PSU_MANIFEST_LEN_MAX];
	size_t len;

	fill(counts[_i]);
	len = psu_manifest_encode(&manifest, encoded);
	ck_assert_uint_eq(len, 4 + counts[_i] * PSU_OBJECT_LEN);
	ck_assert_int_eq(psu_manifest_decode(encoded, len, &other), 0);
	ck_assert_uint_eq(psu_manifest_encode(&other, again), len);
	ck_assert_mem_eq(again, encoded, len);
	ck_assert_int_eq(psu_manifest_compare(&manifest, &other, "b"), 0);
	/* what is only here did not come with it */
	ck_assert_uint_eq(other.objects[0].segment_count, 0);
	ck_assert_uint_eq(other.objects[0].unwind_table_addr, 0);
}
END_TEST

static void refused(size_t len)
{
	other.count = 0;
	ck_assert_int_eq(psu_manifest_decode(encoded, len, &other),
					 PSU_THREAD_E_PROTOCOL);
	ck_assert_uint_eq(other.count, 0);
}

START_TEST(other_lengths)
{
	size_t len;

	fill(2);
	len = psu_manifest_encode(&manifest, encoded);
	for (size_t cut = 0; cut < len; cut++)
		refused(cut);
	refused(len + 1);
	refused(len + PSU_OBJECT_LEN);
	for (unsigned count = 0; count < 256; count++) {
		encoded[3] = (uint8_t)count;
		if (count != 2)
			refused(len);
	}
	encoded[3] = 0;
	refused(4);
	encoded[3] = 2;
	encoded[0] = 0x80;
	refused(len);
	fill(PSU_OBJECTS_MAX);
	len = psu_manifest_encode(&manifest, encoded);
	encoded[3]++;
	refused(len);
	refused(len + PSU_OBJECT_LEN);
}
END_TEST

START_TEST(names_end_in_zeros)
{
	const size_t name_at = 4;
	size_t len = psu_manifest_encode(&manifest, encoded);

	encoded[name_at + PSU_OBJECT_NAME_LEN - 1] = 'x';
	refused(len);
	memset(encoded + name_at, 'x', PSU_OBJECT_NAME_LEN);
	refused(len);
	encoded[name_at + PSU_OBJECT_NAME_LEN - 1] = '\0';
	ck_assert_int_eq(psu_manifest_decode(encoded, len, &other), 0);
}
END_TEST

/* ---- compared */

#define BINARY PSU_THREAD_E_BINARY_MISMATCH
#define LAYOUT PSU_THREAD_E_LAYOUT_MISMATCH

static const struct {
	size_t field; /* one bit of its first byte changes */
	int code;
} differences[] = {
#define CASE(field, code)                                                      \
	{                                                                          \
		offsetof(struct psu_object, field), code                               \
	}
	CASE(build_id, BINARY),
	CASE(build_id[PSU_BUILD_ID_LEN - 1], BINARY),
	CASE(tls_len, BINARY),
	CASE(digest, BINARY),
	CASE(digest.bytes[31], BINARY),
	CASE(load_addr, LAYOUT),
	CASE(first_addr, LAYOUT),
	CASE(end_addr, LAYOUT),
	CASE(tls_offset, LAYOUT),
	CASE(choices, PSU_THREAD_E_CPU_MISMATCH),
#undef CASE
};

START_TEST(every_difference)
{
	for (size_t object = 0; object < 2; object++) {
		fill(2);
		strcpy(manifest.objects[1].name, "libsecond.so");
		other = manifest;
		((uint8_t *)&other.objects[object])[differences[_i].field] ^= 1;
		ck_assert_int_eq(psu_manifest_compare(&manifest, &other, "hostB"),
						 differences[_i].code);
		ck_assert_ptr_nonnull(
			strstr(psu_error_sentence(), manifest.objects[object].name));
		ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "hostB"));
	}
}
END_TEST

START_TEST(names)
{
	fill(2);
	other = manifest;
	strcpy(other.objects[0].name, "renamed");
	ck_assert_int_eq(psu_manifest_compare(&manifest, &other, "b"), 0);
	strcpy(other.objects[1].name, "renamed");
	ck_assert_int_eq(psu_manifest_compare(&manifest, &other, "b"), BINARY);
}
END_TEST

START_TEST(objects_more_or_fewer)
{
	fill(2);
	other = manifest;
	ck_assert_int_eq(psu_manifest_compare(&manifest, &other, "b"), 0);
	other.count = 1;
	ck_assert_int_eq(psu_manifest_compare(&manifest, &other, "b"), BINARY);
	ck_assert_int_eq(psu_manifest_compare(&other, &manifest, "b"), BINARY);
	ck_assert_ptr_nonnull(strstr(psu_error_sentence(), "1 objects here"));
}
END_TEST

/* ---- instructions */

START_TEST(instructions)
{
	uint32_t present = psu_isa_present();

	/* levels include the ones below them */
	ck_assert(present == 1 || present == 3 || present == 7 || present == 15);
	ck_assert_int_eq(!(present & 2), !__builtin_cpu_supports("sse4.2"));
	if (present & 4)
		ck_assert(__builtin_cpu_supports("avx2"));
	if (present & 8)
		ck_assert(__builtin_cpu_supports("avx512vl"));
	/* this program runs here */
	ck_assert_uint_eq(manifest.isa_needed & ~present, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("manifest");
	TCase *tcase = tcase_create("manifest");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, this_program);
	tcase_add_test(tcase, libraries);
	tcase_add_test(tcase, own_code);
	tcase_add_test(tcase, system_objects);
	tcase_add_test(tcase, memory_of_the_process);
	tcase_add_test(tcase, digests);
	tcase_add_loop_test(tcase, round_trip, 0, 3);
	tcase_add_test(tcase, other_lengths);
	tcase_add_test(tcase, names_end_in_zeros);
	tcase_add_loop_test(tcase, every_difference, 0,
						(int)(sizeof(differences) / sizeof(*differences)));
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, objects_more_or_fewer);
	tcase_add_test(tcase, instructions);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
