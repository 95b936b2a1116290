/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for secrets: what the kernel says of its pages, who sees them, what is left of them. */
#include "base/limits.h"
#include "base/secret.h"
#include "check.h"
#include "io/arena.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The flags of the mapping that holds `p`, such as "rd wr mr mw me lo ac dd wf". */
static bool flags_of(const void *p, char *out, size_t size)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    char line[512];
    bool here = false;
    bool found = false;

    while (f && !found && fgets(line, sizeof(line), f)) {
        uintptr_t from;
        uintptr_t to;

        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            here = (uintptr_t)p >= from && (uintptr_t)p < to;
        found = here && strncmp(line, "VmFlags:", 8) == 0;
    }
    if (found)
        (void)snprintf(out, size, "%s", line + 8);
    if (f)
        (void)fclose(f);
    return found;
}

/* Sanitizers put a function of their own in place of mlock(), which does nothing. */
#if defined(__SANITIZE_ADDRESS__)
#define LOCKS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOCKS false
#endif
#endif
#ifndef LOCKS
#define LOCKS true
#endif

static bool has_flag(const char *flags, const char *flag)
{
    char word[8];

    (void)snprintf(word, sizeof(word), " %s ", flag);
    return strstr(flags, word) != NULL;
}

/* The status of a child that runs it: 0, or the number of the signal, or 1000 and its own. */
static int in_child(void (*run)(void *), void *p)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        const struct rlimit none = {0};

        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGSEGV, SIG_DFL);
        run(p);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFSIGNALED(status)   ? WTERMSIG(status)
           : WEXITSTATUS(status) ? 1000 + WEXITSTATUS(status)
                                 : 0;
}

TEST(arena_pages_are_locked_and_not_dumped)
{
    struct arena *a = arena_new();
    char flags[512] = "";
    uint8_t *p;

    CHECK(a);
    p = vault_take(arena_vault(a), 100);
    CHECK(p && flags_of(p, flags, sizeof(flags)));
    CHECK(has_flag(flags, "lo") || !LOCKS || !arena_is_locked(a));
    CHECK(has_flag(flags, "dd"));
    CHECK(has_flag(flags, "wf"));
    CHECK(arena_keep_on_fork(a));
    CHECK(flags_of(p, flags, sizeof(flags)));
    CHECK(!has_flag(flags, "wf"));
    vault_give(arena_vault(a), p, 100);
    arena_free(a);
}

static void touch(void *p)
{
    *(volatile uint8_t *)p = 1;
}

TEST(arena_lies_between_guards)
{
    struct arena *a = arena_new();
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *big;

    CHECK(a);
    big = vault_take(arena_vault(a), 8 * page);
    CHECK(big && (uintptr_t)big % page == 0);
    CHECK_INT(in_child(touch, big), 0);
    CHECK(in_child(touch, big - 1) != 0);
    CHECK(in_child(touch, big + 8 * page) != 0);
    vault_give(arena_vault(a), big, 8 * page);
    arena_free(a);
}

TEST(arena_blocks_come_zeroed_and_go_wiped)
{
    struct arena *a = arena_new();
    const struct vault *v = arena_vault(a);
    static const size_t sizes[] = {1, 16, 63, 64, 65, 100, 520, 4096, 5000, 16384, 20000, 70000};
    uint8_t *p[ARRAY_LEN(sizes)];

    CHECK(a);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            p[i] = vault_take(v, sizes[i]);
            CHECK(p[i] && (uintptr_t)p[i] % 16 == 0);
            for (size_t at = 0; at < sizes[i]; at++)
                CHECK(p[i][at] == 0);
            memset(p[i], (int)(0xa0 + i), sizes[i]);
        }
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) /* nobody wrote into another one's */
            for (size_t at = 0; at < sizes[i]; at++)
                CHECK(p[i][at] == (uint8_t)(0xa0 + i));
        CHECK_INT(arena_use(a).blocks, ARRAY_LEN(sizes));
        for (size_t i = round % 2; i < ARRAY_LEN(sizes); i += 2)
            vault_give(v, p[i], sizes[i]);
        for (size_t i = 1 - round % 2; i < ARRAY_LEN(sizes); i += 2)
            vault_give(v, p[i], sizes[i]);
        CHECK_INT(arena_use(a).blocks, 0);
        CHECK_INT(arena_use(a).bytes, 0);
        CHECK(arena_use(a).pages <= ARENA_CHUNK + 4096);
    }
    CHECK(!vault_take(v, 0));
    CHECK(!vault_take(v, ARENA_BLOCK_MAX + 1));
    arena_free(a);
}

static void expect_zeros(void *p)
{
    const volatile uint8_t *b = p;

    for (size_t i = 0; i < 64; i++)
        if (b[i])
            _exit(1);
}

TEST(arena_is_empty_in_a_child)
{
    struct arena *a = arena_new();
    uint8_t *p;

    CHECK(a && !arena_is_lost(a));
    p = vault_take(arena_vault(a), 64);
    CHECK(p);
    memset(p, 0x5a, 64);
    CHECK_INT(in_child(expect_zeros, p), 0);
    CHECK(p[0] == 0x5a && p[63] == 0x5a);
    CHECK(arena_keep_on_fork(a));
    CHECK_INT(in_child(expect_zeros, p), 1001);
    vault_give(arena_vault(a), p, 64);
    arena_free(a);
}

static void lose(void *p)
{
    if (!arena_is_lost(p))
        _exit(1);
    arena_free(p);
}

TEST(arena_knows_that_it_is_lost_and_can_be_freed)
{
    struct arena *a = arena_new();

    CHECK(a);
    CHECK_INT(in_child(lose, a), 0);
    CHECK(!arena_is_lost(a));
    arena_free(a);
}

/* An ordinary user without a limit to speak of: root's rights to lock all the same are given up. */
static void without_limit(void *unused)
{
    const struct rlimit none = {0};
    char limit[ARENA_LIMIT_TEXT];
    struct arena *a;
    uint8_t *p;

    (void)unused;
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        _exit(77);
    a = arena_new();
    p = a ? vault_take(arena_vault(a), 1000) : NULL;
    if (!p || arena_is_locked(a))
        _exit(1);
    memset(p, 1, 1000);
    vault_give(arena_vault(a), p, 1000);
    arena_limit_text(limit);
    arena_free(a);
    if (strcmp(limit, "0 kB") != 0)
        _exit(2);
}

TEST(arena_does_without_a_lock)
{
    int r = LOCKS ? in_child(without_limit, NULL) : 1077;

    if (r == 1077)
        SKIP("the limit cannot be set here");
    CHECK_INT(r, 0);
}

/* ---- threads ---- */

static void *churn(void *user)
{
    const struct vault *v = user;
    bool ok = true;

    for (unsigned i = 1; i <= 2000 && ok; i++) {
        size_t n = i % 700 + 1;
        uint8_t *p = vault_take(v, n);

        ok = p && p[0] == 0 && p[n - 1] == 0;
        if (p) {
            memset(p, 0x77, n);
            vault_give(v, p, n);
        }
    }
    return ok ? user : NULL;
}

TEST(arena_serves_several_threads)
{
    struct arena *a = arena_new();
    pthread_t t[4];

    CHECK(a);
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        CHECK_INT(pthread_create(&t[i], NULL, churn, (void *)(uintptr_t)arena_vault(a)), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        void *ok = NULL;

        CHECK_INT(pthread_join(t[i], &ok), 0);
        CHECK(ok);
    }
    CHECK_INT(arena_use(a).blocks, 0);
    arena_free(a);
}

TEST(arena_lives_until_the_last_holder)
{
    struct arena *a = arena_new();
    uint8_t *p;

    CHECK(a);
    p = vault_take(arena_vault(a), 10);
    CHECK(p && arena_hold(a) == a);
    arena_free(a);
    p[9] = 1;
    vault_give(arena_vault(a), p, 10);
    arena_free(a);
    arena_free(NULL);
}
