/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/data_path.h"

#include "base/limits.h"
#include "wire/rd.h"

#include <string.h>

/* ---- what the others see ---- */

void data_set_turns(struct data_path *d, struct turns *turns)
{
    d->turns = turns;
    data_publish(d);
}

/* A copy that nobody reads any more; a turn that still does is over in a moment. */
static struct data_block *take_block(struct data_path *d)
{
    struct data_block *b = &d->block[d->n_published++ % DATA_BLOCKS];

    turns_await(d->turns, &b->left);
    return b;
}

void data_publish(struct data_path *d)
{
    const struct data_params *live = atomic_load(&d->live);
    struct data_block *b;

    if (!d->turns || (live && memcmp(live, &d->now, sizeof(d->now)) == 0))
        return;
    b = take_block(d);
    memcpy(&b->params, &d->now, sizeof(b->params));
    atomic_store(&d->live, &b->params);
    if (d->n_published > 1)
        d->block[(d->n_published - 2) % DATA_BLOCKS].left = turns_now(d->turns);
}

static void add(struct esp_counters *sum, struct esp_counters c)
{
    sum->packets += c.packets;
    sum->bytes += c.bytes;
    sum->replayed += c.replayed;
    sum->bad_icv += c.bad_icv;
    sum->malformed += c.malformed;
    sum->bad_udp_sum += c.bad_udp_sum;
    sum->cut_otherwise += c.cut_otherwise;
}

static void forget(struct data_path *d, struct data_gone *g)
{
    add(&d->gone_in, esp_in_counters(g->in));
    add(&d->gone_out, esp_out_counters(g->out));
    esp_in_free(g->in);
    esp_out_free(g->out);
    *g = (struct data_gone){0};
}

bool data_sweep(struct data_path *d)
{
    bool clean = true;

    for (unsigned i = 0; i < DATA_GONE_MAX; i++) {
        struct data_gone *g = &d->gone[i];

        if (g->in && turns_passed(d->turns, &g->left))
            forget(d, g);
        clean = clean && !g->in;
    }
    return clean;
}

/* Wiped at once where nobody else moves packets, and else when the turn that has it is over. */
static void put_away(struct data_path *d, struct esp_in *in, struct esp_out *out)
{
    struct data_gone here = {.in = in, .out = out};

    if (!d->turns) {
        forget(d, &here);
        return;
    }
    data_publish(d);
    here.left = turns_now(d->turns);
    (void)data_sweep(d);
    for (unsigned i = 0; i < DATA_GONE_MAX; i++) {
        if (!d->gone[i].in) {
            d->gone[i] = here;
            return;
        }
    }
    turns_await(d->turns, &here.left);
    forget(d, &here);
}

/* ---- pairs ---- */

static void set_sender(struct data_path *d, struct data_pair *p)
{
    d->sender = p;
    d->now.out = p ? p->out : NULL;
    if (p) {
        p->replaced = 0;
        p->delete_at = p->switch_at = US_NEVER;
        p->spare = false;
    }
}

/* Ready before not ready, new before old; never one that the server was told to forget. */
static bool is_better(const struct data_pair *p, const struct data_pair *best)
{
    if (!p->in || p->spent || p->deleted)
        return false;
    if (!best || p->ready != best->ready)
        return !best || p->ready;
    return p->order > best->order;
}

static void choose_sender(struct data_path *d)
{
    struct data_pair *best = NULL;

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (is_better(&d->pair[i], best))
            best = &d->pair[i];
    set_sender(d, best);
}

static void drop_pair(struct data_path *d, struct data_pair *p)
{
    bool was_sender = d->sender == p;
    struct data_pair old = *p;

    *p = (struct data_pair){0};
    d->now.in[p - d->pair] = NULL;
    if (was_sender)
        choose_sender(d);
    put_away(d, old.in, old.out);
}

const struct data_pair *data_current(const struct data_path *d)
{
    return d->sender;
}

struct data_pair *data_find_out(struct data_path *d, uint32_t spi_out)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in && esp_out_spi(d->pair[i].out) == spi_out)
            return &d->pair[i];
    return NULL;
}

/* A free slot, or the oldest pair's when a peer makes more of them than can be of use. */
static struct data_pair *take_slot(struct data_path *d)
{
    struct data_pair *oldest = NULL;

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        struct data_pair *p = &d->pair[i];

        if (!p->in)
            return p;
        if (p != d->sender && (!oldest || p->order < oldest->order))
            oldest = p;
    }
    drop_pair(d, oldest);
    return oldest;
}

/* Between 80 and 90 percent: both sides rarely begin at once. */
static uint64_t soft_part(uint64_t life, uint32_t random)
{
    return life / 100 * LIFE_SOFT_FROM +
           life / 100 * (LIFE_SOFT_TO - LIFE_SOFT_FROM) / 1024 * (random % 1024);
}

static void plan(struct data_pair *p, const struct sa_pair *sa, l2tpc_us now)
{
    l2tpc_us life = sa->lifetime_s ? US_S(sa->lifetime_s) : 0;
    bool blocks64 = sa->suite.cipher == CIPHER_3DES_CBC || sa->suite.cipher == CIPHER_DES_CBC;
    uint32_t random = sa->in.spi ^ sa->out.spi; /* both were chosen at random */

    p->installed = p->rate_at = now;
    p->expires = life ? us_add(now, life + SA_GRACE) : US_NEVER;
    p->soft = life ? us_add(now, soft_part(life, random)) : US_NEVER;
    p->window = life ? us_min(SA_SPARE_WINDOW, life / 4) : SA_SPARE_WINDOW;
    p->hard_bytes = sa->lifetime_bytes ? sa->lifetime_bytes : UINT64_MAX;
    p->soft_bytes = sa->lifetime_bytes ? soft_part(sa->lifetime_bytes, random) : UINT64_MAX;
    p->block_bytes = blocks64 ? soft_part(ESP_BLOCKS64_MAX, random) : UINT64_MAX;
    p->switch_at = p->delete_at = US_NEVER;
}

void data_shorten(struct data_path *d, uint32_t spi_out, uint32_t seconds, uint64_t bytes,
                  l2tpc_us now)
{
    struct data_pair *p = data_find_out(d, spi_out);
    l2tpc_us life = US_S(seconds);

    if (!p)
        return;
    if (seconds != UINT32_MAX) {
        /* However little is left, a successor gets the usual time to come up. */
        l2tpc_us end = us_max(us_add(p->installed, life), now);

        p->expires = us_min(p->expires, us_add(end, SA_GRACE));
        p->soft = us_min(p->soft, us_add(p->installed, soft_part(life, spi_out)));
    }
    if (bytes != 0) {
        p->hard_bytes = bytes < p->hard_bytes ? bytes : p->hard_bytes;
        p->soft_bytes = soft_part(p->hard_bytes, spi_out);
    }
}

struct data_pair *data_install(struct data_path *d, struct crypto *crypto, const struct env *env,
                               const struct sa_pair *sa, const struct inaddr *local,
                               const struct inaddr *remote, l2tpc_us now)
{
    struct esp_in *in = esp_in_new(crypto, sa, local, remote);
    struct esp_out *out = esp_out_new(crypto, env, sa, local, remote);
    struct data_pair *p;

    if (!in || !out) {
        esp_in_free(in);
        esp_out_free(out);
        return NULL;
    }
    p = take_slot(d);
    *p = (struct data_pair){.in = in, .out = out, .order = ++d->n_installed};
    d->now.in[p - d->pair] = in;
    plan(p, sa, now);
    d->now.udp_encapsulated = sa->udp_encapsulated;
    if (!d->sender)
        set_sender(d, p);
    return p;
}

static void replace(struct data_pair *old, const struct data_pair *p, l2tpc_us now)
{
    l2tpc_us apart = p->installed > old->installed ? p->installed - old->installed
                                                   : old->installed - p->installed;

    old->replaced = now;
    old->switch_at = US_NEVER;
    old->spare = apart < p->window;
    old->delete_at = us_add(now, old->spare ? SA_DELETE_SPARE_AFTER : SA_DELETE_AFTER);
}

void data_switch(struct data_path *d, struct data_pair *p, l2tpc_us now)
{
    if (p == d->sender || p->deleted || p->spent)
        return;
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        struct data_pair *old = &d->pair[i];

        if (old != p && old->in && !old->replaced && (old->ready || old == d->sender))
            replace(old, p, now);
    }
    set_sender(d, p);
}

void data_spend(struct data_path *d, struct data_pair *p, l2tpc_us now)
{
    p->spent = true;
    if (p != d->sender)
        return;
    choose_sender(d);
    if (d->sender)
        replace(p, d->sender, now);
}

bool data_remove(struct data_path *d, uint32_t spi_out)
{
    struct data_pair *p = data_find_out(d, spi_out);

    if (!p)
        return false;
    drop_pair(d, p);
    return true;
}

static l2tpc_us gone_at(const struct data_pair *p)
{
    return p->replaced ? us_min(p->expires, us_add(p->replaced, SA_OLD_KEEP)) : p->expires;
}

l2tpc_us data_next_expiry(const struct data_path *d)
{
    l2tpc_us next = US_NEVER;

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in)
            next = us_min(next, gone_at(&d->pair[i]));
    return next;
}

l2tpc_us data_expire(struct data_path *d, l2tpc_us now)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in && gone_at(&d->pair[i]) <= now)
            drop_pair(d, &d->pair[i]);
    return data_next_expiry(d);
}

void data_clear(struct data_path *d)
{
    turns_hold(d->turns); /* nothing of it is left behind */
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in)
            drop_pair(d, &d->pair[i]);
    d->now.n_offered = 0;
    packets_clear(&d->early);
    d->now.ip_open = false;
    data_publish(d);
    (void)data_sweep(d);
    turns_let_go(d->turns);
}

bool data_offer(struct data_path *d, const uint32_t *spis, unsigned n)
{
    bool same = n == d->now.n_offered;

    for (unsigned i = 0; i < n && same; i++)
        same = spis[i] == d->now.offered[i];
    for (unsigned i = 0; i < n && !same; i++)
        d->now.offered[i] = spis[i];
    d->now.n_offered = n;
    return !same;
}

void data_keep_early(struct data_path *d, struct span packet)
{
    struct rd r = rd_of(packet);
    uint32_t spi;

    if (!rd_u32(&r, &spi) || !packets_push(&d->early, spi, packet))
        d->early_lost++;
}

bool data_is_offered(const struct data_path *d, uint32_t spi)
{
    for (unsigned i = 0; i < d->now.n_offered; i++)
        if (d->now.offered[i] == spi)
            return true;
    return false;
}

void data_sum(const struct data_path *d, struct esp_counters *in, struct esp_counters *out)
{
    *in = d->gone_in;
    *out = d->gone_out;
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        if (d->pair[i].in) {
            add(in, esp_in_counters(d->pair[i].in));
            add(out, esp_out_counters(d->pair[i].out));
        }
    }
    for (unsigned i = 0; i < DATA_GONE_MAX; i++) {
        if (d->gone[i].in) {
            add(in, esp_in_counters(d->gone[i].in));
            add(out, esp_out_counters(d->gone[i].out));
        }
    }
}
