/* SPDX-License-Identifier: ISC */
/*
 * app.h - what the five apps share: their command line
 *
 *     appN HOST 0 [CERTS]      start a thread here that moves to HOST
 *     appN ADDRESS 1 [CERTS]   listen on ADDRESS, take one thread in
 */
#ifndef APP_H
#define APP_H

/**
 * Run @fn in a migratable thread (mode 0) or take one in (mode 1), as the
 * command line says.  Returns main's exit status: 0, 1 if something failed
 * (which has been logged), or 2 for a command line that makes no sense.
 *
 * @fn  gets HOST; the thread moves there with app_move()
 */
int app_main(int argc, char **argv, void *(*fn)(void *));

/** psu_thread_migrate(@host); if that fails say so: the thread stays here. */
void app_move(const char *host);

/** Print "Hostname: NAME" with this machine's name. */
void app_print_hostname(void);

#endif
