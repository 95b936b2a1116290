/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

static bool rig_rand(void *ctx, uint8_t *out, size_t n)
{
    struct rig *rig = ctx;

    if (rig->no_random)
        return false;
    if (!rig->random_ids && rig->drawn < ARRAY_LEN(rig->ids) && n == 2) {
        memcpy(out, &rig->ids[rig->drawn++], 2);
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        rig->seed = rig->seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(rig->seed >> 33);
    }
    return true;
}

void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->seed = 1;
    rig->ids[0] = RIG_TUNNEL;
    rig->ids[1] = RIG_SESSION;
    rig->env = (struct env){.ctx = rig, .rand = rig_rand};
    rig->crypto = crypto_new();
    rig->config = (struct l2tp_config){.env = &rig->env, .crypto = rig->crypto, .host_name = "pc"};
}

void rig_start(struct rig *rig, l2tpc_us now)
{
    rig->l = l2tp_new(&rig->config);
    if (!rig->l)
        abort();
    l2tp_start(rig->l, now);
}

void rig_free(struct rig *rig)
{
    l2tp_free(rig->l);
    crypto_free(rig->crypto);
}

uint16_t rig_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

size_t rig_build(uint8_t *out, size_t cap, uint16_t tunnel, uint16_t session, uint16_t ns,
                 uint16_t nr, const char *avps)
{
    size_t n = 12 + check_hex(out + 12, cap - 12, avps);

    put16(out, 0xc802);
    put16(out + 2, n);
    put16(out + 4, tunnel);
    put16(out + 6, session);
    put16(out + 8, ns);
    put16(out + 10, nr);
    return n;
}

enum verdict rig_send(struct rig *rig, uint16_t session, const char *avps, l2tpc_us now)
{
    uint8_t buf[2048];
    uint16_t tunnel = l2tp_facts(rig->l)->tunnel_id;
    size_t n = rig_build(buf, sizeof(buf), tunnel, session, rig->ns, rig->nr, avps);

    if (n > 12)
        rig->ns++;
    return l2tp_input(rig->l, span_of(buf, n), now);
}

enum verdict rig_raw(struct rig *rig, const char *hex, l2tpc_us now)
{
    uint8_t buf[2048];
    size_t n = check_hex(buf, sizeof(buf), hex);

    return l2tp_input(rig->l, span_of(buf, n), now);
}

int rig_pop(struct rig *rig, uint8_t *out, size_t cap, size_t *n)
{
    struct msg m;
    int type = 0;

    if (!l2tp_pop_out(rig->l, &m))
        return -1;
    if (m.n < 12 || m.n > cap || rig_u16(m.bytes) != 0xc802 || rig_u16(m.bytes + 2) != m.n)
        abort();
    if (m.n >= 20)
        type = rig_u16(m.bytes + 18);
    memcpy(out, m.bytes, m.n);
    *n = m.n;
    msg_done(&m);
    return type;
}

int rig_pop_type(struct rig *rig)
{
    uint8_t buf[L2TP_MESSAGE_MAX];
    size_t n;

    return rig_pop(rig, buf, sizeof(buf), &n);
}

void rig_drain(struct rig *rig)
{
    struct l2tp_event e;

    while (rig_pop_type(rig) >= 0)
        ;
    while (rig_event(rig, &e) >= 0)
        ;
}

int rig_event(struct rig *rig, struct l2tp_event *e)
{
    return l2tp_pop_event(rig->l, e) ? (int)e->type : -1;
}

void rig_to_tunnel(struct rig *rig, l2tpc_us now)
{
    rig_start(rig, now);
    rig->nr = 1;
    if (rig_send(rig, 0, AVPS_SCCRP, now) != VERDICT_OK)
        abort();
    rig_drain(rig);
}

void rig_to_call(struct rig *rig, l2tpc_us now)
{
    rig_to_tunnel(rig, now);
    rig->nr = 3;
    if (rig_send(rig, RIG_SESSION, AVPS_ICRP, now) != VERDICT_OK)
        abort();
    rig->nr = 4;
    (void)rig_send(rig, 0, "", now);
    rig_drain(rig);
}
