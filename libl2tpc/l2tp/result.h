/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Result and error codes of StopCCN and CDN (RFC 2661 4.4.2): numbers to sentences to failures. */
#ifndef L2TPC_L2TP_RESULT_H
#define L2TPC_L2TP_RESULT_H

#include "base/failure.h"
#include "l2tp/message.h"

enum { /* StopCCN */
    STOPCCN_GENERAL_ERROR = 2,
    STOPCCN_NOT_AUTHORIZED = 4,
    STOPCCN_VERSION = 5,
    STOPCCN_SHUT_DOWN = 6,
    STOPCCN_FSM_ERROR = 7,
};

enum { /* CDN */
    CDN_CARRIER_LOST = 1,
    CDN_GENERAL_ERROR = 2,
    CDN_NO_FACILITIES_NOW = 4,
    CDN_NO_FACILITIES = 5,
    CDN_INVALID_DESTINATION = 6,
};

enum { /* the error code behind a general error */
    ERROR_NONE = 0,
    ERROR_LENGTH = 2,
    ERROR_VALUE = 3,
    ERROR_RESOURCES = 4,
    ERROR_UNKNOWN_AVP = 8,
};

/* Why the peer ended it, as far as it said. */
struct result {
    bool has_code, has_error;
    uint16_t code, error;
    struct span text; /* the peer's words, raw; borrowed from the message */
};

/* Any length is tolerated, absence included (rule C30). */
struct result result_read(const struct message *m);
/* Our sentence for the numbers; type is STOPCCN or CDN. Never NULL. */
const char *result_sentence(uint16_t type, const struct result *r);
/* The failure that a StopCCN or CDN stands for. `established`: the call was up. */
struct failure result_failure(const struct message *m, bool established);

#endif
