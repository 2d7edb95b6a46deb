/* SPDX-License-Identifier: ISC */
/*
 * fuzz_manifest.c - peers' lists of their programs' objects
 *
 * Input: an encoded manifest.  What is accepted must be encoded again to the
 * very same bytes, and be the same as itself.
 */
#include "fuzz.h"
#include "start/manifest.h"

#include <stdlib.h>
#include <string.h>

/** A name is printed as a string, and has one encoding. */
static void check_name(const char name[PSU_OBJECT_NAME_LEN])
{
	static const char zeros[PSU_OBJECT_NAME_LEN];
	size_t len = strnlen(name, PSU_OBJECT_NAME_LEN);

	if (len == PSU_OBJECT_NAME_LEN ||
		memcmp(name + len, zeros, PSU_OBJECT_NAME_LEN - len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct psu_manifest manifest;
	static uint8_t again[PSU_MANIFEST_LEN_MAX];

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (psu_manifest_decode(bytes, len, &manifest) != 0)
		return 0;
	if (psu_manifest_encode(&manifest, again) != len ||
		memcmp(again, bytes, len) != 0 ||
		psu_manifest_compare(&manifest, &manifest, "itself") != 0)
		abort();
	for (size_t i = 0; i < manifest.count; i++)
		check_name(manifest.objects[i].name);
	return 0;
}
