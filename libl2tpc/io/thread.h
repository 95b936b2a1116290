/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef L2TPC_IO_THREAD_H
#define L2TPC_IO_THREAD_H

#include "base/span.h"

#include <pthread.h>

/* A thread to which no signal is delivered: they are the program's business. `attr` may be NULL. */
bool thread_start(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *),
                  void *user) MUST_USE;

#endif
