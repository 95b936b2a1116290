/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CHAP (RFC 1994) with MD5 and with MS-CHAPv2 (RFC 2759); we are always the one who proves. */
#include "ppp/engine.h"
#include "wire/rd.h"

#include <string.h>

static bool respond_md5(struct ppp *p, struct span password, struct wr *w)
{
    struct auth *a = p->auth;
    const struct span parts[] = {
        span_of(&a->challenge_id, 1),
        password,
        span_of(a->challenge, a->n_challenge),
    };
    uint8_t digest[HASH_MAX];

    if (!hash_parts(p->config.crypto, HASH_MD5, parts, ARRAY_LEN(parts), digest))
        return false;
    wr_u8(w, 16);
    wr_bytes(w, span_of(digest, 16));
    return true;
}

static bool respond_mschapv2(struct ppp *p, struct span password, struct wr *w)
{
    struct crypto *c = p->config.crypto;
    struct auth *a = p->auth;
    uint8_t peer_challenge[MSCHAPV2_CHALLENGE];
    uint8_t nt_response[MSCHAPV2_NT_RESPONSE];
    uint8_t challenge[8];
    uint8_t hash[16];
    bool ok = env_rand(p->config.env, peer_challenge, sizeof(peer_challenge)) &&
              mschapv2_password_hash(c, password, p->config.nt_hash_utf8_bytes, hash) &&
              mschapv2_challenge_hash(c, peer_challenge, a->challenge,
                                      mschapv2_user(span_str(p->config.user)), challenge) &&
              mschapv2_challenge_response(challenge, hash, nt_response) &&
              mschapv2_authenticator_response(c, hash, nt_response, challenge, a->proof);

    wipe(hash, sizeof(hash));
    if (!ok)
        return false;
    wr_u8(w, 49);
    wr_bytes(w, SPAN_ARRAY(peer_challenge));
    wr_zeros(w, 8);
    wr_bytes(w, SPAN_ARRAY(nt_response));
    wr_u8(w, 0);
    return true;
}

void chap_password(struct ppp *p, struct span password)
{
    struct auth *a = p->auth;
    struct wr w = wr_of(a->response, sizeof(a->response));
    struct wr_box box;
    struct span packet;
    bool ok;

    wr_u8(&w, CHAP_RESPONSE);
    wr_u8(&w, a->challenge_id);
    box = wr_open(&w, 2);
    ok = a->method->auth == PPP_AUTH_MSCHAPV2 ? respond_mschapv2(p, password, &w)
                                              : respond_md5(p, password, &w);
    wr_bytes(&w, span_str(p->config.user));
    wr_close(&w, box);
    if (!ok || !wr_finish(&w, &packet)) {
        ppp_fail_value(p, FAILURE_LOCAL_CRYPTO, a->method->name);
        return;
    }
    a->n_response = packet.n;
    auth_sent(p);
}

static enum verdict recv_challenge(struct ppp *p, uint8_t id, struct rd *body)
{
    struct auth *a = p->auth;
    struct span value;
    uint8_t size;
    bool same;

    if (!rd_u8(body, &size) || size == 0 || !rd_bytes(body, size, &value))
        return VERDICT_DROP;
    if (a->method->auth == PPP_AUTH_MSCHAPV2 && size != MSCHAPV2_CHALLENGE)
        return VERDICT_DROP;
    same = id == a->challenge_id && span_eq(value, span_of(a->challenge, a->n_challenge));
    if (same && a->has_answered) {
        auth_resend(p);
        return VERDICT_OK;
    }
    if (a->has_answered && p->now < us_add(a->answered_at, PPP_CHAP_GAP))
        return VERDICT_DROP;
    /* A peer that only ever challenges again must not hold the dial for ever. */
    if (a->has_answered && a->give_up_at != US_NEVER)
        a->left = us_max(a->give_up_at, us_add(p->now, 1)) - p->now;
    a->challenge_id = id;
    a->n_challenge = value.n;
    memcpy(a->challenge, value.p, value.n);
    a->answered = a->has_answered = false;
    auth_need(p);
    return VERDICT_OK;
}

static bool hex_byte(struct span text, uint8_t *out)
{
    unsigned v = 0;

    for (size_t i = 0; i < 2; i++) {
        uint8_t c = text.p[i];

        if (c >= '0' && c <= '9')
            v = v << 4 | (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            v = v << 4 | ((c | 0x20) - 'a' + 10u);
        else
            return false;
    }
    *out = (uint8_t)v;
    return true;
}

/* S= and 40 hex digits; what stands around them varies between servers. */
static bool find_proof(struct span text, uint8_t out[MSCHAPV2_PROOF])
{
    const size_t need = 2 + 2 * MSCHAPV2_PROOF;

    for (size_t at = 0; need <= text.n - at; at++) {
        size_t i = 0;

        if (memcmp(text.p + at, "S=", 2) != 0)
            continue;
        while (i < MSCHAPV2_PROOF && hex_byte(span_of(text.p + at + 2 + 2 * i, 2), &out[i]))
            i++;
        if (i == MSCHAPV2_PROOF)
            return true;
    }
    return false;
}

static enum verdict recv_success(struct ppp *p, struct span text)
{
    uint8_t shown[MSCHAPV2_PROOF];

    if (p->auth->method->auth == PPP_AUTH_MSCHAPV2 &&
        (!find_proof(text, shown) || !equal_ct(shown, p->auth->proof, sizeof(shown)))) {
        ppp_fail(p, failure_make(FAILURE_PPP_AUTH_SERVER_UNVERIFIED));
        return VERDICT_FATAL;
    }
    auth_succeeded(p);
    return VERDICT_OK;
}

enum verdict chap_input(struct ppp *p, struct span packet)
{
    struct rd r = rd_of(packet);
    struct rd body;
    uint8_t code;
    uint8_t id;
    uint16_t length;

    if (!rd_u8(&r, &code) || !rd_u8(&r, &id) || !rd_u16(&r, &length) || length < 4 ||
        !rd_sub(&r, length - 4u, &body))
        return VERDICT_DROP;
    if (code == CHAP_CHALLENGE)
        return recv_challenge(p, id, &body);
    if (!p->auth->answered || id != p->auth->challenge_id)
        return VERDICT_DROP;
    if (code == CHAP_SUCCESS)
        return recv_success(p, body.rest);
    if (code != CHAP_FAILURE)
        return VERDICT_DROP;
    auth_refused(p, body.rest);
    return VERDICT_FATAL;
}
