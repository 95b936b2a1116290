/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The catalogue of failures, row by row, and how a failure becomes a sentence. No I/O. */
#ifndef L2TPC_DOCTOR_CATALOGUE_H
#define L2TPC_DOCTOR_CATALOGUE_H

#include "base/failure.h"

struct catalogue_row {
    enum failure_id id;
    const char *code;
    enum stage stage;
    int windows;          /* 0: Windows has no such code */
    const char *sentence; /* msgids with {placeholders} */
    const char *hint;
};

/* NULL behind the last row, or for an unknown code. */
const struct catalogue_row *catalogue_at(unsigned index);
const struct catalogue_row *catalogue_find(const char *code);
const struct catalogue_row *catalogue_of(enum failure_id id);

/*
 * Fills the {placeholders} of a (translated) template from the failure; {server} is the dialed
 * name. Returns the bytes needed without the NUL, like snprintf().
 */
size_t failure_render(const char *template_text, const struct failure *f, const char *server,
                      char *out, size_t cap);

#endif
