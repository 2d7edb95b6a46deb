/* SPDX-License-Identifier: ISC */
/*
 * pem.c - certificates, lists of revoked ones and keys out of PEM files
 *
 * OpenSSL does the parsing.  The file's text lies in guarded memory and is
 * overwritten afterwards.
 */
#include "trust/pem.h"
#include "trust/openssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

static int no_memory(const char *dir, enum psu_file_kind kind)
{
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "no memory to read %s/%s: raise `ulimit -v`, or free "
						 "some",
						 dir, psu_files_name(dir, kind));
}

static int refuse(const char *dir, enum psu_file_kind kind, const char *why)
{
	if (psu_openssl_starved())
		return no_memory(dir, kind);
	return psu_error_set(PSU_THREAD_E_CERTS_INVALID,
						 "%s/%s %s: copy the file again as "
						 "certs/make-certs.sh made it",
						 dir, psu_files_name(dir, kind), why);
}

/** Nobody is asked for a passphrase. */
static int no_passphrase(char *text, int room, int writing, void *context)
{
	(void)text;
	(void)room;
	(void)writing;
	(void)context;
	return -1;
}

static int open_text(const char *dir, enum psu_file_kind kind,
					 struct psu_file *file_out, BIO **bio_out)
{
	int rc = psu_files_load(dir, kind, file_out);

	if (rc)
		return rc;
	if (memchr(file_out->text, '\0', file_out->len)) {
		psu_files_free(file_out);
		return refuse(dir, kind, "is no text, it has a NUL byte");
	}
	ERR_clear_error(); /* makes the queue, too, while there is memory */
	*bio_out = BIO_new_mem_buf(file_out->text, (int)file_out->len);
	if (!*bio_out) {
		psu_files_free(file_out);
		ERR_clear_error();
		return no_memory(dir, kind);
	}
	return 0;
}

/** Whether another object follows the one that was read. */
static bool more_follows(BIO *bio)
{
	char *rest = NULL;
	long len = BIO_get_mem_data(bio, &rest);

	return len > 0 && strstr(rest, "-----BEGIN"); /* a NUL is behind it */
}

int psu_pem_certificate(const char *dir, enum psu_file_kind kind,
						OSSL_LIB_CTX *library, X509 **certificate_out)
{
	struct psu_file file = {0};
	X509 *certificate = NULL;
	BIO *bio = NULL;
	int rc = open_text(dir, kind, &file, &bio);

	if (rc)
		return rc;
	certificate = X509_new_ex(library, NULL);
	if (!certificate ||
		!PEM_read_bio_X509(bio, &certificate, no_passphrase, NULL))
		rc = refuse(dir, kind, "holds no certificate in PEM form");
	else if (more_follows(bio))
		rc = refuse(dir, kind, "holds more than one certificate");
	else {
		*certificate_out = certificate;
		certificate = NULL;
	}
	X509_free(certificate);
	BIO_free(bio);
	psu_files_free(&file);
	return rc;
}

int psu_pem_crl(const char *dir, OSSL_LIB_CTX *library, X509_CRL **crl_out,
				struct psu_file_stamp *stamp_out)
{
	struct psu_file file = {0};
	X509_CRL *crl = NULL;
	BIO *bio = NULL;
	int rc = open_text(dir, PSU_FILE_CRL, &file, &bio);

	if (rc)
		return rc;
	crl = X509_CRL_new_ex(library, NULL);
	if (!crl || !PEM_read_bio_X509_CRL(bio, &crl, no_passphrase, NULL))
		rc = refuse(dir, PSU_FILE_CRL, "holds no CRL in PEM form");
	else if (more_follows(bio))
		rc = refuse(dir, PSU_FILE_CRL, "holds more than one CRL");
	else {
		*crl_out = crl;
		*stamp_out = file.stamp;
		crl = NULL;
	}
	X509_CRL_free(crl);
	BIO_free(bio);
	psu_files_free(&file);
	return rc;
}

int psu_pem_key(const char *dir, enum psu_file_kind kind, OSSL_LIB_CTX *library,
				EVP_PKEY **key_out)
{
	struct psu_file file = {0};
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;
	int rc = open_text(dir, kind, &file, &bio);

	if (rc)
		return rc;
	key = PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, NULL, library,
									 NULL);
	if (!key)
		rc = refuse(dir, kind, "holds no unencrypted private key in PEM form");
	else if (more_follows(bio))
		rc = refuse(dir, kind, "holds more than one key");
	else if (!EVP_PKEY_is_a(key, "ED25519"))
		rc = refuse(dir, kind, "holds a key that is not Ed25519");
	else {
		*key_out = key;
		key = NULL;
	}
	EVP_PKEY_free(key);
	BIO_free(bio);
	psu_files_free(&file);
	return rc;
}
