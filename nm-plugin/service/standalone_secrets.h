/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets that come over the bus: as strings, of which the bus's own library has copies that nobody
 * can wipe, or in a memfd, of which it has none.
 */
#ifndef L2TPC_SERVICE_STANDALONE_SECRETS_H
#define L2TPC_SERVICE_STANDALONE_SECRETS_H

#include "service/standalone_access.h"

#include <l2tpc-profile.h>

/* "psk", "password", "passphrase"; "" of a need that nobody can answer. */
const char *secrets_kind(uint32_t need);
/* A table of strings or memfds into the profile. False after an error. */
gboolean secrets_take(struct call *c, GVariant *table, l2tpc_profile *to);

struct given_secret {
    char *bytes; /* NULL: there is none */
    gsize n;
};

/* The one of a table that a need asks for: as the dial wants it. None of an empty table. False
 * after an error. */
gboolean secrets_pick(struct call *c, GVariant *table, uint32_t need, struct given_secret *out);
void secrets_forget(struct given_secret *s);

/* A text that is a string or a memfd, at most `most` bytes; NULL after an error. */
char *secrets_text(struct call *c, GVariant *value, gsize most);
/* NULL is fine. */
void secrets_text_free(char *text);
/* What a call holds; nobody reads it any more. */
void secrets_wipe_strings(GVariant *v);

#endif
