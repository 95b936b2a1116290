/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct check_case *cases;
static struct check_case **cases_tail = &cases;
static bool case_failed;
static bool case_skipped;

void check_register(struct check_case *c)
{
    *cases_tail = c;
    cases_tail = &c->next;
}

bool check_sabotaged(void)
{
    const char *v = getenv("L2TPC_SABOTAGE");

    return v && strcmp(v, "1") == 0;
}

static bool is_memcheck(void)
{
    const char *variant = getenv("UNIT_VARIANT");

    return variant && strcmp(variant, "release") == 0;
}

unsigned check_rounds(unsigned n)
{
    if (getenv("L2TPC_LONG"))
        return n * 10;
    return is_memcheck() ? n / 40 + 1 : n;
}

unsigned check_step(void)
{
    return is_memcheck() ? 41 : 1;
}

void check_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    case_failed = true;
    printf("    %s:%d: ", file, line);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
}

void check_skip(const char *fmt, ...)
{
    va_list ap;

    case_skipped = true;
    printf("    SKIPPED: ");
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
}

static void print_hex(const char *label, const uint8_t *p, size_t n)
{
    printf("      %s (%zu) ", label, n);
    for (size_t i = 0; i < n && i < 96; i++)
        printf("%02x", p[i]);
    printf("%s\n", n > 96 ? "..." : "");
}

bool check_bytes(const char *file, int line, const void *got, size_t n_got, const void *want,
                 size_t n_want)
{
    bool same = n_got == n_want && (n_got == 0 || memcmp(got, want, n_got) == 0);

    if (check_sabotaged() && n_want > 0)
        same = false;
    if (same)
        return true;
    check_fail(file, line, "bytes differ");
    print_hex("got ", got, n_got);
    print_hex("want", want, n_want);
    return false;
}

bool check_int(const char *file, int line, const char *what, long long got, long long want)
{
    if (got == want)
        return true;
    check_fail(file, line, "%s is %lld (0x%llx), not %lld (0x%llx)", what, got,
               (unsigned long long)got, want, (unsigned long long)want);
    return false;
}

bool check_text(const char *file, int line, const char *got, const char *want)
{
    if (got && strcmp(got, want) == 0)
        return true;
    check_fail(file, line, "text is \"%s\", not \"%s\"", got ? got : "(null)", want);
    return false;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t check_hex(uint8_t *out, size_t cap, const char *hex)
{
    size_t n = 0;
    int hi = -1;

    for (; *hex; hex++) {
        int d = digit(*hex);

        if (d < 0)
            continue;
        if (hi < 0) {
            hi = d;
            continue;
        }
        if (n == cap)
            abort();
        out[n++] = (uint8_t)(hi << 4 | d);
        hi = -1;
    }
    return n;
}

static bool wanted(const char *name, int argc, char **argv)
{
    if (argc < 2)
        return true;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    unsigned passed = 0;
    unsigned failed = 0;
    unsigned skipped = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (const struct check_case *c = cases; c; c = c->next)
            printf("%s\n", c->name);
        return 0;
    }
    for (const struct check_case *c = cases; c; c = c->next) {
        if (!wanted(c->name, argc, argv))
            continue;
        case_failed = false;
        case_skipped = false;
        c->run();
        printf("%s %s\n", case_failed ? "FAIL" : case_skipped ? "SKIP" : "ok  ", c->name);
        if (case_failed)
            failed++;
        else if (case_skipped)
            skipped++;
        else
            passed++;
    }
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed > 0 || passed + skipped == 0;
}
