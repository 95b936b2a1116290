/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/vault.h"

#include "base/secret.h"

#include <stdlib.h>

void *vault_take(const struct vault *v, size_t n)
{
    return v ? v->take(v->ctx, n) : calloc(1, n);
}

void vault_give(const struct vault *v, void *p, size_t n)
{
    if (!p)
        return;
    if (v)
        v->give(v->ctx, p, n);
    else
        wipe_free(p, n);
}
