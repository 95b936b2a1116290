/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "l2tp/avp.h"

#include "base/secret.h"

#include <string.h>

#define MD5_LEN 16

enum {
    AVP_FLAG_M = 0x8000,
    AVP_FLAG_H = 0x4000,
    AVP_FLAGS_RESERVED = 0x3c00,
    AVP_LENGTH_MASK = 0x03ff,
};

static const struct avp_rule rules[AVP_NUMBERS] = {
#define AVP(id, attribute, text, shortest, longest, mandatory, hideable)                           \
    [attribute] = {                                                                                \
        .name = (text), .min = (shortest), .max = (longest), .m = (mandatory), .h = (hideable)},
#include "l2tp/avp.def"
#undef AVP
};

const struct avp_rule *avp_rule(uint16_t attribute)
{
    return attribute < AVP_NUMBERS && rules[attribute].name ? &rules[attribute] : NULL;
}

bool avp_read(struct rd *r, struct avp *out)
{
    struct rd probe = *r;
    struct avp a = {0};
    uint16_t flags;
    size_t length;

    if (!rd_u16(&probe, &flags))
        return false;
    length = flags & AVP_LENGTH_MASK;
    if (length < AVP_HEADER || length > rd_left(r))
        return false;
    if (!rd_u16(&probe, &a.vendor) || !rd_u16(&probe, &a.attribute) ||
        !rd_bytes(&probe, length - AVP_HEADER, &a.value))
        return false;
    a.m = flags & AVP_FLAG_M;
    a.h = flags & AVP_FLAG_H;
    a.reserved = flags & AVP_FLAGS_RESERVED;
    *r = probe;
    *out = a;
    return true;
}

/*
 * The key stream of 4.3: b1 = MD5(attribute + secret + random vector), then
 * b(i) = MD5(secret + c(i-1)), where c(i-1) is the 16 bytes of hidden text before.
 */
static bool next_pad(const struct avp_key *key, uint16_t attribute, const uint8_t *before,
                     uint8_t pad[MD5_LEN])
{
    const uint8_t number[2] = {(uint8_t)(attribute >> 8), (uint8_t)attribute};
    const struct span first[] = {SPAN_ARRAY(number), key->secret, key->random_vector};
    const struct span later[] = {key->secret, span_of(before, MD5_LEN)};

    return before ? hash_parts(key->crypto, HASH_MD5, later, ARRAY_LEN(later), pad)
                  : hash_parts(key->crypto, HASH_MD5, first, ARRAY_LEN(first), pad);
}

static bool cover(const struct avp_key *key, uint16_t attribute, struct span in, bool hide,
                  uint8_t *out)
{
    uint8_t pad[MD5_LEN];
    bool ok = true;

    for (size_t at = 0; ok && at < in.n; at += MD5_LEN) {
        const uint8_t *hidden = hide ? out : in.p;

        ok = next_pad(key, attribute, at ? hidden + at - MD5_LEN : NULL, pad);
        for (size_t i = 0; ok && i < MD5_LEN && at + i < in.n; i++)
            out[at + i] = in.p[at + i] ^ pad[i];
    }
    wipe(pad, sizeof(pad));
    return ok;
}

bool avp_hide(const struct avp_key *key, uint16_t attribute, struct span value, size_t pad,
              struct mspan out, struct span *hidden)
{
    uint8_t clear[AVP_VALUE_MAX];
    struct wr w = wr_of(clear, out.n < sizeof(clear) ? out.n : sizeof(clear));
    struct span all;
    bool ok;

    if (value.n > AVP_VALUE_MAX)
        return false;
    wr_u16(&w, (uint16_t)value.n);
    wr_bytes(&w, value);
    wr_zeros(&w, pad);
    ok = wr_finish(&w, &all) && cover(key, attribute, all, true, out.p);
    wipe(clear, sizeof(clear));
    if (ok)
        *hidden = span_of(out.p, all.n);
    return ok;
}

bool avp_unhide(const struct avp_key *key, uint16_t attribute, struct span hidden, struct mspan out,
                struct span *value)
{
    struct rd r;
    uint16_t n;

    if (hidden.n < 2 || hidden.n > out.n || !cover(key, attribute, hidden, false, out.p))
        return false;
    r = rd_of(span_of(out.p, hidden.n));
    return rd_u16(&r, &n) && rd_bytes(&r, n, value);
}

static void put_clear(struct avp_wr *a, uint16_t flags, uint16_t attribute, struct span value)
{
    if (value.n > AVP_VALUE_MAX) {
        a->w.failed = true;
        return;
    }
    wr_u16(&a->w, (uint16_t)(flags | (AVP_HEADER + value.n)));
    wr_u16(&a->w, 0); /* vendor: IETF */
    wr_u16(&a->w, attribute);
    wr_bytes(&a->w, value);
}

void avp_put(struct avp_wr *a, enum avp_id id, struct span value)
{
    const struct avp_rule *rule = avp_rule((uint16_t)id);
    uint16_t flags = rule && rule->m ? AVP_FLAG_M : 0;
    uint8_t buf[AVP_VALUE_MAX];
    struct span hidden;

    if (!rule || value.n < rule->min || value.n > rule->max) {
        a->w.failed = true;
        return;
    }
    if (!a->key || !rule->h) {
        put_clear(a, flags, (uint16_t)id, value);
        return;
    }
    /* Padding to a whole block keeps the length of the value to ourselves (4.3). */
    if (!avp_hide(a->key, (uint16_t)id, value, (MD5_LEN - (value.n + 2) % MD5_LEN) % MD5_LEN,
                  (struct mspan){buf, sizeof(buf)}, &hidden)) {
        a->w.failed = true;
        return;
    }
    put_clear(a, (uint16_t)(flags | AVP_FLAG_H), (uint16_t)id, hidden);
}

void avp_put_u16(struct avp_wr *a, enum avp_id id, uint16_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

    avp_put(a, id, SPAN_ARRAY(bytes));
}

void avp_put_u32(struct avp_wr *a, enum avp_id id, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};

    avp_put(a, id, SPAN_ARRAY(bytes));
}

void avp_put_type(struct avp_wr *a, uint16_t message_type)
{
    avp_put_u16(a, AVP_MESSAGE_TYPE, message_type);
    if (a->key)
        avp_put(a, AVP_RANDOM_VECTOR, a->key->random_vector);
}
