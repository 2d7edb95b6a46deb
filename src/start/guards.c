/* SPDX-License-Identifier: ISC */
/*
 * guards.c - take the guards over before libc starts, and derive them
 *
 * psu_guards_take() is the program's first C function: there is no libc yet,
 * no thread pointer, no canary, no relocated pointer to memcpy.  It uses
 * nothing but its own loops, and this file is compiled without a stack
 * protector, without sanitizers, and without loops turned into calls.
 */
#include "start/start.h"
#include "state/state.h"

#include <elf.h>
#include <sodium.h>
#include <string.h>

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

/** Remove the entry at @variable: everything behind it, up to the end of the
 * auxiliary vector, moves down, since libc expects one NULL between them. */
static void remove_variable(char **variable)
{
	char **at = variable;

	for (; at[0]; at++)
		at[0] = at[1];
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

/**
 * Called by the entry point with the initial stack: argc, argv, NULL,
 * environment, NULL, auxiliary vector (psABI §3.4.1).
 */
__attribute__((visibility("hidden"))) void psu_guards_take(long *stack);

void psu_guards_take(long *stack)
{
	char **environment = (char **)(stack + 1 + stack[0] + 1);
	char **variable = find_variable(environment);
	unsigned char *random =
		(unsigned char *)find_auxiliary(environment, AT_RANDOM);
	int fd = variable ? parse_descriptor(*variable) : -1;
	struct psu_guards_handed handed = {.restarts = 0};

	/* who starts a program with more rights than his own must not choose
	 * its guards */
	if (fd < 0 || !random || find_auxiliary(environment, AT_SECURE))
		return;
	if (psu_state_raw_read(fd, &handed, PSU_GUARDS_LEN + 1) !=
		PSU_GUARDS_LEN + 1)
		return;
	psu_state_raw_close(fd);
	remove_variable(variable);
	for (int i = 0; i < PSU_GUARDS_LEN; i++)
		random[i] = psu_guards_handed.bytes[i] = handed.bytes[i];
	psu_guards_handed.restarts = handed.restarts;
	psu_guards_handed.found = 1;
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
