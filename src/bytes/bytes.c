/* SPDX-License-Identifier: ISC */
/*
 * bytes.c - big-endian fields in and out of bounded buffers
 *
 * Every byte read here is hostile.  Nothing is written or read past an end;
 * the first field that does not fit marks the writer or reader for good.
 */
#include "bytes/bytes.h"

#include <string.h>

bool psu_id_equal(const struct psu_id *a, const struct psu_id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool psu_id_is_zero(const struct psu_id *id)
{
	static const struct psu_id zero;

	return psu_id_equal(id, &zero);
}

bool psu_digest_equal(const struct psu_digest *a, const struct psu_digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void psu_bytes_hex(const void *bytes, size_t len, char *hex_out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < len; i++) {
		*hex_out++ = digits[byte[i] >> 4];
		*hex_out++ = digits[byte[i] & 15];
	}
	*hex_out = '\0';
}

/** The next @len bytes to write, or NULL. */
static uint8_t *claim(struct psu_writer *writer, size_t len)
{
	uint8_t *at = writer->at;

	if (writer->overflow || (size_t)(writer->end - at) < len) {
		writer->overflow = true;
		return NULL;
	}
	writer->at += len;
	return at;
}

static void put_number(struct psu_writer *writer, uint64_t value, size_t len)
{
	uint8_t *at = claim(writer, len);

	if (!at)
		return;
	for (size_t i = len; i-- > 0; value >>= 8)
		at[i] = (uint8_t)value;
}

void psu_put_u8(struct psu_writer *writer, uint8_t value)
{
	put_number(writer, value, 1);
}

void psu_put_u16(struct psu_writer *writer, uint16_t value)
{
	put_number(writer, value, 2);
}

void psu_put_u32(struct psu_writer *writer, uint32_t value)
{
	put_number(writer, value, 4);
}

void psu_put_u64(struct psu_writer *writer, uint64_t value)
{
	put_number(writer, value, 8);
}

void psu_put_bytes(struct psu_writer *writer, const void *bytes, size_t len)
{
	uint8_t *at = claim(writer, len);

	if (at && len)
		memcpy(at, bytes, len);
}

void psu_put_zeros(struct psu_writer *writer, size_t len)
{
	uint8_t *at = claim(writer, len);

	if (at && len)
		memset(at, 0, len);
}

const uint8_t *psu_get_span(struct psu_reader *reader, size_t len)
{
	const uint8_t *at = reader->at;

	if (reader->bad || (size_t)(reader->end - at) < len) {
		reader->bad = true;
		return NULL;
	}
	reader->at += len;
	return at;
}

static uint64_t get_number(struct psu_reader *reader, size_t len)
{
	const uint8_t *at = psu_get_span(reader, len);
	uint64_t value = 0;

	for (size_t i = 0; at && i < len; i++)
		value = value << 8 | at[i];
	return value;
}

uint8_t psu_get_u8(struct psu_reader *reader)
{
	return (uint8_t)get_number(reader, 1);
}

uint16_t psu_get_u16(struct psu_reader *reader)
{
	return (uint16_t)get_number(reader, 2);
}

uint32_t psu_get_u32(struct psu_reader *reader)
{
	return (uint32_t)get_number(reader, 4);
}

uint64_t psu_get_u64(struct psu_reader *reader)
{
	return get_number(reader, 8);
}

void psu_get_bytes(struct psu_reader *reader, void *bytes_out, size_t len)
{
	const uint8_t *at = psu_get_span(reader, len);

	if (at)
		memcpy(bytes_out, at, len);
	else
		memset(bytes_out, 0, len);
}

void psu_get_zeros(struct psu_reader *reader, size_t len)
{
	const uint8_t *at = psu_get_span(reader, len);

	for (size_t i = 0; at && i < len; i++)
		if (at[i])
			reader->bad = true;
}

bool psu_reader_done(const struct psu_reader *reader)
{
	return !reader->bad && reader->at == reader->end;
}
