/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One transaction: messages between BATCH_BEGIN and BATCH_END, in one datagram. */
#include "host/nft.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Behind netinet/in.h: the kernel's headers leave out then what that has. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* Some hundred holders; below what a socket sends in one piece by default. */
#define BATCH_MAX (192u * 1024u)
#define PRIORITY 10 /* behind the filters of others: what they drop is not ours to count */

static int nle_errno(int nle)
{
    switch (-nle) {
    case NLE_NOMEM:
        return -ENOMEM;
    case NLE_PERM:
        return -EPERM;
    case NLE_NOACCESS:
        return -EACCES;
    case NLE_AF_NOSUPPORT:
    case NLE_PROTO_MISMATCH:
        return -EOPNOTSUPP;
    default:
        return -EIO;
    }
}

int nft_socket(struct nl_sock **out)
{
    struct nl_sock *s = nl_socket_alloc();
    int on = 1;
    int rc;

    if (!s)
        return -ENOMEM;
    rc = nl_connect(s, NETLINK_NETFILTER);
    if (rc < 0) {
        nl_socket_free(s);
        return nle_errno(rc);
    }
    (void)nl_socket_set_buffer_size(s, 0, BATCH_MAX);
    /* An error need not bring the whole request back. */
    (void)setsockopt(nl_socket_get_fd(s), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    *out = s;
    return 0;
}

static struct nl_msg *headed(int type, int flags, uint8_t family, uint16_t res_id)
{
    struct nfgenmsg head = {
        .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htobe16(res_id)};
    struct nl_msg *msg = nlmsg_alloc_simple(type, flags | NLM_F_REQUEST);

    if (msg && nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

struct nl_msg *nft_message(uint16_t type, uint16_t flags)
{
    return headed(NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
}

static bool grow(struct nft_batch *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 4096;
    uint8_t *bytes;

    while (cap < b->n + more && cap < BATCH_MAX)
        cap *= 2;
    if (cap < b->n + more) {
        b->error = -ENOBUFS;
        return false;
    }
    bytes = cap > b->cap ? realloc(b->bytes, cap) : b->bytes;
    if (!bytes) {
        b->error = -ENOMEM;
        return false;
    }
    b->bytes = bytes;
    b->cap = cap;
    return true;
}

/* Takes a message, NULL: there was no memory for it. */
static void add(struct nft_batch *b, struct nl_msg *msg)
{
    struct nlmsghdr *head = msg ? nlmsg_hdr(msg) : NULL;
    size_t n = head ? NLMSG_ALIGN(head->nlmsg_len) : 0;

    if (!msg && b->error == 0)
        b->error = -ENOMEM;
    if (msg && b->error == 0 && grow(b, n)) {
        head->nlmsg_seq = b->seq++;
        memset(b->bytes + b->n, 0, n);
        memcpy(b->bytes + b->n, head, head->nlmsg_len);
        b->n += n;
    }
    nlmsg_free(msg);
}

void nft_begin(struct nft_batch *b)
{
    *b = (struct nft_batch){.seq = 1};
    add(b, headed(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

struct answer {
    bool done;
    int error;
};

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
    struct answer *a = arg;

    (void)from;
    a->error = e->error;
    a->done = true;
    return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
    struct answer *a = arg;

    (void)msg;
    a->done = true;
    return NL_STOP;
}

/* The socket is this transaction's own: all that comes belongs to it. */
static int on_seq(struct nl_msg *msg, void *arg)
{
    (void)msg;
    (void)arg;
    return NL_OK;
}

/* The first word counts: an error of any message, or that the last one has been done. */
static int answered(struct nl_sock *s)
{
    struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
    struct answer a = {.done = false};
    int rc = 0;

    if (!cb)
        return -ENOMEM;
    nl_cb_err(cb, NL_CB_CUSTOM, on_error, &a);
    nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq, NULL);
    nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, &a);
    while (rc >= 0 && !a.done)
        rc = nl_recvmsgs(s, cb);
    nl_cb_put(cb);
    return a.done ? a.error : nle_errno(rc);
}

static int send_all(const struct nft_batch *b)
{
    struct nl_sock *s = NULL;
    int rc = nft_socket(&s);

    if (rc < 0)
        return rc;
    rc = nl_sendto(s, b->bytes, b->n);
    rc = rc < 0 ? nle_errno(rc) : answered(s);
    nl_socket_free(s);
    return rc;
}

/* Only the last message asks for an answer; errors come unasked. */
static void ask_for_answer(struct nft_batch *b, size_t last)
{
    struct nlmsghdr head;

    memcpy(&head, b->bytes + last, sizeof(head));
    head.nlmsg_flags |= NLM_F_ACK;
    memcpy(b->bytes + last, &head, sizeof(head));
}

int nft_commit(struct nft_batch *b)
{
    size_t at = 0;
    size_t last = 0;
    int rc;

    while (b->error == 0 && at < b->n) {
        struct nlmsghdr head;

        memcpy(&head, b->bytes + at, sizeof(head));
        last = at;
        at += NLMSG_ALIGN(head.nlmsg_len);
    }
    if (b->error == 0)
        ask_for_answer(b, last);
    add(b, headed(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    nlmsg_free(b->rule);
    rc = b->error ? b->error : send_all(b);
    free(b->bytes);
    *b = (struct nft_batch){.error = -EINVAL};
    return rc;
}

/* ---- what a table consists of ---- */

/* A message about something of the table: its two names, which every kind has under numbers of its
 * own. */
static struct nl_msg *named(uint16_t type, uint16_t flags, int table_attr, int name_attr,
                            const char *name)
{
    struct nl_msg *msg = nft_message(type, flags);

    if (msg && (nla_put_string(msg, table_attr, NFT_TABLE) < 0 ||
                (name && nla_put_string(msg, name_attr, name) < 0))) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

static bool put_be32(struct nl_msg *msg, int type, uint32_t v)
{
    return nla_put_u32(msg, type, htobe32(v)) >= 0;
}

void nft_table(struct nft_batch *b, bool there)
{
    add(b, named(there ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE, there ? NLM_F_CREATE : 0,
                 NFTA_TABLE_NAME, 0, NULL));
}

void nft_chain(struct nft_batch *b, const char *name, bool there)
{
    add(b, named(there ? NFT_MSG_NEWCHAIN : NFT_MSG_DELCHAIN, there ? NLM_F_CREATE : 0,
                 NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, name));
}

static bool put_hook(struct nl_msg *msg, uint32_t hook, bool drop)
{
    struct nlattr *nest = nla_nest_start(msg, NFTA_CHAIN_HOOK);

    if (!nest || !put_be32(msg, NFTA_HOOK_HOOKNUM, hook) ||
        !put_be32(msg, NFTA_HOOK_PRIORITY, PRIORITY))
        return false;
    nla_nest_end(msg, nest);
    return put_be32(msg, NFTA_CHAIN_POLICY, drop ? NF_DROP : NF_ACCEPT) &&
           nla_put_string(msg, NFTA_CHAIN_TYPE, "filter") >= 0;
}

void nft_base_chain(struct nft_batch *b, const char *name, uint32_t hook, bool drop)
{
    struct nl_msg *msg =
        named(NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, name);

    if (msg && !put_hook(msg, hook, drop)) {
        nlmsg_free(msg);
        msg = NULL;
    }
    add(b, msg);
}

void nft_chain_flush(struct nft_batch *b, const char *name)
{
    add(b, named(NFT_MSG_DELRULE, 0, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, name));
}

void nft_counter(struct nft_batch *b, const char *name)
{
    struct nl_msg *msg = named(NFT_MSG_NEWOBJ, NLM_F_CREATE, NFTA_OBJ_TABLE, NFTA_OBJ_NAME, name);
    struct nlattr *nest = NULL;

    if (msg && put_be32(msg, NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER))
        nest = nla_nest_start(msg, NFTA_OBJ_DATA);
    if (!nest || nla_put_u64(msg, NFTA_COUNTER_PACKETS, 0) < 0) {
        nlmsg_free(msg);
        msg = NULL;
    } else {
        nla_nest_end(msg, nest);
    }
    add(b, msg);
}

void nft_rule(struct nft_batch *b, const char *chain)
{
    nlmsg_free(b->rule);
    b->rule = named(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, NFTA_RULE_TABLE, NFTA_RULE_CHAIN,
                    chain);
    b->list = b->rule ? nla_nest_start(b->rule, NFTA_RULE_EXPRESSIONS) : NULL;
    if (!b->list && b->error == 0)
        b->error = -ENOMEM;
}

void nft_rule_add(struct nft_batch *b)
{
    struct nl_msg *msg = b->rule;

    if (b->error == 0)
        nla_nest_end(msg, b->list);
    b->rule = NULL;
    add(b, msg);
}
