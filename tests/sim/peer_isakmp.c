/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ISAKMP framing (RFC 2408 3) and the protection of IKEv1 messages (RFC 2409 appendix B). */
#include "peer_i.h"

bool peer_isakmp_read(struct span message, struct isakmp *out)
{
    struct rd r = rd_of(message);
    struct isakmp m = {0};
    uint32_t length;

    if (!rd_copy(&r, m.cky_i, 8) || !rd_copy(&r, m.cky_r, 8) || !rd_u8(&r, &m.next) ||
        !rd_u8(&r, &m.version) || !rd_u8(&r, &m.exchange) || !rd_u8(&r, &m.flags) ||
        !rd_u32(&r, &m.msgid) || !rd_u32(&r, &length))
        return false;
    if (length < 28 || !rd_bytes(&r, length - 28, &m.body) || m.version != 0x10)
        return false;
    *out = m;
    return true;
}

bool peer_chain_split(struct span body, uint8_t first, struct chain *out)
{
    struct rd r = rd_of(body);
    uint8_t type = first;

    out->n = out->used = 0;
    while (type != 0) {
        struct pl *pl = &out->pl[out->n];
        const uint8_t *start = r.rest.p;
        uint8_t next, reserved;
        uint16_t length;

        if (out->n == PL_MAX || !rd_u8(&r, &next) || !rd_u8(&r, &reserved) ||
            !rd_u16(&r, &length) || length < 4 || reserved != 0 ||
            !rd_bytes(&r, length - 4u, &pl->body))
            return false;
        pl->type = type;
        pl->whole = span_of(start, length);
        out->used += length;
        out->n++;
        type = next;
    }
    return true;
}

const struct pl *peer_chain_find(const struct chain *c, uint8_t type, unsigned nth)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->pl[i].type == type && nth-- == 0)
            return &c->pl[i];
    return NULL;
}

void peer_build_start(struct build *b, const struct ike_sa *sa, uint8_t exchange, uint8_t flags,
                      uint32_t msgid)
{
    b->w = wr_of(b->bytes, sizeof(b->bytes));
    wr_bytes(&b->w, span_of(sa->cky_i, 8));
    wr_bytes(&b->w, span_of(sa->cky_r, 8));
    b->np_at = 16;
    wr_u8(&b->w, 0);
    wr_u8(&b->w, 0x10);
    wr_u8(&b->w, exchange);
    wr_u8(&b->w, flags);
    wr_u32(&b->w, msgid);
    wr_u32(&b->w, 0);
}

struct wr_box peer_build_open(struct build *b, uint8_t type)
{
    wr_patch_u8(&b->w, b->np_at, type);
    b->np_at = b->w.n;
    wr_u8(&b->w, 0);
    wr_u8(&b->w, 0);
    return wr_open(&b->w, 2);
}

void peer_build_payload(struct build *b, uint8_t type, struct span body)
{
    struct wr_box box = peer_build_open(b, type);

    wr_bytes(&b->w, body);
    wr_close(&b->w, box);
}

size_t peer_build_hash_room(struct build *b, size_t n)
{
    struct wr_box box = peer_build_open(b, PL_HASH);
    size_t at = b->w.n;

    wr_zeros(&b->w, n);
    wr_close(&b->w, box);
    return at;
}

bool peer_build_done(struct build *b, struct span *out)
{
    wr_patch_u32(&b->w, 24, (uint32_t)b->w.n);
    return wr_finish(&b->w, out);
}

bool peer_build_seal(struct peer *p, struct build *b, const struct ike_sa *sa, uint8_t iv[16],
                     struct span *out)
{
    size_t block = cipher_block(sa->suite.cipher);
    size_t pad = (block - (b->w.n - 28) % block) % block;
    struct span done;

    for (size_t i = 1; i <= pad; i++) /* SoftEther counts, others send zeros */
        wr_u8(&b->w, p->config.flavour == PEER_SOFTETHER ? (uint8_t)i : 0);
    if (!peer_build_done(b, &done))
        return false;
    if (!cbc_crypt(p->crypto, sa->suite.cipher, span_of(sa->key, sa->key_n), span_of(iv, block),
                   true, (struct mspan){.p = b->bytes + 28, .n = done.n - 28}))
        return false;
    memcpy(iv, b->bytes + done.n - block, block);
    *out = done;
    return true;
}

bool peer_ike_decrypt(struct peer *p, const struct ike_sa *sa, uint8_t iv[16], struct span body,
                      uint8_t *out)
{
    size_t block = cipher_block(sa->suite.cipher);
    uint8_t next[16];

    if (body.n == 0 || body.n % block != 0)
        return false;
    memcpy(next, body.p + body.n - block, block);
    memcpy(out, body.p, body.n);
    if (!cbc_crypt(p->crypto, sa->suite.cipher, span_of(sa->key, sa->key_n), span_of(iv, block),
                   false, (struct mspan){.p = out, .n = body.n}))
        return false;
    memcpy(iv, next, block);
    return true;
}

void peer_ike_phase2_iv(struct peer *p, const struct ike_sa *sa, uint32_t msgid, uint8_t iv[16])
{
    uint8_t id[4] = {(uint8_t)(msgid >> 24), (uint8_t)(msgid >> 16), (uint8_t)(msgid >> 8),
                     (uint8_t)msgid};
    struct span parts[2] = {span_of(sa->iv, cipher_block(sa->suite.cipher)), SPAN_ARRAY(id)};
    uint8_t h[HASH_MAX];

    if (!hash_parts(p->crypto, sa->suite.hash, parts, 2, h))
        peer_complain(p, "hash failed");
    memcpy(iv, h, 16);
}

bool peer_ike_prf(struct peer *p, enum hash_id h, struct span key, const struct span *parts,
                  size_t n, uint8_t *out)
{
    return hmac_parts(p->crypto, h, key, parts, n, out);
}

/* One IKE message in a datagram, with the marker where it belongs. */
void peer_ike_datagram(struct peer *p, const struct ike_sa *sa, struct span m)
{
    uint8_t d[PEER_MESSAGE_MAX + 4] = {0};

    if (m.n > PEER_MESSAGE_MAX)
        return;
    if (sa->port == PEER_UDP500) {
        peer_send(p, sa->port, &sa->to, m);
        return;
    }
    memcpy(d + 4, m.p, m.n);
    peer_send(p, sa->port, &sa->to, span_of(d, m.n + 4));
}

static void send_datagram(struct peer *p, const struct ike_sa *sa, struct span m)
{
    if (p->config.fragment && sa->fragments && m.n > p->config.fragment && m.n > 28)
        peer_fragment_send(p, sa, m);
    else
        peer_ike_datagram(p, sa, m);
}

/* The bad copies of the noise switches: none of them may change anything in the client. */
static void send_noise(struct peer *p, const struct ike_sa *sa, struct span m)
{
    uint8_t copy[PEER_MESSAGE_MAX];

    if (peer_bug(p, BUG_IKE_FOREIGN_COOKIE)) {
        memcpy(copy, m.p, m.n);
        copy[3] ^= 0x40;
        send_datagram(p, sa, span_of(copy, m.n));
    }
    if (peer_bug(p, BUG_IKE_TRUNCATED)) {
        send_datagram(p, sa, span_of(m.p, 20));
        send_datagram(p, sa, span_of(m.p, m.n - 5));
    }
    if (peer_bug(p, BUG_IKE_GARBAGE_CHAIN) && m.n > 36) {
        memcpy(copy, m.p, m.n);
        if (copy[19] & ISAKMP_E) { /* ciphertext: the chain breaks inside */
            copy[m.n - 20] ^= 0xff;
        } else {
            copy[30] = 0xff;
            copy[31] = 0xf0;
        }
        send_datagram(p, sa, span_of(copy, m.n));
    }
}

void peer_ike_send(struct peer *p, const struct ike_sa *sa, struct span message)
{
    if (message.n > 28 && message.n <= PEER_MESSAGE_MAX)
        send_noise(p, sa, message);
    if (peer_bug(p, BUG_IKE_CLEAR_REFUSALS)) {
        peer_send_clear_notify(p, sa, 24);
        peer_send_clear_notify(p, sa, 14);
    }
    send_datagram(p, sa, message);
}

void peer_digest(struct peer *p, struct span s, uint8_t out[32])
{
    if (!hash_parts(p->crypto, HASH_SHA256, &s, 1, out))
        memset(out, 0, 32);
}

struct span peer_blob_span(const struct blob *b)
{
    return span_of(b->bytes, b->n);
}

bool peer_blob_set(struct blob *b, struct span s)
{
    if (s.n > sizeof(b->bytes))
        return false;
    memcpy(b->bytes, s.p, s.n);
    b->n = s.n;
    return true;
}
