/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/path_mtu.h"

#include "base/limits.h"

/* Another number for each length: a late answer is never another's. */
static void probe(struct path_mtu *m, unsigned length, l2tpc_us now)
{
    m->state = PATH_MTU_SEARCHING;
    m->length = (uint16_t)length;
    m->number = (uint8_t)((m->number + 1u) % PATH_MTU_NUMBERS);
    m->sends = 0;
    m->due_out = true;
    m->due = us_add(now, m->probe_timer);
}

static void search(struct path_mtu *m, l2tpc_us now)
{
    if (m->plpmtu != 0)
        m->before = m->plpmtu;
    m->plpmtu = m->lost = 0;
    m->gave_up = false;
    probe(m, m->max_plpmtu, now);
}

static void complete(struct path_mtu *m, l2tpc_us now)
{
    m->due_out = false;
    if (m->plpmtu == 0) /* nothing came back at all: that says nothing of lengths */
        m->plpmtu = m->before;
    m->state = m->plpmtu ? PATH_MTU_SEARCH_COMPLETE : PATH_MTU_ERROR;
    /* PMTU_RAISE_TIMER; a way that carries all that we want needs none. */
    m->due = m->plpmtu != 0 && m->plpmtu < m->max_plpmtu ? us_add(now, PATH_MTU_RAISE) : US_NEVER;
}

/* The probe was answered, or sent as often as it may be. */
static void go_on(struct path_mtu *m, l2tpc_us now)
{
    if (m->plpmtu == 0 && m->lost > m->min_plpmtu)
        probe(m, m->min_plpmtu, now);
    else if (m->plpmtu == 0 || m->plpmtu == m->max_plpmtu || m->lost <= m->plpmtu + PATH_MTU_CLOSE)
        complete(m, now);
    else
        probe(m, (m->plpmtu + m->lost) / 2u, now);
}

void path_mtu_begin(struct path_mtu *m, uint16_t min_plpmtu, uint16_t max_plpmtu, l2tpc_us rtt,
                    l2tpc_us now)
{
    *m = (struct path_mtu){
        .min_plpmtu = min_plpmtu < max_plpmtu ? min_plpmtu : max_plpmtu,
        .max_plpmtu = max_plpmtu,
        .probe_timer = us_min(us_max(4 * rtt, PATH_MTU_PROBE_MIN), PATH_MTU_PROBE_MAX),
    };
    search(m, now);
}

bool path_mtu_pop(struct path_mtu *m, uint8_t *number, uint16_t *length)
{
    if (!m->due_out)
        return false;
    m->due_out = false;
    m->sends++;
    *number = m->number;
    *length = m->length;
    return true;
}

void path_mtu_answered(struct path_mtu *m, uint8_t number, l2tpc_us now)
{
    unsigned age = (m->number + PATH_MTU_NUMBERS - (unsigned)number) % PATH_MTU_NUMBERS;

    if (m->state != PATH_MTU_SEARCHING)
        return;
    if (age == 0 && m->sends > 0) {
        m->plpmtu = m->length;
        m->gave_up = false;
        go_on(m, now);
    } else if (age == 1 && m->gave_up && m->probe_timer < PATH_MTU_PROBE_MAX) {
        /* The one before was not lost: this server takes its time. */
        m->probe_timer = us_min(2 * m->probe_timer, PATH_MTU_PROBE_MAX);
        search(m, now);
    }
}

void path_mtu_again(struct path_mtu *m, l2tpc_us now)
{
    if (m->state == PATH_MTU_SEARCH_COMPLETE)
        search(m, now);
}

void path_mtu_timer(struct path_mtu *m, l2tpc_us now)
{
    if (now < path_mtu_deadline(m))
        return;
    if (m->state == PATH_MTU_SEARCH_COMPLETE) {
        search(m, now);
    } else if (m->sends < PATH_MTU_MAX_PROBES) {
        m->due_out = true;
        m->due = us_add(now, m->probe_timer);
    } else {
        m->lost = m->length;
        m->gave_up = true;
        go_on(m, now);
    }
}

l2tpc_us path_mtu_deadline(const struct path_mtu *m)
{
    bool waits = m->state == PATH_MTU_SEARCHING || m->state == PATH_MTU_SEARCH_COMPLETE;

    return waits ? m->due : US_NEVER;
}
