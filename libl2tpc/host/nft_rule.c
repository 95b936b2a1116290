/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules as the kernel has them: expressions that load into a register, compare, and decide. */
#include "host/nft.h"

#include <endian.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

/* Behind netinet/in.h: the kernel's headers leave out then what that has. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

/* An expression that is being written: the two nests around what it says. */
struct expr {
    struct nft_batch *b;
    struct nlattr *elem, *data;
};

static void fail(struct nft_batch *b)
{
    if (b->error == 0)
        b->error = -EMSGSIZE;
}

static struct expr open_expr(struct nft_batch *b, const char *name)
{
    struct expr e = {.b = b};

    if (b->error == 0)
        e.elem = nla_nest_start(b->rule, NFTA_LIST_ELEM);
    if (e.elem && nla_put_string(b->rule, NFTA_EXPR_NAME, name) >= 0)
        e.data = nla_nest_start(b->rule, NFTA_EXPR_DATA);
    if (!e.data)
        fail(b);
    return e;
}

static void close_expr(const struct expr *e)
{
    if (e->b->error != 0)
        return;
    nla_nest_end(e->b->rule, e->data);
    nla_nest_end(e->b->rule, e->elem);
}

static void put_be32(struct nft_batch *b, int type, uint32_t v)
{
    if (b->error == 0 && nla_put_u32(b->rule, type, htobe32(v)) < 0)
        fail(b);
}

static void put_text(struct nft_batch *b, int type, const char *text)
{
    if (b->error == 0 && nla_put_string(b->rule, type, text) < 0)
        fail(b);
}

static void put_value(struct nft_batch *b, int type, const void *bytes, size_t n)
{
    struct nlattr *nest = b->error == 0 ? nla_nest_start(b->rule, type) : NULL;

    if (!nest || nla_put(b->rule, NFTA_DATA_VALUE, (int)n, bytes) < 0)
        fail(b);
    else
        nla_nest_end(b->rule, nest);
}

static void load_meta(struct nft_batch *b, uint32_t key)
{
    struct expr e = open_expr(b, "meta");

    put_be32(b, NFTA_META_KEY, key);
    put_be32(b, NFTA_META_DREG, NFT_REG_1);
    close_expr(&e);
}

static void load_payload(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t n)
{
    struct expr e = open_expr(b, "payload");

    put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
    put_be32(b, NFTA_PAYLOAD_BASE, base);
    put_be32(b, NFTA_PAYLOAD_OFFSET, offset);
    put_be32(b, NFTA_PAYLOAD_LEN, n);
    close_expr(&e);
}

static void mask(struct nft_batch *b, const void *bits, size_t n)
{
    static const uint8_t zero[16];
    struct expr e = open_expr(b, "bitwise");

    put_be32(b, NFTA_BITWISE_SREG, NFT_REG_1);
    put_be32(b, NFTA_BITWISE_DREG, NFT_REG_1);
    put_be32(b, NFTA_BITWISE_LEN, (uint32_t)n);
    put_value(b, NFTA_BITWISE_MASK, bits, n);
    put_value(b, NFTA_BITWISE_XOR, zero, n);
    close_expr(&e);
}

static void equals(struct nft_batch *b, const void *bytes, size_t n)
{
    struct expr e = open_expr(b, "cmp");

    put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
    put_be32(b, NFTA_CMP_OP, NFT_CMP_EQ);
    put_value(b, NFTA_CMP_DATA, bytes, n);
    close_expr(&e);
}

void nft_match_u8(struct nft_batch *b, uint32_t meta, uint8_t value)
{
    load_meta(b, meta);
    equals(b, &value, sizeof(value));
}

void nft_match_ifname(struct nft_batch *b, uint32_t meta, const char *name)
{
    char whole[IFNAMSIZ] = {0}; /* with its zero bytes, or "l2tp1" would be "l2tp10" too */

    memcpy(whole, name, strnlen(name, sizeof(whole) - 1));
    load_meta(b, meta);
    equals(b, whole, sizeof(whole));
}

void nft_match_u32(struct nft_batch *b, uint32_t meta, uint32_t value)
{
    load_meta(b, meta);
    equals(b, &value, sizeof(value));
}

/* Of UDP and TCP, which the rule has to ask for before. */
void nft_match_port(struct nft_batch *b, bool destination, uint16_t port)
{
    uint16_t wire = htobe16(port);

    load_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, destination ? 2 : 0, sizeof(wire));
    equals(b, &wire, sizeof(wire));
}

void nft_match_icmpv6(struct nft_batch *b, uint8_t type)
{
    nft_match_u8(b, NFT_META_NFPROTO, NFPROTO_IPV6);
    nft_match_u8(b, NFT_META_L4PROTO, IPPROTO_ICMPV6);
    load_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof(type));
    equals(b, &type, sizeof(type));
}

void nft_match_to(struct nft_batch *b, const struct inaddr *prefix, uint8_t len)
{
    bool v4 = prefix->family == 4;
    size_t n = inaddr_len(prefix);
    uint8_t bits[16] = {0};

    for (size_t i = 0; i < n; i++)
        bits[i] = (uint8_t)(len >= 8 * i + 8 ? 0xff : len <= 8 * i ? 0 : 0xff00u >> (len - 8 * i));
    nft_match_u8(b, NFT_META_NFPROTO, v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    load_payload(b, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 16 : 24, (uint32_t)n);
    if (len < 8 * n)
        mask(b, bits, n);
    equals(b, prefix->bytes, n);
}

static void count(struct nft_batch *b, const char *name)
{
    struct expr e = open_expr(b, "objref");

    put_be32(b, NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
    put_text(b, NFTA_OBJREF_IMM_NAME, name);
    close_expr(&e);
}

static void decide(struct nft_batch *b, const struct nft_verdict *v)
{
    struct expr e = open_expr(b, "immediate");
    struct nlattr *data = NULL;
    struct nlattr *verdict = NULL;

    put_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    if (b->error == 0)
        data = nla_nest_start(b->rule, NFTA_IMMEDIATE_DATA);
    if (data)
        verdict = nla_nest_start(b->rule, NFTA_DATA_VERDICT);
    if (!verdict) {
        fail(b);
        return;
    }
    put_be32(b, NFTA_VERDICT_CODE, (uint32_t)v->code);
    if (v->chain)
        put_text(b, NFTA_VERDICT_CHAIN, v->chain);
    nla_nest_end(b->rule, verdict);
    nla_nest_end(b->rule, data);
    close_expr(&e);
}

void nft_rule_end(struct nft_batch *b, const struct nft_verdict *v)
{
    if (v->counter)
        count(b, v->counter);
    decide(b, v);
    nft_rule_add(b);
}
