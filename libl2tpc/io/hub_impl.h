/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two files of the hub share; nobody else includes this. */
#ifndef L2TPC_IO_HUB_IMPL_H
#define L2TPC_IO_HUB_IMPL_H

#include "base/tally.h"
#include "io/hub.h"
#include "io/offload.h"
#include "io/plane_work.h"
#include "io/sockaddr.h"
#include "io/spi_table.h"

#define HUB_PATHS 3
#define HUB_FAMILIES 2
#define HUB_GRO_BATCH 8 /* datagrams of one system call where each may be a run */
#define HUB_GRO_LEN 65536
#define HUB_GIVE 32 /* ESP packets that are worth handing on before the batch is over */
#define HUB_FEW 8   /* no bulk flow: see loop_expect_more() */

struct hub_socket {
    struct hub *hub;
    enum dial_path path;
    uint8_t family;
    int fd;              /* -1: closed */
    bool given;          /* came from the caller: stays open without members */
    bool gro;            /* the kernel hands over runs of datagrams as one */
    unsigned holders;    /* members that asked for it; watched while there are any */
    unsigned generation; /* counts up when it is closed, for those who are in the middle of it */
    struct hub_reader *reader; /* whose thread reads it */
    uint16_t port;
    struct loop_source *source;
};

union hub_control {
    struct cmsghdr align;
    uint8_t bytes[256]; /* packet information; on the error queue the error and its origin too */
};

/* What one call sends. */
struct hub_parcel {
    unsigned n;
    struct mmsghdr message[HUB_BATCH];
    struct iovec iov[HUB_BATCH];
    union hub_control control[HUB_BATCH];
    struct run_part part[HUB_BATCH];
};

/* Who sends has one: the control side its datagrams, the data thread its runs. */
struct hub_sender {
    tally out, lost, refused, joined_out;
    struct hub_parcel parcel;
};

/* Who reads sockets has one. */
struct hub_reader {
    struct hub *hub;
    struct loop *loop;
    unsigned index;             /* in hub_member.of */
    struct hub_member *touched; /* was given something in this batch */
    tally in, unowned, malformed, keepalives, icmp;
    struct {
        struct hub_member *member;
        uint32_t spi; /* of the last one */
        enum dial_path path;
        struct endpoint from;
        unsigned n, joined_in;
        struct mspan packet[HUB_ESP_MAX];
    } esp; /* for one member, not handed on yet */
    /* Received: filled by one call, worked off before the next. */
    union sockaddr_any from[HUB_BATCH];
    union hub_control control[HUB_BATCH];
    uint8_t rx[HUB_GRO_BATCH * HUB_GRO_LEN];
    uint8_t copy[HUB_RX_LEN];
};

/* A copy of the table for the data thread, which never changes. */
struct hub_spis {
    struct spi_table table;
    struct turns_mark left;
    struct hub_spis *next; /* older */
};

struct hub {
    struct loop *loop;
    struct lanes *lanes; /* NULL: none */
    struct port_options options;
    struct hub_socket socket[HUB_FAMILIES][HUB_PATHS];
    struct hub_member *members;
    struct hub_member *cursor; /* the next one of a walk with callbacks: leaving moves it on */
    struct spi_table spis;     /* of those who have said which are theirs; owns_spi() confirms it */
    unsigned n_silent;         /* members that have not, and are asked */
    _Atomic(struct hub_spis *) lane_spis; /* what the data thread sees of `spis` */
    struct offload offload;
    struct plane_work work;
    struct hub_sender sender[2]; /* the control side's, the data thread's */
    struct hub_reader reader;    /* the control side's, and all there is without lanes */
    struct hub_reader *lane;     /* the data thread's */
};

_Static_assert(HUB_BATCH *HUB_RX_LEN <= HUB_GRO_BATCH * HUB_GRO_LEN, "one room for both");
_Static_assert(HUB_BATCH >= HUB_GRO_BATCH, "one list of senders for both");

static inline unsigned hub_family_index(uint8_t family)
{
    return family == 6;
}

static inline struct hub_socket *hub_socket_of(struct hub *hub, enum dial_path path, uint8_t family)
{
    return &hub->socket[hub_family_index(family)][path];
}

/* The loop's callback of every socket (hub_rx.c). */
void hub_on_socket(void *user, uint32_t epoll_events, l2tpc_us now);

#endif
