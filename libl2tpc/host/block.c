/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kill switch: one nftables table that lets packets out through the tunnels that hold it and
 * nowhere else. It is its own memory: who holds it stands in it as a chain with what that holder's
 * tunnel may do, so that no file has to be believed, it outlives every process, and what a holder
 * was allowed goes when the holder does.
 *
 *   hold-NAME   passes the packets of NAME's interface, either way, and its asker's questions
 *   addr-NAME   drops what goes to NAME's inner address
 *   holders     jumps to each hold-NAME     addresses   jumps to each addr-NAME
 *   output, forward, input   the base chains, which jump to those two
 */
#include "host/host.h"
#include "host/netlink.h"
#include "host/nft.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Behind netinet/in.h: the kernel's headers leave out then what that has. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#define HOLD "hold-"
#define ADDR "addr-"
#define COUNTER "blocked"

static const struct nft_verdict pass = {.code = NF_ACCEPT};
static const struct nft_verdict drop = {.code = NF_DROP};
static const struct nft_verdict drop_counted = {.code = NF_DROP, .counter = COUNTER};

struct holders {
    bool table; /* it is there */
    size_t n;
    char name[L2TPC_HOST_TUNNELS_MAX][L2TPC_HOST_NAME_MAX + 1];
};

/* The name of a chain that belongs to a holder. */
struct chain {
    char name[sizeof(HOLD) + L2TPC_HOST_NAME_MAX];
};

static struct chain chain_of(const char *prefix, const char *holder)
{
    struct chain c;

    (void)snprintf(c.name, sizeof(c.name), "%s%.*s", prefix, L2TPC_HOST_NAME_MAX, holder);
    return c;
}

static void note_chain(void *out, const char *name)
{
    struct holders *h = out;

    h->table = name != NULL;
    if (!name)
        h->n = 0;
    else if (strncmp(name, HOLD, strlen(HOLD)) == 0 && l2tpc_host_name_valid(name + strlen(HOLD)) &&
             h->n < ARRAY_LEN(h->name))
        (void)snprintf(h->name[h->n++], sizeof(h->name[0]), "%s", name + strlen(HOLD));
}

/* A kernel that has no nf_tables has no table either. */
static int holders_read(struct holders *out)
{
    int rc = nft_chains_read(note_chain, out);

    return rc == -EOPNOTSUPP ? 0 : rc;
}

static bool holds(const struct holders *h, const char *name)
{
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->name[i], name) == 0)
            return true;
    return false;
}

static int blocked_by(l2tpc_host_reply *reply, int rc)
{
    return rc == 0 ? 0
                   : reply_fail(reply, rc, L2TPC_HOST_SENTENCE_BLOCK, "nftables: %s",
                                strerrorname_np(-rc));
}

static void pass_ifname(struct nft_batch *b, const char *chain, uint32_t meta, const char *name)
{
    nft_rule(b, chain);
    nft_match_ifname(b, meta, name);
    nft_rule_end(b, &pass);
}

static void pass_to(struct nft_batch *b, const char *chain, const struct inaddr *to, uint8_t len)
{
    nft_rule(b, chain);
    nft_match_to(b, to, len);
    nft_rule_end(b, &pass);
}

static void pass_udp(struct nft_batch *b, const char *chain, uint16_t from, uint16_t to)
{
    nft_rule(b, chain);
    nft_match_u8(b, NFT_META_L4PROTO, IPPROTO_UDP);
    nft_match_port(b, false, from);
    nft_match_port(b, true, to);
    nft_rule_end(b, &pass);
}

static void jump(struct nft_batch *b, const char *chain, const char *to)
{
    const struct nft_verdict v = {.code = NFT_JUMP, .chain = to};

    nft_rule(b, chain);
    nft_rule_end(b, &v);
}

static void lan(struct nft_batch *b, const char *chain)
{
    static const struct inaddr everybody[] = {{4, {224}}, {4, {255, 255, 255, 255}}, {6, {0xff}}};
    static const uint8_t everybody_len[] = {4, 32, 8};
    static const uint16_t dns[] = {53, 853};
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};

    /* Who asks a name server of the local network tells it what the tunnel is to hide. */
    for (size_t i = 0; i < ARRAY_LEN(protocols) * ARRAY_LEN(dns); i++) {
        nft_rule(b, chain);
        nft_match_u8(b, NFT_META_L4PROTO, protocols[i % ARRAY_LEN(protocols)]);
        nft_match_port(b, true, dns[i / ARRAY_LEN(protocols)]);
        nft_rule_end(b, &drop_counted);
    }
    for (size_t i = 0; i < n_private_ranges; i++)
        pass_to(b, chain, &private_ranges[i].addr, private_ranges[i].len);
    for (size_t i = 0; i < ARRAY_LEN(everybody); i++)
        pass_to(b, chain, &everybody[i], everybody_len[i]);
}

/* What a socket of this mark or user sends: to one port, 0: to any. */
static void pass_socket(struct nft_batch *b, const char *chain, uint32_t meta, uint32_t value,
                        uint8_t protocol, uint16_t port)
{
    nft_rule(b, chain);
    nft_match_u32(b, meta, value);
    nft_match_u8(b, NFT_META_L4PROTO, protocol);
    if (port)
        nft_match_port(b, true, port);
    nft_rule_end(b, &pass);
}

/* Names, and what a CA says of a certificate, when who asks cannot mark its sockets. */
static void pass_lookups(struct nft_batch *b, const char *chain, uint32_t meta, uint32_t value)
{
    static const uint16_t ports[] = {53, 80, 443};

    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        pass_socket(b, chain, meta, value, IPPROTO_TCP, ports[i]);
}

/* DNS over UDP passes with the rest of UDP. Nobody without rights can mark a socket. */
static void marked(struct nft_batch *b, uint32_t mark, bool lookups)
{
    pass_socket(b, "output", NFT_META_MARK, mark, IPPROTO_UDP, 0);
    pass_socket(b, "output", NFT_META_MARK, mark, IPPROTO_ESP, 0);
    if (lookups)
        pass_socket(b, "output", NFT_META_MARK, mark, IPPROTO_TCP, 0);
}

static void output(struct nft_batch *b, uint32_t mark, uint32_t flags)
{
    static const uint8_t neighbours[] = {ND_ROUTER_SOLICIT, ND_NEIGHBOR_SOLICIT,
                                         ND_NEIGHBOR_ADVERT};

    nft_base_chain(b, "output", NF_INET_LOCAL_OUT, true);
    nft_chain_flush(b, "output");
    pass_ifname(b, "output", NFT_META_OIFNAME, "lo");
    jump(b, "output", "holders");
    pass_udp(b, "output", 68, 67);
    pass_udp(b, "output", 546, 547);
    for (size_t i = 0; i < ARRAY_LEN(neighbours); i++) {
        nft_rule(b, "output");
        nft_match_icmpv6(b, neighbours[i]);
        nft_rule_end(b, &pass);
    }
    marked(b, mark, flags & L2TPC_HOST_BLOCK_LOOKUPS);
    if (flags & L2TPC_HOST_BLOCK_LAN)
        lan(b, "output");
    nft_rule(b, "output");
    nft_rule_end(b, &drop_counted);
}

/* What passes through this computer: guests and containers. */
static void forward(struct nft_batch *b, uint32_t flags)
{
    nft_base_chain(b, "forward", NF_INET_FORWARD, true);
    nft_chain_flush(b, "forward");
    jump(b, "forward", "holders");
    if (flags & L2TPC_HOST_BLOCK_LAN)
        lan(b, "forward");
    nft_rule(b, "forward");
    nft_rule_end(b, &drop_counted);
}

/* Nobody beside the tunnels may talk to an address inside one (CVE-2019-14899). */
static void input(struct nft_batch *b)
{
    nft_base_chain(b, "input", NF_INET_LOCAL_IN, false);
    nft_chain_flush(b, "input");
    pass_ifname(b, "input", NFT_META_IIFNAME, "lo");
    jump(b, "input", "holders");
    jump(b, "input", "addresses");
}

/* The two chains that name all holders, without `except`. */
static void roll(struct nft_batch *b, const struct holders *h, const char *except)
{
    nft_chain(b, "holders", true);
    nft_chain_flush(b, "holders");
    nft_chain(b, "addresses", true);
    nft_chain_flush(b, "addresses");
    for (size_t i = 0; i < h->n; i++) {
        struct chain to = chain_of(HOLD, h->name[i]);
        struct chain at = chain_of(ADDR, h->name[i]);

        if (strcmp(h->name[i], except) == 0)
            continue;
        nft_chain(b, at.name, true);
        jump(b, "holders", to.name);
        jump(b, "addresses", at.name);
    }
}

/* What this holder's tunnel is now; what it was before goes. */
static void holder(struct nft_batch *b, const l2tpc_host_block *q)
{
    struct chain to = chain_of(HOLD, q->tunnel);
    struct chain at = chain_of(ADDR, q->tunnel);
    struct inaddr local;

    nft_chain(b, to.name, true);
    nft_chain_flush(b, to.name);
    nft_chain(b, at.name, true);
    nft_chain_flush(b, at.name);
    if (q->interface[0]) {
        pass_ifname(b, to.name, NFT_META_OIFNAME, q->interface);
        pass_ifname(b, to.name, NFT_META_IIFNAME, q->interface);
    }
    if (q->asker) {
        pass_socket(b, to.name, NFT_META_SKUID, q->asker, IPPROTO_UDP, 53);
        pass_lookups(b, to.name, NFT_META_SKUID, q->asker);
    }
    if (host_addr_read(&local, &q->local)) {
        nft_rule(b, at.name);
        nft_match_to(b, &local, 32);
        nft_rule_end(b, &drop);
    }
}

static int check(const l2tpc_host_block *q, l2tpc_host_reply *reply)
{
    const uint32_t known = L2TPC_HOST_BLOCK_LAN | L2TPC_HOST_BLOCK_LOOKUPS;

    if (memchr(q->tunnel, '\0', sizeof(q->tunnel)) == NULL || !l2tpc_host_name_valid(q->tunnel))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "tunnel");
    if (q->interface[0] && !ifname_valid(q->interface, sizeof(q->interface), false))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "interface");
    if (q->local.family != 0 && q->local.family != 4)
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "local");
    if ((q->flags & ~known) || (q->asker && !(q->flags & L2TPC_HOST_BLOCK_LOOKUPS)))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_REQUEST, "flags");
    return 0;
}

/* What a program has sent before the block and waits for a neighbour's address is behind every hook
 * of the filter: it would leave when the neighbour answers. */
static int drop_waiting(l2tpc_host *h, l2tpc_host_reply *reply)
{
    int rc = h->nl ? 0 : net_open(&h->nl);

    if (rc == 0)
        rc = net_waiting_drop(h->nl);
    return rc == 0 ? 0
                   : reply_fail(reply, rc, L2TPC_HOST_SENTENCE_BLOCK, "neighbours: %s",
                                strerrorname_np(-rc));
}

/* One transaction: at no time is there less than the table before or the table after. */
static int hold(l2tpc_host *h, const l2tpc_host_block *q, struct holders *all,
                l2tpc_host_reply *reply)
{
    int rc = holders_read(all);
    bool fresh = !holds(all, q->tunnel);
    struct nft_batch b;

    if (rc < 0)
        return blocked_by(reply, rc);
    if (fresh) {
        if (all->n == ARRAY_LEN(all->name))
            return reply_fail(reply, -ENOSPC, L2TPC_HOST_SENTENCE_TOO_MANY, "holders");
        memcpy(all->name[all->n++], q->tunnel, strlen(q->tunnel) + 1);
    }
    nft_begin(&b);
    nft_table(&b, true);
    nft_counter(&b, COUNTER);
    holder(&b, q);
    roll(&b, all, "");
    output(&b, h->mark, q->flags);
    forward(&b, q->flags);
    input(&b);
    rc = nft_commit(&b);
    if (rc == 0 && fresh)
        return drop_waiting(h, reply);
    return blocked_by(reply, rc);
}

static int let_go(const char *tunnel, struct holders *all, l2tpc_host_reply *reply)
{
    int rc = holders_read(all);
    struct nft_batch b;

    if (rc < 0)
        return blocked_by(reply, rc);
    if (!all->table || (tunnel[0] && !holds(all, tunnel)))
        return reply_fail(reply, -ENOENT, L2TPC_HOST_SENTENCE_NOT_FOUND, "%s", tunnel);
    nft_begin(&b);
    if (tunnel[0] && all->n > 1) {
        struct chain to = chain_of(HOLD, tunnel);
        struct chain at = chain_of(ADDR, tunnel);

        roll(&b, all, tunnel);
        nft_chain(&b, to.name, false);
        nft_chain(&b, at.name, true); /* or there might be none to take away */
        nft_chain(&b, at.name, false);
    } else {
        nft_table(&b, false);
    }
    return blocked_by(reply, nft_commit(&b));
}

/* Who takes hold and who lets go exclude each other, or the last one to go takes the table away
 * from the next. */
static int locked(l2tpc_host *h, struct run *out, struct holders **out_all, l2tpc_host_reply *reply)
{
    int rc;

    *out_all = calloc(1, sizeof(**out_all));
    if (!*out_all)
        return blocked_by(reply, -ENOMEM);
    rc = run_open(h, out);
    if (rc == 0)
        return 0;
    free(*out_all);
    return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%s", strerrorname_np(-rc));
}

int serve_block(l2tpc_host *h, const l2tpc_host_block *q, l2tpc_host_reply *reply)
{
    struct holders *all = NULL;
    struct run run;
    int rc = check(q, reply);

    if (rc == 0)
        rc = locked(h, &run, &all, reply);
    if (rc < 0)
        return rc;
    rc = hold(h, q, all, reply);
    run_close(&run);
    free(all);
    return rc;
}

int serve_unblock(l2tpc_host *h, const l2tpc_host_unblock *q, l2tpc_host_reply *reply)
{
    struct holders *all;
    struct run run;
    int rc;

    if (memchr(q->tunnel, '\0', sizeof(q->tunnel)) == NULL ||
        (q->tunnel[0] && !l2tpc_host_name_valid(q->tunnel)))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "tunnel");
    rc = locked(h, &run, &all, reply);
    if (rc < 0)
        return rc;
    rc = let_go(q->tunnel, all, reply);
    run_close(&run);
    free(all);
    return rc;
}

int serve_block_read(l2tpc_host_reply *reply)
{
    struct holders *all = calloc(1, sizeof(*all));
    size_t n = 0;

    if (!all)
        return blocked_by(reply, -ENOMEM);
    if (holders_read(all) < 0) /* who may not look has none to lift either */
        all->n = 0;
    if (all->n > 0 && nft_counter_read(COUNTER, &reply->clear) < 0)
        reply->clear = 0;
    reply->observer = (uint32_t)all->n;
    for (size_t i = 0; i < all->n; i++) {
        int more = snprintf(reply->detail + n, sizeof(reply->detail) - n, "%s%s", n ? " " : "",
                            all->name[i]);

        n += more > 0 && (size_t)more < sizeof(reply->detail) - n ? (size_t)more : 0;
    }
    free(all);
    return 0;
}
