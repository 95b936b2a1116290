/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peer_i.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void config_defaults(struct peer_config *c)
{
    if (c->natt_port == 0)
        c->natt_port = 4500;
    if (c->window == 0)
        c->window = 16;
    if (c->result_code == 0)
        c->result_code = 2;
    if (c->auth_error == 0)
        c->auth_error = 691;
    if (c->natt == 0)
        c->natt = c->flavour == PEER_WINDOWS
                      ? PEER_NATT_RFC | PEER_NATT_DRAFT02
                      : PEER_NATT_RFC | PEER_NATT_DRAFT02 | PEER_NATT_DRAFT03;
    if (c->flavour == PEER_SOFTETHER) {
        c->natd_random = true;
        if (c->hello == 0)
            c->hello = US_MS(8800);
        if (c->dpd == 0)
            c->dpd = US_S(10);
        if (c->echo == 0)
            c->echo = US_MS(4800);
    }
    if (c->n_auth == 0 && c->flavour == PEER_SOFTETHER) {
        c->auth[0] = PEER_AUTH_EAP;
        c->auth[1] = PEER_AUTH_MSCHAPV2;
        c->auth[2] = PEER_AUTH_PAP;
        c->n_auth = 3;
    } else if (c->n_auth == 0) {
        c->auth[0] = PEER_AUTH_MSCHAPV2;
        c->n_auth = 1;
    }
}

struct peer *peer_new(const struct peer_config *config, const struct env *env, struct crypto *c)
{
    struct peer *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->config = *config;
    p->env = env;
    p->crypto = c;
    p->out_tail = &p->out;
    config_defaults(&p->config);
    return p;
}

void peer_forget(struct peer *p)
{
    for (size_t i = 0; i < PEER_IKE_MAX; i++)
        peer_ike_sa_drop(p, &p->ike[i]);
    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++)
        peer_tunnel_drop(&p->tunnel[i]);
    memset(p->esp, 0, sizeof(p->esp));
}

void peer_free(struct peer *p)
{
    if (!p)
        return;
    peer_forget(p);
    while (p->out) {
        struct outgoing *next = p->out->next;

        free(p->out);
        p->out = next;
    }
    wipe_free(p, sizeof(*p));
}

void peer_send(struct peer *p, enum peer_port port, const struct endpoint *to, struct span bytes)
{
    struct outgoing *o = malloc(sizeof(*o) + bytes.n);

    if (!o)
        return;
    o->next = NULL;
    o->port = port;
    o->to = *to;
    o->n = bytes.n;
    if (bytes.n > 0)
        memcpy(o->bytes, bytes.p, bytes.n);
    *p->out_tail = o;
    p->out_tail = &o->next;
}

bool peer_pop_out(struct peer *p, enum peer_port *port, struct endpoint *to, struct msg *out)
{
    struct outgoing *o = p->out;

    if (!o)
        return false;
    p->out = o->next;
    if (!p->out)
        p->out_tail = &p->out;
    *port = o->port;
    *to = o->to;
    *out = (struct msg){.bytes = malloc(o->n ? o->n : 1), .n = o->n, .tag = o->port};
    if (!out->bytes)
        abort();
    memcpy(out->bytes, o->bytes, o->n);
    free(o);
    return true;
}

void peer_complain(struct peer *p, const char *fmt, ...)
{
    char line[sizeof(p->facts.complaint)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (p->facts.complaints++ == 0)
        memcpy(p->facts.complaint, line, sizeof(line));
    env_log(p->env, LOG_LEVEL_WARN, "peer", "%s", line);
}

void peer_rand(struct peer *p, void *out, size_t n)
{
    if (!env_rand(p->env, out, n)) {
        memset(out, 0x5a, n);
        peer_complain(p, "the test's randomness failed");
    }
}

uint32_t peer_rand_u32(struct peer *p)
{
    uint8_t b[4];

    peer_rand(p, b, sizeof(b));
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

void peer_resend_arm(struct resend *r, struct span message, l2tpc_us now, l2tpc_us step,
                     unsigned times)
{
    if (message.n > sizeof(r->bytes))
        return;
    memcpy(r->bytes, message.p, message.n);
    r->n = message.n;
    r->step = step;
    r->left = times;
    r->due = times ? us_add(now, step) : US_NEVER;
}

static void input_4500(struct peer *p, const struct endpoint *from, struct span d, l2tpc_us now)
{
    static const uint8_t marker[4];

    if (d.n == 1 && d.p[0] == 0xff) {
        p->facts.keepalives++;
        return;
    }
    if (d.n < 4) {
        peer_complain(p, "%zu bytes on port 4500", d.n);
        return;
    }
    if (memcmp(d.p, marker, sizeof(marker)) == 0)
        peer_ike_input(p, PEER_UDP4500, from, span_of(d.p + 4, d.n - 4), now);
    else
        peer_esp_input(p, PEER_UDP4500, from, d, now);
}

void peer_input(struct peer *p, enum peer_port port, const struct endpoint *from,
                struct span datagram, l2tpc_us now)
{
    switch (port) {
    case PEER_UDP500:
        peer_ike_input(p, port, from, datagram, now);
        break;
    case PEER_UDP4500:
        input_4500(p, from, datagram, now);
        break;
    case PEER_RAWESP:
        peer_esp_input(p, port, from, datagram, now);
        break;
    case PEER_CLEAR1701:
    default:
        p->facts.clear_1701++;
        peer_complain(p, "L2TP in the clear");
        break;
    }
}

void peer_timer(struct peer *p, l2tpc_us now)
{
    peer_ike_timer(p, now);
    peer_renew_timer(p, now);
    peer_l2tp_timer(p, now);
}

l2tpc_us peer_deadline(const struct peer *p)
{
    return us_min(us_min(peer_ike_deadline(p), peer_renew_deadline(p)), peer_l2tp_deadline(p));
}

static void facts_tunnel(struct peer *p, struct peer_facts *f)
{
    const struct tunnel *t = peer_tunnel_newest(p);

    f->tunnel_up = t && t->up;
    f->session_up = t && t->session_up;
    f->lcp_up = t && t->ppp.on && t->ppp.lcp_ours_acked && t->ppp.lcp_theirs_acked;
    f->authenticated = t && t->ppp.on && t->ppp.authenticated;
    f->ip_up = t && t->ppp.on && t->ppp.ip_up;
}

const struct peer_facts *peer_facts(struct peer *p)
{
    struct peer_facts *f = &p->facts;
    const struct esp_pair *e = peer_esp_newest(p);

    f->ike_sas = f->ike_established = f->esp_pairs = 0;
    for (size_t i = 0; i < PEER_IKE_MAX; i++) {
        f->ike_sas += p->ike[i].state != IKE_FREE && p->ike[i].state != IKE_DEAD;
        f->ike_established += p->ike[i].state == IKE_UP;
    }
    for (size_t i = 0; i < PEER_ESP_MAX; i++)
        f->esp_pairs += p->esp[i].used;
    f->spi_in = e ? e->spi_in : 0;
    f->spi_out = e ? e->spi_out : 0;
    if (!e)
        e = &p->last_pair; /* what it was */
    f->udp_encapsulated = e->udp;
    f->pfs = e->pfs != DH_NONE;
    f->client_port = e->client_port;
    facts_tunnel(p, f);
    return f;
}

void peer_silence(struct peer *p, enum stage stage)
{
    p->config.silent_from = stage;
}

void peer_set_bugs(struct peer *p, uint64_t bugs)
{
    p->config.bugs = bugs;
}

void peer_set_id(struct peer *p, struct span id)
{
    p->config.id = id;
}
