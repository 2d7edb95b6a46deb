/* SPDX-License-Identifier: ISC */
/*
 * guards.c - take the guards over before anything is mangled; derive them
 *
 * In a static program psu_guards_take() is the first C function: there is no
 * libc yet, no thread pointer, no canary, no relocated pointer to memcpy.  It
 * uses nothing but its own loops, and this file is compiled without a stack
 * protector, without sanitizers, and without loops turned into calls.
 */
#include "start/manifest.h"
#include "start/start.h"
#include "state/sanitizer.h"
#include "state/state.h"

#include <elf.h>
#include <sodium.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <unistd.h>

struct psu_guards_handed psu_guards_handed;

/** Where @environment names the descriptor, or NULL. */
static char **find_variable(char **environment)
{
	static const char name[] = PSU_GUARDS_VARIABLE "=";

	for (; *environment; environment++) {
		size_t i = 0;

		while (name[i] && (*environment)[i] == name[i])
			i++;
		if (!name[i])
			return environment;
	}
	return NULL;
}

/** The number behind the '='; -1 if it is none. */
static int parse_descriptor(const char *text)
{
	int number = 0;

	while (*text != '=')
		text++;
	for (text++; *text; text++) {
		if (*text < '0' || *text > '9' || number > 100000)
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number;
}

/** Remove the entry at @variable.  Returns where the vector's NULL was. */
static char **remove_variable(char **variable)
{
	for (; variable[0]; variable++)
		variable[0] = variable[1];
	return variable;
}

/** Move the auxiliary vector to @at, which is one word before it: libc
 * expects one NULL between the environment and it. */
static void move_auxiliary(char **at)
{
	for (; at[1] != (char *)AT_NULL; at += 2) {
		at[0] = at[1];
		at[1] = at[2];
	}
	at[0] = (char *)AT_NULL;
	at[1] = NULL;
}

/** An entry of the auxiliary vector behind @environment; 0 if it has none. */
static uint64_t find_auxiliary(char **environment, uint64_t type)
{
	const Elf64_auxv_t *entry;

	while (*environment)
		environment++;
	entry = (const Elf64_auxv_t *)(environment + 1);
	for (; entry->a_type != AT_NULL; entry++)
		if (entry->a_type == type)
			return entry->a_un.a_val;
	return 0;
}

/** Read what @variable leads to.  False: nothing was handed over. */
static bool read_handed(const char *variable)
{
	struct psu_guards_handed handed;
	int fd = parse_descriptor(variable);

	if (fd < 0 || psu_state_raw_read(fd, &handed, PSU_GUARDS_HANDED_LEN) !=
					  PSU_GUARDS_HANDED_LEN)
		return false;
	psu_state_raw_close(fd);
	for (int i = 0; i < PSU_GUARDS_LEN; i++)
		psu_guards_handed.bytes[i] = handed.bytes[i];
	psu_guards_handed.restarts = handed.restarts;
	psu_guards_handed.randomize = handed.randomize;
	for (int i = 0; i < PSU_COMM_LEN; i++)
		psu_guards_handed.name[i] = handed.name[i];
	psu_guards_handed.found = 1;
	return true;
}

/**
 * Called by the entry point with the initial stack: argc, argv, NULL,
 * environment, NULL, auxiliary vector (psABI §3.4.1).
 */
__attribute__((visibility("hidden"))) void psu_guards_take(long *stack);

void psu_guards_take(long *stack)
{
	char **environment = (char **)(stack + 1 + stack[0] + 1);
	char **variable = find_variable(environment);
	unsigned char *random = (unsigned char *)find_auxiliary(environment,
															AT_RANDOM);

	/* who starts a program with more rights than his own must not choose
	 * its guards */
	if (!variable || !random || find_auxiliary(environment, AT_SECURE) ||
		!read_handed(*variable))
		return;
	move_auxiliary(remove_variable(variable));
	for (int i = 0; i < PSU_GUARDS_LEN; i++)
		random[i] = psu_guards_handed.bytes[i];
}

/** The same in a dynamic program, whose libc has made its guards already. */
static void take_loaded(char **environment)
{
	char **variable = find_variable(environment);
	uint64_t guards[2];

	if (!variable || getauxval(AT_SECURE) || !read_handed(*variable))
		return;
	remove_variable(variable);
	psu_guards_in_libc(psu_guards_handed.bytes, guards);
	psu_state_set_guards(guards);
	if (psu_guards_handed.randomize)
		personality((unsigned)personality(0xffffffff) &
					~(unsigned)ADDR_NO_RANDOMIZE);
}

/** The library's first function but for psu_guards_take(): called by libc in a
 * static program, by the loader, as the first of all, in a dynamic one. */
static void begin(int argc, char **argv, char **environment)
{
	(void)argc;
	(void)argv;
	/* later than libc's own constructor, as in a static program without our
	 * entry point, libc has mangled pointers already: setup says so */
	if (!psu_manifest_is_static() && !environ) {
		environ = environment;
		take_loaded(environment);
	}
	psu_sanitizer_begin(psu_guards_handed.found);
	psu_restart_early();
}

/* Before the constructors that compilers make, such as a sanitizer's; in
 * libpsu_thread.so, by -z initfirst, before those of all objects. */
__attribute__((section(".init_array.00000"),
			   used)) static void (*const first_constructor)(int, char **,
															 char **) = begin;

void psu_guards_in_libc(const uint8_t bytes[PSU_GUARDS_LEN],
						uint64_t guards_out[2])
{
	memcpy(guards_out, bytes, PSU_GUARDS_LEN);
	guards_out[0] &= ~(uint64_t)0xff;
}

void psu_guards_derive(const uint8_t *deployment_key,
					   const struct psu_digest *program,
					   uint8_t guards_out[PSU_GUARDS_LEN])
{
	static const uint8_t info[] = "psu_thread guards\x01";
	uint8_t prk[crypto_auth_hmacsha256_BYTES];
	uint8_t okm[crypto_auth_hmacsha256_BYTES];

	/* extract, then expand to one block, which is enough */
	crypto_auth_hmacsha256(prk, deployment_key, 32, program->bytes);
	crypto_auth_hmacsha256(okm, info, sizeof(info) - 1, prk);
	memcpy(guards_out, okm, PSU_GUARDS_LEN);
	sodium_memzero(prk, sizeof(prk));
	sodium_memzero(okm, sizeof(okm));
}

void psu_guards_digest(const uint8_t *deployment_key,
					   struct psu_digest *digest_out)
{
	static const uint8_t domain[] = "psu_thread guards digest";
	crypto_auth_hmacsha256_state state;
	uint64_t guards[2];

	psu_state_guards(guards);
	crypto_auth_hmacsha256_init(&state, deployment_key, 32);
	crypto_auth_hmacsha256_update(&state, domain, sizeof(domain) - 1);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)guards,
								  sizeof(guards));
	crypto_auth_hmacsha256_final(&state, digest_out->bytes);
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(guards, sizeof(guards));
}
