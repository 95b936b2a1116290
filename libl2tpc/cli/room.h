/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A room for one program: a user, network and mount namespace of its own, made without any right.
 * Its only way out is a TUN device, whose descriptor is handed to this side.
 */
#ifndef L2TPC_CLI_ROOM_H
#define L2TPC_CLI_ROOM_H

#include <l2tpc.h>

#include <stdbool.h>
#include <sys/types.h>

struct room {
    pid_t pid;
    int socket; /* to the process inside */
    int tun_fd; /* -1: none, or given away */
    char interface_name[16];
    char error[192]; /* why the last call failed, for people */
};

/* Before any thread and any secret is there: it forks. False: no such namespace can be made. */
bool room_open(struct room *r);
/* Address, routes and name servers inside; may be repeated. */
bool room_configure(struct room *r, const l2tpc_need *need);
/* The program takes the place of the process inside; false when it cannot be started. */
bool room_start(struct room *r, char **argv);
bool room_lives(const struct room *r);
/* True once the program has ended; its exit status, or 128 and the signal, as shells have it. */
bool room_ended(struct room *r, int *out_status);
/* Ends what is left inside, with a moment to do it in order. */
void room_close(struct room *r);
/* The needs of a session whose tunnel leads into a room; `user` is the struct room. */
int room_serve(void *user, const l2tpc_need *need, l2tpc_answer *answer);

#endif
