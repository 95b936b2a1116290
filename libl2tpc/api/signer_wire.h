/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a session and a signer in a process of its own say to each other. Every request has a
 * number, and its reply has the same. No name comes with RESOLVE and no path with OPEN: the signer
 * knows its config, and whoever asks cannot make it look up or open anything else.
 */
#ifndef L2TPC_API_SIGNER_WIRE_H
#define L2TPC_API_SIGNER_WIRE_H

#include "api/signer.h"
#include "api/wire.h"
#include "dial/dial.h"

enum signer_request_type {
    SIGNER_OPEN = 1, /* certificate, key and CAs */
    SIGNER_RESOLVE = 2,
    SIGNER_SIGN = 3,
    SIGNER_JUDGE = 4,
    SIGNER_FORGET = 5, /* what is asked of others; has no reply */
};

struct signer_request {
    uint32_t type, number;
    uint8_t digest[HASH_MAX]; /* SIGN */
    size_t n_digest;
    struct ike_peer_cert peer; /* JUDGE */
};

enum signer_reply_type {
    SIGNER_OPENED = 1,
    SIGNER_ADDRESSES = 2,
    SIGNER_SIGNED = 3,
    SIGNER_JUDGED = 4,
    SIGNER_FAILED = 5, /* OPEN, RESOLVE or SIGN came to nothing */
};

struct signer_reply {
    uint32_t type, number;
    bool certified; /* OPENED: with a certificate, which follows */
    enum ike_auth auth;
    struct cert_id id;
    struct cert_list chain, cas;
    struct inaddr addresses[DIAL_ADDRESSES_MAX]; /* ADDRESSES */
    unsigned n_addresses;
    uint8_t signature[SIGN_MAX]; /* SIGNED */
    size_t n_signature;
    struct revocation_verdict revocation; /* JUDGED */
    bool failed;                          /* JUDGED: with `failure` */
    struct failure failure;
};

/* Both structs are too large for a stack. `out` of a reader is whole or of no use. */
bool signer_request_write(const struct signer_request *q, uint8_t *bytes, size_t cap,
                          struct span *out) MUST_USE;
bool signer_request_read(struct span message, struct signer_request *out) MUST_USE;
bool signer_reply_write(const struct signer_reply *p, uint8_t *bytes, size_t cap,
                        struct span *out) MUST_USE;
bool signer_reply_read(struct span message, struct signer_reply *out) MUST_USE;

/* Between the signer and whoever speaks to the user: the question, and its answer. */
bool signer_question_write(const char *token_label, uint8_t *bytes, size_t cap,
                           struct span *out) MUST_USE;
bool signer_question_read(struct span message, char label[TOKEN_LABEL_MAX]) MUST_USE;
bool signer_answer_write(const struct secret *passphrase, uint8_t *bytes, size_t cap,
                         struct span *out) MUST_USE;
bool signer_answer_read(struct span message, bool *has, struct secret *passphrase) MUST_USE;

#endif
