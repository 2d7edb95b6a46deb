/* SPDX-License-Identifier: ISC */
/*
 * test_state.c - the switches between two stacks keep every register that a
 * callee must keep, on both sides; what cannot be loaded is refused
 *
 * A static program, as those are that move.
 */
#include "run_suite.h"

#include "report/report.h"
#include "state/state.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define KEPT 6 /* rbx rbp r12 r13 r14 r15, as in struct psu_registers */

/** Load the six registers from @in, call @fn(@a, @b, @c), store them. */
void *call_with(const uint64_t in[KEPT], uint64_t out[KEPT], void *fn, void *a,
				void *b, void *c);
__asm__(".text\n"
		".type call_with, @function\n"
		"call_with:\n"
		"	push %rbx; push %rbp; push %r12; push %r13; push %r14\n"
		"	push %r15; push %rsi\n"
		"	mov (%rdi), %rbx; mov 8(%rdi), %rbp; mov 16(%rdi), %r12\n"
		"	mov 24(%rdi), %r13; mov 32(%rdi), %r14; mov 40(%rdi), %r15\n"
		"	mov %rdx, %rax; mov %rcx, %rdi; mov %r8, %rsi; mov %r9, %rdx\n"
		"	call *%rax\n"
		"	pop %rsi\n"
		"	mov %rbx, (%rsi); mov %rbp, 8(%rsi); mov %r12, 16(%rsi)\n"
		"	mov %r13, 24(%rsi); mov %r14, 32(%rsi); mov %r15, 40(%rsi)\n"
		"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
		"	ret\n"
		".size call_with, . - call_with\n");

static const uint64_t home_values[KEPT] = {11, 12, 13, 14, 15, 16};
static const uint64_t user_values[KEPT] = {
	0x2100000000000000, 0x2200000000000000, 0x2300000000000000,
	0x2400000000000000, 0x2500000000000000, 0x2600000000000000};

#define STACK_LEN (256 << 10)
static char stack[STACK_LEN] __attribute__((aligned(16)));
static uint64_t user_saw[KEPT], home_saw[KEPT];
static struct psu_registers registers;
static int user_rounding, user_flags, work_rounding, work_flags;
static bool work_on_user_stack, leaves;

static void *address(uint64_t value)
{
	return (void *)value;
}

static void *function(int (*fn)(struct psu_traveller *))
{
	return address((uint64_t)fn);
}

static bool on_user_stack(void)
{
	const char *here = __builtin_frame_address(0);

	return here >= stack && here < stack + STACK_LEN;
}

/** What psu_state_capture() calls on the home stack. */
static int work(struct psu_traveller *self)
{
	work_on_user_stack = on_user_stack();
	work_rounding = fegetround();
	work_flags = fetestexcept(FE_ALL_EXCEPT);
	fesetround(FE_DOWNWARD);
	feraiseexcept(FE_OVERFLOW);
	if (leaves)
		psu_state_leave(address(7));
	return self == address(5) ? 42 : -1;
}

/** The user's function: captures once, tells what it finds behind it. */
static void *user(void *argument)
{
	uint64_t result;

	ck_assert_ptr_eq(argument, address(3));
	ck_assert(on_user_stack());
	fesetround(FE_UPWARD);
	feclearexcept(FE_ALL_EXCEPT);
	feraiseexcept(FE_DIVBYZERO);
	result = (uint64_t)call_with(user_values, user_saw,
								 address((uint64_t)psu_state_capture),
								 &registers, address(5), function(work));
	user_rounding = fegetround();
	user_flags = fetestexcept(FE_ALL_EXCEPT);
	ck_assert(on_user_stack());
	fesetround(FE_TOWARDZERO);
	return address(1000 + (result & 0xffffffff));
}

static void *enter(void)
{
	return call_with(home_values, home_saw, address((uint64_t)psu_state_enter),
					 stack + STACK_LEN, address((uint64_t)user), address(3));
}

static void *resume(void)
{
	return call_with(home_values, home_saw, address((uint64_t)psu_state_resume),
					 &registers, NULL, NULL);
}

/** One by one, so that a failure names the register. */
static void check_kept(const uint64_t values[KEPT], const uint64_t saw[KEPT])
{
	ck_assert_uint_eq(saw[0], values[0]); /* rbx */
	ck_assert_uint_eq(saw[1], values[1]); /* rbp */
	ck_assert_uint_eq(saw[2], values[2]); /* r12 */
	ck_assert_uint_eq(saw[3], values[3]); /* r13 */
	ck_assert_uint_eq(saw[4], values[4]); /* r14 */
	ck_assert_uint_eq(saw[5], values[5]); /* r15 */
}

/** At home nobody notices that there was another stack. */
static void check_home(void)
{
	check_kept(home_values, home_saw);
	ck_assert(!on_user_stack());
	ck_assert_int_eq(fegetround(), FE_TONEAREST);
}

START_TEST(captured_and_goes_on_here)
{
	uint64_t kept[KEPT];

	ck_assert_ptr_eq(enter(), address(1042));
	check_home();
	memcpy(kept, &registers, sizeof(kept));
	check_kept(user_values, kept);
	check_kept(user_values, user_saw);
	ck_assert_uint_ge(registers.rsp, (uint64_t)stack);
	ck_assert_uint_lt(registers.rsp, (uint64_t)stack + STACK_LEN);
	ck_assert_int_eq(psu_state_valid(&registers), 1);

	/* the library works at home, with a program's first FP environment */
	ck_assert(!work_on_user_stack);
	ck_assert_int_eq(work_rounding, FE_TONEAREST);
	ck_assert_int_eq(work_flags, 0);
	ck_assert_int_eq(user_rounding, FE_UPWARD);
	ck_assert_int_eq(user_flags, FE_DIVBYZERO);
}
END_TEST

START_TEST(left_and_resumed)
{
	uint64_t *kept = &registers.rbx;
	uint64_t values[KEPT];

	leaves = true;
	ck_assert_ptr_eq(enter(), address(7));
	check_home();
	for (int i = 0; i < KEPT; i++)
		values[i] = kept[i] ^= 0xabcdef;
	ck_assert_ptr_eq(resume(), address(1000));
	check_home();
	check_kept(values, user_saw);
	ck_assert_int_eq(user_rounding, FE_UPWARD);
	ck_assert_int_eq(user_flags, FE_DIVBYZERO);
}
END_TEST

/** Both units' own words, from what was kept and from nowhere else. */
START_TEST(fp_environment_is_the_kept_one)
{
	uint16_t control, status;
	uint32_t mxcsr;

	leaves = true;
	enter();
	memcpy(&control, registers.x87, 2);
	memcpy(&status, registers.x87 + 4, 2);
	ck_assert_int_eq(control & 0xc00, FE_UPWARD);
	ck_assert_int_eq(status & FE_ALL_EXCEPT, 0);
	ck_assert_uint_eq(registers.mxcsr,
					  0x1f80u | FE_DIVBYZERO | (unsigned)FE_UPWARD << 3);
	control = (uint16_t)((control & ~0xc00) | FE_DOWNWARD);
	status |= FE_UNDERFLOW;
	memcpy(registers.x87, &control, 2);
	memcpy(registers.x87 + 4, &status, 2);
	registers.mxcsr = 0x1f80u | FE_INEXACT | (unsigned)FE_DOWNWARD << 3;
	ck_assert_int_eq(psu_state_valid(&registers), 1);
	resume();
	ck_assert_int_eq(user_rounding, FE_DOWNWARD);
	ck_assert_int_eq(user_flags, FE_INEXACT | FE_UNDERFLOW);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	ck_assert_uint_eq(mxcsr & 0xffc0, 0x1f80);
}
END_TEST

/* ---- what can be loaded */

START_TEST(registers_are_judged)
{
	struct psu_registers good;

	enter();
	good = registers;
	ck_assert_int_eq(psu_state_valid(&good), 1);
	for (int bit = 0; bit < 32; bit++) {
		registers = good;
		registers.mxcsr ^= UINT32_C(1) << bit;
		/* denormals-are-zero and misaligned exceptions: the processor's */
		if (bit != 6 && bit != 17)
			ck_assert_int_eq(psu_state_valid(&registers), bit < 16);
	}
	for (int bit = 0; bit < 16; bit++) {
		static const uint16_t fixed = 0xe0c0; /* of the control word */

		registers = good;
		registers.x87[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(psu_state_valid(&registers), !(fixed >> bit & 1));
		registers = good; /* a register of the x87 stack is not empty */
		registers.x87[8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(psu_state_valid(&registers), 0);
	}
	for (uint64_t by = 0; by < 16; by++) {
		registers = good;
		registers.rsp += by;
		ck_assert_int_eq(psu_state_valid(&registers), by == 0);
	}
}
END_TEST

static void silence(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
}

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *tcase = tcase_create("state");

	tcase_add_unchecked_fixture(tcase, silence, NULL);
	tcase_add_test(tcase, captured_and_goes_on_here);
	tcase_add_test(tcase, left_and_resumed);
	tcase_add_test(tcase, fp_environment_is_the_kept_one);
	tcase_add_test(tcase, registers_are_judged);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
