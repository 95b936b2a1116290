/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program may want of the whole process, and a library must not do by itself. */
#include "api/internal.h"
#include "io/heap.h"

int l2tpc_protect_crypto(void)
{
    if (!heap_start())
        return L2TPC_ENOMEM;
    return heap_serve_crypto() ? L2TPC_OK : L2TPC_ESTATE;
}
