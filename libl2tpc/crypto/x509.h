/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates: loading them with their keys, signing as IKEv1 does, judging a server's chain. All
 * parsing is OpenSSL's. Lists of certificates are plain bytes, so that engines can carry them
 * without knowing what is inside, and another process could hold the keys.
 */
#ifndef L2TPC_CRYPTO_X509_H
#define L2TPC_CRYPTO_X509_H

#include "base/secret.h"
#include "crypto/crypto.h"

#define CERTS_MAX 10
#define CERTS_BYTES_MAX 65536
#define CERT_ID_MAX 512
#define CERT_TEXT_MAX 128
#define SIGN_MAX 1024 /* bytes of the longest signature: RSA 8192 */
#define CERT_FILE_MAX (1u << 20)

/* DER certificates, or DER names, one behind the other. */
struct cert_list {
    unsigned n;
    size_t at[CERTS_MAX + 1];
    uint8_t bytes[CERTS_BYTES_MAX];
};

/* False when it is empty or does not fit. */
bool cert_list_add(struct cert_list *list, struct span der) MUST_USE;
struct span cert_list_get(const struct cert_list *list, unsigned i);
/* The certificates of a PKCS#7 bag, as Windows sends them; false when it is none or too many. */
bool cert_list_add_pkcs7(struct crypto *c, struct cert_list *list, struct span der) MUST_USE;

/* Identities by the numbers of RFC 2407 4.6.2.1. */
enum cert_id_type {
    CERT_ID_IPV4 = 1,
    CERT_ID_FQDN = 2,
    CERT_ID_USER_FQDN = 3,
    CERT_ID_IPV6 = 5,
    CERT_ID_DN = 9,
    CERT_ID_KEY_ID = 11,
};

struct cert_id {
    uint8_t type;
    uint8_t bytes[CERT_ID_MAX];
    size_t n;
};

/* A DER name as one line for people, escaped; "?" when it is none. */
void cert_name_text(struct crypto *c, struct span dn, char *out, size_t cap);
/*
 * "C=CH, O=Example, CN=gate" or "/C=CH/O=Example/CN=gate", in the order of the certificate; a
 * separator within a value takes a backslash. False when it is none, or too long.
 */
bool cert_name_parse(const char *text, struct cert_id *out) MUST_USE;
/* Two DER names say the same, whatever the case and the kind of their strings (RFC 5280 7.1). */
bool cert_name_same(struct span a, struct span b);
/* The issuer of a DER certificate as a DER name; false when it is broken. */
bool cert_issuer(struct crypto *c, struct span der, uint8_t *out, size_t cap, size_t *n) MUST_USE;

/* ---- files ---- */
enum keyfile_result {
    KEYFILE_OK,
    KEYFILE_UNKNOWN,    /* no certificate or key that we understand */
    KEYFILE_PASSPHRASE, /* it needs one, or this is the wrong one */
    KEYFILE_LEGACY,     /* locked with RC2 or another old cipher, and OpenSSL's legacy module is not
                           installed */
    KEYFILE_TOO_MUCH,   /* more than CERTS_MAX certificates, or too long */
    KEYFILE_NO_CERTIFICATE,
    KEYFILE_NO_KEY, /* the certificate has no private key with it */
    KEYFILE_WEAK,   /* RSA below 2048 bits or with a small exponent */
    KEYFILE_KIND,   /* a kind of key that IKEv1 has no signature for */
    KEYFILE_MEMORY,
};

/* ---- our own certificate and key ---- */
struct credential;

struct credential *credential_new(struct crypto *c);
void credential_free(struct credential *cr); /* the key is wiped; NULL is fine */
/*
 * PEM, DER, PKCS#7 or PKCS#12; certificates and key may come in any order and in several files.
 * `passphrase` NULL: none is known.
 */
enum keyfile_result credential_add(struct credential *cr, struct span file,
                                   const struct span *passphrase);
/* Finds the certificate that belongs to the key, and its chain. */
enum keyfile_result credential_finish(struct credential *cr);
/*
 * The key stays elsewhere, as on a token: the leaf is the certificate that issued none of the
 * others. Whether the key is its own shows when it signs: credential_signed().
 */
enum keyfile_result credential_finish_elsewhere(struct credential *cr);
bool credential_signed(const struct credential *cr, struct span hash,
                       struct span signature) MUST_USE;
/* The next four after one of the two said OK. */
enum ike_auth credential_auth(const struct credential *cr);
const struct cert_list *credential_chain(const struct credential *cr); /* leaf first, no root */
/* Subject DN, or the first name of subjectAltName when the subject is empty. */
const struct cert_id *credential_id(const struct credential *cr);
/* Signs the hash as it is: RFC 2409 5.1 for RSA, RFC 4754 for ECDSA. */
bool credential_sign(const struct credential *cr, struct span hash, uint8_t out[SIGN_MAX],
                     size_t *n) MUST_USE;

/* ---- the server's signature ---- */
/* With the key of that DER certificate; the whole PKCS#1 block is compared (hostile.md C16). */
bool cert_verify_hash(struct crypto *c, struct span der, enum ike_auth auth, struct span hash,
                      struct span signature) MUST_USE;

/* ---- whom we trust ---- */
struct trust;

struct trust *trust_new(struct crypto *c);
void trust_free(struct trust *t); /* NULL is fine */
/* CA certificates and revocation lists: PEM, DER or PKCS#7. */
enum keyfile_result trust_add(struct trust *t, struct span file);
unsigned trust_count(const struct trust *t); /* CA certificates */
/* The DER names of the CAs, for certificate requests; as many as fit. */
void trust_names(const struct trust *t, struct cert_list *out);

#define CERT_GRACE_S 300 /* two clocks may differ by so much */

enum cert_verdict {
    CERT_GOOD,
    CERT_BROKEN,
    CERT_UNTRUSTED, /* no chain to a CA of the profile */
    CERT_EXPIRED,
    CERT_NOT_YET_VALID,
    CERT_CLOCK, /* more than one certificate is outside its time: this computer's clock is wrong */
    CERT_REVOKED,
    CERT_WEAK,  /* a short key or an old signature in the chain */
    CERT_USAGE, /* made for something else */
    CERT_NAME,  /* not of the server that was dialed */
    CERT_ID,    /* the server calls itself something that its certificate does not say */
};

struct cert_question {
    const struct cert_list *chain;
    unsigned leaf;
    uint8_t id_type; /* what the peer called itself; 0: not asked */
    struct span id;
    const char *name; /* the dialed name or the identity that is set; NULL: not asked */
    bool allow_cn;    /* the subject's common name counts when there is no subjectAltName */
    bool allow_sha1;  /* signatures of the chain may be made over SHA-1 */
    int64_t now;      /* seconds since 1970 */
    const struct credential *own; /* a second opinion on the clock; may be NULL */
    struct cert_list *out_path;   /* gets the verified path, leaf first; NULL: not wanted */
    const struct cert_id *wanted; /* the identity that is set, instead of `name`; NULL: none */
};

/* `detail` gets what the sentence needs: a date, a name, the words of OpenSSL. */
enum cert_verdict cert_judge(struct crypto *c, const struct trust *t, const struct cert_question *q,
                             char detail[CERT_TEXT_MAX]);

/* ---- the clinic ---- */
enum clinic_item {
    CLINIC_CLOCK,  /* date and time of this computer */
    CLINIC_CA,     /* a CA of the profile, and the path to it */
    CLINIC_KEY,    /* the personal certificate has its private key */
    CLINIC_VALID,  /* and is valid today */
    CLINIC_USAGE,  /* and made for this */
    CLINIC_EXPIRY, /* and for some weeks more */
    CLINIC_SERVER, /* the server's certificate, when there is one */
    CLINIC_ITEMS,
};

enum clinic_state {
    CLINIC_GOOD,
    CLINIC_WARNING,
    CLINIC_BAD,
    CLINIC_UNKNOWN, /* nothing to look at */
};

struct clinic_finding {
    enum clinic_state state;
    enum cert_verdict verdict; /* of BAD */
    char value[CERT_TEXT_MAX]; /* a date, a name */
};

struct clinic_input {
    const struct credential *own;    /* finished or not; NULL: none */
    const struct trust *trust;       /* NULL: none */
    const struct credential *server; /* certificates only; NULL: none */
    const char *name;                /* of the server; NULL: not known */
    int64_t now;
};

#define CLINIC_SOON_S (30 * INT64_C(86400))

void clinic_examine(struct crypto *c, const struct clinic_input *in,
                    struct clinic_finding out[CLINIC_ITEMS]);

/* ---- a request to a CA ---- */
struct cert_request {
    const char *common_name; /* UTF-8, 1 to 64 bytes */
    const char *san;         /* DNS name, address or mail address; NULL: none */
    enum ike_auth auth;      /* RSA (3072 bits) or ECDSA */
};

/* PEM texts; the key is PKCS#8, locked with AES-256 when there is a passphrase. To be freed with
 * wipe_free(text, n). */
bool cert_request_make(struct crypto *c, const struct cert_request *r,
                       const struct span *passphrase, char **key, size_t *n_key, char **csr,
                       size_t *n_csr) MUST_USE;

#endif
