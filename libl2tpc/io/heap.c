/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/heap.h"

#include "base/limits.h"
#include "base/secret.h"
#include "crypto/crypto.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define USUAL 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define USUAL 1
#endif
#endif
#ifndef USUAL
#define USUAL 0
#endif

#define GRAIN 16
#define SLAB 8192
#define SLABS (HEAP_ROOM / SLAB)
#define SLABS_AT_ONCE (HEAP_STEP / SLAB)
#define BLOCK_MAX (SLAB / 2)
#define RUN 0xfe  /* the first slab of a block that is larger */
#define TAIL 0xff /* ... the others */
#define NONE UINT32_MAX

/* Each size is a multiple of GRAIN; 0 stands for a slab that is free. */
static const uint16_t sizes[] = {0,   16,  32,  48,  64,   96,   128,  192,  256,
                                 384, 512, 672, 816, 1024, 1360, 2048, 2720, 4096};

/* What is known of a slab stands outside of it. */
struct slab {
    uint32_t next, prev; /* of those of its size that have room */
    uint32_t run;        /* RUN: how many slabs */
    uint16_t used;       /* blocks */
    uint16_t fresh;      /* blocks that were never handed out begin with this one */
    uint8_t size;        /* index into sizes */
    bool listed;
    void *free; /* a list through the blocks that were given back */
};

/*
 * OpenSSL's hooks take no context, and there is one OpenSSL in a process: the one place of the
 * library that cannot do without a variable of the file.
 */
static struct heap {
    pthread_mutex_t lock;
    uint8_t *room; /* NULL: not started */
    struct slab *slab;
    uint8_t size_of[BLOCK_MAX / GRAIN + 1]; /* of so many grains */
    uint32_t list[ARRAY_LEN(sizes)];
    uint32_t opened; /* slabs */
    size_t locked, may_lock, used;
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint8_t *at(uint32_t slab)
{
    return heap.room + (size_t)slab * SLAB;
}

static bool is_ours(const void *p)
{
    const uint8_t *b = p;

    return heap.room && b >= heap.room && b < heap.room + HEAP_ROOM;
}

static uint32_t slab_of(const void *p)
{
    return (uint32_t)((size_t)((const uint8_t *)p - heap.room) / SLAB);
}

/* ---- slabs ---- */

static void list_add(uint32_t i)
{
    struct slab *s = &heap.slab[i];

    s->prev = NONE;
    s->next = heap.list[s->size];
    if (s->next != NONE)
        heap.slab[s->next].prev = i;
    heap.list[s->size] = i;
    s->listed = true;
}

static void list_remove(uint32_t i)
{
    struct slab *s = &heap.slab[i];

    if (s->prev == NONE)
        heap.list[s->size] = s->next;
    else
        heap.slab[s->prev].next = s->next;
    if (s->next != NONE)
        heap.slab[s->next].prev = s->prev;
    s->listed = false;
}

/* So many of these bytes, from their begin, may be locked as well. */
static size_t lockable(size_t bytes)
{
    size_t left = heap.may_lock > heap.locked ? heap.may_lock - heap.locked : 0;

    return bytes <= left ? bytes : left / SLAB * SLAB;
}

/* What may be locked is shared with the arena, whose secrets come first. */
static bool open_slabs(uint32_t n)
{
    uint8_t *from = at(heap.opened);
    size_t bytes = (size_t)n * SLAB;

    if (n > SLABS - heap.opened || mprotect(from, bytes, PROT_READ | PROT_WRITE) != 0)
        return false;
    bytes = lockable(bytes);
    if (bytes > 0 && mlock(from, bytes) == 0)
        heap.locked += bytes;
    heap.opened += n;
    return true;
}

/* The first of `n` free slabs in a row. */
static uint32_t find_slabs(uint32_t n)
{
    uint32_t have = 0;

    for (uint32_t i = 0; i < heap.opened; i++) {
        have = heap.slab[i].size == 0 ? have + 1 : 0;
        if (have == n)
            return i + 1 - n;
    }
    n -= have; /* the last ones are free */
    if (!open_slabs(n > SLABS_AT_ONCE ? n : SLABS_AT_ONCE) && !open_slabs(n))
        return NONE;
    return find_slabs(n + have);
}

/* ---- blocks ---- */

static void *take_run(size_t n)
{
    uint32_t slabs = (uint32_t)((n + SLAB - 1) / SLAB);
    uint32_t i = find_slabs(slabs);

    if (i == NONE)
        return NULL;
    heap.slab[i].size = RUN;
    heap.slab[i].run = slabs;
    for (uint32_t k = 1; k < slabs; k++)
        heap.slab[i + k].size = TAIL;
    heap.used += (size_t)slabs * SLAB;
    return at(i);
}

static void *take_block(size_t n)
{
    uint8_t size = heap.size_of[(n + GRAIN - 1) / GRAIN];
    uint32_t i = heap.list[size];
    struct slab *s;
    void *p;

    if (i == NONE) {
        i = find_slabs(1);
        if (i == NONE)
            return NULL;
        heap.slab[i] = (struct slab){.size = size};
        list_add(i);
    }
    s = &heap.slab[i];
    p = s->free;
    if (p) {
        memcpy(&s->free, p, sizeof(s->free));
        memset(p, 0, sizeof(s->free));
    } else {
        p = at(i) + (size_t)s->fresh++ * sizes[size];
    }
    s->used++;
    heap.used += sizes[size];
    if (!s->free && s->fresh == SLAB / sizes[size])
        list_remove(i);
    return p;
}

static void give_run(uint32_t i)
{
    uint32_t slabs = heap.slab[i].run;

    wipe(at(i), (size_t)slabs * SLAB);
    for (uint32_t k = 0; k < slabs; k++)
        heap.slab[i + k].size = 0;
    heap.used -= (size_t)slabs * SLAB;
}

static void give_block(uint32_t i, void *p)
{
    struct slab *s = &heap.slab[i];

    wipe(p, sizes[s->size]);
    heap.used -= sizes[s->size];
    if (--s->used == 0) {
        if (s->listed)
            list_remove(i);
        wipe(at(i), SLAB); /* the list through it */
        s->size = 0;
        return;
    }
    memcpy(p, &s->free, sizeof(s->free));
    s->free = p;
    if (!s->listed)
        list_add(i);
}

static size_t size_of(const void *p)
{
    const struct slab *s = &heap.slab[slab_of(p)];

    return s->size == RUN ? (size_t)s->run * SLAB : sizes[s->size];
}

/* ---- as OpenSSL calls them ---- */

void *heap_malloc(size_t n, const char *file, int line)
{
    void *p = NULL;

    (void)file;
    (void)line;
    if (n == 0)
        return NULL;
    if (!USUAL && n <= HEAP_ROOM) {
        pthread_mutex_lock(&heap.lock);
        p = n <= BLOCK_MAX ? take_block(n) : take_run(n);
        pthread_mutex_unlock(&heap.lock);
    }
    return p ? p : malloc(n); /* there may be a list of a hundred megabytes to read */
}

void heap_free(void *p, const char *file, int line)
{
    uint32_t i;

    (void)file;
    (void)line;
    if (!p)
        return;
    if (!is_ours(p)) {
        wipe(p, malloc_usable_size(p));
        free(p);
        return;
    }
    i = slab_of(p);
    pthread_mutex_lock(&heap.lock);
    if (heap.slab[i].size == RUN)
        give_run(i);
    else
        give_block(i, p);
    pthread_mutex_unlock(&heap.lock);
}

void *heap_realloc(void *p, size_t n, const char *file, int line)
{
    size_t had;
    void *fresh;

    if (p && n == 0) {
        heap_free(p, file, line);
        return NULL;
    }
    had = !p ? 0 : is_ours(p) ? size_of(p) : malloc_usable_size(p);
    if (p && n <= had && n > had / 2)
        return p;
    fresh = heap_malloc(n, file, line);
    if (fresh && p) {
        memcpy(fresh, p, n < had ? n : had);
        heap_free(p, file, line);
    }
    return fresh;
}

struct heap_use heap_use(void)
{
    struct heap_use u;

    pthread_mutex_lock(&heap.lock);
    u = (struct heap_use){heap.used, (size_t)heap.opened * SLAB, heap.locked};
    pthread_mutex_unlock(&heap.lock);
    return u;
}

/* ---- life ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&heap.lock);
}

static void behind_fork(void)
{
    pthread_mutex_unlock(&heap.lock);
}

/* Half of what may be locked, unless there is no limit. */
static void look_at_limit(void)
{
    struct rlimit limit = {0};

    (void)getrlimit(RLIMIT_MEMLOCK, &limit);
    heap.may_lock = limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)limit.rlim_cur / 2;
}

/* The first of the opened slabs, as many as may be, and no others. Pages that a child has in common
 * with its parent are locked when they become its own: without MLOCK_ONFAULT all of them would, at
 * once. */
static void lock_opened(void)
{
    size_t opened = (size_t)heap.opened * SLAB;
    size_t bytes;

    heap.locked = 0;
    bytes = lockable(opened);
    if (bytes > 0 && mlock2(heap.room, bytes, MLOCK_ONFAULT) == 0)
        heap.locked = bytes;
    if (heap.locked < opened)
        (void)munlock(heap.room + heap.locked, opened - heap.locked);
}

static void in_child(void)
{
    if (heap.locked > 0)
        lock_opened();
    pthread_mutex_unlock(&heap.lock);
}

static void fill_sizes(void)
{
    uint8_t size = 1;

    for (size_t grains = 0; grains < ARRAY_LEN(heap.size_of); grains++) {
        while (sizes[size] < grains * GRAIN)
            size++;
        heap.size_of[grains] = size;
    }
    for (size_t i = 0; i < ARRAY_LEN(heap.list); i++)
        heap.list[i] = NONE;
}

/* Its books lie in front: pages that nobody asks for are never there. */
static bool open_room(void)
{
    size_t books = (SLABS * sizeof(struct slab) + SLAB - 1) / SLAB * SLAB;
    uint8_t *all = mmap(NULL, books + HEAP_ROOM, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (all == MAP_FAILED)
        return false;
    if (mprotect(all, books, PROT_READ | PROT_WRITE) != 0 ||
        pthread_atfork(before_fork, behind_fork, in_child) != 0) {
        (void)munmap(all, books + HEAP_ROOM);
        return false;
    }
    (void)madvise(all + books, HEAP_ROOM, MADV_DONTDUMP);
    heap.slab = (struct slab *)(void *)all;
    heap.room = all + books;
    fill_sizes();
    return true;
}

bool heap_start(void)
{
    bool ok = true;

    if (USUAL)
        return true;
    pthread_mutex_lock(&heap.lock);
    look_at_limit();
    if (!heap.room)
        ok = open_room();
    else if (heap.locked < (size_t)heap.opened * SLAB)
        lock_opened();
    pthread_mutex_unlock(&heap.lock);
    return ok;
}

bool heap_serve_crypto(void)
{
    return crypto_set_memory(heap_malloc, heap_realloc, heap_free);
}
