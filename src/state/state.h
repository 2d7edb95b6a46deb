/* SPDX-License-Identifier: ISC */
/*
 * state.h - what the machine keeps of a thread, and the switches between a
 * thread's two stacks
 *
 * A migratable thread has a *home stack*, where its pthread was started and
 * where the library works, and a *travelling stack*, where the user's code
 * runs.  Four assembly routines (one .S per architecture) move between them:
 *
 *     psu_state_enter    home → travelling   begin the user's function
 *     psu_state_capture  travelling → home   keep the registers, call depart
 *     psu_state_resume   home → travelling   go on with kept registers
 *     psu_state_leave    home → home         back to what entered or resumed
 */
#ifndef PSU_STATE_H
#define PSU_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * What a callee must keep, x86-64 psABI §3.2.1 and §3.2.3: six registers and
 * the stack pointer, the SSE control word, and the whole x87 environment as
 * fnstenv lays it out.  Assembly knows these offsets.
 */
struct psu_registers {
	uint64_t rbx, rbp, r12, r13, r14, r15;
	uint64_t rsp; /* points at the return address into psu_thread_migrate */
	uint32_t mxcsr;
	uint8_t x87[28];
};
_Static_assert(offsetof(struct psu_registers, rsp) == 48, "used by assembly");
_Static_assert(offsetof(struct psu_registers, mxcsr) == 56, "ditto");
_Static_assert(offsetof(struct psu_registers, x87) == 60, "ditto");
_Static_assert(sizeof(struct psu_registers) == 88, "no padding");

struct psu_traveller;

/**
 * The library's own thread-locals.  They are defined in assembly right behind
 * the two marks that end the program's thread-locals, so that nothing of ours
 * ever lies in the part that travels.
 */
struct psu_local {
	struct psu_traveller *self; /* NULL outside a migratable thread */
	void *home_sp;				/* where psu_state_leave returns to */
	char sentence[512];			/* of the last failure, see report.h */
	bool told;					/* it is in the log already */
	bool whispering;			/* failures are debug lines now */
	bool in_a_hurry;			/* gives way to no other move, see traffic.h */
	bool logging;				/* in the program's log function */
};
_Static_assert(sizeof(struct psu_local) == 536, "reserved in assembly");

extern __thread struct psu_local psu_local
	__attribute__((visibility("hidden"), tls_model("initial-exec")));

/** Where the program's initialised and zeroed thread-locals end. */
extern __thread char psu_state_tls_data_end
	__attribute__((visibility("hidden"), tls_model("initial-exec")));
extern __thread char psu_state_tls_bss_end
	__attribute__((visibility("hidden"), tls_model("initial-exec")));

/** The one address at which a thread may be resumed, inside
 * psu_state_capture; never taken from the wire. */
extern const char psu_state_resume_point[]
	__attribute__((visibility("hidden")));

/** Where the program's own code ends, in the object that holds this library:
 * behind it lies what is linked after the program. */
extern const char psu_state_text_end[] __attribute__((visibility("hidden")));

/** Vectors longer than 128 bits: the processor has such, and the system keeps
 * them. */
extern bool psu_state_wide_vectors __attribute__((visibility("hidden")));

/** Where psu_state_enter() has called the thread's function: the end of every
 * frame chain. */
extern const char psu_state_entered[] __attribute__((visibility("hidden")));

/**
 * Call @fn(@arg) on the stack that ends at @stack_top.  Called on the home
 * stack; returns there, with what @fn returned, on whatever host it returns.
 *
 * @stack_top  aligned to 16; [stack_top - len, stack_top) is writable
 */
void *psu_state_enter(void *stack_top, void *(*fn)(void *), void *arg);

/**
 * Keep the registers in @registers_out and call @work(@self) on the home
 * stack.  Returns what @work returned, at the source; returns 0 wherever the
 * kept registers are resumed.  Called on the travelling stack; returns twice.
 */
int psu_state_capture(struct psu_registers *registers_out,
					  struct psu_traveller *self,
					  int (*work)(struct psu_traveller *self))
	__attribute__((returns_twice));

/**
 * Go on behind the psu_state_capture() that kept @registers.  Called on the
 * home stack; returns there, with what the user's function returned, when
 * that function ends or psu_state_leave() is called.
 */
void *psu_state_resume(const struct psu_registers *registers);

/**
 * Drop everything above the last psu_state_enter() or psu_state_resume() of
 * this pthread and return @result from it.  Called on the home stack; does
 * not return.
 */
void psu_state_leave(void *result) __attribute__((noreturn));

/** The calling thread's stack canary and pointer guard, as libc keeps them
 * (fs:0x28 and fs:0x30). */
void psu_state_guards(uint64_t guards_out[2]);

/** Let the calling thread, and those it will start, have these; for the time
 * before anything is mangled, by a function without a canary of its own. */
void psu_state_set_guards(const uint64_t guards[2]);

/**
 * read(2) and close(2) for the time before libc: no errno.
 * Return what the kernel returns: a count, or a negative error number.
 */
long psu_state_raw_read(int fd, void *bytes_out, size_t len);
long psu_state_raw_close(int fd);

/** The calling thread's thread pointer. */
char *psu_state_thread_pointer(void);

/** Once, in setup: find out which vectors this processor has.  They are emptied
 * before the program's code goes on. */
void psu_state_init(void);

/**
 * Check that @registers can be loaded: no reserved MXCSR bit, which would
 * fault, and an x87 environment as fnstenv leaves it.
 * Every byte read here is hostile.
 */
bool psu_state_valid(const struct psu_registers *registers);

#endif
