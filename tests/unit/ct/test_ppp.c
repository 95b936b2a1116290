/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ct.h"

#include "../ppp/rig.h"
#include "base/text.h"
#include "ppp/engine.h"

#include <stdio.h>
#include <string.h>

/* 16 bytes, from a server called "vm". */
#define CHALLENGE "c223010700171001020304050607080090a0b0c0d0e0f010766d"

/* S= of the server's Success: what it must be is the secret. */
TEST(ct_ppp_server_proof)
{
    unsigned before = ct_errors();

    for (unsigned wrong = 0; wrong < 3; wrong++) {
        struct ppp_config config = rig_config();
        struct rig r;
        char proof[2 * MSCHAPV2_PROOF + 1];
        char success[256];
        unsigned asked = ct_comparisons();
        enum verdict v;

        rig_init(&r, &config);
        CHECK(rig_lcp_up(&r, "0305c22381"));
        CHECK_INT(rig_in(&r, CHALLENGE), VERDICT_OK);
        CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
        rig_password(&r, "wonderland");
        text_hex(proof, sizeof(proof), span_of(r.ppp->auth->proof, MSCHAPV2_PROOF));
        if (wrong)
            proof[wrong == 1 ? 0 : 2 * MSCHAPV2_PROOF - 1] ^= 1;
        (void)snprintf(success, sizeof(success), "c2230307002e533d");
        for (size_t i = 0; i < 2 * MSCHAPV2_PROOF; i++)
            (void)snprintf(success + strlen(success), 3, "%02x", (unsigned)proof[i]);
        ct_secret(r.ppp->auth->proof, MSCHAPV2_PROOF);
        v = rig_in(&r, success);
        CHECK_INT(v, wrong ? VERDICT_FATAL : VERDICT_OK);
        CHECK(ct_comparisons() > asked);
        ct_public(r.ppp->auth->proof, MSCHAPV2_PROOF);
        rig_free(&r);
    }
    CHECK_INT(ct_errors(), before);
}

/* CHAP with MD5: the password itself. */
TEST(ct_ppp_chap_response)
{
    struct ppp_config config = rig_config();
    struct rig r;
    uint8_t password[20];
    unsigned before = ct_errors();

    memset(password, 'w', sizeof(password));
    rig_init(&r, &config);
    CHECK(rig_lcp_up(&r, "0305c22305"));
    CHECK_INT(rig_in(&r, CHALLENGE), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    ct_secret(password, sizeof(password));
    ppp_answer_password(r.ppp, r.event.need, SPAN_ARRAY(password), r.now);
    CHECK(r.ppp->auth->has_answered);
    CHECK_INT(ct_errors(), before);
    ct_public(r.ppp->auth, sizeof(*r.ppp->auth));
    rig_free(&r);
}

/* What is made of the NT hash with SHA-1 and MD4. (Its DES goes through tables, as every DES.) */
TEST(ct_ppp_nt_hash)
{
    struct crypto *c = crypto_new();
    uint8_t hash[16] = {1, 2, 3}, response[MSCHAPV2_NT_RESPONSE] = {4}, challenge[8] = {5};
    uint8_t proof[MSCHAPV2_PROOF];
    unsigned before = ct_errors();

    CHECK(c);
    ct_secret(hash, sizeof(hash));
    CHECK(mschapv2_authenticator_response(c, hash, response, challenge, proof));
    CHECK_INT(ct_errors(), before);
    crypto_free(c);
}
