/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ct.h"

#include "base/secret.h"
#include "base/vault.h"

#include <string.h>

TEST(ct_equal_ct)
{
    uint8_t a[64], b[64];
    unsigned before = ct_errors();

    memset(a, 7, sizeof(a));
    memset(b, 7, sizeof(b));
    b[63] = 8;
    ct_secret(a, sizeof(a));
    CHECK(equal_ct(a, b, 63));
    CHECK(!equal_ct(a, b, 64));
    CHECK(equal_ct(a, b, 0));
    CHECK_INT(ct_errors(), before);
}

/* What a buffer held that nobody reads again, as the compiler has made it of this program. */
static const volatile uint8_t *where;

__attribute__((noinline)) static void use(bool wipes)
{
    uint8_t secret[64];
    const uint8_t *hidden; /* from the compiler: where it was is looked at later, on purpose */

    memset(secret, 0xa5, sizeof(secret));
    __asm__("" : "=r"(hidden) : "0"(secret) : "memory");
    where = hidden;
    if (wipes)
        wipe(secret, sizeof(secret));
}

__attribute__((noinline, no_sanitize("address"))) static unsigned left(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < 64; i++)
        n += where[i] == 0xa5;
    ct_public(&n, sizeof(n)); /* below the stack nothing is initialised */
    return n;
}

TEST(ct_wiping_is_not_optimised_away)
{
    use(false);
    if (left() < 32)
        SKIP("what is below the stack cannot be seen here");
    use(true);
    CHECK_INT(left(), 0);
}

TEST(ct_vault_without_an_arena_is_the_heap)
{
    uint8_t *p = vault_take(NULL, 100);

    CHECK(p);
    for (size_t i = 0; i < 100; i++)
        CHECK(p[i] == 0);
    vault_give(NULL, p, 100);
    vault_give(NULL, NULL, 5);
}
