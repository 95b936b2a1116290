/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the process of the user (front) and the one that dials (engine) say to each other. The front
 * believes the engine nothing but values: a hostile server may have taken it over.
 */
#ifndef L2TPC_API_REMOTE_WIRE_H
#define L2TPC_API_REMOTE_WIRE_H

#include "api/status.h"
#include "api/wire.h"

enum remote_order_type {
    REMOTE_START = 1, /* with the secrets that are known */
    REMOTE_STOP = 2,
    REMOTE_ANSWER = 3, /* to a NEED */
    REMOTE_NETWORK_CHANGED = 4,
    REMOTE_STATUS = 5,
    REMOTE_CHECK_HOST = 6,
    REMOTE_REKEY = 7,
};

struct remote_order {
    uint32_t type;
    bool has_psk, has_password;
    struct secret psk, password; /* START */
    uint32_t need;               /* ANSWER */
    bool has_secret;
    struct secret secret;
    uint32_t number; /* STATUS */
};

bool remote_order_write(const struct remote_order *o, uint8_t *bytes, size_t cap,
                        struct span *out) MUST_USE;
bool remote_order_read(struct span message, struct remote_order *out) MUST_USE;

enum remote_report_type {
    REMOTE_EVENT = 1,
    REMOTE_STATUS_IS = 2,
    REMOTE_LOG = 3,
};

/* A line of the engine's log. */
struct remote_line {
    uint32_t level; /* enum log_level */
    char module[16], text[256];
};

bool remote_log_write(uint32_t level, const char *module, const char *text, uint8_t *bytes,
                      size_t cap, struct span *out) MUST_USE;
bool remote_log_read(struct rd rest, struct remote_line *out) MUST_USE;
/* The first word of what the engine sends, and the rest of it. */
bool remote_report_type(struct span message, uint32_t *type, struct rd *rest) MUST_USE;

bool remote_event_write(const l2tpc_event *e, uint8_t *bytes, size_t cap,
                        struct span *out) MUST_USE;
/*
 * `e` is empty. Needs are for a pre-shared key or a password, what was learned is written anew from
 * its values, texts can be shown. False: no such event.
 */
bool remote_event_read(struct rd rest, l2tpc_event *e) MUST_USE;

bool remote_status_write(const l2tpc_status *st, uint32_t number, uint8_t *bytes, size_t cap,
                         struct span *out) MUST_USE;
/* Into an empty status, which may be filled in part when it is false. What the front knows better
 * stays unknown: names, secrets, what the kernel saw, the verdict. */
bool remote_status_read(struct rd rest, uint32_t *number, l2tpc_status *st) MUST_USE;
/* The verdict on a status that was read, by what the front has heard of the kernel before it asked
 * the engine and after. */
void remote_status_judge(l2tpc_status *st, const struct kernel_counts *before,
                         const struct kernel_counts *after);

#endif
