/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands that read and write profiles share; they stand on libl2tpc-profile. */
#ifndef L2TPC_CLI_PROFILES_H
#define L2TPC_CLI_PROFILES_H

#include "cli/stored.h"

#include <l2tpc-profile.h>
#include <sys/stat.h>

#define PROFILE_SUFFIX ".nmconnection"

/* profiles.c: the folder that `l2tpc import` writes to and names are looked for in. */
const char *profiles_dir(void);
/* A file's bytes, wiped when they go; NULL after a sentence. `st` may be NULL. */
GBytes *profiles_read(const char *path, struct stat *st);
/* The file that a name or a path means; false after a sentence. */
bool profiles_find(const char *which, char *out, size_t size);
/* The one profile in a keyfile of NetworkManager's; NULL after a sentence. */
l2tpc_profile *profiles_load(const char *path, struct stat *st);
/* Writes a file that was not there, for its owner alone; false after a sentence. */
bool profiles_write(const char *path, GBytes *bytes);
/* A line of a note on standard output, with its kind and code. */
void profiles_print_note(const l2tpc_profile_note *note);
void profiles_print_notes(const GPtrArray *notes);
/* The errors among them as one sentence each on standard error, about `path`. */
void profiles_complain(const char *path, const GPtrArray *notes);
/* Some settings only libl2tpc can judge. */
bool profiles_option_fits(l2tpc_config *config, const l2tpc_profile_option *option);
/* Standard output, without what a terminal would obey. */
void profiles_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
