/* SPDX-License-Identifier: ISC */
/*
 * setup.c - psu_thread_setup_init(), psu_thread_version()
 */
#include "journey/process.h"
#include "report/report.h"

#include <stdlib.h>

int psu_thread_setup_init(int mode, const char *cert_path)
{
	if (mode != PSU_THREAD_CLIENT && mode != PSU_THREAD_SERVER)
		return psu_error_set(PSU_THREAD_E_MODE_INVALID,
							 "mode %d is neither 0 (client) nor 1 (server): "
							 "pass one of the two",
							 mode);
	if (!cert_path)
		cert_path = getenv("PSU_THREAD_CERTS");
	if (!cert_path || !*cert_path)
		return psu_error_set(PSU_THREAD_E_CERTS_MISSING,
							 "no certificate directory is given: pass its "
							 "path, or set PSU_THREAD_CERTS");
	return psu_process_init(mode, cert_path);
}

const char *psu_thread_version(void)
{
	return PACKAGE_VERSION;
}
