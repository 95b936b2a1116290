/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ct.h"

#include "../esp/fixture.h"

#include <string.h>

/* The ICV of a packet: with the HMAC key as the secret. */
TEST(ct_esp_icv)
{
    unsigned before = ct_errors();
    unsigned asked = 0;

    for (size_t i = 0; i < n_all_suites; i++) {
        struct ends e;
        uint8_t buffer[PACKET_MAX];
        struct mspan packet;
        struct mspan payload;

        if (all_suites[i].cipher == CIPHER_AES_GCM)
            continue; /* OpenSSL compares the tag by itself */
        ends_init(&e, &all_suites[i]);
        ct_secret(e.sa.in.integ_key, sizeof(e.sa.in.integ_key));
        ct_secret(e.sa.out.integ_key, sizeof(e.sa.out.integ_key));
        CHECK(ends_open(&e));
        for (unsigned wrong = 0; wrong < 3; wrong++) {
            CHECK_INT(seal_bytes(e.client_out, buffer, 100, 1, &packet), ESP_OK);
            ct_public(packet.p, packet.n);
            packet.p[packet.n - 1] ^= wrong == 1;
            packet.p[packet.n - e.server_in->key.sizes.icv] ^= wrong == 2;
            asked = ct_comparisons();
            CHECK_INT(esp_open(e.server_in, packet, &payload), wrong ? ESP_BAD_ICV : ESP_OK);
            CHECK(ct_comparisons() > asked);
        }
        ct_public(e.sa.in.integ_key, sizeof(e.sa.in.integ_key));
        ct_public(e.sa.out.integ_key, sizeof(e.sa.out.integ_key));
        ends_close(&e);
    }
    CHECK_INT(ct_errors(), before);
}
