/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor: a server that once chose better is not followed down. Who stands in between can drop
 * what he dislikes until only the weakest offer is left; the floor takes the profit out of it.
 */
#include "ike/v1/engine.h"

#include <stdio.h>

static struct failure weaker(enum stage stage, const char *suite, enum strength before)
{
    struct failure f = failure_make(FAILURE_IKE_DOWNGRADE);
    char text[PEER_TEXT_MAX];

    f.stage = stage;
    (void)snprintf(text, sizeof(text), "%s (%s before)", suite, strength_name(before));
    failure_set_value(&f, span_str(text));
    return f;
}

struct failure downgrade_ike(const struct ike *ike, const struct ike_suite *suite)
{
    char text[SUITE_SPELLING_MAX];

    return weaker(STAGE_IKE_PHASE1, ike_suite_spell(suite, text), ike->cfg.floor_ike);
}

struct failure downgrade_esp(const struct ike *ike, const struct esp_suite *suite)
{
    char text[SUITE_SPELLING_MAX];

    return weaker(STAGE_IKE_QUICK, esp_suite_spell(suite, text), ike->cfg.floor_esp);
}
