/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backends.h"
#include "none/backend.h"
#include "service/backend.h"
#if L2D_HAVE_NM
#include "nm/backend.h"
#endif
#if L2TPC_TEST_HOOKS
#include "fake/backend.h"
#endif

/* NetworkManager goes first where it runs and knows our service. */
static gboolean runs_by_service(void)
{
    g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, NULL);

#if L2D_HAVE_NM
    if (bus && l2d_nm_is_there(bus))
        return FALSE;
#endif
    return bus && l2d_service_is_there(bus);
}

L2dBackend *l2d_backends_choose(void)
{
#if L2TPC_TEST_HOOKS
    const char *fake = g_getenv("L2TPC_GUI_FAKE");

    if (fake)
        return l2d_fake_backend_new(fake);
#endif
#if L2D_HAVE_NM
    /* Where neither is there, NetworkManager's says so, and sees it come. */
    return runs_by_service() ? l2d_service_backend_new() : l2d_nm_backend_new();
#else
    return runs_by_service() ? l2d_service_backend_new() : l2d_none_backend_new();
#endif
}
