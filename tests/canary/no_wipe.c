/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * To be preloaded: wiping that does nothing, as a compiler would make it that sees a store nobody
 * reads. With CANARY_NO_WIPE=long only blocks above 256 bytes are left, so that the self-test of
 * the library sees nothing and the search has to.
 */
#include <stdlib.h>
#include <string.h>

__attribute__((visibility("default"))) void explicit_bzero(void *p, size_t n);
__attribute__((visibility("default"))) void __explicit_bzero_chk(void *p, size_t n, size_t room);

void explicit_bzero(void *p, size_t n)
{
    const char *how = getenv("CANARY_NO_WIPE");
    volatile char *bytes = p;

    if (how && (strcmp(how, "long") != 0 || n > 256))
        return;
    for (size_t i = 0; i < n; i++)
        bytes[i] = 0;
}

void __explicit_bzero_chk(void *p, size_t n, size_t room)
{
    (void)room;
    explicit_bzero(p, n);
}
