/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include "ppp/mschapv2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the line ---- */

static void line_put(struct server *s, bool to_server, const uint8_t *bytes, size_t n,
                     l2tpc_us delay)
{
    struct line_frame *f = &s->line[s->n_line];
    uint16_t protocol = (uint16_t)(bytes[2] << 8 | bytes[3]);

    if (s->lost < s->lose && protocol == s->lose_protocol && bytes[4] == s->lose_code &&
        to_server == s->lose_to_server) {
        s->lost++;
        return;
    }
    s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
    if ((s->seed >> 33) % 100 < s->percent)
        return;
    if (s->n_line == LINE_MAX || n > sizeof(f->bytes))
        abort();
    f->at = s->rig->now + s->latency + delay;
    f->to_server = to_server;
    f->n = n;
    memcpy(f->bytes, bytes, n);
    s->n_line++;
}

static void say(struct server *s, uint16_t protocol, uint8_t code, uint8_t id, const uint8_t *body,
                size_t n, l2tpc_us delay)
{
    uint8_t f[300] = {0xff, 0x03, (uint8_t)(protocol >> 8), (uint8_t)protocol,
                      code, id,   (uint8_t)((n + 4) >> 8),  (uint8_t)(n + 4)};

    memcpy(f + 8, body, n);
    line_put(s, false, f, n + 8, delay);
}

static void say_hex(struct server *s, uint16_t protocol, uint8_t code, uint8_t id, const char *hex)
{
    uint8_t body[256];

    say(s, protocol, code, id, body, check_hex(body, sizeof(body), hex), 0);
}

/* ---- what it asks for ---- */

static const char *auth_option(const struct server *s)
{
    if (s->flavour != SERVER_PPPD && s->asked == 0)
        return "0304c227"; /* EAP first */
    return s->method == PPP_AUTH_PAP        ? "0304c023"
           : s->method == PPP_AUTH_CHAP_MD5 ? "0305c22305"
                                            : "0305c22381";
}

static void ask_lcp(struct server *s, bool anew)
{
    char hex[128] = "";

    if (anew)
        s->lcp_id++;
    if (s->flavour == SERVER_PPPD)
        strcat(hex, "01040578 020600000000");
    if (s->flavour == SERVER_WINDOWS)
        strcat(hex, "01040578");
    strcat(hex, auth_option(s));
    if (s->flavour != SERVER_SOFTETHER)
        strcat(hex, "0506395e8fe6");
    if (s->flavour == SERVER_WINDOWS)
        strcat(hex, "0702 0802");
    if (s->flavour == SERVER_WINDOWS && !s->optional_rejected)
        strcat(hex, "0d0306 1104064e 1305010203");
    s->lcp_resend = s->rig->now + US_S(3);
    say_hex(s, 0xc021, 1, s->lcp_id, hex);
}

static void ask_ipcp(struct server *s)
{
    s->ipcp_resend = s->rig->now + US_S(3);
    say_hex(s, 0x8021, 1, s->ipcp_id,
            s->flavour == SERVER_WINDOWS ? "0306c0a81e01 0206002d0f01" : "0306c0a81e01");
}

static void ask_login(struct server *s)
{
    uint8_t body[32] = {16};

    if (s->method == PPP_AUTH_PAP)
        return;
    s->chap_resend = s->rig->now + US_S(3);
    memcpy(body + 1, s->challenge, 16);
    memcpy(body + 17, "lab", 3);
    say(s, 0xc223, 1, s->chap_id, body, 20, 0);
}

static void lcp_opened(struct server *s)
{
    if (!s->lcp_we_acked || !s->lcp_they_acked)
        return;
    s->lcp_opened++;
    s->lcp_resend = US_NEVER;
    s->chap_id++;
    for (size_t i = 0; i < 16; i++)
        s->challenge[i] = (uint8_t)(i * 7 + s->lcp_opened);
    if (s->flavour == SERVER_WINDOWS)
        say_hex(s, 0xc021, 12, 9, "395e8fe6 4d53524153");
    ask_login(s);
}

/* ---- LCP ---- */

static void on_lcp_request(struct server *s, const uint8_t *p, size_t n)
{
    bool was_open = s->lcp_we_acked && s->lcp_they_acked;

    if (was_open) { /* RFC 1661: tld, scr, sca */
        s->authenticated = s->ipcp_we_acked = s->ipcp_they_acked = false;
        s->lcp_they_acked = false;
        s->chap_resend = s->ipcp_resend = US_NEVER;
        ask_lcp(s, true);
    }
    if (s->flavour == SERVER_SOFTETHER && n == 14) {
        say(s, 0xc021, 4, p[1], p + 8, 6, 0); /* the magic number */
        return;
    }
    s->lcp_we_acked = true;
    say(s, 0xc021, 2, p[1], p + 4, n - 4, 0);
    lcp_opened(s);
}

static void on_lcp(struct server *s, const uint8_t *p, size_t n)
{
    if (p[0] == 1) {
        on_lcp_request(s, p, n);
    } else if (p[0] == 5) {
        s->terminated++;
        say(s, 0xc021, 6, p[1], p + 4, 0, 0);
    } else if (p[0] == 9) {
        say(s, 0xc021, 10, p[1], p + 4, n - 4, 0);
    } else if (p[1] != s->lcp_id || s->lcp_they_acked) {
        return;
    } else if (p[0] == 2) {
        s->lcp_they_acked = true;
        lcp_opened(s);
    } else if (p[0] == 4) {
        s->optional_rejected = true;
        ask_lcp(s, true);
    } else if (p[0] == 3) {
        s->asked++;
        if (s->flavour == SERVER_SOFTETHER && !s->echoed) {
            s->echoed = true;
            say_hex(s, 0xc021, 9, 0, "00000000 41686f2042616b61204d616e756b6500");
        }
        ask_lcp(s, true);
    }
}

/* ---- the login ---- */

static void logged_in(struct server *s)
{
    if (s->authenticated)
        return;
    s->authenticated = true;
    s->chap_resend = US_NEVER;
    s->ipcp_id++;
    ask_ipcp(s);
}

static void on_pap(struct server *s, const uint8_t *p)
{
    size_t n_user = p[4];
    size_t n_password = p[5 + n_user];
    bool good = n_user == 5 && memcmp(p + 5, "alice", 5) == 0 &&
                n_password == strlen(s->password) &&
                memcmp(p + 6 + n_user, s->password, n_password) == 0;

    say_hex(s, 0xc023, good ? 2 : 3, p[1], "08 4c6f67696e206f6b");
    if (good)
        logged_in(s);
}

static bool verify(struct server *s, const uint8_t *p, size_t n)
{
    struct crypto *c = s->rig->crypto;
    uint8_t hash[64], challenge[8], response[24], proof[20];
    struct span parts[3] = {span_of(&p[1], 1), span_str(s->password), SPAN_ARRAY(s->challenge)};
    char hex[48];

    if (s->method == PPP_AUTH_CHAP_MD5) {
        s->n_success = 0;
        return n == 4 + 1 + 16 + 5 && hash_parts(c, HASH_MD5, parts, 3, hash) &&
               memcmp(hash, p + 5, 16) == 0;
    }
    if (n != 4 + 1 + 49 + 5 || p[4] != 49 || memcmp(p + 54, "alice", 5) != 0 ||
        !mschapv2_challenge_hash(c, p + 5, s->challenge, span_str("alice"), challenge) ||
        !mschapv2_password_hash(c, span_str(s->password), false, hash) ||
        !mschapv2_challenge_response(challenge, hash, response) ||
        memcmp(response, p + 29, 24) != 0 ||
        !mschapv2_authenticator_response(c, hash, response, challenge, proof))
        return false;
    for (size_t i = 0; i < 20; i++)
        (void)sprintf(hex + 2 * i, "%02X", proof[i]);
    s->n_success = (size_t)snprintf((char *)s->success, sizeof(s->success), "S=%s%s", hex,
                                    s->flavour == SERVER_PPPD ? " M=Access granted" : "");
    return true;
}

static void on_chap(struct server *s, const uint8_t *p, size_t n)
{
    static const char no[] = "E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3";

    if (p[0] != 2 || p[1] != s->chap_id)
        return;
    if (!verify(s, p, n)) {
        say(s, 0xc223, 4, p[1], (const uint8_t *)no, sizeof(no) - 1, 0);
        return;
    }
    say(s, 0xc223, 3, p[1], s->success, s->n_success, 0);
    logged_in(s);
}

/* ---- IPCP ---- */

static void on_ipcp_request(struct server *s, const uint8_t *p, size_t n)
{
    bool busy = p[1] == s->last_ipcp_id && s->rig->now < s->ipcp_busy_until;

    s->last_ipcp_id = p[1];
    if (s->ipcp_we_acked && s->ipcp_they_acked) {
        s->ipcp_they_acked = false;
        s->ipcp_id++;
        ask_ipcp(s);
    }
    if (busy) /* with the first copy */
        return;
    s->ipcp_busy_until = s->rig->now + s->ip_delay;
    if (s->flavour == SERVER_SOFTETHER && n == 22) {
        say(s, 0x8021, 4, p[1], p + 16, 6, s->ip_delay); /* there is no second DNS server */
    } else if (p[6] == 0) {
        uint8_t nak[18] = {3,   6,  192, 168, 30, 10,  129, 6,  192,
                           168, 30, 1,   131, 6,  192, 168, 30, 2};

        say(s, 0x8021, 3, p[1], nak, n - 4, s->ip_delay);
    } else {
        s->ipcp_we_acked = true;
        say(s, 0x8021, 2, p[1], p + 4, n - 4, s->ip_delay);
    }
}

static void on_ipcp(struct server *s, const uint8_t *p, size_t n)
{
    if (!s->authenticated)
        return;
    if (p[0] == 1) {
        on_ipcp_request(s, p, n);
    } else if (p[0] == 4 && p[1] == s->ipcp_id) {
        s->ipcp_id++;
        s->ipcp_resend = s->rig->now + US_S(3);
        say_hex(s, 0x8021, 1, s->ipcp_id, "0306c0a81e01");
    } else if (p[0] == 2 && p[1] == s->ipcp_id) {
        s->ipcp_they_acked = true;
        s->ipcp_resend = US_NEVER;
    }
}

static void deliver(struct server *s, const struct line_frame *f)
{
    uint16_t protocol = (uint16_t)(f->bytes[2] << 8 | f->bytes[3]);
    const uint8_t *p = f->bytes + 4;
    size_t n = f->n - 4;

    if (!f->to_server) {
        (void)ppp_input(s->rig->ppp, span_of(f->bytes, f->n), s->rig->now);
        return;
    }
    s->client_frames++;
    if (s->rig->now < s->wakes_at)
        return;
    if (protocol == 0xc021)
        on_lcp(s, p, n);
    else if (!s->lcp_we_acked || !s->lcp_they_acked)
        return;
    else if (protocol == 0xc023 && s->method == PPP_AUTH_PAP)
        on_pap(s, p);
    else if (protocol == 0xc223)
        on_chap(s, p, n);
    else if (protocol == 0x8021)
        on_ipcp(s, p, n);
}

/* ---- time ---- */

void server_init(struct server *s, struct rig *r, enum flavour flavour)
{
    memset(s, 0, sizeof(*s));
    s->flavour = flavour;
    s->rig = r;
    s->method = PPP_AUTH_MSCHAPV2;
    s->password = "Alice-pw-1";
    s->latency = US_MS(10);
    s->first_at = US_MS(5);
    s->lcp_resend = s->chap_resend = s->ipcp_resend = US_NEVER;
    if (flavour == SERVER_SOFTETHER)
        s->ip_delay = US_MS(4200);
}

static bool server_timer(struct server *s)
{
    l2tpc_us now = s->rig->now;

    if (now >= s->lcp_resend)
        ask_lcp(s, s->lcp_id == 0);
    else if (now >= s->chap_resend)
        ask_login(s);
    else if (now >= s->ipcp_resend)
        ask_ipcp(s);
    else
        return false;
    return true;
}

static void drain_client(struct server *s)
{
    struct msg m;

    while (ppp_pop_out(s->rig->ppp, &m)) {
        line_put(s, true, m.bytes, m.n, 0);
        msg_done(&m);
    }
}

static bool next_frame(struct server *s, struct line_frame *out)
{
    unsigned best = s->n_line;

    for (unsigned i = 0; i < s->n_line; i++)
        if (s->line[i].at <= s->rig->now && (best == s->n_line || s->line[i].at < s->line[best].at))
            best = i;
    if (best == s->n_line)
        return false;
    *out = s->line[best];
    memmove(&s->line[best], &s->line[best + 1], (s->n_line - best - 1) * sizeof(s->line[0]));
    s->n_line--;
    return true;
}

static l2tpc_us next_time(const struct server *s)
{
    l2tpc_us t = us_min(ppp_deadline(s->rig->ppp),
                        us_min(s->lcp_resend, us_min(s->chap_resend, s->ipcp_resend)));

    for (unsigned i = 0; i < s->n_line; i++)
        t = us_min(t, s->line[i].at);
    return t;
}

bool server_run(struct server *s, int event, l2tpc_us to)
{
    struct rig *r = s->rig;
    struct line_frame f;

    if (s->lcp_id == 0 && s->lcp_resend == US_NEVER) {
        s->lcp_resend = r->now + s->first_at;
        s->wakes_at += r->now;
        ppp_start(r->ppp, r->now);
    }
    for (;;) {
        int e;

        drain_client(s);
        while ((e = rig_event(r)) >= 0) {
            if (e == PPP_EVENT_NEED_PASSWORD)
                rig_password(r, s->password);
            if (e == event)
                return true;
            if (e == PPP_EVENT_FAILED)
                return false;
        }
        drain_client(s);
        if (next_time(s) > to)
            break;
        r->now = us_max(r->now, next_time(s));
        if (next_frame(s, &f))
            deliver(s, &f);
        else if (!server_timer(s))
            ppp_timer(r->ppp, r->now);
    }
    r->now = to;
    return false;
}
