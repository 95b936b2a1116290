/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Life of the ESP pairs: when a successor is asked for, when it begins to send, and when the one
 * before is deleted and forgotten. A packet that is under way must find its pair on either side.
 */
#include "dial/internal.h"

#include "base/limits.h"
#include "base/secret.h"

/* The status tells of the pair that sends. */
static void follow_sender(struct dial *d)
{
    const struct data_pair *p = d->data.sender;

    if (!p)
        return;
    d->facts.spi_in = esp_in_spi(p->in);
    d->facts.spi_out = esp_out_spi(p->out);
}

static void took_over(struct dial *d, struct data_pair *p)
{
    follow_sender(d);
    dial_emit(d, DIAL_EVENT_SA_CHANGED);
    d->deadline.no_sa = US_NEVER;
    if (!p->ready || p->told)
        return;
    p->told = true;
    d->rekey.asked = d->rekey.wanted = false;
    d->rekey.tries = 0;
    d->rekey.next = 0;
    if (++d->facts.sa_pairs > 1)
        dial_emit(d, DIAL_EVENT_REKEYED);
}

static void switch_to(struct dial *d, struct data_pair *p, l2tpc_us now)
{
    data_switch(&d->data, p, now);
    if (d->data.sender == p)
        took_over(d, p);
}

/* Nothing can be sent: asks for a pair soon, and for the server's patience not too long. */
static void note_bare(struct dial *d, l2tpc_us now)
{
    if (d->data.sender || d->closing != CLOSING_NOT)
        return;
    d->deadline.no_sa = us_min(d->deadline.no_sa, us_add(now, NO_SA_WAIT));
    d->rekey.asked = false;
    d->rekey.tries = 0;
    d->rekey.next = us_add(now, SA_RENEW_SOON);
}

/* ---- what IKE says ---- */
void rekey_on_pair(struct dial *d, struct sa_pair *sa, l2tpc_us now)
{
    struct data_pair *p = data_install(&d->data, d->config.crypto, d->config.env, sa,
                                       &d->facts.local.addr, &d->facts.remote.addr, now);

    if (!p) {
        struct failure f = failure_make(FAILURE_LOCAL_CRYPTO);

        f.stage = STAGE_IKE_QUICK;
        failure_set_value(&f, span_str("ESP keys"));
        dial_fail_now(d, &f, now);
        return;
    }
    d->data.now.peer = sa->udp_encapsulated ? *ike_peer(d->ike, IKE_PORT_4500)
                                            : (struct endpoint){.addr = d->facts.remote.addr};
    d->facts.has_sa = true;
    d->facts.esp_suite = sa->suite;
    d->facts.pfs = sa->pfs;
    d->facts.udp_encapsulated = sa->udp_encapsulated;
    d->facts.esp_lifetime_s = sa->lifetime_s;
    d->facts.esp_backend = esp_out_backend(p->out);
    if (!sa->by_peer)
        d->rekey.asked = false;
    if (d->data.sender == p)
        d->deadline.no_sa = US_NEVER;
    follow_sender(d);
    if (!sa->udp_encapsulated && d->ladder.now.encapsulation != ENCAPSULATION_ESP &&
        d->data.n_installed == 1)
        need_sockets(d, true, now);
    dial_emit(d, DIAL_EVENT_SA_CHANGED);
}

/*
 * Message 3 has arrived, or should have: then the server goes on with the new pair, unless what it
 * sends still comes on the old one. Then message 3 may be lost, and is worth a longer wait.
 */
void rekey_on_ready(struct dial *d, uint32_t spi_out, bool proven, l2tpc_us now)
{
    struct data_pair *p = data_find_out(&d->data, spi_out);
    const struct data_pair *old = d->data.sender;

    if (!p)
        return;
    p->ready = true;
    if (old == p)
        took_over(d, p);
    else if (!proven && old && us_add(old->last_in, SA_STILL_OLD) > now)
        p->switch_at = us_add(now, SA_SWITCH_PATIENCE);
    else
        switch_to(d, p, now);
}

void rekey_on_deleted(struct dial *d, uint32_t spi_out, l2tpc_us now)
{
    const struct data_pair *before = d->data.sender;

    if (!data_remove(&d->data, spi_out))
        return;
    if (d->data.sender && d->data.sender != before)
        took_over(d, d->data.sender);
    else
        dial_emit(d, DIAL_EVENT_SA_CHANGED);
    note_bare(d, now);
}

void rekey_on_lifetime(struct dial *d, const struct sa_pair *said, uint32_t spi_out, l2tpc_us now)
{
    const struct data_pair *p = data_find_out(&d->data, spi_out);

    if (!p)
        return;
    data_shorten(&d->data, spi_out, said->lifetime_s, said->lifetime_bytes, now);
    if (p == data_current(&d->data) && said->lifetime_s < d->facts.esp_lifetime_s)
        d->facts.esp_lifetime_s = said->lifetime_s;
}

void rekey_on_failed(struct dial *d, l2tpc_us now)
{
    if (!d->rekey.asked)
        return;
    d->rekey.asked = false;
    if (d->rekey.wanted && d->data.sender && !d->data.sender->worn) {
        d->rekey.wanted = false; /* its time comes, and then it is tried as if for the first time */
        return;
    }
    d->rekey.tries++;
    d->rekey.next = us_add(now, SA_TRY_PAUSE);
}

/* ---- limits ---- */
static uint64_t bytes_of(const struct data_pair *p)
{
    uint64_t in = esp_in_counters(p->in).bytes;
    uint64_t out = esp_out_counters(p->out).bytes;

    return in > out ? in : out;
}

static void measure(struct data_pair *p, uint64_t bytes, l2tpc_us now)
{
    l2tpc_us over = now - p->rate_at;

    if (over < SA_RATE_OVER)
        return;
    p->rate = (bytes - p->rate_from) * 1000 / (over / 1000);
    p->rate_from = bytes;
    p->rate_at = now;
}

/* The faster the line, the earlier a successor is asked for: a server may be slow to answer. */
static bool fills_soon(const struct data_pair *p, uint64_t bytes)
{
    if (p->hard_bytes == UINT64_MAX || bytes < p->hard_bytes / 100 * SA_BYTES_SOONEST)
        return false;
    return bytes >= p->soft_bytes || p->hard_bytes - bytes < p->rate * (SA_BYTES_AHEAD / US_S(1));
}

/*
 * A full pair goes on for as long as one whose seconds are over: servers that count bytes
 * themselves send a Delete, the others still read it, and what is not sent is lost for certain.
 */
static void look_at_limits(struct dial *d, struct data_pair *p, l2tpc_us now)
{
    uint64_t bytes = bytes_of(p);

    measure(p, bytes, now);
    if (now >= p->soft || fills_soon(p, bytes) || esp_out_is_worn(p->out) ||
        (bytes >= p->block_bytes && now >= us_add(p->installed, SA_BLOCKS64_GAP)))
        p->worn = true;
    if (bytes >= p->hard_bytes && !p->full) {
        p->full = true;
        p->expires = us_min(p->expires, us_add(now, SA_GRACE));
    }
    if (esp_out_seq(p->out) < UINT32_MAX)
        return;
    data_spend(&d->data, p, now);
    if (d->data.sender)
        took_over(d, d->data.sender);
    note_bare(d, now);
}

/* A successor is there and only waits for its first use. */
static bool is_coming(const struct dial *d)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        const struct data_pair *p = &d->data.pair[i];

        if (p->in && p != d->data.sender && !p->replaced && !p->deleted && !p->spent)
            return true;
    }
    return false;
}

static bool wants_pair(const struct dial *d)
{
    if (!d->facts.has_sa || d->rekey.asked || d->rekey.tries >= SA_TRIES || is_coming(d))
        return false;
    return !d->data.sender || d->data.sender->worn || d->rekey.wanted;
}

static void ask(struct dial *d, l2tpc_us now)
{
    if (!wants_pair(d) || now < d->rekey.next)
        return;
    d->rekey.asked = ike_rekey(d->ike, now);
    if (!d->rekey.asked)
        d->rekey.next = us_add(now, SA_POLL);
}

/* ---- which pairs the server uses ---- */
/* Of two pairs that were made at once, the one that the server sends on will live. */
static bool is_preferred(const struct dial *d, const struct data_pair *p, l2tpc_us now)
{
    const struct data_pair *sender = d->data.sender;

    return sender && p->spare && p->ready && !p->deleted &&
           now > us_add(us_max(sender->last_in, sender->installed), SA_STILL_OLD);
}

static bool note_inbound(struct dial *d, struct data_pair *p, l2tpc_us now)
{
    uint64_t packets = esp_in_counters(p->in).packets;
    bool first = !p->used;

    if (packets == p->packets_in)
        return false;
    p->packets_in = packets;
    p->last_in = now;
    p->used = true;
    if (p == d->data.sender)
        return false;
    if (!first) {
        if (is_preferred(d, p, now))
            switch_to(d, p, now);
        return false;
    }
    if (p->ready)
        switch_to(d, p, now);
    else
        ike_note_pair_used(d->ike, esp_out_spi(p->out), now);
    return true;
}

/* ---- the end of a pair ---- */
static void send_delete(struct dial *d, struct data_pair *p, l2tpc_us now)
{
    struct data_pair *sender = d->data.sender;

    /* Not before the server was seen on the new one, as long as there is time. */
    if (!sender || (!sender->used && now < us_add(p->replaced, SA_DELETE_SPARE_AFTER))) {
        p->delete_at = us_add(now, SA_POLL);
        return;
    }
    ike_delete_pair(d->ike, esp_out_spi(p->out), now);
    p->deleted = true;
    p->delete_at = US_NEVER;
}

void rekey_tick(struct dial *d, l2tpc_us now)
{
    bool pump = false;

    if (d->closing != CLOSING_NOT || !d->ike || !d->facts.has_sa)
        return;
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        struct data_pair *p = &d->data.pair[i];

        if (!p->in)
            continue;
        pump = note_inbound(d, p, now) || pump;
        if (p == d->data.sender)
            look_at_limits(d, p, now);
        if (p->switch_at <= now)
            switch_to(d, p, now);
        if (p->delete_at <= now)
            send_delete(d, p, now);
    }
    ask(d, now);
    early_follow(d);
    if (pump)
        dial_pump(d, now);
}

bool rekey_expire(struct dial *d, l2tpc_us now)
{
    const struct data_pair *before = d->data.sender;

    (void)data_expire(&d->data, now);
    if (d->data.sender && d->data.sender != before)
        took_over(d, d->data.sender);
    else
        dial_emit(d, DIAL_EVENT_SA_CHANGED);
    return !before || d->data.sender;
}

l2tpc_us rekey_deadline(const struct dial *d)
{
    l2tpc_us at = US_NEVER;

    if (d->closing != CLOSING_NOT || !d->ike || !d->facts.has_sa)
        return at;
    if (wants_pair(d))
        at = d->rekey.next;
    else if (d->data.sender && !d->data.sender->worn)
        at = d->data.sender->soft;
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        const struct data_pair *p = &d->data.pair[i];

        if (p->in)
            at = us_min(at, us_min(p->switch_at, p->delete_at));
    }
    return at;
}

bool dial_rekey(struct dial *d, l2tpc_us now)
{
    if (!d->facts.up || d->closing != CLOSING_NOT || !d->ike || !d->data.sender)
        return false;
    d->rekey.wanted = true;
    rekey_tick(d, now);
    return true;
}
