/* SPDX-License-Identifier: ISC */
/*
 * certificate.c - what a host's certificate must be, whoever shows it
 *
 * Every byte of a certificate read here is hostile.  OpenSSL's verdicts and
 * our own are put into the library's codes, with words that say what to do.
 */
#include "trust/certificate.h"
#include "bytes/sha256.h"
#include "trust/openssl.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ANOTHER "add the host under another name with certs/make-certs.sh --add"

/* ---- names */

/** The certificate's only list of names, or NULL.  The caller frees it. */
static GENERAL_NAMES *read_names(X509 *certificate)
{
	return X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

/** The string of a name of @type (GEN_URI, GEN_DNS), or NULL. */
static const ASN1_STRING *string_of(const GENERAL_NAME *name, int type)
{
	int found = 0;
	const ASN1_STRING *string = GENERAL_NAME_get0_value(name, &found);

	return found == type ? string : NULL;
}

int psu_certificate_identity(X509 *certificate,
							 struct psu_identity *identity_out)
{
	GENERAL_NAMES *names = read_names(certificate);
	const ASN1_STRING *uri = NULL;
	int count = 0;
	int rc = PSU_THREAD_E_CERT_IDENTITY;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const ASN1_STRING *string = string_of(sk_GENERAL_NAME_value(names, i),
											  GEN_URI);

		if (string) {
			uri = string;
			count++;
		}
	}
	if (count == 1)
		rc = psu_identity_parse((const char *)ASN1_STRING_get0_data(uri),
								(size_t)ASN1_STRING_length(uri), identity_out);
	GENERAL_NAMES_free(names);
	return rc;
}

static bool has_wildcard(X509 *certificate)
{
	GENERAL_NAMES *names = read_names(certificate);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const ASN1_STRING *dns = string_of(sk_GENERAL_NAME_value(names, i),
										   GEN_DNS);

		if (dns && memchr(ASN1_STRING_get0_data(dns), '*',
						  (size_t)ASN1_STRING_length(dns)))
			found = true;
	}
	GENERAL_NAMES_free(names);
	return found;
}

/** Write a DNS name or an address as text; "" for other names. */
static void name_text(const GENERAL_NAME *name, char *text_out, size_t room)
{
	const ASN1_STRING *dns = string_of(name, GEN_DNS);
	const ASN1_STRING *address = string_of(name, GEN_IPADD);

	*text_out = '\0';
	if (dns)
		snprintf(text_out, room, "%.*s", ASN1_STRING_length(dns),
				 (const char *)ASN1_STRING_get0_data(dns));
	else if (address && ASN1_STRING_length(address) == 4)
		inet_ntop(AF_INET, ASN1_STRING_get0_data(address), text_out,
				  (socklen_t)room);
	else if (address && ASN1_STRING_length(address) == 16)
		inet_ntop(AF_INET6, ASN1_STRING_get0_data(address), text_out,
				  (socklen_t)room);
}

void psu_certificate_names(X509 *certificate, char *text_out, size_t room)
{
	GENERAL_NAMES *names = read_names(certificate);
	size_t len = 0;

	*text_out = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		char text[128];

		name_text(sk_GENERAL_NAME_value(names, i), text, sizeof(text));
		if (*text && len < room)
			len += (size_t)snprintf(text_out + len, room - len, "%s%s",
									len ? ", " : "", text);
	}
	GENERAL_NAMES_free(names);
}

int psu_certificate_key_digest(X509 *certificate, struct psu_digest *digest_out)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (len < 0) {
		ERR_clear_error();
		return PSU_THREAD_E_NO_MEMORY;
	}
	psu_sha256(der, (size_t)len, digest_out);
	OPENSSL_free(der);
	return 0;
}

/* ---- dates */

static int64_t seconds(const ASN1_TIME *time, int64_t otherwise)
{
	struct tm tm;

	return time && ASN1_TIME_to_tm(time, &tm) ? timegm(&tm) : otherwise;
}

void psu_certificate_narrow(struct psu_validity *validity,
							const ASN1_TIME *begin, const ASN1_TIME *end)
{
	int64_t begin_s = seconds(begin, INT64_MAX);
	int64_t end_s = seconds(end, INT64_MIN);

	if (begin_s > validity->begin_s)
		validity->begin_s = begin_s;
	if (end_s < validity->end_s)
		validity->end_s = end_s;
}

/* ---- our own checks */

/** Both purposes must be named: OpenSSL takes none for any. */
static bool is_for_hosts(X509 *certificate)
{
	uint32_t both = XKU_SSL_SERVER | XKU_SSL_CLIENT;
	uint32_t purposes = X509_get_extended_key_usage(certificate);

	return purposes != UINT32_MAX && (purposes & both) == both &&
		   (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE);
}

int psu_certificate_check(X509 *certificate, const struct psu_identity *self,
						  const char **why_out)
{
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	struct psu_identity identity;

	if (X509_check_ca(certificate) != 0) {
		*why_out = "it is a certificate authority's: " ANOTHER;
		return PSU_THREAD_E_CERT_FOREIGN;
	}
	if (!is_for_hosts(certificate)) {
		*why_out = "it is not made for both servers and clients: " ANOTHER;
		return PSU_THREAD_E_CERT_FOREIGN;
	}
	if (X509_get_version(certificate) != X509_VERSION_3) {
		*why_out = "it is not of X.509 version 3: " ANOTHER;
		return PSU_THREAD_E_CERT_IDENTITY;
	}
	if (!key || !EVP_PKEY_is_a(key, "ED25519")) {
		*why_out = "its key is not Ed25519: " ANOTHER;
		return PSU_THREAD_E_CERT_IDENTITY;
	}
	if (psu_certificate_identity(certificate, &identity)) {
		*why_out = "it does not name exactly one host, by one URI "
				   "spiffe://DOMAIN/psu-thread/NAME: " ANOTHER;
		return PSU_THREAD_E_CERT_IDENTITY;
	}
	if (!psu_identity_same_domain(&identity, self)) {
		*why_out = "it is of another trust domain: " ANOTHER;
		return PSU_THREAD_E_CERT_IDENTITY;
	}
	if (has_wildcard(certificate)) {
		*why_out = "it has a wildcard among its names: " ANOTHER;
		return PSU_THREAD_E_CERT_IDENTITY;
	}
	return 0;
}

/* ---- OpenSSL's verdict */

static int explain_ca(int error, const char **why_out)
{
	if (error == X509_V_ERR_CERT_HAS_EXPIRED)
		*why_out = "this host's ca.crt has expired: make a new deployment";
	else
		*why_out = "this host's ca.crt is not valid yet: set this clock";
	return PSU_THREAD_E_CERTS_INVALID;
}

/** An error in the CRL, which is this host's own file. */
static int explain_crl(int error, const char **why_out)
{
	if (error == X509_V_ERR_CRL_HAS_EXPIRED)
		*why_out = "this host's crl.pem has expired: issue a new one, as "
				   "make-certs.sh --help says";
	else
		*why_out = "this host's crl.pem is not valid: copy it from the CA's "
				   "directory again";
	return PSU_THREAD_E_CERTS_INVALID;
}

static int explain(int error, int depth, const char **why_out)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		if (depth > 0)
			return explain_ca(error, why_out);
		*why_out = "it has expired: run certs/make-certs.sh --renew, or set "
				   "the clocks";
		return PSU_THREAD_E_CERT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		if (depth > 0)
			return explain_ca(error, why_out);
		*why_out = "it is not valid yet: set the clocks of both hosts";
		return PSU_THREAD_E_CERT_NOT_YET_VALID;
	case X509_V_ERR_CERT_REVOKED:
		*why_out = "it has been revoked, says crl.pem: " ANOTHER
				   ", if the host may still be trusted";
		return PSU_THREAD_E_CERT_REVOKED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		*why_out = "it is for another host: dial a name it is for";
		return PSU_THREAD_E_NAME_MISMATCH;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
		return explain_crl(error, why_out);
	case X509_V_ERR_OUT_OF_MEM:
		*why_out = "there is no memory to verify it: raise "
				   "`ulimit -v`, or free some";
		return PSU_THREAD_E_NO_MEMORY;
	case X509_V_ERR_INVALID_PURPOSE:
		*why_out = "it is not made for both servers and clients: " ANOTHER;
		return PSU_THREAD_E_CERT_FOREIGN;
	default:
		*why_out = "the CA of this deployment did not sign it: use "
				   "directories of one and the same deployment";
		return PSU_THREAD_E_CERT_FOREIGN;
	}
}

/** Whether OpenSSL could not even make a key of an Ed25519 certificate's
 * bytes.  Any 32 are one (RFC 8410, 4), so that only memory lacks; OpenSSL
 * calls such a key too small. */
static bool key_starved(const X509 *certificate)
{
	X509_PUBKEY *key = X509_get_X509_PUBKEY(certificate);
	const ASN1_OBJECT *algorithm = NULL;
	const unsigned char *bytes = NULL;
	X509_ALGOR *identifier = NULL;
	int len = 0, parameters = V_ASN1_UNDEF;

	if (!X509_PUBKEY_get0_param(NULL, &bytes, &len, &identifier, key))
		return false;
	X509_ALGOR_get0(&algorithm, &parameters, NULL, identifier);
	return OBJ_obj2nid(algorithm) == NID_ED25519 &&
		   parameters == V_ASN1_UNDEF && len == 32 && !X509_PUBKEY_get0(key);
}

int psu_certificate_judge(X509_STORE_CTX *context,
						  const struct psu_identity *self, const char **why_out)
{
	if (X509_verify_cert(context) <= 0) {
		int error = X509_STORE_CTX_get_error(context);

		if (psu_openssl_starved() ||
			key_starved(X509_STORE_CTX_get0_cert(context)))
			error = X509_V_ERR_OUT_OF_MEM;
		return explain(error, X509_STORE_CTX_get_error_depth(context), why_out);
	}
	return psu_certificate_check(X509_STORE_CTX_get0_cert(context), self,
								 why_out);
}

int psu_certificate_judge_alone(X509 *certificate, OSSL_LIB_CTX *library,
								X509_STORE *store,
								const struct psu_identity *self,
								const char **why_out)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new_ex(library, NULL);
	int rc;

	if (!context || !X509_STORE_CTX_init(context, store, certificate, NULL))
		rc = explain(X509_V_ERR_OUT_OF_MEM, 0, why_out);
	else
		rc = psu_certificate_judge(context, self, why_out);
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return rc;
}
