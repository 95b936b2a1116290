/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/run.h"

uint8_t *run_room(struct run *r, size_t bytes)
{
    if (r->n == RUN_PACKETS || bytes > RUN_ROOM - r->used)
        return NULL;
    return r->room + r->used;
}

void run_add(struct run *r, size_t bytes, struct mspan message)
{
    r->packet[r->n++] = (struct esp_packet){.data = message, .verdict = ESP_FAILED};
    r->used += bytes;
}

/* A shorter one closes a run, and so does one that could not be sealed. */
static bool joins(const struct run_part *part, const struct esp_packet *p)
{
    size_t last = part->bytes.n - (part->n - 1) * part->size;

    return p->verdict == ESP_OK && last == part->size && p->data.n <= part->size &&
           part->bytes.n + p->data.n <= RUN_BYTES && p->data.p == part->bytes.p + part->bytes.n;
}

bool run_part(const struct run *r, unsigned *next, unsigned most, struct run_part *out)
{
    while (*next < r->n && r->packet[*next].verdict != ESP_OK)
        ++*next;
    if (*next >= r->n)
        return false;
    *out = (struct run_part){span_ro(r->packet[*next].data), r->packet[*next].data.n, 1};
    while (++*next < r->n && out->n < most && joins(out, &r->packet[*next])) {
        out->bytes.n += r->packet[*next].data.n;
        out->n++;
    }
    return true;
}
