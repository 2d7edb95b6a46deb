/* SPDX-License-Identifier: ISC */
/*
 * fp_environment.c - rounding, exception flags, masks, x87 precision and
 * flush-to-zero: MXCSR and the x87 environment behind the move
 */
#include "travel.h"

#include <fenv.h>
#include <stdint.h>

#define X87_PRECISION 0x0300u /* control word: 0x300 extended, 0x200 double */
#define X87_DOUBLE 0x0200u
#define MXCSR_FLUSH_TO_ZERO 0x8000u

struct control {
	uint16_t x87;
	uint32_t mxcsr;
};

static struct control read_control(void)
{
	struct control control;

	__asm__ volatile("fnstcw %0" : "=m"(control.x87));
	__asm__ volatile("stmxcsr %0" : "=m"(control.mxcsr));
	return control;
}

static void write_control(struct control control)
{
	__asm__ volatile("fldcw %0" : : "m"(control.x87));
	__asm__ volatile("ldmxcsr %0" : : "m"(control.mxcsr));
}

static unsigned x87_flags(void)
{
	uint16_t status;

	__asm__ volatile("fnstsw %0" : "=m"(status));
	return status & FE_ALL_EXCEPT;
}

static NOINLINE void move_rounding(int mode, double quotient)
{
	volatile double one = 1.0, three = 3.0;

	CHECK(fesetround(mode) == 0);
	CHECK(one / three == quotient);
	MOVE();
	CHECK(fegetround() == mode);
	CHECK(one / three == quotient);
	CHECK((double)((long double)one / three) == quotient);
}

/* Both units hold flags of their own; each must come with its own. */
static NOINLINE void move_flags(void)
{
	const int raised = FE_DIVBYZERO | FE_UNDERFLOW;

	CHECK(feclearexcept(FE_ALL_EXCEPT) == 0);
	CHECK(feraiseexcept(FE_DIVBYZERO | FE_UNDERFLOW) == 0);
	CHECK((fetestexcept(FE_ALL_EXCEPT) & raised) == raised);
	struct control control = read_control();
	unsigned x87 = x87_flags();

	MOVE();
	CHECK(read_control().mxcsr == control.mxcsr);
	CHECK(x87_flags() == x87);
	CHECK((fetestexcept(FE_ALL_EXCEPT) & raised) == raised);
	CHECK(fetestexcept(FE_INVALID) == 0);
	CHECK(feclearexcept(FE_ALL_EXCEPT) == 0);

	/* A flag that only the x87 unit has. */
	volatile long double one = 1.0L, zero = 0.0L;
	volatile long double infinite = one / zero;
	MOVE();
	CHECK(infinite > one);
	CHECK((x87_flags() & FE_DIVBYZERO) != 0);
	CHECK((read_control().mxcsr & FE_DIVBYZERO) == 0);
	CHECK(feclearexcept(FE_ALL_EXCEPT) == 0);
}

static NOINLINE void move_masks(void)
{
	CHECK(feenableexcept(FE_OVERFLOW) != -1);
	MOVE();
	CHECK(fegetexcept() == FE_OVERFLOW);
	CHECK(fedisableexcept(FE_OVERFLOW) == FE_OVERFLOW);
}

static NOINLINE void move_precision(void)
{
	struct control before = read_control(), control = before, after;
	volatile long double one = 1.0L, three = 3.0L;
	volatile double tiny = 0x1p-1022, half = 0.5;

	control.x87 = (uint16_t)((before.x87 & ~X87_PRECISION) | X87_DOUBLE);
	control.mxcsr |= MXCSR_FLUSH_TO_ZERO;
	write_control(control);
	MOVE();
	after = read_control();
	CHECK(after.x87 == control.x87);
	CHECK(after.mxcsr == control.mxcsr);
	volatile long double third = one / three;
	CHECK(third == (long double)(double)third);
	CHECK(tiny * half == 0.0);
	write_control(before);
	third = one / three;
	CHECK(third != (long double)(double)third);
	CHECK(tiny * half != 0.0);
}

/** What fnstenv has left on the stack (0xffff002b) and the upper half of an old
 * address make one word that points to the main thread's stack: a gap in the
 * next frame may have it, and psu_thread_check() would find it. */
static NOINLINE void wipe_stack(void)
{
	volatile char bytes[1024];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0;
}

int travel(void)
{
	move_rounding(FE_UPWARD, 0x1.5555555555556p-2);
	move_rounding(FE_TOWARDZERO, 0x1.5555555555555p-2);
	CHECK(fesetround(FE_TONEAREST) == 0);
	move_flags();
	move_masks();
	wipe_stack();
	move_precision();
	return 0;
}
