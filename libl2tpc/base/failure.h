/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A failure is a value: which row of the catalogue (failure.def), at which stage, and typed
 * arguments. Nobody formats it for people here; doctor/ renders the sentences.
 */
#ifndef L2TPC_BASE_FAILURE_H
#define L2TPC_BASE_FAILURE_H

#include "base/span.h"
#include "base/text.h"

enum stage {
#define STAGE(id, name, status, title) STAGE_##id,
#include "base/stage.def"
#undef STAGE
    STAGE_COUNT,
};

enum failure_id {
    FAILURE_NONE = 0,
#define FAILURE(id, code, stage, windows, sentence, hint) FAILURE_##id,
#include "base/failure.def"
#undef FAILURE
    FAILURE_COUNT,
};

struct failure {
    enum failure_id id;
    enum stage stage;    /* where it happened */
    bool has_peer_code;  /* the peer gave a number: notify type, StopCCN or CDN result, E= */
    uint32_t peer_code;  /*   {peer_code} */
    char waited_for[32]; /* {waited_for}: the message a timeout waited for, RFC name */
    unsigned sends;      /* {sends}: how often the unanswered message went out */
    char peer_text[PEER_TEXT_MAX]; /* {peer_text}: the peer's own words, escaped */
    char value[PEER_TEXT_MAX];     /* {value}: the offending value, escaped */
    int os_error;                  /* {os_error}: errno of a local failure, else 0 */
    char expected[PEER_TEXT_MAX];  /* {expected}: instead of {value}, escaped */
    bool stay_away;                /* the peer's own result: a new dial would be refused as well */
};

/* A failure with its row's own stage and no arguments. */
struct failure failure_make(enum failure_id id);
/* A timeout: the message waited for and how often ours was sent. */
struct failure failure_timeout(enum failure_id id, const char *waited_for, unsigned sends);
void failure_set_peer_code(struct failure *f, uint32_t code);
void failure_set_peer_text(struct failure *f, struct span raw); /* escapes */
void failure_set_value(struct failure *f, struct span raw);     /* escapes */
void failure_set_expected(struct failure *f, struct span raw);  /* escapes */

const char *stage_name(enum stage s);  /* "ike-quick"; "?" when out of range */
const char *stage_title(enum stage s); /* untranslated msgid */
int stage_exit_status(enum stage s);
bool stage_parse(enum stage *out, const char *name) MUST_USE;
const char *failure_code(enum failure_id id); /* "ike.no-proposal" */

#endif
