/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Profiles in files: where they lie, and what one of them says of a dial. */
#ifndef L2TPC_CLI_STORED_H
#define L2TPC_CLI_STORED_H

#include "cli/cli.h"

/* A profile that a dial is made from. All text of connect_options may point into it. */
struct stored;

/*
 * stored.c: `which` is a name, of /etc/l2tpc/profiles for root and of the user's own folder for
 * others, or a path. Fills in what the command line has not said. 0, or the exit status after a
 * sentence.
 */
int stored_into_options(const char *which, struct connect_options *o);
/* Of a profile's file; `given` is false when it holds none. */
const struct secret_bytes *stored_secret(const struct stored *s, int kind);
const char *stored_path(const struct stored *s);
const char *stored_uuid(const struct stored *s); /* NULL: it has none */
void stored_forget_secrets(struct stored *s);
void stored_free(struct stored *s);

#endif
