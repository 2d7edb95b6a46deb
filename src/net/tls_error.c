/* SPDX-License-Identifier: ISC */
/*
 * tls_error.c - why a TLS call failed, as a code and a sentence
 *
 * In: what OpenSSL leaves behind.  The cause is one of: our verdict on the
 * peer's certificate; an alert, by which the peer tells its verdict on ours;
 * another reason of OpenSSL's; the socket.
 */
#include "net/tls.h"
#include "net/tls_state.h"

#include <errno.h>
#include <openssl/err.h>

#define ALERT_MAX 255

#define ANOTHER                                                                \
	"add this host under another name with certs/make-certs.sh --add"
#define REFUSED "refused this host's certificate: "

struct meaning {
	int number; /* of an alert, or OpenSSL's reason */
	int code;
	const char *words; /* behind the peer's name */
};

/* What the peer's tls_verify.c sends, reversed, and what OpenSSL sends. */
static const struct meaning alerts[] = {
	{SSL_AD_CERTIFICATE_EXPIRED, PSU_THREAD_E_CERT_EXPIRED,
	 REFUSED "it has expired, by that host's clock: run certs/make-certs.sh "
			 "--renew, or set the clocks"},
	{SSL_AD_BAD_CERTIFICATE, PSU_THREAD_E_CERT_NOT_YET_VALID,
	 REFUSED "it is not valid yet, by that host's clock: set the clocks"},
	{SSL_AD_CERTIFICATE_REVOKED, PSU_THREAD_E_CERT_REVOKED,
	 REFUSED "it has been revoked: " ANOTHER
			 ", if this host may still be trusted"},
	{SSL_AD_UNSUPPORTED_CERTIFICATE, PSU_THREAD_E_CERT_IDENTITY,
	 REFUSED "it does not name exactly one host of the deployment by an "
			 "Ed25519 key: " ANOTHER},
	{SSL_AD_CERTIFICATE_UNKNOWN, PSU_THREAD_E_NAME_MISMATCH,
	 REFUSED "it is not for the name that was dialled: dial a name that "
			 "it is for, or " ANOTHER},
	{SSL_AD_UNKNOWN_CA, PSU_THREAD_E_CERT_FOREIGN,
	 REFUSED "it is not a host's of the same deployment: use directories of "
			 "one deployment"},
	{SSL_AD_CERTIFICATE_REQUIRED, PSU_THREAD_E_CERT_MISSING,
	 "demands a certificate with an Ed25519 key, and this host showed "
	 "none: give this host a directory made by certs/make-certs.sh"},
	{SSL_AD_NO_APPLICATION_PROTOCOL, PSU_THREAD_E_TLS_FAILED,
	 "demands " PSU_TLS_PROTOCOL ", which this side did not offer: use the "
	 "same version of psu_thread on both hosts"},
	{SSL_AD_PROTOCOL_VERSION, PSU_THREAD_E_TLS_FAILED,
	 "does not speak TLS 1.3: dial the port of a psu_thread server"},
	{SSL_AD_HANDSHAKE_FAILURE, PSU_THREAD_E_TLS_FAILED,
	 "cannot do what is demanded here, TLS 1.3 with X25519 and an Ed25519 "
	 "certificate: dial the port of a psu_thread server"},
	{SSL_AD_INTERNAL_ERROR, PSU_THREAD_E_TLS_FAILED,
	 "could not go on, for a reason of its own: see that host's log"},
};

static const struct meaning reasons[] = {
	{SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, PSU_THREAD_E_CERT_MISSING,
	 "showed no certificate, or none with an Ed25519 key: give it a directory "
	 "made by certs/make-certs.sh"},
	{SSL_R_UNEXPECTED_EOF_WHILE_READING, PSU_THREAD_E_CONNECTION_LOST,
	 "closed the connection without notice: see that host's log"},
	{SSL_R_CALLBACK_FAILED, PSU_THREAD_E_TLS_FAILED,
	 "does not offer " PSU_TLS_PROTOCOL ": use psu_thread on both hosts"},
	{SSL_R_NO_APPLICATION_PROTOCOL, PSU_THREAD_E_TLS_FAILED,
	 "does not offer " PSU_TLS_PROTOCOL ": use the same version of psu_thread "
	 "on both hosts"},
	{SSL_R_WRONG_VERSION_NUMBER, PSU_THREAD_E_TLS_FAILED,
	 "does not speak TLS: dial the port of a psu_thread server"},
	{SSL_R_HTTP_REQUEST, PSU_THREAD_E_TLS_FAILED,
	 "speaks HTTP: use a psu_thread program on both hosts"},
};

static const struct meaning *find(const struct meaning *list, size_t count,
								  int number)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].number == number)
			return &list[i];
	return NULL;
}
#define FIND(list, number) find(list, sizeof(list) / sizeof(*(list)), number)

/** A lack of memory, if that is in the queue; else the reason of the first
 * error of TLS itself, or 0. */
static int take_reason(void)
{
	unsigned long error;
	int reason = 0;

	while ((error = ERR_get_error()))
		if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ||
			(!reason && ERR_GET_LIB(error) == ERR_LIB_SSL))
			reason = ERR_GET_REASON(error);
	return reason;
}

/**
 * A peer that refuses us closes, so that writing fails before its alert is
 * read: read it now.
 */
static int read_alert(SSL *ssl)
{
	char byte;

	ERR_clear_error();
	return SSL_read(ssl, &byte, 1) > 0 ? 0 : take_reason();
}

static int tell_alert(int alert, const char *peer)
{
	const struct meaning *meaning = FIND(alerts, alert);

	if (meaning)
		return psu_error_set(meaning->code, "%s %s", peer, meaning->words);
	return psu_error_set(PSU_THREAD_E_TLS_FAILED,
						 "%s ended the TLS session with the alert '%s' (%d): "
						 "see that host's log",
						 peer, SSL_alert_desc_string_long(alert), alert);
}

static int tell_reason(int reason, const char *peer)
{
	const struct meaning *meaning = FIND(reasons, reason);
	const char *text = ERR_reason_error_string(
		ERR_PACK(ERR_LIB_SSL, 0, (unsigned)reason));

	if (meaning)
		return psu_error_set(meaning->code, "%s %s", peer, meaning->words);
	/* a common reason, of no library of its own: not all that lacks memory
	 * says so */
	if (reason & ERR_RFLAG_COMMON)
		return psu_error_set(PSU_THREAD_E_TLS_FAILED,
							 "OpenSSL fails in the session with %s: %s: raise "
							 "`ulimit -v` or free memory; if there is enough, "
							 "see that nothing changes the bytes",
							 peer, text ? text : "no reason known");
	return psu_error_set(PSU_THREAD_E_TLS_FAILED,
						 "no TLS 1.3 session with %s: %s (%d): see that both "
						 "hosts run psu_thread and that nothing changes the "
						 "bytes between them",
						 peer, text ? text : "no reason known", reason);
}

int psu_tls_error(SSL *ssl, int result, const char *peer)
{
	const struct psu_tls_state *state = psu_tls_state(ssl);
	int cause = errno;
	int kind = SSL_get_error(ssl, result);
	int reason = take_reason();

	if (state->verdict)
		return psu_error_set(state->verdict,
							 "the certificate of %s is refused: %s", peer,
							 state->why);
	if (kind == SSL_ERROR_SYSCALL && (cause == EPIPE || cause == ECONNRESET))
		reason = read_alert(ssl);
	if (reason == ERR_R_MALLOC_FAILURE)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for the TLS session with %s: raise "
							 "`ulimit -v`, or free some",
							 peer);
	if (reason >= SSL_AD_REASON_OFFSET &&
		reason <= SSL_AD_REASON_OFFSET + ALERT_MAX)
		return tell_alert(reason - SSL_AD_REASON_OFFSET, peer);
	if (kind == SSL_ERROR_ZERO_RETURN)
		return psu_error_set(PSU_THREAD_E_CONNECTION_LOST,
							 "%s ended the session: connect again", peer);
	errno = cause;
	if (kind == SSL_ERROR_SYSCALL && (cause == ENOMEM || cause == ENOBUFS))
		return psu_error_shortage("talk to", peer);
	if (kind == SSL_ERROR_SYSCALL && !cause)
		return psu_error_set(PSU_THREAD_E_CONNECTION_LOST,
							 "%s closed the connection without notice: see "
							 "that host's log",
							 peer);
	if (kind == SSL_ERROR_SYSCALL)
		return psu_error_set(PSU_THREAD_E_CONNECTION_LOST,
							 "the connection to %s broke: %m: see that the "
							 "host is up and can be reached",
							 peer);
	return tell_reason(reason, peer);
}
