/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder by itself: whatever happens in whatever order, its promises hold. */
#include "check.h"
#include "dial/ladder.h"
#include "ike/policy.h"

#include <stdio.h>
#include <string.h>

static void set_up(struct ladder *l, const char *policy, const struct learned *learned)
{
    struct ladder_config c = {.learned = learned};

    memset(l, 0, sizeof(*l));
    if (policy_named(policy, &c.policy))
        ladder_init(l, &c, US_S(1000));
}

static enum ladder_step happens(struct ladder *l, enum failure_id id, unsigned seconds)
{
    struct ladder_end end = {.failure = failure_make(id), .now = US_S(1000 + seconds), .mm5 = 1};

    return ladder_next(l, &end);
}

TEST(ladder_one_suite_in_order)
{
    static const char *const order[] = {"aes256-sha1-modp2048", "aes256-sha256-modp2048",
                                        "aes128-sha1-modp2048", "3des-sha1-modp1024",
                                        "aes256-sha1-modp1024", "aes128-sha1-modp1024"};
    struct ladder l;
    char text[SUITE_SPELLING_MAX];

    set_up(&l, "legacy", NULL);
    CHECK(l.now.rung == RUNG_WHOLE && l.now.policy.n_ike > 6);
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        CHECK(happens(&l, FAILURE_IKE_NO_PROPOSAL, i) == LADDER_IKE);
        CHECK(l.now.rung == RUNG_ONE_IKE && l.now.policy.n_ike == 1);
        CHECK(strcmp(ike_suite_spell(&l.now.policy.ike[0], text), order[i]) == 0);
    }
    CHECK(happens(&l, FAILURE_IKE_NO_PROPOSAL, 9) == LADDER_OVER);
}

TEST(ladder_nothing_behind_authentication)
{
    for (unsigned id = 1; id < FAILURE_COUNT; id++) {
        struct failure f = failure_make((enum failure_id)id);
        struct ladder l;

        set_up(&l, "legacy", NULL);
        if (f.stage != STAGE_IKE_AUTH || id == FAILURE_IKE_PORT_4500)
            continue;
        CHECK(happens(&l, (enum failure_id)id, 1) == LADDER_OVER);
        CHECK(happens(&l, FAILURE_IKE_NO_PROPOSAL, 2) == LADDER_OVER);
        CHECK(happens(&l, FAILURE_IKE_PORT_4500, 2) == LADDER_OVER);
        CHECK(!ladder_take_port(&l, US_S(1002)));
        CHECK(!ladder_has_raw(&l, 1) && !ladder_has_udp(&l, 1));
    }
}

TEST(ladder_behind_a_known_nat_no_raw_esp)
{
    struct ladder_end end = {.failure = failure_make(FAILURE_IKE_PORT_4500),
                             .now = US_S(1008),
                             .nat_local = IKE_NAT_YES,
                             .mm5 = 1};
    struct ladder l;

    set_up(&l, "legacy", NULL);
    CHECK(ladder_next(&l, &end) == LADDER_OVER);
    end.nat_local = IKE_NAT_UNKNOWN;
    CHECK(ladder_next(&l, &end) == LADDER_IKE);
    CHECK(l.now.encapsulation == ENCAPSULATION_ESP);
    CHECK(ladder_next(&l, &end) == LADDER_OVER);
}

TEST(ladder_verdict_is_the_first_reason)
{
    struct failure last = failure_make(FAILURE_ESP_NOTHING_BACK);
    struct ladder l;

    set_up(&l, "legacy", NULL);
    CHECK(happens(&l, FAILURE_IKE_PORT_4500, 8) == LADDER_IKE);
    CHECK(ladder_verdict(&l, &last).id == FAILURE_IKE_PORT_4500);
    last = failure_make(FAILURE_PPP_AUTH_FAILED);
    CHECK(ladder_verdict(&l, &last).id == FAILURE_PPP_AUTH_FAILED);
    last = failure_make(FAILURE_IKE_AUTH_TIMEOUT);
    CHECK(ladder_verdict(&l, &last).id == FAILURE_IKE_AUTH_TIMEOUT);
}

/* Behind a NAT servers refuse raw ESP, as our address is no selector for them. */
TEST(ladder_raw_esp_refused_by_selector)
{
    struct learned learned = {.encapsulation = ENCAPSULATION_ESP};
    struct failure last = failure_make(FAILURE_IKE_QUICK_REFUSED);
    struct ladder l;

    set_up(&l, "legacy", &learned);
    CHECK(l.now.encapsulation == ENCAPSULATION_ESP);
    CHECK(happens(&l, FAILURE_IKE_QUICK_REFUSED, 1) == LADDER_IKE);
    CHECK(l.now.rung == RUNG_UDP && l.now.encapsulation == ENCAPSULATION_AUTO);
    set_up(&l, "legacy", NULL);
    CHECK(happens(&l, FAILURE_IKE_PORT_4500, 8) == LADDER_IKE);
    CHECK(happens(&l, FAILURE_IKE_QUICK_REFUSED, 9) == LADDER_QUICK && l.now.rung == RUNG_PORT);
    CHECK(happens(&l, FAILURE_IKE_QUICK_REFUSED, 9) == LADDER_OVER);
    CHECK(ladder_verdict(&l, &last).id == FAILURE_IKE_PORT_4500);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static const enum failure_id things[] = {
    FAILURE_IKE_NO_ANSWER,         FAILURE_IKE_NO_PROPOSAL,   FAILURE_IKE_REFUSED,
    FAILURE_IKE_PROTOCOL,          FAILURE_IKE_PORT_4500,     FAILURE_IKE_QUICK_NO_PROPOSAL,
    FAILURE_IKE_QUICK_REFUSED,     FAILURE_IKE_QUICK_TIMEOUT, FAILURE_ESP_NOTHING_BACK,
    FAILURE_IKE_AUTH_PSK,          FAILURE_IKE_CUT_OFF,       FAILURE_L2TP_NO_ANSWER,
    FAILURE_IKE_AUTH_CERT_REFUSED,
};

static bool holds(const struct ladder *l, enum strength floor, bool over)
{
    bool ok = !l->now.one_ike || ike_suite_strength(&l->now.policy.ike[0]) >= floor;

    ok = ok && l->now.policy.n_ike > 0 && l->now.policy.n_esp > 0;
    ok = ok && l->n_rows <= LADDER_ROWS_MAX && l->next_ike <= LADDER_ONES;
    return ok && (over || !l->authentication_failed);
}

TEST(ladder_promises_whatever_happens)
{
    uint32_t state = 1;

    for (unsigned n = 0; n < 20000; n++) {
        struct learned learned = {.has_ike = true,
                                  .ike = {CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP2048},
                                  .one_ike = n % 3 == 0,
                                  .encapsulation =
                                      n % 5 == 0 ? ENCAPSULATION_ESP : ENCAPSULATION_AUTO,
                                  .inner_port = n % 7 == 0 ? L2TP_PORT : 0,
                                  .floor_ike = (enum strength)(n % STRENGTH_COUNT)};
        struct ladder_end end = {.now = US_S(1000)};
        struct ladder l;
        enum ladder_step step = LADDER_IKE;
        unsigned steps = 0;
        bool over = false;

        set_up(&l, n % 2 ? "legacy" : "compatible", n % 4 ? &learned : NULL);
        while (!over && steps < 100) {
            enum strength floor = ladder_floor_ike(&l);

            CHECK(holds(&l, floor, false));
            end.failure = failure_make(things[next_random(&state) % ARRAY_LEN(things)]);
            end.now += US_MS(next_random(&state) % 3000);
            end.mm5 += step == LADDER_IKE && end.failure.stage >= STAGE_IKE_AUTH;
            step = ladder_next(&l, &end);
            over = step == LADDER_OVER;
            CHECK(holds(&l, floor, over));
            CHECK(over || end.now < US_S(1000) + LADDER_TIME);
            steps++;
        }
        CHECK(over && steps <= LADDER_ROWS_MAX + 1);
    }
}
