/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Profiles of the computer and of its users, where there is no NetworkManager. A file is found by
 * the UUID in it or, of a user's, by its own name, which is a UUID; no caller's text becomes a
 * path.
 */
#ifndef L2TPC_SERVICE_STANDALONE_STORE_H
#define L2TPC_SERVICE_STANDALONE_STORE_H

#include <gio/gio.h>
#include <l2tpc-profile.h>
#include <sys/types.h>

#define STORE_PROFILES_MAX 64 /* of a user, or of the computer */
#define STORE_FILE_MAX 65536  /* bytes */

struct stored_profile {
    char *path, *uuid;
    gboolean own;   /* a user's; else the computer's */
    gboolean named; /* the user who looked for it is root, its owner, or named in its permissions */
    uid_t owner;
    l2tpc_profile *profile;
};

void stored_profile_free(struct stored_profile *p);
/* What this user may see: its own and the computer's, unless their permissions name others. */
GPtrArray *store_list(uid_t uid);
/* NULL when there is none that this user may see. */
struct stored_profile *store_find(uid_t uid, const char *uuid);
/* Whose it is by its permissions, of those that this computer knows; how many. */
unsigned store_users(const struct stored_profile *p, uid_t *out, unsigned room);
/* One profile from a keyfile that can be dialed; NULL with a sentence in the language of the
 * thread. */
l2tpc_profile *store_parse(const char *keyfile, GError **error);
/* As a keyfile; to be freed by g_free(), after wiping when it has secrets. NULL without memory. */
char *store_text(const l2tpc_profile *profile, gboolean with_secrets);
/* Gives it a UUID if it has none, and writes it; `out_uuid` by g_free(). */
gboolean store_add(l2tpc_profile *profile, gboolean own, uid_t uid, char **out_uuid,
                   GError **error);
/* Secrets that `profile` lacks are those of `old`. */
gboolean store_replace(const struct stored_profile *old, l2tpc_profile *profile, GError **error);
gboolean store_remove(const struct stored_profile *old, GError **error);

#endif
