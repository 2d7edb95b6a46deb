/* SPDX-License-Identifier: ISC */
/*
 * symbols.h - the symbol table of a program's or a library's file
 */
#ifndef PSU_SYMBOLS_H
#define PSU_SYMBOLS_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

/** An opened table. */
struct psu_symbols {
	const char *bytes; /* the file */
	uint64_t len;
	uint64_t addr; /* of the table, in the file */
	uint64_t count;
	const char *names;
	uint64_t names_len;
};

/** Open that of the ELF file at @path.  False: it has none, or makes no sense.
 * @symbols_out  psu_symbols_close() */
bool psu_symbols_open(const char *path, struct psu_symbols *symbols_out);
void psu_symbols_close(struct psu_symbols *symbols);

/** A defined symbol of @type (STT_*), and its name.  NULL: @index, which is
 * less than count, is no such symbol's. */
const char *psu_symbols_get(const struct psu_symbols *symbols, uint64_t index,
							unsigned char type, Elf64_Sym *symbol_out);

/**
 * Find the symbol of @type which @value is in.
 *
 * @value  as the file has it
 *
 * Returns its name, and @offset_out from its begin; NULL: there is none.
 */
const char *psu_symbols_find(const struct psu_symbols *symbols,
							 unsigned char type, uint64_t value,
							 uint64_t *offset_out);

#endif
