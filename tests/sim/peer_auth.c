/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PAP (RFC 1334), CHAP with MD5 (RFC 1994), MS-CHAPv2 (RFC 2759): the authenticator's side. */
#include "peer_i.h"

#include <stdio.h>

#define CHALLENGE 1
#define RESPONSE 2
#define SUCCESS 3
#define FAILURE_CODE 4

static bool known_user(const struct peer *p, struct span name, struct span *bare)
{
    *bare = name;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '\\')
            *bare = span_of(name.p + i + 1, name.n - i - 1);
    return span_eq(name, span_str(p->config.user)) || span_eq(*bare, span_str(p->config.user));
}

static void note_user(struct peer *p, struct span name, enum peer_auth method)
{
    size_t n = name.n < sizeof(p->facts.user) - 1 ? name.n : sizeof(p->facts.user) - 1;

    memcpy(p->facts.user, name.p, n);
    p->facts.user[n] = 0;
    p->facts.auth = method;
}

static void accepted(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;

    ppp->authenticated = true;
    ppp->due[DUE_AUTH] = US_NEVER;
    if (p->config.flavour == PEER_SOFTETHER) { /* waits for its own DHCP */
        ppp->due[DUE_IPCP_REQ] = us_add(now, US_MS(1500));
        return;
    }
    peer_ipcp_request(p, t, now);
}

static void refused(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    t->ppp.refused = true;
    t->ppp.due[DUE_AUTH] = US_NEVER;
    peer_ppp_end(p, t, "authentication failed", now);
    if (p->config.flavour == PEER_SOFTETHER)
        peer_l2tp_send_cdn(p, t, 3, 0, NULL, now);
}

void peer_auth_begin(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    enum peer_auth m =
        peer_bug(p, BUG_LCP_INSIST_PAP) ? PEER_AUTH_PAP : p->config.auth[t->ppp.auth_at];

    if (m == PEER_AUTH_NONE) {
        accepted(p, t, now);
    } else if (m == PEER_AUTH_CHAP_MD5 || m == PEER_AUTH_MSCHAPV2) {
        peer_rand(p, t->ppp.challenge, sizeof(t->ppp.challenge));
        t->ppp.chap_id = t->ppp.id++;
        t->ppp.success_n = 0;
        if (p->config.flavour == PEER_SOFTETHER)
            t->ppp.due[DUE_AUTH] = us_add(now, US_MS(300));
        else
            peer_auth_challenge(p, t, now);
    }
}

void peer_auth_challenge(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    uint8_t b[32] = {16};

    memcpy(b + 1, t->ppp.challenge, 16);
    memcpy(b + 17, "sim", 3);
    t->ppp.due[DUE_AUTH] = us_add(now, p->config.flavour == PEER_PLAIN ? US_S(1) : US_S(3));
    if (!peer_silent(p, STAGE_PPP_AUTH))
        peer_ppp_send(p, t, PROTO_CHAP, CHALLENGE, t->ppp.chap_id, span_of(b, 20), now);
}

void peer_recv_pap(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id, struct span data,
                   l2tpc_us now)
{
    struct rd r = rd_of(data);
    struct span name, password, bare;
    uint8_t n;
    bool good;

    if (code != 1 || !rd_u8(&r, &n) || !rd_bytes(&r, n, &name) || !rd_u8(&r, &n) ||
        !rd_bytes(&r, n, &password)) {
        peer_complain(p, "malformed PAP packet");
        return;
    }
    if (p->config.auth[t->ppp.auth_at] != PEER_AUTH_PAP && !peer_bug(p, BUG_LCP_INSIST_PAP)) {
        peer_complain(p, "PAP was not agreed");
        return;
    }
    good = known_user(p, name, &bare) && span_eq(password, span_str(p->config.password)) &&
           !peer_bug(p, BUG_AUTH_ERROR);
    note_user(p, name, PEER_AUTH_PAP);
    peer_ppp_send(p, t, PROTO_PAP, good ? 2 : 3, id,
                  good ? span_of("\x02ok", 3) : span_of("\x0cLogin failed", 13), now);
    if (good && !t->ppp.authenticated)
        accepted(p, t, now);
    else if (!good)
        refused(p, t, now);
}

/* UTF-8 to UTF-16, low byte first; what is not UTF-8 is taken byte by byte. */
static size_t utf16(struct span s, bool bytewise, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n;) {
        uint32_t c = s.p[i];
        size_t more = bytewise || c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

        if (i + more >= s.n)
            more = 0;
        if (more)
            c &= 0x3fu >> more;
        for (size_t k = 1; k <= more; k++)
            c = c << 6 | (s.p[i + k] & 0x3f);
        i += more + 1;
        if (c > 0xffff) {
            uint32_t high = 0xd800 + ((c - 0x10000) >> 10);

            out[n++] = (uint8_t)high;
            out[n++] = (uint8_t)(high >> 8);
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        out[n++] = (uint8_t)c;
        out[n++] = (uint8_t)(c >> 8);
    }
    return n;
}

bool peer_mschapv2_response(struct crypto *c, struct span password, bool bytewise, struct span user,
                            const uint8_t auth_challenge[16], const uint8_t peer_challenge[16],
                            uint8_t response[24], char proof[43])
{
    static const char magic1[] = "Magic server to client signing constant";
    static const char magic2[] = "Pad to make it do more than one iteration";
    uint8_t unicode[2 * SECRET_MAX + 4], nt[21] = {0}, ntnt[16], ch[20], d[20];
    struct span in[3] = {span_of(peer_challenge, 16), span_of(auth_challenge, 16), user};

    if (password.n > SECRET_MAX)
        return false;
    in[0] = span_of(unicode, utf16(password, bytewise, unicode));
    if (!hash_parts(c, HASH_MD4, in, 1, nt))
        return false;
    in[0] = span_of(peer_challenge, 16);
    if (!hash_parts(c, HASH_SHA1, in, 3, ch))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (!des_block_56(nt + 7 * i, ch, response + 8 * i))
            return false;
    in[0] = span_of(nt, 16);
    if (!hash_parts(c, HASH_MD4, in, 1, ntnt))
        return false;
    in[0] = SPAN_ARRAY(ntnt);
    in[1] = span_of(response, 24);
    in[2] = span_str(magic1);
    if (!hash_parts(c, HASH_SHA1, in, 3, d))
        return false;
    in[0] = SPAN_ARRAY(d);
    in[1] = span_of(ch, 8);
    in[2] = span_str(magic2);
    if (!hash_parts(c, HASH_SHA1, in, 3, d))
        return false;
    memcpy(proof, "S=", 2);
    for (size_t i = 0; i < sizeof(d); i++)
        snprintf(proof + 2 + 2 * i, 3, "%02X", d[i]);
    return true;
}

static bool check_md5(struct peer *p, const struct ppp_peer *ppp, struct span value)
{
    struct span parts[3] = {span_of(&ppp->chap_id, 1), span_str(p->config.password),
                            SPAN_ARRAY(ppp->challenge)};
    uint8_t want[16];

    return value.n == 16 && hash_parts(p->crypto, HASH_MD5, parts, 3, want) &&
           memcmp(want, value.p, 16) == 0;
}

static bool check_mschapv2(struct peer *p, const struct ppp_peer *ppp, struct span value,
                           struct span user, char proof[43])
{
    uint8_t want[24];

    if (value.n != 49) {
        peer_complain(p, "MS-CHAPv2 response of %zu bytes", value.n);
        return false;
    }
    for (size_t i = 16; i < 24; i++)
        if (value.p[i])
            peer_complain(p, "MS-CHAPv2: reserved bytes");
    return peer_mschapv2_response(p->crypto, span_str(p->config.password),
                                  p->config.flavour == PEER_SOFTETHER, user, ppp->challenge,
                                  value.p, want, proof) &&
           memcmp(want, value.p + 24, 24) == 0;
}

/* Servers that keep the verdict for themselves. */
static bool hang_up(struct peer *p, struct tunnel *t, l2tpc_us now)
{
    if (peer_bug(p, BUG_AUTH_HANG_UP))
        peer_l2tp_send_cdn(p, t, 3, 0, NULL, now);
    else if (peer_bug(p, BUG_AUTH_TERMINATE))
        peer_terminate(p, "", now);
    else
        return false;
    return true;
}

static void send_failure(struct peer *p, struct tunnel *t, bool ms, uint8_t id, l2tpc_us now)
{
    char text[128] = "Login failed";
    size_t n;

    if (hang_up(p, t, now))
        return;
    if (ms) {
        n = (size_t)snprintf(text, sizeof(text), "E=%u R=0 C=", p->config.auth_error);
        for (size_t i = 0; i < 16; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%02X", t->ppp.challenge[i]);
        snprintf(text + n, sizeof(text) - n, " V=3%s",
                 p->config.flavour == PEER_SOFTETHER ? "" : " M=Access denied");
    }
    peer_ppp_send(p, t, PROTO_CHAP, FAILURE_CODE, id, span_str(text), now);
    refused(p, t, now);
}

static void send_success(struct peer *p, struct tunnel *t, bool ms, uint8_t id, char proof[43],
                         l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;

    if (peer_bug(p, BUG_AUTH_WRONG_S))
        proof[20] = proof[20] == '0' ? '1' : '0';
    if (!ms || peer_bug(p, BUG_AUTH_NO_S))
        snprintf((char *)ppp->success, sizeof(ppp->success), "M=Welcome");
    else
        snprintf((char *)ppp->success, sizeof(ppp->success), "%.42s M=Welcome", proof);
    ppp->success_n = strlen((char *)ppp->success);
    peer_ppp_send(p, t, PROTO_CHAP, SUCCESS, id, span_of(ppp->success, ppp->success_n), now);
    if (!ppp->authenticated)
        accepted(p, t, now);
}

void peer_recv_chap(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id, struct span data,
                    l2tpc_us now)
{
    struct ppp_peer *ppp = &t->ppp;
    bool ms = p->config.auth[ppp->auth_at] == PEER_AUTH_MSCHAPV2, good;
    struct rd r = rd_of(data);
    struct span value, name, bare;
    char proof[43] = "";
    uint8_t n;

    if (code != RESPONSE || !rd_u8(&r, &n) || !rd_bytes(&r, n, &value)) {
        peer_complain(p, "malformed CHAP packet");
        return;
    }
    if (id != ppp->chap_id || !ppp->auth_begun)
        return;
    if (ppp->success_n) { /* our Success was lost */
        peer_ppp_send(p, t, PROTO_CHAP, SUCCESS, id, span_of(ppp->success, ppp->success_n), now);
        return;
    }
    if (p->config.login_delay && ppp->verdict_at == 0) {
        ppp->verdict_at = us_add(now, p->config.login_delay);
        ppp->due[DUE_AUTH] = US_NEVER;
    }
    if (now < ppp->verdict_at) /* what is sent again meets the verdict */
        return;
    name = rd_rest(&r);
    good = known_user(p, name, &bare);
    note_user(p, name, ms ? PEER_AUTH_MSCHAPV2 : PEER_AUTH_CHAP_MD5);
    if (ms)
        good &= check_mschapv2(p, ppp, value, bare, proof);
    else
        good &= check_md5(p, ppp, value);
    if (peer_bug(p, BUG_AUTH_RECHALLENGE))
        peer_auth_begin(p, t, now);
    else if (good && !peer_bug(p, BUG_AUTH_ERROR))
        send_success(p, t, ms, id, proof, now);
    else
        send_failure(p, t, ms, id, now);
}
