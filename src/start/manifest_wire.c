/* SPDX-License-Identifier: ISC */
/*
 * manifest_wire.c - the list of objects on the wire, and how two lists differ
 *
 * FORMAT.md, "MANIFEST", is the normative description.  Every byte decoded
 * here is hostile: a peer's addresses are compared and printed, never used.
 */
#include "start/manifest.h"

#include <inttypes.h>
#include <string.h>

static void put_object(struct psu_writer *writer,
					   const struct psu_object *object)
{
	psu_put_bytes(writer, object->name, sizeof(object->name));
	psu_put_bytes(writer, object->build_id, sizeof(object->build_id));
	psu_put_u32(writer, object->choices);
	psu_put_u64(writer, object->load_addr);
	psu_put_u64(writer, object->first_addr);
	psu_put_u64(writer, object->end_addr);
	psu_put_u64(writer, object->tls_len);
	psu_put_u64(writer, object->tls_offset);
	psu_put_bytes(writer, object->digest.bytes, sizeof(object->digest.bytes));
}

static void get_object(struct psu_reader *reader, struct psu_object *object)
{
	psu_get_bytes(reader, object->name, sizeof(object->name));
	psu_get_bytes(reader, object->build_id, sizeof(object->build_id));
	object->choices = psu_get_u32(reader);
	object->load_addr = psu_get_u64(reader);
	object->first_addr = psu_get_u64(reader);
	object->end_addr = psu_get_u64(reader);
	object->tls_len = psu_get_u64(reader);
	object->tls_offset = psu_get_u64(reader);
	psu_get_bytes(reader, object->digest.bytes, sizeof(object->digest.bytes));
}

/** A name ends in zeros, all the way. */
static bool name_is_padded(const char name[PSU_OBJECT_NAME_LEN])
{
	size_t len = strnlen(name, PSU_OBJECT_NAME_LEN);

	for (size_t i = len; i < PSU_OBJECT_NAME_LEN; i++)
		if (name[i])
			return false;
	return len < PSU_OBJECT_NAME_LEN;
}

size_t psu_manifest_encode(const struct psu_manifest *manifest,
						   uint8_t bytes_out[PSU_MANIFEST_LEN_MAX])
{
	struct psu_writer writer = {.at = bytes_out,
								.end = bytes_out + PSU_MANIFEST_LEN_MAX};

	psu_put_u32(&writer, (uint32_t)manifest->count);
	for (size_t i = 0; i < manifest->count; i++)
		put_object(&writer, &manifest->objects[i]);
	return (size_t)(writer.at - bytes_out);
}

int psu_manifest_decode(const uint8_t *bytes, size_t len,
						struct psu_manifest *manifest_out)
{
	struct psu_reader reader = {.at = bytes, .end = bytes + len};
	struct psu_manifest manifest = {.count = psu_get_u32(&reader)};
	bool good = manifest.count && manifest.count <= PSU_OBJECTS_MAX &&
				len == 4 + manifest.count * PSU_OBJECT_LEN;

	for (size_t i = 0; good && i < manifest.count; i++) {
		get_object(&reader, &manifest.objects[i]);
		good = name_is_padded(manifest.objects[i].name);
	}
	if (!good)
		return psu_error_set(PSU_THREAD_E_PROTOCOL,
							 "the peer's list of its program's objects is "
							 "malformed: install the same version of the "
							 "program on both hosts");
	*manifest_out = manifest;
	return 0;
}

static int contents_differ(const struct psu_object *here,
						   const struct psu_object *there, const char *peer)
{
	bool same_file = memcmp(here->build_id, there->build_id,
							PSU_BUILD_ID_LEN) == 0;
	char id_here[17], id_there[17];

	psu_bytes_hex(here->build_id, 8, id_here);
	psu_bytes_hex(there->build_id, 8, id_there);
	if (same_file) {
		psu_bytes_hex(here->digest.bytes, 8, id_here);
		psu_bytes_hex(there->digest.bytes, 8, id_there);
	}
	return psu_error_set(PSU_THREAD_E_BINARY_MISMATCH,
						 "%s differs from %s at %s (here %s..., there %s...): "
						 "install the same file on both hosts%s",
						 here->name, there->name, peer, id_here, id_there,
						 same_file ? ", and set a debugger's breakpoints "
									 "alike"
								   : "");
}

static int places_differ(const struct psu_object *here,
						 const struct psu_object *there, const char *peer)
{
	return psu_error_set(PSU_THREAD_E_LAYOUT_MISMATCH,
						 "%s lies at 0x%" PRIx64 " here and at 0x%" PRIx64
						 " at %s: link the program statically, or make the "
						 "hosts' libraries, /etc/ld.so.cache, LD_PRELOAD and "
						 "file systems alike",
						 here->name, here->first_addr, there->first_addr, peer);
}

static int compare_objects(const struct psu_object *here,
						   const struct psu_object *there, const char *peer)
{
	if (!psu_digest_equal(&here->digest, &there->digest) ||
		memcmp(here->build_id, there->build_id, PSU_BUILD_ID_LEN) != 0 ||
		here->tls_len != there->tls_len)
		return contents_differ(here, there, peer);
	if (here->load_addr != there->load_addr ||
		here->first_addr != there->first_addr ||
		here->end_addr != there->end_addr ||
		here->tls_offset != there->tls_offset)
		return places_differ(here, there, peer);
	if (here->choices != there->choices)
		return psu_error_set(PSU_THREAD_E_CPU_MISMATCH,
							 "%s has chosen its functions for another "
							 "processor than at %s: set GLIBC_TUNABLES="
							 "glibc.cpu.hwcaps alike on both hosts, or link "
							 "the program statically",
							 here->name, peer);
	return 0;
}

int psu_manifest_compare(const struct psu_manifest *here,
						 const struct psu_manifest *there, const char *peer)
{
	for (size_t i = 0; i < here->count && i < there->count; i++) {
		const struct psu_object *a = &here->objects[i];
		const struct psu_object *b = &there->objects[i];
		int rc;

		if (i > 0 && strcmp(a->name, b->name) != 0)
			return psu_error_set(PSU_THREAD_E_BINARY_MISMATCH,
								 "object %zu of the program is %s here and %s "
								 "at %s: start it alike on both hosts, "
								 "LD_PRELOAD and LD_LIBRARY_PATH included",
								 i, a->name, b->name, peer);
		rc = compare_objects(a, b, peer);
		if (rc)
			return rc;
	}
	if (here->count != there->count)
		return psu_error_set(PSU_THREAD_E_BINARY_MISMATCH,
							 "the program has %zu objects here and %zu at %s: "
							 "start it alike on both hosts",
							 here->count, there->count, peer);
	return 0;
}
