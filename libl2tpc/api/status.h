/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a status snapshot, which fill.c writes and json.c and status.c read. */
#ifndef L2TPC_API_STATUS_H
#define L2TPC_API_STATUS_H

#include "api/internal.h"

#include <stdio.h>

enum status_id {
#define STATUS(group, key, kind, title) STATUS_##group##_##key,
#include "api/status.def"
#undef STATUS
    STATUS_COUNT,
};

enum status_kind {
    STATUS_TEXT,
    STATUS_UINT,
    STATUS_REAL,
    STATUS_BOOL,
    STATUS_LIST, /* `text` holds the items, each ended by a newline */
};

struct status_value {
    bool known;
    uint64_t number;
    double real;
    char *text; /* heap; what people see, for every kind */
};

struct status_field {
    const char *group, *key, *path, *title;
    enum status_kind kind;
};

extern const struct status_field status_fields[STATUS_COUNT];
extern const char *const status_kinds[]; /* by enum status_kind */

/* The rows of the block that follows the Windows "Details" page. */
enum status_detail_id {
#define GROUP(group, title)
#define DETAIL(key, title) STATUS_DETAIL_##key,
#include "api/groups.def"
#undef GROUP
#undef DETAIL
    STATUS_DETAILS,
};

struct status_detail_field {
    const char *key, *path, *title;
};

extern const struct status_detail_field status_detail_fields[STATUS_DETAILS];

struct l2tpc_status {
    const char *state; /* dialing, up, reconnecting, closing, failed, down */
    bool is_l2tp_in_ipsec;
    char name[NAME_MAX_LEN + 1];
    struct evidence evidence[EVIDENCE_MAX];
    unsigned n_evidence;
    struct proof_claims claims;
    struct {
        enum stage stage;
        double ms;
    } stages[STAGE_COUNT];
    unsigned n_stages;
    struct status_value value[STATUS_COUNT];
    char detail[STATUS_DETAILS][96];
    char interface_name[16];
    char since[32]; /* RFC 3339, UTC; empty before it was up */
    double rtt_ms;  /* 0: not measured */
    bool failed;
    l2tpc_error error;
    char *json; /* made on demand */
};

/* fill.c */
void status_fill(l2tpc_status *st, l2tpc_session *s);
/* The rows that follow from others. */
void status_fill_details(l2tpc_status *st);
void status_fill_kernel(l2tpc_status *st, const struct kernel_counts *k);
#define STATUS_STATES 6
extern const char *const status_states[STATUS_STATES];
void status_set_text(l2tpc_status *st, enum status_id id, const char *text);
/* servers.c */
void status_fill_server(l2tpc_status *st, const l2tpc_session *s, const struct dial_facts *f);
/* psk.c */
void status_fill_secrets(l2tpc_status *st, const l2tpc_session *s);
/* advice.c; the second behind status_fill_secrets(), by whoever knows the key */
void status_fill_advice(l2tpc_status *st, const struct dial_facts *f);
void status_advise_psk(l2tpc_status *st);
/* json.c: heap, or NULL without memory */
char *status_json(const l2tpc_status *st);
/* Parts of it for other objects: a string or null; the member "error" with its comma. */
void json_text(FILE *f, const char *text);
void json_error(FILE *f, const l2tpc_error *e);

#endif
