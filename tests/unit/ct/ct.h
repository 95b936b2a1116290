/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether secrets decide about what is done next, and so about how long it takes. Under memcheck a
 * secret is marked as not initialised, and so is everything that is computed from it: a jump that
 * depends on it is an error. Only the verdict of equal_ct() is public again; it is the linker that
 * puts ct.c in between. Without memcheck the same cases only see that the verdicts are right.
 */
#ifndef TESTS_UNIT_CT_H
#define TESTS_UNIT_CT_H

#include "check.h"

void ct_secret(const void *p, size_t n);
void ct_public(const void *p, size_t n); /* such as what has gone onto the wire */
/* Errors of memcheck since the program began; 0 without it. */
unsigned ct_errors(void);
/* How often equal_ct() was asked. */
unsigned ct_comparisons(void);

#endif
