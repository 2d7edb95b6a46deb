/* SPDX-License-Identifier: ISC */
/*
 * symbols.c - read the symbol table of an ELF file
 *
 * In: a file.  Out: its symbols.  Offsets in the file are checked before they
 * are used; a file that makes no sense has no symbols.
 */
#include "start/symbols.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has(const struct psu_symbols *file, uint64_t addr, uint64_t len)
{
	return addr <= file->len && len <= file->len - addr;
}

/** Copy out, since nothing in a file need be aligned. */
static bool get(const struct psu_symbols *file, uint64_t addr, void *out,
				size_t len)
{
	if (!has(file, addr, len))
		return false;
	memcpy(out, file->bytes + addr, len);
	return true;
}

static bool get_section(const struct psu_symbols *file, const Elf64_Ehdr *head,
						uint64_t index, Elf64_Shdr *section_out)
{
	return index < head->e_shnum && head->e_shentsize == sizeof(Elf64_Shdr) &&
		   get(file, head->e_shoff + index * sizeof(Elf64_Shdr), section_out,
			   sizeof(*section_out)) &&
		   has(file, section_out->sh_offset, section_out->sh_size);
}

static bool find_table(struct psu_symbols *symbols)
{
	Elf64_Ehdr head;
	Elf64_Shdr table, names;

	if (!get(symbols, 0, &head, sizeof(head)) ||
		memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	for (uint64_t i = 0; i < head.e_shnum; i++) {
		/* .bss takes no room in the file: it is not looked at */
		if (!get_section(symbols, &head, i, &table) ||
			table.sh_type != SHT_SYMTAB)
			continue;
		if (!get_section(symbols, &head, table.sh_link, &names))
			return false;
		symbols->addr = table.sh_offset;
		symbols->count = table.sh_size / sizeof(Elf64_Sym);
		symbols->names = symbols->bytes + names.sh_offset;
		symbols->names_len = names.sh_size;
		return true;
	}
	return false;
}

bool psu_symbols_open(const char *path, struct psu_symbols *symbols_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct psu_symbols symbols = {.bytes = NULL};
	void *bytes = MAP_FAILED;
	struct stat status;

	if (fd >= 0 && fstat(fd, &status) == 0)
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd,
					 0);
	if (fd >= 0)
		close(fd);
	if (bytes == MAP_FAILED)
		return false;
	symbols.bytes = bytes;
	symbols.len = (uint64_t)status.st_size;
	if (!find_table(&symbols)) {
		psu_symbols_close(&symbols);
		return false;
	}
	*symbols_out = symbols;
	return true;
}

void psu_symbols_close(struct psu_symbols *symbols)
{
	munmap((void *)(uintptr_t)symbols->bytes, symbols->len);
	symbols->bytes = NULL;
}

const char *psu_symbols_get(const struct psu_symbols *symbols, uint64_t index,
							unsigned char type, Elf64_Sym *symbol_out)
{
	const char *name;

	if (!get(symbols, symbols->addr + index * sizeof(*symbol_out), symbol_out,
			 sizeof(*symbol_out)) ||
		ELF64_ST_TYPE(symbol_out->st_info) != type ||
		symbol_out->st_shndx == SHN_UNDEF ||
		symbol_out->st_name >= symbols->names_len)
		return NULL;
	name = symbols->names + symbol_out->st_name;
	return memchr(name, '\0', symbols->names_len - symbol_out->st_name) ? name
																		: NULL;
}

const char *psu_symbols_find(const struct psu_symbols *symbols,
							 unsigned char type, uint64_t value,
							 uint64_t *offset_out)
{
	Elf64_Sym symbol;

	for (uint64_t i = 0; i < symbols->count; i++) {
		const char *name = psu_symbols_get(symbols, i, type, &symbol);

		if (name && value - symbol.st_value < symbol.st_size) {
			*offset_out = value - symbol.st_value;
			return name;
		}
	}
	return NULL;
}
