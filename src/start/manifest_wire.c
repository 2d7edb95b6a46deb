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
	psu_put_zeros(writer, 4);
	psu_put_u64(writer, object->load_addr);
	psu_put_u64(writer, object->first_addr);
	psu_put_u64(writer, object->end_addr);
	psu_put_u64(writer, object->tls_len);
	psu_put_bytes(writer, object->digest.bytes, sizeof(object->digest.bytes));
	psu_put_zeros(writer, 8);
}

static void get_object(struct psu_reader *reader, struct psu_object *object)
{
	psu_get_bytes(reader, object->name, sizeof(object->name));
	psu_get_bytes(reader, object->build_id, sizeof(object->build_id));
	psu_get_zeros(reader, 4);
	object->load_addr = psu_get_u64(reader);
	object->first_addr = psu_get_u64(reader);
	object->end_addr = psu_get_u64(reader);
	object->tls_len = psu_get_u64(reader);
	psu_get_bytes(reader, object->digest.bytes, sizeof(object->digest.bytes));
	psu_get_zeros(reader, 8);
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
	struct psu_writer writer = {
		.at = bytes_out, .end = bytes_out + PSU_MANIFEST_LEN_MAX};

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
	if (!good || !psu_reader_done(&reader))
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
	char id_here[17], id_there[17];

	psu_bytes_hex(here->build_id, 8, id_here);
	psu_bytes_hex(there->build_id, 8, id_there);
	if (memcmp(here->build_id, there->build_id, PSU_BUILD_ID_LEN) == 0) {
		psu_bytes_hex(here->digest.bytes, 8, id_here);
		psu_bytes_hex(there->digest.bytes, 8, id_there);
	}
	return psu_error_set(PSU_THREAD_E_BINARY_MISMATCH,
						 "%s differs from %s at %s (here %s..., there %s...): "
						 "install the same file on both hosts",
						 here->name, there->name, peer, id_here, id_there);
}

int psu_manifest_compare(const struct psu_manifest *here,
						 const struct psu_manifest *there, const char *peer)
{
	for (size_t i = 0; i < here->count && i < there->count; i++) {
		const struct psu_object *a = &here->objects[i];
		const struct psu_object *b = &there->objects[i];

		if (!psu_digest_equal(&a->digest, &b->digest) ||
			memcmp(a->build_id, b->build_id, PSU_BUILD_ID_LEN) != 0 ||
			a->tls_len != b->tls_len ||
			(i > 0 && strcmp(a->name, b->name) != 0))
			return contents_differ(a, b, peer);
		if (a->load_addr != b->load_addr || a->first_addr != b->first_addr ||
			a->end_addr != b->end_addr)
			return psu_error_set(
				PSU_THREAD_E_LAYOUT_MISMATCH,
				"%s lies at 0x%" PRIx64 " here and at 0x%" PRIx64 " at %s: "
				"link the program statically and not as PIE",
				a->name, a->first_addr, b->first_addr, peer);
	}
	if (here->count != there->count)
		return psu_error_set(PSU_THREAD_E_BINARY_MISMATCH,
							 "the program has %zu objects here and %zu at %s: "
							 "start it alike on both hosts",
							 here->count, there->count, peer);
	return 0;
}
