/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The L2TPv2 data message header (RFC 2661 3.1); no state, used by the data path. */
#ifndef L2TPC_L2TP_DATA_H
#define L2TPC_L2TP_DATA_H

#include "base/span.h"

/* What we send: flags 0x4002 (length bit), length, tunnel id, session id. */
#define L2TP_DATA_HEADER 8
/* With flags 0x4802 Ns and Nr follow, of which Nr means nothing (3.1). */
#define L2TP_DATA_SEQUENCE 4

struct l2tp_data {
    uint16_t tunnel_id, session_id;
    bool sequenced;       /* Ns and Nr are present: so they must be in what we send (5.4) */
    struct mspan payload; /* the PPP frame, inside the message */
};

/* Control or data, by the T bit; false for what is neither (too short, version not 2). */
bool l2tp_classify(struct span message, bool *out_is_control) MUST_USE;
/* Reads a data message: optional length, Ns/Nr and offset; false = drop. */
bool l2tp_data_read(struct mspan message, struct l2tp_data *out) MUST_USE;
/* Writes the header in front of payload, which has L2TP_DATA_HEADER bytes of headroom. */
struct mspan l2tp_data_wrap(uint16_t peer_tunnel_id, uint16_t peer_session_id,
                            struct mspan payload);
/* The same with Ns, which takes L2TP_DATA_SEQUENCE bytes more. */
struct mspan l2tp_data_wrap_sequenced(uint16_t peer_tunnel_id, uint16_t peer_session_id,
                                      uint16_t ns, struct mspan payload);

#endif
