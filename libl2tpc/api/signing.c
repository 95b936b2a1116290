/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session and its signer: in this process, or in one of its own. */
#include "api/internal.h"
#include "api/signer_link.h"
#include "io/env.h"
#include "io/ports.h"

#include <stdio.h>

static void on_opened(void *user, const struct ike_credential *shown)
{
    l2tpc_session *s = user;

    if (s->down)
        return;
    if (shown)
        runner_set_credential(s->runner, shown);
    runner_start(s->runner, io_now());
}

static void on_locked(void *user, const char *token_label)
{
    l2tpc_session *s = user;
    l2tpc_event *ask = s->down ? NULL : event_new(s, L2TPC_EVENT_NEED, STAGE_RESOLVE);

    if (!ask)
        return;
    s->waits_for_passphrase = true;
    ask->has_need = true;
    ask->need = need_make(s, L2TPC_NEED_PASSPHRASE);
    ask->need.id = SIGNER_NEED;
    (void)snprintf(ask->need.token_label, sizeof(ask->need.token_label), "%s", token_label);
    event_queue(s, ask);
}

static void on_failed(void *user, const struct failure *f)
{
    l2tpc_session *s = user;

    if (!s->down)
        runner_fail(s->runner, f, io_now());
}

/* Before the tunnel is up it ends the dial; later a renewal fails and the tunnel goes on. */
static void on_signed(void *user, uint32_t need, const struct span *signature,
                      const struct failure *f)
{
    l2tpc_session *s = user;

    if (s->down)
        return;
    if (!signature && f && !runner_facts(s->runner)->up)
        runner_fail(s->runner, f, io_now());
    else
        runner_answer_sign(s->runner, need, signature, io_now());
}

static void on_judged(void *user, uint32_t need, const struct failure *f,
                      const struct revocation_verdict *revocation)
{
    l2tpc_session *s = user;

    if (s->down)
        return;
    if (revocation->known)
        s->revocation = *revocation;
    runner_answer_done(s->runner, need, f, io_now());
}

static void on_resolved(void *user, uint32_t need, const struct inaddr *addresses, unsigned n,
                        const struct failure *f)
{
    l2tpc_session *s = user;

    if (!s->down)
        runner_answer_resolve(s->runner, need, addresses, n, f, io_now());
}

static const struct signer_verbs verbs = {.opened = on_opened,
                                          .locked = on_locked,
                                          .failed = on_failed,
                                          .signed_hash = on_signed,
                                          .judged = on_judged};

int l2tpc_session_set_signer(l2tpc_session *s, int fd)
{
    int result = L2TPC_EINVAL;

    if (!s || fd < 0)
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    if (s->started || s->link || !s->runner) {
        result = L2TPC_ESTATE;
        port_close(fd);
    } else {
        s->link = signer_link_new(s->context->loop, fd, &verbs, s);
        result = s->link ? L2TPC_OK : L2TPC_ENOMEM;
    }
    pthread_mutex_unlock(&s->context->lock);
    return result;
}

void session_begin(l2tpc_session *s, const struct secret *passphrase)
{
    const struct signer_base base = {.config = &s->config,
                                     .loop = s->context->loop,
                                     .crypto = s->context->crypto,
                                     .arena = s->context->arena,
                                     .ports = s->context->ports,
                                     .verbs = &verbs,
                                     .user = s};
    const struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    if (s->link) {
        signer_link_open(s->link);
        return;
    }
    if (!s->signer)
        s->signer = signer_new(&base);
    if (s->signer)
        signer_open(s->signer, passphrase);
    else
        runner_fail(s->runner, &f, io_now());
}

void session_sign(l2tpc_session *s, const struct dial_event *e)
{
    struct span digest = span_of(e->digest, e->n_digest);

    if (s->link)
        signer_link_sign(s->link, e->need_id, digest);
    else
        signer_sign(s->signer, e->need_id, digest);
}

void session_judge(l2tpc_session *s, const struct dial_event *e)
{
    const struct ike_peer_cert *peer = runner_peer_cert(s->runner);

    if (s->link)
        signer_link_judge(s->link, e->need_id, peer);
    else
        signer_judge(s->signer, e->need_id, peer);
}

bool session_resolve(void *user, uint32_t need)
{
    l2tpc_session *s = user;

    if (s->link)
        signer_link_resolve(s->link, need, on_resolved);
    return s->link != NULL;
}

bool session_signer_ready(l2tpc_session *s)
{
    if (s->signer && signer_busy(s->signer))
        return false;
    if (s->signer)
        signer_forget(s->signer);
    if (s->link)
        signer_link_forget(s->link);
    return true;
}

void session_show_credential(l2tpc_session *s)
{
    const struct ike_credential *shown = s->link     ? signer_link_credential(s->link)
                                         : s->signer ? signer_credential(s->signer)
                                                     : NULL;

    if (shown)
        runner_set_credential(s->runner, shown);
}

void session_drop_signer(l2tpc_session *s)
{
    signer_free(s->signer);
    signer_link_free(s->link);
    s->signer = NULL;
    s->link = NULL;
}
