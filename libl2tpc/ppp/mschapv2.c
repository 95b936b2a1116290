/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ppp/mschapv2.h"

#include "base/secret.h"
#include "base/text.h"
#include "wire/wr.h"

#include <string.h>

struct span mschapv2_user(struct span name)
{
    for (size_t i = name.n; i > 0; i--)
        if (name.p[i - 1] == '\\')
            return span_of(name.p + i, name.n - i);
    return name;
}

bool mschapv2_challenge_hash(struct crypto *c, const uint8_t peer_challenge[MSCHAPV2_CHALLENGE],
                             const uint8_t authenticator_challenge[MSCHAPV2_CHALLENGE],
                             struct span user, uint8_t out[8])
{
    const struct span parts[] = {
        span_of(peer_challenge, MSCHAPV2_CHALLENGE),
        span_of(authenticator_challenge, MSCHAPV2_CHALLENGE),
        user,
    };
    uint8_t digest[HASH_MAX];

    if (!hash_parts(c, HASH_SHA1, parts, ARRAY_LEN(parts), digest))
        return false;
    memcpy(out, digest, 8);
    return true;
}

/* The next code point of well-formed UTF-8, which the caller has checked. */
static uint32_t take_code_point(struct span *s)
{
    uint8_t lead = s->p[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t v = n == 1 ? lead : lead & (0xffu >> (n + 1));

    for (size_t i = 1; i < n; i++)
        v = v << 6 | (s->p[i] & 0x3f);
    *s = span_of(s->p + n, s->n - n);
    return v;
}

static void put_le16(struct wr *w, uint32_t v)
{
    wr_u8(w, (uint8_t)v);
    wr_u8(w, (uint8_t)(v >> 8));
}

/* UTF-16LE: at most two bytes for each byte of UTF-8. */
static bool password_unicode(struct wr *w, struct span password, bool raw_bytes, struct span *out)
{
    if (raw_bytes || !text_is_utf8(password)) {
        for (size_t i = 0; i < password.n; i++)
            put_le16(w, password.p[i]);
        return wr_finish(w, out);
    }
    while (password.n > 0) {
        uint32_t v = take_code_point(&password);

        if (v < 0x10000) {
            put_le16(w, v);
        } else {
            put_le16(w, 0xd800 + ((v - 0x10000) >> 10));
            put_le16(w, 0xdc00 + ((v - 0x10000) & 0x3ff));
        }
    }
    return wr_finish(w, out);
}

bool mschapv2_password_hash(struct crypto *c, struct span password, bool raw_bytes, uint8_t out[16])
{
    uint8_t unicode[2 * SECRET_MAX];
    uint8_t digest[HASH_MAX];
    struct wr w = wr_of(unicode, sizeof(unicode));
    struct span text;
    bool ok = password_unicode(&w, password, raw_bytes, &text) &&
              hash_parts(c, HASH_MD4, &text, 1, digest);

    if (ok)
        memcpy(out, digest, 16);
    wipe(unicode, sizeof(unicode));
    wipe(digest, sizeof(digest));
    return ok;
}

bool mschapv2_challenge_response(const uint8_t challenge[8], const uint8_t password_hash[16],
                                 uint8_t out[MSCHAPV2_NT_RESPONSE])
{
    uint8_t z[21] = {0};
    uint8_t response[MSCHAPV2_NT_RESPONSE];
    bool ok;

    memcpy(z, password_hash, 16);
    ok = des_block_56(z, challenge, response) && des_block_56(z + 7, challenge, response + 8) &&
         des_block_56(z + 14, challenge, response + 16);
    if (ok)
        memcpy(out, response, sizeof(response));
    wipe(z, sizeof(z));
    return ok;
}

bool mschapv2_authenticator_response(struct crypto *c, const uint8_t password_hash[16],
                                     const uint8_t nt_response[MSCHAPV2_NT_RESPONSE],
                                     const uint8_t challenge_hash[8], uint8_t out[MSCHAPV2_PROOF])
{
    static const char magic1[] = "Magic server to client signing constant";
    static const char magic2[] = "Pad to make it do more than one iteration";
    uint8_t hash_hash[HASH_MAX];
    uint8_t digest[HASH_MAX];
    const struct span once = span_of(password_hash, 16);
    const struct span first[] = {
        span_of(hash_hash, 16),
        span_of(nt_response, MSCHAPV2_NT_RESPONSE),
        span_of(magic1, sizeof(magic1) - 1),
    };
    const struct span second[] = {
        span_of(digest, MSCHAPV2_PROOF),
        span_of(challenge_hash, 8),
        span_of(magic2, sizeof(magic2) - 1),
    };
    uint8_t proof[HASH_MAX];
    bool ok = hash_parts(c, HASH_MD4, &once, 1, hash_hash) &&
              hash_parts(c, HASH_SHA1, first, ARRAY_LEN(first), digest) &&
              hash_parts(c, HASH_SHA1, second, ARRAY_LEN(second), proof);

    if (ok)
        memcpy(out, proof, MSCHAPV2_PROOF);
    wipe(hash_hash, sizeof(hash_hash));
    wipe(digest, sizeof(digest));
    wipe(proof, sizeof(proof));
    return ok;
}
