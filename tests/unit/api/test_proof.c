/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict "this is L2TP inside IPsec": true only when nothing contradicts it. */
#include "api/internal.h"
#include "check.h"

#include <string.h>

struct truth {
    struct ike_facts ike;
    struct l2tp_facts l2tp;
    struct dial_facts f;
    struct kernel_counts k;
};

static void tell(struct truth *t)
{
    memset(t, 0, sizeof(*t));
    strcpy(t->ike.peer_id, "192.0.2.1");
    t->l2tp = (struct l2tp_facts){.tunnel_id = 1,
                                  .peer_tunnel_id = 2,
                                  .session_id = 3,
                                  .peer_session_id = 4,
                                  .tunnel_up = true,
                                  .call_up = true};
    t->f.ike = &t->ike;
    t->f.l2tp = &t->l2tp;
    t->f.was_authenticated = t->f.was_call_up = t->f.has_sa = true;
    t->f.esp_suite = (struct esp_suite){CIPHER_AES_CBC, 256, HASH_SHA256, false};
    t->f.esp_in.packets = 1000;
    t->f.esp_out.packets = 900;
    t->k = (struct kernel_counts){.known = true, .esp_in = 1000, .esp_out = 900};
}

static bool verdict_of(const struct truth *t)
{
    struct evidence e[EVIDENCE_MAX];
    bool verdict, all = true;
    unsigned n = proof_judge(&t->f, &t->k, e, &verdict);

    for (unsigned i = 0; i < n; i++)
        all = all && e[i].ok;
    return n <= EVIDENCE_MAX && n >= 6 && verdict == all && verdict;
}

TEST(proof_of_the_truth)
{
    struct truth t;

    tell(&t);
    CHECK(verdict_of(&t));
    t.k.esp_in += 5; /* under way while the counts were read */
    t.k.esp_out -= 5;
    CHECK(verdict_of(&t));
    t.k.esp_out -= 400; /* the interface cuts runs by itself, and joins what comes */
    t.k.esp_in -= 400;
    t.f.data.joined_out = t.f.data.joined_in = 500;
    CHECK(verdict_of(&t));
    tell(&t);
    t.f.esp_in.packets = 900; /* what was dropped by ESP has come in as well */
    t.f.esp_in.bad_icv = 60;
    t.f.esp_in.replayed = 40;
    CHECK(verdict_of(&t));
}

/* Each lie by itself, and each missing witness, is shown false. */
TEST(proof_of_lies)
{
    struct truth t;

#define SHOWN_FALSE(lie)                                                                           \
    do {                                                                                           \
        tell(&t);                                                                                  \
        lie;                                                                                       \
        CHECK(!verdict_of(&t));                                                                    \
    } while (0)
    SHOWN_FALSE(t.k.clear = 1);
    SHOWN_FALSE(t.k.known = false);
    SHOWN_FALSE(t.k.esp_out = 0);
    SHOWN_FALSE(t.k.esp_in = 0);
    SHOWN_FALSE(t.k.esp_out = 450); /* half of it went another way */
    SHOWN_FALSE(t.k.esp_in = 500);
    SHOWN_FALSE(t.k.esp_out = 450; t.f.data.joined_out = 100);
    SHOWN_FALSE(t.k.esp_out = 0; t.f.data.joined_out = 900);
    SHOWN_FALSE(t.f.esp_out.packets = 2000); /* the engine claims more than has left */
    SHOWN_FALSE(t.f.esp_in.packets = 5000);
    SHOWN_FALSE(t.f.esp_suite.cipher = CIPHER_NONE);
    SHOWN_FALSE(t.f.has_sa = false);
    SHOWN_FALSE(t.f.was_authenticated = false);
    SHOWN_FALSE(t.f.ike = NULL);
    SHOWN_FALSE(t.f.was_call_up = false);
    SHOWN_FALSE(t.f.l2tp = NULL);
    SHOWN_FALSE(t.f.esp_in.packets = 0; t.k.esp_in = 0);
    SHOWN_FALSE(t.f.esp_out.packets = 0; t.k.esp_out = 0);
#undef SHOWN_FALSE
}

TEST(proof_before_anything)
{
    struct truth t;

    memset(&t, 0, sizeof(t));
    CHECK(!verdict_of(&t));
    t.k.known = true;
    CHECK(!verdict_of(&t));
}

TEST(proof_codes_and_observers)
{
    struct evidence e[EVIDENCE_MAX];
    struct truth t;
    bool verdict;
    unsigned n, kernel = 0, peer = 0;

    tell(&t);
    n = proof_judge(&t.f, &t.k, e, &verdict);
    for (unsigned i = 0; i < n; i++) {
        CHECK(strlen(e[i].sentence) > 10);
        CHECK(strncmp(e[i].code, e[i].observer, strlen(e[i].observer)) == 0);
        kernel += strcmp(e[i].observer, "kernel") == 0;
        peer += strcmp(e[i].observer, "peer") == 0;
    }
    CHECK(kernel >= 3);
    CHECK(peer >= 2);
}
