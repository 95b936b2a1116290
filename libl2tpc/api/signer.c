/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening, signing with a key that is a file's, and judging. The dial itself never sees the key. */
#include "api/signer.h"

#include "api/signer_impl.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

struct signer *signer_new(const struct signer_base *base)
{
    struct signer *g = calloc(1, sizeof(*g));

    if (g)
        g->base = *base;
    return g;
}

static void forget_own(struct signer *g)
{
    credential_free(g->own);
    trust_free(g->trust);
    free(g->cas);
    g->own = NULL;
    g->trust = NULL;
    g->cas = NULL;
}

void signer_free(struct signer *g)
{
    if (!g)
        return;
    revocation_end(g);
    work_cancel(g->work);
    token_close(g->token);
    forget_own(g);
    free(g);
}

void signer_forget(struct signer *g)
{
    revocation_end(g);
    g->stale = g->work != NULL;
    g->has_next = false;
}

bool signer_busy(const struct signer *g)
{
    return g->work != NULL;
}

const struct ike_credential *signer_credential(const struct signer *g)
{
    return g->own ? &g->shown : NULL;
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
static enum keyfile_result load_own(struct signer *g, const struct secret *passphrase)
{
    const l2tpc_config *c = g->base.config;
    struct span word = passphrase ? secret_span(passphrase) : SPAN_NONE;
    const struct span *given = passphrase ? &word : NULL;
    struct span on_token = g->token ? token_certificate(g->token) : SPAN_NONE;
    enum keyfile_result r =
        credential_add(g->own, on_token.n > 0 ? on_token : blob_span(&c->certificate), given);

    if (g->token)
        return r == KEYFILE_OK ? credential_finish_elsewhere(g->own) : r;
    if (r == KEYFILE_OK && c->key.n > 0)
        r = credential_add(g->own, blob_span(&c->key), given);
    return r == KEYFILE_OK ? credential_finish(g->own) : r;
}

static bool show(struct signer *g)
{
    const struct cert_id *id = credential_id(g->own);

    g->cas = calloc(1, sizeof(*g->cas));
    if (!g->cas)
        return false;
    trust_names(g->trust, g->cas);
    g->shown = (struct ike_credential){.auth = credential_auth(g->own),
                                       .chain = credential_chain(g->own),
                                       .id_type = id->type,
                                       .id = span_of(id->bytes, id->n),
                                       .cas = g->cas};
    return true;
}

/* Out of date, the server would refuse it anyway and could not say why. */
static bool own_is_good(struct signer *g, struct failure *out)
{
    struct clinic_input in = {.own = g->own, .trust = g->trust, .now = runner_wall_seconds()};
    struct clinic_finding f[CLINIC_ITEMS];

    clinic_examine(g->base.crypto, &in, f);
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

static bool load_trust(struct signer *g)
{
    const l2tpc_config *c = g->base.config;

    return c->ca.n > 0 && trust_add(g->trust, blob_span(&c->ca)) == KEYFILE_OK &&
           trust_count(g->trust) > 0;
}

void signer_load(struct signer *g, const struct secret *passphrase)
{
    enum keyfile_result r = KEYFILE_MEMORY;
    struct failure f = failure_make(FAILURE_IKE_AUTH_CERT_NO_CA);
    bool ok;

    forget_own(g);
    g->own = credential_new(g->base.crypto);
    g->trust = trust_new(g->base.crypto);
    if (g->own && g->trust)
        r = load_own(g, passphrase);
    if (r != KEYFILE_OK)
        f = failure_of(r);
    ok = r == KEYFILE_OK && load_trust(g) && own_is_good(g, &f);
    if (ok && !show(g)) {
        f = failure_make(FAILURE_LOCAL_MEMORY);
        ok = false;
    }
    if (ok) {
        g->base.verbs->opened(g->base.user, &g->shown);
        return;
    }
    forget_own(g);
    if (r == KEYFILE_PASSPHRASE && !passphrase)
        g->base.verbs->locked(g->base.user, "");
    else
        g->base.verbs->failed(g->base.user, &f);
}

void signer_open(struct signer *g, const struct secret *passphrase)
{
    if (token_is_used(g->base.config))
        token_begin(g, passphrase);
    else if (g->base.config->certificate.n > 0)
        signer_load(g, passphrase);
    else
        g->base.verbs->opened(g->base.user, NULL);
}

void signer_sign(struct signer *g, uint32_t need, struct span digest)
{
    uint8_t bytes[SIGN_MAX];
    struct span signature;
    size_t n;
    bool ok;

    if (token_is_used(g->base.config)) {
        token_ask_signature(g, need, digest);
        return;
    }
    ok = g->own && credential_sign(g->own, digest, bytes, &n);
    signature = ok ? span_of(bytes, n) : SPAN_NONE;
    g->base.verbs->signed_hash(g->base.user, need, ok ? &signature : NULL, NULL);
}

void signer_judge(struct signer *g, uint32_t need, const struct ike_peer_cert *peer)
{
    const l2tpc_config *c = g->base.config;
    const struct revocation_verdict unknown = {0};
    enum cert_verdict v = CERT_BROKEN;
    char detail[CERT_TEXT_MAX] = "";
    struct cert_list path = {0};
    struct failure f;

    if (peer && g->own) {
        struct cert_question q = {
            .chain = &peer->chain,
            .leaf = peer->leaf,
            .id_type = peer->id_type,
            .id = span_of(peer->id, peer->n_id),
            .name = c->server,
            .wanted = c->peer_id.type ? &c->peer_id : NULL,
            .now = runner_wall_seconds(),
            .own = g->own,
            .allow_cn = c->allow_cn,
            .allow_sha1 = c->allow_sha1,
            .out_path = &path,
        };

        v = cert_judge(g->base.crypto, g->trust, &q, detail);
    }
    if (v == CERT_GOOD) {
        revocation_begin(g, &path, need);
        return;
    }
    f = cert_failure(v, detail);
    failure_set_expected(&f, span_str(c->server_id[0] ? c->server_id : c->server));
    g->base.verbs->judged(g->base.user, need, &f, &unknown);
}

bool signer_owns(const struct signer *g, struct span hash, struct span signature)
{
    return g->own && credential_signed(g->own, hash, signature);
}
