/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of profiles share: files of the vectors, and a profile as text. */
#ifndef TESTS_UNIT_PROFILE_DUMP_H
#define TESTS_UNIT_PROFILE_DUMP_H

#include "check.h"
#include "profile/l2tpc-profile.h"

#include <string.h>

/* A file below tests/vectors/profile, or NULL. */
GBytes *vector_bytes(const char *name);
GPtrArray *vector_names(const char *folder); /* sorted */
/* The result of importing these files; names separated by blanks. */
int vector_import(const char *names, GPtrArray **profiles, GPtrArray **notes);
int text_import(const char *text, GPtrArray **profiles, GPtrArray **notes);
/* Every value, secrets as well, and the codes of the notes; sorted, a line each. */
char *dump_profile(const l2tpc_profile *p);
char *dump_options(const l2tpc_profile *p); /* "name=value" a line, or the errors' codes */
char *dump_notes(const GPtrArray *notes);
bool notes_hold(const GPtrArray *notes, const char *code);

#endif
