/* SPDX-License-Identifier: ISC */
/*
 * bytes.h - big-endian fields, one a line, in wire order
 *
 * A writer and a reader each go wrong once and stay wrong, so that a codec is
 * a straight list of fields with one check at its end.  All numbers are
 * big-endian; there is one encoding per value.
 */
#ifndef PSU_BYTES_H
#define PSU_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** 128 random bits that name something for ever: a thread, a move, a run of
 * a process. */
struct psu_id {
	uint8_t bytes[16];
};

/** A SHA-256. */
struct psu_digest {
	uint8_t bytes[32];
};

bool psu_id_equal(const struct psu_id *a, const struct psu_id *b);
bool psu_id_is_zero(const struct psu_id *id);
bool psu_digest_equal(const struct psu_digest *a, const struct psu_digest *b);

/** Write @len bytes as 2 * @len lower-case hexadecimal digits and a NUL. */
void psu_bytes_hex(const void *bytes, size_t len, char *hex_out);

struct psu_writer {
	uint8_t *at;
	uint8_t *end;
	bool overflow; /* something did not fit; nothing was written past end */
};

void psu_put_u8(struct psu_writer *writer, uint8_t value);
void psu_put_u16(struct psu_writer *writer, uint16_t value);
void psu_put_u32(struct psu_writer *writer, uint32_t value);
void psu_put_u64(struct psu_writer *writer, uint64_t value);
void psu_put_bytes(struct psu_writer *writer, const void *bytes, size_t len);
void psu_put_zeros(struct psu_writer *writer, size_t len);

struct psu_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* bytes were missing, or not zero where they must be */
};

/* A reader that is bad yields zeros. */
uint8_t psu_get_u8(struct psu_reader *reader);
uint16_t psu_get_u16(struct psu_reader *reader);
uint32_t psu_get_u32(struct psu_reader *reader);
uint64_t psu_get_u64(struct psu_reader *reader);
void psu_get_bytes(struct psu_reader *reader, void *bytes_out, size_t len);
/** Step over @len bytes without copying them; NULL if they are missing. */
const uint8_t *psu_get_span(struct psu_reader *reader, size_t len);
/** Reserved bytes: bad unless they are zero. */
void psu_get_zeros(struct psu_reader *reader, size_t len);
/** Whether all was there, all reserved bytes were zero, and nothing is left. */
bool psu_reader_done(const struct psu_reader *reader);

#endif
