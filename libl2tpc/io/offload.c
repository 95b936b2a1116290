/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/offload.h"

#include <stdlib.h>
#include <string.h>

struct offload offload_wanted(void)
{
    const char *without = getenv("L2TPC_TEST_PLANE");

    if (!without)
        return OFFLOAD_ALL;
    if (strcmp(without, "naive") == 0)
        return (struct offload){0};
    return (struct offload){
        .tso = !strstr(without, "no-tso"),
        .gso = !strstr(without, "no-gso"),
        .gro = !strstr(without, "no-gro"),
        .coalesce = !strstr(without, "no-coalesce"),
        .batch = true,
    };
}
