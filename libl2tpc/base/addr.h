/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses in host terms: family 4 or 6, bytes in network order, port in host order. */
#ifndef L2TPC_BASE_ADDR_H
#define L2TPC_BASE_ADDR_H

#include "base/span.h"

/* Long enough for any address, with port and scope, as text. */
#define ADDR_TEXT_MAX 72

struct inaddr {
    uint8_t family; /* 0 none, 4 or 6 */
    uint8_t bytes[16];
};

struct endpoint {
    struct inaddr addr;
    uint16_t port;
    uint32_t scope; /* interface index of a link-local IPv6 address, else 0 */
};

static inline size_t inaddr_len(const struct inaddr *a)
{
    return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

struct inaddr inaddr_v4(uint32_t host_order);
uint32_t inaddr_to_v4(const struct inaddr *a); /* host order; 0 when not IPv4 */
/* From 4 or 16 network-order bytes; false for any other length. */
bool inaddr_from_bytes(struct inaddr *out, struct span bytes) MUST_USE;
bool inaddr_eq(const struct inaddr *a, const struct inaddr *b);
bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
bool inaddr_is_any(const struct inaddr *a);
bool inaddr_is_loopback(const struct inaddr *a);
bool inaddr_is_link_local(const struct inaddr *a);
bool inaddr_is_multicast(const struct inaddr *a); /* the IPv4 broadcast address included */
/* An IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) becomes the IPv4 address that it stands for. */
void inaddr_unmap(struct inaddr *a);
/* Text without and with port ("192.0.2.1:500", "[2001:db8::1]:500"); always NUL-terminated. */
const char *inaddr_text(const struct inaddr *a, char out[ADDR_TEXT_MAX]);
const char *endpoint_text(const struct endpoint *e, char out[ADDR_TEXT_MAX]);
/* A literal of either family, nothing else. */
bool inaddr_parse(struct inaddr *out, const char *text) MUST_USE;

#endif
