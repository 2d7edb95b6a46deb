/* SPDX-License-Identifier: ISC */
/*
 * frame.c - the messages of the wire
 *
 * In: headers and small fixed payloads as a peer sent them; every byte read
 * here is hostile.  Out: plain values.  Refused: whatever the one table below
 * does not allow: types, lengths, streams, fields that a type does not use.
 * FORMAT.md, "Frames" and the sections behind it, is normative.
 */
#include "net/frame.h"
#include "seal/seal.h"
#include "start/manifest.h"

#include <assert.h>
#include <string.h>

/** What a type carries besides its length, a set. */
enum {
	STREAM = 1,	 /* the header names a stream */
	CONTROL = 2, /* the payload is a struct psu_control: migration, incarnation
					and those of the following */
	TOKEN = 4,
	CODE = 8,
	TTL = 16
};

struct rule {
	uint8_t type;
	uint8_t carries;
	enum psu_frame_sender sender;
	const char *name;
	uint32_t len_min;
	uint32_t len_max;
};

#define MANIFEST_LEN_MIN (4 + PSU_OBJECT_LEN) /* one object */
#define FIXED(len) (len), (len)
#define REQUEST(name, fields)                                                  \
	{                                                                          \
		PSU_FRAME_##name, CONTROL | (fields), PSU_FRAME_BY_SOURCE, #name,      \
			FIXED(PSU_CONTROL_LEN)                                             \
	}
#define ANSWER(name, fields)                                                   \
	{                                                                          \
		PSU_FRAME_##name, CONTROL | (fields), PSU_FRAME_BY_DESTINATION, #name, \
			FIXED(PSU_CONTROL_LEN)                                             \
	}

static const struct rule rules[] = {
	{PSU_FRAME_HELLO, 0, PSU_FRAME_BY_EITHER, "HELLO", FIXED(PSU_HELLO_LEN)},
	{PSU_FRAME_REFUSED, 0, PSU_FRAME_BY_EITHER, "REFUSED",
	 FIXED(PSU_REFUSED_LEN)},
	{PSU_FRAME_MANIFEST, 0, PSU_FRAME_BY_EITHER, "MANIFEST", MANIFEST_LEN_MIN,
	 PSU_MANIFEST_LEN_MAX},
	{PSU_FRAME_CALL, 0, PSU_FRAME_BY_SERVER, "CALL", FIXED(0)},
	{PSU_FRAME_TURN, 0, PSU_FRAME_BY_CLIENT, "TURN", FIXED(0)},
	{PSU_FRAME_OFFER, STREAM, PSU_FRAME_BY_SOURCE, "OFFER",
	 FIXED(PSU_SEALED_LEN)},
	{PSU_FRAME_BODY, STREAM, PSU_FRAME_BY_SOURCE, "BODY", 1,
	 PSU_FRAME_PAYLOAD_MAX},
	REQUEST(COMMIT, TOKEN),
	REQUEST(STATUS, 0),
	REQUEST(CANCEL, 0),
	REQUEST(FORGET, 0),
	{PSU_FRAME_LOCATION, 0, PSU_FRAME_BY_SOURCE, "LOCATION",
	 PSU_LOCATION_LEN_MIN, PSU_LOCATION_LEN_MAX},
	{PSU_FRAME_COMPARE, 0, PSU_FRAME_BY_SOURCE, "COMPARE",
	 FIXED(PSU_COMPARE_LEN)},
	ANSWER(PREPARED, TOKEN | TTL),
	ANSWER(RUNNING, 0),
	ANSWER(ABORTED, CODE),
	ANSWER(UNKNOWN, 0),
	ANSWER(DEAD, 0),
	{PSU_FRAME_NOTED, 0, PSU_FRAME_BY_DESTINATION, "NOTED",
	 FIXED(PSU_NOTED_LEN)},
	{PSU_FRAME_TAGS, 0, PSU_FRAME_BY_DESTINATION, "TAGS", PSU_TAGS_LEN_MIN,
	 PSU_TAGS_LEN_MIN + PSU_TAGS_MAX *PSU_TAG_LEN},
};

/** The table's row of a type, or NULL. */
static const struct rule *find_rule(uint8_t type)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].type == type)
			return &rules[i];
	return NULL;
}

const char *psu_frame_name(uint8_t type)
{
	const struct rule *rule = find_rule(type);

	return rule ? rule->name : "?";
}

enum psu_frame_sender psu_frame_sender(uint8_t type)
{
	const struct rule *rule = find_rule(type);

	return rule ? rule->sender : PSU_FRAME_BY_NOBODY;
}

/** @name  of the frame; @why goes on the sentence */
static int broken(const char *name, const char *why)
{
	return psu_error_set(PSU_THREAD_E_PROTOCOL,
						 "cannot go on with the session: the peer's %s frame "
						 "breaks the protocol, %s: end it, and install the "
						 "same psu_thread on both hosts",
						 name, why);
}

void psu_frame_put_header(const struct psu_frame_header *header,
						  uint8_t bytes_out[PSU_FRAME_HEADER_LEN])
{
	struct psu_writer writer = {.at = bytes_out,
								.end = bytes_out + PSU_FRAME_HEADER_LEN};

	psu_put_u32(&writer, header->payload_len);
	psu_put_u8(&writer, header->type);
	psu_put_zeros(&writer, 1);
	psu_put_u16(&writer, header->stream);
	assert(!writer.overflow && writer.at == writer.end);
}

int psu_frame_get_header(const uint8_t bytes[PSU_FRAME_HEADER_LEN],
						 struct psu_frame_header *header_out)
{
	struct psu_reader reader = {.at = bytes,
								.end = bytes + PSU_FRAME_HEADER_LEN};
	struct psu_frame_header header;
	const struct rule *rule;

	/* copy out */
	header.payload_len = psu_get_u32(&reader);
	header.type = psu_get_u8(&reader);
	psu_get_zeros(&reader, 1);
	header.stream = psu_get_u16(&reader);

	/* judge by the table */
	rule = find_rule(header.type);
	if (!rule)
		return psu_error_set(PSU_THREAD_E_PROTOCOL,
							 "cannot go on with the session: the peer sent a "
							 "frame of the unknown type %u: end it, and "
							 "install the same psu_thread on both hosts",
							 header.type);
	if (!psu_reader_done(&reader))
		return broken(rule->name, "its reserved byte is not zero");
	if (header.payload_len < rule->len_min ||
		header.payload_len > rule->len_max)
		return psu_error_set(PSU_THREAD_E_PROTOCOL,
							 "cannot go on with the session: the peer's %s "
							 "frame has %u bytes, not %u to %u: end it, and "
							 "install the same psu_thread on both hosts",
							 rule->name, header.payload_len, rule->len_min,
							 rule->len_max);
	if (header.stream && !(rule->carries & STREAM))
		return broken(rule->name, "it names a stream and has none");
	*header_out = header;
	return 0;
}

void psu_frame_put_control(const struct psu_control *control,
						   uint8_t payload_out[PSU_CONTROL_LEN])
{
	struct psu_writer writer = {.at = payload_out,
								.end = payload_out + PSU_CONTROL_LEN};
	const struct rule *rule = find_rule(control->type);

	assert(rule && rule->carries & CONTROL);
	psu_put_bytes(&writer, control->migration.bytes, 16);
	psu_put_bytes(&writer, control->incarnation.bytes, 16);
	psu_put_u64(&writer, rule->carries & TOKEN ? control->token : 0);
	psu_put_u32(&writer, rule->carries & CODE ? (uint32_t)control->code : 0);
	psu_put_u32(&writer, rule->carries & TTL ? control->ttl_ms : 0);
	assert(!writer.overflow && writer.at == writer.end);
}

int psu_frame_get_control(uint8_t type, const uint8_t payload[PSU_CONTROL_LEN],
						  struct psu_control *control_out)
{
	struct psu_reader reader = {.at = payload,
								.end = payload + PSU_CONTROL_LEN};
	const struct rule *rule = find_rule(type);
	struct psu_control control = {.type = type};

	if (!rule || !(rule->carries & CONTROL))
		return broken(psu_frame_name(type), "it is no control frame");
	psu_get_bytes(&reader, control.migration.bytes, 16);
	psu_get_bytes(&reader, control.incarnation.bytes, 16);
	control.token = psu_get_u64(&reader);
	control.code = (int32_t)psu_get_u32(&reader);
	control.ttl_ms = psu_get_u32(&reader);
	assert(psu_reader_done(&reader));

	/* what the type does not use is zero */
	if (control.token && !(rule->carries & TOKEN))
		return broken(rule->name, "it has a token");
	if (control.ttl_ms && !(rule->carries & TTL))
		return broken(rule->name, "it has a time to live");
	if (control.code && !(rule->carries & CODE))
		return broken(rule->name, "it has an error code");
	if (rule->carries & CODE && !psu_error_known(control.code))
		return broken(rule->name, "its error code is not in the table");
	*control_out = control;
	return 0;
}

size_t psu_frame_put_location(const struct psu_location *location,
							  uint8_t payload_out[PSU_LOCATION_LEN_MAX])
{
	struct psu_writer writer = {.at = payload_out,
								.end = payload_out + PSU_LOCATION_LEN_MAX};

	psu_place_put(&writer, &location->where);
	for (unsigned i = 0; i < location->itinerary.count; i++)
		psu_put_bytes(&writer, location->itinerary.links[i], PSU_SEALED_LEN);
	assert(!writer.overflow);
	return (size_t)(writer.at - payload_out);
}

int psu_frame_get_location(const uint8_t *payload, size_t len,
						   struct psu_location *location_out)
{
	struct psu_reader reader = {.at = payload, .end = payload + len};
	struct psu_location location;

	assert(len >= PSU_LOCATION_LEN_MIN && len <= PSU_LOCATION_LEN_MAX);
	psu_place_get(&reader, &location.where);
	location.itinerary.count = (unsigned)((len - PSU_PLACE_LEN) /
										  PSU_SEALED_LEN);
	for (unsigned i = 0; i < location.itinerary.count; i++)
		psu_get_bytes(&reader, location.itinerary.links[i], PSU_SEALED_LEN);
	if (!psu_reader_done(&reader))
		return broken("LOCATION", "it names no place, or cuts a move off");
	*location_out = location;
	return 0;
}

void psu_frame_put_noted(const struct psu_noted *noted,
						 uint8_t payload_out[PSU_NOTED_LEN])
{
	struct psu_writer writer = {.at = payload_out,
								.end = payload_out + PSU_NOTED_LEN};

	psu_put_bytes(&writer, noted->thread.bytes, 16);
	psu_put_u64(&writer, noted->generation);
	assert(!writer.overflow && writer.at == writer.end);
}

void psu_frame_get_noted(const uint8_t payload[PSU_NOTED_LEN],
						 struct psu_noted *noted_out)
{
	struct psu_reader reader = {.at = payload, .end = payload + PSU_NOTED_LEN};

	psu_get_bytes(&reader, noted_out->thread.bytes, 16);
	noted_out->generation = psu_get_u64(&reader);
}

void psu_frame_put_compare(const struct psu_compare *compare,
						   uint8_t payload_out[PSU_COMPARE_LEN])
{
	struct psu_writer writer = {.at = payload_out,
								.end = payload_out + PSU_COMPARE_LEN};

	psu_put_bytes(&writer, compare->thread.bytes, 16);
	psu_put_bytes(&writer, compare->key, sizeof(compare->key));
	psu_put_u32(&writer, compare->stride);
	assert(!writer.overflow && writer.at == writer.end);
}

int psu_frame_get_compare(const uint8_t payload[PSU_COMPARE_LEN],
						  struct psu_compare *compare_out)
{
	struct psu_reader reader = {.at = payload,
								.end = payload + PSU_COMPARE_LEN};

	psu_get_bytes(&reader, compare_out->thread.bytes, 16);
	psu_get_bytes(&reader, compare_out->key, sizeof(compare_out->key));
	compare_out->stride = psu_get_u32(&reader);
	return compare_out->stride ? 0 : broken("COMPARE", "it asks for no page");
}

/** FORMAT.md, "Versions": this and the version behind it never move. */
static const char hello_magic[] = "psu_thread hello";

#define HELLO_MAGIC_LEN 16 /* without a NUL */
#define HELLO_RESERVED_LEN 89

_Static_assert(sizeof(hello_magic) == HELLO_MAGIC_LEN + 1, "FORMAT.md");

void psu_frame_put_hello(const struct psu_hello *hello,
						 uint8_t payload_out[PSU_HELLO_LEN])
{
	struct psu_writer writer = {.at = payload_out,
								.end = payload_out + PSU_HELLO_LEN};

	psu_put_bytes(&writer, hello_magic, HELLO_MAGIC_LEN);
	psu_put_u16(&writer, hello->version);
	psu_put_u32(&writer, hello->page_len);
	psu_put_u64(&writer, hello->window_addr);
	psu_put_u64(&writer, hello->slot_len);
	psu_put_u32(&writer, hello->zone_count);
	psu_put_u32(&writer, hello->zone);
	psu_put_u32(&writer, hello->isa_needed);
	psu_put_u32(&writer, hello->isa_present);
	psu_put_bytes(&writer, hello->incarnation.bytes, 16);
	psu_put_bytes(&writer, hello->program.bytes, 32);
	psu_put_bytes(&writer, hello->guards.bytes, 32);
	psu_put_bytes(&writer, hello->locale.bytes, 32);
	psu_put_u8(&writer, hello->attest);
	psu_put_zeros(&writer, HELLO_RESERVED_LEN);
	assert(!writer.overflow && writer.at == writer.end);
}

int psu_frame_get_hello(const char *peer, const uint8_t payload[PSU_HELLO_LEN],
						struct psu_hello *hello_out)
{
	struct psu_reader reader = {.at = payload, .end = payload + PSU_HELLO_LEN};
	struct psu_hello hello;
	char magic[HELLO_MAGIC_LEN];
	unsigned attest;

	/* the version says whether the rest can be read at all */
	psu_get_bytes(&reader, magic, sizeof(magic));
	if (memcmp(magic, hello_magic, sizeof(magic)) != 0)
		return broken("HELLO", "it does not begin with \"psu_thread hello\"");
	hello.version = psu_get_u16(&reader);
	if (hello.version != PSU_WIRE_VERSION)
		return psu_error_set(PSU_THREAD_E_VERSION_MISMATCH,
							 "cannot open a session: %s speaks wire version "
							 "%u, this host %u: install the same psu_thread on "
							 "both hosts",
							 peer, hello.version, PSU_WIRE_VERSION);

	/* the rest */
	hello.page_len = psu_get_u32(&reader);
	hello.window_addr = psu_get_u64(&reader);
	hello.slot_len = psu_get_u64(&reader);
	hello.zone_count = psu_get_u32(&reader);
	hello.zone = psu_get_u32(&reader);
	hello.isa_needed = psu_get_u32(&reader);
	hello.isa_present = psu_get_u32(&reader);
	psu_get_bytes(&reader, hello.incarnation.bytes, 16);
	psu_get_bytes(&reader, hello.program.bytes, 32);
	psu_get_bytes(&reader, hello.guards.bytes, 32);
	psu_get_bytes(&reader, hello.locale.bytes, 32);
	attest = psu_get_u8(&reader);
	hello.attest = attest != 0;
	psu_get_zeros(&reader, HELLO_RESERVED_LEN);
	if (!psu_reader_done(&reader))
		return broken("HELLO", "its reserved bytes are not zero");
	if (attest > 1)
		return broken("HELLO", "it has a flag that is neither 0 nor 1");
	*hello_out = hello;
	return 0;
}
