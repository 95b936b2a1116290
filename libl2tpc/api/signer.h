/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signer: opens certificate, key and CAs of a config, signs what a dial asks for, and judges
 * the server's certificate. In the process of the session, or in one of its own (signer_serve.c);
 * it knows no dial and no session, only whom to tell.
 */
#ifndef L2TPC_API_SIGNER_H
#define L2TPC_API_SIGNER_H

#include "dial/dial.h"
#include "io/loop.h"
#include "io/revocation.h"
#include "io/token.h"
#include "l2tpc.h"

/* Whether the server's certificate was revoked, and who says so. */
struct revocation_verdict {
    bool known;
    enum revocation_state state;
    enum revocation_source source;
};

/* What came of it, told in the loop's thread, also from inside the call that asked. */
struct signer_verbs {
    /* NULL: the profile has no certificate. */
    void (*opened)(void *user, const struct ike_credential *shown);
    /* Not without a passphrase, or the PIN of this token: signer_open() again. */
    void (*locked)(void *user, const char *token_label);
    void (*failed)(void *user, const struct failure *f);
    /* NULL: it could not be signed; `f` NULL: and there is nothing to say about that. */
    void (*signed_hash)(void *user, uint32_t need, const struct span *signature,
                        const struct failure *f);
    /* `f` NULL: the certificate is good. */
    void (*judged)(void *user, uint32_t need, const struct failure *f,
                   const struct revocation_verdict *revocation);
};

struct signer_base {
    const l2tpc_config *config; /* outlives the signer; its certificate, key and CAs */
    struct loop *loop;
    struct crypto *crypto;
    struct arena *arena; /* where a PIN is kept */
    struct port_options ports;
    struct dns_servers servers; /* known from before any tunnel */
    const struct signer_verbs *verbs;
    void *user;
};

struct signer;

struct signer *signer_new(const struct signer_base *base); /* NULL: no memory */
/* What is under way goes on by itself and is told to nobody. NULL is fine. */
void signer_free(struct signer *g);
/* `passphrase` NULL: none is known. */
void signer_open(struct signer *g, const struct secret *passphrase);
void signer_sign(struct signer *g, uint32_t need, struct span digest);
void signer_judge(struct signer *g, uint32_t need, const struct ike_peer_cert *peer);
/* What was asked of it on behalf of a dial that is over is forgotten. */
void signer_forget(struct signer *g);
/* A token is at work, and nothing more can be signed before it has ended. */
bool signer_busy(const struct signer *g);
const struct ike_credential *signer_credential(const struct signer *g);

#endif
