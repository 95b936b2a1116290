/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A running tunnel on the system bus: the object net.l2tpc.Tunnel1, for whoever runs a dial. It
 * only shows; what it shows comes from a status when somebody asks. It has a descriptor for any
 * loop, no thread, and never waits for the bus. Where there is no bus, or no sd-bus, there is no
 * object, and nobody is told.
 */
#ifndef L2TPC_BUS_BUS_H
#define L2TPC_BUS_BUS_H

#include <l2tpc.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BUS_UUID_SIZE 33 /* 32 hexadecimal digits */
#define BUS_USERS_MAX 16

struct bus_tunnel;

struct bus_tunnel_options {
    const char *uuid;       /* of the connection, with or without dashes; NULL: it has none */
    const char *started_by; /* "command", "networkmanager", "service" */
    /* Beside root: who has started it and whose profile it is may see whose it is, and end it. */
    uid_t owner;
    uid_t users[BUS_USERS_MAX];
    unsigned n_users;
    /* Begins to ask for a snapshot, which then comes by bus_tunnel_take(), not from inside of it;
     * again until it has come is fine. False: there is nobody to ask. */
    bool (*ask)(void *user);
    void (*disconnect)(void *user); /* NULL: it cannot be ended from here */
    bool (*rekey)(void *user);      /* NULL: not either */
    void *user;
};

/* What may be on the bus right away or in a moment. NULL: there is none. */
struct bus_tunnel *bus_tunnel_open(const struct bus_tunnel_options *options);
/* The object is gone; NULL is fine. */
void bus_tunnel_close(struct bus_tunnel *t);

/* For poll(): -1 when there is no bus (any more), which may change by each dispatch; its events;
 * and milliseconds, -1 for ever. `t` may be NULL. */
int bus_tunnel_fd(const struct bus_tunnel *t);
short bus_tunnel_events(const struct bus_tunnel *t);
int bus_tunnel_timeout(const struct bus_tunnel *t, int otherwise);
/* What is due, and no more than a few messages; never blocks. */
void bus_tunnel_dispatch(struct bus_tunnel *t);

/* Owns the snapshot; `t` may be NULL. */
void bus_tunnel_take(struct bus_tunnel *t, l2tpc_status *status);
/* A line for GetLog; from any thread between open and close, `t` may be NULL. */
void bus_tunnel_log(struct bus_tunnel *t, int level, const char *module, const char *line);
/* What a session's event changes; `t` may be NULL. */
void bus_tunnel_on_event(struct bus_tunnel *t, const l2tpc_event *event);

/* "ike.spi_i" is IkeSpiI. */
void bus_property_name(const char *path, char *out, size_t size);

/* ---- the other side: what l2tpc status lists ---- */

struct bus_found {
    char name[65]; /* of the connection; "" when it is not shown to us */
    char uuid[BUS_UUID_SIZE];
    char started_by[16];
    char *json; /* heap; or NULL */
    struct bus_row {
        char *title, *text; /* heap; the title is a msgid */
    } * rows;
    unsigned n_rows;
    char state[16], verdict[64]; /* the verdict is a msgid */
};

/* All tunnels there are; 0 without a bus. Waits two seconds for each answer at most. */
unsigned bus_list(struct bus_found *out, unsigned room);
/* Frees what they hold. */
void bus_list_free(struct bus_found *found, unsigned n);
/* Asks the tunnel to end: 0, or a negative errno value. */
int bus_disconnect(const char *uuid);

#endif
