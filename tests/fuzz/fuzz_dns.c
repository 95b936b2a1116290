/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names to be asked for, and answers of anybody. First byte: the type, and which of both. */
#include "fuzz.h"

#include "io/dns_wire.h"

#include <string.h>

#define CAP 4

static void question(struct span raw)
{
    char *name = fuzz_text(raw);
    uint8_t query[DNS_QUERY_MAX];
    size_t n = 0;

    if (dns_query(name, DNS_A, 7, query, &n))
        FUZZ_REQUIRE(n >= 12 + 2 + 4 && n <= DNS_QUERY_MAX && n <= strlen(name) + 2 + 12 + 4);
    free(name);
}

/* With our question put where it belongs, so that the rest is read, too. */
static void answer(struct span raw, enum dns_type type)
{
    uint8_t query[DNS_QUERY_MAX];
    struct inaddr a[CAP];
    struct mspan m;
    size_t n = 0;
    unsigned found = 0;

    FUZZ_REQUIRE(dns_query("gate.lab", type, 0x1234, query, &n));
    m = fuzz_copy(raw);
    if (m.n > n) {
        memcpy(m.p, query, 2);
        memcpy(m.p + 12, query + 12, n - 12);
    }
    if (dns_answer(span_of(query, n), span_ro(m), a, CAP, &found)) {
        FUZZ_REQUIRE(found <= CAP);
        for (unsigned i = 0; i < found; i++)
            FUZZ_REQUIRE(a[i].family == (type == DNS_A ? 4 : 6));
    }
    free(m.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (data[0] & 2)
        question(span_of(data + 1, size - 1));
    else
        answer(span_of(data + 1, size - 1), data[0] & 1 ? DNS_AAAA : DNS_A);
    return 0;
}
