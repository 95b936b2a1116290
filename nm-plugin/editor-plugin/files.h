/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Import from and export to files for NetworkManager's clients. */
#ifndef L2TPC_NM_FILES_H
#define L2TPC_NM_FILES_H

#include <NetworkManager.h>

/*
 * Clients hand every file to every plugin: what is foreign is G_IO_ERROR_NOT_SUPPORTED at once. A
 * file of a set (ipsec.conf, xl2tpd.conf, ...) brings those of its folder with it. What was not
 * understood or weakened is told by g_message().
 */
NMConnection *files_import(const char *path, GError **error);

/* The format goes by the suffix: that of NetworkManager-l2tp unless it is another's. No secrets. */
gboolean files_export(const char *path, NMConnection *connection, GError **error);
char *files_suggest(NMConnection *connection);

#endif
