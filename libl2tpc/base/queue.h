/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bounded queues between an engine and its driver. A message queue holds heap copies, so that an
 * idle engine costs nothing; events are small values in a fixed ring. A full queue is a bug that a
 * test must catch: `overflow` counts it, the message is lost as if the network had dropped it.
 */
#ifndef L2TPC_BASE_QUEUE_H
#define L2TPC_BASE_QUEUE_H

#include "base/span.h"

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

/* DEFINE_RING(name, type, slots): struct name, name_push, name_pop over plain values. */
#define DEFINE_RING(name, type, slots)                                                             \
    struct name {                                                                                  \
        type slot[slots];                                                                          \
        unsigned head, used, overflow;                                                             \
    };                                                                                             \
    static inline bool name##_push(struct name *r, const type *v)                                  \
    {                                                                                              \
        if (r->used == (slots)) {                                                                  \
            r->overflow++;                                                                         \
            return false;                                                                          \
        }                                                                                          \
        r->slot[(r->head + r->used++) % (slots)] = *v;                                             \
        return true;                                                                               \
    }                                                                                              \
    static inline bool name##_pop(struct name *r, type *out)                                       \
    {                                                                                              \
        if (r->used == 0)                                                                          \
            return false;                                                                          \
        *out = r->slot[r->head];                                                                   \
        r->head = (r->head + 1) % (slots);                                                         \
        r->used--;                                                                                 \
        return true;                                                                               \
    }

#endif
