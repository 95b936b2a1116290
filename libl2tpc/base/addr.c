/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct inaddr inaddr_v4(uint32_t host_order)
{
    struct inaddr a = {.family = 4};

    a.bytes[0] = (uint8_t)(host_order >> 24);
    a.bytes[1] = (uint8_t)(host_order >> 16);
    a.bytes[2] = (uint8_t)(host_order >> 8);
    a.bytes[3] = (uint8_t)host_order;
    return a;
}

uint32_t inaddr_to_v4(const struct inaddr *a)
{
    if (a->family != 4)
        return 0;
    return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 |
           a->bytes[3];
}

bool inaddr_from_bytes(struct inaddr *out, struct span bytes)
{
    if (bytes.n != 4 && bytes.n != 16)
        return false;
    *out = (struct inaddr){.family = bytes.n == 4 ? 4 : 6};
    memcpy(out->bytes, bytes.p, bytes.n);
    return true;
}

bool inaddr_eq(const struct inaddr *a, const struct inaddr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, inaddr_len(a)) == 0;
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && a->scope == b->scope && inaddr_eq(&a->addr, &b->addr);
}

bool inaddr_is_any(const struct inaddr *a)
{
    static const uint8_t zero[16];

    return memcmp(a->bytes, zero, inaddr_len(a)) == 0;
}

bool inaddr_is_loopback(const struct inaddr *a)
{
    static const uint8_t one[16] = {[15] = 1};

    if (a->family == 4)
        return a->bytes[0] == 127;
    return a->family == 6 && memcmp(a->bytes, one, 16) == 0;
}

bool inaddr_is_link_local(const struct inaddr *a)
{
    if (a->family == 4)
        return a->bytes[0] == 169 && a->bytes[1] == 254;
    return a->family == 6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

bool inaddr_is_multicast(const struct inaddr *a)
{
    if (a->family == 4)
        return (a->bytes[0] & 0xf0) == 0xe0 || inaddr_to_v4(a) == UINT32_MAX;
    return a->family == 6 && a->bytes[0] == 0xff;
}

void inaddr_unmap(struct inaddr *a)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct inaddr four = {.family = 4};

    if (a->family != 6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
        return;
    memcpy(four.bytes, a->bytes + sizeof(mapped), 4);
    *a = four;
}

const char *inaddr_text(const struct inaddr *a, char out[ADDR_TEXT_MAX])
{
    if (a->family == 0 ||
        !inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, out, ADDR_TEXT_MAX))
        out[0] = '\0';
    return out;
}

const char *endpoint_text(const struct endpoint *e, char out[ADDR_TEXT_MAX])
{
    char text[ADDR_TEXT_MAX];

    inaddr_text(&e->addr, text);
    if (e->addr.family == 6)
        (void)snprintf(out, ADDR_TEXT_MAX, "[%.46s]:%u", text, e->port);
    else
        (void)snprintf(out, ADDR_TEXT_MAX, "%.46s:%u", text, e->port);
    return out;
}

bool inaddr_parse(struct inaddr *out, const char *text)
{
    struct inaddr a = {.family = 4};

    if (inet_pton(AF_INET, text, a.bytes) != 1) {
        a = (struct inaddr){.family = 6};
        if (inet_pton(AF_INET6, text, a.bytes) != 1)
            return false;
    }
    *out = a;
    return true;
}
