/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one function that libFuzzer calls, in front of the target. */
#include "fuzz.h"

#include <string.h>

int FUZZ_TARGET(const uint8_t *data, size_t size);

/* The suite's sabotage: a bug that any ordinary input meets. It must turn the suite red. */
static bool sabotaged(void)
{
    const char *s = getenv("L2TPC_SABOTAGE");

    return s && strcmp(s, "1") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 8 && sabotaged())
        abort();
    return FUZZ_TARGET(data, size);
}
