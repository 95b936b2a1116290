/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/hub.h"

#include "io/hub_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define FILTER_SPIS 256

static const uint16_t wanted_port[HUB_PATHS] = {
    [DIAL_PATH_IKE] = PORT_IKE,
    [DIAL_PATH_NATT] = PORT_NATT,
    [DIAL_PATH_ESP] = 0,
};

static uint8_t hold_bit(enum dial_path path, uint8_t family)
{
    return (uint8_t)(1u << (hub_family_index(family) * HUB_PATHS + (unsigned)path));
}

/* While what data threads use is changed; they are not interrupted in the middle of a turn. */
static void hold_lanes(const struct hub *hub)
{
    turns_hold(hub_turns(hub));
}

static void let_lanes_go(const struct hub *hub)
{
    turns_let_go(hub_turns(hub));
}

/* What comes by NAT-T and as raw ESP is the data thread's. */
static struct hub_reader *reader_of(struct hub *hub, enum dial_path path)
{
    return hub->lane && path != DIAL_PATH_IKE ? hub->lane : &hub->reader;
}

static bool open_lane(struct hub *hub)
{
    hub->lane = calloc(1, sizeof(*hub->lane));
    if (!hub->lane)
        return false;
    hub->lane->hub = hub;
    hub->lane->loop = lanes_rx(hub->lanes);
    hub->lane->index = 1;
    hub->work.loop = lanes_tx(hub->lanes);
    return true;
}

struct hub *hub_new(struct loop *loop, struct lanes *lanes, const struct port_options *options)
{
    struct hub *hub = calloc(1, sizeof(*hub));

    if (!hub)
        return NULL;
    hub->loop = hub->reader.loop = loop;
    hub->reader.hub = hub;
    hub->lanes = lanes;
    hub->offload = offload_wanted();
    fair_init(&hub->work.fair);
    hub->work.loop = loop;
    if (lanes && !open_lane(hub)) {
        free(hub);
        return NULL;
    }
    if (options)
        hub->options = *options;
    for (unsigned f = 0; f < HUB_FAMILIES; f++)
        for (unsigned p = 0; p < HUB_PATHS; p++)
            hub->socket[f][p] = (struct hub_socket){.hub = hub,
                                                    .path = (enum dial_path)p,
                                                    .family = f == 0 ? 4 : 6,
                                                    .fd = -1,
                                                    .reader = reader_of(hub, (enum dial_path)p)};
    return hub;
}

static void socket_close(struct hub_socket *s)
{
    loop_remove(s->reader->loop, s->source);
    s->source = NULL;
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    s->port = 0;
    s->given = s->gro = false;
    s->generation++;
}

/* The newest copy behind `last`, which nobody looks at any more; NULL: the one in force. */
static void drop_spis(struct hub *hub, struct hub_spis *last)
{
    struct hub_spis *gone = last ? last->next : atomic_load(&hub->lane_spis);

    if (last)
        last->next = gone->next;
    else
        atomic_store(&hub->lane_spis, gone->next);
    spi_table_free(&gone->table);
    free(gone);
}

/*
 * The data thread gets a table of its own, as a whole. Without memory it keeps the one that it has:
 * what comes on new SPIs is then nobody's until the next change.
 */
static void publish_spis(struct hub *hub)
{
    struct turns *turns = hub_turns(hub);
    struct hub_spis *old = atomic_load(&hub->lane_spis);
    struct hub_spis *fresh;

    if (!turns)
        return;
    fresh = calloc(1, sizeof(*fresh));
    if (!fresh || !spi_table_copy(&fresh->table, &hub->spis)) {
        free(fresh);
        return;
    }
    fresh->next = old;
    atomic_store(&hub->lane_spis, fresh);
    if (!old)
        return;
    old->left = turns_now(turns);
    for (struct hub_spis *s = fresh; s->next;) {
        if (turns_passed(turns, &s->next->left))
            drop_spis(hub, s);
        else
            s = s->next;
    }
}

void hub_free(struct hub *hub)
{
    if (!hub)
        return;
    hold_lanes(hub);
    for (unsigned f = 0; f < HUB_FAMILIES; f++)
        for (unsigned p = 0; p < HUB_PATHS; p++)
            socket_close(&hub->socket[f][p]);
    loop_timer_cancel(hub->work.loop, &hub->work.again);
    if (hub->lanes)
        lanes_forget(hub->lanes, hub);
    let_lanes_go(hub);
    while (atomic_load(&hub->lane_spis))
        drop_spis(hub, NULL);
    spi_table_free(&hub->spis);
    free(hub->lane);
    free(hub);
}

static bool has_option(int fd, int name, int want)
{
    int value = 0;
    socklen_t n = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &n) == 0 && value == want;
}

/* A descriptor of somebody else's, when it is what it should be. */
static bool socket_take(struct hub_socket *s, int fd)
{
    bool raw = s->path == DIAL_PATH_ESP;
    union sockaddr_any sa;
    socklen_t n = sizeof(sa);
    struct endpoint local;

    if (s->fd >= 0 || !has_option(fd, SO_DOMAIN, s->family == 4 ? AF_INET : AF_INET6) ||
        !has_option(fd, SO_TYPE, raw ? SOCK_RAW : SOCK_DGRAM) ||
        !has_option(fd, SO_PROTOCOL, raw ? IPPROTO_ESP : IPPROTO_UDP))
        return false;
    if (getsockname(fd, &sa.sa, &n) != 0 || !sockaddr_read(&sa, &local))
        return false;
    if (!raw && local.port == 0) /* it could neither receive nor be named to the peer */
        return false;
    port_prepare(fd, s->family);
    s->fd = fd;
    s->given = true;
    s->port = raw ? 0 : local.port;
    return true;
}

bool hub_give(struct hub *hub, enum dial_path path, uint8_t family, int fd)
{
    bool ok;

    hold_lanes(hub);
    ok = socket_take(hub_socket_of(hub, path, family), fd);
    let_lanes_go(hub);
    return ok;
}

/* Whose an SPI is */

static void set_told(struct hub *hub, struct hub_member *member, bool told)
{
    hub->n_silent += member->told;
    hub->n_silent -= told;
    member->told = told;
}

static void unlist_spis(struct hub *hub, const struct hub_member *member)
{
    if (!member->told)
        return;
    for (unsigned i = 0; i < member->n_spi; i++)
        spi_table_remove(&hub->spis, member->spi[i], member);
}

/* All of them or, without memory, none: then the member is asked. */
static bool list_spis(struct hub *hub, struct hub_member *member)
{
    for (unsigned i = 0; i < member->n_spi; i++) {
        if (spi_table_add(&hub->spis, member->spi[i], member))
            continue;
        while (i > 0)
            spi_table_remove(&hub->spis, member->spi[--i], member);
        return false;
    }
    return true;
}

/* Raw ESP */

/* The filter of one family from the SPIs of all members that hold its socket. */
static void filter_rebuild(struct hub *hub, uint8_t family)
{
    struct hub_socket *s = hub_socket_of(hub, DIAL_PATH_ESP, family);
    uint8_t bit = hold_bit(DIAL_PATH_ESP, family);
    uint32_t spis[FILTER_SPIS];
    unsigned n = 0;

    if (s->fd < 0)
        return;
    for (const struct hub_member *m = hub->members; m; m = m->next) {
        if (!(m->holds & bit))
            continue;
        /* Open for whoever has named none yet, or when they are too many: a filter saves work, the
         * demultiplexer decides. */
        if (m->n_spi == 0 || n + m->n_spi > FILTER_SPIS) {
            n = 0;
            break;
        }
        memcpy(&spis[n], m->spi, m->n_spi * sizeof(spis[0]));
        n += m->n_spi;
    }
    if (!port_filter_esp(s->fd, family, spis, n))
        (void)port_filter_esp(s->fd, family, NULL, 0);
}

void hub_set_esp_spis(struct hub *hub, struct hub_member *member, const uint32_t *spis,
                      unsigned n_spis)
{
    if (!member->joined)
        return;
    unlist_spis(hub, member);
    member->n_spi = 0;
    if (n_spis <= HUB_SPIS_MAX) {
        if (n_spis > 0)
            memcpy(member->spi, spis, n_spis * sizeof(spis[0]));
        member->n_spi = n_spis;
    }
    set_told(hub, member, n_spis <= HUB_SPIS_MAX && list_spis(hub, member));
    publish_spis(hub);
    if (member->holds & hold_bit(DIAL_PATH_ESP, 4))
        filter_rebuild(hub, 4);
    if (member->holds & hold_bit(DIAL_PATH_ESP, 6))
        filter_rebuild(hub, 6);
}

/* Members and their hold on sockets */

static void let_go(struct hub *hub, struct hub_member *member, enum dial_path path, uint8_t family)
{
    struct hub_socket *s = hub_socket_of(hub, path, family);
    uint8_t bit = hold_bit(path, family);

    if (!(member->holds & bit))
        return;
    hold_lanes(hub);
    member->holds = (uint8_t)(member->holds & ~bit);
    if (--s->holders == 0 && s->given) {
        loop_remove(s->reader->loop, s->source);
        s->source = NULL;
        s->generation++;
    } else if (s->holders == 0) {
        socket_close(s);
    } else if (path == DIAL_PATH_ESP) {
        filter_rebuild(hub, family);
    }
    let_lanes_go(hub);
}

static bool socket_open(struct hub *hub, struct hub_socket *s, struct failure *out_failure)
{
    bool opened = s->fd < 0;

    if (opened && s->path == DIAL_PATH_ESP)
        s->fd = port_open_esp(s->family, &hub->options, out_failure);
    else if (opened)
        s->fd =
            port_open_udp(s->family, wanted_port[s->path], &hub->options, &s->port, out_failure);
    if (s->fd < 0)
        return false;
    if (s->path == DIAL_PATH_NATT && hub->offload.gro)
        s->gro = port_join_runs(s->fd);
    s->source = loop_add(s->reader->loop, s->fd, EPOLLIN, hub_on_socket, s);
    if (s->source)
        return true;
    if (out_failure) {
        *out_failure = failure_make(FAILURE_LOCAL_SOCKET);
        out_failure->os_error = errno;
        failure_set_value(out_failure, span_str("epoll"));
    }
    if (opened)
        socket_close(s);
    return false;
}

static bool hold(struct hub *hub, struct hub_member *member, enum dial_path path, uint8_t family,
                 struct failure *out_failure)
{
    struct hub_socket *s = hub_socket_of(hub, path, family);
    uint8_t bit = hold_bit(path, family);

    bool open;

    if (member->holds & bit)
        return true;
    hold_lanes(hub);
    open = s->holders > 0 || socket_open(hub, s, out_failure);
    let_lanes_go(hub);
    if (!open)
        return false;
    s->holders++;
    member->holds |= bit;
    if (path == DIAL_PATH_ESP)
        filter_rebuild(hub, family);
    return true;
}

bool hub_open_udp(struct hub *hub, struct hub_member *member, uint8_t family,
                  struct failure *out_failure)
{
    bool had = (member->holds & hold_bit(DIAL_PATH_IKE, family)) != 0;

    if (!hold(hub, member, DIAL_PATH_IKE, family, out_failure))
        return false;
    if (hold(hub, member, DIAL_PATH_NATT, family, out_failure))
        return true;
    if (!had)
        let_go(hub, member, DIAL_PATH_IKE, family);
    return false;
}

bool hub_open_esp(struct hub *hub, struct hub_member *member, uint8_t family,
                  struct failure *out_failure)
{
    return hold(hub, member, DIAL_PATH_ESP, family, out_failure);
}

bool hub_renew_natt(struct hub *hub, struct hub_member *member, uint8_t family, int fd)
{
    struct hub_socket *s = hub_socket_of(hub, DIAL_PATH_NATT, family);
    struct hub_socket fresh = {
        .hub = hub, .path = DIAL_PATH_NATT, .family = family, .fd = -1, .reader = s->reader};

    if (s->holders != 1 || !(member->holds & hold_bit(DIAL_PATH_NATT, family)))
        return false;
    if (fd >= 0 ? !socket_take(&fresh, fd)
                : (fresh.fd = port_open_udp(family, 0, &hub->options, &fresh.port, NULL)) < 0)
        return false;
    fresh.gro = hub->offload.gro && port_join_runs(fresh.fd);
    /* The loop keeps the address of what it calls, so that the place stays the same. */
    hold_lanes(hub);
    fresh.source = loop_add(s->reader->loop, fresh.fd, EPOLLIN, hub_on_socket, s);
    if (fresh.source) {
        socket_close(s);
        fresh.holders = s->holders;
        fresh.generation = s->generation;
        *s = fresh;
    }
    let_lanes_go(hub);
    if (!fresh.source && fd < 0)
        (void)close(fresh.fd);
    return fresh.source != NULL;
}

void hub_join(struct hub *hub, struct hub_member *member)
{
    if (member->joined)
        return;
    member->joined = true;
    member->told = !member->owns_spi;
    hub->n_silent += !member->told;
    member->prev = NULL;
    member->next = hub->members;
    if (member->next)
        member->next->prev = member;
    hub->members = member;
}

static void leave_reader(struct hub_reader *r, struct hub_member *member)
{
    for (struct hub_member **m = &r->touched; *m; m = &(*m)->of[r->index].next) {
        if (*m == member) {
            *m = member->of[r->index].next;
            break;
        }
    }
    member->of[r->index].next = NULL;
    member->of[r->index].touched = false;
    if (r->esp.member == member) {
        r->esp.member = NULL;
        r->esp.n = 0;
    }
}

void hub_leave(struct hub *hub, struct hub_member *member)
{
    if (!member->joined)
        return;
    hold_lanes(hub);
    if (hub->cursor == member)
        hub->cursor = member->next;
    if (member->prev)
        member->prev->next = member->next;
    else
        hub->members = member->next;
    if (member->next)
        member->next->prev = member->prev;
    leave_reader(&hub->reader, member);
    if (hub->lane)
        leave_reader(hub->lane, member);
    unlist_spis(hub, member);
    set_told(hub, member, true);
    if (atomic_load(&hub->lane_spis)) /* held, so that the table in force may be changed */
        spi_table_forget(&atomic_load(&hub->lane_spis)->table, member);
    for (unsigned p = 0; p < HUB_PATHS; p++) {
        let_go(hub, member, (enum dial_path)p, 4);
        let_go(hub, member, (enum dial_path)p, 6);
    }
    member->next = member->prev = NULL;
    member->joined = member->told = false;
    member->n_spi = 0;
    let_lanes_go(hub);
}

uint16_t hub_port(const struct hub *hub, enum dial_path path, uint8_t family)
{
    return hub->socket[hub_family_index(family)][path].port;
}

bool hub_is_given(const struct hub *hub, enum dial_path path, uint8_t family)
{
    return hub->socket[hub_family_index(family)][path].given;
}

int hub_socket(const struct hub *hub, enum dial_path path, uint8_t family)
{
    return hub->socket[hub_family_index(family)][path].fd;
}

struct plane_work *hub_work(struct hub *hub)
{
    return &hub->work;
}

static void count_reader(struct hub_counters *sum, const struct hub_reader *r)
{
    sum->in += tally_read(&r->in);
    sum->unowned += tally_read(&r->unowned);
    sum->malformed += tally_read(&r->malformed);
    sum->keepalives += tally_read(&r->keepalives);
    sum->icmp += tally_read(&r->icmp);
}

struct hub_counters hub_counters(const struct hub *hub)
{
    struct hub_counters sum = {0};

    for (unsigned i = 0; i < ARRAY_LEN(hub->sender); i++) {
        sum.out += tally_read(&hub->sender[i].out);
        sum.lost += tally_read(&hub->sender[i].lost);
        sum.refused += tally_read(&hub->sender[i].refused);
        sum.joined_out += tally_read(&hub->sender[i].joined_out);
    }
    count_reader(&sum, &hub->reader);
    if (hub->lane)
        count_reader(&sum, hub->lane);
    return sum;
}

struct lanes *hub_lanes(const struct hub *hub)
{
    return hub->lanes;
}

struct turns *hub_turns(const struct hub *hub)
{
    return hub->lanes ? lanes_turns(hub->lanes) : NULL;
}
