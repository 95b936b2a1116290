/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends.h"
#include "none/backend.h"
#if L2D_HAVE_NM
#include "nm/backend.h"
#endif
#if L2TPC_TEST_HOOKS
#include "fake/backend.h"
#endif

L2dBackend *l2d_backends_choose(void)
{
#if L2TPC_TEST_HOOKS
    const char *fake = g_getenv("L2TPC_GUI_FAKE");

    if (fake)
        return l2d_fake_backend_new(fake);
#endif
#if L2D_HAVE_NM
    return l2d_nm_backend_new();
#else
    return l2d_none_backend_new();
#endif
}
