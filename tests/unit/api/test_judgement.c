/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The judge behind "this is L2TP inside IPsec": whom it believes, and who can mislead it. */
#include "api/internal.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

struct case_file {
    struct ike_facts ike;
    struct l2tp_facts l2tp;
    struct dial_facts facts;
    struct kernel_counts kernel;
};

/* A tunnel that has carried some traffic, about which everybody agrees. */
static void honest(struct case_file *c)
{
    memset(c, 0, sizeof(*c));
    c->facts.ike = &c->ike;
    c->facts.l2tp = &c->l2tp;
    c->facts.was_authenticated = c->facts.was_call_up = c->facts.has_sa = true;
    c->facts.esp_suite.cipher = CIPHER_AES_CBC;
    c->facts.esp_suite.key_bits = 128;
    c->facts.esp_out.packets = 10000;
    c->facts.esp_in.packets = 20000;
    c->kernel = (struct kernel_counts){.known = true, .esp_out = 10000, .esp_in = 20000};
}

static bool proven(const struct case_file *c)
{
    struct evidence evidence[EVIDENCE_MAX];
    bool verdict;

    (void)proof_judge(&c->facts, &c->kernel, evidence, &verdict);
    return verdict;
}

TEST(proof_of_an_honest_tunnel)
{
    struct case_file c;

    honest(&c);
    CHECK(proven(&c));
}

TEST(proof_needs_every_witness)
{
    struct case_file c;

    honest(&c);
    c.kernel.known = false;
    CHECK(!proven(&c));
    honest(&c);
    c.kernel.clear = 1;
    CHECK(!proven(&c));
    honest(&c);
    c.kernel.esp_out = 0;
    CHECK(!proven(&c));
    honest(&c);
    c.kernel.esp_in = 0;
    CHECK(!proven(&c));
    honest(&c);
    c.facts.was_authenticated = false;
    CHECK(!proven(&c));
    honest(&c);
    c.facts.was_call_up = false;
    CHECK(!proven(&c));
    honest(&c);
    c.facts.esp_suite.cipher = CIPHER_NONE;
    CHECK(!proven(&c));
}

/* An engine that claims more than the kernel saw sent the rest by another way. */
TEST(proof_fails_when_most_packets_went_elsewhere)
{
    struct case_file c;

    honest(&c);
    c.kernel.esp_out = 4000;
    CHECK(!proven(&c));
    honest(&c);
    c.kernel.esp_in = 18000;
    CHECK(!proven(&c));
}

/* The queue of a full uplink drops behind the engine's back, and before the observer. */
TEST(proof_survives_a_full_uplink)
{
    struct case_file c;

    honest(&c);
    c.kernel.esp_out = 8000;
    CHECK(proven(&c));
}

/* What overruns our socket's buffer the kernel has seen and the engine has not. Nobody can make the
 * proof fail by sending us more of it, either. */
TEST(proof_survives_a_full_receive_buffer)
{
    struct case_file c;

    honest(&c);
    c.kernel.esp_in = 60000;
    CHECK(proven(&c));
}

/* Somebody else sends with our SPI: that is not our tunnel that the kernel counts. */
TEST(proof_fails_when_others_send_with_our_spi)
{
    struct case_file c;

    honest(&c);
    c.kernel.esp_out = 12000;
    CHECK(!proven(&c));
}

/* ---- what the observer is told ---- */

struct host {
    unsigned spis;
    l2tpc_need last;
};

static int serve(void *user, const l2tpc_need *need, l2tpc_answer *answer)
{
    struct host *host = user;

    if (need->type != L2TPC_NEED_OBSERVER_SPIS)
        return 0;
    host->spis++;
    host->last = *need;
    answer->status = 0;
    return 1;
}

TEST(proof_observer_is_told_the_ports)
{
    struct host host = {.spis = 0};
    l2tpc_context context = {.ops = {.user = &host, .serve = serve}};
    l2tpc_session session = {.context = &context, .observed = true, .observer = 7};
    struct dial_facts facts = {.spi_in = 5, .spi_out = 6, .local_natt_port = 4501};
    const struct endpoint peer = {.addr = {4, {192, 0, 2, 1}}, .port = 4500};

    facts.udp_encapsulated = true;
    observer_tell(&session, &facts, &peer);
    CHECK_INT(host.spis, 1);
    CHECK_INT(host.last.observer, 7);
    CHECK_INT(host.last.spi_in, 5);
    CHECK_INT(host.last.spi_out, 6);
    CHECK_INT(host.last.local_port, 4501);
    CHECK_INT(host.last.remote_port, 4500);
    facts.udp_encapsulated = false;
    observer_tell(&session, &facts, &peer);
    CHECK_INT(host.last.local_port, 0);
    CHECK_INT(host.last.remote_port, 0);
}
