/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/data_path.h"

#include "base/limits.h"

static void add(struct esp_counters *sum, const struct esp_counters *c)
{
    sum->packets += c->packets;
    sum->bytes += c->bytes;
    sum->replayed += c->replayed;
    sum->bad_icv += c->bad_icv;
    sum->malformed += c->malformed;
    sum->bad_udp_sum += c->bad_udp_sum;
    sum->cut_otherwise += c->cut_otherwise;
}

static void choose_out(struct data_path *d)
{
    const struct data_pair *p = data_current(d);

    d->out = p ? p->out : NULL;
}

static void drop_pair(struct data_path *d, struct data_pair *p)
{
    add(&d->gone_in, esp_in_counters(p->in));
    add(&d->gone_out, esp_out_counters(p->out));
    esp_in_free(p->in);
    esp_out_free(p->out);
    *p = (struct data_pair){0};
    choose_out(d);
}

const struct data_pair *data_current(const struct data_path *d)
{
    const struct data_pair *newest = NULL;

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in && (!newest || d->pair[i].order > newest->order))
            newest = &d->pair[i];
    return newest;
}

/* A free slot, or the oldest pair's when a peer makes more of them than can be of use. */
static struct data_pair *take_slot(struct data_path *d)
{
    struct data_pair *oldest = &d->pair[0];

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        if (!d->pair[i].in)
            return &d->pair[i];
        if (d->pair[i].order < oldest->order)
            oldest = &d->pair[i];
    }
    drop_pair(d, oldest);
    return oldest;
}

bool data_install(struct data_path *d, struct crypto *crypto, const struct env *env,
                  const struct sa_pair *sa, const struct inaddr *local, const struct inaddr *remote,
                  l2tpc_us now)
{
    struct esp_in *in = esp_in_new(crypto, sa, local, remote);
    struct esp_out *out = esp_out_new(crypto, env, sa, local, remote);
    struct data_pair *p;

    if (!in || !out) {
        esp_in_free(in);
        esp_out_free(out);
        return false;
    }
    p = take_slot(d);
    *p = (struct data_pair){
        .in = in,
        .out = out,
        .installed = now,
        .expires = sa->lifetime_s ? us_add(now, US_S(sa->lifetime_s) + SA_GRACE) : US_NEVER,
        .order = ++d->n_installed,
    };
    d->udp_encapsulated = sa->udp_encapsulated;
    choose_out(d);
    return true;
}

bool data_remove(struct data_path *d, uint32_t spi_out)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        if (d->pair[i].in && esp_out_spi(d->pair[i].out) == spi_out) {
            drop_pair(d, &d->pair[i]);
            return true;
        }
    }
    return false;
}

l2tpc_us data_next_expiry(const struct data_path *d)
{
    l2tpc_us next = US_NEVER;

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in)
            next = us_min(next, d->pair[i].expires);
    return next;
}

l2tpc_us data_expire(struct data_path *d, l2tpc_us now)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in && d->pair[i].expires <= now)
            drop_pair(d, &d->pair[i]);
    return data_next_expiry(d);
}

void data_clear(struct data_path *d)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in)
            drop_pair(d, &d->pair[i]);
    d->ip_open = false;
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
}
