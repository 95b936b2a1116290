/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AVPs of RFC 2661 4: writing, hiding (4.3), the challenge response (4.4.3). */
#include "peer_i.h"

#define AVP_M 0x8000
#define AVP_H 0x4000

void peer_avp_put(struct wr *w, uint16_t type, bool mandatory, struct span value)
{
    wr_u16(w, (uint16_t)((mandatory ? AVP_M : 0) | (6 + value.n)));
    wr_u16(w, 0);
    wr_u16(w, type);
    wr_bytes(w, value);
}

void peer_avp_put_u16(struct wr *w, uint16_t type, uint16_t v)
{
    uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    peer_avp_put(w, type, true, SPAN_ARRAY(b));
}

/* One block of the keystream: MD5(type | secret | vector), then MD5(secret | previous ciphertext).
 */
static bool keystream(struct peer *p, uint16_t type, struct span vector, struct span previous,
                      uint8_t out[16])
{
    uint8_t t[2] = {(uint8_t)(type >> 8), (uint8_t)type};
    struct span secret = span_str(p->config.tunnel_secret);
    struct span first[3] = {SPAN_ARRAY(t), secret, vector};
    struct span later[2] = {secret, previous};

    return previous.n ? hash_parts(p->crypto, HASH_MD5, later, 2, out)
                      : hash_parts(p->crypto, HASH_MD5, first, 3, out);
}

bool peer_avp_put_hidden(struct peer *p, struct wr *w, uint16_t type, struct span value,
                         struct span vector)
{
    uint8_t b[256], k[16];
    size_t n = value.n + 2 + 5; /* the original length in front, padding behind */

    if (n > sizeof(b))
        return false;
    b[0] = (uint8_t)(value.n >> 8);
    b[1] = (uint8_t)value.n;
    memcpy(b + 2, value.p, value.n);
    peer_rand(p, b + 2 + value.n, 5);
    for (size_t at = 0; at < n; at += 16) {
        if (!keystream(p, type, vector, at ? span_of(b + at - 16, 16) : SPAN_NONE, k))
            return false;
        for (size_t i = 0; i < 16 && at + i < n; i++)
            b[at + i] ^= k[i];
    }
    wr_u16(w, (uint16_t)(AVP_M | AVP_H | (6 + n)));
    wr_u16(w, 0);
    wr_u16(w, type);
    wr_bytes(w, span_of(b, n));
    return true;
}

bool peer_avp_unhide(struct peer *p, uint16_t type, struct span vector, struct span hidden,
                     uint8_t *out, size_t *out_n)
{
    uint8_t plain[1024], k[16];
    size_t n;

    if (hidden.n < 2 || hidden.n > sizeof(plain))
        return false;
    for (size_t at = 0; at < hidden.n; at += 16) {
        if (!keystream(p, type, vector, at ? span_of(hidden.p + at - 16, 16) : SPAN_NONE, k))
            return false;
        for (size_t i = 0; i < 16 && at + i < hidden.n; i++)
            plain[at + i] = hidden.p[at + i] ^ k[i];
    }
    n = (size_t)plain[0] << 8 | plain[1];
    if (n > hidden.n - 2)
        return false;
    memcpy(out, plain + 2, n);
    *out_n = n;
    return true;
}

bool peer_avp_challenge_response(struct peer *p, uint8_t message_type, struct span challenge,
                                 uint8_t out[16])
{
    struct span parts[3] = {span_of(&message_type, 1), span_str(p->config.tunnel_secret),
                            challenge};

    return hash_parts(p->crypto, HASH_MD5, parts, 3, out);
}
