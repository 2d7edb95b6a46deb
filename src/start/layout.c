/* SPDX-License-Identifier: ISC */
/*
 * layout.c - find thread-locals of the program behind the library's marks
 *
 * What lies behind the marks is libc's and ours, and stays (locals.h).  An
 * archive that is linked behind the library has its thread-locals there, too,
 * and they would stay behind in silence.  So the symbol table of the
 * program's file is read: every thread-local behind its section's mark must
 * be one of the system's, whose names the build took from its archives.
 * Offsets in the file are checked before they are used; a file that makes no
 * sense says nothing.
 */
#include "start/hazards.h"
#include "state/state.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	const char *bytes;
	uint64_t len;
};

struct symbols {
	uint64_t addr; /* in the file */
	uint64_t count;
	const char *names;
	uint64_t names_len;
};

static const struct {
	const char *name;
	uint64_t len;
} system_locals[] = {
	{"psu_local", sizeof(struct psu_local)},
#include "start/system_tls.inc"
};

static bool has(const struct file *file, uint64_t addr, uint64_t len)
{
	return addr <= file->len && len <= file->len - addr;
}

/** Copy out, since nothing in a file need be aligned. */
static bool get(const struct file *file, uint64_t addr, void *out, size_t len)
{
	if (!has(file, addr, len))
		return false;
	memcpy(out, file->bytes + addr, len);
	return true;
}

static bool get_section(const struct file *file, const Elf64_Ehdr *head,
						uint64_t index, Elf64_Shdr *section_out)
{
	return index < head->e_shnum && head->e_shentsize == sizeof(Elf64_Shdr) &&
		   get(file, head->e_shoff + index * sizeof(Elf64_Shdr), section_out,
			   sizeof(*section_out)) &&
		   has(file, section_out->sh_offset, section_out->sh_size);
}

static bool find_symbols(const struct file *file, struct symbols *symbols_out)
{
	Elf64_Ehdr head;
	Elf64_Shdr table, names;

	if (!get(file, 0, &head, sizeof(head)))
		return false;
	for (uint64_t i = 0; i < head.e_shnum; i++) {
		/* .bss takes no room in the file: it is not looked at */
		if (!get_section(file, &head, i, &table) || table.sh_type != SHT_SYMTAB)
			continue;
		if (!get_section(file, &head, table.sh_link, &names))
			return false;
		symbols_out->addr = table.sh_offset;
		symbols_out->count = table.sh_size / sizeof(Elf64_Sym);
		symbols_out->names = file->bytes + names.sh_offset;
		symbols_out->names_len = names.sh_size;
		return true;
	}
	return false;
}

/** The symbol's name if it is a thread-local of this program, else NULL. */
static const char *get_local(const struct file *file,
							 const struct symbols *symbols, uint64_t index,
							 Elf64_Sym *symbol_out)
{
	const char *name;

	if (!get(file, symbols->addr + index * sizeof(*symbol_out), symbol_out,
			 sizeof(*symbol_out)) ||
		ELF64_ST_TYPE(symbol_out->st_info) != STT_TLS ||
		symbol_out->st_shndx == SHN_UNDEF ||
		symbol_out->st_name >= symbols->names_len)
		return NULL;
	name = symbols->names + symbol_out->st_name;
	return memchr(name, '\0', symbols->names_len - symbol_out->st_name) ? name
																		: NULL;
}

/** False if the table has not both marks. */
static bool find_marks(const struct file *file, const struct symbols *symbols,
					   Elf64_Sym *data_out, Elf64_Sym *bss_out)
{
	Elf64_Sym symbol;
	int found = 0;

	for (uint64_t i = 0; i < symbols->count; i++) {
		const char *name = get_local(file, symbols, i, &symbol);

		if (name && strcmp(name, "psu_state_tls_data_end") == 0) {
			*data_out = symbol;
			found |= 1;
		} else if (name && strcmp(name, "psu_state_tls_bss_end") == 0) {
			*bss_out = symbol;
			found |= 2;
		}
	}
	return found == 3;
}

static bool is_system(const char *name, uint64_t len)
{
	const size_t count = sizeof(system_locals) / sizeof(*system_locals);

	for (size_t i = 0; i < count; i++)
		if (system_locals[i].len == len &&
			strcmp(system_locals[i].name, name) == 0)
			return true;
	return false;
}

static int check_symbols(const struct file *file, const struct symbols *symbols)
{
	Elf64_Sym data, bss, symbol;

	if (!find_marks(file, symbols, &data, &bss))
		return 0;
	for (uint64_t i = 0; i < symbols->count; i++) {
		const char *name = get_local(file, symbols, i, &symbol);
		const Elf64_Sym *mark = &data;

		if (name && symbol.st_shndx == bss.st_shndx)
			mark = &bss;
		if (name && symbol.st_value > mark->st_value &&
			!is_system(name, symbol.st_size))
			return psu_error_set(PSU_THREAD_E_TLS_LAYOUT,
								 "the thread-local '%s' is linked behind the "
								 "library, where it would stay when its thread "
								 "leaves: put -lpsu_thread after the object "
								 "or archive that defines it",
								 name);
	}
	return 0;
}

int psu_layout_check(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), rc = 0;
	struct symbols symbols;
	struct stat status;
	struct file file;
	void *bytes = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &status) == 0)
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd,
					 0);
	if (fd >= 0)
		close(fd);
	if (bytes == MAP_FAILED)
		return 0;
	file = (struct file){bytes, (uint64_t)status.st_size};
	if (find_symbols(&file, &symbols))
		rc = check_symbols(&file, &symbols);
	munmap(bytes, file.len);
	return rc;
}
