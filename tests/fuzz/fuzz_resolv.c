/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A resolv.conf written anew around whatever stood there. First bytes: the servers and domains of
 * the tunnel, the flags, the room.
 */
#include "fuzz.h"

#include "host/journal.h"
#include "host/resolver.h"

#include <string.h>

static void fill(l2tpc_host_apply_ip *q, uint8_t how, uint8_t flags)
{
    memset(q, 0, sizeof(*q));
    (void)snprintf(q->tunnel, sizeof(q->tunnel), "work");
    (void)snprintf(q->interface, sizeof(q->interface), "l2tp0");
    q->flags = flags & 15u;
    q->n_dns = how % (L2TPC_HOST_DNS_MAX + 1);
    q->n_search = (how >> 3) % (L2TPC_HOST_SEARCH_MAX + 1);
    for (uint32_t i = 0; i < q->n_dns; i++) {
        q->dns[i].family = (how >> i) & 16 ? 6 : 4;
        q->dns[i].prefix_len = q->dns[i].family == 6 ? 128 : 32;
        memset(q->dns[i].bytes, (int)(10 + i), sizeof(q->dns[i].bytes));
    }
    for (uint32_t i = 0; i < q->n_search; i++)
        (void)snprintf(q->search[i], sizeof(q->search[i]), "d%u.example", i);
}

static void check_text(struct span text)
{
    unsigned servers = 0;

    FUZZ_REQUIRE(text.n > 0 && text.p[text.n - 1] == '\n');
    for (size_t i = 0; i + 11 <= text.n; i++)
        if ((i == 0 || text.p[i - 1] == '\n') && memcmp(text.p + i, "nameserver ", 11) == 0)
            servers++;
    FUZZ_REQUIRE(servers <= 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    l2tpc_host_apply_ip q;
    struct mspan old;
    uint8_t how;
    uint8_t flags;
    uint8_t room;
    size_t cap;
    size_t n = 0;
    char *out;

    if (!rd_u8(&r, &how) || !rd_u8(&r, &flags) || !rd_u8(&r, &room))
        return 0;
    fill(&q, how, flags);
    old = fuzz_copy(rd_rest(&r));
    cap = room == 0xff ? RUN_FILE_MAX : 1 + room * 8u;
    out = malloc(cap);
    FUZZ_REQUIRE(out);
    if (resolv_compose(&q, span_ro(old), out, cap, &n)) {
        FUZZ_REQUIRE(n <= cap);
        check_text(span_of(out, n));
    }
    free(out);
    free(old.p);
    return 0;
}
