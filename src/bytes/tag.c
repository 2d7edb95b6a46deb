/* SPDX-License-Identifier: ISC */
/*
 * tag.c - GMAC is GCM that encrypts nothing
 */
#include "bytes/tag.h"
#include "bytes/bytes.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct psu_tagger {
	EVP_CIPHER_CTX *context;
};

int psu_tagger_new(OSSL_LIB_CTX *library, const uint8_t key[PSU_TAG_KEY_LEN],
				   struct psu_tagger **tagger_out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(library, "AES-256-GCM", NULL);
	struct psu_tagger *tagger = calloc(1, sizeof(*tagger));
	bool good = false;

	if (tagger)
		tagger->context = EVP_CIPHER_CTX_new();
	if (tagger && tagger->context && cipher)
		good = EVP_EncryptInit_ex2(tagger->context, cipher, key, NULL, NULL) ==
			   1;
	EVP_CIPHER_free(cipher);
	if (good) {
		*tagger_out = tagger;
		return 0;
	}
	psu_tagger_free(tagger);
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "no memory to compare a heap with what home has kept "
						 "of it: free some");
}

void psu_tagger_free(struct psu_tagger *tagger)
{
	if (tagger)
		EVP_CIPHER_CTX_free(tagger->context);
	free(tagger);
}

bool psu_tagger_tag(struct psu_tagger *tagger, uint32_t number,
					const void *bytes, size_t len, uint8_t tag_out[PSU_TAG_LEN])
{
	EVP_CIPHER_CTX *context = tagger->context;
	uint8_t nonce[12] = {0};
	struct psu_writer writer = {.at = nonce + 8, .end = nonce + 12};
	int done;

	psu_put_u32(&writer, number);
	return EVP_EncryptInit_ex2(context, NULL, NULL, nonce, NULL) == 1 &&
		   EVP_EncryptUpdate(context, NULL, &done, bytes, (int)len) == 1 &&
		   EVP_EncryptFinal_ex(context, tag_out, &done) == 1 &&
		   EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, PSU_TAG_LEN,
							   tag_out) == 1;
}
