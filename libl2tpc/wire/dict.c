/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/dict.h"

const char *dict_name(const struct dict *rows, size_t n_rows, uint32_t number)
{
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i].number == number)
            return rows[i].name;
    return NULL;
}
