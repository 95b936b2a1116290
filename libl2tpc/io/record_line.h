/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test builds only: one line of a recording. */
#ifndef L2TPC_IO_RECORD_LINE_H
#define L2TPC_IO_RECORD_LINE_H

#include "base/span.h"

#if L2TPC_TEST_HOOKS

/* Appended to the file that L2TPC_RECORD names; nothing without it. */
void record_line(struct span bytes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
#endif
