/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The meter takes any bytes as a key, and the generator any bytes as randomness. */
#include "fuzz.h"

#include "base/psk_meter.h"

#include <string.h>

/* Long keys are for the unit tests: the time grows with the square. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mspan psk = fuzz_copy(span_of(data, size < 160 ? size : 160));
    struct psk_strength s = psk_measure(span_ro(psk));
    char key[PSK_GENERATED_LEN + 1];

    FUZZ_REQUIRE(s.bits <= 8 * psk.n && s.classes <= 4);
    FUZZ_REQUIRE((psk.n == 0) == (s.classes == 0));
    FUZZ_REQUIRE(!s.old_rules || psk.n >= 8);
    if (psk_generate(span_ro(psk), key))
        FUZZ_REQUIRE(strlen(key) == PSK_GENERATED_LEN);
    else
        FUZZ_REQUIRE(strlen(key) < PSK_GENERATED_LEN);
    free(psk.p);
    return 0;
}
