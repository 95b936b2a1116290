/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/env.h"

#include "io/record.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

/* Longest wait for the kernel's pool, which is empty only right after boot. */
#define RANDOM_WAIT US_S(5)
#define RANDOM_STEP_NS 10000000

l2tpc_us io_now(void)
{
    struct timespec ts = {0};

    (void)clock_gettime(CLOCK_BOOTTIME, &ts);
    return US_S(ts.tv_sec) + (l2tpc_us)ts.tv_nsec / 1000;
}

l2tpc_us io_monotonic(void)
{
    struct timespec ts = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return US_S(ts.tv_sec) + (l2tpc_us)ts.tv_nsec / 1000;
}

static bool io_rand(void *ctx, uint8_t *out, size_t n)
{
    l2tpc_us give_up = 0;
    size_t have = 0;

    (void)ctx;
    while (have < n) {
        ssize_t got = getrandom(out + have, n - have, GRND_NONBLOCK);

        if (got > 0) {
            have += (size_t)got;
            continue;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
        if (give_up == 0)
            give_up = us_add(io_now(), RANDOM_WAIT);
        else if (io_now() >= give_up)
            return false;
        (void)nanosleep(&(struct timespec){.tv_nsec = RANDOM_STEP_NS}, NULL);
    }
    record_rand(out, n);
    return true;
}

struct env io_env_make(void (*log)(void *ctx, enum log_level level, const char *module,
                                   const char *line),
                       void *ctx)
{
    return (struct env){.ctx = ctx, .rand = io_rand, .log = log};
}
