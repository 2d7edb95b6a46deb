/* SPDX-License-Identifier: ISC */
/*
 * depart_check.c - may a thread leave, as far as it has not been unwound yet?
 *
 * In: the calling thread, on its home stack.  Refused: what it has of this
 * host that cannot go along and would be missed, or kept, for ever.
 */
#include "journey/depart.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <linux/futex.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int check_stack(const struct psu_traveller *self)
{
	uint64_t rsp = self->registers.rsp;

	if (rsp < psu_slot_stack_low(&self->slot) ||
		rsp >= psu_slot_stack_high(&self->slot))
		return psu_error_set(PSU_THREAD_E_STACK_OUTSIDE_SLOT,
							 "the caller runs on a stack of its own, at "
							 "0x%" PRIx64 ": do not migrate from a coroutine "
							 "or a signal handler's stack",
							 rsp);
	return 0;
}

/** The element that a link of the robust list points at: bit 0 tells that it
 * is a mutex with priority inheritance (linux/futex.h). */
static const struct robust_list *follow(const struct robust_list *link)
{
	return (const void *)((uint64_t)link->next & ~UINT64_C(1));
}

/** How many mutexes the kernel would mark, should the thread end now. */
static size_t count_robust(const struct robust_list_head *head)
{
	const struct robust_list *link = &head->list;
	size_t count = head->list_op_pending ? 1 : 0;

	while ((link = follow(link)) != &head->list && count < ROBUST_LIST_LIMIT)
		count++;
	return count;
}

static int check_mutexes(void)
{
	const struct robust_list_head *head;
	size_t len, count = 0;

	if (syscall(SYS_get_robust_list, 0, &head, &len) != 0)
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "cannot tell whether the thread holds a robust "
							 "mutex: get_robust_list: %m: allow that system "
							 "call");
	if (head)
		count = count_robust(head);
	if (count)
		return psu_error_set(PSU_THREAD_E_ROBUST_MUTEX_HELD,
							 "cannot move the thread: it holds robust mutexes "
							 "(%zu), which would stay locked here: unlock them "
							 "before the move",
							 count);
	return 0;
}

/* Itanium C++ ABI §2.2.2.  Weak: a program without C++ has none of it. */
struct cxa_globals {
	void *caught;
	unsigned uncaught_count;
};
struct cxa_globals *cxa_get_globals(void) __asm__("__cxa_get_globals_fast")
	__attribute__((weak));

static int check_exceptions(void)
{
	const struct cxa_globals *globals = cxa_get_globals ? cxa_get_globals()
														: NULL;

	if (globals && globals->uncaught_count)
		return psu_error_set(PSU_THREAD_E_EXCEPTION_IN_FLIGHT,
							 "cannot move the thread: %u C++ exceptions are in "
							 "flight, whose memory stays here: do not migrate "
							 "in a destructor that unwinding runs",
							 globals->uncaught_count);
	if (globals && globals->caught)
		return psu_error_set(PSU_THREAD_E_EXCEPTION_IN_FLIGHT,
							 "cannot move the thread: a C++ exception is being "
							 "handled, whose memory stays here: leave the "
							 "catch block before the move");
	return 0;
}

/** What glibc tells debuggers of a field of the thread control block, in
 * descriptions that libthread_db reads (nptl_db/structs.def). */
struct tcb_field {
	uint32_t bits, count, offset;
};

/** In pthread_exit() or a cancellation (nptl/descr.h). */
#define TCB_EXITING UINT32_C(0x10)

/** entry_x86_64.S has it in a static program. */
extern const struct tcb_field *const psu_entry_cancel_field
	__attribute__((weak, visibility("hidden")));

/** Of the field of cancellation.  NULL: this libc does not tell. */
static const struct tcb_field *find_cancel_field(void)
{
	if (&psu_entry_cancel_field)
		return psu_entry_cancel_field;
	return dlsym(RTLD_DEFAULT, "_thread_db_pthread_cancelhandling");
}

/** Handlers and destructors that run while a thread ends are called back by
 * the unwinder with what lies in this host's thread control block. */
static int check_ending(void)
{
	const struct tcb_field *field = find_cancel_field();
	uint32_t word = 0;

	if (field && field->bits == 8 * sizeof(word))
		memcpy(&word, psu_state_thread_pointer() + field->offset, sizeof(word));
	if (word & TCB_EXITING)
		return psu_error_set(PSU_THREAD_E_EXCEPTION_IN_FLIGHT,
							 "cannot move the thread: it is ending, by "
							 "pthread_exit or cancellation: do not migrate in "
							 "the destructors and cleanup handlers that then "
							 "run");
	return 0;
}

/** An object that was loaded later, and whose thread-locals exist. */
struct late_locals {
	const struct psu_manifest *manifest;
	char name[PSU_OBJECT_NAME_LEN];
};

static bool is_listed(const struct psu_manifest *manifest, uint64_t load_addr)
{
	for (size_t i = 0; i < manifest->count; i++)
		if (manifest->objects[i].load_addr == load_addr)
			return true;
	return false;
}

/** Returns 1 when it is found, -1 if nothing was loaded since the start; both
 * end the search. */
static int find_late(struct dl_phdr_info *info, size_t len, void *context)
{
	struct late_locals *late = context;
	const char *slash = strrchr(info->dlpi_name, '/');
	const char *name = slash ? slash + 1 : info->dlpi_name;

	(void)len;
	if (info->dlpi_adds == late->manifest->load_count)
		return -1;
	/* libc makes them for a thread when it first uses one */
	if (!info->dlpi_tls_data || is_listed(late->manifest, info->dlpi_addr) ||
		psu_manifest_is_system(name))
		return 0;
	memcpy(late->name, name, strnlen(name, sizeof(late->name) - 1));
	return 1;
}

static int check_late_locals(const struct psu_manifest *manifest)
{
	struct late_locals late = {.manifest = manifest};

	if (dl_iterate_phdr(find_late, &late) > 0)
		return psu_error_set(PSU_THREAD_E_TLS_DYNAMIC,
							 "cannot move the thread: it uses thread-locals of "
							 "%s, which was loaded while the program ran: link "
							 "the program with it, or call it in other "
							 "threads",
							 late.name);
	return 0;
}

int psu_depart_check(const struct psu_traveller *self,
					 const struct psu_manifest *manifest)
{
	int rc = check_stack(self);

	if (!rc)
		rc = check_mutexes();
	if (!rc)
		rc = check_exceptions();
	if (!rc)
		rc = check_ending();
	if (!rc)
		rc = check_late_locals(manifest);
	return rc;
}
