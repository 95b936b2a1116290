/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ct.h"

#include "../l2tp/rig.h"
#include "l2tp/engine.h"

#include <stdio.h>
#include <string.h>

/* The server's answer to our challenge, with the tunnel secret as the secret. */
TEST(ct_l2tp_challenge_response)
{
    unsigned before = ct_errors();

    for (unsigned wrong = 0; wrong < 2; wrong++) {
        static const uint8_t type = 2;
        struct rig rig;
        struct l2tp_event e;
        char sccrp[512];
        uint8_t md5[HASH_MAX];
        unsigned asked = ct_comparisons();
        int n = snprintf(sccrp, sizeof(sccrp), "%s 8016 0000 000d ", AVPS_SCCRP);

        rig_init(&rig);
        rig.config.has_secret = secret_set(&rig.config.secret, span_str("tunnel secret"));
        rig_start(&rig, 0);
        rig.nr = 1;
        rig_drain(&rig);
        const struct span parts[] = {span_of(&type, 1), span_str("tunnel secret"),
                                     span_of(rig.l->challenge, L2TP_CHALLENGE_LEN)};

        CHECK(hash_parts(rig.crypto, HASH_MD5, parts, ARRAY_LEN(parts), md5));
        md5[0] ^= (uint8_t)wrong;
        for (unsigned i = 0; i < 16; i++)
            n += snprintf(sccrp + n, sizeof(sccrp) - (size_t)n, "%02x", md5[i]);
        ct_secret(rig.l->config.secret.bytes, 13);
        (void)rig_send(&rig, 0, sccrp, 0);
        CHECK(ct_comparisons() > asked);
        CHECK_INT(rig_event(&rig, &e), wrong ? L2TP_EVENT_FAILED : L2TP_EVENT_TUNNEL_UP);
        ct_public(rig.l->config.secret.bytes, 13);
        rig_free(&rig);
    }
    CHECK_INT(ct_errors(), before);
}
