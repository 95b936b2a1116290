/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/vendor.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t n;
    const char *bytes;
} vendors[] = {
#define VENDOR(id, name, n, bytes) [VENDOR_##id] = {name, n, bytes},
#include "ike/vendor.def"
#undef VENDOR
};

enum vendor_id vendor_find(struct span id)
{
    for (size_t i = 0; i < ARRAY_LEN(vendors); i++)
        if (id.n >= vendors[i].n &&
            span_eq(span_of(id.p, vendors[i].n), span_of(vendors[i].bytes, vendors[i].n)))
            return (enum vendor_id)i;
    return VENDOR_UNKNOWN;
}

const char *vendor_name(enum vendor_id id)
{
    return (unsigned)id < ARRAY_LEN(vendors) ? vendors[id].name : NULL;
}

enum vendor_id vendor_named(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(vendors); i++)
        if (span_eq(name, span_str(vendors[i].name)))
            return (enum vendor_id)i;
    return VENDOR_UNKNOWN;
}

struct span vendor_prefix(enum vendor_id id)
{
    return (unsigned)id < ARRAY_LEN(vendors) ? span_of(vendors[id].bytes, vendors[id].n)
                                             : SPAN_NONE;
}

struct span vendor_bytes(enum vendor_id id)
{
    /* RFC 3706 5.1: major version 1, minor version 0 follow the hash. */
    static const uint8_t dpd[16] = {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9,
                                    0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00};

    /* The bits that follow are those of racoon, strongSwan and Windows. */
    static const uint8_t fragmentation[20] = {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8,
                                              0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6,
                                              0xc2, 0xd3, 0x80, 0x00, 0x00, 0x00};

    if (id == VENDOR_DPD)
        return SPAN_ARRAY(dpd);
    if (id == VENDOR_FRAGMENTATION)
        return SPAN_ARRAY(fragmentation);
    return vendor_prefix(id);
}

void vendor_keep(char text[][VENDOR_TEXT_MAX], struct ike_vendor_bytes *bytes, unsigned *n,
                 struct span id)
{
    const char *name = vendor_name(vendor_find(id));
    char said[VENDOR_TEXT_MAX];

    if (name)
        (void)snprintf(said, sizeof(said), "%s", name);
    else
        text_hex(said, sizeof(said), id);
    for (unsigned i = 0; i < *n; i++)
        if (strcmp(text[i], said) == 0)
            return;
    if (*n == IKE_VENDOR_IDS_KEPT)
        return;
    memcpy(text[*n], said, sizeof(said));
    bytes[*n].n = id.n;
    for (size_t i = 0; i < id.n && i < sizeof(bytes->bytes); i++)
        bytes[*n].bytes[i] = id.p[i];
    (*n)++;
}
