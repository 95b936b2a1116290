/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal of the host library: any text is read, and what was read whole is written back. */
#include "fuzz.h"

#include "host/journal.h"

#include <string.h>

static void check_plan(const struct plan *p)
{
    FUZZ_REQUIRE(p->n_items <= HOST_ITEMS_MAX);
    FUZZ_REQUIRE(memchr(p->tunnel, '\0', sizeof(p->tunnel)));
    FUZZ_REQUIRE(p->tunnel[0] == '\0' || l2tpc_host_name_valid(p->tunnel));
    FUZZ_REQUIRE(memchr(p->interface, '\0', sizeof(p->interface)));
    FUZZ_REQUIRE(!p->has_slot || p->slot < L2TPC_HOST_TUNNELS_MAX);
    FUZZ_REQUIRE(!p->has_owner || p->owner_pid > 0);
    for (size_t i = 0; i < p->n_items; i++) {
        const struct item *m = &p->item[i];

        FUZZ_REQUIRE(m->kind <= ITEM_RESOLVED && memchr(m->name, '\0', sizeof(m->name)));
        FUZZ_REQUIRE(!strchr(m->name, '/') && strcmp(m->name, "..") != 0);
        FUZZ_REQUIRE(m->dst_len <= 8 * inaddr_len(&m->dst));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mspan text = fuzz_copy(span_of(data, size));
    struct plan *a = malloc(sizeof(*a));
    struct plan *b = malloc(sizeof(*b));
    char *once = malloc(JOURNAL_MAX);
    char *twice = malloc(JOURNAL_MAX);
    size_t n;
    size_t m;

    FUZZ_REQUIRE(a && b && once && twice);
    journal_parse(a, span_ro(text));
    check_plan(a);
    if (a->whole && journal_format(a, once, JOURNAL_MAX, &n)) {
        journal_parse(b, span_of(once, n));
        check_plan(b);
        FUZZ_REQUIRE(b->whole && b->n_items == a->n_items);
        FUZZ_REQUIRE(journal_format(b, twice, JOURNAL_MAX, &m) && m == n);
        FUZZ_REQUIRE(memcmp(once, twice, n) == 0);
    }
    free(text.p);
    free(a);
    free(b);
    free(once);
    free(twice);
    return 0;
}
