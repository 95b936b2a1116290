/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said between the two sides of a room, one packet each. */
#ifndef L2TPC_CLI_ROOM_INSIDE_H
#define L2TPC_CLI_ROOM_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#define ROOM_INTERFACE "l2tp0"
#define ROOM_WORDS_MAX 65536 /* of a command line, zero bytes included */

enum room_verb {
    ROOM_CONFIGURE = 1,
    ROOM_START = 2, /* the words follow in a packet of their own */
};

struct room_order {
    enum room_verb verb;
    uint16_t mtu;
    unsigned n_dns, n_words;
    uint8_t local[4], dns[2][4];
};

/* Sent once the TUN is there (with its descriptor), after CONFIGURE, and when START fails. */
struct room_answer {
    int error; /* errno, 0: done */
    char what[128];
};

/* The process inside: makes the room, obeys, becomes the program. Ends when the other side does. */
void room_inside(int socket) __attribute__((noreturn));

#endif
