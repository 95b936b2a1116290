/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/observer.h"

#include "host/bpf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum class_id {
    CLASS_CLEAR,
    CLASS_OUT,
    CLASS_IN,
    CLASSES,
};

struct host_observer {
    struct inaddr server;
    int fd[CLASSES];
    uint64_t sum[CLASSES];
    uint32_t spi[CLASSES][BPF_SPIS_MAX]; /* the present one first */
};

static int attach(int fd, struct bpf_program *p)
{
    struct sock_fprog prog = {.len = p->n, .filter = p->insn};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0 ? 0 : -errno;
}

/* Filter first, then protocol and interface: nothing unfiltered is ever counted. */
static int open_class(uint32_t ifindex, struct bpf_program *p)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL), /* others see no outgoing packet */
                             .sll_ifindex = (int)ifindex};
    int small = 0;
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc;

    if (fd < 0)
        return -errno;
    rc = attach(fd, p);
    if (rc == 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) != 0 ||
                    bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0))
        rc = -errno;
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

int host_observer_open(uint32_t ifindex, const struct inaddr *server, struct host_observer **out)
{
    struct bpf_program clear;
    struct bpf_program nothing;
    struct host_observer *obs;
    int rc = 0;

    bpf_nothing(&nothing);
    if (ifindex == 0 || !bpf_clear(&clear, server))
        return -EINVAL;
    obs = calloc(1, sizeof(*obs));
    if (!obs)
        return -ENOMEM;
    obs->server = *server;
    for (int i = 0; i < CLASSES; i++)
        obs->fd[i] = -1;
    for (int i = 0; i < CLASSES && rc == 0; i++) {
        obs->fd[i] = open_class(ifindex, i == CLASS_CLEAR ? &clear : &nothing);
        if (obs->fd[i] < 0)
            rc = obs->fd[i];
    }
    if (rc < 0) {
        host_observer_close(obs);
        return rc;
    }
    *out = obs;
    return 0;
}

/* Reading resets the kernel's numbers. */
static int collect(struct host_observer *obs, enum class_id c)
{
    struct tpacket_stats st;
    socklen_t n = sizeof(st);

    if (getsockopt(obs->fd[c], SOL_PACKET, PACKET_STATISTICS, &st, &n) != 0)
        return -errno;
    obs->sum[c] += st.tp_packets; /* those that were not queued are included */
    return 0;
}

static int follow(struct host_observer *obs, enum class_id c, uint32_t spi, uint16_t local_port,
                  uint16_t remote_port)
{
    struct bpf_esp what = {.outgoing = c == CLASS_OUT,
                           .server = obs->server,
                           .spi = {spi, obs->spi[c][0]},
                           .local_port = local_port,
                           .remote_port = remote_port};
    struct bpf_program program;
    int rc;

    if (spi == obs->spi[c][0])
        what.spi[1] = obs->spi[c][1];
    if (!bpf_esp(&program, &what))
        return -EINVAL;
    rc = attach(obs->fd[c], &program);
    if (rc == 0)
        memcpy(obs->spi[c], what.spi, sizeof(what.spi));
    return rc;
}

int host_observer_set_spis(struct host_observer *obs, uint32_t out_spi, uint32_t in_spi,
                           uint16_t local_port, uint16_t remote_port)
{
    int rc = follow(obs, CLASS_OUT, out_spi, local_port, remote_port);

    return rc < 0 ? rc : follow(obs, CLASS_IN, in_spi, local_port, remote_port);
}

int host_observer_read(struct host_observer *obs, struct observer_counts *out)
{
    for (int i = 0; i < CLASSES; i++) {
        int rc = collect(obs, (enum class_id)i);

        if (rc < 0)
            return rc;
    }
    *out = (struct observer_counts){.clear = obs->sum[CLASS_CLEAR],
                                    .esp_out = obs->sum[CLASS_OUT],
                                    .esp_in = obs->sum[CLASS_IN]};
    return 0;
}

void host_observer_close(struct host_observer *obs)
{
    if (!obs)
        return;
    for (int i = 0; i < CLASSES; i++)
        if (obs->fd[i] >= 0)
            close(obs->fd[i]);
    free(obs);
}

/* Requests name an observer by a number that is not used again; 0: the newest. */
static struct host_observer **find(l2tpc_host *h, uint32_t id)
{
    if (id == 0)
        id = h->observers_made;
    for (size_t i = 0; i < HOST_OBSERVERS_MAX; i++)
        if (h->observer[i] && h->observer_id[i] == id)
            return &h->observer[i];
    return NULL;
}

static int not_found(l2tpc_host_reply *reply, uint32_t id)
{
    return reply_fail(reply, -ENOENT, L2TPC_HOST_SENTENCE_NOT_FOUND, "observer %u", id);
}

static int failed(l2tpc_host_reply *reply, int rc)
{
    return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_OBSERVER, "%s", strerrorname_np(-rc));
}

int serve_open_observer(l2tpc_host *h, const l2tpc_host_open_observer *q, l2tpc_host_reply *reply)
{
    struct inaddr server;
    size_t i = 0;
    int rc;

    if (!host_addr_read(&server, &q->server) || inaddr_is_any(&server))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "server");
    while (i < HOST_OBSERVERS_MAX && h->observer[i])
        i++;
    if (i == HOST_OBSERVERS_MAX)
        return reply_fail(reply, -EUSERS, L2TPC_HOST_SENTENCE_TOO_MANY, "observers");
    rc = host_observer_open(q->ifindex, &server, &h->observer[i]);
    if (rc < 0)
        return failed(reply, rc);
    h->observer_id[i] = ++h->observers_made;
    reply->observer = h->observer_id[i];
    return 0;
}

int serve_observer_set_spis(l2tpc_host *h, const l2tpc_host_observer_set_spis *q,
                            l2tpc_host_reply *reply)
{
    struct host_observer **obs = q->observer ? find(h, q->observer) : NULL;
    int rc;

    if (!obs)
        return not_found(reply, q->observer);
    rc = host_observer_set_spis(*obs, q->out_spi, q->in_spi, q->local_port, q->remote_port);
    return rc < 0 ? failed(reply, rc) : 0;
}

int serve_observer_read(l2tpc_host *h, const l2tpc_host_observer_id *q, l2tpc_host_reply *reply)
{
    struct host_observer **obs = find(h, q->observer);
    struct observer_last now = {.id = q->observer ? q->observer : h->observers_made};
    int rc;

    if (obs) {
        now.server = (*obs)->server;
        rc = host_observer_read(*obs, &now.counts);
        if (rc < 0)
            return failed(reply, rc);
    } else if (q->observer == 0 && h->last_observer && h->last_observer->id == now.id) {
        now = *h->last_observer;
    } else {
        return not_found(reply, q->observer);
    }
    reply->observer = now.id;
    reply->clear = now.counts.clear;
    reply->esp_out = now.counts.esp_out;
    reply->esp_in = now.counts.esp_in;
    host_addr_write(&reply->source, &now.server);
    return 0;
}

/* Without memory nothing is known of it afterwards, which nobody takes for a proof. */
static void keep_last(l2tpc_host *h, struct host_observer *obs, uint32_t id)
{
    struct observer_last *last = h->last_observer;

    if (!last)
        last = h->last_observer = calloc(1, sizeof(*last));
    if (!last)
        return;
    *last = (struct observer_last){.id = id, .server = obs->server};
    if (host_observer_read(obs, &last->counts) < 0)
        last->id = 0;
}

int serve_observer_close(l2tpc_host *h, const l2tpc_host_observer_id *q, l2tpc_host_reply *reply)
{
    struct host_observer **obs = q->observer ? find(h, q->observer) : NULL;

    if (!obs)
        return not_found(reply, q->observer);
    if (q->observer == h->observers_made)
        keep_last(h, *obs, q->observer);
    host_observer_close(*obs);
    *obs = NULL;
    return 0;
}
