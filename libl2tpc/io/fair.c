/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/fair.h"

#include "io/layout.h"
#include "wire/rd.h"

_Static_assert((FAIR_FLOWS & (FAIR_FLOWS - 1)) == 0, "flows are picked by a mask");

void fair_init(struct fair *f)
{
    const struct fair_list empty = {-1, -1};

    *f = (struct fair){.free = -1, .begun = empty, .ongoing = empty};
    for (int i = FAIR_SLOTS - 1; i >= 0; i--)
        fair_give_back(f, i);
    for (unsigned i = 0; i < FAIR_FLOWS; i++)
        f->flow[i].slots = empty;
}

int fair_take(struct fair *f)
{
    int slot = f->free;

    if (slot >= 0)
        f->free = f->slot[slot].next;
    if (slot >= f->high)
        f->high = slot + 1;
    return slot;
}

void fair_give_back(struct fair *f, int slot)
{
    f->slot[slot].next = f->free;
    f->free = slot;
}

static void flow_append(struct fair *f, struct fair_list *list, int flow)
{
    f->flow[flow].next = -1;
    if (list->last >= 0)
        f->flow[list->last].next = flow;
    else
        list->first = flow;
    list->last = flow;
}

static void flow_remove_first(struct fair *f, struct fair_list *list)
{
    list->first = f->flow[list->first].next;
    if (list->first < 0)
        list->last = -1;
}

void fair_add(struct fair *f, int slot, uint32_t flow, size_t length)
{
    int at = (int)(flow & (FAIR_FLOWS - 1));
    struct fair_flow *to = &f->flow[at];

    f->slot[slot] = (struct fair_slot){.next = -1, .length = length};
    if (to->slots.last >= 0)
        f->slot[to->slots.last].next = slot;
    else
        to->slots.first = slot;
    to->slots.last = slot;
    f->waiting++;
    if (to->active)
        return;
    to->active = true;
    to->credit = FAIR_QUANTUM;
    flow_append(f, &f->begun, at);
}

/* Its queue is empty. One that goes idle at once could begin anew all the time: it has to wait. */
static void put_aside(struct fair *f, struct fair_list *list, int flow)
{
    bool waits = list == &f->begun && f->ongoing.first >= 0;

    flow_remove_first(f, list);
    if (waits)
        flow_append(f, &f->ongoing, flow);
    else
        f->flow[flow].active = false;
}

static int pop(struct fair *f, struct fair_flow *from)
{
    int slot = from->slots.first;

    from->slots.first = f->slot[slot].next;
    if (from->slots.first < 0)
        from->slots.last = -1;
    from->credit -= (int32_t)f->slot[slot].length;
    f->waiting--;
    return slot;
}

int fair_next(struct fair *f)
{
    for (;;) {
        struct fair_list *list = f->begun.first >= 0 ? &f->begun : &f->ongoing;
        int at = list->first;

        if (at < 0)
            return -1;
        if (f->flow[at].slots.first < 0) {
            put_aside(f, list, at);
        } else if (f->flow[at].credit <= 0) {
            f->flow[at].credit += FAIR_QUANTUM;
            flow_remove_first(f, list);
            flow_append(f, &f->ongoing, at);
        } else {
            return pop(f, &f->flow[at]);
        }
    }
}

/* ---- flows ---- */

static uint32_t mix(uint32_t hash, uint32_t word)
{
    hash = (hash ^ word) * 0x9e3779b1u; /* 2^32 divided by the golden ratio */
    return hash ^ hash >> 15;
}

static uint32_t mix_words(uint32_t hash, struct rd *r, unsigned n)
{
    uint32_t word;

    while (n-- > 0 && rd_u32(r, &word))
        hash = mix(hash, word);
    return hash;
}

uint32_t fair_flow_of(struct span ip)
{
    struct rd r = rd_of(ip);
    uint32_t hash = 0;
    uint16_t fragment = 0;
    uint8_t version = 0;
    uint8_t protocol = 0;
    size_t header;

    if (!rd_u8(&r, &version))
        return 0;
    if (version >> 4 == 6) {
        header = IPV6_HEADER;
        if (!rd_skip(&r, 5) || !rd_u8(&r, &protocol) || !rd_skip(&r, 1))
            return 0;
        hash = mix_words(0, &r, 8);
    } else {
        header = (size_t)(version & 15) * 4;
        if (header < IPV4_HEADER || !rd_skip(&r, 5) || !rd_u16(&r, &fragment) || !rd_skip(&r, 1) ||
            !rd_u8(&r, &protocol) || !rd_skip(&r, 2))
            return 0;
        hash = mix_words(0, &r, 2);
    }
    hash = mix(hash, protocol);
    r = rd_of(ip);
    if ((protocol == PROTO_TCP || protocol == PROTO_UDP) && !(fragment & IPV4_FRAGMENT) &&
        rd_skip(&r, header))
        hash = mix_words(hash, &r, 1);
    return hash;
}
