/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two files of the hub share; nobody else includes this. */
#ifndef L2TPC_IO_HUB_IMPL_H
#define L2TPC_IO_HUB_IMPL_H

#include "io/hub.h"
#include "io/sockaddr.h"

#define HUB_PATHS 3
#define HUB_FAMILIES 2
#define HUB_SPI_CACHE 64 /* a power of two */
#define HUB_PACKET_LEN (DATA_HEADROOM + HUB_PACKET_MAX + DATA_TAILROOM)

struct hub_socket {
    struct hub *hub;
    enum dial_path path;
    uint8_t family;
    int fd;              /* -1: closed */
    bool given;          /* came from the caller: stays open without members */
    unsigned holders;    /* members that asked for it; watched while there are any */
    unsigned generation; /* counts up when it is closed, for those who are in the middle of it */
    uint16_t port;
    struct loop_source *source;
};

union hub_control {
    struct cmsghdr align;
    uint8_t bytes[256]; /* packet information; on the error queue the error and its origin too */
};

struct hub {
    struct loop *loop;
    struct port_options options;
    struct hub_socket socket[HUB_FAMILIES][HUB_PATHS];
    struct hub_member *members;
    struct hub_member *cursor;  /* the next one of a walk with callbacks: leaving moves it on */
    struct hub_member *touched; /* was given something in this batch */
    struct {
        uint32_t spi;
        struct hub_member *member;
    } cache[HUB_SPI_CACHE]; /* a guess that owns_spi() confirms */
    struct hub_counters counters;
    /* Received: filled by one call, worked off before the next. */
    union sockaddr_any from[HUB_BATCH];
    union hub_control control[HUB_BATCH];
    uint8_t rx[HUB_BATCH][HUB_RX_LEN];
    uint8_t copy[HUB_RX_LEN];
    uint8_t packet[HUB_BATCH][HUB_PACKET_LEN];
};

static inline unsigned hub_family_index(uint8_t family)
{
    return family == 6;
}

/* The loop's callback of every socket (hub_rx.c). */
void hub_on_socket(void *user, uint32_t epoll_events, l2tpc_us now);

#endif
