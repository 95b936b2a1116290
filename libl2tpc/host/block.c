/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kill switch: one nftables table that lets packets out through the tunnels that hold it and
 * nowhere else. It is its own memory: who holds it stands in it as an empty chain, so that no file
 * has to be believed, and it outlives every process.
 */
#include "host/host.h"
#include "host/journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if HAVE_NFTABLES
#include <nftables/libnftables.h>

#define TABLE "inet l2tpc-block"
#define HOLDER "\tchain hold-"

/* A transaction in the words of nft(8): no part of it comes from the network, and the names in it
 * have been checked for what may stand in one. */
struct script {
    char text[4096];
    size_t n;
    bool full;
};

static void say(struct script *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct script *s, const char *fmt, ...)
{
    size_t room = sizeof(s->text) - s->n;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(s->text + s->n, room, fmt, ap);
    va_end(ap);
    s->full = s->full || n < 0 || (size_t)n >= room;
    if (!s->full)
        s->n += (size_t)n;
}

/* 0 or a negative errno value; `out` (at least 1) gets what is printed, or why it failed. */
static int nft(const char *text, char *out, size_t cap)
{
    struct nft_ctx *ctx = nft_ctx_new(NFT_CTX_DEFAULT);
    int rc = -ENOMEM;

    out[0] = '\0';
    if (!ctx)
        return rc;
    if (nft_ctx_buffer_output(ctx) == 0 && nft_ctx_buffer_error(ctx) == 0) {
        errno = 0;
        rc = nft_run_cmd_from_buffer(ctx, text) == 0 ? 0 : errno ? -errno : -EINVAL;
        (void)snprintf(out, cap, "%s",
                       rc == 0 ? nft_ctx_get_output_buffer(ctx) : nft_ctx_get_error_buffer(ctx));
    }
    nft_ctx_free(ctx);
    return rc;
}

static int commit(const struct script *s, l2tpc_host_reply *reply)
{
    char out[1024];
    int rc = s->full ? -ENOBUFS : nft(s->text, out, sizeof(out));

    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_BLOCK, "nftables: %s",
                          strerrorname_np(-rc));
    return 0;
}

static void say_lan(struct script *s, const char *chain)
{
    /* Who asks a name server of the local network tells it what the tunnel is to hide. */
    say(s,
        "add rule " TABLE " %s meta l4proto { tcp, udp } th dport { 53, 853 } counter name "
        "blocked drop\n",
        chain);
    for (size_t i = 0; i < n_private_ranges; i++) {
        char text[ADDR_TEXT_MAX];

        say(s, "add rule " TABLE " %s %s daddr %s/%u accept\n", chain,
            private_ranges[i].addr.family == 4 ? "ip" : "ip6",
            inaddr_text(&private_ranges[i].addr, text), private_ranges[i].len);
    }
    say(s, "add rule " TABLE " %s ip daddr { 224.0.0.0/4, 255.255.255.255 } accept\n", chain);
    say(s, "add rule " TABLE " %s ip6 daddr ff00::/8 accept\n", chain);
}

static void say_output(struct script *s, uint32_t mark, bool lan)
{
    static const char *const passes[] = {
        "oifname lo accept",
        "oifname @tunnels accept",
        "udp sport 68 udp dport 67 accept",
        "udp sport 546 udp dport 547 accept",
        "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept",
    };

    say(s, "add chain " TABLE " output { type filter hook output priority 10; policy drop; }\n");
    say(s, "flush chain " TABLE " output\n");
    for (size_t i = 0; i < ARRAY_LEN(passes); i++)
        say(s, "add rule " TABLE " output %s\n", passes[i]);
    say(s, "add rule " TABLE " output meta mark 0x%x meta l4proto { udp, esp, tcp } accept\n",
        mark);
    if (lan)
        say_lan(s, "output");
    say(s, "add rule " TABLE " output counter name blocked drop\n");
}

/* What passes through this computer: guests and containers. */
static void say_forward(struct script *s, bool lan)
{
    say(s, "add chain " TABLE " forward { type filter hook forward priority 10; policy drop; }\n");
    say(s, "flush chain " TABLE " forward\n");
    say(s, "add rule " TABLE " forward oifname @tunnels accept\n");
    say(s, "add rule " TABLE " forward iifname @tunnels accept\n");
    if (lan)
        say_lan(s, "forward");
    say(s, "add rule " TABLE " forward counter name blocked drop\n");
}

/* Nobody beside the tunnel may talk to the address inside it (CVE-2019-14899). */
static void say_input(struct script *s)
{
    say(s, "add chain " TABLE " input { type filter hook input priority 10; policy accept; }\n");
    say(s, "flush chain " TABLE " input\n");
    say(s, "add rule " TABLE " input iifname lo accept\n");
    say(s, "add rule " TABLE " input iifname != @tunnels ip daddr @addresses drop\n");
}

static int check(const l2tpc_host_block *q, l2tpc_host_reply *reply)
{
    if (memchr(q->tunnel, '\0', sizeof(q->tunnel)) == NULL || !l2tpc_host_name_valid(q->tunnel))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "tunnel");
    if (q->interface[0] && !ifname_valid(q->interface, sizeof(q->interface), false))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "interface");
    if (q->local.family != 0 && q->local.family != 4)
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "local");
    if (q->flags & ~(uint32_t)L2TPC_HOST_BLOCK_LAN)
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_REQUEST, "flags");
    return 0;
}

static int hold(l2tpc_host *h, const l2tpc_host_block *q, l2tpc_host_reply *reply)
{
    bool lan = q->flags & L2TPC_HOST_BLOCK_LAN;
    struct script s = {.n = 0};
    char text[ADDR_TEXT_MAX];
    struct inaddr local;

    say(&s, "add table " TABLE "\n");
    say(&s, "add set " TABLE " tunnels { type ifname; }\n");
    say(&s, "add set " TABLE " addresses { type ipv4_addr; }\n");
    say(&s, "add counter " TABLE " blocked\n");
    say(&s, "add chain " TABLE " hold-%s\n", q->tunnel);
    if (q->interface[0])
        say(&s, "add element " TABLE " tunnels { \"%s\" }\n", q->interface);
    if (host_addr_read(&local, &q->local))
        say(&s, "add element " TABLE " addresses { %s }\n", inaddr_text(&local, text));
    say_output(&s, h->mark, lan);
    say_forward(&s, lan);
    say_input(&s);
    return commit(&s, reply);
}

/* Who takes hold and who lets go exclude each other, or the last one to go takes the table away
 * from the next. */
static int locked(l2tpc_host *h, struct run *out, l2tpc_host_reply *reply)
{
    int rc = run_open(h, out);

    return rc < 0 ? reply_fail(reply, rc, L2TPC_HOST_SENTENCE_JOURNAL, "%s", strerrorname_np(-rc))
                  : 0;
}

int serve_block(l2tpc_host *h, const l2tpc_host_block *q, l2tpc_host_reply *reply)
{
    struct run run;
    int rc = check(q, reply);

    if (rc == 0)
        rc = locked(h, &run, reply);
    if (rc < 0)
        return rc;
    rc = hold(h, q, reply);
    run_close(&run);
    return rc;
}

/* The table as it stands, in the words of nft(8); NULL: there is none. To be freed. */
static char *listing(void)
{
    size_t cap = 65536;
    char *text = malloc(cap);

    if (text && nft("list table " TABLE "\n", text, cap) == 0)
        return text;
    free(text);
    return NULL;
}

/* The next holder's name behind *at; false when there is none. */
static bool next_holder(const char **at, char *out, size_t cap)
{
    const char *p = strstr(*at, HOLDER);
    size_t n;

    if (!p)
        return false;
    p += sizeof(HOLDER) - 1;
    n = strcspn(p, " {\n");
    (void)snprintf(out, cap, "%.*s", (int)n, p);
    *at = p + n;
    return true;
}

/* Without `except`. */
static unsigned count_holders(const char *text, const char *except, bool *out_held)
{
    char name[L2TPC_HOST_NAME_MAX + 1];
    unsigned n = 0;

    *out_held = false;
    while (next_holder(&text, name, sizeof(name))) {
        if (strcmp(name, except) == 0)
            *out_held = true;
        else
            n++;
    }
    return n;
}

static int let_go(const char *tunnel, l2tpc_host_reply *reply)
{
    char *text = listing();
    struct script s = {.n = 0};
    bool held = false;
    unsigned others = text ? count_holders(text, tunnel, &held) : 0;

    free(text);
    if (!text || (tunnel[0] && !held))
        return reply_fail(reply, -ENOENT, L2TPC_HOST_SENTENCE_NOT_FOUND, "%s", tunnel);
    if (tunnel[0] && others > 0)
        say(&s, "delete chain " TABLE " hold-%s\n", tunnel);
    else
        say(&s, "delete table " TABLE "\n");
    return commit(&s, reply);
}

int serve_unblock(l2tpc_host *h, const l2tpc_host_unblock *q, l2tpc_host_reply *reply)
{
    struct run run;
    int rc;

    if (memchr(q->tunnel, '\0', sizeof(q->tunnel)) == NULL ||
        (q->tunnel[0] && !l2tpc_host_name_valid(q->tunnel)))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "tunnel");
    rc = locked(h, &run, reply);
    if (rc < 0)
        return rc;
    rc = let_go(q->tunnel, reply);
    run_close(&run);
    return rc;
}

int serve_block_read(l2tpc_host_reply *reply)
{
    char *text = listing();
    const char *at = text;
    const char *counter = text ? strstr(text, "\tcounter blocked {") : NULL;
    char name[L2TPC_HOST_NAME_MAX + 1];
    size_t n = 0;

    if (counter && (counter = strstr(counter, "packets ")))
        reply->clear = strtoull(counter + strlen("packets "), NULL, 10);
    while (text && next_holder(&at, name, sizeof(name))) {
        int more =
            snprintf(reply->detail + n, sizeof(reply->detail) - n, "%s%s", n ? " " : "", name);

        reply->observer++;
        n += more > 0 && (size_t)more < sizeof(reply->detail) - n ? (size_t)more : 0;
    }
    free(text);
    return 0;
}

#else

static int none(l2tpc_host_reply *reply)
{
    return reply_fail(reply, -EOPNOTSUPP, L2TPC_HOST_SENTENCE_BLOCK, "built without nftables");
}

int serve_block(l2tpc_host *h, const l2tpc_host_block *q, l2tpc_host_reply *reply)
{
    (void)h;
    (void)q;
    return none(reply);
}

int serve_unblock(l2tpc_host *h, const l2tpc_host_unblock *q, l2tpc_host_reply *reply)
{
    (void)h;
    (void)q;
    return none(reply);
}

int serve_block_read(l2tpc_host_reply *reply)
{
    return none(reply);
}
#endif
