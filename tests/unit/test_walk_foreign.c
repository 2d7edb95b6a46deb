/* SPDX-License-Identifier: ISC */
/*
 * test_walk_foreign.c - whose code is it, in a program with shared objects?
 *
 * At fixed addresses: there a function's name stands for the program's own
 * entry of the PLT, and not for the function.
 */
#include "run_suite.h"

#include "state/state.h"
#include "walk/walk_foreign.h"

#include <dlfcn.h>
#include <string.h>

static struct psu_manifest manifest; /* too large for a stack */

static void make(void)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	ck_assert_int_eq(psu_manifest_make(&manifest), 0);
}

static const struct psu_object *find(const char *name)
{
	for (size_t i = 0; i < manifest.count; i++)
		if (strncmp(manifest.objects[i].name, name, strlen(name)) == 0)
			return &manifest.objects[i];
	ck_abort_msg("no object is called %s", name);
	return NULL;
}

START_TEST(objects)
{
	const struct psu_object *libc = find("libc.so.");

	ck_assert_uint_gt(manifest.count, 1);
	ck_assert_uint_eq(manifest.objects[0].foreign_addr,
					  (uint64_t)psu_state_text_end);
	ck_assert_uint_eq(libc->foreign_addr, 0);
	ck_assert(psu_walk_is_foreign(libc, libc->first_addr + 1));
}
END_TEST

START_TEST(calls)
{
	const struct psu_object object = {.foreign_addr = 0x1000};

	/* return addresses: the call before them counts */
	ck_assert(!psu_walk_is_foreign(&object, 0xfff));
	ck_assert(!psu_walk_is_foreign(&object, 0x1000));
	ck_assert(psu_walk_is_foreign(&object, 0x1001));
}
END_TEST

START_TEST(wrappers)
{
	struct psu_object object = {.name = "libasan.so.8"};

	ck_assert(psu_walk_is_wrapper(&object));
	object.foreign_addr = 0x1000; /* a program of that name */
	ck_assert(!psu_walk_is_wrapper(&object));
	ck_assert(!psu_walk_is_wrapper(find("libc.so.")));
}
END_TEST

START_TEST(harmless)
{
	static const char *const names[] = {"qsort", "qsort_r", "bsearch"};
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	ck_assert_ptr_nonnull(libc);
	ck_assert_ptr_ne(dlsym(libc, "qsort"), (void *)(uint64_t)qsort);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		ck_assert(psu_walk_holds_nothing(
			&manifest, (uint64_t)dlsym(RTLD_DEFAULT, names[i])));
		ck_assert(
			psu_walk_holds_nothing(&manifest, (uint64_t)dlsym(libc, names[i])));
	}
	ck_assert(
		!psu_walk_holds_nothing(&manifest, (uint64_t)dlsym(libc, "twalk")));
	dlclose(libc);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("walk_foreign");
	TCase *tcase = tcase_create("walk_foreign");

	tcase_add_checked_fixture(tcase, make, NULL);
	tcase_add_test(tcase, objects);
	tcase_add_test(tcase, calls);
	tcase_add_test(tcase, wrappers);
	tcase_add_test(tcase, harmless);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
