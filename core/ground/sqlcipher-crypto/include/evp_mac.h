/*
 * EVP_MAC of OpenSSL 3 (EVP_MAC(3), EVP_MAC-HMAC(7)), as much of it as SQLCipher calls, over AWS-LC's HMAC.
 * HMAC with SHA-1, SHA-256 or SHA-512 only; whatever else is asked for fails.
 */
#ifndef CITIZEN_WALLET_EVP_MAC_H
#define CITIZEN_WALLET_EVP_MAC_H

#include <stddef.h>
#include <string.h>

#define OSSL_PARAM_UTF8_STRING 4
#define OSSL_PARAM_END { NULL, 0, NULL, 0, 0 }

typedef struct {
  const char *key;
  unsigned int data_type;
  const void *data;
  size_t data_size;
  size_t return_size;
} OSSL_PARAM;

typedef struct {
  const char *name;
} EVP_MAC;

typedef HMAC_CTX EVP_MAC_CTX;

static inline EVP_MAC *EVP_MAC_fetch(void *library, const char *algorithm, const char *properties) {
  static EVP_MAC hmac = { "HMAC" };
  (void)library;
  (void)properties;
  return algorithm != NULL && strcmp(algorithm, hmac.name) == 0 ? &hmac : NULL;
}

static inline void EVP_MAC_free(EVP_MAC *mac) { (void)mac; }

static inline EVP_MAC_CTX *EVP_MAC_CTX_new(EVP_MAC *mac) { return mac == NULL ? NULL : HMAC_CTX_new(); }

/* Wipes the key. */
static inline void EVP_MAC_CTX_free(EVP_MAC_CTX *context) { HMAC_CTX_free(context); }

static inline const EVP_MD *citizen_wallet_digest(const OSSL_PARAM *parameters) {
  for (; parameters != NULL && parameters->key != NULL; parameters++) {
    if (strcmp(parameters->key, "digest") != 0 || parameters->data_type != OSSL_PARAM_UTF8_STRING || parameters->data == NULL) continue;
    if (strcmp((const char *)parameters->data, "sha1") == 0) return EVP_sha1();
    if (strcmp((const char *)parameters->data, "sha256") == 0) return EVP_sha256();
    if (strcmp((const char *)parameters->data, "sha512") == 0) return EVP_sha512();
    return NULL;
  }
  return NULL;
}

/* A missing key is an error here: HMAC_Init_ex would take the key of an earlier call. */
static inline int EVP_MAC_init(EVP_MAC_CTX *context, const unsigned char *key, size_t length, const OSSL_PARAM *parameters) {
  const EVP_MD *digest = citizen_wallet_digest(parameters);
  return context != NULL && key != NULL && digest != NULL ? HMAC_Init_ex(context, key, length, digest, NULL) : 0;
}

static inline int EVP_MAC_update(EVP_MAC_CTX *context, const unsigned char *data, size_t length) { return HMAC_Update(context, data, length); }

/* Without `out` only tells the length, as OpenSSL does. */
static inline int EVP_MAC_final(EVP_MAC_CTX *context, unsigned char *out, size_t *length, size_t room) {
  size_t size = HMAC_size(context);
  unsigned int written = 0;
  if (out == NULL) {
    if (length == NULL) return 0;
    *length = size;
    return 1;
  }
  if (size == 0 || room < size || !HMAC_Final(context, out, &written)) return 0;
  if (length != NULL) *length = written;
  return 1;
}

#endif
