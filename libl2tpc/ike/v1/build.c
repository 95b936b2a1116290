/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/build.h"

#include <string.h>

#define AT_NEXT_PAYLOAD 16
#define AT_LENGTH 24

void build_start(struct build *b, const uint8_t *cky_i, const uint8_t *cky_r, uint8_t exchange,
                 uint8_t flags, uint32_t message_id)
{
    b->w = wr_of(b->bytes, sizeof(b->bytes));
    b->next_at = AT_NEXT_PAYLOAD;
    wr_bytes(&b->w, span_of(cky_i, ISAKMP_COOKIE_LEN));
    wr_bytes(&b->w, span_of(cky_r, ISAKMP_COOKIE_LEN));
    wr_u8(&b->w, PAYLOAD_NONE);
    wr_u8(&b->w, ISAKMP_VERSION);
    wr_u8(&b->w, exchange);
    wr_u8(&b->w, flags);
    wr_u32(&b->w, message_id);
    wr_u32(&b->w, 0);
}

struct wr_box build_payload(struct build *b, uint8_t type)
{
    wr_patch_u8(&b->w, b->next_at, type);
    b->next_at = b->w.n;
    wr_u8(&b->w, PAYLOAD_NONE);
    wr_u8(&b->w, 0);
    return wr_open(&b->w, 2);
}

void build_bytes(struct build *b, uint8_t type, struct span body)
{
    struct wr_box box = build_payload(b, type);

    wr_bytes(&b->w, body);
    wr_close(&b->w, box);
}

void build_identity(struct build *b, uint8_t protocol, uint16_t port, const struct inaddr *addr)
{
    struct wr_box box = build_payload(b, PAYLOAD_ID);

    wr_u8(&b->w, addr->family == 6 ? ID_TYPE_IPV6_ADDR : ID_TYPE_IPV4_ADDR);
    wr_u8(&b->w, protocol);
    wr_u16(&b->w, port);
    wr_bytes(&b->w, span_of(addr->bytes, inaddr_len(addr)));
    wr_close(&b->w, box);
}

void build_nat_oa(struct build *b, uint8_t type, const struct inaddr *addr)
{
    struct wr_box box = build_payload(b, type);

    wr_u8(&b->w, addr->family == 6 ? ID_TYPE_IPV6_ADDR : ID_TYPE_IPV4_ADDR);
    wr_zeros(&b->w, 3);
    wr_bytes(&b->w, span_of(addr->bytes, inaddr_len(addr)));
    wr_close(&b->w, box);
}

size_t build_hash(struct build *b, size_t n)
{
    struct wr_box box = build_payload(b, PAYLOAD_HASH);
    size_t at = b->w.n;

    wr_zeros(&b->w, n);
    wr_close(&b->w, box);
    return at;
}

void build_hash_fill(struct build *b, size_t at, struct span value)
{
    for (size_t i = 0; i < value.n; i++)
        wr_patch_u8(&b->w, at + i, value.p[i]);
}

struct span build_behind(const struct build *b, size_t hash_at, size_t n)
{
    size_t from = hash_at + n;

    if (b->w.failed || from > b->w.n)
        return SPAN_NONE;
    return span_of(b->bytes + from, b->w.n - from);
}

bool build_finish(struct build *b, struct span *out)
{
    wr_patch_u32(&b->w, AT_LENGTH, (uint32_t)b->w.n);
    return wr_finish(&b->w, out);
}

bool build_seal(struct build *b, struct crypto *c, const struct ike_keys *keys, uint8_t *iv,
                struct span *out)
{
    size_t block = cipher_block(keys->cipher);
    size_t body = b->w.n - ISAKMP_HEADER_LEN;
    struct mspan data;

    if (b->w.failed || block < 8 || body == 0)
        return false;
    /* RFC 2409 appendix B: zeros up to the block; none when the message fits already. */
    wr_zeros(&b->w, (block - body % block) % block);
    if (!build_finish(b, out))
        return false;
    data = (struct mspan){.p = b->bytes + ISAKMP_HEADER_LEN, .n = out->n - ISAKMP_HEADER_LEN};
    if (!cbc_crypt(c, keys->cipher, span_of(keys->ka, keys->n_ka), span_of(iv, block), true, data))
        return false;
    memcpy(iv, data.p + data.n - block, block);
    return true;
}
