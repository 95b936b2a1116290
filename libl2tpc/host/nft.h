/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nf_tables by nfnetlink messages of our own: a transaction of one table of family inet, and what
 * stands in it. A call that fails inside a transaction makes nft_commit() fail; nothing of it is
 * done then. */
#ifndef L2TPC_HOST_NFT_H
#define L2TPC_HOST_NFT_H

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nl_msg;
struct nlattr;

#define NFT_TABLE "l2tpc-block"

struct nft_batch {
    uint8_t *bytes; /* whole messages */
    size_t n, cap;
    uint32_t seq;
    struct nl_msg *rule; /* being built, with its open list of expressions */
    struct nlattr *list;
    int error; /* the first one, negative */
};

/* nft_batch.c */
void nft_begin(struct nft_batch *b);
/* 0 or a negative errno value, the kernel's own where it gave one; frees in any case. */
int nft_commit(struct nft_batch *b);
void nft_table(struct nft_batch *b, bool add); /* what is there already may be added again */
void nft_chain(struct nft_batch *b, const char *name, bool add);
void nft_base_chain(struct nft_batch *b, const char *name, uint32_t hook, bool drop);
void nft_chain_flush(struct nft_batch *b, const char *name);
void nft_counter(struct nft_batch *b, const char *name);
void nft_rule(struct nft_batch *b, const char *chain);
void nft_rule_add(struct nft_batch *b); /* what nft_rule() has begun */

/* nft_rule.c: nft_rule(), what must match, and nft_rule_end() with what is done then. */
struct nft_verdict {
    int32_t code;        /* NF_ACCEPT, NF_DROP, NFT_JUMP */
    const char *chain;   /* NFT_JUMP */
    const char *counter; /* NULL, or the named counter that counts it */
};
void nft_match_u8(struct nft_batch *b, uint32_t meta, uint8_t value);
void nft_match_ifname(struct nft_batch *b, uint32_t meta, const char *name);
void nft_match_u32(struct nft_batch *b, uint32_t meta, uint32_t value); /* mark, user */
void nft_match_port(struct nft_batch *b, bool destination, uint16_t port);
void nft_match_icmpv6(struct nft_batch *b, uint8_t type);
void nft_match_to(struct nft_batch *b, const struct inaddr *prefix, uint8_t len);
void nft_rule_end(struct nft_batch *b, const struct nft_verdict *verdict);

/* nft_read.c */
/* Each chain of the table, and NULL when the list begins or has to begin again. 0 or a negative
 * errno value, -EOPNOTSUPP: a kernel without nf_tables. No chain at all: there is no table. */
int nft_chains_read(void (*each)(void *out, const char *name), void *out);
int nft_counter_read(const char *name, uint64_t *out_packets);

/* What the two ends of a transaction share: a socket, and a message with its header. */
struct nl_sock;
int nft_socket(struct nl_sock **out);
struct nl_msg *nft_message(uint16_t type, uint16_t flags);

#endif
