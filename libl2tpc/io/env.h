/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system behind the env seam: its randomness, its clock, and a log callback. */
#ifndef L2TPC_IO_ENV_H
#define L2TPC_IO_ENV_H

#include "base/clock.h"
#include "base/env.h"

/* Monotonic, and running on while the computer sleeps, so that every deadline survives suspend. */
l2tpc_us io_now(void);
l2tpc_us io_monotonic(void); /* the same without the time in which the computer was suspended */

/*
 * An env whose randomness is getrandom(2); right after boot it waits a few seconds at most for the
 * kernel's pool and then fails. `log` may be NULL and gets `ctx`.
 */
struct env io_env_make(void (*log)(void *ctx, enum log_level level, const char *module,
                                   const char *line),
                       void *ctx);

#endif
