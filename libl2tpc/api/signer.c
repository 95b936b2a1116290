/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signer, in the process of the session: it opens the certificate, key and CAs of the config,
 * signs what the dial asks for, and judges the server's certificate. The dial itself never sees
 * the key.
 */
#include "api/internal.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct signer {
    struct credential *own;
    struct trust *trust;
    struct cert_list cas;
    struct ike_credential shown;
};

void signer_free(struct signer *g)
{
    if (!g)
        return;
    credential_free(g->own);
    trust_free(g->trust);
    free(g);
}

const struct ike_credential *signer_credential(const struct signer *g)
{
    return &g->shown;
}

static struct failure failure_of(enum keyfile_result r)
{
    static const struct {
        enum failure_id id;
        const char *value;
    } rows[] = {
        [KEYFILE_UNKNOWN] = {FAILURE_IKE_AUTH_CERT_FILE, "this file"},
        [KEYFILE_PASSPHRASE] = {FAILURE_IKE_AUTH_CERT_PASSPHRASE, ""},
        [KEYFILE_LEGACY] = {FAILURE_IKE_AUTH_CERT_LEGACY, ""},
        [KEYFILE_TOO_MUCH] = {FAILURE_IKE_AUTH_CERT_OWN, "too many certificates in one file"},
        [KEYFILE_NO_CERTIFICATE] = {FAILURE_IKE_AUTH_CERT_FILE, "this file"},
        [KEYFILE_NO_KEY] = {FAILURE_IKE_AUTH_CERT_MISSING_KEY, "no key fits it"},
        [KEYFILE_WEAK] = {FAILURE_IKE_AUTH_CERT_OWN, "its key is shorter than RSA 2048"},
        [KEYFILE_KIND] = {FAILURE_IKE_AUTH_CERT_OWN, "IKE has no signature for its kind of key"},
        [KEYFILE_MEMORY] = {FAILURE_LOCAL_MEMORY, ""},
    };
    struct failure f = failure_make(rows[r].id);

    failure_set_value(&f, span_str(rows[r].value));
    return f;
}

/* With a token the key stays there. */
static enum keyfile_result load_own(struct signer *g, const l2tpc_config *c,
                                    const struct token *token, const struct secret *passphrase)
{
    struct span word = passphrase ? secret_span(passphrase) : SPAN_NONE;
    const struct span *given = passphrase ? &word : NULL;
    struct span on_token = token ? token_certificate(token) : SPAN_NONE;
    enum keyfile_result r =
        credential_add(g->own, on_token.n > 0 ? on_token : blob_span(&c->certificate), given);

    if (token)
        return r == KEYFILE_OK ? credential_finish_elsewhere(g->own) : r;
    if (r == KEYFILE_OK && c->key.n > 0)
        r = credential_add(g->own, blob_span(&c->key), given);
    return r == KEYFILE_OK ? credential_finish(g->own) : r;
}

static void show(struct signer *g)
{
    const struct cert_id *id = credential_id(g->own);

    trust_names(g->trust, &g->cas);
    g->shown = (struct ike_credential){.auth = credential_auth(g->own),
                                       .chain = credential_chain(g->own),
                                       .id_type = id->type,
                                       .id = span_of(id->bytes, id->n),
                                       .cas = &g->cas};
}

/* Out of date, the server would refuse it anyway and could not say why. */
static bool own_is_good(const l2tpc_session *s, struct signer *g, struct failure *out)
{
    struct clinic_input in = {.own = g->own, .trust = g->trust, .now = runner_wall_seconds()};
    struct clinic_finding f[CLINIC_ITEMS];

    clinic_examine(s->context->crypto, &in, f);
    if (f[CLINIC_CLOCK].state == CLINIC_BAD) {
        *out = cert_failure(CERT_CLOCK, f[CLINIC_CLOCK].value);
        return false;
    }
    if (f[CLINIC_VALID].state != CLINIC_BAD)
        return true;
    *out = failure_make(FAILURE_IKE_AUTH_CERT_OWN);
    failure_set_value(out, span_str("it has expired"));
    return false;
}

struct signer *signer_new(const l2tpc_session *s, const struct secret *passphrase, bool *out_locked,
                          struct failure *out_failure)
{
    const l2tpc_config *c = &s->config;
    struct signer *g = calloc(1, sizeof(*g));
    enum keyfile_result r = KEYFILE_MEMORY;

    *out_locked = false;
    if (g) {
        g->own = credential_new(s->context->crypto);
        g->trust = trust_new(s->context->crypto);
    }
    if (g && g->own && g->trust)
        r = load_own(g, c, s->token, passphrase);
    *out_failure = failure_of(r == KEYFILE_OK ? KEYFILE_MEMORY : r);
    *out_locked = r == KEYFILE_PASSPHRASE && !passphrase;
    if (r == KEYFILE_OK && (c->ca.n == 0 || trust_add(g->trust, blob_span(&c->ca)) != KEYFILE_OK ||
                            trust_count(g->trust) == 0)) {
        *out_failure = failure_make(FAILURE_IKE_AUTH_CERT_NO_CA);
        r = KEYFILE_NO_CERTIFICATE;
    }
    if (r != KEYFILE_OK || !own_is_good(s, g, out_failure)) {
        signer_free(g);
        return NULL;
    }
    show(g);
    return g;
}

void signer_sign(l2tpc_session *s, const struct dial_event *e, l2tpc_us now)
{
    uint8_t bytes[SIGN_MAX];
    struct span signature;
    size_t n;
    bool ok;

    if (token_is_used(&s->config)) {
        token_ask_signature(s, e, now);
        return;
    }
    ok = s->signer && credential_sign(s->signer->own, span_of(e->digest, e->n_digest), bytes, &n);
    signature = ok ? span_of(bytes, n) : SPAN_NONE;
    runner_answer_sign(s->runner, e->need_id, ok ? &signature : NULL, now);
}

void signer_judge(l2tpc_session *s, const struct dial_event *e, l2tpc_us now)
{
    const struct ike_peer_cert *pc = runner_peer_cert(s->runner);
    enum cert_verdict v = CERT_BROKEN;
    char detail[CERT_TEXT_MAX] = "";
    struct cert_list path = {0};
    struct failure f;

    if (pc && s->signer) {
        struct cert_question q = {
            .chain = &pc->chain,
            .leaf = pc->leaf,
            .id_type = pc->id_type,
            .id = span_of(pc->id, pc->n_id),
            .name = s->config.server,
            .wanted = s->config.peer_id.type ? &s->config.peer_id : NULL,
            .now = runner_wall_seconds(),
            .own = s->signer->own,
            .allow_cn = s->config.allow_cn,
            .allow_sha1 = s->config.allow_sha1,
            .out_path = &path,
        };

        v = cert_judge(s->context->crypto, s->signer->trust, &q, detail);
    }
    if (v == CERT_GOOD) {
        revocation_begin(s, s->signer->trust, &path, e->need_id, now);
        return;
    }
    f = cert_failure(v, detail);
    failure_set_expected(&f,
                         span_str(s->config.server_id[0] ? s->config.server_id : s->config.server));
    runner_answer_done(s->runner, e->need_id, &f, now);
}

bool signer_owns(const struct signer *g, struct span hash, struct span signature)
{
    return credential_signed(g->own, hash, signature);
}

void signer_ask_passphrase(l2tpc_session *s, const char *token_label)
{
    l2tpc_event *ask = event_new(s, L2TPC_EVENT_NEED, STAGE_RESOLVE);

    if (!ask)
        return;
    s->waits_for_passphrase = true;
    ask->has_need = true;
    ask->need = need_make(s, L2TPC_NEED_PASSPHRASE);
    ask->need.id = SIGNER_NEED;
    (void)snprintf(ask->need.token_label, sizeof(ask->need.token_label), "%s", token_label);
    event_queue(s, ask);
}

void session_begin(l2tpc_session *s, const struct secret *passphrase, l2tpc_us now)
{
    if (token_is_used(&s->config))
        token_begin(s, passphrase, now);
    else
        session_begin_signer(s, passphrase, now);
}

void session_begin_signer(l2tpc_session *s, const struct secret *passphrase, l2tpc_us now)
{
    struct failure f;
    bool locked;

    if (s->config.certificate.n > 0 || s->token) {
        s->signer = signer_new(s, passphrase, &locked, &f);
        if (!s->signer && locked) {
            signer_ask_passphrase(s, "");
            return;
        }
        if (!s->signer) {
            runner_fail(s->runner, &f, now);
            return;
        }
        runner_set_credential(s->runner, signer_credential(s->signer));
    }
    runner_start(s->runner, now);
}
