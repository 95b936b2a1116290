/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Number-to-name tables, generated from the .def dictionaries of the protocols. */
#ifndef L2TPC_WIRE_DICT_H
#define L2TPC_WIRE_DICT_H

#include "base/span.h"

struct dict {
    uint32_t number;
    const char *name; /* as the RFC spells it */
};

/* NULL when the number has no row. */
const char *dict_name(const struct dict *rows, size_t n_rows, uint32_t number);

#define DICT_NAME(rows, number) dict_name((rows), ARRAY_LEN(rows), (number))

#endif
