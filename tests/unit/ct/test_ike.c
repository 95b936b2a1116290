/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ct.h"

#include "../ike/rules/stage.h"
#include "base/secret.h"

#include <string.h>

/* HASH_R of message 6, right and wrong. */
TEST(ct_ike_hash_r)
{
    unsigned before = ct_errors();

    for (unsigned wrong = 0; wrong < 2; wrong++) {
        struct server_habits habits = {.wrong_hash_r = wrong};
        struct rig *r = rig_at_with(AT_MM5, &habits);
        unsigned asked = ct_comparisons();

        CHECK(r);
        ct_secret(r->ike->secrets->keys.skeyid, HASH_MAX);
        rig_run(r, us_add(r->now, US_S(2)));
        CHECK(ct_comparisons() > asked);
        CHECK_INT(r->ike->facts.established, !wrong);
        ct_public(r->ike->secrets->keys.skeyid, HASH_MAX);
        rig_free(r);
    }
    CHECK_INT(ct_errors(), before);
}

/* HASH of what comes under the SA: the Delete of a pair that is not there. */
TEST(ct_ike_hash_of_an_informational)
{
    unsigned before = ct_errors();

    for (unsigned wrong = 0; wrong < 2; wrong++) {
        static const uint8_t spi[4] = {1, 2, 3, 4};
        struct rig *r = rig_at(AT_UP);
        unsigned asked = ct_comparisons();
        uint8_t body[64];
        struct build b;
        struct forged f = {.exchange = EXCHANGE_INFORMATIONAL,
                           .flags = ISAKMP_FLAG_ENCRYPTION,
                           .message_id = 0x01020304,
                           .n = 1,
                           .hash = true};
        struct span message;
        enum verdict v;

        CHECK(r);
        f.part[0] = (struct part){PAYLOAD_D, body_delete(body, 3, 4, 1, SPAN_ARRAY(spi))};
        if (wrong)
            r->ike->secrets->keys.skeyid_a[0] ^= 1; /* the message is made with another key */
        message = forge_ike(r, &f, &b);
        if (wrong)
            r->ike->secrets->keys.skeyid_a[0] ^= 1;
        ct_secret(r->ike->secrets->keys.skeyid_a, HASH_MAX);
        v = server_inject(r, message);
        CHECK_INT(v, wrong ? VERDICT_DROP : VERDICT_OK);
        CHECK(ct_comparisons() > asked);
        ct_public(r->ike->secrets->keys.skeyid_a, HASH_MAX);
        rig_free(r);
    }
    CHECK_INT(ct_errors(), before);
}

/* From the pre-shared key and g^xy down to the hashes; DES keys alone are looked at. */
TEST(ct_ike_keys_of_a_pre_shared_key)
{
    static const struct ike_suite suites[] = {
        {.cipher = CIPHER_AES_CBC, .key_bits = 128, .hash = HASH_SHA1},
        {.cipher = CIPHER_AES_CBC, .key_bits = 256, .hash = HASH_SHA256},
        {.cipher = CIPHER_AES_CBC, .key_bits = 256, .hash = HASH_MD5},
    };
    struct crypto *c = crypto_new();
    uint8_t psk[40], gxy[256], n[16] = {1}, cky[8] = {2}, hash[HASH_MAX];
    unsigned before = ct_errors();

    CHECK(c);
    memset(psk, 'k', sizeof(psk));
    memset(gxy, 7, sizeof(gxy));
    ct_secret(psk, sizeof(psk));
    ct_secret(gxy, sizeof(gxy));
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        struct phase1_inputs in = {.psk = SPAN_ARRAY(psk),
                                   .gxy = SPAN_ARRAY(gxy),
                                   .ni = SPAN_ARRAY(n),
                                   .nr = SPAN_ARRAY(n),
                                   .cky_i = cky,
                                   .cky_r = cky};
        struct ike_keys keys;

        CHECK(ike_keys_derive(c, &suites[i], &in, &keys));
        CHECK(keymat_hash_phase1(c, &keys, SPAN_ARRAY(n), SPAN_ARRAY(n), cky, cky, SPAN_ARRAY(n),
                                 SPAN_ARRAY(n), hash));
        wipe(&keys, sizeof(keys));
    }
    CHECK_INT(ct_errors(), before);
    crypto_free(c);
}
