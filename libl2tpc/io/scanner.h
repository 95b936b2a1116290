/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drives one scan over the sockets that all sessions share: looks up the name, tries its addresses
 * in order, gives the engine datagrams and time.
 */
#ifndef L2TPC_IO_SCANNER_H
#define L2TPC_IO_SCANNER_H

#include "ike/v1/scan.h"
#include "io/hub.h"
#include "io/loop.h"

struct scanner_hooks {
    void *user;
    /* Something has changed; `over` is the end, with its failure. Not from inside a call. */
    void (*changed)(void *user, const struct failure *over);
    /* A socket of the owner's, or -1: the library opens one. */
    int (*open_socket)(void *user, enum dial_path path, uint8_t family, uint16_t port);
};

struct scanner;

/* NULL: no memory. `server` is a name or a literal. */
struct scanner *scanner_new(struct loop *loop, struct hub *hub, const struct port_options *ports,
                            const char *server, uint16_t port, const struct scan_config *config,
                            const struct scanner_hooks *hooks);
void scanner_free(struct scanner *r);
void scanner_start(struct scanner *r);
void scanner_stop(struct scanner *r); /* what is known stays */
const struct scan *scanner_scan(const struct scanner *r);
/* The address that is being asked; family 0 before it is known. */
const struct endpoint *scanner_remote(const struct scanner *r);

#endif
