/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IKEv1 messages in several datagrams, the way of Cisco and Microsoft ([MS-IKEE] 2.2.3.1): each has
 * the message's own ISAKMP header, without the Encryption flag, and one payload 132 with a piece of
 * the message, its header included. Nothing of it is authenticated before the message is whole.
 */
#ifndef L2TPC_IKE_V1_FRAGMENT_H
#define L2TPC_IKE_V1_FRAGMENT_H

#include "base/clock.h"
#include "ike/v1/parse.h"
#include "wire/wr.h"

/* What stands before each piece: ISAKMP header, generic header, id, number, flags. */
#define FRAGMENT_ENVELOPE (ISAKMP_HEADER_LEN + 8)

struct fragment {
    uint16_t id;
    uint8_t number; /* 1 .. IKE_FRAGMENTS_MAX */
    bool last;
    struct span data; /* not empty */
};

/*
 * The one message that is being put together. All fragments of it carry the same cookie, exchange,
 * message ID and fragment ID. Whatever arrives, it holds no more than one message may have.
 */
struct fragment_set {
    uint8_t n;       /* slots in use; 0: nothing is under way */
    uint8_t highest; /* the highest number that has come */
    uint8_t last;    /* the number that said so; 0: not there yet */
    uint8_t cky_r[ISAKMP_COOKIE_LEN];
    uint8_t exchange;
    uint32_t message_id;
    uint16_t id;
    l2tpc_us since;
    size_t used;
    struct {
        uint16_t at, n; /* in `pool`, in order of arrival; n 0: has not come */
    } slot[IKE_FRAGMENTS_MAX];
    uint8_t pool[IKE_MESSAGE_MAX];
};

enum fragment_fate {
    FRAGMENT_BAD,   /* broken, or the message it completes is; a set that it completes is gone */
    FRAGMENT_AGAIN, /* there already */
    FRAGMENT_ANEW,  /* contradicts what was there, which is gone: the set begins with this one */
    FRAGMENT_KEPT,
    FRAGMENT_WHOLE, /* the message is complete, and the set empty */
};

/* `body` is what follows the ISAKMP header. */
bool fragment_parse(struct span body, struct fragment *out) MUST_USE;
/* Takes a fragment; on FRAGMENT_WHOLE `out` is the message in `room`, one with the same header. */
enum fragment_fate fragment_add(struct fragment_set *s, const struct isakmp_header *h,
                                struct span body, l2tpc_us now, uint8_t room[IKE_MESSAGE_MAX],
                                struct span *out) MUST_USE;

/* How many pieces of at most `piece` bytes a message makes; more than IKE_FRAGMENTS_MAX is none. */
unsigned fragment_count(size_t message, size_t piece);
/* Fragment `number`, from 1, of a message; the same each time. */
void fragment_write(struct wr *w, struct span message, size_t piece, unsigned number);

#endif
