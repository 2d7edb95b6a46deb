/* SPDX-License-Identifier: ISC */
/*
 * tls_socket.c - a socket for OpenSSL that never raises SIGPIPE
 *
 * OpenSSL's own socket BIO writes with write(2), so that a peer which closes
 * would end the whole program.  Only the writing is ours.
 */
#include "net/tls_state.h"

#include <openssl/bio.h>
#include <pthread.h>
#include <sys/socket.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static int write_quietly(BIO *bio, const char *bytes, int len)
{
	ssize_t sent = send((int)BIO_get_fd(bio, NULL), bytes, (size_t)len,
						MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (sent < 0 && BIO_sock_should_retry((int)sent))
		BIO_set_retry_write(bio);
	return (int)sent;
}

static void make_method(void)
{
	const BIO_METHOD *plain = BIO_s_socket();
	BIO_METHOD *made = BIO_meth_new(BIO_TYPE_SOCKET, "socket, no SIGPIPE");

	if (made && BIO_meth_set_write(made, write_quietly) &&
		BIO_meth_set_read(made, BIO_meth_get_read(plain)) &&
		BIO_meth_set_ctrl(made, BIO_meth_get_ctrl(plain)) &&
		BIO_meth_set_create(made, BIO_meth_get_create(plain)) &&
		BIO_meth_set_destroy(made, BIO_meth_get_destroy(plain)))
		method = made;
	else
		BIO_meth_free(made);
}

BIO *psu_tls_socket(int fd)
{
	BIO *bio;

	pthread_once(&once, make_method);
	bio = method ? BIO_new(method) : NULL;
	if (bio)
		BIO_set_fd(bio, fd, BIO_NOCLOSE);
	return bio;
}
