/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose memory OpenSSL works in: one answer for the whole process. */
#include "crypto/crypto.h"

#include <openssl/crypto.h>

bool crypto_set_memory(void *(*take)(size_t n, const char *file, int line),
                       void *(*change)(void *p, size_t n, const char *file, int line),
                       void (*give)(void *p, const char *file, int line))
{
    CRYPTO_malloc_fn now;

    CRYPTO_get_mem_functions(&now, NULL, NULL);
    return now == take || CRYPTO_set_mem_functions(take, change, give) == 1;
}
