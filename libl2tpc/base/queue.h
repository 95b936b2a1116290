/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bounded queues between an engine and its driver. A message queue holds heap copies, so that an
 * idle engine costs nothing; events are small values in a fixed ring. A full queue is a bug that a
 * test must catch: `overflow` counts it, the message is lost as if the network had dropped it.
 */
#ifndef L2TPC_BASE_QUEUE_H
#define L2TPC_BASE_QUEUE_H

#include "base/secret.h"
#include "base/span.h"

#include <stdlib.h>

#define MSGQ_SLOTS 16

struct msg {
    uint8_t *bytes; /* heap; freed, wiped, by msg_done() */
    size_t n;
    uint32_t tag; /* the engine's own meaning, such as the port to leave from */
};

struct msgq {
    struct msg slot[MSGQ_SLOTS];
    unsigned head, used;
    unsigned overflow;
};

bool msgq_push(struct msgq *q, uint32_t tag, struct span bytes); /* copies */
bool msgq_pop(struct msgq *q, struct msg *out) MUST_USE;         /* the caller then owns `out` */
void msg_done(struct msg *m);
void msgq_clear(struct msgq *q);

static inline bool msgq_empty(const struct msgq *q)
{
    return q->used == 0;
}

/*
 * DEFINE_RING(name, type, few, slots): struct name, name_push, name_pop, name_clear over plain
 * values. `few` of them stand in the struct itself; room for all `slots` comes from the heap while
 * there are more than these, so that an engine in a process of many stays small. What was taken out
 * is wiped.
 */
#define DEFINE_RING(name, type, few, slots)                                                        \
    struct name {                                                                                  \
        type own[few];                                                                             \
        type *more; /* NULL: `own` is the ring */                                                  \
        unsigned head, used, overflow;                                                             \
    };                                                                                             \
    static inline void name##_clear(struct name *r)                                                \
    {                                                                                              \
        if (r->more)                                                                               \
            wipe_free(r->more, (slots) * sizeof(type));                                            \
        r->more = NULL;                                                                            \
        r->head = r->used = 0;                                                                     \
    }                                                                                              \
    static inline bool name##_grow(struct name *r)                                                 \
    {                                                                                              \
        type *more = r->more || (few) == (slots) ? NULL : calloc(slots, sizeof(type));             \
        if (!more)                                                                                 \
            return false;                                                                          \
        for (unsigned i = 0; i < r->used; i++)                                                     \
            more[i] = r->own[(r->head + i) % (few)];                                               \
        wipe(r->own, sizeof(r->own));                                                              \
        r->more = more;                                                                            \
        r->head = 0;                                                                               \
        return true;                                                                               \
    }                                                                                              \
    static inline bool name##_push(struct name *r, const type *v)                                  \
    {                                                                                              \
        if (r->used == (r->more ? (slots) : (few)) && !name##_grow(r)) {                           \
            r->overflow++;                                                                         \
            return false;                                                                          \
        }                                                                                          \
        if (r->more)                                                                               \
            r->more[(r->head + r->used++) % (slots)] = *v;                                         \
        else                                                                                       \
            r->own[(r->head + r->used++) % (few)] = *v;                                            \
        return true;                                                                               \
    }                                                                                              \
    static inline bool name##_pop(struct name *r, type *out)                                       \
    {                                                                                              \
        type *at = r->more ? &r->more[r->head] : &r->own[r->head];                                 \
        if (r->used == 0)                                                                          \
            return false;                                                                          \
        *out = *at;                                                                                \
        wipe(at, sizeof(*at));                                                                     \
        r->head = (r->head + 1) % (r->more ? (slots) : (few));                                     \
        if (--r->used == 0)                                                                        \
            name##_clear(r);                                                                       \
        return true;                                                                               \
    }

#endif
