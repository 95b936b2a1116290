/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ct.h"

#include "base/secret.h"

#include <string.h>
#include <valgrind/memcheck.h>

static unsigned comparisons;

bool __real_equal_ct(const void *a, const void *b, size_t n);
bool __wrap_equal_ct(const void *a, const void *b, size_t n);
bool __wrap_equal_ct(const void *a, const void *b, size_t n)
{
    /* A comparison that ends at the first difference: what these tests must not let pass. */
    bool equal = check_sabotaged() ? memcmp(a, b, n) == 0 : __real_equal_ct(a, b, n);

    comparisons++;
    ct_public(&equal, sizeof(equal));
    return equal;
}

void ct_secret(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

void ct_public(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

unsigned ct_errors(void)
{
    return (unsigned)VALGRIND_COUNT_ERRORS;
}

unsigned ct_comparisons(void)
{
    return comparisons;
}
