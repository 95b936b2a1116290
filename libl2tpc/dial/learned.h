/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a dial has learned about its server, for the next one: where to begin, who the server was,
 * and how strong it has been. A plain value and its text; who keeps the text is not known here.
 *
 * The text: lines "key=value", the first one "l2tpc-learned=1". Values are UTF-8 without control
 * characters. Keys that are not known are passed over, so that an older version can read what a
 * newer one of the same format has written; everything else that is not as it should be makes the
 * whole text unreadable, and then nothing was learned.
 */
#ifndef L2TPC_DIAL_LEARNED_H
#define L2TPC_DIAL_LEARNED_H

#include "base/addr.h"
#include "base/limits.h"
#include "base/suite.h"
#include "base/text.h"
#include "ike/strength.h"

struct learned {
    char server[256]; /* as dialed; the rest holds for this one alone */
    uint16_t port;
    /* Where the next dial begins. */
    bool has_ike, has_esp;
    struct ike_suite ike;
    struct esp_suite esp;
    enum dh_group pfs;
    enum encapsulation encapsulation; /* what to begin with; AUTO when the first try did it */
    uint16_t inner_port;              /* 1701 when the server wanted it; 0 */
    bool one_ike, one_esp;            /* the server takes one suite at a time only */
    /* How strong it has been at least. */
    enum strength floor_ike, floor_esp;
    /* Who it was. */
    enum ike_auth auth;
    char peer_id_type[16], peer_id[PEER_TEXT_MAX]; /* pinned; "" with certificates */
    char fingerprint[LEARNED_FINGERPRINT_MAX];     /* of the make of the server, for people */
    char address[ADDR_TEXT_MAX];
};

/* False when the text is not readable; `out` is then all zero. */
bool learned_parse(struct span text, struct learned *out) MUST_USE;
/* The text, at most `cap` bytes with the NUL; 0 when it does not fit. */
size_t learned_text(const struct learned *l, char *out, size_t cap);
/* The same server as this one? */
bool learned_is_for(const struct learned *l, const char *server, uint16_t port);

#endif
