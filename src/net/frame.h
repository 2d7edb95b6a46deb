/* SPDX-License-Identifier: ISC */
/*
 * frame.h - the messages of the wire: one table, one header, one control codec
 *
 * FORMAT.md, "Frames", is the normative description.
 */
#ifndef PSU_FRAME_H
#define PSU_FRAME_H

#include "bytes/bytes.h"
#include "bytes/tag.h"
#include "report/report.h"
#include "seal/itinerary.h"
#include "trust/place.h"

#define PSU_WIRE_VERSION 0
#define PSU_FRAME_HEADER_LEN 8
#define PSU_FRAME_PAYLOAD_MAX (1u << 20)
#define PSU_CONTROL_LEN 48
#define PSU_HELLO_LEN 256
#define PSU_REFUSED_LEN 4 /* an error number, as in a control payload */
#define PSU_LOCATION_LEN_MIN (PSU_PLACE_LEN + PSU_SEALED_LEN)
#define PSU_LOCATION_LEN_MAX (PSU_PLACE_LEN + PSU_LINKS_MAX * PSU_SEALED_LEN)
#define PSU_NOTED_LEN (16 + 8)
#define PSU_COMPARE_LEN (16 + PSU_TAG_KEY_LEN + 4)
#define PSU_TAGS_LEN_MIN 8 /* and the tags */
#define PSU_TAGS_MAX 4096  /* in a frame */

enum psu_frame_type {
	PSU_FRAME_HELLO = 1,	/* both, once, first: who and what I am */
	PSU_FRAME_REFUSED = 2,	/* server: why there is no session */
	PSU_FRAME_MANIFEST = 3, /* both, if the hellos' programs differ */
	PSU_FRAME_CALL = 4,		/* server: let me ask on this session */
	PSU_FRAME_TURN = 5,		/* client: you ask from now on */
	PSU_FRAME_OFFER = 16,	/* source: a sealed statement */
	PSU_FRAME_BODY = 17,	/* source: the next bytes of the body */
	PSU_FRAME_COMMIT = 18,	/* source; from here on: control frames */
	PSU_FRAME_STATUS = 19,
	PSU_FRAME_CANCEL = 20,
	PSU_FRAME_FORGET = 21,
	PSU_FRAME_LOCATION = 22, /* to a home: where its thread is now */
	PSU_FRAME_COMPARE = 23,	 /* to a home: what it has kept of a heap */
	PSU_FRAME_PREPARED = 32, /* destination */
	PSU_FRAME_RUNNING = 33,
	PSU_FRAME_ABORTED = 34,
	PSU_FRAME_UNKNOWN = 35,
	PSU_FRAME_DEAD = 36,
	PSU_FRAME_NOTED = 37, /* destination: LOCATION was heard */
	PSU_FRAME_TAGS = 38	  /* destination: what COMPARE asks for */
};

/** Who may send a type.  Either side of a session may be the source of a
 * move and the destination of another. */
enum psu_frame_sender {
	PSU_FRAME_BY_NOBODY,	 /* the type is not in the table */
	PSU_FRAME_BY_EITHER,	 /* opens the session, or ends it */
	PSU_FRAME_BY_SERVER,	 /* whoever accepted the connection */
	PSU_FRAME_BY_CLIENT,	 /* whoever dialled */
	PSU_FRAME_BY_SOURCE,	 /* of the move: a request */
	PSU_FRAME_BY_DESTINATION /* of the move: an answer */
};

struct psu_frame_header {
	uint32_t payload_len; /* bytes */
	uint8_t type;		  /* enum psu_frame_type */
	uint16_t stream;	  /* BODY and its OFFER: the stream; else 0 */
};

void psu_frame_put_header(const struct psu_frame_header *header,
						  uint8_t bytes_out[PSU_FRAME_HEADER_LEN]);
/** Check a header by the table: type known, length within that type's
 * bounds, reserved byte zero, stream zero where the type has none.  0 or
 * PSU_THREAD_E_PROTOCOL.  Every byte read here is hostile. */
PSU_MUST_CHECK int
psu_frame_get_header(const uint8_t bytes[PSU_FRAME_HEADER_LEN],
					 struct psu_frame_header *header_out);
/** "OFFER"; "?" for an unknown number. */
const char *psu_frame_name(uint8_t type);
enum psu_frame_sender psu_frame_sender(uint8_t type);

/** Every message about one move but OFFER and BODY.  Fields that a type does
 * not use are zero, and checked. */
struct psu_control {
	uint8_t type;
	struct psu_id migration;
	struct psu_id incarnation; /* asked for, answering, or dead */
	uint64_t token;			   /* PREPARED, COMMIT */
	int32_t code;			   /* ABORTED: why, a PSU_THREAD_E_* */
	uint32_t ttl_ms;		   /* PREPARED: how long it holds */
};

/** @control->type must be one of these; fields it does not use go out as
 * zero. */
void psu_frame_put_control(const struct psu_control *control,
						   uint8_t payload_out[PSU_CONTROL_LEN]);
/** 0 or PSU_THREAD_E_PROTOCOL: @type is no control frame, a field that it
 * does not use is not zero, or the code is none of PSU_THREAD_ERRORS.  Every
 * byte read here is hostile. */
PSU_MUST_CHECK int psu_frame_get_control(uint8_t type,
										 const uint8_t payload[PSU_CONTROL_LEN],
										 struct psu_control *control_out);

/** Where a thread is, and the moves that have taken it there. */
struct psu_location {
	struct psu_place where;
	struct psu_itinerary itinerary; /* newest: the one to there */
};

/** Returns its length, bytes.  The itinerary must have a link. */
size_t psu_frame_put_location(const struct psu_location *location,
							  uint8_t payload_out[PSU_LOCATION_LEN_MAX]);
/** @len  a length that the header may have
 * 0 or PSU_THREAD_E_PROTOCOL: the place is none, or a link is not whole.  The
 * links are whatever was sent.  Every byte read here is hostile. */
PSU_MUST_CHECK int psu_frame_get_location(const uint8_t *payload, size_t len,
										  struct psu_location *location_out);

/** Which LOCATION was heard. */
struct psu_noted {
	struct psu_id thread;
	uint64_t generation;
};

void psu_frame_put_noted(const struct psu_noted *noted,
						 uint8_t payload_out[PSU_NOTED_LEN]);
/** Any bytes are one.  Every byte read here is hostile. */
void psu_frame_get_noted(const uint8_t payload[PSU_NOTED_LEN],
						 struct psu_noted *noted_out);

/** Tags are asked for of the pages that the home of a thread has kept. */
struct psu_compare {
	struct psu_id thread;
	uint8_t key[PSU_TAG_KEY_LEN];
	uint32_t stride; /* of every so many pages, the first one's */
};

void psu_frame_put_compare(const struct psu_compare *compare,
						   uint8_t payload_out[PSU_COMPARE_LEN]);
/** 0 or PSU_THREAD_E_PROTOCOL: a stride of 0.  Every byte read here is hostile.
 */
PSU_MUST_CHECK int psu_frame_get_compare(const uint8_t payload[PSU_COMPARE_LEN],
										 struct psu_compare *compare_out);

/** What each side tells first. */
struct psu_hello {
	uint16_t version;
	uint32_t page_len;	  /* of memory, bytes */
	uint64_t window_addr; /* slot geometry, slot/slot.h */
	uint64_t slot_len;
	uint32_t zone_count;
	uint32_t zone;		  /* the speaker's own */
	uint32_t isa_needed;  /* start/isa.h: bits of x86-64 levels */
	uint32_t isa_present; /* of this processor */
	struct psu_id incarnation;
	struct psu_digest program; /* of the manifest */
	struct psu_digest guards;  /* keyed: says nothing about them */
	struct psu_digest locale;  /* of the locale's names */
	bool attest; /* it wants the heaps signed of what comes from the peer */
};

void psu_frame_put_hello(const struct psu_hello *hello,
						 uint8_t payload_out[PSU_HELLO_LEN]);
/** 0, VERSION_MISMATCH (judged first, whatever follows; @peer names the
 * other host in its sentence), PROTOCOL.  The values are not judged here: the
 * session compares them with its own.  Every byte read here is hostile. */
PSU_MUST_CHECK int psu_frame_get_hello(const char *peer,
									   const uint8_t payload[PSU_HELLO_LEN],
									   struct psu_hello *hello_out);

#endif
