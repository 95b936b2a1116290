/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/plane.h"

#include "io/mss.h"
#include "io/plane_impl.h"
#include "io/plane_work.h"
#include "io/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/record.h" /* last, as in runner.c */

/* Reads from the TUN in a round, and rounds before other sources get their turn. Super-packets are
 * few: they leave while a core's cache still holds them. */
#define TUN_READS 32
#define TUN_READ_BYTES (160 * 1024)
#define TUN_ROUNDS 3
/* So few are no bulk flow, whose packets would wait while others run. */
#define TUN_FEW_BYTES 16384
/* Slots that are kept for good, and how long the others are kept. */
#define SLOTS_KEPT 8
#define SLOTS_HELD US_S(1)

static void on_tun(void *user, uint32_t events, l2tpc_us now);

/* From the TUN */

static void send_run(struct plane *plane, struct run *run, l2tpc_us now)
{
    enum dial_path path = data_udp_encapsulated(plane->data) ? DIAL_PATH_NATT : DIAL_PATH_ESP;
    size_t sealed = 0;
    uint64_t joined;
    int refused;

    if (plane->single)
        sealed = run->n; /* already */
    for (unsigned i = 0; i < run->n && !plane->single; i += DATA_BATCH_MAX)
        sealed += data_seal_batch(plane->data, &run->packet[i],
                                  run->n - i < DATA_BATCH_MAX ? run->n - i : DATA_BATCH_MAX);
    if (sealed > 0) {
        joined = plane->gso.joined;
        refused =
            hub_send_run(plane->hub, path, &plane->local, data_peer(plane->data), run, &plane->gso);
        data_note_joined(plane->data, 0, plane->gso.joined - joined);
        if (refused != 0)
            plane_note_refused(plane, refused, now);
        plane_note_out(plane, now);
    }
    run_clear(run);
}

static bool add(struct plane *plane, struct run *run, size_t total, struct mspan ip)
{
    struct mspan bytes;

    if (plane->single ? !data_seal_ip(plane->data, ip, &bytes)
                      : !data_wrap_ip(plane->data, ip, &bytes))
        return false;
    run_add(run, total, bytes);
    if (plane->single)
        run->packet[run->n - 1].verdict = ESP_OK;
    return true;
}

/* What a packet of n bytes needs; asked anew behind each send, as other keys may be in use then. */
static bool find_room(struct plane *plane, const struct run *run, size_t n, struct data_room *room,
                      size_t *room_for)
{
    if (n > HUB_PACKET_MAX) {
        tally_add(&plane->too_long, 1);
        return false;
    }
    if (run->n == 0) {
        data_begin_run(plane->data);
        *room_for = 0;
    }
    if (*room_for != n && !data_room(plane->data, n, room))
        return false;
    *room_for = n;
    return true;
}

/* Packet i at its final place; false when nothing may leave, the rest of its super-packet either.
 */
static bool put_segment(struct plane *plane, struct run *run, const struct segments *s, unsigned i,
                        struct data_room *room, size_t *room_for, l2tpc_us now)
{
    size_t n = segment_length(s, i);
    uint8_t *at;

    if (!find_room(plane, run, n, room, room_for))
        return false;
    at = run_room(run, room->total);
    if (!at) {
        send_run(plane, run, now);
        *room_for = 0;
        if (!find_room(plane, run, n, room, room_for))
            return false;
        at = run_room(run, room->total);
    }
    if (!at || !segment_write(s, i, at + room->front))
        return false;
    if (s->n == 1)
        (void)mss_clamp((struct mspan){at + room->front, n}, data_mtu(plane->data));
    return add(plane, run, room->total, (struct mspan){at + room->front, n});
}

/* A packet whose turn it is, cut to what it stands for; how many packets came of it. */
static unsigned put_packet(struct plane *plane, struct plane_work *work,
                           const struct plane_slot *slot, l2tpc_us now)
{
    struct segments s;
    struct data_room room;
    size_t room_for = 0;
    unsigned i = 0;

    if (!segments_of(&s, &slot->vnet, slot->packet)) {
        tally_add(&plane->unfit, 1);
        return 0;
    }
    for (; i < s.n && put_segment(plane, &work->run, &s, i, &room, &room_for, now); i++) {
        if (work->run.n >= (plane->single ? 1 : RUN_FULL)) {
            send_run(plane, &work->run, now);
            room_for = 0;
        }
    }
    return i;
}

/* About as many packets as leave in one call, of those whose turn it is. */
static void serve(struct plane_work *work, l2tpc_us now)
{
    struct plane *plane = NULL;
    unsigned packets = 0;
    int i;

    while (packets < RUN_FULL && (i = fair_next(&work->fair)) >= 0) {
        struct plane_slot *slot = &work->slot[i];

        if (plane && slot->plane != plane)
            send_run(plane, &work->run, now); /* a run is of one session */
        plane = slot->plane;
        if (plane)
            packets += put_packet(plane, work, slot, now);
        fair_give_back(&work->fair, i);
    }
    if (plane)
        send_run(plane, &work->run, now);
}

/* The pages behind a bulk flow go back to the system; nobody waits in the slots now. */
static void release_slots(struct plane_work *work)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)&work->slot[SLOTS_KEPT];
    uintptr_t to = (uintptr_t)&work->slot[work->fair.high];

    from = (from + page - 1) / page * page;
    to = to / page * page;
    if (from < to)
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
    work->fair.high = SLOTS_KEPT;
}

static void on_again(void *user, l2tpc_us now);

/* What is left when a TUN has nothing more to say would not be heard of again. */
static void go_on_later(struct plane_work *work, l2tpc_us now)
{
    bool waiting = work->fair.waiting > 0;

    if (!waiting && (work->again.set || work->fair.high <= SLOTS_KEPT))
        return;
    work->again.fn = on_again;
    work->again.user = work;
    loop_timer_set(work->loop, &work->again, waiting ? now : us_add(now, SLOTS_HELD));
}

static void on_again(void *user, l2tpc_us now)
{
    struct plane_work *work = user;

    if (work->fair.waiting > 0)
        serve(work, now);
    else
        release_slots(work);
    go_on_later(work, now);
}

/* One packet into a slot, its length added; false at the end of what there is, or of the slots. */
static bool read_one(struct plane *plane, struct plane_work *work, size_t *bytes, bool *drained)
{
    int i = fair_take(&work->fair);
    struct plane_slot *slot;
    ssize_t n;

    if (i < 0)
        return false;
    slot = &work->slot[i];
    slot->plane = plane;
    n = tun_read(&plane->tun, slot->room, &slot->vnet, &slot->packet.p);
    if (n > 0) {
        slot->packet.n = (size_t)n;
        fair_add(&work->fair, i, fair_flow_of(span_ro(slot->packet)), (size_t)n);
        *bytes += (size_t)n;
        return true;
    }
    fair_give_back(&work->fair, i);
    if (n == 0)
        return true;
    *drained = true;
    if (tun_is_gone(&plane->tun, errno))
        plane->gone_error = errno;
    return false;
}

/* An error condition that reading did not explain would wake us up for ever. */
static void explain_error(struct plane *plane, uint32_t events)
{
    int why = 0;
    socklen_t n = sizeof(why);

    if (plane->gone_error != 0 || !(events & (EPOLLERR | EPOLLHUP)))
        return;
    if (plane->tun.type == 0)
        plane->gone_error = EBADFD;
    else if (events & EPOLLHUP)
        plane->gone_error = EPIPE;
    else if (getsockopt(plane->tun.fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0 &&
             tun_is_gone(&plane->tun, why))
        plane->gone_error = why;
}

static void on_tun(void *user, uint32_t events, l2tpc_us now)
{
    struct plane *plane = user;
    struct plane_work *work = hub_work(plane->hub);
    unsigned reads = plane->single ? 1 : TUN_READS;
    bool drained = false;
    size_t moved = 0;

    /*
     * More is read than sent in a round, so that whoever is behind a bulk flow in the TUN is soon
     * in front of it here. Never waits to fill a run: what is there leaves.
     */
    for (unsigned round = 0; round < TUN_ROUNDS; round++) {
        size_t bytes = 0;

        for (unsigned i = 0; i < reads && bytes < TUN_READ_BYTES && !drained; i++)
            if (!read_one(plane, work, &bytes, &drained))
                break;
        serve(work, now);
        moved += bytes;
        if (drained && work->fair.waiting == 0)
            break;
    }
    if (plane->offload.batch && moved <= TUN_FEW_BYTES)
        loop_expect_more(plane->loop);
    go_on_later(work, now);
    if (drained)
        explain_error(plane, events);
    if (plane->gone_error != 0)
        plane_tell_gone(plane, now);
}

/* To the TUN */

static void write_tun(void *user, const struct vnet *vnet, struct iovec *part, unsigned n)
{
    struct plane *plane = user;
    int why;

    if (plane->to.fd < 0) {
        tally_add(&plane->tun_down, n);
        return;
    }
    why = tun_write(&plane->to, vnet, part, n);
    if (why == 0)
        return;
    if (tun_is_gone(&plane->to, why))
        plane->lost_error = why; /* told at the end of the batch, when nobody is above us */
    else if (why == EIO)
        tally_add(&plane->tun_down, n);
    else
        tally_add(&plane->tun_full, n);
}

static void deliver(struct plane *plane, struct span ip)
{
    struct iovec part[2] = {{0}, {(void *)(uintptr_t)ip.p, ip.n}};
    struct vnet vnet = {0};

    write_tun(plane, &vnet, part, 1);
}

void plane_deliver(struct plane *plane, struct span ip)
{
    turns_hold(hub_turns(plane->hub));
    deliver(plane, ip);
    turns_let_go(hub_turns(plane->hub));
}

static void take(struct plane *plane, struct coalesce *together, enum data_kind kind,
                 struct mspan inner, l2tpc_us now)
{
    if (kind == DATA_NOTHING)
        return;
    plane->esp_came = plane->esp_came || kind != DATA_EARLY; /* it proves nothing yet */
    if (kind != DATA_IP) {
        plane_give_control(plane, kind, span_ro(inner), now);
        return;
    }
    (void)mss_clamp(inner, data_mtu(plane->data));
    if (plane->to.header > 0 && plane->offload.coalesce)
        coalesce_add(together, inner, write_tun, plane);
    else
        deliver(plane, span_ro(inner));
}

static void input_batch(struct plane *plane, const struct mspan *packets, unsigned n, l2tpc_us now)
{
    struct plane_work *work = hub_work(plane->hub);

    for (unsigned i = 0; i < n; i++)
        work->opened[i] = (struct esp_packet){.data = packets[i]};
    data_open_batch(plane->data, work->opened, n);
    plane->begun = plane->begun || data_has_begun(plane->data);
    for (unsigned i = 0; i < n; i++) {
        struct mspan inner = {0};
        enum data_kind kind = data_take(plane->data, &work->opened[i], &inner);

        take(plane, &work->coalesce, kind, inner, now);
    }
}

static void input_single(struct plane *plane, struct mspan packet, l2tpc_us now)
{
    struct mspan inner = {0};
    enum data_kind kind = data_open(plane->data, packet, &inner);

    take(plane, &hub_work(plane->hub)->coalesce, kind, inner, now);
}

static void hand_on(struct plane_work *work)
{
    struct plane *plane = work->together;

    work->together = NULL;
    if (plane)
        coalesce_flush(&work->coalesce, write_tun, plane);
}

static void let_go(struct plane *plane)
{
    if (hub_work(plane->hub)->together == plane)
        hand_on(hub_work(plane->hub));
}

/* What is put together is of one plane at a time, and stays where it was received until the batch
 * ends: runs of the outer network begin and end elsewhere than super-packets do. */
static void claim(struct plane *plane)
{
    struct plane_work *work = hub_work(plane->hub);

    if (work->together != plane)
        hand_on(work);
    work->together = plane;
    work->coalesce.udp = plane->to.udp;
}

void plane_input(struct plane *plane, const struct mspan *packets, unsigned n,
                 const struct endpoint *from, l2tpc_us now)
{
    bool came = plane->esp_came;

    claim(plane);
    plane->esp_came = false;
    for (unsigned done = 0; done < n;) {
        unsigned some = n - done < DATA_BATCH_MAX ? n - done : DATA_BATCH_MAX;

        if (plane->single)
            input_single(plane, packets[done], now);
        else
            input_batch(plane, packets + done, some, now);
        done += plane->single ? 1 : some;
    }
    if (plane->esp_came)
        plane->from = *from; /* of what was good */
    plane->esp_came = plane->esp_came || came;
}

void plane_batch_end(struct plane *plane, l2tpc_us now)
{
    let_go(plane);
    if (plane->esp_came) {
        plane->esp_came = false;
        plane_note_in(plane, now);
    }
    if (plane->lost_error != 0)
        plane_tell_lost(plane, now);
}

/* Life */

static bool set_tun(struct plane *plane, const struct tun *tun)
{
    struct loop_source *source = NULL;

    let_go(plane); /* another one may take no super-packets */
    if (tun->fd >= 0 && tun->fd != plane->tun.fd) {
        source = loop_add(plane->loop, tun->fd, EPOLLIN, on_tun, plane);
        if (!source)
            return false;
    }
    if (tun->fd != plane->tun.fd) {
        loop_remove(plane->loop, plane->source);
        plane->source = source;
    }
    plane->tun = plane->to = *tun;
    plane->gone_error = plane->lost_error = 0;
    plane->is_gone = false;
    return true;
}

bool plane_set_tun(struct plane *plane, int tun_fd)
{
    struct tun tun;
    bool ok;

    if (!tun_take(&tun, tun_fd, &plane->offload))
        return false;
    turns_hold(hub_turns(plane->hub));
    ok = set_tun(plane, &tun);
    turns_let_go(hub_turns(plane->hub));
    return ok;
}

struct plane *plane_new(struct loop *loop, struct hub *hub, struct data_path *data, int tun_fd,
                        const struct plane_hooks *hooks)
{
    struct plane *plane = calloc(1, sizeof(*plane));

    if (!plane)
        return NULL;
    plane->hub = hub;
    plane->lanes = hub_lanes(hub);
    plane->loop = plane->lanes ? lanes_tx(plane->lanes) : loop;
    plane->data = data;
    plane->hooks = *hooks;
    plane_notes_init(plane);
    plane->offload = offload_wanted();
    plane->single = !plane->offload.batch || record_is_on();
    plane->tun.fd = plane->to.fd = -1;
    if (plane_set_tun(plane, tun_fd))
        return plane;
    free(plane);
    return NULL;
}

void plane_free(struct plane *plane)
{
    struct turns *turns = plane ? hub_turns(plane->hub) : NULL;

    if (!plane)
        return;
    turns_hold(turns);
    let_go(plane);
    loop_remove(plane->loop, plane->source);
    for (unsigned i = 0; i < FAIR_SLOTS; i++)
        if (hub_work(plane->hub)->slot[i].plane == plane)
            hub_work(plane->hub)->slot[i].plane = NULL;
    plane_notes_drop(plane);
    turns_let_go(turns);
    free(plane);
}

void plane_set_local(struct plane *plane, const struct inaddr *local)
{
    turns_hold(hub_turns(plane->hub));
    plane->local = *local;
    plane->gso = (struct hub_gso){0}; /* another way may take what the last one did not */
    turns_let_go(hub_turns(plane->hub));
}

struct plane_counters plane_counters(const struct plane *plane)
{
    return (struct plane_counters){
        .tun_full = tally_read(&plane->tun_full),
        .tun_down = tally_read(&plane->tun_down),
        .too_long = tally_read(&plane->too_long),
        .unfit = tally_read(&plane->unfit),
    };
}
