/* SPDX-License-Identifier: ISC */
/*
 * manifest_choices.c - ask an object's resolvers what they choose
 *
 * As the loader does: a symbol of type STT_GNU_IFUNC is the address of a
 * function that returns the one to use (gABI, "STT_GNU_IFUNC").
 */
#include "start/manifest_choices.h"
#include "bytes/sha256.h"

#include <elf.h>
#include <string.h>

/** What is needed of a dynamic section. */
struct tables {
	const ElfW(Sym) * symbols;
	const uint32_t *hash; /* DT_GNU_HASH */
};

/** The loader has made most of the section's addresses absolute, but not
 * those of the vDSO and of objects that it may not write to. */
static struct tables find_tables(const ElfW(Dyn) * dynamic, uint64_t load_addr)
{
	struct tables tables = {NULL, NULL};

	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		uint64_t addr = dynamic->d_un.d_ptr;

		if (addr < load_addr)
			addr += load_addr;
		if (dynamic->d_tag == DT_SYMTAB)
			tables.symbols = (const void *)addr;
		if (dynamic->d_tag == DT_GNU_HASH)
			tables.hash = (const void *)addr;
	}
	return tables;
}

/**
 * How many symbols there are: one more than the highest that a chain ends
 * with.  The table: bucket count, first symbol, words of the Bloom filter,
 * its shift; the filter; the buckets; a hash for each symbol from the first
 * on, whose lowest bit ends a chain.
 */
static size_t count_symbols(const uint32_t *hash)
{
	const uint32_t *buckets = hash + 4 + hash[2] * 2;
	const uint32_t *chains = buckets + hash[0];
	uint32_t last = 0;

	for (uint32_t i = 0; i < hash[0]; i++)
		if (buckets[i] > last)
			last = buckets[i];
	if (last < hash[1])
		return 0;
	while (!(chains[last - hash[1]] & 1))
		last++;
	return (size_t)last + 1;
}

static uint64_t resolve(uint64_t resolver_addr)
{
	void *(*resolver)(void) = (void *(*)(void))resolver_addr;

	return (uint64_t)resolver();
}

uint32_t psu_manifest_choices(const ElfW(Dyn) * dynamic, uint64_t load_addr)
{
	struct tables tables = find_tables(dynamic, load_addr);
	uint32_t choices = 0;
	size_t count, found = 0;
	struct psu_sha256 hash;
	struct psu_digest digest;

	if (!tables.symbols || !tables.hash)
		return 0;
	count = count_symbols(tables.hash);
	psu_sha256_init(&hash);
	for (size_t i = 0; i < count; i++) {
		const ElfW(Sym) *symbol = &tables.symbols[i];
		uint64_t offset;

		if (ELF64_ST_TYPE(symbol->st_info) != STT_GNU_IFUNC ||
			symbol->st_shndx == SHN_UNDEF)
			continue;
		offset = resolve(load_addr + symbol->st_value) - load_addr;
		psu_sha256_update(&hash, &offset, sizeof(offset));
		found++;
	}
	psu_sha256_final(&hash, &digest);
	if (found)
		memcpy(&choices, digest.bytes, sizeof(choices));
	return choices;
}
