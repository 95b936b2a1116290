/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/signer_link.h"

#include "api/signer_wire.h"
#include "io/channel.h"

#include <stdlib.h>
#include <string.h>

/* A question that has no reply yet; number 0: none. */
struct question {
    uint32_t number, need;
};

struct signer_link {
    struct loop *loop;
    struct channel *channel; /* NULL: the signer is gone */
    const struct signer_verbs *verbs;
    void *user;
    uint32_t numbers;
    struct question open, resolve, sign, judge;
    signer_resolved_fn resolved;
    bool certified;
    struct cert_id id;
    struct cert_list chain, cas;
    struct ike_credential shown;
    struct signer_request request;
    struct signer_reply reply;
    struct loop_timer late; /* a question that could not be sent is answered from the loop */
    uint8_t bytes[CHANNEL_MAX];
};

static void tell_failed(struct signer_link *k, uint32_t number, const struct failure *f);

static bool take(struct question *q, uint32_t number)
{
    bool ok = q->number != 0 && q->number == number;

    if (ok)
        q->number = 0;
    return ok;
}

static void tell_opened(struct signer_link *k)
{
    struct signer_reply *p = &k->reply;

    k->certified = p->certified;
    if (p->certified) {
        k->id = p->id;
        k->chain = p->chain;
        k->cas = p->cas;
        k->shown = (struct ike_credential){.auth = p->auth,
                                           .chain = &k->chain,
                                           .id_type = k->id.type,
                                           .id = span_of(k->id.bytes, k->id.n),
                                           .cas = &k->cas};
    }
    k->verbs->opened(k->user, signer_link_credential(k));
}

static void on_reply(struct signer_link *k)
{
    struct signer_reply *p = &k->reply;
    struct span signature = span_of(p->signature, p->n_signature);

    switch (p->type) {
    case SIGNER_OPENED:
        if (take(&k->open, p->number))
            tell_opened(k);
        break;
    case SIGNER_ADDRESSES:
        if (take(&k->resolve, p->number))
            k->resolved(k->user, k->resolve.need, p->addresses, p->n_addresses, NULL);
        break;
    case SIGNER_SIGNED:
        if (take(&k->sign, p->number))
            k->verbs->signed_hash(k->user, k->sign.need, p->n_signature > 0 ? &signature : NULL,
                                  NULL);
        break;
    case SIGNER_JUDGED:
        if (take(&k->judge, p->number))
            k->verbs->judged(k->user, k->judge.need, p->failed ? &p->failure : NULL,
                             &p->revocation);
        break;
    default:
        tell_failed(k, p->number, &p->failure);
        break;
    }
}

static void tell_failed(struct signer_link *k, uint32_t number, const struct failure *f)
{
    const struct revocation_verdict unknown = {0};

    if (take(&k->open, number))
        k->verbs->failed(k->user, f);
    else if (take(&k->resolve, number))
        k->resolved(k->user, k->resolve.need, NULL, 0, f);
    else if (take(&k->sign, number))
        k->verbs->signed_hash(k->user, k->sign.need, NULL, f);
    else if (take(&k->judge, number))
        k->verbs->judged(k->user, k->judge.need, f, &unknown);
}

/* Nobody is there to answer what is open, nor what will be asked. */
static void on_late(void *user, l2tpc_us now)
{
    struct signer_link *k = user;
    const struct failure f = failure_make(FAILURE_LOCAL_SIGNER);
    const uint32_t numbers[] = {k->open.number, k->resolve.number, k->sign.number, k->judge.number};

    (void)now;
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i] != 0)
            tell_failed(k, numbers[i], &f);
}

static void lose(struct signer_link *k, l2tpc_us now)
{
    channel_free(k->channel);
    k->channel = NULL;
    loop_timer_set(k->loop, &k->late, now);
}

static void on_message(void *user, const struct span *message, l2tpc_us now)
{
    struct signer_link *k = user;

    if (message && signer_reply_read(*message, &k->reply))
        on_reply(k);
    else
        lose(k, now);
}

struct signer_link *signer_link_new(struct loop *loop, int fd, const struct signer_verbs *verbs,
                                    void *user)
{
    struct signer_link *k = calloc(1, sizeof(*k));
    struct channel *channel = channel_new(loop, fd, on_message, k);

    if (!k || !channel) {
        channel_free(channel);
        free(k);
        return NULL;
    }
    k->loop = loop;
    k->channel = channel;
    k->verbs = verbs;
    k->user = user;
    k->late = (struct loop_timer){.fn = on_late, .user = k};
    return k;
}

void signer_link_free(struct signer_link *k)
{
    if (!k)
        return;
    loop_timer_cancel(k->loop, &k->late);
    channel_free(k->channel);
    free(k);
}

static void ask(struct signer_link *k, uint32_t type, struct question *q, uint32_t need)
{
    struct span message;

    k->request.type = type;
    if (++k->numbers == 0)
        k->numbers = 1;
    k->request.number = k->numbers;
    if (q)
        *q = (struct question){k->numbers, need};
    if (!k->channel || !signer_request_write(&k->request, k->bytes, sizeof(k->bytes), &message) ||
        !channel_send(k->channel, message))
        loop_timer_set(k->loop, &k->late, 0);
}

void signer_link_open(struct signer_link *k)
{
    ask(k, SIGNER_OPEN, &k->open, 0);
}

void signer_link_sign(struct signer_link *k, uint32_t need, struct span digest)
{
    k->request.n_digest = digest.n <= sizeof(k->request.digest) ? digest.n : 0;
    if (k->request.n_digest > 0)
        memcpy(k->request.digest, digest.p, k->request.n_digest);
    ask(k, SIGNER_SIGN, &k->sign, need);
}

void signer_link_judge(struct signer_link *k, uint32_t need, const struct ike_peer_cert *peer)
{
    const struct failure f = failure_make(FAILURE_LOCAL_SIGNER);
    const struct revocation_verdict unknown = {0};

    if (!peer) {
        k->verbs->judged(k->user, need, &f, &unknown);
        return;
    }
    k->request.peer = *peer;
    ask(k, SIGNER_JUDGE, &k->judge, need);
}

void signer_link_resolve(struct signer_link *k, uint32_t need, signer_resolved_fn fn)
{
    k->resolved = fn;
    ask(k, SIGNER_RESOLVE, &k->resolve, need);
}

void signer_link_forget(struct signer_link *k)
{
    k->resolve = k->sign = k->judge = (struct question){0};
    ask(k, SIGNER_FORGET, NULL, 0);
}

const struct ike_credential *signer_link_credential(const struct signer_link *k)
{
    return k->certified ? &k->shown : NULL;
}
