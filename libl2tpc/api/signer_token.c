/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key on a token: opened before the dial, asked for a signature in it. Both may take as long as
 * the token or its owner takes, so that they run in a thread; the token belongs to whoever uses it
 * at the moment, the session or that thread.
 */
#include "api/signer_impl.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct token_job {
    struct token_wish wish;
    struct secret *pin;  /* NULL: none is known */
    struct arena *arena; /* held */
    struct token *token;
    enum token_result result;
    char label[TOKEN_LABEL_MAX];
    /* signing */
    enum ike_auth auth;
    uint32_t need;
    uint8_t hash[HASH_MAX], signature[SIGN_MAX];
    size_t n_hash, n_signature;
};

static void job_free(void *block)
{
    struct token_job *j = block;

    token_close(j->token);
    if (j->arena)
        vault_give(arena_vault(j->arena), j->pin, sizeof(*j->pin));
    arena_free(j->arena);
    wipe_free(j, sizeof(*j));
}

struct failure token_failure(enum token_result r, const char *uri)
{
    static const enum failure_id ids[] = {
        [TOKEN_UNSUPPORTED] = FAILURE_LOCAL_TOKEN_SUPPORT,
        [TOKEN_MISSING] = FAILURE_LOCAL_TOKEN_MISSING,
        [TOKEN_SEVERAL] = FAILURE_LOCAL_TOKEN_SEVERAL,
        [TOKEN_NO_OBJECT] = FAILURE_LOCAL_TOKEN_OBJECT,
        [TOKEN_PIN_NEEDED] = FAILURE_LOCAL_TOKEN_PIN,
        [TOKEN_PIN_WRONG] = FAILURE_LOCAL_TOKEN_PIN,
        [TOKEN_PIN_LOCKED] = FAILURE_LOCAL_TOKEN_LOCKED,
        [TOKEN_GONE] = FAILURE_LOCAL_TOKEN_GONE,
        [TOKEN_FAILED] = FAILURE_LOCAL_TOKEN_FAILED,
        [TOKEN_MEMORY] = FAILURE_LOCAL_MEMORY,
    };
    struct failure f = failure_make(ids[r]);

    failure_set_value(&f, span_str(uri));
    return f;
}

const char *token_uri(const l2tpc_config *c)
{
    return c->key_uri[0] ? c->key_uri : c->certificate_uri;
}

bool token_is_used(const l2tpc_config *c)
{
    return token_uri(c)[0] != '\0';
}

struct token_wish token_wish_of(const char *certificate, const char *key)
{
    struct token_wish w = {.arena = NULL};

    (void)snprintf(w.certificate, sizeof(w.certificate), "%s", certificate ? certificate : "");
    (void)snprintf(w.key, sizeof(w.key), "%s", key ? key : "");
    return w;
}

/* ---- opening ---- */

static void run_open(void *block)
{
    struct token_job *j = block;
    struct span pin = j->pin ? secret_span(j->pin) : SPAN_NONE;

    j->token = token_open(&j->wish, j->pin ? &pin : NULL, &j->result, j->label);
}

static void on_open(void *user, void *block)
{
    struct signer *g = user;
    struct token_job *j = block;
    struct failure f;

    g->work = NULL;
    if (j->result == TOKEN_OK) {
        token_close(g->token);
        g->token = j->token;
        j->token = NULL;
        signer_load(g, NULL);
    } else if (j->result == TOKEN_PIN_NEEDED && !j->pin) {
        g->base.verbs->locked(g->base.user, j->label);
    } else {
        f = token_failure(j->result, token_uri(g->base.config));
        g->base.verbs->failed(g->base.user, &f);
    }
}

/* What is under way stays where it can be cancelled, whatever else is asked for. */
static bool start(struct signer *g, struct token_job *j, const struct work_verbs *verbs)
{
    if (j)
        g->work = work_start(g->base.loop, verbs, j, g);
    return j && g->work;
}

void token_begin(struct signer *g, const struct secret *pin)
{
    static const struct work_verbs verbs = {run_open, on_open, job_free};
    struct token_job *j = g->work ? NULL : calloc(1, sizeof(*j));
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    if (j) {
        j->wish = token_wish_of(g->base.config->certificate_uri, g->base.config->key_uri);
        j->arena = j->wish.arena = arena_hold(g->base.arena);
        if (pin)
            j->pin = vault_take(arena_vault(j->arena), sizeof(*j->pin));
        if (j->pin)
            *j->pin = *pin;
    }
    if (pin && j && !j->pin) {
        job_free(j);
        j = NULL;
    }
    if (!start(g, j, &verbs))
        g->base.verbs->failed(g->base.user, &f);
}

/* ---- signing ---- */

static void run_sign(void *block)
{
    struct token_job *j = block;

    j->result =
        token_sign(j->token, j->auth, span_of(j->hash, j->n_hash), j->signature, &j->n_signature);
}

/* For a dial that is over; the next one may be waiting already. */
static void go_on(struct signer *g)
{
    bool next = g->has_next;

    g->stale = g->has_next = false;
    if (next)
        token_ask_signature(g, g->next_need, span_of(g->next, g->n_next));
}

static void on_sign(void *user, void *block)
{
    struct signer *g = user;
    struct token_job *j = block;
    struct span signature = span_of(j->signature, j->n_signature);
    struct failure f;

    g->work = NULL;
    g->token = j->token;
    j->token = NULL;
    if (g->stale) {
        go_on(g);
        return;
    }
    /* Whether the key fits the certificate shows only now. */
    if (j->result == TOKEN_OK && signer_owns(g, span_of(j->hash, j->n_hash), signature)) {
        g->base.verbs->signed_hash(g->base.user, j->need, &signature, NULL);
        return;
    }
    f = j->result == TOKEN_OK ? failure_make(FAILURE_IKE_AUTH_CERT_MISSING_KEY)
                              : token_failure(j->result, token_uri(g->base.config));
    if (j->result == TOKEN_OK)
        failure_set_value(&f, span_str("the key on the token does not fit it"));
    g->base.verbs->signed_hash(g->base.user, j->need, NULL, &f);
}

void token_ask_signature(struct signer *g, uint32_t need, struct span digest)
{
    static const struct work_verbs verbs = {run_sign, on_sign, job_free};
    struct token_job *j = g->work || !g->token || !g->own ? NULL : calloc(1, sizeof(*j));
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    if (g->work && g->stale) {
        g->has_next = true;
        g->next_need = need;
        g->n_next = digest.n;
        memcpy(g->next, digest.p, digest.n);
        return;
    }
    if (j) {
        j->token = g->token;
        g->token = NULL;
        j->auth = g->shown.auth;
        j->need = need;
        j->n_hash = digest.n;
        memcpy(j->hash, digest.p, digest.n);
    }
    if (!start(g, j, &verbs))
        g->base.verbs->signed_hash(g->base.user, need, NULL, &f);
}
