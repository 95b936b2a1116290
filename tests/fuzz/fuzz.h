/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fuzz targets share: a fixed world, scripts of steps, and claims that must hold. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/env.h"
#include "base/failure.h"
#include "crypto/crypto.h"
#include "wire/rd.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A claim about the product; a broken one is a crash, so that the input is kept. */
#define FUZZ_REQUIRE(cond)                                                                         \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Randomness from a seed, so that a run repeats; log lines are checked to be fit for a terminal. */
struct fuzz_env {
    struct env env;
    uint32_t state;
    unsigned calls;
    unsigned fail_at; /* this request for randomness fails; 0: none */
};

void fuzz_env_init(struct fuzz_env *e, uint32_t seed);
/* One for the whole process: OpenSSL's context costs more than a run. */
struct crypto *fuzz_crypto(void);

/* A script is steps of <op> <16-bit length> <bytes>; the last may be cut short. */
struct fuzz_step {
    uint8_t op;
    struct mspan bytes; /* on the heap and exactly this long: one byte too far is seen */
};

#define FUZZ_STEP_MAX 2100
#define FUZZ_STEPS_MAX 64

bool fuzz_step_next(struct rd *r, struct fuzz_step *out);
void fuzz_step_done(struct fuzz_step *s);
/* A heap copy of exactly that size, never NULL. */
struct mspan fuzz_copy(struct span s);
/* NUL-terminated copy of the bytes up to the first NUL. */
char *fuzz_text(struct span s);

/* Printable UTF-8, terminated inside `cap`. */
void fuzz_check_text(const char *text, size_t cap);
void fuzz_check_failure(const struct failure *f);

#endif
