/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As much DNS as asking a recursive server for addresses takes (RFC 1035 4); pure functions. */
#ifndef L2TPC_IO_DNS_WIRE_H
#define L2TPC_IO_DNS_WIRE_H

#include "base/addr.h"

#define DNS_QUERY_MAX 300  /* a header, the longest name, type and class */
#define DNS_ANSWER_MAX 512 /* without EDNS a server sends no more over UDP (RFC 1035 4.2.1) */

enum dns_type {
    DNS_A = 1,
    DNS_AAAA = 28,
};

/* False for what is no host name in ASCII. */
bool dns_query(const char *name, enum dns_type type, uint16_t id, uint8_t out[DNS_QUERY_MAX],
               size_t *n) MUST_USE;
/*
 * The answer to exactly this query: false when it is another's, or broken. Addresses are those of
 * the type that was asked for, whatever name they stand under: the server has followed aliases.
 * None is an answer, too.
 */
bool dns_answer(struct span query, struct span message, struct inaddr *out, unsigned cap,
                unsigned *n) MUST_USE;

#endif
