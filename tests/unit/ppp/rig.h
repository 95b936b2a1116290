/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PPP engine on the table: fixed randomness, frames as hex, virtual time. */
#ifndef TESTS_UNIT_PPP_RIG_H
#define TESTS_UNIT_PPP_RIG_H

#include "check.h"
#include "ppp/ppp.h"

struct rig {
    struct crypto *crypto;
    struct env env;
    struct ppp *ppp;
    l2tpc_us now;
    uint64_t seed;
    uint8_t script[64]; /* randomness that is handed out first */
    size_t n_script, at_script;
    bool rand_fails;
    char text[4096 * 2 + 1]; /* of the last rig_out() */
    struct ppp_event event;  /* of the last rig_event() */
};

/* user alice, every method allowed, DNS wanted */
struct ppp_config rig_config(void);
void rig_init(struct rig *r, const struct ppp_config *config);
void rig_free(struct rig *r);
enum verdict rig_in(struct rig *r, const char *hex);
/* The next frame out as hex without FF03, "" when there is none. */
const char *rig_out(struct rig *r);
/* The next event's type, -1 when there is none. */
int rig_event(struct rig *r);
void rig_password(struct rig *r, const char *password);
/* Runs the timers up to `to`. */
void rig_until(struct rig *r, l2tpc_us to);
/* Started and past LCP with the given authentication option; our magic is 11223344. */
bool rig_lcp_up(struct rig *r, const char *auth_option);
/* The same, logged in with PAP, IPCP up as 10.0.0.2 behind 10.0.0.1 with DNS 10.0.0.1. */
bool rig_up(struct rig *r);

#endif
