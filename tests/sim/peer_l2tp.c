/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LNS side of RFC 2661: reliable control channel, one call per tunnel. */
#include "peer_i.h"

#include <stdlib.h>

enum {
    SCCRQ = 1,
    SCCRP = 2,
    SCCCN = 3,
    STOPCCN = 4,
    HELLO = 6,
    ICRQ = 10,
    ICRP = 11,
    ICCN = 12,
    CDN = 14,
    WEN = 15,
    SLI = 16,
};
#define RESENDS_MAX 10
#define GONE_AFTER US_S(31) /* a full retransmission cycle (5.7) */

struct control {
    uint16_t tunnel_id, session_id, ns, nr, type;
    uint16_t assigned_tunnel, assigned_session, window;
    bool has_host, has_framing, has_version, has_serial, has_speed, has_framing_type;
    uint8_t challenge[256], response[16];
    size_t challenge_n, response_n;
    uint16_t result;
};

struct tunnel *peer_tunnel_newest(struct peer *p)
{
    struct tunnel *best = NULL;

    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++) {
        struct tunnel *t = &p->tunnel[i];

        if (t->used && !t->stopping && (!best || t->id > best->id))
            best = t;
    }
    return best;
}

static void unacked_clear(struct tunnel *t)
{
    for (unsigned i = 0; i < t->n_unacked; i++)
        free(t->unacked[i].bytes);
    t->n_unacked = 0;
}

void peer_tunnel_drop(struct tunnel *t)
{
    unacked_clear(t);
    memset(t, 0, sizeof(*t));
}

static struct tunnel *tunnel_by_id(struct peer *p, uint16_t id)
{
    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++)
        if (p->tunnel[i].used && p->tunnel[i].id == id)
            return &p->tunnel[i];
    return NULL;
}

static struct tunnel *tunnel_new(struct peer *p)
{
    struct tunnel *best = &p->tunnel[0];

    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++) {
        if (!p->tunnel[i].used) {
            best = &p->tunnel[i];
            break;
        }
        if (p->tunnel[i].stopping || (!best->stopping && p->tunnel[i].id < best->id))
            best = &p->tunnel[i];
    }
    peer_tunnel_drop(best);
    best->used = true;
    best->id = ++p->last_tunnel_id;
    best->hello_due = best->gone_at = US_NEVER;
    return best;
}

/* ---- sending ---- */

static void header(struct wr *w, const struct tunnel *t, uint16_t session, uint16_t ns,
                   struct wr_box *box)
{
    wr_u16(w, 0xc802);
    *box = wr_open(w, 2);
    wr_u16(w, t->peer_id);
    wr_u16(w, session);
    wr_u16(w, ns);
    wr_u16(w, t->nr);
}

static void send_zlb(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    uint8_t b[12];
    struct wr w = wr_of(b, sizeof(b));
    struct wr_box box;
    struct span out;

    header(&w, t, 0, t->ns, &box);
    wr_close(&w, box);
    if (wr_finish(&w, &out))
        peer_esp_send(p, &t->client, t->client_port, out, now);
}

static void begin(struct wr *w, const struct tunnel *t, uint16_t session, uint16_t type,
                  struct wr_box *box)
{
    header(w, t, session, t->ns, box);
    peer_avp_put_u16(w, 0, type);
}

static void finish(struct peer *p, struct tunnel *t, struct wr *w, struct wr_box box, l2tpc_us now)
{
    struct span out;
    struct unacked *u;

    wr_close(w, box);
    if (!wr_finish(w, &out) || t->n_unacked == PEER_UNACKED_MAX)
        return;
    u = &t->unacked[t->n_unacked];
    u->bytes = malloc(out.n);
    if (!u->bytes)
        return;
    memcpy(u->bytes, out.p, out.n);
    u->n = out.n;
    u->ns = t->ns++;
    u->step = US_S(1);
    u->due = us_add(now, u->step);
    u->sends = 1;
    t->n_unacked++;
    peer_esp_send(p, &t->client, t->client_port, out, now);
}

static void put_id(struct peer *p, struct wr *w, uint16_t type, uint16_t id)
{
    uint8_t v[2] = {(uint8_t)(id >> 8), (uint8_t)id}, vector[16];

    if (!p->config.hide_avps || !p->config.tunnel_secret) {
        peer_avp_put_u16(w, type, id);
        return;
    }
    peer_rand(p, vector, sizeof(vector));
    peer_avp_put(w, 36, true, SPAN_ARRAY(vector));
    if (!peer_avp_put_hidden(p, w, type, SPAN_ARRAY(v), SPAN_ARRAY(vector)))
        w->failed = true;
}

static void put_result(struct wr *w, uint16_t result, uint16_t error, const char *text)
{
    uint8_t b[160] = {(uint8_t)(result >> 8), (uint8_t)result, (uint8_t)(error >> 8),
                      (uint8_t)error};
    size_t n = text ? strlen(text) : 0;

    if (n > sizeof(b) - 4)
        n = sizeof(b) - 4;
    if (n)
        memcpy(b + 4, text, n);
    peer_avp_put(w, 1, true, span_of(b, 4 + n));
}

static void send_stopccn(struct peer *p, struct tunnel *t, uint16_t result, uint16_t error,
                         const char *text, l2tpc_us now)
{
    static const uint8_t odd[8] = {0, 0, 6};
    uint8_t b[512];
    struct wr w = wr_of(b, sizeof(b));
    struct wr_box box;

    begin(&w, t, 0, STOPCCN, &box);
    peer_avp_put_u16(&w, 9, t->id);
    if (p->config.flavour == PEER_SOFTETHER && result == 0)
        peer_avp_put(&w, 1, true, SPAN_ARRAY(odd));
    else
        put_result(&w, result, error, text);
    finish(p, t, &w, box, now);
    t->stopping = true;
    t->up = t->session = t->session_up = t->ppp.on = false;
    t->gone_at = us_add(now, GONE_AFTER);
}

void peer_l2tp_send_cdn(struct peer *p, struct tunnel *t, uint16_t result, uint16_t error,
                        const char *text, l2tpc_us now)
{
    static const uint8_t cause[5] = {0x00, 0x0f, 0xc0, 0x21, 0x01};
    uint8_t b[512];
    struct wr w = wr_of(b, sizeof(b));
    struct wr_box box;

    begin(&w, t, t->peer_session_id, CDN, &box);
    put_result(&w, result, error, text);
    peer_avp_put_u16(&w, 14, t->session_id);
    if (p->config.flavour == PEER_SOFTETHER && t->ppp.refused)
        peer_avp_put(&w, 46, false, SPAN_ARRAY(cause));
    finish(p, t, &w, box, now);
    t->session = t->session_up = t->ppp.on = false;
}

static void send_sccrp(struct peer *p, struct tunnel *t, const struct control *c, l2tpc_us now)
{
    static const uint8_t version[2] = {1, 0}, framing[4] = {0, 0, 0, 3}, junk[4] = {1, 2, 3, 4};
    uint8_t b[1024], response[16];
    struct wr w = wr_of(b, sizeof(b));
    struct wr_box box;

    begin(&w, t, 0, SCCRP, &box);
    peer_avp_put(&w, 2, true, SPAN_ARRAY(version));
    peer_avp_put(&w, 3, true, SPAN_ARRAY(framing));
    if (p->config.l2tp_firmware)
        peer_avp_put_u16(&w, 6, p->config.l2tp_firmware);
    peer_avp_put(&w, 7, true, span_str(p->config.l2tp_host ? p->config.l2tp_host : "sim.example"));
    peer_avp_put(&w, 8, false,
                 span_str(p->config.l2tp_vendor                 ? p->config.l2tp_vendor
                          : p->config.flavour == PEER_SOFTETHER ? "L2TP"
                                                                : "sim"));
    if (!peer_bug(p, BUG_L2TP_NO_TUNNEL_ID))
        put_id(p, &w, 9, t->id);
    peer_avp_put_u16(&w, 10, p->config.window);
    if (peer_bug(p, BUG_L2TP_MANDATORY_AVP))
        peer_avp_put(&w, 199, true, SPAN_ARRAY(junk));
    if (peer_bug(p, BUG_L2TP_BAD_AVP))
        wr_u16(&w, 0x8003);
    if (p->config.tunnel_secret && c->challenge_n) {
        if (!peer_avp_challenge_response(p, SCCRP, span_of(c->challenge, c->challenge_n), response))
            return;
        if (peer_bug(p, BUG_L2TP_WRONG_RESPONSE))
            response[9] ^= 1;
        peer_avp_put(&w, 13, true, SPAN_ARRAY(response));
    }
    if (p->config.tunnel_secret) {
        peer_rand(p, t->challenge, sizeof(t->challenge));
        t->challenged = true;
        peer_avp_put(&w, 11, true, SPAN_ARRAY(t->challenge));
    }
    finish(p, t, &w, box, now);
}

static void send_simple(struct peer *p, struct tunnel *t, uint16_t session, uint16_t type,
                        l2tpc_us now)
{
    uint8_t b[64];
    struct wr w = wr_of(b, sizeof(b));
    struct wr_box box;

    begin(&w, t, session, type, &box);
    if (type == ICRP)
        put_id(p, &w, 14, t->session_id);
    finish(p, t, &w, box, now);
}

/* ---- receiving ---- */

static bool avp_value(struct peer *p, struct control *c, uint16_t type, struct span v)
{
    struct rd r = rd_of(v);
    bool ok = true;

    switch (type) {
    case 0:
        return rd_u16(&r, &c->type) && rd_end(&r);
    case 1:
        return rd_u16(&r, &c->result);
    case 2:
        c->has_version = v.n == 2 && v.p[0] == 1 && v.p[1] == 0;
        return c->has_version;
    case 3:
        c->has_framing = v.n == 4;
        return c->has_framing;
    case 7:
        c->has_host = v.n > 0;
        return c->has_host;
    case 9:
        return rd_u16(&r, &c->assigned_tunnel) && rd_end(&r) && c->assigned_tunnel;
    case 10:
        return rd_u16(&r, &c->window) && rd_end(&r) && c->window;
    case 11:
        c->challenge_n = v.n;
        return rd_copy(&r, c->challenge, v.n < 256 ? v.n : 257);
    case 13:
        c->response_n = 16;
        return rd_copy(&r, c->response, 16) && rd_end(&r);
    case 14:
        return rd_u16(&r, &c->assigned_session) && rd_end(&r) && c->assigned_session;
    case 15:
        c->has_serial = v.n == 4;
        return c->has_serial;
    case 19:
        c->has_framing_type = v.n == 4;
        return c->has_framing_type;
    case 24:
        c->has_speed = v.n == 4;
        return c->has_speed;
    default:
        (void)p;
        return ok;
    }
}

static bool read_avps(struct peer *p, struct rd r, struct control *c)
{
    struct span vector = SPAN_NONE, v;
    uint8_t plain[1024];
    bool first = true;

    while (!rd_end(&r)) {
        uint16_t head, vendor, type;

        if (!rd_u16(&r, &head) || !rd_u16(&r, &vendor) || !rd_u16(&r, &type) ||
            (head & 0x3ff) < 6 || !rd_bytes(&r, (head & 0x3ffu) - 6u, &v) || (head & 0x3c00))
            return false;
        if (first && (vendor || type))
            return false;
        first = false;
        if (vendor)
            continue;
        if (type == 36)
            vector = v;
        if (head & 0x4000) {
            size_t n;

            if (!p->config.tunnel_secret || !vector.n ||
                !peer_avp_unhide(p, type, vector, v, plain, &n))
                return false;
            v = span_of(plain, n);
        }
        if (!avp_value(p, c, type, v))
            return false;
    }
    return true;
}

static void need(struct peer *p, bool have, const char *message, const char *avp)
{
    if (!have)
        peer_complain(p, "%s without %s", message, avp);
}

static void recv_sccrq(struct peer *p, struct tunnel *t, const struct control *c, l2tpc_us now)
{
    need(p, c->has_version, "SCCRQ", "Protocol Version");
    need(p, c->has_host, "SCCRQ", "Host Name");
    need(p, c->has_framing, "SCCRQ", "Framing Capabilities");
    if (peer_bug(p, BUG_L2TP_STOPCCN)) {
        send_stopccn(p, t, p->config.result_code, 0, "go away", now);
        return;
    }
    send_sccrp(p, t, c, now);
}

static void recv_scccn(struct peer *p, struct tunnel *t, const struct control *c, l2tpc_us now)
{
    uint8_t want[16];

    if (t->challenged && (!peer_avp_challenge_response(p, SCCCN, SPAN_ARRAY(t->challenge), want) ||
                          c->response_n != 16 || memcmp(want, c->response, 16) != 0)) {
        send_stopccn(p, t, 4, 0, "tunnel authentication failed", now);
        return;
    }
    t->up = true;
    t->hello_due = p->config.hello ? us_add(now, p->config.hello) : US_NEVER;
}

static void recv_icrq(struct peer *p, struct tunnel *t, const struct control *c, l2tpc_us now)
{
    need(p, c->has_serial, "ICRQ", "Call Serial Number");
    need(p, c->assigned_session != 0, "ICRQ", "Assigned Session ID");
    if (!t->up)
        peer_complain(p, "ICRQ before SCCCN");
    t->session = true;
    t->session_id = ++p->last_session_id;
    t->peer_session_id = c->assigned_session;
    if (peer_bug(p, BUG_L2TP_CDN))
        peer_l2tp_send_cdn(p, t, p->config.result_code, 0, "no room", now);
    else
        send_simple(p, t, t->peer_session_id, ICRP, now);
}

static void recv_iccn(struct peer *p, struct tunnel *t, const struct control *c, l2tpc_us now)
{
    need(p, c->has_speed, "ICCN", "(Tx) Connect Speed");
    need(p, c->has_framing_type, "ICCN", "Framing Type");
    if (!t->session || c->session_id != t->session_id) {
        peer_complain(p, "ICCN for session %u", c->session_id);
        return;
    }
    t->session_up = true;
    peer_ppp_begin(p, t, now);
}

static void act(struct peer *p, struct tunnel *t, const struct control *c, l2tpc_us now)
{
    switch (c->type) {
    case SCCRQ:
        recv_sccrq(p, t, c, now);
        break;
    case SCCCN:
        recv_scccn(p, t, c, now);
        break;
    case STOPCCN:
        p->facts.stopccns++;
        need(p, c->result != 0, "StopCCN", "Result Code");
        t->stopping = true;
        t->up = t->session = t->session_up = t->ppp.on = false;
        t->gone_at = us_add(now, GONE_AFTER);
        unacked_clear(t);
        if (p->config.flavour == PEER_SOFTETHER)
            send_stopccn(p, t, 0, 0, NULL, now);
        break;
    case ICRQ:
        recv_icrq(p, t, c, now);
        break;
    case ICCN:
        recv_iccn(p, t, c, now);
        break;
    case CDN:
        p->facts.cdns++;
        need(p, c->result != 0, "CDN", "Result Code");
        t->session = t->session_up = t->ppp.on = false;
        break;
    case HELLO:
    case WEN:
    case SLI:
        break;
    default:
        peer_complain(p, "control message of type %u", c->type);
        break;
    }
}

static void acknowledge(struct tunnel *t, uint16_t nr)
{
    while (t->n_unacked && (int16_t)(uint16_t)(nr - t->unacked[0].ns) > 0) {
        free(t->unacked[0].bytes);
        t->n_unacked--;
        memmove(t->unacked, t->unacked + 1, t->n_unacked * sizeof(t->unacked[0]));
    }
}

static bool read_control(struct peer *p, struct span message, struct control *c)
{
    struct rd r = rd_of(message);
    uint16_t flags, length;

    if (!rd_u16(&r, &flags) || !rd_u16(&r, &length) || flags != 0xc802 || length != message.n ||
        !rd_u16(&r, &c->tunnel_id) || !rd_u16(&r, &c->session_id) || !rd_u16(&r, &c->ns) ||
        !rd_u16(&r, &c->nr) || !read_avps(p, r, c)) {
        peer_complain(p, "malformed control message of %zu bytes", message.n);
        return false;
    }
    return true;
}

static struct tunnel *tunnel_for(struct peer *p, const struct endpoint *client, uint16_t port,
                                 const struct control *c)
{
    struct tunnel *t;

    if (c->tunnel_id)
        return tunnel_by_id(p, c->tunnel_id);
    /* RFC 2661 4.4.3: before our SCCRP has arrived a StopCCN is told by its Assigned Tunnel ID. */
    if ((c->type != SCCRQ && c->type != STOPCCN) || !c->assigned_tunnel) {
        peer_complain(p, "control message %u to tunnel 0", c->type);
        return NULL;
    }
    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++) {
        t = &p->tunnel[i];
        if (t->used && t->peer_id == c->assigned_tunnel && endpoint_eq(&t->client, client))
            return t;
    }
    if (c->type == STOPCCN)
        return NULL;
    t = tunnel_new(p);
    t->client = *client;
    t->client_port = port;
    t->peer_id = c->assigned_tunnel;
    t->peer_window = c->window ? c->window : 4;
    return t;
}

static void recv_control(struct peer *p, const struct endpoint *client, uint16_t port,
                         struct span message, l2tpc_us now)
{
    struct control c = {0};
    bool zlb = message.n == 12;
    unsigned before;
    struct tunnel *t;

    if (!read_control(p, message, &c) || !(t = tunnel_for(p, client, port, &c)))
        return;
    if (!zlb)
        p->facts.l2tp_messages++;
    if (peer_silent(p, STAGE_L2TP_CALL) && (c.type == ICRQ || c.type == ICCN))
        return;
    acknowledge(t, c.nr);
    if (zlb)
        return;
    if (c.ns != t->nr) { /* seen: acknowledge again (5.8); ahead: let it come once more */
        p->facts.l2tp_duplicates += (int16_t)(uint16_t)(c.ns - t->nr) < 0;
        send_zlb(p, t, now);
        return;
    }
    t->nr++;
    before = t->ns;
    if (p->config.flavour == PEER_SOFTETHER && !t->stopping)
        send_zlb(p, t, now);
    if (!t->stopping)
        act(p, t, &c, now);
    if (t->ns == (uint16_t)before && p->config.flavour != PEER_SOFTETHER)
        send_zlb(p, t, now);
    if (peer_bug(p, BUG_L2TP_HELLO_STORM) && t->up)
        send_simple(p, t, 0, HELLO, now);
}

static void recv_data(struct peer *p, struct span message, l2tpc_us now)
{
    struct rd r = rd_of(message);
    uint16_t flags, v, tunnel, session;
    struct tunnel *t;

    if (!rd_u16(&r, &flags) || (flags & 0x000f) != 2 || (flags & 0x30f0) ||
        ((flags & 0x4000) && (!rd_u16(&r, &v) || v != message.n)) || !rd_u16(&r, &tunnel) ||
        !rd_u16(&r, &session) || ((flags & 0x0800) && !rd_skip(&r, 4)) ||
        ((flags & 0x0200) && (!rd_u16(&r, &v) || !rd_skip(&r, v)))) {
        peer_complain(p, "malformed data message");
        return;
    }
    t = tunnel_by_id(p, tunnel);
    if (t && t->session_up && t->session_id == session)
        peer_ppp_input(p, t, rd_rest(&r), now);
}

void peer_l2tp_input(struct peer *p, const struct endpoint *client, uint16_t client_port,
                     struct span message, l2tpc_us now)
{
    if (peer_silent(p, STAGE_L2TP_TUNNEL))
        return;
    if (message.n < 2) {
        peer_complain(p, "L2TP message of %zu bytes", message.n);
        return;
    }
    if (message.p[0] & 0x80)
        recv_control(p, client, client_port, message, now);
    else
        recv_data(p, message, now);
}

void peer_l2tp_send_ppp(struct peer *p, struct tunnel *t, struct span frame, l2tpc_us now)
{
    uint8_t b[4096];
    struct wr w = wr_of(b, sizeof(b));
    struct wr_box box;
    struct span out;

    wr_u16(&w, 0x4002);
    box = wr_open(&w, 2);
    wr_u16(&w, t->peer_id);
    wr_u16(&w, t->peer_session_id);
    wr_bytes(&w, frame);
    wr_close(&w, box);
    if (wr_finish(&w, &out))
        peer_esp_send(p, &t->client, t->client_port, out, now);
}

static void tunnel_timer(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    if (t->gone_at <= now) {
        peer_tunnel_drop(t);
        return;
    }
    for (unsigned i = 0; i < t->n_unacked; i++) {
        struct unacked *u = &t->unacked[i];

        if (u->due > now)
            continue;
        if (u->sends++ == RESENDS_MAX) {
            peer_tunnel_drop(t);
            return;
        }
        u->step = us_min(u->step * 2, US_S(8));
        u->due = us_add(now, u->step);
        u->bytes[10] = (uint8_t)(t->nr >> 8); /* Nr is always the newest */
        u->bytes[11] = (uint8_t)t->nr;
        peer_esp_send(p, &t->client, t->client_port, span_of(u->bytes, u->n), now);
    }
    if (t->up && t->hello_due <= now) {
        t->hello_due = us_add(now, p->config.hello);
        if (!peer_silent(p, STAGE_UP))
            send_simple(p, t, 0, HELLO, now);
    }
    if (t->ppp.on)
        peer_ppp_timer(p, t, now);
}

void peer_l2tp_timer(struct peer *p, l2tpc_us now)
{
    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++)
        if (p->tunnel[i].used)
            tunnel_timer(p, &p->tunnel[i], now);
}

l2tpc_us peer_l2tp_deadline(const struct peer *p)
{
    l2tpc_us d = US_NEVER;

    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++) {
        const struct tunnel *t = &p->tunnel[i];

        if (!t->used)
            continue;
        d = us_min(d, t->gone_at);
        for (unsigned k = 0; k < t->n_unacked; k++)
            d = us_min(d, t->unacked[k].due);
        if (t->up)
            d = us_min(d, t->hello_due);
        if (t->ppp.on)
            d = us_min(d, peer_ppp_deadline(&t->ppp));
    }
    return d;
}

void peer_cdn(struct peer *p, uint16_t result, uint16_t error, const char *text, l2tpc_us now)
{
    struct tunnel *t = peer_tunnel_newest(p);

    if (t && t->session)
        peer_l2tp_send_cdn(p, t, result, error, text, now);
}

void peer_stopccn(struct peer *p, uint16_t result, uint16_t error, const char *text, l2tpc_us now)
{
    struct tunnel *t = peer_tunnel_newest(p);

    if (t)
        send_stopccn(p, t, result, error, text, now);
}

void peer_hello(struct peer *p, l2tpc_us now)
{
    struct tunnel *t = peer_tunnel_newest(p);

    if (t)
        send_simple(p, t, 0, HELLO, now);
}
