/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/env.h"

#include <stdarg.h>
#include <stdio.h>

bool env_rand(const struct env *env, void *out, size_t n)
{
    return env->rand(env->ctx, out, n);
}

bool env_rand_u32(const struct env *env, uint32_t *out)
{
    return env_rand(env, out, sizeof(*out));
}

bool env_rand_u16(const struct env *env, uint16_t *out)
{
    return env_rand(env, out, sizeof(*out));
}

void env_log(const struct env *env, enum log_level level, const char *module, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    if (!env->log)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    env->log(env->ctx, level, module, line);
}
