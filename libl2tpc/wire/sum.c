/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/sum.h"

/* Four lanes of 64 bits, in whatever registers there are. */
typedef uint64_t lanes __attribute__((vector_size(32)));

#define LOW 0xffffffffu
#define STEP (2 * sizeof(lanes))

/* Whole steps, copied on the way where there is an `out`; far below 2^48 in each lane, as no span
 * here is longer than a packet. */
static inline __attribute__((always_inline)) uint64_t sum_steps(uint8_t *out, const uint8_t *p,
                                                                size_t steps)
{
    const lanes low = {LOW, LOW, LOW, LOW};
    lanes even = {0, 0, 0, 0};
    lanes odd = {0, 0, 0, 0};

    for (size_t i = 0; i < steps; i++) {
        lanes a;
        lanes b;

        memcpy(&a, p + i * STEP, sizeof(a));
        memcpy(&b, p + i * STEP + sizeof(a), sizeof(b));
        if (out) {
            memcpy(out + i * STEP, &a, sizeof(a));
            memcpy(out + i * STEP + sizeof(a), &b, sizeof(b));
        }
        even += (a & low) + (b & low);
        odd += (a >> 32) + (b >> 32);
    }
    even += odd;
    return even[0] + even[1] + even[2] + even[3];
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t sum_steps_avx2(const uint8_t *p, size_t steps)
{
    return sum_steps(NULL, p, steps);
}

__attribute__((target("avx2"))) static uint64_t copy_steps_avx2(uint8_t *out, const uint8_t *p,
                                                                size_t steps)
{
    return sum_steps(out, p, steps);
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
#define sum_steps_avx2(p, steps) sum_steps(NULL, p, steps)
#define copy_steps_avx2(out, p, steps) sum_steps(out, p, steps)

static bool has_avx2(void)
{
    return false;
}
#endif

static uint64_t sum_long(const uint8_t *p, size_t steps)
{
    return has_avx2() ? sum_steps_avx2(p, steps) : sum_steps(NULL, p, steps);
}

static uint64_t copy_long(uint8_t *out, const uint8_t *p, size_t steps)
{
    return has_avx2() ? copy_steps_avx2(out, p, steps) : sum_steps(out, p, steps);
}

uint64_t sum_copy(uint64_t sum, uint8_t *out, struct span s)
{
    size_t whole = s.n / STEP * STEP;

    if (whole > 0)
        sum += copy_long(out, s.p, whole / STEP);
    s = span_of(s.p + whole, s.n - whole);
    if (s.n > 0)
        memcpy(out + whole, s.p, s.n);
    return sum_add(sum, s);
}

uint64_t sum_add(uint64_t sum, struct span s)
{
    size_t steps = s.n / STEP;
    uint32_t word;

    if (steps > 0) {
        sum += sum_long(s.p, steps);
        s = span_of(s.p + steps * STEP, s.n - steps * STEP);
    }
    for (; s.n >= sizeof(word); s = span_of(s.p + sizeof(word), s.n - sizeof(word))) {
        memcpy(&word, s.p, sizeof(word));
        sum += word;
    }
    if (s.n > 0) {
        word = 0;
        memcpy(&word, s.p, s.n);
        sum += word;
    }
    return sum;
}
