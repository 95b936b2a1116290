/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An engine that waits in a state of one's choice, messages of one's own making, and what a dropped
 * one may not have changed. */
#ifndef TESTS_UNIT_IKE_RULES_STAGE_H
#define TESTS_UNIT_IKE_RULES_STAGE_H

#include "../rig.h"

/* Where the engine stands; the server's genuine answer is on its way, except where it is done. */
enum at {
    AT_NEW,
    AT_MM1,
    AT_MM3,
    AT_PSK,
    AT_MM5,
    AT_QM1,
    AT_COMMIT,
    AT_UP,
    AT_DELETED,
    AT_CLOSED,
    AT_COUNT,
};

/* NULL stands for a rig that did not get there, which ends the program. */
struct rig *rig_at(enum at at);
/* The same with habits of the server's. */
struct rig *rig_at_with(enum at at, const struct server_habits *habits);
const char *at_name(enum at at);
/* What is on its way is lost, and the engine's next needs are answered again. */
void rig_forget_flights(struct rig *r);

/* Everything that a message may change when it is taken; counters, hints and scratch apart. */
struct memory;
struct memory *memory_of(const struct rig *r);
bool memory_holds(struct memory *m, const struct rig *r); /* nothing changed, nothing to be sent */
void memory_free(struct memory *m);

struct part {
    uint8_t type;
    struct span body;
};

/* A message as the server could send it. */
struct forged {
    uint8_t exchange, flags;
    uint32_t message_id;
    struct part part[12];
    unsigned n;
    bool hash;          /* a right HASH goes in front: prf(SKEYID_a, M-ID | before | rest) */
    struct span before; /* Ni in quick mode 2 */
    const uint8_t *iv;  /* where the encryption goes on; NULL: a new exchange */
    bool plain;         /* not encrypted, whatever the flags say */
};

/* Encrypted with the engine's own keys when the flag is set; with none it is noise. */
struct span forge_ike(const struct rig *r, const struct forged *f, struct build *b);
/* Sent by the server to where the engine listens now. */
enum verdict rig_give(struct rig *r, struct span bytes);

/* A Delete or Notify body. */
struct span body_delete(uint8_t *out, uint8_t protocol, uint8_t size, unsigned count,
                        struct span spis);
struct span body_notify(uint8_t *out, uint8_t protocol, struct span spi, uint16_t type,
                        struct span data);
void cookies_of(const struct rig *r, uint8_t out[16]);

/* Quick mode 2 of the server to the engine's own quick mode 1. */
struct span forge_qm2(const struct rig *r, struct span sa, struct span nonce, struct build *b);

/* Numbers that repeat. */
uint32_t dice(uint32_t *state);

#endif
