/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in the table. */
#include "host/nft.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

/* Somebody else changed tables while they were listed. */
#define TRIES 16

struct question {
    bool done, torn;
    int error;
    void (*parse)(struct question *q, struct nlmsghdr *n);
    void (*each)(void *out, const char *name);
    void *out;
};

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
    struct question *q = arg;

    (void)from;
    q->error = e->error;
    q->done = true;
    return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
    struct question *q = arg;

    (void)msg;
    q->done = true;
    return NL_STOP;
}

static int on_torn(struct nl_msg *msg, void *arg)
{
    struct question *q = arg;

    (void)msg;
    q->torn = true;
    return NL_OK;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
    struct question *q = arg;

    if (!q->torn && NFNL_SUBSYS_ID(nlmsg_hdr(msg)->nlmsg_type) == NFNL_SUBSYS_NFTABLES)
        q->parse(q, nlmsg_hdr(msg));
    return NL_OK;
}

static struct nl_cb *callbacks(struct question *q)
{
    struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

    if (!cb)
        return NULL;
    nl_cb_err(cb, NL_CB_CUSTOM, on_error, q);
    nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, q);
    nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, q);
    nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_torn, q);
    nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, q);
    return cb;
}

/* Sends and frees `msg`, and waits for the end of the answer. */
static int ask(struct nl_msg *msg, struct question *q)
{
    struct nl_sock *s = NULL;
    struct nl_cb *cb = msg ? callbacks(q) : NULL;
    int rc = cb ? nft_socket(&s) : -ENOMEM;

    if (rc == 0) {
        rc = nl_send_auto(s, msg) < 0 ? -EIO : 0;
        while (rc >= 0 && !q->done)
            rc = nl_recvmsgs(s, cb) < 0 && !q->done ? -EIO : 0;
        if (rc == 0)
            rc = q->torn ? -EINTR : q->error;
    }
    if (s)
        nl_socket_free(s);
    nl_cb_put(cb);
    nlmsg_free(msg);
    return rc;
}

static bool is_ours(const struct nlattr *table)
{
    return table && nla_strcmp(table, NFT_TABLE) == 0;
}

static void parse_chain(struct question *q, struct nlmsghdr *n)
{
    struct nlattr *tb[NFTA_CHAIN_MAX + 1];
    char name[NFT_CHAIN_MAXNAMELEN];

    if (NFNL_MSG_TYPE(n->nlmsg_type) != NFT_MSG_NEWCHAIN ||
        nlmsg_parse(n, sizeof(struct nfgenmsg), tb, NFTA_CHAIN_MAX, NULL) < 0 ||
        !is_ours(tb[NFTA_CHAIN_TABLE]) || !tb[NFTA_CHAIN_NAME])
        return;
    if (nla_strlcpy(name, tb[NFTA_CHAIN_NAME], sizeof(name)) < sizeof(name))
        q->each(q->out, name);
}

int nft_chains_read(void (*each)(void *out, const char *name), void *out)
{
    for (unsigned i = 0; i < TRIES; i++) {
        struct question q = {.parse = parse_chain, .each = each, .out = out};
        int rc;

        each(out, NULL);
        rc = ask(nft_message(NFT_MSG_GETCHAIN, NLM_F_DUMP), &q);
        if (rc == -EINVAL) /* how nfnetlink says that it knows of no such subsystem */
            return -EOPNOTSUPP;
        if (rc != -EINTR)
            return rc;
    }
    return -EAGAIN;
}

static void parse_counter(struct question *q, struct nlmsghdr *n)
{
    struct nlattr *tb[NFTA_OBJ_MAX + 1];
    struct nlattr *data[NFTA_COUNTER_MAX + 1];
    uint64_t *packets = q->out;

    if (NFNL_MSG_TYPE(n->nlmsg_type) != NFT_MSG_NEWOBJ ||
        nlmsg_parse(n, sizeof(struct nfgenmsg), tb, NFTA_OBJ_MAX, NULL) < 0 || !tb[NFTA_OBJ_DATA] ||
        nla_parse_nested(data, NFTA_COUNTER_MAX, tb[NFTA_OBJ_DATA], NULL) < 0 ||
        !data[NFTA_COUNTER_PACKETS] || nla_len(data[NFTA_COUNTER_PACKETS]) != (int)sizeof(*packets))
        return;
    memcpy(packets, nla_data(data[NFTA_COUNTER_PACKETS]), sizeof(*packets));
    *packets = be64toh(*packets);
}

int nft_counter_read(const char *name, uint64_t *out_packets)
{
    struct question q = {.parse = parse_counter, .out = out_packets};
    struct nl_msg *msg = nft_message(NFT_MSG_GETOBJ, NLM_F_ACK);

    if (msg && (nla_put_string(msg, NFTA_OBJ_TABLE, NFT_TABLE) < 0 ||
                nla_put_string(msg, NFTA_OBJ_NAME, name) < 0 ||
                nla_put_u32(msg, NFTA_OBJ_TYPE, htobe32(NFT_OBJECT_COUNTER)) < 0)) {
        nlmsg_free(msg);
        msg = NULL;
    }
    return ask(msg, &q);
}
