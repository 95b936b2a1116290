/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64. */
uint64_t sim_rand_next(struct sim_rand *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t sim_rand_below(struct sim_rand *r, uint64_t n)
{
    return n ? sim_rand_next(r) % n : 0;
}

static bool env_fill(void *ctx, uint8_t *out, size_t n)
{
    struct sim_env *e = ctx;

    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)sim_rand_next(&e->rand);
    return !e->fail_rand;
}

static void env_line(void *ctx, enum log_level level, const char *module, const char *line)
{
    struct sim_env *e = ctx;

    e->lines++;
    e->warnings += level <= LOG_LEVEL_WARN;
    snprintf(e->last, sizeof(e->last), "%s", line);
    if (e->show)
        printf("    %s %s: %s\n", e->name, module, line);
}

void sim_env_init(struct sim_env *e, const char *name, uint64_t seed)
{
    const char *show = getenv("L2TPC_SIM_LOG");

    memset(e, 0, sizeof(*e));
    e->env = (struct env){.ctx = e, .rand = env_fill, .log = env_line};
    e->rand.state = seed;
    e->name = name;
    e->show = show && strcmp(show, "1") == 0;
}
