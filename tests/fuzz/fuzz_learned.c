/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was learned, as text from a disk: what can be read comes out the same when written again. */
#include "fuzz.h"

#include "dial/learned.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[LEARNED_TEXT_MAX];
    static char again[LEARNED_TEXT_MAX];
    struct mspan copy = fuzz_copy(span_of(data, size));
    struct learned l;
    struct learned m;
    size_t n;

    if (learned_parse(span_ro(copy), &l)) {
        n = learned_text(&l, text, sizeof(text));
        FUZZ_REQUIRE(n > 0 && n < sizeof(text));
        FUZZ_REQUIRE(learned_parse(span_of((const uint8_t *)text, n), &m));
        FUZZ_REQUIRE(learned_text(&m, again, sizeof(again)) == n && memcmp(text, again, n) == 0);
        FUZZ_REQUIRE(learned_text(&l, again, n) == 0); /* no room for the NUL */
    } else {
        memset(&m, 0, sizeof(m));
        FUZZ_REQUIRE(memcmp(&l, &m, sizeof(l)) == 0);
    }
    free(copy.p);
    return 0;
}
