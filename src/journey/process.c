/* SPDX-License-Identifier: ISC */
/*
 * process.c - set the library up, once per process
 */
#include "journey/process.h"
#include "bytes/sha256.h"
#include "journey/callers.h"
#include "journey/courier.h"
#include "journey/exits.h"
#include "journey/here.h"
#include "journey/line.h"
#include "preflight/preflight.h"
#include "slot/slot.h"
#include "start/hazards.h"
#include "start/isa.h"
#include "start/start.h"
#include "state/locals.h"
#include "state/sanitizer.h"

#include <errno.h>
#include <locale.h>
#include <nss.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Stack of the library's own threads: OpenSSL's handshake needs a few dozen
 * KiB of it. */
#define OWN_STACK_LEN (512u << 10)

/* OpenSSL's memory for private keys, and its smallest unit; powers of two. */
#define SECURE_HEAP_LEN (4u << 20)
#define SECURE_HEAP_UNIT 32

/* Conditions that all waits share, so that an announcement wakes few. */
#define CHANNEL_COUNT 64

static struct psu_process process_state;
static bool set_up;
static volatile sig_atomic_t forked;

static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t process_changed[CHANNEL_COUNT];

struct psu_process *psu_process_get(void)
{
	return set_up ? &process_state : NULL;
}

int psu_process_check(void)
{
	if (forked)
		return psu_error_set(PSU_THREAD_E_FORKED,
							 "this process was forked from one that uses "
							 "psu_thread: call it in the parent, or exec");
	if (!set_up)
		return psu_error_set(PSU_THREAD_E_NOT_SET_UP,
							 "psu_thread is not set up: call "
							 "psu_thread_setup_init first, and check its "
							 "result");
	return 0;
}

void psu_process_lock(void)
{
	pthread_mutex_lock(&process_lock);
}

void psu_process_unlock(void)
{
	pthread_mutex_unlock(&process_lock);
}

uint64_t psu_process_about_move(const struct psu_id *migration)
{
	uint64_t about;

	memcpy(&about, migration->bytes, sizeof(about));
	return about;
}

uint64_t psu_process_about(const void *field)
{
	return (uint64_t)field;
}

static pthread_cond_t *channel(uint64_t about)
{
	/* Fibonacci hashing: slots' addresses differ in high bits only */
	uint64_t hash = about * UINT64_C(0x9e3779b97f4a7c15);

	return &process_changed[hash >> 32 & (CHANNEL_COUNT - 1)];
}

void psu_process_announce(uint64_t about)
{
	pthread_cond_broadcast(channel(about));
}

bool psu_process_wait(uint64_t about, int64_t deadline)
{
	return psu_process_wait_for(channel(about), deadline);
}

bool psu_process_wait_for(pthread_cond_t *condition, int64_t deadline)
{
	struct timespec until = {
		.tv_sec = deadline / 1000,
		.tv_nsec = deadline % 1000 * 1000000,
	};
	int cancel_state, error;

	/* a user's thread that is cancelled here would keep the lock */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	if (deadline == PSU_NEVER)
		error = pthread_cond_wait(condition, &process_lock);
	else
		error = pthread_cond_timedwait(condition, &process_lock, &until);
	pthread_setcancelstate(cancel_state, NULL);
	return error == 0;
}

int psu_process_no_thread(int error)
{
	/* glibc falls back to clone only if clone3 does not exist */
	if (error == EPERM)
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "cannot start a thread: %s: let the seccomp "
							 "filter allow clone3, or deny it with ENOSYS",
							 strerror(error));
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "cannot start a thread: %s: raise `ulimit -u` or "
						 "`ulimit -v`, or free memory",
						 strerror(error));
}

int psu_process_spawn(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, OWN_STACK_LEN);
	error = pthread_create(&thread, &attributes, fn, arg);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? psu_process_no_thread(error) : 0;
}

void psu_process_init_condition(pthread_cond_t *condition_out)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition_out, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void init_channels(void)
{
	for (size_t i = 0; i < CHANNEL_COUNT; i++)
		psu_process_init_condition(&process_changed[i]);
}

/** A forked child has none of the parent's threads, which may have held locks
 * and waited, and may not speak for it: its copies of the secrets go. */
static void forget_in_child(void)
{
	forked = 1;
	pthread_mutex_init(&process_lock, NULL);
	init_channels();
	psu_log_forked();
	if (!set_up)
		return;
	psu_trust_wipe(process_state.trust);
	psu_runtime_forked(process_state.runtime);
	if (process_state.listen_fd >= 0)
		close(process_state.listen_fd);
	psu_callers_forked();
	psu_line_forked();
}

/** While the program's log can still be written. */
static void tell_owed(void)
{
	if (!forked)
		psu_courier_give_up();
}

__attribute__((destructor)) static void say_goodbye(void)
{
	if (set_up && !forked)
		psu_line_close_idle();
}

static void digest_locale(struct psu_digest *digest_out)
{
	const char *names = setlocale(LC_ALL, NULL);

	if (!names)
		names = "";
	psu_sha256(names, strlen(names), digest_out);
}

static void fill_context(struct psu_process *process)
{
	struct psu_hello *hello = &process->context.hello;

	process->context.trust = process->trust;
	process->context.tls = process->tls;
	process->context.manifest = &process->manifest;
	hello->version = PSU_WIRE_VERSION;
	hello->page_len = (uint32_t)sysconf(_SC_PAGESIZE);
	hello->window_addr = PSU_WINDOW_ADDR;
	hello->slot_len = PSU_SLOT_LEN;
	hello->zone_count = PSU_ZONE_COUNT;
	hello->zone = psu_trust_zone(process->trust);
	hello->isa_needed = process->manifest.isa_needed;
	hello->isa_present = psu_isa_present();
	hello->incarnation = process->incarnation;
	hello->program = process->manifest.digest;
	psu_guards_digest(psu_trust_deployment_key(process->trust), &hello->guards);
	digest_locale(&hello->locale);
}

/** What OpenSSL keeps there points to ordinary memory.  It hands out the
 * heap's highest bytes first. */
static void show_secure_heap(void)
{
	char *highest = OPENSSL_secure_malloc(1), *low;

	if (!highest)
		return;
	low = highest + SECURE_HEAP_UNIT - SECURE_HEAP_LEN;
	if (CRYPTO_secure_allocated(low))
		psu_sanitizer_scan(low, SECURE_HEAP_LEN);
	OPENSSL_secure_free(highest);
}

/** Before any key is read: OpenSSL keeps its private keys in memory that is
 * in no core dump, no configuration file of the machine reaches us, and
 * exit() does not pull OpenSSL away from under threads that still use it. */
static int prepare_libraries(void)
{
	uint8_t byte;
	int rc = psu_restart_check_stack();

	if (rc)
		return rc;
	if (getrandom(&byte, sizeof(byte), 0) != sizeof(byte))
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "the kernel gives no random numbers: %m: allow "
							 "this process getrandom");
	if (sodium_init() < 0 ||
		!OPENSSL_init_crypto(
			OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) ||
		(!CRYPTO_secure_malloc_initialized() &&
		 !CRYPTO_secure_malloc_init(SECURE_HEAP_LEN, SECURE_HEAP_UNIT)))
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory to start libsodium and OpenSSL: raise "
							 "`ulimit -v`, or free some");
	show_secure_heap();
	init_channels();
	/* a static program must not load another libc for the name service */
	if (psu_manifest_is_static())
		__nss_configure_lookup("hosts", "files dns");
	return 0;
}

static int make_process(struct psu_process *process, const char *cert_path)
{
	int rc = psu_trust_load(cert_path, &process->trust);

	if (!rc)
		rc = psu_restart_if_needed(psu_trust_deployment_key(process->trust));
	if (!rc)
		rc = psu_hazards_check();
	if (rc)
		return rc;
	psu_log(PSU_THREAD_LOG_INFO, "Setting up %s",
			process->mode == PSU_THREAD_SERVER ? "server" : "client");
	rc = psu_tls_new(process->trust, &process->tls);
	if (!rc)
		rc = psu_manifest_make(&process->manifest);
	if (rc)
		return rc;
	psu_state_init();
	psu_locals_init(&process->manifest);
	rc = psu_exits_attend();
	if (rc)
		return rc;
	randombytes_buf(process->incarnation.bytes,
					sizeof(process->incarnation.bytes));
	psu_dest_init(&process->dest, &process->incarnation);
	fill_context(process);
	return psu_runtime_open(&psu_trust_self(process->trust)->digest,
							&process->incarnation, &process->runtime);
}

/** Listen, if it is a server, and learn where others find it. */
static int take_place(struct psu_process *process)
{
	int rc = 0;

	if (process->mode == PSU_THREAD_SERVER)
		rc = psu_serve_listen(process);
	process->place.incarnation = process->incarnation;
	if (!rc)
		rc = psu_here_find(psu_trust_self(process->trust), process->listen_fd,
						   &process->place);
	return rc;
}

/** What was not got is NULL, or -1. */
static void unmake_process(struct psu_process *process)
{
	if (process->listen_fd >= 0)
		close(process->listen_fd);
	psu_runtime_free(process->runtime);
	psu_tls_free(process->tls);
	psu_trust_free(process->trust);
}

int psu_process_init(int mode, const char *cert_path)
{
	struct psu_process *process = &process_state;
	int rc;

	if (forked)
		return psu_process_check();
	if (set_up)
		return psu_error_set(PSU_THREAD_E_ALREADY_SET_UP,
							 "psu_thread is set up already: call "
							 "psu_thread_setup_init once");
	memset(process, 0, sizeof(*process));
	process->mode = mode;
	process->listen_fd = -1;
	process->watch_fd = -1;
	sem_init(&process->stop_asked, 0, 0);
	rc = psu_slot_usual_len(&process->slot_len);
	if (!rc)
		rc = psu_preflight_strict(&process->strict);
	if (!rc)
		rc = prepare_libraries();
	if (!rc)
		rc = make_process(process, cert_path);
	if (!rc)
		rc = take_place(process);

	/* the first caller may be served before psu_serve_accept() returns */
	set_up = rc == 0;
	if (!rc && mode == PSU_THREAD_SERVER)
		rc = psu_serve_accept(process);
	if (rc) {
		set_up = false;
		unmake_process(process);
		return rc;
	}
	pthread_atfork(NULL, NULL, forget_in_child);
	atexit(tell_owed);
	return 0;
}
