/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8259, no more and no less: is this text one JSON value? */
#ifndef TESTS_UNIT_API_JSON_CHECK_H
#define TESTS_UNIT_API_JSON_CHECK_H

#include <stdbool.h>

bool json_is_valid(const char *text);

#endif
