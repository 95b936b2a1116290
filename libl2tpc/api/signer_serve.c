/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signer as a process of its own: it answers the session behind `fd` for as long as that is
 * there. What it asks of a user goes to another process, so that the one which talks to the server
 * never sees a PIN.
 */
#include "api/internal.h"
#include "api/signer_wire.h"
#include "api/sized.h"
#include "io/channel.h"
#include "io/resolver.h"

#include <stdlib.h>
#include <string.h>

struct desk {
    const l2tpc_config *config;
    struct loop *loop;
    struct crypto *crypto;
    struct arena *arena; /* keys and a PIN */
    struct signer *signer;
    struct channel *session, *user;
    struct work *resolve;
    struct port_options ports;
    struct dns_servers servers; /* as they were before any tunnel */
    bool found;                 /* the name, once: there may be a tunnel from then on */
    l2tpc_signer_options options;
    uint32_t opening, resolving; /* numbers of questions; 0: none */
    bool has_passphrase, asked;
    struct secret passphrase;
    struct signer_request request;
    struct signer_reply reply;
    uint8_t bytes[CHANNEL_MAX];
};

static struct signer_reply *reply_begin(struct desk *d, uint32_t type, uint32_t number)
{
    memset(&d->reply, 0, sizeof(d->reply));
    d->reply.type = type;
    d->reply.number = number;
    return &d->reply;
}

static void reply_send(struct desk *d)
{
    struct span message;

    if (!signer_reply_write(&d->reply, d->bytes, sizeof(d->bytes), &message) ||
        !channel_send(d->session, message))
        loop_quit(d->loop); /* an answer that is lost would be waited for without an end */
}

static void reply_failure(struct desk *d, uint32_t number, const struct failure *f)
{
    reply_begin(d, SIGNER_FAILED, number)->failure = *f;
    reply_send(d);
}

/* ---- what the signer tells ---- */

static void on_opened(void *user, const struct ike_credential *shown)
{
    struct desk *d = user;
    struct signer_reply *p = reply_begin(d, SIGNER_OPENED, d->opening);

    secret_wipe(&d->passphrase);
    d->has_passphrase = false;
    p->certified = shown != NULL;
    if (shown) {
        p->auth = shown->auth;
        p->id.type = shown->id_type;
        p->id.n = shown->id.n;
        memcpy(p->id.bytes, shown->id.p, shown->id.n);
        p->chain = *shown->chain;
        p->cas = *shown->cas;
    }
    reply_send(d);
}

static void on_failed(void *user, const struct failure *f)
{
    struct desk *d = user;

    reply_failure(d, d->opening, f);
}

static void on_locked(void *user, const char *token_label)
{
    struct desk *d = user;
    struct failure f = failure_make(FAILURE_LOCAL_SECRET);
    struct span message;

    failure_set_value(&f, span_str("passphrase"));
    d->asked = d->user &&
               signer_question_write(token_label, d->bytes, sizeof(d->bytes), &message) &&
               channel_send(d->user, message);
    if (!d->asked)
        reply_failure(d, d->opening, &f);
}

static void on_signed(void *user, uint32_t need, const struct span *signature,
                      const struct failure *f)
{
    struct desk *d = user;
    struct signer_reply *p;

    if (!signature && f) {
        reply_failure(d, need, f);
        return;
    }
    p = reply_begin(d, SIGNER_SIGNED, need);
    if (signature) {
        p->n_signature = signature->n;
        memcpy(p->signature, signature->p, signature->n);
    }
    reply_send(d);
}

static void on_judged(void *user, uint32_t need, const struct failure *f,
                      const struct revocation_verdict *revocation)
{
    struct desk *d = user;
    struct signer_reply *p = reply_begin(d, SIGNER_JUDGED, need);

    p->revocation = *revocation;
    p->failed = f != NULL;
    if (f)
        p->failure = *f;
    reply_send(d);
}

static void on_resolved(void *user, const struct inaddr *addresses, unsigned n,
                        const struct failure *failure)
{
    struct desk *d = user;
    struct signer_reply *p;

    d->resolve = NULL;
    if (n == 0) {
        reply_failure(d, d->resolving, failure);
        return;
    }
    d->found = true;
    p = reply_begin(d, SIGNER_ADDRESSES, d->resolving);
    p->n_addresses = n;
    memcpy(p->addresses, addresses, n * sizeof(*addresses));
    reply_send(d);
}

/* ---- what it is asked ---- */

static void open_credential(struct desk *d)
{
    d->opening = d->request.number;
    signer_open(d->signer, d->has_passphrase           ? &d->passphrase
                           : d->config->has_passphrase ? &d->config->secrets->passphrase
                                                       : NULL);
}

static void resolve(struct desk *d)
{
    const struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    work_cancel(d->resolve);
    d->resolving = d->request.number;
    d->resolve = d->found ? resolve_start_past(d->loop, d->config->server, &d->servers, &d->ports,
                                               on_resolved, d)
                          : resolve_start(d->loop, d->config->server, on_resolved, d);
    if (!d->resolve)
        reply_failure(d, d->resolving, &f);
}

static void forget(struct desk *d)
{
    work_cancel(d->resolve);
    d->resolve = NULL;
    signer_forget(d->signer);
}

static void on_request(void *user, const struct span *message, l2tpc_us now)
{
    struct desk *d = user;
    const struct signer_request *q = &d->request;

    (void)now;
    if (!message || !signer_request_read(*message, &d->request)) {
        loop_quit(d->loop);
        return;
    }
    switch (q->type) {
    case SIGNER_OPEN:
        open_credential(d);
        break;
    case SIGNER_RESOLVE:
        resolve(d);
        break;
    case SIGNER_SIGN:
        signer_sign(d->signer, q->number, span_of(q->digest, q->n_digest));
        break;
    case SIGNER_JUDGE:
        signer_judge(d->signer, q->number, &q->peer);
        break;
    default:
        forget(d);
        break;
    }
}

/* The passphrase: an answer, or known beforehand. */
static void on_answer(void *user, const struct span *message, l2tpc_us now)
{
    struct desk *d = user;
    struct failure f = failure_make(FAILURE_LOCAL_SECRET);

    (void)now;
    if (!message || !signer_answer_read(*message, &d->has_passphrase, &d->passphrase)) {
        loop_quit(d->loop);
        return;
    }
    if (!d->asked)
        return;
    d->asked = false;
    failure_set_value(&f, span_str("passphrase"));
    if (d->has_passphrase)
        signer_open(d->signer, &d->passphrase);
    else
        reply_failure(d, d->opening, &f);
}

/* ---- life ---- */

static int open_socket(void *user, uint8_t family, bool stream)
{
    const struct desk *d = user;

    return d->options.open_socket(d->options.user, family, stream);
}

static bool set_up(struct desk *d, const l2tpc_signer_options *o)
{
    static const struct signer_verbs verbs = {.opened = on_opened,
                                              .locked = on_locked,
                                              .failed = on_failed,
                                              .signed_hash = on_signed,
                                              .judged = on_judged};
    struct signer_base base = {.config = d->config, .verbs = &verbs, .user = d};

    d->options = *o;
    if (o->open_socket) {
        d->ports = (struct port_options){.open_socket = open_socket, .open_user = d};
        dns_servers_read(&d->servers);
    }
    base.ports = d->ports;
    base.servers = d->servers;
    d->loop = base.loop = loop_new();
    d->crypto = base.crypto = crypto_new();
    d->arena = base.arena = arena_new();
    if (!d->loop || !d->crypto || !d->arena)
        return false;
    crypto_set_vault(d->crypto, arena_vault(d->arena));
    d->signer = signer_new(&base);
    d->session = channel_new(d->loop, o->session_fd, on_request, d);
    if (o->user_fd >= 0)
        d->user = channel_new(d->loop, o->user_fd, on_answer, d);
    return d->signer && d->session && (d->user || o->user_fd < 0);
}

static void clear(struct desk *d)
{
    work_cancel(d->resolve);
    signer_free(d->signer);
    channel_free(d->session);
    channel_free(d->user);
    crypto_free(d->crypto);
    arena_free(d->arena);
    if (d->loop)
        loop_free(d->loop);
    wipe_free(d, sizeof(*d));
}

int l2tpc_signer_serve(const l2tpc_config *config, const l2tpc_signer_options *options)
{
    l2tpc_signer_options o;
    struct desk *d;
    bool ok;

    if (!config || !config->server[0] || !options || !sized_read(&o, sizeof(o), options) ||
        o.session_fd < 0)
        return L2TPC_EINVAL;
    d = calloc(1, sizeof(*d));
    if (!d)
        return L2TPC_ENOMEM;
    d->config = config;
    ok = set_up(d, &o);
    if (ok)
        loop_run(d->loop);
    clear(d);
    return ok ? L2TPC_OK : L2TPC_ENOMEM;
}
