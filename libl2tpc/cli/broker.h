/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two processes of a dial that root starts: the broker, which stays root and changes this
 * computer, and this one, which gives up every right and talks to the network.
 */
#ifndef L2TPC_CLI_BROKER_H
#define L2TPC_CLI_BROKER_H

#include "cli/cli.h"

#include <sys/types.h>

/* Sanitizers look into their own process at its end, and have something to say. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct broker {
    pid_t pid; /* 0: none */
    int fd;    /* to be handed to l2tpc_host_client_new() */
};

/*
 * Forks the broker. Before any thread is there; `config` may hold secrets, which the broker wipes.
 * The files of `control` and the lock on its name are the broker's from then on: it removes them
 * last, whatever becomes of this process. NULL, or the failure code with its `value` (256 bytes).
 */
const char *broker_start(struct broker *b, const struct connect_options *o, l2tpc_config *config,
                         struct control *control, char *value);
/*
 * Whether this dial is to be two processes. A token is used in this process, by the user who
 * started it: its middleware looks for that user's files and sockets.
 */
bool broker_wanted(const struct connect_options *o);
/* Waits until everything is undone; its socket has been closed. */
void broker_wait(struct broker *b);

/* privileges.c: gives up root for good; false with errno. */
bool privileges_drop(void);

#endif
