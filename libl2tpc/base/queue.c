/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/queue.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

bool msgq_push(struct msgq *q, uint32_t tag, struct span bytes)
{
    uint8_t *copy;

    if (q->used == MSGQ_SLOTS || !(copy = malloc(bytes.n ? bytes.n : 1))) {
        q->overflow++;
        return false;
    }
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    q->slot[(q->head + q->used++) % MSGQ_SLOTS] = (struct msg){copy, bytes.n, tag};
    return true;
}

bool msgq_pop(struct msgq *q, struct msg *out)
{
    if (q->used == 0)
        return false;
    *out = q->slot[q->head];
    q->slot[q->head] = (struct msg){0};
    q->head = (q->head + 1) % MSGQ_SLOTS;
    q->used--;
    return true;
}

void msg_done(struct msg *m)
{
    wipe_free(m->bytes, m->n);
    *m = (struct msg){0};
}

void msgq_clear(struct msgq *q)
{
    struct msg m;

    while (msgq_pop(q, &m))
        msg_done(&m);
}
