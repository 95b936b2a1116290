/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/plane.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/record.h" /* last, as in runner.c */

struct plane {
    struct loop *loop;
    struct hub *hub;
    struct data_path *data;
    struct plane_hooks hooks;
    struct loop_source *source;
    int tun_fd;     /* -1: none */
    int tun_type;   /* of a socket in place of a TUN, else 0 */
    int gone_error; /* why the TUN is lost, until the hook has been told */
    struct inaddr local;
    bool esp_came; /* in this batch */
    struct endpoint from;
    struct plane_counters counters;
};

static void on_tun(void *user, uint32_t events, l2tpc_us now);

/* True when the error means that the interface is gone, not that it is down or busy. */
static bool is_gone(const struct plane *plane, int why)
{
    struct ifreq request;

    if (why == EBADFD || why == EBADF)
        return true;
    if (plane->tun_type != 0)
        return why == ECONNREFUSED || why == ECONNRESET || why == EPIPE || why == ENOTCONN;
    return why == EIO && ioctl(plane->tun_fd, TUNGETIFF, &request) != 0 && errno == EBADFD;
}

static void tell_gone(struct plane *plane, l2tpc_us now)
{
    int why = plane->gone_error;

    loop_remove(plane->loop, plane->source);
    plane->source = NULL;
    plane->tun_fd = -1;
    plane->gone_error = 0;
    plane->hooks.tun_gone(plane->hooks.user, why, now); /* may free the plane */
}

/* From the TUN */

/* Length of the next packet; 0 to go on with the next, -1 at the end of what there is. */
static ssize_t tun_read(struct plane *plane, uint8_t *out, size_t cap)
{
    ssize_t n;

    if (plane->tun_type != 0)
        n = recv(plane->tun_fd, out, cap, MSG_DONTWAIT | MSG_TRUNC);
    else
        n = read(plane->tun_fd, out, cap);
    if (n == 0 && plane->tun_type == SOCK_SEQPACKET) {
        plane->gone_error = EPIPE;
        return -1;
    }
    if (n < 0) {
        if (errno == EINTR)
            return 0;
        if (is_gone(plane, errno))
            plane->gone_error = errno;
        return -1;
    }
    if ((size_t)n >= cap) { /* a TUN cuts in silence: a full buffer may be a cut packet */
        plane->counters.too_long++;
        return 0;
    }
    return n;
}

static void send_sealed(struct plane *plane, const struct span *sealed, unsigned n, l2tpc_us now)
{
    enum dial_path path = data_udp_encapsulated(plane->data) ? DIAL_PATH_NATT : DIAL_PATH_ESP;
    int refused =
        hub_send_batch(plane->hub, path, &plane->local, data_peer(plane->data), sealed, n);

    if (refused != 0 && plane->hooks.unreachable)
        plane->hooks.unreachable(plane->hooks.user, refused, now);
    plane->hooks.esp_out(plane->hooks.user, now);
}

/* An error condition that reading did not explain would wake us up for ever. */
static void explain_error(struct plane *plane, uint32_t events)
{
    int why = 0;
    socklen_t n = sizeof(why);

    if (plane->gone_error != 0 || !(events & (EPOLLERR | EPOLLHUP)))
        return;
    if (plane->tun_type == 0)
        plane->gone_error = EBADFD;
    else if (events & EPOLLHUP)
        plane->gone_error = EPIPE;
    else if (getsockopt(plane->tun_fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0 && is_gone(plane, why))
        plane->gone_error = why;
}

static void on_tun(void *user, uint32_t events, l2tpc_us now)
{
    struct plane *plane = user;
    struct span sealed[HUB_BATCH];
    unsigned n_sealed = 0;
    bool drained = false;

    for (unsigned i = 0; i < HUB_BATCH; i++) {
        struct mspan ip = {hub_packet_buffer(plane->hub, n_sealed) + DATA_HEADROOM, 0};
        ssize_t n = tun_read(plane, ip.p, HUB_PACKET_MAX);
        struct mspan packet;

        drained = n < 0;
        if (drained)
            break;
        ip.n = (size_t)n;
        if (n > 0 && data_seal_ip(plane->data, ip, &packet))
            sealed[n_sealed++] = span_ro(packet);
    }
    if (n_sealed > 0)
        send_sealed(plane, sealed, n_sealed, now);
    if (drained)
        explain_error(plane, events);
    if (plane->gone_error != 0)
        tell_gone(plane, now);
}

/* To the TUN */

void plane_deliver(struct plane *plane, struct span ip)
{
    ssize_t n;

    if (plane->tun_fd < 0) {
        plane->counters.tun_down++;
        return;
    }
    do {
        if (plane->tun_type != 0)
            n = send(plane->tun_fd, ip.p, ip.n, MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            n = write(plane->tun_fd, ip.p, ip.n);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return;
    if (is_gone(plane, errno))
        plane->gone_error = errno; /* told at the end of the batch, when nobody is above us */
    else if (errno == EIO)
        plane->counters.tun_down++;
    else
        plane->counters.tun_full++;
}

void plane_input(struct plane *plane, struct mspan packet, const struct endpoint *from,
                 l2tpc_us now)
{
    struct mspan inner = {0};
    enum data_kind kind = data_open(plane->data, packet, &inner);

    if (kind == DATA_NOTHING)
        return;
    plane->esp_came = true;
    plane->from = *from;
    if (kind == DATA_IP)
        plane_deliver(plane, span_ro(inner));
    else
        plane->hooks.control(plane->hooks.user, kind, span_ro(inner), now);
}

void plane_batch_end(struct plane *plane, l2tpc_us now)
{
    if (plane->esp_came) {
        plane->esp_came = false;
        plane->hooks.esp_in(plane->hooks.user, &plane->from, now);
    }
    if (plane->gone_error != 0)
        tell_gone(plane, now);
}

/* Life */

bool plane_set_tun(struct plane *plane, int tun_fd)
{
    struct loop_source *source = NULL;
    socklen_t n = sizeof(plane->tun_type);
    struct stat st;
    int type = 0;
    int flags;

    if (tun_fd >= 0) {
        if (fstat(tun_fd, &st) != 0 || (flags = fcntl(tun_fd, F_GETFL)) < 0)
            return false;
        if (S_ISSOCK(st.st_mode) && getsockopt(tun_fd, SOL_SOCKET, SO_TYPE, &type, &n) != 0)
            return false;
        if (type == SOCK_STREAM) { /* packets would run together */
            errno = EPROTOTYPE;
            return false;
        }
        (void)fcntl(tun_fd, F_SETFL, flags | O_NONBLOCK);
    }
    if (tun_fd >= 0 && tun_fd != plane->tun_fd) {
        source = loop_add(plane->loop, tun_fd, EPOLLIN, on_tun, plane);
        if (!source)
            return false;
    }
    if (tun_fd != plane->tun_fd) {
        loop_remove(plane->loop, plane->source);
        plane->source = source;
    }
    plane->tun_fd = tun_fd;
    plane->tun_type = type;
    plane->gone_error = 0;
    return true;
}

struct plane *plane_new(struct loop *loop, struct hub *hub, struct data_path *data, int tun_fd,
                        const struct plane_hooks *hooks)
{
    struct plane *plane = calloc(1, sizeof(*plane));

    if (!plane)
        return NULL;
    plane->loop = loop;
    plane->hub = hub;
    plane->data = data;
    plane->hooks = *hooks;
    plane->tun_fd = -1;
    if (plane_set_tun(plane, tun_fd))
        return plane;
    free(plane);
    return NULL;
}

void plane_free(struct plane *plane)
{
    if (!plane)
        return;
    loop_remove(plane->loop, plane->source);
    free(plane);
}

void plane_set_local(struct plane *plane, const struct inaddr *local)
{
    plane->local = *local;
}

const struct plane_counters *plane_counters(const struct plane *plane)
{
    return &plane->counters;
}
