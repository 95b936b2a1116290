/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a signer, for its three files. */
#ifndef L2TPC_API_SIGNER_IMPL_H
#define L2TPC_API_SIGNER_IMPL_H

#include "api/internal.h"

struct signer {
    struct signer_base base;
    struct credential *own; /* NULL before it is open */
    struct trust *trust;
    struct cert_list *cas; /* with a certificate only: few sessions have one, and it is large */
    struct ike_credential shown;
    struct token *token; /* while no thread has it */
    struct work *work;   /* the thread that does something with the token */
    /* What was signed is of no use any more; the next one waits for the token. */
    bool stale, has_next;
    uint32_t next_need;
    uint8_t next[HASH_MAX];
    size_t n_next;
    struct work *asking; /* the thread that asks a CA about the server's certificate */
    struct loop_timer timer;
    uint32_t judging; /* the need that `asking` is for */
};

/* Once the token is there, if there is one: loads what the config names, and tells. */
void signer_load(struct signer *g, const struct secret *passphrase);
/* The signature was made by the key of our certificate. */
bool signer_owns(const struct signer *g, struct span hash, struct span signature);

/* signer_token.c: the key on a token */
void token_begin(struct signer *g, const struct secret *pin);
void token_ask_signature(struct signer *g, uint32_t need, struct span digest);

/* signer_revocation.c: tells `judged`, at once or when a CA has answered. */
void revocation_begin(struct signer *g, const struct cert_list *path, uint32_t need);
void revocation_end(struct signer *g);

#endif
