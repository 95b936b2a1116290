/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#define MAPPINGS_MAX 16

struct flight {
    struct flight *next;
    l2tpc_us due;
    enum simlink_dir dir;
    enum peer_port port;
    struct endpoint from, to;
    size_t n;
    uint8_t bytes[];
};

struct mapping {
    struct endpoint inside;
    uint16_t outside;
    enum peer_port port;
};

struct simlink {
    struct simlink_config config;
    struct simlink_stats stats;
    struct sim_rand rand;
    struct flight *flights; /* by due time, then by order of sending */
    l2tpc_us last_due[2];
    unsigned number, dir_number[2];
    struct mapping mapping[MAPPINGS_MAX];
    size_t n_mappings;
    uint16_t next_port;
};

struct simlink *simlink_new(const struct simlink_config *config)
{
    struct simlink *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->config = *config;
    l->rand.state = config->seed;
    l->next_port = 40001;
    l->stats.trace = 14695981039346656037u;
    return l;
}

void simlink_free(struct simlink *l)
{
    if (!l)
        return;
    while (l->flights) {
        struct flight *next = l->flights->next;

        free(l->flights);
        l->flights = next;
    }
    free(l);
}

struct simlink_config *simlink_config(struct simlink *l)
{
    return &l->config;
}

const struct simlink_stats *simlink_stats(const struct simlink *l)
{
    return &l->stats;
}

void simlink_rebind(struct simlink *l)
{
    l->n_mappings = 0;
}

static void trace(struct simlink *l, const void *p, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        l->stats.trace = (l->stats.trace ^ b[i]) * 1099511628211u;
}

static bool chance(struct simlink *l, unsigned per_10000)
{
    return per_10000 && sim_rand_below(&l->rand, 10000) < per_10000;
}

/* Rewrites the addresses as a NAT would; false when nothing is mapped. */
static bool translate(struct simlink *l, enum simlink_dir dir, enum peer_port port,
                      struct endpoint *from, struct endpoint *to)
{
    struct mapping *m;

    if (!l->config.nat)
        return true;
    if (port == PEER_RAWESP && !l->config.nat_passes_esp)
        return false;
    for (size_t i = 0; i < l->n_mappings; i++) {
        m = &l->mapping[i];
        if (m->port == port && dir == SIMLINK_TO_PEER && endpoint_eq(&m->inside, from)) {
            *from = (struct endpoint){.addr = l->config.nat_addr, .port = m->outside};
            return true;
        }
        if (m->port == port && dir == SIMLINK_TO_CLIENT && to->port == m->outside) {
            *to = m->inside;
            return true;
        }
    }
    if (dir == SIMLINK_TO_CLIENT || l->n_mappings == MAPPINGS_MAX)
        return false;
    m = &l->mapping[l->n_mappings++];
    *m = (struct mapping){
        .inside = *from, .outside = port == PEER_RAWESP ? 0 : l->next_port++, .port = port};
    *from = (struct endpoint){.addr = l->config.nat_addr, .port = m->outside};
    return true;
}

static void put_in_flight(struct simlink *l, const struct simlink_packet *k,
                          const struct endpoint *from, const struct endpoint *to, bool flip,
                          l2tpc_us due)
{
    struct flight *f = malloc(sizeof(*f) + k->bytes.n), **at = &l->flights;

    if (!f)
        abort();
    *f = (struct flight){
        .due = due, .dir = k->dir, .port = k->port, .from = *from, .to = *to, .n = k->bytes.n};
    if (f->n)
        memcpy(f->bytes, k->bytes.p, f->n);
    if (flip && f->n) {
        uint64_t bit = sim_rand_below(&l->rand, f->n * 8);

        f->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    while (*at && (*at)->due <= due)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
}

static enum simlink_fate fate_of(struct simlink *l, const struct simlink_packet *k)
{
    const struct simlink_config *c = &l->config;

    if (k->number < 256 && (c->drop_mask[k->number / 64] >> k->number % 64 & 1))
        return SIMLINK_DROPPED;
    if (c->drop_run.on && c->drop_run.dir == k->dir && k->dir_number >= c->drop_run.first &&
        k->dir_number - c->drop_run.first < c->drop_run.count)
        return SIMLINK_DROPPED;
    if (c->blocked[k->port][k->dir] || (c->longest && k->bytes.n > c->longest))
        return SIMLINK_BLOCKED;
    if (chance(l, c->loss))
        return SIMLINK_LOST;
    return chance(l, c->corrupt) ? SIMLINK_CORRUPTED : SIMLINK_SENT;
}

static l2tpc_us arrival(struct simlink *l, enum simlink_dir dir, l2tpc_us now)
{
    l2tpc_us due = now + l->config.latency + sim_rand_below(&l->rand, l->config.jitter + 1);

    if (chance(l, l->config.reorder)) {
        l->stats.reordered++;
        return due + l->config.latency + l->config.jitter + US_MS(5);
    }
    due = us_max(due, l->last_due[dir]);
    l->last_due[dir] = due;
    return due;
}

static void count(struct simlink *l, const struct simlink_packet *k)
{
    l->stats.sent[k->port][k->dir]++;
    l->stats.lost += k->fate == SIMLINK_LOST;
    l->stats.dropped += k->fate == SIMLINK_DROPPED;
    l->stats.blocked += k->fate == SIMLINK_BLOCKED;
    l->stats.corrupted += k->fate == SIMLINK_CORRUPTED;
    trace(l, &k->at, sizeof(k->at));
    trace(l, &k->port, sizeof(k->port));
    trace(l, &k->dir, sizeof(k->dir));
    trace(l, &k->fate, sizeof(k->fate));
    trace(l, k->bytes.p, k->bytes.n);
}

void simlink_send(struct simlink *l, enum simlink_dir dir, enum peer_port port,
                  const struct endpoint *from, const struct endpoint *to, struct span bytes,
                  l2tpc_us now)
{
    struct simlink_packet k = {.at = now,
                               .number = l->number++,
                               .dir_number = l->dir_number[dir]++,
                               .dir = dir,
                               .port = port,
                               .from = *from,
                               .to = *to,
                               .bytes = bytes};
    struct endpoint seen_from = *from, seen_to = *to;

    k.fate = fate_of(l, &k);
    if (!translate(l, dir, port, &seen_from, &seen_to) && k.fate != SIMLINK_DROPPED)
        k.fate = SIMLINK_BLOCKED;
    if (l->config.hook && l->config.hook(l->config.hook_ctx, &k))
        k.fate = SIMLINK_DROPPED;
    count(l, &k);
    if (k.fate != SIMLINK_SENT && k.fate != SIMLINK_CORRUPTED)
        return;
    put_in_flight(l, &k, &seen_from, &seen_to, k.fate == SIMLINK_CORRUPTED, arrival(l, dir, now));
    if (chance(l, l->config.duplicate)) {
        l->stats.duplicated++;
        put_in_flight(l, &k, &seen_from, &seen_to, false, arrival(l, dir, now));
    }
}

bool simlink_pop(struct simlink *l, l2tpc_us now, enum simlink_dir *dir, enum peer_port *port,
                 struct endpoint *from, struct endpoint *to, struct msg *out)
{
    struct flight *f = l->flights;

    if (!f || f->due > now)
        return false;
    l->flights = f->next;
    *dir = f->dir;
    *port = f->port;
    *from = f->from;
    *to = f->to;
    *out = (struct msg){.bytes = malloc(f->n ? f->n : 1), .n = f->n, .tag = f->port};
    if (!out->bytes)
        abort();
    memcpy(out->bytes, f->bytes, f->n);
    free(f);
    return true;
}

l2tpc_us simlink_deadline(const struct simlink *l)
{
    return l->flights ? l->flights->due : US_NEVER;
}
