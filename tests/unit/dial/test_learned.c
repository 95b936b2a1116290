/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "dial/learned.h"
#include "ike/policy.h"

#include <stdio.h>
#include <string.h>

#define HEAD "l2tpc-learned=1\nserver=vpn.example.com\nport=500\n"

static bool reads(const char *text)
{
    struct learned l;

    return learned_parse(span_str(text), &l);
}

TEST(learned_round_trip)
{
    struct learned l = {.server = "vpn.example.com",
                        .port = 4711,
                        .has_ike = true,
                        .has_esp = true,
                        .ike = {CIPHER_AES_CBC, 256, HASH_SHA384, DH_ECP384},
                        .esp = {CIPHER_AES_CBC, 128, HASH_SHA256, true},
                        .pfs = DH_MODP1024,
                        .encapsulation = ENCAPSULATION_ESP,
                        .inner_port = 1701,
                        .one_ike = true,
                        .floor_ike = STRENGTH_STRONG,
                        .floor_esp = STRENGTH_FAIR,
                        .auth = IKE_AUTH_ECDSA_384,
                        .peer_id_type = "fqdn",
                        .peer_id = "@vpn=\xc3\xa9 one",
                        .fingerprint = "An old router",
                        .address = "2001:db8::1"};
    struct learned back;
    char text[LEARNED_TEXT_MAX];
    char again[LEARNED_TEXT_MAX];
    size_t n = learned_text(&l, text, sizeof(text));

    CHECK(n > 0);
    CHECK(learned_parse(span_str(text), &back));
    CHECK(learned_text(&back, again, sizeof(again)) == n && strcmp(text, again) == 0);
    CHECK(back.has_ike && ike_suite_eq(&back.ike, &l.ike));
    CHECK(back.has_esp && esp_suite_eq(&back.esp, &l.esp));
    CHECK(back.inner_port == 1701 && back.one_ike && !back.one_esp);
    CHECK(back.encapsulation == ENCAPSULATION_ESP && back.pfs == DH_MODP1024);
    CHECK(back.floor_ike == STRENGTH_STRONG && back.floor_esp == STRENGTH_FAIR);
    CHECK(strcmp(back.peer_id, l.peer_id) == 0 && back.auth == IKE_AUTH_ECDSA_384);
    CHECK(learned_is_for(&back, "vpn.example.com", 4711));
    CHECK(!learned_is_for(&back, "vpn.example.com", 500));
    CHECK(!learned_is_for(&back, "other.example.com", 4711));
    for (size_t cap = 0; cap <= n; cap++)
        CHECK(learned_text(&l, again, cap) == 0);
}

TEST(learned_is_strict)
{
    static const char *const bad[] = {
        "",
        "l2tpc-learned=1\n",
        "l2tpc-learned=2\nserver=a\nport=500\n",
        "server=a\nl2tpc-learned=1\nport=500\n",
        "l2tpc-learned=1\nl2tpc-learned=1\nserver=a\nport=500\n",
        "l2tpc-learned=1\nserver=a\n",
        "l2tpc-learned=1\nserver=\nport=500\n",
        HEAD "port=501\n",
        HEAD "ike=aes256-sha256-modp2048",
        HEAD "ike=aes256-sha256-modp2048,aes128-sha1-modp1024\n",
        HEAD "ike=aes256\n",
        HEAD "esp=aes256-sha1-modp2048\n",
        HEAD "pfs=modp17\n",
        HEAD "inner-port=65536\n",
        HEAD "inner-port=-1\n",
        HEAD "one-ike-suite=maybe\n",
        HEAD "floor-ike=good\n",
        HEAD "address=somewhere\n",
        HEAD "Key=value\n",
        HEAD "=value\n",
        HEAD "no value\n",
        HEAD "peer-id=tab\there\n",
        HEAD "\n",
    };
    char text[LEARNED_TEXT_MAX + 2];

    CHECK(reads(HEAD));
    CHECK(reads(HEAD "later-version=anything = at all\n"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (reads(bad[i]))
            printf("    %s\n", bad[i]);
        CHECK(!reads(bad[i]));
    }
    /* A value that is too long for its field, a text that is too long for anything. */
    (void)snprintf(text, sizeof(text), HEAD "fingerprint=%0*d\n", LEARNED_FINGERPRINT_MAX - 1, 0);
    CHECK(reads(text));
    (void)snprintf(text, sizeof(text), HEAD "fingerprint=%0*d\n", LEARNED_FINGERPRINT_MAX, 0);
    CHECK(!reads(text));
    (void)snprintf(text, sizeof(text), HEAD);
    while (strlen(text) + 10 < sizeof(text))
        (void)strcat(text, "k=v2345\n");
    CHECK(strlen(text) <= LEARNED_TEXT_MAX && reads(text));
    CHECK(
        !learned_parse(span_of((const uint8_t *)text, LEARNED_TEXT_MAX + 1), &(struct learned){0}));
}

/* Each suite of the named policies comes back as itself, and stands where its policy says. */
TEST(suites_are_spelled_and_weighed)
{
    static const struct {
        const char *policy;
        enum strength least;
    } named[] = {
        {"strong", STRENGTH_STRONG}, {"compatible", STRENGTH_FAIR}, {"legacy", STRENGTH_LEGACY}};

    for (size_t k = 0; k < ARRAY_LEN(named); k++) {
        struct policy p;

        CHECK(policy_named(named[k].policy, &p));
        CHECK(policy_best_ike(&p) == STRENGTH_STRONG && policy_best_esp(&p) == STRENGTH_STRONG);
        for (unsigned i = 0; i < p.n_ike; i++) {
            char text[SUITE_SPELLING_MAX];
            struct policy one = {0};

            CHECK(policy_parse_ike(ike_suite_spell(&p.ike[i], text), &one, NULL));
            CHECK(one.n_ike == 1 && ike_suite_eq(&one.ike[0], &p.ike[i]));
            CHECK(ike_suite_strength(&p.ike[i]) >= named[k].least);
        }
        for (unsigned i = 0; i < p.n_esp; i++) {
            char text[SUITE_SPELLING_MAX];
            struct policy one = {0};

            CHECK(policy_parse_esp(esp_suite_spell(&p.esp[i], text), &one, NULL));
            CHECK(one.n_esp == 1 && esp_suite_eq(&one.esp[0], &p.esp[i]));
        }
    }
    CHECK(esp_suite_strength(&(struct esp_suite){CIPHER_AES_CBC, 256, HASH_SHA256, true}) ==
          STRENGTH_FAIR);
    CHECK(ike_suite_strength(&(struct ike_suite){CIPHER_DES_CBC, 0, HASH_SHA1, DH_MODP2048}) ==
          STRENGTH_BROKEN);
}
