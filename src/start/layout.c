/* SPDX-License-Identifier: ISC */
/*
 * layout.c - find thread-locals of the program behind the library's marks
 *
 * What lies behind the marks is libc's and ours, and stays (locals.h).  An
 * archive that is linked behind the library has its thread-locals there, too,
 * and they would stay behind in silence.  So the symbol table of the
 * program's file is read: every thread-local behind its section's mark must
 * be one of the system's, whose names the build took from its archives.
 */
#include "start/hazards.h"
#include "start/symbols.h"
#include "state/state.h"

#include <stdint.h>
#include <string.h>

static const struct {
	const char *name;
	uint64_t len;
} system_locals[] = {
	{"psu_local", sizeof(struct psu_local)},
#include "start/system_tls.inc"
};

/** False if the table has not both marks. */
static bool find_marks(const struct psu_symbols *symbols, Elf64_Sym *data_out,
					   Elf64_Sym *bss_out)
{
	Elf64_Sym symbol;
	int found = 0;

	for (uint64_t i = 0; i < symbols->count; i++) {
		const char *name = psu_symbols_get(symbols, i, STT_TLS, &symbol);

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

static int check_symbols(const struct psu_symbols *symbols)
{
	Elf64_Sym data, bss, symbol;

	if (!find_marks(symbols, &data, &bss))
		return 0;
	for (uint64_t i = 0; i < symbols->count; i++) {
		const char *name = psu_symbols_get(symbols, i, STT_TLS, &symbol);
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
	struct psu_symbols symbols;
	int rc;

	if (!psu_symbols_open("/proc/self/exe", &symbols))
		return 0;
	rc = check_symbols(&symbols);
	psu_symbols_close(&symbols);
	return rc;
}
