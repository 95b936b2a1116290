/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/packets.h"

#include "base/limits.h"

#include <stdlib.h>
#include <string.h>

struct packet {
    struct packet *next;
    struct msg m;
};

static struct packet *copy_of(uint32_t tag, struct span bytes)
{
    struct packet *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->m = (struct msg){malloc(bytes.n ? bytes.n : 1), bytes.n, tag};
    if (!p->m.bytes) {
        free(p);
        return NULL;
    }
    if (bytes.n > 0)
        memcpy(p->m.bytes, bytes.p, bytes.n);
    return p;
}

bool packets_push(struct packets *q, uint32_t tag, struct span bytes)
{
    bool fits = q->used < EARLY_PACKETS_MAX && bytes.n <= EARLY_BYTES_MAX - q->bytes;
    struct packet *p = fits ? copy_of(tag, bytes) : NULL;

    if (!p) {
        q->overflow++;
        return false;
    }
    if (q->last)
        q->last->next = p;
    else
        q->first = p;
    q->last = p;
    q->used++;
    q->bytes += bytes.n;
    return true;
}

bool packets_pop(struct packets *q, struct msg *out)
{
    struct packet *p = q->first;

    if (!p)
        return false;
    *out = p->m;
    q->first = p->next;
    if (!q->first)
        q->last = NULL;
    q->used--;
    q->bytes -= p->m.n;
    free(p);
    return true;
}

void packets_clear(struct packets *q)
{
    struct msg m;

    while (packets_pop(q, &m))
        msg_done(&m);
}
