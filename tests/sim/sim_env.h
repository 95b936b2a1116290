/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Randomness from a seed, and log lines kept or shown: a run repeats bit for bit. */
#ifndef TESTS_SIM_SIM_ENV_H
#define TESTS_SIM_SIM_ENV_H

#include "base/env.h"

struct sim_rand {
    uint64_t state;
};

struct sim_env {
    struct env env; /* hand out &env */
    struct sim_rand rand;
    const char *name; /* shown in front of each line; L2TPC_SIM_LOG=1 shows them */
    bool show;
    bool fail_rand; /* every request for randomness fails */
    unsigned lines, warnings;
    char last[256];
};

void sim_env_init(struct sim_env *e, const char *name, uint64_t seed);
uint64_t sim_rand_next(struct sim_rand *r);
/* 0 .. n-1; n == 0 gives 0. */
uint64_t sim_rand_below(struct sim_rand *r, uint64_t n);

#endif
