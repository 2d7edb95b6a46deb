/* SPDX-License-Identifier: ISC */
/*
 * hazards.c - refuse what the compiler, the linker or the kernel makes of this
 * program
 *
 * Run-time libraries are known by a symbol of theirs.  The references are
 * weak: they see what the program brings with it and pull nothing in.
 */
#include "start/hazards.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

/* asm/prctl.h of Linux 6.6; and of kernels that were patched before.  Both
 * put a set of features first; 1 is the shadow stack. */
#define SHADOW_STACK_STATUS 0x5005
#define CET_STATUS 0x3001
#define SHADOW_STACK_ON 1

#define PERSONALITY_QUERY 0xffffffff

extern const char safe_stack_runtime[] __asm__("__safestack_init")
	__attribute__((weak));
extern const char split_stack_runtime[] __asm__("__splitstack_getcontext")
	__attribute__((weak));
extern const char thread_sanitizer_runtime[] __asm__("__tsan_init")
	__attribute__((weak));

bool psu_hazards_thread_sanitizer(void)
{
	return thread_sanitizer_runtime;
}

static bool is_shadow_stack_on(long query)
{
	uint64_t status[3] = {0};

	return syscall(SYS_arch_prctl, query, status) == 0 &&
		   status[0] & SHADOW_STACK_ON;
}

static int check_shadow_stack(void)
{
	if (is_shadow_stack_on(SHADOW_STACK_STATUS) ||
		is_shadow_stack_on(CET_STATUS))
		return psu_error_set(PSU_THREAD_E_SHADOW_STACK,
							 "this thread has a shadow stack, which no other "
							 "host can be given: build the program with "
							 "-fcf-protection=branch, or start it with "
							 "GLIBC_TUNABLES=glibc.cpu.x86_shstk=off");
	return 0;
}

static int check_compiler(void)
{
	if (safe_stack_runtime)
		return psu_error_set(PSU_THREAD_E_SAFE_STACK,
							 "this program is built with "
							 "-fsanitize=safe-stack, whose second stack does "
							 "not travel: build all of it without");
	if (split_stack_runtime)
		return psu_error_set(PSU_THREAD_E_SPLIT_STACK,
							 "this program is built with -fsplit-stack, whose "
							 "pieces of stack do not travel: build all of it "
							 "without");
	if (psu_hazards_thread_sanitizer())
		return psu_error_set(PSU_THREAD_E_THREAD_SANITIZER,
							 "this program is built with -fsanitize=thread, "
							 "which keeps a history of each thread that does "
							 "not travel: build all of it without");
	return 0;
}

/** The name of an object that asks for executable stacks goes to @context;
 * one that does not say gets them too. */
static int find_executable(struct dl_phdr_info *info, size_t len, void *context)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	bool executable = true;

	(void)len;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		if (header->p_type == PT_GNU_STACK)
			executable = header->p_flags & PF_X;
		/* the kernel's own object has no say */
		if (header->p_type == PT_LOAD && vdso &&
			vdso - (info->dlpi_addr + header->p_vaddr) < header->p_memsz)
			return 0;
	}
	if (executable)
		*(const char **)context = info->dlpi_name;
	return executable;
}

static int check_stack_flags(void)
{
	const char *name = "";
	int persona;

	if (dl_iterate_phdr(find_executable, &name))
		return psu_error_set(PSU_THREAD_E_EXECUTABLE_STACK,
							 "%s asks for executable stacks, and those of "
							 "threads that travel never are: do not take the "
							 "address of a nested function, and give each "
							 "assembler file a section .note.GNU-stack",
							 *name ? name : "this program");
	/* where it may not be asked for it has not been set either */
	persona = personality(PERSONALITY_QUERY);
	if (persona >= 0 && persona & READ_IMPLIES_EXEC)
		return psu_error_set(PSU_THREAD_E_EXECUTABLE_STACK,
							 "all memory of this process is executable "
							 "(READ_IMPLIES_EXEC), and stacks that travel "
							 "never are: do not set that personality");
	return 0;
}

int psu_hazards_check(void)
{
	int rc = check_shadow_stack();

	if (!rc)
		rc = check_compiler();
	if (!rc)
		rc = check_stack_flags();
	return rc ? rc : psu_layout_check();
}
