/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Algorithm lists as a person writes them. First byte: which ladder, and which policy to begin. */
#include "fuzz.h"

#include "esp/esp.h"
#include "ike/policy.h"

#include <string.h>

static const char *const names[] = {"strong", "compatible", "legacy"};

static void check_policy(const struct policy *p)
{
    char text[24];

    FUZZ_REQUIRE(p->n_ike > 0 && p->n_ike <= IKE_SUITES_MAX);
    FUZZ_REQUIRE(p->n_esp > 0 && p->n_esp <= ESP_SUITES_MAX);
    for (unsigned i = 0; i < p->n_ike; i++) {
        FUZZ_REQUIRE(cipher_key_len(p->ike[i].cipher, p->ike[i].key_bits) > 0);
        FUZZ_REQUIRE(hash_size(p->ike[i].hash) > 0 && dh_public_size(p->ike[i].group) > 0);
        (void)ike_suite_is_weak(&p->ike[i]);
        FUZZ_REQUIRE(suite_cipher_text(p->ike[i].cipher, p->ike[i].key_bits, text) == text);
    }
    for (unsigned i = 0; i < p->n_esp; i++) {
        FUZZ_REQUIRE(cipher_key_len(p->esp[i].cipher, p->esp[i].key_bits) > 0);
        FUZZ_REQUIRE((p->esp[i].cipher == CIPHER_AES_GCM) == (p->esp[i].integ == HASH_NONE));
        FUZZ_REQUIRE(esp_overhead(&p->esp[i], 100) > 0);
        FUZZ_REQUIRE(esp_integ_name(&p->esp[i]) != NULL);
        (void)esp_suite_is_weak(&p->esp[i]);
    }
    FUZZ_REQUIRE(p->pfs == DH_NONE || dh_public_size(p->pfs) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct policy before;
    struct policy p;
    char bad[64];
    uint8_t how;
    char *list;
    bool ok;

    if (!rd_u8(&r, &how))
        return 0;
    FUZZ_REQUIRE(policy_named(names[(how >> 1) % ARRAY_LEN(names)], &p));
    check_policy(&p);
    before = p;
    list = fuzz_text(rd_rest(&r));
    memset(bad, 'x', sizeof(bad));
    ok = how & 1 ? policy_parse_ike(list, &p, bad) : policy_parse_esp(list, &p, bad);
    if (ok)
        check_policy(&p);
    else
        FUZZ_REQUIRE(memchr(bad, '\0', sizeof(bad)) && memcmp(&p, &before, sizeof(p)) == 0);
    FUZZ_REQUIRE(ok == (how & 1 ? policy_parse_ike(list, &before, NULL)
                                : policy_parse_esp(list, &before, NULL)));
    ok = policy_named(list, &p);
    free(list);
    return 0;
}
