/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seam through which randomness and memory for secrets come in and log lines go out. */
#ifndef L2TPC_BASE_ENV_H
#define L2TPC_BASE_ENV_H

#include "base/span.h"
#include "base/vault.h"

enum log_level {
    LOG_LEVEL_ERROR, /* the dial or the tunnel is lost */
    LOG_LEVEL_WARN,  /* it goes on, but a person may want to know */
    LOG_LEVEL_INFO,  /* one line per milestone */
    LOG_LEVEL_DEBUG, /* one line per control message; never a secret, never payload */
};

struct env {
    void *ctx;
    /* Fills n bytes; false when the source failed, and then the caller fails its operation. */
    bool (*rand)(void *ctx, uint8_t *out, size_t n);
    /* `module` is a short constant; the line takes values, never a state pointer. */
    void (*log)(void *ctx, enum log_level level, const char *module, const char *line);
    const struct vault *vault; /* outlives what uses it; NULL: the heap */
};

bool env_rand(const struct env *env, void *out, size_t n) MUST_USE;
bool env_rand_u32(const struct env *env, uint32_t *out) MUST_USE;
bool env_rand_u16(const struct env *env, uint16_t *out) MUST_USE;

/* Formats into a bounded line; text from a peer must have gone through text_escape() before. */
void env_log(const struct env *env, enum log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
