/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key on a token: opened before the dial, asked for a signature in it. Both may take as long as
 * the token or its owner takes, so that they run in a thread; the token belongs to whoever uses it
 * at the moment, the session or that thread.
 */
#include "api/internal.h"
#include "base/secret.h"
#include "io/env.h"

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
    l2tpc_session *s = user;
    struct token_job *j = block;
    l2tpc_us now = io_now();
    struct failure f;

    s->work = NULL;
    if (s->down)
        return;
    if (j->result == TOKEN_OK) {
        s->token = j->token;
        j->token = NULL;
        session_begin_signer(s, NULL, now);
    } else if (j->result == TOKEN_PIN_NEEDED && !j->pin) {
        signer_ask_passphrase(s, j->label);
    } else {
        f = token_failure(j->result, token_uri(&s->config));
        runner_fail(s->runner, &f, now);
    }
}

/* What is under way stays where it can be cancelled, whatever else is asked for. */
static bool start(l2tpc_session *s, struct token_job *j, const struct work_verbs *verbs)
{
    if (j)
        s->work = work_start(s->context->loop, verbs, j, s);
    return j && s->work;
}

void token_begin(l2tpc_session *s, const struct secret *pin, l2tpc_us now)
{
    static const struct work_verbs verbs = {run_open, on_open, job_free};
    struct token_job *j = calloc(1, sizeof(*j));
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    if (j) {
        j->wish = token_wish_of(s->config.certificate_uri, s->config.key_uri);
        j->arena = j->wish.arena = arena_hold(s->context->arena);
        if (pin)
            j->pin = vault_take(arena_vault(j->arena), sizeof(*j->pin));
        if (j->pin)
            *j->pin = *pin;
    }
    if (pin && j && !j->pin) {
        job_free(j);
        j = NULL;
    }
    if (!start(s, j, &verbs))
        runner_fail(s->runner, &f, now);
}

/* ---- signing ---- */

static void run_sign(void *block)
{
    struct token_job *j = block;

    j->result =
        token_sign(j->token, j->auth, span_of(j->hash, j->n_hash), j->signature, &j->n_signature);
}

/* Before the tunnel is up it ends the dial; later a renewal fails and the tunnel goes on. */
static void refuse(l2tpc_session *s, uint32_t need, const struct failure *f, l2tpc_us now)
{
    if (runner_facts(s->runner)->up)
        runner_answer_sign(s->runner, need, NULL, now);
    else
        runner_fail(s->runner, f, now);
}

static void on_sign(void *user, void *block)
{
    l2tpc_session *s = user;
    struct token_job *j = block;
    struct span signature = span_of(j->signature, j->n_signature);
    l2tpc_us now = io_now();
    struct failure f;

    s->work = NULL;
    s->token = j->token;
    j->token = NULL;
    if (s->down)
        return;
    /* Whether the key fits the certificate shows only now. */
    if (j->result == TOKEN_OK && signer_owns(s->signer, span_of(j->hash, j->n_hash), signature)) {
        runner_answer_sign(s->runner, j->need, &signature, now);
        return;
    }
    f = j->result == TOKEN_OK ? failure_make(FAILURE_IKE_AUTH_CERT_MISSING_KEY)
                              : token_failure(j->result, token_uri(&s->config));
    if (j->result == TOKEN_OK)
        failure_set_value(&f, span_str("the key on the token does not fit it"));
    refuse(s, j->need, &f, now);
}

void token_ask_signature(l2tpc_session *s, const struct dial_event *e, l2tpc_us now)
{
    static const struct work_verbs verbs = {run_sign, on_sign, job_free};
    struct token_job *j = s->work || !s->token ? NULL : calloc(1, sizeof(*j));
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    if (j) {
        j->token = s->token;
        s->token = NULL;
        j->auth = signer_credential(s->signer)->auth;
        j->need = e->need_id;
        j->n_hash = e->n_digest;
        memcpy(j->hash, e->digest, e->n_digest);
    }
    if (!start(s, j, &verbs))
        refuse(s, e->need_id, &f, now);
}

void token_end(l2tpc_session *s)
{
    work_cancel(s->work);
    s->work = NULL;
    token_close(s->token);
    s->token = NULL;
}
