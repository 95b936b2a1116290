/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small test harness. Each TEST() registers itself under a stable name; the program takes --list
 * and names of cases to run, and ends with "N passed, N failed, N skipped". With L2TPC_SABOTAGE=1
 * in the environment every comparison of bytes sees one flipped bit, so that a suite that still
 * passes proves nothing and shows it.
 */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check_case {
    const char *name;
    void (*run)(void);
    struct check_case *next;
};

void check_register(struct check_case *c);
void check_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void check_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool check_bytes(const char *file, int line, const void *got, size_t n_got, const void *want,
                 size_t n_want);
bool check_int(const char *file, int line, const char *what, long long got, long long want);
bool check_text(const char *file, int line, const char *got, const char *want);
bool check_sabotaged(void);
/*
 * How many rounds a test that only counts them makes: n; ten times as many with L2TPC_LONG in the
 * environment; a fortieth under memcheck (UNIT_VARIANT=release), which is that much slower.
 */
unsigned check_rounds(unsigned n);
/* How far an exhaustive loop steps: 1; a prime number under memcheck. */
unsigned check_step(void);

/* Bytes of a hex string (white space ignored) into a static-size buffer; returns the count. */
size_t check_hex(uint8_t *out, size_t cap, const char *hex);

#define TEST(test_name)                                                                            \
    static void test_name(void);                                                                   \
    __attribute__((constructor)) static void register_##test_name(void)                            \
    {                                                                                              \
        static struct check_case c = {.name = #test_name, .run = test_name};                       \
        check_register(&c);                                                                        \
    }                                                                                              \
    static void test_name(void)

/* Ends the case at the first failure. */
#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            check_fail(__FILE__, __LINE__, "%s", #cond);                                           \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        if (!check_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(want)))             \
            return;                                                                                \
    } while (0)
#define CHECK_MEM(got, n_got, want, n_want)                                                        \
    do {                                                                                           \
        if (!check_bytes(__FILE__, __LINE__, (got), (n_got), (want), (n_want)))                    \
            return;                                                                                \
    } while (0)
#define CHECK_HEX(got, n_got, hex)                                                                 \
    do {                                                                                           \
        uint8_t want_[8192];                                                                       \
        size_t n_ = check_hex(want_, sizeof(want_), (hex));                                        \
        if (!check_bytes(__FILE__, __LINE__, (got), (n_got), want_, n_))                           \
            return;                                                                                \
    } while (0)
#define CHECK_STR(got, want)                                                                       \
    do {                                                                                           \
        if (!check_text(__FILE__, __LINE__, (got), (want)))                                        \
            return;                                                                                \
    } while (0)
#define SKIP(...)                                                                                  \
    do {                                                                                           \
        check_skip(__VA_ARGS__);                                                                   \
        return;                                                                                    \
    } while (0)

#endif
