/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls of net.l2tpc.Service1. Whatever holds a secret goes in a memory file, of which neither the
 * bus nor its library keeps a copy.
 */
#ifndef L2D_SERVICE_CALL_H
#define L2D_SERVICE_CALL_H

#include <gio/gio.h>
#include <l2tpc-profile.h>

#define L2D_SERVICE_NAME "net.l2tpc.Service1"
#define L2D_SERVICE_PATH "/net/l2tpc/Service1"

/* Takes over what is in it; -1 with an error. To be closed. */
int l2d_service_memory(const char *text, gsize n, GError **error);
/* The keyfile with its secrets. */
int l2d_service_keyfile(const l2tpc_profile *settings, GError **error);
/* NULL with an error. */
l2tpc_profile *l2d_service_parse(const char *keyfile, GError **error);

/* `files` are duplicated; NULL: none. The task gets TRUE or the sentence of the error, and is
 * released. */
void l2d_service_call(GDBusConnection *bus, const char *method, GVariant *parameters,
                      GUnixFDList *files, GTask *task);
/* The sentence of the service; of a service that went away in the middle of a call, or is not there
 * any more, one that says so. */
void l2d_service_put_in_words(GError **error);
/* Is it this error of the service: "NotFound"? */
gboolean l2d_service_is_error(const GError *error, const char *name);

#endif
