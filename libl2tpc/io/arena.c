/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/arena.h"

#include "base/limits.h"
#include "base/secret.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Blocks begin and end on this: a cache line. */
#define GRAIN 64
#define SENTINEL 0x6c327470u

#if defined(__SANITIZE_ADDRESS__)
#define POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONS 1
#endif
#endif
#ifdef POISONS
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

/* What is known of the pages stands outside of them: a child can still free an arena. */
struct chunk {
    struct chunk *next;
    uint8_t *pages;
    size_t n; /* bytes */
    size_t blocks;
    bool locked;
    uint8_t used[]; /* by grain */
};

struct arena {
    pthread_mutex_t lock;
    struct vault vault;
    struct chunk *first;
    const volatile uint32_t *sentinel; /* in the pages; zero in a child */
    size_t page, bytes;
    bool unlocked, keep;
    unsigned holders;
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* ---- pages ---- */

static void pages_close(const struct arena *a, struct chunk *c)
{
    UNPOISON(c->pages, c->n);
    wipe(c->pages, c->n);
    (void)munmap(c->pages - a->page, c->n + 2 * a->page);
    free(c);
}

/*
 * MAP_LOCKED would fail where mlock() does, and again would leave nothing: locking is what may be
 * missing. A kernel that cannot keep the pages from children (before 4.14) has the rest.
 */
static struct chunk *pages_open(const struct arena *a, size_t n)
{
    struct chunk *c = calloc(1, sizeof(*c) + n / GRAIN);
    uint8_t *all;

    if (!c)
        return NULL;
    all = mmap(NULL, n + 2 * a->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) {
        free(c);
        return NULL;
    }
    c->pages = all + a->page;
    c->n = n;
    if (mprotect(c->pages, n, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(all, n + 2 * a->page);
        free(c);
        return NULL;
    }
    c->locked = mlock(c->pages, n) == 0;
    (void)madvise(c->pages, n, MADV_DONTDUMP);
    if (!a->keep)
        (void)madvise(c->pages, n, MADV_WIPEONFORK);
    POISON(c->pages, n);
    return c;
}

/* ---- blocks ---- */

static bool is_free(const struct chunk *c, size_t at, size_t grains)
{
    for (size_t i = 0; i < grains; i++)
        if (c->used[at + i])
            return false;
    return true;
}

static void *chunk_take(struct chunk *c, size_t n)
{
    size_t grains = round_up(n, GRAIN) / GRAIN;
    uint8_t *p;

    for (size_t at = 0; at + grains <= c->n / GRAIN; at++) {
        if (!is_free(c, at, grains))
            continue;
        memset(c->used + at, 1, grains);
        c->blocks++;
        p = c->pages + at * GRAIN;
        UNPOISON(p, n);
        return p;
    }
    return NULL;
}

static void *take(struct arena *a, size_t n)
{
    size_t least = round_up(n, a->page);
    struct chunk *c;
    void *p;

    for (c = a->first; c; c = c->next)
        if ((p = chunk_take(c, n)))
            return p;
    c = pages_open(a, least > ARENA_CHUNK ? least : round_up(ARENA_CHUNK, a->page));
    if (!c)
        return NULL;
    a->unlocked = a->unlocked || !c->locked;
    c->next = a->first;
    a->first = c;
    return chunk_take(c, n);
}

static void *vault_of_take(void *ctx, size_t n)
{
    struct arena *a = ctx;
    void *p = NULL;

    pthread_mutex_lock(&a->lock);
    if (n > 0 && n <= ARENA_BLOCK_MAX)
        p = take(a, n);
    if (p)
        a->bytes += n;
    pthread_mutex_unlock(&a->lock);
    return p;
}

static struct chunk **chunk_of(struct arena *a, const uint8_t *p)
{
    struct chunk **at = &a->first;

    while (*at && (p < (*at)->pages || p >= (*at)->pages + (*at)->n))
        at = &(*at)->next;
    return at;
}

/* The chunk with the sentinel is never empty, and stays. */
static void vault_of_give(void *ctx, void *p, size_t n)
{
    struct arena *a = ctx;
    uint8_t *bytes = p;
    struct chunk **at;
    struct chunk *c;

    wipe(p, n);
    pthread_mutex_lock(&a->lock);
    at = chunk_of(a, bytes);
    c = *at;
    if (c) {
        memset(c->used + (size_t)(bytes - c->pages) / GRAIN, 0, round_up(n, GRAIN) / GRAIN);
        POISON(p, round_up(n, GRAIN));
        a->bytes -= n;
        c->blocks--;
    }
    if (c && c->blocks == 0) {
        *at = c->next;
        pages_close(a, c);
    }
    pthread_mutex_unlock(&a->lock);
}

/* ---- life ---- */

/* The compiled program really wipes: what was given back is looked at where it was. */
static bool wipes(struct arena *a)
{
    const volatile uint8_t *left;
    uint8_t *p = vault_take(&a->vault, 2 * GRAIN);
    bool clean = p != NULL;

    if (!p)
        return false;
    memset(p, 0xa5, 2 * GRAIN);
    vault_give(&a->vault, p, 2 * GRAIN);
    left = p;
    UNPOISON(p, 2 * GRAIN);
    for (size_t i = 0; i < 2 * GRAIN; i++)
        clean = clean && left[i] == 0;
    POISON(p, 2 * GRAIN);
    return clean;
}

struct arena *arena_new(void)
{
    struct arena *a = calloc(1, sizeof(*a));
    uint32_t *sentinel;

    if (!a)
        return NULL;
    a->holders = 1;
    a->page = (size_t)sysconf(_SC_PAGESIZE);
    a->vault = (struct vault){a, vault_of_take, vault_of_give};
    pthread_mutex_init(&a->lock, NULL);
    sentinel = take(a, sizeof(*sentinel));
    if (sentinel) {
        *sentinel = SENTINEL;
        a->sentinel = sentinel;
    }
    if (!sentinel || !wipes(a)) {
        arena_free(a);
        return NULL;
    }
    return a;
}

struct arena *arena_hold(struct arena *a)
{
    pthread_mutex_lock(&a->lock);
    a->holders++;
    pthread_mutex_unlock(&a->lock);
    return a;
}

void arena_free(struct arena *a)
{
    bool last;

    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    last = --a->holders == 0;
    pthread_mutex_unlock(&a->lock);
    if (!last)
        return;
    while (a->first) {
        struct chunk *c = a->first;

        a->first = c->next;
        pages_close(a, c);
    }
    pthread_mutex_destroy(&a->lock);
    free(a);
}

const struct vault *arena_vault(struct arena *a)
{
    return &a->vault;
}

bool arena_is_locked(struct arena *a)
{
    bool locked;

    pthread_mutex_lock(&a->lock);
    locked = !a->unlocked;
    pthread_mutex_unlock(&a->lock);
    return locked;
}

bool arena_is_lost(const struct arena *a)
{
    return *a->sentinel != SENTINEL;
}

bool arena_keep_on_fork(struct arena *a)
{
    bool ok = true;

    pthread_mutex_lock(&a->lock);
    a->keep = true;
    for (struct chunk *c = a->first; c; c = c->next)
        ok = madvise(c->pages, c->n, MADV_KEEPONFORK) == 0 && ok;
    pthread_mutex_unlock(&a->lock);
    return ok;
}

void arena_limit_text(char out[ARENA_LIMIT_TEXT])
{
    struct rlimit limit = {0};

    (void)getrlimit(RLIMIT_MEMLOCK, &limit);
    (void)snprintf(out, ARENA_LIMIT_TEXT, "%llu kB", (unsigned long long)limit.rlim_cur / 1024);
}

struct arena_use arena_use(struct arena *a)
{
    struct arena_use u = {0};

    pthread_mutex_lock(&a->lock);
    u.bytes = a->bytes;
    for (const struct chunk *c = a->first; c; c = c->next) {
        u.blocks += c->blocks;
        u.pages += c->n;
    }
    u.blocks--; /* the sentinel */
    pthread_mutex_unlock(&a->lock);
    return u;
}
